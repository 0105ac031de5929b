//! Files that are damaged, empty, no files at all, or of a kind that nobody knows: the shell says which file, and what to do.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::binary::{dbcluster, stderr, stdout};

/// A query of a broken file ends within this time, which is far more than it needs.
const PATIENCE: Duration = Duration::from_secs(20);

fn run_in(folder: &Path, statements: &[&str]) -> Output {
    let mut command = dbcluster();
    command.current_dir(folder).args(["-q", "--format", "csv"]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    let mut running = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let started = Instant::now();
    while running.try_wait().expect("its state").is_none() {
        if started.elapsed() > PATIENCE {
            running.kill().expect("it stops");
            panic!("{statements:?} does not come to an end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    running.wait_with_output().expect("its output")
}

/// The shell's message about a query that fails.
fn error_of(folder: &Path, statement: &str) -> String {
    let output = run_in(folder, &[statement]);
    assert_eq!(output.status.code(), Some(1), "{statement}\n{}", stdout(&output));
    stderr(&output)
}

fn answer(folder: &Path, statements: &[&str]) -> String {
    let output = run_in(folder, statements);
    assert!(output.status.success(), "{statements:?}\n{}", stderr(&output));
    stdout(&output)
}

/// 300 rows in a file of each kind, `good.csv` and so on.
fn good_files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let copies: Vec<String> = ["csv", "json", "parquet", "arrow"]
        .iter()
        .map(|kind| {
            format!(
                "COPY (SELECT value AS a, 'row ' || value AS s, value % 2 = 0 AS even FROM generate_series(1, 300)) TO 'good.{kind}'"
            )
        })
        .collect();
    answer(folder.path(), &copies.iter().map(String::as_str).collect::<Vec<_>>());
    folder
}

/// The message names the file, is one of a few lines, and shows nothing of the program's inside.
fn assert_names(message: &str, file: &Path, statement: &str) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    assert!(message.contains(&*name), "{statement}: {message}");
    for inside in
        ["panicked at", "stack backtrace", "internal error", "DataFusionError", "likely caused by a bug"]
    {
        assert!(!message.contains(inside), "{statement}: {message}");
    }
}

const QUERIES: [&str; 3] = [
    "SELECT * FROM 'FILE'",
    "SELECT count(s) FROM 'FILE' WHERE a > 3",
    "SELECT s, cluster_size FROM dbcluster('FILE', [a], eps => 1, scaling => 'none')",
];

#[test]
fn damaged_parquet_files_are_named() {
    let folder = good_files();
    let good = fs::read(folder.path().join("good.parquet")).expect("a file");
    let end = good.len() - 8;
    let mut cases =
        vec![b"PAR1PAR1".to_vec(), b"PAR1".to_vec(), b"no parquet at all".to_vec(), good[..end].to_vec()];
    for length in [0_u32, 1, 0x7fff_ffff, 0xffff_ffff, good.len() as u32] {
        cases.push([&good[..end], &length.to_le_bytes(), b"PAR1"].concat());
    }
    // The footer says what the pages don't hold.
    cases.push([&b"PAR1"[..], &vec![0xff; end / 2], &good[end / 2 + 4..]].concat());
    for bytes in cases {
        let file = folder.path().join("broken.parquet");
        fs::write(&file, &bytes).expect("a file");
        for query in QUERIES {
            let statement = query.replace("FILE", "broken.parquet");
            assert_names(&error_of(folder.path(), &statement), &file, &statement);
        }
    }
}

/// A single bit is flipped: the answer may be right or wrong, but an error names the file.
#[test]
fn flipped_bits_are_answers_or_errors_with_a_name() {
    let folder = good_files();
    let mut random = Rng::with_seed(13);
    let mut failed = 0;
    for kind in ["parquet", "arrow"] {
        let good = fs::read(folder.path().join(format!("good.{kind}"))).expect("a file");
        let file = folder.path().join(format!("broken.{kind}"));
        for _ in 0..40 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..4) {
                // Most bits are values; the end says where they are.
                let at = if random.bool() {
                    random.usize(..good.len())
                } else {
                    random.usize(good.len() * 3 / 4..good.len())
                };
                bytes[at] ^= 1 << random.u32(..8);
            }
            fs::write(&file, &bytes).expect("a file");
            let statement = format!("SELECT count(s), sum(a) FROM 'broken.{kind}'");
            let output = run_in(folder.path(), &[&statement]);
            if !output.status.success() {
                assert_names(&stderr(&output), &file, &statement);
                failed += 1;
            }
        }
    }
    assert!(failed > 10, "{failed}");
}

/// The message about a folder names the file that is wrong.
#[test]
fn one_file_of_a_folder_is_named() {
    let folder = good_files();
    for (kind, wrong) in [
        ("csv", "a,s,even\n1,x,true\nno number,y,false\n".to_string()),
        ("csv", "a,s,even\n1,x\n".to_string()),
        ("json", "{\"a\": 1, \"s\": \"x\"}\n{\"a\": broken\n".to_string()),
        ("parquet", "PAR1PAR1".to_string()),
        ("arrow", "ARROW1 and nothing more".to_string()),
    ] {
        let logs = folder.path().join(format!("logs.{kind}"));
        fs::create_dir_all(&logs).expect("a folder");
        for number in 0..4 {
            fs::copy(folder.path().join(format!("good.{kind}")), logs.join(format!("{number}.{kind}")))
                .expect("a copy");
        }
        let mut file = logs.join(format!("2.{kind}"));
        fs::write(&file, &wrong).expect("a file");
        if wrong.contains("no number") {
            // Either of two files that differ in a column's type may be the wrong one.
            file = logs.clone();
        }
        let external = format!("CREATE EXTERNAL TABLE logs STORED AS {kind} LOCATION '{}/'", logs.display());
        for query in QUERIES {
            // Text that is named by its path is read whatever it is.
            if !matches!(kind, "csv" | "json") {
                let statement = query.replace("FILE", &format!("logs.{kind}/"));
                assert_names(&error_of(folder.path(), &statement), &file, &statement);
            }
            let output = run_in(folder.path(), &[&external, &query.replace("'FILE'", "logs")]);
            assert_eq!(output.status.code(), Some(1));
            assert_names(&stderr(&output), &file, query);
        }
    }
}

/// An error in computing on the rows is not the file's fault.
#[test]
fn errors_of_the_query_are_not_blamed_on_a_file() {
    let folder = good_files();
    for (query, expected) in [
        ("SELECT 1 / (a - a) FROM 'good.csv'", "Divide by zero"),
        ("SELECT CAST(s AS INT) FROM 'good.parquet'", "Cannot cast"),
    ] {
        let message = error_of(folder.path(), query);
        assert!(
            message.contains(expected) && !message.contains("good.csv:") && !message.contains("the file"),
            "{message}"
        );
    }
}

#[test]
fn files_that_are_no_tables_differ_from_missing_files() {
    let folder = good_files();
    let at = folder.path();
    fs::create_dir(at.join("empty")).expect("a folder");
    fs::write(at.join("passwd"), "root:x:0:0\n").expect("a file");
    fs::write(at.join("zero.parquet"), "").expect("a file");
    fs::write(at.join("old.zip"), "PK\u{3}\u{4} and the rest").expect("a file");
    for (name, expected) in [
        ("empty/", "empty"),
        ("logs/*.csv", "logs/*.csv"),
        ("zero.parquet", "zero.parquet"),
        ("old.zip", "old.zip"),
        ("/dev/stdin", "/dev/stdin"),
        ("/dev/zero", "/dev/zero"),
        ("nothing.csv", "nothing.csv"),
    ] {
        for statement in
            [format!("SELECT * FROM '{name}'"), format!("SELECT * FROM dbcluster('{name}', [a], eps => 1)")]
        {
            let message = error_of(at, &statement);
            assert!(message.contains(expected), "{statement}: {message}");
        }
    }
    // A name that is no path has the engine's error, with the near names.
    let message = error_of(at, "CREATE TABLE events AS SELECT 1 AS a; SELECT * FROM evnts");
    assert!(
        message.contains("there is no table 'evnts', and no file of that name (did you mean 'events'?)"),
        "{message}"
    );
    // A new table may have the name of an existing file.
    let made = "CREATE TABLE passwd AS SELECT 1 AS a; CREATE VIEW empty AS SELECT * FROM passwd; CREATE TABLE logs AS SELECT a FROM empty;
                SELECT 'made', a FROM logs";
    let output =
        dbcluster().current_dir(at).args(["--format", "csv", "-c", made]).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    // Any text is lines.
    assert_eq!(answer(at, &["SELECT line FROM 'passwd'"]), "line\nroot:x:0:0\n");
}

/// A folder is read as a whole.
#[test]
fn a_folder_of_several_kinds_is_read_as_a_whole() {
    let folder = good_files();
    let at = folder.path();
    let logs = at.join("logs");
    fs::create_dir(&logs).expect("a folder");
    for (from, to) in [
        ("good.csv", "1.csv"),
        ("good.json", "2.json"),
        ("good.parquet", "1.parquet"),
        ("good.arrow", "1.arrow"),
    ] {
        fs::copy(at.join(from), logs.join(to)).expect("a copy");
    }
    for (path, rows) in
        [("logs", 1200), ("logs/", 1200), ("logs/1*", 900), ("logs/*.csv", 300), ("logs/*.parquet", 300)]
    {
        let sums = answer(at, &[&format!("SELECT count(*) AS n, sum(a) AS a, count(s) AS s FROM '{path}'")]);
        assert_eq!(sums, format!("n,a,s\n{rows},{},{rows}\n", rows / 300 * 45150), "{path}");
    }
    // Files that programs leave beside their data are not read.
    for name in ["_SUCCESS", ".1.csv.swp", ".0.json"] {
        fs::write(logs.join(name), "x").expect("a file");
    }
    fs::create_dir(logs.join("_delta_log")).expect("a folder");
    fs::write(logs.join("_delta_log/0.json"), "{}").expect("a file");
    assert_eq!(answer(at, &["SELECT count(*) AS n FROM 'logs'"]), "n\n1200\n");
    assert_eq!(
        answer(at, &["SELECT count(*) AS n FROM dbcluster('logs', [a], eps => 1, scaling => 'none')"]),
        "n\n1\n"
    );
}

/// A folder that has the name of a function hides no function.
#[test]
fn folders_do_not_hide_functions() {
    let folder = good_files();
    fs::create_dir(folder.path().join("dbcluster")).expect("a folder");
    fs::write(folder.path().join("dbcluster/README"), "x").expect("a file");
    let sizes = answer(
        folder.path(),
        &["SELECT count(*) AS n FROM dbcluster('good.csv', [a], eps => 1, scaling => 'none')"],
    );
    assert_eq!(sizes, "n\n1\n");
}

/// The engine's own reader would wait for a second look at a pipe.
#[cfg(unix)]
#[test]
fn pipes_are_refused_by_the_engines_reader() {
    let folder = good_files();
    let pipe = folder.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let external = "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'pipe.csv'";
    let message = error_of(folder.path(), external);
    assert!(message.contains("pipe.csv is a pipe, which can be read once"), "{message}");
    assert!(message.contains("write it to a file first, as with cat"), "{message}");
}

/// A file that is written anew while it is read gives an answer or an error within the time.
#[test]
fn a_text_that_becomes_shorter_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.csv");
    // Above the size from which on the engine reads a file in parts.
    let long = format!("a,s\n{}", "12345678,some text of a log that goes on and on\n".repeat(400_000));
    let short = "a,s\n1,x\n";
    for round in 0..12 {
        fs::write(&file, &long).expect("a file");
        let mut command = dbcluster();
        command.current_dir(folder.path()).args([
            "-q",
            "--threads",
            "2",
            "-c",
            "SELECT sum(a), max(s) FROM 'log.csv'",
        ]);
        let mut running = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_millis(20 * round + 20));
        // The file is truncated in place, as by a program that opens its log anew. It is never empty: an empty file has no
        // columns, which is another error.
        let mut opened = fs::File::options().write(true).open(&file).expect("the file");
        opened.write_all(short.as_bytes()).expect("a shorter text");
        opened.set_len(short.len() as u64).expect("a shorter file");
        let started = Instant::now();
        while running.try_wait().expect("its state").is_none() {
            if started.elapsed() > PATIENCE {
                running.kill().expect("it stops");
                panic!("round {round} does not come to an end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = running.wait_with_output().expect("its output");
        if !output.status.success() {
            let message = stderr(&output);
            assert!(message.contains("log.csv"), "{message}");
        }
    }
}
