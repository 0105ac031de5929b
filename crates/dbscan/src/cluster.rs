//! The call that clusters: its steps in order, in a version for the metric and the dimension of the points.

use crate::components::Components;
use crate::context::Context;
use crate::control::Control;
use crate::error::{Cancelled, Error};
use crate::labels::{LabelBuilder, Labels};
use crate::metric::{Chebyshev, Euclidean, Manhattan, Metric, ReducedDistance};
use crate::params::Params;
use crate::points::Points;
use crate::statistics::{Clock, Statistics};
use crate::workers::Workers;
use crate::{borders, build, cores, sweep};

/// Clusters `points`, whose order is the order of numbering.
///
/// Sums of weights saturate. Work is shared among the threads of the current rayon pool, except for small inputs;
/// [`dbscan_with`] controls that.
#[expect(
    clippy::missing_panics_doc,
    reason = "the only error is cancellation, and nothing cancels this call"
)]
pub fn dbscan(points: &Points, params: &Params) -> Labels {
    dbscan_with(points, params, &Control::default()).expect("nothing cancels this call")
}

/// The same as [`dbscan`], under the caller's [`Control`].
///
/// # Errors
/// [`Error::Cancelled`] only.
pub fn dbscan_with(points: &Points, params: &Params, control: &Control) -> Result<Labels, Error> {
    let workers = Workers::new(points.len(), control);
    workers.check()?;
    let context = &Context::new(points, params, workers);
    let labels = match params.metric() {
        _ if points.is_empty() => LabelBuilder::noise(0).finish(0, Statistics::default()),
        Metric::Euclidean => by_euclidean(points, context)?,
        Metric::Manhattan => by_other_metric::<Manhattan>(points, context)?,
        Metric::Chebyshev => by_other_metric::<Chebyshev>(points, context)?,
    };
    Ok(labels)
}

/// Points are padded with zeros to one of these dimensions, so that a few compiled versions serve all.
const EUCLIDEAN_DIMENSIONS: [usize; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/// The other metrics are asked for less and have fewer versions.
const OTHER_DIMENSIONS: [usize; 7] = [1, 2, 3, 4, 8, 16, 64];

/// The dimension that points of `dimension` features are padded to.
pub(crate) fn padded(dimension: usize, metric: Metric) -> usize {
    let compiled = match metric {
        Metric::Euclidean => &EUCLIDEAN_DIMENSIONS[..],
        Metric::Manhattan | Metric::Chebyshev => &OTHER_DIMENSIONS,
    };
    compiled.iter().copied().find(|&k| dimension <= k).unwrap_or(Points::MAX_DIMENSION)
}

fn by_euclidean(points: &Points, context: &Context) -> Result<Labels, Cancelled> {
    match padded(points.dimension(), Metric::Euclidean) {
        1 => sweep::cluster::<Euclidean>(points, context),
        2 => by_tree::<2, Euclidean>(points, context),
        3 => by_tree::<3, Euclidean>(points, context),
        4 => by_tree::<4, Euclidean>(points, context),
        6 => by_tree::<6, Euclidean>(points, context),
        8 => by_tree::<8, Euclidean>(points, context),
        12 => by_tree::<12, Euclidean>(points, context),
        16 => by_tree::<16, Euclidean>(points, context),
        24 => by_tree::<24, Euclidean>(points, context),
        32 => by_tree::<32, Euclidean>(points, context),
        48 => by_tree::<48, Euclidean>(points, context),
        _ => by_tree::<64, Euclidean>(points, context),
    }
}

fn by_other_metric<D: ReducedDistance>(points: &Points, context: &Context) -> Result<Labels, Cancelled> {
    match padded(points.dimension(), Metric::Manhattan) {
        1 => sweep::cluster::<D>(points, context),
        2 => by_tree::<2, D>(points, context),
        3 => by_tree::<3, D>(points, context),
        4 => by_tree::<4, D>(points, context),
        8 => by_tree::<8, D>(points, context),
        16 => by_tree::<16, D>(points, context),
        _ => by_tree::<64, D>(points, context),
    }
}

/// Takes steps 1 to 4 of the crate's documentation, for points padded to `K` features.
fn by_tree<const K: usize, D: ReducedDistance>(
    points: &Points,
    context: &Context,
) -> Result<Labels, Cancelled> {
    let (mut statistics, mut clock) = (Statistics::default(), Clock::start());
    let mut tree = build::build::<K, D>(points, context)?;
    statistics.index_time = clock.lap();
    // Up to 2 every pair of neighbours is a pair of core points.
    if context.min_samples > 2 {
        let (core, distances) = cores::find(&tree, context)?;
        tree.set_non_core_aside(core, context)?;
        statistics.distances = distances;
    }
    statistics.cores_time = clock.lap();
    let components = Components::new(&tree);
    let linking = components.link(&tree, context)?;
    statistics.components_time = clock.lap();
    let labels = components.number(&tree, points.len(), context)?;
    let assigning = borders::assign(&tree, &labels, context)?;
    statistics.labels_time = clock.lap();
    statistics.cells = linking.cells;
    statistics.distances += linking.distances + assigning.distances;
    Ok(labels.finish(assigning.borders, statistics))
}
