//! The whole against its textbook twins, and against itself where they would be too slow.

use std::collections::HashMap;
use std::fmt::Display;
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::naive::{self, Expected, by_definition, by_growing};
use super::tree::{Item, Node};
use super::{
    Cancelled, EUCLIDEAN, Euclidean, InvalidPoints, Labels, MEDOID_EXACT_UP_TO, Metric, OTHERS, Params,
    PointType, Points, Scaling, Workers, cluster, dbscan, item_bytes, medoids, memory_required, node_bytes,
    padded,
};

/// Nobody cancels.
pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

#[derive(Debug, Clone)]
struct Case {
    points: Points,
    weights: Vec<u64>,
    params: Params,
}

impl Case {
    fn labels(&self) -> Labels {
        ok(dbscan(&self.points, Some(&self.weights), &self.params, &NEVER))
    }

    /// With threads even for two points.
    fn labels_in_parallel(&self) -> Labels {
        let workers = Workers::from(1, self.points.len(), &NEVER);
        ok(cluster(&self.points, Some(&self.weights), &self.params, workers))
    }

    /// The points at these places, with their weights.
    fn pick(&self, places: &[usize]) -> Self {
        let values = places.iter().flat_map(|&i| self.points.point(i).to_vec()).collect();
        let points = ok(Points::from_rows(values, self.points.dimension(), &NEVER));
        Self { points, weights: places.iter().map(|&i| self.weights[i]).collect(), params: self.params }
    }
}

fn ok<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn pairs(labels: &Labels) -> Expected {
    (0..labels.len()).map(|i| (labels.cluster(i), labels.point_type(i))).collect()
}

/// Row-major coordinates that go wrong easily: lattices with ties at eps, lines, clumps, extremes, equal points.
fn coordinates(len: usize, dimension: usize) -> impl Strategy<Value = Vec<f64>> {
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
    let metric =
        prop::sample::select(Metric::NAMES).prop_map(|name| Metric::from_name(name).unwrap_or_default());
    let params = (prop::sample::select(eps), 1..=6_u64, metric)
        .prop_map(|(eps, least, metric)| ok(Params::try_new(eps, least)).with_metric(metric));
    let scaling = prop_oneof![3 => Just(Scaling::None), 1 => Just(Scaling::L2), 1 => Just(Scaling::ZScore)];
    (dimension, len, params, scaling).prop_flat_map(|(dimension, len, params, scaling)| {
        let weights = prop_oneof![Just(vec![1; len]), prop::collection::vec(1..4_u64, len)];
        (coordinates(len, dimension), weights).prop_map(move |(values, weights)| {
            let mut points = ok(Points::from_rows(values, dimension, &NEVER));
            // The variance of extremes is too great: then they stay as they are.
            let mut scaled = points.clone();
            if scaled.scale(scaling, Some(&weights), &NEVER).is_ok() {
                points = scaled;
            }
            Case { points, weights, params }
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
        let expected = by_definition(&case.points, &case.weights, &case.params);
        prop_assert_eq!(&by_growing(&case.points, &case.weights, &case.params), &expected);
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

    /// Collapsing equal rows before clustering must not show.
    #[test]
    fn a_weight_is_as_many_equal_points(case in cases()) {
        let times = |i: usize| (0..case.weights[i]).map(move |_| i);
        let places: Vec<usize> = (0..case.points.len()).flat_map(times).collect();
        let repeated = Case { weights: vec![1; places.len()], ..case.pick(&places) }.labels();
        let labels = pairs(&case.labels());
        let spread: Expected = places.into_iter().map(|i| labels[i]).collect();
        prop_assert_eq!(pairs(&repeated), spread);
    }

    /// The order of the points decides the numbers, and which cluster a border point goes to, and nothing else.
    #[test]
    fn another_order_only_renumbers((case, places) in shuffled_cases()) {
        let (labels, shuffled) = (case.labels(), case.pick(&places).labels());
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

    /// Pruned or not, alone or with threads, sums that are equal or overflow included.
    #[test]
    fn medoids_are_those_of_the_definition(case in cases()) {
        let (labels, metric) = (case.labels(), case.params.metric());
        let expected = naive::medoids(&case.points, &labels, metric);
        prop_assert_eq!(&ok(medoids(&case.points, &labels, metric, &NEVER)), &expected);
        let workers = Workers::from(1, case.points.len(), &NEVER);
        prop_assert_eq!(&ok(medoids::find(&case.points, &labels, metric, &workers)), &expected);
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
        let wider = Case { points: ok(Points::from_rows(wider, dimension + 1, &NEVER)), ..case.clone() };
        prop_assert_eq!(wider.labels(), case.labels());
    }
}

/// Numbers that look random, always the same.
fn noise(len: usize) -> impl Iterator<Item = f64> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    (0..len).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn uniform(len: usize, dimension: usize, eps: f64, min_samples: u64) -> Case {
    let points = ok(Points::from_rows(noise(len * dimension).collect(), dimension, &NEVER));
    Case { points, weights: vec![1; len], params: ok(Params::try_new(eps, min_samples)) }
}

#[test]
fn threads_do_not_show() {
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
    let spots = ok(Points::from_rows(spots, 2, &NEVER));
    let equal = ok(Points::from_rows((0..2 * LEN).map(|i| f64::from(i as u32 / 2 % 2)).collect(), 2, &NEVER));
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
        let case = Case {
            points: points.clone(),
            weights: vec![1; LEN],
            params: ok(Params::try_new(eps, min_samples)),
        };
        assert_eq!(case.labels().clusters(), clusters, "eps {eps}, min_samples {min_samples}");
    }
}

#[test]
fn weights_saturate_and_default_to_one() {
    let points = ok(Points::from_columns(&[&[0.0, 0.5, 9.0], &[0.0; 3]], &NEVER));
    let heavy = Case { points, weights: vec![u64::MAX; 3], params: ok(Params::try_new(1.0, u64::MAX)) };
    assert_eq!(heavy.labels().as_slice(), [0, 0, 1]);
    let short = Case { weights: vec![2], params: ok(Params::try_new(1.0, 3)), ..heavy };
    assert_eq!(short.labels().as_slice(), [0, 0, -1]);
}

/// Items keep 32 bits of a weight.
#[test]
fn weights_beyond_32_bits_count_in_full() {
    let limit = u64::from(u32::MAX);
    for min_samples in [limit - 1, limit, limit + 1, 3 * limit + 2] {
        let weights = (0..1000).map(|i| if i % 7 == 0 { limit - 1 + i % 3 } else { 1 }).collect();
        let case = Case { weights, ..uniform(1000, 2, 0.05, min_samples) };
        let expected = by_definition(&case.points, &case.weights, &case.params);
        assert_eq!(pairs(&case.labels()), expected);
        assert_eq!(pairs(&case.labels_in_parallel()), expected);
    }
}

#[test]
fn no_points_no_labels() {
    for dimension in [1, 3] {
        let none = Case { points: ok(Points::from_rows(vec![], dimension, &NEVER)), ..uniform(0, 1, 1.0, 2) };
        assert!(none.labels().is_empty());
    }
}

#[test]
fn statistics_count_the_work() {
    let of = |places: &[[f64; 2]], eps: f64, min_samples: u64| {
        let points = ok(Points::from_rows(places.concat(), 2, &NEVER));
        let params = ok(Params::try_new(eps, min_samples));
        *ok(dbscan(&points, None, &params, &NEVER)).statistics()
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
    let started = Instant::now();
    let sorted = *case.labels().statistics();
    let whole = started.elapsed();
    assert_eq!((sorted.points, sorted.cells), (20_000, 0));
    assert!((20_000..120_000).contains(&sorted.distances));
    // The steps follow one another, however busy the machine is and however coarse its clock.
    let times = [sorted.index_time, sorted.cores_time, sorted.components_time, sorted.labels_time];
    assert!(times.iter().sum::<Duration>() <= whole, "{times:?} in {whole:?}");
}

#[test]
fn cancelled_calls_return_soon() {
    for dimension in 1..=4 {
        let case = uniform(10, dimension, 0.1, 2);
        let (labels, cancelled) = (case.labels(), AtomicBool::new(true));
        assert_eq!(dbscan(&case.points, None, &case.params, &cancelled), Err(Cancelled));
        assert_eq!(medoids(&case.points, &labels, Metric::Euclidean, &cancelled), Err(Cancelled));
        let mut points = case.points;
        for scaling in [Scaling::L2, Scaling::ZScore, Scaling::MinMax, Scaling::Robust] {
            assert_eq!(points.scale(scaling, None, &cancelled), Err(InvalidPoints::Cancelled));
        }
        assert_eq!(points.multiply(&vec![2.0; dimension], &cancelled), Err(InvalidPoints::Cancelled));
        let columns = vec![&[1.0][..]; dimension];
        assert_eq!(Points::from_columns(&columns, &cancelled), Err(InvalidPoints::Cancelled));
        let rows = vec![1.0; dimension];
        assert_eq!(Points::from_rows(rows, dimension, &cancelled), Err(InvalidPoints::Cancelled));
    }
    // Two threads would count for minutes across the boundaries of large neighbourhoods.
    let case = uniform(1_000_000, 3, 0.2, 32_500);
    let pool = &ok(rayon::ThreadPoolBuilder::new().num_threads(2).build());
    let cancel = AtomicBool::new(false);
    let (result, waited) = thread::scope(|scope| {
        let run = || (dbscan(&case.points, None, &case.params, &cancel), Instant::now());
        let call = scope.spawn(move || pool.install(run));
        thread::sleep(Duration::from_millis(50));
        cancel.store(true, Ordering::Relaxed);
        let cancelled = Instant::now();
        let (result, returned) = call.join().unwrap_or_else(|_| panic!("the call panicked"));
        (result, returned.duration_since(cancelled))
    });
    assert_eq!(result, Err(Cancelled));
    // It takes some milliseconds where the machine is not busy.
    assert!(waited < Duration::from_secs(10), "{waited:?}");
}

#[test]
fn medoids_of_large_clusters_are_those_of_a_sample() {
    // Two clusters side by side, in turns; the sample of each is every third of its points.
    let len = 3 * MEDOID_EXACT_UP_TO;
    let far = |i: usize| if i.is_multiple_of(2) { 0.0 } else { 9.0 };
    let values: Vec<f64> = noise(4 * len).enumerate().map(|(i, x)| x + far(i / 2)).collect();
    let both =
        Case { points: ok(Points::from_rows(values, 2, &NEVER)), weights: vec![], ..uniform(0, 1, 1.0, 2) };
    let labels = both.labels();
    assert_eq!(labels.clusters(), 2);
    for name in Metric::NAMES {
        let metric = Metric::from_name(name).unwrap_or_default();
        let of = |points: &Points| {
            ok(medoids(points, &ok(dbscan(points, None, &both.params, &NEVER)), metric, &NEVER))
        };
        let expected = [0, 1].map(|cluster| {
            let sample: Vec<f64> =
                (0..len).step_by(3).flat_map(|i| both.points.point(2 * i + cluster).to_vec()).collect();
            2 * 3 * of(&ok(Points::from_rows(sample, 2, &NEVER)))[0] + cluster as u32
        });
        assert_eq!(of(&both.points), expected);
    }
}

#[test]
fn memory_is_linear_and_counts_the_real_sizes() {
    fn sizes<const K: usize>() -> (usize, usize) {
        let padded = [&EUCLIDEAN[..], &OTHERS].map(|compiled| padded(K, compiled));
        assert_eq!(padded, [K, K], "compiled for every padded dimension");
        (size_of::<Item<K>>(), size_of::<Node<K, Euclidean>>())
    }
    for (padded, sizes) in [(2, sizes::<2>()), (3, sizes::<3>()), (8, sizes::<8>()), (64, sizes::<64>())] {
        assert_eq!(sizes, (item_bytes(padded), node_bytes(padded)));
    }
    for name in Metric::NAMES {
        let metric = Metric::from_name(name).unwrap_or_default();
        for dimension in 1..=Points::MAX_DIMENSION {
            let of =
                |points| memory_required(points, dimension, metric) - memory_required(0, dimension, metric);
            assert_eq!(of(3_000_000), 3 * of(1_000_000));
            // Scaling; labels and medoids.
            assert!(of(1000) >= 1000 * (9 + 8 * dimension + 8 + 8 + 8).max(16));
        }
        assert_eq!(memory_required(usize::MAX / 8, 64, metric), usize::MAX, "it saturates");
    }
}
