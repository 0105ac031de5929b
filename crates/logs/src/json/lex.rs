//! The tokens of JSON, and where a value ends.
//!
//! Everything is found by position, nothing is copied. Strings are most of a log, so their ends are looked for eight bytes at a
//! time. Nesting is kept in the bits of one integer, so that no text can exhaust the stack.
//!
//! Two things are looser than RFC 8259, since writers of logs are: control characters may stand in strings as they are, and `NaN`,
//! `Infinity` and `-Infinity` are numbers.

/// How deep values may be nested.
pub(super) const MAX_DEPTH: u32 = 128;

const ESCAPE: &str = r"an escape such as \\, \n or \u00e4";

/// White space that is looked at before it is taken for granted that no record begins behind a `{`.
const LOOK_AHEAD: usize = 256;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The first byte that is wrong; the length of the text if it ends too early.
    pub(crate) at: usize,
    pub(crate) problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Something else has to be there.
    Expected(&'static str),
    /// Values are nested deeper than [`MAX_DEPTH`].
    Deep,
    /// There are more members than a table may have columns.
    Wide,
    /// It is longer than a piece may be.
    Long,
}

impl Fault {
    pub(crate) fn expected(at: usize, what: &'static str) -> Self {
        Self { at, problem: Problem::Expected(what) }
    }
}

/// White space of JSON.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The bytes that may stand between two records: white space, the record separator of RFC 7464, and the zeros that a log has where its writer
/// was interrupted.
pub(super) fn is_gap(byte: u8) -> bool {
    is_space(byte) || matches!(byte, 0x1e | 0)
}

/// The first byte at or after `at` that is no white space.
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

/// The first byte at or after `at` that is no gap between records.
pub(super) fn skip_gap(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|byte| is_gap(*byte)) {
        at += 1;
    }
    at
}

/// Whether the first thing at or after `at`, where a line begins, looks like the beginning of a record: `{"`, or `{}`. It is not
/// known if the text ends before. Also gives the place of that thing.
pub(super) fn begins_record(text: &[u8], at: usize) -> (usize, Option<bool>) {
    let at = skip_gap(text, at);
    let answer = match text.get(at) {
        None => None,
        Some(b'{') => {
            let ahead = text.iter().skip(at + 1).take(LOOK_AHEAD);
            match ahead.clone().find(|byte| !is_space(**byte)) {
                Some(byte) => Some(matches!(byte, b'"' | b'}')),
                None if ahead.len() < LOOK_AHEAD => None,
                None => Some(false),
            }
        }
        Some(_) => Some(false),
    };
    (at, answer)
}

/// The first byte at or after `at` that ends the plain part of a string: a quote, a backslash or a control character.
#[inline]
pub(crate) fn skip_plain(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    // A borrow can mark bytes above the first that is marked rightly, but none below it.
    while let Some(word) =
        text.get(at..).and_then(<[u8]>::first_chunk::<8>).map(|bytes| u64::from_le_bytes(*bytes))
    {
        let quote = is_zero(word ^ (ONES * u64::from(b'"')));
        let escape = is_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | escape | control) & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// The end of the string whose quote is at `at`.
///
/// A line end in a string is data, unless a record seems to begin behind it: then the string has lost its quote.
#[inline]
pub(crate) fn string(text: &[u8], at: usize) -> Result<usize, Fault> {
    let mut at = at + 1;
    loop {
        at = skip_plain(text, at);
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(_) => at = special(text, at)?,
            None => return Err(Fault::expected(text.len(), "the end of a string")),
        }
    }
}

/// The place behind the escape or the control character at `at` of a string.
fn special(text: &[u8], at: usize) -> Result<usize, Fault> {
    match (text.get(at), text.get(at + 1)) {
        (Some(b'\\'), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => Ok(at + 2),
        (Some(b'\\'), Some(b'u')) => {
            let digits =
                text.iter().skip(at + 2).take(4).take_while(|digit| digit.is_ascii_hexdigit()).count();
            match digits {
                4 => Ok(at + 6),
                _ if at + 2 + digits == text.len() => Err(Fault::expected(text.len(), "the end of a string")),
                _ => Err(Fault::expected(at, ESCAPE)),
            }
        }
        (Some(b'\\'), None) => Err(Fault::expected(text.len(), "the end of a string")),
        (Some(b'\\'), _) => Err(Fault::expected(at, ESCAPE)),
        (Some(b'\n' | b'\r'), _) => match begins_record(text, at + 1) {
            (_, Some(true)) => Err(Fault::expected(at, "the end of a string")),
            (next, _) => Ok(next),
        },
        _ => Ok(at + 1),
    }
}

/// The end of the number, the literal or the string at `at`.
pub(super) fn scalar(text: &[u8], at: usize) -> Result<usize, Fault> {
    let word = |word: &'static str| {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            return Ok(at + word.len());
        }
        // It may be cut in two.
        let is_cut = word.as_bytes().starts_with(rest);
        Err(Fault::expected(if is_cut { text.len() } else { at }, "a value"))
    };
    match text.get(at) {
        Some(b'"') => string(text, at),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        Some(b't') => word("true"),
        Some(b'f') => word("false"),
        Some(b'n') => word("null"),
        Some(b'N') => word("NaN"),
        Some(b'I') => word("Infinity"),
        _ => Err(Fault::expected(at, "a value")),
    }
}

fn number(text: &[u8], at: usize) -> Result<usize, Fault> {
    let digits = |mut at: usize| match text.get(at) {
        Some(b'0'..=b'9') => {
            while text.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            Ok(at)
        }
        _ => Err(Fault::expected(at, "a digit")),
    };
    let mut at = at;
    if text.get(at) == Some(&b'-') {
        at += 1;
        if text.get(at) == Some(&b'I') {
            return scalar(text, at);
        }
    }
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(at)
}

/// The place of the value that belongs to the key at `at`.
pub(super) fn after_key(text: &[u8], at: usize) -> Result<usize, Fault> {
    if text.get(at) != Some(&b'"') {
        return Err(Fault::expected(at, "a name in quotes"));
    }
    after_colon(text, string(text, at)?)
}

/// The place of the value behind the colon that follows a key.
#[inline]
pub(crate) fn after_colon(text: &[u8], at: usize) -> Result<usize, Fault> {
    let at = skip_space(text, at);
    if text.get(at) != Some(&b':') {
        return Err(Fault::expected(at, "':'"));
    }
    Ok(skip_space(text, at + 1))
}

/// The thing that follows a member of an object, or an item of an array.
pub(crate) enum Next {
    /// Another one, which begins here.
    More(usize),
    /// The end, and what is behind it.
    End(usize),
}

/// Looks behind the member that ends at `at`.
#[inline]
pub(crate) fn after_member(text: &[u8], at: usize) -> Result<Next, Fault> {
    let at = skip_space(text, at);
    match text.get(at) {
        Some(b',') => Ok(Next::More(skip_space(text, at + 1))),
        Some(b'}') => Ok(Next::End(at + 1)),
        _ => Err(Fault::expected(at, "',' or '}'")),
    }
}

/// Looks behind the item that ends at `at`.
pub(super) fn after_item(text: &[u8], at: usize) -> Result<Next, Fault> {
    let at = skip_space(text, at);
    match text.get(at) {
        Some(b',') => Ok(Next::More(skip_space(text, at + 1))),
        Some(b']') => Ok(Next::End(at + 1)),
        _ => Err(Fault::expected(at, "',' or ']'")),
    }
}

/// The end of the value at `at`, a member of a record.
#[inline]
pub(crate) fn value(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at) {
        Some(b'{' | b'[') => nested(text, at, MAX_DEPTH - 1),
        _ => scalar(text, at),
    }
}

/// Whether the object at `at` is valid, up to its end.
pub(super) fn check_object(text: &[u8], at: usize) -> Result<usize, Fault> {
    nested(text, at, MAX_DEPTH)
}

fn nested(text: &[u8], mut at: usize, max_depth: u32) -> Result<usize, Fault> {
    let mut open = Open::default();
    loop {
        // A value begins at `at`.
        let bracket = text.get(at).copied();
        at = match bracket {
            Some(b'{' | b'[') => {
                let is_object = bracket == Some(b'{');
                if !open.push(is_object, max_depth) {
                    return Err(Fault { at, problem: Problem::Deep });
                }
                let inside = skip_space(text, at + 1);
                let is_empty = text.get(inside) == Some(if is_object { &b'}' } else { &b']' });
                if !is_empty {
                    at = if is_object { after_key(text, inside)? } else { inside };
                    continue;
                }
                open.pop();
                inside + 1
            }
            _ => scalar(text, at)?,
        };
        // A value ended before `at`.
        loop {
            let next = match open.is_object() {
                None => return Ok(at),
                Some(true) => after_member(text, at)?,
                Some(false) => after_item(text, at)?,
            };
            match next {
                Next::More(next) => {
                    at = if open.is_object() == Some(true) { after_key(text, next)? } else { next };
                    break;
                }
                Next::End(end) => {
                    open.pop();
                    at = end;
                }
            }
        }
    }
}

/// The brackets that are open, the innermost in the lowest bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Open {
    objects: u128,
    depth: u32,
}

impl Open {
    /// Opens a bracket, unless there are too many.
    #[inline]
    pub(super) fn push(&mut self, is_object: bool, max_depth: u32) -> bool {
        if self.depth >= max_depth {
            return false;
        }
        self.objects = self.objects << 1 | u128::from(is_object);
        self.depth += 1;
        true
    }

    /// Closes the innermost bracket.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.objects >>= 1;
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost bracket is that of an object; none if all are closed.
    #[inline]
    pub(super) fn is_object(self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }
}
