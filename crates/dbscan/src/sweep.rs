//! Clustering by one feature: points in order need no other index.
//!
//! Rounding is monotone, so in sorted order every point between two neighbours is a neighbour of both. Neighbours
//! are counted in a window that slides over the points, components end where two core points in a row are no
//! neighbours, and a border point's clusters are those of the nearest core points on its two sides.

use std::marker::PhantomData;

use crate::bounds::reduced_distance;
use crate::context::Context;
use crate::error::Cancelled;
use crate::labels::{LabelBuilder, Labels};
use crate::metric::ReducedDistance;
use crate::points::Points;
use crate::select::sort;
use crate::statistics::{Clock, Statistics};
use crate::tree::Item;

/// Clusters points of dimension 1.
pub(crate) fn cluster<D: ReducedDistance>(points: &Points, context: &Context) -> Result<Labels, Cancelled> {
    let (mut statistics, mut clock) = (Statistics::default(), Clock::start());
    let mut cores = Item::<1>::all(points, context)?;
    sort(&mut cores, 0, &context.workers)?;
    statistics.index_time = clock.lap();
    let mut sweep = Sweep { context, distances: 0, metric: PhantomData::<D> };
    let non_core = sweep.split_off_non_core(&mut cores)?;
    statistics.cores_time = clock.lap();
    let mut labels = LabelBuilder::noise(points.len());
    sweep.join(&cores, &labels)?;
    statistics.components_time = clock.lap();
    labels.number_clusters(context)?;
    let borders = sweep.assign_borders(&non_core, &cores, &labels)?;
    statistics.labels_time = clock.lap();
    statistics.distances = sweep.distances;
    Ok(labels.finish(borders, statistics))
}

/// The steps over points in order.
struct Sweep<'a, D> {
    context: &'a Context<'a>,
    /// The distances computed.
    distances: u64,
    metric: PhantomData<D>,
}

impl<D: ReducedDistance> Sweep<'_, D> {
    #[inline]
    fn near(&mut self, a: &Item<1>, b: &Item<1>) -> bool {
        self.distances += 1;
        reduced_distance::<1, D>(&a.at, &b.at) <= self.context.reach
    }

    /// Leaves only the core points in `items` and returns the other points.
    fn split_off_non_core(&mut self, items: &mut Vec<Item<1>>) -> Result<Vec<Item<1>>, Cancelled> {
        let (context, workers) = (self.context, &self.context.workers);
        let mut core = Vec::with_capacity(items.len());
        // The sum of 2^32 weights of 64 bits can't overflow.
        let mut weight = 0_u128;
        let (mut from, mut to) = (0, 0);
        for (position, item) in items.iter().enumerate() {
            workers.check_every(position)?;
            while to < items.len() && self.near(item, &items[to]) {
                workers.check_every(to)?;
                weight += u128::from(items[to].weight(context));
                to += 1;
            }
            while !self.near(&items[from], item) {
                workers.check_every(from)?;
                weight -= u128::from(items[from].weight(context));
                from += 1;
            }
            core.push(weight >= u128::from(context.min_samples));
        }
        let mut non_core = Vec::with_capacity(core.iter().filter(|&&core| !core).count());
        let mut kept = 0;
        for (position, core) in core.into_iter().enumerate() {
            workers.check_every(position)?;
            if core {
                items[kept] = items[position];
                kept += 1;
            } else {
                non_core.push(items[position]);
            }
        }
        items.truncate(kept);
        Ok(non_core)
    }

    /// Makes components of core points in order.
    fn join(&mut self, cores: &[Item<1>], labels: &LabelBuilder) -> Result<(), Cancelled> {
        let mut rest = cores;
        while let Some(start) = rest.first() {
            let (mut first, mut len) = (start.index, 1);
            while len < rest.len() && self.near(&rest[len - 1], &rest[len]) {
                self.context.workers.check_every(len)?;
                first = first.min(rest[len].index);
                len += 1;
            }
            let (component, behind) = rest.split_at(len);
            for (i, item) in component.iter().enumerate() {
                self.context.workers.check_every(i)?;
                labels.set_core(item.index, first);
            }
            rest = behind;
        }
        Ok(())
    }

    /// Gives the other points near core points their clusters; returns how many there are.
    fn assign_borders(
        &mut self,
        non_core: &[Item<1>],
        cores: &[Item<1>],
        labels: &LabelBuilder,
    ) -> Result<usize, Cancelled> {
        let mut borders = 0;
        for (i, other) in non_core.iter().enumerate() {
            self.context.workers.check_every(i)?;
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
