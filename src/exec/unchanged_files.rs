//! [`UnchangedFilesExec`] fails a query if a file that it reads twice has changed between the reads.
//!
//! It stands at the root of a plan, so that it sees the end of both reads, even if a `LIMIT` ends them early. In a plan that
//! writes its rows it stands below the sink, which then gets the error before it completes the file.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::dbscan::clusters;
use super::one_input::{one_input, rows_of_input, statistics_of_input};
use crate::file_versions::{CHANGED, FileVersions, file_name};

/// Puts [`UnchangedFilesExec`] into plans that cluster and read a file twice. It belongs after all other rules, which need not
/// know the operator.
#[derive(Debug, Default)]
pub struct UnchangedFilesRule;

impl PhysicalOptimizerRule for UnchangedFilesRule {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        guarded(plan)
    }

    fn name(&self) -> &'static str {
        "unchanged_files"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Puts the operator below a node that writes or explains, else at the root.
fn guarded(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let is = |node: &Arc<dyn ExecutionPlan>| {
        let node: &dyn Any = node.as_ref();
        (node.is::<DataSinkExec>(), node.is::<AnalyzeExec>())
    };
    if is(&plan) == (false, false) && !plan.exists(|node| Ok(is(node).0))? {
        return if !clusters(&plan)? || read_twice(&plan)?.is_empty() {
            Ok(plan)
        } else {
            Ok(Arc::new(UnchangedFilesExec::try_new(plan)?))
        };
    }
    let children = plan.children().into_iter().map(|child| guarded(Arc::clone(child)));
    let children = children.collect::<Result<Vec<_>>>()?;
    plan.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}

/// Returns the files that more than one scan of a plan reads, as each of the scans was planned for them.
fn read_twice(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<(ObjectStoreUrl, ObjectMeta)>> {
    let mut files: BTreeMap<(ObjectStoreUrl, Path), Vec<ObjectMeta>> = BTreeMap::new();
    plan.apply(|node| {
        let node: &dyn Any = node.as_ref();
        let source = node.downcast_ref::<DataSourceExec>();
        if let Some(scan) = source.and_then(|source| source.data_source().downcast_ref::<FileScanConfig>()) {
            let of_scan = scan.file_groups.iter().flat_map(FileGroup::files);
            // A file that one scan reads in pieces counts once.
            let of_scan: BTreeMap<&Path, &ObjectMeta> =
                of_scan.map(|file| (&file.object_meta.location, &file.object_meta)).collect();
            for (path, file) in of_scan {
                files.entry((scan.object_store_url.clone(), path.clone())).or_default().push(file.clone());
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let twice = files.into_iter().filter(|(_, seen)| seen.len() > 1);
    Ok(twice.flat_map(|((url, _), seen)| seen.into_iter().map(move |file| (url.clone(), file))).collect())
}

/// Passes its input on, and fails unless the files that are read twice are the same before the first row and after the last.
#[derive(Debug, Clone)]
pub struct UnchangedFilesExec {
    /// The input, of one partition, so that it has one end.
    input: Arc<dyn ExecutionPlan>,
    /// The files as the scans were planned for them, so each at least twice.
    files: Vec<(ObjectStoreUrl, ObjectMeta)>,
}

impl UnchangedFilesExec {
    fn try_new(input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let files = read_twice(&input)?;
        let input = match input.output_partitioning().partition_count() {
            0 | 1 => input,
            _ => Arc::new(CoalescePartitionsExec::new(input)),
        };
        Ok(Self { input, files })
    }

    /// Returns the number of files that are read twice.
    fn count(&self) -> usize {
        self.files.iter().map(|(url, file)| (url, &file.location)).collect::<BTreeSet<_>>().len()
    }

    /// Notes the files as they are before the first read.
    ///
    /// # Errors
    /// A file is not the one that the query was planned for; the scans would read it by another file's size.
    async fn before(&self, context: &TaskContext) -> Result<FileVersions> {
        let mut planned = FileVersions::default();
        for (url, file) in &self.files {
            planned.note(url, &context.runtime_env().object_store(url)?, [file.clone()]);
        }
        let now = planned.now().await?;
        for (url, file) in &self.files {
            if !now.has(url, file) {
                return exec_err!(
                    "the file {} is not the one that was there when the query was planned: run the query again; if this comes \
                     again, the session keeps an old list of the files, so say SET datafusion.runtime.list_files_cache_limit = \
                     '0' first",
                    file_name(url, &file.location)
                );
            }
        }
        Ok(now)
    }
}

/// The rows of a run, and the files as they were before it.
struct Run {
    rows: SendableRecordBatchStream,
    before: FileVersions,
}

impl Run {
    async fn next(mut self) -> Option<(Result<RecordBatch>, Option<Self>)> {
        match self.rows.next().await {
            Some(Ok(batch)) => Some((Ok(batch), Some(self))),
            Some(Err(error)) => Some((Err(explained(&self.before, error).await), None)),
            None => self.before.check().await.err().map(|error| (Err(error), None)),
        }
    }
}

/// Replaces the error of a reader that met the bytes of a changed file, which names the bytes and not the cause.
async fn explained(before: &FileVersions, error: DataFusionError) -> DataFusionError {
    let root = error.find_root();
    let says_so = matches!(root, DataFusionError::Execution(text) if text.contains(CHANGED));
    if says_so || matches!(root, DataFusionError::ResourcesExhausted(_)) {
        return error;
    }
    match before.changed().await {
        Ok(Some(changed)) => exec_datafusion_err!("{changed} (it failed with: {})", root.strip_backtrace()),
        _ => error,
    }
}

impl DisplayAs for UnchangedFilesExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        match t {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "UnchangedFilesExec: read_twice={}", self.count())
            }
            DisplayFormatType::TreeRender => writeln!(f, "read_twice={}", self.count()),
        }
    }
}

impl ExecutionPlan for UnchangedFilesExec {
    fn name(&self) -> &'static str {
        "UnchangedFilesExec"
    }

    rows_of_input!();

    statistics_of_input!();

    one_input!(|_, input| Self::try_new(input));

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let exec = self.clone();
        let rows = stream::once(async move {
            let before = exec.before(&context).await?;
            let run = Run { rows: exec.input.execute(partition, context)?, before };
            Ok::<_, DataFusionError>(stream::unfold(Some(run), |run| async move { run?.next().await }))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.try_flatten())))
    }
}
