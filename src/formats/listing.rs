//! Files that the engine reads in place: Parquet, Arrow, Avro.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SessionState;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use dbcluster_logs::{BinaryFormat, shown};
use futures::{StreamExt, TryStreamExt, stream};

use super::files::{LogFile, Place};
use super::partitions::{self, FolderValues, free_name};
use super::union::Part;

/// The column of the file's name, as the readers of text call it.
const FILE: &str = "_file";

/// The number of files whose schemas are read at the same time.
const AT_ONCE: usize = 32;

/// The session's format of a kind of files.
pub(super) fn format(state: &SessionState, kind: BinaryFormat) -> Result<Arc<dyn FileFormat>> {
    let name = match kind {
        BinaryFormat::Parquet => "parquet",
        BinaryFormat::Arrow | BinaryFormat::ArrowStream => "arrow",
        BinaryFormat::Avro => "avro",
    };
    let factory = state.get_file_format_factory(name);
    let factory = factory.ok_or_else(|| plan_datafusion_err!("this session reads no {name} files"))?;
    factory.create(state, &HashMap::new())
}

/// The tables of files of one kind: one if the engine can read all of them as one. `with_file` adds the column of the file's
/// name, so that each file is a table of its own.
pub(super) async fn parts(
    state: &SessionState,
    name: &str,
    kind: BinaryFormat,
    files: &[LogFile],
    with_file: bool,
) -> Result<Vec<Part>> {
    let format = format(state, kind)?;
    let asked: Vec<_> = files.iter().map(|file| inferred(state, &format, file)).collect();
    let inferred: Vec<Inferred> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    let names: Vec<Vec<&str>> = files.iter().map(|file| names(&file.folders)).collect();
    let one_schema = merged(inferred.iter().map(|file| &file.schema));
    let has_nulls = files.iter().flat_map(|file| &file.folders).any(|(_, value)| partitions::is_null(value));
    if let Some(schema) = one_schema.as_ref().filter(|_| !with_file && !has_nulls)
        && let Some(folders) = names.first()
        && names.iter().all(|names| names == folders)
        && !folders.iter().any(|folder| schema.field_with_name(folder).is_ok())
        && let Some(url) = lists_the_same(state, name, &inferred).await
    {
        let folders = folders.iter().map(|name| ((*name).to_string(), folder_type())).collect();
        let options = ListingOptions::new(format)
            .with_file_extension(ending(&inferred))
            .with_table_partition_cols(folders);
        return Ok(vec![part(vec![url], options, schema.clone(), vec![], name)?]);
    }
    let columns: HashSet<String> =
        inferred.iter().flat_map(|file| file.schema.fields()).map(|field| field.name().clone()).collect();
    let mut groups: Vec<Group> = vec![];
    for (file, inferred) in files.iter().zip(inferred) {
        let joins = |group: &Group| {
            let both = merged([&group.schema, &inferred.schema].into_iter());
            both.filter(|_| !with_file && group.folders == file.folders)
        };
        let joined = groups.iter_mut().find_map(|group| joins(group).map(|schema| (group, schema)));
        match joined {
            Some((group, schema)) => {
                group.schema = schema;
                group.urls.push(inferred.url);
            }
            None => groups.push(Group {
                schema: inferred.schema,
                folders: file.folders.clone(),
                urls: vec![inferred.url],
                first: file.name.clone(),
            }),
        }
    }
    let of_group = |mut group: Group| {
        for (folder, _) in &mut group.folders {
            *folder = free_name(folder, |name| columns.contains(name));
        }
        let options = ListingOptions::new(Arc::clone(&format)).with_file_extension("");
        let mut part = part(group.urls, options, group.schema, group.folders, &group.first)?;
        if with_file {
            part.constants.insert(0, (FILE.to_string(), ScalarValue::Utf8View(Some(group.first))));
        }
        Ok(part)
    };
    groups.into_iter().map(of_group).collect()
}

/// Returns the columns of all of these; none if two of a name are of different types. A column that one of them lacks is NULL there.
fn merged<'a>(schemas: impl Iterator<Item = &'a Schema> + Clone) -> Option<Schema> {
    let merged = Schema::try_merge(schemas.clone().cloned()).ok()?;
    let mut files = 0;
    let mut with_column: HashMap<&str, usize> = HashMap::new();
    for schema in schemas {
        files += 1;
        schema.fields().iter().for_each(|field| *with_column.entry(field.name()).or_default() += 1);
    }
    let in_all = |field: &FieldRef| with_column.get(field.name().as_str()) == Some(&files);
    let or_null =
        |field: &FieldRef| field.as_ref().clone().with_nullable(field.is_nullable() || !in_all(field));
    let fields = merged.fields().iter().map(or_null);
    Some(Schema::new(fields.collect::<Vec<_>>()))
}

/// Files that the engine reads as one table.
struct Group {
    schema: Schema,
    folders: FolderValues,
    urls: Vec<ListingTableUrl>,
    /// The name of the first file.
    first: String,
}

/// The type that the engine gives to columns of folders.
fn folder_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8))
}

fn part(
    urls: Vec<ListingTableUrl>,
    options: ListingOptions,
    schema: Schema,
    folders: FolderValues,
    name: &str,
) -> Result<Part> {
    let constants = folders.into_iter().filter(|(name, _)| schema.field_with_name(name).is_err());
    let constants = constants.map(|(name, value)| (name, partitions::scalar(&value))).collect();
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::new(schema));
    let table: Arc<dyn TableProvider> = Arc::new(ListingTable::try_new(config)?);
    Ok(Part { table, constants, name: shown(name) })
}

/// A file with its columns.
struct Inferred {
    url: ListingTableUrl,
    location: Path,
    schema: Schema,
}

async fn inferred(state: &SessionState, format: &Arc<dyn FileFormat>, file: &LogFile) -> Result<Inferred> {
    let url = file.url()?;
    let (store, meta): (Arc<dyn ObjectStore>, ObjectMeta) = match &file.place {
        Place::Remote { store, meta, .. } => (Arc::clone(store), meta.clone()),
        Place::Local(_) | Place::Unpacked { .. } | Place::Member { .. } | Place::Pipe(_) => {
            let store = state.runtime_env().object_store(&url)?;
            let meta = store.head(url.prefix()).await?;
            (store, meta)
        }
    };
    let schema = format.infer_schema(state, &store, std::slice::from_ref(&meta)).await?;
    // Notes of the program that wrote a file are no part of the table.
    let schema = schema.as_ref().clone().with_metadata(HashMap::new());
    Ok(Inferred { url, location: meta.location, schema })
}

fn names(folders: &FolderValues) -> Vec<&str> {
    folders.iter().map(|(name, _)| name.as_str()).collect()
}

/// The end of the names of all files, from the last dot on; empty if they differ.
fn ending(files: &[Inferred]) -> &str {
    let of = |file: &Inferred| file.location.as_ref().rfind('.').unwrap_or(file.location.as_ref().len());
    let ending = files.first().and_then(|file| file.location.as_ref().get(of(file)..)).unwrap_or_default();
    if files.iter().all(|file| file.location.as_ref().ends_with(ending)) { ending } else { "" }
}

/// The URL of a name, if the engine finds the same files behind it. It looks for them again in each query, and leaves out the
/// folders that a filter on their columns excludes.
async fn lists_the_same(state: &SessionState, name: &str, files: &[Inferred]) -> Option<ListingTableUrl> {
    let url = ListingTableUrl::parse(name).ok()?;
    let store = state.runtime_env().object_store(&url).ok()?;
    let listed = url.list_all_files(state, store.as_ref(), ending(files)).await.ok()?;
    let listed: BTreeSet<Path> = listed.map_ok(|file| file.location).try_collect().await.ok()?;
    let ours: BTreeSet<Path> = files.iter().map(|file| file.location.clone()).collect();
    (listed == ours).then_some(url)
}
