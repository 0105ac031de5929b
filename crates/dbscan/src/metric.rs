//! Metrics, and the numbers that are compared in place of distances.

use crate::names::named;

/// The distance of two points, made of the differences of their features.
///
/// ```
/// use dbcluster_dbscan::Metric;
///
/// assert_eq!("manhattan".parse(), Ok(Metric::Manhattan));
/// assert_eq!(Metric::Chebyshev.to_string(), "chebyshev");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Metric {
    /// The straight line: the square root of the sum of squared differences.
    #[default]
    Euclidean,
    /// The sum of the differences, each without its sign.
    Manhattan,
    /// The largest difference, without its sign.
    Chebyshev,
}

named!("metric": Metric { Euclidean = "euclidean", Manhattan = "manhattan", Chebyshev = "chebyshev" });

impl Metric {
    /// The reduced distance of points that are `eps` from each other.
    pub(crate) fn reach(self, eps: f64) -> f64 {
        match self {
            Self::Euclidean => Euclidean::reach(eps),
            Self::Manhattan => Manhattan::reach(eps),
            Self::Chebyshev => Chebyshev::reach(eps),
        }
    }
}

/// A metric known when the code is compiled, in the form that scikit-learn calls *reduced distance*: a number that
/// grows with the distance and is cheaper to compute. Nothing else is ever compared.
///
/// It is added up over the differences of the features, in column order. Every step is monotone in the size of the
/// difference, rounding included, and a difference of 0 changes nothing.
pub(crate) trait ReducedDistance: Copy + Send + Sync + 'static {
    /// Adds the difference of one more feature.
    fn add(sum: f64, difference: f64) -> f64;

    /// The reduced distance at which neighbours end, inclusive.
    fn reach(eps: f64) -> f64;

    /// The distance itself.
    fn distance(reduced: f64) -> f64;
}

/// [`Metric::Euclidean`], squared.
#[derive(Clone, Copy)]
pub(crate) struct Euclidean;

impl ReducedDistance for Euclidean {
    #[inline]
    fn add(sum: f64, difference: f64) -> f64 {
        sum + difference * difference
    }

    fn reach(eps: f64) -> f64 {
        eps * eps
    }

    #[inline]
    fn distance(reduced: f64) -> f64 {
        reduced.sqrt()
    }
}

/// [`Metric::Manhattan`].
#[derive(Clone, Copy)]
pub(crate) struct Manhattan;

impl ReducedDistance for Manhattan {
    #[inline]
    fn add(sum: f64, difference: f64) -> f64 {
        sum + difference.abs()
    }

    fn reach(eps: f64) -> f64 {
        eps
    }

    #[inline]
    fn distance(reduced: f64) -> f64 {
        reduced
    }
}

/// [`Metric::Chebyshev`].
#[derive(Clone, Copy)]
pub(crate) struct Chebyshev;

impl ReducedDistance for Chebyshev {
    #[inline]
    fn add(sum: f64, difference: f64) -> f64 {
        greater(sum, difference.abs())
    }

    fn reach(eps: f64) -> f64 {
        eps
    }

    #[inline]
    fn distance(reduced: f64) -> f64 {
        reduced
    }
}

/// The greater of two numbers in one instruction: `f64::max` also cares for NaN, of which there is none here.
#[inline]
pub(crate) fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The lesser of two numbers, as [`greater`].
#[inline]
pub(crate) fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}
