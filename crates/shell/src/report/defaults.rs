//! The features and the label of a report that is told neither, by the columns that logs of known kinds have.
//!
//! A kind is known by two or three columns, whose names differ between the programs that write such logs: Windows writes
//! `NewProcessName`, Sysmon `Image`, auditd `exe`. A member of an object is named as in `process.executable`. Text that is NULL is
//! read as empty.
//!
//! Any other table is compared by the form of some of its texts, or by its numbers if it has none, as they are: without a scaling,
//! since that of vectors makes all values of a single feature alike.

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Result, ToDFSchema};
use datafusion::logical_expr::Expr;
use datafusion::sql::unparser::expr_to_sql;

use datafusion_dbcluster::event_columns::{
    COMMAND_LINES, LOGON_ACCOUNTS, LOGON_TYPES, PROGRAMS, Place, SESSIONS, is_logon, process_creations,
};

use crate::syntax::quoted;

/// A line of text, or a command whose program is not told beside it.
const LINE: &[&str] = &[
    "CommandLine",
    "cmdline",
    "command_line",
    "command",
    "cmd",
    "line",
    "message",
    "Message",
    "msg",
    "SyslogMessage",
    "event.original",
    "log",
];

/// Words in the names of columns that tell most about an event, the best first.
const TELLING: &[&str] = &[
    "command",
    "cmd",
    "message",
    "msg",
    "line",
    "action",
    "event",
    "operation",
    "method",
    "process",
    "program",
    "image",
    "path",
    "url",
    "uri",
    "query",
    "agent",
    "name",
    "user",
    "account",
    "status",
    "type",
    "host",
    "src",
    "dst",
    "proto",
];

/// The ends of the names of columns with numbers of things.
const NUMBERS: &[&str] = &["guid", "id", "hash", "hashes", "md5", "sha1", "sha256"];

/// The most columns that a table of an unknown kind is compared by.
const COMPARED: usize = 4;

/// The depth to which members of objects are looked for.
const DEEP: usize = 3;

/// The features and the label of a report that names none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Which rows are events of the kind, as a condition; none if all are, as far as the columns tell.
    pub(crate) rows: Option<String>,
    /// The features, each with a name, as a SELECT list.
    pub(crate) features: String,
    /// The scaling of these features, if it is not that of `dbcluster`.
    pub(crate) scaling: Option<&'static str>,
    /// The name of a row, as an expression, and what to call it.
    pub(crate) label: (String, &'static str),
    /// The columns that are read as empty, or as 0, where they are NULL.
    pub(super) columns: Vec<Column>,
    /// The words for one event and for several, if they are more than that.
    pub(super) event: Option<(&'static str, &'static str)>,
}

/// A column of a log, or a member of an object in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The name by which people know it: `process.executable`.
    pub(super) name: String,
    /// The same as SQL.
    pub(super) expression: String,
    data_type: DataType,
}

/// The defaults for a table with these columns; none if it has neither text nor numbers.
pub(crate) fn defaults(schema: &Schema) -> Option<Defaults> {
    processes(schema)
        .or_else(|| image_loads(schema))
        .or_else(|| logons(schema))
        .or_else(|| cloud_events(schema))
        .or_else(|| lines(schema))
        .or_else(|| any_events(schema))
}

/// The features of the msticpy notebook.
fn processes(schema: &Schema) -> Option<Defaults> {
    let (command, program) = (text(schema, COMMAND_LINES)?, text(schema, PROGRAMS)?);
    let mut features = vec![
        format!("cmdline_tokens({}) AS {}", command.or_empty(), free(schema, "tokens")),
        format!("path_score({}) AS {}", program.or_empty(), free(schema, "path")),
    ];
    let label = (format!("process_name({})", program.expression), "process");
    let mut columns = vec![command, program];
    if let Some(session) = all(schema, SESSIONS).next() {
        let name = free(schema, "is_system");
        features.push(format!("coalesce(is_system_session({}), false) AS {name}", session.expression));
        columns.push(session);
    }
    let rows = as_sql(process_creations(&schema.clone().to_dfschema().ok()?));
    let event = Some(("process start", "process starts"));
    Some(Defaults { rows, features: features.join(", "), scaling: None, label, columns, event })
}

fn as_sql(condition: Result<Option<Expr>>) -> Option<String> {
    Some(expr_to_sql(&condition.ok()??).ok()?.to_string())
}

/// Libraries that programs load.
fn image_loads(schema: &Schema) -> Option<Defaults> {
    let (loaded, image) = (text(schema, &["ImageLoaded"])?, text(schema, &["Image"])?);
    Some(Defaults {
        rows: Some(format!("{} IS NOT NULL", loaded.expression)),
        features: format!(
            "path_score({}) AS {}, path_score({}) AS {}",
            loaded.or_empty(),
            free(schema, "loaded"),
            image.or_empty(),
            free(schema, "image")
        ),
        scaling: None,
        label: (format!("process_name({})", loaded.expression), "library"),
        columns: vec![image],
        event: Some(("load of a library", "loads of libraries")),
    })
}

fn logons(schema: &Schema) -> Option<Defaults> {
    let account = text(schema, LOGON_ACCOUNTS)?;
    let logon_type = all(schema, LOGON_TYPES).next()?;
    // A type such as `Network` is text.
    let kind = if logon_type.is_number() {
        format!("coalesce({}, 0)", logon_type.expression)
    } else {
        format!("string_score({})", logon_type.or_empty())
    };
    Some(Defaults {
        rows: as_sql(is_logon(&schema.clone().to_dfschema().ok()?)),
        features: format!(
            "string_score({}) AS {}, {kind} AS {}",
            account.or_empty(),
            free(schema, "account"),
            free(schema, "logon_type")
        ),
        scaling: None,
        label: (account.expression.clone(), "account_name"),
        columns: vec![account, logon_type],
        event: Some(("logon", "logons")),
    })
}

/// Calls of a cloud's interface, as in the `eventName` of AWS.
fn cloud_events(schema: &Schema) -> Option<Defaults> {
    let (event, source) = (text(schema, &["eventName"])?, text(schema, &["eventSource"])?);
    let label = (event.expression.clone(), "event");
    let mut columns = vec![event, source];
    columns.extend(text(schema, &["userIdentity.arn"]));
    columns.extend(text(schema, &["userAgent"]));
    let names = ["event_score", "source_score", "user_score", "agent_score"];
    let features = columns.iter().zip(names);
    let features = features
        .map(|(column, name)| format!("string_score({}) AS {}", column.or_empty(), free(schema, name)));
    let features = features.collect::<Vec<_>>().join(", ");
    let event = Some(("call", "calls"));
    Some(Defaults { rows: None, features, scaling: None, label, columns, event })
}

/// Lines of text: by their form, with numbers and addresses masked.
fn lines(schema: &Schema) -> Option<Defaults> {
    let line = text(schema, LINE)?;
    let form = format!("cmdline_template({})", line.or_empty());
    Some(Defaults {
        rows: None,
        features: format!(
            "cmdline_tokens({form}) AS {}, string_score({form}) AS {}",
            free(schema, "tokens"),
            free(schema, "form")
        ),
        scaling: None,
        label: (format!("left({form}, 60)"), "line_form"),
        columns: vec![line],
        event: Some(("line", "lines")),
    })
}

/// The column with lines of text, as SQL, if there is one.
pub(crate) fn line_column(schema: &Schema) -> Option<String> {
    text(schema, LINE).map(|column| column.expression)
}

/// The columns of a table, and the members of their objects.
fn columns_of(schema: &Schema) -> Vec<Column> {
    let mut columns = vec![];
    for field in schema.fields() {
        collect(field, field.name().clone(), identifier(field.name()), 1, &mut columns);
    }
    columns
}

/// The texts among these columns, that with the most telling name first. The order of equally telling names stays.
fn texts(columns: &[Column]) -> Vec<Column> {
    let mut texts: Vec<Column> = columns.iter().filter(|column| column.is_text()).cloned().collect();
    texts.sort_by_key(|column| telling(&column.name));
    texts
}

/// The column of text that tells most by its name, as SQL.
pub(crate) fn any_text(schema: &Schema) -> Option<String> {
    texts(&columns_of(schema)).into_iter().next().map(|column| column.expression)
}

/// Events of an unknown kind.
fn any_events(schema: &Schema) -> Option<Defaults> {
    let mut columns = columns_of(schema);
    let mut texts = texts(&columns);
    texts.truncate(COMPARED);
    let mut features = vec![];
    for column in &texts {
        let form = format!("cmdline_template({})", column.or_empty());
        let name = free(schema, &format!("form of {}", column.name));
        features.push(format!("string_score({form}) AS {}", identifier(&name)));
    }
    let compared = if texts.is_empty() {
        columns.retain(Column::is_number);
        columns.truncate(COMPARED);
        for column in &columns {
            let name = free(schema, &format!("{} or 0", column.name));
            features.push(format!("coalesce({}, 0) AS {}", column.expression, identifier(&name)));
        }
        columns
    } else {
        texts
    };
    let first = compared.first()?;
    let label = if first.is_text() {
        format!("left({}, 60)", first.or_empty())
    } else {
        format!("CAST({} AS VARCHAR)", first.expression)
    };
    Some(Defaults {
        rows: None,
        features: features.join(", "),
        scaling: Some("none"),
        label: (label, "event"),
        columns: compared,
        event: None,
    })
}

/// Adds a column, or the members of its objects.
fn collect(field: &Field, name: String, expression: String, depth: usize, columns: &mut Vec<Column>) {
    match field.data_type() {
        DataType::Struct(members) if depth < DEEP => {
            for member in members {
                collect(
                    member,
                    format!("{name}.{}", member.name()),
                    format!("{expression}[{}]", quoted(member.name())),
                    depth + 1,
                    columns,
                );
            }
        }
        data_type => {
            columns.push(Column { name, expression, data_type: data_type.clone() });
        }
    }
}

/// The place of the first telling word that the name has.
fn telling(name: &str) -> usize {
    let name = name.to_ascii_lowercase();
    // Numbers of things are different in each event, or tell nobody anything.
    if NUMBERS.iter().any(|ending| name.ends_with(ending)) {
        return TELLING.len() + 1;
    }
    TELLING.iter().position(|word| name.contains(word)).unwrap_or(TELLING.len())
}

/// The first of these columns that is text.
fn text(schema: &Schema, names: &'static [&'static str]) -> Option<Column> {
    all(schema, names).find(Column::is_text)
}

/// The columns of these names, and the members of objects that the names lead to.
fn all<'a>(schema: &'a Schema, names: &'a [&'static str]) -> impl Iterator<Item = Column> + use<'a> {
    Place::all(schema, names).map(|(place, _)| Column {
        name: place.path.join("."),
        expression: expression(&place),
        data_type: place.data_type.clone(),
    })
}

/// A column, or a member of an object in one, as SQL.
pub(crate) fn expression(place: &Place) -> String {
    let Some((column, members)) = place.path.split_first() else { return String::new() };
    members.iter().fold(identifier(column), |object, member| format!("{object}[{}]", quoted(member)))
}

impl Column {
    fn is_text(&self) -> bool {
        matches!(self.data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    }

    pub(super) fn is_number(&self) -> bool {
        self.data_type.is_numeric()
    }

    fn or_empty(&self) -> String {
        format!("coalesce({}, '')", self.expression)
    }
}

/// The name, with `_` appended until no column has it.
fn free(schema: &Schema, name: &str) -> String {
    free_name(name, |name| schema.field_with_name(name).is_ok())
}

/// The name, with `_` appended until it is not taken.
pub(super) fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = name.to_string();
    while is_taken(&name) {
        name.push('_');
    }
    name
}

/// A name as SQL.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Fields};

    use super::*;

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        Schema::new(
            columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn kinds_of_logs_are_known_by_their_columns() {
        let text = || DataType::Utf8View;
        let process = DataType::Struct(Fields::from(vec![
            Field::new("command_line", text(), true),
            Field::new("executable", text(), true),
        ]));
        for (columns, features, label) in [
            (
                vec![("CommandLine", text()), ("NewProcessName", text()), ("SubjectLogonId", text())],
                "cmdline_tokens(coalesce(\"CommandLine\", '')) AS tokens, path_score(coalesce(\"NewProcessName\", '')) AS path, \
                 coalesce(is_system_session(\"SubjectLogonId\"), false) AS is_system",
                "process_name(\"NewProcessName\")",
            ),
            (
                vec![("process", process)],
                "cmdline_tokens(coalesce(\"process\"['command_line'], '')) AS tokens, \
                 path_score(coalesce(\"process\"['executable'], '')) AS path",
                "process_name(\"process\"['executable'])",
            ),
            (
                vec![("Account", text()), ("LogonType", DataType::Float64)],
                "string_score(coalesce(\"Account\", '')) AS account, coalesce(\"LogonType\", 0) AS logon_type",
                "\"Account\"",
            ),
            (
                vec![("line", text())],
                "cmdline_tokens(cmdline_template(coalesce(\"line\", ''))) AS tokens, \
                 string_score(cmdline_template(coalesce(\"line\", ''))) AS form",
                "left(cmdline_template(coalesce(\"line\", '')), 60)",
            ),
        ] {
            let found = defaults(&schema(&columns)).expect("a known kind");
            assert_eq!((found.features.as_str(), found.label.0.as_str()), (features, label));
        }
    }

    #[test]
    fn any_table_is_compared_by_its_texts_or_its_numbers() {
        let text = || DataType::Utf8View;
        let user = DataType::Struct(Fields::from(vec![Field::new("it's", text(), true)]));
        for (columns, features, label) in [
            (
                vec![("x", text()), ("n", DataType::Int64), ("action", text())],
                "string_score(cmdline_template(coalesce(\"action\", ''))) AS \"form of action\", \
                 string_score(cmdline_template(coalesce(\"x\", ''))) AS \"form of x\"",
                "left(coalesce(\"action\", ''), 60)",
            ),
            (
                vec![("user", user)],
                "string_score(cmdline_template(coalesce(\"user\"['it''s'], ''))) AS \"form of user.it's\"",
                "left(coalesce(\"user\"['it''s'], ''), 60)",
            ),
            (
                vec![("ProcessGuid", text()), ("verb", text())],
                "string_score(cmdline_template(coalesce(\"verb\", ''))) AS \"form of verb\", \
                 string_score(cmdline_template(coalesce(\"ProcessGuid\", ''))) AS \"form of ProcessGuid\"",
                "left(coalesce(\"verb\", ''), 60)",
            ),
            (vec![("n", DataType::Int64)], "coalesce(\"n\", 0) AS \"n or 0\"", "CAST(\"n\" AS VARCHAR)"),
        ] {
            let found = defaults(&schema(&columns)).expect("something to compare");
            assert_eq!((found.features.as_str(), found.label.0.as_str()), (features, label));
            assert_eq!(found.scaling, Some("none"));
        }
        for columns in [vec![], vec![("t", DataType::Date32)]] {
            assert_eq!(defaults(&schema(&columns)), None, "{columns:?}");
        }
    }
}
