//! Runs one statement in a session, and prints its result.

use std::sync::Arc;

use datafusion::common::instant::Instant;
use datafusion::config::Dialect;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execution_plan::Boundedness;
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{ExecutionPlanProperties, execute_stream};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion_cli::exec::exec_from_commands;
use datafusion_cli::print_format::PrintFormat;
use datafusion_cli::print_options::{MaxRows, PrintOptions};

use super::auto_eps;
use super::cli_session::CliSession;
use super::depth::sql;
use super::endings;
use super::failure::{Failure, NO_TABLE};
use super::files::{Account, creating_table};
use super::headers::without_paths;
use super::printing::{QueryResult, TableForm, buffered, print};
use super::progress::{Bar, PlanWatch};
use super::statements::Statement;
use super::syntax::{
    created_table, is_figure, makes_logs, names_figure, parse, reset_as_set, shows_settings, with_tabs,
};
use datafusion_dbcluster::near_miss::did_you_mean;
use dbcluster_files::Writes;
use dbcluster_terminal::complain;

/// A session, and how its results are printed.
pub(super) struct Runner {
    pub(super) ctx: SessionContext,
    pub(super) print: PrintOptions,
    /// Whether a command that sets something says so. A script's output is its results.
    pub(super) confirms: bool,
    /// Says what the session has read.
    pub(super) account: Arc<Account>,
    /// The session's planner.
    planner: Arc<PlanWatch>,
}

impl Runner {
    pub(super) fn new(
        ctx: SessionContext,
        print: PrintOptions,
        planner: Arc<PlanWatch>,
        account: Arc<Account>,
    ) -> Self {
        Self { ctx, print, confirms: false, account, planner }
    }

    /// The dialect that the next statement is read in.
    pub(super) fn dialect(&self) -> Dialect {
        self.ctx.state_ref().read().config_options().sql_parser.dialect
    }

    /// Runs a statement to its end.
    pub(super) async fn run(&self, mut statement: Statement<'_>) -> Result<(), Failure> {
        self.account.begin(self.print.quiet);
        // A statement that has failed may have left some.
        drop(self.planner.take_open());
        let text = with_tabs(statement.text, &mut statement.tokens, self.dialect());
        for parsed in parse(&self.ctx, statement.tokens)? {
            let mut parsed = reset_as_set(parsed)?;
            let is_completed = endings::complete(&mut parsed);
            let bar = Bar::start(&self.planner, !self.print.quiet);
            match parsed {
                // datafusion-cli refuses the options of figures and logs, and knows only object stores of this process, where those
                // of a cluster are the same in all of its processes.
                parsed if is_figure(&parsed) || makes_logs(&parsed) || self.planner.is_for_cluster() => {
                    self.run_query(parsed, &text, &bar).await?;
                }
                SqlStatement::CreateExternalTable(_) | SqlStatement::CopyTo(_) => {
                    let text = match &parsed {
                        SqlStatement::CopyTo(copy) if is_completed => endings::sql(copy),
                        _ => text.to_string(),
                    };
                    exec_from_commands(
                        &CliSession { ctx: &self.ctx, bar },
                        vec![text],
                        &self.quiet_for_machines(),
                    )
                    .await?;
                }
                parsed => self.run_query(parsed, &text, &bar).await?,
            }
            self.tell_eps()?;
        }
        Ok(())
    }

    /// Plans a query whose rows somebody takes, with the bar that shows how far it is.
    pub(super) async fn read(&self, query: &str) -> Result<(Bar, SendableRecordBatchStream), Failure> {
        let bar = Bar::start(&self.planner, !self.print.quiet);
        let physical = sql(&self.ctx, query).await?.create_physical_plan().await?;
        Ok((bar, execute_stream(physical, self.ctx.task_ctx())?))
    }

    /// Adds tables whose names are close to one that is missing.
    pub(super) fn with_near_tables(&self, failure: Failure) -> Failure {
        failure.map(|message| {
            let missing = message.strip_prefix(NO_TABLE).and_then(|rest| rest.split_once('\''));
            let near = missing.map(|(name, _)| did_you_mean(name, &self.tables())).unwrap_or_default();
            format!("{message}{near}")
        })
    }

    /// The tables that need no qualification.
    fn tables(&self) -> Vec<String> {
        let state = self.ctx.state();
        let names = &state.config_options().catalog;
        let catalog = self.ctx.catalog(&names.default_catalog);
        let schema = catalog.and_then(|catalog| catalog.schema(&names.default_schema));
        schema.map(|schema| schema.table_names()).unwrap_or_default()
    }

    async fn run_query(&self, statement: SqlStatement, text: &str, bar: &Bar) -> Result<(), Failure> {
        let started = Instant::now();
        let maxrows = if shows_settings(&statement) { MaxRows::Unlimited } else { self.print.maxrows };
        let created = created_table(&statement);
        let plan = creating_table(created.as_deref(), self.ctx.state().statement_to_plan(statement)).await?;
        let plan = with_query(plan, text);
        let form = TableForm::of(&plan, maxrows);
        let shown = plan.clone();
        let is_write = matches!(plan, LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Analyze(_));
        let frame = creating_table(created.as_deref(), self.ctx.execute_logical_plan(plan)).await?;
        let physical = frame.create_physical_plan().await?;
        let endless = matches!(physical.boundedness(), Boundedness::Unbounded { .. });
        let writes = Writes::default();
        let task = writes.context(&self.ctx.task_ctx());
        let stream = without_paths(&shown, execute_stream(physical, Arc::clone(&task))?);
        let stream = buffered(stream);
        let result = QueryResult { stream, task: &task, started, form, endless };
        if !is_write {
            print(&self.print, result, bar).await?;
            return Ok(writes.commit().await?);
        }
        // The files are in their places before the statement says how many rows they have.
        let schema = result.stream.schema();
        let counts = collect(result.stream).await.map_err(|error| writes.cause(error))?;
        writes.commit().await?;
        let counts = Box::pin(MemoryStream::try_new(counts, schema, None)?);
        print(&self.print, QueryResult { stream: counts, ..result }, bar).await
    }

    /// Tells the eps that the rows have decided in the plans of a statement that has run.
    fn tell_eps(&self) -> Result<(), Failure> {
        for plan in self.planner.take_open() {
            if !self.print.quiet {
                auto_eps::lines(&plan)?.iter().for_each(|line| complain(line));
            }
        }
        Ok(())
    }

    /// The print options with which formats for machines get no footer.
    fn quiet_for_machines(&self) -> PrintOptions {
        let is_table = matches!(self.print.format, PrintFormat::Table | PrintFormat::Automatic);
        PrintOptions { quiet: self.print.quiet || !is_table, ..self.print.clone() }
    }
}

/// Tells a figure the text of its query, unless the statement does.
fn with_query(mut plan: LogicalPlan, text: &str) -> LogicalPlan {
    if let LogicalPlan::Copy(copy) = &mut plan
        && names_figure(&copy.file_type.get_ext())
    {
        copy.options.entry("format.query".to_string()).or_insert_with(|| text.trim().to_string());
    }
    plan
}
