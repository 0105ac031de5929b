//! Tells about a clustering that has run: the eps that `eps => 'auto'` has taken, and advice where a result tells little.
//!
//! One cluster that holds everything, or rows that are all noise, are right answers to a question that was not meant. So a line says why
//! it is so, and the statement to go on with, written with the table and the features of the call.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, FunctionArg, FunctionArgExpr, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_dbcluster::dbscan::Scaling;
use datafusion_dbcluster::{AutoEps, DbscanExec, Found};

/// The options of a call that shape the distance between rows, which the advice keeps.
const KEPT: [&str; 5] = ["scaling", "weights", "metric", "nulls", "partition_by"];

/// The least number of different vectors for which few clusters without noise are worth a word.
const FEW_VECTORS: usize = 10;

/// The options of `dbcluster` that other functions do not have.
const OF_DBCLUSTER_ALONE: [&str; 4] = ["keep_members", "distinct_of", "template_of", "activity"];

/// The functions of features by which values differ that a reader knows by their names, the best first.
const OF_NAMES: [&str; 4] = ["path_score", "process_name", "string_score", "crc32_hash"];

/// The call that a statement clusters with, as it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    table: String,
    features: String,
    /// The kept options, each as `name => value`.
    options: Vec<(String, String)>,
    /// All arguments, for a call of `dbcluster_members`.
    all: String,
    /// The same for a call of `dbcluster_values`, and the column that tells most, if rows of `dbcluster` hide values that nobody has
    /// asked for.
    hides: Option<(String, String)>,
}

impl Call {
    /// The first call of a statement to a function that clusters a table.
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        struct Search;

        impl Visitor for Search {
            type Break = Call;

            fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Call> {
                match Call::of_table(table) {
                    Some(call) => ControlFlow::Break(call),
                    None => ControlFlow::Continue(()),
                }
            }
        }

        let found = match statement {
            Statement::Statement(statement) => {
                let mut found = statement.visit(&mut Search).break_value();
                if let Some(call) = &mut found {
                    // A name of a WITH is known in its statement alone.
                    call.hides =
                        call.hides.take().filter(|_| !names_of_with(statement).contains(&call.table));
                }
                return found;
            }
            Statement::CopyTo(copy) => match &copy.source {
                CopyToSource::Query(query) => query.visit(&mut Search),
                CopyToSource::Relation(_) => return None,
            },
            _ => return None,
        };
        found.break_value()
    }

    fn of_table(table: &TableFactor) -> Option<Self> {
        let TableFactor::Table { name, args: Some(args), .. } = table else { return None };
        if !name.to_string().to_ascii_lowercase().starts_with("dbcluster") {
            return None;
        }
        let all: Vec<String> = args.args.iter().map(ToString::to_string).collect();
        let all = all.join(", ");
        let mut unnamed = vec![];
        let mut options = vec![];
        for argument in &args.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => unnamed.push(value.to_string()),
                FunctionArg::Named { name, arg, .. } => options.push((name.value.clone(), arg.to_string())),
                FunctionArg::ExprNamed { name: ast::Expr::Identifier(name), arg, .. } => {
                    options.push((name.value.clone(), arg.to_string()));
                }
                _ => {}
            }
        }
        let asks_for_more =
            options.iter().any(|(name, _)| OF_DBCLUSTER_ALONE.contains(&name.to_ascii_lowercase().as_str()));
        let hides_values = name.to_string().eq_ignore_ascii_case("dbcluster") && !asks_for_more;
        let hides = telling_column(&args.args).filter(|_| hides_values).map(|column| (all.clone(), column));
        options.retain(|(name, _)| KEPT.contains(&name.to_ascii_lowercase().as_str()));
        let mut unnamed = unnamed.into_iter();
        Some(Self { table: unnamed.next()?, features: unnamed.next()?, options, all, hides })
    }

    /// The options behind the arguments, with another scaling if there is one.
    fn options(&self, scaling: Option<&str>) -> String {
        let kept = self
            .options
            .iter()
            .filter(|(name, _)| scaling.is_none() || !name.eq_ignore_ascii_case("scaling"));
        let kept = kept.map(|(name, value)| format!(", {name} => {value}"));
        kept.chain(scaling.map(|scaling| format!(", scaling => '{scaling}'"))).collect()
    }

    /// The statement that shows what each eps gives.
    fn every_eps(&self, scaling: Option<&str>) -> String {
        format!(
            "SELECT eps, clusters, noise, largest_share FROM dbcluster_eps({}, {}{})",
            self.table,
            self.features,
            self.options(scaling)
        )
    }
}

/// The names that the WITH of a query gives.
fn names_of_with(statement: &ast::Statement) -> Vec<String> {
    let ast::Statement::Query(query) = statement else { return vec![] };
    let tables = query.with.iter().flat_map(|with| &with.cte_tables);
    tables.map(|table| table.alias.name.to_string()).collect()
}

/// The column that a reader knows best among those that the features are made of.
fn telling_column(arguments: &[FunctionArg]) -> Option<String> {
    /// The columns, each with the place of the function around it in [`OF_NAMES`].
    #[derive(Default)]
    struct Columns {
        within: Vec<usize>,
        found: Vec<(usize, String)>,
        /// How many accesses to members are around.
        members: usize,
    }

    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
            match expr {
                ast::Expr::Function(function) => {
                    let name = function.name.to_string().to_ascii_lowercase();
                    let place = OF_NAMES.iter().position(|known| *known == name).unwrap_or(OF_NAMES.len());
                    let around = self.within.last().copied().unwrap_or(OF_NAMES.len());
                    self.within.push(place.min(around));
                }
                ast::Expr::Identifier(_) | ast::Expr::CompoundFieldAccess { .. } if self.members == 0 => {
                    let place = self.within.last().copied().unwrap_or(OF_NAMES.len());
                    self.found.push((place, expr.to_string()));
                }
                _ => {}
            }
            self.members += usize::from(matches!(expr, ast::Expr::CompoundFieldAccess { .. }));
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
            if matches!(expr, ast::Expr::Function(_)) {
                self.within.pop();
            }
            self.members -= usize::from(matches!(expr, ast::Expr::CompoundFieldAccess { .. }));
            ControlFlow::Continue(())
        }
    }

    let mut unnamed = arguments.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    });
    let mut columns = Columns::default();
    let features = unnamed.nth(1)?;
    // Nothing breaks the visit.
    let _ = match features {
        // A list of features in a string.
        ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::SingleQuotedString(list), .. }) => {
            let parser = Parser::new(&GenericDialect {}).try_with_sql(list);
            parser.and_then(|mut parser| parser.parse_projection()).ok()?.visit(&mut columns)
        }
        features => features.visit(&mut columns),
    };
    columns.found.into_iter().min_by_key(|(place, _)| *place).map(|(_, column)| column)
}

/// Advice about a comparison with NULL, which is never true.
pub(super) fn about_nulls(statement: &Statement) -> Option<&'static str> {
    struct Search;

    impl Visitor for Search {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
            let is_null = |side: &ast::Expr| {
                matches!(side, ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Null, .. }))
            };
            match expr {
                ast::Expr::BinaryOp { left, op: BinaryOperator::Eq | BinaryOperator::NotEq, right }
                    if is_null(left) || is_null(right) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    let Statement::Statement(statement) = statement else { return None };
    let found = statement.visit(&mut Search).is_break();
    found.then_some("advice: a comparison with NULL is never true; write IS NULL, or IS NOT NULL")
}

/// Whether a plan clusters.
pub(super) fn clusters(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.exists(|node| Ok(clustering(node).is_some())).unwrap_or(false)
}

/// Returns a line for each thing to tell about the clusterings of a plan that has run. A cluster runs the plan elsewhere, and has
/// none.
pub(super) fn lines(plan: &Arc<dyn ExecutionPlan>, call: Option<&Call>) -> Result<Vec<String>> {
    let mut lines = vec![];
    plan.apply(|node| {
        let Some(clustering) = clustering(node) else { return Ok(TreeNodeRecursion::Continue) };
        lines.extend(clustering.auto_eps().map(|eps| match eps {
            AutoEps::Range { least, greatest } if least < greatest => {
                format!("eps => 'auto' took from {least:?} to {greatest:?}, for each partition its own")
            }
            AutoEps::Range { least, .. } => format!("eps => 'auto' took {least:?}"),
            AutoEps::Any => "eps => 'auto': every eps gives the same rows".to_string(),
        }));
        let found = clustering.found();
        lines.extend(found.and_then(|found| advice(&found, call)));
        lines.extend(found.filter(|found| found.skipped > 0).map(|_| of_skipped(call)));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(lines)
}

/// Says that rows of `dbcluster` stand for several vectors, and how to see the values that none of them shows.
pub(super) fn of_hidden(plan: &Arc<dyn ExecutionPlan>, call: &Call) -> Option<String> {
    let (arguments, column) = call.hides.as_ref()?;
    let mut found = None;
    let search = plan.apply(|node| {
        found = clustering(node).and_then(DbscanExec::found);
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    search.ok()?;
    let found = found?;
    let clustered = found.vectors.saturating_sub(found.noise + found.skipped);
    if clustered <= found.clusters {
        return None;
    }
    let clusters = found.clusters;
    let (clusters, hold) = if clusters == 1 {
        ("1 cluster".to_string(), "holds")
    } else {
        (format!("{clusters} clusters"), "hold")
    };
    Some(format!(
        "advice: {clusters} {hold} {clustered} different vectors, of which a row shows one; the values of {column} that no row shows: \
         SELECT value, events, cluster_id FROM dbcluster_values({arguments}, of => {column}) WHERE NOT shown ORDER BY events"
    ))
}

/// Says that rows take no part, and how to see them.
fn of_skipped(call: Option<&Call>) -> String {
    let go_on = call.map_or_else(String::new, |call| {
        format!(": SELECT * FROM dbcluster_members({}) WHERE point_type = 'skipped'", call.all)
    });
    format!("advice: rows with a NULL feature are skipped, and are not odd for that{go_on}")
}

/// The advice about a result that tells little.
fn advice(found: &Found, call: Option<&Call>) -> Option<String> {
    let Found { vectors, clusters, noise, skipped, features, scaling } = *found;
    let vectors = vectors.saturating_sub(skipped);
    let go_on = |scaling| call.map_or_else(String::new, |call| format!(": {}", call.every_eps(scaling)));
    let is_one = clusters == 1 && noise == 0 && vectors > 2;
    if features == 1 && scaling == Scaling::L2 && noise == 0 && clusters <= 2 && vectors > 2 {
        return Some(format!(
            "advice: l2 makes all rows of one feature alike, so everything is in {}; say scaling => 'none' and an eps in the unit of the feature{}",
            if clusters == 1 { "one cluster" } else { "two clusters" },
            go_on(Some("none"))
        ));
    }
    if is_one || clusters == 2 && noise == 0 && vectors >= FEW_VECTORS {
        let what = if is_one { "one cluster holds" } else { "two clusters hold" };
        return Some(format!("advice: {what} everything; a smaller eps tells more apart{}", go_on(None)));
    }
    if clusters == 0 && noise > 2 {
        return Some(format!(
            "advice: everything is noise; a greater eps brings events together{}",
            go_on(None)
        ));
    }
    None
}

fn clustering(node: &Arc<dyn ExecutionPlan>) -> Option<&DbscanExec> {
    (node.as_ref() as &dyn Any).downcast_ref()
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    fn call(sql: &str) -> Option<Call> {
        Call::of(&DFParser::parse_sql(sql).expect("SQL").pop_front().expect("a statement"))
    }

    #[test]
    fn advice_is_written_with_the_call() {
        let call = call(
            "SELECT 1 FROM (SELECT * FROM dbcluster('it''s.csv', [f(a)], eps => 1, scaling => 'zscore', weights => [2], top => 1))",
        );
        let call = call.expect("a call");
        assert_eq!(
            call.every_eps(None),
            "SELECT eps, clusters, noise, largest_share FROM dbcluster_eps('it''s.csv', [f(a)], scaling => 'zscore', weights => [2])"
        );
        assert!(call.every_eps(Some("none")).ends_with("[f(a)], weights => [2], scaling => 'none')"));
        assert_eq!(call.hides, Some((call.all.clone(), "a".to_string())));
    }

    #[test]
    fn names_are_told_before_other_values() {
        for (sql, column) in [
            ("dbcluster(t, [cmdline_tokens(a), path_score(coalesce(\"b c\", ''))], 1)", Some("\"b c\"")),
            ("dbcluster(t, {x: length(a), y: string_score(b)}, 1)", Some("b")),
            ("dbcluster(t, [a, b], 1)", Some("a")),
            ("dbcluster(t, [length(e['c']), path_score(e['p']['q'])], 1)", Some("e['p']['q']")),
            ("dbcluster(t, 'length(a) AS x, path_score(\"b c\")', 1)", Some("\"b c\"")),
            ("dbcluster(t, [1], 1)", None),
            ("dbcluster(t, [a], 1, distinct_of => [b])", None),
            ("dbcluster_summary(t, [a], 1)", None),
        ] {
            let call = call(&format!("SELECT * FROM {sql}")).expect("a call");
            assert_eq!(call.hides.as_ref().map(|(_, column)| column.as_str()), column, "{sql}");
        }
    }

    #[test]
    fn tables_of_one_statement_have_no_advice_about_hidden_values() {
        let call = call("WITH w AS (SELECT * FROM t) SELECT * FROM dbcluster(w, [a], 1)").expect("a call");
        assert_eq!(call.hides, None);
    }

    #[test]
    fn comparisons_with_null_have_advice() {
        for (sql, expected) in [
            ("SELECT 1 FROM t WHERE a = NULL", true),
            ("SELECT 1 FROM t WHERE b AND NULL <> a", true),
            ("SELECT NULL, a IS NULL FROM t WHERE a IS NOT DISTINCT FROM NULL", false),
        ] {
            let statement = DFParser::parse_sql(sql).expect("SQL").pop_front().expect("a statement");
            assert_eq!(about_nulls(&statement).is_some(), expected, "{sql}");
        }
    }

    #[test]
    fn only_results_that_tell_little_have_advice() {
        let found = |vectors, clusters, noise, features, scaling| Found {
            vectors,
            clusters,
            noise,
            skipped: 0,
            features,
            scaling,
        };
        for (found, expected) in [
            (found(100, 1, 0, 1, Scaling::L2), Some("l2 makes all rows of one feature alike")),
            (found(100, 1, 0, 2, Scaling::L2), Some("one cluster holds everything")),
            (found(100, 2, 0, 2, Scaling::None), Some("two clusters hold everything")),
            (found(100, 0, 100, 2, Scaling::L2), Some("everything is noise")),
            (found(4, 2, 0, 2, Scaling::L2), None),
            (found(100, 2, 1, 2, Scaling::L2), None),
            (found(1, 1, 0, 1, Scaling::L2), None),
            (found(2, 0, 2, 2, Scaling::L2), None),
        ] {
            let line = advice(&found, None);
            assert_eq!(line.is_some(), expected.is_some(), "{found:?}: {line:?}");
            assert!(line.unwrap_or_default().contains(expected.unwrap_or_default()), "{found:?}");
        }
    }
}
