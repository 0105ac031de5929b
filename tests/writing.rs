//! Files appear whole or not at all: a statement that fails or is ended leaves the earlier file and nothing of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::binary::{dbcluster, stderr, stdout};

/// The content of the earlier file, which is to stay.
const EARLIER: &str = "what was there";

/// The number of rows, of which one fails.
const ROWS: usize = 60_000;

/// Endings that say more than the name of a format, each with the first bytes of such a file.
const ENDINGS: [(&str, &[u8]); 12] = [
    ("tsv", b"n\tv\ts\t"),
    ("ndjson", b"{\"n\":1,"),
    ("jsonl", b"{\"n\":1,"),
    ("CSV.GZ", b"\x1f\x8b"),
    ("tsv.gz", b"\x1f\x8b"),
    ("json.gz", b"\x1f\x8b"),
    ("ndjson.gz", b"\x1f\x8b"),
    ("csv.zst", b"\x28\xb5\x2f\xfd"),
    ("ndjson.zst", b"\x28\xb5\x2f\xfd"),
    ("csv.bz2", b"BZh"),
    ("jsonl.bz2", b"BZh"),
    ("csv.xz", b"\xfd7zXZ"),
];

/// Builds a query of more rows than an upload keeps in memory, which fails in this row.
fn failing(row: usize) -> String {
    format!(
        "SELECT value AS n, value AS v, repeat('x', 300) AS s, CAST(value AS TEXT) AS id, to_timestamp_seconds(value) AS t, \
         value AS cluster_size, true AS clustered, \
         CAST(CASE WHEN value = {row} THEN 'x' ELSE '1' END AS BIGINT) AS one FROM generate_series(1, {ROWS})"
    )
}

/// The ways to write a file: a suffix, and the SQL after the name.
fn formats() -> Vec<(&'static str, String)> {
    let mut formats: Vec<(&str, String)> =
        ["csv", "json", "parquet", "arrow"].map(|name| (name, String::new())).to_vec();
    formats.extend(ENDINGS.map(|(name, _)| (name, String::new())));
    formats.push(("csv.gz", "STORED AS CSV OPTIONS ('format.compression' 'gzip')".to_string()));
    for (figure, options) in [
        ("BAR", "x 'id', y 'v'"),
        ("BOX", "x 'v', y 'one'"),
        ("SCATTER", "x 'n', y 'v'"),
        ("TIMELINE", "time 't'"),
        ("CURVE", "y 'v'"),
        ("CARDS", "account 'id'"),
        ("TREE", "id 'id', parent 's'"),
        ("REPORT", "label 'id'"),
    ] {
        formats.push(("html", format!("STORED AS {figure} OPTIONS ({options})")));
    }
    formats
}

/// Every file of a folder, by its path in it, and every folder that is empty.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let entries: Vec<_> = fs::read_dir(&next).expect("a folder").collect();
        let name = |path: &Path| path.strip_prefix(folder).expect("below it").to_path_buf();
        if entries.is_empty() && next != folder {
            all.push((name(&next), vec![]));
        }
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push((name(&path), fs::read(&path).expect("a file")));
            }
        }
    }
    all.sort();
    all
}

/// Whether the earlier file is all there is.
fn is_as_before(folder: &Path, name: &str) -> bool {
    let earlier: Vec<(PathBuf, Vec<u8>)> = vec![(name.into(), EARLIER.into())];
    contents(folder) == earlier
}

fn run_in(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(args).output().expect("the binary starts")
}

/// Runs the program with a limit on the length of files, which has the effect of a full disk.
fn run_on_full_disk(folder: &Path, kilobytes: usize, args: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\"");
    let binary = dbcluster();
    let mut command = Command::new("bash");
    for (name, value) in binary.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(folder).args(["-c", &script, "bash"]).arg(binary.get_program()).args(args);
    command.output().expect("bash starts")
}

fn fails(output: &Output, with: &str, what: &str) {
    let error = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{what}\n{error}{}", stdout(output));
    assert!(error.contains(with), "{what}\n{error}");
}

#[test]
fn a_copy_that_fails_leaves_the_earlier_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for (suffix, as_what) in formats() {
        let file = folder.path().join(format!("o.{suffix}"));
        fs::write(&file, EARLIER).expect("a file");
        for row in [1, ROWS / 2, ROWS] {
            // cards and trees draw fewer rows, and would fail for it
            let limit = if as_what.contains("CARDS") || as_what.contains("TREE") { 900 } else { ROWS };
            let query = failing(row * limit / ROWS + usize::from(row == 1));
            let sql = format!("COPY ({query} LIMIT {limit}) TO 'o.{suffix}' {as_what}");
            let output = run_in(folder.path(), &["-c", &sql]);
            fails(&output, "Cannot cast", &sql);
            assert!(is_as_before(folder.path(), &format!("o.{suffix}")), "{sql}");
        }
        fs::remove_file(&file).expect("it goes");
    }
}

#[test]
fn a_copy_that_fails_leaves_no_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("kept")).expect("a folder");
    fs::write(folder.path().join("kept/a.csv"), "n\n1\n").expect("a file");
    let before = contents(folder.path());
    let query = failing(ROWS / 2);
    for target in [
        "'o.csv'",
        "'a/b/o.parquet'",
        "'a/b/' STORED AS PARQUET",
        "'kept/' STORED AS CSV",
        "'parts/' STORED AS PARQUET PARTITIONED BY (one)",
        "'kept/' STORED AS JSON PARTITIONED BY (one)",
    ] {
        // parts that are full are finished long before the end
        let sql = format!(
            "SET datafusion.execution.soft_max_rows_per_output_file = 1000; COPY ({query}) TO {target};"
        );
        fails(&run_in(folder.path(), &["-c", &sql]), "Cannot cast", target);
        assert!(contents(folder.path()) == before, "{target}");
    }
    let sql = format!(
        "CREATE EXTERNAL TABLE kept (n BIGINT) STORED AS CSV LOCATION 'kept/' OPTIONS ('format.has_header' 'true');
         INSERT INTO kept SELECT one FROM ({query});"
    );
    fails(&run_in(folder.path(), &["-c", &sql]), "Cannot cast", &sql);
    assert!(contents(folder.path()) == before, "{sql}");
    let sql = format!("EXPLAIN ANALYZE COPY ({query}) TO 'o.csv'");
    fails(&run_in(folder.path(), &["-c", &sql]), "Cannot cast", &sql);
    assert!(contents(folder.path()) == before, "{sql}");
}

#[test]
fn a_copy_that_succeeds_takes_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (suffix, as_what) in formats() {
        let name = format!("o.{suffix}");
        fs::write(folder.path().join(&name), EARLIER).expect("a file");
        let sql = format!("COPY ({} LIMIT 900) TO '{name}' {as_what}", failing(ROWS));
        let output = run_in(folder.path(), &["--format", "csv", "-c", &sql]);
        assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("count\n900\n", ""), "{sql}");
        let written = contents(folder.path());
        assert_eq!(written.len(), 1, "{sql}");
        assert!(written[0].1.len() > EARLIER.len(), "{sql}");
        fs::remove_file(folder.path().join(&name)).expect("it goes");
    }
    for sql in [
        "COPY (SELECT value AS n, value % 3 AS part FROM generate_series(1, 9)) TO 'parts/' STORED AS PARQUET PARTITIONED BY (part)",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS n) TO 'parts/part=9/one.parquet'",
        "CREATE EXTERNAL TABLE parts (n BIGINT, part BIGINT) STORED AS PARQUET PARTITIONED BY (part) LOCATION 'parts/';
         INSERT INTO parts VALUES (100, 7)",
    ] {
        let output = run_in(folder.path(), &["-c", sql]);
        assert!(output.status.success(), "{sql}\n{}", stderr(&output));
    }
    let sum = run_in(folder.path(), &["--format", "csv", "-c", "SELECT sum(n) AS s FROM 'parts/'"]);
    assert_eq!(stdout(&sum), "s\n146\n", "{}", stderr(&sum));
    assert!(
        contents(folder.path()).iter().all(|(path, _)| path.extension().is_some_and(|it| it == "parquet"))
    );
    // A statement that reads and writes one file reads the earlier one.
    let sql = "COPY (SELECT 1 AS n) TO 'o.csv'; COPY (SELECT n + 1 AS n FROM 'o.csv') TO 'o.csv'";
    assert!(run_in(folder.path(), &["-c", sql]).status.success());
    assert_eq!(fs::read_to_string(folder.path().join("o.csv")).expect("text"), "n\n2\n");
}

#[test]
fn an_ending_says_how_a_file_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for (ending, magic) in ENDINGS {
        let name = format!("o.{ending}");
        let sql = format!("COPY ({} LIMIT 9) TO '{name}'", failing(ROWS));
        let output = run_in(folder.path(), &["-c", &sql]);
        assert!(output.status.success(), "{sql}\n{}", stderr(&output));
        let written = fs::read(folder.path().join(&name)).expect("a file");
        assert!(written.starts_with(magic), "{name}: {:?}", String::from_utf8_lossy(&written));
    }
    // The statement wins over the ending.
    let sql = "COPY (SELECT 1 AS a, 2 AS b) TO 'o.tsv' OPTIONS ('format.delimiter' ';'); COPY (SELECT 1 AS a) TO 'o.csv.gz' STORED AS JSON;
               EXPLAIN COPY (SELECT 1 AS a) TO 'never.ndjson.gz'";
    let output = run_in(folder.path(), &["-c", sql]);
    assert!(output.status.success(), "{}", stderr(&output));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("text");
    assert_eq!((read("o.tsv").as_str(), read("o.csv.gz").as_str()), ("a;b\n1;2\n", "{\"a\":1}\n"));
    assert!(!folder.path().join("never.ndjson.gz").exists());
    let unknown = run_in(folder.path(), &["-c", "COPY (SELECT 1 AS a) TO 'o.txt'"]);
    fails(&unknown, "with ext txt; COPY knows the endings .csv, .tsv", "o.txt");
}

#[test]
fn a_full_disk_leaves_the_earlier_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for (suffix, as_what) in formats() {
        // The text is random, so that no row compresses, and the same each time.
        let limit = if as_what.contains("CARDS") || as_what.contains("TREE") { 900 } else { 40_000 };
        let query = format!(
            "SELECT value AS n, value AS v, CAST(value AS TEXT) AS id, encode(sha512(CAST(value AS TEXT)), 'hex') AS s, \
             to_timestamp_seconds(value) AS t, value % 3 AS one, value AS cluster_size, true AS clustered FROM generate_series(1, {limit})"
        );
        let name = format!("o.{suffix}");
        fs::write(folder.path().join(&name), EARLIER).expect("a file");
        let sql = format!("COPY ({query}) TO '{name}' {as_what}");
        let kilobytes = if limit == 900 { 50 } else { 1_000 };
        let output = run_on_full_disk(folder.path(), kilobytes, &["-c", &sql]);
        fails(&output, "File too large", &sql);
        assert!(stderr(&output).contains(&name), "{sql}\n{}", stderr(&output));
        assert!(is_as_before(folder.path(), &name), "{sql}");
        fs::remove_file(folder.path().join(&name)).expect("it goes");
    }
    let sql = "COPY (SELECT value AS n, value % 3 AS part, repeat('x', 100) AS s FROM generate_series(1, 90000)) TO 'parts/' \
               STORED AS CSV PARTITIONED BY (part)";
    fails(&run_on_full_disk(folder.path(), 1_000, &["-c", sql]), "File too large", sql);
    assert!(contents(folder.path()).is_empty());
}

#[test]
fn a_report_takes_the_place_of_the_earlier_one_or_leaves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = run_in(folder.path(), &["sample", "--rows", "2000", "--out", "."]);
    assert!(sample.status.success(), "{}", stderr(&sample));
    let page = folder.path().join("r.html");
    fs::write(&page, EARLIER).expect("a file");
    let before = contents(folder.path());
    let report = ["report", "--table", "processes.parquet", "--out", "r.html"];
    fails(&run_in(folder.path(), &report), "--force", "it is there");
    let forced = [&report[..], &["--force"]].concat();
    let output = run_on_full_disk(folder.path(), 100, &forced);
    fails(&output, "r.html: File too large", "a full disk");
    assert!(contents(folder.path()) == before);
    let broken = ["report", "--table", "missing.csv", "--out", "r.html", "--force"];
    assert_eq!(run_in(folder.path(), &broken).status.code(), Some(1));
    assert!(contents(folder.path()) == before);
    let output = run_in(folder.path(), &forced);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(fs::read_to_string(&page).expect("text").contains("</html>"));
    assert_eq!(contents(folder.path()).len(), before.len());
}

#[test]
fn a_sample_takes_the_place_of_the_earlier_one_or_leaves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = |more: &[&'static str]| {
        let mut args = vec!["sample", "--rows", "30000", "--out", "s"];
        args.extend(more);
        args
    };
    for files in ["1", "3"] {
        let output = run_in(folder.path(), &sample(&["--files", files, "--force"]));
        assert!(output.status.success(), "{}", stderr(&output));
        let before = contents(folder.path());
        for files in ["1", "2"] {
            let args = sample(&["--files", files, "--force", "--seed", "8"]);
            let output = run_on_full_disk(folder.path(), 200, &args);
            fails(&output, "File too large", "a full disk");
            assert!(stderr(&output).contains("processes.parquet"), "{}", stderr(&output));
            assert!(contents(folder.path()) == before, "{files}");
        }
    }
    let elsewhere = ["sample", "--rows", "30000", "--out", "a/b"];
    fails(&run_on_full_disk(folder.path(), 200, &elsewhere), "File too large", "a full disk");
    assert!(!folder.path().join("a").exists());
}
