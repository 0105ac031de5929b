//! The encoding of text, and other encodings to UTF-8.
//!
//! A byte order mark tells the encoding. Without one, UTF-16 is known by the zeros in it; all other text is UTF-8, but for lines that
//! are not, see `utf8`. An encoding that is ordered overrules all of that.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE};

use super::Notes;
use super::utf8::Utf8;
use crate::options::ReadOptions;
use crate::records::line_end;
use crate::source::shown;
use crate::{Error, Result};

/// The byte order mark in UTF-8.
pub(super) const UTF8_MARK: &[u8; 3] = b"\xEF\xBB\xBF";

/// The UTF-8 of U+FFFD, which stands for bytes that are no letter.
const REPLACEMENT: &[u8] = b"\xEF\xBF\xBD";

/// The number of bytes that are decoded at once.
const PIECE: usize = 64 * 1024;

/// The number of pairs of bytes that tell UTF-16 without a mark.
const PAIRS: usize = 4096;

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    /// UTF-8, but for some lines.
    Utf8,
    /// Four bytes for each letter.
    Utf32 { is_big_endian: bool },
    /// An encoding of the WHATWG standard.
    Standard(&'static encoding_rs::Encoding),
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf32 { is_big_endian: false } => "UTF-32LE",
            Self::Utf32 { is_big_endian: true } => "UTF-32BE",
            Self::Standard(standard) => standard.name(),
        }
    }
}

/// The text behind `bytes`, which begin with `beginning`, as UTF-8.
pub(super) fn decoded(
    bytes: Box<dyn Read + Send>,
    beginning: &[u8],
    options: &ReadOptions,
    notes: &Notes,
) -> Result<Box<dyn Read + Send>> {
    let marked = of_mark(beginning);
    let encoding = match (&options.encoding, marked) {
        (Some(name), marked) => of_name(name, marked)?,
        (None, Some(marked)) => marked,
        (None, None) => match of_utf16(beginning) {
            Some(wide) => {
                notes.add(format!("read as {}: it looks like it, but has no byte order mark", wide.name()));
                Encoding::Standard(wide)
            }
            None => Encoding::Utf8,
        },
    };
    let decoder = || match encoding {
        Encoding::Utf8 => None,
        Encoding::Utf32 { is_big_endian } => Some(Decoder::Utf32 { is_big_endian, left: vec![] }),
        Encoding::Standard(standard) => Some(Decoder::Standard(standard.new_decoder_without_bom_handling())),
    };
    let mut malformed = Malformed { line_end: b'\n', lines: 0, places: 0, first_line: 0 };
    // Lines are counted for the notes, by the line end that the beginning has.
    let Some(mut first) = decoder() else {
        let line_end = line_end(beginning, false);
        return Ok(Box::new(Utf8::new(bytes, notes.clone(), line_end)));
    };
    let mut start = vec![];
    first.decode(beginning, false, &mut start, &mut malformed);
    let malformed = Malformed { line_end: line_end(&start, false), lines: 0, places: 0, first_line: 0 };
    let Some(decoder) = decoder() else { return Ok(bytes) };
    Ok(Box::new(Decoded {
        bytes,
        decoder,
        encoding: encoding.name(),
        text: vec![],
        given: 0,
        is_end: false,
        malformed,
        notes: notes.clone(),
    }))
}

/// The encoding that a byte order mark tells.
fn of_mark(beginning: &[u8]) -> Option<Encoding> {
    match beginning {
        [0xEF, 0xBB, 0xBF, ..] => Some(Encoding::Utf8),
        [0xFF, 0xFE, 0, 0, ..] => Some(Encoding::Utf32 { is_big_endian: false }),
        [0, 0, 0xFE, 0xFF, ..] => Some(Encoding::Utf32 { is_big_endian: true }),
        [0xFF, 0xFE, ..] => Some(Encoding::Standard(UTF_16LE)),
        [0xFE, 0xFF, ..] => Some(Encoding::Standard(UTF_16BE)),
        _ => None,
    }
}

/// The encoding of a name in the WHATWG standard, or one of UTF-32. A mark tells the order of bytes where the name leaves it open.
fn of_name(name: &str, marked: Option<Encoding>) -> Result<Encoding> {
    let lower = name.trim().to_ascii_lowercase();
    match (lower.as_str(), marked) {
        ("utf-16" | "utf16", Some(marked)) if matches!(marked.name(), "UTF-16LE" | "UTF-16BE") => {
            return Ok(marked);
        }
        ("utf-32" | "utf32", Some(marked @ Encoding::Utf32 { .. })) => return Ok(marked),
        ("utf-32" | "utf32" | "utf-32le" | "utf32le", _) => {
            return Ok(Encoding::Utf32 { is_big_endian: false });
        }
        ("utf-32be" | "utf32be", _) => return Ok(Encoding::Utf32 { is_big_endian: true }),
        ("utf16" | "utf16le", _) => return Ok(Encoding::Standard(UTF_16LE)),
        ("utf16be", _) => return Ok(Encoding::Standard(UTF_16BE)),
        _ => {}
    }
    let standard = encoding_rs::Encoding::for_label_no_replacement(lower.as_bytes());
    standard.map(Encoding::Standard).ok_or_else(|| {
        Error::new(format!(
            "there is no encoding {}: expected a name such as 'utf-8', 'utf-16le', 'windows-1252', 'windows-1251', 'shift_jis'",
            shown(name)
        ))
    })
}

/// Whether it is text of two or four bytes for each letter, by its mark or by its looks.
pub(super) fn is_wide(beginning: &[u8]) -> bool {
    of_mark(beginning).is_some_and(|marked| marked != Encoding::Utf8) || of_utf16(beginning).is_some()
}

/// UTF-16, if a text without a mark looks like it: nearly every second byte is zero, or the bytes there are those of one script and
/// of the ASCII characters between its words.
fn of_utf16(beginning: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let (pairs, _) = beginning.as_chunks::<2>();
    let pairs = pairs.get(..PAIRS).unwrap_or(pairs);
    let looks_like = |is_big_endian: bool| {
        let unit =
            |[first, second]: &[u8; 2]| if is_big_endian { (*first, *second) } else { (*second, *first) };
        let units = || pairs.iter().map(unit);
        let is_ascii =
            |(high, low): &(u8, u8)| *high == 0 && matches!(low, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        let ascii = units().filter(is_ascii).count();
        if pairs.len() < 2 || units().any(|unit| unit == (0, 0)) {
            return false;
        }
        let mut highs = [false; 256];
        for (high, _) in units() {
            // A byte is below 256.
            highs[usize::from(high)] = true;
        }
        let scripts = highs.iter().filter(|is_there| **is_there).count();
        ascii * 10 >= pairs.len() * 9 || (pairs.len() >= 16 && ascii * 10 >= pairs.len() && scripts <= 4)
    };
    if looks_like(false) {
        Some(UTF_16LE)
    } else if looks_like(true) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The number of bytes at the end that begin a letter of UTF-8 but are not all of it.
pub(super) fn incomplete_end(bytes: &[u8]) -> usize {
    let tail = bytes.get(bytes.len().saturating_sub(3)..).unwrap_or_default();
    let Some(at) = tail.iter().rposition(|byte| *byte & 0xC0 != 0x80) else { return 0 };
    let end = tail.get(at..).unwrap_or_default();
    match std::str::from_utf8(end) {
        Err(error) if error.error_len().is_none() => end.len(),
        _ => 0,
    }
}

/// Text in another encoding as UTF-8, decoded while it is read. What is no letter becomes U+FFFD, and is told at the end.
struct Decoded {
    bytes: Box<dyn Read + Send>,
    decoder: Decoder,
    encoding: &'static str,
    /// Text that is decoded, and how much of it was given out.
    text: Vec<u8>,
    given: usize,
    is_end: bool,
    malformed: Malformed,
    notes: Notes,
}

/// Places that are no letters.
struct Malformed {
    /// The byte that ends a line.
    line_end: u8,
    /// The number of lines that ended, until the first place is found.
    lines: u64,
    places: u64,
    first_line: u64,
}

enum Decoder {
    Standard(encoding_rs::Decoder),
    /// Bytes of a letter that is not whole are left for the next piece.
    Utf32 {
        is_big_endian: bool,
        left: Vec<u8>,
    },
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_end && !buffer.is_empty() {
            self.decode()?;
        }
        let ready = self.text.get(self.given..).unwrap_or_default();
        let length = ready.len().min(buffer.len());
        if let (Some(buffer), Some(ready)) = (buffer.get_mut(..length), ready.get(..length)) {
            buffer.copy_from_slice(ready);
        }
        self.given += length;
        Ok(length)
    }
}

impl Decoded {
    /// Decodes the next piece.
    fn decode(&mut self) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        let length = match self.bytes.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            length => length?,
        };
        piece.truncate(length);
        self.is_end = length == 0;
        self.text.clear();
        self.given = 0;
        // A letter that was cut with its file is left out.
        let is_whole = self.is_end && self.notes.damage().is_none();
        self.decoder.decode(&piece, is_whole, &mut self.text, &mut self.malformed);
        if self.is_end && self.malformed.places > 0 {
            let Malformed { places, first_line, .. } = self.malformed;
            let encoding = self.encoding;
            self.notes.add(match places {
                1 => format!("a place on line {first_line} is not {encoding}: it became U+FFFD"),
                _ => format!(
                    "{places} places are not {encoding}, the first on line {first_line}: each became U+FFFD"
                ),
            });
        }
        Ok(())
    }
}

impl Malformed {
    /// Notes a place behind a text whose lines have not been counted.
    fn note(&mut self, text: &[u8]) {
        if self.places == 0 {
            self.count(text);
            self.first_line = self.lines + 1;
        }
        self.places += 1;
    }

    fn count(&mut self, text: &[u8]) {
        if self.places == 0 {
            self.lines += memchr::memchr_iter(self.line_end, text).count() as u64;
        }
    }
}

impl Decoder {
    /// Appends the text of a piece.
    fn decode(&mut self, piece: &[u8], is_end: bool, text: &mut Vec<u8>, malformed: &mut Malformed) {
        let from = text.len();
        match self {
            Self::Standard(decoder) => {
                // It has room for a replacement of each byte.
                let room = decoder.max_utf8_buffer_length(piece.len()).unwrap_or(3 * piece.len() + 16);
                text.resize(from + room, 0);
                let (mut done, mut end) = (0, from);
                loop {
                    let rest = piece.get(done..).unwrap_or_default();
                    let into = text.get_mut(end..).unwrap_or_default();
                    let (result, read, written) =
                        decoder.decode_to_utf8_without_replacement(rest, into, is_end);
                    (done, end) = (done + read, end + written);
                    match result {
                        DecoderResult::InputEmpty => break,
                        DecoderResult::OutputFull => text.resize(text.len() + room, 0),
                        DecoderResult::Malformed(..) => {
                            malformed.note(text.get(from..end).unwrap_or_default());
                            text.splice(
                                end..text.len().min(end + REPLACEMENT.len()),
                                REPLACEMENT.iter().copied(),
                            );
                            end += REPLACEMENT.len();
                        }
                    }
                }
                text.truncate(end);
            }
            Self::Utf32 { is_big_endian, left } => {
                left.extend_from_slice(piece);
                let (letters, rest) = left.as_chunks::<4>();
                for letter in letters {
                    let code = if *is_big_endian {
                        u32::from_be_bytes(*letter)
                    } else {
                        u32::from_le_bytes(*letter)
                    };
                    match char::from_u32(code) {
                        Some(letter) => text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
                        None => {
                            malformed.note(text.get(from..).unwrap_or_default());
                            text.extend_from_slice(REPLACEMENT);
                        }
                    }
                }
                let rest = rest.to_vec();
                if is_end && !rest.is_empty() {
                    malformed.note(text.get(from..).unwrap_or_default());
                    text.extend_from_slice(REPLACEMENT);
                }
                *left = rest;
            }
        }
        malformed.count(text.get(from..).unwrap_or_default());
    }
}
