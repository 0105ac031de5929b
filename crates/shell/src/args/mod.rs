//! The command line: flags, their help, and the order in which `-c` and `-f` were given.

mod generated;
mod tools;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};

use super::footer::MaxRows;
use super::format::Format;
use super::look::{Expanded, Width};
use super::read_flags::ReadFlags;
use super::syntax::quoted;
use generated::{completions, manual};
use tools::Tool;

pub(super) use tools::{DemoArgs, HuntArgs, ImportArgs, ReportArgs, ReportEps, SampleArgs, VerifyArgs};

const EXAMPLES: &str = "\
Examples:
  dbcluster                                          a shell; \\? lists its commands
  dbcluster sample --rows 20000 --out sample         events to try things on
  dbcluster demo                                     the whole story on generated events
  dbcluster hunt logs/                               the events to read first, with reasons
  dbcluster report --table logs/processes.parquet --out report.html
                                                     clusters, figures and odd events on one page

  dbcluster -c \"SELECT * FROM dbcluster('sample/processes.parquet',
                'cmdline_tokens(CommandLine) AS tokens, path_score(NewProcessName) AS path', 0.0001)\"
                                                     every cluster and every odd event, one row each
  dbcluster -c \"SELECT count(*) FROM 'logs/'\"          a folder of logs, as it is
  cat a.json | dbcluster -c \"SELECT * FROM '/dev/stdin'\"
                                                     a log from standard input
  dbcluster import logs/ --out logs.parquet          a folder of logs as one Parquet file
  dbcluster --format csv -f collapse.sql > odd.csv   a script, for the next program
  dbcluster -f tables.sql -c 'SELECT count(*) FROM events'
                                                     in the order given, in one session
  echo 'SELECT 1' | dbcluster                        SQL from standard input

Identifiers keep their case, so SELECT CommandLine needs no quotes.
SET datafusion.sql_parser.enable_ident_normalization = true brings SQL's habit back.

Exit codes: 0 all well (also when the reader of a pipe has gone), 1 a statement failed, 2 wrong usage, 3 an alert of a hunt, 128 and
its number after a signal: 130 Ctrl-C, 143 SIGTERM.";

/// Clusters event logs in SQL: similar events become one row, odd ones stay visible.
///
/// Without -c, -f or a subcommand, reads SQL from the terminal, or from standard input when that is a
/// file or a pipe. Files are tables: SELECT * FROM 'logs/' (CSV, JSON, Zeek, IIS, auditd, lines, EVTX, also compressed;
/// Parquet, Avro, Arrow; local, s3://, gs://, https://).
#[derive(Debug, Parser)]
#[command(name = "dbcluster", version, after_help = EXAMPLES, verbatim_doc_comment)]
struct Cli {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    subcommand: Option<Tool>,
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// Runs these statements, then ends; may be given several times
    #[arg(short, long, value_name = "SQL")]
    command: Vec<String>,

    /// Runs the statements (and \ commands) of this file, then ends; - is standard input
    ///
    /// May be given several times. The first failing statement ends the run.
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,

    #[command(flatten)]
    session: SessionArgs,
}

/// The options of the shell and of the batch modes, and of no subcommand.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SessionArgs {
    /// Writes results to this file, in the format that its ending says or --format; it appears when all has ended well
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Shows each value on a line of its own, whole; auto: where a table would not show all
    #[arg(short = 'x', long, value_name = "on|off|auto", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", hide_possible_values = true)]
    pub(super) expanded: Option<Expanded>,

    /// The width of tables: auto is that of the terminal, and inf where there is none
    #[arg(long, value_name = "N|auto|inf")]
    pub(super) width: Option<Width>,

    /// Sets a variable: --set day=2026-01-15 makes $day the text '2026-01-15'; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub(super) set: Vec<(String, String)>,

    /// The zone in which tables show times that know theirs, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(super) show_zone: Option<String>,

    /// Runs this file first, in place of ~/.dbclusterrc, which the shell runs and batch modes do not
    #[arg(long, value_name = "FILE", conflicts_with = "no_init")]
    pub(super) init: Option<PathBuf>,

    /// Leaves out ~/.dbclusterrc
    #[arg(long)]
    pub(super) no_init: bool,

    /// Appends each statement to this file, with its time and what came of it, as a script that can be run again
    #[arg(long, value_name = "FILE")]
    pub(super) log_file: Option<PathBuf>,
}

impl SessionArgs {
    /// Whether any of them is given that would be without an effect.
    fn is_given(&self) -> bool {
        self.output.is_some()
            || self.expanded.is_some()
            || self.width.is_some()
            || !self.set.is_empty()
            || self.show_zone.is_some()
            || self.init.is_some()
            || self.log_file.is_some()
    }
}

/// Reads a variable, `name=value`.
fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((super::variables::checked(name)?, value.to_string()))
}

/// The options of a whole run, whatever its input.
#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    /// The format of results; all but table and box are complete and without a footer
    ///
    /// table and box fit the terminal, and name below what they do not show; on a pipe they have any width. They show control characters
    /// as codes, such as \u{1b}. csv and tsv have lists, structs and maps as JSON text. parquet needs --output.
    #[arg(long, global = true, default_value = "table", value_parser = PossibleValuesParser::new(Format::possible_values())
        .map(|name| Format::of(&name).unwrap_or(Format::Table)))]
    pub(super) format: Format,

    /// The number of rows that a table shows, or inf [default: 40 on a terminal, else inf]
    #[arg(long, value_name = "N|inf")]
    pub(super) maxrows: Option<MaxRows>,

    /// Prints results only: no banner, no footer, no progress bar, no line about files that were read
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,

    /// Memory for queries, such as 512m or 2g; sorts and groupings beyond it go to disk [default: no limit]
    #[arg(short, long, global = true, value_name = "SIZE", value_parser = parse_size, env = "DBCLUSTER_MEMORY_LIMIT")]
    pub(super) memory_limit: Option<usize>,

    /// Disk space for data beyond the memory limit, such as 20g [default: 100g]
    #[arg(short, long, global = true, value_name = "SIZE", value_parser = parse_size, env = "DBCLUSTER_DISK_LIMIT")]
    pub(super) disk_limit: Option<usize>,

    /// Runs queries on the cluster of this scheduler, such as `df://localhost:50050`
    #[cfg(feature = "ballista")]
    #[arg(long, global = true, value_name = "URL", env = "DBCLUSTER_CLUSTER")]
    pub(super) cluster: Option<String>,

    /// Threads that a query may use [default: one per core]
    #[arg(short, long, global = true, value_name = "N", env = "DBCLUSTER_THREADS")]
    pub(super) threads: Option<NonZeroUsize>,

    /// Keeps views and external tables in this file, a script: those in it are there from the start
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) catalog: Option<PathBuf>,

    #[command(flatten)]
    pub(super) reading: ReadFlags,
}

impl Options {
    /// The options of a run whose work is done on this machine, cluster or not.
    pub(super) fn on_this_machine(&self) -> Self {
        Self {
            #[cfg(feature = "ballista")]
            cluster: None,
            ..self.clone()
        }
    }
}

/// An input of a run: SQL, and its source.
#[derive(Debug, PartialEq)]
pub(super) enum Input {
    /// One `-c`, with its ordinal when there are several.
    Command { sql: String, ordinal: Option<usize> },
    /// One `-f`.
    File(PathBuf),
    /// `-f -`, or no source at all while standard input is not a terminal.
    Stdin,
}

/// The task that the command line asks for.
#[derive(Debug)]
pub(super) enum Task {
    /// Inputs to run in order.
    Batch(Vec<Input>),
    /// Neither input nor subcommand: the shell, or a batch from standard input.
    Shell,
    Sample(SampleArgs),
    Demo(DemoArgs),
    Report(Box<ReportArgs>),
    Hunt(HuntArgs),
    Import(ImportArgs),
    Verify(VerifyArgs),
    /// Writes this text: a script of completions, or the manual page.
    Write(Vec<u8>),
}

/// Reads the command line. The error has its text, its stream and its exit code (0 for help and version).
pub(super) fn parse(
    args: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<(Task, Options, SessionArgs), clap::Error> {
    let mut command = Cli::command();
    let args: Vec<std::ffi::OsString> = args.into_iter().collect();
    let matches = command.try_get_matches_from_mut(&args).map_err(|error| meant(&mut command, error))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    #[cfg(not(feature = "ballista"))]
    if std::env::var_os("DBCLUSTER_CLUSTER").is_some_and(|url| !url.is_empty()) {
        return Err(command.error(ErrorKind::InvalidValue, NO_CLUSTER));
    }
    let session = cli.source.session.clone();
    let inputs = in_order(&matches, cli.source);
    let told = |message: &str| Cli::command().error(ErrorKind::ArgumentConflict, message);
    if cli.subcommand.is_some()
        && matches!(cli.options.format, Format::Box | Format::Markdown | Format::Parquet)
    {
        return Err(told("the format of a subcommand is table, csv, tsv, json or nd-json"));
    }
    if cli.options.format == Format::Parquet && session.output.is_none() {
        return Err(told("Parquet is a file: say which with --output FILE"));
    }
    let task = match cli.subcommand {
        Some(_) if !inputs.is_empty() => {
            return Err(
                command.error(ErrorKind::ArgumentConflict, "-c and -f cannot be used with a subcommand")
            );
        }
        Some(_) if session.is_given() => {
            return Err(command.error(
                ErrorKind::ArgumentConflict,
                "--output, --expanded, --width, --set, --show-zone, --init and --log-file are for statements, and not for a subcommand",
            ));
        }
        Some(Tool::Sample(args)) => Task::Sample(args),
        Some(Tool::Demo(args)) => Task::Demo(args),
        Some(Tool::Report(mut args)) => {
            args.table = args.source.take().unwrap_or(args.table);
            if args.table.is_empty() {
                return Err(command.error(
                    ErrorKind::MissingRequiredArgument,
                    "a report needs a table: dbcluster report --table 'logs/' --out report.html",
                ));
            }
            Task::Report(args)
        }
        Some(Tool::Hunt(args)) => Task::Hunt(args),
        Some(Tool::Import(args)) => Task::Import(args),
        Some(Tool::Verify(args)) => Task::Verify(args),
        Some(Tool::Completions(args)) => Task::Write(completions(args.shell)),
        Some(Tool::Man(args)) => Task::Write(manual(args.about.as_deref())?),
        None if inputs.is_empty() => Task::Shell,
        None => Task::Batch(inputs),
    };
    Ok((task, cli.options, session))
}

/// The message of a program without the client of a cluster.
#[cfg(not(feature = "ballista"))]
const NO_CLUSTER: &str = "this program was built without the client of a cluster: build it with the feature ballista, or unset DBCLUSTER_CLUSTER \
                          and leave out --cluster";

/// Says what to type if the name of a subcommand is a file or a query.
fn meant(command: &mut clap::Command, error: clap::Error) -> clap::Error {
    #[cfg(not(feature = "ballista"))]
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && argument.starts_with("--cluster")
    {
        return command.error(ErrorKind::UnknownArgument, NO_CLUSTER);
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let first = word.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let advice = if word.contains(' ')
        && ["select", "with", "from", "describe", "show", "explain"].contains(&first.as_str())
    {
        "a query stands behind -c: dbcluster -c \"SELECT ...\"".to_string()
    } else if std::path::Path::new(word).exists() || word.contains(['/', '*']) {
        let file = quoted(word);
        format!(
            "a file is named in a query, dbcluster -c \"SELECT * FROM {file} LIMIT 10\", or behind the name of a subcommand, dbcluster hunt {file}"
        )
    } else {
        return error;
    };
    command.error(ErrorKind::InvalidSubcommand, format!("there is no subcommand '{word}'; {advice}"))
}

/// Puts the inputs into the order in which they were given: `-f tables.sql -c 'SELECT ...' -f more.sql` runs as written.
fn in_order(matches: &ArgMatches, source: SourceArgs) -> Vec<Input> {
    let many = source.command.len() > 1;
    let commands = source
        .command
        .into_iter()
        .enumerate()
        .map(|(at, sql)| Input::Command { sql, ordinal: many.then_some(at + 1) });
    let files = source.file.into_iter().map(|path| match path.as_os_str().to_str() {
        Some("-") => Input::Stdin,
        _ => Input::File(path),
    });
    let places = |id: &str| matches.indices_of(id).into_iter().flatten();
    let mut inputs: Vec<(usize, Input)> =
        places("command").zip(commands).chain(places("file").zip(files)).collect();
    inputs.sort_by_key(|(place, _)| *place);
    inputs.into_iter().map(|(_, input)| input).collect()
}

/// Reads a number of bytes: `1000`, `512k`, `1.5g`, `2GB`, `4GiB`; the units are powers of 1024.
///
/// DataFusion's `SessionContext::parse_capacity_limit` takes `512M` alone: no plain bytes, no `512m`, `GB` or `T`. It reads
/// 99999999G as the greatest number that there is, and its errors name a setting instead of the units.
fn parse_size(text: &str) -> Result<usize, String> {
    let expected = || format!("'{text}' is no size: expected a number with k, m, g or t, such as 512m or 2g");
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let number: f64 = number.parse().map_err(|_| expected())?;
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(expected()),
    };
    let bytes = number * (1_u64 << shift) as f64;
    if bytes < 1.0 {
        return Err(format!("'{text}' is less than one byte"));
    }
    if bytes >= isize::MAX as f64 {
        return Err(format!("'{text}' is more than this machine can address"));
    }
    Ok(bytes as usize)
}

#[cfg(test)]
mod tests {
    use super::tools::parse_count;
    use super::*;

    fn parse_line(line: &[&str]) -> Result<(Task, Options, SessionArgs), clap::Error> {
        parse(std::iter::once("dbcluster").chain(line.iter().copied()).map(Into::into))
    }

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn inputs_keep_their_order() {
        let (task, ..) = parse_line(&["-f", "a.sql", "-c", "SELECT 1", "-f", "-", "--command=SELECT 2"])
            .expect("a valid command line");
        let Task::Batch(inputs) = task else { panic!("expected a batch, got {task:?}") };
        assert_eq!(
            inputs,
            [
                Input::File("a.sql".into()),
                Input::Command { sql: "SELECT 1".into(), ordinal: Some(1) },
                Input::Stdin,
                Input::Command { sql: "SELECT 2".into(), ordinal: Some(2) },
            ]
        );
    }

    #[test]
    fn options_follow_a_subcommand() {
        let (task, options, _) = parse_line(&["demo", "--rows", "5k", "--threads", "3", "-m", "1g"])
            .expect("a valid command line");
        assert!(matches!(task, Task::Demo(DemoArgs { rows: 5000, .. })));
        assert_eq!(options.threads.map(NonZeroUsize::get), Some(3));
        assert_eq!(options.memory_limit, Some(1 << 30));
    }

    #[test]
    fn wrong_usage_exits_with_2() {
        for line in [
            &["--format", "xml"][..],
            &["--format", "parquet"],
            &["--format", "box", "demo"],
            &["--width", "wide"],
            &["--set", "1day=x"],
            &["--init", "a", "--no-init"],
            &["--memory-limit", "lots"],
            &["--threads", "0"],
            &["--no-such-flag"],
            &["-c", "SELECT 1", "demo"],
            &["sample", "--rows", "0", "--out", "x"],
            &["sample"],
        ] {
            assert_eq!(parse_line(line).expect_err("wrong usage").exit_code(), 2, "{line:?}");
        }
        assert_eq!(parse_line(&["--help"]).expect_err("help is no task").exit_code(), 0);
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1", 1),
            ("512m", 512 << 20),
            ("1.5G", 3 << 29),
            ("2GiB", 2 << 30),
            ("64kb", 64 << 10),
            ("1t", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "m", "0", "-1g", "1x", "1e9", "1.2.3m", "99999999t", "0.1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts() {
        for (text, rows) in [("20000", 20_000), ("20_000", 20_000), ("1e6", 1_000_000), ("5m", 5_000_000)] {
            assert_eq!(parse_count(text), Ok(rows), "{text}");
        }
        for text in ["", "0", "-5", "1.5", "many", "inf", "nan", "1e99"] {
            assert!(parse_count(text).is_err(), "{text}");
        }
    }
}
