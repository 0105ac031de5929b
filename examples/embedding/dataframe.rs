//! Typed options and expressions in place of SQL.

use datafusion::common::Result;
use datafusion::prelude::{SessionContext, col, lit};
use datafusion_dbcluster::dbscan::Scaling;
use datafusion_dbcluster::expr_fn::{cmdline_tokens, path_score};
use datafusion_dbcluster::{ClusterOptions, DbclusterDataFrameExt};

/// Shows the commands that are alone on their host.
pub async fn run() -> Result<()> {
    let ctx = SessionContext::new();
    datafusion_dbcluster::register_all(&ctx)?;
    let events = ctx
        .sql(
            r"SELECT 'ws-' || (value % 3) AS host, 'C:\Windows\System32\svchost.exe' AS path, 'svchost.exe -k ' || value AS command
              FROM generate_series(1, 300)
              UNION ALL
              SELECT 'ws-1', 'C:\Users\Public\svchost.exe', 'svchost.exe ; powershell -enc SQBFAFgA'",
        )
        .await?;

    let options = ClusterOptions::new(0.5)
        .feature("tokens", cmdline_tokens(col("command")))
        .feature("path_score", path_score(col("path")))
        .scaling(Scaling::None)
        .partition_by(vec![col("host")]);
    let odd = events
        .dbcluster(options)?
        .filter(col("clustered").eq(lit(false)))?
        .select_columns(&["host", "path", "command"])?;
    odd.show().await
}
