//! What a figure can be told, and what it was told.

use std::collections::BTreeMap;

use super::rows::position;
use super::{ColumnType, Figure, PlotError};

/// One option of a figure.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name in `OPTIONS`.
    pub name: &'static str,
    /// What it takes.
    pub need: Need,
    /// What it does, in one line.
    pub meaning: &'static str,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The name of a column; of one type, if it says so. It has to be given, if it says so.
    Column {
        /// What its values have to be.
        of: Option<ColumnType>,
        /// Whether the figure can't do without.
        required: bool,
    },
    /// Any text.
    Text,
}

const NUMBERS: Need = Need::Column { of: Some(ColumnType::Number), required: true };
const TIMES: Need = Need::Column { of: Some(ColumnType::Time), required: true };
const NAMES: Need = Need::Column { of: None, required: true };
const OPTIONAL_NUMBERS: Need = Need::Column { of: Some(ColumnType::Number), required: false };
const OPTIONAL_NAMES: Need = Need::Column { of: None, required: false };

const fn option(name: &'static str, need: Need, meaning: &'static str) -> OptionSpec {
    OptionSpec { name, need, meaning }
}

const TITLE: OptionSpec = option("title", Need::Text, "The headline of the page");
const QUERY: OptionSpec = option("query", Need::Text, "What was asked, to be shown; the shell fills it in");

static BAR: [OptionSpec; 4] = [
    option("x", NAMES, "What each bar is called"),
    option("y", NUMBERS, "How long each bar is"),
    TITLE,
    QUERY,
];
static BOX: [OptionSpec; 5] = [
    option("x", NUMBERS, "The values"),
    option("y", NAMES, "The categories: one row of boxes each, sorted"),
    option("color", OPTIONAL_NAMES, "Splits each category by the values of this column"),
    TITLE,
    QUERY,
];
static SCATTER: [OptionSpec; 7] = [
    option("x", NUMBERS, "The place from left to right"),
    option("y", NUMBERS, "The place from bottom to top"),
    option("size", OPTIONAL_NUMBERS, "How many events a mark stands for: its area, on a logarithmic scale"),
    option("label", OPTIONAL_NAMES, "What the smallest marks are called"),
    option(
        "color",
        OPTIONAL_NAMES,
        "Gives each value of this column its colour and symbol, such as point_type",
    ),
    TITLE,
    QUERY,
];

static TIMELINE: [OptionSpec; 4] = [
    option("time", TIMES, "When"),
    option(
        "group_by",
        OPTIONAL_NAMES,
        "One row of marks for each value of this column, sorted; NULL has its own",
    ),
    TITLE,
    QUERY,
];

pub(super) fn options(figure: Figure) -> &'static [OptionSpec] {
    match figure {
        Figure::Bar => &BAR,
        Figure::Box => &BOX,
        Figure::Scatter => &SCATTER,
        Figure::Timeline => &TIMELINE,
    }
}

/// Checked options of one figure: columns exist and are of the type that they have to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Checks `given` names and values against what `figure` takes and against the columns of the query.
    ///
    /// # Errors
    /// An option that doesn't exist or is missing, a column that doesn't exist or is no number.
    pub fn try_new<'a>(
        figure: Figure,
        given: impl IntoIterator<Item = (&'a str, &'a str)>,
        columns: &[(&str, ColumnType)],
    ) -> Result<Self, PlotError> {
        let specs = figure.options();
        let mut settings = BTreeMap::new();
        let existing = || specs.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
        let names = columns.iter().map(|(name, _)| *name);
        let listed = || names.clone().collect::<Vec<_>>().join(", ");
        for (name, value) in given {
            let Some(spec) = specs.iter().find(|spec| spec.name.eq_ignore_ascii_case(name)) else {
                return Err(PlotError(format!(
                    "{} has no option '{name}', expected one of: {}",
                    figure.name(),
                    existing()
                )));
            };
            if let Need::Column { of, .. } = spec.need {
                let place = format!("{}: option '{}' names the column", figure.name(), spec.name);
                let Some((name, found)) = position(names.clone(), value).and_then(|at| columns.get(at))
                else {
                    return Err(PlotError(format!(
                        "{place} '{value}', which the query does not have; its columns are: {}",
                        listed()
                    )));
                };
                let way_out = match of {
                    Some(expected) if expected == *found => None,
                    Some(ColumnType::Number) => Some(
                        "is no number; cmdline_tokens, path_score or string_score make numbers of text, \
                         date_part('epoch', ...) of times",
                    ),
                    Some(ColumnType::Time) => Some("is no time; to_timestamp(...) makes one of text"),
                    Some(ColumnType::Text) | None => None,
                };
                if let Some(way_out) = way_out {
                    return Err(PlotError(format!("{place} '{name}', which {way_out}")));
                }
            }
            settings.insert(spec.name, value.to_string());
        }
        let missing = specs.iter().find(|spec| {
            matches!(spec.need, Need::Column { required: true, .. }) && !settings.contains_key(spec.name)
        });
        if let Some(spec) = missing {
            return Err(PlotError(format!(
                "{} needs the option '{}' ({}), as in OPTIONS ({} '{}'); the query's columns are: {}",
                figure.name(),
                spec.name,
                spec.meaning,
                spec.name,
                names.clone().next().unwrap_or("column"),
                listed()
            )));
        }
        Ok(Self(settings))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, ColumnType); 3] =
        [("Process", ColumnType::Text), ("size", ColumnType::Number), ("SIZE", ColumnType::Number)];

    fn message(given: &[(&str, &str)]) -> String {
        match Settings::try_new(Figure::Bar, given.iter().copied(), &COLUMNS) {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_are_checked() {
        let all = message(&[("x", "process"), ("Y", "size"), ("title", "Sizes")]);
        assert_eq!(all, r#"Settings({"title": "Sizes", "x": "process", "y": "size"})"#);
        let unknown = message(&[("z", "Process")]);
        assert_eq!(unknown, "BAR has no option 'z', expected one of: x, y, title, query");
        assert!(message(&[("x", "Process")]).starts_with("BAR needs the option 'y'"));
        assert!(message(&[("y", "Process")]).contains("'Process', which is no number"));
        assert!(message(&[("x", "proc")]).ends_with("its columns are: Process, size, SIZE"));
        assert!(message(&[("y", "Size")]).contains("does not have"), "which of the two is not told");
    }
}
