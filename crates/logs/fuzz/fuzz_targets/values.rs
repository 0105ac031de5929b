//! Columns of text: each line is a value of a column with a name that may be one of a time, as CSV, as JSON strings, and in memory.
#![no_main]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use dbcluster_logs::{Format, ReadOptions, times_of};
use dbcluster_logs_fuzz::{Bytes, check, options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut input = Bytes(input);
    let name = ["c", "time", "created", "epoch_ms"][usize::from(input.next() & 3)];
    let ReadOptions { time_zone, date_order, nulls, .. } = options(&mut input);
    let types = input.next();
    let text = String::from_utf8_lossy(input.0);
    let values: Vec<&str> = text.lines().collect();

    let csv = |value: &&str| format!("\"{}\"\n", value.replace('"', "\"\""));
    let csv = format!("{name}\n{}", values.iter().map(csv).collect::<String>());
    let json = |value: &&str| format!("{{\"{name}\":{}}}\n", json_of(value));
    let json: String = values.iter().map(json).collect();
    let options = ReadOptions { time_zone, date_order, nulls, ..ReadOptions::default() };
    let ordered = |format| ReadOptions { format: Some(format), header: Some(true), ..options.clone() };
    check(&[("a.csv", csv.as_bytes())], &ordered(Format::Csv), types);
    check(&[("a.json", json.as_bytes())], &ordered(Format::Json), types);
    check_times(&values, name, &options);
});

/// A JSON value: the text itself if it begins as one that is no string.
fn json_of(value: &str) -> String {
    match value.as_bytes().first() {
        Some(b'[' | b'{' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => value.to_owned(),
        _ => format!(
            "\"{}\"",
            value.replace('\\', "\\\\").replace('"', "\\\"").replace(char::is_control, "\\u0001")
        ),
    }
}

/// Parts of a column are read as the whole is.
fn check_times(values: &[&str], name: &str, options: &ReadOptions) {
    let array = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let whole = times_of(&[array(values)], name, options);
    let (first, second) = values.split_at(values.len() / 3);
    let parts = times_of(&[array(first), array(second)], name, options);
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            assert_eq!(&arrow::compute::concat(&parts).expect("arrays of one type"), &whole[0]);
        }
        (Err(whole), Err(parts)) => assert_eq!(whole, parts),
        (whole, parts) => panic!("{whole:?} is not {parts:?}"),
    }
}
