//! Blocks of whole chunks.

use super::{CHUNK, CHUNK_SIZE};
use crate::records::{Cut, Cutter};

/// The bytes before the first chunk.
const HEADER_SIZE: usize = 4096;

/// Where the header has the number of chunks, in two bytes.
const CHUNKS_AT: usize = 42;

/// The most chunks of a block. Their events become text of less than 4 GiB, whatever they expand to.
const MOST_CHUNKS: usize = 64;

/// Cuts one file at its chunks. The last one may be cut off.
#[derive(Default)]
pub(super) struct ChunkCutter {
    is_begun: bool,
    /// The number of chunks that the header tells.
    told: u16,
    /// The number of whole chunks.
    chunks: u64,
    /// The bytes behind them.
    rest: usize,
    /// Whether the file ends within its header.
    has_no_chunk: bool,
}

impl Cutter for ChunkCutter {
    fn cut(&mut self, text: &[u8], is_end: bool) -> Cut {
        let skip = if self.is_begun || text.starts_with(CHUNK) { 0 } else { HEADER_SIZE };
        let Some(chunks) = text.get(skip..).filter(|chunks| !chunks.is_empty()) else {
            self.has_no_chunk |= is_end && !self.is_begun;
            return Cut { skip: if is_end { text.len() } else { 0 }, records: 0 };
        };
        let whole = (chunks.len() / CHUNK_SIZE).min(MOST_CHUNKS);
        let records = match whole {
            0 if is_end => chunks.len(),
            0 => return Cut { skip: 0, records: 0 },
            _ => whole * CHUNK_SIZE,
        };
        if !self.is_begun && skip > 0 {
            let told = text.get(CHUNKS_AT..).and_then(<[u8]>::first_chunk::<2>);
            self.told = told.map_or(0, |bytes| u16::from_le_bytes(*bytes));
        }
        self.is_begun = true;
        self.chunks += whole as u64;
        self.rest = records % CHUNK_SIZE;
        Cut { skip, records }
    }

    /// A chunk that is cut off still has events.
    fn cut_damaged(&mut self, text: &[u8]) -> Cut {
        self.cut(text, true)
    }

    fn notes(&self) -> Vec<String> {
        let found = self.chunks + u64::from(self.rest > 0);
        if self.has_no_chunk {
            vec!["ends within its header, before its first event".to_owned()]
        } else if found < u64::from(self.told) {
            vec![format!(
                "has {found} of the {} chunks that its header tells of: its end is missing",
                self.told
            )]
        } else {
            vec![]
        }
    }
}
