//! The threads that work on a call, until they are done or told to stop.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Cancelled;

/// The points that one thread takes at a time, and after which it looks at the flag: some 100 µs.
const BLOCK: usize = 1 << 14;

/// The threads of one call, and the flag that stops them.
///
/// Every loop over points looks at the flag now and then, so that a cancelled call ends within some milliseconds, however
/// many points there are. With a million points of two features, the longest that a thread of a hierarchy, its levels, a list of
/// eps or an index of core points worked between two looks was 23 ms: it filled fresh memory.
pub(crate) struct Workers<'a> {
    cancel: &'a AtomicBool,
    /// Work on this many points is shared among threads.
    pub parallel_from: usize,
    /// Whether all points are enough for threads to share them.
    pub parallel: bool,
}

impl<'a> Workers<'a> {
    /// The workers of a call about this many points.
    pub(crate) fn new(points: usize, control: &Control<'a>) -> Self {
        let Control { cancel, parallel_from } = *control;
        Self { cancel, parallel_from, parallel: points >= parallel_from }
    }

    /// An error if the call was cancelled.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    /// [`Workers::check`] once in [`BLOCK`] steps of a loop over points.
    #[inline]
    pub(crate) fn check_every(&self, i: usize) -> Result<(), Cancelled> {
        if i.is_multiple_of(BLOCK) { self.check() } else { Ok(()) }
    }

    /// Whether threads share work on this many points.
    pub(crate) fn share(&self, points: usize) -> bool {
        points >= self.parallel_from
    }

    /// Calls `f` with blocks of positions that together are 0 to `n`, in parallel if all points are.
    pub(crate) fn try_for_blocks<F>(&self, n: usize, f: F) -> Result<(), Cancelled>
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

    /// Does both, at the same time if they are about enough points to share.
    #[inline]
    pub(crate) fn join<A, B, X, Y>(&self, points: usize, a: A, b: B) -> Result<(X, Y), Cancelled>
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
