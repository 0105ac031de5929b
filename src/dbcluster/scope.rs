//! [`Scope`]: SQL of a call, planned over the columns of its input, with errors in the words of the call.

use std::collections::HashSet;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, SchemaError, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use datafusion::sql::sqlparser::ast::{self, Visit, Visitor, visit_expressions_mut};
use datafusion::sql::sqlparser::dialect::Dialect;

use super::lists::{Written, read_list, string_literal};
use crate::feature::{is_feature_type, make_it_a_number};
use crate::functions::dbcluster_feature_udf;
use crate::near_miss::{did_you_mean, excerpt};

/// How many keys order or partition the rows: the cost of planning and of memory grows with the square of their number.
const MAX_KEYS: usize = 16;

/// How deep an expression may nest: the engine finds the types of each part by way of all parts below it.
const DEEPEST: usize = 256;

/// How the host plans SQL expressions.
pub(crate) trait SqlPlanner {
    /// `sql` over columns of `schema`.
    fn plan_expr(&mut self, sql: ast::Expr, schema: &DFSchema) -> Result<Expr>;
    /// The name that an identifier stands for under the session's rules.
    fn normalize(&self, ident: ast::Ident) -> String;
    /// The session's SQL dialect.
    fn dialect(&self) -> Result<Box<dyn Dialect>>;
}

/// A feature that is known to be a number.
#[derive(Debug, Clone)]
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    /// A column of the input under its own name: it is in the output already.
    pub(crate) is_input_column: bool,
}

/// An expression over the input, and how it was written.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) expr: Expr,
    pub(crate) text: String,
}

/// Where the SQL of a call has its meaning.
pub(crate) struct Scope<'a> {
    pub(crate) function: &'static str,
    /// The columns of the input.
    pub(crate) schema: &'a DFSchema,
    /// The name of a WITH query that is the input, and hides a table of the same name.
    pub(crate) shadow: Option<&'a str>,
    pub(crate) planner: &'a mut dyn SqlPlanner,
}

impl Scope<'_> {
    pub(crate) fn feature(&mut self, written: Written) -> Result<Feature> {
        let text = written.text();
        let place = format!("feature '{}'", excerpt(&text));
        let expr = self.over_row(&place, written.sql)?;
        let data_type = expr.get_type(self.schema)?;
        if !is_feature_type(&data_type) {
            return plan_err!(
                "{}: {place} is {data_type}, expected a number; {}",
                self.function,
                make_it_a_number(&text, &data_type)
            );
        }
        Ok(match (&expr, written.alias) {
            (Expr::Column(column), alias) if alias.as_ref().is_none_or(|alias| *alias == column.name) => {
                Feature { name: column.name.clone(), expr, is_input_column: true }
            }
            (_, alias) => Feature { name: alias.unwrap_or(text), expr, is_input_column: false },
        })
    }

    /// The expressions of an option that takes one or a list.
    pub(crate) fn keys(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<Key>> {
        let written = read_list(self.function, option, value, self.schema, self.planner)?;
        if written.is_empty() {
            return plan_err!("{}: {option} is empty, expected a column or a list of columns", self.function);
        }
        if written.len() > MAX_KEYS {
            return plan_err!(
                "{}: {option} takes at most {MAX_KEYS} keys, got {}; compute one of several in a subquery",
                self.function,
                written.len()
            );
        }
        let (mut keys, mut known) = (vec![], HashSet::new());
        for written in written {
            let text = written.text();
            let place = format!("{option} '{}'", excerpt(&text));
            let expr = self.over_row(&place, written.sql)?;
            if expr.column_refs().is_empty() {
                return plan_err!(
                    "{}: {place} is the same for all rows, expected a column or an expression over columns",
                    self.function
                );
            }
            // The same again tells no rows apart.
            let expr = with_equal_bits(expr, self.schema)?;
            if known.insert(expr.clone()) {
                keys.push(Key { expr, text });
            }
        }
        Ok(keys)
    }

    /// The column that an option names, by its name or as a string.
    pub(crate) fn column(&mut self, option: &str, value: &ast::Expr) -> Result<Column> {
        let sql = match string_literal(value) {
            Some(name) => ast::Expr::Identifier(ast::Ident::with_quote('"', name)),
            None => value.clone(),
        };
        match self.over_row(option, sql)? {
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
        let expr = planned.map_err(|error| self.with_place(place, error))?;
        let mut reason = None;
        expr.apply(|node| {
            reason = match node {
                Expr::AggregateFunction(_) => Some("aggregates rows: aggregate in a subquery first"),
                Expr::WindowFunction(_) => Some("is a window function: compute it in a subquery first"),
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                    Some("holds a subquery: join it in a subquery first")
                }
                Expr::OuterReferenceColumn(..) => {
                    Some("uses a column of the query around it: cluster all rows, and join the result")
                }
                node if node.is_volatile_node() => Some(
                    "gives another value each time, but the rows are read twice: store it in a table first",
                ),
                _ => None,
            };
            Ok(if reason.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        match reason {
            Some(reason) => plan_err!("{}: {place} {reason}", self.function),
            None => Ok(expr),
        }
    }

    /// Says where in the call something went wrong; of a missing column also which were meant or are there.
    fn with_place(&self, place: &str, error: DataFusionError) -> DataFusionError {
        let function = self.function;
        let Some(field) = missing_column(&error) else {
            return error.context(format!("{function}: {place}"));
        };
        let columns: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let meant = did_you_mean(&field.name, &columns);
        let there_are = if meant.is_empty() {
            format!("; the columns are {}", shortened(&columns))
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

/// The column that nobody knows, if that is what is wrong.
pub(crate) fn missing_column(error: &DataFusionError) -> Option<&Column> {
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, .. } => Some(field),
            _ => None,
        },
        _ => None,
    }
}

/// The names, or the first of them where they are too many to read.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 20;
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => {
            format!("{}, and {} more", first.join(", "), names.len() - SHOWN)
        }
        _ => names.join(", "),
    }
}

/// What to say of an expression that [nests too deep](nests_too_deep).
pub(crate) const TOO_DEEP: &str = "nests more than 256 operations, as a sum of so many terms does; store it in a table first, \
                                   with CREATE TABLE ... AS SELECT";

/// Whether an expression nests deeper than the engine finds the types of it in reasonable time. So many levels `around` it, such
/// as a list, count for nothing.
pub(crate) fn nests_too_deep(sql: &impl Visit, around: usize) -> bool {
    sql.visit(&mut Depth { open: 0, most: DEEPEST + around, queries: 0 }).is_break()
}

/// How many operations are open where a visit stands; it ends where they are too many. Queries are the engine's.
struct Depth {
    open: usize,
    most: usize,
    queries: usize,
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open += usize::from(self.queries == 0);
        if self.open > self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open -= usize::from(self.queries == 0);
        ControlFlow::Continue(())
    }
}

/// A plain name that matches a column to the letter is that column, whatever the session does to identifiers.
fn quote_exact_names(sql: &mut ast::Expr, schema: &DFSchema) {
    let _: ControlFlow<()> = visit_expressions_mut(sql, |node| {
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

pub(crate) fn has_column(schema: &DFSchema, name: &str) -> bool {
    schema.fields().iter().any(|field| field.name() == name)
}

/// The form of a key in which equal values have equal bits: 0.0 and -0.0 are equal, but would be sorted, grouped and
/// joined as two, and not by every operator alike.
pub(crate) fn with_equal_bits(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let canonical = dbcluster_feature_udf();
    let is_canonical =
        matches!(&expr, Expr::ScalarFunction(function) if function.func.name() == canonical.name());
    let is_float = match expr.get_type(schema)? {
        DataType::Dictionary(_, value_type) => value_type.is_floating(),
        data_type => data_type.is_floating(),
    };
    if is_float && !is_canonical {
        return Ok(canonical.call(vec![expr, lit("key"), lit("error")]));
    }
    Ok(expr)
}

/// The first column of a timestamp or date type.
pub(crate) fn default_time_column(schema: &DFSchema) -> Option<Column> {
    schema
        .iter()
        .find(|(_, field)| {
            matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
        })
        .map(Column::from)
}
