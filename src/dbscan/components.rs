//! Connected components of the core points: a union-find that is fed by a walk over pairs of nodes.

use std::sync::atomic::{AtomicU32, Ordering};

use super::labels::Labels;
use super::metric::ReducedDistance;
use super::tree::{ROOT, Tree, reduced_distance};
use super::{Cancelled, Run};

/// Disjoint sets that many threads may join at once. The root of a set is its least member, so the sets don't depend
/// on who came first. Everything is relaxed: a link, once made, holds, and no other data hang on it.
struct DisjointSets {
    parent: Vec<AtomicU32>,
}

impl DisjointSets {
    fn new(len: usize) -> Self {
        Self { parent: (0..len as u32).map(AtomicU32::new).collect() }
    }

    #[inline]
    fn find(&self, mut member: u32) -> u32 {
        loop {
            let parent = self.parent[member as usize].load(Ordering::Relaxed);
            if parent == member {
                return member;
            }
            let grandparent = self.parent[parent as usize].load(Ordering::Relaxed);
            if grandparent != parent {
                // Another thread may have linked it further up: this is an ancestor all the same.
                self.parent[member as usize].store(grandparent, Ordering::Relaxed);
            }
            member = grandparent;
        }
    }

    #[inline]
    fn unite(&self, a: u32, b: u32) {
        loop {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                return;
            }
            let (root, child) = if a < b { (a, b) } else { (b, a) };
            let link = &self.parent[child as usize];
            if link.compare_exchange(child, root, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }
}

/// Not known to be one component, or not yet.
const UNKNOWN: u32 = u32::MAX;

/// How many subtrees are joined in themselves before they are joined with one another.
const SUBTREES: usize = 256;

/// The components of the points of a tree, by position.
pub(super) struct Components {
    sets: DisjointSets,
}

impl Components {
    /// Links all points of the tree that are within eps of each other.
    pub(super) fn link<const K: usize, D: ReducedDistance>(
        tree: &Tree<K, D>,
        run: &Run,
    ) -> Result<Self, Cancelled> {
        let linker = Linker {
            tree,
            run,
            sets: DisjointSets::new(tree.items.len()),
            whole: (0..tree.nodes.len()).map(|_| AtomicU32::new(UNKNOWN)).collect(),
        };
        if run.parallel {
            let cut = tree.cut(SUBTREES, run);
            run.try_for_each(cut.len(), |i| linker.join_self(cut[i]))?;
            run.try_for_each(cut.len(), |i| {
                cut[i + 1..].iter().try_for_each(|&other| linker.join_if_near(cut[i], other))
            })?;
        } else {
            linker.join_self(ROOT)?;
        }
        Ok(Self { sets: linker.sets })
    }

    /// Labels for all core points; the others stay noise.
    pub(super) fn number<const K: usize, D: ReducedDistance>(
        self,
        tree: &Tree<K, D>,
        points: usize,
        run: &Run,
    ) -> Result<Labels, Cancelled> {
        let len = tree.items.len();
        let mut first = vec![u32::MAX; len];
        let mut alone = vec![true; len];
        for (position, item) in tree.items.iter().enumerate() {
            run.check_every(position)?;
            let root = self.sets.find(position as u32) as usize;
            first[root] = first[root].min(item.index);
            if root != position {
                alone[root] = false;
            }
        }
        let mut labels = Labels::noise(points);
        for (position, item) in tree.items.iter().enumerate() {
            run.check_every(position)?;
            let root = self.sets.find(position as u32) as usize;
            // With min_samples 2 nobody has counted yet: a point without neighbours is core by its own weight or not.
            if run.min_samples != 2 || !alone[root] || run.weight(item.index) >= 2 {
                labels.set_core(item.index, first[root]);
            }
        }
        labels.number_clusters(run)?;
        Ok(labels)
    }
}

struct Linker<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    run: &'a Run<'a>,
    sets: DisjointSets,
    /// For each node a position whose component all its points are in, once that is known.
    whole: Vec<AtomicU32>,
}

impl<const K: usize, D: ReducedDistance> Linker<'_, K, D> {
    /// Joins the points of a node with each other.
    fn join_self(&self, node: usize) -> Result<(), Cancelled> {
        self.run.check()?;
        let this = &self.tree.nodes[node];
        if this.is_empty() {
            return Ok(());
        }
        if this.is_cell(self.run) {
            return self.join_to(this.range().start as u32, node);
        }
        if this.is_leaf() {
            for a in this.range() {
                for b in a + 1..this.range().end {
                    self.join_points(a, b);
                }
            }
            return Ok(());
        }
        let [first, second] = self.tree.children(node);
        self.join_self(first)?;
        self.join_self(second)?;
        self.join_if_near(first, second)
    }

    /// Joins the points of two nodes that cover different points.
    fn join_if_near(&self, a: usize, b: usize) -> Result<(), Cancelled> {
        let [x, y] = [a, b].map(|node| &self.tree.nodes[node]);
        if x.is_empty() || y.is_empty() || x.bounds.least(&y.bounds) > self.run.reach {
            return Ok(());
        }
        self.join(a, b)
    }

    /// The same for nodes that have points and whose boxes are within eps.
    ///
    /// The wider one is split, a leaf into its points: a box around points of a sparse region may reach over all of a
    /// dense one that none of the points is near.
    fn join(&self, a: usize, b: usize) -> Result<(), Cancelled> {
        self.run.check()?;
        let (in_a, in_b) = (self.component(a), self.component(b));
        if in_a.is_some() && in_a == in_b {
            return Ok(());
        }
        let [x, y] = [a, b].map(|node| &self.tree.nodes[node]);
        if x.bounds.most(&y.bounds) <= self.run.reach {
            return self.join_all(a, b);
        }
        let wider = x.bounds.diagonal() >= y.bounds.diagonal();
        let (wide, narrow) = if wider { (a, b) } else { (b, a) };
        let [x, y] = [wide, narrow].map(|node| &self.tree.nodes[node]);
        if x.is_leaf() {
            return x.distinct().try_for_each(|position| self.join_point(position, narrow));
        }
        self.inherit(wide);
        let mut near = self.tree.children_near(wide, self.run.reach, |bounds| bounds.least(&y.bounds));
        near.try_for_each(|child| self.join(child, narrow))
    }

    /// Joins one point with the points of a node.
    fn join_point(&self, position: usize, node: usize) -> Result<(), Cancelled> {
        self.run.check()?;
        let (at, this) = (&self.tree.items[position].at, &self.tree.nodes[node]);
        if this.bounds.least_to(at) > self.run.reach {
            return Ok(());
        }
        let component = self.component(node);
        if component == Some(self.sets.find(position as u32)) {
            return Ok(());
        }
        if this.bounds.most_to(at) <= self.run.reach {
            return self.join_to(position as u32, node);
        }
        if this.is_leaf() {
            for other in this.range() {
                // One neighbour is enough when they are one component.
                if self.join_points(position, other) && component.is_some() {
                    break;
                }
            }
            return Ok(());
        }
        self.inherit(node);
        let mut near = self.tree.children_near(node, self.run.reach, |bounds| bounds.least_to(at));
        near.try_for_each(|child| self.join_point(position, child))
    }

    /// Joins two nodes all of whose points are within eps of all of the other's.
    fn join_all(&self, a: usize, b: usize) -> Result<(), Cancelled> {
        let [start_a, start_b] = [a, b].map(|node| self.tree.nodes[node].range().start as u32);
        self.join_to(start_b, a)?;
        self.join_to(start_a, b)
    }

    /// Joins the points of a node, all of which are within eps of the point at `hub`, with that one.
    fn join_to(&self, hub: u32, node: usize) -> Result<(), Cancelled> {
        let whole = self.whole[node].load(Ordering::Relaxed);
        if whole == UNKNOWN {
            for position in self.tree.nodes[node].range() {
                self.run.check_every(position)?;
                self.sets.unite(hub, position as u32);
            }
            self.set_whole(node, hub);
        } else {
            self.sets.unite(hub, whole);
        }
        Ok(())
    }

    /// Joins two points if they are neighbours; returns whether they are.
    #[inline]
    fn join_points(&self, a: usize, b: usize) -> bool {
        let near = reduced_distance::<K, D>(&self.tree.items[a].at, &self.tree.items[b].at) <= self.run.reach;
        if near {
            self.sets.unite(a as u32, b as u32);
        }
        near
    }

    /// The component of all points of the node, if they are known to be in one.
    fn component(&self, node: usize) -> Option<u32> {
        let whole = self.whole[node].load(Ordering::Relaxed);
        if whole != UNKNOWN {
            return Some(self.sets.find(whole));
        }
        let common = if self.tree.nodes[node].is_leaf() {
            let mut sets = self.tree.nodes[node].range().map(|position| self.sets.find(position as u32));
            let first = sets.next()?;
            sets.all(|other| other == first).then_some(first)?
        } else {
            // Children that are empty agree with everything.
            let children = self.tree.children(node).into_iter();
            let mut members = children
                .filter(|&child| !self.tree.nodes[child].is_empty())
                .map(|child| self.whole[child].load(Ordering::Relaxed));
            let first = members.next().filter(|&member| member != UNKNOWN)?;
            let first = self.sets.find(first);
            members.all(|other| other != UNKNOWN && self.sets.find(other) == first).then_some(first)?
        };
        self.set_whole(node, common);
        Some(common)
    }

    /// What is known of a node holds for its children.
    #[inline]
    fn inherit(&self, parent: usize) {
        let whole = self.whole[parent].load(Ordering::Relaxed);
        if whole != UNKNOWN {
            self.tree.children(parent).into_iter().for_each(|child| self.set_whole(child, whole));
        }
    }

    #[inline]
    fn set_whole(&self, node: usize, member: u32) {
        self.whole[node].store(member, Ordering::Relaxed);
    }
}
