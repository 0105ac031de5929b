use proptest::prelude::*;

use super::*;

/// Values of all kinds, so that columns of one kind and of several occur.
fn values() -> impl Strategy<Value = (Vec<String>, Syntax)> {
    const KINDS: [&[&str]; 10] = [
        &["1", "-5", "443", "", "9007199254740993", "1547546700", "1547546700000"],
        &["1.5", "2", "0.30000000000000004", "1547546700.25", "NaN", "0.1234567890123456789"],
        &["true", "False", ""],
        &[
            "2025-01-01",
            "2025-01-01 09:00:00",
            "2025-01-01T09:00:00.5Z",
            "Tue, 15 Jan 2019 10:05:00 GMT",
            "0001-01-01 00:00:00",
            "",
        ],
        &["01/02/2026", "15/01/2026", "01/15/2026", "1/2/2026 9:00 AM", "01.02.2026"],
        &["2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-10-26 02:30:00.1234567"],
        &["abc", "007", "0x1F", "Jan 15 10:05:00"],
        &["\"abc\"", "\"2025-01-01\"", "1", "true", "null", "{\"a\":1}", "[1,2]", "\"1547546700\""],
        &[
            r#"{"a":1}"#,
            r#"{"a":2.5,"b":"x"}"#,
            r#"{"b":[1]}"#,
            r#"{"b":["x"],"c":{"a":true}}"#,
            r#"{"c":{"a":{}}}"#,
            "{}",
            "null",
        ],
        &["[1,2]", "[2.5]", "[]", r#"["x"]"#, r#"["2025-01-01"]"#, "[null]", "[[1]]", r#"[{"a":1}]"#],
    ];
    let kind =
        |values: &'static [&'static str]| proptest::collection::vec(proptest::sample::select(values), 0..12);
    let one = proptest::sample::select(&KINDS[..]).prop_flat_map(kind);
    (proptest::collection::vec(one, 0..3), any::<bool>()).prop_map(|(parts, is_json)| {
        let values = parts.concat().into_iter().map(str::to_owned);
        let syntax = if is_json { Syntax::Json } else { Syntax::Plain };
        // In JSON, all but numbers, words and nested values are strings.
        let as_json = |value: String| match value.as_bytes().first() {
            Some(b'{' | b'[' | b'"') => value,
            _ if number::exact_float(value.as_bytes(), true).is_some() => value,
            _ if ["true", "null"].contains(&value.as_str()) => value,
            _ => format!("\"{value}\""),
        };
        (if is_json { values.map(as_json).collect() } else { values.collect() }, syntax)
    })
}

proptest! {
    #[test]
    fn parts_make_the_whole_whatever_the_cuts(
        (values, syntax) in values(),
        cuts in proptest::collection::vec(0_usize..30, 0..4),
        name in proptest::sample::select(&["c", "time", "created"][..]),
        zone in proptest::option::of(Just("Europe/Berlin".to_owned())),
    ) {
        let options = ReadOptions { time_zone: zone, ..options() };
        let whole = Sample::new(&values, syntax).summary(&options);
        let expected = whole.decide(name, &options);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(values.len())).collect();
        cuts.extend([0, values.len()]);
        cuts.sort_unstable();
        let parts: Vec<Summary> = cuts.windows(2).map(|cut| {
            Sample::new(&values[cut[0]..cut[1]], syntax).summary(&options)
        }).collect();
        let mut from_left = Summary::default();
        for part in &parts {
            from_left.merge(part);
        }
        prop_assert_eq!(from_left.decide(name, &options), expected.clone());
        let from_right = parts.iter().rev().fold(Summary::default(), |later, part| {
            let mut part = part.clone();
            part.merge(&later);
            part
        });
        prop_assert_eq!(from_right.decide(name, &options), expected);
    }

    #[test]
    fn the_type_that_is_found_holds_every_value(
        (values, syntax) in values(),
        name in proptest::sample::select(&["c", "time"][..]),
        zone in proptest::option::of(Just("Europe/Berlin".to_owned())),
    ) {
        let options = ReadOptions { time_zone: zone, ..options() };
        let sample = Sample::new(&values, syntax);
        let decision = sample.summary(&options).decide(name, &options);
        let (array, rejected) = sample.build(&decision.column_type, &options);
        prop_assert_eq!(rejected, Vec::<String>::new());
        let is_null = |value: &&String| value.is_empty() || syntax == Syntax::Json && *value == "null";
        prop_assert_eq!(array.null_count(), values.iter().filter(is_null).count());
    }

    /// No type panics on cells that do not fit it.
    #[test]
    fn any_bytes_in_any_type(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..8),
        is_json in any::<bool>(),
    ) {
        let sample = Sample::new(&values, if is_json { Syntax::Json } else { Syntax::Plain });
        let options = options();
        let found = sample.summary(&options).decide("time", &options).column_type;
        let inner = ColumnType::Integer;
        let types = ["BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR", "JSON"];
        let types = types.into_iter().filter_map(ColumnType::of_sql_name).chain([
            found,
            ColumnType::List(Box::new(inner.clone())),
            ColumnType::Struct(vec![("a".into(), inner)]),
            ColumnType::Struct(vec![]),
        ]);
        for column_type in types {
            sample.build(&column_type, &options);
        }
    }
}
