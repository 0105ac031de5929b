//! The one file that knows every room: it puts them on a session.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::SessionContext;
use datafusion_doc::Documentation;
use log::debug;

use crate::call::{
    ClusterTableFunction, DbclusterPlanner, InputFunction, ProcessFeaturesFunction, documentation,
};
use crate::exec::{DbscanRule, FileStatistics, UnchangedFilesRule};
#[cfg(feature = "figures")]
use crate::figure_file::FigureFormatFactory;
use crate::functions;
use crate::nested_columns::NestedColumnsInCsv;
use crate::options::{ClusterOption, OPTIONS};
use crate::plan::process_features;
use crate::plan::rules::PruneExemplarColumns;
use crate::plan::sorting::canonical_float_key;
use crate::plan::spec::TableFunction;
use crate::window::{DbscanChecks, DbscanOrder, all_window_functions};
#[cfg(feature = "figures")]
use dbcluster_figures::Figure;

/// Puts every function of this crate on `ctx`: the scalar functions, the window function `dbscan`, and the table
/// functions `dbcluster`, `dbcluster_members` and `process_features` in both their forms; and, with the feature `plot`,
/// the figures that `COPY` writes.
///
/// Calling it again does nothing new. Call it before `PREPARE`: statements that are prepared already are
/// forgotten.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datafusion::error::Result<()> {
/// use datafusion::prelude::SessionContext;
///
/// let ctx = SessionContext::new();
/// datafusion_dbcluster::register_all(&ctx)?;
///
/// let rows = ctx.sql("SELECT cmdline_tokens('reg query HKLM') AS tokens").await?.collect().await?;
/// datafusion::assert_batches_eq!(["+--------+", "| tokens |", "+--------+", "| 2      |", "+--------+"], &rows);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The session refuses a registration.
pub fn register_all(ctx: &SessionContext) -> Result<()> {
    {
        let state = ctx.state_ref();
        let mut state = state.write();
        // Under the lock: two threads may register at the same time.
        if state.physical_optimizers().iter().any(|rule| rule.name() == DbscanRule.name()) {
            return Ok(());
        }
        for udf in functions::all() {
            if let Some(replaced) = state.register_udf(udf)? {
                debug!("replaced the function {}", replaced.name());
            }
        }
        for udaf in functions::all_aggregates() {
            if let Some(replaced) = state.register_udaf(udaf)? {
                debug!("replaced the aggregate function {}", replaced.name());
            }
        }
        for udwf in all_window_functions() {
            if let Some(replaced) = state.register_udwf(udwf)? {
                debug!("replaced the window function {}", replaced.name());
            }
        }
        state.register_expr_planner(Arc::new(DbscanChecks))?;
        state.register_relation_planner(Arc::new(DbclusterPlanner))?;
        for function in TableFunction::ALL {
            state.register_udtf(function.name(), Arc::new(ClusterTableFunction(function)));
        }
        state.register_udtf(process_features::NAME, Arc::new(ProcessFeaturesFunction));
        state.register_udtf(InputFunction::NAME, Arc::new(InputFunction));
        // A state has no way to add rules, its builder has.
        let session_id = state.session_id().to_string();
        let mut builder = SessionStateBuilder::new_from_existing(state.clone())
            .with_session_id(session_id)
            .with_analyzer_rule(Arc::new(NestedColumnsInCsv))
            .with_optimizer_rule(Arc::new(PruneExemplarColumns));
        let order = Arc::new(DbscanOrder(canonical_float_key));
        builder.analyzer().get_or_insert_default().rules.insert(0, order);
        let physical_rules = &mut builder.physical_optimizers().get_or_insert_default().rules;
        physical_rules.insert(0, Arc::new(DbscanRule));
        physical_rules.insert(0, Arc::new(FileStatistics));
        physical_rules.push(Arc::new(UnchangedFilesRule));
        *state = builder.build();
        #[cfg(feature = "figures")]
        for figure in Figure::ALL {
            let factory = Arc::new(FigureFormatFactory(figure));
            state.register_file_format(Arc::<FigureFormatFactory>::clone(&factory), true)?;
            state.table_factories_mut().insert(figure.name().to_string(), factory);
        }
    }
    Ok(())
}

/// What the table functions are and take, by name. Scalar and window functions carry theirs themselves.
pub fn table_function_documentation() -> Vec<(&'static str, Documentation)> {
    documentation::all()
}

/// The options of the table functions, each with an example.
pub fn option_documentation() -> &'static [ClusterOption] {
    OPTIONS
}

/// How a call of the table functions is written, in EBNF.
pub fn documentation_grammar() -> &'static str {
    documentation::GRAMMAR
}

/// The statement that makes the table `events`, which the examples of the documentation read.
pub fn documentation_example_table() -> &'static str {
    documentation::EXAMPLE_TABLE
}
