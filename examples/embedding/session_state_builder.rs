//! A host that builds its own session.

use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_dbcluster::SessionStateBuilderExt;

/// Shows the operators that the library puts into a plan, with one of them switched off.
pub async fn run() -> Result<()> {
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(2))
        .with_default_features()
        .with_dbcluster()
        .build();
    let ctx = SessionContext::new_with_state(state);

    ctx.sql("CREATE TABLE logons AS SELECT value % 5 AS kind, value AS id FROM generate_series(1, 1000)")
        .await?;
    ctx.sql("SET dbcluster.enable_exemplar_fetch = false").await?;
    ctx.sql("EXPLAIN FORMAT TREE SELECT * FROM dbcluster(logons, [kind], eps => 0.1, scaling => 'none')")
        .await?
        .show()
        .await
}
