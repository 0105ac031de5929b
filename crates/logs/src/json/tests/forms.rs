//! Objects and what stands between them.

use super::*;

#[test]
fn objects_are_rows_whatever_is_between_them() {
    for text in [
        "{\"n\":1}\n{\"n\":2}\n",
        "{\"n\":1}\r\n{\"n\":2}",
        "\n\n{\"n\":1}\n\n\n{\"n\":2}\n\n",
        "{\"n\":1}{\"n\":2}",
        "{\"n\":1} {\"n\":2}",
        "{\"n\":1},{\"n\":2}",
        "{\"n\":1},\n{\"n\":2},\n",
        "\u{1e}{\"n\":1}\n\u{1e}{\"n\":2}\n",
        "\0\0\0{\"n\":1}\n{\"n\":2}\n",
        "{\"n\":1}\n\u{feff}{\"n\":2}\n",
        "{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n",
        "{\"n\":1}\n{\n  \"n\": 2\n}",
        "{\n  \"n\": 1\n}\n{\"n\":2}",
        "[{\"n\":1},{\"n\":2}]\n",
        "[\n{\"n\":1},\n{\"n\":2}\n]\n",
        "[\n{\"n\":1}\n,{\"n\":2}\n]\n",
        "[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]",
        "[{\"n\":1}]\n[{\"n\":2}]\n",
        "[{\"n\":1}][]\n{\"n\":2}",
        "[[{\"n\":1}],[{\"n\":2}]]",
    ] {
        assert_rows(text, &["n=1", "n=2"]);
    }
}

#[test]
fn an_empty_array_is_a_table_without_rows() {
    assert_rows("[]", &[]);
    assert_rows(" [\n]\n", &[]);
    assert_rows("{\"Records\":[]}", &[]);
    assert_rows("{\"@odata.context\":\"x\",\"value\": [ ] }\n", &[]);
}

#[test]
fn values_stand_as_they_are_written() {
    assert_rows(
        r#"{"i": -12 ,"f":1.50e+3,"s":"a\\b","t":true,"x":null,"o":{"a": [1, {}]},"l":[ ],"nan":NaN,"inf":-Infinity}"#,
        &[r#"f=1.50e+3 i=-12 inf=-Infinity l=[ ] nan=NaN o={"a": [1, {}]} s="a\\b" t=true"#],
    );
    let read = found("{\"s\":\"a\tb\nc\"}");
    assert_eq!(read.lines(), ["s=\"a\tb\nc\""]);
    assert_eq!(found(r#"{"x":null}"#).columns, ["x"]);
}

#[test]
fn columns_come_in_the_order_in_which_they_occur() {
    let read = found("{\"b\":1,\"c\":2}\n{\"a\":3,\"b\":4}\n{}\n{\"c\":5,\"d\":6,\"a\":7}\n");
    assert_eq!(read.columns, ["b", "c", "a", "d"]);
    assert_eq!(read.lines(), ["b=1 c=2", "a=3 b=4", "", "a=7 c=5 d=6"]);
    // A late one is not lost.
    let mut text = "{\"n\":0}\n".repeat(2000);
    text += "{\"n\":1,\"late\":2}";
    assert_eq!(found(&text).lines().last().map(String::as_str), Some("late=2 n=1"));
}

#[test]
fn names_are_decoded_and_dots_are_part_of_them() {
    assert_rows(r#"{"Laddr.Port":1,"\u0061\n":2}"#, &["Laddr.Port=1 a\n=2"]);
    assert_rows("{\"a\":1}\n{\"\\u0061\":2}\n{\"a\":3}", &["a=1", "a=2", "a=3"]);
    assert_rows(r#"{"":1,"_":2}"#, &["_=1 __2=2"]);
}

#[test]
fn a_name_that_an_object_has_twice_is_numbered() {
    assert_rows(
        "{\"a\":1,\"a\":2,\"b\":0,\"a\":3}\n{\"a\":4,\"b\":5}\n{\"b\":6,\"b\":7,\"a\":8}",
        &["a=1 a_2=2 a_3=3 b=0", "a=4 b=5", "a=8 b=6 b_2=7"],
    );
    assert_rows(r#"{"a":1,"a_2":2,"a":3,"a":4}"#, &["a=1 a_2=2 a_3=3 a_4=4"]);
    assert_rows(r#"{"a":1,"a":2,"a_2":3}"#, &["a=1 a_2=2 a_2_2=3"]);
    assert_rows("{\"a\":1,\"a\":2}\n{\"a_2\":3}", &["a=1 a_2=2", "a_2=3"]);
    let many = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(3000));
    assert_eq!(read(&many).columns.len(), 3001);
}

#[test]
fn other_text_is_not_json() {
    for text in [
        "",
        " \n",
        "1\n2\n",
        "[1,2]",
        "\"a\"\n\"b\"",
        "a,b\n1,2\n",
        "[2025-01-01] started",
        "{'a': 1}",
        "{a}",
        "null",
        "[[[[",
        "2025 INFO {\"a\":1}\n2025 INFO {\"a\":2}\n",
        "{\"a\":1}\none\ntwo\nthree\n",
    ] {
        assert!(json(text.as_bytes(), true, &ReadOptions::default()).is_none(), "{text}");
        assert!(json(text.as_bytes(), true, &forced()).is_some(), "{text}");
    }
    let lines = "{\"n\":1}\n".repeat(20);
    assert_eq!(found(&format!("# exported\n{lines}")).rows.len(), 20);
}

#[test]
fn names_that_an_object_has_twice_are_told() {
    let told = |text: &str| read(text).notes;
    let end = "more than once: the second is called with _2";
    assert_eq!(told("{\"a\":1,\"a\":2}\n{\"b\":1}"), [format!("objects have 'a' {end}")]);
    assert_eq!(
        told("{\"b\":1}\n{\"a\":1,\"a\":2,\"b\":1,\"b\":2,\"a\":3}"),
        [format!("objects have 'a', 'b' {end}")]
    );
    assert_eq!(told("{\"a\":1,\"a_2\":2}"), [""; 0]);
    // An object that is rejected has changed nothing.
    assert_eq!(told("{\"a\":1}\n{\"a\":1,\"a\":2,x}"), [""; 0]);
    let many: Vec<String> = (0..9).map(|n| format!("\"k{n}\":1,\"k{n}\":2")).collect();
    assert_eq!(
        told(&format!("{{{}}}", many.join(","))),
        [format!("objects have 'k0', 'k1', 'k2', 'k3' and others {end}")]
    );
}

#[test]
fn names_with_half_of_a_surrogate_pair_are_told() {
    let read = read("{\"\\ud800\":1}\n{\"\\ud801\":2}\n{\"\\ud83d\\ude00\":3}");
    assert_eq!(read.columns, ["\u{fffd}", "😀"]);
    let told =
        r"names with half of a surrogate pair, such as \ud800, which is no letter: it became U+FFFD in '";
    assert_eq!(read.notes, [format!("{told}\u{fffd}'")]);
}

#[test]
fn lines_that_end_with_a_carriage_return_are_counted() {
    let read = read("{\"n\":1}\r{\"n\":2}\r\r[7,8]\r");
    assert_eq!(read.lines(), ["n=1", "n=2"]);
    let lines: Vec<u64> = read.rejected.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [4, 4]);
}
