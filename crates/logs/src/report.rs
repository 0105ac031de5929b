//! An account of a reading: for one line on standard error, and for the table `rejected`.

/// A line or a value that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The name of the file.
    pub file: String,
    /// The line on which the record begins; of an event log of Windows, the chunk in which it is. The first is 1.
    pub line: u64,
    /// The column, if the record has been read but for one value, which is NULL in its row.
    pub column: Option<String>,
    /// The text of the line or the value, cut after 64 KiB; empty for a part of an event log of Windows that can't be read.
    pub text: String,
    /// The reason for which it could not be read.
    pub reason: String,
}

/// The most of a text that is kept of what is rejected.
const LONGEST_TEXT: usize = 64 << 10;

impl Rejected {
    /// A part of a file's text that is no record, with the line on which it begins. The name of the file is still missing.
    pub(crate) fn record(line: u64, text: &[u8], reason: String) -> Self {
        Self { file: String::new(), line, column: None, text: Self::beginning(text), reason }
    }

    /// The part of a text that is kept; it does not end within a letter.
    pub(crate) fn beginning(text: &[u8]) -> String {
        let kept = text.get(..LONGEST_TEXT).unwrap_or(text);
        let mut kept = String::from_utf8_lossy(kept);
        if text.len() > LONGEST_TEXT {
            // The cut may have gone through a letter.
            kept = kept.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned().into();
        }
        kept.into_owned()
    }

    /// Whether a text is kept to its end.
    pub(crate) fn keeps(text: &[u8]) -> bool {
        text.len() <= LONGEST_TEXT
    }
}

/// A sentence for the reader of the report, with the file that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The name of the file; none if it is about all of them.
    pub file: Option<String>,
    /// The sentence, without a full stop.
    pub text: String,
}

/// The account of a reading: the rows, and all that is not in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of files.
    pub files: usize,
    /// The number of rows.
    pub rows: u64,
    /// The bytes of text after decompression.
    pub bytes: u64,
    /// The columns that are times, with the zone that their values were read in.
    pub times: Vec<(String, String)>,
    /// Assumptions and changes that the reader should know.
    pub notes: Vec<Note>,
    /// Lines and values that could not be read, in the order of files and lines.
    pub rejected: Vec<Rejected>,
}
