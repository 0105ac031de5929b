//! Damaged and hostile text.

use super::*;

#[test]
fn a_damaged_line_costs_no_more_than_itself() {
    for bad in [
        r#"{"n":"#,
        r#"{"n":1,"#,
        r#"{"n"#,
        r#"{"n":[1,2"#,
        r#"{"n":{"m":"#,
        r#"{"n":["#,
        r#"{"n":"abc"#,
        r#"{"n":"abc}"#,
        r#"{"n":"abc\"#,
        r#"{"n":tru}"#,
        r#"{"n":01}"#,
        r#"{"n":1,}"#,
        r#"{"n" 1}"#,
        r"{n:1}",
        r#"{"n":1]"#,
        r#"{"n":"a"b"}"#,
        r#"{"n":"C:\Users"}"#,
        r#"{"n":{"a":1}"#,
        r#"{"n":"\u12G4"}"#,
        "{",
        "}",
        "1",
        "[1",
        "\"text\"",
        "oops",
        "2025-01-01 INFO {\"x\":1}",
        "null",
    ] {
        for text in [
            format!("{{\"n\":1}}\n{bad}\n{{\"n\":3}}\n{{\"n\":4}}\n"),
            format!("{{\"n\":1}}\r\n{bad}\r\n{{\"n\":3}}\r\n{{\"n\":4}}"),
            format!("{{\"n\":1}}\r{bad}\r{{\"n\":3}}\r{{\"n\":4}}\r"),
        ] {
            let read = found(&text);
            assert_eq!(read.lines(), ["n=1", "n=3", "n=4"], "{bad}: {:?}", read.rejected);
            let [(line, text, reason)] = &read.rejected[..] else { panic!("{bad}: {:?}", read.rejected) };
            assert_eq!((*line, text.trim_start_matches('[')), (2, bad.trim_start_matches('[')), "{reason}");
        }
    }
}

#[test]
fn a_reason_says_what_was_expected_and_where() {
    let reason = |text: &str| found(text).rejected.pop().expect("rejected").2;
    assert_eq!(
        reason("{\"n\":1}\n{\"ä\":1 \"b\":2}\n"),
        "not a JSON object: expected ',' or '}' in line 2, column 8, got '\"'"
    );
    assert_eq!(
        reason("{\n\"n\":1\n}\n{\n  \"n\":\u{1b}\n}"),
        r"not a JSON object: expected a value in line 5, column 7, got '\u{1b}'"
    );
    assert_eq!(
        reason("{\"n\":1}\n{\"n\":\"abc"),
        "a JSON object that is not finished: expected the end of a string"
    );
    assert_eq!(
        reason("{\"n\":1}\n{\"n\":\n{\"n\":3}\n"),
        "a JSON object that is not finished: expected a value"
    );
    assert_eq!(reason("{\"n\":1}\n7\n{}\n"), "expected a JSON object, got '7'");
}

#[test]
fn a_file_that_ends_inside_an_object_keeps_the_others() {
    let read = found("{\"n\":1}\n{\"n\":2}\n{\"n\":3,\"s\":\"ab");
    assert_eq!(read.lines(), ["n=1", "n=2"]);
    assert_eq!(read.rejected.len(), 1);
    let read = found("[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2,\n    \"s\"");
    assert_eq!(read.lines(), ["n=1"]);
    assert_eq!(read.rejected.len(), 1);
    let read = found("{\"count\":3,\"value\":[{\"n\":1},{\"n\":2},{\"n\":");
    assert_eq!(read.lines(), ["n=1", "n=2"]);
    assert_eq!(read.rejected.len(), 1);
}

#[test]
fn a_damaged_item_costs_no_more_than_itself() {
    let read = found("[{\"n\":1},{\"n\":2 x},{\"n\":3},7,\"s\",[{\"n\":4}],{\"n\":5}]");
    assert_eq!(read.lines(), ["n=1", "n=3", "n=4", "n=5"]);
    assert_eq!(read.rejected.len(), 3);
    let read =
        found("{\"Records\":[{\"n\":1},{\"n\":2 x},{\"n\":3},7,[2],{\"n\":5}]}\n{\"Records\":[{\"n\":6}]}");
    assert_eq!(read.lines(), ["n=1", "n=3", "n=5", "n=6"]);
    assert_eq!(read.rejected.len(), 3);
}

#[test]
fn deep_nesting_is_rejected_and_does_no_harm() {
    let nested =
        |depth: usize, open: &str, close: &str| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let deep = |depth: usize| format!("{{\"n\":{}}}", nested(depth, "[", "]"));
    assert_eq!(found(&deep(127)).rows.len(), 1);
    let text = format!("{}\n{{\"n\":1}}\n{}\n{{\"n\":2}}\n", deep(128), deep(100_000));
    let read = read(&text);
    assert_eq!(read.lines(), ["n=1", "n=2"]);
    assert!(
        read.rejected
            .iter()
            .all(|(_, text, reason)| text.len() <= 64 << 10 && reason.contains("nested deeper"))
    );
    for text in [nested(100_000, "[", ""), nested(100_000, "{\"a\":", ""), nested(50_000, "{\"a\":[\n", "")] {
        assert_eq!(self::read(&text).rows.len(), 0);
    }
}

#[test]
fn long_strings_are_values_like_others() {
    let long = "äx\\n".repeat(300_000);
    let text = format!("{{\"s\":\"{long}\"}}\n{{\"s\":\"b\"}}\n");
    let read = found(&text);
    assert_eq!(read.rows[0]["s"].len(), long.len() + 2);
    assert_eq!(read.rows.len(), 2);
}

#[test]
fn ever_new_names_do_not_exhaust_the_memory() {
    use std::fmt::Write;
    let mut text = String::new();
    for n in 0..20_000 {
        writeln!(text, "{{\"k{n}\":1}}").expect("a string");
    }
    let dialect = json(text.as_bytes(), true, &forced()).expect("JSON is told");
    let records = dialect.parser.parse(Block { text: text.into_bytes(), first_line: 1 });
    assert!(records.rows * records.columns.len() <= 16 * 20_000 * 13);
    assert_eq!(records.rows + records.rejected.len(), 20_000);
    assert!(records.rejected[0].reason.contains("too many columns"));
}

#[test]
fn blocks_may_end_anywhere_in_what_is_damaged() {
    for text in [
        "\"\n\"]}",
        "{\"n\":1}\n\"a\nb\",{\"n\":2}\n[1,\n2]{\"n\":3}",
        "{\"a\":[\n{\"a\":[\n{\"n\":1}\n}\n{\"n\":2}",
        "{\"Records\":[{\"n\":1},{\"n\":[}\n{\"n\":2},{\"n\":3}]}\n{\"Records\":[{\"n\":4}]}",
        "{\"Records\":[{\"n\":1} {\"n\":2}],\"x\":tru}\n{\"Records\":[]}",
        "{\"n\":\"a\\\n{\"n\":\"\\",
        "{ \n\n \"n\":1}\n\u{feff}\u{feff}[]\u{1e}{}\u{fe}",
    ] {
        let read = read(text);
        assert!(!read.rejected.is_empty(), "{text}: {read:?}");
    }
}

#[test]
fn a_text_that_ends_before_its_brackets_are_closed_is_told() {
    let array = "the array around its objects ends without its closing ], so the text may be cut off";
    for text in [
        "[{\"n\":1},{\"n\":2}",
        "[\n{\"n\":1},\n{\"n\":2},\n",
        "[{\"n\":1}\n,{\"n\":2}\n",
        "\u{feff}[{\"n\":1}][{\"n\":2}",
        "[[{\"n\":1}],[{\"n\":2}]",
    ] {
        let read = read(text);
        assert_eq!(read.lines(), ["n=1", "n=2"], "{text}");
        assert_eq!((read.notes, read.rejected), (vec![array.to_owned()], vec![]), "{text}");
    }
    for text in [
        "[{\"n\":1},{\"n\":2}]\n",
        "[{\"n\":1}]\n{\"n\":2}\n{\"n\":3}",
        "{\"n\":1},",
        "[]",
        "{\"m\":1,\"n\":[{}]}\n{\"m\":2,\"n\":[{}]}",
    ] {
        assert_eq!(read(text).notes, [""; 0], "{text}");
    }
    // An object that is cut off is rejected.
    assert_eq!(read("[{\"n\":1},{\"n\":").rejected.len(), 1);
    for (text, told) in [
        (
            "{\"Records\":[{\"n\":1},{\"n\":2}",
            "the list of its objects ends without its closing ], so the text may be cut off",
        ),
        (
            "{\"Records\":[{\"n\":1},{\"n\":2}]",
            "the object around its list ends without its closing }, so the text may be cut off",
        ),
    ] {
        let read = read(text);
        assert_eq!(read.lines(), ["n=1", "n=2"], "{text}");
        assert_eq!(read.notes.first().map(String::as_str), Some(told), "{text}");
    }
}
