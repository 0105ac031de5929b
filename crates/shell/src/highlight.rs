//! The colours of SQL while it is typed.

use std::borrow::Cow;
use std::fmt::Write as _;

use datafusion::config::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Whitespace};

use super::statements::tokens_of;

/// Colours of a terminal, as the numbers of its codes.
const KEYWORD: u8 = 91;
const STRING: u8 = 92;
const NUMBER: u8 = 96;
const COMMENT: u8 = 90;

/// The text with colours around its keywords, strings, numbers and comments. Its own characters are as they were. What comes behind a
/// quote that is still open has no colour.
pub(super) fn highlighted(text: &str, dialect: Dialect) -> Cow<'_, str> {
    let mut coloured = String::new();
    let mut end = 0;
    // The ranges are those of the tokens of this text, in order.
    for (token, range) in tokens_of(text, dialect) {
        let Some(color) = color(&token) else { continue };
        coloured.push_str(&text[end..range.start]);
        // Writing to a String cannot fail.
        let _ = write!(coloured, "\x1b[{color}m{}\x1b[0m", &text[range.clone()]);
        end = range.end;
    }
    if end == 0 {
        return Cow::Borrowed(text);
    }
    coloured.push_str(&text[end..]);
    Cow::Owned(coloured)
}

fn color(token: &Token) -> Option<u8> {
    match token {
        Token::Word(word) if word.keyword != Keyword::NoKeyword => Some(KEYWORD),
        Token::SingleQuotedString(_)
        | Token::TripleSingleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::SingleQuotedRawStringLiteral(_) => Some(STRING),
        Token::Number(..) => Some(NUMBER),
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
            Some(COMMENT)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sql_have_colours() {
        for (text, expected) in [
            ("SElect a from t;", "{91}SElect{0} a {91}from{0} t;"),
            (
                "SELECT 'な''に', 1.5e3\n  WHERE b = E'\\n' -- c\n",
                "{91}SELECT{0} {92}'な''に'{0}, {96}1.5e3{0}\n  {91}WHERE{0} b = {92}E'\\n'{0} {90}-- c\n{0}",
            ),
            ("x /* 1 */ \"select\"", "x {90}/* 1 */{0} \"select\""),
            ("SELECT 1, 'open", "{91}SELECT{0} {96}1{0}, 'open"),
            ("\\d events", "\\d events"),
            ("", ""),
        ] {
            let expected = expected.replace('{', "\x1b[").replace('}', "m");
            assert_eq!(highlighted(text, Dialect::Generic), expected);
        }
    }

    #[test]
    fn characters_stay_as_they_were() {
        for text in ["select\t'a\r\nb' ,1 --\u{202e}", "'\u{1b}[31m' select", "$$a$$ or n'b' and x'0f' 0x1F"]
        {
            let mut plain = highlighted(text, Dialect::Generic).into_owned();
            for color in [KEYWORD, STRING, NUMBER, COMMENT, 0] {
                plain = plain.replace(&format!("\x1b[{color}m"), "");
            }
            assert_eq!(plain, text);
        }
    }
}
