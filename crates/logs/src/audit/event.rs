//! An event to values by column.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat};

use super::arguments::Arguments;
use super::encoded::decoded;
use super::fields::{Part, Value, each};
use super::head::Head;
use super::join::END;
use crate::json::lex::{Fault, Problem};
use crate::json::table::{Table, name};
use crate::records::Cell;

/// The columns that are lists of objects.
pub(super) const PATHS: &str = "paths";
pub(super) const REPEATED: &str = "repeated";

const TIME: &str = "time";
const SERIAL: &str = "serial";
const NODE: &str = "node";
const TYPE: &str = "type";
const TEXT: &str = "text";
const COMMAND_LINE: &str = "cmdline";

/// The columns that are no fields. A field of the same name is called with `_2`.
const OWN: [&str; 8] = [TIME, SERIAL, NODE, TYPE, TEXT, COMMAND_LINE, PATHS, REPEATED];

/// The fields that are numbers in an object. Others are text: what is a number there today may have letters tomorrow.
fn is_number_field(name: &[u8]) -> bool {
    matches!(
        name,
        b"auid"
            | b"egid"
            | b"euid"
            | b"exit"
            | b"fsgid"
            | b"fsuid"
            | b"gid"
            | b"inode"
            | b"ino"
            | b"item"
            | b"items"
            | b"oauid"
            | b"ogid"
            | b"opid"
            | b"oses"
            | b"ouid"
            | b"pid"
            | b"ppid"
            | b"ses"
            | b"sgid"
            | b"suid"
            | b"syscall"
            | b"uid"
    )
}

/// The most columns of a block, and cells for each byte of it: events could have other names each.
const MOST_COLUMNS: usize = 16 << 10;
const MOST_CELLS_PER_BYTE: usize = 16;
const LEAST_CELLS: usize = 1 << 20;

/// The values of events by column.
pub(super) struct Events {
    /// The values.
    pub(super) text: Vec<u8>,
    pub(super) table: Table,
    /// The parts of the event that are told at its end.
    arguments: Arguments,
    paths: Vec<u8>,
    repeated: Vec<u8>,
    words: Vec<u8>,
    /// The column of the last value.
    last: Option<usize>,
}

impl Events {
    /// Values of a block with so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let cells = LEAST_CELLS.max(bytes.saturating_mul(MOST_CELLS_PER_BYTE));
        Self {
            text: Vec::with_capacity(bytes),
            table: Table::named_by(name, MOST_COLUMNS, cells),
            arguments: Arguments::default(),
            paths: vec![],
            repeated: vec![],
            words: vec![],
            last: None,
        }
    }

    /// Adds an event as a row. One with which there would be too many columns changes nothing.
    pub(super) fn push<'a>(
        &mut self,
        first: &Head<'a>,
        records: impl Iterator<Item = Head<'a>> + Clone,
    ) -> Result<(), Fault> {
        let start = self.text.len();
        let columns = self.table.begin();
        let result = self.event(first, records);
        let result = self.table.end(columns, 0, result);
        if result.is_err() {
            self.text.truncate(start);
        }
        result
    }

    fn event<'a>(
        &mut self,
        first: &Head<'a>,
        records: impl Iterator<Item = Head<'a>> + Clone,
    ) -> Result<(), Fault> {
        self.arguments.clear();
        self.last = None;
        for list in [&mut self.paths, &mut self.repeated, &mut self.words] {
            list.clear();
        }
        self.put(TIME, time(first).as_bytes())?;
        self.put(SERIAL, first.serial)?;
        if let Some(node) = first.node {
            self.put(NODE, node)?;
        }
        let (mut kinds, mut left) = (vec![], HashSet::new());
        for record in records.clone().filter(|record| record.kind != END) {
            if left.insert(record.kind) {
                kinds.push(record.kind);
            }
        }
        self.put(TYPE, &if kinds.is_empty() { END.to_vec() } else { kinds.join(&b","[..]) })?;
        // Those that have occurred are no longer in it.
        for record in records {
            self.record(&record, left.remove(record.kind))?;
        }
        self.put_rest()
    }

    /// The values of one record. It is the first of its type in the event or not.
    fn record(&mut self, record: &Head, is_first: bool) -> Result<(), Fault> {
        let is_program = record.kind == b"EXECVE";
        let is_path = record.kind == b"PATH";
        let is_object = is_path || !is_first && !is_program && record.kind != END;
        let mut object = is_object.then(|| Object::new((!is_path).then_some(record.kind)));
        let mut own_words = vec![];
        let mut result = Ok(());
        each(record.body, &mut |part| match part {
            Part::Word(word) if object.is_some() => add_word(&mut own_words, word),
            Part::Word(word) => add_word(&mut self.words, word),
            Part::Field(name, value) if is_program && self.arguments.take(name, value) => {}
            Part::Field(_, Value::Absent(_)) => {}
            Part::Field(name, value) => {
                let text = match value {
                    Value::Plain(text) => decoded(name, text),
                    Value::Quoted(text) | Value::Absent(text) => Cow::Borrowed(text),
                };
                match &mut object {
                    Some(object) => object.put(name, &text),
                    None if result.is_ok() => result = self.put_field(name, &text),
                    None => {}
                }
            }
        });
        result?;
        if let Some(mut object) = object {
            if !own_words.is_empty() {
                object.put(TEXT.as_bytes(), &own_words);
            }
            object.end(if is_path { &mut self.paths } else { &mut self.repeated });
        }
        Ok(())
    }

    /// The values that all records of the event have together.
    fn put_rest(&mut self) -> Result<(), Fault> {
        if !self.arguments.is_empty() {
            let start = self.text.len();
            self.arguments.write(&mut self.text);
            self.put_written(COMMAND_LINE, start)?;
        }
        for (name, ends) in [(TEXT, false), (PATHS, true), (REPEATED, true)] {
            let start = self.text.len();
            let from = match name {
                TEXT => &self.words,
                PATHS => &self.paths,
                _ => &self.repeated,
            };
            if from.is_empty() {
                continue;
            }
            self.text.extend_from_slice(from);
            if ends {
                self.text.push(b']');
            }
            self.put_written(name, start)?;
        }
        Ok(())
    }

    /// Puts in a field of a record, unless the event has the same already.
    fn put_field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        // The names of fields are ASCII.
        let name = std::str::from_utf8(name).unwrap_or_default();
        if OWN.contains(&name) {
            return self.put(&format!("{name}_2"), value);
        }
        let column = self.table.column_behind(self.last, name).ok_or(WIDE)?;
        self.last = Some(column);
        match self.table.value(column).and_then(|cell| cell.of(&self.text)) {
            Some(known) if known == value => Ok(()),
            _ => {
                let start = self.text.len();
                self.text.extend_from_slice(value);
                self.put_in(column, start)
            }
        }
    }

    fn put(&mut self, name: &str, value: &[u8]) -> Result<(), Fault> {
        let start = self.text.len();
        self.text.extend_from_slice(value);
        self.put_written(name, start)
    }

    /// Puts in the value that has been appended from `start` on.
    fn put_written(&mut self, name: &str, start: usize) -> Result<(), Fault> {
        let column = self.table.column_behind(self.last, name).ok_or(WIDE)?;
        self.last = Some(column);
        self.put_in(column, start)
    }

    /// Puts the value that has been appended into a column, or into its next copy if the row has one there.
    fn put_in(&mut self, column: usize, start: usize) -> Result<(), Fault> {
        let column = self.table.column_again(column).ok_or(WIDE)?;
        let length = self.text.len() - start;
        self.table.put(column, if length == 0 { Cell::EMPTY } else { Cell::new(start, length) });
        Ok(())
    }
}

const WIDE: Fault = Fault { at: 0, problem: Problem::Wide };

/// The time of an event in ISO 8601; its digits if it is in no year of four.
fn time(head: &Head) -> String {
    let digits = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i64>().ok();
    let time = digits(head.seconds).and_then(|seconds| {
        let millis = digits(head.millis)?;
        DateTime::from_timestamp_millis(seconds.checked_mul(1000)?.checked_add(millis)?)
    });
    match time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)) {
        Some(time) if time.len() == "2013-03-28T14:36:03.243Z".len() => time,
        _ => String::from_utf8_lossy(&[head.seconds, head.millis].join(&b'.')).into_owned(),
    }
}

fn add_word(words: &mut Vec<u8>, word: &[u8]) {
    if !words.is_empty() {
        words.push(b' ');
    }
    words.extend_from_slice(word);
}

/// A record as a JSON object.
struct Object(Vec<u8>);

impl Object {
    /// An object with the type of the record, if it is told.
    fn new(kind: Option<&[u8]>) -> Self {
        let mut object = Self(vec![]);
        if let Some(kind) = kind {
            object.put(TYPE.as_bytes(), kind);
        }
        object
    }

    fn put(&mut self, name: &[u8], value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        write_string(name, &mut self.0);
        self.0.push(b':');
        if is_number_field(name) && is_number(value) {
            self.0.extend_from_slice(value);
        } else {
            write_string(value, &mut self.0);
        }
    }

    /// Appends the object to a list, whose closing bracket is still missing.
    fn end(self, list: &mut Vec<u8>) {
        let Self(mut object) = self;
        if object.is_empty() {
            object.push(b'{');
        }
        list.push(if list.is_empty() { b'[' } else { b',' });
        list.append(&mut object);
        list.push(b'}');
    }
}

/// Whether a text is an integer as JSON writes it.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let begins_well = matches!(digits, [b'1'..=b'9', ..]) || text == b"0";
    begins_well && digits.iter().all(u8::is_ascii_digit)
}

/// Appends a JSON string.
fn write_string(text: &[u8], into: &mut Vec<u8>) {
    into.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => into.extend_from_slice(&[b'\\', *byte]),
            0..0x20 => into.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => into.push(*byte),
        }
    }
    into.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_iso_8601() {
        let time = |line: &str| time(&Head::of(line.as_bytes()).expect("a record"));
        assert_eq!(time("type=A msg=audit(1364481363.043:1):"), "2013-03-28T14:36:03.043Z");
        assert_eq!(time("type=A msg=audit(0.000:1):"), "1970-01-01T00:00:00.000Z");
        assert_eq!(time("type=A msg=audit(253402300800.000:1):"), "253402300800.000");
        assert_eq!(time("type=A msg=audit(99999999999999999999.123:1):"), "99999999999999999999.123");
    }

    #[test]
    fn objects_are_json() {
        let mut list = vec![];
        let mut object = Object::new(Some(b"A"));
        for (name, value) in [
            ("pid", "12"),
            ("uid", "012"),
            ("exit", "-1"),
            ("ses", "-0"),
            ("mode", "1"),
            ("name", "a\"\\\n\u{fc}"),
        ] {
            object.put(name.as_bytes(), value.as_bytes());
        }
        object.end(&mut list);
        Object::new(None).end(&mut list);
        let expected =
            r#"[{"type":"A","pid":12,"uid":"012","exit":-1,"ses":"-0","mode":"1","name":"a\"\\\u000aü"},{}"#;
        assert_eq!(String::from_utf8(list).as_deref(), Ok(expected));
    }
}
