//! Points in time, and the days of the calendar.

use arrow::datatypes::TimeUnit;

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// A point in time: seconds since the beginning of 1970, and nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Point {
    /// The point as a number of units, or why it is none.
    pub(crate) fn in_unit(self, unit: TimeUnit) -> Result<i64, &'static str> {
        let (per_second, nanos_per_unit) = match unit {
            TimeUnit::Second => (1, 1_000_000_000),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        if !self.nanos.is_multiple_of(nanos_per_unit) {
            return Err("its fraction of a second has more digits than the type of the column");
        }
        self.seconds
            .checked_mul(per_second)
            .and_then(|units| units.checked_add(i64::from(self.nanos / nanos_per_unit)))
            .ok_or("it is beyond the years of the type of the column, 1677 to 2262")
    }

    /// The day since the beginning of 1970, if the point is its midnight.
    pub(crate) fn day(self) -> Option<i32> {
        if self.nanos != 0 || self.seconds.rem_euclid(DAY) != 0 {
            return None;
        }
        i32::try_from(self.seconds.div_euclid(DAY)).ok()
    }
}

/// The days from the beginning of 1970 to a date, by Howard Hinnant's `days_from_civil`.
pub(super) fn days(year: u16, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let months_since_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year, month and day that are so many days after the beginning of 1970; none outside of the years 1 to 9999.
pub(super) fn date(days: i64) -> Option<(u16, u8, u8)> {
    if !(-719_162..=2_932_896).contains(&days) {
        return None;
    }
    let days = days + 719_468;
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = year_of_era + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
    Some((year as u16, month as u8, day as u8))
}

/// Whether the calendar has the date.
pub(super) fn is_date(year: u16, month: u8, day: u8) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    year >= 1 && (1..=length).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn dates_are_those_of_chrono() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
        let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("a date");
        for day in first.iter_days().take_while(|day| day.year() <= 9999) {
            let (year, month, of_month) = (day.year() as u16, day.month() as u8, day.day() as u8);
            let since = (day - epoch).num_days();
            assert_eq!(days(year, month, of_month), since, "{day}");
            assert_eq!(date(since), Some((year, month, of_month)), "{day}");
        }
        assert_eq!(
            (date(-719_163), date(2_932_897), date(i64::MIN), date(i64::MAX)),
            (None, None, None, None)
        );
    }

    #[test]
    fn the_calendar_has_its_dates_only() {
        for (year, month, day, is) in [
            (2024, 2, 29, true),
            (2023, 2, 29, false),
            (1900, 2, 29, false),
            (2000, 2, 29, true),
            (2025, 4, 31, false),
        ] {
            assert_eq!(is_date(year, month, day), is, "{year}-{month}-{day}");
        }
        assert!(!is_date(0, 1, 1) && !is_date(2025, 0, 1) && !is_date(2025, 13, 1) && !is_date(2025, 1, 0));
    }

    #[test]
    fn a_unit_holds_the_point_or_says_why_not() {
        let point = Point { seconds: -1, nanos: 500_000_000 };
        assert_eq!(point.in_unit(TimeUnit::Millisecond), Ok(-500));
        assert!(point.in_unit(TimeUnit::Second).is_err());
        let far = Point { seconds: days(9999, 12, 31) * DAY, nanos: 0 };
        assert!(far.in_unit(TimeUnit::Nanosecond).is_err() && far.in_unit(TimeUnit::Microsecond).is_ok());
    }
}
