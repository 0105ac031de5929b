//! The interactive loop: reads a line, runs it, shows errors, goes on.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use super::editing::ShellHelper;
use super::failure::Failure;
use super::output;
use super::panics::caught_here;
use super::program::Program;
use super::runner::Runner;
use super::script::{self, Origin};
use dbcluster_terminal::complain;

const PROMPT: &str = "dbcluster> ";

/// The history keeps this many statements.
const HISTORY_LENGTH: usize = 10_000;

/// Runs the shell until `\q`, Ctrl-D, or a signal that ends it.
pub(super) fn run(program: &Program, runner: &mut Runner, quiet: bool) -> Result<(), Failure> {
    let mut editor = editor(program, runner).map_err(|error| terminal_failure(&error))?;
    let history = open_history(&mut editor);
    let _kept = terminal::KeptOutput::new();
    runner.confirms = true;
    if !quiet {
        output::say(format!(
            "dbcluster {}: SQL that clusters events. \\? for help, \\q to quit.\n",
            env!("CARGO_PKG_VERSION")
        ))?;
    }
    loop {
        if let Some(signal) = program.signals().first() {
            return Err(Failure::Stopped(signal));
        }
        if let Some(helper) = editor.helper_mut() {
            let refreshed = caught_here("", || {
                helper.refresh(program.runtime(), &runner.ctx);
                Ok(())
            });
            if let Err(Failure::Message(message)) = refreshed {
                complain(&format!("warning: completion knows less than it should: {message}"));
            }
        }
        runner.account.hold();
        let line = editor.readline(PROMPT);
        runner.account.release();
        let line = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => line,
            // Ctrl-C has cleared the line. Other signals are a resized window, or the nudge to look at the program's signals.
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            // A terminal that has gone is at its end too.
            Err(ReadlineError::Eof) => {
                return program.signals().first().map_or(Ok(()), |s| Err(Failure::Stopped(s)));
            }
            Err(error) => return Err(terminal_failure(&error)),
        };
        remember(&mut editor, history.as_deref(), line.trim());
        let result = program.run_until(ctrl_c(), "", script::run(runner, &line, Origin::Prompt));
        match result {
            ControlFlow::Continue(Ok(flow)) if flow.is_break() => return Ok(()),
            ControlFlow::Continue(Ok(_)) => {}
            ControlFlow::Continue(Err(failure @ (Failure::OutputClosed | Failure::Stopped(_)))) => {
                return Err(failure);
            }
            ControlFlow::Continue(Err(_)) if runner.account.is_interrupted() => complain("cancelled"),
            ControlFlow::Continue(Err(
                Failure::Message(message) | Failure::Placed(message) | Failure::Alert(message),
            )) => {
                complain(&format!("error: {message}"));
            }
            ControlFlow::Break(()) => complain("cancelled"),
        }
    }
}

#[cfg(unix)]
mod terminal {
    use std::io::stdin;

    use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

    /// While this lives, the terminal keeps at Ctrl-C what was written to it.
    ///
    /// By itself it throws away what it has not shown yet (POSIX, "Special Characters", INTR). Linux wakes a writer that waits for room
    /// before it does so and not after, so a query in the middle of a long answer could then wait for a second key.
    pub(super) struct KeptOutput {
        /// Whether the terminal did so before.
        kept_before: bool,
    }

    impl KeptOutput {
        /// `None` where the input is no terminal.
        pub(super) fn new() -> Option<Self> {
            set(true).map(|kept_before| Self { kept_before })
        }
    }

    impl Drop for KeptOutput {
        fn drop(&mut self) {
            set(self.kept_before);
        }
    }

    /// Returns whether the terminal has kept output so far, if it is one that can be told.
    fn set(keeps: bool) -> Option<bool> {
        let mut settings = tcgetattr(stdin()).ok()?;
        let before = settings.local_flags.contains(LocalFlags::NOFLSH);
        settings.local_flags.set(LocalFlags::NOFLSH, keeps);
        tcsetattr(stdin(), SetArg::TCSANOW, &settings).ok()?;
        Some(before)
    }
}

#[cfg(not(unix))]
mod terminal {
    pub(super) struct KeptOutput;

    impl KeptOutput {
        pub(super) fn new() -> Option<Self> {
            None
        }
    }
}

/// Ends with Ctrl-C, and never where the platform can't wait for it.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn editor(program: &Program, runner: &Runner) -> rustyline::Result<Editor<ShellHelper, FileHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY_LENGTH)?
        .history_ignore_space(true)
        .completion_type(rustyline::CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    if !runner.print.color {
        editor.set_color_mode(rustyline::ColorMode::Disabled);
    }
    editor.set_helper(Some(ShellHelper::new(
        program.runtime().handle().clone(),
        &runner.ctx,
        runner.print.color,
    )));
    Ok(editor)
}

fn terminal_failure(error: &ReadlineError) -> Failure {
    match error {
        ReadlineError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        error => Failure::new(format!("the terminal failed: {error}")),
    }
}

/// Loads the history, and returns the path of its file. Without one, the history ends with the session, and a warning says
/// why.
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

/// The path of the history: in the user's state folder (`XDG_STATE_HOME`), or on a platform without one in the folder for
/// local data.
fn history_path(state: Option<PathBuf>, data: Option<PathBuf>) -> Option<PathBuf> {
    Some(state.or(data)?.join("datafusion-dbcluster").join("history"))
}

/// Adds a line to the history and to its file at once, so that a killed shell forgets nothing.
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
