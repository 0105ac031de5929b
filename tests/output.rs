//! Output for people, output for programs, and output that nobody reads.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UnionArray};
use arrow::datatypes::{DataType, Field, UnionFields};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::ParquetReadOptions;
use rexpect::session::{Options, spawn_with_options};

use crate::binary::{dbcluster, stderr, stdout};
use crate::support::{register, session};

/// Text that recolours the terminal, names its window, ends a file's name with `exe.jpg`, overwrites the line, and has
/// parts that nobody sees.
const HOSTILE: &str =
    "\x1b[31mred\x1b]0;title\x07 \u{202e}gpj.exe\u{202c} a\rb \u{9b}2J \x7f\u{200b}\u{2028}";

/// The same text as people see it.
const SHOWN: &str =
    r"\u{1b}[31mred\u{1b}]0;title\u{7} \u{202e}gpj.exe\u{202c} a\u{d}b \u{9b}2J \u{7f}\u{200b}\u{2028}";

fn run_in(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(args).output().expect("the binary starts")
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

/// A folder with a file of such text, as a value and as the name of a column.
fn hostile_events() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), format!("id,\"{HOSTILE}\"\n1,\"{HOSTILE}\"\n"))
        .expect("a file");
    folder
}

fn assert_is_harmless(text: &str) {
    let steers = |c: char| c != '\n' && (c.is_control() || HOSTILE.contains(c) && !SHOWN.contains(c));
    assert!(!text.contains(steers), "{text:?}");
}

#[test]
fn tables_and_errors_show_what_would_steer_the_terminal() {
    let folder = hostile_events();
    let all = format!("SELECT *, [{{v: \"{HOSTILE}\"}}] AS nested FROM 'events.csv'");
    for sql in [
        all.as_str(),
        "DESCRIBE 'events.csv'",
        "CREATE TABLE t AS SELECT * FROM 'events.csv'; EXPLAIN FORMAT INDENT SELECT * FROM t ORDER BY 2",
        "\\d 'events.csv'",
    ] {
        let shown = succeeded(&run_in(folder.path(), &["--quiet", "-c", sql]));
        assert_is_harmless(&shown);
        assert!(shown.contains(SHOWN), "{sql}\n{shown}");
    }
    let shown = succeeded(&run_in(folder.path(), &["--quiet", "-c", &all]));
    assert!(shown.contains(&format!("[{{v: {SHOWN}}}]")), "{shown}");

    for sql in [
        format!("SELECT \"{HOSTILE}\""),
        format!("SELECT CAST('{HOSTILE}' AS BIGINT)"),
        format!("SELECT * FROM '{HOSTILE}.csv'"),
        format!("\\{HOSTILE}"),
        format!("\\h {HOSTILE}"),
    ] {
        let output = run_in(folder.path(), &["-c", &sql]);
        assert_eq!(output.status.code(), Some(1), "{sql:?}");
        assert_is_harmless(&stderr(&output));
        assert!(stderr(&output).contains(r"\u{1b}[31mred"), "{}", stderr(&output));
    }
    let output = run_in(folder.path(), &["--format", HOSTILE]);
    assert_eq!(output.status.code(), Some(2));
    assert_is_harmless(&stderr(&output));
}

#[test]
fn lines_of_a_value_are_no_rows() {
    let sql = "SELECT 'a |\n| fake' AS v, 'C:\\new\\temp' AS path";
    let shown = succeeded(&run_in(Path::new("."), &["--quiet", "-c", sql]));
    assert!(shown.contains(r"| a |\u{a}| fake | C:\new\temp |"), "{shown}");
    let plan = succeeded(&run_in(Path::new("."), &["--quiet", "-c", "EXPLAIN SELECT 1"]));
    assert!(plan.lines().count() > 5 && !plan.contains(r"\u{a}"), "{plan}");
}

#[test]
fn formats_for_programs_keep_every_byte() {
    let folder = hostile_events();
    for format in ["csv", "tsv"] {
        let text =
            succeeded(&run_in(folder.path(), &["--format", format, "-c", "SELECT * FROM 'events.csv'"]));
        assert!(text.contains(&format!("\"{HOSTILE}\"\n")), "{text:?}");
    }
    let text =
        succeeded(&run_in(folder.path(), &["--format", "nd-json", "-c", "SELECT * FROM 'events.csv'"]));
    let row: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(row[HOSTILE], HOSTILE);
    run_in(folder.path(), &["-c", "COPY (SELECT * FROM 'events.csv') TO 'copy.csv'"]);
    let copy = fs::read_to_string(folder.path().join("copy.csv")).expect("a file");
    assert_eq!(copy, format!("id,\"{HOSTILE}\"\n1,\"{HOSTILE}\"\n"));
}

#[test]
fn terminal_gets_no_escape_of_a_value() {
    let folder = hostile_events();
    let mut command = dbcluster();
    command.current_dir(folder.path()).env("TERM", "dumb");
    command.args([
        "--quiet",
        "-c",
        "SELECT * FROM 'events.csv'; SELECT CAST(chr(27) || chr(8238) AS BIGINT)",
    ]);
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(false);
    let mut session = spawn_with_options(command, options).expect("a terminal");
    let written = session.exp_eof().expect("it ends");
    assert_is_harmless(&written.replace("\r\n", "\n"));
    assert!(written.contains(SHOWN) && written.contains(r"\u{1b}\u{202e}"), "{written:?}");
}

/// Tab offers the name of a file and of a column.
#[test]
fn completion_shows_what_would_steer_the_terminal() {
    let folder = hostile_events();
    for number in 1..=2 {
        fs::write(folder.path().join(format!("odd\x1b]0;title\x07{number}.csv")), "a\n1\n").expect("a file");
    }
    let mut command = dbcluster();
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path()).env("HOME", folder.path());
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(false);
    let mut session = spawn_with_options(command, options).expect("a terminal");
    session.exp_string("> ").expect("a prompt");
    session.send("SELECT * FROM 'od\t\t").expect("it reads");
    session.flush().expect("it reads");
    let shown = session.exp_string(r"odd\u{1b}]0;title\u{7}2.csv").expect("the list");
    assert!(!shown.contains("\x1b]0;"), "{shown:?}");
}

#[test]
fn long_value_of_a_table_says_how_long_it_is() {
    let sql = "SELECT repeat('x ', 250000) AS v";
    let shown = succeeded(&run_in(Path::new("."), &["--quiet", "-c", sql]));
    assert!(shown.contains("... [cut: 500000 characters in all]"), "{}", shown.len());
    let whole = succeeded(&run_in(Path::new("."), &["--format", "csv", "-c", sql]));
    assert_eq!(whole.len(), "v\n".len() + 500_000 + "\n".len());
}

#[test]
fn nested_columns_are_json_text_in_csv_and_tsv() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "CREATE TABLE events AS SELECT value AS v, 'h' || value AS host FROM generate_series(1, 4)";
    let members = "SELECT cluster_size, v_members FROM dbcluster(events, [v], eps => 1, scaling => 'none', keep_members => v)";
    let expected = "4,\"[1,2,3,4]\"\n";
    for (format, comma) in [("csv", ","), ("tsv", "\t")] {
        let text = succeeded(&run_in(folder.path(), &["--format", format, "-c", table, "-c", members]));
        let row = text.lines().nth(1).expect("a row");
        assert_eq!(
            row,
            format!("4{comma}{}", if comma == "," { "\"[1,2,3,4]\"" } else { "[1,2,3,4]" }),
            "{text}"
        );
        let summary = "SELECT * FROM dbcluster_summary(events, [v], eps => 1, scaling => 'none')";
        let text = succeeded(&run_in(folder.path(), &["--format", format, "-c", table, "-c", summary]));
        assert!(text.contains("\"{\"\""), "{text}");
    }
    let copies = format!(
        "COPY ({members}) TO 'members.csv'; COPY (SELECT NULL::INT[] AS l, {{a: TIMESTAMP '2026-01-01'}} AS s) TO 'odd.tsv' STORED AS CSV OPTIONS ('format.delimiter' '\t');
         EXPLAIN COPY ({members}) TO 'never.csv'; COPY (SELECT 'plain' AS s) TO 'plain.csv'"
    );
    succeeded(&run_in(folder.path(), &["--quiet", "-c", table, "-c", &copies]));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
    assert_eq!(read("members.csv"), format!("cluster_size,v_members\n{expected}"));
    assert_eq!(read("odd.tsv"), "l\ts\n\t\"{\"\"a\"\":\"\"2026-01-01T00:00:00\"\"}\"\n");
    assert_eq!(read("plain.csv"), "s\nplain\n");
    assert!(!folder.path().join("never.csv").exists());
}

/// Programs that write CSV have nested columns as JSON text, too.
#[tokio::test]
async fn nested_columns_of_a_host_are_json_text_in_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let ctx = session();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let frame = ctx.sql("SELECT a.id, b.id, [1, 2] AS l FROM (SELECT 1 AS id) a, (SELECT 2 AS id) b").await;
    let options = DataFrameWriteOptions::new().with_single_file_output(true);
    frame.expect("a query").write_csv(&path("frame.csv"), options, None).await.expect("it is written");
    assert_eq!(fs::read_to_string(path("frame.csv")).expect("a file"), "id,id,l\n1,2,\"[1,2]\"\n");
    let copy = format!("COPY (SELECT [1] AS l) TO '{}'", path("l.parquet"));
    ctx.sql(&copy).await.expect("a statement").collect().await.expect("it is written");
    let rows = ctx.read_parquet(path("l.parquet"), ParquetReadOptions::default()).await.expect("a file");
    assert!(rows.schema().field(0).data_type().is_nested(), "Parquet has lists");

    let fields = UnionFields::try_new([0], [Field::new("n", DataType::Int64, true)]).expect("a union");
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let union = UnionArray::try_new(fields, vec![0].into(), None, vec![numbers]).expect("a union");
    let batch = RecordBatch::try_from_iter([("u", Arc::new(union) as ArrayRef)]).expect("a batch");
    register(&ctx, "unions", &batch, 1);
    let copy = ctx.sql(&format!("COPY unions TO '{}'", path("u.csv"))).await.expect("a statement");
    let error = copy.collect().await.expect_err("a union has no text").to_string();
    assert!(error.contains("a union has no text in CSV or JSON: leave the column out"), "{error}");
}

#[test]
fn scripts_of_windows_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("a file");
    write("one.sql", "\u{feff}SELECT 1 AS a;\r\n\\i two.sql\r\nSELECT 3 AS c;\r\n".as_bytes());
    write("two.sql", "\u{feff}\\quiet on\r\nSELECT 'é' AS b;".as_bytes());
    let args = ["--format", "csv", "-f"];
    let expected = "a\n1\nb\né\nc\n3\n";
    assert_eq!(succeeded(&run_in(folder.path(), &[&args[..], &["one.sql"]].concat())), expected);
    let script = File::open(folder.path().join("one.sql")).expect("a file");
    let output = dbcluster().current_dir(folder.path()).args(&args[..2]).stdin(script).output();
    assert_eq!(succeeded(&output.expect("the binary starts")), expected);

    let utf16: Vec<u8> = "\u{feff}SELECT 1;\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("utf16.sql", &utf16);
    write("latin.sql", b"SELECT 1;\nSELECT '\xe9';");
    write("include.sql", b"\\i utf16.sql");
    for (file, expected) in [
        ("utf16.sql", "utf16.sql: the script is UTF-16, expected UTF-8"),
        ("include.sql", "utf16.sql: the script is UTF-16, expected UTF-8"),
        ("latin.sql", "latin.sql: the script is not UTF-8, the first other byte is in line 2"),
    ] {
        let output = run_in(folder.path(), &["-f", file]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{file}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

/// The programs, each with arguments that it refuses or fails on, and the exit code.
fn failing_programs() -> Vec<(Command, i32)> {
    let mut failing = dbcluster();
    failing.args(["-c", "SELECT nothing"]);
    let mut misused = dbcluster();
    misused.arg("--no-such-flag");
    #[cfg_attr(not(feature = "ballista"), expect(unused_mut, reason = "there are no other programs"))]
    let mut programs = vec![(failing, 1), (misused, 2)];
    #[cfg(feature = "ballista")]
    for program in [env!("CARGO_BIN_EXE_dbcluster-scheduler"), env!("CARGO_BIN_EXE_dbcluster-executor")] {
        for (flag, value, code) in [("--bind-host", "no host", 1), ("--no-such-flag", "x", 2)] {
            let mut command = Command::new(program);
            command.args([flag, value]);
            programs.push((command, code));
        }
    }
    programs
}

/// A full disk.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("a device").into()
}

/// A pipe without a reader.
fn broken() -> Stdio {
    std::io::pipe().expect("a pipe").1.into()
}

#[test]
fn closed_streams_change_no_exit_code() {
    let streams: [fn() -> Stdio; 2] = [full, broken];
    for stream in streams {
        for (mut command, code) in failing_programs() {
            let status = command.stdin(Stdio::null()).stdout(stream()).stderr(stream()).status();
            assert_eq!(status.expect("it starts").code(), Some(code), "{command:?}");
        }
    }
    for (command, code) in failing_programs() {
        let shell = format!("{command:?} 2>&- >&-");
        let status = Command::new("bash").args(["-c", &shell]).status().expect("bash starts");
        assert_eq!(status.code(), Some(code), "{shell}");
    }
}

#[test]
fn output_that_is_lost_is_a_failure() {
    let mut commands: Vec<Command> = Vec::new();
    for args in [
        &["--help"][..],
        &["--version"],
        &["-c", "SELECT 1"],
        &["--format", "csv", "-c", "SELECT 1"],
        &["-c", "\\?"],
    ] {
        let mut command = dbcluster();
        command.args(args);
        commands.push(command);
    }
    #[cfg(feature = "ballista")]
    for program in [env!("CARGO_BIN_EXE_dbcluster-scheduler"), env!("CARGO_BIN_EXE_dbcluster-executor")] {
        let mut command = Command::new(program);
        command.arg("--help");
        commands.push(command);
    }
    for command in &mut commands {
        let output = command.stdin(Stdio::null()).stdout(full()).stderr(Stdio::piped()).output();
        let output = output.expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(stderr(&output).contains("No space left"), "{command:?}\n{}", stderr(&output));
        let output = command.stdout(broken()).output().expect("it starts");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{command:?}");
    }
}
