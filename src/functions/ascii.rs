//! Sums over ASCII text, 16 bytes at a time, and bits for bytes, 32 at a time.
//!
//! The sums are plain loops in a shape that the compiler turns into vector instructions, also for strings as short as
//! paths and command lines:
//! - A chunk that is not ASCII ends the loop. Without an exit the compiler vectorizes across chunks, of which there are few,
//!   and not within them.
//! - The bytes after the last whole chunk are padded with zeros to one more chunk, so no byte is processed alone.
//! - The functions are `inline`, since there is no link-time optimization across modules.

const LANES: usize = 16;
type Chunk = [u8; LANES];

/// The bytes of a part that is summed up by itself: few enough that each lane counts in a `u8` and sums in a `u16`.
const PART: usize = 15 * LANES;

/// Counts the bytes of `text` that are members; NUL must not be one. `None` if the text is not ASCII.
#[inline]
pub(super) fn count(text: &str, is_member: impl Fn(u8) -> bool) -> Option<i64> {
    let count_lanes = |counts: &mut Chunk, chunk: &Chunk| {
        // The loop is by index since the compiler does not vectorize a zip.
        for lane in 0..LANES {
            counts[lane] += u8::from(is_member(chunk[lane]));
        }
    };
    sum_parts(text.as_bytes(), [0; LANES], count_lanes, |counts| {
        let [low, high] = halves(&counts);
        // The highest byte of the product is the sum of all bytes.
        (low + high).wrapping_mul(0x0101_0101_0101_0101) >> 56
    })
}

/// Adds up the code points of `text`, which are its bytes. `None` if the text is not ASCII.
#[inline]
pub(super) fn sum(text: &str) -> Option<i64> {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let in_pairs = |bytes: u64| (bytes & EVEN) + ((bytes >> 8) & EVEN);
    let add_pairs = |sums: &mut [u64; 2], chunk: &Chunk| {
        let [low, high] = halves(chunk);
        sums[0] += in_pairs(low);
        sums[1] += in_pairs(high);
    };
    // The product adds up the four sums of 16 bits, as above.
    sum_parts(text.as_bytes(), [0; 2], add_pairs, |[low, high]| {
        (low + high).wrapping_mul(0x0001_0001_0001_0001) >> 48
    })
}

/// Adds up the `total` of every part, after `add` has added each chunk of the part to `zero`.
#[inline]
fn sum_parts<Lanes: Copy>(
    text: &[u8],
    zero: Lanes,
    add: impl Fn(&mut Lanes, &Chunk),
    total: impl Fn(Lanes) -> u64,
) -> Option<i64> {
    let mut sum = 0;
    for part in text.chunks(PART) {
        let mut lanes = zero;
        for chunk in part.as_chunks().0 {
            if !chunk.is_ascii() {
                return None;
            }
            add(&mut lanes, chunk);
        }
        let rest = rest(part);
        if !rest.is_ascii() {
            return None;
        }
        add(&mut lanes, &rest);
        sum += total(lanes) as i64;
    }
    Some(sum)
}

/// Returns the bytes after the whole chunks of `part`, padded with zeros.
#[inline]
fn rest(part: &[u8]) -> Chunk {
    /// The mask at index `n` keeps the last `n` bytes of a chunk.
    const LAST: [u128; LANES] = {
        let mut masks = [0; LANES];
        let mut n = 1;
        while n < LANES {
            masks[n] = u128::MAX << (8 * (LANES - n));
            n += 1;
        }
        masks
    };
    // If there are 16 bytes they are masked out of the last 16, since a copy of unknown length would be a function call.
    if let Some(last) = part.last_chunk() {
        return (u128::from_le_bytes(*last) & LAST[part.len() % LANES]).to_le_bytes();
    }
    let mut chunk = [0; LANES];
    chunk[..part.len()].copy_from_slice(part);
    chunk
}

/// The number of bytes that [`bits`] takes.
pub(super) const BLOCK: usize = 32;

/// Returns a bit for each flag, which is 0 or 1; the lowest is that of the first. Members that are few and at unpredictable places are
/// found by their bits faster than by a branch for each byte.
#[inline]
pub(super) fn bits(flags: &[u8; BLOCK]) -> u32 {
    let mut bits = 0;
    for (i, flags) in flags.as_chunks().0.iter().enumerate() {
        // The highest byte of the product has the eight flags as its bits.
        let eight = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= (eight as u32) << (8 * i);
    }
    bits
}

#[inline]
fn halves(chunk: &Chunk) -> [u64; 2] {
    let whole = u128::from_le_bytes(*chunk);
    [whole as u64, (whole >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns lengths around the bounds of chunks and parts.
    fn lengths() -> impl Iterator<Item = usize> {
        (0..=70).chain(PART - 20..=PART + 36).chain(2 * PART - 1..=2 * PART + 1)
    }

    /// A byte counts the same in any place and beside any other byte.
    #[test]
    fn equal_the_loops_over_bytes_at_every_length() {
        for length in lengths() {
            for step in [1, 37] {
                let text: String = (0..length).map(|i| char::from((step * i % 128) as u8)).collect();
                let is_member = |byte: u8| byte % 3 == 1;
                let members = text.bytes().filter(|&byte| is_member(byte)).count();
                assert_eq!(count(&text, is_member), Some(members as i64), "{length}");
                assert_eq!(sum(&text), Some(text.bytes().map(i64::from).sum()), "{length}");
            }
        }
    }

    #[test]
    fn bits_are_those_of_the_flags() {
        for bits_expected in [0, 1, 0x8000_0000, 0x0102_0408, 0xdead_beef, u32::MAX] {
            let flags = std::array::from_fn(|i| (bits_expected >> i & 1) as u8);
            assert_eq!(bits(&flags), bits_expected);
        }
    }

    /// No lane overflows.
    #[test]
    fn hold_the_largest_sums() {
        for length in lengths() {
            let text = "\x7f".repeat(length);
            assert_eq!(count(&text, |byte| byte == 0x7f), Some(length as i64));
            assert_eq!(sum(&text), Some(0x7f * length as i64));
        }
    }

    #[test]
    fn refuse_other_characters_at_every_place() {
        for length in lengths() {
            for place in 0..=length {
                let text = "a".repeat(place) + "\u{80}" + &"a".repeat(length - place);
                let results = (count(&text, |byte| byte == b'a'), sum(&text));
                assert_eq!(results, (None, None), "{length}, {place}");
            }
        }
    }
}
