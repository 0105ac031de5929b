//! One statement at a time, and scripts of them.

use std::convert::Infallible;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::common::instant::Instant;
use datafusion::config::Dialect;
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execution_plan::Boundedness;
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{ExecutionPlanProperties, execute_stream};
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement as SqlStatement};
use datafusion::sql::sqlparser::ast::{self, ObjectNamePart, TableFactor, VisitMut, VisitorMut};
use datafusion_cli::cli_context::CliSessionContext;
use datafusion_cli::exec::exec_from_commands;
use datafusion_cli::print_format::PrintFormat;
use datafusion_cli::print_options::{MaxRows, PrintOptions};
use futures::future::{FutureExt, LocalBoxFuture};
use futures::stream::StreamExt;
use url::Url;

use super::commands;
use super::depth::checked;
use super::failure::Failure;
use super::files::making;
use super::output::{self, BatchWriter, LineBreaks};
use super::panics::caught;
use super::progress::{Bar, PlanWatch};
use super::statements::{Piece, Script, Statement, decoded, dialect};
use dbcluster_figures::Figure;
use dbcluster_files::Writes;

/// Batches that may wait between the query and the printing.
const BATCHES_AHEAD: usize = 2;

/// A file that includes itself ends here, and not with the stack.
const DEEPEST_INCLUDE: usize = 16;

/// Where a script comes from, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// Typed at the prompt: messages need no place.
    Prompt,
    /// A file, standard input or a `-c`, under the name to show.
    Script(&'a str),
}

/// Runs statements and commands in one session, and prints what they return.
pub(super) struct Runner {
    pub(super) ctx: SessionContext,
    pub(super) print: PrintOptions,
    /// Whether a command that sets something says so. A script's output is its results.
    pub(super) confirms: bool,
    /// The session's planner.
    planner: Arc<PlanWatch>,
    /// How many `\i` are open.
    include_depth: usize,
}

impl Runner {
    pub(super) fn new(ctx: SessionContext, print: PrintOptions, planner: Arc<PlanWatch>) -> Self {
        Self { ctx, print, confirms: false, planner, include_depth: 0 }
    }

    /// The dialect that the next statement is read in.
    pub(super) fn dialect(&self) -> Dialect {
        self.ctx.state_ref().read().config_options().sql_parser.dialect
    }

    /// Runs a text up to its end, its first failure, or a `\q`.
    pub(super) async fn run_script(
        &mut self,
        text: &str,
        origin: Origin<'_>,
    ) -> Result<ControlFlow<()>, Failure> {
        let mut script = Script::new(text);
        let mut number = 0_usize;
        while let Some(piece) = script.next(self.dialect()) {
            number += 1;
            let (line, kind, result) = match piece {
                Piece::Command { text, line } => {
                    (line, "command", caught(text, commands::run(self, text)).await)
                }
                Piece::Broken { message, line, .. } => (line, "statement", Err(Failure::new(message))),
                Piece::Statement { statement, .. } => {
                    let line = statement.line;
                    let text = statement.text;
                    let result = caught(text, self.run_statement(statement)).await;
                    let result = result.map_err(|failure| failure.with_hint(text));
                    (line, "statement", result.map(|()| ControlFlow::Continue(())))
                }
            };
            let flow = result.map_err(|failure| match origin {
                Origin::Prompt => failure,
                Origin::Script(name) => failure.at(&format!("{name}:{line}: {kind} {number}")),
            })?;
            output::flush()?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Runs a file, as `-f` and `\i` do.
    pub(super) fn run_file<'a>(
        &'a mut self,
        path: &'a Path,
    ) -> LocalBoxFuture<'a, Result<ControlFlow<()>, Failure>> {
        async move {
            let name = path.display().to_string();
            let bytes = fs::read(path).map_err(|error| Failure::new(format!("{name}: {error}")))?;
            let text = decoded(bytes).map_err(|message| Failure::new(format!("{name}: {message}")))?;
            if self.include_depth == DEEPEST_INCLUDE {
                return Err(Failure::new(format!(
                    "{name}: more than {DEEPEST_INCLUDE} files include each other"
                )));
            }
            self.include_depth += 1;
            let result = self.run_script(&text, Origin::Script(&name)).await;
            self.include_depth -= 1;
            result
        }
        .boxed_local()
    }

    /// A cancelled `\i` has not come back to count down.
    pub(super) fn forget_includes(&mut self) {
        self.include_depth = 0;
    }

    async fn run_statement(&self, statement: Statement<'_>) -> Result<(), Failure> {
        let (dialect_name, recursion_limit) = {
            let state = self.ctx.state_ref();
            let state = state.read();
            let parser = &state.config_options().sql_parser;
            (parser.dialect, parser.recursion_limit.get())
        };
        let dialect = dialect(dialect_name);
        let parsed = DFParserBuilder::new(statement.tokens)
            .with_dialect(dialect.as_ref())
            .with_recursion_limit(recursion_limit)
            .build()?
            .parse_statements()?;
        for mut parsed in checked(parsed)? {
            lower_table_functions(&mut parsed);
            let bar = Bar::start(&self.planner, !self.print.quiet);
            match parsed {
                // On a cluster, the session's stores are those of every process; datafusion-cli's would be here alone
                parsed if is_figure(&parsed) || self.planner.is_for_cluster() => {
                    self.run_query(parsed, statement.text, &bar).await?;
                }
                // datafusion-cli registers the object stores that these name
                SqlStatement::CreateExternalTable(_) | SqlStatement::CopyTo(_) => {
                    exec_from_commands(
                        &BehindBar { ctx: &self.ctx, bar },
                        vec![statement.text.to_string()],
                        &self.quiet_for_machines(),
                    )
                    .await?;
                }
                parsed => self.run_query(parsed, statement.text, &bar).await?,
            }
        }
        Ok(())
    }

    async fn run_query(&self, statement: SqlStatement, text: &str, bar: &Bar) -> Result<(), Failure> {
        let started = Instant::now();
        let mut maxrows = self.print.maxrows;
        if matches!(&statement, SqlStatement::Statement(sql) if matches!(**sql, ast::Statement::ShowVariable { .. }))
        {
            maxrows = MaxRows::Unlimited;
        }
        let made = made_table(&statement);
        let plan = making(made.as_deref(), self.ctx.state().statement_to_plan(statement)).await?;
        let plan = with_query(plan, text);
        let line_breaks = match &plan {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => LineBreaks::Kept,
            _ => LineBreaks::Escaped,
        };
        if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)) {
            maxrows = MaxRows::Unlimited;
        }
        let form = TableForm { maxrows, line_breaks };
        let is_write = matches!(plan, LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Analyze(_));
        let frame = making(made.as_deref(), self.ctx.execute_logical_plan(plan)).await?;
        let physical = frame.create_physical_plan().await?;
        let endless = matches!(physical.boundedness(), Boundedness::Unbounded { .. });
        let writes = Writes::default();
        let task = writes.context(&self.ctx.task_ctx());
        let stream = buffered(execute_stream(physical, Arc::clone(&task))?);
        if is_write {
            // its files are there before it says how many rows they have
            let schema = stream.schema();
            let counts = collect(stream).await.map_err(|error| writes.cause(error))?;
            writes.commit().await?;
            let counts = MemoryStream::try_new(counts, schema, None)?;
            return self.print_result(Box::pin(counts), &task, started, form, endless, bar).await;
        }
        self.print_result(stream, &task, started, form, endless, bar).await?;
        Ok(writes.commit().await?)
    }

    /// Prints a result as it comes.
    async fn print_result(
        &self,
        stream: SendableRecordBatchStream,
        task: &TaskContext,
        started: Instant,
        TableForm { maxrows, line_breaks }: TableForm,
        endless: bool,
        bar: &Bar,
    ) -> Result<(), Failure> {
        let format = &task.session_config().options().format;
        if let Some(writer) = BatchWriter::new(self.print.format, stream.schema()) {
            return print_all(stream, writer, bar).await;
        }
        if endless && maxrows == MaxRows::Unlimited {
            return Err(Failure::new(
                "this query never ends, so it makes no table: use LIMIT, --maxrows, or another format",
            ));
        }
        let limit = match maxrows {
            MaxRows::Limited(rows) => rows,
            MaxRows::Unlimited => usize::MAX,
        };
        let schema = stream.schema();
        let reservation = MemoryConsumer::new("rows of the table shown").register(task.memory_pool());
        let reserve = |bytes| Ok(reservation.try_grow(bytes)?);
        let (shown, rows) = first_rows(stream, limit, endless, reserve).await?;
        bar.clear();
        if limit > 0 {
            output::write(output::table(&schema, &shown, rows > limit, line_breaks, format)?)?;
        }
        // With nothing to show but the counts, datafusion-cli prints its footer and the object stores' profile
        let footer = PrintOptions { maxrows, format: PrintFormat::Table, ..self.print.clone() };
        footer.print_batches(Arc::new(Schema::empty()), &[], started, rows, format)?;
        Ok(())
    }

    /// Formats for machines never get a footer.
    fn quiet_for_machines(&self) -> PrintOptions {
        let is_table = matches!(self.print.format, PrintFormat::Table | PrintFormat::Automatic);
        PrintOptions { quiet: self.print.quiet || !is_table, ..self.print.clone() }
    }
}

/// How a result looks as a table.
#[derive(Debug, Clone, Copy)]
struct TableForm {
    maxrows: MaxRows,
    line_breaks: LineBreaks,
}

/// The engine folds the names of all functions but these to lower case.
fn lower_table_functions(statement: &mut SqlStatement) {
    struct Lower;

    impl VisitorMut for Lower {
        type Break = Infallible;

        fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Infallible> {
            if let TableFactor::Table { name, args: Some(_), .. } = table
                && let [ObjectNamePart::Identifier(name)] = name.0.as_mut_slice()
                && name.quote_style.is_none()
            {
                name.value.make_ascii_lowercase();
            }
            ControlFlow::Continue(())
        }
    }

    match statement {
        SqlStatement::Statement(statement) => {
            let _ = statement.visit(&mut Lower);
        }
        SqlStatement::Explain(explain) => lower_table_functions(&mut explain.statement),
        _ => {}
    }
}

/// The first rows of a result, up to a limit, and how many there were in all.
async fn first_rows(
    mut stream: SendableRecordBatchStream,
    limit: usize,
    endless: bool,
    mut reserve: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<(Vec<RecordBatch>, usize), Failure> {
    let (mut shown, mut rows) = (Vec::new(), 0_usize);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let wanted = limit.saturating_sub(rows).min(batch.num_rows());
        if wanted > 0 {
            reserve(batch.get_array_memory_size())?;
            shown.push(batch.slice(0, wanted));
        }
        rows += batch.num_rows();
        if endless && rows > limit {
            break;
        }
    }
    Ok((shown, rows))
}

/// Writes every batch as it comes. The bar ends at the first: standard output may be the same terminal.
async fn print_all(
    mut stream: SendableRecordBatchStream,
    mut writer: BatchWriter,
    bar: &Bar,
) -> Result<(), Failure> {
    while let Some(batch) = stream.next().await {
        let bytes = writer.batch(&batch?)?;
        bar.clear();
        output::write(bytes)?;
        // lets Ctrl-C be seen between batches, however fast they come
        tokio::task::yield_now().await;
    }
    bar.clear();
    output::write(writer.finish()?)
}

/// The session as datafusion-cli sees it: a statement has run to its end, and its bar has gone, before it prints.
struct BehindBar<'a> {
    ctx: &'a SessionContext,
    bar: Bar,
}

#[async_trait]
impl CliSessionContext for BehindBar<'_> {
    fn task_ctx(&self) -> Arc<TaskContext> {
        self.ctx.task_ctx()
    }

    fn session_state(&self) -> SessionState {
        self.ctx.state()
    }

    fn register_object_store(
        &self,
        url: &Url,
        object_store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        // the files of this machine are there already: another wrapping would be added with each statement
        if url.scheme() == "file" {
            return None;
        }
        self.ctx.register_object_store(url, object_store)
    }

    fn register_table_options_extension_from_scheme(&self, scheme: &str) {
        self.ctx.register_table_options_extension_from_scheme(scheme);
    }

    async fn execute_logical_plan(&self, plan: LogicalPlan) -> datafusion::common::Result<DataFrame> {
        let is_copy = matches!(plan, LogicalPlan::Copy(_));
        let mut frame = self.ctx.execute_logical_plan(plan).await?;
        if is_copy {
            let physical = frame.create_physical_plan().await?;
            let schema = physical.schema();
            let writes = Writes::default();
            let counts = execute_stream(physical, writes.context(&self.ctx.task_ctx()))?;
            let counts = collect(counts).await.map_err(|error| writes.cause(error))?;
            writes.commit().await?;
            frame = self.ctx.read_table(Arc::new(MemTable::try_new(schema, vec![counts])?))?;
        }
        self.bar.clear();
        Ok(frame)
    }
}

/// The name of the table or view that a statement makes.
fn made_table(statement: &SqlStatement) -> Option<String> {
    let SqlStatement::Statement(statement) = statement else { return None };
    let name = match statement.as_ref() {
        ast::Statement::CreateTable(table) => &table.name,
        ast::Statement::CreateView(view) => &view.name,
        _ => return None,
    };
    match name.0.last() {
        Some(ObjectNamePart::Identifier(name)) => Some(name.value.clone()),
        _ => None,
    }
}

/// Whether this makes a figure: datafusion-cli refuses options of formats that it doesn't know.
fn is_figure(statement: &SqlStatement) -> bool {
    match statement {
        SqlStatement::CopyTo(copy) => copy.stored_as.as_deref().is_some_and(names_figure),
        SqlStatement::CreateExternalTable(table) => names_figure(&table.file_type),
        _ => false,
    }
}

fn names_figure(format: &str) -> bool {
    Figure::ALL.iter().any(|figure| figure.name().eq_ignore_ascii_case(format))
}

/// Tells a figure what was asked, unless the statement does.
fn with_query(mut plan: LogicalPlan, text: &str) -> LogicalPlan {
    if let LogicalPlan::Copy(copy) = &mut plan
        && names_figure(&copy.file_type.get_ext())
    {
        copy.options.entry("format.query".to_string()).or_insert_with(|| text.trim().to_string());
    }
    plan
}

/// Drives the query on the worker threads. The thread that prints is then free to see Ctrl-C at any time, and
/// formats one batch while the next is made. Dropping the stream stops the query.
fn buffered(mut stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let mut builder = RecordBatchReceiverStream::builder(stream.schema(), BATCHES_AHEAD);
    let sender = builder.tx();
    builder.spawn(async move {
        while let Some(batch) = stream.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build()
}
