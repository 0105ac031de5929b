//! Steps over the bytes of a time.

/// The bytes that are left.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A year of four digits, if no more follow.
    pub(super) fn year(&mut self) -> Option<u16> {
        match self.digits() {
            year @ [_, _, _, _] => number(year),
            _ => None,
        }
    }

    pub(super) fn is_year(&self) -> bool {
        let mut rest = *self;
        rest.year().is_some()
    }

    pub(super) fn two_digits(&mut self) -> Option<u8> {
        match self.digits() {
            digits @ [_, _] => number(digits).map(|number| number as u8),
            _ => None,
        }
    }

    pub(super) fn up_to_two_digits(&mut self) -> Option<u8> {
        match self.digits() {
            digits @ ([_] | [_, _]) => number(digits).map(|number| number as u8),
            _ => None,
        }
    }

    pub(super) fn digits(&mut self) -> &'a [u8] {
        self.take_while(u8::is_ascii_digit)
    }

    pub(super) fn word(&mut self) -> &'a [u8] {
        self.take_while(u8::is_ascii_alphabetic)
    }

    pub(super) fn take_while(&mut self, is_part: impl Fn(&u8) -> bool) -> &'a [u8] {
        let end = self.bytes.iter().position(|byte| !is_part(byte)).unwrap_or(self.bytes.len());
        let (taken, rest) = self.bytes.split_at(end);
        self.bytes = rest;
        taken
    }

    /// Whether there were spaces; they are skipped.
    pub(super) fn spaces(&mut self) -> bool {
        !self.take_while(|byte| *byte == b' ').is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(super) fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.next();
        }
        is_next
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }
}

/// The number of at most four digits.
pub(super) fn number(digits: &[u8]) -> Option<u16> {
    digits
        .iter()
        .try_fold(0_u16, |sum, digit| sum.checked_mul(10)?.checked_add(u16::from(digit.wrapping_sub(b'0'))))
}

/// The number of a month by its English name.
pub(super) fn month(name: &[u8]) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if name.eq_ignore_ascii_case(b"sept") {
        return Some(9);
    }
    position(&MONTHS, name).map(|at| at + 1)
}

/// The number of a weekday by its English name; Monday is 0.
pub(super) fn weekday(name: &[u8]) -> Option<u8> {
    position(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], name)
}

/// The position of a name among names that may be cut after three letters.
fn position(names: &[&str], name: &[u8]) -> Option<u8> {
    let is_name = |full: &&str| {
        name.eq_ignore_ascii_case(full.as_bytes())
            || name.len() == 3
                && full.as_bytes().get(..3).is_some_and(|short| name.eq_ignore_ascii_case(short))
    };
    names.iter().position(is_name).map(|at| at as u8)
}
