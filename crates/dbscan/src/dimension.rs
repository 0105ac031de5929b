//! Computations that are compiled for each metric and for some dimensions.

use crate::metric::{Chebyshev, Euclidean, Manhattan, Metric, ReducedDistance};

/// A computation over points that are padded with zeros to `K` features.
pub(crate) trait Computation {
    type Output;

    fn run<const K: usize, D: ReducedDistance>(self) -> Self::Output;
}

/// The dimensions that there are versions for: fewer than those of `dbscan`, which is called more.
const DIMENSIONS: [usize; 6] = [2, 3, 4, 8, 16, 64];

/// The dimension that points of `dimension` features are padded to.
pub(crate) fn padded(dimension: usize) -> usize {
    DIMENSIONS.into_iter().find(|&k| dimension <= k).unwrap_or(64)
}

/// Runs the version for points of this dimension.
pub(crate) fn compute<C: Computation>(computation: C, dimension: usize, metric: Metric) -> C::Output {
    match metric {
        Metric::Euclidean => by_metric::<C, Euclidean>(computation, dimension),
        Metric::Manhattan => by_metric::<C, Manhattan>(computation, dimension),
        Metric::Chebyshev => by_metric::<C, Chebyshev>(computation, dimension),
    }
}

fn by_metric<C: Computation, D: ReducedDistance>(computation: C, dimension: usize) -> C::Output {
    match padded(dimension) {
        2 => computation.run::<2, D>(),
        3 => computation.run::<3, D>(),
        4 => computation.run::<4, D>(),
        8 => computation.run::<8, D>(),
        16 => computation.run::<16, D>(),
        _ => computation.run::<64, D>(),
    }
}
