//! Statements as syntax trees: parsed, and looked at before they are planned.

use std::borrow::Cow;
use std::ops::ControlFlow;

use datafusion::config::Dialect as DialectName;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, ObjectNamePart, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use datafusion_dbcluster::LogTableFactory;
use dbcluster_figures::Figure;

use super::depth::checked;
use super::failure::Failure;
use super::rewrite::{as_engine_knows, rewrite};
use super::statements::dialect;

/// Parses statements as the session is set to read them.
///
/// # Errors
/// They can't be read, or something in them nests too deep to be planned.
pub(super) fn parse(ctx: &SessionContext, tokens: Vec<TokenWithSpan>) -> Result<Vec<Statement>, Failure> {
    let (dialect_name, recursion_limit) = {
        let state = ctx.state_ref();
        let state = state.read();
        let parser = &state.config_options().sql_parser;
        (parser.dialect, parser.recursion_limit.get())
    };
    let dialect = dialect(dialect_name);
    let parsed = DFParserBuilder::new(tokens)
        .with_dialect(dialect.as_ref())
        .with_recursion_limit(recursion_limit)
        .build()?
        .parse_statements()?;
    checked(parsed)?
        .into_iter()
        .map(|mut statement| {
            rewrite(&mut statement)?;
            Ok(as_engine_knows(statement)?)
        })
        .collect()
}

/// A text as SQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Puts a tab in place of `'\t'` where a `CREATE EXTERNAL TABLE` names a delimiter, since the engine takes one character.
/// Returns the text of the statement with the same change.
pub(super) fn with_tabs<'a>(text: &'a str, tokens: &mut [TokenWithSpan], name: DialectName) -> Cow<'a, str> {
    if !text.contains(r"'\t'") || !is_external_table(tokens) {
        return Cow::Borrowed(text);
    }
    put_tabs(tokens.iter_mut().map(|token| &mut token.token));
    let dialect = dialect(name);
    // Tokens whose escapes are left alone print as they were written.
    match Tokenizer::new(dialect.as_ref(), text).with_unescape(false).tokenize() {
        Ok(mut raw) => {
            put_tabs(raw.iter_mut());
            Cow::Owned(raw.iter().map(ToString::to_string).collect())
        }
        Err(_) => Cow::Borrowed(text),
    }
}

/// Whether a statement begins with `CREATE [UNBOUNDED] EXTERNAL TABLE`.
fn is_external_table(tokens: &[TokenWithSpan]) -> bool {
    let mut words = tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    });
    words.next() == Some(Keyword::CREATE) && words.take(4).any(|word| word == Keyword::EXTERNAL)
}

fn put_tabs<'a>(tokens: impl Iterator<Item = &'a mut Token>) {
    let mut follows_delimiter = false;
    for token in tokens {
        match token {
            Token::Whitespace(_) => continue,
            Token::SingleQuotedString(text) if follows_delimiter && text == r"\t" => *text = "\t".to_string(),
            _ => {}
        }
        follows_delimiter = match token {
            Token::Word(word) => word.value.eq_ignore_ascii_case("delimiter"),
            Token::SingleQuotedString(text) => text.to_ascii_lowercase().ends_with("delimiter"),
            _ => false,
        };
    }
}

/// Whether the columns of a query's result are those that its tables have, `SELECT *`.
pub(super) fn has_wildcard(statement: &Statement) -> bool {
    fn of_query(query: &ast::Query) -> bool {
        match query.body.as_ref() {
            ast::SetExpr::Select(select) => select.projection.iter().any(|item| {
                matches!(item, ast::SelectItem::Wildcard(_) | ast::SelectItem::QualifiedWildcard(..))
            }),
            ast::SetExpr::Query(query) => of_query(query),
            _ => false,
        }
    }
    match statement {
        Statement::Statement(sql) => match sql.as_ref() {
            ast::Statement::Query(query) => of_query(query),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a statement is a query.
pub(super) fn is_query(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(sql) if matches!(**sql, ast::Statement::Query(_)))
}

/// The first table that a query reads, as it stands behind FROM: of a call that clusters or hunts, the table that it is about.
pub(super) fn read_table(statement: &Statement) -> Option<String> {
    struct Search;

    impl Visitor for Search {
        type Break = String;

        fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<String> {
            let TableFactor::Table { name, args, .. } = table else { return ControlFlow::Continue(()) };
            let name = name.to_string();
            let small = name.to_ascii_lowercase();
            match args {
                None if small.starts_with("information_schema.") => ControlFlow::Continue(()),
                None => ControlFlow::Break(name),
                Some(args) if small.starts_with("dbcluster") || small.starts_with("hunt") => {
                    match args.args.first() {
                        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(table))) => {
                            ControlFlow::Break(table.to_string())
                        }
                        _ => ControlFlow::Continue(()),
                    }
                }
                Some(args) => {
                    let args: Vec<String> = args.args.iter().map(ToString::to_string).collect();
                    ControlFlow::Break(format!("{name}({})", args.join(", ")))
                }
            }
        }
    }

    let Statement::Statement(statement) = statement else { return None };
    statement.visit(&mut Search).break_value()
}

/// The name of the table or view that a statement makes.
pub(super) fn created_table(statement: &Statement) -> Option<String> {
    let Statement::Statement(statement) = statement else { return None };
    let name = match statement.as_ref() {
        ast::Statement::CreateTable(table) => &table.name,
        ast::Statement::CreateView(view) => &view.name,
        _ => return None,
    };
    match name.0.last() {
        Some(ObjectNamePart::Identifier(name)) => Some(name.value.clone()),
        _ => None,
    }
}

/// Whether this is a `SHOW` of settings.
pub(super) fn shows_settings(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(sql) if matches!(**sql, ast::Statement::ShowVariable { .. }))
}

/// Whether a statement writes a figure: `COPY ... STORED AS BAR`, or a table of such files.
pub(super) fn is_figure(statement: &Statement) -> bool {
    match statement {
        Statement::CopyTo(copy) => copy.stored_as.as_deref().is_some_and(names_figure),
        Statement::CreateExternalTable(table) => names_figure(&table.file_type),
        _ => false,
    }
}

/// Whether a statement makes a table of logs: `CREATE EXTERNAL TABLE ... STORED AS LOGS`.
pub(super) fn makes_logs(statement: &Statement) -> bool {
    match statement {
        Statement::CreateExternalTable(table) => [LogTableFactory::NAME, LogTableFactory::EVTX]
            .iter()
            .any(|name| table.file_type.eq_ignore_ascii_case(name)),
        _ => false,
    }
}

/// Whether a file format is that of a figure.
pub(super) fn names_figure(format: &str) -> bool {
    Figure::ALL.iter().any(|figure| figure.name().eq_ignore_ascii_case(format))
}

#[cfg(test)]
mod tests {
    use super::super::statements::{Piece, Script};
    use super::*;

    #[test]
    fn tabs_are_delimiters() {
        let table = |options: &str| {
            format!(
                "CREATE EXTERNAL TABLE t (c VARCHAR DEFAULT 'it''s') STORED AS CSV -- tabs\nLOCATION 'a\\b.tsv' OPTIONS ({options})"
            )
        };
        for (text, expected) in [
            (table(r"'format.delimiter' '\t'"), table("'format.delimiter' '\t'")),
            (
                table(r"format.delimiter  '\t', 'format.comment' '\t'"),
                table("format.delimiter  '\t', 'format.comment' '\\t'"),
            ),
            (table(r"delimiter ';'"), table("delimiter ';'")),
            (
                r"SELECT 'delimiter', delimiter '\t'".to_string(),
                r"SELECT 'delimiter', delimiter '\t'".to_string(),
            ),
        ] {
            let mut script = Script::new(&text);
            let Some(Piece::Statement { mut statement, .. }) = script.next(DialectName::Generic) else {
                panic!("expected a statement")
            };
            assert_eq!(with_tabs(statement.text, &mut statement.tokens, DialectName::Generic), expected);
            let has_tab = statement
                .tokens
                .iter()
                .any(|token| token.token == Token::SingleQuotedString("\t".to_string()));
            assert_eq!(has_tab, text != expected);
        }
    }
}
