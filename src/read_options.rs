//! [`READ_OPTIONS`]: the table of all options of reading files. A row holds everything about one option.
//!
//! An option is written in three places: `read('path', header => false)`, `SET dbcluster.read.header = false`, and
//! `OPTIONS ('header' 'false')` of `CREATE EXTERNAL TABLE ... STORED AS LOGS`. Each of them gives its value as text, so that it
//! is read in one way and has the same errors everywhere.

use std::collections::BTreeMap;

use arrow::array::timezone::Tz;
use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::sql::sqlparser::ast::{self, Expr, Value};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use dbcluster_logs::{ColumnType, DateOrder, Format, ReadOptions};

use crate::near_miss::{did_you_mean, excerpt, expected_one_of};

/// An option of reading files, with its documentation.
#[derive(Debug)]
pub struct ReadOption {
    name: &'static str,
    takes: Takes,
    /// Its effect, in sentences.
    meaning: &'static str,
    /// A value, as it stands behind `=>`.
    example: &'static str,
}

/// The kind of value that an option takes, and the field of [`ReadOptions`] that it sets.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Boolean(fn(&mut ReadOptions, bool)),
    /// One of some words, in any case; `set` gets its place in the list.
    Word {
        names: &'static [&'static str],
        set: fn(&mut ReadOptions, usize),
    },
    /// A text; `set` says what was expected if it can't be read.
    Text(fn(&mut ReadOptions, &str) -> std::result::Result<(), &'static str>),
    /// One text or a list of them.
    Texts(fn(&mut ReadOptions, Vec<String>)),
    /// Columns with their types.
    Types,
}

/// The names of the types that a column can be given.
const TYPE_NAMES: [&str; 6] = ["BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR"];

const FORMATS: [Format; 7] =
    [Format::Csv, Format::Json, Format::Zeek, Format::W3c, Format::Audit, Format::Lines, Format::Evtx];

/// All options, in the order of the reference.
pub(crate) static READ_OPTIONS: &[ReadOption] = &[
    ReadOption {
        name: "format",
        takes: Takes::Word {
            names: &["csv", "json", "zeek", "w3c", "audit", "lines", "evtx"],
            set: |options, place| options.format = FORMATS.get(place).copied(),
        },
        meaning: "The format of the files, which is otherwise found in them. `csv` is values between delimiters, `json` objects, \
                  `zeek` and `w3c` logs with a header of their own, `audit` the raw log of Linux's auditd, `lines` one column `line`, \
                  `evtx` event logs of Windows.",
        example: "'csv'",
    },
    ReadOption {
        name: "delimiter",
        takes: Takes::Text(set_delimiter),
        meaning: "The character between two columns of delimited text, which is otherwise found in it.",
        example: r"'\t'",
    },
    ReadOption {
        name: "header",
        takes: Takes::Boolean(|options, header| options.header = Some(header)),
        meaning: "Whether the first record of delimited text has the names of the columns. Without names they are \
                  `column_1`, `column_2` and so on.",
        example: "false",
    },
    ReadOption {
        name: "types",
        takes: Takes::Types,
        meaning: "Columns with the type to read them as: `BOOLEAN`, `BIGINT`, `DOUBLE`, `DATE`, `TIMESTAMP` or `VARCHAR`. A \
                  value that doesn't fit is NULL in its row, and listed by `rejected()`. The other columns have a type that \
                  holds every value.",
        example: r#"{port: 'BIGINT', "Flow Bytes/s": 'DOUBLE'}"#,
    },
    ReadOption {
        name: "time_zone",
        takes: Takes::Text(set_time_zone),
        meaning: "The zone of times that don't say theirs: a name or an offset. Without it they are taken for UTC.",
        example: "'Europe/Berlin'",
    },
    ReadOption {
        name: "date_order",
        takes: Takes::Word {
            names: &["dmy", "mdy"],
            set: |options, place| {
                let orders = [DateOrder::DayFirst, DateOrder::MonthFirst];
                options.date_order = orders.get(place).copied();
            },
        },
        meaning: "The order of day and month in dates such as `01/02/2026`. Without it a column of which no value decides \
                  the order stays text.",
        example: "'dmy'",
    },
    ReadOption {
        name: "encoding",
        takes: Takes::Text(|options, name| {
            options.encoding = Some(name.to_string());
            Ok(())
        }),
        meaning: "The encoding of the text by its name in the WHATWG standard. Without it a byte order mark decides, then \
                  whether the text is valid UTF-8.",
        example: "'windows-1252'",
    },
    ReadOption {
        name: "nulls",
        takes: Takes::Texts(|options, nulls| options.nulls = nulls),
        meaning: "Texts that mean NULL, besides the empty one.",
        example: "['-', 'n/a']",
    },
    ReadOption {
        name: "records",
        takes: Takes::Text(set_records),
        meaning: "The list of objects in JSON that are the records, by the names that lead to it, with dots between them. `.` \
                  reads the objects of the file themselves, also if a list of objects is in them. Without it an object that \
                  looks like the envelope of a list is taken apart.",
        example: "'hits.hits'",
    },
    ReadOption {
        name: "file_column",
        takes: Takes::Boolean(|options, is_there| options.file_column = is_there),
        meaning: "Adds a column `_file` with the name of the file that a row comes from.",
        example: "true",
    },
    ReadOption {
        name: "recovered",
        takes: Takes::Boolean(|options, recovered| options.recovered = recovered),
        meaning: "Reads events that are left in the unused space of event logs of Windows, too, and adds a column `recovered` that \
                  tells them.",
        example: "true",
    },
];

impl ReadOption {
    /// Finds the option of this name, in any case.
    ///
    /// # Errors
    /// There is none; the error lists the closest names, and all names.
    pub(crate) fn find(place: &str, name: &str) -> Result<&'static Self> {
        let option = READ_OPTIONS.iter().find(|option| option.name.eq_ignore_ascii_case(name));
        option.ok_or_else(|| {
            let names: Vec<&str> = READ_OPTIONS.iter().map(|option| option.name).collect();
            plan_datafusion_err!(
                "{place}: there is no option '{}'{}; the options are {}",
                excerpt(name),
                did_you_mean(name, &names),
                names.join(", ")
            )
        })
    }

    /// Returns the name before `=>`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns a description of the values that it takes.
    pub fn values(&self) -> String {
        match self.takes {
            Takes::Boolean(_) => "`true` or `false`".to_string(),
            Takes::Word { names, .. } => {
                let names: Vec<String> = names.iter().map(|name| format!("`'{name}'`")).collect();
                match names.split_last() {
                    Some((last, others)) => format!("{} or {last}", others.join(", ")),
                    None => String::new(),
                }
            }
            Takes::Text(_) => "a text".to_string(),
            Takes::Texts(_) => "a text or a list of texts".to_string(),
            Takes::Types => "`{column: type, ...}`".to_string(),
        }
    }

    /// Returns sentences about its effect.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// Returns a value as it stands behind `=>`.
    pub fn example(&self) -> &'static str {
        self.example
    }

    /// Sets the option to a value that is written as text: a string without its quotes, or SQL as in `['-', 'n/a']`.
    ///
    /// # Errors
    /// The value can't be read; the error says what is allowed. `place` stands before the option's name.
    pub(crate) fn set(&self, place: &str, options: &mut ReadOptions, value: &str) -> Result<()> {
        let wrong = |expected: &str| -> DataFusionError {
            plan_datafusion_err!("{place}{} is '{}', {expected}", self.name, excerpt(value))
        };
        match self.takes {
            Takes::Boolean(set) => match value.trim().to_ascii_lowercase().parse() {
                Ok(switch) => set(options, switch),
                Err(_) => return Err(wrong("expected true or false")),
            },
            Takes::Word { names, set } => {
                let found = names.iter().position(|name| name.eq_ignore_ascii_case(value.trim()));
                set(options, found.ok_or_else(|| wrong(&expected_one_of(value, names)))?);
            }
            Takes::Text(set) => set(options, value).map_err(&wrong)?,
            Takes::Texts(set) => {
                let expected = format!("expected a text or a list of texts, as in {}", self.example);
                set(options, texts(value).ok_or_else(|| wrong(&expected))?);
            }
            Takes::Types => options.types = types(value).map_err(|expected| wrong(&expected))?,
        }
        Ok(())
    }
}

fn set_delimiter(options: &mut ReadOptions, text: &str) -> std::result::Result<(), &'static str> {
    let byte = match text {
        r"\t" | "tab" => b'\t',
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => *byte,
            _ => return Err(r"expected one ASCII character, such as ';' or '\t'"),
        },
    };
    options.delimiter = Some(byte);
    Ok(())
}

fn set_time_zone(options: &mut ReadOptions, zone: &str) -> std::result::Result<(), &'static str> {
    if zone.parse::<Tz>().is_err() {
        return Err("expected the name of a time zone or an offset, such as 'Europe/Berlin' or '+02:00'");
    }
    options.time_zone = Some(zone.to_string());
    Ok(())
}

fn set_records(options: &mut ReadOptions, path: &str) -> std::result::Result<(), &'static str> {
    let Ok(path) = path.parse() else {
        return Err(
            "expected the names that lead to a list of objects, such as 'Records' or 'hits.hits', or '.' for the objects of the file themselves",
        );
    };
    options.records = Some(path);
    Ok(())
}

/// One text, or those of a list in SQL.
fn texts(value: &str) -> Option<Vec<String>> {
    if !value.trim_start().starts_with('[') {
        return Some(vec![value.to_string()]);
    }
    match parsed(value)? {
        Expr::Array(list) => list.elem.iter().map(|item| constant(item).map(ToString::to_string)).collect(),
        _ => None,
    }
}

/// The columns of `{name: type, ...}` with their types, or what was expected.
fn types(value: &str) -> std::result::Result<Vec<(String, ColumnType)>, String> {
    let Some(Expr::Dictionary(fields)) = parsed(value) else {
        return Err(r#"expected columns and types, as in {port: 'BIGINT', "Flow Bytes/s": 'DOUBLE'}"#.into());
    };
    let mut types: Vec<(String, ColumnType)> = vec![];
    for ast::DictionaryField { key, value } in &fields {
        if types.iter().any(|(name, _)| *name == key.value) {
            return Err(format!("but it names the column '{}' twice", excerpt(&key.value)));
        }
        let name = match value.as_ref() {
            Expr::Identifier(name) => Some(name.value.as_str()),
            value => constant(value),
        };
        let column_type = name.and_then(|name| ColumnType::of_sql_name(&name.trim().to_ascii_uppercase()));
        let Some(column_type) = column_type else {
            let name = name.map_or_else(|| value.to_string(), ToString::to_string);
            return Err(format!(
                "but '{}' is no type of column '{}': {}",
                excerpt(&name),
                excerpt(&key.value),
                expected_one_of(&name, &TYPE_NAMES)
            ));
        };
        types.push((key.value.clone(), column_type));
    }
    Ok(types)
}

/// The SQL expression that a text is.
fn parsed(text: &str) -> Option<Expr> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(text).ok()?;
    let expr = parser.parse_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(expr)
}

/// The text of a string constant.
pub(crate) fn constant(sql: &Expr) -> Option<&str> {
    match sql {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::DollarQuotedString(ast::DollarQuotedString { value: text, .. }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The text of an option's value in SQL: that of a string, else the SQL itself.
pub(crate) fn text_of(value: &Expr) -> String {
    constant(value).map_or_else(|| value.to_string(), ToString::to_string)
}

/// Options by name, as they were written. They hold what can be read, since each is checked when it is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ReadSettings(BTreeMap<&'static str, String>);

impl ReadSettings {
    /// Sets an option. The empty text takes it away.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let option = ReadOption::find("dbcluster.read", name)?;
        if value.is_empty() {
            self.0.remove(option.name);
            return Ok(());
        }
        option.set("dbcluster.read.", &mut ReadOptions::default(), value)?;
        self.0.insert(option.name, value.to_string());
        Ok(())
    }

    /// The value of an option as it was written.
    pub(crate) fn get(&self, option: &ReadOption) -> Option<&str> {
        self.0.get(option.name).map(String::as_str)
    }

    /// All of them.
    pub(crate) fn options(&self) -> Result<ReadOptions> {
        let mut options = ReadOptions::default();
        for option in READ_OPTIONS {
            if let Some(value) = self.get(option) {
                option.set("dbcluster.read.", &mut options, value)?;
            }
        }
        Ok(options)
    }
}

/// Sets options that stand beside each other in one statement over those of the session.
pub(crate) fn set_all<'a>(
    place: &str,
    options: &mut ReadOptions,
    given: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<()> {
    let mut seen: Vec<&str> = vec![];
    for (name, value) in given {
        let option = ReadOption::find(place, name)?;
        if seen.contains(&option.name) {
            return plan_err!("{place}: option {} was given twice", option.name);
        }
        seen.push(option.name);
        option.set(&format!("{place}: "), options, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> std::result::Result<ReadOptions, String> {
        let mut options = ReadOptions::default();
        let set = ReadOption::find("read", name).and_then(|option| option.set("read: ", &mut options, value));
        set.map(|()| options).map_err(|error| error.strip_backtrace())
    }

    #[test]
    fn values_are_text_or_sql() {
        let nulls = |value: &str| set("nulls", value).map(|options| options.nulls);
        let texts = |texts: &[&str]| Ok(texts.iter().map(ToString::to_string).collect());
        assert_eq!(nulls("-"), texts(&["-"]));
        assert_eq!(nulls("['-', 'it''s', $$[$$]"), texts(&["-", "it's", "["]));
        assert_eq!(nulls("[]"), texts(&[]));
        assert!(nulls("['-'").is_err() && nulls("[-]").is_err() && nulls("['a'] b").is_err());
        let delimiter = |value: &str| set("delimiter", value).map(|options| options.delimiter);
        for (value, byte) in [(r"\t", b'\t'), ("\t", b'\t'), (";", b';'), (" ", b' ')] {
            assert_eq!(delimiter(value), Ok(Some(byte)), "{value:?}");
        }
        for wrong in ["", "é", "\"", "\n", "||"] {
            assert!(delimiter(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(set("DATE_ORDER", "DMY").map(|options| options.date_order), Ok(Some(DateOrder::DayFirst)));
        assert!(
            set("records", "hits.hits").is_ok() && set("records", ".").is_ok() && set("records", "").is_err()
        );
        assert_eq!(set("header", " True").map(|options| options.header), Ok(Some(true)));
    }

    #[test]
    fn types_go_by_the_names_of_columns() {
        let types = |value: &str| -> std::result::Result<Vec<String>, String> {
            let types = set("types", value)?.types;
            Ok(types.iter().map(|(name, of)| format!("{name}: {}", of.data_type())).collect())
        };
        assert_eq!(
            types(r#"{port: 'bigint', "Flow Bytes/s": DOUBLE, 'a b': 'varchar'}"#),
            Ok(["port: Int64", "Flow Bytes/s: Float64", "a b: Utf8View"].map(String::from).to_vec())
        );
        for wrong in
            ["", "port", "{port}", "{port: 1}", "{port: 'BIGINTS'}", "{a: 'DATE', a: 'DATE'}", "{a: 'DATE'"]
        {
            let error = types(wrong).map_err(|error| error.contains("read: types is '"));
            assert_eq!(error, Err(true), "{wrong}");
        }
    }

    #[test]
    fn settings_keep_the_text_and_can_be_taken_away() -> Result<()> {
        let mut settings = ReadSettings::default();
        settings.set("time_zone", "Europe/Berlin")?;
        settings.set("nulls", "['-']")?;
        let options = settings.options()?;
        assert_eq!(
            (options.time_zone.as_deref(), options.nulls.as_slice()),
            (Some("Europe/Berlin"), &["-".to_string()][..])
        );
        assert!(settings.set("time_zone", "Mars").is_err());
        settings.set("nulls", "")?;
        assert_eq!(settings.options()?.time_zone.as_deref(), Some("Europe/Berlin"));
        assert!(settings.options()?.nulls.is_empty());
        Ok(())
    }
}
