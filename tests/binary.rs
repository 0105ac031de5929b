//! `dbcluster` as a person runs it: arguments in, text and an exit code out.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::data_folder;

/// The binary, with nothing of the caller's environment that would change what it says.
pub fn dbcluster() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbcluster"));
    for name in [
        "DBCLUSTER_CLUSTER",
        "DBCLUSTER_MEMORY_LIMIT",
        "DBCLUSTER_DISK_LIMIT",
        "DBCLUSTER_THREADS",
        "RUST_LOG",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(name);
    }
    command
}

fn run(args: &[&str]) -> Output {
    dbcluster().args(args).output().expect("the binary starts")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("errors are text")
}

/// Runs statements that have to succeed, and gives what they print as CSV.
fn csv(sql: &str) -> String {
    let output = run(&["--format", "csv", "-c", sql]);
    assert!(output.status.success(), "{sql}\n{}", stderr(&output));
    stdout(&output)
}

/// Whatever the statement does with its rows, the eps that they have decided is told.
#[test]
fn eps_that_rows_decide_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let call = "SELECT * FROM dbcluster(events, [x], 'auto', scaling => 'none')";
    let create = "CREATE TABLE events AS SELECT * FROM (VALUES (1, 'a'), (2, 'a'), (9, 'b')) AS t(x, host)";
    let told = |sql: &str| {
        let output = dbcluster()
            .current_dir(folder.path())
            .args(["--format", "csv", "-c", create, "-c", sql])
            .output()
            .expect("the binary starts");
        assert!(output.status.success(), "{sql}\n{}", stderr(&output));
        stderr(&output).lines().filter(|line| line.starts_with("eps =>")).collect::<Vec<_>>().join("\n")
    };
    for sql in [
        call.to_string(),
        format!("CREATE TABLE stored AS {call}"),
        format!("COPY ({call}) TO 'a.csv'"),
        format!("COPY ({call}) TO 'a.parquet'"),
        format!(
            "COPY (SELECT cluster_size, x FROM ({call})) TO 'a.html' STORED AS SCATTER OPTIONS (x 'x', y 'cluster_size')"
        ),
    ] {
        assert_eq!(told(&sql), "eps => 'auto' took 0.5", "{sql}");
    }
    let by_host = call.replace("scaling", "partition_by => host, chain_share => 1, scaling");
    assert_eq!(told(&by_host), "eps => 'auto' took 1.0");
    let of_one = call.replace("events", "(SELECT * FROM events WHERE x = 1)");
    assert_eq!(told(&of_one), "eps => 'auto': every eps gives the same rows");
    for silent in [
        format!("EXPLAIN {call}"),
        call.replace("'auto'", "1"),
        call.replace("events", "(SELECT * FROM events WHERE false)"),
    ] {
        assert_eq!(told(&silent), "", "{silent}");
    }
}

#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn real_sets_collapse_as_they_should() {
    let folder = data_folder();
    let file = |name: &str| folder.join(name).display().to_string();
    let processes = format!(
        "SELECT count(*) FROM dbcluster('{}', 'cmdline_tokens(CommandLine) AS tokens, path_score(NewProcessName) AS path, \
         is_system_session(SubjectLogonId) AS is_system', 0.0001)",
        file("processes_on_host.csv")
    );
    assert_eq!(csv(&processes), "count(*)\n62\n");
    let logons = format!(
        "SELECT COUNT(*) AS rows FROM dbcluster('{}', [string_score(Account), LogonType], eps => 1e-4)",
        file("host_logons.csv")
    );
    assert_eq!(csv(&logons), "rows\n3\n");
}

/// A table, a pattern and a view see the files that have come since.
#[test]
fn archives_grow_while_a_session_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |day: i64| format!("COPY (SELECT 1 AS v FROM generate_series(1, 10)) TO 'logs/{day}.parquet';");
    let sizes = "SELECT max(cluster_size) AS n FROM dbcluster('logs/*.parquet', [v], 1);
                 SELECT max(cluster_size) AS n FROM dbcluster(logs, [v], 1); SELECT * FROM sizes;";
    let sql = format!(
        "{} CREATE EXTERNAL TABLE logs STORED AS PARQUET LOCATION 'logs/';
         CREATE VIEW sizes AS SELECT max(cluster_size) AS n FROM dbcluster(logs, [v], 1); {sizes} {} {sizes}",
        write(1),
        write(2)
    );
    let output = dbcluster()
        .current_dir(folder.path())
        .args(["--format", "csv", "-c", &sql])
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let numbers = stdout(&output);
    let numbers: Vec<&str> = numbers.lines().filter(|line| !line.starts_with(['n', 'c'])).collect();
    assert_eq!(numbers, ["10", "10", "10", "10", "10", "20", "20", "20"]);
}

/// Messages about common mistakes say what to write instead.
#[test]
fn slips_are_answered() {
    let table = "CREATE TABLE events AS SELECT 1 AS id, 'h' AS host";
    for (sql, expected) in [
        ("SELECT * FROM dbcluster(events, [id AS n], 1)", "features get names as {name: f(column)}"),
        (
            "SELECT * FROM dbcluster(TABLE events, [id], 1)",
            "a table is named as it is: dbcluster(events, ...)",
        ),
        ("SELECT * FROM dbcluster(events, [id], eps: 1)", "options are given with =>"),
        ("SELECT * FROM dbcluster(events PARTITION BY host, [id], 1)", "partition_by => host"),
        ("SELECT * FROM dbcluster(SELECT * FROM events, [id], 1)", "brackets of its own"),
        ("SELECT * FROM dbcluster(events, [id], 1, order_by => host DESC)", "order_by has no DESC"),
        ("SELECT dbscan(1, 2, id) FROM events", "dbscan is a window function"),
        ("SELECT dbcluster(events, [id], 1)", "it stands in FROM"),
        ("SELECT dbscan(1, 2, id, metric => 'manhattan') OVER () FROM events", "{metric: 'manhattan'}"),
        ("SELECT * FROM dbcluster_sumary(events, [id], 1)", "did you mean 'dbcluster_summary'"),
        (
            "SELECT * FROM dbscan(events, [id], 1)",
            "dbcluster(events, [f1, f2], eps => 0.0001) clusters a table",
        ),
        ("SELECT dbscan(1, 2, host) OVER () FROM events", "dbscan: argument 3 is Utf8, expected a number"),
    ] {
        let output = run(&["-c", table, "-c", sql]);
        assert_eq!(output.status.code(), Some(1), "{sql}");
        assert!(stderr(&output).contains(expected), "{sql}\n{}", stderr(&output));
    }
}

#[test]
fn identifiers_keep_their_case_unless_told() {
    let table = "CREATE TABLE t AS SELECT 1 AS \"CommandLine\"; ";
    assert_eq!(
        csv(&format!("{table} SELECT CommandLine, Max(CommandLine) AS m FROM t GROUP BY CommandLine")),
        "CommandLine,m\n1,1\n"
    );
    let habit = "SET datafusion.sql_parser.enable_ident_normalization = true; ";
    let output = run(&["-c", &format!("{table} {habit} SELECT CommandLine FROM t")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("commandline"), "{}", stderr(&output));
}

#[test]
fn formats_print_what_programs_read() {
    let sql = "SELECT 1 AS a, 'x,y' AS b";
    for (format, expected) in [
        ("csv", "a,b\n1,\"x,y\"\n"),
        ("tsv", "a\tb\n1\tx,y\n"),
        ("json", "[{\"a\":1,\"b\":\"x,y\"}]\n"),
        ("nd-json", "{\"a\":1,\"b\":\"x,y\"}\n"),
    ] {
        let output = run(&["--format", format, "-c", sql]);
        assert_eq!(stdout(&output).trim_end(), expected.trim_end(), "{format}");
    }
    let table = stdout(&run(&["-c", sql]));
    assert!(table.contains("| 1 | x,y |") && table.contains("1 row(s) fetched"), "{table}");
    let quiet = stdout(&run(&["--quiet", "-c", sql]));
    assert!(quiet.contains("| 1 | x,y |") && !quiet.contains("fetched"), "{quiet}");
}

#[test]
fn machine_formats_are_never_cut() {
    let output = run(&["--format", "csv", "-c", "SELECT value FROM generate_series(1, 50000)"]);
    assert_eq!(stdout(&output).lines().count(), 50_001);
    let table = stdout(&run(&["--maxrows", "5", "-c", "SELECT value FROM generate_series(1, 50)"]));
    assert!(!table.contains("| 6 "), "{table}");
}

#[test]
fn first_failing_statement_ends_the_run() {
    let output =
        run(&["--format", "csv", "-c", "SELECT 1 AS one; SELECT nothing FROM nowhere; SELECT 2 AS two"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "one\n1\n");
    let error = stderr(&output);
    assert!(error.contains("nowhere") && !error.contains("DataFusion error"), "{error}");
}

#[test]
fn failing_file_is_named_with_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script.sql");
    std::fs::write(&file, "-- a comment; with a semicolon\nSELECT 1;\n\nSELECT ';' AS s,\n  missing;\n")
        .expect("a file");
    let output = run(&["-f", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("script.sql") && error.contains('4') && error.contains("missing"), "{error}");
}

#[test]
fn wrong_usage_exits_with_two() {
    for args in
        [&["--no-such-flag"][..], &["--format", "xml", "-c", "SELECT 1"], &["--threads", "0"], &["sample"]]
    {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!stderr(&output).is_empty(), "{args:?}");
    }
    assert!(run(&["--help"]).status.success());
    assert!(stdout(&run(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn standard_input_is_a_script() {
    let mut child = dbcluster()
        .args(["--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(b"SELECT 1 AS a;\nSELECT 2 AS b").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "a\n1\nb\n2\n");
}

#[test]
fn closed_pipe_is_a_success() {
    let binary = env!("CARGO_BIN_EXE_dbcluster");
    let script = format!(
        "set -o pipefail; '{binary}' --format csv -c 'SELECT * FROM generate_series(1, 3000000)' | head -n 1"
    );
    let output =
        Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).output().expect("bash starts");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{}", stdout(&output));
}

#[test]
fn memory_limit_fails_with_figures_and_spares_the_process() {
    let output = run(&[
        "--memory-limit",
        "20m",
        "--threads",
        "1",
        "-c",
        "SELECT count(DISTINCT c) FROM (SELECT dbscan(0.5, 2, value) OVER () AS c FROM generate_series(1, 3000000))",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("memory") || stderr(&output).contains("Resources"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn sample_is_deterministic_and_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str| {
        let out = folder.path().join(name);
        let output = run(&["sample", "--rows", "5000", "--seed", "7", "--out", out.to_str().expect("UTF-8")]);
        assert!(output.status.success(), "{}", stderr(&output));
        out
    };
    let (one, two) = (write("one"), write("two"));
    for file in ["processes.parquet", "logons.parquet", "process_tree.parquet"] {
        let bytes = |folder: &Path| {
            std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
        };
        assert!(bytes(&one) == bytes(&two), "{file} differs");
    }
    let again = run(&["sample", "--rows", "10", "--out", one.to_str().expect("UTF-8")]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
    let count = csv(&format!(
        "SELECT count(*) AS rows, count(*) FILTER (WHERE is_anomaly) > 0 AS has_anomalies FROM '{}'",
        one.join("processes.parquet").display()
    ));
    assert_eq!(count, "rows,has_anomalies\n5000,true\n");
}

#[test]
fn demo_tells_what_it_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = dbcluster().current_dir(folder.path()).args(["demo", "--rows", "3000"]).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let story = stdout(&output);
    let page = std::fs::read_to_string(folder.path().join("dbcluster-demo.html")).expect("a page");
    assert!(page.contains("Clustered process events of a made-up company"));
    assert!(story.contains("dbcluster-demo.html"), "the demo says where the page is:\n{story}");
    for word in ["dbcluster(", "dbcluster_members(", "cluster_size", "LogonType", "anomal"] {
        assert!(story.contains(word), "the demo does not show {word}:\n{story}");
    }
}

/// The advice at the end of the demo works: it gives the same events, and the query that compares within a program.
#[test]
fn advice_of_the_demo_shows_every_planted_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let run_there = |args: &[&str]| {
        let output = dbcluster().current_dir(folder.path()).args(args).output().expect("the binary starts");
        assert!(output.status.success(), "{args:?}\n{}", stderr(&output));
        stdout(&output)
    };
    let story = run_there(&["demo", "--rows", "20000"]);
    let (_, advice) = story.split_once("cannot be seen (lookalike_service)").expect("some are hidden");
    assert!(advice.contains("(partition_by, as above), 1 of them can."), "{advice}");
    let (_, again) = advice.split_once("To go on from here: dbcluster ").expect("what to do next");
    let (sample, _) = again.split_once(", then dbcluster").expect("a command");
    run_there(&sample.split(' ').collect::<Vec<_>>());
    // The hunt finds what the demo says, and its command is one.
    assert!(advice.contains("has 13 of the 21 in its first 20 rows and 21 in its first 50."), "{advice}");
    let (_, hunt) = again.split_once(", then dbcluster ").expect("a command");
    let (hunt, _) = hunt.split_once(", or").expect("the end of the command");
    let found = run_there(&hunt.split_whitespace().collect::<Vec<_>>());
    assert!(found.contains("base64 of") && found.contains("20,000 events are"), "{found}");
    let from = story.rfind("\nWITH members").expect("a query");
    let (query, _) = story[from..].split_once(";\n").expect("a statement");
    assert!(query.contains("partition_by => cmdline_template(process_name(NewProcessName))"), "{query}");
    let sql = format!(
        "SELECT sum(planted) = sum(alone) + sum(in_small_clusters) AS all_seen, sum(planted) > 20 AS many, sum(hidden) AS hidden \
         FROM ({query})"
    );
    assert_eq!(run_there(&["--format", "csv", "-c", &sql]), "all_seen,many,hidden\ntrue,true,0\n");
}

/// One set of events, as a file of each kind and as a folder, collapses to the same rows. JSON has no times: there the
/// time column has to be named.
#[test]
fn every_kind_of_file_is_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let run_there = |args: &[&str]| {
        let output = dbcluster().current_dir(folder.path()).args(args).output().expect("the binary starts");
        assert!(output.status.success(), "{args:?}\n{}", stderr(&output));
        stdout(&output)
    };
    run_there(&["sample", "--rows", "3000", "--files", "3", "--out", "sample"]);
    run_there(&[
        "--quiet",
        "-c",
        "COPY (SELECT * FROM 'sample/processes.parquet/') TO 'events.csv'; COPY (SELECT * FROM 'events.csv') TO 'events.json'",
    ]);
    let collapse = |table: &str| {
        let sql = format!(
            "SELECT CommandLine, cluster_id, cluster_size FROM dbcluster('{table}', [cmdline_tokens(CommandLine), \
             path_score(NewProcessName)], 0.0001, time_column => TimeGenerated) \
             ORDER BY cluster_id, cluster_size, CommandLine"
        );
        run_there(&["--format", "csv", "-c", &sql])
    };
    let expected = collapse("sample/processes.parquet/*.parquet");
    assert!(expected.lines().count() > 10, "{expected}");
    for table in ["sample/processes.parquet/", "events.csv", "events.json"] {
        assert_eq!(collapse(table), expected, "{table}");
    }
}
