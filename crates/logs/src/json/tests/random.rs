//! Random text, against `serde_json` and against other cuts of it.

use std::ops::Range;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Any JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\{}\\[\\],:\n ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    proptest::collection::btree_map("[a-e\"ä]{1,2}", any_json(), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

/// Cuts a text at fractions of its length.
fn parts<'a>(text: &'a [u8], cuts: &[u16]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> =
        cuts.iter().map(|cut| usize::from(*cut) * text.len() / usize::from(u16::MAX)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|place| &text[place[0]..place[1]]).collect()
}

/// Text that is nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => Just("{\"a\":1}".to_owned()),
        4 => Just("\n".to_owned()),
        2 => Just("{\"Records\":[{\"a\":2},{\"b\":3}]}".to_owned()),
        1 => Just("{\"Records\":[{\"a\":2}],\"own\":null}".to_owned()),
        1 => Just("{\"Records\":[".to_owned()),
        1 => Just("]}".to_owned()),
        1 => Just(",\"c\":[1,2]}".to_owned()),
        1 => Just("{\n\"a\" : [\n{\"b\":1},\n{\"b\":2}\n]\n}\n".to_owned()),
        3 => "[\\[\\]{},:\"\n \\\\a1tu\u{1e}\0\u{feff}]",
        1 => any_object().prop_map(|object| Value::Object(object).to_string()),
        1 => any_object().prop_map(|object| format!("{:#}\n", Value::Object(object))),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// Where the pieces of a text are.
fn pieces(text: &[u8]) -> Vec<Range<usize>> {
    let mut walk = walk::Walk::of_file(None);
    let mut pieces = vec![];
    loop {
        match walk.next(text, true) {
            walk::Step::Object(at) => {
                let end = piece::Piece::new(at).end(text, true).expect("the end is there");
                walk.pass(end);
                pieces.push(at..end.at);
            }
            walk::Step::Scrap(start, end) => pieces.push(start..end),
            walk::Step::End(_) => return pieces,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 500 } else { 5000 }))]

    #[test]
    fn valid_objects_are_read_as_serde_reads_them(
        objects in proptest::collection::vec(any_object(), 1..8),
        form in 0..6,
        cuts in proptest::collection::vec(any::<u16>(), 0..6),
    ) {
        let compact: Vec<String> = objects.iter().map(|object| Value::Object(object.clone()).to_string()).collect();
        let indented: Vec<String> = objects.iter().map(|object| format!("{:#}", Value::Object(object.clone()))).collect();
        let text = match form {
            0 => compact.join("\n"),
            1 => compact.concat(),
            2 => indented.join("\n"),
            3 => format!("[\n{}\n]", indented.join(",\n")),
            4 => format!("[{}]", compact.join(",")),
            _ => format!("{{\"Records\":[{}]}}", compact.join(", ")),
        };
        let parts = parts(text.as_bytes(), &cuts);
        let read = read_dialect(json(text.as_bytes(), true, &forced()).expect("told"), &parts);
        // The first object of a file may be an envelope by chance.
        prop_assume!(form == 5 || sniff::envelope(text.as_bytes(), true).is_none());
        prop_assert_eq!(&read.rejected, &[]);
        let rows: Vec<Value> = read.rows.iter().map(|row| {
            let members = row.iter().map(|(name, value)| (name.clone(), serde_json::from_str(value).expect("valid")));
            Value::Object(members.collect())
        }).collect();
        let expected: Vec<Value> = objects.iter().map(|object| {
            let object = object.iter().filter(|(_, value)| !value.is_null());
            Value::Object(object.map(|(name, value)| (name.clone(), value.clone())).collect())
        }).collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn strings_are_decoded_as_serde_decodes_them(text in any::<String>()) {
        let string = Value::from(text.clone()).to_string();
        let escaped: String = text.encode_utf16().fold("\"".to_owned(), |escaped, unit| format!("{escaped}\\u{unit:04x}")) + "\"";
        for string in [string, escaped] {
            prop_assert_eq!(lex::string(string.as_bytes(), 0), Ok(string.len()));
            let mut decoded = vec![];
            unescape(string.as_bytes(), &mut decoded);
            prop_assert_eq!(&decoded, text.as_bytes());
        }
    }

    #[test]
    fn values_end_where_serde_ends_them(value in any_json(), rest in "[a-z0-9\\[\\]{},\" ]{0,5}") {
        let value = value.to_string();
        let is_open = value.ends_with(|end: char| end.is_ascii_digit()) && rest.starts_with(|next: char| next.is_ascii_digit() || next == 'e');
        prop_assume!(!is_open);
        prop_assert_eq!(lex::value(format!("{value}{rest}").as_bytes(), 0), Ok(value.len()));
        // Cut anywhere, it is not whole.
        for cut in 0..value.len() {
            if matches!(value.as_bytes()[0], b'"' | b'{' | b'[') {
                prop_assert_eq!(lex::value(&value.as_bytes()[..cut], 0).map_err(|fault| fault.at), Err(cut));
            }
        }
    }

    #[test]
    fn parts_of_any_size_give_the_same(
        text in nearly_json(),
        envelope in any::<bool>(),
        cuts in proptest::collection::vec(any::<u16>(), 0..8),
    ) {
        let dialect = || {
            let head = if envelope { "{\"Records\":[{}]}" } else { "{}\n{}" };
            json(head.as_bytes(), true, &forced()).expect("told")
        };
        let whole = read_dialect(dialect(), &[text.as_bytes()]);
        prop_assert_eq!(&read_dialect(dialect(), &parts(text.as_bytes(), &cuts)), &whole);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        if !bytes.is_empty() {
            prop_assert_eq!(&read_dialect(dialect(), &bytes), &whole);
        }
        if !envelope {
            let pieces = pieces(text.as_bytes());
            prop_assert_eq!(pieces.len(), whole.rows.len() + whole.rejected.len(), "each piece is a row or rejected");
            let mut between = text.clone();
            pieces.into_iter().rev().for_each(|piece| drop(between.drain(piece)));
            let is_nothing = |letter: char| letter.is_ascii() && lex::is_gap(letter as u8) || ",[]\u{feff}".contains(letter);
            prop_assert!(between.chars().all(is_nothing), "between pieces is no text: {:?}", text);
        }
    }

    #[test]
    fn any_text_is_read_without_harm(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = json(text.as_bytes(), true, &ReadOptions::default());
        read(&text);
        for at in 0..bytes.len() {
            let _ = (lex::value(&bytes, at), lex::string(&bytes, at), lex::begins_record(&bytes, at), lex::skip_plain(&bytes, at));
            let cell = [Cell::new(at, bytes.len() - at), Cell::new(at, bytes.len() * 2)];
            let _ = (members(&bytes, &cell), items(&bytes, &cell));
        }
        unescape(&bytes, &mut vec![]);
    }
}
