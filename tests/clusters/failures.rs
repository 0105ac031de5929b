//! Queries that fail on a cluster have the messages of one machine, and the cluster goes on.

use super::processes::{Cluster, Setup, adaptive, free_port, local, sample};
use crate::binary::{dbcluster, stderr, stdout};

#[test]
fn failures_are_reported_and_the_cluster_stays_up() {
    let (_folder, file) = sample(1000, 1);
    let cluster = Cluster::start();
    let cases = [
        (
            format!("SELECT * FROM dbcluster('{file}', [ln(0 * cmdline_tokens(CommandLine))], eps => 1)"),
            "feature 'ln(0 * cmdline_tokens(CommandLine))' is infinite in 1000 of 1000 rows; choose nulls => 'zero'",
        ),
        (
            format!(
                "SELECT * FROM dbcluster('{file}', [9007199254740993 + cmdline_tokens(CommandLine)], eps => 1)"
            ),
            "2^53",
        ),
        (
            format!("SELECT * FROM dbcluster('{file}', [cmdline_tokens(CommandLine)], eps => -1)"),
            "eps must be a finite number greater than 0, got -1",
        ),
        (format!("SELECT 1 / (cmdline_tokens(CommandLine) * 0) FROM '{file}'"), "Divide by zero"),
        ("SELECT * FROM 'no/such/file.parquet'".to_string(), "no/such/file.parquet"),
    ];
    for is_adaptive in [true, false] {
        for (query, expected) in &cases {
            let output = cluster.run(&[&adaptive(is_adaptive), query]);
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{query}");
            assert!(told.contains(expected), "{query}: {told}");
            assert!(!told.contains("DataFusionError(") && !told.contains("\\\""), "{query}: {told}");
        }
        assert_eq!(cluster.answer(&[&format!("SELECT count(*) AS n FROM '{file}'")]), "n\n1000\n");
    }
}

/// The executors write the files.
#[test]
fn a_copy_that_fails_leaves_the_earlier_file() {
    let (folder, file) = sample(1000, 1);
    let cluster = Cluster::start();
    for suffix in ["csv", "parquet"] {
        let target = folder.path().join(format!("o.{suffix}"));
        std::fs::write(&target, "earlier").expect("a file");
        let copy = |n: &str| format!("COPY (SELECT {n} AS n FROM '{file}') TO '{}'", target.display());
        let output = cluster.run(&[&copy("1 / (cmdline_tokens(CommandLine) * 0)")]);
        assert_eq!(output.status.code(), Some(1), "{suffix}: {}", stdout(&output));
        assert!(stderr(&output).contains("Divide by zero"), "{suffix}: {}", stderr(&output));
        assert_eq!(std::fs::read(&target).expect("a file"), b"earlier", "{suffix}");
        assert_eq!(cluster.answer(&[&copy("cmdline_tokens(CommandLine)")]), "count\n1000\n");
        assert_ne!(std::fs::read(&target).expect("a file"), b"earlier", "{suffix}");
    }
}

/// The message of a query that lacks memory names the operator and the number of bytes.
#[test]
fn memory_errors_have_the_figures() {
    let (folder, _) = sample(10, 1);
    let many =
        "COPY (SELECT value AS n, value % 1000 AS k FROM generate_series(1, 300000)) TO 'many.parquet'";
    local(&["-c", many], folder.path());
    let file = folder.path().join("many.parquet").display().to_string();
    let cluster = Cluster::with(&Setup { memory: Some("24MB"), ..Setup::default() });
    let cluster_by = |features: &str| {
        format!("SELECT count(*) FROM dbcluster('{file}', {features}, eps => 0.1, scaling => 'none')")
    };
    for is_adaptive in [true, false] {
        let output = cluster.run(&[&adaptive(is_adaptive), &cluster_by("[n, k, n * 2, n * 3]")]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        // Either the clustering lacks memory, or the engine's sort below it, which has the rest.
        let of_clustering =
            told.contains("distinct vectors of 4 features") && told.contains("give more memory");
        let of_sort =
            told.contains("Failed to allocate additional") || told.contains("Not enough memory to continue");
        assert!(of_clustering || of_sort, "{told}");
        assert_eq!(cluster.answer(&[&cluster_by("[k]")]).lines().last(), Some("1000"));
    }
    assert_eq!(cluster.ready_executors(), 2);
}

/// Tables of the shell alone are queried there, and not together with files on the cluster.
#[test]
fn tables_of_the_session_stay_there() {
    let (folder, file) = sample(1000, 1);
    let cluster = Cluster::start();
    let own = "CREATE TABLE own AS SELECT Computer, cluster_size FROM dbcluster('";
    let own = format!("{own}{file}', [cmdline_tokens(CommandLine)], eps => 0.0001)");
    let answer = cluster.answer(&[
        &own,
        "INSERT INTO own VALUES ('here', 1)",
        "SELECT sum(cluster_size) AS n FROM own",
    ]);
    assert!(answer.ends_with("n\n1001\n"), "{answer}");
    let output = cluster.run(&[&own, &format!("SELECT * FROM own JOIN '{file}' USING (Computer)")]);
    let told = stderr(&output);
    assert!(told.contains("the table own is in this session alone, where a cluster can't read it"), "{told}");
    assert!(told.contains("COPY own to Parquet files"), "{told}");

    // A union is made in the shell, so that its branches may be in both places.
    let both = format!(
        "SELECT sum(n) AS n FROM (SELECT count(*) AS n FROM own UNION ALL SELECT count(*) FROM '{file}')"
    );
    let rows: i64 =
        cluster.answer(&[&own, &both]).lines().last().and_then(|n| n.parse().ok()).expect("a number");
    assert!(rows > 1000, "{rows}");

    let page = folder.path().join("page.html");
    let bar = format!(
        "COPY (SELECT process_name(NewProcessName) AS p, count(*) AS n FROM '{file}' GROUP BY p) TO '{}' STORED AS BAR \
         OPTIONS (x 'p', y 'n')",
        page.display()
    );
    let tables = cluster.answer(&[&bar, "SHOW TABLES", "SELECT 1 AS one"]);
    assert!(tables.ends_with("one\n1\n"), "{tables}");
    let page = std::fs::read_to_string(page).expect("a page is written where the shell is");
    assert!(page.contains("<pre id=\"query\">COPY (SELECT process_name"));
}

/// A file that is written anew while it is read twice.
#[test]
fn files_that_change_are_noticed() {
    let (folder, file) = sample(1000, 1);
    let cluster = Cluster::start();
    // A feature that takes long enough for the file to be replaced.
    let query = format!(
        "SELECT count(CommandLine) FROM dbcluster('{file}', [cmdline_tokens(cmdline_template(repeat(CommandLine, 2000)))], eps => 1)"
    );
    cluster.answer(&[&query]);
    let running = cluster.begin(&[&query]);
    // A file with the same events is another file, too.
    let again = folder.path().join("again");
    std::fs::copy(&file, &again).and_then(|_| std::fs::rename(&again, &file)).expect("the file is replaced");
    let output = running.output();
    let told = stderr(&output);
    assert!(told.contains("the table changed while it was clustered"), "{}\n{told}", stdout(&output));
}

#[test]
fn addresses_are_checked() {
    let ask = |url: &str| dbcluster().args(["--cluster", url, "-c", "SELECT 1"]).output().expect("it starts");
    let nobody = ask(&format!("df://127.0.0.1:{}", free_port()));
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        stderr(&nobody).contains("start one with dbcluster-scheduler --bind-port"),
        "{}",
        stderr(&nobody)
    );
    for url in ["localhost:50050", "http://localhost:50050", "df://", "df://localhost:port"] {
        let told = stderr(&ask(url));
        assert!(
            told.contains("is no address of a cluster, expected one such as df://localhost:50050"),
            "{told}"
        );
    }
}
