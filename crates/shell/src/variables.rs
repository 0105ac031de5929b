//! Variables of the shell: `--set day=2026-01-15` and `\\set day 2026-01-15`, used as `$day`.
//!
//! A variable stands for a string or a number, and so for a table as well, since a file is a table by its name in quotes. It is put in
//! before the statement is parsed, as a token: nothing in its value can be read as SQL.

use std::borrow::Cow;
use std::collections::BTreeMap;

use datafusion::config::Dialect as DialectName;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::statements::dialect;

/// Variables by their names, without the `$`.
pub(super) type Variables = BTreeMap<String, String>;

/// A name that a variable can have. `$1` is a placeholder of PREPARE.
pub(super) fn checked(name: &str) -> Result<String, String> {
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_name {
        Ok(name.to_string())
    } else {
        Err(format!(
            "'{name}' is no name for a variable: expected letters, digits and _, the first of them no digit"
        ))
    }
}

/// Puts values in place of variables, and returns the text of the statement with the same change.
pub(super) fn put_in<'a>(
    variables: &Variables,
    text: &'a str,
    tokens: &mut [TokenWithSpan],
    name: DialectName,
) -> Cow<'a, str> {
    let uses = |token: &Token| value(variables, token).is_some();
    if !tokens.iter().any(|token| uses(&token.token)) {
        return Cow::Borrowed(text);
    }
    for token in tokens.iter_mut() {
        if let Some(value) = value(variables, &token.token) {
            token.token = value;
        }
    }
    let dialect = dialect(name);
    // Tokens whose escapes are left alone print as they were written.
    match Tokenizer::new(dialect.as_ref(), text).with_unescape(false).tokenize() {
        Ok(raw) => {
            let put = |token: Token| match value(variables, &token) {
                // Unlike the others this one has not been written, so its quotes are not doubled.
                Some(Token::SingleQuotedString(text)) => Token::SingleQuotedString(text.replace('\'', "''")),
                Some(other) => other,
                None => token,
            };
            Cow::Owned(raw.into_iter().map(|token| put(token).to_string()).collect())
        }
        Err(_) => Cow::Borrowed(text),
    }
}

/// The value that a token stands for: a number if it is written as one, or else a string.
fn value(variables: &Variables, token: &Token) -> Option<Token> {
    let Token::Placeholder(name) = token else { return None };
    let value = variables.get(name.strip_prefix('$')?)?;
    let is_number = !value.is_empty()
        && value.chars().all(|digit| digit.is_ascii_digit() || digit == '.')
        && value.parse::<f64>().is_ok();
    Some(if is_number {
        Token::Number(value.clone(), false)
    } else {
        Token::SingleQuotedString(value.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::super::statements::{Piece, Script};
    use super::*;

    #[test]
    fn values_are_strings_or_numbers() {
        let variables = [("day", "it's"), ("n", "1.5"), ("file", "a b.csv"), ("version", "1.2.3")];
        let variables = variables.map(|(name, value)| (name.to_string(), value.to_string())).into();
        let text = "COPY (SELECT $n, '$n', 'x''y', $day, $1, $other FROM $file) TO $version -- $n";
        let mut script = Script::new(text);
        let Some(Piece::Statement { mut statement, .. }) = script.next(DialectName::Generic) else {
            panic!("expected a statement")
        };
        let put = put_in(&variables, statement.text, &mut statement.tokens, DialectName::Generic);
        assert_eq!(
            put,
            "COPY (SELECT 1.5, '$n', 'x''y', 'it''s', $1, $other FROM 'a b.csv') TO '1.2.3' -- $n"
        );
        let strings =
            statement.tokens.iter().filter(|token| matches!(&token.token, Token::SingleQuotedString(_)));
        assert_eq!(strings.count(), 5);
    }

    #[test]
    fn names_are_plain() {
        assert!(checked("day_1").is_ok() && checked("_x").is_ok());
        assert!(checked("1day").is_err() && checked("a-b").is_err() && checked("").is_err());
    }
}
