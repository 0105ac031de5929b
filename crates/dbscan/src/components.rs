//! Connected components of the core points: a union-find that is fed by a walk over pairs of nodes.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::bounds::reduced_distance;
use crate::context::Context;
use crate::error::Cancelled;
use crate::labels::LabelBuilder;
use crate::metric::{ReducedDistance, lesser};
use crate::statistics::WorkCounters;
use crate::tree::{LEAF, ROOT, Tree};

/// Disjoint sets that many threads may join at once. The root of a set is its least member, so the sets don't depend
/// on the order of threads. Everything is relaxed: a link, once made, holds, and no other data depend on it.
struct DisjointSets {
    /// The distance from each member back to its parent: 0 for a root, so that all begin as zeros.
    up: Vec<AtomicU32>,
}

impl DisjointSets {
    fn new(len: usize) -> Self {
        Self { up: zeros(len) }
    }

    #[inline]
    fn parent(&self, member: u32) -> u32 {
        member - self.up[member as usize].load(Ordering::Relaxed)
    }

    #[inline]
    fn find(&self, mut member: u32) -> u32 {
        loop {
            let parent = self.parent(member);
            if parent == member {
                return member;
            }
            let grandparent = self.parent(parent);
            if grandparent != parent {
                // Another thread may have linked it further up: this is an ancestor all the same.
                self.set_parent(member, grandparent);
            }
            member = grandparent;
        }
    }

    #[inline]
    fn set_parent(&self, member: u32, parent: u32) {
        self.up[member as usize].store(member - parent, Ordering::Relaxed);
    }

    /// [`DisjointSets::find`], which takes one step the next time.
    #[inline]
    fn find_for_good(&self, member: u32) -> u32 {
        let root = self.find(member);
        self.set_parent(member, root);
        root
    }

    #[inline]
    fn unite(&self, a: u32, b: u32) {
        loop {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                return;
            }
            let (root, child) = if a < b { (a, b) } else { (b, a) };
            let link = &self.up[child as usize];
            if link.compare_exchange(0, child - root, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }
}

/// The subtrees that are joined in themselves before they are joined with one another.
const SUBTREES: usize = 256;

/// The components of the points of a tree, by position.
pub(crate) struct Components {
    sets: DisjointSets,
    /// For each node a position, counted from 1, whose component all its points are in, once that is known; before, 0.
    whole: Vec<AtomicU32>,
    /// For each node a reduced distance: two of its points that are nearer are in one component. Empty for one eps.
    apart: Vec<AtomicU64>,
}

impl Components {
    /// Every point is a component.
    pub(crate) fn new<const K: usize, D: ReducedDistance>(tree: &Tree<K, D>) -> Self {
        let sets = DisjointSets::new(tree.items.len());
        Self { sets, whole: zeros(tree.nodes.len()), apart: Vec::new() }
    }

    /// The same, to be linked at one eps after the other, ascending.
    pub(crate) fn of_every_eps<const K: usize, D: ReducedDistance>(tree: &Tree<K, D>) -> Self {
        let apart = vec![0; tree.nodes.len()].into_iter().map(AtomicU64::new).collect();
        Self { apart, ..Self::new(tree) }
    }

    /// Forgets what is known of these nodes: they have new points.
    pub(crate) fn forget(&mut self, nodes: impl Iterator<Item = usize>) {
        for node in nodes {
            *self.whole[node].get_mut() = 0;
            *self.apart[node].get_mut() = 0;
        }
    }

    /// The position that stands for the component of the point at a position, as long as that is not joined with another one.
    #[inline]
    pub(crate) fn root(&self, position: u32) -> u32 {
        self.sets.find(position)
    }

    /// Links all points of the tree that are within eps of each other, in addition to what is linked already.
    pub(crate) fn link<const K: usize, D: ReducedDistance>(
        &self,
        tree: &Tree<K, D>,
        context: &Context,
    ) -> Result<WorkCounters, Cancelled> {
        let linker = Linker { tree, context, sets: &self.sets, whole: &self.whole, apart: &self.apart };
        let mut work = WorkCounters::default();
        if context.workers.parallel {
            let cut = tree.cut(SUBTREES, context);
            let within = |i: usize, work: &mut WorkCounters| linker.join_self(cut[i], work).map(drop);
            let between = |i: usize, work: &mut WorkCounters| {
                cut[i + 1..].iter().try_for_each(|&other| linker.join_if_near(cut[i], other, work).map(drop))
            };
            work = WorkCounters::in_parallel(cut.len(), within)?
                + WorkCounters::in_parallel(cut.len(), between)?;
        } else {
            linker.join_self(ROOT, &mut work)?;
        }
        Ok(work)
    }

    /// Labels for all core points; the others stay noise.
    pub(crate) fn number<const K: usize, D: ReducedDistance>(
        &self,
        tree: &Tree<K, D>,
        points: usize,
        context: &Context,
    ) -> Result<LabelBuilder, Cancelled> {
        let len = tree.items.len();
        // Counted down from the last number there is.
        let first = zeros(len);
        // With min_samples 2 no step has counted neighbours: a point without any is core or not by its own weight.
        let uncounted = context.min_samples == 2;
        let together = vec![false; if uncounted { len } else { 0 }];
        let together: Vec<_> = together.into_iter().map(AtomicBool::new).collect();
        context.workers.try_for_blocks(len, |block| {
            for position in block.filter(|&position| tree.is_core(position)) {
                let root = self.sets.find_for_good(position as u32) as usize;
                let down = u32::MAX - tree.items[position].index;
                // All threads may ask for the same few: they write only what is new.
                if down > first[root].load(Ordering::Relaxed) {
                    first[root].fetch_max(down, Ordering::Relaxed);
                }
                if uncounted && root != position && !together[root].load(Ordering::Relaxed) {
                    together[root].store(true, Ordering::Relaxed);
                }
            }
            Ok(())
        })?;
        let mut labels = LabelBuilder::noise(points);
        context.workers.try_for_blocks(len, |block| {
            for position in block.filter(|&position| tree.is_core(position)) {
                let (item, root) = (&tree.items[position], self.sets.find(position as u32) as usize);
                if !uncounted || together[root].load(Ordering::Relaxed) || item.weight(context) >= 2 {
                    labels.set_core(item.index, u32::MAX - first[root].load(Ordering::Relaxed));
                }
            }
            Ok(())
        })?;
        labels.number_clusters(context)?;
        Ok(labels)
    }
}

/// Zeros that threads may write to, in memory that the system zeroes when a page is first touched.
fn zeros(len: usize) -> Vec<AtomicU32> {
    vec![0; len].into_iter().map(AtomicU32::new).collect()
}

struct Linker<'a, const K: usize, D> {
    tree: &'a Tree<K, D>,
    context: &'a Context<'a>,
    sets: &'a DisjointSets,
    whole: &'a [AtomicU32],
    apart: &'a [AtomicU64],
}

/// A reduced distance beyond eps: points of the nodes that were compared that are nearer to each other are in one component. It is
/// infinite where all are in one. So nothing changes before eps reaches it.
type Apart = f64;

impl<const K: usize, D: ReducedDistance> Linker<'_, K, D> {
    /// Joins the points of a node with each other.
    fn join_self(&self, node: usize, work: &mut WorkCounters) -> Result<Apart, Cancelled> {
        self.context.workers.check()?;
        let this = &self.tree.nodes[node];
        if this.is_empty() || self.whole(node).is_some() {
            return Ok(f64::INFINITY);
        }
        if let Some(apart) = self.apart.get(node) {
            let apart = f64::from_bits(apart.load(Ordering::Relaxed));
            if apart > self.context.reach {
                return Ok(apart);
            }
        }
        if this.is_cell(self.context) {
            work.cells += 1;
            self.join_to(this.range().start as u32, node)?;
            return Ok(f64::INFINITY);
        }
        let apart = if this.is_leaf() {
            self.join_leaf(node, work)
        } else {
            let [first, second] = self.tree.children(node);
            let apart = lesser(self.join_self(first, work)?, self.join_self(second, work)?);
            lesser(apart, self.join_if_near(first, second, work)?)
        };
        if let Some(known) = self.apart.get(node) {
            known.store(apart.to_bits(), Ordering::Relaxed);
        }
        Ok(apart)
    }

    /// Joins the points of a leaf, which are not all equal, with each other.
    fn join_leaf(&self, leaf: usize, work: &mut WorkCounters) -> Apart {
        let range = self.tree.nodes[leaf].range();
        work.cells += range.len() as u64;
        if self.apart.is_empty() {
            work.distances += (range.len() * (range.len() - 1) / 2) as u64;
            for a in range.clone() {
                for b in a + 1..range.end {
                    self.join_points(a, b);
                }
            }
            return f64::INFINITY;
        }
        // Most neighbours are in one component since the eps before.
        let mut roots = [0; LEAF];
        let roots = &mut roots[..range.len()];
        for (root, position) in roots.iter_mut().zip(range.clone()) {
            *root = self.sets.find(position as u32);
        }
        let items = &self.tree.items[range];
        let mut apart = f64::INFINITY;
        for a in 1..items.len() {
            for b in 0..a {
                if roots[a] == roots[b] {
                    continue;
                }
                work.distances += 1;
                let distance = reduced_distance::<K, D>(&items[a].at, &items[b].at);
                if distance > self.context.reach {
                    apart = lesser(apart, distance);
                    continue;
                }
                let (one, other) = (roots[a], roots[b]);
                self.sets.unite(one, other);
                roots.iter_mut().filter(|root| **root == one).for_each(|root| *root = other);
            }
        }
        apart
    }

    /// Joins the points of two nodes that cover different points.
    fn join_if_near(&self, a: usize, b: usize, work: &mut WorkCounters) -> Result<Apart, Cancelled> {
        let (x, y) = (&self.tree.nodes[a], &self.tree.nodes[b]);
        if x.is_empty() || y.is_empty() {
            return Ok(f64::INFINITY);
        }
        let apart = x.bounds.least(&y.bounds);
        if apart > self.context.reach { Ok(apart) } else { self.join(a, b, work) }
    }

    /// Joins the points of two nodes that have points and whose boxes are within eps of each other.
    ///
    /// The wider one is split, a leaf into its points: a box around points of a sparse region may reach over all of a
    /// dense one that none of the points is near.
    fn join(&self, a: usize, b: usize, work: &mut WorkCounters) -> Result<Apart, Cancelled> {
        self.context.workers.check()?;
        let (in_a, in_b) = (self.component(a), self.component(b));
        if in_a.is_some() && in_a == in_b {
            return Ok(f64::INFINITY);
        }
        let (x, y) = (&self.tree.nodes[a], &self.tree.nodes[b]);
        if x.bounds.most(&y.bounds) <= self.context.reach {
            self.join_all(a, b)?;
            return Ok(f64::INFINITY);
        }
        let wider = x.bounds.diagonal() >= y.bounds.diagonal();
        let (wide, narrow) = if wider { (a, b) } else { (b, a) };
        let (x, y) = (&self.tree.nodes[wide], &self.tree.nodes[narrow]);
        if x.is_leaf() {
            let mut apart = f64::INFINITY;
            for position in x.distinct() {
                apart = lesser(apart, self.join_point(position, narrow, work)?);
            }
            return Ok(apart);
        }
        self.inherit(wide);
        let near = self.tree.children_near(wide, self.context.reach, |bounds| bounds.least(&y.bounds));
        let mut apart = near.beyond;
        for &child in near.as_slice() {
            apart = lesser(apart, self.join(child, narrow, work)?);
        }
        Ok(apart)
    }

    /// Joins one point with the points of a node.
    fn join_point(&self, position: usize, node: usize, work: &mut WorkCounters) -> Result<Apart, Cancelled> {
        self.context.workers.check()?;
        let (at, this) = (&self.tree.items[position].at, &self.tree.nodes[node]);
        let apart = this.bounds.least_to(at);
        if apart > self.context.reach {
            return Ok(apart);
        }
        let component = self.component(node);
        if component == Some(self.sets.find(position as u32)) {
            return Ok(f64::INFINITY);
        }
        if this.bounds.most_to(at) <= self.context.reach {
            self.join_to(position as u32, node)?;
            return Ok(f64::INFINITY);
        }
        if this.is_leaf() {
            let (mut distances, mut apart) = (0, f64::INFINITY);
            for other in this.range() {
                distances += 1;
                let distance = reduced_distance::<K, D>(at, &self.tree.items[other].at);
                if distance > self.context.reach {
                    apart = lesser(apart, distance);
                    continue;
                }
                self.sets.unite(position as u32, other as u32);
                // One neighbour is enough when they are one component.
                if component.is_some() {
                    apart = f64::INFINITY;
                    break;
                }
            }
            work.distances += distances;
            return Ok(apart);
        }
        self.inherit(node);
        let near = self.tree.children_near(node, self.context.reach, |bounds| bounds.least_to(at));
        let mut apart = near.beyond;
        for &child in near.as_slice() {
            apart = lesser(apart, self.join_point(position, child, work)?);
        }
        Ok(apart)
    }

    /// Joins two nodes all of whose points are within eps of all of the other's.
    fn join_all(&self, a: usize, b: usize) -> Result<(), Cancelled> {
        let [start_a, start_b] = [a, b].map(|node| self.tree.nodes[node].range().start as u32);
        self.join_to(start_b, a)?;
        self.join_to(start_a, b)
    }

    /// Joins the points of a node, all of which are within eps of the point at `hub`, with that one.
    fn join_to(&self, hub: u32, node: usize) -> Result<(), Cancelled> {
        let whole = self.whole(node);
        if let Some(whole) = whole {
            self.sets.unite(hub, whole);
        } else {
            for position in self.tree.nodes[node].range() {
                self.context.workers.check_every(position)?;
                if self.tree.is_core(position) {
                    self.sets.unite(hub, position as u32);
                }
            }
            self.set_whole(node, hub);
        }
        Ok(())
    }

    /// Joins two points if they are neighbours.
    #[inline]
    fn join_points(&self, a: usize, b: usize) {
        let distance = reduced_distance::<K, D>(&self.tree.items[a].at, &self.tree.items[b].at);
        if distance <= self.context.reach {
            self.sets.unite(a as u32, b as u32);
        }
    }

    /// The component of all points of the node, if they are known to be in one.
    #[inline]
    fn component(&self, node: usize) -> Option<u32> {
        match self.whole(node) {
            Some(whole) => Some(self.sets.find(whole)),
            None => self.new_component(node),
        }
    }

    /// Finds out whether all points of the node are in one component, where that was not known before.
    fn new_component(&self, node: usize) -> Option<u32> {
        let common = if self.tree.nodes[node].is_leaf() {
            let mut range = self.tree.nodes[node].range();
            let first = self.sets.find(range.next()? as u32);
            for position in range {
                if self.sets.find(position as u32) != first {
                    return None;
                }
            }
            first
        } else {
            // Children that are empty agree with everything.
            let children = self.tree.children(node).into_iter();
            let mut members =
                children.filter(|&child| !self.tree.nodes[child].is_empty()).map(|child| self.whole(child));
            let first = self.sets.find(members.next()??);
            members.all(|other| other.is_some_and(|other| self.sets.find(other) == first)).then_some(first)?
        };
        self.set_whole(node, common);
        Some(common)
    }

    /// Tells the children of a node that they are in its component, if that is known.
    #[inline]
    fn inherit(&self, parent: usize) {
        if let Some(whole) = self.whole(parent) {
            self.tree.children(parent).into_iter().for_each(|child| self.set_whole(child, whole));
        }
    }

    #[inline]
    fn whole(&self, node: usize) -> Option<u32> {
        self.whole[node].load(Ordering::Relaxed).checked_sub(1)
    }

    #[inline]
    fn set_whole(&self, node: usize, member: u32) {
        self.whole[node].store(member + 1, Ordering::Relaxed);
    }
}
