//! DBSCAN and medoids from their definitions: all pairs, no trees.

use super::exact;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Euclidean,
    Manhattan,
    Chebyshev,
}

impl Metric {
    pub const ALL: [Self; 3] = [Self::Euclidean, Self::Manhattan, Self::Chebyshev];

    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
            Self::Chebyshev => "chebyshev",
        }
    }

    /// The distance that is compared: squared where it is Euclidean, added in column order.
    pub fn reduced(self, a: &[f64], b: &[f64]) -> f64 {
        let differences = a.iter().zip(b).map(|(a, b)| a - b);
        match self {
            Self::Euclidean => differences.fold(0.0, |sum, it| sum + it * it),
            Self::Manhattan => differences.fold(0.0, |sum, it| sum + it.abs()),
            Self::Chebyshev => differences.fold(0.0, |most, it| f64::max(most, it.abs())),
        }
    }

    /// The distance itself.
    pub fn distance(self, a: &[f64], b: &[f64]) -> f64 {
        let reduced = self.reduced(a, b);
        if self == Self::Euclidean { reduced.sqrt() } else { reduced }
    }

    fn reach(self, eps: f64) -> f64 {
        if self == Self::Euclidean { eps * eps } else { eps }
    }

    /// The least eps that reaches a reduced distance above 0, if any does. The bits of positive numbers are in their order.
    fn least_eps(self, reduced: f64) -> Option<f64> {
        let (mut below, mut least) = (0_u64, f64::MAX.to_bits());
        if self.reach(f64::MAX) < reduced {
            return None;
        }
        while least - below > 1 {
            let middle = below + (least - below) / 2;
            if self.reach(f64::from_bits(middle)) >= reduced {
                least = middle;
            } else {
                below = middle;
            }
        }
        Some(f64::from_bits(least))
    }
}

/// The share of the rows by which the largest cluster may exceed the heaviest set of equal points.
const CHAIN_SHARE: f64 = 0.05;

/// The last eps before clusters chain: the greatest one at which something changes, while the core points of the largest cluster are
/// few enough. `None` if nothing changes at any.
pub fn auto_eps(points: &[Vec<f64>], min_samples: usize, metric: Metric) -> Option<f64> {
    let reduced = points.iter().flat_map(|a| points.iter().map(|b| metric.reduced(a, b)));
    let mut candidates: Vec<f64> =
        reduced.filter(|it| *it > 0.0).filter_map(|it| metric.least_eps(it)).collect();
    candidates.sort_by(f64::total_cmp);
    candidates.dedup();
    let share = |count: usize| count as f64 / points.len() as f64;
    let heaviest = points.iter().map(|a| points.iter().filter(|b| a == *b).count()).max().unwrap_or(0);
    // The cluster of each core point, and who is noise. Whose a border point is changes nothing here.
    let seen = |eps: f64| -> Vec<Option<i64>> {
        let labels = labels(points, eps, min_samples, metric);
        let of_point = |(&cluster, &is_core): (&i64, &bool)| (is_core || cluster == -1).then_some(cluster);
        labels.cluster.iter().zip(&labels.is_core).map(of_point).collect()
    };
    let largest = |seen: &[Option<i64>]| {
        let sizes = seen.iter().flatten().filter(|it| **it >= 0);
        sizes.clone().map(|it| sizes.clone().filter(|other| *other == it).count()).max().unwrap_or(0)
    };
    let mut auto = None;
    // Below all that changes only equal points are neighbours.
    let mut before = seen(0.0);
    for eps in candidates {
        let now = seen(eps);
        if now == before {
            continue;
        }
        if share(largest(&now)) <= share(heaviest) + CHAIN_SHARE {
            auto = Some(eps);
        } else {
            return auto.or(Some(eps / 2.0));
        }
        before = now;
    }
    auto
}

/// The clustering of some points, in their order.
#[derive(Debug)]
pub struct Labels {
    /// From 0, or -1.
    pub cluster: Vec<i64>,
    pub is_core: Vec<bool>,
    pub clusters: usize,
}

/// The labels of scikit-learn's `dbscan_inner`: from each core point without a label, in order, one cluster is grown,
/// and whoever comes first labels a border point.
pub fn labels(points: &[Vec<f64>], eps: f64, min_samples: usize, metric: Metric) -> Labels {
    let reach = metric.reach(eps);
    let neighbours: Vec<Vec<usize>> = (points.iter())
        .map(|a| (0..points.len()).filter(|&b| metric.reduced(a, &points[b]) <= reach).collect())
        .collect();
    let is_core: Vec<bool> = neighbours.iter().map(|near| near.len() >= min_samples).collect();
    let mut cluster = vec![-1; points.len()];
    let mut clusters = 0;
    for start in 0..points.len() {
        if cluster[start] != -1 || !is_core[start] {
            continue;
        }
        let mut stack = vec![start];
        while let Some(point) = stack.pop() {
            if cluster[point] == -1 {
                cluster[point] = clusters as i64;
                if is_core[point] {
                    stack.extend(&neighbours[point]);
                }
            }
        }
        clusters += 1;
    }
    Labels { cluster, is_core, clusters }
}

/// Which of these distinct points has the least sum of distances to all of them.
pub enum Medoid {
    /// This one, the first of several.
    Is(usize),
    /// The sums of two are as near as the roundings of single distances.
    Undecided,
}

pub fn medoid(points: &[&Vec<f64>], metric: Metric) -> Medoid {
    if points.len() <= 2 {
        return Medoid::Is(0);
    }
    let sums: Vec<Vec<f64>> = (points.iter())
        .map(|a| {
            let mut distances: Vec<f64> = points.iter().map(|b| metric.distance(a, b)).collect();
            distances.sort_by(f64::total_cmp);
            distances
        })
        .collect();
    let totals: Vec<f64> =
        sums.iter()
            .map(|distances| {
                if distances.iter().all(|it| it.is_finite()) { exact::sum(distances) } else { f64::INFINITY }
            })
            .collect();
    let least = totals.iter().copied().fold(f64::INFINITY, f64::min);
    let first = totals.iter().position(|total| total.total_cmp(&least).is_eq()).expect("at least one point");
    // Every distance is off by half of its last digit, and so many of them are added.
    let noise = least * f64::EPSILON * points.len() as f64;
    let rivals = (0..points.len()).filter(|&i| i != first && totals[i] - least <= noise);
    // Equal distances are equally off.
    let is_undecided = rivals.into_iter().any(|rival| sums[rival] != sums[first]);
    if is_undecided && least.is_finite() { Medoid::Undecided } else { Medoid::Is(first) }
}
