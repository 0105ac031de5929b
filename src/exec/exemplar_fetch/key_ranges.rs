//! [`KeyRanges`]: the ranges that hold the keys of the exemplars. A scan compares them with the statistics of its files.
//!
//! A hash decides about a row, but not about a row group or a page, for which a file has the least and the greatest value.
//! Ranges can be compared with these. Most clusters begin early, so all keys but those of odd events lie close together, and
//! the pages between them need not be read. Cost: the keys are sorted once, and at most [`MOST_KEYS`] of them are held.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::{Accumulator, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, IsNullExpr, Literal};

/// The largest number of ranges. The engine compares each with every row group and page, so more would cost what they save.
const MOST_RANGES: usize = 24;

/// The largest number of keys that are split into ranges; more keys would hardly leave pages out.
const MOST_KEYS: usize = 1 << 16;

/// The values of one join key of the clusters, as far as ranges need them.
#[derive(Debug)]
pub(super) struct KeyRanges {
    data_type: DataType,
    /// The values, if they are whole numbers and at most [`MOST_KEYS`].
    keys: Option<Vec<i64>>,
    /// The least and the greatest value, for types with an order. Floats have none: NaN may be a key and lies within no bounds.
    ends: Option<(MinAccumulator, MaxAccumulator)>,
    has_null: bool,
}

impl KeyRanges {
    pub(super) fn new(data_type: &DataType) -> Self {
        let is_ordered = (data_type.is_numeric() && !data_type.is_floating())
            || data_type.is_temporal()
            || matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let ends = is_ordered.then(|| {
            Some((MinAccumulator::try_new(data_type).ok()?, MaxAccumulator::try_new(data_type).ok()?))
        });
        let is_whole = matches!(data_type, DataType::Int64 | DataType::Timestamp(..));
        Self {
            data_type: data_type.clone(),
            keys: is_whole.then(Vec::new),
            ends: ends.flatten(),
            has_null: false,
        }
    }

    pub(super) fn add(&mut self, key: &ArrayRef) -> Result<()> {
        self.has_null |= key.logical_null_count() > 0;
        if let Some((least, greatest)) = &mut self.ends {
            least.update_batch(&[Arc::clone(key)])?;
            greatest.update_batch(&[Arc::clone(key)])?;
        }
        self.keys.take_if(|keys| keys.len() + key.len() > MOST_KEYS);
        if let Some(keys) = &mut self.keys {
            keys.extend(cast(key, &DataType::Int64)?.as_primitive::<Int64Type>().iter().flatten());
        }
        Ok(())
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, |keys| keys.capacity() * size_of::<i64>());
        let ends = self.ends.as_ref().map_or(0, |(least, greatest)| least.size() + greatest.size());
        keys + ends
    }

    /// Builds the predicate that an event's key lies in one of the ranges, if any are known.
    pub(super) fn predicate(self, key: &Arc<dyn PhysicalExpr>) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let has_null = self.has_null;
        let within = self
            .ranges()?
            .into_iter()
            .filter(|(from, to)| !from.is_null() && !to.is_null())
            .map(|(from, to)| {
                binary(compare(key, Operator::GtEq, from), Operator::And, compare(key, Operator::LtEq, to))
            })
            .collect();
        let within = any(within);
        if !has_null {
            return Ok(within);
        }
        let is_null: Arc<dyn PhysicalExpr> = Arc::new(IsNullExpr::new(Arc::clone(key)));
        Ok(within.map(|within| binary(within, Operator::Or, is_null)))
    }

    /// Returns the least and the greatest key of each range.
    fn ranges(self) -> Result<Vec<(ScalarValue, ScalarValue)>> {
        if let Some(keys) = self.keys {
            let scalar = |key: i64| ScalarValue::Int64(Some(key)).cast_to(&self.data_type);
            let ranges = split(keys, MOST_RANGES).into_iter();
            return ranges.map(|(from, to)| Ok((scalar(from)?, scalar(to)?))).collect();
        }
        let Some((mut least, mut greatest)) = self.ends else { return Ok(vec![]) };
        Ok(vec![(least.evaluate()?, greatest.evaluate()?)])
    }
}

/// Splits sorted keys into at most `most` ranges, at the widest gaps between them.
fn split(mut keys: Vec<i64>, most: usize) -> Vec<(i64, i64)> {
    keys.sort_unstable();
    keys.dedup();
    let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else { return vec![] };
    let mut gaps: Vec<(i64, i64)> = keys.windows(2).map(|pair| (pair[0], pair[1])).collect();
    gaps.sort_unstable_by_key(|&(before, behind)| std::cmp::Reverse(behind.abs_diff(before)));
    gaps.truncate(most - 1);
    gaps.sort_unstable();
    let from = std::iter::once(first).chain(gaps.iter().map(|&(_, behind)| behind));
    let to = gaps.iter().map(|&(before, _)| before).chain([last]);
    from.zip(to).collect()
}

fn compare(key: &Arc<dyn PhysicalExpr>, operator: Operator, end: ScalarValue) -> Arc<dyn PhysicalExpr> {
    binary(Arc::clone(key), operator, Arc::new(Literal::new(end)))
}

fn binary(
    left: Arc<dyn PhysicalExpr>,
    operator: Operator,
    right: Arc<dyn PhysicalExpr>,
) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, operator, right))
}

/// Combines the predicates with OR, as a balanced tree, since the engine walks expressions recursively.
fn any(mut predicates: Vec<Arc<dyn PhysicalExpr>>) -> Option<Arc<dyn PhysicalExpr>> {
    while predicates.len() > 1 {
        let mut pairs = Vec::with_capacity(predicates.len().div_ceil(2));
        let mut rest = predicates.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => binary(left, Operator::Or, right),
                None => left,
            });
        }
        predicates = pairs;
    }
    predicates.pop()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn ranges_leave_out_the_widest_gaps() {
        assert_eq!(split(vec![], 3), []);
        assert_eq!(split(vec![7, 7], 3), [(7, 7)]);
        assert_eq!(split(vec![9, 1, 2, 30, 3, 31], 1), [(1, 31)]);
        assert_eq!(split(vec![9, 1, 2, 30, 3, 31], 2), [(1, 9), (30, 31)]);
        assert_eq!(split(vec![9, 1, 2, 30, 3, 31], 3), [(1, 3), (9, 9), (30, 31)]);
        assert_eq!(split(vec![1, 5, 9], 8), [(1, 1), (5, 5), (9, 9)]);
        assert_eq!(split(vec![i64::MAX, i64::MIN, 0], 2), [(i64::MIN, i64::MIN), (0, i64::MAX)]);
    }
}
