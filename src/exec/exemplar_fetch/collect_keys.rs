//! [`ExemplarKeyCollectExec`] lets the clusters pass, and collects the keys that their exemplars are found by.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::utils::memory::estimate_memory_size;
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties,
};
use futures::{StreamExt, stream};

use super::key_ranges::KeyRanges;
use crate::exec::one_input::{one_input, rows_of_input, statistics_of_input, visit_expressions};

/// Gives out its input, and tells the filter of the events what it has seen when all of it has gone by: so its input has
/// one partition.
#[derive(Debug, Clone)]
pub struct ExemplarKeyCollectExec {
    input: Arc<dyn ExecutionPlan>,
    /// The keys of the clusters.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The same keys as the events have them.
    keys_of_events: Vec<Arc<dyn PhysicalExpr>>,
    filter: Arc<DynamicFilterPhysicalExpr>,
}

impl ExemplarKeyCollectExec {
    pub(in crate::exec) fn new(
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        keys_of_events: Vec<Arc<dyn PhysicalExpr>>,
        filter: Arc<DynamicFilterPhysicalExpr>,
    ) -> Self {
        Self { input, keys, keys_of_events, filter }
    }
}

impl DisplayAs for ExemplarKeyCollectExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "ExemplarKeyCollectExec: keys=[{}]", keys.join(", "))
            }
            DisplayFormatType::TreeRender => writeln!(f, "keys={}", keys.join(", ")),
        }
    }
}

impl ExecutionPlan for ExemplarKeyCollectExec {
    fn name(&self) -> &'static str {
        "ExemplarKeyCollectExec"
    }

    rows_of_input!();

    statistics_of_input!();

    one_input!(|exec, input| Ok(Self { input, ..exec.clone() }));

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        visit_expressions(&self.keys, f)
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // Keys that an earlier run of this plan has learned may no longer hold.
        self.filter.update(lit(true))?;
        let input = self.input.execute(partition, Arc::clone(&context))?;
        // In a plan that nobody has given its distribution no partition sees all clusters.
        if self.input.output_partitioning().partition_count() > 1 {
            return Ok(input);
        }
        let key_types = self.keys.iter().map(|key| key.data_type(&self.input.schema()));
        let learner = Learner {
            seen: Seen::new(&key_types.collect::<Result<Vec<_>>>()?, &context),
            keys: self.keys.clone(),
            keys_of_events: self.keys_of_events.clone(),
            filter: Arc::clone(&self.filter),
        };
        let output = stream::try_unfold((input, learner), |(mut input, mut learner)| async move {
            match input.next().await.transpose()? {
                Some(batch) => {
                    learner.learn(&batch)?;
                    Ok(Some((batch, (input, learner))))
                }
                None => learner.tell().map(|()| None),
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), output)))
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        FilterDescription::from_children(parent_filters, &self.children())
    }
}

/// The keys that one run learns, and the filter that it tells.
struct Learner {
    seen: Seen,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    keys_of_events: Vec<Arc<dyn PhysicalExpr>>,
    filter: Arc<DynamicFilterPhysicalExpr>,
}

impl Learner {
    fn learn(&mut self, clusters: &RecordBatch) -> Result<()> {
        self.seen.learn(&evaluated(&self.keys, clusters)?, clusters.num_rows())
    }

    fn tell(self) -> Result<()> {
        self.filter.update(self.seen.predicate(&self.keys_of_events)?)
    }
}

fn evaluated(keys: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// One seed, for what is learned and for what is looked up.
fn hashes(keys: &[ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut hashes = vec![0; rows];
    create_hashes(keys, &RandomState::with_seed(0), &mut hashes)?;
    Ok(hashes)
}

/// The keys of the clusters so far.
#[derive(Debug)]
struct Seen {
    hashes: KeyHashes,
    ranges: Vec<KeyRanges>,
    /// Gone, with all that was seen, once the memory pool refuses: the events then come unfiltered.
    reservation: Option<MemoryReservation>,
}

impl Seen {
    fn new(key_types: &[DataType], context: &TaskContext) -> Self {
        Self {
            hashes: HashSet::default(),
            ranges: key_types.iter().map(KeyRanges::new).collect(),
            reservation: Some(MemoryConsumer::new("ExemplarKeyCollectExec").register(context.memory_pool())),
        }
    }

    fn learn(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        let Some(reservation) = &self.reservation else { return Ok(()) };
        // All of them may be new. A table moves to a larger one, beside which it is held meanwhile.
        let larger = size_of_table(self.hashes.len() + rows)?;
        let ranges = self.ranges.len() * rows * size_of::<i64>();
        if reservation.try_resize(self.size()? + larger + ranges).is_err() {
            *self = Self { hashes: HashSet::default(), ranges: vec![], reservation: None };
            return Ok(());
        }
        self.hashes.extend(hashes(keys, rows)?);
        for (ranges, key) in self.ranges.iter_mut().zip(keys) {
            ranges.learn(key)?;
        }
        reservation.resize(self.size()?);
        Ok(())
    }

    /// Bytes that are held.
    fn size(&self) -> Result<usize> {
        Ok(size_of_table(self.hashes.capacity())? + self.ranges.iter().map(KeyRanges::size).sum::<usize>())
    }

    /// Whether an event may be some cluster's exemplar.
    fn predicate(self, keys: &[Arc<dyn PhysicalExpr>]) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(reservation) = self.reservation else { return Ok(lit(true)) };
        let known = Arc::new(Known { hashes: self.hashes, _reservation: reservation });
        let mut predicate: Arc<dyn PhysicalExpr> = Arc::new(KeyLookup { keys: keys.to_vec(), known });
        for (ranges, key) in self.ranges.into_iter().zip(keys) {
            if let Some(within) = ranges.predicate(key)? {
                // Behind the hashes, as it takes longer: the engine asks it only about the rows that are left.
                predicate = Arc::new(BinaryExpr::new(predicate, Operator::And, within));
            }
        }
        Ok(predicate)
    }
}

/// Bytes of a table that has room for so many hashes.
fn size_of_table(hashes: usize) -> Result<usize> {
    if hashes == 0 { Ok(0) } else { estimate_memory_size::<u64>(hashes, 0) }
}

type KeyHashes = HashSet<u64, BuildHasherDefault<IsHashed>>;

/// Hashes are keys here, and need no hashing.
#[derive(Debug, Default)]
struct IsHashed(u64);

impl Hasher for IsHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Debug)]
struct Known {
    hashes: KeyHashes,
    _reservation: MemoryReservation,
}

/// Whether the hash of a row's keys is that of some cluster's. Rows that merely share a hash are left to the join.
#[derive(Debug)]
struct KeyLookup {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    known: Arc<Known>,
}

impl PartialEq for KeyLookup {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys && Arc::ptr_eq(&self.known, &other.known)
    }
}

impl Eq for KeyLookup {}

impl Hash for KeyLookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keys.hash(state);
        Arc::as_ptr(&self.known).hash(state);
    }
}

impl Display for KeyLookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("exemplar_key")
    }
}

impl PhysicalExpr for KeyLookup {
    fn data_type(&self, _input_schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _input_schema: &Schema) -> Result<bool> {
        Ok(false)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let keys = evaluated(&self.keys, batch)?;
        let hashes = hashes(&keys, batch.num_rows())?;
        let is_known = |row: usize| self.known.hashes.contains(&hashes[row]);
        let is_known = BooleanBuffer::collect_bool(hashes.len(), is_known);
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(is_known, None))))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.keys.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, keys: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { keys, known: Arc::clone(&self.known) }))
    }

    fn fmt_sql(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
