//! The object stores of a cluster: folders that all its machines share, and S3.
//!
//! One set of options serves clients, scheduler and executors: the `AWS_...` variables of each process, and on top of them
//! the settings `s3.region`, `s3.endpoint`, `s3.allow_http`, `s3.access_key_id`, `s3.secret_access_key` and
//! `s3.session_token` of the client's session, which travel with its queries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ballista_core::object_store::{CustomObjectStoreRegistry, S3Options};
use datafusion::common::{Result, config_datafusion_err};
use datafusion::config::ExtensionOptions;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::object_store::ObjectStore;
use datafusion::prelude::SessionConfig;
use url::Url;

use dbcluster_files::LocalFiles;

/// The stores that a program registers, those of Ballista for `s3://`, `http://` and `https://`, and the one for local files.
#[derive(Debug)]
pub(super) struct ClusterStores {
    registered: DefaultObjectStoreRegistry,
    ballista: CustomObjectStoreRegistry,
    options: S3Options,
    /// The stores made so far, by address and options, kept for their connections.
    made: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl ClusterStores {
    /// The stores for a session. They follow its options as these change. Fails if the session has no options of S3, see
    /// [`configured`](super::configured).
    pub(super) fn of(config: &SessionConfig) -> Result<Arc<Self>> {
        let options = config.options().extensions.get::<S3Options>();
        let options = options.ok_or_else(|| config_datafusion_err!("the session has no options of S3"))?;
        let registered = DefaultObjectStoreRegistry::new();
        registered
            .register_store(ObjectStoreUrl::local_filesystem().as_ref(), Arc::new(LocalFiles::default()));
        Ok(Arc::new(Self {
            registered,
            ballista: CustomObjectStoreRegistry::new(options.clone()),
            options: options.clone(),
            made: Mutex::default(),
        }))
    }
}

impl ObjectStoreRegistry for ClusterStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.registered.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.registered.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let registered = self.registered.get_store(url);
        if registered.is_ok() || !matches!(url.scheme(), "s3" | "http" | "https") {
            return registered;
        }
        let mut key = format!("{}://{}", url.scheme(), url.authority());
        for entry in self.options.entries() {
            key.push('\n');
            key.push_str(entry.value.as_deref().unwrap_or_default());
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = made.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store = self.ballista.get_store(url)?;
        made.insert(key, Arc::clone(&store));
        Ok(store)
    }
}
