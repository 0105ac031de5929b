//! scikit-learn's labels on the real event sets, and the known answers of the seed.
//!
//! `<set>.reference.parquet` holds, for every row of a set in file order, the features and the labels that
//! scikit-learn gave at each eps. The row number is the order, so cluster numbers have to be equal, not only the
//! partition.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};

use datafusion::prelude::{SessionConfig, SessionContext};

use crate::support::{data_folder, number, read_set, register, rows, session_with, text};

/// A set: its file, and its features as SQL in the order in which they were clustered.
pub const SETS: [(&str, &str, &str); 9] = [
    ("processes_on_host", "csv", PROCESS_FEATURES),
    ("process_tree", "csv", PROCESS_FEATURES),
    ("host_logons", "csv", LOGON_FEATURES),
    (
        "az_net_flows",
        "csv",
        r#"coalesce(DestPort, 0) AS "destPort", coalesce(TotalAllowedFlows, 0) AS "allowedFlows",
           coalesce(string_score(L7Protocol), 0) AS "l7Score", coalesce(FlowDirection = 'O', false) AS outbound,
           CASE WHEN coalesce(trim(AllExtIPs), '') = '' THEN 0 ELSE token_count(AllExtIPs, ',') END AS "extIpCount""#,
    ),
    ("otrf_4688", "parquet", PROCESS_FEATURES),
    ("otrf_logons", "parquet", LOGON_FEATURES),
    (
        "otrf_image_load",
        "parquet",
        r#"coalesce(string_score(Image), 0) AS "imageScore", coalesce(string_score(ImageLoaded), 0) AS "loadedScore",
           coalesce(cmdline_tokens(ImageLoaded), 0) AS "loadedTokens", coalesce(Signed, false) AS "isSigned""#,
    ),
    (
        "linux_execve",
        "parquet",
        r#"coalesce(cmdline_tokens(cmdline), 0) AS "commandlineTokensFull", coalesce(path_score(exe), 0) AS "pathScore",
           ses = -1 AS "isSystemSession""#,
    ),
    (
        "cloudtrail",
        "parquet",
        r#"coalesce(string_score(eventName), 0) AS "eventNameScore", coalesce(string_score(eventSource), 0) AS "eventSourceScore",
           coalesce(string_score(userAgent), 0) AS "userAgentScore", coalesce(string_score(userArn), 0) AS "arnScore",
           coalesce(cmdline_tokens(requestParameters), 0) AS "requestTokens", errorCode IS NOT NULL AS "isError",
           coalesce(readOnly, false) AS "isReadOnly""#,
    ),
];

const PROCESS_FEATURES: &str = r#"coalesce(cmdline_tokens(CommandLine), 0) AS "commandlineTokensFull",
    coalesce(path_score(NewProcessName), 0) AS "pathScore", coalesce(is_system_session(SubjectLogonId), false) AS "isSystemSession""#;
const LOGON_FEATURES: &str =
    r#"coalesce(string_score(Account), 0) AS "accountNum", coalesce(LogonType, 0) AS "logonType""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn labels_are_scikit_learns() {
    let folder = data_folder();
    for (set, extension, features) in SETS {
        let reference = read_set(&folder.join(format!("{set}.reference.parquet"))).await;
        let events = read_set(&folder.join(format!("{set}.{extension}"))).await;
        let ctx = case_keeping_session();
        register(&ctx, "events", &events, 2);
        check_features(
            set,
            &rows(&ctx, &format!("SELECT {features} FROM events ORDER BY row")).await,
            &reference,
        );
        for (index, field) in reference.schema().fields().iter().enumerate() {
            let Some(eps) = field.name().strip_prefix("label_") else { continue };
            let expected = reference.column(index).as_primitive::<Int64Type>();
            let features = features.replace('\n', " ");
            let features = features.replace('\'', "''");
            let call = |function: &str| format!("{function}(events, '{features}', {eps}, order_by => row)");

            let labelled = rows(
                &ctx,
                &format!(
                    "SELECT row, cluster_id, point_type FROM {} ORDER BY row",
                    call("dbcluster_members")
                ),
            )
            .await;
            assert_eq!(labelled.column(1).as_primitive::<Int64Type>(), expected, "{set} at eps {eps}");

            let expected = expected.values();
            let clusters = expected.iter().max().map_or(0, |highest| highest + 1);
            let noise = expected.iter().filter(|label| **label == -1).count() as i64;
            assert!(expected.len() > 10 && clusters > 0, "{set} at eps {eps} would prove nothing");
            let mut sizes: HashMap<i64, i64> = HashMap::new();
            expected
                .iter()
                .filter(|label| **label >= 0)
                .for_each(|label| *sizes.entry(*label).or_default() += 1);
            let sql =
                format!("SELECT count(*), max(cluster_size), sum(cluster_size) FROM {}", call("dbcluster"));
            let collapsed = rows(&ctx, &sql).await;
            let got: Vec<i64> =
                (0..3).map(|c| collapsed.column(c).as_primitive::<Int64Type>().value(0)).collect();
            let largest = sizes.values().copied().max().unwrap_or(1);
            assert_eq!(got, [clusters + noise, largest, expected.len() as i64], "{set} at eps {eps}");
        }
    }
}

/// One call of `dbcluster_eps` gives the clusters and the noise of scikit-learn at each eps, and the eps that is taken before clusters
/// chain is the known one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn every_eps_at_once_is_scikit_learns() {
    let folder = data_folder();
    let mut autos = vec![];
    for (set, extension, features) in SETS {
        let reference = read_set(&folder.join(format!("{set}.reference.parquet"))).await;
        let ctx = case_keeping_session();
        register(&ctx, "events", &read_set(&folder.join(format!("{set}.{extension}"))).await, 2);
        let features = features.replace('\n', " ").replace('\'', "''");
        let mut expected: Vec<(f64, [i64; 2])> = vec![];
        for (index, field) in reference.schema().fields().iter().enumerate() {
            let Some(eps) = field.name().strip_prefix("label_") else { continue };
            let labels = reference.column(index).as_primitive::<Int64Type>().values();
            let clusters = labels.iter().max().map_or(0, |highest| highest + 1);
            let noise = labels.iter().filter(|label| **label == -1).count() as i64;
            expected.push((eps.parse().expect("an eps"), [clusters, noise]));
        }
        expected.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        assert!(expected.len() > 1, "{set}");
        let list: Vec<String> = expected.iter().map(|(eps, _)| format!("{eps:?}")).collect();
        let call = format!("dbcluster_eps(events, '{features}', eps => [{}])", list.join(", "));
        let batch = rows(&ctx, &format!("SELECT eps, clusters, noise FROM {call}")).await;
        let figure = |column: usize, row: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
        let got: Vec<(f64, [i64; 2])> = (0..batch.num_rows())
            .map(|row| {
                (batch.column(0).as_primitive::<Float64Type>().value(row), [figure(1, row), figure(2, row)])
            })
            .collect();
        assert_eq!(got, expected, "{set}");

        let sql =
            format!("SELECT eps, clusters, noise FROM dbcluster_eps(events, '{features}') WHERE is_auto");
        let auto = rows(&ctx, &sql).await;
        let figure = |column: usize| auto.column(column).as_primitive::<Int64Type>().value(0);
        let eps = auto.column(0).as_primitive::<Float64Type>().value(0);
        autos.push(format!("{set}: {eps:.1e}, {} / {}", figure(1), figure(2)));
    }
    insta::assert_snapshot!(autos.join("\n"));
}

/// Identifiers are taken as they are written, as in the shell: the sets' columns are in mixed case.
pub fn case_keeping_session() -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    session_with(config)
}

/// The feature functions give the numbers that scikit-learn clustered.
fn check_features(set: &str, ours: &RecordBatch, reference: &RecordBatch) {
    for index in 0..ours.num_columns() {
        let as_double = |batch: &RecordBatch, index: usize| {
            arrow::compute::cast(batch.column(index), &arrow::datatypes::DataType::Float64)
                .expect("features are numbers")
        };
        // The features follow the row number, in the same order.
        let (ours, theirs) = (as_double(ours, index), as_double(reference, index + 1));
        let name = reference.schema().field(index + 1).name().clone();
        assert_eq!(ours.as_primitive::<Float64Type>(), theirs.as_primitive::<Float64Type>(), "{set}: {name}");
    }
}

/// Registers a CSV of the seed in file order.
async fn seed_set(folder: &Path, name: &str) -> SessionContext {
    let ctx = case_keeping_session();
    register(&ctx, "events", &read_set(&folder.join(name)).await, 1);
    ctx
}

const SEED_FEATURES: &str =
    "[cmdline_tokens(CommandLine), path_score(NewProcessName), is_system_session(SubjectLogonId)]";

#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn collapsed_rows_are_the_known_ones() {
    let folder = data_folder();
    let ctx = seed_set(&folder, "processes_on_host.csv").await;
    for (eps, expected) in
        [("1e-6", 118), ("1e-5", 110), ("3e-5", 91), ("1e-4", 62), ("3e-4", 17), ("1e-3", 5), ("1e-2", 1)]
    {
        assert_eq!(
            number(&ctx, &format!("SELECT count(*) FROM dbcluster(events, {SEED_FEATURES}, {eps})")).await,
            expected,
            "{eps}"
        );
    }
    let by_hash = "dbcluster(events, [crc32_hash(NewProcessName), delim_hash(CommandLine), is_system_session(SubjectLogonId)], 1e-3)";
    let sql = format!(
        "SELECT count(*) FILTER (WHERE clustered) AS clusters, count(*) FILTER (WHERE NOT clustered) AS noise,
                count(*) AS rows, max(cluster_size) AS largest FROM {by_hash}"
    );
    insta::assert_snapshot!(text(&ctx, &sql).await, @r"
    +----------+-------+------+---------+
    | clusters | noise | rows | largest |
    +----------+-------+------+---------+
    | 32       | 89    | 121  | 70      |
    +----------+-------+------+---------+
    ");
}

/// No path is hidden where each path is clustered by itself.
#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn collapsed_rows_per_path_are_the_known_ones() {
    let folder = data_folder();
    let ctx = seed_set(&folder, "processes_on_host.csv").await;
    let sql = "WITH labelled AS (
                 SELECT NewProcessName, dbscan(1, 2, cmdline_tokens(CommandLine)) OVER (PARTITION BY NewProcessName) AS cluster
                 FROM events)
               SELECT count(*) FILTER (WHERE cluster = -1) + count(DISTINCT struct(NewProcessName, cluster)) FILTER (WHERE cluster >= 0)
               FROM labelled";
    assert_eq!(number(&ctx, sql).await, 107);
    let call =
        "(events, [cmdline_tokens(CommandLine)], 1, partition_by => NewProcessName, scaling => 'none')";
    for sql in [
        format!("SELECT count(*) FROM dbcluster{call}"),
        format!("SELECT collapsed_rows FROM dbcluster_summary{call}"),
        format!(
            "SELECT count(DISTINCT cluster_key) + count(*) FILTER (WHERE point_type = 'noise') FROM dbcluster_members{call}"
        ),
    ] {
        assert_eq!(number(&ctx, &sql).await, 107, "{sql}");
    }
}

/// The summary agrees with the other two functions.
#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn summary_agrees_with_rows_and_members() {
    let folder = data_folder();
    let ctx = seed_set(&folder, "processes_on_host.csv").await;
    let counted = "input_rows, clusters, noise, largest_cluster, collapsed_rows";
    for options in
        ["1e-4", "1e-4, 4", "0.05, 3, scaling => 'zscore', partition_by => process_name(NewProcessName)"]
    {
        let call = format!("(events, {SEED_FEATURES}, {options})");
        let of_rows = format!(
            "SELECT sum(cluster_size) AS input_rows, count(*) FILTER (WHERE clustered) AS clusters,
                    count(*) FILTER (WHERE NOT clustered) AS noise,
                    max(cluster_size) FILTER (WHERE clustered) AS largest_cluster, count(*) AS collapsed_rows
             FROM dbcluster{call}"
        );
        let of_members = format!(
            "SELECT sum(n) AS input_rows, count(cluster_key) AS clusters, sum(n) FILTER (WHERE cluster_key IS NULL) AS noise,
                    max(n) FILTER (WHERE cluster_key IS NOT NULL) AS largest_cluster,
                    count(cluster_key) + sum(n) FILTER (WHERE cluster_key IS NULL) AS collapsed_rows
             FROM (SELECT cluster_key, count(*) AS n FROM dbcluster_members{call} GROUP BY 1)"
        );
        let summary = text(&ctx, &format!("SELECT {counted} FROM dbcluster_summary{call}")).await;
        assert_eq!(text(&ctx, &of_rows).await, summary, "{options}");
        assert_eq!(text(&ctx, &of_members).await, summary, "{options}");
    }
}

#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn printed_ids_are_the_seeds() {
    let folder = data_folder();
    let ctx = seed_set(&folder, "processes_on_host.csv").await;
    let sql = format!(
        "SELECT cluster_id, cluster_size FROM dbcluster(events, {SEED_FEATURES}, eps => 1e-4, order_by => row)
         WHERE process_name(NewProcessName) = 'reg.exe' ORDER BY cluster_id"
    );
    insta::assert_snapshot!(text(&ctx, &sql).await, @r"
    +------------+--------------+
    | cluster_id | cluster_size |
    +------------+--------------+
    | -1         | 1            |
    | 7          | 3            |
    +------------+--------------+
    ");
    let ctx = seed_set(&folder, "host_logons.csv").await;
    let sql = "SELECT cluster_id, cluster_size, split_part(Account, '\\', 2) AS account
               FROM dbcluster(events, [string_score(Account), LogonType], eps => 1e-4, order_by => row) ORDER BY cluster_id";
    insta::assert_snapshot!(text(&ctx, sql).await, @r"
    +------------+--------------+---------------+
    | cluster_id | cluster_size | account       |
    +------------+--------------+---------------+
    | -1         | 1            | adm1nistrator |
    | 0          | 2            | MSTICAdmin    |
    | 1          | 11           | SYSTEM        |
    +------------+--------------+---------------+
    ");
}
