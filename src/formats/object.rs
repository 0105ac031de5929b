//! [`ObjectSource`]: the bytes of an object in a store, for a reader that blocks.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::common::runtime::SpawnedTask;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use dbcluster_logs::Source;
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// The number of parts of an object that wait for the reader.
const AHEAD: usize = 8;

/// An object of a store. The requests run on the runtime that the session plans on, while the reader waits on its own thread.
pub(super) struct ObjectSource {
    pub(super) name: String,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) location: Path,
    pub(super) runtime: Handle,
}

impl Source for ObjectSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let (sender, parts) = mpsc::channel(AHEAD);
        let (store, location) = (Arc::clone(&self.store), self.location.clone());
        let _on_runtime = self.runtime.enter();
        let requests = SpawnedTask::spawn(async move {
            let mut stream = match store.get(&location).await {
                Ok(found) => found.into_stream(),
                Err(error) => {
                    // Nobody hears of it if the reader is gone.
                    let _ = sender.send(Err(error.into())).await;
                    return;
                }
            };
            while let Some(part) = stream.next().await {
                if sender.send(part.map_err(io::Error::from)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Box::new(ObjectReader { parts, part: Bytes::new(), _requests: requests }))
    }
}

/// An object, part by part as it arrives.
struct ObjectReader {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
    /// Aborts the requests when the reader is gone.
    _requests: SpawnedTask<()>,
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.part = part?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.part.len());
        self.part.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
