//! Event logs as Arrow batches. Any file of text becomes a table, and nothing in it is lost or changed without a word. So do the
//! event logs of Windows.
//!
//! The content of a file says which format it has; its name only decides where the content leaves it open. The type of a column
//! is one that holds every value of all files exactly, so types are known after the last row. [`scan()`] reads every byte once: it
//! decompresses, decodes, cuts the text into blocks of whole records, and notes where each value stands and which types
//! would hold it. [`Scanned::batches`] then converts the values to the types that are left.
//!
//! | module | task |
//! |---|---|
//! | `options` | guesses that a caller overrules |
//! | `source` | the files that a name stands for, and their bytes |
//! | `content` | compression, encoding and format of a file |
//! | `records` | a block of text, and where the values of its records stand |
//! | `delimited` | CSV, Zeek, W3C and plain lines to records |
//! | `json` | JSON objects to records, and nested values |
//! | `audit` | lines of the Linux audit daemon to records |
//! | `evtx` | event logs of Windows to records |
//! | `values` | numbers, booleans, times; the type that holds every value of a column; values to arrays |
//! | `scan` | many files on many threads, in the order of one thread |
//! | `report` | an account of what was read, passed over and rejected |

mod audit;
mod container;
mod content;
mod delimited;
mod evtx;
mod json;
mod options;
mod records;
mod report;
mod scan;
mod source;
mod values;
#[cfg(test)]
mod tests;

pub use container::{Container, TakeMember, member_name, unpack_tar, unpack_zip};
pub use content::{BinaryFormat, Content, Format, content_of, look};
pub use options::{DateOrder, ReadOptions, RecordPath};
pub use report::{Note, Rejected, Report};
pub use scan::{Host, Scanned, scan};
pub use source::{BytesSource, Found, LocalFile, PassedOver, Source, find, shown};
pub use values::{ColumnType, TimeReading, times_of};

/// An error with all that its reader needs: the file, the line if there is one, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error with this text. It is one line of bounded length, with control characters escaped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A result with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
