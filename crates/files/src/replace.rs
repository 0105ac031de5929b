//! Folders that take the place of others in one step, and only one writer at a time.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::unfinished::{folder_of, unfinished_prefix};

/// Puts a folder in the place of `target`, which may be there or not. Whoever reads `target` sees all of the earlier folder or all of the
/// new one. The earlier one is removed.
///
/// Where the system can't exchange two names, `target` is missing for a moment.
///
/// # Errors
/// The system can't rename the folder; `target` is as it was.
pub fn replace_folder(new: TempDir, target: &Path) -> io::Result<()> {
    if !target.exists() {
        fs::rename(new.path(), target)?;
        // Its name is gone, so there is nothing to remove.
        let _ = new.keep();
        return Ok(());
    }
    exchange(new.path(), target)?;
    // The new folder is in its place. The rest of an earlier one that can't be removed is left to the next writer.
    drop(new);
    Ok(())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

    match renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE) {
        Ok(()) => Ok(()),
        // The file system can't.
        Err(nix::Error::EINVAL | nix::Error::ENOSYS) => exchange_in_steps(one, other),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    exchange_in_steps(one, other)
}

fn exchange_in_steps(one: &Path, other: &Path) -> io::Result<()> {
    let between = tempfile::Builder::new()
        .prefix(&unfinished_prefix(other))
        .suffix("#0")
        .tempdir_in(folder_of(other))?;
    let aside = between.path().join("earlier");
    fs::rename(other, &aside)?;
    if let Err(error) = fs::rename(one, other) {
        fs::rename(&aside, other)?;
        return Err(error);
    }
    fs::rename(&aside, one)
}

/// Keeps other processes from writing beside `target` until the lock is dropped; none if one of them is at work. A file system without
/// locks keeps nobody from it.
///
/// # Errors
/// The folder around `target` can't be opened.
pub fn lock_beside(target: &Path) -> io::Result<Option<File>> {
    let folder = File::open(folder_of(target))?;
    Ok(match folder.try_lock() {
        Err(fs::TryLockError::WouldBlock) => None,
        Ok(()) | Err(fs::TryLockError::Error(_)) => Some(folder),
    })
}

/// Removes the folders that killed writers of `target` have left. The caller holds the lock.
pub fn remove_unfinished(target: &Path) {
    let prefix = unfinished_prefix(target);
    let Ok(entries) = fs::read_dir(folder_of(target)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_left = name.starts_with(&prefix) && name.ends_with("#0");
        if is_left && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // A folder that can't be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::begin_folder;

    #[test]
    fn a_folder_takes_the_place_of_another() {
        let around = tempfile::tempdir().expect("a folder");
        let target = around.path().join("archive");
        for text in ["one", "two"] {
            let new = begin_folder(&target).expect("a folder");
            fs::write(new.path().join(text), text).expect("a file");
            replace_folder(new, &target).expect("it is replaced");
            let names: Vec<_> = fs::read_dir(&target)
                .expect("a folder")
                .map(|entry| entry.expect("an entry").file_name())
                .collect();
            assert_eq!(names, [text]);
            assert_eq!(fs::read_dir(around.path()).expect("a folder").count(), 1);
        }
        let (one, other) = (around.path().join("one"), &target);
        fs::create_dir(&one).expect("a folder");
        exchange_in_steps(&one, other).expect("they are exchanged");
        assert!(one.join("two").exists() && !other.join("two").exists());
    }

    #[test]
    fn left_folders_are_removed_and_others_stay() {
        let around = tempfile::tempdir().expect("a folder");
        let target = around.path().join("archive");
        let left = begin_folder(&target).expect("a folder").keep();
        let other = begin_folder(&around.path().join("other")).expect("a folder");
        remove_unfinished(&target);
        assert!(!left.exists() && other.path().exists());
    }

    #[test]
    fn one_writer_at_a_time() {
        let around = tempfile::tempdir().expect("a folder");
        let target = around.path().join("archive");
        let lock = lock_beside(&target).expect("a folder").expect("a lock");
        assert!(lock_beside(&target).expect("a folder").is_none());
        drop(lock);
        assert!(lock_beside(&target).expect("a folder").is_some());
    }
}
