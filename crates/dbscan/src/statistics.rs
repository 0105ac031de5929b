//! What a call did and how long it took, for whoever wonders where the time goes.

use std::iter::Sum;
use std::ops::Add;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Cancelled;

/// The figures of one call of [`dbscan`](super::dbscan()). Distances and times may differ between equal calls: threads
/// spare each other work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// The points.
    pub points: usize,
    /// How many sets of points that are all neighbours of each other, known by their box alone, the core points make
    /// (with `min_samples` up to 2 all points); those in no such set are one each. 0 for a single feature, which needs
    /// none.
    pub cells: u64,
    /// The core points.
    pub core_points: usize,
    /// The clusters.
    pub clusters: usize,
    /// The points in no cluster.
    pub noise_points: usize,
    /// How many times the distance of two points was computed; distances from and between boxes don't count.
    pub distances: u64,
    /// Bringing the points in order: building the tree, or sorting the only feature.
    pub index_time: Duration,
    /// Finding the core points.
    pub cores_time: Duration,
    /// Joining core points to components.
    pub components_time: Duration,
    /// Numbering the clusters and giving them their border points.
    pub labels_time: Duration,
}

/// What part of a step has done: the parts' tallies are added up in the end, so no thread writes where another one
/// does.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub cells: u64,
    pub distances: u64,
    /// Border points found.
    pub borders: usize,
}

impl Tally {
    /// That of `n` parts, done by all threads.
    pub(super) fn of_all(
        n: usize,
        part: impl Fn(usize, &mut Self) -> Result<(), Cancelled> + Sync,
    ) -> Result<Self, Cancelled> {
        let tally = |i| {
            let mut tally = Self::default();
            part(i, &mut tally).map(|()| tally)
        };
        (0..n).into_par_iter().map(tally).sum()
    }
}

impl Add for Tally {
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

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Self::add)
    }
}

/// Times one step after the other.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the last call.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
