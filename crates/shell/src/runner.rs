//! Runs one statement in a session, and prints its result.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

use super::advice::{self, Call};
use super::catalog_file::{CatalogFile, Change};
use super::depth::sql;
use super::endings;
use super::failure::{Failure, NO_TABLE};
use super::files::{Account, creating_table};
use super::footer::{MaxRows, PrintOptions};
use super::headers::without_paths;
use super::look::Look;
use super::mapped;
use super::meant;
use super::object_stores;
use super::printing::{Printer, QueryResult, TableForm, buffered};
use super::progress::{Bar, PlanWatch};
use super::rewrite::select_all_first;
use super::session_log::SessionLog;
use super::statements::Statement;
use super::syntax::{
    created_table, has_wildcard, is_query, names_figure, parse, put_tabs, read_table, shows_settings,
};
use super::tables::First;
use super::target::Target;
use super::topics::OwnTable;
use super::variables::{Variables, put_in};
use datafusion_dbcluster::near_miss::did_you_mean;
use dbcluster_files::Writes;
use dbcluster_terminal::complain;

/// A session, and how its results are printed.
pub(super) struct Runner {
    pub(super) ctx: SessionContext,
    pub(super) print: PrintOptions,
    pub(super) look: Look,
    /// The file that results go to, if not to standard output.
    pub(super) target: Mutex<Option<Target>>,
    pub(super) variables: Variables,
    /// The log of the session.
    pub(super) log: Option<SessionLog>,
    /// The file that keeps views and external tables.
    pub(super) catalog: Option<CatalogFile>,
    /// Whether a command that sets something says so. A script's output is its results.
    pub(super) confirms: bool,
    /// Says what the session has read.
    pub(super) account: Arc<Account>,
    /// The table that a statement has read last, as it stands behind FROM.
    last_table: Mutex<Option<String>>,
    /// The lines about mapped columns that were said.
    told_of_columns: Mutex<HashSet<String>>,
    /// Whether it was said that rows hide values.
    told_of_hidden: AtomicBool,
    /// The session's planner.
    planner: Arc<PlanWatch>,
}

impl Runner {
    pub(super) fn new(
        ctx: SessionContext,
        print: PrintOptions,
        look: Look,
        planner: Arc<PlanWatch>,
        account: Arc<Account>,
    ) -> Self {
        Self {
            ctx,
            print,
            look,
            target: Mutex::default(),
            variables: Variables::new(),
            log: None,
            catalog: None,
            confirms: false,
            account,
            last_table: Mutex::default(),
            told_of_columns: Mutex::default(),
            told_of_hidden: AtomicBool::new(false),
            planner,
        }
    }

    /// Sends results to a file from now on, or to standard output. The file before it, if there is one, takes its name. The
    /// text says what that one holds.
    pub(super) fn send_to(&mut self, target: Option<Target>) -> Result<Option<String>, Failure> {
        let open = self.target.get_mut().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(open, target);
        before.map(Target::close).transpose()
    }

    /// The dialect that the next statement is read in.
    pub(super) fn dialect(&self) -> Dialect {
        self.ctx.state_ref().read().config_options().sql_parser.dialect
    }

    /// Runs a statement to its end, and returns the number of rows of its result if it has one.
    pub(super) async fn run(&self, mut statement: Statement<'_>) -> Result<Option<usize>, Failure> {
        self.account.begin(self.print.quiet);
        // A statement that has failed may have left some.
        drop(self.planner.take_clusterings());
        put_tabs(&mut statement.tokens);
        let text = put_in(&self.variables, statement.text, &mut statement.tokens, self.dialect());
        select_all_first(&mut statement.tokens);
        let mut rows = None;
        for mut parsed in parse(&self.ctx, statement.tokens)? {
            endings::complete(&mut parsed);
            let call = Call::of(&parsed);
            let table = read_table(&parsed);
            let change = self.catalog.as_ref().and_then(|_| Change::of(&self.ctx, &parsed, &text));
            let is_shown = is_query(&parsed) && (self.confirms || self.look.format.is_table());
            if let Some(line) = advice::about_nulls(&parsed).filter(|_| !self.print.quiet) {
                complain(line);
            }
            let bar = Bar::start(&self.planner, !self.print.quiet);
            rows = Some(self.run_query(parsed, &text, &bar).await?);
            self.tell_clusterings(call.as_ref(), is_shown)?;
            if table.is_some() {
                *self.last_table.lock().unwrap_or_else(PoisonError::into_inner) = table;
            }
            if let (Some(catalog), Some(change)) = (&self.catalog, change) {
                catalog.apply(&self.ctx, self.dialect(), &change)?;
            }
        }
        Ok(rows)
    }

    /// Adds a statement to the log of the session.
    pub(super) fn log_statement(
        &mut self,
        text: &str,
        took: Duration,
        result: &Result<Option<usize>, Failure>,
    ) {
        let Some(log) = &mut self.log else { return };
        let ended = match result {
            Ok(rows) => Ok(*rows),
            Err(Failure::Message(message) | Failure::Placed(message) | Failure::Alert(message)) => {
                Err(message.clone())
            }
            Err(Failure::OutputClosed) => Err("nobody reads the output".to_string()),
            Err(Failure::Stopped(signal)) => Err(signal.to_string()),
        };
        log.add(text, took, &ended);
    }

    /// Plans a query whose rows somebody takes, with the bar that shows how far it is.
    pub(super) async fn read(&self, query: &str) -> Result<(Bar, SendableRecordBatchStream), Failure> {
        let bar = Bar::start(&self.planner, !self.print.quiet);
        let physical = sql(&self.ctx, query).await?.create_physical_plan().await?;
        Ok((bar, execute_stream(physical, self.ctx.task_ctx())?))
    }

    /// The table that an example is about: the one that is named, or the last one that was read.
    pub(super) async fn table_of_help(&self, named: &str) -> Result<Option<OwnTable>, Failure> {
        if !named.is_empty() {
            return OwnTable::read(&self.ctx, named).await.map(Some);
        }
        let last = self.last_table.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(match last {
            // It may have gone, or been a name within its statement alone.
            Some(table) => OwnTable::read(&self.ctx, &table).await.ok(),
            None => None,
        })
    }

    /// Adds what was probably meant by a statement that has failed.
    pub(super) fn with_meant(&self, failure: Failure, text: &str) -> Failure {
        let failure = failure.map(|message| meant::with_names(&self.ctx, message, text));
        failure.with_hint(text).map(|message| {
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

    async fn run_query(&self, statement: SqlStatement, text: &str, bar: &Bar) -> Result<usize, Failure> {
        let started = Instant::now();
        let maxrows = if shows_settings(&statement) { MaxRows::Unlimited } else { self.print.maxrows };
        let created = created_table(&statement);
        let first = if has_wildcard(&statement) { First::Telling } else { First::InOrder };
        let plan = creating_table(created.as_deref(), self.ctx.state().statement_to_plan(statement)).await?;
        if !self.print.quiet {
            let mut told = self.told_of_columns.lock().unwrap_or_else(PoisonError::into_inner);
            for line in mapped::lines(&plan)? {
                if told.insert(line.clone()) {
                    complain(&line);
                }
            }
        }
        let mut plan = with_query(plan, text);
        // Those of a cluster are the same in all of its processes.
        if !self.planner.is_for_cluster() {
            object_stores::prepare(&self.ctx, &mut plan).await?;
        }
        let form = TableForm::of(&plan, maxrows, first);
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
            let rows = self.printer().print(result, bar).await?;
            writes.commit().await?;
            return Ok(rows);
        }
        // The files are in their places before the statement says how many rows they have.
        let schema = result.stream.schema();
        let counts = collect(result.stream).await.map_err(|error| writes.cause(error))?;
        writes.commit().await?;
        let counts = Box::pin(MemoryStream::try_new(counts, schema, None)?);
        // The words of a statement about its own file are no result.
        let printer = Printer { target: &Mutex::new(None), ..self.printer() };
        let rows = printer.print(QueryResult { stream: counts, ..result }, bar).await?;
        if let Some(page) = page_of(&shown).filter(|_| self.confirms && !self.print.quiet) {
            complain(&format!("{page} is a page, to be opened in a browser"));
        }
        Ok(rows)
    }

    fn printer(&self) -> Printer<'_> {
        Printer {
            options: &self.print,
            look: &self.look,
            target: &self.target,
            account: &self.account,
            at_prompt: self.confirms,
        }
    }

    /// Tells of the clusterings of a statement that has run: the eps that their rows have decided, and what to do about a result
    /// that tells little.
    fn tell_clusterings(&self, call: Option<&Call>, is_shown: bool) -> Result<(), Failure> {
        for plan in self.planner.take_clusterings() {
            if self.print.quiet {
                continue;
            }
            let mut lines = advice::lines(&plan, call)?;
            // Most clusterings hide values. It is said to people, once in a session.
            let has_advice = lines.iter().any(|line| line.starts_with("advice"));
            if is_shown && !has_advice && !self.told_of_hidden.load(Ordering::Relaxed) {
                let hidden = call.and_then(|call| advice::of_hidden(&plan, call));
                self.told_of_hidden.store(hidden.is_some(), Ordering::Relaxed);
                lines.extend(hidden);
            }
            for line in &lines {
                complain(line);
            }
        }
        Ok(())
    }
}

/// The page that a statement writes, if it writes one: a path from the root, which terminals make a link of, or a URL.
fn page_of(plan: &LogicalPlan) -> Option<String> {
    let LogicalPlan::Copy(copy) = plan else { return None };
    if !names_figure(&copy.file_type.get_ext()) {
        return None;
    }
    let url = &copy.output_url;
    let whole = std::path::absolute(url).ok().filter(|_| !url.contains("://"));
    Some(whole.map_or_else(|| url.clone(), |path| path.display().to_string()))
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
