//! Queries that are not compared, each kind under a name and with the reason.

use super::run::Case;

pub struct LeftOut {
    pub name: &'static str,
    /// The reason, and who is at fault.
    pub why: &'static str,
    pub applies: fn(&Case) -> bool,
}

/// All kinds.
pub const LEFT_OUT: [LeftOut; 0] = [];

/// The kind that a query is of.
pub fn left_out(case: &Case) -> Option<&'static LeftOut> {
    LEFT_OUT.iter().find(|kind| (kind.applies)(case))
}
