//! The bounds of memory beside the bytes that are really allocated.
//!
//! This file has one test: another one on a thread beside it would allocate as well.

use std::fmt::Display;

use dbcluster_dbscan::{
    Control, Cores, Labels, Metric, Params, Points, dbscan, dbscan_each, hierarchy, hierarchy_memory_required,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// The most bytes that are allocated at once during a call, beside those before it.
fn peak_of<T>(call: impl FnOnce() -> T) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let result = call();
    let peak = ALLOCATED.peak_usage() - before;
    drop(result);
    peak
}

fn ok<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// The sets of one dimension: random ones, the same on a lattice, equal ones, and random ones of different weights.
fn sets(len: usize, dimension: usize) -> [(&'static str, Points); 4] {
    let mut random = fastrand::Rng::with_seed(17);
    let reals: Vec<f64> = (0..len * dimension).map(|_| random.f64()).collect();
    let lattice = reals.iter().map(|value| (value * 9.0).floor()).collect();
    let weights = (0..len).map(|_| random.u64(1..40)).collect();
    let points = |values| ok(Points::from_rows(values, dimension));
    [
        ("random", points(reals.clone())),
        ("lattice", points(lattice)),
        ("equal", points(vec![1.5; len * dimension])),
        ("weighted", ok(points(reals).with_weights(weights))),
    ]
}

/// Features and points. A map for 14,400 points has room for twice as many.
const SIZES: [(usize, usize); 5] = [(1, 14_400), (2, 14_400), (3, 20_000), (8, 5_000), (20, 1_000)];

#[test]
fn no_call_allocates_more_than_its_bound() {
    const THREADS: usize = 2;
    let pool = ok(rayon::ThreadPoolBuilder::new().num_threads(THREADS).build());
    let control = Control::default();
    let mut most = 0.0_f64;
    pool.install(|| {
        for (dimension, len) in SIZES {
            for (name, points) in sets(len, dimension) {
                for min_samples in [1, 2, 5, 100] {
                    let bound = hierarchy_memory_required(len, dimension, min_samples, THREADS);
                    let mut check = |call: &str, peak: usize| {
                        let case =
                            format!("{name}, {len} points, {dimension} features, min_samples {min_samples}");
                        assert!(peak <= bound, "{call} took {peak} bytes, bound {bound}: {case}");
                        most = most.max(peak as f64 / bound as f64);
                    };
                    let metric = Metric::Euclidean;
                    check(
                        "hierarchy and levels",
                        peak_of(|| {
                            let every_eps = ok(hierarchy(&points, min_samples, metric));
                            ok(every_eps.levels(&points, &control)).count()
                        }),
                    );
                    let beside =
                        || (hierarchy(&points, min_samples, metric), points.heaviest_equal(&control));
                    check("hierarchy and heaviest_equal", peak_of(beside));
                    let list = [0.001, 0.01, 0.05, 0.2, 1.0, 5.0];
                    let visit = |_: usize, labels: &Labels| assert_eq!(labels.len(), len);
                    check(
                        "dbscan_each",
                        peak_of(|| ok(dbscan_each(&points, &list, min_samples, metric, &control, visit))),
                    );
                    let labels = dbscan(&points, &ok(Params::try_new(0.05, min_samples)));
                    check("Cores", peak_of(|| ok(Cores::new(&points, &labels, metric, &control))));
                }
            }
        }
    });
    assert!(most > 0.6, "the bounds are far above what is allocated: {most}");
}
