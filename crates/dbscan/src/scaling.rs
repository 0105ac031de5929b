//! Scalings of the features: scikit-learn's preprocessing.

use crate::column::{Column, extremes};
use crate::control::Control;
use crate::error::{Cancelled, Error};
use crate::names::named;
use crate::points::Points;
use crate::workers::Workers;

/// A change of all features before distances are taken, so that features in different units can be compared.
///
/// The scalings after [`Scaling::None`] look at one feature at a time, over all points: a point of weight w counts as w
/// points, and the order of the points does not show in any bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scaling {
    /// Every point is divided by its own Euclidean length: scikit-learn's `Normalizer`, bit for bit. Lengths below
    /// 10 machine epsilons count as 1, so a point of zeros stays where it is.
    #[default]
    L2,
    /// The features as they are.
    None,
    /// From each feature its mean is subtracted, then it is divided by its standard deviation (that of the population):
    /// `StandardScaler`, but with sums that are all but exact, where numpy's last bits depend on the order of the
    /// points. A feature without two values becomes 0. As there, a variance that sums of this many points of this mean
    /// could owe to rounding counts as 1 (`_is_constant_feature`).
    ZScore,
    /// Each feature is stretched to 0 to 1: `MinMaxScaler`, bit for bit. Ranges below 10 machine epsilons count as 1.
    MinMax,
    /// From each feature its median is subtracted, then it is divided by the distance between its quartiles:
    /// `RobustScaler`, bit for bit. Distances below 10 machine epsilons count as 1.
    Robust,
}

named!("scaling": Scaling {
    L2 = "l2",
    None = "none",
    ZScore = "zscore",
    MinMax = "minmax",
    Robust = "robust",
});

impl Points {
    /// Scales all points in place.
    ///
    /// # Errors
    /// [`Error::Overflow`] where the spread of a feature or a scaled value is beyond `f64`. The points are of no use then.
    pub fn scale(&mut self, scaling: Scaling) -> Result<(), Error> {
        self.scale_with(scaling, &Control::default())
    }

    /// The same as [`Points::scale`], under the caller's [`Control`].
    ///
    /// # Errors
    /// Those of [`Points::scale`], and [`Error::Cancelled`].
    pub fn scale_with(&mut self, scaling: Scaling, control: &Control) -> Result<(), Error> {
        let workers = &Workers::new(self.len(), control);
        let column = |points: &Self, j: usize| Column::new(points.column(j), points.weights(), workers);
        match scaling {
            Scaling::L2 => {
                for (i, row) in self.rows_mut().enumerate() {
                    workers.check_every(i)?;
                    divide_by_length(row);
                }
                Ok(())
            }
            Scaling::None => Ok(()),
            _ if self.is_empty() => Ok(()),
            Scaling::ZScore => self.fit(workers, |points, j| standardized(&column(points, j)?, workers)),
            Scaling::MinMax => self.fit(workers, |points, j| stretched(extremes(points.column(j), workers)?)),
            Scaling::Robust => self.fit(workers, |points, j| centred(&column(points, j)?, workers)),
        }
    }

    /// Multiplies each feature by its own factor.
    ///
    /// # Errors
    /// [`Error::Factors`] where there is not one factor per feature, [`Error::Overflow`] where a product is beyond `f64`.
    /// The points are of no use then.
    pub fn multiply(&mut self, factors: &[f64]) -> Result<(), Error> {
        self.multiply_with(factors, &Control::default())
    }

    /// The same as [`Points::multiply`], under the caller's [`Control`].
    ///
    /// # Errors
    /// Those of [`Points::multiply`], and [`Error::Cancelled`].
    pub fn multiply_with(&mut self, factors: &[f64], control: &Control) -> Result<(), Error> {
        if factors.len() != self.dimension() {
            return Err(Error::Factors { expected: self.dimension(), found: factors.len() });
        }
        let workers = Workers::new(self.len(), control);
        for (j, factor) in factors.iter().enumerate() {
            self.change(j, "a value times its factor", |value| value * factor, &workers)?;
        }
        Ok(())
    }

    /// Changes each feature by the function that `fit` finds for it.
    fn fit<F: Fn(f64) -> f64>(
        &mut self,
        workers: &Workers,
        fit: impl Fn(&Self, usize) -> Result<F, Unfit>,
    ) -> Result<(), Error> {
        for column in 0..self.dimension() {
            let scaled = fit(self, column).map_err(|unfit| match unfit {
                Unfit::Overflow(what) => Error::Overflow { column, what },
                Unfit::Cancelled(cancelled) => cancelled.into(),
            })?;
            self.change(column, "a scaled value", scaled, workers)?;
        }
        Ok(())
    }

    fn change(
        &mut self,
        column: usize,
        what: &'static str,
        change: impl Fn(f64) -> f64,
        workers: &Workers,
    ) -> Result<(), Error> {
        for (i, value) in self.column_mut(column).enumerate() {
            workers.check_every(i)?;
            // Adding 0 makes 0 of -0, as in all points.
            *value = change(*value) + 0.0;
            if !value.is_finite() {
                return Err(Error::Overflow { column, what });
            }
        }
        Ok(())
    }
}

/// The reason why there is no function for a feature.
enum Unfit {
    /// This quantity is too great.
    Overflow(&'static str),
    Cancelled(Cancelled),
}

impl From<Cancelled> for Unfit {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

fn standardized(column: &Column, workers: &Workers) -> Result<impl Fn(f64) -> f64 + use<>, Unfit> {
    let (mean, variance) = column.moments(workers)?;
    if !(mean.is_finite() && variance.is_finite()) {
        return Err(Unfit::Overflow("its variance"));
    }
    let noise = column.count() * mean * f64::EPSILON;
    let constant = variance <= column.count() * f64::EPSILON * variance + noise * noise;
    let deviation = if constant { 1.0 } else { variance.sqrt() };
    Ok(move |value| (value - mean) / deviation)
}

fn stretched((least, greatest): (f64, f64)) -> Result<impl Fn(f64) -> f64, Unfit> {
    let range = greatest - least;
    if !range.is_finite() {
        return Err(Unfit::Overflow("its range"));
    }
    // The reciprocal and the second product round where a division would not: so they do there.
    let factor = 1.0 / without_noise(range);
    let offset = 0.0 - least * factor;
    Ok(move |value| value * factor + offset)
}

fn centred(column: &Column, workers: &Workers) -> Result<impl Fn(f64) -> f64 + use<>, Unfit> {
    let median = column.median(workers)?;
    let quartiles = column.quantile(0.75, workers)? - column.quantile(0.25, workers)?;
    if !quartiles.is_finite() {
        return Err(Unfit::Overflow("the distance between its quartiles"));
    }
    let scale = without_noise(quartiles);
    Ok(move |value| (value - median) / scale)
}

/// scikit-learn's `_handle_zeros_in_scale`: a smaller length is rounding noise and counts as 1.
fn without_noise(length: f64) -> f64 {
    if length < 10.0 * f64::EPSILON { 1.0 } else { length }
}

fn divide_by_length(row: &mut [f64]) {
    // A product with the reciprocal would round twice.
    let length = without_noise(sum_of_squares(row).sqrt());
    for value in row {
        *value /= length;
    }
}

/// The sum of squares in the order of numpy's `einsum('ij,ij->i')`, which scikit-learn's `row_norms` calls: two lanes
/// take the even and the odd columns, blocks of eight columns from their last pair to the first, then the remaining
/// pairs in order. A plain loop gives other last bits for every third row of real numbers.
fn sum_of_squares(row: &[f64]) -> f64 {
    let (mut even, mut odd) = (0.0, 0.0);
    let (blocks, rest) = row.as_chunks::<8>();
    for block in blocks {
        for pair in block.as_chunks::<2>().0.iter().rev() {
            even += pair[0] * pair[0];
            odd += pair[1] * pair[1];
        }
    }
    let (pairs, last) = rest.as_chunks::<2>();
    for pair in pairs {
        even += pair[0] * pair[0];
        odd += pair[1] * pair[1];
    }
    for value in last {
        even += value * value;
    }
    even + odd
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scaled(row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        divide_by_length(&mut row);
        row
    }

    fn points(values: &[f64]) -> Points {
        Points::from_columns(&[values]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// One feature, scaled; without weights every value counts once.
    fn feature(scaling: Scaling, values: &[f64], weights: &[u64]) -> Result<Vec<f64>, Error> {
        let mut points = points(values);
        if !weights.is_empty() {
            points = points.with_weights(weights.to_vec())?;
        }
        points.scale(scaling).map(|()| points.column(0).collect())
    }

    const OF_FEATURES: [Scaling; 3] = [Scaling::ZScore, Scaling::MinMax, Scaling::Robust];

    #[test]
    fn short_and_long_vectors() {
        assert_eq!(scaled(&[3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(scaled(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(scaled(&[1e-16, 0.0]), [1e-16, 0.0], "below 10 epsilons");
        assert_eq!(scaled(&[1e200, 1e200]), [0.0, 0.0], "an infinite length, as in numpy");
        assert_eq!(scaled(&[-5.0]), [-1.0]);
    }

    /// Made by scikit-learn 1.9.1 (numpy 2.4.6).
    #[test]
    fn features_have_the_bits_of_scikit_learn() {
        let tenths = [0.1, 0.7, 0.300_000_000_000_000_04, 1.3, 0.1];
        let digits = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        let noise = [0.3, 0.300_000_000_000_000_04, 0.3];
        let tiny = [1e-20, 2e-20, 3e-20];
        let bits = |scaling, values: &[f64], expected: &[f64]| {
            assert_eq!(feature(scaling, values, &[]).as_deref(), Ok(expected), "{scaling:?} of {values:?}");
        };
        bits(Scaling::MinMax, &tenths, &[0.0, 0.5, 0.166_666_666_666_666_7, 1.000_000_000_000_000_2, 0.0]);
        bits(Scaling::MinMax, &digits, &[0.25, 0.0, 0.375, 0.0, 0.5, 1.0]);
        bits(Scaling::MinMax, &noise, &[0.0, 5.551_115_123_125_783e-17, 0.0]);
        bits(Scaling::MinMax, &tiny, &[0.0, 1e-20, 2.000_000_000_000_000_2e-20]);
        let robust = [-0.333_333_333_333_333_4, 0.666_666_666_666_666_5, 0.0, 1.666_666_666_666_666_7];
        bits(Scaling::Robust, &tenths, &[robust[0], robust[1], robust[2], robust[3], robust[0]]);
        let robust = [-2.0, -10.0, 2.0, -10.0, 6.0, 22.0].map(|thirteenths| thirteenths / 13.0);
        bits(Scaling::Robust, &digits, &robust);
        bits(Scaling::Robust, &tiny, &[-1e-20, 0.0, 1.000_000_000_000_000_4e-20]);
        // numpy's sums round, ours don't: here they agree.
        let zscore = [-0.304_855_380_424_846_3, -1.036_508_293_444_477_1, 0.060_971_076_084_969_19];
        bits(Scaling::ZScore, &digits[..0], &[]);
        let zscore_end = [zscore[1], 0.426_797_532_594_784_65, 1.890_103_358_634_046_3];
        bits(Scaling::ZScore, &digits, &[zscore, zscore_end].concat());
        bits(Scaling::ZScore, &[1e6, 1e6 + 1e-9], &[-8.0 / 9.0, 10.0 / 9.0]);
        for scaling in OF_FEATURES {
            bits(scaling, &[7.1; 3], &[0.0; 3]);
        }
    }

    #[test]
    fn zscores_are_accurate_where_numbers_are_large() {
        let step = 2.0 / (8.0_f64 / 3.0).sqrt();
        let expected = Ok(vec![-step, 0.0, step]);
        assert_eq!(feature(Scaling::ZScore, &[1e15, 1e15 + 2.0, 1e15 + 4.0], &[1, 1, 1]), expected);
        assert_eq!(feature(Scaling::ZScore, &[1.0, 3.0, 5.0], &[1 << 40; 3]), expected);
        // Sums of values this large could owe such a variance to rounding.
        assert_eq!(feature(Scaling::ZScore, &[1e15, 1e15 + 0.5], &[1, 1]), Ok(vec![-0.25, 0.25]));
    }

    #[test]
    fn overflow_is_an_error_that_names_the_quantity() {
        let what = |scaling, values: &[f64]| match feature(scaling, values, &[]) {
            Err(Error::Overflow { column: 0, what }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what(Scaling::ZScore, &[-1e200, 1e200]), "its variance");
        assert_eq!(what(Scaling::ZScore, &[f64::MAX, f64::MAX, 0.0]), "its variance");
        assert_eq!(what(Scaling::MinMax, &[f64::MAX, -f64::MAX]), "its range");
        assert_eq!(what(Scaling::Robust, &[f64::MAX, -f64::MAX]), "the distance between its quartiles");
        let outlier = [1e-10, 2e-10, 3e-10, 4e-10, 5e-10, f64::MAX];
        assert_eq!(what(Scaling::Robust, &outlier), "a scaled value");
        // A standard deviation of one value is 0, however large the value.
        assert_eq!(feature(Scaling::ZScore, &[f64::MAX; 2], &[]), Ok(vec![0.0, 0.0]));
        let mut points = points(&outlier);
        let error = points.multiply(&[2.0]).map_err(|error| error.to_string());
        let expected = "feature 0 can't be scaled: a value times its factor is beyond the range of DOUBLE";
        assert_eq!(error, Err(expected.to_string()));
    }

    #[test]
    fn each_feature_has_its_factor() {
        let points = Points::from_columns(&[&[1.0, 2.0], &[3.0, -1e-320]]);
        let mut points = points.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(points.multiply(&[10.0, 0.001]), Ok(()));
        assert_eq!([points.point(0), points.point(1)], [[10.0, 0.003], [20.0, -1e-323]]);
        assert_eq!(points.multiply(&[1.0]), Err(Error::Factors { expected: 2, found: 1 }));
    }

    /// Features with ties, of all sizes, and each with a weight.
    fn weighted() -> impl Strategy<Value = Vec<(f64, u64)>> {
        let ties = (0..6).prop_map(|step| f64::from(step) * 0.1);
        let sizes = (-1.0..1.0, -300..160).prop_map(|(value, size)| value * 10_f64.powi(size));
        prop::collection::vec((prop_oneof![ties, -1.0..1.0, sizes, Just(1e300)], 1..5_u64), 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn weights_scale_as_repeated_points(weighted in weighted()) {
            let (values, weights): (Vec<f64>, Vec<u64>) = weighted.iter().copied().unzip();
            let repeat = |values: &[f64]| -> Vec<f64> {
                let repeated = values.iter().zip(&weights);
                repeated.flat_map(|(&value, &weight)| vec![value; weight as usize]).collect()
            };
            for scaling in OF_FEATURES {
                let expected = feature(scaling, &repeat(&values), &[]);
                prop_assert_eq!(feature(scaling, &values, &weights).map(|values| repeat(&values)), expected);
            }
        }

        #[test]
        fn the_order_of_points_changes_no_bit(
            (one, other) in weighted().prop_flat_map(|weighted| (Just(weighted.clone()), Just(weighted).prop_shuffle()))
        ) {
            let sorted = |scaling, weighted: &[(f64, u64)]| {
                let (values, weights): (Vec<f64>, Vec<u64>) = weighted.iter().copied().unzip();
                feature(scaling, &values, &weights).map(|mut values| {
                    values.sort_unstable_by(f64::total_cmp);
                    values.into_iter().map(f64::to_bits).collect::<Vec<_>>()
                })
            };
            for scaling in OF_FEATURES {
                prop_assert_eq!(sorted(scaling, &one), sorted(scaling, &other));
            }
        }
    }
}
