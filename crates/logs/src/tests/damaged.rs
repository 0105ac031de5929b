//! Compressed files that are damaged or cut off.

use std::io::Write as _;

use super::*;

/// A gzip file whose text can be read up to the end of `text`, and no further.
fn cut_off(text: &str) -> Vec<u8> {
    let mut file = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).expect("memory");
    file.get_ref().clone()
}

/// Reads files in many ways, which must agree.
fn read_files(files: &[(&str, &[u8])]) -> Table {
    let options = ReadOptions::default();
    let once = read_by(&TestHost::new(1, usize::MAX), files, &options).expect("a table");
    for (block_size, threads, memory) in [(1, 1, usize::MAX), (7, 3, 0), (64, 2, usize::MAX), (4096, 4, 0)] {
        let host = TestHost::with_blocks(block_size, threads, memory);
        let again = read_by(&host, files, &options).expect("a table");
        assert_eq!(again.schema, once.schema, "blocks of {block_size}");
        assert_eq!(again.report, once.report, "blocks of {block_size}");
        assert_eq!(again.rows, once.rows, "blocks of {block_size}");
    }
    once
}

/// The rows of a file that is cut off, and the line and the text of the record that was cut.
fn read_cut(name: &str, text: &str) -> (Vec<String>, Vec<(u64, String)>) {
    let file = cut_off(text);
    let table = read_files(&[(name, &file)]);
    let reason = format!("is cut off: its gzip data ends in the middle, after byte {}", file.len());
    let notes = table.notes();
    assert!(
        notes.iter().any(|note| note.starts_with(&format!("{reason}; the {} bytes", text.len()))),
        "{notes:?}"
    );
    let rejected = table.report.rejected.iter();
    assert_eq!(
        rejected.clone().filter(|rejected| rejected.reason == reason).count(),
        1,
        "{:?}",
        table.report.rejected
    );
    (table.rows.clone(), rejected.map(|rejected| (rejected.line, rejected.text.clone())).collect())
}

#[test]
fn rows_before_the_cut_are_read_and_the_cut_record_is_rejected() {
    let rejected = |line: u64, text: &str| vec![(line, text.to_owned())];
    let cases = [
        ("a.csv", "a,b\n1,2\n3,4\n5,6", vec!["1|2", "3|4"], rejected(4, "5,6")),
        ("a.csv", "a,b\n1,2\n3,4\n", vec!["1|2", "3|4"], rejected(4, "")),
        ("a.csv", "a,b\n1,x\n3,\"y\nz\nu", vec!["1|x"], rejected(3, "3,\"y\nz\nu")),
        ("a.csv", "a,b\r1,2\r3,4\r5,6", vec!["1|2", "3|4"], rejected(4, "5,6")),
        ("a.log", "{\"n\":1}\n{\"n\":2}\n{\"n\":3", vec!["1", "2"], rejected(3, "{\"n\":3")),
        ("a.log", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}", vec!["1", "2", "3"], rejected(3, "")),
        ("a.log", "[{\"n\":1},\n{\"n\":2},\n{\"n\":3", vec!["1", "2"], rejected(3, "{\"n\":3")),
        (
            "a.log",
            "{\n \"n\": 1\n}\n{\n \"n\": [\n  {\"m\":1},\n  {\"m\":2",
            vec!["1"],
            rejected(4, "{\n \"n\": [\n  {\"m\":1},\n  {\"m\":2"),
        ),
        ("a.log", "{\"Records\":[{\"n\":1},{\"n\":2},{\"n\":3", vec!["1", "2"], rejected(1, ",{\"n\":3")),
        ("a.log", "one\ntwo\nthr", vec!["one", "two"], rejected(3, "thr")),
        (
            "a.log",
            "#separator \\x09\n#fields\ta\tb\n#types\tstring\tcount\nx\t1\ny\t2\nz\t3",
            vec!["x|1", "y|2"],
            rejected(6, "z\t3"),
        ),
        ("a.log", "#Version: 1.0\n#Fields: a b\n1 2\n3 4\n5 6", vec!["1|2", "3|4"], rejected(5, "5 6")),
    ];
    for (name, text, rows, rejected) in cases {
        let (read, cut) = read_cut(name, text);
        assert_eq!(read, rows, "{text}");
        assert_eq!(cut, rejected, "{text}");
    }
}

#[test]
fn a_quote_far_before_the_cut_swallows_no_rows() {
    let lines = "2,y\n".repeat(30_000);
    let (rows, rejected) = read_cut("a.csv", &format!("a,b\n1,\"x\n{lines}3,z"));
    assert_eq!(rows.len(), 30_000);
    assert_eq!(rejected, [(2, "1,\"x".to_owned()), (30_003, "3,z".to_owned())]);
}

#[test]
fn a_damaged_file_does_not_end_the_reading_of_others() {
    let cut = cut_off("n,t\n2,b\n3,c");
    let files: [(&str, &[u8]); 3] =
        [("1.csv", b"n,t\n1,a\n"), ("2.csv.gz", &cut), ("3.csv", b"n,t\n4,d\n5\n")];
    let table = read_files(&files);
    assert_eq!(table.rows, ["1|a", "2|b", "4|d", "5|NULL"]);
    let [rejected] = table.report.rejected.as_slice() else { panic!("{:?}", table.report.rejected) };
    assert_eq!((rejected.file.as_str(), rejected.line, rejected.text.as_str()), ("2.csv.gz", 3, "3,c"));
    let note = table.report.notes.iter().find(|note| note.text.starts_with("is cut off"));
    assert_eq!(note.and_then(|note| note.file.as_deref()), Some("2.csv.gz"));
}

/// Damaged bytes may become any text, also long before they make no sense.
#[test]
fn no_row_of_a_file_with_damaged_bytes_is_taken() {
    let mut csv = "n,t\n".to_string();
    for row in 0..100_000_u64 {
        writeln!(csv, "{row},{}", row * 7919 % 10_007).expect("text");
    }
    let mut file = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    file.write_all(csv.as_bytes()).expect("memory");
    let mut file = file.finish().expect("memory");
    let at = file.len() / 2;
    file[at..at + 50].fill(0xFF);
    let options = ReadOptions::default();
    for (block_size, memory) in [(4 << 20, usize::MAX), (10_000, usize::MAX), (10_000, 0)] {
        let host = TestHost::with_blocks(block_size, 3, memory);
        let error = read_by(&host, &[("a.csv.gz", &file)], &options).err().expect("damage").to_string();
        assert!(error.starts_with("'a.csv.gz' is damaged: its gzip data makes no sense at byte "), "{error}");
        assert!(
            error.ends_with("none of its rows is read: copy it again; zcat gives what there is"),
            "{error}"
        );
        assert_eq!(host.used.load(Ordering::SeqCst), 0, "memory is given back");

        let host = TestHost::with_blocks(block_size, 3, memory);
        let files: [(&str, &[u8]); 2] = [("a.csv.gz", &file), ("b.csv", b"x\n1\n")];
        let table = read_by(&host, &files, &options).expect("a table");
        assert_eq!((table.columns().as_str(), table.rows.as_slice()), ("x Int64", &["1".to_owned()][..]));
        assert_eq!((table.report.rows, table.report.files), (1, 2));
        let [rejected] = table.report.rejected.as_slice() else { panic!("{}", table.report.rejected.len()) };
        assert!(rejected.file == "a.csv.gz" && rejected.reason.starts_with("is damaged: "), "{rejected:?}");
        let notes = table.notes();
        assert!(notes.len() == 1 && notes[0].starts_with(&rejected.reason), "{notes:?}");
    }
}
