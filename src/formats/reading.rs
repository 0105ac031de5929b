//! A reading of text files, and what a session keeps of its readings.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result, exec_datafusion_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool};
use dbcluster_logs::{BinaryFormat, ReadOptions, Report, Source, scan, shown};
use tokio::runtime::Handle;

use super::blocking::blocking;
use super::files::{LogFile, Place, is_same};
use super::host::{EngineHost, Temporary};
use super::kept::{ReadTable, RowKeeper};
use super::listing;
use super::partitions::{FolderColumns, FolderValues};
use super::tables::ReadListener;

/// The bytes of text, and of rows, that a reading keeps in memory if the pool has no limit.
const MOST_BYTES: usize = 1 << 30;

/// The share of a pool with a limit that the rows of a reading may take. What queries do with them needs the rest.
const SHARE: usize = 4;

/// The number of readings that a session keeps while no query uses them.
const UNUSED: usize = 16;

/// Reads text files on a blocking thread and those that it starts. It stops soon after nobody waits for it.
pub(super) async fn read(
    state: &SessionState,
    name: &str,
    files: &[LogFile],
    options: &ReadOptions,
    readings: &Arc<Readings>,
    listener: Option<Arc<dyn ReadListener>>,
) -> Result<(Arc<ReadTable>, Report)> {
    let runtime_env = state.runtime_env();
    let pool = &runtime_env.memory_pool;
    let text = MemoryConsumer::new(format!("read {}", shown(name))).register(pool);
    let rows = text.new_empty();
    let disk = Arc::clone(&runtime_env.disk_manager);
    let threads = state.config().target_partitions().max(1);
    let most_bytes = most_bytes(pool.as_ref());
    let parquet = listing::format(state, BinaryFormat::Parquet)?;
    let folders: Vec<(String, FolderValues)> =
        files.iter().map(|file| (file.name.clone(), file.folders.clone())).collect();
    let has_folders = folders.iter().any(|(_, values)| !values.is_empty());
    let handle = Handle::current();
    let sources: Vec<Box<dyn Source>> = files.iter().map(|file| file.source(&handle)).collect();
    let options = options.clone();
    let readings = Arc::clone(readings);
    let work = move |is_abandoned| -> Result<(Arc<ReadTable>, Report)> {
        let free_unused = || {
            let readings = Arc::clone(&readings);
            Box::new(move || readings.free_unused())
        };
        let host = Arc::new(EngineHost {
            threads,
            most_bytes: most_bytes.saturating_mul(2),
            reservation: text,
            disk: Arc::clone(&disk),
            listener,
            is_abandoned,
            free_unused: free_unused(),
            temporary: Temporary::default(),
        });
        let with_files = ReadOptions { file_column: options.file_column || has_folders, ..options.clone() };
        let scanned = scan(&sources, &with_files, host).map_err(|error| of_reader(&error))?;
        let schema = scanned.schema();
        let columns = has_folders.then(|| FolderColumns::new(&schema, &folders, options.file_column));
        let schema = columns.as_ref().map_or(schema, FolderColumns::schema);
        let mut keeper = RowKeeper::new(schema, rows, most_bytes, free_unused(), disk);
        let mut failed = None;
        let report = scanned.batches(&mut |batch| {
            let batch = columns.as_ref().map_or_else(|| Ok(batch.clone()), |columns| columns.add(&batch));
            batch.and_then(|batch| keeper.push(batch)).map_err(|error| {
                let text = dbcluster_logs::Error::new(error.strip_backtrace());
                failed = Some(error);
                text
            })
        });
        // An error of the engine is told as it is.
        let report = report.map_err(|error| failed.take().unwrap_or_else(|| of_reader(&error)))?;
        let table = keeper.table(parquet)?;
        Ok((Arc::new(table), report))
    };
    blocking(work).await
}

fn of_reader(error: &dbcluster_logs::Error) -> DataFusionError {
    exec_datafusion_err!("{error}")
}

/// The bytes of rows that a reading may keep in memory.
fn most_bytes(pool: &dyn MemoryPool) -> usize {
    match pool.memory_limit() {
        MemoryLimit::Finite(limit) => limit / SHARE,
        MemoryLimit::Infinite | MemoryLimit::Unknown => MOST_BYTES,
    }
}

/// The readings of a session, the last used one at the end.
#[derive(Default)]
pub(super) struct Readings(Mutex<Vec<Reading>>);

struct Reading {
    name: String,
    /// The files in the versions that were read.
    files: Vec<LogFile>,
    options: ReadOptions,
    table: Arc<ReadTable>,
}

impl Reading {
    fn holds_pipe(&self, file: &LogFile) -> bool {
        let is_pipe = |file: &LogFile| matches!(file.place, Place::Pipe(_));
        is_pipe(file) && self.files.iter().any(|known| is_pipe(known) && known.name == file.name)
    }

    /// Whether no query reads it. A pipe can't be read again, so its rows stay.
    fn is_unused(&self) -> bool {
        !self.files.iter().any(|file| matches!(file.place, Place::Pipe(_)))
            && Arc::strong_count(&self.table) == 1
            && !self.table.is_scanned()
    }
}

impl Readings {
    fn lock(&self) -> MutexGuard<'_, Vec<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of these files in these versions, if they were read with the same options.
    ///
    /// # Errors
    /// One of them is a pipe that was read with other options.
    pub(super) fn find(&self, files: &[LogFile], options: &ReadOptions) -> Result<Option<Arc<ReadTable>>> {
        let mut readings = self.lock();
        let has_options = |reading: &Reading| reading.options == *options;
        let of_files = |reading: &Reading| is_same(&reading.files, files);
        if let Some(found) = readings.iter().position(|reading| of_files(reading) && has_options(reading)) {
            let reading = readings.remove(found);
            let table = Arc::clone(&reading.table);
            readings.push(reading);
            return Ok(Some(table));
        }
        match files.iter().find(|file| readings.iter().any(|reading| reading.holds_pipe(file))) {
            Some(pipe) => plan_err!(
                "{} can be read once, and that was done with other options or other files beside it; CREATE TABLE t AS SELECT * \
                 FROM ... in the first statement that reads it keeps its rows",
                shown(&pipe.name)
            ),
            None => Ok(None),
        }
    }

    /// Whether one of the files is a pipe that was read.
    pub(super) fn has_pipe(&self, files: &[LogFile]) -> bool {
        let readings = self.lock();
        files.iter().any(|file| readings.iter().any(|reading| reading.holds_pipe(file)))
    }

    /// Keeps a reading, in the place of one of the same name whose files have changed.
    pub(super) fn keep(&self, name: &str, files: &[LogFile], options: &ReadOptions, table: &Arc<ReadTable>) {
        let reading = Reading {
            name: name.to_string(),
            files: files.to_vec(),
            options: options.clone(),
            table: Arc::clone(table),
        };
        let mut readings = self.lock();
        readings.retain(|known| known.name != reading.name || known.options != reading.options);
        readings.push(reading);
        let mut unused = readings.iter().filter(|reading| reading.is_unused()).count();
        let is_dropped = |reading: &Reading| {
            let is_dropped = unused > UNUSED && reading.is_unused();
            unused -= usize::from(is_dropped);
            is_dropped
        };
        drop_those(readings, is_dropped);
    }

    /// Drops the readings in memory that no query uses. Returns whether there was one.
    pub(super) fn free_unused(&self) -> bool {
        drop_those(self.lock(), |reading| reading.table.is_in_memory() && reading.is_unused())
    }
}

/// Drops readings, and gives their memory back after the others can be used again.
fn drop_those(mut readings: MutexGuard<'_, Vec<Reading>>, is_dropped: impl FnMut(&Reading) -> bool) -> bool {
    let mut is_dropped = is_dropped;
    let (dropped, kept): (Vec<Reading>, Vec<Reading>) =
        std::mem::take(&mut *readings).into_iter().partition(|reading| is_dropped(reading));
    *readings = kept;
    drop(readings);
    !dropped.is_empty()
}
