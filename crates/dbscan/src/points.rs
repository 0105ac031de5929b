//! Feature vectors in one flat allocation.

use std::error::Error;
use std::fmt;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::Cancelled;
use super::workers::Workers;

/// Points in canonical order: their index is the order in which clusters are numbered.
///
/// Row-major and finite; `-0.0` is read as `0.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    values: Vec<f64>,
    dimension: usize,
}

impl Points {
    /// The most features that a point may have.
    pub const MAX_DIMENSION: usize = 64;

    /// The most points that can be clustered at once.
    pub const MAX_LEN: usize = u32::MAX as usize - 1;

    /// Takes one slice per feature, all of the same length. Setting `cancel` makes this and the other methods that
    /// have it return [`InvalidPoints::Cancelled`] soon.
    pub fn from_columns(columns: &[&[f64]], cancel: &AtomicBool) -> Result<Self, InvalidPoints> {
        let dimension = checked_dimension(columns.len())?;
        let len = checked_len(columns[0].len())?;
        if let Some(column) = columns.iter().position(|column| column.len() != len) {
            return Err(InvalidPoints::Ragged { column, expected: len, found: columns[column].len() });
        }
        let workers = Workers::new(len, cancel);
        let mut values = vec![0.0; len * dimension];
        // Some rows of all columns at a time: what is written stays at hand.
        let fill = |(block, rows): (usize, &mut [f64])| -> Result<(), InvalidPoints> {
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
            // Threads find something else to complain of each time: they only tell that there is something.
            let filled = values.par_chunks_mut(ROWS * dimension).enumerate().try_for_each(fill);
            if filled.is_err() {
                values.chunks_mut(ROWS * dimension).enumerate().try_for_each(fill)?;
            }
        } else {
            values.chunks_mut(ROWS * dimension).enumerate().try_for_each(fill)?;
        }
        Ok(Self { values, dimension })
    }

    /// Takes the points one after the other, `dimension` values each.
    pub fn from_rows(
        mut values: Vec<f64>,
        dimension: usize,
        cancel: &AtomicBool,
    ) -> Result<Self, InvalidPoints> {
        let dimension = checked_dimension(dimension)?;
        let len = checked_len(values.len() / dimension)?;
        if !values.len().is_multiple_of(dimension) {
            let column = values.len() % dimension;
            return Err(InvalidPoints::Ragged { column, expected: len + 1, found: len });
        }
        let workers = Workers::new(len, cancel);
        for (row, point) in values.chunks_exact_mut(dimension).enumerate() {
            workers.check_every(row)?;
            for (column, value) in point.iter_mut().enumerate() {
                *value = checked_value(*value, row, column)?;
            }
        }
        Ok(Self { values, dimension })
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many features a point has, from 1 to [`Points::MAX_DIMENSION`].
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The features of point `i`, which must be below [`Points::len`].
    #[inline]
    pub fn point(&self, i: usize) -> &[f64] {
        &self.values[i * self.dimension..][..self.dimension]
    }

    pub(super) fn column(&self, j: usize) -> impl ExactSizeIterator<Item = f64> {
        self.values.iter().skip(j).step_by(self.dimension).copied()
    }

    pub(super) fn column_mut(&mut self, j: usize) -> impl Iterator<Item = &mut f64> {
        self.values.iter_mut().skip(j).step_by(self.dimension)
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.values.chunks_exact_mut(self.dimension)
    }
}

/// So many rows are filled at a time.
const ROWS: usize = 1 << 10;

fn checked_dimension(dimension: usize) -> Result<usize, InvalidPoints> {
    if (1..=Points::MAX_DIMENSION).contains(&dimension) {
        Ok(dimension)
    } else {
        Err(InvalidPoints::Dimension { found: dimension })
    }
}

fn checked_len(len: usize) -> Result<usize, InvalidPoints> {
    if len <= Points::MAX_LEN { Ok(len) } else { Err(InvalidPoints::TooMany { found: len }) }
}

fn checked_value(value: f64, row: usize, column: usize) -> Result<f64, InvalidPoints> {
    // Adding 0 makes 0 of -0 and changes nothing else.
    if value.is_finite() { Ok(value + 0.0) } else { Err(InvalidPoints::NotFinite { column, row, value }) }
}

/// Values that are not points; rows and columns count from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidPoints {
    /// No feature, or more than [`Points::MAX_DIMENSION`].
    Dimension {
        /// The number of features.
        found: usize,
    },
    /// A feature has fewer or more values than the first one.
    Ragged {
        /// The feature.
        column: usize,
        /// The number of values of the first feature.
        expected: usize,
        /// The number of values of this one.
        found: usize,
    },
    /// A feature is NaN or infinite.
    NotFinite {
        /// The feature.
        column: usize,
        /// The first row where it is.
        row: usize,
        /// The value there.
        value: f64,
    },
    /// Scaling takes a feature beyond the greatest `f64`.
    Overflow {
        /// The feature.
        column: usize,
        /// What of it is too great.
        what: &'static str,
    },
    /// Not one factor per feature.
    Factors {
        /// The number of features.
        expected: usize,
        /// The number of factors.
        found: usize,
    },
    /// More than [`Points::MAX_LEN`] points.
    TooMany {
        /// The number of points.
        found: usize,
    },
    /// Nobody knows: the call was cancelled.
    Cancelled,
}

impl From<Cancelled> for InvalidPoints {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl fmt::Display for InvalidPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension { found } => {
                write!(f, "points must have 1 to {} features, got {found}", Points::MAX_DIMENSION)
            }
            Self::Ragged { column, expected, found } => {
                write!(f, "feature {column} must have {expected} values as the first one, got {found}")
            }
            Self::NotFinite { column, row, value } => {
                write!(f, "feature {column} must be finite, got {value} in row {row}")
            }
            Self::Overflow { column, what } => {
                write!(f, "feature {column} can't be scaled: {what} is beyond the range of DOUBLE")
            }
            Self::Factors { expected, found } => {
                write!(f, "points of {expected} features must have as many factors, got {found}")
            }
            Self::TooMany { found } => {
                write!(f, "at most {} points can be clustered at once, got {found}", Points::MAX_LEN)
            }
            Self::Cancelled => Cancelled.fmt(f),
        }
    }
}

impl Error for InvalidPoints {}

#[cfg(test)]
mod tests {
    use super::super::tests::NEVER;
    use super::*;

    #[test]
    fn columns_and_rows_make_the_same_points() {
        let points = Points::from_columns(&[&[1.0, 2.0, 3.0], &[4.0, 5.0, -0.0]], &NEVER);
        assert_eq!(points, Points::from_rows(vec![1.0, 4.0, 2.0, 5.0, 3.0, 0.0], 2, &NEVER));
        let points = points.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((points.len(), points.dimension(), points.point(1)), (3, 2, &[2.0, 5.0][..]));
        assert!(points.point(2)[1].is_sign_positive());
        assert_eq!(Points::from_columns(&[&[]], &NEVER).map(|points| points.len()), Ok(0));
        assert_eq!(Points::from_columns(&[&[], &[]], &NEVER).map(|points| points.len()), Ok(0));
    }

    #[test]
    fn what_is_no_point_is_named() {
        let none: &[&[f64]] = &[];
        assert_eq!(Points::from_columns(none, &NEVER), Err(InvalidPoints::Dimension { found: 0 }));
        assert_eq!(Points::from_rows(vec![], 65, &NEVER), Err(InvalidPoints::Dimension { found: 65 }));
        let ragged = InvalidPoints::Ragged { column: 1, expected: 2, found: 1 };
        assert_eq!(Points::from_columns(&[&[1.0, 2.0], &[1.0]], &NEVER), Err(ragged));
        assert_eq!(Points::from_rows(vec![1.0, 2.0, 3.0], 2, &NEVER), Err(ragged));
        let infinite = InvalidPoints::NotFinite { column: 1, row: 2, value: f64::INFINITY };
        let column = [1.0, 2.0, f64::INFINITY];
        assert_eq!(Points::from_columns(&[&[0.0; 3], &column], &NEVER), Err(infinite));
        assert_eq!(infinite.to_string(), "feature 1 must be finite, got inf in row 2");
    }
}
