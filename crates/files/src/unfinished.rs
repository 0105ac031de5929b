//! Files that take their names when they are whole.
//!
//! A file is written beside its place, as `sizes.csv.unfinished-4711-x7Gh2a#0`, and renamed at its end. Whoever reads
//! `sizes.csv` sees the earlier file or the new one, and a failure leaves the earlier one as it was. The first number is that
//! of the process: what a killed one has left can be deleted. No table contains it, since object stores pass over local names
//! that end in `#` and digits.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

/// This many bytes of the target's name are kept, since names have at most 255.
const LONGEST_NAME: usize = 200;

/// A file that does not have its name yet. Dropping it removes it.
#[derive(Debug)]
pub struct Unfinished {
    file: NamedTempFile,
    target: PathBuf,
}

impl Unfinished {
    /// Begins a file that is to become `target`, whose folder has to exist.
    pub fn create(target: &Path) -> io::Result<Self> {
        let name = unfinished_name(target);
        let mut builder = Builder::new();
        builder.prefix(&name).suffix("#0");
        #[cfg(unix)]
        {
            // The file has the permissions of any new file, less the umask. tempfile's default is for the owner alone.
            let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
            builder.permissions(readable);
        }
        let file = builder.tempfile_in(folder_of(target)).map_err(without_path)?;
        Ok(Self { file, target: target.to_path_buf() })
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// The path that the file takes at its end.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file its name, in place of the one that had it, whose permissions it keeps.
    pub fn finish(self) -> io::Result<()> {
        if let Ok(earlier) = fs::symlink_metadata(&self.target)
            && earlier.is_file()
        {
            // A file system without permissions fails here, and loses nothing.
            let _ = self.file.as_file().set_permissions(earlier.permissions());
        }
        self.file.persist(&self.target).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Begins a folder beside `target`, to be renamed when everything is in it. Dropping it removes it.
pub fn begin_folder(target: &Path) -> io::Result<TempDir> {
    let name = unfinished_name(target);
    let mut builder = Builder::new();
    builder.prefix(&name).suffix("#0");
    #[cfg(unix)]
    {
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        builder.permissions(readable);
    }
    builder.tempdir_in(folder_of(target)).map_err(without_path)
}

/// The folders that were made for new files. Dropping it removes those that are empty.
#[derive(Debug, Default)]
pub struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    /// Makes a folder and its parents, as far as they don't exist.
    pub fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<_> =
            folder.ancestors().take_while(|at| !at.as_os_str().is_empty() && !at.exists()).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => self.0.push(folder.to_path_buf()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        // The system refuses to remove a folder with files in it.
        self.0.drain(..).rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

/// Writes a whole file, in place of the one at `path` if there is one. A link stays a link, and a pipe or a device is written
/// to directly.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, bytes);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let unfinished = Unfinished::create(&target)?;
    unfinished.file().write_all(bytes)?;
    unfinished.finish()
}

pub(crate) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The beginning of an unfinished file's name.
fn unfinished_name(target: &Path) -> String {
    format!("{}{}-", unfinished_prefix(target), std::process::id())
}

/// The same in any process. A `#` of the target's own would hide the one that object stores look for.
pub(crate) fn unfinished_prefix(target: &Path) -> String {
    let mut name = target.file_name().unwrap_or_default().to_string_lossy().replace('#', "_");
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
    format!("{name}.unfinished-")
}

/// The system's own error, without the path of the temporary file. Callers name the file that they want.
fn without_path(error: io::Error) -> io::Error {
    match error.get_ref().and_then(Error::source) {
        Some(source) => io::Error::new(error.kind(), source.to_string()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn file_takes_its_name_when_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a#b.csv");
        fs::write(&path, "old").expect("a file");
        let unfinished = Unfinished::create(&path).expect("a file beside it");
        unfinished.file().write_all(b"new").expect("it is written");
        assert_eq!(fs::read_to_string(&path).expect("text"), "old");
        let begun = names(folder.path()).pop().expect("two names");
        let expected = format!("a_b.csv.unfinished-{}-", std::process::id());
        assert!(begun.starts_with(&expected) && begun.ends_with("#0"), "{begun}");
        unfinished.finish().expect("it is renamed");
        assert_eq!(fs::read_to_string(&path).expect("text"), "new");
        assert_eq!(names(folder.path()), ["a#b.csv"]);
    }

    #[test]
    fn dropped_files_and_folders_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.html");
        drop(Unfinished::create(&path).expect("a file"));
        drop(begin_folder(&path).expect("a folder"));
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn new_folders_stay_if_they_have_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        fs::create_dir(at("there")).expect("a folder");
        let mut made = NewFolders::default();
        for path in ["there", "a/b/c", "a/b/d"] {
            made.make(&at(path)).expect("a folder");
        }
        fs::write(at("a/b/c/file"), "").expect("a file");
        drop(made);
        assert!(at("there").exists() && at("a/b/c/file").exists() && !at("a/b/d").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().expect("a folder");
        let [page, link, fresh] =
            ["page.html", "link.html", "fresh.html"].map(|name| folder.path().join(name));
        fs::write(&page, "old").expect("a file");
        fs::set_permissions(&page, fs::Permissions::from_mode(0o640)).expect("its owner");
        symlink(&page, &link).expect("a link");
        write_file(&link, b"new").expect("it is written");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(fs::read_to_string(&page).expect("text"), "new");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(&page), 0o640);
        // A new file has the permissions that the umask leaves to any file.
        write_file(&fresh, b"new").expect("it is written");
        let plain = folder.path().join("plain");
        fs::write(&plain, "").expect("a file");
        assert_eq!(mode(&fresh), mode(&plain));
        write_file(Path::new("/dev/null"), b"gone").expect("no file");
        assert!(!fs::metadata("/dev/null").expect("a device").is_file());
    }

    #[test]
    fn long_names_are_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ü".repeat(127));
        write_file(&path, b"new").expect("it is written");
        assert_eq!(names(folder.path()), ["ü".repeat(127)]);
    }
}
