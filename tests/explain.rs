//! The plans of the table functions and of `dbscan`, logical and physical, as snapshots.
//!
//! A snapshot's description says what has to hold in its plan: look for it before you accept a new one. Run these tests with
//! `INSTA_UPDATE=always` in their environment to accept all, and read the difference.

use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use crate::plans::{BY_HOST, BY_HOST_MEMBERS, CALL, session};
use crate::support::{rows, session_with};

/// A query, the name of its snapshot, and the property that its plan has to show.
struct Explained {
    name: &'static str,
    sql: String,
    holds: &'static str,
    /// The number of scans of the events.
    scans: usize,
}

/// Logical and physical plan as text without the machine's paths.
async fn explain(ctx: &SessionContext, folder: &tempfile::TempDir, sql: &str) -> String {
    let plans = rows(ctx, &format!("EXPLAIN FORMAT INDENT {sql}")).await;
    let plan = |row| arrow::util::display::array_value_to_string(plans.column(1), row).expect("a plan");
    let path = folder.path().display().to_string();
    format!("{}\n\n{}", plan(0).trim_end(), plan(1).trim_end())
        .replace(path.trim_start_matches('/'), "FOLDER")
}

async fn check(ctx: &SessionContext, folder: &tempfile::TempDir, explained: Vec<Explained>) {
    for Explained { name, sql, holds, scans } in explained {
        let plan = explain(ctx, folder, &sql).await;
        assert_eq!(plan.matches("DataSourceExec").count(), scans, "{sql}\n{plan}");
        let description = format!("{holds}\n\n{sql}");
        insta::with_settings!({ description => description, omit_expression => true }, {
            insta::assert_snapshot!(name, plan);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_dbcluster() {
    let (ctx, folder) = session().await;
    let explained = vec![
        Explained {
            name: "dbcluster",
            sql: format!("SELECT * FROM {CALL}"),
            holds: "One clustering, of the vectors. The build side of the join has the exemplars' keys and never the events, \
                    whose scan gets the join's dynamic filter.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_column_of_exemplars",
            sql: format!("SELECT host, cluster_size FROM {CALL}"),
            holds: "No scan reads wide or id. The one of the vectors does not read host.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_columns_of_clusters",
            sql: format!(
                "SELECT cluster_id, cluster_size, first_event_time, last_event_time, clustered FROM {CALL} WHERE cluster_size > 1"
            ),
            holds: "Nothing of an exemplar is asked for, so the events are read once, and nothing is joined.",
            scans: 1,
        },
        Explained {
            name: "dbcluster_count",
            sql: format!("SELECT count(*) FROM {CALL} WHERE cluster_size > 1"),
            holds: "As above.",
            scans: 1,
        },
        Explained {
            name: "dbcluster_without_order",
            sql: "SELECT cluster_size FROM dbcluster((SELECT path, id FROM events), [path_score(path)], eps => 0.5, scaling => 'none')"
                .to_string(),
            holds: "Where nothing orders the rows, the vectors know their exemplars by a column's least value.",
            scans: 1,
        },
        Explained {
            name: "dbcluster_min_samples",
            sql: "SELECT count(*) FROM dbcluster(events, [id], eps => 0.5, min_samples => 5, scaling => 'none')".to_string(),
            holds: "Noise events of one vector are rows of their own: the vector is repeated, and the events are read once.",
            scans: 1,
        },
        Explained {
            name: "dbcluster_min_samples_columns_of_clusters",
            sql: "SELECT cluster_id, cluster_size, clustered FROM dbcluster(events, {kind: id % 700}, eps => 0.5, min_samples => 50, \
                  scaling => 'none') WHERE cluster_size = 1"
                .to_string(),
            holds: "As above. The filter runs before the vectors are repeated.",
            scans: 1,
        },
        Explained {
            name: "dbcluster_order_by",
            sql: "SELECT id, cluster_size FROM dbcluster(events, [id], eps => 0.5, scaling => 'none', order_by => [path, host])".to_string(),
            holds: "The vectors are in the order of path, then host, and these keys find the exemplars.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_nulls_skip",
            sql: "SELECT id, cluster_size FROM dbcluster(events, {kind: nullif(id % 7, 3)}, eps => 0.5, scaling => 'none', nulls => 'skip')"
                .to_string(),
            holds: "A skipped event is a row of its own, so the events are read again.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_partition_by",
            sql: format!("SELECT id, host, cluster_size FROM {BY_HOST} WHERE host = 'h1'"),
            holds: "Each partition is clustered by itself. A filter on what the rows are partitioned by leaves whole partitions, \
                    so it runs in both scans.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_partition_by_filters",
            sql: format!("SELECT * FROM {BY_HOST} WHERE host IN ('h1', 'h2') AND cluster_size > 1"),
            holds: "The filter on host runs in both scans, the other one behind the clustering.",
            scans: 2,
        },
    ];
    check(&ctx, &folder, explained).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_choose_clusters() {
    let (ctx, folder) = session().await;
    let explained = vec![
        Explained {
            name: "dbcluster_filter_of_clusters",
            sql: format!(
                "SELECT * FROM {CALL} WHERE cluster_size > 400 AND clustered AND cluster_key IS NOT NULL AND tokens < 9 \
                 AND first_event_time > '2026-01-15' AND time > '2026-01-15' AND path LIKE 'C%'"
            ),
            holds: "All but the filter on path are applied to the clusters, before they are joined.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_filter_min_samples",
            sql: "SELECT id FROM dbcluster(events, {kind: id % 700, half: (id % 4) / 2.0}, eps => 0.5, min_samples => 50, \
                  scaling => 'none') WHERE first_event_time > '2026-01-15' AND half < 1 AND kind > 5 AND cluster_size > 1"
                .to_string(),
            holds: "Conditions that a cluster decides are applied to the clusters. For vectors that stand for several times, and for \
                    0.0, which may be -0.0, they are applied above as well.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_top_k",
            sql: format!("SELECT * FROM {CALL} WHERE cluster_size > 1 ORDER BY cluster_size DESC LIMIT 3 OFFSET 1"),
            holds: "The first four clusters are fetched. The order is completed, above and below the join.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_limit",
            sql: format!("SELECT host, id FROM (SELECT * FROM {BY_HOST}) AS c LIMIT 3"),
            holds: "Without ORDER BY the first clusters in canonical order are fetched.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_top_k_of_events",
            sql: format!("SELECT id FROM {CALL} ORDER BY host, cluster_size LIMIT 3"),
            holds: "The order begins with a column of the events, so all clusters are fetched. It is completed all the same.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_top_k_min_samples",
            sql: "SELECT host, id FROM dbcluster(events, {kind: id % 700}, eps => 0.5, min_samples => 50, scaling => 'none') \
                  ORDER BY cluster_size, cluster_id LIMIT 3"
                .to_string(),
            holds: "Below the join the order is that of the groups. Above, the columns that decide among the rows of one vector follow.",
            scans: 2,
        },
        Explained {
            name: "dbcluster_filter",
            sql: format!("SELECT id FROM {CALL} WHERE host = 'h1'"),
            holds: "Without partitions a filter on the events would change who is clustered with whom: it stays above.",
            scans: 2,
        },
    ];
    check(&ctx, &folder, explained).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_dbcluster_members() {
    let (ctx, folder) = session().await;
    let explained = vec![
        Explained {
            name: "members",
            sql: "SELECT * FROM dbcluster_members(events, [id, path_score(path)], eps => 0.5)".to_string(),
            holds: "The vectors are the build side of the join, and the events are looked up.",
            scans: 2,
        },
        Explained {
            name: "members_count",
            sql: "SELECT cluster_id, count(*) FROM dbcluster_members(events, [id, path_score(path)], eps => 0.5) GROUP BY 1"
                .to_string(),
            holds: "The vectors are counted by their weights, and the events are read once.",
            scans: 1,
        },
        Explained {
            name: "members_count_of_filtered",
            sql: "SELECT cluster_id, count(*) FROM dbcluster_members(events, [id, path_score(path)], eps => 0.5) WHERE host = 'h1' GROUP BY 1"
                .to_string(),
            holds: "The condition on events is no condition on vectors, so they are read again.",
            scans: 2,
        },
        Explained {
            name: "members_of_cluster",
            sql: "SELECT id, path FROM dbcluster_members(events, [id, path_score(path)], eps => 0.5) WHERE cluster_id = 1"
                .to_string(),
            holds: "The condition filters the vectors, and their features filter the events in the scan.",
            scans: 2,
        },
        Explained {
            name: "members_options",
            sql: "SELECT id, cluster_id, point_type FROM dbcluster_members(events, {kind: nullif(id % 7, 3)}, eps => 0.5, \
                  min_samples => 5, scaling => 'none', nulls => 'skip', order_by => [path, id])"
                .to_string(),
            holds: "The vectors are in the order of their least path and id.",
            scans: 2,
        },
        Explained {
            name: "members_partition_by",
            sql: format!("SELECT id FROM (SELECT * FROM {BY_HOST_MEMBERS}) WHERE host LIKE 'h%1' AND id > 5"),
            holds: "The filter on host runs in both scans, the one on id not before the clustering.",
            scans: 2,
        },
    ];
    check(&ctx, &folder, explained).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_dbcluster_summary() {
    let (ctx, folder) = session().await;
    let explained = vec![
        Explained {
            name: "summary",
            sql: format!("SELECT * FROM {}", CALL.replace("dbcluster(", "dbcluster_summary(")),
            holds: "The events are read once, and nothing is joined.",
            scans: 1,
        },
        Explained {
            name: "summary_options",
            sql: "SELECT clusters, noise FROM dbcluster_summary(events, [id], eps => 0.5, min_samples => 5, scaling => 'zscore', \
                  partition_by => host, nulls => 'skip')"
                .to_string(),
            holds: "Each partition is clustered by itself, and one row sums them up.",
            scans: 1,
        },
        Explained {
            name: "summary_auto",
            sql: "SELECT * FROM dbcluster_summary(events, [id], eps => 'auto', partition_by => host)".to_string(),
            holds: "The rows decide the eps in the one clustering, which returns it.",
            scans: 1,
        },
        Explained {
            name: "why",
            sql: "SELECT * FROM dbcluster_why(events, [id], eps => 0.5)".to_string(),
            holds: "Only vectors without a cluster are joined with events.",
            scans: 2,
        },
        Explained {
            name: "why_show",
            sql: "SELECT id, distance, nearest_path FROM dbcluster_why(events, [id], eps => 0.5, show => [path])".to_string(),
            holds: "The exemplars are joined too, and a window brings them to the noise that is nearest.",
            scans: 2,
        },
        Explained {
            name: "figures_of_members",
            sql: "SELECT * FROM dbcluster(events, [id], eps => 0.5, distinct_of => [host, path], template_of => path)".to_string(),
            holds: "A third read counts the values of all members, in one hash table per read.",
            scans: 4,
        },
        Explained {
            name: "activity",
            sql: "SELECT id, activity FROM dbcluster(events, [id], eps => 0.5, activity => 24)".to_string(),
            holds: "The bounds of the time come from the file's statistics, where it has them.",
            scans: 4,
        },
        Explained {
            name: "values",
            sql: "SELECT value, lift FROM dbcluster_values(events, [id], eps => 0.5, of => path) WHERE NOT shown".to_string(),
            holds: "Members are counted by cluster and value before shares are computed.",
            scans: 4,
        },
        Explained {
            name: "around",
            sql: "SELECT id, seconds_from_odd FROM dbcluster_around(events, (SELECT * FROM dbcluster(events, [id], eps => 0.5) \
                  WHERE NOT clustered), by => host, within => INTERVAL '5 seconds')"
                .to_string(),
            holds: "The table is joined by host and bucket of time.",
            scans: 3,
        },
        Explained {
            name: "hunt",
            sql: "SELECT subject, score, reasons FROM hunt(events, text => path, subject => path, context => host) LIMIT 20".to_string(),
            holds: "Events are grouped once. Only the earliest event of each shape is fetched.",
            scans: 2,
        },
        Explained {
            name: "every_eps",
            sql: "SELECT * FROM dbcluster_eps(events, [id], eps => [0.5, 1], partition_by => host)".to_string(),
            holds: "The events are read once. The first vector of a partition has the list of all its clusterings.",
            scans: 1,
        },
    ];
    check(&ctx, &folder, explained).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_of_process_features() {
    let (ctx, folder) = session().await;
    let explained = Explained {
        name: "process_features",
        sql: "SELECT \"commandlineLen\", \"pathScore\" FROM \
              process_features((SELECT command AS \"CommandLine\", path AS \"NewProcessName\" FROM events))"
            .to_string(),
        holds: "Only the features that are asked for are computed.",
        scans: 1,
    };
    check(&ctx, &folder, vec![explained]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_dbscan() {
    let (ctx, folder) = session().await;
    let explained = vec![
        Explained {
            name: "window",
            sql: "SELECT id, dbscan(0.5, 5, id) OVER (ORDER BY time) AS cluster FROM events".to_string(),
            holds: "DbscanExec stands for the window, over rows in the order of time, then of the feature.",
            scans: 1,
        },
        Explained {
            name: "window_partition_by",
            sql: "SELECT id, dbscan(0.5, 2, id, path_score(path), {scaling: 'zscore', metric: 'manhattan', weights: [1, 2]}) \
                  OVER (PARTITION BY host ORDER BY time) AS cluster FROM events"
                .to_string(),
            holds: "Rows are dealt out by host.",
            scans: 1,
        },
    ];
    check(&ctx, &folder, explained).await;
}

/// EXPLAIN shows that a session does not filter in the scan, which would make the second read of the events much cheaper.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_without_filters_in_the_scan() {
    let (_, folder) = session().await;
    let ctx = session_of(SessionConfig::new().with_target_partitions(2), &folder).await;
    let explained = Explained {
        name: "dbcluster_filtered_behind_the_scan",
        sql: format!("SELECT * FROM {CALL}"),
        holds: "The operator that filters exemplars says that it does so behind the scan.",
        scans: 2,
    };
    check(&ctx, &folder, vec![explained]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_where_joins_by_sorting_are_preferred() {
    let (_, folder) = session().await;
    let mut config = SessionConfig::new().with_target_partitions(4);
    config.options_mut().optimizer.prefer_hash_join = false;
    let ctx = session_of(config, &folder).await;
    let explained = Explained {
        name: "dbcluster_joins_by_sorting",
        sql: format!("SELECT * FROM {CALL}"),
        holds: "The few clusters are in a hash table all the same.",
        scans: 2,
    };
    check(&ctx, &folder, vec![explained]).await;
}

/// Another session over the same events.
async fn session_of(config: SessionConfig, folder: &tempfile::TempDir) -> SessionContext {
    let ctx = session_with(config);
    let path = folder.path().join("day.parquet").display().to_string();
    ctx.register_parquet("events", &path, ParquetReadOptions::default()).await.expect("a table");
    ctx
}
