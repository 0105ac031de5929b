//! Scaling of the vectors of a partition before distances are taken: scikit-learn's preprocessing, written down
//! from its definitions, over all rows and not over distinct vectors.

use super::exact;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    L2,
    None,
    ZScore,
    MinMax,
    Robust,
}

/// A spread or a value that is no DOUBLE.
#[derive(Debug)]
pub struct BeyondDouble;

impl Scaling {
    pub const ALL: [Self; 5] = [Self::L2, Self::None, Self::ZScore, Self::MinMax, Self::Robust];

    pub fn name(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::None => "none",
            Self::ZScore => "zscore",
            Self::MinMax => "minmax",
            Self::Robust => "robust",
        }
    }

    /// The vectors scaled, then each feature times its weight.
    pub fn apply(self, vectors: &[Vec<f64>], weights: Option<&[f64]>) -> Result<Vec<Vec<f64>>, BeyondDouble> {
        let mut scaled = vectors.to_vec();
        if self == Self::L2 {
            for vector in &mut scaled {
                normalize(vector);
            }
        }
        for feature in 0..vectors.first().map_or(0, Vec::len) {
            let column: Vec<f64> = scaled.iter().map(|vector| vector[feature]).collect();
            let mut column = match self {
                Self::L2 | Self::None => column,
                Self::ZScore => zscore(&column)?,
                Self::MinMax => minmax(&column)?,
                Self::Robust => robust(&column)?,
            };
            finite(&column)?;
            if let Some(weights) = weights {
                for value in &mut column {
                    *value *= weights[feature];
                }
                finite(&column)?;
            }
            for (vector, value) in scaled.iter_mut().zip(column) {
                vector[feature] = value;
            }
        }
        Ok(scaled)
    }
}

fn finite(column: &[f64]) -> Result<(), BeyondDouble> {
    if column.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(BeyondDouble) }
}

/// `_handle_zeros_in_scale`: what is below ten machine epsilons is no spread.
fn or_one(scale: f64) -> f64 {
    if scale < 10.0 * f64::EPSILON { 1.0 } else { scale }
}

/// `Normalizer`. numpy's `einsum` adds the squares of even and of odd columns apart, eight columns at a time from the
/// last pair to the first, then what is left.
fn normalize(vector: &mut [f64]) {
    let whole = vector.len() / 8 * 8;
    let of_blocks = (0..whole / 8).flat_map(|block| [6, 4, 2, 0].map(|pair| block * 8 + pair));
    let (mut even, mut odd) = (0.0, 0.0);
    for first in of_blocks.chain((whole..vector.len()).step_by(2)) {
        even += vector[first] * vector[first];
        odd += vector.get(first + 1).map_or(0.0, |value| value * value);
    }
    let length = or_one((even + odd).sqrt());
    for value in vector {
        *value /= length;
    }
}

/// `StandardScaler`, with moments that are rounded once where numpy's depend on the order of the rows.
fn zscore(column: &[f64]) -> Result<Vec<f64>, BeyondDouble> {
    if column.iter().all(|value| value.total_cmp(&column[0]).is_eq()) {
        return Ok(vec![0.0; column.len()]);
    }
    let (mean, variance) = exact::moments(column).ok_or(BeyondDouble)?;
    // `_is_constant_feature`: what the rounding of so many rows of this mean may come to is no variance.
    let rows = column.len() as f64;
    let noise = rows * mean * f64::EPSILON;
    let is_constant = variance <= rows * f64::EPSILON * variance + noise * noise;
    let deviation = if is_constant { 1.0 } else { variance.sqrt() };
    Ok(column.iter().map(|value| (value - mean) / deviation).collect())
}

/// `MinMaxScaler` for the range 0 to 1.
fn minmax(column: &[f64]) -> Result<Vec<f64>, BeyondDouble> {
    let least = column.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    finite(&[greatest - least])?;
    let scale = 1.0 / or_one(greatest - least);
    let min = 0.0 - least * scale;
    Ok(column.iter().map(|value| value * scale + min).collect())
}

/// `RobustScaler`: `np.nanmedian` and `np.nanpercentile` of 25 and 75.
fn robust(column: &[f64]) -> Result<Vec<f64>, BeyondDouble> {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    let spread = percentile(&sorted, 0.75) - percentile(&sorted, 0.25);
    finite(&[median, spread])?;
    let scale = or_one(spread);
    Ok(column.iter().map(|value| (value - median) / scale).collect())
}

/// `np.percentile` with its default method, whose `_lerp` starts from the nearer of the two neighbours.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let below = place.floor();
    let part = place - below;
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    if part >= 0.5 { high - (high - low) * (1.0 - part) } else { low + (high - low) * part }
}
