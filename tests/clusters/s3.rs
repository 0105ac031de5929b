//! Files on S3: a server of a few lines, and one set of options for all processes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::processes::{Cluster, SPREAD, Setup, adaptive, local};
use crate::binary::stderr;

const KEY: &str = "THEKEYOFTHISTEST";

/// Reads and writes the files of a folder for whoever names [`KEY`]: `bucket/key` is the file of that path.
fn serve(folder: &Path) -> u16 {
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
    let is_known = headers.get("authorization").is_some_and(|it| it.contains(&format!("Credential={KEY}/")));
    let (status, more, body) = if !is_known {
        ("403 Forbidden", String::new(), b"<Error><Code>AccessDenied</Code></Error>".to_vec())
    } else if method == "PUT" {
        std::fs::create_dir_all(file.parent()?).ok()?;
        std::fs::write(&file, body).ok()?;
        ("200 OK", "ETag: \"new\"\r\n".to_string(), vec![])
    } else if query.contains("list-type=2") {
        ("200 OK", String::new(), list(&file, query).into_bytes())
    } else if let Ok(content) = std::fs::read(&file) {
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

const QUERY: &str = "SELECT * FROM dbcluster('s3://logs/sample/processes.parquet/', [cmdline_tokens(CommandLine)], eps => 0.0001) \
                     ORDER BY cluster_id, TimeGenerated, CommandLine, Computer";
const WRITE: &str = "COPY (SELECT CommandLine, cluster_size FROM dbcluster('s3://logs/sample/processes.parquet/', \
                     [cmdline_tokens(CommandLine)], eps => 0.0001)) TO 's3://logs/out/' STORED AS PARQUET";
const TABLE: &str = "CREATE EXTERNAL TABLE out STORED AS PARQUET LOCATION 's3://logs/out/'";
const SUM: &str = "SELECT sum(cluster_size) AS n FROM out";

/// Events in `logs/` below a folder, what the query over them gives, and the port of the server.
fn bucket() -> (tempfile::TempDir, String, u16) {
    let folder = tempfile::tempdir().expect("a folder");
    local(&["sample", "--rows", "4000", "--files", "4", "--out", "logs/sample"], folder.path());
    let expected = local(&["-c", &QUERY.replace("s3://", "")], folder.path());
    let port = serve(folder.path());
    (folder, expected, port)
}

/// The client's settings travel with its queries.
#[test]
fn settings_reach_every_process() {
    let (_folder, expected, port) = bucket();
    let cluster = Cluster::start();
    let endpoint = format!("SET s3.endpoint = 'http://127.0.0.1:{port}'");
    let key = format!("SET s3.access_key_id = '{KEY}'");
    let settings = [
        &endpoint,
        "SET s3.allow_http = true",
        "SET s3.region = 'nowhere-1'",
        &key,
        "SET s3.secret_access_key = 'secret'",
    ];
    for is_adaptive in [true, false] {
        let planner = adaptive(is_adaptive);
        assert_eq!(cluster.answer(&[&settings[..], &[SPREAD, &planner, QUERY]].concat()), expected);
    }
    let written = cluster.answer(&[&settings[..], &[WRITE, TABLE, SUM]].concat());
    assert!(written.ends_with("n\n4000\n"), "{written}");

    // A path that can't be read is no table, and CREATE EXTERNAL TABLE tells why.
    let other = "SET s3.access_key_id = 'OTHER'";
    let denied = cluster.run(&[&settings[..3], &[other, settings[4], TABLE]].concat());
    assert_eq!(denied.status.code(), Some(1));
    assert!(stderr(&denied).contains("403"), "{}", stderr(&denied));
}

/// The variables of each process serve as well as settings.
#[test]
fn variables_are_read_by_every_process() {
    let (_folder, expected, port) = bucket();
    let endpoint = format!("http://127.0.0.1:{port}");
    let variables = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "nowhere-1"),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let cluster = Cluster::with(&Setup { variables: &variables, ..Setup::default() });
    let output =
        cluster.shell().envs(variables).args(["-c", SPREAD, "-c", QUERY]).output().expect("the shell runs");
    assert_eq!(crate::binary::stdout(&output), expected, "{}", stderr(&output));
}
