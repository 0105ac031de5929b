//! Objects and arrays within records.

use std::sync::Arc;

use super::lex::{self, Next};
use super::table::Table;
use crate::records::{Cell, Changes, Syntax};

/// Columns of cells by their names.
pub(crate) type Members = Vec<(Arc<str>, Vec<Cell>)>;

/// The members of the JSON objects in `cells`, as columns of cells in the same text, with a cell for each object; NULL where an
/// object, or the member, is missing. Keys that need decoding are decoded; of keys that an object has twice, the second is `a_2`.
pub(crate) fn members(text: &[u8], cells: &[Cell]) -> Members {
    told_members(text, cells).0
}

/// The [`members`], and what is to be said of their names.
pub(crate) fn told_members(text: &[u8], cells: &[Cell]) -> (Members, Changes) {
    let mut table = Table::new(usize::MAX, usize::MAX);
    for cell in cells {
        let is_object = cell.of(text).is_some_and(|value| value.first() == Some(&b'{'));
        if !is_object || table.push_object(text, cell.start(), usize::MAX).is_err() {
            table.push_nulls();
        }
    }
    let changes = table.take_changes();
    (
        table.into_columns(Syntax::Json).into_iter().map(|column| (column.name, column.cells)).collect(),
        changes,
    )
}

/// The items of the JSON arrays in `cells`: how many each has (none for NULL), and the cells of all of them.
pub(crate) fn items(text: &[u8], cells: &[Cell]) -> (Vec<Option<u32>>, Vec<Cell>) {
    let mut items = vec![];
    let counts = cells.iter().map(|cell| {
        let before = items.len();
        let is_array = cell.of(text).is_some_and(|value| value.first() == Some(&b'['));
        is_array.then(|| {
            push_items(text, cell.start(), &mut items);
            (items.len() - before) as u32
        })
    });
    (counts.collect(), items)
}

/// Appends the items of the array at `at`, up to the first that is not valid.
fn push_items(text: &[u8], at: usize, items: &mut Vec<Cell>) {
    let mut at = lex::skip_space(text, at + 1);
    while let Ok(end) = lex::value(text, at) {
        let is_null = text.get(at..end) == Some(b"null");
        items.push(if is_null { Cell::NULL } else { Cell::new(at, end - at) });
        match lex::after_item(text, end) {
            Ok(Next::More(next)) => at = next,
            _ => return,
        }
    }
}
