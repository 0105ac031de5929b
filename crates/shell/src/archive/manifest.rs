//! The list of what is in an archive.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The file of an archive that has its list. Readers of folders pass over names that begin with `_` and have no ending.
pub(crate) use dbcluster_files::ARCHIVE_LIST as MANIFEST;

/// The version of the form of the list.
const VERSION: u32 = 1;

/// The list of what is in an archive, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of this form. A program that knows an earlier one only says so.
    version: u32,
    /// The number of imports so far, which names their files.
    pub(super) imports: u64,
    /// The kind of events whose columns it has, if it is not that of the sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shape: Option<String>,
    /// The files that were read.
    pub(super) sources: Vec<ImportedFile>,
    /// The files of the archive, by their paths in it.
    pub(super) files: BTreeMap<String, DataFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportedFile {
    /// Its path or URL.
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The SHA-256 of its bytes.
    pub(super) sha256: String,
    /// The number of the import that read it.
    pub(super) import: u64,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DataFile {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// The SHA-256 of its bytes.
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn empty() -> Self {
        Self { version: VERSION, imports: 0, shape: None, sources: vec![], files: BTreeMap::new() }
    }

    /// Reads that of a folder; none if it has none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(MANIFEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::new(format!("{}: {error}", path.display()))),
        };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!(
                "{} is damaged: {error}; the Parquet files beside it can be read, and imported into a new archive",
                path.display()
            ))
        })?;
        if manifest.version > VERSION {
            return Err(Failure::new(format!(
                "{} is of version {}, and this program knows version {VERSION}: a later dbcluster reads it",
                path.display(),
                manifest.version
            )));
        }
        Ok(Some(manifest))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(MANIFEST);
        let written =
            serde_json::to_vec_pretty(self).map_err(io::Error::from).and_then(|text| fs::write(&path, text));
        written.map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    /// The number of rows of the archive.
    pub(super) fn rows(&self) -> u64 {
        self.files.values().map(|file| file.rows).sum()
    }
}
