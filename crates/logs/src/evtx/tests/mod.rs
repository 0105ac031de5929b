//! Event logs of Windows: real ones beside their collector's JSON and the crate's own, and damaged ones.

mod damaged;
mod made;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::evtx::{EvtxChunkData, ParserSettings};
use serde_json::Value;

use super::CHUNK_SIZE;
use super::event::SYSTEM;
use crate::tests::{Table, TestHost, read_by};
use crate::{ColumnType, Format, ReadOptions};

/// The folder of real event logs. Tests that call it are ignored where the build found no event sets.
fn folder() -> PathBuf {
    let sets = std::env::var_os("DBCLUSTER_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    sets.join("evtx")
}

/// The event logs with their names, in the order of these.
fn logs() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "evtx"));
    paths.sort();
    assert!(!paths.is_empty(), "no event logs in {}", folder.display());
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("a file");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

fn read(bytes: &[u8]) -> Table {
    read_by(&TestHost::new(2, usize::MAX), &[("a.evtx", bytes)], &ReadOptions::default()).expect("a table")
}

/// The values of each row as text, without those that are NULL.
fn texts(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let found = read(bytes);
    let names: Vec<String> = found.schema.fields().iter().map(|field| field.name().clone()).collect();
    let types = names.iter().map(|name| (name.clone(), ColumnType::Text)).collect();
    let options = ReadOptions { types, ..ReadOptions::default() };
    let table = read_by(&TestHost::new(2, usize::MAX), &[("a.evtx", bytes)], &options).expect("a table");
    let values = |row: &Vec<Option<String>>| {
        let values = names.iter().cloned().zip(row.iter().cloned());
        values.filter_map(|(name, value)| Some((name, value?))).collect()
    };
    table.values().iter().map(values).collect()
}

/// Adds a value by its column, by the rules that the module tells.
fn add(row: &mut BTreeMap<String, String>, name: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::String(text) => plain(text),
        value => plain_json(value).to_string(),
    };
    let mut free = name.to_owned();
    let mut copies = 1;
    while row.contains_key(&free) {
        copies += 1;
        free = format!("{name}_{copies}");
    }
    row.insert(free, text);
}

/// A value in the spelling of collectors: no braces around what the crate writes for a GUID.
fn plain(text: &str) -> String {
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
    let lengths: Vec<usize> = inside.split('-').map(str::len).collect();
    let is_small = |letter: char| letter == '-' || letter.is_ascii_digit() || ('a'..='f').contains(&letter);
    if lengths == [8, 4, 4, 4, 12] && inside.chars().all(is_small) {
        inside.to_uppercase()
    } else {
        text.to_owned()
    }
}

fn plain_json(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain(text)),
        Value::Array(items) => items.iter().map(plain_json).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), plain_json(value))).collect()
        }
        value => value.clone(),
    }
}

fn add_data(row: &mut BTreeMap<String, String>, parent: Option<&str>, data: &Value) -> bool {
    let mut is_whole = true;
    for (name, value) in data.as_object().expect("an object") {
        let data_name = |name: &str| {
            let is_taken = SYSTEM.iter().map(|column| column.name).chain([
                "EventData",
                "UserData",
                "RenderingInfo",
                "recovered",
            ]);
            if is_taken.into_iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
                format!("Data_{name}")
            } else if name.is_empty() {
                "_".to_owned()
            } else {
                name.to_owned()
            }
        };
        match (name.as_str(), parent) {
            ("#attributes", _) | ("#text" | "Data", None) => is_whole = false,
            ("#text", Some(parent)) => add(row, &data_name(parent), value),
            _ if value.is_object() => {
                is_whole = false;
                add_data(row, Some(name), value);
            }
            _ => add(row, &data_name(name), value),
        }
    }
    is_whole
}

/// The values of an event by column, found in another way.
fn expected(event: &Value) -> BTreeMap<String, String> {
    let mut row = BTreeMap::new();
    let system = event["Event"]["System"].as_object().expect("a System");
    let text = |value: &Value| if value.is_object() { value["#text"].clone() } else { value.clone() };
    for column in &SYSTEM {
        let Some(element) = system.get(column.element) else { continue };
        let value = match column.attribute {
            "" => text(element),
            attribute => element["#attributes"][attribute].clone(),
        };
        if value != Value::String(String::new()) {
            add(&mut row, column.name, &value);
        }
    }
    for (name, data) in event["Event"].as_object().expect("an object") {
        match name.as_str() {
            "#attributes" | "System" => {}
            "EventData" | "UserData" if data.is_object() => {
                if !add_data(&mut row, None, data) {
                    add(&mut row, name, data);
                }
            }
            name => add(&mut row, name, data),
        }
    }
    row
}

/// JSON text without regard to the order of members.
fn same(row: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let same = |text: &String| match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value.to_string(),
        _ => text.clone(),
    };
    row.iter().map(|(name, text)| (name.clone(), same(text))).collect()
}

/// The crate's own output, in the order of the file.
fn crate_events(bytes: &[u8]) -> Vec<Value> {
    let settings = Arc::new(ParserSettings::new());
    let mut events = vec![];
    for chunk in bytes.get(4096..).unwrap_or_default().chunks_exact(CHUNK_SIZE) {
        let Ok(mut data) = EvtxChunkData::new(chunk.to_vec(), false) else { continue };
        let Ok(mut chunk) = data.parse(Arc::clone(&settings)) else { continue };
        for event in chunk.iter().flatten() {
            events.extend(event.into_json_value().ok().map(|event| event.data));
        }
    }
    events.retain(|event| event["Event"]["System"] != Value::Null);
    events
}

#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn real_logs_are_as_the_crate_writes_them() {
    for (path, bytes) in logs() {
        let rows = texts(&bytes);
        let events = crate_events(&bytes);
        assert_eq!(rows.len(), events.len(), "{}", path.display());
        for (row, event) in rows.iter().zip(&events) {
            assert_eq!(same(row), same(&expected(event)), "{}", path.display());
        }
    }
}

/// The JSON that a collector wrote for each event: by an earlier version of the crate, with times cut to microseconds, and values
/// without the white space at their end.
#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn real_logs_are_as_their_collector_wrote_them() {
    let mut twins = 0;
    for (path, bytes) in logs() {
        let Ok(json) = std::fs::read_to_string(path.with_extension("json")) else { continue };
        let events: Vec<Value> = serde_json::Deserializer::from_str(&json)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut rows = texts(&bytes);
        assert_eq!(rows.len(), events.len(), "{}", path.display());
        for (row, event) in rows.iter_mut().zip(&events) {
            let time = row.get_mut("TimeCreated").expect("a time");
            assert_eq!((time.len(), &time[27..]), (28, "Z"), "seven digits: {time}");
            time.replace_range(26..27, "");
            for value in row.values_mut() {
                value.truncate(value.trim_end().len());
            }
            assert_eq!(same(row), same(&expected(event)), "{}", path.display());
            twins += 1;
        }
    }
    assert!(twins >= 17, "{twins} events have a twin");
}

#[test]
#[cfg_attr(no_event_sets, ignore = "no event sets: DBCLUSTER_DATA names their folder")]
fn types_of_real_logs() {
    for (path, bytes) in logs() {
        let table = read(&bytes);
        let columns = table.columns();
        assert!(
            columns.starts_with(
                "TimeCreated Timestamp(ns, \"UTC\"), EventID Int64, Channel Utf8View, Computer Utf8View, \
                 EventRecordID Int64, ProviderName Utf8View, ProviderGuid Utf8View, Level Int64, Task Int64, \
                 Opcode Int64, Keywords Utf8View, Version Int64, ExecutionProcessID Int64, \
                 ExecutionThreadID Int64, UserID Utf8View, ActivityID Utf8View, RelatedActivityID Utf8View"
            ),
            "{}: {columns}",
            path.display()
        );
    }
}
