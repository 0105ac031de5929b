//! Exact DBSCAN over weighted points, in memory: scikit-learn's labels, with all threads, without lists of neighbours.
//!
//! ```
//! use dbcluster_dbscan::{Error, Params, PointType, Points, dbscan};
//!
//! // Two features per point: a pair, a triple, and a point far from all.
//! let points = Points::from_rows(
//!     vec![9.0, 9.0, 9.5, 9.0, 50.0, 50.0, 0.0, 0.0, 0.0, 0.8, 0.8, 0.0],
//!     2,
//! )?;
//! let labels = dbscan(&points, &Params::try_new(1.0, 2)?);
//!
//! assert_eq!(labels.as_slice(), [0, 0, -1, 1, 1, 1]);
//! assert_eq!(labels.clusters(), 2);
//! assert_eq!(labels.point_type(2), PointType::Noise);
//! # Ok::<(), Error>(())
//! ```
//!
//! - [`Points`] holds the points, row by row or column by column, with [weights](Points::with_weights) where a point
//!   stands for several equal ones. [`Points::scale`] makes features comparable first, [`Points::multiply`] makes some count more.
//! - [`Params`] holds `eps`, `min_samples` and the [`Metric`].
//! - [`Labels`] tells the cluster and the [`PointType`] of each point, and [`Statistics`] of the call.
//! - [`hierarchy`](hierarchy()) tells cores, clusters and noise of every eps at once, and [`dbscan_each`] the labels of a list of eps.
//! - [`Cores`] finds the nearest core point of any place.
//! - [`medoids`](medoids()) finds the most central point of each cluster.
//! - Each call that may take long has a second form, such as [`dbscan_with`], that takes a [`Control`] to stop it.
//! - [`memory_required`] and [`hierarchy_memory_required`] bound the memory of a call before it is made.
//!
//! # DBSCAN
//!
//! A point is *core* when the points within `eps` of it, itself included, weigh at least `min_samples`. Clusters are
//! the connected components of the core points; a point within `eps` of a core point, but not core itself, is on the
//! *border* of that one's cluster; everything else is *noise* (Ester, Kriegel, Sander, Xu: *A density-based algorithm
//! for discovering clusters*, KDD 1996).
//!
//! # The labels
//!
//! They are those of `sklearn.cluster.DBSCAN(algorithm="kd_tree")` for the points in their order, numbers included:
//!
//! - Two points are neighbours when their distance is within `eps`, inclusive, by the [`Metric`]: the sum of their
//!   squared differences is `<= eps * eps`, or the sum, or the largest, of their differences without sign is `<= eps`.
//!   Sums are added in column order in `f64`. There is no tolerance. A distance that underflows to 0 or overflows to
//!   infinity is compared as such.
//! - Clusters are numbered 0, 1, 2, ... in the order of their first core points.
//! - A border point belongs to the lowest-numbered cluster with a core point within eps.
//! - A point of weight `w` stands for `w` equal points.
//!
//! [`Points::scale`] and [`Points::multiply`] give the same bits in every order of the points.
//!
//! scikit-learn differs in one corner of the Euclidean metric: its tree takes a whole node when the square root of a
//! squared distance is `<= eps`, so a pair exactly one rounding beyond eps counts or not depending on the other points.
//! Here it never does.
//!
//! # The algorithm
//!
//! The textbook asks for the neighbours of every point, and a dense spot of n points has n² of them. As in the grid
//! methods (Gan, Tao: *DBSCAN revisited*, SIGMOD 2015, and TODS 2017; Wang, Gu, Shun: *Theoretically-efficient and
//! practical parallel DBSCAN*, SIGMOD 2020) no neighbour is ever listed. Points are put in *cells*, sets whose points
//! are all neighbours of each other:
//!
//! 1. `build` makes one kd-tree over the points: the upper levels from a sample, all at once, the lower ones each in
//!    its own corner of memory. Where the box of a node (`tree`, `bounds`) has a diagonal within eps, the node is a
//!    cell. There is no grid, so nothing depends on how eps compares to the range of the data, nor on the dimension.
//! 2. `cores` decides which points are core: all of a cell that weighs enough, without looking at its points; of the rest each
//!    point, but only until its neighbours weigh enough. The other points are set aside in their leaves.
//! 3. `components` joins the core points with a walk over pairs of nodes. It ends where two nodes are in one component
//!    already, where their boxes are further apart than eps, or within eps as a whole; so between two cells it ends at
//!    the first pair within eps.
//! 4. `labels` numbers the components, and `borders` looks for the lowest cluster near each of the other points.
//!
//! With `min_samples` of at most 2 every two neighbours are core, so step 2 is left out, and step 4 has no borders. A
//! single feature needs no tree: `sweep`.
//!
//! Pruning is exact because rounding is monotone: boxes are tight, and distances of boxes take the operations of the
//! distance of points in the same order, so they bound it to the last bit. So only
//! `metric` defines what a distance is, and the metric is known when the steps are compiled.
//!
//! Building takes O(n log n), and every step is shared by all threads. The rest is near-linear for a small
//! `min_samples` in few dimensions, and does not grow with the number of pairs within eps: Schubert et al. (*DBSCAN
//! revisited, revisited*, TODS 2017) call such an eps a bad choice, but a query may ask for it. Two things take
//! longer: a `min_samples` of thousands, which points in less dense places count up to in vain, and more than some 10
//! features, where boxes prune little. Memory is linear in the points, see [`memory_required`]. Scaling sorts each
//! feature where it has to, in O(n log n); [`medoids`](medoids()) tells its own cost.
//!
//! The labels don't depend on threads: components are sets, in whatever order they are joined.
//!
//! Indices are numbers that the crate has made itself: points, their positions in the tree, its nodes. An array over them has an
//! entry for each. Coordinates and weights are never indices, so no data leads out of an array.
//!
//! # Every eps at once
//!
//! `hierarchy` finds a minimum spanning tree on the same kd-tree, and `each` goes up a list of eps with one tree, one set of
//! components, and a `numbering` that looks at those that have grown. Both give, at each eps, what `dbscan` gives, to the bit: `eps` has the reason.

mod borders;
mod bounds;
mod build;
mod cluster;
mod column;
mod components;
mod context;
mod control;
mod cores;
mod dimension;
mod each;
mod eps;
mod error;
mod hierarchy;
mod labels;
mod medoids;
mod memory;
mod metric;
mod names;
mod nearest;
mod numbering;
mod params;
mod points;
mod relatives;
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

pub use cluster::{dbscan, dbscan_with};
pub use control::Control;
pub use each::dbscan_each;
pub use error::Error;
pub use hierarchy::{Hierarchy, Level, Levels, hierarchy, hierarchy_with};
pub use labels::{Labels, PointType};
pub use medoids::{MEDOID_EXACT_UP_TO, medoids, medoids_with};
pub use memory::{hierarchy_memory_required, memory_required};
pub use metric::Metric;
pub use nearest::{Cores, NearestCore};
pub use params::Params;
pub use points::Points;
pub use scaling::Scaling;
pub use statistics::Statistics;
