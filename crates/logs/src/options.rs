//! Options of reading: each overrules a guess.

use std::str::FromStr;

use crate::values::{ColumnType, Zone, shown};
use crate::{Error, Format, Result};

/// The order of day and month in dates such as `01/02/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 01/02/2026 is the second of January.
    MonthFirst,
    /// 01/02/2026 is the first of February.
    DayFirst,
}

impl FromStr for DateOrder {
    type Err = Error;

    /// `dmy` or `mdy`.
    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err(Error::new(format!(
                "date_order: expected 'dmy' or 'mdy', got '{}'",
                shown(text.as_bytes())
            ))),
        }
    }
}

/// Where the records are in the objects of JSON: in the list that some names lead to, or the objects are the records themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPath(Vec<String>);

impl RecordPath {
    /// The names of the members that lead to the list, from the outermost object on. None of them means that the objects of the
    /// file are the records themselves.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether a name stands in a path, and in SQL quotes, as it is.
    pub(crate) fn is_plain(name: &str) -> bool {
        const LONGEST: usize = 64;
        (1..=LONGEST).contains(&name.len())
            && *shown(name.as_bytes()) == *name
            && !name.contains(['.', '"', '\''])
    }
}

impl FromStr for RecordPath {
    type Err = Error;

    /// `.` for the objects of the file themselves, else names with dots between them, such as `Records` or `hits.hits`. A name in
    /// double quotes may have dots: `"a.b".c`; two double quotes in it stand for one.
    fn from_str(text: &str) -> Result<Self> {
        if text == "." {
            return Ok(Self(vec![]));
        }
        let wrong = || {
            Error::new(format!(
                "records: expected the names that lead to a list of objects, such as 'Records' or 'hits.hits', or '.' for the \
                 objects of the file themselves, got '{}'",
                shown(text.as_bytes())
            ))
        };
        let (mut names, mut rest) = (vec![], text);
        loop {
            let mut name = String::new();
            if let Some(mut quoted) = rest.strip_prefix('"') {
                loop {
                    let (part, behind) = quoted.split_once('"').ok_or_else(wrong)?;
                    name.push_str(part);
                    let Some(more) = behind.strip_prefix('"') else {
                        rest = behind;
                        break;
                    };
                    name.push('"');
                    quoted = more;
                }
            } else {
                let (plain, behind) = rest.split_at(rest.find(['.', '"']).unwrap_or(rest.len()));
                if plain.is_empty() {
                    return Err(wrong());
                }
                name.push_str(plain);
                rest = behind;
            }
            names.push(name);
            match rest.strip_prefix('.') {
                Some(more) => rest = more,
                None if rest.is_empty() => return Ok(Self(names)),
                None => return Err(wrong()),
            }
        }
    }
}

/// The options of a reading. The default guesses everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
    /// The format of all files.
    pub format: Option<Format>,
    /// The byte between two columns of delimited text: an ASCII character that is neither a quote nor a line end. Another one counts
    /// as none.
    pub delimiter: Option<u8>,
    /// Whether the first record of delimited text has the names of the columns.
    pub header: Option<bool>,
    /// Columns with their types; values that do not fit are rejected.
    pub types: Vec<(String, ColumnType)>,
    /// The zone of times that name none, such as `Europe/Berlin` or `+02:00`; UTC if there is none.
    pub time_zone: Option<String>,
    /// The order of day and month.
    pub date_order: Option<DateOrder>,
    /// The encoding of the text by its name in the WHATWG standard, such as `utf-16le` or `windows-1252`.
    pub encoding: Option<String>,
    /// Texts that mean NULL, besides the empty one.
    pub nulls: Vec<String>,
    /// Where the records are in the objects of JSON.
    pub records: Option<RecordPath>,
    /// Adds a column `_file` with the name of the file of each row.
    pub file_column: bool,
    /// Reads events that are left in the unused space of event logs of Windows, too, and adds a column `recovered` that tells them.
    pub recovered: bool,
}

impl ReadOptions {
    /// Fails if the name of the time zone is unknown.
    pub fn check(&self) -> Result<()> {
        match &self.time_zone {
            Some(zone) if zone.parse::<Zone>().is_err() => Err(Error::new(format!(
                "time_zone: expected a name such as 'Europe/Berlin', an offset such as '+02:00', or 'UTC', got '{}'",
                shown(zone.as_bytes())
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_records() {
        let names = |text: &str| text.parse::<RecordPath>().map(|path| path.names().join("|")).ok();
        for (text, expected) in [
            (".", ""),
            ("Records", "Records"),
            ("hits.hits", "hits|hits"),
            ("\"a.b\".c", "a.b|c"),
            ("\"a\"\"\"", "a\""),
            ("\"\"", ""),
            ("a b.'c'", "a b|'c'"),
        ] {
            assert_eq!(names(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in ["", "..", "a.", ".a", "a..b", "\"a", "\"a\"b", "a\"b\""] {
            let error = wrong.parse::<RecordPath>().map_err(|error| error.to_string());
            assert!(
                error.is_err_and(|error| error.contains("'hits.hits'") && error.contains("'.'")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn texts_of_options() {
        assert_eq!("dmy".parse(), Ok(DateOrder::DayFirst));
        assert_eq!("MDY".parse(), Ok(DateOrder::MonthFirst));
        let error = "ymd\n".parse::<DateOrder>().map_err(|error| error.to_string());
        assert_eq!(error, Err("date_order: expected 'dmy' or 'mdy', got 'ymd\\u{a}'".to_owned()));
        let options = |zone: &str| ReadOptions { time_zone: Some(zone.to_owned()), ..ReadOptions::default() };
        assert_eq!(options("Europe/Berlin").check(), Ok(()));
        assert_eq!(options("-03:30").check(), Ok(()));
        assert!(options("Mars/Base").check().is_err_and(|error| error.to_string().contains("'Mars/Base'")));
    }
}
