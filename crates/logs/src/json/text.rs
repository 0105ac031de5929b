//! The text that JSON strings stand for.

/// Appends the text that a JSON string, quotes included, stands for. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(string: &[u8], into: &mut Vec<u8>) {
    let mut rest = string.strip_prefix(b"\"").unwrap_or(string);
    rest = rest.strip_suffix(b"\"").unwrap_or(rest);
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        into.extend_from_slice(plain);
        rest = decode(escape, into);
    }
    into.extend_from_slice(rest);
}

/// Whether a text has an escape of half a surrogate pair, in an escape or not: a quick look that may err on this side.
pub(crate) fn may_have_lone_surrogate(text: &[u8]) -> bool {
    memchr::memmem::find(text, br"\ud").is_some() || memchr::memmem::find(text, br"\uD").is_some()
}

/// Whether a JSON string has an escape of half a surrogate pair, which is no character.
pub(crate) fn has_lone_surrogate(string: &[u8]) -> bool {
    let mut rest = string;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let escape = rest.get(at..).unwrap_or_default();
        let length = match hex(escape) {
            Some(0xd800..0xdc00)
                if matches!(hex(escape.get(6..).unwrap_or_default()), Some(0xdc00..0xe000)) =>
            {
                12
            }
            Some(0xd800..0xe000) => return true,
            _ => 2,
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    false
}

/// Appends what the escape at the beginning of `text` stands for, and gives what follows it. What is no escape stays as it is.
fn decode<'a>(text: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let plain = match text.get(1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(b'u') if let Some(unit) = hex(text) => {
            return decode_unicode(unit, text.get(6..).unwrap_or_default(), into);
        }
        _ => {
            into.push(b'\\');
            return text.get(1..).unwrap_or_default();
        }
    };
    into.push(plain);
    text.get(2..).unwrap_or_default()
}

/// Appends the character of a UTF-16 unit, together with the escape that follows if the two are a pair.
fn decode_unicode<'a>(unit: u32, rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let pair = match (unit, hex(rest)) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
        }
        _ => None,
    };
    let character = pair.or(char::from_u32(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest.get(if pair.is_some() { 6 } else { 0 }..).unwrap_or_default()
}

/// The UTF-16 unit of the escape at the beginning of `text`: a backslash, `u` and four hexadecimal digits.
fn hex(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(br"\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(string: &str) -> String {
        let mut text = vec![];
        unescape(string.as_bytes(), &mut text);
        String::from_utf8(text).expect("valid UTF-8")
    }

    #[test]
    fn escapes_are_the_characters_that_they_stand_for() {
        assert_eq!(unescaped(r#""C:\\temp\/a\tb\n\"q\" \b\f\r""#), "C:\\temp/a\tb\n\"q\" \u{8}\u{c}\r");
        assert_eq!(unescaped(r#""\u00e4\u20AC\ud83d\ude00 ä""#), "ä€😀 ä");
        assert_eq!(unescaped(r#""""#), "");
        assert_eq!(unescaped(r#""\\""#), "\\");
    }

    #[test]
    fn lone_surrogates_are_found() {
        for (string, is_lone) in [
            (r#""\ud800""#, true),
            (r#""a\uDFFFb""#, true),
            (r#""\ude00\ud83d""#, true),
            (r#""\ud83d\ud83d\ude00""#, true),
            (r#""\ud83d\ude00""#, false),
            (r#""\\ud800""#, false),
            (r#""\\\ud800""#, true),
            (r#""\u00e4 \\ \n""#, false),
            (r#""\ud8""#, false),
            ("", false),
        ] {
            assert_eq!(has_lone_surrogate(string.as_bytes()), is_lone, "{string}");
            assert!(!is_lone || may_have_lone_surrogate(string.as_bytes()), "{string}");
            assert_eq!(unescaped(string).contains('\u{fffd}'), is_lone, "{string}");
        }
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        assert_eq!(unescaped(r#""\ud83d""#), "\u{fffd}");
        assert_eq!(unescaped(r#""\ude00\ud83dx""#), "\u{fffd}\u{fffd}x");
        assert_eq!(unescaped(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
        assert_eq!(unescaped(r#""\ud83d\n""#), "\u{fffd}\n");
    }

    #[test]
    fn what_is_no_json_string_stays_as_it_is() {
        assert_eq!(unescaped(r#""a\"#), r"a\");
        assert_eq!(unescaped(r#""\u12"#), r"\u12");
        assert_eq!(unescaped(r"\x41"), r"\x41");
        assert_eq!(unescaped("\""), "");
        assert_eq!(unescaped(""), "");
    }
}
