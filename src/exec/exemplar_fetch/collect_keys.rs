//! [`ExemplarKeyCollectExec`] passes the clusters on and collects the join keys of their exemplars.
//!
//! It keeps a 64-bit hash of each distinct key and the ranges of the keys ([`KeyRanges`]), all of it reserved in the memory
//! pool. If the pool refuses, it drops them and the events are read unfiltered. If events are looked for without their keys, the
//! filter by keys stays open. The filters by other values that the join compares are set at the same time, see [`Compared`].

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

use super::compared::{Compared, ValueSets, has_keys};
use super::key_ranges::KeyRanges;
use crate::exec::one_input::{one_input, rows_of_input, statistics_of_input, visit_expressions};

/// Passes its input on, and sets the filter of the events when the input has ended. It needs to see all clusters, so its input
/// has one partition.
#[derive(Debug, Clone)]
pub struct ExemplarKeyCollectExec {
    input: Arc<dyn ExecutionPlan>,
    /// The keys of the clusters.
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The same keys as expressions over the events.
    keys_of_events: Vec<Arc<dyn PhysicalExpr>>,
    filter: Arc<DynamicFilterPhysicalExpr>,
    /// The other values that the join compares, if the events are filtered by them.
    values: Vec<Compared>,
    /// Whether the events of a row are all that have its values, and not those with its keys only. `None` stands for never.
    by_values: Option<Arc<dyn PhysicalExpr>>,
}

impl ExemplarKeyCollectExec {
    pub(in crate::exec) fn new(
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        keys_of_events: Vec<Arc<dyn PhysicalExpr>>,
        filter: Arc<DynamicFilterPhysicalExpr>,
    ) -> Self {
        Self { input, keys, keys_of_events, filter, values: vec![], by_values: None }
    }

    /// Adds values by which events are filtered, and a condition for the rows whose events are found by them alone.
    pub(super) fn with_values(self, values: Vec<Compared>, by_values: Option<Arc<dyn PhysicalExpr>>) -> Self {
        Self { values, by_values, ..self }
    }
}

impl DisplayAs for ExemplarKeyCollectExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "ExemplarKeyCollectExec: keys=[{}]", keys.join(", "))?;
                if !self.values.is_empty() {
                    let values = self.values.iter().map(|value| value.of_cluster().to_string());
                    write!(f, ", values=[{}]", values.collect::<Vec<_>>().join(", "))?;
                }
                match &self.by_values {
                    Some(by_values) => write!(f, ", by_values={by_values}"),
                    None => Ok(()),
                }
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
        let values = self.values.iter().map(Compared::of_cluster);
        visit_expressions(self.keys.iter().chain(values).chain(&self.by_values), f)
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // The filter may hold keys of an earlier run of this plan, so it is opened first.
        self.filter.update(lit(true))?;
        for value in &self.values {
            value.filter().update(lit(true))?;
        }
        let input = self.input.execute(partition, Arc::clone(&context))?;
        // If the engine did not enforce the distribution, no partition sees all clusters and the filter stays open.
        if self.input.output_partitioning().partition_count() > 1 {
            return Ok(input);
        }
        let key_types = self.keys.iter().map(|key| key.data_type(&self.input.schema()));
        let collector = KeyCollector {
            cluster_keys: ClusterKeys::new(&key_types.collect::<Result<Vec<_>>>()?, &context),
            value_sets: ValueSets::new(self.values.len(), &context),
            exec: self.clone(),
        };
        let output = stream::try_unfold((input, collector), |(mut input, mut collector)| async move {
            match input.next().await.transpose()? {
                Some(batch) => {
                    collector.add(&batch)?;
                    Ok(Some((batch, (input, collector))))
                }
                None => collector.set_filter().map(|()| None),
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

/// The state of one run: the keys and values that it collects, for the filters that it sets at the end.
struct KeyCollector {
    cluster_keys: ClusterKeys,
    value_sets: ValueSets,
    exec: ExemplarKeyCollectExec,
}

impl KeyCollector {
    fn add(&mut self, clusters: &RecordBatch) -> Result<()> {
        let exec = &self.exec;
        let keys = evaluated(&exec.keys, clusters)?;
        let has_keys = has_keys(exec.by_values.as_ref(), keys.len(), clusters)?;
        if has_keys.false_count() > 0 {
            self.cluster_keys = ClusterKeys::unknown();
        }
        if !keys.is_empty() {
            self.cluster_keys.add(&keys, clusters.num_rows())?;
        }
        if exec.values.is_empty() {
            return Ok(());
        }
        let values: Vec<_> = exec.values.iter().map(Compared::of_cluster).cloned().collect();
        self.value_sets.add(&evaluated(&values, clusters)?, &keys, &has_keys)
    }

    fn set_filter(self) -> Result<()> {
        let exec = &self.exec;
        self.value_sets.set_filters(&exec.values, &exec.keys_of_events)?;
        if exec.keys.is_empty() {
            return Ok(());
        }
        exec.filter.update(self.cluster_keys.predicate(&exec.keys_of_events)?)
    }
}

pub(super) fn evaluated(keys: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// Hashes the keys of each row. Collecting and looking up use the same seed.
pub(super) fn hashes(keys: &[ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut hashes = vec![0; rows];
    create_hashes(keys, &RandomState::with_seed(0), &mut hashes)?;
    Ok(hashes)
}

/// The keys of the clusters so far.
#[derive(Debug)]
struct ClusterKeys {
    hashes: KeyHashes,
    ranges: Vec<KeyRanges>,
    /// `None`, and no keys, once the memory pool has refused or a row has none; the events are then read unfiltered.
    reservation: Option<MemoryReservation>,
}

impl ClusterKeys {
    fn new(key_types: &[DataType], context: &TaskContext) -> Self {
        Self {
            hashes: HashSet::default(),
            ranges: key_types.iter().map(KeyRanges::new).collect(),
            reservation: Some(MemoryConsumer::new("ExemplarKeyCollectExec").register(context.memory_pool())),
        }
    }

    fn unknown() -> Self {
        Self { hashes: HashSet::default(), ranges: vec![], reservation: None }
    }

    fn add(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        let Some(reservation) = &self.reservation else { return Ok(()) };
        // All keys may be new. While a table grows, the old one and the new one are held.
        let larger = size_of_table(self.hashes.len() + rows)?;
        let ranges = self.ranges.len() * rows * size_of::<i64>();
        if reservation.try_resize(self.size()? + larger + ranges).is_err() {
            *self = Self::unknown();
            return Ok(());
        }
        self.hashes.extend(hashes(keys, rows)?);
        for (ranges, key) in self.ranges.iter_mut().zip(keys) {
            ranges.add(key)?;
        }
        reservation.resize(self.size()?);
        Ok(())
    }

    /// Returns the bytes that are held.
    fn size(&self) -> Result<usize> {
        Ok(size_of_table(self.hashes.capacity())? + self.ranges.iter().map(KeyRanges::size).sum::<usize>())
    }

    /// Builds the predicate that is true of every event that may be a cluster's exemplar.
    fn predicate(self, keys: &[Arc<dyn PhysicalExpr>]) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(reservation) = self.reservation else { return Ok(lit(true)) };
        let known = Arc::new(KnownHashes { hashes: self.hashes, _reservation: reservation });
        let mut predicate: Arc<dyn PhysicalExpr> = Arc::new(KeyLookup { keys: keys.to_vec(), known });
        for (ranges, key) in self.ranges.into_iter().zip(keys) {
            if let Some(within) = ranges.predicate(key)? {
                // The ranges come second because they cost more: the engine evaluates them on the remaining rows only.
                predicate = Arc::new(BinaryExpr::new(predicate, Operator::And, within));
            }
        }
        Ok(predicate)
    }
}

/// Returns the bytes of a hash table with room for this many hashes.
pub(super) fn size_of_table(hashes: usize) -> Result<usize> {
    if hashes == 0 { Ok(0) } else { estimate_memory_size::<u64>(hashes, 0) }
}

pub(super) type KeyHashes = HashSet<u64, BuildHasherDefault<IdentityHasher>>;

/// Returns a `u64` as its own hash, since the keys of the table are hashes already.
#[derive(Debug, Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
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
struct KnownHashes {
    hashes: KeyHashes,
    _reservation: MemoryReservation,
}

/// Tests whether the hash of a row's keys is that of a cluster. The join drops rows that merely share a hash.
#[derive(Debug)]
struct KeyLookup {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    known: Arc<KnownHashes>,
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
