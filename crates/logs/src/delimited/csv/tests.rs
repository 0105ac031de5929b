use std::fmt::Write as _;

use proptest::prelude::*;

use super::csv;
use super::cut::{Patience, RecordCutter};
use super::field::Form;
use crate::Format;
use crate::delimited::tests::{Table, read, read_pieces};
use crate::options::ReadOptions;
use crate::records::Dialect;

fn named(text: &str, name: &str) -> (Table, Vec<String>) {
    let open = || csv(text.as_bytes(), true, name, &ReadOptions::default()).expect("CSV");
    (read(open, text), open().notes)
}

/// A text that is found in a file `x.csv`.
fn read_csv(text: &str) -> Table {
    named(text, "x.csv").0
}

fn notes(text: &str) -> Vec<String> {
    named(text, "x.csv").1
}

fn with(options: &ReadOptions, text: &str) -> Table {
    read(|| csv(text.as_bytes(), true, "x.log", options).expect("CSV"), text)
}

/// The delimiter of a text in a file, `\n` for one column.
fn delimiter(text: &str, name: &str) -> Option<char> {
    let dialect = csv(text.as_bytes(), true, name, &ReadOptions::default())?;
    let names: Vec<_> = dialect.declared.iter().map(|(name, _)| name.to_string()).collect();
    let columns = names.len();
    let read = |delimiter| {
        let options = ReadOptions { delimiter: Some(delimiter), ..ReadOptions::default() };
        let other = csv(text.as_bytes(), true, name, &options).expect("CSV");
        other.declared.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>() == names
    };
    if columns == 1 {
        return Some('\n');
    }
    [b',', b';', b'\t', b'|', b' '].into_iter().find(|delimiter| read(*delimiter)).map(char::from)
}

#[test]
fn records_are_rows() {
    let table = read_csv("time,cmd\n2025-01-01 00:00:00,a\n2025-01-02 00:00:00,\"b, \"\"c\"\"\nd\"\n,\n");
    assert_eq!(table.names(), ["cmd", "time"]);
    assert_eq!(table.column("time"), ["2025-01-01 00:00:00", "2025-01-02 00:00:00", "NULL"]);
    assert_eq!(table.column("cmd"), ["a", "b, \"c\"\nd", "NULL"]);
    assert_eq!(table.lines, [2, 3, 5]);
    assert_eq!((table.short_rows, table.rejected), (0, vec![]));
}

#[test]
fn all_line_ends_are_known() {
    for text in [
        "n,t\n1,a\n2,b\n",
        "n,t\n1,a\n2,b",
        "n,t\r\n1,a\r\n2,b\r\n",
        "n,t\r\n1,a\r\n2,b\r",
        "n,t\r1,a\r2,b",
        "n,t\n\n1,a\n  \n\r\n2,b\n\n",
    ] {
        let table = read_csv(text);
        assert_eq!(table.column("n"), ["1", "2"], "{text:?}");
        assert_eq!(table.column("t"), ["a", "b"], "{text:?}");
        assert_eq!(table.rejected, []);
    }
}

#[test]
fn short_rows_have_null_and_long_ones_are_rejected() {
    let table = read_csv("a,b,c\n1,2,3\n4\n5,6\n7,8,9,,\n1,2,3,4\n1,2,3,,5\n6,7,8\n");
    assert_eq!(table.column("a"), ["1", "4", "5", "7", "6"]);
    assert_eq!(table.column("c"), ["3", "NULL", "NULL", "9", "8"]);
    assert_eq!(table.short_rows, 2);
    let reason = |got| format!("expected 3 fields, got {got}");
    assert_eq!(table.rejected, [(6, "1,2,3,4".to_owned(), reason(4)), (7, "1,2,3,,5".to_owned(), reason(5))]);
}

#[test]
fn a_row_that_lacks_almost_everything_is_rejected() {
    let text = format!("{}\n1,2\n{}\n", vec!["a"; 1000].join(","), vec!["2"; 900].join(","));
    let mut dialect = csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
    let table = read_pieces(&mut dialect, text.as_bytes(), text.len());
    assert_eq!((table.lines, table.short_rows), (vec![3], 1));
    assert_eq!(table.rejected, [(2, "1,2".to_owned(), "expected 1000 fields, got 2".to_owned())]);
}

#[test]
fn a_trailing_delimiter_is_no_column_unless_it_has_values() {
    let table = read_csv("a,b,\n1,2,\n3,4,\n");
    assert_eq!((table.names(), table.short_rows), (vec!["a", "b"], 0));
    let table = read_csv("a,b,\n1,2,\n3,4,x\n");
    assert_eq!(table.column("column_3"), ["NULL", "x"]);
    let dialect = csv(b"a,b,\n1,2,\n", true, "x.csv", &ReadOptions::default()).expect("CSV");
    assert_eq!(dialect.declared.len(), 2);
}

#[test]
fn names_are_trimmed_and_unique() {
    let table = read_csv(" time , user name,a,a,a_2,,a,\n2025-01-01,x,1,2,3,4,5,\n");
    assert_eq!(table.names(), ["a", "a_2", "a_3", "a_4", "column_6", "time", "user name"]);
    assert_eq!(
        (table.column("a_3"), table.column("a_2"), table.column("a_4")),
        (vec!["2"], vec!["3"], vec!["5"])
    );
    assert_eq!(notes("a,a,b\n1,2,3\n"), ["the header names 'a' more than once: column 2 is 'a_2'"]);
    assert_eq!(table_names("\"x\ny\",\"a\"\"b\"\n1,2\n"), ["a\"b", "x\ny"]);
}

fn table_names(text: &str) -> Vec<String> {
    read_csv(text).names().into_iter().map(str::to_owned).collect()
}

#[test]
fn many_doubled_names_take_no_time() {
    let text = format!("{}a\n{}2\n", "a,".repeat(60_000), "1,".repeat(60_000));
    let (columns, notes) = super::header::columns_of(&vec!["a".to_owned(); 60_000]);
    assert_eq!((columns.names.len(), notes.len()), (60_000, 9));
    assert_eq!(
        csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).map(|found| found.declared.len()),
        Some(60_001)
    );
}

#[test]
fn a_header_alone_has_columns_and_no_rows() {
    for text in ["time,cmd\n", "time,cmd", "time,cmd\r\n", "time\tcmd\n"] {
        let dialect = csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
        let names: Vec<_> = dialect.declared.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["time", "cmd"], "{text:?}");
        assert_eq!(read_csv(text), Table::default());
    }
}

#[test]
fn a_first_record_of_values_is_no_header() {
    for text in [
        "2025-01-01 00:00:00,amy,1\n2025-01-01 00:00:01,bob,2\n",
        "192.0.2.1,amy,x\n192.0.2.2,bob,y\n",
        "a,true,x\nb,false,y\n",
        "fe80::1,a,x\nfe80::2,b,y\n",
        "Jan 15 10:05:00,a,b\nJan 15 10:05:01,c,d\n",
        "amy,login,b\nbob,logout,c\namy,login,d\n",
    ] {
        let (table, notes) = named(text, "x.csv");
        assert_eq!(table.names(), ["column_1", "column_2", "column_3"], "{text:?}");
        assert_eq!(table.lines.first(), Some(&1));
        assert!(notes.iter().any(|note| note.contains("header => true")), "{notes:?}");
    }
    assert_eq!(table_names("Account,LogonType\namy,3.0\nbob,\n"), ["Account", "LogonType"]);
    assert_eq!(table_names(",a,b\n0,1,2\n"), ["a", "b", "column_1"]);
    assert_eq!(table_names("Flow Bytes/s,port\nInfinity,1\n12.5,2\n"), ["Flow Bytes/s", "port"]);
    assert_eq!(
        table_names("@timestamp,src.ip,Event ID (no.)\nx,y,z\n"),
        ["@timestamp", "Event ID (no.)", "src.ip"]
    );
}

#[test]
fn the_caller_decides_about_the_header() {
    let header =
        |header| ReadOptions { header: Some(header), format: Some(Format::Csv), ..ReadOptions::default() };
    let told = with(&header(true), "1,2\n3,4\n");
    assert_eq!((told.column("1"), told.column("2")), (vec!["3"], vec!["4"]));
    let told = with(&header(false), "a,b\n3,4\n");
    assert_eq!(told.column("column_1"), ["a", "3"]);
}

#[test]
fn one_column_is_a_table_if_the_name_says_so() {
    assert_eq!(read_csv("n\n1\n\n2\n").column("n"), ["1", "2"]);
    assert_eq!(
        read_csv("message\nhello, world\n\"two\nlines\"\na, b, c\n").column("message"),
        ["hello, world", "two\nlines", "a, b, c"]
    );
    assert_eq!(named("a\n1\n", "a[1].CSV.GZ").0.column("a"), ["1"]);
    assert_eq!(read_csv("1\n2\n").column("column_1"), ["1", "2"]);
    assert!(csv(b"n\n1\n2\n", true, "x.log", &ReadOptions::default()).is_none());
    assert!(csv(b"n\n1\n2\n", true, "csv", &ReadOptions::default()).is_none());
}

#[test]
fn delimiters_are_found() {
    for (text, name, expected) in [
        ("time;cmd\n2025-01-01 09:00:00;a\n", "x.csv", ';'),
        ("name;value\na;1,5\nb;2,5\n", "x.csv", ';'),
        ("1,5;2,5\n3,5;4,5\n", "x.csv", ';'),
        ("a\tb\n1\t2\n", "x.csv", '\t'),
        ("a\tb\n1\t2\n", "x.txt", '\t'),
        ("a|b|c\n1|2|3\n", "x.log", '|'),
        ("\"a;b\",\"c;d\"\n\"1;2\",\"3;4\"\n", "x.csv", ','),
        ("\"a\",\"b\"\n\"x;y;z\",\"1\"\n\"x\ty\",\"2\"\n", "x.csv", ','),
        ("id,tags\n1,a;b\n2,c;d\n", "x.csv", ','),
        ("1,a;b\n2,c;d\n", "x.csv", ','),
        ("src bytes\n192.0.2.1 10\n- -\n", "x.csv", ' '),
        ("version account-id srcaddr\n2 12 192.0.2.1\n2 12 -\n", "x.log", ' '),
        ("src bytes\n- -\n", "x.csv", ' '),
        ("full name\namy smith\nbob jones\n", "x.csv", '\n'),
        ("a,b\n1,2\n", "x.log", ','),
        ("user,host\namy,srv1\nbob,srv2\n", "x.txt", ','),
        ("2025-01-01,amy,1\n2025-01-02,bob,2\n2025-01-03,eve,3\n", "x.log", ','),
    ] {
        assert_eq!(delimiter(text, name), Some(expected), "{text:?}");
    }
}

#[test]
fn prose_and_logs_are_no_tables() {
    for text in [
        "Hello, world of logs\nThis, however, is text\n",
        "In the beginning, there was light\nIt was good, they said\n",
        "Jan 15 10:05:00 host app: a, b\nJan 15 10:05:01 host app: c, d\nJan 15 10:05:02 host app: e, f\n",
        "2025-01-01 09:00:00,123 INFO starting\n2025-01-01 09:00:01,456 INFO done\n2025-01-01 09:00:02,789 INFO x\n",
        "time=1,user=amy\ntime=2,user=bob\ntime=3,user=eve\n",
        "hello world\nfoo bar\n",
        "{\"a\":1,\n\"b\":2,\n\"c\":3,\n",
        "<a>1,2</a>\n<a>3,4</a>\n<a>5,6</a>\n",
        "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 23\n192.0.2.1 - - [10/Oct/2000:13:55:37 -0700] \"GET /b HTTP/1.0\" 200 23\n192.0.2.1 - - [10/Oct/2000:13:55:38 -0700] \"GET /c HTTP/1.0\" 200 23\n",
        "2025-01-01 09:00:00 | INFO     | app - a\n2025-01-01 09:00:01 | INFO     | app - b\n2025-01-01 09:00:02 | INFO     | app - c\n",
        "one line\n",
        "INFO, a\nWARN, b\nINFO, c\n",
        "    total, used\n\tfree, none\n",
        "a,b\n",
        "\n\n",
        "",
    ] {
        assert!(csv(text.as_bytes(), true, "x.log", &ReadOptions::default()).is_none(), "{text:?}");
    }
}

#[test]
fn the_caller_decides_about_the_delimiter() {
    let tab = ReadOptions { delimiter: Some(b'\t'), ..ReadOptions::default() };
    assert_eq!(with(&tab, "a\tb\n1\t2\n").column("b"), ["2"]);
    assert_eq!(with(&tab, "a,b\n1,2\n").column("a,b"), ["1,2"]);
    let caret = ReadOptions { delimiter: Some(b'^'), ..ReadOptions::default() };
    assert_eq!(with(&caret, "a^b\n1^2\n").column("b"), ["2"]);
}

#[test]
fn a_dash_is_null_between_spaces_only() {
    let table = read_csv("src bytes\n192.0.2.1 10\n- -\n\"-\" 1\n");
    assert_eq!(
        (table.column("src"), table.column("bytes")),
        (vec!["192.0.2.1", "NULL", "-"], vec!["10", "NULL", "1"])
    );
    assert_eq!(read_csv("src,bytes\n192.0.2.1,10\n-,-\n").column("bytes"), ["10", "-"]);
}

#[test]
fn marks_and_comments_are_passed_over() {
    let (table, notes) =
        named("#TYPE System.Diagnostics.Process\r\n\"Name\",\"Id\"\r\n\"a\",\"1\"\r\n#b,2\r\n", "x.csv");
    assert_eq!(table.column("Name"), ["a", "#b"]);
    assert_eq!(notes.len(), 1);
    assert_eq!(read_csv("sep=;\na;b\n1,5;2\n").column("a"), ["1,5"]);
    // Where records end would depend on how a text is cut.
    for (byte, is_one) in [(b';', true), (b'"', false), (b'\r', false), (b'\n', false), (0xE9, false)] {
        assert_eq!(super::preamble::is_delimiter(byte), is_one, "{byte}");
    }

    let (table, notes) = named("# made by x\n# it's \"it\na,b\n1,2\n#3,\"4\n5,6\n", "x.csv");
    assert_eq!(table.column("a"), ["1", "5"]);
    assert_eq!(table.lines, [4, 6]);
    assert_eq!(notes, ["passed over: 2 comment lines before the first record, and later ones"]);

    let (table, notes) = named("#time,cmd\n2025-01-01,a\n2025-01-02,b\n", "x.csv");
    assert_eq!(table.column("time"), ["2025-01-01", "2025-01-02"]);
    assert_eq!(notes.len(), 2);
    assert_eq!(table_names("#,name\n1,a\n"), ["#", "name"]);
}

#[test]
fn a_header_that_comes_again_is_told() {
    let table = read_csv("\"n\",t\n1,a\n\"n\",t\n2,b\n\"n\",t,\n\"n\",t");
    assert_eq!(table.column("n"), ["1", "2", "n"]);
    let reason = "the header stands here again".to_owned();
    assert_eq!(
        table.rejected,
        [(3, "\"n\",t".to_owned(), reason.clone()), (6, "\"n\",t".to_owned(), reason)]
    );
}

#[test]
fn spaces_before_quotes_are_passed_over_if_all_are_so() {
    let table = read_csv("a, b, c\n1, \"x, y\", z\n2, \"u, v\", w\n");
    assert_eq!(table.column("b"), ["x, y", "u, v"]);
    assert_eq!(table.column("c"), [" z", " w"]);
    let table = read_csv("a,b\n1, \"x\" or \"y\"\n2,z\n");
    assert_eq!(table.column("b"), [" \"x\" or \"y\"", "z"]);
}

#[test]
fn backslashes_before_quotes_are_text_unless_doubled_quotes_fail() {
    let (table, notes) = named("id,cmd\n1,\"echo \\\"a, b\\\"\"\n2,\"x\\\"\ny\"\n3,z\n", "x.csv");
    assert_eq!(table.column("cmd"), ["echo \"a, b\"", "x\"\ny", "z"]);
    assert_eq!(notes, [r#"quotes in quotes are written as \" and not doubled"#]);
    let (table, notes) =
        named("id,dir\n1,\"C:\\a\\\"\n2,\"{\"\"v\"\": \"\"{\\\"\"x\\\"\":0}\"\"}\"\n", "x.csv");
    assert_eq!(table.column("dir"), [r"C:\a\", r#"{"v": "{\"x\":0}"}"#]);
    assert_eq!(notes, [] as [&str; 0]);
}

#[test]
fn a_title_before_the_header_is_passed_over() {
    let (table, notes) =
        named("Report of January\nby amy\n\ntime,cmd\n2025-01-01,a\n2025-01-02,b\n", "x.csv");
    assert_eq!(table.column("time"), ["2025-01-01", "2025-01-02"]);
    assert_eq!(table.lines, [5, 6]);
    assert_eq!(notes, ["passed over: 2 lines before the header, of which the first is 'Report of January'"]);
}

#[test]
fn columns_without_a_name_in_the_header_are_there() {
    let events = "Level,Date and Time,Source\nInformation,1/15/2019 9:05:00 AM,MS,\"A new\nprocess\"\nError,1/15/2019 9:05:01 AM,MS,x\n";
    let (table, notes) = named(events, "x.csv");
    assert_eq!(table.column("Source"), ["MS", "MS"]);
    assert_eq!(table.column("column_4"), ["A new\nprocess", "x"]);
    assert_eq!(notes, ["the header names 3 of 4 columns: column_4 has no name in it"]);
    let (table, notes) = named("\"name\",\"n\"\n\"1\",\"a\",5\n\"2\",\"b\",6\n", "x.csv");
    assert_eq!(
        (table.column("column_1"), table.column("name"), table.column("n")),
        (vec!["1", "2"], vec!["a", "b"], vec!["5", "6"])
    );
    assert_eq!(notes, ["the header names 2 of 3 columns: the first has no name in it"]);
}

#[test]
fn a_delimiter_that_the_name_says_is_taken() {
    let table = read_csv("a,b\n1,2,3\n1,2,3,4\n1,2,3,4,5\n");
    assert_eq!((table.lines.len(), table.rejected.len()), (0, 3));
    assert_eq!(table.rejected[0].2, "expected 2 fields, got 3");
}

#[test]
fn a_first_record_longer_than_the_head_has_its_columns_counted() {
    let text = format!("{}a\n1,2\n", "column name,".repeat(3));
    let comma = ReadOptions { delimiter: Some(b','), ..ReadOptions::default() };
    let mut dialect = csv(&text.as_bytes()[..30], false, "x.csv", &comma).expect("CSV");
    let table = read_pieces(&mut dialect, text.as_bytes(), 5);
    assert_eq!(table.lines.len() + table.rejected.len(), 2);
}

#[test]
fn values_of_many_lines_are_values() {
    let mut text = "folder,note\n".to_owned();
    for row in 0..300 {
        let _ = write!(text, "\"C:\\dir\\{row}\",\"{}\nx,y\"\n", "line, \"\"one\"\"\n".repeat(3));
    }
    let mut dialect = csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
    let whole = read_pieces(&mut dialect, text.as_bytes(), text.len());
    assert_eq!((whole.lines.len(), whole.rejected.len()), (300, 0));
    assert_eq!(whole.column("note")[7], "line, \"one\"\nline, \"one\"\nline, \"one\"\n\nx,y");
    let mut dialect = csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
    assert_eq!(read_pieces(&mut dialect, text.as_bytes(), 4096), whole);

    let big = format!("a,b\n1,\"{}\"\n2,x\n", "one line\n".repeat(5_000));
    let mut dialect = csv(&big.as_bytes()[..10_000], false, "x.csv", &ReadOptions::default()).expect("CSV");
    let table = read_pieces(&mut dialect, big.as_bytes(), 1000);
    assert_eq!(table.column("a"), ["1", "2"]);
    assert_eq!(table.column("b")[0].len(), 45_000);
}

#[test]
fn a_quote_that_nothing_closes_costs_its_line() {
    let table = read_csv("a,b\n1,\"x\n2,y\n3,z\n");
    assert_eq!(table.column("a"), ["2", "3"]);
    assert_eq!(
        table.rejected,
        [(2, "1,\"x".to_owned(), "a quote opens in column 2 and is not closed".to_owned())]
    );
    let (table, notes) = named("\"a,b\n1,2\n3,4\n", "x.csv");
    assert_eq!((table.column("column_1"), table.rejected.len()), (vec!["1", "3"], 1));
    assert_eq!(notes.len(), 1);
    let table = read_csv("a,b\n1,\"x");
    assert_eq!(table.rejected.len(), 1);
    let table = read_csv("a,b\n1,\"x\ny\",\"z\n2,w\n");
    assert_eq!(table.column("a"), ["2"]);
    assert_eq!(table.rejected.len(), 2);
}

/// A reader of `a,b` that looks no further than this for a quote.
fn impatient(longest: usize) -> Dialect {
    let form = Form::of(b',', b'\n');
    let dialect = csv(b"a,b\n", true, "x.csv", &ReadOptions::default()).expect("CSV");
    Dialect { cutter: Box::new(RecordCutter::new(form, 4, Patience::new(longest))), ..dialect }
}

#[test]
fn a_quote_that_is_closed_too_far_away_costs_its_line() {
    let text = format!("a,b\n1,\"x\n{}2,y\"\n3,z\n", "4,w\n".repeat(20));
    let table = read(|| impatient(1000), &text);
    assert_eq!((table.column("a"), table.rejected.len()), (vec!["1", "3"], 0));
    let table = read(|| impatient(50), &text);
    assert_eq!((table.lines.len(), table.rejected.len()), (22, 1));
    assert_eq!(table.column("b").last(), Some(&"z"));
}

#[test]
fn headers_of_files_that_were_put_together_are_no_rows() {
    for (one, rows) in [
        ("\u{feff}CreationDate,Id\r\n2025-01-15T09:00:00Z,5\r\n", 2),
        ("#TYPE System.Object\n\"a\",\"b\"\n\"1\",\"x\"\n", 2),
    ] {
        let both = [one.trim_start_matches('\u{feff}'), one].concat();
        let dialect = || csv(both.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
        let table = read(dialect, &both);
        assert_eq!(table.lines.len(), rows, "{one}");
        assert!(table.rejected.iter().all(|rejected| rejected.2.contains("stands here again")), "{one}");
    }
}

#[test]
fn a_quote_that_opens_a_field_of_another_line_closes_nothing() {
    let text = "id,cmd,n\n1,\"C:\\Program Files\\App\\cut,1\n2,powershell -enc AAAA,2\n3,\"C:\\x.exe\" -k,3\n4,cmd.exe,4\n";
    let dialect = || csv(text.as_bytes(), true, "x.csv", &ReadOptions::default()).expect("CSV");
    let table = read(dialect, text);
    assert_eq!(table.column("id"), ["2", "3", "4"]);
    assert_eq!(table.column("cmd"), ["powershell -enc AAAA", "C:\\x.exe -k", "cmd.exe"]);
    assert_eq!(table.rejected.len(), 1);
}

#[test]
fn quotes_that_nothing_closes_cost_no_more_than_the_text_is_long() {
    // Each line leaves a quote open, whether one is open before it or not.
    let text = format!("a,b\n{}", "a\" ,\"b\n".repeat(200));
    let table = read(|| impatient(64), &text);
    assert_eq!(table.lines.len() + table.rejected.len(), 200);

    let text = format!("a,b\n{}", "a\" ,\"b\n".repeat(100_000));
    let started = std::time::Instant::now();
    let table = read_pieces(&mut impatient(1 << 20), text.as_bytes(), 1 << 16);
    assert_eq!(table.lines.len() + table.rejected.len(), 100_000);
    // To look for the end of each quote up to the end of the text would take hours.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn text_that_is_said_to_be_csv_is() {
    let told = ReadOptions { format: Some(Format::Csv), ..ReadOptions::default() };
    assert_eq!(with(&told, "").names(), [] as [&str; 0]);
    assert_eq!(with(&told, "\n\n").names(), [] as [&str; 0]);
    assert_eq!(with(&told, "hello world\nfoo\n").column("hello world"), ["foo"]);
    assert_eq!(with(&told, "a,b\n\"").rejected.len(), 1);
}

/// A field while its characters are read.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one rule of quotes")]
struct Characters {
    value: String,
    is_begun: bool,
    is_quoted: bool,
    is_closed: bool,
    spans_lines: bool,
    is_followed: bool,
}

impl Characters {
    /// The value; none if a quote on another line has more behind it.
    fn finish(self) -> Option<String> {
        (!(self.is_followed && self.spans_lines)).then_some(self.value)
    }
}

/// The records of CSV, character by character; none if one of them is to be rejected.
fn by_characters(text: &str) -> Option<Vec<Vec<String>>> {
    let mut records = vec![];
    let mut record = vec![];
    let mut field = Characters::default();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' | '\n' if !field.is_quoted => {
                record.push(std::mem::take(&mut field).finish()?);
                if character == '\n' {
                    records.push(std::mem::take(&mut record));
                }
                continue;
            }
            '"' if field.is_quoted && characters.peek() == Some(&'"') => {
                field.value.extend(characters.next());
            }
            '"' if field.is_quoted => (field.is_quoted, field.is_closed) = (false, true),
            '"' if !field.is_begun => field.is_quoted = true,
            other => {
                field.value.push(other);
                field.spans_lines |= other == '\n';
                field.is_followed |= field.is_closed;
            }
        }
        field.is_begun = true;
    }
    Some(records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn records_are_those_that_are_found_character_by_character(
        parts in prop::collection::vec(prop::sample::select(vec!["a", "ü", "\"", "\"\"", "\"b\"", ",", ",", "\n", "\n", "c,\"d"]), 0..60),
        piece in 1..30_usize,
    ) {
        // No record is blank, and quotes are closed at the end.
        let mut text = parts.concat().replace('\n', ",x\n") + ",x\n";
        let records = |text: &str| by_characters(text).map(|records| records.len());
        if records(&format!("{text}z\n")) == records(&text) {
            text.push_str("\"\n");
        }
        let Some(expected) = by_characters(&text) else { return Ok(()) };
        let width = expected.iter().map(Vec::len).max().unwrap_or(1);
        let names: Vec<_> = (0..width).map(|column| format!("n{column:03}")).collect();
        let text = format!("{}\n{text}", names.join(","));
        let options = ReadOptions { header: Some(true), delimiter: Some(b','), ..ReadOptions::default() };
        let mut dialect = csv(text.as_bytes(), true, "x.csv", &options).expect("CSV");
        let table = read_pieces(&mut dialect, text.as_bytes(), piece);
        prop_assert_eq!(table.rejected, []);
        prop_assert_eq!(table.lines.len(), expected.len());
        for (column, name) in names.iter().enumerate() {
            let values: Vec<_> = expected.iter().map(|record| record.get(column).filter(|value| !value.is_empty()).cloned()).collect();
            prop_assert_eq!(&table.columns[name], &values);
        }
    }
}

#[test]
fn quotes_that_are_dropped_are_told() {
    let table = read_csv("a,b\n1,x\n2,\"ab\"c\n\"3\"4,\"d\" e\n5,\"f\"\"g\"\n");
    assert_eq!(table.column("b"), ["x", "abc", "d e", "f\"g"]);
    let told = "3 values have text behind their closing quote, the first on line 3; the quotes were dropped";
    assert_eq!(table.changes.notes(), [told]);
    let told = "the value on line 2 has text behind its closing quote; the quotes were dropped";
    assert_eq!(read_csv("a,b\r1,\"x\"y\r").changes.notes(), [told]);
    // The text of a line that is rejected is as it was written.
    let table = read_csv("a,b\n1,\"x\"y,3\n4,5\n");
    assert_eq!((table.rejected.len(), table.changes.notes()), (1, vec![]));
}

#[test]
fn lines_that_end_with_a_carriage_return_are_counted() {
    let table = read_csv("a,b\r1,x\r1,2,3\r\r2,y\r1,\"x");
    assert_eq!(table.lines, [2, 5]);
    assert_eq!(table.rejected.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [3, 6]);
}
