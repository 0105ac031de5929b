//! Registers every part of this crate on a session. It is the one file that knows all of them.

use std::sync::Arc;

use datafusion::catalog::{TableFunction, TableFunctionImpl};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::OptimizerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::SessionContext;

use crate::call::{ClusterTableFunction, DbclusterPlanner, ProcessFeaturesFunction};
use crate::config::DbclusterConfig;
use crate::exec::{
    FetchExemplars, FileStatistics, JoinClustersByHash, SelectExemplars, UnchangedFilesRule, UseDbscanExec,
};
#[cfg(feature = "figures")]
use crate::figure_file::FigureFormatFactory;
#[cfg(feature = "logs")]
use crate::formats::{LogTableFactory, LogTables, ReadFunction, ReadPlanner, RejectedFunction};
use crate::functions;
use crate::nested_columns::NestedColumnsInCsv;
use crate::plan::process_features;
use crate::plan::rules::{
    CompleteLimits, CountMembers, PruneExemplarColumns, PushDownToClusters, ReserveCommonNames,
};
use crate::plan::sorting::canonical_float_key;
use crate::plan::spec::TableFunction as ClusterFunction;
use crate::window::{DbscanChecks, DbscanOrder, all_window_functions};
#[cfg(feature = "figures")]
use dbcluster_figures::Figure;

/// Puts everything of this crate on `ctx`: the scalar functions, the window function `dbscan`, the table functions
/// `dbcluster`, `dbcluster_members`, `dbcluster_summary` and `process_features` in both their forms; and, with the feature
/// `figures`, the figures that `COPY` writes; with `logs`, `read('path')`, `rejected()` and `STORED AS LOGS`; with `json` the
/// functions and operators of [`json_fields`](crate::json_fields). The settings of [`DbclusterConfig`] have their defaults, unless the session has
/// them already.
///
/// Calling it again changes nothing. Call it before `PREPARE`, since it drops prepared statements.
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
/// None today; a session may come to refuse a registration.
pub fn register_all(ctx: &SessionContext) -> Result<()> {
    let state = ctx.state_ref();
    // Two threads may register at the same time, so the check and the change share one lock.
    let mut state = state.write();
    if !is_registered(state.physical_optimizers()) {
        *state = with_dbcluster(state.clone());
    }
    Ok(())
}

/// Rebuilds a session, under its own id, with this crate registered.
fn with_dbcluster(state: SessionState) -> SessionState {
    let session_id = state.session_id().to_string();
    SessionStateBuilder::new_from_existing(state).with_session_id(session_id).with_dbcluster().build()
}

/// Puts this crate on a session that is being built.
pub trait SessionStateBuilderExt {
    /// Adds everything that [`register_all`] registers. Call setters that replace a list, such as
    /// [`with_physical_optimizer_rules`](SessionStateBuilder::with_physical_optimizer_rules), or the configuration before it.
    /// Calling it again changes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datafusion::error::Result<()> {
    /// use datafusion::execution::SessionStateBuilder;
    /// use datafusion::prelude::{SessionConfig, SessionContext};
    /// use datafusion_dbcluster::SessionStateBuilderExt;
    ///
    /// let state = SessionStateBuilder::new()
    ///     .with_config(SessionConfig::new().with_target_partitions(2))
    ///     .with_default_features()
    ///     .with_dbcluster()
    ///     .build();
    /// let ctx = SessionContext::new_with_state(state);
    ///
    /// let sql = "SELECT cluster_size
    ///            FROM dbcluster((SELECT * FROM (VALUES (1), (2), (9)) AS t(x)), [x], eps => 1, scaling => 'none')
    ///            ORDER BY cluster_size";
    /// let rows = ctx.sql(sql).await?.collect().await?;
    /// datafusion::assert_batches_eq!(
    ///     ["+--------------+", "| cluster_size |", "+--------------+", "| 1            |", "| 2            |", "+--------------+"],
    ///     &rows
    /// );
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    fn with_dbcluster(self) -> Self;
}

impl SessionStateBuilderExt for SessionStateBuilder {
    fn with_dbcluster(mut self) -> Self {
        if self.physical_optimizers().as_ref().is_some_and(|rules| is_registered(&rules.rules)) {
            return self;
        }
        let extensions = &mut self.config().get_or_insert_default().options_mut().extensions;
        if extensions.get::<DbclusterConfig>().is_none() {
            extensions.insert(DbclusterConfig::default());
        }
        add_functions(&mut self);
        add_planners_and_rules(&mut self);
        #[cfg(feature = "figures")]
        add_figures(&mut self);
        #[cfg(feature = "logs")]
        add_logs(&mut self);
        self.with_analyzer_rule(Arc::new(NestedColumnsInCsv))
            .with_analyzer_rule(Arc::new(CompleteLimits))
            .with_optimizer_rule(Arc::new(PushDownToClusters))
            .with_optimizer_rule(Arc::new(PruneExemplarColumns))
    }
}

fn is_registered(rules: &[Arc<dyn PhysicalOptimizerRule + Send + Sync>]) -> bool {
    rules.iter().any(|rule| rule.name() == UseDbscanExec.name())
}

fn add_functions(builder: &mut SessionStateBuilder) {
    builder.scalar_functions().get_or_insert_default().extend(functions::all());
    #[cfg(feature = "json")]
    builder.scalar_functions().get_or_insert_default().extend(crate::json_fields::all());
    builder.window_functions().get_or_insert_default().extend(all_window_functions());
    let tables = builder.table_functions().get_or_insert_default();
    let mut add_table = |name: &str, function: Arc<dyn TableFunctionImpl>| {
        tables.insert(name.to_string(), Arc::new(TableFunction::new(name.to_string(), function)));
    };
    for function in ClusterFunction::ALL {
        add_table(function.name(), Arc::new(ClusterTableFunction(function)));
    }
    add_table(process_features::NAME, Arc::new(ProcessFeaturesFunction));
}

fn add_planners_and_rules(builder: &mut SessionStateBuilder) {
    builder.expr_planners().get_or_insert_default().push(Arc::new(DbscanChecks));
    #[cfg(feature = "json")]
    builder.expr_planners().get_or_insert_default().push(Arc::new(crate::json_fields::JsonOperators));
    builder.relation_planners().get_or_insert_default().insert(0, Arc::new(DbclusterPlanner));
    let order = Arc::new(DbscanOrder(canonical_float_key));
    builder.analyzer().get_or_insert_default().rules.insert(0, order);
    let first: [Arc<dyn OptimizerRule + Send + Sync>; 3] =
        [Arc::new(ReserveCommonNames), Arc::new(CompleteLimits), Arc::new(CountMembers)];
    builder.optimizer().get_or_insert_default().rules.splice(0..0, first);
    let physical_rules = &mut builder.physical_optimizers().get_or_insert_default().rules;
    let ours: [Arc<dyn PhysicalOptimizerRule + Send + Sync>; 5] = [
        Arc::new(FileStatistics),
        Arc::new(UseDbscanExec),
        Arc::new(JoinClustersByHash),
        Arc::new(FetchExemplars),
        Arc::new(SelectExemplars),
    ];
    physical_rules.splice(0..0, ours);
    physical_rules.push(Arc::new(UnchangedFilesRule));
}

/// Makes each figure a format of `COPY`, in the place of a format of the same name.
#[cfg(feature = "figures")]
fn add_figures(builder: &mut SessionStateBuilder) {
    for figure in Figure::ALL {
        let factory = Arc::new(FigureFormatFactory(figure));
        let formats = builder.file_formats().get_or_insert_default();
        formats.retain(|format| !format.get_ext().eq_ignore_ascii_case(figure.name()));
        formats.push(Arc::<FigureFormatFactory>::clone(&factory));
        builder.table_factories().get_or_insert_default().insert(figure.name().to_string(), factory);
    }
}

/// Makes files tables: by `read('path')`, and by `STORED AS LOGS` or `EVTX`. What the session has read is an extension of its configuration.
#[cfg(feature = "logs")]
fn add_logs(builder: &mut SessionStateBuilder) {
    let config = builder.config().get_or_insert_default();
    if config.get_extension::<LogTables>().is_none() {
        config.set_extension(Arc::new(LogTables::new(None)));
    }
    let tables = builder.table_functions().get_or_insert_default();
    let functions: [(&str, Arc<dyn TableFunctionImpl>); 2] =
        [(ReadFunction::NAME, Arc::new(ReadFunction)), (RejectedFunction::NAME, Arc::new(RejectedFunction))];
    for (name, function) in functions {
        tables.insert(name.to_string(), Arc::new(TableFunction::new(name.to_string(), function)));
    }
    builder.relation_planners().get_or_insert_default().insert(0, Arc::new(ReadPlanner));
    let factories = builder.table_factories().get_or_insert_default();
    for name in [LogTableFactory::NAME, LogTableFactory::EVTX] {
        factories.insert(name.to_string(), Arc::new(LogTableFactory));
    }
}
