//! The first row of each cluster so far, and the memory that they take.

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
    /// By what a cluster is known by, as bytes.
    kept: HashMap<Box<[u8]>, First>,
    /// Bytes of what clusters are known and compared by.
    key_bytes: usize,
    /// Rows that are kept, and some that no longer are.
    batches: Vec<RecordBatch>,
    memory: RecordBatchMemoryCounter,
    rows: usize,
    reservation: MemoryReservation,
}

/// Where the first row of a cluster is, and what it is compared by.
#[derive(Debug)]
struct First {
    order: Box<[u8]>,
    batch: usize,
    row: usize,
}

/// A cluster, and its first row.
type Kept = (Box<[u8]>, First);

/// Rows that may be kept beside those that are first.
const FEW_ROWS: usize = 8192;

/// Up to so many batches may have as few rows as they like.
const MANY_BATCHES: usize = 256;

/// Fewer rows in a batch are better copied into a larger one.
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

    /// Keeps those of the firsts of `candidates` that come before what was kept: their clusters, orders and rows.
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
        // At most: those of clusters that have a row already take the place of another.
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
        // Where better rows keep coming, the others are dropped now and then: every row is copied twice at most. And a
        // batch of few rows takes more than its rows do.
        let is_scattered = self.batches.len() > MANY_BATCHES && self.rows < FEW_IN_BATCH * self.batches.len();
        if self.rows > 2 * self.kept.len() + FEW_ROWS || is_scattered {
            self.drop_others()?;
        }
        self.reservation.resize(self.size()?);
        Ok(())
    }

    /// Bytes that are held.
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

    /// Copies the rows that are first, and gives back the others.
    fn drop_others(&mut self) -> Result<()> {
        // They take no more than all rows do. Where there is no room for both, the others stay a little longer.
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

    /// All of them, in the order of the clusters, and not of a hash table. Nothing stays.
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

/// Bytes of a table that has room for so many clusters.
fn size_of_table(clusters: usize) -> Result<usize> {
    if clusters == 0 { Ok(0) } else { estimate_memory_size::<Kept>(clusters, 0) }
}

/// Without the text of other rows, which views hold on to.
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

/// The first rows on their way out; the memory is given back with the last.
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
