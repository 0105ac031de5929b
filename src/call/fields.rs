//! Fields of columns whose names are words of SQL.
//!
//! The parser takes `user` for a function, so that `user.name`, which any log of accounts may have, is no column's field but an
//! access by dot to what a function returns. The engine takes such an access with a string only.

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Value};

/// Makes the field that an access by dot names a string, which means the same: `user.name` becomes `user['name']`.
///
/// Other expressions stay as they are. The table functions do this with their own arguments; a host that parses statements
/// itself can do it with all of their expressions.
pub fn name_fields_by_strings(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expr else { return };
    for access in access_chain {
        if let AccessExpr::Dot(field) = access
            && let Expr::Identifier(name) = field
        {
            *field = Expr::Value(Value::SingleQuotedString(std::mem::take(&mut name.value)).into());
        }
    }
}
