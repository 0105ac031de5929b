//! Finds the table that a call names as a string, or by a name that the statement uses nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, ScalarValue, TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::written::with_function_name;
use crate::error::argument_error;
use crate::near_miss::{did_you_mean, excerpt};
use crate::wait::wait_for;

/// Metadata that marks the argument of a lookup. SQL can't write it: the literals of a statement have none.
const LOOKUP: &str = "dbcluster.lookup";

/// The argument that makes the table function `dbcluster` return the table of this name itself. The relation planner needs
/// it to reach the session's catalogs, which the SQL planner shows to table functions only.
pub(super) fn lookup_argument(name: &str) -> Expr {
    let mark = BTreeMap::from([(LOOKUP.to_string(), String::new())]);
    Expr::Literal(ScalarValue::from(name), Some(FieldMetadata::from(mark)))
}

/// The table that a [`lookup_argument`] names, if these arguments are one.
pub(super) fn looked_up(session: &dyn Session, args: &[Expr]) -> Result<Option<Arc<dyn TableProvider>>> {
    match args {
        [Expr::Literal(name, Some(metadata))] if metadata.inner().contains_key(LOOKUP) => {
            let name = name.try_as_str().flatten();
            name.map(|name| Ok(lookup(session, name)?.1)).transpose()
        }
        _ => Ok(None),
    }
}

/// Builds a scan of the table that `name` stands for.
pub(super) fn scan(function: &str, session: &dyn Session, name: &str) -> Result<LogicalPlan> {
    let (reference, provider) = lookup(session, name).map_err(|error| with_function_name(function, error))?;
    LogicalPlanBuilder::scan(reference, provider_as_source(provider), None)?.build()
}

/// Finds the table, view or file that `name` stands for: to the letter, else as a qualified SQL name.
///
/// # Errors
/// No table has the name; the error lists the closest names.
fn lookup(session: &dyn Session, name: &str) -> Result<(TableReference, Arc<dyn TableProvider>)> {
    if name.trim().is_empty() {
        return plan_err!(
            "the table's name is empty, expected a table, or a file where the session reads files"
        );
    }
    let catalog = &session.config_options().catalog;
    let ignore_case = !session.config_options().sql_parser.enable_ident_normalization;
    let mut candidates =
        vec![TableReference::bare(name), TableReference::parse_str_normalized(name, ignore_case)];
    candidates.dedup();
    let mut known = vec![];
    for reference in candidates {
        let resolved = reference.clone().resolve(&catalog.default_catalog, &catalog.default_schema);
        let schema = session
            .catalog_list()
            .catalog(&resolved.catalog)
            .and_then(|catalog| catalog.schema(&resolved.schema));
        if let Some(schema) = schema {
            known.extend(schema.table_names());
            if let Some(table) = wait_for(schema.table(&resolved.table))?? {
                return Ok((reference, table));
            }
        }
    }
    let looks_like_a_path = name.contains(['/', '\\', '*']) || name.rsplit_once('.').is_some();
    let hint = if looks_like_a_path {
        "; if it is a file, check the path, and that this session reads files by their path (enable_url_table)"
    } else {
        ""
    };
    plan_err!("table '{}' not found{}{hint}", excerpt(name), did_you_mean(name, &known))
}

/// The text of a string constant, which stands at `place` in a call.
pub(super) fn string<'a>(function: &str, place: &str, expected: &str, expr: &'a Expr) -> Result<&'a str> {
    match expr {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(text) => Ok(text),
            None => {
                let got = format!("'{}'", excerpt(&value.to_string()));
                Err(argument_error(function, place, &got, expected, None))
            }
        },
        other => Err(argument_error(function, place, &format!("'{other}'"), expected, None)),
    }
}
