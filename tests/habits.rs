//! Words that users of other shells type by habit, and the beginning of a session.

use std::fs;
use std::path::Path;
use std::process::Output;

use rexpect::session::{Options, spawn_with_options};

use crate::binary::{dbcluster, stderr, stdout};

fn run_in(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(args).output().expect("the binary starts")
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

fn folder_with_events() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), "host,n,note\nb,2,\na,1,x\na,3,\n").expect("a file");
    folder
}

#[test]
fn statements_of_other_databases_work() {
    let folder = folder_with_events();
    let csv = |sql: &str| succeeded(&run_in(folder.path(), &["--quiet", "--format", "csv", "-c", sql]));
    for (sql, expected) in [
        ("FROM 'events.csv' WHERE n = 1", "host,n,note\na,1,x\n"),
        ("FROM 'events.csv' SELECT n ORDER BY n LIMIT 1", "n\n1\n"),
        ("SELECT TOP 2 n FROM 'events.csv' ORDER BY n", "n\n1\n2\n"),
        ("SELECT host, n FROM 'events.csv' ORDER BY ALL", "host,n\na,1\na,3\nb,2\n"),
        ("SELECT host, count(*) AS n FROM 'events.csv' GROUP BY ALL ORDER BY ALL", "host,n\na,2\nb,1\n"),
        ("SELECT n FROM 'events.csv' a ANTI JOIN (SELECT 'a' AS host) b ON a.host = b.host", "n\n2\n"),
        ("SELECT n FROM 'events.csv' a SEMI JOIN (SELECT 'b' AS host) b ON a.host = b.host", "n\n2\n"),
        ("SELECT n FROM 'events.csv' WHERE host RLIKE '^b'", "n\n2\n"),
        ("SELECT n FROM 'events.csv' WHERE host == 'b'", "n\n2\n"),
        (
            "COPY (FROM 'events.csv' WHERE n = 1) TO 'one.csv'; FROM 'one.csv'",
            "count\n1\nhost,n,note\na,1,x\n",
        ),
        (
            "SHOW COLUMNS FROM 'events.csv'",
            "column_name,data_type,is_nullable\nhost,Utf8View,YES\nn,Int64,YES\nnote,Utf8View,YES\n",
        ),
        (
            "CREATE TABLE t AS SELECT 1 AS a; SHOW TABLES LIKE 't'",
            "table_catalog,table_schema,table_name,table_type\ndatafusion,public,t,BASE TABLE\n",
        ),
        ("SELECT 1 AS a; exit; SELECT 2 AS a", "a\n1\n"),
    ] {
        assert_eq!(csv(sql), expected, "{sql}");
    }
    let functions = csv("SHOW FUNCTIONS LIKE 'cmdline%'");
    assert!(
        functions.contains("cmdline_tokens,SCALAR") && functions.contains("cmdline_template"),
        "{functions}"
    );
}

#[test]
fn tables_are_summarized() {
    let folder = folder_with_events();
    fs::write(
        folder.path().join("list.json"),
        "{\"l\": [1], \"t\": \"2026-01-15T05:00:00Z\", \"b\": true}\n",
    )
    .expect("a file");
    let csv = |sql: &str| succeeded(&run_in(folder.path(), &["--quiet", "--format", "csv", "-c", sql]));
    let head = "column,type,rows,nulls,distinct,least,greatest,mean\n";
    let of_events =
        format!("{head}host,Utf8View,3,0,2,a,b,\nn,Int64,3,0,3,1,3,2.0\nnote,Utf8View,3,2,1,x,x,\n");
    for sql in [
        "SUMMARIZE 'events.csv'",
        "summarize 'events.csv';",
        "\\summarize 'events.csv'",
        "SUMMARIZE FROM 'events.csv'",
    ] {
        assert_eq!(csv(sql), of_events, "{sql}");
    }
    assert!(csv("SUMMARIZE SELECT n + 1 AS m FROM 'events.csv'").contains("\nm,Int64,3,0,3,2,4,3.0\n"));
    let of_json = csv("SUMMARIZE 'list.json'");
    assert!(of_json.lines().any(|line| line.starts_with("l,") && line.ends_with(",1,0,0,,,")), "{of_json}");
    assert!(of_json.lines().any(|line| line.starts_with("b,Boolean,1,0,1,true,true,")), "{of_json}");
    let missing = run_in(folder.path(), &["-c", "SUMMARIZE 'evnets.csv'"]);
    assert!(stderr(&missing).contains("did you mean 'events.csv'"), "{}", stderr(&missing));
}

/// Bare words end the line at the prompt, as they do elsewhere.
#[test]
fn bare_words_are_commands_at_the_prompt() {
    let folder = folder_with_events();
    let mut command = dbcluster();
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path()).env("HOME", folder.path());
    command.env("TERM", "xterm").env("NO_COLOR", "1");
    let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(command, options).expect("a terminal");
    session.exp_string("> ").expect("a prompt");
    for (typed, expected) in [
        ("help", "\\summarize TABLE"),
        ("help eps", "eps => 'auto' takes"),
        (".tables", "\\d lists the tables"),
        ("\\timing", "each result says its time"),
        ("\\set day 2026-01-15", "\n"),
        ("SELECT $day || '!' AS d;", "2026-01-15!"),
        ("SUMMARIZE 'events.csv';", "| host "),
        ("\\h SCATTER", "\\plot SCATTER page.html"),
    ] {
        session.send_line(typed).expect("it reads");
        session.exp_string(expected).unwrap_or_else(|error| panic!("{typed}: {error}"));
        session.exp_string("dbcluster> ").expect("a prompt");
    }
    session.send_line("exit").expect("it reads");
    session.exp_eof().expect("it ends");
}

#[test]
fn variables_stand_for_strings_numbers_and_files() {
    let folder = folder_with_events();
    let args = [
        "--quiet",
        "--format",
        "csv",
        "--set",
        "file=events.csv",
        "--set",
        "least=2",
        "--set",
        "odd=it's; -- $x",
    ];
    let csv = |sql: &str| run_in(folder.path(), &[&args[..], &["-c", sql]].concat());
    assert_eq!(succeeded(&csv("SELECT n FROM $file WHERE n >= $least ORDER BY n")), "n\n2\n3\n");
    assert_eq!(succeeded(&csv("SELECT $odd AS o")), "o\nit's; -- $x\n");
    succeeded(&csv("COPY (SELECT $odd AS o) TO 'odd.csv'"));
    assert_eq!(fs::read_to_string(folder.path().join("odd.csv")).expect("a file"), "o\nit's; -- $x\n");
    assert_eq!(succeeded(&csv("PREPARE p(INT) AS SELECT $1 + 1 AS n; EXECUTE p(2)")), "n\n3\n");
    let missing = csv("SELECT * FROM $nothing");
    assert!(
        stderr(&missing).contains("there is no variable $nothing: \\set nothing VALUE"),
        "{}",
        stderr(&missing)
    );
    let bad = run_in(folder.path(), &["--set", "1x=2", "-c", "SELECT 1"]);
    assert_eq!(bad.status.code(), Some(2));
}

/// The shell runs the start file of its user, and batch modes do not.
#[test]
fn sessions_begin_with_the_start_file() {
    let folder = folder_with_events();
    fs::write(
        folder.path().join(".dbclusterrc"),
        "\\set least 2\nCREATE VIEW v AS SELECT 41 + 1 AS answer;\n",
    )
    .expect("a file");
    let at_prompt = |args: &[&str], sql: &str| {
        let mut command = dbcluster();
        command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path()).env("HOME", folder.path());
        command.env("TERM", "xterm").env("NO_COLOR", "1").args(args);
        let options = Options::new().timeout_ms(Some(60_000)).strip_ansi_escape_codes(true);
        let mut session = spawn_with_options(command, options).expect("a terminal");
        session.exp_string("dbcluster> ").expect("a prompt");
        session.send_line(sql).expect("it reads");
        let answer = session.exp_string("dbcluster> ").expect("a prompt");
        session.send_line("\\q").expect("it reads");
        session.exp_eof().expect("it ends");
        answer
    };
    assert!(at_prompt(&[], "SELECT answer + $least AS a FROM v;").contains("| 44"));
    assert!(at_prompt(&["--no-init"], "SELECT answer FROM v;").contains("there is no table 'v'"));
    let batch = dbcluster()
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .args(["-c", "SELECT answer FROM v"])
        .output()
        .expect("the binary starts");
    assert!(stderr(&batch).contains("there is no table 'v'"), "{}", stderr(&batch));
    let named =
        run_in(folder.path(), &["--init", ".dbclusterrc", "--format", "csv", "-c", "SELECT answer FROM v"]);
    assert_eq!(succeeded(&named), "answer\n42\n");

    fs::write(folder.path().join("broken.sql"), "SELECT 1 AS a;\nSELECT nothing;\n").expect("a file");
    let broken = run_in(folder.path(), &["--init", "broken.sql", "-c", "SELECT 2"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        stderr(&broken).contains("broken.sql:2: statement 2: there is no column 'nothing'"),
        "{}",
        stderr(&broken)
    );
    fs::rename(folder.path().join("broken.sql"), folder.path().join(".dbclusterrc")).expect("a file");
    let warned = at_prompt(&[], "SELECT 'still ' || 'here' AS s;");
    assert!(warned.contains("still here"), "{warned}");
}

/// The log of a session is a script that can be run again.
#[test]
fn sessions_are_logged() {
    let folder = folder_with_events();
    let log = |sql: &str| {
        run_in(folder.path(), &["--quiet", "--format", "csv", "--log-file", "session.sql", "-c", sql])
    };
    log("SELECT 1 AS a; CREATE TABLE t AS SELECT 2 AS b");
    log("SELECT nothing");
    let text = fs::read_to_string(folder.path().join("session.sql")).expect("a file");
    assert!(text.contains("\nSELECT 1 AS a;\n-- 1 rows in "), "{text}");
    assert!(text.contains("\nCREATE TABLE t AS SELECT 2 AS b;\n-- "), "{text}");
    assert!(text.contains("\nSELECT nothing;\n-- failed: there is no column 'nothing'"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join("session.sql")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read the log");
    }
    let again = run_in(folder.path(), &["--quiet", "--format", "csv", "-f", "session.sql"]);
    assert!(
        stdout(&again).starts_with("a\n1\n") && stderr(&again).contains("'nothing'"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn shells_and_man_get_their_pages() {
    let folder = folder_with_events();
    for (shell, sign) in
        [("bash", "complete -F _dbcluster"), ("zsh", "#compdef dbcluster"), ("fish", "complete -c dbcluster")]
    {
        let script = succeeded(&run_in(folder.path(), &["completions", shell]));
        assert!(
            script.contains(sign) && script.contains("expanded") && script.contains("hunt"),
            "{shell}: {script}"
        );
    }
    let of_hunt = succeeded(&run_in(folder.path(), &["man", "hunt"]));
    assert!(of_hunt.contains("\\-\\-watch") && of_hunt.contains("dbcluster"), "{of_hunt}");
    assert_eq!(run_in(folder.path(), &["man", "nonsense"]).status.code(), Some(2));
    let page = succeeded(&run_in(folder.path(), &["man"]));
    assert!(
        page.contains(".TH dbcluster 1")
            && page.contains("\\-\\-memory\\-limit")
            && page.contains("dbcluster\\-hunt(1)"),
        "{page}"
    );
}

/// Each topic of help has an example, which runs on the sample.
#[test]
fn examples_of_topics_run() {
    let folder = tempfile::tempdir().expect("a folder");
    succeeded(&run_in(folder.path(), &["sample", "--rows", "4000", "--out", "sample"]));
    let list = succeeded(&run_in(folder.path(), &["-c", "\\h"]));
    let (topics, _) =
        list.strip_prefix("Topics\n").and_then(|rest| rest.split_once("\n\n")).expect("a list of topics");
    let topics: Vec<&str> = topics.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(topics.contains(&"features") && topics.contains(&"hunting"), "{topics:?}");
    for topic in topics {
        let lesson = succeeded(&run_in(folder.path(), &["-c", &format!("\\h {topic}")]));
        assert!(lesson.lines().all(|line| line.chars().count() <= 150), "{lesson}");
        let (_, example) = lesson.split_once("--out sample`\n").expect("an example");
        let (example, _) = example.split_once(";\n").expect("its end");
        let rows = succeeded(&run_in(folder.path(), &["--quiet", "--format", "csv", "-c", example]));
        assert!(rows.lines().count() > 1, "{topic}: {rows}");
    }
}

/// The same examples on tables of one's own, whose columns say what they are for; and on the table that was read last.
#[test]
fn examples_of_topics_run_on_ones_own_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("it writes");
    write(
        "logons.csv",
        "time,TargetUserName,LogonType,IpAddress\n2026-01-15T05:15:00Z,ana,3,10.0.0.7\n2026-01-15T06:00:00Z,bo,2,-\n\
         2026-01-16T06:00:00Z,bo,2,-\n",
    );
    write(
        "auth.log",
        "Failed password for root from 10.0.0.7\nFailed password for ana from 10.0.0.8\nReboot\n",
    );
    write("numbers.csv", "a,b\n1,2\n3,4\n5,6\n");
    write(
        "process.json",
        "{\"@timestamp\": \"2026-01-15T05:15:00Z\", \"process\": {\"executable\": \"/bin/sh\", \"command_line\": \"sh -c id\"}}\n\
         {\"@timestamp\": \"2026-01-15T05:16:00Z\", \"process\": {\"executable\": \"/bin/ls\", \"command_line\": \"ls -l\"}}\n",
    );
    let all = ["features", "eps", "files", "formats", "figures", "hunting", "times"];
    let without = |lacking: &[&str]| -> Vec<&str> {
        all.iter().copied().filter(|topic| !lacking.contains(topic)).collect()
    };
    for (table, topics) in [
        ("'logons.csv'", without(&[])),
        ("'auth.log'", without(&["times"])),
        ("'numbers.csv'", without(&["times", "hunting"])),
        ("'process.json'", without(&[])),
        ("read('logons.csv', header => true)", without(&[])),
        ("(SELECT * FROM 'logons.csv')", without(&[])),
    ] {
        for topic in all {
            let lesson = succeeded(&run_in(folder.path(), &["-c", &format!("\\h {topic} {table};")]));
            let Some((_, example)) = lesson.split_once(&format!("Example, on {table}\n")) else {
                assert!(!topics.contains(&topic), "{topic} on {table}: {lesson}");
                assert!(lesson.contains(&format!("; {table} has no columns for one\n")), "{lesson}");
                continue;
            };
            assert!(topics.contains(&topic), "{topic} on {table}: {lesson}");
            let (example, _) = example.split_once(";\n").expect("its end");
            let rows = succeeded(&run_in(folder.path(), &["--quiet", "--format", "csv", "-c", example]));
            assert!(rows.lines().count() > 1, "{topic} on {table}: {rows}");
            if table.starts_with('(') {
                continue;
            }
            let read = format!("SELECT count(*) FROM {table}");
            let again = succeeded(&run_in(folder.path(), &["-c", &read, "-c", &format!("\\h {topic}")]));
            assert!(again.ends_with(&lesson), "{again}");
        }
    }
    let alias = run_in(folder.path(), &["-c", "\\h eps 'logons.csv' extra"]);
    assert!(!alias.status.success() && stderr(&alias).contains("'extra'"), "{}", stderr(&alias));
    let missing = run_in(folder.path(), &["-c", "\\h eps 'logon.csv'"]);
    assert!(!missing.status.success() && stderr(&missing).contains("logons.csv"), "{}", stderr(&missing));
}

/// Functions that map columns say which ones they have taken.
#[test]
fn mapped_columns_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let events =
        "SELECT 1 AS \"EventID\", '/bin/sh' AS \"Image\", 'sh' AS \"CommandLine\", 'web1' AS hostname";
    let sql = format!("SELECT * FROM process_events(({events}))");
    let told = stderr(&run_in(folder.path(), &["--format", "csv", "-c", &sql]));
    let expected = "process_events: Computer from hostname, NewProcessName from Image; nothing for TimeGenerated, Account, ";
    assert!(told.starts_with(expected) && told.lines().count() == 1, "{told}");
    assert_eq!(stderr(&run_in(folder.path(), &["--quiet", "--format", "csv", "-c", &sql])), "");
}

/// People are told once in a session that rows hide values, with a statement that shows them.
#[test]
fn hidden_values_are_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "CREATE TABLE t AS SELECT 'C:\\' || value || '\\a.exe' AS path, 'x' AS line FROM generate_series(1, 100)";
    let call =
        "dbcluster(t, {tokens: cmdline_tokens(line), score: path_score(path)}, eps => 5, scaling => 'none')";
    let sql = format!("SELECT * FROM {call}");
    let told = stderr(&run_in(folder.path(), &["-c", table, "-c", &sql, "-c", &sql]));
    let (_, line) = told.split_once("advice: ").expect("advice");
    assert!(!line.contains("advice: "), "{told}");
    assert!(
        line.contains("different vectors, of which a row shows one; the values of path that no row shows: "),
        "{told}"
    );
    let (_, statement) = line.trim_end().split_once(": SELECT").expect("a statement");
    let statement = format!("SELECT{statement}");
    let hidden = run_in(folder.path(), &["--quiet", "--format", "csv", "-c", table, "-c", &statement]);
    assert!(succeeded(&hidden).lines().count() > 10, "{statement}");
    for arguments in [
        vec!["--format", "csv", "-c", table, "-c", &sql],
        vec!["--quiet", "-c", table, "-c", &sql],
        vec![
            "-c",
            table,
            "-c",
            "SELECT * FROM dbcluster(t, [path_score(path)], 5, scaling => 'none', distinct_of => [path])",
        ],
        vec![
            "-c",
            table,
            "-c",
            "SELECT * FROM dbcluster(t, [path_score(path)], 0.5, scaling => 'none', partition_by => path)",
        ],
    ] {
        let output = run_in(folder.path(), &arguments);
        succeeded(&output);
        assert!(!stderr(&output).contains("no row shows"), "{arguments:?}: {}", stderr(&output));
    }
}

/// A clustering that tells little says what to do, in a statement that runs as it is.
#[test]
fn clusterings_that_tell_little_have_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "CREATE TABLE t AS SELECT value % 20 AS a, value % 7 AS b FROM generate_series(1, 100)";
    let told = |call: &str| {
        let sql = format!("SELECT * FROM {call}");
        let output = run_in(folder.path(), &["--format", "csv", "-c", table, "-c", &sql]);
        succeeded(&output);
        let quiet = run_in(folder.path(), &["--quiet", "--format", "csv", "-c", table, "-c", &sql]);
        assert_eq!(stderr(&quiet), "", "{call}");
        stderr(&output)
    };
    for (call, expected) in [
        ("dbcluster(t, [a], eps => 0.5)", "advice: l2 makes all rows of one feature alike"),
        ("dbcluster(t, [a, b], eps => 5, scaling => 'none')", "advice: one cluster holds everything"),
        ("dbcluster_members(t, [a, b], eps => 5, scaling => 'none')", "advice: one cluster holds everything"),
        (
            "dbcluster(t, [a, b], eps => 0.5, scaling => 'none', min_samples => 50)",
            "advice: everything is noise",
        ),
    ] {
        let line = told(call);
        assert!(line.starts_with(expected), "{call}: {line}");
        let (_, statement) = line.trim_end().split_once(": SELECT").expect("a statement");
        let rows = run_in(
            folder.path(),
            &["--quiet", "--format", "csv", "-c", table, "-c", &format!("SELECT{statement}")],
        );
        assert!(succeeded(&rows).lines().count() > 2, "{statement}");
    }
    assert_eq!(told("dbcluster(t, [b], eps => 0.5, scaling => 'none')"), "");
    let line = told("dbcluster(t, [nullif(b, 3)], eps => 0.5, scaling => 'none', nulls => 'skip')");
    let (_, statement) = line.trim_end().split_once("are not odd for that: ").expect("a statement");
    let args = ["--quiet", "--format", "csv", "-c", table, "-c", statement];
    assert_eq!(succeeded(&run_in(folder.path(), &args)).lines().count(), 1 + 14);
    assert!(told("t WHERE a = NULL").contains("write IS NULL"));
}
