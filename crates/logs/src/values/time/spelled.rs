//! Times that are spelled out.
//!
//! All notations are read by one descent over the bytes, since their first characters tell them apart: a year, a day or a month
//! as a number, a weekday or a month by its name. A column may mix them. What only the whole column can decide, whether the day or
//! the month comes first in `01/02/2026`, is left open in [`Spelled`].

use super::clock::seconds;
use super::cursor::{Cursor, month, number, weekday};
use super::epoch::fraction;
use super::point::{DAY, Point, date, days, is_date};
use crate::options::DateOrder;

/// How the day and the month of a date are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The notation says it.
    Known,
    /// Two numbers before the year, with a slash.
    Slash,
    /// The same with `-`.
    Dash,
    /// The same with dots.
    Dot,
}

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spelled {
    pub(crate) order: Order,
    year: u16,
    /// The month if the order is known.
    pub(crate) first: u8,
    /// The day if the order is known.
    pub(crate) second: u8,
    /// Seconds since midnight, and nanoseconds after them, if there is a time of day.
    pub(super) clock: Option<(u32, u32)>,
    /// Seconds east of UTC, if there is a zone.
    pub(crate) offset: Option<i32>,
    /// The hour is followed by `AM` or `PM` in capitals.
    pub(crate) has_capital_half: bool,
}

impl Spelled {
    /// The time that bytes spell.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        // The shortest date and a long one with all that can follow.
        if !(8..=100).contains(&bytes.len()) {
            return None;
        }
        if let Some(spelled) = Self::of_iso(bytes) {
            return Some(spelled);
        }
        let mut rest = Cursor { bytes };
        let spelled = match bytes.first()? {
            b'0'..=b'9' => rest.numeric()?,
            b'/' => rest.microsoft()?,
            byte if byte.is_ascii_alphabetic() => rest.named()?,
            _ => return None,
        };
        rest.bytes.is_empty().then_some(spelled)
    }

    /// The time in the notation of most logs, `2025-01-01T09:00:00.123456Z` or without its end, a few times as fast. Not all that this
    /// refuses are no times.
    #[inline]
    fn of_iso(bytes: &[u8]) -> Option<Self> {
        let (date_and_clock, rest) = bytes.split_at_checked(19)?;
        let [c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] =
            date_and_clock
        else {
            return None;
        };
        let pair = |tens: &u8, ones: &u8| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            (tens <= 9 && ones <= 9).then(|| u16::from(tens) * 10 + u16::from(ones))
        };
        let year = pair(c1, c2)? * 100 + pair(y1, y2)?;
        let mut spelled = Self::new(year, pair(m1, m2)? as u8, pair(d1, d2)? as u8)?;
        let seconds = seconds(pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?)?;
        let (digits, is_utc) = match rest {
            [digits @ .., b'Z'] => (digits, true),
            digits => (digits, false),
        };
        let nanos = match digits {
            [] => 0,
            [b'.' | b',', digits @ ..] => fraction(digits)?,
            _ => return None,
        };
        spelled.clock = Some((seconds, nanos));
        spelled.offset = is_utc.then_some(0);
        Some(spelled)
    }

    pub(crate) fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    pub(crate) fn nanos(&self) -> u32 {
        self.clock.map_or(0, |(_, nanos)| nanos)
    }

    /// Whether nanoseconds since 1970 surely fit 64 bits.
    pub(crate) fn is_near(&self) -> bool {
        (1678..=2261).contains(&self.year)
    }

    /// Whether the other order of day and month is another date, and there is one.
    pub(crate) fn is_open(&self) -> bool {
        self.order != Order::Known && self.first <= 12 && self.second <= 12 && self.first != self.second
    }

    /// The time on the clock of its zone. The order counts only where it's open.
    pub(crate) fn local(&self, order: DateOrder) -> Point {
        let is_day_first = match self.order {
            Order::Known => false,
            _ => self.first > 12 || self.second <= 12 && order == DateOrder::DayFirst,
        };
        let (month, day) = if is_day_first { (self.second, self.first) } else { (self.first, self.second) };
        let (seconds, nanos) = self.clock.unwrap_or_default();
        Point { seconds: days(self.year, month, day) * DAY + i64::from(seconds), nanos }
    }

    fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        is_date(year, month, day).then_some(Self {
            order: Order::Known,
            year,
            first: month,
            second: day,
            clock: None,
            offset: None,
            has_capital_half: false,
        })
    }

    /// A date whose order the column decides.
    fn open(year: u16, first: u8, second: u8, order: Order) -> Option<Self> {
        let is_date = is_date(year, first, second) || is_date(year, second, first);
        is_date.then_some(Self {
            order,
            year,
            first,
            second,
            clock: None,
            offset: None,
            has_capital_half: false,
        })
    }
}

impl Cursor<'_> {
    /// A time that begins with a number.
    fn numeric(&mut self) -> Option<Spelled> {
        let digits = self.digits();
        let separator = self.next()?;
        match (digits, separator) {
            ([_, _, _, _], b'-' | b'/' | b'.' | b' ') => self.year_first(number(digits)?, separator),
            ([_, _, _, _, _, _, _, _], b'T' | b't') => self.compact(digits),
            ([_] | [_, _], b'-' | b'/' | b'.' | b' ') => self.day_first(number(digits)? as u8, separator),
            _ => None,
        }
    }

    /// `2025-01-01 09:00:00.5+02:00`, `2025/1/1`, `2025-Jan-01`.
    fn year_first(&mut self, year: u16, separator: u8) -> Option<Spelled> {
        if self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            let month = month(self.word())?;
            self.expect(separator)?;
            let day = self.up_to_two_digits()?;
            let mut spelled = Spelled::new(year, month, day)?;
            self.clock_behind_date(&mut spelled)?;
            return Some(spelled);
        }
        if separator == b' ' {
            return None;
        }
        let before = self.bytes.len();
        let month = self.up_to_two_digits()?;
        self.expect(separator)?;
        let day = self.up_to_two_digits()?;
        let is_padded = before - self.bytes.len() == 5;
        let mut spelled = Spelled::new(year, month, day)?;
        // `2025-1-5` alone may be a name for anything.
        if self.bytes.is_empty() {
            return (is_padded || separator == b'/').then_some(spelled);
        }
        if matches!(self.peek(), Some(b'T' | b't')) {
            self.next();
            self.clock(&mut spelled)?;
        } else {
            self.clock_behind_date(&mut spelled)?;
        }
        Some(spelled)
    }

    /// `20250101T090000Z`, without the letter.
    fn compact(&mut self, date: &[u8]) -> Option<Spelled> {
        let (year, rest) = date.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        let mut spelled = Spelled::new(number(year)?, number(month)? as u8, number(day)? as u8)?;
        let time = self.digits();
        let (hour, rest) = time.split_at_checked(2)?;
        let (minute, second) = rest.split_at_checked(2)?;
        let second = match second {
            [] => 0,
            [_, _] => number(second)?,
            _ => return None,
        };
        let nanos = if time.len() == 6 { self.fraction()? } else { 0 };
        spelled.clock = Some((seconds(number(hour)?, number(minute)?, second)?, nanos));
        self.zone(&mut spelled)?;
        Some(spelled)
    }

    /// `15/01/2019 10:05`, `9/30/2025, 9:43:21.990 AM`, `15.01.2019`, `15 Jan 2019 10:05:00`, `15/Jan/2019:10:05:00 +0200`.
    fn day_first(&mut self, first: u8, separator: u8) -> Option<Spelled> {
        let is_named = self.peek().is_some_and(|byte| byte.is_ascii_alphabetic());
        let mut spelled = if is_named {
            let month = month(self.word())?;
            self.expect(separator)?;
            Spelled::new(self.year()?, month, first)?
        } else {
            let order = match separator {
                b'/' => Order::Slash,
                b'-' => Order::Dash,
                b'.' => Order::Dot,
                _ => return None,
            };
            let second = self.up_to_two_digits()?;
            self.expect(separator)?;
            Spelled::open(self.year()?, first, second, order)?
        };
        // `15/Jan/2019:10:05:00` of web servers, `01/15/2019-10:05:00` of Snort and Suricata.
        let joint = if is_named { b':' } else { b'-' };
        if separator == b'/' && self.skip(joint) {
            self.clock(&mut spelled)?;
        } else {
            self.clock_behind_date(&mut spelled)?;
        }
        Some(spelled)
    }

    /// `Jan 15, 2019 10:05:00 AM`, `Tue, 15 Jan 2019 10:05:00 GMT`, `Tue Jan 15 10:05:00 2019`.
    fn named(&mut self) -> Option<Spelled> {
        let mut name = self.word();
        let weekday = weekday(name);
        if weekday.is_some() {
            let has_comma = self.skip(b',');
            if !self.spaces() && !has_comma {
                return None;
            }
            if self.peek()?.is_ascii_digit() {
                let spelled = self.numeric()?;
                return is_on(&spelled, weekday).then_some(spelled);
            }
            name = self.word();
        }
        let month = month(name)?;
        self.skip(b'.');
        if !self.spaces() {
            return None;
        }
        let day = self.up_to_two_digits()?;
        let mut spelled = match (self.skip(b','), self.spaces()) {
            (_, true) if self.is_year() => {
                let mut spelled = Spelled::new(self.year()?, month, day)?;
                self.clock_behind_date(&mut spelled)?;
                spelled
            }
            (false, true) => self.unix(month, day)?,
            _ => return None,
        };
        if !is_on(&spelled, weekday) {
            return None;
        }
        spelled.order = Order::Known;
        Some(spelled)
    }

    /// The end of `Tue Jan 15 10:05:00 2019`, where the year comes last, with a zone before or behind it.
    fn unix(&mut self, month: u8, day: u8) -> Option<Spelled> {
        let (seconds, nanos, _) = self.time_of_day()?;
        let mut offset = None;
        if !self.spaces() {
            return None;
        }
        if !self.is_year() {
            offset = Some(self.offset()?);
            if !self.spaces() {
                return None;
            }
        }
        let mut spelled = Spelled::new(self.year()?, month, day)?;
        spelled.clock = Some((seconds, nanos));
        spelled.offset = offset;
        if offset.is_none() {
            self.zone(&mut spelled)?;
        }
        Some(spelled)
    }

    /// `/Date(1547546700000)/`: milliseconds since 1970, as .NET writes them to JSON. An offset behind them only says how to show it.
    fn microsoft(&mut self) -> Option<Spelled> {
        let digits = self.bytes.strip_prefix(b"/Date(")?.strip_suffix(b")/")?;
        let end = digits
            .iter()
            .skip(1)
            .position(|byte| matches!(byte, b'+' | b'-'))
            .map_or(digits.len(), |at| at + 1);
        let (millis, offset) = digits.split_at_checked(end)?;
        if !(offset.is_empty() || offset.len() == 5 && offset.iter().skip(1).all(u8::is_ascii_digit)) {
            return None;
        }
        let millis = crate::values::number::integer(millis)?;
        let (year, month, day) = date(millis.div_euclid(DAY * 1_000))?;
        let of_day = millis.rem_euclid(DAY * 1_000);
        let mut spelled = Spelled::new(year, month, day)?;
        spelled.clock = Some(((of_day / 1_000) as u32, (of_day % 1_000) as u32 * 1_000_000));
        spelled.offset = Some(0);
        self.bytes = &[];
        Some(spelled)
    }

    /// Nothing, or a time of day behind a space or a comma, or behind a `T`.
    fn clock_behind_date(&mut self, spelled: &mut Spelled) -> Option<()> {
        if self.bytes.is_empty() {
            return Some(());
        }
        let has_comma = self.skip(b',');
        if !self.spaces() && !has_comma {
            return None;
        }
        // `January 15, 2019 at 10:05 AM` of macOS, `Jan 15, 2019 @ 10:05:00.000` of Kibana.
        let behind_word = [&b"at "[..], b"@ "].into_iter().find_map(|word| self.bytes.strip_prefix(word));
        self.bytes = behind_word.unwrap_or(self.bytes);
        self.clock(spelled)
    }
}

/// Whether a time is on the weekday, if one is named. Where day and month are open, so is the weekday.
fn is_on(spelled: &Spelled, weekday: Option<u8>) -> bool {
    weekday.is_none_or(|weekday| {
        spelled.order != Order::Known
            // The first of January 1970 was a Thursday.
            || (days(spelled.year, spelled.first, spelled.second) + 3).rem_euclid(7) == i64::from(weekday)
    })
}
