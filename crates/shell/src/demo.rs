//! `dbcluster demo`: the analysis of a notebook from start to end, on generated events.
//!
//! The queries and the prose are the numbered scripts of `sql/`, run here as they are; only the folder of the tables is
//! another one. The summary at the end is made from the results.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::config::Dialect;
use indicatif::HumanCount;
use tempfile::TempDir;

use super::args::{DemoArgs, SampleArgs};
use super::failure::Failure;
use super::output;
use super::program::Program;
use super::report::{self, Report};
use super::runner::Runner;
use super::sample::{self, Workers};
use super::statements::{Piece, Script};
use super::tables::{self, LineBreaks};
use dbcluster_terminal::{complain, printable};

/// The steps, in order. Each is a script.
const STEPS: [(&str, &str); 8] = [
    ("01_features.sql", include_str!("../../../sql/01_features.sql")),
    ("02_cluster_processes.sql", include_str!("../../../sql/02_cluster_processes.sql")),
    ("03_sizes_per_process.sql", include_str!("../../../sql/03_sizes_per_process.sql")),
    ("04_drill_into_one_name.sql", include_str!("../../../sql/04_drill_into_one_name.sql")),
    ("05_members_of_a_cluster.sql", include_str!("../../../sql/05_members_of_a_cluster.sql")),
    ("06_cluster_logons.sql", include_str!("../../../sql/06_cluster_logons.sql")),
    ("07_counts_per_account_and_type.sql", include_str!("../../../sql/07_counts_per_account_and_type.sql")),
    ("15_what_to_read_first.sql", include_str!("../../../sql/15_what_to_read_first.sql")),
];

/// The steps whose results are in the summary.
const PROCESSES: usize = 1;
const LOGONS: usize = 5;

const TRUTH: (&str, &str) =
    ("check_against_the_truth.sql", include_str!("../../../sql/check_against_the_truth.sql"));

/// The step that finds planted events which the others hide.
const WITHIN_PROGRAMS: (&str, &str) =
    ("check_within_programs.sql", include_str!("../../../sql/check_within_programs.sql"));

/// The step that tells where the hunt has put the planted events.
const READ_FIRST: (&str, &str) =
    ("check_what_is_read_first.sql", include_str!("../../../sql/check_what_is_read_first.sql"));

/// The folder of the tables, as the scripts write it.
const TABLES: &str = "'sample/";

/// The demo shows this many rows of each result.
const ROWS_SHOWN: usize = 15;

/// The summary shows this many odd events.
const ODDITIES: usize = 5;

/// Runs the subcommand.
pub(super) fn run(
    program: &Program,
    runner: &Runner,
    args: &DemoArgs,
    threads: usize,
) -> Result<(), Failure> {
    let folder = Folder::new(args.keep.as_deref())?;
    let sample = SampleArgs {
        rows: args.rows,
        seed: 1,
        out: folder.path.clone(),
        files: NonZeroUsize::MIN,
        force: false,
    };
    let generated = program.run_here("", |signals| {
        sample::generate(&sample, Workers { threads, stopped: &|| signals.first().is_some() })
    })?;
    output::say(format!(
        "{} process events, {} logons and one process tree of a made-up company, with {} odd events planted among \
         them.\nThe tables stand for any log: {}\n",
        HumanCount(args.rows),
        HumanCount(generated.logons),
        generated.planted,
        folder.path.join("processes.parquet").display(),
    ))?;

    let mut results = Vec::new();
    for (name, script) in STEPS {
        results.push(step(program, runner, &folder.path, name, script)?);
    }
    let truth = step(program, runner, &folder.path, TRUTH.0, TRUTH.1)?;
    let within_programs = if column_sum(&truth, "hidden")? > 0 {
        Some(step(program, runner, &folder.path, WITHIN_PROGRAMS.0, WITHIN_PROGRAMS.1)?)
    } else {
        None
    };
    let read_first = step(program, runner, &folder.path, READ_FIRST.0, READ_FIRST.1)?;
    let truth =
        Truth { clusters: &truth, within_programs: within_programs.as_ref(), read_first: &read_first };
    summary(args.rows, generated.logons, &results[PROCESSES], &results[LOGONS], &truth)?;
    report(program, runner, &folder.path, args.keep.as_deref())?;
    match &args.keep {
        Some(keep) => output::say(format!(
            "\nThe events are in {}: SELECT * FROM '{}' LIMIT 5;\n",
            keep.display(),
            keep.join("processes.parquet").display()
        )),
        None => output::say(format!(
            "\nTo go on from here: dbcluster sample --rows {} --out sample, then dbcluster hunt sample/processes.parquet, or \
             dbcluster alone, a shell in which the queries above read these events.\n",
            args.rows
        )),
    }
}

/// Writes the report of the events: beside them if they are kept, else in the current folder, or among temporary files.
fn report(program: &Program, runner: &Runner, folder: &Path, keep: Option<&Path>) -> Result<(), Failure> {
    let table = folder.join("processes.parquet").display().to_string();
    let report =
        Report { title: Some("Clustered process events of a made-up company"), ..Report::of(&table) };
    let name = "dbcluster-demo.html";
    let out = keep.map_or_else(|| PathBuf::from(name), |keep| keep.join(name));
    let (page, _) = report::page(program, &runner.ctx, &report)?;
    let out = match report::write(&page, &out) {
        Ok(()) => out,
        // The demo goes on in a folder that can't be written to.
        Err(Failure::Message(why)) if keep.is_none() => {
            output::say(format!("\nThe page can't be here ({why}), so it is among temporary files.\n"))?;
            let out = std::env::temp_dir().join(name);
            report::write(&page, &out)?;
            out
        }
        Err(failure) => return Err(failure),
    };
    // A terminal makes links of whole paths only.
    let out = fs::canonicalize(&out).unwrap_or(out);
    output::say(format!("\nAll of it as a page, to be opened in a browser: {}\n", out.display()))
}

/// Shows a script's prose, its query and the first rows of its result; returns the whole result.
fn step(
    program: &Program,
    runner: &Runner,
    folder: &Path,
    name: &str,
    script: &str,
) -> Result<RecordBatch, Failure> {
    let (prose, query) = parts(script).ok_or_else(|| Failure::new(format!("{name} has no query")))?;
    output::say(format!("\n{}\n\n{prose}\n\n{query};\n\n", rule(name)))?;
    // SQL doubles a quote in a string.
    let here = format!("'{}/", folder.display().to_string().replace('\'', "''"));
    let query = query.replace(TABLES, &here);
    let result = program.run(&query, collect(runner, &query)).map_err(|failure| failure.at(name))?;
    let rows = result.num_rows();
    let shown = result.slice(0, rows.min(ROWS_SHOWN));
    let format = runner.ctx.state_ref().read().config_options().format.clone();
    output::write(tables::whole(
        &result.schema(),
        &[shown],
        rows > ROWS_SHOWN,
        LineBreaks::Escaped,
        &format,
    )?)?;
    if rows > ROWS_SHOWN {
        output::say(format!("{ROWS_SHOWN} of {} rows\n", HumanCount(rows as u64)))?;
    }
    output::flush()?;
    Ok(result)
}

async fn collect(runner: &Runner, query: &str) -> Result<RecordBatch, Failure> {
    let frame = runner.ctx.sql(query).await?;
    let schema = std::sync::Arc::clone(frame.schema().inner());
    let batches = frame.collect().await?;
    Ok(concat_batches(&schema, &batches).map_err(datafusion::common::DataFusionError::from)?)
}

/// A script's comment as prose, and its query.
fn parts(script: &str) -> Option<(String, &str)> {
    let Some(Piece::Statement { statement, .. }) = Script::new(script).next(Dialect::Generic) else {
        return None;
    };
    let before = usize::try_from(statement.line).unwrap_or(1) - 1;
    let prose: Vec<&str> =
        script.lines().take(before).filter_map(|line| line.strip_prefix("--")).map(str::trim).collect();
    Some((prose.join("\n").trim().to_string(), statement.text))
}

/// `── 02_cluster_processes.sql ─────`
fn rule(name: &str) -> String {
    format!("── {name} {}", "─".repeat(96_usize.saturating_sub(name.len())))
}

/// Where the planted events are: in the clusters, in those within programs, and among what is read first.
struct Truth<'a> {
    clusters: &'a RecordBatch,
    within_programs: Option<&'a RecordBatch>,
    read_first: &'a RecordBatch,
}

/// Tells the results in words.
fn summary(
    events: u64,
    logons: u64,
    processes: &RecordBatch,
    logon_rows: &RecordBatch,
    &Truth { clusters: truth, within_programs, read_first }: &Truth,
) -> Result<(), Failure> {
    let rows = processes.num_rows() as u64;
    let clusters = column_true(processes, "clustered")?;
    let [planted, alone, small, hidden] =
        ["planted", "alone", "in_small_clusters", "hidden"].map(|name| column_sum(truth, name));
    let (planted, alone, small, hidden) = (planted?, alone?, small?, hidden?);
    let apart = rows - clusters;
    let logons_apart = logon_rows.num_rows() as u64 - column_true(logon_rows, "clustered")?;
    let mut lines = vec![
        format!("\n{}\n", rule("What was found")),
        format!(
            "{} process events became {} rows, {} of what there was to read: {} clusters, and {} events like no other.",
            HumanCount(events),
            HumanCount(rows),
            percent(rows, events),
            HumanCount(clusters),
            HumanCount(apart),
        ),
        format!(
            "{} logons became {} rows, {} of them events like no other.",
            HumanCount(logons),
            HumanCount(logon_rows.num_rows() as u64),
            HumanCount(logons_apart),
        ),
    ];
    if planted > 0 {
        lines.push(format!(
            "\nOf {planted} planted processes, {alone} stand alone and {small} in clusters of at most ten events."
        ));
        if let Some(within_programs) = within_programs {
            let still_hidden = column_sum(within_programs, "hidden")?;
            lines.push(format!(
                "{hidden} cannot be seen ({}): to these features, that looks ordinary.\n\
                 Compared only with events of the same program (partition_by, as above), {} of them can.",
                hidden_kinds(truth)?,
                hidden - still_hidden
            ));
        }
        lines.push(format!(
            "Of the {} events that stand alone, {alone} were planted. The others are the rarities of everyday work:\n\
             clustering finds what is rare, and somebody has to judge what is bad, but in {} rows instead of {}.",
            HumanCount(apart),
            HumanCount(rows),
            HumanCount(events),
        ));
        lines.push(read_first_in_words(read_first)?);
    }
    lines.push("\nThe oddest processes, by the delimiters of their command lines:".to_string());
    lines.extend(oddities(processes)?);
    lines.push(String::new());
    output::say(lines.join("\n"))
}

/// Tells how many of the planted events the hunt has put first, and which kinds it has not.
fn read_first_in_words(read_first: &RecordBatch) -> Result<String, Failure> {
    let [planted, in_20, in_50] =
        ["planted", "in_first_20", "in_first_50"].map(|name| column_sum(read_first, name));
    let (planted, in_20, in_50) = (planted?, in_20?, in_50?);
    let words = format!(
        "\nThe hunt, which knows none of this, has {in_20} of the {planted} in its first 20 rows and {in_50} in its first 50."
    );
    if in_50 == planted {
        return Ok(words);
    }
    let kinds = column(read_first, "anomaly_kind", &DataType::Utf8)?;
    let places = column(read_first, "last_place", &DataType::Int64)?;
    let (kinds, places) = (kinds.as_string::<i32>(), places.as_primitive::<Int64Type>());
    let later: Vec<String> = (0..read_first.num_rows())
        .filter(|row| places.value(*row) > 50)
        .map(|row| format!("{} (down to row {})", kinds.value(row), places.value(row)))
        .collect();
    Ok(format!(
        "{words}\nFurther down: {}. Nothing in the form of such a command, or in who started it, is unusual enough.",
        later.join(", ")
    ))
}

/// `1.2 %`
fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// The kinds of anomalies of which some are hidden.
fn hidden_kinds(truth: &RecordBatch) -> Result<String, Failure> {
    let kinds = column(truth, "anomaly_kind", &DataType::Utf8)?;
    let hidden = column(truth, "hidden", &DataType::Int64)?;
    let hidden = hidden.as_primitive::<Int64Type>();
    let kinds = kinds.as_string::<i32>();
    let names: Vec<&str> =
        (0..truth.num_rows()).filter(|row| hidden.value(*row) > 0).map(|row| kinds.value(row)).collect();
    Ok(names.join(", "))
}

/// The first rows that stand alone. The query sorts the oddest first.
fn oddities(processes: &RecordBatch) -> Result<Vec<String>, Failure> {
    let names = column(processes, "process", &DataType::Utf8)?;
    let lines = column(processes, "command_line", &DataType::Utf8)?;
    let (names, lines) = (names.as_string::<i32>(), lines.as_string::<i32>());
    let alone = column(processes, "clustered", &DataType::Boolean)?;
    let alone = alone.as_boolean();
    Ok((0..processes.num_rows())
        .take_while(|row| !alone.value(*row))
        .take(ODDITIES)
        .map(|row| format!("  {:<16} {}", printable(names.value(row)), printable(lines.value(row))))
        .collect())
}

/// A column of a result, as a type.
fn column(batch: &RecordBatch, name: &str, data_type: &DataType) -> Result<arrow::array::ArrayRef, Failure> {
    let column =
        batch.column_by_name(name).ok_or_else(|| Failure::new(format!("the result has no column {name}")))?;
    Ok(cast(column, data_type).map_err(datafusion::common::DataFusionError::from)?)
}

fn column_true(batch: &RecordBatch, name: &str) -> Result<u64, Failure> {
    Ok(column(batch, name, &DataType::Boolean)?.as_boolean().true_count() as u64)
}

fn column_sum(batch: &RecordBatch, name: &str) -> Result<i64, Failure> {
    Ok(column(batch, name, &DataType::Int64)?.as_primitive::<Int64Type>().iter().flatten().sum())
}

/// The folder of the events: one that the user wants to keep, or a temporary one that goes with this value.
struct Folder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Folder {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        if let Some(keep) = keep {
            return Ok(Self { path: keep.to_path_buf(), temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("dbcluster-demo-")
            .tempdir()
            .map_err(|error| Failure::new(format!("no folder for the events can be made: {error}")))?;
        Ok(Self { path: temporary.path().to_path_buf(), temporary: Some(temporary) })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.temporary.take().map(TempDir::close) {
            complain(&format!("warning: {} is left behind: {error}", self.path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_prose_and_one_query() {
        for (name, script) in STEPS.into_iter().chain([TRUTH, WITHIN_PROGRAMS, READ_FIRST]) {
            let (prose, query) = parts(script).expect(name);
            assert!(prose.contains(':') && !prose.contains("--"), "{name}: {prose}");
            assert!(query.contains(TABLES), "{name}");
            let mut rest = Script::new(script);
            rest.next(Dialect::Generic);
            assert!(rest.next(Dialect::Generic).is_none(), "{name} has one statement");
        }
    }
}
