//! [`ClusterOptions`]: all that a call says about how its rows are clustered.
//!
//! The options are made once, from the SQL of a call or by a Rust program, and no later code parses text. They travel through
//! a plan as one struct constant ([`carried`]), which EXPLAIN shows and the window function reads back into the same type.
//!
//! An option is a row of the [`table`] and a field here. The row has the option's name, the functions that read and carry it,
//! and its documentation; error texts, the reference, the shell's help and completion come from it.

mod carried;
mod option;
mod table;

use std::borrow::Cow;

use datafusion::common::{Column, DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;

pub(crate) use carried::{Carried, EpsOf};
pub use option::ClusterOption;
pub(crate) use option::{ColumnsAre, Takes};
pub(crate) use table::{OPTIONS, number};

use crate::dbscan::{Metric, Params, Points, Scaling};
use crate::near_miss::{did_you_mean, did_you_mean_column, excerpt, listed_columns, sql_name};

/// The largest number of features of a call.
pub(crate) const MAX_FEATURES: usize = Points::MAX_DIMENSION;

/// The largest number of keys in `order_by` or `partition_by`: planning time and memory grow with the square of it.
pub(crate) const MAX_KEYS: usize = 16;

/// The features that rows are compared by, and every option that SQL has.
///
/// ```
/// use datafusion::prelude::col;
/// use datafusion_dbcluster::dbscan::{Metric, Scaling};
/// use datafusion_dbcluster::{ClusterOptions, NullPolicy};
///
/// let options = ClusterOptions::new(2.0)
///     .feature("length", col("length"))
///     .feature("port", col("port"))
///     .scaling(Scaling::None)
///     .metric(Metric::Manhattan)
///     .nulls(NullPolicy::Skip)
///     .weight("port", 0.5)
///     .partition_by(vec![col("host")]);
/// ```
///
/// The methods of [`DbclusterDataFrameExt`](crate::DbclusterDataFrameExt) take them, and check there that the columns exist and
/// the numbers are in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterOptions {
    pub(crate) features: Vec<Feature>,
    pub(crate) eps: Eps,
    pub(crate) min_samples: Parameter<i64>,
    pub(crate) metric: Metric,
    pub(crate) scaling: Scaling,
    pub(crate) weights: Weights,
    pub(crate) nulls: NullPolicy,
    pub(crate) exemplar: ExemplarChoice,
    pub(crate) time_column: TimeColumn,
    pub(crate) order_by: Vec<Key>,
    pub(crate) partition_by: Vec<Key>,
    pub(crate) keep_members: Vec<KeptColumn>,
    pub(crate) chain_share: f64,
    pub(crate) steps: i64,
    pub(crate) show: Vec<Column>,
    pub(crate) distinct_of: Vec<Column>,
    pub(crate) template_of: Vec<Column>,
    pub(crate) activity: Option<i64>,
    pub(crate) of: Vec<Feature>,
    pub(crate) top: Option<i64>,
}

impl ClusterOptions {
    /// Creates the default options, with `eps` as the largest distance of neighbours, a number or [`Eps::Auto`]. A call needs at
    /// least one [`feature`](Self::feature) as well.
    pub fn new(eps: impl Into<Eps>) -> Self {
        Self {
            features: vec![],
            eps: eps.into(),
            min_samples: Parameter::Value(2),
            metric: Metric::default(),
            scaling: Scaling::default(),
            weights: Weights::Equal,
            nulls: NullPolicy::default(),
            exemplar: ExemplarChoice::default(),
            time_column: TimeColumn::FirstOfItsType,
            order_by: vec![],
            partition_by: vec![],
            keep_members: vec![],
            chain_share: 0.05,
            steps: 32,
            show: vec![],
            distinct_of: vec![],
            template_of: vec![],
            activity: None,
            of: vec![],
            top: None,
        }
    }

    /// Creates the defaults of the window function `dbscan`: features are not scaled, and rows with a NULL take no part.
    pub(crate) fn of_dbscan(eps: f64, min_samples: i64) -> Self {
        Self { scaling: Scaling::None, nulls: NullPolicy::Skip, ..Self::new(eps) }.min_samples(min_samples)
    }

    /// Adds a feature to compare rows by: a numeric expression over the columns.
    #[must_use]
    pub fn feature(mut self, name: impl Into<String>, value: Expr) -> Self {
        self.features.push(Feature { name: name.into(), text: value.to_string(), expr: value });
        self
    }

    /// Sets the number of rows within `eps`, itself counted, that make a row a core row. The default is 2.
    #[must_use]
    pub fn min_samples(mut self, min_samples: impl Into<Parameter<i64>>) -> Self {
        self.min_samples = min_samples.into();
        self
    }

    /// Sets the metric of distances. The default is [`Metric::Euclidean`].
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Sets the scaling of the features before distances are computed. The default is [`Scaling::L2`].
    #[must_use]
    pub fn scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// Multiplies a feature, named as in [`feature`](Self::feature), by a number above 0 after scaling. The others keep 1.
    #[must_use]
    pub fn weight(mut self, feature: impl Into<String>, factor: f64) -> Self {
        let named = (feature.into(), factor);
        match &mut self.weights {
            Weights::ByName(weights) => weights.push(named),
            _ => self.weights = Weights::ByName(vec![named]),
        }
        self
    }

    /// Sets the treatment of rows with a NULL, NaN or infinite feature. The default is [`NullPolicy::Error`].
    #[must_use]
    pub fn nulls(mut self, nulls: NullPolicy) -> Self {
        self.nulls = nulls;
        self
    }

    /// Sets the choice of the member that stands for its cluster. The default is [`ExemplarChoice::First`].
    #[must_use]
    pub fn exemplar(mut self, exemplar: ExemplarChoice) -> Self {
        self.exemplar = exemplar;
        self
    }

    /// Names the column with the time of the events. The default is the first column of a timestamp or date type. Text is
    /// read as ISO times, in UTC unless it names an offset.
    #[must_use]
    pub fn time_column(self, column: impl Into<String>) -> Self {
        self.time(Expr::Column(Column::from_name(column)))
    }

    /// Computes the time of the events, where no column has it as [`time_column`](Self::time_column) takes it.
    ///
    /// ```
    /// use datafusion::functions::expr_fn::to_timestamp;
    /// use datafusion::prelude::{col, lit};
    /// use datafusion_dbcluster::ClusterOptions;
    ///
    /// let options = ClusterOptions::new(2.0)
    ///     .feature("length", col("length"))
    ///     .time(to_timestamp(vec![col("When"), lit("%m/%d/%Y %I:%M:%S %p")]));
    /// ```
    #[must_use]
    pub fn time(mut self, time: Expr) -> Self {
        let text = match &time {
            Expr::Column(column) => column.name.clone(),
            other => other.to_string(),
        };
        self.time_column = TimeColumn::Given(Key { expr: time, text });
        self
    }

    /// Treats the events as having no time, even if they have a timestamp column.
    #[must_use]
    pub fn without_time_column(mut self) -> Self {
        self.time_column = TimeColumn::None;
        self
    }

    /// Sets the order of the rows, which decides the first row of a cluster and the numbers of the clusters. The default is the
    /// time column.
    #[must_use]
    pub fn order_by(mut self, keys: Vec<Expr>) -> Self {
        self.order_by = keys.into_iter().map(Key::new).collect();
        self
    }

    /// Clusters the rows of each partition separately. The default is one partition of all rows.
    #[must_use]
    pub fn partition_by(mut self, keys: Vec<Expr>) -> Self {
        self.partition_by = keys.into_iter().map(Key::new).collect();
        self
    }

    /// Adds to each cluster a list of a column's values in its first members, at most `count` of them, from 1 to 1000.
    #[must_use]
    pub fn keep_members(mut self, column: impl Into<String>, count: i64) -> Self {
        self.keep_members.push(KeptColumn { column: Column::from_name(column), count });
        self
    }

    /// Sets the share of the rows by which the largest cluster may exceed the most frequent vector before [`Eps::Auto`] says
    /// that clusters chain, from 0 to 1. The default is 0.05.
    #[must_use]
    pub fn chain_share(mut self, share: f64) -> Self {
        self.chain_share = share;
        self
    }

    /// Sets the number of values of eps that `dbcluster_eps` chooses, from 2 to 1000. The default is 32.
    #[must_use]
    pub fn steps(mut self, steps: i64) -> Self {
        self.steps = steps;
        self
    }

    /// Adds a column of the nearest cluster's exemplar to the rows of `dbcluster_why`.
    #[must_use]
    pub fn show(mut self, column: impl Into<String>) -> Self {
        self.show.push(Column::from_name(column));
        self
    }

    /// Adds to each cluster of `dbcluster` the number of different values that a column has in it.
    #[must_use]
    pub fn distinct_of(mut self, column: impl Into<String>) -> Self {
        self.distinct_of.push(Column::from_name(column));
        self
    }

    /// Adds to each cluster of `dbcluster` the pattern that all values of a text column have in common.
    #[must_use]
    pub fn template_of(mut self, column: impl Into<String>) -> Self {
        self.template_of.push(Column::from_name(column));
        self
    }

    /// Adds to each cluster of `dbcluster` its numbers of events in `buckets` equal spans of time, from 1 to 1000 of them.
    #[must_use]
    pub fn activity(mut self, buckets: i64) -> Self {
        self.activity = Some(buckets);
        self
    }

    /// Adds a column or another expression over one row whose values `dbcluster_values` counts, under a name.
    #[must_use]
    pub fn of(mut self, name: impl Into<String>, value: Expr) -> Self {
        self.of.push(Feature { name: name.into(), text: value.to_string(), expr: value });
        self
    }

    /// Sets how many of the rarest, and of the most frequent, values of a cluster `dbcluster_values` gives. The default is all.
    #[must_use]
    pub fn top(mut self, values: i64) -> Self {
        self.top = Some(values);
        self
    }

    /// Returns the parameters of the core. `function` begins the error text. A placeholder passes the checks until its value is
    /// known, and an eps that the rows decide passes them.
    pub(crate) fn params(&self, function: &str) -> Result<Params> {
        let (eps, min_samples) = (self.eps.value().unwrap_or(1.0), self.min_samples.value().unwrap_or(1));
        let Ok(least) = u64::try_from(min_samples) else {
            return plan_err!("{function}: min_samples must be at least 1, got {min_samples}");
        };
        let params = Params::try_new(eps, least);
        let params = params.map_err(|error| DataFusionError::Plan(format!("{function}: {error}")))?;
        Ok(params.with_metric(self.metric))
    }
}

/// A number, or the placeholder of a prepared statement that stands for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter<T> {
    /// The number.
    Value(T),
    /// The placeholder, as in `$1`.
    Placeholder(Placeholder),
}

impl<T: Copy> Parameter<T> {
    /// Returns the number, if it is known.
    pub(crate) fn value(&self) -> Option<T> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Placeholder(_) => None,
        }
    }
}

impl<T> From<T> for Parameter<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// The largest distance of neighbours.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Eps {
    /// A number above 0, or the placeholder of one.
    Given(Parameter<f64>),
    /// The last eps before clusters chain, found for each partition by itself.
    Auto,
    /// Several numbers, for `dbcluster_eps`.
    Each(Vec<f64>),
}

impl Eps {
    /// The word for [`Eps::Auto`] in SQL.
    pub(crate) const AUTO: &'static str = "auto";

    /// Returns the number, if there is one and it is known.
    pub(crate) fn value(&self) -> Option<f64> {
        match self {
            Self::Given(number) => number.value(),
            Self::Auto | Self::Each(_) => None,
        }
    }
}

impl From<f64> for Eps {
    fn from(eps: f64) -> Self {
        Self::Given(eps.into())
    }
}

impl From<Parameter<f64>> for Eps {
    fn from(eps: Parameter<f64>) -> Self {
        Self::Given(eps)
    }
}

impl From<Vec<f64>> for Eps {
    fn from(list: Vec<f64>) -> Self {
        Self::Each(list)
    }
}

/// The treatment of rows with a feature that is NULL, NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum NullPolicy {
    /// The query fails, and names the feature.
    #[default]
    Error,
    /// The feature is read as 0.
    Zero,
    /// The row takes no part: it is kept as it is, with the cluster id NULL.
    Skip,
}

impl NullPolicy {
    /// The names that [`NullPolicy::from_name`] knows, for messages and documentation.
    pub const NAMES: &'static [&'static str] = &["error", "zero", "skip"];

    /// Finds the policy of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "error" => Some(Self::Error),
            "zero" => Some(Self::Zero),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }

    /// Returns its name, one of [`NullPolicy::NAMES`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Zero => "zero",
            Self::Skip => "skip",
        }
    }
}

/// The choice of the member that stands for its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ExemplarChoice {
    /// The first one in canonical order.
    #[default]
    First,
    /// The last one. The plan chooses it, and not the window function: the last rows of vectors are known in the plan only.
    Last,
    /// The first row of the vector with the smallest sum of distances to the others of its cluster.
    Medoid,
    /// The first row of the vector that stands for the fewest rows.
    Rarest,
}

impl ExemplarChoice {
    /// The names that [`ExemplarChoice::from_name`] knows, for messages and documentation.
    pub const NAMES: &'static [&'static str] = &["first", "last", "medoid", "rarest"];

    /// Finds the choice of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "first" => Some(Self::First),
            "last" => Some(Self::Last),
            "medoid" => Some(Self::Medoid),
            "rarest" => Some(Self::Rarest),
            _ => None,
        }
    }

    /// Returns its name, one of [`ExemplarChoice::NAMES`].
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Medoid => "medoid",
            Self::Rarest => "rarest",
        }
    }
}

/// A number that rows are compared by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    /// The text of it as it was written.
    pub(crate) text: String,
}

impl Feature {
    /// Returns whether the feature is a column of the input under its own name, so that the output already has it.
    pub(crate) fn is_input_column(&self) -> bool {
        matches!(&self.expr, Expr::Column(column) if column.name == self.name)
    }

    /// Returns the feature as SQL for advice, or `...` if it is too long to be repeated.
    pub(crate) fn sql(&self) -> Cow<'_, str> {
        match &self.expr {
            // A column may have been named by a string, which needs no quotes.
            Expr::Column(column) if column.name == self.text => sql_name(&column.name),
            _ => match excerpt(&self.text) {
                Cow::Borrowed(text) => Cow::Borrowed(text),
                Cow::Owned(_) => Cow::Borrowed("..."),
            },
        }
    }
}

/// An expression that orders, dates or partitions the rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) expr: Expr,
    /// The text of it as it was written.
    pub(crate) text: String,
}

impl Key {
    fn new(expr: Expr) -> Self {
        Self { text: expr.to_string(), expr }
    }
}

/// The factors that features are multiplied by after scaling.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Weights {
    /// Every feature has the factor 1.
    Equal,
    /// A factor for each feature, in their order.
    InOrder(Vec<f64>),
    /// Factors of some features; the others have 1.
    ByName(Vec<(String, f64)>),
}

impl Weights {
    /// Returns the factors in the order of the features, `None` if all are 1.
    pub(crate) fn factors(&self) -> Option<&[f64]> {
        match self {
            Self::InOrder(factors) => Some(factors),
            // A checked call has its factors in order, never by name.
            Self::Equal | Self::ByName(_) => None,
        }
    }

    /// Checks the factors and puts them in the order of the features.
    ///
    /// # Errors
    /// A factor is not a finite number above 0 or names no feature, or their number is wrong.
    pub(crate) fn in_order(self, function: &str, features: &[&str]) -> Result<Self> {
        let factors = match self {
            Self::Equal => return Ok(Self::Equal),
            Self::InOrder(factors) => factors.into_iter().map(Some).collect(),
            Self::ByName(named) => {
                let mut factors = vec![None; features.len()];
                for (name, factor) in named {
                    let Some(place) = features.iter().position(|feature| *feature == name) else {
                        return Err(no_feature_to_weigh(function, &name, features));
                    };
                    if factors[place].replace(factor).is_some() {
                        return plan_err!("{function}: weights names '{name}' twice");
                    }
                }
                factors.into_iter().map(|factor| factor.or(Some(1.0))).collect::<Vec<_>>()
            }
        };
        check_factors(function, &factors, features.len()).map(Self::InOrder)
    }
}

/// Checks that there is one positive factor per feature.
///
/// # Errors
/// There are too few or too many, or one is not a finite number above 0.
fn check_factors(function: &str, factors: &[Option<f64>], features: usize) -> Result<Vec<f64>> {
    if factors.len() != features {
        return Err(wrong_number_of_weights(function, factors.len(), features));
    }
    factors
        .iter()
        .enumerate()
        .map(|(index, factor)| match factor {
            Some(factor) if factor.is_finite() && *factor > 0.0 => Ok(*factor),
            other => {
                let got = other.map_or("NULL".to_string(), |factor| factor.to_string());
                plan_err!("{function}: weights, number {}, is {got}, expected a number above 0", index + 1)
            }
        })
        .collect()
}

fn wrong_number_of_weights(function: &str, got: usize, features: usize) -> DataFusionError {
    plan_datafusion_err!(
        "{function}: weights is a list of {got}, expected one number per feature, of which there are {features}"
    )
}

pub(crate) fn no_feature_to_weigh(function: &str, name: &str, features: &[&str]) -> DataFusionError {
    plan_datafusion_err!(
        "{function}: weights: there is no feature '{name}'{}; features are {}",
        did_you_mean_column(name, features),
        listed_columns(features)
    )
}

/// The time of the events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeColumn {
    /// The first one of a timestamp or date type, if there is one.
    FirstOfItsType,
    /// The events have no time, even if they have such a column.
    None,
    /// A column, whose text is its name, or an expression over columns.
    Given(Key),
}

/// A column whose first values `keep_members` lists for each cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptColumn {
    pub(crate) column: Column,
    pub(crate) count: i64,
}

impl KeptColumn {
    /// Returns the name of the output column with the list.
    pub(crate) fn output_name(&self) -> String {
        format!("{}_members", self.column.name)
    }
}

/// Builds the error about an option that is not among the `known` ones.
pub(crate) fn no_such_option(function: &str, name: &str, known: &[&str]) -> DataFusionError {
    plan_datafusion_err!(
        "{function}: there is no option '{name}'{}; options are {}",
        did_you_mean(name, known),
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_its_own_value() {
        for name in NullPolicy::NAMES {
            assert_eq!(NullPolicy::from_name(&name.to_uppercase()).map(NullPolicy::name), Some(*name));
        }
        for name in ExemplarChoice::NAMES {
            assert_eq!(
                ExemplarChoice::from_name(&name.to_uppercase()).map(ExemplarChoice::name),
                Some(*name)
            );
        }
        assert_eq!(NullPolicy::from_name("drop"), None);
        assert_eq!(ExemplarChoice::from_name("middle"), None);
    }

    #[test]
    fn weights_by_name_are_put_in_order() {
        let of = |options: ClusterOptions| {
            options.weights.in_order("f", &["a", "b"]).map_err(|error| error.strip_backtrace())
        };
        let options = ClusterOptions::new(1.0).weight("b", 3.0);
        assert_eq!(of(options.clone()), Ok(Weights::InOrder(vec![1.0, 3.0])));
        for (options, expected) in [
            (options.clone().weight("b", 4.0), "weights names 'b' twice"),
            (options.clone().weight("c", 4.0), "there is no feature 'c'; features are a, b"),
            (options.weight("a", 0.0), "weights, number 1, is 0, expected a number above 0"),
        ] {
            assert!(of(options).is_err_and(|error| error.contains(expected)), "{expected}");
        }
    }
}
