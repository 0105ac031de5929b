//! A pager for results that are longer than the screen: `$PAGER`, or `less` where there is one.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::failure::Failure;
use super::output;

/// The pager is looked at in this interval, so that a signal that ends the program ends it, too.
const INTERVAL: Duration = Duration::from_millis(20);

/// `less` without wrapped lines, since tables fit the screen. It ends at once if the text fits the screen after all.
const FOR_TABLES: &str = "less -SRFX";

/// `less` with wrapped lines, which show a long value whole.
const FOR_VALUES: &str = "less -RFX";

/// Shows a text in the pager, or writes it if there is none. The text has no escapes. `is_ending` tells that the program
/// is to end.
pub(super) fn show(text: &str, wraps: bool, is_ending: impl Fn() -> bool) -> Result<(), Failure> {
    let Some(command) = command(wraps) else { return output::write(text) };
    output::flush()?;
    match run(&command, text, is_ending) {
        Ok(()) => Ok(()),
        Err(error) => {
            dbcluster_terminal::complain(&format!(
                "warning: the pager '{command}' failed: {error}; \\pager off does without one"
            ));
            output::write(text)
        }
    }
}

/// The command line of the pager. An empty `PAGER`, or `cat`, is none.
fn command(wraps: bool) -> Option<String> {
    if env::var_os("TERM").is_none_or(|term| term == "dumb") {
        return None;
    }
    match env::var("PAGER") {
        Ok(pager) if pager.trim().is_empty() || pager.trim() == "cat" => None,
        Ok(pager) => Some(pager),
        Err(_) => {
            let paths = env::var_os("PATH")?;
            let has_less = env::split_paths(&paths).any(|folder| folder.join("less").is_file());
            has_less.then(|| if wraps { FOR_VALUES } else { FOR_TABLES }.to_string())
        }
    }
}

/// Runs the pager to its end. Ctrl-C is a key of the pager: the terminal sends it to this program, too, which waits.
fn run(command: &str, text: &str, is_ending: impl Fn() -> bool) -> io::Result<()> {
    let mut shell = Command::new("sh");
    // The text is UTF-8, whatever the locale says.
    shell.args(["-c", command]).env("LESSCHARSET", "utf-8").stdin(Stdio::piped());
    let mut pager = shell.spawn()?;
    let input = pager.stdin.take();
    thread::scope(|scope| {
        scope.spawn(|| {
            // A pager that is left before the end of the text reads no more of it.
            input.map(|mut input| input.write_all(text.as_bytes()))
        });
        loop {
            if let Some(status) = pager.try_wait()? {
                // 127 is the shell's code for a command that it does not find.
                return match status.code() {
                    Some(127) => Err(io::Error::other("there is no such command")),
                    _ => Ok(()),
                };
            }
            if is_ending() {
                pager.kill()?;
            }
            thread::sleep(INTERVAL);
        }
    })
}
