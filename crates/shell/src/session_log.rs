//! `--log-file`: what was run in a session, when, and what came of it.
//!
//! The log is a script: the statements stand as they were given, and the rest is comments. So it can be run again, and shown to those
//! who ask how a finding was found.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

use super::failure::Failure;
use dbcluster_terminal::{complain, printable, printable_lines};

/// An open log.
#[derive(Debug)]
pub(super) struct SessionLog {
    file: File,
    name: String,
}

impl SessionLog {
    /// Opens a log, to write behind what is in it. A new one can be read by its owner alone, since statements name what is looked for.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let name = path.display().to_string();
        match options.open(path) {
            Ok(file) => Ok(Self { file, name }),
            Err(error) => Err(Failure::new(format!("cannot write the log {name}: {error}"))),
        }
    }

    /// Adds a statement, and how it ended: the number of its rows if it has any, or the error.
    pub(super) fn add(&mut self, statement: &str, took: Duration, ended: &Result<Option<usize>, String>) {
        let ended = match ended {
            Ok(Some(rows)) => format!("{rows} rows in {:.3} s", took.as_secs_f64()),
            Ok(None) => format!("done in {:.3} s", took.as_secs_f64()),
            Err(error) => format!("failed: {}", printable(error)),
        };
        let end = if statement.starts_with('\\') { "" } else { ";" };
        let statement = printable_lines(statement.trim_end_matches(';'));
        let time = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("-- {time}\n{statement}{end}\n-- {ended}\n\n");
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            complain(&format!("warning: cannot write the log {}: {error}", self.name));
        }
    }
}
