//! Names that were probably meant, where the engine's message has none, or names something that is far from it.
//!
//! People bring the functions of other tools along: `len`, `strlen` and `bin` of Kusto, `read_csv` of duckdb, `strftime` of sqlite. The
//! engine answers with the function whose letters are closest, `ln` for `len`. Here such a name leads to what does the same, and
//! any other one to names that are close to it among all functions of the session.

use std::fs;

use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::documentation;
use super::failure::NO_TABLE;
use super::rewording::reworded;
use super::syntax::quoted;
use datafusion_dbcluster::near_miss::did_you_mean;
use dbcluster_figures::Figure;

/// Functions of other tools, and what to write here.
const ELSEWHERE: [(&str, &str); 63] = [
    ("ago", "now() - INTERVAL '1 hour'"),
    ("any", "first_value(x)"),
    ("any_value", "first_value(x)"),
    ("arg_max", "first_value(x ORDER BY y DESC)"),
    ("arg_min", "first_value(x ORDER BY y)"),
    ("bin", "date_bin(INTERVAL '1 hour', t), or floor(x / 10) * 10 for numbers"),
    ("bucket", "date_bin(INTERVAL '1 hour', t)"),
    ("charindex", "strpos(text, part)"),
    ("collect_list", "array_agg(x)"),
    ("collect_set", "array_agg(DISTINCT x)"),
    ("countif", "count(*) FILTER (WHERE condition)"),
    ("columns", "the names of the columns: \\d 'file.csv' lists them"),
    ("count_if", "count(*) FILTER (WHERE condition)"),
    ("cidrmatch", "text LIKE '10.1.%'"),
    ("datediff", "a - b, or date_part('epoch', a) - date_part('epoch', b) in seconds"),
    ("dateadd", "t + INTERVAL '1 day'"),
    ("datetime", "TIMESTAMP '2026-01-15 05:15:00'"),
    ("dcount", "count(DISTINCT x), or approx_distinct(x)"),
    ("dc", "count(DISTINCT x)"),
    ("endofday", "date_trunc('day', t) + INTERVAL '1 day'"),
    ("extract_all", "regexp_match(text, pattern)"),
    ("format_datetime", "to_char(t, '%Y-%m-%d %H:%M')"),
    ("from_unixtime", "to_timestamp_seconds(x)"),
    ("getdate", "now()"),
    ("glob", "text LIKE 'a%'"),
    ("group_concat", "string_agg(x, ', ')"),
    ("has", "text ILIKE '%part%'"),
    ("hour", "date_part('hour', t), or hour_of_day(t)"),
    ("iff", "CASE WHEN condition THEN a ELSE b END"),
    ("iif", "CASE WHEN condition THEN a ELSE b END"),
    ("if", "CASE WHEN condition THEN a ELSE b END"),
    ("isempty", "coalesce(x, '') = ''"),
    ("isnotempty", "coalesce(x, '') <> ''"),
    ("isnotnull", "x IS NOT NULL"),
    ("isnull", "x IS NULL"),
    ("json_extract", "column->'field', or json_get_str(column, 'field')"),
    ("json_extract_string", "column->>'field'"),
    ("json_value", "column->>'field'"),
    ("len", "length(text)"),
    ("list", "array_agg(x)"),
    ("locate", "strpos(text, part)"),
    ("make_list", "array_agg(x)"),
    ("make_set", "array_agg(DISTINCT x)"),
    ("match", "regexp_like(text, pattern)"),
    ("mode", "dbcluster_values(...), or GROUP BY x ORDER BY count(*) DESC LIMIT 1"),
    ("parse_json", "column->'field': JSON is read where it is text"),
    ("percentile", "approx_percentile_cont(x, 0.95)"),
    ("quantile", "approx_percentile_cont(x, 0.95)"),
    ("regexp_extract", "regexp_match(text, pattern)[1]"),
    ("regexp_matches", "regexp_like(text, pattern)"),
    ("rlike", "regexp_like(text, pattern)"),
    ("split", "string_to_array(text, ','), or split_part(text, ',', 1)"),
    ("startofday", "date_trunc('day', t)"),
    ("startswith", "starts_with(text, part)"),
    ("endswith", "ends_with(text, part)"),
    ("strcat", "concat(a, b), or a || b"),
    ("strftime", "to_char(t, '%Y-%m-%d %H:%M')"),
    ("strlen", "length(text)"),
    ("strptime", "to_timestamp(text, '%Y-%m-%d %H:%M:%S')"),
    ("todatetime", "to_timestamp(text)"),
    ("tolower", "lower(text)"),
    ("tostring", "CAST(x AS VARCHAR)"),
    ("toupper", "upper(text)"),
];

/// Table functions of other tools that read files.
const READERS: [&str; 14] = [
    "csv_scan",
    "ndjson_scan",
    "parquet_scan",
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_json_auto",
    "read_ndjson",
    "read_parquet",
    "read_text",
    "read_xlsx",
    "scan_parquet",
    "file",
    "externaldata",
];

/// Units of time, which people write without quotes.
const UNITS: [&str; 9] =
    ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "year"];

/// The formats that `STORED AS` takes beside figures.
const FORMATS: [&str; 5] = ["CSV", "JSON", "PARQUET", "ARROW", "LOGS"];

/// The message in words for people, with what was meant by a name that does not exist.
pub(super) fn with_names(ctx: &SessionContext, message: &str, statement: &str) -> String {
    let message = &reworded(message);
    let tokens = tokens(statement);
    if let Some(column) = between(message, "there is no column '", "'") {
        return no_column(message, column, &tokens);
    }
    if let Some(name) = between(message, NO_TABLE, "'") {
        return format!("{message}{}", near_file(name));
    }
    if message.starts_with("Unsupported function argument type")
        && let Some(name) = unknown_table_function(ctx, &tokens)
    {
        // The advice about table functions looks for these words.
        return format!("table function '{name}' not found");
    }
    if message.contains("There is no registered file format")
        && let Some(format) = behind(&tokens, &["STORED", "AS"])
    {
        return no_format(message, &format);
    }
    if message.starts_with("Config value ") || message.starts_with("could not find config namespace") {
        return no_setting(ctx, message, &tokens);
    }
    if let Some(name) = between(message, "Invalid function '", "'") {
        let state = ctx.state();
        let names: Vec<String> = documentation::names(&state).into_iter().collect();
        // A function that is of another kind has advice of its own.
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return message.clone();
        }
        return no_function(name, &names);
    }
    if let Some(name) = between(message, "table function '", "' not found")
        && READERS.contains(&name.to_ascii_lowercase().as_str())
    {
        return format!(
            "there is no table function {name}: a file is a table by its name, FROM 'logs/file.csv', and read('logs/file.csv', ...) takes \
             options"
        );
    }
    message.clone()
}

/// The message about a column that does not exist, if something else was meant.
fn no_column(message: &str, column: &str, tokens: &[Token]) -> String {
    // Without a list of columns, which is of no help then.
    let said = format!("there is no column '{column}'");
    let words: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    let has = |word: &str| words.iter().any(|other| other.eq_ignore_ascii_case(word));
    if column == "point_type" && (has("dbcluster") || has("process_features")) {
        return format!(
            "{said} in dbcluster, whose rows are clusters and noise: dbcluster_members has it, and clustered says which are noise"
        );
    }
    if column == "cluster_size" && has("dbcluster_members") {
        return format!(
            "{said} in dbcluster_members: dbcluster has it, or count(*) OVER (PARTITION BY cluster_id)"
        );
    }
    if message.contains("did you mean") {
        return message.to_string();
    }
    let lower = column.to_ascii_lowercase();
    let is_unit = UNITS.iter().any(|unit| lower == *unit || lower.strip_suffix('s') == Some(*unit));
    if is_unit && ["date_trunc", "date_part", "datetrunc", "datepart"].into_iter().any(has) {
        return format!("{said}; a unit stands in quotes: date_trunc('{lower}', t)");
    }
    if words.contains(&format!("\"{column}\"")) {
        return format!("{said}; text stands in single quotes, {}, and names in double ones", quoted(column));
    }
    let is_alias = words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case("as") && pair[1] == column);
    if is_alias && has("where") {
        return format!(
            "{said} in WHERE, which is done before the SELECT list: repeat its expression there, write HAVING for an aggregate, or choose \
             around the query, SELECT * FROM (SELECT ...) WHERE {column} ..."
        );
    }
    match compared_word(&words, column) {
        Some(text) => format!("{said}; text stands in quotes: {}", quoted(&text)),
        None => message.to_string(),
    }
}

/// The word behind a comparison, `= SYSTEM` or `= cmd.exe`, if it ends with this name.
fn compared_word(words: &[String], column: &str) -> Option<String> {
    let end = words.iter().position(|word| word == column)?;
    let mut start = end;
    while start >= 2 && words[start - 1] == "." {
        start -= 2;
    }
    let before = words.get(start.checked_sub(1)?)?.to_ascii_lowercase();
    let compares = ["=", "==", "<>", "!=", "like", "ilike", "("].contains(&before.as_str());
    let is_listed = before != "(" || start >= 2 && words[start - 2].eq_ignore_ascii_case("in");
    (compares && is_listed).then(|| words[start..=end].concat())
}

/// A file of the current folder that was probably meant by the name of a table.
fn near_file(name: &str) -> String {
    let Ok(entries) = fs::read_dir(".") else { return String::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    files.sort_unstable();
    let stem = format!("{}.", name.to_lowercase());
    if files.iter().any(|file| file == name) {
        return String::new();
    }
    match files.iter().find(|file| file.to_lowercase().starts_with(&stem)) {
        Some(file) => format!("; there is a file: FROM {}", quoted(file)),
        None => did_you_mean(name, &files),
    }
}

/// The first name of a call behind FROM or JOIN that no table function has.
fn unknown_table_function(ctx: &SessionContext, tokens: &[Token]) -> Option<String> {
    let state = ctx.state();
    tokens.windows(3).find_map(|three| match three {
        [Token::Word(before), Token::Word(name), Token::LParen]
            if ["from", "join"].iter().any(|word| before.value.eq_ignore_ascii_case(word)) =>
        {
            let lower = name.value.to_ascii_lowercase();
            (!state.table_functions().contains_key(&lower)).then_some(lower)
        }
        _ => None,
    })
}

fn no_format(message: &str, format: &str) -> String {
    let names: Vec<&str> = Figure::ALL.iter().map(|figure| figure.name()).chain(FORMATS).collect();
    if names.iter().any(|name| name.eq_ignore_ascii_case(format)) {
        return message.to_string();
    }
    format!(
        "there is no format {format}{}: STORED AS takes {}",
        did_you_mean(format, &names),
        names.join(", ")
    )
}

fn no_setting(ctx: &SessionContext, message: &str, tokens: &[Token]) -> String {
    let name: String = tokens
        .iter()
        .skip(1)
        .map(ToString::to_string)
        .take_while(|word| word != "=" && !word.eq_ignore_ascii_case("to"))
        .collect();
    let state = ctx.state();
    let entries = state.config_options().entries();
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    if ["format", "maxrows", "width"].contains(&name.to_ascii_lowercase().as_str()) {
        return format!("{name} is a setting of the shell: \\pset {name} VALUE sets it");
    }
    let near = did_you_mean(&name, &names);
    if near.is_empty() {
        return format!(
            "{message}; SHOW ALL lists the settings of the engine, and \\pset those of the shell"
        );
    }
    format!("there is no setting '{name}'{near}")
}

/// The word behind these words.
fn behind(tokens: &[Token], words: &[&str]) -> Option<String> {
    let texts: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    let is_them =
        |pair: &[String]| pair.iter().zip(words).all(|(text, word)| text.eq_ignore_ascii_case(word));
    let at = texts.windows(words.len()).position(is_them)?;
    texts.get(at + words.len()).cloned()
}

/// The tokens of a statement without its spaces and comments.
pub(super) fn tokens(statement: &str) -> Vec<Token> {
    let mut tokens = vec![];
    // The cause behind an error is of no use here.
    let _ = Tokenizer::new(&GenericDialect {}, statement).tokenize_with_location_into_buf(&mut tokens);
    let tokens = tokens.into_iter().map(|token| token.token);
    tokens.filter(|token| !matches!(token, Token::Whitespace(_))).collect()
}

fn no_function(name: &str, names: &[String]) -> String {
    let lower = name.to_ascii_lowercase();
    if let Some((_, here)) = ELSEWHERE.iter().find(|(other, _)| *other == lower) {
        return format!("there is no function '{name}'; write {here}");
    }
    // The end of the message of old is what advice looks for.
    format!("Invalid function '{name}'{}; \\h lists all functions", did_you_mean(&lower, names))
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(behind).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_other_tools_lead_to_ours() {
        let names = ["length".to_string(), "ln".to_string(), "cmdline_tokens".to_string()];
        assert_eq!(no_function("LEN", &names), "there is no function 'LEN'; write length(text)");
        assert_eq!(
            no_function("cmdline_token", &names),
            "Invalid function 'cmdline_token' (did you mean 'cmdline_tokens'?); \\h lists all functions"
        );
    }
}
