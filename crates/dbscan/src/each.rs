//! Several eps in one call: one index, and components that only grow from one eps to the next.
//!
//! A finding at one eps holds at all greater ones: who is core, and which points are in one component. So the points of a node
//! are compared again only from the eps on at which two of them may meet that have not yet (`components`), and only the
//! clusters that have grown are looked at before all are numbered (`numbering`). Border points alone are searched for anew.
//!
//! So a list of 32 eps over all that changes takes some five times as long as one [`dbscan`](crate::dbscan()), and one of eps near each
//! other, all of which join clusters everywhere, seven to nine times.

use crate::components::Components;
use crate::context::Context;
use crate::control::Control;
use crate::dimension::{self, Computation};
use crate::error::{Cancelled, Error};
use crate::hierarchy::core_distances;
use crate::labels::{LabelBuilder, Labels};
use crate::metric::{Metric, ReducedDistance};
use crate::numbering::Numbering;
use crate::params::Params;
use crate::points::Points;
use crate::statistics::{Clock, Statistics};
use crate::workers::Workers;
use crate::{borders, build, cores};

/// Up to this `min_samples` core points are found for all eps at once, by their core distances.
const FEW: u64 = 64;

/// Clusters `points` at each eps of a list, in ascending order, and calls `visit` with the place of the eps in the list and
/// what [`dbscan`](crate::dbscan()) says there.
///
/// It takes less time than as many calls: the tree is built once, and points that are in one component at some eps are so at
/// all greater ones. [`hierarchy()`](crate::hierarchy()) knows all eps, but not the clusters of border points.
///
/// ```
/// use dbcluster_dbscan::{Control, Error, Metric, Points, dbscan_each};
///
/// let points = Points::from_rows(vec![0.0, 1.0, 3.0, 9.0], 1)?;
/// let mut clusters = [0; 3];
/// dbscan_each(&points, &[6.0, 0.5, 1.0], 2, Metric::Euclidean, &Control::default(), |place, labels| {
///     clusters[place] = labels.clusters();
/// })?;
/// assert_eq!(clusters, [1, 0, 1]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Eps`] and [`Error::MinSamples`] for what [`Params::try_new`] refuses, and [`Error::Cancelled`].
pub fn dbscan_each(
    points: &Points,
    list: &[f64],
    min_samples: u64,
    metric: Metric,
    control: &Control,
    visit: impl FnMut(usize, &Labels),
) -> Result<(), Error> {
    let mut ascending = Vec::with_capacity(list.len());
    for (place, &eps) in list.iter().enumerate() {
        ascending.push((Params::try_new(eps, min_samples)?.with_metric(metric), place));
    }
    ascending.sort_by(|(a, _), (b, _)| a.eps().total_cmp(&b.eps()));
    let workers = Workers::new(points.len(), control);
    workers.check()?;
    let context = Context::of_every_eps(points, min_samples, workers);
    let each = Each { points, ascending, context, visit };
    Ok(dimension::compute(each, points.dimension(), metric)?)
}

struct Each<'a, V> {
    points: &'a Points,
    ascending: Vec<(Params, usize)>,
    context: Context<'a>,
    visit: V,
}

impl<V: FnMut(usize, &Labels)> Computation for Each<'_, V> {
    type Output = Result<(), Cancelled>;

    fn run<const K: usize, D: ReducedDistance>(self) -> Self::Output {
        let Self { points, ascending, mut context, mut visit } = self;
        if points.is_empty() {
            let labels = LabelBuilder::noise(0).finish(0, Statistics::default());
            for (_, place) in ascending {
                visit(place, &labels);
            }
            return Ok(());
        }
        let mut clock = Clock::start();
        let mut tree = build::build::<K, D>(points, &context)?;
        let mut components = Components::of_every_eps(&tree);
        // Up to 2 every pair of neighbours is a pair of core points, and all points stay in the tree.
        let counted = context.min_samples > 2;
        let at_once = counted && context.min_samples <= FEW;
        // The reduced distance from which on the point at each position is core, as far as that is known.
        let mut core = vec![f64::NAN; if counted { points.len() } else { 0 }];
        let mut grown = vec![false; if counted { tree.nodes.len() } else { 0 }];
        if at_once {
            core_distances(&tree, points, &mut core, &context)?;
            tree.set_all_aside(&context)?;
        }
        let mut numbering = Numbering::new(points.len(), &context)?;
        let mut labels = LabelBuilder::of_every_eps(points.len());
        if !counted {
            numbering.add_all(&tree, &mut labels, &context)?;
        }
        let mut index_time = clock.lap();
        for (params, place) in ascending {
            let mut statistics =
                Statistics { index_time: std::mem::take(&mut index_time), ..Statistics::default() };
            clock.lap();
            context.reach = D::reach(params.eps());
            if counted && !at_once {
                // All points count, whether they were core before or not.
                tree.take_in(&mut core, |_| true, &mut grown, &context)?;
                let (is_core, distances) = cores::find(&tree, &context)?;
                for (i, (distance, is_core)) in core.iter_mut().zip(is_core).enumerate() {
                    context.workers.check_every(i)?;
                    *distance = if is_core { 0.0 } else { f64::NAN };
                }
                tree.set_all_aside(&context)?;
                statistics.distances = distances;
            }
            if counted {
                let reach = context.reach;
                tree.take_in(&mut core, |&distance| distance <= reach, &mut grown, &context)?;
                components.forget((0..grown.len()).filter(|&node| grown[node]));
                numbering.add_new(&tree, &grown, &mut labels, &context)?;
            }
            statistics.cores_time = clock.lap();
            let linking = components.link(&tree, &context)?;
            statistics.components_time = clock.lap();
            numbering.join(&components, &mut labels, &context)?;
            numbering.number(&mut labels, &context)?;
            let assigning = borders::assign_by_components(&tree, &labels, &components, &numbering, &context)?;
            statistics.labels_time = clock.lap();
            statistics.cells = linking.cells;
            statistics.distances += linking.distances + assigning.distances;
            let visited = labels.finish(assigning.borders, statistics);
            visit(place, &visited);
            labels = LabelBuilder::of_labels(visited);
        }
        Ok(())
    }
}
