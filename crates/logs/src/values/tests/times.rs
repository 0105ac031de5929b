use arrow::array::StringArray;

use super::*;
use crate::options::DateOrder;

#[test]
fn the_order_of_day_and_month() {
    let read = |values: &[&str], options: &ReadOptions| Sample::plain(values).read("when", options);
    let told = |order| ReadOptions { date_order: Some(order), ..options() };
    let (_, times, notes) = read(&["01/02/2026", "15/01/2026"], &options());
    assert_eq!((times[0].as_str(), notes.len()), ("2026-02-01", 0));
    let (_, times, notes) = read(&["01/02/2026", "01/15/2026"], &options());
    assert_eq!((times[0].as_str(), notes.len()), ("2026-01-02", 0));
    let (found, _, notes) = read(&["01/02/2026 10:05", "03/04/2026 10:05"], &options());
    assert_eq!(found, DataType::Utf8View);
    assert!(
        notes[0].starts_with("'when' stays text") && notes[0].contains("date_order => 'dmy' or 'mdy'"),
        "{notes:?}"
    );
    let (_, times, notes) = read(&["01/02/2026"], &told(DateOrder::DayFirst));
    assert_eq!((times[0].as_str(), notes.len()), ("2026-02-01", 0));
    let (_, times, _) = read(&["01-02-2026"], &told(DateOrder::MonthFirst));
    assert_eq!(times[0], "2026-01-02");
    // Dates that contradict each other or the option.
    assert_eq!(read(&["15/01/2026", "01/15/2026"], &options()).0, DataType::Utf8View);
    assert_eq!(read(&["15/01/2026"], &told(DateOrder::MonthFirst)).0, DataType::Utf8View);
    // The same day in both orders needs no decision.
    assert_eq!(read(&["01/01/2026", "2/2/2026"], &options()).1, ["2026-01-01", "2026-02-02"]);
    // Notations that are used in one order only: the note says what was assumed.
    let (_, times, notes) = read(&["01.02.2026 10:00"], &options());
    assert_eq!((times[0].as_str(), notes.len()), ("2026-02-01T10:00:00", 1));
    let (_, times, notes) = read(&["9/10/2025, 9:43:21.990 AM"], &options());
    assert_eq!((times[0].as_str(), notes.len()), ("2025-09-10T09:43:21.990", 1));
    assert_eq!(read(&["9/10/2025, 9:43:21 am"], &options()).0, DataType::Utf8View);
    let (_, times, notes) = read(&["9/10/2025, 9:43:21.990 AM", "13/10/2025, 9:43:21.990 AM"], &options());
    assert_eq!((times[0].as_str(), notes.len()), ("2025-10-09T09:43:21.990", 0));
}

#[test]
fn times_with_and_without_a_zone() {
    let berlin = ReadOptions { time_zone: Some("Europe/Berlin".to_owned()), ..options() };
    let read = |values: &[&str], options: &ReadOptions| {
        let sample = Sample::plain(values);
        let zone = sample.summary(options).decide("time", options).zone;
        let (found, times, notes) = sample.read("time", options);
        (found, times, notes.len(), zone)
    };
    let second = TimeUnit::Second;
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        read(&["2025-01-01T09:00:00+02:00", "2025-01-01T08:30:00Z", "2025-01-01T01:00:00-08:00"], &options()),
        (
            instant(second),
            owned(&["2025-01-01T07:00:00Z", "2025-01-01T08:30:00Z", "2025-01-01T09:00:00Z"]),
            0,
            Some("the zone of each value".to_owned())
        )
    );
    assert_eq!(
        read(&["2025-01-01 09:00:00"], &options()),
        (timestamp(second), owned(&["2025-01-01T09:00:00"]), 0, Some("UTC".to_owned()))
    );
    assert_eq!(
        read(&["2025-01-01 09:00:00"], &berlin),
        (instant(second), owned(&["2025-01-01T08:00:00Z"]), 0, Some("Europe/Berlin".to_owned()))
    );
    assert_eq!(
        read(&["2025-01-01 09:00:00", "2025-01-01T09:00:00Z"], &berlin),
        (
            instant(second),
            owned(&["2025-01-01T08:00:00Z", "2025-01-01T09:00:00Z"]),
            1,
            Some("Europe/Berlin".to_owned())
        )
    );
    // The clocks were set forward: there was no such time. They were set back: the earlier of two.
    assert_eq!(read(&["2025-03-30 02:30:00"], &berlin).0, DataType::Utf8View);
    assert_eq!(read(&["2025-10-26 02:30:00"], &berlin).1, ["2025-10-26T00:30:00Z"]);
    assert_eq!(read(&["2025-10-26 02:30:00"], &berlin).2, 1);
    // Days are days in any zone.
    assert_eq!(read(&["2025-01-01"], &berlin).1, ["2025-01-01"]);
    assert_eq!(
        read(&["2025-01-01", "2025-01-01 10:00"], &berlin).1,
        ["2024-12-31T23:00:00Z", "2025-01-01T09:00:00Z"]
    );
}

#[test]
fn numbers_are_times_by_the_name_of_their_column() {
    for (name, values, expected, first) in [
        (
            "ts",
            &["1547546700.123456", "1547546700"][..],
            instant(TimeUnit::Microsecond),
            "2019-01-15T10:05:00.123456Z",
        ),
        ("event_time", &["1547546700"], instant(TimeUnit::Second), "2019-01-15T10:05:00Z"),
        ("createdAt", &["1547546700000", ""], instant(TimeUnit::Millisecond), "2019-01-15T10:05:00Z"),
        ("timestamp", &["1547546700000000000"], instant(TimeUnit::Nanosecond), "2019-01-15T10:05:00Z"),
        ("LastLogon", &["131920203000000000"], instant(TimeUnit::Microsecond), "2019-01-15T10:05:00Z"),
        (
            "LastLogon",
            &["131920203000000001"],
            instant(TimeUnit::Nanosecond),
            "2019-01-15T10:05:00.000000100Z",
        ),
        ("ts", &["1547546700.123456789"], instant(TimeUnit::Nanosecond), "2019-01-15T10:05:00.123456789Z"),
        ("serial", &["1547546700"], DataType::Int64, "1547546700"),
        ("time_id", &["1547546700"], DataType::Int64, "1547546700"),
        ("created", &["1547546700", "0"], DataType::Int64, "1547546700"),
        ("created", &["1547546700", "-1"], DataType::Int64, "1547546700"),
        ("created", &["1547546700", "1547546700000"], DataType::Int64, "1547546700"),
        ("time", &["1547546700", "5.5"], DataType::Float64, "1547546700.0"),
        ("time", &["12", "5"], DataType::Int64, "12"),
    ] {
        for syntax in [Syntax::Plain, Syntax::Json] {
            let (found, printed, _) = Sample::new(values, syntax).read(name, &options());
            assert_eq!((found, printed[0].as_str()), (expected.clone(), first), "{name} {values:?}");
        }
    }
    let strings = Sample::json(&["\"1547546700000\"", "\"1547546700001\""]);
    assert_eq!(strings.read("timestamp", &options()).0, instant(TimeUnit::Millisecond));
    assert_eq!(strings.read("serial", &options()).0, DataType::Utf8View);
    let (_, _, notes) = Sample::plain(&["1547546700000"]).read("ts", &options());
    assert_eq!(notes, ["'ts' is a time by its name: its numbers are read as milliseconds since 1970"]);
}

#[test]
fn what_is_not_a_time_in_every_row_is_told() {
    let notes = |name: &str, values: &[&str]| Sample::plain(values).read(name, &options()).2;
    assert_eq!(
        notes("seen", &["2025-01-01 00:00:00", "n/a", "2025-01-01 00:00:00"]),
        ["'seen' stays text, since 'n/a' is not a time with a date and a year of four digits; \
          types => {seen: 'TIMESTAMP'} rejects such values"]
    );
    assert_eq!(notes("time", &["Jan 15 10:05:00"]).len(), 1);
    assert_eq!(notes("time", &["10:05:00", "9:05 AM"]).len(), 0);
    assert_eq!(notes("user", &["amy", "2025-01-01"]).len(), 0);
    assert_eq!(
        notes("time", &["\u{1b}[2J\n"]),
        ["'time' stays text, since '\\u{1b}[2J\\u{a}' is not a time with a date and a year of four digits; \
          types => {time: 'TIMESTAMP'} rejects such values"]
    );
    assert!(notes("time", &["x".repeat(100_000).as_str()])[0].len() < 200);
}

#[test]
fn text_in_memory_is_read_as_times_or_refused() {
    let array = |values: &[Option<&str>]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let parts =
        [array(&[Some("10/1/2025, 1:43:21.990 PM"), None]), array(&[Some("9/30/2025, 9:43:21.990 AM")])];
    let times = times_of(&parts, "time", &options()).expect("times");
    assert_eq!(printed(&times[0]), ["2025-10-01T13:43:21.990", ""]);
    assert_eq!(printed(&times[1]), ["2025-09-30T09:43:21.990"]);
    let refused = |values: &[Option<&str>]| {
        times_of(&[array(values)], "When", &options()).map_err(|why| why.to_string())
    };
    assert_eq!(
        refused(&[Some("2025-01-01"), Some("cmd.exe /c")]),
        Err("'When' stays text, since 'cmd.exe /c' is not a time with a date and a year of four digits"
            .to_owned())
    );
    assert!(
        refused(&[Some("01/02/2026")])
            .is_err_and(|why| why.contains("'When'") && why.contains("date_order => 'dmy'"))
    );
    assert!(refused(&[Some("1"), Some("2")]).is_err_and(|why| why.starts_with("'When' stays a number")));
    assert!(refused(&[Some("1547546700")]).is_ok());
    assert_eq!(refused(&[None]).map(|times| times.len()), Ok(1));
}
