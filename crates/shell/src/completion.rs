//! What Tab offers, when a line is complete, and its colours.
//!
//! Names come from the session: functions, tables, their columns, and the columns of the files that the line
//! names. Inside quotes the place decides: after FROM a file name, in `dbcluster('events', 'cmd|` an expression.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};
use datafusion_cli::highlighter::SyntaxHighlighter;
use futures::FutureExt;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};
use tokio::runtime::{Handle, Runtime};

use super::args::FORMATS;
use super::commands::COMMANDS;
use super::documentation;
use super::panics::caught;
use super::statements::{Piece, Script, dialect};
use datafusion_dbcluster::{ClusterOption, reference};
use dbcluster_terminal::printable;

/// How long Tab may look for the columns of a file.
const PATIENCE: Duration = Duration::from_millis(500);

/// The words of SQL as the engine speaks it.
const KEYWORDS: &str = "ALL ANALYZE AND ANTI ARRAY AS ASC BETWEEN BIGINT BOOLEAN BY CASE CAST COPY CREATE CROSS \
    CURRENT DATE DELETE DESC DESCRIBE DISTINCT DOUBLE DROP ELSE END EXCEPT EXCLUDE EXISTS EXPLAIN EXTERNAL EXTRACT \
    FALSE FILTER FIRST FLOAT FOLLOWING FROM FULL GROUP GROUPING HAVING ILIKE IN INNER INSERT INTERSECT INTERVAL INTO \
    IS JOIN LAST LATERAL LEFT LIKE LIMIT LOCATION NATURAL NOT NULL NULLS OFFSET ON OPTIONS OR ORDER OUTER OVER \
    PARTITION PARTITIONED PRECEDING PREPARE QUALIFY RANGE RECURSIVE REPLACE RIGHT ROLLUP ROW ROWS SELECT SEMI SET SETS \
    SHOW SIMILAR STORED STRUCT TABLE TABLES TEMPORARY THEN TIME TIMESTAMP TO TRUE TRY_CAST UNBOUNDED UNION UNNEST \
    UPDATE USING VALUES VARCHAR VIEW WHEN WHERE WINDOW WITH WITHIN ZONE";

/// Behind these words stands a table.
const BEFORE_TABLES: [&str; 7] = ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "UPDATE", "VIEW"];

/// Behind these words a quote opens a file name.
const BEFORE_FILES: [&str; 5] = ["FROM", "JOIN", "TO", "LOCATION", "INTO"];

/// The names that the session knows.
#[derive(Debug, Default)]
struct Names {
    functions: BTreeSet<String>,
    table_functions: BTreeSet<String>,
    /// Tables with their columns.
    tables: BTreeMap<String, Vec<String>>,
    /// Whether unquoted identifiers are folded to lower case, so that others need quotes.
    folds_case: bool,
}

/// The columns of a file or table that is not in the catalog, if there is one.
type ColumnLookup = Box<dyn Fn(&str) -> Option<Vec<String>>>;

/// Editing help for one shell.
pub(super) struct ShellHelper {
    dialect: Dialect,
    highlighter: Option<SyntaxHighlighter>,
    files: FilenameCompleter,
    names: Names,
    columns_of_file: ColumnLookup,
    /// Columns of the files named so far; none for what turned out to be no file.
    seen_files: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl ShellHelper {
    pub(super) fn new(handle: Handle, ctx: &SessionContext, color: bool) -> Self {
        let ctx = ctx.clone();
        let lookup = move |name: &str| {
            let find = ctx.table_provider(TableReference::bare(name));
            let find = async { tokio::time::timeout(PATIENCE, find).await };
            // a file that a reader breaks on has no columns to offer; the statement will tell why
            let found = handle.block_on(caught("", async { Ok(find.await) }));
            found.ok()?.ok()?.ok().map(|table| column_names(table.as_ref()))
        };
        Self {
            dialect: Dialect::Generic,
            highlighter: color.then(|| SyntaxHighlighter::new(&Dialect::Generic)),
            files: FilenameCompleter::new(),
            names: Names::default(),
            columns_of_file: Box::new(lookup),
            seen_files: RefCell::default(),
        }
    }

    /// Takes over what the last statement has changed.
    pub(super) fn refresh(&mut self, runtime: &Runtime, ctx: &SessionContext) {
        let state = ctx.state();
        let parser = &state.config_options().sql_parser;
        if parser.dialect != self.dialect {
            self.dialect = parser.dialect;
            self.highlighter = self.highlighter.take().map(|_| SyntaxHighlighter::new(&parser.dialect));
        }
        self.names.folds_case = parser.enable_ident_normalization;
        self.names.functions = documentation::names(&state);
        let is_known = |name: &&String| self.names.functions.contains(name.as_str());
        self.names.table_functions = state.table_functions().keys().filter(is_known).cloned().collect();
        self.names.tables = tables(runtime, ctx);
        self.seen_files.borrow_mut().retain(|_, columns| columns.is_some());
    }

    /// Where the completed text starts, and with what it may go on.
    fn candidates(&self, line: &str, pos: usize) -> (usize, Vec<Pair>) {
        let before = &line[..pos];
        let trimmed = before.trim_start();
        if let Some(command) = trimmed.strip_prefix('\\') {
            return self.command_candidates(before, before.len() - trimmed.len(), command);
        }
        self.look_up_files(line);
        match Place::of(before, self.dialect) {
            Place::Comment => (pos, Vec::new()),
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
                    // an alias
                    None => self.columns().collect(),
                };
                let columns = columns.iter().map(String::as_str);
                (start, matching(columns, &before[start..], |name| self.identifier(name)))
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

    /// Columns first, then tables, functions and keywords: the order of how specific they are.
    fn word_candidates(&self, word: &str, previous: Option<&str>) -> Vec<Pair> {
        let tables = self.names.tables.keys().map(String::as_str);
        let call = |name: &str| format!("{name}(");
        let wants_table = previous.is_some_and(|previous| is_one_of(previous, &BEFORE_TABLES));
        if wants_table {
            let mut found = matching(tables, word, |name| self.identifier(name));
            found.extend(matching(self.names.table_functions.iter().map(String::as_str), word, call));
            return found;
        }
        if word.is_empty() {
            return Vec::new();
        }
        let columns: BTreeSet<String> = self.columns().collect();
        let mut found = matching(columns.iter().map(String::as_str), word, |name| self.identifier(name));
        found.extend(matching(tables, word, |name| self.identifier(name)));
        found.extend(matching(self.names.functions.iter().map(String::as_str), word, call));
        let lower = word.chars().all(|c| !c.is_uppercase());
        found.extend(matching(KEYWORDS.split_whitespace(), word, |keyword| {
            if lower { keyword.to_lowercase() } else { keyword.to_string() }
        }));
        found
    }

    /// The command itself, or its argument.
    fn command_candidates(&self, before: &str, start: usize, command: &str) -> (usize, Vec<Pair>) {
        let Some((name, argument)) = command.split_once(' ') else {
            let names: BTreeSet<&str> =
                COMMANDS.iter().filter_map(|(command, _)| command.split_whitespace().next()).collect();
            return (start, matching(names.into_iter(), &before[start..], |name| format!("{name} ")));
        };
        let word_start = before.rfind(' ').map_or(0, |at| at + 1);
        let word = &before[word_start..];
        let fixed = |words: &[&str]| matching(words.iter().copied(), word, str::to_string);
        match (name, argument.split_whitespace().next()) {
            ("i", _) => self.file_candidates(before, start + "\\i ".len()),
            ("d", Some(file)) if file.starts_with('\'') => {
                let quote = before.find('\'').map_or(before.len(), |at| at + 1);
                self.file_candidates(before, quote)
            }
            ("d", _) => {
                let tables = self.names.tables.keys().map(String::as_str);
                (word_start, matching(tables, word, |name| self.identifier(name)))
            }
            ("h", _) => {
                (word_start, matching(self.names.functions.iter().map(String::as_str), word, str::to_string))
            }
            ("pset", Some("format")) if argument.contains("format ") => (word_start, fixed(&FORMATS)),
            ("pset", _) => (word_start, fixed(&["format", "maxrows"])),
            ("quiet", _) => (word_start, fixed(&["on", "off"])),
            ("object_store_profiling", _) => (word_start, fixed(&["disabled", "summary", "trace"])),
            _ => (before.len(), Vec::new()),
        }
    }

    /// Files whose path goes on from `before[start..]`, as it stands between single quotes.
    fn file_candidates(&self, before: &str, start: usize) -> (usize, Vec<Pair>) {
        // an opening quote tells the completer that spaces need no backslash
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
        // what stands before an open quote is all there is
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

    /// A name as it has to be written.
    fn identifier(&self, name: &str) -> String {
        let mut characters = name.chars();
        let plain = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !(self.names.folds_case && name.contains(|c: char| c.is_ascii_uppercase()));
        if plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
    }
}

/// What the cursor stands in.
#[derive(Debug, PartialEq)]
enum Place<'a> {
    /// A word of SQL, behind `qualifier.` perhaps.
    Word {
        start: usize,
        qualifier: Option<&'a str>,
    },
    /// An open single quote after FROM and the like.
    FileName {
        start: usize,
    },
    /// The open quote of a table function's first argument.
    TableName {
        start: usize,
    },
    /// An open double quote.
    QuotedName {
        start: usize,
    },
    Comment,
}

impl<'a> Place<'a> {
    fn of(before: &'a str, dialect_name: Dialect) -> Self {
        let dialect = dialect(dialect_name);
        let mut tokens = Vec::new();
        let error =
            Tokenizer::new(dialect.as_ref(), before).tokenize_with_location_into_buf(&mut tokens).err();
        if error.is_none() {
            let in_line_comment = matches!(
                tokens.last().map(|token| &token.token),
                Some(Token::Whitespace(Whitespace::SingleLineComment { comment, .. })) if !comment.ends_with('\n')
            );
            return if in_line_comment { Self::Comment } else { Self::word(before) };
        }
        // everything before the open quote was read: the quote is the first character behind it
        let read: usize =
            tokens.last().map_or(0, |token| offset_of(before, token.span.end.line, token.span.end.column));
        let start = (read + 1).min(before.len());
        match before[read..].chars().next() {
            Some('"') => Self::QuotedName { start },
            Some('\'') => {
                let mut back = tokens.iter().rev().map(|token| &token.token);
                let mut back = back.by_ref().filter(|token| !matches!(token, Token::Whitespace(_)));
                match (back.next(), back.next()) {
                    (Some(Token::Word(word)), _) if is_one_of(&word.value, &BEFORE_FILES) => {
                        Self::FileName { start }
                    }
                    (Some(Token::LParen), Some(Token::Word(_))) => Self::TableName { start },
                    _ => Self::word(before),
                }
            }
            _ => Self::Comment,
        }
    }

    /// The word that ends the text.
    fn word(before: &'a str) -> Self {
        let start = word_start(before);
        let qualifier = before[..start].strip_suffix('.').map(|table| &table[word_start(table)..]);
        Self::Word { start, qualifier: qualifier.filter(|table| !table.is_empty()) }
    }
}

fn word_start(text: &str) -> usize {
    text.rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
}

fn previous_word(before: &str) -> Option<&str> {
    let before = before.trim_end();
    let word = &before[word_start(before)..];
    (!word.is_empty()).then_some(word)
}

/// The byte that stands at a line and column of the tokenizer, both from 1.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let lines = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let columns = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    text[start..].char_indices().nth(columns).map_or(text.len(), |(at, _)| start + at)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
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

/// All tables outside of `information_schema`, with their columns.
fn tables(runtime: &Runtime, ctx: &SessionContext) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    let state = ctx.state();
    let defaults = &state.config_options().catalog;
    for catalog_name in state.catalog_list().catalog_names() {
        let Some(catalog) = state.catalog_list().catalog(&catalog_name) else { continue };
        for schema_name in catalog.schema_names() {
            let Some(schema) = catalog.schema(&schema_name).filter(|_| schema_name != "information_schema")
            else {
                continue;
            };
            let is_default =
                catalog_name == defaults.default_catalog && schema_name == defaults.default_schema;
            for table in schema.table_names() {
                // a catalog that would have to ask over the network gives names only
                let _guard = runtime.enter();
                let provider = schema.table(&table).now_or_never().and_then(Result::ok).flatten();
                let columns = provider.map_or_else(Vec::new, |provider| column_names(provider.as_ref()));
                let name = if is_default { table } else { format!("{schema_name}.{table}") };
                tables.insert(name, columns);
            }
        }
    }
    tables
}

fn column_names(table: &dyn TableProvider) -> Vec<String> {
    table.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// Whether a text can be run as it stands, or waits for more.
fn is_complete(input: &str, dialect_name: Dialect) -> bool {
    let mut script = Script::new(input);
    let mut complete = true;
    while let Some(piece) = script.next(dialect_name) {
        complete = match piece {
            Piece::Statement { terminated, .. } => terminated,
            Piece::Command { .. } => true,
            Piece::Broken { unfinished, .. } => !unfinished,
        };
    }
    complete
}

impl Completer for ShellHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, mut found) = self.candidates(line, pos);
        // Names come from files of others, and the line is drawn as it is. One that could steer the terminal is shown, but
        // can't be completed to what it is.
        for pair in &mut found {
            for text in [&mut pair.display, &mut pair.replacement] {
                *text = printable(text).into_owned();
            }
        }
        Ok((start, found))
    }
}

impl Validator for ShellHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input(), self.dialect) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Highlighter for ShellHelper {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        match &self.highlighter {
            Some(highlighter) => highlighter.highlight(line, pos),
            None => Cow::Borrowed(line),
        }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        self.highlighter.as_ref().is_some_and(|highlighter| highlighter.highlight_char(line, pos, kind))
    }
}

impl Hinter for ShellHelper {
    type Hint = String;
}

impl Helper for ShellHelper {}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> ShellHelper {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
        ShellHelper {
            dialect: Dialect::Generic,
            highlighter: None,
            files: FilenameCompleter::new(),
            names: Names {
                functions: names(&["cmdline_tokens", "count", "dbcluster", "path_score"]),
                table_functions: names(&["dbcluster", "generate_series"]),
                tables: BTreeMap::from([
                    ("events".to_string(), vec!["CommandLine".to_string(), "odd name".to_string()]),
                    ("logons".to_string(), vec!["Account".to_string()]),
                ]),
                folds_case: false,
            },
            columns_of_file: Box::new(|file| (file == "a.parquet").then(|| vec!["Computer".to_string()])),
            seen_files: RefCell::default(),
        }
    }

    /// The line after each candidate, with the cursor at `|`.
    fn completed(helper: &ShellHelper, line: &str) -> Vec<String> {
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
        let folder = std::env::temp_dir().join(format!("dbcluster completion {}", std::process::id()));
        std::fs::create_dir_all(folder.join("logs")).expect("a folder");
        std::fs::write(folder.join("events.parquet"), "").expect("a file");
        let folder_name = folder.display();
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
        std::fs::remove_dir_all(folder).expect("the folder goes");
    }

    #[test]
    fn names_are_quoted_where_case_is_folded() {
        let mut helper = helper();
        helper.names.folds_case = true;
        assert_eq!(completed(&helper, "SELECT comm|"), ["SELECT \"CommandLine\""]);
    }

    #[test]
    fn lines_wait_for_their_semicolon() {
        for (input, complete) in [
            ("SELECT 1;", true),
            ("SELECT 1; -- done", true),
            ("SELECT 1", false),
            ("SELECT ';", false),
            ("SELECT /* ;", false),
            ("SELECT 1; SELECT 2", false),
            ("\\d events", true),
            ("\\i it's.sql", true),
            ("-- a thought", true),
            ("", true),
        ] {
            assert_eq!(is_complete(input, Dialect::Generic), complete, "{input}");
        }
    }
}
