//! The beginning and the end of a session: what the command line says of it, its start file, its log, its file for results.
//!
//! The shell runs `~/.dbclusterrc` first, as other shells run theirs. Batch modes do not: a script gives the same results whoever
//! runs it. `--init FILE` names another file, for both.

use std::fs;
use std::path::PathBuf;

use super::args::SessionArgs;
use super::failure::Failure;
use super::output;
use super::program::Program;
use super::runner::Runner;
use super::script::{self, Origin};
use super::session_log::SessionLog;
use super::statements::decoded;
use super::target::Target;
use super::zone;
use dbcluster_terminal::complain;

/// The start file in the user's folder.
const START_FILE: &str = ".dbclusterrc";

/// A file of statements that run before all others.
pub(super) struct StartFile {
    path: PathBuf,
    /// Whether the command line names it. Otherwise it may be missing, and its errors end nothing.
    is_asked_for: bool,
}

/// The start file of this session, if it has one.
pub(super) fn file(session: &SessionArgs, at_prompt: bool) -> Option<StartFile> {
    match &session.init {
        Some(path) => Some(StartFile { path: path.clone(), is_asked_for: true }),
        None if at_prompt && !session.no_init => {
            let path = dirs::home_dir()?.join(START_FILE);
            path.exists().then_some(StartFile { path, is_asked_for: false })
        }
        None => None,
    }
}

/// Sets what the command line says of the session.
pub(super) fn prepare(runner: &mut Runner, session: &SessionArgs) -> Result<(), Failure> {
    if let Some(path) = &session.log_file {
        runner.log = Some(SessionLog::open(path)?);
    }
    if let Some(path) = &session.output {
        let target = Target::open(path, runner.look.format)?;
        runner.send_to(Some(target))?;
    }
    if let Some(zone) = &session.show_zone {
        runner.look.zone = Some(zone::checked(zone).map_err(Failure::new)?);
    }
    runner.look.expanded = session.expanded.unwrap_or(runner.look.expanded);
    runner.look.width = session.width.unwrap_or(runner.look.width);
    runner.variables.extend(session.set.iter().cloned());
    Ok(())
}

/// Runs the start file.
pub(super) fn run(program: &Program, runner: &mut Runner, file: Option<&StartFile>) -> Result<(), Failure> {
    let Some(StartFile { path, is_asked_for }) = file else { return Ok(()) };
    let name = path.display().to_string();
    // The statements of the file run in each session anyway.
    let catalog = runner.catalog.take();
    let run = fs::read(path)
        .map_err(|error| Failure::new(error.to_string()).at(&name))
        .and_then(|bytes| decoded(bytes).map_err(|message| Failure::new(message).at(&name)))
        .and_then(|text| program.run("", script::run(runner, &text, Origin::Script(&name))));
    runner.catalog = runner.catalog.take().or(catalog);
    match run {
        Err(Failure::Message(message) | Failure::Placed(message)) if !is_asked_for => {
            complain(&format!(
                "warning: {message}; the rest of the file is left out, and so is all of it with --no-init"
            ));
            Ok(())
        }
        run => run.map(|_| ()),
    }
}

/// Closes the file for results, which takes its name now.
pub(super) fn finish(runner: &mut Runner) -> Result<(), Failure> {
    if let Some(closed) = runner.send_to(None)?
        && runner.confirms
        && !runner.print.quiet
    {
        output::say(format!("{closed}\n"))?;
    }
    Ok(())
}
