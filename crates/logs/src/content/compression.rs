//! gzip, bzip2, xz and Zstandard, in several streams behind one another.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::is_named;
use crate::source::shown;
use crate::{Error, Result};

/// The number of compressed bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// The binary logarithm of the memory that a compressed file may ask for, 1 GiB: the text that its later parts refer to.
const MOST_MEMORY_LOG: u32 = 30;

/// The number of bytes by which a compression is known.
pub(super) const LONGEST_MAGIC: usize = 10;

/// A compression that is undone while reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
}

impl Compression {
    /// The compression of a file by its first bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            // The digits of pi begin a block, those of its root an empty file.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Self::Bzip2),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            // A frame, or one that is to be skipped.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstandard => "Zstandard",
        }
    }

    /// The bytes behind the compression. A file that is damaged or cut off is an error, with the byte that was reached.
    pub(super) fn reader(self, file: impl Read + Send + 'static, name: &str) -> Result<Box<dyn Read + Send>> {
        let position = Arc::new(AtomicU64::new(0));
        let file = Counted { inner: BufReader::with_capacity(PIECE, file), position: Arc::clone(&position) };
        let begin = |error: io::Error| {
            Error::new(format!("can't begin to read the {} data of {}: {error}", self.name(), shown(name)))
        };
        let inner: Box<dyn Read + Send> = match self {
            Self::Gzip => Box::new(Members { decoder: Some(flate2::bufread::GzDecoder::new(file)) }),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
            Self::Xz => Box::new(xz(file).map_err(begin)?),
            Self::Zstandard => Box::new(zstandard(file).map_err(begin)?),
        };
        Ok(Box::new(Decompressed { inner, position, compression: self, name: name.into(), given: 0 }))
    }
}

fn xz<R: BufRead>(file: R) -> io::Result<liblzma::bufread::XzDecoder<R>> {
    let stream =
        liblzma::stream::Stream::new_stream_decoder(1 << MOST_MEMORY_LOG, liblzma::stream::CONCATENATED)?;
    Ok(liblzma::bufread::XzDecoder::new_stream(file, stream))
}

fn zstandard<R: BufRead>(file: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
    decoder.window_log_max(MOST_MEMORY_LOG)?;
    Ok(decoder)
}

/// The bytes of a compressed file; it counts those that are used.
struct Counted<R> {
    inner: BufReader<R>,
    position: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.position.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        self.position.fetch_add(length as u64, Ordering::Relaxed);
        self.inner.consume(length);
    }
}

/// The members of a gzip file one after the other; zeros behind them, as on tapes, are no member.
struct Members<R> {
    /// None at the end.
    decoder: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let length = decoder.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let Some(mut file) = self.decoder.take().map(flate2::bufread::GzDecoder::into_inner) else {
                break;
            };
            if skip_zeros(&mut file)? {
                self.decoder = Some(flate2::bufread::GzDecoder::new(file));
            }
        }
        Ok(0)
    }
}

/// Skips zeros, and tells whether something follows.
fn skip_zeros(file: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = match file.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let is_all = zeros == bytes.len();
        file.consume(zeros);
        if !is_all {
            return Ok(true);
        }
    }
}

/// The bytes behind a compression; its errors are whole sentences.
struct Decompressed {
    inner: Box<dyn Read + Send>,
    position: Arc<AtomicU64>,
    compression: Compression,
    name: String,
    /// The number of bytes that were given out.
    given: u64,
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                self.given += length as u64;
                Ok(length)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted || is_named(&error) => Err(error),
            Err(error) => Err(self.describe(&error)),
        }
    }
}

impl Decompressed {
    fn describe(&self, error: &io::Error) -> io::Error {
        let (position, given) = (self.position.load(Ordering::Relaxed), self.given);
        let compression = self.compression.name();
        let what = if error.kind() == io::ErrorKind::UnexpectedEof {
            format!("is cut off: its {compression} data ends in the middle, after byte {position}")
        } else {
            format!("is damaged: its {compression} data makes no sense at byte {position} ({error})")
        };
        let text = format!("{} {what}; {given} bytes of text came before", shown(&self.name));
        io::Error::new(error.kind(), Error::new(text))
    }
}
