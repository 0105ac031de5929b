//! The versions of the files that a query on a cluster reads twice, noted before it is sent.
//!
//! `dbcluster` reads its table twice, so the files must be the same both times. On one machine the operator
//! [`UnchangedFilesExec`] compares them, and the join that fetches exemplars fails if one has gone. On a cluster that join sends
//! the clusters to every task that reads events, and no task knows whether another one has found an exemplar; see
//! [`BroadcastClusters`]. So the client notes the files before it sends the query, and compares them when the last row has come.
//! New files do no harm: no cluster is missing for them.
//!
//! [`UnchangedFilesExec`]: datafusion_dbcluster::distributed::UnchangedFilesExec
//! [`BroadcastClusters`]: datafusion_dbcluster::distributed::BroadcastClusters

use std::any::Any;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::{ListingTable, ListingTableUrl};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;

use datafusion_dbcluster::distributed::is_labelling;
use datafusion_dbcluster::file_versions::FileVersions;

/// Notes the files that a plan of this crate's table functions reads twice.
pub(super) async fn files_read_twice(plan: &LogicalPlan, session: &dyn Session) -> Result<FileVersions> {
    let mut clusters = false;
    let mut places: Vec<(ListingTableUrl, String, usize)> = vec![];
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::Window(window) => clusters |= is_labelling(window),
            LogicalPlan::TableScan(scan) => {
                let provider = source_as_provider(&scan.source)?;
                let provider: &dyn Any = provider.as_ref();
                if let Some(table) = provider.downcast_ref::<ListingTable>() {
                    for url in table.table_paths() {
                        match places.iter_mut().find(|(known, ..)| known == url) {
                            Some((_, _, looks)) => *looks += 1,
                            None => places.push((url.clone(), table.options().file_extension.clone(), 1)),
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut files = FileVersions::default();
    for (url, extension, _) in places.iter().filter(|(_, _, looks)| clusters && *looks > 1) {
        let store = session.runtime_env().object_store(url.object_store())?;
        let listed = list(url, extension, store.as_ref()).await?;
        files.note(&url.object_store(), &store, listed);
    }
    Ok(files)
}

/// Lists the files of a table, without the engine's cache of listings.
async fn list(url: &ListingTableUrl, extension: &str, store: &dyn ObjectStore) -> Result<Vec<ObjectMeta>> {
    if !url.is_collection() && url.get_glob().is_none() {
        return Ok(vec![store.head(url.prefix()).await?]);
    }
    let is_of_table = |file: &ObjectMeta| {
        url.contains(&file.location, false) && file.location.as_ref().ends_with(extension)
    };
    let files: Vec<ObjectMeta> = store.list(Some(url.prefix())).try_collect().await?;
    Ok(files.into_iter().filter(is_of_table).collect())
}
