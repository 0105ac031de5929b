//! Mistakes as people type them, each with what the message has to say: what is wrong, where, and what to write.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::binary::{dbcluster, stderr};

/// Statements and parts that their messages have.
const STATEMENTS: &[(&str, &[&str])] = &[
    // The name of a function.
    (
        "SELECT * FROM dbclsuter('p.csv', [cmdline_tokens(CommandLine)], eps => 1)",
        &["'dbclsuter' not found", "did you mean 'dbcluster'"],
    ),
    ("SELECT * FROM dbclsuter('p.csv', [cmdline_tokens(CommandLine)], 1)", &["did you mean 'dbcluster'"]),
    (
        "SELECT * FROM dbcluster_member('p.csv', [cmdline_tokens(CommandLine)], eps => 1)",
        &["did you mean 'dbcluster_members'"],
    ),
    (
        "SELECT * FROM dbscan('p.csv', [cmdline_tokens(CommandLine)], eps => 1)",
        &["dbcluster(events, [f1, f2], eps => 0.0001) clusters a table"],
    ),
    ("SELECT dbcluster(CommandLine) FROM 'p.csv'", &["it stands in FROM: SELECT * FROM dbcluster(...)"]),
    ("SELECT dbscan(1, 2, cmdline_tokens(CommandLine)) FROM 'p.csv'", &["dbscan is a window function"]),
    ("SELECT * FROM 'p.csv' WHERE dbscan(1, 2, 1) OVER () = 1", &["compute it in a query"]),
    ("SELECT cmdline_token(CommandLine) FROM 'p.csv'", &["did you mean 'cmdline_tokens'"]),
    ("SELECT len(CommandLine) FROM 'p.csv'", &["no function 'len'", "length(text)"]),
    ("SELECT strlen(CommandLine) FROM 'p.csv'", &["length(text)"]),
    ("SELECT bin(TimeGenerated, 1) FROM 'p.csv'", &["date_bin(INTERVAL '1 hour', t)"]),
    ("SELECT bin(TimeGenerated, 1h) FROM 'p.csv'", &["INTERVAL '1 hours'"]),
    ("SELECT json_extract(CommandLine, '$.a') FROM 'p.csv'", &["column->'field'"]),
    ("SELECT dcount(Account) FROM 'p.csv'", &["count(DISTINCT x)"]),
    ("SELECT countif(LogonType = 1) FROM 'p.csv'", &["count(*) FILTER (WHERE condition)"]),
    ("SELECT strftime(TimeGenerated, '%Y') FROM 'p.csv'", &["to_char(t"]),
    ("SELECT group_concat(Account) FROM 'p.csv'", &["string_agg(x"]),
    ("SELECT make_set(Account) FROM 'p.csv'", &["array_agg(DISTINCT x)"]),
    ("SELECT quantile(LogonType, 0.5) FROM 'p.csv'", &["approx_percentile_cont"]),
    ("SELECT tolower(Account) FROM 'p.csv'", &["lower(text)"]),
    ("SELECT iff(LogonType = 1, 2, 3) FROM 'p.csv'", &["CASE WHEN"]),
    ("SELECT cmdline_tokens() FROM 'p.csv'", &["argument 1 (s) is missing", "cmdline_tokens(s [, class])"]),
    ("SELECT cmdline_tokens(1) FROM 'p.csv'", &["expected a string", "CAST(... AS VARCHAR)"]),
    ("SELECT max(Account, 2) FROM 'p.csv'", &["max takes no arguments of the types (VARCHAR, Int64)"]),
    ("SELECT * FROM read_csv('p.csv')", &["a file is a table by its name", "FROM 'logs/file.csv'"]),
    ("SELECT * FROM read_parquet('p.parquet')", &["a file is a table by its name"]),
    // Options of dbcluster.
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], esp => 1)",
        &["no option 'esp'", "did you mean 'eps'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], max_cluster_distance => 1)",
        &["did you mean 'eps'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps => 1, minpts => 2)",
        &["did you mean 'min_samples'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps => 1, min_pts => 2)",
        &["did you mean 'min_samples'"],
    ),
    ("SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)])", &["eps is missing", "eps => 0.0001"]),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps => '0.1')",
        &["write it without quotes: 0.1"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps = 1)",
        &["options are given with =>"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps: 1)",
        &["options are given with =>"],
    ),
    ("SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps => 0)", &["greater than 0, got 0"]),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine)], eps => -1)",
        &["greater than 0, got -1"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [CommandLine], eps => 1)",
        &["expected a number", "cmdline_tokens(CommandLine)"],
    ),
    ("SELECT * FROM dbcluster('p.csv', [TimeGenerated], eps => 1)", &["date_part('hour', TimeGenerated)"]),
    ("SELECT * FROM dbcluster('p.csv', [count(*)], eps => 1)", &["aggregate in a subquery first"]),
    (
        "SELECT * FROM dbcluster('p.csv', [cmdline_tokens(CommandLine) AS t], eps => 1)",
        &["{name: f(column)}"],
    ),
    (
        "SELECT * FROM dbcluster(SELECT * FROM 'p.csv', [LogonType], eps => 1)",
        &["brackets of its own: dbcluster((SELECT ...), ...)"],
    ),
    (
        "SELECT * FROM dbcluster(table => 'p.csv', features => [LogonType], eps => 1)",
        &["table and features come first and without names"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, weights => [1, 2])",
        &["one number per feature, of which there are 1"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, scaling => 'zsocre')",
        &["did you mean 'zscore'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, exemplar => 'frist')",
        &["did you mean 'first'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, metric => 'cosine')",
        &["expected one of 'euclidean'"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, order_by => [TimeGenerated DESC])",
        &["order_by has no DESC"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [LogonType], eps => 1, PARTITION BY Computer)",
        &["partition_by => host"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', LogonType, path_score(NewProcessName), 0.0001)",
        &["several features stand in brackets, as in [a, b]"],
    ),
    (
        "SELECT * FROM dbcluster('p.csv', [], eps => 1)",
        &["no features were given", "[cmdline_tokens(CommandLine)]"],
    ),
    ("SELECT * FROM dbcluster()", &["dbcluster(events, [f1, f2], eps => 0.0001)"]),
    ("SELECT cluster_size FROM dbcluster_members('p.csv', [LogonType], eps => 1)", &["dbcluster has it"]),
    (
        "SELECT point_type FROM dbcluster('p.csv', [LogonType], eps => 1, scaling => 'none')",
        &["dbcluster_members has it"],
    ),
    (
        "SELECT cluster FROM dbcluster('p.csv', [LogonType], eps => 1, scaling => 'none')",
        &["did you mean 'clustered' or 'cluster_id'"],
    ),
    // Columns.
    ("SELECT CommandLne FROM 'p.csv'", &["no column 'CommandLne'", "did you mean 'CommandLine'"]),
    ("SELECT commandline FROM 'p.csv'", &["did you mean 'CommandLine'"]),
    ("SELECT xyzzy FROM 'p.csv'", &["no column 'xyzzy'; the columns are TenantId, Account"]),
    ("SELECT p.CommandLine FROM 'p.csv' q", &["no table p", "q.CommandLine"]),
    ("SELECT * FROM 'p.csv' WHERE Account = \"SYSTEM\"", &["text stands in single quotes, 'SYSTEM'"]),
    ("SELECT * FROM 'p.csv' WHERE CommandLine LIKE \"%cmd%\"", &["text stands in single quotes, '%cmd%'"]),
    ("SELECT * FROM 'p.csv' WHERE Account = SYSTEM", &["text stands in quotes: 'SYSTEM'"]),
    ("SELECT * FROM 'p.csv' WHERE CommandLine = cmd.exe", &["text stands in quotes: 'cmd.exe'"]),
    ("SELECT date_trunc(day, TimeGenerated) FROM 'p.csv'", &["date_trunc('day', t)"]),
    ("SELECT count(*) AS n FROM 'p.csv' WHERE n > 1", &["no column 'n' in WHERE", "HAVING"]),
    ("SELECT Account, count(*) FROM 'p.csv'", &["needs GROUP BY Account"]),
    ("SELECT Account FROM 'p.csv' WHERE count(*) > 1", &["HAVING count(*) > 1"]),
    ("SELECT * FROM 'p.csv' HAVING Account = 'x'", &["WHERE chooses rows, and HAVING groups"]),
    ("SELECT Account FROM 'p.csv' a JOIN 'p.csv' b ON a.Account = b.Account", &["say which, as in a.name"]),
    ("SELECT ev.user.name FROM 'p.csv'", &["written \"user\""]),
    // Files and tables.
    ("SELECT * FROM 'events_on_hots.csv'", &["did you mean 'events_on_host.csv'"]),
    ("SELECT * FROM events_on_host", &["there is a file: FROM 'events_on_host.csv'"]),
    ("SELECT * FROM events_on_host.csv", &["FROM 'events_on_host.csv'"]),
    ("SELECT * FROM logs/p.csv", &["FROM 'logs/p.csv'"]),
    ("SELECT * FROM /logs/p.csv", &["FROM '/logs/p.csv'"]),
    ("SELECT * FROM p.csv", &["FROM 'p.csv'"]),
    ("SELECT * FROM 'nowhere/*.csv'", &["there is no folder 'nowhere'"]),
    ("SELECT * FROM $file", &["no variable $file", "\\set file VALUE", "--set file=VALUE"]),
    ("SELECT $x", &["\\set name VALUE"]),
    ("COPY (SELECT 1 AS a) TO x.csv", &["TO 'x.csv'"]),
    ("COPY (SELECT 1 AS a) TO 'x.txt'", &["COPY knows the endings .csv"]),
    ("COPY (SELECT 1 AS a) TO 'x.html' STORED AS BARS", &["there is no format BARS", "did you mean 'BAR'"]),
    (
        "COPY (SELECT CommandLine FROM 'p.csv') TO 'x.html' STORED AS SCATTER",
        &["SCATTER needs the option 'x'"],
    ),
    (
        "COPY (SELECT CommandLine FROM 'p.csv') TO 'x.html' STORED AS BAR OPTIONS (xx 'CommandLine')",
        &["BAR has no option 'xx'"],
    ),
    ("UPDATE 'p.csv' SET Account = 1", &["files are not changed"]),
    ("DELETE FROM 'p.csv'", &["files are not changed"]),
    ("INSERT INTO nowhere VALUES (1)", &["there is no table 'nowhere'"]),
    // Words of SQL.
    ("SELECT * FROM 'p.csv' LIMT 5", &["did you mean LIMIT for LIMT?"]),
    ("SELECT * FORM 'p.csv'", &["did you mean FROM for FORM?"]),
    ("SELCT * FROM 'p.csv'", &["did you mean SELECT for SELCT?"]),
    ("SELECT * FROM 'p.csv' WHER 1 = 1", &["did you mean WHERE for WHER?"]),
    ("SELECT * FROM 'p.csv' WHERE Account IN 'SYSTEM'", &["IN ('SYSTEM')"]),
    ("SELECT * FROM 'p.csv WHERE Account = 1", &["a text ends with '"]),
    ("SELECT * FROM 'p.csv' WHERE (Account = 1", &["a bracket ( is not closed"]),
    ("SELECT 1 +", &["ends behind +"]),
    ("SELECT * FROM", &["ends behind FROM"]),
    ("SELECT * FROM 'p.csv' USING SAMPLE 10", &["random() < 0.1"]),
    ("SELECT * FROM 'p.csv' TABLESAMPLE 10", &["random() < 0.1"]),
    ("SELECT COLUMNS('Acc.*') FROM 'p.csv'", &["no function 'columns'", "\\d 'file.csv'"]),
    ("PIVOT 'p.csv' ON Account", &["count(*) FILTER"]),
    ("USE logs", &["files are tables"]),
    ("ATTACH 'x.db'", &["files are tables"]),
    ("PRAGMA table_info('p.csv')", &["DESCRIBE 'file.csv'"]),
    ("'p.csv'", &["FROM 'p.csv' shows a table"]),
    ("SELECT 'a' + 'b'", &["'a' || 'b'"]),
    ("SELECT CAST(CommandLine AS INT) FROM 'p.csv'", &["TRY_CAST"]),
    ("SELECT CommandLine + 1 FROM 'p.csv'", &["TRY_CAST"]),
    ("SELECT sum(CommandLine) FROM 'p.csv'", &["sum(TRY_CAST(x AS DOUBLE))"]),
    // Kusto and Splunk.
    ("SELECT * FROM 'p.csv' WHERE CommandLine contains 'cmd'", &["CommandLine ILIKE '%cmd%'"]),
    ("SELECT * FROM 'p.csv' WHERE CommandLine has 'cmd'", &["CommandLine ILIKE '%cmd%'"]),
    ("SELECT * FROM 'p.csv' WHERE CommandLine startswith 'cmd'", &["CommandLine ILIKE 'cmd%'"]),
    ("SELECT * FROM 'p.csv' WHERE CommandLine endswith 'exe'", &["CommandLine ILIKE '%exe'"]),
    ("SELECT * FROM 'p.csv' WHERE Account =~ 'system'", &["a ILIKE 'text'"]),
    (
        "SELECT * FROM 'p.csv' | where Account == 'x'",
        &["SQL has clauses in place of pipes", "WHERE Account = 'x'"],
    ),
    ("events | where Account == 'x'", &["SQL has clauses in place of pipes"]),
    ("stats count by Account", &["GROUP BY Account"]),
    ("search Account=x", &["ILIKE '%text%'"]),
    // Times.
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > '2019-01-15 05:15'", &["write '2019-01-15 05:15:00'"]),
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > '2019-01-15 5:15:00'", &["write '2019-01-15 05:15:00'"]),
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > 'yesterday'", &["write '2026-01-15 05:15:00'"]),
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > ago(1d)", &["INTERVAL '1 days'"]),
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > now() - 7d", &["INTERVAL '7 days'"]),
    ("SELECT * FROM 'p.csv' WHERE TimeGenerated > now() - 7", &["now() - INTERVAL '7 days'"]),
    // Settings and commands.
    ("SET dbcluster.enable_dbscan_exce = false", &["did you mean 'enable_dbscan_exec'"]),
    ("SET datafusion.execution.batchsize = 10", &["did you mean 'datafusion.execution.batch_size'"]),
    ("SET maxrows = 10", &["\\pset maxrows VALUE"]),
    ("\\plot BARS x.html SELECT 1", &["no figure 'BARS'", "BAR, BOX, SCATTER"]),
    ("\\plot BAR x.html", &["\\plot BAR sizes.html x=process y=cluster_size SELECT ..."]),
    ("\\h cmdline_token", &["cmdline_tokens"]),
    ("\\d evnts_on_host.csv", &["FROM 'evnts_on_host.csv'"]),
    ("\\quite on", &["did you mean '\\quiet'"]),
    ("\\nonsense", &["\\? lists the commands"]),
    ("\\timing", &["each result says its time"]),
    ("\\l", &["\\d lists the tables"]),
    ("\\pset format vertical", &["\\x shows a value per line"]),
    ("\\pset format markdwn", &["did you mean 'markdown'"]),
    ("\\pset maxrow 10", &["did you mean 'maxrows'"]),
    ("\\pset maxrows many", &["a number of rows, or inf"]),
    ("\\x sideways", &["expected on, off or auto"]),
    ("\\timezone Berlin", &["Europe/Berlin"]),
    (".tables", &["\\d lists the tables"]),
    (".mode csv", &["\\pset format"]),
];

/// Command lines, and parts of their messages.
const COMMAND_LINES: &[(&[&str], &[&str])] = &[
    (&["p.csv"], &["dbcluster -c \"SELECT * FROM 'p.csv' LIMIT 10\""]),
    (&["SELECT 1"], &["a query stands behind -c"]),
    (&["--fromat", "csv"], &["--format"]),
    (&["--format", "xml"], &["possible values: table, box, markdown, csv"]),
    (&["report", "--out", "x.html"], &["--table"]),
    (&["reprot", "--table", "p.csv"], &["report"]),
    (&["-c", "SELECT 1", "hunt", "p.csv"], &["-c and -f cannot be used with a subcommand"]),
    (&["--output", "x.csv", "demo"], &["are for statements, and not for a subcommand"]),
];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = "TenantId,Account,TimeGenerated,Computer,LogonType,NewProcessName,CommandLine\n\
                52b1,NT AUTHORITY\\SYSTEM,2019-01-15 05:15:06,h1,5,C:\\Windows\\System32\\cmd.exe,cmd.exe /c whoami\n\
                52b1,DOMAIN\\user,2019-01-15 05:16:00,h1,3,C:\\Windows\\System32\\reg.exe,reg.exe query HKLM\n";
    for name in ["p.csv", "events_on_host.csv"] {
        fs::write(folder.path().join(name), rows).expect("a file");
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(args).output().expect("the binary starts")
}

#[test]
fn mistakes_are_answered_with_what_to_write() {
    assert!(STATEMENTS.len() >= 99, "{}", STATEMENTS.len());
    let folder = folder();
    let mut wrong = vec![];
    for (statement, parts) in STATEMENTS {
        let output = run(folder.path(), &["--quiet", "-c", statement]);
        let message = stderr(&output);
        let missing: Vec<&&str> = parts.iter().filter(|part| !message.contains(**part)).collect();
        // A message is a line or two: no list of a kilobyte, no structure of the engine's.
        let is_long = message.len() > 600 || message.contains("Span(") || message.contains("Ident {");
        if output.status.code() != Some(1) || !missing.is_empty() || is_long {
            wrong.push(format!("{statement}\n  {message}  lacks {missing:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), STATEMENTS.len(), wrong.join("\n"));
}

#[test]
fn command_lines_are_answered_with_what_to_write() {
    let folder = folder();
    for (args, parts) in COMMAND_LINES {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        for part in *parts {
            assert!(stderr(&output).contains(part), "{args:?} lacks {part}\n{}", stderr(&output));
        }
    }
}

/// The advice works when it is followed to the letter.
#[test]
fn what_messages_say_to_write_runs() {
    let folder = folder();
    for statement in [
        "SELECT * FROM 'p.csv' WHERE CommandLine ILIKE '%cmd%'",
        "SELECT * FROM 'p.csv' WHERE CommandLine NOT ILIKE 'cmd%'",
        "SELECT * FROM 'p.csv' WHERE TimeGenerated > '2019-01-15 05:15:00'",
        "SELECT * FROM 'p.csv' WHERE TimeGenerated > now() - INTERVAL '7 days'",
        "SELECT date_trunc('day', TimeGenerated) FROM 'p.csv'",
        "SELECT date_bin(INTERVAL '1 hour', TimeGenerated) FROM 'p.csv'",
        "SELECT Account, count(*) FROM 'p.csv' GROUP BY Account HAVING count(*) > 1",
        "SELECT count(*) FILTER (WHERE LogonType = 3) FROM 'p.csv'",
        "SELECT length(CommandLine), to_char(TimeGenerated, '%Y-%m-%d %H:%M'), string_to_array(Account, ',') FROM 'p.csv'",
        "SELECT array_agg(DISTINCT Account), string_agg(Account, ', '), first_value(Account ORDER BY TimeGenerated DESC) FROM 'p.csv'",
        "SELECT approx_percentile_cont(LogonType, 0.95), approx_distinct(Account) FROM 'p.csv'",
        "SELECT regexp_match(CommandLine, 'c.d')[1], regexp_like(CommandLine, 'c.d'), strpos(CommandLine, 'c') FROM 'p.csv'",
        "SELECT date_part('epoch', TimeGenerated) - 1, to_timestamp_seconds(1), floor(LogonType / 10) * 10 FROM 'p.csv'",
        "SELECT to_timestamp('15.01.2019 05:15', '%d.%m.%Y %H:%M'), to_timestamp('2019-01-15 05:15:00', '%Y-%m-%d %H:%M:%S')",
        "SELECT * FROM (SELECT *, dbscan(1, 2, LogonType) OVER () AS cluster FROM 'p.csv') WHERE cluster >= 0",
        "SELECT *, count(*) OVER (PARTITION BY cluster_id) FROM dbcluster_members('p.csv', [LogonType], eps => 1)",
        "SELECT * FROM 'p.csv' WHERE random() < 0.1",
        "SET datafusion.format.null = 'text'",
        "CREATE OR REPLACE VIEW v AS SELECT 1 AS a",
        "\\x on",
        "\\pset width 100",
        "\\timezone Europe/Berlin",
    ] {
        let output = run(folder.path(), &["--quiet", "-c", statement]);
        assert!(output.status.success(), "{statement}: {}", stderr(&output));
    }
}
