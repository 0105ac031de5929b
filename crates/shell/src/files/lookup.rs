//! Finds the table that a path stands for, or tells why it stands for none.
//!
//! The engine's own lookup takes a path that it can't read for a table that does not exist, and of a folder it reads only the
//! files of the first one's kind. Here a path that exists is an error that says what is wrong with it, and a folder is read as
//! a whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SessionState;
use datafusion::object_store::{self, ObjectMeta, ObjectStoreExt};
use datafusion::prelude::SessionContext;
use datafusion_cli::object_storage::is_stdin_location;
use futures::TryStreamExt;

use super::format::READABLE;
use datafusion_dbcluster::file_versions::file_name;

/// The kinds of files that have bytes of their own at the beginning or the end, so that an empty file is not one of them.
const NEVER_EMPTY: [&str; 3] = ["parquet", "arrow", "avro"];

tokio::task_local! {
    /// The name of the table that a statement makes.
    static NEW_TABLE: Option<String>;
}

/// Plans a statement that makes a table of this name. A file of the same name does not count as that table.
pub(crate) async fn creating_table<T>(name: Option<&str>, planning: impl Future<Output = T>) -> T {
    NEW_TABLE.scope(name.map(ToString::to_string), planning).await
}

/// Makes files tables of a session, as [`SessionContext::enable_url_table`] does, with errors that give reasons.
pub(crate) fn files_as_tables(ctx: SessionContext) -> SessionContext {
    let factory = Arc::new(FileTables::default());
    let tables = Arc::clone(&factory) as Arc<dyn UrlTableFactory>;
    let catalogs = Arc::new(DynamicFileCatalog::new(Arc::clone(ctx.state().catalog_list()), tables));
    let session_id = ctx.session_id();
    let builder = ctx.into_state_builder().with_session_id(session_id).with_catalog_list(catalogs);
    let ctx = SessionContext::from(builder.build());
    factory.0.session_store().with_state(ctx.state_weak_ref());
    ctx
}

/// Finds tables by path. The engine's factory holds the session for it.
#[derive(Debug, Default)]
struct FileTables(DynamicListTableFactory);

impl FileTables {
    fn state(&self) -> Result<SessionState> {
        let session = self.0.session_store().get_session().upgrade();
        let state =
            session.and_then(|session| session.read().as_any().downcast_ref::<SessionState>().cloned());
        state.ok_or_else(|| plan_datafusion_err!("the session has ended"))
    }
}

#[async_trait]
impl UrlTableFactory for FileTables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if NEW_TABLE.try_with(|table| table.as_deref() == Some(name)).unwrap_or(false) {
            return Ok(None);
        }
        let state = self.state()?;
        // The engine asks for the names of table functions, too, as if they were tables.
        if state.table_functions().contains_key(name) {
            return Ok(None);
        }
        if is_stdin_location(name) {
            return plan_err!(
                "'{name}' is standard input, which can be read once: CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{name}' makes a \
                 table of it"
            );
        }
        let Ok(url) = ListingTableUrl::parse(name) else { return Ok(None) };
        // datafusion-cli registers the store and asks again.
        let Ok(store) = state.runtime_env().object_store(&url) else { return Ok(None) };
        if matches!(url.scheme(), "http" | "https") {
            store.head(url.prefix()).await.map_err(|error| url_error(name, error))?;
        }
        let files = url.list_all_files(&state, store.as_ref(), "").await?;
        let mut files: Vec<ObjectMeta> = files.try_collect().await?;
        // A folder of hidden files only is meant to be read.
        if !files.iter().all(|file| is_hidden(&url, file)) {
            files.retain(|file| !is_hidden(&url, file));
        }
        let Some(first) = files.first() else { return without_files(name, &url) };
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        for file in &files {
            let Some(kind) = Kind::of(file)? else { continue };
            if file.size == 0 && NEVER_EMPTY.contains(&kind.format.as_str()) {
                let (file, format) = (file_name(&url.object_store(), &file.location), kind.format);
                return plan_err!(
                    "the file {file} has 0 bytes, which is no {format} file: remove it, or wait until it is written"
                );
            }
            *kinds.entry(kind).or_default() += 1;
        }
        let Some((kind, _)) = kinds.iter().max_by_key(|(_, files)| **files) else {
            return plan_err!("{}", unknown_kind_error(name, &url, first, files.len()));
        };
        if kinds.len() == 1 {
            return table(&state, url, kind).await.map(Some);
        }
        let advice = match url.get_glob() {
            None => format!("as in '{}/*{}'", name.trim_end_matches('/'), kind.ending()),
            Some(_) => format!("with {} at the end of the pattern", kind.ending()),
        };
        let counts: Vec<String> =
            kinds.iter().map(|(kind, files)| format!("{files} {}", kind.ending())).collect();
        plan_err!(
            "'{name}' has files of several kinds ({}): name those of one kind, {advice}",
            counts.join(", ")
        )
    }
}

/// The kind of a file, by the end of its name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    format: String,
    compression: Option<String>,
}

impl Kind {
    /// The kind of a file; none if it is not known.
    fn of(file: &ObjectMeta) -> Result<Option<Self>> {
        let name = file.location.as_ref();
        let (format, compression) = ListingTableConfig::infer_file_extension_and_compression_type(name)?;
        let is_readable = READABLE.iter().any(|readable| format.eq_ignore_ascii_case(readable));
        Ok(is_readable.then_some(Self { format, compression }))
    }

    fn ending(&self) -> String {
        match &self.compression {
            Some(compression) => format!(".{}.{compression}", self.format),
            None => format!(".{}", self.format),
        }
    }
}

/// Whether programs leave such a file or folder beside their data: `_SUCCESS`, `_delta_log/`, `.data.csv.swp`.
fn is_hidden(url: &ListingTableUrl, file: &ObjectMeta) -> bool {
    // A file that is named itself is not hidden.
    let below = url.strip_prefix(&file.location);
    below.is_some_and(|mut below| below.any(|part| part.starts_with(['_', '.']) && !part.contains('=')))
}

async fn table(state: &SessionState, url: ListingTableUrl, kind: &Kind) -> Result<Arc<dyn TableProvider>> {
    let compression = kind.compression.iter().map(|kind| ("format.compression".to_string(), kind.clone()));
    let factory = state.get_file_format_factory(&kind.format);
    let factory =
        factory.ok_or_else(|| plan_datafusion_err!("this session reads no {} files", kind.format))?;
    let format = factory.create(state, &compression.collect::<HashMap<_, _>>())?;
    let options = ListingOptions::new(format).with_file_extension(kind.ending());
    let config = ListingTableConfig::new(url).with_listing_options(options);
    let config = config.infer_partitions_from_path(state).await?.infer_schema(state).await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

fn without_files(name: &str, url: &ListingTableUrl) -> Result<Option<Arc<dyn TableProvider>>> {
    match url.get_glob() {
        Some(_) => plan_err!("no file matches '{name}'"),
        None if url.is_folder() && Path::new(&file_name(&url.object_store(), url.prefix())).is_dir() => {
            plan_err!(
                "the folder '{name}' is there, but has no file in it; those of the folders in it are read after SET \
                 datafusion.execution.listing_table_ignore_subdirectory = false"
            )
        }
        None => Ok(None),
    }
}

fn unknown_kind_error(name: &str, url: &ListingTableUrl, file: &ObjectMeta, files: usize) -> String {
    let endings = "expected .csv, .json, .parquet, .arrow or .avro";
    if url.is_collection() || url.get_glob().is_some() {
        let example = file_name(&url.object_store(), &file.location);
        return format!(
            "'{name}' has {files} file(s), but none whose name says what is in it, as {example} does not: {endings}"
        );
    }
    format!(
        "the file '{name}' is there, but its name doesn't say what is in it: {endings}; CREATE EXTERNAL TABLE t STORED AS CSV \
         LOCATION '{name}' reads it under any name"
    )
}

fn url_error(name: &str, error: object_store::Error) -> DataFusionError {
    match error {
        object_store::Error::NotFound { .. } => plan_datafusion_err!("there is no file at {name}"),
        error => error.into(),
    }
}
