//! Building the kd-tree: first coarsely, all points at once, then each part on its own.
//!
//! Splitting level by level moves all points through memory at every level, and finding the middle point takes several
//! passes. So the planes of the upper levels are taken from a *sample*, every point is dealt to its part below them in
//! one go, as in a sample sort (Frazer, `McKellar`: *Samplesort*, JACM 1970), and what is left of the tree is built in
//! parts that fit a processor's cache, each plane through the middle point. Where the sample puts the planes decides how
//! balanced the tree is, and nothing else: boxes are made from the points.
//!
//! Dealing takes O(n) steps of at most 12 levels, the rest O(n log n) for n points.

use std::ops::Range;

use rayon::prelude::*;

use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::ReducedDistance;
use crate::points::Points;
use crate::select::select;
use crate::tree::{Item, LEAF, Node, Tree};

/// The most parts: 12 levels.
const PARTS: usize = 1 << 12;

/// No part is planned for fewer points.
pub(crate) const PART: usize = 256;

/// The points of the sample for each part: 16 keep the sizes of parts within a factor of about 2.
const SAMPLE: usize = 16;

/// The most blocks that points are dealt in; each counts the points for every part.
const BLOCKS: usize = 256;

/// The points that look for their parts at once.
const LANES: usize = 8;

/// The least points of a block, if there are as many.
const BLOCK: usize = 1 << 15;

/// The bytes that are filled at a time: some 10 ms.
const FILLED: usize = 1 << 25;

/// Builds the tree over at least one point.
pub(crate) fn build<const K: usize, D: ReducedDistance>(
    points: &Points,
    context: &Context,
) -> Result<Tree<K, D>, Cancelled> {
    let planes = Planes::<K>::of_sample::<D>(points, context)?;
    let mut items = filled(Item::UNUSED, points.len(), context)?;
    let parts = planes.deal(points, &mut items, context)?;
    let mut nodes = filled(Node::UNUSED, parts.slots(0..planes.len()), context)?;
    grow_parts(&mut nodes, 0, &mut items, 0, &parts, 0..planes.len(), context)?;
    Ok(Tree { items, nodes, core: Vec::new() })
}

/// `vec!`, but fresh memory is touched first by all threads together, and a cancelled call stops soon.
pub(crate) fn filled<T: Copy + Send + Sync>(
    value: T,
    len: usize,
    context: &Context,
) -> Result<Vec<T>, Cancelled> {
    let mut values = Vec::with_capacity(len);
    while values.len() < len {
        context.workers.check()?;
        let more = FILLED.div_ceil(size_of::<T>()).min(len - values.len());
        if context.workers.parallel {
            values.par_extend(rayon::iter::repeat_n(value, more));
        } else {
            values.resize(values.len() + more, value);
        }
    }
    Ok(values)
}

/// The number of parts that `points` points are dealt to, a power of 2.
fn parts(points: usize, context: &Context) -> usize {
    let parts = points / PART.min(context.workers.parallel_from.saturating_mul(2));
    if parts < 2 || !context.workers.share(points) { 1 } else { (1 << parts.ilog2()).min(PARTS) }
}

/// The planes of the upper levels: a complete binary tree whose root is 1 and where 2i and 2i + 1 follow i.
struct Planes<const K: usize> {
    /// The axis of each plane and the coordinate on it: points there or above go to the second child.
    planes: Vec<(usize, f64)>,
}

impl<const K: usize> Planes<K> {
    fn of_sample<D: ReducedDistance>(points: &Points, context: &Context) -> Result<Self, Cancelled> {
        let parts = parts(points.len(), context);
        let size = (SAMPLE * parts).min(points.len());
        let stride = points.len() / size;
        // Somewhere in each stride, so that a period in the order of the points makes no difference.
        let place = |i: usize| i * stride + (i.wrapping_mul(0x9E37_79B9) >> 7) % stride;
        let mut sample: Vec<_> = (0..size).map(|i| Item::new(points, place(i) as u32, context)).collect();
        let mut planes = Self { planes: vec![(0, f64::INFINITY); parts] };
        planes.split::<D>(1, &mut sample, context)?;
        Ok(planes)
    }

    /// Sets the planes from number `plane` down.
    fn split<D: ReducedDistance>(
        &mut self,
        plane: usize,
        sample: &mut [Item<K>],
        context: &Context,
    ) -> Result<(), Cancelled> {
        if plane >= self.planes.len() || sample.is_empty() {
            return Ok(());
        }
        let bounds = Item::bounds::<D>(sample, context)?;
        let axis = bounds.widest_axis();
        let middle = sample.len() / 2;
        select(sample, middle, axis, &context.workers)?;
        let mut at = sample[middle].at[axis];
        let below = |sample: &[Item<K>], at: f64| sample.iter().filter(|item| item.at[axis] < at).count();
        if below(sample, at) == 0 {
            // Half of them share the least coordinate: then they are the first half.
            let above = sample.iter().map(|item| item.at[axis]).filter(|&other| other > at);
            at = above.fold(f64::INFINITY, f64::min);
        }
        self.planes[plane] = (axis, at);
        let first = below(sample, at);
        select(sample, first.min(sample.len() - 1), axis, &context.workers)?;
        let (first, second) = sample.split_at_mut(first);
        self.split::<D>(2 * plane, first, context)?;
        self.split::<D>(2 * plane + 1, second, context)
    }

    /// The parts of some points. Their ways down the planes are independent, so a processor takes them at the same time.
    #[inline]
    fn parts(&self, points: &[[f64; K]; LANES]) -> [u16; LANES] {
        let mut planes = [1; LANES];
        for _ in 0..self.len().ilog2() {
            for i in 0..LANES {
                let (axis, place) = self.planes[planes[i]];
                planes[i] = 2 * planes[i] + usize::from(points[i][axis] >= place);
            }
        }
        let mut parts = [0; LANES];
        for i in 0..LANES {
            parts[i] = (planes[i] - self.len()) as u16;
        }
        parts
    }

    /// The number of parts that they make.
    fn len(&self) -> usize {
        self.planes.len()
    }

    /// Deals all points to their parts in `items`.
    ///
    /// A counting sort: threads count in blocks of points how many go to each part, and then each block has a place of
    /// its own in every part.
    fn deal(&self, points: &Points, items: &mut [Item<K>], context: &Context) -> Result<Parts, Cancelled> {
        let len = points.len();
        let size = len.div_ceil(BLOCKS).max(BLOCK);
        let range = |i: usize| i * size..len.min((i + 1) * size);
        let blocks: Vec<_> = (0..len.div_ceil(size))
            .into_par_iter()
            .map(|i| self.parts_of(points, range(i), context))
            .collect::<Result<_, _>>()?;
        let mut places: Vec<_> = blocks.iter().map(|_| Vec::with_capacity(self.len())).collect();
        let mut ends = Vec::with_capacity(self.len());
        let mut rest = items;
        for part in 0..self.len() {
            for (block, places) in blocks.iter().zip(&mut places) {
                let (place, behind) = rest.split_at_mut(block.counts[part] as usize);
                places.push(place.iter_mut());
                rest = behind;
            }
            ends.push(len - rest.len());
        }
        let blocks = blocks.into_par_iter().zip(places).enumerate();
        blocks.try_for_each(|(i, (block, mut places))| {
            for (i, part) in range(i).zip(block.part_of) {
                context.workers.check_every(i)?;
                if let Some(place) = places[usize::from(part)].next() {
                    *place = Item::new(points, i as u32, context);
                }
            }
            Ok(())
        })?;
        Ok(Parts { ends })
    }

    /// The parts of a block of points.
    fn parts_of(&self, points: &Points, block: Range<usize>, context: &Context) -> Result<Block, Cancelled> {
        let mut part_of = Vec::with_capacity(block.len() + LANES);
        let mut counts = vec![0; self.len()];
        for start in block.clone().step_by(LANES) {
            context.workers.check_every(start)?;
            let lanes = LANES.min(block.end - start);
            let mut at = [[0.0; K]; LANES];
            for (i, at) in at.iter_mut().enumerate().take(lanes) {
                *at = Item::new(points, (start + i) as u32, context).at;
            }
            let parts = self.parts(&at);
            for &part in &parts[..lanes] {
                counts[usize::from(part)] += 1;
            }
            part_of.extend_from_slice(&parts[..lanes]);
        }
        Ok(Block { part_of, counts })
    }
}

/// The parts of consecutive points.
struct Block {
    /// The part of each point.
    part_of: Vec<u16>,
    /// The number of points that go to each part.
    counts: Vec<u32>,
}

/// All points after they were dealt to parts.
struct Parts {
    /// The end of each part among all points.
    ends: Vec<usize>,
}

impl Parts {
    fn start(&self, part: usize) -> usize {
        part.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The nodes of a tree over some parts.
    fn slots(&self, parts: Range<usize>) -> usize {
        let above = parts.len() - 1;
        parts.map(|part| slots(self.ends[part] - self.start(part))).sum::<usize>() + above
    }
}

/// The nodes of a complete tree over `len` points, at most [`LEAF`] in each leaf.
fn slots(len: usize) -> usize {
    let leaves = len.div_ceil(LEAF).next_power_of_two();
    2 * leaves - 1
}

/// Builds the tree of `parts` in `nodes`, its own part of all nodes, which starts at node `offset`; the items of the
/// parts start at position `start`.
fn grow_parts<const K: usize, D: ReducedDistance>(
    nodes: &mut [Node<K, D>],
    offset: usize,
    items: &mut [Item<K>],
    start: usize,
    dealt: &Parts,
    parts: Range<usize>,
    context: &Context,
) -> Result<(), Cancelled> {
    if parts.len() < 2 {
        return grow(nodes, offset, items, start, context);
    }
    let middle_part = parts.start + parts.len() / 2;
    let middle = dealt.start(middle_part);
    let (node, below) = nodes.split_at_mut(1);
    let (first, second) = below.split_at_mut(dealt.slots(parts.start..middle_part));
    let second_at = offset + 1 + first.len();
    let len = items.len();
    let (smaller, larger) = items.split_at_mut(middle - start);
    context.workers.join(
        len,
        || grow_parts(first, offset + 1, smaller, start, dealt, parts.start..middle_part, context),
        || grow_parts(second, second_at, larger, middle, dealt, middle_part..parts.end, context),
    )?;
    node[0] = Node::parent(&first[0], &second[0], second_at);
    Ok(())
}

/// Builds the tree of one part, or of a piece of it.
fn grow<const K: usize, D: ReducedDistance>(
    nodes: &mut [Node<K, D>],
    offset: usize,
    items: &mut [Item<K>],
    start: usize,
    context: &Context,
) -> Result<(), Cancelled> {
    let bounds = Item::bounds(items, context)?;
    let len = items.len();
    if nodes.len() == 1 || bounds.is_point() {
        nodes[0] = Node::leaf(bounds, start, start + len);
        return Ok(());
    }
    let middle = len / 2;
    let (node, below) = nodes.split_at_mut(1);
    let (first, second) = below.split_at_mut(below.len() / 2);
    let second_at = offset + 1 + first.len();
    select(items, middle, bounds.widest_axis(), &context.workers)?;
    let (smaller, larger) = items.split_at_mut(middle);
    context.workers.join(
        len,
        || grow(first, offset + 1, smaller, start, context),
        || grow(second, second_at, larger, start + middle, context),
    )?;
    node[0] = Node::parent(&first[0], &second[0], second_at);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::Bounds;
    use crate::metric::Euclidean;
    use crate::tree::{DEPTH, ROOT};
    use crate::workers::Workers;
    use crate::{Control, Error, Params};

    /// Checks a node and all below it: boxes are tight, and children share the positions of their parent, which are
    /// returned.
    fn checked_range(tree: &Tree<2, Euclidean>, node: usize, depth: usize) -> Range<usize> {
        assert!(depth <= DEPTH);
        let this = &tree.nodes[node];
        let items = &tree.items[this.range()];
        for item in items {
            assert!(this.bounds.least_to(&item.at) <= 0.0);
        }
        let tight = items.iter().fold(Bounds::<2, Euclidean>::EMPTY, |mut bounds, item| {
            bounds.include(&item.at, &item.at);
            bounds
        });
        // The box is as far from points outside as the tightest one, so it is not larger.
        for outside in [[-1e9, -1e9], [1e10, 1e10], [-1e9, 1e10]] {
            assert!(items.is_empty() || tight.least_to(&outside) <= this.bounds.least_to(&outside));
        }
        if this.is_leaf() {
            assert!(items.len() <= LEAF || this.bounds.is_point());
        } else {
            let [first, second] = tree.children(node).map(|child| checked_range(tree, child, depth + 1));
            assert_eq!(
                (first.start, first.end, second.end),
                (this.range().start, second.start, this.range().end)
            );
        }
        this.range()
    }

    #[test]
    fn every_point_has_its_leaf() -> Result<(), Error> {
        let len = 50_000_u32;
        let random = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 8);
        let shapes: [&dyn Fn(u32) -> [f64; 2]; 6] = [
            &|i| [random(i), random(i + len)],
            &|i| [f64::from(i), 0.0],
            &|_| [1.0, 2.0],
            &|i| [f64::from(i % 3), f64::from(i % 2)],
            // Most of them on one line, and powers of 2 of all sizes.
            &|i| [if i % 10 == 0 { random(i) } else { 0.0 }, random(i)],
            &|i| [0.5_f64.powi((i % 1000) as i32), 2.0_f64.powi((i / 1000) as i32)],
        ];
        let params = Params::try_new(1.0, 2)?;
        for shape in shapes {
            let points = Points::from_rows((0..len).flat_map(shape).collect(), 2)?;
            for parallel_from in [1, 100, usize::MAX] {
                let control = Control::default().with_parallel_from(parallel_from);
                let workers = Workers::new(points.len(), &control);
                let context = Context::new(&points, &params, workers);
                let tree: Tree<2, Euclidean> = build(&points, &context)?;
                assert_eq!(checked_range(&tree, ROOT, 1), 0..points.len());
                let mut seen: Vec<_> = tree.items.iter().map(|item| item.index).collect();
                seen.sort_unstable();
                assert!(seen.into_iter().eq(0..len));
                assert!(
                    parallel_from < 100 || tree.nodes.len() <= points.len() * (PART + 16) / (4 * PART) + 4
                );
            }
        }
        Ok(())
    }
}
