//! Scalings of the features, with the bits of scikit-learn's preprocessing.

use super::points::Points;

/// What is done to the points before distances are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scaling {
    /// Every point is divided by its own Euclidean length: scikit-learn's `Normalizer`, bit for bit. Lengths below
    /// 10 machine epsilons count as 1, so a point of zeros stays where it is.
    #[default]
    L2,
    /// The features as they are.
    None,
}

impl Scaling {
    /// The names that [`Scaling::from_name`] knows, for messages and documentation.
    pub const NAMES: &'static [&'static str] = &["l2", "none"];

    /// The scaling of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "l2" => Some(Self::L2),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

impl Points {
    /// Scales all points in place.
    pub fn scale(&mut self, scaling: Scaling) {
        match scaling {
            Scaling::L2 => self.rows_mut().for_each(divide_by_length),
            Scaling::None => {}
        }
    }
}

/// scikit-learn's `_handle_zeros_in_scale`: a smaller length is rounding noise and counts as 1.
const LEAST_LENGTH: f64 = 10.0 * f64::EPSILON;

fn divide_by_length(row: &mut [f64]) {
    let length = sum_of_squares(row).sqrt();
    // A product with the reciprocal would round twice.
    let length = if length < LEAST_LENGTH { 1.0 } else { length };
    for value in row {
        *value /= length;
    }
}

/// The sum of squares in the order of numpy's `einsum('ij,ij->i')`, which scikit-learn's `row_norms` calls: two lanes
/// take the even and the odd columns, blocks of eight columns from their last pair to the first, then the remaining
/// pairs in order. A plain loop gives other last bits for every third row of real numbers.
fn sum_of_squares(row: &[f64]) -> f64 {
    let (mut even, mut odd) = (0.0, 0.0);
    let (blocks, rest) = row.as_chunks::<8>();
    for block in blocks {
        for pair in block.as_chunks::<2>().0.iter().rev() {
            even += pair[0] * pair[0];
            odd += pair[1] * pair[1];
        }
    }
    let (pairs, last) = rest.as_chunks::<2>();
    for pair in pairs {
        even += pair[0] * pair[0];
        odd += pair[1] * pair[1];
    }
    for value in last {
        even += value * value;
    }
    even + odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        divide_by_length(&mut row);
        row
    }

    #[test]
    fn every_name_is_known_in_any_case() {
        for name in Scaling::NAMES {
            assert!(Scaling::from_name(name).is_some(), "{name}");
        }
        assert_eq!(Scaling::from_name("None"), Some(Scaling::None));
        assert_eq!(Scaling::from_name("l1"), None);
    }

    #[test]
    fn short_and_long_vectors() {
        assert_eq!(scaled(&[3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(scaled(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(scaled(&[1e-16, 0.0]), [1e-16, 0.0], "below 10 epsilons");
        assert_eq!(scaled(&[1e200, 1e200]), [0.0, 0.0], "an infinite length, as in numpy");
        assert_eq!(scaled(&[-5.0]), [-1.0]);
    }
}
