//! Files as tables of the library: `read('path')`, its options and errors, unions, what a session keeps of what it read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_dbcluster::logs::{PassedOver, Report};
use datafusion_dbcluster::{LogTables, ReadListener, ReadOption, reference};
use tempfile::TempDir;

use crate::support::{data_folder, number, rows, session, text};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        write(&folder, name, text);
    }
    folder
}

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    path
}

/// The statement with `@` for the folder.
fn at(folder: &TempDir, sql: &str) -> String {
    sql.replace('@', folder.path().to_str().expect("a path in UTF-8"))
}

async fn error(ctx: &SessionContext, sql: &str) -> String {
    let planned = match ctx.sql(sql).await {
        Ok(frame) => frame.collect().await.map(|_| ()),
        Err(error) => Err(error),
    };
    planned.expect_err(sql).strip_backtrace()
}

/// The values of a query as rows with spaces between.
async fn lines(ctx: &SessionContext, sql: &str) -> Vec<String> {
    let table = text(ctx, sql).await;
    let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_string()).collect()
}

/// Counts readings, and what was passed over in the last one of each name.
#[derive(Default)]
struct Heard {
    readings: AtomicUsize,
    passed_over: Mutex<BTreeMap<String, Vec<String>>>,
    cancels: AtomicBool,
}

impl ReadListener for Heard {
    fn has_read(&self, name: &str, _: &Report, passed_over: &[PassedOver], _: f64) {
        self.readings.fetch_add(1, Ordering::SeqCst);
        let file = |passed: &PassedOver| {
            let name = Path::new(&passed.file).file_name().map(|name| name.to_string_lossy().into_owned());
            format!("{}: {}", name.unwrap_or_default(), passed.reason)
        };
        let mut all = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_string(), passed_over.iter().map(file).collect());
    }

    fn is_cancelled(&self) -> bool {
        self.cancels.load(Ordering::SeqCst)
    }
}

impl Heard {
    fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }
}

fn session_that_is_heard() -> (SessionContext, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let tables = LogTables::new(Some(Arc::clone(&heard) as _));
    let config = SessionConfig::new().with_target_partitions(2).with_extension(Arc::new(tables));
    let ctx = SessionContext::new_with_config(config);
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    (ctx, heard)
}

#[tokio::test]
async fn a_file_is_a_table() {
    let folder =
        folder(&[("a.log", "time,host,port\n2026-01-15 05:00:00,wks-1,443\n2026-01-15 05:01:00,wks-2,-\n")]);
    let ctx = session();
    assert_eq!(
        lines(&ctx, &at(&folder, "SELECT * FROM read('@/a.log', nulls => ['-']) ORDER BY time")).await,
        ["2026-01-15T05:00:00 wks-1 443", "2026-01-15T05:01:00 wks-2"]
    );
    // An alias, a join and the name of a file as a qualifier.
    let sql = "SELECT a.host, b.port FROM read('@/a.log') AS a JOIN READ('@/a.log', types => {port: VARCHAR}) b \
               USING (time) ORDER BY 1";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["wks-1 443", "wks-2 -"]);
    let sql = r#"SELECT "@/a.log".host FROM read('@/a.log') LIMIT 1"#;
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["wks-1"]);
}

#[tokio::test]
async fn the_rows_of_files_are_clustered() {
    let folder =
        folder(&[("a.csv", "time,x\n2026-01-15 05:00:00,1\n2026-01-15 05:01:00,2\n2026-01-15 05:02:00,9\n")]);
    let sql = "SELECT x, cluster_size FROM dbcluster(read('@/a.csv', types => {x: 'DOUBLE'}), [x], eps => 1, \
               scaling => 'none') ORDER BY x";
    assert_eq!(lines(&session(), &at(&folder, sql)).await, ["1.0 2", "9.0 1"]);
}

#[tokio::test]
async fn options_do_what_they_say() {
    let folder = folder(&[
        ("a.csv", "a;b\n1;2\n"),
        ("b.csv", "1|x\n2|n/a\n"),
        ("c.csv", "day,who\n01/02/2026,M\u{fc}ller\n"),
        ("d.json", "{\"a\": 1}\n{\"a\": 2}\n"),
    ]);
    std::fs::write(folder.path().join("e.csv"), b"who\nM\xfcller\nNa\xefve\n").expect("a file");
    let ctx = session();
    for (sql, expected) in [
        ("SELECT line FROM read('@/a.csv', format => 'lines')", vec!["a;b", "1;2"]),
        ("SELECT * FROM read('@/a.csv', delimiter => ';', header => false)", vec!["a b", "1 2"]),
        (
            "SELECT * FROM read('@/b.csv', header := FALSE, delimiter => '|', nulls => 'n/a')",
            vec!["1 x", "2"],
        ),
        ("SELECT month(day) FROM read('@/c.csv', date_order => 'dmy')", vec!["2"]),
        ("SELECT month(day) FROM read('@/c.csv', date_order => 'MDY')", vec!["1"]),
        ("SELECT who FROM read('@/e.csv', encoding => 'windows-1252')", vec!["Müller", "Naïve"]),
        ("SELECT count(_file) FROM read('@/*.csv', file_column => true, format => 'lines')", vec!["9"]),
    ] {
        let sql = at(&folder, &sql.replace("month(", "date_part('month', "));
        assert_eq!(lines(&ctx, &sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn settings_are_the_options_of_all_readings() {
    let folder = folder(&[("a.csv", "a;b\n1;-\n")]);
    let ctx = session();
    for sql in ["SET dbcluster.read.header = false", "SET dbcluster.read.nulls = '-'"] {
        ctx.sql(sql).await.expect(sql);
    }
    assert_eq!(lines(&ctx, &at(&folder, "SELECT * FROM read('@/a.csv')")).await, ["a b", "1"]);
    let sql = at(&folder, "SELECT * FROM read('@/a.csv', header => true)");
    assert_eq!(lines(&ctx, &sql).await, ["1"]);
    ctx.sql("SET dbcluster.read.header = ''").await.expect("a setting");
    assert_eq!(lines(&ctx, &at(&folder, "SELECT * FROM read('@/a.csv')")).await, ["1"]);
    let wrong = error(&ctx, "SET dbcluster.read.date_order = 'ymd'").await;
    assert!(wrong.contains("dbcluster.read.date_order is 'ymd', expected one of 'dmy', 'mdy'"), "{wrong}");
    let wrong = error(&ctx, "SET dbcluster.read.timezone = 'UTC'").await;
    assert!(wrong.contains("there is no option 'timezone' (did you mean 'time_zone'?)"), "{wrong}");
}

#[tokio::test]
async fn errors_name_the_option_and_the_way_out() {
    let folder = folder(&[("a.csv", "a\n1\n"), ("empty.csv", "")]);
    write(&folder, "a.zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00rest of it");
    let ctx = session();
    for (sql, expected) in [
        ("read('@/a.csv', hedder => true)", "read: there is no option 'hedder' (did you mean 'header'"),
        ("read('@/a.csv', header => 1)", "read: header is '1', expected true or false"),
        ("read('@/a.csv', header = true)", "read: options are given with =>, as in header => true"),
        ("read('@/a.csv', header => true, header => true)", "read: option header was given twice"),
        ("read('@/a.csv', true)", "read: 'true' has no name: read('path' [, option => value ...])"),
        ("read()", "read expects the path of a file, a folder or a pattern first"),
        ("read(a)", "read: the path is a, expected a text"),
        (
            "read('@/a.csv', format => 'tsv')",
            "read: format is 'tsv', expected one of 'csv', 'json', 'zeek', 'w3c', 'audit', 'lines', 'evtx'",
        ),
        ("read('@/a.csv', delimiter => 'ab')", "read: delimiter is 'ab', expected one ASCII character"),
        ("read('@/a.csv', types => 'BIGINT')", "read: types is 'BIGINT', expected columns and types, as in"),
        (
            "read('@/a.csv', types => {a: 'INTEGR'})",
            "'INTEGR' is no type of column 'a': expected one of 'BOOLEAN', 'BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR'",
        ),
        ("read('@/a.csv', types => {a: 'DATE', a: 'DATE'})", "names the column 'a' twice"),
        (
            "read('@/a.csv', time_zone => 'Berlin')",
            "read: time_zone is 'Berlin', expected the name of a time zone",
        ),
        ("read('@/a.csv', nulls => [1])", "read: nulls is '[1]', expected a text or a list of texts"),
        ("read('@/b.csv')", "a.csv"),
        ("read('nothing')", "there is no file 'nothing'"),
        ("read('@/empty.csv')", "empty.csv' can't be read: it has 0 bytes, so it has no columns"),
        ("read('@/a.zip')", "a.zip' is a ZIP archive whose list can't be read"),
        ("rejected(1)", "rejected expects no argument"),
    ] {
        let sql = at(&folder, &format!("SELECT * FROM {sql}"));
        let error = error(&ctx, &sql).await;
        assert!(error.contains(expected) && !error.contains('\n'), "{sql}\n{error}");
    }
}

/// Files that are passed over in a folder are told; only a folder without any other is an error.
#[tokio::test]
async fn files_that_are_passed_over_are_told() {
    let folder = folder(&[("d/a.csv", "a\n1\n"), ("d/empty.csv", ""), ("d/.hidden.csv", "a\n5\n")]);
    write(&folder, "d/a.png", b"\x89PNG\r\n\x1A\n and so on");
    let (ctx, heard) = session_that_is_heard();
    let path = at(&folder, "@/d");
    assert_eq!(number(&ctx, &format!("SELECT sum(a) FROM read('{path}')")).await, 1);
    let passed_over = heard.passed_over.lock().expect("no panic").get(&path).cloned().unwrap_or_default();
    let mut passed_over = passed_over;
    passed_over.sort();
    assert_eq!(
        passed_over,
        [
            ".hidden.csv: hidden",
            "a.png: it is a PNG picture, which is not read",
            "empty.csv: it has 0 bytes, so it has no columns"
        ]
    );
}

/// Columns of text and Parquet files meet by name, in a type that holds the values of all.
#[tokio::test]
async fn files_of_several_kinds_are_one_table() {
    let folder = folder(&[
        ("d/a.csv", "x,who,ts\n1,a,2026-01-15 05:00:00\n"),
        ("d/b.json", "{\"x\": 3, \"z\": true}\n"),
    ]);
    let ctx = session();
    for (file, query) in [
        ("c", "SELECT 2.5 AS x, arrow_cast('2026-01-15T06:00:00.25', 'Timestamp(ms)') AS ts"),
        ("d", "SELECT arrow_cast(4, 'Int32') AS x, 'd' AS who"),
        ("e", "SELECT arrow_cast(5, 'UInt8') AS x, 7 AS who"),
    ] {
        let sql = format!("COPY ({query}) TO '@/d/{file}.parquet' STORED AS PARQUET");
        rows(&ctx, &at(&folder, &sql)).await;
    }
    let sql = at(&folder, "SELECT x, who, ts, z FROM read('@/d') ORDER BY x");
    assert_eq!(
        lines(&ctx, &sql).await,
        ["1.0 a 2026-01-15T05:00:00", "2.5  2026-01-15T06:00:00.250", "3.0   true", "4.0 d", "5.0 7"]
    );
    // A filter goes into the parts, and nothing is read of a column that no one asks for.
    let sql = at(&folder, "SELECT count(*) FROM read('@/d') WHERE x > 2 AND who IS NOT NULL");
    assert_eq!(number(&ctx, &sql).await, 2);
    let sql = at(&folder, "SELECT sum(x) FROM read('@/d/*.parquet')");
    assert_eq!(lines(&ctx, &sql).await, ["11.5"]);
    let sql = "SELECT substr(_file, strpos(_file, '/d/')), x FROM read('@/d/[ad].*', file_column => true) ORDER BY x";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["/d/a.csv 1", "/d/d.parquet 4"]);
    let typed =
        error(&ctx, &at(&folder, "SELECT * FROM read('@/d/d.parquet', types => {x: 'DOUBLE'})")).await;
    assert!(typed.contains("holds its types itself, so the option types has no place to work"), "{typed}");
}

#[tokio::test]
async fn folders_with_an_equals_sign_are_columns() {
    let folder = folder(&[
        ("d/day=15/a.csv", "x\n1\n"),
        ("d/day=16/a.csv", "x\n2\n3\n"),
        ("d/rest.csv", "x\n4\n"),
        ("q/day=15/a.csv", "x\n007\n"),
    ]);
    let ctx = session();
    let sql = "SELECT day, sum(x) FROM read('@/d') GROUP BY day ORDER BY day NULLS LAST";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["15 1", "16 5", "4"]);
    let sql = "SELECT count(*) FROM read('@/d/day=*/*.csv') WHERE day = '16'";
    assert_eq!(number(&ctx, &at(&folder, sql)).await, 2);
    for day in ["15", "16"] {
        let sql = format!("COPY (SELECT '{day}' AS of_day, {day} AS x) TO '@/p/day={day}/a.parquet'");
        rows(&ctx, &at(&folder, &sql)).await;
    }
    let sql = "SELECT day, x FROM read('@/p/') ORDER BY day";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["15 15", "16 16"]);
    // Beside files of another kind, and beside one without a folder.
    std::fs::copy(folder.path().join("p/day=15/a.parquet"), folder.path().join("p/b.parquet"))
        .expect("a copy");
    write(&folder, "p/day=17/c.csv", "x\n17\n");
    let sql = "SELECT day, x FROM read('@/p/') ORDER BY day NULLS LAST, x";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["15 15", "16 16", "17 17", "15"]);
}

#[tokio::test]
async fn what_does_not_fit_is_rejected() {
    let folder = folder(&[("a.csv", "port,host\n443,a\nhttps,b\n"), ("b.csv", "port\nx\n")]);
    let ctx = session();
    let sql = "SELECT host, port FROM read('@/a.csv', types => {port: 'BIGINT'}) ORDER BY host";
    assert_eq!(lines(&ctx, &at(&folder, sql)).await, ["a 443", "b"]);
    let rejected = "SELECT line, \"column\", text FROM rejected() ORDER BY file";
    assert_eq!(lines(&ctx, rejected).await, ["3 port https"]);
    let sql = "SELECT * FROM read('@/b.csv', types => {port: 'BIGINT'})";
    rows(&ctx, &at(&folder, sql)).await;
    assert_eq!(lines(&ctx, rejected).await, ["3 port https", "2 port x"]);
    // A later reading of the same name has the last word.
    write(&folder, "b.csv", "port\n80\n8080\n");
    rows(&ctx, &at(&folder, sql)).await;
    assert_eq!(lines(&ctx, rejected).await, ["3 port https"]);
}

/// A file is read once, and again when it has changed, also by a view that was made before.
#[tokio::test]
async fn files_are_read_again_when_they_have_changed() {
    let folder = folder(&[("a.csv", "x\n1\n")]);
    let (ctx, heard) = session_that_is_heard();
    let sum = at(&folder, "SELECT sum(x) FROM read('@/a.csv')");
    ctx.sql(&at(&folder, "CREATE VIEW v AS SELECT x FROM read('@/a.csv')")).await.expect("a view");
    for _ in 0..3 {
        assert_eq!(number(&ctx, &sum).await, 1);
        assert_eq!(number(&ctx, "SELECT sum(x) FROM v").await, 1);
    }
    assert_eq!(heard.readings(), 1);
    // Other options are another reading.
    rows(&ctx, &at(&folder, "SELECT * FROM read('@/a.csv', header => false)")).await;
    assert_eq!(heard.readings(), 2);
    write(&folder, "a.csv", "y,x\n9,1\n9,2\n");
    assert_eq!(number(&ctx, "SELECT sum(x) FROM v").await, 3);
    assert_eq!(number(&ctx, &sum).await, 3);
    assert_eq!(heard.readings(), 3);
    // A query of two scans sees one version, and a view whose columns are gone says so.
    write(&folder, "a.csv", "y\n9\n");
    let gone = error(&ctx, "SELECT sum(x) FROM v").await;
    assert!(gone.contains("have changed since it was planned; make the view or table again"), "{gone}");
}

/// A view of a folder sees files that come later; of a kind that it knows, or not at all, which it says.
#[tokio::test]
async fn views_of_folders_see_later_files() {
    let folder = folder(&[("d/a.csv", "x\n1\n"), ("e/a.csv", "x\n1\n")]);
    let ctx = session();
    rows(&ctx, "SET datafusion.runtime.list_files_cache_limit = '0'").await;
    let copy =
        |name: &str, x: i64| at(&folder, &format!("COPY (SELECT {x} AS x) TO '@/{name}' STORED AS PARQUET"));
    rows(&ctx, &copy("d/b.parquet", 2)).await;
    for view in ["d", "e"] {
        ctx.sql(&at(&folder, &format!("CREATE VIEW {view} AS SELECT x FROM read('@/{view}/')")))
            .await
            .expect("a view");
    }
    assert_eq!(number(&ctx, "SELECT sum(x) FROM d").await, 3);
    rows(&ctx, &copy("d/c.parquet", 10)).await;
    write(&folder, "d/d.csv", "x\n100\n");
    assert_eq!(number(&ctx, "SELECT sum(x) FROM d").await, 113);
    write(&folder, "e/b.csv", "x\n10\n");
    assert_eq!(number(&ctx, "SELECT sum(x) FROM e").await, 11);
    rows(&ctx, &copy("e/c.parquet", 2)).await;
    let other = error(&ctx, "SELECT sum(x) FROM e").await;
    assert!(
        other.contains("has files of another kind since it was planned, such as")
            && other.contains("c.parquet'; make the view or table again"),
        "{other}"
    );
}

/// Columns meet by name, and a column that a file lacks is NULL in its rows, whatever its own file says of NULLs.
#[tokio::test]
async fn columns_that_a_parquet_file_lacks_are_null() {
    let folder = folder(&[]);
    let ctx = session();
    for (name, columns) in [("d/a.parquet", "1 AS x, 'a' AS a"), ("d/b.parquet", "'b' AS b, 2 AS x")] {
        let copy = format!("COPY (SELECT {columns}) TO '@/{name}' STORED AS PARQUET");
        rows(&ctx, &at(&folder, &copy)).await;
    }
    let all = lines(&ctx, &at(&folder, "SELECT x, a, b FROM read('@/d/') ORDER BY x")).await;
    assert_eq!(all, ["1 a", "2  b"]);
    assert_eq!(number(&ctx, &at(&folder, "SELECT count(*) FROM read('@/d/') WHERE a IS NULL")).await, 1);
}

fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a member");
        writer.write_all(bytes).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("a member");
    }
    builder.into_inner().expect("an archive")
}

/// An archive is a folder: its members are files of any kind, with the columns of their folders, and archives among them.
#[tokio::test]
async fn archives_are_read_as_folders() {
    let folder = folder(&[("d/a.csv", "x\n1\n")]);
    let (ctx, heard) = session_that_is_heard();
    rows(&ctx, &at(&folder, "COPY (SELECT 4 AS x) TO '@/x.parquet' STORED AS PARQUET")).await;
    let parquet = std::fs::read(folder.path().join("x.parquet")).expect("a file");
    let inner = tar(&[("y/b.json", b"{\"x\":16}\n".to_vec()), ("c.csv", b"x\n32\n".to_vec())]);
    let members = [
        ("host=h1/a.csv", b"x\n2\n".to_vec()),
        ("deep/x.parquet", parquet),
        ("../../one.csv", b"x\n8\n".to_vec()),
        ("inner.tar", inner.clone()),
        ("._a.csv", vec![0, 5, 22, 7]),
        ("picture.png", b"\x89PNG\r\n\x1A\n\0".to_vec()),
    ];
    write(&folder, "d/z.zip", zip(&members));
    write(&folder, "t.tar", &inner);
    for (name, sum) in [("d/", 63), ("d/z.zip", 62), ("d/*.zip", 62), ("t.tar", 48)] {
        let read = at(&folder, &format!("SELECT sum(x) FROM read('@/{name}')"));
        assert_eq!(number(&ctx, &read).await, sum, "{name}");
    }
    assert_eq!(
        lines(&ctx, &at(&folder, "SELECT x, host FROM read('@/d/z.zip') WHERE host = 'h1'")).await,
        ["2 h1"]
    );
    let file = at(
        &folder,
        "SELECT replace(_file, '@/', '') FROM read('@/d/z.zip', file_column => true) WHERE x IN (4, 16) ORDER BY x",
    );
    assert_eq!(lines(&ctx, &file).await, ["d/z.zip/deep/x.parquet", "d/z.zip/inner.tar/y/b.json"]);
    let passed_over = heard.passed_over.lock().expect("nobody panics").clone();
    let passed_over = &passed_over[&at(&folder, "@/d/z.zip")];
    for part in ["._a.csv: left by a system", "picture.png: it is a PNG picture"] {
        assert!(passed_over.iter().any(|told| told.starts_with(part)), "{part}: {passed_over:?}");
    }
    // It is read once, and again when it has changed.
    let readings = heard.readings();
    let read = at(&folder, "SELECT sum(x) FROM read('@/d/z.zip')");
    assert_eq!(number(&ctx, &read).await, 62);
    assert_eq!(heard.readings(), readings);
    write(&folder, "d/z.zip", zip(&members[..1]));
    assert_eq!(number(&ctx, &read).await, 2);

    // A damaged archive is told, alone and beside others.
    write(&folder, "e/a.csv", "x\n1\n");
    write(&folder, "e/cut.zip", &zip(&members)[..40]);
    let cut = error(&ctx, &at(&folder, "SELECT * FROM read('@/e/cut.zip')")).await;
    assert!(cut.contains("e/cut.zip' is a ZIP archive whose list can't be read"), "{cut}");
    assert_eq!(number(&ctx, &at(&folder, "SELECT sum(x) FROM read('@/e/')")).await, 1);
    let nested = (0..6).fold(b"x\n1\n".to_vec(), |inner, _| zip(&[("a", inner)]));
    write(&folder, "deep.zip", nested);
    let deep = error(&ctx, &at(&folder, "SELECT * FROM read('@/deep.zip')")).await;
    assert!(deep.contains("archives in archives are read up to 3 levels deep"), "{deep}");
    rows(&ctx, "SET datafusion.runtime.max_temp_directory_size = '1M'").await;
    write(&folder, "bomb.zip", zip(&[("a.csv", vec![b'1'; 4 << 20])]));
    let bomb = error(&ctx, &at(&folder, "SELECT * FROM read('@/bomb.zip')")).await;
    assert!(bomb.contains("it can't be unpacked") && bomb.contains("limit"), "{bomb}");
}

#[tokio::test]
async fn external_tables_are_made_of_logs() {
    let folder = folder(&[("d/a.csv", "ts;x\n2026-07-01 12:00:00;1\n"), ("e/b.csv", "x\n2\n")]);
    let ctx = session();
    let sql = "CREATE EXTERNAL TABLE t STORED AS LOGS LOCATION '@/d/' OPTIONS ('time_zone' 'Europe/Berlin', 'types' '{x: DOUBLE}')";
    ctx.sql(&at(&folder, sql)).await.expect("a table");
    assert_eq!(lines(&ctx, "SELECT ts, x FROM t").await, ["2026-07-01T10:00:00Z 1.0"]);
    for (sql, expected) in [
        (
            "CREATE EXTERNAL TABLE u STORED AS LOGS LOCATION '@/d/' OPTIONS ('time_zon' 'UTC')",
            "STORED AS LOGS: there is no option 'time_zon' (did you mean 'time_zone'?)",
        ),
        ("CREATE EXTERNAL TABLE u (x INT) STORED AS LOGS LOCATION '@/d/'", "finds the columns in the files"),
        ("CREATE EXTERNAL TABLE u STORED AS LOGS LOCATION '@/f/'", "/f"),
    ] {
        let error = error(&ctx, &at(&folder, sql)).await;
        assert!(error.contains(expected), "{sql}\n{error}");
    }
}

/// The rows of a text file of more than the memory that a session has are in a Parquet file, and are the same.
#[tokio::test]
async fn rows_that_find_no_memory_go_to_a_file() {
    const ROWS: usize = 200_000;
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = String::from("id,time,host,big\n");
    for row in 0..ROWS {
        use std::fmt::Write;
        let _ = writeln!(
            log,
            "{row},2026-01-15 05:{:02}:{:02}.{:03},host-{},{}",
            row / 60 % 60,
            row % 60,
            row % 1000,
            row % 7,
            "x".repeat(row % 50)
        );
    }
    write(&folder, "a.csv", &log);
    let query = at(
        &folder,
        "SELECT host, count(*) AS n, min(time), max(time), sum(id), max(big) FROM read('@/a.csv') GROUP BY host ORDER BY host",
    );
    let expected = text(&session(), &query).await;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(16 << 20)))
        .build_arc()
        .expect("a runtime");
    let ctx = SessionContext::new_with_config_rt(
        SessionConfig::new().with_target_partitions(2),
        Arc::clone(&runtime),
    );
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    assert_eq!(text(&ctx, &query).await, expected);
    assert!(runtime.disk_manager.used_disk_space() > 0, "no temporary file was written");
    assert!(
        runtime.memory_pool.reserved() < 1 << 20,
        "{} bytes stay reserved",
        runtime.memory_pool.reserved()
    );
    // A plan that outlives its session and its table still has the file.
    let plan = ctx.sql(&query).await.expect("a plan").create_physical_plan().await.expect("a plan");
    let task = ctx.task_ctx();
    drop(ctx);
    let batches = datafusion::physical_plan::collect(Arc::clone(&plan), task).await.expect("rows");
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 7);
    drop((plan, batches));
    assert_eq!(runtime.disk_manager.used_disk_space(), 0, "a temporary file stays");
}

/// A disk that is too small for the rows is an error, not a loss.
#[tokio::test]
async fn rows_that_find_no_room_at_all_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "a.csv", "x\n".to_string() + &"some text of a log\n".repeat(1_000_000));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(4 << 20)))
        .with_max_temp_directory_size(1 << 20)
        .build_arc()
        .expect("a runtime");
    let ctx = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    let error = error(&ctx, &at(&folder, "SELECT count(*) FROM read('@/a.csv')")).await;
    assert!(error.contains("max_temp_directory_size"), "{error}");
}

#[tokio::test]
async fn a_listener_cancels_a_reading() {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, "a.csv", "x\n".to_string() + &"1\n".repeat(1_000_000));
    let (ctx, heard) = session_that_is_heard();
    heard.cancels.store(true, Ordering::SeqCst);
    let sql = at(&folder, "SELECT count(*) FROM read('@/a.csv')");
    let cancelled = error(&ctx, &sql).await;
    assert!(cancelled.contains("cancelled"), "{cancelled}");
    heard.cancels.store(false, Ordering::SeqCst);
    assert_eq!(number(&ctx, &sql).await, 1_000_000);
}

/// A named pipe to which a thread writes lines until nobody reads them. The thread returns the number of lines.
#[cfg(unix)]
fn pipe(folder: &TempDir, most: usize) -> (PathBuf, std::thread::JoinHandle<usize>) {
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
    assert!(made.success());
    let writer = path.clone();
    let thread = std::thread::spawn(move || {
        let mut pipe = std::fs::OpenOptions::new().write(true).open(writer).expect("a reader");
        let mut written = 0;
        if pipe.write_all(b"x,text\n").is_ok() {
            while written < most && pipe.write_all(format!("{written},some text\n").as_bytes()).is_ok() {
                written += 1;
            }
        }
        written
    });
    (path, thread)
}

/// A pipe is read once, and its rows stay for the session.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, writer) = pipe(&folder, 1000);
    let ctx = session();
    let tables = LogTables::of(&ctx.state()).expect("the session has tables of files");
    let options = LogTables::options(&ctx.state()).expect("options");
    for _ in 0..2 {
        let state = ctx.state();
        let table = tables.table(&state, path.to_str().expect("a path"), &options).await.expect("a pipe");
        let frame = ctx.read_table(table.expect("a table")).expect("a table");
        assert_eq!(frame.count().await.expect("rows"), 1000);
    }
    assert_eq!(writer.join().expect("no panic"), 1000);
    let sql = format!("SELECT count(*) FROM read('{}', header => false)", path.display());
    let error = error(&ctx, &sql).await;
    assert!(error.contains("can be read once"), "{error}");
}

/// A reading stops when nobody waits for it any more.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_that_nobody_waits_for_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, writer) = pipe(&folder, usize::MAX);
    let ctx = session();
    let tables = LogTables::of(&ctx.state()).expect("the session has tables of files");
    let options = LogTables::options(&ctx.state()).expect("options");
    let state = ctx.state();
    let reading = tables.table(&state, path.to_str().expect("a path"), &options);
    assert!(tokio::time::timeout(Duration::from_millis(300), reading).await.is_err());
    let written = SpawnedTask::spawn_blocking(|| writer.join().expect("no panic")).join();
    let written = tokio::time::timeout(Duration::from_secs(20), written).await.expect("the reading goes on");
    assert!(written.expect("no panic") > 0);
}

#[tokio::test]
async fn objects_of_a_store_are_files() {
    let ctx = session();
    let store = Arc::new(InMemory::new());
    for (path, text) in [
        ("logs/a.csv", "x\n1\n"),
        ("logs/day=16/b.csv", "x,y\n2,b\n"),
        ("logs/_temporary/c.csv", "x\n100\n"),
        ("logs2/d.csv", "x\n1000\n"),
    ] {
        store.put(&path.into(), text.into()).await.expect("an object");
    }
    let url = ObjectStoreUrl::parse("mem://bucket").expect("a URL");
    ctx.register_object_store(url.as_ref(), store as Arc<dyn ObjectStore>);
    for (path, sum) in [
        ("mem://bucket/logs/", 3),
        ("mem://bucket/logs", 3),
        ("mem://bucket/logs/a.csv", 1),
        ("mem://bucket/logs/*.csv", 1),
        ("mem://bucket/logs*/**/*.csv", 1003),
    ] {
        assert_eq!(number(&ctx, &format!("SELECT sum(x) FROM read('{path}')")).await, sum, "{path}");
    }
    let sql = "SELECT y, day FROM read('mem://bucket/logs/') WHERE day = '16'";
    assert_eq!(lines(&ctx, sql).await, ["b 16"]);
    let missing = error(&ctx, "SELECT * FROM read('mem://bucket/nothing.csv')").await;
    assert!(missing.contains("there is no file at 'mem://bucket/nothing.csv'"), "{missing}");
}

/// The options of the documentation are those of the settings, and their examples can be set.
#[tokio::test]
async fn options_are_documented() {
    let folder = folder(&[("a.csv", "port,Flow Bytes/s\n1,2\n")]);
    let ctx = session();
    for option in reference::read_options() {
        let call = format!("{} => {}", option.name(), option.example());
        let sql = at(&folder, &format!("SELECT * FROM read('@/a.csv', {call})"));
        ctx.sql(&sql).await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    }
    assert_eq!(reference::read_options().iter().filter(|option| option.values().is_empty()).count(), 0);
    let names: Vec<&str> = reference::read_options().iter().map(ReadOption::name).collect();
    assert_eq!(names.len(), 11);
}

/// Event logs of Windows are tables like any other file, alone, under a name, and for a hunt.
#[tokio::test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
async fn event_logs_of_windows_are_tables() {
    let ctx = session();
    let folder = data_folder().join("evtx");
    let files = std::fs::read_dir(&folder).expect("the folder").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|ending| ending == "evtx"))
    });
    let files = i64::try_from(files.count()).expect("a few files");
    assert!(files > 10, "{files}");
    let logs = folder.join("*.evtx").display().to_string();
    let rows =
        format!("SELECT count(*) FROM read('{logs}') WHERE \"TimeCreated\" IS NOT NULL AND \"EventID\" > 0");
    assert!(number(&ctx, &rows).await >= files);
    ctx.sql(&format!("CREATE EXTERNAL TABLE winlog STORED AS EVTX LOCATION '{logs}'"))
        .await
        .expect("a table");
    let processes = "SELECT count(*) FROM winlog WHERE \"EventID\" = 1 AND \"Image\" LIKE 'C:%' AND \"CommandLine\" IS NOT NULL";
    let processes = number(&ctx, processes).await;
    assert!(processes > 5, "{processes}");
    let hunted = "SELECT count(*) FROM hunt_processes((SELECT * FROM winlog WHERE \"EventID\" = 1)) WHERE array_length(reasons) > 0";
    assert!(number(&ctx, hunted).await > 5);
}
