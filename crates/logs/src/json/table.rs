//! Objects to rows: a column for each key.
//!
//! Objects of a log have mostly the same keys in the same order. Each column remembers which one came behind it last time, and
//! how its key was written. So a key is mostly found by one comparison of bytes, which also finds its end.
//!
//! Events of Windows are objects, too. They are put in value by value, since their columns are not named by their keys alone.

use std::collections::HashMap;
use std::sync::Arc;

use super::lex::{self, Fault, Next, Problem};
use super::text::{has_lone_surrogate, unescape};
use crate::records::{Cell, Changes, Column, Syntax};

/// How many columns are tried behind the one that is expected, before a key is looked up: keys that only some objects have.
const TRIED: usize = 3;

/// The rows of objects.
pub(crate) struct Table {
    columns: Vec<Keyed>,
    by_name: HashMap<Arc<str>, usize>,
    /// The column of the first key of the last object.
    first: usize,
    rows: usize,
    /// Counts the objects that were tried, rejected ones included.
    object: u64,
    /// The values of the object that is being read.
    values: Vec<(usize, Cell)>,
    /// The columns of names that the object has more than once, and of those that are not as they were written.
    doubled: Vec<usize>,
    replaced: Vec<usize>,
    changes: Changes,
    max_columns: usize,
    max_cells: usize,
    /// The name of the column for a key.
    name: fn(&[u8]) -> String,
}

/// A column, and how it is recognised.
struct Keyed {
    name: Arc<str>,
    /// Its key as it was first written, quotes included.
    token: Vec<u8>,
    /// The column that came behind it last time.
    next: usize,
    /// The last object that had it.
    object: u64,
    /// How many members of that object had its name.
    copies: u32,
    cells: Vec<Cell>,
}

impl Table {
    /// A table that refuses objects with which it would have more columns or cells.
    pub(super) fn new(max_columns: usize, max_cells: usize) -> Self {
        Self::named_by(name, max_columns, max_cells)
    }

    /// The same, with other names of columns for the keys.
    pub(crate) fn named_by(name: fn(&[u8]) -> String, max_columns: usize, max_cells: usize) -> Self {
        Self {
            columns: vec![],
            by_name: HashMap::new(),
            first: 0,
            rows: 0,
            object: 0,
            values: vec![],
            doubled: vec![],
            replaced: vec![],
            changes: Changes::default(),
            max_columns,
            max_cells,
            name,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row without values.
    pub(super) fn push_nulls(&mut self) {
        self.rows += 1;
    }

    /// Adds the object at `at` as a row, and gives the end of it. An object that is not valid,
    /// or longer than `max_bytes`, changes nothing.
    pub(super) fn push_object(&mut self, text: &[u8], at: usize, max_bytes: usize) -> Result<usize, Fault> {
        let columns = self.begin();
        let end = match self.read_object(text, at) {
            Ok(end) if end - at > max_bytes => Err(Fault { at, problem: Problem::Long }),
            result => result,
        };
        self.end(columns, at, end)
    }

    /// Begins a row that is put in value by value. [`Table::end`] is given the number of columns that this returns.
    pub(crate) fn begin(&mut self) -> usize {
        self.object += 1;
        self.values.clear();
        self.doubled.clear();
        self.replaced.clear();
        self.columns.len()
    }

    /// Sets a value of the row.
    #[inline]
    pub(crate) fn put(&mut self, column: usize, value: Cell) {
        self.values.push((column, value));
    }

    /// Whether the names of the row are as they were written, and no name is there twice.
    pub(crate) fn has_plain_names(&self) -> bool {
        self.doubled.is_empty() && self.replaced.is_empty()
    }

    /// The value that the row has in a column so far.
    pub(crate) fn value(&self, column: usize) -> Option<Cell> {
        if self.columns.get(column)?.object != self.object {
            return None;
        }
        self.values.iter().find(|(other, _)| *other == column).map(|(_, cell)| *cell)
    }

    /// Ends the row, or takes it back if it is a failure. `at` is the place for the message if the table gets too wide.
    pub(crate) fn end<T>(&mut self, columns: usize, at: usize, result: Result<T, Fault>) -> Result<T, Fault> {
        let is_wide = self.columns.len().saturating_mul(self.rows + 1) > self.max_cells;
        let result = match result {
            Ok(_) if is_wide => Err(Fault { at, problem: Problem::Wide }),
            result => result,
        };
        if result.is_err() {
            self.forget(columns);
            return result;
        }
        for (column, value) in self.values.drain(..) {
            if let Some(column) = self.columns.get_mut(column) {
                column.cells.resize(self.rows, Cell::NULL);
                column.cells.push(value);
            }
        }
        self.rows += 1;
        let name = |column: &usize| self.columns.get(*column).map(|column| &column.name);
        self.doubled.iter().filter_map(name).for_each(|name| self.changes.doubled.add(name));
        self.replaced.iter().filter_map(name).for_each(|name| self.changes.replaced.add(name));
        result
    }

    /// Removes the columns behind the first `columns`.
    fn forget(&mut self, columns: usize) {
        for column in self.columns.drain(columns..) {
            self.by_name.remove(&column.name);
        }
    }

    /// The changes of names in the rows, for the report.
    pub(crate) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// The columns, each with a cell for each row.
    pub(crate) fn into_columns(self, syntax: Syntax) -> Vec<Column> {
        let Self { columns, rows, .. } = self;
        let padded = columns.into_iter().map(|Keyed { name, mut cells, .. }| {
            cells.resize(rows, Cell::NULL);
            Column { name, syntax, cells }
        });
        padded.collect()
    }

    fn read_object(&mut self, text: &[u8], at: usize) -> Result<usize, Fault> {
        let mut at = lex::skip_space(text, at + 1);
        if text.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        let mut last = None;
        loop {
            let (column, key_end) = self.read_key(text, at, last)?;
            let value = lex::after_colon(text, key_end)?;
            let end = lex::value(text, value)?;
            if text.get(value..end) != Some(b"null") {
                self.values.push((column, Cell::new(value, end - value)));
            }
            last = Some(column);
            at = match lex::after_member(text, end)? {
                Next::More(next) => next,
                Next::End(end) => return Ok(end),
            };
        }
    }

    /// The column of the key at `at`, and the end of the key.
    pub(crate) fn read_key(
        &mut self,
        text: &[u8],
        at: usize,
        last: Option<usize>,
    ) -> Result<(usize, usize), Fault> {
        let rest = text.get(at..).unwrap_or_default();
        let expected = last.and_then(|last| self.columns.get(last)).map_or(self.first, |last| last.next);
        let near = self.columns.iter_mut().enumerate().skip(expected).take(TRIED);
        for (index, column) in near {
            if rest.starts_with(&column.token) && column.object != self.object {
                column.object = self.object;
                column.copies = 1;
                let end = at + column.token.len();
                if index != expected {
                    self.expect(last, index);
                }
                return Ok((index, end));
            }
        }
        if rest.first() != Some(&b'"') {
            return Err(Fault { at, problem: Problem::Expected("a name in quotes") });
        }
        let end = lex::string(text, at)?;
        let token = text.get(at..end).unwrap_or_default();
        let column = self.column(token).ok_or(Fault { at, problem: Problem::Wide })?;
        self.expect(last, column);
        Ok((column, end))
    }

    fn expect(&mut self, last: Option<usize>, column: usize) {
        match last.and_then(|last| self.columns.get_mut(last)) {
            Some(last) => last.next = column,
            None => self.first = column,
        }
    }

    /// The column of a key that is not where it was expected; none if there are too many columns.
    ///
    /// A key that its object had before is the next of `a`, `a_2`, `a_3` that the object has not had.
    fn column(&mut self, token: &[u8]) -> Option<usize> {
        let name = (self.name)(token);
        let first = self.named(&name, token)?;
        if has_lone_surrogate(token) {
            self.replaced.push(first);
        }
        self.column_again(first)
    }

    /// The column with this name that no key has. It is looked for first behind the `last` one.
    pub(crate) fn column_behind(&mut self, last: Option<usize>, name: &str) -> Option<usize> {
        let expected = last.and_then(|last| self.columns.get(last)).map_or(self.first, |last| last.next);
        let near = self.columns.iter().enumerate().skip(expected).take(TRIED);
        let found = near.into_iter().find(|(_, column)| *column.name == *name).map(|(place, _)| place);
        let column = found.or_else(|| self.named(name, b""))?;
        if column != expected {
            self.expect(last, column);
        }
        Some(column)
    }

    /// The column with this name that no key has, for a value of the row.
    pub(crate) fn column_named(&mut self, name: &str) -> Option<usize> {
        let first = self.named(name, b"")?;
        self.column_again(first)
    }

    /// The column, or the next copy of it that the object has not had.
    pub(crate) fn column_again(&mut self, first: usize) -> Option<usize> {
        let mut index = first;
        loop {
            let object = self.object;
            let column = self.columns.get_mut(index)?;
            if column.object != object {
                column.object = object;
                column.copies = 1;
                if index != first {
                    self.doubled.push(first);
                }
                return Some(index);
            }
            column.copies += 1;
            let copy = format!("{}_{}", column.name, column.copies);
            let next = self.named(&copy, b"")?;
            if self.columns.get(next)?.object != object {
                index = next;
            }
        }
    }

    fn named(&mut self, name: &str, token: &[u8]) -> Option<usize> {
        if let Some(index) = self.by_name.get(name) {
            return Some(*index);
        }
        let index = self.columns.len();
        if index >= self.max_columns {
            return None;
        }
        let name: Arc<str> = name.into();
        self.by_name.insert(Arc::clone(&name), index);
        // No key begins with the token of a copy, so that copies are always looked up.
        let token = if token.is_empty() { b"\0".to_vec() } else { token.to_vec() };
        self.columns.push(Keyed { name, token, next: index + 1, object: 0, copies: 0, cells: vec![] });
        Some(index)
    }
}

/// The name of the column for a key. A key without a character is `_`, since a column has to have a name.
pub(crate) fn name(token: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(token.len());
    unescape(token, &mut decoded);
    if decoded.is_empty() {
        decoded.push(b'_');
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
