//! The numbers of clusters, core points and noise at each eps of a hierarchy, from the least to the greatest.

use crate::control::Control;
use crate::error::{Cancelled, Error};
use crate::points::Points;
use crate::select::{Coordinates, sort};
use crate::workers::Workers;

use super::Hierarchy;

/// The numbers of one clustering. It is the same up to the eps of the next level.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Level {
    /// The least eps that has this clustering; 0 for the one below all others.
    pub eps: f64,
    /// The number of core points.
    pub core_points: usize,
    /// The number of clusters.
    pub clusters: usize,
    /// The number of points in no cluster.
    pub noise_points: usize,
    /// The weight of the points in no cluster. Sums of weights saturate, here and below.
    pub noise_weight: u64,
    /// The weight of the core points of the cluster that has the most of it. It never falls.
    pub largest_core_weight: u64,
}

/// An eps and the point that it is about.
type Event = (f64, u32);

/// On the only axis that an event has.
impl Coordinates for Event {
    #[inline]
    fn coordinate(&self, _axis: usize) -> f64 {
        self.0
    }
}

/// The clusterings of a hierarchy, upward: first the one below every eps at which anything changes, with the eps 0, and
/// then one for each of these.
///
/// Made by [`Hierarchy::levels`] in O(n log n), and 56 bytes per point; all levels together take O(n).
pub struct Levels<'a> {
    points: &'a Points,
    workers: Workers<'a>,
    into: &'a [u32],
    core: Events,
    clustered: Events,
    merged: Events,
    /// The weight of the points in no cluster; that of 2^32 points of 64 bits each can't overflow.
    noise_weight: u128,
    /// The weight of the core points of the component of which a point is the first.
    weights: Vec<u64>,
    level: Level,
    begun: bool,
}

/// Events in the order of their eps.
struct Events {
    sorted: Vec<Event>,
    done: usize,
}

impl Events {
    fn new(eps: impl ExactSizeIterator<Item = f64>, workers: &Workers) -> Result<Self, Cancelled> {
        let mut sorted = Vec::with_capacity(eps.len());
        for (i, eps) in eps.enumerate() {
            workers.check_every(i)?;
            if eps.is_finite() {
                sorted.push((eps, i as u32));
            }
        }
        sort(&mut sorted, 0, workers)?;
        Ok(Self { sorted, done: 0 })
    }

    fn next_eps(&self) -> f64 {
        self.sorted.get(self.done).map_or(f64::INFINITY, |event| event.0)
    }

    /// The point of the next event, if that is not beyond `eps`.
    fn next(&mut self, eps: f64, workers: &Workers) -> Result<Option<usize>, Cancelled> {
        workers.check_every(self.done)?;
        let next = self.sorted.get(self.done).filter(|event| event.0 <= eps);
        self.done += usize::from(next.is_some());
        Ok(next.map(|event| event.1 as usize))
    }
}

impl Hierarchy {
    /// The clusterings at every eps in numbers, of the `points` that the hierarchy is of.
    ///
    /// # Errors
    /// [`Error::Cancelled`] only; the same goes for each level.
    pub fn levels<'a>(&'a self, points: &'a Points, control: &Control<'a>) -> Result<Levels<'a>, Error> {
        let workers = Workers::new(points.len(), control);
        let mut noise_weight = 0;
        for i in 0..points.len() {
            workers.check_every(i)?;
            noise_weight += u128::from(points.weight(i));
        }
        Ok(Levels {
            points,
            into: &self.into,
            core: Events::new(self.core.iter().copied(), &workers)?,
            clustered: Events::new((0..self.len()).map(|i| self.clustered(i)), &workers)?,
            merged: Events::new(self.merged.iter().copied(), &workers)?,
            workers,
            weights: vec![0; points.len()],
            level: Level { noise_points: points.len(), ..Level::default() },
            noise_weight,
            begun: false,
        })
    }
}

impl Levels<'_> {
    fn rise_to(&mut self, eps: f64) -> Result<Level, Cancelled> {
        let Self { points, workers, level, weights, noise_weight, .. } = self;
        level.eps = eps;
        while let Some(point) = self.core.next(eps, workers)? {
            weights[point] = points.weight(point);
            level.core_points += 1;
            level.clusters += 1;
            level.largest_core_weight = level.largest_core_weight.max(weights[point]);
        }
        while let Some(point) = self.clustered.next(eps, workers)? {
            level.noise_points -= 1;
            *noise_weight -= u128::from(points.weight(point));
        }
        level.noise_weight = u64::try_from(*noise_weight).unwrap_or(u64::MAX);
        while let Some(point) = self.merged.next(eps, workers)? {
            let first = self.into[point] as usize;
            weights[first] = weights[first].saturating_add(weights[point]);
            level.clusters -= 1;
            level.largest_core_weight = level.largest_core_weight.max(weights[first]);
        }
        Ok(*level)
    }
}

impl Iterator for Levels<'_> {
    type Item = Result<Level, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let eps = [&self.core, &self.clustered, &self.merged].map(Events::next_eps);
        let next = eps.into_iter().fold(f64::INFINITY, f64::min);
        let eps = if std::mem::replace(&mut self.begun, true) { next } else { 0.0 };
        eps.is_finite().then(|| self.rise_to(eps).map_err(Error::from))
    }
}
