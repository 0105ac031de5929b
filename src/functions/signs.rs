//! Finds the places at which [`cmdline_template`](super::cmdline_template) has to look closely, 32 bytes at a time.
//!
//! Nothing is masked without a *sign* in it or right behind the run that it begins with:
//! - a digit, which most masks have. Behind a letter from G to Z it is none: such a run has a mask only if its first byte is a digit
//!   (`0x1F`, but not `System32`). Of several digits the first is the sign.
//! - a hyphen behind a letter from A to F, for a GUID without digits before it.
//! - a colon before another one or a hexadecimal digit, for an address such as `fe::1` or `::1`.
//! - an opening brace, for a GUID in braces.
//!
//! The compiler makes vector instructions of the test, for one block of bytes. Its result is a bit for each byte, so that no
//! loop has to end at a sign: the processor can't predict where that is, and each wrong guess costs as much as some 30 bytes.
//! A command line has two or three signs; text without them is read at 2 GB/s.
//!
//! No text makes an index go wrong: a block begins behind the first byte and before the end, and a sign stands in a block.

use super::ascii::{self, BLOCK};

/// The bytes of a block, with the one before it and the one behind it.
type Window = [u8; BLOCK + 2];

/// The signs of a text, from left to right.
pub(super) struct Signs<'a> {
    bytes: &'a [u8],
    /// The place of the block that was tested last.
    start: usize,
    /// The signs in the block. The lowest bit is for its first byte.
    block: u32,
}

impl<'a> Signs<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        // No byte stands before the first one, so it is a block of its own.
        let first_is_sign = matches!(bytes, [b'0'..=b':' | b'{', ..]);
        Self { bytes, start: 0, block: u32::from(first_is_sign) }
    }

    /// Returns the place of the first sign from `from` on. It must not be before the one that was returned last.
    #[inline]
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        let passed = from - self.start;
        self.block = if passed < BLOCK { self.block & u32::MAX << passed } else { 0 };
        while self.block == 0 {
            let next = if self.start == 0 { 1 } else { self.start + BLOCK };
            let next = next.max(from);
            if next >= self.bytes.len() {
                return None;
            }
            self.start = next;
            self.block = signs_of_block(self.bytes, next);
        }
        Some(self.start + self.block.trailing_zeros() as usize)
    }
}

/// Returns the signs of the block at `start`, which is not the first byte.
#[inline]
fn signs_of_block(bytes: &[u8], start: usize) -> u32 {
    if let Some(window) = bytes[start - 1..].first_chunk() {
        return signs(window);
    }
    let rest = bytes.len() - start;
    let but_the_last = if let Some(window) = bytes.last_chunk() {
        // The signs before `start` are shifted out. A copy of unknown length would be a function call.
        signs(window).checked_shr((BLOCK + 1 - rest) as u32).unwrap_or(0)
    } else {
        let mut window = [0; BLOCK + 2];
        window[..=rest].copy_from_slice(&bytes[start - 1..]);
        signs(&window)
    };
    // The last byte of a text has nothing behind it and can only be a digit.
    but_the_last | u32::from(bytes[start + rest - 1].is_ascii_digit()) << (rest - 1)
}

#[inline]
fn signs(window: &Window) -> u32 {
    // Nothing is skipped (`&` for `&&`), so that all bytes are treated alike.
    let mut flags = [0; BLOCK];
    for i in 0..BLOCK {
        let [before, byte, next] = [window[i], window[i + 1], window[i + 2]];
        let digit = is_in(byte, b'0', b'9') & !is_in(before, b'0', b'9') & !is_in(before | 0x20, b'g', b'z');
        // The colon comes after 9.
        let colon = (byte == b':') & (is_in(next, b'0', b':') | is_in(next | 0x20, b'a', b'f'));
        let hyphen = (byte == b'-') & is_in(before | 0x20, b'a', b'f');
        let brace = byte == b'{';
        flags[i] = u8::from(digit | colon | hyphen | brace);
    }
    ascii::bits(&flags)
}

#[inline]
fn is_in(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) <= last - first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sign(bytes: &[u8], place: usize) -> bool {
        let before = place.checked_sub(1).map(|before| bytes[before]);
        let next = bytes.get(place + 1);
        match bytes[place] {
            b'0'..=b'9' => !matches!(before, Some(b'0'..=b'9' | b'g'..=b'z' | b'G'..=b'Z')),
            b':' => next.is_some_and(|next| *next == b':' || next.is_ascii_hexdigit()),
            b'-' => matches!(before, Some(b'a'..=b'f' | b'A'..=b'F')) && next.is_some(),
            byte => byte == b'{' && next.is_some(),
        }
    }

    /// Signs are found at every place of texts of every length, whichever bytes stand around them.
    #[test]
    fn equal_their_definition() {
        let mut random = fastrand::Rng::with_seed(5);
        let likely = b"09:-{afgzAFGZ/@[`.\x1a\x8d\xe1";
        for round in 0..20_000 {
            let length = random.usize(..110);
            let bytes: Vec<u8> = (0..length)
                .map(|_| if round % 3 == 0 { random.u8(..) } else { likely[random.usize(..likely.len())] })
                .collect();
            let mut signs = Signs::new(&bytes);
            let mut from = 0;
            loop {
                let found = signs.next(from);
                let expected = (from..length).find(|&place| is_sign(&bytes, place));
                match found {
                    // The ends are tested less closely: there a byte may be taken for a sign.
                    Some(end) if end == 0 || end == length - 1 => {
                        assert!(expected.is_none_or(|sign| sign >= end));
                    }
                    _ => assert_eq!(found, expected, "{bytes:?} from {from}"),
                }
                let Some(place) = found else { break };
                from = (place + 1 + if round % 2 == 0 { 0 } else { random.usize(..50) }).min(length);
            }
        }
    }
}
