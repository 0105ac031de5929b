//! CSV, Zeek, W3C and plain lines to records.
//!
//! All of them are lines of fields. What differs is where a record ends, and who names the columns:
//!
//! | format | a record ends | columns are named by |
//! |---|---|---|
//! | `csv` | at a line end outside quotes | the first record, or their number |
//! | `zeek` | at a line end | lines that begin with `#`, anywhere in the file |
//! | `w3c` | at a line end | lines that begin with `#`, anywhere in the file |
//! | `lines` | at a line end | nobody: it is one column |
//!
//! Cutting looks only for quotes and line ends, at the speed of `memchr`. Parsing notes where each field stands and copies only
//! the values that do not stand in the text as they are, such as those with doubled quotes.

mod csv;
mod lines;
mod near;
mod rows;
mod sections;
mod w3c;
mod zeek;

#[cfg(test)]
mod tests;

pub(crate) use csv::csv;
pub(crate) use lines::{lines, lines_of};
pub(crate) use w3c::w3c;
pub(crate) use zeek::zeek;

/// A part of a log in a sentence: in quotes, on one line, of bounded length.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push_str("...");
    }
    format!("'{shown}'")
}

/// A number with its noun, such as `1 line` and `2 lines`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
