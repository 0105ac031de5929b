//! Holds back the files that a task of an executor writes until the task has come to its end, see [`dbcluster_files`].

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{TryStreamExt, stream};

use dbcluster_files::Writes;

/// Puts [`WholeFilesExec`] around the writers of a plan, so that their files are whole or do not appear.
pub(super) fn with_whole_files(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        let any: &dyn Any = node.as_ref();
        Ok(if any.is::<DataSinkExec>() {
            Transformed::yes(Arc::new(WholeFilesExec { sink: node }) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(node)
        })
    })
    .data()
}

/// Runs a writer and lets its files appear when it has come to its end. In the plan it takes the writer's place.
#[derive(Debug, Clone)]
struct WholeFilesExec {
    sink: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for WholeFilesExec {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sink.fmt_as(t, f)
    }
}

impl ExecutionPlan for WholeFilesExec {
    fn name(&self) -> &'static str {
        "WholeFilesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.sink.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.sink.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.sink.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { sink: Arc::clone(&self.sink).replace_children(children, options)? }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let writes = Writes::default();
        let counts = self.sink.execute(partition, writes.context(&context))?;
        let written = async move {
            let counts = collect(counts).await.map_err(|error| writes.cause(error))?;
            writes.commit().await?;
            Ok::<_, DataFusionError>(stream::iter(counts.into_iter().map(Ok)))
        };
        let counts = stream::once(written).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counts)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.sink.metrics()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::execute_stream;
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn copy(failing_row: usize, target: &str) -> Result<()> {
        let ctx = SessionContext::new();
        let sql = format!(
            "COPY (SELECT repeat('x', 200) AS s, CAST(CASE WHEN value = {failing_row} THEN 'x' ELSE '1' END AS BIGINT) AS one \
             FROM generate_series(1, 60000)) TO '{target}'"
        );
        let plan = with_whole_files(ctx.sql(&sql).await?.create_physical_plan().await?)?;
        assert_eq!(plan.name(), "WholeFilesExec");
        let counts = collect(execute_stream(plan, ctx.task_ctx())?).await?;
        assert_eq!(counts.len(), 1);
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_task_that_fails_leaves_the_earlier_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for suffix in ["csv", "json", "parquet", "arrow"] {
            let target = folder.path().join(format!("o.{suffix}"));
            let text = target.to_str().expect("UTF-8");
            std::fs::write(&target, "earlier").expect("a file");
            for row in [1, 30_000, 60_000] {
                let error = copy(row, text).await.expect_err("a row fails").to_string();
                assert!(error.contains("Cannot cast"), "{suffix}: {error}");
                assert_eq!(std::fs::read_to_string(&target).expect("text"), "earlier", "{suffix} {row}");
            }
            copy(0, text).await.unwrap_or_else(|error| panic!("{suffix}: {error}"));
            assert!(std::fs::metadata(&target).expect("a file").len() > 1000, "{suffix}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 4);
    }
}
