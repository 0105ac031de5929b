//! Quickselect and quicksort of points along one axis, which stop soon when cancelled.

use std::ops::Range;

use super::tree::Item;
use super::{Cancelled, Run};

/// The standard library, which can't be stopped, is called for at most this many items at once: some 20 ms.
const UNSTOPPABLE: usize = 1 << 20;

/// Values looked at to find a pivot near the wanted rank.
const SAMPLE: usize = 256;

/// Moves the item of rank `rank` along `axis` to that place, smaller ones before it and greater ones behind it.
pub(super) fn select<const K: usize>(
    items: &mut [Item<K>],
    rank: usize,
    axis: usize,
    run: &Run,
) -> Result<(), Cancelled> {
    let window = narrow(items, rank, axis, UNSTOPPABLE, run)?;
    let rank = rank - window.start;
    items[window].select_nth_unstable_by(rank, |a, b| in_order(a, b, axis));
    Ok(())
}

/// Partitions the items until the one of rank `rank` is known to be within a window of at most `len` places.
fn narrow<const K: usize>(
    items: &mut [Item<K>],
    rank: usize,
    axis: usize,
    len: usize,
    run: &Run,
) -> Result<Range<usize>, Cancelled> {
    run.check()?;
    let mut window = 0..items.len();
    while window.len() > len {
        let start = window.start;
        let inside = &mut items[window.clone()];
        let pivot = pivot(inside, rank - start, axis);
        let (less, not_greater) = partition(inside, pivot, axis, run)?;
        if rank < start + less {
            window.end = start + less;
        } else if rank < start + not_greater {
            window = rank..rank + 1;
        } else {
            window.start = start + not_greater;
        }
    }
    Ok(window)
}

/// Sorts the items along `axis`.
pub(super) fn sort<const K: usize>(items: &mut [Item<K>], axis: usize, run: &Run) -> Result<(), Cancelled> {
    run.check()?;
    if items.len() <= UNSTOPPABLE / 8 {
        items.sort_unstable_by(|a, b| in_order(a, b, axis));
        return Ok(());
    }
    let len = items.len();
    let middle = len / 2;
    select(items, middle, axis, run)?;
    let (smaller, larger) = items.split_at_mut(middle);
    run.join(len, || sort(smaller, axis, run), || sort(larger, axis, run))
}

/// No feature is NaN, and one comparison is cheaper than that of bits.
#[inline]
fn in_order<const K: usize>(a: &Item<K>, b: &Item<K>, axis: usize) -> std::cmp::Ordering {
    a.at[axis].partial_cmp(&b.at[axis]).unwrap_or(std::cmp::Ordering::Equal)
}

/// A value whose rank is near `rank`: that of an evenly spaced sample.
fn pivot<const K: usize>(items: &[Item<K>], rank: usize, axis: usize) -> f64 {
    let mut sample = [0.0; SAMPLE];
    for (i, value) in sample.iter_mut().enumerate() {
        *value = items[i * (items.len() / SAMPLE)].at[axis];
    }
    *sample.select_nth_unstable_by(rank * SAMPLE / items.len(), f64::total_cmp).1
}

/// Moves items less than the pivot to the front and greater ones to the back; returns where those equal to it are.
fn partition<const K: usize>(
    items: &mut [Item<K>],
    pivot: f64,
    axis: usize,
    run: &Run,
) -> Result<(usize, usize), Cancelled> {
    let (mut less, mut next, mut greater) = (0, 0, items.len());
    while next < greater {
        run.check_every(greater - next)?;
        let value = items[next].at[axis];
        if value < pivot {
            items.swap(less, next);
            less += 1;
            next += 1;
        } else if value > pivot {
            greater -= 1;
            items.swap(next, greater);
        } else {
            next += 1;
        }
    }
    Ok((less, greater))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::atomic::AtomicBool;

    use super::super::{Params, Points};
    use super::*;

    #[test]
    fn windows_close_in_on_every_rank() -> Result<(), Box<dyn Error>> {
        // Ties, and more items than a sample has.
        let values: Vec<f64> = (0..700_u32).map(|i| f64::from(i * i % 701 / 3)).collect();
        let points = Points::from_columns(&[&values])?;
        let (params, cancel) = (Params::try_new(1.0, 2)?, AtomicBool::new(false));
        let run = Run::new(&points, None, &params, &cancel, usize::MAX);
        for rank in [0, 1, 349, 350, 351, 698, 699] {
            for len in [1, 10, 1000] {
                let mut items = Item::<1>::all(&points, &run)?;
                let window = narrow(&mut items, rank, 0, len, &run)?;
                assert!(window.contains(&rank) && window.len() <= len);
                select(&mut items, rank, 0, &run)?;
                let at = items[rank].at[0];
                assert!(items[..rank].iter().all(|item| item.at[0] <= at));
                assert!(items[rank..].iter().all(|item| item.at[0] >= at));
            }
        }
        Ok(())
    }
}
