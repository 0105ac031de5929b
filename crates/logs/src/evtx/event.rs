//! An event to values by column.
//!
//! An event is JSON of a known shape: `{"Event": {"System": {...}, "EventData": {...}}}`. Its values are copied, with their escapes
//! undone, one behind the other; names and brackets are left.

use std::ops::Range;

use super::shapes::{Behind, Place, Shapes};
use crate::json::lex::{self, Fault, Next, Problem};
use crate::json::table::{Table, name};
use crate::json::unescape;
use crate::records::Cell;

/// The most columns of a block, and cells for each byte of it: events could have other names each.
const MOST_COLUMNS: usize = 16 << 10;
const MOST_CELLS_PER_BYTE: usize = 16;
const LEAST_CELLS: usize = 1 << 20;

/// A field of `System`.
pub(super) struct SystemColumn {
    pub(super) name: &'static str,
    pub(super) element: &'static str,
    /// The attribute with the value; empty if it is the text of the element.
    pub(super) attribute: &'static str,
    pub(super) sql_type: &'static str,
    /// Whether the column is there also if no event has a value for it.
    pub(super) is_declared: bool,
}

const fn field(
    name: &'static str,
    element: &'static str,
    attribute: &'static str,
    sql_type: &'static str,
) -> SystemColumn {
    SystemColumn { name, element, attribute, sql_type, is_declared: true }
}

const fn rare(name: &'static str, element: &'static str, attribute: &'static str) -> SystemColumn {
    SystemColumn { name, element, attribute, sql_type: "", is_declared: false }
}

/// The fields of `System` that are known, in the order of their columns. Others are called by their element and attribute.
pub(super) const SYSTEM: [SystemColumn; 24] = [
    field("TimeCreated", "TimeCreated", "SystemTime", "TIMESTAMP(9) WITH TIME ZONE"),
    field("EventID", "EventID", "", "BIGINT"),
    field("Channel", "Channel", "", "VARCHAR"),
    field("Computer", "Computer", "", "VARCHAR"),
    field("EventRecordID", "EventRecordID", "", "BIGINT"),
    field("ProviderName", "Provider", "Name", "VARCHAR"),
    field("ProviderGuid", "Provider", "Guid", "VARCHAR"),
    field("Level", "Level", "", "BIGINT"),
    field("Task", "Task", "", "BIGINT"),
    field("Opcode", "Opcode", "", "BIGINT"),
    field("Keywords", "Keywords", "", "VARCHAR"),
    field("Version", "Version", "", "BIGINT"),
    field("ExecutionProcessID", "Execution", "ProcessID", "BIGINT"),
    field("ExecutionThreadID", "Execution", "ThreadID", "BIGINT"),
    field("UserID", "Security", "UserID", "VARCHAR"),
    field("ActivityID", "Correlation", "ActivityID", "VARCHAR"),
    field("RelatedActivityID", "Correlation", "RelatedActivityID", "VARCHAR"),
    rare("Qualifiers", "EventID", "Qualifiers"),
    rare("EventSourceName", "Provider", "EventSourceName"),
    rare("ExecutionProcessorID", "Execution", "ProcessorID"),
    rare("ExecutionSessionID", "Execution", "SessionID"),
    rare("ExecutionKernelTime", "Execution", "KernelTime"),
    rare("ExecutionUserTime", "Execution", "UserTime"),
    rare("ExecutionProcessorTime", "Execution", "ProcessorTime"),
];

/// The column that tells stale events.
pub(super) const RECOVERED: &str = "recovered";

/// Columns besides that data of events does not share.
const OTHERS: [&str; 4] = ["EventData", "UserData", "RenderingInfo", RECOVERED];

/// The values of events by column.
pub(super) struct Events {
    /// The values.
    pub(super) text: Vec<u8>,
    pub(super) table: Table,
    /// The columns of [`SYSTEM`], as far as they are known in the table.
    system: [Option<usize>; SYSTEM.len()],
    /// The column that tells stale events, if it is asked for.
    recovered: Option<usize>,
    /// The field that came behind each field last time.
    next: [usize; SYSTEM.len()],
    /// The field before.
    field: usize,
    /// The column of the last name in the data of the event.
    last: Option<usize>,
    shapes: Shapes,
    /// The values of the event.
    places: Vec<Place>,
    /// Whether they are all that the event has.
    is_plain: bool,
}

impl Events {
    /// Values of a block with so many bytes, with a column that tells stale events if it `recovers` them.
    pub(super) fn new(bytes: usize, recovers: bool) -> Self {
        let cells = LEAST_CELLS.max(bytes.saturating_mul(MOST_CELLS_PER_BYTE));
        let mut table = Table::named_by(data_name, MOST_COLUMNS, cells);
        table.begin();
        let mut system = [None; SYSTEM.len()];
        for (place, column) in system.iter_mut().zip(&SYSTEM) {
            if column.is_declared {
                *place = table.column_named(column.name);
            }
        }
        Self {
            text: Vec::with_capacity(bytes),
            recovered: if recovers { table.column_named(RECOVERED) } else { None },
            table,
            system,
            next: [0; SYSTEM.len()],
            field: 0,
            last: None,
            shapes: Shapes::default(),
            places: vec![],
            is_plain: true,
        }
    }

    /// Adds an event as a row. One that has another shape changes nothing, and the reason is told, as the end of a sentence.
    pub(super) fn push(&mut self, json: &[u8], is_recovered: bool) -> Result<(), String> {
        let start = self.text.len();
        let columns = self.table.begin();
        let result = if self.in_known_shape(json) {
            self.put_recovered(is_recovered);
            self.table.end(columns, 0, Ok(()))
        } else {
            self.text.truncate(start);
            self.places.clear();
            self.is_plain = true;
            self.table.begin();
            let result = self.event(json);
            self.is_plain &= self.table.has_plain_names();
            self.put_recovered(is_recovered);
            let result = self.table.end(columns, 0, result);
            if result.is_ok() && self.is_plain {
                self.shapes.keep(json, &self.places);
            }
            result
        };
        result.map_err(|fault| {
            self.text.truncate(start);
            self.system
                .iter_mut()
                .filter(|column| column.is_some_and(|at| at >= columns))
                .for_each(|column| *column = None);
            match fault.problem {
                Problem::Expected(expected) => format!("is not as expected: there should be {expected}"),
                Problem::Deep => "is not read: its elements are nested too deep".to_owned(),
                _ => "is not read: with it there would be too many columns".to_owned(),
            }
        })
    }

    fn put_recovered(&mut self, is_recovered: bool) {
        if let Some(column) = self.recovered {
            let start = self.text.len();
            self.text.extend_from_slice(if is_recovered { b"true" } else { b"false" });
            self.table.put(column, Cell::new(start, self.text.len() - start));
        }
    }

    /// Takes the values of an event in a known shape. If it is in none, some of its values may have been taken.
    fn in_known_shape(&mut self, json: &[u8]) -> bool {
        let (mut node, mut at) = (Shapes::BEGINNING, 0);
        while let Some((length, behind)) = self.shapes.next(node, json.get(at..).unwrap_or_default()) {
            let Behind::Value { column, is_system, node: next } = behind else { return true };
            at += length;
            if matches!(json.get(at), Some(b'{' | b'[')) {
                return false;
            }
            let Ok((cell, end)) = self.value(json, at) else { return false };
            let is_absent = cell.is_null() || is_system && cell == Cell::EMPTY;
            if !is_absent {
                self.table.put(column, cell);
            }
            (node, at) = (next, end);
        }
        false
    }

    fn event(&mut self, json: &[u8]) -> Result<(), Fault> {
        let mut has_system = false;
        let mut file = Members::of(json, 0);
        while let Some((key, value)) = file.next()? {
            if json.get(key) != Some(b"\"Event\"") {
                file.pass(lex::value(json, value)?);
                continue;
            }
            let mut event = Members::of(json, value);
            while let Some((key, value)) = event.next()? {
                event.pass(match json.get(key).unwrap_or_default() {
                    b"\"System\"" => {
                        has_system = true;
                        self.system(json, value)?
                    }
                    b"\"EventData\"" => self.data("EventData", json, value)?,
                    b"\"UserData\"" => self.data("UserData", json, value)?,
                    b"\"#attributes\"" => lex::value(json, value)?,
                    key => self.other(&name(key), json, value)?,
                });
            }
            file.pass(event.at);
        }
        if has_system { Ok(()) } else { Err(Fault::expected(0, "an element System")) }
    }

    /// The fields of `System`, and the end of it.
    fn system(&mut self, json: &[u8], at: usize) -> Result<usize, Fault> {
        let mut system = Members::of(json, at);
        while let Some((key, value)) = system.next()? {
            let element = inside(json, &key);
            if json.get(value) != Some(&b'{') {
                system.pass(self.field(element, b"", json, value)?);
                continue;
            }
            let mut parts = Members::of(json, value);
            while let Some((part, value)) = parts.next()? {
                parts.pass(match inside(json, &part) {
                    b"#text" => self.field(element, b"", json, value)?,
                    b"#attributes" => {
                        let mut attributes = Members::of(json, value);
                        while let Some((attribute, value)) = attributes.next()? {
                            attributes.pass(self.field(element, inside(json, &attribute), json, value)?);
                        }
                        attributes.at
                    }
                    child => self.field(element, child, json, value)?,
                });
            }
            system.pass(parts.at);
        }
        Ok(system.at)
    }

    /// A field of `System`, the text of an element or an attribute of it, and the end of its value.
    fn field(&mut self, element: &[u8], attribute: &[u8], json: &[u8], at: usize) -> Result<usize, Fault> {
        let is_it = |column: &SystemColumn| {
            column.element.as_bytes() == element && column.attribute.as_bytes() == attribute
        };
        let expected = self.next.get(self.field).copied().unwrap_or_default();
        let known = if SYSTEM.get(expected).is_some_and(is_it) {
            Some(expected)
        } else {
            SYSTEM.iter().position(is_it)
        };
        let (cell, end) = self.value(json, at)?;
        if let Some(field) = known {
            if let Some(next) = self.next.get_mut(self.field) {
                *next = field;
            }
            self.field = field;
        }
        let is_column = known.and_then(|field| self.system.get(field)).is_some_and(Option::is_some);
        if cell.is_null() && !is_column {
            return Ok(end);
        }
        let column = match known {
            Some(field) => self.system_column(field),
            None => {
                let (element, attribute) =
                    (String::from_utf8_lossy(element), String::from_utf8_lossy(attribute));
                self.table.column_named(&format!("System{element}{attribute}"))
            }
        };
        let column = column.ok_or(WIDE)?;
        self.places.push(Place { start: at, end, column, is_system: true });
        if !cell.is_null() && cell != Cell::EMPTY {
            self.table.put(column, cell);
        }
        Ok(end)
    }

    /// The column of a field, or a copy of it if the event has it already.
    fn system_column(&mut self, field: usize) -> Option<usize> {
        let place = self.system.get_mut(field)?;
        match place {
            Some(column) => self.table.column_again(*column),
            None => {
                *place = self.table.column_named(SYSTEM.get(field)?.name);
                *place
            }
        }
    }

    /// The names and values of `EventData` or `UserData`, and all of it as JSON, if they are not all. Returns the end of it.
    fn data(&mut self, element: &str, json: &[u8], at: usize) -> Result<usize, Fault> {
        self.last = None;
        if json.get(at) == Some(&b'{') {
            let (is_whole, end) = self.leaves(None, json, at)?;
            if is_whole {
                return Ok(end);
            }
        }
        self.other(element, json, at)
    }

    /// The members of an object by their names, those of objects in it, too, and the end of it. Also whether that is all: nothing in it
    /// is without a name, has attributes, or is an object. `parent` is the place of the object's own name.
    fn leaves(&mut self, parent: Option<usize>, json: &[u8], at: usize) -> Result<(bool, usize), Fault> {
        let mut is_whole = true;
        let mut members = Members::of(json, at);
        while let Some((key, value)) = members.next()? {
            let name = json.get(key.clone()).unwrap_or_default();
            members.pass(match (name, parent) {
                (b"\"#attributes\"", _) | (b"\"#text\"" | b"\"Data\"", None) => {
                    is_whole = false;
                    lex::value(json, value)?
                }
                (b"\"#text\"", Some(parent)) => self.leaf(parent, json, value)?,
                _ if json.get(value) == Some(&b'{') => {
                    is_whole = false;
                    self.leaves(Some(key.start), json, value)?.1
                }
                _ => self.leaf(key.start, json, value)?,
            });
        }
        Ok((is_whole, members.at))
    }

    /// A value by the name whose key is given, and the end of it.
    fn leaf(&mut self, key: usize, json: &[u8], at: usize) -> Result<usize, Fault> {
        let (column, _) = self.table.read_key(json, key, self.last)?;
        self.last = Some(column);
        let (cell, end) = self.value(json, at)?;
        self.places.push(Place { start: at, end, column, is_system: false });
        if !cell.is_null() {
            self.table.put(column, cell);
        }
        Ok(end)
    }

    /// An element as JSON, and the end of it.
    fn other(&mut self, name: &str, json: &[u8], at: usize) -> Result<usize, Fault> {
        let end = lex::value(json, at)?;
        let value = json.get(at..end).unwrap_or_default();
        if value != b"null" {
            self.is_plain = false;
            let column = self.table.column_named(name).ok_or(WIDE)?;
            let cell = self.json(value);
            self.table.put(column, cell);
        }
        Ok(end)
    }

    /// The value at a place, of a string what it stands for, of others the JSON; and its end.
    #[inline]
    fn value(&mut self, json: &[u8], at: usize) -> Result<(Cell, usize), Fault> {
        let start = self.text.len();
        let end = if json.get(at) == Some(&b'"') {
            let plain = lex::skip_plain(json, at + 1);
            let inside = json.get(at + 1..plain).unwrap_or_default();
            if json.get(plain) != Some(&b'"') {
                let end = lex::string(json, at)?;
                unescape(json.get(at..end).unwrap_or_default(), &mut self.text);
                end
            } else if inside.is_empty() {
                return Ok((Cell::EMPTY, plain + 1));
            } else if is_guid(inside) {
                push_guid(inside, &mut self.text);
                plain + 1
            } else {
                self.text.extend_from_slice(inside);
                plain + 1
            }
        } else {
            let end = lex::value(json, at)?;
            match json.get(at..end).unwrap_or_default() {
                b"null" => return Ok((Cell::NULL, end)),
                value @ [b'{' | b'[', ..] => return Ok((self.json(value), end)),
                value => self.text.extend_from_slice(value),
            }
            end
        };
        Ok((Cell::new(start, self.text.len() - start), end))
    }

    /// JSON as it is, but for GUIDs.
    fn json(&mut self, mut value: &[u8]) -> Cell {
        const WITH_QUOTES: usize = 40;
        let start = self.text.len();
        while let Some(at) = memchr::memmem::find(value, b"\"{") {
            let (before, rest) = value.split_at(at);
            self.text.extend_from_slice(before);
            value = match rest.split_at_checked(WITH_QUOTES) {
                Some(([b'"', guid @ .., b'"'], behind)) if is_guid(guid) => {
                    self.text.push(b'"');
                    push_guid(guid, &mut self.text);
                    self.text.push(b'"');
                    behind
                }
                _ => {
                    self.text.extend_from_slice(b"\"{");
                    rest.get(2..).unwrap_or_default()
                }
            };
        }
        self.text.extend_from_slice(value);
        Cell::new(start, self.text.len() - start)
    }
}

const WIDE: Fault = Fault { at: 0, problem: Problem::Wide };

/// The name of the column for a name in the data of events. Names of `System` are not shared.
fn data_name(key: &[u8]) -> String {
    let name = name(key);
    let mut taken = SYSTEM.iter().map(|column| column.name).chain(OTHERS);
    if taken.any(|taken| taken.eq_ignore_ascii_case(&name)) { format!("Data_{name}") } else { name }
}

/// Whether a value is a GUID as it is written for the type of that name: in braces, without capitals.
fn is_guid(value: &[u8]) -> bool {
    let is_right = |(at, byte): (usize, &u8)| match at {
        0 => *byte == b'{',
        37 => *byte == b'}',
        9 | 14 | 19 | 24 => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    value.len() == 38 && value.iter().enumerate().all(is_right)
}

/// Appends a GUID in capitals, without its braces.
fn push_guid(value: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    text.extend_from_slice(value.get(1..value.len().saturating_sub(1)).unwrap_or_default());
    text.iter_mut().skip(start).for_each(u8::make_ascii_uppercase);
}

/// The text of a key without its quotes.
fn inside<'a>(json: &'a [u8], key: &Range<usize>) -> &'a [u8] {
    json.get(key.start + 1..key.end.saturating_sub(1)).unwrap_or_default()
}

/// The members of a JSON object: where the key stands, quotes included, and where the value begins.
struct Members<'a> {
    json: &'a [u8],
    /// The end of what has been read: at last, of the object.
    at: usize,
    is_begun: bool,
}

impl<'a> Members<'a> {
    /// The members of the object at a place.
    fn of(json: &'a [u8], at: usize) -> Self {
        Self { json, at, is_begun: false }
    }

    /// The next member; what is no object has none. The end of its value is to be [passed](Self::pass) before the next call.
    #[inline]
    fn next(&mut self) -> Result<Option<(Range<usize>, usize)>, Fault> {
        let key = if self.is_begun {
            match lex::after_member(self.json, self.at)? {
                Next::More(next) => next,
                Next::End(end) => {
                    self.at = end;
                    return Ok(None);
                }
            }
        } else {
            self.is_begun = true;
            if self.json.get(self.at) != Some(&b'{') {
                self.at = lex::value(self.json, self.at)?;
                return Ok(None);
            }
            let first = lex::skip_space(self.json, self.at + 1);
            if self.json.get(first) == Some(&b'}') {
                self.at = first + 1;
                return Ok(None);
            }
            first
        };
        if self.json.get(key) != Some(&b'"') {
            return Err(Fault::expected(key, "a name in quotes"));
        }
        let end = lex::string(self.json, key)?;
        Ok(Some((key..end, lex::after_colon(self.json, end)?)))
    }

    /// Goes behind the value that was given last.
    fn pass(&mut self, end: usize) {
        self.at = end;
    }
}
