//! [`LocalFiles`]: the store of local files, in which a file that can't be read to its end is an error.
//!
//! The engine's readers of text expect as many bytes as a file had when the query was planned. If it has become shorter, they
//! ask for the rest again and again, without end. A pipe can be read once, but they open it several times, and wait for a
//! writer or find nothing.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path as FilePath;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use futures::stream::{self, BoxStream, StreamExt};

/// The number of bytes that are read at once.
const PIECE: u64 = 64 * 1024;

/// The engine's store of local files, with errors where the engine's readers would wait or ask without end.
#[derive(Debug, Default)]
pub struct LocalFiles(LocalFileSystem);

impl fmt::Display for LocalFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LocalFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = self.0.path_to_filesystem(location)?;
        check_kind(&path)?;
        let wanted = options.range.clone();
        let mut found = self.0.get_opts(location, options).await?;
        if wanted.is_none() && !is_streamed(location) {
            return Ok(found);
        }
        found.payload = match found.payload {
            GetResultPayload::File(file, path) => {
                if let Some(GetRange::Bounded(wanted)) = wanted
                    && wanted.end > found.meta.size
                {
                    return Err(too_short(&path, found.meta.size, wanted.end));
                }
                GetResultPayload::Stream(pieces(file, path, found.range.clone()))
            }
            GetResultPayload::Stream(pieces) => GetResultPayload::Stream(pieces),
        };
        Ok(found)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let found = self.0.get_ranges(location, ranges).await;
        let Err(error) = found else { return found };
        let path = self.0.path_to_filesystem(location)?;
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        match fs::metadata(&path) {
            Ok(file) if file.len() < end => Err(too_short(&path, file.len(), end)),
            _ => Err(error),
        }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let list =
            prefix.and_then(|prefix| self.0.path_to_filesystem(prefix).ok()).map(|at| at.join(ARCHIVE_LIST));
        match list.filter(|list| list.is_file()) {
            Some(list) => archive(self.0.clone(), prefix.cloned(), list),
            None => self.0.list(prefix),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.0.rename_opts(from, to, options).await
    }
}

/// The file of an archive that lists its files. An import puts another folder in the place of the archive.
pub const ARCHIVE_LIST: &str = "_manifest";

/// Lists an archive. If an import takes its place meanwhile, it is listed again, so that no answer has some folders of the earlier
/// state and some of the new one.
fn archive(
    store: LocalFileSystem,
    prefix: Option<Path>,
    list: PathBuf,
) -> BoxStream<'static, Result<ObjectMeta>> {
    /// Imports don't come as often as this in the time of a listing.
    const MOST: usize = 100;
    let stamp = move || {
        let list = fs::metadata(&list).ok()?;
        Some((list.modified().ok(), list.len()))
    };
    let listed = async move {
        let mut before = stamp();
        let mut found = vec![];
        for _ in 0..MOST {
            found = store.list(prefix.as_ref()).collect().await;
            let after = stamp();
            if before == after {
                break;
            }
            before = after;
        }
        stream::iter(found)
    };
    stream::once(listed).flatten().boxed()
}

/// Whether the engine reads this file as a stream when it reads all of it. It seeks in files of other kinds, and would read a
/// stream of them into memory.
fn is_streamed(location: &Path) -> bool {
    let name = location.filename().unwrap_or_default().to_ascii_lowercase();
    [".csv", ".tsv"].iter().any(|ending| name.contains(ending))
}

/// Refuses a path that can be read only once, before it is opened, since opening a pipe waits. A missing file is left to the
/// engine's own error.
fn check_kind(path: &FilePath) -> Result<()> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    if found.is_file() || found.is_dir() {
        return Ok(());
    }
    let path = path.display();
    Err(store_error(format!(
        "{path} is a {}, which can be read once at most, and a query reads its files more than once: write it to a file first, as \
         with cat {path} > copy.csv",
        kind(found.file_type())
    )))
}

#[cfg(unix)]
fn kind(found: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    if found.is_fifo() {
        "pipe"
    } else if found.is_socket() {
        "socket"
    } else {
        "device"
    }
}

#[cfg(not(unix))]
fn kind(_: fs::FileType) -> &'static str {
    "device"
}

/// Reads a part of a file, piece by piece.
fn pieces(file: File, path: PathBuf, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    stream::try_unfold((file, path, range), |(mut file, path, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + PIECE);
        let mut piece = vec![0; (end - range.start) as usize];
        let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut piece));
        match read {
            Ok(()) => Ok(Some((Bytes::from(piece), (file, path, end..range.end)))),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                let length = file.metadata().map_or(range.start, |file| file.len());
                Err(too_short(&path, length, range.end))
            }
            Err(error) => Err(unreadable(&path, &error)),
        }
    })
    .boxed()
}

fn too_short(path: &FilePath, length: u64, expected: u64) -> Error {
    store_error(format!(
        "the file {} ends at byte {length}, where {expected} bytes were expected: it became shorter while it was read, or it is \
         damaged; run the query again, or on a copy",
        path.display()
    ))
}

fn unreadable(path: &FilePath, error: &std::io::Error) -> Error {
    store_error(format!("the file {} can't be read: {error}", path.display()))
}

fn store_error(text: String) -> Error {
    Error::Generic { store: "LocalFileSystem", source: text.into() }
}

#[cfg(test)]
mod tests {
    use datafusion::object_store::ObjectStoreExt;
    use futures::TryStreamExt;

    use super::*;

    fn store_with(bytes: &[u8]) -> (tempfile::TempDir, LocalFiles, PathBuf, Path) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        fs::write(&path, bytes).expect("a file");
        let location = Path::from_absolute_path(&path).expect("a path");
        (folder, LocalFiles::default(), path, location)
    }

    fn part(range: Range<u64>) -> GetOptions {
        GetOptions { range: Some(range.into()), ..GetOptions::default() }
    }

    #[tokio::test]
    async fn parts_are_read_in_pieces() {
        let bytes: Vec<u8> = (0..3 * PIECE + 7).map(|at| at as u8).collect();
        let (_folder, store, _, location) = store_with(&bytes);
        for range in [0..0, 0..5, 3..PIECE + 3, PIECE..3 * PIECE + 7, 2 * PIECE..2 * PIECE + 1] {
            let expected = &bytes[range.start as usize..range.end as usize];
            let found = store.get_opts(&location, part(range.clone())).await;
            match found {
                Ok(found) => assert_eq!(found.bytes().await.expect("bytes"), expected, "{range:?}"),
                // The engine's store refuses an empty range.
                Err(error) => assert!(range.is_empty(), "{error}"),
            }
        }
        assert_eq!(store.get(&location).await.expect("a file").bytes().await.expect("bytes"), bytes);
    }

    /// The file becomes shorter before it is opened, and after.
    #[tokio::test]
    async fn file_that_becomes_shorter_is_an_error() {
        let (_folder, store, path, location) = store_with(&vec![b'x'; 3 * PIECE as usize]);
        let mut found = store.get_opts(&location, part(0..3 * PIECE)).await.expect("a file").into_stream();
        found.try_next().await.expect("a piece").expect("the first piece");
        fs::write(&path, b"short").expect("a shorter file");
        let told = found.try_next().await.expect_err("a shorter file").to_string();
        assert!(
            told.contains(&format!("the file {} ends at byte 5, where 196608 bytes", path.display())),
            "{told}"
        );

        fs::write(&path, vec![b'x'; 3 * PIECE as usize]).expect("a file");
        let mut whole = store.get(&location).await.expect("a file").into_stream();
        whole.try_next().await.expect("a piece").expect("the first piece");
        fs::write(&path, b"short").expect("a shorter file");
        let told = whole.try_next().await.expect_err("a shorter file").to_string();
        assert!(told.contains("ends at byte 5, where 196608 bytes"), "{told}");

        let told = store.get_opts(&location, part(2..99)).await.expect_err("a short file").to_string();
        assert!(told.contains("ends at byte 5, where 99 bytes were expected"), "{told}");
        let told = store.get_ranges(&location, &[0..2, 50..60]).await.expect_err("a short file").to_string();
        assert!(told.contains("ends at byte 5, where 60 bytes were expected"), "{told}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn pipes_are_refused_instead_of_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe.csv");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success());
        let location = Path::from_absolute_path(&path).expect("a path");
        let told = LocalFiles::default().head(&location).await.expect_err("a pipe").to_string();
        assert!(told.contains(&format!("{} is a pipe, which can be read once", path.display())), "{told}");
    }
}
