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
//! A column has one type in all files. If a new source needs a wider one, the whole archive is written anew. A column that a file does not
//! have is NULL in its rows.
//!
//! | module | task |
//! |---|---|
//! | `manifest` | the list of what is in an archive |
//! | `fingerprint` | the content of a source in one number |
//! | `verify` | whether the files are there, as the imports wrote them |

mod fingerprint;
mod manifest;
mod verify;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::config::{ParquetColumnOptions, TableParquetOptions};
use datafusion::datasource::file_format::format_as_file_type;
use datafusion::datasource::file_format::parquet::ParquetFormatFactory;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use datafusion_cli::print_format::PrintFormat;
use indicatif::HumanCount;
use tempfile::TempDir;

use datafusion_dbcluster::event_columns::{Place, TIMES, is_time};
use datafusion_dbcluster::{FoundFiles, LogTables};
use dbcluster_files::{begin_folder, lock_beside, remove_unfinished, replace_folder};
use dbcluster_terminal::complain;

use super::args::ImportArgs;
use super::depth::sql;
use super::failure::Failure;
use super::output::{self, BatchWriter, LineBreaks};
use super::program::Program;
use super::report_defaults::{expression, identifier};
use super::runner::Runner;
use fingerprint::{fingerprint, fingerprints};
pub(super) use manifest::MANIFEST;
use manifest::{DataFile, ImportedFile, Manifest};
pub(super) use verify::run as verify;

/// The column of the day, in the names of the folders.
const DAY: &str = "event_day";

/// The folder of the rows without a time.
const NO_DAY: &str = "event_day=__HIVE_DEFAULT_PARTITION__";

/// The names of the tables of the session that an import makes.
const NEW: &str = "dbcluster_import";
const ALL: &str = "dbcluster_archive";

/// Rows of a group: few enough that a look for some events skips most of a file, and enough that its columns compress well.
const GROUP_ROWS: usize = 131_072;

/// The files that are told one by one.
const TOLD: usize = 40;

/// Runs the subcommand.
pub(super) fn import(program: &Program, runner: &Runner, args: &ImportArgs) -> Result<(), Failure> {
    runner.account.name_rejected();
    program.run("the import", run(runner, args))
}

async fn run(runner: &Runner, args: &ImportArgs) -> Result<(), Failure> {
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
    let sources = fingerprints(&found, after.imports).await?;
    let choice = choose(&after, sources, args.again)?;
    if choice.new.is_empty() {
        let known = count(choice.known as u64, "file");
        return tell(runner, &format!("Nothing is new: {known} imported before.\n"), &[]);
    }
    found.retain(|name| choice.names.contains(name));
    let new = table_of(runner, &tables, found, args).await?;

    let earlier = match &before {
        Some(_) => Some(earlier_table(runner, &tables, &target).await?),
        None => None,
    };
    let (all, changed) = united(&target, earlier, new)?;
    if !changed.is_empty() && !runner.print.quiet {
        complain(&format!(
            "{}: {} in the new files, so the whole archive is written anew with one type for each column",
            args.out.display(),
            changed.join(", ")
        ));
    }
    let schema = all.schema();
    runner.ctx.register_table(ALL, all)?;
    after.time = match after.time.take().filter(|_| before.is_some()) {
        Some(time) => Some(time),
        None => time(&schema),
    };

    let staged = begin_folder(&target).map_err(failed)?;
    write(runner, staged.path(), after.time.as_deref(), &schema).await?;
    let files = name_files(staged.path(), after.imports).map_err(failed)?;
    let written: u64 = files.values().map(|file| file.rows).sum();
    if changed.is_empty() {
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
    Ok(Some(manifest))
}

/// The sources to read, and how many are known.
struct Choice {
    new: Vec<ImportedFile>,
    /// The names of the new ones, as they were found.
    names: HashSet<String>,
    known: usize,
}

/// Leaves out the sources whose content is in the archive, or in another one of them.
fn choose(manifest: &Manifest, sources: Vec<(String, ImportedFile)>, again: bool) -> Result<Choice, Failure> {
    let mut contents: HashSet<String> = manifest.sources.iter().map(|source| source.sha256.clone()).collect();
    let names: HashSet<&str> = manifest.sources.iter().map(|source| source.name.as_str()).collect();
    let mut choice = Choice { new: vec![], names: HashSet::new(), known: 0 };
    for (name, source) in sources {
        if !contents.insert(source.sha256.clone()) {
            choice.known += 1;
            continue;
        }
        if names.contains(source.name.as_str()) && !again {
            return Err(Failure::new(format!(
                "{name} has changed since it was imported, so the rows that it had then would be in the archive twice; --again imports all of it \
                 all the same"
            )));
        }
        choice.names.insert(name);
        choice.new.push(source);
    }
    Ok(choice)
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
    if table.schema().field_with_name(DAY).is_ok() {
        return Err(Failure::new(format!(
            "the new files have a column {DAY}, which is the name of the folders of an archive; import one file with --out x.parquet, or \
             rename the column"
        )));
    }
    let Some(shape) = args.shape else { return Ok(table) };
    runner.ctx.register_table(NEW, table)?;
    let shaped = sql(&runner.ctx, &format!("SELECT * FROM {}({NEW})", shape.function())).await?;
    Ok(shaped.into_view())
}

/// The rows of the archive, without the column of its folders.
async fn earlier_table(
    runner: &Runner,
    tables: &LogTables,
    target: &Path,
) -> Result<Arc<dyn TableProvider>, Failure> {
    let state = runner.ctx.state();
    let name = target.display().to_string();
    let table = tables.table(&state, &name, &LogTables::options(&state)?).await?;
    let table = table.ok_or_else(|| Failure::new(format!("there is no archive {name}")))?;
    Ok(runner.ctx.read_table(table)?.drop_columns(&[DAY])?.into_view())
}

/// The rows to write with the columns of the whole archive, and what has changed about the types of earlier columns. If something has,
/// the rows of the archive are among them.
fn united(
    target: &Path,
    earlier: Option<Arc<dyn TableProvider>>,
    new: Arc<dyn TableProvider>,
) -> Result<(Arc<dyn TableProvider>, Vec<String>), Failure> {
    let Some(earlier) = earlier else { return Ok((new, vec![])) };
    let (archive, files) = (target.display().to_string(), "the new files".to_string());
    let schema = earlier.schema();
    let nothing: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(Arc::clone(&schema), vec![vec![]])?);
    let all = LogTables::united(vec![(archive.clone(), nothing), (files.clone(), Arc::clone(&new))])?;
    let of_all = all.schema();
    let changes = schema.fields().iter().filter_map(|field| {
        let now = of_all.field_with_name(field.name()).ok()?.data_type();
        let is_same = now == field.data_type();
        (!is_same).then(|| format!("column '{}' was {} and is {now}", field.name(), field.data_type()))
    });
    let changes: Vec<String> = changes.collect();
    if changes.is_empty() {
        return Ok((all, changes));
    }
    Ok((LogTables::united(vec![(archive, earlier), (files, new)])?, changes))
}

/// The time of an event, as SQL: the first value in the columns that collectors give it, else the first column of times.
fn time(schema: &Schema) -> Option<String> {
    let known = Place::all(schema, TIMES).filter(|(place, _)| is_time(place.data_type));
    let mut times: Vec<String> = vec![];
    for time in known.map(|(place, _)| expression(&place)) {
        if !times.contains(&time) {
            times.push(time);
        }
    }
    if times.is_empty() {
        let first = schema.fields().iter().find(|field| is_time(field.data_type()));
        times.extend(first.map(|field| identifier(field.name())));
    }
    match times.as_slice() {
        [] => None,
        [time] => Some(time.clone()),
        times => Some(format!("coalesce({})", times.join(", "))),
    }
}

/// Writes the rows of the table [`ALL`] into a folder.
async fn write(runner: &Runner, folder: &Path, time: Option<&str>, schema: &Schema) -> Result<(), Failure> {
    let options = options(schema);
    let write = async |query: String, name: &str, by_day: bool| {
        let plan = sql(&runner.ctx, &query).await?.into_unoptimized_plan();
        let to = format!("{}/{name}", folder.display());
        let days = if by_day { vec![DAY.to_string()] } else { vec![] };
        let parquet = format_as_file_type(Arc::new(ParquetFormatFactory::new_with_options(options.clone())));
        let copy = LogicalPlanBuilder::copy_to(plan, to, parquet, HashMap::new(), days)?.build()?;
        runner.write(copy).await
    };
    let Some(time) = time else {
        return write(format!("SELECT * FROM {ALL}"), "rows.parquet", false).await;
    };
    let day = format!("CAST(CAST({time} AS DATE) AS VARCHAR) AS {DAY}");
    write(format!("SELECT *, {day} FROM {ALL} WHERE {time} IS NOT NULL ORDER BY {time}"), "", true).await?;
    let timeless = sql(&runner.ctx, &format!("SELECT 1 FROM {ALL} WHERE {time} IS NULL LIMIT 1")).await?;
    if timeless.collect().await?.iter().all(|batch| batch.num_rows() == 0) {
        return Ok(());
    }
    fs::create_dir_all(folder.join(NO_DAY))
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    write(format!("SELECT * FROM {ALL} WHERE {time} IS NULL"), &format!("{NO_DAY}/rows.parquet"), false).await
}

/// The form of the files. Nearly every time is another one, so a dictionary of times would be as long as the times.
fn options(schema: &Schema) -> TableParquetOptions {
    let mut options = TableParquetOptions::new();
    options.global.compression = Some("zstd(3)".to_string());
    options.global.max_row_group_size = GROUP_ROWS;
    for field in schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::Timestamp(..))) {
        let of_column = ParquetColumnOptions {
            dictionary_enabled: Some(false),
            encoding: Some("delta_binary_packed".to_string()),
            ..ParquetColumnOptions::default()
        };
        options.column_specific_options.insert(field.name().clone(), of_column);
    }
    options
}

/// Gives the files of an import their names, and counts their rows.
fn name_files(folder: &Path, import: u64) -> io::Result<BTreeMap<String, DataFile>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((at, below)) = folders.pop() {
        let mut entries = fs::read_dir(&at)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut number = 0_u64;
        for entry in entries {
            if entry.file_type()?.is_dir() {
                let name = entry.file_name().to_string_lossy().into_owned();
                folders.push((entry.path(), format!("{below}{name}/")));
                continue;
            }
            let more = if number == 0 { String::new() } else { format!("-{number}") };
            let name = format!("import-{import:06}{more}.parquet");
            number += 1;
            let path = at.join(&name);
            fs::rename(entry.path(), &path)?;
            let file = data_file(&path)?;
            files.insert(format!("{below}{name}"), file);
        }
    }
    Ok(files)
}

/// The size of a Parquet file, and its rows as its footer has them.
fn data_file(path: &Path) -> io::Result<DataFile> {
    let (bytes, sha256) = fingerprint(File::open(path)?, || false)?;
    let reader = SerializedFileReader::new(File::open(path)?).map_err(io::Error::other)?;
    let rows = reader.metadata().file_metadata().num_rows();
    Ok(DataFile { rows: rows.max(0).unsigned_abs(), bytes, sha256 })
}

/// Puts the files of the archive into the new folder, too.
fn link(files: &BTreeMap<String, DataFile>, target: &Path, folder: &Path) -> io::Result<()> {
    for name in files.keys() {
        let (from, to) = (target.join(name), folder.join(name));
        if let Some(around) = to.parent() {
            fs::create_dir_all(around)?;
        }
        let linked = fs::hard_link(&from, &to);
        if linked.is_err() {
            // A file system without links, or a file that is gone, which is an error here.
            fs::copy(&from, &to).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        }
    }
    Ok(())
}

fn finish(staged: TempDir, target: &Path) -> io::Result<()> {
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
    let shown = if runner.print.format == PrintFormat::Table { TOLD } else { usize::MAX };
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
    if let Some(mut writer) = BatchWriter::new(runner.print.format, Arc::clone(&schema)) {
        output::write(writer.batch(&batch)?)?;
        output::write(writer.finish()?)?;
        if !runner.print.quiet {
            complain(sentence.trim_end());
        }
        return Ok(());
    }
    if !files.is_empty() && !runner.print.quiet {
        let format = runner.ctx.state_ref().read().config_options().format.clone();
        output::write(output::table(
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
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn time_is_the_first_that_an_event_has() {
        let time_type = || DataType::Timestamp(TimeUnit::Microsecond, None);
        let of = |columns: &[(&str, DataType)]| {
            let fields: Vec<Field> =
                columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
            time(&Schema::new(fields))
        };
        assert_eq!(
            of(&[("UtcTime", time_type()), ("TimeCreated", time_type())]).as_deref(),
            Some("coalesce(\"TimeCreated\", \"UtcTime\")")
        );
        assert_eq!(of(&[("a", DataType::Utf8), ("started", time_type())]).as_deref(), Some("\"started\""));
        assert_eq!(of(&[("time", DataType::Utf8)]), None);
    }

    #[test]
    fn known_content_is_left_out_and_changed_files_are_told() {
        let source = |name: &str, sha256: &str| {
            let file =
                ImportedFile { name: format!("/{name}"), bytes: 1, sha256: sha256.to_string(), import: 1 };
            (name.to_string(), file)
        };
        let mut manifest = Manifest::empty();
        manifest.sources.push(source("a", "1").1);
        let choice = choose(&manifest, vec![source("b", "1"), source("c", "2"), source("d", "2")], false)
            .expect("a choice");
        assert_eq!((choice.new.len(), choice.known), (1, 2));
        assert!(choice.names.contains("c"));
        assert!(choose(&manifest, vec![source("a", "3")], false).is_err());
        assert_eq!(choose(&manifest, vec![source("a", "3")], true).expect("a choice").new.len(), 1);
    }
}
