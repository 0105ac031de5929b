//! Formats that are no text, by their first bytes.

use memchr::memmem;

use super::compression::Compression;
use super::encoding;
use super::{BinaryFormat, Content};
use crate::container::Container;
use crate::evtx;

/// The name of a kind that is neither text nor known.
pub(super) const BINARY: &str = "binary data";

const WORKBOOK: &str = "an Excel workbook";
const SEVEN_ZIP: &str = "a 7z archive";
const RAR: &str = "a RAR archive";
const PCAP: &str = "a packet capture (pcap)";
const PCAPNG: &str = "a packet capture (pcapng)";
const SQLITE: &str = "an SQLite database";
pub(super) const COMPRESSED_TWICE: &str = "compressed twice";
const COMPRESSED_BINARY: &str = "a compressed file of a columnar format";
pub(super) const COMPRESSED_EMPTY: &str = "a compressed file of 0 bytes of text";
pub(super) const COMPRESSED_CUT: &str = "a compressed file that is cut off before its first byte of text";
pub(super) const COMPRESSED_DAMAGED: &str = "a compressed file that is damaged before its first byte of text";
pub(super) const LARGE_WINDOW: &str = "Zstandard data with a window of more than 128 MiB";
pub(super) const LARGE_DICTIONARY: &str = "xz data with a dictionary of more than 128 MiB";
pub(super) const MARK: &str = "a byte order mark and nothing else";

/// The byte order marks of UTF-8, UTF-16 and UTF-32.
const MARKS: [&[u8]; 5] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"];

/// The first bytes of formats, where they stand, and what they are. Text does not begin so.
const MAGIC: [(usize, &[u8], Content); 39] = [
    (0, b"Obj\x01", Content::Binary(BinaryFormat::Avro)),
    (0, b"ARROW1\0\0", Content::Binary(BinaryFormat::Arrow)),
    (0, b"PK\x03\x04", Content::Container(Container::Zip)),
    (0, b"PK\x05\x06", Content::Container(Container::Zip)),
    (0, b"PK\x07\x08", Content::Container(Container::Zip)),
    (0, b"7z\xBC\xAF\x27\x1C", Content::Unknown(SEVEN_ZIP)),
    (0, b"Rar!\x1A\x07", Content::Unknown(RAR)),
    (0, b"MSCF\0\0\0\0", Content::Unknown("a Windows cabinet")),
    (0, evtx::FILE, Content::EventLog),
    (0, evtx::CHUNK, Content::EventLog),
    (4, b"LfLe", Content::Unknown("an event log of Windows XP (EVT)")),
    (0, b"regf", Content::Unknown("a hive of the Windows registry")),
    (0, b"MAM\x04", Content::Unknown("a compressed prefetch file")),
    (4, b"\xEF\xCD\xAB\x89", Content::Unknown("an ESE database")),
    (0, b"SQLite format 3\0", Content::Unknown(SQLITE)),
    (8, b"DUCK", Content::Unknown("a DuckDB database")),
    (0, b"%PDF-", Content::Unknown("a PDF document")),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Content::Unknown("an old Office document (OLE)")),
    (0, b"bplist0", Content::Unknown("a binary property list")),
    (0, b"LPKSHHRH", Content::Unknown("a journal of systemd")),
    (0, b"\x7FELF", Content::Unknown("a program (ELF)")),
    (0, b"MZ", Content::Unknown("a program of Windows (PE)")),
    (0, b"\xCF\xFA\xED\xFE", Content::Unknown("a program (Mach-O)")),
    (0, b"\xCA\xFE\xBA\xBE", Content::Unknown("a program (Java or Mach-O)")),
    (0, b"MDMP", Content::Unknown("a memory dump")),
    (0, b"\x89PNG\r\n\x1A\n", Content::Unknown("a PNG picture")),
    (0, b"\xFF\xD8\xFF", Content::Unknown("a JPEG picture")),
    (0, b"GIF87a", Content::Unknown("a GIF picture")),
    (0, b"GIF89a", Content::Unknown("a GIF picture")),
    (0, b"\xD4\xC3\xB2\xA1", Content::Unknown(PCAP)),
    (0, b"\xA1\xB2\xC3\xD4", Content::Unknown(PCAP)),
    (0, b"\x4D\x3C\xB2\xA1", Content::Unknown(PCAP)),
    (0, b"\xA1\xB2\x3C\x4D", Content::Unknown(PCAP)),
    (0, b"ORC", Content::Unknown("an ORC file")),
    (0, b"PAR1", Content::Binary(BinaryFormat::Parquet)),
    (0, b"PARE", Content::Unknown("an encrypted Parquet file")),
    (0, b"\x89HDF\r\n\x1A\n", Content::Unknown("an HDF5 file")),
    (0, b"\x04\x22\x4D\x18", Content::Unknown("compressed with LZ4")),
    (0, b"\x1F\x9D", Content::Unknown("compressed with compress (.Z)")),
];

/// The kind of content that begins so, behind a compression or not.
pub(super) fn kind(beginning: &[u8], is_compressed: bool) -> Content {
    match by_magic(beginning) {
        // The engine reads files in place, and can't see behind a compression.
        Some(Content::Binary(_)) if is_compressed => Content::Unknown(COMPRESSED_BINARY),
        // Its list is at its end.
        Some(Content::Container(Container::Zip)) if is_compressed => Content::Unknown(COMPRESSED_TWICE),
        Some(Content::Unknown(COMPRESSED_TWICE)) if !is_compressed => Content::Unknown(BINARY),
        Some(content) => content,
        None if beginning.is_empty() && is_compressed => Content::Unknown(COMPRESSED_EMPTY),
        None if beginning.is_empty() => Content::Empty,
        None if MARKS.contains(&beginning) => Content::Unknown(MARK),
        None if is_text(beginning) => Content::Text,
        None => Content::Unknown(BINARY),
    }
}

fn by_magic(beginning: &[u8]) -> Option<Content> {
    if beginning.get(257..262) == Some(b"ustar") && beginning.get(..257)?.contains(&0) {
        return Some(Content::Container(Container::Tar));
    }
    if let [0xFF, 0xFF, 0xFF, 0xFF, length @ ..] = beginning
        && let Some(length) = length.first_chunk().map(|length| u32::from_le_bytes(*length))
        && (8..1 << 26).contains(&length)
    {
        return Some(Content::Binary(BinaryFormat::ArrowStream));
    }
    if beginning.starts_with(b"\x0A\x0D\x0D\x0A")
        && matches!(beginning.get(8..12), Some(b"\x4D\x3C\x2B\x1A" | b"\x1A\x2B\x3C\x4D"))
    {
        return Some(Content::Unknown(PCAPNG));
    }
    if Compression::of(beginning).is_some() {
        return Some(Content::Unknown(COMPRESSED_TWICE));
    }
    let is_at = |at: &usize, magic: &[u8]| beginning.get(*at..).is_some_and(|bytes| bytes.starts_with(magic));
    let (_, magic, found) = *MAGIC.iter().find(|(at, magic, _)| is_at(at, magic))?;
    // A text may begin with the letters of `MZ`, `ORC`, `PAR1`; but it has no control characters.
    if magic != b"%PDF-".as_slice()
        && magic.is_ascii()
        && !magic.iter().chain(beginning).any(|byte| is_control(*byte))
    {
        return None;
    }
    if found == Content::Container(Container::Zip) && memmem::find(beginning, b"xl/").is_some() {
        return Some(Content::Unknown(WORKBOOK));
    }
    Some(found)
}

/// Whether a kind says that there is no text.
pub(super) fn is_hollow(kind: &str) -> bool {
    [COMPRESSED_EMPTY, COMPRESSED_CUT, COMPRESSED_DAMAGED, MARK].contains(&kind)
}

/// The way out for a kind, as the end of a sentence.
pub(super) fn way_out(kind: &str) -> &'static str {
    match kind {
        SEVEN_ZIP | RAR => ": unpack it, and name the files that were in it",
        WORKBOOK => ": save its sheet as CSV",
        PCAP | PCAPNG => ": turn it into logs, with zeek -r or tshark -T ek for two",
        SQLITE => ": write its tables as CSV, with sqlite3 -csv -header for one",
        COMPRESSED_TWICE | COMPRESSED_BINARY => ": decompress it first",
        COMPRESSED_EMPTY | MARK => ": it has no columns",
        COMPRESSED_CUT | COMPRESSED_DAMAGED => ": copy it again from where it is whole",
        LARGE_WINDOW => ": decompress it first, with zstd -d --long=31",
        LARGE_DICTIONARY => ": decompress it first, with xz -d",
        _ => "",
    }
}

/// The name of a format for a message.
pub(super) fn name_of(format: BinaryFormat) -> &'static str {
    match format {
        BinaryFormat::Parquet => "a Parquet file",
        BinaryFormat::Arrow => "an Arrow file",
        BinaryFormat::ArrowStream => "an Arrow stream",
        BinaryFormat::Avro => "an Avro file",
    }
}

/// Whether the bytes are text of some encoding. Control characters are few in text; more of them may be in what is UTF-8, as some
/// formats separate values by them. Zeros in a row count once: a log has many of them where its writer was interrupted.
fn is_text(beginning: &[u8]) -> bool {
    if encoding::is_wide(beginning) {
        return true;
    }
    let (mut controls, mut others, mut last) = (0_usize, 0_usize, 1);
    for byte in beginning.iter().copied() {
        if !is_control(byte) {
            others += 1;
        } else if (byte, last) != (0, 0) {
            controls += 1;
        }
        last = byte;
    }
    let is_utf8 = std::str::from_utf8(complete(beginning)).is_ok();
    let most_in_a_hundred = if is_utf8 { 30 } else { 5 };
    controls * 100 <= most_in_a_hundred * (controls + others)
}

/// Control characters that text seldom has: not tabs, line ends, form feeds and escape sequences.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t'..=b'\r' | 0x1B)
}

/// The bytes without a letter at their end that is not whole.
fn complete(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() - encoding::incomplete_end(bytes)).unwrap_or(bytes)
}
