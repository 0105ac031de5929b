//! `dbcluster hunt`: from raw logs to the events to read first.
//!
//! The columns of the logs decide by which function the events are ranked, see [`hunt_defaults`](super::hunt_defaults). The first rows are
//! told on the terminal, and a page has the others.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use indicatif::HumanCount;

use super::args::HuntArgs;
use super::depth::sql;
use super::failure::Failure;
use super::hunt_defaults::{Hunt, TEXT, advice};
use super::import::{check_input, register};
use super::output::{self, BatchWriter};
use super::program::Program;
use super::report::{check_page, relation, write};
use super::runner::Runner;
use super::syntax::quoted;
use datafusion_dbcluster::event_columns::{COMMAND_LINES, PROGRAMS};
use datafusion_dbcluster::figure_file::{columns, rows};
use dbcluster_figures::{Figure, Settings};
use dbcluster_terminal::{complain, printable};

/// The name under which several sources are a table of the session.
const SOURCES: &str = "sources";

/// The rows that a terminal shows, unless told otherwise.
const SHOWN: usize = 20;

/// The reasons of a row that a terminal shows.
const REASONS: usize = 5;

/// The characters of a text that a terminal shows.
const LONGEST: usize = 600;

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &Runner, args: &HuntArgs) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        check_page(out, args.force)?;
    }
    let files: Vec<String> =
        args.sources.iter().filter(|source| !source.trim().starts_with('(')).cloned().collect();
    if let Some(out) = &args.out {
        check_input(&files, out)?;
    }
    if args.sources.len() > 1 && files.len() < args.sources.len() {
        return Err(Failure::new(
            "a hunt reads either files or one query; join the queries with UNION ALL BY NAME",
        ));
    }
    runner.account.name_rejected();
    let what = format!("the hunt in {}", told(&args.sources));
    let (query, notes, found) = program.run(&what, async {
        let table = table(runner, args).await?;
        let Query { sql: query, others, not_judged } = query(&runner.ctx, args, &table).await?;
        let found = hunt(runner, args, &query).await?;
        let mut notes = vec![];
        if let Some(others) = others {
            notes.extend(left_out(&runner.ctx, &table, others, found.events).await?);
        }
        notes.extend(not_judged.map(ToString::to_string));
        Ok((query, notes, found))
    })?;
    if let Some(out) = &args.out {
        page(args, &query, &notes, &found, out)?;
    }
    let told = if runner.look.format.is_table() {
        tell(runner, args, &notes, &found)
    } else {
        if !runner.print.quiet {
            for note in &notes {
                complain(note);
            }
        }
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

/// The query that ranks the events of a source.
struct Query {
    sql: String,
    /// The events that it leaves out.
    others: Option<&'static str>,
    /// The aspects that it does not judge for want of a column.
    not_judged: Option<&'static str>,
}

/// Says how many events were left out, if any were.
async fn left_out(
    ctx: &SessionContext,
    table: &str,
    others: &str,
    events: i64,
) -> Result<Option<String>, Failure> {
    let batches = sql(ctx, &format!("SELECT count(*) FROM {table}")).await?.collect().await?;
    let all: i64 =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values()).sum();
    Ok(match all - events {
        left_out @ 1.. => Some(format!(
            "{} of {} events are left out: {others}.",
            HumanCount(left_out.unsigned_abs()),
            HumanCount(all.unsigned_abs())
        )),
        _ => None,
    })
}

/// The sources in a few words.
fn told(sources: &[String]) -> String {
    const NAMED: usize = 3;
    match sources.get(NAMED..) {
        Some(more @ [_, ..]) => format!(
            "{} and {} more",
            sources.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "),
            more.len()
        ),
        _ => sources.join(", "),
    }
}

/// The events as a table of SQL. Several sources become a table of the session.
async fn table(runner: &Runner, args: &HuntArgs) -> Result<String, Failure> {
    if let [source] = args.sources.as_slice() {
        return Ok(relation(source));
    }
    register(runner, SOURCES, &args.sources).await?;
    Ok(SOURCES.to_string())
}

async fn query(ctx: &SessionContext, args: &HuntArgs, table: &str) -> Result<Query, Failure> {
    let input = sql(ctx, &format!("SELECT * FROM {table}")).await?;
    let schema = input.schema().as_arrow().clone();
    let Some(Hunt { mut call, others, not_judged, .. }) = Hunt::of(table, &schema) else {
        let first = args.sources.first().map_or_else(|| table.to_string(), |first| relation(first));
        return Err(Failure::new(advice(&told(&args.sources), &first, &schema)));
    };
    if !args.watch.is_empty() {
        let texts: Vec<String> = args.watch.iter().map(|text| quoted(text)).collect();
        call = format!("{call}, watch => [{}]", texts.join(", "));
    }
    Ok(Query { sql: format!("SELECT * FROM {call})"), others, not_judged })
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
    let mut writer = BatchWriter::new(runner.look.format, Arc::clone(&schema));
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
fn page(args: &HuntArgs, query: &str, notes: &[String], found: &Found, out: &Path) -> Result<(), Failure> {
    let of_lines = found.first.iter().map(with_reasons_as_lines).collect::<Result<Vec<_>, _>>()?;
    let schema = of_lines.first().map_or_else(|| Arc::clone(&found.schema), RecordBatch::schema);
    let rows = rows(&schema, &of_lines)?;
    let types = columns(&schema);
    let title = args.title.clone().unwrap_or_else(|| format!("Read first in {}", told(&args.sources)));
    let mut drawn = query.to_string();
    if found.shapes > Figure::Review.max_rows() {
        drawn = format!("{drawn}\n-- the first {} of {}", Figure::Review.max_rows(), kinds(found.shapes));
    }
    if args.sources.len() > 1 {
        drawn = format!("{drawn}\n-- {SOURCES}: {}", args.sources.join(", "));
    }
    for note in notes {
        drawn = format!("{drawn}\n-- {note}");
    }
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
fn tell(runner: &Runner, args: &HuntArgs, notes: &[String], found: &Found) -> Result<(), Failure> {
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
    let notes = notes.iter().fold(String::new(), |notes, note| notes + note + "\n");
    let are = if found.events == 1 { "1 event is".to_string() } else { format!("{events} events are") };
    output::say(format!("\n{are} {}.{rest}\n{notes}", kinds(found.shapes)))
}

/// A row in a few lines: its score, what did it, when and where; the text; the reasons.
fn finding(batch: &RecordBatch, row: usize, place: usize) -> Result<String, Failure> {
    let format = FormatOptions::default().with_null("");
    let schema = batch.schema();
    let fields = schema.fields();
    let value = |name: &str| -> Result<Option<String>, Failure> {
        let place = fields.iter().position(|field| field.name().eq_ignore_ascii_case(name));
        let Some(column) = place.map(|place| batch.column(place)).filter(|column| column.is_valid(row))
        else {
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
    let text = [TEXT]
        .iter()
        .chain(COMMAND_LINES)
        .chain(&["text_template"])
        .chain(PROGRAMS)
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
