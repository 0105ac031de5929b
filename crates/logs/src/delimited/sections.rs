//! Logs with lines that begin with `#` and describe the lines behind them, anywhere in the file.
//!
//! The cutter reads those lines as it meets them. A block never has lines of two descriptions, and the parser looks up the one of
//! a block by the block's first line. Lines that describe the same again, as a server writes them at each start, end no block.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::csv::columns_of;
use crate::records::{Cut, Cutter};

/// The meaning of lines with `#` for the lines behind them.
pub(super) trait Description: Clone + PartialEq + Send + Sync + 'static {
    /// Takes in a line; it begins with `#` and has no line end. False if it says nothing about those behind it.
    fn read(&mut self, line: &[u8]) -> bool;
}

/// The descriptions of a file by the line from which on they hold.
pub(super) type Descriptions<D> = Arc<RwLock<BTreeMap<u64, Arc<D>>>>;

/// The description of the block that begins with a line.
pub(super) fn description_of<D: Default>(descriptions: &Descriptions<D>, first_line: u64) -> Arc<D> {
    let descriptions = descriptions.read().unwrap_or_else(PoisonError::into_inner);
    let last = descriptions.range(..=first_line).next_back();
    last.map_or_else(Arc::default, |(_, description)| Arc::clone(description))
}

/// The lines of a head without white space behind them. The last line of a text that is not whole is left out.
pub(super) fn whole_lines(head: &[u8], is_whole: bool) -> impl Iterator<Item = &[u8]> {
    let lines = head.split_inclusive(|byte| *byte == b'\n');
    lines.filter(move |line| is_whole || line.ends_with(b"\n")).map(<[u8]>::trim_ascii_end)
}

/// Names of columns of which none is empty and none is there twice.
pub(super) fn unique(names: impl Iterator<Item = String>) -> Arc<[Arc<str>]> {
    columns_of(&names.collect::<Vec<_>>()).0.names.into()
}

/// Cuts at line ends, and where another description begins.
pub(super) struct SectionCutter<D> {
    /// The number of the line that comes next.
    line: u64,
    /// How far the text that is left has been looked at.
    scanned: usize,
    /// The meaning of the lines that have been read.
    latest: D,
    /// The meaning that the last block was given.
    current: Option<Arc<D>>,
    descriptions: Descriptions<D>,
}

impl<D: Description> SectionCutter<D> {
    pub(super) fn new(first: D, descriptions: Descriptions<D>) -> Self {
        Self { line: 1, scanned: 0, latest: first, current: None, descriptions }
    }

    /// Reads the lines with `#` at the beginning of a text; returns where they end. The last one may be unfinished.
    fn skip(&mut self, text: &[u8], is_end: bool) -> usize {
        let mut end = 0;
        while let Some(rest) = text.get(end..).filter(|rest| rest.first() == Some(&b'#')) {
            let new = rest.get(self.scanned..).unwrap_or_default();
            let Some(length) =
                memchr(b'\n', new).map(|length| self.scanned + length).or(is_end.then_some(rest.len()))
            else {
                self.scanned = rest.len();
                break;
            };
            self.scanned = 0;
            let line = rest.get(..length).unwrap_or_default();
            self.latest.read(line.strip_suffix(b"\r").unwrap_or(line));
            end = text.len().min(end + length + 1);
        }
        end
    }

    /// The length of the lines at the beginning of a text that one description holds for. The first line has no `#`.
    fn records(&mut self, text: &[u8], is_end: bool) -> usize {
        let whole = match text.get(self.scanned..).and_then(|rest| memrchr(b'\n', rest)) {
            _ if is_end => text.len(),
            Some(last) => self.scanned + last + 1,
            None => 0,
        };
        self.scanned = text.len() - whole;
        let text = text.get(..whole).unwrap_or_default();
        let mut from = 0;
        while let Some(place) = text.get(from..).and_then(|rest| memmem::find(rest, b"\n#")) {
            let start = from + place + 1;
            let (mut next, mut end) = (self.latest.clone(), start);
            let mut is_told = false;
            while let Some(rest) = text.get(end..).filter(|rest| rest.first() == Some(&b'#')) {
                let length = memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest.get(..length).unwrap_or_default();
                is_told |= next.read(line.strip_suffix(b"\r").unwrap_or(line));
                end += length + 1;
            }
            // More lines with `#` may follow those that are whole.
            if is_told && next != self.latest || end >= whole && !is_end {
                self.scanned = 0;
                return start;
            }
            from = end - 1;
        }
        whole
    }
}

impl<D: Description> Cutter for SectionCutter<D> {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        let skip = self.skip(text, is_end);
        let rest = text.get(skip..).unwrap_or_default();
        let records = if rest.first() == Some(&b'#') { 0 } else { self.records(rest, is_end) };
        let lines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count() as u64;
        self.line += lines(text.get(..skip).unwrap_or_default());
        if records > 0 {
            if self.current.as_deref() != Some(&self.latest) {
                let description = Arc::new(self.latest.clone());
                self.current = Some(Arc::clone(&description));
                let mut descriptions = self.descriptions.write().unwrap_or_else(PoisonError::into_inner);
                descriptions.insert(self.line, description);
            }
            self.line += lines(rest.get(..records).unwrap_or_default());
        }
        Cut { skip, records }
    }
}
