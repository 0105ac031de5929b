//! `dbcluster report`: clusters a table, and draws the result as one page.

mod defaults;
mod events;
mod roles;
mod vectors;

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{Expr, SelectItem};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_dbcluster::LogTables;
use dbcluster_figures::{Clustering, Feature, Place, Redaction, Row};
use indicatif::HumanCount;
use tokio::runtime::Handle;

use super::archive::fingerprint;
use super::args::{ReportArgs, ReportEps};
use super::depth::sql;
use super::failure::Failure;
use super::hunt_defaults::Hunt;
use super::output;
use super::program::Program;
use super::runner::Runner;
use super::statements::dialect;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::quoted_name;
use dbcluster_files::write_file;

pub(super) use defaults::{any_text, expression, identifier, line_column};

use defaults::{Column, Defaults, defaults};
use events::{Events, Found};
use vectors::Comparison;

/// The most places for which the page has every eps. Beyond, its clusters are those of one.
const EVERY_EPS: usize = 20_000;

/// The most odd events of a page of fixed clusters.
const ODD: usize = 5_000;

/// The texts of a table of an unknown kind that are looked at for differences.
const TEXTS_LOOKED_AT: usize = 100;

/// The files whose fingerprints are on the page.
const FILES: usize = 100;

/// Columns of a hunt. A table that has one of them is not ranked.
const HUNT_COLUMNS: [&str; 10] = [
    "subject",
    "text_template",
    "events",
    "hosts",
    "accounts",
    "first_event_time",
    "last_event_time",
    "score",
    "terms",
    "reasons",
];

/// The parameters of a report.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) table: &'a str,
    pub(super) features: Option<&'a str>,
    pub(super) label: Option<&'a str>,
    pub(super) eps: ReportEps,
    pub(super) min_samples: u64,
    pub(super) nulls: &'a str,
    pub(super) scaling: Option<&'a str>,
    pub(super) metric: Option<&'a str>,
    pub(super) weights: &'a [f64],
    pub(super) partition_by: &'a [String],
    pub(super) time_column: Option<&'a str>,
    pub(super) title: Option<&'a str>,
    pub(super) redact: &'a [String],
    pub(super) redact_key: &'a str,
}

impl<'a> Report<'a> {
    /// The report of a table of Windows' process events.
    pub(super) fn of(table: &'a str) -> Self {
        Self {
            table,
            features: None,
            label: None,
            eps: ReportEps::Given(0.0001),
            min_samples: 2,
            nulls: "error",
            scaling: None,
            metric: None,
            weights: &[],
            partition_by: &[],
            time_column: None,
            title: None,
            redact: &[],
            redact_key: "",
        }
    }

    fn relation(&self) -> String {
        relation(self.table)
    }
}

/// A table as SQL: a file's name, or a query as it is.
pub(super) fn relation(table: &str) -> String {
    let table = table.trim();
    if table.starts_with('(') {
        table.to_string()
    } else if is_query(table) {
        format!("({})", table.trim_end_matches([';', ' ', '\n']))
    } else if is_call(table) {
        format!("(SELECT * FROM {table})")
    } else {
        quoted(table)
    }
}

/// Whether a table is a query without its brackets, and no file of such a name.
fn is_query(table: &str) -> bool {
    let first = table.split_ascii_whitespace().next().unwrap_or_default();
    ["select", "with"].iter().any(|word| first.eq_ignore_ascii_case(word))
        && first != table
        && !Path::new(table).exists()
}

/// Whether a table is `read('path', ...)` or another table function, and no file of such a name.
fn is_call(table: &str) -> bool {
    let Some((name, _)) = table.strip_suffix(')').and_then(|call| call.split_once('(')) else { return false };
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !Path::new(table).exists()
}

/// Features as they stand in a SELECT list: also if they were given as `[f1, f2]` or `{name: f1}`, as `dbcluster` takes them.
fn as_list(features: &str) -> Result<String, Failure> {
    let text = features.trim();
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Ok(list.to_string());
    }
    if !text.starts_with('{') {
        return Ok(features.to_string());
    }
    let unreadable = |error: &str| Failure::new(format!("--features '{features}': {error}"));
    let parser = Parser::new(&GenericDialect {}).try_with_sql(text);
    let read = parser.and_then(|mut parser| Ok((parser.parse_expr()?, parser.peek_token().token)));
    match read.map_err(|error| unreadable(&error.to_string()))? {
        (Expr::Dictionary(fields), Token::EOF) => {
            let fields = fields.iter().map(|field| format!("{} AS {}", field.value, field.key));
            Ok(fields.collect::<Vec<_>>().join(", "))
        }
        _ => Err(unreadable("expected {name: expression, ...} to end with the bracket")),
    }
}

/// Runs the subcommand.
pub(super) fn run(program: &Program, runner: &Runner, args: &ReportArgs) -> Result<(), Failure> {
    check_page(&args.out, args.force)?;
    runner.account.name_rejected();
    let features = args.features.as_deref().map(as_list).transpose()?;
    let report = Report {
        features: features.as_deref(),
        label: args.label.as_deref(),
        eps: args.eps,
        min_samples: args.min_samples,
        nulls: &args.nulls,
        scaling: args.scaling.as_deref(),
        metric: args.metric.as_deref(),
        weights: &args.weights,
        partition_by: &args.partition_by,
        time_column: args.time_column.as_deref(),
        title: args.title.as_deref(),
        redact: &args.redact,
        redact_key: args.redact_key.as_deref().unwrap_or_default(),
        ..Report::of(&args.table)
    };
    let (page, rows) = page(program, &runner.ctx, &report)?;
    write(&page, &args.out)?;
    if !runner.print.quiet {
        output::say(format!("{} on one page: {}\n", counted(rows as u64, "row"), args.out.display()))?;
    }
    Ok(())
}

/// Checks that a page can be written, before the work that it is made of.
pub(super) fn check_page(out: &Path, force: bool) -> Result<(), Failure> {
    if out.is_dir() {
        return Err(Failure::new(format!(
            "--out {} is a folder, expected a file, as in {}",
            out.display(),
            out.join("page.html").display()
        )));
    }
    let ending = out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if !["html", "htm", "xhtml"].contains(&ending.as_str()) {
        return Err(Failure::new(format!(
            "--out {}: a page is HTML, so the file's name ends in .html",
            out.display()
        )));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!(
            "--out {}: there is no folder {}",
            out.display(),
            folder.display()
        )));
    }
    if out.exists() && !force {
        return Err(Failure::new(format!(
            "{} is there already; --force overwrites it, --out names another file",
            out.display()
        )));
    }
    Ok(())
}

/// The page, and the number of its rows: clusters and odd events.
pub(super) fn page(
    program: &Program,
    ctx: &SessionContext,
    report: &Report<'_>,
) -> Result<(String, usize), Failure> {
    program.run(&format!("the report of {}", report.table), draw(ctx, report))
}

/// Writes the page, in place of an earlier one.
pub(super) fn write(page: &str, out: &Path) -> Result<(), Failure> {
    write_file(out, page.as_bytes()).map_err(|error| Failure::new(format!("{}: {error}", out.display())))
}

async fn draw(ctx: &SessionContext, report: &Report<'_>) -> Result<(String, usize), Failure> {
    let table = report.relation();
    let input = sql(ctx, &format!("SELECT * FROM {table}")).await?;
    let input = input.schema().as_arrow().clone();
    let mut defaults = defaults(&input);
    if report.features.is_none() && defaults.as_ref().is_some_and(|defaults| defaults.event.is_none()) {
        defaults = self::defaults(&with_differences(ctx, &table, &input).await?).or(defaults);
    }
    let of_kind = defaults.as_ref().filter(|_| report.features.is_none());
    let (table, left_out_note) = match of_kind.and_then(|defaults| defaults.rows.as_ref()) {
        Some(rows) => only(ctx, table, rows).await?,
        None => (table, String::new()),
    };
    let features_text = features(report, defaults.as_ref(), &input)?;
    let label = label(report, defaults.as_ref(), &input)?;
    let dialect = ctx.state_ref().read().config_options().sql_parser.dialect;
    let features = named(&features_text, dialect)?;
    let features_with_names = features
        .iter()
        .map(|(expression, name)| format!("{expression} AS {}", quoted_name(name)))
        .collect::<Vec<_>>()
        .join(", ");
    let scaling = report.scaling.or(of_kind.and_then(|defaults| defaults.scaling));
    let options = options(report, scaling);
    let arguments = format!("{table}, {}", quoted(&features_text));
    let (eps, eps_note) = match report.eps {
        ReportEps::Given(eps) => (eps, String::new()),
        ReportEps::Auto => auto_eps(ctx, &format!("{arguments}, {options}")).await?,
    };
    let summary = summary(ctx, &format!("{arguments}, eps => {eps:?}, {options}")).await?;

    let time = roles::time(&input, report.time_column);
    let (time_type, time) = match &time {
        Some((name, sql, data_type)) => (data_type.as_ref(), Some((name.as_str(), sql.as_str()))),
        None => (None, None),
    };
    let roles = roles::roles(&input, &label, time);
    let hunt = Hunt::of(&table, &input).filter(|_| HUNT_COLUMNS.iter().all(|column| !has(&input, column)));
    let events = Events {
        ctx,
        table: &table,
        features: &features,
        partition_by: report.partition_by,
        roles: &roles,
        time_type,
        nulls: report.nulls,
        hunt: hunt.as_ref(),
        columns: input.fields().iter().map(|field| field.name().clone()).collect(),
    };
    let mut found = events.read(summary.events).await?;
    events.add_values(&mut found, &format!("dbcluster({arguments}, eps => {eps:?}, {options})")).await?;
    let Found { places, rows, columns, activity, notes: about_rows, partitions } = found;
    let without_time: u64 = rows.iter().filter(|row| row.times.is_none()).map(|row| row.events).sum();
    let comparison = Comparison {
        eps,
        min_samples: report.min_samples,
        scaling: parsed(scaling)?,
        metric: parsed(report.metric)?,
        weights: report.weights.to_vec(),
    };
    let nulls_note = nulls_note(ctx, report, &table, of_kind, &features_with_names).await?;
    let mut notes: Vec<String> =
        [eps_note, left_out_note, nulls_note].into_iter().filter(|note| !note.is_empty()).collect();
    if let Some((name, _)) = time.filter(|_| without_time > 0) {
        notes.push(format!("{} have no {name}.", counted(without_time, "event")));
    }
    notes.extend(about_rows);
    let mut page = dbcluster_figures::Report {
        title: report.title.map_or_else(|| report.table.to_string(), ToString::to_string),
        event: of_kind
            .and_then(|defaults| defaults.event)
            .map(|(one, many)| (one.to_string(), many.to_string())),
        features: features.into_iter().map(|(sql, name)| Feature { name, sql }).collect(),
        query: Some(format!(
            "SELECT *\nFROM dbcluster({arguments},\n               eps => {{eps}}, {options})"
        )),
        table: Some(table.clone()),
        files: files(ctx, report.table).await?,
        time_zone: matches!(time_type, Some(DataType::Timestamp(_, Some(_)))).then(|| "UTC".to_string()),
        roles,
        columns,
        partitions,
        ..dbcluster_figures::Report::default()
    };
    let found = Found { places, rows, activity, ..Found::default() };
    notes.extend(cluster(&mut page, found, comparison, &summary).await?);
    page.notes = notes;
    let found = summary.clusters + summary.noise + summary.skipped;
    redact(&mut page, report)?;
    let html = page.page().map_err(|error| Failure::new(error.to_string()))?;
    Ok((html, found as usize))
}

/// The columns of a table of an unknown kind without those texts that are the same in all rows, or NULL in most: they tell no events apart.
async fn with_differences(ctx: &SessionContext, table: &str, input: &Schema) -> Result<Schema, Failure> {
    let is_text =
        |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let texts: Vec<&str> = input
        .fields()
        .iter()
        .filter(|field| is_text(field.data_type()))
        .map(|field| field.name().as_str())
        .take(TEXTS_LOOKED_AT)
        .collect();
    if texts.is_empty() {
        return Ok(input.clone());
    }
    let figures = texts.iter().map(|name| {
        let column = identifier(name);
        format!("(min({column}) IS DISTINCT FROM max({column})) AND (2 * count({column}) >= count(*))")
    });
    let query = format!("SELECT {} FROM {table}", figures.collect::<Vec<_>>().join(", "));
    let batches = sql(ctx, &query).await?.collect().await?;
    let differs = |at: usize| {
        batches.iter().any(|batch| {
            let column = batch.column(at).as_boolean();
            (0..batch.num_rows()).any(|row| column.value(row))
        })
    };
    let alike: Vec<&str> =
        texts.iter().enumerate().filter(|(at, _)| !differs(*at)).map(|(_, name)| *name).collect();
    if alike.len() == texts.len() {
        return Ok(input.clone());
    }
    let fields = input.fields().iter().filter(|field| !alike.contains(&field.name().as_str()));
    Ok(Schema::new(fields.map(std::sync::Arc::clone).collect::<Vec<_>>()))
}

/// Clusters the places of the page: at every eps, or at one if they are many. Returns what a reader has to know of it.
async fn cluster(
    page: &mut dbcluster_figures::Report,
    found: Found,
    comparison: Comparison,
    summary: &Summary,
) -> Result<Vec<String>, Failure> {
    let Found { places, rows, activity, .. } = found;
    let places = places.all;
    if places.len() <= EVERY_EPS {
        page.clustering = Clustering::EveryEps {
            eps: comparison.eps,
            min_samples: comparison.min_samples,
            metric: comparison.metric.to_string(),
            scaling: comparison.scaling.to_string(),
            expected: Some((summary.clusters, summary.noise)),
        };
        (page.rows, page.activity) = (rows, activity);
        page.places = vectors::add_levels(places, comparison).await?;
        return Ok(vec![]);
    }
    let mut notes = vec![format!(
        "These are {} different vectors, so the page shows one eps ({:?}) and has no slider.",
        HumanCount(places.len() as u64),
        comparison.eps
    )];
    let (places, labels) = vectors::labels(places, comparison).await?;
    fix(page, places, rows, activity, &labels);
    if page.left_out > 0 {
        notes.push(format!("{} odd events are counted and not on the page.", HumanCount(page.left_out)));
    }
    Ok(notes)
}

fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}

/// The options of the call of `dbcluster`, as SQL.
fn options(report: &Report<'_>, scaling: Option<&str>) -> String {
    let mut options = vec![format!("min_samples => {}", report.min_samples)];
    let named = [("scaling", scaling), ("metric", report.metric)].into_iter();
    options.extend(named.filter_map(|(name, value)| Some(format!("{name} => {}", quoted(value?)))));
    if !report.weights.is_empty() {
        options.push(format!("weights => {:?}", report.weights));
    }
    if !report.partition_by.is_empty() {
        options.push(format!("partition_by => [{}]", report.partition_by.join(", ")));
    }
    options.extend(report.time_column.map(|time| format!("time_column => {time}")));
    if report.nulls != "error" {
        options.push(format!("nulls => '{}'", report.nulls));
    }
    options.join(", ")
}

/// A value that the core knows by its name, or the default.
fn parsed<T: Default + std::str::FromStr>(name: Option<&str>) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    name.map_or_else(
        || Ok(T::default()),
        |name| name.parse().map_err(|error: T::Err| Failure::new(error.to_string())),
    )
}

/// The figures of a clustering.
struct Summary {
    events: u64,
    clusters: u64,
    noise: u64,
    skipped: u64,
}

async fn summary(ctx: &SessionContext, arguments: &str) -> Result<Summary, Failure> {
    let failed = |failure: Failure| failure.map(as_flags);
    let query = format!("SELECT input_rows, clusters, noise, skipped FROM dbcluster_summary({arguments})");
    let batches =
        sql(ctx, &query).await.map_err(failed)?.collect().await.map_err(Failure::from).map_err(failed)?;
    let number = |at: usize| {
        let of_batch =
            |batch: &RecordBatch| batch.column(at).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        batches.iter().map(of_batch).sum::<i64>().unsigned_abs()
    };
    Ok(Summary { events: number(0), clusters: number(1), noise: number(2), skipped: number(3) })
}

/// Makes one place of each cluster, and keeps the odd events to read first.
fn fix(
    page: &mut dbcluster_figures::Report,
    all: Vec<Place>,
    rows: Vec<Row>,
    activity: Option<dbcluster_figures::Activity>,
    labels: &[i64],
) {
    let clusters = labels.iter().copied().max().map_or(0, |most| (most + 1) as usize);
    let mut places: Vec<Place> = vec![Place { clustered: true, ..Place::default() }; clusters];
    let mut best = vec![f64::NEG_INFINITY; all.len()];
    for row in &rows {
        if let (Some(place), Some(score)) = (row.place, row.score)
            && let Some(best) = best.get_mut(place as usize)
        {
            *best = best.max(score);
        }
    }
    let label_of = |at: usize| labels.get(at).copied().unwrap_or(-1);
    let mut noise: Vec<usize> = (0..all.len()).filter(|at| label_of(*at) < 0).collect();
    noise.sort_by(|&a, &b| {
        best.get(b)
            .copied()
            .unwrap_or_default()
            .total_cmp(&best.get(a).copied().unwrap_or_default())
            .then(a.cmp(&b))
    });
    let left_out = noise.split_off(noise.len().min(ODD));
    page.left_out = left_out.iter().filter_map(|at| all.get(*at)).map(|place| place.events).sum();
    let mut moved: Vec<Option<u32>> = vec![None; all.len()];
    for (new, old) in noise.iter().enumerate() {
        if let Some(moved) = moved.get_mut(*old) {
            *moved = Some((clusters + new) as u32);
        }
    }
    let mut odd: Vec<Place> = noise.iter().filter_map(|at| all.get(*at).cloned()).collect();
    for (at, place) in all.into_iter().enumerate() {
        let Some(cluster) = usize::try_from(label_of(at)).ok() else { continue };
        if let (Some(into), Some(moved)) = (places.get_mut(cluster), moved.get_mut(at)) {
            join(into, place);
            *moved = Some(cluster as u32);
        }
    }
    let moved = |place: u32| moved.get(place as usize).copied().flatten();
    let mut per_place = vec![0_usize; clusters];
    page.rows = rows
        .into_iter()
        .filter_map(|mut row| {
            if let Some(place) = row.place {
                let place = moved(place)?;
                if let Some(count) = per_place.get_mut(place as usize) {
                    *count += 1;
                    if *count > events::ROWS_OF_CLUSTER {
                        return None;
                    }
                }
                row.place = Some(place);
            }
            Some(row)
        })
        .collect();
    page.activity = activity.map(|mut activity| {
        let mut cells = std::collections::BTreeMap::new();
        for (place, span, events) in activity.cells {
            if let Some(place) = moved(place) {
                *cells.entry((place, span)).or_insert(0) += events;
            }
        }
        activity.cells = cells.into_iter().map(|((place, span), events)| (place, span, events)).collect();
        activity
    });
    places.append(&mut odd);
    page.places = places;
    page.clustering = Clustering::Fixed;
}

/// Adds a place to that of its cluster.
fn join(into: &mut Place, place: Place) {
    into.events += place.events;
    into.counts_left_out |= place.counts_left_out;
    into.times = match (into.times, place.times) {
        (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
        (before, new) => before.or(new),
    };
    for (into, counts) in
        [(&mut into.names, place.names), (&mut into.hosts, place.hosts), (&mut into.accounts, place.accounts)]
    {
        for (value, events) in counts {
            match into.iter_mut().find(|(known, _)| *known == value) {
                Some((_, known)) => *known += events,
                None => into.push((value, events)),
            }
        }
    }
}

/// The files of a table with their fingerprints, if it is made of files alone.
async fn files(ctx: &SessionContext, table: &str) -> Result<Vec<String>, Failure> {
    let state = ctx.state();
    let Some(tables) = LogTables::of(&state) else { return Ok(vec![]) };
    let Ok(found) = tables.files(&state, &[table.trim().to_string()]).await else { return Ok(vec![]) };
    let sources = found.sources(&Handle::current());
    let all = sources.len();
    let mut lines = vec![];
    for source in sources.into_iter().take(FILES) {
        let name = source.name().to_string();
        if source.opens_once() {
            lines.push(format!("{name}: a pipe, which is gone"));
            continue;
        }
        let (bytes, sha256) = fingerprint::of_source(source).await?;
        lines.push(format!("{name}: {} bytes, SHA-256 {sha256}", HumanCount(bytes)));
    }
    if all > FILES {
        lines.push(format!("and {} more files", HumanCount((all - FILES) as u64)));
    }
    Ok(lines)
}

/// Replaces values by pseudonyms.
fn redact(page: &mut dbcluster_figures::Report, report: &Report<'_>) -> Result<(), Failure> {
    if report.redact.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = report.redact.iter().map(String::as_str).collect();
    let known: Vec<String> =
        page.roles.iter().map(|role| role.label.clone()).chain(page.columns.iter().cloned()).collect();
    Redaction::new(report.redact_key).apply(page, &columns).map_err(|unknown| {
        Failure::new(format!(
            "--redact {}: the page has no column of this name; it has {}",
            unknown.join(","),
            known.join(", ")
        ))
    })
}

/// Leaves out the rows of other kinds, and says how many they are.
async fn only(ctx: &SessionContext, table: String, rows: &str) -> Result<(String, String), Failure> {
    let others = format!("SELECT count(*) FROM {table} WHERE ({rows}) IS NOT TRUE");
    let batches = sql(ctx, &others).await?.collect().await?;
    let others: i64 =
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values()).sum();
    Ok(match others {
        0 => (table, String::new()),
        1 => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            "1 event of another kind is left out.".to_string(),
        ),
        others => (
            format!("(SELECT * FROM {table} WHERE {rows})"),
            format!("{} events of other kinds are left out.", HumanCount(others.unsigned_abs())),
        ),
    })
}

/// Finds the last eps before clusters chain, and says how it was chosen. The page's query has the number, so that it gives the
/// same rows when more events have come.
async fn auto_eps(ctx: &SessionContext, arguments: &str) -> Result<(f64, String), Failure> {
    let query = format!("SELECT eps FROM dbcluster_eps({arguments}) WHERE is_auto");
    let batches = sql(ctx, &query).await.map_err(|failure| failure.map(as_flags))?.collect().await;
    let batches = batches.map_err(Failure::from).map_err(|failure| failure.map(as_flags))?;
    let found = batches.iter().find_map(|batch| batch.column(0).as_primitive::<Float64Type>().iter().next());
    Ok(match found.flatten() {
        Some(eps) => (
            eps,
            format!("eps is {eps:?}, the last one before clusters chain into one; --eps takes another."),
        ),
        None => (1.0, "Every eps gives the same rows.".to_string()),
    })
}

/// Puts the advice of an error into the words of this command: flags instead of options.
fn as_flags(message: &str) -> String {
    ["error", "zero", "skip"].iter().fold(message.to_string(), |message, value| {
        message.replace(&format!("nulls => '{value}'"), &format!("--nulls {value}"))
    })
}

/// The features as SQL, each with the name that dbcluster gives it: the one behind AS, or its text.
fn named(features: &str, name: Dialect) -> Result<Vec<(String, String)>, Failure> {
    let unreadable = |error: String| Failure::new(format!("--features '{features}': {error}"));
    let dialect = dialect(name);
    let parser = Parser::new(dialect.as_ref()).try_with_sql(features);
    let read = parser.and_then(|mut parser| Ok((parser.parse_projection()?, parser.peek_token().token)));
    let (items, rest) = read.map_err(|error| unreadable(error.to_string()))?;
    if rest != Token::EOF {
        return Err(unreadable(format!("can't read '{rest}'; separate features with commas")));
    }
    let item = |item: SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Ok((name.to_string(), name.value)),
        SelectItem::UnnamedExpr(expression) => Ok((expression.to_string(), expression.to_string())),
        SelectItem::ExprWithAlias { expr, alias } => Ok((expr.to_string(), alias.value)),
        other => Err(unreadable(format!("'{other}' is no feature; name each one"))),
    };
    items.into_iter().map(item).collect()
}

/// Counts the events with NULL in a column of a feature, and tells how they were read. Empty if there are none.
async fn nulls_note(
    ctx: &SessionContext,
    report: &Report<'_>,
    table: &str,
    defaults: Option<&Defaults>,
    features_with_names: &str,
) -> Result<String, Failure> {
    let (columns, relation, read_as): (Vec<(String, String)>, _, _) = match defaults {
        Some(defaults) => {
            let columns = defaults.columns.iter();
            let columns = columns.map(|column| (column.name.clone(), column.expression.clone()));
            let has_numbers = defaults.columns.iter().any(Column::is_number);
            (
                columns.collect(),
                table.to_string(),
                if has_numbers { "read as empty or 0" } else { "read as empty" },
            )
        }
        _ => {
            let read_as = match report.nulls {
                "zero" => "read as 0",
                "skip" => "skipped",
                _ => return Ok(String::new()),
            };
            let relation = format!("(SELECT {features_with_names} FROM {table})");
            let features = sql(ctx, &format!("SELECT * FROM {relation}")).await?;
            let columns = features.schema().fields().iter();
            let columns = columns.map(|field| (field.name().clone(), identifier(field.name())));
            (columns.collect(), relation, read_as)
        }
    };
    let counts: Vec<String> = columns
        .iter()
        .map(|(_, expression)| format!("count(*) FILTER (WHERE {expression} IS NULL)"))
        .collect();
    let frame = sql(ctx, &format!("SELECT {} FROM {relation}", counts.join(", "))).await?;
    let batches = frame.collect().await?;
    let mut found = vec![];
    for (at, (name, _)) in columns.iter().enumerate() {
        let count =
            |batch: &RecordBatch| batch.column(at).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        match batches.iter().map(count).sum::<i64>() {
            0 => {}
            1 => found.push(format!("{name} in 1 event")),
            rows => found.push(format!("{name} in {} events", HumanCount(rows.unsigned_abs()))),
        }
    }
    Ok(if found.is_empty() { String::new() } else { format!("NULL, {read_as}: {}.", found.join(", ")) })
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok()
}

fn listed(schema: &Schema) -> String {
    schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

fn features(report: &Report<'_>, defaults: Option<&Defaults>, input: &Schema) -> Result<String, Failure> {
    let features = report.features.or(defaults.map(|defaults| defaults.features.as_str()));
    features.map(ToString::to_string).ok_or_else(|| {
        Failure::new(format!(
            "{} has no column of text or numbers, so say what to cluster on, as in --features \"date_part('hour', time) AS hour\"; \
             its columns are: {}",
            report.table,
            listed(input)
        ))
    })
}

/// The name of a row.
struct Label {
    expression: String,
    name: String,
}

fn label(report: &Report<'_>, defaults: Option<&Defaults>, input: &Schema) -> Result<Label, Failure> {
    let (expression, name) = match (report.label, defaults) {
        (Some(column), _)
            if input.field_with_name(column).is_ok_and(|field| field.data_type().is_nested()) =>
        {
            return Err(Failure::new(format!(
                "--label {column} has no text but members; name one of them, as in --label \"{}['name']\"",
                identifier(column)
            )));
        }
        (Some(column), _) if has(input, column) => {
            return Ok(Label { expression: identifier(column), name: column.to_string() });
        }
        (Some(expression), _) => (expression, expression),
        (None, Some(defaults)) => (defaults.label.0.as_str(), defaults.label.1),
        (None, None) => {
            return Err(Failure::new(format!(
                "{} has no column of text or numbers, so say what a row is called, as in --label time; its columns are: {}",
                report.table,
                listed(input)
            )));
        }
    };
    Ok(Label { expression: expression.to_string(), name: name.to_string() })
}
