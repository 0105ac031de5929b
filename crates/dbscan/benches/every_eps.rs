//! Every eps at once beside one `dbscan`, and the nearest core point beside rstar's.
//!
//! `cargo bench --bench every_eps` runs all; a word behind `--` runs one group. Read ratios within a run, not times across
//! runs.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dbcluster_dbscan::{
    Control, Cores, Labels, Metric, NearestCore, Params, Points, dbscan, dbscan_each, hierarchy,
};
use rstar::{AABB, PointDistance, RTree, RTreeObject};

/// Blobs of 500 points in the unit cube with 2 % noise, row by row.
fn blobs(points: usize, dimension: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(7);
    let centres: Vec<f64> = (0..points.div_ceil(500) * dimension).map(|_| random.f64()).collect();
    let mut values = Vec::with_capacity(points * dimension);
    for point in 0..points {
        let centre = random.usize(..centres.len() / dimension) * dimension;
        for feature in 0..dimension {
            let spread = (random.f64() + random.f64() + random.f64() - 1.5) * 0.01;
            let near = centres[centre + feature] + spread;
            values.push(if point % 50 == 0 { random.f64() } else { near });
        }
    }
    values
}

fn points(values: Vec<f64>, dimension: usize) -> Points {
    Points::from_rows(values, dimension).expect("finite rows of one length")
}

/// About the distance to the 30th neighbour inside a blob.
fn middle_eps(dimension: usize) -> f64 {
    0.01 * (30.0_f64 / 500.0).powf(1.0 / dimension as f64)
}

const CASES: [(usize, usize, u64); 5] =
    [(100_000, 2, 2), (100_000, 2, 5), (100_000, 3, 2), (100_000, 3, 5), (20_000, 8, 2)];

/// The hierarchy, its levels and 32 eps, each beside one clustering of the same points.
fn bench_every_eps(c: &mut Criterion) {
    let mut group = c.benchmark_group("every eps");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    let control = Control::default();
    for (len, dimension, min_samples) in CASES {
        let blobs = points(blobs(len, dimension), dimension);
        let case = format!("m={len},k={dimension},min_samples={min_samples}");
        let params = Params::try_new(middle_eps(dimension), min_samples).expect("valid parameters");
        group.bench_function(BenchmarkId::new("dbscan", &case), |b| {
            b.iter(|| dbscan(black_box(&blobs), &params));
        });
        // From where almost all is noise to where almost all is one cluster.
        let list: Vec<f64> = (0..32).map(|i| params.eps() * 1.25_f64.powi(i - 16)).collect();
        group.bench_function(BenchmarkId::new("dbscan_each of 32", &case), |b| {
            b.iter(|| {
                let mut clusters = 0;
                let visit = |_: usize, labels: &Labels| clusters += labels.clusters();
                dbscan_each(black_box(&blobs), &list, min_samples, params.metric(), &control, visit)
                    .expect("a list of eps above 0");
                clusters
            });
        });
        group.bench_function(BenchmarkId::new("hierarchy", &case), |b| {
            b.iter(|| hierarchy(black_box(&blobs), min_samples, params.metric()));
        });
        let every_eps = hierarchy(&blobs, min_samples, params.metric()).expect("min_samples above 0");
        group.bench_function(BenchmarkId::new("levels", &case), |b| {
            b.iter(|| every_eps.levels(black_box(&blobs), &control).expect("levels").count());
        });
    }
    group.finish();
}

/// A core point in rstar's tree, which has its own boxes here: they measure distances as the core does, Euclidean and squared.
struct Core<const K: usize> {
    at: [f64; K],
    cluster: i64,
    point: usize,
}

impl<const K: usize> RTreeObject for Core<K> {
    type Envelope = AABB<[f64; K]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_point(self.at)
    }
}

impl<const K: usize> PointDistance for Core<K> {
    fn distance_2(&self, place: &[f64; K]) -> f64 {
        self.at.iter().zip(place).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b))
    }

    fn distance_2_if_less_or_equal(&self, place: &[f64; K], most: f64) -> Option<f64> {
        Some(self.distance_2(place)).filter(|&distance| distance <= most)
    }
}

fn rtree<const K: usize>(points: &Points, labels: &Labels) -> RTree<Core<K>> {
    let core = |i: usize| {
        let mut at = [0.0; K];
        at.copy_from_slice(points.point(i));
        Core { at, cluster: labels.cluster(i), point: i }
    };
    RTree::bulk_load((0..points.len()).filter(|&i| labels.is_core(i)).map(core).collect())
}

/// The cluster and the number of the nearest core point: of several the lowest cluster, then the first point.
fn nearest_in_rtree<const K: usize>(cores: &RTree<Core<K>>, place: &[f64; K]) -> Option<(i64, usize)> {
    let mut nearest = cores.nearest_neighbor_iter_with_distance_2(*place).peekable();
    let &(_, least) = nearest.peek()?;
    nearest.take_while(|&(_, distance)| distance <= least).map(|(core, _)| (core.cluster, core.point)).min()
}

fn bench_nearest_of<const K: usize>(c: &mut Criterion, name: &str, values: Vec<f64>, places: &[[f64; K]]) {
    let mut group = c.benchmark_group(format!("nearest,{name}"));
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    let points = points(values, K);
    let params = Params::try_new(middle_eps(K), 1).expect("valid parameters");
    let labels = dbscan(&points, &params);
    // rstar builds its tree on one thread.
    let control = Control::default().on_one_thread();
    let index = || Cores::new(black_box(&points), &labels, Metric::Euclidean, &control);
    let cores = index().expect("an index");
    let of_rstar = rtree::<K>(&points, &labels);
    let number = |nearest: NearestCore| (nearest.cluster, nearest.point);
    for place in places {
        assert_eq!(cores.nearest(place).map(number), nearest_in_rtree(&of_rstar, place));
    }
    group.bench_function("index: Cores", |b| b.iter(index));
    group.bench_function("index: rstar", |b| b.iter(|| rtree::<K>(black_box(&points), &labels)));
    group.bench_function("1,000 places: Cores", |b| {
        b.iter(|| places.iter().filter_map(|place| cores.nearest(black_box(place))).count());
    });
    group.bench_function("1,000 places: rstar", |b| {
        b.iter(|| places.iter().filter_map(|place| nearest_in_rtree(&of_rstar, black_box(place))).count());
    });
    group.finish();
}

/// Places anywhere in the unit cube.
fn anywhere<const K: usize>() -> Vec<[f64; K]> {
    let mut random = fastrand::Rng::with_seed(8);
    (0..1000).map(|_| std::array::from_fn(|_| random.f64())).collect()
}

/// All points are core, so that both trees hold the same number of them in each dimension.
fn bench_nearest(c: &mut Criterion) {
    bench_nearest_of::<2>(c, "m=100000,k=2", blobs(100_000, 2), &anywhere());
    bench_nearest_of::<3>(c, "m=100000,k=3", blobs(100_000, 3), &anywhere());
    bench_nearest_of::<8>(c, "m=20000,k=8", blobs(20_000, 8), &anywhere());
    bench_nearest_of::<64>(c, "m=2000,k=64", blobs(2_000, 64), &anywhere());
    // Ten points at each place of a lattice, and places halfway between four of them: ties of forty.
    let lattice: Vec<f64> = (0..100_000).flat_map(|i| [i / 10 % 100, i / 1000]).map(f64::from).collect();
    let halfway: Vec<[f64; 2]> =
        anywhere::<2>().into_iter().map(|place| place.map(|x| (x * 99.0).floor() + 0.5)).collect();
    bench_nearest_of::<2>(c, "ties,m=100000,k=2", lattice, &halfway);
}

criterion_group!(benches, bench_every_eps, bench_nearest);
criterion_main!(benches);
