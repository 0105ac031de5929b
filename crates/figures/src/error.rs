//! The error of all figures.

use std::error::Error;
use std::fmt;

/// The options or the rows of a figure are wrong; the text is for the person who typed the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotError(pub(crate) String);

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for PlotError {}
