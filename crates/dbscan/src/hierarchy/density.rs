//! Core distances: how far each point has to look until its neighbours weigh `min_samples`.
//!
//! The nearest neighbours found on the way are kept, a few for each point: most edges of the minimum spanning tree lead
//! to one of them.

use std::collections::BinaryHeap;

use crate::bounds::reduced_distance;
use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::ReducedDistance;
use crate::relatives::Relatives;
use crate::tree::{LEAF, Node, ROOT, Tree};

use super::walk::{Places, Search, Walk, all, each, for_leaves};

/// The neighbours that are kept for each point.
pub(super) const KEPT: usize = 4;

/// No position of a tree.
pub(super) const NONE: u32 = u32::MAX;

/// Lists that may grow longer than this are heaps, and made for one point after the other.
const SHORT: usize = 64;

/// The nearest neighbours of a point. In a leaf full of equal points these are all one neighbour, and none of each other.
#[derive(Clone, Copy)]
pub(super) struct Near {
    /// Their positions, nearest first; [`NONE`] where there are fewer.
    kept: [u32; KEPT],
    /// Every neighbour nearer than this reduced distance is among them.
    pub complete: f64,
}

impl Near {
    pub(super) const UNUSED: Self = Self { kept: [NONE; KEPT], complete: 0.0 };

    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.kept.into_iter().take_while(|&position| position != NONE).map(|position| position as usize)
    }
}

/// Finds the core distance, reduced, and the nearest neighbours of the point at each position. All points together must
/// weigh at least `min_samples`.
pub(super) fn find<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    core: &mut [f64],
    near: &mut [Near],
    context: &Context,
) -> Result<(), Cancelled> {
    let weight_of_leaf = |leaf: &Node<K, D>| {
        let mut sum = 0_u64;
        for position in leaf.range() {
            context.workers.check_every(position)?;
            sum = sum.saturating_add(tree.items[position].weight(context));
        }
        Ok(sum)
    };
    let weights = tree.fold(0, weight_of_leaf, |_, _| 0, context)?;
    let all_weigh_one =
        context.all_weigh_one() && tree.nodes.iter().all(|node| !node.is_leaf() || node.span() <= LEAF);
    let leaves = Leaves { tree, context, weights, all_weigh_one };
    let of_leaf = |leaf: usize, relatives: &Relatives, (core, near): (&mut [f64], &mut [Near])| {
        leaves.find(leaf, relatives, core, near)
    };
    for_leaves(tree, ROOT, &Relatives::NONE, (core, near), context, &of_leaf)
}

/// The data that the searches of all leaves share.
struct Leaves<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    context: &'a Context<'a>,
    /// The weight of each leaf.
    weights: Vec<u64>,
    /// Whether every neighbour has the weight 1, so that it is enough to count them.
    all_weigh_one: bool,
}

impl<const K: usize, D: ReducedDistance> Leaves<'_, K, D> {
    fn find(
        &self,
        leaf: usize,
        relatives: &Relatives,
        core: &mut [f64],
        near: &mut [Near],
    ) -> Result<(), Cancelled> {
        let (tree, needed) = (self.tree, self.context.min_samples);
        let walk = Walk::new(tree, leaf, self.context);
        let points = tree.nodes[leaf].distinct();
        let most = usize::try_from(needed - 1).unwrap_or(usize::MAX).max(KEPT);
        if most <= SHORT && self.all_weigh_one {
            let lists = Counted::new(points.len(), most);
            let mut search = Neighbours { leaves: self, first: points.start, lists };
            walk.run(leaf, relatives.iter().rev(), all(points.len()), &mut search)?;
            for place in 0..points.len() {
                (core[place], near[place]) = finish(1, search.lists.of(place), needed);
            }
        } else if most <= SHORT {
            let list = |position| Short::new(self.weight(leaf, position), most);
            let lists = Weighed { offset: 0, lists: points.clone().map(list).collect() };
            let mut search = Neighbours { leaves: self, first: points.start, lists };
            walk.run(leaf, relatives.iter().rev(), all(points.len()), &mut search)?;
            for (place, list) in search.lists.lists.iter().enumerate() {
                (core[place], near[place]) = finish(list.own, &list.found, needed);
            }
        } else {
            for place in 0..points.len() {
                let list = Long::new(self.weight(leaf, points.start + place));
                let lists = Weighed { offset: place, lists: vec![list] };
                let mut search = Neighbours { leaves: self, first: points.start, lists };
                walk.run(leaf, relatives.iter().rev(), 1 << place, &mut search)?;
                for list in search.lists.lists {
                    let (own, found) = (list.own, list.found.into_sorted_vec());
                    (core[place], near[place]) = finish(own, &found, needed);
                }
            }
        }
        // Of equal points one has searched.
        let found = (core[0], near[0]);
        for i in points.len()..core.len() {
            self.context.workers.check_every(i)?;
            (core[i], near[i]) = found;
        }
        Ok(())
    }

    /// The weight of the point at a position of a leaf, with that of its equals if the leaf is full of them.
    #[inline]
    fn weight(&self, leaf: usize, position: usize) -> u64 {
        if self.tree.nodes[leaf].span() > LEAF {
            self.weights[leaf]
        } else {
            self.tree.items[position].weight(self.context)
        }
    }
}

/// A neighbour of a point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Neighbour {
    /// The bits of its reduced distance: those of numbers from 0 on have the same order.
    distance: u64,
    position: u32,
    weight: u64,
}

/// The core distance and the nearest neighbours, given the weight of a point itself and what it found, nearest first.
fn finish(own: u64, found: &[Neighbour], needed: u64) -> (f64, Near) {
    let (mut weight, mut core) = (u128::from(own), 0.0);
    for neighbour in found {
        if weight >= u128::from(needed) {
            break;
        }
        weight += u128::from(neighbour.weight);
        core = f64::from_bits(neighbour.distance);
    }
    if weight < u128::from(needed) {
        // The others are there, at a distance that overflows.
        core = f64::INFINITY;
    }
    let mut kept = [NONE; KEPT];
    for (kept, neighbour) in kept.iter_mut().zip(found) {
        *kept = neighbour.position;
    }
    let complete = found.get(KEPT - 1).map_or(f64::INFINITY, |last| f64::from_bits(last.distance));
    (core, Near { kept, complete })
}

/// The nearest neighbours of a point, as many as it needs.
trait List {
    /// The list takes no point that is this far away or farther.
    fn radius(&self) -> f64;

    /// Adds a neighbour that is nearer than the radius, and drops those that are too many.
    fn insert(&mut self, neighbour: Neighbour, needed: u64);
}

/// The lists of the points of a leaf.
trait Lists {
    /// The radius of the list of a place.
    fn radius(&self, place: usize) -> f64;

    /// Inserts into the list of a place.
    fn insert(&mut self, place: usize, neighbour: Neighbour, needed: u64);
}

/// Lists of neighbours that weigh 1 each, all of one length, in order.
struct Counted {
    most: usize,
    lens: [usize; LEAF],
    radii: [f64; LEAF],
    found: Vec<Neighbour>,
}

impl Counted {
    fn new(places: usize, most: usize) -> Self {
        let unused = Neighbour { distance: 0, position: NONE, weight: 0 };
        Self { most, lens: [0; LEAF], radii: [f64::INFINITY; LEAF], found: vec![unused; places * most] }
    }

    fn of(&self, place: usize) -> &[Neighbour] {
        &self.found[place * self.most..][..self.lens[place]]
    }
}

impl Lists for Counted {
    #[inline]
    fn radius(&self, place: usize) -> f64 {
        self.radii[place]
    }

    #[inline]
    fn insert(&mut self, place: usize, neighbour: Neighbour, _needed: u64) {
        let found = &mut self.found[place * self.most..][..self.most];
        let len = &mut self.lens[place];
        if *len < found.len() {
            *len += 1;
        }
        let mut at = *len - 1;
        while at > 0 && found[at - 1].distance > neighbour.distance {
            found[at] = found[at - 1];
            at -= 1;
        }
        found[at] = neighbour;
        if let [.., last] = found
            && *len == self.most
        {
            self.radii[place] = f64::from_bits(last.distance);
        }
    }
}

/// A list for each place from some place on.
struct Weighed<L> {
    offset: usize,
    lists: Vec<L>,
}

impl<L: List> Lists for Weighed<L> {
    #[inline]
    fn radius(&self, place: usize) -> f64 {
        self.lists[place - self.offset].radius()
    }

    #[inline]
    fn insert(&mut self, place: usize, neighbour: Neighbour, needed: u64) {
        self.lists[place - self.offset].insert(neighbour, needed);
    }
}

/// A list in order, nearest first.
struct Short {
    own: u64,
    weight: u128,
    radius: f64,
    found: Vec<Neighbour>,
}

impl Short {
    /// The list of a point that needs at most `most` neighbours.
    fn new(own: u64, most: usize) -> Self {
        let found = Vec::with_capacity(most + 1);
        Self { own, weight: u128::from(own), radius: f64::INFINITY, found }
    }
}

impl List for Short {
    #[inline]
    fn radius(&self) -> f64 {
        self.radius
    }

    #[inline]
    fn insert(&mut self, neighbour: Neighbour, needed: u64) {
        self.weight += u128::from(neighbour.weight);
        let mut place = self.found.len();
        self.found.push(neighbour);
        while place > 0 && self.found[place - 1].distance > neighbour.distance {
            self.found[place] = self.found[place - 1];
            place -= 1;
        }
        self.found[place] = neighbour;
        let needed = u128::from(needed);
        while let [.., last] = self.found[..] {
            let without = self.weight - u128::from(last.weight);
            if self.found.len() <= KEPT || without < needed {
                break;
            }
            self.weight = without;
            self.found.pop();
        }
        if let [.., last] = self.found[..]
            && self.found.len() >= KEPT
            && self.weight >= needed
        {
            self.radius = f64::from_bits(last.distance);
        }
    }
}

/// A list whose farthest neighbour is on top.
struct Long {
    own: u64,
    weight: u128,
    radius: f64,
    found: BinaryHeap<Neighbour>,
}

impl Long {
    fn new(own: u64) -> Self {
        Self { own, weight: u128::from(own), radius: f64::INFINITY, found: BinaryHeap::new() }
    }
}

impl List for Long {
    #[inline]
    fn radius(&self) -> f64 {
        self.radius
    }

    fn insert(&mut self, neighbour: Neighbour, needed: u64) {
        self.weight += u128::from(neighbour.weight);
        self.found.push(neighbour);
        let needed = u128::from(needed);
        while let Some(last) = self.found.peek() {
            let without = self.weight - u128::from(last.weight);
            if self.found.len() <= KEPT || without < needed {
                break;
            }
            self.weight = without;
            self.found.pop();
        }
        if let Some(last) = self.found.peek()
            && self.found.len() >= KEPT
            && self.weight >= needed
        {
            self.radius = f64::from_bits(last.distance);
        }
    }
}

/// The search of the points of a leaf for their neighbours.
struct Neighbours<'a, const K: usize, D, L> {
    leaves: &'a Leaves<'a, K, D>,
    /// The position of the first point of the leaf.
    first: usize,
    lists: L,
}

impl<const K: usize, D: ReducedDistance, L: Lists> Search for Neighbours<'_, K, D, L> {
    #[inline]
    fn radius(&self, place: usize) -> f64 {
        self.lists.radius(place)
    }

    #[inline]
    fn skips(&self, _place: usize, _node: usize) -> bool {
        false
    }

    #[inline]
    fn look(&mut self, place: usize, leaf: usize) {
        let Leaves { tree, context, .. } = self.leaves;
        let own = self.first + place;
        let at = &tree.items[own].at;
        let positions = tree.nodes[leaf].distinct();
        // First the distances, without a branch: near the border of a neighbourhood nobody can predict who is in.
        let mut distances = [f64::INFINITY; LEAF];
        for (distance, item) in distances.iter_mut().zip(&tree.items[positions.clone()]) {
            *distance = reduced_distance::<K, D>(at, &item.at);
        }
        let radius = self.lists.radius(place);
        let mut near = 0;
        for (other, &distance) in distances.iter().enumerate() {
            near |= Places::from(distance < radius) << other;
        }
        for other in each(near) {
            let (distance, position) = (distances[other], positions.start + other);
            if distance < self.lists.radius(place) && position != own {
                let weight = self.leaves.weight(leaf, position);
                let neighbour = Neighbour { distance: distance.to_bits(), position: position as u32, weight };
                self.lists.insert(place, neighbour, context.min_samples);
            }
        }
    }
}
