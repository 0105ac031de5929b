//! The lines before the first record: marks of Excel and PowerShell, comments, blank lines.

use memchr::{memchr, memchr_iter};

use super::field::QUOTE;
use crate::delimited::{counted, quoted};

/// The lines before the first record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Preamble<'a> {
    /// Where the first record begins.
    pub(super) end: usize,
    /// The delimiter that Excel's `sep=;` names.
    pub(super) delimiter: Option<u8>,
    /// The last comment without its sign: some tools write the header as one.
    pub(super) last_comment: Option<&'a [u8]>,
    pub(super) notes: Vec<String>,
}

impl<'a> Preamble<'a> {
    /// The preamble of a text. A line that does not end in the text is no part of it.
    pub(super) fn of(head: &'a [u8], line_end: u8) -> Self {
        let mut preamble = Self::default();
        let mut comments = vec![];
        let mut first_comment = 0;
        while let Some(rest) = head.get(preamble.end..)
            && let Some(length) = memchr(line_end, rest)
        {
            let line = rest.get(..length).unwrap_or_default().trim_ascii();
            if preamble.end == 0
                && let Some(delimiter) = excel_delimiter(line)
            {
                preamble.delimiter = Some(delimiter);
            } else if preamble.end == 0 && line.starts_with(b"#TYPE ") {
                let line = quoted(&String::from_utf8_lossy(line));
                preamble.notes.push(format!("the first line, {line}, is passed over"));
            } else if is_comment(line) {
                if comments.is_empty() {
                    first_comment = preamble.end;
                }
                preamble.last_comment = line.get(1..).map(<[u8]>::trim_ascii);
                comments.push(line);
            } else if !line.is_empty() {
                break;
            }
            preamble.end += length + 1;
        }
        let next = head.get(preamble.end..).unwrap_or_default();
        let next = next.get(..memchr(line_end, next).unwrap_or(next.len())).unwrap_or_default();
        if are_records(&comments, next) {
            (preamble.end, preamble.last_comment) = (first_comment, None);
        } else if !comments.is_empty() {
            let count = counted(comments.len(), "comment line");
            preamble.notes.push(format!("passed over: {count} before the first record, and later ones"));
        }
        preamble
    }
}

/// Whether a byte can stand between fields: not one that means something else there.
pub(super) fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, QUOTE | b'\n' | b'\r')
}

/// The delimiter that a first line such as `sep=;` names.
fn excel_delimiter(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (name, delimiter) = line.split_at_checked(4)?;
    match delimiter {
        // A tab is white space, so it has been trimmed.
        [] if name.eq_ignore_ascii_case(b"sep=") => Some(b'\t'),
        [delimiter] if name.eq_ignore_ascii_case(b"sep=") && is_delimiter(*delimiter) => Some(*delimiter),
        _ => None,
    }
}

/// Whether lines that look like comments are records, such as `#general,amy` of a chat: there are several with as many delimiters
/// each as the record behind them, if there is one.
fn are_records(comments: &[&[u8]], next: &[u8]) -> bool {
    let [first, others @ ..] = comments else { return false };
    let next = next.trim_ascii();
    !others.is_empty()
        && [b',', b';', b'\t', b'|'].into_iter().any(|delimiter| {
            let count = |line: &[u8]| memchr_iter(delimiter, line).count();
            let wanted = count(first);
            wanted > 0
                && others.iter().all(|line| count(line) == wanted)
                && (next.is_empty() || count(next) == wanted)
        })
}

/// Whether a line is a comment. A header may begin with a column of that name: `#,name`.
fn is_comment(line: &[u8]) -> bool {
    match line {
        [b'#'] => true,
        [b'#', next, ..] => !matches!(next, b',' | b';' | b'\t' | b'|'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excel_and_powershell_leave_marks() {
        let excel = Preamble::of(b"sep=;\r\na;b\r\n", b'\n');
        assert_eq!((excel.end, excel.delimiter), (7, Some(b';')));
        assert_eq!(Preamble::of(b"\"SEP=|\"\na|b\n", b'\n').delimiter, Some(b'|'));
        assert_eq!(Preamble::of(b"sep=\t\na\tb\n", b'\n').delimiter, Some(b'\t'));
        assert_eq!(Preamble::of(b"separator\na\n", b'\n'), Preamble::default());
        assert_eq!(Preamble::of(b"a\nsep=;\n", b'\n'), Preamble::default());

        let powershell = Preamble::of(b"#TYPE System.Object\n\"a\",\"b\"\n", b'\n');
        assert_eq!(powershell.end, 20);
        assert_eq!(powershell.notes, ["the first line, '#TYPE System.Object', is passed over"]);
        assert_eq!(powershell.last_comment, None);
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over() {
        let preamble = Preamble::of(b"# made by x\n\n#time,cmd\n1,a\n", b'\n');
        assert_eq!(preamble.end, 23);
        assert_eq!(preamble.last_comment, Some(b"time,cmd".as_slice()));
        assert_eq!(preamble.notes, ["passed over: 2 comment lines before the first record, and later ones"]);
        assert_eq!(Preamble::of(b"#,name\n1,a\n", b'\n'), Preamble::default());
        assert_eq!(Preamble::of(b"# no end", b'\n'), Preamble::default());
        for records in ["#channel,user\n#general,amy\n#random,bob\n", "#1,up\n#2,down\nx,y\n"] {
            assert_eq!(Preamble::of(records.as_bytes(), b'\n'), Preamble::default());
        }
        // The header of a quiet day.
        assert_eq!(Preamble::of(b"#time,cmd\n", b'\n').last_comment, Some(b"time,cmd".as_slice()));
    }
}
