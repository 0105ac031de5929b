//! `dbcluster report`: clusters a table, and draws the result as one page.

mod batch;
mod defaults;
mod events;
mod features;
mod fixed;
mod notes;
mod roles;
mod rows;
mod table;
mod vectors;

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use dbcluster_figures::{Clustering, Feature, Redaction};
use indicatif::HumanCount;

use super::args::{ReportArgs, ReportEps};
use super::depth::sql;
use super::failure::Failure;
use super::hunt_defaults::Hunt;
use super::output;
use super::program::Program;
use super::runner::Runner;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::quoted_name;
use dbcluster_files::write_file;

pub(super) use defaults::{Defaults, any_text, defaults, expression, identifier, line_column};
pub(super) use features::named;
pub(super) use roles::time;
pub(super) use table::relation;

use events::{Events, Found};
use features::{as_list, features, has, label};
use fixed::fix;
use notes::{files, nulls_note};
use table::{only, with_differences};
use vectors::Comparison;

/// The most places for which the page has every eps. Beyond, its clusters are those of one.
const EVERY_EPS: usize = 20_000;

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

    let found_time = time(&input, report.time_column);
    let (time_type, time) = match &found_time {
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
