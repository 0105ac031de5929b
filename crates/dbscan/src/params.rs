//! The parameters of DBSCAN, checked once.

use crate::error::Error;
use crate::metric::Metric;

/// The parameters of a clustering: scikit-learn's `eps`, `min_samples` and `metric`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    eps: f64,
    min_samples: u64,
    metric: Metric,
}

impl Params {
    /// Takes `eps`, a finite distance above 0 in the unit of the (scaled) features, and `min_samples`, the weight
    /// of a core point's neighbourhood, itself included, at least 1. The metric is [`Metric::Euclidean`].
    ///
    /// # Errors
    /// Any other value.
    pub fn try_new(eps: f64, min_samples: u64) -> Result<Self, Error> {
        if !(eps.is_finite() && eps > 0.0) {
            return Err(Error::Eps(eps));
        }
        if min_samples == 0 {
            return Err(Error::MinSamples(min_samples));
        }
        Ok(Self { eps, min_samples, metric: Metric::default() })
    }

    /// The same parameters with another metric.
    #[must_use]
    pub fn with_metric(self, metric: Metric) -> Self {
        Self { metric, ..self }
    }

    /// The greatest distance between two neighbours, inclusive.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// The least weight within `eps` that makes a point core.
    pub fn min_samples(&self) -> u64 {
        self.min_samples
    }

    /// The distance of two points.
    pub fn metric(&self) -> Metric {
        self.metric
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_meaningful_parameters_pass() {
        for eps in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(Params::try_new(eps, 1), Err(Error::Eps(_))), "{eps}");
        }
        for eps in [5e-324, 1e-200, 1.0, f64::MAX] {
            assert!(Params::try_new(eps, 1).is_ok(), "{eps}");
        }
        let error = Params::try_new(1.0, 0).map_err(|error| error.to_string());
        assert_eq!(error, Err("min_samples must be at least 1, got 0".to_string()));
    }
}
