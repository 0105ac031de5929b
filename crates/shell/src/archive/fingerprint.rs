//! The SHA-256 of a file's bytes tells it from all others.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::runtime::SpawnedTask;
use datafusion_dbcluster::FoundFiles;
use datafusion_dbcluster::logs::Source;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::manifest::{ImportedFile, Manifest};
use crate::failure::Failure;

/// The files that are read at the same time.
const AT_ONCE: usize = 4;

/// The bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// The shortest beginning by which a file is known again: a header alone begins many files.
const SHORTEST: u64 = 512;

/// A file that was found.
pub(super) struct Content {
    /// Its entry in the list.
    pub(super) file: ImportedFile,
    /// The longest earlier source whose bytes it begins with, as a log does that has grown since, and may have another name now.
    pub(super) begins_with: Option<String>,
}

/// Reads files, and tells each by its content, with its name as it was found.
pub(super) async fn fingerprints(
    files: &FoundFiles,
    manifest: &Manifest,
) -> Result<Vec<(String, Content)>, Failure> {
    let sources = files.sources(&Handle::current());
    if let Some(pipe) = sources.iter().find(|source| source.opens_once()) {
        return Err(Failure::new(format!(
            "{} is a pipe: an archive knows its sources by their content, and a pipe is read only once; store it in a file, or name a file \
             with --out x.parquet",
            pipe.name()
        )));
    }
    let earlier: HashMap<&str, &str> =
        manifest.sources.iter().map(|source| (source.sha256.as_str(), source.name.as_str())).collect();
    let lengths: BTreeSet<u64> =
        manifest.sources.iter().map(|source| source.bytes).filter(|bytes| *bytes >= SHORTEST).collect();
    let lengths: Arc<[u64]> = lengths.into_iter().collect();
    // Threads that read see that nobody waits for them any more.
    let is_over = Over::default();
    let read = sources.into_iter().map(|source| async {
        let name = source.name().to_string();
        let (over, lengths) = (Arc::clone(&is_over.0), Arc::clone(&lengths));
        let is_cancelled = move || over.load(Ordering::Relaxed);
        let read =
            SpawnedTask::spawn_blocking(move || fingerprint(source.open()?, &lengths, is_cancelled)).await;
        let read = read.map_err(|error| Failure::new(error.to_string()))?;
        let ((bytes, sha256), beginnings) =
            read.map_err(|error| Failure::new(format!("can't read the file {name}: {error}")))?;
        let begins_with = beginnings.iter().rev().find_map(|beginning| earlier.get(beginning.as_str()));
        let begins_with = begins_with.map(ToString::to_string);
        let file = ImportedFile { name: full_name(&name), bytes, sha256, import: manifest.imports };
        Ok((name, Content { file, begins_with }))
    });
    stream::iter(read).buffered(AT_ONCE).try_collect().await
}

/// The number of bytes of a file, and their SHA-256.
pub(crate) async fn of_source(source: Box<dyn Source>) -> Result<(u64, String), Failure> {
    let name = source.name().to_string();
    let is_over = Over::default();
    let over = Arc::clone(&is_over.0);
    let is_cancelled = move || over.load(Ordering::Relaxed);
    let read = SpawnedTask::spawn_blocking(move || fingerprint(source.open()?, &[], is_cancelled)).await;
    let read = read.map_err(|error| Failure::new(error.to_string()))?;
    let (found, _) = read.map_err(|error| Failure::new(format!("can't read the file {name}: {error}")))?;
    Ok(found)
}

/// A flag that is set when it is dropped.
#[derive(Default)]
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The number of bytes, and their SHA-256; and those of the beginnings with these lengths, which ascend, as far as it is longer.
pub(super) fn fingerprint(
    mut reader: impl Read,
    lengths: &[u64],
    is_cancelled: impl Fn() -> bool,
) -> io::Result<((u64, String), Vec<String>)> {
    let mut block = vec![0; BLOCK];
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut beginnings = vec![];
    let mut lengths = lengths.iter().copied().peekable();
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
        let mut rest = block.get(..read).unwrap_or_default();
        while let Some(length) = lengths.next_if(|length| *length < bytes + rest.len() as u64) {
            let (before, after) = rest.split_at_checked((length - bytes) as usize).unwrap_or((rest, &[]));
            hash.update(before);
            bytes += before.len() as u64;
            beginnings.push(text_of(hash.clone()));
            rest = after;
        }
        hash.update(rest);
        bytes += rest.len() as u64;
    }
    Ok(((bytes, text_of(hash)), beginnings))
}

fn text_of(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A path from the root, so that it means the same in any folder; a URL as it is.
fn full_name(name: &str) -> String {
    if name.contains("://") {
        return name.to_string();
    }
    std::path::absolute(name).map_or_else(|_| name.to_string(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_fingerprints_of_their_own() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let of = |length: usize| fingerprint(&bytes[..length], &[], || false).expect("bytes").0;
        let lengths = [600, 601, 1 << 20, (1 << 20) + 1, 2_999_999, 3_000_000, 4_000_000];
        let (whole, beginnings) = fingerprint(bytes.as_slice(), &lengths, || false).expect("bytes");
        assert_eq!(whole, of(bytes.len()));
        let expected: Vec<String> = lengths[..5].iter().map(|length| of(*length as usize).1).collect();
        assert_eq!(beginnings, expected);
        assert!(fingerprint(bytes.as_slice(), &[], || true).is_err());
    }
}
