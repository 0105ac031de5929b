//! The names that columns of events have in logs of known kinds.
//!
//! Windows writes `NewProcessName`, Sysmon `Image`, auditd `exe`, Elastic a member of an object as in `process.executable`. Each list
//! begins with the names to prefer.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column, DFSchema};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::Expr;

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

/// Returns the first of these columns that holds values rather than objects or lists, as an expression, with its name.
pub(crate) fn first_of(schema: &DFSchema, names: &[&'static str]) -> Option<(Expr, &'static str)> {
    names.iter().find_map(|name| {
        column_type(schema.as_arrow(), name).filter(|data_type| !data_type.is_nested())?;
        let column = |name: &str| {
            let found = schema.iter().find(|(_, field)| field.name() == name)?;
            Some(Expr::Column(Column::from(found)))
        };
        if let Some(column) = column(name) {
            return Some((column, *name));
        }
        let mut parts = name.split('.');
        let object = column(parts.next()?)?;
        Some((parts.fold(object, get_field), *name))
    })
}
