//! Nested values as JSON text, for formats that have no nested values.

pub(crate) use crate::plan::functions::json_text_udf;
pub use crate::plan::functions::{as_json, json_text};
