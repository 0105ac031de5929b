//! [`FileVersions`] tells whether files stayed the same while a query read them.
//!
//! A query that reads a file twice must find the same file both times, or it joins the sizes of one with the rows of the
//! other. So size, time, tag and version of the files are noted before the first read, and compared after the last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::path::Path;
use datafusion::object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::{StreamExt, TryStreamExt, stream};

/// The number of files in a folder from which on the folder is listed, instead of a request for each file.
const LISTED: usize = 100;

/// The number of concurrent requests to an object store.
const AT_ONCE: usize = 32;

/// Files as they were when they were noted.
#[derive(Debug, Clone, Default)]
pub struct FileVersions(Vec<Noted>);

/// Files of one object store.
#[derive(Debug, Clone)]
struct Noted {
    url: ObjectStoreUrl,
    store: Arc<dyn ObjectStore>,
    files: BTreeMap<Path, ObjectMeta>,
}

impl FileVersions {
    /// Notes files with the metadata that a listing or a plan has.
    pub fn note(
        &mut self,
        url: &ObjectStoreUrl,
        store: &Arc<dyn ObjectStore>,
        files: impl IntoIterator<Item = ObjectMeta>,
    ) {
        let files = files.into_iter().map(|file| (file.location.clone(), file));
        match self.0.iter_mut().find(|noted| noted.url == *url) {
            Some(noted) => noted.files.extend(files),
            None => {
                self.0.push(Noted { url: url.clone(), store: Arc::clone(store), files: files.collect() });
            }
        }
    }

    /// Returns the same files as they are now, without those that are gone.
    pub async fn now(&self) -> Result<Self> {
        let mut now = vec![];
        for noted in &self.0 {
            now.push(Noted {
                files: noted.look().await?,
                url: noted.url.clone(),
                store: Arc::clone(&noted.store),
            });
        }
        Ok(Self(now))
    }

    /// Returns whether one of the files may be the one that a query was planned for. Times are not compared: the time that a
    /// table format records is not that of the store.
    pub fn has(&self, url: &ObjectStoreUrl, planned: &ObjectMeta) -> bool {
        let here = self.0.iter().find(|noted| noted.url == *url);
        let here = here.and_then(|noted| noted.files.get(&planned.location));
        here.is_some_and(|here| has_same_content(planned, here))
    }

    /// Reads the metadata again, and returns a text if a file has changed.
    pub async fn changed(&self) -> Result<Option<String>> {
        for (before, now) in self.0.iter().zip(self.now().await?.0) {
            let is_another = |(path, file): &(&Path, &ObjectMeta)| {
                now.files.get(*path).is_none_or(|now| !is_same(file, now))
            };
            if let Some((path, _)) = before.files.iter().find(is_another) {
                return Ok(Some(format!(
                    "the table changed while it was clustered: the file {} is not the one that was read first; run the query \
                     again, or on a copy",
                    file_name(&before.url, path)
                )));
            }
        }
        Ok(None)
    }

    /// Reads the metadata again.
    ///
    /// # Errors
    /// A file has changed.
    pub async fn check(&self) -> Result<()> {
        match self.changed().await? {
            Some(changed) => exec_err!("{changed}"),
            None => Ok(()),
        }
    }
}

impl Noted {
    async fn look(&self) -> Result<BTreeMap<Path, ObjectMeta>> {
        let mut folders: HashMap<Option<Path>, Vec<&Path>> = HashMap::new();
        for path in self.files.keys() {
            folders.entry(path.parent()).or_default().push(path);
        }
        let (listed, asked): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|(folder, files)| folder.is_some() && files.len() >= LISTED);
        let mut now = BTreeMap::new();
        for (folder, _) in listed {
            let found = match self.store.list_with_delimiter(folder.as_ref()).await {
                Ok(found) => found.objects,
                Err(Error::NotFound { .. }) => vec![],
                Err(error) => return Err(error.into()),
            };
            let ours = found.into_iter().filter(|file| self.files.contains_key(&file.location));
            now.extend(ours.map(|file| (file.location.clone(), file)));
        }
        let asked: Vec<_> =
            asked.into_iter().flat_map(|(_, files)| files).map(|path| self.ask(path)).collect();
        let found: Vec<Option<ObjectMeta>> =
            stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        now.extend(found.into_iter().flatten().map(|file| (file.location.clone(), file)));
        Ok(now)
    }

    /// Requests the metadata of a file, `None` if the file is gone.
    async fn ask(&self, path: &Path) -> Result<Option<ObjectMeta>> {
        match self.store.head(path).await {
            Ok(file) => Ok(Some(file)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(exec_datafusion_err!(
                "can't see whether the file {} is still the same: {error}",
                file_name(&self.url, path)
            )),
        }
    }
}

/// The words by which an error says that a file was replaced under a reader.
pub const CHANGED: &str = "changed while it was read";

/// Returns whether the file has been replaced or is gone.
pub async fn is_another(store: &dyn ObjectStore, before: &ObjectMeta) -> bool {
    match store.head(&before.location).await {
        Ok(now) => !is_same(before, &now),
        Err(error) => matches!(error, Error::NotFound { .. }),
    }
}

/// Returns the name of a file for people: a path on this machine, else a URL.
pub fn file_name(url: &ObjectStoreUrl, path: &Path) -> String {
    let url = url.as_str();
    format!("{}{path}", url.strip_prefix("file://").unwrap_or(url))
}

fn has_same_content(before: &ObjectMeta, now: &ObjectMeta) -> bool {
    before.size == now.size && agree(before.e_tag.as_ref(), now.e_tag.as_ref())
}

/// Whether two requests have seen the same file.
fn is_same(before: &ObjectMeta, now: &ObjectMeta) -> bool {
    let (then, now_time) = (before.last_modified, now.last_modified);
    // A listing may have fractions of a second where the request for one file has none.
    let has_fractions = then.timestamp_subsec_nanos() > 0 && now_time.timestamp_subsec_nanos() > 0;
    has_same_content(before, now)
        && agree(before.version.as_ref(), now.version.as_ref())
        && if has_fractions { then == now_time } else { then.timestamp() == now_time.timestamp() }
}

/// Whether two tags agree. A tag that only one of them has decides nothing.
fn agree(before: Option<&String>, now: Option<&String>) -> bool {
    before.is_none() || now.is_none() || before == now
}

#[cfg(test)]
mod tests {
    use datafusion::object_store::memory::InMemory;

    use super::*;

    fn seen(size: u64, millis: i64, e_tag: Option<&str>) -> ObjectMeta {
        ObjectMeta {
            location: Path::from("logs/a.csv"),
            last_modified: std::time::UNIX_EPOCH
                .checked_add(std::time::Duration::from_millis(millis as u64))
                .map(Into::into)
                .expect("a time"),
            size,
            e_tag: e_tag.map(str::to_string),
            version: None,
        }
    }

    #[test]
    fn size_tag_and_time_tell() {
        let before = seen(5, 1_500, Some("x"));
        assert!(is_same(&before, &before));
        assert!(!is_same(&before, &seen(6, 1_500, Some("x"))));
        assert!(!is_same(&before, &seen(5, 1_500, Some("y"))));
        assert!(!is_same(&before, &seen(5, 1_501, Some("x"))));
        // A tag that only one request has, or a time in whole seconds, is no difference.
        assert!(is_same(&before, &seen(5, 1_500, None)));
        assert!(is_same(&before, &seen(5, 1_000, None)));
        assert!(!is_same(&before, &seen(5, 2_000, None)));
        // A table format records another time.
        assert!(has_same_content(&before, &seen(5, 9_000, None)));
        assert!(!has_same_content(&before, &seen(5, 1_500, Some("y"))));
    }

    #[test]
    fn files_are_named_as_people_know_them() {
        let path = Path::from("logs/a.csv");
        assert_eq!(file_name(&ObjectStoreUrl::local_filesystem(), &path), "/logs/a.csv");
        let bucket = ObjectStoreUrl::parse("s3://bucket").expect("a URL");
        assert_eq!(file_name(&bucket, &path), "s3://bucket/logs/a.csv");
    }

    /// Every change is seen and nothing else, with single requests and with a listing.
    #[tokio::test]
    async fn changed_files_are_found() {
        for count in [2, LISTED + 1] {
            let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let path = |number: usize| Path::from(format!("logs/{number:03}.csv"));
            for number in 0..count {
                store.put(&path(number), "a".into()).await.expect("a file");
            }
            let url = ObjectStoreUrl::parse("mem://x").expect("a URL");
            let mut noted = FileVersions::default();
            let listed: Vec<ObjectMeta> = store.list(None).try_collect().await.expect("files");
            noted.note(&url, &store, listed);
            store.put(&Path::from("logs/new.csv"), "a".into()).await.expect("a file");
            noted.check().await.expect("new files change nothing");

            store.put(&path(1), "b".into()).await.expect("a file");
            let told = noted.check().await.expect_err("a file was replaced").to_string();
            assert!(told.contains("the file mem://x/logs/001.csv is not the one"), "{told}");
            store.delete(&path(0)).await.expect("a file less");
            let told = noted.check().await.expect_err("a file has gone").to_string();
            assert!(told.contains("mem://x/logs/000.csv"), "{told}");
        }
    }
}
