//! One feature in ascending order, with its quantiles and moments, which scalings need.
//!
//! A point of weight w counts as w equal points, and no order of the points may show in any bit. So a column is first
//! brought into one form: its distinct values, ascending, each with its weight. That takes O(n log n) and 16 bytes per
//! point.

use crate::context::weight_of;
use crate::error::Cancelled;
use crate::metric::{greater, lesser};
use crate::select::{Coordinates, sort};
use crate::workers::Workers;

/// The distinct values of a feature.
pub(crate) struct Column {
    /// Ascending, each with the weight of its points.
    values: Vec<(f64, u64)>,
    /// The sum of the weights; it saturates.
    weight: u64,
}

/// On the only axis that a column has.
impl Coordinates for (f64, u64) {
    #[inline]
    fn coordinate(&self, _axis: usize) -> f64 {
        self.0
    }
}

impl Column {
    /// Takes the values of at least one point.
    pub(crate) fn new(
        values: impl ExactSizeIterator<Item = f64>,
        weights: Option<&[u64]>,
        workers: &Workers,
    ) -> Result<Self, Cancelled> {
        let mut sorted = Vec::with_capacity(values.len());
        for (i, value) in values.enumerate() {
            workers.check_every(i)?;
            sorted.push((value, weight_of(weights, i)));
        }
        sort(&mut sorted, 0, workers)?;
        // Equal values become one.
        let (mut len, mut weight) = (0, 0_u64);
        for i in 0..sorted.len() {
            workers.check_every(i)?;
            let next = sorted[i];
            weight = weight.saturating_add(next.1);
            match sorted[..len].last_mut() {
                Some(last) if next.0 <= last.0 => last.1 = last.1.saturating_add(next.1),
                _ => {
                    sorted[len] = next;
                    len += 1;
                }
            }
        }
        sorted.truncate(len);
        Ok(Self { values: sorted, weight })
    }

    /// The number of points that it stands for.
    pub(crate) fn count(&self) -> f64 {
        self.weight as f64
    }

    /// The value of this rank, from 0, among all points in order.
    fn ranked(&self, rank: u64, workers: &Workers) -> Result<f64, Cancelled> {
        let mut before = 0_u64;
        let mut last = 0.0;
        for (i, &(value, weight)) in self.values.iter().enumerate() {
            workers.check_every(i)?;
            before = before.saturating_add(weight);
            last = value;
            if rank < before {
                break;
            }
        }
        Ok(last)
    }

    /// numpy's `median`: of an even number of points the mean of the two in the middle.
    pub(crate) fn median(&self, workers: &Workers) -> Result<f64, Cancelled> {
        let middle = self.weight / 2;
        let above = self.ranked(middle, workers)?;
        let even = self.weight.is_multiple_of(2);
        Ok(if even { f64::midpoint(self.ranked(middle - 1, workers)?, above) } else { above })
    }

    /// numpy's `quantile` with its default method, linear between two ranks, `_lerp` to the bit: it goes from the
    /// nearer one. `share` is from 0 to 1.
    pub(crate) fn quantile(&self, share: f64, workers: &Workers) -> Result<f64, Cancelled> {
        let rank = (self.count() - 1.0) * share;
        let below = rank.floor();
        let part = rank - below;
        let low = self.ranked(below as u64, workers)?;
        let high = self.ranked(below as u64 + 1, workers)?;
        let step = high - low;
        Ok(if part >= 0.5 { high - step * (1.0 - part) } else { low + step * part })
    }

    /// The mean and the population variance (divided by the number of points), each a rounding or two from exact.
    /// Neither is finite where a sum is beyond `f64`.
    pub(crate) fn moments(&self, workers: &Workers) -> Result<(f64, f64), Cancelled> {
        if let [(value, _)] = self.values[..] {
            return Ok((value, 0.0));
        }
        let mean = self.mean_of(|value| DoubleDouble { high: value, low: 0.0 }, workers)?;
        let variance = self.mean_of(|value| mean.minus_from(value).squared(), workers)?;
        Ok((mean.high, variance.high))
    }

    /// The mean of `term` over all points.
    fn mean_of(
        &self,
        term: impl Fn(f64) -> DoubleDouble,
        workers: &Workers,
    ) -> Result<DoubleDouble, Cancelled> {
        let mut sum = DoubleDouble::default();
        for (i, &(value, weight)) in self.values.iter().enumerate() {
            workers.check_every(i)?;
            sum = sum.plus(term(value).times(weight as f64));
        }
        Ok(sum.over(self.count()))
    }
}

/// The least and the greatest of at least one value.
pub(crate) fn extremes(
    values: impl Iterator<Item = f64>,
    workers: &Workers,
) -> Result<(f64, f64), Cancelled> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (i, value) in values.enumerate() {
        workers.check_every(i)?;
        (low, high) = (lesser(low, value), greater(high, value));
    }
    Ok((low, high))
}

/// A sum of two `f64` that is not carried out: twice the digits of one, some 30 (Dekker: *A floating-point technique
/// for extending the available precision*, 1971).
#[derive(Clone, Copy, Default)]
struct DoubleDouble {
    high: f64,
    /// At most half of the last digit of `high`.
    low: f64,
}

impl DoubleDouble {
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
    use crate::Control;

    #[test]
    fn ranks_count_weights() -> Result<(), Cancelled> {
        let workers = Workers::new(4, &Control::default());
        let column = Column::new([5.0, 1.0, 5.0, 2.0].into_iter(), Some(&[1, 3, 1, 1]), &workers)?;
        assert_eq!(column.values, [(1.0, 3), (2.0, 1), (5.0, 2)]);
        let ranked = (0..7).map(|rank| column.ranked(rank, &workers)).collect::<Result<Vec<_>, _>>()?;
        assert_eq!(ranked, [1.0, 1.0, 1.0, 2.0, 5.0, 5.0, 5.0]);
        let quartiles = (column.quantile(0.25, &workers)?, column.quantile(0.75, &workers)?);
        assert_eq!((column.median(&workers)?, quartiles), (1.5, (1.0, 4.25)));
        let heavy = Column::new([1.0, 2.0, 3.0].into_iter(), Some(&[u64::MAX; 3]), &workers)?;
        assert_eq!((heavy.count(), heavy.median(&workers)?), (u64::MAX as f64, 1.0), "saturated");
        Ok(())
    }

    #[test]
    fn double_doubles_keep_twice_the_digits() {
        let epsilon = f64::EPSILON;
        let square = DoubleDouble::product(1.0 + epsilon, 1.0 + epsilon);
        assert_eq!((square.high, square.low), (1.0 + 2.0 * epsilon, epsilon * epsilon));
        let sum = DoubleDouble::sum(1e-20, 1.0);
        assert_eq!((sum.high, sum.low), (1.0, 1e-20));
        let third = DoubleDouble { high: 1.0, low: 0.0 }.over(3.0).times(3.0);
        assert!(((third.high - 1.0) + third.low).abs() < 1e-31);
    }
}
