//! Border points: not core themselves, but near a core point.

use rayon::prelude::*;

use super::labels::Labels;
use super::metric::ReducedDistance;
use super::tree::{Bounds, Item, ROOT, Tree, reduced_distance};
use super::{Cancelled, Run};

/// Points looked up together: in the order of the tree they are near each other.
const GROUP: usize = 8;

/// Gives each of `others` the lowest-numbered cluster with a core point within eps, if there is one. `tree` holds the
/// core points, `labels` their clusters; the others are in the tree's order too.
pub(super) fn assign<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    others: &[Item<K>],
    labels: &mut Labels,
    run: &Run,
) -> Result<(), Cancelled> {
    if others.is_empty() || tree.items.is_empty() {
        return Ok(());
    }
    let finder = Finder { tree, run, labels, lowest: lowest_clusters(tree, labels, run)? };
    let mut found = vec![NONE; others.len()];
    if run.parallel {
        let groups = others.par_chunks(GROUP).zip(found.par_chunks_mut(GROUP));
        groups.try_for_each(|(group, found)| finder.find_group(group, found))?;
    } else {
        let mut groups = others.chunks(GROUP).zip(found.chunks_mut(GROUP));
        groups.try_for_each(|(group, found)| finder.find_group(group, found))?;
    }
    for (other, &cluster) in others.iter().zip(&found).filter(|&(_, &cluster)| cluster != NONE) {
        labels.set_border(other.index, cluster);
    }
    Ok(())
}

/// Above every cluster number.
const NONE: i64 = i64::MAX;

/// The lowest cluster in each node.
fn lowest_clusters<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    labels: &Labels,
    run: &Run,
) -> Result<Vec<i64>, Cancelled> {
    let mut lowest = vec![NONE; tree.nodes.len()];
    for node in (0..tree.nodes.len()).rev() {
        let this = &tree.nodes[node];
        lowest[node] = if this.is_leaf() {
            let mut least = NONE;
            for position in this.range() {
                run.check_every(position)?;
                least = least.min(labels.cluster(tree.items[position].index as usize));
            }
            least
        } else {
            let [first, second] = tree.children(node);
            lowest[first].min(lowest[second])
        };
    }
    Ok(lowest)
}

struct Finder<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    run: &'a Run<'a>,
    labels: &'a Labels,
    lowest: Vec<i64>,
}

/// Points and the lowest cluster found so far near each of them.
struct Search<'a, const K: usize, D> {
    group: &'a [Item<K>],
    bounds: Bounds<K, D>,
    found: &'a mut [i64],
}

impl<const K: usize, D: ReducedDistance> Finder<'_, K, D> {
    fn find_group(&self, group: &[Item<K>], found: &mut [i64]) -> Result<(), Cancelled> {
        let bounds = Bounds::around(group, self.run)?;
        self.find(ROOT, &mut Search { group, bounds, found })
    }

    fn find(&self, node: usize, search: &mut Search<K, D>) -> Result<(), Cancelled> {
        self.run.check()?;
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
                self.find_near(&item.at, node, cluster)?;
            }
        } else {
            for child in self.tree.children(node) {
                self.find(child, search)?;
            }
        }
        Ok(())
    }

    /// Lowers `cluster` to the lowest one with a core point near `at` in a node, if that is lower.
    fn find_near(&self, at: &[f64; K], node: usize, cluster: &mut i64) -> Result<(), Cancelled> {
        self.run.check()?;
        let (this, lowest) = (&self.tree.nodes[node], self.lowest[node]);
        if lowest >= *cluster || this.bounds.least_to(at) > self.run.reach {
            return Ok(());
        }
        if this.bounds.most_to(at) <= self.run.reach {
            *cluster = lowest;
        } else if this.is_leaf() {
            let neighbours = self.tree.items[this.range()].iter();
            for item in neighbours.filter(|item| reduced_distance::<K, D>(at, &item.at) <= self.run.reach) {
                *cluster = self.labels.cluster(item.index as usize).min(*cluster);
            }
        } else {
            for child in self.tree.children(node) {
                self.find_near(at, child, cluster)?;
            }
        }
        Ok(())
    }
}
