//! Textbook versions that compare all pairs, written down from the definitions. The fast ones must equal them.

use crate::labels::PointType;
use crate::{Labels, Metric, Params, Points};

/// The cluster and the point type of each point.
pub(crate) type Expected = Vec<(i64, PointType)>;

fn neighbours(points: &Points, params: &Params, i: usize) -> Vec<usize> {
    let differences = |j: usize| points.point(i).iter().zip(points.point(j)).map(|(a, b)| (a - b).abs());
    let eps = params.eps();
    let near = |j: &usize| match params.metric() {
        Metric::Euclidean => differences(*j).fold(0.0, |sum, d| sum + d * d) <= eps * eps,
        Metric::Manhattan => differences(*j).fold(0.0, |sum, d| sum + d) <= eps,
        Metric::Chebyshev => differences(*j).all(|d| d <= eps),
    };
    (0..points.len()).filter(near).collect()
}

fn is_core(points: &Points, params: &Params, i: usize) -> bool {
    let weight: u128 = neighbours(points, params, i).into_iter().map(|j| u128::from(points.weight(j))).sum();
    weight >= u128::from(params.min_samples())
}

/// The definition: components of the core points, numbered by their least member; a border point's is the least.
pub(crate) fn by_definition(points: &Points, params: &Params) -> Expected {
    let near: Vec<Vec<usize>> = (0..points.len()).map(|i| neighbours(points, params, i)).collect();
    let core: Vec<bool> = (0..points.len()).map(|i| is_core(points, params, i)).collect();
    // The least core point of the component: spread the minimum until nothing changes.
    let mut least: Vec<usize> = (0..points.len()).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for i in (0..points.len()).filter(|&i| core[i]) {
            for &j in near[i].iter().filter(|&&j| core[j]) {
                changed |= least[j] < least[i];
                least[i] = least[i].min(least[j]);
            }
        }
    }
    let mut numbers: Vec<usize> = (0..points.len()).filter(|&i| core[i]).map(|i| least[i]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let number = |i: usize| numbers.binary_search(&least[i]).map_or(-1, |number| number as i64);
    let label = |i: usize| match near[i].iter().filter(|&&j| core[j]).map(|&j| number(j)).min() {
        _ if core[i] => (number(i), PointType::Core),
        Some(border) => (border, PointType::Border),
        None => (-1, PointType::Noise),
    };
    (0..points.len()).map(label).collect()
}

/// The way of scikit-learn's `dbscan_inner`: go through the points in order, and from each core point without a label
/// grow one cluster, depth first; the first cluster that reaches a border point labels it.
pub(crate) fn by_growing(points: &Points, params: &Params) -> Expected {
    let mut labels = vec![-1; points.len()];
    let mut next = 0;
    for start in 0..points.len() {
        if labels[start] != -1 || !is_core(points, params, start) {
            continue;
        }
        let mut stack = vec![start];
        while let Some(i) = stack.pop() {
            if labels[i] != -1 {
                continue;
            }
            labels[i] = next;
            if is_core(points, params, i) {
                stack.extend(neighbours(points, params, i).into_iter().filter(|&j| labels[j] == -1));
            }
        }
        next += 1;
    }
    let kind = |i: usize| match labels[i] {
        _ if is_core(points, params, i) => PointType::Core,
        -1 => PointType::Noise,
        _ => PointType::Border,
    };
    (0..points.len()).map(|i| (labels[i], kind(i))).collect()
}

/// Per cluster the first point whose distances to all points of the cluster have the least sum.
pub(crate) fn medoids(points: &Points, labels: &Labels, metric: Metric) -> Vec<u32> {
    let distance = |i: usize, j: usize| {
        let differences = points.point(i).iter().zip(points.point(j)).map(|(a, b)| (a - b).abs());
        match metric {
            Metric::Euclidean => differences.fold(0.0, |sum, d| sum + d * d).sqrt(),
            Metric::Manhattan => differences.fold(0.0, |sum, d| sum + d),
            Metric::Chebyshev => differences.fold(0.0, f64::max),
        }
    };
    let medoid = |cluster: usize| {
        let members = || (0..points.len()).filter(|&i| labels.cluster(i) == cluster as i64);
        let sum = |i: usize| members().fold(0.0, |sum, j| sum + distance(i, j));
        // Of equal ones `min_by` takes the first.
        members().min_by(|&i, &j| sum(i).total_cmp(&sum(j))).unwrap_or(usize::MAX) as u32
    };
    (0..labels.clusters()).map(medoid).collect()
}

/// The reduced distance of two points.
pub(crate) fn reduced(points: &Points, metric: Metric, i: usize, j: usize) -> f64 {
    let differences = points.point(i).iter().zip(points.point(j)).map(|(a, b)| (a - b).abs());
    match metric {
        Metric::Euclidean => differences.fold(0.0, |sum, d| sum + d * d),
        Metric::Manhattan => differences.fold(0.0, |sum, d| sum + d),
        Metric::Chebyshev => differences.fold(0.0, f64::max),
    }
}

/// core(p) of each point: the smallest reduced distance within which its neighbours weigh `min_samples`.
pub(crate) fn core_distances(points: &Points, min_samples: u64, metric: Metric) -> Vec<Option<f64>> {
    let of = |i: usize| {
        let distance = |j: usize| reduced(points, metric, i, j);
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        let mut weight = 0_u128;
        let enough = order.into_iter().find(|&j| {
            weight += u128::from(points.weight(j));
            weight >= u128::from(min_samples)
        });
        enough.map(distance)
    };
    (0..points.len()).map(of).collect()
}

/// near(p) of each point: the least max(core(q), d(p, q)) over all other points q.
pub(crate) fn near_distances(points: &Points, core: &[Option<f64>], metric: Metric) -> Vec<Option<f64>> {
    let of = |i: usize| {
        let others = (0..points.len()).filter(|&j| j != i);
        let distances = others.filter_map(|j| core[j].map(|core| core.max(reduced(points, metric, i, j))));
        distances.min_by(f64::total_cmp)
    };
    (0..points.len()).map(of).collect()
}
