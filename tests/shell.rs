//! The interactive shell in a terminal: typed at, completed, interrupted.

use std::process::{Command, Stdio};
use std::time::Duration;

use rexpect::ReadUntil;
use rexpect::session::{Options, PtySession, spawn_with_options};
use tempfile::TempDir;

use crate::binary::{dbcluster, stderr, stdout};

/// A shell in a terminal of its own, whose state is kept in `state`.
fn shell(state: &std::path::Path) -> PtySession {
    let mut command = dbcluster();
    command.env("XDG_STATE_HOME", state).env("HOME", state).env("TERM", "xterm").env("NO_COLOR", "1");
    command.current_dir(state);
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(command, options).expect("a terminal");
    session.exp_string("> ").expect("a prompt");
    session
}

fn quit(mut session: PtySession) {
    session.send_line("\\q").expect("it reads");
    session.exp_eof().expect("it ends");
}

#[test]
fn statements_may_take_several_lines() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("SELECT 40").expect("it reads");
    session.send_line("+ 2 AS answer;").expect("it reads");
    session.exp_string("| 42").expect("the answer");
    quit(session);
}

#[test]
fn errors_leave_the_shell_open() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("SELECT * FROM dbcluster(nowhere, [a], 1);").expect("it reads");
    session.exp_string("table 'nowhere' not found").expect("the error");
    session.send_line("\\nonsense").expect("it reads");
    session.exp_string("\\?").expect("a hint");
    session.send_line("SELECT 'still ' || 'here' AS x;").expect("it reads");
    session.exp_string("still here").expect("the answer");
    quit(session);
}

#[test]
fn a_figure_says_where_its_page_is() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("\\plot BAR sizes.html SELECT 'a' AS x, 1 AS y").expect("it reads");
    session.exp_string("/sizes.html is a page, to be opened in a browser").expect("the place of the page");
    quit(session);
}

#[test]
fn tab_completes_functions() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send("SELECT cmdline_tok\t").expect("it reads");
    session.flush().expect("it reads");
    session.exp_string("cmdline_tokens").expect("the completion");
    session.send_line("'a b c') * 21 AS n;").expect("it reads");
    session.exp_string("| 42").expect("the answer");
    quit(session);
}

#[test]
fn ctrl_c_stops_the_query_and_not_the_shell() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("SELECT count(*) FROM generate_series(1, 1000000000000);").expect("it reads");
    session.exp_regex("reading .* rows, .*/s").expect("a bar");
    session.send_control('c').expect("it reads");
    session.exp_string("cancelled").expect("the query has not ended by itself");
    session.send_line("SELECT 'after ' || 'all' AS x;").expect("it reads");
    session.exp_string("after all").expect("the answer");
    quit(session);
}

/// Statements of several kinds, stopped at many moments of their work.
#[test]
fn ctrl_c_at_any_moment_leaves_a_shell_that_works() {
    let state = tempfile::tempdir().expect("a folder");
    let sample =
        dbcluster().current_dir(state.path()).args(["sample", "--rows", "100000", "--out", "."]).output();
    let sample = sample.expect("the binary starts");
    assert!(sample.status.success(), "{}", stderr(&sample));
    let features = "{tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}";
    let queries = [
        format!("SELECT * FROM dbcluster('processes.parquet', {features}, 0.0001);"),
        "SELECT count(*) FROM dbcluster_members('processes.parquet', [crc32_hash(CommandLine)], 1, scaling => 'none') \
         WHERE Computer <> 'x';"
            .to_string(),
        format!(
            "COPY (SELECT * FROM dbcluster_members('processes.parquet', {features}, 0.0001)) TO 'o.parquet';"
        ),
        format!(
            "SELECT * FROM dbcluster('processes.parquet', {features}, 0.0001, partition_by => Computer, exemplar => 'medoid');"
        ),
    ];
    let mut session = shell(state.path());
    for (at, wait) in [20, 40, 60, 80, 100, 130, 160, 200, 250, 300, 400, 500].into_iter().enumerate() {
        session.send_line(&queries[at % queries.len()]).expect("it reads");
        std::thread::sleep(Duration::from_millis(wait));
        session.send_control('c').expect("it reads");
        // The statement may have ended before it was stopped.
        let ends = ["cancelled", "fetched", "error: "].map(|end| ReadUntil::String(end.to_string()));
        let (before, end) = session.exp_any(Vec::from(ends)).unwrap_or_else(|error| panic!("{at}: {error}"));
        let behind = session.exp_string("dbcluster> ").unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_ne!(end, "error: ", "{at}: {before}{end}{behind}");
        std::thread::sleep(Duration::from_millis(100));
        session.send_line(&format!("SELECT 400 + {at} AS answer;")).expect("it reads");
        session.exp_string(&format!("| {}", 400 + at)).unwrap_or_else(|error| panic!("{at}: {error}"));
        session.exp_string("dbcluster> ").expect("a prompt");
    }
    quit(session);
    for entry in std::fs::read_dir(state.path()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(!name.to_string_lossy().contains("unfinished"), "{name:?}");
    }
}

/// A query that cannot go on before [`let_go`]: its table is a pipe, in this folder.
fn waiting(args: &[&str]) -> (Command, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("mkfifo").arg(folder.path().join("pipe.csv")).status();
    assert!(made.expect("mkfifo starts").success());
    let mut command = dbcluster();
    command.current_dir(folder.path()).env("TERM", "xterm").args(args).args([
        "-c",
        "CREATE UNBOUNDED EXTERNAL TABLE pipe (n INT) STORED AS CSV LOCATION 'pipe.csv'",
        "-c",
        "SELECT n, 'let ' || 'go' AS what FROM pipe LIMIT 2",
    ]);
    (command, folder)
}

fn let_go(folder: &TempDir) {
    std::fs::write(folder.path().join("pipe.csv"), "1\n2\n").expect("it reads");
}

/// The text that a terminal shows in the end, after all that was written to it.
fn screen(written: &str) -> Vec<String> {
    let (mut lines, mut column) = (vec![Vec::new()], 0);
    let mut rest = written;
    while let Some(next) = rest.chars().next() {
        let line = lines.last_mut().expect("there is a line");
        match next {
            '\r' => column = 0,
            '\n' => lines.push(Vec::new()),
            '\x1b' => {
                rest = rest.strip_prefix("\x1b[2K").unwrap_or_else(|| panic!("unknown: {rest:?}"));
                line.clear();
                continue;
            }
            _ => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = next;
                column += 1;
            }
        }
        rest = &rest[next.len_utf8()..];
    }
    lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_string()).collect()
}

#[test]
fn a_bar_gives_way_to_the_first_row() {
    for (format, expected) in [
        ("csv", &["n,what", "1,let go", "2,let go", ""][..]),
        ("nd-json", &["{\"n\":1,\"what\":\"let go\"}", "{\"n\":2,\"what\":\"let go\"}", ""]),
        (
            "table",
            &[
                "+---+--------+",
                "| n | what   |",
                "+---+--------+",
                "| 1 | let go |",
                "| 2 | let go |",
                "+---+--------+",
            ],
        ),
    ] {
        let (command, folder) = waiting(&["--format", format]);
        let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(false);
        let mut session = spawn_with_options(command, options).expect("a terminal");
        let before = session.exp_string("reading").expect("a bar");
        let_go(&folder);
        let after = session.exp_eof().expect("it ends");
        let shown = screen(&format!("{before}reading{after}"));
        let result = shown.iter().position(|line| line == expected[0]).unwrap_or_else(|| panic!("{shown:?}"));
        assert_eq!(shown[result..result + expected.len()], *expected, "{shown:?}");
        assert!(shown.iter().all(|line| !line.contains("reading")), "{shown:?}");
    }
}

/// Each query waits for long enough that a bar would have come.
#[test]
fn no_bar_where_none_is_wanted() {
    let wait_and_go = |folder: &TempDir| {
        std::thread::sleep(Duration::from_secs(2));
        let_go(folder);
    };
    for (args, term) in [(&["--quiet", "--format", "csv"][..], "xterm"), (&["--format", "csv"], "dumb")] {
        let (mut command, folder) = waiting(args);
        command.env("TERM", term);
        let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(false);
        let mut session = spawn_with_options(command, options).expect("a terminal");
        wait_and_go(&folder);
        let shown = session.exp_eof().expect("it ends");
        assert_eq!(shown, "n,what\r\n1,let go\r\n2,let go\r\n", "{args:?} {term}");
    }
    let (mut command, folder) = waiting(&["--format", "csv"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    wait_and_go(&folder);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("n,what\n1,let go\n2,let go\n", ""));
}

#[test]
fn history_is_kept_in_the_state_folder() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("SELECT 'remember' || ' me' AS x;").expect("it reads");
    session.exp_string("remember me").expect("the answer");
    quit(session);
    let history = state.path().join("datafusion-dbcluster/history");
    let history =
        std::fs::read_to_string(&history).unwrap_or_else(|error| panic!("{}: {error}", history.display()));
    assert!(history.contains("remember"), "{history}");
    assert!(!state.path().join(".history").exists(), "history was written to the current folder");
}

#[test]
fn help_knows_our_functions_and_commands() {
    let state = tempfile::tempdir().expect("a folder");
    let mut session = shell(state.path());
    session.send_line("\\h cmdline_tokens").expect("it reads");
    session.exp_string("delimiters").expect("its documentation");
    session.send_line("\\h dbcluster").expect("it reads");
    session.exp_string("eps").expect("its documentation");
    session.send_line("\\?").expect("it reads");
    session.exp_string("\\pset").expect("the commands");
    quit(session);
}
