//! Every eps at once: what `dbscan` says at each eps, out of one minimum spanning tree.
//!
//! Let core(p) be the smallest distance within which the neighbours of p weigh at least `min_samples`, and near(p) the least
//! over all other points q of max(core(q), d(p, q)). At eps p is core if core(p) is within it, and in a cluster if
//! core(p) or near(p) is. Two core points are in one cluster if a chain of core points joins them in which each step is within
//! eps. With the *mutual reachability distance* max(core(p), core(q), d(p, q)) that is a chain of steps within eps, and
//! of all chains one in the *minimum spanning tree* has the smallest longest step (Campello, Moulavi, Sander:
//! *Density-based clustering based on hierarchical density estimates*, PAKDD 2013). So the two distances of each point
//! and the edges of one tree tell cores, clusters and noise at every eps.
//!
//! 1. `density` finds the core distances, and a few nearest neighbours of each point.
//! 2. `boruvka` finds near(p) and the tree.
//! 3. `merges` brings the tree into a form in which the clusters at an eps are read off in one pass.
//!
//! All distances are reduced until the end, and then told as the least eps that reaches them (`eps`): so nothing at any eps
//! depends on rounding, and what is said is to the bit what [`dbscan`](crate::dbscan()) says.

mod boruvka;
mod density;
mod levels;
mod merges;
mod outgoing;
mod walk;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::build;
use crate::context::Context;
use crate::control::Control;
use crate::dimension::{self, Computation};
use crate::eps::least_eps;
use crate::error::{Cancelled, Error};
use crate::metric::{Metric, ReducedDistance, lesser};
use crate::points::Points;
use crate::tree::Tree;
use crate::workers::Workers;

use boruvka::Edge;
use density::Near;
use merges::Merges;

pub use levels::{Level, Levels};

/// The clusterings of some points at every eps.
///
/// An eps that is told here is the least one, among all `f64` above 0, at which something holds: given back to
/// [`dbscan`](crate::dbscan()) it gives the same rows, and the next lower number does not. It is told as 0 where something
/// holds at every eps, and as `None` where it holds at none.
///
/// ```
/// use dbcluster_dbscan::{Error, Metric, Points, hierarchy};
///
/// let points = Points::from_rows(vec![0.0, 1.0, 3.0, 9.0], 1)?;
/// let hierarchy = hierarchy(&points, 2, Metric::Euclidean)?;
/// assert_eq!(hierarchy.clustered_eps(2), Some(2.0));
/// assert_eq!(hierarchy.core_labels(1.5), [0, 0, -1, -1]);
/// assert_eq!(hierarchy.core_labels(6.0), [0, 0, 0, 0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// The eps of core(p), infinity where no finite one reaches it; here and below.
    core: Vec<f64>,
    /// The eps of near(p).
    near: Vec<f64>,
    /// The eps at which the point ceases to be the first of its component.
    merged: Vec<f64>,
    /// The first point of the component then.
    into: Vec<u32>,
}

/// Finds the clusterings of `points` at every eps.
///
/// It takes O(n log n) time in few dimensions for a small `min_samples`, some 10 times that of one [`dbscan`](crate::dbscan()),
/// and memory linear in the points, see [`hierarchy_memory_required`](crate::hierarchy_memory_required). A `min_samples` of
/// thousands makes each point look at as many others. The result does not depend on threads.
///
/// # Errors
/// [`Error::MinSamples`] if `min_samples` is 0.
pub fn hierarchy(points: &Points, min_samples: u64, metric: Metric) -> Result<Hierarchy, Error> {
    hierarchy_with(points, min_samples, metric, &Control::default())
}

/// The same as [`hierarchy`], under the caller's [`Control`].
///
/// # Errors
/// Those of [`hierarchy`], and [`Error::Cancelled`].
pub fn hierarchy_with(
    points: &Points,
    min_samples: u64,
    metric: Metric,
    control: &Control,
) -> Result<Hierarchy, Error> {
    if min_samples == 0 {
        return Err(Error::MinSamples(min_samples));
    }
    let workers = Workers::new(points.len(), control);
    workers.check()?;
    let context = &Context::of_every_eps(points, min_samples, workers);
    if !enough(points, context)? {
        // No point is core at any eps.
        return Ok(Hierarchy::without_cores(points.len()));
    }
    Ok(dimension::compute(Build { points, context }, points.dimension(), metric)?)
}

/// Whether all points together weigh `min_samples`.
fn enough(points: &Points, context: &Context) -> Result<bool, Cancelled> {
    let mut weight = 0_u128;
    for i in 0..points.len() {
        context.workers.check_every(i)?;
        weight += u128::from(points.weight(i));
    }
    Ok(weight >= u128::from(context.min_samples))
}

/// The reduced core distances of the points of a tree, by position; they stay as they are where no point is core at any eps.
pub(crate) fn core_distances<const K: usize, D: ReducedDistance>(
    tree: &Tree<K, D>,
    points: &Points,
    core: &mut [f64],
    context: &Context,
) -> Result<(), Cancelled> {
    if enough(points, context)? {
        let mut neighbours = build::filled(Near::UNUSED, core.len(), context)?;
        density::find(tree, core, &mut neighbours, context)?;
    }
    Ok(())
}

/// The building of a hierarchy.
struct Build<'a> {
    points: &'a Points,
    context: &'a Context<'a>,
}

impl Computation for Build<'_> {
    type Output = Result<Hierarchy, Cancelled>;

    fn run<const K: usize, D: ReducedDistance>(self) -> Self::Output {
        let Self { points, context } = self;
        let len = points.len();
        let tree = build::build::<K, D>(points, context)?;
        let mut core = vec![0.0; len];
        let mut near = build::filled(f64::INFINITY, len, context)?;
        let mut edges = {
            let mut neighbours = build::filled(Near::UNUSED, len, context)?;
            density::find(&tree, &mut core, &mut neighbours, context)?;
            if len < 2 { Vec::new() } else { boruvka::span(&tree, &core, &neighbours, &mut near, context)? }
        };
        // From here on by point, in eps.
        let number = |position: u32| tree.items[position as usize].index;
        for_all(&mut edges, context, |edge: &mut Edge| {
            edge.weight = least_eps::<D>(edge.weight);
        })?;
        let of_points = |mut reduced: Vec<f64>| {
            for_all(&mut reduced, context, |distance: &mut f64| *distance = least_eps::<D>(*distance))?;
            let mut of_points = vec![0.0; len];
            for (position, eps) in reduced.into_iter().enumerate() {
                context.workers.check_every(position)?;
                of_points[number(position as u32) as usize] = eps;
            }
            Ok(of_points)
        };
        let (Merges { eps: merged, into }, (core, near)) = context.workers.join(
            len,
            || Merges::new(edges, len, number, &context.workers),
            || Ok((of_points(core)?, if len < 2 { near } else { of_points(near)? })),
        )?;
        Ok(Hierarchy { core, near, merged, into })
    }
}

/// Changes all values, by all threads.
fn for_all<T: Send>(
    values: &mut [T],
    context: &Context,
    change: impl Fn(&mut T) + Sync + Send,
) -> Result<(), Cancelled> {
    let change_all = |values: &mut [T]| {
        context.workers.check()?;
        values.iter_mut().for_each(&change);
        Ok(())
    };
    if context.workers.parallel {
        values.par_chunks_mut(1 << 14).try_for_each(change_all)
    } else {
        values.chunks_mut(1 << 14).try_for_each(change_all)
    }
}

impl Hierarchy {
    fn without_cores(points: usize) -> Self {
        let Merges { eps: merged, into } = Merges::none(points);
        Self { core: vec![f64::INFINITY; points], near: vec![f64::INFINITY; points], merged, into }
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }

    /// The least eps at which point `i` is core. `i` must be below [`Hierarchy::len`], here and below.
    pub fn core_eps(&self, i: usize) -> Option<f64> {
        finite(self.core[i])
    }

    /// The least eps at which another point is core and within eps of point `i`.
    pub fn near_eps(&self, i: usize) -> Option<f64> {
        finite(self.near[i])
    }

    /// The least eps at which point `i` is in a cluster.
    pub fn clustered_eps(&self, i: usize) -> Option<f64> {
        finite(self.clustered(i))
    }

    fn clustered(&self, i: usize) -> f64 {
        lesser(self.core[i], self.near[i])
    }

    /// The eps at which point `i`, once it is core, ceases to be the first core point of its cluster, and the one that
    /// is the first then, of a lower number. None for a point that is the first of all, at every eps at which it is core.
    pub fn merge(&self, i: usize) -> Option<(f64, usize)> {
        finite(self.merged[i]).map(|eps| (eps, self.into[i] as usize))
    }

    /// The clusters of the core points at `eps`, as [`dbscan`](crate::dbscan()) numbers them; -1 for all other points.
    pub fn core_labels(&self, eps: f64) -> Vec<i64> {
        let mut labels = Vec::with_capacity(self.len());
        let mut clusters = 0;
        for i in 0..self.len() {
            labels.push(if self.core[i] > eps {
                -1
            } else if self.merged[i] <= eps {
                // Of a lower number, so it has its label.
                labels[self.into[i] as usize]
            } else {
                clusters += 1;
                clusters - 1
            });
        }
        labels
    }
}

fn finite(eps: f64) -> Option<f64> {
    eps.is_finite().then_some(eps)
}
