//! Files as people have them, driven as a person does: `FROM 'path'`, `dbcluster('path', ...)`, `dbcluster report --table`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::binary::{dbcluster, stderr, stdout};

/// A folder with files in it.
struct Files(tempfile::TempDir);

impl Files {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, bytes) in files {
            folder.write(name, bytes);
        }
        folder
    }

    fn text<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::new(files.into_iter().map(|(name, text)| (name, text.as_bytes())))
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        dbcluster().current_dir(self.path()).args(arguments).stdin(Stdio::null()).output().expect("it starts")
    }

    /// The rows of a query as CSV, and what standard error says.
    fn both(&self, flags: &[&str], sql: &str) -> (String, String) {
        let output = self.run(&[flags, &["--format", "csv", "-c", sql]].concat());
        assert!(output.status.success(), "{sql}\n{}", stderr(&output));
        (stdout(&output), stderr(&output))
    }

    fn rows(&self, sql: &str) -> String {
        self.both(&["-q"], sql).0
    }

    fn error(&self, sql: &str) -> String {
        let output = self.run(&["-q", "-c", sql]);
        assert_eq!(output.status.code(), Some(1), "{sql}\n{}", stdout(&output));
        stderr(&output)
    }
}

#[test]
fn times_are_ordered_as_times() {
    let files = Files::text([
        (
            "fractions.json",
            "{\"time\":\"2025-03-01T00:00:07Z\",\"c\":\"a\"}\n{\"time\":\"2025-03-01T00:00:07.75Z\",\"c\":\"b\"}\n{\"time\":\"2025-03-01T00:00:07.125Z\",\"c\":\"c\"}\n",
        ),
        (
            "offsets.json",
            "{\"time\":\"2025-03-01T11:00:00+03:00\",\"c\":\"a\"}\n{\"time\":\"2025-03-01T09:30:00Z\",\"c\":\"b\"}\n{\"time\":\"2025-03-01T02:00:00-08:00\",\"c\":\"c\"}\n",
        ),
        (
            "portal.csv",
            "time,c\n\"9/29/2025, 9:43:21.990 AM\",a\n\"10/2/2025, 12:43:21.990 AM\",b\n\"10/2/2025, 1:43:21.990 PM\",c\n",
        ),
        ("ampm.csv", "time,c\n2025-01-01 09:00:00 AM,a\n2025-01-01 09:00:00 PM,b\n"),
    ]);
    for (file, order) in [
        ("fractions.json", "a\nc\nb"),
        ("offsets.json", "a\nb\nc"),
        ("portal.csv", "a\nb\nc"),
        ("ampm.csv", "a\nb"),
    ] {
        assert_eq!(
            files.rows(&format!("SELECT c FROM '{file}' ORDER BY time")),
            format!("c\n{order}\n"),
            "{file}"
        );
        let ends = format!(
            "SELECT arrow_typeof(first_event_time) LIKE 'Timestamp%' AS t, first_event_time < last_event_time AS o, c \
             FROM dbcluster('{file}', [1], eps => 1, scaling => 'none', time_column => time)"
        );
        let first = order.lines().next().expect("a row");
        assert_eq!(files.rows(&ends), format!("t,o,c\ntrue,true,{first}\n"), "{file}");
    }
}

#[test]
fn folders_are_read_at_any_depth() {
    let files =
        Files::text([("d/x.csv", "n\n1\n"), ("d/2024/05/y.csv", "n\n2\n"), ("only/a/b/z.csv", "n\n4\n")]);
    for (path, sum) in [("d/**/*.csv", 3), ("d/", 3), ("d", 3), ("only/", 4), ("d/*.csv", 1), ("**/*.csv", 7)]
    {
        assert_eq!(files.rows(&format!("SELECT sum(n) AS s FROM '{path}'")), format!("s\n{sum}\n"), "{path}");
    }
}

#[test]
fn nothing_that_comes_late_is_lost() {
    let mut json = "{\"CommandLine\":\"svchost\"}\n".repeat(1500);
    json.push_str("{\"CommandLine\":\"evil.exe\",\"Parent\":\"winword.exe\"}\n");
    let mut fraction = "time,n\n".to_string();
    let mut types = "port,n\n".to_string();
    for n in 0..2000 {
        writeln!(fraction, "2025-01-01 00:00:{:02},{n}", n % 60).expect("text");
        writeln!(types, "{n},{n}").expect("text");
    }
    fraction.push_str("2025-01-02 00:00:00.750,last\n");
    types.push_str("n/a,last\n");
    let files = Files::text([("late.json", &*json), ("fraction.csv", &*fraction), ("type.csv", &*types)]);
    assert_eq!(
        files.rows("SELECT Parent FROM 'late.json' WHERE CommandLine = 'evil.exe'"),
        "Parent\nwinword.exe\n"
    );
    assert!(files.rows("SELECT max(time) AS t FROM 'fraction.csv'").contains("2025-01-02T00:00:00.750"));
    assert_eq!(files.rows("SELECT port FROM 'type.csv' WHERE n = 'last'"), "port\nn/a\n");
}

#[test]
fn columns_meet_by_name_and_values_stay() {
    let files = Files::text([
        ("r/1.csv", "host,user\nh1,amy\n"),
        ("r/2.csv", "user,host,more\nbob,h2,1\n"),
        ("ids.csv", "id,hash\n007,1e345678\n042,12e4\n"),
    ]);
    assert_eq!(
        files.rows("SELECT host, user, more FROM 'r/' ORDER BY host"),
        "host,user,more\nh1,amy,\nh2,bob,1\n"
    );
    assert_eq!(files.rows("SELECT * FROM 'ids.csv'"), "id,hash\n007,1e345678\n042,12e4\n");
}

/// Of files that text and other programs write, each is read by what is in it.
#[test]
fn endings_do_not_matter() {
    let json = "{\"n\":1}\n";
    let names =
        ["a.jsonl", "a.ndjson", "a.log", "a.txt", "a", "a.JSON", "b[1].json", "it's.json", "a.json.1"];
    let files = Files::text(names.map(|name| (name, json)));
    files.write("a.tsv", b"n\tm\n1\t2\n");
    for name in names.into_iter().chain(["a.tsv"]) {
        let sql = format!("SELECT sum(n) AS s FROM '{}'", name.replace('\'', "''"));
        assert_eq!(files.rows(&sql), "s\n1\n", "{name}");
    }
    // A shell expands the tilde, SQL does not.
    let output = dbcluster()
        .env("HOME", files.path())
        .args(["-q", "--format", "csv", "-c", "SELECT n FROM '~/a.jsonl'"])
        .output()
        .expect("it starts");
    assert_eq!(stdout(&output), "n\n1\n", "{}", stderr(&output));
    // Of compressed files, the name says as little.
    for (ending, copy) in [("gz", "gzip -c a.jsonl > a.log.gz"), ("gz", "gzip -c a.tsv > packed")] {
        let made = std::process::Command::new("sh").current_dir(files.path()).args(["-c", copy]).status();
        assert!(made.expect("sh").success(), "{ending}");
    }
    assert_eq!(files.rows("SELECT n FROM 'a.log.gz'"), "n\n1\n");
    assert_eq!(files.rows("SELECT n, m FROM 'packed'"), "n,m\n1,2\n");
}

#[test]
fn quiet_days_and_odd_ends_are_tables() {
    let files = Files::text([
        ("header.csv", "time,cmd\n"),
        ("last.csv", "time,cmd\n2025-01-01 00:00:00.250,a\n2025-01-01 00:00:01,b"),
        ("semicolon.csv", "time;cmd\n2025-01-01 09:00:00;a,b\n"),
        ("json.json", "{\"TimeGenerated\":\"2025-01-01T00:00:00Z\",\"cmd\":\"a\"}\n"),
    ]);
    assert_eq!(files.rows("SELECT * FROM 'header.csv'"), "time,cmd\n");
    assert_eq!(
        files.rows("SELECT count(*) AS n, max(time) > min(time) AS o FROM 'last.csv'"),
        "n,o\n2,true\n"
    );
    assert_eq!(files.rows("SELECT cmd FROM 'semicolon.csv'"), "cmd\n\"a,b\"\n");
    let found =
        files.rows("SELECT first_event_time FROM dbcluster('json.json', [1], eps => 1, scaling => 'none')");
    assert!(found.contains("2025-01-01T00:00:00"), "{found}");
}

#[test]
fn newlines_in_quotes_are_data() {
    let long = "line\n".repeat(3000);
    let mut text = "id,note\n".to_string();
    for id in 0..300 {
        writeln!(text, "{id},\"one\ntwo, \"\"three\"\"\"").expect("text");
    }
    writeln!(text, "300,\"{long}\"").expect("text");
    let files = Files::text([("m.csv", &*text)]);
    assert_eq!(
        files.rows("SELECT count(*) AS n, max(length(note)) AS l FROM 'm.csv'"),
        format!("n,l\n301,{}\n", long.len())
    );
}

#[test]
fn dashes_and_tabs_can_be_told() {
    let files =
        Files::text([("flow.csv", "src bytes\n192.0.2.1 10\n- -\n"), ("t.csv", "a\tb\n1\t-\n2\t3\n")]);
    assert_eq!(files.rows("SELECT * FROM 'flow.csv'"), "src,bytes\n192.0.2.1,10\n,\n");
    let (rows, _) = files.both(
        &["-q", "--nulls", "-", "--delimiter", r"\t"],
        "SELECT sum(b) AS s, count(b) AS n FROM 't.csv'",
    );
    assert_eq!(rows, "s,n\n3,1\n");
    let external = "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 't.csv' OPTIONS ('format.delimiter' '\\t', 'format.has_header' 'true');
                    SELECT a FROM t";
    assert_eq!(files.rows(external), "a\n1\n2\n");
}

#[test]
fn json_of_any_form_is_rows() {
    let files = Files::text([
        ("array.json", "[{\"n\":1},{\"n\":2}]"),
        ("pretty.json", "[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]\n"),
        ("mark.json", "\u{feff}{\"n\":1}\n{\"n\":2}\n"),
        ("records.json", "{\"Records\":[{\"n\":1},{\"n\":2}]}"),
        ("lines.json", "{\"n\":1}\n{\"n\":2}\n"),
    ]);
    for name in ["array.json", "pretty.json", "mark.json", "records.json", "lines.json"] {
        assert_eq!(files.rows(&format!("SELECT sum(n) AS s FROM '{name}'")), "s\n3\n", "{name}");
    }
    let packed = std::process::Command::new("gzip").arg(files.path().join("lines.json")).status();
    assert!(packed.expect("gzip").success());
    let external =
        "CREATE EXTERNAL TABLE t STORED AS JSON LOCATION 'lines.json.gz'; SELECT sum(n) AS s FROM t";
    assert_eq!(files.rows(external), "s\n3\n");
    // The engine's own reader fails of the array in a line, and its error has the way out.
    let told = files.error("CREATE EXTERNAL TABLE t STORED AS JSON LOCATION 'pretty.json'; SELECT * FROM t");
    let file = files.path().join("pretty.json").display().to_string();
    assert!(told.contains(&file) && told.contains(&format!("SELECT * FROM '{file}' reads it")), "{told}");
    assert!(told.len() < 1000, "{told}");
}

#[test]
fn encodings_are_found_or_told() {
    let utf16: Vec<u8> = "\u{feff}a,b\n1,é\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files = Files::new([("utf16.csv", &utf16[..]), ("latin.csv", b"a,b\n1,\xe9\n")]);
    for name in ["utf16.csv", "latin.csv"] {
        assert_eq!(files.rows(&format!("SELECT * FROM '{name}'")), "a,b\n1,é\n", "{name}");
    }
    let (rows, _) = files.both(&["-q", "--encoding", "iso-8859-5"], "SELECT b FROM 'latin.csv'");
    assert_eq!(rows, "b\nщ\n");
}

#[test]
fn hidden_files_are_passed_over_and_said() {
    let files = Files::new([
        ("._a.csv", &b"\0\x05\x16\x07"[..]),
        ("a.csv", b"a\n1\n"),
        ("b.zip", b"PK\x03\x04rest of it"),
    ]);
    let (rows, said) = files.both(&[], "SELECT * FROM '.'");
    assert_eq!(rows, "a\n1\n");
    assert!(said.starts_with("read .: 1 row") && said.lines().count() == 1, "{said}");
    assert!(
        said.contains("._a.csv (left by a system") && said.contains("b.zip (") && said.contains("ZIP"),
        "{said}"
    );
    assert_eq!(files.both(&["-q"], "SELECT * FROM '.'").1, "");
}

/// Any number of threads gives the same bytes.
#[test]
fn threads_change_nothing() {
    let mut text = "folder,note\n".to_string();
    for n in 0..30_000 {
        writeln!(text, "\"C:\\dir\\{n}\",\"line one\nx,{n}\"").expect("text");
    }
    let files = Files::text([("notes.csv", &*text)]);
    let of_one = files.both(&["-q", "-t", "1"], "SELECT * FROM 'notes.csv'").0;
    assert_eq!(of_one.matches("line one").count(), 30_000);
    for threads in ["2", "8", "16"] {
        let (rows, _) = files.both(&["-q", "-t", threads], "SELECT * FROM 'notes.csv'");
        assert!(rows == of_one, "{threads} threads give other bytes");
    }
}

#[test]
fn options_of_the_program_are_those_of_every_reading() {
    let files = Files::text([
        ("local.csv", "time,port,d\n2025-07-01 12:00:00,0080,01/02/2025\n"),
        ("bare.csv", "1,2\n3,4\n"),
        ("script.sql", "SELECT port FROM 'local.csv';"),
    ]);
    let sql = "SELECT CAST(CAST(time AS TIMESTAMP) AS VARCHAR) AS t, port, CAST(d AS VARCHAR) AS d FROM 'local.csv'";
    let (rows, said) =
        files.both(&["--time-zone", "Europe/Berlin", "--types", "port BIGINT", "--date-order", "dmy"], sql);
    assert_eq!(rows, "t,port,d\n2025-07-01T10:00:00,80,2025-02-01\n");
    assert!(said.contains("time (Europe/Berlin)"), "{said}");
    let (rows, _) = files.both(&["-q", "--header", "false"], "SELECT * FROM 'bare.csv'");
    assert_eq!(rows, "column_1,column_2\n1,2\n3,4\n");
    let (rows, _) =
        files.both(&["-q", "--read-format", "lines", "--file-column"], "SELECT line, _file FROM 'bare.csv'");
    assert!(rows.contains("\"1,2\",") && rows.contains("bare.csv"), "{rows}");
    let output = files.run(&["-q", "--format", "csv", "--types", "port BIGINT", "-f", "script.sql"]);
    assert_eq!(stdout(&output), "port\n80\n", "{}", stderr(&output));
    // A value that does not fit is listed.
    let (rows, said) =
        files.both(&["--types", "d BIGINT"], "SELECT d FROM 'local.csv'; SELECT column, text FROM rejected");
    assert_eq!(rows, "d\n\"\"\ncolumn,text\nd,01/02/2025\n");
    assert!(said.contains("1 rejected (SELECT * FROM rejected)"), "{said}");
    for wrong in [&["--time-zone", "Mars"][..], &["--types", "port NUMBER"], &["--delimiter", "ab"]] {
        let output = files.run(&[wrong, &["-c", "SELECT 1"]].concat());
        assert_ne!(output.status.code(), Some(0), "{wrong:?}");
        assert!(
            stderr(&output).contains(wrong[0].trim_start_matches('-'))
                || stderr(&output).contains("dbcluster.read"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn standard_input_is_a_table_or_the_statements() {
    let from = |sql: &str, flags: &[&str], input: &str| {
        let mut child = dbcluster()
            .args(["-q", "--format", "csv"])
            .args(flags)
            .args(if sql.is_empty() { vec![] } else { vec!["-c", sql] })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        child.wait_with_output().expect("its output")
    };
    let json = "{\"n\":1}\n{\"n\":2}\n";
    for name in ["/dev/stdin", "-"] {
        let output =
            from(&format!("SELECT sum(n) AS s FROM '{name}'; SELECT count(*) AS c FROM '{name}'"), &[], json);
        assert_eq!(stdout(&output), "s\n3\nc\n2\n", "{name}: {}", stderr(&output));
    }
    let clustered = "SELECT cluster_size FROM dbcluster('/dev/stdin', [n], eps => 1, scaling => 'none')";
    assert_eq!(stdout(&from(clustered, &[], json)), "cluster_size\n2\n");
    let external = |format: &str| {
        format!(
            "CREATE EXTERNAL TABLE {format} STORED AS {format} LOCATION '/dev/stdin'; SELECT sum(n) AS s FROM {format}"
        )
    };
    assert_eq!(stdout(&from(&external("json"), &[], json)), "s\n3\n");
    assert_eq!(stdout(&from(&external("csv"), &[], "n\n1\n2\n")), "s\n3\n");
    let output = from(&format!("{}; {}", external("json"), external("csv")), &[], json);
    assert!(stderr(&output).contains("read by a table of another format than csv"), "{}", stderr(&output));
    let output = from("", &[], &external("csv"));
    assert!(stderr(&output).contains("'/dev/stdin' is standard input, which carries"), "{}", stderr(&output));

    let output = from("", &[], "SELECT * FROM '/dev/stdin'");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("carries the statements: give them with -c or -f"),
        "{}",
        stderr(&output)
    );
}

#[cfg(unix)]
#[test]
fn pipes_are_read_once_and_kept() {
    let files = Files::text([("a.json", "{\"n\":1}\n{\"n\":2}\n")]);
    let binary = dbcluster();
    let script = format!(
        "'{}' -q --format csv -c \"SELECT cluster_size FROM dbcluster('$0', [n], eps => 1, scaling => 'none')\"",
        binary.get_program().display()
    );
    let output = std::process::Command::new("bash")
        .current_dir(files.path())
        .args(["-c", &format!("bash -c {} <(cat a.json)", shell_word(&script))])
        .output()
        .expect("bash");
    assert_eq!(stdout(&output), "cluster_size\n2\n", "{}", stderr(&output));
}

fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn reports_of_logs_need_no_option() {
    let mut processes = String::new();
    let mut ecs = String::new();
    let mut lines = String::new();
    for n in 0..40 {
        let command =
            if n == 17 { "null".to_string() } else { format!("\"cmd /c dir {}\"", "x ".repeat(n % 3)) };
        writeln!(processes, "{{\"CommandLine\":{command},\"NewProcessName\":\"C:\\\\w\\\\cmd.exe\",\"tags\":[\"a\"],\"o\":{{\"x\":{n}}}}}").expect("text");
        writeln!(ecs, "{{\"process\":{{\"command_line\":{command},\"executable\":\"/bin/ls\"}},\"@timestamp\":\"2025-01-01T00:00:{n:02}Z\"}}").expect("text");
        writeln!(lines, "Jan 15 10:05:{n:02} host sshd[{n}]: Accepted password for amy from 10.0.0.{n}")
            .expect("text");
    }
    let events = "{\"Records\":[{\"eventName\":\"GetUser\",\"eventSource\":\"iam\",\"eventTime\":\"2025-01-01T00:00:00Z\"},\
                  {\"eventName\":\"StopLogging\",\"eventSource\":\"cloudtrail\",\"eventTime\":\"2025-01-01T00:00:01Z\"}]}";
    let files = Files::text([
        ("processes.json", &*processes),
        ("ecs.json", &*ecs),
        ("auth.log", &*lines),
        ("trail/1.json", events),
        ("trail/2.json", events),
        (
            "logons.csv",
            "Account,LogonType,TimeGenerated\namy,3.0,2025-01-01 00:00:00\nbob,,2025-01-01 00:00:01\n",
        ),
    ]);
    for table in ["processes.json", "ecs.json", "auth.log", "trail/", "logons.csv"] {
        let output = files.run(&["report", "--force", "--table", table, "--out", "r.html"]);
        assert!(output.status.success(), "{table}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(&format!("read {table}: ")), "{table}: {}", stderr(&output));
        let page = fs::read_to_string(files.path().join("r.html")).expect("a page");
        assert_eq!(page.contains("NULL, read as empty"), !["auth.log", "trail/"].contains(&table), "{table}");
    }
    // Other tables are compared by their texts or numbers.
    for (table, text) in [
        ("texts.csv", "a,host\nrun 1,h1\nrun 2,h1\n-,h2\n"),
        ("numbers.csv", "n,m\n1,2.5\n1,2.5\n3,\n"),
        ("one.json", "{\"user\":{\"name\":\"amy\"}}\n"),
        ("header.csv", "time,cmd\n"),
    ] {
        files.write(table, text.as_bytes());
        let output = files.run(&["report", "--force", "--table", table, "--out", "r.html"]);
        assert!(output.status.success(), "{table}: {}", stderr(&output));
    }
    files.write("times.csv", b"time\n2025-01-01 00:00:00\n");
    let output = files.run(&["report", "--table", "times.csv", "--out", "o.html"]);
    assert!(stderr(&output).contains("say what to cluster on"), "{}", stderr(&output));
    let advice = ["--features", "date_part('hour', time) AS hour", "--label", "time"];
    let output = files.run(&[&["report", "--table", "times.csv", "--out", "o.html"], &advice[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A column of a file and one in the name of its folder may have the same name; neither hides the other.
#[test]
fn folders_and_files_may_have_columns_of_one_name() {
    let files =
        Files::text([("text/host=w1/a.csv", "n\n1\n"), ("text/host=w2/b.csv", "n,host\n2,w2.corp\n")]);
    let parquet = "COPY (SELECT 1 AS n) TO 'parquet/host=w1/a.parquet'; COPY (SELECT 2 AS n, 'w2.corp' AS host) TO \
                   'parquet/host=w2/b.parquet'";
    assert!(files.run(&["-q", "-c", parquet]).status.success());
    for folder in ["text", "parquet"] {
        let rows = files.rows(&format!("SELECT n, host, host_2 FROM '{folder}' ORDER BY n"));
        assert_eq!(rows, "n,host,host_2\n1,,w1\n2,w2.corp,w2\n", "{folder}");
    }
}

/// Elastic's name for the time is a variable to SQL.
#[test]
fn names_with_an_at_sign_are_told_to_be_quoted() {
    let files = Files::text([("a.json", "{\"@timestamp\":\"2025-01-15T09:00:00Z\"}\n")]);
    let told = files.error("SELECT @timestamp FROM 'a.json'");
    assert!(told.contains("a column of this name is written \"@timestamp\""), "{told}");
    assert_eq!(files.rows("SELECT \"@timestamp\" AS t FROM 'a.json'"), "t\n2025-01-15T09:00:00Z\n");
}

#[test]
fn imports_are_whole_and_overwrite_nothing() {
    let files = Files::text([("a.csv", "n,s\n1,x\n"), ("b.json", "{\"s\":\"y\",\"n\":2}\n")]);
    let import = ["import", "a.csv", "b.json", "--out", "all.parquet"];
    let output = files.run(&[&import[..], &["-q"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(files.rows("SELECT n, s FROM 'all.parquet' ORDER BY n"), "n,s\n1,x\n2,y\n");
    let output = files.run(&import);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("all.parquet is there already; --force"), "{}", stderr(&output));
    assert!(files.run(&[&import[..], &["--force"]].concat()).status.success());
    files.write("below/x.csv", b"n\n1\n");
    for path in ["below/../all.parquet", "./below/.././all.parquet", "below/../a.csv"] {
        assert!(files.rows(&format!("SELECT min(n) AS n FROM '{path}'")) == "n\n1\n", "{path}");
    }
    // An import that fails leaves the earlier file.
    let output = files.run(&["import", "missing.csv", "--out", "all.parquet", "--force"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files.rows("SELECT count(*) AS c FROM 'all.parquet'"), "c\n2\n");
}

/// Names in files are shown as codes, on the line about the reading too.
#[test]
fn the_line_about_a_reading_steers_no_terminal() {
    let files = Files::text([("a\u{1b}[2J.csv", "t\u{1b}ime\n2025-01-01 00:00:00\n"), ("b.csv", "n\nx\n")]);
    let (_, said) = files.both(&[], "SELECT count(*) FROM '.'");
    assert!(!said.contains('\u{1b}') && said.contains(r"t\u{1b}ime"), "{said}");
}

#[test]
fn imports_keep_what_they_read_and_name_what_they_reject() {
    let files = Files::text([("a.csv", "n,s\n1,x\n"), ("logs/b.json", "{\"n\":1}\nnothing\n{\"n\":2}\n")]);
    let output = files.run(&["import", "logs", "--out", "logs/all.parquet"]);
    let told = stderr(&output);
    assert!(output.status.success() && told.contains("1 rejected (line 2: "), "{told}");
    assert!(!told.contains("SELECT * FROM rejected"), "{told}");
    // The file of an import is not read into the next one, and no file is read and overwritten at once.
    for (path, out) in [("a.csv", "./a.csv"), ("logs", "logs/all.parquet"), ("logs/*", "logs/all.parquet")] {
        let before = fs::read(files.path().join(out)).expect("a file");
        let output = files.run(&["import", path, "--out", out, "--force"]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        let told = stderr(&output);
        let expected =
            if path == "a.csv" { "an import writes Parquet" } else { "is one of the files of logs" };
        assert!(told.contains(expected), "{told}");
        assert_eq!(fs::read(files.path().join(out)).expect("a file"), before, "{path}");
    }
    // The advice about other formats works as it is typed.
    let output = files.run(&["import", "a.csv", "--out", "b.csv.gz"]);
    let told = stderr(&output);
    let advice = told.split("-c \"").nth(1).and_then(|rest| rest.split('"').next()).expect("advice");
    assert!(files.run(&["-q", "-c", &advice.replace("'path'", "'a.csv'")]).status.success(), "{told}");
    assert_eq!(files.rows("SELECT * FROM 'b.csv.gz'"), "n,s\n1,x\n");
}

#[test]
fn text_times_have_the_zone_of_the_session() {
    let files = Files::text([(
        "a.csv",
        "time,c\n2025-03-30 02:30:00,a\n2025-03-30 03:30:00,b\n2025-03-30T01:00:00Z,c\n",
    )]);
    files.rows("COPY (SELECT '2025-03-30 03:00:00' AS t, 1 AS n UNION ALL SELECT '2025-03-30T01:30:00Z', 1) TO 'b.parquet'");
    let of = |table: &str| {
        format!("SELECT first_event_time AS t FROM dbcluster('{table}', [n], 1, time_column => t)")
    };
    assert_eq!(files.rows(&of("b.parquet")), "t\n2025-03-30T01:30:00\n");
    let (rows, _) = files.both(&["-q", "--time-zone", "Europe/Berlin"], &of("b.parquet"));
    assert_eq!(rows, "t\n2025-03-30T01:00:00\n");
    // A time that the clocks of the zone never showed makes the column text, and is refused as a time.
    let sql = "SELECT * FROM dbcluster((SELECT *, 1 AS n FROM 'a.csv'), [n], 1, time_column => time)";
    let output = files.run(&["-q", "--time-zone", "Europe/Berlin", "-c", sql]);
    assert!(stderr(&output).contains("there was no such time in Europe/Berlin"), "{}", stderr(&output));
    assert!(files.run(&["-q", "-c", sql]).status.success());
    let reset = format!(
        "SET dbcluster.read.time_zone = 'Europe/Berlin'; RESET dbcluster.read.time_zone; {}",
        of("b.parquet")
    );
    assert_eq!(files.rows(&reset), "t\n2025-03-30T01:30:00\n");
}

#[test]
fn advice_about_times_works_as_it_is_typed() {
    for (value, other, first) in [
        ("0000-00-00T00:00:00+00:00", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00"),
        ("20250930094321.123456+060", "20250930094321.123456+000", "2025-09-30T08:43:21.123456"),
        ("20250930094321.123456-060", "20250930094321.123456-060", "2025-09-30T10:43:21.123456"),
        ("2025-09-30T24:00:00", "2025-10-01T00:00:01", "2025-10-01T00:00:00"),
        ("15-Jan-25 10:00:00", "16-Jan-25 10:00:00", "2025-01-15T10:00:00"),
        ("never seen 1", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00"),
    ] {
        let files = Files::text([]);
        let of = |time: &str| {
            format!(
                "SELECT first_event_time AS t FROM dbcluster((SELECT * FROM (VALUES (1, '{value}'), (1, '{other}')) AS v(n, t)), \
                 [n], 1, time_column => {time})"
            )
        };
        let told = files.error(&of("t"));
        let advice = told.split("time_column => ").nth(1).expect("advice").trim_end();
        let advice = advice.strip_suffix(" reads it").unwrap_or(advice).split("; ").next().expect("advice");
        assert_eq!(files.rows(&of(advice)), format!("t\n{first}\n"), "{told}");
    }
}

#[test]
fn calls_and_features_as_they_stand_in_statements_are_taken() {
    let files = Files::text([("a.csv", "c;n\nx;1\ny;2\nx;3\n")]);
    for (table, features) in [
        ("a.csv", "[n, length(c) AS l]"),
        ("a.csv", "{n: n, l: length(c)}"),
        ("read('a.csv', types => {n: 'DOUBLE'})", "n, length(c) AS l"),
    ] {
        let output =
            files.run(&["report", "--force", "--table", table, "--features", features, "--out", "r.html"]);
        assert!(output.status.success(), "{table} {features}: {}", stderr(&output));
    }
    let output = files.run(&["report", "--table", "a.csv", "--features", "{n: n", "--out", "o.html"]);
    assert!(stderr(&output).contains("--features '{n: n'"), "{}", stderr(&output));
}

#[test]
fn small_mistakes_are_answered_in_a_line() {
    let files = Files::text([("dec.csv", "c,n\nx,1\n")]);
    fs::create_dir(files.path().join("ed")).expect("a folder");
    for (sql, expected) in [
        ("SELECT count(*) FROM 'ed'", "ed"),
        ("SELECT sum(c) FROM 'dec.csv'", "sum(TRY_CAST(x AS DOUBLE)) reads text as numbers"),
        ("SELECT n + c FROM 'dec.csv'", "TRY_CAST(c AS DOUBLE) reads a column of text as numbers"),
        ("SELECT * FROM dec.csv", "'dec.csv'"),
        ("SELECT * FROM /tmp/dec.csv", "'/tmp/dec.csv'"),
        ("SELECT cs(User-Agent) FROM 'dec.csv'", "\"cs(User-Agent)\""),
    ] {
        let told = files.error(sql);
        assert!(told.contains(expected) && told.lines().count() == 1, "{sql}: {told}");
    }
}
