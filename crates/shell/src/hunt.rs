//! `dbcluster hunt`: from raw logs to the events to read first.
//!
//! The columns of the logs decide whether they are processes, logons or lines. The events are ranked by `hunt_processes`, `hunt_logons` or
//! `hunt`; the first rows are told on the terminal, and a page has the others.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use datafusion_cli::print_format::PrintFormat;
use futures::StreamExt;
use indicatif::HumanCount;

use super::args::HuntArgs;
use super::depth::sql;
use super::failure::Failure;
use super::import::check_input;
use super::output::{self, BatchWriter};
use super::program::Program;
use super::report::{check_page, relation, write};
use super::report_defaults::{identifier, line_column, member};
use super::runner::Runner;
use super::syntax::quoted;
use datafusion_dbcluster::event_columns::{
    COMMAND_LINES, LOGON_ACCOUNTS, LOGON_SOURCES, LOGON_TYPES, PARENT_PROGRAMS, PROGRAMS, column_type,
};
use datafusion_dbcluster::figure_file::{columns, rows};
use dbcluster_figures::{Figure, Settings};
use dbcluster_terminal::printable;

/// The rows that a terminal shows, unless told otherwise.
const SHOWN: usize = 20;

/// The reasons of a row that a terminal shows.
const REASONS: usize = 5;

/// The characters of a text that a terminal shows.
const LONGEST: usize = 600;

/// The columns of calls of a cloud's interface, as those of AWS write them, for options of `hunt`.
const CLOUD_EVENTS: [(&str, &[&str]); 4] = [
    ("subject", &["userIdentity.arn", "userArn", "userIdentityArn"]),
    ("context", &["sourceIPAddress"]),
    ("host", &["recipientAccountId"]),
    ("time_column", &["eventTime"]),
];

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &Runner, args: &HuntArgs) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        check_page(out, args.force)?;
    }
    if let Some(out) = args.out.as_ref().filter(|_| !args.source.trim().starts_with('(')) {
        check_input(std::slice::from_ref(&args.source), out)?;
    }
    runner.account.name_rejected();
    let what = format!("the hunt in {}", args.source);
    let (query, not_judged, found) = program.run(&what, async {
        let (query, not_judged) = query(&runner.ctx, args).await?;
        let found = hunt(runner, args, &query).await?;
        Ok((query, not_judged, found))
    })?;
    if let Some(out) = &args.out {
        page(args, &query, &found, out)?;
    }
    let told = if runner.print.format == PrintFormat::Table {
        tell(runner, args, &found, not_judged)
    } else {
        Ok(())
    };
    match told {
        Err(Failure::OutputClosed) if args.alert.is_some() => {}
        told => told?,
    }
    match args.alert {
        Some(alert) if found.alerts > 0 => Err(Failure::Alert(format!(
            "{} of {} score {alert} or more",
            HumanCount(found.alerts as u64),
            kinds(found.shapes)
        ))),
        _ => Ok(()),
    }
}

/// The query that ranks the events of a source, and what it does not judge for want of a column.
async fn query(ctx: &SessionContext, args: &HuntArgs) -> Result<(String, Option<&'static str>), Failure> {
    let table = relation(&args.source);
    let input = sql(ctx, &format!("SELECT * FROM {table}")).await?;
    let schema = input.schema().as_arrow().clone();
    let Some(Hunt { mut call, not_judged, .. }) = Hunt::of(&table, &schema) else {
        return Err(Failure::new(no_text(&args.source, &schema)));
    };
    if !args.watch.is_empty() {
        let texts: Vec<String> = args.watch.iter().map(|text| quoted(text)).collect();
        call = format!("{call}, watch => [{}]", texts.join(", "));
    }
    Ok((format!("SELECT * FROM {call})"), not_judged))
}

/// A call of the function that ranks the events of a table, without its closing bracket.
pub(super) struct Hunt {
    pub(super) call: String,
    /// The subject and the text of an event, as SQL, where they are plain columns.
    pub(super) shape: Option<(Option<String>, String)>,
    /// The columns that were not found, and what is not judged without them.
    not_judged: Option<&'static str>,
}

impl Hunt {
    /// Chooses the function by the columns.
    pub(super) fn of(table: &str, schema: &Schema) -> Option<Self> {
        let column = |names: &[&str]| {
            let is_value =
                |name: &&&str| column_type(schema, name).is_some_and(|data_type| !data_type.is_nested());
            names.iter().find(is_value).map(|name| member(schema, name))
        };
        let (command, program) = (column(COMMAND_LINES), column(PROGRAMS));
        if command.is_some() || program.is_some() {
            let subject = program.clone().map(|program| format!("lower(process_name({program}))"));
            let shape = command.or(program).map(|text| (subject, text));
            let not_judged = column(PARENT_PROGRAMS)
                .is_none()
                .then_some("No column of parent programs was found, so unusual parents are not judged.");
            return Some(Self { call: format!("hunt_processes({table}"), shape, not_judged });
        }
        if column(LOGON_ACCOUNTS).is_some() && column(LOGON_TYPES).is_some() {
            let not_judged = column(LOGON_SOURCES)
                .is_none()
                .then_some("No column of addresses was found, so unusual sources are not judged.");
            return Some(Self { call: format!("hunt_logons({table}"), shape: None, not_judged });
        }
        if let (Some(event), Some(source)) = (column(&["eventName"]), column(&["eventSource"])) {
            let parts = [Some(source), Some(event), column(&["errorCode"]), column(&["userAgent"])];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let mut call = format!("hunt({table}, text => concat_ws(' ', {})", parts.join(", "));
            for (option, names) in CLOUD_EVENTS {
                if let Some(column) = column(names) {
                    call = format!("{call}, {option} => {column}");
                }
            }
            return Some(Self { call, shape: None, not_judged: None });
        }
        let line = line_column(schema)?;
        Some(Self {
            call: format!("hunt({table}, text => {line}"),
            shape: Some((None, line)),
            not_judged: None,
        })
    }
}

fn no_text(source: &str, schema: &Schema) -> String {
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let plain = schema.fields().iter().find(|field| !field.data_type().is_nested());
    let example = plain.map_or("...".to_string(), |field| identifier(field.name()));
    format!(
        "{source} has no columns of processes, of logons or of lines of text; say in SQL what varies, as in SELECT * FROM hunt({}, text => \
         {example}); its columns are: {}",
        quoted(source),
        columns.join(", ")
    )
}

/// The result of a hunt.
struct Found {
    schema: SchemaRef,
    /// The first rows.
    first: Vec<RecordBatch>,
    shapes: usize,
    events: i64,
    /// The rows that score enough for an alert.
    alerts: usize,
}

/// Ranks the events. Formats for programs are written as they come; of the rows those are kept that a terminal or a page shows.
async fn hunt(runner: &Runner, args: &HuntArgs, query: &str) -> Result<Found, Failure> {
    let frame = sql(&runner.ctx, query).await?;
    let schema = Arc::clone(frame.schema().inner());
    let most = args.rows.map_or(usize::MAX, |rows| rows.0);
    let shown = args.rows.map_or(SHOWN, |rows| rows.0);
    let kept = if args.out.is_some() { Figure::Review.max_rows() } else { shown };
    let mut writer = BatchWriter::new(runner.print.format, Arc::clone(&schema));
    let mut found = Found { schema, first: vec![], shapes: 0, events: 0, alerts: 0 };
    let mut batches = frame.execute_stream().await?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let before = found.shapes;
        let up_to = |most: usize| batch.slice(0, most.saturating_sub(before).min(batch.num_rows()));
        if let Some(open) = &mut writer {
            match output::write(open.batch(&up_to(most))?) {
                // Nobody reads on, but the alert is still told.
                Err(Failure::OutputClosed) => writer = None,
                written => written?,
            }
        }
        let first = up_to(kept.max(shown));
        if first.num_rows() > 0 {
            found.first.push(first);
        }
        found.shapes += batch.num_rows();
        found.events += numbers(&batch, "events").into_iter().flatten().sum::<i64>();
        if let (Some(alert), Some(scores)) = (args.alert, batch.column_by_name("score")) {
            let scores = scores.as_primitive::<Float64Type>();
            found.alerts += scores.iter().flatten().filter(|score| *score >= alert).count();
        }
    }
    if let Some(writer) = writer {
        output::write(writer.finish()?)?;
    }
    Ok(found)
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    match batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>()) {
        Some(column) => column.iter().collect(),
        None => vec![None; batch.num_rows()],
    }
}

/// Writes the page.
fn page(args: &HuntArgs, query: &str, found: &Found, out: &Path) -> Result<(), Failure> {
    let of_lines = found.first.iter().map(with_reasons_as_lines).collect::<Result<Vec<_>, _>>()?;
    let schema = of_lines.first().map_or_else(|| Arc::clone(&found.schema), RecordBatch::schema);
    let rows = rows(&schema, &of_lines)?;
    let types = columns(&schema);
    let title = args.title.clone().unwrap_or_else(|| format!("Read first in {}", args.source));
    let drawn = if found.shapes > Figure::Review.max_rows() {
        format!("{query}\n-- the first {} of {}", Figure::Review.max_rows(), kinds(found.shapes))
    } else {
        query.to_string()
    };
    let given = [("title", title.as_str()), ("query", drawn.as_str())];
    let settings =
        Settings::try_new(Figure::Review, given, &types).map_err(|error| Failure::new(error.to_string()))?;
    let page = Figure::Review.draw(&rows, &settings).map_err(|error| Failure::new(error.to_string()))?;
    write(&page, out)
}

/// Replaces the list of reasons by one text, a line for each.
fn with_reasons_as_lines(batch: &RecordBatch) -> Result<RecordBatch, Failure> {
    let Ok(place) = batch.schema().index_of("reasons") else { return Ok(batch.clone()) };
    let lists = batch.column(place).as_list::<i32>();
    let lines: arrow::array::StringArray = lists
        .iter()
        .map(|list| {
            let list = list?;
            // A line break in a reason comes from an event, and is none between reasons.
            let reasons = list.as_string::<i32>().iter().flatten();
            Some(reasons.map(|reason| printable(reason).into_owned()).collect::<Vec<_>>().join("\n"))
        })
        .collect();
    let mut fields = batch.schema().fields().to_vec();
    fields[place] = Arc::new(fields[place].as_ref().clone().with_data_type(DataType::Utf8));
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(lines);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
    Ok(batch.map_err(datafusion::common::DataFusionError::from)?)
}

fn kinds(shapes: usize) -> String {
    let counted = HumanCount(shapes as u64);
    if shapes == 1 { "1 kind of events".to_string() } else { format!("{counted} kinds of events") }
}

/// Tells the first rows on the terminal.
fn tell(
    runner: &Runner,
    args: &HuntArgs,
    found: &Found,
    not_judged: Option<&'static str>,
) -> Result<(), Failure> {
    let shown = args.rows.map_or(SHOWN, |rows| rows.0);
    let mut place = 0;
    for batch in &found.first {
        for row in 0..batch.num_rows() {
            place += 1;
            if place > shown {
                break;
            }
            output::say(finding(batch, row, place)?)?;
        }
    }
    if runner.print.quiet {
        return Ok(());
    }
    let more = found.shapes.saturating_sub(shown);
    let events = HumanCount(found.events.unsigned_abs());
    let rest = match (&args.out, more) {
        (Some(out), _) if found.shapes > Figure::Review.max_rows() => format!(
            " The first {} of them, with all columns: {}",
            HumanCount(Figure::Review.max_rows() as u64),
            out.display()
        ),
        (Some(out), _) => format!(" All of them, with all columns: {}", out.display()),
        (None, 0) => String::new(),
        (None, more) => format!(
            " {} more: --out page.html writes them as a page, --format csv for other programs.",
            HumanCount(more as u64)
        ),
    };
    let not_judged = not_judged.map_or(String::new(), |not_judged| format!("{not_judged}\n"));
    let are = if found.events == 1 { "1 event is".to_string() } else { format!("{events} events are") };
    output::say(format!("\n{are} {}.{rest}\n{not_judged}", kinds(found.shapes)))
}

/// A row in a few lines: its score, what did it, when and where; the text; the reasons.
fn finding(batch: &RecordBatch, row: usize, place: usize) -> Result<String, Failure> {
    let format = FormatOptions::default().with_null("");
    let value = |name: &str| -> Result<Option<String>, Failure> {
        let Some(column) = batch.column_by_name(name).filter(|column| column.is_valid(row)) else {
            return Ok(None);
        };
        let shown = ArrayFormatter::try_new(column.as_ref(), &format)
            .and_then(|values| values.value(row).try_to_string())
            .map_err(datafusion::common::DataFusionError::from)?;
        Ok(Some(shown).filter(|text| !text.is_empty()))
    };
    let score = batch.column_by_name("score").map(|scores| scores.as_primitive::<Float64Type>().value(row));
    let mut head = vec![];
    head.extend(value("subject")?);
    for (name, one, many) in
        [("events", "event", "events"), ("hosts", "host", "hosts"), ("accounts", "account", "accounts")]
    {
        if let Some(number) = numbers(batch, name).get(row).copied().flatten() {
            let noun = if number == 1 { one } else { many };
            head.push(format!("{} {noun}", HumanCount(number.unsigned_abs())));
        }
    }
    head.extend(value("first_event_time")?);
    let text = COMMAND_LINES
        .iter()
        .chain(&["text_template"])
        .find_map(|name| value(name).transpose())
        .transpose()?;
    let text = text.unwrap_or_else(|| "(no text)".to_string());
    let reasons = batch.column_by_name("reasons").filter(|reasons| reasons.is_valid(row));
    let reasons = match reasons.and_then(|reasons| reasons.as_list_opt::<i32>()) {
        Some(lists) => {
            cast(&lists.value(row), &DataType::Utf8).map_err(datafusion::common::DataFusionError::from)?
        }
        None => Arc::new(arrow::array::StringArray::from(Vec::<&str>::new())),
    };
    let more = reasons.len().saturating_sub(REASONS);
    let mut reasons: Vec<String> = reasons
        .as_string::<i32>()
        .iter()
        .flatten()
        .take(REASONS)
        .map(|reason| printable(reason).into_owned())
        .collect();
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    Ok(format!(
        "{place:>3}. {:<5.1} {}\n     {}\n     - {}\n",
        score.unwrap_or_default(),
        printable(&head.join(", ")),
        cut(&printable(&text)),
        if reasons.is_empty() {
            "nothing else about it is unusual".to_string()
        } else {
            reasons.join("\n     - ")
        }
    ))
}

/// Cuts a long text, and says how long it is.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!(
            "{}... [cut: {} characters in all]",
            &text[..end],
            HumanCount(text.chars().count() as u64)
        ),
        None => text.to_string(),
    }
}
