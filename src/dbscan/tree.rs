//! A kd-tree whose nodes have tight boxes, and the distances of boxes that make pruning exact.
//!
//! Every node is split at its middle point along the widest side of its box, down to a handful of points, below the
//! cells too: two large cells are compared by their subtrees, not point by point. Equal points stay in one leaf,
//! however many. The shape depends on the number of points only, so the tree is never deeper than log2 of it.

use std::marker::PhantomData;

use super::metric::{ReducedDistance, greater, lesser};
use super::points::Points;
use super::select::select;
use super::{Cancelled, Run};

/// The most different points in a leaf.
pub(super) const LEAF: usize = 16;

/// A point in the tree's own order, its features followed by zeros up to `K`: zeros at the end change no bit
/// of a distance.
#[derive(Clone, Copy)]
pub(super) struct Item<const K: usize> {
    pub at: [f64; K],
    /// Its place in [`Points`].
    pub index: u32,
}

impl<const K: usize> Item<K> {
    pub(super) fn all(points: &Points, run: &Run) -> Result<Vec<Self>, Cancelled> {
        let mut items = Vec::with_capacity(points.len());
        for (i, row) in points.rows().enumerate() {
            run.check_every(i)?;
            let mut at = [0.0; K];
            at[..row.len()].copy_from_slice(row);
            items.push(Self { at, index: i as u32 });
        }
        Ok(items)
    }
}

/// The least box around some points, faces included, and its distances in the metric `D`.
#[derive(Clone, Copy)]
pub(super) struct Bounds<const K: usize, D> {
    low: [f64; K],
    high: [f64; K],
    metric: PhantomData<D>,
}

impl<const K: usize, D: ReducedDistance> Bounds<K, D> {
    /// Around no point.
    const EMPTY: Self = Self { low: [f64::INFINITY; K], high: [f64::NEG_INFINITY; K], metric: PhantomData };

    pub(super) fn around(items: &[Item<K>], run: &Run) -> Result<Self, Cancelled> {
        let mut bounds = Self::EMPTY;
        for block in items.chunks(1 << 16) {
            run.check()?;
            for item in block {
                bounds.include(&item.at, &item.at);
            }
        }
        Ok(bounds)
    }

    #[inline]
    fn include(&mut self, low: &[f64; K], high: &[f64; K]) {
        for j in 0..K {
            self.low[j] = lesser(self.low[j], low[j]);
            self.high[j] = greater(self.high[j], high[j]);
        }
    }

    #[inline]
    fn widest_axis(&self) -> usize {
        let width = |j: usize| self.high[j] - self.low[j];
        (1..K).fold(0, |widest, j| if width(j) > width(widest) { j } else { widest })
    }

    /// Whether all points in the box are equal.
    #[inline]
    fn is_point(&self) -> bool {
        self.low.iter().zip(&self.high).all(|(low, high)| low >= high)
    }

    /// No two points in the box have a greater reduced distance.
    #[inline]
    pub(super) fn diagonal(&self) -> f64 {
        reduced_distance::<K, D>(&self.low, &self.high)
    }

    /// No point of one box and point of the other have a smaller reduced distance.
    #[inline]
    pub(super) fn least(&self, other: &Self) -> f64 {
        self.least_between(&other.low, &other.high)
    }

    /// No point of one box and point of the other have a greater reduced distance.
    #[inline]
    pub(super) fn most(&self, other: &Self) -> f64 {
        self.most_between(&other.low, &other.high)
    }

    /// [`Bounds::least`] of the box around one point.
    #[inline]
    pub(super) fn least_to(&self, at: &[f64; K]) -> f64 {
        self.least_between(at, at)
    }

    /// [`Bounds::most`] of the box around one point.
    #[inline]
    pub(super) fn most_to(&self, at: &[f64; K]) -> f64 {
        self.most_between(at, at)
    }

    #[inline]
    fn least_between(&self, low: &[f64; K], high: &[f64; K]) -> f64 {
        let mut sum = 0.0;
        for j in 0..K {
            let gap = greater(self.low[j] - high[j], low[j] - self.high[j]);
            let gap = greater(gap, 0.0);
            sum = D::add(sum, gap);
        }
        sum
    }

    #[inline]
    fn most_between(&self, low: &[f64; K], high: &[f64; K]) -> f64 {
        let mut sum = 0.0;
        for j in 0..K {
            let span = greater(self.high[j] - low[j], high[j] - self.low[j]);
            sum = D::add(sum, span);
        }
        sum
    }
}

/// The reduced distance that decides who is a neighbour.
#[inline]
pub(super) fn reduced_distance<const K: usize, D: ReducedDistance>(a: &[f64; K], b: &[f64; K]) -> f64 {
    let mut sum = 0.0;
    for j in 0..K {
        sum = D::add(sum, a[j] - b[j]);
    }
    sum
}

/// A node of the tree: the points that it covers and their box.
#[derive(Clone, Copy)]
pub(super) struct Node<const K: usize, D> {
    pub bounds: Bounds<K, D>,
    start: u32,
    end: u32,
    /// The second child; the first one follows its parent. 0 in a leaf.
    second: u32,
}

impl<const K: usize, D: ReducedDistance> Node<K, D> {
    const UNUSED: Self = Self { bounds: Bounds::EMPTY, start: 0, end: 0, second: 0 };

    #[inline]
    pub(super) fn is_leaf(&self) -> bool {
        self.second == 0
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The positions of its points.
    #[inline]
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The positions of a leaf's points, of equal ones only the first: at most [`LEAF`].
    #[inline]
    pub(super) fn distinct(&self) -> std::ops::Range<usize> {
        let range = self.range();
        if range.len() > LEAF { range.start..range.start + 1 } else { range }
    }

    /// Whether any two of its points are neighbours.
    #[inline]
    pub(super) fn is_cell(&self, run: &Run) -> bool {
        self.bounds.diagonal() <= run.reach
    }
}

/// A kd-tree over points of `K` features.
pub(super) struct Tree<const K: usize, D> {
    /// The points; every node covers a range of positions here.
    pub items: Vec<Item<K>>,
    /// A complete binary tree in preorder, so that threads know their places before it is built. Nodes below equal
    /// points stay unused.
    pub nodes: Vec<Node<K, D>>,
}

/// The node that covers all points.
pub(super) const ROOT: usize = 0;

impl<const K: usize, D: ReducedDistance> Tree<K, D> {
    /// A tree over at least one point.
    pub(super) fn build(points: &Points, run: &Run) -> Result<Self, Cancelled> {
        let mut items = Item::all(points, run)?;
        let mut nodes = vec![Node::UNUSED; slots(items.len())];
        grow(&mut nodes, ROOT, &mut items, 0, run)?;
        Ok(Self { items, nodes })
    }

    /// The two children of a node that is no leaf.
    #[inline]
    pub(super) fn children(&self, node: usize) -> [usize; 2] {
        [node + 1, self.nodes[node].second as usize]
    }

    /// The children of an inner node that have points and are within `reach` by this bound of reduced distances,
    /// the nearer one first.
    #[inline]
    pub(super) fn children_near(
        &self,
        parent: usize,
        reach: f64,
        bound: impl Fn(&Bounds<K, D>) -> f64,
    ) -> impl Iterator<Item = usize> {
        let [first, second] = self.children(parent).map(|child| {
            let node = &self.nodes[child];
            // NaN is not within anything.
            (if node.is_empty() { f64::NAN } else { bound(&node.bounds) }, child)
        });
        let ordered = if second.0 < first.0 { [second, first] } else { [first, second] };
        ordered.into_iter().filter(move |&(bound, _)| bound <= reach).map(|(_, child)| child)
    }

    /// At least `count` nodes, if there are so many, that together cover all points; cells are not cut.
    pub(super) fn cut(&self, count: usize, run: &Run) -> Vec<usize> {
        let mut cut = vec![ROOT];
        while cut.len() < count {
            let mut deeper = Vec::with_capacity(2 * cut.len());
            for &node in &cut {
                if self.nodes[node].is_leaf() || self.nodes[node].is_cell(run) {
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

    /// Leaves only the core points in the tree, in boxes that are tight again, and returns the other points.
    pub(super) fn split_off_others(&mut self, core: &[bool], run: &Run) -> Result<Vec<Item<K>>, Cancelled> {
        let mut others = Vec::with_capacity(core.iter().filter(|&&core| !core).count());
        let mut kept = 0;
        for node in 0..self.nodes.len() {
            if !self.nodes[node].is_leaf() || self.nodes[node].is_empty() {
                continue;
            }
            let range = self.nodes[node].range();
            let start = kept;
            let mut bounds = Bounds::EMPTY;
            for position in range {
                run.check_every(position)?;
                let item = self.items[position];
                if core[position] {
                    bounds.include(&item.at, &item.at);
                    self.items[kept] = item;
                    kept += 1;
                } else {
                    others.push(item);
                }
            }
            self.nodes[node] = Node { bounds, start: start as u32, end: kept as u32, second: 0 };
        }
        self.items.truncate(kept);
        if others.is_empty() {
            return Ok(others);
        }
        for node in (0..self.nodes.len()).rev() {
            run.check_every(node)?;
            if self.nodes[node].is_leaf() {
                continue;
            }
            let [first, second] = self.children(node).map(|child| self.nodes[child]);
            let mut bounds = first.bounds;
            bounds.include(&second.bounds.low, &second.bounds.high);
            self.nodes[node] = Node { bounds, start: first.start, end: second.end, ..self.nodes[node] };
        }
        Ok(others)
    }
}

/// The nodes of a complete tree over `len` points, at most [`LEAF`] in each leaf.
fn slots(len: usize) -> usize {
    let leaves = len.div_ceil(LEAF).next_power_of_two();
    2 * leaves - 1
}

/// Builds the subtree of `items` in `nodes`, its own part of all nodes, which starts at node `offset`; the items
/// start at position `start`.
fn grow<const K: usize, D: ReducedDistance>(
    nodes: &mut [Node<K, D>],
    offset: usize,
    items: &mut [Item<K>],
    start: usize,
    run: &Run,
) -> Result<(), Cancelled> {
    let bounds = Bounds::around(items, run)?;
    let len = items.len();
    let middle = len / 2;
    let inner = nodes.len() > 1 && !bounds.is_point();
    let (node, below) = nodes.split_at_mut(1);
    let (first, second) = below.split_at_mut(below.len() / 2);
    let second_at = offset + 1 + first.len();
    node[0] = Node {
        bounds,
        start: start as u32,
        end: (start + items.len()) as u32,
        second: if inner { second_at as u32 } else { 0 },
    };
    if !inner {
        return Ok(());
    }
    select(items, middle, bounds.widest_axis(), run)?;
    let (smaller, larger) = items.split_at_mut(middle);
    run.join(
        len,
        || grow(first, offset + 1, smaller, start, run),
        || grow(second, second_at, larger, start + middle, run),
    )
}
