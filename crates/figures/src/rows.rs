//! The rows of a figure as plain data.

use crate::text::marks;

/// The use that a figure can make of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A place on a scale.
    Number,
    /// A place in time.
    Time,
    /// A name.
    Text,
}

/// One column: its values as people read them, and as numbers if they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the query.
    pub name: String,
    /// The use that a figure can make of it.
    pub column_type: ColumnType,
    /// A value per row as text; `None` for NULL.
    pub shown: Vec<Option<String>>,
    /// A value per row of a [`ColumnType::Number`], or the milliseconds since 1970 of a [`ColumnType::Time`]; empty for
    /// text.
    pub numbers: Vec<Option<f64>>,
}

/// Columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows(pub Vec<Column>);

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, |column| column.shown.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column of this name, in any case unless several differ only in case.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.0.get(self.position(name)?)
    }

    /// The position of the column of this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        position(self.0.iter().map(|column| column.name.as_str()), name)
    }
}

/// The position of `name` among `names`: the same name, or else the only one that differs in case.
pub(crate) fn position<'a>(names: impl Iterator<Item = &'a str> + Clone, name: &str) -> Option<usize> {
    names.clone().position(|each| each == name).or_else(|| {
        let mut similar = names.enumerate().filter(|(_, each)| each.eq_ignore_ascii_case(name));
        similar.next().filter(|_| similar.next().is_none()).map(|(at, _)| at)
    })
}

impl Column {
    /// The value of a row as text; `None` for NULL.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        self.shown.get(row).and_then(|value| value.as_deref())
    }

    /// The value of a row for the drawing script, in at most `limit` characters.
    pub(crate) fn label(&self, row: usize, limit: usize) -> String {
        self.text(row).map_or_else(|| "(NULL)".to_string(), |text| marks(text, limit))
    }

    /// The number of a row, if it is one and finite.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        self.numbers.get(row).copied().flatten().filter(|number| number.is_finite())
    }

    /// Whether the value of a row is neither NULL nor `false`.
    pub(crate) fn is_set(&self, row: usize) -> bool {
        self.text(row).is_some_and(|text| !text.eq_ignore_ascii_case("false"))
    }
}
