//! SQL over a folder of Parquet files.

use datafusion::common::Result;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

/// Writes two days of events, and shows one row for every kind of command.
pub async fn run() -> Result<()> {
    let ctx = SessionContext::new();
    datafusion_dbcluster::register_all(&ctx)?;

    let folder = std::env::temp_dir().join(format!("dbcluster-example-{}", std::process::id()));
    let folder = folder.to_string_lossy();
    for day in ["01", "02"] {
        let events = format!(
            "SELECT TIMESTAMP '2026-02-{day} 08:00:00' + value * INTERVAL '1 minute' AS time, 'ws-' || value % 7 AS host,
                    'agent.exe --job=' || value || ' --quiet' AS command FROM generate_series(1, 500)
             UNION ALL
             SELECT TIMESTAMP '2026-02-{day} 12:34:56', 'ws-3', 'cmd.exe /c \"whoami & net user & ipconfig /all\"'"
        );
        ctx.sql(&format!("COPY ({events}) TO '{folder}/2026-02-{day}.parquet'")).await?.collect().await?;
    }

    ctx.register_parquet("events", folder.as_ref(), ParquetReadOptions::default()).await?;
    let kinds = ctx
        .sql(
            "SELECT cluster_size, first_event_time, last_event_time, command
             FROM dbcluster(events, [cmdline_tokens(command), token_count(command) AS words], eps => 0.01)
             ORDER BY cluster_size, first_event_time",
        )
        .await?;
    kinds.show().await?;
    std::fs::remove_dir_all(folder.as_ref())?;
    Ok(())
}
