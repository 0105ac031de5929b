//! [`FileStatistics`] keeps the engine from answering by statistics of files that are not exact.
//!
//! Writers of Parquet leave NaN out of their statistics. Where the least value of a file's column is its greatest, the engine
//! takes the column for that constant and does not read it, and `max(x)` is answered without a look at the rows: a NaN reads as
//! a number that is in other rows. So the statistics of floats are marked as inexact: the engine uses those to estimate
//! and to skip row groups, and not as values.
//!
//! A file whose statistics say that it has no rows is not read: its boolean columns take no bytes, which the engine fails to
//! read.

use std::any::Any;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

/// Marks the bounds of float columns as inexact, and leaves out files without rows. It belongs before the rule that answers
/// aggregates from statistics.
#[derive(Debug, Default)]
pub struct FileStatistics;

impl PhysicalOptimizerRule for FileStatistics {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match better_scan(&node) {
                Some(scan) => Transformed::yes(scan),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "dbcluster_file_statistics"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn better_scan(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let scan = (node.as_ref() as &dyn Any).downcast_ref::<DataSourceExec>()?;
    let config = (scan.data_source().as_ref() as &dyn Any).downcast_ref::<FileScanConfig>()?;
    let groups = config.file_groups.iter();
    let is_good = !tells_floats(&config.statistics())
        && groups.clone().all(|group| !group.file_statistics(None).is_some_and(tells_floats))
        && groups.clone().flat_map(FileGroup::iter).all(|file| !is_empty(file) && !tells_floats_of(file));
    if is_good {
        return None;
    }
    // The number of groups stays the same, since each is a partition of the scan.
    let groups = groups.map(|group| {
        let files = group.iter().filter(|file| !is_empty(file)).cloned().map(|mut file| {
            file.statistics = file.statistics.map(|statistics| Arc::new(inexact(&statistics)));
            file
        });
        let better = FileGroup::new(files.collect());
        match group.file_statistics(None) {
            Some(statistics) => better.with_statistics(Arc::new(inexact(statistics))),
            None => better,
        }
    });
    let groups = groups.collect();
    let config = FileScanConfigBuilder::from(config.clone())
        .with_statistics(inexact(&config.statistics()))
        .with_file_groups(groups)
        .build();
    Some(Arc::new(scan.clone().with_data_source(Arc::new(config))))
}

fn is_empty(file: &PartitionedFile) -> bool {
    file.statistics.as_ref().is_some_and(|statistics| statistics.num_rows == Precision::Exact(0))
}

fn tells_floats_of(file: &PartitionedFile) -> bool {
    file.statistics.as_deref().is_some_and(tells_floats)
}

fn tells_floats(statistics: &Statistics) -> bool {
    statistics
        .column_statistics
        .iter()
        .any(|column| [&column.min_value, &column.max_value].into_iter().any(is_exact_float))
}

fn is_exact_float(bound: &Precision<ScalarValue>) -> bool {
    matches!(bound, Precision::Exact(value) if value.data_type().is_floating())
}

fn inexact(statistics: &Statistics) -> Statistics {
    let mut statistics = statistics.clone();
    for ColumnStatistics { min_value, max_value, .. } in &mut statistics.column_statistics {
        for bound in [min_value, max_value] {
            if is_exact_float(bound) {
                *bound = std::mem::take(bound).to_inexact();
            }
        }
    }
    statistics
}
