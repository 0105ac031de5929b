//! The matchers of [`cmdline_template`](super::cmdline_template): GUIDs, times, addresses, numbers.
//!
//! A matcher takes a text and the place where something may begin, and returns the place behind it, or `None`. It reads once from
//! left to right and never goes back: wherever a pattern has a choice, the next byte decides. It stops after some
//! 60 bytes at most; only the fraction of a second has no limit. The tests compare all this with regular expressions.
//!
//! No text makes an index go wrong: a place is moved only past a byte that `get`, or an iterator over the rest, has given, so it is at
//! most the length. Every byte that is passed is ASCII, so a place behind it, and the place of such a byte, is a boundary of characters.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;

pub(super) type Mask = &'static str;
const GUID: Mask = "<GUID>";
const TIME: Mask = "<TIME>";
const IP: Mask = "<IP>";
const HEX: Mask = "<HEX>";
const NUM: Mask = "<NUM>";

/// The classes of ASCII letters and digits are bits, so that a set of them is a byte too.
const DIGIT: u8 = 1;
const A_TO_F: u8 = 2;
const G_TO_Z: u8 = 4;

/// The class of each byte; 0 if it is no ASCII letter or digit.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => A_TO_F,
            b'g'..=b'z' | b'G'..=b'Z' => G_TO_Z,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// A part of a text, with the mask that replaces it.
pub(super) struct Masked {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) mask: Mask,
}

/// Looks at the `sign` of `text`, the first from `from` on, and at the run that it belongs to or ends. Returns what is masked, or
/// else the place where the search goes on.
#[inline]
pub(super) fn look(text: &str, from: usize, sign: usize) -> Result<Masked, usize> {
    let bytes = text.as_bytes();
    let masked = match bytes[sign] {
        b'{' => guid_in_braces(text, sign).map(|end| Masked { start: sign, end, mask: GUID }),
        b'-' => letters_before(text, from, sign)
            .filter(|start| sign - start == 8)
            .and_then(|start| Some(Masked { start, end: guid(text, start)?, mask: GUID })),
        b':' => {
            // Behind a run, the colon itself begins no address.
            let start = letters_before(text, from, sign).filter(|start| sign - start <= 4).unwrap_or(sign);
            ipv6(text, start).map(|end| Masked { start, end, mask: IP })
        }
        _ => return digits_in_run(text, from, sign),
    };
    masked.ok_or(sign + 1)
}

/// Returns the beginning of the run before `end`, which is not before `from`, if all of it is letters from A to F.
#[inline]
fn letters_before(text: &str, from: usize, end: usize) -> Option<usize> {
    let letters = text.as_bytes()[from..end].iter().rev().take_while(|&&byte| class(byte) == A_TO_F).count();
    let start = end - letters;
    (start == from || !text[from..start].ends_with(char::is_alphanumeric)).then_some(start)
}

/// Masks the run around its first digit, or what begins with the run.
#[inline]
fn digits_in_run(text: &str, from: usize, digit: usize) -> Result<Masked, usize> {
    let bytes = text.as_bytes();
    let (mut start, mut end, mut classes) = (digit, digit, 0);
    while start > from && class(bytes[start - 1]) != 0 {
        start -= 1;
        classes |= class(bytes[start]);
    }
    while let Some(&byte) = bytes.get(end)
        && class(byte) != 0
    {
        classes |= class(byte);
        end += 1;
    }
    // A run with other letters than those of ASCII has no mask.
    let goes_on = bytes.get(end).is_some_and(|byte| !byte.is_ascii()) && is_alphanumeric_at(text, end);
    if goes_on
        || start > from && !bytes[start - 1].is_ascii() && text[from..start].ends_with(char::is_alphanumeric)
    {
        let rest = &text[end..];
        return Err(end + rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()));
    }
    let (mask, end) = if classes & G_TO_Z == 0 {
        of_hexadecimal_run(text, start, end, classes).ok_or(end)?
    } else if class(bytes[start]) == DIGIT {
        of_run_with_letters(&bytes[start..end]).map(|mask| (mask, end)).ok_or(end)?
    } else {
        return Err(end);
    };
    Ok(Masked { start, end, mask })
}

#[inline]
fn of_hexadecimal_run(text: &str, start: usize, end: usize, classes: u8) -> Option<(Mask, usize)> {
    let length = end - start;
    let is_number = classes == DIGIT;
    let spanning = match text.as_bytes().get(end) {
        Some(b'-') if length == 8 => guid(text, start).map(|end| (GUID, end)),
        Some(b'-' | b'/') if length == 4 && is_number => iso_date(text, end).map(|end| (TIME, end)),
        Some(b'/') if length <= 2 && is_number => us_date(text, end).map(|end| (TIME, end)),
        Some(b'.') if length <= 3 && is_number => ipv4(text, start).map(|end| (IP, end)),
        Some(b':') if length <= 4 => {
            let time = if length <= 2 && is_number { time_of_day(text, start) } else { None };
            time.map(|end| (TIME, end)).or_else(|| Some((IP, ipv6(text, start)?)))
        }
        _ => None,
    };
    spanning.or(if is_number { Some((NUM, end)) } else { (length >= 8).then_some((HEX, end)) })
}

/// The run begins with a digit and has other letters than those from A to F.
fn of_run_with_letters(run: &[u8]) -> Option<Mask> {
    let all_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match run {
        [b'0', b'x' | b'X', digits @ ..]
            if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) =>
        {
            Some(HEX)
        }
        [date @ .., b'T', _, _, _, _, _, _] | [date @ .., b'T', _, _, _, _, _, _, b'Z']
            if date.len() == 8 && all_digits(date) && all_digits(&run[9..15]) =>
        {
            Some(TIME)
        }
        _ => None,
    }
}

/// `4f1c2a90-5b1d-4c0e-9a55-0123456789ab`
fn guid(text: &str, at: usize) -> Option<usize> {
    let end = guid_form(text, at)?;
    (!is_alphanumeric_at(text, end)).then_some(end)
}

fn guid_in_braces(text: &str, at: usize) -> Option<usize> {
    let end = one_of(b"}", text.as_bytes(), guid_form(text, at + 1)?)?;
    (!is_alphanumeric_at(text, end)).then_some(end)
}

fn guid_form(text: &str, at: usize) -> Option<usize> {
    let guid: &[u8; 36] = text.as_bytes()[at..].first_chunk()?;
    let hyphens_in_place = [8, 13, 18, 23].iter().all(|&place| guid[place] == b'-');
    // All bytes are looked at, which the compiler does for many at once.
    let (mut hyphens, mut all_known) = (0_u8, true);
    for &byte in guid {
        let (is_hyphen, is_digit) = (byte == b'-', byte.is_ascii_digit());
        hyphens += u8::from(is_hyphen);
        all_known &= is_hyphen | is_digit | matches!(byte | 0x20, b'a'..=b'f');
    }
    (hyphens_in_place && hyphens == 4 && all_known).then_some(at + 36)
}

/// `2019-01-11T04:30:22.5Z`, `2019/1/11 4:30 PM`, `2019-01-11`, from behind the year on.
fn iso_date(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = digits(1, 2, bytes, one_of(b"-/", bytes, at)?)?;
    let date = digits(1, 2, bytes, one_of(b"-/", bytes, at)?)?;
    let clock = one_of(b"T ", bytes, date).and_then(|at| clock(text, at));
    let end = clock.map_or(date, |clock| zone(text, clock).unwrap_or(clock));
    (!is_alphanumeric_at(text, end)).then_some(end)
}

/// `1/11/2019`, `1/11/2019, 4:30:22 PM`, from behind the month on.
fn us_date(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = digits(1, 2, bytes, one_of(b"/", bytes, at)?)?;
    let date = digits(4, 4, bytes, one_of(b"/", bytes, at)?)?;
    let behind_comma = one_of(b",", bytes, date).unwrap_or(date);
    let clock = one_of(b" ", bytes, behind_comma).and_then(|at| clock(text, at));
    let end = clock.unwrap_or(date);
    (!is_alphanumeric_at(text, end)).then_some(end)
}

/// `04:30:22`, `4:30:22.5 PM`
fn time_of_day(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let seconds = seconds(bytes, hour_and_minute(bytes, at)?)?;
    let end = half(text, seconds).unwrap_or(seconds);
    (!is_alphanumeric_at(text, end)).then_some(end)
}

/// `04:30`, `04:30:22.5`, `4:30 PM`
fn clock(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let minute = hour_and_minute(bytes, at)?;
    let time = seconds(bytes, minute).unwrap_or(minute);
    Some(half(text, time).unwrap_or(time))
}

fn hour_and_minute(bytes: &[u8], at: usize) -> Option<usize> {
    let hour = digits(1, 2, bytes, at)?;
    digits(2, 2, bytes, one_of(b":", bytes, hour)?)
}

/// `:22`, `:22.5`
fn seconds(bytes: &[u8], at: usize) -> Option<usize> {
    let seconds = digits(2, 2, bytes, one_of(b":", bytes, at)?)?;
    let fraction = one_of(b".", bytes, seconds).and_then(|at| digits(1, usize::MAX, bytes, at));
    Some(fraction.unwrap_or(seconds))
}

/// `PM`, ` am`
fn half(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = one_of(b" ", bytes, at).unwrap_or(at);
    let end = one_of(b"Mm", bytes, one_of(b"AaPp", bytes, at)?)?;
    word_ends(text, end).then_some(end)
}

/// `Z`, `+01:00`, `-0530`
fn zone(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    one_of(b"Z", bytes, at).or_else(|| {
        let hours = digits(2, 2, bytes, one_of(b"+-", bytes, at)?)?;
        let minutes = one_of(b":", bytes, hours).unwrap_or(hours);
        let end = digits(2, 2, bytes, minutes)?;
        word_ends(text, end).then_some(end)
    })
}

/// Whether `\b` of a regular expression would match behind the letter or digit before `at`.
fn word_ends(text: &str, at: usize) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\w").expect("a pattern of this file"));
    match text.as_bytes().get(at) {
        None => true,
        Some(byte) if byte.is_ascii() => class(*byte) == 0 && *byte != b'_',
        Some(_) => !WORD.is_match(&text[at..]),
    }
}

/// `10.0.0.17`; as in `IpAddr`, a number is below 256 and has no leading zero.
fn ipv4(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let number = |at: usize| {
        let end = digits(1, 3, bytes, at)?;
        let number = bytes[at..end].iter().fold(0, |number, byte| 10 * number + u32::from(byte - b'0'));
        let leading_zero = bytes[at] == b'0' && end - at > 1;
        (number < 256 && !leading_zero).then_some(end)
    };
    let mut end = number(start)?;
    for _ in 0..3 {
        end = number(one_of(b".", bytes, end)?)?;
    }
    (!part_of_more(text, start, end)).then_some(end)
}

/// `fe80::1`, `::ffff:10.0.0.17`; one of the digits is a decimal one, since `[Collections]::Add` is no address.
fn ipv6(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let at_colon = bytes[start] == b':';
    if at_colon
        && (bytes.get(start + 1) != Some(&b':')
            || text[..start].ends_with(|c: char| c == ':' || c.is_alphanumeric()))
    {
        return None;
    }
    let group = |at: usize| bytes[at..].iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let mut end = start + group(start);
    let mut colons = 0;
    while colons < 8 && bytes.get(end) == Some(&b':') {
        end += 1 + group(end + 1);
        colons += 1;
    }
    let mut points = 0;
    while points < 3
        && let Some(longer) = one_of(b".", bytes, end).and_then(|at| digits(1, 3, bytes, at))
    {
        end = longer;
        points += 1;
    }
    if part_of_more(text, start, end) {
        return None;
    }
    // A single colon behind an address is not part of it, as in `fe80::1: text`.
    let address = match text[start..end].strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => {
            colons -= 1;
            shorter
        }
        _ => &text[start..end],
    };
    // This is much shorter than the attempt to read it.
    let colons_fit = colons + points / 3 == 7 || address.contains("::");
    let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
    (colons_fit && has_digit && address.parse::<Ipv6Addr>().is_ok()).then_some(start + address.len())
}

/// Whether what looks like an address is a part of something else, as in `1.2.3.4.5`.
fn part_of_more(text: &str, start: usize, end: usize) -> bool {
    is_alphanumeric_at(text, end)
        || matches!(text.as_bytes()[end..], [b'.', b'0'..=b'9', ..])
        || text[..start].ends_with('.')
}

#[inline]
fn is_alphanumeric_at(text: &str, at: usize) -> bool {
    match text.as_bytes().get(at) {
        None => false,
        Some(byte) if byte.is_ascii() => class(*byte) != 0,
        Some(_) => text[at..].starts_with(char::is_alphanumeric),
    }
}

/// Passes one byte, which is one of `members`.
#[inline]
fn one_of(members: &[u8], bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at).is_some_and(|byte| members.contains(byte)).then_some(at + 1)
}

/// Passes as many digits as there are, at most `most` of them; less than `least` are none.
#[inline]
fn digits(least: usize, most: usize, bytes: &[u8], at: usize) -> Option<usize> {
    let count = bytes[at..].iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    (count >= least).then_some(at + count)
}
