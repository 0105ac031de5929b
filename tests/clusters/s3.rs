//! Files on S3: one set of options for all processes.

use super::processes::{Cluster, SPREAD, Setup, adaptive, local};
use crate::binary::stderr;
use crate::object_store::{KEY, serve};

const QUERY: &str = "SELECT * FROM dbcluster('s3://logs/sample/processes.parquet/', [cmdline_tokens(CommandLine)], eps => 0.0001) \
                     ORDER BY cluster_id, TimeGenerated, CommandLine, Computer";
const WRITE: &str = "COPY (SELECT CommandLine, cluster_size FROM dbcluster('s3://logs/sample/processes.parquet/', \
                     [cmdline_tokens(CommandLine)], eps => 0.0001)) TO 's3://logs/out/' STORED AS PARQUET";
const TABLE: &str = "CREATE EXTERNAL TABLE out STORED AS PARQUET LOCATION 's3://logs/out/'";
const SUM: &str = "SELECT sum(cluster_size) AS n FROM out";

/// Events in `logs/` below a folder, what the query over them gives, and the port of the server.
fn bucket() -> (tempfile::TempDir, String, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    local(&["sample", "--rows", "4000", "--files", "4", "--out", "logs/sample"], folder.path());
    let expected = local(&["-c", &QUERY.replace("s3://", "")], folder.path());
    let port = serve(folder.path());
    (folder, expected, port)
}

/// The client's settings travel with its queries.
#[test]
fn settings_reach_every_process() {
    let (_folder, expected, port) = bucket();
    let cluster = Cluster::start();
    let endpoint = format!("SET s3.endpoint = 'http://127.0.0.1:{port}'");
    let key = format!("SET s3.access_key_id = '{KEY}'");
    let settings = [
        &endpoint,
        "SET s3.allow_http = true",
        "SET s3.region = 'nowhere-1'",
        &key,
        "SET s3.secret_access_key = 'secret'",
    ];
    for is_adaptive in [true, false] {
        let planner = adaptive(is_adaptive);
        assert_eq!(cluster.answer(&[&settings[..], &[SPREAD, &planner, QUERY]].concat()), expected);
    }
    let written = cluster.answer(&[&settings[..], &[WRITE, TABLE, SUM]].concat());
    assert!(written.ends_with("n\n4000\n"), "{written}");

    // A path that can't be read is no table, and CREATE EXTERNAL TABLE tells why.
    let other = "SET s3.access_key_id = 'OTHER'";
    let denied = cluster.run(&[&settings[..3], &[other, settings[4], TABLE]].concat());
    assert_eq!(denied.status.code(), Some(1));
    assert!(stderr(&denied).contains("403"), "{}", stderr(&denied));
}

/// The variables of each process serve as well as settings.
#[test]
fn variables_are_read_by_every_process() {
    let (_folder, expected, port) = bucket();
    let endpoint = format!("http://127.0.0.1:{port}");
    let variables = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "nowhere-1"),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let cluster = Cluster::with(&Setup { variables: &variables, ..Setup::default() });
    let output =
        cluster.shell().envs(variables).args(["-c", SPREAD, "-c", QUERY]).output().expect("the shell runs");
    assert_eq!(crate::binary::stdout(&output), expected, "{}", stderr(&output));
}
