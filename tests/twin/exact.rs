//! Sums, means and variances without any rounding but the last.
//!
//! Every finite DOUBLE is a whole number of steps of 2^-1074, so integers of any length hold all sums and products.

use num_bigint::{BigInt, Sign};

/// Halving 1 this many times gives the smallest step.
const STEPS: i64 = 1074;

/// The value in smallest steps.
fn steps(value: f64) -> BigInt {
    let bits = value.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    assert!(exponent != 0x7ff, "{value} is no number");
    let magnitude = match exponent {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | (1 << 52)) << (exponent - 1),
    };
    if value.is_sign_negative() { -magnitude } else { magnitude }
}

/// The DOUBLE that is nearest to `numerator / denominator * 2^-halvings`; infinite where it is beyond all of them.
fn nearest(numerator: &BigInt, denominator: &BigInt, halvings: i64) -> f64 {
    // A quotient of at least 100 bits, the last of them set if anything is left: rounding it rounds the fraction.
    let shift = 100 + denominator.bits() as i64 - numerator.bits() as i64;
    let (numerator, denominator) = if shift >= 0 {
        (numerator << shift, denominator.clone())
    } else {
        (numerator.clone(), denominator << -shift)
    };
    let quotient = BigInt::from(numerator.magnitude() / denominator.magnitude());
    let rest = BigInt::from(numerator.magnitude() % denominator.magnitude());
    let digits = u128::try_from(&quotient).expect("about 100 bits") | u128::from(rest.sign() != Sign::NoSign);
    let exponent = i32::try_from(-shift - halvings).expect("a short exponent");
    // Two steps, so that none of them leaves the range before the other brings it back.
    let magnitude = digits as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
    if numerator.sign() == Sign::Minus { -magnitude } else { magnitude }
}

/// The sum, rounded once.
pub fn sum(values: &[f64]) -> f64 {
    nearest(&values.iter().copied().map(steps).sum(), &BigInt::from(1), STEPS)
}

/// The mean and the population variance, each rounded once; `None` where a sum is beyond DOUBLE.
pub fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let count = BigInt::from(values.len());
    let values: Vec<BigInt> = values.iter().copied().map(steps).collect();
    let sum: BigInt = values.iter().sum();
    // n * v - sum is n times the deviation; so the sum of their squares is n^2 times that of the deviations.
    let squares: BigInt = values.iter().map(|value| value * &count - &sum).map(|it| &it * &it).sum();
    let sum_of_squares = nearest(&squares, &(&count * &count), 2 * STEPS);
    if !nearest(&sum, &BigInt::from(1), STEPS).is_finite() || !sum_of_squares.is_finite() {
        return None;
    }
    Some((nearest(&sum, &count, STEPS), nearest(&squares, &(&count * &count * &count), 2 * STEPS)))
}

#[test]
fn sums_are_rounded_once() {
    assert_eq!(sum(&[0.1; 10]).to_bits(), 1.0_f64.to_bits());
    assert_eq!(sum(&[1e300, 1.0, -1e300]).to_bits(), 1.0_f64.to_bits());
    assert_eq!(sum(&[f64::MIN_POSITIVE, -5e-324]).to_bits(), (f64::MIN_POSITIVE - 5e-324).to_bits());
    assert_eq!(moments(&[1.0, 3.0, 5.0]), Some((3.0, 8.0 / 3.0)));
    assert_eq!(moments(&[1e16, 1e16 + 2.0]), Some((1e16 + 1.0, 1.0)));
    assert_eq!(moments(&[-1e200, 1e200]), None);
}
