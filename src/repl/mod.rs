//! The `dbcluster` program: a SQL shell, its batch modes, a generator of sample events, and a demo.
//!
//! Printing of footers, highlighting, object stores and their profiling are datafusion-cli's. The loop around
//! them is ours, because a script needs what datafusion-cli's does not promise: statements cut by the tokenizer, the
//! first failure ending the run with exit code 1 and its place on standard error, output of any size in constant
//! memory, a closed pipe that is no error, and a history that does not lie in the current folder.
//!
//! | module | task |
//! |---|---|
//! | `args` | the command line |
//! | `context`, `memory` | the session: engine options, our functions, the pool of `--memory-limit` |
//! | `statements` | text to statements |
//! | `execute` | a statement to its printed result |
//! | `output` | formats |
//! | `progress`, `stage` | the bar of a statement that takes long, and what it tells |
//! | `commands`, `documentation` | the backslash commands, and `\h` |
//! | `prompt`, `completion` | the interactive loop |
//! | `plot` | `\plot` |
//! | `sample`, `demo`, `report` | the subcommands |
//! | `files` | tables that are files, and errors that name them |
//! | `program`, `signals` | threads, and what ends their work early |
//! | `failure`, `panics` | errors in words |

mod args;
mod commands;
mod completion;
mod context;
mod demo;
mod documentation;
mod execute;
mod failure;
mod files;
mod hint;
mod memory;
mod output;
mod panics;
#[cfg(feature = "plot")]
mod plot;
mod program;
mod progress;
mod prompt;
#[cfg(feature = "plot")]
mod report;
mod sample;
mod signals;
mod stage;
mod statements;

use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::{env, fs};

use datafusion_cli::object_storage::instrumented::InstrumentedObjectStoreRegistry;
use datafusion_cli::object_storage::is_stdin_location;
use datafusion_cli::print_options::PrintOptions;

use args::{Input, Options, Task};
use execute::{Origin, Runner};
use failure::Failure;
use program::Program;
use progress::PlanWatch;

/// What is logged unless `RUST_LOG` says otherwise. Ballista logs the errors that it returns, which are told anyway.
const LOG: &str = "error,ballista_core=off";

/// Runs the program with the arguments of this process. Every exit code is decided here: 0 all well, 1 a failure, 2 (from
/// the command line's own error) wrong usage, and 128 and its number after a signal. Panics of the process print nothing from
/// here on.
pub fn main() -> ExitCode {
    // A second logger, of a host that calls us, is no reason to stop
    let _ = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG)).try_init();
    panics::install();
    let (task, options) = match args::parse(env::args_os()) {
        Ok(parsed) => parsed,
        Err(error) => {
            return match error.print() {
                // help that nobody got; of an error, the exit code tells enough
                Err(failed) if error.exit_code() == 0 && failed.kind() != io::ErrorKind::BrokenPipe => {
                    complain(&format!("dbcluster: cannot write the output: {failed}"));
                    ExitCode::FAILURE
                }
                _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
            };
        }
    };
    match panics::caught_here("", || run(task, &options)) {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Message(message) | Failure::Placed(message)) => {
            complain(&format!("dbcluster: {message}"));
            ExitCode::FAILURE
        }
        Err(Failure::Stopped(signal)) => {
            complain(&format!("dbcluster: {signal}, and what was at work cancelled"));
            ExitCode::from(signal.exit_code())
        }
    }
}

/// Writes to standard error; if nobody reads it, nobody is told.
fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

fn run(task: Task, options: &Options) -> Result<(), Failure> {
    match task {
        Task::Sample(args) => {
            let program = Program::start(1, false)?;
            let result = program.run_here("", |signals| sample::run(&args, threads(options), signals));
            program.end();
            result
        }
        Task::Demo(args) => with_runner(options, false, false, |program, runner| {
            demo::run(program, runner, &args, threads(options))
        }),
        #[cfg(feature = "plot")]
        Task::Report(args) => {
            with_runner(options, false, false, |program, runner| report::run(program, runner, &args))
        }
        Task::Shell if io::stdin().is_terminal() => {
            with_runner(options, true, true, |program, runner| prompt::run(program, runner, options.quiet))
        }
        Task::Shell => run_batch(options, vec![Input::Stdin]),
        Task::Batch(inputs) => run_batch(options, inputs),
    }
}

/// Runs the inputs one after the other, up to the first failure or `\q`.
fn run_batch(options: &Options, inputs: Vec<Input>) -> Result<(), Failure> {
    let reads_stdin = |input: &Input| match input {
        Input::Stdin => true,
        Input::File(path) => path.to_str().is_some_and(is_stdin_location),
        Input::Command { .. } => false,
    };
    let stdin_is_sql = inputs.iter().any(reads_stdin);
    // All of them are read before the first runs: a misspelt second file must not leave half of the work done
    let scripts: Vec<(String, String)> = inputs.into_iter().map(read).collect::<Result<_, _>>()?;
    with_runner(options, stdin_is_sql, false, |program, runner| {
        program.run("", async {
            for (name, text) in &scripts {
                if runner.run_script(text, Origin::Script(name)).await? == ControlFlow::Break(()) {
                    break;
                }
            }
            Ok(())
        })
    })
}

/// The name of an input, for messages, and its text.
fn read(input: Input) -> Result<(String, String), Failure> {
    match input {
        Input::Command { sql, ordinal: None } => Ok(("-c".to_string(), sql)),
        Input::Command { sql, ordinal: Some(ordinal) } => Ok((format!("-c #{ordinal}"), sql)),
        Input::File(path) => {
            let name = path.display().to_string();
            match fs::read_to_string(&path) {
                Ok(text) => Ok((name, text)),
                Err(error) => Err(Failure::new(error.to_string()).at(&name)),
            }
        }
        Input::Stdin => {
            let mut text = String::new();
            match io::stdin().lock().read_to_string(&mut text) {
                Ok(_) => Ok(("standard input".to_string(), text)),
                Err(error) => Err(Failure::new(error.to_string()).at("standard input")),
            }
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
    let program = Program::start(threads(options), at_prompt)?;
    let result = runner(&program, options, stdin_is_sql).and_then(|mut runner| work(&program, &mut runner));
    program.end();
    result
}

fn runner(program: &Program, options: &Options, stdin_is_sql: bool) -> Result<Runner, Failure> {
    let stores = Arc::new(InstrumentedObjectStoreRegistry::new());
    let planner = Arc::new(PlanWatch::default());
    let session = async { Ok(context::session(options, &stores, &planner, stdin_is_sql).await?) };
    let ctx = program.run("", session)?;
    let print = PrintOptions {
        format: options.format,
        quiet: options.quiet,
        maxrows: options.maxrows,
        color: io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none(),
        instrumented_registry: stores,
    };
    Ok(Runner::new(ctx, print, planner))
}

fn threads(options: &Options) -> usize {
    options.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}
