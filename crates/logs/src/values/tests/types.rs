use arrow::datatypes::{DataType, TimeUnit};

use super::*;

#[test]
fn a_type_holds_every_value_or_it_is_text() {
    for (values, expected) in [
        (&["443", "", "-1"][..], DataType::Int64),
        (&["443", "n/a"], DataType::Utf8View),
        (&["007", "042"], DataType::Utf8View),
        (&["1", "007"], DataType::Utf8View),
        (&["0x1F", "31"], DataType::Utf8View),
        (&["9223372036854775807"], DataType::Int64),
        (&["1", "9223372036854775808"], DataType::Utf8View),
        (&["1e345678", "12345678"], DataType::Utf8View),
        (&["12e4", "34e5"], DataType::Utf8View),
        (&["3.0", ""], DataType::Float64),
        (&["1", "2.5"], DataType::Float64),
        (&["2.5", "1"], DataType::Float64),
        (&["9007199254740993", "2.5"], DataType::Utf8View),
        (&["2.5", "9007199254740993"], DataType::Utf8View),
        (&["9007199254740993", "2"], DataType::Int64),
        (&["0.1234567890123456789"], DataType::Utf8View),
        (&["00.5"], DataType::Utf8View),
        (&["Infinity", "12.5"], DataType::Float64),
        (&["12", "NaN"], DataType::Float64),
        (&["NaN", "inf"], DataType::Utf8View),
        (&["-0"], DataType::Utf8View),
        (&["-0", "1.5"], DataType::Float64),
        (&["true", "FALSE", "", "True"], DataType::Boolean),
        (&["true", "1"], DataType::Utf8View),
        (&["yes", "no"], DataType::Utf8View),
        (&["2025-01-01", ""], DataType::Date32),
        (&["2025-01-01", "2025-01-01 09:00"], timestamp(TimeUnit::Second)),
        (&["2025-01-01 09:00:00", "2025-01-01 09:00:00.750"], timestamp(TimeUnit::Millisecond)),
        (&["2025-01-01 09:00:00.123456"], timestamp(TimeUnit::Microsecond)),
        (&["2025-01-01 09:00:00.1234567Z"], instant(TimeUnit::Nanosecond)),
        (&["0001-01-01T00:00:00", "2025-01-01 09:00:00.123456"], timestamp(TimeUnit::Microsecond)),
        (&["0001-01-01T00:00:00", "2025-01-01 09:00:00.1234567"], DataType::Utf8View),
        (&["2025-01-01T00:00:00Z", "5"], DataType::Utf8View),
        (&["", ""], DataType::Utf8View),
        (&[], DataType::Utf8View),
        (&[" "], DataType::Utf8View),
        (&[" 1"], DataType::Utf8View),
        (&["abc", "{\"a\":1}"], DataType::Utf8View),
    ] {
        let (found, printed, _) = Sample::plain(values).read("c", &options());
        assert_eq!(found, expected, "{values:?}");
        if found == DataType::Utf8View {
            assert_eq!(printed, values, "text stays as it is");
        }
    }
}

#[test]
fn json_says_the_kinds_of_values() {
    for (values, expected, as_printed) in [
        (&["443", "null"][..], DataType::Int64, &["443", ""][..]),
        (&["\"443\"", "\"1\""], DataType::Utf8View, &["443", "1"]),
        (&["443", "\"443\""], DataType::Utf8View, &["443", "443"]),
        (&["1.0", "12e4"], DataType::Float64, &["1.0", "120000.0"]),
        (&["-9214364837600034816", "\"0x80\""], DataType::Utf8View, &["-9214364837600034816", "0x80"]),
        (&["true", "false"], DataType::Boolean, &["true", "false"]),
        (&["\"true\""], DataType::Utf8View, &["true"]),
        (&["true", "1"], DataType::Utf8View, &["true", "1"]),
        (&["\"\"", "null"], DataType::Utf8View, &["", ""]),
        (&["1", "{\"a\":1}", "\"x\""], DataType::Utf8View, &["1", "{\"a\":1}", "\"x\""]),
        (&["[1]", "{\"a\":1}"], DataType::Utf8View, &["[1]", "{\"a\":1}"]),
        (
            &["\"2025-01-01T00:00:10Z\"", "\"2025-01-01T00:00:10.5Z\""],
            instant(TimeUnit::Millisecond),
            &["2025-01-01T00:00:10Z", "2025-01-01T00:00:10.500Z"],
        ),
        (&["\"\\/Date(1547546700000)\\/\""], instant(TimeUnit::Second), &["2019-01-15T10:05:00Z"]),
        (&[r#""1\/15\/2019, 10:05:00\u202fAM""#], timestamp(TimeUnit::Second), &["2019-01-15T10:05:00"]),
        (&["NaN", "-Infinity", "1"], DataType::Float64, &["NaN", "-inf", "1.0"]),
    ] {
        let (found, printed, _) = Sample::json(values).read("c", &options());
        assert_eq!(
            (found, printed),
            (expected, as_printed.iter().map(|text| (*text).to_owned()).collect()),
            "{values:?}"
        );
    }
}

#[test]
fn parts_of_plain_text_and_of_json_are_one_column() {
    let merged = |one: &Sample, other: &Sample| {
        let mut summary = one.summary(&options());
        summary.merge(&other.summary(&options()));
        summary.decide("c", &options()).column_type.data_type()
    };
    let [five, word, json_five, json_word] =
        [Sample::plain(&["5"]), Sample::plain(&["abc"]), Sample::json(&["5"]), Sample::json(&["\"abc\""])];
    assert_eq!(merged(&five, &json_five), DataType::Int64);
    assert_eq!(merged(&word, &json_word), DataType::Utf8View);
    assert_eq!(merged(&five, &json_word), DataType::Utf8View);
    assert_eq!(merged(&Sample::plain(&["2025-01-01"]), &Sample::json(&["\"2025-01-01\""])), DataType::Date32);
}

#[test]
fn a_quiet_day_has_the_types_of_names() {
    let found = |name: &str| Summary::default().decide(name, &options()).column_type.data_type();
    assert_eq!(found("TimeGenerated"), timestamp(TimeUnit::Second));
    assert_eq!(found("cmd"), DataType::Utf8View);
    let nulls = Sample::plain(&["", ""]);
    assert_eq!(nulls.read("time", &options()).0, timestamp(TimeUnit::Second));
}

#[test]
fn a_text_of_no_bytes_is_not_null_if_the_format_says_so() {
    let mut sample = Sample::plain(&["x", "y", ""]);
    sample.cells[0] = Cell::EMPTY;
    let (array, _) = sample.build(&ColumnType::Text, &options());
    let is_null: Vec<bool> = (0..3).map(|row| array.is_null(row)).collect();
    assert_eq!(is_null, [false, false, true]);
    sample.cells = vec![Cell::EMPTY, Cell::NULL];
    assert_eq!(sample.read("c", &options()).0, DataType::Utf8View);
    let nulls = ReadOptions { nulls: vec![String::new()], ..options() };
    assert_eq!(sample.build(&ColumnType::Text, &nulls).0.null_count(), 2);
}

#[test]
fn texts_that_mean_null() {
    let options = ReadOptions { nulls: vec!["-".to_owned(), "n/a".to_owned()], ..options() };
    assert_eq!(Sample::plain(&["1", "-", "n/a", ""]).read("c", &options).0, DataType::Int64);
    let (found, printed, _) = Sample::json(&["\"-\"", "\"x\"", "\"\""]).read("c", &options);
    assert_eq!((found, printed), (DataType::Utf8View, vec![String::new(), "x".to_owned(), String::new()]));
    assert_eq!(Sample::json(&["\"-\"", "1"]).read("c", &options).0, DataType::Int64);
}
