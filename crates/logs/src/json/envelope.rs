//! Objects around an array of records, such as `{"Records": [...]}`.

use super::lex::{self, Fault, Next};
use super::text::unescape;
use crate::options::RecordPath;

/// How far the array is looked for, and the end of the object behind it. What is longer is a record itself.
const REACH: usize = 1 << 20;

/// An object of up to so many bytes that has members of its own is an event with an array, and no envelope.
const EVENT: usize = 64 << 10;

/// Members that tell of pages of records, in lower case; also those that begin with `@` or `$`. No event has them.
const PAGES: &str = "\
    _links _metadata _shards count cursor has_more hasmore limit links loggroup logstream max_score messagetype \
    meta metadata next nextlink nextpagetoken nexttoken offset page paging pagination previous \
    responsemetadata subscriptionfilters timed_out took total";

/// Whether a member of this name tells of pages of records.
pub(super) fn is_of_page(name: &[u8]) -> bool {
    is_in(PAGES, name) || matches!(name.first(), Some(b'@' | b'$'))
}

/// Whether a name is one of those in the list.
pub(super) fn is_in(list: &str, name: &[u8]) -> bool {
    list.split(' ').any(|listed| name.eq_ignore_ascii_case(listed.as_bytes()))
}

/// How the envelopes of a file look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The names of the members that lead to the records: mostly one, such as `Records`.
    pub(super) path: Vec<Vec<u8>>,
    /// The members that the first one has beside them.
    pub(super) beside: Vec<Vec<u8>>,
    /// Whether the caller names the path: then each object with an array there is an envelope.
    pub(super) is_told: bool,
}

/// The findings about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// The bracket of the array of records, or what follows the object.
    At(usize),
    /// The text is something else.
    Nothing,
    /// It is not known before more text is there.
    More,
}

/// The envelopes that were met, and the members of theirs that are no records.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// Whether there was an envelope.
    is_met: bool,
    /// The names of the first ones.
    names: Vec<String>,
    more: bool,
}

/// The most members that a note names, and how much of each name.
const MAX_NAMES: usize = 8;
const MAX_NAME: usize = 64;

impl Beside {
    /// Adds the members with the keys that begin at these places.
    fn add(&mut self, text: &[u8], keys: &[usize]) {
        self.is_met = true;
        for key in keys {
            let name = shown(&decoded(text, *key));
            if !self.names.contains(&name) {
                if self.names.len() < MAX_NAMES {
                    self.names.push(name);
                } else {
                    self.more = true;
                }
            }
        }
    }
}

/// A name in a sentence: on one line, of bounded length.
fn shown(name: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(name).chars().take(MAX_NAME).collect();
    format!("\"{}\"", name.escape_debug())
}

impl Envelope {
    /// The envelopes of which the caller says where their records are.
    pub(super) fn told(path: &RecordPath) -> Self {
        let path = path.names().iter().map(|name| name.clone().into_bytes()).collect();
        Self { path, beside: vec![], is_told: true }
    }

    /// Where the array of records begins in the object at `at`.
    pub(super) fn array(&self, text: &[u8], at: usize, is_end: bool, beside: &mut Beside) -> Reached {
        let mut keys = vec![];
        let reached = reach(text, at, is_end, |seen| self.find_array(seen, at, &mut keys));
        let Reached::At(array) = reached else { return reached };
        let is_event = if self.is_told { Some(false) } else { self.is_event(text, at, array, &keys, is_end) };
        match is_event {
            None => Reached::More,
            Some(true) => Reached::Nothing,
            Some(false) => {
                beside.add(text, &keys);
                reached
            }
        }
    }

    /// Whether the object at `at` has members that the first envelope has not, beside its array and the `keys` before it. None if
    /// more text is needed.
    fn is_event(&self, text: &[u8], at: usize, array: usize, keys: &[usize], is_end: bool) -> Option<bool> {
        let limit = at.saturating_add(EVENT);
        let near = text.get(..limit).unwrap_or(text);
        let mut keys = keys.to_vec();
        let end = lex::value(near, array).and_then(|end| self.find_end(near, end, &mut keys));
        let is_known = |name: Vec<u8>| is_of_page(&name) || self.beside.contains(&name);
        match end {
            Ok(_) => Some(!keys.into_iter().all(|key| is_known(decoded(near, key)))),
            Err(_) if !is_end && text.len() < limit => None,
            Err(_) => Some(false),
        }
    }

    /// The end of the object whose array of records ended before `at`.
    pub(super) fn end(&self, text: &[u8], at: usize, is_end: bool, beside: &mut Beside) -> Reached {
        let mut keys = vec![];
        let reached = reach(text, at, is_end, |seen| self.find_end(seen, at, &mut keys));
        if matches!(reached, Reached::At(_)) {
            beside.add(text, &keys);
        }
        reached
    }

    /// A sentence about the place of the records, the members that are no records, and how to read the objects otherwise.
    pub(super) fn note(&self, beside: &Beside) -> Option<String> {
        let path = self.path.iter().map(|name| shown(name)).collect::<Vec<_>>().join(".");
        if !beside.is_met {
            return self.is_told.then(|| {
                format!("no object has a list of objects in {path}, which records => names: each object is a record")
            });
        }
        let more = if beside.more { " and others" } else { "" };
        let names = beside.names.join(", ");
        let passed_over = (!names.is_empty()).then(|| format!("passed over beside {path}: {names}{more}"));
        if self.is_told {
            return passed_over;
        }
        let passed_over = passed_over.map_or_else(String::new, |text| format!("; {text}"));
        Some(format!(
            "the records are the objects in {path}; with records => '.' each object around them is one record{passed_over}"
        ))
    }

    fn find_array(&self, text: &[u8], at: usize, beside: &mut Vec<usize>) -> Result<Option<usize>, Fault> {
        let mut level = 0;
        let mut at = lex::skip_space(text, at + 1);
        if text.get(at) == Some(&b'}') {
            return Ok(None);
        }
        loop {
            let value = lex::after_key(text, at)?;
            let is_on_path = self.path.get(level).is_some_and(|name| decoded(text, at) == *name);
            let inside = lex::skip_space(text, value + 1);
            let (first, second) = (text.get(value), text.get(inside));
            let is_last = level + 1 == self.path.len();
            match (first, second) {
                (Some(b'['), Some(b'{' | b']')) if is_on_path && is_last => return Ok(Some(value)),
                (Some(b'{'), Some(b'"')) if is_on_path && !is_last => {
                    level += 1;
                    at = inside;
                    continue;
                }
                _ => {}
            }
            beside.push(at);
            let mut end = lex::value(text, value)?;
            loop {
                match lex::after_member(text, end)? {
                    Next::More(next) => {
                        at = next;
                        break;
                    }
                    Next::End(_) if level == 0 => return Ok(None),
                    Next::End(next) => {
                        level -= 1;
                        end = next;
                    }
                }
            }
        }
    }

    fn find_end(&self, text: &[u8], mut at: usize, beside: &mut Vec<usize>) -> Result<Option<usize>, Fault> {
        for _ in &self.path {
            loop {
                match lex::after_member(text, at)? {
                    Next::More(key) => {
                        beside.push(key);
                        at = lex::value(text, lex::after_key(text, key)?)?;
                    }
                    Next::End(end) => {
                        at = end;
                        break;
                    }
                }
            }
        }
        Ok(Some(at))
    }
}

fn reach(
    text: &[u8],
    at: usize,
    is_end: bool,
    find: impl FnOnce(&[u8]) -> Result<Option<usize>, Fault>,
) -> Reached {
    let limit = at.saturating_add(REACH);
    let seen = text.get(..limit).unwrap_or(text);
    match find(seen) {
        Ok(Some(at)) => Reached::At(at),
        // Behind the last byte, a token may go on.
        Err(_) if !is_end && text.len() < limit => Reached::More,
        Ok(None) | Err(_) => Reached::Nothing,
    }
}

/// The meaning of the key at `at`.
pub(super) fn decoded(text: &[u8], at: usize) -> Vec<u8> {
    let end = lex::string(text, at).unwrap_or(at);
    let mut name = vec![];
    unescape(text.get(at..end).unwrap_or_default(), &mut name);
    name
}
