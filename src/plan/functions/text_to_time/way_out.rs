//! The way out where text is no ISO time: an expression for `time_column` that reads the value.
//!
//! Each proposal is made for the value at hand and was tried on it, so that it works when it is typed as it stands.

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveDateTime};

use super::nanoseconds;

/// Dates in the order in which they are tried. Where a day and a month could change places, both readings are told.
const DATES: [&str; 21] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d/%b/%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%a, %d %b %Y",
    "%a %d %b %Y",
    "%a %b %d %Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%b-%y",
];

const TIMES: [&str; 6] = ["%H:%M:%S%.f", "%I:%M:%S%.f %p", "%H:%M", "%I:%M %p", "%H%M%S%.f", "%H.%M.%S"];

const BETWEEN: [&str; 6] = [" ", "T", ", ", ":", "-", ""];

const OFFSETS: [&str; 3] = ["", " %z", "%z"];

/// Times that end in the year.
const YEAR_LAST: [&str; 2] = ["%a %b %d %H:%M:%S%.f %Y", "%b %d %H:%M:%S%.f %Y"];

/// A syslog's times, which leave the year out.
const WITHOUT_YEAR: &str = "%b %d %H:%M:%S%.f";

/// The years that are plausible in a log: a format that reads `19` as the year 19 is not the right one.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// The length of a date such as `2025-09-30`.
const DATE: usize = 10;

/// No proposal is made for longer values.
const LONGEST: usize = 64;

/// Returns the advice about a value of `sql` that is no ISO time.
pub(super) fn way_out(sql: &str, text: &str) -> String {
    let text = text.trim();
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return with_a_format(sql);
    }
    // No date has only zeros, as 0000-00-00T00:00:00Z.
    if !text.bytes().take(DATE).any(|byte| matches!(byte, b'1'..=b'9')) {
        return if_no_time(sql, text);
    }
    if let Some(reading) = of_number(sql, text) {
        return format!("time_column => {reading} reads it");
    }
    if let Ok(time) = text.replacen(' ', "T", 1).trim_end_matches(['Z', 'z']).parse::<NaiveDateTime>()
        && nanoseconds(text).is_none()
        && !YEARS.contains(&time.year())
    {
        return format!(
            "it is too far away for nanoseconds; time_column => CAST({sql} AS TIMESTAMP(6)) reads it"
        );
    }
    let mut formats = formats(text).into_iter();
    match (formats.next(), formats.next()) {
        (Some(first), None) => format!("time_column => to_timestamp({sql}, '{first}') reads it"),
        (Some(first), Some(second)) => format!(
            "time_column => to_timestamp({sql}, '{first}') reads it with the month first, to_timestamp({sql}, '{second}') with \
             the day first"
        ),
        // A leap year, so that it has every day.
        _ if reads("%Y %b %d %H:%M:%S%.f", &format!("2024 {text}")) => format!(
            "time_column => to_timestamp(concat('2024 ', {sql}), '%Y {WITHOUT_YEAR}') reads it, with the year of the log in place \
             of 2024"
        ),
        _ => of_wmi(sql, text)
            .or_else(|| of_midnight(sql, text))
            .unwrap_or_else(|| format!("{}; {}", if_no_time(sql, text), with_a_format(sql))),
    }
}

fn if_no_time(sql: &str, text: &str) -> String {
    format!("if it stands for no time, say time_column => nullif({sql}, '{}')", text.replace('\'', "''"))
}

/// Reads the times of WMI, `20250930094321.123456+060`, which have an offset in minutes.
fn of_wmi(sql: &str, text: &str) -> Option<String> {
    let (time, offset) = text.split_at_checked("20250930094321.123456".len())?;
    let is_offset = offset.len() == 4
        && offset.starts_with(['+', '-'])
        && offset.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    (is_offset && reads("%Y%m%d%H%M%S%.f", time)).then(|| {
        format!(
            "time_column => to_timestamp_micros(CAST(to_timestamp_micros(left({sql}, 21), '%Y%m%d%H%M%S%.f') AS BIGINT) - \
             CAST(right({sql}, 4) AS BIGINT) * 60000000) reads it"
        )
    })
}

/// Reads `2025-09-30T24:00:00`, the end of a day.
fn of_midnight(sql: &str, text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(DATE)?;
    let between = rest.chars().next().filter(|between| matches!(between, 'T' | ' '))?;
    let rest = rest.get(1..)?.strip_prefix("24:00")?;
    nanoseconds(&format!("{date}T00:00{rest}"))?;
    Some(format!(
        "it is the end of a day: time_column => CASE WHEN {sql} LIKE '%{between}24:00%' THEN to_timestamp(replace({sql}, \
         '{between}24:00', '{between}00:00')) + INTERVAL '1 day' ELSE to_timestamp({sql}) END reads it"
    ))
}

fn with_a_format(sql: &str) -> String {
    format!(
        "time_column => to_timestamp({sql}, '%m/%d/%Y %I:%M:%S %p') reads times such as '9/30/2025 5:15:12 PM', and other formats \
         others"
    )
}

/// Reads seconds since 1970, or a finer unit, told by the number of digits.
fn of_number(sql: &str, text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let of = |function: &str| Some(format!("{function}(CAST({sql} AS BIGINT))"));
    match text.split_once('.') {
        Some((whole, fraction)) if whole.len() == 10 && (1..=9).contains(&fraction.len()) => {
            Some(format!("to_timestamp(CAST({sql} AS DECIMAL(19, 9)))"))
        }
        Some(_) => None,
        None => match text.len() {
            9 | 10 => of("to_timestamp_seconds"),
            13 => of("to_timestamp_millis"),
            16 => of("to_timestamp_micros"),
            19 if text.parse::<i64>().is_ok() => of("to_timestamp_nanos"),
            _ => None,
        },
    }
}

/// Returns the format that reads the text, or two of them if the day and the month could change places.
fn formats(text: &str) -> Vec<String> {
    let mut found: Vec<(&str, String)> = vec![];
    for date in DATES {
        if found.iter().any(|(earlier, _)| !is_other_order(earlier, date)) {
            continue;
        }
        let format = of_date(date).find(|format| reads(format, text));
        found.extend(format.map(|format| (date, format)));
    }
    let mut formats: Vec<String> = found.into_iter().map(|(_, format)| format).collect();
    if formats.is_empty() {
        formats.extend(YEAR_LAST.into_iter().find(|format| reads(format, text)).map(String::from));
    }
    formats
}

/// All formats that begin with a date.
fn of_date(date: &str) -> impl Iterator<Item = String> {
    let with_times = BETWEEN.into_iter().flat_map(move |between| {
        TIMES.into_iter().flat_map(move |time| {
            OFFSETS.into_iter().map(move |offset| [date, between, time, offset].concat())
        })
    });
    with_times.chain([date.to_string()])
}

/// Whether two formats of a date differ only in the order of day and month.
fn is_other_order(one: &str, other: &str) -> bool {
    one.starts_with("%m")
        && other.starts_with("%d")
        && one.get(2..3) == other.get(2..3)
        && one.get(5..) == other.get(5..)
}

/// Whether `to_timestamp` reads the text by this format.
fn reads(format: &str, text: &str) -> bool {
    let mut parsed = Parsed::new();
    let time = parse(&mut parsed, text, StrftimeItems::new(format)).and_then(|()| {
        parsed.to_datetime().map(|time| time.naive_utc()).or_else(|_| {
            let without_offset = parsed.to_naive_datetime_with_offset(0);
            without_offset.or_else(|_| parsed.to_naive_date().map(NaiveDateTime::from))
        })
    });
    time.is_ok_and(|time| YEARS.contains(&time.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_a_way_out_of_its_own() {
        for (text, expected) in [
            ("1/15/2019 9:05:00 AM", "to_timestamp(t, '%m/%d/%Y %I:%M:%S%.f %p') reads it"),
            ("9/30/2025, 9:43:21.990 AM", "to_timestamp(t, '%m/%d/%Y, %I:%M:%S%.f %p') reads it"),
            ("30.09.2025 09:43:21", "to_timestamp(t, '%d.%m.%Y %H:%M:%S%.f') reads it"),
            ("30/Sep/2025:09:43:21 +0200", "to_timestamp(t, '%d/%b/%Y:%H:%M:%S%.f %z') reads it"),
            ("Tue, 30 Sep 2025 09:43:21 +0000", "to_timestamp(t, '%a, %d %b %Y %H:%M:%S%.f %z') reads it"),
            ("Tue Sep 30 09:43:21 2025", "to_timestamp(t, '%a %b %d %H:%M:%S%.f %Y') reads it"),
            ("2025-09-30 9:43:21 PM", "to_timestamp(t, '%Y-%m-%d %I:%M:%S%.f %p') reads it"),
            ("20250930094321", "to_timestamp(t, '%Y%m%d %H%M%S%.f') reads it"),
            ("20250930", "to_timestamp(t, '%Y%m%d') reads it"),
            ("9/30/25 9:43", "to_timestamp(t, '%m/%d/%y %H:%M') reads it"),
            ("1759225401", "to_timestamp_seconds(CAST(t AS BIGINT)) reads it"),
            ("1759225401990", "to_timestamp_millis(CAST(t AS BIGINT)) reads it"),
            ("1759225401.123456", "to_timestamp(CAST(t AS DECIMAL(19, 9))) reads it"),
            ("9999-12-31T23:59:59Z", "CAST(t AS TIMESTAMP(6)) reads it"),
            ("N/A", "nullif(t, 'N/A')"),
            ("", "nullif(t, '')"),
            ("it's", "nullif(t, 'it''s')"),
            ("Sep 30 09:43:21", "to_timestamp(concat('2024 ', t), '%Y %b %d %H:%M:%S%.f') reads it"),
            ("15-Jan-25 09:43:21", "to_timestamp(t, '%d-%b-%y %H:%M:%S%.f') reads it"),
            ("0000-00-00T00:00:00+00:00", "nullif(t, '0000-00-00T00:00:00+00:00')"),
            (
                "20250930094321.123456+060",
                "to_timestamp_micros(CAST(to_timestamp_micros(left(t, 21), '%Y%m%d%H%M%S%.f') AS BIGINT) - CAST(right(t, 4) AS \
                 BIGINT) * 60000000) reads it",
            ),
            (
                "2025-09-30T24:00:00",
                "CASE WHEN t LIKE '%T24:00%' THEN to_timestamp(replace(t, 'T24:00', 'T00:00')) + INTERVAL '1 day' ELSE",
            ),
            ("2025-13-45", "nullif(t, '2025-13-45')"),
            ("2025-13-45", "to_timestamp(t, '%m/%d/%Y %I:%M:%S %p') reads times such as"),
        ] {
            let advice = way_out("t", text);
            assert!(advice.contains(expected), "{text}: {advice}");
            assert!(!advice.contains("first"), "{text}: {advice}");
        }
    }

    #[test]
    fn a_day_that_could_be_a_month_is_not_guessed() {
        let advice = way_out("t", "01/02/2026 05:15:12");
        assert!(
            advice.contains("to_timestamp(t, '%m/%d/%Y %H:%M:%S%.f') reads it with the month first"),
            "{advice}"
        );
        assert!(advice.contains("to_timestamp(t, '%d/%m/%Y %H:%M:%S%.f') with the day first"), "{advice}");
    }

    #[test]
    fn hostile_text_is_not_repeated() {
        assert_eq!(way_out("t", &"1".repeat(1_000_000)), with_a_format("t"));
        assert_eq!(way_out("t", "\u{1b}[2J"), with_a_format("t"));
    }
}
