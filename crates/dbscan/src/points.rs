//! Feature vectors in one flat allocation.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use rayon::prelude::*;

use crate::context::weight_of;
use crate::control::Control;
use crate::error::Error;
use crate::workers::Workers;

/// Points and their weights. Clusters are numbered in the order of the points.
///
/// Features are finite; `-0.0` is read as `0.0`.
///
/// ```
/// use dbcluster_dbscan::{Error, Points};
///
/// let points = Points::from_rows(vec![1.0, 10.0, 2.0, 20.0], 2)?;
/// assert_eq!(points, Points::from_columns(&[&[1.0, 2.0], &[10.0, 20.0]])?);
/// assert_eq!(points.point(1), [2.0, 20.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// The features of the first point, then those of the second, and so on.
    values: Vec<f64>,
    dimension: usize,
    weights: Option<Vec<u64>>,
}

impl Points {
    /// The most features that a point may have.
    pub const MAX_DIMENSION: usize = 64;

    /// The most points that can be clustered at once.
    pub const MAX_LEN: usize = u32::MAX as usize - 1;

    /// Takes one slice per feature, all of the same length.
    ///
    /// # Errors
    /// The features are too few or too many, of different lengths, or not finite; or there are too many points.
    pub fn from_columns(columns: &[&[f64]]) -> Result<Self, Error> {
        Self::from_columns_with(columns, &Control::default())
    }

    /// The same as [`Points::from_columns`], under the caller's [`Control`].
    ///
    /// # Errors
    /// Those of [`Points::from_columns`], and [`Error::Cancelled`].
    pub fn from_columns_with(columns: &[&[f64]], control: &Control) -> Result<Self, Error> {
        let dimension = checked_dimension(columns.len())?;
        let len = checked_len(columns[0].len())?;
        if let Some(column) = columns.iter().position(|column| column.len() != len) {
            return Err(Error::Ragged { column, expected: len, found: columns[column].len() });
        }
        let workers = Workers::new(len, control);
        let mut values = vec![0.0; len * dimension];
        // Some rows of all columns at a time, so that the written memory stays in the cache.
        let fill = |(block, rows): (usize, &mut [f64])| -> Result<(), Error> {
            workers.check()?;
            let start = block * ROWS;
            for (j, column) in columns.iter().enumerate() {
                let slots = rows.iter_mut().skip(j).step_by(dimension);
                for (row, (slot, &value)) in (start..).zip(slots.zip(&column[start..])) {
                    *slot = checked_value(value, row, j)?;
                }
            }
            Ok(())
        };
        if workers.parallel {
            // The invalid value that threads meet first is not always the same one. So they only tell that there is one, and
            // the first one is found in order.
            let filled = values.par_chunks_mut(ROWS * dimension).enumerate().try_for_each(fill);
            if filled.is_err() {
                values.chunks_mut(ROWS * dimension).enumerate().try_for_each(fill)?;
            }
        } else {
            values.chunks_mut(ROWS * dimension).enumerate().try_for_each(fill)?;
        }
        Ok(Self { values, dimension, weights: None })
    }

    /// Takes the features of the first point, then those of the second, and so on: `dimension` values each.
    ///
    /// # Errors
    /// There are too few or too many features, the last point is not complete, a value is not finite, or there are too
    /// many points.
    pub fn from_rows(mut values: Vec<f64>, dimension: usize) -> Result<Self, Error> {
        let dimension = checked_dimension(dimension)?;
        let len = checked_len(values.len() / dimension)?;
        if !values.len().is_multiple_of(dimension) {
            let column = values.len() % dimension;
            return Err(Error::Ragged { column, expected: len + 1, found: len });
        }
        for (row, point) in values.chunks_exact_mut(dimension).enumerate() {
            for (column, value) in point.iter_mut().enumerate() {
                *value = checked_value(*value, row, column)?;
            }
        }
        Ok(Self { values, dimension, weights: None })
    }

    /// Gives each point a weight: the number of equal points that it stands for. Otherwise every point weighs 1.
    ///
    /// # Errors
    /// There is not one weight per point, or one is 0.
    pub fn with_weights(self, weights: Vec<u64>) -> Result<Self, Error> {
        if weights.len() != self.len() {
            return Err(Error::Weights { expected: self.len(), found: weights.len() });
        }
        if let Some(row) = weights.iter().position(|&weight| weight == 0) {
            return Err(Error::ZeroWeight { row });
        }
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of features of a point, from 1 to [`Points::MAX_DIMENSION`].
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The features of point `i`, which must be below [`Points::len`].
    #[inline]
    pub fn point(&self, i: usize) -> &[f64] {
        &self.values[i * self.dimension..][..self.dimension]
    }

    /// The weight of point `i`.
    #[inline]
    pub fn weight(&self, i: usize) -> u64 {
        weight_of(self.weights(), i)
    }

    /// The weights of all points, if they were given any.
    pub fn weights(&self) -> Option<&[u64]> {
        self.weights.as_deref()
    }

    /// Returns the greatest weight of a set of equal points, 0 if there is no point.
    ///
    /// It takes O(n) time and some 60 bytes per point.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn heaviest_equal(&self, control: &Control) -> Result<u64, Error> {
        let workers = Workers::new(self.len(), control);
        let mut weights: HashMap<Equal, u64> = HashMap::with_capacity(self.len());
        let mut heaviest = 0;
        for i in 0..self.len() {
            // A place of the map is rarely in a cache, so points take long here.
            workers.check()?;
            let weight = weights.entry(Equal(self.point(i))).or_default();
            *weight = weight.saturating_add(self.weight(i));
            heaviest = heaviest.max(*weight);
        }
        Ok(heaviest)
    }

    pub(crate) fn column(&self, j: usize) -> impl ExactSizeIterator<Item = f64> {
        self.values.iter().skip(j).step_by(self.dimension).copied()
    }

    pub(crate) fn column_mut(&mut self, j: usize) -> impl Iterator<Item = &mut f64> {
        self.values.iter_mut().skip(j).step_by(self.dimension)
    }

    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.dimension)
    }
}

/// A point as a key. Its features are finite, and 0.0 equals -0.0, which a scaling may give.
struct Equal<'a>(&'a [f64]);

impl PartialEq for Equal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Equal<'_> {}

impl Hash for Equal<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in self.0 {
            (value + 0.0).to_bits().hash(state);
        }
    }
}

/// The rows that are filled at a time.
const ROWS: usize = 1 << 10;

fn checked_dimension(dimension: usize) -> Result<usize, Error> {
    if (1..=Points::MAX_DIMENSION).contains(&dimension) {
        Ok(dimension)
    } else {
        Err(Error::Dimension { found: dimension })
    }
}

fn checked_len(len: usize) -> Result<usize, Error> {
    if len <= Points::MAX_LEN { Ok(len) } else { Err(Error::TooMany { found: len }) }
}

fn checked_value(value: f64, row: usize, column: usize) -> Result<f64, Error> {
    // Adding 0 makes 0 of -0 and changes nothing else.
    if value.is_finite() { Ok(value + 0.0) } else { Err(Error::NotFinite { column, row, value }) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn columns_and_rows_make_the_same_points() {
        let points = Points::from_columns(&[&[1.0, 2.0, 3.0], &[4.0, 5.0, -0.0]]);
        assert_eq!(points, Points::from_rows(vec![1.0, 4.0, 2.0, 5.0, 3.0, 0.0], 2));
        let points = points.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((points.len(), points.dimension(), points.point(1)), (3, 2, &[2.0, 5.0][..]));
        assert!(points.point(2)[1].is_sign_positive());
        assert_eq!(Points::from_columns(&[&[]]).map(|points| points.len()), Ok(0));
        assert_eq!(Points::from_columns(&[&[], &[]]).map(|points| points.len()), Ok(0));
    }

    #[test]
    fn invalid_points_are_named() {
        let none: &[&[f64]] = &[];
        assert_eq!(Points::from_columns(none), Err(Error::Dimension { found: 0 }));
        assert_eq!(Points::from_rows(vec![], 65), Err(Error::Dimension { found: 65 }));
        let ragged = Error::Ragged { column: 1, expected: 2, found: 1 };
        assert_eq!(Points::from_columns(&[&[1.0, 2.0], &[1.0]]), Err(ragged.clone()));
        assert_eq!(Points::from_rows(vec![1.0, 2.0, 3.0], 2), Err(ragged));
        let infinite = Error::NotFinite { column: 1, row: 2, value: f64::INFINITY };
        let column = [1.0, 2.0, f64::INFINITY];
        assert_eq!(infinite.to_string(), "feature 1 must be finite, got inf in row 2");
        assert_eq!(Points::from_columns(&[&[0.0; 3], &column]), Err(infinite));
    }

    #[test]
    fn equal_points_weigh_together() {
        let control = Control::default();
        let mut points = Points::from_rows(vec![1.0, 2.0, 0.0, 3.0, 1.0, 2.0, 0.0, 3.0, 5.0, 5.0], 2)
            .and_then(|points| points.with_weights(vec![3, 4, 2, 2, 5]))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(points.heaviest_equal(&control), Ok(6));
        points.column_mut(0).for_each(|value| *value = if *value == 0.0 { -0.0 } else { 0.0 });
        points.column_mut(1).for_each(|value| *value = 0.0);
        assert_eq!(points.heaviest_equal(&control), Ok(16));
        let none = Points::from_rows(vec![], 2).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(none.heaviest_equal(&control), Ok(0));
        let cancel = AtomicBool::new(true);
        let cancelled = points.heaviest_equal(&Control::default().with_cancel(&cancel));
        assert_eq!(cancelled, Err(Error::Cancelled));
    }

    #[test]
    fn every_point_has_a_weight_of_at_least_one() {
        let points = Points::from_rows(vec![1.0, 2.0], 1).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((points.weight(0), points.weights()), (1, None));
        let weighted = points.clone().with_weights(vec![3, 4]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((weighted.weight(1), weighted.weights()), (4, Some(&[3, 4][..])));
        let wrong = Error::Weights { expected: 2, found: 1 };
        assert_eq!(points.clone().with_weights(vec![1]), Err(wrong));
        assert_eq!(points.with_weights(vec![1, 0]), Err(Error::ZeroWeight { row: 1 }));
    }
}
