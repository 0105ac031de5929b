//! Times of day and zones.

use super::cursor::{Cursor, number};
use super::epoch::fraction;
use super::spelled::Spelled;

/// Whether bytes are a time of day without a date.
pub(in crate::values) fn is_time_of_day(bytes: &[u8]) -> bool {
    let mut rest = Cursor { bytes };
    rest.time_of_day().is_some() && rest.bytes.is_empty()
}

impl Cursor<'_> {
    /// A time of day with what may follow: `AM` or `PM`, and a zone.
    pub(super) fn clock(&mut self, spelled: &mut Spelled) -> Option<()> {
        let (seconds, nanos, has_capital_half) = self.time_of_day()?;
        spelled.clock = Some((seconds, nanos));
        spelled.has_capital_half = has_capital_half;
        self.zone(spelled)
    }

    /// `9:05`, `09:05:00`, `09:05:00.123456789`, `9:05:00 AM`. A minute has no 61st second, since no type holds it.
    pub(super) fn time_of_day(&mut self) -> Option<(u32, u32, bool)> {
        let hour = self.up_to_two_digits()?;
        self.expect(b':')?;
        let minute = self.two_digits()?;
        let (second, nanos) = if self.skip(b':') { (self.two_digits()?, self.fraction()?) } else { (0, 0) };
        let (hour, has_capital_half) = match self.half()? {
            None => (hour, false),
            Some((is_afternoon, is_capital)) => {
                // Some write `00:05 AM` and `13:05 PM`, which can mean one hour only.
                let hour = match (hour, is_afternoon) {
                    (12, false) => 0,
                    (0..=11, false) | (12..=23, true) => hour,
                    (1..=11, true) => hour + 12,
                    _ => return None,
                };
                (hour, is_capital)
            }
        };
        Some((seconds(hour.into(), minute.into(), second.into())?, nanos, has_capital_half))
    }

    /// The half of the day, and whether it's in capitals; none if none is named. New versions of ICU put U+202F before it.
    #[expect(clippy::option_option, reason = "outer: what follows is no time; inner: no half is named")]
    fn half(&mut self) -> Option<Option<(bool, bool)>> {
        let mut rest = *self;
        for space in [&b" "[..], "\u{202f}".as_bytes(), "\u{a0}".as_bytes()] {
            if let Some(after) = rest.bytes.strip_prefix(space) {
                rest.bytes = after;
                break;
            }
        }
        let (is_afternoon, is_capital) = match rest.bytes.first() {
            Some(b'A') => (false, true),
            Some(b'P') => (true, true),
            Some(b'a') => (false, false),
            Some(b'p') => (true, false),
            _ => return Some(None),
        };
        rest.next();
        let has_dots = rest.skip(b'.');
        if !rest.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'm')) || has_dots && !rest.skip(b'.') {
            return None;
        }
        *self = rest;
        Some(Some((is_afternoon, is_capital)))
    }

    /// The nanoseconds behind a point or a comma; 0 if there is neither.
    pub(super) fn fraction(&mut self) -> Option<u32> {
        match self.bytes {
            [b'.' | b',', rest @ ..] => {
                self.bytes = rest;
                fraction(self.digits())
            }
            _ => Some(0),
        }
    }

    /// Nothing, or a zone with what may stand between.
    pub(super) fn zone(&mut self, spelled: &mut Spelled) -> Option<()> {
        if self.bytes.is_empty() {
            return Some(());
        }
        self.spaces();
        spelled.offset = Some(self.offset()?);
        // The name of the zone as a comment, as in mails and in JavaScript.
        if let [b' ', b'(', name @ .., b')'] = self.bytes
            && !name.iter().any(|byte| matches!(byte, b'(' | b')'))
        {
            self.bytes = &[];
        }
        Some(())
    }

    /// `Z`, `+02:00`, `-0800`, `+05`, `UTC`, `GMT+2`: seconds east of UTC. Other abbreviations mean several zones.
    pub(super) fn offset(&mut self) -> Option<i32> {
        let is_named = match self.bytes {
            [b'Z' | b'z', rest @ ..] => {
                self.bytes = rest;
                return Some(0);
            }
            [b'U', b'T', b'C', rest @ ..] | [b'G', b'M', b'T', rest @ ..] => {
                self.bytes = rest;
                true
            }
            _ => false,
        };
        let sign = match self.peek() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return is_named.then_some(0),
        };
        self.next();
        let (hours, minutes) = match self.digits() {
            hours @ [_, _] if self.skip(b':') => (number(hours)?, self.two_digits()?.into()),
            hours @ [_, _] => (number(hours)?, 0),
            [hours] if is_named => {
                let minutes = if self.skip(b':') { self.two_digits()? } else { 0 };
                (u16::from(hours - b'0'), minutes.into())
            }
            [h, o, m, i] => (number(&[*h, *o])?, number(&[*m, *i])?),
            _ => return None,
        };
        (hours <= 23 && minutes <= 59).then(|| sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60))
    }
}

pub(super) fn seconds(hour: u16, minute: u16, second: u16) -> Option<u32> {
    let is_time = hour <= 23 && minute <= 59 && second <= 59;
    is_time.then(|| u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second))
}
