//! `hunt` counts what plain SQL counts, and the program tells it as a person asks for it.

use std::fmt::Write;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use fastrand::Rng;

use crate::binary::{dbcluster, stderr, stdout};
use crate::support::{data_folder, number, rows, session, text};

/// Statements that make a table of few programs, parents, hosts and times, with NULLs and many ties.
fn table(rng: &mut Rng, most: usize) -> String {
    let mut text = "CREATE TABLE events AS SELECT column1 AS id, column2::TIMESTAMP AS time, column3::VARCHAR AS host, column4::VARCHAR AS who,
        column5::VARCHAR AS path, column6::VARCHAR AS command, column7::VARCHAR AS parent FROM (VALUES "
        .to_string();
    for id in 0..=rng.usize(..most) {
        let mut pick = |values: &[&str]| {
            if rng.u8(..10) == 0 {
                "NULL".to_string()
            } else {
                format!("'{}'", values[rng.usize(..values.len())])
            }
        };
        let host = pick(&["h1", "h2", "h3"]);
        let who = pick(&["ana", "bob"]);
        let path = pick(&[r"C:\Windows\a.exe", r"c:\windows\A.EXE", r"C:\Temp\b.exe", "/usr/bin/c"]);
        let command = pick(&[
            "a run 1",
            "a run 2",
            "a.exe --now",
            "b 10.0.0.1",
            "",
            "word another /tmp/x",
            "b 10.0.0.2",
        ]);
        let parent = pick(&[r"C:\x\cmd.exe", r"C:\y\CMD.EXE", "services.exe", "/sbin/init"]);
        let second = if rng.u8(..10) == 0 {
            "NULL".to_string()
        } else {
            format!("'2026-01-15 05:00:{:02}.5'", rng.u8(..20))
        };
        let comma = if id == 0 { "" } else { ", " };
        write!(text, "{comma}({id}, {second}, {host}, {who}, {path}, {command}, {parent})")
            .expect("a string");
    }
    text + ")"
}

/// The same counts and the terms that are made of them, in plain SQL.
const EXPECTED: &str = "
    WITH e AS (SELECT *, lower(process_name(path)) AS s, cmdline_template(command) AS t, lower(process_name(parent)) AS c FROM events),
    g AS (SELECT s, t, c, count(*) AS n FROM e GROUP BY s, t, c),
    in_context AS (SELECT s, c, count(*) AS k, sum(n) AS n FROM g WHERE c IS NOT NULL GROUP BY s, c),
    of_context AS (SELECT c, count(*) AS k FROM g WHERE c IS NOT NULL GROUP BY c),
    of_subject AS (SELECT s, count(c) AS k, sum(n) AS n FROM g GROUP BY s),
    contexts AS (SELECT g.s, g.t, g.c, ln((i.k + o.k::DOUBLE / (SELECT count(c) FROM g)) / (b.k + 1.0)) AS unusual, ln(i.k::DOUBLE / o.k) / 2.0 AS subject,
                        row_number() OVER (PARTITION BY g.s, g.t ORDER BY i.k, o.k, g.c) AS place
                 FROM g JOIN in_context i ON (i.s IS NOT DISTINCT FROM g.s) AND i.c = g.c JOIN of_context o ON o.c = g.c
                 JOIN of_subject b ON (b.s IS NOT DISTINCT FROM g.s)),
    shapes AS (SELECT s, t, count(*) AS events, count(DISTINCT host) AS hosts, count(DISTINCT who) AS accounts, min(time) AS first, max(time) AS last
               FROM e GROUP BY s, t),
    split AS (SELECT DISTINCT s, t, events, unnest(string_to_array(regexp_replace(regexp_replace(lower(t), '[0-9]+', '#', 'g'), '[^a-z#_<>]+', ' ', 'g'), ' ')) AS word,
                     unnest(string_to_array(regexp_replace(regexp_replace(s, '[0-9]+', '#', 'g'), '[^a-z#_<>]+', ' ', 'g'), ' ')) AS other FROM shapes),
    words AS (SELECT DISTINCT s, t, events, word FROM split WHERE length(word) > 1
              UNION SELECT DISTINCT s, t, events, other FROM split
              WHERE length(other) > 1 AND NOT coalesce(regexp_like(regexp_replace(lower(t), '[0-9]+', '#', 'g'), '[a-z#_<>]{2}'), false)),
    rare AS (SELECT w.s, w.t, max(least(ln((SELECT count(*) FROM shapes)::DOUBLE / n.n), ln((SELECT sum(events) FROM shapes)::DOUBLE / n.e))) AS part
             FROM words w JOIN (SELECT word, count(*) AS n, sum(events) AS e FROM words GROUP BY word) n ON n.word = w.word GROUP BY w.s, w.t)
    SELECT h.s, h.t, h.events, h.hosts, h.accounts, h.first, h.last, CASE WHEN c.c IS NOT NULL THEN round(least(greatest(-c.unusual, 0), 4), 9) + 0.0 END AS context,
           CASE WHEN c.c IS NOT NULL THEN round(least(-c.subject, 2), 9) + 0.0 END AS context_subject,
           round(r.part, 9) + 0.0 AS rare_word
    FROM shapes h LEFT JOIN contexts c ON (c.s IS NOT DISTINCT FROM h.s) AND (c.t IS NOT DISTINCT FROM h.t) AND c.place = 1
    LEFT JOIN rare r ON (r.s IS NOT DISTINCT FROM h.s) AND (r.t IS NOT DISTINCT FROM h.t) ORDER BY 1, 2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_those_of_plain_sql() {
    let mut rng = Rng::with_seed(1901);
    for round in 0..60 {
        let ctx = session();
        let table = table(&mut rng, 40);
        rows(&ctx, &table).await;
        let got = "SELECT subject AS s, text_template AS t, events, hosts, accounts, first_event_time AS first, last_event_time AS last,
                          round(terms['context'], 9) AS context, round(terms['context_subject'], 9) AS context_subject,
                          round(terms['rare_word'], 9) AS rare_word
                   FROM hunt(events, text => command, path => path, context => process_name(parent), host => host, who => who) ORDER BY 1, 2";
        let told = format!("round {round}: {table}");
        assert_eq!(text(&ctx, got).await, text(&ctx, EXPECTED).await, "{told}");
        // The row of a shape is its earliest event, and the score the sum of its terms.
        let earliest = "SELECT count(*) FROM hunt_processes((SELECT *, command AS \"CommandLine\", path AS \"Image\" FROM events)) h
             WHERE (first_event_time IS DISTINCT FROM time) OR (text_template IS DISTINCT FROM cmdline_template(command))";
        assert_eq!(number(&ctx, earliest).await, 0, "{told}");
        let names = "context, context_subject, launcher, interpreter, base64, obfuscation, rare_word, places, rarity, name, watch";
        let sum: Vec<String> =
            names.split(", ").map(|name| format!("coalesce(terms['{name}'], 0)")).collect();
        let wrong = format!(
            "SELECT count(*) FROM hunt(events, text => command, path => path, context => parent, watch => 'now') WHERE abs(score - ({})) > 1e-9",
            sum.join(" + ")
        );
        assert_eq!(number(&ctx, &wrong).await, 0, "{told}");
    }
}

/// Any order of the rows of a hunt is that of the score.
#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn rows_come_by_score() {
    let data = data_folder();
    let ctx = session();
    for (file, function) in [
        ("processes_on_host.csv", "hunt_processes"),
        ("otrf_4688.parquet", "hunt_processes"),
        ("linux_execve.parquet", "hunt_processes"),
        ("otrf_logons.parquet", "hunt_logons"),
    ] {
        let path = data.join(file);
        let format = if file.ends_with("csv") { "CSV" } else { "PARQUET" };
        rows(
            &ctx,
            &format!("CREATE OR REPLACE EXTERNAL TABLE t STORED AS {format} LOCATION '{}'", path.display()),
        )
        .await;
        let batch = rows(&ctx, &format!("SELECT score FROM {function}(t)")).await;
        let scores = batch.column(0).as_primitive::<Float64Type>().values();
        assert!(scores.len() > 2 && scores.windows(2).all(|pair| pair[0] >= pair[1]), "{file}");
        let all = number(&ctx, "SELECT count(*) FROM t").await;
        assert_eq!(number(&ctx, &format!("SELECT sum(events) FROM {function}(t)")).await, all, "{file}");
    }
}

/// The recorded attacks of a notebook are on the first screen.
#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn a_hunt_begins_with_the_recorded_attacks() {
    let data = data_folder();
    let found = dbcluster().args(["hunt"]).arg(data.join("processes_on_host.csv")).output().expect("it runs");
    assert!(found.status.success(), "{}", stderr(&found));
    let told = stdout(&found);
    for attack in ["pOWErS^H^ElL", "doubleextension.pdf.exe", "suchost.exe", "certutil", "regsvr32"] {
        assert!(told.contains(attack), "{attack} is not in {told}");
    }
    assert!(told.contains("looks like svchost.exe") && told.contains("named like a document"), "{told}");
    assert!(told.contains("363 events are 150 kinds of events. 130 more: --out page.html"), "{told}");
}

#[test]
fn a_hunt_is_told_to_programs_and_as_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("log.csv"),
        "CommandLine,Image,ParentImage,User,Computer,time\n\
         \"cmd.exe /c \u{1b}[2J<script>alert(1)</script>\",C:\\Temp\\a.pdf.exe,C:\\Office\\winword.exe,ana,h1,2026-01-15 05:00:00\n\
         svchost.exe -k x,C:\\Windows\\System32\\svchost.exe,C:\\Windows\\System32\\services.exe,SYSTEM,h1,2026-01-15 05:00:01\n\
         svchost.exe -k x,C:\\Windows\\System32\\svchost.exe,C:\\Windows\\System32\\services.exe,SYSTEM,h2,2026-01-15 05:00:02\n",
    )
    .expect("a file");
    let run = |args: &[&str]| {
        let output =
            dbcluster().current_dir(folder.path()).args(["hunt", "--quiet", "log.csv"]).args(args).output();
        output.expect("it runs")
    };
    let lines = stdout(&run(&["--format", "ndjson", "--rows", "1"]));
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(
        lines.contains("\"subject\":\"a.pdf.exe\"") && lines.contains("\"named like a document\""),
        "{lines}"
    );

    let alert = run(&["--alert", "3"]);
    assert_eq!(alert.status.code(), Some(3), "{}", stderr(&alert));
    assert!(stderr(&alert).contains("1 of 2 kinds of events score 3 or more"), "{}", stderr(&alert));
    assert!(!stdout(&alert).contains('\u{1b}'), "a terminal is not obeyed");
    assert_eq!(run(&["--alert", "500"]).status.code(), Some(0));

    let page = run(&["--out", "hunt.html", "--title", "A case"]);
    assert!(page.status.success(), "{}", stderr(&page));
    let html = std::fs::read_to_string(folder.path().join("hunt.html")).expect("a page");
    assert!(html.contains("<h1>A case</h1>") && html.contains("&lt;script&gt;alert(1)"), "the text is text");
    assert!(!html.contains("<script>alert"), "no text is markup");
    // A command that fails touches no file, and a log is never overwritten.
    std::fs::copy(folder.path().join("log.csv"), folder.path().join("log.html")).expect("a copy");
    let over = run(&["log.html", "--out", "log.html", "--force"]);
    assert!(stderr(&over).contains("is one of the files of log.html"), "{}", stderr(&over));
    let nowhere = run(&["--out", "no/hunt.html"]);
    assert!(stderr(&nowhere).contains("there is no folder no"), "{}", stderr(&nowhere));
    let again = run(&["--out", "hunt.html"]);
    assert!(
        stderr(&again).contains("hunt.html is there already; --force overwrites it"),
        "{}",
        stderr(&again)
    );

    // Of near-repeats, one that is watched for or lies elsewhere has a row of its own.
    std::fs::write(
        folder.path().join("many.csv"),
        "CommandLine,Image,time\ncurl 10.0.0.1,C:\\a\\curl.exe,2026-01-15 05:00:00\ncurl 203.0.113.7,C:\\a\\curl.exe,2026-01-15 05:00:01\n\
         svchost.exe -k x,C:\\Windows\\System32\\svchost.exe,2026-01-15 05:00:02\nsvchost.exe -k x,C:\\Users\\Public\\svchost.exe,2026-01-15 05:00:03\n",
    )
    .expect("a file");
    let many = dbcluster()
        .current_dir(folder.path())
        .args(["hunt", "-q", "many.csv", "--watch", "203.0.113.7"])
        .output();
    let many = stdout(&many.expect("it runs"));
    assert!(many.starts_with("  1.") && many.contains("has '203.0.113.7', which is watched for"), "{many}");
    assert!(many.contains("svchost.exe belongs to C:\\Windows\\System32"), "{many}");
    assert_eq!(many.matches("curl.exe, 1 event").count(), 2, "{many}");
    let empty = run(&["--watch", ""]);
    assert!(stderr(&empty).contains("watch has an empty text"), "{}", stderr(&empty));

    let watch = stdout(&run(&["--watch", "SVCHOST", "--rows", "1"]));
    assert!(watch.contains("has 'SVCHOST', which is watched for"), "{watch}");
}

#[test]
fn a_hunt_finds_the_columns_or_says_what_it_looks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |name: &str, content: &str| {
        std::fs::write(folder.path().join(name), content).expect("a file");
        dbcluster().current_dir(folder.path()).args(["hunt", name]).output().expect("it runs")
    };
    let lines = run(
        "auth.log",
        "Jan 15 05:00:00 h sshd[17]: Accepted key for ana\nJan 15 05:00:09 h sshd[18]: Accepted key for ana\n",
    );
    assert!(
        stdout(&lines).contains("2 events are 1 kind of events."),
        "{}{}",
        stdout(&lines),
        stderr(&lines)
    );
    let zeek = run(
        "http.log",
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n#fields\tts\tid.orig_h\tmethod\thost\turi\tuser_agent\n\
         #types\ttime\taddr\tstring\tstring\tstring\tstring\n1768453200.5\t10.0.0.1\tGET\texample.com\t/a\tcurl/8\n",
    );
    assert!(
        stdout(&zeek).contains("10.0.0.1, 1 event, 2026-01-15T05:00:00.500Z\n     GET example.com /a curl/8"),
        "{}{}",
        stdout(&zeek),
        stderr(&zeek)
    );
    let iis = run(
        "iis.log",
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n\
         2026-01-01 00:00:00 10.0.0.1 GET /a 200\n2026-01-01 00:00:01 10.0.0.1 GET /b 200\n",
    );
    assert!(
        stdout(&iis).contains("10.0.0.1, 1 event, 2026-01-01T00:00:01"),
        "{}{}",
        stdout(&iis),
        stderr(&iis)
    );
    let indexed = run("indexed", ",CommandLine,Image\n0,a b,/bin/a\n1,c d,/bin/c\n2,e f,/bin/e\n");
    assert!(stdout(&indexed).contains("3 events are 3 kinds of events."), "{}", stdout(&indexed));
    let orphans = run("orphans.csv", "CommandLine,Image\na b,/bin/a\n");
    assert!(stdout(&orphans).contains("No column of parent programs was found"), "{}", stdout(&orphans));
    let logons = run("logons.csv", "TargetUserName,LogonType,IpAddress\nana,3,10.0.0.1\nana,10,-\n");
    assert!(stdout(&logons).contains("ana"), "{}{}", stdout(&logons), stderr(&logons));
    let calls = r#"{"Records":[{"eventTime":"2026-01-15T05:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","sourceIPAddress":"10.0.0.1","userAgent":"aws-cli/2","userIdentity":{"arn":"arn:aws:iam::1:user/ana"}}]}"#;
    let calls = run("trail.json", calls);
    assert!(
        stdout(&calls).contains("arn:aws:iam::<NUM>") || stdout(&calls).contains("user/ana"),
        "{}{}",
        stdout(&calls),
        stderr(&calls)
    );
    let numbers = run("numbers.csv", "a,b\n1,2\n");
    assert!(!numbers.status.success());
    assert!(
        stderr(&numbers).contains("SELECT * FROM hunt('numbers.csv', text => \"a\")"),
        "{}",
        stderr(&numbers)
    );
    let advice = "SELECT * FROM hunt('numbers.csv', text => \"a\")";
    let dbcluster =
        |args: &[&str]| dbcluster().current_dir(folder.path()).args(args).output().expect("it runs");
    let followed = dbcluster(&["-c", advice]);
    assert!(followed.status.success(), "{}", stderr(&followed));
}

/// Several files are one table, and a query is one with and without its brackets.
#[test]
fn a_hunt_takes_files_and_queries() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, content: &str| std::fs::write(folder.path().join(name), content).expect("a file");
    let dbcluster =
        |args: &[&str]| dbcluster().current_dir(folder.path()).args(args).output().expect("it runs");
    write("orphans.csv", "CommandLine,Image\na b,/bin/a\n");
    write(
        "auth.log",
        "Jan 15 05:00:00 h sshd[17]: Accepted key for ana\nJan 15 05:00:09 h sshd[18]: Accepted key for ana\n",
    );
    write(
        "http.log",
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n#fields\tts\tid.orig_h\turi\tuser_agent\n\
         #types\ttime\taddr\tstring\tstring\n1768453200.5\t10.0.0.1\t/a\tcurl/8\n",
    );
    std::fs::write(folder.path().join("other.csv"), "CommandLine,Image,n\nx y,/bin/x,1\n").expect("a file");
    let both = dbcluster(&["hunt", "orphans.csv", "other.csv"]);
    assert!(stdout(&both).contains("2 events are 2 kinds of events."), "{}{}", stdout(&both), stderr(&both));
    // Rows of other logs are told.
    let mixed = dbcluster(&["hunt", "http.log", "auth.log"]);
    assert!(stdout(&mixed).contains("1 event is 1 kind of events."), "{}{}", stdout(&mixed), stderr(&mixed));
    assert!(
        stdout(&mixed).contains("2 of 3 events are left out: they are of other logs."),
        "{}",
        stdout(&mixed)
    );
    let both = dbcluster(&["hunt", "orphans.csv", "(SELECT 1)"]);
    assert!(stderr(&both).contains("a hunt reads either files or one query"), "{}", stderr(&both));
    for query in [
        "SELECT * FROM 'orphans.csv'",
        "(SELECT * FROM 'orphans.csv')",
        "with t as (select * from 'orphans.csv') select * from t; ",
    ] {
        let found = dbcluster(&["hunt", query]);
        assert!(
            stdout(&found).contains("1 event is 1 kind of events."),
            "{}{}",
            stdout(&found),
            stderr(&found)
        );
    }
    let query = dbcluster(&["hunt", "(SELECT n AS m FROM 'other.csv')"]);
    assert!(
        stderr(&query).contains("hunt((SELECT n AS m FROM 'other.csv'), text => \"m\")"),
        "{}",
        stderr(&query)
    );
    let table = dbcluster(&["hunt", "other.csv", "--out", "found.csv"]);
    assert!(
        stderr(&table).contains("--out found.csv: a page is HTML, so the file's name ends in .html"),
        "{}",
        stderr(&table)
    );
    let file = dbcluster(&["other.csv"]);
    assert!(stderr(&file).contains("SELECT * FROM 'other.csv' LIMIT 10"), "{}", stderr(&file));
    let query = dbcluster(&["SELECT 1"]);
    assert!(stderr(&query).contains("a query stands behind -c"), "{}", stderr(&query));
}

/// Files of one folder that differ in their columns, and in which of them may be NULL, are one table. Events of other kinds are counted.
#[test]
fn a_folder_of_processes_and_logons_is_hunted() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |args: &[&str]| dbcluster().current_dir(folder.path()).args(args).output().expect("it runs");
    assert!(run(&["-q", "sample", "--rows", "1000", "--out", "sample"]).status.success());
    let rows = run(&[
        "-q",
        "--format",
        "csv",
        "-c",
        "SELECT count(*), count(\"LogonType\"), count(\"CommandLine\") FROM 'sample/'",
    ]);
    let rows = stdout(&rows);
    assert!(rows.ends_with("\n1300,100,1200\n"), "{rows}");
    let found = run(&["hunt", "sample"]);
    let told = stdout(&found);
    assert!(told.contains("1,200 events are"), "{told}{}", stderr(&found));
    assert!(
        told.contains("100 of 1,300 events are left out: they start no process, or have neither a command line nor a path."),
        "{told}"
    );
}
