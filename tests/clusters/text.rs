//! Text on a cluster.

use std::fmt::Write;

use super::processes::{Cluster, local};
use crate::binary::{stderr, stdout};

/// Executors read text in place where their reader gives the same rows. Other text is refused, and the advice works.
#[test]
fn text_is_read_in_place_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
    };
    let mut csv = "n,time,s,d\n".to_string();
    let mut tabs = "n\ts\n".to_string();
    let mut json = String::new();
    for n in 0..5000 {
        writeln!(
            csv,
            "{n},2025-01-01 00:{:02}:{:02},\"row {}, \"\"x\"\"\",{n}.5",
            n / 60 % 60,
            n % 60,
            n % 7
        )
        .expect("text");
        writeln!(tabs, "{n}\t00{}", n % 7).expect("text");
        writeln!(json, "{{\"n\": {n}, \"s\": \"row {}\"}}", n % 7).expect("text");
    }
    // The engine's sample of 1,000 lines would not know these.
    csv.push_str("5000,2025-01-01 02:00:00,late,last\n");
    json.push_str("{\"n\": 5000, \"late\": true}\n");
    write("a.csv", csv.as_bytes());
    write("t/1.tsv", tabs.as_bytes());
    write("t/2.tsv", tabs.as_bytes());
    write("t/._2.tsv", b"\0\0");
    write("a.json", json.as_bytes());
    write("pretty.json", b"[\n {\"n\": 1},\n {\"n\": 2}\n]\n");
    write("nested.json", b"{\"n\": 1, \"o\": {\"x\": 1}}\n");
    write("short.csv", b"n,s\n1\n2,x\n3,y,z\n");
    write("lines.log", b"one\ntwo\n");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let cluster = Cluster::start();
    for sql in [
        format!(
            "SELECT count(*) AS n, sum(n) AS s, max(time) AS t, count(DISTINCT s) AS u, max(d) AS d FROM '{}'",
            file("a.csv")
        ),
        format!("SELECT count(*) AS n, min(s) AS s FROM '{}/'", file("t")),
        format!("SELECT n, s, late FROM '{}' WHERE late", file("a.json")),
        format!(
            "SELECT cluster_size, n FROM dbcluster('{}', [length(s)], eps => 0.5, scaling => 'none') ORDER BY n",
            file("a.csv")
        ),
        format!(
            "SELECT n, host FROM dbcluster(read('{}', types => {{n: 'DOUBLE'}}), {{host: n % 3}}, eps => 0.5, scaling => 'none') \
             ORDER BY n",
            file("a.csv")
        ),
        format!(
            "CREATE EXTERNAL TABLE t STORED AS LOGS LOCATION '{}'; SELECT count(*) AS n, min(s) AS s FROM t",
            file("t")
        ),
    ] {
        assert_eq!(cluster.answer(&[&sql]), local(&["-c", &sql], folder.path()), "{sql}");
    }
    for (name, reason) in [
        ("pretty.json", "n"),
        ("nested.json", "the column o has objects or lists"),
        ("short.csv", "can't be read"),
        ("lines.log", "their reader does not know"),
    ] {
        let output = cluster.run(&[&format!("SELECT count(*) FROM '{}'", file(name))]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", stdout(&output));
        assert!(told.contains(reason), "{name}: {told}");
        assert!(told.contains(&format!("dbcluster import '{}' --out ", file(name))), "{name}: {told}");
    }
    let parquet = file("lines.parquet");
    let output = cluster.shell().args(["import", &file("lines.log"), "--out", &parquet]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(cluster.answer(&[&format!("SELECT count(*) AS n FROM '{parquet}'")]), "n\n2\n");
}
