//! The memory that a call takes, told before it is made.

use crate::build;
use crate::cluster::padded;
use crate::dimension;
use crate::metric::Metric;

/// An upper bound of the bytes that [`dbscan`](crate::dbscan()) allocates for this many points of this dimension.
///
/// Its result is included, its arguments are not. The bound covers [`Points::scale`](crate::Points::scale) before it and
/// [`medoids`](crate::medoids()) after it, beside the labels. It is linear in the points.
pub fn memory_required(points: usize, dimension: usize, metric: Metric) -> usize {
    let padded = padded(dimension, metric);
    let item = item_bytes(padded);
    // The most is held while clusters are numbered: the label (9), who is core (1), a set and its first member (8).
    // Dealing the points takes less, the part (2) and a place for each block in each part (3), and nodes come later.
    let steps = if padded == 1 {
        // The core points and the others.
        2 * item + 9
    } else {
        // At most one node for four points and four for each part, each with a weight, a lowest cluster or a component.
        item + (node_bytes(padded) + 8) * (build::PART + 16) / (4 * build::PART) + 1 + 18
    };
    // Scaling sorts one feature with its weights (16), which is less than this. Beside the labels (9) medoids hold a copy
    // of the points (8 per feature), which of them (4) and their bounds (8), the members of clusters (4 + 4), and the
    // result, in parts and whole (4 + 4).
    let medoids = 9 + 8 * dimension + 12 + 16;
    // Constant: a few nodes even for a few points, and what threads have in work.
    points.saturating_mul(steps.max(medoids)).saturating_add(4 * (node_bytes(padded) + 8) + (1 << 16))
}

/// An upper bound of the bytes that [`hierarchy`](crate::hierarchy()) allocates for this many points of this dimension.
///
/// Its result is included, its arguments are not. The bound covers what may follow beside the result, one at a time:
/// [`Hierarchy::levels`](crate::Hierarchy::levels) and [`Points::heaviest_equal`](crate::Points::heaviest_equal). It also covers
/// what may be called instead: [`dbscan_each`](crate::dbscan_each()) with the labels of one eps, and an index of
/// [`Cores`](crate::Cores). It counts the bytes that are asked of the allocator, and not what that adds. It is linear in the
/// points. A `min_samples` above 64 has each thread keep up to that many neighbours of a point.
pub fn hierarchy_memory_required(points: usize, dimension: usize, min_samples: u64, threads: usize) -> usize {
    let padded = dimension::padded(dimension);
    // At most one node for four points and four for each part: each with a weight or its least core distance (8), what the
    // rounds know of it (16), and whether it is in one component (1).
    let nodes = (node_bytes(padded) + 25) * (build::PART + 16) / (4 * build::PART) + 1;
    // By position a core distance and near(p) (8 + 8), the neighbours kept with the distance up to which they are all
    // (24), a link (24), a component (4), the edges (16); in a round a set and its new number (4), the lightest edge and its
    // point (8 + 4). Then the tree and the edges stay, and by point come the four numbers of the result (28) and the components
    // (4 + 4). Levels hold three events (16 each) and a weight (8) beside the result.
    let rounds = item_bytes(padded) + nodes + 8 + 8 + 24 + 24 + 4 + 16 + 4 + 8 + 4;
    let levels = 28 + 3 * 16 + 8;
    // A map from points to weights has up to 16 places for 7 points, each with a slice, a weight and a byte (16 + 8 + 1).
    let equal = 28 + 25 * 16 / 7 + 1;
    // A list of eps holds who is core (8 + 1 + 1), a set (4), the numbering (4 + 4 + 4), and labels (9), of which the caller may keep
    // others (9); by node less than the rounds. Core distances are found before the numbering and the labels, in less (24).
    let each = item_bytes(padded) + nodes + 10 + 4 + 12 + 18;
    let neighbours = usize::try_from(min_samples).unwrap_or(usize::MAX).min(points).saturating_mul(2 * 24);
    points
        .saturating_mul(rounds.max(levels).max(equal).max(each))
        .saturating_add(neighbours.saturating_mul(threads))
        .saturating_add(4 * (node_bytes(padded) + 25) + (1 << 16))
}

/// The size of a point in a tree.
fn item_bytes(padded: usize) -> usize {
    8 * padded + 8
}

/// The size of a node of a tree.
fn node_bytes(padded: usize) -> usize {
    16 * padded + 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Points;
    use crate::metric::Euclidean;
    use crate::tree::{Item, Node};

    #[test]
    fn bound_counts_the_real_sizes() {
        fn sizes<const K: usize>() -> (usize, usize) {
            for &metric in Metric::ALL {
                assert_eq!(padded(K, metric), K, "compiled for every padded dimension");
            }
            (size_of::<Item<K>>(), size_of::<Node<K, Euclidean>>())
        }
        for (padded, sizes) in [(2, sizes::<2>()), (3, sizes::<3>()), (8, sizes::<8>()), (64, sizes::<64>())]
        {
            assert_eq!(sizes, (item_bytes(padded), node_bytes(padded)));
        }
    }

    #[test]
    fn bound_of_a_hierarchy_is_linear_until_it_saturates() {
        for dimension in 1..=Points::MAX_DIMENSION {
            let of = |points| hierarchy_memory_required(points, dimension, 5, 2);
            assert_eq!(of(3_000_000) - of(1_000_000), 2 * (of(2_000_000) - of(1_000_000)));
            assert!(of(1000) >= 1000 * 8 * dimension);
            assert_eq!(of(usize::MAX), usize::MAX);
            assert_eq!(hierarchy_memory_required(1000, dimension, u64::MAX, usize::MAX), usize::MAX);
        }
    }

    #[test]
    fn bound_is_linear_until_it_saturates() {
        for &metric in Metric::ALL {
            for dimension in 1..=Points::MAX_DIMENSION {
                let of = |points| {
                    memory_required(points, dimension, metric) - memory_required(0, dimension, metric)
                };
                assert_eq!(of(3_000_000), 3 * of(1_000_000));
                // Scaling takes 16 bytes; labels and medoids the rest.
                assert!(of(1000) >= 1000 * (9 + 8 * dimension + 8 + 8 + 8).max(16));
                assert_eq!(memory_required(usize::MAX, dimension, metric), usize::MAX);
            }
        }
    }
}
