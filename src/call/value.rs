//! [`Value`]: the value of an option as it was written.

use std::fmt::{Display, Formatter};

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast;
use datafusion::sql::unparser::expr_to_sql;

use super::lists::string_literal;

/// The value of an option as it was written: SQL, or by position a constant that the engine has planned.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Sql(&'a ast::Expr),
    Planned(&'a Expr),
}

impl<'a> Value<'a> {
    /// Returns the SQL of an option that can't be given by position.
    pub(super) fn sql(self, function: &str, option: &str) -> Result<&'a ast::Expr> {
        match self {
            Self::Sql(sql) => Ok(sql),
            Self::Planned(_) => {
                plan_err!("{function}: {option} is {self}, expected {option} => value")
            }
        }
    }

    /// The text of a string constant.
    pub(super) fn string(self) -> Option<&'a str> {
        match self {
            Self::Sql(sql) => string_literal(sql),
            Self::Planned(Expr::Literal(value, _)) => value.try_as_str().flatten(),
            Self::Planned(_) => None,
        }
    }
}

/// Writes the value as SQL.
impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sql(sql) => sql.fmt(f),
            Self::Planned(Expr::Literal(value, _)) if value.is_null() => f.write_str("NULL"),
            Self::Planned(Expr::Literal(value, _)) if value.data_type().is_numeric() => {
                match value.cast_to(&DataType::Float64) {
                    // {:?} keeps the decimal point, which tells it from a whole number, and all of its digits.
                    Ok(ScalarValue::Float64(Some(number))) if !value.data_type().is_integer() => {
                        write!(f, "{number:?}")
                    }
                    _ => value.fmt(f),
                }
            }
            Self::Planned(expr) => match expr_to_sql(expr) {
                Ok(sql) => sql.fmt(f),
                Err(_) => expr.fmt(f),
            },
        }
    }
}
