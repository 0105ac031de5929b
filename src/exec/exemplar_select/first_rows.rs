//! [`FirstRows`] keeps the first row of each cluster so far, and accounts for its memory.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{interleave_record_batch, take_record_batch};
use arrow::datatypes::DataType;
use datafusion::common::utils::memory::{RecordBatchMemoryCounter, estimate_memory_size};
use datafusion::common::{DataFusionError, HashMap, Result};
use datafusion::execution::memory_pool::{MemoryReservation, human_readable_size};

/// The first rows of the clusters so far, of all partitions together.
#[derive(Debug)]
pub(super) struct FirstRows {
    /// The first row of each cluster, by the cluster's key as bytes.
    kept: HashMap<Box<[u8]>, First>,
    /// The bytes of all keys of clusters and of their orders.
    key_bytes: usize,
    /// The kept rows, among some that a better row has replaced.
    batches: Vec<RecordBatch>,
    memory: RecordBatchMemoryCounter,
    rows: usize,
    reservation: MemoryReservation,
}

/// The place of a cluster's first row, and the order that it is compared by.
#[derive(Debug)]
struct First {
    order: Box<[u8]>,
    batch: usize,
    row: usize,
}

/// The key of a cluster, and its first row.
type Kept = (Box<[u8]>, First);

/// The replaced rows that may stay before they are dropped, beside as many as are kept.
const FEW_ROWS: usize = 8192;

/// The number of batches above which small ones are merged.
const MANY_BATCHES: usize = 256;

/// The average number of rows per batch below which batches are merged: each has a cost of its own.
const FEW_IN_BATCH: usize = 64;

impl FirstRows {
    pub(super) fn new(reservation: MemoryReservation) -> Self {
        Self {
            kept: HashMap::default(),
            key_bytes: 0,
            batches: vec![],
            memory: RecordBatchMemoryCounter::new(),
            rows: 0,
            reservation,
        }
    }

    /// Keeps the rows that come before the kept row of their cluster. `firsts` has the cluster, the order and the index in
    /// `candidates` of each.
    pub(super) fn keep(
        &mut self,
        candidates: &RecordBatch,
        mut firsts: Vec<(&[u8], &[u8], usize)>,
    ) -> Result<()> {
        firsts.retain(|(cluster, order, _)| self.kept.get(*cluster).is_none_or(|kept| *order < &*kept.order));
        if firsts.is_empty() {
            return Ok(());
        }
        let rows = UInt32Array::from_iter_values(firsts.iter().map(|(_, _, row)| *row as u32));
        let batch = compact(&take_record_batch(candidates, &rows)?)?;
        self.memory.count_batch(&batch);
        // This is an upper bound, since some of the rows replace others.
        let keys: usize = firsts.iter().map(|(cluster, order, _)| cluster.len() + order.len()).sum();
        let entries = self.kept.len() + firsts.len();
        let larger = if entries > self.kept.capacity() { size_of_table(entries)? } else { 0 };
        self.reserve(self.size()? + keys + larger)?;
        for (row, (cluster, order, _)) in firsts.into_iter().enumerate() {
            let first = First { order: order.into(), batch: self.batches.len(), row };
            self.key_bytes += order.len();
            match self.kept.get_mut(cluster) {
                Some(kept) => {
                    self.key_bytes -= kept.order.len();
                    *kept = first;
                }
                None => {
                    self.key_bytes += cluster.len();
                    self.kept.insert(cluster.into(), first);
                }
            }
        }
        self.rows += batch.num_rows();
        self.batches.push(batch);
        // Replaced rows are dropped when they are as many as the kept ones, so copying costs at most twice the rows. Small
        // batches are merged, since a batch has a cost of its own.
        let is_scattered = self.batches.len() > MANY_BATCHES && self.rows < FEW_IN_BATCH * self.batches.len();
        if self.rows > 2 * self.kept.len() + FEW_ROWS || is_scattered {
            self.drop_others()?;
        }
        self.reservation.resize(self.size()?);
        Ok(())
    }

    /// Returns the bytes that are held.
    fn size(&self) -> Result<usize> {
        Ok(self.memory.memory_usage() + self.key_bytes + size_of_table(self.kept.capacity())?)
    }

    fn reserve(&self, bytes: usize) -> Result<()> {
        self.reservation.try_resize(bytes).map_err(|error| {
            let held = self.reservation.size();
            DataFusionError::ResourcesExhausted(format!(
                "keeping a row for each cluster, {} so far, needs {} more than the {} it holds; give the query more \
                 memory, or show fewer columns. {}",
                self.kept.len(),
                human_readable_size(bytes.saturating_sub(held)),
                human_readable_size(held),
                match error.find_root() {
                    DataFusionError::ResourcesExhausted(text) => text.clone(),
                    other => other.strip_backtrace(),
                },
            ))
        })
    }

    /// Copies the kept rows into one batch, and frees the replaced ones.
    fn drop_others(&mut self) -> Result<()> {
        // The copy takes at most its share of all rows. If the pool refuses it, the replaced rows stay for now.
        let share = self.memory.memory_usage() / self.rows.max(1) * self.kept.len();
        if self.reservation.try_resize(self.size()? + share).is_err() {
            return Ok(());
        }
        let mut places = Vec::with_capacity(self.kept.len());
        for (row, first) in self.kept.values_mut().enumerate() {
            places.push((first.batch, first.row));
            (first.batch, first.row) = (0, row);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let batch = compact(&interleave_record_batch(&batches, &places)?)?;
        self.memory = RecordBatchMemoryCounter::new();
        self.memory.count_batch(&batch);
        self.rows = batch.num_rows();
        self.batches = vec![batch];
        Ok(())
    }

    /// Takes all rows out, in the order of the clusters' keys, which unlike that of a hash table is always the same.
    pub(super) fn take(&mut self) -> Result<ExemplarBatches> {
        let entries = self.kept.len();
        self.reserve(self.size()? + entries * (size_of::<Kept>() + size_of::<(usize, usize)>()))?;
        let mut kept: Vec<Kept> = std::mem::take(&mut self.kept).into_iter().collect();
        kept.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut places = Vec::with_capacity(entries);
        places.extend(kept.iter().map(|(_, first)| (first.batch, first.row)));
        drop(kept);
        let reservation = self.reservation.take();
        reservation.resize(self.memory.memory_usage() + entries * size_of::<(usize, usize)>());
        let batches = std::mem::take(&mut self.batches);
        Ok(ExemplarBatches { batches, places: places.into_iter(), _reservation: reservation })
    }
}

/// Returns the bytes of a hash table with room for this many clusters.
fn size_of_table(clusters: usize) -> Result<usize> {
    if clusters == 0 { Ok(0) } else { estimate_memory_size::<Kept>(clusters, 0) }
}

/// Copies text out of shared buffers, which would keep the text of other rows alive.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let compacted = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            _ => Arc::clone(column),
        }
    };
    Ok(RecordBatch::try_new(batch.schema(), batch.columns().iter().map(compacted).collect())?)
}

/// The first rows as batches; their memory is released with the last one.
pub(super) struct ExemplarBatches {
    batches: Vec<RecordBatch>,
    places: std::vec::IntoIter<(usize, usize)>,
    _reservation: MemoryReservation,
}

impl ExemplarBatches {
    pub(super) fn next_batch(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        let places: Vec<_> = self.places.by_ref().take(rows).collect();
        if places.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        Ok(Some(interleave_record_batch(&batches, &places)?))
    }
}
