//! The caller's control over a call while it runs.

use std::sync::atomic::AtomicBool;

/// Calls with fewer points stay on one thread: below, sharing costs more than it gives.
const PARALLEL_FROM: usize = 4096;

/// The flag of calls that nobody cancels.
static NEVER: AtomicBool = AtomicBool::new(false);

/// The flag that stops a call, and the threads that it may use.
///
/// By default nothing stops a call, and it shares its work among the threads of the current rayon pool, from some
/// thousand points on; `rayon::ThreadPool::install` chooses another pool. Results are the same with any number of
/// threads.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use dbcluster_dbscan::{Control, Error, Params, Points, dbscan_with};
///
/// let points = Points::from_rows(vec![0.0, 1.0, 2.0], 1)?;
/// let cancel = AtomicBool::new(true); // another thread may set it at any time
/// let control = Control::default().with_cancel(&cancel);
/// assert_eq!(dbscan_with(&points, &Params::try_new(1.0, 2)?, &control), Err(Error::Cancelled));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Control<'a> {
    pub(crate) cancel: &'a AtomicBool,
    /// Work on this many points is shared among threads.
    pub(crate) parallel_from: usize,
}

impl Default for Control<'_> {
    fn default() -> Self {
        Self { cancel: &NEVER, parallel_from: PARALLEL_FROM }
    }
}

impl<'a> Control<'a> {
    /// Makes calls return [`Error::Cancelled`](crate::Error::Cancelled) some milliseconds after `cancel` was set.
    #[must_use]
    pub fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self { cancel, ..self }
    }

    /// Keeps calls on the thread that makes them.
    #[must_use]
    pub fn on_one_thread(self) -> Self {
        Self { parallel_from: usize::MAX, ..self }
    }

    /// Shares even the smallest work, so that tests with few points see threads.
    #[cfg(test)]
    pub(crate) fn with_parallel_from(self, parallel_from: usize) -> Self {
        Self { parallel_from, ..self }
    }
}
