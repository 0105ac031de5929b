//! Archives: what `dbcluster import` makes and extends, also if it is killed, and what `dbcluster verify` finds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::binary::{dbcluster, stderr, stdout};

/// A folder in which commands run.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn run(&self, args: &[&str]) -> Output {
        dbcluster().current_dir(self.0.path()).args(args).output().expect("it runs")
    }

    /// Runs what has to succeed, and gives what it says.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// Runs what has to fail, and gives the message.
    fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stdout(&output));
        stderr(&output)
    }

    /// The rows of a query, without the header.
    fn rows(&self, query: &str) -> Vec<String> {
        let csv = self.ok(&["-q", "--format", "csv", "-c", query]);
        csv.lines().skip(1).map(ToString::to_string).collect()
    }
}

/// The names of the files below a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).expect("a folder").flatten() {
            if entry.file_type().expect("a kind").is_dir() {
                folders.push(entry.path());
            } else {
                names.push(entry.path().strip_prefix(folder).expect("below it").display().to_string());
            }
        }
    }
    names.sort();
    names
}

const ONE: &str =
    "time,host,port\n2026-01-15 05:00:00,a,1\n2026-01-16 05:00:00,b,2\n2026-01-15 04:00:00,c,3\n,d,4\n";
const TWO: &str = "time,port,user\n2026-01-15 06:00:00,5,ana\n2026-01-17 00:00:00,6,bob\n";

/// Days are folders, in each the rows come by time, and what has no time is not lost.
#[test]
fn an_archive_grows_and_holds_each_source_once() {
    let place = Place::new(&[("logs/one.csv", ONE)]);
    let told = place.ok(&["import", "logs/", "--out", "archive"]);
    assert!(told.contains("4 rows of 1 file were added. archive has 4 rows in 3 files."), "{told}");
    assert!(told.contains("event_day=2026-01-15/import-000001.parquet"), "{told}");
    assert_eq!(
        names(&place.at("archive")),
        [
            "_manifest",
            "event_day=2026-01-15/import-000001.parquet",
            "event_day=2026-01-16/import-000001.parquet",
            "event_day=__HIVE_DEFAULT_PARTITION__/import-000001.parquet",
        ]
    );
    assert_eq!(
        place.rows("SELECT host, port, event_day FROM 'archive' ORDER BY port"),
        ["a,1,2026-01-15", "b,2,2026-01-16", "c,3,2026-01-15", "d,4,"]
    );
    assert_eq!(
        place.rows("SELECT host FROM 'archive/event_day=2026-01-15/import-000001.parquet'"),
        ["c", "a"]
    );

    // The list is no log, and nobody has to be told so.
    assert_eq!(stderr(&place.run(&["-c", "SELECT * FROM 'archive'"])), "");

    // The same content is known under any name, also twice in one import.
    place.write("logs/copy.csv", ONE);
    let told = place.ok(&["import", "logs/", "--out", "archive"]);
    assert!(told.contains("Nothing is new: 2 files imported before."), "{told}");
    place.write("logs/two.csv", TWO);
    place.write("logs/again.csv", TWO);
    let told = place.ok(&["import", "logs/*.csv", "--out", "archive"]);
    assert!(
        told.contains("2 rows of 1 file were added; 3 files imported before. archive has 6 rows in 5 files."),
        "{told}"
    );
    assert_eq!(
        place.rows("SELECT port, host, \"user\" FROM 'archive' WHERE event_day IN ('2026-01-15', '2026-01-17') ORDER BY port"),
        ["1,a,", "3,c,", "5,,ana", "6,,bob"]
    );
    let told = place.ok(&["verify", "archive"]);
    assert_eq!(told, "archive is whole: 6 rows in 5 files, of 2 sources.\n");
    assert_eq!(names(place.0.path()).iter().filter(|name| name.contains("unfinished")).count(), 0);
}

/// A type that widens is told, and holds in all files.
#[test]
fn a_column_has_one_type_in_all_files() {
    let place = Place::new(&[]);
    let days = ["1", "2", "3", "x", "5", "6.5", "7"];
    for (day, port) in (1..).zip(days) {
        place.write(&format!("{day}.csv"), &format!("time,port\n2026-01-{day:02} 00:00:00,{port}\n"));
        let output = place.run(&["import", &format!("{day}.csv"), "--out", "archive"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let is_told = stderr(&output).contains(
            "column 'port' was Int64 and is Utf8View with the new files, so the whole archive is written anew",
        );
        assert_eq!(is_told, day == 4, "{day}: {}", stderr(&output));
        place.ok(&["verify", "archive"]);
    }
    assert_eq!(place.rows("SELECT DISTINCT arrow_typeof(port) FROM 'archive'"), ["Utf8View"]);
    assert_eq!(place.rows("SELECT port FROM 'archive' ORDER BY time"), days);
    for name in names(&place.at("archive")).iter().filter(|name| name.ends_with("parquet")) {
        assert_eq!(
            place.rows(&format!("SELECT arrow_typeof(port) FROM 'archive/{name}'")),
            ["Utf8View"],
            "{name}"
        );
    }
}

/// Events of three collectors are one table, which clusters.
#[test]
fn collectors_become_one_table() {
    let place = Place::new(&[
        (
            "sysmon.csv",
            "EventID,UtcTime,Computer,User,Image,CommandLine,ParentImage\n1,2026-01-15 05:00:00,h1,CORP\\ana,C:\\a.exe,a 1,C:\\p.exe\n3,2026-01-15 05:00:01,h1,CORP\\ana,C:\\a.exe,,\n",
        ),
        (
            "security.ndjson",
            "{\"EventID\":4688,\"TimeCreated\":\"2026-01-15T05:00:02Z\",\"Computer\":\"h2\",\"SubjectUserName\":\"bob\",\"SubjectDomainName\":\"CORP\",\"NewProcessName\":\"C:\\\\a.exe\",\"CommandLine\":\"a 2\",\"ParentProcessName\":\"C:\\\\p.exe\"}\n",
        ),
        (
            "elastic.ndjson",
            "{\"@timestamp\":\"2026-01-16T05:00:00Z\",\"host\":{\"name\":\"h3\"},\"user\":{\"name\":\"eve\"},\"process\":{\"executable\":\"/bin/a\",\"command_line\":\"a 3\",\"parent\":{\"executable\":\"/bin/p\"}}}\n",
        ),
    ]);
    for source in ["sysmon.csv", "security.ndjson", "elastic.ndjson"] {
        place.ok(&["import", "--shape", "process", source, "--out", "processes"]);
    }
    assert_eq!(
        place.rows("SELECT \"Computer\", \"Account\", \"CommandLine\", \"ParentProcessName\", event_day FROM 'processes' ORDER BY \"TimeGenerated\""),
        [
            r"h1,CORP\ana,a 1,C:\p.exe,2026-01-15",
            r"h2,CORP\bob,a 2,C:\p.exe,2026-01-15",
            "h3,eve,a 3,/bin/p,2026-01-16",
        ]
    );
    assert_eq!(
        place.rows(
            "SELECT cluster_size FROM dbcluster('processes', [cmdline_tokens(CommandLine)], eps => 0.5)"
        ),
        ["3"]
    );
    assert!(place.ok(&["hunt", "processes"]).contains("3 events are 2 kinds of events."));
    place.ok(&["report", "--table", "processes", "--out", "page.html"]);
    let other = place.fails(&["import", "sysmon.csv", "--out", "processes"]);
    assert!(
        other
            .contains("--out processes was made with --shape process, so it takes no events with no --shape"),
        "{other}"
    );
    place.ok(&["import", "--shape", "process", "sysmon.csv", "--out", "one.parquet"]);
    assert_eq!(place.rows("SELECT count(*) FROM 'one.parquet'"), ["1"]);
}

#[test]
fn what_would_spoil_an_archive_is_refused() {
    let place =
        Place::new(&[("one.csv", ONE), ("other/file.txt", "mine"), ("day.csv", "event_day,x\n1,2\n")]);
    place.ok(&["import", "one.csv", "--out", "archive"]);
    let before = names(&place.at("archive"));
    // A log that has grown.
    place.write("one.csv", &format!("{ONE}2026-01-18 00:00:00,e,5\n"));
    let grown = place.fails(&["import", "one.csv", "--out", "archive"]);
    assert!(
        grown.contains("one.csv has changed since it was imported")
            && grown.contains("say --again to import all of it"),
        "{grown}"
    );
    for (args, told) in [
        (
            &["import", "one.csv", "--out", "other"][..],
            "--out other is a folder with files that no import has made",
        ),
        (&["import", "one.csv", "--out", "x.csv"], "an import writes Parquet"),
        (&["import", "day.csv", "--out", "archive"], "the new files have a column event_day"),
        (&["import", "none.csv", "--out", "archive"], "there is no file"),
        (&["import", "one.csv", "--again", "--out", "x.parquet"], "--again is for archives"),
        (&["import", "one.csv", "--out", "s3://logs/archive"], "an archive is a folder of this machine"),
        (&["verify", "other"], "other has no file _manifest, so it is no archive"),
        (&["verify", "none"], "none has no file _manifest"),
    ] {
        let message = place.fails(args);
        assert!(message.contains(told), "{args:?}: {message}");
    }
    assert_eq!(names(&place.at("archive")), before);
    place.ok(&["verify", "archive"]);
    place.ok(&["import", "one.csv", "--again", "--out", "archive"]);
    assert_eq!(place.rows("SELECT count(*) FROM 'archive'"), ["9"]);
    assert_eq!(names(&place.at("other")), ["file.txt"]);
}

/// An import neither deletes strange files in an archive nor takes them for rows, and it does not forget missing ones.
#[test]
fn files_of_others_and_missing_ones_stop_an_import() {
    let place = Place::new(&[("one.csv", ONE), ("two.csv", TWO), ("text.csv", "time,port\n2026-02-01,x\n")]);
    place.ok(&["import", "one.csv", "--out", "archive"]);
    place.write("archive/incoming/two.csv", TWO);
    let told = place.fails(&["import", "two.csv", "--out", "archive"]);
    assert!(
        told.contains("--out archive is not as the last import left it: incoming/two.csv is not in its list"),
        "{told}"
    );
    assert!(place.at("archive/incoming/two.csv").exists());
    std::fs::remove_dir_all(place.at("archive/incoming")).expect("a folder");
    let file = place.at("archive/event_day=2026-01-15/import-000001.parquet");
    let bytes = std::fs::read(&file).expect("a file");
    std::fs::remove_file(&file).expect("a file");
    let told = place.fails(&["import", "two.csv", "--out", "archive"]);
    assert!(told.contains("event_day=2026-01-15/import-000001.parquet is missing"), "{told}");
    let mut flipped = bytes.clone();
    flipped[10] ^= 1;
    std::fs::write(&file, flipped).expect("a file");
    let told = place.fails(&["import", "text.csv", "--out", "archive"]);
    assert!(told.contains("is damaged, and its rows would be written anew"), "{told}");
    std::fs::write(&file, bytes).expect("a file");
    place.ok(&["import", "text.csv", "two.csv", "--out", "archive"]);
    place.ok(&["verify", "archive"]);
}

/// Names that are patterns, the archive among its own sources, rights, and the copy of an archive.
#[test]
fn an_archive_is_where_it_is_asked_for() {
    let place = Place::new(&[("case [1]/one.csv", ONE), ("case [1]/two.csv", TWO)]);
    place.ok(&["import", "case [1]/one.csv", "--out", "case [1]/ar*"]);
    place.ok(&["import", "case [1]/", "--out", "case [1]/ar*"]);
    assert_eq!(place.rows("SELECT count(*) FROM 'case [1]/ar*'"), ["6"]);
    let told = place.ok(&["import", "case [1]/", "--out", "case [1]/ar*"]);
    assert!(told.contains("Nothing is new: 2 files imported before."), "{told}");
    let told = place.ok(&["import", "case [1]/ar*", "--out", "case [1]/ar*"]);
    assert!(told.contains("Nothing is new: every file is within the archive itself."), "{told}");
    place.ok(&["verify", "case [1]/ar*"]);
    let told = place.ok(&["import", "case [1]/ar*", "--out", "copy"]);
    assert!(told.contains("6 rows of 5 files were added. copy has 6 rows in 4 files."), "{told}");
    let twin = "SELECT event_day, port FROM 'copy' ORDER BY port";
    assert_eq!(place.rows(twin), place.rows(&twin.replace("copy", "case [1]/ar*")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &str| std::fs::metadata(place.at(path)).expect("a folder").permissions().mode() & 0o777;
        std::fs::set_permissions(place.at("copy"), PermissionsExt::from_mode(0o700)).expect("its owner");
        place.write("three.csv", "time,port\n2026-01-15,9\n");
        place.ok(&["import", "three.csv", "--out", "copy"]);
        assert_eq!(mode("copy"), 0o700);
    }
    let told = place.fails(&["import", "case [1]/one.csv", "--out", "three.csv/archive"]);
    assert!(told.contains("--out three.csv/archive"), "{told}");
    assert!(
        place.fails(&["import", "three.csv", "--out", "copy", "--force"]).contains("--force is for a file")
    );
}

/// The days are those of UTC, of the first time that a row has, in any unit and zone.
#[test]
fn days_are_those_of_utc() {
    let place = Place::new(&[]);
    for (name, query) in [
        (
            "a",
            "SELECT 1 AS n, arrow_cast(TIMESTAMP '2026-01-14T23:30:00', 'Timestamp(Microsecond, Some(\"Europe/Berlin\"))') AS time",
        ),
        ("b", "SELECT 2 AS n, arrow_cast(-1, 'Timestamp(Millisecond, None)') AS time"),
        (
            "c",
            "SELECT 3 AS n, arrow_cast(253402300799, 'Timestamp(Second, Some(\"+05:30\"))') AS \"TimeGenerated\"",
        ),
        ("d", "SELECT 4 AS n, DATE '2026-01-15' AS started"),
        ("e", "SELECT 5 AS n, TIMESTAMP '2026-01-16T00:00:00.123456789' AS time"),
        ("f", "SELECT 6 AS n"),
    ] {
        place.ok(&["-q", "-c", &format!("COPY ({query}) TO '{name}.parquet'")]);
    }
    let days = ["1,2026-01-14", "2,1969-12-31", "3,9999-12-31", "4,2026-01-15", "5,2026-01-16", "6,"];
    let shown = "SELECT n, event_day FROM 'NAME' ORDER BY n";
    for source in ["a", "b", "c", "d", "f"] {
        place.ok(&["import", &format!("{source}.parquet"), "--out", "each"]);
    }
    let told: Vec<String> =
        days.iter().filter(|day| !day.starts_with('5')).map(ToString::to_string).collect();
    assert_eq!(place.rows(&shown.replace("NAME", "each")), told);
    place.ok(&["import", "a.parquet", "b.parquet", "d.parquet", "e.parquet", "f.parquet", "--out", "all"]);
    let told: Vec<String> =
        days.iter().filter(|day| !day.starts_with('3')).map(ToString::to_string).collect();
    assert_eq!(place.rows(&shown.replace("NAME", "all")), told);
    assert_eq!(place.rows("SELECT time FROM 'all' WHERE n = 5"), ["2026-01-16T00:00:00.123456789Z"]);
}

/// A column without values takes the type that is there; one whose values would change is refused; folders' keys are columns.
#[test]
fn values_stay_what_they_are() {
    let place = Place::new(&[
        ("1.csv", "time,n,id\n2026-01-01,2,9007199254740993\n"),
        ("2.csv", "time,n,id\n2026-01-02,,\n"),
        ("3.csv", "time,n,id\n"),
        ("4.csv", "time,n,id\n2026-01-04,10,1.5\n"),
        ("5.csv", "time,n,id\nn/a,10,7\n2026-01-05,11,8\n"),
        ("h/host=a/x.csv", "time,k\n2026-01-06,1\n"),
        ("h/host=b/x.csv", "time,k\n2026-01-06,1\n"),
    ]);
    let told = place.fails(&["import", "3.csv", "--out", "archive"]);
    assert!(told.contains("1 file without rows: there is no archive to make of them"), "{told}");
    assert!(!place.at("archive").exists());
    for source in ["2.csv", "1.csv", "3.csv"] {
        place.ok(&["import", source, "--out", "archive"]);
    }
    assert_eq!(
        place.rows("SELECT n, id, arrow_typeof(id) FROM 'archive' ORDER BY time"),
        ["2,9007199254740993,Int64", ",,Int64"]
    );
    let told = place.fails(&["import", "4.csv", "--out", "archive"]);
    assert!(
        told.contains("column 'id' has integers in archive that DOUBLE can't hold")
            && told.contains("--types '\"id\" VARCHAR'"),
        "{told}"
    );
    for source in ["1.csv", "4.csv"] {
        place.ok(&["import", source, "--out", "exact", "--types", "\"id\" VARCHAR"]);
    }
    assert_eq!(place.rows("SELECT id FROM 'exact' ORDER BY time"), ["9007199254740993", "1.5"]);
    let told = place.fails(&["import", "5.csv", "--out", "archive"]);
    assert!(told.contains("column 'time' has times in archive, and other text in the new files"), "{told}");
    place.ok(&["import", "5.csv", "--out", "archive", "--types", "\"time\" TIMESTAMP"]);
    assert_eq!(
        place.rows("SELECT n, event_day FROM 'archive' WHERE n > 2 ORDER BY n"),
        ["10,", "11,2026-01-05"]
    );
    place.ok(&["import", "h", "--out", "keys"]);
    assert_eq!(place.rows("SELECT host, k FROM 'keys' ORDER BY host"), ["a,1", "b,1"]);
}

/// A log that has grown is known by its beginning, also under another name.
#[test]
fn a_rotated_log_is_not_imported_twice() {
    let mut log = "time,line\n".to_string();
    for n in 0..100 {
        let _ = writeln!(log, "2026-01-01 00:00:{:02},entry {n}", n % 60);
    }
    let place = Place::new(&[("app.csv", &log)]);
    place.ok(&["import", "app.csv", "--out", "archive"]);
    log.push_str("2026-01-02,last\n");
    place.write("app.csv.1", &log);
    let told = place.fails(&["import", "app.csv.1", "--out", "archive"]);
    assert!(
        told.contains("app.csv.1 begins with all of ") && told.contains("app.csv as it was imported"),
        "{told}"
    );
    assert_eq!(place.rows("SELECT count(*) FROM 'archive'"), ["100"]);
}

/// A reader sees all of an import or nothing of it.
#[test]
fn readers_see_whole_imports() {
    let place = Place::new(&[]);
    let days = |import: usize| {
        (1..=20).fold("time,n\n".to_string(), |days, day| days + &format!("2026-01-{day:02},{import}\n"))
    };
    for import in 0..12 {
        place.write(&format!("{import}.csv"), &days(import));
    }
    place.ok(&["import", "0.csv", "--out", "archive"]);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for import in 1..12 {
                place.ok(&["-q", "import", &format!("{import}.csv"), "--out", "archive"]);
            }
        });
        while !writer.is_finished() {
            let seen = place.rows("SELECT count(*) % 20, count(*) FROM 'archive'");
            assert!(seen[0].starts_with("0,"), "{seen:?}");
        }
    });
    assert_eq!(place.rows("SELECT count(*) FROM 'archive'"), ["240"]);
}

#[test]
fn verify_names_each_fault() {
    let place = Place::new(&[("one.csv", ONE), ("two.csv", TWO)]);
    place.ok(&["import", "one.csv", "two.csv", "--out", "archive"]);
    let file = place.at("archive/event_day=2026-01-15/import-000001.parquet");
    let bytes = std::fs::read(&file).expect("a file");
    let mut flipped = bytes.clone();
    flipped[10] ^= 1;
    std::fs::write(&file, &flipped).expect("a file");
    std::fs::remove_file(place.at("archive/event_day=2026-01-16/import-000001.parquet")).expect("a file");
    std::fs::write(place.at("archive/event_day=2026-01-17/import-000001.parquet"), &bytes[..9])
        .expect("a file");
    place.write("archive/more.parquet", "x");
    let told = place.fails(&["verify", "archive"]);
    for fault in [
        "archive is not whole: event_day=2026-01-15/import-000001.parquet has other bytes than the import wrote",
        "event_day=2026-01-16/import-000001.parquet is missing",
        "event_day=2026-01-17/import-000001.parquet has 9 bytes, expected ",
        "more.parquet is not in its list, so no import has made it",
    ] {
        assert!(told.contains(fault), "{fault} is not in {told}");
    }
    place.write("archive/_manifest", "{");
    assert!(place.fails(&["verify", "archive"]).contains("_manifest is damaged"));
    assert!(place.fails(&["import", "one.csv", "--out", "archive"]).contains("_manifest is damaged"));
}

/// A run that is killed leaves the archive as it was, or as it is after it, and the next run clears away what it has left.
#[cfg(unix)]
#[test]
fn a_killed_import_leaves_an_archive() {
    let mut days = "time,n\n".to_string();
    for n in 0..3000 {
        let _ = writeln!(days, "2026-01-{:02} 00:00:00,{n}", n % 28 + 1);
    }
    let place = Place::new(&[("one.csv", ONE), ("days.csv", &days)]);
    place.ok(&["import", "one.csv", "--out", "first"]);
    let whole = std::time::Instant::now();
    place.ok(&["import", "days.csv", "--out", "timed"]);
    let whole = whole.elapsed();
    let mut rng = fastrand::Rng::with_seed(20);
    for kill in 0..50 {
        let archive = format!("archive-{kill}");
        place.ok(&["import", "one.csv", "--out", &archive]);
        let mut child = dbcluster()
            .current_dir(place.0.path())
            .args(["-q", "import", "days.csv", "--out", &archive])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it runs");
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * rng.f64()));
        let _ = child.kill();
        let _ = child.wait();
        let told = place.ok(&["verify", &archive]);
        let is_before = told.contains(": 4 rows in 3 files");
        assert!(is_before || told.contains(": 3,004 rows in 31 files"), "{told}");
        if kill % 10 == 0 {
            let told = place.ok(&["import", "days.csv", "--out", &archive]);
            assert_eq!(told.contains("3,000 rows of 1 file were added"), is_before, "{told}");
            let left = std::fs::read_dir(place.0.path()).expect("a folder").flatten();
            let left = left.filter(|entry| {
                entry.file_name().to_string_lossy().starts_with(&format!("{archive}.unfinished"))
            });
            assert_eq!(left.count(), 0);
        }
    }
}

/// Imports of one archive wait for each other.
#[test]
fn two_imports_at_once_are_both_there() {
    let place = Place::new(&[]);
    let sources: Vec<String> = (1..=6).map(|n| format!("{n}.csv")).collect();
    for (n, source) in (1..).zip(&sources) {
        place.write(source, &format!("time,n\n2026-01-{n:02} 00:00:00,{n}\n"));
    }
    let imports: Vec<_> = sources
        .iter()
        .map(|source| {
            let mut import = dbcluster();
            import.current_dir(place.0.path()).args(["-q", "import", source, "--out", "archive"]);
            import.stdout(std::process::Stdio::null()).spawn().expect("it runs")
        })
        .collect();
    for mut import in imports {
        assert!(import.wait().expect("it ends").success());
    }
    assert_eq!(place.rows("SELECT count(*), sum(n) FROM 'archive'"), ["6,21"]);
    place.ok(&["verify", "archive"]);
}
