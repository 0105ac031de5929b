//! The type of a column, and what is to be said of it.

use std::sync::Arc;

use arrow::datatypes::TimeUnit;

use super::facts::Facts;
use super::name::{Says, says};
use super::nested::Nested;
use super::summary::Summary;
use super::time::{self, Epoch, Numbers, TimeReading, Zone};
use super::{ColumnType, shown};
use crate::options::{DateOrder, ReadOptions};

/// The type of a column, and what is to be said of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) column_type: ColumnType,
    /// Sentences for the report.
    pub(crate) notes: Vec<String>,
    /// For times, the zone that they were read in: `UTC`, the one of the options, or `the zone of each value` where every value has one.
    pub(crate) zone: Option<String>,
}

impl Summary {
    /// The type that holds every value, and sentences about assumptions (a day order that no value decides). A type of the options
    /// goes before it.
    pub(crate) fn decide(&self, name: &str, options: &ReadOptions) -> Decision {
        match options.types.iter().find(|(column, _)| column == name) {
            Some((_, ordered)) => {
                let mut decision = self.decide_as(ordered, options);
                let replaced = self.replaced_in(&decision.column_type);
                decision.notes.extend(replaced.map(|text| format!("'{}' {text}", shown(name.as_bytes()))));
                decision
            }
            None => self.find(name, options, true),
        }
    }

    /// The type of values in memory, of which no option orders the type.
    pub(super) fn decide_in_memory(&self, options: &ReadOptions) -> Decision {
        self.find("time", options, false)
    }

    fn find(&self, name: &str, options: &ReadOptions, may_be_ordered: bool) -> Decision {
        let mut found =
            Found { options, path: name.to_owned(), name, may_be_ordered, notes: vec![], zone: None };
        let column_type = found.column_type(self);
        Decision { column_type, notes: found.notes, zone: found.zone }
    }

    /// Whether a type that a file declares holds every value exactly. Times are read or rejected, and text holds all.
    pub(crate) fn fits(&self, declared: &ColumnType) -> bool {
        let ruled_out = match declared {
            ColumnType::Boolean => Facts::NOT_BOOLEAN,
            ColumnType::Integer => Facts::NOT_INTEGER,
            ColumnType::Float => Facts::NOT_FLOAT,
            _ => return true,
        };
        !self.facts.has(ruled_out)
    }

    /// The note about strings that a type of text does not hold as they are.
    fn replaced_in(&self, column_type: &ColumnType) -> Option<String> {
        let values = match self.replaced {
            _ if *column_type != ColumnType::Text => return None,
            0 => return None,
            1 => "a value",
            count => &format!("{count} values"),
        };
        Some(format!(
            "has {values} with half of a surrogate pair, such as \\ud800, which is no letter: it became U+FFFD"
        ))
    }

    /// A type that the caller or the file orders. What it leaves open, the unit and the day order of times, the values decide.
    pub(crate) fn decide_as(&self, ordered: &ColumnType, options: &ReadOptions) -> Decision {
        let mut column_type = ordered.clone();
        let mut zone = None;
        match &mut column_type {
            ColumnType::Date(reading) => reading.order = self.ordered_order(options),
            ColumnType::Timestamp(unit, _, reading) => {
                reading.order = self.ordered_order(options);
                reading.zone = Zone::of(options);
                // A type that is ruled out is not looked at to the end: finer fractions and other zones may follow.
                let is_known = !self.facts.has(Facts::NOT_TIME.and(Facts::NOT_EPOCH));
                if reading.has_open_unit {
                    *unit = if is_known { time::unit(self.facts) } else { TimeUnit::Nanosecond };
                }
                zone = Some(zone_name(if is_known { self.facts } else { Facts::NO_ZONE }, options));
            }
            _ => {}
        }
        Decision { column_type, notes: vec![], zone }
    }

    fn ordered_order(&self, options: &ReadOptions) -> Option<DateOrder> {
        options.date_order.or_else(|| {
            let is_known = !self.facts.has(Facts::NOT_TIME);
            is_known.then(|| order(self.facts, options).ok()).flatten().and_then(|(order, _)| order)
        })
    }
}

/// A search for the type of a column.
struct Found<'a> {
    options: &'a ReadOptions,
    /// The names from the column to the value, for messages.
    path: String,
    /// The name of the column or the member.
    name: &'a str,
    /// Whether the option `types` can order a type for the column.
    may_be_ordered: bool,
    notes: Vec<String>,
    zone: Option<String>,
}

impl Found<'_> {
    fn column_type(&mut self, summary: &Summary) -> ColumnType {
        let column_type = self.type_of(summary);
        if let Some(text) = summary.replaced_in(&column_type) {
            self.note(&text);
        }
        column_type
    }

    fn type_of(&mut self, summary: &Summary) -> ColumnType {
        let facts = summary.facts;
        let says = says(self.name);
        if !facts.has(Facts::VALUE) {
            // The file of a quiet day has the types of others.
            return if says == Says::Time {
                ColumnType::Timestamp(TimeUnit::Second, false, TimeReading::plain(false))
            } else {
                ColumnType::Text
            };
        }
        if facts.has_any(Facts::NESTED) {
            return summary
                .nested
                .as_ref()
                .and_then(|nested| self.nested(nested, facts))
                .unwrap_or(ColumnType::Json);
        }
        if !facts.has(Facts::NOT_BOOLEAN) {
            return ColumnType::Boolean;
        }
        if says > Says::Nothing && facts.has_any(Facts::EPOCHS) && !facts.has(Facts::NOT_EPOCH) {
            if let Some(epoch) = Epoch::of_facts(facts) {
                return self.epoch(facts, epoch);
            }
            self.note("has numbers since an epoch in several units, so they are not read as times");
        }
        if let Some(number) = self.number(facts) {
            if says == Says::Time && facts.has(Facts::NOT_EPOCH) {
                self.note("stays a number, since not all of its values lie between the years 1990 and 2100");
            }
            return number;
        }
        if !facts.has(Facts::NOT_TIME) {
            return self.time(facts).unwrap_or_else(|why| {
                self.note(&format!("stays text, since {why}"));
                ColumnType::Text
            });
        }
        // Times of day have a column of their own beside the one of the dates.
        let is_expected = |value: &&str| {
            summary.begins_with_time || says == Says::Time && !time::is_time_of_day(value.as_bytes())
        };
        if let Some(value) = summary.not_a_time.as_deref().filter(is_expected) {
            let way_out = if self.may_be_ordered { way_out(self.name) } else { String::new() };
            self.note(&format!(
                "stays text, since '{value}' is not a time with a date and a year of four digits{way_out}"
            ));
        }
        ColumnType::Text
    }

    /// The type of numbers, if all are.
    fn number(&mut self, facts: Facts) -> Option<ColumnType> {
        if !facts.has(Facts::NOT_INTEGER) {
            return Some(ColumnType::Integer);
        }
        // Integers that are too large for 64 bits, or words alone, are no numbers.
        let has_number = facts.has_any(Facts::INTEGER.and(Facts::DECIMAL));
        let is_float = has_number && facts.has_any(Facts::DECIMAL.and(Facts::SPECIAL));
        if facts.has(Facts::NOT_FLOAT) || !is_float {
            return None;
        }
        if facts.has(Facts::SPECIAL) {
            self.note("has words for numbers, such as NaN or Infinity, and is DOUBLE");
        }
        Some(ColumnType::Float)
    }

    /// The type of numbers since an epoch.
    fn epoch(&mut self, facts: Facts, epoch: Epoch) -> ColumnType {
        self.note(&format!("is a time by its name: its numbers are read as {}", epoch.words()));
        self.zone = Some("UTC".to_owned());
        let reading = TimeReading { numbers: Numbers::In(epoch), ..TimeReading::plain(false) };
        ColumnType::Timestamp(epoch_unit(epoch, facts), true, reading)
    }

    /// The type of times that are spelled out, or why they stay text.
    fn time(&mut self, facts: Facts) -> Result<ColumnType, String> {
        let (order, assumption) = order(facts, self.options)?;
        let mut reading = TimeReading { order, ..TimeReading::plain(false) };
        if !facts.has(Facts::CLOCK) {
            self.notes.extend(assumption.map(|assumption| self.sentence(assumption)));
            return Ok(ColumnType::Date(reading));
        }
        if facts.has(Facts::NANOS.and(Facts::FAR)) {
            return Err("nanoseconds are told from 1677 to 2262 only, and it has both them and other years"
                .to_owned());
        }
        let (gap, fold) = match order {
            Some(DateOrder::DayFirst) => (Facts::GAP_DAY_FIRST, Facts::FOLD_DAY_FIRST),
            _ => (Facts::GAP_MONTH_FIRST, Facts::FOLD_MONTH_FIRST),
        };
        let zone = zone_name(facts, self.options);
        if facts.has(gap) {
            return Err(format!(
                "the clocks of {zone} were set forward over one of its times; as an ordered TIMESTAMP it is read without it"
            ));
        }
        if facts.has(fold) {
            self.note(&format!(
                "has times that came twice when the clocks of {zone} were set back: the earlier is taken"
            ));
        }
        if facts.has(Facts::ZONE.and(Facts::NO_ZONE)) {
            self.note(&format!("has times with and without a zone; those without are read as {zone}"));
        }
        self.notes.extend(assumption.map(|assumption| self.sentence(assumption)));
        reading.zone = Zone::of(self.options);
        self.zone = Some(zone);
        let is_instant = facts.has(Facts::ZONE) || self.options.time_zone.is_some();
        Ok(ColumnType::Timestamp(time::unit(facts), is_instant, reading))
    }

    /// The type of objects or arrays that keep their shape.
    fn nested(&mut self, nested: &Nested, facts: Facts) -> Option<ColumnType> {
        if facts.has(Facts::ARRAY) {
            let items = &nested.items.facts;
            let has_one_kind = items.has_one_of(Facts::SCALAR.and(Facts::NESTED));
            if !has_one_kind {
                return None;
            }
            return match self.inner(None, &nested.items) {
                ColumnType::Json => None,
                item => Some(ColumnType::List(Box::new(item))),
            };
        }
        let is_struct = !nested.is_wide && nested.is_struct();
        let found = is_struct
            .then(|| {
                let field = |member: &super::nested::Member| {
                    (Arc::clone(&member.name), self.inner(Some(&member.name), &member.summary))
                };
                ColumnType::Struct(nested.members.iter().map(field).collect())
            })
            .filter(|found| leaves(found) <= MOST_LEAVES);
        if found.is_some() {
            let told = nested
                .changes
                .notes()
                .into_iter()
                .map(|text| format!("in '{}', {text}", shown(self.path.as_bytes())));
            self.notes.extend(told);
        }
        found
    }

    fn inner(&mut self, member: Option<&str>, summary: &Summary) -> ColumnType {
        let path = match member {
            Some(member) => format!("{}.{member}", self.path),
            None => format!("{}[]", self.path),
        };
        let name = member.unwrap_or(self.name);
        let mut inner =
            Found { options: self.options, path, name, may_be_ordered: false, notes: vec![], zone: None };
        let column_type = inner.column_type(summary);
        self.notes.append(&mut inner.notes);
        column_type
    }

    fn note(&mut self, text: &str) {
        self.notes.push(self.sentence(text));
    }

    fn sentence(&self, text: &str) -> String {
        format!("'{}' {text}", shown(self.path.as_bytes()))
    }
}

/// The way to read a column as times that has other values, as the end of a sentence.
fn way_out(name: &str) -> String {
    const LONGEST: usize = 64;
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let name = match name {
        _ if name.len() > LONGEST || *shown(name.as_bytes()) != *name => "...".to_owned(),
        _ if is_word => name.to_owned(),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    };
    format!("; types => {{{name}: 'TIMESTAMP'}} rejects such values")
}

/// A struct with more values than a row of any log has stays JSON.
const MOST_LEAVES: usize = 256;

/// The number of columns that a type would be if structs were taken apart.
fn leaves(column_type: &ColumnType) -> usize {
    match column_type {
        ColumnType::Struct(fields) => fields.iter().map(|(_, field)| leaves(field)).sum(),
        ColumnType::List(item) => leaves(item),
        _ => 1,
    }
}

/// The coarsest unit that holds the numbers.
fn epoch_unit(epoch: Epoch, facts: Facts) -> TimeUnit {
    match epoch {
        Epoch::Seconds => time::unit(facts),
        Epoch::Millis => TimeUnit::Millisecond,
        Epoch::Filetime if facts.has(Facts::NANOS) => TimeUnit::Nanosecond,
        Epoch::Micros | Epoch::Filetime => TimeUnit::Microsecond,
        Epoch::Nanos => TimeUnit::Nanosecond,
    }
}

/// The zone that times are read in.
fn zone_name(facts: Facts, options: &ReadOptions) -> String {
    match &options.time_zone {
        Some(zone) if facts.has(Facts::NO_ZONE) => shown(zone.as_bytes()),
        _ if facts.has(Facts::ZONE) && !facts.has(Facts::NO_ZONE) => "the zone of each value".to_owned(),
        _ => "UTC".to_owned(),
    }
}

/// The order of day and month if there's a date that needs one, and what is assumed for it; or why there is none.
fn order(facts: Facts, options: &ReadOptions) -> Result<(Option<DateOrder>, Option<&'static str>), String> {
    let (not_day, not_month) = (facts.has(Facts::NOT_DAY_FIRST), facts.has(Facts::NOT_MONTH_FIRST));
    let is_open = facts.has_any(Facts::UNDECIDED.and(Facts::UNDECIDED_DOTS));
    match (not_day, not_month, options.date_order) {
        (true, true, _) => Err("some of its dates have the day first and others the month".to_owned()),
        (true, _, Some(DateOrder::DayFirst)) => Err("one of its dates has the month first, against date_order => 'dmy'".to_owned()),
        (_, true, Some(DateOrder::MonthFirst)) => Err("one of its dates has the day first, against date_order => 'mdy'".to_owned()),
        (_, _, Some(order)) => Ok((Some(order), None)),
        (true, false, None) => Ok((Some(DateOrder::MonthFirst), None)),
        (false, true, None) => Ok((Some(DateOrder::DayFirst), None)),
        (false, false, None) if !is_open => Ok((None, None)),
        (false, false, None) if !facts.has(Facts::UNDECIDED) => {
            Ok((Some(DateOrder::DayFirst), Some("has the day before the month, as is usual with dots; if not, say date_order => 'mdy'")))
        }
        (false, false, None) if facts.has(Facts::US_NOTATION) => Ok((
            Some(DateOrder::MonthFirst),
            Some("has the month before the day, as is usual with AM and PM; if not, say date_order => 'dmy'"),
        )),
        (false, false, None) => Err(
            "no value says whether the day or the month comes first in its dates: say date_order => 'dmy' or 'mdy'".to_owned()
        ),
    }
}
