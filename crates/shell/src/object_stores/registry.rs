//! The object stores of a session: the engine's, except for local files, which have [`LocalFiles`].

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store::ObjectStore;
use url::Url;

use dbcluster_files::LocalFiles;

/// The object stores of a session.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    others: DefaultObjectStoreRegistry,
    local: Arc<LocalFiles>,
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
