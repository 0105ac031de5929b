//! The minimum spanning tree of mutual reachability distances, by Borůvka's algorithm on the kd-tree.
//!
//! In each round every component takes the lightest edge that leaves it, so there are at least twice as few afterwards
//! (Borůvka 1926; March, Ram, Gray: *Fast Euclidean minimum spanning tree*, KDD 2010; `McInnes`, Healy: *Accelerated
//! hierarchical density based clustering*, ICDMW 2017). Few points have to look for theirs in a round:
//!
//! - An edge that a point found stays its lightest one until its two ends are in one component. Then its weight bounds
//!   what the next one can weigh, since components only grow; a point searches only where its bound is below the lightest edge
//!   that its component knows already, and no further than that.
//! - An edge leaves the components of both its ends: those of small components tell large ones how far to look at most.
//! - The next one mostly leads to one of the nearest neighbours, which are kept from the search for core distances.
//! - Nodes bound what the points below them can find, in a walk over pairs of nodes: a node in one component leaves those out that
//!   are in the same one or beyond the component's lightest edge, and where none is left all its points are done at once.
//!
//! The first round needs no comparison of components: its edges are those of near(p), which is wanted anyway. A round
//! takes O(n) steps beside its searches. Which of several edges of the same weight are taken depends on the threads, but
//! not what is connected at any distance.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::bounds::reduced_distance;
use crate::build::filled;
use crate::context::Context;
use crate::error::Cancelled;
use crate::metric::{ReducedDistance, greater, lesser};
use crate::relatives::Relatives;
use crate::tree::{LEAF, Node, ROOT, Tree};

use super::density::{NONE, Near};
use super::outgoing::{Fragments, Lightest, Link, Seeker, Seekers};
use super::walk::{Walk, for_leaves};

/// An edge of the tree.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    /// The mutual reachability distance of its ends, reduced.
    pub weight: f64,
    /// The positions of its ends.
    pub ends: [u32; 2],
}

/// Finds the edges of a minimum spanning tree, and near(p), reduced, of the point at each position. `core` are the core
/// distances. There are at least two points.
pub(super) fn span<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    core: &[f64],
    neighbours: &[Near],
    near: &mut [f64],
    context: &Context,
) -> Result<Vec<Edge>, Cancelled> {
    let len = tree.items.len();
    let least_core =
        |leaf: &Node<K, D>| Ok(core[leaf.distinct()].iter().copied().fold(f64::INFINITY, lesser));
    let fragments = Fragments {
        tree,
        core,
        least_core: tree.fold(f64::INFINITY, least_core, lesser, context)?,
        component: (0..len as u32).collect(),
        whole: vec![false; tree.nodes.len()],
        lightest: Lightest::none(),
    };
    let mut rounds = Rounds {
        fragments,
        neighbours,
        context,
        links: filled(Link::UNKNOWN, len, context)?,
        states: vec![State::UNKNOWN; tree.nodes.len()],
        components: len,
        edges: Vec::with_capacity(len - 1),
    };
    rounds.first(near)?;
    while rounds.components > 1 && rounds.next()? {}
    rounds.join_the_rest()?;
    Ok(rounds.edges)
}

/// Facts about the edges that leave the components of the points below a node.
#[derive(Clone, Copy)]
struct State {
    /// None is lighter than this.
    bound: f64,
    /// Whether the points are in one component, and know of no such edge.
    settled: bool,
}

impl State {
    const UNKNOWN: Self = Self { bound: 0.0, settled: false };

    /// The state of a node without points.
    const EMPTY: Self = Self { bound: f64::INFINITY, settled: true };
}

struct Rounds<'a, const K: usize, D> {
    fragments: Fragments<'a, K, D>,
    neighbours: &'a [Near],
    context: &'a Context<'a>,
    links: Vec<Link>,
    /// The state of each node.
    states: Vec<State>,
    components: usize,
    edges: Vec<Edge>,
}

impl<const K: usize, D: ReducedDistance> Rounds<'_, K, D> {
    /// The round in which every point is a component.
    fn first(&mut self, near: &mut [f64]) -> Result<(), Cancelled> {
        let Self { fragments, neighbours, context, links, .. } = self;
        let of_leaf = |leaf: usize, relatives: &Relatives, (links, near): (&mut [Link], &mut [f64])| {
            nearest_of_leaf(fragments, neighbours, leaf, relatives, links, near, context)
        };
        for_leaves(fragments.tree, ROOT, &Relatives::NONE, (&mut links[..], near), context, &of_leaf)?;
        self.merge(|component| component)
    }

    /// One more round. Returns whether any component has found an edge.
    fn next(&mut self) -> Result<bool, Cancelled> {
        let before = self.components;
        let Self { fragments, neighbours, context, links, states, .. } = self;
        fragments.lightest.reset(before);
        let mut whole = std::mem::take(&mut fragments.whole);
        let refresh = Refresh { fragments, neighbours, context };
        refresh.below(ROOT, links, &mut whole, states)?;
        fragments.whole = whole;
        let hunt = Hunt { fragments, context };
        hunt.below(ROOT, &Others::NONE, 0.0, links, states)?;
        let picks = self.picks()?;
        self.merge(|component| picks[component as usize])?;
        Ok(self.components < before)
    }

    /// For each component the position of a point whose link is its lightest edge, from either end, or [`NONE`].
    fn picks(&self) -> Result<Vec<u32>, Cancelled> {
        let Self { fragments, links, .. } = self;
        let picks: Vec<_> = vec![NONE; self.components].into_iter().map(AtomicU32::new).collect();
        self.context.workers.try_for_blocks(links.len(), |block| {
            for position in block {
                let link = &links[position];
                if link.target == NONE {
                    continue;
                }
                let ends = [position, link.target as usize].map(|end| fragments.component[end]);
                for component in ends {
                    if link.weight <= fragments.lightest.of(component) && ends[0] != ends[1] {
                        picks[component as usize].fetch_min(position as u32, Ordering::Relaxed);
                    }
                }
            }
            Ok(())
        })?;
        Ok(picks.into_iter().map(AtomicU32::into_inner).collect())
    }

    /// Joins components along the edges of the points that `pick` tells, unless they are one by then: several edges of
    /// one weight could make a circle.
    fn merge(&mut self, pick: impl Fn(u32) -> u32) -> Result<(), Cancelled> {
        let Self { fragments, links, context, components, edges, .. } = self;
        let mut sets = Sets::new(*components);
        for component in 0..*components as u32 {
            context.workers.check_every(component as usize)?;
            let position = pick(component);
            let Some(link) = links.get(position as usize).filter(|link| link.target != NONE) else {
                continue;
            };
            let ends = [position, link.target].map(|end| fragments.component[end as usize]);
            if sets.unite(ends[0], ends[1]) {
                edges.push(Edge { weight: link.weight, ends: [position, link.target] });
            }
        }
        let numbers = sets.numbered(context)?;
        *components = numbers.count;
        let renumber = |components: &mut [u32]| {
            context.workers.check()?;
            for component in components {
                *component = numbers.of[*component as usize];
            }
            Ok(())
        };
        let blocks = fragments.component.par_chunks_mut(1 << 14);
        if context.workers.parallel {
            blocks.try_for_each(renumber)
        } else {
            fragments.component.chunks_mut(1 << 14).try_for_each(renumber)
        }
    }

    /// Joins what no finite distance joins: distances that overflow are all infinite.
    fn join_the_rest(&mut self) -> Result<(), Cancelled> {
        let component = &self.fragments.component;
        let mut joined = vec![false; self.components];
        for (position, &other) in component.iter().enumerate() {
            self.context.workers.check_every(position)?;
            if other != component[0] && !std::mem::replace(&mut joined[other as usize], true) {
                self.edges.push(Edge { weight: f64::INFINITY, ends: [0, position as u32] });
            }
        }
        Ok(())
    }
}

/// Finds near(p) of the points of a leaf, and the edge there.
fn nearest_of_leaf<const K: usize, D: ReducedDistance>(
    fragments: &Fragments<K, D>,
    neighbours: &[Near],
    leaf: usize,
    relatives: &Relatives,
    links: &mut [Link],
    near: &mut [f64],
    context: &Context,
) -> Result<(), Cancelled> {
    let Fragments { tree, core, .. } = fragments;
    let this = &tree.nodes[leaf];
    let start = this.range().start;
    let all_equal = this.span() > LEAF;
    let mut search = Seekers::new(fragments, this);
    let mut places = 0;
    for position in this.distinct() {
        let place = position - start;
        let at = &tree.items[position].at;
        // An equal point is near, but another one may be core before it.
        let radius = if all_equal { core[position] } else { f64::INFINITY };
        let mut seeker = Seeker { component: position as u32, radius, ..Seeker::IDLE };
        for other in neighbours[position].iter() {
            let apart = greater(reduced_distance::<K, D>(at, &tree.items[other].at), core[other]);
            if apart < seeker.radius {
                (seeker.radius, seeker.target) = (apart, other as u32);
            }
        }
        if seeker.radius > neighbours[position].complete {
            places |= 1 << place;
        }
        search.places[place] = seeker;
    }
    if places != 0 {
        Walk::new(tree, leaf, context).run(leaf, relatives.iter().rev(), places, &mut search)?;
    }
    for (i, (link, near)) in links.iter_mut().zip(near).enumerate() {
        context.workers.check_every(i)?;
        let Seeker { radius, target, .. } = search.places[if all_equal { 0 } else { i }];
        *near = radius;
        let weight = greater(radius, core[start + i]);
        let target = match i {
            // Nothing is lighter than the edge to an equal point.
            0 if all_equal => (start + 1) as u32,
            _ if all_equal => (start + i - 1) as u32,
            _ => target,
        };
        *link = Link { bound: weight, weight: if target == NONE { f64::INFINITY } else { weight }, target };
    }
    Ok(())
}

/// The beginning of a round: which edges still leave their component.
struct Refresh<'a, const K: usize, D> {
    fragments: &'a Fragments<'a, K, D>,
    neighbours: &'a [Near],
    context: &'a Context<'a>,
}

impl<const K: usize, D: ReducedDistance> Refresh<'_, K, D> {
    /// Does this for a node, whose links and whose subtree's values these are.
    fn below(
        &self,
        node: usize,
        links: &mut [Link],
        whole: &mut [bool],
        states: &mut [State],
    ) -> Result<(), Cancelled> {
        self.context.workers.check()?;
        let Fragments { tree, component, .. } = self.fragments;
        let this = &tree.nodes[node];
        if states[0].settled || this.is_empty() {
            return Ok(());
        }
        if this.is_leaf() {
            let first = component[this.range().start];
            let mut open = false;
            whole[0] = true;
            for (position, link) in this.distinct().zip(links) {
                whole[0] &= component[position] == first;
                open |= self.refresh(position, link);
            }
            states[0].settled = whole[0] && !open;
            return Ok(());
        }
        let [first, second] = tree.children(node);
        let (links_of_first, links_of_second) = links.split_at_mut(tree.nodes[first].span());
        let (whole, whole_below) = whole.split_at_mut(1);
        let (state, states_below) = states.split_at_mut(1);
        let (whole_of_first, whole_of_second) = whole_below.split_at_mut(second - first);
        let (states_of_first, states_of_second) = states_below.split_at_mut(second - first);
        self.context.workers.join(
            this.span(),
            || self.below(first, links_of_first, whole_of_first, states_of_first),
            || self.below(second, links_of_second, whole_of_second, states_of_second),
        )?;
        let [first, second] = [first, second].map(|child| &tree.nodes[child]);
        let component_of = |child: &Node<K, D>| component[child.range().start];
        whole[0] = match (first.is_empty(), second.is_empty()) {
            (true, _) => whole_of_second[0],
            (_, true) => whole_of_first[0],
            _ => whole_of_first[0] && whole_of_second[0] && component_of(first) == component_of(second),
        };
        let of_first = first.is_empty() || states_of_first[0].settled;
        let of_second = second.is_empty() || states_of_second[0].settled;
        state[0].settled = whole[0] && of_first && of_second;
        Ok(())
    }

    /// Returns whether a point knows an edge that leaves its component.
    #[inline]
    fn refresh(&self, position: usize, link: &mut Link) -> bool {
        let Fragments { component, lightest, core, .. } = self.fragments;
        let own = component[position];
        if link.target == NONE || component[link.target as usize] == own {
            (link.weight, link.target) = (f64::INFINITY, NONE);
            for other in self.neighbours[position].iter() {
                if component[other] != own {
                    let weight = self.fragments.weight(position, other);
                    if weight < link.weight {
                        (link.weight, link.target) = (weight, other as u32);
                    }
                }
            }
            let complete = greater(core[position], self.neighbours[position].complete);
            link.bound = greater(link.bound, lesser(link.weight, complete));
        }
        if link.target == NONE {
            return false;
        }
        lightest.lower(own, link.weight);
        lightest.lower(component[link.target as usize], link.weight);
        true
    }
}

/// The searches of a round: a walk over pairs of nodes, of which one searches and the others are where it may find something.
struct Hunt<'a, const K: usize, D> {
    fragments: &'a Fragments<'a, K, D>,
    context: &'a Context<'a>,
}

impl<const K: usize, D: ReducedDistance> Hunt<'_, K, D> {
    /// Searches for the points of a node, whose links and whose subtree's states these are, in itself and in the `others`.
    /// `bound` is that of its parent.
    fn below(
        &self,
        node: usize,
        others: &Others,
        bound: f64,
        links: &mut [Link],
        states: &mut [State],
    ) -> Result<(), Cancelled> {
        self.context.workers.check()?;
        let Fragments { tree, lightest, .. } = self.fragments;
        let state = &mut states[0];
        state.bound = greater(state.bound, bound);
        let own = self.fragments.of_node(node);
        let lightest = own.map_or(f64::INFINITY, |own| lightest.of(own));
        if state.bound >= lightest {
            return Ok(());
        }
        let this = &tree.nodes[node];
        if this.is_leaf() {
            return self.search_leaf(node, others, state, links);
        }
        let near;
        let nearest;
        let others = if let Some(own) = own {
            near = self.near(node, own, lightest, others);
            if near.is_empty() {
                state.bound = lightest;
                return Ok(());
            }
            nearest = Others { nodes: &near, rest: None };
            &nearest
        } else {
            others
        };
        let [first, second] = tree.children(node);
        let (links_of_first, links_of_second) = links.split_at_mut(tree.nodes[first].span());
        let bound = state.bound;
        let (state, below) = states.split_at_mut(1);
        let (states_of_first, states_of_second) = below.split_at_mut(second - first);
        // The nearest relatives come first.
        let siblings = [second as u32, first as u32];
        let [beside_first, beside_second] =
            [&siblings[..1], &siblings[1..]].map(|nodes| Others { nodes, rest: Some(others) });
        self.context.workers.join(
            this.span(),
            || self.below(first, &beside_first, bound, links_of_first, states_of_first),
            || self.below(second, &beside_second, bound, links_of_second, states_of_second),
        )?;
        let [first, second] = [(first, &states_of_first[0]), (second, &states_of_second[0])]
            .map(|(child, state)| if tree.nodes[child].is_empty() { &State::EMPTY } else { state });
        state[0].bound = greater(bound, lesser(first.bound, second.bound));
        state[0].settled &= first.settled && second.settled;
        Ok(())
    }

    /// Those of the `others` where a node, all of whose points are in the component `own`, may find an edge lighter than
    /// `lightest`: in pieces not larger than the node, nearest first.
    fn near(&self, node: usize, own: u32, lightest: f64, others: &Others) -> Vec<u32> {
        let Fragments { tree, core, least_core, component, .. } = self.fragments;
        let this = &tree.nodes[node];
        let mut near = Vec::new();
        let mut open: Vec<u32> = others.iter().collect();
        open.reverse();
        while let Some(other) = open.pop() {
            let there = &tree.nodes[other as usize];
            let apart = greater(this.bounds.least(&there.bounds), least_core[other as usize]);
            if apart >= lightest || self.fragments.of_node(other as usize) == Some(own) {
                continue;
            }
            if lightest.is_infinite() {
                // Without an edge to beat, nearly everything is near.
                near.push((apart, other));
            } else if there.is_leaf() {
                // A box around points of a sparse region may reach over all of a dense one that none of them is near.
                let mut least = f64::INFINITY;
                for position in there.distinct().filter(|&position| component[position] != own) {
                    let apart = this.bounds.least_to(&tree.items[position].at);
                    least = lesser(least, greater(apart, core[position]));
                }
                if least < lightest {
                    near.push((least, other));
                }
            } else if there.span() <= this.span() {
                near.push((apart, other));
            } else {
                open.extend(tree.children(other as usize).map(|child| child as u32));
            }
        }
        if lightest < f64::INFINITY {
            near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
        near.into_iter().map(|(_, other)| other).collect()
    }

    /// Searches for the points of a leaf.
    fn search_leaf(
        &self,
        leaf: usize,
        others: &Others,
        state: &mut State,
        links: &mut [Link],
    ) -> Result<(), Cancelled> {
        let Fragments { tree, core, component, lightest, .. } = self.fragments;
        let this = &tree.nodes[leaf];
        let mut search = Seekers::new(self.fragments, this);
        let mut places = 0;
        for (place, position) in this.distinct().enumerate() {
            let link = &mut links[place];
            link.bound = greater(link.bound, state.bound);
            let own = component[position];
            let radius = lightest.of(own);
            if link.bound < radius {
                places |= 1 << place;
                let floor = greater(core[position], link.bound);
                search.places[place] = Seeker { component: own, floor, radius, ..Seeker::IDLE };
            }
        }
        if places != 0 {
            let walk = Walk::new(tree, leaf, self.context);
            if let Some(own) = self.fragments.of_node(leaf) {
                let near = self.near(leaf, own, lightest.of(own), others);
                walk.run(leaf, near.into_iter().map(|other| other as usize), places, &mut search)?;
            } else {
                walk.run(leaf, others.iter().map(|other| other as usize), places, &mut search)?;
            }
        }
        let mut least = f64::INFINITY;
        for (place, _) in this.distinct().enumerate() {
            let (link, seeker) = (&mut links[place], &search.places[place]);
            if places & (1 << place) != 0 {
                // Lighter edges would have been found.
                link.bound = greater(link.bound, seeker.radius);
                if seeker.target != NONE {
                    (link.weight, link.target) = (seeker.found, seeker.target);
                    state.settled = false;
                }
            }
            least = lesser(least, link.bound);
        }
        state.bound = greater(state.bound, least);
        Ok(())
    }
}

/// The nodes where a node may find something: its siblings, and what its parent has.
struct Others<'a> {
    nodes: &'a [u32],
    rest: Option<&'a Others<'a>>,
}

impl Others<'_> {
    const NONE: Self = Self { nodes: &[], rest: None };

    fn iter(&self) -> impl Iterator<Item = u32> {
        let lists = std::iter::successors(Some(self), |others| others.rest);
        lists.flat_map(|others| others.nodes).copied()
    }
}

/// Disjoint sets of components.
struct Sets {
    parents: Vec<u32>,
}

/// The new numbers of components.
struct Numbers {
    of: Vec<u32>,
    count: usize,
}

impl Sets {
    fn new(len: usize) -> Self {
        Self { parents: (0..len as u32).collect() }
    }

    fn find(&mut self, mut member: u32) -> u32 {
        while self.parents[member as usize] != member {
            let grandparent = self.parents[self.parents[member as usize] as usize];
            self.parents[member as usize] = grandparent;
            member = grandparent;
        }
        member
    }

    /// Joins two sets; returns whether they were two. The root of a set is its least member.
    fn unite(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        let (root, child) = if a < b { (a, b) } else { (b, a) };
        self.parents[child as usize] = root;
        a != b
    }

    /// Numbers the sets in the order of their least members.
    fn numbered(self, context: &Context) -> Result<Numbers, Cancelled> {
        let (mut of, mut count) = (self.parents, 0);
        for member in 0..of.len() {
            context.workers.check_every(member)?;
            let parent = of[member] as usize;
            // The parent comes first and has its number.
            of[member] = if parent == member {
                count += 1;
                count - 1
            } else {
                of[parent]
            };
        }
        Ok(Numbers { of, count: count as usize })
    }
}
