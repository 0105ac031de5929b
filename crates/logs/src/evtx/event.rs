//! An event to values by column.
//!
//! An event is JSON of a known shape: `{"Event": {"System": {...}, "EventData": {...}}}`. Its values are copied, with their escapes
//! undone, one behind the other; names and brackets are left.

use std::ops::Range;

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
    element: &'static str,
    /// The attribute with the value; empty if it is the text of the element.
    attribute: &'static str,
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

/// Columns besides that data of events does not share.
const OTHERS: [&str; 3] = ["EventData", "UserData", "RenderingInfo"];

/// The values of events by column.
pub(super) struct Events {
    /// The values.
    pub(super) text: Vec<u8>,
    pub(super) table: Table,
    /// The columns of [`SYSTEM`], as far as they are known in the table.
    system: [Option<usize>; SYSTEM.len()],
    /// The field that came behind each field last time.
    next: [usize; SYSTEM.len()],
    /// The field before.
    field: usize,
    /// The column of the last name in the data of the event.
    last: Option<usize>,
}

impl Events {
    /// Values of a block with so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let cells = LEAST_CELLS.max(bytes.saturating_mul(MOST_CELLS_PER_BYTE));
        let mut table = Table::named_by(data_name, MOST_COLUMNS, cells);
        table.begin();
        let mut system = [None; SYSTEM.len()];
        for (place, column) in system.iter_mut().zip(&SYSTEM) {
            if column.is_declared {
                *place = table.column_named(column.name);
            }
        }
        Self { text: Vec::with_capacity(bytes), table, system, next: [0; SYSTEM.len()], field: 0, last: None }
    }

    /// Adds an event as a row. One that has another shape changes nothing, and the reason is told, as the end of a sentence.
    pub(super) fn push(&mut self, json: &[u8]) -> Result<(), String> {
        let start = self.text.len();
        let columns = self.table.begin();
        let result = self.event(json);
        self.table.end(columns, 0, result).map_err(|fault| {
            self.text.truncate(start);
            self.system
                .iter_mut()
                .filter(|column| column.is_some_and(|at| at >= columns))
                .for_each(|column| *column = None);
            match fault.problem {
                Problem::Expected(expected) => format!("is not as expected: there should be {expected}"),
                _ => "is not read: with it there would be too many columns".to_owned(),
            }
        })
    }

    fn event(&mut self, json: &[u8]) -> Result<(), Fault> {
        let mut has_system = false;
        let mut file = Members::of(json, 0)?;
        while let Some((key, value)) = file.next()? {
            if json.get(key) == Some(b"\"Event\"") {
                let mut event = Members::of(json, value)?;
                while let Some((key, value)) = event.next()? {
                    match json.get(key.clone()) {
                        Some(b"\"System\"") => {
                            has_system = true;
                            self.system(json, value)?;
                        }
                        Some(b"\"EventData\"") => self.data("EventData", json, value)?,
                        Some(b"\"UserData\"") => self.data("UserData", json, value)?,
                        Some(b"\"#attributes\"") | None => {}
                        Some(key) => self.other(&name(key), json, value)?,
                    }
                }
            }
        }
        if has_system { Ok(()) } else { Err(Fault::expected(0, "an element System")) }
    }

    /// The fields of `System`.
    fn system(&mut self, json: &[u8], at: usize) -> Result<(), Fault> {
        let mut system = Members::of(json, at)?;
        while let Some((key, value)) = system.next()? {
            let element = inside(json, &key);
            if json.get(value) != Some(&b'{') {
                self.field(element, b"", json, value)?;
                continue;
            }
            let mut parts = Members::of(json, value)?;
            while let Some((part, value)) = parts.next()? {
                match inside(json, &part) {
                    b"#text" => self.field(element, b"", json, value)?,
                    b"#attributes" => {
                        let mut attributes = Members::of(json, value)?;
                        while let Some((attribute, value)) = attributes.next()? {
                            self.field(element, inside(json, &attribute), json, value)?;
                        }
                    }
                    child => self.field(element, child, json, value)?,
                }
            }
        }
        Ok(())
    }

    /// A field of `System`: the text of an element, or an attribute of it.
    fn field(&mut self, element: &[u8], attribute: &[u8], json: &[u8], at: usize) -> Result<(), Fault> {
        let is_it = |column: &SystemColumn| {
            column.element.as_bytes() == element && column.attribute.as_bytes() == attribute
        };
        let expected = self.next.get(self.field).copied().unwrap_or_default();
        let known = if SYSTEM.get(expected).is_some_and(is_it) {
            Some(expected)
        } else {
            SYSTEM.iter().position(is_it)
        };
        let column = match known {
            Some(field) => {
                if let Some(next) = self.next.get_mut(self.field) {
                    *next = field;
                }
                self.field = field;
                self.system_column(field)
            }
            None => {
                let element = String::from_utf8_lossy(element);
                let attribute = String::from_utf8_lossy(attribute);
                self.table.column_named(&match (&*element, &*attribute) {
                    ("", "") => "_".to_owned(),
                    _ => format!("{element}{attribute}"),
                })
            }
        };
        let column = column.ok_or(WIDE)?;
        let mut cell = self.value(json, at)?;
        // A template may spell a number as text.
        if cell == Cell::EMPTY {
            cell = Cell::NULL;
        }
        self.put(column, cell);
        Ok(())
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

    /// The names and values of `EventData` or `UserData`; and all of it as JSON, if they are not all.
    fn data(&mut self, element: &str, json: &[u8], at: usize) -> Result<(), Fault> {
        if json.get(at) == Some(&b'n') {
            return Ok(());
        }
        self.last = None;
        let is_whole = json.get(at) == Some(&b'{') && self.leaves(None, json, at)?;
        if is_whole { Ok(()) } else { self.other(element, json, at) }
    }

    /// The members of an object by their names, those of objects in it, too. Whether that is all: nothing in it is without a name, has
    /// attributes, or is an object. `parent` is the place of the object's own name.
    fn leaves(&mut self, parent: Option<usize>, json: &[u8], at: usize) -> Result<bool, Fault> {
        let mut is_whole = true;
        let mut members = Members::of(json, at)?;
        while let Some((key, value)) = members.next()? {
            match (json.get(key.clone()).unwrap_or_default(), parent) {
                (b"\"#attributes\"", _) | (b"\"#text\"" | b"\"Data\"", None) => is_whole = false,
                (b"\"#text\"", Some(parent)) => {
                    is_whole = false;
                    self.leaf(parent, json, value)?;
                }
                _ if json.get(value) == Some(&b'{') => {
                    is_whole = false;
                    self.leaves(Some(key.start), json, value)?;
                }
                _ => self.leaf(key.start, json, value)?,
            }
        }
        Ok(is_whole)
    }

    fn leaf(&mut self, key: usize, json: &[u8], at: usize) -> Result<(), Fault> {
        let (column, _) = self.table.read_key(json, key, self.last)?;
        self.last = Some(column);
        let cell = self.value(json, at)?;
        self.put(column, cell);
        Ok(())
    }

    /// An element as JSON.
    fn other(&mut self, name: &str, json: &[u8], at: usize) -> Result<(), Fault> {
        let end = lex::value(json, at)?;
        let value = json.get(at..end).unwrap_or_default();
        if value == b"null" {
            return Ok(());
        }
        let column = self.table.column_named(name).ok_or(WIDE)?;
        let cell = self.json(value);
        self.put(column, cell);
        Ok(())
    }

    fn put(&mut self, column: usize, cell: Cell) {
        if !cell.is_null() {
            self.table.put(column, cell);
        }
    }

    /// The value at a place: of a string what it stands for, of others the JSON.
    fn value(&mut self, json: &[u8], at: usize) -> Result<Cell, Fault> {
        let end = lex::value(json, at)?;
        let value = json.get(at..end).unwrap_or_default();
        let start = self.text.len();
        match value {
            b"null" => return Ok(Cell::NULL),
            b"\"\"" => return Ok(Cell::EMPTY),
            [b'"', inside @ .., b'"'] if is_guid(inside) => push_guid(inside, &mut self.text),
            [b'"', inside @ .., b'"'] if memchr::memchr(b'\\', inside).is_none() => {
                self.text.extend_from_slice(inside);
            }
            [b'"', ..] => unescape(value, &mut self.text),
            [b'{' | b'[', ..] => return Ok(self.json(value)),
            _ => self.text.extend_from_slice(value),
        }
        Ok(Cell::new(start, self.text.len() - start))
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
    /// The value that was given last.
    value: Option<usize>,
    /// The place of the first key; none behind it, or if there are no members.
    first: Option<usize>,
}

impl<'a> Members<'a> {
    /// The members of the object at a place; none of what is no object.
    fn of(json: &'a [u8], at: usize) -> Result<Self, Fault> {
        let first = match json.get(at) {
            Some(b'{') => Some(lex::skip_space(json, at + 1)).filter(|at| json.get(*at) != Some(&b'}')),
            Some(_) => None,
            None => return Err(Fault::expected(at, "a value")),
        };
        Ok(Self { json, value: None, first })
    }

    fn next(&mut self) -> Result<Option<(Range<usize>, usize)>, Fault> {
        let key = match (self.first.take(), self.value.take()) {
            (Some(first), _) => first,
            (None, None) => return Ok(None),
            (None, Some(value)) => match lex::after_member(self.json, lex::value(self.json, value)?)? {
                Next::More(next) => next,
                Next::End(_) => return Ok(None),
            },
        };
        if self.json.get(key) != Some(&b'"') {
            return Err(Fault::expected(key, "a name in quotes"));
        }
        let end = lex::string(self.json, key)?;
        let value = lex::after_colon(self.json, end)?;
        self.value = Some(value);
        Ok(Some((key..end, value)))
    }
}
