//! The nearest core point of any place: for telling why a point is noise, and for placing new points in known clusters.
//!
//! A walk down the tree of the core points, nearer children first, that leaves out what is further than the nearest one found
//! so far. Many points may be at one distance: of those the one of the lowest cluster is wanted, then the first. So the walk goes on
//! among boxes at that very distance, but not where all clusters in a box are higher ones. In few dimensions it takes
//! O(log n) on average.
//!
//! rstar's `RTree`, with the boxes of `bounds` as its envelopes, gives the same answers in every metric and dimension. The walk
//! here takes a twentieth to a third of its time (`benches/README.md` has the table). So rstar serves as the oracle of the
//! tests and as the peer in `benches/every_eps.rs`.

use crate::bounds::reduced_distance;
use crate::build;
use crate::context::Context;
use crate::control::Control;
use crate::dimension::{self, Computation};
use crate::eps::least_eps;
use crate::error::{Cancelled, Error};
use crate::labels::Labels;
use crate::metric::{Metric, ReducedDistance};
use crate::points::Points;
use crate::tree::{Node, ROOT, Tree};
use crate::workers::Workers;

#[cfg(test)]
mod tests;

/// The core points of clusters, to be searched.
///
/// ```
/// use dbcluster_dbscan::{Control, Cores, Error, Params, Points, dbscan};
///
/// let points = Points::from_rows(vec![0.0, 1.0, 5.0, 6.0, 3.0], 1)?;
/// let params = Params::try_new(1.0, 2)?;
/// let labels = dbscan(&points, &params);
/// let cores = Cores::new(&points, &labels, params.metric(), &Control::default())?;
///
/// // The last point is 2 from the points 1 and 2; the first of these has the lower cluster.
/// let nearest = cores.nearest(points.point(4)).unwrap();
/// assert_eq!((nearest.point, nearest.cluster, nearest.eps), (1, 0, 2.0));
/// assert_eq!(cores.lowest_within(&[5.5], 1.0), Some(1));
/// # Ok::<(), Error>(())
/// ```
pub struct Cores {
    index: Box<dyn Index>,
}

/// The core point that is nearest to a place.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct NearestCore {
    /// Its number.
    pub point: usize,
    /// Its cluster.
    pub cluster: i64,
    /// Its distance, as the least eps within which it is: 0 for an equal point, and infinity where no finite eps will do.
    pub eps: f64,
}

impl Cores {
    /// The core points among `points`, whose labels these are.
    ///
    /// # Errors
    /// [`Error::Cancelled`] only.
    pub fn new(points: &Points, labels: &Labels, metric: Metric, control: &Control) -> Result<Self, Error> {
        let cluster = |i: usize| if labels.is_core(i) { labels.cluster(i) } else { NONE };
        Self::of_clusters(points, (0..labels.len().min(points.len())).map(cluster), metric, control)
    }

    /// `points` with the cluster of each; those of -1 are left out.
    ///
    /// # Errors
    /// [`Error::Cancelled`] only.
    pub fn of_model(
        points: &Points,
        clusters: &[i64],
        metric: Metric,
        control: &Control,
    ) -> Result<Self, Error> {
        Self::of_clusters(points, clusters.iter().copied(), metric, control)
    }

    fn of_clusters(
        points: &Points,
        clusters: impl Iterator<Item = i64>,
        metric: Metric,
        control: &Control,
    ) -> Result<Self, Error> {
        let workers = Workers::new(points.len(), control);
        workers.check()?;
        let mut of_points = vec![NONE; points.len()];
        for (i, (slot, cluster)) in of_points.iter_mut().zip(clusters).enumerate() {
            workers.check_every(i)?;
            *slot = if cluster < 0 { NONE } else { cluster };
        }
        let context = &Context::of_every_eps(points, 1, workers);
        let build = Build { points, clusters: of_points, context };
        Ok(Self { index: dimension::compute(build, points.dimension(), metric)? })
    }

    /// The nearest core point to a place, given by its features: of several at the same distance that of the lowest
    /// cluster, then the first. None where there is no core point, or a feature is no finite number.
    pub fn nearest(&self, place: &[f64]) -> Option<NearestCore> {
        self.index.nearest(place)
    }

    /// The lowest cluster that has a core point within `eps` of a place.
    pub fn lowest_within(&self, place: &[f64], eps: f64) -> Option<i64> {
        self.index.lowest_within(place, eps)
    }
}

/// Above every cluster number.
const NONE: i64 = i64::MAX;

struct Build<'a> {
    points: &'a Points,
    clusters: Vec<i64>,
    context: &'a Context<'a>,
}

impl Computation for Build<'_> {
    type Output = Result<Box<dyn Index>, Cancelled>;

    fn run<const K: usize, D: ReducedDistance>(self) -> Self::Output {
        let Self { points, clusters, context } = self;
        if points.is_empty() {
            return Ok(Box::new(Nothing));
        }
        let mut tree = build::build::<K, D>(points, context)?;
        let mut core = Vec::with_capacity(points.len());
        for (i, item) in tree.items.iter().enumerate() {
            context.workers.check_every(i)?;
            core.push(clusters[item.index as usize] != NONE);
        }
        tree.set_non_core_aside(core, context)?;
        let lowest_of_leaf = |leaf: &Node<K, D>| {
            let mut least = NONE;
            for position in leaf.range() {
                context.workers.check_every(position)?;
                least = least.min(clusters[tree.items[position].index as usize]);
            }
            Ok(least)
        };
        let lowest = tree.fold(NONE, lowest_of_leaf, i64::min, context)?;
        Ok(Box::new(TreeIndex { tree, lowest, clusters }))
    }
}

/// The index of some dimension and metric.
trait Index: Send + Sync {
    fn nearest(&self, place: &[f64]) -> Option<NearestCore>;
    fn lowest_within(&self, place: &[f64], eps: f64) -> Option<i64>;
}

/// No core points.
struct Nothing;

impl Index for Nothing {
    fn nearest(&self, _place: &[f64]) -> Option<NearestCore> {
        None
    }

    fn lowest_within(&self, _place: &[f64], _eps: f64) -> Option<i64> {
        None
    }
}

struct TreeIndex<const K: usize, D> {
    tree: Tree<K, D>,
    /// The lowest cluster below each node.
    lowest: Vec<i64>,
    /// The cluster of each point.
    clusters: Vec<i64>,
}

/// The nearest core point found so far. Infinite distances count, so the first one found has none to beat.
#[derive(Clone, Copy)]
struct Best {
    distance: f64,
    cluster: i64,
    point: u32,
}

impl Best {
    const NONE: Self = Self { distance: f64::INFINITY, cluster: NONE, point: u32::MAX };

    /// Whether a point of this cluster, or a box of points of this one and higher ones, may be better at this distance.
    #[inline]
    fn yields_to(&self, distance: f64, cluster: i64) -> bool {
        distance < self.distance || (distance <= self.distance && cluster <= self.cluster)
    }
}

impl<const K: usize, D: ReducedDistance> TreeIndex<K, D> {
    /// The features of a place, if they are finite numbers.
    fn at(place: &[f64]) -> Option<[f64; K]> {
        let mut at = [0.0; K];
        for (slot, &feature) in at.iter_mut().zip(place) {
            *slot = feature;
        }
        at.iter().all(|feature| feature.is_finite()).then_some(at)
    }

    fn visit(&self, node: usize, at: &[f64; K], best: &mut Best) {
        let this = &self.tree.nodes[node];
        if !this.is_leaf() {
            let mut children =
                self.tree.children(node).map(|child| (self.tree.nodes[child].bounds.least_to(at), child));
            if children[1].0 < children[0].0 {
                children.swap(0, 1);
            }
            for (distance, child) in children {
                if !self.tree.nodes[child].is_empty() && best.yields_to(distance, self.lowest[child]) {
                    self.visit(child, at, best);
                }
            }
            return;
        }
        for item in &self.tree.items[this.range()] {
            let distance = reduced_distance::<K, D>(at, &item.at);
            let cluster = self.clusters[item.index as usize];
            let is_better = best.yields_to(distance, cluster)
                && (distance < best.distance || cluster < best.cluster || item.index < best.point);
            if is_better {
                *best = Best { distance, cluster, point: item.index };
            }
        }
    }

    fn visit_within(&self, node: usize, at: &[f64; K], reach: f64, lowest: &mut i64) {
        let this = &self.tree.nodes[node];
        if this.is_empty() || self.lowest[node] >= *lowest || this.bounds.least_to(at) > reach {
            return;
        }
        if this.bounds.most_to(at) <= reach {
            *lowest = self.lowest[node];
        } else if this.is_leaf() {
            for item in &self.tree.items[this.range()] {
                if reduced_distance::<K, D>(at, &item.at) <= reach {
                    *lowest = self.clusters[item.index as usize].min(*lowest);
                }
            }
        } else {
            for child in self.tree.children(node) {
                self.visit_within(child, at, reach, lowest);
            }
        }
    }
}

impl<const K: usize, D: ReducedDistance> Index for TreeIndex<K, D> {
    fn nearest(&self, place: &[f64]) -> Option<NearestCore> {
        let at = Self::at(place)?;
        let mut best = Best::NONE;
        if !self.tree.nodes[ROOT].is_empty() {
            self.visit(ROOT, &at, &mut best);
        }
        let Best { distance, cluster, point } = best;
        let nearest = NearestCore { point: point as usize, cluster, eps: least_eps::<D>(distance) };
        (point != u32::MAX).then_some(nearest)
    }

    fn lowest_within(&self, place: &[f64], eps: f64) -> Option<i64> {
        let at = Self::at(place)?;
        let mut lowest = NONE;
        self.visit_within(ROOT, &at, D::reach(eps), &mut lowest);
        (lowest != NONE).then_some(lowest)
    }
}
