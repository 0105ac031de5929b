//! [`ClusterOption`]: an option with its documentation, and [`Takes`], the kind of value that it takes.

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::Expr;

use super::table::OPTIONS;
use super::{ClusterOptions, Feature, Key, MAX_KEYS, Parameter};

/// An option of `dbcluster` and its relatives, with its documentation.
#[derive(Debug)]
pub struct ClusterOption {
    /// The name before `=>`.
    pub(crate) name: &'static str,
    /// The kind of value that it takes, and the field of [`ClusterOptions`] that it sets.
    pub(crate) takes: Takes,
    /// Its place in the struct that a plan carries. That struct is also the column `options` of `dbcluster_summary`, so a new
    /// option goes to its end, wherever the reference lists it. `None` for an option that one function has alone.
    pub(super) place: Option<usize>,
    /// The only function that has it, if it is one.
    pub(crate) only_in: Option<&'static str>,
    /// Returns its value in that struct.
    pub(super) carry: fn(&ClusterOptions) -> Expr,
    /// The default in words, if it is not a value of the option.
    pub(super) default: Option<&'static str>,
    /// The text about its effect. The README's table has its first sentence.
    pub(super) meaning: &'static str,
    /// A statement on the table of the examples, with its output.
    pub(super) sql_example: &'static str,
}

/// The kind of value that an option takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// A number, `'auto'`, or a list of numbers.
    Eps,
    /// A number from 0 to 1.
    Share(fn(&mut ClusterOptions, f64)),
    /// A whole number in a range.
    Count {
        least: i64,
        most: i64,
        set: fn(&mut ClusterOptions, i64),
        get: fn(&ClusterOptions) -> Option<i64>,
    },
    /// A whole number from 1.
    WholeNumber(fn(&mut ClusterOptions, Parameter<i64>)),
    /// One of some words, in any case; `set` returns `None` for any other.
    Word { names: &'static [&'static str], set: fn(&mut ClusterOptions, &str) -> Option<()> },
    /// A column or an expression that orders like a time, or none.
    TimeColumn,
    /// Expressions that order the rows.
    Keys(fn(&mut ClusterOptions) -> &mut Vec<Key>),
    /// Expressions that partition the rows.
    PartitionKeys(fn(&mut ClusterOptions) -> &mut Vec<Key>),
    /// A factor per feature.
    Weights,
    /// Columns, each with the number of values to keep.
    Members,
    /// Columns, for what the plan does with them.
    Columns { of: fn(&mut ClusterOptions) -> &mut Vec<Column>, are: ColumnsAre },
    /// Columns or named expressions whose values are counted.
    Named(fn(&mut ClusterOptions) -> &mut Vec<Feature>),
}

/// The columns that an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnsAre {
    /// Of any type.
    Any,
    /// Of a type whose values can be grouped.
    Grouped,
    /// Text.
    Text,
}

impl ClusterOption {
    /// Finds the option of this name, in any case.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|option| option.name.eq_ignore_ascii_case(name))
    }

    /// Returns the options that may be given without their names, in this order after the features: eps and `min_samples`.
    pub(crate) fn by_position() -> &'static [Self] {
        &OPTIONS[..2]
    }

    /// Returns the names of all options.
    pub(crate) fn names() -> Vec<&'static str> {
        OPTIONS.iter().map(|option| option.name).collect()
    }

    /// Returns all options in the order in which a plan carries them.
    pub(super) fn in_plans() -> Vec<&'static Self> {
        let mut options: Vec<_> = OPTIONS.iter().filter(|option| option.place.is_some()).collect();
        options.sort_by_key(|option| option.place);
        options
    }

    /// Returns the only function that has it, if it is one.
    pub fn only_in(&self) -> Option<&'static str> {
        self.only_in
    }

    /// Returns the name before `=>`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns a description of the values that it takes.
    pub fn values(&self) -> String {
        match &self.takes {
            Takes::Eps => {
                "a number above 0, a placeholder, or `'auto'`; in `dbcluster_eps` a list of numbers"
                    .to_string()
            }
            Takes::Share(_) => "a number from 0 to 1".to_string(),
            Takes::Count { least, most, .. } => format!("a whole number from {least} to {most}"),
            Takes::WholeNumber(_) => "a whole number from 1, or a placeholder".to_string(),
            Takes::Word { names, .. } => {
                let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                match names.split_last() {
                    Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
                    _ => names.concat(),
                }
            }
            Takes::TimeColumn => "a column, an expression, or NULL for none".to_string(),
            Takes::Keys(_) | Takes::PartitionKeys(_) => {
                format!("a column, an expression or a list of up to {MAX_KEYS}")
            }
            Takes::Weights => "a list of numbers above 0, one per feature, or `{name: number}`".to_string(),
            Takes::Members => "a column, a list of columns, or `{column: number}`".to_string(),
            Takes::Columns { are: ColumnsAre::Text, .. } => "a text column or a list of them".to_string(),
            Takes::Columns { .. } => "a column or a list of columns".to_string(),
            Takes::Named(_) => "a column, an expression, a list of them, or `{name: expression}`".to_string(),
        }
    }

    /// Returns the default, in words or as SQL.
    pub fn default(&self) -> String {
        let value = (self.carry)(&ClusterOptions::new(1.0));
        match (self.default, value) {
            (Some(text), _) => text.to_string(),
            (None, Expr::Literal(ScalarValue::Utf8(Some(word)), _)) => quoted(&word),
            (None, Expr::Literal(value, _)) => value.to_string(),
            (None, other) => other.to_string(),
        }
    }

    /// Returns one sentence about its effect.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// Returns a statement on the table `events` of [`example_table`](crate::reference::example_table), with its output.
    pub fn sql_example(&self) -> &'static str {
        self.sql_example
    }
}

fn quoted(word: &str) -> String {
    format!("`'{word}'`")
}
