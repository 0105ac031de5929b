//! The result: a cluster and a point type for each point.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::context::Context;
use crate::error::Cancelled;
use crate::names::named;
use crate::statistics::Statistics;

/// The clusters of points, in the order of the points.
#[derive(Debug, Clone)]
pub struct Labels {
    /// Cluster numbers, [`NOISE`] for none.
    cluster: Vec<i64>,
    core: Vec<bool>,
    statistics: Statistics,
}

/// Labels are equal whatever work it took to find them.
impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.cluster == other.cluster && self.core == other.core
    }
}

impl Eq for Labels {}

/// The part that a point plays in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointType {
    /// Its neighbours weigh at least `min_samples`.
    Core,
    /// Not core itself, but within eps of a core point.
    Border,
    /// Neither of these: it is in no cluster.
    Noise,
}

named!("point type": PointType { Core = "core", Border = "border", Noise = "noise" });

const NOISE: i64 = -1;

impl Labels {
    /// The cluster of point `i`, from 0, or -1 for noise. `i` must be below [`Labels::len`], here and below.
    #[inline]
    pub fn cluster(&self, i: usize) -> i64 {
        self.cluster[i]
    }

    /// The clusters of all points as a vector, as in [`Labels::as_slice`].
    pub fn into_vec(self) -> Vec<i64> {
        self.cluster
    }

    /// Whether point `i` is core.
    pub fn is_core(&self, i: usize) -> bool {
        self.core[i]
    }

    /// The part that point `i` plays in its cluster.
    pub fn point_type(&self, i: usize) -> PointType {
        match (self.core[i], self.cluster[i]) {
            (true, _) => PointType::Core,
            (false, NOISE) => PointType::Noise,
            (false, _) => PointType::Border,
        }
    }

    /// The number of clusters: they are numbered from 0.
    pub fn clusters(&self) -> usize {
        self.statistics.clusters
    }

    /// The work that it took to find them.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.cluster.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_empty()
    }

    /// The cluster of every point, -1 for noise.
    pub fn as_slice(&self) -> &[i64] {
        &self.cluster
    }
}

/// Labels in the making, written by several threads; stores are relaxed, as no other data depend on them.
pub(crate) struct LabelBuilder {
    cluster: Vec<AtomicI64>,
    core: Vec<bool>,
    core_points: usize,
    clusters: usize,
}

impl LabelBuilder {
    /// Begins with all points as noise. The methods below change them, in their order.
    pub(crate) fn noise(points: usize) -> Self {
        let cluster = vec![0; points].into_iter().map(AtomicI64::new).collect();
        Self { cluster, core: Vec::new(), core_points: 0, clusters: 0 }
    }

    /// Makes `point` a core point of the component whose smallest core point is `first`.
    #[inline]
    pub(crate) fn set_core(&self, point: u32, first: u32) {
        // Until `number_clusters`, a core point's cluster is its component's first point, counted from 1.
        self.cluster[point as usize].store(i64::from(first) + 1, Ordering::Relaxed);
    }

    /// Numbers the components 0, 1, 2, ... in the order of their first core points.
    pub(crate) fn number_clusters(&mut self, context: &Context) -> Result<(), Cancelled> {
        self.core = Vec::with_capacity(self.cluster.len());
        for i in 0..self.cluster.len() {
            context.workers.check_every(i)?;
            let first = *self.cluster[i].get_mut();
            self.core.push(first > 0);
            self.core_points += usize::from(first > 0);
            *self.cluster[i].get_mut() = if first == 0 {
                NOISE
            } else if first == i as i64 + 1 {
                self.clusters += 1;
                self.clusters as i64 - 1
            } else {
                *self.cluster[first as usize - 1].get_mut()
            };
        }
        Ok(())
    }

    /// Begins with all points as noise, for labels of several eps. Core points are made once, by [`LabelBuilder::make_core`].
    pub(crate) fn of_every_eps(points: usize) -> Self {
        Self { core: vec![false; points], ..Self::noise(points) }
    }

    /// Goes on with the labels of the eps before.
    pub(crate) fn of_labels(labels: Labels) -> Self {
        let Labels { cluster, core, statistics } = labels;
        // The same memory is taken for both.
        let cluster = cluster.into_iter().map(AtomicI64::new).collect();
        Self { cluster, core, core_points: statistics.core_points, clusters: statistics.clusters }
    }

    /// Makes a point, which is not core, a core point. Its cluster is that of [`LabelBuilder::renumber`].
    #[inline]
    pub(crate) fn make_core(&mut self, point: u32) {
        self.core[point as usize] = true;
        self.core_points += 1;
    }

    /// Numbers all clusters again. `known` tells for each core point one of its cluster that is not behind it, itself for the
    /// first; all others have a number that is too great, and are noise.
    pub(crate) fn renumber(&mut self, known: &[u32], context: &Context) -> Result<(), Cancelled> {
        let mut clusters = 0;
        for (i, &known) in known.iter().enumerate() {
            context.workers.check_every(i)?;
            // There is no branch: nobody can predict which points are core.
            let before = (known as usize).min(i);
            let is_first = known as usize == i;
            let number = if is_first { clusters } else { *self.cluster[before].get_mut() };
            *self.cluster[i].get_mut() = if known as usize > i { NOISE } else { number };
            clusters += i64::from(is_first);
        }
        self.clusters = clusters as usize;
        Ok(())
    }

    /// The cluster of a point, numbered.
    #[inline]
    pub(crate) fn cluster(&self, point: u32) -> i64 {
        self.cluster[point as usize].load(Ordering::Relaxed)
    }

    /// Makes `point` a border point of a numbered cluster.
    #[inline]
    pub(crate) fn set_border(&self, point: u32, cluster: i64) {
        self.cluster[point as usize].store(cluster, Ordering::Relaxed);
    }

    /// Makes the labels, of which `borders` are on the border, and completes the `statistics` of the steps.
    pub(crate) fn finish(self, borders: usize, statistics: Statistics) -> Labels {
        // The same memory is taken for both.
        let cluster: Vec<_> = self.cluster.into_iter().map(AtomicI64::into_inner).collect();
        let statistics = Statistics {
            points: cluster.len(),
            core_points: self.core_points,
            clusters: self.clusters,
            noise_points: cluster.len() - self.core_points - borders,
            ..statistics
        };
        Labels { cluster, core: self.core, statistics }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Params, Points, dbscan};

    #[test]
    fn labels_tell_core_border_and_noise() {
        // 7 is within reach of 6 only, 9 of nothing; the second cluster begins before the first ends.
        let points = Points::from_columns(&[&[9.0, 5.0, 0.0, 5.5, 6.0, 0.5, 7.0, 1.0]]);
        let points = points.unwrap_or_else(|error| panic!("{error}"));
        let params = Params::try_new(1.0, 3).unwrap_or_else(|error| panic!("{error}"));
        let labels = dbscan(&points, &params);
        assert_eq!(labels.as_slice(), [-1, 0, 1, 0, 0, 1, 0, 1]);
        assert_eq!((labels.clusters(), labels.len(), labels.is_empty()), (2, 8, false));
        assert_eq!((labels.cluster(6), labels.is_core(6), labels.is_core(4)), (0, false, true));
        let types = [0, 4, 6].map(|i| labels.point_type(i).name());
        assert_eq!(types, ["noise", "core", "border"]);
        let statistics = labels.statistics();
        let counts =
            [statistics.points, statistics.core_points, statistics.clusters, statistics.noise_points];
        assert_eq!(counts, [8, 6, 2, 1]);
    }
}
