//! Times without an offset on the clocks of a zone.

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::string_to_datetime;
use chrono::{DateTime, FixedOffset, TimeZone as _, Utc};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::config::ConfigOptions;

use super::in_full;

/// The zone in which the session reads times that name none.
#[cfg(feature = "logs")]
pub(super) fn of_session(options: &ConfigOptions) -> Option<String> {
    crate::config::DbclusterConfig::of(options).read.options().ok()?.time_zone
}

/// Without the readers of files there is no such setting.
#[cfg(not(feature = "logs"))]
pub(super) fn of_session(_options: &ConfigOptions) -> Option<String> {
    None
}

/// A zone by its name or its offset.
pub(super) struct Zone<'a> {
    pub(super) name: &'a str,
    clocks: Tz,
    /// An hour east of UTC: in it, a text has the same instant as in UTC only if it has an offset itself.
    other: FixedOffset,
}

/// The instant of a text, in nanoseconds since 1970.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Instant {
    At(i64),
    /// Clocks were set forward over it.
    Skipped,
    NotATime,
}

impl<'a> Zone<'a> {
    pub(super) fn new(name: &'a str) -> Result<Self> {
        let clocks = name.parse().map_err(|_| exec_datafusion_err!("'{name}' is no time zone"))?;
        let other =
            FixedOffset::east_opt(3_600).ok_or_else(|| exec_datafusion_err!("an hour is no offset"))?;
        Ok(Self { name, clocks, other })
    }

    /// Reads a time. If clocks were set back and it came twice, it is the earlier one, as in the readers of files.
    pub(super) fn instant(&self, text: &str) -> Instant {
        let text = text.trim();
        let read = |text: &str| -> Option<(DateTime<Utc>, bool)> {
            let time = string_to_datetime(&Utc, text).ok()?;
            Some((time, string_to_datetime(&self.other, text).is_ok_and(|other| other == time)))
        };
        let Some((time, has_offset)) = read(text).or_else(|| read(&in_full(text)?)) else {
            return Instant::NotATime;
        };
        let time = if has_offset {
            Some(time)
        } else {
            self.clocks.from_local_datetime(&time.naive_utc()).earliest().map(|time| time.to_utc())
        };
        match time {
            None => Instant::Skipped,
            Some(time) => time.timestamp_nanos_opt().map_or(Instant::NotATime, Instant::At),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::nanoseconds;
    use super::*;

    #[test]
    fn clocks_of_a_zone() -> Result<()> {
        let berlin = Zone::new("Europe/Berlin")?;
        let utc = |text| Instant::At(nanoseconds(text).expect("a time"));
        for (local, instant) in [
            ("2025-01-31 12:00:00", "2025-01-31T11:00:00Z"),
            ("2025/07/31 12:00", "2025-07-31T10:00:00Z"),
            ("2025-07-31T12:00:00,5", "2025-07-31T10:00:00.5Z"),
            ("2025-07-31T12:00:00Z", "2025-07-31T12:00:00Z"),
            ("2025-07-31T12:00:00+01:00", "2025-07-31T11:00:00Z"),
            ("2025-07-31 12:00:00 -08", "2025-07-31T20:00:00Z"),
            ("2025-07-31", "2025-07-30T22:00:00Z"),
            // 2:30 came twice: first in summer time.
            ("2025-10-26 02:30:00", "2025-10-26T00:30:00Z"),
        ] {
            assert_eq!(berlin.instant(local), utc(instant), "{local}");
        }
        assert_eq!(berlin.instant("2025-03-30 02:30:00"), Instant::Skipped);
        assert_eq!(berlin.instant("30.03.2025"), Instant::NotATime);
        assert_eq!(Zone::new("+05:30")?.instant("2025-01-31 12:00:00"), utc("2025-01-31T06:30:00Z"));
        assert!(Zone::new("Mars/Base").is_err());
        Ok(())
    }
}
