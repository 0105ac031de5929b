//! Signals end the program in order: with its exit code, and without a file of its own left.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{Options, spawn_with_options};

use crate::binary::{dbcluster, stderr};

/// Everything here ends within this time.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary with signals set to their defaults, which the caller of the tests may have changed.
fn hearing(args: &[&str]) -> Command {
    let binary = dbcluster();
    let mut command = Command::new("env");
    command.arg("--default-signal=INT,TERM,HUP").arg(binary.get_program()).args(args);
    command
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill starts").success());
}

/// Bytes of the files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A file that disappears meanwhile has no size.
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, found)| if found.is_dir() { size(&path) } else { found.len() })
        .sum()
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < PATIENCE, "{what} has not happened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const KINDS: [(&str, i32, &str); 3] =
    [("INT", 130, "interrupted"), ("TERM", 143, "terminated"), ("HUP", 129, "hung up")];

#[test]
fn half_written_files_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let endless =
        "COPY (SELECT value, md5(CAST(value AS TEXT)) AS s FROM generate_series(1, 1000000000000)) TO";
    for (signal, code, word) in KINDS {
        for target in ["'o.csv'", "'new/o.parquet'", "'parts/' STORED AS JSON"] {
            fs::write(folder.path().join("o.csv"), "earlier").expect("a file");
            let mut command = hearing(&["-c", &format!("{endless} {target}")]);
            let child = command.current_dir(folder.path()).stderr(Stdio::piped()).spawn().expect("it starts");
            wait_for("the first megabyte", || size(folder.path()) > 1 << 20);
            send(&child, signal);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(code), "{signal} {target}: {}", stderr(&output));
            assert!(stderr(&output).contains(word), "{signal} {target}: {}", stderr(&output));
            assert_eq!(names(folder.path()), ["o.csv"], "{signal} {target}");
            assert_eq!(fs::read_to_string(folder.path().join("o.csv")).expect("text"), "earlier");
        }
    }
}

#[test]
fn spilled_data_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let spill = folder.path().join("spill");
    fs::create_dir(&spill).expect("a folder");
    let sort = "COPY (SELECT value, md5(CAST(value AS TEXT)) AS s FROM generate_series(1, 100000000) ORDER BY s) TO 'o.csv'";
    for (signal, code, _) in KINDS {
        let mut command = hearing(&["--memory-limit", "60m", "-c", sort]);
        let child = command
            .current_dir(folder.path())
            .env("TMPDIR", &spill)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        wait_for("the first spilled megabytes", || size(&spill) > 4 << 20);
        send(&child, signal);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(code), "{signal}: {}", stderr(&output));
        assert_eq!((names(folder.path()), names(&spill)), (vec!["spill".to_string()], vec![]), "{signal}");
    }
}

#[test]
fn a_sample_that_is_ended_leaves_the_earlier_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = |rows: &str, force: &[&str]| {
        let args = [&["sample", "--rows", rows, "--out", "s"], force].concat();
        hearing(&args)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    assert!(sample("500", &[]).wait().expect("it ends").success());
    let earlier = (names(&folder.path().join("s")), size(folder.path()));
    let child = sample("20000000", &["--force"]);
    wait_for("the first megabyte", || size(folder.path()) > earlier.1 + (1 << 20));
    send(&child, "TERM");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
    assert_eq!((names(&folder.path().join("s")), size(folder.path())), earlier);
}

/// `nohup` ignores a signal, and so does a script that starts the program with `&`.
#[test]
fn ignored_signals_stay_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = dbcluster();
    let mut command = Command::new("env");
    command.arg("--ignore-signal=INT,HUP").arg(binary.get_program());
    command.args(["-c", "COPY (SELECT repeat('x', 200) FROM generate_series(1, 1000000000000)) TO 'o.csv'"]);
    let child = command.current_dir(folder.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    wait_for("the first megabyte", || size(folder.path()) > 1 << 20);
    send(&child, "HUP");
    send(&child, "INT");
    let before = size(folder.path());
    wait_for("the next megabytes", || size(folder.path()) > before + (8 << 20));
    send(&child, "TERM");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.status.signal()), (Some(143), None), "{}", stderr(&output));
    assert_eq!(names(folder.path()), [""; 0]);
}

/// Signals come at a prompt, and while a statement runs.
#[test]
fn signals_end_the_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        for is_idle in [true, false] {
            let mut command = hearing(&[]);
            command.env("XDG_STATE_HOME", folder.path()).env("HOME", folder.path()).env("TERM", "xterm");
            command.env("NO_COLOR", "1").current_dir(folder.path());
            let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
            let mut session = spawn_with_options(command, options).expect("a terminal");
            session.exp_string("> ").expect("a prompt");
            if !is_idle {
                session
                    .send_line("SELECT count(*) FROM generate_series(1, 1000000000000);")
                    .expect("it reads");
                session.exp_regex("reading .* rows, .*/s").expect("a bar");
            }
            session.process_mut().signal(signal).expect("it is alive");
            session.exp_eof().expect("it ends");
            let status = session.process().wait().expect("it has ended");
            assert!(
                matches!(status, WaitStatus::Exited(_, it) if it == code),
                "{signal:?}, {is_idle}: {status:?}"
            );
        }
    }
}
