//! Tests of plans that run several times, one after the other and at once, and of the memory of the first rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::{SortOptions, concat_batches};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr, lit};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect, execute_stream};
use futures::StreamExt;

use super::{ExemplarKeyCollectExec, ExemplarSelectExec};
use crate::plan::columns::TIE;

/// Builds a batch of rows with a group (below 0 for none), a value and a text.
fn batch(rows: &[(i64, i64)]) -> RecordBatch {
    let group: Int64Array = rows.iter().map(|(group, _)| Some(*group)).collect();
    let value: Int64Array = rows.iter().map(|(_, value)| Some(*value)).collect();
    let text: StringArray = rows.iter().map(|(group, value)| Some(format!("{group}: {value}"))).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("group", Arc::new(group)), ("value", Arc::new(value)), ("text", Arc::new(text))];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn table(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
    let schema = partitions[0][0].schema();
    MemorySourceConfig::try_new_exec(partitions, schema, None).expect("a table")
}

/// Plans the first row of each group by its value.
fn exemplars(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
    let input = table(partitions);
    let mut fields: Vec<_> = input.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(TIE, DataType::UInt64, false)));
    let order = PhysicalSortExpr::new(Arc::new(Column::new("value", 1)), SortOptions::default());
    let cluster = vec![Arc::new(Column::new("group", 0)) as _];
    Arc::new(ExemplarSelectExec::with_input(input, Arc::new(Schema::new(fields)), cluster, vec![order]))
}

/// Builds three partitions, each with rows of all groups and of none.
fn partitions() -> Vec<Vec<RecordBatch>> {
    let row = |row: i64| (row % 40 - 10, (row * 7919) % 1000);
    let batches = |first: i64| -> Vec<RecordBatch> {
        let rows = |start: i64| (0..50).map(|at| row(first + start * 50 + at)).collect::<Vec<_>>();
        (0..8).map(|start| batch(&rows(start))).collect()
    };
    vec![batches(0), batches(400), batches(800)]
}

fn sorted(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).expect("rows print").to_string();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    lines.sort();
    lines
}

async fn rows(plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Vec<String> {
    sorted(&collect(Arc::clone(plan), Arc::clone(context)).await.expect("rows"))
}

/// A run that is dropped half-way does not affect later or concurrent runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_are_those_of_one_run() {
    let context = Arc::new(TaskContext::default());
    let expected = rows(&exemplars(&partitions()), &context).await;
    assert_eq!(expected.len(), 300 + 30 + 4, "rows of no group, one of each group, and the frame");
    let plan = exemplars(&partitions());
    for batches in 0..4 {
        let mut dropped = execute_stream(Arc::clone(&plan), Arc::clone(&context)).expect("a run");
        for _ in 0..batches {
            dropped.next().await.expect("a batch").expect("rows");
        }
        let mut beside = execute_stream(Arc::clone(&plan), Arc::clone(&context)).expect("a run");
        let first = beside.next().await.expect("a batch").expect("rows");
        drop(dropped);
        assert_eq!(rows(&plan, &context).await, expected, "behind a run of {batches} batches");
        let rest: Vec<_> = beside.map(|batch| batch.expect("rows")).collect().await;
        assert_eq!(sorted(&[&[first][..], &rest].concat()), expected, "beside it");
    }
    let (one, other) = tokio::join!(rows(&plan, &context), rows(&plan, &context));
    assert_eq!((&one, &other), (&expected, &expected));
}

/// The filter holds the keys of one complete run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_those_of_one_run() {
    let input = table(&[partitions().concat()]);
    let key = Arc::new(Column::new("value", 1)) as _;
    let filter = Arc::new(DynamicFilterPhysicalExpr::new(vec![Arc::clone(&key)], lit(true)));
    let keys = vec![Arc::clone(&key)];
    let exec = ExemplarKeyCollectExec::new(input, keys.clone(), keys, Arc::clone(&filter));
    let plan: Arc<dyn ExecutionPlan> = Arc::new(exec);
    let context = Arc::new(TaskContext::default());
    let knows = || {
        let current = filter.current().expect("a filter");
        !collect_columns(&current).is_empty()
    };
    let all = concat_batches(&plan.schema(), &partitions().concat()).expect("one schema");
    for batches in 0..4 {
        let mut dropped = execute_stream(Arc::clone(&plan), Arc::clone(&context)).expect("a run");
        for _ in 0..batches {
            dropped.next().await.expect("a batch").expect("rows");
        }
        drop(dropped);
        assert!(!knows(), "a run that did not come to its end has told the filter");
        collect(Arc::clone(&plan), Arc::clone(&context)).await.expect("rows");
        assert!(knows());
        let kept = filter.current().expect("a filter").evaluate(&all).expect("a filter of these rows");
        let kept = kept.into_array(all.num_rows()).expect("a boolean for each");
        let kept = datafusion::common::cast::as_boolean_array(&kept).expect("booleans").true_count();
        assert_eq!(kept, all.num_rows(), "keys were forgotten");
    }
}

/// Replaced rows are freed: if each batch is better than the last, the reservation is that of the kept rows.
#[tokio::test]
async fn rows_that_are_replaced_take_no_memory() {
    let better = |by: i64| batch(&(0..1000).map(|group| (group, 1000 - by)).collect::<Vec<_>>());
    let batches: Vec<RecordBatch> = (0..400).map(better).collect();
    let all: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let limit = 2_000_000;
    assert!(all > 5 * limit, "{all} bytes would fit");
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limit, 1.0).build_arc().expect("a runtime");
    let context = Arc::new(TaskContext::default().with_runtime(runtime));
    let plan = exemplars(&[batches]);
    assert_eq!(plan.output_partitioning().partition_count(), 1);
    let rows = collect(plan, Arc::clone(&context)).await.expect("rows");
    let rows = concat_batches(&rows[0].schema(), &rows).expect("one schema");
    assert_eq!(rows.num_rows(), 1000);
    let values = datafusion::common::cast::as_int64_array(rows.column(1)).expect("numbers");
    assert!(values.iter().flatten().all(|value| value == 601), "not the first ones");
    assert_eq!(context.memory_pool().reserved(), 0);
}
