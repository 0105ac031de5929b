//! The zone of the times on a page; and columns that are no times by their type, and may hold times by their name.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};

use crate::rows::{Column, ColumnType, Rows};

/// Lengths of spans that people read, in seconds.
pub const SPANS: [i64; 24] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
];

/// The zone in which a page shows the times of a column, on its axis and in its tooltips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// The column has no zone.
    Unknown,
    /// Seconds east of UTC.
    East(i32),
}

impl Zone {
    /// The zone of a column: that of its values if they all have the same one, otherwise UTC.
    pub(crate) fn of(column: Option<&Column>) -> Self {
        let values = column.into_iter().flat_map(|column| column.shown.iter().flatten());
        values.map(|text| Self::of_text(text)).reduce(Self::and).unwrap_or(Self::Unknown)
    }

    fn of_text(text: &str) -> Self {
        read(text).map_or(Self::Unknown, |time| Self::East(time.offset().local_minus_utc()))
    }

    /// The zone of times of both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, zone) | (zone, Self::Unknown) => zone,
            (Self::East(a), Self::East(b)) if a == b => self,
            _ => Self::East(0),
        }
    }

    /// The time of an axis for milliseconds since 1970 in UTC.
    pub(crate) fn shifted(self, time: f64) -> f64 {
        match self {
            Self::Unknown => time,
            Self::East(seconds) => time + f64::from(seconds) * 1000.0,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Unknown => "zone not recorded".to_string(),
            Self::East(0) => "UTC".to_string(),
            Self::East(seconds) => {
                let minutes = seconds.abs() / 60;
                let sign = if seconds < 0 { '-' } else { '+' };
                format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// A time with a zone, as the engine writes it.
fn read(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(text).ok()
}

/// The rows with all times in one zone: if they have several, in UTC.
pub(crate) fn in_one_zone(rows: &Rows) -> Cow<'_, Rows> {
    let times = || rows.0.iter().filter(|column| column.column_type == ColumnType::Time);
    let mut zones = times().flat_map(|column| column.shown.iter().flatten()).filter_map(|text| {
        let time = read(text)?;
        Some(time.offset().local_minus_utc())
    });
    let first = zones.next();
    if zones.all(|zone| Some(zone) == first) {
        return Cow::Borrowed(rows);
    }
    let mut rows = rows.clone();
    for column in rows.0.iter_mut().filter(|column| column.column_type == ColumnType::Time) {
        for text in column.shown.iter_mut().flatten() {
            if let Some(time) = read(text) {
                *text = time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true);
            }
        }
    }
    Cow::Owned(rows)
}

/// The time of an axis as text, to the second.
pub(crate) fn text(milliseconds: f64) -> String {
    DateTime::from_timestamp_millis(milliseconds as i64)
        .map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Words of names that stand for a time.
const WORDS: [&str; 9] = ["time", "date", "datetime", "timestamp", "ts", "when", "utc", "day", "epoch"];

/// The most columns that advice names.
const SHOWN: usize = 3;

/// Returns up to three names with a word such as `time`, `date` or `ts` in them, as in `EventTime`, `created_date`, `@timestamp`.
pub fn likely_times<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    names.into_iter().filter(|name| has_word(name)).take(SHOWN).collect()
}

fn has_word(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (was_lower && character.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
        .iter()
        .any(|word| WORDS.contains(&word.as_str()) || word.ends_with("timestamp") || word == "eventtime")
}

/// Advice for a query in which no column is a time.
pub(crate) fn make_one(columns: &[(&str, ColumnType)]) -> String {
    let names = likely_times(columns.iter().map(|(name, _)| *name));
    let found = columns.iter().find(|(name, _)| names.first() == Some(name));
    let Some((name, column_type)) = found else {
        return "to_timestamp(...) AS time in the query makes one of text or of seconds since 1970"
            .to_string();
    };
    let also = match names.get(1..) {
        Some([]) | None => String::new(),
        Some(others) => format!(" (or of {})", others.join(", ")),
    };
    format!("{}{also}", of_column(name, *column_type, "time"))
}

/// The expression that makes a time of a column, under a name.
pub(crate) fn of_column(name: &str, column_type: ColumnType, called: &str) -> String {
    let name = quoted(name);
    match column_type {
        ColumnType::Number => format!(
            "to_timestamp({name}) AS {called} in the query makes one of seconds since 1970, to_timestamp_millis({name}) AS {called} \
             of milliseconds"
        ),
        ColumnType::Text | ColumnType::Time => {
            format!(
                "to_timestamp({name}) AS {called} in the query makes one of text such as 2026-01-15T05:00:00Z, and \
                 to_timestamp({name}, '%m/%d/%Y %I:%M:%S %p') AS {called} of others by their format"
            )
        }
    }
}

/// A name as SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(name: &str, values: &[Option<&str>]) -> Column {
        Column {
            name: name.to_string(),
            column_type: ColumnType::Time,
            shown: values.iter().map(|value| value.map(String::from)).collect(),
            numbers: vec![],
        }
    }

    #[test]
    fn a_page_has_one_zone() {
        let berlin = times("a", &[Some("2026-01-15T04:51:00.123456+02:00"), None]);
        assert_eq!(Zone::of(Some(&berlin)), Zone::East(7200));
        assert_eq!(Zone::of(Some(&berlin)).name(), "UTC+02:00");
        assert!((Zone::of(Some(&berlin)).shifted(0.0) - 7_200_000.0).abs() < f64::EPSILON);
        let none = times("b", &[Some("2026-01-15T04:51:00")]);
        assert_eq!(
            (Zone::of(Some(&none)), Zone::of(None).name().as_str()),
            (Zone::Unknown, "zone not recorded")
        );
        assert_eq!(Zone::East(-12_600).name(), "UTC-03:30");
        let one = Rows(vec![berlin.clone(), none]);
        assert!(matches!(in_one_zone(&one), Cow::Borrowed(_)));
        let summer = times("c", &[Some("2026-07-15T04:51:00+03:00"), Some("2026-07-15T04:51:00Z")]);
        assert_eq!(Zone::of(Some(&summer)), Zone::East(0));
        let both = in_one_zone(&Rows(vec![berlin, summer])).into_owned();
        let shown: Vec<&str> =
            both.0.iter().flat_map(|column| column.shown.iter().flatten()).map(String::as_str).collect();
        assert_eq!(shown, ["2026-01-15T02:51:00.123456Z", "2026-07-15T01:51:00Z", "2026-07-15T04:51:00Z"]);
    }

    #[test]
    fn times_are_known_by_their_names() {
        for name in [
            "TimeGenerated",
            "EventTime",
            "created_date",
            "@timestamp",
            "ts",
            "When",
            "UTC",
            "eventTimestamp",
            "Date/Time",
        ] {
            assert_eq!(likely_times([name]), [name]);
        }
        for name in ["runtimes", "update", "CommandLine", "hosts", "Daytona", "n"] {
            assert!(likely_times([name]).is_empty(), "{name}");
        }
        assert_eq!(likely_times(["ts", "a", "date", "time", "day"]), ["ts", "date", "time"]);
    }
}
