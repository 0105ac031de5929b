//! [`ClusterSpec`]: a checked call, from which a plan is built.
//!
//! The SQL of a call ([`call`](crate::call)) and a `DataFrame` ([`dataframe`](crate::dataframe)) give the same parts to a
//! [`SpecBuilder`]: the rows to cluster, features, options. It checks each part against the rows when it is set, so that an
//! error is about the first thing that is wrong, and later code need not check again.
//!
//! [`checks`] has the checks of single options.

mod checks;

use std::ops::RangeInclusive;

use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::columns::{
    ACCOUNTS, CLUSTER_ID, CLUSTER_KEY, CLUSTER_SIZE, CLUSTERED, EVENTS, FIRST_EVENT_TIME, HOSTS,
    LAST_EVENT_TIME, POINT_TYPE, REASONS, SCORE, SUBJECT, TERMS, TEXT_TEMPLATE, is_reserved,
};
use super::nesting::check_nesting;
use super::repeatable::repeatable;
use crate::event_columns::is_time;
use crate::feature::{is_feature_type, number_hint};
use crate::near_miss::excerpt;
use crate::options::{
    ClusterOption, ClusterOptions, ColumnsAre, Eps, Feature, KeptColumn, Key, NullPolicy, OPTIONS, Takes,
    TimeColumn, Weights,
};

pub(crate) use checks::check_one_row;
use checks::{
    canonical_keys, check_activity, check_column, check_count, check_eps, check_number_of_features,
    check_partition_key, check_share, check_value, readable_time,
};

/// The columns of `dbcluster_eps` behind those of the partition. They are the fields of what `dbscan_eps` returns.
pub(super) const EPS_COLUMNS: [&str; 7] =
    ["eps", "clusters", "noise", "collapsed_rows", "largest_cluster", "largest_share", "is_auto"];

/// The columns of `dbcluster_why` behind those of the input and the features.
pub(super) const WHY_COLUMNS: [&str; 5] =
    ["nearest_cluster_id", "nearest_cluster_key", "distance", "distance_in_eps", "joins_at_eps"];

/// The columns of `dbcluster_values` behind those of the partition.
pub(super) const VALUES_COLUMNS: [&str; 9] =
    [CLUSTER_ID, CLUSTER_KEY, "column", "value", "events", "share", "overall_share", "lift", "shown"];

/// The columns of `hunt` beside those of the input.
const HUNT_COLUMNS: [&str; 10] = [
    SUBJECT,
    TEXT_TEMPLATE,
    EVENTS,
    HOSTS,
    ACCOUNTS,
    FIRST_EVENT_TIME,
    LAST_EVENT_TIME,
    SCORE,
    TERMS,
    REASONS,
];

/// The column of `dbcluster` with the number of different values of a column.
pub(super) fn distinct_name(column: &str) -> String {
    format!("distinct_{column}")
}

/// The column of `dbcluster` with the pattern that values of a column have in common.
pub(super) fn template_name(column: &str) -> String {
    format!("{column}_template")
}

/// The column of `dbcluster` with the numbers of events over time.
pub(super) const ACTIVITY: &str = "activity";

/// The column of `dbcluster_why` with the difference in a feature.
pub(super) fn difference_name(feature: &str) -> String {
    format!("{feature}_difference")
}

/// The column of `dbcluster_why` with a column of the nearest cluster's exemplar.
pub(super) fn nearest_name(column: &str) -> String {
    format!("nearest_{column}")
}

/// The numbers of values that `keep_members` may keep: they are held in memory for every vector.
pub(crate) const KEPT: RangeInclusive<i64> = 1..=1000;

/// The table functions that cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFunction {
    /// One row per cluster and one per noise event.
    Dbcluster,
    /// Every input row with its cluster.
    DbclusterMembers,
    /// One row about the whole clustering.
    DbclusterSummary,
    /// One row per partition and eps.
    DbclusterEps,
    /// One row per noise event, with the cluster that is nearest to it.
    DbclusterWhy,
    /// One row per cluster, column and value.
    DbclusterValues,
    /// One row per shape of events, under the name of the function that was called. Its partitions are the shapes, and nothing is
    /// clustered.
    Hunt(&'static str),
}

impl TableFunction {
    pub(crate) const ALL: [Self; 6] = [
        Self::Dbcluster,
        Self::DbclusterMembers,
        Self::DbclusterSummary,
        Self::DbclusterEps,
        Self::DbclusterWhy,
        Self::DbclusterValues,
    ];

    /// The SQL name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dbcluster => "dbcluster",
            Self::DbclusterMembers => "dbcluster_members",
            Self::DbclusterSummary => "dbcluster_summary",
            Self::DbclusterEps => "dbcluster_eps",
            Self::DbclusterWhy => "dbcluster_why",
            Self::DbclusterValues => "dbcluster_values",
            Self::Hunt(name) => name,
        }
    }

    /// Whether its plan joins clusters with the events that stand for them.
    pub(crate) fn fetches_exemplars(self) -> bool {
        matches!(self, Self::Dbcluster | Self::DbclusterWhy | Self::DbclusterValues | Self::Hunt(_))
    }

    /// Whether its result has all columns of these events.
    pub(crate) fn shows_exemplars(self) -> bool {
        matches!(self, Self::Dbcluster | Self::DbclusterWhy)
    }

    /// Returns the options that may be given without their names, in this order after the features.
    pub(crate) fn by_position(self) -> &'static [ClusterOption] {
        let options = ClusterOption::by_position();
        // The eps of `dbcluster_eps` is a list, and may be left out. It is the first of the two options.
        if self == Self::DbclusterEps { &options[1..] } else { options }
    }

    /// Returns the names of its options.
    pub(crate) fn options(self) -> Vec<&'static str> {
        let has = |option: &&ClusterOption| option.only_in.is_none_or(|function| function == self.name());
        OPTIONS.iter().filter(has).map(|option| option.name).collect()
    }

    /// Finds the function of this name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

/// A call with everything that its plan needs. Only the data and the values of placeholders are not checked yet.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSpec {
    pub(crate) function: TableFunction,
    /// The rows to cluster. All columns have a qualifier.
    pub(crate) input: LogicalPlan,
    /// The options. Their columns are those of the input, their keys are canonical, and the time column is resolved: it is a
    /// time or a number.
    pub(crate) options: ClusterOptions,
}

impl ClusterSpec {
    pub(crate) fn features(&self) -> &[Feature] {
        &self.options.features
    }

    pub(crate) fn partition_by(&self) -> &[Key] {
        &self.options.partition_by
    }

    /// The time of an event.
    pub(crate) fn time_column(&self) -> Option<&Expr> {
        match &self.options.time_column {
            TimeColumn::Given(time) => Some(&time.expr),
            TimeColumn::None | TimeColumn::FirstOfItsType => None,
        }
    }

    /// Checks that no two columns of the output have the same name.
    fn check_names(&self) -> Result<()> {
        let name = self.function.name();
        let schema = self.input.schema();
        let is_of_input = |column: &str| has_column(schema, column);
        let of_features = self.features().iter().map(|feature| &feature.name);
        if let Some(reserved) =
            schema.fields().iter().map(|field| field.name()).chain(of_features).find(|name| is_reserved(name))
        {
            return plan_err!(
                "{name}: '{reserved}' is a name that the plan uses for itself; give the column another name in a subquery, \
                 or the feature with AS"
            );
        }
        match self.function {
            TableFunction::DbclusterEps => return self.check_partition_names(&EPS_COLUMNS),
            TableFunction::DbclusterValues => {
                let of: Vec<&str> = self.options.of.iter().map(|column| column.name.as_str()).collect();
                if let Some(twice) = first_duplicate(&of) {
                    return plan_err!(
                        "{name}: of names '{twice}' twice; give one of them another name with AS"
                    );
                }
                return self.check_partition_names(&VALUES_COLUMNS);
            }
            _ => {}
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
        let shown = self.features().iter().filter(|_| self.function.shows_exemplars());
        if let Some(feature) = shown.into_iter().find(|feature| outputs.contains(&feature.name)) {
            return plan_err!(
                "{name}: the feature '{0}' has the name of a column of the result; give it another name with AS",
                feature.name
            );
        }
        let options = &self.options;
        let names_of = |columns: &[Column]| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        for (option, columns) in [
            ("show", names_of(&options.show)),
            ("keep_members", options.keep_members.iter().map(|kept| kept.column.name.clone()).collect()),
            ("distinct_of", names_of(&options.distinct_of)),
            ("template_of", names_of(&options.template_of)),
        ] {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            if let Some(twice) = first_duplicate(&columns) {
                return plan_err!("{name}: {option} names '{twice}' twice");
            }
        }
        let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
        if let Some(twice) = first_duplicate(&names).filter(|_| self.function.shows_exemplars()) {
            return plan_err!(
                "{name}: two columns of the result would have the name '{twice}'; give the feature another name with AS, or the column \
                 that an option names another one in a subquery"
            );
        }
        let computed = self.features().iter().find(|it| !it.is_input_column() && is_of_input(&it.name));
        if self.function.shows_exemplars()
            && let Some(feature) = computed
        {
            return plan_err!(
                "{name}: the feature '{0}' has the name of a column of the input; give it another name with AS",
                feature.name
            );
        }
        Ok(())
    }

    /// Checks that the partition keys, where they are columns of the result beside `columns`, have names of their own.
    fn check_partition_names(&self, columns: &[&str]) -> Result<()> {
        let name = self.function.name();
        let keys: Vec<&str> = self.partition_by().iter().map(|key| key.text.as_str()).collect();
        let taken = keys.iter().find(|key| columns.contains(key));
        if let Some(key) = taken.copied().or_else(|| first_duplicate(&keys)) {
            return plan_err!(
                "{name}: two columns of the result would have the name '{key}'; give the column of partition_by another name in \
                 a subquery"
            );
        }
        Ok(())
    }

    /// Returns the names of the columns that the function adds to the input's columns and the features.
    fn output_columns(&self) -> Vec<String> {
        if self.function == TableFunction::DbclusterWhy {
            let of_features = self.features().iter().map(|feature| difference_name(&feature.name));
            let of_exemplar = self.options.show.iter().map(|column| nearest_name(&column.name));
            let columns = WHY_COLUMNS.iter().map(ToString::to_string);
            return columns.chain(of_features).chain(of_exemplar).collect();
        }
        let columns: &[&str] = match (self.function, self.time_column()) {
            (TableFunction::Dbcluster, Some(_)) => {
                &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE, FIRST_EVENT_TIME, LAST_EVENT_TIME, CLUSTER_KEY]
            }
            (TableFunction::Dbcluster, None) => &[CLUSTERED, CLUSTER_ID, CLUSTER_SIZE, CLUSTER_KEY],
            (TableFunction::DbclusterMembers, _) => &[CLUSTER_ID, CLUSTER_KEY, POINT_TYPE],
            (TableFunction::Hunt(_), _) => &HUNT_COLUMNS,
            (_, _) => &[],
        };
        let mut columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        if self.function == TableFunction::Dbcluster {
            let options = &self.options;
            columns.extend((options.nulls == NullPolicy::Skip).then(|| POINT_TYPE.to_string()));
            columns.extend(options.keep_members.iter().map(KeptColumn::output_name));
            columns.extend(options.distinct_of.iter().map(|column| distinct_name(&column.name)));
            columns.extend(options.template_of.iter().map(|column| template_name(&column.name)));
            columns.extend(options.activity.map(|_| ACTIVITY.to_string()));
        }
        columns
    }
}

/// A [`ClusterSpec`] in the making.
#[derive(Debug)]
pub(crate) struct SpecBuilder {
    function: TableFunction,
    input: LogicalPlan,
    options: ClusterOptions,
}

impl SpecBuilder {
    /// Creates a builder for the rows to cluster.
    ///
    /// # Errors
    /// The rows may differ from read to read, or come from too many nested clusterings.
    pub(crate) fn try_new(function: TableFunction, input: LogicalPlan) -> Result<Self> {
        check_nesting(function.name(), &input)?;
        let input = repeatable(function.name(), input)?;
        let eps = match function {
            TableFunction::DbclusterEps => Eps::Auto,
            TableFunction::Hunt(_) => 1.0.into(),
            // Every caller sets it; a call of SQL without one fails before.
            _ => f64::NAN.into(),
        };
        Ok(Self { function, input, options: ClusterOptions::new(eps) })
    }

    /// Returns the rows to cluster, in the form that can be read twice.
    pub(crate) fn input(&self) -> &LogicalPlan {
        &self.input
    }

    /// Returns the options that have been set so far.
    pub(crate) fn options(&self) -> &ClusterOptions {
        &self.options
    }

    /// Sets the features, which are expressions over the input that [`check_one_row`] has passed.
    ///
    /// # Errors
    /// There are none or too many, two have the same name, or one is not a number.
    pub(crate) fn set_features(&mut self, features: Vec<Feature>) -> Result<()> {
        let name = self.function.name();
        check_number_of_features(name, features.len())?;
        for feature in &features {
            let data_type = feature.expr.get_type(self.input.schema())?;
            if !is_feature_type(&data_type) {
                return plan_err!(
                    "{name}: feature '{}' is {data_type}, expected a number; {}",
                    excerpt(&feature.text),
                    number_hint(&feature.sql(), &data_type)
                );
            }
        }
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        if let Some(twice) = first_duplicate(&names) {
            return plan_err!(
                "{name}: two features are named '{twice}'; give one of them another name with AS"
            );
        }
        self.options.features = features;
        Ok(())
    }

    /// Changes an option and checks it against the input. Columns and expressions are over the input, and
    /// [`check_one_row`] has passed them.
    ///
    /// # Errors
    /// The option has a value that is not allowed; the text says what is.
    pub(crate) fn set(
        &mut self,
        option: &ClusterOption,
        change: impl FnOnce(&mut ClusterOptions),
    ) -> Result<()> {
        change(&mut self.options);
        self.check(option)
    }

    /// Sets the features and all options, columns and expressions as for [`set`](Self::set).
    ///
    /// # Errors
    /// As for [`set_features`](Self::set_features) and [`set`](Self::set).
    pub(crate) fn set_all(&mut self, mut options: ClusterOptions) -> Result<()> {
        let features = std::mem::take(&mut options.features);
        self.options = options;
        self.set_features(features)?;
        for option in OPTIONS {
            // An empty list of keys means that the option was not given.
            let is_given = match option.takes {
                Takes::Keys(of) | Takes::PartitionKeys(of) => !of(&mut self.options).is_empty(),
                _ => true,
            };
            if is_given {
                self.check(option)?;
            }
        }
        Ok(())
    }

    /// Checks the value of an option against the input.
    fn check(&mut self, option: &ClusterOption) -> Result<()> {
        let (function, option_name, schema) = (self.function.name(), option.name, self.input.schema());
        let options = &mut self.options;
        match option.takes {
            // Numbers are checked at the end, by the core. A wrong word or column was refused when it was read.
            Takes::WholeNumber(_) | Takes::Word { .. } | Takes::Columns { are: ColumnsAre::Any, .. } => {}
            Takes::Columns { of, are } => {
                for column in of(options) {
                    check_column(function, option_name, column, are, schema)?;
                }
            }
            Takes::Named(of) => {
                for Feature { expr, text, .. } in of(options) {
                    check_value(function, option_name, expr, text, schema)?;
                }
            }
            Takes::Eps => check_eps(self.function, options)?,
            Takes::Share(_) => check_share(function, option_name, options.chain_share)?,
            Takes::Count { least, most, get, .. } => {
                if let Some(count) = get(options) {
                    check_count(function, option_name, count, least..=most)?;
                }
            }
            Takes::TimeColumn => {
                if let TimeColumn::Given(time) = &mut options.time_column {
                    time.expr = readable_time(function, option_name, time, schema)?;
                }
            }
            Takes::Keys(keys) => {
                let keys = keys(options);
                *keys = canonical_keys(function, option_name, std::mem::take(keys), schema)?;
            }
            Takes::PartitionKeys(keys) => {
                let keys = keys(options);
                *keys = canonical_keys(function, option_name, std::mem::take(keys), schema)?;
                for key in keys {
                    check_partition_key(function, option_name, key, schema)?;
                }
            }
            Takes::Weights => {
                let names: Vec<&str> = options.features.iter().map(|feature| feature.name.as_str()).collect();
                let weights = std::mem::replace(&mut options.weights, Weights::Equal);
                options.weights = weights.in_order(function, &names)?;
            }
            Takes::Members => {
                for KeptColumn { column, count } in &options.keep_members {
                    if !KEPT.contains(count) {
                        return plan_err!(
                            "{function}: {option_name}, '{}', is {count}, expected a whole number from {} to {}",
                            column.name,
                            KEPT.start(),
                            KEPT.end()
                        );
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the checked call.
    ///
    /// # Errors
    /// A number is out of its range, or two columns of the result have the same name.
    pub(crate) fn build(self) -> Result<ClusterSpec> {
        let Self { function, input, mut options } = self;
        options.params(function.name())?;
        if options.time_column == TimeColumn::FirstOfItsType {
            options.time_column =
                first_time_column(input.schema()).map_or(TimeColumn::None, TimeColumn::Given);
        }
        if function == TableFunction::DbclusterValues && options.of.is_empty() {
            return plan_err!(
                "{}: of is missing; name the columns whose values are to be counted, as in of => [Computer, Account]",
                function.name()
            );
        }
        if options.activity.is_some() {
            check_activity(function.name(), &options.time_column, input.schema())?;
        }
        let spec = ClusterSpec { function, input, options };
        spec.check_names()?;
        Ok(spec)
    }
}

/// Whether a schema has a column of this name to the letter.
pub(crate) fn has_column(schema: &DFSchema, name: &str) -> bool {
    schema.fields().iter().any(|field| field.name() == name)
}

/// Returns the first column of a timestamp or date type.
fn first_time_column(schema: &DFSchema) -> Option<Key> {
    let found = schema.iter().find(|(_, field)| is_time(field.data_type()));
    found.map(|field| Key { expr: Expr::Column(Column::from(field)), text: field.1.name().clone() })
}

fn first_duplicate<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)).map(|(_, name)| *name)
}
