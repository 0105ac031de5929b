//! Columns that are no times by their type, and may hold times by their name.

use crate::rows::ColumnType;

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
