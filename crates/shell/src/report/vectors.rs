//! The places of a page: distinct vectors, and what the core says of each at every eps.

use std::collections::HashMap;

use datafusion::common::runtime::SpawnedTask;
use datafusion_dbcluster::dbscan::{Error, Metric, Params, Points, Scaling, dbscan, hierarchy};
use dbcluster_figures::{Levels, Place};

use crate::failure::Failure;

/// The way in which vectors are compared.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) eps: f64,
    pub(super) min_samples: u64,
    pub(super) scaling: Scaling,
    pub(super) metric: Metric,
    pub(super) weights: Vec<f64>,
}

/// Events whose features have the same bits in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    partition: u32,
    bits: Vec<u64>,
}

impl Key {
    pub(super) fn new(partition: u32, features: &[f64]) -> Self {
        // Adding 0 makes 0 of -0, as in all features.
        Self { partition, bits: features.iter().map(|value| (value + 0.0).to_bits()).collect() }
    }
}

/// Places in the making.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) all: Vec<Place>,
    by_key: HashMap<Key, usize>,
}

impl Places {
    /// The place of some features, which is made if it is new.
    pub(super) fn of(&mut self, partition: u32, features: &[f64]) -> usize {
        let next = self.all.len();
        let all = &mut self.all;
        *self.by_key.entry(Key::new(partition, features)).or_insert_with(|| {
            all.push(Place { features: features.to_vec(), partition, ..Place::default() });
            next
        })
    }

    /// The place of some features, if there is one.
    pub(super) fn find(&self, partition: u32, features: &[f64]) -> Option<usize> {
        self.by_key.get(&Key::new(partition, features)).copied()
    }

    /// Puts the places in canonical order: by partition, then time, then features. Returns the new position of each.
    pub(super) fn sort(&mut self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        let time = |place: &Place| place.times.map_or(i64::MAX, |(first, _)| first);
        order.sort_by(|&a, &b| {
            let (Some(a), Some(b)) = (self.all.get(a), self.all.get(b)) else { return a.cmp(&b) };
            let features = a.features.iter().zip(&b.features);
            let by_features = features.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
            (a.partition, time(a))
                .cmp(&(b.partition, time(b)))
                .then(by_features.unwrap_or(std::cmp::Ordering::Equal))
        });
        let mut positions = vec![0; order.len()];
        let mut sorted = Vec::with_capacity(order.len());
        for (new, old) in order.into_iter().enumerate() {
            if let (Some(position), Some(place)) = (positions.get_mut(old), self.all.get_mut(old)) {
                *position = new as u32;
                sorted.push(std::mem::take(place));
            }
        }
        self.all = sorted;
        for position in self.by_key.values_mut() {
            *position = positions.get(*position).map_or(*position, |new| *new as usize);
        }
        positions
    }
}

/// The vectors of one partition, which are a range of the places.
fn partitions(places: &[Place]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = vec![];
    let mut start = 0;
    for at in 1..=places.len() {
        let is_end =
            places.get(at).map(|place| place.partition) != places.get(start).map(|place| place.partition);
        if is_end {
            ranges.push(start..at);
            start = at;
        }
    }
    ranges
}

/// Tells of each place what the hierarchy says. The places are sorted.
pub(super) async fn add_levels(
    mut places: Vec<Place>,
    comparison: Comparison,
) -> Result<Vec<Place>, Failure> {
    let work = move || -> Result<Vec<Place>, Error> {
        for range in partitions(&places) {
            let offset = range.start;
            let Some(places) = places.get_mut(range) else { continue };
            let points = points(places, &comparison)?;
            let hierarchy = hierarchy(&points, comparison.min_samples, comparison.metric)?;
            let or_never = |eps: Option<f64>| eps.unwrap_or(f64::INFINITY);
            for (at, place) in places.iter_mut().enumerate() {
                let (merged, into) = hierarchy.merge(at).unwrap_or((f64::INFINITY, 0));
                place.levels = Levels {
                    core: or_never(hierarchy.core_eps(at)),
                    near: or_never(hierarchy.near_eps(at)),
                    merged,
                    into: (offset + into) as u32,
                };
                // The page scales a vector by its length itself, and needs no more than that if there is no border.
                let is_plain = matches!(comparison.scaling, Scaling::L2 | Scaling::None)
                    && comparison.weights.is_empty();
                if comparison.min_samples > 2 || !is_plain {
                    place.scaled = points.point(at).to_vec();
                }
            }
        }
        Ok(places)
    };
    run(work).await
}

/// The label of each place at the eps, -1 for noise. The places are sorted.
pub(super) async fn labels(
    places: Vec<Place>,
    comparison: Comparison,
) -> Result<(Vec<Place>, Vec<i64>), Failure> {
    let work = move || -> Result<(Vec<Place>, Vec<i64>), Error> {
        let mut labels = Vec::with_capacity(places.len());
        let mut clusters = 0;
        for range in partitions(&places) {
            let Some(places) = places.get(range) else { continue };
            let params =
                Params::try_new(comparison.eps, comparison.min_samples)?.with_metric(comparison.metric);
            let found = dbscan(&points(places, &comparison)?, &params);
            labels
                .extend(found.as_slice().iter().map(|label| if *label < 0 { -1 } else { clusters + label }));
            clusters += found.clusters() as i64;
        }
        Ok((places, labels))
    };
    run(work).await
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let done = SpawnedTask::spawn_blocking(work).await.map_err(|error| Failure::new(error.to_string()))?;
    done.map_err(|error| Failure::new(error.to_string()))
}

fn points(places: &[Place], comparison: &Comparison) -> Result<Points, Error> {
    let dimension = places.first().map_or(1, |place| place.features.len());
    let values = places.iter().flat_map(|place| place.features.iter().copied()).collect();
    let weights = places.iter().map(|place| place.events).collect();
    let mut points = Points::from_rows(values, dimension)?.with_weights(weights)?;
    points.scale(comparison.scaling)?;
    if !comparison.weights.is_empty() {
        points.multiply(&comparison.weights)?;
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sorted_by_partition_time_and_features() {
        let mut places = Places::default();
        for (partition, features, time) in [
            (1, [1.0], Some(1)),
            (0, [2.0], None),
            (0, [3.0], Some(5)),
            (0, [-0.0], Some(5)),
            (0, [0.0], Some(5)),
        ] {
            let at = places.of(partition, &features);
            places.all[at].times = time.map(|time| (time, time));
        }
        assert_eq!(places.sort(), [3, 2, 1, 0]);
        assert_eq!(places.find(0, &[0.0]), Some(0));
        assert_eq!(partitions(&places.all), [0..3, 3..4]);
        assert!(partitions(&[]).is_empty());
    }
}
