//! Connections of an executor to others, kept open between two fetches of rows.
//!
//! Ballista's own pool is private to its executor, and comes only with its own engine; see [`engine`](super::engine).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::Result;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;

/// The host, the port and the settings of a connection. Connections with the same key can stand for each other.
type Key = (String, u16, GrpcClientConfig);

/// The unused connections with the time of their last use, the longest unused first.
type Idle = HashMap<Key, Vec<(Instant, BallistaClient)>>;

/// A pool of connections that are unused at the moment.
pub(super) struct Connections {
    idle: Arc<Mutex<Idle>>,
    /// A connection is closed when it was unused for this long.
    keep: Duration,
}

impl Connections {
    pub(super) fn new(keep: Duration) -> Self {
        Self { idle: Arc::default(), keep }
    }

    /// An unused connection, after those have been closed that were unused for too long.
    fn take(&self, key: &Key) -> Option<BallistaClient> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, connections| {
            connections.retain(|(since, _)| since.elapsed() < self.keep);
            !connections.is_empty()
        });
        Some(idle.get_mut(key)?.pop()?.1)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("keep", &self.keep).finish_non_exhaustive()
    }
}

#[async_trait]
impl BallistaClientPool for Connections {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        config: &GrpcClientConfig,
        customize_endpoint: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient> {
        let key = (host.to_string(), port, config.clone());
        let client = match self.take(&key) {
            Some(client) => client,
            None => {
                BallistaClient::try_new(
                    host,
                    port,
                    config.max_message_size,
                    config.use_tls,
                    customize_endpoint,
                    config.io_retries_times,
                    config.io_retry_wait_time_ms,
                    config.initial_connection_window_size,
                    config.initial_stream_window_size,
                )
                .await?
            }
        };
        let idle = Arc::clone(&self.idle);
        let give_back = move |client| {
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(key).or_default().push((Instant::now(), client));
        };
        Ok(PooledClient::new(client, Box::new(give_back)))
    }

    async fn evict_idle(&self) {
        // Taking a connection closes the old ones, and no connection has this key.
        let nobody = (String::new(), 0, GrpcClientConfig::default());
        let _ = self.take(&nobody);
    }
}
