//! Files that change while a query reads them: an answer is of one version of a file, or it is an error.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::physical_plan::collect;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::prelude::{CsvReadOptions, SessionConfig, SessionContext};

use crate::support::{number, rows, session_with, text};

const FORMATS: [&str; 4] = ["csv", "json", "parquet", "arrow"];

/// A table of one file, and another file that replaces it when a feature is computed for the first time. The first read has
/// seen the one then, and the second read finds the other.
struct Swapped {
    ctx: SessionContext,
    folder: tempfile::TempDir,
    format: &'static str,
}

impl Swapped {
    /// 200 rows, 40 of each `v`; the other file has 50 rows more and `B` instead of `A` in `s`.
    async fn new(format: &'static str) -> Self {
        let swapped = Self::without_files(format);
        swapped.write("table", 'A', 200).await;
        swapped.write("other", 'B', 250).await;
        swapped
    }

    fn without_files(format: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = SessionConfig::new().with_target_partitions(2);
        let ctx = session_with(config).enable_url_table();
        let path = |name: &str| folder.path().join(format!("{name}.{format}"));
        let (table, other, was_swapped) = (path("table"), path("other"), AtomicBool::new(false));
        let swap = move |values: &[ColumnarValue]| {
            if !was_swapped.swap(true, Ordering::SeqCst) && other.exists() {
                fs::rename(&other, &table).map_err(DataFusionError::from)?;
            }
            Ok(values[0].clone())
        };
        let udf =
            create_udf("swap", vec![DataType::Int64], DataType::Int64, Volatility::Immutable, Arc::new(swap));
        ctx.register_udf(udf);
        Self { ctx, folder, format }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.{}", self.format))
    }

    async fn write(&self, name: &str, letter: char, count: usize) {
        let path = self.path(name);
        let write = format!(
            "COPY (SELECT value AS id, value % 5 AS v, '{letter}' || lpad(CAST(value AS VARCHAR), 4, '0') AS s
                   FROM generate_series(1, {count})) TO '{}'",
            path.display()
        );
        rows(&self.ctx, &write).await;
    }

    fn call(&self, function: &str, feature: &str) -> String {
        let table = self.path("table");
        format!(
            "{function}('{}', [{feature}], eps => 0.5, scaling => 'none', order_by => id)",
            table.display()
        )
    }

    async fn error(&self, sql: &str) -> String {
        failure(&self.ctx, sql).await
    }
}

async fn failure(ctx: &SessionContext, sql: &str) -> String {
    let frame = match ctx.sql(sql).await {
        Ok(frame) => frame,
        Err(error) => return error.to_string(),
    };
    match frame.collect().await {
        Ok(rows) => panic!("{sql}\nshould fail, and gives {rows:?}"),
        Err(error) => error.to_string(),
    }
}

fn assert_changed(told: &str, table: &Path) {
    let expected =
        format!("the table changed while it was clustered: the file {} is not the one", table.display());
    assert!(told.contains(&expected), "{told}");
}

#[tokio::test]
async fn a_file_that_is_replaced_between_the_reads_is_an_error() {
    for format in FORMATS {
        for query in [
            "SELECT s, cluster_id FROM CALL",
            "SELECT s, cluster_id FROM CALL LIMIT 1",
            "SELECT count(s) FROM CALL",
            "CREATE TABLE kept AS SELECT * FROM CALL",
            "EXPLAIN ANALYZE SELECT * FROM CALL",
        ] {
            for function in ["dbcluster", "dbcluster_members"] {
                let swapped = Swapped::new(format).await;
                let sql = query.replace("CALL", &swapped.call(function, "swap(v)"));
                assert_changed(&swapped.error(&sql).await, &swapped.path("table"));
                // The file has stayed the same since, so the query has an answer.
                let size = number(
                    &swapped.ctx,
                    &format!("SELECT count(s) FROM {}", swapped.call("dbcluster_members", "swap(v)")),
                )
                .await;
                assert_eq!(size, 250, "{sql}");
            }
        }
    }
}

/// Without the rule the sizes of one file stand beside the rows of another.
#[tokio::test]
async fn without_the_rule_two_files_are_mixed() {
    let swapped = Swapped::new("csv").await;
    let state = swapped.ctx.state();
    let rules = state.physical_optimizers().iter().filter(|rule| rule.name() != "unchanged_files").cloned();
    let builder =
        SessionStateBuilder::new_from_existing(state.clone()).with_physical_optimizer_rules(rules.collect());
    let without = SessionContext::new_with_state(builder.build());
    let sql = format!(
        "SELECT sum(cluster_size) AS size, min(left(s, 1)) AS least, max(left(s, 1)) AS greatest FROM {}",
        swapped.call("dbcluster", "swap(v)")
    );
    let mixed = text(&without, &sql).await;
    assert!(mixed.contains("| 200  | B     | B        |"), "{mixed}");
}

/// A sink gets the error before it completes its file.
#[tokio::test]
async fn a_writer_gets_the_error() {
    for format in FORMATS {
        let swapped = Swapped::new("csv").await;
        let out = swapped.folder.path().join(format!("out.{format}"));
        let call = swapped.call("dbcluster", "swap(v)");
        let copy = format!("COPY (SELECT s, cluster_size FROM {call}) TO '{}'", out.display());
        let plan = text(&swapped.ctx, &format!("EXPLAIN FORMAT INDENT {copy}")).await;
        let (sink, check) = (plan.find("DataSinkExec"), plan.find("UnchangedFilesExec"));
        assert!(sink.is_some() && sink < check, "{plan}");
        assert_changed(&swapped.error(&copy).await, &swapped.path("table"));
    }
}

/// A query that reads a file once is not checked, whatever happens to the file afterwards.
#[tokio::test]
async fn one_look_is_not_checked() {
    let swapped = Swapped::new("csv").await;
    let sizes = format!("SELECT sum(cluster_size) FROM {}", swapped.call("dbcluster", "swap(v)"));
    let plan = text(&swapped.ctx, &format!("EXPLAIN FORMAT INDENT {sizes}")).await;
    assert!(!plan.contains("UnchangedFilesExec"), "{plan}");
    assert_eq!(number(&swapped.ctx, &sizes).await, 200);
    let all = format!("SELECT s FROM {}", swapped.call("dbcluster", "v"));
    let plan = text(&swapped.ctx, &format!("EXPLAIN FORMAT INDENT {all}")).await;
    assert!(plan.contains("UnchangedFilesExec: read_twice=1"), "{plan}");
    let plan = text(&swapped.ctx, &format!("EXPLAIN FORMAT TREE {all}")).await;
    assert!(plan.contains("read_twice: 1"), "{plan}");
    // The engine's own joins are not ours to check.
    let table = swapped.path("table");
    let join =
        format!("EXPLAIN FORMAT INDENT SELECT * FROM '{0}' a JOIN '{0}' b USING (id)", table.display());
    let plan = text(&swapped.ctx, &join).await;
    assert!(!plan.contains("UnchangedFilesExec"), "{plan}");
}

/// The error of a reader that met another file's bytes names the change.
#[tokio::test]
async fn a_reader_that_fails_of_another_file_says_so() {
    for format in ["parquet", "arrow", "json"] {
        let swapped = Swapped::without_files(format);
        swapped.write("table", 'A', 200).await;
        let garbage = "{\"id\": 1, no such thing\n".repeat(2000);
        fs::write(swapped.path("other"), garbage).expect("another file");
        let told = swapped.error(&format!("SELECT * FROM {}", swapped.call("dbcluster", "swap(v)"))).await;
        assert_changed(&told, &swapped.path("table"));
        assert!(told.contains("(it failed with: "), "{told}");
    }
}

/// Each run of a plan checks the files again.
#[tokio::test]
async fn a_plan_that_is_run_again_needs_the_same_files() {
    let swapped = Swapped::without_files("csv");
    swapped.write("table", 'A', 200).await;
    let sql = format!("SELECT s FROM {}", swapped.call("dbcluster", "v"));
    let plan = swapped.ctx.sql(&sql).await.expect("a plan").create_physical_plan().await.expect("a plan");
    for _ in 0..2 {
        let again = reset_plan_states(Arc::clone(&plan)).expect("a plan");
        let batches = collect(again, swapped.ctx.task_ctx()).await.expect("rows");
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    }
    swapped.write("table", 'B', 250).await;
    let again = reset_plan_states(plan).expect("a plan");
    let told = collect(again, swapped.ctx.task_ctx()).await.expect_err("another file").to_string();
    let table = swapped.path("table");
    let expected =
        format!("the file {} is not the one that was there when the query was planned", table.display());
    assert!(told.contains(&expected), "{told}");

    // A prepared statement is planned each time.
    rows(&swapped.ctx, &format!("PREPARE again AS {sql}")).await;
    for (letter, count) in [('C', 300), ('D', 150)] {
        swapped.write("table", letter, count).await;
        assert_eq!(rows(&swapped.ctx, "EXECUTE again").await.num_rows(), 5);
    }
}

/// The engine may cache the list of a folder's files for longer than they exist. The advice of the error helps.
#[tokio::test]
async fn an_old_list_of_files_is_an_error() {
    let swapped = Swapped::without_files("csv");
    swapped.write("table", 'A', 200).await;
    let folder = format!("{}/", swapped.folder.path().display());
    swapped.ctx.register_csv("t", &folder, CsvReadOptions::new()).await.expect("a table");
    let sql = "SELECT s, cluster_size FROM dbcluster(t, [v], eps => 0.5, scaling => 'none')";
    assert_eq!(rows(&swapped.ctx, sql).await.num_rows(), 5);
    swapped.write("table", 'B', 250).await;
    let told = swapped.error(sql).await;
    let advice = "SET datafusion.runtime.list_files_cache_limit = '0'";
    assert!(told.contains(advice), "{told}");
    rows(&swapped.ctx, advice).await;
    let sizes = format!("SELECT sum(cluster_size) FROM ({sql})");
    assert_eq!(number(&swapped.ctx, &sizes).await, 250);
}

/// A folder whose files are asked for one by one, and one that is listed.
#[tokio::test]
async fn one_file_of_a_folder_is_named() {
    for count in [3, 120] {
        let swapped = Swapped::without_files("csv");
        rows(&swapped.ctx, "SET datafusion.runtime.list_files_cache_limit = '0'").await;
        let logs = swapped.folder.path().join("logs");
        fs::create_dir(&logs).expect("a folder");
        for number in 0..count {
            fs::write(logs.join(format!("{number:03}.csv")), "id,v,s\n1,1,A\n2,2,A\n").expect("a file");
        }
        let victim = logs.join("001.csv");
        let (path, other) = (victim.clone(), swapped.folder.path().join("other"));
        fs::write(&other, "id,v,s\n1,1,B\n2,2,B\n").expect("a file");
        let was_swapped = AtomicBool::new(false);
        let swap = move |values: &[ColumnarValue]| {
            if !was_swapped.swap(true, Ordering::SeqCst) {
                fs::rename(&other, &path).map_err(DataFusionError::from)?;
            }
            Ok(values[0].clone())
        };
        let udf =
            create_udf("swap", vec![DataType::Int64], DataType::Int64, Volatility::Immutable, Arc::new(swap));
        swapped.ctx.register_udf(udf);
        let sql = format!(
            "SELECT s, cluster_size FROM dbcluster('{}/', [swap(v)], eps => 0.5, scaling => 'none', order_by => id)",
            logs.display()
        );
        assert_changed(&swapped.error(&sql).await, &victim);
        rows(&swapped.ctx, &sql).await;
    }
}
