//! Types by their SQL names.

use arrow::datatypes::TimeUnit;

use super::{ColumnType, TimeReading};

impl ColumnType {
    /// The type of a SQL name in any case, such as `BIGINT`, `VARCHAR`, `TIMESTAMP`. None if it is unknown, or if no type of this
    /// crate is the same, as with `DECIMAL`.
    ///
    /// A `TIMESTAMP` has the unit that its values need; `TIMESTAMP(0)` to `TIMESTAMP(9)` have the one that holds so many digits.
    pub fn of_sql_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase();
        let (name, rest) = match name.split_once('(') {
            Some((name, rest)) => (name.trim_end(), Some(rest.split_once(')')?)),
            None => (name.as_str(), None),
        };
        let length = rest.map(|(length, _)| length.trim().parse::<u8>().ok());
        let after = rest.map_or("", |(_, after)| after.trim());
        let words: Vec<&str> = name.split_whitespace().chain(after.split_whitespace()).collect();
        let found = match words.as_slice() {
            ["BOOLEAN" | "BOOL"] => Self::Boolean,
            ["TINYINT" | "SMALLINT" | "INT" | "INTEGER" | "BIGINT" | "INT2" | "INT4" | "INT8" | "LONG"] => {
                Self::Integer
            }
            ["DOUBLE" | "FLOAT" | "REAL" | "FLOAT4" | "FLOAT8"] | ["DOUBLE", "PRECISION"] => Self::Float,
            ["DATE"] => Self::Date(TimeReading::plain(false)),
            ["TIMESTAMP" | "DATETIME"] | ["TIMESTAMP", "WITHOUT", "TIME", "ZONE"] => {
                timestamp(length, false)?
            }
            ["TIMESTAMPTZ"] | ["TIMESTAMP", "WITH", "TIME", "ZONE"] => timestamp(length, true)?,
            ["VARCHAR" | "TEXT" | "STRING" | "CHAR" | "CHARACTER" | "NVARCHAR" | "BPCHAR"]
            | ["CHARACTER", "VARYING"] => {
                return Some(Self::Text);
            }
            ["JSON"] => Self::Json,
            _ => return None,
        };
        let may_have_length = matches!(found, Self::Timestamp(..));
        (length.is_none() || may_have_length).then_some(found)
    }
}

/// A timestamp with a unit for so many digits, if digits are given and are a number.
#[expect(clippy::option_option, reason = "outer: digits are given; inner: they are a number")]
fn timestamp(digits: Option<Option<u8>>, is_instant: bool) -> Option<ColumnType> {
    let unit = match digits {
        None => {
            return Some(ColumnType::Timestamp(TimeUnit::Nanosecond, is_instant, TimeReading::plain(true)));
        }
        Some(Some(0)) => TimeUnit::Second,
        Some(Some(1..=3)) => TimeUnit::Millisecond,
        Some(Some(4..=6)) => TimeUnit::Microsecond,
        Some(Some(7..=9)) => TimeUnit::Nanosecond,
        Some(_) => return None,
    };
    Some(ColumnType::Timestamp(unit, is_instant, TimeReading::plain(false)))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn sql_names() {
        for (name, expected) in [
            ("bigint", DataType::Int64),
            (" Int ", DataType::Int64),
            ("DOUBLE PRECISION", DataType::Float64),
            ("varchar(20)", DataType::Utf8View),
            ("character varying (20)", DataType::Utf8View),
            ("bool", DataType::Boolean),
            ("date", DataType::Date32),
            ("timestamp", DataType::Timestamp(TimeUnit::Nanosecond, None)),
            ("timestamp(3)", DataType::Timestamp(TimeUnit::Millisecond, None)),
            ("timestamp(6) with time zone", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            ("TimestampTZ", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))),
            ("timestamp without time zone", DataType::Timestamp(TimeUnit::Nanosecond, None)),
            ("json", DataType::Utf8View),
        ] {
            assert_eq!(
                ColumnType::of_sql_name(name).map(|found| found.data_type()),
                Some(expected),
                "{name}"
            );
        }
        for name in [
            "",
            "DECIMAL(10, 2)",
            "NUMERIC",
            "INT(",
            "BIGINT(3)",
            "TIMESTAMP(10)",
            "TIMESTAMP(x)",
            "BIG INT",
            "BLOB",
            "INTERVAL",
        ] {
            assert_eq!(ColumnType::of_sql_name(name), None, "{name}");
        }
    }
}
