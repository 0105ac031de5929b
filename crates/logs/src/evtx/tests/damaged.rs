//! Made event logs, whole and damaged.

use std::fmt::Write as _;
use std::io::Write as _;

use super::made::{Element, chunk, data, event, file, leaf, parent, seal};
use super::*;
use crate::{Content, Error, Rejected};

/// A chunk with so many events of one value each.
fn events(count: usize, first: usize) -> Vec<u8> {
    let names: Vec<String> = (first..first + count).map(|id| id.to_string()).collect();
    let events: Vec<Element<'_>> =
        names.iter().map(|id| event(id, vec![parent("EventData", vec![data("Value", id)])])).collect();
    chunk(&events)
}

/// Reads a file in many ways, which must agree.
fn read_in_ways(name: &str, bytes: &[u8]) -> Table {
    let files = [(name, bytes)];
    let options = ReadOptions::default();
    let once = read_by(&TestHost::new(1, usize::MAX), &files, &options).expect("a table");
    for (block_size, threads, memory) in
        [(1, 1, usize::MAX), (70_000, 3, 0), (200_000, 2, usize::MAX), (4 << 20, 4, 0)]
    {
        let host = TestHost::with_blocks(block_size, threads, memory);
        let again = read_by(&host, &files, &options).expect("a table");
        assert_eq!(again.schema, once.schema, "blocks of {block_size}");
        assert_eq!(again.report, once.report, "blocks of {block_size}");
        assert_eq!(again.rows, once.rows, "blocks of {block_size}");
    }
    once
}

fn column(table: &Table, name: &str) -> Vec<String> {
    let at = table.schema.index_of(name).expect("a column");
    table.values().into_iter().map(|row| row[at].clone().unwrap_or("NULL".to_owned())).collect()
}

fn rejected(table: &Table) -> Vec<(u64, &str)> {
    table.report.rejected.iter().map(|Rejected { line, reason, .. }| (*line, reason.as_str())).collect()
}

#[test]
fn values_of_an_event() {
    let guid = "{0197231e-ab9f-67aa-4c14-030000000000}";
    let with_attribute = Element { attributes: vec![("xmlns", "x")], ..leaf("Path", "C:\\a") };
    let made = [
        event(
            "1",
            vec![parent(
                "EventData",
                vec![
                    data("ProcessId", "0x3e7"),
                    data("channel", "c"),
                    data("Guid", guid),
                    data("Written", "{0197231E-AB9F-67AA-4C14-030000000000}"),
                    data("Path", "C:\\Users\\\"ä\""),
                    data("Empty", ""),
                    data("Port", "443"),
                ],
            )],
        ),
        event("2", vec![parent("EventData", vec![data("", "x"), data("", guid)])]),
        event(
            "3",
            vec![parent(
                "UserData",
                vec![parent(
                    "Info",
                    vec![with_attribute, parent("In", vec![leaf("Port", "7"), leaf("Port", "8")])],
                )],
            )],
        ),
        event("4", vec![parent("RenderingInfo", vec![leaf("Message", "m")])]),
    ];
    let table = read_in_ways("a.evtx", &file(&[chunk(&made)]));
    assert_eq!(rejected(&table), []);
    assert_eq!(column(&table, "TimeCreated"), ["2026-01-02T03:04:05.123456700Z"; 4], "all seven digits");
    for (name, values) in [
        ("EventID", ["1", "2", "3", "4"]),
        ("ProviderName", ["Maker"; 4]),
        ("ExecutionProcessID", ["7"; 4]),
        ("Level", ["NULL"; 4]),
        ("ProcessId", ["0x3e7", "NULL", "NULL", "NULL"]),
        ("Data_channel", ["c", "NULL", "NULL", "NULL"]),
        ("Guid", ["0197231E-AB9F-67AA-4C14-030000000000", "NULL", "NULL", "NULL"]),
        ("Written", ["{0197231E-AB9F-67AA-4C14-030000000000}", "NULL", "NULL", "NULL"]),
        ("Path", ["C:\\Users\\\"ä\"", "NULL", "C:\\a", "NULL"]),
        ("Port", ["443", "NULL", "7", "NULL"]),
        ("Port_1", ["NULL", "NULL", "8", "NULL"]),
        (
            "EventData",
            ["NULL", r##"{"Data":{"#text":["x","0197231E-AB9F-67AA-4C14-030000000000"]}}"##, "NULL", "NULL"],
        ),
        ("RenderingInfo", ["NULL", "NULL", "NULL", r#"{"Message":"m"}"#]),
    ] {
        assert_eq!(column(&table, name), values, "{name}");
    }
    let columns = table.columns();
    assert!(columns.contains("Port Int64"), "{columns}");
    assert!(columns.contains("UserData Utf8View"), "{columns}");
}

#[test]
fn names_that_an_event_has_twice_lose_nothing() {
    let data = |value| parent("EventData", vec![data("A", value), data("B", "2"), data("A", "3")]);
    let element = |name, value| parent(name, vec![leaf("A", value)]);
    let made = [
        event("1", vec![data("1"), data("4")]),
        event("2", vec![parent("UserData", vec![element("X", "5"), element("Y", "6")])]),
    ];
    let table = read_in_ways("a.evtx", &file(&[chunk(&made)]));
    for (name, values) in [
        ("A", ["1", "5"]),
        ("A_1", ["3", "NULL"]),
        ("A_2", ["NULL", "6"]),
        ("EventData_1", [r#"{"A":"4","B":"2","A_1":"3"}"#, "NULL"]),
        ("UserData", ["NULL", r#"{"X":{"A":"5"},"Y":{"A":"6"}}"#]),
    ] {
        assert_eq!(column(&table, name), values, "{name}");
    }
    assert_eq!(table.notes(), ["objects have 'A' more than once: the second is called with _2"]);
}

#[test]
fn stale_events_are_read_by_option() {
    let mut stale = events(5, 0);
    // The chunk now ends behind its second event.
    let size =
        |at: usize| u32::from_le_bytes([stale[at], stale[at + 1], stale[at + 2], stale[at + 3]]) as usize;
    let second = 512 + size(516);
    let end = second + size(second + 4);
    for (at, number) in [(16, 2), (32, 2), (44, second), (48, end)] {
        stale[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
    }
    seal(&mut stale);
    let log = file(&[stale]);
    let table = read_in_ways("a.evtx", &log);
    assert_eq!(column(&table, "Value"), ["0", "1"]);
    let options = ReadOptions { recovered: true, ..ReadOptions::default() };
    let table = read_by(&TestHost::new(2, usize::MAX), &[("a.evtx", &log)], &options).expect("a table");
    assert_eq!(column(&table, "Value"), ["0", "1", "2", "3", "4"]);
    assert_eq!(column(&table, "recovered"), ["false", "false", "true", "true", "true"]);
    assert!(table.columns().contains("recovered Boolean"), "{}", table.columns());
}

#[test]
fn chunks_are_counted_and_empty_ones_are_passed_over() {
    let log = file(&[events(3, 0), vec![0; CHUNK_SIZE], events(2, 3)]);
    let table = read_in_ways("a.evtx", &log);
    assert_eq!(column(&table, "Value"), ["0", "1", "2", "3", "4"]);
    assert_eq!((rejected(&table), table.notes()), (vec![], vec![]));
    // A value that does not fit is told with its chunk.
    let options =
        ReadOptions { types: vec![("Value".to_owned(), ColumnType::Boolean)], ..ReadOptions::default() };
    let table = read_by(&TestHost::new(2, 0), &[("a.evtx", &log)], &options).expect("a table");
    assert_eq!(rejected(&table).iter().map(|(chunk, _)| *chunk).collect::<Vec<_>>(), [1, 3, 3]);
}

#[test]
fn formats_meet() {
    let log = file(&[events(2, 0)]);
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(&log).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let carved = events(1, 7);
    let files: [(&str, &[u8]); 4] =
        [("a.evtx", &log), ("b.csv", b"Value,Computer\n5,pc5\n"), ("c.log.gz", &gzip), ("d.bin", &carved)];
    let table = read_by(&TestHost::new(2, usize::MAX), &files, &ReadOptions::default()).expect("a table");
    assert_eq!(column(&table, "Value"), ["0", "1", "5", "0", "1", "7"]);
    assert_eq!(column(&table, "Computer"), ["pc", "pc", "pc5", "pc", "pc", "pc"]);
    assert_eq!(rejected(&table), []);

    let read_as = |format, name: &str, bytes: &[u8]| {
        let options = ReadOptions { format: Some(format), ..ReadOptions::default() };
        let table = read_by(&TestHost::new(2, usize::MAX), &[(name, bytes)], &options);
        table.map(|table| table.rows.len()).map_err(|error: Error| error.to_string())
    };
    assert_eq!(read_as(Format::Evtx, "a", &gzip), Ok(2));
    assert_eq!(
        read_as(Format::Evtx, "b.csv", b"a\n1\n"),
        Err("'b.csv' is not a Windows event log: expected it to begin with ElfFile".to_owned())
    );
    assert_eq!(
        read_as(Format::Csv, "a.evtx", &log),
        Err("'a.evtx' is a Windows event log (EVTX), which is no text: leave out the format, or say format => 'evtx'"
            .to_owned())
    );
    let source = crate::BytesSource::new("c", gzip);
    assert_eq!(crate::content_of(&source), Ok(Content::EventLog));
}

#[test]
fn a_damaged_chunk_costs_no_other() {
    let mut log = file(&[events(3, 0), events(3, 3), events(3, 6)]);
    // The beginning of the second chunk.
    log[4096 + CHUNK_SIZE] = b'X';
    let table = read_in_ways("a.evtx", &log);
    assert_eq!(column(&table, "Value"), ["0", "1", "2", "6", "7", "8"]);
    let [(2, reason)] = rejected(&table)[..] else { panic!("{:?}", rejected(&table)) };
    assert!(reason.starts_with("the events of the chunk are lost: "), "{reason}");

    // The second event of a chunk, whose checksum is right.
    let mut second = events(3, 3);
    let size = u32::from_le_bytes([second[516], second[517], second[518], second[519]]) as usize;
    second[512 + size] = b'X';
    seal(&mut second);
    let table = read_in_ways("a.evtx", &file(&[events(3, 0), second.clone()]));
    assert_eq!(column(&table, "Value"), ["0", "1", "2", "3", "5"]);
    let [(2, reason)] = rejected(&table)[..] else { panic!("{:?}", rejected(&table)) };
    assert!(reason.contains("offset 0x"), "{reason}");
    assert_eq!(table.notes(), Vec::<String>::new());

    // The same with another checksum.
    second[52] ^= 1;
    let table = read_in_ways("a.evtx", &file(&[events(3, 0), second]));
    assert_eq!(table.rows.len(), 5);
    assert_eq!(
        table.notes(),
        [
            "chunk 2 has another checksum than it says, so it was changed or not finished; its events are read as they are"
        ]
    );
}

#[test]
fn what_is_left_of_a_file_that_is_cut_off_is_read() {
    let log = file(&[events(3, 0), events(40, 3)]);
    let ends = |bytes: usize| read_in_ways("a.evtx", &log[..bytes]);
    assert_eq!(ends(log.len()).rows.len(), 43);
    let table = ends(4096 + CHUNK_SIZE);
    assert_eq!(table.rows.len(), 3);
    assert_eq!(table.notes(), ["has 1 of the 2 chunks that its header tells of: its end is missing"]);
    let table = ends(4096 + CHUNK_SIZE + 20_000);
    assert!((10..43).contains(&table.rows.len()), "{}", table.rows.len());
    let (chunk, reason) = rejected(&table)[0];
    assert_eq!((chunk, reason), (2, "the chunk ends after 20000 of 65536 bytes, so events are missing"));
    for bytes in [8, 100, 4096] {
        let table = ends(bytes);
        assert_eq!((table.rows.len(), rejected(&table).len()), (0, 0));
        assert_eq!(table.notes(), ["ends within its header, before its first event"]);
    }
    // The same behind a compression.
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::none());
    gzip.write_all(&log[..100_000]).and_then(|()| gzip.flush()).expect("memory");
    let table = read_in_ways("a.evtx.gz", gzip.get_ref());
    assert!(table.rows.len() > 3, "{}", table.rows.len());
    assert!(table.report.rejected.iter().any(|rejected| rejected.reason.starts_with("is cut off: ")));
}

/// Numbers that look random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Flips bytes of a log, or cuts it, and reads it in two ways, which must agree.
fn mutate(log: &[u8], times: usize, seed: u64) {
    let mut random = Random(seed);
    let options = ReadOptions::default();
    for _ in 0..times {
        let mut bytes = log.to_vec();
        let mut done = String::new();
        for _ in 0..=random.below(3) {
            // Most of a chunk's meaning is in its first bytes.
            let end = if random.below(2) == 0 { bytes.len() } else { bytes.len().min(4096 + 4096) };
            let at = if end > 4096 { 4096 + random.below(end - 4096) } else { random.below(end) };
            let byte =
                [0, 0xFF, 1, bytes[at] ^ 1 << random.below(8), random.below(256) as u8][random.below(5)];
            bytes[at] = byte;
            write!(done, "[{at}] = {byte}; ").expect("text");
        }
        if random.below(8) == 0 {
            bytes.truncate(8 + random.below(bytes.len() - 8));
            write!(done, "{} bytes", bytes.len()).expect("text");
        }
        let files = [("a.evtx", bytes.as_slice())];
        let once = read_by(&TestHost::new(1, usize::MAX), &files, &options);
        let again = read_by(&TestHost::with_blocks(1, 2, 0), &files, &options);
        match (once, again) {
            (Ok(once), Ok(again)) => {
                assert_eq!(once.report, again.report, "{done}");
                assert_eq!(once.rows, again.rows, "{done}");
                assert_eq!(once.report.rows, once.rows.len() as u64, "{done}");
            }
            (once, again) => {
                assert_eq!(once.err(), again.err(), "{done}");
            }
        }
    }
}

#[test]
fn damaged_bytes_of_made_logs_end_in_rows_and_reasons() {
    mutate(&file(&[events(40, 0), events(3, 40)]), 1500, 7);
}

#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn damaged_bytes_of_real_logs_end_in_rows_and_reasons() {
    for (seed, (_, log)) in (1..).zip(logs()) {
        mutate(&log, 150, seed);
    }
}
