//! Every eps of a partition at once: the eps that `'auto'` takes, and the rows of `dbcluster_eps`.
//!
//! Both read the [`hierarchy`](crate::dbscan::hierarchy()) of the core from the least eps upward. `auto` is the last eps before clusters
//! chain: the greatest one at which something changes while the core rows of the largest cluster are at most `chain_share` of
//! all rows more than the heaviest set of equal vectors. Just beyond it one cluster swallows most of the others.
//!
//! With `min_samples` above 2 some rows are on the border of a cluster, and the hierarchy does not know whose they are. The
//! rows of `dbcluster_eps` are then clustered one by one, with one index.
//!
//! Cost: O(n log n) for n vectors, some ten times that of one clustering.

use std::fmt::{Display, Formatter};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};

use crate::dbscan::{Control, Error, Hierarchy, Labels, Level, Metric, Points, dbscan_each, hierarchy_with};

/// The values of eps that a call of `dbcluster_eps` asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// A number of them in geometric steps over all that changes, and the one that is auto.
    Steps(usize),
    /// These, ascending.
    Each(Vec<f64>),
}

impl Asked {
    /// Reads the arguments of `dbscan_eps`: a list, or NULL and the number of steps.
    pub(super) fn read(list: &ScalarValue, steps: &ScalarValue) -> Result<Self> {
        let ScalarValue::List(list) = list else {
            return plan_err!("dbscan_eps: argument 2 (eps) is {list}, expected a list of numbers");
        };
        if list.null_count() > 0 {
            let ScalarValue::Int64(Some(steps)) = steps.cast_to(&DataType::Int64)? else {
                return plan_err!("dbscan_eps: argument 3 (steps) is NULL, expected a whole number");
            };
            return Ok(Self::Steps(usize::try_from(steps).unwrap_or_default().max(2)));
        }
        let numbers = list.value(0);
        let Some(numbers) = numbers.as_primitive_opt::<Float64Type>() else {
            return plan_err!(
                "dbscan_eps: argument 2 (eps) is a list of {}, expected DOUBLE",
                numbers.data_type()
            );
        };
        let mut numbers: Vec<f64> = numbers.iter().flatten().collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        Ok(Self::Each(numbers))
    }

    /// Returns the most rows that a partition has.
    pub(super) fn most_rows(&self) -> usize {
        match self {
            Self::Steps(steps) => steps + 1,
            Self::Each(list) => list.len(),
        }
    }
}

impl Display for Asked {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps} steps"),
            Self::Each(list) => write!(f, "{list:?}"),
        }
    }
}

/// The clustering of a partition at one eps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AtEps {
    /// `None` where nothing changes at any eps.
    pub(super) eps: Option<f64>,
    pub(super) clusters: u64,
    /// The rows in no cluster.
    pub(super) noise: u64,
    /// The rows of the largest cluster.
    pub(super) largest: u64,
    pub(super) is_auto: bool,
}

/// The points of a partition, and how they are clustered.
#[derive(Clone, Copy)]
pub(super) struct EveryEps<'a> {
    pub(super) points: &'a Points,
    pub(super) min_samples: u64,
    pub(super) metric: Metric,
    pub(super) chain_share: f64,
    pub(super) control: &'a Control<'a>,
}

impl EveryEps<'_> {
    /// Returns the last eps before clusters chain, or `None` where nothing changes at any eps.
    pub(super) fn auto(self, hierarchy: &Hierarchy) -> Result<Option<f64>, Error> {
        Ok(self.walk(hierarchy, &[])?.auto.map(|(eps, _)| eps))
    }

    /// Returns the clusterings that are asked for, ascending.
    pub(super) fn rows(self, asked: &Asked) -> Result<Vec<AtEps>, Error> {
        let hierarchy = self.hierarchy()?;
        let list = match asked {
            Asked::Steps(steps) => range(&hierarchy).map_or(vec![], |range| geometric_steps(range, *steps)),
            Asked::Each(list) => list.clone(),
        };
        let Walk { auto, levels, last } = self.walk(&hierarchy, &list)?;
        drop(hierarchy);
        let auto_eps = auto.map(|(eps, _)| eps);
        let mut rows: Vec<AtEps> = list
            .into_iter()
            .zip(levels)
            .map(|(eps, level)| AtEps::new(Some(eps), level, Some(eps) == auto_eps))
            .collect();
        if matches!(asked, Asked::Steps(_)) && !rows.iter().any(|row| row.is_auto) {
            let (eps, level) = auto.map_or((None, last), |(eps, level)| (Some(eps), level));
            let place = rows.partition_point(|row| row.eps < eps);
            rows.insert(place, AtEps::new(eps, level, true));
        }
        if self.min_samples > 2 {
            self.add_borders(&mut rows)?;
        }
        Ok(rows)
    }

    /// Builds the hierarchy that all of it is read from.
    pub(super) fn hierarchy(self) -> Result<Hierarchy, Error> {
        hierarchy_with(self.points, self.min_samples, self.metric, self.control)
    }

    /// Goes through the hierarchy once. The list is ascending.
    fn walk(self, hierarchy: &Hierarchy, list: &[f64]) -> Result<Walk, Error> {
        let all_rows = self.all_rows();
        let limit = self.points.heaviest_equal(self.control)? as f64 / all_rows + self.chain_share;
        let mut walk = Walk { auto: None, levels: Vec::with_capacity(list.len()), last: Level::default() };
        for level in hierarchy.levels(self.points, self.control)? {
            let level = level?;
            while list.get(walk.levels.len()).is_some_and(|&eps| eps < level.eps) {
                walk.levels.push(walk.last);
            }
            if level.eps > 0.0 {
                let half = level.eps / 2.0;
                if level.largest_core_weight as f64 / all_rows <= limit
                    || (walk.auto.is_none() && half <= 0.0)
                {
                    walk.auto = Some((level.eps, level));
                } else if walk.auto.is_none() {
                    // Only equal vectors meet here.
                    walk.auto = Some((half, walk.last));
                }
            }
            walk.last = level;
        }
        walk.levels.resize(list.len(), walk.last);
        Ok(walk)
    }

    fn all_rows(self) -> f64 {
        let rows: u128 = (0..self.points.len()).map(|point| u128::from(self.points.weight(point))).sum();
        rows as f64
    }

    /// Replaces the figures by those of clusterings that know the border rows.
    fn add_borders(self, rows: &mut [AtEps]) -> Result<(), Error> {
        let (places, list): (Vec<usize>, Vec<f64>) =
            rows.iter().enumerate().filter_map(|(place, row)| Some((place, row.eps?))).unzip();
        dbscan_each(self.points, &list, self.min_samples, self.metric, self.control, |place, labels| {
            if let Some(row) = places.get(place).and_then(|&place| rows.get_mut(place)) {
                let (noise, largest) = self.sizes(labels);
                (row.clusters, row.noise, row.largest) = (labels.clusters() as u64, noise, largest);
            }
        })
    }

    /// Returns the rows in no cluster, and those of the largest cluster.
    fn sizes(self, labels: &Labels) -> (u64, u64) {
        let mut sizes = vec![0_u64; labels.clusters()];
        let mut noise = 0_u64;
        for point in 0..labels.len() {
            let weight = self.points.weight(point);
            let cluster = usize::try_from(labels.cluster(point)).ok();
            match cluster.and_then(|cluster| sizes.get_mut(cluster)) {
                Some(size) => *size = size.saturating_add(weight),
                None => noise = noise.saturating_add(weight),
            }
        }
        (noise, sizes.into_iter().max().unwrap_or(0))
    }
}

impl AtEps {
    fn new(eps: Option<f64>, level: Level, is_auto: bool) -> Self {
        let Level { clusters, noise_weight: noise, largest_core_weight: largest, .. } = level;
        Self { eps, clusters: clusters as u64, noise, largest, is_auto }
    }
}

/// The parts of a hierarchy that rows are made of.
struct Walk {
    /// The eps that is auto and its clustering, if anything changes.
    auto: Option<(f64, Level)>,
    /// The clustering at each eps of the list.
    levels: Vec<Level>,
    /// The clustering at the greatest eps.
    last: Level,
}

/// Returns the least and the greatest positive eps at which anything changes.
fn range(hierarchy: &Hierarchy) -> Option<(f64, f64)> {
    let of_point = |point| {
        let merge = hierarchy.merge(point).map(|(eps, _)| eps);
        [hierarchy.core_eps(point), hierarchy.clustered_eps(point), merge]
    };
    let all = (0..hierarchy.len()).flat_map(of_point).flatten().filter(|&eps| eps > 0.0);
    all.fold(None, |range, eps| match range {
        None => Some((eps, eps)),
        Some((least, greatest)) => Some((eps.min(least), eps.max(greatest))),
    })
}

/// Returns numbers from the least to the greatest, each the same factor above the one before, rounded up to two digits. Those that
/// are then the same are one.
fn geometric_steps((least, greatest): (f64, f64), steps: usize) -> Vec<f64> {
    let intervals = steps.saturating_sub(1).max(1);
    // The fourth root of the whole factor is finite for any two doubles.
    let root = |value: f64| value.sqrt().sqrt();
    let factor = root(greatest) / root(least);
    let mut list: Vec<f64> = (0..=intervals)
        .map(|step| {
            if step == intervals {
                return rounded_up(greatest);
            }
            let power = root_power(factor, step as f64 / intervals as f64);
            // A hair is taken off, since a product that was rounded up would make 2.1 of 2.
            rounded_up(least.max(least * power * power * power * power * (1.0 - 1e-14)))
        })
        .collect();
    list.dedup();
    list
}

/// Returns `base` to a power from 0 to 1, by square roots and products alone: those are the same on every machine, and `powf` is
/// not.
fn root_power(mut base: f64, mut exponent: f64) -> f64 {
    if exponent >= 1.0 {
        return base;
    }
    let mut power = 1.0;
    for _ in 0..f64::MANTISSA_DIGITS {
        base = base.sqrt();
        exponent *= 2.0;
        if exponent >= 1.0 {
            exponent -= 1.0;
            power *= base;
        }
    }
    power
}

/// Rounds a positive number up to two digits.
fn rounded_up(value: f64) -> f64 {
    let nearest = format!("{value:.1e}");
    let Some((digits, exponent)) = nearest.split_once('e') else { return value };
    let tenths = digits.replace('.', "").parse::<u32>().unwrap_or_default();
    for tenths in [tenths, tenths + 1] {
        let text = format!("{}.{}e{exponent}", tenths / 10, tenths % 10);
        match text.parse::<f64>() {
            Ok(rounded) if rounded.is_finite() && rounded >= value => return rounded,
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(values: &[f64], weights: &[u64], min_samples: u64, asked: &Asked) -> Vec<AtEps> {
        let points = Points::from_columns(&[values]).and_then(|points| points.with_weights(weights.to_vec()));
        let points = points.unwrap_or_else(|error| panic!("{error}"));
        let control = Control::default();
        let every = EveryEps {
            points: &points,
            min_samples,
            metric: Metric::Euclidean,
            chain_share: 0.05,
            control: &control,
        };
        every.rows(asked).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn numbers_are_rounded_up_to_two_digits() {
        for (value, expected) in [
            (1.0, 1.0),
            (1.01, 1.1),
            (0.16432, 0.17),
            (0.3, 0.3),
            (9.95, 10.0),
            (9.91, 10.0),
            (99.01, 100.0),
            (6.7e-5, 6.7e-5),
            (1.234e-300, 1.3e-300),
            (5e-324, 5e-324),
            (f64::MAX, f64::MAX),
        ] {
            assert_eq!(rounded_up(value).to_bits(), f64::to_bits(expected), "{value}");
        }
    }

    #[test]
    fn steps_are_geometric_and_different() {
        assert_eq!(geometric_steps((1.0, 16.0), 5), [1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!(geometric_steps((2.0, 2.0), 32), [2.0]);
        assert_eq!(geometric_steps((1.0, 1.05), 4), [1.0, 1.1]);
        let all = geometric_steps((5e-324, f64::MAX), 1000);
        assert!(all.len() > 900 && all.is_sorted() && all.iter().all(|eps| eps.is_finite() && *eps > 0.0));
    }

    #[test]
    fn auto_is_the_last_eps_before_clusters_chain() {
        let auto = |values: &[f64]| {
            let weights = vec![1; values.len()];
            rows_of(values, &weights, 2, &Asked::Steps(2)).into_iter().find(|row| row.is_auto)
        };
        // Ten pairs, far from each other: at 1 no cluster has more than 2 of 20 rows, at 100 all are one.
        let pairs: Vec<f64> =
            (0..10).flat_map(|pair| [f64::from(pair) * 100.0, f64::from(pair) * 100.0 + 1.0]).collect();
        let row = auto(&pairs);
        assert_eq!(
            row.map(|row| (row.eps, row.clusters, row.noise, row.largest)),
            Some((Some(1.0), 10, 0, 2))
        );
        // All meet at the first change, which is too much.
        assert_eq!(
            auto(&[0.0, 1.0, 2.0]).map(|row| (row.eps, row.clusters, row.noise)),
            Some((Some(0.5), 0, 3))
        );
        // A single place changes at no eps.
        assert_eq!(auto(&[4.0, 4.0]).map(|row| (row.eps, row.clusters, row.largest)), Some((None, 1, 2)));
    }

    #[test]
    fn border_rows_are_counted() {
        // The example of the contract: 1-D rows 0, 0, 0, 1, 4, 6.5 and five times 7.5.
        let rows = rows_of(&[0.0, 1.0, 4.0, 6.5, 7.5], &[3, 1, 1, 1, 5], 4, &Asked::Each(vec![2.5, 3.0]));
        assert_eq!(rows.iter().map(|row| row.largest).collect::<Vec<_>>(), [7, 6]);
    }

    #[test]
    fn rows_are_those_of_one_clustering_each() {
        let values = [0.0, 0.5, 1.5, 4.0, 4.0, 9.0, 9.25, 20.0];
        let weights = [1, 2, 1, 3, 1, 1, 1, 1];
        for min_samples in [1, 2, 3, 5, 100] {
            let rows = rows_of(&values, &weights, min_samples, &Asked::Steps(16));
            assert!(rows.is_sorted_by(|a, b| a.eps < b.eps));
            assert_eq!(rows.iter().filter(|row| row.is_auto).count(), 1);
            for row in rows {
                let Some(eps) = row.eps else { continue };
                let points =
                    Points::from_columns(&[&values]).and_then(|it| it.with_weights(weights.to_vec()));
                let points = points.unwrap_or_else(|error| panic!("{error}"));
                let params = crate::dbscan::Params::try_new(eps, min_samples);
                let labels =
                    crate::dbscan::dbscan(&points, &params.unwrap_or_else(|error| panic!("{error}")));
                assert_eq!(row.clusters, labels.clusters() as u64, "{eps}");
                let weight_of = |label: i64| -> u64 {
                    (0..labels.len()).filter(|&i| labels.cluster(i) == label).map(|i| weights[i]).sum()
                };
                assert_eq!(row.noise, weight_of(-1), "{eps}");
                let largest = (0..labels.clusters()).map(|label| weight_of(label as i64)).max().unwrap_or(0);
                assert_eq!(row.largest, largest, "{eps}");
            }
        }
    }
}
