//! What scalings need to know of one feature: its order and its moments.
//!
//! A point of weight w counts as w equal points, and no order of the points may show in any bit. So a column is first
//! brought into one form: its distinct values, ascending, each with its weight. That takes O(n log n) and 16 bytes per
//! point.

use rayon::prelude::*;

use super::metric::{greater, lesser};
use super::{PARALLEL_FROM, weight_of};

/// The distinct values of a feature.
pub(super) struct Column {
    /// Ascending, each with the weight of its points.
    values: Vec<(f64, u64)>,
    /// The sum of the weights; it saturates.
    weight: u64,
}

impl Column {
    /// Takes the values of at least one point.
    pub(super) fn new(values: impl Iterator<Item = f64>, weights: Option<&[u64]>) -> Self {
        let mut values: Vec<_> =
            values.enumerate().map(|(i, value)| (value, weight_of(weights, i))).collect();
        if values.len() >= PARALLEL_FROM {
            values.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        } else {
            values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        }
        values.dedup_by(|next, kept| {
            let equal = next.0 <= kept.0;
            if equal {
                kept.1 = kept.1.saturating_add(next.1);
            }
            equal
        });
        let weight = values.iter().fold(0_u64, |sum, &(_, weight)| sum.saturating_add(weight));
        Self { values, weight }
    }

    /// How many points it stands for.
    pub(super) fn count(&self) -> f64 {
        self.weight as f64
    }

    /// The value of this rank, from 0, among all points in order.
    fn ranked(&self, rank: u64) -> f64 {
        let mut before = 0_u64;
        let mut last = 0.0;
        for &(value, weight) in &self.values {
            before = before.saturating_add(weight);
            last = value;
            if rank < before {
                break;
            }
        }
        last
    }

    /// numpy's `median`: of an even number of points the mean of the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let middle = self.weight / 2;
        if self.weight.is_multiple_of(2) {
            f64::midpoint(self.ranked(middle - 1), self.ranked(middle))
        } else {
            self.ranked(middle)
        }
    }

    /// numpy's `quantile` with its default method, linear between two ranks, `_lerp` to the bit: it goes from the
    /// nearer one. `share` is from 0 to 1.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let rank = (self.count() - 1.0) * share;
        let below = rank.floor();
        let part = rank - below;
        let [low, high] = [self.ranked(below as u64), self.ranked(below as u64 + 1)];
        let step = high - low;
        if part >= 0.5 { high - step * (1.0 - part) } else { low + step * part }
    }

    /// The mean and the population variance (divided by the number of points), each a rounding or two from exact.
    /// Neither is finite where a sum is beyond `f64`.
    pub(super) fn moments(&self) -> (f64, f64) {
        if let [(value, _)] = self.values[..] {
            return (value, 0.0);
        }
        let sum = |term: &dyn Fn(f64) -> Double| {
            let weighted = self.values.iter().map(|&(value, weight)| term(value).times(weight as f64));
            weighted.fold(Double::default(), Double::plus).over(self.count())
        };
        let mean = sum(&|value| Double { high: value, low: 0.0 });
        let variance = sum(&|value| mean.minus_from(value).squared());
        (mean.high, variance.high)
    }
}

/// The least and the greatest of at least one value.
pub(super) fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    values.fold(none, |(low, high), value| (lesser(low, value), greater(high, value)))
}

/// A sum of two `f64` that is not carried out: twice the digits of one, some 30 (Dekker: *A floating-point technique
/// for extending the available precision*, 1971).
#[derive(Clone, Copy, Default)]
struct Double {
    high: f64,
    /// At most half of the last digit of `high`.
    low: f64,
}

impl Double {
    /// Carries what `low` has beyond its place.
    fn carried(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }

    /// Exactly a + b (Knuth's `TwoSum`).
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let from_b = high - a;
        Self { high, low: (a - (high - from_b)) + (b - from_b) }
    }

    /// Exactly a * b, if nothing underflows: in four products of halves of the digits (Dekker's, Veltkamp's split).
    /// A fused multiply-add would give the same bits, but is a slow call where a processor may lack it.
    fn product(a: f64, b: f64) -> Self {
        fn halves(value: f64) -> [f64; 2] {
            let wide = value * 134_217_729.0; // 2^27 + 1
            let high = wide - (wide - value);
            [high, value - high]
        }
        let high = a * b;
        let ([a, rest_a], [b, rest_b]) = (halves(a), halves(b));
        Self { high, low: ((a * b - high) + a * rest_b + rest_a * b) + rest_a * rest_b }
    }

    fn plus(self, other: Self) -> Self {
        let sum = Self::sum(self.high, other.high);
        Self::carried(sum.high, sum.low + (self.low + other.low))
    }

    fn minus_from(self, value: f64) -> Self {
        let difference = Self::sum(value, -self.high);
        Self::carried(difference.high, difference.low - self.low)
    }

    fn times(self, factor: f64) -> Self {
        let product = Self::product(self.high, factor);
        Self::carried(product.high, product.low + self.low * factor)
    }

    fn squared(self) -> Self {
        let square = Self::product(self.high, self.high);
        Self::carried(square.high, square.low + 2.0 * self.high * self.low)
    }

    fn over(self, divisor: f64) -> Self {
        let quotient = self.high / divisor;
        let back = Self::product(quotient, divisor);
        Self::carried(quotient, ((self.high - back.high) - back.low + self.low) / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_weights() {
        let column = Column::new([5.0, 1.0, 5.0, 2.0].into_iter(), Some(&[1, 3, 1, 1]));
        assert_eq!(column.values, [(1.0, 3), (2.0, 1), (5.0, 2)]);
        let ranked: Vec<f64> = (0..7).map(|rank| column.ranked(rank)).collect();
        assert_eq!(ranked, [1.0, 1.0, 1.0, 2.0, 5.0, 5.0, 5.0]);
        assert_eq!((column.median(), column.quantile(0.25), column.quantile(0.75)), (1.5, 1.0, 4.25));
        let heavy = Column::new([1.0, 2.0, 3.0].into_iter(), Some(&[u64::MAX; 3]));
        assert_eq!((heavy.count(), heavy.median()), (u64::MAX as f64, 1.0), "saturated");
    }

    #[test]
    fn doubles_keep_what_one_number_loses() {
        let epsilon = f64::EPSILON;
        let square = Double::product(1.0 + epsilon, 1.0 + epsilon);
        assert_eq!((square.high, square.low), (1.0 + 2.0 * epsilon, epsilon * epsilon));
        let sum = Double::sum(1e-20, 1.0);
        assert_eq!((sum.high, sum.low), (1.0, 1e-20));
        let third = Double { high: 1.0, low: 0.0 }.over(3.0).times(3.0);
        assert!(((third.high - 1.0) + third.low).abs() < 1e-31);
    }
}
