//! The facts about a column's values, as a set of bits.

/// Facts about the values seen so far. Each is true of a column as soon as one value makes it true, so facts of parts join by OR, in
/// any order and however the column is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts(u64);

impl Facts {
    /// There is a value.
    pub(super) const VALUE: Self = Self(1);

    // A value that a type can't hold. Facts that serve a type are complete only as long as the type isn't ruled out.
    pub(super) const NOT_BOOLEAN: Self = Self(1 << 1);
    pub(super) const NOT_INTEGER: Self = Self(1 << 2);
    pub(super) const NOT_FLOAT: Self = Self(1 << 3);
    /// A value that does not spell a time out.
    pub(super) const NOT_TIME: Self = Self(1 << 4);
    /// A value that is no number of seconds, or parts of them, that have passed since an epoch.
    pub(super) const NOT_EPOCH: Self = Self(1 << 5);
    /// Nothing but text holds all values.
    pub(super) const TEXT: Self = Self(0b11_1110);

    // Numbers.
    pub(super) const INTEGER: Self = Self(1 << 6);
    pub(super) const DECIMAL: Self = Self(1 << 7);
    /// `NaN`, `Infinity` and their like.
    pub(super) const SPECIAL: Self = Self(1 << 8);

    // Kinds of values. A number in quotes is a string in JSON; in CSV it's as plain as one without.
    pub(super) const PLAIN: Self = Self(1 << 9);
    pub(super) const JSON_STRING: Self = Self(1 << 10);
    pub(super) const JSON_NUMBER: Self = Self(1 << 11);
    pub(super) const JSON_WORD: Self = Self(1 << 12);
    pub(super) const OBJECT: Self = Self(1 << 13);
    pub(super) const ARRAY: Self = Self(1 << 14);
    pub(super) const SCALAR: Self = Self(0b1_1110 << 8);
    pub(super) const NESTED: Self = Self(0b11 << 13);

    // Times that are spelled out.
    pub(super) const ZONE: Self = Self(1 << 15);
    pub(super) const NO_ZONE: Self = Self(1 << 16);
    /// A time of day.
    pub(super) const CLOCK: Self = Self(1 << 17);
    /// The year is one that nanoseconds since 1970 don't reach.
    pub(super) const FAR: Self = Self(1 << 18);
    /// The second number of a date is above 12, so it is the day.
    pub(super) const NOT_DAY_FIRST: Self = Self(1 << 19);
    /// The first number of a date is above 12, so it is the day.
    pub(super) const NOT_MONTH_FIRST: Self = Self(1 << 20);
    /// A date with `/` or `-` that is another day if it's read in the other order.
    pub(super) const UNDECIDED: Self = Self(1 << 21);
    /// The same with dots, which only stand between days that come first.
    pub(super) const UNDECIDED_DOTS: Self = Self(1 << 22);
    /// A date with `/` and a time with `AM` or `PM`, the notation of the United States.
    pub(super) const US_NOTATION: Self = Self(1 << 23);
    /// A local time that the zone skips, if the day comes first.
    pub(super) const GAP_DAY_FIRST: Self = Self(1 << 24);
    pub(super) const GAP_MONTH_FIRST: Self = Self(1 << 25);
    /// A local time that the zone has twice, if the day comes first.
    pub(super) const FOLD_DAY_FIRST: Self = Self(1 << 26);
    pub(super) const FOLD_MONTH_FIRST: Self = Self(1 << 27);

    // Fractions of seconds, of times and epochs alike.
    pub(super) const MILLIS: Self = Self(1 << 28);
    pub(super) const MICROS: Self = Self(1 << 29);
    pub(super) const NANOS: Self = Self(1 << 30);

    // Units of epochs.
    pub(super) const EPOCH_SECONDS: Self = Self(1 << 31);
    pub(super) const EPOCH_MILLIS: Self = Self(1 << 32);
    pub(super) const EPOCH_MICROS: Self = Self(1 << 33);
    pub(super) const EPOCH_NANOS: Self = Self(1 << 34);
    pub(super) const EPOCH_FILETIME: Self = Self(1 << 35);
    pub(super) const EPOCHS: Self = Self(0b1_1111 << 31);

    /// Whether all of these facts are true.
    pub(super) fn has(self, facts: Self) -> bool {
        self.0 & facts.0 == facts.0
    }

    /// Whether one of these facts is true.
    pub(super) fn has_any(self, facts: Self) -> bool {
        self.0 & facts.0 != 0
    }

    pub(super) fn add(&mut self, facts: Self) {
        self.0 |= facts.0;
    }

    pub(super) const fn and(self, facts: Self) -> Self {
        Self(self.0 | facts.0)
    }

    /// The facts that are also among `facts`.
    pub(super) fn only(self, facts: Self) -> Self {
        Self(self.0 & facts.0)
    }

    /// All facts but those among `facts`.
    pub(super) const fn without(self, facts: Self) -> Self {
        Self(self.0 & !facts.0)
    }

    /// Whether values are of kinds that have only their JSON text in common.
    pub(super) fn is_mixed(self) -> bool {
        self.has(Self::NESTED) || self.has_any(Self::NESTED) && self.has_any(Self::SCALAR)
    }

    /// Whether exactly one of these facts is true.
    pub(super) fn has_one_of(self, facts: Self) -> bool {
        (self.0 & facts.0).is_power_of_two()
    }
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[test]
    fn sets_are_made_of_their_facts() {
        let not =
            [Facts::NOT_BOOLEAN, Facts::NOT_INTEGER, Facts::NOT_FLOAT, Facts::NOT_TIME, Facts::NOT_EPOCH];
        assert_eq!(not.into_iter().fold(Facts::default(), Facts::and), Facts::TEXT);
        let scalars = [Facts::PLAIN, Facts::JSON_STRING, Facts::JSON_NUMBER, Facts::JSON_WORD];
        assert_eq!(scalars.into_iter().fold(Facts::default(), Facts::and), Facts::SCALAR);
        assert_eq!(Facts::OBJECT.and(Facts::ARRAY), Facts::NESTED);
        let epochs = [
            Facts::EPOCH_SECONDS,
            Facts::EPOCH_MILLIS,
            Facts::EPOCH_MICROS,
            Facts::EPOCH_NANOS,
            Facts::EPOCH_FILETIME,
        ];
        assert_eq!(epochs.into_iter().fold(Facts::default(), Facts::and), Facts::EPOCHS);
    }
}
