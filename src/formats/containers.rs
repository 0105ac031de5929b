//! The files in ZIP and tar archives: they are unpacked once into a temporary file of the session, and are files like any others then.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::spill_file::{SpillFile, SpillWriter};
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

/// The members of archives that were unpacked.
#[derive(Default)]
pub(super) struct Unpacked {
    /// By the name and the version of the archive, the last ones at the end.
    members: Mutex<VecDeque<(String, String, Members)>>,
    /// Members as files of their own. Tables know them by their paths, so they are there as long as the session.
    own: Mutex<HashMap<(String, String), LogFile>>,
}

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
            let failure = RefCell::default();
            let copy = Copying { disk: &disk, cancel: &cancel, failure: &failure };
            let members = Unpacking { archive: &archive, copy }.members(container, &runtime);
            match failure.into_inner() {
                Some(failure) => plan_err!("{}: {failure}", dbcluster_logs::shown(&archive.name)),
                None => Ok(members),
            }
        })
        .await?;
        if let Ok(members) = &members {
            let mut kept = self.members.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|(name, ..)| *name != file.name);
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((file.name.clone(), file.stamp.clone(), members.clone()));
        }
        Ok(members)
    }

    /// A member that is a file of its own, for readers that need one.
    pub(super) async fn own_file(&self, disk: &Arc<DiskManager>, file: LogFile) -> Result<LogFile> {
        let Place::Member { bytes, .. } = &file.place else { return Ok(file) };
        let key = (file.name.clone(), file.stamp.clone());
        let own = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = own().get(&key) {
            return Ok(LogFile { place: known.place.clone(), ..file });
        }
        let (slice, disk) = (bytes.clone(), Arc::clone(disk));
        let (kept, path) = blocking(move |cancel| {
            let failure = RefCell::default();
            let copy = Copying { disk: &disk, cancel: &cancel, failure: &failure };
            let mut temporary = copy.file().map_err(|error| plan_datafusion_err!("{error}"))?;
            let mut bytes = slice.open()?;
            copy.append(&mut bytes, &mut temporary).map_err(|error| plan_datafusion_err!("{error}"))?;
            temporary.writer.finish()?;
            Ok((temporary.file, temporary.path))
        })
        .await?;
        let place = Place::Unpacked { file: LocalFile::named(file.name.clone(), path), _kept: kept };
        let file = LogFile { place, ..file };
        own().insert(key, file.clone());
        Ok(file)
    }

    fn find(&self, file: &LogFile) -> Option<Members> {
        let kept = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|(name, stamp, _)| (name, stamp) == (&file.name, &file.stamp));
        known.map(|(.., members)| members.clone())
    }
}

/// A part of a temporary file.
#[derive(Clone)]
pub(super) struct Slice {
    name: String,
    path: PathBuf,
    start: u64,
    length: u64,
}

impl Source for Slice {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        Ok(Box::new(file.take(self.length)))
    }
}

/// An archive that is being unpacked. All members are in one temporary file, since a session may have no more than some files open.
struct Unpacking<'a> {
    archive: &'a LogFile,
    copy: Copying<'a>,
}

/// Copies bytes to temporary files, which count against the space that the session may take.
struct Copying<'a> {
    disk: &'a Arc<DiskManager>,
    cancel: &'a AtomicBool,
    /// The failure that keeps it from going on, unless it is the archive's own.
    failure: &'a RefCell<Option<Error>>,
}

/// A temporary file that is written.
struct Temporary {
    file: Arc<dyn SpillFile>,
    path: PathBuf,
    writer: Box<dyn SpillWriter>,
    length: u64,
}

impl Unpacking<'_> {
    fn members(&self, container: Container, runtime: &Handle) -> dbcluster_logs::Result<Members> {
        let source = self.archive.source(runtime);
        let mut files = vec![];
        let mut temporary = self.copy.file()?;
        let mut take = |name: &str, bytes: &mut dyn Read| {
            let number = files.len();
            files.push(self.member(name, number, bytes, &mut temporary)?);
            Ok(())
        };
        let passed_over = match container {
            Container::Tar => unpack_tar(source.as_ref(), &mut take)?,
            Container::Zip => {
                let (archive, _kept) = self.local(source.as_ref())?;
                unpack_zip(archive, &self.archive.name, &mut take)?
            }
        };
        temporary.writer.finish().map_err(|error| self.copy.full(&error))?;
        Ok(Members { files, passed_over })
    }

    /// The archive as a file that can be read at any place.
    fn local(&self, source: &dyn Source) -> dbcluster_logs::Result<(File, Option<Arc<dyn SpillFile>>)> {
        let failed = |error: io::Error| {
            Error::new(format!("can't open {}: {error}", dbcluster_logs::shown(&self.archive.name)))
        };
        if let Place::Local(file) = &self.archive.place {
            return Ok((File::open(file.path()).map_err(failed)?, None));
        }
        let mut temporary = self.copy.file()?;
        self.copy.append(&mut source.open().map_err(failed)?, &mut temporary)?;
        temporary.writer.finish().map_err(|error| self.copy.full(&error))?;
        Ok((File::open(&temporary.path).map_err(failed)?, Some(temporary.file)))
    }

    fn member(
        &self,
        name: &str,
        number: usize,
        bytes: &mut dyn Read,
        temporary: &mut Temporary,
    ) -> dbcluster_logs::Result<LogFile> {
        let start = temporary.length;
        self.copy.append(bytes, temporary)?;
        let full = member_name(&self.archive.name, name);
        let mut folders = self.archive.folders.clone();
        let below = partitions::of_path(name)
            .into_iter()
            .filter(|(name, _)| folders.iter().all(|(known, _)| known != name));
        folders.extend(below.collect::<Vec<_>>());
        let slice = Slice {
            name: full.clone(),
            path: temporary.path.clone(),
            start,
            length: temporary.length - start,
        };
        Ok(LogFile {
            place: Place::Member { bytes: slice, _kept: Arc::clone(&temporary.file) },
            name: full,
            stamp: format!("{} member {number}", self.archive.stamp),
            folders,
        })
    }
}

impl Copying<'_> {
    fn file(&self) -> dbcluster_logs::Result<Temporary> {
        let file = self.disk.create_tmp_file("unpacking archives").map_err(|error| self.full(&error))?;
        let path = file.path().map(Path::to_path_buf);
        let path = path
            .ok_or_else(|| self.full(&"the session keeps its temporary files elsewhere than in a folder"))?;
        let writer = file.open_writer().map_err(|error| self.full(&error))?;
        Ok(Temporary { file, path, writer, length: 0 })
    }

    /// Writes bytes behind those that are there.
    fn append(&self, bytes: &mut dyn Read, to: &mut Temporary) -> dbcluster_logs::Result<()> {
        if self.failure.borrow().is_some() {
            return Err(Error::new("it was not unpacked"));
        }
        let mut block = vec![0; BLOCK];
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(self.full(&"reading files was stopped"));
            }
            let read = match bytes.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::new(format!("it can't be unpacked: {error}"))),
            };
            to.writer.write_all(block.get(..read).unwrap_or_default()).map_err(|error| self.full(&error))?;
            to.length += read as u64;
        }
    }

    /// Keeps a failure that is none of the archive.
    fn full(&self, error: &dyn Display) -> Error {
        let error = Error::new(format!("it can't be unpacked: {error}"));
        self.failure.borrow_mut().get_or_insert(error.clone());
        error
    }
}
