//! [`Scope`] plans the SQL of a call over the columns of its input, with errors in the words of the call.

use std::ops::ControlFlow;

use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, SchemaError, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{self, visit_expressions_mut};

use super::depth::{TOO_DEEP, nests_too_deep};
use super::fields::name_fields_by_strings;
use super::lists::{ListItem, read_list, string_literal};
use super::planner::SqlPlanner;
use crate::near_miss::{did_you_mean_column, excerpt, listed_columns};
use crate::options::{Feature, Key};
use crate::plan::spec::{check_one_row, has_column};

/// The names that the SQL of a call can use, and the planner that resolves them.
pub(super) struct Scope<'a> {
    pub(super) function: &'static str,
    /// The columns of the input.
    pub(super) schema: &'a DFSchema,
    /// The name of a WITH query that is the input, and hides a table of the same name.
    pub(super) shadow: Option<&'a str>,
    pub(super) planner: &'a mut dyn SqlPlanner,
}

impl Scope<'_> {
    /// Plans a feature: a column under its own name, or an expression under its alias or its text.
    pub(super) fn feature(&mut self, item: ListItem) -> Result<Feature> {
        self.item("feature", item)
    }

    /// Plans an item of a list in the same way. `what` names it in errors.
    pub(super) fn item(&mut self, what: &str, item: ListItem) -> Result<Feature> {
        let text = item.text();
        let expr = self.over_row(&format!("{what} '{}'", excerpt(&text)), item.sql)?;
        let name = match (item.alias, &expr) {
            (Some(alias), _) => alias,
            (None, Expr::Column(column)) => column.name.clone(),
            (None, _) => text.clone(),
        };
        Ok(Feature { name, expr, text })
    }

    /// Plans the expressions of an option that takes one or a list.
    pub(super) fn keys(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<Key>> {
        let items = read_list(self.function, option, value, self.schema, self.planner)?;
        let mut keys = vec![];
        for item in items {
            let text = item.text();
            let expr = self.over_row(&format!("{option} '{}'", excerpt(&text)), item.sql)?;
            keys.push(Key { expr, text });
        }
        Ok(keys)
    }

    /// Plans the time of the events: a column, bare or as a string, or an expression.
    pub(super) fn time(&mut self, option: &str, value: &ast::Expr) -> Result<Key> {
        let expr = self.over_row(option, column_of_string(value))?;
        let text = match &expr {
            Expr::Column(column) => column.name.clone(),
            _ => value.to_string(),
        };
        Ok(Key { expr, text })
    }

    /// Resolves the column that an option names, bare or as a string.
    pub(super) fn column(&mut self, option: &str, value: &ast::Expr) -> Result<Column> {
        match self.over_row(option, column_of_string(value))? {
            Expr::Column(column) => Ok(column),
            _ => plan_err!(
                "{}: {option} is {value}, expected a column; compute it in a subquery and name it there",
                self.function
            ),
        }
    }

    /// Plans an expression of the call over the input's columns; it has to be a function of one row.
    fn over_row(&mut self, place: &str, mut sql: ast::Expr) -> Result<Expr> {
        if nests_too_deep(&sql, 0) {
            return plan_err!("{}: {place} {TOO_DEEP}", self.function);
        }
        quote_exact_names(&mut sql, self.schema);
        let planned = self.planner.plan_expr(sql, self.schema);
        // Operators of JSON come under the names that they were written with, which only a query's columns need.
        let expr = planned.map_err(|error| self.with_place(place, error))?.unalias_nested().data;
        check_one_row(self.function, place, &expr)?;
        Ok(expr)
    }

    /// Adds to an error where in the call it arose. For a missing column it also lists the columns that were meant or exist.
    fn with_place(&self, place: &str, error: DataFusionError) -> DataFusionError {
        let function = self.function;
        let Some(field) = missing_column(&error) else {
            return error.context(format!("{function}: {place}"));
        };
        let columns: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let meant = did_you_mean_column(&field.name, &columns);
        let there_are = if meant.is_empty() {
            format!("; the columns are {}", listed_columns(&columns))
        } else {
            String::new()
        };
        let shadow = match self.shadow {
            Some(name) => format!(
                "; {name} is the WITH query of this statement here, which hides the table of that name"
            ),
            None => String::new(),
        };
        plan_datafusion_err!(
            "{function}: {place}: the input has no column '{}'{meant}{there_are}{shadow}",
            field.name
        )
    }
}

/// Returns the column that a string names, or the expression as it is.
fn column_of_string(value: &ast::Expr) -> ast::Expr {
    match string_literal(value) {
        Some(name) => ast::Expr::Identifier(ast::Ident::with_quote('"', name)),
        None => value.clone(),
    }
}

/// Returns the column that an error calls unknown, if it is such an error.
pub(super) fn missing_column(error: &DataFusionError) -> Option<&Column> {
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, .. } => Some(field),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the column whose name is all of these with dots between them, unless the first of them names something itself.
fn dotted_column(idents: &[ast::Ident], schema: &DFSchema) -> Option<String> {
    let first = idents.first()?;
    let is_known = has_column(schema, &first.value)
        || schema.iter().any(|(table, _)| table.is_some_and(|table| table.table() == first.value));
    if is_known || idents.iter().any(|ident| ident.quote_style.is_some()) {
        return None;
    }
    let name = idents.iter().map(|ident| ident.value.as_str()).collect::<Vec<_>>().join(".");
    has_column(schema, &name).then_some(name)
}

/// Quotes each plain name that matches a column to the letter, so that the session does not change its case, and does not
/// take the dots in `Laddr.Port` for those between a table and a column.
fn quote_exact_names(sql: &mut ast::Expr, schema: &DFSchema) {
    let _: ControlFlow<()> = visit_expressions_mut(sql, |node| {
        name_fields_by_strings(node);
        if let ast::Expr::CompoundIdentifier(idents) = node
            && let Some(name) = dotted_column(idents, schema)
        {
            *node = ast::Expr::Identifier(ast::Ident::with_quote('"', name));
        }
        let ident = match node {
            ast::Expr::Identifier(ident) => Some(ident),
            ast::Expr::CompoundIdentifier(idents) => idents.last_mut(),
            _ => None,
        };
        if let Some(ident) = ident
            && ident.quote_style.is_none()
            && has_column(schema, &ident.value)
        {
            ident.quote_style = Some('"');
        }
        ControlFlow::Continue(())
    });
}
