//! Queries that are not compared, each kind under a name and with the reason.

use arrow::datatypes::DataType;

use super::query::{Form, Function, Scalar};
use super::run::Case;

pub struct LeftOut {
    pub name: &'static str,
    /// The reason, and who is at fault.
    pub why: &'static str,
    pub applies: fn(&Case) -> bool,
}

/// All kinds.
pub const LEFT_OUT: [LeftOut; 1] = [LeftOut {
    name: "CREATE VIEW over a window in the order of bytes",
    why: "CREATE VIEW coerces types before any rule of a session has a look, and the engine's coercion refuses the default \
          frame over bytes. The same query without a view is compared.",
    applies: |case| {
        let is_bytes = |data_type: &DataType| {
            matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
        };
        let first = case.query.order_by.first().map(|key| &key.scalar);
        case.query.function == Function::Window
            && case.query.form == Form::View
            && matches!(first, Some(Scalar::Column(name)) if is_bytes(case.table.type_of(name)))
    },
}];

/// The kind that a query is of.
pub fn left_out(case: &Case) -> Option<&'static LeftOut> {
    LEFT_OUT.iter().find(|kind| (kind.applies)(case))
}
