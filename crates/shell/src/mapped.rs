//! Says which columns `process_events` and `logon_events` have taken for theirs, since a reader of the result can't see it.
//!
//! Their plan tells it: a projection with a name for each column, over the columns of the table.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Alias, ScalarFunction};
use datafusion::logical_expr::{Expr, LogicalPlan};
use dbcluster_terminal::printable;

/// The functions that map columns.
const FUNCTIONS: [&str; 2] = ["process_events", "logon_events"];

/// A line for each call of such a function in the plan of a statement, before it is optimized.
pub(super) fn lines(plan: &LogicalPlan) -> Result<Vec<String>> {
    let mut lines = vec![];
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::SubqueryAlias(alias) = node
            && let Some(function) = FUNCTIONS.into_iter().find(|name| *name == alias.alias.table())
            && let LogicalPlan::Projection(columns) = alias.input.as_ref()
        {
            lines.push(line(function, &columns.expr)?);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    lines.dedup();
    Ok(lines)
}

fn line(function: &str, columns: &[Expr]) -> Result<String> {
    let (mut taken, mut absent) = (vec![], vec![]);
    for column in columns {
        let Expr::Alias(Alias { expr, name, .. }) = column else { continue };
        let from = sources(expr)?;
        if from.is_empty() {
            absent.push(name.as_str());
        } else if from != [name.as_str()] {
            taken.push(format!("{name} from {}", from.join(" or ")));
        }
    }
    if taken.is_empty() {
        taken.push("columns under their own names".to_string());
    }
    let absent =
        if absent.is_empty() { String::new() } else { format!("; nothing for {}", absent.join(", ")) };
    Ok(printable(&format!("{function}: {}{absent}", taken.join(", "))).into_owned())
}

/// The columns, and the members of objects, that a value is taken from, in order and each once. Those that are put together are one.
fn sources(expr: &Expr) -> Result<Vec<String>> {
    let mut found: Vec<String> = vec![];
    let mut add = |name: String| {
        if !found.contains(&name) {
            found.push(name);
        }
    };
    match expr {
        // The conditions are no sources.
        Expr::Case(case) => {
            let values = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
            for value in values {
                sources(value)?.into_iter().for_each(&mut add);
            }
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "concat" => {
            let parts = args.iter().map(sources).collect::<Result<Vec<_>>>()?;
            add(parts.concat().join(" with "));
        }
        expr => match source(expr) {
            Some(name) => add(name),
            None => {
                expr.apply_children(|part| {
                    sources(part)?.into_iter().for_each(&mut add);
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
        },
    }
    Ok(found)
}

/// A column, or a member of an object in one, by its name.
fn source(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(column) => Some(column.name.clone()),
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "get_field" => {
            let (object, members) = args.split_first()?;
            let mut name = source(object)?;
            for member in members {
                name.push('.');
                name.push_str(member.as_literal()?.try_as_str()??);
            }
            Some(name)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn columns_are_told_with_their_sources() {
        let ctx = SessionContext::new();
        datafusion_dbcluster::register_all(&ctx).expect("it registers");
        for (table, expected) in [
            (
                "SELECT 'a' AS \"Image\", 'b' AS \"CommandLine\", named_struct('name', 'h') AS host",
                "process_events: Computer from host.name, NewProcessName from Image; nothing for TimeGenerated, Account, \
                 ParentProcessName, ParentCommandLine, NewProcessId, ProcessId, SubjectLogonId",
            ),
            (
                "SELECT 'a' AS \"NewProcessName\", 'b' AS \"CommandLine\", 'c' AS \"Image\"",
                "process_events: NewProcessName from NewProcessName or Image; nothing for TimeGenerated, Computer, Account, \
                 ParentProcessName, ParentCommandLine, NewProcessId, ProcessId, SubjectLogonId",
            ),
            (
                "SELECT 'a' AS \"NewProcessName\", 'b' AS \"CommandLine\", 'd' AS \"SubjectDomainName\", 'u' AS \"SubjectUserName\", \
                 1 AS \"NewProcessId\", 2 AS \"ProcessId\"",
                "process_events: Account from SubjectDomainName with SubjectUserName or SubjectUserName, NewProcessId from NewProcessId \
                 or ProcessId; nothing for TimeGenerated, Computer, ParentProcessName, ParentCommandLine, SubjectLogonId",
            ),
        ] {
            let frame = ctx.sql(&format!("SELECT * FROM process_events(({table}))")).await.expect("a plan");
            assert_eq!(lines(frame.logical_plan()).expect("lines"), [expected]);
        }
        let frame = ctx.sql("SELECT 1").await.expect("a plan");
        assert!(lines(frame.logical_plan()).expect("lines").is_empty());
    }
}
