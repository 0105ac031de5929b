//! One cell of a table as plain Rust, its place in the canonical order, and how SQL writes it.

use std::cmp::Ordering;
use std::fmt::Write;

use arrow::datatypes::DataType;

/// A value. Times are counted in the unit of their column, decimals in its last digit.
///
/// The order is the contract's: ascending, NULL last, floats by IEEE totalOrder. Two values are equal where they are
/// the same to the bit, so `-0.0` is not `0.0`; [`Value::as_key`] makes them one.
#[derive(Debug, Clone)]
pub enum Value {
    Bool(bool),
    Int(i128),
    Decimal { unscaled: i128, scale: i8 },
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Struct(Vec<(String, Value)>),
    Null,
}

/// Integers up to this size, on either side of zero, are exact as DOUBLE.
const MAX_EXACT: i128 = 1 << 53;

/// An integer that no DOUBLE holds.
#[derive(Debug)]
pub struct BeyondExact;

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as the number that is clustered: NULL is none, and `-0.0` is `0.0`.
    pub fn as_feature(&self) -> Result<Option<f64>, BeyondExact> {
        Ok(Some(match self {
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Int(value) if value.abs() > MAX_EXACT => return Err(BeyondExact),
            Self::Int(value) => *value as f64,
            // The DOUBLE that its digits stand for, as a reader of numbers would take it.
            Self::Decimal { unscaled, scale } => {
                format!("{unscaled}e{}", -i32::from(*scale)).parse().expect("digits and an exponent")
            }
            Self::Float(value) => value + 0.0,
            Self::Null => return Ok(None),
            other => panic!("{other:?} is no feature"),
        }))
    }

    /// The value as rows are ordered and partitioned by it.
    pub fn as_key(&self) -> Self {
        match self {
            Self::Float(value) => Self::Float(value + 0.0),
            other => other.clone(),
        }
    }

    /// Descending, NULL last all the same.
    pub fn descending(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => self.cmp(other),
            _ => other.cmp(self),
        }
    }

    /// The SQL text of the value, cast to this type.
    pub fn sql(&self, data_type: &DataType) -> String {
        let literal = match self {
            Self::Null => "NULL".to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) if matches!(data_type, DataType::Date32) => {
                format!("arrow_cast({value}, 'Int32')")
            }
            Self::Int(value) => value.to_string(),
            Self::Decimal { unscaled, scale } => {
                let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = *scale as usize + 1);
                let (whole, fraction) = digits.split_at(digits.len() - *scale as usize);
                format!("'{}{whole}.{fraction}'", if *unscaled < 0 { "-" } else { "" })
            }
            Self::Float(value) => format!("'{value}'"),
            Self::Text(text) if text.chars().any(char::is_control) => {
                format!("arrow_cast({}, 'Utf8')", hexadecimal(text.as_bytes()))
            }
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Bytes(bytes) => hexadecimal(bytes),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.sql(&DataType::Int32)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Struct(fields) => {
                let DataType::Struct(types) = data_type else { panic!("{data_type} has no fields") };
                let fields: Vec<String> = (fields.iter().zip(types))
                    .map(|((name, value), field)| format!("'{name}', {}", value.sql(field.data_type())))
                    .collect();
                format!("named_struct({})", fields.join(", "))
            }
        };
        format!("arrow_cast({literal}, '{}')", data_type.to_string().replace('\'', "''"))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("x'".to_string(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    }) + "'"
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => self.is_null().cmp(&other.is_null()),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b))
            | (Self::Decimal { unscaled: a, .. }, Self::Decimal { unscaled: b, .. }) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Struct(a), Self::Struct(b)) => {
                a.iter().map(|(_, value)| value).cmp(b.iter().map(|(_, value)| value))
            }
            // Of one column all values are of one kind. Results that differ in kind are told apart here.
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl Value {
    fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) => 1,
            Self::Decimal { .. } => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::List(_) => 6,
            Self::Struct(_) => 7,
            Self::Null => 8,
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}
