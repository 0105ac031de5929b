//! SQL over a folder of Parquet files.

use datafusion::common::Result;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

/// Writes two days of events, and shows one row for every kind of command.
pub async fn run() -> Result<()> {
    let ctx = SessionContext::new();
    datafusion_dbcluster::register_all(&ctx)?;

    let folder = std::env::temp_dir().join(format!("dbcluster-example-{}", std::process::id()));
    let folder = folder.to_string_lossy();
    for (day, start) in [("01", 1_769_932_800), ("02", 1_770_019_200)] {
        let events = format!(
            "SELECT to_timestamp_seconds({start} + 60 * value) AS time, 'ws-' || (value % 7) AS host,
                    'agent.exe --job=' || value || ' --quiet' AS command FROM generate_series(1, 500)
             UNION ALL
             SELECT to_timestamp_seconds({start} + 16496), 'ws-3', 'cmd.exe /c \"whoami & net user & ipconfig /all\"'"
        );
        ctx.sql(&format!("COPY ({events}) TO '{folder}/2026-02-{day}.parquet'")).await?.collect().await?;
    }

    ctx.register_parquet("events", folder.as_ref(), ParquetReadOptions::default()).await?;
    let kinds = ctx
        .sql(
            "SELECT cluster_size, first_event_time, last_event_time, command
             FROM dbcluster(events, {tokens: cmdline_tokens(command), words: token_count(command)}, eps => 0.01)
             ORDER BY cluster_size, first_event_time",
        )
        .await?;
    kinds.show().await?;
    std::fs::remove_dir_all(folder.as_ref())?;
    Ok(())
}
