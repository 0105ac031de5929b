//! One feature: points in order need no other index.
//!
//! Rounding is monotone, so in sorted order whatever lies between two neighbours is a neighbour of both. Neighbours
//! are counted in a window that slides over the points, components end where two core points in a row are no
//! neighbours, and a border point's clusters are those of the nearest core points on its two sides.

use std::marker::PhantomData;

use super::bounds::reduced_distance;
use super::labels::{Draft, Labels};
use super::metric::ReducedDistance;
use super::points::Points;
use super::select::sort;
use super::statistics::{Clock, Statistics};
use super::tree::Item;
use super::{Cancelled, Run};

/// Clusters points of dimension 1.
pub(super) fn cluster<D: ReducedDistance>(points: &Points, run: &Run) -> Result<Labels, Cancelled> {
    let (mut statistics, mut clock) = (Statistics::default(), Clock::start());
    let mut cores = Item::<1>::all(points, run)?;
    sort(&mut cores, 0, &run.workers)?;
    statistics.index_time = clock.lap();
    let mut sweep = Sweep { run, distances: 0, metric: PhantomData::<D> };
    let others = sweep.split_off_others(&mut cores)?;
    statistics.cores_time = clock.lap();
    let mut labels = Draft::noise(points.len());
    sweep.join(&cores, &labels)?;
    statistics.components_time = clock.lap();
    labels.number_clusters(run)?;
    let borders = sweep.assign_borders(&others, &cores, &labels)?;
    statistics.labels_time = clock.lap();
    statistics.distances = sweep.distances;
    Ok(labels.finish(borders, statistics))
}

/// The steps over points in order.
struct Sweep<'a, D> {
    run: &'a Run<'a>,
    /// How many were computed.
    distances: u64,
    metric: PhantomData<D>,
}

impl<D: ReducedDistance> Sweep<'_, D> {
    #[inline]
    fn near(&mut self, a: &Item<1>, b: &Item<1>) -> bool {
        self.distances += 1;
        reduced_distance::<1, D>(&a.at, &b.at) <= self.run.reach
    }

    /// Leaves only the core points in `items` and returns the other points.
    fn split_off_others(&mut self, items: &mut Vec<Item<1>>) -> Result<Vec<Item<1>>, Cancelled> {
        let (run, workers) = (self.run, &self.run.workers);
        let mut core = Vec::with_capacity(items.len());
        // The sum of 2^32 weights of 64 bits can't overflow.
        let mut weight = 0_u128;
        let (mut from, mut to) = (0, 0);
        for (position, item) in items.iter().enumerate() {
            workers.check_every(position)?;
            while to < items.len() && self.near(item, &items[to]) {
                workers.check_every(to)?;
                weight += u128::from(items[to].weight(run));
                to += 1;
            }
            while !self.near(&items[from], item) {
                workers.check_every(from)?;
                weight -= u128::from(items[from].weight(run));
                from += 1;
            }
            core.push(weight >= u128::from(run.min_samples));
        }
        let mut others = Vec::with_capacity(core.iter().filter(|&&core| !core).count());
        let mut kept = 0;
        for (position, core) in core.into_iter().enumerate() {
            workers.check_every(position)?;
            if core {
                items[kept] = items[position];
                kept += 1;
            } else {
                others.push(items[position]);
            }
        }
        items.truncate(kept);
        Ok(others)
    }

    /// Makes components of core points in order.
    fn join(&mut self, cores: &[Item<1>], labels: &Draft) -> Result<(), Cancelled> {
        let mut rest = cores;
        while let Some(start) = rest.first() {
            let (mut first, mut len) = (start.index, 1);
            while len < rest.len() && self.near(&rest[len - 1], &rest[len]) {
                self.run.workers.check_every(len)?;
                first = first.min(rest[len].index);
                len += 1;
            }
            let (component, behind) = rest.split_at(len);
            for (i, item) in component.iter().enumerate() {
                self.run.workers.check_every(i)?;
                labels.set_core(item.index, first);
            }
            rest = behind;
        }
        Ok(())
    }

    /// Gives the other points near core points their clusters; returns how many there are.
    fn assign_borders(
        &mut self,
        others: &[Item<1>],
        cores: &[Item<1>],
        labels: &Draft,
    ) -> Result<usize, Cancelled> {
        let mut borders = 0;
        for (i, other) in others.iter().enumerate() {
            self.run.workers.check_every(i)?;
            let right = cores.partition_point(|core| core.at[0] < other.at[0]);
            let sides = cores[right.saturating_sub(1)..].iter().take(2);
            let near = sides.filter(|core| self.near(core, other));
            if let Some(lowest) = near.map(|core| labels.cluster(core.index)).min() {
                labels.set_border(other.index, lowest);
                borders += 1;
            }
        }
        Ok(borders)
    }
}
