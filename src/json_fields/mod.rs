//! Functions and operators that read fields of JSON in text columns, with the feature `json`.
//!
//! Logs hold JSON in text: the message of a container, the `requestParameters` of a cloud, a value of many shapes. A field of
//! it is a feature or a key like any other expression: `ev->'user'->>'name'`.
//!
//! Text that is no JSON, a field that is not there, and JSON's `null` are NULL. The whole text is read, so what is cut off at
//! its end is no JSON, wherever the field stands. If an object has a name twice, the last one counts. `->` gives JSON
//! text and not a type of its own, so each step of `ev->'a'->'b'` reads its text anew; `json_get_json(ev, 'a', 'b')` checks the
//! text once.
//!
//! The operators bind more than comparisons, as in Postgres, and less than arithmetic, casts and `||`. Beside those they want
//! brackets, `(ev->>'a') || 'b'`, and are an error without.
//!
//! Names and meanings are those of the crate `datafusion-functions-json`, but that `->` gives text. A host that has that crate
//! registered does without this feature.
//!
//! Cost: linear in the length of the text, for each step.

mod documentation;
mod find;
mod function;
mod operators;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;

use function::{JsonFunction, Reads};
pub(crate) use operators::JsonOperators;

/// Returns the functions, in alphabetical order.
pub fn all() -> Vec<Arc<ScalarUDF>> {
    static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
        Reads::ALL.into_iter().map(|reads| Arc::new(ScalarUDF::from(JsonFunction(reads)))).collect()
    });
    FUNCTIONS.clone()
}

/// The function that reads a value so.
fn udf(reads: Reads) -> Arc<ScalarUDF> {
    let name = reads.name();
    let found = all().into_iter().find(|function| function.name() == name);
    found.unwrap_or_else(|| Arc::new(ScalarUDF::from(JsonFunction(reads))))
}
