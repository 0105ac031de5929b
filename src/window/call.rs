//! [`Call`]: one checked call of a window function. It turns Arrow arrays into labels.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef, Int64Type, Schema};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use rayon::prelude::*;

use super::Function;
use super::every_eps::{Asked, EveryEps};
use super::labels::{ClusterRows, Curve, LabelColumns, Returns, exemplars};
use super::nearest::{self, Nearest};
use crate::dbscan::{self, Control, Params, Points};
use crate::feature::to_double;
use crate::options::{Carried, EpsOf, NullPolicy};

/// Partitions of fewer rows are read by one thread.
const FEW_ROWS: usize = 1 << 12;

/// The square of a number up to this, and its sums and products with the like, are far from the bounds of DOUBLE.
const LARGEST_UNCHECKED: f64 = 1e100;

/// One checked call of a function, without its rows.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    function: Function,
    carried: Carried,
    features: Vec<String>,
    /// The positions of the arguments that vary from row to row: the weight, if there is one, and the features.
    row_args: Range<usize>,
    /// The values of eps that `dbscan_eps` is asked for.
    asked: Option<Asked>,
    /// The bytes that the arguments of one row take in arrays.
    bytes_of_args: usize,
    /// Whether rows with a NULL may be skipped.
    may_skip: bool,
}

impl Call {
    /// Reads the constants of a call.
    ///
    /// # Errors
    /// An argument isn't constant or is out of its range.
    pub(crate) fn try_new(
        function: Function,
        args: &[Arc<dyn PhysicalExpr>],
        fields: &[FieldRef],
    ) -> Result<Self> {
        let (name, leading) = (function.name(), function.leading_args());
        let is_of_vectors = function != Function::Dbscan;
        let has_options = !is_of_vectors
            && fields.last().is_some_and(|field| matches!(field.data_type(), DataType::Struct(_)));
        let feature_args = leading.len()..args.len().saturating_sub(usize::from(has_options));
        if feature_args.is_empty() {
            return plan_err!("{name} expects {} and at least one feature", leading.join(", "));
        }
        // There is a feature behind the leading arguments, so each of these is there.
        let constant = |place: usize, arg: &str| constant(name, place + 1, arg, &args[place]);
        let mut asked = None;
        let carried = match function {
            Function::Dbscan => {
                let eps = constant(0, leading[0])?.cast_to(&DataType::Float64)?;
                let ScalarValue::Float64(Some(eps)) = eps else {
                    return plan_err!("{name}: argument 1 (eps) is NULL, expected a number above 0");
                };
                let min_samples = constant(1, leading[1])?.cast_to(&DataType::Int64)?;
                let ScalarValue::Int64(Some(min_samples)) = min_samples else {
                    return plan_err!(
                        "{name}: argument 2 (min_samples) is NULL, expected a whole number from 1"
                    );
                };
                let given = if has_options { Some(constant(args.len() - 1, "options")?) } else { None };
                Carried::of_dbscan(eps, min_samples, given.as_ref(), feature_args.len())?
            }
            Function::Vectors | Function::Why => {
                Carried::of_vectors(&constant(0, leading[0])?, feature_args.len(), EpsOf::Options)?
            }
            Function::VectorsAuto | Function::WhyAuto => {
                Carried::of_vectors(&constant(0, leading[0])?, feature_args.len(), EpsOf::Rows)?
            }
            Function::EveryEps => {
                let read = Asked::read(&constant(1, leading[1])?, &constant(2, leading[2])?)?;
                let mut carried =
                    Carried::of_vectors(&constant(0, leading[0])?, feature_args.len(), EpsOf::Rows)?;
                if let Some((_, eps)) = carried.shown.iter_mut().find(|(name, _)| name == "eps") {
                    *eps = read.to_string();
                }
                asked = Some(read);
                carried
            }
        };
        // Features stand at places of `args`, and `fields` has one for each argument. The engine names every constant "lit", so its value serves as the name.
        let name = |index: usize| match literal(&args[index]) {
            Some(value) => value.to_string(),
            None => fields[index].name().clone(),
        };
        let features = feature_args.clone().map(name).collect();
        let row_args = feature_args.start - usize::from(is_of_vectors)..feature_args.end;
        let is_nullable = fields[feature_args].iter().any(|field| field.is_nullable());
        let may_skip = carried.options.nulls == NullPolicy::Skip && is_nullable;
        let bytes_of_args = row_args.clone().map(|arg| bytes_held(&args[arg], &fields[arg])).sum();
        Ok(Self { function, carried, features, row_args, asked, bytes_of_args, may_skip })
    }

    /// Returns the SQL name of the function.
    pub(crate) fn function(&self) -> &'static str {
        self.function.name()
    }

    /// Returns the options as EXPLAIN shows them.
    pub(crate) fn shown_options(&self) -> &[(String, String)] {
        &self.carried.shown
    }

    /// Returns the features' names.
    pub(crate) fn features(&self) -> &[String] {
        &self.features
    }

    /// Returns whether it labels the rows, at one eps.
    pub(crate) fn labels_rows(&self) -> bool {
        self.function != Function::EveryEps
    }

    /// Returns whether rows with a NULL take no part.
    pub(crate) fn may_skip(&self) -> bool {
        self.may_skip
    }

    /// Returns the scaling of the features.
    pub(crate) fn scaling(&self) -> dbscan::Scaling {
        self.carried.options.scaling
    }

    /// Returns whether the input rows are distinct vectors with weights.
    pub(crate) fn is_of_vectors(&self) -> bool {
        self.function != Function::Dbscan
    }

    /// Returns the arguments that [`evaluate`](Self::evaluate) takes. The others are constants, which are known.
    pub(crate) fn row_args<'a, T>(&self, args: &'a [T]) -> &'a [T] {
        args.get(self.row_args.clone()).unwrap_or_default()
    }

    /// Returns the number of rows of the table that a batch stands for. `args` are the call's arguments.
    pub(crate) fn rows_of(&self, args: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<i64> {
        let Some(weight) = self.row_args(args).first().filter(|_| self.is_of_vectors()) else {
            return Ok(batch.num_rows() as i64);
        };
        let weights = weight.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(weights.as_primitive::<Int64Type>().iter().flatten().sum())
    }

    /// Creates room for the labels of `rows` rows.
    pub(crate) fn labels(&self, rows: usize) -> LabelColumns {
        LabelColumns::with_capacity(self.returns(), rows)
    }

    /// Returns the bytes that [`labels`](Self::labels) takes for so many rows and partitions.
    pub(crate) fn label_memory(&self, rows: usize, partitions: usize) -> usize {
        LabelColumns::bytes(self.returns(), rows, partitions)
    }

    fn returns(&self) -> Returns {
        match (self.function, &self.asked) {
            (Function::Dbscan, _) => Returns::ClusterId,
            (_, Some(asked)) => Returns::EveryEps { most_rows: asked.most_rows() },
            (function, None) => Returns::Group(function.further(self.features.len())),
        }
    }

    /// Returns the bytes that [`evaluate_into`](Self::evaluate_into) needs for `rows` rows on so many threads, without its input
    /// and the labels. An argument that is computed counts twice, as pieces and as the one array made of them.
    pub(crate) fn memory_required(&self, rows: usize, threads: usize) -> usize {
        let dimension = self.features.len();
        // These are the features as DOUBLE and as points, the weights, and the indices of rows that take part.
        let mut values = dimension * 16 + 8 + if self.may_skip { 8 } else { 0 };
        if self.finds_nearest() {
            // Each vector has its nearest core vector, beside the hierarchy's four numbers.
            values += size_of::<Nearest>() + 32;
        }
        // Each cluster has a hash and an exemplar, and there are at most as many clusters as rows.
        let clusters = if self.is_of_vectors() { 8 + 12 } else { 0 };
        let params = &self.carried.params;
        let mut core = dbscan::memory_required(rows, dimension, params.metric());
        if self.needs_hierarchy() {
            let hierarchy = dbscan::hierarchy_memory_required(rows, dimension, params.min_samples(), threads);
            core = core.max(hierarchy);
        }
        // The copied features of the rows that take part are freed before the core starts.
        let core = core.max(rows.saturating_mul(if self.may_skip { dimension * 8 } else { 0 }));
        rows.saturating_mul(self.bytes_of_args + values + clusters).saturating_add(core)
    }

    /// Whether rows are clustered at the eps that they decide.
    pub(crate) fn is_auto(&self) -> bool {
        matches!(self.function, Function::VectorsAuto | Function::WhyAuto)
    }

    /// Whether the rows of each partition decide an eps.
    pub(crate) fn decides_eps(&self) -> bool {
        self.is_auto() || self.function == Function::EveryEps
    }

    fn needs_hierarchy(&self) -> bool {
        self.decides_eps() || self.finds_nearest()
    }

    /// Whether noise vectors get the nearest core vector.
    fn finds_nearest(&self) -> bool {
        matches!(self.function, Function::Why | Function::WhyAuto)
    }

    /// Labels one partition. `values` are the [`row_args`](Self::row_args) as arrays, in the order that numbers the
    /// clusters.
    ///
    /// # Errors
    /// A feature is NaN or infinite, or NULL where the call does not skip NULLs; or `cancel` was set.
    pub(crate) fn evaluate(
        &self,
        values: Vec<ArrayRef>,
        rows: usize,
        cancel: &AtomicBool,
    ) -> Result<ArrayRef> {
        let mut labels = self.labels(rows);
        self.evaluate_into(&mut labels, self.rows(values, rows)?, cancel)?;
        Ok(labels.array(0..rows))
    }

    /// Converts the arguments of `len` rows, of one partition or of many. `values` are as in [`evaluate`](Self::evaluate).
    ///
    /// # Errors
    /// A feature has a number that no DOUBLE equals.
    pub(crate) fn rows(&self, mut values: Vec<ArrayRef>, len: usize) -> Result<Rows> {
        let features = values.split_off(values.len().min(usize::from(self.is_of_vectors())));
        let named = self.features.par_iter().zip(features);
        let named = if len < FEW_ROWS { named.with_min_len(usize::MAX) } else { named.with_min_len(1) };
        let columns = named.map(|(name, array)| to_double(name, array)).collect::<Result<Vec<_>>>()?;
        let weights = values.first().map(|weights| weights.as_primitive::<Int64Type>().clone());
        Ok(Rows { columns, weights, len })
    }

    /// Labels one partition, adds the labels to those of other partitions, and returns the figures of the core.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub(crate) fn evaluate_into(
        &self,
        labelled: &mut LabelColumns,
        partition: Rows,
        cancel: &AtomicBool,
    ) -> Result<Outcome> {
        if let Some(outcome) = self.one_vector(labelled, &partition) {
            return Ok(outcome);
        }
        let Rows { columns, weights, len: rows } = partition;
        let weights = weights.as_ref();
        let nulls =
            columns.iter().fold(None, |nulls, column| NullBuffer::union(nulls.as_ref(), column.nulls()));
        for (name, column) in self.features.iter().zip(&columns) {
            self.check_finite(name, column, weights, rows)?;
        }

        let present: Option<Vec<usize>> = nulls
            .as_ref()
            .filter(|nulls| nulls.null_count() > 0)
            .map(|nulls| nulls.valid_indices().collect());
        let control = Control::default().with_cancel(cancel);
        let mut points = match &present {
            None => {
                let columns: Vec<&[f64]> = columns.iter().map(|column| column.values().as_ref()).collect();
                Points::from_columns_with(&columns, &control)
            }
            Some(present) => {
                let columns: Vec<Vec<f64>> = columns
                    .iter()
                    .map(|column| present.iter().map(|&row| column.value(row)).collect())
                    .collect();
                let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                Points::from_columns_with(&columns, &control)
            }
        }
        .map_err(|error| self.invalid(error))?;
        let skipped = match (&present, weights) {
            (None, _) => 0,
            (Some(present), None) => rows - present.len(),
            (Some(_), Some(weights)) => {
                let is_skipped = |row: &usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(*row));
                (0..rows).filter(is_skipped).map(|row| weights.value(row).max(0) as usize).sum()
            }
        };
        let weights: Option<Vec<u64>> = weights.map(|weights| match &present {
            None => weights.values().iter().map(|&weight| weight.max(1) as u64).collect(),
            Some(present) => present.iter().map(|&row| weights.value(row).max(1) as u64).collect(),
        });
        if let Some(weights) = weights {
            points = points.with_weights(weights).map_err(|error| self.invalid(error))?;
        }
        // `cluster_key` hashes the core vectors before scaling; only dbscan_vectors needs the unscaled columns.
        let columns = if matches!(self.returns(), Returns::Group(_)) { columns } else { vec![] };
        points.scale_with(self.carried.options.scaling, &control).map_err(|error| self.invalid(error))?;
        if let Some(factors) = self.carried.options.weights.factors() {
            points.multiply_with(factors, &control).map_err(|error| self.invalid(error))?;
        }
        if let Some(asked) = &self.asked {
            let at = self.every_eps(&points, &control).rows(asked).map_err(|error| self.invalid(error))?;
            let clustered = (0..points.len()).map(|point| points.weight(point)).sum();
            let eps = at.iter().find(|at| at.is_auto).and_then(|at| at.eps);
            labelled.push_curve(Curve { at, clustered, skipped: skipped as u64 }, rows);
            return Ok(Outcome { statistics: dbscan::Statistics::default(), eps });
        }
        self.label(labelled, &Partition { points, present, columns, rows }, cancel)
            .map_err(|error| self.invalid(error))
    }

    /// Labels a partition of one vector, which has no neighbour but itself. Where a key of PARTITION BY is nearly unique, most
    /// partitions are such.
    ///
    /// Returns `None` for all others, and where a value needs the checks that the others get: NULLs, and numbers so large that
    /// scaling could overflow.
    fn one_vector(&self, labelled: &mut LabelColumns, partition: &Rows) -> Option<Outcome> {
        let factors = self.carried.options.weights.factors().unwrap_or_default();
        let is_small = |value: f64| value.abs() <= LARGEST_UNCHECKED;
        if partition.len != 1
            || self.needs_hierarchy()
            || !factors.iter().copied().all(is_small)
            || !partition.columns.iter().all(|column| column.null_count() == 0 && is_small(column.value(0)))
        {
            return None;
        }
        let weight = partition.weights.as_ref().map_or(1, |weights| weights.value(0).max(1));
        let is_core = weight.unsigned_abs() >= self.carried.params.min_samples();
        labelled.push_one(is_core, &partition.columns);
        let mut statistics = dbscan::Statistics::default();
        statistics.points = 1;
        statistics.cells = u64::from(self.features.len() > 1);
        statistics.core_points = usize::from(is_core);
        statistics.clusters = usize::from(is_core);
        statistics.noise_points = usize::from(!is_core);
        Some(Outcome { statistics, eps: None })
    }

    fn every_eps<'a>(&self, points: &'a Points, control: &'a Control<'a>) -> EveryEps<'a> {
        let params = &self.carried.params;
        EveryEps {
            points,
            min_samples: params.min_samples(),
            metric: params.metric(),
            chain_share: self.carried.options.chain_share,
            control,
        }
    }

    /// Clusters a partition, and adds its labels.
    fn label(
        &self,
        labelled: &mut LabelColumns,
        partition: &Partition,
        cancel: &AtomicBool,
    ) -> Result<Outcome, dbscan::Error> {
        let Partition { points, present, columns, rows } = partition;
        let control = &Control::default().with_cancel(cancel);
        let every_eps = self.every_eps(points, control);
        let mut hierarchy = if self.needs_hierarchy() { Some(every_eps.hierarchy()?) } else { None };
        let mut params = self.carried.params;
        let mut eps = Some(params.eps());
        if let Some(hierarchy) = hierarchy.as_ref().filter(|_| self.is_auto()) {
            eps = every_eps.auto(hierarchy)?;
            // Where nothing changes, any eps gives the same labels.
            params = Params::try_new(eps.unwrap_or(1.0), params.min_samples())?.with_metric(params.metric());
        }
        if !self.finds_nearest() {
            hierarchy = None;
        }
        let labels = dbscan::dbscan_with(points, &params, control)?;
        let nearest = match hierarchy {
            Some(hierarchy) => nearest::of_noise(points, &labels, &hierarchy, params.metric(), cancel)?,
            None => vec![],
        };
        let exemplars = if self.is_of_vectors() {
            exemplars(self.carried.options.exemplar, points, &labels, params.metric(), control)?
        } else {
            vec![]
        };
        let clusters = ClusterRows { labels: &labels, present: present.as_deref(), exemplars, eps, nearest };
        labelled.push(&clusters, columns, *rows);
        Ok(Outcome { statistics: *labels.statistics(), eps })
    }

    /// Builds the error about invalid points, with the name of the feature.
    fn invalid(&self, error: dbscan::Error) -> DataFusionError {
        if error == dbscan::Error::Cancelled {
            return DataFusionError::External(Box::new(error));
        }
        if let dbscan::Error::Overflow { column, what } = error
            && let Some(name) = self.features.get(column)
        {
            return exec_datafusion_err!(
                "feature '{name}' can't be scaled: {what} is beyond the range of DOUBLE; divide it by something \
                 first, or choose another scaling"
            );
        }
        exec_datafusion_err!("{}: {error}", self.function.name())
    }

    fn check_finite(
        &self,
        name: &str,
        column: &Float64Array,
        weights: Option<&Int64Array>,
        rows: usize,
    ) -> Result<()> {
        if column.null_count() == 0 && column.values().iter().all(|value| value.is_finite()) {
            return Ok(());
        }
        let weight = |row: usize| weights.map_or(1, |weights| weights.value(row));
        let mut bad = [("NULL", 0), ("NaN", 0), ("infinite", 0)];
        for row in 0..rows {
            let kind = if column.is_null(row) {
                0
            } else if column.value(row).is_finite() {
                continue;
            } else if column.value(row).is_nan() {
                1
            } else {
                2
            };
            bad[kind].1 += weight(row);
        }
        if self.carried.options.nulls == NullPolicy::Skip {
            bad[0].1 = 0;
        }
        let Some((kind, count)) = bad.into_iter().find(|(_, count)| *count > 0) else { return Ok(()) };
        let total: i64 = (0..rows).map(weight).sum();
        // NaN and infinity are values, which coalesce keeps.
        let way_out = match (self.is_of_vectors(), kind) {
            (true, "NULL") => {
                "give it a value with coalesce(...), or choose nulls => 'zero' (read as 0) or nulls => 'skip' (such rows take no \
                 part)"
            }
            (true, _) => "choose nulls => 'zero' (read as 0) or nulls => 'skip' (such rows take no part)",
            (false, _) => "give it a value, or leave such rows out with WHERE",
        };
        exec_err!("feature '{name}' is {kind} in {count} of {total} rows; {way_out}")
    }
}

/// The arguments of a call for some rows, as numbers.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The features.
    columns: Vec<Float64Array>,
    /// The number of rows that each vector stands for, if rows are vectors.
    weights: Option<Int64Array>,
    len: usize,
}

impl Rows {
    /// Returns some of the rows. The range must be within them.
    pub(crate) fn slice(&self, rows: &Range<usize>) -> Self {
        let (start, len) = (rows.start, rows.len());
        Self {
            columns: self.columns.iter().map(|column| column.slice(start, len)).collect(),
            weights: self.weights.as_ref().map(|weights| weights.slice(start, len)),
            len,
        }
    }
}

/// The figures of the core about one partition.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) statistics: dbscan::Statistics,
    /// The eps that the rows have decided.
    pub(crate) eps: Option<f64>,
}

/// The rows of a partition, ready to be clustered.
struct Partition {
    points: Points,
    /// The row of each point, if some rows were skipped.
    present: Option<Vec<usize>>,
    /// The features before scaling, if they are needed.
    columns: Vec<Float64Array>,
    rows: usize,
}

/// Returns the bytes that an argument takes for one row: in one array, and before that in the pieces that it is computed in.
/// The pieces of a column are part of the input, which is counted elsewhere.
fn bytes_held(arg: &Arc<dyn PhysicalExpr>, field: &FieldRef) -> usize {
    let is_column = (arg.as_ref() as &dyn Any).is::<Column>();
    let arrays = if is_column { 1 } else { 2 };
    let validity = usize::from(field.is_nullable());
    arrays * (bytes_of_value(field.data_type()) + validity)
}

/// Returns the bytes of one value of a feature type. A dictionary may have as many values as keys.
fn bytes_of_value(data_type: &DataType) -> usize {
    match data_type {
        DataType::Dictionary(key, value) => bytes_of_value(key) + bytes_of_value(value),
        other => other.primitive_width().unwrap_or(1),
    }
}

fn literal(arg: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    (arg.as_ref() as &dyn Any).downcast_ref::<Literal>().map(Literal::value)
}

/// Evaluates an argument that does not depend on the rows.
fn constant(function: &str, position: usize, name: &str, arg: &Arc<dyn PhysicalExpr>) -> Result<ScalarValue> {
    if let Some(value) = literal(arg) {
        return Ok(value.clone());
    }
    // A session without optimizer rules does not fold constants.
    if collect_columns(arg).is_empty() {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let no_columns = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
        return match arg.evaluate(&no_columns)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
        };
    }
    // The engine turns a placeholder that occurs twice in the call into a column.
    if collect_columns(arg).iter().any(|column| column.name().starts_with("__common_expr_")) {
        return plan_err!(
            "{function}: argument {position} ({name}) shares its placeholder with another argument, expected one of its \
             own, as in dbscan($1, $2, x)"
        );
    }
    plan_err!("{function}: argument {position} ({name}) is {arg}, expected a constant")
}
