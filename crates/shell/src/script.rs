//! Runs scripts: the statements and commands of a text, one after the other.
//!
//! A command never runs a script itself. It says what is to run ([`commands::Outcome`]), and the loop here runs it.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use futures::future::{FutureExt, LocalBoxFuture};

use super::commands::{self, Outcome};
use super::failure::Failure;
use super::habits;
use super::output;
use super::panics::caught;
use super::runner::Runner;
use super::statements::{Piece, Script, Statement, decoded};

/// Files include each other to this depth. A file that includes itself ends with an error, and not with the stack.
const DEEPEST_INCLUDE: usize = 16;

/// The origin of a script, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// The prompt: messages need no place.
    Prompt,
    /// A file, standard input or a `-c`, under the name to show.
    Script(&'a str),
}

/// Runs a text up to its end, its first failure, or a `\q`, which is a break.
pub(super) async fn run(
    runner: &mut Runner,
    text: &str,
    origin: Origin<'_>,
) -> Result<ControlFlow<()>, Failure> {
    run_included(runner, text, origin, 0).await
}

/// Runs a text that `includes` files have led to by `\i`.
async fn run_included(
    runner: &mut Runner,
    text: &str,
    origin: Origin<'_>,
    includes: usize,
) -> Result<ControlFlow<()>, Failure> {
    let mut script = Script::new(text);
    let mut number = 0_usize;
    while let Some(piece) = script.next(runner.dialect()) {
        number += 1;
        let (line, kind, result) = match piece {
            Piece::Command { text, line } => {
                (line, "command", caught(text, run_command(runner, text, includes)).await)
            }
            Piece::Statement { statement: Statement { text, line, .. }, .. } if is_habit(text) => {
                (line, "command", caught(text, run_habit(runner, text, includes)).await)
            }
            Piece::Broken { message, line, .. } => {
                (line, "statement", Err(Failure::new(message).with_hint("")))
            }
            Piece::Statement { statement, .. } => {
                let line = statement.line;
                let text = statement.text;
                let started = Instant::now();
                let result = caught(text, runner.run(statement)).await;
                let result = result.map_err(|failure| runner.with_meant(failure, text));
                runner.log_statement(text, started.elapsed(), &result);
                (line, "statement", result.map(|_| ControlFlow::Continue(())))
            }
        };
        let flow = result.map_err(|failure| match origin {
            Origin::Prompt => failure,
            Origin::Script(name) => failure.at(&format!("{name}:{line}: {kind} {number}")),
        })?;
        output::flush()?;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a text that stands where a statement could is a command of this or another shell.
fn is_habit(text: &str) -> bool {
    habits::command(text).is_some() || text.starts_with('.') && habits::elsewhere(text).is_some()
}

async fn run_habit(runner: &mut Runner, text: &str, includes: usize) -> Result<ControlFlow<()>, Failure> {
    match habits::command(text) {
        Some(command) => run_command(runner, &command, includes).await,
        None => Err(Failure::new(habits::elsewhere(text).unwrap_or_default())),
    }
}

/// Runs a command, and what it stands for.
fn run_command<'a>(
    runner: &'a mut Runner,
    line: &'a str,
    includes: usize,
) -> LocalBoxFuture<'a, Result<ControlFlow<()>, Failure>> {
    async move {
        match commands::run(runner, line).await? {
            Outcome::Done => Ok(ControlFlow::Continue(())),
            Outcome::Quit => Ok(ControlFlow::Break(())),
            Outcome::Statement(sql) => run_included(runner, &sql, Origin::Prompt, includes).await,
            Outcome::Include(file) => run_file(runner, &file, includes).await,
        }
    }
    .boxed_local()
}

async fn run_file(runner: &mut Runner, path: &Path, includes: usize) -> Result<ControlFlow<()>, Failure> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| Failure::new(format!("{name}: {error}")))?;
    let text = decoded(bytes).map_err(|message| Failure::new(format!("{name}: {message}")))?;
    if includes == DEEPEST_INCLUDE {
        return Err(Failure::new(format!("{name}: more than {DEEPEST_INCLUDE} files include each other")));
    }
    run_included(runner, &text, Origin::Script(&name), includes + 1).await
}
