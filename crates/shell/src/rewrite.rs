//! Changes of a syntax tree before it is planned.
//!
//! The parser reads more than the engine plans. What has one meaning in the SQL that people bring along is put as the engine knows it:
//!
//! | written | planned as |
//! |---|---|
//! | `FROM x`, `FROM x SELECT a` | `SELECT * FROM x`, `SELECT a FROM x` |
//! | `SELECT TOP 5 a` | `... LIMIT 5` |
//! | `ORDER BY ALL` | `ORDER BY 1, 2, ...` |
//! | `a ANTI JOIN b`, `a SEMI JOIN b` | `a LEFT ANTI JOIN b`, `a LEFT SEMI JOIN b` |
//! | `a RLIKE b`, `a REGEXP b` | `a ~ b` |
//! | `SHOW COLUMNS FROM x`, `SHOW FUNCTIONS LIKE 'x'`, `SHOW TABLES LIKE 'x'` | `DESCRIBE x`, and queries of the catalog |
//! | `RESET dbcluster.x` | `SET dbcluster.x = ''`: the engine resets settings of its own only |
//!
//! `TABLESAMPLE`, which the engine reads and passes over, is an error: its rows would not be those that were asked for.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::common::Result as DataFusionResult;
use datafusion::sql::parser::{CopyToSource, DFParser, ResetStatement, Statement};
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, JoinOperator, LimitClause, ObjectNamePart, OrderByKind, SetExpr,
    ShowStatementFilter, ShowStatementFilterPosition, TableFactor, TopQuantity, Value, VisitMut, Visitor,
    VisitorMut,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::failure::Failure;
use super::syntax::quoted;
use datafusion_dbcluster::name_fields_by_strings;

/// Puts `SELECT *` before a FROM that begins a query without a SELECT. The parser reads `FROM x SELECT a`, but no clause
/// behind `FROM x` alone.
pub(super) fn select_all_first(tokens: &mut Vec<TokenWithSpan>) {
    let is = |token: &TokenWithSpan, keywords: &[Keyword]| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && keywords.contains(&word.keyword));
    let mut places = vec![];
    // None before the first word. The engine's CREATE TABLE and EXPLAIN have their query behind these words.
    let mut before: Option<&TokenWithSpan> = None;
    for (at, token) in tokens.iter().enumerate() {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let begins = before.is_none_or(|before| {
            before.token == Token::LParen
                || is(before, &[Keyword::AS, Keyword::EXPLAIN, Keyword::ANALYZE, Keyword::VERBOSE])
        });
        if begins
            && is(token, &[Keyword::FROM])
            && !selects(&tokens[at..], |token| is(token, &[Keyword::SELECT]))
        {
            places.push(at);
        }
        before = Some(token);
    }
    for at in places.iter().rev() {
        let span = tokens[*at].span;
        let words = [Token::make_keyword("SELECT"), Token::Mul];
        tokens.splice(at..at, words.map(|word| TokenWithSpan::new(word, span)));
    }
}

/// Whether a query, from its FROM to its end or its closing bracket, has a SELECT of its own.
fn selects(tokens: &[TokenWithSpan], is_select: impl Fn(&TokenWithSpan) -> bool) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return false,
            Token::RParen => depth -= 1,
            _ if depth == 0 && is_select(token) => return true,
            _ => {}
        }
    }
    false
}

/// Changes a statement to what the engine plans.
///
/// # Errors
/// The engine would pass over a part of it.
pub(super) fn rewrite(statement: &mut Statement) -> Result<(), Failure> {
    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut Rewrite);
            refuse_samples(statement.as_ref())
        }
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => {
                let _ = query.visit(&mut Rewrite);
                refuse_samples(query.as_ref())
            }
            CopyToSource::Relation(_) => Ok(()),
        },
        Statement::Explain(explain) => rewrite(&mut explain.statement),
        _ => Ok(()),
    }
}

/// Puts a statement that the engine has in another form into that form.
pub(super) fn as_engine_knows(statement: Statement) -> DataFusionResult<Statement> {
    let text = match &statement {
        Statement::Reset(ResetStatement::Variable(name))
            if name.to_string().to_ascii_lowercase().starts_with("dbcluster.") =>
        {
            Some(format!("SET {name} = ''"))
        }
        Statement::Statement(sql) => match sql.as_ref() {
            ast::Statement::ShowFunctions { filter } => Some(functions(filter.as_ref())),
            ast::Statement::ShowColumns { show_options, .. } if show_options.filter_position.is_none() => {
                let table = show_options.show_in.as_ref().and_then(|shown| shown.parent_name.as_ref());
                table.map(|table| format!("DESCRIBE {table}"))
            }
            ast::Statement::ShowTables { show_options, .. } => match &show_options.filter_position {
                Some(
                    ShowStatementFilterPosition::Infix(filter) | ShowStatementFilterPosition::Suffix(filter),
                ) => Some(format!(
                    "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables{} ORDER BY 1, 2, 3",
                    filtered("table_name", Some(filter))
                )),
                None => None,
            },
            _ => None,
        },
        _ => None,
    };
    match text {
        Some(text) => Ok(DFParser::parse_sql(&text)?.pop_front().unwrap_or(statement)),
        None => Ok(statement),
    }
}

/// The query for `SHOW FUNCTIONS`. The engine's own leaves out functions whose arguments have no one type, which are most of ours.
fn functions(filter: Option<&ShowStatementFilter>) -> String {
    format!(
        "SELECT DISTINCT routine_name AS function_name, function_type, syntax_example, description \
         FROM information_schema.routines{} ORDER BY 1, 2",
        filtered("routine_name", filter)
    )
}

fn filtered(column: &str, filter: Option<&ShowStatementFilter>) -> String {
    match filter {
        None => String::new(),
        Some(ShowStatementFilter::Like(pattern) | ShowStatementFilter::NoKeyword(pattern)) => {
            format!(" WHERE {column} LIKE {}", quoted(pattern))
        }
        Some(ShowStatementFilter::ILike(pattern)) => format!(" WHERE {column} ILIKE {}", quoted(pattern)),
        Some(ShowStatementFilter::Where(condition)) => format!(" WHERE {condition}"),
    }
}

/// Fails if a query asks for a sample, which the engine takes for all rows.
fn refuse_samples(tree: &impl ast::Visit) -> Result<(), Failure> {
    struct Search;

    impl Visitor for Search {
        type Break = ();

        fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
            match table {
                TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    if tree.visit(&mut Search).is_break() {
        return Err(Failure::new(
            "TABLESAMPLE is not implemented: WHERE random() < 0.1 keeps about a tenth of the rows, and LIMIT 100 the first hundred",
        ));
    }
    Ok(())
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Infallible> {
        order_by_all(query);
        limit_to_top(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<Infallible> {
        select_from_first(select);
        for joins in select.from.iter_mut().map(|table| &mut table.joins) {
            for join in joins {
                name_side(&mut join.join_operator);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
        name_fields_by_strings(expr);
        if let Expr::RLike { negated, expr: left, pattern, .. } = expr {
            // The values that are left behind are dropped with the node.
            let none = || Box::new(Expr::Value(Value::Null.into()));
            let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
            let (left, right) = (std::mem::replace(left, none()), std::mem::replace(pattern, none()));
            *expr = Expr::BinaryOp { left, op, right };
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Infallible> {
        match table {
            // The engine folds the names of all other functions.
            TableFactor::Table { name, args: Some(_), .. } => {
                if let [ObjectNamePart::Identifier(name)] = name.0.as_mut_slice()
                    && name.quote_style.is_none()
                {
                    name.value.make_ascii_lowercase();
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                table_with_joins.joins.iter_mut().for_each(|join| name_side(&mut join.join_operator));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn select_from_first(select: &mut ast::Select) {
    if !matches!(select.flavor, ast::SelectFlavor::Standard) {
        select.flavor = ast::SelectFlavor::Standard;
        if select.projection.is_empty() {
            let all = ast::WildcardAdditionalOptions::default();
            select.projection.push(ast::SelectItem::Wildcard(all));
        }
    }
}

fn name_side(join: &mut JoinOperator) {
    let named = match join {
        JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint.clone()),
        JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint.clone()),
        _ => return,
    };
    *join = named;
}

/// `ORDER BY ALL` orders by each column of a list in turn.
fn order_by_all(query: &mut ast::Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let is_list = select
        .projection
        .iter()
        .all(|item| matches!(item, ast::SelectItem::UnnamedExpr(_) | ast::SelectItem::ExprWithAlias { .. }));
    let columns = select.projection.len();
    let Some(order) = query.order_by.as_mut().filter(|_| is_list) else { return };
    let options = match &order.kind {
        OrderByKind::All(options) => *options,
        OrderByKind::Expressions(expressions) => match expressions.as_slice() {
            [ast::OrderByExpr { expr: Expr::Identifier(name), options, .. }]
                if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all") =>
            {
                *options
            }
            _ => return,
        },
    };
    let by_place = (1..=columns).map(|place| ast::OrderByExpr {
        expr: number(&place.to_string()),
        options,
        with_fill: None,
    });
    order.kind = OrderByKind::Expressions(by_place.collect());
}

/// `SELECT TOP 5` is `LIMIT 5`.
fn limit_to_top(query: &mut ast::Query) {
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let limit = match &select.top {
        Some(ast::Top { with_ties: false, percent: false, quantity: Some(quantity) }) => match quantity {
            TopQuantity::Constant(rows) => number(&rows.to_string()),
            TopQuantity::Expr(rows) => rows.clone(),
        },
        _ => return,
    };
    select.top = None;
    query.limit_clause =
        Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by: vec![] });
}

fn number(text: &str) -> Expr {
    Expr::Value(Value::Number(text.to_string(), false).into())
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn rewritten(sql: &str) -> String {
        let mut statement = DFParser::parse_sql(sql).expect("SQL").pop_front().expect("a statement");
        rewrite(&mut statement).expect("nothing is refused");
        as_engine_knows(statement).expect("SQL").to_string()
    }

    #[test]
    fn statements_are_put_as_the_engine_knows_them() {
        for (written, expected) in [
            ("FROM x", "SELECT * FROM x"),
            ("FROM x SELECT a WHERE b", "SELECT a FROM x WHERE b"),
            ("SELECT * FROM (FROM x) y", "SELECT * FROM (SELECT * FROM x) y"),
            ("SELECT TOP 5 a FROM x ORDER BY a", "SELECT a FROM x ORDER BY a LIMIT 5"),
            (
                "SELECT a, count(*) FROM x GROUP BY a ORDER BY ALL DESC",
                "SELECT a, count(*) FROM x GROUP BY a ORDER BY 1 DESC, 2 DESC",
            ),
            ("SELECT * FROM a ANTI JOIN b ON a.x = b.x", "SELECT * FROM a LEFT ANTI JOIN b ON a.x = b.x"),
            ("SELECT * FROM a SEMI JOIN b USING(x)", "SELECT * FROM a LEFT SEMI JOIN b USING(x)"),
            ("SELECT a FROM x WHERE NOT a RLIKE 'b'", "SELECT a FROM x WHERE NOT a ~ 'b'"),
            ("SHOW COLUMNS FROM 'a b.csv'", "DESCRIBE 'a b.csv'"),
            ("RESET dbcluster.x", "SET dbcluster.x = ''"),
            ("SELECT a FROM x ORDER BY a LIMIT 1", "SELECT a FROM x ORDER BY a LIMIT 1"),
        ] {
            assert_eq!(rewritten(written), expected, "{written}");
        }
        assert!(rewritten("SHOW FUNCTIONS LIKE 'cmd%'").contains("routine_name LIKE 'cmd%'"));
        assert!(rewritten("SHOW TABLES LIKE 'a''b'").contains("table_name LIKE 'a''b'"));
    }

    #[test]
    fn queries_may_begin_with_from() {
        for (written, expected) in [
            ("FROM x WHERE a", "SELECT*FROM x WHERE a"),
            ("-- all\nFROM x", "-- all\nSELECT*FROM x"),
            ("CREATE TABLE t AS FROM x LIMIT 1", "CREATE TABLE t AS SELECT*FROM x LIMIT 1"),
            ("COPY (FROM x WHERE b) TO 'y'", "COPY (SELECT*FROM x WHERE b) TO 'y'"),
            (
                "FROM (FROM x LIMIT 1) y WHERE a IN (SELECT b)",
                "SELECT*FROM (SELECT*FROM x LIMIT 1) y WHERE a IN (SELECT b)",
            ),
            ("FROM x SELECT a", "FROM x SELECT a"),
            (
                "SELECT extract(day FROM t), a IS DISTINCT FROM b FROM x",
                "SELECT extract(day FROM t), a IS DISTINCT FROM b FROM x",
            ),
        ] {
            let mut tokens = vec![];
            let tokenized =
                Tokenizer::new(&GenericDialect {}, written).tokenize_with_location_into_buf(&mut tokens);
            tokenized.expect("tokens");
            select_all_first(&mut tokens);
            let text: String = tokens.iter().map(|token| token.token.to_string()).collect();
            assert_eq!(text, expected, "{written}");
        }
    }

    #[test]
    fn samples_are_refused() {
        let mut statement =
            DFParser::parse_sql("SELECT 1 WHERE 1 IN (SELECT a FROM x TABLESAMPLE (10 ROWS))");
        let statement = statement.as_mut().expect("SQL").front_mut().expect("a statement");
        assert!(rewrite(statement).is_err());
    }
}
