//! [`Job`] clusters one input partition and accounts for its memory.
//!
//! The rows arrive sorted by the keys of PARTITION BY, so a partition is complete when the next one begins. As soon as the
//! complete partitions have enough rows, they are clustered and emitted. The memory held is that of the largest partition or
//! of a few batches, whichever is more, and not that of all rows.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use datafusion::common::instant::Instant;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::common::{DataFusionError, HashMap, Result, exec_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryReservation, human_readable_size};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::RecordOutput;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::metrics::DbscanMetrics;
use super::partitions::{Partitions, Ranges};
use crate::window::{Call, LabelColumns, Rows};

/// The work on one input partition.
pub(super) struct Job {
    pub(super) work: Arc<Work>,
    /// The input, `None` when it has ended.
    pub(super) input: Option<SendableRecordBatchStream>,
    pub(super) partitions: Partitions,
    pub(super) pending: Pending,
    pub(super) reservation: MemoryReservation,
    /// The number of rows in complete partitions from which on they are clustered.
    pub(super) enough_rows: usize,
}

/// The part of a job that is shared with blocking threads.
pub(super) struct Work {
    /// The calls with their arguments. Their labels become columns in this order.
    pub(super) calls: Vec<(Call, Vec<Arc<dyn PhysicalExpr>>)>,
    pub(super) schema: SchemaRef,
    pub(super) threads: usize,
    pub(super) metrics: DbscanMetrics,
}

/// Rows that have arrived and are not clustered yet.
#[derive(Default)]
pub(super) struct Pending {
    batches: Vec<RecordBatch>,
    memory: RecordBatchMemoryCounter,
    /// The number of rows of the table: as many as `vectors`, unless a vector stands for several rows.
    rows: i64,
    vectors: usize,
}

impl Job {
    /// Streams the labelled rows.
    pub(super) fn output(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let chunks = stream::try_unfold(self, |mut job| async move {
            let rows: Result<Option<LabelledRows>> = job.next_chunk().await;
            rows.map(|rows| rows.map(|rows| (stream::iter(rows), job)))
        });
        chunks.try_flatten()
    }

    /// Reads and labels the next complete partitions.
    async fn next_chunk(&mut self) -> Result<Option<LabelledRows>> {
        while let Some(input) = &mut self.input {
            match input.next().await {
                Some(batch) => {
                    let batch = batch.map_err(|error| self.add_held_memory(error))?;
                    self.keep(batch)?;
                    if self.partitions.complete_rows() >= self.enough_rows {
                        let ranges = self.partitions.take_complete();
                        let complete = self.take_rows(ranges.rows())?;
                        return self.label(complete, ranges).await.map(Some);
                    }
                }
                None => self.input = None,
            }
        }
        let ranges = self.partitions.take();
        if ranges.rows() == 0 {
            self.work.metrics.finish();
            return Ok(None);
        }
        let rest = std::mem::take(&mut self.pending);
        self.label(rest, ranges).await.map(Some)
    }

    /// Keeps a batch, after reserving the buffers that it shares with no earlier batch.
    fn keep(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.partitions.add(&batch)?;
        self.work.add(&mut self.pending, batch)?;
        self.reserve(self.held(), &self.pending)
    }

    /// Returns the bytes of the rows that wait.
    fn held(&self) -> usize {
        self.pending.memory.memory_usage() + self.partitions.size()
    }

    /// Takes the first `rows` rows out of the waiting batches, and keeps the others.
    fn take_rows(&mut self, rows: usize) -> Result<Pending> {
        let mut taken = Pending::default();
        let (mut left, batches) = (rows, std::mem::take(&mut self.pending).batches);
        for batch in batches {
            let some = left.min(batch.num_rows());
            left -= some;
            if some > 0 {
                self.work.add(&mut taken, batch.slice(0, some))?;
            }
            if some < batch.num_rows() {
                self.work.add(&mut self.pending, batch.slice(some, batch.num_rows() - some))?;
            }
        }
        Ok(taken)
    }

    /// Labels rows that were taken, on a blocking thread, with a reservation of their own.
    async fn label(&mut self, taken: Pending, ranges: Ranges) -> Result<LabelledRows> {
        self.work.metrics.input_rows.add(taken.vectors);
        let needed = taken.memory.memory_usage()
            + self.work.memory_of_labels(&taken, ranges.iter().len())
            + self.work.memory_of_core(&taken);
        self.reserve(needed + self.held(), &taken)?;
        self.work.metrics.peak_memory.set_max(self.reservation.size());
        let reservation = self.reservation.split(needed);
        let cancel = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let (work, flag) = (Arc::clone(&self.work), Arc::clone(&cancel.0));
        let labelled =
            SpawnedTask::spawn_blocking(move || work.label(taken.batches, &ranges, reservation, &flag));
        let labelled = labelled.join_unwind().await;
        drop(cancel);
        labelled.map_err(|error| exec_datafusion_err!("clustering was stopped: {error}"))?
    }

    fn reserve(&self, bytes: usize, rows: &Pending) -> Result<()> {
        self.reservation.try_resize(bytes).map_err(|error| {
            let held = self.reservation.size();
            let more = human_readable_size(bytes.saturating_sub(held));
            DataFusionError::ResourcesExhausted(format!(
                "clustering {} needs {more} more than the {} it holds; give the query more memory, or {}. {}",
                self.work.text_of(rows),
                human_readable_size(held),
                if self.work.is_of_vectors() { "make the features coarser" } else { "cluster fewer rows" },
                text_of(&error),
            ))
        })
    }

    /// Adds this operator's figures to an error of an operator below it that ran out of memory: usually this one holds it.
    fn add_held_memory(&self, error: DataFusionError) -> DataFusionError {
        let held = self.reservation.size();
        match error.find_root() {
            DataFusionError::ResourcesExhausted(text) if held > 0 => {
                DataFusionError::ResourcesExhausted(format!(
                    "{text}\nMeanwhile {} wait to be clustered, which take {}; give the query more memory.",
                    self.work.text_of(&self.pending),
                    human_readable_size(held),
                ))
            }
            _ => error,
        }
    }
}

impl Work {
    fn add(&self, pending: &mut Pending, batch: RecordBatch) -> Result<()> {
        pending.rows += match self.calls.first() {
            Some((call, args)) => call.rows_of(args, &batch)?,
            None => batch.num_rows() as i64,
        };
        pending.vectors += batch.num_rows();
        pending.memory.count_batch(&batch);
        pending.batches.push(batch);
        Ok(())
    }

    fn memory_of_labels(&self, rows: &Pending, partitions: usize) -> usize {
        self.calls.iter().map(|(call, _)| call.label_memory(rows.vectors, partitions)).sum()
    }

    /// Returns the bytes that the largest call needs, since the calls run one after the other.
    fn memory_of_core(&self, rows: &Pending) -> usize {
        self.calls.iter().map(|(call, _)| call.memory_required(rows.vectors, self.threads)).max().unwrap_or(0)
    }

    fn is_of_vectors(&self) -> bool {
        self.calls.iter().any(|(call, _)| call.is_of_vectors())
    }

    fn text_of(&self, rows: &Pending) -> String {
        let features = self.calls.iter().map(|(call, _)| call.features().len()).max().unwrap_or(0);
        let vectors = rows.vectors;
        let s = if features == 1 { "" } else { "s" };
        if self.is_of_vectors() {
            format!("{} rows, which are {vectors} distinct vectors of {features} feature{s},", rows.rows)
        } else {
            format!("{vectors} rows of {features} feature{s}")
        }
    }

    /// Labels all rows, on the blocking thread.
    fn label(
        self: &Arc<Self>,
        batches: Vec<RecordBatch>,
        ranges: &Ranges,
        reservation: MemoryReservation,
        cancel: &AtomicBool,
    ) -> Result<LabelledRows> {
        let started = Instant::now();
        // The thread pool is entered once for all partitions, which may be many and small.
        let labels = thread_pool(self.threads)?.install(|| {
            let calls = self.calls.iter();
            calls
                .map(|(call, args)| self.labels_of(call, args, &batches, ranges, cancel))
                .collect::<Result<Vec<_>>>()
        })?;
        self.metrics.add_time(started);
        Ok(LabelledRows::new(batches, labels, Arc::clone(self), reservation))
    }

    fn labels_of(
        &self,
        call: &Call,
        args: &[Arc<dyn PhysicalExpr>],
        batches: &[RecordBatch],
        ranges: &Ranges,
        cancel: &AtomicBool,
    ) -> Result<LabelColumns> {
        let values = call.row_args(args).par_iter().map(|arg| concat_column(batches, arg));
        let values = values.collect::<Result<Vec<_>>>()?;
        let mut labels = call.labels(ranges.rows());
        let rows = call.rows(values, ranges.rows())?;
        let mut label = |partition: Rows| -> Result<()> {
            self.metrics.add(&call.evaluate_into(&mut labels, partition, cancel)?);
            Ok(())
        };
        // A single partition owns the arrays, so the call may free them early.
        if ranges.iter().len() == 1 {
            label(rows)?;
            return Ok(labels);
        }
        for range in ranges.iter() {
            label(rows.slice(&range))?;
        }
        Ok(labels)
    }
}

/// Returns the text of an error without its backtrace.
fn text_of(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) => text.clone(),
        other => other.strip_backtrace(),
    }
}

/// Evaluates an expression for all rows, as one array.
fn concat_column(batches: &[RecordBatch], expr: &Arc<dyn PhysicalExpr>) -> Result<ArrayRef> {
    let arrays = batches
        .iter()
        .map(|batch| expr.evaluate(batch)?.into_array(batch.num_rows()))
        .collect::<Result<Vec<_>>>()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(concat(&arrays)?)
}

/// Sets the core's cancel flag when it is dropped: a blocking task that has started can't be aborted otherwise.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Labelled rows of some partitions. The memory of each batch is released as it leaves.
struct LabelledRows {
    batches: std::vec::IntoIter<RecordBatch>,
    /// The bytes of each batch that no later batch shares.
    sizes: std::vec::IntoIter<usize>,
    /// The labels of all rows, a column for each call.
    labels: Vec<LabelColumns>,
    /// The number of rows that have left.
    offset: usize,
    work: Arc<Work>,
    reservation: MemoryReservation,
}

impl LabelledRows {
    fn new(
        batches: Vec<RecordBatch>,
        labels: Vec<LabelColumns>,
        work: Arc<Work>,
        reservation: MemoryReservation,
    ) -> Self {
        let mut memory = RecordBatchMemoryCounter::new();
        let mut sizes: Vec<usize> = batches.iter().rev().map(|batch| memory.count_batch(batch)).collect();
        sizes.reverse();
        // The core has freed its memory, so the batches and labels remain.
        let labels_size: usize = labels.iter().map(LabelColumns::size).sum();
        reservation.resize((memory.memory_usage() + labels_size).min(reservation.size()));
        Self { batches: batches.into_iter(), sizes: sizes.into_iter(), labels, offset: 0, work, reservation }
    }

    fn labelled(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = self.offset..self.offset + batch.num_rows();
        self.offset = rows.end;
        let mut columns = batch.columns().to_vec();
        columns.extend(self.labels.iter().map(|labels| labels.array(Range::clone(&rows))));
        Ok(RecordBatch::try_new(Arc::clone(&self.work.schema), columns)?)
    }
}

impl Iterator for LabelledRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let (batch, size) = (self.batches.next()?, self.sizes.next()?);
        let labelled = self.labelled(&batch);
        self.reservation.shrink(size.min(self.reservation.size()));
        Some(labelled.map(|batch| batch.record_output(&self.work.metrics.baseline)))
    }
}

/// Returns the thread pool of the core. The process has one pool per size, since every query would otherwise start threads of
/// its own.
fn thread_pool(threads: usize) -> Result<Arc<ThreadPool>> {
    static POOLS: LazyLock<Mutex<HashMap<usize, Arc<ThreadPool>>>> = LazyLock::new(Mutex::default);
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Ok(Arc::clone(pool));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("dbscan-{index}"))
        .build()
        .map_err(|error| exec_datafusion_err!("can't start {threads} threads for clustering: {error}"))?;
    Ok(Arc::clone(pools.entry(threads).or_insert_with(|| Arc::new(pool))))
}
