//! Who works on a call: one thread or several, until they are done or told to stop.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::Cancelled;

/// From how many points on threads share the work: below they cost more than they give.
const PARALLEL_FROM: usize = 4096;

/// So many points are done between two looks at the flag, and by one thread: some 100 µs.
const BLOCK: usize = 1 << 14;

/// The threads of one call, and the flag that stops them.
///
/// Stopping takes a look at the flag now and then: every loop over points has one, so that nobody waits for more than
/// some milliseconds, however many points there are.
pub(super) struct Workers<'a> {
    cancel: &'a AtomicBool,
    /// From how many points on threads share work.
    pub parallel_from: usize,
    /// Whether all points are enough for threads to share them.
    pub parallel: bool,
}

impl<'a> Workers<'a> {
    /// For a call about so many points.
    pub(super) fn new(points: usize, cancel: &'a AtomicBool) -> Self {
        Self::from(PARALLEL_FROM, points, cancel)
    }

    /// The same with threads from `parallel_from` points on.
    pub(super) fn from(parallel_from: usize, points: usize, cancel: &'a AtomicBool) -> Self {
        Self { cancel, parallel_from, parallel: points >= parallel_from }
    }

    #[inline]
    pub(super) fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// [`Workers::check`] for a loop over points, now and then.
    #[inline]
    pub(super) fn check_every(&self, i: usize) -> Result<(), Cancelled> {
        if i.is_multiple_of(BLOCK) { self.check() } else { Ok(()) }
    }

    /// Whether threads share work on so many points.
    pub(super) fn share(&self, points: usize) -> bool {
        points >= self.parallel_from
    }

    /// Calls `f` with blocks of positions that together are 0 to `n`, in parallel if all points are.
    pub(super) fn try_for_blocks<F>(&self, n: usize, f: F) -> Result<(), Cancelled>
    where
        F: Fn(Range<usize>) -> Result<(), Cancelled> + Sync + Send,
    {
        let block = |i: usize| {
            self.check()?;
            f(i * BLOCK..n.min((i + 1) * BLOCK))
        };
        let blocks = 0..n.div_ceil(BLOCK);
        if self.parallel {
            blocks.into_par_iter().try_for_each(block)
        } else {
            blocks.into_iter().try_for_each(block)
        }
    }

    /// Does both, at the same time if they are about enough points.
    #[inline]
    pub(super) fn join<A, B, X, Y>(&self, points: usize, a: A, b: B) -> Result<(X, Y), Cancelled>
    where
        A: FnOnce() -> Result<X, Cancelled> + Send,
        B: FnOnce() -> Result<Y, Cancelled> + Send,
        X: Send,
        Y: Send,
    {
        if self.share(points) {
            let (a, b) = rayon::join(a, b);
            Ok((a?, b?))
        } else {
            Ok((a()?, b()?))
        }
    }
}
