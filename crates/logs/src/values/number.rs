//! Numbers as they are written, and whether a type holds them exactly.
//!
//! A number is read as one only if the type gives back what was written, so that `007`, `+7`, `0x1F`, `12e4` and an account number of
//! 20 digits stay text. Integers are exact in 64 bits. A decimal is exact in a DOUBLE if it has at most 15 significant digits, or
//! if the shortest text of the DOUBLE is the same number: `0.30000000000000004` is, `0.30000000000000001` isn't.

use std::fmt::Write;

/// The integer that is written like this and in no other way.
#[inline]
pub(super) fn integer(bytes: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !is_negative => return Some(0),
        // 19 digits fit 64 bits without a sign.
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut magnitude = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    if is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// The notation of a number that a DOUBLE holds exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Without a point and an exponent.
    Integer,
    Decimal,
}

/// The notation of a number, if it is one that a DOUBLE holds exactly. Outside of JSON, an exponent needs a point or a sign:
/// `12e4` is an identifier.
pub(super) fn exact_float(bytes: &[u8], is_json: bool) -> Option<Notation> {
    let number = Parts::of(bytes)?;
    let notation = match number.exponent {
        None if number.fraction.is_empty() => Notation::Integer,
        Some(_) if !(is_json || number.has_sign || !number.fraction.is_empty()) => return None,
        _ => Notation::Decimal,
    };
    let fraction = without_trailing_zeros(number.fraction);
    let digits = if number.whole == b"0" {
        fraction.len() - leading_zeros(fraction)
    } else {
        number.whole.len() + fraction.len()
    };
    let is_exact = digits <= 15 && number.magnitude().abs() <= 290 || number.is_printed_by_its_double(bytes);
    is_exact.then_some(notation)
}

/// Whether the DOUBLE of an integer prints as the same number.
#[inline]
pub(super) fn is_exact_in_double(integer: i64) -> bool {
    const DIGITS_15: u64 = 999_999_999_999_999;
    integer.unsigned_abs() <= DIGITS_15 || is_printed_by_its_double(integer)
}

fn is_printed_by_its_double(integer: i64) -> bool {
    let mut text = Buffer::default();
    write!(text, "{integer}").is_ok() && exact_float(text.written(), false).is_some()
}

/// The DOUBLE of a number, or of a word for one that no digits can write.
pub(super) fn float(bytes: &[u8]) -> Option<f64> {
    if let Some(word) = special(bytes) {
        return Some(word);
    }
    let value: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// The DOUBLE of `NaN`, `Infinity`, `inf`, with a sign or without.
pub(super) fn special(bytes: &[u8]) -> Option<f64> {
    let (sign, word) = match bytes {
        [b'-', word @ ..] => (-1.0, word),
        [b'+', word @ ..] => (1.0, word),
        b"NaN" | b"nan" | b"NAN" => return Some(f64::NAN),
        word => (1.0, word),
    };
    match word {
        b"Infinity" | b"infinity" | b"INFINITY" | b"inf" | b"Inf" | b"INF" => Some(sign * f64::INFINITY),
        _ => None,
    }
}

/// A number by its parts: `-?whole(.fraction)?(e exponent)?`, where `whole` has no leading zero.
struct Parts<'a> {
    /// The number or its exponent has a sign.
    has_sign: bool,
    is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: Option<i32>,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_negative = bytes.first() == Some(&b'-');
        let (whole, rest) = digits(bytes.get(usize::from(is_negative)..)?);
        if whole.is_empty() || whole.len() > 1 && whole.first() == Some(&b'0') {
            return None;
        }
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => Some(digits(rest)).filter(|(fraction, _)| !fraction.is_empty())?,
            rest => (&[][..], rest),
        };
        let (sign, exponent) = match rest {
            [] => return Some(Self { has_sign: is_negative, is_negative, whole, fraction, exponent: None }),
            [b'e' | b'E', b'-', exponent @ ..] => (Some(-1), exponent),
            [b'e' | b'E', b'+', exponent @ ..] => (Some(1), exponent),
            [b'e' | b'E', exponent @ ..] => (None, exponent),
            _ => return None,
        };
        let (exponent, rest) = digits(exponent);
        if exponent.is_empty() || !rest.is_empty() {
            return None;
        }
        // Beyond any DOUBLE it doesn't matter how far.
        let magnitude =
            exponent.iter().fold(0_i32, |sum, digit| (sum * 10 + i32::from(digit - b'0')).min(1_000_000));
        let exponent = Some(magnitude * sign.unwrap_or(1));
        Some(Self { has_sign: is_negative || sign.is_some(), is_negative, whole, fraction, exponent })
    }

    /// The power of ten of the number as `0.digits * 10^n`, where the first digit isn't 0; 0 if all are.
    fn magnitude(&self) -> i64 {
        let before_point = if self.whole != b"0" {
            self.whole.len() as i64
        } else if leading_zeros(self.fraction) < self.fraction.len() {
            -(leading_zeros(self.fraction) as i64)
        } else {
            return 0;
        };
        before_point + i64::from(self.exponent.unwrap_or(0))
    }

    /// The number that the digits without zeros at their ends make; none if they are more than any shortest text of a DOUBLE has.
    fn significand(&self) -> Option<u64> {
        const MOST_DIGITS: u32 = 17;
        let (mut significand, mut length, mut zeros) = (0_u64, 0, 0);
        for digit in self.whole.iter().chain(self.fraction) {
            if *digit == b'0' {
                zeros += u32::from(significand > 0);
                continue;
            }
            length += zeros + 1;
            if length > MOST_DIGITS {
                return None;
            }
            significand = significand * 10_u64.pow(zeros + 1) + u64::from(digit - b'0');
            zeros = 0;
        }
        Some(significand)
    }

    /// Whether the shortest text of the nearest DOUBLE is the same number.
    fn is_printed_by_its_double(&self, bytes: &[u8]) -> bool {
        let Some(significand) = self.significand() else { return false };
        let Some(value) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<f64>().ok()) else {
            return false;
        };
        let mut text = Buffer::default();
        if !value.is_finite() || write!(text, "{value:e}").is_err() {
            return false;
        }
        Parts::of(text.written()).is_some_and(|printed| {
            printed.is_negative == self.is_negative
                && printed.magnitude() == self.magnitude()
                && printed.significand() == Some(significand)
        })
    }
}

/// The digits that bytes begin with, and the rest.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn leading_zeros(digits: &[u8]) -> usize {
    digits.iter().take_while(|digit| **digit == b'0').count()
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

/// Short text without an allocation.
#[derive(Default)]
struct Buffer {
    bytes: [u8; 32],
    length: usize,
}

impl Buffer {
    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_one_spelling() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("443", Some(443)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("18446744073709551616", None),
            ("-0", None),
            ("+7", None),
            ("007", None),
            ("0x1F", None),
            ("1 ", None),
            ("1_000", None),
            ("", None),
            ("-", None),
            ("٣", None),
        ] {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact_or_none() {
        for text in [
            "1.5",
            "-1.5",
            "0.0",
            "-0.0",
            "1.10",
            "3.0",
            "1.5e3",
            "1e-5",
            "-1e5",
            "1e+5",
            "1E-05",
            "0.000000000000000000123",
            "0.30000000000000004",
            "123456789012345.000",
            "1547546700.123456",
            "100000000000000000000.0",
            "5e-324",
            "1.7976931348623157e308",
        ] {
            assert_eq!(exact_float(text.as_bytes(), false), Some(Notation::Decimal), "{text}");
        }
        for text in [
            "12e4",
            "1e345678",
            "1.0e999",
            "1e-400",
            "00.5",
            ".5",
            "5.",
            "1.5e",
            "1.5e+",
            "+1.5",
            "1,5",
            "0x1p3",
            "1.5f",
            " 1.5",
            "0.30000000000000001",
            "12345678901234567.5",
            "1.2.3",
            "--1.5",
            "",
            "-",
            ".",
            "e",
            "e5",
            "-e5",
            "1547546700.123456789",
        ] {
            assert_eq!(exact_float(text.as_bytes(), false), None, "{text}");
        }
        assert_eq!(exact_float(b"12e4", true), Some(Notation::Decimal));
        assert_eq!(exact_float(b"-0", false), Some(Notation::Integer));
        assert_eq!(exact_float(b"9007199254740993", false), None);
        assert!(is_exact_in_double(9_007_199_254_740_992) && !is_exact_in_double(9_007_199_254_740_993));
        assert!(!is_exact_in_double(i64::MAX) && !is_exact_in_double(i64::MIN));
    }

    #[test]
    fn words_for_numbers() {
        assert!(special(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(special(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(special(b"+Infinity"), Some(f64::INFINITY));
        assert!(special(b"info").is_none() && special(b"-nan").is_none() && special(b"iNf").is_none());
        assert!(float(b"1e999").is_none() && float(b"INFinity").is_none());
    }

    proptest! {
        #[test]
        fn integers_are_those_that_print_so(text in "-?[0-9]{0,20}") {
            let expected = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
            prop_assert_eq!(integer(text.as_bytes()), expected);
        }

        #[test]
        fn every_double_as_it_prints_is_exact(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            for text in [format!("{value:?}"), format!("{value:.1e}")] {
                let is_same = text.parse::<f64>().is_ok_and(|parsed| parsed.to_bits() == value.to_bits());
                if is_same {
                    prop_assert!(exact_float(text.as_bytes(), true).is_some(), "{}", text);
                }
                // Rounded up to two digits, the greatest numbers are infinite, which is written in words.
                prop_assert_eq!(float(text.as_bytes()), text.parse().ok().filter(|value: &f64| value.is_finite()));
            }
        }

        /// Decimals that count as exact print, to as many digits as they have, what was written.
        #[test]
        fn what_is_exact_prints_what_was_written(text in "-?(0|[1-9][0-9]{0,17})\\.[0-9]{1,20}") {
            if exact_float(text.as_bytes(), false).is_some() {
                let value: f64 = text.parse().expect("a decimal");
                let digits = text.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
                let shortest = format!("{value:e}");
                let printed = format!("{value:.*e}", 14);
                let parts = Parts::of(text.as_bytes()).expect("a decimal");
                let is_printed = [shortest, printed].iter().any(|printed| {
                    Parts::of(printed.as_bytes()).is_some_and(|printed| printed.significand() == parts.significand())
                });
                prop_assert!(is_printed, "{} of {} digits", text, digits);
            }
        }

        #[test]
        fn any_bytes_are_a_number_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (integer(&bytes), exact_float(&bytes, true), special(&bytes), float(&bytes));
        }
    }
}
