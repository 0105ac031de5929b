//! The parts of the table functions' reference. Scalar and window functions carry their documentation themselves.

use datafusion_doc::Documentation;

use crate::call::documentation;
use crate::options::{ClusterOption, OPTIONS};

/// Returns the table functions by name, with their documentation.
pub fn table_functions() -> Vec<(&'static str, Documentation)> {
    #[cfg_attr(not(feature = "logs"), expect(unused_mut, reason = "only files add to it"))]
    let mut all = documentation::all();
    #[cfg(feature = "logs")]
    all.extend(crate::formats::documentation::all());
    all
}

/// Returns the options of reading files.
#[cfg(feature = "logs")]
pub fn read_options() -> &'static [crate::ReadOption] {
    crate::read_options::READ_OPTIONS
}

/// Returns the options of the table functions, each with an example.
pub fn options() -> &'static [ClusterOption] {
    OPTIONS
}

/// Returns the grammar of a call of the table functions, in EBNF.
pub fn grammar() -> &'static str {
    documentation::GRAMMAR
}

/// Returns the statement that creates the table `events`, which the examples read.
pub fn example_table() -> &'static str {
    documentation::EXAMPLE_TABLE
}
