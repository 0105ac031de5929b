//! The interactive loop: reads a line, runs it, shows errors, goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};
use tokio::runtime::Runtime;

use super::completion::ShellHelper;
use super::execute::{Origin, Runner};
use super::failure::Failure;
use super::{complain, output, unless};

const PROMPT: &str = "dbcluster> ";

/// Statements remembered from one session to the next.
const HISTORY_LENGTH: usize = 10_000;

/// Runs the shell until `\q` or Ctrl-D.
pub(super) fn run(runtime: &Runtime, runner: &mut Runner, quiet: bool) -> Result<(), Failure> {
    let mut editor = editor(runtime, runner).map_err(|error| terminal_failure(&error))?;
    let history = open_history(&mut editor);
    runner.confirms = true;
    if !quiet {
        output::write(format!(
            "dbcluster {}: SQL that clusters events. \\? for help, \\q to quit.\n",
            env!("CARGO_PKG_VERSION")
        ))?;
    }
    loop {
        if let Some(helper) = editor.helper_mut() {
            helper.refresh(runtime, &runner.ctx);
        }
        let line = match editor.readline(PROMPT) {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => line,
            // Ctrl-C has cleared the line; a signal is the window's new size
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(terminal_failure(&error)),
        };
        remember(&mut editor, history.as_deref(), line.trim());
        match run_until_interrupt(runtime, runner, &line) {
            Some(Ok(flow)) if flow.is_break() => return Ok(()),
            Some(Ok(_)) => {}
            Some(Err(failure @ (Failure::OutputClosed | Failure::Interrupted))) => return Err(failure),
            Some(Err(Failure::Message(message) | Failure::Placed(message))) => {
                complain(&format!("error: {message}"));
            }
            None => complain("cancelled"),
        }
    }
}

/// Runs what was typed; none when Ctrl-C came first. The query has then been dropped, and given time to stop.
fn run_until_interrupt(
    runtime: &Runtime,
    runner: &mut Runner,
    line: &str,
) -> Option<Result<std::ops::ControlFlow<()>, Failure>> {
    let interrupt = async {
        // where there is no signal to wait for, there is none to come
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    // tasks that outlive a query are connections of object stores
    let tasks_before = runtime.metrics().num_alive_tasks();
    let outcome = unless(runtime, tasks_before, interrupt, runner.run_script(line, Origin::Prompt));
    if outcome.is_none() {
        runner.forget_includes();
    }
    outcome
}

fn editor(runtime: &Runtime, runner: &Runner) -> rustyline::Result<Editor<ShellHelper, FileHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY_LENGTH)?
        .history_ignore_space(true)
        .completion_type(rustyline::CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    if !runner.print.color {
        editor.set_color_mode(rustyline::ColorMode::Disabled);
    }
    editor.set_helper(Some(ShellHelper::new(runtime.handle().clone(), &runner.ctx, runner.print.color)));
    Ok(editor)
}

fn terminal_failure(error: &ReadlineError) -> Failure {
    match error {
        ReadlineError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        error => Failure::new(format!("the terminal failed: {error}")),
    }
}

/// Loads the history. Without a folder for it, the session has one of its own and says so.
fn open_history(editor: &mut Editor<ShellHelper, FileHistory>) -> Option<PathBuf> {
    let no_history = |reason: &str| complain(&format!("warning: no history: {reason}"));
    let Some(path) = history_path(dirs::state_dir(), dirs::data_local_dir()) else {
        no_history("this user has no folder for it");
        return None;
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    if let Err(error) = fs::create_dir_all(folder) {
        no_history(&format!("{}: {error}", folder.display()));
        return None;
    }
    match editor.load_history(&path) {
        Ok(()) => Some(path),
        Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Some(path),
        Err(error) => {
            no_history(&format!("{}: {error}", path.display()));
            None
        }
    }
}

/// Where the history lies: the user's state folder (`XDG_STATE_HOME`), or where the platform has no such thing, the
/// folder for local data.
fn history_path(state: Option<PathBuf>, data: Option<PathBuf>) -> Option<PathBuf> {
    Some(state.or(data)?.join("datafusion-dbcluster").join("history"))
}

/// Adds a line to the history and its file, at once: a killed shell forgets nothing.
fn remember(editor: &mut Editor<ShellHelper, FileHistory>, path: Option<&Path>, line: &str) {
    let added = editor.add_history_entry(line);
    if let (Ok(true), Some(path)) = (added, path)
        && let Err(error) = editor.append_history(path)
    {
        complain(&format!("warning: history not saved: {}: {error}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_lies_in_a_folder_of_the_user() {
        let state = || Some(PathBuf::from("/home/me/.local/state"));
        let data = || Some(PathBuf::from("/home/me/.local/share"));
        let expected = Path::new("/home/me/.local/state/datafusion-dbcluster/history");
        assert_eq!(history_path(state(), data()).as_deref(), Some(expected));
        let fallback = Path::new("/home/me/.local/share/datafusion-dbcluster/history");
        assert_eq!(history_path(None, data()).as_deref(), Some(fallback));
        assert_eq!(history_path(None, None), None);
    }
}
