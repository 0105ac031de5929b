//! The place of the cursor in a line, which decides what can follow.

use datafusion::config::Dialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::super::statements::dialect;

/// A quote behind one of these words opens a file name.
const BEFORE_FILES: [&str; 7] = ["FROM", "JOIN", "TO", "LOCATION", "INTO", "DESCRIBE", "SUMMARIZE"];

/// The place of the cursor.
#[derive(Debug, PartialEq)]
pub(super) enum Place<'a> {
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
    /// An open single quote behind `option =>`.
    OptionValue {
        start: usize,
        option: &'a str,
    },
    /// The name of a setting, behind SET.
    Setting {
        start: usize,
    },
    /// The format or the figure behind STORED AS.
    StoredAs {
        start: usize,
    },
    /// An open double quote.
    QuotedName {
        start: usize,
    },
    Comment,
}

impl<'a> Place<'a> {
    /// The place at the end of `before`, the text up to the cursor.
    pub(super) fn of(before: &'a str, dialect_name: Dialect) -> Self {
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
        // The tokenizer has stopped at the open quote, which is the first character behind the last token.
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
                    (Some(Token::RArrow), Some(Token::Word(_))) => {
                        let option = before[..read].trim_end().strip_suffix("=>").and_then(previous_word);
                        Self::OptionValue { start, option: option.unwrap_or_default() }
                    }
                    _ => Self::word(before),
                }
            }
            _ => Self::Comment,
        }
    }

    /// The word that ends the text.
    fn word(before: &'a str) -> Self {
        if let Some(start) = setting_start(before) {
            return Self::Setting { start };
        }
        let start = word_start(before);
        if let Some(word) = previous_word(&before[..start]).filter(|word| word.eq_ignore_ascii_case("as")) {
            let earlier = before[..start].trim_end();
            let earlier = &earlier[..earlier.len() - word.len()];
            if previous_word(earlier).is_some_and(|word| word.eq_ignore_ascii_case("stored")) {
                return Self::StoredAs { start };
            }
        }
        let qualifier = before[..start].strip_suffix('.').map(|table| &table[word_start(table)..]);
        Self::Word { start, qualifier: qualifier.filter(|table| !table.is_empty()) }
    }
}

/// The start of a setting's name, which has dots, if the text ends in one.
fn setting_start(before: &str) -> Option<usize> {
    let trimmed = before.trim_start();
    let name = trimmed
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("set "))
        .map(|_| trimmed[4..].trim_start())?;
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.' || letter == '_');
    is_name.then(|| before.len() - name.len())
}

fn word_start(text: &str) -> usize {
    text.rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
}

/// The word before the one at the cursor.
pub(super) fn previous_word(before: &str) -> Option<&str> {
    let before = before.trim_end();
    let word = &before[word_start(before)..];
    (!word.is_empty()).then_some(word)
}

/// The byte offset of a line and column of the tokenizer, both from 1.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let lines = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let columns = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    text[start..].char_indices().nth(columns).map_or(text.len(), |(at, _)| start + at)
}

/// Whether a word is one of a list, in any case.
pub(super) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}
