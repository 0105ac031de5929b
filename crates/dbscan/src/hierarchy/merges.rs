//! The minimum spanning tree in the form in which it is kept: for each point when it ceases to be the first of its
//! component.
//!
//! Where several edges weigh the same there is more than one minimum spanning tree, but the components at each eps are those
//! of all of them. So a point i, unless it is the first of all, is the first point of its component up to some eps,
//! and from then on another one is. These pairs of an eps and a point do not depend on the tree that was found, and
//! tell all components: the first point of the component of i is found by following them up to the wanted eps.

use crate::error::Cancelled;
use crate::select::{Coordinates, sort};
use crate::workers::Workers;

use super::boruvka::Edge;

/// On the only axis that an edge has.
impl Coordinates for Edge {
    #[inline]
    fn coordinate(&self, _axis: usize) -> f64 {
        self.weight
    }
}

/// The eps at which each point ceases to be the first of its component.
pub(super) struct Merges {
    /// The eps at which it does; infinity where no finite eps does.
    pub eps: Vec<f64>,
    /// The first point of the component at that eps, of a lower number.
    pub into: Vec<u32>,
}

impl Merges {
    /// Of points that are never joined.
    pub(super) fn none(points: usize) -> Self {
        Self { eps: vec![f64::INFINITY; points], into: vec![0; points] }
    }

    /// Of a spanning tree whose `edges` have their eps as weights. `number` tells the number of the point at a position.
    pub(super) fn new(
        mut edges: Vec<Edge>,
        points: usize,
        number: impl Fn(u32) -> u32,
        workers: &Workers,
    ) -> Result<Self, Cancelled> {
        sort(&mut edges, 0, workers)?;
        let mut merges = Self::none(points);
        // By position, where neighbours are near each other in memory too.
        let mut parents: Vec<u32> = (0..points as u32).collect();
        let mut ceased: Vec<u32> = Vec::new();
        let mut level = 0.0;
        for (i, edge) in edges.iter().enumerate() {
            workers.check_every(i)?;
            // All edges of one eps at once: what they join is no matter of their order.
            if edge.weight > level {
                merges.settle(level, &mut ceased, &mut parents, &number, workers)?;
                level = edge.weight;
            }
            let [a, b] = edge.ends.map(|end| find(&mut parents, end));
            let (first, other) = if number(a) < number(b) { (a, b) } else { (b, a) };
            parents[other as usize] = first;
            ceased.push(other);
        }
        merges.settle(level, &mut ceased, &mut parents, &number, workers)?;
        Ok(merges)
    }

    /// Notes the points that have ceased to be the first of their components at an eps.
    fn settle(
        &mut self,
        eps: f64,
        ceased: &mut Vec<u32>,
        parents: &mut [u32],
        number: &impl Fn(u32) -> u32,
        workers: &Workers,
    ) -> Result<(), Cancelled> {
        for (i, position) in ceased.drain(..).enumerate() {
            workers.check_every(i)?;
            let point = number(position) as usize;
            self.eps[point] = eps;
            self.into[point] = number(find(parents, position));
        }
        Ok(())
    }
}

/// The position of the first point of a component.
fn find(parents: &mut [u32], mut point: u32) -> u32 {
    while parents[point as usize] != point {
        let grandparent = parents[parents[point as usize] as usize];
        parents[point as usize] = grandparent;
        point = grandparent;
    }
    point
}
