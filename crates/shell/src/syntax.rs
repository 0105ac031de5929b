//! Statements as syntax trees: parsed, and looked at before they are planned.

use std::ops::ControlFlow;

use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, ObjectNamePart, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
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
pub(super) fn put_tabs(tokens: &mut [TokenWithSpan]) {
    if !is_external_table(tokens) {
        return;
    }
    let mut follows_delimiter = false;
    for token in tokens.iter_mut().map(|token| &mut token.token) {
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

/// Whether a statement begins with `CREATE [UNBOUNDED] EXTERNAL TABLE`.
fn is_external_table(tokens: &[TokenWithSpan]) -> bool {
    let mut words = tokens.iter().filter_map(|token| match &token.token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    });
    words.next() == Some(Keyword::CREATE) && words.take(4).any(|word| word == Keyword::EXTERNAL)
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

/// Whether a file format is that of logs, as in `CREATE EXTERNAL TABLE ... STORED AS LOGS`.
pub(super) fn names_logs(format: &str) -> bool {
    [LogTableFactory::NAME, LogTableFactory::EVTX].iter().any(|name| format.eq_ignore_ascii_case(name))
}

/// Whether a file format is that of a figure.
pub(super) fn names_figure(format: &str) -> bool {
    Figure::ALL.iter().any(|figure| figure.name().eq_ignore_ascii_case(format))
}

#[cfg(test)]
mod tests {
    use datafusion::config::Dialect as DialectName;

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
            (table(r"'format.delimiter' '\t'"), 1),
            (table(r"format.delimiter  '\t', 'format.comment' '\t'"), 1),
            (table(r"delimiter ';'"), 0),
            (r"SELECT 'delimiter', delimiter '\t'".to_string(), 0),
        ] {
            let mut script = Script::new(&text);
            let Some(Piece::Statement { mut statement, .. }) = script.next(DialectName::Generic) else {
                panic!("expected a statement")
            };
            put_tabs(&mut statement.tokens);
            let tab = Token::SingleQuotedString("\t".to_string());
            assert_eq!(
                statement.tokens.iter().filter(|token| token.token == tab).count(),
                expected,
                "{text}"
            );
        }
    }
}
