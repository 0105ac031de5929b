//! The session as datafusion-cli sees it, which runs `CREATE EXTERNAL TABLE` and `COPY` since it makes the object stores
//! that these name.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::datasource::MemTable;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion_cli::cli_context::CliSessionContext;
use url::Url;

use super::progress::Bar;
use dbcluster_files::Writes;

/// A session whose statement has run to its end, and whose bar has gone, before datafusion-cli prints.
pub(super) struct CliSession<'a> {
    pub(super) ctx: &'a SessionContext,
    pub(super) bar: Bar,
}

#[async_trait]
impl CliSessionContext for CliSession<'_> {
    fn task_ctx(&self) -> Arc<TaskContext> {
        self.ctx.task_ctx()
    }

    fn session_state(&self) -> SessionState {
        self.ctx.state()
    }

    fn register_object_store(
        &self,
        url: &Url,
        object_store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        // The files of this machine have a store already. Another one would be wrapped around it with each statement.
        if url.scheme() == "file" {
            return None;
        }
        self.ctx.register_object_store(url, object_store)
    }

    fn register_table_options_extension_from_scheme(&self, scheme: &str) {
        self.ctx.register_table_options_extension_from_scheme(scheme);
    }

    async fn execute_logical_plan(&self, plan: LogicalPlan) -> datafusion::common::Result<DataFrame> {
        let is_copy = matches!(plan, LogicalPlan::Copy(_));
        let mut frame = self.ctx.execute_logical_plan(plan).await?;
        if is_copy {
            let physical = frame.create_physical_plan().await?;
            let schema = physical.schema();
            let writes = Writes::default();
            let counts = execute_stream(physical, writes.context(&self.ctx.task_ctx()))?;
            let counts = collect(counts).await.map_err(|error| writes.cause(error))?;
            writes.commit().await?;
            frame = self.ctx.read_table(Arc::new(MemTable::try_new(schema, vec![counts])?))?;
        }
        self.bar.clear();
        Ok(frame)
    }
}
