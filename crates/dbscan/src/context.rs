//! The parameters, weights and workers of one call.

use crate::params::Params;
use crate::points::Points;
use crate::workers::Workers;

/// Everything about a call that its steps share.
pub(crate) struct Context<'a> {
    /// Points are neighbours when their reduced distance is at most this.
    pub reach: f64,
    pub min_samples: u64,
    weights: Option<&'a [u64]>,
    pub workers: Workers<'a>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(points: &'a Points, params: &Params, workers: Workers<'a>) -> Self {
        let reach = params.metric().reach(params.eps());
        Self { reach, min_samples: params.min_samples(), weights: points.weights(), workers }
    }

    /// For a call about every eps, in which no eps is compared.
    pub(crate) fn of_every_eps(points: &'a Points, min_samples: u64, workers: Workers<'a>) -> Self {
        Self { reach: f64::INFINITY, min_samples, weights: points.weights(), workers }
    }

    /// Whether no point has a weight of its own.
    pub(crate) fn all_weigh_one(&self) -> bool {
        self.weights.is_none()
    }

    /// The weight of a point, never 0: with `min_samples` up to 2 every two neighbours must be enough.
    #[inline]
    pub(crate) fn weight(&self, point: u32) -> u64 {
        weight_of(self.weights, point as usize)
    }
}

/// The weight of a point; without weights every point weighs 1.
#[inline]
pub(crate) fn weight_of(weights: Option<&[u64]>, point: usize) -> u64 {
    weights.and_then(|weights| weights.get(point)).map_or(1, |&weight| weight)
}
