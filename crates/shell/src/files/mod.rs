//! Tables that are files: finds the file that a name stands for, and names the file that an error is about.
//!
//! | module | task |
//! |---|---|
//! | `lookup` | finds the table that a path stands for, or tells why there is none |
//! | `on_cluster` | files whose rows the executors of a cluster read |
//! | `external` | `CREATE EXTERNAL TABLE ... STORED AS CSV`, with the compression that a name tells |
//! | `account` | the line that says what was read |
//! | `format`, `source` | a reader's error names its file, while a query is planned and while it runs |
//! | `blame` | the words of these errors |

mod account;
mod blame;
mod external;
mod format;
mod lookup;
#[cfg(feature = "ballista")]
mod on_cluster;
mod source;

pub(super) use account::Account;
pub(super) use external::with_compression_by_name;
pub(super) use format::with_names;
pub(super) use lookup::{creating_table, files_as_tables};
#[cfg(feature = "ballista")]
pub(super) use on_cluster::SharedTables;
