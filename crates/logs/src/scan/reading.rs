//! Threads that read files and parse their blocks.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::temporary::{Stored, Temporary};
use super::{Host, cancelled};
use crate::content::{self, Damage};
use crate::options::ReadOptions;
use crate::records::{Block, Changes, Parser, Records, Syntax, Unit};
use crate::report::Rejected;
use crate::source::{Source, shown};
use crate::values::{ColumnType, Look, Summary};
use crate::{Error, Result};

/// The longest record.
const LONGEST: usize = 1 << 30;

/// The text that is asked for at once.
const PIECE: usize = 1 << 18;

/// A file that has been read.
#[derive(Default)]
pub(super) struct ReadFile {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) declared: Vec<(Arc<str>, Option<ColumnType>)>,
    pub(super) notes: Vec<String>,
    pub(super) rejected: Vec<Rejected>,
    /// The reason for which the file ended too early, and the record that it ends within.
    damage: Option<(Damage, Rejected)>,
    pub(super) parts: Vec<Part>,
}

/// A parsed block of a file.
pub(super) struct Part {
    pub(super) rows: usize,
    pub(super) kept: Kept,
    pub(super) columns: Vec<(Arc<str>, Summary)>,
    rejected: Vec<Rejected>,
    short_rows: usize,
    changes: Changes,
}

/// Where the records of a part are.
pub(super) enum Kept {
    /// In memory, of which the host has granted so many bytes.
    Memory(Box<Records>, usize),
    /// As text in a temporary file, to be parsed again.
    Stored(Stored, Arc<Temporary>, Arc<dyn Parser>),
}

/// A block that waits to be parsed.
struct Waiting {
    file: usize,
    place: usize,
    block: Block,
    parser: Arc<dyn Parser>,
}

/// The state that the threads share.
struct Shared {
    next_file: usize,
    reading: usize,
    waiting: VecDeque<Waiting>,
    files: Vec<ReadFile>,
    parts: Vec<Vec<(usize, Part)>>,
    failed: Option<Error>,
}

/// All that the threads need.
struct Work<'a> {
    sources: &'a [Box<dyn Source>],
    options: &'a ReadOptions,
    host: &'a dyn Host,
    temporary: Arc<Temporary>,
    shared: Mutex<Shared>,
    changed: Condvar,
    /// Blocks that may wait.
    ahead: usize,
}

/// Reads all files. The result does not depend on the number of threads.
pub(super) fn read_all(
    sources: &[Box<dyn Source>],
    options: &ReadOptions,
    host: &dyn Host,
) -> Result<Vec<ReadFile>> {
    let threads = host.threads().max(1);
    let work = Work {
        sources,
        options,
        host,
        temporary: Arc::new(Temporary::default()),
        shared: Mutex::new(Shared {
            next_file: 0,
            reading: 0,
            waiting: VecDeque::new(),
            files: sources
                .iter()
                .map(|source| ReadFile { name: source.name().to_string(), ..ReadFile::default() })
                .collect(),
            parts: sources.iter().map(|_| vec![]).collect(),
            failed: None,
        }),
        changed: Condvar::new(),
        ahead: threads * 2,
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work.run());
        }
        work.run();
    });
    let Shared { mut files, parts, failed, .. } =
        work.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = failed {
        return Err(error);
    }
    let mut is_any_right = files.is_empty();
    for (file, mut parts) in files.iter_mut().zip(parts) {
        if let Some((damage, record)) = file.damage.take_if(|(damage, _)| !damage.is_cut) {
            // Any of its rows may be wrong.
            give_back(parts, host);
            file.declared.clear();
            file.notes.retain(|note| note.starts_with(&damage.reason));
            file.rejected.push(record);
            continue;
        }
        is_any_right = true;
        parts.sort_by_key(|(place, _)| *place);
        let mut short_rows = 0;
        let mut changes = Changes::default();
        for (_, mut part) in parts {
            file.rows += part.rows as u64;
            file.rejected.append(&mut part.rejected);
            short_rows += part.short_rows;
            changes.join(&part.changes);
            file.parts.push(part);
        }
        file.rejected.extend(file.damage.take().map(|(_, record)| record));
        if short_rows > 0 {
            file.notes
                .push(format!("{short_rows} row(s) have fewer fields than the header; the rest is NULL"));
        }
        file.notes.extend(changes.notes());
    }
    match files.first() {
        Some(file) if !is_any_right => {
            Err(Error::new(format!("{} {}", shown(&file.name), file.notes.join("; "))))
        }
        _ => Ok(files),
    }
}

/// Gives back the memory of parts that are not needed.
fn give_back(parts: Vec<(usize, Part)>, host: &dyn Host) {
    for (_, part) in parts {
        if let Kept::Memory(records, granted) = part.kept {
            drop(records);
            host.shrink(granted);
        }
    }
}

/// Something to do for a thread.
enum Job {
    Read(usize),
    Parse(Waiting),
}

impl Work<'_> {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does jobs until there are none and there will be none.
    fn run(&self) {
        // A panic must not leave the others waiting.
        let guard = Ended(self);
        while let Some(job) = self.next() {
            let done = match job {
                Job::Read(file) => self.read(file),
                Job::Parse(waiting) => self.parse(waiting),
            };
            if let Err(error) = done {
                self.shared().failed.get_or_insert(error);
                self.changed.notify_all();
            }
        }
        std::mem::forget(guard);
    }

    fn next(&self) -> Option<Job> {
        let mut shared = self.shared();
        loop {
            if shared.failed.is_some() {
                return None;
            }
            if shared.next_file < self.sources.len() && shared.waiting.len() < self.ahead {
                shared.next_file += 1;
                shared.reading += 1;
                return Some(Job::Read(shared.next_file - 1));
            }
            if let Some(waiting) = shared.waiting.pop_front() {
                return Some(Job::Parse(waiting));
            }
            if shared.reading == 0 && shared.next_file == self.sources.len() {
                return None;
            }
            shared = self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads a file to its end. A reader that is too far ahead parses blocks itself.
    fn read(&self, file: usize) -> Result<()> {
        let done = self.read_blocks(file);
        self.shared().reading -= 1;
        self.changed.notify_all();
        done
    }

    fn read_blocks(&self, file: usize) -> Result<()> {
        let Some(source) = self.sources.get(file) else { return Ok(()) };
        let mut text = content::open(source.as_ref(), self.options)?;
        let parser = Arc::clone(&text.dialect.parser);
        let block_size = self.host.block_size().max(1);
        let mut pending = Pending { block_size, ..Pending::default() };
        let (mut line, mut place, mut wanted) = (1, 0, block_size);
        // The record that a damaged file ends within.
        let mut cut_off = None;
        let unit = text.dialect.unit;
        loop {
            if self.host.is_cancelled() {
                return Err(cancelled());
            }
            pending.fill(&mut text.reader, wanted)?;
            if pending.rest().is_empty() {
                break;
            }
            let rest = pending.rest();
            let damage = if pending.is_end && cut_off.is_none() { text.notes.damage() } else { None };
            let cut = match damage {
                Some(_) => text.dialect.cutter.cut_damaged(rest),
                None => text.dialect.cutter.cut(rest, pending.is_end),
            };
            let skip = cut.skip.min(rest.len());
            let end = skip.saturating_add(cut.records).min(rest.len());
            let (skipped, block) = rest.split_at(skip);
            let block = block.get(..end - skip).unwrap_or_default().to_vec();
            if end == 0 && damage.is_some() {
                cut_off = Some(pending.take_cut_record(unit));
                continue;
            }
            if end == 0 {
                if pending.is_end || rest.len() > LONGEST {
                    return Err(Error::new(format!(
                        "{} has no end of a record within {} bytes from line {line} on; read it with format => 'lines'",
                        shown(source.name()),
                        rest.len()
                    )));
                }
                wanted = rest.len() * 2;
                continue;
            }
            wanted = block_size.div_ceil(2);
            line += unit.count(skipped);
            pending.start += end;
            if block.is_empty() {
                continue;
            }
            let first_line = line;
            line += unit.count(&block);
            let block = text.dialect.cutter.gather(Block { text: block, first_line });
            if block.text.is_empty() {
                continue;
            }
            self.offer(Waiting { file, place, block, parser: Arc::clone(&parser) })?;
            place += 1;
        }
        if let Some(block) = text.dialect.cutter.gather_rest() {
            self.offer(Waiting { file, place, block, parser })?;
        }
        let bytes = pending.bytes;
        let notes = text.notes.take();
        let damage =
            text.notes.damage().map(|damage| cut_record((line, unit), &cut_off.unwrap_or_default(), damage));
        let mut shared = self.shared();
        if let Some(read) = shared.files.get_mut(file) {
            read.bytes = bytes;
            read.declared = text.dialect.declared;
            read.notes = text.dialect.notes;
            read.notes.extend(text.dialect.cutter.notes());
            read.notes.extend(notes);
            read.damage = damage;
        }
        Ok(())
    }

    /// Puts a block into the queue. If it is full, the caller parses the first one that waits.
    fn offer(&self, waiting: Waiting) -> Result<()> {
        let first = {
            let mut shared = self.shared();
            shared.waiting.push_back(waiting);
            if shared.waiting.len() > self.ahead { shared.waiting.pop_front() } else { None }
        };
        self.changed.notify_one();
        first.map_or(Ok(()), |first| self.parse(first))
    }

    fn parse(&self, waiting: Waiting) -> Result<()> {
        let Waiting { file, place, block, parser } = waiting;
        let text_length = block.text.len();
        let first_line = block.first_line;
        let mut records = parser.parse(block);
        let look = Look::at(&records.text, Syntax::Plain, self.options);
        let has_json = records.columns.iter().any(|column| column.syntax == Syntax::Json);
        let json_look = if has_json { Look::at(&records.text, Syntax::Json, self.options) } else { look };
        let columns = records
            .columns
            .iter()
            .map(|column| {
                let look = if column.syntax == Syntax::Json { &json_look } else { &look };
                let summary = Summary::at(&records.text, &column.cells, column.syntax, look);
                (Arc::clone(&column.name), summary)
            })
            .collect();
        let rejected = std::mem::take(&mut records.rejected);
        let changes = std::mem::take(&mut records.changes);
        let block = records.block.take();
        let (rows, short_rows, bytes) = (records.rows, records.short_rows, size(&records));
        let kept = if self.host.try_grow(bytes) {
            Kept::Memory(Box::new(records), bytes)
        } else {
            let block = block.as_deref().or(records.text.get(..text_length)).unwrap_or_default();
            let stored = self.temporary.store(block, first_line, self.host)?;
            Kept::Stored(stored, Arc::clone(&self.temporary), parser)
        };
        let part = Part { rows, kept, columns, rejected, short_rows, changes };
        if let Some(parts) = self.shared().parts.get_mut(file) {
            parts.push((place, part));
        }
        Ok(())
    }
}

/// Wakes the other threads if this one panics.
struct Ended<'a>(&'a Work<'a>);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0
            .shared()
            .failed
            .get_or_insert(Error::new("the reader of the files failed; this is a fault of it"));
        self.0.changed.notify_all();
    }
}

/// The text of a file that is not cut yet.
#[derive(Default)]
struct Pending {
    text: Vec<u8>,
    /// The text that is cut into one block.
    block_size: usize,
    /// The end of what is cut already.
    start: usize,
    /// Whether no more text comes.
    is_end: bool,
    /// How much text there was so far.
    bytes: u64,
}

impl Pending {
    fn rest(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Takes the record that was cut off. If it is too long to be kept among the rejected, a quote or a bracket before it may have
    /// swallowed others, so only its last line is taken, and what is left is cut as the end of a whole file.
    fn take_cut_record(&mut self, unit: Unit) -> Vec<u8> {
        let rest = self.rest();
        let kept = if Rejected::keeps(rest) { 0 } else { unit.last_line(rest) };
        self.text.split_off(self.text.len().min(self.start + kept))
    }

    /// Reads up to a block if fewer than `wanted` bytes are left, so that text is moved to the front once per block and not once
    /// per cut.
    fn fill(&mut self, reader: &mut dyn Read, wanted: usize) -> Result<()> {
        if self.is_end || self.rest().len() >= wanted {
            return Ok(());
        }
        self.text.drain(..self.start);
        self.start = 0;
        let wanted = wanted.max(self.block_size);
        while self.text.len() < wanted && !self.is_end {
            let missing = (wanted - self.text.len()).max(PIECE.min(self.block_size)) as u64;
            // The errors of this reader are whole sentences that name the file.
            let read = reader.take(missing).read_to_end(&mut self.text);
            let read = read.map_err(|error| Error::new(error.to_string()))?;
            self.bytes += read as u64;
            self.is_end = read == 0;
        }
        Ok(())
    }
}

/// The damage with the record that a file ends within. That begins on a line, or behind ends of it.
fn cut_record((line, unit): (u64, Unit), text: &[u8], damage: Damage) -> (Damage, Rejected) {
    let ends = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let (before, record) = text.split_at(ends);
    let record = Rejected::record(line + unit.count(before), record, damage.reason.clone());
    (damage, record)
}

/// The bytes that records hold.
fn size(records: &Records) -> usize {
    let cells = |column: &crate::records::Column| column.cells.capacity() * size_of::<crate::records::Cell>();
    records.text.capacity()
        + records.row_starts.capacity() * size_of::<u32>()
        + records.columns.iter().map(cells).sum::<usize>()
}
