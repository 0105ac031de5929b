//! Numbers of clusters from one eps to the next: only components that have grown are looked at.
//!
//! Clusters are numbered in the order of their first core points. So each core point knows a core point of its component that is
//! not behind it: itself, as long as it is the first of its component. When components are joined, the first of one of them learns
//! of that of the other, and no other point has to. One pass over the points, in their order, then numbers all: the point that
//! a point knows has its number already.
//!
//! Points and positions are those of the tree, so no index leads out of a vector.
//!
//! All joins of all eps together take O(n) steps, and each eps takes one pass that reads and writes memory in order.

use crate::build;
use crate::components::Components;
use crate::context::Context;
use crate::error::Cancelled;
use crate::labels::LabelBuilder;
use crate::metric::ReducedDistance;
use crate::tree::Tree;

/// The place of a point that is not core, and of a position that was not core before.
pub(crate) const NONE: u32 = u32::MAX;

/// The components of core points by the first point of each.
pub(crate) struct Numbering {
    /// For each point a core point of its component that is not behind it, or [`NONE`].
    known: Vec<u32>,
    /// For each position that is the root of a component, the first point of that.
    first: Vec<u32>,
    /// The positions that were roots when components were last looked at.
    roots: Vec<u32>,
}

impl Numbering {
    /// No point is core.
    pub(crate) fn new(points: usize, context: &Context) -> Result<Self, Cancelled> {
        let [known, first] = [build::filled(NONE, points, context)?, build::filled(NONE, points, context)?];
        Ok(Self { known, first, roots: Vec::with_capacity(points) })
    }

    /// Takes in the points at all positions, for a `min_samples` of at most 2. With 2 a point that is alone is core by its own
    /// weight, or not at all.
    pub(crate) fn add_all<const K: usize, D: ReducedDistance>(
        &mut self,
        tree: &Tree<K, D>,
        labels: &mut LabelBuilder,
        context: &Context,
    ) -> Result<(), Cancelled> {
        for (position, item) in tree.items.iter().enumerate() {
            context.workers.check_every(position)?;
            self.first[position] = item.index;
            self.roots.push(position as u32);
            if item.weight(context) >= context.min_samples {
                self.make_core(item.index, labels);
            }
        }
        Ok(())
    }

    /// Takes in the core points that the nodes that have `grown` have now and had not before.
    pub(crate) fn add_new<const K: usize, D: ReducedDistance>(
        &mut self,
        tree: &Tree<K, D>,
        grown: &[bool],
        labels: &mut LabelBuilder,
        context: &Context,
    ) -> Result<(), Cancelled> {
        for (i, (node, &grown)) in tree.nodes.iter().zip(grown).enumerate() {
            context.workers.check_every(i)?;
            if grown && node.is_leaf() {
                for position in node.range() {
                    context.workers.check_every(position)?;
                    if self.first[position] == NONE {
                        let point = tree.items[position].index;
                        self.first[position] = point;
                        self.roots.push(position as u32);
                        self.make_core(point, labels);
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks at the roots that are none any more.
    pub(crate) fn join(
        &mut self,
        components: &Components,
        labels: &mut LabelBuilder,
        context: &Context,
    ) -> Result<(), Cancelled> {
        let mut roots = std::mem::take(&mut self.roots);
        let mut kept = 0;
        for i in 0..roots.len() {
            context.workers.check_every(i)?;
            let position = roots[i];
            let root = components.root(position);
            if root == position {
                roots[kept] = position;
                kept += 1;
                continue;
            }
            let (a, b) = (self.first[position as usize], self.first[root as usize]);
            let (first, other) = if a < b { (a, b) } else { (b, a) };
            self.make_core(first, labels);
            self.make_core(other, labels);
            self.known[other as usize] = first;
            self.first[root as usize] = first;
        }
        roots.truncate(kept);
        self.roots = roots;
        Ok(())
    }

    /// Numbers the clusters of all core points; the others are noise.
    pub(crate) fn number(&self, labels: &mut LabelBuilder, context: &Context) -> Result<(), Cancelled> {
        labels.renumber(&self.known, context)
    }

    /// The first point of the component with this root.
    #[inline]
    pub(crate) fn first(&self, root: u32) -> u32 {
        self.first[root as usize]
    }

    /// Makes a point core, if it is not yet.
    #[inline]
    fn make_core(&mut self, point: u32, labels: &mut LabelBuilder) {
        let known = &mut self.known[point as usize];
        if *known == NONE {
            *known = point;
            labels.make_core(point);
        }
    }
}
