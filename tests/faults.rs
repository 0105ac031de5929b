//! A panic of the engine or of a library is an error of the statement: it has a message and exit code 1, and the shell goes on.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use rexpect::session::{Options, spawn_with_options};

use crate::binary::{dbcluster, stderr, stdout};

/// A panic of the engine's sort-merge join: it loses a column that its filter alone reads.
const PANIC: &str = "CREATE TABLE t AS SELECT * FROM (VALUES (1, 7, 5), (9, NULL, 6)) v(a, k, f);
    SET datafusion.optimizer.prefer_hash_join = false;";
const QUERY: &str = "SELECT x.a, x.k, y.k AS l FROM t AS x JOIN t AS y ON x.k = y.k AND x.f <= y.f";

fn run_in(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).env("RUST_BACKTRACE", "1").args(args).output().expect("the binary starts")
}

/// Checks that a panic has become one message for people, and returns it.
fn message_of_panic(output: &Output, what: &str) -> String {
    let error = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{what}\n{error}");
    for word in ["panicked at", "backtrace", "JoinError", "/registry/"] {
        assert!(!error.contains(word), "{what}: {word}\n{error}");
    }
    assert!(error.starts_with("dbcluster: ") && error.trim().lines().count() <= 3, "{what}\n{error}");
    error
}

#[test]
fn a_panic_is_an_error_with_its_place_and_a_workaround() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("o.csv"), "earlier").expect("a file");
    for query in [
        format!("{QUERY};"),
        format!("COPY ({QUERY}) TO 'o.csv';"),
        format!("COPY ({QUERY}) TO 'o.parquet';"),
        format!("COPY ({QUERY}) TO 'o.html' STORED AS BAR OPTIONS (x 'a', y 'k');"),
        format!("\\plot BAR o.html x=a y=k {QUERY}"),
        format!("CREATE TABLE kept AS {QUERY};"),
        format!("EXPLAIN ANALYZE {QUERY};"),
    ] {
        for format in ["table", "csv"] {
            let script = format!("{PANIC}\n{query}");
            let output = run_in(folder.path(), &["--format", format, "-c", &script]);
            let error = message_of_panic(&output, &query);
            for part in [
                "-c:3: ",
                "a fault in the library datafusion-physical-plan-",
                "SET datafusion.optimizer.prefer_hash_join = true",
                "the statement was: ",
            ] {
                assert!(error.contains(part), "{query}: {part}\n{error}");
            }
            assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "{query}");
        }
    }
    assert_eq!(fs::read_to_string(folder.path().join("o.csv")).expect("text"), "earlier");
    // the advice, followed
    let script = format!("{PANIC} SET datafusion.optimizer.prefer_hash_join = true; {QUERY}");
    let output = run_in(folder.path(), &["--format", "csv", "-c", &script]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "a,k,l\n1,7,7\n");
}

#[test]
fn the_log_has_the_backtrace() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("{PANIC} {QUERY}");
    let output =
        dbcluster().current_dir(folder.path()).env("RUST_LOG", "warn").args(["-c", &script]).output();
    let error = stderr(&output.expect("the binary starts"));
    assert!(
        error.contains("panic at datafusion-physical-plan-") && error.contains("sort_merge_join"),
        "{error}"
    );
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let sql = "COPY (SELECT value AS n, value AS v FROM generate_series(1, 1000)) TO 'good.parquet';
               COPY (SELECT value AS n, value AS v FROM generate_series(1, 1000)) TO 'good.arrow'";
    assert!(run_in(folder.path(), &["-c", sql]).status.success());
    let good = fs::read(at("good.parquet")).expect("a file");
    fs::write(at("short.parquet"), "PAR1PAR1").expect("a file");
    let mut long_footer = good.clone();
    let length = long_footer.len() - 8;
    long_footer[length..length + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    fs::write(at("footer.parquet"), &long_footer).expect("a file");
    fs::write(at("cut.parquet"), &good[..good.len() / 2]).expect("a file");
    let arrow = fs::read(at("good.arrow")).expect("a file");
    fs::write(at("cut.arrow"), &arrow[..arrow.len() / 2]).expect("a file");
    for file in ["short.parquet", "footer.parquet", "cut.parquet", "cut.arrow"] {
        let select = format!("SELECT * FROM '{file}'");
        let members = format!("SELECT * FROM dbcluster_members('{file}', [n], 1)");
        let copy = format!("COPY (SELECT * FROM '{file}') TO 'o.csv'");
        let plot = format!("\\plot BAR o.html SELECT * FROM '{file}'");
        let describe = format!("\\d '{file}'");
        for sql in [&select, &members, &copy, &plot, &describe] {
            message_of_panic(&run_in(folder.path(), &["-c", sql]), sql);
        }
        message_of_panic(&run_in(folder.path(), &["report", "--table", file, "--out", "o.html"]), file);
        assert!(!at("o.csv").exists() && !at("o.html").exists(), "{file}");
    }
}

/// A file with a flipped bit gives an answer or an error, and never a panic.
#[test]
fn flipped_bits_are_answers_or_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let sql = "SELECT value AS n, CAST(value AS TEXT) AS s FROM generate_series(1, 300)";
    let copies = format!("COPY ({sql}) TO 'good.parquet'; COPY ({sql}) TO 'good.arrow'");
    assert!(run_in(folder.path(), &["-c", &copies]).status.success());
    for suffix in ["parquet", "arrow"] {
        let good = fs::read(at(&format!("good.{suffix}"))).expect("a file");
        for flipped in 0..60 {
            let mut bytes = good.clone();
            // the second half of a file tells where everything is
            let bit = (flipped * 7919) % (bytes.len() * 4) + bytes.len() * 4;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let name = format!("flipped.{suffix}");
            fs::write(at(&name), bytes).expect("a file");
            let sql = format!("SELECT sum(length(s)) AS n FROM '{name}'");
            let output = run_in(folder.path(), &["--format", "csv", "-c", &sql]);
            if !output.status.success() {
                message_of_panic(&output, &format!("bit {bit} of {suffix}"));
            }
        }
    }
}

#[test]
fn the_shell_lives_on() {
    let state = tempfile::tempdir().expect("a folder");
    fs::write(state.path().join("short.parquet"), "PAR1PAR1").expect("a file");
    let mut command = dbcluster();
    command.env("XDG_STATE_HOME", state.path()).env("HOME", state.path()).env("TERM", "xterm");
    command.env("NO_COLOR", "1").current_dir(state.path());
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(command, options).expect("a terminal");
    session.exp_string("> ").expect("a prompt");
    let mut tell = |line: &str, answers: &[&str]| {
        session.send_line(line).expect("it reads");
        for answer in answers.iter().chain(&["dbcluster> "]) {
            session.exp_string(answer).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        // the prompt is there, and the terminal is about to be
        std::thread::sleep(Duration::from_millis(100));
    };
    tell(&PANIC.replace('\n', " "), &["Elapsed", "Elapsed"]);
    for _ in 0..2 {
        tell(&format!("{QUERY};"), &["error: a fault in the library", "the statement was: "]);
        tell("SELECT 'still ' || 'here' AS x;", &["still here", "Elapsed"]);
    }
    // Tab asks for the columns of the file
    session.send("SELECT n FROM 'short.parquet' WHERE cmdline_tok\t").expect("it reads");
    session.flush().expect("it reads");
    session.exp_string("cmdline_tokens").expect("the completion");
    session.send_control('c').expect("it reads");
    session.exp_string("dbcluster> ").expect("the prompt");
    // the prompt is there, and the terminal is about to be
    std::thread::sleep(Duration::from_millis(500));
    session.send_line("SELECT 40 + 2 AS n;").expect("it reads");
    session.exp_string("| 42").expect("the answer");
    session.send_line("\\q").expect("it reads");
    session.exp_eof().expect("it ends");
}
