//! The names that columns of events have in logs of known kinds.
//!
//! Windows writes `NewProcessName`, Sysmon `Image`, auditd `exe`, Elastic a member of an object as in `process.executable`. Each list
//! begins with the names to prefer.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr, ExprSchemable, lit, try_cast};

/// The command line of a process.
pub const COMMAND_LINES: &[&str] = &[
    "CommandLine",
    "ProcessCommandLine",
    "cmdline",
    "command_line",
    "process.command_line",
    "winlog.event_data.CommandLine",
    "EventData.CommandLine",
];

/// The path of the program that a process runs.
pub const PROGRAMS: &[&str] = &[
    "NewProcessName",
    "Image",
    "FolderPath",
    "exe",
    "Exe",
    "process.executable",
    "winlog.event_data.NewProcessName",
    "winlog.event_data.Image",
    "EventData.NewProcessName",
    "EventData.Image",
];

/// The path or the name of the program that started it.
pub const PARENT_PROGRAMS: &[&str] = &[
    "ParentProcessName",
    "ParentImage",
    "InitiatingProcessFolderPath",
    "InitiatingProcessFileName",
    "process.parent.executable",
    "winlog.event_data.ParentProcessName",
    "winlog.event_data.ParentImage",
    "EventData.ParentProcessName",
    "EventData.ParentImage",
];

/// The account in whose session a process was started.
pub const ACCOUNTS: &[&str] = &[
    "Account",
    "SubjectUserName",
    "User",
    "AccountName",
    "user.name",
    "winlog.event_data.SubjectUserName",
    "winlog.event_data.User",
    "EventData.SubjectUserName",
    "EventData.User",
    "acct",
    "UserName",
    "username",
];

/// The machine.
pub const HOSTS: &[&str] = &[
    "Computer",
    "DeviceName",
    "host.name",
    "winlog.computer_name",
    "Hostname",
    "hostname",
    "ComputerName",
    "host",
];

/// The account that logs on.
pub const LOGON_ACCOUNTS: &[&str] = &[
    "Account",
    "AccountName",
    "TargetUserName",
    "winlog.event_data.TargetUserName",
    "EventData.TargetUserName",
    "user.name",
];

/// The type of a logon.
pub const LOGON_TYPES: &[&str] =
    &["LogonType", "logon_type", "winlog.event_data.LogonType", "EventData.LogonType", "winlog.logon.type"];

/// The session that a process was started in.
pub const SESSIONS: &[&str] = &[
    "SubjectLogonId",
    "LogonId",
    "ses",
    "winlog.event_data.SubjectLogonId",
    "winlog.event_data.LogonId",
    "EventData.SubjectLogonId",
];

/// The address or the name of the machine that a logon came from.
pub const LOGON_SOURCES: &[&str] = &[
    "IpAddress",
    "RemoteIP",
    "source.ip",
    "winlog.event_data.IpAddress",
    "EventData.IpAddress",
    "WorkstationName",
    "winlog.event_data.WorkstationName",
    "EventData.WorkstationName",
];

/// Further columns that say how a logon was made, each by itself.
pub const LOGON_DETAILS: &[&[&str]] = &[
    &[
        "AuthenticationPackageName",
        "winlog.event_data.AuthenticationPackageName",
        "EventData.AuthenticationPackageName",
    ],
    &["LogonProcessName", "winlog.event_data.LogonProcessName", "EventData.LogonProcessName"],
    &["Status", "winlog.event_data.Status", "EventData.Status"],
];

/// The command line of the program that started it.
pub const PARENT_COMMAND_LINES: &[&str] = &[
    "ParentCommandLine",
    "InitiatingProcessCommandLine",
    "process.parent.command_line",
    "winlog.event_data.ParentCommandLine",
    "EventData.ParentCommandLine",
];

/// The number of a process, which Windows' own event has of the parent.
pub const PROCESS_IDS: &[&str] =
    &["ProcessId", "process.pid", "winlog.event_data.ProcessId", "EventData.ProcessId", "pid", "Pid"];

/// The number of the process that started it.
pub const PARENT_IDS: &[&str] = &[
    "ParentProcessId",
    "InitiatingProcessId",
    "process.parent.pid",
    "winlog.event_data.ParentProcessId",
    "EventData.ParentProcessId",
    "ppid",
    "PPid",
    "parent",
];

/// The time of an event.
pub const TIMES: &[&str] =
    &["TimeGenerated", "TimeCreated", "@timestamp", "Timestamp", "timestamp", "UtcTime", "EventTime", "time"];

/// The number that Windows gives to a kind of events, and the word of others.
const EVENT_IDS: &[&str] = &["EventID", "EventId", "event_id", "winlog.event_id"];
const ACTIONS: &[&str] = &["ActionType"];

/// Whether an event is the start of a process, if the table tells: event 1 of Sysmon, 4688 of Windows, and `ProcessCreated` of Defender.
/// Events without a number are taken for one.
pub(crate) fn is_process_creation(schema: &DFSchema) -> Result<Option<Expr>> {
    is_kind(schema, &[1, 4688], "ProcessCreated")
}

/// Whether an event is a logon, if the table tells: 4624 and 4625 of Windows, and `LogonSuccess` of Defender.
pub(crate) fn is_logon(schema: &DFSchema) -> Result<Option<Expr>> {
    is_kind(schema, &[4624, 4625], "LogonSuccess")
}

fn is_kind(schema: &DFSchema, numbers: &[i64], action: &str) -> Result<Option<Expr>> {
    let mut conditions = vec![];
    for (column, _) in all_of(schema, EVENT_IDS) {
        let data_type = column.get_type(schema)?;
        let number = if data_type.is_integer() { column } else { try_cast(column, DataType::Int64) };
        let is_number = number.clone().in_list(numbers.iter().map(|number| lit(*number)).collect(), false);
        conditions.push(is_number.or(number.is_null()));
    }
    for (column, _) in all_of(schema, ACTIONS) {
        let is_text = column.get_type(schema)?.is_string();
        conditions.extend(is_text.then(|| column.clone().eq(lit(action)).or(column.is_null())));
    }
    Ok(conditions.into_iter().reduce(Expr::and))
}

/// Returns the type of the column of this name, or of the member of an object that the name leads to.
pub fn column_type<'a>(schema: &'a Schema, name: &str) -> Option<&'a DataType> {
    if let Ok(field) = schema.field_with_name(name) {
        return Some(field.data_type());
    }
    let mut parts = name.split('.');
    let mut data_type = schema.field_with_name(parts.next()?).ok()?.data_type();
    for part in parts {
        let DataType::Struct(members) = data_type else { return None };
        data_type = members.find(part)?.1.data_type();
    }
    Some(data_type)
}

/// Returns those of these columns that hold values rather than objects or lists, as expressions, with their names.
pub(crate) fn all_of(schema: &DFSchema, names: &[&'static str]) -> Vec<(Expr, &'static str)> {
    names.iter().filter_map(|name| column_of(schema, name)).collect()
}

fn column_of(schema: &DFSchema, name: &'static str) -> Option<(Expr, &'static str)> {
    column_type(schema.as_arrow(), name).filter(|data_type| !data_type.is_nested())?;
    let column = |name: &str| {
        let found = schema.iter().find(|(_, field)| field.name() == name)?;
        Some(Expr::Column(Column::from(found)))
    };
    if let Some(column) = column(name) {
        return Some((column, name));
    }
    let mut parts = name.split('.');
    let object = column(parts.next()?)?;
    Some((parts.fold(object, get_field), name))
}
