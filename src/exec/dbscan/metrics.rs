//! The metrics of the core that EXPLAIN ANALYZE shows.

use std::any::Any;
use std::fmt::{Display, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::instant::Instant;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, CustomMetricValue, ExecutionPlanMetricsSet, Gauge, MetricBuilder, MetricValue,
    MetricsSet, Time,
};

use crate::window::Outcome;

/// The name of the metric of [`EpsRange`].
const EPS: &str = "eps";

/// The name of the metric of the rows that have taken part.
pub(super) const POINTS: &str = "points";

pub(super) struct DbscanMetrics {
    pub(super) baseline: BaselineMetrics,
    /// The number of input rows, which are distinct vectors in the plans of `dbcluster`.
    pub(super) input_rows: Count,
    clusters: Count,
    /// The counts of the core's [`Statistics`](crate::dbscan::Statistics), summed over all partitions.
    cells: Count,
    core_points: Count,
    noise_points: Count,
    distances: Count,
    /// The time inside the core, and inside its steps. The total is set at the end: the progress bar takes a clustering that
    /// has rows and no time for one at work.
    cluster_time: Time,
    time_so_far: Time,
    index_time: Time,
    cores_time: Time,
    components_time: Time,
    labels_time: Time,
    pub(super) peak_memory: Gauge,
    /// The rows that have taken part, if others may be skipped.
    points: Option<Count>,
    /// The eps that partitions have decided, if a call leaves it to them.
    eps: Option<Arc<EpsRange>>,
}

impl DbscanMetrics {
    pub(super) fn new(
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
        decides_eps: bool,
        may_skip: bool,
    ) -> Self {
        let count = |name: &'static str| MetricBuilder::new(metrics).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(metrics).subset_time(name, partition);
        Self {
            baseline: BaselineMetrics::new(metrics, partition),
            input_rows: count("input_rows"),
            clusters: count("clusters"),
            cells: count("cells"),
            core_points: count("core_points"),
            noise_points: count("noise_points"),
            distances: count("distances"),
            cluster_time: time("cluster_time"),
            time_so_far: Time::new(),
            index_time: time("index_time"),
            cores_time: time("cores_time"),
            components_time: time("components_time"),
            labels_time: time("labels_time"),
            peak_memory: MetricBuilder::new(metrics).gauge("peak_mem_used", partition),
            points: may_skip.then(|| count(POINTS)),
            eps: decides_eps.then(|| {
                let eps = Arc::new(EpsRange::default());
                let value = Arc::clone(&eps) as Arc<dyn CustomMetricValue>;
                let builder = MetricBuilder::new(metrics).with_partition(partition);
                builder.build(MetricValue::Custom { name: EPS.into(), value });
                eps
            }),
        }
    }

    /// Adds the time since `started`.
    pub(super) fn add_time(&self, started: Instant) {
        self.time_so_far.add_elapsed(started);
        self.baseline.elapsed_compute().add_elapsed(started);
    }

    /// Records that all rows are labelled.
    pub(super) fn finish(&self) {
        self.cluster_time.add(&self.time_so_far);
    }

    /// Adds the statistics of one partition, and the eps that it has decided.
    pub(super) fn add(&self, Outcome { statistics, eps }: &Outcome) {
        if let (Some(range), Some(eps)) = (&self.eps, eps) {
            range.add(*eps, *eps);
        }
        if let Some(points) = &self.points {
            points.add(statistics.points);
        }
        self.clusters.add(statistics.clusters);
        self.cells.add(statistics.cells as usize);
        self.core_points.add(statistics.core_points);
        self.noise_points.add(statistics.noise_points);
        self.distances.add(statistics.distances as usize);
        self.index_time.add_duration(statistics.index_time);
        self.cores_time.add_duration(statistics.cores_time);
        self.components_time.add_duration(statistics.components_time);
        self.labels_time.add_duration(statistics.labels_time);
    }
}

/// The least and the greatest eps that partitions have decided.
#[derive(Debug, Default)]
struct EpsRange(Mutex<Option<(f64, f64)>>);

impl EpsRange {
    fn get(&self) -> Option<(f64, f64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, least: f64, greatest: f64) {
        let mut range = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (so_far_least, so_far_greatest) = range.unwrap_or((least, greatest));
        *range = Some((least.min(so_far_least), greatest.max(so_far_greatest)));
    }
}

impl Display for EpsRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.get() {
            None => f.write_str("none"),
            Some((least, greatest)) if least < greatest => write!(f, "{least:?} to {greatest:?}"),
            Some((eps, _)) => write!(f, "{eps:?}"),
        }
    }
}

impl CustomMetricValue for EpsRange {
    fn new_empty(&self) -> Arc<dyn CustomMetricValue> {
        Arc::new(Self::default())
    }

    fn aggregate(&self, other: Arc<dyn CustomMetricValue>) {
        if let Some((least, greatest)) = other.as_any().downcast_ref().and_then(Self::get) {
            self.add(least, greatest);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_eq(&self, other: &Arc<dyn CustomMetricValue>) -> bool {
        other.as_any().downcast_ref().is_some_and(|other: &Self| other.get() == self.get())
    }
}

/// Returns the least and the greatest eps among these metrics.
pub(super) fn eps_range(metrics: &MetricsSet) -> Option<(f64, f64)> {
    let all = EpsRange::default();
    for metric in metrics.iter() {
        if let MetricValue::Custom { value, .. } = metric.value() {
            all.aggregate(Arc::clone(value));
        }
    }
    all.get()
}
