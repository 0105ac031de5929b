//! Whether the first record names the columns, and the names.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::field::{Field, Written};
use super::parse::Columns;
use super::sample::{Record, Sample};
use crate::delimited::{counted, quoted};

/// Whether a text is a number, a time, an address or the like: a value, and no name of a column.
pub(super) fn is_value(text: &str) -> bool {
    let text = text.trim();
    let words = ["true", "false", "infinity", "-infinity"];
    !text.is_empty() && is_missing(text)
        || words.iter().any(|word| text.eq_ignore_ascii_case(word))
        || is_number_or_time(text)
        || is_address_or_hash(text)
        || text.contains("://")
        || text.starts_with(['/', '\\', '{'])
        || text.starts_with("S-1-")
        || matches!(text.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
        || text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !text.contains(' '))
}

/// Whether a text says that there is no value.
fn is_missing(text: &str) -> bool {
    text.is_empty()
        || ["-", "null", "nil", "none", "nan", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers, and times in the spellings of the world.
fn is_number_or_time(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['-', '+', '.', '[', '(']);
    let is_part = |byte: u8| byte.is_ascii_digit() || b".,:/-+_ TZtzeEAaPpMm%])".contains(&byte);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && (unsigned.bytes().all(is_part)
            || unsigned
                .strip_prefix("0x")
                .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())))
        || has_clock(text)
            && text.len() < 40
            && text.split(|letter: char| !letter.is_alphanumeric()).all(is_part_of_time)
}

/// Whether a word of a time is a number, the name of a month or a day, or a zone.
fn is_part_of_time(word: &str) -> bool {
    const NAMES: [&str; 19] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue",
        "wed", "thu", "fri", "sat", "sun",
    ];
    word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T' || byte == b'Z')
        || word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_uppercase())
        || matches!(word, "am" | "pm")
        || word.get(..3).is_some_and(|start| NAMES.iter().any(|name| start.eq_ignore_ascii_case(name)))
}

/// Whether there is a time of day such as `9:05` in a text.
pub(super) fn has_clock(text: &str) -> bool {
    let is_clock = |window: &[u8]| matches!(window, [a, b':', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit());
    text.as_bytes().windows(4).any(is_clock)
}

/// IPv6 and hardware addresses, GUIDs, hashes.
fn is_address_or_hash(text: &str) -> bool {
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || b":-.%".contains(&byte);
    text.bytes().all(is_part) && (colons >= 2 || digits > 0 && text.len() >= 16)
}

/// Whether a text could name a column: a few words and no value.
pub(super) fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.len() <= 100
        && text.split_ascii_whitespace().count() <= 5
        && !is_value(text)
        && !has_clock(text)
        && !text.contains(['=', '{', '}', '<', '>', '\n'])
}

/// The values of the first records, white space around them taken away.
struct Head {
    names: Vec<String>,
    /// Those that are not the names again, as in files that were put together.
    others: Vec<Vec<String>>,
}

impl Head {
    fn of(sample: &Sample) -> Option<Self> {
        let (first, others) = sample.records.split_first()?;
        let mut names = sample.values(first);
        names.truncate(first.named(sample.text));
        let others =
            others.iter().map(|record| sample.values(record)).filter(|values| !values.starts_with(&names));
        Some(Self { others: others.collect(), names })
    }

    /// Whether all values of a column behind the first record are numbers, times and the like, and the first is not.
    fn has_typed_column(&self) -> bool {
        self.names.iter().enumerate().filter(|(_, name)| is_name(name)).any(|(column, _)| {
            let values =
                self.others.iter().filter_map(|values| values.get(column)).filter(|value| !is_missing(value));
            let mut typed = values.map(|value| is_value(value)).peekable();
            typed.peek().is_some() && typed.all(|is_typed| is_typed)
        })
    }

    /// The columns in which the name is also a value of each tenth record or more.
    fn repeated(&self) -> usize {
        let is_repeated = |(column, name): &(usize, &String)| {
            let again = self.others.iter().filter(|values| values.get(*column) == Some(name)).count();
            again > 0 && again * 10 >= self.others.len()
        };
        self.names.iter().enumerate().filter(is_repeated).count()
    }

    /// Whether the first column has no name and counts the records, as pandas writes it.
    fn is_of_row_numbers(&self, name: &str) -> bool {
        let number = |values: &Vec<String>| values.first().and_then(|value| value.parse::<usize>().ok());
        let start = self.others.first().and_then(number);
        name.is_empty()
            && self.names.len() > 1
            && self.others.len() > 1
            && start.is_some_and(|start| start < 2)
            && self
                .others
                .iter()
                .enumerate()
                .all(|(at, values)| number(values) == start.map(|start| start + at))
    }

    /// Whether the first record names the columns.
    fn is_header(&self) -> bool {
        let Self { names, others } = self;
        if names.is_empty() || names.iter().any(|name| is_value(name) || has_clock(name)) {
            return false;
        }
        if others.is_empty() || self.has_typed_column() {
            return true;
        }
        // All is text. A name stands for itself once, and is rarely a value of its column: an account may be called `user`.
        let distinct: HashSet<&String> = names.iter().collect();
        let repeated = self.repeated();
        distinct.len() == names.len()
            && names.iter().all(|name| !name.is_empty())
            && (names.len() == 1 || repeated == 0 || repeated * 2 <= names.len() && others.len() < 10)
    }
}

impl Sample<'_> {
    /// Whether all values of a column behind the first record are numbers, times and the like, and the first is not.
    pub(super) fn has_typed_column(&self) -> bool {
        Head::of(self).is_some_and(|head| head.has_typed_column())
    }

    /// Whether the first record names the columns.
    pub(super) fn has_header(&self) -> bool {
        Head::of(self).is_some_and(|head| head.is_header())
    }

    /// Whether the first record looks like names also to one who does not expect them. Prose has spaces behind its commas.
    pub(super) fn has_clear_header(&self) -> bool {
        let Some(first) = self.records.first() else { return false };
        let Some(head) = Head::of(self) else { return false };
        let is_spaced =
            |field: &Field| field.written == Written::Bare && field.value(self.text).starts_with(b" ");
        let is_clear =
            |(at, name): (usize, &String)| is_name(name) || at == 0 && head.is_of_row_numbers(name);
        head.is_header()
            && head.names.iter().enumerate().all(is_clear)
            && (head.has_typed_column() || head.repeated() == 0 && !first.fields.iter().any(is_spaced))
    }
}

impl Sample<'_> {
    /// The names in the first record, with an empty one for each column that it does not name, and what is to be said of those.
    pub(super) fn names(&self) -> (Vec<String>, Option<String>) {
        let Some((first, others)) = self.records.split_first() else { return (vec![], None) };
        let mut names = self.values(first);
        let (width, columns) = (self.width(), self.columns());
        if columns == width {
            return (names, None);
        }
        let number =
            |record: &Record| self.values(record).first().and_then(|value| value.parse::<usize>().ok());
        let start = others.first().and_then(number).filter(|start| *start < 2);
        let is_counted = start.is_some_and(|start| {
            others.iter().enumerate().all(|(row, record)| number(record) == Some(start + row))
        });
        // The numbers of rows, as statisticians' tools write them, stand before the columns that have names.
        let at = if is_counted && columns == width + 1 { 0 } else { width };
        names.splice(at..at, std::iter::repeat_n(String::new(), columns - width));
        let told = if at == 0 { "the first".to_owned() } else { format!("column_{}", width + 1) };
        (names, Some(format!("the header names {width} of {columns} columns: {told} has no name in it")))
    }
}

/// How many doubled names are told one by one.
const TOLD: usize = 8;

/// The columns that a header names, and what is to be said of them. A name that is there already gets a number, and one that is
/// empty is called by its place.
pub(in crate::delimited) fn columns_of(names: &[String]) -> (Columns, Vec<String>) {
    let required =
        names.iter().rposition(|name| !name.is_empty()).map_or(names.len().min(1), |last| last + 1);
    let mut taken: HashSet<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    // For each name the number that its next double may have.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut unique: Vec<Arc<str>> = Vec::with_capacity(names.len());
    let mut notes = vec![];
    let mut untold = 0;
    for (index, name) in names.iter().enumerate() {
        let number = match numbers.entry(name) {
            Entry::Vacant(entry) if !name.is_empty() => {
                entry.insert(2);
                unique.push(Arc::from(name.as_str()));
                continue;
            }
            entry => entry.or_insert(1),
        };
        let stem = if name.is_empty() { "column" } else { name };
        if name.is_empty() {
            *number = index + 1;
        }
        let other = loop {
            let other = format!("{stem}_{number}");
            *number += 1;
            if taken.insert(other.clone()) {
                break other;
            }
        };
        if notes.len() < TOLD && !name.is_empty() {
            let (name, place, other) = (quoted(name), index + 1, quoted(&other));
            notes.push(format!("the header names {name} more than once: column {place} is {other}"));
        } else {
            untold += usize::from(!name.is_empty());
        }
        unique.push(Arc::from(other));
    }
    if untold > 0 {
        notes.push(format!("the header names {} more than once", counted(untold, "further column")));
    }
    (Columns { names: unique, required }, notes)
}

/// Columns that no header names.
pub(super) fn numbered(count: usize) -> Columns {
    let names: Vec<_> = (1..=count).map(|number| Arc::from(format!("column_{number}"))).collect();
    Columns { required: names.len(), names }
}
