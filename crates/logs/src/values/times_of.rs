//! Text in memory as times.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use super::build::build;
use super::summary::{Look, Summary};
use super::{ColumnType, shown};
use crate::options::ReadOptions;
use crate::records::{Cell, Syntax};
use crate::{Error, Result};

/// The times that the parts of a column of text spell, read in one way for all of them: `Timestamp`s, or `Date32` if no value has a
/// time of day. Numbers are times if all lie between 1990 and 2100 in one unit.
///
/// Fails if a value is not a time, or if no value says whether the day or the month comes first.
pub fn times_of(parts: &[ArrayRef], name: &str, options: &ReadOptions) -> Result<Vec<ArrayRef>> {
    options.check()?;
    let look = Look::new(options);
    let mut summary = Summary::default();
    for part in parts {
        summary.merge(&Summary::of_texts(texts(part, name)?.flatten(), &look));
    }
    // The caller says that it's a time, whatever its name is.
    let decision = summary.decide_in_memory(options);
    let column_type = decision.column_type;
    if !matches!(column_type, ColumnType::Date(_) | ColumnType::Timestamp(..)) {
        return Err(why_not(&summary, name, decision.notes));
    }
    parts.iter().map(|part| convert(&column_type, part, name, options)).collect()
}

fn why_not(summary: &Summary, name: &str, notes: Vec<String>) -> Error {
    let name = shown(name.as_bytes());
    match (notes.into_iter().next(), &summary.not_a_time) {
        (Some(note), _) => Error::new(note.replacen("'time'", &format!("'{name}'"), 1)),
        (None, Some(value)) => Error::new(format!(
            "'{name}' is no column of times: '{value}' is not a time with a date and a year of four digits"
        )),
        (None, None) => Error::new(format!("'{name}' is no column of times")),
    }
}

fn convert(column_type: &ColumnType, part: &ArrayRef, name: &str, options: &ReadOptions) -> Result<ArrayRef> {
    let mut text = vec![];
    let mut cells = Vec::with_capacity(part.len());
    for value in texts(part, name)? {
        cells.push(value.map_or(Cell::NULL, |value| Cell::new(text.len(), value.len())));
        text.extend_from_slice(value.unwrap_or_default());
    }
    if u32::try_from(text.len()).is_err() {
        return Err(Error::new(format!(
            "'{}' has more than 4 GiB of text in one part",
            shown(name.as_bytes())
        )));
    }
    let mut misfit = None;
    let mut reject = |_: usize, value: &[u8], reason: String| {
        misfit.get_or_insert_with(|| {
            Error::new(format!("'{}' in '{}': {reason}", shown(value), shown(name.as_bytes())))
        });
    };
    let times = build(column_type, &text, &cells, Syntax::Plain, options, &mut reject);
    misfit.map_or(Ok(times), Err)
}

/// The values of an array of text.
fn texts<'a>(array: &'a ArrayRef, name: &str) -> Result<Box<dyn Iterator<Item = Option<&'a [u8]>> + 'a>> {
    Ok(match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string::<i32>().iter().map(|value| value.map(str::as_bytes))),
        DataType::LargeUtf8 => {
            Box::new(array.as_string::<i64>().iter().map(|value| value.map(str::as_bytes)))
        }
        DataType::Utf8View => Box::new(array.as_string_view().iter().map(|value| value.map(str::as_bytes))),
        other => return Err(Error::new(format!("'{}' is {other}, expected text", shown(name.as_bytes())))),
    })
}
