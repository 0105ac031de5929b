//! The interactive shell in a terminal: typed at, completed, interrupted.

use std::time::Duration;

use rexpect::session::{Options, PtySession, spawn_with_options};

use crate::binary::dbcluster;

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
    std::thread::sleep(Duration::from_secs(2));
    session.send_control('c').expect("it reads");
    session.exp_string("cancelled").expect("the query has not ended by itself");
    session.send_line("SELECT 'after ' || 'all' AS x;").expect("it reads");
    session.exp_string("after all").expect("the answer");
    quit(session);
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
