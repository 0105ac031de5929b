//! The columns of an archive and of new rows as those of one table.

use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion_dbcluster::LogTables;
use datafusion_dbcluster::event_columns::is_time;

use crate::depth::sql;
use crate::failure::Failure;
use crate::report::identifier;
use crate::runner::Runner;

/// The name of a table that is looked at.
const LOOKED_AT: &str = "dbcluster_columns";

/// The name of the new files in messages.
const NEW_FILES: &str = "the new files";

/// The rows to write.
pub(super) struct Together {
    /// The new rows, with the columns of the whole archive. If a type has changed, the earlier rows are among them.
    pub(super) table: Arc<dyn TableProvider>,
    /// The types of earlier columns that change, in words.
    pub(super) changes: Vec<String>,
}

/// Puts the columns of the archive and of new rows together by their names.
///
/// A column without a value has no type of its own: it takes that of the others.
///
/// # Errors
/// No type holds the values of both exactly, or a column of times would become text.
pub(super) async fn together(
    runner: &Runner,
    out: &Path,
    earlier: Option<Arc<dyn TableProvider>>,
    new: Arc<dyn TableProvider>,
) -> Result<Together, Failure> {
    let Some(earlier) = earlier else { return Ok(Together { table: new, changes: vec![] }) };
    let archive = out.display().to_string();
    let differing = differing(&earlier.schema(), &new.schema());
    let without = without_values(runner, &new, &differing).await?;
    let new = leaving_out(runner, new, &without).await?;
    let differing: Vec<String> = differing.into_iter().filter(|name| !without.contains(name)).collect();
    let without = without_values(runner, &earlier, &differing).await?;
    let schema = earlier.schema();
    let earlier = leaving_out(runner, earlier, &without).await?;

    let nothing: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(earlier.schema(), vec![vec![]])?);
    let united = |rows: Arc<dyn TableProvider>| {
        let tables = vec![(archive.clone(), rows), (NEW_FILES.to_string(), Arc::clone(&new))];
        LogTables::united(tables).map_err(|error| {
            Failure::from(error).map(|message| {
                let reason = message.split("; read the files one by one").next().unwrap_or(message);
                format!(
                    "{reason}; a new archive, made with --types 'column VARCHAR' from the first import on, keeps such a column as text"
                )
            })
        })
    };
    let table = united(nothing)?;
    let of_all = table.schema();
    let mut changes = vec![];
    for field in schema.fields() {
        let Ok(now) = of_all.field_with_name(field.name()) else { continue };
        if now.data_type() == field.data_type() {
            continue;
        }
        if is_time(field.data_type()) && !is_time(now.data_type()) && !without.contains(field.name()) {
            return Err(Failure::new(format!(
                "column '{0}' has times in {archive}, and other text in the new files; with --types '{1} TIMESTAMP' its times are read, and the \
                 other values are rejected and told",
                field.name(),
                identifier(field.name())
            )));
        }
        changes.push(format!(
            "column '{}' was {} and is {} with the new files",
            field.name(),
            field.data_type(),
            now.data_type()
        ));
    }
    for (rows, what) in [(&earlier, archive.as_str()), (&new, NEW_FILES)] {
        check_exact(runner, rows, &of_all, what).await?;
    }
    let table = if changes.is_empty() { table } else { united(earlier)? };
    Ok(Together { table, changes })
}

/// The columns that both have, with different types.
fn differing(earlier: &Schema, new: &Schema) -> Vec<String> {
    let differs = |field: &&Arc<Field>| {
        new.field_with_name(field.name()).is_ok_and(|other| other.data_type() != field.data_type())
    };
    earlier.fields().iter().filter(differs).map(|field| field.name().clone()).collect()
}

/// Those of the columns that are NULL in all rows.
async fn without_values(
    runner: &Runner,
    rows: &Arc<dyn TableProvider>,
    columns: &[String],
) -> Result<Vec<String>, Failure> {
    if columns.is_empty() {
        return Ok(vec![]);
    }
    let counts: Vec<String> = columns.iter().map(|name| format!("count({})", identifier(name))).collect();
    let counted = numbers(runner, rows, &counts).await?;
    Ok(columns.iter().zip(counted).filter(|(_, count)| *count == 0).map(|(name, _)| name.clone()).collect())
}

async fn leaving_out(
    runner: &Runner,
    rows: Arc<dyn TableProvider>,
    columns: &[String],
) -> Result<Arc<dyn TableProvider>, Failure> {
    if columns.is_empty() {
        return Ok(rows);
    }
    let kept: Vec<String> = rows
        .schema()
        .fields()
        .iter()
        .filter(|field| !columns.contains(field.name()))
        .map(|field| identifier(field.name()))
        .collect();
    runner.ctx.register_table(LOOKED_AT, rows)?;
    let view = sql(&runner.ctx, &format!("SELECT {} FROM {LOOKED_AT}", kept.join(", "))).await;
    runner.ctx.deregister_table(LOOKED_AT)?;
    Ok(view?.into_view())
}

/// Checks that integers that become DOUBLE keep all of their digits.
async fn check_exact(
    runner: &Runner,
    rows: &Arc<dyn TableProvider>,
    of_all: &Schema,
    what: &str,
) -> Result<(), Failure> {
    let schema = rows.schema();
    let becomes_float = |field: &&Arc<Field>| {
        field.data_type().is_integer()
            && of_all
                .field_with_name(field.name())
                .is_ok_and(|now| matches!(now.data_type(), DataType::Float64))
    };
    let columns: Vec<&Arc<Field>> = schema.fields().iter().filter(becomes_float).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let counts: Vec<String> = columns
        .iter()
        .map(|field| {
            let name = identifier(field.name());
            // Every integer up to 2^53 is a DOUBLE.
            format!("count(*) FILTER (WHERE {name} > 9007199254740992 OR {name} < -9007199254740992)")
        })
        .collect();
    let counted = numbers(runner, rows, &counts).await?;
    match columns.iter().zip(counted).find(|(_, count)| *count > 0) {
        None => Ok(()),
        Some((field, _)) => Err(Failure::new(format!(
            "column '{0}' has integers in {what} that DOUBLE can't hold, and fractions elsewhere; a new archive, made with --types '{1} \
             VARCHAR' from the first import on, keeps it as text",
            field.name(),
            identifier(field.name())
        ))),
    }
}

/// The numbers that these expressions have over all rows.
async fn numbers(
    runner: &Runner,
    rows: &Arc<dyn TableProvider>,
    expressions: &[String],
) -> Result<Vec<i64>, Failure> {
    runner.ctx.register_table(LOOKED_AT, Arc::clone(rows))?;
    let query = format!("SELECT {} FROM {LOOKED_AT}", expressions.join(", "));
    let batches = sql(&runner.ctx, &query).await?.collect().await?;
    runner.ctx.deregister_table(LOOKED_AT)?;
    // The expressions are counts, whose type is Int64, over all rows, which give one row.
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    let value = |batch: &arrow::array::RecordBatch| {
        batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().value(0)).collect()
    };
    Ok(row.map(value).unwrap_or_default())
}
