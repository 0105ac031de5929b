//! The files in ZIP and tar archives: each is unpacked once into a temporary file of the session, and is a file like any other then.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{Result, plan_err};
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::spill_file::SpillFile;
use dbcluster_logs::{Container, Error, LocalFile, PassedOver, Source, member_name, unpack_tar, unpack_zip};
use tokio::runtime::Handle;

use super::blocking::blocking;
use super::files::{LogFile, Place};
use super::partitions;

/// The archives whose members are kept.
const KEPT: usize = 64;

/// The bytes that are copied at once.
const BLOCK: usize = 256 << 10;

/// The members of an archive.
#[derive(Clone)]
pub(super) struct Members {
    pub(super) files: Vec<LogFile>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// The members of archives that were unpacked, the last ones at the end.
#[derive(Default)]
pub(super) struct Unpacked(Mutex<VecDeque<(String, String, Members)>>);

impl Unpacked {
    /// The members of an archive, unpacked unless they are there in this version; or what is wrong with the archive.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) async fn members(
        &self,
        disk: &Arc<DiskManager>,
        file: &LogFile,
        container: Container,
    ) -> Result<std::result::Result<Members, Error>> {
        if let Some(known) = self.find(file) {
            return Ok(Ok(known));
        }
        let (archive, disk, runtime) = (file.clone(), Arc::clone(disk), Handle::current());
        let members = blocking(move |cancel| {
            let work =
                Unpacking { archive: &archive, disk: &disk, cancel: &cancel, failure: RefCell::default() };
            let members = work.members(container, &runtime);
            match work.failure.into_inner() {
                Some(failure) => plan_err!("{}: {failure}", dbcluster_logs::shown(&archive.name)),
                None => Ok(members),
            }
        })
        .await?;
        if let Ok(members) = &members {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|(name, ..)| *name != file.name);
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((file.name.clone(), file.stamp.clone(), members.clone()));
        }
        Ok(members)
    }

    fn find(&self, file: &LogFile) -> Option<Members> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|(name, stamp, _)| (name, stamp) == (&file.name, &file.stamp));
        known.map(|(.., members)| members.clone())
    }
}

/// An archive that is being unpacked.
struct Unpacking<'a> {
    archive: &'a LogFile,
    disk: &'a Arc<DiskManager>,
    cancel: &'a AtomicBool,
    /// What keeps it from going on, other than the archive.
    failure: RefCell<Option<Error>>,
}

impl Unpacking<'_> {
    fn members(&self, container: Container, runtime: &Handle) -> dbcluster_logs::Result<Members> {
        let source = self.archive.source(runtime);
        let mut files = vec![];
        let mut take = |name: &str, bytes: &mut dyn Read| {
            let number = files.len();
            files.push(self.member(name, number, bytes)?);
            Ok(())
        };
        let passed_over = match container {
            Container::Tar => unpack_tar(source.as_ref(), &mut take)?,
            Container::Zip => {
                let (archive, _kept) = self.local(source.as_ref())?;
                unpack_zip(archive, &self.archive.name, &mut take)?
            }
        };
        Ok(Members { files, passed_over })
    }

    /// The archive as a file that can be read at any place.
    fn local(&self, source: &dyn Source) -> dbcluster_logs::Result<(File, Option<Arc<dyn SpillFile>>)> {
        let failed = |error: io::Error| {
            Error::new(format!("can't open {}: {error}", dbcluster_logs::shown(&self.archive.name)))
        };
        if let Place::Local(file) | Place::Member { file, .. } = &self.archive.place {
            return Ok((File::open(file.path()).map_err(failed)?, None));
        }
        let (copy, path) = self.copied(&mut source.open().map_err(failed)?)?;
        Ok((File::open(path).map_err(failed)?, Some(copy)))
    }

    fn member(&self, name: &str, number: usize, bytes: &mut dyn Read) -> dbcluster_logs::Result<LogFile> {
        let (kept, path) = self.copied(bytes)?;
        let full = member_name(&self.archive.name, name);
        let mut folders = self.archive.folders.clone();
        let below = partitions::of_path(name)
            .into_iter()
            .filter(|(name, _)| folders.iter().all(|(known, _)| known != name));
        folders.extend(below.collect::<Vec<_>>());
        Ok(LogFile {
            place: Place::Member { file: LocalFile::named(full.clone(), path), _kept: kept },
            name: full,
            stamp: format!("{} member {number}", self.archive.stamp),
            folders,
        })
    }

    /// A temporary file with these bytes. It counts against the space that the session may take.
    fn copied(&self, bytes: &mut dyn Read) -> dbcluster_logs::Result<(Arc<dyn SpillFile>, PathBuf)> {
        if self.failure.borrow().is_some() {
            return Err(Error::new("it was not unpacked"));
        }
        let full = |error: &dyn Display| {
            let error = Error::new(format!("it can't be unpacked: {error}"));
            self.failure.borrow_mut().get_or_insert(error.clone());
            error
        };
        let file = self.disk.create_tmp_file("unpacking archives").map_err(|error| full(&error))?;
        let path = file.path().map(Path::to_path_buf);
        let path =
            path.ok_or_else(|| full(&"the session keeps its temporary files elsewhere than in a folder"))?;
        let mut writer = file.open_writer().map_err(|error| full(&error))?;
        let mut block = vec![0; BLOCK];
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(full(&"reading files was stopped"));
            }
            let read = match bytes.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::new(format!("it can't be unpacked: {error}"))),
            };
            writer.write_all(block.get(..read).unwrap_or_default()).map_err(|error| full(&error))?;
        }
        writer.finish().map_err(|error| full(&error))?;
        Ok((file, path))
    }
}
