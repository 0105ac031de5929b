//! Queries at memory limits, each in a process of its own: the right row or an error with the figures, and no
//! more memory than the limit allows. `benches/memory/run.py` asks the same of more rows at more limits.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::binary::{dbcluster, stderr, stdout};

use crate::support::repository;

/// The memory of a process of the shell without a query, and that which the engine holds outside its pool.
const BESIDE_THE_LIMIT: u64 = 300 << 20;

/// The queries of the bench by name.
fn queries(events: &Path) -> Vec<(String, String)> {
    let file = repository().join("benches/memory/queries.sql");
    let text = std::fs::read_to_string(file).expect("the queries of the bench");
    let queries = text.split("-- name: ").skip(1).map(|query| {
        let (name, sql) = query.split_once('\n').expect("a query behind its name");
        (name.to_string(), sql.replace("EVENTS", &events.display().to_string()))
    });
    queries.collect()
}

/// A query's exit code, its output and messages, and the largest memory seen of its process.
struct Run {
    code: Option<i32>,
    answer: String,
    error: String,
    peak: u64,
}

impl Run {
    fn new(sql: &str, limit: Option<&str>, spill: &Path) -> Self {
        let mut command = dbcluster();
        command.args(["--quiet", "--format", "csv", "--threads", "2", "-c", sql]).env("TMPDIR", spill);
        command.args(limit.map(|limit| format!("--memory-limit={limit}")));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // An answer is a few hundred bytes, which the pipes hold.
        let mut peak = 0;
        while child.try_wait().expect("a process").is_none() {
            peak = peak_of(child.id()).unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(2));
        }
        let output = child.wait_with_output().expect("it has ended");
        Self { code: output.status.code(), answer: stdout(&output), error: stderr(&output), peak }
    }
}

/// Returns the peak memory of a process so far, if the system has it.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kibibytes.split_whitespace().next()?.parse().ok().map(|kibibytes: u64| kibibytes << 10)
}

#[test]
fn limits_are_kept_or_the_query_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = dbcluster()
        .current_dir(folder.path())
        .args(["sample", "--rows", "30000", "--out", "sample"])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let spill = folder.path().join("spill");
    std::fs::create_dir(&spill).expect("a folder");
    let queries = queries(&folder.path().join("sample/processes.parquet"));
    assert_eq!(queries.len(), 9);
    let (mut right, mut exhausted) = (0, 0);
    for (name, sql) in queries {
        let plain = Run::new(&sql, None, &spill);
        assert_eq!(plain.code, Some(0), "{name}\n{}", plain.error);
        assert!(plain.peak > 0 || cfg!(not(target_os = "linux")), "{name}: its memory was not seen");
        for (limit, bytes) in [("1m", 1 << 20), ("24m", 24 << 20), ("64m", 64 << 20)] {
            let run = Run::new(&sql, Some(limit), &spill);
            if run.code == Some(0) {
                right += 1;
                assert_eq!(run.answer, plain.answer, "{name} at {limit}");
            } else {
                exhausted += 1;
                let said = run.error.contains("out of resources") && run.error.contains("--memory-limit");
                assert!(run.code == Some(1) && said, "{name} at {limit}\n{}", run.error);
                assert!(!run.error.contains("clustering 0 rows"), "{name} at {limit}\n{}", run.error);
            }
            assert!(run.peak <= bytes + BESIDE_THE_LIMIT, "{name} at {limit} took {} bytes", run.peak);
            assert_eq!(std::fs::read_dir(&spill).expect("a folder").count(), 0, "{name} at {limit}");
        }
    }
    assert!(right >= 9 && exhausted >= 9, "{right} right, {exhausted} exhausted: this proves nothing");
}

/// The setting that an error names is one of the shell.
#[test]
fn limit_of_the_disk_is_named_as_it_is_given() {
    let output = dbcluster()
        .args(["--memory-limit", "24m", "--disk-limit", "1m", "--threads", "1", "-c"])
        .arg("SELECT count(*) FROM (SELECT value % 1000000 AS v, count(*) FROM generate_series(1, 3000000) GROUP BY 1)")
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let error = stderr(&output);
    assert!(error.contains("--disk-limit") && !error.contains("datafusion.runtime"), "{error}");
}
