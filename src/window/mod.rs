//! The window functions: from Arrow arrays to the core and back to labels.
//!
//! The functions share one implementation:
//!
//! - [`dbscan`](dbscan_udwf) is for people: `dbscan(eps, min_samples, f1, ..., fk) OVER (PARTITION BY ...)`
//!   gives every row its cluster, as PostGIS and BigQuery do for geometry.
//! - [`dbscan_vectors`](dbscan_vectors_udwf) is what the table functions plan: distinct vectors with a weight
//!   each, scaled here, and labelled with what the rest of their plan groups by.
//! - [`dbscan_vectors_auto`](dbscan_vectors_auto_udwf) is the same where the rows decide the eps, and
//!   [`dbscan_eps`](dbscan_eps_udwf) clusters the vectors at several values of eps.
//!
//! A window function sees its whole partition, which clustering needs, and the engine does the rest: it partitions the rows,
//! sorts them by the ORDER BY of OVER, and sends the function to other machines by its name. A window function can't account
//! for its memory, be cancelled or show metrics; [`DbscanExec`](crate::exec::DbscanExec) does, and runs the same [`Call`] in
//! its place.
//!
//! Clusters are numbered in the order in which rows arrive. [`DbscanOrder`] completes the ORDER BY of every `dbscan` in a plan
//! with the features, so that ties can't make the result depend on threads.
//!
//! The paper of the algorithm is Ester, Kriegel, Sander, Xu, "A Density-Based Algorithm for Discovering Clusters", KDD 1996.
//! [`dbscan`](crate::dbscan) documents the implementation and its cost.
//!
//! - [`call`]: a checked call and its work. [`every_eps`]: that of many values of eps. [`nearest`]: the cluster
//!   that is nearest to noise.
//! - [`labels`]: labels as arrays, with the hash and the exemplar of each cluster.
//! - [`order`]: the rule that completes the ORDER BY, and the checks while SQL is planned.
//! - [`regroup`]: window expressions with other sort keys get nodes of their own.

mod call;
mod every_eps;
mod labels;
mod nearest;
mod order;
pub(crate) mod regroup;

use std::any::Any;
use std::fmt::{Debug, Formatter};
use std::hash::Hash;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion_macros::user_doc;

pub(crate) use call::{Call, Outcome, Rows};
use labels::Further;
pub(crate) use labels::LabelColumns;
pub(crate) use order::{DbscanChecks, DbscanOrder};

use crate::dbscan::Points;
use crate::error::argument_error;
use crate::feature::{is_feature_type, number_hint};

/// `dbscan(eps, min_samples, f1, ..., fk) OVER (...)`, for SQL and for expressions.
pub fn dbscan_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| Arc::new(WindowUDF::from(Dbscan::new())));
    Arc::clone(&UDWF)
}

/// The window function over expressions, for `DataFrame`s.
pub mod expr_fn {
    use datafusion::logical_expr::Expr;

    use super::dbscan_udwf;

    /// `dbscan(eps, min_samples, feature, ...) OVER ()`: the number of each row's cluster, -1 for noise, NULL for a row with a
    /// NULL feature. `eps` and `min_samples` are literals; the last feature may be followed by a struct of options.
    /// [`ExprFunctionExt`](datafusion::logical_expr::ExprFunctionExt) adds PARTITION BY and ORDER BY.
    ///
    /// The session needs [`register_all`](crate::register_all): one of its rules completes the ORDER BY with the features.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datafusion::error::Result<()> {
    /// use datafusion::prelude::{SessionContext, col, lit};
    /// use datafusion_dbcluster::expr_fn::dbscan;
    ///
    /// let ctx = SessionContext::new();
    /// datafusion_dbcluster::register_all(&ctx)?;
    ///
    /// let table = ctx.sql("SELECT * FROM (VALUES (1), (2), (3), (10)) AS t(x)").await?;
    /// let cluster = dbscan(lit(1.5), lit(2), vec![col("x")]).alias("cluster");
    /// let rows = table.window(vec![cluster])?.sort_by(vec![col("x")])?.collect().await?;
    /// datafusion::assert_batches_eq!(
    ///     [
    ///         "+----+---------+",
    ///         "| x  | cluster |",
    ///         "+----+---------+",
    ///         "| 1  | 0       |",
    ///         "| 2  | 0       |",
    ///         "| 3  | 0       |",
    ///         "| 10 | -1      |",
    ///         "+----+---------+",
    ///     ],
    ///     &rows
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn dbscan(eps: Expr, min_samples: Expr, features: Vec<Expr>) -> Expr {
        let mut args = vec![eps, min_samples];
        args.extend(features);
        dbscan_udwf().call(args)
    }
}

/// `dbscan_vectors(options, weight, f1, ..., fk) OVER (...)`, the window function in plans of the table functions. It scales
/// distinct vectors, which stand for `weight` rows each, and clusters them. No session registers it; only a process that
/// receives plans with functions as names does. People want [`dbscan_udwf`].
pub fn dbscan_vectors_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| of_vectors(Function::Vectors));
    Arc::clone(&UDWF)
}

/// `dbscan_vectors_auto(options, weight, f1, ..., fk) OVER (...)`, the same where the rows decide the eps, which it also returns.
pub fn dbscan_vectors_auto_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| of_vectors(Function::VectorsAuto));
    Arc::clone(&UDWF)
}

/// `dbscan_eps(options, eps, steps, weight, f1, ..., fk) OVER (...)`, which clusters the vectors of a partition at several values of
/// eps. The first row of the partition gets the list of them, the others NULL.
pub fn dbscan_eps_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| of_vectors(Function::EveryEps));
    Arc::clone(&UDWF)
}

/// `dbscan_why(options, weight, f1, ..., fk) OVER (...)`, the same as `dbscan_vectors`, and of each noise vector the nearest core vector
/// and the eps at which it would join a cluster.
pub fn dbscan_why_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| of_vectors(Function::Why));
    Arc::clone(&UDWF)
}

/// `dbscan_why_auto(options, weight, f1, ..., fk) OVER (...)`, the same where the rows decide the eps.
pub fn dbscan_why_auto_udwf() -> Arc<WindowUDF> {
    static UDWF: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| of_vectors(Function::WhyAuto));
    Arc::clone(&UDWF)
}

/// Returns the window functions that only plans call, for a process that finds functions by name.
pub fn all_plan_window_functions() -> Vec<Arc<WindowUDF>> {
    vec![
        dbscan_vectors_udwf(),
        dbscan_vectors_auto_udwf(),
        dbscan_eps_udwf(),
        dbscan_why_udwf(),
        dbscan_why_auto_udwf(),
    ]
}

/// Whether a function is one of [`all_plan_window_functions`].
pub(crate) fn is_of_vectors(function: &WindowUDF) -> bool {
    Function::of(function.inner().as_ref() as &dyn Any).is_some_and(|function| function != Function::Dbscan)
}

fn of_vectors(function: Function) -> Arc<WindowUDF> {
    Arc::new(WindowUDF::from(DbscanVectors::new(function)))
}

/// Returns the window functions that people call, for a host that registers them one by one.
pub fn all_window_functions() -> Vec<Arc<WindowUDF>> {
    vec![dbscan_udwf()]
}

/// Field of `dbscan_vectors`: the number of the vector's [`Group`](crate::group::Group), unique to its cluster, or to itself.
pub const GROUP: &str = "group";
/// Field of `dbscan_vectors`: whether the vector stands for its group.
pub const IS_EXEMPLAR: &str = "is_exemplar";
/// Field of `dbscan_vectors`: whether the vector is a core point.
pub const IS_CORE: &str = "is_core";
/// Field of `dbscan_vectors`: a hash of all core vectors of the group.
pub const CORE_HASH: &str = "core_hash";
/// Field of `dbscan_vectors_auto` and `dbscan_why`: the eps of the partition.
pub const EPS: &str = "eps";
/// Fields of `dbscan_why`, NULL but for noise: the nearest cluster, the hash of its core vectors, the distance of the nearest one, and the
/// eps at which the vector joins a cluster.
pub(crate) const WHY_FIELDS: [&str; 4] = ["nearest", "nearest_hash", "distance", "joins_at_eps"];

/// Field of `dbscan_why`: a feature of the nearest core vector.
pub(crate) fn nearest_field(feature: usize) -> String {
    format!("nearest_{feature}")
}

/// The window functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Dbscan,
    Vectors,
    VectorsAuto,
    EveryEps,
    Why,
    WhyAuto,
}

impl Function {
    /// The SQL name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dbscan => "dbscan",
            Self::Vectors => "dbscan_vectors",
            Self::VectorsAuto => "dbscan_vectors_auto",
            Self::EveryEps => "dbscan_eps",
            Self::Why => "dbscan_why",
            Self::WhyAuto => "dbscan_why_auto",
        }
    }

    /// The further fields of the struct that it returns, over so many features.
    fn further(self, features: usize) -> Further {
        Further {
            eps: !matches!(self, Self::Dbscan | Self::Vectors),
            nearest: matches!(self, Self::Why | Self::WhyAuto).then_some(features),
        }
    }

    /// The leading arguments; at least one feature follows. The weight of a vector stands before its features.
    fn leading_args(self) -> &'static [&'static str] {
        match self {
            Self::Dbscan => &["eps", "min_samples"],
            Self::Vectors | Self::VectorsAuto | Self::Why | Self::WhyAuto => &["options", "weight"],
            Self::EveryEps => &["options", "eps", "steps", "weight"],
        }
    }

    /// Finds the function of an implementation of the engine's trait, if it is one of ours.
    pub(crate) fn of(implementation: &dyn Any) -> Option<Self> {
        if implementation.is::<Dbscan>() {
            return Some(Self::Dbscan);
        }
        implementation.downcast_ref::<DbscanVectors>().map(|vectors| vectors.function)
    }
}

#[user_doc(
    doc_section(label = "Window Functions"),
    description = "Density-based clustering (DBSCAN): gives each row the number of its cluster, or -1 where it is \
                   noise. Two rows are neighbours when their features are at most `eps` apart, inclusive; a row \
                   with at least `min_samples` neighbours, itself counted, is a core of a cluster. The labels are those of scikit-learn's `DBSCAN(algorithm='kd_tree')` on the rows in \
                   the order of OVER's ORDER BY, then of the features. A NULL feature gives NULL. The features \
                   are taken as they are, unless the options name a scaling.",
    syntax_example = "dbscan(eps, min_samples, feature[, ..., feature] [, {option: value, ...}]) OVER ([PARTITION BY expr, ...] [ORDER BY expr, ...])",
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
> SELECT x, y, dbscan(1.0, 2, x, y, {metric: 'chebyshev', weights: [1, 0.5]}) OVER () AS cluster
  FROM (VALUES (0, 0), (1, 2), (3, 2)) AS t(x, y) ORDER BY x;
+---+---+---------+
| x | y | cluster |
+---+---+---------+
| 0 | 0 | 0       |
| 1 | 2 | 0       |
| 3 | 2 | -1      |
+---+---+---------+
```",
    argument(name = "eps", description = "How far neighbours may be apart. A constant number above 0."),
    argument(
        name = "min_samples",
        description = "How many rows make a dense spot, the row itself counted. A constant whole number, at least 1."
    ),
    argument(
        name = "feature",
        description = "One to 64 boolean, integer, float or decimal expressions. Integers beyond 2^53, decimals of more digits than DOUBLE gives back, NaN and infinite values are errors."
    ),
    argument(
        name = "options",
        description = "A constant struct with any of `metric` (`'euclidean'`, the default, `'manhattan'`, `'chebyshev'`), `weights` (a list with a positive factor per feature, applied after scaling) and `scaling` (`'none'`, the default, `'l2'`, `'zscore'`, `'minmax'`, `'robust'`; over the rows of the partition). Without the syntax `{metric: 'manhattan'}`: `named_struct('metric', 'manhattan')`."
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
        // The last argument may be the options.
        let (args, options) = match arg_types.split_last() {
            Some((options @ DataType::Struct(_), args)) => (args, Some(options.clone())),
            _ => (arg_types, None),
        };
        let leading = Function::Dbscan.leading_args();
        let mut types = coerce_features(self.name(), leading, args)?;
        types[..2].clone_from_slice(&[DataType::Float64, DataType::Int64]);
        check_numbers(self.name(), leading, args)?;
        types.extend(options);
        Ok(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Call::try_new(Function::Dbscan, args.input_exprs(), args.input_fields())?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The functions over distinct vectors, see [`dbscan_vectors_udwf`].
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct DbscanVectors {
    function: Function,
    signature: Signature,
}

impl DbscanVectors {
    fn new(function: Function) -> Self {
        Self { function, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl Debug for DbscanVectors {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.name())
    }
}

impl WindowUDFImpl for DbscanVectors {
    fn name(&self) -> &'static str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let leading = self.function.leading_args();
        let mut types = coerce_features(self.name(), leading, arg_types)?;
        // The check above has found a feature behind the leading arguments.
        types[leading.len() - 1] = DataType::Int64;
        if self.function == Function::EveryEps {
            types[1] = DataType::new_list(DataType::Float64, true);
            types[2] = DataType::Int64;
        }
        Ok(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let field = match self.function {
            Function::EveryEps => Field::new(args.name(), labels::curve_type(), true),
            function => {
                let features = args.input_fields().len().saturating_sub(function.leading_args().len());
                let fields = labels::vector_fields(function.further(features));
                Field::new(args.name(), DataType::Struct(fields), false)
            }
        };
        Ok(Arc::new(field))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Call::try_new(self.function, args.input_exprs(), args.input_fields())?)))
    }
}

/// Checks the types of a call and returns them. The types of the features stay as they are: `to_double` converts them.
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
            let (place, hint) = (format!("argument {}", position + 1), number_hint("...", data_type));
            return Err(argument_error(function, &place, data_type, "a number as a feature", Some(&hint)));
        }
    }
    Ok(arg_types
        .iter()
        .map(|data_type| if data_type.is_null() { DataType::Float64 } else { data_type.clone() })
        .collect())
}

fn check_numbers(function: &str, names: &[&str], arg_types: &[DataType]) -> Result<()> {
    for (position, (name, data_type)) in names.iter().zip(arg_types).enumerate() {
        // A placeholder has the type NULL until its type is known. A literal NULL is refused when the call is read.
        let is_number = data_type.is_numeric() || data_type.is_null();
        let place = format!("argument {} ({name})", position + 1);
        if *name == "min_samples" && is_number && !data_type.is_integer() && !data_type.is_null() {
            return Err(argument_error(function, &place, data_type, "a whole number from 1", None));
        }
        if !is_number {
            return Err(argument_error(function, &place, data_type, "a number", None));
        }
    }
    Ok(())
}

/// Runs a call in the engine's own window operator: all rows of a partition at once, on the calling thread.
#[derive(Debug)]
struct Evaluator(Call);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        self.0.evaluate(self.0.row_args(values).to_vec(), num_rows, &AtomicBool::new(false))
    }
}
