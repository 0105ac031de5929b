//! The SQL contract: every `.slt` file of `tests/sqllogictest`, with our operators and without.
//!
//! Files are in the format of [sqllogictest](https://sqlite.org/sqllogictest/doc/trunk/about.wiki), as the engine's own
//! tests are, and `query` says the columns' types in the engine's letters: see [`ColumnType`]. The letters are the same for
//! BIGINT and BIGINT UNSIGNED; `types.slt` has the exact types. Each file has a fresh session. Records that only hold
//! with the rule (they show its operator) say `skipif without_rule`.
//!
//! With `DBCLUSTER_COMPLETE=1` in its environment, this test writes types and rows of every query as they are, so that
//! a new one needs nothing but `query`, its SQL and `----`. Read the difference before you keep it.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use sqllogictest::{AsyncDB, DBOutput, Runner, strict_column_validator};

use crate::support::{repository, session_with, session_without_operators, session_without_planner};

/// The kind of a column, with the letter that the engine's own tests have for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ColumnType {
    Boolean,
    DateOrTime,
    Integer,
    Timestamp,
    Real,
    Text,
    Other,
}

impl ColumnType {
    const ALL: [Self; 7] = [
        Self::Boolean,
        Self::DateOrTime,
        Self::Integer,
        Self::Timestamp,
        Self::Real,
        Self::Text,
        Self::Other,
    ];

    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => {
                Self::DateOrTime
            }
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Dictionary(_, values) => Self::of(values),
            _ if data_type.is_integer() => Self::Integer,
            _ if data_type.is_floating() || data_type.is_decimal() => Self::Real,
            _ if data_type.is_string() => Self::Text,
            _ => Self::Other,
        }
    }
}

impl sqllogictest::ColumnType for ColumnType {
    fn from_char(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_char() == letter)
    }

    fn to_char(&self) -> char {
        match self {
            Self::Boolean => 'B',
            Self::DateOrTime => 'D',
            Self::Integer => 'I',
            Self::Timestamp => 'P',
            Self::Real => 'R',
            Self::Text => 'T',
            Self::Other => '?',
        }
    }
}

#[derive(Clone)]
struct Session(SessionContext);

#[async_trait]
impl AsyncDB for Session {
    type Error = DataFusionError;
    type ColumnType = ColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<ColumnType>, DataFusionError> {
        let frame = self.0.sql(sql).await?;
        let planned = frame.schema().as_arrow().clone();
        let types: Vec<_> = planned.fields().iter().map(|field| ColumnType::of(field.data_type())).collect();
        let batches = frame.collect().await?;
        if types.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        for batch in &batches {
            check_types(&planned, batch)?;
        }
        let rows = batches.iter().map(rows).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "dbcluster"
    }
}

/// The rows have the types of the plan.
fn check_types(planned: &Schema, batch: &RecordBatch) -> Result<(), DataFusionError> {
    for (planned, column) in planned.fields().iter().zip(batch.columns()) {
        if planned.data_type() != column.data_type() {
            return Err(DataFusionError::Execution(format!(
                "column {} is planned as {} and comes as {}",
                planned.name(),
                planned.data_type(),
                column.data_type()
            )));
        }
    }
    Ok(())
}

fn rows(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let options = FormatOptions::new().with_null("NULL");
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<Vec<_>, _>>()?;
    let cell = |text: String| if text.is_empty() { "(empty)".to_string() } else { text };
    Ok((0..batch.num_rows())
        .map(|row| columns.iter().map(|column| cell(column.value(row).to_string())).collect())
        .map(split_plan)
        .collect::<Vec<Vec<Vec<String>>>>()
        .concat())
}

/// A plan is one cell of many lines; as rows it can be read and compared line by line.
fn split_plan(row: Vec<String>) -> Vec<Vec<String>> {
    match row.as_slice() {
        [kind, plan] if kind.ends_with("_plan") => {
            let lines = plan.lines().enumerate();
            lines.map(|(number, line)| vec![format!("{:02}){line}", number + 1).replace(' ', "-")]).collect()
        }
        _ => vec![row],
    }
}

fn files() -> Vec<PathBuf> {
    let folder = repository().join("tests/sqllogictest");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of SQL tests")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "SQL tests are missing");
    files
}

async fn run(label: &str, session: fn(SessionConfig) -> SessionContext, files: Vec<PathBuf>) {
    let config = || SessionConfig::new().with_target_partitions(2).with_information_schema(true);
    let complete = std::env::var_os("DBCLUSTER_COMPLETE").is_some();
    if complete && label != "with_rule" {
        // One session writes the files. The others read them in the next run.
        return;
    }
    let mut failures = vec![];
    for file in files {
        let mut runner = Runner::new(|| async { Ok(Session(session(config()))) });
        runner.add_label(label);
        runner.with_column_validator(strict_column_validator);
        let result = if complete {
            runner
                .update_test_file(
                    &file,
                    " ",
                    sqllogictest::default_validator,
                    sqllogictest::default_normalizer,
                    strict_column_validator,
                )
                .await
                .map_err(|error| error.to_string())
        } else {
            runner.run_file_async(&file).await.map_err(|error| error.display(false).to_string())
        };
        if let Err(error) = result {
            failures.push(format!("{}: {error}", file.display()));
        }
    }
    assert!(failures.is_empty(), "{label}:\n{}", failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_hold_with_the_operator() {
    run("with_rule", session_with, files()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_hold_with_the_window_function() {
    run("without_rule", session_without_operators, files()).await;
}

/// A host without relation planners has the positional form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positional_form_needs_table_functions_only() {
    let positional: Vec<PathBuf> =
        files().into_iter().filter(|file| file.ends_with("positional.slt")).collect();
    assert_eq!(positional.len(), 1);
    run("without_planner", session_without_planner, positional).await;
}
