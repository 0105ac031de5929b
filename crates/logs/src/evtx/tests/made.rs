//! Event logs that tests make: each event is written out in binary XML, without templates.

use crate::evtx::{CHUNK, CHUNK_SIZE, FILE};

/// An element with its attributes and what is in it.
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    pub(super) text: &'a str,
    pub(super) children: Vec<Element<'a>>,
}

/// An element with elements in it.
pub(super) fn parent<'a>(name: &'a str, children: Vec<Element<'a>>) -> Element<'a> {
    Element { name, attributes: vec![], text: "", children }
}

/// An element with text.
pub(super) fn leaf<'a>(name: &'a str, text: &'a str) -> Element<'a> {
    Element { name, attributes: vec![], text, children: vec![] }
}

/// A value of `EventData`; one without a name if that is empty.
pub(super) fn data<'a>(name: &'a str, text: &'a str) -> Element<'a> {
    let attributes = if name.is_empty() { vec![] } else { vec![("Name", name)] };
    Element { attributes, ..leaf("Data", text) }
}

/// An event with a number, and what stands behind its `System`.
pub(super) fn event<'a>(id: &'a str, behind: Vec<Element<'a>>) -> Element<'a> {
    let time = ("SystemTime", "2026-01-02T03:04:05.1234567Z");
    let system = vec![
        Element { attributes: vec![("Name", "Maker")], ..leaf("Provider", "") },
        leaf("EventID", id),
        Element { attributes: vec![time], ..leaf("TimeCreated", "") },
        leaf("EventRecordID", id),
        Element { attributes: vec![("ProcessID", "7"), ("ThreadID", "8")], ..leaf("Execution", "") },
        leaf("Channel", "Made"),
        leaf("Computer", "pc"),
    ];
    parent("Event", std::iter::once(parent("System", system)).chain(behind).collect())
}

/// A file of chunks.
pub(super) fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut file = FILE.to_vec();
    file.resize(4096, 0);
    file[42..44].copy_from_slice(&(chunks.len() as u16).to_le_bytes());
    file.extend(chunks.iter().flatten());
    file
}

/// A chunk with events.
pub(super) fn chunk(events: &[Element<'_>]) -> Vec<u8> {
    let mut chunk = CHUNK.to_vec();
    chunk.resize(512, 0);
    let mut last = 512;
    for (id, event) in (1_u64..).zip(events) {
        last = chunk.len();
        chunk.extend([0x2A, 0x2A, 0, 0, 0, 0, 0, 0]);
        chunk.extend(id.to_le_bytes());
        chunk.extend(133_000_000_000_000_000_u64.to_le_bytes());
        chunk.extend([0x0F, 1, 1, 0]);
        write(&mut chunk, event);
        chunk.push(0);
        let size = (chunk.len() + 4 - last) as u32;
        chunk.extend(size.to_le_bytes());
        chunk[last + 4..last + 8].copy_from_slice(&size.to_le_bytes());
    }
    let end = chunk.len();
    let ids = [1, events.len() as u64];
    for (at, id) in [8, 16, 24, 32].into_iter().zip(ids.iter().cycle()) {
        chunk[at..at + 8].copy_from_slice(&id.to_le_bytes());
    }
    for (at, number) in [(40, 128), (44, last as u32), (48, end as u32)] {
        chunk[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    assert!(end <= CHUNK_SIZE, "the events fit");
    chunk.resize(CHUNK_SIZE, 0);
    seal(&mut chunk);
    chunk
}

/// Writes the checksums of a chunk.
pub(super) fn seal(chunk: &mut [u8]) {
    let sum = |parts: &[&[u8]]| {
        let mut sum = flate2::Crc::new();
        for part in parts {
            sum.update(part);
        }
        sum.sum().to_le_bytes()
    };
    let end = u32::from_le_bytes([chunk[48], chunk[49], chunk[50], chunk[51]]) as usize;
    let records = sum(&[&chunk[512..end]]);
    chunk[52..56].copy_from_slice(&records);
    let header = sum(&[&chunk[..120], &chunk[128..512]]);
    chunk[124..128].copy_from_slice(&header);
}

fn write(chunk: &mut Vec<u8>, element: &Element<'_>) {
    let has_attributes = !element.attributes.is_empty();
    chunk.push(if has_attributes { 0x41 } else { 0x01 });
    chunk.extend([0; 4]);
    write_name(chunk, element.name);
    if has_attributes {
        chunk.extend([0; 4]);
    }
    for (index, (name, value)) in element.attributes.iter().enumerate() {
        chunk.push(if index + 1 < element.attributes.len() { 0x46 } else { 0x06 });
        write_name(chunk, name);
        write_text(chunk, value);
    }
    chunk.push(0x02);
    if !element.text.is_empty() {
        write_text(chunk, element.text);
    }
    element.children.iter().for_each(|child| write(chunk, child));
    chunk.push(0x04);
}

/// The name behind its own place.
fn write_name(chunk: &mut Vec<u8>, name: &str) {
    chunk.extend((chunk.len() as u32 + 4).to_le_bytes());
    chunk.extend([0; 6]);
    chunk.extend((name.encode_utf16().count() as u16).to_le_bytes());
    chunk.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    chunk.extend([0; 2]);
}

fn write_text(chunk: &mut Vec<u8>, text: &str) {
    chunk.extend([0x05, 0x01]);
    chunk.extend((text.encode_utf16().count() as u16).to_le_bytes());
    chunk.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
}
