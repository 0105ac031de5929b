use super::*;

fn json_type(values: &[&str]) -> ColumnType {
    Sample::json(values).summary(&options()).decide("c", &options()).column_type
}

fn read(values: &[&str]) -> (DataType, Vec<String>) {
    let (found, printed, _) = Sample::json(values).read("c", &options());
    (found, printed)
}

fn struct_of(fields: &[(&str, DataType)]) -> DataType {
    let fields = fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true));
    DataType::Struct(fields.collect())
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

#[test]
fn objects_with_members_in_common_are_structs() {
    let (found, printed) =
        read(&[r#"{"name":"amy","id":7}"#, "null", r#"{"id":8,"at":"2025-01-01T00:00:00Z"}"#, "{}"]);
    let expected = [("name", DataType::Utf8View), ("id", DataType::Int64), ("at", instant(TimeUnit::Second))];
    assert_eq!(found, struct_of(&expected));
    assert_eq!(
        printed,
        ["{name: amy, id: 7, at: }", "", "{name: , id: 8, at: 2025-01-01T00:00:00Z}", "{name: , id: , at: }"]
    );
    let deep = read(&[r#"{"a":{"b":{"c":1.5}}}"#]);
    assert_eq!(deep.0, struct_of(&[("a", struct_of(&[("b", struct_of(&[("c", DataType::Float64)]))]))]));
    assert_eq!(deep.1, ["{a: {b: {c: 1.5}}}"]);
}

#[test]
fn arrays_whose_items_share_a_type_are_lists() {
    for (values, expected, as_printed) in [
        (&["[1,2]", "[]", "null", "[null]"][..], list_of(DataType::Int64), &["[1, 2]", "[]", "", "[]"][..]),
        (&[r#"["a","b"]"#], list_of(DataType::Utf8View), &["[a, b]"]),
        (&["[1]", "[2.5]"], list_of(DataType::Float64), &["[1.0, 2.5]"]),
        (
            &[r#"[{"a":1}]"#, r#"[{"a":2},{"a":3}]"#],
            list_of(struct_of(&[("a", DataType::Int64)])),
            &["[{a: 1}]"],
        ),
        (&["[[1],[2,3]]"], list_of(list_of(DataType::Int64)), &["[[1], [2, 3]]"]),
    ] {
        let (found, printed) = read(values);
        assert_eq!(found, expected, "{values:?}");
        assert_eq!(printed.len(), values.len());
        if as_printed.len() == values.len() {
            assert_eq!(printed, as_printed);
        }
    }
}

#[test]
fn other_nested_values_are_json_as_it_stands() {
    for values in [
        &["[]", "[]"][..],
        &["{}"],
        &[r#"[1,"1"]"#],
        &["[1]", r#"["a"]"#],
        &["[true,1]"],
        &[r#"[{"a":1},2]"#],
        &["[1]", r#"{"a":1}"#],
        &["5", r#"{"a":1}"#],
    ] {
        assert_eq!(json_type(values), ColumnType::Json, "{values:?}");
        assert_eq!(read(values).1, values);
    }
    assert_eq!(read(&[r#"{"a":[]}"#]).0, struct_of(&[("a", DataType::Utf8View)]));
}

#[test]
fn objects_whose_keys_are_data_are_json() {
    let objects: Vec<String> = (0..100).map(|key| format!("{{\"host{key}\":1}}")).collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    assert_eq!(json_type(&objects), ColumnType::Json);
    // Members that few objects have, if they're more than a few.
    assert_eq!(json_type(&objects[..17]), ColumnType::Json);
    assert!(matches!(json_type(&objects[..16]), ColumnType::Struct(_)));
    // One object with members for a table of its own.
    let members: Vec<String> = (0..65).map(|key| format!("\"m{key}\":1")).collect();
    assert_eq!(json_type(&[&format!("{{{}}}", members.join(","))]), ColumnType::Json);
    assert!(matches!(json_type(&[&format!("{{{}}}", members[..64].join(","))]), ColumnType::Struct(_)));
    // Objects of objects of objects, each of them narrow enough, but not all of them together.
    let inner = format!("{{{}}}", members[..60].join(","));
    let outer: Vec<String> = (0..10).map(|key| format!("\"o{key}\":{inner}")).collect();
    assert_eq!(json_type(&[&format!("{{{}}}", outer.join(","))]), ColumnType::Json);
}

#[test]
fn deep_values_are_json_at_a_depth() {
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let depth_of = |mut kind: ColumnType| {
        let mut depth = 0;
        while let ColumnType::Struct(fields) = kind {
            kind = fields[0].1.clone();
            depth += 1;
        }
        (depth, kind)
    };
    assert_eq!(depth_of(json_type(&[&nested(4)])), (4, ColumnType::Integer));
    assert_eq!(depth_of(json_type(&[&nested(5)])), (4, ColumnType::Json));
    assert_eq!(depth_of(json_type(&[&nested(100)])), (4, ColumnType::Json));
    assert_eq!(read(&[&nested(6)]).1, [format!("{{a: {{a: {{a: {{a: {}}}}}}}}}", nested(2))]);
}

#[test]
fn notes_name_the_path() {
    let values = [r#"{"user":{"ts":1547546700}}"#, r#"{"days":["01/02/2026"]}"#];
    let (_, _, notes) = Sample::json(&values).read("event", &options());
    assert!(
        notes[0].starts_with("'event.user.ts' is a time")
            && notes[1].starts_with("'event.days[]' stays text"),
        "{notes:?}"
    );
}

#[test]
fn texts_that_mean_null_are_no_objects() {
    let options = ReadOptions { nulls: vec!["-".to_owned()], ..options() };
    let sample = Sample::json(&[r#""-""#, r#"{"a":"-"}"#, r#"{"a":1}"#]);
    let (found, printed, _) = sample.read("c", &options);
    assert_eq!((found, printed.len()), (struct_of(&[("a", DataType::Int64)]), 3));
    assert_eq!(printed, ["", "{a: }", "{a: 1}"]);
}

#[test]
fn parts_of_objects_make_the_whole() {
    let values = [
        r#"{"a":1}"#,
        r#"{"b":"x","a":2.5}"#,
        "null",
        r#"{"c":[1,2]}"#,
        r#"{"c":["x"]}"#,
        r#"{"a":null,"d":{"e":true}}"#,
    ];
    let whole = json_type(&values);
    for cut in 0..=values.len() {
        let (left, right) = values.split_at(cut);
        let mut merged = Sample::json(left).summary(&options());
        merged.merge(&Sample::json(right).summary(&options()));
        assert_eq!(merged.decide("c", &options()).column_type, whole, "cut at {cut}");
    }
    let mut mixed = Sample::json(&values).summary(&options());
    mixed.merge(&Sample::plain(&["abc"]).summary(&options()));
    mixed.merge(&Sample::json(&values).summary(&options()));
    assert_eq!(mixed.decide("c", &options()).column_type, ColumnType::Json);
}
