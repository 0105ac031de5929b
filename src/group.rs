//! [`Group`]: the number that `dbscan_vectors` gives to a vector, by which the plans of the table functions group.
//!
//! One BIGINT has three ranges for three kinds of groups: a cluster has its own number, from 0. A vector that is noise or was
//! skipped is a group of its own, with a number far below 0. Only this file knows the ranges; [`Group`] answers for a number
//! and for an expression.

use datafusion::logical_expr::{Expr, lit};

/// A group by its number, or by an expression that gives the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<T>(pub(crate) T);

/// The number of the first cluster. Noise is below.
const FIRST_CLUSTER: i64 = 0;

/// The number of the first noise. Skipped vectors are below. Each range has more numbers than a partition has rows.
const FIRST_NOISE: i64 = i64::MIN / 2;

impl Group<i64> {
    /// The group of a cluster.
    pub(crate) fn of_cluster(cluster: usize) -> Self {
        Self(FIRST_CLUSTER + cluster as i64)
    }

    /// The group of a row of the partition that is noise.
    pub(crate) fn of_noise(row: usize) -> Self {
        Self(FIRST_CLUSTER - 1 - row as i64)
    }

    /// The group of a row of the partition that takes no part.
    pub(crate) fn of_skipped(row: usize) -> Self {
        Self(i64::MIN + row as i64)
    }

    /// Tests that it is a cluster.
    pub(crate) fn is_cluster(self) -> bool {
        self.0 >= FIRST_CLUSTER
    }
}

impl Group<Expr> {
    /// Tests that it is a cluster.
    pub(crate) fn is_cluster(&self) -> Expr {
        self.0.clone().gt_eq(lit(FIRST_CLUSTER))
    }

    /// Tests that it is not a cluster: a single vector that is noise or skipped.
    pub(crate) fn is_no_cluster(&self) -> Expr {
        self.0.clone().lt(lit(FIRST_CLUSTER))
    }

    /// Tests that it is a noise vector.
    pub(crate) fn is_noise(&self) -> Expr {
        self.0.clone().between(lit(FIRST_NOISE), lit(FIRST_CLUSTER - 1))
    }

    /// Tests that it took part in the clustering: a cluster or noise.
    pub(crate) fn took_part(&self) -> Expr {
        self.0.clone().gt_eq(lit(FIRST_NOISE))
    }

    /// Tests that it is a vector with a NULL, which was skipped.
    pub(crate) fn is_skipped(&self) -> Expr {
        self.0.clone().lt(lit(FIRST_NOISE))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::common::ScalarValue;

    use super::*;
    use crate::constant::constant;

    #[test]
    fn expressions_say_what_the_numbers_say() {
        const ROWS: usize = 1 << 40;
        for (groups, [is_cluster, is_noise, is_skipped]) in [
            ([Group::of_cluster(0), Group::of_cluster(ROWS)], [true, false, false]),
            ([Group::of_noise(0), Group::of_noise(ROWS)], [false, true, false]),
            ([Group::of_skipped(0), Group::of_skipped(ROWS)], [false, false, true]),
        ] {
            for group in groups {
                let column = Group(lit(group.0));
                let says = |expr: Expr| constant(expr) == Some(ScalarValue::from(true));
                assert_eq!(group.is_cluster(), is_cluster, "{group:?}");
                assert_eq!(says(column.is_cluster()), is_cluster, "{group:?}");
                assert_eq!(says(column.is_no_cluster()), !is_cluster, "{group:?}");
                assert_eq!(says(column.is_noise()), is_noise, "{group:?}");
                assert_eq!(says(column.took_part()), !is_skipped, "{group:?}");
                assert_eq!(says(column.is_skipped()), is_skipped, "{group:?}");
            }
        }
    }
}
