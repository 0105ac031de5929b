//! Tables that are files: finds the file that a name stands for, and names the file that an error is about.
//!
//! | module | task |
//! |---|---|
//! | `lookup` | finds the table that a path stands for, or tells why there is none |
//! | `format`, `source` | a reader's error names its file, while a query is planned and while it runs |
//! | `blame` | the words of these errors |
//! | `stores` | the object stores, of which the one for local files fails where the engine's would wait |

mod blame;
mod format;
mod lookup;
mod source;
mod stores;

pub(super) use format::with_names;
pub(super) use lookup::{creating_table, files_as_tables};
pub(super) use stores::Stores;
