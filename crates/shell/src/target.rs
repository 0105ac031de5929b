//! The file that results go to instead of the terminal: `\o FILE` and `--output FILE`.
//!
//! It appears whole or not at all: results are written beside its place, and the file takes its name when the next `\o` or the
//! end of the program closes it. A script that fails leaves the earlier file as it was.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use dbcluster_files::Unfinished;

use super::failure::Failure;
use super::format::Format;

/// An open file for results.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    to: To,
    /// The format in which results are written.
    pub(super) format: Format,
    /// The number of results in the file.
    results: usize,
}

#[derive(Debug)]
enum To {
    Unfinished(Unfinished),
    /// A pipe or a device, which is written to directly.
    Direct(File),
}

impl Target {
    /// Opens a file for results, in the format that its ending says or else in this one.
    pub(super) fn open(path: &Path, format: Format) -> Result<Self, Failure> {
        let format = Format::by_ending(path).unwrap_or(format);
        let opened = if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            OpenOptions::new().write(true).open(path).map(To::Direct)
        } else {
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
            Unfinished::create(&target).map(To::Unfinished)
        };
        if path.is_dir() {
            return Err(Failure::new(format!("{} is a folder: name a file for the results", path.display())));
        }
        match opened {
            Ok(to) => Ok(Self { path: path.to_path_buf(), to, format, results: 0 }),
            Err(error) => Err(Failure::new(format!("cannot write {}: {error}", path.display()))),
        }
    }

    /// Begins a result.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.results += 1;
        let kind = match self.format {
            Format::Parquet => "Parquet",
            Format::Json => "JSON",
            _ => return Ok(()),
        };
        if self.results > 1 {
            return Err(Failure::new(format!(
                "{} has a result, and a {kind} file holds one: name another file with \\o, or use COPY (...) TO",
                self.path.display()
            )));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Failure> {
        let written = match &mut self.to {
            To::Unfinished(unfinished) => unfinished.file().write_all(bytes.as_ref()),
            To::Direct(file) => file.write_all(bytes.as_ref()),
        };
        written.map_err(|error| Failure::new(format!("cannot write {}: {error}", self.path.display())))
    }

    /// Gives the file its name. The text says what it holds.
    pub(super) fn close(self) -> Result<String, Failure> {
        if let To::Unfinished(unfinished) = self.to {
            unfinished
                .finish()
                .map_err(|error| Failure::new(format!("cannot write {}: {error}", self.path.display())))?;
        }
        let results =
            if self.results == 1 { "1 result".to_string() } else { format!("{} results", self.results) };
        Ok(format!("{results} in {}", self.path.display()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
