//! Results in the width of a terminal, one value per line, in a pager, and in files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rexpect::session::{Options, PtySession, spawn_with_options};
use unicode_width::UnicodeWidthStr;

use crate::binary::{dbcluster, stderr, stdout};

/// A command line of 3,012 characters.
const LONG: &str = "'powershell -enc ' || repeat('x', 2992) || 'AAA='";

/// A table of 50 columns: what tells most stands behind forty others.
fn wide_table() -> String {
    let others: Vec<String> =
        (1..=44).map(|at| format!("'value {at} of the event ' || value AS other_{at}")).collect();
    format!(
        "CREATE TABLE wide AS SELECT {}, to_timestamp_seconds(1768453200 + value * 3600) AS \"TimeGenerated\", \
         'host-' || value || '.example.org' AS \"Computer\", 'DOMAIN\\user' || value AS \"Account\", \
         'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell' || value || '.exe' AS \"NewProcessName\", \
         CASE WHEN value = 1 THEN {LONG} ELSE 'whoami /all' END AS \"CommandLine\", value AS cluster_size \
         FROM generate_series(1, 3)",
        others.join(", ")
    )
}

/// The program in a terminal of this size, with what the shell keeps in `folder`.
fn in_terminal(
    folder: &Path,
    rows: usize,
    columns: usize,
    args: &[&str],
    variables: &[(&str, &str)],
) -> PtySession {
    let program = dbcluster();
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", &format!("stty rows {rows} cols {columns}; exec \"$0\" \"$@\"")]);
    command.arg(program.get_program()).args(args);
    for (name, value) in program.get_envs() {
        assert!(value.is_none(), "a variable that is set would be lost here");
        command.env_remove(name);
    }
    command.env("XDG_STATE_HOME", folder).env("HOME", folder).env("TERM", "xterm").env("NO_COLOR", "1");
    command.env_remove("PAGER").envs(variables.iter().copied());
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
    spawn_with_options(command, options).expect("a terminal")
}

/// The lines that a run in a terminal writes.
fn shown(rows: usize, columns: usize, args: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let written = in_terminal(folder.path(), rows, columns, args, &[]).exp_eof().expect("it ends");
    // The session gives each byte as a character of its own.
    let bytes = written.chars().map(|byte| u8::try_from(byte).expect("a byte")).collect();
    let written = String::from_utf8(bytes).expect("text");
    written.replace("\r\n", "\n").lines().map(ToString::to_string).collect()
}

fn run_in(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(args).output().expect("the binary starts")
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

#[test]
fn fifty_columns_read_without_scrolling_sideways() {
    let table = wide_table();
    for columns in [80, 100, 200] {
        let lines =
            shown(60, columns, &["--quiet", "-c", &table, "-c", "SELECT * FROM wide ORDER BY cluster_size"]);
        for line in &lines {
            assert!(line.width() <= columns, "{columns}: {} in {line}", line.width());
        }
        let text = lines.join("\n");
        let head = &lines[1];
        for name in ["cluster_size", "CommandLine", "NewProcessName"] {
            assert!(head.contains(&format!("| {name} ")), "{columns}: no {name} in {head}");
        }
        assert!(text.contains("…(3,012)…") && text.contains("AA= |"), "{text}");
        let (table, below) = text.rsplit_once("|\n+").expect("a table and a note");
        let (_, note) = below.split_once('\n').expect("a note");
        let note = note.replace('\n', " ");
        let (count, names) = note.split_once(" columns not shown: ").expect("a note");
        let (names, rest) = names.split_once("; ").expect("the way to see them");
        let names: Vec<&str> = names.split(", ").collect();
        assert_eq!(count.parse::<usize>().expect("a number"), names.len(), "{note}");
        let shown = head.matches('|').count() - 1;
        assert_eq!(names.len() + shown, 50, "{table}\n{note}");
        assert!(names.contains(&"other_44") && rest.contains("\\x"), "{note}");
    }
}

#[test]
fn columns_that_a_query_names_come_in_its_order() {
    let table = wide_table();
    let query = "SELECT other_1, other_2, other_3, other_4, \"CommandLine\" FROM wide";
    let lines = shown(60, 80, &["--quiet", "-c", &table, "-c", query]);
    assert!(lines[1].starts_with("| other_1") && lines[1].contains("| other_3"), "{}", lines[1]);
    let note = "1 column not shown: CommandLine; ";
    assert!(lines.iter().any(|line| line.starts_with(note)), "{lines:?}");
}

#[test]
fn every_value_is_whole_on_a_line_of_its_own() {
    let table = wide_table();
    let query = "SELECT * FROM wide WHERE cluster_size = 1";
    let text = shown(200, 80, &["--quiet", "-x", "-c", &table, "-c", query]).join("\n");
    assert!(text.starts_with("-[ row 1 ]---"), "{text}");
    assert_eq!(text.matches(" | ").count(), 50, "{text}");
    assert!(text.contains(&format!("CommandLine    | powershell -enc {}AAA=", "x".repeat(2_992))), "{text}");
    // A result that fits stays a table.
    let auto = ["--quiet", "--expanded=auto", "-c", &table, "-c"];
    let narrow = shown(200, 80, &[&auto[..], &["SELECT cluster_size FROM wide"]].concat()).join("\n");
    assert!(narrow.starts_with("+---"), "{narrow}");
    let wide = shown(200, 80, &[&auto[..], &[query]].concat()).join("\n");
    assert!(wide.starts_with("-[ row 1 ]---"), "{wide}");
}

/// A pipe gets everything, unless it is told a width.
#[test]
fn a_pipe_gets_whole_tables() {
    let table = wide_table();
    let folder = tempfile::tempdir().expect("a folder");
    let all = succeeded(&run_in(folder.path(), &["--quiet", "-c", &table, "-c", "SELECT * FROM wide"]));
    assert!(
        all.contains(&format!("powershell -enc {}AAA=", "x".repeat(2_992))) && all.contains("other_44"),
        "{}",
        all.len()
    );
    assert!(!all.contains("not shown"), "{}", all.len());
    let fitted = succeeded(&run_in(
        folder.path(),
        &["--quiet", "--width", "60", "-c", &table, "-c", "SELECT * FROM wide"],
    ));
    assert!(
        fitted.lines().all(|line| line.width() <= 60) && fitted.contains("columns not shown"),
        "{fitted}"
    );
}

#[test]
fn wide_characters_and_hostile_text_keep_the_columns_straight() {
    let query = "SELECT * FROM (VALUES ('漢字かな交じりの長い長い値', 1), ('😀😀😀', 22), ('e' || chr(769), 333), \
                 (chr(27) || '[2J' || chr(8238) || 'gpj.exe', 4444)) AS t(\"値\", n)";
    for format in ["table", "box"] {
        for columns in [24, 80] {
            let lines = shown(60, columns, &["--quiet", "--format", format, "-c", query]);
            let table: Vec<&String> = lines.iter().take(8).collect();
            let widths: Vec<usize> = table.iter().map(|line| line.width()).collect();
            assert!(widths.iter().all(|width| *width == widths[0] && *width <= columns), "{lines:?}");
            assert!(lines.iter().all(|line| !line.contains(['\x1b', '\u{202e}'])), "{lines:?}");
        }
    }
}

/// A result that is longer than the screen goes through the pager, and no other.
#[test]
fn long_results_go_through_the_pager() {
    let folder = tempfile::tempdir().expect("a folder");
    let pager = ("PAGER", "sed 's/^/PAGED /'");
    let mut session = in_terminal(folder.path(), 24, 80, &[], &[pager]);
    session.exp_string("> ").expect("a prompt");
    let mut answer = |statement: &str| {
        session.send_line(statement).expect("it reads");
        session.exp_string("\n").expect("the echo");
        session.exp_string("dbcluster> ").expect("a prompt")
    };
    let long = "SELECT value AS n FROM generate_series(1, 30);";
    assert!(answer(long).contains("PAGED | 30"));
    assert!(!answer("SELECT value AS n FROM generate_series(1, 3);").contains("PAGED"));
    answer("\\pager off");
    assert!(!answer(long).contains("PAGED"));
    answer("\\pager on");
    assert!(answer(long).contains("PAGED | 30"));
    drop(session);

    for (variables, rows) in [
        ([("PAGER", "cat"), ("TERM", "xterm")], 24),
        ([pager, ("TERM", "dumb")], 24),
        ([pager, ("TERM", "xterm")], 60),
    ] {
        let written =
            in_terminal(folder.path(), rows, 80, &["-c", long], &variables).exp_eof().expect("it ends");
        assert!(written.contains("| 30") && !written.contains("PAGED"), "{variables:?}: {written}");
    }
    let missing = in_terminal(folder.path(), 24, 80, &["-c", long], &[("PAGER", "no-such-pager-here")]);
    let mut missing = missing;
    let written = missing.exp_eof().expect("it ends");
    assert!(
        written.contains("warning: the pager 'no-such-pager-here' failed") && written.contains("| 30"),
        "{written}"
    );
}

/// Files for results take the format that their ending says, have all rows, and appear at the end.
#[test]
fn results_go_to_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
    let rows = "SELECT value AS n, 'a|b' AS s FROM generate_series(1, 50)";
    let output = run_in(folder.path(), &["--output", "rows.csv", "-c", rows]);
    assert_eq!(succeeded(&output), "");
    assert_eq!((read("rows.csv").lines().count(), read("rows.csv").lines().nth(1)), (51, Some("1,a|b")));
    succeeded(&run_in(folder.path(), &["--output", "rows.md", "-c", rows]));
    assert!(read("rows.md").starts_with("| n | s |\n|---|---|\n| 1 | a\\|b |\n"), "{}", read("rows.md"));
    succeeded(&run_in(folder.path(), &["--output", "rows.txt", "-c", rows]));
    assert!(read("rows.txt").contains("| 50 | a|b |"), "{}", read("rows.txt"));
    succeeded(&run_in(folder.path(), &["--output", "rows.parquet", "-c", rows]));
    let counted =
        run_in(folder.path(), &["--format", "csv", "-c", "SELECT count(*), max(n) FROM 'rows.parquet'"]);
    assert!(succeeded(&counted).ends_with("\n50,50\n"), "{}", stdout(&counted));

    // A script changes files as it goes, and one that fails leaves the earlier file.
    let script = format!(
        "\\o one.csv\n{rows};\nSELECT 1 AS again;\n\\o two.ndjson\nSELECT 2 AS n;\n\\o\nSELECT 3 AS n;\n"
    );
    fs::write(folder.path().join("script.sql"), script).expect("a file");
    let output = run_in(folder.path(), &["--quiet", "--format", "csv", "-f", "script.sql"]);
    assert_eq!(succeeded(&output), "n\n3\n");
    assert!(read("one.csv").ends_with("\n50,a|b\nagain\n1\n") && read("two.ndjson") == "{\"n\":2}\n");
    let output = run_in(folder.path(), &["--output", "one.csv", "-c", "SELECT 1 AS n; SELECT nothing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(read("one.csv").ends_with("again\n1\n"));
    let twice = run_in(folder.path(), &["--output", "x.parquet", "-c", "SELECT 1 AS n; SELECT 2 AS n"]);
    assert!(stderr(&twice).contains("a Parquet file holds one"), "{}", stderr(&twice));
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(!name.to_string_lossy().contains("unfinished"), "{name:?}");
    }
    for (args, expected) in [
        (&["--format", "parquet", "-c", "SELECT 1"][..], "say which with --output FILE"),
        (&["--output", ".", "-c", "SELECT 1"], "is a folder: name a file"),
        (&["--output", "nowhere/x.csv", "-c", "SELECT 1"], "cannot write nowhere/x.csv"),
    ] {
        let output = run_in(folder.path(), args);
        assert!(
            !output.status.success() && stderr(&output).contains(expected),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn times_are_shown_in_a_zone_and_kept_in_files() {
    let time = "SELECT arrow_cast('2026-01-15T05:00:00Z', 'Timestamp(Second, Some(\"UTC\"))') AS t";
    let args = ["--quiet", "--show-zone", "Europe/Berlin", "-c", time];
    let folder = tempfile::tempdir().expect("a folder");
    assert!(succeeded(&run_in(folder.path(), &args)).contains("2026-01-15T06:00:00+01:00"));
    let csv = run_in(folder.path(), &[&["--format", "csv"], &args[..]].concat());
    assert!(succeeded(&csv).contains("2026-01-15T05:00:00Z"), "{}", stdout(&csv));
    let unknown = run_in(folder.path(), &["--show-zone", "Mars/Olympus", "-c", time]);
    assert!(stderr(&unknown).contains("there is no time zone 'Mars/Olympus'"), "{}", stderr(&unknown));
}
