//! The type that holds the values of several types.
//!
//! Files of one table may disagree about a column. Integers widen, floats and integers meet as floats, times in the finer
//! unit; text holds everything else.

use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

/// The digits of the widest decimal of 128 bits.
const DECIMAL_DIGITS: u8 = 38;

/// The type that holds the values of both; none if not even text does.
pub(super) fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{
        Date32, Date64, Decimal128, Dictionary, Float16, Float32, Float64, LargeList, LargeUtf8, List, Null,
        Struct, Timestamp, Utf8, Utf8View,
    };
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        (Dictionary(_, values), other) | (other, Dictionary(_, values)) => common(values, other),
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => Some(Utf8View),
        _ if a.is_integer() && b.is_integer() => Some(integer(a, b)),
        (Float16, Float32) | (Float32, Float16) => Some(Float32),
        _ if (a.is_floating() || a.is_integer()) && (b.is_floating() || b.is_integer()) => Some(Float64),
        (Decimal128(digits, scale), other) | (other, Decimal128(digits, scale)) => {
            decimal(*digits, *scale, other).or_else(|| as_text(a, b))
        }
        (Date32, Date64) | (Date64, Date32) => Some(Date64),
        (Timestamp(unit, zone), Date32 | Date64) | (Date32 | Date64, Timestamp(unit, zone)) => {
            Some(Timestamp(finer(*unit, TimeUnit::Millisecond), zone.clone()))
        }
        (Timestamp(a, first), Timestamp(b, second)) => {
            let zone = match (first, second) {
                (None, None) => None,
                (Some(first), Some(second)) if first == second => Some(Arc::clone(first)),
                // Times without a zone are UTC.
                _ => Some("UTC".into()),
            };
            Some(Timestamp(finer(*a, *b), zone))
        }
        (Struct(a), Struct(b)) => members(a, b).map(Struct),
        (List(a), List(b)) => Some(List(item(a, b)?)),
        (List(a) | LargeList(a), List(b) | LargeList(b)) => Some(LargeList(item(a, b)?)),
        _ => as_text(a, b),
    }
}

fn as_text(a: &DataType, b: &DataType) -> Option<DataType> {
    let text = DataType::Utf8View;
    (can_cast_types(a, &text) && can_cast_types(b, &text)).then_some(text)
}

/// The integer, or for BIGINT UNSIGNED beside signed ones the decimal, that holds both.
fn integer(a: &DataType, b: &DataType) -> DataType {
    let bytes = |data_type: &DataType| data_type.primitive_width().unwrap_or(8);
    if a.is_signed_integer() == b.is_signed_integer() {
        return if bytes(a) >= bytes(b) { a.clone() } else { b.clone() };
    }
    let (signed, unsigned) = if a.is_signed_integer() { (a, b) } else { (b, a) };
    match bytes(signed).max(2 * bytes(unsigned)) {
        2 => DataType::Int16,
        4 => DataType::Int32,
        8 => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    }
}

/// The decimal that holds one of `digits` and `scale`, and another number; a float if that is one.
fn decimal(digits: u8, scale: i8, other: &DataType) -> Option<DataType> {
    let (other_digits, other_scale) = match other {
        DataType::Decimal128(digits, scale) => (*digits, *scale),
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        _ => return None,
    };
    let scale_of_both = scale.max(other_scale);
    let whole = |digits: u8, scale: i8| i16::from(digits) - i16::from(scale);
    let needed = whole(digits, scale).max(whole(other_digits, other_scale)) + i16::from(scale_of_both);
    let needed = u8::try_from(needed).ok().filter(|needed| *needed <= DECIMAL_DIGITS)?;
    Some(DataType::Decimal128(needed, scale_of_both))
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let order = [TimeUnit::Nanosecond, TimeUnit::Microsecond, TimeUnit::Millisecond];
    order.into_iter().find(|unit| *unit == a || *unit == b).unwrap_or(TimeUnit::Second)
}

/// The members of both structs by name, those of the first in front.
fn members(a: &Fields, b: &Fields) -> Option<Fields> {
    let mut members: Vec<FieldRef> = a.iter().map(Arc::clone).collect();
    for field in b {
        match members.iter_mut().find(|member| member.name() == field.name()) {
            Some(member) => {
                let data_type = common(member.data_type(), field.data_type())?;
                *member = Arc::new(Field::new(member.name(), data_type, true));
            }
            None => members.push(Arc::clone(field)),
        }
    }
    // A member that one of them lacks is NULL in its rows.
    Some(members.iter().map(|member| member.as_ref().clone().with_nullable(true)).collect())
}

fn item(a: &Field, b: &Field) -> Option<FieldRef> {
    Some(Arc::new(Field::new_list_field(common(a.data_type(), b.data_type())?, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_both_holds_the_values_of_both() {
        use DataType::{
            Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt32, UInt64,
            Utf8, Utf8View,
        };
        let time = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
        for (a, b, both) in [
            (Int32, Int64, Int64),
            (Int8, UInt8, Int16),
            (UInt32, Int8, Int64),
            (UInt64, Int8, Decimal128(20, 0)),
            (Int64, Float32, Float64),
            (Decimal128(10, 2), Int64, Decimal128(21, 2)),
            (Decimal128(38, 10), Decimal128(38, 0), Utf8View),
            (Decimal128(10, 2), Float64, Utf8View),
            (Boolean, Int64, Utf8View),
            (Utf8, Utf8View, Utf8View),
            (Int64, Utf8, Utf8View),
            (DataType::Null, Int32, Int32),
            (DataType::Dictionary(Box::new(Int32), Box::new(Utf8)), Utf8, Utf8),
            (
                time(TimeUnit::Second, None),
                time(TimeUnit::Microsecond, None),
                time(TimeUnit::Microsecond, None),
            ),
            (
                time(TimeUnit::Second, None),
                time(TimeUnit::Second, Some("+02:00")),
                time(TimeUnit::Second, Some("UTC")),
            ),
            (time(TimeUnit::Second, None), Date32, time(TimeUnit::Millisecond, None)),
            (time(TimeUnit::Second, None), Int64, Utf8View),
        ] {
            assert_eq!(common(&a, &b), Some(both.clone()), "{a} and {b}");
            assert_eq!(common(&b, &a), Some(both), "{b} and {a}");
        }
    }

    #[test]
    fn structs_meet_by_the_names_of_their_members() {
        let of = |members: Vec<(&str, DataType)>| {
            DataType::Struct(members.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect())
        };
        let a = of(vec![("x", DataType::Int32), ("y", DataType::Utf8)]);
        let b = of(vec![("z", DataType::Boolean), ("x", DataType::Int64)]);
        let both = of(vec![("x", DataType::Int64), ("y", DataType::Utf8), ("z", DataType::Boolean)]);
        assert_eq!(common(&a, &b), Some(both));
    }
}
