//! Queries at memory limits, each in a process of its own: the right row, or an error that says what was missing, and no
//! more memory than the limit allows, in finite time. `benches/memory/run.py` asks the same of more rows at more limits.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

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

/// The longest that a query which works may take between two system calls, on a machine with much else to do.
#[cfg(target_os = "linux")]
const STALL: Duration = Duration::from_mins(1);

/// An exchange of which two tasks spill at once must not wait for ever: see `ONE_BATCH_PER_SPILL_FILE` in the shell.
///
/// With the engine's own setting one of these queries stalls in most runs.
#[cfg(target_os = "linux")]
#[test]
fn exchanges_that_spill_come_to_an_end() {
    const QUERIES: usize = 10;
    let query = "SELECT count(*), sum(n) FROM (SELECT g, count(DISTINCT id) AS n FROM t GROUP BY g);";
    let table = "CREATE TABLE t AS SELECT v % 13 AS g, md5((v % 337)::varchar) AS id FROM generate_series(1, 40000) AS s(v);";
    let mut child = dbcluster()
        .args(["--quiet", "--format", "csv", "--threads", "2", "--memory-limit", "4m", "-c"])
        .arg(format!("{table} {}", query.repeat(QUERIES)))
        .env("DATAFUSION_EXECUTION_BATCH_SIZE", "64")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let counters = format!("/proc/{}/io", child.id());
    let (mut seen, mut since) = (String::new(), Instant::now());
    while child.try_wait().expect("a process").is_none() {
        let now = std::fs::read_to_string(&counters).unwrap_or_default();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if since.elapsed() > STALL {
            child.kill().expect("a process");
            let output = child.wait_with_output().expect("it has ended");
            panic!("it does nothing any more, after\n{}", stdout(&output));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("it has ended");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).matches("13,4381\n").count(), QUERIES, "{}", stdout(&output));
}

/// A query that spills holds many files open, and shells often start programs with a low soft limit.
#[cfg(target_os = "linux")]
#[test]
fn limit_of_open_files_is_the_largest_allowed() {
    let program = dbcluster().get_program().to_os_string();
    let mut child = std::process::Command::new("sh")
        .args(["-c", "ulimit -Sn 300 && exec \"$0\" -q"])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let limits = format!("/proc/{}/limits", child.id());
    let began = Instant::now();
    let (soft, hard) = loop {
        let text = std::fs::read_to_string(&limits).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
        let numbers: Vec<String> = line.split_whitespace().skip(3).map(str::to_string).collect();
        // Before the program runs, they are those of the system's shell.
        if let [soft, hard, ..] = &numbers[..]
            && (soft == hard || began.elapsed() > STALL)
        {
            break (soft.clone(), hard.clone());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(child.stdin.take());
    child.wait().expect("it has ended");
    assert_eq!(soft, hard);
}
