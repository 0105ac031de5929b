//! Random tables: few rows, many ties, and the values that break things.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use fastrand::Rng;

use super::query::TIMES_AS_TEXT;
use super::source::{Format, Source};
use super::table::{Column, Table};
use super::value::Value;

/// Seconds: 2019-01-15, 05:00.
const DAY: i128 = 1_547_528_400;

const FINITE: [f64; 18] = [
    0.0,
    -0.0,
    1.0,
    2.0,
    -1.0,
    0.5,
    0.1,
    0.2,
    0.300_000_000_000_000_04,
    1e-300,
    5e-324,
    1e300,
    -1e300,
    1e16,
    1e-9,
    3.0,
    4.0,
    1.5,
];
const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// The column whose texts are times.
pub const TEXT_TIME: &str = "text time";

/// One of several.
pub fn one<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())].clone()
}

/// True in `percent` of 100 cases.
pub fn percent(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// At most `count` different items, in random order.
pub fn some<T: Clone>(rng: &mut Rng, of: &[T], count: usize) -> Vec<T> {
    let mut all = of.to_vec();
    rng.shuffle(&mut all);
    all.truncate(count);
    all
}

/// A table that a source of this kind can hold: columns `f...` for features, `t...` for times, `o...` for the rest.
pub fn table(rng: &mut Rng, source: &mut Source) -> Table {
    let rows = one(rng, &[0, 1, 2, 3, 5, 8, 8, 12, 12, 20, 20, 30, 60, 120]);
    let mut made = Maker { format: source.format, rows, nulls: one(rng, &[0, 0, 0, 20]), rng };
    let mut columns = made.columns();
    let distinct = (0..rows).map(|row| columns.iter().map(|(_, values)| values[row].clone()).collect());
    let mut rows: Vec<Vec<Value>> = distinct.collect();
    if !rows.is_empty() && percent(rng, 40) {
        rows = (0..rows.len()).map(|_| one(rng, &rows)).collect();
    }
    if source.can_be_partitioned() && !rows.is_empty() && percent(rng, 35) {
        // The names of folders hold the values of the last column.
        let (column, folders) = folder_column(rng);
        for row in &mut rows {
            row.push(one(rng, &folders));
        }
        source.folders = Some(column.name.clone());
        columns.push((column, vec![]));
    }
    Table { columns: columns.into_iter().map(|(column, _)| column).collect(), rows }
}

fn folder_column(rng: &mut Rng) -> (Column, Vec<Value>) {
    let text = |text: &str| Value::Text(text.to_string());
    let (data_type, values) = match rng.u8(..3) {
        0 => (DataType::Int32, vec![Value::Int(3), Value::Int(-1), Value::Int(20)]),
        1 => (DataType::Utf8, vec![text("a"), text("b b"), text("2019-01-15")]),
        _ => (dictionary(DataType::UInt16), vec![text("x"), text("y")]),
    };
    (Column { name: "day".to_string(), data_type }, values)
}

fn dictionary(key: DataType) -> DataType {
    DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8))
}

struct Maker<'a> {
    rng: &'a mut Rng,
    format: Format,
    rows: usize,
    /// Of 100.
    nulls: u32,
}

impl Maker<'_> {
    fn columns(&mut self) -> Vec<(Column, Vec<Value>)> {
        let mut columns = vec![];
        let mut add = |name: String, (data_type, values): (DataType, Vec<Value>)| {
            columns.push((Column { name, data_type }, values));
        };
        let not_finite = self.format != Format::Json && percent(self.rng, 20);
        for index in 0..one(self.rng, &[1, 1, 2, 2, 3, 4, 9]) {
            let feature = self.feature(not_finite);
            add(format!("f{index}"), feature);
        }
        if percent(self.rng, 80) {
            add("t".to_string(), self.time());
        }
        if percent(self.rng, 20) {
            add(one(self.rng, &["t2", "Event Time"]).to_string(), self.time());
        }
        if percent(self.rng, 20) {
            let texts = TIMES_AS_TEXT.map(|(text, _)| text);
            let values = self.values(|rng| Value::Text(one(rng, &texts).to_string()));
            let mut types = vec![DataType::Utf8, DataType::Utf8View];
            if !self.format.is_text() {
                types.extend([DataType::LargeUtf8, dictionary(DataType::Int32)]);
            }
            add(TEXT_TIME.to_string(), (one(self.rng, &types), values));
        }
        // A line of one column that is NULL is no line to a reader of CSV.
        let others = self.rng.usize(0..=4).max(usize::from(self.format == Format::Csv) * 2);
        for index in 0..others {
            add(format!("o{index}"), self.other());
        }
        if self.format == Format::Csv || percent(self.rng, 30) {
            let mut ids: Vec<Value> = (0..self.rows as i128).map(|id| Value::Int(id * 7 % 1000)).collect();
            self.rng.shuffle(&mut ids);
            add("id".to_string(), (DataType::Int64, ids));
        }
        self.rng.shuffle(&mut columns);
        columns
    }

    fn values(&mut self, mut value: impl FnMut(&mut Rng) -> Value) -> Vec<Value> {
        let nulls = self.nulls;
        let rng = &mut *self.rng;
        (0..self.rows).map(|_| if percent(rng, nulls) { Value::Null } else { value(rng) }).collect()
    }

    fn feature(&mut self, not_finite: bool) -> (DataType, Vec<Value>) {
        let int = |value: i64| Value::Int(value.into());
        match self.rng.u8(..10) {
            0 => {
                let types =
                    [DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, DataType::Int64];
                (one(self.rng, &types), self.values(|rng| int(rng.i64(-4..=4))))
            }
            1 => {
                let types = [DataType::UInt8, DataType::UInt16, DataType::UInt32, DataType::UInt64];
                (one(self.rng, &types), self.values(|rng| int(one(rng, &[0, 1, 2, 3, 10, 100]))))
            }
            2 => (DataType::Boolean, self.values(|rng| Value::Bool(rng.bool()))),
            3 => {
                let mut pool = FINITE.to_vec();
                if not_finite {
                    pool.extend(NOT_FINITE);
                }
                (DataType::Float64, self.values(|rng| Value::Float(one(rng, &pool))))
            }
            4 => {
                let pool = [0.0_f32, -0.0, 1.5, 0.1, 0.2, 2.5, 1e-40, 3e38];
                let value = |rng: &mut Rng| if rng.bool() { one(rng, &pool) } else { rng.f32() * 6.0 - 3.0 };
                (DataType::Float32, self.values(|rng| Value::Float(value(rng).into())))
            }
            5 => {
                let decimal = |rng: &mut Rng| Value::Decimal { unscaled: rng.i128(-500..=500), scale: 2 };
                (DataType::Decimal128(one(self.rng, &[5, 12, 20]), 2), self.values(decimal))
            }
            6 => (DataType::Float64, self.values(|rng| Value::Float(rng.f64() * 4.0 - 2.0))),
            7 => {
                let pool = [0.0, -0.0, 1.0, 2.0, 3.0];
                (DataType::Float64, self.values(|rng| Value::Float(one(rng, &pool))))
            }
            8 => (DataType::Float64, self.values(|rng| Value::Float(f64::from(rng.u8(..12)) * 0.1))),
            _ => {
                // With a table of these the query fails now and then: 2^53 + 1 is no DOUBLE.
                let greatest = (1_i64 << 53) + i64::from(percent(self.rng, 10));
                let value = |rng: &mut Rng| {
                    let pool = [rng.i64(0..=20), rng.i64(-greatest..=greatest), greatest];
                    int(one(rng, &pool))
                };
                (DataType::Int64, self.values(value))
            }
        }
    }

    fn time(&mut self) -> (DataType, Vec<Value>) {
        let zones =
            [None, None, Some("UTC"), Some("+02:00"), Some("Europe/Berlin"), Some("America/New_York")];
        let zone = |zone: Option<&str>| zone.map(Arc::<str>::from);
        match self.rng.u8(..5) {
            0 => (DataType::Date32, self.values(|rng| Value::Int(17_000 + rng.i128(0..=4)))),
            1 | 2 => {
                let units = [
                    (TimeUnit::Second, 1),
                    (TimeUnit::Millisecond, 1_000),
                    (TimeUnit::Microsecond, 1_000_000),
                    (TimeUnit::Nanosecond, 1_000_000_000),
                ];
                let coarse = usize::from(self.format != Format::Memory);
                let (unit, second) = one(self.rng, &units[coarse..]);
                let zone = zone(one(self.rng, &zones));
                let ticks = |rng: &mut Rng| (DAY + rng.i128(0..=5)) * second + one(rng, &[0, 0, 1]);
                (DataType::Timestamp(unit, zone), self.values(|rng| Value::Int(ticks(rng))))
            }
            3 => (
                DataType::Timestamp(TimeUnit::Microsecond, zone(Some("UTC"))),
                self.values(|rng| Value::Int(-rng.i128(0..=4))),
            ),
            _ => {
                let mut pool = vec![0, 1, -1];
                if !self.format.is_text() {
                    pool.extend([253_402_300_799_000, -62_135_596_800_000]);
                }
                let unit = DataType::Timestamp(TimeUnit::Millisecond, None);
                (unit, self.values(|rng| Value::Int(one(rng, &pool))))
            }
        }
    }

    fn other(&mut self) -> (DataType, Vec<Value>) {
        let nulls = std::mem::replace(&mut self.nulls, one(self.rng, &[0, 30]));
        let column = self.any_other();
        self.nulls = nulls;
        column
    }

    fn any_other(&mut self) -> (DataType, Vec<Value>) {
        match (self.rng.u8(..13), self.format) {
            (8 | 9, Format::Memory | Format::Parquet | Format::Arrow) => {
                let types = [DataType::Binary, DataType::BinaryView, DataType::LargeBinary];
                let pool: [&[u8]; 5] = [b"", b"\xff", b"\xfe", b"a", b"a\0"];
                (one(self.rng, &types), self.values(|rng| Value::Bytes(one(rng, &pool).to_vec())))
            }
            (10, Format::Memory | Format::Parquet | Format::Arrow | Format::Json) => {
                let list = |rng: &mut Rng| (0..rng.u8(..3)).map(|_| Value::Int(rng.i128(0..=1))).collect();
                (DataType::new_list(DataType::Int32, true), self.values(|rng| Value::List(list(rng))))
            }
            (11, Format::Memory | Format::Parquet | Format::Arrow | Format::Json) => {
                let fields = [("f", DataType::Int32), ("g", DataType::Utf8)];
                let fields: Fields = fields.map(|(name, it)| Field::new(name, it, true)).to_vec().into();
                let value = |rng: &mut Rng| {
                    let text = Value::Text(one(rng, &["a", "b"]).to_string());
                    Value::Struct(vec![
                        ("f".to_string(), Value::Int(rng.i128(0..=1))),
                        ("g".to_string(), text),
                    ])
                };
                (DataType::Struct(fields), self.values(value))
            }
            (12, _) => (DataType::Boolean, self.values(|rng| Value::Bool(rng.bool()))),
            (6, _) => (DataType::Int32, self.values(|rng| Value::Int(rng.i128(0..=3)))),
            (7, format) => {
                let mut pool = FINITE.to_vec();
                if format != Format::Json {
                    pool.extend(NOT_FINITE);
                }
                (DataType::Float64, self.values(|rng| Value::Float(one(rng, &pool))))
            }
            _ => self.text(),
        }
    }

    fn text(&mut self) -> (DataType, Vec<Value>) {
        let mut words = vec!["a", "b", "é", "\u{1F600}", "A", "aa", " ", "\"q'", "a,b"];
        let mut types = vec![DataType::Utf8, DataType::Utf8View];
        if self.format != Format::Csv {
            types.push(DataType::LargeUtf8);
        }
        if !self.format.is_text() {
            words.extend(["", "z\0"]);
            types.extend([dictionary(DataType::Int32), dictionary(DataType::Int8)]);
        }
        (one(self.rng, &types), self.values(|rng| Value::Text(one(rng, &words).to_string())))
    }
}
