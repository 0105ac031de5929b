//! Values between delimiters, as RFC 4180 has them and as tools write them.
//!
//! The delimiter is a comma, a semicolon, a tab, a pipe or a space. A quote opens a quoted field only at the beginning of the field;
//! in it, two quotes are one, and delimiters and line ends are text. What follows the closing quote is appended as it is; but a quote on
//! a later line with more behind it closes nothing, and the line that opened it is rejected. Lines that are blank are no records, also in text of one column. A record with fewer fields than the file has columns has NULL for the
//! others; one with more is rejected, unless those are empty.
//!
//! | module | task |
//! |---|---|
//! | `sniff` | whether a text is delimited, and by what |
//! | `preamble` | what stands before the first record |
//! | `sample` | the first records, read with one delimiter |
//! | `header` | whether the first record names the columns, and the names |
//! | `field` | where a field ends, and its value |
//! | `cut` | where records end |
//! | `parse` | records to cells |

mod cut;
pub(super) mod field;
mod header;
mod parse;
mod preamble;
mod sample;
mod sniff;

#[cfg(test)]
mod tests;

pub(super) use header::columns_of;
pub(crate) use sniff::csv;
