//! Names with `*`, `?`, `[...]`, `**` and `{a,b}`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf, is_separator};

use super::shown;
use crate::{Error, Result};

/// The number of names that braces may stand for.
const MOST_NAMES: usize = 10_000;

/// The condition for a component of a path.
#[derive(Debug)]
pub(super) enum Step {
    /// `**`: any folders, none included; at the end, all files below.
    AnyFolders,
    /// This name, whether hidden or not.
    Name(String),
    /// A name like this. If it begins with a dot or `_`, hidden names are meant.
    Like(glob::Pattern),
}

impl Step {
    /// Whether a name fits.
    pub(super) fn fits(&self, name: &OsStr) -> bool {
        match self {
            Self::AnyFolders => true,
            Self::Name(wanted) => OsStr::new(wanted) == name,
            Self::Like(pattern) => pattern.matches(&name.to_string_lossy()),
        }
    }

    /// Whether hidden names that fit are meant.
    pub(super) fn means_hidden(&self) -> bool {
        match self {
            Self::AnyFolders => false,
            Self::Name(_) => true,
            Self::Like(pattern) => pattern.as_str().starts_with(['.', '_']),
        }
    }
}

/// Whether a name without braces has signs of a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Splits a name behind the folders that are no patterns: they have no signs, or exist as they are written, as `logs [1]/*.csv`.
fn split_folder(name: &str) -> (&str, &str) {
    let mut end = 0;
    for (at, separator) in name.char_indices().filter(|(_, letter)| is_separator(*letter)) {
        // Separators come one after the other, and are letters of their own.
        if name[end..at].contains(['*', '?', '[', '{']) && !Path::new(&name[..at]).is_dir() {
            break;
        }
        end = at + separator.len_utf8();
    }
    name.split_at(end)
}

/// The folder before the first component that is a pattern, and the steps from there. The folder is empty if it is the current one.
pub(super) fn steps(name: &str) -> (PathBuf, Vec<Step>) {
    let (folder, rest) = split_folder(name);
    // `logs/` and `logs` are the same folder, but `/` is not the same as none.
    let bare = folder.trim_end_matches(is_separator);
    let folder = if bare.is_empty() || bare.ends_with(':') { folder } else { bare };
    let mut steps = vec![];
    for component in rest.split(is_separator).filter(|component| !matches!(*component, "" | ".")) {
        if !is_pattern(component) {
            steps.push(Step::Name(component.into()));
            continue;
        }
        if component == "**" {
            if !matches!(steps.last(), Some(Step::AnyFolders)) {
                steps.push(Step::AnyFolders);
            }
            continue;
        }
        // `**.csv` is meant as `**/*.csv`.
        if component.starts_with("**") && !matches!(steps.last(), Some(Step::AnyFolders)) {
            steps.push(Step::AnyFolders);
        }
        steps.push(like(component));
    }
    if name.ends_with(is_separator) && !matches!(steps.last(), Some(Step::AnyFolders)) {
        steps.push(Step::AnyFolders);
    }
    (folder.into(), steps)
}

/// The pattern of a component, as shells read it: `[^a]` is `[!a]`, stars in a row are one, and a bracket that doesn't close is
/// a bracket.
fn like(component: &str) -> Step {
    let mut pattern = component.replace("[^", "[!");
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    match glob::Pattern::new(&pattern) {
        Ok(pattern) => Step::Like(pattern),
        Err(_) => match glob::Pattern::new(&pattern.replace('[', "[[]")) {
            Ok(pattern) => Step::Like(pattern),
            Err(_) => Step::Name(component.into()),
        },
    }
}

/// The names that a name with braces stands for: `{a,b}/{1,2}.csv` stands for four. Braces without a comma, or that do not close,
/// are braces.
pub(super) fn expand(name: &str) -> Result<Vec<String>> {
    let mut done = vec![];
    // Each has its first part, in which no braces are left, and a rest that is not looked at yet.
    let (folder, rest) = split_folder(name);
    let mut open = vec![(folder.to_string(), rest.to_string())];
    while let Some((mut before, rest)) = open.pop() {
        let mut from = 0;
        let group = loop {
            // `from` and `at` are at braces or behind them, which are one byte.
            let Some(at) = rest[from..].find('{').map(|at| from + at) else { break None };
            match alternatives(&rest[at..]) {
                Some((alternatives, length)) => break Some((at, alternatives, at + length)),
                None => from = at + 1,
            }
        };
        let Some((at, alternatives, end)) = group else {
            before.push_str(&rest);
            done.push(before);
            continue;
        };
        if done.len() + open.len() + alternatives.len() > MOST_NAMES {
            return Err(Error::new(format!(
                "the braces of {} stand for more than {MOST_NAMES} names",
                shown(name)
            )));
        }
        let (first, rest) = (rest.get(..at).unwrap_or_default(), rest.get(end..).unwrap_or_default());
        before.push_str(first);
        // The last is popped first: so they come out in the order in which they are written.
        for alternative in alternatives.iter().rev() {
            open.push((before.clone(), format!("{alternative}{rest}")));
        }
    }
    Ok(done)
}

/// The alternatives of a group that begins with `{`, and its length; none if it has no comma or no end.
fn alternatives(text: &str) -> Option<(Vec<&str>, usize)> {
    let mut depth = 0_usize;
    let mut found = vec![];
    let mut start = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 1 => {
                // `start` is behind the last brace or comma, which are bytes of their own.
                found.push(&text[start..at]);
                start = at + 1;
            }
            b'}' if depth == 1 => {
                // Both ends are ASCII, as above.
                found.push(&text[start..at]);
                return (found.len() > 1).then_some((found, at + 1));
            }
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
