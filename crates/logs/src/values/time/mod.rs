//! Times: how they are written, and how those of one column are read.
//!
//! A time that is spelled out is read on its own, in whatever notation, but for two questions that the column answers: the order of
//! day and month, and the zone of times that name none. A number is a time only by the name of its column.

mod clock;
mod cursor;
mod epoch;
mod point;
mod spelled;
#[cfg(test)]
mod tests;
mod zone;

use arrow::datatypes::TimeUnit;

pub(super) use clock::is_time_of_day;
pub(super) use epoch::{Epoch, read as read_epoch};
pub(super) use point::Point;
pub(super) use spelled::{Order, Spelled};
use zone::Instant;
pub(crate) use zone::Zone;

use super::facts::Facts;
use crate::options::DateOrder;

/// How the times of a column are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeReading {
    pub(super) numbers: Numbers,
    /// The order of day and month, if a value leaves it open.
    pub(super) order: Option<DateOrder>,
    /// The zone of times that name none.
    pub(super) zone: Zone,
    /// The unit was not ordered, so the values choose it.
    pub(super) has_open_unit: bool,
}

/// The meaning of numbers among times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// The time since an epoch in this unit.
    In(Epoch),
    /// The time since an epoch in the unit that puts the number between 1990 and 2100.
    ByMagnitude,
}

impl TimeReading {
    /// A reading that takes a time as it is, and refuses one whose day and month could be the other way round.
    pub(super) fn plain(has_open_unit: bool) -> Self {
        Self { numbers: Numbers::ByMagnitude, order: None, zone: Zone::UTC, has_open_unit }
    }

    /// The point in time of a value, or why it is none.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Point, &'static str> {
        if let Some(spelled) = Spelled::of(bytes) {
            return self.point(&spelled);
        }
        match self.numbers {
            Numbers::In(epoch @ (Epoch::Millis | Epoch::Micros | Epoch::Nanos | Epoch::Filetime)) => {
                super::number::integer(bytes).map(|number| epoch.point(number))
            }
            Numbers::In(Epoch::Seconds) | Numbers::ByMagnitude => read_epoch(bytes).map(|(_, point)| point),
        }
        .ok_or("it is not a time")
    }

    fn point(&self, spelled: &Spelled) -> Result<Point, &'static str> {
        let order = match self.order {
            Some(order) => order,
            None if spelled.is_open() => {
                return Err(
                    "its day and month could be the other way round: say date_order => 'dmy' or 'mdy'",
                );
            }
            None => DateOrder::MonthFirst,
        };
        let contradicts = match order {
            DateOrder::DayFirst => spelled.second > 12,
            DateOrder::MonthFirst => spelled.first > 12,
        };
        if self.order.is_some() && spelled.order != Order::Known && contradicts {
            return Err("its day and month are not in the order of the column");
        }
        let local = spelled.local(order);
        if let Some(offset) = spelled.offset {
            return Ok(Point { seconds: local.seconds - i64::from(offset), ..local });
        }
        match self.zone.instant(local.seconds) {
            // A day begins when its first hour does, also if that is not the first of others.
            Instant::Skipped(_) if spelled.has_clock() => {
                Err("the clocks of its time zone were set forward over it: there was no such time")
            }
            instant => Ok(Point { seconds: instant.seconds(), ..local }),
        }
    }
}

/// The facts about a value among times: those of a time that is spelled out, or of a number since an epoch. Facts about a type that
/// is `ruled_out` are not looked for.
pub(super) fn facts(bytes: &[u8], ruled_out: Facts, zone: Zone) -> Facts {
    if !ruled_out.has(Facts::NOT_TIME)
        && let Some(spelled) = Spelled::of(bytes)
    {
        return spelled_facts(&spelled, zone).and(Facts::NOT_EPOCH);
    }
    if !ruled_out.has(Facts::NOT_EPOCH)
        && let Some((epoch, point)) = read_epoch(bytes)
    {
        return epoch.fact().and(fraction_facts(point.nanos)).and(Facts::NOT_TIME);
    }
    Facts::NOT_TIME.and(Facts::NOT_EPOCH)
}

/// The facts about a fraction of a second.
pub(super) fn fraction_facts(nanos: u32) -> Facts {
    match nanos {
        0 => Facts::default(),
        _ if nanos.is_multiple_of(1_000_000) => Facts::MILLIS,
        _ if nanos.is_multiple_of(1_000) => Facts::MICROS,
        _ => Facts::NANOS,
    }
}

/// The coarsest unit that holds all fractions.
pub(super) fn unit(facts: Facts) -> TimeUnit {
    if facts.has(Facts::NANOS) {
        TimeUnit::Nanosecond
    } else if facts.has(Facts::MICROS) {
        TimeUnit::Microsecond
    } else if facts.has(Facts::MILLIS) {
        TimeUnit::Millisecond
    } else {
        TimeUnit::Second
    }
}

fn spelled_facts(spelled: &Spelled, zone: Zone) -> Facts {
    let mut facts = fraction_facts(spelled.nanos());
    facts.add(if spelled.offset.is_some() { Facts::ZONE } else { Facts::NO_ZONE });
    if spelled.has_clock() {
        facts.add(Facts::CLOCK);
    }
    if !spelled.is_near() {
        facts.add(Facts::FAR);
    }
    if spelled.order != Order::Known {
        if spelled.first > 12 {
            facts.add(Facts::NOT_MONTH_FIRST);
        }
        if spelled.second > 12 {
            facts.add(Facts::NOT_DAY_FIRST);
        }
        if spelled.is_open() {
            let is_dotted = spelled.order == Order::Dot;
            facts.add(if is_dotted { Facts::UNDECIDED_DOTS } else { Facts::UNDECIDED });
        }
        if spelled.order == Order::Slash && spelled.has_capital_half {
            facts.add(Facts::US_NOTATION);
        }
    }
    if spelled.has_clock() && spelled.offset.is_none() && zone != Zone::UTC {
        let instant = |order| zone.instant(spelled.local(order).seconds);
        let month_first = instant(DateOrder::MonthFirst);
        let day_first = if spelled.is_open() { instant(DateOrder::DayFirst) } else { month_first };
        facts.add(match month_first {
            Instant::At(_) => Facts::default(),
            Instant::Earlier(_) => Facts::FOLD_MONTH_FIRST,
            Instant::Skipped(_) => Facts::GAP_MONTH_FIRST,
        });
        facts.add(match day_first {
            Instant::At(_) => Facts::default(),
            Instant::Earlier(_) => Facts::FOLD_DAY_FIRST,
            Instant::Skipped(_) => Facts::GAP_DAY_FIRST,
        });
    }
    facts
}
