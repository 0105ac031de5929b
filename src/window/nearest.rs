//! The nearest core vector of each noise vector, and the eps at which the vector would join a cluster.
//!
//! They say why a vector is noise: how far it is from a dense place, in which cluster that is, and in which features it differs. Of
//! core vectors at one distance that of the lowest cluster counts, then the first in canonical order.
//!
//! [`NearestColumns`] have an entry for each row of the partitions so far: they are resized before a row is set, and read by rows that
//! are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use rayon::prelude::*;

use crate::dbscan::{Control, Cores, Error, Hierarchy, Labels, Metric, Points};

/// The distance between a noise vector and the clusters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearest {
    /// The noise vector.
    pub(super) point: usize,
    /// The nearest core vector, if there is a cluster.
    pub(super) core: Option<NearestCore>,
    /// The eps at which the vector is in a cluster, if there is one.
    joins_at: Option<f64>,
}

/// A core vector, its cluster and its distance.
#[derive(Debug, Clone, Copy)]
pub(super) struct NearestCore {
    pub(super) point: usize,
    pub(super) cluster: usize,
    distance: f64,
}

/// Looks at all noise vectors.
pub(super) fn of_noise(
    points: &Points,
    labels: &Labels,
    hierarchy: &Hierarchy,
    metric: Metric,
    cancel: &AtomicBool,
) -> Result<Vec<Nearest>, Error> {
    let cores = Cores::new(points, labels, metric, &Control::default().with_cancel(cancel))?;
    let noise = (0..labels.len()).into_par_iter().filter(|&point| labels.cluster(point) < 0);
    noise
        .map(|point| {
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            let core = cores.nearest(points.point(point)).and_then(|core| {
                let cluster = usize::try_from(core.cluster).ok()?;
                Some(NearestCore { point: core.point, cluster, distance: core.eps })
            });
            Ok(Nearest { point, core, joins_at: hierarchy.clustered_eps(point) })
        })
        .collect()
}

/// The fields of many vectors. Most of them are NULL.
#[derive(Debug)]
pub(crate) struct NearestColumns {
    cluster: Vec<i64>,
    hash: Vec<i64>,
    distance: Vec<f64>,
    joins_at: Vec<f64>,
    features: Vec<Vec<f64>>,
}

/// The cluster of a vector that has no nearest one.
const NONE: i64 = -1;

impl NearestColumns {
    pub(super) fn with_capacity(rows: usize, features: usize) -> Self {
        Self {
            cluster: Vec::with_capacity(rows),
            hash: Vec::with_capacity(rows),
            distance: Vec::with_capacity(rows),
            joins_at: Vec::with_capacity(rows),
            features: (0..features).map(|_| Vec::with_capacity(rows)).collect(),
        }
    }

    /// Returns the bytes of a row.
    pub(super) fn bytes_per_row(features: usize) -> usize {
        (4 + features) * size_of::<f64>()
    }

    /// Returns the number of features.
    pub(super) fn features(&self) -> usize {
        self.features.len()
    }

    /// Adds NULLs up to a number of rows.
    pub(super) fn resize(&mut self, rows: usize) {
        self.cluster.resize(rows, NONE);
        self.hash.resize(rows, 0);
        self.distance.resize(rows, f64::NAN);
        self.joins_at.resize(rows, f64::NAN);
        self.features.iter_mut().for_each(|feature| feature.resize(rows, f64::NAN));
    }

    /// Sets a row. `columns` are the features before scaling, `row` finds the row of a point in them, and `hashes` are those of the
    /// clusters.
    pub(super) fn set(
        &mut self,
        place: usize,
        nearest: &Nearest,
        columns: &[Float64Array],
        row: impl Fn(usize) -> usize,
        hashes: &[u64],
    ) {
        self.joins_at[place] = nearest.joins_at.unwrap_or(f64::NAN);
        let Some(core) = nearest.core else { return };
        self.cluster[place] = core.cluster as i64;
        self.hash[place] = hashes.get(core.cluster).copied().unwrap_or_default().cast_signed();
        self.distance[place] = core.distance;
        for (feature, column) in self.features.iter_mut().zip(columns) {
            feature[place] = column.value(row(core.point));
        }
    }

    /// Returns the arrays of these rows, in the order of the fields.
    pub(super) fn arrays(&self, rows: std::ops::Range<usize>) -> Vec<ArrayRef> {
        let is_some = |row: &usize| self.cluster[*row] != NONE;
        let numbers = |values: &[i64]| {
            Arc::new(rows.clone().map(|row| is_some(&row).then(|| values[row])).collect::<Int64Array>())
                as ArrayRef
        };
        let floats = |values: &[f64]| {
            let known = values[rows.clone()].iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
            Arc::new(known.collect::<Float64Array>()) as ArrayRef
        };
        let mut arrays =
            vec![numbers(&self.cluster), numbers(&self.hash), floats(&self.distance), floats(&self.joins_at)];
        arrays.extend(self.features.iter().map(|feature| floats(feature)));
        arrays
    }
}
