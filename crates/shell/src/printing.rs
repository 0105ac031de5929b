//! Prints the result of a query while the query runs.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use datafusion::common::instant::Instant;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion_cli::print_format::PrintFormat;
use datafusion_cli::print_options::{MaxRows, PrintOptions};
use futures::stream::StreamExt;

use super::failure::Failure;
use super::output::{self, BatchWriter, LineBreaks};
use super::progress::Bar;

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

/// The form of a result that is printed as a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableForm {
    maxrows: MaxRows,
    line_breaks: LineBreaks,
}

impl TableForm {
    /// The form for the result of this plan: plans and descriptions are shown in full.
    pub(super) fn of(plan: &LogicalPlan, maxrows: MaxRows) -> Self {
        match plan {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => {
                Self { maxrows: MaxRows::Unlimited, line_breaks: LineBreaks::Kept }
            }
            LogicalPlan::DescribeTable(_) => {
                Self { maxrows: MaxRows::Unlimited, line_breaks: LineBreaks::Escaped }
            }
            _ => Self { maxrows, line_breaks: LineBreaks::Escaped },
        }
    }
}

/// Prints a result as it comes.
pub(super) async fn print(options: &PrintOptions, result: QueryResult<'_>, bar: &Bar) -> Result<(), Failure> {
    let QueryResult { stream, task, started, form: TableForm { maxrows, line_breaks }, endless } = result;
    let format = &task.session_config().options().format;
    if let Some(writer) = BatchWriter::new(options.format, stream.schema()) {
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
    // Given no columns, datafusion-cli prints its footer and the profile of the object stores alone.
    let footer = PrintOptions { maxrows, format: PrintFormat::Table, ..options.clone() };
    footer.print_batches(Arc::new(Schema::empty()), &[], started, rows, format)?;
    Ok(())
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
        // Ctrl-C is noticed between batches, however fast they come.
        tokio::task::yield_now().await;
    }
    bar.clear();
    output::write(writer.finish()?)
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
