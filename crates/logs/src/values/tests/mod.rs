mod nested;
mod ordered;
mod properties;
mod times;
mod types;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::util::display::array_value_to_string;

use super::*;
use crate::options::ReadOptions;

/// A column in memory. In JSON, `null` is NULL.
struct Sample {
    text: Vec<u8>,
    cells: Vec<Cell>,
    syntax: Syntax,
}

impl Sample {
    fn new<T: AsRef<[u8]>>(values: &[T], syntax: Syntax) -> Self {
        let mut text = vec![];
        let mut cells = vec![];
        for value in values.iter().map(AsRef::as_ref) {
            let is_null = syntax == Syntax::Json && value == b"null";
            cells.push(if is_null { Cell::NULL } else { Cell::new(text.len(), value.len()) });
            text.extend_from_slice(value);
        }
        Self { text, cells, syntax }
    }

    fn plain(values: &[&str]) -> Self {
        Self::new(values, Syntax::Plain)
    }

    fn json(values: &[&str]) -> Self {
        Self::new(values, Syntax::Json)
    }

    fn summary(&self, options: &ReadOptions) -> Summary {
        Summary::of(&self.text, &self.cells, self.syntax, options)
    }

    fn build(&self, column_type: &ColumnType, options: &ReadOptions) -> (ArrayRef, Vec<String>) {
        let mut rejected = vec![];
        let mut reject = |row: usize, value: &[u8], reason: String| {
            rejected.push(format!("{row}: {}: {reason}", String::from_utf8_lossy(value)));
        };
        let array = build(column_type, &self.text, &self.cells, self.syntax, options, &mut reject);
        assert_eq!((array.len(), array.data_type()), (self.cells.len(), &column_type.data_type()));
        (array, rejected)
    }

    /// The type of a column of this name, its values as they print, and the notes.
    fn read(&self, name: &str, options: &ReadOptions) -> (DataType, Vec<String>, Vec<String>) {
        let decision = self.summary(options).decide(name, options);
        let (array, rejected) = self.build(&decision.column_type, options);
        assert_eq!(rejected, Vec::<String>::new(), "the type that was found holds every value");
        (array.data_type().clone(), printed(&array), decision.notes)
    }
}

fn printed(array: &ArrayRef) -> Vec<String> {
    (0..array.len()).map(|row| array_value_to_string(array, row).expect("it prints")).collect()
}

fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, None)
}

fn instant(unit: TimeUnit) -> DataType {
    DataType::Timestamp(unit, Some("UTC".into()))
}

fn options() -> ReadOptions {
    ReadOptions::default()
}
