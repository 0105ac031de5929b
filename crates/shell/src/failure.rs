//! The reasons for which a run ends early, in words for people.

use std::error::Error;
use std::io;
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::object_store;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;

use super::hint::with_hint;
use super::signals::Signal;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::{did_you_mean_column, listed_columns, quoted_name, sql_name};
use dbcluster_figures::likely_times;

/// The reason for which a statement or a script did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody reads standard output any more (`| head -1`): no error, but nothing is left to do.
    OutputClosed,
    /// A message for the user.
    Message(String),
    /// A message that names the place of the failure.
    Placed(String),
    /// A signal has ended the program.
    Stopped(Signal),
    /// All went well, and there is something to look at.
    Alert(String),
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }

    /// Puts a place in front of the message. The first place is the innermost, and the only one to look at.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Message(message) => Self::Placed(format!("{place}: {message}")),
            Self::Placed(_) | Self::OutputClosed | Self::Stopped(_) | Self::Alert(_) => self,
        }
    }

    /// Changes the words of the message.
    pub(super) fn map(self, words: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Message(message) => Self::Message(words(&message)),
            Self::Placed(message) => Self::Placed(words(&message)),
            Self::OutputClosed | Self::Stopped(_) | Self::Alert(_) => self,
        }
    }

    /// Adds advice, where `statement` shows what was meant.
    pub(super) fn with_hint(self, statement: &str) -> Self {
        match self {
            Self::Message(message) => Self::Message(with_hint(message, statement)),
            Self::Placed(_) | Self::OutputClosed | Self::Stopped(_) | Self::Alert(_) => self,
        }
    }

    /// An error of writing to standard output.
    pub(super) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Message(format!("cannot write the output: {error}")),
        }
    }
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        match &error {
            // A `COPY` writes to a pipe, perhaps, whose reader has gone.
            DataFusionError::IoError(io) if io.kind() == io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Message(describe(&error)),
        }
    }
}

/// Describes an error without the layers that it came through ("Arrow error: External error: ...").
pub(super) fn describe(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => describe(inner),
        DataFusionError::Shared(inner) => describe(inner),
        DataFusionError::Collection(errors) => {
            let mut lines: Vec<String> = errors.iter().map(describe).collect();
            lines.dedup();
            lines.join("\n")
        }
        DataFusionError::External(inner) => describe_foreign(inner.as_ref()),
        DataFusionError::ArrowError(inner, _) => describe_foreign(inner.as_ref()),
        DataFusionError::ParquetError(inner) => describe_foreign(inner.as_ref()),
        DataFusionError::SQL(inner, _) => describe_foreign(inner.as_ref()),
        DataFusionError::ObjectStore(inner) => describe_foreign(inner.as_ref()),
        DataFusionError::IoError(inner) => inner.to_string(),
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => missing_column(field, valid_fields),
            other => other.to_string(),
        },
        DataFusionError::Plan(text) => {
            let ours = missing_table(text)
                .or_else(|| message_of_function(text))
                .or_else(|| wrong_types(text))
                .or_else(|| variable(text));
            ours.unwrap_or_else(|| text.clone())
        }
        DataFusionError::Execution(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::Substrait(text)
        | DataFusionError::Ffi(text) => text.clone(),
        DataFusionError::NotImplemented(text) => {
            misplaced_expression(text).unwrap_or_else(|| format!("not implemented: {text}"))
        }
        DataFusionError::ResourcesExhausted(text) => format!("out of resources: {text}"),
        DataFusionError::Internal(text) => format!("internal error: {text}"),
        DataFusionError::ExecutionJoin(inner) => format!("a task of the query failed: {inner}"),
    }
    .split(DataFusionError::BACK_TRACE_SEP)
    .next()
    .unwrap_or_default()
    .trim_end()
    .replace(DISK_LIMIT_OF_ENGINE, "Give it more with --disk-limit")
    .replace(
        TOO_MANY_FILES,
        "too many open files: raise the hard limit (`ulimit -Hn`), or spill less with a larger --memory-limit",
    )
}

/// The system's message that a process has as many files open as it may. A query that spills holds many.
const TOO_MANY_FILES: &str = "Too many open files (os error 24)";

/// The engine's advice about the limit that the shell calls `--disk-limit`.
const DISK_LIMIT_OF_ENGINE: &str =
    "Please try increasing the config: `datafusion.runtime.max_temp_directory_size`";

/// The number of forms of a function that an error shows.
const FORMS_SHOWN: usize = 3;

/// The beginning of the message about a missing table, before its name.
pub(super) const NO_TABLE: &str = "there is no table '";

/// Rewords the engine's message about a missing table, which has a catalog and a schema in front, also when a file was meant.
fn missing_table(text: &str) -> Option<String> {
    let name = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    if let Some(name) = name.strip_prefix("datafusion.public.") {
        return Some(format!("{NO_TABLE}{name}', and no file of that name"));
    }
    // `FROM a.csv` is read as the table `csv` of the schema `a`.
    let name = name.strip_prefix("datafusion.").unwrap_or(name);
    Some(format!("{NO_TABLE}{name}'; if it is a file, its name stands in quotes: FROM {}", quoted(name)))
}

/// Rewords the engine's message about a missing column, which lists every column with its table, and shows what was meant in
/// quotes of two kinds.
fn missing_column(field: &Column, valid: &[Column]) -> String {
    let mut columns: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    columns.dedup();
    // `Laddr.Port` is read as the column Port of a table.
    let dotted = field.flat_name();
    let wanted = if columns.contains(&dotted.as_str()) { dotted } else { field.name.clone() };
    if ["first_event_time", "last_event_time"].contains(&wanted.as_str()) && columns.contains(&"cluster_size")
    {
        return format!(
            "there is no column '{wanted}', since the events have no time; {}",
            time_to_name(&columns)
        );
    }
    // The table has another name in the query: it has an alias, or is a file.
    if let Some(table) = field.relation.as_ref().filter(|_| wanted == field.name)
        && let Some(other) =
            valid.iter().find(|column| column.name == wanted).and_then(|column| column.relation.as_ref())
    {
        return format!(
            "the query has no table {table}; the column {wanted} is {}.{}",
            sql_name(other.table()),
            sql_name(&wanted)
        );
    }
    let meant = did_you_mean_column(&wanted, &columns);
    let there_are = match columns.as_slice() {
        [] => String::new(),
        columns if meant.is_empty() => format!("; the columns are {}", listed_columns(columns)),
        _ => String::new(),
    };
    format!("there is no column '{wanted}'{meant}{there_are}")
}

/// The option that gives clusters their times.
fn time_to_name(columns: &[&str]) -> String {
    let likely = likely_times(columns.iter().copied());
    match likely.as_slice() {
        [] => "say time_column => c, where c is a column with times, or time_column => to_timestamp(c)"
            .to_string(),
        [name, others @ ..] => {
            let others: Vec<String> =
                others.iter().map(|name| format!(" or {}", quoted_name(name))).collect();
            format!("say time_column => {}{}", quoted_name(name), others.concat())
        }
    }
}

/// Rewords the engine's message about an expression that no operator computes, which shows Rust's `Debug` output.
fn misplaced_expression(text: &str) -> Option<String> {
    let expr = text.strip_prefix("Physical plan does not support logical expression ")?;
    let kind = expr.split(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
    Some(if kind == "WindowFunction" {
        "a window function (... OVER ...) stands where rows are chosen, as in WHERE; compute it in a query and choose in \
         the one around it: SELECT * FROM (SELECT *, dbscan(1, 2, x) OVER () AS cluster FROM t) WHERE cluster >= 0"
            .to_string()
    } else {
        format!("not implemented: an expression of the kind {kind} stands where it can't be computed")
    })
}

/// Extracts a function's own message about its arguments from the engine's message around it.
fn message_of_function(text: &str) -> Option<String> {
    let (_, said) = text.split_once("user-defined coercion failed with: Error during planning: ")?;
    let (said, _) = said.split_once(" No function matches the given name")?;
    Some(said.trim_end_matches('.').to_string())
}

/// Rewords the engine's message about a call whose arguments have types that the function does not take: ten lines, of which one
/// has the call.
fn wrong_types(text: &str) -> Option<String> {
    let (_, call) = text.split_once("No function matches the given name and argument types '")?;
    let (call, rest) = call.split_once("'.")?;
    let (name, types) = call.strip_suffix(')')?.split_once('(')?;
    let shown = ["LargeUtf8", "Utf8View", "Utf8"]
        .iter()
        .fold(types.to_string(), |types, text| types.replace(text, "VARCHAR"));
    let advice = if shown.contains("VARCHAR") {
        format!("; {name}(TRY_CAST(x AS DOUBLE)) reads text as numbers, and as NULL where it is none")
    } else {
        let forms: Vec<&str> = rest
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with(&format!("{name}(")))
            .take(FORMS_SHOWN)
            .collect();
        if forms.is_empty() { String::new() } else { format!("; it is called as {}", forms.join(" or ")) }
    };
    Some(format!("{name} takes no arguments of the types ({shown}){advice}"))
}

/// The message for a column such as `@timestamp` without quotes, which SQL takes for a variable.
fn variable(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("variable [\"")?;
    let (name, _) = rest.split_once("\"] has no type information")?;
    Some(format!(
        "{name} is a variable in SQL, and there are none; a column of this name is written \"{name}\""
    ))
}

/// Describes an error of another crate, which may wrap one of DataFusion's again.
fn describe_foreign(error: &(dyn Error + 'static)) -> String {
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return describe(inner);
    }
    if let Some(inner) = error.downcast_ref::<Arc<DataFusionError>>() {
        return describe(inner);
    }
    match error.downcast_ref::<ArrowError>() {
        Some(ArrowError::ExternalError(inner)) => return describe_foreign(inner.as_ref()),
        Some(
            ArrowError::InvalidArgumentError(text)
            | ArrowError::ComputeError(text)
            | ArrowError::CastError(text)
            | ArrowError::CsvError(text)
            | ArrowError::JsonError(text),
        ) => return text.clone(),
        _ => {}
    }
    if let Some(ParquetError::External(inner)) = error.downcast_ref::<ParquetError>() {
        return describe_foreign(inner.as_ref());
    }
    if let Some(object_store::Error::Generic { store: "LocalFileSystem", source }) = error.downcast_ref() {
        return source.to_string();
    }
    match error.downcast_ref::<ParserError>() {
        Some(ParserError::TokenizerError(text) | ParserError::ParserError(text)) => {
            format!(
                "syntax error: {}",
                text.replace(" at Line: ", " at line ").replace(", Column: ", ", column ")
            )
        }
        Some(ParserError::RecursionLimitExceeded) => {
            "syntax error: nested too deeply (datafusion.sql_parser.recursion_limit)".to_string()
        }
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::TableReference;

    use super::*;

    #[test]
    fn layers_are_left_out() {
        let plan = || DataFusionError::Plan("no table 'x'".to_string());
        let wrapped = DataFusionError::ArrowError(
            Box::new(ArrowError::ExternalError(Box::new(DataFusionError::Context(
                "optimizing".to_string(),
                Box::new(DataFusionError::Shared(Arc::new(plan()))),
            )))),
            None,
        );
        assert_eq!(describe(&wrapped), "no table 'x'");
        assert_eq!(describe(&DataFusionError::Collection(vec![plan(), plan()])), "no table 'x'");
        let parser = ParserError::ParserError("Expected: x at Line: 3, Column: 8".to_string());
        assert_eq!(
            describe(&DataFusionError::SQL(Box::new(parser), None)),
            "syntax error: Expected: x at line 3, column 8"
        );
    }

    #[test]
    fn missing_table_may_be_a_file() {
        let error = DataFusionError::Plan("table 'datafusion.public.a.csv' not found".to_string());
        assert_eq!(describe(&error), "there is no table 'a.csv', and no file of that name");
        let error = DataFusionError::Plan("table 'datafusion.a.csv' not found".to_string());
        assert_eq!(
            describe(&error),
            "there is no table 'a.csv'; if it is a file, its name stands in quotes: FROM 'a.csv'"
        );
    }

    #[test]
    fn missing_column_is_told_as_sql_reads_it() {
        let valid = [Column::new(Some("a.csv"), "Laddr.Port"), Column::new(Some("a.csv"), "CommandLine")];
        for (field, expected) in [
            (
                Column::new(Some(TableReference::bare("Laddr")), "Port"),
                "there is no column 'Laddr.Port' (did you mean \"Laddr.Port\"?)",
            ),
            (
                Column::from_name("CommandLne"),
                "there is no column 'CommandLne' (did you mean 'CommandLine'?)",
            ),
            (Column::from_name("x"), "there is no column 'x'; the columns are \"Laddr.Port\", CommandLine"),
        ] {
            assert_eq!(missing_column(&field, &valid), expected);
        }
        let clusters = ["Event Time", "cluster_size"].map(Column::from_name);
        assert_eq!(
            missing_column(&Column::from_name("first_event_time"), &clusters),
            "there is no column 'first_event_time', since the events have no time; say time_column => \"Event Time\""
        );
    }

    #[test]
    fn innermost_place_stays() {
        let failure = Failure::new("wrong").at("b.sql:2").at("a.sql:1");
        assert!(matches!(failure, Failure::Placed(text) if text == "b.sql:2: wrong"));
    }

    #[test]
    fn closed_pipe_is_no_message() {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(matches!(Failure::output(&closed()), Failure::OutputClosed));
        assert!(matches!(Failure::from(DataFusionError::IoError(closed())), Failure::OutputClosed));
    }
}
