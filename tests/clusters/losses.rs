//! Executors that die while they work.

use super::processes::{Cluster, SPREAD, adaptive, local, sample, wait_until};
use crate::binary::{stderr, stdout};

/// A query whose first stage takes some seconds, in eight tasks.
fn long_first_stage(files: &str) -> String {
    format!(
        "SELECT count(*) AS n, sum(cluster_size) AS events, min(CommandLine) AS least FROM dbcluster('{files}', \
         [cmdline_tokens(cmdline_template(repeat(CommandLine, 150))), path_score(NewProcessName)], eps => 0.000001)"
    )
}

/// A query whose clustering takes some seconds, since a tree prunes little in this many dimensions.
fn long_clustering(file: &str) -> String {
    let features: Vec<String> =
        (0..16).map(|i| format!("crc32_hash(md5(n || 'f{i}')) / 4294967295.0")).collect();
    format!(
        "SELECT count(*) AS n, sum(cluster_size) AS events, max(n) AS greatest FROM dbcluster('{file}', [{}], eps => 0.7, \
         min_samples => 3, scaling => 'none')",
        features.join(", ")
    )
}

/// The answer is the same, since the query is sent again, and the cluster serves the next query.
fn check(query: &str, expected: &str, mut lose: impl FnMut(&mut Cluster)) {
    for is_adaptive in [true, false] {
        let mut cluster = Cluster::start();
        let running = cluster.begin(&[SPREAD, &adaptive(is_adaptive), query]);
        lose(&mut cluster);
        let output = running.output();
        assert_eq!(stdout(&output), expected, "adaptive {is_adaptive}: {}", stderr(&output));
        assert_eq!(cluster.ready_executors(), 1, "adaptive {is_adaptive}");
        assert_eq!(cluster.answer(&[&adaptive(is_adaptive), query]), expected, "adaptive {is_adaptive}");
    }
}

#[test]
fn an_executor_is_lost_in_the_first_stage() {
    let (folder, files) = sample(40_000, 8);
    let query = long_first_stage(&files);
    let expected = local(&["-c", &query], folder.path());
    check(&query, &expected, |cluster| {
        let job = cluster.jobs().pop().expect("a query");
        wait_until("the first stage is at work", || {
            cluster.stages(&job).iter().any(|stage| stage.tasks() > 0 && !stage.is_done())
        });
        drop(cluster.executors.remove(0));
        assert_eq!(cluster.status(&job), "Running", "it was over before");
    });
}

/// A query that writes files is not sent again, since its files can't be taken back.
#[test]
fn an_executor_is_lost_while_it_writes() {
    let (folder, files) = sample(40_000, 8);
    let mut cluster = Cluster::start();
    let copy = format!(
        "COPY (SELECT cmdline_template(repeat(CommandLine, 300)) AS t FROM '{files}') TO '{}' STORED AS PARQUET",
        folder.path().join("out/").display()
    );
    let running = cluster.begin(&[SPREAD, &copy]);
    let job = cluster.jobs().pop().expect("a query");
    wait_until("a stage is at work", || cluster.stages(&job).iter().any(|stage| stage.tasks() > 0));
    drop(cluster.executors.remove(0));
    let output = running.output();
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stderr(&output).contains("may be written twice or in part"), "{}", stderr(&output));
}

#[test]
fn a_cluster_without_executors_says_so() {
    let mut cluster = Cluster::start();
    for executor in std::mem::take(&mut cluster.executors) {
        executor.stop();
    }
    wait_until("nobody is there", || cluster.ready_executors() == 0);
    let output = cluster.run(&["SELECT 1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("has no executor: start one with dbcluster-executor"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_executor_is_lost_while_it_clusters() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = "COPY (SELECT value AS n FROM generate_series(1, 40000)) TO 'numbers.parquet'";
    local(&["-c", make], folder.path());
    let query = long_clustering(&folder.path().join("numbers.parquet").display().to_string());
    let expected = local(&["-c", &query], folder.path());
    check(&query, &expected, |cluster| {
        let job = cluster.jobs().pop().expect("a query");
        let mut clustering = None;
        wait_until("an executor clusters", || {
            clustering = cluster.executors.iter().position(|executor| executor.has_thread("dbscan-"));
            clustering.is_some()
        });
        drop(cluster.executors.remove(clustering.unwrap_or_default()));
        assert_eq!(cluster.status(&job), "Running", "it was over before");
    });
}
