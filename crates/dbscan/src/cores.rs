//! Finding the core points where `min_samples` is above 2.

use crate::bounds::Bounds;
use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::ReducedDistance;
use crate::relatives::Relatives;
use crate::tree::{LEAF, Node, ROOT, Tree, weight_near};

/// Tells for each position of the tree whether its point is core, and the number of distances that it took.
///
/// A cell that weighs enough is all core. Other points count their neighbours leaf by leaf, until they have enough,
/// and from near to far: first the leaf itself, then the subtrees beside its ancestors, nearest relatives first. Those
/// that are out of reach are dropped on the way down, once for all leaves below; where what is left weighs too little,
/// nothing is core.
pub(crate) fn find<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    context: &Context,
) -> Result<(Vec<bool>, u64), Cancelled> {
    let leaf = |leaf: &Node<K, D>| {
        let mut sum = 0_u64;
        for position in leaf.range() {
            context.workers.check_every(position)?;
            sum = sum.saturating_add(tree.items[position].weight(context));
        }
        Ok(sum)
    };
    let counter = Counter { tree, context, weights: tree.fold(0, leaf, u64::saturating_add, context)? };
    let mut core = vec![false; tree.items.len()];
    let distances = counter.mark(ROOT, &Relatives::NONE, &mut core)?;
    Ok((core, distances))
}

struct Counter<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    context: &'a Context<'a>,
    weights: Vec<u64>,
}

/// The neighbours counted so far of the points of one leaf.
struct Count<'a, const K: usize, D> {
    leaf: &'a Node<K, D>,
    /// The weight of nodes all of whose points are neighbours of all points of the leaf.
    common: u64,
    /// The weight of the other neighbours found, for each of the leaf's points.
    own: [u64; LEAF],
    /// The number of distances that it took.
    distances: u64,
}

impl<const K: usize, D: ReducedDistance> Counter<'_, K, D> {
    /// Marks the core points below `node` in `core`, its range of all flags, which are false. Returns the
    /// number of distances that it took, as the others do.
    fn mark(&self, node: usize, relatives: &Relatives, core: &mut [bool]) -> Result<u64, Cancelled> {
        self.context.workers.check()?;
        let this = &self.tree.nodes[node];
        if self.weights[node] >= self.context.min_samples && this.is_cell(self.context) {
            core.fill(true);
            return Ok(0);
        }
        if self.weight_in_reach(node, relatives) < self.context.min_samples {
            return Ok(0);
        }
        if this.is_leaf() {
            return self.mark_leaf(node, relatives, core);
        }
        let [first, second] = self.tree.children(node);
        let beside_first = self.relatives_of(first, second, relatives);
        let beside_second = self.relatives_of(second, first, relatives);
        let points = core.len();
        let (in_first, in_second) = core.split_at_mut(self.tree.nodes[first].range().len());
        let (by_first, by_second) = self.context.workers.join(
            points,
            || self.mark(first, &beside_first, in_first),
            || self.mark(second, &beside_second, in_second),
        )?;
        Ok(by_first + by_second)
    }

    /// An upper bound of the weight of the neighbours of each point below `node`.
    fn weight_in_reach(&self, node: usize, relatives: &Relatives) -> u64 {
        relatives.iter().fold(self.weights[node], |sum, other| sum.saturating_add(self.weights[other]))
    }

    fn relatives_of(&self, node: usize, sibling: usize, relatives: &Relatives) -> Relatives {
        let bounds = &self.tree.nodes[node].bounds;
        relatives.of_child(sibling, |other| self.tree.nodes[other].bounds.least(bounds) <= self.context.reach)
    }

    fn mark_leaf(&self, leaf: usize, relatives: &Relatives, core: &mut [bool]) -> Result<u64, Cancelled> {
        let mut count = Count { leaf: &self.tree.nodes[leaf], common: 0, own: [0; LEAF], distances: 0 };
        for node in [leaf].into_iter().chain(relatives.iter().rev()) {
            if self.count(node, &mut count)? {
                core.fill(true);
                return Ok(count.distances);
            }
        }
        if core.len() > LEAF {
            // All are equal and were counted as one.
            core.fill(self.is_enough(count.own[0], count.common));
        } else {
            for (core, own) in core.iter_mut().zip(count.own) {
                *core = self.is_enough(own, count.common);
            }
        }
        Ok(count.distances)
    }

    #[inline]
    fn is_enough(&self, own: u64, common: u64) -> bool {
        own.saturating_add(common) >= self.context.min_samples
    }

    /// Counts the neighbours in `node`; returns whether all points of the leaf have enough by now.
    fn count(&self, node: usize, count: &mut Count<K, D>) -> Result<bool, Cancelled> {
        self.context.workers.check()?;
        let this = &self.tree.nodes[node];
        if this.bounds.most(&count.leaf.bounds) <= self.context.reach {
            count.common = count.common.saturating_add(self.weights[node]);
        } else if this.is_leaf() && this.span() <= LEAF {
            let items = &self.tree.items[this.range()];
            for (own, position) in count.own.iter_mut().zip(count.leaf.distinct()) {
                let at = &self.tree.items[position].at;
                if !self.is_enough(*own, count.common) && this.bounds.least_to(at) <= self.context.reach {
                    *own = own.saturating_add(weight_near::<K, D>(at, items, self.context));
                    count.distances += items.len() as u64;
                }
            }
        } else if this.is_leaf() || this.bounds.diagonal() <= count.leaf.bounds.diagonal() {
            // The box of the leaf is too coarse for this node: on with its points.
            for (own, position) in count.own.iter_mut().zip(count.leaf.distinct()) {
                if !self.is_enough(*own, count.common) {
                    let missing = self.context.min_samples - *own;
                    let near = self.weight_near(position, node, missing, &mut count.distances)?;
                    *own = own.saturating_add(near);
                }
            }
        } else {
            let to_leaf = |bounds: &Bounds<K, D>| bounds.least(&count.leaf.bounds);
            for &child in self.tree.children_near(node, self.context.reach, to_leaf).as_slice() {
                if self.count(child, count)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let points = count.leaf.distinct().len();
        for &own in &count.own[..points] {
            if !self.is_enough(own, count.common) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The weight of the neighbours of the point at `position` in a node, or a part of it that is at least `enough`.
    fn weight_near(
        &self,
        position: usize,
        node: usize,
        enough: u64,
        distances: &mut u64,
    ) -> Result<u64, Cancelled> {
        self.context.workers.check()?;
        let (at, this) = (&self.tree.items[position].at, &self.tree.nodes[node]);
        if this.bounds.least_to(at) > self.context.reach {
            return Ok(0);
        }
        if this.is_leaf() && this.span() <= LEAF {
            *distances += this.range().len() as u64;
            return Ok(weight_near::<K, D>(at, &self.tree.items[this.range()], self.context));
        }
        // Of many equal points in a leaf either all are neighbours or none, and those that are none are out of reach.
        if this.is_leaf() || this.bounds.most_to(at) <= self.context.reach {
            return Ok(self.weights[node]);
        }
        let mut weight = 0_u64;
        for &child in
            self.tree.children_near(node, self.context.reach, |bounds| bounds.least_to(at)).as_slice()
        {
            weight = weight.saturating_add(self.weight_near(position, child, enough - weight, distances)?);
            if weight >= enough {
                break;
            }
        }
        Ok(weight)
    }
}
