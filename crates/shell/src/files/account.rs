//! The line on standard error that says what a reading of text has found, and what it left out.
//!
//! ```text
//! read logs/: 3 files, 1,379 rows in 0.4 s; time column TimeCreated (UTC); 2 rejected (SELECT * FROM rejected)
//! ```
//!
//! It names a few examples of each kind, so it stays a line however many files there are. Text of the files is escaped.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion_dbcluster::ReadListener;
use datafusion_dbcluster::logs::{Note, PassedOver, Rejected, Report};
use datafusion_dbcluster::near_miss::excerpt;
use indicatif::HumanCount;

use super::super::progress::PlanWatch;
use super::super::signals::Signals;
use dbcluster_terminal::printable;

/// The number of examples of each kind that the line names.
const EXAMPLES: usize = 3;

/// Readings that took less than this do not say how long.
const SECONDS_SHOWN: f64 = 0.1;

/// Says what was read, unless it is to be quiet, and stops readings when a signal comes.
///
/// The engine calls some planners without `async`. A reading that they wait for is not dropped with the statement, so it asks.
#[derive(Debug)]
pub(crate) struct Account {
    bar: Arc<PlanWatch>,
    signals: Signals,
    is_quiet: AtomicBool,
    /// Whether no statement can follow the one that runs.
    is_last: AtomicBool,
    /// Whether Ctrl-C at the prompt has stopped the statement.
    is_interrupted: AtomicBool,
    /// Lines that wait for the end of the prompt, while it is held.
    held: Mutex<Option<Vec<String>>>,
}

impl Account {
    pub(crate) fn new(bar: &Arc<PlanWatch>, signals: &Signals, is_quiet: bool) -> Arc<Self> {
        Arc::new(Self {
            bar: Arc::clone(bar),
            signals: signals.clone(),
            is_quiet: AtomicBool::new(is_quiet),
            is_last: AtomicBool::new(false),
            is_interrupted: AtomicBool::new(false),
            held: Mutex::default(),
        })
    }

    /// Begins a statement.
    pub(crate) fn begin(&self, is_quiet: bool) {
        self.is_quiet.store(is_quiet, Ordering::Relaxed);
        self.is_interrupted.store(false, Ordering::Relaxed);
    }

    /// Names what was rejected, since no statement will ask for it: the command reads files and ends.
    pub(crate) fn name_rejected(&self) {
        self.is_last.store(true, Ordering::Relaxed);
    }

    /// Stops the readings of the statement that runs.
    pub(crate) fn interrupt(&self) {
        self.is_interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether Ctrl-C has stopped the readings of the statement.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }

    /// Whether a signal has told the program to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.signals.first().is_some()
    }

    /// Keeps lines back while a prompt is on the terminal, where Tab reads the columns of files.
    pub(crate) fn hold(&self) {
        self.held().get_or_insert_default();
    }

    /// Prints the lines that were kept back, and forgets a Ctrl-C of the time before.
    pub(crate) fn release(&self) {
        self.is_interrupted.store(false, Ordering::Relaxed);
        let lines = self.held().take();
        for line in lines.into_iter().flatten() {
            self.bar.say(&line);
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadListener for Account {
    fn has_read(&self, name: &str, report: &Report, passed_over: &[PassedOver], seconds: f64) {
        if self.is_quiet.load(Ordering::Relaxed) {
            return;
        }
        let line = line(name, report, passed_over, seconds, self.is_last.load(Ordering::Relaxed));
        match self.held().as_mut() {
            Some(held) => held.push(line),
            None => self.bar.say(&line),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_interrupted() || self.signals.first().is_some()
    }
}

/// The line about one reading. If a statement is not the last, the next one can ask for what was rejected.
fn line(name: &str, report: &Report, passed_over: &[PassedOver], seconds: f64, is_last: bool) -> String {
    let mut line = format!("read {}: ", excerpt(name));
    let mut found = vec![];
    if report.files != 1 || report.bytes == 0 {
        found.push(counted(report.files as u64, "file"));
    }
    // Files that the engine reads in place are not counted by rows.
    if report.bytes > 0 {
        found.push(counted(report.rows, "row"));
    }
    line.push_str(&found.join(", "));
    if seconds >= SECONDS_SHOWN {
        let _ = write!(line, " in {seconds:.1} s");
    }
    for (zone, columns) in by_zone(&report.times) {
        let columns_of = if columns.len() == 1 { "time column" } else { "time columns" };
        let _ = write!(line, "; {columns_of} {} ({})", few(columns.into_iter()), excerpt(zone));
    }
    if !report.rejected.is_empty() {
        let rejected = HumanCount(report.rejected.len() as u64);
        let examples = if is_last {
            few(report.rejected.iter().map(|rejected| place_and_reason(rejected, report)))
        } else {
            "SELECT * FROM rejected".to_string()
        };
        let _ = write!(line, "; {rejected} rejected ({examples})");
    }
    if !passed_over.is_empty() {
        let files = passed_over.iter().map(|file| format!("{} ({})", excerpt(&file.file), file.reason));
        let _ = write!(line, "; passed over: {}", few(files));
    }
    if !report.notes.is_empty() {
        let notes = once_each(&report.notes);
        let _ = write!(line, "; {}", few(notes.iter().map(|(note, files)| words(note, *files, report))));
    }
    printable(&line).into_owned()
}

/// The place of what was rejected, with its file if there are several, and why.
fn place_and_reason(rejected: &Rejected, report: &Report) -> String {
    let mut place = if report.files > 1 { format!("{} ", excerpt(&rejected.file)) } else { String::new() };
    let _ = write!(place, "line {}", rejected.line);
    if let Some(column) = &rejected.column {
        let _ = write!(place, " column {}", excerpt(column));
    }
    format!("{place}: {}", excerpt(&rejected.reason))
}

/// The notes in their order, each text once, with the number of files that it is about.
fn once_each(notes: &[Note]) -> Vec<(&Note, u64)> {
    let mut places = HashMap::new();
    let mut told: Vec<(&Note, u64)> = vec![];
    for note in notes {
        let place = *places.entry((note.text.as_str(), note.file.is_some())).or_insert(told.len());
        match told.get_mut(place) {
            Some((_, files)) => *files += 1,
            None => told.push((note, 1)),
        }
    }
    told
}

/// A note, with its file or the number of its files if there are several.
fn words(note: &Note, files: u64, report: &Report) -> String {
    let text = excerpt(&note.text);
    match &note.file {
        Some(_) if files > 1 => format!("{}: {text}", counted(files, "file")),
        // The file is the subject of the sentence.
        Some(file) if text.starts_with("is ") => format!("{} {text}", excerpt(file)),
        Some(file) if report.files > 1 => format!("{}: {text}", excerpt(file)),
        _ => text.into_owned(),
    }
}

/// The columns of each zone, in the order in which the zones first occur.
fn by_zone(times: &[(String, String)]) -> Vec<(&str, Vec<String>)> {
    let mut zones: Vec<(&str, Vec<String>)> = vec![];
    for (column, zone) in times {
        let column = excerpt(column).into_owned();
        match zones.iter_mut().find(|(known, _)| known == zone) {
            Some((_, columns)) => columns.push(column),
            None => zones.push((zone, vec![column])),
        }
    }
    zones
}

/// The first texts of a list, and how many more there are.
fn few(texts: impl ExactSizeIterator<Item = String>) -> String {
    let more = texts.len().saturating_sub(EXAMPLES);
    let shown = texts.take(EXAMPLES).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {} more", HumanCount(more as u64)) }
}

fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(file: Option<&str>, text: &str) -> Note {
        Note { file: file.map(String::from), text: text.to_string() }
    }

    #[test]
    fn a_plain_reading_is_a_short_line() {
        let report = Report { files: 1, rows: 3, bytes: 9, ..Report::default() };
        assert_eq!(line("a.csv", &report, &[], 0.01, false), "read a.csv: 3 rows");
        let report = Report { files: 1, rows: 1, bytes: 9, ..Report::default() };
        assert_eq!(line("a.csv", &report, &[], 2.34, false), "read a.csv: 1 row in 2.3 s");
        let passed_over = [PassedOver { file: "x/.a".to_string(), reason: "hidden".to_string() }];
        let report = Report { files: 2, ..Report::default() };
        assert_eq!(
            line("x", &report, &passed_over, 0.0, false),
            "read x: 2 files; passed over: x/.a (hidden)"
        );
    }

    #[test]
    fn everything_that_was_assumed_or_left_out_is_said() {
        let rejected = |line| Rejected {
            file: "logs/a.csv".to_string(),
            line,
            column: None,
            text: "x".to_string(),
            reason: "no".to_string(),
        };
        let time = |column: &str, zone: &str| (column.to_string(), zone.to_string());
        let report = Report {
            files: 3,
            rows: 1379,
            bytes: 9,
            times: vec![time("a", "UTC"), time("b", "Europe/Berlin"), time("c", "UTC")],
            notes: vec![
                note(Some("logs/b.csv"), "2 rows have fewer fields than the header"),
                note(None, "n\n"),
            ],
            rejected: vec![rejected(1), rejected(2)],
        };
        let passed_over =
            |file: &str, reason: &str| PassedOver { file: file.to_string(), reason: reason.to_string() };
        let passed_over = [passed_over("logs/._a.csv", "hidden"), passed_over("logs/x.zip", "a ZIP archive")];
        assert_eq!(
            line("logs/", &report, &passed_over, 0.4, false),
            "read logs/: 3 files, 1,379 rows in 0.4 s; time columns a, c (UTC); time column b (Europe/Berlin); \
             2 rejected (SELECT * FROM rejected); passed over: logs/._a.csv (hidden), logs/x.zip (a ZIP archive); \
             logs/b.csv: 2 rows have fewer fields than the header, n\\u{a}"
        );
        let last = line("logs/", &report, &passed_over, 0.4, true);
        assert!(last.contains("; 2 rejected (logs/a.csv line 1: no, logs/a.csv line 2: no)"), "{last}");
    }

    #[test]
    fn a_note_about_many_files_is_said_once() {
        let notes = vec![
            note(Some("a"), "the records are the objects in \"Records\""),
            note(Some("b"), "the records are the objects in \"Records\""),
            note(Some("c"), "is cut off: its gzip data ends"),
            note(None, "n"),
            note(None, "n"),
        ];
        let report = Report { files: 3, notes, ..Report::default() };
        assert_eq!(
            line("x", &report, &[], 0.0, false),
            "read x: 3 files; 2 files: the records are the objects in \"Records\", c is cut off: its gzip data ends, n"
        );
    }

    #[test]
    fn the_line_is_bounded() {
        let long = "x".repeat(100_000);
        let report = Report {
            files: 2,
            times: vec![(long.clone(), long.clone()); 1000],
            notes: (0..1000).map(|n| note(Some(&long), &format!("{n}{long}"))).collect(),
            rejected: vec![
                Rejected {
                    file: long.clone(),
                    line: 1,
                    column: Some(long.clone()),
                    text: long.clone(),
                    reason: long.clone(),
                };
                1000
            ],
            ..Report::default()
        };
        let passed_over = vec![PassedOver { file: long.clone(), reason: "hidden".to_string() }; 1000];
        let line = line(&long, &report, &passed_over, 0.0, true);
        assert!(line.len() < 5000, "{}", line.len());
        assert!(line.contains("and 997 more"), "{line}");
    }
}
