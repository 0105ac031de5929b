//! gzip, bzip2, xz and Zstandard, in several streams behind one another.
//!
//! A file that is damaged or cut off gives the text before the damage, and then an [`Ending`] again and again: an error with what is
//! to be said of it. So does a file with other bytes behind its last stream. Of a file that was cut off the text is right; of a
//! damaged one it may be wrong, so the reading leaves all of it out.

use std::io::{self, Read};

use super::decoder::{Decoder, Fault, Next};
use super::input::Input;
use super::kind;

/// The number of bytes by which a compression is known.
pub(super) const LONGEST_MAGIC: usize = 10;

/// The bytes of text that are decoded at once: a block of Zstandard, and more than gzip holds back.
const PIECE: usize = 128 * 1024;

/// A compression that is undone while reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
}

const GZIP: &[u8] = &[0x1F, 0x8B, 8];
const XZ: &[u8] = b"\xFD7zXZ\0";
/// The digits of pi begin a block of bzip2, those of its root an empty file.
const BZIP2_BLOCKS: [&[u8]; 2] =
    [&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]];

impl Compression {
    /// The compression of a file by its first bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            _ if start.starts_with(GZIP) => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', block @ ..]
                if BZIP2_BLOCKS.iter().any(|begin| block.starts_with(begin)) =>
            {
                Some(Self::Bzip2)
            }
            _ if start.starts_with(XZ) => Some(Self::Xz),
            // A frame, or one that is to be skipped.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }

    /// Whether all bytes of a file's end are the beginning of a stream, which would go on.
    fn is_cut_magic(self, end: &[u8]) -> bool {
        match self {
            Self::Gzip => GZIP.starts_with(end),
            Self::Bzip2 => {
                let digit = end.get(3).copied().unwrap_or(b'1');
                let begins = |block: &[u8]| [&[b'B', b'Z', b'h', digit], block].concat().starts_with(end);
                digit.is_ascii_digit() && BZIP2_BLOCKS.into_iter().any(begins)
            }
            Self::Xz => XZ.starts_with(end),
            Self::Zstandard => {
                [0x28, 0xB5, 0x2F, 0xFD].starts_with(end)
                    || matches!(end, [0x50..=0x5F] | [0x50..=0x5F, 0x2A] | [0x50..=0x5F, 0x2A, 0x4D])
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstandard => "Zstandard",
        }
    }

    /// The bytes behind the compression. Its errors are those of the file, and an [`Ending`].
    pub(super) fn reader(self, file: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Decompressed {
            compression: self,
            input: Input::new(file),
            decoder: None,
            output: vec![0; PIECE],
            start: 0,
            end: 0,
            given: 0,
            is_end: false,
            ending: None,
        })
    }
}

/// The reason for which a text ends before its file does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The reason: `is cut off: ...` or `is damaged: ...`.
    pub(crate) reason: String,
    /// Whether the file is only cut off, so that the text before is right. Damaged bytes mostly become wrong text before they make no
    /// sense, or before the checksum of all of them tells.
    pub(crate) is_cut: bool,
}

/// The end of a compressed file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// A sentence about it.
    pub(super) text: String,
    /// The reason for which the text ends there, if there should be more.
    pub(super) damage: Option<Damage>,
    /// The kind of the file if it has no byte of text.
    pub(super) kind: &'static str,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Ending {}

/// The damage that an error of a reader stands for.
pub(crate) fn damage_of(error: &io::Error) -> Option<Damage> {
    Ending::of(error).and_then(|ending| ending.damage.clone())
}

impl Ending {
    /// The ending that an error of a reader stands for.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|error| error.downcast_ref())
    }

    /// The end of a file whose stream has a fault at a byte, behind so many bytes of text.
    fn of_fault(compression: Compression, fault: Fault, position: u64, given: u64) -> Self {
        let name = compression.name();
        let before =
            format!("the {given} bytes of text before are read, and the record that was cut is rejected");
        match fault {
            Fault::Cut => {
                let reason = format!("is cut off: its {name} data ends in the middle, after byte {position}");
                let text = format!("{reason}; {before}");
                Self { text, damage: Some(Damage { reason, is_cut: true }), kind: kind::COMPRESSED_CUT }
            }
            Fault::Large => {
                let kind = match compression {
                    Compression::Zstandard => kind::LARGE_WINDOW,
                    _ => kind::LARGE_DICTIONARY,
                };
                let reason =
                    format!("is cut off: from byte {position} on it is {kind}{}", kind::way_out(kind));
                let text = format!("{reason}; {before}");
                Self { text, damage: Some(Damage { reason, is_cut: true }), kind }
            }
            Fault::Damaged(error) => {
                let tool = match compression {
                    Compression::Gzip => "zcat",
                    Compression::Bzip2 => "bzcat",
                    Compression::Xz => "xzcat",
                    Compression::Zstandard => "zstdcat",
                };
                let reason =
                    format!("is damaged: its {name} data makes no sense at byte {position} ({error})");
                let text = format!(
                    "{reason}, so none of its rows is read: copy it again; {tool} gives what there is"
                );
                Self { text, damage: Some(Damage { reason, is_cut: false }), kind: kind::COMPRESSED_DAMAGED }
            }
        }
    }

    /// The end of a file that goes on with other bytes.
    fn of_rest(compression: Compression, bytes: u64) -> Self {
        let name = compression.name();
        let text = match bytes {
            1 => format!("1 byte behind the end of the {name} data is no {name} data, and was not read"),
            _ => format!(
                "{bytes} bytes behind the end of the {name} data are no {name} data, and were not read"
            ),
        };
        Self { text, damage: None, kind: kind::COMPRESSED_EMPTY }
    }
}

/// The bytes behind a compression.
struct Decompressed {
    compression: Compression,
    input: Input,
    /// The decoder of the stream; none between two streams.
    decoder: Option<Decoder>,
    /// Bytes that are decoded: those from `start` to `end` are still to be given out, and `end` is in it.
    output: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of bytes that were decoded.
    given: u64,
    is_end: bool,
    ending: Option<Ending>,
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end && !self.is_end && !buffer.is_empty() {
            self.step()?;
        }
        let ready = self.output.get(self.start..self.end).unwrap_or_default();
        if let (true, Some(ending)) = (ready.is_empty() && !buffer.is_empty(), &self.ending) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, ending.clone()));
        }
        let length = ready.len().min(buffer.len());
        if let (Some(buffer), Some(ready)) = (buffer.get_mut(..length), ready.get(..length)) {
            buffer.copy_from_slice(ready);
        }
        self.start += length;
        Ok(length)
    }
}

impl Decompressed {
    /// Decodes the next bytes, or goes to the next stream.
    fn step(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return self.begin() };
        let (written, next) = decoder.decode(&mut self.input, &mut self.output)?;
        (self.start, self.end) = (0, written.min(self.output.len()));
        self.given += written as u64;
        match next {
            Next::More => {}
            Next::End => self.decoder = None,
            Next::Fault(fault) => self.fail(fault),
        }
        Ok(())
    }

    /// Begins the next stream. Zeros between them, as tapes have and xz allows, are no stream.
    fn begin(&mut self) -> io::Result<()> {
        let is_padded = matches!(self.compression, Compression::Gzip | Compression::Xz);
        if is_padded && self.input.position() > 0 {
            self.input.pass_zeros()?;
        }
        let start = self.input.next(LONGEST_MAGIC)?;
        if start.is_empty() {
            self.is_end = true;
        } else if Compression::of(start) == Some(self.compression) {
            match Decoder::new(self.compression) {
                Ok(decoder) => self.decoder = Some(decoder),
                Err(fault) => self.fail(fault),
            }
        } else if start.len() < LONGEST_MAGIC && self.compression.is_cut_magic(start) {
            self.input.pass_all()?;
            self.fail(Fault::Cut);
        } else {
            let bytes = self.input.pass_all()?;
            self.is_end = true;
            self.ending = Some(Ending::of_rest(self.compression, bytes));
        }
        Ok(())
    }

    fn fail(&mut self, fault: Fault) {
        self.is_end = true;
        self.decoder = None;
        self.ending = Some(Ending::of_fault(self.compression, fault, self.input.position(), self.given));
    }
}

/// The bytes of a file up to an [`Ending`], which is told.
pub(super) struct Ended {
    pub(super) bytes: Box<dyn Read + Send>,
    pub(super) notes: super::Notes,
    pub(super) is_told: bool,
}

impl Read for Ended {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer).or_else(|error| match Ending::of(&error) {
            None => Err(error),
            Some(ending) => {
                if !self.is_told {
                    self.is_told = true;
                    self.notes.end(ending);
                }
                Ok(0)
            }
        })
    }
}
