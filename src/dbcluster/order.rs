//! Which columns can put rows in order.

use arrow::datatypes::DataType;

/// Whether the engine can sort by a type.
pub(super) fn has_order(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => false,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            has_order(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| has_order(field.data_type())),
        DataType::Dictionary(_, value) => !value.is_nested(),
        _ => true,
    }
}
