//! Border points: points that are not core themselves, but near a core point.

use crate::bounds::{Bounds, reduced_distance};
use crate::components::Components;
use crate::context::Context;
use crate::error::Cancelled;
use crate::labels::LabelBuilder;
use crate::metric::ReducedDistance;
use crate::numbering::Numbering;
use crate::statistics::WorkCounters;
use crate::tree::{Item, LEAF, Node, ROOT, Tree};

/// Gives each point that was set aside the lowest-numbered cluster with a core point within eps, if there is one.
/// `labels` are those of the core points.
pub(crate) fn assign<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    labels: &LabelBuilder,
    context: &Context,
) -> Result<WorkCounters, Cancelled> {
    assign_of(tree, labels, |position| labels.cluster(tree.items[position].index), context)
}

/// The same, where components are at hand: points that lie together in memory are mostly in one, and their labels do not.
pub(crate) fn assign_by_components<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    labels: &LabelBuilder,
    components: &Components,
    numbering: &Numbering,
    context: &Context,
) -> Result<WorkCounters, Cancelled> {
    let of_component = |position| labels.cluster(numbering.first(components.root(position as u32)));
    assign_of(tree, labels, of_component, context)
}

/// `cluster` is that of the core point at a position.
fn assign_of<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    labels: &LabelBuilder,
    cluster: impl Fn(usize) -> i64 + Sync,
    context: &Context,
) -> Result<WorkCounters, Cancelled> {
    if tree.core.is_empty() || tree.nodes[ROOT].is_empty() {
        return Ok(WorkCounters::default());
    }
    let lowest_of_leaf = |leaf: &Node<K, D>| {
        let mut least = NONE;
        for position in leaf.range() {
            context.workers.check_every(position)?;
            least = least.min(cluster(position));
        }
        Ok(least)
    };
    let finder =
        Finder { tree, context, labels, lowest: tree.fold(NONE, lowest_of_leaf, i64::min, context)? };
    finder.assign_below(ROOT)
}

/// Above every cluster number.
const NONE: i64 = i64::MAX;

struct Finder<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    context: &'a Context<'a>,
    labels: &'a LabelBuilder,
    lowest: Vec<i64>,
}

/// Points and the lowest cluster found so far near each of them.
struct Search<'a, const K: usize, D> {
    group: &'a [Item<K>],
    bounds: Bounds<K, D>,
    found: &'a mut [i64],
    work: WorkCounters,
}

impl<const K: usize, D: ReducedDistance> Finder<'_, K, D> {
    fn assign_below(&self, node: usize) -> Result<WorkCounters, Cancelled> {
        let this = &self.tree.nodes[node];
        if !this.is_leaf() {
            let [first, second] = self.tree.children(node);
            let (first, second) = self.context.workers.join(
                this.span(),
                || self.assign_below(first),
                || self.assign_below(second),
            )?;
            return Ok(first + second);
        }
        // Equal points have equal neighbours.
        let all_equal = this.span() > LEAF;
        let non_core = &self.tree.items[this.non_core()];
        let group = if all_equal { &non_core[..1.min(non_core.len())] } else { non_core };
        if group.is_empty() {
            return Ok(WorkCounters::default());
        }
        let mut found = [NONE; LEAF];
        let found = &mut found[..group.len()];
        let bounds = Item::bounds(group, self.context)?;
        let mut search = Search { group, bounds, found, work: WorkCounters::default() };
        self.find(ROOT, &mut search)?;
        let Search { found, mut work, .. } = search;
        for (i, item) in non_core.iter().enumerate() {
            self.context.workers.check_every(i)?;
            let cluster = found[if all_equal { 0 } else { i }];
            if cluster != NONE {
                self.labels.set_border(item.index, cluster);
                work.borders += 1;
            }
        }
        Ok(work)
    }

    fn find(&self, node: usize, search: &mut Search<K, D>) -> Result<(), Cancelled> {
        self.context.workers.check()?;
        let (this, lowest) = (&self.tree.nodes[node], self.lowest[node]);
        if search.found.iter().all(|&cluster| cluster <= lowest)
            || search.bounds.least(&this.bounds) > self.context.reach
        {
            return Ok(());
        }
        if search.bounds.most(&this.bounds) <= self.context.reach {
            for cluster in search.found.iter_mut() {
                *cluster = lowest.min(*cluster);
            }
        } else if this.is_leaf() || this.bounds.diagonal() <= search.bounds.diagonal() {
            // The box of the group is too coarse for this node: on with its points.
            for (item, cluster) in search.group.iter().zip(search.found.iter_mut()) {
                self.find_near(&item.at, node, cluster, &mut search.work)?;
            }
        } else {
            for child in self.tree.children(node) {
                self.find(child, search)?;
            }
        }
        Ok(())
    }

    /// Lowers `cluster` to the lowest one with a core point near `at` in a node, if that is lower.
    fn find_near(
        &self,
        at: &[f64; K],
        node: usize,
        cluster: &mut i64,
        work: &mut WorkCounters,
    ) -> Result<(), Cancelled> {
        self.context.workers.check()?;
        let (this, lowest) = (&self.tree.nodes[node], self.lowest[node]);
        if lowest >= *cluster || this.bounds.least_to(at) > self.context.reach {
            return Ok(());
        }
        if this.bounds.most_to(at) <= self.context.reach {
            *cluster = lowest;
        } else if this.is_leaf() {
            work.distances += this.range().len() as u64;
            let neighbours = self.tree.items[this.range()].iter();
            for item in neighbours.filter(|item| reduced_distance::<K, D>(at, &item.at) <= self.context.reach)
            {
                *cluster = self.labels.cluster(item.index).min(*cluster);
            }
        } else {
            for child in self.tree.children(node) {
                self.find_near(at, child, cluster, work)?;
            }
        }
        Ok(())
    }
}
