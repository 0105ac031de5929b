//! Work that waits for a disk or a store, on a thread that may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, exec_datafusion_err};

/// Runs work on a blocking thread. The flag is set when nobody waits for the result any more: a blocking task that has started
/// can't be aborted otherwise.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce(Arc<AtomicBool>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let cancel = CancelOnDrop(Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&cancel.0);
    let done = SpawnedTask::spawn_blocking(move || work(flag)).join_unwind().await;
    drop(cancel);
    done.map_err(|error| exec_datafusion_err!("reading files was stopped: {error}"))?
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
