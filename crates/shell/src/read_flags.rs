//! The flags of reading files. Each is a setting `dbcluster.read.*` of the session, so every statement of the run follows it.

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args};
use datafusion::common::Result;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

/// The flags that overrule what is guessed of a file. Their names are those of the options of `read('path', ...)`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading files (as the options of read('path', ...))")]
pub(super) struct ReadFlags {
    /// The format of the files, which is otherwise found in them
    #[arg(long, global = true, value_name = "csv|json|zeek|w3c|audit|lines|evtx", hide_possible_values = true,
          value_parser = ["csv", "json", "zeek", "w3c", "audit", "lines", "evtx"])]
    read_format: Option<String>,

    /// The character between two columns, such as ';' or '\t'
    #[arg(long, global = true, value_name = "CHAR", value_parser = NonEmptyStringValueParser::new())]
    delimiter: Option<String>,

    /// Whether the first line has the names of the columns
    #[arg(long, global = true, value_name = "true|false", action = ArgAction::Set, hide_possible_values = true)]
    header: Option<bool>,

    /// Columns with their types: 'port BIGINT, "Flow Bytes/s" DOUBLE'
    #[arg(long, global = true, value_name = "LIST", value_parser = types)]
    types: Option<String>,

    /// The zone of times that don't say theirs, such as Europe/Berlin or +02:00 [default: UTC]
    #[arg(long, global = true, value_name = "ZONE", allow_hyphen_values = true,
          value_parser = NonEmptyStringValueParser::new())]
    time_zone: Option<String>,

    /// The order of day and month in dates such as 01/02/2026
    #[arg(long, global = true, value_name = "dmy|mdy", hide_possible_values = true, value_parser = ["dmy", "mdy"])]
    date_order: Option<String>,

    /// The encoding of the text, such as windows-1252
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    encoding: Option<String>,

    /// A text that means NULL, such as -; may be given several times
    #[arg(long, global = true, value_name = "TEXT", allow_hyphen_values = true)]
    nulls: Vec<String>,

    /// The list of objects in JSON that are the records, such as hits.hits; . for the objects themselves
    #[arg(long, global = true, value_name = "NAMES", value_parser = NonEmptyStringValueParser::new())]
    records: Option<String>,

    /// Adds a column _file with the name of each row's file
    #[arg(long, global = true)]
    file_column: bool,

    /// Reads events left in the unused space of Windows event logs, too; the column recovered tells them
    #[arg(long, global = true)]
    recovered: bool,
}

impl ReadFlags {
    /// Makes them settings of a session.
    ///
    /// # Errors
    /// A value can't be read; the error names the setting and says what is expected.
    pub(super) fn set(&self, ctx: &SessionContext) -> Result<()> {
        let state = ctx.state_ref();
        let mut state = state.write();
        let config = state.config_mut().options_mut();
        for (name, value) in self.settings() {
            config.set(&format!("dbcluster.read.{name}"), &value)?;
        }
        Ok(())
    }

    /// The settings that were given, with their values as SQL writes them.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let nulls: Vec<String> =
            self.nulls.iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect();
        [
            ("format", self.read_format.clone()),
            ("delimiter", self.delimiter.clone()),
            ("header", self.header.map(|header| header.to_string())),
            ("types", self.types.clone()),
            ("time_zone", self.time_zone.clone()),
            ("date_order", self.date_order.clone()),
            ("encoding", self.encoding.clone()),
            ("nulls", (!nulls.is_empty()).then(|| format!("[{}]", nulls.join(", ")))),
            ("records", self.records.clone()),
            ("file_column", self.file_column.then(|| "true".to_string())),
            ("recovered", self.recovered.then(|| "true".to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// Reads columns with their types as `CREATE TABLE` writes them, and gives them as `read` takes them: `{"port": 'BIGINT'}`. That
/// form is taken as it is.
fn types(text: &str) -> std::result::Result<String, String> {
    if text.trim_start().starts_with('{') {
        return Ok(text.to_string());
    }
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(text).and_then(|mut parser| {
        let columns = parser
            .parse_comma_separated(|parser| Ok((parser.parse_identifier()?, parser.parse_data_type()?)))?;
        parser.expect_token(&Token::EOF)?;
        Ok(columns)
    });
    let columns = parsed.map_err(|_| {
        "expected columns with their types, as in 'port BIGINT, \"Flow Bytes/s\" DOUBLE'".to_string()
    })?;
    let columns = columns.iter().map(|(name, data_type)| {
        let (name, data_type) = (name.value.replace('"', "\"\""), data_type.to_string().replace('\'', "''"));
        format!("\"{name}\": '{data_type}'")
    });
    Ok(format!("{{{}}}", columns.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        flags: ReadFlags,
    }

    fn settings(line: &[&str]) -> Vec<(&'static str, String)> {
        let line = Line::try_parse_from(std::iter::once("x").chain(line.iter().copied()));
        line.expect("a valid command line").flags.settings()
    }

    #[test]
    fn flags_are_settings() {
        assert_eq!(settings(&[]), []);
        let given = [
            "--read-format",
            "csv",
            "--delimiter",
            r"\t",
            "--header",
            "false",
            "--types",
            "port BIGINT",
            "--time-zone",
            "-02:00",
            "--date-order",
            "dmy",
            "--encoding",
            "utf-16le",
            "--nulls",
            "-",
            "--nulls",
            "n'a",
            "--records",
            "hits.hits",
            "--file-column",
            "--recovered",
        ];
        let expected = [
            ("format", "csv"),
            ("delimiter", r"\t"),
            ("header", "false"),
            ("types", r#"{"port": 'BIGINT'}"#),
            ("time_zone", "-02:00"),
            ("date_order", "dmy"),
            ("encoding", "utf-16le"),
            ("nulls", "['-', 'n''a']"),
            ("records", "hits.hits"),
            ("file_column", "true"),
            ("recovered", "true"),
        ];
        assert_eq!(settings(&given), expected.map(|(name, value)| (name, value.to_string())));
    }

    #[test]
    fn types_are_columns_as_sql_writes_them() {
        for (text, expected) in [
            ("port BIGINT", r#"{"port": 'BIGINT'}"#),
            (r#"port BIGINT, "Flow Bytes/s" DOUBLE"#, r#"{"port": 'BIGINT', "Flow Bytes/s": 'DOUBLE'}"#),
            (r#""a""b" varchar"#, r#"{"a""b": 'VARCHAR'}"#),
            ("{port: 'BIGINT'}", "{port: 'BIGINT'}"),
        ] {
            assert_eq!(types(text).as_deref(), Ok(expected));
        }
        for text in ["", "port", "port BIGINT,", "port BIGINT x", "1 BIGINT", "port: BIGINT"] {
            assert!(types(text).is_err(), "{text}");
        }
    }
}
