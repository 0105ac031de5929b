//! Wrong and odd statements end soon, in rows or in a readable error: those of `tests/malformed/*.sql`, and some that are too
//! long or too odd for a file.
//!
//! A line of a file is a script of its own, run by a process of its own behind [`TABLES`]. It may take two seconds of
//! processor time, which the system counts and a busy machine doesn't stretch, and ten times that on the clock.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use regex::Regex;

use crate::binary::dbcluster;

use crate::support::repository;

/// Seconds of processor time; a build that is not optimised takes many times as long.
const PROCESSOR_SECONDS: u64 = if cfg!(debug_assertions) { 30 } else { 2 };
const SECONDS: u64 = 10 * PROCESSOR_SECONDS;

const TABLES: &str = "
CREATE TABLE t AS SELECT * FROM (VALUES
  (1, 2.5, 'a', true, TIMESTAMP '2026-01-01T00:00:00'), (2, 2.5, 'b', false, TIMESTAMP '2026-01-01T00:00:01'),
  (9, 1.0, NULL, NULL, NULL), (9, 1.0, 'c', true, TIMESTAMP '2026-01-01T00:00:03')) AS v(a, x, s, b, ts);
CREATE TABLE e AS SELECT * FROM t WHERE false;
CREATE TABLE nul AS SELECT NULL AS n, 1 AS a;
";

/// Reads the statements of the files.
fn written() -> Vec<String> {
    let folder = repository().join("tests/malformed");
    let entries = std::fs::read_dir(&folder).expect("the folder of statements");
    let files = entries.map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("text"));
    let lines = files.flat_map(|text| text.lines().map(ToString::to_string).collect::<Vec<_>>());
    lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
}

/// Builds statements that are too long for a file, or have characters that an editor hides.
fn made() -> Vec<String> {
    let numbers = (0..30_000).map(|number: i32| number.to_string()).collect::<Vec<_>>().join(", ");
    let sum = vec!["a"; 3000].join(" - ");
    let condition =
        |terms: i32| (0..terms).map(|it| format!("a + {it} = x")).collect::<Vec<_>>().join(" OR ");
    let keys = |count: usize| (0..count).map(|key| format!("a + {key}")).collect::<Vec<_>>().join(", ");
    let columns = |count: usize| (0..count).map(|it| format!("a AS c{it}")).collect::<Vec<_>>().join(", ");
    let call = |table: &str, features: &str, options: &str| {
        format!("SELECT * FROM dbcluster({table}, {features}, 1{options})")
    };
    let nested = |levels: usize| {
        let table = "dbcluster((SELECT a FROM ".repeat(levels)
            + "t"
            + &"), [a], 1, scaling => 'none')".repeat(levels);
        format!("SELECT * FROM {table}")
    };
    vec![
        "SELECT /* c */ * FROM dbcluster(/* x */ t, -- y\n [a /* z */], 1, /* => */ scaling /**/ => /**/ 'none')"
            .to_string(),
        call(&format!("(SELECT * FROM t WHERE a IN ({numbers}))"), "[a]", ""),
        call("t", &format!("[{numbers}]"), ""),
        call("t", "[a]", &format!(", weights => [{numbers}]")),
        call("t", "[a]", &format!(", partition_by => [{}]", vec!["a"; 2000].join(", "))),
        call("t", "[a]", &format!(", partition_by => [{}]", keys(1000))),
        call("t", "[a]", &format!(", order_by => [{}]", keys(1000))),
        call("t", &format!("['a{}']", ", a".repeat(20_000)), ""),
        call("t", &format!("[{}a{}]", "(".repeat(600), ")".repeat(600)), ""),
        call("t", &format!("['{}']", "(".repeat(100_000)), ""),
        call("t", &format!("[{sum}]"), ", scaling => 'none'"),
        call("t", &format!("'{sum} AS n'"), ", scaling => 'none'"),
        format!("SELECT count(*) FROM t WHERE {}", condition(10_000)),
        call(&format!("(SELECT * FROM t WHERE {})", condition(50_000)), "[a]", ""),
        format!("COPY (SELECT {} AS n FROM t) TO 'sum.csv'", vec!["a"; 100_000].join(" + ")),
        format!("\\plot BAR sum.html SELECT s, {} AS n FROM t", vec!["a"; 100_000].join(" + ")),
        call("t", &format!("[{}a{}]", "abs(".repeat(200), ")".repeat(200)), ", scaling => 'none'"),
        format!("SELECT * FROM {}t{}", "dbcluster(".repeat(60), ", [a], 1)".repeat(60)),
        nested(4),
        nested(12),
        call(&format!("(SELECT {} FROM t)", columns(1000)), "[c1]", ""),
        call(&format!("\"{}\"", "x".repeat(1_000_000)), "[a]", ""),
        format!("SELECT '{}' AS q FROM dbcluster(t, [a], 1)", "x".repeat(3_000_000)),
        format!("SELECT cmdline_tokens('{}')", "x ".repeat(1_000_000)),
        "SET datafusion.execution.target_partitions = 2000; SELECT count(*) FROM dbcluster_members(t, [a], 1)".to_string(),
        "SELECT * FROM dbcluster('\u{0}', [a], 1)".to_string(),
        "\u{0}".to_string(),
        "\u{feff}SELECT 1".to_string(),
        "SELECT 1\u{0}".to_string(),
        "SELECT '\u{202e}abc'".to_string(),
    ]
}

/// The end of a run: exit code and output.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a script, or returns the reason why it was stopped.
fn run(script: &str) -> Result<Ended, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("script.sql");
    let end = if script.starts_with('\\') || script.trim_end().ends_with(';') { "\n" } else { ";\n" };
    std::fs::write(&file, format!("{TABLES}{script}{end}")).expect("a script");
    let program = dbcluster();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -t {PROCESSOR_SECONDS} && exec \"$0\" -q -f script.sql")]);
    command.arg(program.get_program()).current_dir(folder.path()).env("HOME", folder.path());
    command
        .env("XDG_STATE_HOME", folder.path())
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for (name, value) in program.get_envs() {
        if value.is_none() {
            command.env_remove(name);
        }
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("a shell that starts the binary");
    let id = child.id();
    let (sender, receiver) = channel();
    let reader = std::thread::spawn(move || {
        // The receiver is gone if the run was stopped.
        let _ = sender.send(child.wait_with_output());
    });
    let output = match receiver.recv_timeout(Duration::from_secs(SECONDS)) {
        Ok(output) => output.expect("its output"),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Command::new("kill").args(["-9", &id.to_string()]).status().expect("kill starts");
            reader.join().expect("a reader");
            return Err(format!("ran longer than {SECONDS} s"));
        }
    };
    reader.join().expect("a reader");
    let code = output.status.code();
    if code.is_none() {
        return Err(format!(
            "was stopped, as after {PROCESSOR_SECONDS} s of processor time: {}",
            output.status
        ));
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// Patterns that no message may have: internal names of plans and functions, the engine's apologies, Rust's debug output.
struct Forbidden {
    names: Regex,
    apologies: Regex,
    dumps: Regex,
}

impl Forbidden {
    fn new() -> Self {
        let regex = |pattern| Regex::new(pattern).expect("a pattern");
        Self {
            names: regex(r"\b(?:__\w+|named_struct)\b"),
            apologies: regex(
                r"(?i)panick|internal error|bug in|caused by a bug|RUST_BACKTRACE|stack backtrace",
            ),
            // Int64(1) is allowed: the engine names the column of a constant so, in results as in messages.
            dumps: regex(
                r"\b[A-Z]\w*(?:\(\w+)? \{ \w+: |\b(?:Some|Ok|Err|Literal|Column|Alias|Box)\(|\b(?:Utf8|Float64|Int64)\((?:Some|None)",
            ),
        }
    }

    /// Returns the fault in the end of a script, if there is one.
    fn fault(&self, script: &str, ended: &Ended) -> Option<String> {
        // EXPLAIN may show internal names.
        let shows_plan = script.contains("EXPLAIN");
        let texts = [Some(ended.stderr.as_str()), Some(ended.stdout.as_str()).filter(|_| !shows_plan)];
        for text in texts.into_iter().flatten() {
            // A name that the script has is known to its author, and the engine prints {a: 1} as a call of its function.
            let is_known =
                |name: &str| script.contains(name) || (name == "named_struct" && script.contains('{'));
            let name = self.names.find_iter(text).find(|name| !is_known(name.as_str()));
            if let Some(name) = name {
                return Some(format!("names {}", name.as_str()));
            }
            if let Some(apology) = self.apologies.find(text) {
                return Some(format!("says '{}'", apology.as_str()));
            }
        }
        if let Some(dump) = self.dumps.find(&ended.stderr).filter(|dump| !script.contains(dump.as_str())) {
            return Some(format!("dumps '{}'", dump.as_str()));
        }
        match ended.code {
            Some(0) => None,
            Some(1) if ended.stderr.starts_with("dbcluster: ") => None,
            _ => Some(format!("ended with {:?}", ended.code)),
        }
    }
}

#[test]
fn statements_end_soon_and_in_words() {
    let mut scripts = written();
    assert!(scripts.len() > 500, "the files of statements are gone: {}", scripts.len());
    scripts.extend(made());
    let forbidden = Forbidden::new();
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = match run(script) {
                        Ok(ended) => forbidden.fault(script, &ended).map(|fault| (fault, ended.stderr)),
                        Err(stopped) => Some((stopped, String::new())),
                    };
                    if let Some((fault, said)) = fault {
                        let begin = |text: &str| text.chars().take(400).collect::<String>();
                        let text = format!("{}\n  {fault}: {}", begin(script), begin(&said));
                        faults.lock().expect("no worker panics").push(text);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().expect("no worker panics");
    assert!(faults.is_empty(), "{} of {} statements:\n{}", faults.len(), scripts.len(), faults.join("\n"));
}
