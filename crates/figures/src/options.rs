//! Options of figures: their names, the values that they take, and what the documentation says of them.

use crate::rows::ColumnType;

/// One option of a figure.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name in `OPTIONS`.
    pub name: &'static str,
    /// The value that it takes.
    pub need: Need,
    /// Its meaning, in one line.
    pub meaning: &'static str,
}

/// The value that an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The name of a column.
    Column {
        /// The type that the column has to have, if any.
        of: Option<ColumnType>,
        /// Whether the figure can't do without the option.
        required: bool,
    },
    /// Names of columns with commas between, of this type, if any.
    Columns(Option<ColumnType>),
    /// A finite number.
    Number,
    /// Times with a label each, such as `2026-01-15 05:00 alert; 2026-01-16 patch`.
    Times,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text,
}

pub(crate) const NUMBERS: Need = Need::Column { of: Some(ColumnType::Number), required: true };
pub(crate) const TIMES: Need = Need::Column { of: Some(ColumnType::Time), required: true };
pub(crate) const NAMES: Need = Need::Column { of: None, required: true };
pub(crate) const OPTIONAL_NUMBERS: Need = Need::Column { of: Some(ColumnType::Number), required: false };
pub(crate) const OPTIONAL_TIMES: Need = Need::Column { of: Some(ColumnType::Time), required: false };
pub(crate) const OPTIONAL_NAMES: Need = Need::Column { of: None, required: false };

/// An option of one figure.
pub(crate) const fn option(name: &'static str, need: Need, meaning: &'static str) -> OptionSpec {
    OptionSpec { name, need, meaning }
}

/// The columns of tooltips: an option of every figure whose marks are rows.
pub(crate) const TOOLTIP: OptionSpec = option(
    "tooltip",
    Need::Columns(None),
    "The columns that a tooltip shows, with commas between; otherwise all",
);

/// Lines at given times: an option of the figures over time.
pub(crate) const REF_TIMES: OptionSpec = option(
    "ref_times",
    Need::Times,
    "Lines at these times of the axis, or of UTC with a Z: `2026-01-15 05:00 first alert; 2026-01-16 patched`",
);

/// The headline: an option of every figure.
pub(crate) const TITLE: OptionSpec = option("title", Need::Text, "The headline of the page");

/// The query: an option of every figure.
pub(crate) const QUERY: OptionSpec =
    option("query", Need::Text, "What was asked, to be shown; the shell fills it in");
