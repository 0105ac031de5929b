//! Numbers, booleans and times; the type that holds every value of a column; values to arrays.
//!
//! The text of a column is looked at twice. While a file is read, each part of a column gets a [`Summary`], a set of bits that says
//! which types hold its values. After the last file they are one, and [`Summary::decide`] says the type. [`build()`] then converts
//! each part. A type holds every value exactly, or it isn't taken: all else is text.
//!
//! | module | task |
//! |---|---|
//! | `number` | numbers as they are written, and whether a type holds them exactly |
//! | `time` | notations of times, epochs, zones |
//! | `name` | whether the name of a column says that it is a time |
//! | `facts`, `summary` | what is known of a column |
//! | `nested` | what objects and arrays have in common |
//! | `decide` | the type of a column, and what is to be said of it |
//! | `sql_name` | types by their SQL names |
//! | `build` | values to arrays |
//! | `times_of` | text in memory as times |

mod build;
mod decide;
mod facts;
mod name;
mod nested;
mod number;
mod sql_name;
mod summary;
#[cfg(test)]
mod tests;
mod time;
mod times_of;

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::json;
use crate::records::{Cell, Syntax};

pub(crate) use build::build;
pub(crate) use summary::{Look, Summary};
pub use time::TimeReading;
pub(crate) use time::Zone;
pub use times_of::times_of;

/// The type of a column, and how its values are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// `true` and `false` in any case.
    Boolean,
    /// 64-bit integers.
    Integer,
    /// 64-bit floats.
    Float,
    /// Days.
    Date(TimeReading),
    /// Points in time. With a zone in every value, or one that was told, they are instants, and the type says UTC.
    Timestamp(TimeUnit, bool, TimeReading),
    /// Text as it is; of JSON strings, what they stand for.
    Text,
    /// Objects that keep their shape.
    Struct(Vec<(Arc<str>, ColumnType)>),
    /// Arrays whose items have a type in common.
    List(Box<ColumnType>),
    /// JSON as it stands in the file: values of several types, and nested ones that do not keep their shape.
    Json,
}

impl ColumnType {
    /// The Arrow type: `Boolean`, `Int64`, `Float64`, `Date32`, `Timestamp`, `Utf8View`, `Struct`, `List`.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date(_) => DataType::Date32,
            Self::Timestamp(unit, is_instant, _) => {
                DataType::Timestamp(*unit, is_instant.then(|| "UTC".into()))
            }
            Self::Text | Self::Json => DataType::Utf8View,
            Self::Struct(fields) => DataType::Struct(
                fields.iter().map(|(name, kind)| Field::new(name.as_ref(), kind.data_type(), true)).collect(),
            ),
            Self::List(item) => DataType::List(Arc::new(Field::new_list_field(item.data_type(), true))),
        }
    }
}

/// Whether a member of a JSON object tells when an event was, by its name or by its value. The time at which a file was made, such as
/// `generated_at`, is none.
pub(crate) fn is_time_of_event(name: &str, value: &[u8]) -> bool {
    let has_value = matches!(value.first(), Some(b'"' | b'-' | b'0'..=b'9'));
    let is_spelled = || time::Spelled::of(&unquoted(value)).is_some_and(|spelled| spelled.has_clock());
    has_value && !name::says_made(name) && (name::says(name) > name::Says::Nothing || is_spelled())
}

/// The values of cells.
#[derive(Clone, Copy)]
struct Values<'a> {
    text: &'a [u8],
    syntax: Syntax,
    /// Texts that mean NULL, besides the empty one.
    nulls: &'a [String],
}

impl<'a> Values<'a> {
    /// The value as it stands; none if it is NULL.
    #[inline]
    fn raw(&self, cell: Cell) -> Option<&'a [u8]> {
        let value = cell.of(self.text)?;
        let is_null = match self.syntax {
            // The format says that it is a text of no bytes.
            _ if value.is_empty() && cell == Cell::EMPTY => is_among(value, self.nulls),
            Syntax::Plain => is_null(value, self.nulls),
            Syntax::Json if self.nulls.is_empty() => value.is_empty(),
            // The empty string is not NULL, unless the options say so.
            Syntax::Json => {
                value.is_empty() || value.first() == Some(&b'"') && is_among(inside_quotes(value), self.nulls)
            }
        };
        (!is_null).then_some(value)
    }

    /// The text of a value.
    fn shown(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        if self.syntax == Syntax::Json { unquoted(value) } else { Cow::Borrowed(value) }
    }

    /// Reads a value, of a JSON string what it stands for. Few have escapes, so they are read as they stand first.
    #[inline]
    fn read<T, E>(&self, value: &[u8], read: impl Fn(&[u8]) -> Result<T, E>) -> Result<T, E> {
        match self.syntax {
            Syntax::Plain => read(value),
            Syntax::Json => read(inside_quotes(value)).or_else(|_| read(&unquoted(value))),
        }
    }
}

/// Whether plain text means NULL.
#[inline]
fn is_null(value: &[u8], nulls: &[String]) -> bool {
    value.is_empty() || !nulls.is_empty() && is_among(value, nulls)
}

fn is_among(value: &[u8], texts: &[String]) -> bool {
    texts.iter().any(|text| text.as_bytes() == value)
}

/// The text that a JSON string stands for; other values as they are.
#[inline]
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let inside = inside_quotes(value);
    if value.first() != Some(&b'"') || memchr::memchr(b'\\', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut text = Vec::with_capacity(value.len());
    json::unescape(value, &mut text);
    Cow::Owned(text)
}

/// The text between the quotes of a JSON string; other values as they are.
fn inside_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] => inside,
        value => value,
    }
}

/// The boolean that a word means.
fn boolean(value: &[u8]) -> Option<bool> {
    if value.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if value.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

/// The beginning of a text for a message, in one line.
pub(crate) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    let beginning = text.get(..LONGEST * 4).unwrap_or(text);
    let mut letters = String::from_utf8_lossy(beginning).into_owned();
    let is_cut = beginning.len() < text.len() || letters.chars().count() > LONGEST;
    if is_cut {
        letters = letters.chars().take(LONGEST - 3).chain("...".chars()).collect();
    }
    let is_harmless = |letter: char| !letter.is_control() && !is_invisible(letter);
    letters
        .chars()
        .map(
            |letter| {
                if is_harmless(letter) { letter.to_string() } else { letter.escape_unicode().to_string() }
            },
        )
        .collect()
}

/// Whether a letter changes the direction of text or can't be seen.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
