//! The seed's fourteen logons: who logs on how, how often and when, in rows of our own making.

use datafusion::prelude::CsvReadOptions;

use crate::support::{repository, rows, session, text};

#[tokio::test]
async fn logons_collapse_to_three() {
    let ctx = session();
    let path = repository().join("tests/fixtures/logons.csv");
    ctx.register_csv("logons", path.to_str().expect("a path in UTF-8"), CsvReadOptions::new())
        .await
        .expect("the fixture is readable");
    let sql = r#"
        SELECT "Account", "LogonType", cluster_id, cluster_size, first_event_time, last_event_time
        FROM dbcluster(logons, {account: string_score(Account), type: LogonType}, eps => 0.0001)
        ORDER BY cluster_id"#;
    insta::assert_snapshot!(text(&ctx, sql).await, @r"
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    | Account                       | LogonType | cluster_id | cluster_size | first_event_time        | last_event_time         |
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    | MSTICAlertsWin1\adm1nistrator | 3         | -1         | 1            | 2019-01-15T05:15:06.363 | 2019-01-15T05:15:06.363 |
    | NT AUTHORITY\SYSTEM           | 5         | 0          | 11           | 2019-01-15T04:28:33.090 | 2019-01-15T05:15:12.800 |
    | MSTICAlertsWin1\MSTICAdmin    | 4         | 1          | 2            | 2019-01-15T05:15:02.980 | 2019-01-15T05:15:03.017 |
    +-------------------------------+-----------+------------+--------------+-------------------------+-------------------------+
    ");
}

/// A session that is rebuilt after the registration, as `enable_url_table` does, keeps what was registered, and then
/// takes a file for a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_tables_where_the_session_allows_it() {
    let ctx = session().enable_url_table();
    let path = repository().join("tests/fixtures/logons.csv");
    for features in
        ["[string_score(Account), LogonType], eps => 0.0001", "'string_score(Account), LogonType', 0.0001"]
    {
        let sql = format!("SELECT * FROM dbcluster('{}', {features})", path.display());
        assert_eq!(rows(&ctx, &sql).await.num_rows(), 3, "{sql}");
    }
}

/// A runtime of one thread must not wait for itself while a file is looked up.
#[tokio::test]
async fn one_thread_is_enough_to_look_up_a_file() {
    let ctx = session().enable_url_table();
    let path = repository().join("tests/fixtures/logons.csv");
    let sql = format!("SELECT * FROM dbcluster_members('{}', [LogonType], 1)", path.display());
    assert_eq!(rows(&ctx, &sql).await.num_rows(), 14);
}

/// Files are read by a pattern, and results are files again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_become_files_and_files_tables() {
    let ctx = session().enable_url_table();
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("logs");
    let write = |day: i64| {
        format!(
            "COPY (SELECT to_timestamp_seconds(1768453200 + 86400 * {day} + 60 * value) AS time, value % 2 AS kind, 'd{day}' AS host
                   FROM generate_series(1, 10)) TO '{}/{day}.parquet'",
            logs.display()
        )
    };
    rows(&ctx, &write(1)).await;
    rows(&ctx, &write(2)).await;
    let pattern = format!("{}/*.parquet", logs.display());
    let collapsed = folder.path().join("collapsed.parquet");
    let copy = format!(
        "COPY (SELECT * FROM dbcluster('{pattern}', [kind], 0.5, scaling => 'none', partition_by => host)) TO '{}'",
        collapsed.display()
    );
    rows(&ctx, &copy).await;
    let shown = format!("SELECT host, kind, cluster_size FROM '{}' ORDER BY host, kind", collapsed.display());
    insta::assert_snapshot!(text(&ctx, &shown).await, @r"
    +------+------+--------------+
    | host | kind | cluster_size |
    +------+------+--------------+
    | d1   | 0    | 5            |
    | d1   | 1    | 5            |
    | d2   | 0    | 5            |
    | d2   | 1    | 5            |
    +------+------+--------------+
    ");
}
