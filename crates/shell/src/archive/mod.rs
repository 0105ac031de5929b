//! `dbcluster import ... --out FOLDER`: an archive of logs, and `dbcluster verify FOLDER`.
//!
//! An archive is a folder of Parquet files that any program reads. The rows of a day are in one folder, `event_day=2026-01-15`, in the
//! order of their time, and those without a time in `event_day=__HIVE_DEFAULT_PARTITION__`, as Hive names it. The file `_manifest` lists
//! the sources by their content and the files with their rows.
//!
//! Each import makes a new folder beside the archive: the new files, hard links to the earlier ones, and the new list. Then the two
//! folders exchange their names in one step. So a reader sees all of an import or nothing of it, and a run that is killed leaves the
//! archive as it was. Imports of one archive wait for each other.
//!
//! A column has one type in all files. If a new source needs a wider one, the whole archive is written anew, from files that are as the list
//! has them. A column that a file does not have is NULL in its rows, and one without values has the type of the others.
//!
//! | module | task |
//! |---|---|
//! | `manifest` | the list of what is in an archive |
//! | `fingerprint` | the content of a source in one number |
//! | `columns` | the columns of the archive and of new rows as those of one table |
//! | `rows` | rows as files, one after the other |
//! | `verify` | whether the files are there, as the imports wrote them |

mod columns;
pub(crate) mod fingerprint;
mod manifest;
mod rows;
mod verify;

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use indicatif::HumanCount;
use tempfile::TempDir;

use datafusion_dbcluster::logs::ReadOptions;
use datafusion_dbcluster::{FoundFiles, LogTables};
use dbcluster_files::{begin_folder, lock_beside, remove_unfinished, replace_folder};
use dbcluster_terminal::complain;

use super::args::ImportArgs;
use super::depth::sql;
use super::failure::Failure;
use super::output::{self, BatchWriter};
use super::program::Program;
use super::runner::Runner;
use super::tables::{self, LineBreaks};
use columns::{Together, together};
use fingerprint::{Content, fingerprints};
pub(super) use manifest::MANIFEST;
use manifest::{DataFile, ImportedFile, Manifest};
pub(super) use verify::run as verify;

/// The column of the day, in the names of the folders.
const DAY: &str = "event_day";

/// The names of the tables of the session that an import makes.
const NEW: &str = "dbcluster_import";
const ALL: &str = "dbcluster_archive";

/// The files that are told one by one.
const TOLD: usize = 40;

/// Runs the subcommand.
pub(super) fn import(program: &Program, runner: &Runner, args: &ImportArgs) -> Result<(), Failure> {
    runner.account.name_rejected();
    program.run("the import", run(runner, args))
}

async fn run(runner: &Runner, args: &ImportArgs) -> Result<(), Failure> {
    if args.force {
        return Err(Failure::new("--force is for a file: an archive grows, and is never overwritten"));
    }
    if args.out.to_string_lossy().contains("://") {
        return Err(Failure::new(format!(
            "--out {}: an archive is a folder of this machine; a name that ends in .parquet is one file, which an object store takes, too",
            args.out.display()
        )));
    }
    let target = target(&args.out)?;
    let failed = |error: io::Error| Failure::new(format!("--out {}: {error}", args.out.display()));
    let lock = lock(runner, &target, args).await.map_err(failed)?;
    remove_unfinished(&target);
    let before = earlier(&target, args)?;
    let before_rows = before.as_ref().map_or(0, Manifest::rows);
    let mut after = before.clone().unwrap_or_else(Manifest::empty);
    after.imports += 1;

    let state = runner.ctx.state();
    let tables =
        LogTables::of(&state).ok_or_else(|| Failure::new("this session reads no files by their path"))?;
    let mut found = tables.files(&state, &args.paths).await?;
    // An archive among its own sources.
    found.retain(|name| !is_below(name, &target));
    let sources = fingerprints(&found, &after).await?;
    let choice = choose(&after, sources, args.again)?;
    if choice.new.is_empty() {
        let why = match choice.known {
            0 => "every file is within the archive itself".to_string(),
            known => format!("{} imported before", count(known as u64, "file")),
        };
        return tell(runner, &format!("Nothing is new: {why}.\n"), &[]);
    }
    found.retain(|name| choice.names.contains(name));
    let new = table_of(runner, &tables, found, args).await?;
    check_unchanged(&choice.new)?;

    let earlier = match &before {
        Some(_) => Some(earlier_table(runner, &tables, &target).await?),
        None => None,
    };
    let Together { table, changes } = together(runner, &args.out, earlier, new).await?;
    if !changes.is_empty() {
        if !runner.print.quiet {
            complain(&format!(
                "{}: {}, so the whole archive is written anew with one type for each column",
                args.out.display(),
                changes.join(", ")
            ));
        }
        check_whole(&target, &after, args)?;
    }
    let schema = table.schema();
    runner.ctx.register_table(ALL, table)?;
    let staged = begin_folder(&target).map_err(failed)?;
    let files = rows::write(runner, ALL, &schema, staged.path(), after.imports).await?;
    let written: u64 = files.values().map(|file| file.rows).sum();
    if written == 0 && before.is_none() {
        return Err(Failure::new(format!(
            "{} without rows{}: there is no archive to make of them",
            count(choice.new.len() as u64, "file"),
            args.shape
                .map_or(String::new(), |shape| format!(" that are events of the shape {}", shape.name()))
        )));
    }
    if changes.is_empty() {
        link(&after.files, &target, staged.path()).map_err(failed)?;
    } else {
        after.files.clear();
    }
    after.files.extend(files.clone());
    after.shape = args.shape.map(|shape| shape.name().to_string());
    let new_sources = choice.new.len();
    after.sources.extend(choice.new);
    after.write(staged.path())?;
    finish(staged, &target).map_err(failed)?;
    drop(lock);

    let added = after.rows().saturating_sub(before_rows);
    let known = match choice.known {
        0 => String::new(),
        known => format!("; {} imported before", count(known as u64, "file")),
    };
    let wrote = if written == added { String::new() } else { format!(", {} written", count(written, "row")) };
    let text = format!(
        "{} of {} were added{known}{wrote}. {} has {} in {}.\n",
        count(added, "row"),
        count(new_sources as u64, "file"),
        args.out.display(),
        count(after.rows(), "row"),
        count(after.files.len() as u64, "file")
    );
    tell(runner, &text, &files.into_iter().collect::<Vec<_>>())
}

/// Waits until no other import is at work.
async fn lock(runner: &Runner, target: &Path, args: &ImportArgs) -> io::Result<File> {
    const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
    let mut is_told = runner.print.quiet;
    loop {
        if let Some(lock) = lock_beside(target)? {
            return Ok(lock);
        }
        if !is_told {
            complain(&format!(
                "--out {}: another import is at work beside it; waiting until it has ended",
                args.out.display()
            ));
            is_told = true;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// A number of things, in words.
fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}

/// The folder of the archive, from the root.
fn target(out: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: io::Error| Failure::new(format!("--out {}: {error}", out.display()));
    // A link stays a link.
    let path = if out.exists() { out.canonicalize() } else { std::path::absolute(out) }.map_err(failed)?;
    let around = path
        .parent()
        .ok_or_else(|| Failure::new(format!("--out {} is no folder that can be made", out.display())))?;
    fs::create_dir_all(around).map_err(failed)?;
    if path.file_name().is_none() {
        return Err(Failure::new(format!("--out {} is no name of a folder", out.display())));
    }
    Ok(path)
}

/// The list of the archive that is there; none if there is nothing yet.
fn earlier(target: &Path, args: &ImportArgs) -> Result<Option<Manifest>, Failure> {
    let out = args.out.display();
    if !target.exists() {
        return Ok(None);
    }
    if !target.is_dir() {
        return Err(Failure::new(format!(
            "--out {out} is a file, and an archive is a folder; name another, or one that ends in .parquet"
        )));
    }
    let Some(manifest) = Manifest::read(target)? else {
        let is_empty = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
        return if is_empty {
            Ok(None)
        } else {
            Err(Failure::new(format!(
                "--out {out} is a folder with files that no import has made; name a new folder"
            )))
        };
    };
    let asked = args.shape.map(|shape| shape.name().to_string());
    if manifest.shape != asked {
        let flag = |shape: Option<&String>| {
            shape.map_or("no --shape".to_string(), |shape| format!("--shape {shape}"))
        };
        return Err(Failure::new(format!(
            "--out {out} was made with {}, so it takes no events with {}; name another archive",
            flag(manifest.shape.as_ref()),
            flag(asked.as_ref())
        )));
    }
    let faults = verify::changes(target, &manifest, false)?;
    if let Some(fault) = faults.first() {
        let more = if faults.len() > 1 { format!(" and {} more", faults.len() - 1) } else { String::new() };
        return Err(Failure::new(format!(
            "--out {out} is not as the last import left it: {fault}{more}; an import would lose or double rows. dbcluster verify names all; \
             move away what is not of the archive, and bring back what is missing"
        )));
    }
    Ok(Some(manifest))
}

/// Reads all files of the archive, before its rows are written anew.
fn check_whole(target: &Path, manifest: &Manifest, args: &ImportArgs) -> Result<(), Failure> {
    match verify::changes(target, manifest, true)?.first() {
        None => Ok(()),
        Some(fault) => Err(Failure::new(format!(
            "--out {} is damaged, and its rows would be written anew: {fault}",
            args.out.display()
        ))),
    }
}

/// Whether a file lies in a folder.
fn is_below(name: &str, folder: &Path) -> bool {
    Path::new(name).canonicalize().is_ok_and(|path| path.starts_with(folder))
}

/// Checks that files have the bytes that they are listed with. A log that is being written has more, and would be imported again.
fn check_unchanged(sources: &[ImportedFile]) -> Result<(), Failure> {
    let grown =
        sources.iter().find(|source| fs::metadata(&source.name).is_ok_and(|file| file.len() != source.bytes));
    match grown {
        None => Ok(()),
        Some(source) => Err(Failure::new(format!(
            "{} changes while it is imported; import it when it is finished, or a copy of it",
            source.name
        ))),
    }
}

/// The sources to read, and how many are known.
struct Choice {
    new: Vec<ImportedFile>,
    /// The names of the new ones, as they were found.
    names: HashSet<String>,
    known: usize,
}

/// Leaves out the sources whose content is in the archive, or in another one of them. Equal bytes in folders with other keys are other
/// rows.
fn choose(manifest: &Manifest, sources: Vec<(String, Content)>, again: bool) -> Result<Choice, Failure> {
    let mut contents: HashSet<(String, String)> =
        manifest.sources.iter().map(|source| (source.sha256.clone(), keys(&source.name))).collect();
    let names: HashSet<&str> = manifest.sources.iter().map(|source| source.name.as_str()).collect();
    let mut choice = Choice { new: vec![], names: HashSet::new(), known: 0 };
    for (name, Content { file, begins_with }) in sources {
        if !contents.insert((file.sha256.clone(), keys(&file.name))) {
            choice.known += 1;
            continue;
        }
        let same = begins_with
            .as_deref()
            .or_else(|| names.contains(file.name.as_str()).then_some(file.name.as_str()));
        if let Some(earlier) = same.filter(|_| !again) {
            let what = if earlier == file.name {
                "has changed since it was imported".to_string()
            } else {
                format!("begins with all of {earlier} as it was imported")
            };
            return Err(Failure::new(format!(
                "{name} {what}, so the rows that it had then would be in the archive twice; leave it out, or say --again to import all of it all \
                 the same"
            )));
        }
        choice.names.insert(name);
        choice.new.push(file);
    }
    Ok(choice)
}

/// The parts of a path that are columns, `host=a`.
fn keys(path: &str) -> String {
    path.split('/').filter(|part| part.contains('=')).collect::<Vec<_>>().join("/")
}

/// The rows of the new files, in the shape that was asked for.
async fn table_of(
    runner: &Runner,
    tables: &LogTables,
    found: FoundFiles,
    args: &ImportArgs,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let state = runner.ctx.state();
    let table = tables.table_of_files(&state, found, &LogTables::options(&state)?).await?;
    let table = without_folder_days(runner, table)?;
    let Some(shape) = args.shape else { return Ok(table) };
    runner.ctx.register_table(NEW, table)?;
    let shaped = sql(&runner.ctx, &format!("SELECT * FROM {}({NEW})", shape.function())).await?;
    Ok(shaped.into_view())
}

/// The rows without the days in the names of an archive's folders. A column of such a name in the files is another one.
fn without_folder_days(
    runner: &Runner,
    table: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>, Failure> {
    match table.schema().field_with_name(DAY) {
        Err(_) => Ok(table),
        Ok(day) if matches!(day.data_type(), DataType::Dictionary(..)) => {
            Ok(runner.ctx.read_table(table)?.drop_columns(&[DAY])?.into_view())
        }
        Ok(_) => Err(Failure::new(format!(
            "the new files have a column {DAY}, which is the name of the folders of an archive; import one file with --out x.parquet, or \
             rename the column"
        ))),
    }
}

/// The rows of the archive, without the column of its folders.
async fn earlier_table(
    runner: &Runner,
    tables: &LogTables,
    target: &Path,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let state = runner.ctx.state();
    let name = target.display().to_string();
    let table = tables.table(&state, &name, &ReadOptions::default()).await?;
    let table = table.ok_or_else(|| Failure::new(format!("there is no archive {name}")))?;
    without_folder_days(runner, table)
}

/// Puts the files of the archive into the new folder, too.
fn link(files: &BTreeMap<String, DataFile>, target: &Path, folder: &Path) -> io::Result<()> {
    for name in files.keys() {
        let (from, to) = (target.join(name), folder.join(name));
        if let Some(around) = to.parent().filter(|around| !around.exists()) {
            fs::create_dir_all(around)?;
            if let Some(earlier) = from.parent() {
                keep_rights(earlier, around);
            }
        }
        let linked = fs::hard_link(&from, &to);
        if linked.is_err() {
            // A file system without links, or a file that is gone, which is an error here.
            fs::copy(&from, &to).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        }
    }
    Ok(())
}

/// Gives a folder the rights of the one whose place it takes. A file system without rights loses nothing.
fn keep_rights(earlier: &Path, new: &Path) {
    if let Ok(earlier) = fs::metadata(earlier) {
        let _ = fs::set_permissions(new, earlier.permissions());
    }
}

fn finish(staged: TempDir, target: &Path) -> io::Result<()> {
    if target.exists() {
        keep_rights(target, staged.path());
    }
    #[cfg(unix)]
    {
        // The list is on the disk before it is seen.
        File::open(staged.path().join(MANIFEST))?.sync_all()?;
    }
    replace_folder(staged, target)
}

/// Tells what was done: the files as rows, and a sentence.
fn tell(runner: &Runner, sentence: &str, files: &[(String, DataFile)]) -> Result<(), Failure> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("bytes", DataType::Int64, false),
    ]));
    let shown = if runner.look.format.is_table() { TOLD } else { usize::MAX };
    let shown: Vec<_> = files.iter().take(shown).collect();
    let numbers = |number: fn(&DataFile) -> u64| {
        Int64Array::from_iter_values(
            shown.iter().map(|(_, file)| i64::try_from(number(file)).unwrap_or(i64::MAX)),
        )
    };
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from_iter_values(shown.iter().map(|(name, _)| name))),
            Arc::new(numbers(|file| file.rows)),
            Arc::new(numbers(|file| file.bytes)),
        ],
    );
    let batch = batch.map_err(datafusion::common::DataFusionError::from)?;
    if let Some(mut writer) = BatchWriter::new(runner.look.format, Arc::clone(&schema)) {
        output::write(writer.batch(&batch)?)?;
        output::write(writer.finish()?)?;
        if !runner.print.quiet {
            complain(sentence.trim_end());
        }
        return Ok(());
    }
    if !files.is_empty() && !runner.print.quiet {
        let format = runner.ctx.state_ref().read().config_options().format.clone();
        output::write(tables::whole(
            &schema,
            &[batch],
            files.len() > shown.len(),
            LineBreaks::Escaped,
            &format,
        )?)?;
    }
    output::say(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_content_is_left_out_and_changed_files_are_told() {
        let source = |name: &str, sha256: &str| {
            let file =
                ImportedFile { name: format!("/{name}"), bytes: 1, sha256: sha256.to_string(), import: 1 };
            (name.to_string(), Content { file, begins_with: None })
        };
        let mut manifest = Manifest::empty();
        manifest.sources.push(source("a", "1").1.file);
        let choice = choose(&manifest, vec![source("b", "1"), source("c", "2"), source("d", "2")], false)
            .expect("a choice");
        assert_eq!((choice.new.len(), choice.known), (1, 2));
        assert!(choice.names.contains("c"));
        assert!(choose(&manifest, vec![source("a", "3")], false).is_err());
        assert_eq!(choose(&manifest, vec![source("a", "3")], true).expect("a choice").new.len(), 1);
        // The keys of folders are columns of the rows.
        let both =
            choose(&manifest, vec![source("h=1/x", "9"), source("h=2/x", "9")], false).expect("a choice");
        assert_eq!(both.new.len(), 2);
        let (name, mut rotated) = source("a.1", "4");
        rotated.begins_with = Some("/a".to_string());
        assert!(choose(&manifest, vec![(name, rotated)], false).is_err());
    }
}
