//! One feature: points in order need no other index.
//!
//! Rounding is monotone, so in sorted order whatever lies between two neighbours is a neighbour of both. Neighbours
//! are counted in a window that slides over the points, components end where two core points in a row are no
//! neighbours, and a border point's clusters are those of the nearest core points on its two sides.

use super::labels::{Draft, Labels};
use super::metric::ReducedDistance;
use super::points::Points;
use super::select::sort;
use super::tree::{Item, reduced_distance};
use super::{Cancelled, Run};

/// Clusters points of dimension 1.
pub(super) fn cluster<D: ReducedDistance>(points: &Points, run: &Run) -> Result<Labels, Cancelled> {
    let mut cores = Item::<1>::all(points, run)?;
    sort(&mut cores, 0, run)?;
    let others = split_off_others::<D>(&mut cores, run)?;
    let mut labels = Draft::noise(points.len());
    for component in cores.chunk_by(|a, b| near::<D>(a, b, run)) {
        let first = component.iter().fold(u32::MAX, |first, item| first.min(item.index));
        for (i, item) in component.iter().enumerate() {
            run.check_every(i)?;
            labels.set_core(item.index, first);
        }
    }
    labels.number_clusters(run)?;
    for (i, other) in others.iter().enumerate() {
        run.check_every(i)?;
        let right = cores.partition_point(|core| core.at[0] < other.at[0]);
        let sides = cores[right.saturating_sub(1)..].iter().take(2);
        let clusters =
            sides.filter(|core| near::<D>(core, other, run)).map(|core| labels.cluster(core.index));
        if let Some(lowest) = clusters.min() {
            labels.set_border(other.index, lowest);
        }
    }
    Ok(labels.finish())
}

#[inline]
fn near<D: ReducedDistance>(a: &Item<1>, b: &Item<1>, run: &Run) -> bool {
    reduced_distance::<1, D>(&a.at, &b.at) <= run.reach
}

/// Leaves only the core points in `items`, which are sorted, and returns the other points.
fn split_off_others<D: ReducedDistance>(
    items: &mut Vec<Item<1>>,
    run: &Run,
) -> Result<Vec<Item<1>>, Cancelled> {
    let mut core = Vec::with_capacity(items.len());
    // The sum of 2^32 weights of 64 bits can't overflow.
    let mut weight = 0_u128;
    let (mut from, mut to) = (0, 0);
    for (position, item) in items.iter().enumerate() {
        run.check_every(position)?;
        while to < items.len() && near::<D>(item, &items[to], run) {
            run.check_every(to)?;
            weight += u128::from(items[to].weight(run));
            to += 1;
        }
        while !near::<D>(&items[from], item, run) {
            run.check_every(from)?;
            weight -= u128::from(items[from].weight(run));
            from += 1;
        }
        core.push(weight >= u128::from(run.min_samples));
    }
    let mut others = Vec::with_capacity(core.iter().filter(|&&core| !core).count());
    let mut core = core.into_iter();
    others.extend(items.extract_if(.., |_| core.next() == Some(false)));
    Ok(others)
}
