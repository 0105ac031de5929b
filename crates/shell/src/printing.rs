//! Prints the result of a query while the query runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use datafusion::common::instant::Instant;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use futures::stream::StreamExt;

use super::failure::Failure;
use super::files::Account;
use super::footer::{MaxRows, PrintOptions, footer};
use super::format::Format;
use super::look::{Expanded, Look};
use super::output::{self, BatchWriter};
use super::pager;
use super::progress::Bar;
use super::tables::{self, First, LineBreaks};
use super::target::Target;
use super::zone::in_zone;
use dbcluster_terminal::printable;

/// Batches that may wait between the query and the printing.
const BATCHES_AHEAD: usize = 2;

/// The result of a query that has begun to run.
pub(super) struct QueryResult<'a> {
    pub(super) stream: SendableRecordBatchStream,
    pub(super) task: &'a TaskContext,
    pub(super) started: Instant,
    pub(super) form: TableForm,
    /// Whether the query never ends.
    pub(super) endless: bool,
}

/// Where results go, and how they look there.
pub(super) struct Printer<'a> {
    pub(super) options: &'a PrintOptions,
    pub(super) look: &'a Look,
    /// A file in place of standard output.
    pub(super) target: &'a Mutex<Option<Target>>,
    pub(super) account: &'a Account,
    /// Whether statements are typed, and not given on the command line or in a script.
    pub(super) at_prompt: bool,
}

/// The form of a result that is printed as a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableForm {
    maxrows: MaxRows,
    line_breaks: LineBreaks,
    first: First,
}

impl TableForm {
    /// The form for the result of this plan: plans and descriptions are shown in full.
    pub(super) fn of(plan: &LogicalPlan, maxrows: MaxRows, first: First) -> Self {
        match plan {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => {
                Self { maxrows: MaxRows::Unlimited, line_breaks: LineBreaks::Kept, first }
            }
            LogicalPlan::DescribeTable(_) => {
                Self { maxrows: MaxRows::Unlimited, line_breaks: LineBreaks::Escaped, first }
            }
            _ => Self { maxrows, line_breaks: LineBreaks::Escaped, first },
        }
    }
}

impl Printer<'_> {
    /// Prints a result as it comes, and returns the number of its rows.
    pub(super) async fn print(&self, result: QueryResult<'_>, bar: &Bar) -> Result<usize, Failure> {
        let has_target = {
            let mut target = lock(self.target);
            target.as_mut().map_or(Ok(false), |target| target.begin().map(|()| true))?
        };
        let format = if has_target { self.format_of_target() } else { self.look.format };
        if let Some(writer) = BatchWriter::new(format, result.stream.schema()) {
            return self.print_all(result.stream, writer, bar).await;
        }
        let QueryResult { stream, task, started, form, endless } = result;
        let TableForm { maxrows, line_breaks, first } = form;
        // A file has all rows.
        let maxrows = if has_target { MaxRows::Unlimited } else { maxrows };
        if endless && maxrows == MaxRows::Unlimited {
            return Err(Failure::new(
                "this query never ends, so it makes no table: use LIMIT, --maxrows, or another format",
            ));
        }
        let limit = maxrows.limit();
        let schema = stream.schema();
        let reservation = MemoryConsumer::new("rows of the table shown").register(task.memory_pool());
        let reserve = |bytes| Ok(reservation.try_grow(bytes)?);
        let (shown, rows) = first_rows(stream, limit, endless, reserve).await?;
        bar.clear();
        let options = &task.session_config().options().format;
        if limit > 0 && !schema.fields().is_empty() {
            let more = rows > limit;
            if has_target || line_breaks == LineBreaks::Kept {
                let text = tables::whole(&schema, &shown, more, line_breaks, options)?;
                self.write(text)?;
            } else {
                let shown = in_zone(shown, self.look.zone.as_deref())?;
                let schema = shown.first().map_or(schema, RecordBatch::schema);
                let longest = self.look.longest();
                let table = tables::table(&schema, &shown, line_breaks, first, longest, options)?;
                let names: Vec<_> = schema.fields().iter().map(|field| printable(field.name())).collect();
                let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
                self.show(&self.look.draw(&table, &names, more))?;
            }
        }
        if has_target || self.options.quiet {
            return Ok(rows);
        }
        // The footer names a flag, which is of no use at the prompt.
        let mut told = maxrows;
        if self.at_prompt && rows > limit {
            output::say(format!("The first {limit} rows; \\pset maxrows N, or inf, shows more.\n"))?;
            told = MaxRows::Unlimited;
        }
        output::say(footer(rows, told, started.elapsed()))?;
        Ok(rows)
    }

    /// Shows a text on the screen, page by page if it is longer.
    fn show(&self, text: &str) -> Result<(), Failure> {
        if self.look.needs_pager(text) {
            let wraps = self.look.expanded != Expanded::Off;
            return pager::show(text, wraps, || self.account.is_ending());
        }
        output::write(text)
    }

    fn format_of_target(&self) -> Format {
        lock(self.target).as_ref().map_or(self.look.format, |target| target.format)
    }

    /// Writes to the file for results, or to standard output.
    fn write(&self, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        match lock(self.target).as_mut() {
            Some(target) => target.write(bytes),
            None => output::write(bytes),
        }
    }

    /// Writes every batch as it comes. The bar ends at the first: standard output may be the same terminal.
    async fn print_all(
        &self,
        mut stream: SendableRecordBatchStream,
        mut writer: BatchWriter,
        bar: &Bar,
    ) -> Result<usize, Failure> {
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            let bytes = writer.batch(&batch)?;
            bar.clear();
            self.write(bytes)?;
            // Ctrl-C is noticed between batches, however fast they come.
            tokio::task::yield_now().await;
        }
        bar.clear();
        self.write(writer.finish()?)?;
        Ok(rows)
    }
}

/// The file for results. One that was being written to when a thread panicked is as usable as before.
fn lock(target: &Mutex<Option<Target>>) -> MutexGuard<'_, Option<Target>> {
    target.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first rows of a result, up to a limit, and the number of rows in all.
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

/// Drives the query on the worker threads. The thread that prints is then free to see Ctrl-C at any time, and
/// formats one batch while the next is made. Dropping the stream stops the query.
pub(super) fn buffered(mut stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
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
