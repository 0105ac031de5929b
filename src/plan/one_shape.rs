//! `process_events(table)` and `logon_events(table)`: the events of any collector under the same names.
//!
//! Windows, Sysmon, EDRs and auditd write the same event with other columns. These functions map them to the names that Windows uses,
//! so that tables of several collectors can be put together, clustered and hunted as one. Where a table holds several collectors, each
//! event takes the first of its columns that has a value ([`event_columns`](crate::event_columns) has their order). Columns that a table
//! lacks are NULL. Rows of other events, known by their number or action, are left out.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{coalesce, concat};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use crate::event_columns::{
    self, ACCOUNTS, COMMAND_LINES, EVENT_IDS, HOSTS, LOGON_ACCOUNTS, LOGON_DETAILS, LOGON_TYPES,
    PARENT_COMMAND_LINES, PARENT_IDS, PARENT_PROGRAMS, PROCESS_IDS, PROGRAMS, SESSIONS, all_of, auditd,
    is_logon, is_time, process_creations,
};
use crate::near_miss::{likely_column, listed_columns, quoted_name};

/// The SQL names.
pub(crate) const PROCESS_EVENTS: &str = "process_events";
pub(crate) const LOGON_EVENTS: &str = "logon_events";

/// Builds the process creations of a table.
///
/// # Errors
/// The table has neither a command line nor the path of a program.
pub(crate) fn process_events(input: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(input.schema());
    let path = text_of(&schema, PROGRAMS)?;
    let command_line = text_of(&schema, COMMAND_LINES)?;
    if path.is_none() && command_line.is_none() {
        return no_column(
            PROCESS_EVENTS,
            "a command line or the path of a program",
            &[COMMAND_LINES, PROGRAMS],
            &schema,
        );
    }
    // Windows calls the new process NewProcessId and its parent ProcessId; others call them ProcessId and ParentProcessId.
    let (new_id, id, parent_id) = (
        text_of(&schema, &["NewProcessId", "winlog.event_data.NewProcessId", "EventData.NewProcessId"])?,
        text_of(&schema, PROCESS_IDS)?,
        text_of(&schema, PARENT_IDS)?,
    );
    let (child, parent) = match new_id {
        None => (id, parent_id),
        Some(new_id) => {
            let own = or_null(id.clone());
            let child = coalesce(vec![new_id.clone(), own.clone()]);
            let parent = when(new_id.is_not_null(), own).otherwise(or_null(parent_id))?;
            (Some(child), Some(parent))
        }
    };
    let account = auditd::account(&schema, account(&schema, ACCOUNTS, SUBJECT)?)?;
    let columns = vec![
        time(&schema)?.alias("TimeGenerated"),
        or_null(text_of(&schema, HOSTS)?).alias("Computer"),
        or_null(account).alias("Account"),
        or_null(path).alias("NewProcessName"),
        or_null(command_line).alias("CommandLine"),
        or_null(text_of(&schema, PARENT_PROGRAMS)?).alias("ParentProcessName"),
        or_null(text_of(&schema, PARENT_COMMAND_LINES)?).alias("ParentCommandLine"),
        or_null(child).alias("NewProcessId"),
        or_null(parent).alias("ProcessId"),
        or_null(text_of(&schema, SESSIONS)?).alias("SubjectLogonId"),
    ];
    rows(input, process_creations(&schema)?, columns, PROCESS_EVENTS)
}

/// Builds the logons of a table, those that failed among them.
///
/// # Errors
/// The table has no account.
pub(crate) fn logon_events(input: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(input.schema());
    let account = account(&schema, LOGON_ACCOUNTS, TARGET)?;
    if account.is_none() {
        return no_column(LOGON_EVENTS, "an account that logs on", &[LOGON_ACCOUNTS], &schema);
    }
    let detail = |place: usize| text_of(&schema, LOGON_DETAILS.get(place).copied().unwrap_or_default());
    let columns = vec![
        time(&schema)?.alias("TimeGenerated"),
        or_null(text_of(&schema, HOSTS)?).alias("Computer"),
        or_null(account).alias("Account"),
        or_null(text_of(&schema, LOGON_TYPES)?).alias("LogonType"),
        or_null(text_of(
            &schema,
            &["IpAddress", "RemoteIP", "source.ip", "winlog.event_data.IpAddress", "EventData.IpAddress"],
        )?)
        .alias("IpAddress"),
        or_null(text_of(
            &schema,
            &["WorkstationName", "winlog.event_data.WorkstationName", "EventData.WorkstationName"],
        )?)
        .alias("WorkstationName"),
        or_null(detail(0)?).alias("AuthenticationPackageName"),
        or_null(detail(1)?).alias("LogonProcessName"),
        or_null(detail(2)?).alias("Status"),
        or_null(text_of(
            &schema,
            &["TargetLogonId", "winlog.event_data.TargetLogonId", "EventData.TargetLogonId"],
        )?)
        .alias("TargetLogonId"),
        or_null(text_of(&schema, EVENT_IDS)?).alias("EventID"),
    ];
    rows(input, is_logon(&schema)?, columns, LOGON_EVENTS)
}

fn rows(input: LogicalPlan, condition: Option<Expr>, columns: Vec<Expr>, name: &str) -> Result<LogicalPlan> {
    let mut rows = LogicalPlanBuilder::from(input);
    if let Some(condition) = condition {
        rows = rows.filter(condition)?;
    }
    rows.project(columns)?.alias(name)?.build()
}

/// The first of these columns that has a value, as text.
fn text_of(schema: &DFSchema, names: &[&'static str]) -> Result<Option<Expr>> {
    let mut found = vec![];
    for (column, _) in all_of(schema, names) {
        let is_text = matches!(column.get_type(schema)?, DataType::Utf8View);
        found.push(if is_text { column } else { cast(column, DataType::Utf8View) });
    }
    Ok(match found.len() {
        0 => None,
        1 => found.pop(),
        _ => Some(coalesce(found)),
    })
}

fn or_null(value: Option<Expr>) -> Expr {
    value.unwrap_or_else(|| lit(ScalarValue::Utf8View(None)))
}

/// The columns of a domain and of the user in it.
type DomainAndUser = [&'static [&'static str]; 2];

const SUBJECT: DomainAndUser = [
    &["SubjectDomainName", "EventData.SubjectDomainName"],
    &["SubjectUserName", "EventData.SubjectUserName"],
];
const TARGET: DomainAndUser =
    [&["TargetDomainName", "EventData.TargetDomainName"], &["TargetUserName", "EventData.TargetUserName"]];

/// The account with its domain, where Windows writes them apart.
fn account(
    schema: &DFSchema,
    names: &[&'static str],
    [domains, users]: DomainAndUser,
) -> Result<Option<Expr>> {
    let plain = text_of(schema, names)?;
    let (Some(domain), Some(user)) = (text_of(schema, domains)?, text_of(schema, users)?) else {
        return Ok(plain);
    };
    let both = concat(vec![domain.clone(), lit("\\"), user.clone()]);
    // Windows writes a minus for nothing.
    let has_both = domain.clone().is_not_null().and(user.is_not_null()).and(domain.not_eq(lit("-")));
    let first = text_of(schema, &["Account"])?;
    let with_domain = when(has_both, cast(both, DataType::Utf8View)).otherwise(or_null(plain))?;
    Ok(Some(match first {
        Some(account) => coalesce(vec![account, with_domain]),
        None => with_domain,
    }))
}

/// The time: that of the usual names, else the first column of a type of times.
fn time(schema: &DFSchema) -> Result<Expr> {
    if let Some((time, _)) = event_columns::time(schema)? {
        return Ok(time);
    }
    match schema.iter().find(|(_, field)| is_time(field.data_type())) {
        Some(column) => Ok(Expr::Column(column.into())),
        None => {
            Ok(lit(ScalarValue::try_from(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))?))
        }
    }
}

fn no_column<T>(function: &str, what: &str, names: &[&[&str]], schema: &DFSchema) -> Result<T> {
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let names = names.concat();
    let (column, place) = likely_column(&columns, &names).unwrap_or(("my column", 0));
    plan_err!(
        "{function} finds no column with {what}; it looks for {}, and the columns are {}; give yours one of these names, as in \
         {function}((SELECT *, {} AS \"{}\" FROM events))",
        names.join(", "),
        listed_columns(&columns),
        quoted_name(column),
        names.get(place).copied().unwrap_or_default()
    )
}
