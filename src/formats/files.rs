//! The files of a name, on this machine or in an object store, and what each of them is.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::spill_file::SpillFile;
use datafusion::object_store::{self, ObjectMeta, ObjectStore, ObjectStoreExt};
use dbcluster_logs::{Content, LocalFile, PassedOver, ReadOptions, Source, look, shown};
use futures::TryStreamExt;
use glob::MatchOptions;
use tokio::runtime::Handle;
use url::Url;

use super::blocking::blocking;
use super::containers::Slice;
use super::object::ObjectSource;
use super::partitions::{self, FolderValues};
use crate::file_versions::file_name;

/// The files of a name, in the order of their paths.
#[derive(Default)]
pub(super) struct Files {
    pub(super) files: Vec<LogFile>,
    pub(super) passed_over: Vec<PassedOver>,
}

/// A file, and what tells it from its later versions.
#[derive(Clone)]
pub(super) struct LogFile {
    /// Its path or its URL.
    pub(super) name: String,
    pub(super) place: Place,
    /// Size, time and identity. Another text means that the file has changed.
    pub(super) stamp: String,
    /// The columns in the names of its folders, below the one that was named.
    pub(super) folders: FolderValues,
}

/// Whether these are the same files in the same versions.
pub(super) fn is_same(a: &[LogFile], b: &[LogFile]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| (&a.name, &a.stamp, &a.folders) == (&b.name, &b.stamp, &b.folders))
}

#[derive(Clone)]
pub(super) enum Place {
    Local(LocalFile),
    Pipe(Pipe),
    /// A file of an archive, as a part of a temporary file, which is there as long as somebody knows it.
    Member {
        bytes: Slice,
        _kept: Arc<dyn SpillFile>,
    },
    /// The same as a temporary file of its own.
    Unpacked {
        file: LocalFile,
        _kept: Arc<dyn SpillFile>,
    },
    Remote {
        store: Arc<dyn ObjectStore>,
        url: ObjectStoreUrl,
        meta: ObjectMeta,
    },
}

/// Finds the files of a name. None if nothing is there and the name does not look like a path, or if the session has no
/// store for its URL yet.
pub(super) async fn find(session: &dyn Session, name: &str) -> Result<Option<Files>> {
    match name.split_once("://") {
        Some((scheme, _)) if !scheme.eq_ignore_ascii_case("file") => find_remote(session, name).await,
        _ => find_local(name.to_string()).await,
    }
}

async fn find_local(name: String) -> Result<Option<Files>> {
    blocking(move |_| {
        let found = match dbcluster_logs::find(&name) {
            Ok(found) => found,
            Err(error) if looks_like_a_path(&name) || Path::new(&name).exists() => {
                return Err(plan_datafusion_err!("{error}"));
            }
            Err(_) => return Ok(None),
        };
        let base = base_of(&name);
        let files = found.files.into_iter().map(|file| local(file, base.as_deref()));
        Ok(Some(Files { files: files.collect::<Result<_>>()?, passed_over: found.passed_over }))
    })
    .await
}

/// Whether a name that stands for no file was meant as one.
fn looks_like_a_path(name: &str) -> bool {
    name == "-" || name.contains(['/', '\\', '.', '*', '~'])
}

fn local(file: LocalFile, base: Option<&Path>) -> Result<LogFile> {
    let name = file.name().to_string();
    if file.opens_once() {
        let place = Place::Pipe(Pipe(Arc::new(file)));
        return Ok(LogFile { name, place, stamp: String::new(), folders: vec![] });
    }
    let metadata = fs::metadata(file.path())
        .map_err(|error| plan_datafusion_err!("can't read the file {}: {error}", shown(&name)))?;
    let below = base.and_then(|base| file.path().strip_prefix(base).ok());
    let folders = below.map(|below| partitions::of_path(&below.to_string_lossy())).unwrap_or_default();
    Ok(LogFile { stamp: stamp(&metadata), place: Place::Local(file), name, folders })
}

fn stamp(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        (metadata.dev(), metadata.ino(), metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let identity = ();
    format!("{} {modified:?} {identity:?}", metadata.len())
}

/// The folder that a name stands for, or that its pattern begins with; none for a file.
fn base_of(name: &str) -> Option<PathBuf> {
    let url = Url::parse(name).ok().filter(|url| url.scheme() == "file");
    let path = match (name.strip_prefix("~/"), url) {
        (Some(below), _) => std::env::home_dir()?.join(below),
        (None, Some(url)) => url.to_file_path().ok()?,
        (None, None) => PathBuf::from(name),
    };
    if path.is_dir() {
        return Some(path);
    }
    if path.exists() {
        return None;
    }
    let text = path.to_str()?;
    let pattern = text.find(['*', '?', '[', '{'])?;
    Some(PathBuf::from(text.get(..pattern)?.rsplit_once('/').map_or("", |(folder, _)| folder)))
}

async fn find_remote(session: &dyn Session, name: &str) -> Result<Option<Files>> {
    let url = match name.find(['*', '?', '[']) {
        Some(pattern) if !name.starts_with("http") => {
            let folder = name.get(..pattern).and_then(|text| text.rfind('/')).map_or(0, |slash| slash + 1);
            // Behind a slash, or at the beginning: both are between characters.
            let (folder, glob) = name.split_at(folder);
            ListingTableUrl::parse(folder)?.with_glob(glob)?
        }
        _ => ListingTableUrl::parse(name)?,
    };
    let Ok(store) = session.runtime_env().object_store(&url) else { return Ok(None) };
    let is_web = matches!(url.scheme(), "http" | "https");
    let head = if url.is_collection() && !is_web { None } else { Some(store.head(url.prefix()).await) };
    let mut metas: Vec<ObjectMeta> = match head {
        Some(Ok(meta)) => vec![meta],
        Some(Err(error)) if is_web || !matches!(error, object_store::Error::NotFound { .. }) => {
            return Err(of_url(name, error));
        }
        // It may be a folder.
        _ => store.list(Some(url.prefix())).try_collect().await?,
    };
    metas.retain(|meta| is_meant(&url, meta));
    metas.sort_by(|a, b| a.location.cmp(&b.location));
    let mut found = Files::default();
    let store_url = url.object_store();
    for meta in metas {
        let file = file_name(&store_url, &meta.location);
        let below: Vec<&str> = url.strip_prefix(&meta.location).map(Iterator::collect).unwrap_or_default();
        if below.iter().any(|part| part.starts_with(['_', '.']) && !part.contains('=')) {
            found.passed_over.push(PassedOver { file, reason: "hidden".to_string() });
            continue;
        }
        let folders = partitions::of_path(&below.join("/"));
        let stamp = format!("{} {} {:?} {:?}", meta.size, meta.last_modified, meta.e_tag, meta.version);
        let place = Place::Remote { store: Arc::clone(&store), url: store_url.clone(), meta };
        found.files.push(LogFile { name: file, place, stamp, folders });
    }
    if found.files.is_empty() {
        return plan_err!("there is no file at {}", shown(name));
    }
    Ok(Some(found))
}

/// Whether an object is below a URL and matches its pattern, in which `*` stands for a part of one name and `**` for folders.
fn is_meant(url: &ListingTableUrl, meta: &ObjectMeta) -> bool {
    let Some(below) = url.strip_prefix(&meta.location) else { return false };
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
    let below = below.collect::<Vec<_>>().join("/");
    url.get_glob().as_ref().is_none_or(|pattern| pattern.matches_with(&below, options))
}

fn of_url(name: &str, error: object_store::Error) -> DataFusionError {
    match error {
        object_store::Error::NotFound { .. } => plan_datafusion_err!("there is no file at {}", shown(name)),
        error => error.into(),
    }
}

impl LogFile {
    /// A text that is the same for all names of the file.
    pub(super) fn identity(&self) -> String {
        match &self.place {
            Place::Local(file) => match fs::canonicalize(file.path()) {
                Ok(path) => path.to_string_lossy().into_owned(),
                Err(_) => self.name.clone(),
            },
            Place::Pipe(_) | Place::Member { .. } | Place::Unpacked { .. } | Place::Remote { .. } => {
                self.name.clone()
            }
        }
    }

    /// Its bytes.
    pub(super) fn source(&self, runtime: &Handle) -> Box<dyn Source> {
        match &self.place {
            Place::Local(file) | Place::Unpacked { file, .. } => Box::new(file.clone()),
            Place::Member { bytes, .. } => Box::new(bytes.clone()),
            Place::Pipe(pipe) => Box::new(pipe.clone()),
            Place::Remote { store, meta, .. } => Box::new(ObjectSource {
                name: self.name.clone(),
                store: Arc::clone(store),
                location: meta.location.clone(),
                runtime: runtime.clone(),
            }),
        }
    }

    /// The kind of its content. The call waits for the disk or the store.
    pub(super) fn look(
        &mut self,
        options: &ReadOptions,
        runtime: &Handle,
    ) -> dbcluster_logs::Result<Content> {
        let (content, source) = look(self.source(runtime), options)?;
        if let Place::Pipe(pipe) = &mut self.place {
            *pipe = Pipe(source.into());
        }
        Ok(content)
    }

    /// Its URL, for the engine.
    pub(super) fn url(&self) -> Result<ListingTableUrl> {
        let url = match &self.place {
            Place::Local(file) | Place::Unpacked { file, .. } => rooted(file.path())
                .and_then(|path| Url::from_file_path(path).ok())
                .ok_or_else(|| plan_datafusion_err!("{} has no URL", shown(&self.name)))?,
            Place::Pipe(_) => return plan_err!("{} is a pipe, which has no URL", shown(&self.name)),
            Place::Member { .. } => {
                return plan_err!("{} is in an archive, and has no URL", shown(&self.name));
            }
            Place::Remote { url, meta, .. } => {
                let mut url = Url::parse(url.as_str())
                    .map_err(|error| plan_datafusion_err!("{}: {error}", shown(&self.name)))?;
                if let Ok(mut segments) = url.path_segments_mut() {
                    segments.clear().extend(meta.location.parts().map(|part| part.as_ref().to_string()));
                }
                url
            }
        };
        ListingTableUrl::try_new(url, None)
    }
}

/// The path from the root. It has no `..`, which the paths of a store can't have.
fn rooted(path: &Path) -> Option<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        fs::canonicalize(path).ok()
    } else {
        std::path::absolute(path).ok()
    }
}

/// A pipe, or standard input: it is opened once, and what was looked at is read again.
#[derive(Clone)]
pub(super) struct Pipe(Arc<dyn Source>);

impl Source for Pipe {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.0.open()
    }

    fn opens_once(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_the_folder_before_it() {
        for (name, base) in [
            ("no such folder/day=*/x.csv", Some("no such folder")),
            ("/nowhere/**", Some("/nowhere")),
            ("*.csv", Some("")),
            ("/nowhere/a.csv", None),
        ] {
            assert_eq!(base_of(name), base.map(PathBuf::from), "{name}");
        }
        assert_eq!(base_of("."), Some(PathBuf::from(".")));
    }

    #[test]
    fn only_paths_are_errors_of_files() {
        for name in ["events.csv", "logs/", "~", "a*", "-", r"C:\logs"] {
            assert!(looks_like_a_path(name), "{name}");
        }
        assert!(!looks_like_a_path("events") && !looks_like_a_path("dbcluster"));
    }
}
