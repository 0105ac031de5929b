//! A call as it was written, and how it becomes a checked [`ClusterSpec`].
//!
//! Both forms of a call ([`table_function`](super::table_function) and [`relation`](super::relation)) hand over a
//! [`WrittenCall`]: the rows to cluster, the features as SQL, the options by name. Each option is read as its row in the table
//! of options says, and what it has become is checked against the input.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast;

use super::lists::ListItem;
use super::planner::SqlPlanner;
use super::scope::Scope;
use super::value::Value;
use crate::options::{ClusterOption, Eps, Parameter, Takes, TimeColumn, no_such_option};
use crate::plan::spec::{ClusterSpec, SpecBuilder, TableFunction};

/// A call as it was written; the options are in the order of writing.
pub(super) struct WrittenCall<'a> {
    pub(super) function: TableFunction,
    pub(super) input: LogicalPlan,
    /// The name of the WITH query that is the input, if it hides a table of that name.
    pub(super) shadow: Option<String>,
    pub(super) features: Vec<ListItem>,
    pub(super) options: Vec<(&'static ClusterOption, Value<'a>)>,
}

impl WrittenCall<'_> {
    /// Reads and checks the call.
    ///
    /// # Errors
    /// Something is wrong with the call; the text names the option, the value and what is allowed.
    pub(super) fn check(self, planner: &mut dyn SqlPlanner) -> Result<ClusterSpec> {
        let name = self.function.name();
        let mut builder = SpecBuilder::try_new(self.function, self.input)?;
        let schema = Arc::clone(builder.input().schema());
        let mut scope = Scope { function: name, schema: &schema, shadow: self.shadow.as_deref(), planner };
        let features = self.features.into_iter().map(|feature| scope.feature(feature));
        let features = features.collect::<Result<Vec<_>>>()?;
        builder.set_features(features)?;
        for (index, (option, value)) in self.options.iter().enumerate() {
            if self.options[..index].iter().any(|(earlier, _)| earlier.name == option.name) {
                return plan_err!("{name}: option {} was given twice", option.name);
            }
            set(&mut builder, option, *value, &mut scope)?;
        }
        let has = |name: &str| self.options.iter().any(|(option, _)| option.name == name);
        if self.function != TableFunction::DbclusterEps {
            if !has("eps") {
                return plan_err!(
                    "{name}: eps is missing; give the largest distance of neighbours, as in eps => 0.0001, or eps => 'auto'"
                );
            }
            if has("chain_share") && builder.options().eps != Eps::Auto {
                return plan_err!(
                    "{name}: chain_share decides what eps => 'auto' takes, but eps is given; leave one of them out"
                );
            }
        } else if has("steps") && builder.options().eps != Eps::Auto {
            return plan_err!(
                "{name}: steps is the number of eps that it chooses, but eps is given; leave one of them out"
            );
        }
        builder.build()
    }
}

/// Reads an option by the kind of value that it takes.
fn set(
    builder: &mut SpecBuilder,
    option: &'static ClusterOption,
    value: Value,
    scope: &mut Scope,
) -> Result<()> {
    let name = option.name;
    match option.takes {
        Takes::Eps => {
            let eps = scope.eps(name, value)?;
            builder.set(option, |options| options.eps = eps)
        }
        Takes::Share(set) => {
            let share = scope.plain_number(name, value.sql(scope.function, name)?)?;
            builder.set(option, |options| set(options, share))
        }
        Takes::Count { least, most, set, .. } => {
            let Parameter::Value(count) = scope.whole_number(name, value, &(least..=most))? else {
                return plan_err!("{}: {name} is {value}, expected a constant", scope.function);
            };
            builder.set(option, |options| set(options, count))
        }
        Takes::WholeNumber(set) => {
            let number = scope.whole_number(name, value, &(1..=i64::MAX))?;
            builder.set(option, |options| set(options, number))
        }
        Takes::Word { names, set } => {
            let word = scope.word(name, value.sql(scope.function, name)?, names)?;
            builder.set(option, |options| {
                // The word is one of the names, so setting it can't fail.
                let _ = set(options, word);
            })
        }
        Takes::TimeColumn => {
            let time = match value.sql(scope.function, name)? {
                sql if is_null(sql) => TimeColumn::None,
                sql => TimeColumn::Given(scope.time(name, sql)?),
            };
            builder.set(option, |options| options.time_column = time)
        }
        Takes::Keys(of) | Takes::PartitionKeys(of) => {
            let keys = scope.keys(name, value.sql(scope.function, name)?)?;
            builder.set(option, |options| *of(options) = keys)
        }
        Takes::Weights => {
            let sql = value.sql(scope.function, name)?;
            let weights = scope.weights(sql, &builder.options().features)?;
            builder.set(option, |options| options.weights = weights)
        }
        Takes::Columns { of, .. } => {
            let columns = scope.columns(name, value.sql(scope.function, name)?)?;
            builder.set(option, |options| *of(options) = columns)
        }
        Takes::Named(of) => {
            let named = scope.named(name, value.sql(scope.function, name)?)?;
            builder.set(option, |options| *of(options) = named)
        }
        Takes::Members => {
            let kept = scope.kept_columns(name, value.sql(scope.function, name)?)?;
            builder.set(option, |options| options.keep_members = kept)
        }
    }
}

/// The option that is written as `name`, in any case.
///
/// # Errors
/// The function has no option of this name; the error lists the closest names, and all names.
pub(super) fn find_option(function: TableFunction, name: &str) -> Result<&'static ClusterOption> {
    let names = function.options();
    ClusterOption::find(name).filter(|option| names.contains(&option.name)).ok_or_else(|| {
        let function_name = function.name();
        if ["table", "input", "features", "columns", "cols"].contains(&name.to_lowercase().as_str()) {
            return plan_datafusion_err!(
                "{function_name}: there is no option '{name}'; table and features come first and without names, as in \
                 {function_name}(events, [f1, f2], eps => 0.0001)"
            );
        }
        if let Some(other) = ClusterOption::find(name).and_then(|option| option.only_in) {
            return plan_datafusion_err!(
                "{function_name}: there is no option '{name}', which is one of {other}; options are {}",
                names.join(", ")
            );
        }
        no_such_option(function_name, name, &names)
    })
}

/// Puts the function's name before an error from code that does not know which function was called.
pub(super) fn with_function_name(function: &str, error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Plan(text) => DataFusionError::Plan(format!("{function}: {text}")),
        other => other.context(function.to_string()),
    }
}

fn is_null(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Value(value) if matches!(value.value, ast::Value::Null))
}
