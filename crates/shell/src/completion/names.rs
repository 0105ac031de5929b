//! The names that a session knows.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use futures::FutureExt;
use tokio::runtime::Runtime;

use super::super::documentation;

/// The functions and tables of a session.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) functions: BTreeSet<String>,
    pub(super) table_functions: BTreeSet<String>,
    /// Tables with their columns.
    pub(super) tables: BTreeMap<String, Vec<String>>,
    /// The settings of the session.
    pub(super) settings: BTreeSet<String>,
    /// Whether unquoted identifiers are folded to lower case, so that others need quotes.
    pub(super) folds_case: bool,
}

impl Names {
    pub(super) fn of(runtime: &Runtime, ctx: &SessionContext) -> Self {
        let state = ctx.state();
        let functions = documentation::names(&state);
        let is_known = |name: &&String| functions.contains(name.as_str());
        Self {
            table_functions: state.table_functions().keys().filter(is_known).cloned().collect(),
            tables: tables(runtime, &state),
            settings: state.config_options().entries().into_iter().map(|entry| entry.key).collect(),
            folds_case: state.config_options().sql_parser.enable_ident_normalization,
            functions,
        }
    }

    /// A name as it has to be written in SQL, in quotes where it needs them.
    pub(super) fn identifier(&self, name: &str) -> String {
        let mut characters = name.chars();
        let plain = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !(self.folds_case && name.contains(|c: char| c.is_ascii_uppercase()));
        if plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
    }
}

/// All tables outside of `information_schema`, with their columns.
fn tables(runtime: &Runtime, state: &SessionState) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    let defaults = &state.config_options().catalog;
    for catalog_name in state.catalog_list().catalog_names() {
        let Some(catalog) = state.catalog_list().catalog(&catalog_name) else { continue };
        for schema_name in catalog.schema_names() {
            let Some(schema) = catalog.schema(&schema_name).filter(|_| schema_name != "information_schema")
            else {
                continue;
            };
            let is_default =
                catalog_name == defaults.default_catalog && schema_name == defaults.default_schema;
            for table in schema.table_names() {
                // A catalog that would have to ask over the network gives names only.
                let _guard = runtime.enter();
                let provider = schema.table(&table).now_or_never().and_then(Result::ok).flatten();
                let columns = provider.map_or_else(Vec::new, |provider| column_names(provider.as_ref()));
                let name = if is_default { table } else { format!("{schema_name}.{table}") };
                tables.insert(name, columns);
            }
        }
    }
    tables
}

pub(super) fn column_names(table: &dyn TableProvider) -> Vec<String> {
    table.schema().fields().iter().map(|field| field.name().clone()).collect()
}
