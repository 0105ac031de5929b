//! The eps that tells a distance.
//!
//! Distances are compared reduced, and for the Euclidean metric eps is squared before: half of the doubles are no square of
//! another one. So a distance d is told as e(d), the least eps above 0 whose reduced value is at least d. Rounding is
//! monotone, so points at distance d are neighbours at eps if and only if e(d) <= eps: comparing in place of reduced
//! distances the eps that tell them changes no answer at any eps. Distances that no eps tells apart have one e.

use crate::metric::ReducedDistance;

/// The least eps above 0 whose reduced value is at least `reduced`; 0 for the distance 0, which is within every eps,
/// and infinity where no finite eps will do.
pub(crate) fn least_eps<D: ReducedDistance>(reduced: f64) -> f64 {
    if reduced <= 0.0 {
        return 0.0;
    }
    // The rounded root is at most a few doubles away, unless its square underflows or overflows.
    let mut eps = D::distance(reduced);
    for _ in 0..4 {
        let below = eps.next_down();
        if D::reach(eps) < reduced {
            eps = eps.next_up();
        } else if below > 0.0 && D::reach(below) >= reduced {
            eps = below;
        } else {
            return eps;
        }
    }
    // Bits of numbers from 0 on have their order.
    let (mut low, mut high) = (0, f64::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low.midpoint(high);
        if D::reach(f64::from_bits(middle)) >= reduced {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::from_bits(high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metric::{Chebyshev, Euclidean, Manhattan};

    fn check<D: ReducedDistance>(reduced: f64) {
        let eps = least_eps::<D>(reduced);
        assert!(D::reach(eps) >= reduced, "{eps:e} is too small for {reduced:e}");
        let below = eps.next_down();
        assert!(below <= 0.0 || D::reach(below) < reduced, "{eps:e} is not the least for {reduced:e}");
    }

    #[test]
    fn extremes_have_the_least_eps() {
        assert!(least_eps::<Euclidean>(0.0) <= 0.0);
        assert!(least_eps::<Manhattan>(f64::INFINITY).is_infinite());
        assert!(least_eps::<Euclidean>(f64::INFINITY).is_finite(), "its square overflows");
        for reduced in
            [5e-324, 1e-323, 1e-310, f64::MIN_POSITIVE, 1e-300, 2.0, 1e300, f64::MAX, f64::INFINITY]
        {
            check::<Euclidean>(reduced);
            check::<Manhattan>(reduced);
            check::<Chebyshev>(reduced);
        }
    }

    #[test]
    fn many_neighbouring_distances_have_one_eps() {
        let neighbours = |i: u32| 1.0 + f64::from(i) * f64::EPSILON;
        let same = (0..1000)
            .filter(|&i| least_eps::<Euclidean>(neighbours(i)) >= least_eps::<Euclidean>(neighbours(i + 1)));
        assert!(same.count() > 300);
    }

    proptest! {
        #[test]
        fn every_distance_has_the_least_eps(bits in 1..=f64::INFINITY.to_bits()) {
            check::<Euclidean>(f64::from_bits(bits));
            check::<Manhattan>(f64::from_bits(bits));
        }
    }
}
