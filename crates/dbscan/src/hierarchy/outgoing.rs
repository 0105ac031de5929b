//! The lightest edge from a point to another component, by mutual reachability distance.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bounds::reduced_distance;
use crate::metric::{ReducedDistance, greater, lesser};
use crate::tree::{LEAF, Node, Tree};

use super::density::NONE;
use super::walk::Search;

/// Facts about the edges that leave the component of a point from that point.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// None is lighter than this.
    pub bound: f64,
    /// The lightest one found; infinite without a target.
    pub weight: f64,
    /// The position where it ends, or [`NONE`].
    pub target: u32,
}

impl Link {
    pub(super) const UNKNOWN: Self = Self { bound: 0.0, weight: f64::INFINITY, target: NONE };
}

/// The weights of the lightest edges known that leave each component. Threads lower them together: how soon one sees the
/// weight of another decides how much it searches, and not what is the least in the end.
pub(super) struct Lightest {
    /// The bits of the weights: those of numbers from 0 on have the same order.
    weights: Vec<AtomicU64>,
}

impl Lightest {
    pub(super) fn none() -> Self {
        Self { weights: Vec::new() }
    }

    /// Forgets all weights, and has room for those of `components`.
    pub(super) fn reset(&mut self, components: usize) {
        self.weights.clear();
        self.weights.resize_with(components, || AtomicU64::new(f64::INFINITY.to_bits()));
    }

    #[inline]
    pub(super) fn of(&self, component: u32) -> f64 {
        let weight = self.weights.get(component as usize);
        weight.map_or(f64::INFINITY, |weight| f64::from_bits(weight.load(Ordering::Relaxed)))
    }

    #[inline]
    pub(super) fn lower(&self, component: u32, weight: f64) {
        if let Some(lightest) = self.weights.get(component as usize)
            && weight < f64::from_bits(lightest.load(Ordering::Relaxed))
        {
            lightest.fetch_min(weight.to_bits(), Ordering::Relaxed);
        }
    }
}

/// The components of the points, and what prunes the search for edges between them.
pub(super) struct Fragments<'a, const K: usize, D> {
    pub tree: &'a Tree<K, D>,
    /// The core distances, reduced, of points and the least one below each node.
    pub core: &'a [f64],
    pub least_core: Vec<f64>,
    /// The component of each point.
    pub component: Vec<u32>,
    /// Whether all points of a node are in one component.
    pub whole: Vec<bool>,
    pub lightest: Lightest,
}

impl<const K: usize, D: ReducedDistance> Fragments<'_, K, D> {
    /// The component of all points of a node, if they are in one.
    #[inline]
    pub(super) fn of_node(&self, node: usize) -> Option<u32> {
        self.whole[node].then(|| self.component[self.tree.nodes[node].range().start])
    }

    /// The mutual reachability distance of two points.
    #[inline]
    pub(super) fn weight(&self, a: usize, b: usize) -> f64 {
        let apart = reduced_distance::<K, D>(&self.tree.items[a].at, &self.tree.items[b].at);
        greater(greater(apart, self.core[a]), self.core[b])
    }
}

/// The point at one place of a leaf while it searches.
#[derive(Clone, Copy)]
pub(super) struct Seeker {
    pub component: u32,
    /// No edge is lighter: neither its own core distance nor what was found out before allows it.
    pub floor: f64,
    /// Only lighter edges are of use.
    pub radius: f64,
    /// The lightest edge found, if there is a target.
    pub found: f64,
    pub target: u32,
}

impl Seeker {
    pub(super) const IDLE: Self =
        Self { component: NONE, floor: 0.0, radius: 0.0, found: f64::INFINITY, target: NONE };
}

/// The search of the points of a leaf for edges.
pub(super) struct Seekers<'a, const K: usize, D> {
    fragments: &'a Fragments<'a, K, D>,
    first: usize,
    /// The state of the point at each place.
    pub places: [Seeker; LEAF],
}

impl<'a, const K: usize, D: ReducedDistance> Seekers<'a, K, D> {
    /// Nobody of the leaf searches yet.
    pub(super) fn new(fragments: &'a Fragments<'a, K, D>, leaf: &Node<K, D>) -> Self {
        Self { fragments, first: leaf.range().start, places: [Seeker::IDLE; LEAF] }
    }
}

impl<const K: usize, D: ReducedDistance> Search for Seekers<'_, K, D> {
    #[inline]
    fn radius(&self, place: usize) -> f64 {
        let Seeker { floor, radius, .. } = self.places[place];
        if floor < radius { radius } else { 0.0 }
    }

    #[inline]
    fn skips(&self, place: usize, node: usize) -> bool {
        let Seeker { component, radius, .. } = self.places[place];
        self.fragments.least_core[node] >= radius || self.fragments.of_node(node) == Some(component)
    }

    #[inline]
    fn look(&mut self, place: usize, leaf: usize) {
        let Fragments { tree, core, component, lightest, .. } = self.fragments;
        let seeker = &mut self.places[place];
        let at = &tree.items[self.first + place].at;
        for position in tree.nodes[leaf].distinct() {
            let apart = greater(reduced_distance::<K, D>(at, &tree.items[position].at), core[position]);
            if apart < seeker.radius && component[position] != seeker.component {
                seeker.radius = greater(apart, seeker.floor);
                seeker.found = seeker.radius;
                seeker.target = position as u32;
                lightest.lower(seeker.component, seeker.radius);
                lightest.lower(component[position], seeker.radius);
            }
        }
        seeker.radius = lesser(seeker.radius, lightest.of(seeker.component));
    }
}
