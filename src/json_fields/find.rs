//! Finds a value in JSON text by its path, without building the values around it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A step from a value to one in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// To the member of an object with this name.
    Name(&'a str),
    /// To the item of an array at this place from 0, or from -1 backwards from its end.
    Place(i64),
}

/// The value at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The JSON text of a value.
    Value(&'a str),
    /// There is JSON, and no such value in it.
    Nothing,
    /// The text is no JSON.
    NoJson,
}

/// Looks for the value at the end of a path.
pub(super) fn find<'a>(json: &'a str, path: &[Step]) -> Found<'a> {
    let Ok(mut value) = serde_json::from_str::<&RawValue>(json) else { return Found::NoJson };
    for step in path {
        match next(value.get(), *step) {
            Some(next) => value = next,
            None => return Found::Nothing,
        }
    }
    Found::Value(value.get())
}

fn next<'a>(json: &'a str, step: Step) -> Option<&'a RawValue> {
    let mut reader = serde_json::Deserializer::from_str(json);
    match step {
        Step::Name(name) if json.starts_with('{') => reader.deserialize_map(Member(name)).ok()?,
        Step::Place(place) if json.starts_with('[') => {
            let from_start = if place < 0 {
                let items = serde_json::Deserializer::from_str(json).deserialize_seq(Count).ok()?;
                items.checked_sub(usize::try_from(place.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(place).ok()?
            };
            reader.deserialize_seq(Item(from_start)).ok()?
        }
        _ => None,
    }
}

/// Takes the last member of an object with a name.
struct Member<'n>(&'n str);

impl<'a> Visitor<'a> for Member<'_> {
    type Value = Option<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_wanted) = map.next_key_seed(Equals(self.0))? {
            if is_wanted {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a name, which may be written with escapes.
struct Equals<'n>(&'n str);

impl<'a> DeserializeSeed<'a> for Equals<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Equals<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// Takes an item of an array.
struct Item(usize);

impl<'a> Visitor<'a> for Item {
    type Value = Option<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut place = 0;
        // The rest is read too, since the reader expects it.
        loop {
            if place == self.0 {
                match items.next_element()? {
                    Some(item) => found = Some(item),
                    None => return Ok(None),
                }
            } else if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            place += 1;
        }
    }
}

/// Counts the items of an array.
struct Count;

impl<'a> Visitor<'a> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::Step::{Name, Place};
    use super::*;

    #[test]
    fn values_are_found_by_names_and_places() {
        let json = r#" {"a": {"b" : [10, "x", {"c": null}]}, "u\u0073er": 1, "user": 2, "a.b": true} "#;
        for (path, expected) in [
            (&[Name("a"), Name("b"), Place(0)] as &[Step], Some("10")),
            (&[Name("a"), Name("b"), Place(-1), Name("c")], Some("null")),
            (&[Name("a"), Name("b"), Place(-3)], Some("10")),
            (&[Name("a"), Name("b"), Place(-4)], None),
            (&[Name("a"), Name("b"), Place(3)], None),
            (&[Name("a"), Name("b"), Place(i64::MIN)], None),
            (&[Name("a"), Name("b"), Name("0")], None),
            (&[Name("a"), Place(0)], None),
            // The last of a name counts, also if one is written with an escape.
            (&[Name("user")], Some("2")),
            (&[Name("a.b")], Some("true")),
            (&[Name("")], None),
            (&[Name("user"), Name("x")], None),
        ] {
            assert_eq!(find(json, path), expected.map_or(Found::Nothing, Found::Value), "{path:?}");
        }
        assert_eq!(find(" 1 ", &[]), Found::Value("1"));
    }

    #[test]
    fn what_is_no_json_has_no_value() {
        for text in [
            "",
            " ",
            "{",
            r#"{"a":1"#,
            r#"{"a":1}x"#,
            r#"{"a":01}"#,
            "{'a':1}",
            "a",
            r#"{"a":1,}"#,
            "\u{feff}{}",
            "NaN",
        ] {
            assert_eq!(find(text, &[Name("a")]), Found::NoJson, "{text}");
        }
    }

    #[test]
    fn deep_nesting_takes_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        let inner = find(&deep, &[Name("a"), Place(0), Place(0)]);
        assert!(matches!(inner, Found::Value(json) if json.len() == 399_996));
        assert_eq!(find(&"[".repeat(200_000), &[Place(0)]), Found::NoJson);
    }
}
