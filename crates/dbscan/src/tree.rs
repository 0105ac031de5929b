//! A kd-tree whose nodes have tight boxes.
//!
//! Every node is split across the widest side of its box, down to a handful of points, below the cells too: two large
//! cells are compared by their subtrees, not point by point. Equal points stay in one leaf, however many. Half of the
//! points go to each side, about half in the upper levels, so the tree is never deeper than [`DEPTH`]; see `build`.

use crate::bounds::{Bounds, reduced_distance};
use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::ReducedDistance;
use crate::points::Points;
use crate::select::Coordinates;

/// The most different points in a leaf.
pub(crate) const LEAF: usize = 16;

/// No node has more ancestors: there are 12 levels above the parts of `build`, and at most 28 more in each.
pub(crate) const DEPTH: usize = 40;

/// A point in the tree's own order, its features followed by zeros up to `K`: zeros at the end change no bit
/// of a distance.
#[derive(Clone, Copy)]
pub(crate) struct Item<const K: usize> {
    pub at: [f64; K],
    /// Its position in [`Points`].
    pub index: u32,
    /// Its weight, or [`HEAVY`] for that and more. It fills the padding of the struct, so it takes no memory.
    weight: u32,
}

const HEAVY: u32 = u32::MAX;

impl<const K: usize> Item<K> {
    pub(crate) const UNUSED: Self = Self { at: [0.0; K], index: 0, weight: 0 };

    pub(crate) fn all(points: &Points, context: &Context) -> Result<Vec<Self>, Cancelled> {
        let mut items = Vec::with_capacity(points.len());
        for i in 0..points.len() {
            context.workers.check_every(i)?;
            items.push(Self::new(points, i as u32, context));
        }
        Ok(items)
    }

    /// The box around some items.
    pub(crate) fn bounds<D: ReducedDistance>(
        items: &[Self],
        context: &Context,
    ) -> Result<Bounds<K, D>, Cancelled> {
        let mut bounds = Bounds::EMPTY;
        for block in items.chunks(1 << 16) {
            context.workers.check()?;
            for item in block {
                bounds.include(&item.at, &item.at);
            }
        }
        Ok(bounds)
    }

    #[inline]
    pub(crate) fn new(points: &Points, index: u32, context: &Context) -> Self {
        let row = points.point(index as usize);
        let mut at = [0.0; K];
        for (j, slot) in at.iter_mut().enumerate() {
            if let Some(&feature) = row.get(j) {
                *slot = feature;
            }
        }
        Self { at, index, weight: context.weight(index).min(u64::from(HEAVY)) as u32 }
    }

    /// The number of equal points that it stands for.
    #[inline]
    pub(crate) fn weight(&self, context: &Context) -> u64 {
        if self.weight == HEAVY { context.weight(self.index) } else { u64::from(self.weight) }
    }
}

impl<const K: usize> Coordinates for Item<K> {
    #[inline]
    fn coordinate(&self, axis: usize) -> f64 {
        self.at[axis]
    }
}

/// The weight of those of the items, not more than [`LEAF`], that are neighbours of a point.
///
/// It has no branch: near the border of a neighbourhood the processor can't predict which points are in.
#[inline]
pub(crate) fn weight_near<const K: usize, D: ReducedDistance>(
    at: &[f64; K],
    items: &[Item<K>],
    context: &Context,
) -> u64 {
    let mut sum = 0_u64;
    for item in items {
        let near = reduced_distance::<K, D>(at, &item.at) <= context.reach;
        sum += u64::from(item.weight & u32::from(near).wrapping_neg());
    }
    if sum < u64::from(HEAVY) {
        return sum;
    }
    let near = items.iter().filter(|item| reduced_distance::<K, D>(at, &item.at) <= context.reach);
    near.fold(0_u64, |sum, item| sum.saturating_add(item.weight(context)))
}

/// A node of the tree: the points that it covers and their box.
#[derive(Clone, Copy)]
pub(crate) struct Node<const K: usize, D> {
    pub bounds: Bounds<K, D>,
    start: u32,
    /// The end of the points that are in the tree still: those that are not core are set aside behind it.
    end: u32,
    /// The end of all points.
    whole_end: u32,
    /// The second child; the first one follows its parent. 0 in a leaf.
    second: u32,
}

impl<const K: usize, D: ReducedDistance> Node<K, D> {
    /// A node that covers no point.
    pub(crate) const UNUSED: Self = Self { bounds: Bounds::EMPTY, start: 0, end: 0, whole_end: 0, second: 0 };

    /// A leaf.
    pub(crate) fn leaf(bounds: Bounds<K, D>, start: usize, end: usize) -> Self {
        Self { bounds, start: start as u32, end: end as u32, whole_end: end as u32, second: 0 }
    }

    /// The parent of two nodes, of which `second_at` is the place of the second.
    pub(crate) fn parent(first: &Self, second: &Self, second_at: usize) -> Self {
        let mut parent = Self {
            bounds: Bounds::EMPTY,
            start: first.start,
            end: second.end,
            whole_end: second.whole_end,
            second: second_at as u32,
        };
        parent.merge(first, second);
        parent
    }

    /// Takes the box and the points of its children.
    fn merge(&mut self, first: &Self, second: &Self) {
        self.bounds = first.bounds;
        self.bounds.include(&second.bounds.low, &second.bounds.high);
        // The first and the last position are those of points of the tree.
        let (from, to) = match (first.is_empty(), second.is_empty()) {
            (false, true) => (first, first),
            (true, false) => (second, second),
            _ => (first, second),
        };
        self.start = from.start;
        self.end = if first.is_empty() && second.is_empty() { from.start } else { to.end };
    }

    #[inline]
    pub(crate) fn is_leaf(&self) -> bool {
        self.second == 0
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The number of positions that it covers, those set aside included.
    #[inline]
    pub(crate) fn span(&self) -> usize {
        (self.whole_end - self.start) as usize
    }

    /// The positions of its points. In a leaf that is all of them, else [`Tree::is_core`] has to be asked.
    #[inline]
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The positions of the points of a leaf that were set aside.
    #[inline]
    pub(crate) fn non_core(&self) -> std::ops::Range<usize> {
        self.end as usize..self.whole_end as usize
    }

    /// The positions of a leaf's points, of equal ones only the first: at most [`LEAF`].
    #[inline]
    pub(crate) fn distinct(&self) -> std::ops::Range<usize> {
        let range = self.range();
        if range.len() > LEAF { range.start..range.start + 1 } else { range }
    }

    /// Whether any two of its points are neighbours.
    #[inline]
    pub(crate) fn is_cell(&self, context: &Context) -> bool {
        self.bounds.diagonal() <= context.reach
    }
}

/// A kd-tree over points of `K` features.
pub(crate) struct Tree<const K: usize, D> {
    /// The points; every node covers a range of positions here.
    pub items: Vec<Item<K>>,
    /// A binary tree in preorder, complete below the parts of `build`, so that threads know their places before it is
    /// built. Nodes below equal points stay unused.
    pub nodes: Vec<Node<K, D>>,
    /// Whether the point at each position is core; empty where all are.
    pub core: Vec<bool>,
}

/// Some of the two children of a node, the nearer one first.
pub(crate) struct Children {
    nodes: [usize; 2],
    len: usize,
    /// The least bound of the other ones, infinite if there are none.
    pub beyond: f64,
}

impl Children {
    #[inline]
    pub(crate) fn as_slice(&self) -> &[usize] {
        &self.nodes[..self.len]
    }
}

/// The node that covers all points.
pub(crate) const ROOT: usize = 0;

impl<const K: usize, D: ReducedDistance> Tree<K, D> {
    /// The two children of a node that is no leaf.
    #[inline]
    pub(crate) fn children(&self, node: usize) -> [usize; 2] {
        [node + 1, self.nodes[node].second as usize]
    }

    /// The children of an inner node that have points and are within `reach` by this bound of reduced distances.
    #[inline]
    pub(crate) fn children_near(
        &self,
        parent: usize,
        reach: f64,
        bound: impl Fn(&Bounds<K, D>) -> f64,
    ) -> Children {
        let [first, second] = self.children(parent);
        let (x, y) = (&self.nodes[first], &self.nodes[second]);
        // NaN is not within anything.
        let to_first = if x.is_empty() { f64::NAN } else { bound(&x.bounds) };
        let to_second = if y.is_empty() { f64::NAN } else { bound(&y.bounds) };
        // The lesser of a number and NaN is the number.
        match (to_first <= reach, to_second <= reach) {
            (true, true) if to_second < to_first => {
                Children { nodes: [second, first], len: 2, beyond: f64::INFINITY }
            }
            (true, true) => Children { nodes: [first, second], len: 2, beyond: f64::INFINITY },
            (true, false) => Children { nodes: [first, 0], len: 1, beyond: to_second.min(f64::INFINITY) },
            (false, true) => Children { nodes: [second, 0], len: 1, beyond: to_first.min(f64::INFINITY) },
            (false, false) => {
                Children { nodes: [0, 0], len: 0, beyond: to_first.min(to_second).min(f64::INFINITY) }
            }
        }
    }

    /// At least `count` nodes, if there are as many, that together cover all points; cells are not cut.
    pub(crate) fn cut(&self, count: usize, context: &Context) -> Vec<usize> {
        let mut cut = vec![ROOT];
        while cut.len() < count {
            let mut deeper = Vec::with_capacity(2 * cut.len());
            for &node in &cut {
                if self.nodes[node].is_leaf() || self.nodes[node].is_cell(context) {
                    deeper.push(node);
                } else {
                    deeper.extend(self.children(node));
                }
            }
            if deeper.len() == cut.len() {
                break;
            }
            cut = deeper;
        }
        cut
    }

    /// Whether the point at a position is core, so that it was not set aside.
    #[inline]
    pub(crate) fn is_core(&self, position: usize) -> bool {
        self.core.get(position).is_none_or(|&core| core)
    }

    /// Leaves only the core points in the nodes, with boxes that are tight again. The other points stay behind those of
    /// their leaf, see [`Node::non_core`].
    pub(crate) fn set_non_core_aside(
        &mut self,
        mut core: Vec<bool>,
        context: &Context,
    ) -> Result<(), Cancelled> {
        if core.contains(&false) {
            set_aside(&mut self.nodes, ROOT, &mut self.items, &mut core, context)?;
            self.core = core;
        }
        Ok(())
    }

    /// Sets all points aside, so that [`Tree::take_in`] can take them in again. Each position has a key, by which it is told.
    pub(crate) fn set_all_aside(&mut self, context: &Context) -> Result<(), Cancelled> {
        self.core = vec![false; self.items.len()];
        for (i, node) in self.nodes.iter_mut().enumerate() {
            context.workers.check_every(i)?;
            (node.end, node.bounds) = (node.start, Bounds::EMPTY);
        }
        Ok(())
    }

    /// Takes in the points set aside that are core by their `keys`, one for each position, which move with the points.
    /// Points in the tree keep their positions. Marks the nodes that have more points now in `grown`.
    pub(crate) fn take_in<T: Send>(
        &mut self,
        keys: &mut [T],
        is_core: impl Fn(&T) -> bool + Sync,
        grown: &mut [bool],
        context: &Context,
    ) -> Result<(), Cancelled> {
        let part =
            Part { offset: ROOT, start: 0, nodes: &mut self.nodes, items: &mut self.items, keys, grown };
        part.take_in(&is_core, context)?;
        for (i, (core, key)) in self.core.iter_mut().zip(keys).enumerate() {
            context.workers.check_every(i)?;
            *core = is_core(key);
        }
        Ok(())
    }

    /// Computes a value for every node: of leaves by `leaf`, of others by `merge` from the values of their children.
    pub(crate) fn fold<T: Copy + Send + Sync>(
        &self,
        unused: T,
        leaf: impl Fn(&Node<K, D>) -> Result<T, Cancelled> + Sync,
        merge: impl Fn(T, T) -> T + Sync,
        context: &Context,
    ) -> Result<Vec<T>, Cancelled> {
        let mut values = vec![unused; self.nodes.len()];
        self.fold_below(ROOT, &mut values, &leaf, &merge, context)?;
        Ok(values)
    }

    /// [`Tree::fold`] for the subtree of a node, whose values these are.
    fn fold_below<T: Copy + Send + Sync>(
        &self,
        node: usize,
        values: &mut [T],
        leaf: &(impl Fn(&Node<K, D>) -> Result<T, Cancelled> + Sync),
        merge: &(impl Fn(T, T) -> T + Sync),
        context: &Context,
    ) -> Result<(), Cancelled> {
        let this = &self.nodes[node];
        if this.is_leaf() {
            context.workers.check()?;
            values[0] = leaf(this)?;
            return Ok(());
        }
        let [first, second] = self.children(node);
        let (value, below) = values.split_at_mut(1);
        let (in_first, in_second) = below.split_at_mut(second - first);
        context.workers.join(
            this.span(),
            || self.fold_below(first, in_first, leaf, merge, context),
            || self.fold_below(second, in_second, leaf, merge, context),
        )?;
        value[0] = merge(in_first[0], in_second[0]);
        Ok(())
    }
}

/// [`Tree::set_non_core_aside`] for the subtree of a node, whose nodes, items and flags these are.
fn set_aside<const K: usize, D: ReducedDistance>(
    nodes: &mut [Node<K, D>],
    offset: usize,
    items: &mut [Item<K>],
    core: &mut [bool],
    context: &Context,
) -> Result<(), Cancelled> {
    let (node, below) = nodes.split_at_mut(1);
    let this = &mut node[0];
    if this.is_leaf() {
        let mut kept = 0;
        for i in 0..items.len() {
            context.workers.check_every(i)?;
            if core[i] {
                items.swap(i, kept);
                core.swap(i, kept);
                kept += 1;
            }
        }
        this.bounds = Item::bounds(&items[..kept], context)?;
        this.end = this.start + kept as u32;
        return Ok(());
    }
    let first_at = offset + 1;
    let second_at = this.second as usize;
    let (first, second) = below.split_at_mut(second_at - first_at);
    let (first_items, second_items) = items.split_at_mut((second[0].start - this.start) as usize);
    let (first_core, second_core) = core.split_at_mut(first_items.len());
    context.workers.join(
        this.span(),
        || set_aside(first, first_at, first_items, first_core, context),
        || set_aside(second, second_at, second_items, second_core, context),
    )?;
    this.merge(&first[0], &second[0]);
    Ok(())
}

/// The subtree of a node, and the positions that it covers.
struct Part<'a, const K: usize, D, T> {
    offset: usize,
    start: usize,
    nodes: &'a mut [Node<K, D>],
    items: &'a mut [Item<K>],
    keys: &'a mut [T],
    grown: &'a mut [bool],
}

impl<const K: usize, D: ReducedDistance, T: Send> Part<'_, K, D, T> {
    /// [`Tree::take_in`] for the subtree.
    fn take_in(self, is_core: &(impl Fn(&T) -> bool + Sync), context: &Context) -> Result<(), Cancelled> {
        let Self { offset, start, nodes, items, keys, grown } = self;
        context.workers.check()?;
        let (node, below) = nodes.split_at_mut(1);
        let (grown, grown_below) = grown.split_at_mut(1);
        let this = &mut node[0];
        if this.is_leaf() {
            let before = this.range().len();
            let mut kept = before;
            for i in before..items.len() {
                context.workers.check_every(i)?;
                if is_core(&keys[i]) {
                    items.swap(i, kept);
                    keys.swap(i, kept);
                    kept += 1;
                }
            }
            grown[0] = kept > before;
            if grown[0] {
                this.bounds = Item::bounds(&items[..kept], context)?;
                this.end = this.start + kept as u32;
            }
            return Ok(());
        }
        let second_at = this.second as usize;
        let (first, second) = below.split_at_mut(second_at - offset - 1);
        let (grown_of_first, grown_of_second) = grown_below.split_at_mut(first.len());
        // The start of a node moves with its points, its end of all positions does not.
        let middle = first[0].whole_end as usize;
        let len = items.len();
        let (first_items, second_items) = items.split_at_mut(middle - start);
        let (first_keys, second_keys) = keys.split_at_mut(middle - start);
        let of_first = Part {
            offset: offset + 1,
            start,
            nodes: first,
            items: first_items,
            keys: first_keys,
            grown: grown_of_first,
        };
        let of_second = Part {
            offset: second_at,
            start: middle,
            nodes: second,
            items: second_items,
            keys: second_keys,
            grown: grown_of_second,
        };
        context.workers.join(
            len,
            || of_first.take_in(is_core, context),
            || of_second.take_in(is_core, context),
        )?;
        grown[0] = grown_of_first[0] || grown_of_second[0];
        if grown[0] {
            this.merge(&first[0], &second[0]);
        }
        Ok(())
    }
}
