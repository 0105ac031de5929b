//! [`Delimiters`]: a class of characters that separate the parts of a command line.
//!
//! The default is the class of the msticpy library, in Python's notation ``[\s\-\\/\.,"'|&:;%$()]``. A user may give
//! another one, and it means what it means in Python's `re`:
//!
//! - `\s` is Unicode white space and U+001C to U+001F, which Rust leaves out. Neither counts U+200B, U+180E, U+FEFF.
//! - `\w` is a letter, a number or `_`; Rust's has marks and joiners besides. `\d` is the same in both.
//! - `&&`, `--`, `~~` and a nested `[` are plain characters; in Rust they are operators. A `]` in the first place is
//!   a plain character too.
//!
//! So the class is parsed by Python's rules and written anew for Rust, with every character as its number. A match is always
//! one character, so no regular expression runs over a whole text: ASCII is looked up in a table of bytes, and only other
//! characters are tested one by one. The default class, which most calls use, is arithmetic on bytes. In command lines its members are
//! counted at 3 GiB/s on one thread, and written at about 1 GiB/s, the more the fewer they are.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::common::{Result, ScalarValue};
use regex::Regex;

use super::ascii;
use crate::error::argument_error;

/// The bytes of a text that are looked at before the members among them are passed on.
const PIECE: usize = 256;

/// A set of characters.
#[derive(Debug)]
pub(super) struct Delimiters {
    /// 1 for a member, and for bytes from 128 on, which are parts of characters that are looked at one by one.
    kept: [u8; 256],
    /// The expression that the other members match. Without it, white space is a member.
    others: Option<Regex>,
}

const KEPT_BEYOND_ASCII: [u8; 256] = {
    let mut kept = [0; 256];
    let mut byte = 128;
    while byte < 256 {
        kept[byte] = 1;
        byte += 1;
    }
    kept
};

static DEFAULT: LazyLock<Arc<Delimiters>> = LazyLock::new(|| {
    let mut kept = KEPT_BEYOND_ASCII;
    for byte in *b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f -\\/.,\"'|&:;%$()" {
        kept[usize::from(byte)] = 1;
    }
    Arc::new(Delimiters { kept, others: None })
});

/// Whether an ASCII byte is in the default class. It is arithmetic, which the compiler does for many bytes at once.
#[inline]
fn is_default(byte: u8) -> bool {
    let is_ascii_space = matches!(byte, b'\t'..=b'\r');
    let from_1c_to_slash = matches!(byte, 0x1c..=b'/');
    // The characters ! # * + are in that range but not in the class; : ; \ | are in the class but not in that range. Pairs that
    // differ in one bit are corrected at once: ! #, then * + with : ;, then \ |.
    is_ascii_space ^ from_1c_to_slash ^ (byte | 0x02 == b'#') ^ (byte | 0x11 == b';') ^ (byte | 0x20 == b'|')
}

impl Delimiters {
    /// Returns the class that argument 2 of `function` gives: the default without one, `None` if it is NULL.
    ///
    /// Classes are compiled once per process and kept, since a query comes here once per batch.
    pub(super) fn from_option(function: &str, option: Option<&ScalarValue>) -> Result<Option<Arc<Self>>> {
        const KEPT: usize = 64;
        static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Delimiters>>>> = LazyLock::new(Mutex::default);

        let Some(option) = option else { return Ok(Some(Arc::clone(&DEFAULT))) };
        let Some(class) = option.try_as_str().flatten() else { return Ok(None) };

        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(delimiters) = compiled.get(class) {
            return Ok(Some(Arc::clone(delimiters)));
        }
        let delimiters = match Self::parse(class) {
            Ok(delimiters) => Arc::new(delimiters),
            Err(reason) => {
                let (got, expected) = (format!("'{class}'"), r"one bracket expression such as '[\s=,]'");
                return Err(argument_error(function, "argument 2 (class)", &got, expected, Some(&reason)));
            }
        };
        if compiled.len() == KEPT {
            compiled.clear();
        }
        compiled.insert(class.to_owned(), Arc::clone(&delimiters));
        Ok(Some(delimiters))
    }

    fn parse(class: &str) -> Result<Self, String> {
        let regex = Regex::new(&python_class_for_rust(class)?).map_err(|error| error.to_string())?;
        let mut kept = KEPT_BEYOND_ASCII;
        for byte in 0..128_u8 {
            kept[usize::from(byte)] = u8::from(matches_char(&regex, char::from(byte)));
        }
        Ok(Self { kept, others: Some(regex) })
    }

    fn contains(&self, c: char) -> bool {
        match (u8::try_from(c), &self.others) {
            (Ok(byte), _) if byte.is_ascii() => self.kept[usize::from(byte)] == 1,
            (_, Some(regex)) => matches_char(regex, c),
            (_, None) => c.is_whitespace(),
        }
    }

    /// Counts the characters of `text` that are members.
    pub(super) fn count(&self, text: &str) -> i64 {
        let in_ascii = match &self.others {
            None => ascii::count(text, is_default),
            Some(_) if text.is_ascii() => {
                Some(text.bytes().map(|byte| i64::from(self.kept[usize::from(byte)])).sum())
            }
            Some(_) => None,
        };
        in_ascii.unwrap_or_else(|| text.chars().filter(|&c| self.contains(c)).count() as i64)
    }

    /// Copies the bytes of `chunk` that are kept to `piece`, and returns how many there are.
    #[inline]
    fn keep(&self, chunk: &[u8], piece: &mut [u8; PIECE]) -> usize {
        let mut length = 0;
        for &byte in chunk {
            // Every byte is written, and overwritten if it is not kept, which needs no unpredictable branch. The remainder is the
            // length itself, but spares a check of bounds.
            piece[length % PIECE] = byte;
            length += usize::from(self.kept[usize::from(byte)]);
        }
        length
    }

    /// Passes the members among the characters of `text` to `f`, in order, several at a time.
    pub(super) fn for_each_piece(&self, text: &str, mut f: impl FnMut(&str)) {
        let mut piece = [0; PIECE];
        let mut rest = text;
        for chunk in text.as_bytes().chunks(PIECE) {
            let length = match &self.others {
                None => keep_default(chunk, &mut piece),
                Some(_) => self.keep(chunk, &mut piece),
            };
            match str::from_utf8(&piece[..length]) {
                Ok(members) if members.is_ascii() => f(members),
                _ => break,
            }
            // All of the chunk is ASCII, since other bytes are kept: its end is a boundary of characters.
            rest = &rest[chunk.len()..];
        }
        // All chunks so far were ASCII.
        rest.chars().filter(|&c| self.contains(c)).for_each(|c| f(c.encode_utf8(&mut [0; 4])));
    }
}

/// Cuts a text at the default class: a piece, a delimiter, a piece, and so on to a last piece. Pieces may be empty.
pub(crate) fn cut(text: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut start = 0;
    for (place, character) in text.char_indices().filter(|&(_, character)| DEFAULT.contains(character)) {
        // Both places are boundaries of characters.
        let end = place + character.len_utf8();
        parts.extend([&text[start..place], &text[place..end]]);
        start = end;
    }
    parts.push(&text[start..]);
    parts
}

/// Does what [`Delimiters::keep`] does, for the default class: the members are found block by block and copied one by one, since a
/// command line has few of them.
#[inline]
fn keep_default(chunk: &[u8], piece: &mut [u8; PIECE]) -> usize {
    let mut length = 0;
    let mut keep = |block: &[u8; ascii::BLOCK], done: usize| {
        // The loop is by index since the compiler does not vectorize a zip.
        let mut flags = [0; ascii::BLOCK];
        for i in 0..ascii::BLOCK {
            flags[i] = u8::from(is_default(block[i]) | !block[i].is_ascii());
        }
        let mut kept = ascii::bits(&flags) & u32::MAX << done;
        while kept != 0 {
            piece[length % PIECE] = block[kept.trailing_zeros() as usize % ascii::BLOCK];
            length += 1;
            kept &= kept - 1;
        }
    };
    let (blocks, rest) = chunk.as_chunks();
    for block in blocks {
        keep(block, 0);
    }
    if !rest.is_empty() {
        match chunk.last_chunk() {
            Some(last) => keep(last, ascii::BLOCK - rest.len()),
            None => return DEFAULT.keep(rest, piece),
        }
    }
    length
}

fn matches_char(regex: &Regex, c: char) -> bool {
    regex.is_match(c.encode_utf8(&mut [0; 4]))
}

/// Translates a bracket expression from Python's notation to Rust's, or says what is wrong with it.
fn python_class_for_rust(class: &str) -> Result<String, String> {
    const NOT_CLOSED: &str = "it is not closed by ]";

    let mut chars = class.chars().peekable();
    if chars.next() != Some('[') {
        return Err("it does not begin with [".to_owned());
    }
    let mut rust = String::from("[");
    if chars.next_if_eq(&'^').is_some() {
        rust.push('^');
    }
    let mut first = true;
    loop {
        let c = chars.next().ok_or(NOT_CLOSED)?;
        if c == ']' && !first {
            break;
        }
        first = false;
        let member = Member::read(c, &mut chars)?;
        if chars.next_if_eq(&'-').is_none() {
            rust += &member.in_rust();
            continue;
        }
        // A hyphen makes a range unless it is the last character.
        let c = chars.next().ok_or(NOT_CLOSED)?;
        if c == ']' {
            rust += &member.in_rust();
            rust += r"\-";
            break;
        }
        match (member, Member::read(c, &mut chars)?) {
            (Member::Char(low), Member::Char(high)) if low <= high => {
                rust += &in_rust(low);
                rust.push('-');
                rust += &in_rust(high);
            }
            _ => return Err("a range of it does not run from a lower to a higher character".to_owned()),
        }
    }
    if chars.next().is_some() {
        return Err("there is more after its closing ]".to_owned());
    }
    rust.push(']');
    Ok(rust)
}

/// An item between the brackets: a character, or several under one name.
enum Member {
    Char(char),
    Named(&'static str),
}

impl Member {
    /// Reads an item that begins with `c`.
    fn read(c: char, chars: &mut Peekable<Chars>) -> Result<Self, String> {
        if c != '\\' {
            return Ok(Self::Char(c));
        }
        let c = chars.next().ok_or("it ends in a backslash")?;
        Ok(match c {
            'a' => Self::Char('\x07'),
            'b' => Self::Char('\x08'),
            'f' => Self::Char('\x0c'),
            'n' => Self::Char('\n'),
            'r' => Self::Char('\r'),
            't' => Self::Char('\t'),
            'v' => Self::Char('\x0b'),
            'd' => Self::Named(r"\d"),
            'D' => Self::Named(r"\D"),
            's' => Self::Named(r"\s\x1c-\x1f"),
            'S' => Self::Named(r"[^\s\x1c-\x1f]"),
            'w' => Self::Named(r"\p{L}\p{N}_"),
            'W' => Self::Named(r"[^\p{L}\p{N}_]"),
            'x' => Self::Char(hexadecimal(c, 2, chars)?),
            'u' => Self::Char(hexadecimal(c, 4, chars)?),
            'U' => Self::Char(hexadecimal(c, 8, chars)?),
            '0'..='7' => {
                let octal = format!("{c}{}", digits(8, 2, chars));
                match u8::from_str_radix(&octal, 8) {
                    Ok(number) => Self::Char(char::from(number)),
                    Err(_) => return Err(format!(r"\{octal} is beyond \377")),
                }
            }
            'N' => return Err(r"\N{...} is not supported, give the character's number: \uHHHH".to_owned()),
            c if c.is_ascii_alphanumeric() => return Err(format!(r"\{c} is not an escape")),
            c => Self::Char(c),
        })
    }

    fn in_rust(&self) -> String {
        match self {
            Self::Char(c) => in_rust(*c),
            Self::Named(name) => (*name).to_owned(),
        }
    }
}

fn in_rust(c: char) -> String {
    format!("\\x{{{:x}}}", u32::from(c))
}

/// Reads the character of an escape `\x`, `\u` or `\U`, which has exactly `count` digits.
fn hexadecimal(escape: char, count: usize, chars: &mut Peekable<Chars>) -> Result<char, String> {
    let digits = digits(16, count, chars);
    if digits.len() < count {
        return Err(format!(r"\{escape} wants {count} hexadecimal digits"));
    }
    let character = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
    character.ok_or_else(|| format!(r"\{escape}{digits} is not a character"))
}

/// Reads the next digits, at most `most` of them.
fn digits(radix: u32, most: usize, chars: &mut Peekable<Chars>) -> String {
    std::iter::from_fn(|| chars.next_if(|c| c.is_digit(radix))).take(most).collect()
}

#[cfg(test)]
mod tests {
    use datafusion::common::ScalarValue;
    use proptest::prelude::*;

    use super::*;

    fn members(delimiters: &Delimiters, text: &str) -> String {
        let mut members = String::new();
        delimiters.for_each_piece(text, |piece| members += piece);
        members
    }

    /// The expected members are those that `''.join(re.findall(class, text))` gives in Python 3.11.
    #[test]
    fn reads_classes_as_python_does() {
        for (class, text, expected) in [
            (r"[\s=]", "a=b c\x1cd\u{a0}e\u{200b}", "= \x1c\u{a0}"),
            ("[]x]", "a]x[", "]x"),
            ("[^]x]", "a]x[", "a["),
            ("[[]", "a[b]", "["),
            ("[&&]", "&a", "&"),
            ("[a&&b]", "a&b-", "a&b"),
            ("[a~~b||c]", "a~b|c", "a~b|c"),
            ("[+--]", "+,-.", "+,-"),
            ("[a-]", "a-b", "a-"),
            ("[-a]", "a-b", "a-"),
            ("[a-c-e]", "abcde-", "abce-"),
            (r"[a\-z]", "am-z", "a-z"),
            (r"[\w-]", "é-²!", "é-²"),
            (r"[\d]", "1٣²", "1٣"),
            (r"[\D]", "1٣²", "²"),
            (r"[\w]", "aé٣²Ⅷ中_-\u{301}\u{200d}", "aé٣²Ⅷ中_"),
            (r"[\W]", "aé_-\u{301}\u{200d}", "-\u{301}\u{200d}"),
            (r"[\S]", " a\x1f\u{3000}b", "ab"),
            (r"[^\s]", " a\x1f\u{3000}b", "ab"),
            ("[^a]", "ab\né", "b\né"),
            ("[^^]", "^a", "a"),
            ("[a^]", "^ab", "^a"),
            ("[à-ü]", "aéü", "éü"),
            (r"[\x41\u0042\U00000043]", "ABCD", "ABC"),
            (r"[\101\0\7]", "A\0\x071", "A\0\x07"),
            (r"[\1011]", "A1", "A1"),
            (r"[\b\a\f\v\n\r\t]", "\x08\x07\x0c\x0b\n\r\tb", "\x08\x07\x0c\x0b\n\r\t"),
            (r"[\]\[\^\-\\]", r"][^-\a", r"][^-\"),
            ("[.*+?{}()|$# ]", ".*+?{}()|$# a", ".*+?{}()|$# "),
            ("[:alpha:]", "al[:", "al:"),
            ("[[:alpha:]", "a:[b", "a:["),
        ] {
            let delimiters = Delimiters::parse(class).unwrap_or_else(|reason| panic!("{class}: {reason}"));
            assert_eq!(members(&delimiters, text), expected, "{class}");
        }
    }

    #[test]
    fn refuses_what_is_no_bracket_expression() {
        for class in [
            "",
            "a",
            "[",
            "[]",
            "[^]",
            "[a",
            "[a]b",
            "[a]+",
            "[a][b]",
            "[b-a]",
            r"[\w-a]",
            r"[a-\w]",
            "[a--]",
            r"[\q]",
            r"[\8]",
            r"[\x4]",
            r"[\u12]",
            r"[\400]",
            r"[\",
            "[a-",
            r"[\N{DASH}]",
            r"[\U00110000]",
            r"[\ud800]",
            r"[a\]",
        ] {
            let error = Delimiters::from_option("f", Some(&ScalarValue::from(class))).expect_err(class);
            assert!(error.to_string().contains("f: argument 2 (class) is "), "{error}");
        }
    }

    /// The default has its ASCII members twice.
    #[test]
    fn default_arithmetic_equals_its_table() {
        for byte in 0..=u8::MAX {
            let is_kept = DEFAULT.kept[usize::from(byte)] == 1;
            assert_eq!(is_default(byte) || !byte.is_ascii(), is_kept, "{byte:#x}");
        }
        for c in (0..=0x7f_u8).map(char::from).chain("\u{85}\u{a0}é\u{2028}\u{3000}\u{1f600}".chars()) {
            for length in 0..=70 {
                let text = format!("{c}{}{c}", "a".repeat(length));
                assert_eq!(DEFAULT.count(&text), 2 * i64::from(DEFAULT.contains(c)), "{text}");
            }
        }
    }

    /// Members are passed whole at the ends of the pieces, wherever other characters begin.
    #[test]
    fn pieces_have_every_member() {
        for place in (0..4).chain(250..260).chain(508..516) {
            for c in ['.', 'a', '\u{a0}', 'é', '\u{3000}', '\u{1f600}'] {
                let text = format!("{}{c}{}", "-a".repeat(place).split_at(place).0, ".é a".repeat(70));
                let expected: String = text.chars().filter(|&c| DEFAULT.contains(c)).collect();
                assert_eq!(members(&DEFAULT, &text), expected, "{text}");
            }
        }
    }

    /// Python's `\s` on `str`, code point by code point.
    #[test]
    fn default_has_the_white_space_of_python() {
        let spaces: Vec<_> = (0..=u32::from(char::MAX))
            .filter_map(char::from_u32)
            .filter(|&c| DEFAULT.contains(c) && !r#"-\/.,"'|&:;%$()"#.contains(c))
            .map(u32::from)
            .collect();
        let mut expected: Vec<_> = (0x9..=0xd).chain(0x1c..=0x20).chain([0x85, 0xa0, 0x1680]).collect();
        expected.extend((0x2000..=0x200a).chain([0x2028, 0x2029, 0x202f, 0x205f, 0x3000]));
        assert_eq!(spaces, expected);
        assert_eq!(spaces.len(), 29);
    }

    proptest! {
        /// The default, arithmetic and a byte table, is the class that it stands for, read as any other. Three ways
        /// to the same number: ASCII path, translation and expression, and one character at a time.
        #[test]
        fn default_equals_its_definition(
            text in "([ -~]|[\\s\\x1c-\\x1f]){0,300}([ -~]|\\PC|[\\s\\x1c-\\x1f\u{85}\u{200b}])*"
        ) {
            let defined = Delimiters::parse(r#"[\s\-\\/\.,"'|&:;%$()]"#).expect("a class");
            let one_by_one = text.chars().filter(|&c| defined.contains(c)).count() as i64;
            prop_assert_eq!(DEFAULT.count(&text), one_by_one);
            prop_assert_eq!(defined.count(&text), one_by_one);
            prop_assert_eq!(members(&DEFAULT, &text), members(&defined, &text));
        }
    }
}
