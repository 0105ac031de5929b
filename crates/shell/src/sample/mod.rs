//! `dbcluster sample`: synthetic events of a Windows network, with the truth about the planted ones.
//!
//! | file | events |
//! |---|---|
//! | `processes.parquet` | process creations (4688) of all hosts over a week |
//! | `logons.parquet` | logons (4624), a tenth as many |
//! | `process_tree.parquet` | one session, as a tree |
//!
//! Ordinary events come from templates whose frequencies follow Zipf's law, so that a few kinds make up most of a log.
//! Planted ones are marked in `is_anomaly` and named in `anomaly_kind`. The number of rows, the seed and the number of files
//! decide every byte: a row group has its own stream of random numbers, whichever thread makes it.

mod anomalies;
mod files;
mod logons;
mod process_tree;
mod processes;
mod templates;
mod world;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::parquet::errors::ParquetError;
use indicatif::HumanCount;
use tempfile::TempDir;

pub(super) use self::files::Workers;
use self::files::{parts, write};
use self::logons::Logons;
use self::processes::Processes;
use self::world::World;
use super::args::SampleArgs;
use super::failure::Failure;
use super::output;
use super::signals::Signals;
use dbcluster_files::{NewFolders, Unfinished, begin_folder};

/// The end of a part's name until all parts are written. No table contains a file of such a name.
const UNFINISHED: &str = "#0";

/// The files that were generated.
#[derive(Debug)]
pub(super) struct Sample {
    files: Vec<Written>,
    /// The number of logons.
    pub(super) logons: u64,
    /// The number of planted processes and logons.
    pub(super) planted: usize,
}

/// A written file and its size.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    rows: u64,
    bytes: u64,
}

/// Runs the subcommand: generates the events, and tells the files.
pub(super) fn run(args: &SampleArgs, threads: usize, signals: &Signals) -> Result<(), Failure> {
    let sample = generate(args, Workers { threads, stopped: &|| signals.first().is_some() })?;
    let width = sample.files.iter().map(|file| file.path.display().to_string().len()).max().unwrap_or(0);
    for file in &sample.files {
        output::say(format!(
            "{:width$}  {:>13} rows  {:>15} bytes\n",
            file.path.display().to_string(),
            HumanCount(file.rows).to_string(),
            HumanCount(file.bytes).to_string()
        ))?;
    }
    output::say(format!(
        "{} rows are planted: is_anomaly marks them, anomaly_kind names them.\n",
        HumanCount(sample.planted as u64)
    ))
}

/// Writes the three tables to a folder. They take their places when all of them are whole.
pub(super) fn generate(args: &SampleArgs, workers: Workers<'_>) -> Result<Sample, Failure> {
    let in_folder = |name: &str| args.out.join(name);
    let tables = ["processes.parquet", "logons.parquet", "process_tree.parquet"].map(in_folder);
    let [processes_path, logons_path, tree_path] = &tables;
    let mut folders = NewFolders::default();
    folders.make(&args.out).map_err(|error| failed(&args.out, &error.into()))?;
    for path in &tables {
        check_room(path, args.force)?;
    }
    let (seed, rows) = (args.seed, args.rows);
    let world = World::new(seed, rows);
    let mut written = Vec::new();

    let processes = Processes::new(&world, seed, rows);
    let splits = args.files.get() as u64;
    let processes_table = Table::begin(processes_path, splits > 1)?;
    let mut part = 0;
    for number in 0..splits {
        let at = |number: u64| (u128::from(rows) * u128::from(number) / u128::from(splits)) as u64;
        let range = at(number)..at(number + 1);
        let parts = parts(&range);
        let schema = processes::schema();
        let make = |part, rows| processes.batch(part, rows);
        written.push(processes_table.write(number, &schema, range, part, workers, &make)?);
        part += parts;
    }

    let logon_rows = (rows / 10).max(50);
    let logons = Logons::new(&world, seed, logon_rows);
    let make = |part, rows| logons.batch(part, rows);
    let logons_table = Table::begin(logons_path, false)?;
    written.push(logons_table.write(0, &logons::schema(), 0..logon_rows, 0, workers, &make)?);

    let tree_rows = rows.min(process_tree::MOST_ROWS);
    let make = |_, _| process_tree::batch(&world, seed, tree_rows);
    let tree = Table::begin(tree_path, false)?;
    written.push(tree.write(0, &processes::schema(), 0..tree_rows, 0, workers, &make)?);

    for table in [processes_table, logons_table, tree] {
        let path = table.path.clone();
        table.take_place().map_err(|error| failed(&path, &error.into()))?;
    }
    Ok(Sample { files: written, logons: logon_rows, planted: processes.planted() + logons.planted() })
}

/// A table that is being written, beside its place.
struct Table {
    path: PathBuf,
    content: Content,
}

/// One file, or a folder of parts under the same name: a query reads either.
enum Content {
    File(Unfinished),
    Folder(TempDir),
}

impl Table {
    fn begin(path: &Path, is_folder: bool) -> Result<Self, Failure> {
        let content = if is_folder {
            begin_folder(path).map(Content::Folder)
        } else {
            Unfinished::create(path).map(Content::File)
        };
        let content = content.map_err(|error| failed(path, &error.into()))?;
        Ok(Self { path: path.to_path_buf(), content })
    }

    /// Writes the file of this number.
    fn write(
        &self,
        number: u64,
        schema: &SchemaRef,
        rows: Range<u64>,
        first_part: u64,
        workers: Workers<'_>,
        make: &(impl Fn(u64, Range<u64>) -> Result<RecordBatch, ArrowError> + Sync),
    ) -> Result<Written, Failure> {
        let count = rows.end - rows.start;
        let (path, bytes) = match &self.content {
            Content::File(file) => {
                (self.path.clone(), write(file.file(), schema, rows, first_part, workers, make))
            }
            Content::Folder(folder) => {
                let name = format!("part-{number:05}.parquet");
                let unfinished = folder.path().join(format!("{name}{UNFINISHED}"));
                let file = File::create_new(unfinished).map_err(ParquetError::from);
                let written = file.and_then(|file| write(&file, schema, rows, first_part, workers, make));
                (self.path.join(name), written)
            }
        };
        let bytes = bytes.map_err(|error| failed(&path, &error))?;
        Ok(Written { path, rows: count, bytes })
    }

    /// Takes the place of the earlier table, if there is one.
    fn take_place(self) -> io::Result<()> {
        let Self { path, content } = self;
        // A file replaces a file at once. A folder has to be moved aside first, and is moved back if that fails.
        let aside = match (&content, fs::symlink_metadata(&path)) {
            (_, Err(_)) => None,
            (Content::File(_), Ok(earlier)) if !earlier.is_dir() => None,
            _ => Some(begin_folder(&path)?),
        };
        let earlier = aside.as_ref().map(|aside| aside.path().join("earlier"));
        if let Some(earlier) = &earlier {
            fs::rename(&path, earlier)?;
        }
        let placed = match content {
            Content::File(file) => file.finish(),
            Content::Folder(folder) => named(folder.path()).and_then(|()| fs::rename(folder.path(), &path)),
        };
        if placed.is_err()
            && let Some(earlier) = &earlier
        {
            fs::rename(earlier, &path)?;
        }
        placed
    }
}

/// Gives the parts in a folder their names.
fn named(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let unfinished = entry?.file_name();
        if let Some(name) = unfinished.to_str().and_then(|name| name.strip_suffix(UNFINISHED)) {
            fs::rename(folder.join(&unfinished), folder.join(name))?;
        }
    }
    Ok(())
}

/// Refuses to overwrite anything; with `force`, anything but what this program writes under the name.
fn check_room(path: &Path, force: bool) -> Result<(), Failure> {
    let io_failed = |error: io::Error| failed(path, &error.into());
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    if !force {
        return Err(Failure::new(format!("{} is there already; --force overwrites it", path.display())));
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(io_failed)? {
        let name = entry.map_err(io_failed)?.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with("part-") && name.ends_with(".parquet")) {
            return Err(Failure::new(format!(
                "{} has {name} in it, which dbcluster sample did not write; --out names another folder",
                path.display()
            )));
        }
    }
    Ok(())
}

fn failed(path: &Path, error: &ParquetError) -> Failure {
    let text = match error {
        ParquetError::External(inner) => match inner.downcast_ref::<io::Error>() {
            Some(error) => error.to_string(),
            None => inner.to_string(),
        },
        error => error.to_string(),
    };
    Failure::new(text).at(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn args(out: &Path, files: usize, force: bool) -> SampleArgs {
        SampleArgs {
            rows: 300_000,
            seed: 7,
            out: out.to_path_buf(),
            files: NonZeroUsize::new(files).expect("not 0"),
            force,
        }
    }

    fn on(threads: usize) -> Workers<'static> {
        Workers { threads, stopped: &|| false }
    }

    /// All bytes of a folder, by name.
    fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                all.extend(contents(&path).into_iter().map(|(name, bytes)| (path.join(name), bytes)));
            } else {
                let name = path.file_name().map(PathBuf::from).unwrap_or_default();
                all.push((name, fs::read(&path).expect("a file")));
            }
        }
        all.sort();
        all
    }

    #[test]
    fn bytes_do_not_depend_on_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, three) = (folder.path().join("one"), folder.path().join("three"));
        generate(&args(&one, 1, false), on(1)).expect("a sample");
        generate(&args(&three, 1, false), on(3)).expect("a sample");
        assert!(contents(&one) == contents(&three));
    }

    #[test]
    fn nothing_is_overwritten_unless_forced() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("sample");
        let first = generate(&args(&out, 3, false), on(2)).expect("a sample");
        assert_eq!(first.files.len(), 5);
        assert_eq!(first.files[..3].iter().map(|file| file.rows).sum::<u64>(), 300_000);
        assert!(
            matches!(generate(&args(&out, 1, false), on(2)), Err(Failure::Message(text)) if text.contains("--force"))
        );
        let second = generate(&args(&out, 1, true), on(2)).expect("room is made");
        assert_eq!(second.files.len(), 3);
        generate(&args(&out, 2, true), on(2)).expect("a folder in place of a file");
        let whole = contents(&out);
        assert_eq!(whole.len(), 4);
        // A run that is stopped leaves the earlier sample, and nothing of its own.
        let asked = AtomicUsize::new(0);
        let stopped = || asked.fetch_add(1, Ordering::Relaxed) == 2;
        let stopped = Workers { threads: 1, stopped: &stopped };
        assert!(generate(&args(&out, 1, true), stopped).is_err());
        assert_eq!(asked.into_inner(), 3);
        assert!(contents(&out) == whole);
        let nowhere = out.join("a/b");
        assert!(generate(&args(&nowhere, 1, true), Workers { threads: 1, stopped: &|| true }).is_err());
        assert!(contents(&out) == whole && !nowhere.exists() && !out.join("a").exists());
        // A folder with other programs' files is left alone.
        fs::write(out.join("processes.parquet/mine.txt"), "").expect("a file");
        assert!(
            matches!(generate(&args(&out, 1, true), on(1)), Err(Failure::Message(text)) if text.contains("mine.txt"))
        );
    }
}
