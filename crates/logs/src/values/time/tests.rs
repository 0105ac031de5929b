use proptest::prelude::*;

use super::*;
use chrono::{DateTime, NaiveDate, NaiveDateTime};

fn read(text: &str, order: Option<DateOrder>) -> Result<Point, &'static str> {
    TimeReading { order, ..TimeReading::plain(true) }.read(text.as_bytes())
}

/// 2019-01-15 10:05:00 with these nanoseconds.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with a result")]
fn at(nanos: u32) -> Result<Point, &'static str> {
    Ok(Point { seconds: 1_547_546_700, nanos })
}

#[test]
fn one_time_in_every_notation() {
    for text in [
        "2019-01-15 10:05",
        "2019-01-15 10:05:00",
        "2019-01-15T10:05:00",
        "2019-01-15t10:05:00z",
        "2019-01-15T10:05Z",
        "2019-01-15 10:05:00 UTC",
        "2019-01-15 10:05:00 GMT",
        "2019-01-15 10:05:00 +0000",
        "2019-01-15 10:05:00.000000000000",
        "2019-01-15 12:05:00+02:00",
        "2019-01-15T12:05:00+0200",
        "2019-01-15T12:05:00+02",
        "2019-01-15 02:05:00 -0800",
        "2019-01-15 12:05:00 UTC+2",
        "2019-01-15 15:35:00 GMT+05:30",
        "2019-01-15 10:05:00 AM",
        "2019-01-15, 10:05:00",
        "2019/01/15 10:05:00",
        "2019/1/15 10:05:00",
        "2019.01.15 10:05:00",
        "2019-1-15 10:05:00",
        "2019-Jan-15 10:05:00",
        "2019 Jan 15 10:05:00",
        "20190115T100500",
        "20190115T100500Z",
        "20190115T1205+0200",
        "20190115T100500.000Z",
        "1/15/2019 10:05:00 AM",
        "1/15/2019, 10:05:00 AM",
        "1/15/2019, 10:05:00\u{202f}AM",
        "1/15/2019, 10:05:00\u{a0}a.m.",
        "01/15/2019 10:05",
        "15/01/2019 10:05:00",
        "15.01.2019 10:05:00",
        "15.1.2019, 10:05",
        "15-01-2019 10:05:00",
        "15 Jan 2019 10:05:00",
        "15-Jan-2019 10:05:00",
        "15/Jan/2019:12:05:00 +0200",
        "Jan 15, 2019 10:05:00 AM",
        "Jan 15 2019 10:05:00",
        "January 15, 2019 at 10:05 am",
        "Jan 15, 2019 @ 10:05:00.000",
        "Jan 15, 2019, 10:05:00 AM",
        "Jan 15 2019  10:05AM",
        "Jan 15 10:05:00 2019 GMT",
        "Tue 2019-01-15 10:05:00 UTC",
        "01/15/2019-10:05:00.000",
        "Jan. 15, 2019 10:05",
        "Tue, 15 Jan 2019 10:05:00 GMT",
        "Tue, 15 Jan 2019 12:05:00 +0200 (CEST)",
        "Tuesday, January 15, 2019 10:05:00 AM",
        "Tue Jan 15 10:05:00 2019",
        "Tue Jan 15 10:05:00 UTC 2019",
        "Tue Jan 15 12:05:00 2019 +0200",
        "Tue Jan 15 2019 12:05:00 GMT+0200 (Central European Summer Time)",
        "Tue 01/15/2019 10:05:00",
        "/Date(1547546700000)/",
        "/Date(1547546700000+0100)/",
        "1547546700",
        "1547546700000",
        "131920203000000000",
    ] {
        assert_eq!(read(text, None), at(0), "{text}");
    }
    assert_eq!(read("2019-01-15 10:05:00,25", None), at(250_000_000));
    assert_eq!(read("1/15/2019, 10:05:00.990 AM", None), at(990_000_000));
    assert_eq!(read("2019-01-15T10:05:00.123456789Z", None), at(123_456_789));
    assert_eq!(read("Tue Jan  1 00:00:00 2019", None), Ok(Point { seconds: 1_546_300_800, nanos: 0 }));
    let midnight = Ok(Point { seconds: 1_547_510_400, nanos: 0 });
    for text in [
        "2019-01-15",
        "2019/1/15",
        "15.01.2019",
        "15-01-2019",
        "1/15/2019",
        "Jan 15, 2019",
        "15 January 2019",
        "1/15/2019 12:00 AM",
    ] {
        assert_eq!(read(text, None), midnight, "{text}");
    }
}

#[test]
fn no_times() {
    for text in [
        "",
        " ",
        "2019",
        "2019-01",
        "2019-1-15",
        "2019.1.15",
        "20190115",
        "190115T100500Z",
        "2019-02-29",
        "2019-13-01",
        "2019-00-10",
        "0000-00-00 00:00:00",
        "2019-01-15 24:00:00",
        "2019-01-15 10:60",
        "2019-01-15 10:05:60",
        "2019-01-15 10:5",
        "2019-01-15 10",
        "2019-01-15T",
        "2019-01-15 ",
        " 2019-01-15",
        "2019-01-15 10:05:00 ",
        "2019-01-15 10:05:00.",
        "2019-01-15 10:05:00.1234567891",
        "2019-01-15 10:05:00 EST",
        "2019-01-15 10:05:00 PST",
        "2019-01-15 10:05:00 +2",
        "2019-01-15 10:05:00+24:00",
        "2019-01-15Z",
        "2019-01-15 10:05:00 P",
        "2019-01-15 13:05:00 AM",
        "2019-01-15 10:05:00.5.5",
        "1/15/19",
        "1/15/19 10:05",
        "13/13/2019",
        "31/02/2019",
        "Jan 15 10:05:00",
        "Jan 15",
        "Mon, 15 Jan 2019 10:05:00 GMT",
        "Tuesday",
        "Jun",
        "10:05:00",
        "192.0.2.1",
        "10.20.30.4000",
        "1.2.3",
        "2019-01-15x10:05:00",
        "2019-01-15 10:05:00 UTCX",
        "/Date()/",
        "/Date(x)/",
        "/Date(1",
        "-1",
        "0",
        "/Date(99999999999999999)/",
        "2019-01-15 10:05:00 (CET)",
        "2019-01-15T10:05:00Z (a) (b)",
        "2019-01-15-10:05",
        "12019-01-15",
        "2019--01-15",
        "2019-01-15 -10:05",
        "2019-01-15 at",
        "1 15 2019",
        "１/15/2019",
    ] {
        assert!(read(text, None).is_err(), "{text}");
    }
}

#[test]
fn the_order_of_the_column_counts_where_it_is_open() {
    let [january, february] = [1_546_387_200, 1_548_979_200].map(|seconds| Ok(Point { seconds, nanos: 0 }));
    assert_eq!(read("01/02/2019", Some(DateOrder::MonthFirst)), january);
    assert_eq!(read("01/02/2019", Some(DateOrder::DayFirst)), february);
    assert!(read("01/02/2019", None).is_err_and(|why| why.contains("date_order")));
    assert!(read("1/15/2019", Some(DateOrder::DayFirst)).is_err());
    assert!(read("15/1/2019", Some(DateOrder::MonthFirst)).is_err());
    assert_eq!(read("2019-01-02", Some(DateOrder::DayFirst)), january);
}

#[test]
fn halves_of_the_day() {
    let midnight = 1_547_510_400;
    for (text, hour) in [
        ("12:30 AM", 0),
        ("00:30 AM", 0),
        ("1:30 AM", 1),
        ("11:30 AM", 11),
        ("12:30 PM", 12),
        ("1:30 PM", 13),
        ("11:30 pm", 23),
        ("13:30 PM", 13),
    ] {
        let expected = Ok(Point { seconds: midnight + hour * 3_600 + 1_800, nanos: 0 });
        assert_eq!(read(&format!("2019-01-15 {text}"), None), expected, "{text}");
    }
    assert!(read("2019-01-15 0:30 PM", None).is_err());
}

#[test]
fn local_times_of_a_zone() {
    let reading = TimeReading { zone: "Europe/Berlin".parse().expect("a zone"), ..TimeReading::plain(true) };
    assert_eq!(reading.read(b"2019-01-15 11:05:00"), at(0));
    assert_eq!(reading.read(b"2019-01-15 10:05:00Z"), at(0));
    assert!(reading.read(b"2025-03-30 02:30:00").is_err_and(|why| why.contains("set forward")));
    let facts = |text: &str| facts(text.as_bytes(), Facts::default(), reading.zone);
    assert!(facts("2025-03-30 02:30:00").has(Facts::GAP_DAY_FIRST.and(Facts::GAP_MONTH_FIRST)));
    assert!(facts("2025-10-26 02:30:00").has(Facts::FOLD_DAY_FIRST));
    assert!(!facts("2025-03-30 02:30:00Z").has_any(Facts::GAP_DAY_FIRST));
    // Noon of the third of March or of the third of March: no gap at 2:30 in any.
    assert!(!facts("03/30/2025").has_any(Facts::GAP_MONTH_FIRST));
}

/// Instants with a fraction, in the years that all notations can write.
fn instants() -> impl Strategy<Value = NaiveDateTime> {
    let fraction =
        prop_oneof![Just(0), (0_u32..1_000).prop_map(|millis| millis * 1_000_000), 0_u32..1_000_000_000];
    (-62_135_596_800_i64..=253_402_300_799, fraction)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).expect("in range").naive_utc())
}

fn point(time: NaiveDateTime) -> Point {
    Point { seconds: time.and_utc().timestamp(), nanos: time.and_utc().timestamp_subsec_nanos() }
}

proptest! {
    #[test]
    fn times_are_those_of_chrono(time in instants(), minutes in -1_439_i32..=1_439) {
        let exact = point(time);
        let whole = Point { nanos: 0, ..exact };
        for (format, expected) in [
            ("%Y-%m-%d %H:%M:%S%.f", exact),
            ("%Y-%m-%dT%H:%M:%S%.9fZ", exact),
            ("%Y/%m/%d %H:%M:%S", whole),
            ("%Y%m%dT%H%M%SZ", whole),
            ("%Y-%m-%d %I:%M:%S%.f %p", exact),
            ("%d %b %Y %H:%M:%S", whole),
            ("%d/%b/%Y:%H:%M:%S +0000", whole),
            ("%b %e, %Y %I:%M:%S %p", whole),
            ("%A, %B %d, %Y %I:%M:%S %p", whole),
            ("%a, %d %b %Y %H:%M:%S GMT", whole),
            ("%a %b %e %H:%M:%S %Y", whole),
        ] {
            // chrono's %Y has no leading zeros beyond four digits, and a sign outside of them.
            let text = time.format(format).to_string();
            prop_assert_eq!(read(&text, None), Ok(expected), "{}", text);
        }
        for (format, order) in [
            ("%d/%m/%Y %H:%M:%S%.f", DateOrder::DayFirst),
            ("%d.%m.%Y %H:%M:%S%.f", DateOrder::DayFirst),
            ("%d-%m-%Y %H:%M:%S%.f", DateOrder::DayFirst),
            ("%m/%d/%Y, %I:%M:%S%.f %p", DateOrder::MonthFirst),
        ] {
            let text = time.format(format).to_string();
            prop_assert_eq!(read(&text, Some(order)), Ok(exact), "{}", text);
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        let zone = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let text = format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S%.f"));
        let expected = Point { seconds: exact.seconds - i64::from(minutes) * 60, ..exact };
        prop_assert_eq!(read(&text, None), Ok(expected), "{}", text);
        prop_assert_eq!(zone.parse(), Ok(Zone::Fixed(minutes * 60)));
    }

    #[test]
    fn dates_are_those_of_chrono(year in 1_i32..=9999, day in 1_u32..=366) {
        if let Some(date) = NaiveDate::from_yo_opt(year, day) {
            let expected = Ok(point(date.into()));
            for format in ["%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y"] {
                let text = date.format(format).to_string();
                prop_assert_eq!(read(&text, None), expected, "{}", text);
            }
        }
    }

    #[test]
    fn any_text_is_a_time_or_none(text in "[0-9APMTZjan/:., +()-]{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for order in [None, Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst)] {
            let _ = read(&text, order);
            let _ = TimeReading { order, ..TimeReading::plain(true) }.read(&bytes);
        }
        let _ = (facts(&bytes, Facts::default(), Zone::UTC), facts(text.as_bytes(), Facts::default(), Zone::Fixed(60)));
    }

    /// A time changed in one place is another time or none, but never a panic.
    #[test]
    fn damaged_times(time in instants(), at in 0_usize..40, byte in any::<u8>()) {
        for format in ["%Y-%m-%d %H:%M:%S%.f +02:00", "%a, %d %b %Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y", "%m/%d/%Y, %I:%M:%S%.f %p"] {
            let mut text = time.format(format).to_string().into_bytes();
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            let _ = TimeReading::plain(true).read(&text);
        }
    }
}
