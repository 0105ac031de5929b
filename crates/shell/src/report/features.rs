//! The features and the label of a report, as they are written.

use arrow::datatypes::Schema;
use datafusion::config::Dialect;
use datafusion::sql::sqlparser::ast::{Expr, SelectItem};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::Report;
use super::defaults::{Defaults, identifier};
use crate::failure::Failure;
use crate::statements::dialect;

/// Features as they stand in a SELECT list: also if they were given as `[f1, f2]` or `{name: f1}`, as `dbcluster` takes them.
pub(super) fn as_list(features: &str) -> Result<String, Failure> {
    let text = features.trim();
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Ok(list.to_string());
    }
    if !text.starts_with('{') {
        return Ok(features.to_string());
    }
    let unreadable = |error: &str| Failure::new(format!("--features '{features}': {error}"));
    let parser = Parser::new(&GenericDialect {}).try_with_sql(text);
    let read = parser.and_then(|mut parser| Ok((parser.parse_expr()?, parser.peek_token().token)));
    match read.map_err(|error| unreadable(&error.to_string()))? {
        (Expr::Dictionary(fields), Token::EOF) => {
            let fields = fields.iter().map(|field| format!("{} AS {}", field.value, field.key));
            Ok(fields.collect::<Vec<_>>().join(", "))
        }
        _ => Err(unreadable("expected {name: expression, ...} to end with the bracket")),
    }
}

/// The features as SQL, each with the name that dbcluster gives it: the one behind AS, or its text.
pub(crate) fn named(features: &str, name: Dialect) -> Result<Vec<(String, String)>, Failure> {
    let unreadable = |error: String| Failure::new(format!("--features '{features}': {error}"));
    let dialect = dialect(name);
    let parser = Parser::new(dialect.as_ref()).try_with_sql(features);
    let read = parser.and_then(|mut parser| Ok((parser.parse_projection()?, parser.peek_token().token)));
    let (items, rest) = read.map_err(|error| unreadable(error.to_string()))?;
    if rest != Token::EOF {
        return Err(unreadable(format!("can't read '{rest}'; separate features with commas")));
    }
    let item = |item: SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Ok((name.to_string(), name.value)),
        SelectItem::UnnamedExpr(expression) => Ok((expression.to_string(), expression.to_string())),
        SelectItem::ExprWithAlias { expr, alias } => Ok((expr.to_string(), alias.value)),
        other => Err(unreadable(format!("'{other}' is no feature; name each one"))),
    };
    items.into_iter().map(item).collect()
}

pub(super) fn features(
    report: &Report<'_>,
    defaults: Option<&Defaults>,
    input: &Schema,
) -> Result<String, Failure> {
    let features = report.features.or(defaults.map(|defaults| defaults.features.as_str()));
    features.map(ToString::to_string).ok_or_else(|| {
        Failure::new(format!(
            "{} has no column of text or numbers, so say what to cluster on, as in --features \"date_part('hour', time) AS hour\"; \
             its columns are: {}",
            report.table,
            listed(input)
        ))
    })
}

/// The name of a row.
pub(super) struct Label {
    pub(super) expression: String,
    pub(super) name: String,
}

pub(super) fn label(
    report: &Report<'_>,
    defaults: Option<&Defaults>,
    input: &Schema,
) -> Result<Label, Failure> {
    let (expression, name) = match (report.label, defaults) {
        (Some(column), _)
            if input.field_with_name(column).is_ok_and(|field| field.data_type().is_nested()) =>
        {
            return Err(Failure::new(format!(
                "--label {column} has no text but members; name one of them, as in --label \"{}['name']\"",
                identifier(column)
            )));
        }
        (Some(column), _) if has(input, column) => {
            return Ok(Label { expression: identifier(column), name: column.to_string() });
        }
        (Some(expression), _) => (expression, expression),
        (None, Some(defaults)) => (defaults.label.0.as_str(), defaults.label.1),
        (None, None) => {
            return Err(Failure::new(format!(
                "{} has no column of text or numbers, so say what a row is called, as in --label time; its columns are: {}",
                report.table,
                listed(input)
            )));
        }
    };
    Ok(Label { expression: expression.to_string(), name: name.to_string() })
}

pub(super) fn has(schema: &Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok()
}

fn listed(schema: &Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}
