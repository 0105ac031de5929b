//! Error texts for the person who wrote the query.
//!
//! An error about an argument names the function and the argument, what it is, what was expected, and a way out:
//!
//! ```text
//! cmdline_tokens: argument 1 (s) is Int64, expected a string; use CAST(... AS VARCHAR)
//! ```

use std::fmt::Display;

use datafusion::common::{DataFusionError, exec_datafusion_err, plan_datafusion_err};

/// Builds the error about a wrong argument of a query that is being planned. `place` names the argument, `hint` the way out.
pub(crate) fn argument_error(
    function: &str,
    place: &str,
    got: &dyn Display,
    expected: &str,
    hint: Option<&str>,
) -> DataFusionError {
    plan_datafusion_err!("{}", argument_text(function, place, got, expected, hint))
}

/// Returns the text of [`argument_error`], for an error that is found only when rows are read.
pub(crate) fn argument_text(
    function: &str,
    place: &str,
    got: &dyn Display,
    expected: &str,
    hint: Option<&str>,
) -> String {
    let text = format!("{function}: {place} is {got}, expected {expected}");
    match hint {
        Some(hint) => format!("{text}; {hint}"),
        None => text,
    }
}

/// Returns an error that is this crate's own fault.
///
/// The engine's macro of this name sends people to the engine's issue tracker, where nobody could help them.
macro_rules! internal_err {
    ($($arg:tt)*) => {
        Err($crate::error::internal(&format!($($arg)*)))
    };
}
pub(crate) use internal_err;

/// Builds an error that only a fault of this crate can cause.
pub(crate) fn internal(what: &str) -> DataFusionError {
    exec_datafusion_err!("{what}: this is a fault of datafusion-dbcluster, please report it with the query")
}
