//! The flags of the subcommands.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(super) enum Tool {
    // clap takes their help from their arguments.
    Sample(SampleArgs),
    Demo(DemoArgs),
    Report(Box<ReportArgs>),
    Hunt(HuntArgs),
    Import(ImportArgs),
    Verify(VerifyArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Writes the manual page of dbcluster, or of one of its subcommands.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster man > dbcluster.1
  dbcluster man hunt > dbcluster-hunt.1"
)]
pub(crate) struct ManArgs {
    /// The subcommand
    #[arg(value_name = "SUBCOMMAND")]
    pub(super) about: Option<String>,
}

/// Writes a script that lets a shell complete the arguments of dbcluster.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster completions bash > ~/.local/share/bash-completion/completions/dbcluster
  dbcluster completions zsh > ~/.zfunc/_dbcluster
  dbcluster completions fish > ~/.config/fish/completions/dbcluster.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "bash|zsh|fish", hide_possible_values = true)]
    pub(super) shell: Shell,
}

/// A shell that completes arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Writes synthetic Windows events as Parquet, with planted anomalies and the truth about them.
///
/// DIR receives processes.parquet (event 4688), logons.parquet (4624, a tenth as many) and
/// `process_tree.parquet` (one session of at most 200 processes). The columns `is_anomaly` and
/// `anomaly_kind` say which rows were planted, so that a result can be checked. The same rows, seed
/// and files give the same bytes on every machine.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster sample --rows 20000 --out sample
  dbcluster sample --rows 100000000 --files 16 --seed 7 --out big"
)]
pub(crate) struct SampleArgs {
    /// The number of process events
    #[arg(long, value_name = "N", default_value = "20000", value_parser = parse_count)]
    pub(crate) rows: u64,

    /// Another seed gives other events
    #[arg(long, value_name = "S", default_value = "1")]
    pub(crate) seed: u64,

    /// The folder to write to, made if it is missing
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Splits the process events into files: DIR/processes.parquet/part-00000.parquet and so on
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) files: NonZeroUsize,

    /// Overwrites files that are there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// Generates events and analyses them step by step: each query, its result, and what it means.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// The number of process events to generate
    #[arg(long, value_name = "N", default_value = "20000", value_parser = parse_count)]
    pub(crate) rows: u64,

    /// Leaves the generated events in this folder, to go on with them in the shell
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// Clusters a table and writes one page: the finding, when it happened, what to read first, patterns, and what hides in them.
///
/// Logs of processes, of logons and of `CloudTrail`, and plain lines of text, need no more than their name. For others
/// say which features to cluster on, and what to call a row. The page has a slider for every other eps.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster report --table 'logs/*.parquet' --out report.html
  dbcluster report --table cloudtrail/ --out cloudtrail.html
  dbcluster report --table logons.csv --features 'string_score(Account) AS account, LogonType' --label Account \\
                   --eps 0.001 --out logons.html
  dbcluster report --table security.csv --redact Account,Computer --out shared.html"
)]
pub(crate) struct ReportArgs {
    /// The same as --table
    #[arg(value_name = "TABLE", conflicts_with = "table")]
    pub(super) source: Option<String>,

    /// A file, a pattern of files, or a query in brackets: '(SELECT ...)'
    #[arg(short = 'T', long, value_name = "TABLE", default_value = "", hide_default_value = true)]
    pub(crate) table: String,

    /// The features: a list of expressions, of which the first two numbers are the axes of the map
    /// [default: by the columns, for processes `cmdline_tokens`, `path_score` and `is_system_session`]
    #[arg(long, value_name = "LIST")]
    pub(crate) features: Option<String>,

    /// The name of a row: a column or an expression [default: by the columns, for processes `process_name(...)`]
    #[arg(long, value_name = "EXPR")]
    pub(crate) label: Option<String>,

    /// The largest distance of neighbours, in scaled units; auto takes the last one before clusters chain into one
    #[arg(long, value_name = "DISTANCE", default_value = "auto", value_parser = parse_eps)]
    pub(crate) eps: ReportEps,

    /// The number of events that makes a neighbourhood dense, so that a cluster grows from it
    #[arg(long, value_name = "N", default_value = "2")]
    pub(crate) min_samples: u64,

    /// NULL features: an error, read as zero, or skipped (such events take no part and are listed apart).
    /// The default features read NULL as empty text
    #[arg(long, value_name = "error|zero|skip", default_value = "error", hide_possible_values = true,
          value_parser = ["error", "zero", "skip"])]
    pub(crate) nulls: String,

    /// The change of the features before distances are taken: l2, none, zscore, minmax or robust
    /// [default: l2, and none for tables of an unknown kind]
    #[arg(long, value_name = "SCALING", hide_possible_values = true,
          value_parser = ["l2", "none", "zscore", "minmax", "robust"])]
    pub(crate) scaling: Option<String>,

    /// The distance: euclidean, manhattan or chebyshev [default: euclidean]
    #[arg(long, value_name = "METRIC", hide_possible_values = true,
          value_parser = ["euclidean", "manhattan", "chebyshev"])]
    pub(crate) metric: Option<String>,

    /// Factors of the scaled features, one for each
    #[arg(long, value_name = "NUMBER,...", value_delimiter = ',', allow_negative_numbers = true)]
    pub(crate) weights: Vec<f64>,

    /// Events that differ in these never meet: columns or expressions, each with a flag of its own
    #[arg(long, value_name = "EXPR")]
    pub(crate) partition_by: Vec<String>,

    /// The time of an event: a column or an expression [default: the first column of a type of times]
    #[arg(long, value_name = "EXPR")]
    pub(crate) time_column: Option<String>,

    /// Replaces the values of these columns by pseudonyms, wherever they stand on the page
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) redact: Vec<String>,

    /// A secret that the pseudonyms depend on, so that nobody else can check a guess
    #[arg(long, value_name = "TEXT", requires = "redact")]
    pub(crate) redact_key: Option<String>,

    /// The headline
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,

    /// Overwrites a page that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// Ranks the events of logs, and tells those to read first with the reasons.
///
/// Logs of processes, of logons, of web requests and of AWS, and plain lines of text, need no more than their name. Events that differ only in numbers, GUIDs,
/// times and addresses are one row. On a terminal the first 20 are shown; --out writes all as a page, and --format csv, json or
/// ndjson for other programs. For logs of other kinds there is hunt(...) in SQL.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster hunt logs/
  dbcluster hunt security.csv --out hunt.html
  dbcluster hunt --watch mimikatz --watch 203.0.113.7 'sysmon/*.parquet'
  dbcluster hunt --format ndjson --rows 50 --alert 12 logs/ > found.ndjson

Exit codes: those of dbcluster, and 3 if --alert was given and something scores as much."
)]
pub(crate) struct HuntArgs {
    /// Files, folders, patterns of files, or a query in brackets: '(SELECT ...)'
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<String>,

    /// The number of rows [default: 20 on a terminal, all in other formats]
    #[arg(long, value_name = "N|inf", value_parser = parse_rows, allow_negative_numbers = true)]
    pub(crate) rows: Option<Rows>,

    /// Raises what has this text, in any case: in the command line, the path or the parent; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) watch: Vec<String>,

    /// Ends with exit code 3 if anything scores this much or more
    #[arg(long, value_name = "SCORE", value_parser = parse_score, allow_negative_numbers = true)]
    pub(crate) alert: Option<f64>,

    /// The headline of the page
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// Writes a page of all rows, at most 10,000
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Overwrites a page that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// A number of rows, of which there may be no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rows(pub(crate) usize);

fn parse_rows(text: &str) -> Result<Rows, String> {
    if matches!(text, "inf" | "all") {
        return Ok(Rows(usize::MAX));
    }
    text.parse().map(Rows).map_err(|_| "expected a whole number, or inf".to_string())
}

fn parse_score(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(score) if f64::is_finite(score) => Ok(score),
        _ => Err("expected a number".to_string()),
    }
}

/// Reads log files of any format, and writes their rows as one Parquet file, or into an archive.
///
/// Parquet is read faster than text, by every program that knows Parquet, and by a cluster. Several paths are put together by the names
/// of their columns. If the name behind --out ends in .parquet, that file is written. Any other name is that of an archive: a folder with
/// the rows of each day in a folder of its own, which grows with each import. A file whose content is in the archive is not read again.
#[derive(Debug, Clone, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  dbcluster import logs/ --out logs.parquet
  dbcluster import logs/ --out archive
  dbcluster import --shape process sysmon/ security.evtx --out processes
  dbcluster import --time-zone Europe/Berlin security.csv --out security.parquet"
)]
pub(crate) struct ImportArgs {
    /// Files, folders or patterns of files
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<String>,

    /// The file to write, which ends in .parquet, or the folder of an archive
    #[arg(short, long, value_name = "FILE|FOLDER")]
    pub(crate) out: PathBuf,

    /// Keeps process creations or logons alone, with the names that Windows uses for their columns
    #[arg(long, value_name = "process|logon")]
    pub(crate) shape: Option<Shape>,

    /// Imports files that have changed since they were imported into the archive, with all of their rows
    #[arg(long)]
    pub(crate) again: bool,

    /// Overwrites a file that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// The kind of events that an import keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    Process,
    Logon,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Logon => "logon",
        }
    }

    /// The table function that gives events this shape.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Process => "process_events",
            Self::Logon => "logon_events",
        }
    }
}

/// Says whether an archive is whole: its files are there, with the bytes and the rows that the imports wrote, and no others.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The folder of the archive
    #[arg(value_name = "FOLDER")]
    pub(crate) archive: PathBuf,
}

/// The eps of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ReportEps {
    /// The last one before clusters chain.
    Auto,
    Given(f64),
}

fn parse_eps(text: &str) -> Result<ReportEps, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(ReportEps::Auto);
    }
    match text.parse() {
        Ok(eps) if f64::is_finite(eps) && eps > 0.0 => Ok(ReportEps::Given(eps)),
        _ => Err("expected a number above 0, or auto".to_string()),
    }
}

/// Reads a number of rows: `20000`, `20_000`, `1e6`, `5m`.
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    let expected = || format!("'{text}' is no number of rows: expected something like 20000, 1e6 or 5m");
    let lower = text.trim().replace('_', "").to_ascii_lowercase();
    let (number, scale) = match lower.strip_suffix(['k', 'm', 'g']) {
        Some(number) if lower.ends_with('k') => (number, 1e3),
        Some(number) if lower.ends_with('m') => (number, 1e6),
        Some(number) => (number, 1e9),
        None => (lower.as_str(), 1.0),
    };
    let rows = number.parse::<f64>().map_err(|_| expected())? * scale;
    if rows.fract() == 0.0 && (1.0..=1e12).contains(&rows) { Ok(rows as u64) } else { Err(expected()) }
}
