//! Whether two tables have the same rows in the same order.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::not_distinct;
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;

/// The first difference of two tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The number of rows before it, which are the same.
    pub(super) after: usize,
    pub(super) words: String,
}

/// Reads both tables, and tells the first difference; none if there is none. Columns meet by name.
pub(super) async fn compare(
    state: &SessionState,
    expected: &Arc<dyn TableProvider>,
    found: &Arc<dyn TableProvider>,
) -> Result<Option<Difference>> {
    let (mut expected, mut found) = (Rows::of(state, expected).await?, Rows::of(state, found).await?);
    loop {
        let (Some(left), Some(right)) = (expected.rest().await?, found.rest().await?) else {
            let same = expected.rest().await?.is_none() && found.rest().await?.is_none();
            let after = expected.before;
            return Ok((!same).then(|| Difference { after, words: format!("the rows end after {after}") }));
        };
        let rows = left.num_rows().min(right.num_rows());
        let after = expected.before;
        if let Some(words) = difference(&left.slice(0, rows), &right.slice(0, rows), after)? {
            return Ok(Some(Difference { after, words }));
        }
        expected.skip(rows);
        found.skip(rows);
    }
}

/// The first difference of two batches with as many rows.
fn difference(left: &RecordBatch, right: &RecordBatch, before: usize) -> Result<Option<String>> {
    for (field, left) in left.schema().fields().iter().zip(left.columns()) {
        let Some(right) = right.column_by_name(field.name()) else {
            return Ok(Some(format!("there is no column {}", field.name())));
        };
        let same = equal(left, right)?;
        if let Some(row) = (0..same.len()).find(|row| !same.value(*row)) {
            return Ok(Some(format!("row {} differs in {}", before + row + 1, field.name())));
        }
    }
    Ok(None)
}

/// Which values are the same, NULL and NaN included.
fn equal(left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    let right = cast(right, left.data_type())?;
    Ok(not_distinct(left, &right)?)
}

/// The rows of a table, one partition after the other.
struct Rows {
    plan: Arc<dyn ExecutionPlan>,
    state: SessionState,
    partition: usize,
    stream: Option<SendableRecordBatchStream>,
    batch: Option<RecordBatch>,
    /// The number of rows that were skipped.
    before: usize,
}

impl Rows {
    async fn of(state: &SessionState, table: &Arc<dyn TableProvider>) -> Result<Self> {
        let mut state = state.clone();
        // Files are read one after the other, each as a whole.
        state.config_mut().options_mut().execution.target_partitions = 1;
        let plan = table.scan(&state, None, &[], None).await?;
        Ok(Self { plan, state, partition: 0, stream: None, batch: None, before: 0 })
    }

    /// The rows that are left of the batch, or the next batch.
    async fn rest(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| batch.num_rows() > 0) {
                return Ok(Some(batch.clone()));
            }
            self.batch = match &mut self.stream {
                Some(stream) => stream.next().await.transpose()?,
                None => None,
            };
            if self.batch.is_none() {
                if self.partition >= self.plan.output_partitioning().partition_count() {
                    return Ok(None);
                }
                self.stream = Some(self.plan.execute(self.partition, self.state.task_ctx())?);
                self.partition += 1;
            }
        }
    }

    fn skip(&mut self, rows: usize) {
        self.batch = self.batch.take().map(|batch| batch.slice(rows, batch.num_rows() - rows));
        self.before += rows;
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, StringArray};
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;

    use super::*;

    fn table(numbers: &[Option<f64>], texts: &[&str], cut: usize) -> Arc<dyn TableProvider> {
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(Float64Array::from(numbers.to_vec())) as ArrayRef),
            ("s", Arc::new(StringArray::from(texts.to_vec())) as ArrayRef),
        ])
        .expect("a batch");
        let parts = vec![vec![batch.slice(0, cut)], vec![batch.slice(cut, batch.num_rows() - cut)]];
        Arc::new(MemTable::try_new(batch.schema(), parts).expect("a table"))
    }

    #[tokio::test]
    async fn differences_are_found() {
        let state = SessionContext::new().state();
        let numbers = [Some(1.0), None, Some(f64::NAN), Some(4.0)];
        let texts = ["a", "b", "c", "d"];
        let expected = table(&numbers, &texts, 3);
        for (found, difference) in [
            (table(&numbers, &texts, 1), None),
            (table(&[Some(1.0), None, None, Some(4.0)], &texts, 2), Some("row 3 differs in n")),
            (table(&numbers, &["a", "b", "c", "D"], 0), Some("row 4 differs in s")),
            (table(&numbers[..3], &texts[..3], 3), Some("the rows end after 3")),
        ] {
            let told = compare(&state, &expected, &found).await.expect("a comparison");
            assert_eq!(told.as_ref().map(|told| told.words.as_str()), difference);
        }
    }
}
