//! The object stores of a session: those of datafusion-cli, except for local files, which have [`LocalFiles`].

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::object_store::ObjectStore;
use datafusion_cli::object_storage::instrumented::InstrumentedObjectStoreRegistry;
use url::Url;

use dbcluster_files::LocalFiles;

/// The object stores of a session. Requests to local files are not profiled, as in datafusion-cli.
#[derive(Debug)]
pub(crate) struct Stores {
    others: Arc<InstrumentedObjectStoreRegistry>,
    local: Arc<LocalFiles>,
}

impl Stores {
    pub(crate) fn new(others: &Arc<InstrumentedObjectStoreRegistry>) -> Arc<Self> {
        Arc::new(Self { others: Arc::clone(others), local: Arc::default() })
    }
}

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.others.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.others.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        match url.scheme() {
            "file" => Ok(Arc::clone(&self.local) as _),
            _ => self.others.get_store(url),
        }
    }
}
