//! The window functions: from Arrow arrays to the core and back to labels.
//!
//! Two functions share one implementation:
//!
//! - [`dbscan`](dbscan_udwf) is for people: `dbscan(eps, min_samples, f1, ..., fk) OVER (PARTITION BY ...)`
//!   gives every row its cluster, as PostGIS and BigQuery do for geometry.
//! - [`dbscan_vectors`](dbscan_vectors_udwf) is what the table functions plan: distinct vectors with a weight
//!   each, scaled here, and labelled with what the rest of their plan groups by.
//!
//! A window function sees its partition as a whole, which is what clustering needs, and brings everything
//! else for nothing: PARTITION BY is the engine's own, the rows arrive in the order that OVER gives, and on a
//! cluster only the function's name travels. What it can't do by itself (account for its memory, be cancelled,
//! show metrics) is done by [`DbscanExec`](crate::exec::DbscanExec), which runs the same [`Call`] in its place.
//!
//! The order in which rows arrive is the order in which clusters are numbered. [`DbscanOrder`] completes the
//! ORDER BY of every `dbscan` that SQL plans with the features, so that ties can't make the result depend on
//! threads.

use std::fmt::{Debug, Formatter};
use std::hash::Hash;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StructArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::common::utils::take_function_args;
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawWindowExpr};
use datafusion::logical_expr::{
    Documentation, Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF,
    WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion_macros::user_doc;

use crate::dbscan::{self, Labels, Params, Points, Scaling};
use crate::feature::{is_feature_type, make_it_a_number, to_double};

/// `dbscan(eps, min_samples, f1, ..., fk) OVER (...)`, for SQL and for expressions.
pub fn dbscan_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(WindowUDF::from(Dbscan::new())));
    Arc::clone(&UDWF)
}

/// `dbscan_vectors(eps, min_samples, scaling, nulls, weight, f1, ..., fk) OVER (...)`, which the table
/// functions plan. It is registered because plans may travel by name; people want [`dbscan_udwf`].
pub fn dbscan_vectors_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(WindowUDF::from(DbscanVectors::new())));
    Arc::clone(&UDWF)
}

/// Both window functions, for whoever registers them one by one.
pub fn all_window_functions() -> Vec<Arc<WindowUDF>> {
    vec![dbscan_udwf(), dbscan_vectors_udwf()]
}

/// Field of `dbscan_vectors`: the group of the vector, unique to its cluster, or to itself when it is noise
/// (below 0) or skipped (far below 0, see [`SKIPPED`]).
pub const GROUP: &str = "group";
/// Field of `dbscan_vectors`: whether the vector is the first of its group.
pub const IS_FIRST: &str = "is_first";
/// Field of `dbscan_vectors`: whether the vector is a core point.
pub const IS_CORE: &str = "is_core";
/// Groups below this number are skipped vectors, those above it and below 0 are noise.
pub const SKIPPED: i64 = i64::MIN / 2;

/// How `dbscan` counts: it has at least one feature behind these arguments.
const DBSCAN_ARGS: [&str; 2] = ["eps", "min_samples"];
const DBSCAN_VECTORS_ARGS: [&str; 5] = ["eps", "min_samples", "scaling", "nulls", "weight"];

#[user_doc(
    doc_section(label = "Window Functions"),
    description = "Density-based clustering (DBSCAN): gives each row the number of its cluster, or -1 where it is \
                   noise. Two rows are neighbours when their features are at most `eps` apart (Euclidean, \
                   inclusive); a row with at least `min_samples` neighbours, itself counted, is a core of a \
                   cluster. The labels are those of scikit-learn's `DBSCAN(algorithm='kd_tree')` on the rows in \
                   the order of OVER's ORDER BY, then of the features. A NULL feature gives NULL. The features \
                   are taken as they are, without scaling: `dbcluster` has options for that.",
    syntax_example = "dbscan(eps, min_samples, feature[, ..., feature]) OVER ([PARTITION BY expr, ...] [ORDER BY expr, ...])",
    sql_example = r"```sql
> SELECT x, dbscan(1.5, 2, x) OVER () AS cluster FROM (VALUES (1), (2), (3), (10)) AS t(x) ORDER BY x;
+----+---------+
| x  | cluster |
+----+---------+
| 1  | 0       |
| 2  | 0       |
| 3  | 0       |
| 10 | -1      |
+----+---------+
```",
    argument(name = "eps", description = "How far neighbours may be apart. A constant number above 0."),
    argument(
        name = "min_samples",
        description = "How many rows make a dense spot, the row itself counted. A constant whole number, at least 1."
    ),
    argument(
        name = "feature",
        description = "One to 64 boolean, integer, float or decimal expressions. Integers beyond 2^53, NaN and infinite values are errors."
    )
)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Dbscan {
    signature: Signature,
}

impl Dbscan {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl Debug for Dbscan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("dbscan")
    }
}

impl WindowUDFImpl for Dbscan {
    fn name(&self) -> &'static str {
        "dbscan"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let mut types = coerce_features(self.name(), &DBSCAN_ARGS, arg_types)?;
        types[..2].clone_from_slice(&[DataType::Float64, DataType::Int64]);
        check_constants(self.name(), &DBSCAN_ARGS[..2], arg_types)?;
        Ok(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Call::try_new(self.name(), args.input_exprs(), args.input_fields())?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

#[user_doc(
    doc_section(label = "Window Functions"),
    description = "What `dbcluster` plans around; use `dbscan` or `dbcluster` instead. Clusters distinct vectors that \
                   stand for `weight` rows each, after scaling them, in the order of OVER's ORDER BY.",
    syntax_example = "dbscan_vectors(eps, min_samples, scaling, nulls, weight, feature[, ..., feature]) OVER (ORDER BY ...)",
    argument(name = "eps", description = "How far neighbours may be apart."),
    argument(name = "min_samples", description = "How many rows make a dense spot."),
    argument(name = "scaling", description = "`l2` or `none`."),
    argument(
        name = "nulls",
        description = "`error`: a vector with a NULL, NaN or infinite feature fails the query; `skip`: a vector with a NULL takes no part."
    ),
    argument(name = "weight", description = "How many rows the vector stands for."),
    argument(name = "feature", description = "One to 64 features.")
)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct DbscanVectors {
    signature: Signature,
}

impl DbscanVectors {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn fields() -> Fields {
        Fields::from(vec![
            Field::new(GROUP, DataType::Int64, false),
            Field::new(IS_FIRST, DataType::Boolean, false),
            Field::new(IS_CORE, DataType::Boolean, false),
        ])
    }
}

impl Debug for DbscanVectors {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("dbscan_vectors")
    }
}

impl WindowUDFImpl for DbscanVectors {
    fn name(&self) -> &'static str {
        "dbscan_vectors"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let mut types = coerce_features(self.name(), &DBSCAN_VECTORS_ARGS, arg_types)?;
        types[..5].clone_from_slice(&[
            DataType::Float64,
            DataType::Int64,
            DataType::Utf8,
            DataType::Utf8,
            DataType::Int64,
        ]);
        Ok(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Struct(Self::fields()), false)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Call::try_new(self.name(), args.input_exprs(), args.input_fields())?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The types of a call, features unchanged (their conversion checks them), or why it can't be one.
fn coerce_features(function: &str, leading: &[&str], arg_types: &[DataType]) -> Result<Vec<DataType>> {
    if arg_types.len() <= leading.len() {
        return plan_err!(
            "{function} expects {} and at least one feature, got {} argument(s): {function}({}, feature, ...) OVER (...)",
            leading.join(", "),
            arg_types.len(),
            leading.join(", ")
        );
    }
    let features = arg_types.len() - leading.len();
    if features > Points::MAX_DIMENSION {
        return plan_err!("{function} takes at most {} features, got {features}", Points::MAX_DIMENSION);
    }
    for (position, data_type) in arg_types.iter().enumerate().skip(leading.len()) {
        if !is_feature_type(data_type) {
            return plan_err!(
                "{function}: argument {} is {data_type}, expected a number as a feature; {}",
                position + 1,
                make_it_a_number("it", data_type).replace("(it)", "(...)")
            );
        }
    }
    Ok(arg_types
        .iter()
        .map(|data_type| if data_type.is_null() { DataType::Float64 } else { data_type.clone() })
        .collect())
}

fn check_constants(function: &str, names: &[&str], arg_types: &[DataType]) -> Result<()> {
    for (position, (name, data_type)) in names.iter().zip(arg_types).enumerate() {
        if !data_type.is_numeric() {
            return plan_err!(
                "{function}: argument {} ({name}) is {data_type}, expected a number",
                position + 1
            );
        }
    }
    Ok(())
}

/// One checked call of either function: everything but the rows.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    function: &'static str,
    params: Params,
    features: Vec<String>,
    vectors: Option<Vectors>,
}

/// What `dbscan_vectors` has beyond `dbscan`.
#[derive(Debug, Clone, Copy)]
struct Vectors {
    scaling: Scaling,
    skip_nulls: bool,
}

impl Call {
    /// Reads the constants of a call.
    ///
    /// # Errors
    /// An argument that isn't constant or out of its range.
    pub(crate) fn try_new(name: &str, args: &[Arc<dyn PhysicalExpr>], fields: &[FieldRef]) -> Result<Self> {
        let is_vectors = name == "dbscan_vectors";
        let function = if is_vectors { "dbscan_vectors" } else { "dbscan" };
        let leading: &[&str] = if is_vectors { &DBSCAN_VECTORS_ARGS } else { &DBSCAN_ARGS };
        if args.len() <= leading.len() {
            return plan_err!("{function} expects {} and at least one feature", leading.join(", "));
        }
        let [eps, min_samples] = take_function_args(function, &args[..2])?;
        let ScalarValue::Float64(Some(eps)) =
            constant(function, 1, "eps", eps)?.cast_to(&DataType::Float64)?
        else {
            return plan_err!("{function}: argument 1 (eps) is NULL, expected a number above 0");
        };
        let min_samples = constant(function, 2, "min_samples", min_samples)?.cast_to(&DataType::Int64)?;
        let ScalarValue::Int64(Some(min_samples)) = min_samples else {
            return plan_err!("{function}: argument 2 (min_samples) is NULL, expected a whole number from 1");
        };
        let params = params(function, eps, min_samples)?;
        let vectors = if is_vectors {
            let scaling = constant(function, 3, "scaling", &args[2])?;
            let nulls = constant(function, 4, "nulls", &args[3])?;
            let Some(scaling) = scaling.try_as_str().flatten().and_then(Scaling::from_name) else {
                return plan_err!(
                    "{function}: argument 3 (scaling) is {scaling}, expected one of {:?}",
                    Scaling::NAMES
                );
            };
            Some(Vectors { scaling, skip_nulls: nulls.try_as_str().flatten() == Some("skip") })
        } else {
            None
        };
        let features = fields[leading.len()..].iter().map(|field| field.name().clone()).collect();
        Ok(Self { function, params, features, vectors })
    }

    /// The SQL name of the function.
    pub(crate) fn function(&self) -> &'static str {
        self.function
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    /// The features' names.
    pub(crate) fn features(&self) -> &[String] {
        &self.features
    }

    /// Whether the input is distinct vectors, and not rows as they come.
    pub(crate) fn is_of_vectors(&self) -> bool {
        self.vectors.is_some()
    }

    /// How many rows of the table a batch stands for. `args` are the call's arguments.
    pub(crate) fn rows_of(&self, args: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<i64> {
        let Some(weight) = self.vectors.and_then(|_| args.get(DBSCAN_VECTORS_ARGS.len() - 1)) else {
            return Ok(batch.num_rows() as i64);
        };
        let weights = weight.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(weights.as_primitive::<Int64Type>().iter().flatten().sum())
    }

    /// Bytes that [`evaluate`](Self::evaluate) needs beside its input, for `rows` rows.
    pub(crate) fn memory_required(&self, rows: usize) -> usize {
        let dimension = self.features.len();
        // The features as DOUBLE columns and as points, and the labels as arrays.
        let copies = rows.saturating_mul(dimension * 16 + 24);
        copies.saturating_add(dbscan::memory_required(rows, dimension))
    }

    /// Labels one partition. `values` are the arguments as arrays, in the order that numbers the clusters.
    ///
    /// # Errors
    /// A feature that has no place among numbers (NaN, infinite; NULL where the call says so), or `cancel`.
    pub(crate) fn evaluate(
        &self,
        values: &[ArrayRef],
        rows: usize,
        cancel: &AtomicBool,
    ) -> Result<Evaluated> {
        let leading = values.len() - self.features.len();
        let columns = (self.features.iter().zip(&values[leading..]))
            .map(|(name, array)| to_double(name, array))
            .collect::<Result<Vec<_>>>()?;
        let weights = self.vectors.map(|_| values[leading - 1].as_primitive::<Int64Type>());

        let nulls =
            columns.iter().fold(None, |nulls, column| NullBuffer::union(nulls.as_ref(), column.nulls()));
        let skips_nulls = self.vectors.is_none_or(|vectors| vectors.skip_nulls);
        for (name, column) in self.features.iter().zip(&columns) {
            self.check_finite(name, column, weights, rows, skips_nulls)?;
        }

        let present: Option<Vec<usize>> = nulls
            .as_ref()
            .filter(|nulls| nulls.null_count() > 0)
            .map(|nulls| nulls.valid_indices().collect());
        let mut points = match &present {
            None => {
                let columns: Vec<&[f64]> = columns.iter().map(|column| column.values().as_ref()).collect();
                Points::from_columns(&columns)
            }
            Some(present) => {
                let columns: Vec<Vec<f64>> = columns
                    .iter()
                    .map(|column| present.iter().map(|&row| column.value(row)).collect())
                    .collect();
                let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                Points::from_columns(&columns)
            }
        }
        .map_err(|error| DataFusionError::Execution(format!("{}: {error}", self.function)))?;
        let distinct_weights: Option<Vec<u64>> = weights.map(|weights| match &present {
            None => weights.values().iter().map(|&weight| weight.max(1) as u64).collect(),
            Some(present) => present.iter().map(|&row| weights.value(row).max(1) as u64).collect(),
        });
        if let Some(vectors) = self.vectors {
            points.scale(vectors.scaling);
        }
        let labels = dbscan::dbscan(&points, distinct_weights.as_deref(), &self.params, cancel)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;

        let clusters = labels.clusters();
        let array = if self.vectors.is_some() {
            vector_labels(&labels, present.as_deref(), rows)
        } else {
            row_labels(&labels, present.as_deref(), rows)
        };
        Ok(Evaluated { array, clusters })
    }

    fn check_finite(
        &self,
        name: &str,
        column: &Float64Array,
        weights: Option<&Int64Array>,
        rows: usize,
        skips_nulls: bool,
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
        if skips_nulls {
            bad[0].1 = 0;
        }
        let Some((kind, count)) = bad.into_iter().find(|(_, count)| *count > 0) else { return Ok(()) };
        let total: i64 = (0..rows).map(weight).sum();
        let way_out = if self.vectors.is_some() {
            "give it a value with coalesce(...), or choose nulls => 'zero' (read as 0) or nulls => 'skip' (such rows \
             take no part)"
        } else {
            "give it a value, or leave such rows out with WHERE"
        };
        exec_err!("feature '{name}' is {kind} in {count} of {total} rows; {way_out}")
    }
}

/// The labels of one partition, and what they came to.
pub(crate) struct Evaluated {
    pub(crate) array: ArrayRef,
    pub(crate) clusters: usize,
}

/// The names of the scalings that a call may choose.
pub(crate) fn scaling_names() -> &'static [&'static str] {
    Scaling::NAMES
}

/// `eps` and `min_samples`, checked, with the function's name before what is wrong.
pub(crate) fn params(function: &str, eps: f64, min_samples: i64) -> Result<Params> {
    // A negative count has no u64; 0 is refused with the same words.
    Params::try_new(eps, u64::try_from(min_samples).unwrap_or(0))
        .map_err(|error| DataFusionError::Plan(format!("{function}: {error}")))
}

fn constant<'a>(
    function: &str,
    position: usize,
    name: &str,
    arg: &'a Arc<dyn PhysicalExpr>,
) -> Result<&'a ScalarValue> {
    match (arg.as_ref() as &dyn std::any::Any).downcast_ref::<Literal>() {
        Some(literal) => Ok(literal.value()),
        None => plan_err!("{function}: argument {position} ({name}) is {arg}, expected a constant"),
    }
}

/// Cluster ids of the rows; NULL for those that took no part.
fn row_labels(labels: &Labels, present: Option<&[usize]>, rows: usize) -> ArrayRef {
    match present {
        None => Arc::new(Int64Array::from(labels.as_slice().to_vec())),
        Some(present) => {
            let mut clusters = vec![None; rows];
            for (point, &row) in present.iter().enumerate() {
                clusters[row] = Some(labels.cluster(point));
            }
            Arc::new(Int64Array::from(clusters))
        }
    }
}

/// The struct of `dbscan_vectors`.
fn vector_labels(labels: &Labels, present: Option<&[usize]>, rows: usize) -> ArrayRef {
    let mut group: Vec<i64> = (0..rows as i64).map(|row| i64::MIN + row).collect();
    let mut is_first = vec![true; rows];
    let mut is_core = vec![false; rows];
    let mut seen = vec![false; labels.clusters()];
    for point in 0..labels.len() {
        let row = present.map_or(point, |present| present[point]);
        let cluster = labels.cluster(point);
        is_core[row] = labels.is_core(point);
        if let Some(seen) = usize::try_from(cluster).ok().and_then(|cluster| seen.get_mut(cluster)) {
            group[row] = cluster;
            is_first[row] = !std::mem::replace(seen, true);
        } else {
            group[row] = -1 - row as i64;
        }
    }
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(group)),
        Arc::new(BooleanArray::from(is_first)),
        Arc::new(BooleanArray::from(is_core)),
    ];
    Arc::new(StructArray::new(DbscanVectors::fields(), arrays, None))
}

/// The host that every engine has: all rows of a partition at once, on the thread that asks.
#[derive(Debug)]
struct Evaluator(Call);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        Ok(self.0.evaluate(values, num_rows, &AtomicBool::new(false))?.array)
    }
}

/// Completes the ORDER BY of a `dbscan` window with its features.
///
/// Rows that are equal in every feature are interchangeable for the clustering, so with the features as the
/// last keys the rows arrive in an order that only their values decide.
#[derive(Debug)]
pub(crate) struct DbscanOrder;

impl ExprPlanner for DbscanOrder {
    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let is_dbscan =
            matches!(&expr.func_def, WindowFunctionDefinition::WindowUDF(udf) if udf.name() == "dbscan");
        if !is_dbscan || expr.args.len() <= DBSCAN_ARGS.len() {
            return Ok(PlannerResult::Original(expr));
        }
        if expr.distinct || expr.filter.is_some() || expr.null_treatment.is_some() {
            return plan_err!(
                "dbscan takes no DISTINCT, FILTER, IGNORE NULLS or RESPECT NULLS: choose the rows with WHERE"
            );
        }
        if let (Expr::Literal(eps, _), Expr::Literal(min_samples, _)) = (&expr.args[0], &expr.args[1])
            && let (Ok(ScalarValue::Float64(Some(eps))), Ok(ScalarValue::Int64(Some(min_samples)))) =
                (eps.cast_to(&DataType::Float64), min_samples.cast_to(&DataType::Int64))
        {
            params("dbscan", eps, min_samples)?;
        }
        let mut order_by = expr.order_by;
        for feature in &expr.args[DBSCAN_ARGS.len()..] {
            if !order_by.iter().any(|sort| sort.expr == *feature) {
                order_by.push(feature.clone().sort(true, false));
            }
        }
        Ok(PlannerResult::Planned(Expr::from(WindowFunction {
            fun: expr.func_def,
            params: WindowFunctionParams {
                args: expr.args,
                partition_by: expr.partition_by,
                order_by,
                window_frame: expr.window_frame,
                filter: None,
                null_treatment: None,
                distinct: false,
            },
        })))
    }
}
