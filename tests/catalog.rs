//! `--catalog` and `\\catalog`: views and external tables that outlive a session.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::thread;

use crate::binary::{dbcluster, stderr, stdout};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    dbcluster().current_dir(folder).args(arguments).output().expect("the binary starts")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

fn csv(folder: &Path, catalog: &str, sql: &str) -> String {
    text(&run(folder, &["--quiet", "--format", "csv", "--catalog", catalog, "-c", sql]))
}

/// A folder with a file of three events.
fn case() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events.csv"), "host,n\na,1\nb,2\nb,3\n").expect("it writes");
    folder
}

#[test]
fn views_outlive_the_session() {
    let folder = case();
    let path = folder.path();
    csv(
        path,
        "case.sql",
        "CREATE VIEW odd AS SELECT * FROM 'events.csv' WHERE n > 1; CREATE VIEW one AS SELECT * FROM odd LIMIT 1",
    );
    let table =
        "CREATE EXTERNAL TABLE raw STORED AS CSV LOCATION 'events.csv' OPTIONS ('format.has_header' 'true')";
    csv(path, "case.sql", table);
    assert_eq!(csv(path, "case.sql", "SELECT count(*) AS n FROM odd"), "n\n2\n");
    assert_eq!(csv(path, "case.sql", "SELECT sum(n) AS n FROM raw"), "n\n6\n");
    // A view that is replaced keeps its place.
    csv(path, "case.sql", "CREATE OR REPLACE VIEW odd AS SELECT * FROM 'events.csv' WHERE n > 2");
    let kept = fs::read_to_string(path.join("case.sql")).expect("a file");
    let places = ["VIEW odd", "VIEW one", "TABLE raw"].map(|name| kept.find(name).expect("a statement"));
    assert!(places.is_sorted() && kept.matches("VIEW odd").count() == 1, "{kept}");
    assert_eq!(csv(path, "case.sql", "SELECT n FROM one"), "n\n3\n");
    csv(path, "case.sql", "DROP VIEW one");
    let gone = run(path, &["--catalog", "case.sql", "-c", "SELECT * FROM one"]);
    assert!(!gone.status.success(), "{}", stdout(&gone));
    // A report finds it as well, and data are not kept.
    text(&run(
        path,
        &[
            "report",
            "--quiet",
            "--catalog",
            "case.sql",
            "--table",
            "raw",
            "--out",
            "r.html",
            "--label",
            "host",
        ],
    ));
    csv(path, "case.sql", "CREATE TABLE t AS SELECT 1");
    assert!(!fs::read_to_string(path.join("case.sql")).expect("a file").contains("TABLE t "));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path.join("case.sql")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn a_broken_statement_stays_and_is_told() {
    let folder = case();
    let path = folder.path();
    let before =
        "-- of the case\nCREATE VIEW gone AS SELECT * FROM 'gone.csv';\nCREATE VIEW two AS SELECT 2 AS n;\n";
    fs::write(path.join("case.sql"), before).expect("it writes");
    let output =
        run(path, &["--quiet", "--format", "csv", "--catalog", "case.sql", "-c", "SELECT n FROM two"]);
    assert_eq!(text(&output), "n\n2\n");
    let told = stderr(&output);
    assert!(
        told.contains("case.sql:2: ") && told.contains("gone.csv") && told.contains("stays in the file"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(path.join("case.sql")).expect("a file"), before);
    // A failed statement changes nothing.
    let failed = run(path, &["--catalog", "case.sql", "-c", "CREATE VIEW three AS SELECT * FROM nowhere"]);
    assert!(!failed.status.success());
    assert_eq!(fs::read_to_string(path.join("case.sql")).expect("a file"), before);
    let refused = "views and external tables; \\i FILE";
    for (broken, is_run, word) in [
        ("\\d\n", false, refused),
        ("CREATE VIEW two AS SELECT 2 AS n;\nSELECT 1;\n", false, refused),
        ("CREATE VIEW two AS SELECT 2 AS n;\nCREATE VIEW a AS SELECT 'a\n", true, "case.sql:2: "),
    ] {
        fs::write(path.join("case.sql"), broken).expect("it writes");
        let output =
            run(path, &["--quiet", "--format", "csv", "--catalog", "case.sql", "-c", "SELECT 1 AS n"]);
        assert!(output.status.success() == is_run && stderr(&output).contains(word), "{}", stderr(&output));
        assert_eq!(stdout(&output), if is_run { "n\n1\n" } else { "" });
        let changed = run(path, &["--catalog", "case.sql", "-c", "CREATE VIEW more AS SELECT 1"]);
        assert!(!changed.status.success(), "{broken}");
        assert_eq!(fs::read_to_string(path.join("case.sql")).expect("a file"), broken);
    }
    let nowhere = run(path, &["--catalog", "no/case.sql", "-c", "SELECT 1"]);
    assert!(
        !nowhere.status.success() && stderr(&nowhere).contains("there is no folder"),
        "{}",
        stderr(&nowhere)
    );
}

#[test]
fn the_command_opens_and_leaves_a_catalog() {
    let folder = case();
    let path = folder.path();
    let script = "\\catalog case.sql\nCREATE VIEW v AS SELECT 1 AS n;\n\\catalog\n\\catalog off\nCREATE VIEW w AS SELECT 2 AS n;\n\\catalog\n";
    fs::write(path.join("make.sql"), script).expect("it writes");
    let said = text(&run(path, &["--quiet", "-f", "make.sql"]));
    assert!(
        said.contains("are kept in ") && said.contains("case.sql") && said.contains("end with the session"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(path.join("case.sql")).expect("a file"),
        "CREATE VIEW v AS SELECT 1 AS n;\n"
    );
    // Opened twice, its views are made anew.
    let again = "\\catalog case.sql\n\\catalog case.sql\nSELECT n FROM v;\n";
    fs::write(path.join("again.sql"), again).expect("it writes");
    let again = run(path, &["--quiet", "--format", "csv", "-f", "again.sql"]);
    assert_eq!((text(&again).as_str(), stderr(&again).as_str()), ("n\n1\n", ""));
    // Statements of a start file run in each session, and are not kept.
    fs::write(path.join("start.sql"), "CREATE VIEW s AS SELECT 3 AS n;").expect("it writes");
    let rows = run(
        path,
        &[
            "--quiet",
            "--format",
            "csv",
            "--catalog",
            "case.sql",
            "--init",
            "start.sql",
            "-c",
            "SELECT s.n + v.n AS n FROM s, v",
        ],
    );
    assert_eq!(text(&rows), "n\n4\n");
    assert!(!fs::read_to_string(path.join("case.sql")).expect("a file").contains("VIEW s"));
}

/// Sessions that keep views in the same file at the same time lose none.
#[test]
fn sessions_share_a_catalog() {
    let folder = case();
    thread::scope(|scope| {
        for session in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                let views: Vec<String> = (0..5)
                    .map(|view| format!("CREATE VIEW v_{session}_{view} AS SELECT {view} AS n"))
                    .collect();
                csv(path, "case.sql", &views.join("; "));
            });
        }
    });
    let all: Vec<String> = (0..4)
        .flat_map(|session| (0..5).map(move |view| format!("SELECT n FROM v_{session}_{view}")))
        .collect();
    let sum = format!("SELECT sum(n) AS n FROM ({})", all.join(" UNION ALL "));
    assert_eq!(csv(folder.path(), "case.sql", &sum), "n\n40\n");
}
