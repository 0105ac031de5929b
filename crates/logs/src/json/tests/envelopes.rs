//! Objects around arrays of records.

use super::*;

fn notes(text: &str) -> Vec<String> {
    let mut dialect = json(text.as_bytes(), true, &ReadOptions::default()).expect("JSON");
    dialect.cutter.cut(text.as_bytes(), true);
    dialect.cutter.notes()
}

#[test]
fn envelopes_are_unwrapped() {
    for text in [
        r#"{"Records":[{"n":1},{"n":2}]}"#,
        "{\n  \"Records\": [\n    {\n      \"n\": 1\n    },\n    {\n      \"n\": 2\n    }\n  ]\n}\n",
        "{\"Records\":[{\"n\":1}]}\n{\"Records\":[{\"n\":2}]}\n",
        "{\"Records\":[{\"n\":1}]}{\"Records\":[]}{\"Records\":[{\"n\":2}]}",
        "[{\"Records\":[{\"n\":1}]},{\"Records\":[{\"n\":2}]}]",
        r#"{"@odata.context":"c","value":[{"n":1},{"n":2}],"@odata.nextLink":"l"}"#,
        "{\"@odata.context\":\"c\",\"value\":[{\"n\":1}]}\n{\"@odata.context\":\"d\",\"value\":[{\"n\":2}]}",
        r#"{"status":"ok","count":2,"meta":{"page":[1]},"logs":[{"n":1},{"n":2}]}"#,
        r#"{"anything":[{"n":1},{"n":2}]}"#,
        r#"{"host":"a","day":3,"anything":[{"n":1},{"n":2}]}"#,
        r#"{"took":1,"timed_out":false,"_shards":{"total":1},"hits":{"total":2,"max_score":null,"hits":[{"n":1},{"n":2}]}}"#,
        r#"{"data":{"logs":[{"n":1},{"n":2}]}}"#,
        r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{"n":1},{"n":2}]}"#,
        r#"{"R\u0065cords":[{"n":1},{"n":2}]}"#,
        r#"{"generated_at":"2024-01-01T00:00:00Z","tool":"t","processes":[{"n":1},{"n":2}]}"#,
        r#"{"status":"ok","timestamp":"2024-01-01T00:00:00Z","results":[{"n":1},{"n":2}]}"#,
    ] {
        assert_rows(text, &["n=1", "n=2"]);
    }
}

#[test]
fn events_with_arrays_stay_events() {
    for text in [
        "{\"id\":1,\"items\":[{\"n\":1}]}\n{\"id\":2,\"items\":[{\"n\":1}]}",
        r#"{"kind":"activity","id":{"time":"t"},"actor":{"email":"e"},"events":[{"n":1}]}"#,
        r#"{"a":1,"b":{"c":2},"rules":[{"n":1}]}"#,
        r#"{"a":[{"n":1}],"b":[{"n":2}]}"#,
        "{\"_source\":{\"n\":1}}\n{\"_source\":{\"n\":2}}",
        r#"{"data":[1,2]}"#,
        r#"{"user":"amy","data":[]}"#,
        r#"{"data":[{"n":1},null]}"#,
        r#"{"time":"t","user":"amy","host":"h","action":"login","id":1,"details":[{"k":"v"}]}"#,
        "{\"status\":1,\"messages\":[{\"n\":1}]}\n{\"status\":2,\"messages\":[{\"n\":1}]}",
        r#"{"time":"2024-01-01T00:00:00Z","host":"a","user":"b","processes":[{"name":"x"},{"name":"y"}]}"#,
        r#"{"time":"2024-01-01T00:00:00Z","processes":[{"name":"x"}]}"#,
        r#"{"at":"2024-01-01 00:00:00","processes":[{"name":"x"}]}"#,
        r#"{"host":"a","user":"b","action":"login","processes":[{"name":"x"}]}"#,
        r#"{"eventTime":"2024-01-01T00:00:00Z","user":"b","host":"a","resources":[{"arn":"x"}]}"#,
    ] {
        let read = found(text);
        assert_eq!(read.rows.len(), text.lines().count(), "{text}: {:?}", read.lines());
        assert!(read.columns.len() == read.rows[0].len() && read.rejected.is_empty(), "{text}");
    }
}

#[test]
fn in_a_file_of_envelopes_other_objects_are_rows() {
    let read = found(
        "{\"Records\":[{\"n\":1,\"Records\":[{\"m\":1}]},{\"n\":2}]}\n{\"error\":\"x\"}\n{\"Records\":null}\n{\"Records\":[{\"n\":3}]}",
    );
    assert_eq!(read.lines(), [r#"Records=[{"m":1}] n=1"#, "n=2", r#"error="x""#, "", "n=3"]);
    assert_eq!(read.rejected, []);
}

#[test]
fn an_event_among_envelopes_loses_nothing() {
    let event = "{\"user\":\"amy\",\"alerts\":[{\"n\":2}]}";
    let late = "{\"alerts\":[{\"n\":3}],\"user\":\"bob\"}";
    let read_after = |first: &str| found(&format!("{first}\n{event}\n{late}\n")).lines();
    let events = ["alerts=[{\"n\":2}] user=\"amy\"", "alerts=[{\"n\":3}] user=\"bob\""];
    assert_eq!(read_after("{\"alerts\":[{\"n\":1}]}"), ["n=1", events[0], events[1]]);
    // The name tells nothing, so one object with only this member does not make it an envelope.
    let lines = found("{\"tags\":[{\"n\":1}]}\n{\"user\":1,\"tags\":[{\"n\":2}]}\n").lines();
    assert_eq!(lines, ["tags=[{\"n\":1}]", "tags=[{\"n\":2}] user=1"]);
    assert_rows("{\"tags\":[{\"n\":1}]}\n{\"tags\":[{\"n\":2}]}\n", &["n=1", "n=2"]);
}

#[test]
fn the_place_of_the_records_and_what_stands_beside_them_are_told() {
    let way_out = "; with records => '.' each object around them is one record";
    let told = |path: &str, beside: &str| {
        let beside =
            if beside.is_empty() { String::new() } else { format!("; passed over beside {path}: {beside}") };
        [format!("the records are the objects in {path}{way_out}{beside}")]
    };
    assert_eq!(
        notes(r#"{"@odata.context":"c","value":[{"n":1}],"next\u001b":2}"#),
        told(r#""value""#, r#""@odata.context", "next\u{1b}""#)
    );
    assert_eq!(
        notes(r#"{"took":1,"hits":{"total":1,"hits":[{"n":1}]}}"#),
        told(r#""hits"."hits""#, r#""took", "total""#)
    );
    assert_eq!(notes(r#"{"Records":[{"n":1}]}"#), told(r#""Records""#, ""));
    assert_eq!(
        notes(
            "{\"value\":[{\"n\":1}]}\n{\"a\":1}\n{\"@c\":1,\"value\":[{\"n\":2}],\"@n\":2}\n{\"@c\":1,\"value\":[]}"
        ),
        told(r#""value""#, r#""@c", "@n""#)
    );
    let many = (0..20).map(|n| format!("\"@{n}\":0,")).collect::<Vec<_>>().concat();
    let note = notes(&format!("{{{many}\"value\":[{{}}]}}"));
    assert!(note[0].contains(r#""@6", "@7" and others"#), "{note:?}");
    assert_eq!(notes("{\"n\":1}\n{\"n\":2}"), [""; 0]);
}

fn told(text: &str, path: &str) -> (Read, Vec<String>) {
    let options = ReadOptions { records: Some(path.parse().expect("a path")), ..ReadOptions::default() };
    let dialect = || json(text.as_bytes(), true, &options).expect("JSON");
    let whole = read_dialect(dialect(), &[text.as_bytes()]);
    let parts: Vec<&[u8]> = text.as_bytes().chunks(3).collect();
    assert_eq!(read_dialect(dialect(), &parts), whole);
    let mut dialect = dialect();
    dialect.cutter.cut(text.as_bytes(), true);
    (whole, [dialect.notes, dialect.cutter.notes()].concat())
}

#[test]
fn the_caller_says_where_the_records_are() {
    let event =
        r#"{"time":"2024-01-01T00:00:00Z","host":"a","user":"b","processes":[{"name":"x"},{"name":"y"}]}"#;
    assert_eq!(
        notes_of_text(event),
        [
            "the text is one object, and one record; records => 'processes' reads the objects in its list instead"
        ]
    );
    let (read, notes) = told(event, "processes");
    assert_eq!(read.lines(), ["name=\"x\"", "name=\"y\""]);
    assert_eq!(notes, [r#"passed over beside "processes": "time", "host", "user""#]);
    assert_eq!(told(event, ".").1, [""; 0]);
    assert_eq!(told(event, ".").0.rows.len(), 1);

    let records = r#"{"Records":[{"n":1},{"n":2}]}"#;
    assert_eq!(told(records, ".").0.lines(), [r#"Records=[{"n":1},{"n":2}]"#]);
    assert_eq!(told(r#"{"a":{"b.c":[{"n":1}]}}"#, "a.\"b.c\"").0.lines(), ["n=1"]);
    // Each object with such a list is taken apart, whatever stands beside it; the others are records.
    let (read, _) = told("{\"l\":[{\"n\":1}]}\n{\"a\":1}\n{\"b\":{},\"l\":[{\"n\":2}],\"c\":1}", "l");
    assert_eq!(read.lines(), ["n=1", "a=1", "n=2"]);
    let (read, notes) = told("{\"n\":1}", "ls");
    assert_eq!(read.lines(), ["n=1"]);
    assert_eq!(
        notes,
        [r#"no object has a list of objects in "ls", which records => names: each object is a record"#]
    );
}

/// The notes that are known before the text is read.
fn notes_of_text(text: &str) -> Vec<String> {
    json(text.as_bytes(), true, &ReadOptions::default()).expect("JSON").notes
}

#[test]
fn an_envelope_longer_than_the_head_is_recognised() {
    let text = format!("{{\"user\":{{}},\"day\":1,\"things\":[{{\"n\":1}}{}]}}", ",{\"n\":2}".repeat(100));
    let dialect = json(&text.as_bytes()[..200], false, &ReadOptions::default()).expect("JSON");
    let read = read_dialect(dialect, &text.as_bytes().chunks(50).collect::<Vec<_>>());
    assert_eq!(read.rows.len(), 101);
    assert_eq!(read.rejected, []);
}
