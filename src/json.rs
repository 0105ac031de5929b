//! Nested values as JSON text, for formats that have no nested values.

pub use crate::plan::functions::{as_json, json_text};
