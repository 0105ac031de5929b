//! Border points: not core themselves, but near a core point.

use super::bounds::{Bounds, reduced_distance};
use super::labels::Draft;
use super::metric::ReducedDistance;
use super::statistics::Tally;
use super::tree::{Item, LEAF, Node, ROOT, Tree};
use super::{Cancelled, Run};

/// Gives each point that was set aside the lowest-numbered cluster with a core point within eps, if there is one.
/// `labels` are those of the core points.
pub(super) fn assign<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    labels: &Draft,
    run: &Run,
) -> Result<Tally, Cancelled> {
    if tree.core.is_empty() || tree.nodes[ROOT].is_empty() {
        return Ok(Tally::default());
    }
    let lowest_of_leaf = |leaf: &Node<K, D>| {
        let mut least = NONE;
        for position in leaf.range() {
            run.workers.check_every(position)?;
            least = least.min(labels.cluster(tree.items[position].index));
        }
        Ok(least)
    };
    let finder = Finder { tree, run, labels, lowest: tree.fold(NONE, lowest_of_leaf, i64::min, run)? };
    finder.assign_below(ROOT)
}

/// Above every cluster number.
const NONE: i64 = i64::MAX;

struct Finder<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    run: &'a Run<'a>,
    labels: &'a Draft,
    lowest: Vec<i64>,
}

/// Points and the lowest cluster found so far near each of them.
struct Search<'a, const K: usize, D> {
    group: &'a [Item<K>],
    bounds: Bounds<K, D>,
    found: &'a mut [i64],
    tally: Tally,
}

impl<const K: usize, D: ReducedDistance> Finder<'_, K, D> {
    fn assign_below(&self, node: usize) -> Result<Tally, Cancelled> {
        let this = &self.tree.nodes[node];
        if !this.is_leaf() {
            let [first, second] = self.tree.children(node);
            let (first, second) = self.run.workers.join(
                this.span(),
                || self.assign_below(first),
                || self.assign_below(second),
            )?;
            return Ok(first + second);
        }
        // Equal points have equal neighbours.
        let all_equal = this.span() > LEAF;
        let others = &self.tree.items[this.others()];
        let group = if all_equal { &others[..1.min(others.len())] } else { others };
        if group.is_empty() {
            return Ok(Tally::default());
        }
        let mut found = [NONE; LEAF];
        let found = &mut found[..group.len()];
        let bounds = Bounds::around(group, self.run)?;
        let mut search = Search { group, bounds, found, tally: Tally::default() };
        self.find(ROOT, &mut search)?;
        let Search { found, mut tally, .. } = search;
        for (i, item) in others.iter().enumerate() {
            self.run.workers.check_every(i)?;
            let cluster = found[if all_equal { 0 } else { i }];
            if cluster != NONE {
                self.labels.set_border(item.index, cluster);
                tally.borders += 1;
            }
        }
        Ok(tally)
    }

    fn find(&self, node: usize, search: &mut Search<K, D>) -> Result<(), Cancelled> {
        self.run.workers.check()?;
        let (this, lowest) = (&self.tree.nodes[node], self.lowest[node]);
        if search.found.iter().all(|&cluster| cluster <= lowest)
            || search.bounds.least(&this.bounds) > self.run.reach
        {
            return Ok(());
        }
        if search.bounds.most(&this.bounds) <= self.run.reach {
            for cluster in search.found.iter_mut() {
                *cluster = lowest.min(*cluster);
            }
        } else if this.is_leaf() || this.bounds.diagonal() <= search.bounds.diagonal() {
            // The box of the group is too coarse for this node: on with its points.
            for (item, cluster) in search.group.iter().zip(search.found.iter_mut()) {
                self.find_near(&item.at, node, cluster, &mut search.tally)?;
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
        tally: &mut Tally,
    ) -> Result<(), Cancelled> {
        self.run.workers.check()?;
        let (this, lowest) = (&self.tree.nodes[node], self.lowest[node]);
        if lowest >= *cluster || this.bounds.least_to(at) > self.run.reach {
            return Ok(());
        }
        if this.bounds.most_to(at) <= self.run.reach {
            *cluster = lowest;
        } else if this.is_leaf() {
            tally.distances += this.range().len() as u64;
            let neighbours = self.tree.items[this.range()].iter();
            for item in neighbours.filter(|item| reduced_distance::<K, D>(at, &item.at) <= self.run.reach) {
                *cluster = self.labels.cluster(item.index).min(*cluster);
            }
        } else {
            for child in self.tree.children(node) {
                self.find_near(at, child, cluster, tally)?;
            }
        }
        Ok(())
    }
}
