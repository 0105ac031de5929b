//! The metrics of the core that EXPLAIN ANALYZE shows.

use datafusion::common::instant::Instant;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, Gauge, MetricBuilder, Time,
};

use crate::dbscan;

pub(super) struct DbscanMetrics {
    pub(super) baseline: BaselineMetrics,
    /// The number of input rows, which are distinct vectors in the plans of `dbcluster`.
    pub(super) input_rows: Count,
    clusters: Count,
    /// The counts of the core's [`dbscan::Statistics`], summed over all partitions.
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
}

impl DbscanMetrics {
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
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

    /// Adds the statistics of one partition.
    pub(super) fn add(&self, statistics: &dbscan::Statistics) {
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
