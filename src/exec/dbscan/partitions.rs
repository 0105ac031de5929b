//! [`Partitions`] finds the bounds of the partitions of PARTITION BY in sorted batches.

use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{SortColumn, concat, take};
use datafusion::common::Result;
use datafusion::common::utils::evaluate_partition_ranges;
use datafusion::physical_expr::PhysicalSortExpr;

/// The partitions of rows that come in batches, sorted by the keys of the partitions.
///
/// The keys may be long texts, so they are compared as they come and not kept.
pub(super) struct Partitions {
    keys: Vec<PhysicalSortExpr>,
    /// The keys of the last row so far.
    last: Vec<ArrayRef>,
    /// The first row of each partition, among the rows that have not been taken.
    starts: Vec<usize>,
    rows: usize,
}

/// Row ranges of consecutive partitions.
pub(super) struct Ranges {
    starts: Vec<usize>,
    rows: usize,
}

impl Ranges {
    /// Returns the number of rows in all of them.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the range of each partition.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        let end = |index: usize| self.starts.get(index + 1).copied().unwrap_or(self.rows);
        self.starts.iter().enumerate().map(move |(index, &start)| start..end(index))
    }
}

impl Partitions {
    pub(super) fn new(keys: Vec<PhysicalSortExpr>) -> Self {
        Self { keys, last: vec![], starts: vec![], rows: 0 }
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let keys = self
            .keys
            .iter()
            .map(|key| {
                let values = key.expr.evaluate(batch)?.into_array(rows)?;
                Ok(SortColumn { values, options: Some(key.options) })
            })
            .collect::<Result<Vec<_>>>()?;
        // The last partition is never taken while it is open, so its last row is still known.
        let goes_on = self.rows > 0 && self.is_last(&keys)?;
        let starts = evaluate_partition_ranges(rows, &keys)?.into_iter().map(|range| self.rows + range.start);
        self.starts.extend(starts.skip(usize::from(goes_on)));
        let last_row = UInt64Array::from_value(rows as u64 - 1, 1);
        self.last = keys.iter().map(|key| take(&key.values, &last_row, None)).collect::<Result<_, _>>()?;
        self.rows += rows;
        Ok(())
    }

    /// Whether the first of these rows is in the partition of the last row so far.
    fn is_last(&self, keys: &[SortColumn]) -> Result<bool> {
        let pairs = self
            .last
            .iter()
            .zip(keys)
            .map(|(last, key)| {
                let values = concat(&[last.as_ref(), key.values.slice(0, 1).as_ref()])?;
                Ok(SortColumn { values, options: key.options })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(evaluate_partition_ranges(2, &pairs)?.len() == 1)
    }

    /// Returns the bytes that are held.
    pub(super) fn size(&self) -> usize {
        let last: usize = self.last.iter().map(|key| key.get_array_memory_size()).sum();
        last + self.starts.capacity() * size_of::<usize>()
    }

    /// Returns the number of rows in complete partitions, which no further row can join.
    pub(super) fn complete_rows(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Takes the complete partitions. The rows that remain are counted from 0 again.
    pub(super) fn take_complete(&mut self) -> Ranges {
        let rows = self.starts.pop().unwrap_or(0);
        self.rows -= rows;
        let open = if self.rows > 0 { vec![0] } else { vec![] };
        Ranges { starts: std::mem::replace(&mut self.starts, open), rows }
    }

    /// Takes all partitions.
    pub(super) fn take(&mut self) -> Ranges {
        Ranges { starts: std::mem::take(&mut self.starts), rows: std::mem::take(&mut self.rows) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Int32Array, StringArray};
    use arrow::compute::SortOptions;
    use datafusion::physical_expr::expressions::Column;

    use super::*;

    fn partitions(batch: &RecordBatch, keys: &[&str]) -> Partitions {
        let keys = keys.iter().map(|name| {
            let column = Column::new_with_schema(name, &batch.schema()).expect("a column");
            PhysicalSortExpr::new(Arc::new(column), SortOptions::default())
        });
        Partitions::new(keys.collect())
    }

    fn partitions_of(batches: &[RecordBatch], keys: &[&str]) -> Vec<Range<usize>> {
        let mut partitions = partitions(&batches[0], keys);
        for batch in batches {
            partitions.add(batch).expect("keys");
        }
        partitions.take().iter().collect()
    }

    fn batch() -> RecordBatch {
        let host = StringArray::from(vec![Some("a"), Some("a"), Some("b"), Some("b"), Some("b"), None, None]);
        let level = Int32Array::from(vec![Some(1), Some(1), Some(1), Some(1), None, None, None]);
        let columns: [(&str, ArrayRef); 2] = [("host", Arc::new(host)), ("level", Arc::new(level))];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    /// The bounds do not depend on how the rows are cut into batches, empty ones among them.
    #[test]
    fn partitions_go_on_from_batch_to_batch() {
        let batch = batch();
        for cut in 0..=batch.num_rows() {
            let batches = [batch.slice(0, cut), batch.slice(0, 0), batch.slice(cut, batch.num_rows() - cut)];
            assert_eq!(partitions_of(&batches, &[]), vec![Range { start: 0, end: 7 }], "{cut}");
            assert_eq!(partitions_of(&batches, &["host"]), [0..2, 2..5, 5..7], "{cut}");
            assert_eq!(partitions_of(&batches, &["host", "level"]), [0..2, 2..4, 4..5, 5..7], "{cut}");
        }
        assert!(partitions_of(&[batch.slice(0, 0)], &["host"]).is_empty());
    }

    /// Partitions that are taken are whole, and the rows that are left go on.
    #[test]
    fn complete_partitions_can_be_taken() {
        let batch = batch();
        let mut partitions = partitions(&batch, &["host"]);
        let (mut taken, mut start) = (vec![], 0);
        for row in 0..batch.num_rows() {
            partitions.add(&batch.slice(row, 1)).expect("keys");
            let complete = partitions.complete_rows();
            let ranges = partitions.take_complete();
            assert_eq!(ranges.rows(), complete, "{row}");
            taken.extend(ranges.iter().map(|range| range.start + start..range.end + start));
            start += ranges.rows();
        }
        assert_eq!(taken, [0..2, 2..5]);
        assert_eq!(partitions.take().iter().collect::<Vec<_>>(), vec![Range { start: 0, end: 2 }]);
        assert_eq!(partitions.take().iter().len(), 0);
    }

    /// Only the keys of one row are held, however long they are.
    #[test]
    fn keys_are_not_held() {
        let text: StringArray = (0..1000).map(|row| Some(format!("{row:0>1000}"))).collect();
        let batch = RecordBatch::try_from_iter([("text", Arc::new(text) as ArrayRef)]).expect("a column");
        let mut partitions = partitions(&batch, &["text"]);
        partitions.add(&batch).expect("keys");
        assert!(batch.column(0).get_array_memory_size() > 1_000_000);
        assert!(partitions.size() < 20_000, "{}", partitions.size());
        assert_eq!(partitions.take().iter().len(), 1000);
    }
}
