//! How far two points are from each other.

/// What the distance of two points is.
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

impl Metric {
    /// The names that [`Metric::from_name`] knows, for messages and documentation.
    pub const NAMES: &'static [&'static str] = &["euclidean", "manhattan", "chebyshev"];

    /// The metric of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "euclidean" => Some(Self::Euclidean),
            "manhattan" => Some(Self::Manhattan),
            "chebyshev" => Some(Self::Chebyshev),
            _ => None,
        }
    }

    /// Its name, one of [`Metric::NAMES`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
            Self::Chebyshev => "chebyshev",
        }
    }

    /// The reduced distance of points that are `eps` from each other.
    pub(super) fn reach(self, eps: f64) -> f64 {
        match self {
            Self::Euclidean => Euclidean::reach(eps),
            Self::Manhattan => Manhattan::reach(eps),
            Self::Chebyshev => Chebyshev::reach(eps),
        }
    }
}

/// A metric known when the code is compiled, in the form that scikit-learn calls *reduced distance*: a number that
/// grows with the distance and is cheaper to have. Only this is ever compared.
///
/// It is added up over the differences of the features, in column order. Every step is monotone in the size of the
/// difference, rounded as it is, and a difference of 0 changes nothing.
pub(super) trait ReducedDistance: Copy + Send + Sync {
    /// Takes in the difference of one more feature.
    fn add(sum: f64, difference: f64) -> f64;

    /// The reduced distance at which neighbours end, inclusive.
    fn reach(eps: f64) -> f64;

    /// The distance itself.
    fn distance(reduced: f64) -> f64;
}

/// [`Metric::Euclidean`], squared.
#[derive(Clone, Copy)]
pub(super) struct Euclidean;

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
pub(super) struct Manhattan;

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
pub(super) struct Chebyshev;

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

/// `f64::max` without its care for NaN, of which there is none here: one instruction.
#[inline]
pub(super) fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline]
pub(super) fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_own_metrics() {
        for name in Metric::NAMES {
            assert_eq!(Metric::from_name(&name.to_uppercase()).map(Metric::name), Some(*name));
        }
        assert_eq!(Metric::from_name("cosine"), None);
        assert_eq!(Metric::default(), Metric::Euclidean);
    }
}
