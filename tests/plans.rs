//! Plans over Parquet as they run: they read no more than they have to, give the same rows in every form, and can be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use datafusion::physical_plan::ExecutionPlan;

use crate::support::{rows, session_with, text, without_operators};

/// One row group of no rows with the columns f BOOLEAN and s VARCHAR, as pyarrow 26.0 writes it.
const WITHOUT_ROWS: &[u8] = include_bytes!("fixtures/without_rows.parquet");

pub(crate) const CALL: &str =
    "dbcluster(events, {tokens: cmdline_tokens(command), score: path_score(path)}, eps => 0.0001)";

pub(crate) const BY_HOST: &str = "dbcluster(events, {tokens: cmdline_tokens(command), score: path_score(path)}, eps => 0.0001, partition_by => host)";
pub(crate) const BY_HOST_MEMBERS: &str = "dbcluster_members(events, [cmdline_tokens(command), path_score(path)], eps => 0.0001, partition_by => [host])";
const BY_EXPRESSION: &str =
    "dbcluster(events, [cmdline_tokens(command)], eps => 0.5, scaling => 'zscore', exemplar => 'last',
    partition_by => [upper(host), path], keep_members => {command: 2})";

/// A session with 20,000 events in a Parquet file of several row groups, and their folder.
pub(crate) async fn session() -> (SessionContext, tempfile::TempDir) {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().execution.parquet.pushdown_filters = true;
    let ctx = session_with(config);
    let folder = tempfile::tempdir().expect("a folder");
    let write = format!(
        "COPY (SELECT to_timestamp_seconds(1768453200 + value) AS time,
                      'agent.exe --job=' || value || repeat(' -x', CAST(value % 5 AS INT)) AS command,
                      'C:\\Program Files\\' || (value % 7) || '\\agent.exe' AS path, 'h' || (value % 3) AS host,
                      repeat('wide', 20) AS wide, value AS id
               FROM generate_series(0, 19999)
               UNION ALL SELECT NULL, 'odd ; | & one', 'C:\\odd.exe', 'h9', 'wide', -1)
         TO '{}/day.parquet' OPTIONS (max_row_group_size '2000')",
        folder.path().display()
    );
    ctx.sql(&write).await.expect("a plan").collect().await.expect("a file");
    let path = folder.path().join("day.parquet").display().to_string();
    ctx.register_parquet("events", &path, ParquetReadOptions::default()).await.expect("a table");
    (ctx, folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_scan_skips_row_groups() {
    let (ctx, _folder) = session().await;
    let analyzed = text(&ctx, &format!("EXPLAIN ANALYZE SELECT * FROM {CALL}")).await;
    let exemplars = analyzed
        .lines()
        .find(|line| line.contains("DataSourceExec") && line.contains("wide"))
        .expect("a second scan");
    // All 35 kinds of events occur in the first of eleven row groups, the one without a time in some other.
    let pruned = (1..=2)
        .any(|left| exemplars.contains(&format!("row_groups_pruned_statistics=11 total → {left} matched")));
    assert!(pruned, "{exemplars}");
    // Five clusters, none with a second row at its first time.
    let held =
        analyzed.lines().find(|line| line.contains("ExemplarSelectExec")).expect("the choice of exemplars");
    assert!(held.contains("candidates=5"), "{held}");
}

/// EXPLAIN ANALYZE shows the counts of the core, here for 35 kinds of events and an odd one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_analyze_shows_what_the_core_did() {
    let (ctx, _folder) = session().await;
    let sql = format!("SELECT cluster_size FROM {CALL}");
    let analyzed = text(&ctx, &format!("EXPLAIN ANALYZE {sql}")).await;
    let dbscan = analyzed.lines().find(|line| line.contains("DbscanExec")).expect("the clustering");
    let shown = |name: &str| {
        let value = dbscan.split(&format!("{name}=")).nth(1).unwrap_or_else(|| panic!("{name}: {dbscan}"));
        value.split([',', ']']).next().expect("a value").to_string()
    };
    let vectors = "count(DISTINCT struct(cmdline_tokens(command), path_score(path)))";
    let counts = format!(
        "SELECT {vectors}, {vectors} FILTER (WHERE point_type = 'core'), count(DISTINCT cluster_id) FILTER (WHERE cluster_id >= 0),
                {vectors} FILTER (WHERE cluster_id = -1) FROM "
    );
    let counted = rows(&ctx, &format!("{counts}{}", CALL.replace("dbcluster(", "dbcluster_members("))).await;
    for (column, name) in ["input_rows", "core_points", "clusters", "noise_points"].into_iter().enumerate() {
        let counted = counted.column(column).as_primitive::<Int64Type>().value(0);
        assert_eq!(shown(name), counted.to_string(), "{name}: {dbscan}");
    }

    let frame = ctx.sql(&sql).await.expect("a plan");
    let plan = frame.create_physical_plan().await.expect("a physical plan");
    datafusion::physical_plan::collect(Arc::clone(&plan), ctx.task_ctx()).await.expect("rows");
    let dbscan = find(&plan, "DbscanExec").expect("the clustering").metrics().expect("DbscanExec measures");
    let measured =
        |name: &str| dbscan.sum_by_name(name).unwrap_or_else(|| panic!("{name}: {dbscan}")).as_usize();
    let steps = ["index_time", "cores_time", "components_time", "labels_time"];
    assert!(steps.iter().all(|step| measured(step) > 0), "{dbscan}");
    assert!(steps.iter().map(|step| measured(step)).sum::<usize>() <= measured("cluster_time"), "{dbscan}");
    assert!(measured("distances") > 0 && measured("peak_mem_used") > 0, "{dbscan}");
    for name in steps.into_iter().chain(["cluster_time", "distances", "peak_mem_used"]) {
        assert_ne!(shown(name), "0", "{name}");
    }
}

/// The first operator of this name.
fn find(plan: &Arc<dyn ExecutionPlan>, name: &str) -> Option<Arc<dyn ExecutionPlan>> {
    if plan.name() == name {
        return Some(Arc::clone(plan));
    }
    plan.children().into_iter().find_map(|child| find(child, name))
}

/// An event without a time is an event: the filter that the join sends to the scan must not lose it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplar_without_a_time_is_found() {
    let (ctx, _folder) = session().await;
    let odd = rows(&ctx, &format!("SELECT id, first_event_time FROM {CALL} WHERE id = -1")).await;
    assert_eq!((odd.num_rows(), odd.column(1).null_count()), (1, 1));
}

/// The engine distributes the partitions of `partition_by` over its own, which are clustered in parallel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_clustered_in_parallel() {
    let (ctx, _folder) = session().await;
    let frame = ctx.sql(&format!("SELECT * FROM {BY_HOST}")).await.expect("a plan");
    let plan = frame.create_physical_plan().await.expect("a physical plan");
    datafusion::physical_plan::collect(Arc::clone(&plan), ctx.task_ctx()).await.expect("rows");
    let mut busy = vec![];
    plan.apply(|node| {
        if node.name() == "DbscanExec" {
            let metrics = node.metrics().expect("DbscanExec measures");
            let inputs = metrics.iter().filter(|metric| metric.value().name() == "input_rows");
            busy.extend(inputs.map(|metric| (metric.partition(), metric.value().as_usize())));
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .expect("a tree");
    busy.sort_unstable();
    let partitions: Vec<_> =
        busy.iter().filter(|(_, rows)| *rows > 0).map(|(partition, _)| *partition).collect();
    assert_eq!(partitions, [Some(0), Some(1)], "{busy:?}");
}

/// The physical plan of a statement as text.
async fn plan(ctx: &SessionContext, folder: &tempfile::TempDir, sql: &str) -> String {
    let plan = rows(ctx, &format!("EXPLAIN FORMAT INDENT {sql}")).await;
    let plan = arrow::util::display::array_value_to_string(plan.column(1), 1).expect("a physical plan");
    let path = folder.path().display().to_string();
    plan.replace(path.trim_start_matches('/'), "FOLDER")
}

/// Each setting takes its operator out of the plan, and a session that has lost the settings has the defaults.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_switch_the_operators() {
    let (ctx, folder) = session().await;
    let sql = format!("SELECT * FROM {CALL}");
    let with_all = plan(&ctx, &folder, &sql).await;
    for (setting, operators) in [
        ("enable_dbscan_exec", &["DbscanExec"][..]),
        ("enable_exemplar_fetch", &["ExemplarKeyCollectExec", "ExemplarFilterExec"]),
        ("enable_exemplar_select", &["ExemplarSelectExec"]),
    ] {
        let set = |value: bool| format!("SET dbcluster.{setting} = {value}");
        ctx.sql(&set(false)).await.expect("a setting");
        let without = plan(&ctx, &folder, &sql).await;
        for operator in ["DbscanExec", "ExemplarKeyCollectExec", "ExemplarFilterExec", "ExemplarSelectExec"] {
            assert!(with_all.contains(operator), "{operator}: {with_all}");
            assert_eq!(without.contains(operator), !operators.contains(&operator), "{setting}: {without}");
        }
        ctx.sql(&set(true)).await.expect("a setting");
    }
    let hash_join = "SET datafusion.optimizer.prefer_hash_join = false";
    ctx.sql(hash_join).await.expect("a setting");
    assert!(!plan(&ctx, &folder, &sql).await.contains("SortMergeJoin"));
    ctx.sql("SET dbcluster.enable_cluster_hash_join = false").await.expect("a setting");
    assert!(plan(&ctx, &folder, &sql).await.contains("SortMergeJoin"));
    // The new session shares the catalog, which has the table already.
    let config = SessionConfig::new().with_target_partitions(2);
    let mut config = config.with_create_default_catalog_and_schema(false);
    config.options_mut().execution.parquet.pushdown_filters = true;
    let without_settings = SessionContext::new_with_state(
        datafusion::execution::SessionStateBuilder::new_from_existing(ctx.state())
            .with_config(config)
            .build(),
    );
    assert_eq!(plan(&without_settings, &folder, &sql).await, with_all);
}

/// The rules that read less must not change what is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_the_plan_without_the_rules() {
    let (ctx, _folder) = session().await;
    let plain = SessionContext::new_with_state(
        datafusion::execution::SessionStateBuilder::new_from_existing(ctx.state())
            .with_optimizer_rules(vec![])
            .build(),
    );
    let config = without_operators(ctx.copied_config());
    let without_operators = SessionContext::new_with_state(
        datafusion::execution::SessionStateBuilder::new_from_existing(ctx.state())
            .with_config(config)
            .build(),
    );
    for sql in [
        format!("SELECT * FROM {CALL}"),
        format!("SELECT host, cluster_size FROM {CALL}"),
        format!("SELECT count(*), sum(cluster_size) FROM {CALL}"),
        format!("SELECT cluster_size FROM {CALL} WHERE cluster_size > 400"),
        format!("SELECT host, id FROM {CALL} WHERE path LIKE '%3%' AND clustered"),
        "SELECT id, first_event_time FROM dbcluster(events, [path_score(path)], eps => 0.5, min_samples => 3000, scaling => 'none')"
            .to_string(),
        format!("SELECT id, host, cluster_key FROM {BY_HOST} WHERE host = 'h1'"),
        format!("SELECT id, host FROM {BY_HOST} WHERE host LIKE 'h%' AND cluster_size > 300"),
        format!("SELECT host, cluster_size FROM {BY_HOST} WHERE host IS NOT NULL OR cluster_size = 1"),
        format!("SELECT max(cluster_size), host FROM {BY_HOST} WHERE host IN ('h1', 'h9') GROUP BY host"),
        format!("SELECT id, tokens FROM {BY_HOST} ORDER BY cluster_size DESC, id LIMIT 3 OFFSET 1"),
        format!("SELECT c.id, m.cluster_id FROM {BY_HOST} c JOIN {BY_HOST_MEMBERS} m ON c.id = m.id WHERE c.host = 'h2'"),
        format!("SELECT host, point_type, count(*) FROM {BY_HOST_MEMBERS} WHERE host = 'h0' GROUP BY 1, 2"),
        format!("SELECT id, cluster_id, cluster_key FROM {BY_HOST_MEMBERS} WHERE id < 20 AND host <> 'h1'"),
        format!("SELECT id, cluster_id FROM {BY_HOST_MEMBERS} ORDER BY id DESC LIMIT 5"),
        format!("SELECT id, point_type FROM {BY_HOST_MEMBERS} WHERE cluster_id = 1 OR cluster_id IS NULL"),
        format!("SELECT host, count(*), max(cluster_id) FROM {BY_HOST_MEMBERS} GROUP BY host"),
        "SELECT point_type, count(*), count(cluster_key) FROM dbcluster_members(events, [id % 70], 0.5, 1400, scaling => 'none')
         GROUP BY point_type UNION ALL SELECT 'all', count(*), 0 FROM events UNION ALL SELECT 'more', 1, 1"
            .to_string(),
        format!("SELECT host, id FROM {BY_EXPRESSION} WHERE host = 'h1' AND clustered"),
        format!("SELECT id, command_members FROM {BY_EXPRESSION} WHERE cluster_size > 100"),
        // Few times and many clusters, each of which has rows at every time.
        "SELECT * FROM dbcluster((SELECT date_trunc('hour', time) AS time, host, id FROM events), [id % 300, id % 7], 0.5,
         scaling => 'none')"
            .to_string(),
        "SELECT id, cluster_size FROM dbcluster((SELECT host, path, id FROM events), [id % 300, id % 7], 0.5,
         scaling => 'none', order_by => host)"
            .to_string(),
        "SELECT * FROM dbcluster((SELECT time, host, id, path FROM events), [id % 400], 0.5, scaling => 'none',
         order_by => [path, host], exemplar => 'rarest')"
            .to_string(),
        // Nothing orders the rows, and columns that are NULL decide.
        "SELECT * FROM dbcluster((SELECT nullif(host, 'h1') AS host, path, id FROM events), [id % 20], 0.5,
         scaling => 'none')"
            .to_string(),
        "SELECT * FROM dbcluster((SELECT nullif(host, 'h1') AS host, path, id FROM events), [id % 20], 0.5, 1500,
         scaling => 'none', exemplar => 'medoid')"
            .to_string(),
        "SELECT * FROM dbcluster((SELECT time, host, id FROM events), [id], 0.5, scaling => 'none')".to_string(),
    ] {
        let sorted = |text: String| {
            let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
            lines.sort();
            lines
        };
        let with = sorted(text(&ctx, &sql).await);
        assert!(with.len() > 4, "{sql} would prove nothing");
        assert_eq!(with, sorted(text(&plain, &sql).await), "{sql}");
        assert_eq!(with, sorted(text(&without_operators, &sql).await), "{sql}");
    }
}

/// Sessions with the tables of another one that run queries otherwise: with other partitions and batches, with the rule that
/// applies filters and limits to clusters and without it, and without any rule.
fn sessions_beside(ctx: &SessionContext) -> Vec<SessionContext> {
    let mut sessions = vec![];
    for (partitions, batch_size, setting) in
        [(2, 8192, false), (1, 8192, true), (3, 7, false), (4, 100, true)]
    {
        let config = ctx.copied_config().with_target_partitions(partitions).with_batch_size(batch_size);
        let config = config.set_bool("dbcluster.enable_cluster_pushdown", setting);
        let other = datafusion::execution::SessionStateBuilder::new_from_existing(ctx.state());
        sessions.push(SessionContext::new_with_state(other.with_config(config).build()));
    }
    let plain = datafusion::execution::SessionStateBuilder::new_from_existing(ctx.state());
    sessions.push(SessionContext::new_with_state(plain.with_optimizer_rules(vec![]).build()));
    sessions
}

/// Filters and limits choose the same rows, in the same order, whether they are applied to the clusters or to the rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_chosen_as_rows_are() {
    let (ctx, _folder) = session().await;
    let sessions = sessions_beside(&ctx);
    let calls = [
        CALL.to_string(),
        BY_HOST.to_string(),
        BY_EXPRESSION.to_string(),
        // Vectors of one to twenty-eight events, many of which are noise and equal in every column but a few.
        "dbcluster((SELECT time, host, path, id % 3 AS few, id FROM events), {kind: id % 700}, eps => 0.5, min_samples => 29,
         scaling => 'none')"
            .to_string(),
        "dbcluster((SELECT date_trunc('hour', time) AS time, host, id % 3 AS few, id FROM events), {kind: nullif(id % 90, 3),
         half: (id % 4) / 2.0 - 0.5}, eps => 0.4, min_samples => 57, scaling => 'none', nulls => 'skip', partition_by => few)"
            .to_string(),
        "dbcluster((SELECT host, path, id FROM events), {kind: nullif(id % 300, 3)}, eps => 0.5, min_samples => 70, scaling => 'none',
         nulls => 'zero', order_by => [path, host], exemplar => 'last', keep_members => {id: 2})"
            .to_string(),
        "dbcluster((SELECT host, path, id FROM events), {kind: nullif(id % 300, 3)}, eps => 0.5, min_samples => 67, scaling => 'none',
         nulls => 'skip', exemplar => 'rarest')"
            .to_string(),
    ];
    let above = [
        "SELECT * FROM {} ORDER BY cluster_size LIMIT 7",
        "SELECT * FROM {} ORDER BY cluster_size DESC LIMIT 5 OFFSET 2",
        "SELECT id, cluster_size FROM {} ORDER BY clustered DESC, cluster_size DESC NULLS LAST LIMIT 40",
        "SELECT id FROM {} ORDER BY cluster_id NULLS FIRST LIMIT 3",
        "SELECT cluster_id, cluster_size FROM {} ORDER BY cluster_key DESC NULLS FIRST LIMIT 9",
        "SELECT cluster_size, host FROM {} WHERE cluster_size > 1 LIMIT 4",
        "SELECT * FROM {} LIMIT 6",
        "SELECT id, host FROM {} LIMIT 600 OFFSET 3",
        "SELECT count(*), sum(id), sum(cluster_size) FROM (SELECT * FROM {} ORDER BY cluster_size LIMIT 25)",
        "SELECT id FROM {} WHERE NOT clustered OR cluster_size > 100 ORDER BY host DESC LIMIT 8",
        "SELECT host, id FROM {} WHERE id % 2 = 0 ORDER BY cluster_size, host LIMIT 8",
        "SELECT * FROM (SELECT id, host, cluster_size AS size FROM {} WHERE cluster_size < 1000) AS c ORDER BY size DESC, host LIMIT 4",
        "SELECT a.id, b.host FROM (SELECT * FROM {} ORDER BY cluster_size DESC LIMIT 3) AS a JOIN events AS b ON a.id = b.id ORDER BY 1",
        "SELECT id FROM {} WHERE cluster_size >= (SELECT max(cluster_size) FROM {}) ORDER BY cluster_size, id LIMIT 5",
        "SELECT *, cluster_size + 1 AS more FROM {} ORDER BY cluster_size % 7, more DESC LIMIT 12",
    ];
    // Each query runs without the rule, and in one of the other sessions in turn.
    let mut turns = (1..sessions.len()).cycle();
    for call in &calls {
        for above in above {
            let sql = above.replace("{}", call);
            let expected = text(&ctx, &sql).await;
            assert!(expected.lines().count() > 4, "{sql} would prove nothing\n{expected}");
            for place in turns.next().into_iter().chain([0]) {
                assert_eq!(expected, text(&sessions[place], &sql).await, "session {place}: {sql}");
            }
        }
        for condition in [
            "cluster_size > 5",
            "cluster_id < 2 OR cluster_id IS NULL",
            "clustered AND cluster_key IS NOT NULL",
            "NOT clustered",
            "host = 'h1' AND cluster_size BETWEEN 1 AND 900",
        ] {
            let sql = format!("SELECT * FROM {call} WHERE {condition} ORDER BY id");
            let expected = text(&ctx, &sql).await;
            for place in turns.next().into_iter().chain([0]) {
                assert_eq!(expected, text(&sessions[place], &sql).await, "session {place}: {sql}");
            }
        }
    }
    // A feature alone is shown, and a key is computed from a column that no node above the join has.
    let sql = "SELECT few, cluster_key FROM dbcluster((SELECT id, host, id % 3 AS few, (id % 4) / 2.0 AS half FROM events), [few],
               eps => 0.5, scaling => 'none', nulls => 'skip', partition_by => half, order_by => [half, host])
               ORDER BY few LIMIT 4 OFFSET 3";
    let expected = text(&ctx, sql).await;
    for other in &sessions {
        assert_eq!(expected, text(other, sql).await);
    }
}

/// A great LIMIT without ORDER BY gets no order, which would hold all its rows in memory.
#[tokio::test]
async fn great_limits_stay_open() {
    let (ctx, _folder) = session().await;
    for (limit, sorted) in
        [("100000", true), ("99999 OFFSET 1", true), ("100001", false), ("100000 OFFSET 1", false)]
    {
        let plan = text(&ctx, &format!("EXPLAIN FORMAT INDENT SELECT id FROM {CALL} LIMIT {limit}")).await;
        assert_eq!(plan.contains("__limit_key_0"), sorted, "{limit}\n{plan}");
    }
}

/// Of events the clusters know their features and times, with exceptions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_chosen_by_what_clusters_know() {
    let (ctx, _folder) = session().await;
    let sessions = sessions_beside(&ctx);
    let call = "dbcluster((SELECT time, host, id, CASE id % 5 WHEN 0 THEN -0.0 WHEN 1 THEN NULL WHEN 2 THEN 'NaN' ELSE id % 5 - 3.5 END::DOUBLE
                           AS x, nullif(id % 7, 3) AS y FROM events), [x, y], eps => 0.5, min_samples => 600, scaling => 'none', nulls => {})";
    for nulls in ["'zero'", "'skip'"] {
        for condition in [
            "x > -1",
            "x < 0 OR x IS NULL",
            "x = 0",
            "x IS NULL",
            "isnan(x)",
            "CAST(x AS VARCHAR) LIKE '-%'",
            "y > 3",
            "y IS NULL AND x >= 0",
            "y IS NULL OR y = 0",
            "first_event_time > '2026-01-15T06:00:00Z'",
            "last_event_time IS NULL",
            "time <= '2026-01-15T05:00:02Z' OR y = 6",
            "x + y > 3",
        ] {
            let sql = format!(
                "SELECT id, x, y, time, cluster_size FROM {} WHERE {condition} ORDER BY id",
                call.replace("{}", nulls)
            );
            let expected = text(&ctx, &sql).await;
            for (place, other) in sessions.iter().enumerate() {
                assert_eq!(expected, text(other, &sql).await, "session {place}: {sql}");
            }
        }
    }
}

/// Dropping a query stops its clustering: the core is told, and gives its memory back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_query_gives_its_memory_back() {
    let (ctx, _folder) = session().await;
    // Every point of a lattice counts some 125,000 neighbours in vain: many seconds of work.
    let sql = "SELECT dbscan(200, 140000, value % 1000, value / 1000) OVER () AS c FROM generate_series(1, 1000000)";
    let frame = ctx.sql(sql).await.expect("a plan");
    let pool = Arc::clone(&ctx.runtime_env().memory_pool);
    let query = tokio::time::timeout(std::time::Duration::from_secs(2), frame.collect()).await;
    assert!(query.is_err(), "the query has ended by itself: this proves nothing");
    assert!(pool.reserved() > 0, "nothing was reserved for the clustering");
    drop(query);
    // This takes some milliseconds on an idle machine.
    for _ in 0..300 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if pool.reserved() == 0 {
            return;
        }
    }
    panic!("{} bytes are still reserved", pool.reserved());
}

/// A table that gives other rows the second time is an error, never a missing or an empty row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn table_that_changes_between_its_reads_is_noticed() {
    let (ctx, _folder) = session().await;
    let calls = AtomicI64::new(0);
    // The function claims to be immutable, so the query is not refused when it is planned.
    let changing = create_udf(
        "changing",
        vec![DataType::Int64],
        DataType::Int64,
        Volatility::Immutable,
        Arc::new(move |args: &[ColumnarValue]| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            let ids = ColumnarValue::values_to_arrays(args)?;
            let ids = ids[0].as_primitive::<Int64Type>().unary::<_, Int64Type>(|id| id % 3 + 10 * call);
            Ok(ColumnarValue::Array(Arc::new(ids)))
        }),
    );
    ctx.register_udf(changing);
    for call in ["dbcluster", "dbcluster_members"] {
        let sql = format!(
            "SELECT * FROM {call}((SELECT time, host, changing(id) AS v FROM events), [v], 0.5, scaling => 'none')"
        );
        let error = ctx.sql(&sql).await.expect("a plan").collect().await.expect_err(call).to_string();
        assert!(error.contains("the table changed while it was clustered"), "{call}: {error}");
    }
}

/// Statistics of a Parquet file leave NaN out, so the column of one number and NaN is no constant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nan_behind_statistics_is_seen() {
    let ctx = session_with(SessionConfig::new().with_target_partitions(2));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, data_type) in [("double", "DOUBLE"), ("float", "REAL")] {
        let path = folder.path().join(format!("{name}.parquet")).display().to_string();
        let write = format!(
            "COPY (SELECT * FROM (VALUES (1, 7.0::{data_type}), (2, 'NaN'::{data_type}), (3, 7.0::{data_type})) AS t(id, x)) TO '{path}'"
        );
        ctx.sql(&write).await.expect("a plan").collect().await.expect("a file");
        ctx.register_parquet(name, &path, ParquetReadOptions::default()).await.expect("a table");
        let read = text(&ctx, &format!("SELECT x FROM {name} ORDER BY id")).await;
        assert_eq!(read.matches("NaN").count(), 1, "{read}");
        let greatest = text(&ctx, &format!("SELECT max(x) FROM {name}")).await;
        assert!(greatest.contains("NaN"), "{greatest}");
        let clustered = format!("SELECT * FROM dbcluster_summary({name}, [x], eps => 1, scaling => 'none')");
        let error =
            ctx.sql(&clustered).await.expect("a plan").collect().await.expect_err("a NaN").to_string();
        assert!(error.contains("feature 'x' is NaN in 1 of 3 rows"), "{error}");
        let kept =
            format!("SELECT x FROM dbcluster({name}, [id], eps => 0.5, scaling => 'none') ORDER BY id");
        assert!(text(&ctx, &kept).await.contains("NaN"));
    }
}

/// A file without rows has a column of booleans without bytes, which nobody has to read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_without_rows_are_no_hindrance() {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().execution.parquet.pushdown_filters = true;
    let ctx = session_with(config);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("none.parquet"), WITHOUT_ROWS).expect("a file");
    let one = folder.path().join("one.parquet").display().to_string();
    let write = format!("COPY (SELECT true AS f, 'a' AS s) TO '{one}'");
    ctx.sql(&write).await.expect("a plan").collect().await.expect("a file");
    let path = folder.path().display().to_string();
    ctx.register_parquet("events", &path, ParquetReadOptions::default()).await.expect("a table");
    let target = folder.path().join("copy.json").display().to_string();
    for sql in [
        "SELECT s FROM events WHERE f".to_string(),
        format!("COPY (SELECT s FROM events WHERE f) TO '{target}'"),
        "SELECT s FROM dbcluster(events, [f], eps => 1, nulls => 'skip', min_samples => 3)".to_string(),
        format!("COPY (SELECT s FROM dbcluster(events, [f], eps => 1, min_samples => 3)) TO '{target}'"),
    ] {
        assert_eq!(rows(&ctx, &sql).await.num_rows(), 1, "{sql}");
    }
}

/// Sessions that prefer joins by sorting have the same answers, with the few clusters in a hash table all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_by_sorting_are_for_other_tables() {
    let (ctx, folder) = session().await;
    let mut config = SessionConfig::new().with_target_partitions(4);
    config.options_mut().optimizer.prefer_hash_join = false;
    let sorting = session_with(config);
    let path = folder.path().join("day.parquet").display().to_string();
    sorting.register_parquet("events", &path, ParquetReadOptions::default()).await.expect("a table");
    for sql in [
        format!("SELECT * FROM {CALL} ORDER BY id"),
        format!("SELECT * FROM {BY_HOST} ORDER BY id"),
        format!("SELECT * FROM {BY_HOST_MEMBERS} ORDER BY id"),
        "SELECT * FROM dbcluster(events, [path_score(path)], eps => 0.5, min_samples => 3000, scaling => 'none') ORDER BY id".to_string(),
        format!("SELECT * FROM {BY_EXPRESSION} ORDER BY id"),
    ] {
        assert_eq!(text(&ctx, &sql).await, text(&sorting, &sql).await, "{sql}");
    }
}

/// A clustering that does not fit into memory fails with its figures, and the session goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clustering_beyond_the_pool_says_how_much() {
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(20_000_000, 1.0).build_arc().expect("a runtime");
    let config = SessionConfig::new().with_target_partitions(2);
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    let sql = "SELECT count(*) FROM (SELECT dbscan(0.5, 2, value) OVER () AS c FROM generate_series(1, 1000000)) WHERE c > 0";
    let error =
        ctx.sql(sql).await.expect("a plan").collect().await.expect_err("too little memory").to_string();
    for figure in ["rows of 1 feature needs", "more than the", "give the query more memory"] {
        assert!(error.contains(figure), "{figure} is missing: {error}");
    }
    assert_eq!(ctx.runtime_env().memory_pool.reserved(), 0);
    assert_eq!(
        rows(&ctx, "SELECT dbscan(0.5, 2, value) OVER () AS c FROM generate_series(1, 10)").await.num_rows(),
        10
    );
}
