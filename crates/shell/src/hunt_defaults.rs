//! The function that ranks the events of a table, and its options, by the columns that logs of known kinds have.

use arrow::datatypes::Schema;

use datafusion_dbcluster::event_columns::{
    ACCOUNTS, COMMAND_LINES, HOSTS, LOGON_ACCOUNTS, LOGON_DETAILS, LOGON_SOURCES, LOGON_TYPES,
    PARENT_PROGRAMS, PROGRAMS, Place, is_time,
};

use super::report::{any_text, expression, identifier, line_column};

/// The column that has the text of an event where no column of the log has it whole.
pub(super) const TEXT: &str = "event_text";

/// Logs other than those of processes and of logons.
struct Kind {
    /// The columns by which they are known.
    known_by: &'static [&'static str],
    /// Columns of which its events have one: rows of other logs in the same table have none.
    told_by: &'static [&'static str],
    /// The columns that are the text of an event, one behind the other.
    text: &'static [&'static str],
    /// The options of `hunt`, with the columns that may stand for each.
    options: &'static [(&'static str, &'static [&'static str])],
}

const KINDS: [Kind; 4] = [
    // Calls of the interface of a cloud, as AWS writes them.
    Kind {
        known_by: &["eventName", "eventSource"],
        told_by: &["eventName"],
        text: &["eventSource", "eventName", "errorCode", "userAgent"],
        options: &[
            ("subject", &["userIdentity.arn", "userArn", "userIdentityArn"]),
            ("context", &["sourceIPAddress"]),
            ("host", &["recipientAccountId"]),
            ("time_column", &["eventTime"]),
        ],
    },
    // Requests of web browsers, as Zeek sees them on the wire.
    Kind {
        known_by: &["uri", "user_agent", "id.orig_h"],
        told_by: &["uri", "user_agent"],
        text: &["method", "host", "uri", "user_agent"],
        options: &[("subject", &["id.orig_h"]), ("time_column", &["ts"])],
    },
    // The same, as servers of Microsoft write them.
    Kind {
        known_by: &["cs-uri-stem", "c-ip"],
        told_by: &["cs-uri-stem"],
        text: &["cs-method", "cs-host", "cs-uri-stem", "cs-uri-query", "cs(User-Agent)", "sc-status"],
        options: &[
            ("subject", &["c-ip"]),
            ("host", &["s-computername", "s-ip"]),
            ("time_column", &["timestamp"]),
        ],
    },
    // Libraries that programs load, as Sysmon writes them.
    Kind {
        known_by: &["ImageLoaded", "Image"],
        told_by: &["ImageLoaded"],
        text: &["ImageLoaded"],
        options: &[
            ("path", &["Image"]),
            ("who", ACCOUNTS),
            ("host", HOSTS),
            ("time_column", &["TimeGenerated", "UtcTime"]),
        ],
    },
];

/// A call of the function that ranks the events of a table, without its closing bracket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hunt {
    pub(super) call: String,
    /// The subject and the text of an event, as SQL, where the columns tell them.
    pub(super) shape: Option<(Option<String>, String)>,
    /// The events that the function leaves out, in words.
    pub(super) others: Option<&'static str>,
    /// The columns that were not found, and what is not judged without them.
    pub(super) not_judged: Option<&'static str>,
}

impl Hunt {
    /// The columns that together are the text of an event, as SQL, in logs that have no single one.
    pub(super) fn text_parts(schema: &Schema) -> Option<Vec<String>> {
        KINDS.iter().find(|kind| kind.is_known(schema)).map(|kind| kind.parts(schema))
    }

    /// Chooses the function by the columns.
    pub(super) fn of(table: &str, schema: &Schema) -> Option<Self> {
        let command = column(schema, COMMAND_LINES);
        if command.is_none()
            && let Some(hunt) = KINDS.iter().find_map(|kind| kind.hunt(table, schema))
        {
            return Some(hunt);
        }
        let program = column(schema, PROGRAMS);
        if command.is_some() || program.is_some() {
            let subject = program.clone().map(|program| format!("lower(process_name({program}))"));
            let shape = command.or(program).map(|text| (subject, text));
            let not_judged = column(schema, PARENT_PROGRAMS)
                .is_none()
                .then_some("No column of parent programs was found, so unusual parents are not judged.");
            let others = Some("they start no process, or have neither a command line nor a path");
            return Some(Self { call: format!("hunt_processes({table}"), shape, others, not_judged });
        }
        if column(schema, LOGON_ACCOUNTS).is_some() && column(schema, LOGON_TYPES).is_some() {
            let not_judged = column(schema, LOGON_SOURCES)
                .is_none()
                .then_some("No column of addresses was found, so unusual sources are not judged.");
            let others = Some("they are no logons, or have no account");
            let kind = Place::all(schema, LOGON_TYPES).find(|(place, _)| !place.data_type.is_nested());
            let kind = kind.map(|(place, _)| match expression(&place) {
                kind if place.data_type.is_floating() => format!("logon_type_name(CAST({kind} AS BIGINT))"),
                kind => format!("logon_type_name({kind})"),
            });
            let details = LOGON_DETAILS.iter().filter_map(|names| column(schema, names));
            let parts: Vec<String> = kind.into_iter().chain(details).collect();
            let subject = column(schema, LOGON_ACCOUNTS).map(|account| format!("lower({account})"));
            let shape = Some((subject, format!("concat_ws(' ', {})", parts.join(", "))));
            return Some(Self { call: format!("hunt_logons({table}"), shape, others, not_judged });
        }
        let line = line_column(schema)?;
        // A table of lines alone has nothing else.
        let is_alone = schema.fields().len() == 1;
        let events = if is_alone {
            table.to_string()
        } else {
            format!("(SELECT * FROM {table} WHERE {line} IS NOT NULL)")
        };
        Some(Self {
            call: format!("hunt({events}, text => {line}"),
            shape: Some((None, line)),
            others: (!is_alone).then_some("they are of other logs"),
            not_judged: None,
        })
    }
}

impl Kind {
    fn is_known(&self, schema: &Schema) -> bool {
        self.known_by.iter().all(|name| column(schema, &[name]).is_some())
    }

    /// The columns that are the text of an event.
    fn parts(&self, schema: &Schema) -> Vec<String> {
        self.text.iter().filter_map(|name| column(schema, &[name])).collect()
    }

    fn hunt(&self, table: &str, schema: &Schema) -> Option<Hunt> {
        if !self.is_known(schema) {
            return None;
        }
        let parts = self.parts(schema);
        let options = self.options.iter().filter_map(|(option, names)| {
            let value = if *option == "time_column" { time(schema, names) } else { column(schema, names) };
            Some(format!(", {option} => {}", value?))
        });
        let options: String = options.collect();
        let told = self.told_by.iter().filter_map(|name| column(schema, &[name]));
        let told: Vec<String> = told.map(|column| format!("{column} IS NOT NULL")).collect();
        let (parts, told) = (parts.join(", "), told.join(" OR "));
        let call = if schema.field_with_name(TEXT).is_ok() {
            format!("hunt((SELECT * FROM {table} WHERE {told}), text => concat_ws(' ', {parts}){options}")
        } else {
            let events = format!("SELECT *, concat_ws(' ', {parts}) AS {TEXT} FROM {table} WHERE {told}");
            format!("hunt(({events}), text => {TEXT}{options}")
        };
        let of_option = |name: &str| {
            let (_, names) = self.options.iter().find(|(option, _)| *option == name)?;
            column(schema, names)
        };
        let of_path = || of_option("path").map(|path| format!("lower(process_name({path}))"));
        // A hunt tells subjects in small letters.
        let subject = of_option("subject").map(|subject| format!("lower({subject})")).or_else(of_path);
        let shape = Some((subject, format!("concat_ws(' ', {parts})")));
        Some(Hunt { call, shape, others: Some("they are of other logs"), not_judged: None })
    }
}

/// The first of these columns that holds values, as SQL.
fn column(schema: &Schema, names: &[&'static str]) -> Option<String> {
    let mut places = Place::all(schema, names);
    places.find(|(place, _)| !place.data_type.is_nested()).map(|(place, _)| expression(&place))
}

/// The first of these columns that holds times, or texts that may be times, as SQL.
fn time(schema: &Schema, names: &[&'static str]) -> Option<String> {
    let mut places = Place::all(schema, names);
    let place = places.find(|(place, _)| is_time(place.data_type) || place.data_type.is_string());
    place.map(|(place, _)| expression(&place))
}

/// Says how to hunt in a table of an unknown kind.
pub(super) fn advice(source: &str, table: &str, schema: &Schema) -> String {
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let plain = || schema.fields().iter().find(|field| !field.data_type().is_nested());
    let text = any_text(schema).or_else(|| plain().map(|field| identifier(field.name())));
    format!(
        "{source} has no columns of processes, of logons or of lines of text; say in SQL what varies, as in SELECT * FROM hunt({table}, text => \
         {}); its columns are: {}",
        text.unwrap_or_else(|| "...".to_string()),
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn of(columns: &[&str]) -> Option<String> {
        let fields: Vec<Field> =
            columns.iter().map(|name| Field::new(*name, DataType::Utf8View, true)).collect();
        Hunt::of("t", &Schema::new(fields)).map(|hunt| hunt.call)
    }

    #[test]
    fn columns_choose_the_function() {
        for (columns, call) in [
            (&["Image", "CommandLine", "ImageLoaded"][..], "hunt_processes(t"),
            (&["TargetUserName", "LogonType"], "hunt_logons(t"),
            (&["line"], "hunt(t, text => \"line\""),
            (
                &["ts", "id.orig_h", "uri", "user_agent", "method"],
                "hunt((SELECT *, concat_ws(' ', \"method\", \"uri\", \"user_agent\") AS event_text FROM t \
                 WHERE \"uri\" IS NOT NULL OR \"user_agent\" IS NOT NULL), text => event_text, \
                 subject => \"id.orig_h\", time_column => \"ts\"",
            ),
            (
                &["Image", "ImageLoaded", "User"],
                "hunt((SELECT *, concat_ws(' ', \"ImageLoaded\") AS event_text FROM t \
                 WHERE \"ImageLoaded\" IS NOT NULL), text => event_text, path => \"Image\", \
                 who => \"User\"",
            ),
        ] {
            assert_eq!(of(columns).as_deref(), Some(call), "{columns:?}");
        }
        assert_eq!(of(&["a"]), None);
    }

    #[test]
    fn advice_names_the_column_that_tells_most() {
        let schema = Schema::new(vec![
            Field::new("time", DataType::Utf8View, true),
            Field::new("url", DataType::Utf8View, true),
            Field::new("n", DataType::Int64, true),
        ]);
        assert!(advice("a.csv", "'a.csv'", &schema).contains("SELECT * FROM hunt('a.csv', text => \"url\")"));
    }
}
