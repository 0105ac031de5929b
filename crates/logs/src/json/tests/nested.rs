//! Members and items.

use super::*;

fn cells(text: &str, values: &[&str]) -> Vec<Cell> {
    values.iter().map(|value| text.find(value).map_or(Cell::NULL, |at| Cell::new(at, value.len()))).collect()
}

fn shown(text: &str, cells: &[Cell]) -> Vec<Option<String>> {
    cells
        .iter()
        .map(|cell| cell.of(text.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned()))
        .collect()
}

#[test]
fn members_are_columns_with_a_cell_for_each_object() {
    let text = r#"{"a":1,"b":{"x":[]}} {"b":null,"c\n":"s","a":2,"a":3} 7 {}"#;
    let objects = [r#"{"a":1,"b":{"x":[]}}"#, r#"{"b":null,"c\n":"s","a":2,"a":3}"#, "7", "none", "{}"];
    let members = members(text.as_bytes(), &cells(text, &objects));
    let shown: Vec<_> = members.iter().map(|(name, cells)| (name.as_ref(), shown(text, cells))).collect();
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(
        shown,
        [
            ("a", vec![some("1"), some("2"), None, None, None]),
            ("b", vec![some(r#"{"x":[]}"#), None, None, None, None]),
            ("c\n", vec![None, some("\"s\""), None, None, None]),
            ("a_2", vec![None, some("3"), None, None, None]),
        ]
    );
}

#[test]
fn items_are_cells_behind_each_other() {
    let text = r#"[1, "a" ,[2],null] [] 7 {"a":1}"#;
    let (counts, items) =
        items(text.as_bytes(), &cells(text, &[r#"[1, "a" ,[2],null]"#, "none", "[]", "7", r#"{"a":1}"#]));
    assert_eq!(counts, [Some(4), None, Some(0), None, None]);
    assert_eq!(shown(text, &items), [Some("1".into()), Some("\"a\"".into()), Some("[2]".into()), None]);
}
