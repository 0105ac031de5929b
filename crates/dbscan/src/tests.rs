//! Tests of whole calls: against textbook versions, and against each other where those would be too slow.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::naive::{self, Expected, by_definition, by_growing};
use crate::{
    Control, Cores, Error, Labels, MEDOID_EXACT_UP_TO, Metric, Params, PointType, Points, Scaling, dbscan,
    dbscan_each, dbscan_with, hierarchy, hierarchy_with, medoids, medoids_with,
};

#[derive(Debug, Clone)]
struct Case {
    points: Points,
    params: Params,
}

/// Shares even the smallest work among threads.
pub(crate) fn parallel() -> Control<'static> {
    Control::default().with_parallel_from(1)
}

impl Case {
    fn labels(&self) -> Labels {
        dbscan(&self.points, &self.params)
    }

    fn labels_in_parallel(&self) -> Labels {
        ok(dbscan_with(&self.points, &self.params, &parallel()))
    }

    /// The points at these places, with these weights.
    fn pick(&self, places: &[usize], weights: Vec<u64>) -> Self {
        let values = places.iter().flat_map(|&i| self.points.point(i).to_vec()).collect();
        let points = ok(Points::from_rows(values, self.points.dimension()));
        Self { points: ok(points.with_weights(weights)), params: self.params }
    }

    fn with_weights(self, weights: Vec<u64>) -> Self {
        Self { points: ok(self.points.with_weights(weights)), ..self }
    }
}

pub(crate) fn ok<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn pairs(labels: &Labels) -> Expected {
    (0..labels.len()).map(|i| (labels.cluster(i), labels.point_type(i))).collect()
}

/// Row-major coordinates that go wrong easily: lattices with ties at eps, lines, clumps, extremes, equal points.
pub(crate) fn coordinates(len: usize, dimension: usize) -> impl Strategy<Value = Vec<f64>> {
    let size = len * dimension;
    let lattice = prop::collection::vec((0..6).prop_map(|step| f64::from(step) * 0.1), size);
    let reals = prop::collection::vec(-1.0..1.0, size);
    let line = prop::collection::vec(0..30, len).prop_map(move |steps| {
        steps.into_iter().flat_map(|step| vec![f64::from(step) * 0.1; dimension]).collect()
    });
    let clump = (0..4, -0.05..0.05).prop_map(|(centre, offset)| f64::from(centre) + offset);
    let clumps = prop::collection::vec(clump, size);
    let extremes = prop::sample::select(vec![-1e300, -1.0, -0.0, 1e-170, 1.0, 1e300]);
    let extremes = prop::collection::vec(extremes, size);
    let equal = Just(vec![0.1; size]);
    prop_oneof![4 => lattice, 3 => reals, 2 => line, 3 => clumps, 1 => extremes, 1 => equal]
}

fn cases() -> impl Strategy<Value = Case> {
    let dimension = prop_oneof![20 => 1..=8_usize, 2 => Just(16), 1 => 9..=Points::MAX_DIMENSION];
    let len = prop_oneof![1..40_usize, 40..160_usize];
    let eps = vec![0.05, 0.1, 0.1 * 3.0, 0.3, 0.5, 1.0, 3.0, 1e-12, 1e-200, 1e200];
    let metric = prop::sample::select(Metric::ALL);
    let params = (prop::sample::select(eps), 1..=6_u64, metric)
        .prop_map(|(eps, least, metric)| ok(Params::try_new(eps, least)).with_metric(metric));
    let scaling = prop_oneof![3 => Just(Scaling::None), 1 => Just(Scaling::L2), 1 => Just(Scaling::ZScore)];
    (dimension, len, params, scaling).prop_flat_map(|(dimension, len, params, scaling)| {
        let weights = prop_oneof![Just(vec![1; len]), prop::collection::vec(1..4_u64, len)];
        (coordinates(len, dimension), weights).prop_map(move |(values, weights)| {
            let mut points = ok(ok(Points::from_rows(values, dimension)).with_weights(weights));
            // The variance of extremes is too great: then they stay as they are.
            let mut scaled = points.clone();
            if scaled.scale(scaling).is_ok() {
                points = scaled;
            }
            Case { points, params }
        })
    })
}

fn shuffled_cases() -> impl Strategy<Value = (Case, Vec<usize>)> {
    cases().prop_flat_map(|case| {
        let places: Vec<usize> = (0..case.points.len()).collect();
        (Just(case), Just(places).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The definition and scikit-learn's way of growing clusters must agree, and the fast way with both.
    #[test]
    fn equals_the_textbook(case in cases()) {
        let expected = by_definition(&case.points, &case.params);
        prop_assert_eq!(&by_growing(&case.points, &case.params), &expected);
        let labels = case.labels();
        prop_assert_eq!(&pairs(&labels), &expected);
        prop_assert_eq!(&case.labels_in_parallel(), &labels);
        let clusters = expected.iter().map(|&(cluster, _)| cluster + 1).max();
        prop_assert_eq!(Some(labels.clusters() as i64), clusters);
        let of = |kind| expected.iter().filter(|&&(_, found)| found == kind).count();
        for labels in [labels, case.labels_in_parallel()] {
            let statistics = labels.statistics();
            let counts = [statistics.points, statistics.core_points, statistics.noise_points];
            prop_assert_eq!(counts, [case.points.len(), of(PointType::Core), of(PointType::Noise)]);
            prop_assert!(statistics.cells <= statistics.points as u64);
        }
    }

    /// Collapsing equal rows before clustering must not change a label.
    #[test]
    fn weights_are_equal_points(case in cases()) {
        let times = |i: usize| (0..case.points.weight(i)).map(move |_| i);
        let places: Vec<usize> = (0..case.points.len()).flat_map(times).collect();
        let repeated = case.pick(&places, vec![1; places.len()]).labels();
        let labels = pairs(&case.labels());
        let spread: Expected = places.into_iter().map(|i| labels[i]).collect();
        prop_assert_eq!(pairs(&repeated), spread);
    }

    /// The order of the points decides the numbers and the clusters of border points, and nothing else.
    #[test]
    fn another_order_only_renumbers((case, places) in shuffled_cases()) {
        let weights = places.iter().map(|&i| case.points.weight(i)).collect();
        let (labels, shuffled) = (case.labels(), case.pick(&places, weights).labels());
        let mut renumbered = HashMap::new();
        let mut next = 0;
        for (now, &before) in places.iter().enumerate() {
            prop_assert_eq!(shuffled.point_type(now), labels.point_type(before));
            if labels.is_core(before) {
                let number = *renumbered.entry(labels.cluster(before)).or_insert_with(|| {
                    next += 1;
                    next - 1
                });
                prop_assert_eq!(shuffled.cluster(now), number);
            }
        }
    }

    /// Medoids are right with and without pruning and threads, and where sums are equal or overflow.
    #[test]
    fn medoids_are_those_of_the_definition(case in cases()) {
        let (labels, metric) = (case.labels(), case.params.metric());
        let expected = naive::medoids(&case.points, &labels, metric);
        prop_assert_eq!(&medoids(&case.points, &labels, metric), &expected);
        prop_assert_eq!(&ok(medoids_with(&case.points, &labels, metric, &parallel())), &expected);
    }

    /// Links of one eps stay at the next: every eps of a list is that of a call of its own.
    #[test]
    fn a_list_of_eps_is_as_many_calls(
        case in cases(),
        min_samples in prop_oneof![Just(None), (60..90_u64).prop_map(Some)],
        list in prop::collection::vec(prop::sample::select(vec![0.05, 0.1, 0.1 * 3.0, 0.3, 0.5, 1.0, 3.0, 1e-200, 1e200]), 0..8),
    ) {
        let (metric, least) = (case.params.metric(), min_samples.unwrap_or(case.params.min_samples()));
        let expected = |eps| dbscan(&case.points, &ok(Params::try_new(eps, least)).with_metric(metric));
        for control in [Control::default(), parallel()] {
            let mut visited = vec![false; list.len()];
            ok(dbscan_each(&case.points, &list, least, metric, &control, |place, labels| {
                assert_eq!(labels, &expected(list[place]), "eps {}", list[place]);
                assert_eq!(labels.clusters(), expected(list[place]).clusters());
                visited[place] = true;
            }));
            prop_assert!(visited.into_iter().all(|visited| visited));
        }
    }

    /// Ties of distance are for the lowest cluster, then for the first point.
    #[test]
    fn nearest_cores_are_those_of_the_definition(case in cases()) {
        let (labels, metric) = (case.labels(), case.params.metric());
        let cores = ok(Cores::new(&case.points, &labels, metric, &parallel()));
        let all = || (0..case.points.len()).filter(|&j| labels.is_core(j));
        for i in 0..case.points.len() {
            let distance = |j: usize| naive::reduced(&case.points, metric, i, j);
            let better = |&a: &usize, &b: &usize| {
                distance(a).total_cmp(&distance(b)).then(labels.cluster(a).cmp(&labels.cluster(b))).then(a.cmp(&b))
            };
            let nearest = cores.nearest(case.points.point(i));
            prop_assert_eq!(nearest.map(|nearest| nearest.point), all().min_by(better));
            if let Some(nearest) = nearest {
                prop_assert_eq!(nearest.cluster, labels.cluster(nearest.point));
                let (reduced, eps) = (distance(nearest.point), nearest.eps);
                prop_assert!(eps.is_infinite() || metric.reach(eps) >= reduced);
                prop_assert!(eps <= 0.0 || eps.next_down() <= 0.0 || metric.reach(eps.next_down()) < reduced);
            }
            let lowest = cores.lowest_within(case.points.point(i), case.params.eps());
            prop_assert_eq!(lowest.unwrap_or(-1), labels.cluster(i), "every point's own cluster is the lowest near it");
        }
    }

    /// The sweep over one feature and the tree are different code for the same points.
    #[test]
    fn a_feature_without_values_changes_nothing(case in cases(), place in 0..Points::MAX_DIMENSION) {
        let dimension = case.points.dimension();
        prop_assume!(dimension < Points::MAX_DIMENSION);
        let mut wider = Vec::new();
        for i in 0..case.points.len() {
            wider.extend(case.points.point(i));
            wider.insert(wider.len() - place % (dimension + 1), 0.0);
        }
        let wider = ok(Points::from_rows(wider, dimension + 1));
        let wider = ok(wider.with_weights(case.points.weights().unwrap_or_default().to_vec()));
        let wider = Case { points: wider, ..case };
        prop_assert_eq!(wider.labels(), case.labels());
    }
}

/// Pseudo-random numbers from 0 to 1, always the same.
pub(crate) fn noise(len: usize) -> impl Iterator<Item = f64> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    (0..len).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn uniform(len: usize, dimension: usize, eps: f64, min_samples: u64) -> Case {
    let points = ok(Points::from_rows(noise(len * dimension).collect(), dimension));
    Case { points, params: ok(Params::try_new(eps, min_samples)) }
}

#[test]
fn number_of_threads_changes_nothing() {
    for (dimension, eps) in [(1, 1e-5), (2, 0.004), (3, 0.02), (5, 0.12)] {
        for min_samples in [2, 4] {
            let case = uniform(20_000, dimension, eps, min_samples);
            let labels = [1, 2, 7].map(|threads| {
                let pool = ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build());
                pool.install(|| case.labels())
            });
            let types = [PointType::Core, PointType::Noise];
            let all = types.map(|kind| (0..20_000).any(|i| labels[0].point_type(i) == kind));
            assert_eq!(all, [true, true], "nothing to see with {dimension} features");
            assert!(labels[0] == labels[1] && labels[0] == labels[2], "{dimension} features");
        }
    }
}

/// Nodes that nothing has changed in are left out, whoever of the threads has found that out.
#[test]
fn long_lists_of_eps_are_as_many_calls() {
    for (dimension, eps) in [(1, 1e-5), (2, 0.004), (3, 0.02), (5, 0.12)] {
        for min_samples in [1, 2, 4, 70] {
            let case = uniform(6_000, dimension, eps, min_samples);
            // Some points stand for enough to be core by themselves.
            let weights = (0..6_000).map(|i| if i % 50 == 0 { 1 + i % 4 } else { 1 }).collect();
            for case in [case.clone(), case.with_weights(weights)] {
                let list: Vec<f64> = (0..24).map(|i| eps * 1.4_f64.powi(i - 8)).collect();
                let expected: Vec<Labels> = list
                    .iter()
                    .map(|&eps| dbscan(&case.points, &ok(Params::try_new(eps, min_samples))))
                    .collect();
                for threads in [1, 2, 7] {
                    let pool = ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build());
                    let visit = |place: usize, labels: &Labels| {
                        assert!(labels == &expected[place], "eps {}, {threads} threads", list[place]);
                        let counts = |labels: &Labels| {
                            let statistics = labels.statistics();
                            [statistics.clusters, statistics.core_points, statistics.noise_points]
                        };
                        assert_eq!(counts(labels), counts(&expected[place]));
                    };
                    let control = parallel();
                    pool.install(|| {
                        ok(dbscan_each(&case.points, &list, min_samples, Metric::Euclidean, &control, visit));
                    });
                }
            }
        }
    }
}

/// Each of these takes minutes when pairs are compared one by one.
#[test]
fn many_neighbours_are_not_compared_one_by_one() {
    const LEN: usize = 200_000;
    let shape = |x: f64, y: f64, i: usize| match i % 2 {
        0 => [-0.1 * x, 0.1 * y],
        _ => [0.999 + 0.1 * x, 0.1 * y],
    };
    let noise: Vec<f64> = noise(2 * LEN).collect();
    let spots: Vec<f64> = (0..LEN).flat_map(|i| shape(noise[2 * i], noise[2 * i + 1], i)).collect();
    let spots = ok(Points::from_rows(spots, 2));
    let equal = ok(Points::from_rows((0..2 * LEN).map(|i| f64::from(i as u32 / 2 % 2)).collect(), 2));
    for (points, eps, min_samples, clusters) in [
        (&spots, 1.0, 2, 1),
        (&spots, 1.0, 10, 1),
        (&spots, 0.9989, 2, 2),
        (&spots, 0.9989, 10, 2),
        (&spots, 9.0, LEN as u64, 1),
        (&spots, 9.0, LEN as u64 + 1, 0),
        (&equal, 1.0, 2, 2),
        (&equal, 1.0, LEN as u64, 0),
        (&equal, 1.5, LEN as u64, 1),
    ] {
        let labels = dbscan(points, &ok(Params::try_new(eps, min_samples)));
        assert_eq!(labels.clusters(), clusters, "eps {eps}, min_samples {min_samples}");
    }
}

#[test]
fn weights_saturate_and_default_to_one() {
    let points = ok(Points::from_columns(&[&[0.0, 0.5, 9.0], &[0.0; 3]]));
    let case = Case { points, params: ok(Params::try_new(1.0, u64::MAX)) };
    assert_eq!(case.labels().as_slice(), [-1, -1, -1]);
    assert_eq!(case.clone().with_weights(vec![u64::MAX; 3]).labels().as_slice(), [0, 0, 1]);
    let three = Case { params: ok(Params::try_new(1.0, 3)), ..case };
    assert_eq!(three.labels().as_slice(), [-1, -1, -1]);
    assert_eq!(three.with_weights(vec![2, 1, 1]).labels().as_slice(), [0, 0, -1]);
}

/// Items keep 32 bits of a weight.
#[test]
fn weights_beyond_32_bits_count_in_full() {
    let limit = u64::from(u32::MAX);
    for min_samples in [limit - 1, limit, limit + 1, 3 * limit + 2] {
        let weights = (0..1000).map(|i| if i % 7 == 0 { limit - 1 + i % 3 } else { 1 }).collect();
        let case = uniform(1000, 2, 0.05, min_samples).with_weights(weights);
        let expected = by_definition(&case.points, &case.params);
        assert_eq!(pairs(&case.labels()), expected);
        assert_eq!(pairs(&case.labels_in_parallel()), expected);
    }
}

#[test]
fn no_points_have_no_labels() {
    for dimension in [1, 3] {
        let none = Case { points: ok(Points::from_rows(vec![], dimension)), ..uniform(0, 1, 1.0, 2) };
        assert!(none.labels().is_empty());
    }
}

#[test]
fn statistics_count_the_work() {
    let of = |places: &[[f64; 2]], eps: f64, min_samples: u64| {
        let points = ok(Points::from_rows(places.concat(), 2));
        let params = ok(Params::try_new(eps, min_samples));
        *dbscan(&points, &params).statistics()
    };
    let square = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let one_cell = of(&square, 1.5, 2);
    assert_eq!((one_cell.cells, one_cell.distances, one_cell.core_points), (1, 0, 4));
    // No cell: four points with the six sides and diagonals between them.
    let no_cell = of(&square, 1.0, 2);
    assert_eq!((no_cell.cells, no_cell.distances, no_cell.core_points), (4, 6, 4));
    // Each of them compares itself with all, until it knows that it has too few neighbours.
    let noise = of(&square, 1.0, 4);
    assert_eq!((noise.cells, noise.distances, noise.noise_points), (0, 16, 4));
    let case = uniform(20_000, 1, 1e-5, 2);
    let start = Instant::now();
    let sorted = *case.labels().statistics();
    let took = start.elapsed();
    assert_eq!((sorted.points, sorted.cells), (20_000, 0));
    assert!((20_000..120_000).contains(&sorted.distances));
    // The steps follow one another, however busy the machine is and however coarse its clock.
    let times = [sorted.index_time, sorted.cores_time, sorted.components_time, sorted.labels_time];
    // Steps follow each other within the call, and sorting 20,000 points is far beyond the resolution of any clock.
    assert!(!times[0].is_zero() && times.iter().sum::<Duration>() <= took, "{times:?} of {took:?}");
}

#[test]
fn cancelled_calls_have_no_result() {
    let cancel = AtomicBool::new(true);
    let control = Control::default().with_cancel(&cancel);
    for dimension in 1..=4 {
        let case = uniform(10, dimension, 0.1, 2);
        let labels = case.labels();
        assert_eq!(dbscan_with(&case.points, &case.params, &control), Err(Error::Cancelled));
        assert_eq!(medoids_with(&case.points, &labels, Metric::Euclidean, &control), Err(Error::Cancelled));
        let mut points = case.points;
        for scaling in [Scaling::L2, Scaling::ZScore, Scaling::MinMax, Scaling::Robust] {
            assert_eq!(points.scale_with(scaling, &control), Err(Error::Cancelled));
        }
        assert_eq!(points.multiply_with(&vec![2.0; dimension], &control), Err(Error::Cancelled));
        for min_samples in [1, 3] {
            let (metric, visit) = (Metric::Euclidean, |_: usize, _: &Labels| panic!("no labels"));
            let cancelled = dbscan_each(&points, &[1.0], min_samples, metric, &control, visit);
            assert_eq!(cancelled, Err(Error::Cancelled));
            assert_eq!(hierarchy_with(&points, min_samples, metric, &control), Err(Error::Cancelled));
            assert!(matches!(Cores::new(&points, &labels, metric, &control), Err(Error::Cancelled)));
            let every_eps = ok(hierarchy(&points, min_samples, metric));
            let mut levels = ok(every_eps.levels(&points, &Control::default()));
            assert!(levels.all(|level| level.is_ok()));
            assert!(matches!(every_eps.levels(&points, &control), Err(Error::Cancelled)));
        }
        let columns = vec![&[1.0][..]; dimension];
        assert_eq!(Points::from_columns_with(&columns, &control), Err(Error::Cancelled));
    }
}

/// The call would take many seconds, in which it counts across the boundaries of large neighbourhoods.
#[test]
fn calls_can_be_cancelled_while_they_work() {
    let case = uniform(200_000, 3, 0.2, 6_500);
    let cancel = AtomicBool::new(false);
    let control = Control::default().with_cancel(&cancel);
    let result = thread::scope(|scope| {
        let call = scope.spawn(|| dbscan_with(&case.points, &case.params, &control));
        thread::sleep(Duration::from_millis(50));
        assert!(!call.is_finished(), "nothing is left to be cancelled");
        cancel.store(true, Ordering::Relaxed);
        call.join().unwrap_or_else(|_| panic!("the call panicked"))
    });
    // A call that looked at the flag too seldom would come to its end and have labels.
    assert_eq!(result, Err(Error::Cancelled));
}

/// Each of these takes some seconds.
#[test]
fn hierarchies_can_be_cancelled_while_they_work() {
    for (dimension, min_samples, wait) in [(2, 2, 20), (3, 60, 100), (8, 5, 100), (3, 1000, 100)] {
        let case = uniform(400_000, dimension, 1.0, min_samples);
        let cancel = AtomicBool::new(false);
        let control = Control::default().with_cancel(&cancel);
        thread::scope(|scope| {
            let call = scope.spawn(|| hierarchy_with(&case.points, min_samples, Metric::Euclidean, &control));
            thread::sleep(Duration::from_millis(wait));
            assert!(!call.is_finished(), "nothing is left to be cancelled");
            cancel.store(true, Ordering::Relaxed);
            let result = call.join().unwrap_or_else(|_| panic!("the call panicked"));
            assert_eq!(result, Err(Error::Cancelled));
        });
    }
}

#[test]
fn one_thread_and_many_give_the_same_labels() {
    let case = uniform(20_000, 3, 0.02, 4);
    let control = Control::default().on_one_thread();
    assert_eq!(ok(dbscan_with(&case.points, &case.params, &control)), case.labels());
}

#[test]
fn medoids_of_large_clusters_are_those_of_a_sample() {
    // Two clusters side by side, in turns; the sample of each is every third of its points.
    let len = 3 * MEDOID_EXACT_UP_TO;
    let far = |i: usize| if i.is_multiple_of(2) { 0.0 } else { 9.0 };
    let values: Vec<f64> = noise(4 * len).enumerate().map(|(i, x)| x + far(i / 2)).collect();
    let both = Case { points: ok(Points::from_rows(values, 2)), ..uniform(0, 1, 1.0, 2) };
    let labels = both.labels();
    assert_eq!(labels.clusters(), 2);
    for &metric in Metric::ALL {
        let of = |points: &Points| medoids(points, &dbscan(points, &both.params), metric);
        let expected = [0, 1].map(|cluster| {
            let sample: Vec<f64> =
                (0..len).step_by(3).flat_map(|i| both.points.point(2 * i + cluster).to_vec()).collect();
            2 * 3 * of(&ok(Points::from_rows(sample, 2)))[0] + cluster as u32
        });
        assert_eq!(of(&both.points), expected);
    }
}
