//! The rules that every reading keeps, whatever the bytes are.
//!
//! A target makes files and options of an input, and [`check`] reads them: at once on one thread, and in small blocks on three threads
//! whose text waits in a temporary file. The two must tell the same, rows must be as many as the account says, and no type that
//! was found may lose a value. All is done with the public interface.

mod host;
mod options;
mod source;
mod table;

pub use options::{Bytes, encoding, name, options};
pub use source::Piped;

use dbcluster_logs::{ColumnType, Format, ReadOptions, Source, look};

use crate::host::FuzzHost;
use crate::source::File;
use crate::table::{Table, check_text};

/// The file names that leave the format open, or say it.
pub const NAMES: [&str; 8] =
    ["a.csv", "a.json", "a.log", "a.tsv", "a.txt.gz", "a", "\u{202e}b\n.csv", "conn.log"];

/// Reads one file with a format that is ordered, or found if the first byte is odd.
pub fn check_format(format: Format, input: &[u8]) {
    let mut input = Bytes(input);
    let is_found = input.next() & 1 == 1;
    let mut options = options(&mut input);
    options.format = (!is_found).then_some(format);
    let types = input.next();
    check(&[("a.log", input.0)], &options, types);
}

/// Reads files in several ways, which must agree. `types` says how to order the types of columns in another reading.
pub fn check(files: &[(&str, &[u8])], options: &ReadOptions, types: u8) {
    let found = check_one(files, options);
    check_looks(files, options, found.as_ref());
    let Some(found) = found else { return };
    // In text, the values are as they stand: what is NULL there is NULL in the types that were found, and nothing else.
    let text = ReadOptions { types: found.ordered(|_| Some(ColumnType::Text)), ..options.clone() };
    let text = check_one(files, &text).expect("a table of text");
    found.check_nulls(&text);
    if types > 0 {
        let ordered =
            ReadOptions { types: found.ordered(|at| options::column_type(types, at)), ..options.clone() };
        if let Some(ordered) = check_one(files, &ordered) {
            ordered.check_nulls(&text);
        }
    }
}

/// Reads files at once and in small blocks; the table, if they are one.
fn check_one(files: &[(&str, &[u8])], options: &ReadOptions) -> Option<Table> {
    let whole = Table::read(&File::all(files, usize::MAX), options, FuzzHost::large());
    let size = files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    for block in [1, 7 + size % 64] {
        let parts = Table::read(&File::all(files, block), options, FuzzHost::small(block));
        match (&whole, &parts) {
            (Ok(whole), Ok(parts)) => whole.check_same(parts),
            // Of several errors, another may come first.
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => panic!("blocks of {block} fail alone: {error}"),
            (Err(error), Ok(_)) => panic!("blocks of {block} succeed alone: {error}"),
        }
    }
    match whole {
        Ok(table) => Some(table),
        Err(error) => {
            check_text(&error.to_string(), 1024);
            None
        }
    }
}

/// A pipe that has been looked at still gives all of its bytes.
fn check_looks(files: &[(&str, &[u8])], options: &ReadOptions, expected: Option<&Table>) {
    let mut sources: Vec<Box<dyn Source>> = vec![];
    for (name, bytes) in files {
        match look(Box::new(Piped::new(name, bytes)), options) {
            Ok((content, source)) => {
                check_text(content.way_out(), 1024);
                sources.push(source);
            }
            Err(error) => {
                check_text(&error.to_string(), 1024);
                assert!(expected.is_none(), "what can be read can be looked at: {error}");
                return;
            }
        }
    }
    match (Table::read(&sources, options, FuzzHost::large()), expected) {
        (Ok(piped), Some(expected)) => expected.check_same(&piped),
        (Err(_), None) => {}
        (Ok(_), None) => panic!("a pipe can be read, and a file with its bytes can not"),
        (Err(error), Some(_)) => panic!("a pipe can't be read: {error}"),
    }
}
