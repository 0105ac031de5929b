//! A query as plain Rust: the call, its input rows, and the part of the answer that is shown.

use std::cmp::Ordering;

use arrow::datatypes::DataType;

use super::dbscan::Metric;
use super::scaling::Scaling;
use super::table::{Column, Table, identifier};
use super::value::Value;

#[derive(Debug, Clone)]
pub struct Query {
    pub function: Function,
    pub input: Input,
    pub features: Vec<Feature>,
    pub eps: f64,
    /// Eps is the distance of two rows, or the number beside it.
    pub is_near_eps: bool,
    /// The rows of each partition decide the eps.
    pub is_auto: bool,
    pub min_samples: i64,
    pub scaling: Scaling,
    pub metric: Metric,
    pub weights: Option<Vec<f64>>,
    pub nulls: Nulls,
    pub exemplar: Exemplar,
    pub partition_by: Vec<Scalar>,
    pub order_by: Vec<OrderKey>,
    pub time_column: TimeColumn,
    pub keep_members: Vec<(String, usize)>,
    pub distinct_of: Vec<String>,
    pub filter: Option<Predicate>,
    pub shown: Shown,
    /// Columns that are shown. Only a query of a `dbcluster` is sorted, and has an offset.
    pub sort: Vec<SortKey>,
    pub limit: Option<usize>,
    pub offset: usize,
    pub form: Form,
    /// Decides how the same is written: which defaults are named, in which order.
    pub spelling: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Dbcluster,
    Members,
    Summary,
    /// `dbscan(...) OVER (...)`.
    Window,
}

impl Function {
    pub fn name(self) -> &'static str {
        match self {
            Self::Dbcluster => "dbcluster",
            Self::Members => "dbcluster_members",
            Self::Summary => "dbcluster_summary",
            Self::Window => "dbscan",
        }
    }
}

/// The rows that are clustered.
#[derive(Debug, Clone)]
pub enum Input {
    Table,
    /// The file or folder by its path.
    Path,
    Subquery,
    /// A view of some columns in another order.
    View(Vec<String>),
    Cte,
    /// All rows twice.
    Doubled,
    Where(Predicate),
    /// The first rows by a column, of which several may be equal.
    Limited {
        by: String,
        descending: bool,
        limit: usize,
        offset: usize,
    },
    /// One row for each value of a column: the first one by all columns.
    DistinctOn(String),
}

impl Input {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Path => "path",
            Self::Subquery => "subquery",
            Self::View(_) => "view",
            Self::Cte => "with",
            Self::Doubled => "union",
            Self::Where(_) => "where",
            Self::Limited { .. } => "limit",
            Self::DistinctOn(_) => "distinct on",
        }
    }

    /// The rows that it makes of the table's.
    pub fn of(&self, table: &Table) -> Table {
        let mut table = table.clone();
        match self {
            Self::Table | Self::Path | Self::Subquery | Self::Cte => {}
            Self::View(names) => {
                let places: Vec<usize> = names.iter().map(|name| table.place(name)).collect();
                table.columns = places.iter().map(|&place| table.columns[place].clone()).collect();
                for row in &mut table.rows {
                    *row = places.iter().map(|&place| row[place].clone()).collect();
                }
            }
            Self::Doubled => table.rows.extend(table.rows.clone()),
            Self::Where(predicate) => {
                let place = table.place(&predicate.column);
                table.rows.retain(|row| predicate.holds(&row[place]));
            }
            // Rows that are equal by the column are taken in the order of all their columns.
            Self::Limited { by, descending, limit, offset } => {
                let place = table.place(by);
                table.rows.sort_by(|a, b| {
                    let (x, y) = (&a[place], &b[place]);
                    if *descending { x.descending(y) } else { x.cmp(y) }.then_with(|| a.cmp(b))
                });
                table.rows = table.rows.into_iter().skip(*offset).take(*limit).collect();
            }
            Self::DistinctOn(by) => {
                let place = table.place(by);
                table.rows.sort_by(|a, b| a[place].cmp(&b[place]).then_with(|| a.cmp(b)));
                table.rows.dedup_by(|b, a| a[place] == b[place]);
            }
        }
        table
    }
}

/// An expression over one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    Column(String),
    /// Of a BIGINT or DOUBLE.
    PlusOne(String),
    /// Of a BIGINT.
    CoalesceSeven(String),
    /// Of a text.
    Length(String),
}

impl Scalar {
    pub fn column(&self) -> &str {
        match self {
            Self::Column(name) | Self::PlusOne(name) | Self::CoalesceSeven(name) | Self::Length(name) => name,
        }
    }

    pub fn sql(&self) -> String {
        let column = identifier(self.column());
        match self {
            Self::Column(_) => column,
            Self::PlusOne(_) => format!("{column} + 1"),
            Self::CoalesceSeven(_) => format!("coalesce({column}, 7)"),
            Self::Length(_) => format!("character_length({column})"),
        }
    }

    pub fn of(&self, columns: &[Column], row: &[Value]) -> Value {
        let place = columns.iter().position(|column| column.name == self.column());
        let value = row[place.expect("a column of the input")].clone();
        match (self, value) {
            (Self::CoalesceSeven(_), Value::Null) => Value::Int(7),
            (Self::PlusOne(_), Value::Int(value)) => Value::Int(value + 1),
            (Self::PlusOne(_), Value::Float(value)) => Value::Float(value + 1.0),
            (Self::Length(_), Value::Text(text)) => Value::Int(text.chars().count() as i128),
            (_, value) => value,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Feature {
    pub scalar: Scalar,
    pub alias: Option<String>,
}

impl Feature {
    /// Its name in the output.
    pub fn name(&self) -> String {
        match (&self.alias, &self.scalar) {
            (Some(alias), _) => alias.clone(),
            (None, Scalar::Column(name)) => name.clone(),
            (None, scalar) => scalar.sql(),
        }
    }

    /// True where the output has a column for it beside the input's.
    pub fn is_computed(&self) -> bool {
        !matches!(&self.scalar, Scalar::Column(name) if *name == self.name())
    }
}

#[derive(Debug, Clone)]
pub struct OrderKey {
    pub scalar: Scalar,
    /// In OVER only.
    pub descending: bool,
    /// In OVER only.
    pub nulls_first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeColumn {
    /// The first timestamp or date.
    Default,
    None,
    Named(String),
    /// A column whose texts are times.
    Text(String),
    /// The expression `0 - column`.
    Negated(String),
}

impl TimeColumn {
    /// The time of a row; none if the rows have no time.
    pub fn of(&self, columns: &[Column]) -> Option<impl Fn(&[Value]) -> Value + use<>> {
        let is_time =
            |column: &Column| matches!(column.data_type, DataType::Timestamp(..) | DataType::Date32);
        let place = match self {
            Self::Default => columns.iter().position(is_time)?,
            Self::None => return None,
            Self::Named(name) | Self::Text(name) | Self::Negated(name) => {
                columns.iter().position(|column| column.name == *name)?
            }
        };
        let read: fn(&Value) -> Value = match self {
            Self::Text(_) => time_of_text,
            Self::Negated(_) => negated,
            _ => Value::clone,
        };
        Some(move |row: &[Value]| read(&row[place]))
    }
}

/// Texts that are times, with their nanoseconds since 1970. Their order is not that of their spelling.
pub const TIMES_AS_TEXT: [(&str, i128); 6] = [
    ("2019-01-15T05:00:00Z", 1_547_528_400_000_000_000),
    ("2019-01-15 05:00:00.5", 1_547_528_400_500_000_000),
    ("2019-01-15T07:00:00+02:00", 1_547_528_400_000_000_000),
    ("2019/01/15 04:59", 1_547_528_340_000_000_000),
    ("2019-01-14T23:00:01 -06:00", 1_547_528_401_000_000_000),
    ("2019-01-15T05:00:00,25Z", 1_547_528_400_250_000_000),
];

fn time_of_text(text: &Value) -> Value {
    let Value::Text(text) = text else { return Value::Null };
    let known = TIMES_AS_TEXT.iter().find(|(known, _)| known == text);
    known.map_or_else(|| panic!("{text} is no time"), |(_, time)| Value::Int(*time))
}

fn negated(value: &Value) -> Value {
    match value {
        Value::Int(value) => Value::Int(-value),
        Value::Float(value) => Value::Float(0.0 - value),
        other => other.clone(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    Error,
    Zero,
    Skip,
}

impl Nulls {
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Zero => "zero",
            Self::Skip => "skip",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemplar {
    First,
    Last,
    Medoid,
    Rarest,
}

impl Exemplar {
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Medoid => "medoid",
            Self::Rarest => "rarest",
        }
    }
}

impl Query {
    /// True where the contract says which rows a `LIMIT` keeps, and in which order.
    pub fn has_certain_limit(&self) -> bool {
        let is_of_clusters = |filter: &Predicate| {
            ["cluster_id", "cluster_size", "clustered"].contains(&filter.column.as_str())
        };
        self.function == Function::Dbcluster
            && self.limit.is_some()
            && matches!(self.shown, Shown::All | Shown::Columns(_))
            // Of a table that was made of the answer SQL leaves it open.
            && self.form != Form::Stored
            && (!self.sort.is_empty() || self.filter.as_ref().is_none_or(is_of_clusters))
    }
}

/// A condition on one column.
#[derive(Debug, Clone)]
pub struct Predicate {
    pub column: String,
    pub condition: Condition,
}

#[derive(Debug, Clone)]
pub enum Condition {
    IsNull,
    IsNotNull,
    /// A boolean column as it is.
    IsTrue,
    Equals(Value),
    AtLeast(i128),
}

impl Predicate {
    pub fn sql(&self) -> String {
        let column = identifier(&self.column);
        match &self.condition {
            Condition::IsNull => format!("{column} IS NULL"),
            Condition::IsNotNull => format!("{column} IS NOT NULL"),
            Condition::IsTrue => column,
            Condition::Equals(Value::Text(text)) => format!("{column} = '{}'", text.replace('\'', "''")),
            Condition::Equals(Value::Int(value)) => format!("{column} = {value}"),
            Condition::Equals(other) => panic!("no condition compares {other:?}"),
            Condition::AtLeast(value) => format!("{column} >= {value}"),
        }
    }

    /// True where a row with this value passes. A comparison with NULL lets no row through.
    pub fn holds(&self, value: &Value) -> bool {
        match (&self.condition, value) {
            (Condition::IsNull, value) => value.is_null(),
            (Condition::IsNotNull, value) => !value.is_null(),
            (Condition::IsTrue, value) => *value == Value::Bool(true),
            (Condition::Equals(wanted), value) => value == wanted,
            (Condition::AtLeast(least), Value::Int(value)) => value >= least,
            (Condition::AtLeast(_), _) => false,
        }
    }
}

/// A key of the `ORDER BY` over a call.
#[derive(Debug, Clone)]
pub struct SortKey {
    pub column: String,
    pub descending: bool,
    pub nulls_first: bool,
}

impl SortKey {
    pub fn sql(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = if self.nulls_first { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", identifier(&self.column))
    }

    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let nulls = a.is_null().cmp(&b.is_null());
        let nulls = if self.nulls_first { nulls.reverse() } else { nulls };
        nulls.then(if self.descending { b.cmp(a) } else { a.cmp(b) })
    }
}

/// The part of the answer that a query shows.
#[derive(Debug, Clone)]
pub enum Shown {
    All,
    Columns(Vec<String>),
    /// One row of aggregates over the answer.
    Totals,
    /// A row per `cluster_id`.
    PerCluster,
}

/// The way in which a call is written and run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    /// Strings and numbers only: what a host without a relation planner takes.
    Positional,
    /// With placeholders for eps and `min_samples`.
    Prepared,
    /// A view over the call.
    View,
    /// A table made of the call.
    Stored,
    /// The plan is run, dropped before its end, and run again.
    Again,
    /// The window function through the API, not through SQL.
    DataFrame,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Positional => "positional",
            Self::Prepared => "prepared",
            Self::View => "over a view of it",
            Self::Stored => "stored",
            Self::Again => "run again",
            Self::DataFrame => "data frame",
        }
    }
}
