//! Waits for lookups of tables where the engine plans without `async`.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;

use datafusion::common::{Result, exec_datafusion_err};
use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

/// Blocks until a lookup has its result, since table functions are not async. Most catalogs answer at once. The others (files,
/// remote catalogs) are waited for on a thread of their own, because the caller may be blocking its runtime. They run on a
/// runtime that lives as long as the process, because the connections that they open outlive the lookup.
pub(crate) fn wait_for<F: Future<Output: Send> + Send>(lookup: F) -> Result<F::Output> {
    static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(1).thread_name("dbcluster-lookup").enable_all().build()
    });
    let runtime = RUNTIME
        .as_ref()
        .map_err(|error| exec_datafusion_err!("can't start a thread to look up tables: {error}"))?;
    let mut lookup = pin!(lookup);
    let answer = {
        let _context = runtime.enter();
        lookup.as_mut().now_or_never()
    };
    if let Some(answer) = answer {
        return Ok(answer);
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime.block_on(lookup));
        thread.join().map_err(|_| exec_datafusion_err!("looking up the table panicked"))
    })
}
