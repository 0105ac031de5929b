//! Cuts text into statements, the way the SQL tokenizer reads it.
//!
//! A `;` ends a statement only where the tokenizer sees a semicolon: not in a quoted string, not in a comment, not
//! in a `$$` body. A line that starts with `\` where a statement could start is a command of the shell. The tokens
//! keep their place in the whole text, so that a parser's "at Line: 12" is line 12 of the file.
//!
//! Statements are cut one at a time, because a statement can change how the rest is read
//! (`SET datafusion.sql_parser.dialect = 'mysql'`). So the tokenizer never sees the whole text, but a line, or as many
//! lines as a statement has: text that was read is handed out, or read once more together with at least as much again.
//! The time to cut a script is linear in its length.

use std::collections::VecDeque;
use std::ops::Range;

use datafusion::config::Dialect as DialectName;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, dialect_from_str};
use datafusion::sql::sqlparser::tokenizer::{
    Location, Span, Token, TokenWithSpan, Tokenizer, TokenizerError,
};

/// The tokenizer's dialect of that name.
pub(super) fn dialect(name: DialectName) -> Box<dyn Dialect> {
    dialect_from_str(name).unwrap_or_else(|| Box::new(GenericDialect {}))
}

/// The tokens of a text with their byte ranges, up to the first that can't be read.
pub(super) fn tokens_of(text: &str, dialect_name: DialectName) -> Vec<(Token, Range<usize>)> {
    let dialect = dialect(dialect_name);
    let mut tokens = Vec::new();
    // The error is about what comes behind these tokens.
    let _ = Tokenizer::new(dialect.as_ref(), text).tokenize_with_location_into_buf(&mut tokens);
    let mut cursor = Cursor { text, offset: 0, location: Location::of(1, 1) };
    let with_range = |token: TokenWithSpan| {
        let start = cursor.advance_to(token.span.start);
        (token.token, start..cursor.advance_to(token.span.end))
    };
    tokens.into_iter().map(with_range).collect()
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
    /// The line in which it starts, from 1.
    pub(super) line: u64,
}

/// Whether a text can be run as it stands. If not, it waits for more.
pub(super) fn is_complete(text: &str, dialect_name: DialectName) -> bool {
    let mut script = Script::new(text);
    let mut complete = true;
    while let Some(piece) = script.next(dialect_name) {
        complete = match piece {
            Piece::Statement { terminated, .. } => terminated,
            Piece::Command { .. } => true,
            Piece::Broken { unfinished, .. } => !unfinished,
        };
    }
    complete
}

/// The text of a script that was read from a file or a pipe, or an error if it is not UTF-8.
pub(super) fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    // UTF-16 begins with a byte order mark, or with a character of SQL, one of whose two bytes is zero.
    let is_utf16 = matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
    if is_utf16 {
        return Err("the script is UTF-16, expected UTF-8: save it anew as UTF-8".to_string());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..valid]).matches('\n').count() + 1;
        format!("the script is not UTF-8, the first other byte is in line {line}: save it anew as UTF-8")
    })
}

/// A text of statements and commands, handed out piece by piece.
pub(super) struct Script<'a> {
    text: &'a str,
    /// Tokens not handed out yet, with their byte ranges.
    tokens: VecDeque<(TokenWithSpan, Range<usize>)>,
    /// The error that stopped the tokenizer after them. More text may mend it.
    error: Option<TokenizerError>,
    /// The dialect that the tokens were read in.
    read_in: Option<DialectName>,
    /// The start of the next reading: the end of the pieces that have been handed out.
    offset: usize,
    location: Location,
    /// The end of the last reading.
    read_to: usize,
    /// The number of bytes that the tokenizer was given.
    #[cfg(test)]
    tokenized: usize,
}

impl<'a> Script<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // Editors on Windows put a byte order mark in front, which takes no column.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut script = Self {
            text,
            tokens: VecDeque::new(),
            error: None,
            read_in: None,
            offset: 0,
            location: Location::of(1, 1),
            read_to: 0,
            #[cfg(test)]
            tokenized: 0,
        };
        // A first line `#!/usr/bin/env -S dbcluster -f` makes a script runnable.
        if text.starts_with("#!") {
            script.skip_to(text.find('\n').unwrap_or(text.len()));
        }
        script
    }

    /// The next piece, read in this dialect.
    pub(super) fn next(&mut self, dialect_name: DialectName) -> Option<Piece<'a>> {
        if self.read_in != Some(dialect_name) {
            self.forget();
            self.read_in = Some(dialect_name);
        }
        loop {
            while self
                .tokens
                .front()
                .is_some_and(|(token, _)| matches!(token.token, Token::Whitespace(_) | Token::SemiColon))
            {
                self.take_token();
            }
            if let Some((first, range)) = self.tokens.front() {
                let (line, start) = (first.span.start.line, range.start);
                if first.token == Token::Backslash && self.starts_its_line(start) {
                    return Some(self.command(start, line));
                }
                if let Some(end) = self.tokens.iter().position(|(token, _)| token.token == Token::SemiColon) {
                    return Some(self.statement(start, line, end, true));
                }
            }
            if self.read_to == self.text.len() {
                return self.rest();
            }
            self.read_on(dialect_name);
        }
    }

    /// The statement of the first `count` tokens.
    fn statement(&mut self, start: usize, line: u64, count: usize, terminated: bool) -> Piece<'a> {
        let mut end = start;
        let mut tokens = Vec::with_capacity(count);
        while tokens.len() < count
            && let Some((token, range)) = self.take_token()
        {
            end = range.end;
            tokens.push(token);
        }
        let text = self.text[start..end].trim_end();
        Piece::Statement { statement: Statement { text, tokens, line }, terminated }
    }

    /// The last piece, when everything has been read and no semicolon is left.
    fn rest(&mut self) -> Option<Piece<'a>> {
        if let Some(error) = self.error.take() {
            self.tokens.clear();
            return Some(broken(&error));
        }
        let (first, range) = self.tokens.front()?;
        let (line, start) = (first.span.start.line, range.start);
        Some(self.statement(start, line, self.tokens.len(), false))
    }

    /// Reads to the end of the line, or if there is more that has not been handed out, twice as far.
    fn read_on(&mut self, dialect_name: DialectName) {
        let at_least = (2 * self.read_to - self.offset).min(self.text.len());
        let line_end = self.text.as_bytes()[at_least..].iter().position(|byte| *byte == b'\n');
        self.read(dialect_name, line_end.map_or(self.text.len(), |at| at_least + at + 1));
    }

    /// Reads what has not been handed out, in a dialect, up to the end of a line. A token that goes on in the next line
    /// is an error here, not another token.
    fn read(&mut self, dialect_name: DialectName, end: usize) {
        let dialect = dialect(dialect_name);
        let mut tokens = Vec::new();
        let rest = &self.text[self.offset..end];
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
        self.read_to = end;
        #[cfg(test)]
        {
            self.tokenized += rest.len();
        }
    }

    /// Drops the tokens that were not handed out, so that their text is read again.
    fn forget(&mut self) {
        self.tokens.clear();
        self.error = None;
        self.read_to = self.offset;
    }

    /// Takes a token off the front; the next reading would start behind it.
    fn take_token(&mut self) -> Option<(TokenWithSpan, Range<usize>)> {
        let taken = self.tokens.pop_front()?;
        self.offset = taken.1.end;
        self.location = taken.0.span.end;
        Some(taken)
    }

    /// Hands out a command: the rest of its line, whatever quotes it has. The text behind it is read afresh.
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
        self.forget();
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
    use proptest::prelude::*;

    use super::*;

    /// Each piece as one line: what it is, where it starts, its text.
    fn pieces(text: &str) -> Vec<String> {
        let mut script = Script::new(text);
        std::iter::from_fn(|| script.next(DialectName::Generic)).map(shown).collect()
    }

    fn shown(piece: Piece<'_>) -> String {
        match piece {
            Piece::Statement { statement, terminated } => {
                format!("{}{} {}", statement.line, if terminated { ";" } else { "" }, statement.text)
            }
            Piece::Command { text, line } => format!("{line}\\ {text}"),
            Piece::Broken { message, line, unfinished } => format!("{line}! {unfinished} {message}"),
        }
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
    fn lines_wait_for_their_semicolon() {
        for (input, complete) in [
            ("SELECT 1;", true),
            ("SELECT 1; -- done", true),
            ("SELECT 1", false),
            ("SELECT ';", false),
            ("SELECT /* ;", false),
            ("SELECT 1; SELECT 2", false),
            ("\\d events", true),
            ("\\i it's.sql", true),
            ("-- a thought", true),
            ("", true),
        ] {
            assert_eq!(is_complete(input, DialectName::Generic), complete, "{input}");
        }
    }

    #[test]
    fn first_line_of_a_runnable_script_is_skipped() {
        assert_eq!(pieces("#!/usr/bin/env -S dbcluster -f\nSELECT 1;"), ["2; SELECT 1"]);
    }

    #[test]
    fn byte_order_mark_is_no_text() {
        assert_eq!(pieces("\u{feff}SELECT 1;\r\nSELECT 2"), ["1; SELECT 1", "2 SELECT 2"]);
        assert_eq!(pieces("\u{feff}\\quiet on\r\nSELECT 2"), ["1\\ quiet on", "2 SELECT 2"]);
        assert_eq!(pieces("\u{feff}#!/usr/bin/env -S dbcluster -f\r\n\\q\r\n"), ["2\\ q"]);
        let mut script = Script::new("\u{feff}SELECT 1");
        let Some(Piece::Statement { statement, .. }) = script.next(DialectName::Generic) else {
            panic!("expected a statement")
        };
        assert_eq!(statement.tokens[0].span.start, Location::of(1, 1));
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf16: Vec<u8> = "\u{feff}SELECT 1;".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [&utf16, &utf16[2..], &"é".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()]
        {
            assert!(decoded(bytes.to_vec()).expect_err("not UTF-8").contains("UTF-16"), "{bytes:?}");
        }
        let latin = decoded(b"SELECT 1;\nSELECT '\xe9';".to_vec());
        assert!(latin.expect_err("not UTF-8").contains("in line 2"));
        assert_eq!(decoded("\u{feff}é".into()), Ok("\u{feff}é".to_string()));
    }

    /// The number of bytes that the tokenizer has seen when all of the text has been handed out.
    fn tokenized(text: &str, mut dialect_of: impl FnMut(usize) -> DialectName) -> usize {
        let mut script = Script::new(text);
        let mut number = 0;
        while script.next(dialect_of(number)).is_some() {
            number += 1;
        }
        script.tokenized
    }

    #[test]
    fn scripts_are_read_in_linear_time() {
        let generic = |_| DialectName::Generic;
        let statement = format!("SELECT '{}',\n {};\n", "\\d\n".repeat(50), "a,\n".repeat(50));
        for text in [
            "\\quiet on\n".repeat(20_000),
            "SELECT 1;\n".repeat(20_000),
            format!("\\d\n{statement}").repeat(1_000),
            format!("SELECT '{}'", "\\d\n".repeat(20_000)),
            format!("/* {}", "it's\n".repeat(20_000)),
        ] {
            let seen = tokenized(&text, generic);
            assert!(seen <= 4 * text.len(), "{seen} of {} bytes: {}...", text.len(), &text[..20]);
        }
        let text = "SELECT 1;\n".repeat(20_000);
        let alternating = |number| if number % 2 == 0 { DialectName::MySQL } else { DialectName::Generic };
        assert!(tokenized(&text, alternating) <= 4 * text.len());
    }

    proptest! {
        /// Reading line by line gives the same pieces as the tokenizer of the whole text.
        #[test]
        fn lines_are_cut_as_the_whole(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", " ", "\n", "\n", ";", "'", "\"", "--", "/*", "*/", "$$", "$x$", "\\d x", "\n\\d x", "''", "é", "1.", "`",
                    "E'", "\r\n", "N'", "\\",
                ]),
                0..40,
            )
        ) {
            let text = parts.concat();
            let mut script = Script::new(&text);
            let whole: Vec<String> = std::iter::from_fn(|| {
                if script.read_to < text.len() {
                    script.read(DialectName::Generic, text.len());
                    script.read_in = Some(DialectName::Generic);
                }
                script.next(DialectName::Generic)
            })
            .map(shown)
            .collect();
            prop_assert_eq!(pieces(&text), whole);
        }
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
