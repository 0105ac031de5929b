//! Tables that are files: which file a name stands for, and which file an error is about.
//!
//! | module | task |
//! |---|---|
//! | `lookup` | a path to its table, or why it is none |
//! | `format`, `source` | a reader's error names its file, while a query is planned and while it runs |
//! | `blame` | the words for it |
//! | `stores` | local files that have an end |

mod blame;
mod format;
mod lookup;
mod source;
mod stores;

pub(super) use format::with_names;
pub(super) use lookup::{files_as_tables, making};
pub(super) use stores::Stores;
