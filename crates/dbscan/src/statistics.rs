//! The work of a call and the time that it took.

use std::iter::Sum;
use std::ops::Add;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::error::Cancelled;

/// The work of one call of [`dbscan`](crate::dbscan()). Distances and times may differ between equal calls: threads
/// spare each other work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of points.
    pub points: usize,
    /// The number of cells, sets of core points that are known by their box alone to be neighbours of each other (with
    /// `min_samples` up to 2, sets of any points). A point in no such set counts as one. 0 for a single feature, which
    /// needs no cells.
    pub cells: u64,
    /// The number of core points.
    pub core_points: usize,
    /// The number of clusters.
    pub clusters: usize,
    /// The number of points in no cluster.
    pub noise_points: usize,
    /// The number of times that the distance of two points was computed; distances of boxes don't count.
    pub distances: u64,
    /// The time of bringing the points in order: building the tree, or sorting the only feature.
    pub index_time: Duration,
    /// The time of finding the core points.
    pub cores_time: Duration,
    /// The time of joining core points to components.
    pub components_time: Duration,
    /// The time of numbering the clusters and giving them their border points.
    pub labels_time: Duration,
}

/// The work of one part of a step. Parts are added up in the end, so no thread writes to the counters of another one.
#[derive(Clone, Copy, Default)]
pub(crate) struct WorkCounters {
    pub cells: u64,
    pub distances: u64,
    /// The number of border points found.
    pub borders: usize,
}

impl WorkCounters {
    /// The work of `n` parts, done by all threads.
    pub(crate) fn in_parallel(
        n: usize,
        part: impl Fn(usize, &mut Self) -> Result<(), Cancelled> + Sync,
    ) -> Result<Self, Cancelled> {
        let count = |i| {
            let mut counters = Self::default();
            part(i, &mut counters).map(|()| counters)
        };
        (0..n).into_par_iter().map(count).sum()
    }
}

impl Add for WorkCounters {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            cells: self.cells + other.cells,
            distances: self.distances + other.distances,
            borders: self.borders + other.borders,
        }
    }
}

impl Sum for WorkCounters {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Self::add)
    }
}

/// Times one step after the other.
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the last call.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
