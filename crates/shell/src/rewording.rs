//! Messages of the engine in words for people: what is wrong, and what to write.
//!
//! The engine's messages are written for those who embed it: they name its rules, print its structures, and show a value of three
//! thousand characters whole.

use datafusion_dbcluster::near_miss::quoted_name;

/// A text of the user's that is longer is cut in a message.
const LONGEST_TEXT: usize = 120;

/// The message in other words, or as it is.
pub(super) fn reworded(message: &str) -> String {
    not_grouped(message)
        .or_else(|| not_a_time(message))
        .or_else(|| not_castable(message))
        .or_else(|| structures(message))
        .or_else(|| known(message))
        .unwrap_or_else(|| message.to_string())
}

/// Beginnings of messages, and what is to follow them.
const ADVICE: [(&str, &str); 9] = [
    (
        "Aggregate functions are not allowed in the WHERE clause",
        "conditions on groups stand behind GROUP BY ... HAVING count(*) > 1",
    ),
    ("HAVING clause references", "WHERE chooses rows, and HAVING groups, behind GROUP BY"),
    ("Ambiguous reference to unqualified field", "two tables have it: say which, as in a.name"),
    ("Cannot coerce arithmetic expression Utf8 + Utf8", "text is joined by ||: 'a' || 'b'"),
    ("Cannot coerce arithmetic expression Utf8View + Utf8", "text is joined by ||: 'a' || 'b'"),
    ("Cannot coerce arithmetic expression Timestamp", "a duration is an INTERVAL: now() - INTERVAL '7 days'"),
    (
        "Cannot coerce arithmetic expression",
        "TRY_CAST(c AS DOUBLE) reads a column of text as numbers, and as NULL where it is none",
    ),
    (
        "Placeholder '$",
        "\\set name VALUE sets a variable, or --set name=VALUE on the command line, and it is written $name",
    ),
    (
        "not implemented: Unsupported SQL unary operator BitwiseNot",
        "a text is compared without case by a ILIKE 'text', and with a regular expression by a ~* 'text'",
    ),
];

fn known(message: &str) -> Option<String> {
    let (_, advice) = ADVICE.iter().find(|(beginning, _)| message.starts_with(beginning))?;
    let message = message.split(". Consider").next().unwrap_or(message);
    Some(format!("{}; {advice}", message.trim_end_matches('.')))
}

/// A column beside an aggregate.
fn not_grouped(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("in GROUP BY or an aggregate function")?;
    let (_, rest) = rest.split_once("column \"")?;
    let (column, _) = rest.split_once("\" must appear in the GROUP BY")?;
    let column = column.rsplit('.').next().unwrap_or(column);
    Some(format!(
        "the column {column} stands beside an aggregate such as count(*), so the query needs GROUP BY {}, or GROUP BY ALL",
        if column.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
            column.to_string()
        } else {
            quoted_name(column)
        }
    ))
}

/// A text that is compared with a time.
fn not_a_time(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Error parsing timestamp from '")?;
    let (text, _) = rest.rsplit_once("': ")?;
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    // `2019-01-15 05:15` lacks its seconds, and `2019-01-15 5:15:00` a digit.
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text.as_str(), ""));
    let parts: Vec<&str> = time.split(':').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let example = if date.len() == 10 && (1..=3).contains(&parts.len()) && parts.iter().all(is_number) {
        let part = |at: usize| parts.get(at).copied().unwrap_or("0");
        format!("{date} {:0>2}:{:0>2}:{:0>2}", part(0), part(1), part(2))
    } else {
        "2026-01-15 05:15:00".to_string()
    };
    Some(format!(
        "'{text}' is no time that is compared with a column of times: write '{example}', or to_timestamp(text, '%d.%m.%Y %H:%M') with its \
         format"
    ))
}

/// A value that is no number.
fn not_castable(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Cannot cast string '")?;
    let (text, of) = rest.rsplit_once("' to value of ")?;
    let of = of.trim_end_matches(" type");
    let shown: String = text.chars().take(LONGEST_TEXT).collect();
    let dots = if shown.len() < text.len() { "..." } else { "" };
    Some(format!(
        "Cannot cast the text '{shown}{dots}' to {of}; TRY_CAST(c AS ...) makes NULL of what can't be cast"
    ))
}

/// A message that prints a structure of the parser's: it ends before that.
fn structures(message: &str) -> Option<String> {
    if !message.contains("Span(") && !message.contains("Ident {") {
        return None;
    }
    let words = message.split(' ').take_while(|word| !word.contains(['(', '{']) || word.ends_with(')'));
    let mut said = words.collect::<Vec<_>>().join(" ");
    // `RLike { negated: ...` is cut behind its name.
    said.truncate(said.trim_end_matches([' ', ':']).len());
    let said = said.replace("Unsupported ast node in sqltorel", "the engine has no plan for this expression");
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_put_in_words() {
        for (message, expected) in [
            (
                "Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column \"p.csv.Account\" must appear \
                 in the GROUP BY clause or must be part of",
                "the column Account stands beside an aggregate such as count(*), so the query needs GROUP BY Account, or GROUP BY ALL",
            ),
            (
                "Parser error: Error parsing timestamp from '2019-01-15 5:15': error parsing time",
                "'2019-01-15 5:15' is no time that is compared with a column of times: write '2019-01-15 05:15:00', or",
            ),
            (
                "Parser error: Error parsing timestamp from 'yesterday': timestamp must contain at least 10 characters",
                "'yesterday' is no time that is compared with a column of times: write '2026-01-15 05:15:00', or",
            ),
            (
                "Cannot cast string 'a ' to value of '' to value of Int32 type",
                "Cannot cast the text 'a ' to value of '' to Int32; TRY_CAST(c AS ...)",
            ),
            (
                "not implemented: Dot access not supported for non-string expr: Function(Function { name: Ident { value: \"user\"",
                "not implemented: Dot access not supported for non-string expr",
            ),
            (
                "not implemented: Unsupported ast node in sqltorel: RLike { negated: false, expr: Identifier(Ident { value",
                "not implemented: the engine has no plan for this expression: RLike",
            ),
            ("no table 'x'", "no table 'x'"),
        ] {
            let words = reworded(message);
            assert!(words.starts_with(expected), "{words}");
        }
        let long = reworded(&format!("Cannot cast string '{}' to value of Int32 type", "x".repeat(3_000)));
        assert!(long.len() < 250, "{long}");
    }
}
