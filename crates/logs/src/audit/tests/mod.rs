//! Logs of auditd to rows.

mod properties;

use crate::tests::{Table, TestHost, read_by};
use crate::{Format, ReadOptions};

/// A call of a program, in the lines of one event, with another event between them.
const EXECVE: &str = "\
type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=59 success=yes exit=0 a0=10 a1=0 items=2 ppid=2686 pid=3538 \
auid=1000 uid=0 gid=0 euid=0 tty=pts0 ses=1 comm=\"cat\" exe=\"/bin/cat\" key=\"ssh\"\u{1d}ARCH=x86_64 SYSCALL=execve AUID=\"ana\" UID=\"root\"
type=EXECVE msg=audit(1364481363.243:24287): argc=3 a0=\"cat\" a1=\"/etc/ssh/sshd_config\" a2=2D2D612062
type=USER_LOGIN msg=audit(1364475353.159:24270): user pid=3280 uid=500 auid=500 ses=1 msg='op=login acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.7 terminal=ssh res=failed'
type=CWD msg=audit(1364481363.243:24287):  cwd=\"/home/ana\"
type=PATH msg=audit(1364481363.243:24287): item=0 name=\"/bin/cat\" inode=409248 dev=fd:00 mode=0100755 ouid=0 ogid=0\u{1d}OUID=\"root\"
type=PATH msg=audit(1364481363.243:24287): item=1 name=(null) inode=7 dev=fd:00 mode=0100600 ouid=0 ogid=0
type=PROCTITLE msg=audit(1364481363.243:24287): proctitle=636174002F6574632F7373682F737368645F636F6E666967
type=EOE msg=audit(1364481363.243:24287):
";

pub(super) fn read_as(text: &str, options: &ReadOptions) -> Table {
    read_by(&TestHost::new(2, usize::MAX), &[("audit.log", text.as_bytes())], options).expect("a table")
}

fn read(text: &str) -> Table {
    read_as(text, &ReadOptions::default())
}

/// The values of a column; `NULL` if there is none.
fn column(table: &Table, name: &str) -> Vec<String> {
    let (place, _) =
        table.schema.column_with_name(name).unwrap_or_else(|| panic!("{name} in {}", table.columns()));
    let value = |row: Vec<Option<String>>| row[place].clone().unwrap_or_else(|| "NULL".to_owned());
    table.values().into_iter().map(value).collect()
}

/// The first row, by the columns that have a value in it.
fn row(table: &Table) -> Vec<String> {
    let values = table.values().into_iter().next().expect("a row");
    let fields = table.schema.fields().iter().zip(values);
    fields.filter_map(|(field, value)| Some(format!("{}={}", field.name(), value?))).collect()
}

/// Line, text and reason of what is rejected.
fn rejected(table: &Table) -> Vec<(u64, &str, &str)> {
    let rejected = table.report.rejected.iter();
    rejected.map(|rejected| (rejected.line, rejected.text.as_str(), rejected.reason.as_str())).collect()
}

#[test]
fn lines_of_one_event_are_a_row() {
    let table = read(EXECVE);
    assert_eq!(table.rows.len(), 2);
    assert_eq!(
        row(&table),
        [
            "time=2013-03-28T14:36:03.243Z",
            "serial=24287",
            "type=SYSCALL,EXECVE,CWD,PATH,PROCTITLE",
            "arch=c000003e",
            "syscall=59",
            "success=yes",
            "exit=0",
            "a0=10",
            "a1=0",
            "items=2",
            "ppid=2686",
            "pid=3538",
            "auid=1000",
            "uid=0",
            "gid=0",
            "euid=0",
            "tty=pts0",
            "ses=1",
            "comm=cat",
            "exe=/bin/cat",
            "key=ssh",
            "cwd=/home/ana",
            "argc=3",
            "cmdline=cat /etc/ssh/sshd_config '--a b'",
            "proctitle=cat /etc/ssh/sshd_config",
            "ARCH=x86_64",
            "SYSCALL=execve",
            "AUID=ana",
            "UID=root",
            "paths=[{item: 0, name: /bin/cat, inode: 409248, dev: fd:00, mode: 0100755, ouid: 0, ogid: 0, OUID: root}, \
             {item: 1, name: , inode: 7, dev: fd:00, mode: 0100600, ouid: 0, ogid: 0, OUID: }]",
        ]
    );
    // The text at the end of a line that a program has written is no field.
    for (name, value) in [
        ("type", "USER_LOGIN"),
        ("acct", "root"),
        ("hostname", "NULL"),
        ("addr", "192.0.2.7"),
        ("res", "failed"),
        ("text", "user"),
        ("pid", "3280"),
        ("a0", "NULL"),
    ] {
        if name != "hostname" {
            assert_eq!(column(&table, name)[1], value, "{name}");
        }
    }
    assert!(table.schema.column_with_name("hostname").is_none(), "no event has a value");
    assert_eq!((rejected(&table), table.notes()), (vec![], vec![]));
    assert_eq!(table.report.bytes, EXECVE.len() as u64);
    assert_eq!(table.report.times, [("time".to_owned(), "the zone of each value".to_owned())]);
}

#[test]
fn types_do_not_depend_on_the_values_of_a_day() {
    let columns = read("type=SYSCALL msg=audit(1364481363.000:1): arch=40000028 syscall=11 a0=10 a1=0 pid=1 comm=\"7\" key=(null)\n").columns();
    for expected in [
        "time Timestamp(ms, \"UTC\"), serial Int64, node Utf8View, type Utf8View, arch Utf8View, syscall Int64",
        "a0 Utf8View, a1 Utf8View",
        "pid Int64, auid Int64",
        "comm Utf8View",
        "key Utf8View",
        "cmdline Utf8View",
    ] {
        assert!(columns.contains(expected), "{expected} in {columns}");
    }
    // A value that a declared type does not hold is kept.
    let table = read(
        "type=SYSCALL msg=audit(1364481363.000:1): pid=1\ntype=SYSCALL msg=audit(1364481363.000:2): pid=unset\n",
    );
    assert_eq!(column(&table, "pid"), ["1", "unset"]);
    assert_eq!(
        table.notes(),
        ["'pid' is not read as BIGINT, which its file declares, since that does not hold all of its values"]
    );
}

#[test]
fn machines_times_and_serials_tell_events_apart() {
    let table = read(
        "node=a type=X msg=audit(1364481363.243:1): x=1
node=b type=X msg=audit(1364481363.243:1): x=2
type=X msg=audit(1364481363.243:1): x=3
node=a type=X msg=audit(1364481363.244:1): x=4
node=a type=Y msg=audit(1364481363.243:1): y=5
type=Y msg=audit(1364481363.243:1): y=6
",
    );
    assert_eq!(column(&table, "node"), ["a", "b", "NULL", "a"]);
    assert_eq!(column(&table, "type"), ["X,Y", "X", "X,Y", "X"]);
    assert_eq!(column(&table, "x"), ["1", "2", "3", "4"]);
    assert_eq!(column(&table, "y"), ["5", "NULL", "6", "NULL"]);
}

#[test]
fn an_event_that_has_ended_takes_no_line() {
    let table = read(
        "type=A msg=audit(1364481363.000:1): x=1
type=EOE msg=audit(1364481363.000:1):
type=A msg=audit(1364481363.000:1): x=2
type=EOE msg=audit(1364481363.000:2):
",
    );
    assert_eq!(column(&table, "type"), ["A", "A", "EOE"]);
    assert_eq!(column(&table, "x"), ["1", "2", "NULL"]);
}

#[test]
fn an_event_that_is_far_behind_takes_no_line() {
    let filler = format!("type=F msg=audit(1364481363.000:2): {}\n", "x".repeat(1 << 20));
    let line = "type=A msg=audit(1364481363.000:1): x=1\n";
    let near = format!("{line}{}{line}", filler.repeat(7));
    assert_eq!(column(&read(&near), "serial"), ["1", "2"]);
    let far = format!("{line}{}{line}", filler.repeat(9));
    // The filler is an event itself, whose lines follow each other over the reach of its beginning.
    assert_eq!(column(&read(&far), "serial"), ["1", "2", "2", "1"]);
}

#[test]
fn records_of_a_type_do_not_overwrite_each_other() {
    let table = read(
        "type=AVC msg=audit(1364481363.000:1): avc:  denied  { read } for  pid=7 comm=\"a\" name=\"x\" tclass=file
type=AVC msg=audit(1364481363.000:1): avc:  denied  { open } for  pid=7 comm=\"a\" name=206E tclass=file
type=SYSCALL msg=audit(1364481363.000:1): syscall=2 pid=7 comm=\"b\"
type=SOCKADDR msg=audit(1364481363.000:1): saddr=0200
",
    );
    assert_eq!(
        row(&table),
        [
            "time=2013-03-28T14:36:03Z",
            "serial=1",
            "type=AVC,SYSCALL,SOCKADDR",
            "syscall=2",
            "pid=7",
            "comm=a",
            "name=x",
            "tclass=file",
            "comm_2=b",
            "saddr=0200",
            "text=avc: denied { read } for",
            "repeated=[{type: AVC, pid: 7, comm: a, name:  n, tclass: file, text: avc: denied { open } for}]",
        ]
    );
    assert_eq!(table.notes(), ["objects have 'comm' more than once: the second is called with _2"]);
}

#[test]
fn fields_are_not_taken_for_columns_of_the_reader() {
    let table =
        read("type=A msg=audit(1364481363.000:1): type=x paths=y time=5 text=\"\" uid=1 uid=1 uid=2\n");
    assert_eq!(
        row(&table).iter().skip(2).map(String::as_str).collect::<Vec<_>>(),
        ["type=A", "uid=1", "type_2=x", "paths_2=y", "time_2=5", "text_2=", "uid_2=2"]
    );
}

#[test]
fn long_arguments_are_put_together() {
    let table = read(
        "type=EXECVE msg=audit(1364481363.000:1): argc=4 a0=\"sh\" a1_len=12 a1[0]=65206
type=X msg=audit(1364481363.000:2): x=1
type=EXECVE msg=audit(1364481363.000:1): a1[1]=\"b'c\" a2=\"\" a3=\"?\"
",
    );
    assert_eq!(column(&table, "cmdline"), [r"sh '65206b'\''c' '' ?", "NULL"]);
    assert_eq!(column(&table, "argc"), ["4", "NULL"]);
    assert_eq!(column(&table, "type"), ["EXECVE", "X"]);
}

#[test]
fn lines_that_are_no_records_are_told() {
    let text = "type=A msg=audit(1364481363.000:1): x=1\r
\r
----\r
time->Thu Mar 28 14:36:03 2013\r
type=A msg=audit(1364481363.000:2): x=2\r
audit daemon was here\r
type=B msg=audit(1364481363.000:1): y=a\r
type=C msg=audit(yesterday): z=1\r
type=A msg=audit(1364481363.000:3): x=03\r
";
    let table = read(text);
    let reason = "expected a record, type=WORD msg=audit(SECONDS.MILLIS:SERIAL)";
    assert_eq!(
        rejected(&table),
        [(6, "audit daemon was here", reason), (8, "type=C msg=audit(yesterday): z=1", reason)]
    );
    assert_eq!(column(&table, "x"), ["1", "2", "03"]);
    assert_eq!(column(&table, "y"), ["a", "NULL", "NULL"]);
    // A value that does not fit is told with the line on which its event begins.
    let bigint = crate::ColumnType::of_sql_name("BIGINT").expect("a type");
    let options = ReadOptions {
        types: vec![("y".to_owned(), bigint.clone()), ("serial".to_owned(), bigint)],
        ..ReadOptions::default()
    };
    let text = format!("\n\ntype=A msg=audit(1364481363.000:9): x=1\n{text}");
    let table = read_as(&text, &options);
    let lines: Vec<(u64, Option<&str>)> =
        table.report.rejected.iter().map(|rejected| (rejected.line, rejected.column.as_deref())).collect();
    assert_eq!(lines, [(4, Some("y")), (9, None), (11, None)]);
}

#[test]
fn content_says_what_a_log_is() {
    let record = "type=A msg=audit(1364481363.000:1): x=1\n";
    let read_or = |text: &str, format: Option<Format>| {
        let options = ReadOptions { format, ..ReadOptions::default() };
        read_by(&TestHost::new(1, usize::MAX), &[("a.log", text.as_bytes())], &options)
            .map(|table| table.columns().split(' ').next().map(str::to_owned).unwrap_or_default())
            .map_err(|error| error.to_string())
    };
    assert_eq!(read_or(record, None), Ok("time".to_owned()));
    assert_eq!(read_or(&format!("hello\n{record}{record}"), None), Ok("time".to_owned()));
    assert_eq!(read_or(&format!("hello\nyou\n{record}"), None), Ok("line".to_owned()));
    assert_eq!(read_or(&format!("hello\nyou\n{record}"), Some(Format::Audit)), Ok("time".to_owned()));
    assert_eq!(read_or("", Some(Format::Audit)), Ok("time".to_owned()));
    // The output of `ausearch -i` has no times that can be compared.
    assert_eq!(
        read_or("type=A msg=audit(03/28/2013 14:36:03.243:24287) : x=1\n", None),
        Ok("line".to_owned())
    );
    assert_eq!(
        read_or("hello\n", Some(Format::Audit)),
        Err("'a.log' is not a log of auditd: expected lines that begin with type=WORD msg=audit(".to_owned())
    );
    assert_eq!(read_or(record, Some(Format::Lines)), Ok("line".to_owned()));
}

#[test]
fn a_log_that_is_cut_off_keeps_its_events() {
    use std::io::Write;
    // Bytes that can't be compressed, so that what is cut off is as long as it looks.
    let event = |serial: u64| {
        let noise = serial.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            "type=A msg=audit(1364481363.000:{serial}): x={noise:016x}{:016x}\n",
            noise.rotate_left(17).wrapping_mul(31)
        )
    };
    let text: String = (1..4000).map(event).collect();
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("bytes in memory");
    let mut bytes = encoder.finish().expect("bytes in memory");
    bytes.truncate(bytes.len() / 2);
    let table = read_by(&TestHost::new(2, usize::MAX), &[("a.gz", &bytes)], &ReadOptions::default())
        .expect("a table");
    let rows = table.rows.len();
    assert!((100..3999).contains(&rows), "{rows}");
    let cut = &table.report.rejected;
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0].line, rows as u64 + 1);
    assert!(cut[0].text.is_empty() || event(rows as u64 + 1).starts_with(&cut[0].text), "{:?}", cut[0].text);
}

#[test]
fn files_of_a_folder_are_one_table() {
    let files: [(&str, &[u8]); 3] = [
        ("audit.log.1", b"type=A msg=audit(1364481363.000:1): pid=1 name=\"x\"\n"),
        (
            "audit.log",
            b"type=B msg=audit(1364481363.000:1): pid=2\ntype=PATH msg=audit(1364481363.000:1): item=0\n",
        ),
        ("a.json", b"{\"pid\":3,\"paths\":\"none\"}\n"),
    ];
    let table = read_by(&TestHost::new(2, usize::MAX), &files, &ReadOptions::default()).expect("a table");
    assert_eq!(column(&table, "pid"), ["1", "2", "3"]);
    assert_eq!(column(&table, "type"), ["A", "B,PATH", "NULL"]);
    assert_eq!(column(&table, "paths"), ["NULL", "[{\"item\":0}]", "\"none\""]);
}

/// Each would take minutes if a part of a line were looked at for each other part.
#[test]
fn odd_events_take_no_longer_than_others() {
    let beginning = "type=EXECVE msg=audit(1364481363.000:1):";
    let records = |of: &dyn Fn(usize) -> String| (0..20_000).map(of).collect::<String>();
    for text in [
        format!("{beginning}{}\n", " a={".repeat(500_000)),
        format!("{beginning}{}\n", " msg='".repeat(300_000)),
        format!("{beginning}{}\n", " a='".repeat(500_000)),
        format!("{beginning}{}\n", records(&|at| format!(" a{at}[0]=41"))),
        records(&|at| format!("type=T{at} msg=audit(1364481363.000:1):\n")),
        records(&|_| "type=T msg=audit(1364481363.000:1): a=1\n".to_owned()),
        records(&|at| format!("type=T msg=audit(1364481363.000:{at}): a=1\n")),
    ] {
        let table = read(&text);
        assert!(table.rows.len() == 1 || table.rows.len() == 20_000);
    }
}
