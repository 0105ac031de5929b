//! Files whose rows the executors of a cluster read.
//!
//! Executors see the files, and not the memory of this process. Parquet, Arrow and Avro files they read as they are. Of text
//! they have the engine's readers of CSV and JSON lines, which know less than those of one machine. So this process reads
//! the text once, which finds the types that hold every value, and then once more with the engine's reader and these types. Where
//! both give the same rows, the executors get that reader. All other text is refused, with the command that makes it Parquet.
//!
//! | module | task |
//! |---|---|
//! | `in_place` | tables that the engine reads: by the kind in the name, or with given types |
//! | `same_rows` | whether two tables have the same rows in the same order |

mod in_place;
mod same_rows;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Schema};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result, plan_datafusion_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::SessionState;
use datafusion::object_store::ObjectMeta;
use datafusion_dbcluster::logs::{Format, PassedOver, ReadOptions, Report};
use datafusion_dbcluster::near_miss::excerpt;
use datafusion_dbcluster::{LogTables, ReadElsewhere, ReadListener};

use super::account::Account;
use in_place::Text;
use same_rows::Difference;

/// The tables that were found to be the same on all machines, by name.
#[derive(Debug)]
pub(crate) struct SharedTables {
    account: Arc<Account>,
    tables: Mutex<Vec<Shared>>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    files: Vec<ObjectMeta>,
    options: ReadOptions,
    table: Arc<dyn TableProvider>,
}

#[async_trait]
impl ReadElsewhere for SharedTables {
    /// The error about files that the executors can't read says why, and what to do.
    async fn table(
        &self,
        state: &SessionState,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Ok(url) = ListingTableUrl::parse(name) else { return Ok(None) };
        // The reading tells of a folder that can't be listed.
        let files = in_place::list_deep(state, &url).await.unwrap_or_default();
        if let Some(table) = in_place::binary(state, &url, &files).await? {
            return Ok(Some(table));
        }
        if let Some(table) = self.find(name, &files, options) {
            return Ok(Some(table));
        }
        let heard = Arc::new(Heard { account: Arc::clone(&self.account), report: Mutex::default() });
        let tables = LogTables::new(Some(Arc::clone(&heard) as Arc<dyn ReadListener>));
        let Some(rows) = tables.table(state, name, options).await? else { return Ok(None) };
        let report = heard.report.lock().unwrap_or_else(PoisonError::into_inner).take();
        let table = shared(state, &url, &rows, report, options).await;
        let table = table.map_err(|reason| refused(name, &reason))?;
        let mut all = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|shared| shared.name != name);
        let shared = Shared { name: name.to_string(), files, options: options.clone(), table };
        let table = Arc::clone(&shared.table);
        all.push(shared);
        Ok(Some(table))
    }
}

impl SharedTables {
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), tables: Mutex::default() }
    }

    fn find(
        &self,
        name: &str,
        files: &[ObjectMeta],
        options: &ReadOptions,
    ) -> Option<Arc<dyn TableProvider>> {
        let all = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            |shared: &&Shared| shared.name == name && shared.files == files && &shared.options == options;
        all.iter().find(is_same).map(|shared| Arc::clone(&shared.table))
    }
}

/// Keeps the report of a reading, and passes it on.
struct Heard {
    account: Arc<Account>,
    report: Mutex<Option<(Report, Vec<PassedOver>)>>,
}

impl ReadListener for Heard {
    fn has_read(&self, name: &str, report: &Report, passed_over: &[PassedOver], seconds: f64) {
        self.account.has_read(name, report, passed_over, seconds);
        let mut heard = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = Some((report.clone(), passed_over.to_vec()));
    }

    fn is_cancelled(&self) -> bool {
        self.account.is_cancelled()
    }
}

/// The table that the engine's readers make of the files with the rows that were read here, or the reason why there is none.
async fn shared(
    state: &SessionState,
    url: &ListingTableUrl,
    rows: &Arc<dyn TableProvider>,
    report: Option<(Report, Vec<PassedOver>)>,
    options: &ReadOptions,
) -> std::result::Result<Arc<dyn TableProvider>, String> {
    let Some((report, passed_over)) = report else {
        return Err("it has files of several kinds, or whose names do not say theirs".to_string());
    };
    if let [first, others @ ..] = report.rejected.as_slice() {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        return Err(format!("line {} of {} can't be read{more}", first.line, excerpt(&first.file)));
    }
    let schema = rows.schema();
    if let Some(field) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
        return Err(format!("the column {} has objects or lists", excerpt(field.name())));
    }
    if options.file_column {
        return Err("the column _file is made here".to_string());
    }
    let schema = plain(&schema);
    // The form that has the most rows in common says best what is wrong.
    let mut nearest: Option<Difference> = None;
    for text in Text::candidates(options) {
        let compared = async {
            let table = text.table(state, url, &schema, &passed_over).await?;
            same_rows::compare(state, rows, &table).await
        };
        let difference = match compared.await {
            Ok(None) => return text.ready(state, url, &schema, &passed_over, report.rows).await,
            Ok(Some(difference)) => difference,
            Err(error) => Difference { after: 0, words: words(&error) },
        };
        if nearest.as_ref().is_none_or(|nearest| nearest.after < difference.after) {
            nearest = Some(difference);
        }
    }
    let kind = match options.format {
        Some(Format::Zeek) => "Zeek's format",
        Some(Format::W3c) => "the W3C format",
        Some(Format::Audit) => "the log of auditd",
        Some(Format::Lines) => "plain lines",
        Some(Format::Evtx) => "event logs of Windows",
        _ => "this form of text",
    };
    let difference = nearest.map_or_else(String::new, |nearest| format!(": {}", excerpt(&nearest.words)));
    Err(format!("their reader does not know {kind}, or gives other values{difference}"))
}

/// The schema with types that all processes of a cluster know.
fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn words(error: &DataFusionError) -> String {
    super::super::failure::describe(error).lines().next().unwrap_or_default().to_string()
}

fn refused(name: &str, reason: &str) -> DataFusionError {
    let stem = Path::new(name.trim_end_matches(['/', '*'])).file_stem();
    let stem = stem.and_then(|stem| stem.to_str()).filter(|stem| !stem.contains('*')).unwrap_or("logs");
    plan_datafusion_err!(
        "the executors of a cluster can't read '{}' as one machine does: {reason}; make it a Parquet file where they see it: \
         dbcluster import '{}' --out '{stem}.parquet'",
        excerpt(name),
        excerpt(name)
    )
}
