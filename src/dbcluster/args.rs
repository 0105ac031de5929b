//! SQL arguments become a checked [`ClusterSpec`]. Every error about them is made from here.
//!
//! Both forms of a call ([`table`](super::table) and [`relation`](super::relation)) hand over what was written
//! as a [`Call`]: an input plan, the features as SQL, the options by name. [`ClusterSpec::try_new`] is the only
//! way to a specification, and nothing behind it checks again. It reads lists by [`lists`](super::lists), plans
//! expressions in a [`Scope`] and takes constants by [`constants`](super::constants).

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::common::{Column, DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::sql::sqlparser::ast;

use super::constants::{KeptColumn, MIN_SAMPLES};
use super::lists::Written;
use super::nesting::check_nesting;
use super::repeatable::repeatable;
use super::rewrite;
use super::scope::{Feature, Key, Scope, SqlPlanner, default_time_column, with_equal_bits};
use crate::functions::has_key;
use crate::near_miss::did_you_mean;
use crate::window::options::{Exemplar, MAX_FEATURES, metric_names, params, scaling_names};

/// The table functions that cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFunction {
    /// One row per cluster and one per noise event.
    Dbcluster,
    /// Every input row with its cluster.
    DbclusterMembers,
    /// One row about the whole.
    DbclusterSummary,
}

impl TableFunction {
    pub(crate) const ALL: [Self; 3] = [Self::Dbcluster, Self::DbclusterMembers, Self::DbclusterSummary];

    /// The SQL name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dbcluster => "dbcluster",
            Self::DbclusterMembers => "dbcluster_members",
            Self::DbclusterSummary => "dbcluster_summary",
        }
    }

    /// The function of this name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

pub(crate) const CLUSTERED: &str = "clustered";
pub(crate) const CLUSTER_ID: &str = "cluster_id";
pub(crate) const CLUSTER_KEY: &str = "cluster_key";
pub(crate) const CLUSTER_SIZE: &str = "cluster_size";
pub(crate) const FIRST_EVENT_TIME: &str = "first_event_time";
pub(crate) const LAST_EVENT_TIME: &str = "last_event_time";
pub(crate) const POINT_TYPE: &str = "point_type";

/// What a feature that has no place among numbers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Error,
    Zero,
    Skip,
}

impl Nulls {
    const ALL: [Self; 3] = [Self::Error, Self::Zero, Self::Skip];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Zero => "zero",
            Self::Skip => "skip",
        }
    }
}

/// An option's name; what it takes stands in [`ClusterSpec::try_new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionName {
    Eps,
    MinSamples,
    TimeColumn,
    OrderBy,
    PartitionBy,
    Scaling,
    Weights,
    Metric,
    Nulls,
    Exemplar,
    KeepMembers,
}

impl OptionName {
    pub(crate) const ALL: [Self; 11] = [
        Self::Eps,
        Self::MinSamples,
        Self::TimeColumn,
        Self::OrderBy,
        Self::PartitionBy,
        Self::Scaling,
        Self::Weights,
        Self::Metric,
        Self::Nulls,
        Self::Exemplar,
        Self::KeepMembers,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Eps => "eps",
            Self::MinSamples => "min_samples",
            Self::TimeColumn => "time_column",
            Self::OrderBy => "order_by",
            Self::PartitionBy => "partition_by",
            Self::Scaling => "scaling",
            Self::Weights => "weights",
            Self::Metric => "metric",
            Self::Nulls => "nulls",
            Self::Exemplar => "exemplar",
            Self::KeepMembers => "keep_members",
        }
    }

    /// The option that is written as `name`, in any case.
    ///
    /// # Errors
    /// There is none: names the closest ones, and all.
    pub(crate) fn parse(function: TableFunction, name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|option| option.as_str().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let function = function.name();
            if ["table", "input", "features", "columns", "cols"].contains(&name.to_lowercase().as_str()) {
                return plan_datafusion_err!(
                    "{function}: there is no option '{name}'; table and features come first and without names, as in \
                     {function}(events, [f1, f2], eps => 0.0001)"
                );
            }
            let names = Self::ALL.map(Self::as_str);
            plan_datafusion_err!(
                "{function}: there is no option '{name}'{}; options are {}",
                did_you_mean(name, &names),
                names.join(", ")
            )
        })
    }
}

/// A call as it was written, options in the order of writing.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: TableFunction,
    pub(crate) input: LogicalPlan,
    /// The name of the WITH query that is the input, if it hides a table of that name.
    pub(crate) shadow: Option<String>,
    pub(crate) features: Vec<Written>,
    pub(crate) options: Vec<(OptionName, ast::Expr)>,
}

/// `error` with the function's name before it: it comes from a place that does not know who asked.
pub(crate) fn said_by(function: &str, error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Plan(text) => DataFusionError::Plan(format!("{function}: {text}")),
        other => other.context(function.to_string()),
    }
}

/// A checked call: everything that the rewrite needs, and nothing that could still be wrong but the data and the
/// values of placeholders.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSpec {
    pub(crate) function: TableFunction,
    /// The rows to cluster. All columns have a qualifier.
    pub(crate) input: LogicalPlan,
    pub(crate) features: Vec<Feature>,
    /// A constant number, or a placeholder of a prepared statement.
    eps: Expr,
    /// A constant whole number, or a placeholder.
    min_samples: Expr,
    pub(crate) time_column: Option<Column>,
    order_by: Vec<Key>,
    pub(crate) partition_by: Vec<Key>,
    scaling: String,
    metric: String,
    weights: Option<Vec<f64>>,
    pub(crate) nulls: Nulls,
    pub(crate) exemplar: Exemplar,
    pub(crate) keep_members: Vec<KeptColumn>,
}

impl ClusterSpec {
    /// Checks a call.
    ///
    /// # Errors
    /// Whatever is wrong with it, told to the person who wrote it: the option, the value, what is allowed.
    pub(crate) fn try_new(call: Call, planner: &mut dyn SqlPlanner) -> Result<Self> {
        let Call { function, input, shadow, features, options } = call;
        let name = function.name();
        check_nesting(name, &input)?;
        let input = repeatable(name, input)?;
        let schema = Arc::clone(input.schema());
        let mut scope = Scope { function: name, schema: &schema, shadow: shadow.as_deref(), planner };
        if features.is_empty() {
            return plan_err!(
                "{name}: no features were given; name at least one, as in [cmdline_tokens(CommandLine)]"
            );
        }
        if features.len() > MAX_FEATURES {
            return plan_err!("{name} takes at most {MAX_FEATURES} features, got {}", features.len());
        }
        let features =
            features.into_iter().map(|feature| scope.feature(feature)).collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        if let Some(twice) = first_duplicate(&names) {
            return plan_err!(
                "{name}: two features are named '{twice}'; give one of them another name with AS"
            );
        }

        let mut spec = Self {
            function,
            features,
            eps: lit(ScalarValue::Null),
            min_samples: lit(2_i64),
            time_column: default_time_column(&schema),
            order_by: vec![],
            partition_by: vec![],
            scaling: "l2".to_string(),
            metric: "euclidean".to_string(),
            weights: None,
            nulls: Nulls::Error,
            exemplar: Exemplar::First,
            keep_members: vec![],
            input,
        };
        for (index, (option, value)) in options.iter().enumerate() {
            if options[..index].iter().any(|(earlier, _)| earlier == option) {
                return plan_err!("{name}: option {} was given twice", option.as_str());
            }
            spec.set(*option, value, &mut scope)?;
        }
        if !options.iter().any(|(option, _)| *option == OptionName::Eps) {
            return plan_err!(
                "{name}: eps is missing; give the largest distance of neighbours, as in eps => 0.0001"
            );
        }
        params(name, spec.known_eps().unwrap_or(1.0), spec.known_min_samples().unwrap_or(1))?;
        spec.check_names()?;
        Ok(spec)
    }

    fn set(&mut self, option: OptionName, value: &ast::Expr, scope: &mut Scope) -> Result<()> {
        let name = option.as_str();
        match option {
            OptionName::Eps => self.eps = scope.number(name, value)?,
            OptionName::MinSamples => self.min_samples = scope.whole_number(name, value, &MIN_SAMPLES)?,
            OptionName::TimeColumn if is_null(value) => self.time_column = None,
            OptionName::TimeColumn => {
                let column = scope.column(name, value)?;
                let data_type = Expr::Column(column.clone()).get_type(scope.schema)?;
                if !(data_type.is_temporal() || data_type.is_numeric() || data_type.is_string()) {
                    return plan_err!(
                        "{}: {name} '{}' is {data_type}, expected a time, or a number or string that orders like one",
                        scope.function,
                        column.name
                    );
                }
                self.time_column = Some(column);
            }
            OptionName::OrderBy => self.order_by = scope.keys(name, value)?,
            OptionName::PartitionBy => {
                self.partition_by = scope.keys(name, value)?;
                for key in &self.partition_by {
                    let data_type = key.expr.get_type(scope.schema)?;
                    if data_type.is_nested() {
                        return plan_err!(
                            "{}: {name} '{}' is {data_type}, expected one value; name a field or an element of it",
                            scope.function,
                            key.text
                        );
                    }
                    if !has_key(&data_type) {
                        return plan_err!(
                            "{}: {name} '{}' is {data_type}, which can't name a partition; cast it to text, a number or a time",
                            scope.function,
                            key.text
                        );
                    }
                }
            }
            OptionName::Scaling => self.scaling = scope.one_of(name, value, scaling_names())?.to_string(),
            OptionName::Weights => self.weights = Some(scope.weights(value, &self.features)?),
            OptionName::Metric => self.metric = scope.one_of(name, value, metric_names())?.to_string(),
            OptionName::Nulls => {
                let chosen = scope.one_of(name, value, &Nulls::ALL.map(Nulls::name))?;
                self.nulls = Nulls::ALL.into_iter().find(|it| it.name() == chosen).unwrap_or(self.nulls);
            }
            OptionName::Exemplar => {
                let chosen = scope.one_of(name, value, &Exemplar::ALL.map(Exemplar::name))?;
                let found = Exemplar::ALL.into_iter().find(|it| it.name() == chosen);
                self.exemplar = found.unwrap_or(self.exemplar);
            }
            OptionName::KeepMembers => self.keep_members = scope.kept_columns(name, value)?,
        }
        Ok(())
    }

    /// No two columns of the output may have one name.
    fn check_names(&self) -> Result<()> {
        let name = self.function.name();
        let schema = self.input.schema();
        let is_of_input = |column: &str| schema.fields().iter().any(|field| field.name() == column);
        let of_features = self.features.iter().map(|feature| &feature.name);
        if let Some(reserved) = schema
            .fields()
            .iter()
            .map(|field| field.name())
            .chain(of_features)
            .find(|name| rewrite::is_reserved(name))
        {
            return plan_err!(
                "{name}: '{reserved}' is a name that the plan uses for itself; give the column another name in a subquery, \
                 or the feature with AS"
            );
        }
        let outputs = self.output_columns();
        let taken: Vec<&str> =
            outputs.iter().map(String::as_str).filter(|output| is_of_input(output)).collect();
        if let Some(first) = taken.first().filter(|_| self.function != TableFunction::DbclusterSummary) {
            return plan_err!(
                "{name}: the input has a column '{first}', which is a column of the result; leave it out with \
                 (SELECT * EXCEPT ({}) FROM ...), or rename it",
                taken.join(", ")
            );
        }
        let shown = self.features.iter().filter(|_| self.function == TableFunction::Dbcluster);
        if let Some(feature) = shown.into_iter().find(|feature| outputs.contains(&feature.name)) {
            return plan_err!(
                "{name}: the feature '{0}' has the name of a column of the result; give it another name with AS",
                feature.name
            );
        }
        let kept: Vec<&str> = self.keep_members.iter().map(|kept| kept.column.name.as_str()).collect();
        if let Some(twice) = first_duplicate(&kept) {
            return plan_err!("{name}: keep_members names '{twice}' twice");
        }
        let computed = self.features.iter().find(|it| !it.is_input_column && is_of_input(&it.name));
        if self.function == TableFunction::Dbcluster
            && let Some(feature) = computed
        {
            return plan_err!(
                "{name}: the feature '{0}' has the name of a column of the input; give it another name with AS",
                feature.name
            );
        }
        Ok(())
    }

    /// Names of the columns that the function adds to the input's and to the features.
    fn output_columns(&self) -> Vec<String> {
        let columns: &[&str] = match (self.function, &self.time_column) {
            (TableFunction::Dbcluster, Some(_)) => {
                &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE, FIRST_EVENT_TIME, LAST_EVENT_TIME, CLUSTER_KEY]
            }
            (TableFunction::Dbcluster, None) => &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE, CLUSTER_KEY],
            (TableFunction::DbclusterMembers, _) => &[CLUSTER_ID, CLUSTER_KEY, POINT_TYPE],
            (TableFunction::DbclusterSummary, _) => &[],
        };
        let kept = self.keep_members.iter().map(KeptColumn::output_name);
        let kept = kept.filter(|_| self.function == TableFunction::Dbcluster);
        columns.iter().map(ToString::to_string).chain(kept).collect()
    }

    /// The first keys of the canonical order inside of a partition; the features and the remaining columns follow.
    pub(crate) fn order_keys(&self) -> Result<Vec<Expr>> {
        if self.order_by.is_empty() {
            Ok(self.time()?.into_iter().collect())
        } else {
            Ok(self.order_by.iter().map(|key| key.expr.clone()).collect())
        }
    }

    /// The time of an event; a column of a floating-point type may be one too.
    pub(crate) fn time(&self) -> Result<Option<Expr>> {
        let column = self.time_column.clone().map(Expr::Column);
        column.map(|column| with_equal_bits(column, self.input.schema())).transpose()
    }

    /// Whether the events are in the order of their time: a cluster's first key is its first time then.
    pub(crate) fn time_is_key(&self) -> bool {
        self.order_by.is_empty() && self.time_column.is_some()
    }

    fn known_eps(&self) -> Option<f64> {
        match &self.eps {
            Expr::Literal(ScalarValue::Float64(eps), _) => *eps,
            _ => None,
        }
    }

    /// The number of neighbours that make a row core, unless a placeholder stands for it.
    pub(crate) fn known_min_samples(&self) -> Option<i64> {
        match &self.min_samples {
            Expr::Literal(ScalarValue::Int64(min_samples), _) => *min_samples,
            _ => None,
        }
    }

    /// All options in force, as one struct: what the window function reads, EXPLAIN shows and
    /// `dbcluster_summary` gives. The type is the same for every call.
    pub(crate) fn options(&self) -> Result<Expr> {
        let text = |text: &str| ScalarValue::from(text);
        let texts = |texts: Vec<String>| ScalarValue::Utf8((!texts.is_empty()).then(|| texts.join(", ")));
        let keys = |keys: &[Key]| texts(keys.iter().map(|key| key.text.clone()).collect());
        let kept = self.keep_members.iter().map(|kept| format!("{}: {}", kept.column.name, kept.count));
        let fixed = [
            ("metric", text(&self.metric)),
            ("scaling", text(&self.scaling)),
            ("weights", list(self.weights.as_deref())),
            ("nulls", text(self.nulls.name())),
            ("exemplar", text(self.exemplar.name())),
            ("time_column", texts(self.time_column.iter().map(|column| column.name.clone()).collect())),
            ("order_by", keys(&self.order_by)),
            ("partition_by", keys(&self.partition_by)),
            ("keep_members", texts(kept.collect())),
        ];
        if let (Expr::Literal(eps, _), Expr::Literal(min_samples, _)) = (&self.eps, &self.min_samples) {
            let numbers = [("eps", eps.clone()), ("min_samples", min_samples.clone())];
            let fields = numbers.into_iter().chain(fixed);
            let options = fields.fold(ScalarStructBuilder::new(), |options, (name, value)| {
                options.with_scalar(Field::new(name, value.data_type(), true), value)
            });
            return Ok(lit(options.build()?));
        }
        let mut args = vec![lit("eps"), self.eps.clone(), lit("min_samples"), self.min_samples.clone()];
        args.extend(fixed.into_iter().flat_map(|(name, value)| [lit(name), lit(value)]));
        Ok(named_struct().call(args))
    }
}

/// A list of numbers, or NULL of that type.
fn list(numbers: Option<&[f64]>) -> ScalarValue {
    let Some(numbers) = numbers else {
        let item: FieldRef = Arc::new(Field::new_list_field(DataType::Float64, true));
        return ScalarValue::List(Arc::new(ListArray::new_null(item, 1)));
    };
    let numbers: Vec<ScalarValue> = numbers.iter().map(|number| ScalarValue::from(*number)).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&numbers, &DataType::Float64))
}

fn is_null(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Value(value) if matches!(value.value, ast::Value::Null))
}

fn first_duplicate<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)).map(|(_, name)| *name)
}
