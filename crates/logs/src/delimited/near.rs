//! Bytes that are near.
//!
//! Most fields are shorter than what `memchr` needs to start. The first bytes are looked at as numbers of eight bytes each, and
//! only if the byte is not there `memchr` goes on.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// The numbers that are looked at.
const NUMBERS: usize = 4;

/// Marks the first of eight bytes that is the one repeated in `pattern`; bytes behind it may be marked too.
#[inline]
fn marks(bytes: u64, pattern: u64) -> u64 {
    let zeros = bytes ^ pattern;
    zeros.wrapping_sub(LOW) & !zeros & HIGH
}

/// Where the first of one or two bytes stands.
#[inline]
fn find(text: &[u8], marks: impl Fn(u64) -> u64, far: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
    let (near, _) = text.as_chunks::<8>();
    for (number, bytes) in near.iter().take(NUMBERS).enumerate() {
        let marks = marks(u64::from_le_bytes(*bytes));
        if marks != 0 {
            return Some(number * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let seen = near.len().min(NUMBERS) * 8;
    far(text.get(seen..)?).map(|place| seen + place)
}

/// Where the first `byte` stands in a text.
#[inline]
pub(super) fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    let pattern = u64::from(byte) * LOW;
    find(text, |bytes| marks(bytes, pattern), |rest| memchr::memchr(byte, rest))
}

/// Where the first of two bytes stands in a text.
#[inline]
pub(super) fn find_either(first: u8, second: u8, text: &[u8]) -> Option<usize> {
    let patterns = (u64::from(first) * LOW, u64::from(second) * LOW);
    find(
        text,
        |bytes| marks(bytes, patterns.0) | marks(bytes, patterns.1),
        |rest| memchr::memchr2(first, second, rest),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_found_as_by_looking_at_each(text in prop::collection::vec(prop::sample::select(vec![0, 1, 34, 35, 127, 128, 255_u8]), 0..80)) {
            for byte in [0, 34, 128, 255] {
                prop_assert_eq!(find_byte(byte, &text), text.iter().position(|other| *other == byte));
                prop_assert_eq!(find_either(byte, 35, &text), text.iter().position(|other| *other == byte || *other == 35));
            }
        }
    }
}
