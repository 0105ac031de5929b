//! `dbcluster verify`: whether an archive is whole.

use std::fs;
use std::io;
use std::path::Path;

use indicatif::HumanCount;

use super::count;
use super::manifest::{DataFile, MANIFEST, Manifest};
use super::rows::data_file;
use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::output;
use crate::signals::Signals;

/// The faults that are told one by one.
const TOLD: usize = 20;

/// Runs the subcommand.
pub(crate) fn run(args: &VerifyArgs, signals: &Signals) -> Result<(), Failure> {
    let folder = args.archive.as_path();
    let read = || {
        Manifest::read(folder)?.ok_or_else(|| {
            Failure::new(format!(
                "{} has no file {MANIFEST}, so it is no archive that dbcluster import has made",
                folder.display()
            ))
        })
    };
    let (manifest, mut faults) = loop {
        let manifest = read()?;
        let faults = faults(folder, &manifest, true, || {
            signals.first().map_or(Ok(()), |signal| Err(Failure::Stopped(signal)))
        })?;
        // An import may have taken its place meanwhile.
        if faults.is_empty() || read()? == manifest {
            break (manifest, faults);
        }
    };
    if faults.is_empty() {
        return output::say(format!(
            "{} is whole: {} in {}, of {}.\n",
            folder.display(),
            count(manifest.rows(), "row"),
            count(manifest.files.len() as u64, "file"),
            count(manifest.sources.len() as u64, "source")
        ));
    }
    let more = faults.len().saturating_sub(TOLD);
    faults.truncate(TOLD);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    Err(Failure::new(format!("{} is not whole: {}", folder.display(), faults.join("; "))))
}

/// The differences between a folder and its list: names and sizes, and the bytes if all is to be read.
pub(super) fn changes(folder: &Path, manifest: &Manifest, reads_all: bool) -> Result<Vec<String>, Failure> {
    faults(folder, manifest, reads_all, || Ok(()))
}

fn faults(
    folder: &Path,
    manifest: &Manifest,
    reads_all: bool,
    go_on: impl Fn() -> Result<(), Failure>,
) -> Result<Vec<String>, Failure> {
    let mut faults = vec![];
    for (name, expected) in &manifest.files {
        go_on()?;
        faults.extend(fault(folder, name, expected, reads_all));
    }
    let mut found = vec![];
    files(folder, "", &mut found).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    found.sort();
    let strange = found.into_iter().filter(|name| !manifest.files.contains_key(name));
    faults.extend(strange.map(|name| format!("{name} is not in its list, so no import has made it")));
    Ok(faults)
}

/// Reads a file of the archive, and says what is wrong with it.
fn fault(folder: &Path, name: &str, expected: &DataFile, reads_all: bool) -> Option<String> {
    let path = folder.join(name);
    let bytes = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(format!("{name} is missing")),
        Err(error) => return Some(format!("{name}: {error}")),
    };
    if bytes != expected.bytes {
        return Some(format!(
            "{name} has {} bytes, expected {}",
            HumanCount(bytes),
            HumanCount(expected.bytes)
        ));
    }
    if !reads_all {
        return None;
    }
    match data_file(&path) {
        Ok(file) if file == *expected => None,
        Ok(file) if file.rows != expected.rows => {
            Some(format!("{name} has {} rows, expected {}", HumanCount(file.rows), HumanCount(expected.rows)))
        }
        Ok(_) => Some(format!("{name} has other bytes than the import wrote")),
        Err(error) => Some(format!("{name} can't be read: {error}")),
    }
}

/// The files below a folder, but for the list.
fn files(folder: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files(&entry.path(), &format!("{name}/"), found)?;
        } else if name != MANIFEST {
            found.push(name);
        }
    }
    Ok(())
}
