//! Event logs of Windows to records.
//!
//! An EVTX file is a header of 4 KiB and chunks of 64 KiB. Each chunk has a header with two checksums, the names and the templates of
//! its events, and the events as binary XML; no chunk needs another. So a file is cut at its chunks, like text at the ends of lines,
//! and its blocks are parsed on any thread. A chunk that is damaged costs no other, and mostly a few events of its own.
//!
//! The `evtx` crate, pinned to a version, decodes binary XML and writes each event as JSON. The spelling of values changed
//! between its versions, and differs between collectors. Here it is that of its versions before 0.15: a value that it writes as a GUID, in
//! braces and small letters, is in capitals and without braces. Times keep the seven digits that Windows stores, and what an event does not have is NULL.
//!
//! | of the event | columns |
//! |---|---|
//! | `System` | one for each field, typed, see [`event::SYSTEM`]; process and thread of the writer are `ExecutionProcessID` and `ExecutionThreadID`, since data of events has a `ProcessId` of its own |
//! | `EventData` and `UserData` | one for each name that has a value, also of nested elements; a name of `System`, in any case, is behind `Data_` |
//! | what has no name, or attributes, or elements in it | `EventData` and `UserData` as JSON text, whole; NULL if the other columns have all of it |
//! | `RenderingInfo` and others beside them | JSON text with the name of the element |
//!
//! A name that comes back in its element is called with `_1` by the crate; one that is in another element of the event, too, with `_2`.
//! Rows are in the order of the file. Stale events in the unused space of chunks are read by option, see
//! [`ReadOptions::recovered`]. Of an `EventData` with names the crate leaves out what has none; in 43,000 events of 560 kinds
//! there was none with both.
//!
//! | module | task |
//! |---|---|
//! | `chunks` | blocks of whole chunks |
//! | `parse` | chunks to events, and what is lost of damaged ones |
//! | `event` | an event to values by column |
//! | `shapes` | what events have in common besides their values |
//!
//! An event costs what the crate needs to write it as JSON, one look at each byte of that, a copy of its values, and their way into
//! arrays: together about 2.4 times the first. In memory there are a block of chunks for each thread, and the values.
//!
//! Source: [MS-EVEN6], sections 2.2.12 to 2.2.17, for binary XML; J. Metz, "Windows XML Event Log (EVTX) format", the specification of
//! libevtx, for files and chunks.

use std::sync::Arc;

use crate::options::ReadOptions;
use crate::records::{Dialect, Unit};
use crate::values::ColumnType;

mod chunks;
mod event;
mod parse;
mod shapes;

#[cfg(test)]
mod tests;

/// The first bytes of a file.
pub(crate) const FILE: &[u8] = b"ElfFile\0";

/// The first bytes of a chunk. A file that was carved from a disk may begin with one.
pub(crate) const CHUNK: &[u8] = b"ElfChnk\0";

/// The bytes of a chunk.
const CHUNK_SIZE: usize = 64 << 10;

/// The reader of an event log.
pub(crate) fn evtx(options: &ReadOptions) -> Dialect {
    let declared = event::SYSTEM.iter().filter(|column| column.is_declared);
    let declared = declared.map(|column| (column.name, column.sql_type));
    let recovered = options.recovered.then_some((event::RECOVERED, "BOOLEAN"));
    Dialect {
        cutter: Box::new(chunks::ChunkCutter::default()),
        parser: Arc::new(parse::ChunkParser::new(options.recovered)),
        unit: Unit::Bytes(CHUNK_SIZE),
        declared: declared
            .chain(recovered)
            .map(|(name, sql_type)| (Arc::from(name), ColumnType::of_sql_name(sql_type)))
            .collect(),
        notes: vec![],
    }
}
