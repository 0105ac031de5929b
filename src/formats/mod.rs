//! Files as tables: the readers of [`dbcluster_logs`] inside the engine (feature `logs`).
//!
//! A name stands for files. Each of them is text, which is read as a whole into rows, or of a format that the engine reads
//! in place, such as Parquet. Several kinds beside each other are one table: columns meet by name, and have a type that
//! holds the values of all.
//!
//! Text is read once per session: the rows stay in memory while the pool grants it, else in a Parquet file among the engine's
//! temporary files. A file that has changed is read again. [`LogTables`] is where a session keeps all that; it is an extension of
//! the session's configuration, so that every part of a session finds the same one.
//!
//! | module | task |
//! |---|---|
//! | [`tables`] | the table of a name, and what the session has read so far |
//! | [`files`] | the files of a name on this machine or in an object store, and what each of them is |
//! | [`blocking`] | work that waits, on a thread that may wait |
//! | [`containers`] | the files in ZIP and tar archives |
//! | [`object`] | the bytes of an object in a store, for a reader that blocks |
//! | [`host`] | the threads, the memory and the temporary files of a reading |
//! | [`text_table`] | text files as a table, whose rows are looked at anew by each query |
//! | [`reading`] | a reading of text files, and the readings that a session keeps |
//! | [`kept`] | rows that were read, in memory or in a temporary Parquet file |
//! | [`listing`] | files that the engine reads in place |
//! | [`partitions`] | columns in the names of folders, `day=2026-01-15` |
//! | [`types`], [`union`] | the type that holds the values of several, and the union by name |
//! | [`rejected`] | the lines and values that could not be read, as a table |
//! | [`read`] | `read('path', option => value)` in FROM |
//! | [`documentation`] | the reference of `read` and `rejected` |
//! | [`factory`] | `CREATE EXTERNAL TABLE ... STORED AS LOGS` |

mod blocking;
mod containers;
pub(crate) mod documentation;
mod factory;
mod files;
mod host;
mod kept;
mod listing;
mod object;
mod partitions;
mod read;
mod reading;
mod rejected;
mod tables;
mod text_table;
mod types;
mod union;

pub use factory::LogTableFactory;
pub(crate) use read::{ReadFunction, ReadPlanner, RejectedFunction};

pub use tables::{FoundFiles, LogTables, ReadElsewhere, ReadListener, StoreMaker};
