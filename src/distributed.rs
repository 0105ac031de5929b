//! Parts of a session for hosts that plan in one process and run in others, such as a Ballista cluster.
//!
//! [`register_all`](crate::register_all) is enough where one process plans and runs. A host that sends logical plans to
//! other processes also adds [`BroadcastClusters`] to the session that plans, and [`UseDbscanExec`] to its executors.

pub use crate::exec::{FileStatistics, UseDbscanExec};
pub use crate::plan::nesting::is_labelling;
pub use crate::plan::rules::broadcast_clusters::{BroadcastClusters, assumes_few_rows};
