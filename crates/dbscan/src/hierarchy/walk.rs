//! The search that core distances, nearest vectors and the rounds of Borůvka have in common: the points of one leaf look
//! for something near them, all at once.
//!
//! They go through their own leaf first and then through the subtrees beside its ancestors, nearest relatives first, so
//! that each soon knows how far it still has to look. A subtree is left out where it is too far from the box of all of
//! them, and on the way down each point drops out for itself.

use crate::bounds::Bounds;
use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::ReducedDistance;
use crate::relatives::Relatives;
use crate::tree::{Item, LEAF, Tree};

/// A set of places in a leaf, at most [`LEAF`].
pub(super) type Places = u32;

const _: () = assert!(LEAF <= Places::BITS as usize);

/// The places of a set, in order.
#[inline]
pub(super) fn each(mut places: Places) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = places.trailing_zeros();
        places &= places.wrapping_sub(1);
        (place < Places::BITS).then_some(place as usize)
    })
}

/// The first places, as many as `len`.
#[inline]
pub(super) fn all(len: usize) -> Places {
    if len == 0 { 0 } else { Places::MAX >> (Places::BITS as usize - len) }
}

/// A search that the points of a leaf make together.
pub(super) trait Search {
    /// Only points nearer than this are of use to the point at a place of the leaf; never grows.
    fn radius(&self, place: usize) -> f64;

    /// Whether nothing below a node is of use to a point, wherever it is.
    fn skips(&self, place: usize, node: usize) -> bool;

    /// Looks at the points of a leaf.
    fn look(&mut self, place: usize, leaf: usize);
}

/// The points of a leaf that search.
pub(super) struct Walk<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    context: &'a Context<'a>,
    items: &'a [Item<K>],
}

impl<'a, const K: usize, D: ReducedDistance> Walk<'a, K, D> {
    /// The search of the different points of a leaf.
    pub(super) fn new(tree: &'a Tree<K, D>, leaf: usize, context: &'a Context<'a>) -> Self {
        Self { tree, context, items: &tree.items[tree.nodes[leaf].distinct()] }
    }

    /// Looks in the leaf and then in other nodes, in their order, for what the points at some places need.
    pub(super) fn run(
        &self,
        leaf: usize,
        others: impl Iterator<Item = usize>,
        places: Places,
        search: &mut impl Search,
    ) -> Result<(), Cancelled> {
        for place in each(places) {
            search.look(place, leaf);
        }
        let mut bounds = Bounds::EMPTY;
        for place in each(places) {
            bounds.include(&self.items[place].at, &self.items[place].at);
        }
        for node in others {
            let apart = self.tree.nodes[node].bounds.least(&bounds);
            self.visit(node, apart, places, &bounds, search)?;
        }
        Ok(())
    }

    /// Looks below a node that is `apart` from the box of all places.
    fn visit(
        &self,
        node: usize,
        apart: f64,
        places: Places,
        bounds: &Bounds<K, D>,
        search: &mut impl Search,
    ) -> Result<(), Cancelled> {
        self.context.workers.check()?;
        if each(places).all(|place| apart >= search.radius(place)) {
            return Ok(());
        }
        let this = &self.tree.nodes[node];
        let mut near = 0;
        for place in each(places) {
            if this.bounds.least_to(&self.items[place].at) < search.radius(place)
                && !search.skips(place, node)
            {
                near |= 1 << place;
            }
        }
        if near == 0 {
            return Ok(());
        }
        if this.is_leaf() {
            for place in each(near) {
                search.look(place, node);
            }
            return Ok(());
        }
        let [first, second] = self.tree.children(node);
        let to_first = self.tree.nodes[first].bounds.least(bounds);
        let to_second = self.tree.nodes[second].bounds.least(bounds);
        if to_second < to_first {
            self.visit(second, to_second, near, bounds, search)?;
            self.visit(first, to_first, near, bounds, search)
        } else {
            self.visit(first, to_first, near, bounds, search)?;
            self.visit(second, to_second, near, bounds, search)
        }
    }
}

/// Calls `leaf` for every leaf that has points, with its relatives and its own pieces of per-position and per-node values.
pub(super) fn for_leaves<const K: usize, D: ReducedDistance, P: Pieces>(
    tree: &Tree<K, D>,
    node: usize,
    relatives: &Relatives,
    pieces: P,
    context: &Context,
    leaf: &(impl Fn(usize, &Relatives, P) -> Result<(), Cancelled> + Sync),
) -> Result<(), Cancelled> {
    context.workers.check()?;
    let this = &tree.nodes[node];
    if this.is_empty() {
        return Ok(());
    }
    if this.is_leaf() {
        return leaf(node, relatives, pieces);
    }
    let [first, second] = tree.children(node);
    let (in_first, in_second) = pieces.split(tree.nodes[first].span());
    let [beside_first, beside_second] = [second, first].map(|sibling| relatives.of_child(sibling, |_| true));
    context.workers.join(
        this.span(),
        || for_leaves(tree, first, &beside_first, in_first, context, leaf),
        || for_leaves(tree, second, &beside_second, in_second, context, leaf),
    )?;
    Ok(())
}

/// Values of consecutive positions that threads write to, each its own piece.
pub(super) trait Pieces: Sized + Send {
    /// The values of the first positions, and the others.
    fn split(self, middle: usize) -> (Self, Self);
}

impl<T: Send> Pieces for &mut [T] {
    fn split(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }
}

impl<A: Pieces, B: Pieces> Pieces for (A, B) {
    fn split(self, middle: usize) -> (Self, Self) {
        let ((a, rest_of_a), (b, rest_of_b)) = (self.0.split(middle), self.1.split(middle));
        ((a, b), (rest_of_a, rest_of_b))
    }
}
