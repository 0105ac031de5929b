//! Reads option values that don't depend on the rows: numbers, words, weights, counts.

use std::ops::RangeInclusive;

use arrow::datatypes::DataType;
use datafusion::common::{
    Column, DFSchema, DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err,
};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::sql::sqlparser::ast;

use super::lists::read_list;
use super::scope::{Scope, missing_column};
use super::value::Value;
use crate::constant::computed;
use crate::near_miss::expected_one_of;
use crate::options::{Eps, Feature, KeptColumn, Parameter, Weights, no_feature_to_weigh};
use crate::plan::spec::{KEPT, TableFunction};

/// The number of values that `keep_members` keeps unless the call gives one.
const KEPT_BY_DEFAULT: i64 = 10;

impl Scope<'_> {
    /// Reads a number: a constant, or a placeholder of a prepared statement, whose value comes later.
    pub(super) fn number(&mut self, option: &str, written: Value) -> Result<Parameter<f64>> {
        if let Some(placeholder) = self.placeholder(written)? {
            return Ok(Parameter::Placeholder(placeholder));
        }
        let value = self.constant(option, written)?;
        if value.data_type().is_numeric()
            && let Ok(ScalarValue::Float64(Some(number))) = value.cast_to(&DataType::Float64)
        {
            return Ok(number.into());
        }
        let or_auto = if option == "eps" { " or 'auto'" } else { "" };
        plan_err!(
            "{}: {option} is {written}, expected a number{or_auto}{}",
            self.function,
            without_quotes(written)
        )
    }

    /// Reads a distance: a number, `'auto'`, or a list of numbers.
    pub(super) fn eps(&mut self, option: &str, written: Value) -> Result<Eps> {
        let sql = match written {
            Value::Sql(sql) => Some(sql),
            Value::Planned(_) => None,
        };
        let word = match sql {
            Some(ast::Expr::Identifier(ident)) => Some(ident.value.as_str()),
            _ => written.string(),
        };
        if word.is_some_and(|word| word.trim().eq_ignore_ascii_case(Eps::AUTO)) {
            return Ok(Eps::Auto);
        }
        if let Some(ast::Expr::Array(ast::Array { elem: items, .. }) | ast::Expr::Tuple(items)) = sql {
            let items = items.iter().enumerate();
            let list = items
                .map(|(index, item)| self.plain_number(&format!("{option}, number {},", index + 1), item));
            return Ok(Eps::Each(list.collect::<Result<_>>()?));
        }
        Ok(Eps::Given(self.number(option, written)?))
    }

    /// Reads a whole number within a range, or a placeholder.
    pub(super) fn whole_number(
        &mut self,
        option: &str,
        written: Value,
        range: &RangeInclusive<i64>,
    ) -> Result<Parameter<i64>> {
        if let Some(placeholder) = self.placeholder(written)? {
            return Ok(Parameter::Placeholder(placeholder));
        }
        let value = self.constant(option, written)?;
        if value.data_type().is_integer()
            && let Ok(ScalarValue::Int64(Some(number))) = value.cast_to(&DataType::Int64)
            && range.contains(&number)
        {
            return Ok(number.into());
        }
        // Most ranges end at i64::MAX, so the error shows their end only where the number is beyond it.
        let as_written = written.to_string().parse::<u128>();
        let is_beyond = as_written.is_ok_and(|number| i64::try_from(number).is_err());
        let has_end = *range.end() < i64::MAX || is_beyond;
        let end = if has_end { format!(" to {}", range.end()) } else { String::new() };
        // By position `min_samples` stands where other functions have eps.
        let by_name = if self.function == TableFunction::DbclusterEps.name() && option == "min_samples" {
            "; eps goes by its name here, as in eps => [0.1, 0.2]"
        } else {
            ""
        };
        plan_err!(
            "{}: {option} is {written}, expected a whole number from {}{end}{by_name}{}",
            self.function,
            range.start(),
            without_quotes(written)
        )
    }

    /// Reads one of the allowed words, as a string or bare: `scaling => none` is as clear as `scaling => 'none'`.
    pub(super) fn word<'a>(&mut self, option: &str, sql: &ast::Expr, allowed: &[&'a str]) -> Result<&'a str> {
        let value = match sql {
            ast::Expr::Identifier(ident) => ident.value.clone(),
            _ => match self.constant(option, Value::Sql(sql))?.try_as_str().flatten() {
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

    /// Reads a factor per feature: `[2, 1]` in the order of the features, or `{path: 2}` by their names, 1 for the others.
    pub(super) fn weights(&mut self, sql: &ast::Expr, features: &[Feature]) -> Result<Weights> {
        match sql {
            ast::Expr::Dictionary(fields) if !fields.is_empty() => {
                let factors = fields.iter().map(|field| {
                    let feature = self.weighed(&field.key, features)?;
                    let place = format!("weights, '{}',", field.key.value);
                    Ok((feature.name.clone(), self.plain_number(&place, &field.value)?))
                });
                Ok(Weights::ByName(factors.collect::<Result<_>>()?))
            }
            ast::Expr::Array(ast::Array { elem: items, .. }) | ast::Expr::Tuple(items)
                if !items.is_empty() =>
            {
                let factors = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.plain_number(&format!("weights, number {},", index + 1), item));
                Ok(Weights::InOrder(factors.collect::<Result<_>>()?))
            }
            other => plan_err!(
                "{}: weights is {other}, expected a list of numbers, one per feature, as in [2, 1], or numbers \
                 by name, as in {{{}: 2}}",
                self.function,
                features.first().map_or("name", |feature| feature.name.as_str())
            ),
        }
    }

    /// The feature that a weight is for.
    fn weighed<'a>(&self, key: &ast::Ident, features: &'a [Feature]) -> Result<&'a Feature> {
        let normalized = self.planner.normalize(key.clone());
        let feature = features.iter().find(|it| it.name == key.value || it.name == normalized);
        feature.ok_or_else(|| {
            let names: Vec<&str> = features.iter().map(|it| it.name.as_str()).collect();
            no_feature_to_weigh(self.function, &key.value, &names)
        })
    }

    /// Reads a number that is known.
    pub(super) fn plain_number(&mut self, place: &str, sql: &ast::Expr) -> Result<f64> {
        match self.number(place, Value::Sql(sql))? {
            Parameter::Value(number) => Ok(number),
            Parameter::Placeholder(_) => {
                plan_err!("{}: {place} is {sql}, expected a constant number", self.function)
            }
        }
    }

    /// Reads the columns of `keep_members`: `CommandLine`, `[a, b]`, `'a, b'` or `{CommandLine: 5}` with numbers.
    pub(super) fn kept_columns(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<KeptColumn>> {
        let mut kept: Vec<KeptColumn> = vec![];
        if let ast::Expr::Dictionary(fields) = value {
            for field in fields {
                let column = self.column(option, &ast::Expr::Identifier(field.key.clone()))?;
                let place = format!("{option}, '{}',", column.name);
                let Parameter::Value(count) = self.whole_number(&place, Value::Sql(&field.value), &KEPT)?
                else {
                    return plan_err!("{}: {place} is {}, expected a constant", self.function, field.value);
                };
                kept.push(KeptColumn { column, count });
            }
        } else {
            for item in read_list(self.function, option, value, self.schema, self.planner)? {
                let column = self.column(option, &item.sql)?;
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

    /// Reads columns: `CommandLine`, `[a, b]` or `'a, b'`.
    pub(super) fn columns(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<Column>> {
        let items = read_list(self.function, option, value, self.schema, self.planner)?;
        items.iter().map(|item| self.column(option, &item.sql)).collect()
    }

    /// Reads columns and named expressions: `Computer`, `[a, lower(b) AS b]` or `{b: lower(b)}`.
    pub(super) fn named(&mut self, option: &str, value: &ast::Expr) -> Result<Vec<Feature>> {
        let items = read_list(self.function, option, value, self.schema, self.planner)?;
        items.into_iter().map(|item| self.item(option, item)).collect()
    }

    /// Reads a span of time: the nanoseconds of an INTERVAL without months.
    pub(super) fn interval(&mut self, option: &str, written: Value) -> Result<i128> {
        const DAY: i128 = 86_400_000_000_000;
        let spans = match self.constant(option, written)? {
            ScalarValue::IntervalMonthDayNano(Some(span)) if span.months == 0 => {
                Some(i128::from(span.days) * DAY + i128::from(span.nanoseconds))
            }
            ScalarValue::IntervalDayTime(Some(span)) => {
                Some(i128::from(span.days) * DAY + i128::from(span.milliseconds) * 1_000_000)
            }
            _ => None,
        };
        match spans {
            Some(span) if span >= 0 => Ok(span),
            _ => plan_err!(
                "{}: {option} is {written}, expected a span of days, hours, minutes or seconds, not below 0, as in INTERVAL '30 seconds'",
                self.function
            ),
        }
    }

    /// Returns the placeholder if the value is one, as in `$1`.
    fn placeholder(&mut self, written: Value) -> Result<Option<Placeholder>> {
        let planned = match written {
            Value::Planned(expr) => expr.clone(),
            Value::Sql(sql) => {
                let ast::Expr::Value(value) = sql else { return Ok(None) };
                let ast::Value::Placeholder(_) = &value.value else { return Ok(None) };
                self.planner.plan_expr(sql.clone(), &DFSchema::empty())?
            }
        };
        match planned {
            Expr::Placeholder(placeholder) => Ok(Some(placeholder)),
            _ => Ok(None),
        }
    }

    fn constant(&mut self, option: &str, written: Value) -> Result<ScalarValue> {
        let function = self.function;
        let planned = match written {
            Value::Planned(expr) => Ok(expr.clone()),
            Value::Sql(sql) => self.planner.plan_expr(sql.clone(), &DFSchema::empty()),
        };
        match planned {
            Ok(expr) => match computed(expr) {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(error) => {
                    let reason = reason(&error);
                    return plan_err!("{function}: {option} is {written}, which can't be computed: {reason}");
                }
            },
            // The name of a column is not a constant, which the error below says. Any other error is returned as it is.
            Err(error) if missing_column(&error).is_some() => {}
            Err(error) => return plan_err!("{function}: {option} is {written}: {}", reason(&error)),
        }
        let list = match written {
            Value::Sql(ast::Expr::Identifier(_) | ast::Expr::Function(_)) if option == "eps" => {
                "; several features stand in brackets, as in [a, b]"
            }
            _ => "",
        };
        plan_err!("{function}: {option} is {written}, expected a constant{list}")
    }
}

/// The innermost error, without its class and its backtrace.
fn reason(error: &DataFusionError) -> String {
    let text = error.find_root().message().into_owned();
    text.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default().trim_end_matches('.').to_string()
}

/// The hint about a number in quotes.
fn without_quotes(written: Value) -> String {
    match written.string() {
        Some(text) if text.trim().parse::<f64>().is_ok() => {
            format!("; write it without quotes: {}", text.trim())
        }
        _ => String::new(),
    }
}
