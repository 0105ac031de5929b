//! Files below the tables: whether they are still those that they were, and how they are read on this machine.

#[cfg(any(feature = "ballista", feature = "cli"))]
mod local;
mod versions;

#[cfg(any(feature = "ballista", feature = "cli"))]
pub(crate) use local::LocalFiles;
#[cfg(feature = "cli")]
pub(crate) use versions::is_another;
pub(crate) use versions::{CHANGED, FileVersions, file_name};
