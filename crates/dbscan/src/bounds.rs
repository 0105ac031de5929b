//! Boxes around points, and their distances, which make pruning exact.
//!
//! Distances of boxes take the operations of the distance of points in the same order. Rounding is monotone, so they
//! bound it to the last bit.

use std::marker::PhantomData;

use crate::metric::{ReducedDistance, greater, lesser};

/// The least box around some points, faces included, and its distances in the metric `D`.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<const K: usize, D> {
    pub low: [f64; K],
    pub high: [f64; K],
    metric: PhantomData<D>,
}

impl<const K: usize, D: ReducedDistance> Bounds<K, D> {
    /// The box around no point.
    pub(crate) const EMPTY: Self =
        Self { low: [f64::INFINITY; K], high: [f64::NEG_INFINITY; K], metric: PhantomData };

    /// Grows to cover another box as well.
    #[inline]
    pub(crate) fn include(&mut self, low: &[f64; K], high: &[f64; K]) {
        for j in 0..K {
            self.low[j] = lesser(self.low[j], low[j]);
            self.high[j] = greater(self.high[j], high[j]);
        }
    }

    #[inline]
    pub(crate) fn widest_axis(&self) -> usize {
        let width = |j: usize| self.high[j] - self.low[j];
        (1..K).fold(0, |widest, j| if width(j) > width(widest) { j } else { widest })
    }

    /// Whether all points in the box are equal.
    #[inline]
    pub(crate) fn is_point(&self) -> bool {
        self.low.iter().zip(&self.high).all(|(low, high)| low >= high)
    }

    /// The reduced distance that no two points in the box exceed.
    #[inline]
    pub(crate) fn diagonal(&self) -> f64 {
        reduced_distance::<K, D>(&self.low, &self.high)
    }

    /// The reduced distance that no point of one box and point of the other fall below.
    #[inline]
    pub(crate) fn least(&self, other: &Self) -> f64 {
        self.least_between(&other.low, &other.high)
    }

    /// The reduced distance that no point of one box and point of the other exceed.
    #[inline]
    pub(crate) fn most(&self, other: &Self) -> f64 {
        self.most_between(&other.low, &other.high)
    }

    /// [`Bounds::least`] of the box around one point.
    #[inline]
    pub(crate) fn least_to(&self, at: &[f64; K]) -> f64 {
        self.least_between(at, at)
    }

    /// [`Bounds::most`] of the box around one point.
    #[inline]
    pub(crate) fn most_to(&self, at: &[f64; K]) -> f64 {
        self.most_between(at, at)
    }

    #[inline]
    fn least_between(&self, low: &[f64; K], high: &[f64; K]) -> f64 {
        let mut sum = 0.0;
        for j in 0..K {
            let gap = greater(self.low[j] - high[j], low[j] - self.high[j]);
            let gap = greater(gap, 0.0);
            sum = D::add(sum, gap);
        }
        sum
    }

    #[inline]
    fn most_between(&self, low: &[f64; K], high: &[f64; K]) -> f64 {
        let mut sum = 0.0;
        for j in 0..K {
            let span = greater(self.high[j] - low[j], high[j] - self.low[j]);
            sum = D::add(sum, span);
        }
        sum
    }
}

/// The reduced distance that decides who is a neighbour.
#[inline]
pub(crate) fn reduced_distance<const K: usize, D: ReducedDistance>(a: &[f64; K], b: &[f64; K]) -> f64 {
    let mut sum = 0.0;
    for j in 0..K {
        sum = D::add(sum, a[j] - b[j]);
    }
    sum
}
