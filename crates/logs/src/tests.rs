//! Whole readings: files in, rows and an account out.

mod damaged;
mod properties;

use std::fmt::Write;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::{BytesSource, ColumnType, Error, Host, ReadOptions, Report, Result, Source, scan};

/// A host with a number of threads, a limit of memory, and blocks of some size.
pub(crate) struct TestHost {
    threads: usize,
    memory: usize,
    block_size: usize,
    used: AtomicUsize,
    stored: AtomicUsize,
}

impl TestHost {
    pub(crate) fn new(threads: usize, memory: usize) -> Arc<Self> {
        Self::with_blocks(4 << 20, threads, memory)
    }

    pub(crate) fn with_blocks(block_size: usize, threads: usize, memory: usize) -> Arc<Self> {
        let (used, stored) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { threads, memory, block_size, used, stored })
    }
}

impl Host for TestHost {
    fn threads(&self) -> usize {
        self.threads
    }

    fn try_grow(&self, bytes: usize) -> bool {
        self.used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
                (used + bytes <= self.memory).then_some(used + bytes)
            })
            .is_ok()
    }

    fn shrink(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
    }

    fn temporary_file(&self) -> Result<File> {
        tempfile::tempfile().map_err(|error| Error::new(error.to_string()))
    }

    fn grow_temporary(&self, bytes: usize) -> Result<()> {
        self.stored.fetch_add(bytes, Ordering::SeqCst);
        Ok(())
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn block_size(&self) -> usize {
        self.block_size
    }
}

/// A table as text: its columns with their types, its rows, and the account.
pub(crate) struct Table {
    pub(crate) schema: SchemaRef,
    pub(crate) rows: Vec<String>,
    pub(crate) report: Report,
    batches: Vec<RecordBatch>,
}

impl Table {
    pub(crate) fn columns(&self) -> String {
        let columns: Vec<String> = self
            .schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect();
        columns.join(", ")
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.report.notes.iter().map(|note| note.text.clone()).collect()
    }

    /// The values of each row; none for NULL.
    pub(crate) fn values(&self) -> Vec<Vec<Option<String>>> {
        self.batches.iter().flat_map(values).collect()
    }
}

pub(crate) fn read_by(host: &Arc<TestHost>, files: &[(&str, &[u8])], options: &ReadOptions) -> Result<Table> {
    let sources: Vec<Box<dyn Source>> = files
        .iter()
        .map(|(name, bytes)| Box::new(BytesSource::new(*name, *bytes)) as Box<dyn Source>)
        .collect();
    let scanned = scan(&sources, options, Arc::clone(host) as Arc<dyn Host>)?;
    let schema = scanned.schema();
    let mut batches = vec![];
    let report = scanned.batches(&mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    assert_eq!(host.used.load(Ordering::SeqCst), 0, "memory is given back");
    Ok(Table { schema, rows: batches.iter().flat_map(rows).collect(), report, batches })
}

fn read_with(files: &[(&str, &[u8])], options: &ReadOptions) -> Table {
    read_by(&TestHost::new(2, usize::MAX), files, options).expect("a table")
}

fn read(name: &str, text: impl AsRef<[u8]>) -> Table {
    read_with(&[(name, text.as_ref())], &ReadOptions::default())
}

fn values(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let options = FormatOptions::new();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).expect("a formatter"))
        .collect();
    let value = |row, (array, column): (&ArrayRef, &ArrayFormatter<'_>)| {
        array.is_valid(row).then(|| column.value(row).to_string())
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().zip(&columns).map(|column| value(row, column)).collect())
        .collect()
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).expect("a formatter"))
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

#[test]
fn text_stays_text() {
    let table = read("ids.csv", "serial,hash\n007,1e345678\n042,12345678\n");
    assert_eq!(table.columns(), "serial Utf8View, hash Utf8View");
    assert_eq!(table.rows, ["007|1e345678", "042|12345678"]);
}

#[test]
fn the_last_row_decides() {
    let mut csv = "time,n\n".to_string();
    for second in 0..2000 {
        writeln!(csv, "2025-01-01 00:{:02}:{:02},{second}", second / 60 % 60, second % 60).expect("text");
    }
    let seconds = read("a.csv", &csv);
    assert_eq!(seconds.columns(), "time Timestamp(s), n Int64");
    let fraction = read("a.csv", format!("{csv}2025-01-02 00:00:00.750,x\n"));
    assert_eq!(fraction.columns(), "time Timestamp(ms), n Utf8View");
    assert_eq!(fraction.rows.last().map(String::as_str), Some("2025-01-02T00:00:00.750|x"));

    let mut json = "{\"a\":1}\n".repeat(1500);
    json += "{\"a\":2,\"late\":\"x\"}";
    let table = read("late.json", json);
    assert_eq!(table.columns(), "a Int64, late Utf8View");
    assert_eq!(table.rows.last().map(String::as_str), Some("2|x"));
}

#[test]
fn columns_meet_by_name() {
    let files: [(&str, &[u8]); 3] = [
        ("1.csv", b"time,host,user\n2025-01-01 00:00:00,srv1,amy\n"),
        ("2.csv", b"time,user,host\n2025-01-02 00:00:00,bob,srv2\n"),
        ("3.json", b"{\"host\":\"srv3\",\"port\":22}"),
    ];
    let table = read_with(&files, &ReadOptions { file_column: true, ..ReadOptions::default() });
    assert_eq!(
        table.columns(),
        "_file Utf8View, time Timestamp(s), host Utf8View, user Utf8View, port Int64"
    );
    assert_eq!(
        table.rows,
        [
            "1.csv|2025-01-01T00:00:00|srv1|amy|NULL",
            "2.csv|2025-01-02T00:00:00|srv2|bob|NULL",
            "3.json|NULL|srv3|NULL|22"
        ]
    );
}

#[test]
fn content_says_what_a_file_is() {
    for name in ["a.jsonl", "a.ndjson", "a.log", "a.txt", "a", "a.csv"] {
        assert_eq!(read(name, "{\"n\":1}\n").rows, ["1"], "{name}");
    }
    assert_eq!(read("a.tsv", "a\tb\n1\t2\n").rows, ["1|2"]);
    assert_eq!(read("t.csv", "a\tb\n1\t2\n").rows, ["1|2"]);
    assert_eq!(read("a[1].csv", "a\n1\n").rows, ["1"]);
    assert_eq!(read("s.csv", "time;cmd\n2025-01-01 09:00:00;a\n").rows, ["2025-01-01T09:00:00|a"]);
    assert_eq!(read("flow.csv", "src bytes\n192.0.2.1 10\n- -\n").rows, ["192.0.2.1|10", "NULL|NULL"]);
}

#[test]
fn times_are_times() {
    let offsets = "{\"time\":\"2025-01-01T09:00:00+02:00\",\"cmd\":\"run a\"}
{\"time\":\"2025-01-01T08:30:00Z\",\"cmd\":\"run b\"}
{\"time\":\"2025-01-01T01:00:00-08:00\",\"cmd\":\"run c\"}
";
    let table = read("offsets.json", offsets);
    assert_eq!(table.columns(), "time Timestamp(s, \"UTC\"), cmd Utf8View");
    assert_eq!(
        table.rows,
        ["2025-01-01T07:00:00Z|run a", "2025-01-01T08:30:00Z|run b", "2025-01-01T09:00:00Z|run c"]
    );
    let portal = "time,cmd\n\"9/30/2025, 9:43:21.990 AM\",run a\n\"10/1/2025, 12:43:21.990 AM\",run b\n\"10/1/2025, 1:43:21.990 PM\",run c\n";
    assert_eq!(
        read("portal.csv", portal).rows,
        ["2025-09-30T09:43:21.990|run a", "2025-10-01T00:43:21.990|run b", "2025-10-01T13:43:21.990|run c"]
    );
    assert_eq!(read("ampm.csv", "time,cmd\n2025-01-01 09:00:00 AM,a\n").rows, ["2025-01-01T09:00:00|a"]);
    let table = read("quiet.csv", "time,cmd\n");
    assert_eq!(table.columns(), "time Timestamp(s), cmd Utf8View");
    assert_eq!(table.report.rows, 0);
}

#[test]
fn newlines_in_quotes_are_data() {
    let note = "x\n".repeat(9000);
    let row = format!("\"{note}\",1\n");
    let table = read("m.csv", format!("note,n\n{}", row.repeat(300)));
    assert_eq!(table.rows.len(), 300);
    assert!(table.rows.iter().all(|row| *row == format!("{note}|1")));
}

#[test]
fn threads_and_memory_change_nothing() {
    let mut csv = "folder,note\n".to_string();
    for row in 0..60_000 {
        writeln!(csv, "\"C:\\dir\\{row}\",\"line one\nx,y {}\"", "z".repeat(row % 300)).expect("text");
    }
    let mut json = String::new();
    for row in 0..60_000 {
        writeln!(json, "{{\"folder\":{row},\"late{}\":\"a\\\\b\",\"t\":{{\"x\":[{row}]}}}}", row / 50_000)
            .expect("text");
    }
    let files: [(&str, &[u8]); 3] =
        [("a.csv", csv.as_bytes()), ("b.json", json.as_bytes()), ("c.csv", csv.as_bytes())];
    let options = ReadOptions::default();
    let once = read_by(&TestHost::new(1, usize::MAX), &files, &options).expect("a table");
    assert_eq!(once.rows.len(), 180_000);
    for (threads, memory) in [(2, usize::MAX), (8, usize::MAX), (16, 0), (1, 0), (3, 20_000_000)] {
        let host = TestHost::new(threads, memory);
        let again = read_by(&host, &files, &options).expect("a table");
        assert_eq!(host.stored.load(Ordering::SeqCst) > 0, memory < usize::MAX);
        assert_eq!(again.schema, once.schema, "{threads} threads");
        assert_eq!(again.report, once.report, "{threads} threads");
        assert!(again.rows == once.rows, "{threads} threads");
    }
}

/// Columns beyond the header come in their order, also if an early block has values for a late one only.
#[test]
fn blocks_do_not_order_columns() {
    let mut csv = "a,b\n".to_string();
    for row in 0..400_000 {
        let extra = if row < 300_000 { ",,7" } else { "3,4,5" };
        writeln!(csv, "{row},x,{extra}").expect("text");
    }
    let table = read("a.csv", csv);
    assert_eq!(table.columns(), "a Int64, b Utf8View, column_3 Int64, column_4 Int64, column_5 Int64");
    assert_eq!(table.rows.first().map(String::as_str), Some("0|x|NULL|NULL|7"));
}

#[test]
fn json_in_every_form() {
    let forms: [&[u8]; 6] = [
        b"[{\"n\":1},{\"n\":2}]",
        b"[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]\n",
        b"{\"n\":1}{\"n\":2}",
        b"\xEF\xBB\xBF{\"n\":1}\n{\"n\":2}\n",
        b"{\"Records\":[{\"n\":1},{\"n\":2}]}",
        b"{\n \"n\": 1\n}\n{\n \"n\": 2\n}",
    ];
    for form in forms {
        let table = read("a.json", form);
        assert_eq!(table.columns(), "n Int64", "{}", String::from_utf8_lossy(form));
        assert_eq!(table.rows, ["1", "2"], "{}", String::from_utf8_lossy(form));
    }
}

#[test]
fn encodings_are_found() {
    let utf16: Vec<u8> =
        "\u{feff}time,cmd\r\n2025-01-01 00:00:00,a\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("utf16.csv", utf16).rows, ["2025-01-01T00:00:00|a"]);
    let table = read("latin.csv", b"user,n\nM\xfcller,1\n");
    assert_eq!(table.rows, ["M\u{fc}ller|1"]);
    assert!(table.notes().iter().any(|note| note.contains("Windows-1252")), "{:?}", table.notes());
}

#[test]
fn what_is_no_record_is_rejected_and_kept() {
    let table = read("a.json", "{\"n\":1}\n{\"n\":\n{\"n\":3}\n");
    assert_eq!(table.rows, ["1", "3"]);
    let [rejected] = table.report.rejected.as_slice() else { panic!("{:?}", table.report.rejected) };
    assert_eq!((rejected.file.as_str(), rejected.line), ("a.json", 2));
    let table = read("a.csv", "a,b\n1,2\n1,2,3\n4,5\n6\n");
    assert_eq!(table.rows, ["1|2", "4|5", "6|NULL"]);
    let [rejected] = table.report.rejected.as_slice() else { panic!("{:?}", table.report.rejected) };
    assert_eq!((rejected.line, rejected.text.as_str()), (3, "1,2,3"));
    assert!(
        table.notes().iter().any(|note| note.contains("1 row(s) have fewer fields")),
        "{:?}",
        table.notes()
    );
}

#[test]
fn values_are_rejected_in_the_order_of_rows_whatever_the_blocks() {
    let files: [(&str, &[u8]); 2] =
        [("a.csv", b"a,b\r1,x\ry,z\r"), ("b.json", b"{\"a\":1,\"b\":\"x\"}{\"a\":\"y\"}\n\n{\"b\":\"z\"}")];
    let integer = |name: &str| (name.to_owned(), ColumnType::Integer);
    let options = ReadOptions { types: vec![integer("a"), integer("b")], ..ReadOptions::default() };
    for block_size in [1, 8, 4 << 20] {
        let table = read_by(&TestHost::with_blocks(block_size, 2, 0), &files, &options).expect("a table");
        let rejected: Vec<(u64, &str)> =
            table.report.rejected.iter().map(|rejected| (rejected.line, rejected.text.as_str())).collect();
        assert_eq!(
            rejected,
            [(2, "x"), (3, "y"), (3, "z"), (1, "x"), (1, "y"), (3, "z")],
            "blocks of {block_size}"
        );
    }
}

/// Reads a file in blocks of several sizes, which must agree.
fn read_in_blocks(name: &str, text: &str, options: &ReadOptions) -> Table {
    let files = [(name, text.as_bytes())];
    let once = read_with(&files, options);
    for block_size in [1, 9, 64] {
        let again = read_by(&TestHost::with_blocks(block_size, 3, 0), &files, options).expect("a table");
        assert_eq!((&again.schema, &again.rows), (&once.schema, &once.rows), "blocks of {block_size}");
        assert_eq!(again.report, once.report, "blocks of {block_size}");
    }
    once
}

#[test]
fn half_of_a_surrogate_pair_that_is_replaced_is_told() {
    let text = "{\"s\":\"a\\ud800\",\"o\":{\"p\":\"\\udc00\"},\"m\":1,\"l\":[\"x\"]}\n\
                {\"s\":\"\\ud83d\\ude00 \\\\ud800\",\"o\":{\"p\":\"x\"},\"m\":\"x\",\"l\":[\"\\ud800\",\"\\ud800\"]}\n\
                {\"s\":\"\\uDFFF\",\"m\":[\"\\ud800\"]}\n";
    let table = read_in_blocks("a.json", text, &ReadOptions::default());
    assert_eq!(
        table.rows,
        [
            "a\u{fffd}|{p: \u{fffd}}|1|[x]",
            "😀 \\ud800|{p: x}|\"x\"|[\u{fffd}, \u{fffd}]",
            "\u{fffd}|NULL|[\"\\ud800\"]|NULL"
        ]
    );
    let end = r"with half of a surrogate pair, such as \ud800, which is no letter: it became U+FFFD";
    // A column of JSON text has the escape as it was written.
    assert_eq!(
        table.notes(),
        [
            format!("'s' has 2 values {end}"),
            format!("'o.p' has a value {end}"),
            format!("'l[]' has 2 values {end}")
        ]
    );
    let options = ReadOptions { types: vec![("s".to_owned(), ColumnType::Text)], ..ReadOptions::default() };
    assert_eq!(read_in_blocks("a.json", text, &options).notes(), table.notes());
}

#[test]
fn members_that_an_object_has_twice_are_told() {
    let text = "{\"o\":{\"a\":1,\"a\":2}}\n{\"o\":{\"a\":3}}\n";
    let table = read_in_blocks("a.json", text, &ReadOptions::default());
    assert_eq!(table.rows, ["{a: 1, a_2: 2}", "{a: 3, a_2: NULL}"]);
    assert_eq!(table.notes(), ["in 'o', objects have 'a' more than once: the second is called with _2"]);
}

#[test]
fn a_type_that_a_file_declares_holds_every_value_or_is_not_taken() {
    let text = "#separator \\x09\n#fields\tn\tm\td\tb\n#types\tcount\tcount\tdouble\tbool\n\
                18446744073709551615\t7\t0.5\tT\n1\t-\t0.12345678901234567\tF\n2\t8\t1.0\tx\n";
    let table = read_in_blocks("conn.log", text, &ReadOptions::default());
    assert_eq!(table.columns(), "n Utf8View, m Int64, d Utf8View, b Utf8View");
    assert_eq!(
        table.rows,
        ["18446744073709551615|7|0.5|true", "1|NULL|0.12345678901234567|false", "2|8|1.0|x"]
    );
    assert_eq!(table.report.rejected, []);
    let told = |name: &str, declared: &str| {
        format!(
            "'{name}' is not read as {declared}, which its file declares, since that does not hold all of its values"
        )
    };
    assert_eq!(table.notes(), [told("n", "BIGINT"), told("d", "DOUBLE"), told("b", "BOOLEAN")]);
    // A type that the caller orders is taken.
    let options =
        ReadOptions { types: vec![("n".to_owned(), ColumnType::Integer)], ..ReadOptions::default() };
    assert_eq!(read_in_blocks("conn.log", text, &options).report.rejected.len(), 1);
}

#[test]
fn a_value_that_is_no_time_names_the_option_that_reads_the_others() {
    let told = |name: &str, shown: &str| {
        let table = read("a.csv", format!("{name},x\n2025-01-01 00:00:00,1\nsoon,2\n"));
        let start = format!(
            "'{shown}' stays text, since 'soon' is not a time with a date and a year of four digits; types => {{"
        );
        let notes = table.notes();
        let note = notes.iter().find_map(|note| note.strip_prefix(&start)).map(str::to_owned);
        note.unwrap_or_else(|| panic!("{notes:?}"))
    };
    let end = ": 'TIMESTAMP'} rejects such values";
    assert_eq!(told("time", "time"), format!("time{end}"));
    assert_eq!(told("\"event \"\"time\"", "event \"time"), format!("\"event \"\"time\"{end}"));
    let options = ReadOptions {
        types: vec![("time".to_owned(), ColumnType::of_sql_name("TIMESTAMP").expect("a type"))],
        ..ReadOptions::default()
    };
    let table = read_with(&[("a.csv", b"time,x\n2025-01-01 00:00:00,1\nsoon,2\n")], &options);
    assert_eq!(table.rows, ["2025-01-01T00:00:00|1", "NULL|2"]);
    assert_eq!(table.report.rejected.len(), 1);
}
