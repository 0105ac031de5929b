//! A server of a few lines with the files of a folder: as S3 for whoever has the key, and over HTTP.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use crate::binary::{dbcluster, stderr, stdout};

/// The key that opens all files.
pub const KEY: &str = "THEKEYOFTHISTEST";

/// Reads and writes the files of a folder for whoever names [`KEY`]: `bucket/key` is the file of that path. Anyone may read those of the
/// bucket `open`. A folder whose file `index` exists is read as that file.
pub fn serve(folder: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let folder: Arc<Path> = folder.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = Arc::clone(&folder);
            // It ends with its client.
            std::thread::spawn(move || while answer(&stream, &folder).is_some() {});
        }
    });
    port
}

/// Answers one request, and returns `None` if the client has no further one.
fn answer(stream: &TcpStream, folder: &Path) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_string());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;

    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let file = folder.join(decoded(path).trim_start_matches('/'));
    let has_key = headers.get("authorization").is_some_and(|it| it.contains(&format!("Credential={KEY}/")));
    let is_known = has_key || path.starts_with("/open/");
    let (status, more, body) = if !is_known {
        ("403 Forbidden", String::new(), b"<Error><Code>AccessDenied</Code></Error>".to_vec())
    } else if method == "PUT" {
        std::fs::create_dir_all(file.parent()?).ok()?;
        std::fs::write(&file, body).ok()?;
        ("200 OK", "ETag: \"new\"\r\n".to_string(), vec![])
    } else if query.contains("list-type=2") {
        ("200 OK", String::new(), list(&file, query).into_bytes())
    } else if let Ok(content) = std::fs::read(&file).or_else(|_| std::fs::read(file.join("index"))) {
        let about = format!(
            "ETag: \"{}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nAccept-Ranges: bytes\r\n",
            content.len()
        );
        match headers.get("range").and_then(|range| range_of(range, content.len())) {
            Some((from, to)) => (
                "206 Partial Content",
                format!("{about}Content-Range: bytes {from}-{}/{}\r\n", to - 1, content.len()),
                content[from..to].to_vec(),
            ),
            None => ("200 OK", about, content),
        }
    } else {
        ("404 Not Found", String::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec())
    };
    let head = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\n\r\n", body.len());
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(&body).ok()?;
    }
    Some(())
}

/// `bytes=from-to`, `bytes=from-` or `bytes=-last`, as from and the place behind.
fn range_of(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (from.parse().ok(), to.parse::<usize>().ok()) {
        (Some(from), Some(to)) => Some((from, length.min(to + 1))),
        (Some(from), None) => Some((from, length)),
        (None, Some(last)) => Some((length.saturating_sub(last), length)),
        (None, None) => None,
    }
}

fn list(bucket: &Path, query: &str) -> String {
    let prefix =
        query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).map(decoded).unwrap_or_default();
    let mut files = vec![];
    collect(bucket, &mut files);
    let mut xml = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_string();
    for file in files {
        let key = file.strip_prefix(bucket).expect("a file of the bucket").display().to_string();
        let size = std::fs::metadata(&file).map_or(0, |it| it.len());
        if key.starts_with(&prefix) {
            let _ = write!(
                xml,
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"{size}\"</ETag><Size>{size}</Size></Contents>"
            );
        }
    }
    xml + "</ListBucketResult>"
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { collect(&entry.path(), files) } else { files.push(entry.path()) }
    }
}

/// Decodes the `%..` codes of a path.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()).unwrap_or(b'?');
        decoded.push(char::from(code));
        decoded.push_str(part.get(2..).unwrap_or_default());
    }
    decoded
}

const LINES: &str = "{\"Image\":\"C:\\\\a.exe\",\"CommandLine\":\"a 1\"}\n{\"Image\":\"C:\\\\b.exe\",\"CommandLine\":\"b\"}\n";

/// A name in a query, in `read(...)`, behind `import` and behind `hunt` may be a URL, also if it is the first of its store.
#[test]
fn logs_of_object_stores_are_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    for bucket in ["logs/day", "open"] {
        let bucket = folder.path().join(bucket);
        std::fs::create_dir_all(&bucket).expect("a bucket");
        std::fs::write(bucket.join("a.ndjson"), LINES).expect("a file");
        std::fs::write(bucket.join("b.csv"), "CommandLine,Image\nc,C:\\c.exe\n").expect("a file");
        let copy =
            "COPY (SELECT * FROM 'a.ndjson') TO 'c.log' STORED AS JSON OPTIONS ('format.compression' 'gzip')";
        let copied =
            dbcluster().current_dir(&bucket).args(["-q", "-c", copy]).output().expect("the shell runs");
        assert!(copied.status.success(), "{}", stderr(&copied));
    }
    let port = serve(folder.path());
    let run = |key: &str, args: &[&str]| {
        let endpoint = format!("http://127.0.0.1:{port}");
        let variables = [
            ("AWS_ENDPOINT", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "nowhere-1"),
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        dbcluster().current_dir(folder.path()).envs(variables).args(args).output().expect("the shell runs")
    };
    let http = format!("http://127.0.0.1:{port}/open");
    for (source, rows) in [
        ("'s3://logs/day/'".to_string(), 5),
        ("'s3://logs/day/*.ndjson'".to_string(), 2),
        ("'s3://logs/**/c.log'".to_string(), 2),
        ("read('s3://logs/day/b.csv', header => true)".to_string(), 1),
        (format!("'{http}/a.ndjson'"), 2),
        (format!("read('{http}/c.log')"), 2),
    ] {
        let counted =
            run(KEY, &["-q", "--format", "csv", "-c", &format!("SELECT count(*) AS n FROM {source}")]);
        assert_eq!(stdout(&counted), format!("n\n{rows}\n"), "{source}: {}", stderr(&counted));
    }
    let found = run(KEY, &["hunt", "s3://logs/day/a.ndjson", "s3://logs/day/b.csv"]);
    assert!(stdout(&found).contains("3 events are 3 kinds of events."), "{}", stderr(&found));
    let drawn = run(KEY, &["report", "--table", "s3://logs/day/", "--out", "day.html"]);
    assert!(drawn.status.success(), "{}", stderr(&drawn));
    let imported = run(KEY, &["import", "s3://logs/day/", "--out", "day.parquet"]);
    assert!(imported.status.success() && folder.path().join("day.parquet").exists(), "{}", stderr(&imported));

    for (key, name, told) in [
        ("OTHER", "s3://logs/day/a.ndjson", "403"),
        (KEY, "s3://logs/day/none.csv", "there is no file at 's3://logs/day/none.csv'"),
        (KEY, &format!("{http}/none.csv"), "there is no file at"),
    ] {
        for source in [format!("'{name}'"), format!("read('{name}')")] {
            let failed = run(key, &["-c", &format!("SELECT * FROM {source}")]);
            assert_eq!(failed.status.code(), Some(1), "{source}");
            assert!(stderr(&failed).contains(told), "{source}: {}", stderr(&failed));
        }
    }
}

/// The shell in a folder that is its home, on a machine of which nothing of AWS is known.
fn shell(folder: &Path, variables: &[(&str, &str)], sql: &str) -> Output {
    let mut command = dbcluster();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(variables.iter().copied());
    command.args(["-q", "--format", "csv", "-c", sql]).output().expect("the shell runs")
}

/// A bucket `logs` that needs the key, one that is open, and their port.
fn buckets() -> (tempfile::TempDir, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    for bucket in ["logs", "open"] {
        let bucket = folder.path().join(bucket);
        std::fs::create_dir_all(&bucket).expect("a bucket");
        std::fs::write(bucket.join("a.ndjson"), LINES).expect("a file");
    }
    let port = serve(folder.path());
    (folder, port)
}

const COUNT: &str = "SELECT count(*) AS n FROM 's3://logs/a.ndjson'";

/// The options of a statement hold for it and for those after it.
#[test]
fn statements_say_how_their_store_is_reached() {
    let (folder, port) = buckets();
    let external = |options: &str| {
        format!(
            "CREATE EXTERNAL TABLE t STORED AS JSON LOCATION 's3://logs/a.ndjson' OPTIONS (
                 'aws.access_key_id' '{KEY}', 'aws.secret_access_key' 'secret', 'aws.region' 'nowhere-1',
                 'aws.endpoint' 'http://127.0.0.1:{port}' {options});"
        )
    };
    let sql = format!(
        "{} COPY (SELECT * FROM t) TO 's3://logs/copy.csv'; SELECT count(*) AS n FROM 's3://logs/copy.csv';
         COPY (SELECT 'a' AS x, 1 AS y) TO 's3://logs/page.html' STORED AS BAR OPTIONS (x 'x', y 'y')",
        external(", 'aws.allow_http' 'true'")
    );
    // The keys of the environment are others.
    let given =
        [("AWS_ACCESS_KEY_ID", "OTHER"), ("AWS_SECRET_ACCESS_KEY", "other"), ("AWS_SESSION_TOKEN", "other")];
    for variables in [&[][..], &given] {
        let output = shell(folder.path(), variables, &sql);
        assert_eq!(stdout(&output), "count\n2\nn\n2\ncount\n1\n", "{}", stderr(&output));
    }
    let page = std::fs::read_to_string(folder.path().join("logs/page.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{}", &page[..40]);

    for (sql, told) in [
        (external(""), "AWS_ALLOW_HTTP=true"),
        (external(", 'aws.allow_htp' 'true'"), "did you mean 'allow_http'"),
        ("SELECT * FROM 'az://logs/a.csv'".to_string(), "expected s3, gs, https or http"),
    ] {
        let failed = shell(folder.path(), &[], &sql);
        assert_eq!(failed.status.code(), Some(1), "{sql}");
        assert!(stderr(&failed).contains(told), "{sql}: {}", stderr(&failed));
    }
}

/// Keys come from a profile, from the machine's role, or from nowhere, as for a public bucket.
#[test]
fn keys_are_found_where_the_tools_of_aws_find_them() {
    let (folder, port) = buckets();
    let endpoint = format!("http://127.0.0.1:{port}");
    let server = [("AWS_ENDPOINT", endpoint.as_str()), ("AWS_ALLOW_HTTP", "true")];
    let run = |more: &[(&str, &str)], sql: &str| shell(folder.path(), &[&server[..], more].concat(), sql);
    let counted = |output: &Output| assert_eq!(stdout(output), "n\n2\n", "{}", stderr(output));

    counted(&run(&[], &COUNT.replace("//logs", "//open")));
    let failed = run(&[], COUNT);
    assert!(stderr(&failed).contains("403"), "{}", stderr(&failed));

    let role = folder.path().join("open/latest/meta-data/iam/security-credentials");
    std::fs::create_dir_all(&role).expect("a folder");
    std::fs::write(role.join("index"), "reader").expect("a file");
    let keys = format!(
        "{{\"AccessKeyId\":\"{KEY}\",\"SecretAccessKey\":\"secret\",\"Token\":\"t\",\"Expiration\":\"2100-01-01T00:00:00Z\"}}"
    );
    std::fs::write(role.join("reader"), keys).expect("a file");
    let metadata = format!("{endpoint}/open");
    let machine = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_METADATA_ENDPOINT", metadata.as_str())];
    counted(&run(&machine, COUNT));

    let home = folder.path().join(".aws");
    std::fs::create_dir_all(&home).expect("a folder");
    let config = "[profile ops]\nregion = nowhere-1\n[profile login]\nsso_session = company\n";
    std::fs::write(home.join("config"), config).expect("a file");
    let credentials = format!("[ops]\naws_access_key_id = {KEY}\naws_secret_access_key = secret\n");
    std::fs::write(home.join("credentials"), credentials).expect("a file");
    counted(&run(&[("AWS_PROFILE", "ops")], COUNT));
    for (profile, told) in [("login", "by sso_session, expected"), ("opss", "did you mean 'ops'")] {
        let failed = run(&[("AWS_PROFILE", profile)], COUNT);
        assert_eq!(failed.status.code(), Some(1));
        assert!(stderr(&failed).contains(told), "{}", stderr(&failed));
        // Keys of the environment need no profile.
        let keys =
            [("AWS_PROFILE", profile), ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", "secret")];
        counted(&run(&keys, COUNT));
    }
}
