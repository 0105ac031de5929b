//! Tests of the hierarchy: its distances against their definition, and all else against `dbscan` at the same eps.

use proptest::prelude::*;

use super::*;
use crate::metric::{Chebyshev, Euclidean, Manhattan};
use crate::naive;
use crate::tests::{coordinates, noise, ok, parallel};
use crate::{Params, PointType, Scaling, dbscan};

#[derive(Debug, Clone)]
struct Case {
    points: Points,
    min_samples: u64,
    metric: Metric,
}

fn e(metric: Metric, reduced: f64) -> f64 {
    match metric {
        Metric::Euclidean => least_eps::<Euclidean>(reduced),
        Metric::Manhattan => least_eps::<Manhattan>(reduced),
        Metric::Chebyshev => least_eps::<Chebyshev>(reduced),
    }
}

impl Case {
    fn hierarchy(&self) -> Hierarchy {
        ok(hierarchy(&self.points, self.min_samples, self.metric))
    }

    /// The eps of all distances between points, and the numbers next to each of them; of many about as many as `most`.
    fn every_eps(&self, most: usize) -> Vec<f64> {
        let len = self.points.len();
        let pairs = (0..len).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let step = (len * (len + 1) / 2 / most).max(1);
        let distances = pairs.step_by(step).map(|(i, j)| naive::reduced(&self.points, self.metric, i, j));
        let mut all: Vec<f64> = distances
            .map(|reduced| e(self.metric, reduced).min(f64::MAX))
            .flat_map(|eps| [eps.next_down(), eps, eps.next_up()])
            .filter(|eps| eps.is_finite() && *eps > 0.0)
            .collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// Compares the hierarchy at an eps with `dbscan`.
    fn check_at(&self, eps: f64, hierarchy: &Hierarchy, level: Option<&Level>) {
        let params = ok(Params::try_new(eps, self.min_samples)).with_metric(self.metric);
        let labels = dbscan(&self.points, &params);
        let within = |at: Option<f64>| at.is_some_and(|at| at <= eps);
        let core_labels = hierarchy.core_labels(eps);
        for (i, &core_label) in core_labels.iter().enumerate() {
            assert_eq!(within(hierarchy.core_eps(i)), labels.is_core(i), "core point {i} at {eps:e}");
            let noise = labels.point_type(i) == PointType::Noise;
            assert_eq!(within(hierarchy.clustered_eps(i)), !noise, "clustered point {i} at {eps:e}");
            let expected = if labels.is_core(i) { labels.cluster(i) } else { -1 };
            assert_eq!(core_label, expected, "cluster of point {i} at {eps:e}");
        }
        let Some(level) = level else { return };
        let statistics = labels.statistics();
        assert_eq!(
            [level.core_points, level.clusters, level.noise_points],
            [statistics.core_points, statistics.clusters, statistics.noise_points],
            "numbers at {eps:e}"
        );
        let weight = |chosen: &dyn Fn(usize) -> bool| {
            let chosen = (0..self.points.len()).filter(|&i| chosen(i));
            chosen.fold(0_u64, |sum, i| sum.saturating_add(self.points.weight(i)))
        };
        assert_eq!(level.noise_weight, weight(&|i| labels.cluster(i) < 0));
        let core_weight = |cluster: i64| weight(&|i| labels.is_core(i) && labels.cluster(i) == cluster);
        assert_eq!(level.largest_core_weight, (0..level.clusters as i64).map(core_weight).max().unwrap_or(0));
    }

    /// Compares the hierarchy with `dbscan` at every eps, and its distances with their definitions.
    fn check(&self, most: usize) {
        let found = self.hierarchy();
        let in_parallel = ok(hierarchy_with(&self.points, self.min_samples, self.metric, &parallel()));
        assert_eq!(found, in_parallel, "threads");
        let core = naive::core_distances(&self.points, self.min_samples, self.metric);
        let near = naive::near_distances(&self.points, &core, self.metric);
        let told = |reduced: Option<f64>| reduced.and_then(|reduced| finite(e(self.metric, reduced)));
        for i in 0..self.points.len() {
            assert_eq!(found.core_eps(i), told(core[i]), "core({i})");
            assert_eq!(found.near_eps(i), told(near[i]), "near({i})");
        }
        let control = parallel();
        let levels: Vec<Level> = ok(ok(found.levels(&self.points, &control)).collect::<Result<_, _>>());
        assert!(levels.is_sorted_by(|a, b| a.eps < b.eps));
        assert!(
            levels.windows(2).all(
                |two| Level { eps: 0.0, ..two[0] } != Level { eps: 0.0, ..two[1] } || two[0].clusters > 0
            )
        );
        for eps in self.every_eps(most) {
            let below = levels.partition_point(|level| level.eps <= eps);
            self.check_at(eps, &found, levels[..below].last());
        }
    }
}

fn points(values: &[f64], dimension: usize) -> Points {
    ok(Points::from_rows(values.to_vec(), dimension))
}

fn cases() -> impl Strategy<Value = Case> {
    let dimension = prop_oneof![20 => 1..=8_usize, 2 => Just(16), 1 => 9..=Points::MAX_DIMENSION];
    let len = prop_oneof![0..8_usize, 8..40_usize, 40..160_usize];
    let few = 1..=6_u64;
    let min_samples = prop_oneof![6 => few, 2 => 7..90_u64, 1 => 90..400_u64, 1 => Just(u64::MAX)];
    let metric = prop::sample::select(Metric::ALL);
    let scaling = prop_oneof![3 => Just(Scaling::None), 1 => Just(Scaling::L2), 1 => Just(Scaling::ZScore)];
    (dimension, len, min_samples, metric, scaling).prop_flat_map(
        |(dimension, len, min_samples, metric, scaling)| {
            let heavy = prop_oneof![9 => 1..4_u64, 1 => Just(u64::MAX)];
            let weights = prop_oneof![
                Just(vec![1; len]),
                prop::collection::vec(1..4_u64, len),
                prop::collection::vec(heavy, len)
            ];
            (coordinates(len, dimension), weights).prop_map(move |(values, weights)| {
                let mut points = ok(ok(Points::from_rows(values, dimension)).with_weights(weights));
                let mut scaled = points.clone();
                if scaled.scale(scaling).is_ok() {
                    points = scaled;
                }
                Case { points, min_samples, metric }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_eps_is_that_of_dbscan(case in cases()) {
        case.check(40);
    }

    /// Few points, and really every eps.
    #[test]
    fn every_eps_of_few_points_is_that_of_dbscan(
        (values, weights, min_samples) in (1..10_usize).prop_flat_map(|len| {
            (coordinates(len, 2), prop::collection::vec(1..4_u64, len), 1..8_u64)
        }),
        metric in prop::sample::select(Metric::ALL),
    ) {
        let points = ok(points(&values, 2).with_weights(weights));
        Case { points, min_samples, metric }.check(usize::MAX);
    }
}

/// x² + y² and x² + z² are neighbouring doubles that no eps tells apart.
#[test]
fn distances_of_one_eps_change_together() {
    let mut made = 0;
    for x in noise(10_000).map(|x| 0.1 + x).take(1000) {
        let square = x * x;
        let unit = square.next_up() - square;
        let [y, z] = [unit, 2.0 * unit].map(f64::sqrt);
        let [less, more] = [square + y * y, square + z * z];
        let same = e(Metric::Euclidean, less) >= e(Metric::Euclidean, more);
        if less < more && more <= less.next_up() && same {
            made += 1;
            for min_samples in 1..=4 {
                let values = [0.0, 0.0, x, y, -x, z, 0.0, 3.0];
                Case { points: points(&values, 2), min_samples, metric: Metric::Euclidean }.check(usize::MAX);
            }
            let pair =
                |y| Case { points: points(&[0.0, 0.0, x, y], 2), min_samples: 2, metric: Metric::Euclidean };
            assert_eq!(pair(y).hierarchy(), pair(z).hierarchy());
        }
    }
    assert!(made > 100, "{made} pairs were made");
}

#[test]
fn too_few_rows_and_single_vectors_are_absent() {
    let one = Case { points: points(&[1.0, 2.0], 2), min_samples: 2, metric: Metric::Euclidean };
    let absent = one.hierarchy();
    assert_eq!((absent.core_eps(0), absent.near_eps(0), absent.clustered_eps(0)), (None, None, None));
    let heavy = Case { points: ok(one.points.clone().with_weights(vec![2])), ..one.clone() };
    let heavy = heavy.hierarchy();
    assert_eq!((heavy.core_eps(0), heavy.near_eps(0), heavy.merge(0)), (Some(0.0), None, None));
    let none = Case { points: points(&[], 2), ..one };
    assert!(none.hierarchy().is_empty());
    none.check(1);
    assert_eq!(hierarchy(&none.points, 0, Metric::Euclidean), Err(Error::MinSamples(0)));
}

#[test]
fn many_equal_points_are_one_place() {
    let values: Vec<f64> =
        (0..600_u32).flat_map(|i| [f64::from(i / 150), f64::from(i % 2 / (1 + i / 450))]).collect();
    for min_samples in [1, 2, 5, 75, 76, 160, 601] {
        for &metric in Metric::ALL {
            Case { points: points(&values, 2), min_samples, metric }.check(300);
        }
    }
}

/// 20 points at 0 weigh too little with the 17 at 1, which have 5 more within 1.
#[test]
fn equal_points_may_be_near_a_core_point_before_they_are_core() {
    let values = [vec![0.0; 20], vec![1.0; 17], vec![1.5; 5]].concat();
    let case = Case { points: points(&values, 1), min_samples: 40, metric: Metric::Euclidean };
    let hierarchy = case.hierarchy();
    assert_eq!((hierarchy.core_eps(0), hierarchy.near_eps(0)), (Some(1.5), Some(1.0)));
    case.check(usize::MAX);
}

#[test]
fn larger_sets_are_those_of_dbscan() {
    for (dimension, scale) in [(1, 1e-4), (2, 0.01), (3, 0.05), (8, 0.3)] {
        let random: Vec<f64> = noise(5000 * dimension).collect();
        for min_samples in [1, 2, 5, 70] {
            let case = Case { points: points(&random, dimension), min_samples, metric: Metric::Euclidean };
            let found = case.hierarchy();
            let in_parallel = ok(hierarchy_with(&case.points, min_samples, case.metric, &parallel()));
            assert_eq!(found, in_parallel);
            for i in 1..20 {
                case.check_at(scale * f64::from(i) / 5.0, &found, None);
            }
        }
    }
}
