//! Medoids: the point of each cluster that is nearest to all of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::control::Control;
use crate::error::{Cancelled, Error};
use crate::labels::Labels;
use crate::metric::{Chebyshev, Euclidean, Manhattan, Metric, ReducedDistance, greater, lesser};
use crate::points::Points;
use crate::workers::Workers;

/// [`medoids`] looks at all points of clusters up to this size, and at a sample of larger ones.
pub const MEDOID_EXACT_UP_TO: usize = 10_000;

/// For each cluster the point with the least sum of distances to all points of its cluster, border points included; of
/// several the first. Weights play no part: a point does not become more central by standing for more rows.
///
/// `labels` must be those of `points`, and `metric` gives the distances: for [`Metric::Euclidean`] the square root, not
/// its square. They are added in the order of the points, so the result does not depend on threads.
///
/// Of a cluster of more than [`MEDOID_EXACT_UP_TO`] points that many are looked at, evenly spaced in the order of the
/// points: the result is the medoid of these.
///
/// The time is between linear and quadratic in the points of a cluster: a point is ruled out without a look at its
/// distances where the triangle inequality does, given the sum of another point (Newling, Fleuret: *A sub-quadratic
/// exact medoid algorithm*, AISTATS 2017). In few dimensions some hundred of 10,000 points are left.
#[expect(
    clippy::missing_panics_doc,
    reason = "the only error is cancellation, and nothing cancels this call"
)]
pub fn medoids(points: &Points, labels: &Labels, metric: Metric) -> Vec<u32> {
    medoids_with(points, labels, metric, &Control::default()).expect("nothing cancels this call")
}

/// The same as [`medoids`], under the caller's [`Control`].
///
/// # Errors
/// [`Error::Cancelled`] only.
pub fn medoids_with(
    points: &Points,
    labels: &Labels,
    metric: Metric,
    control: &Control,
) -> Result<Vec<u32>, Error> {
    let workers = &Workers::new(points.len(), control);
    let medoids = match metric {
        Metric::Euclidean => of_clusters::<Euclidean>(points, labels, workers)?,
        Metric::Manhattan => of_clusters::<Manhattan>(points, labels, workers)?,
        Metric::Chebyshev => of_clusters::<Chebyshev>(points, labels, workers)?,
    };
    Ok(medoids)
}

fn of_clusters<D: ReducedDistance>(
    points: &Points,
    labels: &Labels,
    workers: &Workers,
) -> Result<Vec<u32>, Cancelled> {
    let (members, ends) = members(points, labels, workers)?;
    let medoid = |cluster: usize| {
        workers.check_every(cluster)?;
        let start = cluster.checked_sub(1).map_or(0, |before| ends[before]);
        of_cluster::<D>(points, &members[start as usize..ends[cluster] as usize], workers)
    };
    if workers.parallel {
        (0..labels.clusters()).into_par_iter().map(medoid).collect()
    } else {
        (0..labels.clusters()).map(medoid).collect()
    }
}

/// The points of all clusters, one cluster after the other, in each of them in order; and where each cluster ends.
fn members(points: &Points, labels: &Labels, workers: &Workers) -> Result<(Vec<u32>, Vec<u32>), Cancelled> {
    let clusters = &labels.as_slice()[..labels.len().min(points.len())];
    // Counting sort: `ends` holds first the size of each cluster, then its start, in the end its end.
    let mut ends = vec![0; labels.clusters()];
    for (point, &cluster) in clusters.iter().enumerate() {
        workers.check_every(point)?;
        if cluster >= 0 {
            ends[cluster as usize] += 1;
        }
    }
    let mut total = 0;
    for end in &mut ends {
        total += std::mem::replace(end, total);
    }
    let mut members = vec![0; total as usize];
    for (point, &cluster) in clusters.iter().enumerate() {
        workers.check_every(point)?;
        if cluster >= 0 {
            let end = &mut ends[cluster as usize];
            members[*end as usize] = point as u32;
            *end += 1;
        }
    }
    Ok((members, ends))
}

fn of_cluster<D: ReducedDistance>(
    points: &Points,
    members: &[u32],
    workers: &Workers,
) -> Result<u32, Cancelled> {
    if members.len() <= 2 {
        // Two points have the same sum. (There is none only with the labels of other points.)
        return Ok(members.first().copied().unwrap_or_default());
    }
    let spaced: Vec<u32>;
    let members = if members.len() <= MEDOID_EXACT_UP_TO {
        members
    } else {
        let place = |i: usize| members[i * members.len() / MEDOID_EXACT_UP_TO];
        spaced = (0..MEDOID_EXACT_UP_TO).map(place).collect();
        &spaced
    };
    let medoid = Search::<D>::new(points, members).run(workers)?;
    Ok(members[medoid])
}

/// The distances that are taken side by side, several by one instruction.
const BLOCK: usize = 64;

/// The search for the medoid of some points.
struct Search<D> {
    len: usize,
    /// Their features, one after the other.
    columns: Vec<f64>,
    /// A bound below the sum of each point, as bits: those of numbers from 0 on have the same order.
    bounds: Vec<AtomicU64>,
    /// The least sum so far, as bits.
    least: AtomicU64,
    metric: PhantomData<D>,
}

impl<D: ReducedDistance> Search<D> {
    fn new(points: &Points, members: &[u32]) -> Self {
        let len = members.len();
        let mut columns = Vec::with_capacity(len * points.dimension());
        for j in 0..points.dimension() {
            columns.extend(members.iter().map(|&member| points.point(member as usize)[j]));
        }
        Self {
            len,
            columns,
            bounds: (0..len).map(|_| AtomicU64::new(0)).collect(),
            least: AtomicU64::new(f64::INFINITY.to_bits()),
            metric: PhantomData,
        }
    }

    /// The place of the medoid. Threads may see each other's bounds late or never, and look at more points then: the
    /// least sum is the same.
    fn run(&self, workers: &Workers) -> Result<usize, Cancelled> {
        // A point in the middle rules out most of the others.
        let middle = self.middle();
        let first = (self.look_at(middle), middle);
        let look = |i: usize| {
            workers.check()?;
            let open = i != middle && self.is_open(i);
            Ok(if open { (self.look_at(i), i) } else { first })
        };
        let better =
            |a: (f64, usize), b: (f64, usize)| Ok(if b.0 < a.0 || (b.0 <= a.0 && b.1 < a.1) { b } else { a });
        let (_, medoid) = if workers.share(self.len) {
            (0..self.len).into_par_iter().map(look).try_reduce(|| first, better)?
        } else {
            (0..self.len).map(look).try_fold(first, |a, b| better(a, b?))?
        };
        Ok(medoid)
    }

    /// The point nearest to the mean, or about so: any would do.
    fn middle(&self) -> usize {
        let mean = self.columns().map(|column| column.iter().sum::<f64>() / self.len as f64);
        let mut nearest = (f64::INFINITY, 0);
        self.for_distances(&Point::new(mean), |i, distance| {
            if distance < nearest.0 {
                nearest = (distance, i);
            }
        });
        nearest.1
    }

    /// The sum of the distances of a point. Rules out others by it.
    fn look_at(&self, i: usize) -> f64 {
        let at = Point::new(self.columns().map(|column| column[i]));
        let (mut sum, mut nearest, mut farthest) = (0.0, f64::INFINITY, 0.0);
        self.for_distances(&at, |j, distance| {
            sum += distance;
            farthest = greater(farthest, distance);
            nearest = lesser(nearest, if j == i { f64::INFINITY } else { distance });
        });
        let least = f64::from_bits(self.least.fetch_min(sum.to_bits(), Ordering::Relaxed)).min(sum);
        let len = self.len as f64;
        // In many dimensions all distances are much the same and rule out nothing.
        if farthest * len > sum + least || nearest * len < sum - least {
            self.for_distances(&at, |j, distance| {
                if self.is_open(j) {
                    self.bounds[j].fetch_max(bound(sum, distance * len).to_bits(), Ordering::Relaxed);
                }
            });
        }
        sum
    }

    /// Whether a point may still have the least sum.
    fn is_open(&self, i: usize) -> bool {
        self.bounds[i].load(Ordering::Relaxed) <= self.least.load(Ordering::Relaxed)
    }

    fn columns(&self) -> impl Iterator<Item = &[f64]> {
        self.columns.chunks_exact(self.len)
    }

    /// Calls `f` for every point, in order, with its distance from `at`.
    fn for_distances(&self, at: &Point, mut f: impl FnMut(usize, f64)) {
        let mut distances = [0.0; BLOCK];
        for start in (0..self.len).step_by(BLOCK) {
            let len = BLOCK.min(self.len - start);
            let distances = &mut distances[..len];
            distances.fill(0.0);
            for (at, column) in at.0.iter().zip(self.columns()) {
                for (sum, value) in distances.iter_mut().zip(&column[start..start + len]) {
                    *sum = D::add(*sum, at - value);
                }
            }
            for distance in distances.iter_mut() {
                *distance = D::distance(*distance);
            }
            (start..).zip(&*distances).for_each(|(i, &distance)| f(i, distance));
        }
    }
}

/// A point, or the mean of some, padded with zeros.
struct Point([f64; Points::MAX_DIMENSION]);

impl Point {
    fn new(features: impl Iterator<Item = f64>) -> Self {
        let mut at = [0.0; Points::MAX_DIMENSION];
        at.iter_mut().zip(features).for_each(|(at, feature)| *at = feature);
        Self(at)
    }
}

/// A bound below the sum of a point, given the `sum` of another one and their distance times the number of points: by
/// the triangle inequality each distance to the one differs by at most theirs from that to the other.
///
/// The inequality holds for exact numbers. Sums of 10,000 rounded distances are off by less than 1 in 10^11, and by less than
/// 1e-150 where squares underflow; where anything overflows the bound is 0.
fn bound(sum: f64, apart: f64) -> f64 {
    let bound = (sum - apart).abs() - 1e-10 * (sum + apart) - 1e-150;
    if bound.is_finite() { greater(bound, 0.0) } else { 0.0 }
}
