//! Words that people type out of habit: they are commands of psql, duckdb or sqlite, and no SQL.
//!
//! A word that can mean one thing only does it: `exit`, `help`, `SUMMARIZE x`. For others the message names the command that does the
//! same here.

use std::borrow::Cow;

/// Commands of other shells, and what does the same here.
const ELSEWHERE: [(&str, &str); 41] = [
    (".cd", "start the shell in the folder"),
    (".columns", "\\x off shows tables"),
    (".dump", "COPY t TO 'file.parquet' writes a table"),
    (".headers", "\\pset format csv has headers, nd-json has none"),
    (".import", "a file is a table: SELECT * FROM 'file.csv'"),
    (".large_number_rendering", "numbers are shown as they are"),
    (".log", "dbcluster --log-file FILE logs the session"),
    (".maxrows", "\\pset maxrows N"),
    (".maxwidth", "\\pset width N"),
    (".mode", "\\pset format table, box, markdown, csv, tsv, json or nd-json; \\x for a value per line"),
    (".nullvalue", "SET datafusion.format.null = 'text'"),
    (".once", "\\o FILE, and \\o behind the statement"),
    (".open", "a file is a table: SELECT * FROM 'file.parquet'"),
    (".output", "\\o FILE"),
    (".pager", "\\pager on|off"),
    (".print", "SELECT 'text'"),
    (".read", "\\i FILE"),
    (".rows", "\\x on shows a value per line"),
    (".schema", "\\d NAME describes a table, \\d lists all"),
    (".shell", "leave with \\q, or use another terminal"),
    (".show", "\\pset shows the settings of the shell, SHOW ALL those of the engine"),
    (".system", "leave with \\q, or use another terminal"),
    (".tables", "\\d lists the tables; a file is one by its name: SELECT * FROM 'logs/'"),
    (".timer", "each result says its time; \\quiet off if it does not"),
    (".width", "\\pset width N"),
    ("\\!", "leave with \\q, or use another terminal"),
    ("\\a", "\\pset format csv"),
    ("\\c", "there is one database, and files are tables: SELECT * FROM 'logs/'"),
    ("\\cd", "start the shell in the folder"),
    ("\\conninfo", "\\d lists the tables"),
    ("\\copy", "COPY (SELECT ...) TO 'file.csv' writes a file, and SELECT * FROM 'file.csv' reads one"),
    ("\\e", "edit the statement in a file and run it with \\i FILE; Up brings back earlier ones"),
    ("\\echo", "SELECT 'text'"),
    ("\\g", "a statement ends with ;"),
    ("\\l", "\\d lists the tables"),
    ("\\p", "Up brings back earlier statements"),
    ("\\r", "Ctrl-C clears the line"),
    ("\\s", "Ctrl-R searches earlier statements, Up brings them back"),
    ("\\t", "\\quiet on leaves out the footer"),
    ("\\timing", "each result says its time; \\quiet off if it does not"),
    ("\\w", "\\o FILE writes results, and dbcluster --log-file FILE statements"),
];

/// The command, without its backslash, that a text stands for which is no SQL.
pub(super) fn command(text: &str) -> Option<Cow<'static, str>> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match (word.to_ascii_lowercase().as_str(), rest) {
        ("help" | ".help" | "?", "") => Some("?".into()),
        ("help" | ".help", about) if is_word(about) => Some(format!("h {about}").into()),
        ("quit" | "exit" | ".quit" | ".exit" | ".q" | "bye" | "logout", "") => Some("q".into()),
        ("summarize" | "summarise", what) if !what.is_empty() => Some(format!("summarize {what}").into()),
        _ => None,
    }
}

/// Whether a text is one line that is no SQL, so that nothing more is to come.
pub(super) fn is_line(text: &str) -> bool {
    let text = text.trim();
    let is_one_word = command(text).is_some_and(|command| !command.starts_with("summarize"));
    let is_dotted =
        text.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    (is_one_word || is_dotted) && !text.contains('\n')
}

/// The message for a command that another shell has, `.tables` or `\timing`.
pub(super) fn elsewhere(text: &str) -> Option<String> {
    let name = text.split_whitespace().next()?.trim_end_matches(';');
    if !name.starts_with(['.', '\\']) || name.starts_with("./") || name.starts_with("..") {
        return None;
    }
    let known = ELSEWHERE.iter().find(|(other, _)| *other == name);
    match known {
        Some((name, here)) => Some(format!("there is no command {name}: {here}")),
        None if name.starts_with('.')
            && name.len() > 1
            && name[1..].bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            Some(format!("there is no command {name}; commands begin with a backslash, and \\? lists them"))
        }
        None => None,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_habit_are_commands() {
        for (text, expected) in [
            ("help", Some("?")),
            (" HELP; ", Some("?")),
            ("help dbcluster", Some("h dbcluster")),
            ("exit", Some("q")),
            (".quit", Some("q")),
            ("SUMMARIZE 'a b.csv';", Some("summarize 'a b.csv'")),
            ("exit + 1", None),
            ("SELECT help", None),
            ("summarize", None),
        ] {
            assert_eq!(command(text).as_deref(), expected, "{text}");
        }
        assert!(is_line("exit") && is_line(".tables") && is_line(".mode csv"));
        assert!(!is_line("SUMMARIZE x") && !is_line("SELECT 1") && !is_line(".5 + 1"));
    }

    #[test]
    fn commands_of_other_shells_are_told_from_numbers_and_paths() {
        assert!(ELSEWHERE.is_sorted_by_key(|(name, _)| *name));
        assert!(elsewhere(".tables").expect("a message").contains("\\d lists the tables"));
        assert!(elsewhere(".nonsense").expect("a message").contains("\\? lists them"));
        for other in ["./a.csv", "..", ".5", "\\nonsense", "SELECT 1", ""] {
            assert_eq!(elsewhere(other), None, "{other}");
        }
    }
}
