//! `dbcluster sample`: synthetic events of a Windows network, with the truth about the planted ones.
//!
//! | file | events |
//! |---|---|
//! | `processes.parquet` | process creations (4688) of all hosts over a week |
//! | `logons.parquet` | logons (4624), a tenth as many |
//! | `process_tree.parquet` | one session, as a tree |
//!
//! Ordinary events come from templates whose frequencies follow Zipf's law, so that a few kinds make up most of a log.
//! Planted ones are marked in `is_anomaly` and named in `anomaly_kind`. Everything follows from the rows, the seed and
//! the number of files: a row group has its own stream of random numbers, whichever thread makes it.

mod anomalies;
mod files;
mod logons;
mod process_tree;
mod processes;
mod templates;
mod world;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use datafusion::parquet::errors::ParquetError;

use self::files::{Written, parts, write};
use self::logons::Logons;
use self::processes::Processes;
use self::world::World;
use super::args::SampleArgs;
use super::failure::Failure;
use super::output;

/// What was generated, and where.
#[derive(Debug)]
pub(super) struct Sample {
    files: Vec<Written>,
    /// How many logons there are.
    pub(super) logons: u64,
    /// Planted processes and logons.
    pub(super) planted: usize,
}

/// Runs the subcommand: generates, and says what it wrote.
pub(super) fn run(args: &SampleArgs, threads: usize) -> Result<(), Failure> {
    let sample = generate(args, threads)?;
    let width = sample.files.iter().map(|file| file.path.display().to_string().len()).max().unwrap_or(0);
    for file in &sample.files {
        output::write(format!(
            "{:width$}  {:>13} rows  {:>15} bytes\n",
            file.path.display().to_string(),
            thousands(file.rows),
            thousands(file.bytes)
        ))?;
    }
    output::write(format!(
        "{} rows are planted: is_anomaly marks them, anomaly_kind names them.\n",
        thousands(sample.planted as u64)
    ))
}

/// Writes the three tables to a folder.
pub(super) fn generate(args: &SampleArgs, threads: usize) -> Result<Sample, Failure> {
    let in_folder = |name: &str| args.out.join(name);
    let tables = ["processes.parquet", "logons.parquet", "process_tree.parquet"].map(in_folder);
    let [processes_path, logons_path, tree_path] = &tables;
    make_folder(&args.out)?;
    for path in &tables {
        make_room(path, args.force)?;
    }
    let (seed, rows) = (args.seed, args.rows);
    let world = World::new(seed, rows);
    let mut written = Vec::new();

    let processes = Processes::new(&world, seed, rows);
    let splits = args.files.get() as u64;
    let mut part = 0;
    for (number, path) in split_paths(processes_path, args.files.get())?.into_iter().enumerate() {
        let at = |number: u64| (u128::from(rows) * u128::from(number) / u128::from(splits)) as u64;
        let range = at(number as u64)..at(number as u64 + 1);
        let parts = parts(&range);
        let made = write(&path, &processes::schema(), range, part, threads, &|part, rows| {
            processes.batch(part, rows)
        });
        written.push(made.map_err(|error| failed(&path, &error))?);
        part += parts;
    }

    let logon_rows = (rows / 10).max(50);
    let logons = Logons::new(&world, seed, logon_rows);
    let make = |part, rows| logons.batch(part, rows);
    let file = write(logons_path, &logons::schema(), 0..logon_rows, 0, threads, &make);
    written.push(file.map_err(|error| failed(logons_path, &error))?);

    let tree_rows = rows.min(process_tree::MOST_ROWS);
    let make = |_, _| process_tree::batch(&world, seed, tree_rows);
    let file = write(tree_path, &processes::schema(), 0..tree_rows, 0, 1, &make);
    written.push(file.map_err(|error| failed(tree_path, &error))?);

    Ok(Sample { files: written, logons: logon_rows, planted: processes.planted() + logons.planted() })
}

/// One file, or a folder of parts under the same name: a query reads either.
fn split_paths(path: &Path, files: usize) -> Result<Vec<PathBuf>, Failure> {
    if files == 1 {
        return Ok(vec![path.to_path_buf()]);
    }
    make_folder(path)?;
    Ok((0..files).map(|number| path.join(format!("part-{number:05}.parquet"))).collect())
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| failed(path, &error.into()))
}

/// Refuses to overwrite; when told to, removes what this program once wrote under the name, and nothing else.
fn make_room(path: &Path, force: bool) -> Result<(), Failure> {
    let io_failed = |error: io::Error| failed(path, &error.into());
    if !path.exists() {
        return Ok(());
    }
    if !force {
        return Err(Failure::new(format!("{} is there already; --force overwrites it", path.display())));
    }
    if path.is_file() {
        return fs::remove_file(path).map_err(io_failed);
    }
    for entry in fs::read_dir(path).map_err(io_failed)? {
        let entry = entry.map_err(io_failed)?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("part-") && name.ends_with(".parquet")) {
            fs::remove_file(entry.path()).map_err(io_failed)?;
        }
    }
    fs::remove_dir(path).map_err(io_failed)
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

/// `20000` as `20,000`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("dbcluster-sample-{name}-{}", std::process::id()))
    }

    fn args(out: &Path, files: usize, force: bool) -> SampleArgs {
        SampleArgs {
            rows: 300_000,
            seed: 7,
            out: out.to_path_buf(),
            files: NonZeroUsize::new(files).expect("not 0"),
            force,
        }
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
        let (one, three) = (folder("one"), folder("three"));
        generate(&args(&one, 1, false), 1).expect("a sample");
        generate(&args(&three, 1, false), 3).expect("a sample");
        assert!(contents(&one) == contents(&three));
        for folder in [one, three] {
            fs::remove_dir_all(folder).expect("the folder goes");
        }
    }

    #[test]
    fn nothing_is_overwritten_unless_forced() {
        let out = folder("force");
        let first = generate(&args(&out, 3, false), 2).expect("a sample");
        assert_eq!(first.files.len(), 5);
        assert_eq!(first.files[..3].iter().map(|file| file.rows).sum::<u64>(), 300_000);
        assert!(
            matches!(generate(&args(&out, 1, false), 2), Err(Failure::Message(text)) if text.contains("--force"))
        );
        let second = generate(&args(&out, 1, true), 2).expect("room is made");
        assert_eq!(second.files.len(), 3);
        fs::remove_dir_all(out).expect("the folder goes");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
