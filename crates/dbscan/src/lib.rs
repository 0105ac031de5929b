//! Exact DBSCAN over weighted points, in memory.
//!
//! A point is *core* when the points within `eps` of it, itself included, weigh at least `min_samples`. Clusters are
//! the connected components of the core points; a point near a core point, but not core itself, is on the *border* of
//! that one's cluster; everything else is noise (Ester, Kriegel, Sander, Xu: *A density-based algorithm for discovering
//! clusters*, KDD 1996).
//!
//! # What the labels are
//!
//! They are those of `sklearn.cluster.DBSCAN(algorithm="kd_tree")` for the points in their order, numbers included:
//!
//! - Two points are neighbours when their distance is within `eps`, inclusive, by the [`Metric`]: the sum of their
//!   squared differences is `<= eps * eps`, or the sum, or the largest, of their differences without sign is `<= eps`.
//!   Sums are added in column order in `f64`. There is no tolerance. What underflows to 0 or overflows to infinity
//!   means what it says.
//! - Clusters are numbered 0, 1, 2, ... in the order of their first core points.
//! - A border point belongs to the lowest-numbered cluster with a core point within eps.
//! - A point of weight `w` stands for `w` equal points.
//!
//! The points are taken as they are: [`Points::scale`] and [`Points::multiply`] come before, and give the same bits in
//! every order of the points.
//!
//! scikit-learn differs in one corner of the Euclidean metric: its tree takes a whole node when the square root of a
//! squared distance is `<= eps`, so a pair exactly one rounding beyond eps counts or not depending on the other points.
//! Here it never does.
//!
//! # How they are found
//!
//! The textbook asks for the neighbours of every point, and a dense spot of n points has n² of them. As in the grid
//! methods (Gan, Tao: *DBSCAN revisited*, SIGMOD 2015, and TODS 2017; Wang, Gu, Shun: *Theoretically-efficient and
//! practical parallel DBSCAN*, SIGMOD 2020) no neighbour is ever listed. Points are put in *cells*, sets whose points
//! are all neighbours of each other:
//!
//! 1. `build` makes one kd-tree over the points: the upper levels from a sample, all at once, the lower ones each in
//!    its own corner of memory. Where the box of a node (`tree`, `bounds`) has a diagonal within eps, the node is a cell. There is
//!    no grid, so nothing depends on how eps compares to the range of the data, nor on the dimension.
//! 2. `cores` decides who is core: all of a cell that weighs enough, without looking at its points; of the rest each
//!    point, but only until its neighbours weigh enough. The other points are set aside in their leaves.
//! 3. `components` joins the core points with a walk over pairs of nodes. It ends where two nodes are in one component
//!    already, where their boxes are further apart than eps, or within eps as a whole; so between two cells it ends at
//!    the first pair within eps.
//! 4. `labels` numbers the components, and `borders` looks for the lowest cluster near each of the other points.
//!
//! With `min_samples` of at most 2 every two neighbours are core, so steps 2 and 4 have no other points to care for. A
//! single feature needs no tree: `sweep`.
//!
//! Pruning is exact because rounding is monotone: boxes are tight, and distances of boxes take the operations of the
//! distance of points in the same order, so they bound it to the last bit. So nothing but `metric` knows what a
//! distance is, and the metric is known when the steps are compiled.
//!
//! Building takes O(n log n), and every step is shared by all threads. The rest is near-linear for a small
//! `min_samples` in few dimensions, and does not grow with the number of pairs within eps: Schubert et al. (*DBSCAN
//! revisited, revisited*, TODS 2017) call such an eps a bad choice, but a query may ask for it. Two things take
//! longer: a `min_samples` of thousands, which points in less dense places count up to in vain, and more than some 10
//! features, where boxes prune little. Memory is linear in the points, see [`memory_required`]. Scaling sorts each
//! feature where it has to, in O(n log n); [`medoids`](medoids()) tells its own cost.
//!
//! The labels don't depend on threads: components are sets, whoever joins them first.

mod borders;
mod bounds;
mod build;
mod column;
mod components;
mod cores;
mod labels;
mod medoids;
mod metric;
mod params;
mod points;
mod scaling;
mod select;
mod statistics;
mod sweep;
mod tree;
mod workers;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};

pub use labels::{Labels, PointType};
pub use medoids::{MEDOID_EXACT_UP_TO, medoids};
pub use metric::Metric;
pub use params::{InvalidParams, Params};
pub use points::{InvalidPoints, Points};
pub use scaling::Scaling;
pub use statistics::Statistics;

use components::Components;
use labels::Draft;
use metric::{Chebyshev, Euclidean, Manhattan, ReducedDistance};
use statistics::Clock;
use workers::Workers;

/// Clusters `points`, whose order is the order of numbering.
///
/// `weights` has one count of equal rows per point, at least 1; where it is absent or short a point weighs 1. Sums of
/// weights saturate. Uses the threads of the current rayon pool, except for small inputs. Setting `cancel` makes the
/// call return [`Cancelled`] soon, and is the only way to get no labels.
pub fn dbscan(
    points: &Points,
    weights: Option<&[u64]>,
    params: &Params,
    cancel: &AtomicBool,
) -> Result<Labels, Cancelled> {
    cluster(points, weights, params, Workers::new(points.len(), cancel))
}

fn cluster(
    points: &Points,
    weights: Option<&[u64]>,
    params: &Params,
    workers: Workers,
) -> Result<Labels, Cancelled> {
    workers.check()?;
    let run = &Run::new(params, weights, workers);
    match params.metric() {
        _ if points.is_empty() => Ok(Draft::noise(0).finish(0, Statistics::default())),
        Metric::Euclidean => by_euclidean(points, run),
        Metric::Manhattan => by_other::<Manhattan>(points, run),
        Metric::Chebyshev => by_other::<Chebyshev>(points, run),
    }
}

/// The dimensions that points are padded to with zeros, so that a few compiled versions serve all: more of them for
/// the metric that is asked for most.
const EUCLIDEAN: [usize; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const OTHERS: [usize; 7] = [1, 2, 3, 4, 8, 16, 64];

fn padded(dimension: usize, compiled: &[usize]) -> usize {
    compiled.iter().copied().find(|&k| dimension <= k).unwrap_or(Points::MAX_DIMENSION)
}

fn by_euclidean(points: &Points, run: &Run) -> Result<Labels, Cancelled> {
    match padded(points.dimension(), &EUCLIDEAN) {
        1 => sweep::cluster::<Euclidean>(points, run),
        2 => by_tree::<2, Euclidean>(points, run),
        3 => by_tree::<3, Euclidean>(points, run),
        4 => by_tree::<4, Euclidean>(points, run),
        6 => by_tree::<6, Euclidean>(points, run),
        8 => by_tree::<8, Euclidean>(points, run),
        12 => by_tree::<12, Euclidean>(points, run),
        16 => by_tree::<16, Euclidean>(points, run),
        24 => by_tree::<24, Euclidean>(points, run),
        32 => by_tree::<32, Euclidean>(points, run),
        48 => by_tree::<48, Euclidean>(points, run),
        _ => by_tree::<64, Euclidean>(points, run),
    }
}

fn by_other<D: ReducedDistance>(points: &Points, run: &Run) -> Result<Labels, Cancelled> {
    match padded(points.dimension(), &OTHERS) {
        1 => sweep::cluster::<D>(points, run),
        2 => by_tree::<2, D>(points, run),
        3 => by_tree::<3, D>(points, run),
        4 => by_tree::<4, D>(points, run),
        8 => by_tree::<8, D>(points, run),
        16 => by_tree::<16, D>(points, run),
        _ => by_tree::<64, D>(points, run),
    }
}

/// Steps 1 to 4 for points padded to `K` features.
fn by_tree<const K: usize, D: ReducedDistance>(points: &Points, run: &Run) -> Result<Labels, Cancelled> {
    let (mut statistics, mut clock) = (Statistics::default(), Clock::start());
    let mut tree = build::build::<K, D>(points, run)?;
    statistics.index_time = clock.lap();
    // Up to 2 every pair of neighbours is a pair of core points.
    if run.min_samples > 2 {
        let (core, distances) = cores::find(&tree, run)?;
        tree.set_others_aside(core, run)?;
        statistics.distances = distances;
    }
    statistics.cores_time = clock.lap();
    let (components, linking) = Components::link(&tree, run)?;
    statistics.components_time = clock.lap();
    let labels = components.number(&tree, points.len(), run)?;
    let assigning = borders::assign(&tree, &labels, run)?;
    statistics.labels_time = clock.lap();
    statistics.cells = linking.cells;
    statistics.distances += linking.distances + assigning.distances;
    Ok(labels.finish(assigning.borders, statistics))
}

/// An upper bound of the bytes that [`dbscan`] allocates for so many points of this dimension, its result included, its
/// arguments not. It covers [`Points::scale`] before and [`medoids`](medoids()) after it, beside the labels. Linear in
/// the points.
pub fn memory_required(points: usize, dimension: usize, metric: Metric) -> usize {
    let padded = padded(dimension, compiled(metric));
    let item = item_bytes(padded);
    // The most is held while clusters are numbered: the label (9), who is core (1), a set and its first member (8).
    // Dealing the points takes less, the part (2) and a place for each block in each part (3), and nodes come later.
    let steps = if padded == 1 {
        // The core points and the others.
        2 * item + 9
    } else {
        // At most one node for four points and four for each part, each with a weight, a lowest cluster or a component.
        item + (node_bytes(padded) + 8) * (build::PART + 16) / (4 * build::PART) + 1 + 18
    };
    // Scaling sorts one feature with its weights (16), which is less than this. Beside the labels (9) medoids hold a copy
    // of the points (8 per feature), which of them (4) and their bounds (8), the members of clusters (4 + 4), and the
    // result, in parts and whole (4 + 4).
    let medoids = 9 + 8 * dimension + 12 + 16;
    // Constant: a few nodes even for a few points, and what threads have in work.
    points.saturating_mul(steps.max(medoids)).saturating_add(4 * (node_bytes(padded) + 8) + (1 << 16))
}

/// The dimensions that this metric is compiled for.
fn compiled(metric: Metric) -> &'static [usize] {
    if metric == Metric::Euclidean { &EUCLIDEAN } else { &OTHERS }
}

fn item_bytes(padded: usize) -> usize {
    8 * padded + 8
}

fn node_bytes(padded: usize) -> usize {
    16 * padded + 16
}

/// The call was cancelled: there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("clustering was cancelled")
    }
}

impl Error for Cancelled {}

/// Zeros that threads may write to. The system has them at hand and gives each page to the thread that touches it first:
/// nothing is written here.
fn zeros(len: usize) -> Vec<AtomicU32> {
    vec![0; len].into_iter().map(AtomicU32::new).collect()
}

/// How many equal points a point stands for. Never 0: with `min_samples` up to 2 every pair of neighbours must be
/// enough.
#[inline]
fn weight_of(weights: Option<&[u64]>, point: usize) -> u64 {
    weights.and_then(|weights| weights.get(point)).map_or(1, |&weight| weight.max(1))
}

/// What all steps of one call need to know.
struct Run<'a> {
    /// What reduced distances are compared with, inclusive.
    reach: f64,
    min_samples: u64,
    weights: Option<&'a [u64]>,
    workers: Workers<'a>,
}

impl<'a> Run<'a> {
    fn new(params: &Params, weights: Option<&'a [u64]>, workers: Workers<'a>) -> Self {
        let reach = params.metric().reach(params.eps());
        Self { reach, min_samples: params.min_samples(), weights, workers }
    }

    #[inline]
    fn weight(&self, point: u32) -> u64 {
        weight_of(self.weights, point as usize)
    }
}
