//! `SUMMARIZE x`: a row for each column of a table, with its type, its NULLs, how many values it has, and the least and the greatest.

use arrow::datatypes::Field;
use datafusion::prelude::SessionContext;

use super::depth::sql;
use super::failure::Failure;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::quoted_name;

/// The statement that summarizes a table: a name, a path in quotes, a call, or a query.
pub(super) async fn statement(ctx: &SessionContext, what: &str) -> Result<String, Failure> {
    let table = table(what);
    let frame = sql(ctx, &format!("SELECT * FROM {table}")).await;
    let frame = frame.map_err(|failure| failure.with_hint(&format!("SELECT * FROM {what}")))?;
    let columns: Vec<String> = frame.schema().fields().iter().map(|field| of_column(field)).collect();
    if columns.is_empty() {
        return Err(Failure::new(format!("{what} has no columns to summarize")));
    }
    // One look at the table computes all of it, as one row with a list that has an element for each column.
    Ok(format!(
        "SELECT s['column'] AS \"column\", s['type'] AS type, s['rows'] AS rows, s['nulls'] AS nulls, \
         s['distinct'] AS \"distinct\", s['least'] AS least, s['greatest'] AS greatest, s['mean'] AS mean \
         FROM (SELECT unnest(l) AS s FROM (SELECT [{}] AS l FROM {table}))",
        columns.join(", ")
    ))
}

/// The table as it stands behind FROM.
pub(super) fn table(what: &str) -> String {
    let what = what.trim();
    let first = what.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    if first.eq_ignore_ascii_case("from") {
        return format!("(SELECT * {what})");
    }
    let is_query = ["select", "with", "values"].iter().any(|word| first.eq_ignore_ascii_case(word));
    if is_query { format!("({what})") } else { what.to_string() }
}

/// The figures of a column, as a struct.
fn of_column(field: &Field) -> String {
    let column = quoted_name(field.name());
    let of = field.data_type();
    // Lists and structs have no order.
    let (text, least, greatest) = if of.is_nested() {
        ("CAST(NULL AS VARCHAR)".to_string(), "NULL".to_string(), "NULL".to_string())
    } else {
        (format!("CAST({column} AS VARCHAR)"), format!("min({column})"), format!("max({column})"))
    };
    let mean = if of.is_numeric() { format!("avg({column})") } else { "NULL".to_string() };
    format!(
        "{{'column': {}, 'type': {}, 'rows': count(*), 'nulls': count(*) - count({column}), \
         'distinct': approx_distinct({text}), 'least': CAST({least} AS VARCHAR), 'greatest': CAST({greatest} AS VARCHAR), \
         'mean': CAST({mean} AS DOUBLE)}}",
        quoted(field.name()),
        quoted(&of.to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_behind_from() {
        for (what, expected) in [
            ("events", "events"),
            ("'a b.csv'", "'a b.csv'"),
            ("SELECT 1 AS a", "(SELECT 1 AS a)"),
            ("FROM x WHERE y", "(SELECT * FROM x WHERE y)"),
            ("(SELECT 1)", "(SELECT 1)"),
            ("selection", "selection"),
        ] {
            assert_eq!(table(what), expected);
        }
    }
}
