//! The first records of a text, read with one delimiter, and how well that fits.

use super::field::{Field, Form, Written};
use super::header::is_value;

/// The records that are looked at.
const RECORDS: usize = 1000;
/// How often a quote that nothing closes is passed over.
const UNCLOSED: usize = 8;

/// A record of a sample.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it stands, with its line end.
    pub(super) range: std::ops::Range<usize>,
    pub(super) fields: Vec<Field>,
}

/// The first records of a text.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    pub(super) text: &'a [u8],
    pub(super) form: Form,
    pub(super) records: Vec<Record>,
    /// Lines before the first record that are no records.
    pub(super) title: usize,
    /// Whether the first record does not end in the text.
    pub(super) is_cut_off: bool,
}

impl<'a> Sample<'a> {
    /// Reads the records that begin at `start`. The last one of a text that is not whole is left out, unless it is the only one.
    pub(super) fn of(text: &'a [u8], start: usize, is_whole: bool, form: Form) -> Self {
        let mut records = vec![];
        let (mut title, mut unclosed) = (0, 0);
        let mut is_cut_off = false;
        let mut at = start;
        while at < text.len() && records.len() < RECORDS && unclosed < UNCLOSED {
            let (record, is_closed) = Record::of(text, at, form);
            if !is_closed && !is_whole && !records.is_empty() {
                break;
            }
            if !is_closed {
                // Its first line is rejected later, or it stands before the header.
                unclosed += 1;
                title += usize::from(records.is_empty());
                let rest = text.get(at..).unwrap_or_default();
                at += memchr::memchr(form.line_end, rest).map_or(rest.len(), |end| end + 1);
                continue;
            }
            if !is_whole && record.range.end >= text.len() && !text.ends_with(&[form.line_end]) {
                is_cut_off = records.is_empty();
                records.extend(is_cut_off.then_some(record));
                break;
            }
            at = record.range.end;
            let is_comment = form.comments && text.get(record.range.start) == Some(&b'#');
            if !is_comment && !record.is_blank(text) {
                records.push(record);
            }
        }
        Self { text, form, records, title, is_cut_off }
    }

    /// The records behind a title of a few lines without delimiters, if the first one of them is a header.
    pub(super) fn behind_title(mut self) -> Option<Self> {
        const LONGEST: usize = 16;
        let title = self.records.iter().position(|record| record.fields.len() > 1)?;
        self.records.drain(..title);
        self.title += title;
        ((1..=LONGEST).contains(&title)
            && self.form.delimiter != b' '
            && self.records.len() > 1
            && self.consistency() >= 900
            && self.has_clear_header())
        .then_some(self)
    }

    /// The number of fields of the first record.
    pub(super) fn width(&self) -> usize {
        self.records.first().map_or(0, |record| record.fields.len())
    }

    /// The number of columns: the fields of the first record, or those of nine tenths of the others if they have more. Exports of
    /// Windows' event viewer have no name for the last column.
    pub(super) fn columns(&self) -> usize {
        let Some((first, others)) = self.records.split_first() else { return 0 };
        let mut widths: Vec<_> = others.iter().map(|record| record.named(self.text)).collect();
        widths.sort_unstable();
        // The middle one is in any part that has nine tenths of them.
        let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
        let is_usual = widths.iter().filter(|width| **width == usual).count() * 10 >= widths.len() * 9;
        if is_usual { usual.max(first.fields.len()) } else { first.fields.len() }
    }

    /// The value of a field without the white space around it.
    pub(super) fn value(&self, field: &Field) -> String {
        String::from_utf8_lossy(&field.value(self.text))
            .trim_matches(|c: char| c.is_ascii_whitespace())
            .to_owned()
    }

    /// The values of a record.
    pub(super) fn values(&self, record: &Record) -> Vec<String> {
        record.fields.iter().map(|field| self.value(field)).collect()
    }

    /// The share of the records that have a field for each column, and quotes only around fields, in thousandths.
    pub(super) fn consistency(&self) -> usize {
        let Some((first, others)) = self.records.split_first() else { return 0 };
        let columns = self.columns();
        let named = if columns > first.fields.len() { columns } else { first.named(self.text) };
        let is_clean = |record: &Record| {
            !record.fields.iter().any(|field| matches!(field.written, Written::Followed(_)))
        };
        let fits = |record: &&Record| {
            let fields = record.fields.len();
            let is_as_wide =
                (named..=columns).contains(&fields) || fields > columns && record.named(self.text) <= columns;
            is_as_wide && is_clean(record)
        };
        (usize::from(is_clean(first)) + others.iter().filter(fits).count()) * 1000 / self.records.len()
    }

    /// The share of the fields behind the first record that are numbers, times and the like, in thousandths.
    pub(super) fn typed(&self) -> usize {
        let fields = || self.records.iter().skip(1).flat_map(|record| &record.fields);
        fields().filter(|field| is_value(&self.value(field))).count() * 1000 / fields().count().max(1)
    }
}

impl Record {
    /// The record that begins at a place, and whether its quotes are closed.
    fn of(text: &[u8], start: usize, form: Form) -> (Self, bool) {
        let mut fields = vec![];
        let mut at = start;
        loop {
            let field = form.field(text, at);
            fields.push(field);
            if form.ends_record(text, &field) {
                let end = text.len().min(field.stop + 1);
                return (Self { range: start..end, fields }, field.written != Written::Unclosed);
            }
            at = field.stop + 1;
        }
    }

    fn is_blank(&self, text: &[u8]) -> bool {
        matches!(self.fields.as_slice(), [field] if field.written == Written::Bare && field.value(text).trim_ascii().is_empty())
    }

    /// The number of fields up to the last one that is not empty.
    pub(super) fn named(&self, text: &[u8]) -> usize {
        let is_empty = |field: &Field| field.value(text).trim_ascii().is_empty();
        self.fields.iter().rposition(|field| !is_empty(field)).map_or(0, |last| last + 1)
    }
}
