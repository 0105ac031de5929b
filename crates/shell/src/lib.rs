//! The `dbcluster` program: a SQL shell, its batch modes, a generator of sample events, and a demo.
//!
//! A script needs more than a prompt promises: statements cut by the tokenizer, the first failure ending the run with
//! exit code 1 and its place on standard error, output of any size in constant memory, a closed pipe that is no error,
//! and a history that does not lie in the current folder.
//!
//! | module | task |
//! |---|---|
//! | `args`, `read_flags` | the command line; its flags of reading files, which are settings |
//! | `context`, `memory` | the session: engine options, our functions, the pool of `--memory-limit` |
//! | `statements` | cuts text into statements and commands |
//! | `script` | runs the statements and commands of a text, one after the other |
//! | `commands`, `documentation`, `topics`, `plot` | the backslash commands; `\h`, for functions and for topics; `\plot` |
//! | `runner`, `advice` | runs one statement, from its tokens to its printed result; what to do about one that tells little |
//! | `syntax`, `rewrite` | its syntax tree, and what is changed in it before it is planned |
//! | `object_stores` | where the files of a URL are: S3, Google Cloud Storage, web servers; standard input |
//! | `printing`, `headers`, `footer` | a result while it comes; the names of its columns; the lines below it |
//! | `format`, `output`, `target` | the formats of results; those for programs, and standard output; a file for results |
//! | `look`, `tables`, `zone`, `pager` | how tables look: their width and columns, the zone of times, what is longer than the screen |
//! | `startup`, `variables`, `session_log` | what a session begins with: its start file, its variables, its log |
//! | `catalog_file` | the file that keeps views and external tables |
//! | `mapped` | the columns that `process_events` has taken for its own |
//! | `habits`, `summarize` | words that other shells know: `exit`, `.tables`, `SUMMARIZE x` |
//! | `progress`, `stage` | the bar of a statement that takes long, and the stage of its query |
//! | `prompt`, `editing`, `highlight`, `completion` | the interactive loop; the line editor's helper; colours; what Tab offers |
//! | `sample`, `demo`, `report`, `hunt`, `import`, `archive` | the subcommands; `archive` has `verify`, and `import` into a folder |
//! | `hunt_defaults` | how a hunt ranks, if it isn't told |
//! | `files`, `parquet_metadata` | tables that are files, and errors that name them; what a Parquet file says of itself |
//! | `program`, `signals`, `open_files` | threads, the signals that end their work early, and the limit on open files |
//! | `failure`, `rewording`, `panics` | the words of errors: ours, the engine's, those of panics |
//! | `hint`, `misread`, `meant` | advice about common mistakes, about what can't be parsed, and names that were meant |
//! | `depth` | a limit on nested expressions, which would end the stack |

mod advice;
mod archive;
mod args;
mod catalog_file;
mod commands;
mod completion;
mod context;
mod demo;
mod depth;
mod documentation;
mod editing;
mod endings;
mod failure;
mod files;
mod footer;
mod format;
mod habits;
mod headers;
mod highlight;
mod hint;
mod hunt;
mod hunt_defaults;
mod import;
mod look;
mod mapped;
mod meant;
mod memory;
mod misread;
mod object_stores;
mod open_files;
mod output;
mod pager;
mod panics;
mod parquet_metadata;
mod plot;
mod printing;
mod program;
mod progress;
mod prompt;
mod read_flags;
mod report;
mod rewording;
mod rewrite;
mod runner;
mod sample;
mod script;
mod session_log;
mod signals;
mod stage;
mod startup;
mod statements;
mod summarize;
mod syntax;
mod tables;
mod target;
mod topics;
mod variables;
mod zone;

use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{self, JoinHandle, available_parallelism};
use std::time::Duration;
use std::{env, fs};

use console::Term;

use args::{Input, Options, SessionArgs, Task};
use catalog_file::CatalogFile;
use failure::Failure;
use files::Account;
use footer::{MaxRows, PrintOptions};
use look::Look;
use object_stores::is_standard_input;
use program::{Program, REST};
use progress::PlanWatch;
use runner::Runner;
use script::Origin;
use statements::decoded;

use dbcluster_terminal::{complain, printable_lines};

/// The log level unless `RUST_LOG` says otherwise. Ballista logs the errors that it returns, which the shell prints anyway.
const LOG: &str = "error,ballista_core=off";

/// Runs the program with the arguments of this process. Every exit code is decided here: 0 all well, 1 a failure, 2 (from
/// the command line's own error) wrong usage, and 128 and its number after a signal. Panics of the process print nothing from
/// here on.
pub fn main() -> ExitCode {
    // A host that calls this function may have a logger already.
    let _ = logger().try_init();
    panics::install();
    open_files::allow_many();
    // The thread that a program starts with has the stack that its shell allows.
    let thread = thread::Builder::new().name("dbcluster".to_string()).stack_size(depth::STACK);
    match thread.spawn(work).map(JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => {
            complain("dbcluster: the work was given up after a fault");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("dbcluster: cannot start a thread: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a hunt that has found what it was to tell.
const ALERT: u8 = 3;

fn work() -> ExitCode {
    let (task, options, session) = match args::parse(env::args_os()) {
        Ok(parsed) => parsed,
        Err(error) => return dbcluster_terminal::answer("dbcluster", &error),
    };
    match panics::caught_here("", || run(task, &options, &session)).and_then(|()| output::flush()) {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Message(message) | Failure::Placed(message)) => {
            complain(&format!("dbcluster: {message}"));
            ExitCode::FAILURE
        }
        Err(Failure::Alert(message)) => {
            complain(&format!("dbcluster: {message}"));
            ExitCode::from(ALERT)
        }
        Err(Failure::Stopped(signal)) => {
            complain(&format!("dbcluster: {signal}, and what was at work cancelled"));
            ExitCode::from(signal.exit_code())
        }
    }
}

/// The log on standard error. Its messages quote names and values of events, so they are escaped.
fn logger() -> env_logger::Builder {
    let mut logger = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG));
    logger.format(|out, record| {
        let (time, style) = (out.timestamp(), out.default_level_style(record.level()));
        let message = record.args().to_string();
        let (level, target, message) = (record.level(), record.target(), printable_lines(&message));
        writeln!(out, "[{time} {style}{level:<5}{style:#} {target}] {message}")
    });
    logger
}

fn run(task: Task, options: &Options, session: &SessionArgs) -> Result<(), Failure> {
    match task {
        Task::Sample(args) => {
            let program = Program::start(1, false, REST)?;
            let result = program.run_here("", |signals| sample::run(&args, threads(options), signals));
            program.end();
            result
        }
        Task::Demo(args) => with_runner(options, false, false, |program, runner| {
            demo::run(program, runner, &args, threads(options))
        }),
        Task::Report(args) => {
            with_runner(options, false, false, |program, runner| report::run(program, runner, &args))
        }
        Task::Hunt(args) => {
            with_runner(options, false, false, |program, runner| hunt::run(program, runner, &args))
        }
        Task::Import(args) => {
            let options = options.on_this_machine();
            with_runner(&options, false, false, |program, runner| import::run(program, runner, &args))
        }
        Task::Verify(args) => {
            let program = Program::start(1, false, REST)?;
            let result = program.run_here("", |signals| archive::verify(&args, signals));
            program.end();
            result
        }
        Task::Write(text) => output::write(text),
        Task::Shell if io::stdin().is_terminal() => {
            let init = startup::file(session, true);
            with_runner(options, true, true, |program, runner| {
                startup::prepare(runner, session)?;
                startup::run(program, runner, init.as_ref())?;
                prompt::run(program, runner, options.quiet)?;
                startup::finish(runner)
            })
        }
        Task::Shell => run_batch(options, session, vec![Input::Stdin]),
        Task::Batch(inputs) => run_batch(options, session, inputs),
    }
}

/// Runs the inputs one after the other, up to the first failure or `\q`.
fn run_batch(options: &Options, session: &SessionArgs, inputs: Vec<Input>) -> Result<(), Failure> {
    let reads_stdin = |input: &Input| match input {
        Input::Stdin => true,
        Input::File(path) => path.to_str().is_some_and(is_standard_input),
        Input::Command { .. } => false,
    };
    let stdin_is_sql = inputs.iter().any(reads_stdin);
    // All of them are read before the first runs: a misspelt second file must not leave half of the work done.
    let scripts: Vec<(String, String)> = inputs.into_iter().map(read).collect::<Result<_, _>>()?;
    let init = startup::file(session, false);
    with_runner(options, stdin_is_sql, false, |program, runner| {
        startup::prepare(runner, session)?;
        startup::run(program, runner, init.as_ref())?;
        program.run("", async {
            for (name, text) in &scripts {
                if script::run(runner, text, Origin::Script(name)).await? == ControlFlow::Break(()) {
                    break;
                }
            }
            Ok(())
        })?;
        startup::finish(runner)
    })
}

/// The name of an input, for messages, and its text.
fn read(input: Input) -> Result<(String, String), Failure> {
    match input {
        Input::Command { sql, ordinal: None } => Ok(("-c".to_string(), sql)),
        Input::Command { sql, ordinal: Some(ordinal) } => Ok((format!("-c #{ordinal}"), sql)),
        Input::File(path) => {
            let name = path.display().to_string();
            let bytes = fs::read(&path).map_err(|error| Failure::new(error.to_string()).at(&name))?;
            Ok((name.clone(), decoded(bytes).map_err(|message| Failure::new(message).at(&name))?))
        }
        Input::Stdin => {
            let name = "standard input";
            let mut bytes = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::new(error.to_string()).at(name))?;
            Ok((name.to_string(), decoded(bytes).map_err(|message| Failure::new(message).at(name))?))
        }
    }
}

/// Starts the program and makes its session, and takes them down again.
fn with_runner(
    options: &Options,
    stdin_is_sql: bool,
    at_prompt: bool,
    work: impl FnOnce(&Program, &mut Runner) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let program = Program::start(threads(options), at_prompt, rest(options))?;
    let result =
        runner(&program, options, stdin_is_sql, at_prompt).and_then(|mut runner| work(&program, &mut runner));
    program.end();
    result
}

/// The time that dropped work has to come to rest. A query on a cluster goes on there until its scheduler has been told.
#[cfg(feature = "ballista")]
fn rest(options: &Options) -> Duration {
    if options.cluster.is_some() { dbcluster_ballista::CANCEL_PATIENCE } else { REST }
}

#[cfg(not(feature = "ballista"))]
fn rest(_: &Options) -> Duration {
    REST
}

fn runner(
    program: &Program,
    options: &Options,
    stdin_is_sql: bool,
    at_prompt: bool,
) -> Result<Runner, Failure> {
    let planner = Arc::new(PlanWatch::default());
    let account = Account::new(&planner, program.signals(), options.quiet);
    if at_prompt {
        let account = Arc::clone(&account);
        program.runtime().spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                account.interrupt();
            }
        });
    }
    let session = async { Ok(context::session(options, &planner, &account, stdin_is_sql).await?) };
    let ctx = program.run("", session)?;
    // Whoever reads a pipe does not see that rows are missing.
    let maxrows = if Term::stdout().is_term() { MaxRows::Limited(40) } else { MaxRows::Unlimited };
    let print = PrintOptions {
        quiet: options.quiet,
        maxrows: options.maxrows.unwrap_or(maxrows),
        color: Term::stdout().features().colors_supported(),
    };
    let look = Look::new(options.format);
    let mut runner = Runner::new(ctx, print, look, planner, account);
    if let Some(path) = &options.catalog {
        runner.catalog = Some(program.run("", CatalogFile::load(&mut runner, path))?);
    }
    Ok(runner)
}

fn threads(options: &Options) -> usize {
    options.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}
