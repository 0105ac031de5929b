//! Files of the programs. A file is read to its end, or an error says why not. A file that a statement writes appears when the
//! statement has come to its end, or not at all.
//!
//! | module | task |
//! |---|---|
//! | `local` | [`LocalFiles`]: the engine's store of local files, with errors where it would wait or ask without end |
//! | `writes` | [`Writes`]: the files of one statement, held back until it has ended |
//! | `replace` | [`replace_folder`]: a folder that takes the place of another in one step |
//! | `unfinished` | [`Unfinished`]: one file under another name until it is whole |

mod local;
mod replace;
mod unfinished;
mod writes;

pub use local::{ARCHIVE_LIST, LocalFiles};
pub use replace::{lock_beside, remove_unfinished, replace_folder};
pub use unfinished::{NewFolders, Unfinished, begin_folder, write_file};
pub use writes::Writes;
