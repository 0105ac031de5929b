//! Messages for names that stand for nothing: what is there instead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf, is_separator};

use super::{PassedOver, shown, shown_path};
use super::{hidden, pattern};
use crate::Error;

/// The number of names in a folder that are compared.
const MOST_NAMES: usize = 10_000;

/// The longest name that is compared.
const LONGEST: usize = 255;

/// The number of names that a message shows.
const SHOWN: usize = 3;

/// The error for a path that does not exist and is no pattern.
pub(super) fn no_file(path: &Path, name: &str) -> Error {
    if let Some(scheme) = scheme(name) {
        return Error::new(format!(
            "{} is no file of this machine: {scheme}:// is not read here",
            shown(name)
        ));
    }
    if let Some(missing) = missing_folder(path) {
        return Error::new(format!("there is no file {}: {missing}", shown_path(path)));
    }
    let end = name.trim_end_matches(is_separator);
    if end.len() < name.len() && Path::new(end).is_file() {
        return Error::new(format!("{} is a file, not a folder: leave out the slash at the end", shown(end)));
    }
    let near = path.file_name().and_then(|wanted| near(folder_of(path), &wanted.to_string_lossy()));
    Error::new(format!("there is no file {}{}", shown_path(path), did_you_mean(near)))
}

/// The error for a folder in which nothing is left to read.
pub(super) fn nothing_in(folder: &Path, passed_over: &[PassedOver]) -> Error {
    Error::new(match passed(passed_over) {
        None => format!("the folder {} has no files", shown_path(folder)),
        Some(passed) => format!("the folder {} has no file to read: {passed}", shown_path(folder)),
    })
}

/// The error for a pattern that nothing matches; `patterns` are what its braces stand for.
pub(super) fn no_match(name: &str, patterns: &[String], passed_over: &[PassedOver]) -> Error {
    let missing = patterns.iter().filter(|pattern| pattern::is_pattern(pattern)).find_map(|pattern| {
        let (folder, _) = pattern::steps(pattern);
        missing_folder(&folder.join("_"))
    });
    let instead = missing
        .or_else(|| passed(passed_over))
        .or_else(|| patterns.first().map(|pattern| what_is_in(&pattern::steps(pattern).0)));
    Error::new(match instead {
        Some(instead) => format!("no file matches {}: {instead}", shown(name)),
        None => format!("no file matches {}", shown(name)),
    })
}

/// Says what was passed over, and why.
fn passed(passed_over: &[PassedOver]) -> Option<String> {
    let first = passed_over.first()?;
    let more = match passed_over.len() - 1 {
        0 => String::new(),
        1 => ", and one more is passed over".into(),
        more => format!(", and {more} more are passed over"),
    };
    Some(format!("{} is passed over ({}){more}", shown(&first.file), first.reason))
}

/// Says which of a path's folders is missing, if one is.
fn missing_folder(path: &Path) -> Option<String> {
    let folders: Vec<&Path> =
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
    let missing = folders.iter().rev().find(|folder| !folder.is_dir())?;
    if missing.exists() {
        return Some(format!("{} is a file, not a folder", shown_path(missing)));
    }
    let near = missing.file_name().and_then(|wanted| near(folder_of(missing), &wanted.to_string_lossy()));
    Some(format!("there is no folder {}{}", shown_path(missing), did_you_mean(near)))
}

/// Says what else is in a folder.
fn what_is_in(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names = match names_in(folder) {
        Ok(names) => names,
        Err(error) => return format!("the folder {} can't be listed: {error}", shown_path(folder)),
    };
    names.retain(|name| hidden::hidden(name, false) == hidden::Hidden::No);
    names.sort_unstable();
    let first: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        _ if first.is_empty() => format!("the folder {} is empty", shown_path(folder)),
        0 => format!("the folder {} has {}", shown_path(folder), first.join(", ")),
        more => format!("the folder {} has {} and {more} more", shown_path(folder), first.join(", ")),
    }
}

/// The folder of a path; the current one if the path has only a name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.take(MOST_NAMES).flatten();
    Ok(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// The path of the name in a folder that is most like `wanted`, if one is like it.
fn near(folder: &Path, wanted: &str) -> Option<PathBuf> {
    if wanted.len() > LONGEST {
        return None;
    }
    let names = names_in(folder).ok()?;
    let (_, name) = names.iter().filter_map(|name| Some((distance(wanted, name)?, name))).min()?;
    Some(if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) })
}

fn did_you_mean(near: Option<PathBuf>) -> String {
    near.map_or_else(String::new, |near| format!(" (did you mean {}?)", shown_path(&near)))
}

/// How many letters differ, if few do. Names that differ in case or endings (`a.csv`, `a.csv.gz`) are nearest.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let (a, b) = (wanted.to_lowercase(), name.to_lowercase());
    let is_with_ending = |whole: &str, stem: &str| {
        !stem.is_empty() && whole.strip_prefix(stem).is_some_and(|ending| ending.starts_with('.'))
    };
    let stem_of = |name: &str| name.split_once('.').map_or(name.len(), |(stem, _)| stem.len());
    let has_same_stem = stem_of(&a) > 0 && a.get(..stem_of(&a)) == b.get(..stem_of(&b));
    if a == b {
        return Some(0);
    }
    if is_with_ending(&a, &b) || is_with_ending(&b, &a) || has_same_stem {
        return Some(1);
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let most = (a.len().max(b.len()) / 3).max(1);
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let distance = edits(&a, &b);
    (distance <= most).then_some(distance + 1)
}

/// The number of letters that are inserted, removed, changed, or swapped with their neighbours (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut second_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            // The rows of the table have a place more than `b`, and `row` has been filled up to `j`.
            let mut fewest = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                fewest = fewest.min(second_last[j - 1] + 1);
            }
            row.push(fewest);
        }
        second_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// The scheme of a URL, such as `https`.
fn scheme(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once("://")?;
    (!scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(scheme)
}
