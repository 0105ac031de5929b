//! The subtrees beside a node and its ancestors: a search that begins in a leaf meets the nearest points first there.

use crate::tree::DEPTH;

/// Some of the subtrees beside a node and its ancestors, the root's child first: at most one per level.
pub(crate) struct Relatives {
    nodes: [u32; DEPTH],
    len: usize,
}

impl Relatives {
    pub(crate) const NONE: Self = Self { nodes: [0; DEPTH], len: 0 };

    #[inline]
    pub(crate) fn push(&mut self, node: usize) {
        self.nodes[self.len] = node as u32;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.nodes[..self.len].iter().map(|&node| node as usize)
    }

    /// The relatives of a child: those of its parent and its sibling, as far as they are `near`.
    #[inline]
    pub(crate) fn of_child(&self, sibling: usize, near: impl Fn(usize) -> bool) -> Self {
        let mut relatives = Self::NONE;
        for node in self.iter().chain([sibling]) {
            if near(node) {
                relatives.push(node);
            }
        }
        relatives
    }
}
