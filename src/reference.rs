//! The parts of the table functions' reference. Scalar and window functions carry their documentation themselves.

use datafusion_doc::Documentation;

use crate::call::documentation;
use crate::options::{ClusterOption, OPTIONS};

/// The table functions by name, with what they do and take.
pub fn table_functions() -> Vec<(&'static str, Documentation)> {
    documentation::all()
}

/// The options of the table functions, each with an example.
pub fn options() -> &'static [ClusterOption] {
    OPTIONS
}

/// How a call of the table functions is written, in EBNF.
pub fn grammar() -> &'static str {
    documentation::GRAMMAR
}

/// The statement that makes the table `events`, which the examples read.
pub fn example_table() -> &'static str {
    documentation::EXAMPLE_TABLE
}
