//! The zone of times that name none.

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone as _};
use chrono_tz::Tz;

use crate::options::ReadOptions;

/// A zone by its offset or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Seconds east of UTC.
    Fixed(i32),
    Named(Tz),
}

/// The instant of a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instant {
    At(i64),
    /// Clocks were set back, so the local time came twice; this is the earlier instant.
    Earlier(i64),
    /// Clocks were set forward, so there was no such local time; this is the instant at which they were.
    Skipped(i64),
}

impl Instant {
    /// The seconds since 1970 in UTC.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            Self::At(seconds) | Self::Earlier(seconds) | Self::Skipped(seconds) => seconds,
        }
    }
}

impl Zone {
    pub(crate) const UTC: Self = Self::Fixed(0);

    /// The zone of the options, or UTC.
    pub(crate) fn of(options: &ReadOptions) -> Self {
        options.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Self::UTC)
    }

    /// The instant of a local time in seconds since 1970 on the clocks of the zone.
    pub(crate) fn instant(self, local: i64) -> Instant {
        let zone = match self {
            Self::Fixed(offset) => return Instant::At(local - i64::from(offset)),
            Self::Named(zone) => zone,
        };
        let Some(time) = DateTime::from_timestamp(local, 0) else { return Instant::At(local) };
        let time = time.naive_utc();
        let at = |offset: <Tz as chrono::TimeZone>::Offset| local - i64::from(offset.fix().local_minus_utc());
        match zone.offset_from_local_datetime(&time) {
            MappedLocalTime::Single(offset) => Instant::At(at(offset)),
            MappedLocalTime::Ambiguous(one, other) => Instant::Earlier(at(one).min(at(other))),
            MappedLocalTime::None => Instant::Skipped(end_of_gap(zone, local)),
        }
    }
}

/// The instant at which the clocks of a zone were set forward over a local time.
fn end_of_gap(zone: Tz, local: i64) -> i64 {
    let offset_at = |instant: i64| {
        DateTime::from_timestamp(instant, 0).map_or(0, |time| {
            i64::from(zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc())
        })
    };
    // The gap lies within a day and a half of the same time in UTC, as no offset is larger.
    let (mut before, mut after) = (local - 129_600, local + 129_600);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if middle + offset_at(middle) < local { before = middle } else { after = middle }
    }
    after
}

impl FromStr for Zone {
    type Err = ();

    /// A name of the time zone database, or an offset such as `+02:00`, `+0200`, `+02`.
    fn from_str(name: &str) -> Result<Self, ()> {
        let sign = match name.as_bytes() {
            b"Z" => return Ok(Self::UTC),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return name.parse().map(Self::Named).map_err(drop),
        };
        let digit = |byte: &u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9).map(i32::from);
        let (hours, minutes) = match name.as_bytes().get(1..).unwrap_or_default() {
            [h, o] => ([h, o], [&b'0', &b'0']),
            [h, o, b':', m, i] | [h, o, m, i] => ([h, o], [m, i]),
            _ => return Err(()),
        };
        let number = |[tens, ones]: [&u8; 2]| Some(digit(tens)? * 10 + digit(ones)?);
        match (number(hours), number(minutes)) {
            (Some(hours @ ..=23), Some(minutes @ ..=59)) => {
                Ok(Self::Fixed(sign * (hours * 3_600 + minutes * 60)))
            }
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::point::{DAY, days};
    use super::*;

    #[test]
    fn zones_have_a_name_or_an_offset() {
        assert_eq!("UTC".parse::<Zone>().map(|zone| zone.instant(5)), Ok(Instant::At(5)));
        assert_eq!("+02:00".parse(), Ok(Zone::Fixed(7_200)));
        assert_eq!("-0530".parse(), Ok(Zone::Fixed(-19_800)));
        assert_eq!("+05".parse(), Ok(Zone::Fixed(18_000)));
        assert_eq!("Europe/Berlin".parse(), Ok(Zone::Named(Tz::Europe__Berlin)));
        for name in ["", "Mars/Base", "+2", "+24:00", "+02:60", "+ab:cd", "+", "local"] {
            assert_eq!(name.parse::<Zone>(), Err(()), "{name}");
        }
    }

    #[test]
    fn clocks_that_are_set() {
        let zone = Zone::Named(Tz::Europe__Berlin);
        let march = days(2025, 3, 30) * DAY;
        assert_eq!(zone.instant(march), Instant::At(march - 3_600));
        // 2:30 is skipped; the clocks were set at 1:00 UTC.
        assert_eq!(zone.instant(march + 9_000), Instant::Skipped(march + 3_600));
        // 2:30 comes twice: first in summer time.
        let october = days(2025, 10, 26) * DAY;
        assert_eq!(zone.instant(october + 9_000), Instant::Earlier(october + 9_000 - 7_200));
        // Samoa skipped a whole day.
        let december = days(2011, 12, 30) * DAY;
        assert_eq!(
            Zone::Named(Tz::Pacific__Apia).instant(december + 43_200),
            Instant::Skipped(december + 36_000)
        );
    }
}
