//! Advice about statements that the parser can't read.
//!
//! A parser says what it expected at the place where it gave up, and that place is often one word late: behind `LIMT`, which it took for
//! the name of a table, it finds a 5. Here the words around the place are looked at: a keyword that is misspelt, an operator of
//! Kusto, a pipe, a duration such as `7d`, a statement that other databases have.

use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::meant::tokens;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::did_you_mean;

/// Words that begin a clause or a statement.
const CLAUSES: [&str; 27] = [
    "BETWEEN",
    "COPY",
    "CREATE",
    "DELETE",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "EXCEPT",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "INNER",
    "INSERT",
    "INTERSECT",
    "JOIN",
    "LEFT",
    "LIMIT",
    "OFFSET",
    "ORDER",
    "SELECT",
    "SHOW",
    "SUMMARIZE",
    "UNION",
    "VALUES",
    "WHERE",
    "WITH",
];

/// Words that begin a statement of other tools, and what does the same here.
const FIRST_WORDS: [(&str, &str); 24] = [
    ("alter", "make a new table or view: CREATE OR REPLACE VIEW v AS SELECT ..."),
    ("attach", "there is one database, and files are tables: SELECT * FROM 'logs/'"),
    ("begin", "there are no transactions"),
    ("call", "table functions stand behind FROM"),
    ("commit", "there are no transactions"),
    (
        "delete",
        "files are not changed: COPY (SELECT * FROM 'a.csv' WHERE ...) TO 'b.csv' writes what is to stay",
    ),
    ("detach", "there is one database, and files are tables: SELECT * FROM 'logs/'"),
    ("find", "a search is a condition: SELECT * FROM 'logs/' WHERE line ILIKE '%text%'"),
    ("grant", "there are no users"),
    ("index", "a folder or a file is a table: SELECT * FROM 'logs/'"),
    ("install", "all formats are there: \\h files"),
    ("load", "files are tables: SELECT * FROM 'logs/'"),
    ("merge", "make a new table with UNION ALL and GROUP BY"),
    ("pivot", "say it with GROUP BY: count(*) FILTER (WHERE kind = 'a') AS a"),
    ("pragma", "SHOW ALL has the settings, DESCRIBE 'file.csv' the columns of a table"),
    ("rollback", "there are no transactions"),
    (
        "sample",
        "SELECT * FROM 'file.csv' LIMIT 100, or WHERE random() < 0.1; dbcluster sample on the command line makes events",
    ),
    ("search", "a search is a condition: SELECT * FROM 'logs/' WHERE line ILIKE '%text%'"),
    ("stats", "say it with GROUP BY: SELECT Account, count(*) FROM events GROUP BY Account"),
    ("truncate", "DROP TABLE and make it again"),
    ("unpivot", "say it with UNION ALL, or unnest of a list"),
    ("update", "files are not changed: COPY (SELECT ... FROM 'a.csv') TO 'b.csv' writes another one"),
    ("use", "there is one database, and files are tables: SELECT * FROM 'logs/'"),
    ("vacuum", "nothing is kept that could be cleaned up"),
];

/// Operators of Kusto between a column and a text, with the pattern of ILIKE that does the same.
const OPERATORS: [(&str, &str, &str); 9] = [
    ("contains", "%", "%"),
    ("contains_cs", "%", "%"),
    ("has", "%", "%"),
    ("has_cs", "%", "%"),
    ("includes", "%", "%"),
    ("startswith", "", "%"),
    ("starts_with", "", "%"),
    ("endswith", "%", ""),
    ("ends_with", "%", ""),
];

/// Letters of durations, with the word that INTERVAL takes.
const DURATIONS: [(&str, &str); 8] = [
    ("d", "days"),
    ("day", "days"),
    ("days", "days"),
    ("h", "hours"),
    ("hours", "hours"),
    ("m", "minutes"),
    ("min", "minutes"),
    ("s", "seconds"),
];

/// Returns what to write instead of a statement that can't be read.
pub(super) fn advice(message: &str, statement: &str) -> Option<String> {
    if !message.starts_with("syntax error: ") {
        return None;
    }
    if message.contains("Unterminated string literal") {
        return Some("a text ends with ', and a ' within it is written ''".to_string());
    }
    let tokens = tokens(statement);
    let places = places(message, &tokens);
    // Of several the last: what the parser could read stands before.
    let at = places.last().copied();
    let word =
        |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(ToString::to_string).unwrap_or_default();
    let (before, found, behind) =
        (word(at.and_then(|at| at.checked_sub(1))), word(at), word(at.map(|at| at + 1)));
    if tokens.windows(2).any(|pair| pair[0] == Token::Pipe && matches!(pair[1], Token::Word(_))) {
        return Some(
            "SQL has clauses in place of pipes: SELECT * FROM events WHERE Account = 'x' ORDER BY t LIMIT 10"
                .to_string(),
        );
    }
    operator(at, &tokens)
        .or_else(|| duration(&before, &found))
        .or_else(|| variable(&found))
        .or_else(|| in_list(&before, &found))
        .or_else(|| sample(&found, &behind))
        .or_else(|| statement_of_others(statement))
        .or_else(|| places.iter().find_map(|at| misspelt(&[word(Some(*at)), word(at.checked_sub(1))])))
        .or_else(|| not_closed(message, &tokens))
        .or_else(|| no_statement(message, &found))
}

/// The words that do the same as a statement that other databases have.
pub(super) fn statement_of_others(statement: &str) -> Option<String> {
    let first = statement.split(|letter: char| !letter.is_alphanumeric()).next()?.to_ascii_lowercase();
    let known = FIRST_WORDS.iter().find(|(word, _)| *word == first);
    known.map(|(word, here)| format!("there is no {} here: {here}", word.to_ascii_uppercase()))
}

/// The places of the token that the parser did not expect. The message tells its line in a script, which may be another one here.
fn places(message: &str, tokens: &[Token]) -> Vec<usize> {
    let Some((_, found)) = message.split_once("found: ") else { return vec![] };
    let found = found.split_once(" at line ").map_or(found, |(found, _)| found);
    tokens.iter().enumerate().filter(|(_, token)| token.to_string() == found).map(|(at, _)| at).collect()
}

/// `CommandLine contains 'cmd'`.
fn operator(at: Option<usize>, tokens: &[Token]) -> Option<String> {
    let at = at?;
    let name = tokens.get(at)?.to_string();
    let (_, before, behind) = OPERATORS.iter().find(|(word, ..)| name.eq_ignore_ascii_case(word))?;
    let column = tokens.get(at.checked_sub(1)?)?.to_string();
    let (column, not) =
        if column == "!" { (tokens.get(at.checked_sub(2)?)?.to_string(), "NOT ") } else { (column, "") };
    let text = match tokens.get(at + 1) {
        Some(Token::SingleQuotedString(text)) => text.as_str(),
        Some(Token::Word(word)) => word.value.as_str(),
        _ => "text",
    };
    let pattern = quoted(&format!("{before}{text}{behind}"));
    Some(format!("{name} is written {column} {not}ILIKE {pattern}"))
}

/// `7d`.
fn duration(before: &str, found: &str) -> Option<String> {
    before.parse::<f64>().ok()?;
    let (_, unit) = DURATIONS.iter().find(|(letter, _)| found.eq_ignore_ascii_case(letter))?;
    Some(format!("a duration is INTERVAL '{before} {unit}'"))
}

/// `$file`, which no variable has replaced.
fn variable(found: &str) -> Option<String> {
    let name = found.strip_prefix('$').filter(|name| !name.is_empty())?;
    Some(format!(
        "there is no variable ${name}: \\set {name} VALUE sets it, or --set {name}=VALUE on the command line"
    ))
}

/// `IN 'a'`.
fn in_list(before: &str, found: &str) -> Option<String> {
    let is_list = before.eq_ignore_ascii_case("in") && found.starts_with('\'');
    is_list.then(|| format!("IN takes a list in brackets: IN ({found})"))
}

fn sample(found: &str, behind: &str) -> Option<String> {
    let is_sample = found.eq_ignore_ascii_case("using") && behind.eq_ignore_ascii_case("sample");
    is_sample
        .then(|| "LIMIT 100 keeps the first rows, WHERE random() < 0.1 about a tenth of them".to_string())
}

/// A keyword that is close to one of these words, none of which is one.
fn misspelt(words: &[String]) -> Option<String> {
    words.iter().find_map(|word| {
        let is_word = word.len() > 2 && word.chars().all(|letter| letter.is_ascii_alphabetic());
        let is_clause = CLAUSES.iter().any(|clause| word.eq_ignore_ascii_case(clause));
        if !is_word || is_clause {
            return None;
        }
        let meant = did_you_mean(word, &CLAUSES);
        let (_, rest) = meant.split_once("(did you mean '")?;
        let (clause, _) = rest.split_once('\'')?;
        is_typing_mistake(word, clause).then(|| format!("did you mean {clause} for {word}?"))
    })
}

/// Whether a word lacks a letter of a keyword or two, or has them in another order. Names of tables and columns may be as close as half
/// of the letters.
fn is_typing_mistake(word: &str, keyword: &str) -> bool {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    let (word, keyword) = (word.to_ascii_lowercase(), keyword.to_ascii_lowercase());
    letters(&word) == letters(&keyword) || normalized_levenshtein(&word, &keyword) > 0.6
}

fn not_closed(message: &str, tokens: &[Token]) -> Option<String> {
    if !message.contains("found: EOF") {
        return None;
    }
    let count = |bracket: &Token| tokens.iter().filter(|token| *token == bracket).count();
    for (open, close, name) in [
        (Token::LParen, Token::RParen, "("),
        (Token::LBracket, Token::RBracket, "["),
        (Token::LBrace, Token::RBrace, "{"),
    ] {
        if count(&open) > count(&close) {
            return Some(format!("a bracket {name} is not closed"));
        }
    }
    let last = tokens.iter().rfind(|token| **token != Token::SemiColon)?.to_string();
    Some(format!("the statement ends behind {last}, where more has to follow"))
}

fn no_statement(message: &str, found: &str) -> Option<String> {
    if !message.contains("an SQL statement") {
        return None;
    }
    if found.starts_with('\'') {
        return Some(format!("FROM {found} shows a table, and SUMMARIZE {found} its columns"));
    }
    Some(
        "a statement begins with SELECT, FROM, WITH, SUMMARIZE, DESCRIBE, SHOW, EXPLAIN, CREATE, COPY, INSERT or SET, and a command with a \
         backslash: \\? lists them"
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_words_are_sorted() {
        assert!(CLAUSES.is_sorted());
        assert!(FIRST_WORDS.is_sorted_by_key(|(word, _)| *word));
    }

    #[test]
    fn operators_are_written_with_their_text() {
        let statement = "SELECT * FROM t WHERE line !contains 'it''s'";
        let advice = advice(
            "syntax error: Expected: end of statement, found: contains at line 1, column 29",
            statement,
        );
        assert_eq!(advice.as_deref(), Some("contains is written line NOT ILIKE '%it''s%'"));
    }

    #[test]
    fn plain_errors_have_no_advice() {
        for (message, statement) in [
            ("no table 'x'", "SELECT * FROM x"),
            (
                "syntax error: Expected: end of statement, found: last at line 1, column 17",
                "SELECT * FROM x y last",
            ),
            (
                "syntax error: Expected: end of statement, found: y at line 1, column 17",
                "SELECT * FROM x y z y",
            ),
        ] {
            assert_eq!(advice(message, statement), None, "{statement}");
        }
    }
}
