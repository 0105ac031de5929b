//! Reads lists as people write them: `[a, f(b)]`, `(a, b)`, `'a, f(b) AS name'`, `{name: f(b)}`, `struct(f(b) AS name)`.

use datafusion::common::{DFSchema, DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::planner::SqlPlanner;
use crate::near_miss::excerpt;
use crate::plan::spec::has_column;

/// One item of a list as it was written.
#[derive(Debug, Clone)]
pub(super) struct ListItem {
    pub(super) sql: ast::Expr,
    /// The name that was given with AS or as a key; it is already normalised.
    pub(super) alias: Option<String>,
}

impl ListItem {
    /// The item as messages quote it.
    pub(super) fn text(&self) -> String {
        match &self.sql {
            ast::Expr::Identifier(ident) => ident.value.clone(),
            sql => sql.to_string(),
        }
    }
}

/// Reads a list in any of its forms; a single expression is a list of one. `what` names the items in error texts.
///
/// # Errors
/// A string in the list is not a list of SQL expressions.
pub(super) fn read_list(
    function: &str,
    what: &str,
    list: &ast::Expr,
    schema: &DFSchema,
    planner: &dyn SqlPlanner,
) -> Result<Vec<ListItem>> {
    let items = match list {
        ast::Expr::Dictionary(fields) => return Ok(named_items(fields, planner)),
        ast::Expr::Array(array) => array.elem.as_slice(),
        ast::Expr::Tuple(items) | ast::Expr::Struct { values: items, .. } => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut written = vec![];
    for item in items {
        match item {
            // One name in a list of expressions, as in [Computer, {program: process_name(path)}].
            ast::Expr::Dictionary(fields) => written.extend(named_items(fields, planner)),
            ast::Expr::Named { expr, name } => {
                written
                    .push(ListItem { sql: (**expr).clone(), alias: Some(planner.normalize(name.clone())) });
            }
            item => match string_literal(item) {
                Some(text) => written.extend(parse_list(function, what, text, schema, planner)?),
                None => written.push(ListItem { sql: item.clone(), alias: None }),
            },
        }
    }
    Ok(written)
}

fn named_items(fields: &[ast::DictionaryField], planner: &dyn SqlPlanner) -> Vec<ListItem> {
    let item = |field: &ast::DictionaryField| ListItem {
        sql: (*field.value).clone(),
        alias: Some(planner.normalize(field.key.clone())),
    };
    fields.iter().map(item).collect()
}

/// Parses a comma-separated list in one string, as in `'a, f(b) AS path'`.
///
/// # Errors
/// A piece is not a SQL expression.
pub(super) fn parse_list(
    function: &str,
    what: &str,
    text: &str,
    schema: &DFSchema,
    planner: &dyn SqlPlanner,
) -> Result<Vec<ListItem>> {
    let dialect = planner.dialect()?;
    split_list(dialect.as_ref(), text)
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            // A piece that is a column's name to the letter is that column, even if it is no SQL identifier.
            if has_column(schema, piece) {
                let sql = ast::Expr::Identifier(ast::Ident::with_quote('"', piece));
                return Ok(ListItem { sql, alias: None });
            }
            let mut parser = Parser::new(dialect.as_ref())
                .try_with_sql(piece)
                .map_err(|e| unreadable(function, what, piece, &e))?;
            let item = parser.parse_select_item().map_err(|e| unreadable(function, what, piece, &e))?;
            if parser.peek_token().token != Token::EOF {
                return plan_err!(
                    "{function}: can't read {what} '{}' behind '{}'; separate items with commas",
                    excerpt(piece),
                    excerpt(&item.to_string())
                );
            }
            match item {
                ast::SelectItem::UnnamedExpr(sql) => Ok(ListItem { sql, alias: None }),
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    Ok(ListItem { sql: expr, alias: Some(planner.normalize(alias)) })
                }
                _ => plan_err!(
                    "{function}: {what} '{}' names no column; list the columns one by one",
                    excerpt(piece)
                ),
            }
        })
        .collect()
}

fn unreadable(function: &str, what: &str, piece: &str, error: &dyn std::fmt::Display) -> DataFusionError {
    plan_datafusion_err!("{function}: can't read {what} '{}': {error}", excerpt(piece))
}

/// Cuts at the commas that stand outside of quotes, comments and brackets, as the dialect has them. From a place that
/// the tokenizer can't read, the rest is one piece, and the parser says why.
fn split_list<'a>(dialect: &dyn Dialect, text: &'a str) -> Vec<&'a str> {
    let mut tokens = vec![];
    // On an error it leaves the tokens before.
    let _ = Tokenizer::new(dialect, text).tokenize_with_location_into_buf(&mut tokens);
    let mut depth = 0_i32;
    let mut commas = vec![];
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth -= 1,
            Token::Comma if depth <= 0 => commas.push(token.span.start),
            _ => {}
        }
    }
    let (mut pieces, mut start, mut location) = (vec![], 0, Location::new(1, 1));
    for (position, character) in text.char_indices() {
        // The tokenizer counts lines in its own way: without this a place could be within a character.
        if character == ',' && commas.get(pieces.len()) == Some(&location) {
            pieces.push(text[start..position].trim());
            start = position + 1;
        }
        location = match character {
            '\n' => Location::new(location.line + 1, 1),
            _ => Location::new(location.line, location.column + 1),
        };
    }
    pieces.push(text[start..].trim());
    pieces
}

/// The text of a string constant.
pub(super) fn string_literal(sql: &ast::Expr) -> Option<&str> {
    match sql {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::SingleQuotedString(text)
            | ast::Value::EscapedStringLiteral(text)
            | ast::Value::DollarQuotedString(ast::DollarQuotedString { value: text, .. }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;

    use super::*;

    #[test]
    fn lists_are_cut_at_their_own_commas() {
        for (text, pieces) in [
            ("a, f(b, c) AS d", vec!["a", "f(b, c) AS d"]),
            ("[1, 2][1], {x: 1, y: 2}", vec!["[1, 2][1]", "{x: 1, y: 2}"]),
            ("'a,b', \"c,d\", $$e,f$$", vec!["'a,b'", "\"c,d\"", "$$e,f$$"]),
            ("é\n, b -- one, two\n, c", vec!["é", "b -- one, two", "c"]),
            ("Event ID, Größe in %, 0x3e7", vec!["Event ID", "Größe in %", "0x3e7"]),
            ("a, it's", vec!["a", "it's"]),
            ("a,, b,", vec!["a", "", "b", ""]),
            ("", vec![""]),
        ] {
            assert_eq!(split_list(&GenericDialect {}, text), pieces, "{text}");
        }
    }
}
