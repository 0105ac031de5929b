//! Facts about the data of a page: the files with their fingerprints, and the values that were NULL.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;
use datafusion_dbcluster::LogTables;
use indicatif::HumanCount;
use tokio::runtime::Handle;

use super::Report;
use super::defaults::{Column, Defaults, identifier};
use crate::archive::fingerprint;
use crate::depth::sql;
use crate::failure::Failure;

/// The files whose fingerprints are on the page.
const FILES: usize = 100;

/// The files of a table with their fingerprints, if it is made of files alone.
pub(super) async fn files(ctx: &SessionContext, table: &str) -> Result<Vec<String>, Failure> {
    let state = ctx.state();
    let Some(tables) = LogTables::of(&state) else { return Ok(vec![]) };
    let Ok(found) = tables.files(&state, &[table.trim().to_string()]).await else { return Ok(vec![]) };
    let sources = found.sources(&Handle::current());
    let all = sources.len();
    let mut lines = vec![];
    for source in sources.into_iter().take(FILES) {
        let name = source.name().to_string();
        if source.opens_once() {
            lines.push(format!("{name}: a pipe, which is gone"));
            continue;
        }
        let (bytes, sha256) = fingerprint::of_source(source).await?;
        lines.push(format!("{name}: {} bytes, SHA-256 {sha256}", HumanCount(bytes)));
    }
    if all > FILES {
        lines.push(format!("and {} more files", HumanCount((all - FILES) as u64)));
    }
    Ok(lines)
}

/// Counts the events with NULL in a column of a feature, and tells how they were read. Empty if there are none.
pub(super) async fn nulls_note(
    ctx: &SessionContext,
    report: &Report<'_>,
    table: &str,
    defaults: Option<&Defaults>,
    features_with_names: &str,
) -> Result<String, Failure> {
    let (columns, relation, read_as): (Vec<(String, String)>, _, _) = match defaults {
        Some(defaults) => {
            let columns = defaults.columns.iter();
            let columns = columns.map(|column| (column.name.clone(), column.expression.clone()));
            let has_numbers = defaults.columns.iter().any(Column::is_number);
            (
                columns.collect(),
                table.to_string(),
                if has_numbers { "read as empty or 0" } else { "read as empty" },
            )
        }
        _ => {
            let read_as = match report.nulls {
                "zero" => "read as 0",
                "skip" => "skipped",
                _ => return Ok(String::new()),
            };
            let relation = format!("(SELECT {features_with_names} FROM {table})");
            let features = sql(ctx, &format!("SELECT * FROM {relation}")).await?;
            let columns = features.schema().fields().iter();
            let columns = columns.map(|field| (field.name().clone(), identifier(field.name())));
            (columns.collect(), relation, read_as)
        }
    };
    let counts: Vec<String> = columns
        .iter()
        .map(|(_, expression)| format!("count(*) FILTER (WHERE {expression} IS NULL)"))
        .collect();
    let frame = sql(ctx, &format!("SELECT {} FROM {relation}", counts.join(", "))).await?;
    let batches = frame.collect().await?;
    let mut found = vec![];
    for (at, (name, _)) in columns.iter().enumerate() {
        let count =
            |batch: &RecordBatch| batch.column(at).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        match batches.iter().map(count).sum::<i64>() {
            0 => {}
            1 => found.push(format!("{name} in 1 event")),
            rows => found.push(format!("{name} in {} events", HumanCount(rows.unsigned_abs()))),
        }
    }
    Ok(if found.is_empty() { String::new() } else { format!("NULL, {read_as}: {}.", found.join(", ")) })
}
