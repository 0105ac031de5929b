//! Advice on what to type instead, where the engine's own message can't know what was meant.
//!
//! The parser and the engine's planner fail before any function of ours is asked. Their messages about common mistakes are
//! right, but do not help. The shell knows the statement and adds what does.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use datafusion_dbcluster::near_miss::did_you_mean;
use datafusion_dbcluster::reference;

use super::misread;
use super::syntax::quoted;

/// The hints: a part of the message, a part of the statement (both in lower case; an empty one is in any), and the advice.
const HINTS: [(&str, &str, &str); 15] = [
    (
        "found: as",
        "dbcluster",
        "features get names as {name: f(column)}, as struct(f(column) AS name) or in a string, 'f(column) AS name'",
    ),
    ("syntax error", "dbcluster(table ", "a table is named as it is: dbcluster(events, ...)"),
    (
        "syntax error",
        "dbcluster(select ",
        "a query stands in brackets of its own: dbcluster((SELECT ...), ...)",
    ),
    (
        "found: desc",
        "order_by",
        "order_by has no DESC: the greatest first is order_by => [0 - x], and the last event exemplar => 'last'",
    ),
    ("found: asc", "order_by", "order_by is ascending as it is"),
    ("found: :", "dbcluster", "options are given with =>, as in eps => 0.0001"),
    (
        "found: partition",
        "dbcluster",
        "rows are partitioned by an option: dbcluster(events, [f1], eps => 0.0001, partition_by => host)",
    ),
    (
        "found: by",
        "partition by",
        "rows are partitioned by an option: dbcluster(events, [f1], eps => 0.0001, partition_by => host)",
    ),
    (
        "invalid function 'dbscan'",
        "dbscan",
        "dbscan is a window function, dbscan(eps, min_samples, f1, f2) OVER (); dbcluster(...) in FROM clusters a table",
    ),
    (
        "dot access not supported",
        "user.",
        "user is a word of SQL, so a column of that name is written \"user\", and a field of it \"user\".name",
    ),
    (
        "'dbscan' does not support named arguments",
        "dbscan",
        "its options come last, as a struct: dbscan(1, 2, f1, f2, {metric: 'manhattan'}) OVER ()",
    ),
    (
        "table function 'dbscan' not found",
        "dbscan",
        "dbcluster(events, [f1, f2], eps => 0.0001) clusters a table; dbscan(...) OVER () labels rows",
    ),
    (
        "there is no registered file format with ext",
        "copy",
        "COPY knows the endings .csv, .tsv, .json, .ndjson and .jsonl, each also with .gz, .zst, .bz2 or .xz behind it, .parquet and \
         .arrow; for another ending say STORED AS CSV, or STORED AS BAR and the like for a figure",
    ),
    (
        "invalid function 'cs'",
        "cs(",
        "a column whose name has brackets stands in quotes, as in \"cs(User-Agent)\"",
    ),
    // The engine merges columns of one name, and then has too few for the first line.
    (
        "incorrect number of fields for line 1,",
        "",
        "if the header has a name twice, name the columns: CREATE EXTERNAL TABLE t (a BIGINT, b VARCHAR, ...) STORED AS CSV LOCATION ... \
         OPTIONS (format.has_header true)",
    ),
];

/// The message, followed by advice if there is any.
pub(super) fn with_hint(mut message: String, statement: &str) -> String {
    // The parser takes an argument whose value it can't read for one without a name, and fails at the `=>`.
    if message.starts_with("syntax error: ")
        && message.contains("found: =>")
        && let Some((option, error)) = unreadable_value(statement)
    {
        message = format!("syntax error: {error} behind {option} =>");
    }
    if message.starts_with("syntax error: ")
        && let Some((word, path)) = path_without_quotes(statement)
    {
        return format!("{message}; a file's name stands in quotes: {word} {}", quoted(path));
    }
    let (said, asked) = (message.to_lowercase(), statement.to_lowercase());
    let known = HINTS.iter().find(|(sign, word, _)| said.contains(sign) && asked.contains(word));
    if let Some((_, _, hint)) = known {
        // The engine's own guess names other functions.
        let message = message.split("\nDid you mean").next().unwrap_or_default();
        return format!("{}; {hint}", message.trim_end_matches('.'));
    }
    if let Some(advice) = misread::advice(&message, statement) {
        return format!("{message}; {advice}");
    }
    if message.starts_with("not implemented: ")
        && let Some(advice) = misread::statement_of_others(statement)
    {
        return format!("{message}; {advice}");
    }
    let ours: Vec<&str> = reference::table_functions().into_iter().map(|(name, _)| name).collect();
    let function = said.strip_prefix("invalid function '").and_then(|rest| rest.split('\'').next());
    if let Some(function) = function.filter(|function| ours.contains(function)) {
        return format!("Invalid function '{function}'; it stands in FROM: SELECT * FROM {function}(...)");
    }
    let unknown = said.strip_prefix("table function '").and_then(|rest| rest.strip_suffix("' not found"));
    let Some(unknown) = unknown else { return message };
    format!("{message}{}", did_you_mean(unknown, &ours))
}

/// The path behind a word such as `FROM`, if it has no quotes, and that word. A word after it may be an alias.
fn path_without_quotes(statement: &str) -> Option<(&'static str, &str)> {
    let mut words = statement.split_whitespace();
    while let Some(word) = words.next() {
        let known =
            ["FROM", "JOIN", "TO", "LOCATION"].into_iter().find(|known| word.eq_ignore_ascii_case(known));
        if let (Some(known), Some(path)) = (known, words.clone().next()) {
            let path = path.trim_end_matches([';', ')', ',']);
            let is_path = path.starts_with(['/', '~', '.', '\\']) || path.get(1..3) == Some(":\\");
            let has_dot = path.contains('/') || path.contains('.') && matches!(known, "TO" | "LOCATION");
            if is_path || has_dot && !path.contains(['(', '\'', '"']) {
                return Some((known, path));
            }
        }
    }
    None
}

/// The first option whose value is no expression, and the parser's error about it.
fn unreadable_value(statement: &str) -> Option<(String, String)> {
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, statement).tokenize().ok()?;
    let tokens: Vec<Token> =
        tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let arrows = tokens.windows(2).enumerate().filter(|(_, pair)| pair[1] == Token::RArrow);
    for (index, pair) in arrows {
        let value = tokens.get(index + 2..).unwrap_or_default().to_vec();
        if let Err(ParserError::ParserError(error)) =
            Parser::new(&dialect).with_tokens(value).parse_wildcard_expr()
        {
            let error = error.split(" at Line: ").next().unwrap_or_default().to_string();
            return Some((pair[0].to_string(), error));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_stand_behind_what_the_engine_says() {
        for (message, statement, expected) in [
            (
                "syntax error: Expected: ], found: AS at line 1, column 9",
                "SELECT * FROM DBCLUSTER(t, [a AS b], 1)",
                "syntax error: Expected: ], found: AS at line 1, column 9; features get names as {name: f(column)}",
            ),
            (
                "Invalid function 'dbscan'.\nDid you mean 'isnan'?",
                "SELECT dbscan(1, 2, x) FROM t",
                "Invalid function 'dbscan'; dbscan is a window function",
            ),
            (
                "table function 'dbcluster_member' not found",
                "SELECT * FROM dbcluster_member(t, [a], 1)",
                "table function 'dbcluster_member' not found (did you mean 'dbcluster_members' or",
            ),
            (
                "syntax error: Expected: ), found: ev at line 1, column 39",
                "SELECT * FROM dbcluster(SELECT * FROM ev, [n], 1)",
                "syntax error: Expected: ), found: ev at line 1, column 39; a query stands in brackets of its own",
            ),
            (
                "syntax error: Expected: ), found: => at line 1, column 49",
                "SELECT * FROM dbcluster(t, [a], eps => 1, order_by => [a DESC])",
                "syntax error: Expected: ], found: DESC behind order_by =>; order_by has no DESC",
            ),
            (
                "syntax error: Expected: ), found: => at line 1, column 9",
                "SELECT * FROM dbcluster(t, [a], eps => 1, partition_by => [s AS q])",
                "syntax error: Expected: ], found: AS behind partition_by =>",
            ),
            (
                "the file /logs/a.csv: incorrect number of fields for line 1, expected 1 got more than 1",
                "SELECT * FROM '/logs/a.csv'",
                "the file /logs/a.csv: incorrect number of fields for line 1, expected 1 got more than 1; if the header has a name \
                 twice, name the columns: CREATE EXTERNAL TABLE",
            ),
            (
                "Invalid or Unsupported Configuration: There is no registered file format with ext txt",
                "COPY t TO 'a.txt'",
                "Invalid or Unsupported Configuration: There is no registered file format with ext txt; COPY knows the endings",
            ),
            (
                "syntax error: Expected: identifier, found: / at line 1, column 15",
                "SELECT * FROM /tmp/x.csv LIMIT 3;",
                "syntax error: Expected: identifier, found: / at line 1, column 15; a file's name stands in quotes: FROM '/tmp/x.csv'",
            ),
            ("syntax error: found: EOF", "SELECT * FROM 'a/b.csv' WHERE", "syntax error: found: EOF"),
            ("syntax error: found: x", "SELECT (SELECT x x x)", "syntax error: found: x"),
            ("no table 'x'", "SELECT * FROM x", "no table 'x'"),
            ("syntax error: found: AS", "SELECT a AS AS b", "syntax error: found: AS"),
        ] {
            let hinted = with_hint(message.to_string(), statement);
            assert!(hinted.starts_with(expected), "{hinted}");
        }
    }
}
