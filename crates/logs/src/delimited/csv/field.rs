//! One field of delimited text.

use crate::delimited::near::{find_byte, find_either};

pub(super) const QUOTE: u8 = b'"';

/// How records and fields end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delimited) struct Form {
    /// The byte between two fields. In text of one column it is the line end, so that a field is all of its line.
    pub(in crate::delimited) delimiter: u8,
    pub(in crate::delimited) line_end: u8,
    /// Whether a quote opens a field also if spaces stand before it, as in `1, "a, b"`.
    pub(in crate::delimited) pads: bool,
    /// Whether a quote in quotes is written as `\"` rather than doubled.
    pub(in crate::delimited) escapes: bool,
    /// Whether records that begin with `#` are comments.
    pub(in crate::delimited) comments: bool,
}

/// How the value of a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delimited) enum Written {
    /// As it is, without quotes.
    Bare,
    /// As it is, between quotes.
    Quoted,
    /// Between quotes, and quotes in it are doubled.
    Doubled,
    /// Between quotes, and quotes in it are written as `\"`.
    Escaped,
    /// Between quotes of which the second is at this place, and more follows behind it.
    Followed(usize),
    /// With a quote that opens it and none that closes it. A quote on a later line with more behind it closes nothing: it opens
    /// another field, whose line would be lost.
    Unclosed,
}

/// Where a field stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delimited) struct Field {
    pub(in crate::delimited) start: usize,
    pub(in crate::delimited) end: usize,
    pub(in crate::delimited) written: Written,
    /// Where the delimiter stands, or the line end, or the end of the text.
    pub(in crate::delimited) stop: usize,
}

impl Form {
    /// Text in which one byte is between fields, and nothing out of the ordinary.
    pub(in crate::delimited) fn of(delimiter: u8, line_end: u8) -> Self {
        Self { delimiter, line_end, pads: false, escapes: false, comments: false }
    }

    /// The field that begins at a place in the text.
    #[inline]
    pub(in crate::delimited) fn field(self, text: &[u8], at: usize) -> Field {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first() {
            Some(&QUOTE) => self.quoted_field(text, at),
            Some(&b' ') if self.pads => self.padded_field(text, at),
            _ => self.bare_field(rest, at),
        }
    }

    #[inline]
    fn bare_field(self, rest: &[u8], at: usize) -> Field {
        let length = find_either(self.delimiter, self.line_end, rest).unwrap_or(rest.len());
        let mut end = length;
        // The line end is `\r\n`; a last line may be cut off between them.
        if self.line_end == b'\n'
            && rest.get(..length).is_some_and(|field| field.ends_with(b"\r"))
            && !self.is_delimited(rest.get(length))
        {
            end -= 1;
        }
        Field { start: at, end: at + end, written: Written::Bare, stop: at + length }
    }

    fn padded_field(self, text: &[u8], at: usize) -> Field {
        let rest = text.get(at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        if rest.get(spaces) == Some(&QUOTE) {
            self.quoted_field(text, at + spaces)
        } else {
            self.bare_field(rest, at)
        }
    }

    /// The field that a quote at `at` opens.
    fn quoted_field(self, text: &[u8], at: usize) -> Field {
        let start = at + 1;
        let mut written = Written::Quoted;
        let mut place = start;
        let close = loop {
            let Some(length) = text.get(place..).and_then(|rest| find_byte(QUOTE, rest)) else {
                return Field { start, end: text.len(), written: Written::Unclosed, stop: text.len() };
            };
            let quote = place + length;
            if self.escapes && is_escaped(text, quote) {
                written = Written::Escaped;
                place = quote + 1;
            } else if text.get(quote + 1) == Some(&QUOTE) {
                written = if written == Written::Escaped { written } else { Written::Doubled };
                place = quote + 2;
            } else {
                break quote;
            }
        };
        let (behind, is_followed) = self.behind(text, close);
        let stop = behind.stop;
        if !is_followed {
            Field { start, end: close, written, stop }
        } else if self.spans_lines(text, start, close) {
            Field { start, end: text.len(), written: Written::Unclosed, stop: text.len() }
        } else {
            Field { start, end: behind.end, written: Written::Followed(close), stop }
        }
    }

    /// The text between a closing quote and the end of its field, and whether that is more than padding.
    pub(super) fn behind(self, text: &[u8], close: usize) -> (Field, bool) {
        let behind = self.bare_field(text.get(close + 1..).unwrap_or_default(), close + 1);
        let is_followed = text
            .get(close + 1..behind.end)
            .is_some_and(|more| !(more.is_empty() || self.pads && more.trim_ascii().is_empty()));
        (behind, is_followed)
    }

    /// Whether a line ends between two places.
    pub(super) fn spans_lines(self, text: &[u8], start: usize, end: usize) -> bool {
        text.get(start..end).is_some_and(|between| find_byte(self.line_end, between).is_some())
    }

    fn is_delimited(self, byte: Option<&u8>) -> bool {
        byte == Some(&self.delimiter) && self.delimiter != self.line_end
    }

    /// Whether the field is the last one of its record.
    #[inline]
    pub(in crate::delimited) fn ends_record(self, text: &[u8], field: &Field) -> bool {
        !self.is_delimited(text.get(field.stop))
    }
}

impl Field {
    /// Appends the value.
    pub(in crate::delimited) fn write(&self, text: &[u8], into: &mut Vec<u8>) {
        let value = text.get(self.start..self.end).unwrap_or_default();
        match self.written {
            Written::Bare | Written::Quoted | Written::Unclosed => into.extend_from_slice(value),
            Written::Doubled => write_undoubled(value, into),
            Written::Escaped => write_unescaped(value, into),
            Written::Followed(close) => {
                let (between, behind) = value.split_at(close.saturating_sub(self.start).min(value.len()));
                write_undoubled(between, into);
                into.extend_from_slice(behind.get(1..).unwrap_or_default());
            }
        }
    }

    /// The value.
    pub(in crate::delimited) fn value(&self, text: &[u8]) -> Vec<u8> {
        let mut value = vec![];
        self.write(text, &mut value);
        value
    }
}

/// Whether a backslash that is not one of a pair stands before a place.
pub(super) fn is_escaped(text: &[u8], place: usize) -> bool {
    let before = text.get(..place).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Appends text with a quote for `\"`. Other backslashes are left alone: paths are full of them.
fn write_unescaped(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(quote) = find_byte(QUOTE, rest) {
        let (before, behind) = rest.split_at(quote);
        let is_doubled = behind.get(1) == Some(&QUOTE) && !is_escaped(rest, quote);
        into.extend_from_slice(if is_escaped(rest, quote) {
            before.get(..quote - 1).unwrap_or(before)
        } else {
            before
        });
        into.push(QUOTE);
        rest = behind.get(if is_doubled { 2 } else { 1 }..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
}

/// Appends text with one quote for two.
fn write_undoubled(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(quote) = find_byte(QUOTE, rest) {
        let (before, behind) = rest.split_at(quote + 1);
        into.extend_from_slice(before);
        rest = behind.get(1..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Form =
        Form { delimiter: b',', line_end: b'\n', pads: false, escapes: false, comments: false };

    /// The values of the first record, and whether a quote is open at its end.
    fn record(form: Form, text: &str) -> (Vec<String>, bool) {
        let mut values = vec![];
        let mut at = 0;
        loop {
            let field = form.field(text.as_bytes(), at);
            values.push(String::from_utf8_lossy(&field.value(text.as_bytes())).into_owned());
            if form.ends_record(text.as_bytes(), &field) {
                return (values, field.written == Written::Unclosed);
            }
            at = field.stop + 1;
        }
    }

    fn values(form: Form, text: &str) -> Vec<String> {
        record(form, text).0
    }

    #[test]
    fn quotes_open_a_field_only_at_its_beginning() {
        assert_eq!(values(COMMA, "a,b"), ["a", "b"]);
        assert_eq!(values(COMMA, "\"a,b\",c\nd"), ["a,b", "c"]);
        assert_eq!(values(COMMA, "\"a\nb\",c\n"), ["a\nb", "c"]);
        assert_eq!(values(COMMA, "a\"b,c\"d\n"), ["a\"b", "c\"d"]);
        assert_eq!(values(COMMA, "5\" disk,x\n"), ["5\" disk", "x"]);
        assert_eq!(values(COMMA, "\"say \"\"no\"\"\",\"\"\"\"\n"), ["say \"no\"", "\""]);
        assert_eq!(values(COMMA, "\"\",\n"), ["", ""]);
        assert_eq!(values(COMMA, "\"a\" b,\"c\"\"d\"e\"f\n"), ["a b", "c\"de\"f"]);
        assert_eq!(values(COMMA, " \"a\",b\n"), [" \"a\"", "b"]);
    }

    #[test]
    fn a_carriage_return_belongs_to_the_line_end_only() {
        assert_eq!(values(COMMA, "a\r,b\r\nc"), ["a\r", "b"]);
        assert_eq!(values(COMMA, "\"a\",\"b\"\r\nc"), ["a", "b"]);
        assert_eq!(values(COMMA, "\"a\",\"b\"c\r\nd"), ["a", "bc"]);
        assert_eq!(values(COMMA, "a,b\r"), ["a", "b"]);
        assert_eq!(values(COMMA, "\"a\r\nb\",c\r\n"), ["a\r\nb", "c"]);
        assert_eq!(values(Form { line_end: b'\r', ..COMMA }, "a,b\rc"), ["a", "b"]);
        let whole_lines = Form { delimiter: b'\n', ..COMMA };
        assert_eq!(values(whole_lines, "a,\"b\r\nc"), ["a,\"b"]);
        assert_eq!(values(whole_lines, "\"a\r\nb\"\r\nc"), ["a\r\nb"]);
    }

    #[test]
    fn spaces_before_a_quote_are_passed_over_if_the_file_has_them() {
        let padded = Form { pads: true, ..COMMA };
        assert_eq!(values(padded, "a, \"b, c\" , d\n"), ["a", "b, c", " d"]);
        assert_eq!(values(padded, "  \"a\"b,  "), ["ab", "  "]);
    }

    #[test]
    fn backslashes_escape_quotes_if_the_file_has_them() {
        let escapes = Form { escapes: true, ..COMMA };
        assert_eq!(values(escapes, r#""say \"no, no\"",b"#), ["say \"no, no\"", "b"]);
        assert_eq!(
            values(escapes, r#""\"","\\","a\\","c:\d","x""y\"z""#),
            ["\"", r"\\", r"a\\", r"c:\d", "x\"y\"z"]
        );
        assert_eq!(values(escapes, r#"a\"b,\"c,"\"#), [r#"a\"b"#, r#"\"c"#, "\\"]);
        assert_eq!(values(COMMA, r#""c:\",b"#), [r"c:\", "b"]);
    }

    #[test]
    fn a_quote_that_nothing_closes_is_told() {
        assert!(record(COMMA, "a,\"b\nc,d\n").1);
        assert!(record(COMMA, "a,\"b\"\"").1);
        assert!(!record(COMMA, "a,\"b\"\nc,\"d\n").1);
        // The quote on the second line opens a field of its own.
        assert!(record(COMMA, "a,\"b\nc,\"d e\"\n").1);
        assert!(!record(COMMA, "a,\"b\nc\",d\n").1);
    }
}
