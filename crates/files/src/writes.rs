//! Files that a statement writes appear when the statement has come to its end, and not at all if it fails or is stopped.
//!
//! The engine's writers take the end of their rows for the end of the statement, also where the rows ended with an error, and
//! finish their files: part of a result would replace an earlier one. So a statement runs with stores that hold finished
//! files back. Local files wait beside their places (`unfinished`); objects elsewhere wait as incomplete uploads.
//! [`Writes::commit`] lets all of them appear; dropping [`Writes`] removes them.

use std::fmt;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result as StoreResult, UploadPart,
};
use futures::FutureExt;
use futures::stream::BoxStream;
use tokio::runtime::Handle;
use url::Url;

use super::unfinished::{NewFolders, Unfinished};

/// The writes of one statement.
#[derive(Debug)]
pub struct Writes(Arc<Held>);

impl Writes {
    /// The context that a plan has to run in, so that its writes are held back.
    pub fn context(&self, context: &TaskContext) -> Arc<TaskContext> {
        let runtime = context.runtime_env();
        let stores = Stores { inner: Arc::clone(&runtime.object_store_registry), held: Arc::clone(&self.0) };
        let runtime = RuntimeEnv { object_store_registry: Arc::new(stores), ..runtime.as_ref().clone() };
        Arc::new(TaskContext::new(
            context.task_id(),
            context.session_id(),
            context.session_config().clone(),
            context.scalar_functions().clone(),
            context.higher_order_functions().clone(),
            context.aggregate_functions().clone(),
            context.window_functions().clone(),
            Arc::new(runtime),
        ))
    }

    /// The cause of an error of a plan that ran in [`Self::context`]. The engine's writers have an error of their own for a full
    /// disk, which leaves out the system's.
    pub fn cause(&self, error: DataFusionError) -> DataFusionError {
        match self.0.failure.get() {
            Some(failure) => DataFusionError::Execution(failure.clone()),
            None => error,
        }
    }

    /// Lets all files appear. Nothing more can be written.
    pub async fn commit(self) -> Result<()> {
        let Some(mut pending) = self.0.end() else { return Ok(()) };
        for file in std::mem::take(&mut pending.files) {
            file.finish().map_err(|error| self.cause(error))?;
        }
        for mut upload in std::mem::take(&mut pending.uploads) {
            upload.complete().await?;
        }
        for (store, path, payload, options) in std::mem::take(&mut pending.objects) {
            store.put_opts(&path, payload, options).await?;
        }
        Ok(())
    }
}

impl Default for Writes {
    fn default() -> Self {
        Self(Arc::new(Held { pending: Mutex::new(Some(Pending::default())), failure: Arc::default() }))
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        // A task that still runs may hold on to a file, so the files are removed here.
        drop(self.0.end());
    }
}

#[derive(Debug)]
struct Held {
    /// The writes that wait for the end of the statement; none after it.
    pending: Mutex<Option<Pending>>,
    failure: FirstFailure,
}

/// The system's error about the first local file that could not be written.
type FirstFailure = Arc<OnceLock<String>>;

impl Held {
    fn end(&self) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn add<T>(&self, add: impl FnOnce(&mut Pending) -> StoreResult<T>) -> StoreResult<T> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        add(pending.as_mut().ok_or_else(ended)?)
    }
}

#[derive(Debug, Default)]
struct Pending {
    files: Vec<Arc<LocalFile>>,
    /// The folders of the files, which are dropped after them.
    folders: NewFolders,
    uploads: Vec<Box<dyn MultipartUpload>>,
    objects: Vec<(Arc<dyn ObjectStore>, Path, PutPayload, PutOptions)>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.files.drain(..).for_each(|file| file.remove());
        let uploads = std::mem::take(&mut self.uploads);
        if uploads.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            for mut upload in uploads {
                if let Err(error) = upload.abort().await {
                    log::warn!("an upload was not cancelled: {error}");
                }
            }
        });
    }
}

fn ended() -> StoreError {
    StoreError::Generic { store: "statement", source: "the statement has ended".into() }
}

/// The session's stores, with what is written to them held back.
#[derive(Debug)]
struct Stores {
    inner: Arc<dyn ObjectStoreRegistry>,
    held: Arc<Held>,
}

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.inner.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.inner.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let (inner, held) = (self.inner.get_store(url)?, Arc::clone(&self.held));
        Ok(Arc::new(Store { inner, is_local: url.scheme() == "file", held }))
    }
}

/// A store whose reads go through at once, and whose writes are held back until the end of the statement.
#[derive(Debug)]
struct Store {
    inner: Arc<dyn ObjectStore>,
    is_local: bool,
    held: Arc<Held>,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Store {
    fn begin_file(&self, location: &Path) -> StoreResult<LocalUpload> {
        let target = LocalFileSystem::new().path_to_filesystem(location)?;
        self.held.add(|pending| {
            let begun = target
                .parent()
                .map_or(Ok(()), |folder| pending.folders.make(folder))
                .and_then(|()| Unfinished::create(&target));
            let failure = Arc::clone(&self.held.failure);
            let file = begun.map_err(|error| failed(&target, &error, &failure))?;
            let (file, is_whole) = (Mutex::new(Some(file)), AtomicBool::new(false));
            let file = Arc::new(LocalFile { file, is_whole, failure });
            pending.files.push(Arc::clone(&file));
            Ok(LocalUpload { file, length: 0 })
        })
    }
}

#[async_trait]
impl ObjectStore for Store {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        // A conditional write depends on the objects of this moment.
        if options.mode != PutMode::Overwrite {
            return self.inner.put_opts(location, payload, options).await;
        }
        if self.is_local {
            let mut upload = self.begin_file(location)?;
            upload.put_part(payload).await?;
            return upload.complete().await;
        }
        self.held.add(|pending| {
            pending.objects.push((Arc::clone(&self.inner), location.clone(), payload, options));
            Ok(put_later())
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        if self.is_local {
            return Ok(Box::new(self.begin_file(location)?));
        }
        let upload = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(Upload { upload: Some(upload), held: Arc::clone(&self.held) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> StoreResult<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// The result of writing an object that appears later, of which nothing is known yet.
fn put_later() -> PutResult {
    PutResult { e_tag: None, version: None }
}

/// The system's error with the path of the file. The first one is kept for [`Writes::cause`].
fn failed(target: &std::path::Path, error: &io::Error, first: &FirstFailure) -> StoreError {
    let said = format!("{}: {error}", target.display());
    let _ = first.set(said.clone());
    StoreError::Generic { store: "LocalFileSystem", source: Box::new(io::Error::new(error.kind(), said)) }
}

/// A local file that waits for the end of the statement.
#[derive(Debug)]
struct LocalFile {
    /// The file; none when the statement has ended.
    file: Mutex<Option<Unfinished>>,
    is_whole: AtomicBool,
    failure: FirstFailure,
}

impl LocalFile {
    fn take(&self) -> Option<Unfinished> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn remove(&self) {
        drop(self.take());
    }

    fn write(&self, offset: u64, payload: &PutPayload) -> StoreResult<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = file.as_ref().ok_or_else(ended)?;
        let mut file = unfinished.file();
        let written = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| payload.iter().try_for_each(|part| file.write_all(part)));
        written.map_err(|error| failed(unfinished.target(), &error, &self.failure))
    }

    fn finish(&self) -> Result<()> {
        // A file whose writer gave up is dropped, even if the statement went on.
        let Some(file) = self.take().filter(|_| self.is_whole.load(Ordering::Acquire)) else { return Ok(()) };
        let target = file.target().to_path_buf();
        Ok(file.finish().map_err(|error| failed(&target, &error, &self.failure))?)
    }
}

#[derive(Debug)]
struct LocalUpload {
    file: Arc<LocalFile>,
    length: u64,
}

#[async_trait]
impl MultipartUpload for LocalUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.length;
        self.length += data.content_length() as u64;
        let file = Arc::clone(&self.file);
        let written = SpawnedTask::spawn_blocking(move || file.write(offset, &data));
        async move { written.await? }.boxed()
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.file.is_whole.store(true, Ordering::Release);
        Ok(put_later())
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.file.remove();
        Ok(())
    }
}

/// An upload to another store than the local files, which is completed at the end of the statement.
#[derive(Debug)]
struct Upload {
    /// The upload; none once it waits for the end of the statement.
    upload: Option<Box<dyn MultipartUpload>>,
    held: Arc<Held>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match &mut self.upload {
            Some(upload) => upload.put_part(data),
            None => futures::future::ready(Err(ended())).boxed(),
        }
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let upload = self.upload.take().ok_or_else(ended)?;
        self.held.add(|pending| {
            pending.uploads.push(upload);
            Ok(put_later())
        })
    }

    async fn abort(&mut self) -> StoreResult<()> {
        match self.upload.take() {
            Some(mut upload) => upload.abort().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::object_store::ObjectStoreExt;
    use datafusion::object_store::memory::InMemory;
    use datafusion::physical_plan::collect;
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn copy(ctx: &SessionContext, failing_row: usize) -> Result<()> {
        let sql = format!(
            "COPY (SELECT repeat('x', 300) AS s, CAST(CASE WHEN value = {failing_row} THEN 'x' ELSE '1' END AS BIGINT) AS one \
             FROM generate_series(1, 60000)) TO 'mem://here/o.csv'"
        );
        let plan = ctx.sql(&sql).await?.create_physical_plan().await?;
        let writes = Writes::default();
        collect(plan, writes.context(&ctx.task_ctx())).await?;
        writes.commit().await
    }

    /// Objects are written as one request, and as an upload of many.
    #[tokio::test(flavor = "multi_thread")]
    async fn object_appears_when_its_statement_has_ended() {
        let ctx = SessionContext::new();
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        ctx.register_object_store(&Url::parse("mem://here").expect("a URL"), Arc::clone(&store));
        let path = Path::from("o.csv");
        store.put(&path, "earlier".into()).await.expect("it is put");
        for row in [1, 30_000, 60_000] {
            let error = copy(&ctx, row).await.expect_err("a row fails").to_string();
            assert!(error.contains("Cannot cast"), "{error}");
            let found = store.get(&path).await.expect("an object").bytes().await.expect("its bytes");
            assert_eq!(found.as_ref(), b"earlier", "{row}");
        }
        copy(&ctx, 0).await.expect("no row fails");
        assert!(store.head(&path).await.expect("an object").size > 18_000_000);
    }
}
