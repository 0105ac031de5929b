//! The index of core points beside rstar's `RTree`, which is other code for the same questions.
//!
//! Its boxes and distances are those of `bounds`, so that both have one definition of a distance in every metric. It gives
//! points of one distance in any order; so it is read to the end of the tie.

use std::fmt;

use proptest::prelude::*;
use rstar::{Envelope, PointDistance, RTree, RTreeObject};

use super::*;
use crate::bounds::Bounds;
use crate::tests::{coordinates, noise, ok, parallel};
use crate::{Params, dbscan};

/// A box of the core as one of rstar's.
#[derive(Clone, Copy)]
struct Around<const K: usize, D>(Bounds<K, D>);

impl<const K: usize, D: ReducedDistance> Around<K, D> {
    fn widths(&self) -> impl Iterator<Item = f64> {
        self.0.low.iter().zip(&self.0.high).map(|(low, high)| (high - low).max(0.0))
    }

    fn by_low<T: RTreeObject<Envelope = Self>>(axis: usize) -> impl Fn(&T, &T) -> std::cmp::Ordering {
        move |a, b| a.envelope().0.low[axis].total_cmp(&b.envelope().0.low[axis])
    }
}

impl<const K: usize, D: ReducedDistance> PartialEq for Around<K, D> {
    fn eq(&self, other: &Self) -> bool {
        self.0.low == other.0.low && self.0.high == other.0.high
    }
}

impl<const K: usize, D: ReducedDistance> fmt::Debug for Around<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} to {:?}", self.0.low, self.0.high)
    }
}

impl<const K: usize, D: ReducedDistance> Envelope for Around<K, D> {
    type Point = [f64; K];

    fn new_empty() -> Self {
        Self(Bounds::EMPTY)
    }

    fn contains_point(&self, point: &[f64; K]) -> bool {
        (0..K).all(|j| self.0.low[j] <= point[j] && point[j] <= self.0.high[j])
    }

    fn contains_envelope(&self, other: &Self) -> bool {
        self.contains_point(&other.0.low) && self.contains_point(&other.0.high)
    }

    fn merge(&mut self, other: &Self) {
        self.0.include(&other.0.low, &other.0.high);
    }

    fn merged(&self, other: &Self) -> Self {
        let mut merged = *self;
        merged.merge(other);
        merged
    }

    fn intersects(&self, other: &Self) -> bool {
        (0..K).all(|j| self.0.low[j] <= other.0.high[j] && other.0.low[j] <= self.0.high[j])
    }

    fn intersection_area(&self, other: &Self) -> f64 {
        let mut both = *self;
        for j in 0..K {
            both.0.low[j] = both.0.low[j].max(other.0.low[j]);
            both.0.high[j] = both.0.high[j].min(other.0.high[j]);
        }
        both.area()
    }

    fn area(&self) -> f64 {
        self.widths().product()
    }

    fn distance_2(&self, point: &[f64; K]) -> f64 {
        self.0.least_to(point)
    }

    /// No point of the box is beyond it, so the nearest one is not.
    fn min_max_dist_2(&self, point: &[f64; K]) -> f64 {
        self.0.most_to(point)
    }

    fn center(&self) -> [f64; K] {
        std::array::from_fn(|j| self.0.low[j].midpoint(self.0.high[j]))
    }

    fn perimeter_value(&self) -> f64 {
        self.widths().sum()
    }

    fn sort_envelopes<T: RTreeObject<Envelope = Self>>(axis: usize, envelopes: &mut [T]) {
        envelopes.sort_unstable_by(Self::by_low(axis));
    }

    fn partition_envelopes<T: RTreeObject<Envelope = Self>>(axis: usize, envelopes: &mut [T], rank: usize) {
        envelopes.select_nth_unstable_by(rank, Self::by_low(axis));
    }
}

/// A core point as one of rstar's objects.
struct Core<const K: usize, D> {
    around: Around<K, D>,
    cluster: i64,
    point: usize,
}

impl<const K: usize, D: ReducedDistance> RTreeObject for Core<K, D> {
    type Envelope = Around<K, D>;

    fn envelope(&self) -> Self::Envelope {
        self.around
    }
}

impl<const K: usize, D: ReducedDistance> PointDistance for Core<K, D> {
    fn distance_2(&self, point: &[f64; K]) -> f64 {
        reduced_distance::<K, D>(&self.around.0.low, point)
    }
}

impl<const K: usize, D: ReducedDistance> Index for RTree<Core<K, D>> {
    fn nearest(&self, place: &[f64]) -> Option<NearestCore> {
        let at = TreeIndex::<K, D>::at(place)?;
        let mut nearest = self.nearest_neighbor_iter_with_distance_2(at).peekable();
        let &(_, least) = nearest.peek()?;
        let tie = nearest.take_while(|&(_, distance)| distance <= least).map(|(core, _)| core);
        let first = tie.min_by_key(|core| (core.cluster, core.point))?;
        Some(NearestCore { point: first.point, cluster: first.cluster, eps: least_eps::<D>(least) })
    }

    fn lowest_within(&self, place: &[f64], eps: f64) -> Option<i64> {
        let at = TreeIndex::<K, D>::at(place)?;
        self.locate_within_distance(at, D::reach(eps)).map(|core| core.cluster).min()
    }
}

struct BuildRtree<'a> {
    points: &'a Points,
    labels: &'a Labels,
}

impl Computation for BuildRtree<'_> {
    type Output = Box<dyn Index>;

    fn run<const K: usize, D: ReducedDistance>(self) -> Self::Output {
        let Self { points, labels } = self;
        let core = |i: usize| {
            let at = TreeIndex::<K, D>::at(points.point(i)).unwrap_or([f64::NAN; K]);
            let mut bounds = Bounds::<K, D>::EMPTY;
            bounds.include(&at, &at);
            Core { around: Around(bounds), cluster: labels.cluster(i), point: i }
        };
        let cores = (0..points.len()).filter(|&i| labels.is_core(i)).map(core).collect();
        Box::new(RTree::bulk_load(cores))
    }
}

/// The first points, and places halfway between each of them and another one.
fn first_places(points: &Points, count: usize) -> Vec<f64> {
    let halfway = |i: usize| {
        let ends = points.point(i).iter().zip(points.point(i * 7 % points.len()));
        ends.map(|(a, b)| a.midpoint(*b)).collect::<Vec<f64>>()
    };
    let points = (0..count).flat_map(|i| points.point(i).to_vec());
    points.chain((0..count).flat_map(halfway)).collect()
}

/// Asserts that both give the same answers at these places, given row by row.
fn same_answers(points: &Points, params: &Params, places: &[f64]) {
    let labels = dbscan(points, params);
    let dimension = points.dimension();
    let cores = ok(Cores::new(points, &labels, params.metric(), &parallel()));
    let rtree = dimension::compute(BuildRtree { points, labels: &labels }, dimension, params.metric());
    for place in places.chunks_exact(dimension) {
        assert_eq!(cores.nearest(place), rtree.nearest(place), "nearest to {place:?}");
        for eps in [params.eps(), 3.0 * params.eps()] {
            let lowest = cores.lowest_within(place, eps);
            assert_eq!(lowest, rtree.lowest_within(place, eps), "within {eps} of {place:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lattices have ties, and equal points come often; some distances overflow.
    #[test]
    fn nearest_cores_are_those_of_rstar(
        (dimension, values, places) in (prop_oneof![20 => 1..=8_usize, 2 => Just(16), 1 => 9..=Points::MAX_DIMENSION], 1..160_usize)
            .prop_flat_map(|(k, len)| (Just(k), coordinates(len, k), coordinates(8, k))),
        eps in prop::sample::select(vec![0.05, 0.1, 0.1 * 3.0, 0.5, 1.0, 3.0, 1e-200, 1e200]),
        min_samples in 1..=4_u64,
        metric in prop::sample::select(Metric::ALL),
    ) {
        let points = ok(Points::from_rows(values, dimension));
        let places = [first_places(&points, points.len()), places].concat();
        same_answers(&points, &ok(Params::try_new(eps, min_samples)).with_metric(metric), &places);
    }
}

/// Deep trees of both, on a lattice with some 3 points at each place, and without ties.
#[test]
fn nearest_of_many_cores_are_those_of_rstar() {
    const LEN: usize = 12_000;
    for (dimension, steps, eps) in [(1, 4000.0, 1.0), (2, 64.0, 1.0), (3, 16.0, 1.0), (8, 2.5, 1.0)] {
        for &metric in Metric::ALL {
            let params = ok(Params::try_new(eps, 5)).with_metric(metric);
            let reals: Vec<f64> = noise(LEN * dimension).map(|value| value * steps).collect();
            let lattice = reals.iter().map(|value| value.floor()).collect();
            for values in [lattice, reals.clone()] {
                let points = ok(Points::from_rows(values, dimension));
                let places = [&first_places(&points, 30)[..], &reals[..30 * dimension]].concat();
                same_answers(&points, &params, &places);
            }
        }
    }
}
