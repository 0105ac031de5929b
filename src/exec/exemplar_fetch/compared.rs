//! [`Compared`]: a value that the join compares (a feature or a partition), and the filter of the events by it.
//!
//! The keys of the exemplars find the row of a cluster. They don't find all rows of a vector. So each compared value has a filter
//! of its own, which keeps the events with a value that some row of the clusters has. The filters are ordered by the bytes that they read: a scan decodes the command line
//! only where the path is one of those that are looked for.
//!
//! A row of the clusters is looked for with its keys or without. The filters know of each value with which keys it is looked for,
//! so that a frequent value does not let all of its events pass because of one exemplar.
//!
//! Cost: one or two hashes for each event and value, and the memory of a hash for each row of the clusters and value. Where there are
//! more than [`MOST_ROWS`] such rows, or where the memory pool refuses, the filters stay open.

use std::any::Any;
use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{HashSet, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use super::collect_keys::{KeyHashes, evaluated, hashes, size_of_table};

/// The greatest number of rows of clusters whose values are held. More would leave few events out.
const MOST_ROWS: usize = 1 << 16;

/// A value of a cluster, and that of an event.
pub(super) type Pair = (Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>);

/// A value that the join compares.
#[derive(Debug, Clone)]
pub(in crate::exec) struct Compared {
    of_cluster: Arc<dyn PhysicalExpr>,
    of_event: Arc<dyn PhysicalExpr>,
    filter: Arc<DynamicFilterPhysicalExpr>,
}

impl Compared {
    /// Prepares the filters of values, the cheapest first. Each is a pair of a cluster's value and an event's.
    pub(super) fn all(
        pairs: &[Pair],
        keys_of_events: &[Arc<dyn PhysicalExpr>],
        events: &Arc<dyn ExecutionPlan>,
    ) -> Vec<Self> {
        let mut pairs: Vec<_> = pairs.iter().collect();
        pairs.sort_by_cached_key(|(_, of_event)| bytes_read(of_event, events));
        let with_filter = |(of_cluster, of_event): &(_, Arc<dyn PhysicalExpr>)| {
            let read = [of_event].into_iter().chain(keys_of_events).cloned().collect();
            Self {
                of_cluster: Arc::clone(of_cluster),
                of_event: Arc::clone(of_event),
                filter: Arc::new(DynamicFilterPhysicalExpr::new(read, lit(true))),
            }
        };
        pairs.into_iter().map(with_filter).collect()
    }

    pub(super) fn of_cluster(&self) -> &Arc<dyn PhysicalExpr> {
        &self.of_cluster
    }

    pub(super) fn filter(&self) -> &Arc<DynamicFilterPhysicalExpr> {
        &self.filter
    }
}

/// Estimates the bytes that are read for an expression over a plan. An expression of which nothing is known comes last.
fn bytes_read(expr: &Arc<dyn PhysicalExpr>, plan: &Arc<dyn ExecutionPlan>) -> usize {
    let mut columns: HashSet<usize> = collect_columns(expr).iter().map(Column::index).collect();
    let mut plan = plan;
    while let Some(projection) = (plan.as_ref() as &dyn Any).downcast_ref::<ProjectionExec>() {
        let of_input = columns.iter().filter_map(|&column| projection.expr().get(column));
        columns = of_input
            .flat_map(|of_input| collect_columns(&of_input.expr))
            .map(|column| column.index())
            .collect();
        plan = projection.input();
    }
    let Ok(statistics) = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()) else {
        return usize::MAX;
    };
    let of_column = |&column: &usize| {
        let known = statistics.column_statistics.get(column);
        known.and_then(|known| known.byte_size.get_value().copied()).unwrap_or(usize::MAX)
    };
    columns.iter().map(of_column).fold(0, usize::saturating_add)
}

/// The hashes by which events are searched for one value.
#[derive(Debug, Default)]
struct Known {
    /// The hashes of values that are looked for whatever the keys.
    alone: KeyHashes,
    /// The hashes of values and keys.
    with_keys: KeyHashes,
}

/// The values of the rows so far, in the order of the filters.
#[derive(Debug)]
pub(super) struct ValueSets {
    known: Vec<Known>,
    rows: usize,
    /// `None`, and no values, once there are too many or the memory pool has refused; the filters then stay open.
    reservation: Option<MemoryReservation>,
}

impl ValueSets {
    pub(super) fn new(values: usize, context: &TaskContext) -> Self {
        let consumer = MemoryConsumer::new("ExemplarKeyCollectExec values");
        Self {
            known: std::iter::repeat_with(Known::default).take(values).collect(),
            rows: 0,
            reservation: Some(consumer.register(context.memory_pool())),
        }
    }

    /// Adds rows. `has_keys` is whether a row is looked for with its keys.
    pub(super) fn add(
        &mut self,
        values: &[ArrayRef],
        keys: &[ArrayRef],
        has_keys: &BooleanArray,
    ) -> Result<()> {
        let Some(reservation) = &self.reservation else { return Ok(()) };
        let rows = has_keys.len();
        self.rows += rows;
        // All values may be new, in the one table or the other. While a table grows, the old one and the new one are held.
        let larger = 2 * self.known.len() * size_of_table(self.rows)?;
        if self.rows > MOST_ROWS || reservation.try_resize(self.size()? + larger).is_err() {
            *self = Self { known: vec![], rows: 0, reservation: None };
            return Ok(());
        }
        for (known, value) in self.known.iter_mut().zip(values) {
            let alone = hashes(std::slice::from_ref(value), rows)?;
            let with_keys = hashes(&with_keys(value, keys), rows)?;
            for ((alone, with_keys), has_keys) in alone.into_iter().zip(with_keys).zip(has_keys.values()) {
                if has_keys {
                    known.with_keys.insert(with_keys);
                } else {
                    known.alone.insert(alone);
                }
            }
        }
        reservation.resize(self.size()?);
        Ok(())
    }

    /// Returns the bytes that are held.
    fn size(&self) -> Result<usize> {
        let tables = self.known.iter().flat_map(|known| [&known.alone, &known.with_keys]);
        tables.map(|table| size_of_table(table.capacity())).sum()
    }

    /// Sets the filters of the events.
    pub(super) fn set_filters(
        self,
        values: &[Compared],
        keys_of_events: &[Arc<dyn PhysicalExpr>],
    ) -> Result<()> {
        let Some(reservation) = self.reservation else { return Ok(()) };
        let reservation = Arc::new(reservation);
        for (value, known) in values.iter().zip(self.known) {
            let parts = [&value.of_event].into_iter().chain(keys_of_events).cloned().collect();
            let held = Arc::new(Held { known, _reservation: Arc::clone(&reservation) });
            value.filter.update(Arc::new(ValueLookup { parts, held }))?;
        }
        Ok(())
    }
}

fn with_keys(value: &ArrayRef, keys: &[ArrayRef]) -> Vec<ArrayRef> {
    [value].into_iter().chain(keys).cloned().collect()
}

/// Evaluates whether the rows of a batch are looked for with their keys. Without an answer a row is looked for without them.
pub(super) fn has_keys(
    by_values: Option<&Arc<dyn PhysicalExpr>>,
    keys: usize,
    batch: &RecordBatch,
) -> Result<BooleanArray> {
    let rows = batch.num_rows();
    let Some(by_values) = by_values else {
        return Ok(BooleanArray::new(BooleanBuffer::collect_bool(rows, |_| keys > 0), None));
    };
    let by_values = by_values.evaluate(batch)?.into_array(rows)?;
    let by_values = by_values.as_boolean();
    let has_keys = |row: usize| keys > 0 && by_values.is_valid(row) && !by_values.value(row);
    Ok(BooleanArray::new(BooleanBuffer::collect_bool(rows, has_keys), None))
}

#[derive(Debug)]
struct Held {
    known: Known,
    _reservation: Arc<MemoryReservation>,
}

/// Tests whether an event has a value that is looked for. The join drops rows that merely share a hash.
#[derive(Debug)]
struct ValueLookup {
    /// The value and the keys.
    parts: Vec<Arc<dyn PhysicalExpr>>,
    held: Arc<Held>,
}

impl PartialEq for ValueLookup {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts && Arc::ptr_eq(&self.held, &other.held)
    }
}

impl Eq for ValueLookup {}

impl Hash for ValueLookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
        Arc::as_ptr(&self.held).hash(state);
    }
}

impl Display for ValueLookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("exemplar_value")
    }
}

impl PhysicalExpr for ValueLookup {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let Known { alone, with_keys } = &self.held.known;
        let rows = batch.num_rows();
        let parts = evaluated(&self.parts, batch)?;
        let of_all = if with_keys.is_empty() { None } else { Some(hashes(&parts, rows)?) };
        let of_value = match parts.get(..1) {
            Some(value) if !alone.is_empty() => Some(hashes(value, rows)?),
            _ => None,
        };
        let is_in = |table: &KeyHashes, hashes: Option<&Vec<u64>>, row: usize| {
            hashes.and_then(|hashes| hashes.get(row)).is_some_and(|hash| table.contains(hash))
        };
        let is_known =
            |row: usize| is_in(alone, of_value.as_ref(), row) || is_in(with_keys, of_all.as_ref(), row);
        let is_known = BooleanBuffer::collect_bool(rows, is_known);
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(is_known, None))))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.parts.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        parts: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { parts, held: Arc::clone(&self.held) }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
