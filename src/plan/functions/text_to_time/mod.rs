//! `__text_to_time(text, place, sql [, zone])` reads the text of a time column as times.
//!
//! The table functions wrap a time column that is text in it. By their spelling, `10:00:00.5Z` would come before `10:00:00Z`,
//! `09:00+02:00` after `08:30Z`, and December before January of the next year. It reads ISO 8601 and its everyday variants,
//! which have one meaning. Text without an offset is in the zone of `dbcluster.read.time_zone`, or UTC: when a query is planned,
//! the setting becomes the argument `zone`, so that it travels with the plan. A time that came twice is the earlier one, as in
//! the readers of files. Other text is an error when the query runs, since whether `01/02` is a day in January or February is
//! not ours to guess. The error proposes what reads the value ([`way_out`]).
//!
//! Cost: some 50 ns for a value in one of the forms that the engine reads itself, twice that with a zone.

mod way_out;
mod zone;

use std::sync::Arc;

use arrow::array::{AsArray, TimestampNanosecondArray};
use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, lit};

use crate::error::argument_error;
use crate::near_miss::excerpt;
use zone::{Instant, Zone};

/// The first argument is the text, the second begins the error text, the third is the first one as SQL, the fourth is the zone of
/// text without an offset.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct TextToTime;

/// Whether a type is text, also in a dictionary.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value_type) => value_type.is_string(),
        other => other.is_string(),
    }
}

impl ScalarUDFImpl for TextToTime {
    fn name(&self) -> &'static str {
        "__text_to_time"
    }

    fn signature(&self) -> &Signature {
        super::user_defined()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let ([text, _, _] | [text, _, _, _]) = arg_types else {
            return exec_err!("{}: got {} arguments, expected 3 or 4", self.name(), arg_types.len());
        };
        if !is_text(text) {
            return Err(argument_error(self.name(), "argument 1", text, "a string", None));
        }
        let constants = vec![DataType::Utf8; arg_types.len() - 1];
        Ok([vec![DataType::Utf8View], constants].concat())
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Nanosecond, None))
    }

    /// Adds the zone of the session.
    fn simplify(&self, mut args: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match zone::of_session(context.config_options()) {
            Some(zone) if args.len() == 3 => {
                args.push(lit(zone));
                Ok(ExprSimplifyResult::Simplified(super::text_to_time_udf().call(args)))
            }
            _ => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (text, place, sql, zone) = match args.args.as_slice() {
            [text, place, sql] => (text, constant(place)?, constant(sql)?, None),
            [text, place, sql, zone] => {
                (text, constant(place)?, constant(sql)?, Some(Zone::new(constant(zone)?)?))
            }
            other => return exec_err!("{}: got {} arguments, expected 3 or 4", self.name(), other.len()),
        };
        let read = |text: &str| {
            let Some(zone) = &zone else {
                return nanoseconds(text).ok_or_else(|| no_time(place, sql, text));
            };
            match zone.instant(text) {
                Instant::At(time) => Ok(time),
                Instant::Skipped => Err(skipped(place, sql, text, zone.name)),
                Instant::NotATime => Err(no_time(place, sql, text)),
            }
        };
        let is_scalar = matches!(text, ColumnarValue::Scalar(_));
        let texts = text.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let times = texts
            .as_string_view()
            .iter()
            .map(|text| text.map(read).transpose())
            .collect::<Result<TimestampNanosecondArray>>()?;
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&times, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(times)))
    }
}

/// The text of an argument that is the same for all rows.
fn constant(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(value) => Ok(value.try_as_str().flatten().unwrap_or_default()),
        ColumnarValue::Array(_) => {
            exec_err!("__text_to_time: an argument behind the first is a column, expected a constant")
        }
    }
}

/// Reads a time as nanoseconds since 1970.
fn nanoseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    // The engine's reader words an error for each value that it can't read, which is slow, but happens once per query in
    // columns of its own forms.
    match string_to_timestamp_nanos(text) {
        Ok(time) => Some(time),
        Err(_) => string_to_timestamp_nanos(&in_full(text)?).ok(),
    }
}

/// Writes a variant of ISO 8601 in the form that the engine reads: `2025/09/30` for the date, `05:15` for a time without
/// seconds, `05:15:12,250` for a fraction.
fn in_full(text: &str) -> Option<String> {
    /// Longer than any time: no more of a value is copied.
    const LONGEST: usize = 64;
    if !text.is_ascii() || text.len() > LONGEST {
        return None;
    }
    let (date, rest) = text.split_at_checked("2025-09-30".len())?;
    let date = date.replace('/', "-");
    let Some((minutes, rest)) = rest.split_at_checked("T05:15".len()) else {
        return Some(date + rest);
    };
    let (seconds, rest) = match rest.split_at_checked(":12".len()) {
        Some((seconds, rest)) if seconds.starts_with(':') => (seconds, rest),
        _ => (":00", rest),
    };
    let rest = rest.strip_prefix(',').map_or_else(|| rest.to_string(), |fraction| format!(".{fraction}"));
    Some([&date, minutes, seconds, &rest].concat())
}

/// The error about text that is no time, with a way to read it.
fn no_time(place: &str, sql: &str, text: &str) -> DataFusionError {
    let shown = visible(&excerpt(text));
    let sql = excerpt(sql);
    exec_datafusion_err!(
        "{place} {sql} holds '{shown}', expected a time such as '2025-01-31T05:15:12.250Z'; {}",
        way_out::way_out(&sql, text)
    )
}

/// The error about a time that the clocks of its zone never showed.
fn skipped(place: &str, sql: &str, text: &str, zone: &str) -> DataFusionError {
    let shown = visible(&excerpt(text));
    let sql = excerpt(sql);
    exec_datafusion_err!(
        "{place} {sql} holds '{shown}', but there was no such time in {zone}: its clocks were set forward over it; give the time \
         zone of the log, or SET dbcluster.read.time_zone = 'UTC' to read times as they stand"
    )
}

/// Writes controls as their code, so that the text does nothing to a terminal or a log.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_times_and_their_everyday_variants_are_read() {
        let noon = nanoseconds("2025-09-30T12:15:12Z");
        assert_eq!(noon, Some(1_759_234_512_000_000_000));
        for same in [
            "2025-09-30 12:15:12",
            "2025-09-30t12:15:12z",
            " 2025-09-30 12:15:12 ",
            "2025-09-30T14:15:12+02:00",
            "2025-09-30T14:15:12.000+0200",
            "2025-09-30 04:15:12 -08",
            "2025/09/30 12:15:12",
            "2025-09-30 12:15:12 UTC",
            "2025-09-30 12:15:12,000",
            "2025-09-30 12:15:12.0000000Z",
        ] {
            assert_eq!(nanoseconds(same), noon, "{same}");
        }
        let without_seconds = nanoseconds("2025-09-30T12:15:00Z");
        for same in ["2025-09-30 12:15", "2025-09-30T12:15Z", "2025-09-30T14:15+02:00", "2025/09/30 12:15"] {
            assert_eq!(nanoseconds(same), without_seconds, "{same}");
        }
        assert_eq!(nanoseconds("2025/09/30"), nanoseconds("2025-09-30T00:00:00"));
        let fraction = nanoseconds("2025-09-30 12:15:12,1234567+00:00");
        assert_eq!(fraction, noon.map(|noon| noon + 123_456_700));
    }

    #[test]
    fn the_error_shows_a_short_and_harmless_value() {
        let error =
            no_time("dbcluster: time_column", "\"t\"", &format!("\u{1b}[2J{}", "x".repeat(1_000_000)))
                .to_string();
        assert!(error.contains("dbcluster: time_column \"t\" holds '\\u{1b}[2Jxxx"), "{error}");
        assert!(error.len() < 1_000 && !error.contains('\u{1b}'), "{error}");
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            " ",
            "-",
            "12:15",
            "2025-13-01",
            "2025-02-30T00:00:00",
            "2025-09-30T25:00:00",
            "09/30/2025",
            "1759234512",
            "9999-12-31T23:59:59Z",
            "2025-09-30T12:15é",
            "2025-09-3é",
            "١٢٣٤-٠١-٠١",
        ] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
        assert_eq!(nanoseconds(&"2025-09-30 ".repeat(1_000_000)), None);
    }
}
