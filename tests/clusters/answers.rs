//! A cluster's answers are those of one machine, to the byte.

use std::path::{Path, PathBuf};

use super::processes::{Cluster, SPREAD, adaptive, local, sample};
use crate::binary::{stderr, stdout};
use crate::reference::SETS;
use crate::support::{data_folder, repository};

const FEATURES: &str = "[cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.0001";

/// Statements over generated events in eight files, as one folder and as a table with partitions.
fn over_generated_events() -> Vec<String> {
    let mut statements = vec![
        "CREATE EXTERNAL TABLE hive STORED AS PARQUET LOCATION 'hive/' PARTITIONED BY (kind)".to_string(),
        "CREATE VIEW events AS SELECT * FROM hive WHERE kind <> 'none'".to_string(),
    ];
    let orders = "ORDER BY cluster_id, TimeGenerated, CommandLine, Computer";
    for (input, options) in [
        ("hive", ""),
        ("events", ", partition_by => kind, scaling => 'zscore'"),
        ("'eight/processes.parquet/'", ", min_samples => 5, exemplar => 'last'"),
        ("(SELECT * FROM hive WHERE kind <= 'k5')", ", exemplar => 'medoid'"),
        ("hive", ", order_by => [Computer, TimeGenerated], nulls => 'skip', metric => 'manhattan'"),
        ("hive", ", time_column => NULL"),
        ("hive", ", time_column => CAST(TimeGenerated AS VARCHAR)"),
        ("events", ", time_column => date_part('hour', TimeGenerated), exemplar => 'last'"),
    ] {
        statements.push(format!("SELECT * FROM dbcluster({input}, {FEATURES}{options}) {orders}"));
        statements.push(format!(
            "SELECT cluster_id, cluster_key, point_type, count(*) AS n, min(CommandLine) AS least \
             FROM dbcluster_members({input}, {FEATURES}{}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3, 4, 5",
            options.split(", exemplar").next().unwrap_or_default()
        ));
    }
    statements.extend([
        format!("SELECT * EXCEPT (options) FROM dbcluster_summary(hive, {FEATURES})"),
        format!(
            "SELECT cluster_id, array_to_string(\"Account_members\", '|') AS members FROM \
             dbcluster(hive, {FEATURES}, keep_members => {{Account: 2}}) WHERE clustered ORDER BY 1"
        ),
        format!("SELECT count(*), sum(cluster_size), max(cluster_size) FROM dbcluster(hive, {FEATURES})"),
        format!("SELECT cluster_size FROM dbcluster(hive, {FEATURES}) WHERE clustered ORDER BY 1 DESC LIMIT 3"),
        format!("SELECT * FROM dbcluster(hive, {}) {orders}", FEATURES.replace("0.0001", "'auto'")),
        format!(
            "SELECT * EXCEPT (options) FROM dbcluster_summary(hive, {}, partition_by => kind)",
            FEATURES.replace("0.0001", "auto")
        ),
        format!("SELECT * FROM dbcluster_eps(hive, {}, min_samples => 4, partition_by => kind) ORDER BY kind, eps", FEATURES.replace(", eps => 0.0001", "")),
        format!("SELECT * FROM dbcluster_eps(hive, {}, nulls => 'skip')", FEATURES.replace("0.0001", "[0.0001, 0.01]")),
        format!("SELECT * FROM dbcluster_why(hive, {FEATURES}, show => [CommandLine]) ORDER BY TimeGenerated, CommandLine, Computer"),
        format!(
            "SELECT * FROM dbcluster_why(hive, {}, min_samples => 5, partition_by => kind) ORDER BY TimeGenerated, CommandLine, Computer",
            FEATURES.replace("0.0001", "'auto'")
        ),
        format!(
            "SELECT * FROM dbcluster(hive, {FEATURES}, distinct_of => [Account, CommandLine], template_of => CommandLine, activity => 6) {orders}"
        ),
        format!(
            "SELECT * FROM dbcluster_values(hive, {FEATURES}, partition_by => kind, of => [Computer, {{name: process_name(NewProcessName)}}]) \
             ORDER BY kind, cluster_id, \"column\", value"
        ),
        format!(
            "SELECT * FROM dbcluster_around(hive, (SELECT * FROM dbcluster(hive, {FEATURES}) WHERE NOT clustered), by => Computer, \
             within => INTERVAL '1 minute') ORDER BY TimeGenerated, CommandLine, Computer"
        ),
        "SELECT * FROM hunt_processes(hive, watch => ['mimikatz'])".to_string(),
        "SELECT subject, score, reasons FROM hunt(hive, text => CommandLine, subject => kind, context => Computer) LIMIT 30".to_string(),
        // Filters and limits are applied to the clusters, and decide among equal rows by their values.
        format!("SELECT * FROM dbcluster(hive, {FEATURES}) WHERE cluster_size > 50 AND cluster_id < 9 {orders}"),
        format!("SELECT * FROM dbcluster(hive, {FEATURES}) ORDER BY cluster_size LIMIT 30"),
        format!("SELECT * FROM dbcluster(hive, {FEATURES}, min_samples => 5) ORDER BY clustered, cluster_size DESC LIMIT 40 OFFSET 5"),
        format!("SELECT * FROM dbcluster(events, {FEATURES}, partition_by => kind) LIMIT 25"),
        format!(
            "SELECT cluster_id, cluster_size, count(*) AS n FROM dbcluster(hive, {FEATURES}, min_samples => 5) GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        "SELECT host, dbscan(10, 2, n) OVER (PARTITION BY host) AS label, n FROM (SELECT Computer AS host, count(*) AS n FROM hive \
         GROUP BY Computer, NewProcessName) ORDER BY host, n"
            .to_string(),
        "SELECT dbscan(1, 3, tokens, {metric: 'chebyshev'}) OVER () AS label, tokens FROM (SELECT \
         cmdline_tokens(CommandLine) AS tokens FROM hive) ORDER BY tokens, label LIMIT 50"
            .to_string(),
        "SELECT host, dbscan(10, 2, n) OVER (ORDER BY arrow_cast(host, 'Binary') DESC) AS label, n FROM (SELECT Computer AS host, \
         count(*) AS n FROM hive GROUP BY Computer) ORDER BY host"
            .to_string(),
        // Open orders of an input are completed by its values, and floats are added exactly.
        format!(
            "SELECT * FROM dbcluster((SELECT * FROM 'eight/processes.parquet/' ORDER BY Computer LIMIT 500), {FEATURES}) {orders}"
        ),
        "SELECT * FROM dbcluster((SELECT Computer, avg(character_length(CommandLine) / 7.0) AS mean, stddev(path_score(NewProcessName)) AS \
         spread, first_value(Account) AS account FROM hive GROUP BY Computer), [mean, spread], eps => 10, scaling => 'none') \
         ORDER BY Computer"
            .to_string(),
        "SELECT count(*), sum(pathScore), sum(commandlineTokensFull) FROM process_features(hive)".to_string(),
        format!(
            "SELECT a.cluster_size, b.cluster_size FROM dbcluster(hive, {FEATURES}) a JOIN \
             dbcluster('eight/processes.parquet/', {FEATURES}) b ON a.cluster_key = b.cluster_key ORDER BY 1, 2"
        ),
        "SELECT count(*) FROM ((SELECT 'x') UNION ALL (SELECT CommandLine FROM hive ORDER BY 1 LIMIT 7))".to_string(),
        "SELECT count(*), max(c) FROM ((SELECT max(CommandLine) AS c FROM hive) UNION ALL (SELECT CommandLine FROM \
         'eight/processes.parquet/') UNION ALL (SELECT Account FROM hive LIMIT 5))"
            .to_string(),
        format!(
            "SELECT count(*) AS n, max(cluster_size) FROM dbcluster((SELECT CommandLine, NewProcessName FROM hive UNION ALL \
             SELECT CommandLine, NewProcessName FROM 'sample/processes.parquet'), {FEATURES})"
        ),
        "PREPARE sizes(DOUBLE) AS SELECT cluster_size FROM dbcluster(hive, [cmdline_tokens(CommandLine)], eps => $1, scaling => 'none') \
         ORDER BY 1"
            .to_string(),
        "EXECUTE sizes(2.0)".to_string(),
    ]);
    statements
}

/// Statements over the real sets, the seed's among them. Their rows come in any order.
fn over_real_sets() -> Vec<String> {
    let folder = data_folder();
    let mut statements = vec![];
    for (set, extension, features) in SETS {
        let (features, file) = (features.replace('\n', " ").replace('\'', "''"), folder.join(set));
        for (eps, functions) in
            [("0.01", ["dbcluster", "dbcluster_members"]), ("0.0001", ["dbcluster", "dbcluster_why"])]
        {
            for function in functions {
                let file = file.display();
                statements
                    .push(format!("SELECT * FROM {function}('{file}.{extension}', '{features}', {eps})"));
            }
        }
    }
    statements
}

fn scripts() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository().join("sql")).expect("the scripts");
    let mut scripts: Vec<PathBuf> = folder
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    scripts.sort();
    scripts
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn assert_equal(expected: &str, answer: &str, what: &str) {
    let pairs = expected.lines().zip(answer.lines());
    if let Some(line) = pairs.into_iter().position(|(ours, theirs)| ours != theirs) {
        let around = |text: &str| {
            let lines: Vec<String> =
                text.lines().skip(line.saturating_sub(4)).take(6).map(Into::into).collect();
            lines.join("\n")
        };
        panic!("{what}, line {line}:\n{}\n--- and on the cluster ---\n{}", around(expected), around(answer));
    }
    assert_eq!(expected.len(), answer.len(), "{what}");
}

#[test]
fn answers_are_those_of_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    local(&["sample", "--rows", "4000", "--seed", "3", "--out", "sample"], folder.path());
    local(&["sample", "--rows", "16000", "--seed", "4", "--files", "8", "--out", "eight"], folder.path());
    let partitioned = "COPY (SELECT *, 'k' || (path_score(Computer) % 8) AS kind FROM 'eight/processes.parquet/') TO 'hive/' STORED AS PARQUET \
                       PARTITIONED BY (kind)";
    local(&["-c", partitioned], folder.path());

    let mut arguments = with_c(over_generated_events());
    let scripts = scripts().into_iter();
    arguments.extend(scripts.flat_map(|script| ["-f".to_string(), script.display().to_string()]));
    let expected = answer_of_one_machine(&arguments, folder.path());
    assert!(expected.lines().count() > 1000, "{} lines prove little", expected.lines().count());
    on_clusters(&arguments, folder.path(), |answer, what| assert_equal(&expected, answer, what));
}

#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn answers_over_real_sets_are_those_of_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = with_c(over_real_sets());
    let expected = sorted(&answer_of_one_machine(&arguments, folder.path()));
    on_clusters(&arguments, folder.path(), |answer, what| assert_equal(&expected, &sorted(answer), what));
}

fn with_c(statements: Vec<String>) -> Vec<String> {
    statements.into_iter().flat_map(|sql| ["-c".to_string(), sql]).collect()
}

fn answer_of_one_machine(arguments: &[String], folder: &Path) -> String {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    local(&arguments, folder)
}

/// Checks the answer of a cluster with each planner and several numbers of partitions.
fn on_clusters(arguments: &[String], folder: &Path, check: impl Fn(&str, &str)) {
    let cluster = Cluster::start();
    for is_adaptive in [true, false] {
        for partitions in [1, 2, 16] {
            let mut shell = cluster.shell();
            shell.current_dir(folder).args(["-c", SPREAD, "-c", &adaptive(is_adaptive)]);
            shell.args(["-c", &format!("SET datafusion.execution.target_partitions = {partitions}")]);
            let output = shell.args(arguments).output().expect("the shell runs");
            assert!(output.status.success(), "{is_adaptive}, {partitions}: {}", stderr(&output));
            check(&stdout(&output), &format!("adaptive {is_adaptive}, {partitions} parts"));
        }
    }
    let executors = cluster.executors_of(&cluster.jobs());
    assert_eq!(executors.len(), 2, "an executor had nothing to do: {executors:?}");
}

/// A scheduler and an executor in the process of a test.
#[tokio::test(flavor = "multi_thread")]
async fn standalone_is_a_cluster_in_one_process() {
    let (_folder, file) = sample(1000, 1);
    let ctx = dbcluster_ballista::standalone().await.expect("a session");
    let query = format!(
        "SELECT sum(cluster_size) AS n FROM dbcluster('{file}', 'cmdline_tokens(\"CommandLine\") AS tokens', 0.0001)"
    );
    assert_eq!(crate::support::number(&ctx, &query).await, 1000);
}
