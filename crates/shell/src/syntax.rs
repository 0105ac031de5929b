//! Statements as syntax trees: parsed, and looked at before they are planned.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{self, ObjectNamePart, TableFactor, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;
use dbcluster_figures::Figure;

use super::depth::checked;
use super::failure::Failure;
use super::statements::dialect;
use datafusion_dbcluster::name_fields_by_strings;

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
    let lowered = checked(parsed)?.into_iter().map(|mut statement| {
        rewrite(&mut statement);
        statement
    });
    Ok(lowered.collect())
}

/// Folds the names of table functions to lower case, as the engine does with the names of all other functions, and lets
/// `user.name` be the field of a column.
fn rewrite(statement: &mut Statement) {
    struct Rewrite;

    impl VisitorMut for Rewrite {
        type Break = Infallible;

        fn pre_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<Infallible> {
            name_fields_by_strings(expr);
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Infallible> {
            if let TableFactor::Table { name, args: Some(_), .. } = table
                && let [ObjectNamePart::Identifier(name)] = name.0.as_mut_slice()
                && name.quote_style.is_none()
            {
                name.value.make_ascii_lowercase();
            }
            ControlFlow::Continue(())
        }
    }

    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut Rewrite);
        }
        Statement::Explain(explain) => rewrite(&mut explain.statement),
        _ => {}
    }
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

/// Whether a file format is that of a figure.
pub(super) fn names_figure(format: &str) -> bool {
    Figure::ALL.iter().any(|figure| figure.name().eq_ignore_ascii_case(format))
}
