//! [`FirstRows`] keeps the first row of each cluster so far, and accounts for its memory.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{interleave_record_batch, take_record_batch};
use arrow::datatypes::{DataType, Schema};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::utils::memory::{RecordBatchMemoryCounter, estimate_memory_size};
use datafusion::common::{DataFusionError, HashMap, Result};
use datafusion::execution::memory_pool::{MemoryReservation, human_readable_size};
use datafusion::physical_expr::PhysicalSortExpr;

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

/// The place of a cluster's first row, and the order that it is compared by, once it has been compared.
#[derive(Debug)]
struct First {
    order: Option<Box<[u8]>>,
    batch: usize,
    row: usize,
}

/// The first row of its cluster in a batch.
#[derive(Debug)]
pub(super) struct Candidate<'r> {
    pub(super) cluster: &'r [u8],
    pub(super) row: usize,
}

/// The order that decides which row of a cluster is the first.
///
/// Orders are computed of rows that have to be compared alone. Where the rows are found by their times, most clusters have one, and
/// an order is as long as all columns of its row.
#[derive(Debug)]
pub(super) struct Order {
    keys: Vec<PhysicalSortExpr>,
    rows: RowConverter,
}

impl Order {
    pub(super) fn try_new(keys: Vec<PhysicalSortExpr>, input: &Schema) -> Result<Self> {
        let field =
            |key: &PhysicalSortExpr| Ok(SortField::new_with_options(key.expr.data_type(input)?, key.options));
        let fields = keys.iter().map(field).collect::<Result<_>>()?;
        Ok(Self { keys, rows: RowConverter::new(fields)? })
    }

    /// Whether all rows of a cluster are equal.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Computes the order of each row.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<Rows> {
        let evaluate = |key: &PhysicalSortExpr| key.expr.evaluate(batch)?.into_array(batch.num_rows());
        let keys: Vec<ArrayRef> = self.keys.iter().map(evaluate).collect::<Result<_>>()?;
        Ok(self.rows.convert_columns(&keys)?)
    }
}

/// The key of a cluster, and its first row.
type Kept = (Box<[u8]>, First);

/// The replaced rows that may stay before they are dropped, beside as many as are kept.
const FEW_ROWS: usize = 8192;

/// The number of batches above which small ones are merged.
const MANY_BATCHES: usize = 256;

/// The average number of rows per batch below which batches are merged: each has a cost of its own.
const FEW_IN_BATCH: usize = 64;

/// A row that comes before the kept one of its cluster, with its order if that was compared.
type Better<'r> = (Candidate<'r>, Option<Box<[u8]>>);

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

    /// Keeps the rows that come before the kept row of their cluster.
    pub(super) fn keep(
        &mut self,
        candidates: &RecordBatch,
        firsts: Vec<Candidate<'_>>,
        order: &Order,
    ) -> Result<()> {
        let firsts = self.better(candidates, firsts, order)?;
        if firsts.is_empty() {
            return Ok(());
        }
        let batch = compact(&rows_of(candidates, firsts.iter().map(|(first, _)| first.row))?)?;
        self.memory.count_batch(&batch);
        // This is an upper bound, since some of the rows replace others.
        let keys: usize =
            firsts.iter().map(|(first, order)| first.cluster.len() + size_of_order(order.as_deref())).sum();
        let entries = self.kept.len() + firsts.len();
        let larger = if entries > self.kept.capacity() { size_of_table(entries)? } else { 0 };
        self.reserve(self.size()? + keys + larger)?;
        for (row, (Candidate { cluster, .. }, order)) in firsts.into_iter().enumerate() {
            self.key_bytes += size_of_order(order.as_deref());
            let first = First { order, batch: self.batches.len(), row };
            match self.kept.get_mut(cluster) {
                Some(kept) => {
                    self.key_bytes -= size_of_order(kept.order.as_deref());
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

    /// Returns the rows whose cluster has no kept row, and those that come before it with their order.
    fn better<'r>(
        &mut self,
        candidates: &RecordBatch,
        firsts: Vec<Candidate<'r>>,
        order: &Order,
    ) -> Result<Vec<Better<'r>>> {
        let (rivals, new): (Vec<_>, Vec<_>) =
            firsts.into_iter().partition(|first| self.kept.contains_key(first.cluster));
        let mut better: Vec<_> = new.into_iter().map(|first| (first, None)).collect();
        if rivals.is_empty() || order.is_empty() {
            return Ok(better);
        }
        self.order_kept(&rivals, order)?;
        let orders = order.of(&rows_of(candidates, rivals.iter().map(|rival| rival.row))?)?;
        for (rival, order) in rivals.into_iter().zip(&orders) {
            let kept = self.kept.get(rival.cluster).and_then(|kept| kept.order.as_deref());
            if kept.is_some_and(|kept| order.data() < kept) {
                better.push((rival, Some(order.data().into())));
            }
        }
        Ok(better)
    }

    /// Computes the orders of the kept rows that are about to be compared.
    fn order_kept(&mut self, rivals: &[Candidate<'_>], order: &Order) -> Result<()> {
        let of_rival = |rival: &Candidate| self.kept.get(rival.cluster).filter(|kept| kept.order.is_none());
        let places: Vec<(usize, usize)> =
            rivals.iter().filter_map(of_rival).map(|kept| (kept.batch, kept.row)).collect();
        if places.is_empty() {
            return Ok(());
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let orders = order.of(&interleave_record_batch(&batches, &places)?)?;
        let bytes: usize = orders.iter().map(|order| order.data().len()).sum();
        self.reserve(self.size()? + bytes)?;
        let mut orders = orders.iter();
        for rival in rivals {
            if let Some(kept) = self.kept.get_mut(rival.cluster)
                && kept.order.is_none()
            {
                kept.order = orders.next().map(|order| order.data().into());
            }
        }
        self.key_bytes += bytes;
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

fn size_of_order(order: Option<&[u8]>) -> usize {
    order.map_or(0, <[u8]>::len)
}

/// Copies rows of a batch. A batch has fewer than 2^32.
pub(super) fn rows_of(batch: &RecordBatch, rows: impl Iterator<Item = usize>) -> Result<RecordBatch> {
    Ok(take_record_batch(batch, &UInt32Array::from_iter_values(rows.map(|row| row as u32)))?)
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
