//! Text for people: it shows every character as something visible, and goes to standard error without a panic.
//!
//! The text of events is written by the people who caused them. A terminal obeys some characters instead of showing them: escape
//! sequences clear the screen or name the window, a carriage return overwrites the line, and the marks of right-to-left
//! writing turn `exe.gpj` into `jpg.exe`. Others have no width, so that two names look the same. Here each of them becomes
//! its code, `\u{1b}`. Backslashes stay as they are: a Windows path reads as it was written, and no `\t` or `\n` in
//! it is taken for an escape.
//!
//! Tables, messages, logs and lists of completions go through [`printable`] or [`printable_lines`]. Formats for programs
//! do not: they keep every byte. A [`Table`] keeps within the width of the terminal.

mod table;

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::LazyLock;

use regex::{Captures, Regex};

pub use table::{Border, Cell, Column, Drawn, Table};

/// The characters that are not seen: controls, invisible formatting, separators of lines and paragraphs, and characters that
/// fonts may leave out.
const UNSEEN: &str = r"\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}";

/// The text on one line, with codes in place of characters that are not seen.
pub fn printable(text: &str) -> Cow<'_, str> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("[{UNSEEN}]")));
    with_codes(&PATTERN, text)
}

/// The text with codes in place of characters that are not seen, except for line feeds and tabs, which stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"[{UNSEEN}&&[^\n\t]]")));
    with_codes(&PATTERN, text)
}

/// Writes a message to standard error. A closed standard error is ignored.
pub fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable_lines(message));
}

/// Prints the answer to a command line that asks for nothing to be run, help or an error, and gives its exit code. Help
/// that can't be written is a failure, unless its reader has seen enough of it.
pub fn answer(program: &str, message: &clap::Error) -> ExitCode {
    let plain = message.render().to_string();
    let printed = match printable_lines(&plain) {
        Cow::Borrowed(_) => message.print(),
        // Only an error quotes the arguments.
        Cow::Owned(text) => io::stderr().lock().write_all(text.as_bytes()),
    };
    match printed.and_then(|()| io::stdout().lock().flush()) {
        Err(error) if !message.use_stderr() && error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("{program}: cannot write the output: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2)),
    }
}

fn pattern(text: &str) -> Regex {
    // The two patterns are constants, and a test uses both.
    Regex::new(text).expect("a valid pattern")
}

fn with_codes<'a>(pattern: &Regex, text: &'a str) -> Cow<'a, str> {
    pattern.replace_all(text, |found: &Captures<'_>| found[0].escape_unicode().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_are_shown_as_codes() {
        for (text, expected) in [
            ("\x1b[31mred\x1b]0;title\x07", r"\u{1b}[31mred\u{1b}]0;title\u{7}"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("over\rwritten\x08\x7f\0", r"over\u{d}written\u{8}\u{7f}\u{0}"),
            ("\u{202e}gpj.exe\u{2066}\u{200f}\u{61c}", r"\u{202e}gpj.exe\u{2066}\u{200f}\u{61c}"),
            ("a\u{200b}b\u{feff}\u{ad}\u{2060}\u{3164}", r"a\u{200b}b\u{feff}\u{ad}\u{2060}\u{3164}"),
            ("one\u{2028}two\u{2029}three\u{85}", r"one\u{2028}two\u{2029}three\u{85}"),
            ("\u{e0041}\u{e0100}\u{fe0f}", r"\u{e0041}\u{e0100}\u{fe0f}"),
        ] {
            assert_eq!(printable(text), expected);
            assert_eq!(printable_lines(text), expected);
        }
        assert_eq!(printable("a\tb\nc"), r"a\u{9}b\u{a}c");
        assert_eq!(printable_lines("a\tb\nc\r\n"), "a\tb\nc\\u{d}\n");
    }

    #[test]
    fn visible_text_stays() {
        for text in [r"C:\new\temp\u{1b}", "naïve 日本語 עברית العربية 😀", "e\u{301} \u{3000}\u{a0}", "┌─│"]
        {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
