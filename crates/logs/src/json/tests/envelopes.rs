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
fn what_stands_beside_the_array_is_told() {
    assert_eq!(
        notes(r#"{"@odata.context":"c","value":[{"n":1}],"next\u001b":2}"#),
        [r#"passed over beside "value": "@odata.context", "next\u{1b}""#]
    );
    assert_eq!(
        notes(r#"{"took":1,"hits":{"total":1,"hits":[{"n":1}]}}"#),
        [r#"passed over beside "hits"."hits": "took", "total""#]
    );
    assert_eq!(notes(r#"{"Records":[{"n":1}]}"#), [""; 0]);
    assert_eq!(
        notes(
            "{\"value\":[{\"n\":1}]}\n{\"a\":1}\n{\"@c\":1,\"value\":[{\"n\":2}],\"@n\":2}\n{\"@c\":1,\"value\":[]}"
        ),
        [r#"passed over beside "value": "@c", "@n""#]
    );
    let many = (0..20).map(|n| format!("\"@{n}\":0,")).collect::<Vec<_>>().concat();
    let note = notes(&format!("{{{many}\"value\":[{{}}]}}"));
    assert!(note[0].ends_with(r#""@6", "@7" and others"#), "{note:?}");
}

#[test]
fn an_envelope_longer_than_the_head_is_recognised() {
    let text = format!("{{\"user\":{{}},\"day\":1,\"things\":[{{\"n\":1}}{}]}}", ",{\"n\":2}".repeat(100));
    let dialect = json(&text.as_bytes()[..200], false, &ReadOptions::default()).expect("JSON");
    let read = read_dialect(dialect, &text.as_bytes().chunks(50).collect::<Vec<_>>());
    assert_eq!(read.rows.len(), 101);
    assert_eq!(read.rejected, []);
}
