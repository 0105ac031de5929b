//! Cuts text into statements, the way the SQL tokenizer reads it.
//!
//! A `;` ends a statement only where the tokenizer sees a semicolon: not in a quoted string, not in a comment, not
//! in a `$$` body. A line that starts with `\` where a statement could start is a command of the shell. The tokens
//! keep their place in the whole text, so that a parser's "at Line: 12" is line 12 of the file.
//!
//! Statements are cut one at a time, because a statement can change how the rest is read
//! (`SET datafusion.sql_parser.dialect = 'mysql'`).

use std::collections::VecDeque;

use datafusion::config::Dialect as DialectName;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, dialect_from_str};
use datafusion::sql::sqlparser::tokenizer::{
    Location, Span, Token, TokenWithSpan, Tokenizer, TokenizerError,
};

/// The tokenizer's dialect of that name.
pub(super) fn dialect(name: DialectName) -> Box<dyn Dialect> {
    dialect_from_str(name).unwrap_or_else(|| Box::new(GenericDialect {}))
}

/// One piece of a [`Script`].
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A statement. Only the last one of a script may lack its semicolon.
    Statement { statement: Statement<'a>, terminated: bool },
    /// A line such as `\d events`, without its backslash.
    Command { text: &'a str, line: u64 },
    /// The text ends inside a quoted string or a comment (or has a character that no token starts with).
    Broken { message: String, line: u64, unfinished: bool },
}

/// A statement, as text and as tokens.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    /// Without the semicolon.
    pub(super) text: &'a str,
    /// With their place in the script.
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Where it starts, from 1.
    pub(super) line: u64,
}

/// A text of statements and commands, handed out piece by piece.
pub(super) struct Script<'a> {
    text: &'a str,
    /// Tokens not handed out yet, with their byte ranges.
    tokens: VecDeque<(TokenWithSpan, std::ops::Range<usize>)>,
    /// What stopped the tokenizer after them.
    error: Option<TokenizerError>,
    /// The dialect that the tokens were read in; none before the first reading and after a command.
    read_in: Option<DialectName>,
    /// Where the next reading starts.
    offset: usize,
    location: Location,
}

impl<'a> Script<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut script = Self {
            text,
            tokens: VecDeque::new(),
            error: None,
            read_in: None,
            offset: 0,
            location: Location::of(1, 1),
        };
        // `#!/usr/bin/env -S dbcluster -f` makes a script runnable
        if text.starts_with("#!") {
            script.skip_to(text.find('\n').unwrap_or(text.len()));
        }
        script
    }

    /// The next piece, read in this dialect.
    pub(super) fn next(&mut self, dialect_name: DialectName) -> Option<Piece<'a>> {
        if self.read_in != Some(dialect_name) {
            self.read(dialect_name);
        }
        while self
            .tokens
            .front()
            .is_some_and(|(token, _)| matches!(token.token, Token::Whitespace(_) | Token::SemiColon))
        {
            self.take_token();
        }
        let Some((first, range)) = self.tokens.front() else {
            return self.error.take().map(|error| broken(&error));
        };
        let (line, start) = (first.span.start.line, range.start);
        if first.token == Token::Backslash && self.starts_its_line(start) {
            return Some(self.command(start, line));
        }
        let mut tokens = Vec::new();
        let mut end = start;
        while let Some((token, range)) = self.take_token() {
            if token.token == Token::SemiColon {
                return Some(Piece::Statement {
                    statement: Statement { text: self.text[start..end].trim_end(), tokens, line },
                    terminated: true,
                });
            }
            end = range.end;
            tokens.push(token);
        }
        Some(match self.error.take() {
            Some(error) => broken(&error),
            None => Piece::Statement {
                statement: Statement { text: self.text[start..].trim_end(), tokens, line },
                terminated: false,
            },
        })
    }

    /// Reads what has not been handed out, in a dialect.
    fn read(&mut self, dialect_name: DialectName) {
        let dialect = dialect(dialect_name);
        let mut tokens = Vec::new();
        let rest = &self.text[self.offset..];
        let error = Tokenizer::new(dialect.as_ref(), rest).tokenize_with_location_into_buf(&mut tokens).err();
        let base = self.location;
        let mut cursor = Cursor { text: self.text, offset: self.offset, location: base };
        self.tokens.clear();
        for token in tokens {
            let span = Span::new(shift(token.span.start, base), shift(token.span.end, base));
            let start = cursor.advance_to(span.start);
            let end = cursor.advance_to(span.end);
            self.tokens.push_back((TokenWithSpan::new(token.token, span), start..end));
        }
        self.error = error.map(|error| TokenizerError { location: shift(error.location, base), ..error });
        self.read_in = Some(dialect_name);
    }

    /// Takes a token off the front; the next reading would start behind it.
    fn take_token(&mut self) -> Option<(TokenWithSpan, std::ops::Range<usize>)> {
        let taken = self.tokens.pop_front()?;
        self.offset = taken.1.end;
        self.location = taken.0.span.end;
        Some(taken)
    }

    /// A command is the rest of its line, whatever quotes it has: what follows is read afresh.
    fn command(&mut self, start: usize, line: u64) -> Piece<'a> {
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        self.skip_to(end);
        let text = self.text[start + 1..end].trim();
        Piece::Command { text: text.strip_suffix(';').unwrap_or(text).trim_end(), line }
    }

    fn skip_to(&mut self, offset: usize) {
        let mut cursor = Cursor { text: self.text, offset: self.offset, location: self.location };
        while cursor.offset < offset && cursor.step() {}
        (self.offset, self.location) = (cursor.offset, cursor.location);
        self.tokens.clear();
        self.error = None;
        self.read_in = None;
    }

    fn starts_its_line(&self, offset: usize) -> bool {
        let line_start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        self.text[line_start..offset].trim().is_empty()
    }
}

/// A place in the text that counts lines and columns as the tokenizer does.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    location: Location,
}

impl Cursor<'_> {
    fn step(&mut self) -> bool {
        let Some(character) = self.text[self.offset..].chars().next() else { return false };
        self.offset += character.len_utf8();
        if character == '\n' {
            self.location = Location::of(self.location.line + 1, 1);
        } else {
            self.location.column += 1;
        }
        true
    }

    /// The byte offset of a location at or behind this one.
    fn advance_to(&mut self, location: Location) -> usize {
        while self.location < location && self.step() {}
        self.offset
    }
}

/// A location in a part of the text, as a location in the whole.
fn shift(location: Location, base: Location) -> Location {
    let column = if location.line == 1 { location.column + base.column - 1 } else { location.column };
    Location::of(location.line + base.line - 1, column)
}

fn broken<'a>(error: &TokenizerError) -> Piece<'a> {
    Piece::Broken {
        message: format!("syntax error: {}", error.message),
        line: error.location.line,
        unfinished: error.message.starts_with("Unterminated") || error.message.contains("EOF"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each piece as one line: what it is, where it starts, its text.
    fn pieces(text: &str) -> Vec<String> {
        let mut script = Script::new(text);
        std::iter::from_fn(|| script.next(DialectName::Generic))
            .map(|piece| match piece {
                Piece::Statement { statement, terminated } => {
                    format!("{}{} {}", statement.line, if terminated { ";" } else { "" }, statement.text)
                }
                Piece::Command { text, line } => format!("{line}\\ {text}"),
                Piece::Broken { message, line, unfinished } => format!("{line}! {unfinished} {message}"),
            })
            .collect()
    }

    #[test]
    fn semicolons_in_quotes_comments_and_bodies_are_text() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" ;; \n ; -- nothing\n /* at all; */", &[]),
            ("SELECT 1", &["1 SELECT 1"]),
            ("SELECT 1;\nSELECT 2 ;", &["1; SELECT 1", "2; SELECT 2"]),
            ("SELECT ';' , \";\"; SELECT 'it''s;'", &["1; SELECT ';' , \";\"", "1 SELECT 'it''s;'"]),
            ("SELECT 1 -- one; two\n + 2; SELECT 3", &["1; SELECT 1 -- one; two\n + 2", "2 SELECT 3"]),
            ("SELECT /* a; /* b; */ c; */ 1; SELECT 2", &["1; SELECT /* a; /* b; */ c; */ 1", "1 SELECT 2"]),
            ("SELECT $$a;b$$; SELECT $x$;$x$", &["1; SELECT $$a;b$$", "1 SELECT $x$;$x$"]),
            ("SELECT 'é;𝕏\n;', 2;\n\nSELECT 'ß'", &["1; SELECT 'é;𝕏\n;', 2", "4 SELECT 'ß'"]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text), *expected, "{text}");
        }
    }

    #[test]
    fn commands_are_lines_of_their_own() {
        let text = "SELECT 1;\n  \\i it's.sql\n-- then\n\\d events;\nSELECT 'a\n\\d'; \\x";
        assert_eq!(
            pieces(text),
            ["1; SELECT 1", "2\\ i it's.sql", "4\\ d events", "5; SELECT 'a\n\\d'", "6 \\x"]
        );
    }

    #[test]
    fn unfinished_text_is_told_from_wrong_text() {
        assert_eq!(pieces("SELECT 1;\nSELECT 'a;\n")[1], "2! true syntax error: Unterminated string literal");
        assert!(pieces("SELECT /* a;")[0].starts_with("1! true"), "{:?}", pieces("SELECT /* a;"));
        assert!(pieces("SELECT $$a;")[0].starts_with("1! true"), "{:?}", pieces("SELECT $$a;"));
    }

    #[test]
    fn first_line_of_a_runnable_script_is_skipped() {
        assert_eq!(pieces("#!/usr/bin/env -S dbcluster -f\nSELECT 1;"), ["2; SELECT 1"]);
    }

    #[test]
    fn tokens_keep_their_place_across_commands_and_dialects() {
        let mut script = Script::new("\\q\n SELECT 1;  SELECT `a;b`");
        assert!(matches!(script.next(DialectName::Generic), Some(Piece::Command { line: 1, .. })));
        let Some(Piece::Statement { statement, .. }) = script.next(DialectName::Generic) else {
            panic!("expected a statement")
        };
        assert_eq!(statement.tokens[0].span.start, Location::of(2, 2));
        let Some(Piece::Statement { statement, terminated: false }) = script.next(DialectName::MySQL) else {
            panic!("expected the last statement")
        };
        assert_eq!((statement.text, statement.tokens[0].span.start), ("SELECT `a;b`", Location::of(2, 13)));
    }
}
