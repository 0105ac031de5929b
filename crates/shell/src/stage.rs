//! The stage and the progress of a running query, read off its plan.
//!
//! The engine's operators count while they work: rows, files, row groups, times. `EXPLAIN ANALYZE` prints the counts
//! at the end, but they can be read at any time, and nothing is added to the query for it.
//!
//! A scan's `output_rows` are not the rows that are behind it: a filter that is applied while reading drops rows
//! before they are counted, and whole pages, row groups and files are skipped for their statistics. All of these count
//! as read here, those of a row group or file as an average one. CSV and JSON files do not say how many rows
//! they have, and a table in memory does not count what it gives: then there is no total, or no number at all.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use datafusion_dbcluster::DbscanExec;

/// The stage of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The query has no plan yet: files are listed, their schemas and statistics read.
    Preparing,
    Reading,
    /// The events that `dbcluster` clusters have been read, and are grouped into distinct vectors.
    Grouping,
    Clustering {
        vectors: usize,
    },
    /// The table is read a second time, for the events that stand for clusters.
    FetchingEvents,
    /// A cluster runs the query. `tasks` are those of the stages that have begun.
    OnCluster {
        done: usize,
        stages: usize,
        tasks_done: usize,
        tasks: usize,
    },
    /// Everything has been read, or the plan does not show what is read.
    Working,
}

/// The rows that the scans of a stage have done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) read: usize,
    /// The part of them that was skipped without a look, which says nothing about the rate.
    pub(super) skipped: usize,
    /// The number of rows in all, if it is known.
    pub(super) known: Option<usize>,
}

/// A look at a running query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) stage: Stage,
    /// The rows, in a stage that reads.
    pub(super) rows: Option<Rows>,
}

/// The operators of a plan that show its progress.
pub(super) struct Watched {
    scans: Vec<Scan>,
    clusterings: Vec<Arc<dyn ExecutionPlan>>,
    /// The operator that sends the query to a cluster.
    cluster: Option<Arc<dyn ExecutionPlan>>,
}

/// A leaf of the plan.
struct Scan {
    plan: Arc<dyn ExecutionPlan>,
    /// The index of the clustering that it feeds, the nearest one.
    feeds: Option<usize>,
    rows: Option<usize>,
    /// The number of files, or parts of files, that the scan goes through.
    files: usize,
}

impl Watched {
    pub(super) fn new(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut watched = Self { scans: Vec::new(), clusterings: Vec::new(), cluster: None };
        watched.collect(plan, None);
        watched
    }

    fn collect(&mut self, plan: &Arc<dyn ExecutionPlan>, mut feeds: Option<usize>) {
        if (plan.as_ref() as &dyn Any).is::<DbscanExec>() {
            feeds = Some(self.clusterings.len());
            self.clusterings.push(Arc::clone(plan));
        }
        if is_on_cluster(plan.as_ref()) {
            self.cluster = Some(Arc::clone(plan));
        }
        let children = plan.children();
        if children.is_empty() {
            self.scans.push(Scan::new(Arc::clone(plan), feeds));
        }
        for child in children {
            self.collect(child, feeds);
        }
    }

    pub(super) fn look(&self) -> Seen {
        if let Some(cluster) = &self.cluster {
            let metrics = cluster.metrics().unwrap_or_default();
            let count = |name: &str| metrics.sum_by_name(name).map_or(0, |value| value.as_usize());
            let stage = Stage::OnCluster {
                done: count("stages_done"),
                stages: count("stages"),
                tasks_done: count("tasks_done"),
                tasks: count("tasks"),
            };
            return Seen { stage, rows: None };
        }
        let scans: Vec<ScanState> = self.scans.iter().filter_map(Scan::state).collect();
        let clusterings: Vec<ClusteringState> =
            self.clusterings.iter().map(|plan| clustering_state(plan.as_ref())).collect();
        seen(&scans, &clusterings)
    }
}

/// Whether an operator sends a query to a cluster.
#[cfg(feature = "ballista")]
fn is_on_cluster(plan: &dyn ExecutionPlan) -> bool {
    (plan as &dyn Any).is::<dbcluster_ballista::ClusterExec>()
}

#[cfg(not(feature = "ballista"))]
fn is_on_cluster(_: &dyn ExecutionPlan) -> bool {
    false
}

/// The progress of a scan.
#[derive(Debug, Clone, Copy)]
struct ScanState {
    feeds: Option<usize>,
    rows: Rows,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClusteringState {
    /// Its input is not complete.
    Waiting,
    AtWork {
        vectors: usize,
    },
    Done,
}

/// Concludes the stage of the query from the states of its operators.
fn seen(scans: &[ScanState], clusterings: &[ClusteringState]) -> Seen {
    let at_work: Vec<usize> = clusterings
        .iter()
        .filter_map(|state| match state {
            ClusteringState::AtWork { vectors } => Some(*vectors),
            _ => None,
        })
        .collect();
    if !at_work.is_empty() {
        return Seen { stage: Stage::Clustering { vectors: at_work.iter().sum() }, rows: None };
    }
    let waits = |scan: &ScanState| {
        scan.feeds.is_some_and(|feeds| clusterings.get(feeds) == Some(&ClusteringState::Waiting))
    };
    let (before, after): (Vec<ScanState>, Vec<ScanState>) = scans.iter().partition(|scan| waits(scan));
    let running = |scans: &[ScanState]| scans.iter().any(|scan| scan.rows.read > 0 && !scan.ended);
    let reading = |stage, scans: &[ScanState]| Seen { stage, rows: Some(total(scans)) };
    if clusterings.contains(&ClusteringState::Waiting) {
        return if running(&after) && before.iter().all(|scan| scan.rows.read == 0) {
            // Another table of the query is read first.
            reading(Stage::Reading, &after)
        } else if before.iter().any(|scan| !scan.ended) {
            reading(Stage::Reading, &before)
        } else {
            Seen { stage: Stage::Grouping, rows: None }
        };
    }
    // The scans that feed the clusterings have ended.
    let after: Vec<ScanState> = after.into_iter().filter(|scan| scan.feeds.is_none()).collect();
    if after.iter().all(|scan| scan.ended) {
        return Seen { stage: Stage::Working, rows: None };
    }
    reading(if clusterings.is_empty() { Stage::Reading } else { Stage::FetchingEvents }, &after)
}

/// The sum of the rows of some scans. Their number in all is known if it is known for each of them.
fn total(scans: &[ScanState]) -> Rows {
    let known: Option<usize> = scans.iter().map(|scan| scan.rows.known).sum();
    Rows {
        read: scans.iter().map(|scan| scan.rows.read).sum(),
        skipped: scans.iter().map(|scan| scan.rows.skipped).sum(),
        known: known.filter(|rows| *rows > 0),
    }
}

impl Scan {
    fn new(plan: Arc<dyn ExecutionPlan>, feeds: Option<usize>) -> Self {
        let statistics = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
        let rows = statistics.ok().and_then(|statistics| statistics.num_rows.get_value().copied());
        let source = (plan.as_ref() as &dyn Any).downcast_ref::<DataSourceExec>();
        let config = source.and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        let files = config.map_or(0, |config| config.file_groups.iter().map(FileGroup::len).sum());
        Self { plan, feeds, rows, files }
    }

    /// The state of the scan; none if it doesn't count its rows.
    fn state(&self) -> Option<ScanState> {
        let counts = Counts::of(&self.plan.metrics()?);
        if counts.output.is_none() && self.files == 0 {
            return None;
        }
        let partitions = self.plan.output_partitioning().partition_count();
        let ended = counts.ended.len() >= partitions && counts.running == 0;
        let rows = match self.rows {
            Some(known) if ended => {
                Rows { read: known, skipped: known.saturating_sub(counts.looked_at()), known: Some(known) }
            }
            known => counts.rows(known, self.files),
        };
        Some(ScanState { feeds: self.feeds, rows, ended })
    }
}

/// The counts of a scan so far, over all its partitions and files.
#[derive(Debug, Default)]
struct Counts {
    output: Option<usize>,
    rows_filtered: usize,
    rows_skipped: usize,
    row_groups: usize,
    row_groups_skipped: usize,
    files_read: usize,
    files_skipped: usize,
    /// The partitions that have come to an end, and the number of streams that have not.
    ended: HashSet<Option<usize>>,
    running: usize,
}

impl Counts {
    fn of(metrics: &MetricsSet) -> Self {
        let mut counts = Self::default();
        for metric in metrics.iter() {
            match metric.value() {
                MetricValue::OutputRows(count) => {
                    *counts.output.get_or_insert(0) += count.value();
                }
                MetricValue::EndTimestamp(time) if time.value().is_some() => {
                    counts.ended.insert(metric.partition());
                }
                MetricValue::EndTimestamp(_) => counts.running += 1,
                MetricValue::Count { name, count } => match name.as_ref() {
                    "pushdown_rows_pruned" => counts.rows_filtered += count.value(),
                    "row_groups_pruned_dynamic_filter" => counts.row_groups_skipped += count.value(),
                    _ => {}
                },
                MetricValue::PruningMetrics { name, pruning_metrics } => {
                    let (skipped, left) = (pruning_metrics.pruned(), pruning_metrics.matched());
                    match name.as_ref() {
                        "page_index_rows_pruned" => counts.rows_skipped += skipped,
                        "row_groups_pruned_statistics" => {
                            counts.row_groups_skipped += skipped;
                            counts.row_groups += skipped + left;
                        }
                        "row_groups_pruned_bloom_filter" | "limit_pruned_row_groups" => {
                            counts.row_groups_skipped += skipped;
                        }
                        "files_ranges_pruned_statistics" => {
                            counts.files_skipped += skipped;
                            counts.files_read += left;
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        counts
    }

    fn looked_at(&self) -> usize {
        self.output.unwrap_or(0) + self.rows_filtered
    }

    /// The rows that a scan of `known` rows in `files` files has done with.
    fn rows(&self, known: Option<usize>, files: usize) -> Rows {
        let read = self.looked_at();
        // More rows than there should be mean wrong statistics, or a table that is read several times.
        let Some(known) = known.filter(|known| read <= *known) else {
            return Rows { read, skipped: 0, known: None };
        };
        let share = |part: usize, whole: usize| part.min(whole) as f64 / whole.max(1) as f64;
        let skipped = share(self.files_skipped, files)
            + share(self.files_read, files) * share(self.row_groups_skipped, self.row_groups);
        let skipped = (self.rows_skipped + (skipped * known as f64) as usize).min(known - read);
        Rows { read: read + skipped, skipped, known: Some(known) }
    }
}

/// Concludes the state of a clustering from `input_rows`, which is counted when the input is complete, and from the time,
/// which is taken at the end.
fn clustering_state(plan: &dyn ExecutionPlan) -> ClusteringState {
    let (mut with_input, mut done) = (HashSet::new(), HashSet::new());
    let mut vectors = 0;
    for metric in plan.metrics().iter().flat_map(MetricsSet::iter) {
        match metric.value() {
            MetricValue::Count { name, count } if name == "input_rows" && count.value() > 0 => {
                with_input.insert(metric.partition());
                vectors += count.value();
            }
            MetricValue::Time { name, time } if name == "cluster_time" && time.value() > 0 => {
                done.insert(metric.partition());
            }
            MetricValue::EndTimestamp(time) if time.value().is_some() => {
                done.insert(metric.partition());
            }
            _ => {}
        }
    }
    if with_input.difference(&done).next().is_some() {
        ClusteringState::AtWork { vectors }
    } else if done.len() >= plan.output_partitioning().partition_count() {
        ClusteringState::Done
    } else {
        ClusteringState::Waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: ClusteringState = ClusteringState::Waiting;
    const DONE: ClusteringState = ClusteringState::Done;

    fn rows(read: usize, known: usize) -> Rows {
        Rows { read, skipped: 0, known: Some(known) }
    }

    fn scan(feeds: Option<usize>, read: usize, known: usize) -> ScanState {
        ScanState { feeds, rows: rows(read, known), ended: read == known }
    }

    fn without_rows(stage: Stage) -> Seen {
        Seen { stage, rows: None }
    }

    fn with_rows(stage: Stage, read: usize, known: usize) -> Seen {
        Seen { stage, rows: Some(rows(read, known)) }
    }

    #[test]
    fn query_without_clustering_reads_and_works() {
        assert_eq!(seen(&[], &[]), without_rows(Stage::Working));
        // The scans are both sides of a join.
        let both = |left, right| seen(&[scan(None, left, 5), scan(None, right, 10)], &[]);
        assert_eq!(both(0, 0), with_rows(Stage::Reading, 0, 15));
        assert_eq!(both(5, 1), with_rows(Stage::Reading, 6, 15));
        assert_eq!(both(5, 10), without_rows(Stage::Working));
    }

    #[test]
    fn query_with_clustering_reads_clusters_and_fetches() {
        let at_work = ClusteringState::AtWork { vectors: 7 };
        let look = |first, clustering, second| {
            seen(&[scan(Some(0), first, 10), scan(None, second, 10)], &[clustering])
        };
        assert_eq!(look(0, WAITING, 0), with_rows(Stage::Reading, 0, 10));
        assert_eq!(look(4, WAITING, 0), with_rows(Stage::Reading, 4, 10));
        assert_eq!(look(10, WAITING, 0), without_rows(Stage::Grouping));
        assert_eq!(look(10, at_work, 0), without_rows(Stage::Clustering { vectors: 7 }));
        assert_eq!(look(10, DONE, 0), with_rows(Stage::FetchingEvents, 0, 10));
        assert_eq!(look(10, DONE, 10), without_rows(Stage::Working));
    }

    #[test]
    fn other_tables_may_be_read_first() {
        let look = |other, first| seen(&[scan(None, other, 3), scan(Some(0), first, 10)], &[WAITING]);
        assert_eq!(look(2, 0), with_rows(Stage::Reading, 2, 3));
        assert_eq!(look(3, 0), with_rows(Stage::Reading, 0, 10));
        assert_eq!(look(2, 1), with_rows(Stage::Reading, 1, 10));
    }

    #[test]
    fn one_unknown_number_leaves_the_sum_unknown() {
        let stream = ScanState { feeds: None, rows: Rows { read: 8, skipped: 0, known: None }, ended: false };
        let seen = seen(&[scan(None, 1, 2), stream], &[]);
        assert_eq!(seen.rows, Some(Rows { read: 9, skipped: 0, known: None }));
    }

    #[test]
    fn skipped_rows_count_as_read() {
        let look = |counts: Counts| {
            let rows = counts.rows(Some(1000), 4);
            (rows.read, rows.skipped, rows.known)
        };
        let counts = || Counts { output: Some(70), rows_filtered: 30, ..Counts::default() };
        assert_eq!(look(counts()), (100, 0, Some(1000)));
        assert_eq!(look(Counts { rows_skipped: 40, ..counts() }), (140, 40, Some(1000)));
        let files = || Counts { files_skipped: 1, files_read: 2, ..counts() };
        assert_eq!(look(files()), (350, 250, Some(1000)));
        // Half of the row groups of two of the four files are skipped too.
        let row_groups = Counts { row_groups: 8, row_groups_skipped: 4, ..files() };
        assert_eq!(look(row_groups), (600, 500, Some(1000)));
        // Averages never lead beyond the end, and wrong statistics give no total.
        assert_eq!(look(Counts { files_skipped: 9, ..counts() }), (1000, 900, Some(1000)));
        assert_eq!(look(Counts { output: Some(1001), ..Counts::default() }), (1001, 0, None));
    }
}
