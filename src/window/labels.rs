//! Turns labels into Arrow arrays: cluster ids for people, groups for the plans of the table functions.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use twox_hash::XxHash64;

use super::{CORE_HASH, GROUP, IS_CORE, IS_EXEMPLAR};
use crate::dbscan::{Control, Error, Labels, Metric, Points, medoids_with};
use crate::group::Group;
use crate::options::ExemplarChoice;

/// The labels of a call, one partition after the other. There may be as many partitions as rows, so they share the arrays.
#[derive(Debug)]
pub(crate) enum LabelColumns {
    /// Cluster ids of rows, [`NO_PART`] for skipped rows.
    OfRows(Vec<i64>),
    OfVectors {
        group: Vec<i64>,
        is_exemplar: Vec<bool>,
        is_core: Vec<bool>,
        core_hash: Vec<i64>,
    },
}

/// The label of a skipped row; no cluster has this number.
const NO_PART: i64 = i64::MIN;

impl LabelColumns {
    /// Creates room for the labels of `rows` rows.
    pub(super) fn with_capacity(is_of_vectors: bool, rows: usize) -> Self {
        if !is_of_vectors {
            return Self::OfRows(Vec::with_capacity(rows));
        }
        Self::OfVectors {
            group: Vec::with_capacity(rows),
            is_exemplar: Vec::with_capacity(rows),
            is_core: Vec::with_capacity(rows),
            core_hash: Vec::with_capacity(rows),
        }
    }

    /// Returns the bytes that the label of one row takes.
    pub(super) fn bytes_per_row(is_of_vectors: bool) -> usize {
        if is_of_vectors { 2 * (size_of::<i64>() + size_of::<bool>()) } else { size_of::<i64>() }
    }

    /// Returns the bytes that are held.
    pub(crate) fn size(&self) -> usize {
        let (is_of_vectors, rows) = match self {
            Self::OfRows(cluster) => (false, cluster.capacity()),
            Self::OfVectors { group, .. } => (true, group.capacity()),
        };
        rows * Self::bytes_per_row(is_of_vectors)
    }

    /// Copies the labels of these rows into an array, which shares no memory with the other labels.
    pub(crate) fn array(&self, rows: Range<usize>) -> ArrayRef {
        match self {
            Self::OfRows(cluster) => {
                let cluster = &cluster[rows];
                let nulls = cluster.iter().map(|&cluster| cluster != NO_PART).collect::<NullBuffer>();
                let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
                Arc::new(Int64Array::new(cluster.to_vec().into(), nulls))
            }
            Self::OfVectors { group, is_exemplar, is_core, core_hash } => {
                let numbers = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
                let flags = |values: &[bool]| Arc::new(BooleanArray::from(values.to_vec())) as ArrayRef;
                let arrays = vec![
                    numbers(&group[rows.clone()]),
                    flags(&is_exemplar[rows.clone()]),
                    flags(&is_core[rows.clone()]),
                    numbers(&core_hash[rows]),
                ];
                Arc::new(StructArray::new(vector_fields(), arrays, None))
            }
        }
    }
}

/// Returns the fields of the struct that `dbscan_vectors` returns.
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
    /// The row of each point, if some rows were skipped.
    pub(super) present: Option<&'a [usize]>,
    pub(super) exemplars: Vec<u32>,
}

impl ClusterRows<'_> {
    fn row(&self, point: usize) -> usize {
        self.present.map_or(point, |present| present[point])
    }

    /// Returns the number of a point's cluster, if it is in one.
    fn cluster(&self, point: usize) -> Option<usize> {
        usize::try_from(self.labels.cluster(point)).ok()
    }
}

impl LabelColumns {
    /// Adds the labels of a partition of `rows` rows. `columns` are the features before scaling, which only vectors need.
    pub(super) fn push(&mut self, clusters: &ClusterRows, columns: &[Float64Array], rows: usize) {
        let labels = clusters.labels;
        match self {
            Self::OfRows(cluster) => match clusters.present {
                None => cluster.extend_from_slice(labels.as_slice()),
                Some(present) => {
                    let start = cluster.len();
                    cluster.resize(start + rows, NO_PART);
                    for (point, &row) in present.iter().enumerate() {
                        cluster[start + row] = labels.cluster(point);
                    }
                }
            },
            Self::OfVectors { group, is_exemplar, is_core, core_hash } => {
                let start = group.len();
                group.extend((0..rows).map(|row| Group::of_skipped(row).0));
                is_exemplar.resize(start + rows, true);
                is_core.resize(start + rows, false);
                core_hash.resize(start + rows, 0);
                let hash_of_cluster = core_hashes(clusters, columns);
                for point in 0..labels.len() {
                    let row = clusters.row(point);
                    let place = start + row;
                    is_core[place] = labels.is_core(point);
                    if let Some(cluster) = clusters.cluster(point) {
                        group[place] = Group::of_cluster(cluster).0;
                        is_exemplar[place] =
                            clusters.exemplars.get(cluster).is_some_and(|&it| it as usize == point);
                        core_hash[place] = hash_of_cluster[cluster].cast_signed();
                    } else {
                        group[place] = Group::of_noise(row).0;
                    }
                }
            }
        }
    }
}

/// Sums up, for each cluster, the hashes (XXH64 of the little-endian bytes of the features) of its core vectors.
///
/// A sum of hashes is a hash of a set: it depends on no order, so nothing is sorted, and the same set has the same sum on every
/// machine. The vectors of a partition are distinct, so none is counted twice. Cost: linear in vectors times features.
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

/// Returns the point that stands for each cluster. For a choice that the points alone don't decide it is the first one.
pub(super) fn exemplars(
    choice: ExemplarChoice,
    points: &Points,
    labels: &Labels,
    metric: Metric,
    control: &Control,
) -> Result<Vec<u32>, Error> {
    if choice == ExemplarChoice::Medoid {
        return medoids_with(points, labels, metric, control);
    }
    let is_rarest = choice == ExemplarChoice::Rarest;
    let weight = |point: u32| points.weight(point as usize);
    let mut found: Vec<Option<u32>> = vec![None; labels.clusters()];
    for (point, &cluster) in labels.as_slice().iter().enumerate() {
        let point = point as u32;
        if let Some(found) = usize::try_from(cluster).ok().and_then(|cluster| found.get_mut(cluster))
            && found.is_none_or(|it| is_rarest && weight(point) < weight(it))
        {
            *found = Some(point);
        }
    }
    Ok(found.into_iter().flatten().collect())
}
