//! [`EngineHost`]: the threads, the memory and the temporary files that a reading has from the engine.

use std::fs::{File, OpenOptions};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::human_readable_size;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::spill_file::SpillFile;
use dbcluster_logs::{Error, Host, Result};

use super::tables::ReadListener;

/// The resources of a reading: as many threads as the engine has partitions, the memory of its pool, the space of its temporary files.
pub(super) struct EngineHost {
    pub(super) threads: usize,
    /// The bytes of text that may wait in memory, whatever the pool grants.
    pub(super) most_bytes: usize,
    pub(super) reservation: MemoryReservation,
    pub(super) disk: Arc<DiskManager>,
    pub(super) listener: Option<Arc<dyn ReadListener>>,
    /// Set when nobody waits for the reading any more.
    pub(super) is_abandoned: Arc<AtomicBool>,
    /// Frees memory that readings hold which no query uses.
    pub(super) free_unused: Box<dyn Fn() -> bool + Send + Sync>,
    pub(super) temporary: Temporary,
}

/// The temporary files of a reading, which live as long as it does.
#[derive(Default)]
pub(super) struct Temporary {
    files: Mutex<Vec<Arc<dyn SpillFile>>>,
    bytes: AtomicU64,
}

impl Host for EngineHost {
    fn threads(&self) -> usize {
        self.threads
    }

    fn try_grow(&self, bytes: usize) -> bool {
        let grow = || self.reservation.try_grow(bytes).is_ok();
        self.reservation.size().saturating_add(bytes) <= self.most_bytes
            && (grow() || (self.free_unused)() && grow())
    }

    fn shrink(&self, bytes: usize) {
        self.reservation.shrink(bytes.min(self.reservation.size()));
    }

    fn temporary_file(&self) -> Result<File> {
        let failed = |error: &dyn std::fmt::Display| Error::new(format!("no temporary file: {error}"));
        let file = self.disk.create_tmp_file("reading files").map_err(|error| failed(&error))?;
        let Some(path) = file.path() else {
            return Err(failed(&"the session keeps its temporary files elsewhere than in a folder"));
        };
        let opened = OpenOptions::new().read(true).write(true).open(path).map_err(|error| failed(&error))?;
        self.temporary.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        Ok(opened)
    }

    fn grow_temporary(&self, bytes: usize) -> Result<()> {
        let ours = self.temporary.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        let limit = self.disk.max_temp_directory_size();
        if ours.saturating_add(self.disk.used_disk_space()) > limit {
            return Err(Error::new(format!(
                "the text that is read needs more than the {} of disk space that temporary files may take \
                 (datafusion.runtime.max_temp_directory_size)",
                human_readable_size(usize::try_from(limit).unwrap_or(usize::MAX))
            )));
        }
        Ok(())
    }

    fn is_cancelled(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
            || self.listener.as_ref().is_some_and(|listener| listener.is_cancelled())
    }
}
