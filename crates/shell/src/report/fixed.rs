//! A page of more vectors than a slider serves: each cluster of one eps is a place, and so is each of the odd events to read first.

use dbcluster_figures::{Clustering, Place, Row};

use super::events::ROWS_OF_CLUSTER;

/// The most odd events of a page of fixed clusters.
const ODD: usize = 5_000;

/// Makes one place of each cluster, and keeps the odd events to read first.
pub(super) fn fix(
    page: &mut dbcluster_figures::Report,
    all: Vec<Place>,
    rows: Vec<Row>,
    activity: Option<dbcluster_figures::Activity>,
    labels: &[i64],
) {
    let clusters = labels.iter().copied().max().map_or(0, |most| (most + 1) as usize);
    let mut places: Vec<Place> = vec![Place { clustered: true, ..Place::default() }; clusters];
    let mut best = vec![f64::NEG_INFINITY; all.len()];
    for row in &rows {
        if let (Some(place), Some(score)) = (row.place, row.score)
            && let Some(best) = best.get_mut(place as usize)
        {
            *best = best.max(score);
        }
    }
    let label_of = |at: usize| labels.get(at).copied().unwrap_or(-1);
    let mut noise: Vec<usize> = (0..all.len()).filter(|at| label_of(*at) < 0).collect();
    noise.sort_by(|&a, &b| {
        best.get(b)
            .copied()
            .unwrap_or_default()
            .total_cmp(&best.get(a).copied().unwrap_or_default())
            .then(a.cmp(&b))
    });
    let left_out = noise.split_off(noise.len().min(ODD));
    page.left_out = left_out.iter().filter_map(|at| all.get(*at)).map(|place| place.events).sum();
    let mut moved: Vec<Option<u32>> = vec![None; all.len()];
    for (new, old) in noise.iter().enumerate() {
        if let Some(moved) = moved.get_mut(*old) {
            *moved = Some((clusters + new) as u32);
        }
    }
    let mut odd: Vec<Place> = noise.iter().filter_map(|at| all.get(*at).cloned()).collect();
    for (at, place) in all.into_iter().enumerate() {
        let Some(cluster) = usize::try_from(label_of(at)).ok() else { continue };
        if let (Some(into), Some(moved)) = (places.get_mut(cluster), moved.get_mut(at)) {
            join(into, place);
            *moved = Some(cluster as u32);
        }
    }
    let moved = |place: u32| moved.get(place as usize).copied().flatten();
    let mut per_place = vec![0_usize; clusters];
    page.rows = rows
        .into_iter()
        .filter_map(|mut row| {
            if let Some(place) = row.place {
                let place = moved(place)?;
                if let Some(count) = per_place.get_mut(place as usize) {
                    *count += 1;
                    if *count > ROWS_OF_CLUSTER {
                        return None;
                    }
                }
                row.place = Some(place);
            }
            Some(row)
        })
        .collect();
    page.activity = activity.map(|mut activity| {
        let mut cells = std::collections::BTreeMap::new();
        for (place, span, events) in activity.cells {
            if let Some(place) = moved(place) {
                *cells.entry((place, span)).or_insert(0) += events;
            }
        }
        activity.cells = cells.into_iter().map(|((place, span), events)| (place, span, events)).collect();
        activity
    });
    places.append(&mut odd);
    page.places = places;
    page.clustering = Clustering::Fixed;
}

/// Adds a place to that of its cluster.
fn join(into: &mut Place, place: Place) {
    into.events += place.events;
    into.counts_left_out |= place.counts_left_out;
    into.times = match (into.times, place.times) {
        (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
        (before, new) => before.or(new),
    };
    for (into, counts) in
        [(&mut into.names, place.names), (&mut into.hosts, place.hosts), (&mut into.accounts, place.accounts)]
    {
        for (value, events) in counts {
            match into.iter_mut().find(|(known, _)| *known == value) {
                Some((_, known)) => *known += events,
                None => into.push((value, events)),
            }
        }
    }
}
