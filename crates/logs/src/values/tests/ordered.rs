use super::*;
use crate::options::DateOrder;

#[test]
fn ordered_types_take_more_and_tell_what_they_refuse() {
    let read = |name: &str, values: &[&str], with: ReadOptions| {
        let options = ReadOptions {
            types: vec![("c".to_owned(), ColumnType::of_sql_name(name).expect("a type"))],
            ..with
        };
        let sample = Sample::plain(values);
        let decision = sample.summary(&options).decide("c", &options);
        let (array, rejected) = sample.build(&decision.column_type, &options);
        (array.data_type().clone(), printed(&array), rejected.len())
    };
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        read(
            "BIGINT",
            &["007", " 7", "+7", "0x1f", "-0x1F", "7.0", "", "x", "7.5", "0x", "0x+1", "9223372036854775808"],
            options()
        ),
        (DataType::Int64, owned(&["7", "7", "7", "31", "-31", "7", "", "", "", "", "", ""]), 5)
    );
    assert_eq!(
        read("DOUBLE", &["007", ".5", "5.", "12e4", "+1", "1e999", "x", "inf"], options()),
        (DataType::Float64, owned(&["7.0", "0.5", "5.0", "120000.0", "1.0", "", "", "inf"]), 2)
    );
    assert_eq!(read("VARCHAR", &["007", "5"], options()), (DataType::Utf8View, owned(&["007", "5"]), 0));
    assert_eq!(
        read("BOOLEAN", &["1", "no", "T", "x"], options()),
        (DataType::Boolean, owned(&["true", "false", "true", ""]), 1)
    );
    assert_eq!(
        read("DATE", &["2025-01-01", "2025-01-01 00:00", "2025-01-01 10:00", "x"], options()),
        (DataType::Date32, owned(&["2025-01-01", "2025-01-01", "", ""]), 2)
    );
    assert_eq!(
        read("TIMESTAMP", &["2025-01-01 09:00:00.5", "2025-01-01"], options()),
        (timestamp(TimeUnit::Millisecond), owned(&["2025-01-01T09:00:00.500", "2025-01-01T00:00:00"]), 0)
    );
    assert_eq!(
        read("TIMESTAMP", &["1547546700", "15 Jan 2019 10:05:00", "never", "01/02/2026"], options()),
        (timestamp(TimeUnit::Nanosecond), owned(&["2019-01-15T10:05:00", "2019-01-15T10:05:00", "", ""]), 2)
    );
    let day_first = ReadOptions { date_order: Some(DateOrder::DayFirst), ..options() };
    assert_eq!(
        read("TIMESTAMPTZ", &["01/02/2026", "x"], day_first),
        (instant(TimeUnit::Nanosecond), owned(&["2026-02-01T00:00:00Z", ""]), 1)
    );
    assert_eq!(
        read("TIMESTAMP(0)", &["2025-01-01 09:00:00.5", "2025-01-01 09:00:00"], options()),
        (timestamp(TimeUnit::Second), owned(&["", "2025-01-01T09:00:00"]), 1)
    );
    let (array, rejected) = Sample::json(&["\"7\"", "\"x\"", "{}"]).build(&ColumnType::Integer, &options());
    assert_eq!((printed(&array), rejected.len()), (owned(&["7", "", ""]), 2));
}
