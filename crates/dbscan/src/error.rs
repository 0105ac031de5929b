//! The errors of all calls.

use std::error::Error as StdError;
use std::fmt;

use crate::points::Points;

/// A call has no result; the text says what is wrong, with the value that was given and what is allowed.
///
/// Rows and columns are counted from 0.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// `eps` is not a finite number above 0.
    Eps(f64),
    /// `min_samples` is below 1.
    MinSamples(u64),
    /// No metric or scaling has this name.
    UnknownName {
        /// The kind of thing that was asked for: `metric` or `scaling`.
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The names that exist.
        expected: &'static [&'static str],
    },
    /// Points have no feature, or more than [`Points::MAX_DIMENSION`].
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
        /// The quantity that is too great.
        what: &'static str,
    },
    /// There is not one factor per feature.
    Factors {
        /// The number of features.
        expected: usize,
        /// The number of factors.
        found: usize,
    },
    /// There is not one weight per point.
    Weights {
        /// The number of points.
        expected: usize,
        /// The number of weights.
        found: usize,
    },
    /// A point has the weight 0.
    ZeroWeight {
        /// The first such point.
        row: usize,
    },
    /// There are more than [`Points::MAX_LEN`] points.
    TooMany {
        /// The number of points.
        found: usize,
    },
    /// The call was cancelled, see [`Control`](crate::Control).
    Cancelled,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eps(value) => write!(f, "eps must be a finite number greater than 0, got {value}"),
            Self::MinSamples(value) => write!(f, "min_samples must be at least 1, got {value}"),
            Self::UnknownName { kind, name, expected } => {
                write!(f, "there is no {kind} '{name}', expected one of: {}", expected.join(", "))
            }
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
            Self::Weights { expected, found } => {
                write!(f, "{expected} points must have as many weights, got {found}")
            }
            Self::ZeroWeight { row } => write!(f, "a weight must be at least 1, got 0 in row {row}"),
            Self::TooMany { found } => {
                write!(f, "at most {} points can be clustered at once, got {found}", Points::MAX_LEN)
            }
            Self::Cancelled => f.write_str("clustering was cancelled"),
        }
    }
}

impl StdError for Error {}

/// The only error of the steps inside: it takes no space, so checking for it is cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled;

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
