//! Turns labels into Arrow arrays: cluster ids for people, groups and curves for the plans of the table functions.
//!
//! All vectors of [`LabelColumns`] grow to the same length with each partition, and callers ask for rows that they have pushed. A point
//! is a row of its partition, and its cluster one of the labels' clusters. So no index leads out of a vector.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use twox_hash::XxHash64;

use super::every_eps::AtEps;
use super::nearest::{Nearest, NearestColumns};
use super::{CORE_HASH, EPS, GROUP, IS_CORE, IS_EXEMPLAR, WHY_FIELDS, nearest_field};
use crate::dbscan::{Control, Error, Labels, Metric, Points, medoids_with};
use crate::group::Group;
use crate::options::ExemplarChoice;

/// The labels of a call, one partition after the other. There may be as many partitions as rows, so they share the arrays.
#[derive(Debug)]
pub(crate) enum LabelColumns {
    /// Cluster ids of rows, [`NO_PART`] for skipped rows.
    Rows(Vec<i64>),
    Vectors {
        group: Vec<i64>,
        is_exemplar: Vec<bool>,
        is_core: Vec<bool>,
        core_hash: Vec<i64>,
        /// The eps of each vector's partition, NaN where nothing changes at any, if it is wanted.
        eps: Option<Vec<f64>>,
        /// The nearest core vectors of noise, if they are wanted.
        nearest: Option<Box<NearestColumns>>,
    },
    /// The clusterings of partitions at several eps, each with the first row of its partition.
    EveryEps { rows: usize, curves: Vec<(usize, Curve)> },
}

/// The clusterings of a partition at several eps.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(super) at: Vec<AtEps>,
    /// The rows that took part, and those that were skipped.
    pub(super) clustered: u64,
    pub(super) skipped: u64,
}

/// The results that a call returns for its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    /// A cluster id.
    ClusterId,
    /// The struct of `dbscan_vectors`.
    Group(Further),
    /// The list of `dbscan_eps`, of at most `most_rows`, in the first row of each partition.
    EveryEps { most_rows: usize },
}

/// The fields that a group has beside those of every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Further {
    /// Whether it has the eps of the partition.
    pub(super) eps: bool,
    /// The number of features of the nearest core vector, if it has one.
    pub(super) nearest: Option<usize>,
}

/// The label of a skipped row; no cluster has this number.
const NO_PART: i64 = i64::MIN;

impl LabelColumns {
    /// Creates room for the labels of `rows` rows.
    pub(super) fn with_capacity(returns: Returns, rows: usize) -> Self {
        match returns {
            Returns::ClusterId => Self::Rows(Vec::with_capacity(rows)),
            Returns::Group(further) => Self::Vectors {
                group: Vec::with_capacity(rows),
                is_exemplar: Vec::with_capacity(rows),
                is_core: Vec::with_capacity(rows),
                core_hash: Vec::with_capacity(rows),
                eps: further.eps.then(|| Vec::with_capacity(rows)),
                nearest: further
                    .nearest
                    .map(|features| Box::new(NearestColumns::with_capacity(rows, features))),
            },
            Returns::EveryEps { .. } => Self::EveryEps { rows: 0, curves: vec![] },
        }
    }

    /// Returns the bytes that the labels of so many rows and partitions take.
    pub(super) fn bytes(returns: Returns, rows: usize, partitions: usize) -> usize {
        let (of_row, of_partition) = match returns {
            Returns::ClusterId => (size_of::<i64>(), 0),
            Returns::Group(Further { eps, nearest }) => {
                let eps = if eps { size_of::<f64>() } else { 0 };
                let nearest = nearest.map_or(0, NearestColumns::bytes_per_row);
                (2 * (size_of::<i64>() + size_of::<bool>()) + eps + nearest, 0)
            }
            // The offset of a list and its validity. Rows are held, and made into arrays of about the same size.
            Returns::EveryEps { most_rows } => (
                size_of::<i32>() + 1,
                size_of::<(usize, Curve)>() + most_rows.saturating_mul(2 * size_of::<AtEps>()),
            ),
        };
        rows.saturating_mul(of_row).saturating_add(partitions.saturating_mul(of_partition))
    }

    /// Returns the bytes that are held.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Rows(cluster) => Self::bytes(Returns::ClusterId, cluster.capacity(), 0),
            Self::Vectors { group, eps, nearest, .. } => {
                let nearest = nearest.as_deref().map(NearestColumns::features);
                Self::bytes(Returns::Group(Further { eps: eps.is_some(), nearest }), group.capacity(), 0)
            }
            Self::EveryEps { rows, curves } => {
                let most_rows = curves.iter().map(|(_, curve)| curve.at.len()).max().unwrap_or(0);
                Self::bytes(Returns::EveryEps { most_rows }, *rows, curves.len())
            }
        }
    }

    /// Copies the labels of these rows into an array, which shares no memory with the other labels.
    pub(crate) fn array(&self, rows: Range<usize>) -> ArrayRef {
        match self {
            Self::Rows(cluster) => {
                let cluster = &cluster[rows];
                let nulls = cluster.iter().map(|&cluster| cluster != NO_PART).collect::<NullBuffer>();
                let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
                Arc::new(Int64Array::new(cluster.to_vec().into(), nulls))
            }
            Self::Vectors { group, is_exemplar, is_core, core_hash, eps, nearest } => {
                let numbers = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
                let flags = |values: &[bool]| Arc::new(BooleanArray::from(values.to_vec())) as ArrayRef;
                let mut arrays = vec![
                    numbers(&group[rows.clone()]),
                    flags(&is_exemplar[rows.clone()]),
                    flags(&is_core[rows.clone()]),
                    numbers(&core_hash[rows.clone()]),
                ];
                if let Some(eps) = eps {
                    let known = eps[rows.clone()].iter().map(|&eps| Some(eps).filter(|eps| !eps.is_nan()));
                    arrays.push(Arc::new(known.collect::<Float64Array>()));
                }
                if let Some(nearest) = nearest {
                    arrays.extend(nearest.arrays(rows));
                }
                let nearest = nearest.as_deref().map(NearestColumns::features);
                let fields = vector_fields(Further { eps: eps.is_some(), nearest });
                Arc::new(StructArray::new(fields, arrays, None))
            }
            Self::EveryEps { curves, .. } => {
                let first = curves.partition_point(|(row, _)| *row < rows.start);
                let last = curves.partition_point(|(row, _)| *row < rows.end);
                lists(&curves[first..last], rows)
            }
        }
    }
}

/// Returns the fields of the struct that `dbscan_vectors` returns.
pub(super) fn vector_fields(further: Further) -> Fields {
    let mut fields = vec![
        Field::new(GROUP, DataType::Int64, false),
        Field::new(IS_EXEMPLAR, DataType::Boolean, false),
        Field::new(IS_CORE, DataType::Boolean, false),
        Field::new(CORE_HASH, DataType::Int64, false),
    ];
    if further.eps {
        fields.push(Field::new(EPS, DataType::Float64, true));
    }
    if let Some(features) = further.nearest {
        let types = [DataType::Int64, DataType::Int64, DataType::Float64, DataType::Float64];
        fields.extend(
            WHY_FIELDS.into_iter().zip(types).map(|(name, data_type)| Field::new(name, data_type, true)),
        );
        fields
            .extend((0..features).map(|feature| Field::new(nearest_field(feature), DataType::Float64, true)));
    }
    Fields::from(fields)
}

/// Returns the fields of the structs in the lists that `dbscan_eps` returns.
pub(super) fn curve_fields() -> Fields {
    Fields::from(vec![
        Field::new("eps", DataType::Float64, true),
        Field::new("clusters", DataType::Int64, false),
        Field::new("noise", DataType::Int64, false),
        Field::new("collapsed_rows", DataType::Int64, false),
        Field::new("largest_cluster", DataType::Int64, false),
        Field::new("largest_share", DataType::Float64, true),
        Field::new("is_auto", DataType::Boolean, false),
    ])
}

/// Returns the type of the lists that `dbscan_eps` returns.
pub(super) fn curve_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(curve_fields()), false)))
}

/// Builds the lists of these rows: those of the curves, and NULL in the other rows.
fn lists(curves: &[(usize, Curve)], rows: Range<usize>) -> ArrayRef {
    // The caller has chosen the curves whose row is among these, so the difference is a place among them.
    let mut lengths = vec![0; rows.len()];
    let mut is_first = vec![false; rows.len()];
    for (row, curve) in curves {
        lengths[row - rows.start] = curve.at.len();
        is_first[row - rows.start] = true;
    }
    let all = || curves.iter().flat_map(|(_, curve)| curve.at.iter().map(move |at| (curve, at)));
    let number = |of: fn(&Curve, &AtEps) -> u64| {
        let numbers = all().map(|(curve, at)| i64::try_from(of(curve, at)).unwrap_or(i64::MAX));
        Arc::new(numbers.collect::<Int64Array>()) as ArrayRef
    };
    let collapsed =
        |curve: &Curve, at: &AtEps| at.clusters.saturating_add(at.noise).saturating_add(curve.skipped);
    let share = |(curve, at): (&Curve, &AtEps)| {
        (curve.clustered > 0).then(|| at.largest as f64 / curve.clustered as f64)
    };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(all().map(|(_, at)| at.eps).collect::<Float64Array>()),
        number(|_, at| at.clusters),
        number(|_, at| at.noise),
        number(collapsed),
        number(|_, at| at.largest),
        Arc::new(all().map(share).collect::<Float64Array>()),
        Arc::new(all().map(|(_, at)| Some(at.is_auto)).collect::<BooleanArray>()),
    ];
    let structs = StructArray::new(curve_fields(), arrays, None);
    let item = Arc::new(Field::new_list_field(structs.data_type().clone(), false));
    let nulls = NullBuffer::from(is_first);
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(structs), Some(nulls)))
}

/// Labelled vectors, and the point of each cluster that stands for it.
pub(super) struct ClusterRows<'a> {
    pub(super) labels: &'a Labels,
    /// The row of each point, if some rows were skipped.
    pub(super) present: Option<&'a [usize]>,
    pub(super) exemplars: Vec<u32>,
    /// The eps of the partition, if it matters.
    pub(super) eps: Option<f64>,
    /// The nearest core vectors of noise, if they are wanted.
    pub(super) nearest: Vec<Nearest>,
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
            Self::Rows(cluster) => match clusters.present {
                None => cluster.extend_from_slice(labels.as_slice()),
                Some(present) => {
                    let start = cluster.len();
                    cluster.resize(start + rows, NO_PART);
                    for (point, &row) in present.iter().enumerate() {
                        cluster[start + row] = labels.cluster(point);
                    }
                }
            },
            Self::Vectors { group, is_exemplar, is_core, core_hash, eps, nearest } => {
                let start = group.len();
                group.extend((0..rows).map(|row| Group::of_skipped(row).0));
                is_exemplar.resize(start + rows, true);
                is_core.resize(start + rows, false);
                core_hash.resize(start + rows, 0);
                if let Some(eps) = eps {
                    eps.resize(start + rows, clusters.eps.unwrap_or(f64::NAN));
                }
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
                if let Some(nearest) = nearest {
                    nearest.resize(start + rows);
                    let row = |point: usize| clusters.row(point);
                    for of_noise in &clusters.nearest {
                        nearest.set(start + row(of_noise.point), of_noise, columns, row, &hash_of_cluster);
                    }
                }
            }
            // These have curves.
            Self::EveryEps { .. } => {}
        }
    }

    /// Adds the label of a partition of one vector, which is a cluster of its own or noise. `columns` are as in
    /// [`push`](Self::push). There is no eps of the partition and no nearest core vector.
    pub(super) fn push_one(&mut self, is_its_core: bool, columns: &[Float64Array]) {
        match self {
            Self::Rows(cluster) => cluster.push(if is_its_core { 0 } else { -1 }),
            Self::Vectors { group, is_exemplar, is_core, core_hash, .. } => {
                group.push(if is_its_core { Group::of_cluster(0).0 } else { Group::of_noise(0).0 });
                is_exemplar.push(true);
                is_core.push(is_its_core);
                core_hash.push(if is_its_core { hash_of(columns, 0).cast_signed() } else { 0 });
            }
            // These have curves.
            Self::EveryEps { .. } => {}
        }
    }

    /// Adds the curve of a partition of `rows` rows.
    pub(super) fn push_curve(&mut self, curve: Curve, partition_rows: usize) {
        if let Self::EveryEps { rows, curves } = self
            && partition_rows > 0
        {
            curves.push((*rows, curve));
            *rows += partition_rows;
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
        if let Some(cluster) = clusters.cluster(point) {
            sums[cluster] = sums[cluster].wrapping_add(hash_of(columns, clusters.row(point)));
        }
    }
    sums
}

fn hash_of(columns: &[Float64Array], row: usize) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    for column in columns {
        hasher.write(&column.value(row).to_le_bytes());
    }
    hasher.finish()
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
