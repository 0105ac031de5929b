//! The names that columns of events have in logs of known kinds.
//!
//! Windows writes `NewProcessName`, Sysmon `Image`, auditd `exe`, Elastic a member of an object as in `process.executable`. Each list
//! begins with the names to prefer. A column that differs from a name in capital letters, `_` and spaces alone is one of it, too: Hive and
//! Athena write all names in small letters, and exports of viewers as words.

pub(crate) mod auditd;

use arrow::datatypes::{DataType, FieldRef, Fields, Schema};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, ExprSchemable, lit, try_cast};

/// The command line of a process.
pub const COMMAND_LINES: &[&str] =
    &["CommandLine", "ProcessCommandLine", "cmdline", "command_line", "process.command_line", "proctitle"];

/// The path of the program that a process runs.
pub const PROGRAMS: &[&str] = &["NewProcessName", "Image", "FolderPath", "exe", "process.executable"];

/// The path or the name of the program that started it.
pub const PARENT_PROGRAMS: &[&str] = &[
    "ParentProcessName",
    "ParentImage",
    "InitiatingProcessFolderPath",
    "InitiatingProcessFileName",
    "CreatorProcessName",
    "process.parent.executable",
];

/// The account in whose session a process was started.
pub const ACCOUNTS: &[&str] =
    &["Account", "SubjectUserName", "User", "AccountName", "user.name", "acct", "UserName"];

/// The machine.
pub const HOSTS: &[&str] = &[
    "Computer",
    "DeviceName",
    "host.name",
    "winlog.computer_name",
    "Hostname",
    "ComputerName",
    "host",
    "node",
];

/// The account that logs on.
pub const LOGON_ACCOUNTS: &[&str] = &["Account", "AccountName", "TargetUserName", "user.name"];

/// The type of a logon.
pub const LOGON_TYPES: &[&str] = &["LogonType", "logon_type", "winlog.logon.type"];

/// The session that a process was started in.
pub const SESSIONS: &[&str] = &["SubjectLogonId", "LogonId", "ses"];

/// The address or the name of the machine that a logon came from.
pub const LOGON_SOURCES: &[&str] = &["IpAddress", "RemoteIP", "source.ip", "WorkstationName"];

/// Further columns that say how a logon was made, each by itself.
pub const LOGON_DETAILS: &[&[&str]] = &[&["AuthenticationPackageName"], &["LogonProcessName"], &["Status"]];

/// The command line of the program that started it.
pub const PARENT_COMMAND_LINES: &[&str] =
    &["ParentCommandLine", "InitiatingProcessCommandLine", "process.parent.command_line"];

/// The number of a process, which Windows' own event has of the parent.
pub const PROCESS_IDS: &[&str] = &["ProcessId", "process.pid", "pid"];

/// The number of the process that started it.
pub const PARENT_IDS: &[&str] =
    &["ParentProcessId", "InitiatingProcessId", "process.parent.pid", "ppid", "parent"];

/// The time of an event.
pub const TIMES: &[&str] = &[
    "TimeGenerated",
    "TimeCreated",
    "TimeCreated.#attributes.SystemTime",
    "TimeCreated.SystemTime",
    "@timestamp",
    "Timestamp",
    "UtcTime",
    "EventTime",
    "time",
];

/// The objects that hold the values of a Windows event in JSON, as Elastic, PowerShell and others write it. A column that is not
/// found is looked for in them.
const WRAPPERS: &[&str] =
    &["winlog.event_data", "EventData", "Event.EventData", "winlog", "System", "Event.System"];

/// The members that hold the value of an element with attributes.
const VALUES: &[&str] = &["#text", "Value"];

/// The number that Windows gives to a kind of events, and the word of others.
pub(crate) const EVENT_IDS: &[&str] = &["EventID", "EventId", "event_id", "winlog.event_id", "event.code"];
const ACTIONS: &[&str] = &["ActionType"];

/// Columns of Sysmon's other events that have the path of a program too: loaded libraries, files, registry keys, queries of names,
/// connections and pipes.
const OF_OTHER_EVENTS: &[&str] =
    &["ImageLoaded", "TargetFilename", "TargetObject", "QueryName", "DestinationIp", "PipeName"];

/// Whether an event is the start of a process, if the table tells: event 1 of Sysmon, 4688 of Windows, `ProcessCreated` of Defender, and a
/// program that is run in the log of auditd.
/// Events without a number are taken for one, unless they have a value that those of other kinds have.
pub(crate) fn is_process_creation(schema: &DFSchema) -> Result<Option<Expr>> {
    let others = all_of(schema, OF_OTHER_EVENTS).into_iter();
    let is_no_other = others.map(|(column, _)| column.is_null()).reduce(Expr::and);
    let is_kind = is_kind(schema, &[1, 4688], "ProcessCreated", is_no_other.as_ref())?.or(is_no_other);
    Ok(is_kind.into_iter().chain(auditd::is_no_other_event(schema)?).reduce(Expr::and))
}

/// Whether a row is the start of a process: an event of that kind that has a command line or the path of a program.
///
/// `None` if the table has neither.
pub fn process_creations(schema: &DFSchema) -> Result<Option<Expr>> {
    let has_value = [COMMAND_LINES, PROGRAMS].into_iter().flat_map(|names| all_of(schema, names));
    let Some(has_value) = has_value.map(|(column, _)| column.is_not_null()).reduce(Expr::or) else {
        return Ok(None);
    };
    Ok(Some(match is_process_creation(schema)? {
        Some(is_creation) => is_creation.and(has_value),
        None => has_value,
    }))
}

/// The time of an event: the first of [`TIMES`] that is of a type of times and has a value. With the names of the columns.
pub(crate) fn time(schema: &DFSchema) -> Result<Option<(Expr, String)>> {
    let mut times = vec![];
    for (column, name) in all_of(schema, TIMES) {
        if is_time(&column.get_type(schema)?) {
            times.push((column, name));
        }
    }
    let names = times.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    let mut times: Vec<Expr> = times.into_iter().map(|(column, _)| column).collect();
    let time = if times.len() < 2 { times.pop() } else { Some(coalesce(times)) };
    Ok(time.map(|time| (time, names)))
}

/// Whether values of a type are points in time.
pub fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// Whether an event is a logon, if the table tells: 4624 and 4625 of Windows, and `LogonSuccess` of Defender.
pub fn is_logon(schema: &DFSchema) -> Result<Option<Expr>> {
    is_kind(schema, &[4624, 4625], "LogonSuccess", None)
}

fn is_kind(
    schema: &DFSchema,
    numbers: &[i64],
    action: &str,
    without_number: Option<&Expr>,
) -> Result<Option<Expr>> {
    let or_unknown = |is_kind: Expr, is_null: Expr| match without_number {
        Some(condition) => is_kind.or(is_null.and(condition.clone())),
        None => is_kind.or(is_null),
    };
    let mut conditions = vec![];
    for (column, _) in all_of(schema, EVENT_IDS) {
        let data_type = column.get_type(schema)?;
        let number = if data_type.is_integer() { column } else { try_cast(column, DataType::Int64) };
        let is_number = number.clone().in_list(numbers.iter().map(|number| lit(*number)).collect(), false);
        conditions.push(or_unknown(is_number, number.is_null()));
    }
    for (column, _) in all_of(schema, ACTIONS) {
        let is_text = column.get_type(schema)?.is_string();
        conditions.extend(is_text.then(|| or_unknown(column.clone().eq(lit(action)), column.is_null())));
    }
    Ok(conditions.into_iter().reduce(Expr::and))
}

/// A column, or a member of an object in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The name of the column, then those of the members that lead to it.
    pub path: Vec<&'a str>,
    /// The type of its values.
    pub data_type: &'a DataType,
}

impl<'a> Place<'a> {
    /// Finds the columns of these names, or the members of objects that the names lead to: in the order of the names, and then those within
    /// the objects that Windows events have in JSON. Each comes with its name of the list. A column that is written as the name is comes
    /// before those that differ from it in capital letters, `_` and spaces: tables of several collectors have both.
    pub fn all(schema: &'a Schema, names: &'a [&'static str]) -> impl Iterator<Item = (Self, &'static str)> {
        let own = names.iter().map(|name| (Self::at(schema, name), *name));
        let wrapped = WRAPPERS.iter().flat_map(move |wrapper| {
            names.iter().map(move |name| (Self::at(schema, &format!("{wrapper}.{name}")), *name))
        });
        let each = own.chain(wrapped);
        each.flat_map(|(places, name)| places.into_iter().map(move |place| (place.value(), name)))
    }

    /// The value of an object that stands for an element with attributes; any other as it is.
    fn value(mut self) -> Self {
        if let DataType::Struct(members) = self.data_type
            && let Some((_, value)) = VALUES.iter().find_map(|name| members.find(name))
        {
            self.path.push(value.name());
            self.data_type = value.data_type();
        }
        self
    }

    fn at(schema: &'a Schema, name: &str) -> Vec<Self> {
        let columns = alike(schema.fields(), name);
        if !columns.is_empty() {
            return columns.into_iter().map(Self::of).collect();
        }
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        let places = alike(schema.fields(), first).into_iter().map(Self::of).collect();
        parts.fold(places, |places: Vec<Self>, part| {
            let members = |place: Self| {
                let DataType::Struct(members) = place.data_type else { return vec![] };
                let member = |field: &'a FieldRef| {
                    let mut path = place.path.clone();
                    path.push(field.name());
                    Self { path, data_type: field.data_type() }
                };
                alike(members, part).into_iter().map(member).collect()
            };
            places.into_iter().flat_map(members).collect()
        })
    }

    fn of(field: &'a FieldRef) -> Self {
        Self { path: vec![field.name()], data_type: field.data_type() }
    }
}

/// The fields of this name, and then those that differ from it in capital letters, `_` and spaces.
fn alike<'a>(fields: &'a Fields, name: &str) -> Vec<&'a FieldRef> {
    fn plain(name: &str) -> impl Iterator<Item = u8> + '_ {
        name.bytes().filter(|byte| !matches!(byte, b'_' | b' ' | b'-')).map(|byte| byte.to_ascii_lowercase())
    }
    let exact = fields.iter().filter(|field| field.name() == name);
    let others = fields.iter().filter(|field| field.name() != name && plain(field.name()).eq(plain(name)));
    exact.chain(others).collect()
}

/// Returns those of these columns that hold values rather than objects or lists, as expressions, with their names.
pub(crate) fn all_of(schema: &DFSchema, names: &[&'static str]) -> Vec<(Expr, &'static str)> {
    let mut found: Vec<(Expr, &'static str)> = vec![];
    for (place, name) in Place::all(schema.as_arrow(), names) {
        // Two names of a list may differ in capital letters alone.
        if let Some(column) = value_of(schema, &place)
            && found.iter().all(|(other, _)| *other != column)
        {
            found.push((column, name));
        }
    }
    found
}

fn value_of(schema: &DFSchema, place: &Place) -> Option<Expr> {
    let (column, members) = place.path.split_first()?;
    let column = schema.iter().find(|(_, field)| field.name() == column)?;
    let value =
        members.iter().fold(Expr::Column(Column::from(column)), |object, member| get_field(object, *member));
    (!place.data_type.is_nested()).then_some(value)
}
