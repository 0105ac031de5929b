//! Numbers that count the time since an epoch.
//!
//! A number says its unit by its magnitude: between 1990 and 2100, seconds since 1970 have 9 or 10 digits, milliseconds 12 or 13,
//! microseconds 15 or 16, nanoseconds 18 or 19 from 6.3e17 on, and the tenths of microseconds since 1601 of a Windows FILETIME 18
//! below that. Whether a number is a time at all is said by the name of its column.

use super::point::Point;
use crate::values::facts::Facts;
use crate::values::number;

/// The unit of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// Tenths of microseconds since 1601.
    Filetime,
}

/// The seconds from 1970 to 1990 and to 2100.
const FIRST: i64 = 631_152_000;
const LAST: i64 = 4_102_444_800;

/// The seconds from 1601 to 1970.
const FILETIME_EPOCH: i64 = 11_644_473_600;

impl Epoch {
    const ALL: [Self; 5] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos, Self::Filetime];

    /// The unit that puts a number between 1990 and 2100. No number has two.
    pub(crate) fn of(number: i64) -> Option<Self> {
        match number {
            FIRST..LAST => Some(Self::Seconds),
            631_152_000_000..4_102_444_800_000 => Some(Self::Millis),
            631_152_000_000_000..4_102_444_800_000_000 => Some(Self::Micros),
            631_152_000_000_000_000..4_102_444_800_000_000_000 => Some(Self::Nanos),
            122_756_256_000_000_000..157_469_184_000_000_000 => Some(Self::Filetime),
            _ => None,
        }
    }

    /// The unit of the values of a column, if all have the same.
    pub(crate) fn of_facts(facts: Facts) -> Option<Self> {
        Self::ALL.into_iter().find(|epoch| facts.only(Facts::EPOCHS) == epoch.fact())
    }

    pub(crate) fn fact(self) -> Facts {
        match self {
            Self::Seconds => Facts::EPOCH_SECONDS,
            Self::Millis => Facts::EPOCH_MILLIS,
            Self::Micros => Facts::EPOCH_MICROS,
            Self::Nanos => Facts::EPOCH_NANOS,
            Self::Filetime => Facts::EPOCH_FILETIME,
        }
    }

    /// The words for a number in this unit.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Millis => "milliseconds since 1970",
            Self::Micros => "microseconds since 1970",
            Self::Nanos => "nanoseconds since 1970",
            Self::Filetime => "Windows file times",
        }
    }

    /// The point in time of a number.
    pub(crate) fn point(self, number: i64) -> Point {
        let (per_second, epoch) = match self {
            Self::Seconds => (1, 0),
            Self::Millis => (1_000, 0),
            Self::Micros => (1_000_000, 0),
            Self::Nanos => (1_000_000_000, 0),
            Self::Filetime => (10_000_000, FILETIME_EPOCH),
        };
        let nanos = number.rem_euclid(per_second) * (1_000_000_000 / per_second);
        Point { seconds: number.div_euclid(per_second) - epoch, nanos: nanos as u32 }
    }
}

/// The point in time of a number between 1990 and 2100, and its unit. Decimals are seconds.
pub(crate) fn read(bytes: &[u8]) -> Option<(Epoch, Point)> {
    let Some(point) = memchr::memchr(b'.', bytes) else {
        let number = number::integer(bytes)?;
        let epoch = Epoch::of(number)?;
        return Some((epoch, epoch.point(number)));
    };
    let seconds = number::integer(bytes.get(..point)?)?;
    let nanos = fraction(bytes.get(point + 1..)?)?;
    (Epoch::of(seconds) == Some(Epoch::Seconds)).then_some((Epoch::Seconds, Point { seconds, nanos }))
}

/// The nanoseconds of the digits behind a point, if there are some, and no more than nine that count.
#[inline]
pub(super) fn fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    let mut nanos = 0;
    let mut unit = 100_000_000;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || unit == 0 && digit != 0 {
            return None;
        }
        nanos += unit * u32::from(digit);
        unit /= 10;
    }
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_say_the_unit() {
        let expected = Point { seconds: 1_547_546_700, nanos: 0 };
        for (text, epoch) in [
            ("1547546700", Epoch::Seconds),
            ("1547546700.000", Epoch::Seconds),
            ("1547546700000", Epoch::Millis),
            ("1547546700000000", Epoch::Micros),
            ("1547546700000000000", Epoch::Nanos),
            ("131920203000000000", Epoch::Filetime),
        ] {
            assert_eq!(read(text.as_bytes()), Some((epoch, expected)), "{text}");
        }
        let fraction = Point { seconds: 1_547_546_700, nanos: 123_456_789 };
        assert_eq!(read(b"1547546700.123456789"), Some((Epoch::Seconds, fraction)));
        for text in [
            "0",
            "-1",
            "443",
            "1547546700.",
            "1547546700.1234567891",
            "1547546700000.5",
            "01547546700",
            "631151999",
            "9223372036854775807",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_windows_begin_and_end_with_the_same_years() {
        for epoch in Epoch::ALL {
            let (scale, since) = match epoch {
                Epoch::Seconds => (1, 0),
                Epoch::Millis => (1_000, 0),
                Epoch::Micros => (1_000_000, 0),
                Epoch::Nanos => (1_000_000_000, 0),
                Epoch::Filetime => (10_000_000, FILETIME_EPOCH),
            };
            let (first, last) = ((FIRST + since) * scale, (LAST + since) * scale);
            assert_eq!((Epoch::of(first), Epoch::of(last - 1)), (Some(epoch), Some(epoch)));
            assert_ne!(Epoch::of(first - 1), Some(epoch));
            assert_ne!(Epoch::of(last), Some(epoch));
            assert_eq!(epoch.point(first), Point { seconds: FIRST, nanos: 0 });
        }
    }
}
