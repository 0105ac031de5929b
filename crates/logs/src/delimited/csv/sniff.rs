//! Whether a text is delimited, and by what.
//!
//! The first records are read once with each delimiter. A delimiter fits if the records have as many fields as the first one, and
//! quotes only around fields. Prose and logs have commas too, so a text whose name does not say `.csv` has to fit better: with a
//! first record of names, or with the same number of single values in each line.

use std::cmp::Reverse;
use std::sync::Arc;

use memchr::memmem;

use super::cut::{Patience, RecordCutter};
use super::field::{Field, Form, QUOTE, Written};
use super::header::{columns_of, is_name, is_value, numbered};
use super::parse::{Columns, RecordParser};
use super::preamble::{Preamble, is_delimiter};
use super::sample::{Record, Sample};
use crate::Format;
use crate::delimited::{counted, quoted};
use crate::options::ReadOptions;
use crate::records::{Dialect, Unit, line_end};

/// Delimiters, and in this order if two fit equally well.
const DELIMITERS: [u8; 5] = [b'\t', b';', b',', b'|', b' '];

/// The facts about a text that are known before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing.
    Nothing,
    /// By its name it is delimited.
    Name(u8),
    /// The caller says that it is delimited.
    Options,
}

/// The reader of delimited text that begins with `head`. The delimiter, quotes, comments and the header are found in it. None if
/// it doesn't look like delimited text and `options` does not say that it is.
pub(crate) fn csv(head: &[u8], is_whole: bool, file_name: &str, options: &ReadOptions) -> Option<Dialect> {
    let told = Told::of(file_name, options);
    let line_end = line_end(head, is_whole);
    let preamble = Preamble::of(head, line_end);
    let unknown = Unknown { head, is_whole, preamble: &preamble, line_end, told };
    let sample = unknown.sample(options.delimiter)?;
    Some(dialect(&sample, &preamble, options))
}

impl Told {
    fn of(file_name: &str, options: &ReadOptions) -> Self {
        if options.delimiter.is_some() || options.header.is_some() || options.format == Some(Format::Csv) {
            return Self::Options;
        }
        let mut name = file_name.to_ascii_lowercase();
        for compression in [".gz", ".bz2", ".xz", ".zst"] {
            name.truncate(name.strip_suffix(compression).unwrap_or(&name).len());
        }
        match name.rsplit_once('.') {
            Some((_, "csv")) => Self::Name(b','),
            Some((_, "tsv" | "tab")) => Self::Name(b'\t'),
            Some((_, "psv")) => Self::Name(b'|'),
            _ => Self::Nothing,
        }
    }
}

/// A text that is to be looked at.
struct Unknown<'a> {
    head: &'a [u8],
    is_whole: bool,
    preamble: &'a Preamble<'a>,
    line_end: u8,
    told: Told,
}

impl<'a> Unknown<'a> {
    fn read(&self, form: Form) -> Sample<'a> {
        Sample::of(self.head, self.preamble.end, self.is_whole, form)
    }

    /// The first records as a text of one column.
    fn one_column(&self) -> Sample<'a> {
        self.read(Form {
            comments: self.preamble.last_comment.is_some(),
            ..Form::of(self.line_end, self.line_end)
        })
    }

    /// The first records, read with a delimiter and the quotes that fit to it.
    fn delimited(&self, delimiter: u8) -> Sample<'a> {
        let plain = Form { delimiter, ..self.one_column().form };
        let mut best = self.read(plain);
        // Such quotes are around fields all over the file, or they are text.
        if delimiter != b' ' && memmem::find(self.head, &[delimiter, b' ', QUOTE]).is_some() {
            let padded = self.read(Form { pads: true, ..plain });
            if padded.consistency() >= best.consistency() {
                best = padded;
            }
        }
        // `"C:\dir\"` has a backslash too, so doubled quotes have to fail.
        if memmem::find(self.head, b"\\\"").is_some() {
            let escaped = self.read(Form { escapes: true, ..best.form });
            if escaped.consistency() > best.consistency() {
                best = escaped;
            }
        }
        best
    }

    /// The first records, read with the delimiter that fits best; none if no one does.
    fn sample(&self, delimiter: Option<u8>) -> Option<Sample<'a>> {
        if let Some(delimiter) = delimiter.filter(|byte| is_delimiter(*byte)).or(self.preamble.delimiter) {
            return Some(self.delimited(delimiter));
        }
        let samples: Vec<_> = DELIMITERS.into_iter().map(|delimiter| self.delimited(delimiter)).collect();
        let fits = samples.iter().enumerate().filter(|(_, sample)| sample.fits(self.told));
        let best = fits.max_by_key(|(order, sample)| {
            let is_named = self.told == Told::Name(sample.form.delimiter);
            // A few records may be torn.
            (sample.consistency() / 50, sample.typed() / 10, is_named, sample.width(), Reverse(*order))
        });
        if let Some((best, _)) = best {
            return samples.into_iter().nth(best);
        }
        if self.told == Told::Nothing {
            return None;
        }
        // Without a delimiter in the first record there is a title before the header, or one column, and delimiters are text.
        samples.into_iter().find_map(Sample::behind_title).or_else(|| Some(self.one_column()))
    }
}

impl Sample<'_> {
    /// Whether the delimiter of the sample may be the one of the text.
    fn fits(&self, told: Told) -> bool {
        let Some(first) = self.records.first() else { return false };
        if self.width() < 2 || first.named(self.text) == 0 {
            return false;
        }
        if self.form.delimiter == b' ' {
            // Every sentence has spaces; names above numbers or dashes are no sentence.
            return self.is_even() && self.has_header() && (self.has_typed_column() || self.has_dash());
        }
        if told != Told::Nothing {
            return told == Told::Name(self.form.delimiter) || self.consistency() >= 500;
        }
        let is_clear = || self.consistency() >= 900 && self.records.len() >= 2 && self.has_clear_header();
        let is_even = || self.consistency() >= 990 && self.records.len() >= 3 && self.has_single_values();
        self.columns() == self.width() && !self.is_log(first) && (is_clear() || is_even())
    }

    /// Whether a field behind the first record is `-`.
    fn has_dash(&self) -> bool {
        self.records
            .iter()
            .skip(1)
            .flat_map(|record| &record.fields)
            .any(|field| field.value(self.text) == b"-")
    }

    /// Whether all records have the same number of fields.
    fn is_even(&self) -> bool {
        let width = self.width();
        self.records.iter().all(|record| record.fields.len() == width)
    }

    /// Whether a text begins as JSON, XML, or pairs of names and values do.
    fn is_log(&self, first: &Record) -> bool {
        let begins = self.text.get(first.range.start..).unwrap_or_default().trim_ascii_start();
        let pairs = self.values(first).iter().filter(|value| value.contains('=')).count();
        matches!(begins.first(), Some(b'{' | b'[' | b'<')) || pairs * 2 >= self.width()
    }

    /// Whether the fields are values for themselves rather than parts of a sentence; the last one of a record may be text. A time
    /// such as `09:00:00,123` has no delimiter in it.
    fn has_single_values(&self) -> bool {
        let is_single = |field: &Field| {
            let value = String::from_utf8_lossy(&field.value(self.text)).into_owned();
            !value.contains(' ') || value.trim() == value && is_value(&value)
        };
        let is_record = |record: &&Record| {
            let mut bare = record.fields.iter().filter(|field| field.written == Written::Bare);
            let is_last = |field: &Field| record.fields.last() == Some(field);
            bare.all(|field| is_single(field) || is_last(field) && !field.value(self.text).starts_with(b" "))
                && !record.fields.windows(2).any(|pair| self.is_cut_time(pair))
        };
        self.records.iter().filter(is_record).count() * 100 >= self.records.len() * 99
    }

    /// Whether a comma between two fields stands before the milliseconds of a time.
    fn is_cut_time(&self, pair: &[Field]) -> bool {
        let [time, fraction] = pair else { return false };
        let (time, fraction) = (self.value(time), self.value(fraction));
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        self.form.delimiter == b','
            && matches!(time.as_bytes(), [.., b':', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
            && matches!(digits, 3 | 6)
            && fraction.as_bytes().get(digits).is_some_and(|next| matches!(next, b' ' | b']' | b'Z'))
    }
}

/// The reader of the text that a sample begins.
fn dialect(sample: &Sample, preamble: &Preamble, options: &ReadOptions) -> Dialect {
    let form = sample.form;
    let mut notes = preamble.notes.clone();
    if form.escapes {
        notes.push("quotes in quotes are written as \\\" and not doubled".to_owned());
    }
    let (columns, skip, header) = match sample.records.first() {
        Some(first) if !sample.is_cut_off && options.header.unwrap_or_else(|| sample.has_header()) => {
            if sample.title > 0 {
                let lines = counted(sample.title, "line");
                let first = sample
                    .text
                    .get(preamble.end..)
                    .unwrap_or_default()
                    .split(|byte| *byte == form.line_end)
                    .next();
                let first = quoted(String::from_utf8_lossy(first.unwrap_or_default()).trim());
                notes.push(format!("passed over: {lines} before the header, of which the first is {first}"));
            }
            let (names, unnamed) = sample.names();
            let (columns, doubled) = columns_of(&names);
            notes.extend(unnamed.into_iter().chain(doubled));
            let line = sample.text.get(first.range.clone()).unwrap_or_default();
            let line = line.strip_suffix(&[form.line_end]).unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (columns, first.range.end, if first.fields.len() > 1 { line.to_vec() } else { vec![] })
        }
        _ => {
            let width =
                sample.records.iter().map(|record| record.named(sample.text)).max().unwrap_or(0).max(1);
            let columns = match preamble.last_comment.and_then(|comment| commented(comment, form, width)) {
                Some(columns) if options.header.is_none() => {
                    notes.push("the last comment before the first record is its header".to_owned());
                    columns
                }
                _ => numbered(width),
            };
            if options.header.is_none() && columns == numbered(width) {
                let named = if width == 1 { String::new() } else { format!(" to column_{width}") };
                notes.push(format!(
                    "the first record looks like data, so columns are named column_1{named}; \
                     with header => true it is the header"
                ));
            }
            (columns, preamble.end, vec![])
        }
    };
    Dialect {
        declared: declared(&columns),
        unit: Unit::Line(form.line_end),
        cutter: Box::new(RecordCutter::new(form, skip, Patience::default())),
        parser: Arc::new(RecordParser { form, columns, header, dash_is_null: form.delimiter == b' ' }),
        notes,
    }
}

/// The columns that a comment names, if it names so many.
fn commented(comment: &[u8], form: Form, width: usize) -> Option<Columns> {
    let sample = Sample::of(comment, 0, true, form);
    let values = sample.values(sample.records.first()?);
    (width > 1 && values.len() == width && values.iter().all(|value| is_name(value)))
        .then(|| columns_of(&values).0)
}

/// The columns that are there also if no row follows.
fn declared(columns: &Columns) -> Vec<(Arc<str>, Option<crate::values::ColumnType>)> {
    columns.names.iter().take(columns.required).map(|name| (Arc::clone(name), None)).collect()
}
