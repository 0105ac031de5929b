//! The types that hold all values of a column.
//!
//! A summary starts with every type and loses those that a value does not fit. What is left, and the few facts about times that only
//! a whole column can tell, are a set of bits, so parts of a column are looked at on any thread, in any cut, and join by OR. A
//! column of text costs next to nothing: one value rules out all other types, and the rest of the part isn't looked at.

use super::facts::Facts;
use super::nested::Nested;
use super::time::{self, Epoch, Zone};
use super::{Values, number};
use crate::json;
use crate::options::ReadOptions;
use crate::records::{Cell, Syntax};

/// The types that hold all values seen so far. Summaries of parts of a column merge to the summary of the whole, whatever the parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Summary {
    pub(super) facts: Facts,
    /// The first value is a time that is spelled out.
    pub(super) begins_with_time: bool,
    /// The beginning of the first value that is none.
    pub(super) not_a_time: Option<Box<str>>,
    /// The number of strings with half of a surrogate pair, of which text has U+FFFD.
    pub(super) replaced: u64,
    /// The shape that objects and arrays have in common, as long as there are no values besides them.
    pub(super) nested: Option<Box<Nested>>,
}

/// How values are looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(super) options: &'a ReadOptions,
    pub(super) zone: Zone,
    /// The number of objects and arrays around the values.
    pub(super) depth: usize,
    /// Whether strings may have halves of surrogate pairs.
    may_replace: bool,
}

impl<'a> Look<'a> {
    pub(super) fn new(options: &'a ReadOptions) -> Self {
        Self { options, zone: Zone::of(options), depth: 0, may_replace: false }
    }

    /// The look at the values in a text.
    pub(crate) fn at(text: &[u8], syntax: Syntax, options: &'a ReadOptions) -> Self {
        let may_replace = syntax == Syntax::Json && json::may_have_lone_surrogate(text);
        Self { may_replace, ..Self::new(options) }
    }

    /// The same for values inside of these.
    pub(super) fn inside(&self) -> Self {
        Self { depth: self.depth + 1, ..*self }
    }
}

impl Summary {
    /// Looks at the values of a column.
    #[cfg(test)]
    pub(crate) fn of(text: &[u8], cells: &[Cell], syntax: Syntax, options: &ReadOptions) -> Self {
        Self::at(text, cells, syntax, &Look::at(text, syntax, options))
    }

    /// Looks at the values of a column, of which the look is at the whole text.
    pub(crate) fn at(text: &[u8], cells: &[Cell], syntax: Syntax, look: &Look) -> Self {
        let values = Values { text, syntax, nulls: &look.options.nulls };
        let mut summary = Self::default();
        for cell in cells {
            let Some(value) = values.raw(*cell) else { continue };
            match syntax {
                Syntax::Plain => {
                    summary.add(Facts::PLAIN, value, look);
                    if summary.facts.has(Facts::TEXT) {
                        break;
                    }
                }
                Syntax::Json => {
                    summary.add_json(value, look);
                    if summary.facts.is_mixed() {
                        break;
                    }
                }
            }
        }
        if look.may_replace {
            let is_replaced = |cell: &&Cell| {
                values
                    .raw(**cell)
                    .is_some_and(|value| value.first() == Some(&b'"') && json::has_lone_surrogate(value))
            };
            summary.replaced = cells.iter().filter(is_replaced).count() as u64;
        }
        if summary.facts.has_any(Facts::NESTED) && !summary.facts.is_mixed() {
            summary.nested = Nested::of(text, cells, look, summary.facts);
        }
        summary
    }

    /// Looks at values in memory.
    pub(super) fn of_texts<'a>(values: impl Iterator<Item = &'a [u8]>, look: &Look) -> Self {
        let mut summary = Self::default();
        for value in values.filter(|value| !super::is_null(value, &look.options.nulls)) {
            summary.add(Facts::PLAIN, value, look);
        }
        summary
    }

    /// Takes in the summary of a later part.
    pub(crate) fn merge(&mut self, later: &Self) {
        if !self.facts.has(Facts::VALUE) {
            self.begins_with_time = later.begins_with_time;
        }
        if self.not_a_time.is_none() {
            self.not_a_time.clone_from(&later.not_a_time);
        }
        self.facts.add(later.facts);
        self.replaced += later.replaced;
        if self.facts.is_mixed() {
            self.nested = None;
        } else if let Some(nested) = &later.nested {
            match &mut self.nested {
                Some(own) => own.merge(nested),
                None => self.nested = Some(nested.clone()),
            }
        }
    }

    fn add_json(&mut self, value: &[u8], look: &Look) {
        match value.first() {
            Some(b'"') => {
                let ruled_out = Facts::NOT_BOOLEAN.and(Facts::NOT_INTEGER).and(Facts::NOT_FLOAT);
                self.facts.add(Facts::JSON_STRING.and(ruled_out));
                if !self.facts.has(Facts::TEXT) {
                    self.add(Facts::JSON_STRING, &super::unquoted(value), look);
                }
            }
            Some(b'{') => self.facts.add(Facts::OBJECT.and(Facts::VALUE).and(Facts::TEXT)),
            Some(b'[') => self.facts.add(Facts::ARRAY.and(Facts::VALUE).and(Facts::TEXT)),
            Some(b't' | b'f') => {
                let ruled_out = Facts::TEXT.without(Facts::NOT_BOOLEAN);
                self.facts.add(Facts::JSON_WORD);
                self.add_scalar(ruled_out, value);
            }
            _ => {
                self.facts.add(Facts::JSON_NUMBER);
                if !self.facts.has(Facts::TEXT) {
                    self.add(Facts::JSON_NUMBER, value, look);
                }
            }
        }
    }

    /// Looks at a value that may be of any scalar type that isn't ruled out yet.
    #[inline]
    fn add(&mut self, kind: Facts, value: &[u8], look: &Look) {
        let known = self.facts;
        if !known.has(Facts::NOT_INTEGER)
            && let Some(integer) = number::integer(value)
        {
            return self.add_scalar(kind.and(integer_facts(integer, known)), value);
        }
        self.add_scalar(kind.and(other_facts(kind, value, known, look.zone)), value);
    }

    #[inline]
    fn add_scalar(&mut self, facts: Facts, value: &[u8]) {
        if self.facts.has(facts.and(Facts::VALUE)) {
            return;
        }
        if !self.facts.has(Facts::VALUE) {
            self.begins_with_time = !facts.has(Facts::NOT_TIME);
        }
        self.facts.add(facts.and(Facts::VALUE));
        if self.not_a_time.is_none() && facts.has(Facts::NOT_TIME) {
            self.not_a_time = Some(super::shown(value).into_boxed_str());
        }
    }
}

/// The facts about an integer.
#[inline]
fn integer_facts(integer: i64, known: Facts) -> Facts {
    let mut facts = Facts::INTEGER.and(Facts::NOT_BOOLEAN).and(Facts::NOT_TIME);
    if !known.has(Facts::NOT_EPOCH) {
        facts.add(match Epoch::of(integer) {
            Some(epoch) => epoch.fact().and(time::fraction_facts(epoch.point(integer).nanos)),
            None => Facts::NOT_EPOCH,
        });
    }
    if !known.has(Facts::NOT_FLOAT) && !number::is_exact_in_double(integer) {
        facts.add(Facts::NOT_FLOAT);
    }
    facts
}

/// The facts about a value that is no integer, or one in a column that is not of integers.
fn other_facts(kind: Facts, value: &[u8], known: Facts, zone: Zone) -> Facts {
    let mut facts = Facts::NOT_INTEGER;
    let is_boolean = !known.has(Facts::NOT_BOOLEAN) && super::boolean(value).is_some();
    if is_boolean {
        return Facts::TEXT.without(Facts::NOT_BOOLEAN);
    }
    facts.add(Facts::NOT_BOOLEAN);
    if !known.has(Facts::NOT_FLOAT) {
        facts.add(match number::exact_float(value, kind.has(Facts::JSON_NUMBER)) {
            Some(number::Notation::Integer) => Facts::INTEGER,
            Some(number::Notation::Decimal) => Facts::DECIMAL,
            None if number::special(value).is_some() => Facts::SPECIAL,
            None => Facts::NOT_FLOAT,
        });
    }
    if known.has(Facts::NOT_TIME.and(Facts::NOT_EPOCH)) {
        facts.add(Facts::NOT_TIME.and(Facts::NOT_EPOCH));
    } else {
        facts.add(time::facts(value, known, zone));
    }
    facts
}
