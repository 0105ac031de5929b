//! What tells a file from all others: the SHA-256 of its bytes.

use std::fmt::Write;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::runtime::SpawnedTask;
use datafusion_dbcluster::FoundFiles;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::manifest::ImportedFile;
use crate::failure::Failure;

/// The files that are read at the same time.
const AT_ONCE: usize = 4;

/// The bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// Reads files, and tells each by its content: its name as it was found, and what the list has of it. `import` is the number of the import
/// that they are for.
pub(super) async fn fingerprints(
    files: &FoundFiles,
    import: u64,
) -> Result<Vec<(String, ImportedFile)>, Failure> {
    let sources = files.sources(&Handle::current());
    if let Some(pipe) = sources.iter().find(|source| source.opens_once()) {
        return Err(Failure::new(format!(
            "{} is a pipe: an archive knows its sources by their content, and a pipe is read only once; store it in a file, or name a file \
             with --out x.parquet",
            pipe.name()
        )));
    }
    // Threads that read see that nobody waits for them any more.
    let is_over = Over::default();
    let read = sources.into_iter().map(|source| async {
        let name = source.name().to_string();
        let over = Arc::clone(&is_over.0);
        let is_cancelled = move || over.load(Ordering::Relaxed);
        let read = SpawnedTask::spawn_blocking(move || fingerprint(source.open()?, is_cancelled)).await;
        let read = read.map_err(|error| Failure::new(error.to_string()))?;
        let (bytes, sha256) =
            read.map_err(|error| Failure::new(format!("can't read the file {name}: {error}")))?;
        Ok((name.clone(), ImportedFile { name: full_name(&name), bytes, sha256, import }))
    });
    stream::iter(read).buffered(AT_ONCE).try_collect().await
}

/// A flag that is set when it is dropped.
#[derive(Default)]
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The number of bytes, and their SHA-256.
pub(super) fn fingerprint(
    mut reader: impl Read,
    is_cancelled: impl Fn() -> bool,
) -> io::Result<(u64, String)> {
    let mut block = vec![0; BLOCK];
    let mut hash = Sha256::new();
    let mut bytes = 0;
    loop {
        if is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let read = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(block.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
    let sha256 = hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    Ok((bytes, sha256))
}

/// A path from the root, so that it means the same in any folder; a URL as it is.
fn full_name(name: &str) -> String {
    if name.contains("://") {
        return name.to_string();
    }
    std::path::absolute(name).map_or_else(|_| name.to_string(), |path| path.display().to_string())
}
