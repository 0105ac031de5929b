//! Queries that are not compared, each kind under a name and with the reason.

use arrow::datatypes::DataType;

use super::query::{Form, Function, Input, Scalar};
use super::run::Case;

pub struct LeftOut {
    pub name: &'static str,
    /// The reason, and who is at fault.
    pub why: &'static str,
    pub applies: fn(&Case) -> bool,
}

/// All kinds.
pub const LEFT_OUT: [LeftOut; 2] = [
    LeftOut {
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
    },
    LeftOut {
        name: "DISTINCT ON a column that is a feature",
        why: "From four partitions on the engine takes rows that are spread by the column as spread by all keys of the next GROUP BY, \
          and its own check of the plan then refuses it. No answer is wrong.",
        applies: |case| match &case.query.input {
            Input::DistinctOn(by) => case
                .query
                .features
                .iter()
                .any(|feature| matches!(&feature.scalar, Scalar::Column(name) if name == by)),
            _ => false,
        },
    },
];

/// The kind that a query is of.
pub fn left_out(case: &Case) -> Option<&'static LeftOut> {
    LEFT_OUT.iter().find(|kind| (kind.applies)(case))
}
