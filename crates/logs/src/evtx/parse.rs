//! Chunks to events, and what is lost of damaged ones.
//!
//! The bytes are anybody's. The `evtx` crate bounds what a record may expand to, reports what it can't read, and goes on with the next
//! record. Should it panic nevertheless, the panic is caught, and costs the rest of its chunk.

use std::borrow::Cow;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::err::EvtxError;
use evtx::{EvtxChunkData, EvtxRecord, IterChunkRecords, ParserSettings};

use super::CHUNK_SIZE;
use super::event::Events;
use crate::records::{Block, Changes, Parser, Records, Syntax};
use crate::report::Rejected;

/// The most text that the events of a chunk may become. Real ones become less than 256 KiB.
const MOST_TEXT: usize = 4 << 20;

/// A byte that no UTF-8 has. It stands behind the values of a chunk, so that chunks are counted like lines.
const CHUNK_END: u8 = 0xFF;

/// The reason for which events are lost if the crate panics.
const PANIC: &str = "the reader of binary XML failed";

/// Finds the events of one file's blocks.
pub(super) struct ChunkParser {
    settings: Arc<ParserSettings>,
    recovers: bool,
}

impl ChunkParser {
    /// A parser, which also finds stale events if it `recovers`.
    pub(super) fn new(recovers: bool) -> Self {
        Self { settings: Arc::new(ParserSettings::new().indent(false).recover_records(recovers)), recovers }
    }
}

impl Parser for ChunkParser {
    fn parse(&self, block: Block) -> Records {
        let Block { text: bytes, first_line } = block;
        let mut reading = Reading {
            settings: &self.settings,
            events: Events::new(bytes.len(), self.recovers),
            row_starts: vec![],
            rejected: vec![],
            changes: Changes::default(),
        };
        for (number, chunk) in (first_line..).zip(bytes.chunks(CHUNK_SIZE)) {
            reading.chunk(chunk, number);
            reading.events.text.push(CHUNK_END);
        }
        let Reading { mut events, row_starts, rejected, mut changes, .. } = reading;
        changes.join(&events.table.take_changes());
        events.text.shrink_to_fit();
        Records {
            rows: events.table.rows(),
            text: events.text,
            block: Some(bytes),
            first_line,
            line_end: CHUNK_END,
            row_starts,
            short_rows: 0,
            columns: events.table.into_columns(Syntax::Plain),
            rejected,
            changes,
        }
    }
}

/// The events of a block while they are found.
struct Reading<'a> {
    settings: &'a Arc<ParserSettings>,
    events: Events,
    row_starts: Vec<u32>,
    rejected: Vec<Rejected>,
    changes: Changes,
}

impl Reading<'_> {
    /// Reads the events of a chunk, which may be cut off.
    fn chunk(&mut self, bytes: &[u8], number: u64) {
        // Windows makes files longer before it fills them.
        if bytes.first() == Some(&0) && bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        let mut padded = bytes.to_vec();
        if bytes.len() < CHUNK_SIZE {
            let end = bytes.len();
            self.reject(
                number,
                format!("the chunk ends after {end} of {CHUNK_SIZE} bytes, so events are missing"),
            );
            // Offsets into what is missing find nothing there.
            padded.resize(CHUNK_SIZE, 0);
        }
        let mut data = match EvtxChunkData::new(padded, false) {
            Ok(data) => data,
            Err(error) => return self.reject(number, lost(&error)),
        };
        if bytes.len() == CHUNK_SIZE && !data.validate_checksum() {
            if self.changes.unsound == 0 {
                self.changes.first_unsound = number;
            }
            self.changes.unsound += 1;
        }
        let settings = Arc::clone(self.settings);
        let mut chunk = match catch_unwind(AssertUnwindSafe(|| data.parse(settings))) {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return self.reject(number, lost(&error)),
            Err(_) => return self.reject(number, format!("the events of the chunk are lost: {PANIC}")),
        };
        self.records(chunk.iter(), number);
    }

    fn records(&mut self, mut records: IterChunkRecords<'_>, number: u64) {
        let start = self.events.text.len();
        loop {
            // After a panic, the iterator is not used again.
            let next = catch_unwind(AssertUnwindSafe(|| records.next().map(rendered)));
            let (id, json, is_recovered) = match next {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => {
                    self.reject(number, told(&error));
                    continue;
                }
                Ok(None) => return,
                Err(_) => {
                    return self.reject(number, format!("the other events of the chunk are lost: {PANIC}"));
                }
            };
            let begin = self.events.text.len();
            if json.len() + begin - start > MOST_TEXT {
                let most = MOST_TEXT >> 20;
                self.reject(number, format!("the events from number {id} on are lost: the chunk becomes more than {most} MiB of text"));
                return;
            }
            match self.events.push(&json, is_recovered) {
                Ok(()) => self.row_starts.push(begin as u32),
                Err(reason) => {
                    let reason = format!("event {id} {reason}");
                    self.rejected.push(Rejected::record(number, &json, reason));
                }
            }
        }
    }

    fn reject(&mut self, number: u64, reason: String) {
        self.rejected.push(Rejected::record(number, b"", reason));
    }
}

/// A record as JSON, with its number, and whether it is stale.
fn rendered(record: Result<EvtxRecord<'_>, EvtxError>) -> Result<(u64, Vec<u8>, bool), EvtxError> {
    let record = record?.into_json_bytes()?;
    Ok((record.event_record_id, record.data, record.recovered))
}

/// The reason for which no event of a chunk can be read.
fn lost(error: &dyn Error) -> String {
    format!("the events of the chunk are lost: {}", told(error))
}

/// An error with its causes, on one line of bounded length.
fn told(error: &dyn Error) -> String {
    const LONGEST: usize = 300;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // An error may repeat its cause.
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{}: {more}", text.trim_end_matches('.'));
        }
        cause = error.source();
    }
    let letters = text.chars().take(LONGEST).map(|letter| {
        if letter.is_control() {
            Cow::Owned(letter.escape_default().to_string())
        } else {
            Cow::Owned(letter.to_string())
        }
    });
    letters.collect()
}
