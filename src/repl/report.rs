//! `dbcluster report`: clusters a table, and makes one page of what comes out.

use std::fs;
use std::path::Path;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::prelude::SessionContext;
use tokio::runtime::Runtime;

use super::args::ReportArgs;
use super::execute::Runner;
use super::failure::Failure;
use super::output;
use crate::figure_file::{columns, rows};
use crate::plot::{ColumnType, Figure, MAX_ROWS, Rows, Settings, draw_report};

/// The features of the notebook, for tables that have what they need.
const PROCESS: &str = "cmdline_tokens(CommandLine) AS tokens, path_score(NewProcessName) AS path";
const SESSION: &str = "is_system_session(SubjectLogonId) AS is_system";

/// What makes a page of a table.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) table: &'a str,
    pub(super) features: Option<&'a str>,
    pub(super) label: Option<&'a str>,
    pub(super) eps: f64,
    pub(super) min_samples: u64,
    pub(super) title: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// What a table of Windows' process events needs.
    pub(super) fn of(table: &'a str) -> Self {
        Self { table, features: None, label: None, eps: 0.0001, min_samples: 2, title: None }
    }
}

/// Runs the subcommand.
pub(super) fn run(runtime: &Runtime, runner: &Runner, args: &ReportArgs) -> Result<(), Failure> {
    if args.out.exists() && !args.force {
        return Err(Failure::new(format!(
            "{} is there already; --force overwrites it, --out names another file",
            args.out.display()
        )));
    }
    let report = Report {
        features: args.features.as_deref(),
        label: args.label.as_deref(),
        eps: args.eps,
        min_samples: args.min_samples,
        title: args.title.as_deref(),
        ..Report::of(&args.table)
    };
    let rows = write(runtime, &runner.ctx, &report, &args.out)?;
    if !runner.print.quiet {
        output::write(format!("{rows} rows on one page: {}\n", args.out.display()))?;
    }
    Ok(())
}

/// Writes the page. Returns the number of rows that are left to read.
pub(super) fn write(
    runtime: &Runtime,
    ctx: &SessionContext,
    report: &Report<'_>,
    out: &Path,
) -> Result<usize, Failure> {
    let (page, rows) = runtime.block_on(page(ctx, report))?;
    fs::write(out, page).map_err(|error| Failure::new(format!("{}: {error}", out.display())))?;
    Ok(rows)
}

async fn page(ctx: &SessionContext, report: &Report<'_>) -> Result<(String, usize), Failure> {
    let table = format!("'{}'", report.table.replace('\'', "''"));
    let input = ctx.sql(&format!("SELECT * FROM {table}")).await?;
    let input = input.schema().as_arrow().clone();
    let features = features(report, &input)?;
    let label = label(report, &input)?;

    let first = ctx.sql(&format!("SELECT {features} FROM {table}")).await?;
    let feature_columns = columns(first.schema().as_arrow());
    // The first two numbers are the axes of the map.
    let is_number = |(_, found): &&(&str, ColumnType)| *found == ColumnType::Number;
    let numbers: Vec<String> =
        feature_columns.iter().filter(is_number).map(|(name, _)| (*name).to_string()).take(2).collect();
    let mut fields = first.schema().fields().iter();
    let color =
        fields.find(|field| field.data_type() == &DataType::Boolean).map(|field| field.name().clone());

    let label_column =
        if label.is_column { String::new() } else { format!(", {} AS \"{}\"", label.expression, label.name) };
    let query = format!(
        "SELECT *{label_column}\nFROM dbcluster({table}, '{}',\n               eps => {}, min_samples => {})\nORDER BY \
         cluster_size DESC",
        features.replace('\'', "''"),
        report.eps,
        report.min_samples
    );
    let collapse = collect(ctx, &query).await?;
    let title =
        report.title.map_or_else(|| format!("Clustered events of {}", report.table), ToString::to_string);
    let mut given = vec![("label", label.name.as_str()), ("title", &title), ("query", &query)];
    for (option, name) in ["x", "y"].into_iter().zip(&numbers) {
        given.push((option, name));
    }
    if let Some(color) = &color {
        given.push(("color", color));
    }
    let settings = settings(Figure::Report, &given, &collapse)?;

    // Events that are equal to the boxes count together: any number of them becomes few rows.
    let names: Vec<String> = numbers.iter().chain(&color).map(|name| format!("\"{name}\"")).collect();
    let names = names.join(", ");
    let grouped = format!(
        "SELECT label, {names}, count(*) AS events FROM (SELECT {} AS label, {features} FROM {table}) \
         GROUP BY label, {names} ORDER BY label, {names} LIMIT {}",
        label.expression,
        MAX_ROWS + 1,
    );
    let events = if numbers.is_empty() { Rows::default() } else { collect(ctx, &grouped).await? };
    let mut boxes = vec![];
    for (at, number) in numbers.iter().enumerate() {
        let mut given = vec![("x", number.as_str()), ("y", "label"), ("weight", "events")];
        // The first feature as a whole, the second one split: as the notebook has them.
        if let (1, Some(color)) = (at, &color) {
            given.push(("color", color));
        }
        boxes.push(self::settings(Figure::Box, &given, &events)?);
    }
    // Too many different ones: the boxes are those of the exemplars then, and say so.
    let variability = (events.len() <= MAX_ROWS).then_some((&events, boxes.as_slice()));
    let page =
        draw_report(&collapse, &settings, variability).map_err(|error| Failure::new(error.to_string()))?;
    Ok((page, collapse.len()))
}

fn settings(figure: Figure, given: &[(&str, &str)], rows: &Rows) -> Result<Settings, Failure> {
    let columns: Vec<(&str, ColumnType)> =
        rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
    Settings::try_new(figure, given.iter().copied(), &columns)
        .map_err(|error| Failure::new(error.to_string()))
}

async fn collect(ctx: &SessionContext, query: &str) -> Result<Rows, Failure> {
    let frame = ctx.sql(query).await?;
    let schema = std::sync::Arc::clone(frame.schema().inner());
    Ok(rows(&schema, &frame.collect().await?)?)
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok()
}

fn listed(schema: &Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

fn features(report: &Report<'_>, input: &Schema) -> Result<String, Failure> {
    if let Some(features) = report.features {
        return Ok(features.to_string());
    }
    if !has(input, "CommandLine") || !has(input, "NewProcessName") {
        return Err(Failure::new(format!(
            "{} has no CommandLine and NewProcessName, so say what to cluster on, as in --features 'string_score(Account) AS \
             account'; its columns are: {}",
            report.table,
            listed(input)
        )));
    }
    Ok(if has(input, "SubjectLogonId") { format!("{PROCESS}, {SESSION}") } else { PROCESS.to_string() })
}

/// What a row is called.
struct Label {
    expression: String,
    name: String,
    /// Whether the input has it.
    is_column: bool,
}

fn label(report: &Report<'_>, input: &Schema) -> Result<Label, Failure> {
    let (expression, mut name) = match report.label {
        Some(column) if has(input, column) => {
            return Ok(Label {
                expression: format!("\"{column}\""),
                name: column.to_string(),
                is_column: true,
            });
        }
        Some(expression) => (expression, "label".to_string()),
        None if has(input, "NewProcessName") => ("process_name(NewProcessName)", "process".to_string()),
        None => {
            return Err(Failure::new(format!(
                "{} has no NewProcessName, so say what a row is called, as in --label Account; its columns are: {}",
                report.table,
                listed(input)
            )));
        }
    };
    while has(input, &name) {
        name.push('_');
    }
    Ok(Label { expression: expression.to_string(), name, is_column: false })
}
