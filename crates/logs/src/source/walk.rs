//! Folders, links and what is passed over in them.
//!
//! A walk keeps a list of folders, each with the steps of the pattern that its entries may take next. It looks at folders that
//! are no links first, so that a link to a folder among them is passed over, and not the folder. A folder is looked at once for
//! the same steps; therefore links that lead back end the walk, and links between folders do not multiply it.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::hidden::{self, Hidden, hidden};
use super::pattern::Step;
use super::{Found, LocalFile, PassedOver, shown_path};
use crate::{Error, Result};

/// A search for files in folders.
#[derive(Debug)]
pub(super) struct Walk {
    /// Whether files and folders that are hidden by their names are taken.
    takes_hidden: bool,
    files: Vec<Candidate>,
    passed_over: Vec<PassedOver>,
}

/// A file that was found.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    /// The path without links.
    real: PathBuf,
    /// Whether a link leads to it.
    is_linked: bool,
}

/// A folder whose entries are to be looked at.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// The path without links.
    real: PathBuf,
    is_linked: bool,
    /// The steps that its entries may take.
    steps: BTreeSet<usize>,
}

/// The folders of one search.
#[derive(Debug, Default)]
struct Folders {
    next: VecDeque<Folder>,
    /// Links to folders: they come after all folders that are none.
    links: VecDeque<Folder>,
    /// Folders without links that were looked at, with the path for messages.
    seen: HashMap<(PathBuf, BTreeSet<usize>), PathBuf>,
    /// Folders that match the last step, and whether a link leads to them.
    matched: Vec<(PathBuf, bool)>,
}

/// Where the steps that fit an entry of a folder lead.
enum Taken {
    /// To a match, or into a folder with the steps that its entries may take.
    Yes { is_match: bool, next: BTreeSet<usize> },
    /// Nowhere, since the entry is hidden.
    Hidden(&'static str),
    /// Nowhere: it is a file, and the pattern goes on.
    No,
}

/// The kind of a folder's entry, behind links.
enum Kind {
    Folder,
    File,
    /// Something that is not read, and why.
    Other(&'static str),
}

impl Walk {
    pub(super) fn new(takes_hidden: bool) -> Self {
        Self { takes_hidden, files: vec![], passed_over: vec![] }
    }

    /// Takes what is at a path that exists: a file of any kind but a socket, or all files of a folder.
    pub(super) fn take(&mut self, path: &Path) -> Result<()> {
        let look = |error| Error::new(format!("can't look at {}: {error}", shown_path(path)));
        let file = fs::metadata(path).map_err(look)?;
        if !file.is_dir() {
            if let Kind::Other(reason @ "a socket") = kind(file.file_type()) {
                return Err(Error::new(format!("can't read {}: it is {reason}", shown_path(path))));
            }
            let is_linked = fs::symlink_metadata(path).is_ok_and(|file| file.is_symlink());
            // Pipes and descriptors have no real path.
            let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
            self.files.push(Candidate { path: path.to_path_buf(), real, is_linked });
            return Ok(());
        }
        fs::read_dir(path)
            .map_err(|error| Error::new(format!("can't list the folder {}: {error}", shown_path(path))))?;
        self.search(path, &[Step::AnyFolders]);
        Ok(())
    }

    /// Takes the files in `folder` that match the steps. If only folders match, it takes all files in them.
    pub(super) fn search(&mut self, folder: &Path, steps: &[Step]) {
        let before = self.files.len();
        let matched = self.walk(vec![(folder.to_path_buf(), false)], steps);
        if self.files.len() == before {
            self.walk(matched, &[Step::AnyFolders]);
            return;
        }
        for (folder, _) in matched {
            self.pass_over(
                &folder,
                "a folder beside files that match; end the pattern with /** for what is in it",
            );
        }
    }

    /// Notes that something is not read.
    pub(super) fn pass_over(&mut self, path: &Path, reason: impl Into<String>) {
        self.passed_over.push(PassedOver { file: path.display().to_string(), reason: reason.into() });
    }

    /// The files in the order of their paths. Of those that are the same file, the one that no link leads to is taken.
    pub(super) fn found(mut self) -> Found {
        self.files.sort_by(|a, b| bytes(&a.path).cmp(bytes(&b.path)));
        self.files.dedup_by(|later, earlier| later.path == earlier.path);
        let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
        for file in self.files.iter().filter(|file| !file.is_linked) {
            taken.insert(file.real.clone(), file.path.clone());
        }
        let mut found = Found::default();
        for file in std::mem::take(&mut self.files) {
            if file.is_linked {
                if let Some(same) = taken.get(&file.real) {
                    self.pass_over(&file.path, format!("the same file as {}", shown_path(same)));
                    continue;
                }
                taken.insert(file.real, file.path.clone());
            }
            found.files.push(LocalFile::new(file.path));
        }
        let mut told = HashSet::new();
        self.passed_over.retain(|passed| told.insert(passed.file.clone()));
        self.passed_over.sort_by(|a, b| a.file.cmp(&b.file));
        found.passed_over = self.passed_over;
        found
    }

    /// Walks through folders, and returns the folders that match the last step.
    fn walk(&mut self, roots: Vec<(PathBuf, bool)>, steps: &[Step]) -> Vec<(PathBuf, bool)> {
        let mut folders = Folders::default();
        for (path, is_linked) in roots {
            let real = fs::canonicalize(listable(&path)).unwrap_or_else(|_| path.clone());
            folders.push(Folder { path, real, is_linked, steps: reachable(0, steps) });
        }
        while let Some(folder) = folders.next.pop_front().or_else(|| folders.links.pop_front()) {
            let key = (folder.real.clone(), folder.steps.clone());
            if let Some(same) = folders.seen.get(&key) {
                if *same != folder.path {
                    self.pass_over(&folder.path, format!("the same folder as {}", shown_path(same)));
                }
                continue;
            }
            folders.seen.insert(key, folder.path.clone());
            self.look(&folder, steps, &mut folders);
        }
        folders.matched
    }

    /// Looks at the entries of a folder. If they have to have certain names, it is not listed.
    fn look(&mut self, folder: &Folder, steps: &[Step], folders: &mut Folders) {
        let wanted: Option<Vec<&str>> = folder
            .steps
            .iter()
            .map(|step| match steps.get(*step) {
                Some(Step::Name(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if let Some(names) = wanted {
            for name in names {
                if let Ok(entry) = fs::symlink_metadata(folder.path.join(name)) {
                    self.look_at(folder, OsStr::new(name), Some(entry.file_type()), steps, folders);
                }
            }
            return;
        }
        let entries = match fs::read_dir(listable(&folder.path)) {
            Ok(entries) => entries,
            Err(error) => return self.pass_over(&folder.path, format!("can't be listed: {error}")),
        };
        let mut names = vec![];
        for entry in entries {
            match entry {
                Ok(entry) => names.push((entry.file_name(), entry.file_type().ok())),
                Err(error) => {
                    self.pass_over(&folder.path, format!("can't be listed to its end: {error}"));
                    break;
                }
            }
        }
        // Folders and links come in the order of their names, whatever the file system.
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (name, file_type) in names {
            self.look_at(folder, &name, file_type, steps, folders);
        }
    }

    /// Looks at an entry of a folder, which is of a type, links not followed.
    fn look_at(
        &mut self,
        folder: &Folder,
        name: &OsStr,
        file_type: Option<fs::FileType>,
        steps: &[Step],
        folders: &mut Folders,
    ) {
        let fits = |step: &&usize| steps.get(**step).is_some_and(|step| step.fits(name));
        let fitting: Vec<usize> = folder.steps.iter().filter(fits).copied().collect();
        if fitting.is_empty() {
            return;
        }
        let path = folder.path.join(name);
        let is_link = file_type.is_some_and(|file_type| file_type.is_symlink());
        let kind = match file_type {
            Some(file_type) if !is_link => kind(file_type),
            _ => match fs::metadata(&path) {
                Ok(entry) => kind(entry.file_type()),
                Err(_) if is_link => Kind::Other("a link to nothing"),
                Err(_) => Kind::Other("can't be looked at"),
            },
        };
        let (is_match, next) = match self.taken(name, matches!(kind, Kind::Folder), &fitting, steps) {
            Taken::Yes { is_match, next } => (is_match, next),
            Taken::Hidden(reason) => return self.pass_over(&path, reason),
            Taken::No => return,
        };
        let is_linked = is_link || folder.is_linked;
        let real = if is_link || name == ".." { fs::canonicalize(&path) } else { Ok(folder.real.join(name)) };
        let real = real.unwrap_or_else(|_| path.clone());
        match kind {
            Kind::Other(reason) => self.pass_over(&path, reason),
            Kind::File => self.files.push(Candidate { path, real, is_linked }),
            Kind::Folder if is_link && folder.real.starts_with(&real) => {
                self.pass_over(&path, "a link to a folder that it is in");
            }
            Kind::Folder => {
                if is_match {
                    folders.matched.push((path.clone(), is_linked));
                }
                if !next.is_empty() {
                    folders.push(Folder { path, real, is_linked, steps: next });
                }
            }
        }
    }

    /// Takes the steps that fit a name, and tells where they lead.
    fn taken(&self, name: &OsStr, is_folder: bool, fitting: &[usize], steps: &[Step]) -> Taken {
        let hidden = hidden(&name.to_string_lossy(), is_folder);
        let last = steps.len().saturating_sub(1);
        let (mut is_match, mut next, mut is_passed_over) = (false, BTreeSet::new(), false);
        for at in fitting.iter().copied().filter(|at| is_folder || *at == last) {
            let Some(step) = steps.get(at) else { continue };
            let is_shown = match hidden {
                Hidden::No => true,
                Hidden::ByName => self.takes_hidden || step.means_hidden(),
                Hidden::BySystem | Hidden::ByArchive => step.means_hidden(),
            };
            if !is_shown {
                is_passed_over = true;
            } else if is_folder && matches!(step, Step::AnyFolders) {
                next.append(&mut reachable(at, steps));
            } else if at == last {
                is_match = true;
            } else {
                next.append(&mut reachable(at + 1, steps));
            }
        }
        match hidden {
            _ if is_match || !next.is_empty() => Taken::Yes { is_match, next },
            Hidden::ByName if is_passed_over => Taken::Hidden(hidden::REASON),
            Hidden::BySystem if is_passed_over => Taken::Hidden(hidden::LEFT),
            _ => Taken::No,
        }
    }
}

impl Folders {
    fn push(&mut self, folder: Folder) {
        let queue = if folder.is_linked { &mut self.links } else { &mut self.next };
        queue.push_back(folder);
    }
}

/// The steps that can be taken at `step`: it, and what follows if it stands for no folder.
fn reachable(step: usize, steps: &[Step]) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([step]);
    let mut at = step;
    while matches!(steps.get(at), Some(Step::AnyFolders)) && at + 1 < steps.len() {
        at += 1;
        found.insert(at);
    }
    found
}

/// The path of a folder for the system: that of the current one is empty in front of its entries.
fn listable(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(unix)]
fn kind(file: fs::FileType) -> Kind {
    use std::os::unix::fs::FileTypeExt;
    if file.is_dir() {
        Kind::Folder
    } else if file.is_socket() {
        Kind::Other("a socket")
    } else if file.is_fifo() {
        Kind::Other("a pipe; it is read if it is named itself")
    } else if file.is_block_device() || file.is_char_device() {
        Kind::Other("a device")
    } else {
        Kind::File
    }
}

#[cfg(not(unix))]
fn kind(file: fs::FileType) -> Kind {
    if file.is_dir() {
        Kind::Folder
    } else if file.is_file() {
        Kind::File
    } else {
        Kind::Other("no file")
    }
}
