//! The engine with which an executor runs its tasks.
//!
//! Tasks arrive as DataFusion's own operators, so a scheduler needs to know no operator of ours. Just before a task runs,
//! [`DbscanExec`] takes the place of the window that clusters. It reserves its memory in the task's pool, works off the async
//! threads, and stops when the task is cancelled. The result is the same.
//!
//! [`DbscanExec`]: datafusion_dbcluster::DbscanExec

use std::sync::Arc;
use std::time::Duration;

use ballista_core::JobId;
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use super::connections::Connections;
use super::whole_files::with_whole_files;
use datafusion_dbcluster::distributed::UseDbscanExec;

/// Ballista's engine, with our operator for clustering, and files that appear whole.
pub(super) struct Engine(DefaultExecutionEngine);

impl Engine {
    /// Makes an engine that keeps connections to other executors open for this many seconds after their last use.
    pub(super) fn new(connection_seconds: u64) -> Self {
        if connection_seconds == 0 {
            return Self(DefaultExecutionEngine::new());
        }
        let connections = Connections::new(Duration::from_secs(connection_seconds));
        Self(DefaultExecutionEngine::with_client_pool(Arc::new(connections)))
    }
}

impl ExecutionEngine for Engine {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let plan = with_whole_files(UseDbscanExec.optimize(plan, config.options())?)?;
        self.0.create_query_stage_exec(
            job_id,
            stage_id,
            task_id,
            global_output_partition_ids,
            plan,
            work_dir,
            config,
        )
    }
}
