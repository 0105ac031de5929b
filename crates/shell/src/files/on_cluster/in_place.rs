//! Tables of files that the engine reads in place.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::common::config::{CsvOptions, JsonOptions};
use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SessionState;
use datafusion::object_store::{ObjectMeta, ObjectStoreExt};
use datafusion_dbcluster::file_versions::file_name;
use datafusion_dbcluster::logs::{Format, PassedOver, ReadOptions};
use futures::TryStreamExt;

/// The kinds of files that are no text, by the ends of their names.
const BINARY: [&str; 3] = ["parquet", "arrow", "avro"];

/// Endings of compressed files.
const COMPRESSIONS: [(&str, CompressionTypeVariant); 4] = [
    (".gz", CompressionTypeVariant::GZIP),
    (".bz2", CompressionTypeVariant::BZIP2),
    (".xz", CompressionTypeVariant::XZ),
    (".zst", CompressionTypeVariant::ZSTD),
];

/// The table of files that are all of one kind that is no text; none if they are not.
pub(super) async fn binary(
    state: &SessionState,
    url: &ListingTableUrl,
    files: &[ObjectMeta],
) -> Result<Option<Arc<dyn TableProvider>>> {
    let Some(kind) = binary_kind(url, files)? else { return Ok(None) };
    let factory = state.get_file_format_factory(kind);
    let factory = factory.ok_or_else(|| plan_datafusion_err!("this session reads no {kind} files"))?;
    let format = factory.create(state, &HashMap::new())?;
    let options = ListingOptions::new(format).with_file_extension(format!(".{kind}"));
    let shallow = list(state, url).await?;
    let config = if files.iter().all(|file| is_hidden(url, file) || shallow.contains(file)) {
        let config = ListingTableConfig::new(url.clone()).with_listing_options(options);
        config.infer_partitions_from_path(state).await?
    } else {
        // The engine lists no files of folders in a folder, unless each is named.
        let files = files.iter().filter(|file| !is_hidden(url, file));
        let urls = files.map(|file| url_of(url, file)).collect::<Result<Vec<_>>>()?;
        ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options)
    };
    Ok(Some(Arc::new(ListingTable::try_new(config.infer_schema(state).await?)?)))
}

/// The files of a path that the engine lists.
async fn list(state: &SessionState, url: &ListingTableUrl) -> Result<Vec<ObjectMeta>> {
    let store = state.runtime_env().object_store(url)?;
    url.list_all_files(state, store.as_ref(), "").await?.try_collect().await
}

/// The files of a path at any depth.
pub(super) async fn list_deep(state: &SessionState, url: &ListingTableUrl) -> Result<Vec<ObjectMeta>> {
    let mut state = state.clone();
    state.config_mut().options_mut().execution.listing_table_ignore_subdirectory = false;
    list(&state, url).await
}

/// The kind that all files have that are not hidden.
fn binary_kind(url: &ListingTableUrl, files: &[ObjectMeta]) -> Result<Option<&'static str>> {
    let mut common = None;
    for file in files.iter().filter(|file| !is_hidden(url, file)) {
        let name = file.location.as_ref().to_ascii_lowercase();
        let kind = BINARY.into_iter().find(|kind| name.ends_with(&format!(".{kind}")));
        let Some(kind) = kind.filter(|kind| common.is_none_or(|common| common == *kind)) else {
            return Ok(None);
        };
        if file.size == 0 {
            let file = file_name(&url.object_store(), &file.location);
            return plan_err!(
                "the file {file} has 0 bytes, which is no {kind} file: remove it, or wait until it is written"
            );
        }
        common = Some(kind);
    }
    Ok(common)
}

/// Whether programs leave such a file or folder beside their data: `_SUCCESS`, `_delta_log/`, `.data.csv.swp`.
fn is_hidden(url: &ListingTableUrl, file: &ObjectMeta) -> bool {
    // A file that is named itself is not hidden.
    let below = url.strip_prefix(&file.location);
    below.is_some_and(|mut below| below.any(|part| part.starts_with(['_', '.']) && !part.contains('=')))
}

/// A form of text that the engine has a reader for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// One object per line.
    Json,
    /// Values with this byte between them, below a header or without one.
    Csv { delimiter: u8, header: bool },
}

impl Text {
    /// The forms that a text may have.
    pub(super) fn candidates(options: &ReadOptions) -> Vec<Self> {
        let header = options.header.unwrap_or(true);
        let csv = |delimiter| Self::Csv { delimiter, header };
        let delimiters = options.delimiter.map_or_else(|| b",;\t|".to_vec(), |delimiter| vec![delimiter]);
        let delimited = delimiters.into_iter().map(csv);
        match options.format {
            Some(Format::Json) => vec![Self::Json],
            Some(Format::Csv) => delimited.collect(),
            Some(_) => vec![],
            None => std::iter::once(Self::Json).chain(delimited).collect(),
        }
    }

    /// The files as a table of this form.
    pub(super) async fn table(
        self,
        state: &SessionState,
        url: &ListingTableUrl,
        schema: &Schema,
        passed_over: &[PassedOver],
    ) -> Result<Arc<dyn TableProvider>> {
        self.table_of(state, url, schema, passed_over, false).await
    }

    /// The same table for many tasks, which read parts of a file: only where each row is a line, so that a part begins with a row.
    pub(super) async fn ready(
        self,
        state: &SessionState,
        url: &ListingTableUrl,
        schema: &Schema,
        passed_over: &[PassedOver],
        rows: u64,
    ) -> std::result::Result<Arc<dyn TableProvider>, String> {
        let failed = |error: datafusion::common::DataFusionError| super::words(&error);
        let files = visible(state, url).await.map_err(failed)?;
        let mut lines = 0;
        for file in files.iter().filter(|file| compression(file).is_none()) {
            lines += self.lines(state, url, file).await.map_err(failed)?;
        }
        let is_compressed = files.iter().any(|file| compression(file).is_some());
        let each_row_is_a_line = is_compressed || lines == rows;
        if self == Self::Json && !each_row_is_a_line {
            return Err("its objects do not stand one on a line".to_string());
        }
        self.table_of(state, url, schema, passed_over, !each_row_is_a_line).await.map_err(failed)
    }

    async fn table_of(
        self,
        state: &SessionState,
        url: &ListingTableUrl,
        schema: &Schema,
        passed_over: &[PassedOver],
        newlines_in_values: bool,
    ) -> Result<Arc<dyn TableProvider>> {
        let files = visible(state, url).await?;
        let compressed = files.first().and_then(compression);
        if files.iter().any(|file| compression(file) != compressed) {
            return plan_err!("some files are compressed, and some are not");
        }
        let compression = compressed.unwrap_or(CompressionTypeVariant::UNCOMPRESSED);
        let format: Arc<dyn FileFormat> = match self {
            Self::Json => Arc::new(
                JsonFormat::default().with_options(JsonOptions { compression, ..JsonOptions::default() }),
            ),
            Self::Csv { delimiter, header } => Arc::new(
                CsvFormat::default().with_options(
                    CsvOptions { compression, ..CsvOptions::default() }
                        .with_delimiter(delimiter)
                        .with_has_header(header)
                        .with_newlines_in_values(newlines_in_values),
                ),
            ),
        };
        let options = ListingOptions::new(format).with_file_extension("");
        let in_folders = files.iter().any(|file| {
            url.strip_prefix(&file.location).is_some_and(|mut below| below.any(|part| part.contains('=')))
        });
        let config = if in_folders && passed_over.is_empty() {
            let config = ListingTableConfig::new(url.clone()).with_listing_options(options);
            config.infer_partitions_from_path(state).await?
        } else {
            let urls = files.iter().map(|file| url_of(url, file)).collect::<Result<Vec<_>>>()?;
            ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options)
        };
        let folders: Vec<String> = config
            .options
            .iter()
            .flat_map(|options| options.table_partition_cols.iter().map(|(name, _)| name.clone()))
            .collect();
        let fields = schema.fields().iter().filter(|field| !folders.contains(field.name())).cloned();
        let config = config.with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
        Ok(Arc::new(ListingTable::try_new(config)?))
    }

    /// The number of lines of a file that may be rows; for JSON those that are an object by their first and last character.
    async fn lines(self, state: &SessionState, url: &ListingTableUrl, file: &ObjectMeta) -> Result<u64> {
        let store = state.runtime_env().object_store(url)?;
        let mut pieces = store.get(&file.location).await?.into_stream();
        let mut counted = Lines::default();
        while let Some(piece) = pieces.try_next().await? {
            counted.take(&piece);
        }
        counted.end();
        Ok(match self {
            Self::Json if counted.objects < counted.all => u64::MAX,
            Self::Json => counted.all,
            Self::Csv { header, .. } => counted.all.saturating_sub(u64::from(header)),
        })
    }
}

/// Counts lines that are not blank.
#[derive(Debug, Default)]
struct Lines {
    all: u64,
    /// Those that begin with `{` and end with `}`.
    objects: u64,
    first: Option<u8>,
    last: Option<u8>,
}

impl Lines {
    fn take(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\n' => self.end(),
                b' ' | b'\t' | b'\r' => {}
                byte => {
                    self.first.get_or_insert(*byte);
                    self.last = Some(*byte);
                }
            }
        }
    }

    fn end(&mut self) {
        let (first, last) = (self.first.take(), self.last.take());
        self.all += u64::from(first.is_some());
        self.objects += u64::from(first == Some(b'{') && last == Some(b'}'));
    }
}

/// The files of a path without hidden ones, in the order of their names.
async fn visible(state: &SessionState, url: &ListingTableUrl) -> Result<Vec<ObjectMeta>> {
    let mut files = list_deep(state, url).await?;
    files.retain(|file| !is_hidden(url, file) && file.size > 0);
    files.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(files)
}

/// The URL of one of the files.
fn url_of(url: &ListingTableUrl, file: &ObjectMeta) -> Result<ListingTableUrl> {
    let store = url.object_store();
    let mut of_file = url::Url::parse(store.as_str()).map_err(|error| plan_datafusion_err!("{error}"))?;
    if let Ok(mut segments) = of_file.path_segments_mut() {
        segments.clear().extend(file.location.parts().map(|part| part.as_ref().to_string()));
    }
    ListingTableUrl::try_new(of_file, None)
}

fn compression(file: &ObjectMeta) -> Option<CompressionTypeVariant> {
    let name = file.location.as_ref().to_ascii_lowercase();
    COMPRESSIONS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, compression)| *compression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted() {
        for (text, all, objects) in [
            ("", 0, 0),
            ("{}\n{}", 2, 2),
            (" {\"a\": 1} \r\n\n{}\n", 2, 2),
            ("{\n\"a\": {}\n}\n", 3, 0),
            ("[{}]\n", 1, 0),
        ] {
            for cut in 0..=text.len() {
                let mut lines = Lines::default();
                lines.take(&text.as_bytes()[..cut]);
                lines.take(&text.as_bytes()[cut..]);
                lines.end();
                assert_eq!((lines.all, lines.objects), (all, objects), "{text}");
            }
        }
    }
}
