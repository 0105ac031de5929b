//! Completion: the texts that Tab offers.
//!
//! Names come from the session: functions, tables, their columns, and the columns of the files that the line
//! names. Inside quotes the place decides: a file name follows FROM, an expression goes on in `dbcluster('events', 'cmd|`.

mod keywords;
mod names;
mod offers;
mod place;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use rustyline::completion::{FilenameCompleter, Pair};
use tokio::runtime::{Handle, Runtime};

use self::keywords::KEYWORDS;
use self::names::{Names, column_names};
use self::place::{Place, is_one_of, previous_word};
use super::commands::COMMANDS;
use super::panics::caught;
use super::statements::dialect;
use datafusion_dbcluster::{ClusterOption, reference};

/// Tab looks for the columns of a file for this long.
const PATIENCE: Duration = Duration::from_millis(500);

/// A table follows these words.
const BEFORE_TABLES: [&str; 8] = ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "SUMMARIZE", "UPDATE", "VIEW"];

/// The columns of a file or table that is not in the catalog, if there is one.
type ColumnLookup = Box<dyn Fn(&str) -> Option<Vec<String>>>;

/// The completion of one shell.
pub(super) struct Completion {
    dialect: Dialect,
    files: FilenameCompleter,
    names: Names,
    columns_of_file: ColumnLookup,
    /// The columns of the files named so far; none for a name that turned out to be no file.
    seen_files: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl Completion {
    pub(super) fn new(handle: Handle, ctx: &SessionContext) -> Self {
        let ctx = ctx.clone();
        let lookup = move |name: &str| {
            let find = ctx.table_provider(TableReference::bare(name));
            let find = async { tokio::time::timeout(PATIENCE, find).await };
            // A file that its reader panics on has no columns to offer. The statement will tell why.
            let found = handle.block_on(caught("", async { Ok(find.await) }));
            found.ok()?.ok()?.ok().map(|table| column_names(table.as_ref()))
        };
        Self {
            dialect: Dialect::Generic,
            files: FilenameCompleter::new(),
            names: Names::default(),
            columns_of_file: Box::new(lookup),
            seen_files: RefCell::default(),
        }
    }

    /// Takes over what the last statement has changed.
    pub(super) fn refresh(&mut self, runtime: &Runtime, ctx: &SessionContext) {
        self.dialect = ctx.state_ref().read().config_options().sql_parser.dialect;
        self.names = Names::of(runtime, ctx);
        self.seen_files.borrow_mut().retain(|_, columns| columns.is_some());
    }

    /// The start of the text that is completed, and the candidates to take its place.
    pub(super) fn candidates(&self, line: &str, pos: usize) -> (usize, Vec<Pair>) {
        let before = &line[..pos];
        let trimmed = before.trim_start();
        if let Some(command) = trimmed.strip_prefix('\\') {
            return self.command_candidates(before, before.len() - trimmed.len(), command);
        }
        self.look_up_files(line);
        match Place::of(before, self.dialect) {
            Place::Comment => (pos, Vec::new()),
            Place::OptionValue { start, option } => {
                let values = offers::values_of_option(option);
                let values = values.iter().map(String::as_str);
                (start, matching(values, &before[start..], |value| format!("{value}'")))
            }
            Place::Setting { start } => {
                let settings = self.names.settings.iter().map(String::as_str);
                (start, matching(settings, &before[start..], |name| format!("{name} = ")))
            }
            Place::StoredAs { start } => {
                let formats = offers::stored_as().into_iter();
                (start, matching(formats, &before[start..], str::to_string))
            }
            Place::FileName { start } => self.file_candidates(before, start),
            Place::TableName { start } => {
                let (file_start, mut found) = self.file_candidates(before, start);
                if file_start == start {
                    let names = self.names.tables.keys().map(String::as_str);
                    found.extend(matching(names, &before[start..], str::to_string));
                }
                (file_start, found)
            }
            Place::QuotedName { start } => {
                let names = self.columns().chain(self.names.tables.keys().cloned()).collect::<BTreeSet<_>>();
                let names = names.iter().map(String::as_str);
                (start, matching(names, &before[start..], |name| format!("{}\"", name.replace('"', "\"\""))))
            }
            Place::Word { start, qualifier: Some(table) } => {
                let columns: BTreeSet<String> = match self.names.tables.get(table) {
                    Some(columns) => columns.iter().cloned().collect(),
                    // The qualifier may be an alias, of any table.
                    None => self.columns().collect(),
                };
                let columns = columns.iter().map(String::as_str);
                (start, matching(columns, &before[start..], |name| self.names.identifier(name)))
            }
            Place::Word { start, qualifier: None } => {
                let word = &before[start..];
                let mut found = self.word_candidates(word, previous_word(&before[..start]));
                if !word.is_empty() && before.to_lowercase().contains("dbcluster") {
                    let options = reference::options().iter().map(ClusterOption::name);
                    found.splice(0..0, matching(options, word, |name| format!("{name} => ")));
                }
                (start, found)
            }
        }
    }

    /// The candidates for a word: columns first, then tables, functions and keywords, the most specific first.
    fn word_candidates(&self, word: &str, previous: Option<&str>) -> Vec<Pair> {
        let tables = self.names.tables.keys().map(String::as_str);
        let call = |name: &str| format!("{name}(");
        let wants_table = previous.is_some_and(|previous| is_one_of(previous, &BEFORE_TABLES));
        if wants_table {
            let mut found = matching(tables, word, |name| self.names.identifier(name));
            found.extend(matching(self.names.table_functions.iter().map(String::as_str), word, call));
            return found;
        }
        if word.is_empty() {
            return Vec::new();
        }
        let columns: BTreeSet<String> = self.columns().collect();
        let mut found =
            matching(columns.iter().map(String::as_str), word, |name| self.names.identifier(name));
        let of_functions = offers::COLUMNS.into_iter().filter(|name| !columns.contains(*name));
        found.extend(matching(of_functions, word, str::to_string));
        found.extend(matching(tables, word, |name| self.names.identifier(name)));
        found.extend(matching(self.names.functions.iter().map(String::as_str), word, call));
        let lower = word.chars().all(|c| !c.is_uppercase());
        found.extend(matching(KEYWORDS.iter().copied(), word, |keyword| {
            if lower { keyword.to_lowercase() } else { keyword.to_string() }
        }));
        found
    }

    /// The candidates for a command itself, or for its argument.
    fn command_candidates(&self, before: &str, start: usize, command: &str) -> (usize, Vec<Pair>) {
        let Some((name, argument)) = command.split_once(' ') else {
            let names: BTreeSet<&str> =
                COMMANDS.iter().filter_map(|(command, _)| command.split_whitespace().next()).collect();
            return (start, matching(names.into_iter(), &before[start..], |name| format!("{name} ")));
        };
        let word_start = before.rfind(' ').map_or(0, |at| at + 1);
        let word = &before[word_start..];
        let words: Vec<&str> = argument.split_whitespace().collect();
        // The word at the cursor is not one of those before it.
        let words = if word.is_empty() {
            words.as_slice()
        } else {
            words.split_last().map_or(&[][..], |(_, rest)| rest)
        };
        if let Some(found) = offers::arguments(name, words) {
            return (word_start, matching(found.into_iter(), word, str::to_string));
        }
        match (name, argument.split_whitespace().next()) {
            ("i" | "o", _) => self.file_candidates(before, start + format!("\\{name} ").len()),
            ("d" | "summarize", Some(file)) if file.starts_with('\'') => {
                let quote = before.find('\'').map_or(before.len(), |at| at + 1);
                self.file_candidates(before, quote)
            }
            ("d" | "summarize", _) => {
                let tables = self.names.tables.keys().map(String::as_str);
                (word_start, matching(tables, word, |name| self.names.identifier(name)))
            }
            ("h", _) => {
                let topics = offers::topics_of_help();
                let known = self.names.functions.iter().chain(&topics).map(String::as_str);
                (word_start, matching(known.collect::<BTreeSet<_>>().into_iter(), word, str::to_string))
            }
            // The file of a figure stands behind its kind.
            ("plot", _) if words.len() == 1 => self.file_candidates(before, word_start),
            _ => (before.len(), Vec::new()),
        }
    }

    /// The files whose path begins with `before[start..]`, as it stands between single quotes.
    fn file_candidates(&self, before: &str, start: usize) -> (usize, Vec<Pair>) {
        // An opening quote tells the completer that spaces need no backslash.
        let quoted = format!("'{}", &before[start..]);
        match self.files.complete_path(&quoted, quoted.len()) {
            Ok((at, found)) => (start + at.saturating_sub(1), found),
            Err(_) => (before.len(), Vec::new()),
        }
    }

    /// The columns of all tables and of the files named so far.
    fn columns(&self) -> impl Iterator<Item = String> {
        let mut columns: Vec<String> = self.names.tables.values().flatten().cloned().collect();
        columns.extend(self.seen_files.borrow().values().flatten().flatten().cloned());
        columns.into_iter()
    }

    /// Looks up the columns of the local files that a line names.
    fn look_up_files(&self, line: &str) {
        let dialect = dialect(self.dialect);
        let mut tokens = Vec::new();
        // An open quote is an error, behind the tokens that are needed here.
        let _ = Tokenizer::new(dialect.as_ref(), line).tokenize_with_location_into_buf(&mut tokens);
        for token in tokens {
            let Token::SingleQuotedString(text) = token.token else { continue };
            let is_file = text.contains(['.', '/']) && !text.contains("://") && !text.contains(['(', '\n']);
            if is_file && !self.seen_files.borrow().contains_key(&text) {
                let columns = (self.columns_of_file)(&text);
                self.seen_files.borrow_mut().insert(text, columns);
            }
        }
    }
}

/// The names that start with a prefix, in any case; each with what would be written for it.
fn matching<'a>(
    names: impl Iterator<Item = &'a str>,
    prefix: &str,
    write: impl Fn(&str) -> String,
) -> Vec<Pair> {
    names
        .filter(|name| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
        .map(|name| {
            let replacement = write(name);
            Pair { display: replacement.trim_end().to_string(), replacement }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> Completion {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
        Completion {
            dialect: Dialect::Generic,
            files: FilenameCompleter::new(),
            names: Names {
                functions: names(&["cmdline_tokens", "count", "dbcluster", "path_score"]),
                table_functions: names(&["dbcluster", "generate_series"]),
                tables: BTreeMap::from([
                    ("events".to_string(), vec!["CommandLine".to_string(), "odd name".to_string()]),
                    ("logons".to_string(), vec!["Account".to_string()]),
                ]),
                settings: names(&["datafusion.execution.time_zone", "datafusion.execution.batch_size"]),
                folds_case: false,
            },
            columns_of_file: Box::new(|file| (file == "a.parquet").then(|| vec!["Computer".to_string()])),
            seen_files: RefCell::default(),
        }
    }

    /// The line after each candidate, with the cursor at `|`.
    fn completed(helper: &Completion, line: &str) -> Vec<String> {
        let pos = line.find('|').expect("a cursor");
        let line = line.replace('|', "");
        let (start, found) = helper.candidates(&line, pos);
        found.iter().map(|pair| format!("{}{}", &line[..start], pair.replacement)).collect()
    }

    #[test]
    fn words_are_completed_by_their_place() {
        let helper = helper();
        for (line, expected) in [
            ("sel|", vec!["select"]),
            ("SEL|", vec!["SELECT"]),
            ("SELECT command|", vec!["SELECT CommandLine"]),
            ("SELECT CMDL|", vec!["SELECT cmdline_tokens("]),
            ("SELECT od|", vec!["SELECT \"odd name\""]),
            (
                "SELECT * FROM |",
                vec![
                    "SELECT * FROM events",
                    "SELECT * FROM logons",
                    "SELECT * FROM dbcluster(",
                    "SELECT * FROM generate_series(",
                ],
            ),
            ("SELECT * FROM ev|", vec!["SELECT * FROM events"]),
            ("SELECT logons.|", vec!["SELECT logons.Account"]),
            ("SELECT x.comm|", vec!["SELECT x.CommandLine"]),
            ("SELECT \"odd|", vec!["SELECT \"odd name\""]),
            ("SELECT * FROM dbcluster('lo|", vec!["SELECT * FROM dbcluster('logons"]),
            (
                "SELECT * FROM dbcluster('events', 'path|",
                vec!["SELECT * FROM dbcluster('events', 'path_score("],
            ),
            (
                "SELECT * FROM dbcluster('events', 'path_score(comm|",
                vec!["SELECT * FROM dbcluster('events', 'path_score(CommandLine"],
            ),
            (
                "SELECT * FROM dbcluster(events, [x], scal|",
                vec!["SELECT * FROM dbcluster(events, [x], scaling => "],
            ),
            ("SELECT scal|", vec![]),
            ("SELECT 1 -- sel|", vec![]),
            ("SELECT /* sel|", vec![]),
            ("SELECT |", vec![]),
            ("\\ps|", vec!["\\pset "]),
            ("\\pset format n|", vec!["\\pset format nd-json"]),
            ("\\d lo|", vec!["\\d logons"]),
            ("\\h cmd|", vec!["\\h cmdline_tokens"]),
            ("\\h hunt|", vec!["\\h hunting"]),
            ("\\x a|", vec!["\\x auto"]),
            ("\\pset w|", vec!["\\pset width"]),
            ("\\plot S|", vec!["\\plot SCATTER"]),
            (
                "SELECT clus|",
                vec![
                    "SELECT cluster_id",
                    "SELECT cluster_key",
                    "SELECT cluster_size",
                    "SELECT clustered",
                    "SELECT clusters",
                ],
            ),
            ("SELECT poi|", vec!["SELECT point_type"]),
            (
                "SELECT * FROM dbcluster(events, [x], scaling => 'z|",
                vec!["SELECT * FROM dbcluster(events, [x], scaling => 'zscore'"],
            ),
            ("COPY t TO 'x.html' STORED AS S|", vec!["COPY t TO 'x.html' STORED AS SCATTER"]),
            ("SET datafusion.execution.ti|", vec!["SET datafusion.execution.time_zone = "]),
            (
                "set data|",
                vec!["set datafusion.execution.batch_size = ", "set datafusion.execution.time_zone = "],
            ),
            ("SUMMARIZE ev|", vec!["SUMMARIZE events"]),
        ] {
            assert_eq!(completed(&helper, line), expected, "{line}");
        }
    }

    #[test]
    fn columns_of_a_file_in_the_line_are_known() {
        assert_eq!(completed(&helper(), "SELECT Compu| FROM 'a.parquet'"), ["SELECT Computer"]);
        assert!(completed(&helper(), "SELECT Compu| FROM 'b.parquet'").is_empty());
    }

    #[test]
    fn file_names_are_completed_after_a_quote() {
        let folder = tempfile::Builder::new().prefix("with spaces ").tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("logs")).expect("a folder");
        std::fs::write(folder.path().join("events.parquet"), "").expect("a file");
        let folder_name = folder.path().display();
        let helper = helper();
        for (line, expected) in [
            (
                format!("SELECT * FROM '{folder_name}/e|"),
                format!("SELECT * FROM '{folder_name}/events.parquet"),
            ),
            (format!("SELECT * FROM '{folder_name}/lo|"), format!("SELECT * FROM '{folder_name}/logs/")),
            (
                format!("SELECT * FROM dbcluster('{folder_name}/e|"),
                format!("SELECT * FROM dbcluster('{folder_name}/events.parquet"),
            ),
            (format!("\\i {folder_name}/e|"), format!("\\i {folder_name}/events.parquet")),
            (format!("\\d '{folder_name}/e|"), format!("\\d '{folder_name}/events.parquet")),
        ] {
            assert_eq!(completed(&helper, &line), [expected], "{line}");
        }
    }

    #[test]
    fn names_are_quoted_where_case_is_folded() {
        let mut helper = helper();
        helper.names.folds_case = true;
        assert_eq!(completed(&helper, "SELECT comm|"), ["SELECT \"CommandLine\""]);
    }
}
