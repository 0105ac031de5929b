//! The table of a report: a file, a call or a query, as SQL; and the part of it that is compared.

use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type, Schema};
use datafusion::prelude::SessionContext;
use indicatif::HumanCount;

use super::defaults::identifier;
use crate::depth::sql;
use crate::failure::Failure;
use crate::syntax::quoted;

/// A table as SQL: a file's name, or a query as it is.
pub(crate) fn relation(table: &str) -> String {
    let table = table.trim();
    if table.starts_with('(') {
        table.to_string()
    } else if is_query(table) {
        format!("({})", table.trim_end_matches([';', ' ', '\n']))
    } else if is_call(table) {
        format!("(SELECT * FROM {table})")
    } else {
        quoted(table)
    }
}

/// Whether a table is a query without its brackets, and no file of such a name.
fn is_query(table: &str) -> bool {
    let first = table.split_ascii_whitespace().next().unwrap_or_default();
    ["select", "with"].iter().any(|word| first.eq_ignore_ascii_case(word))
        && first != table
        && !Path::new(table).exists()
}

/// Whether a table is `read('path', ...)` or another table function, and no file of such a name.
fn is_call(table: &str) -> bool {
    let Some((name, _)) = table.strip_suffix(')').and_then(|call| call.split_once('(')) else { return false };
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !Path::new(table).exists()
}

/// The texts of a table of an unknown kind that are looked at for differences.
const TEXTS_LOOKED_AT: usize = 100;

/// Leaves out the rows of other kinds, and says how many they are.
pub(super) async fn only(
    ctx: &SessionContext,
    table: String,
    rows: &str,
) -> Result<(String, String), Failure> {
    let others = format!("SELECT count(*) FROM {table} WHERE ({rows}) IS NOT TRUE");
    let batches = sql(ctx, &others).await?.collect().await?;
    let others: i64 =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values()).sum();
    Ok(match others {
        0 => (table, String::new()),
        1 => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            "1 event of another kind is left out.".to_string(),
        ),
        others => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            format!("{} events of other kinds are left out.", HumanCount(others.unsigned_abs())),
        ),
    })
}

/// The columns of a table of an unknown kind without those texts that are the same in all rows, or NULL in most: they tell no events apart.
pub(super) async fn with_differences(
    ctx: &SessionContext,
    table: &str,
    input: &Schema,
) -> Result<Schema, Failure> {
    let is_text =
        |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let texts: Vec<&str> = input
        .fields()
        .iter()
        .filter(|field| is_text(field.data_type()))
        .map(|field| field.name().as_str())
        .take(TEXTS_LOOKED_AT)
        .collect();
    if texts.is_empty() {
        return Ok(input.clone());
    }
    let figures = texts.iter().map(|name| {
        let column = identifier(name);
        format!("(min({column}) IS DISTINCT FROM max({column})) AND (2 * count({column}) >= count(*))")
    });
    let query = format!("SELECT {} FROM {table}", figures.collect::<Vec<_>>().join(", "));
    let batches = sql(ctx, &query).await?.collect().await?;
    let differs = |at: usize| {
        batches.iter().any(|batch| {
            let column = batch.column(at).as_boolean();
            (0..batch.num_rows()).any(|row| column.value(row))
        })
    };
    let alike: Vec<&str> =
        texts.iter().enumerate().filter(|(at, _)| !differs(*at)).map(|(_, name)| *name).collect();
    if alike.len() == texts.len() {
        return Ok(input.clone());
    }
    let fields = input.fields().iter().filter(|field| !alike.contains(&field.name().as_str()));
    Ok(Schema::new(fields.map(std::sync::Arc::clone).collect::<Vec<_>>()))
}
