//! Whether the files of a query stayed the same while it ran.
//!
//! `dbcluster` reads its table twice, so the files must be the same both times. On one machine a cluster whose exemplar has
//! gone is noticed by the join that looks for it. On many machines that join sends the clusters to every task that reads
//! events, and no task knows that none of the others has found one; see [`broadcast`](crate::dbcluster::broadcast). So the
//! client notes size, time and tag of the files before it sends the query, and looks again when the last row has come. Two
//! listings per table are all it costs. New files do no harm: no cluster is missing for them.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::listing::{ListingTable, ListingTableUrl};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;

use crate::dbcluster::broadcast::is_fetch;

/// The files that a query reads twice, as they were before.
#[derive(Debug, Clone, Default)]
pub(super) struct FileVersions(Vec<Arc<Place>>);

/// One location of a table.
#[derive(Debug)]
struct Place {
    url: ListingTableUrl,
    /// How the table's files end.
    extension: String,
    store: Arc<dyn ObjectStore>,
    files: HashMap<Path, ObjectMeta>,
}

impl FileVersions {
    /// Looks at the files that exemplars are fetched from.
    pub(super) async fn of_exemplars(plan: &LogicalPlan, session: &dyn Session) -> Result<Self> {
        let mut tables = vec![];
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Join(join) = node
                && is_fetch(join)
            {
                join.right.apply_with_subqueries(|node| {
                    if let LogicalPlan::TableScan(scan) = node {
                        tables.push(source_as_provider(&scan.source)?);
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let mut places: Vec<Arc<Place>> = vec![];
        for table in &tables {
            let table: &dyn Any = table.as_ref();
            let Some(table) = table.downcast_ref::<ListingTable>() else { continue };
            for url in table.table_paths() {
                if places.iter().any(|place| place.url == *url) {
                    continue;
                }
                let store = session.runtime_env().object_store(url.object_store())?;
                let extension = table.options().file_extension.clone();
                let files = list(url, &extension, store.as_ref()).await?;
                places.push(Arc::new(Place { url: url.clone(), extension, store, files }));
            }
        }
        Ok(Self(places))
    }

    /// Fails if one of the files is another one now.
    pub(super) async fn check(&self) -> Result<()> {
        for place in &self.0 {
            let now = list(&place.url, &place.extension, place.store.as_ref()).await?;
            for (path, before) in &place.files {
                if now.get(path).is_none_or(|now| !is_same(before, now)) {
                    return exec_err!(
                        "the table changed while it was clustered: the file {path} is not the one that was read first; run the \
                         query again, or on a copy"
                    );
                }
            }
        }
        Ok(())
    }
}

fn is_same(before: &ObjectMeta, now: &ObjectMeta) -> bool {
    before.size == now.size
        && before.last_modified == now.last_modified
        && before.e_tag == now.e_tag
        && before.version == now.version
}

/// Past the engine's cache of listings, which is there to not look again.
async fn list(
    url: &ListingTableUrl,
    extension: &str,
    store: &dyn ObjectStore,
) -> Result<HashMap<Path, ObjectMeta>> {
    if !url.is_collection() && url.get_glob().is_none() {
        let file = store.head(url.prefix()).await?;
        return Ok(HashMap::from([(file.location.clone(), file)]));
    }
    let is_of_table = |file: &ObjectMeta| {
        url.contains(&file.location, false) && file.location.as_ref().ends_with(extension)
    };
    let files: Vec<ObjectMeta> = store.list(Some(url.prefix())).try_collect().await?;
    Ok(files.into_iter().filter(is_of_table).map(|file| (file.location.clone(), file)).collect())
}
