//! The files that a name stands for, and their bytes.
//!
//! [`find`] takes a path that exists as it is. Any other name is read as a pattern: braces are written out first, then each name is
//! walked component by component, so that only folders are listed that can hold a match. Of a file that links lead to in two
//! ways, one is taken: no row is read twice. What is not read is named with its reason in [`Found::passed_over`].
//!
//! | module | task |
//! |---|---|
//! | `pattern` | names with `*`, `?`, `[...]`, `**` and `{a,b}` |
//! | `walk` | folders, links and what is passed over in them |
//! | `hidden` | names that are not meant by a folder or a pattern |
//! | `absent` | messages for names that stand for nothing |

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, Result};

mod absent;
mod hidden;
mod pattern;
mod walk;

#[cfg(test)]
mod tests;

/// The path of standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// Bytes with a name. It can be opened once at least; a pipe only once.
pub trait Source: Send + Sync {
    /// The name for messages and for the column `_file`.
    fn name(&self) -> &str;

    /// Opens it at its beginning.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;

    /// Whether its bytes are gone once they are read, as those of a pipe are.
    fn opens_once(&self) -> bool {
        false
    }
}

/// A file of this machine.
#[derive(Debug, Clone)]
pub struct LocalFile {
    name: String,
    path: PathBuf,
}

impl LocalFile {
    /// The file at a path, which is also its name.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string(), path }
    }

    /// The file at a path, under a name of its own.
    pub fn named(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for LocalFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match File::open(&self.path) {
            Ok(file) => Ok(Box::new(file)),
            // A socket as standard input has no path that can be opened.
            Err(_) if self.path == Path::new(STANDARD_INPUT) => Ok(Box::new(io::stdin())),
            Err(error) => Err(error),
        }
    }

    fn opens_once(&self) -> bool {
        // A descriptor of a file may go on where it was read before.
        self.path.starts_with("/dev") || fs::metadata(&self.path).is_ok_and(|file| !file.is_file())
    }
}

/// The reason to pass over a path in an archive, if one of its names is hidden.
pub(crate) fn hidden_reason(path: &str) -> Option<&'static str> {
    let last = path.split('/').count().saturating_sub(1);
    let names = path.split('/').enumerate().filter(|(_, name)| !matches!(*name, "." | ".."));
    names.into_iter().find_map(|(at, name)| hidden::hidden(name, at < last).reason())
}

/// Bytes in memory.
#[derive(Debug, Clone)]
pub struct BytesSource {
    name: String,
    bytes: Arc<[u8]>,
}

impl BytesSource {
    /// Bytes with a name.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into().into() }
    }
}

impl Source for BytesSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::Cursor::new(Arc::clone(&self.bytes))))
    }
}

/// A file that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The path.
    pub file: String,
    /// The reason, such as `hidden`.
    pub reason: String,
}

/// The files that a name stands for, in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Files to read.
    pub files: Vec<LocalFile>,
    /// Files that were passed over.
    pub passed_over: Vec<PassedOver>,
}

/// Finds the files that a name stands for: a file, a folder with all that is below it, a pattern with `*`, `?`, `[...]`, `{a,b}` and
/// `**`, a path that begins with `~/`, a `file://` URL, standard input (`/dev/stdin`, `-`), a pipe. Nothing is opened.
///
/// A path that exists is taken as it is, also if it has brackets. Of a folder or a pattern, hidden files are passed over, unless
/// all are hidden. Folders that a pattern matches are passed over if it matches files as well; else they are read. Fails if
/// nothing is there, with the nearest name that is.
pub fn find(name: &str) -> Result<Found> {
    let path = path_of(name)?;
    if path == Path::new(STANDARD_INPUT) {
        return Ok(Found { files: vec![LocalFile::new(path)], passed_over: vec![] });
    }
    if exists(&path)? {
        let found = of_one_state(&path, || found_with(|walk| walk.take(&path)))?;
        return if found.files.is_empty() {
            Err(absent::nothing_in(&path, &found.passed_over))
        } else {
            Ok(found)
        };
    }
    let patterns = match path.to_str() {
        Some(text) => pattern::expand(text)?,
        None => vec![],
    };
    if let [only] = &patterns[..]
        && !pattern::is_pattern(only)
    {
        return Err(absent::no_file(Path::new(only), name));
    }
    let found = found_with(|walk| patterns.iter().try_for_each(|pattern| find_one(pattern, walk)))?;
    if found.files.is_empty() {
        Err(absent::no_match(name, &patterns, &found.passed_over))
    } else {
        Ok(found)
    }
}

/// Lists a folder. If it is an archive whose place an import takes meanwhile, it is listed again, so that no answer has some folders of
/// the earlier state and some of the new one.
fn of_one_state<T>(folder: &Path, list: impl Fn() -> Result<T>) -> Result<T> {
    /// Imports don't come as often as this in the time of a listing.
    const MOST: usize = 100;
    let stamp = || {
        let list = fs::metadata(folder.join(hidden::LIST)).ok()?;
        Some((list.modified().ok(), list.len()))
    };
    let mut before = stamp();
    for _ in 0..MOST {
        let found = list();
        let after = stamp();
        if before == after {
            return found;
        }
        before = after;
    }
    list()
}

/// Takes one of the names that braces stand for.
fn find_one(name: &str, walk: &mut walk::Walk) -> Result<()> {
    let path = Path::new(name);
    if exists(path)? {
        walk.take(path)
    } else if pattern::is_pattern(name) {
        let (folder, steps) = pattern::steps(name);
        walk.search(&folder, &steps);
        Ok(())
    } else {
        walk.pass_over(path, "it is not there");
        Ok(())
    }
}

/// Walks without hidden files and, if that finds nothing, with them: then they are meant.
fn found_with(fill: impl Fn(&mut walk::Walk) -> Result<()>) -> Result<Found> {
    let mut visible = walk::Walk::new(false);
    fill(&mut visible)?;
    let found = visible.found();
    if !found.files.is_empty() || found.passed_over.iter().all(|passed| passed.reason != hidden::REASON) {
        return Ok(found);
    }
    let mut all = walk::Walk::new(true);
    fill(&mut all)?;
    Ok(all.found())
}

/// The path that a name stands for: standard input, a folder of the user, the path of a `file:` URL, or the name itself.
fn path_of(name: &str) -> Result<PathBuf> {
    if name.is_empty() {
        return Err(Error::new("the name of a file is empty"));
    }
    if name == "-" {
        return Ok(PathBuf::from(STANDARD_INPUT));
    }
    if let Some(rest) = name.strip_prefix("~")
        && (rest.is_empty() || rest.starts_with(std::path::is_separator))
    {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).ok_or_else(|| {
            Error::new(format!(
                "{} begins with the home folder, but there is none: set HOME, or write the path",
                shown(name)
            ))
        })?;
        return Ok(home.join(rest.trim_start_matches(std::path::is_separator)));
    }
    match name.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("file://") => {
            path_of_url(name.get(7..).unwrap_or_default()).ok_or_else(|| {
                Error::new(format!(
                    "{} is no URL of a file here: expected file:///path, with %XX for two hexadecimal digits",
                    shown(name)
                ))
            })
        }
        _ => Ok(PathBuf::from(name)),
    }
}

/// The path in what follows `file://`: a host that is empty or `localhost`, then a path with `%XX` for bytes.
fn path_of_url(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    #[cfg(unix)]
    let path = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes);
    #[cfg(not(unix))]
    let path = String::from_utf8(bytes).ok()?;
    // A drive stands behind a slash: `/C:/logs`.
    #[cfg(windows)]
    let path = path.trim_start_matches('/').to_string();
    Some(path.into())
}

/// Whether there is something at a path. Fails if it is a link to nothing, or can't be told.
fn exists(path: &Path) -> Result<bool> {
    let Err(error) = fs::metadata(path) else { return Ok(true) };
    if let Ok(target) = fs::read_link(path) {
        return Err(Error::new(format!(
            "{} is a link to {}, which can't be opened: {error}",
            shown_path(path),
            shown_path(&target)
        )));
    }
    match error.kind() {
        // A pattern can be no valid name of a file at all.
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidFilename => Ok(false),
        _ => Err(Error::new(format!("can't look at {}: {error}", shown_path(path)))),
    }
}

/// The name of a file for a message, in quotes: of a long one, its beginning and its end; characters that would drive a terminal
/// are escaped.
pub fn shown(name: &str) -> String {
    const BEGINNING: usize = 60;
    const END: usize = 140;
    let mut text = String::from("'");
    let escape = |text: &mut String, part: &str| {
        for letter in part.chars() {
            match letter {
                '\u{200E}'
                | '\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{2028}'
                | '\u{2029}' => {
                    text.extend(letter.escape_unicode());
                }
                _ if letter.is_control() => text.extend(letter.escape_debug()),
                _ => text.push(letter),
            }
        }
    };
    if name.len() <= BEGINNING + END {
        escape(&mut text, name);
    } else {
        // Both places are in the name, which is longer, and at the edges of letters.
        escape(&mut text, &name[..name.floor_char_boundary(BEGINNING)]);
        text.push_str("...");
        escape(&mut text, &name[name.ceil_char_boundary(name.len() - END)..]);
    }
    text.push('\'');
    text
}

/// The path for a message, see [`shown`].
fn shown_path(path: &Path) -> String {
    shown(&path.display().to_string())
}
