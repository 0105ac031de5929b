//! The values of options that don't depend on the rows: numbers, words, weights, counts.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, lit};
use datafusion::sql::sqlparser::ast;

use super::lists::{read_list, string_literal};
use super::scope::{Feature, Scope, missing_column};
use crate::constant::computed;
use crate::near_miss::{did_you_mean, expected_one_of};
use crate::window::options::{check_weights, wrong_number_of_weights};

/// How many values `keep_members` keeps where no number is given.
const KEPT_BY_DEFAULT: i64 = 10;

/// How many values `keep_members` may keep: they are held in memory for every vector.
const KEPT: RangeInclusive<i64> = 1..=1000;

/// How many rows may make a core.
pub(crate) const MIN_SAMPLES: RangeInclusive<i64> = 1..=i64::MAX;

/// A column of which each cluster keeps some values.
#[derive(Debug, Clone)]
pub(crate) struct KeptColumn {
    pub(crate) column: Column,
    pub(crate) count: i64,
}

impl KeptColumn {
    /// The name of the list.
    pub(crate) fn output_name(&self) -> String {
        format!("{}_members", self.column.name)
    }
}

impl Scope<'_> {
    /// A number: a constant, or a placeholder of a prepared statement, which has its value later.
    pub(crate) fn number(&mut self, option: &str, sql: &ast::Expr) -> Result<Expr> {
        if let Some(placeholder) = self.placeholder(option, sql)? {
            return Ok(placeholder);
        }
        let value = self.constant(option, sql)?;
        if value.data_type().is_numeric()
            && let Ok(ScalarValue::Float64(Some(number))) = value.cast_to(&DataType::Float64)
        {
            return Ok(lit(number));
        }
        plan_err!("{}: {option} is {sql}, expected a number{}", self.function, without_quotes(sql))
    }

    /// A whole number of a range, or a placeholder.
    pub(crate) fn whole_number(
        &mut self,
        option: &str,
        sql: &ast::Expr,
        range: &RangeInclusive<i64>,
    ) -> Result<Expr> {
        if let Some(placeholder) = self.placeholder(option, sql)? {
            return Ok(placeholder);
        }
        let value = self.constant(option, sql)?;
        if value.data_type().is_integer()
            && let Ok(ScalarValue::Int64(Some(number))) = value.cast_to(&DataType::Int64)
            && range.contains(&number)
        {
            return Ok(lit(number));
        }
        // Most ranges have hardly an end: whoever has gone beyond it is told.
        let written = sql.to_string().parse::<u128>();
        let is_beyond = written.is_ok_and(|number| i64::try_from(number).is_err());
        let has_end = *range.end() < i64::MAX || is_beyond;
        let end = if has_end { format!(" to {}", range.end()) } else { String::new() };
        plan_err!(
            "{}: {option} is {sql}, expected a whole number from {}{end}{}",
            self.function,
            range.start(),
            without_quotes(sql)
        )
    }

    /// One of some words, as a string or bare: `scaling => none` is as clear as `scaling => 'none'`.
    pub(crate) fn one_of<'a>(
        &mut self,
        option: &str,
        sql: &ast::Expr,
        allowed: &[&'a str],
    ) -> Result<&'a str> {
        let value = match sql {
            ast::Expr::Identifier(ident) => ident.value.clone(),
            _ => match self.constant(option, sql)?.try_as_str().flatten() {
                Some(text) => text.to_string(),
                None => {
                    let allowed = expected_one_of("", allowed);
                    return plan_err!("{}: {option} is {sql}, {allowed}", self.function);
                }
            },
        };
        allowed.iter().copied().find(|name| name.eq_ignore_ascii_case(&value)).ok_or_else(|| {
            let allowed = expected_one_of(&value, allowed);
            plan_datafusion_err!("{}: {option} is '{value}', {allowed}", self.function)
        })
    }

    /// A factor per feature: `[2, 1]` in the order of the features, or `{path: 2}` by their names, 1 for the others.
    pub(crate) fn weights(&mut self, sql: &ast::Expr, features: &[Feature]) -> Result<Vec<f64>> {
        let weights = match sql {
            ast::Expr::Dictionary(fields) if !fields.is_empty() => {
                let mut weights = vec![None; features.len()];
                for field in fields {
                    let place = self.place_of(&field.key, features)?;
                    if weights[place].is_some() {
                        return plan_err!("{}: weights names '{}' twice", self.function, field.key.value);
                    }
                    let name = format!("weights, '{}',", field.key.value);
                    weights[place] = Some(self.plain_number(&name, &field.value)?);
                }
                weights.into_iter().map(|weight| weight.or(Some(1.0))).collect()
            }
            ast::Expr::Array(ast::Array { elem: items, .. }) | ast::Expr::Tuple(items)
                if !items.is_empty() =>
            {
                if items.len() != features.len() {
                    return Err(wrong_number_of_weights(self.function, items.len(), features.len()));
                }
                let factors = items.iter().enumerate();
                factors
                    .map(|(index, item)| {
                        Ok(Some(self.plain_number(&format!("weights, number {},", index + 1), item)?))
                    })
                    .collect::<Result<Vec<_>>>()?
            }
            other => {
                return plan_err!(
                    "{}: weights is {other}, expected a list of numbers, one per feature, as in [2, 1], or numbers \
                     by name, as in {{{}: 2}}",
                    self.function,
                    features[0].name
                );
            }
        };
        check_weights(self.function, &weights, features.len())
    }

    fn place_of(&self, key: &ast::Ident, features: &[Feature]) -> Result<usize> {
        let normalized = self.planner.normalize(key.clone());
        let place = features.iter().position(|it| it.name == key.value || it.name == normalized);
        place.ok_or_else(|| {
            let names: Vec<&str> = features.iter().map(|it| it.name.as_str()).collect();
            plan_datafusion_err!(
                "{}: weights: there is no feature '{}'{}; features are {}",
                self.function,
                key.value,
                did_you_mean(&key.value, &names),
                names.join(", ")
            )
        })
    }

    fn plain_number(&mut self, place: &str, sql: &ast::Expr) -> Result<f64> {
        match self.number(place, sql)? {
            Expr::Literal(ScalarValue::Float64(Some(number)), _) => Ok(number),
            _ => plan_err!("{}: {place} is {sql}, expected a constant number", self.function),
        }
    }

    /// The columns of `keep_members`: `CommandLine`, `[a, b]`, `'a, b'` or `{CommandLine: 5}` with numbers.
    pub(crate) fn kept_columns(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<KeptColumn>> {
        let mut kept: Vec<KeptColumn> = vec![];
        if let ast::Expr::Dictionary(fields) = value {
            for field in fields {
                let column = self.column(option, &ast::Expr::Identifier(field.key.clone()))?;
                let place = format!("{option}, '{}',", column.name);
                let Expr::Literal(ScalarValue::Int64(Some(count)), _) =
                    self.whole_number(&place, &field.value, &KEPT)?
                else {
                    return plan_err!("{}: {place} is {}, expected a constant", self.function, field.value);
                };
                kept.push(KeptColumn { column, count });
            }
        } else {
            for written in read_list(self.function, option, value, self.schema, self.planner)? {
                let column = self.column(option, &written.sql)?;
                kept.push(KeptColumn { column, count: KEPT_BY_DEFAULT });
            }
        }
        if kept.is_empty() {
            return plan_err!(
                "{}: {option} is empty, expected a column, as in {{CommandLine: 5}}",
                self.function
            );
        }
        Ok(kept)
    }

    /// `$1`, if that is what `sql` says: of the type that PREPARE gives it, or any number.
    fn placeholder(&mut self, option: &str, sql: &ast::Expr) -> Result<Option<Expr>> {
        let ast::Expr::Value(value) = sql else { return Ok(None) };
        let ast::Value::Placeholder(_) = &value.value else { return Ok(None) };
        let Expr::Placeholder(placeholder) = self.planner.plan_expr(sql.clone(), &DFSchema::empty())? else {
            return Ok(None);
        };
        // DOUBLE for whole numbers too: the engine would make 2 of 2.5 for a BIGINT, and say nothing.
        let data_type =
            placeholder.field.as_ref().map_or(DataType::Float64, |field| field.data_type().clone());
        // Named by the option: of two equal ones the engine would make a column, which is no constant any more.
        let field = Arc::new(Field::new(option, data_type, true));
        Ok(Some(Expr::Placeholder(Placeholder::new_with_field(placeholder.id, Some(field)))))
    }

    fn constant(&mut self, option: &str, sql: &ast::Expr) -> Result<ScalarValue> {
        let function = self.function;
        match self.planner.plan_expr(sql.clone(), &DFSchema::empty()) {
            Ok(expr) => match computed(expr) {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(error) => {
                    let reason = reason(&error);
                    return plan_err!("{function}: {option} is {sql}, which can't be computed: {reason}");
                }
            },
            // The name of a column is no constant. Whatever else is wrong with it is told.
            Err(error) if missing_column(&error).is_some() => {}
            Err(error) => return plan_err!("{function}: {option} is {sql}: {}", reason(&error)),
        }
        let list = match sql {
            ast::Expr::Identifier(_) | ast::Expr::Function(_) if option == "eps" => {
                "; several features stand in brackets, as in [a, b]"
            }
            _ => "",
        };
        plan_err!("{function}: {option} is {sql}, expected a constant{list}")
    }
}

/// The innermost error, without its class and its backtrace.
fn reason(error: &DataFusionError) -> String {
    let text = error.find_root().message().into_owned();
    text.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default().trim_end_matches('.').to_string()
}

/// What to do about a number in quotes.
fn without_quotes(sql: &ast::Expr) -> String {
    match string_literal(sql) {
        Some(text) if text.trim().parse::<f64>().is_ok() => {
            format!("; write it without quotes: {}", text.trim())
        }
        _ => String::new(),
    }
}
