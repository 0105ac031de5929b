//! Texts for unknown names: the names that exist, those that were probably meant, and an excerpt of the text as written.

use std::borrow::Cow;

use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

/// The share of equal letters from which on a name counts as probably meant.
const SIMILAR: f64 = 0.5;

/// The similarity of names that differ in two swapped letters, the most frequent of typing mistakes.
const SWAPPED: f64 = 0.9;

/// The number of characters of a user's text that a message repeats.
const SHOWN: usize = 200;

/// Names that other tools have for options of ours.
const SYNONYMS: [(&str, &str); 24] = [
    ("account", "who"),
    ("command_line", "text"),
    ("commandline", "text"),
    ("computer", "host"),
    ("epsilon", "eps"),
    ("hostname", "host"),
    ("image", "path"),
    ("machine", "host"),
    ("max_cluster_distance", "eps"),
    ("max_distance", "eps"),
    ("min_cluster_size", "min_samples"),
    ("min_points", "min_samples"),
    ("minpoints", "min_samples"),
    ("minpts", "min_samples"),
    ("parent", "context"),
    ("process", "path"),
    ("program", "path"),
    ("radius", "eps"),
    ("source", "context"),
    ("time", "time_column"),
    ("timestamp", "time_column"),
    ("timestamp_column", "time_column"),
    ("user", "who"),
    ("username", "who"),
];

/// Returns a user's text, or its first 200 characters and `...` if it is longer.
pub fn excerpt(written: &str) -> Cow<'_, str> {
    match written.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}...", &written[..end])),
        None => Cow::Borrowed(written),
    }
}

/// Returns a column's name as SQL: quoted, so that its case and its dots, spaces and slashes are part of it.
pub fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a column's name as SQL: as it is if the parser takes all of it for a name, else quoted. `user` is a function,
/// `Laddr.Port` a column of a table, and `Flow Bytes/s` a division.
pub fn sql_name(name: &str) -> Cow<'_, str> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(name);
    let parsed = parser.and_then(|mut parser| Ok((parser.parse_expr()?, parser.next_token().token)));
    match parsed {
        Ok((Expr::Identifier(ident), Token::EOF)) if ident.value == name => Cow::Borrowed(name),
        _ => Cow::Owned(quoted_name(name)),
    }
}

/// Lists columns' names as SQL, or the first of them if they are too many to read.
pub fn listed_columns(names: &[impl AsRef<str>]) -> String {
    const LISTED: usize = 20;
    let listed: Vec<Cow<'_, str>> = names.iter().take(LISTED).map(|name| sql_name(name.as_ref())).collect();
    match names.len().saturating_sub(LISTED) {
        0 => listed.join(", "),
        more => format!("{}, and {more} more", listed.join(", ")),
    }
}

/// Returns ` (did you mean 'a' or 'b'?)` with the candidates that are close to `name`, or an empty text.
pub fn did_you_mean(name: &str, candidates: &[impl AsRef<str>]) -> String {
    meant(close_to(name, candidates).into_iter().map(|name| format!("'{name}'")))
}

/// The same for columns: a name that SQL would read as something else is quoted, so that it works as it is shown.
pub fn did_you_mean_column(name: &str, candidates: &[impl AsRef<str>]) -> String {
    meant(close_to(name, candidates).into_iter().map(|name| match sql_name(name) {
        Cow::Borrowed(name) => format!("'{name}'"),
        Cow::Owned(quoted) => quoted,
    }))
}

fn meant(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { String::new() } else { format!(" (did you mean {}?)", names.join(" or ")) }
}

/// Returns up to three candidates that are close to `name`, the closest first.
fn close_to<'a>(name: &str, candidates: &'a [impl AsRef<str>]) -> Vec<&'a str> {
    if name.len() > SHOWN {
        return vec![];
    }
    let lower = name.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == lower).map(|(_, ours)| *ours);
    if let Some(meant) = candidates.iter().map(AsRef::as_ref).find(|candidate| Some(*candidate) == synonym) {
        return vec![meant];
    }
    let mut close: Vec<(f64, &str)> = candidates
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate| (similarity(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    close.dedup_by_key(|(_, name)| *name);
    if close.first().is_some_and(|(_, name)| is_swapped(&lower, &name.to_lowercase())) {
        close.truncate(1);
    }
    close.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Returns the column that was probably meant by one of the names, and the place of that name.
pub(crate) fn likely_column<'a>(columns: &[&'a str], names: &[&str]) -> Option<(&'a str, usize)> {
    /// A column of a table has a name for a reason of its own, so it has to be closer than a typing mistake.
    const SIMILAR: f64 = 0.7;
    let plain = |name: &str| name.replace(['_', ' ', '-', '.'], "").to_lowercase();
    let pairs = columns.iter().flat_map(|column| {
        let (written, column) = (plain(column), *column);
        names.iter().enumerate().map(move |(place, name)| (similarity(&written, &plain(name)), column, place))
    });
    // Of equally close ones the first.
    let closest = pairs.reduce(|best, pair| if pair.0 > best.0 { pair } else { best });
    closest.filter(|(similarity, ..)| *similarity >= SIMILAR).map(|(_, column, place)| (column, place))
}

/// Returns a similarity from 0 to 1. It is high if one name begins with the other: `epsilon`, `CommandLine1`.
fn similarity(a: &str, b: &str) -> f64 {
    let (shorter, longer) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let begins = shorter.len() >= 3 && longer.starts_with(shorter);
    let least = match () {
        () if is_swapped(a, b) => SWAPPED,
        () if begins => SIMILAR,
        () => 0.0,
    };
    normalized_levenshtein(a, b).max(least)
}

/// Whether one name is the other with two neighbouring letters swapped: `esp` for `eps`.
fn is_swapped(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let differ: Vec<usize> = (0..a.len()).filter(|at| b.get(*at) != Some(&a[*at])).collect();
    match differ.as_slice() {
        [first, second] => {
            a.len() == b.len() && first + 1 == *second && a[*first] == b[*second] && a[*second] == b[*first]
        }
        _ => false,
    }
}

/// Returns `expected one of 'a', 'b', 'c'`, with the ones that were probably meant by `got`.
pub fn expected_one_of(got: &str, allowed: &[&str]) -> String {
    let names: Vec<String> = allowed.iter().map(|name| format!("'{name}'")).collect();
    format!("expected one of {}{}", names.join(", "), did_you_mean(got, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_are_close() {
        assert_eq!(did_you_mean("esp", &["eps", "of", "top"]), " (did you mean 'eps'?)");
        assert!(is_swapped("form", "from") && !is_swapped("from", "from") && !is_swapped("ab", "cd"));
        assert!(!is_swapped("eps", "epsx") && !is_swapped("é", "e"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("short"), "short");
        assert_eq!(excerpt(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(excerpt(&"é".repeat(SHOWN + 1)), format!("{}...", "é".repeat(SHOWN)));
    }

    #[test]
    fn names_that_sql_reads_as_something_else_are_quoted() {
        for plain in ["CommandLine", "_a1", "time", "name", "höhe"] {
            assert_eq!(sql_name(plain), plain);
        }
        for (name, quoted) in [
            ("Laddr.Port", "\"Laddr.Port\""),
            ("Flow Bytes/s", "\"Flow Bytes/s\""),
            ("user", "\"user\""),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
            ("1st", "\"1st\""),
            ("a -- b", "\"a -- b\""),
            ("null", "\"null\""),
            ("'a'", "\"'a'\""),
        ] {
            assert_eq!(sql_name(name), quoted);
        }
        assert_eq!(listed_columns(&["a", "b c"]), "a, \"b c\"");
        assert!(listed_columns(&["a"; 25]).ends_with(", a, and 5 more"));
    }

    #[test]
    fn close_names_are_meant() {
        let names = ["eps", "min_samples", "metric", "scaling"];
        assert_eq!(did_you_mean("Metrik", &names), " (did you mean 'metric'?)");
        assert_eq!(did_you_mean("epsilon", &names), " (did you mean 'eps'?)");
        assert_eq!(did_you_mean("min_sample", &names), " (did you mean 'min_samples'?)");
        assert_eq!(likely_column(&["id", "Cmd_Line"], &["CommandLine", "cmdline"]), Some(("Cmd_Line", 1)));
        assert_eq!(likely_column(&["id", "time"], &["CommandLine", "cmdline"]), None);
        assert_eq!(did_you_mean("minpts", &names), " (did you mean 'min_samples'?)");
        assert_eq!(did_you_mean("user", &names), "");
        assert_eq!(did_you_mean("colour", &names), "");
        assert_eq!(
            did_you_mean_column("Laddr", &["Laddr.Port", "Laddr"]),
            " (did you mean 'Laddr' or \"Laddr.Port\"?)"
        );
        assert_eq!(
            expected_one_of("scalin", &names[3..]),
            "expected one of 'scaling' (did you mean 'scaling'?)"
        );
    }
}
