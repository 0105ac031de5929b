//! Labels as Arrow arrays: cluster ids for people, groups for the plans of the table functions.

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use twox_hash::XxHash64;

use super::options::Exemplar;
use super::{CORE_HASH, GROUP, IS_CORE, IS_EXEMPLAR};
use crate::dbscan::{Cancelled, Labels, Metric, Points, medoids};

/// Cluster ids of the rows; NULL for those that took no part.
pub(super) fn row_labels(labels: Labels, present: Option<&[usize]>, rows: usize) -> ArrayRef {
    match present {
        None => Arc::new(Int64Array::from(labels.into_vec())),
        Some(present) => {
            let mut clusters = vec![None; rows];
            for (point, &row) in present.iter().enumerate() {
                clusters[row] = Some(labels.cluster(point));
            }
            Arc::new(Int64Array::from(clusters))
        }
    }
}

/// The type of what `dbscan_vectors` gives.
pub(super) fn vector_fields() -> Fields {
    Fields::from(vec![
        Field::new(GROUP, DataType::Int64, false),
        Field::new(IS_EXEMPLAR, DataType::Boolean, false),
        Field::new(IS_CORE, DataType::Boolean, false),
        Field::new(CORE_HASH, DataType::Int64, false),
    ])
}

/// Labelled vectors, and the point of each cluster that stands for it.
pub(super) struct ClusterRows<'a> {
    pub(super) labels: &'a Labels,
    /// The rows of the points, where some rows are no points.
    pub(super) present: Option<&'a [usize]>,
    pub(super) exemplars: Vec<u32>,
}

impl ClusterRows<'_> {
    fn row(&self, point: usize) -> usize {
        self.present.map_or(point, |present| present[point])
    }

    /// The number of a point's cluster, if it is in one.
    fn cluster(&self, point: usize) -> Option<usize> {
        usize::try_from(self.labels.cluster(point)).ok()
    }
}

/// The struct of `dbscan_vectors`. `columns` are the features as they were before scaling.
pub(super) fn vector_labels(clusters: &ClusterRows, columns: &[Float64Array], rows: usize) -> ArrayRef {
    let labels = clusters.labels;
    let mut group: Vec<i64> = (0..rows as i64).map(|row| i64::MIN + row).collect();
    let mut is_exemplar = vec![true; rows];
    let mut is_core = vec![false; rows];
    let mut core_hash = vec![0; rows];
    let hash_of_cluster = core_hashes(clusters, columns);
    for point in 0..labels.len() {
        let row = clusters.row(point);
        is_core[row] = labels.is_core(point);
        if let Some(cluster) = clusters.cluster(point) {
            group[row] = cluster as i64;
            is_exemplar[row] = clusters.exemplars.get(cluster).is_some_and(|&it| it as usize == point);
            core_hash[row] = hash_of_cluster[cluster].cast_signed();
        } else {
            group[row] = -1 - row as i64;
        }
    }
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(group)),
        Arc::new(BooleanArray::from(is_exemplar)),
        Arc::new(BooleanArray::from(is_core)),
        Arc::new(Int64Array::from(core_hash)),
    ];
    Arc::new(StructArray::new(vector_fields(), arrays, None))
}

/// For each cluster the sum of the hashes (XXH64, of the little-endian bytes of the features) of its core vectors.
///
/// A sum of hashes is a hash of a set: it takes no order, so no sorting, and the same set gives the same sum on every
/// machine. The vectors of a partition are distinct, so none can count twice.
fn core_hashes(clusters: &ClusterRows, columns: &[Float64Array]) -> Vec<u64> {
    let labels = clusters.labels;
    let mut sums = vec![0_u64; labels.clusters()];
    for point in (0..labels.len()).filter(|&point| labels.is_core(point)) {
        let mut hasher = XxHash64::with_seed(0);
        let row = clusters.row(point);
        for column in columns {
            hasher.write(&column.value(row).to_le_bytes());
        }
        if let Some(cluster) = clusters.cluster(point) {
            sums[cluster] = sums[cluster].wrapping_add(hasher.finish());
        }
    }
    sums
}

impl Exemplar {
    /// The point of each cluster that stands for it; the first one where the points alone don't tell.
    pub(super) fn find(
        self,
        points: &Points,
        labels: &Labels,
        weights: Option<&[u64]>,
        metric: Metric,
        cancel: &AtomicBool,
    ) -> Result<Vec<u32>, Cancelled> {
        if self == Self::Medoid {
            return medoids(points, labels, metric, cancel);
        }
        let weight = |point: u32| weights.and_then(|weights| weights.get(point as usize)).map_or(1, |&it| it);
        let mut found: Vec<Option<u32>> = vec![None; labels.clusters()];
        for (point, &cluster) in labels.as_slice().iter().enumerate() {
            let point = point as u32;
            if let Some(found) = usize::try_from(cluster).ok().and_then(|cluster| found.get_mut(cluster))
                && found.is_none_or(|it| self == Self::Rarest && weight(point) < weight(it))
            {
                *found = Some(point);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}
