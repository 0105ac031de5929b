//! Quickselect and quicksort along one axis, which stop soon when cancelled.

use std::cmp::Ordering;
use std::ops::Range;

use crate::error::Cancelled;
use crate::workers::Workers;

/// The most bytes of items that the standard library, which can't be stopped, gets at once: some 20 ms.
const UNSTOPPABLE: usize = 1 << 24;

/// Values looked at to find a pivot near the wanted rank.
const SAMPLE: usize = 256;

/// An item with a coordinate on each axis.
pub(crate) trait Coordinates {
    /// The coordinate on an axis, not NaN.
    fn coordinate(&self, axis: usize) -> f64;
}

/// Moves the item of rank `rank` along `axis` to that place, smaller ones before it and greater ones behind it.
pub(crate) fn select<T: Coordinates>(
    items: &mut [T],
    rank: usize,
    axis: usize,
    workers: &Workers,
) -> Result<(), Cancelled> {
    let window = narrow(items, rank, axis, UNSTOPPABLE / size_of::<T>(), workers)?;
    let rank = rank - window.start;
    items[window].select_nth_unstable_by(rank, |a, b| in_order(a, b, axis));
    Ok(())
}

/// Partitions the items until the one of rank `rank` is known to be within a window of at most `len` positions.
fn narrow<T: Coordinates>(
    items: &mut [T],
    rank: usize,
    axis: usize,
    len: usize,
    workers: &Workers,
) -> Result<Range<usize>, Cancelled> {
    workers.check()?;
    let mut window = 0..items.len();
    while window.len() > len {
        let start = window.start;
        let inside = &mut items[window.clone()];
        let pivot = pivot(inside, rank - start, axis);
        let (less, not_greater) = partition(inside, pivot, axis, workers)?;
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
pub(crate) fn sort<T: Coordinates + Send>(
    items: &mut [T],
    axis: usize,
    workers: &Workers,
) -> Result<(), Cancelled> {
    workers.check()?;
    if items.len() <= UNSTOPPABLE / 8 / size_of::<T>() {
        items.sort_unstable_by(|a, b| in_order(a, b, axis));
        return Ok(());
    }
    let len = items.len();
    let middle = len / 2;
    select(items, middle, axis, workers)?;
    let (smaller, larger) = items.split_at_mut(middle);
    workers.join(len, || sort(smaller, axis, workers), || sort(larger, axis, workers))?;
    Ok(())
}

/// Compares numbers, of which none is NaN: that is cheaper than a comparison of bits.
#[inline]
fn in_order<T: Coordinates>(a: &T, b: &T, axis: usize) -> Ordering {
    a.coordinate(axis).partial_cmp(&b.coordinate(axis)).unwrap_or(Ordering::Equal)
}

/// A value whose rank is near `rank`, taken from an evenly spaced sample.
fn pivot<T: Coordinates>(items: &[T], rank: usize, axis: usize) -> f64 {
    let mut sample = [0.0; SAMPLE];
    for (i, value) in sample.iter_mut().enumerate() {
        *value = items[i * (items.len() / SAMPLE)].coordinate(axis);
    }
    *sample.select_nth_unstable_by(rank * SAMPLE / items.len(), f64::total_cmp).1
}

/// Moves items less than the pivot to the front and greater ones to the back; returns where those equal to it are.
fn partition<T: Coordinates>(
    items: &mut [T],
    pivot: f64,
    axis: usize,
    workers: &Workers,
) -> Result<(usize, usize), Cancelled> {
    let (mut less, mut next, mut greater) = (0, 0, items.len());
    while next < greater {
        workers.check_every(greater - next)?;
        let value = items[next].coordinate(axis);
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
    use super::*;
    use crate::Control;

    impl Coordinates for f64 {
        fn coordinate(&self, _axis: usize) -> f64 {
            *self
        }
    }

    #[test]
    fn windows_close_in_on_every_rank() -> Result<(), Cancelled> {
        // Ties, and more items than a sample has.
        let values: Vec<f64> = (0..700_u32).map(|i| f64::from(i * i % 701 / 3)).collect();
        let workers = Workers::new(values.len(), &Control::default());
        for rank in [0, 1, 349, 350, 351, 698, 699] {
            for len in [1, 10, 1000] {
                let mut items = values.clone();
                let window = narrow(&mut items, rank, 0, len, &workers)?;
                assert!(window.contains(&rank) && window.len() <= len);
                select(&mut items, rank, 0, &workers)?;
                let at = items[rank];
                assert!(items[..rank].iter().all(|&item| item <= at));
                assert!(items[rank..].iter().all(|&item| item >= at));
            }
        }
        Ok(())
    }

    #[test]
    fn large_parts_are_sorted_apart() -> Result<(), Cancelled> {
        let len = 3 * UNSTOPPABLE / 8 / size_of::<f64>();
        let mut values: Vec<f64> =
            (0..len as u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 12)).collect();
        let mut expected = values.clone();
        expected.sort_unstable_by(f64::total_cmp);
        sort(&mut values, 0, &Workers::new(len, &Control::default()))?;
        assert!(values == expected);
        Ok(())
    }
}
