//! Decoders of one stream each of gzip, bzip2, xz and Zstandard.

use std::io;

use bzip2::Decompress as Bunzip;
use flate2::{Crc, Decompress as Inflate, FlushDecompress};
use liblzma::stream::Stream as Xz;
use zstd::stream::raw::{DParameter, Decoder as Zstandard, Operation};

use super::compression::Compression;
use super::input::Input;

/// The binary logarithm of the memory that a compressed file may ask for, 128 MiB: the text that its later parts refer to. `xz -9`
/// asks for 64 MiB, `zstd --ultra -22` and `zstd --long` for 128 MiB.
const MOST_MEMORY_LOG: u32 = 27;

/// The memory that xz needs besides.
const XZ_EXTRA: u64 = 4 << 20;

/// The reason for which a stream has no more text.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file ends within it.
    Cut,
    /// It makes no sense, and why.
    Damaged(String),
    /// It asks for more memory than there is for it.
    Large,
}

/// The state of a stream behind the bytes that a decoder has written.
#[derive(Debug)]
pub(super) enum Next {
    More,
    /// The stream ends.
    End,
    Fault(Fault),
}

/// A decoder of one stream. It is made new for each.
pub(super) enum Decoder {
    Gzip(Box<Gzip>),
    Bzip2(Bunzip),
    Xz(Xz),
    Zstandard(Zstandard<'static>),
}

/// The effect of one step on the bytes that were given: how many were used, how many were written, and what follows.
type Step = (usize, usize, Result<bool, Fault>);

impl Decoder {
    pub(super) fn new(compression: Compression) -> Result<Self, Fault> {
        let damaged = |error: &dyn std::fmt::Display| Fault::Damaged(error.to_string());
        Ok(match compression {
            Compression::Gzip => Self::Gzip(Box::new(Gzip {
                inflate: Inflate::new(false),
                crc: Crc::new(),
                place: Place::Header,
            })),
            Compression::Bzip2 => Self::Bzip2(Bunzip::new(false)),
            Compression::Xz => {
                let stream = Xz::new_stream_decoder((1 << MOST_MEMORY_LOG) + XZ_EXTRA, 0);
                Self::Xz(stream.map_err(|error| damaged(&error))?)
            }
            Compression::Zstandard => {
                let mut decoder = Zstandard::new().map_err(|error| damaged(&error))?;
                let limit = decoder.set_parameter(DParameter::WindowLogMax(MOST_MEMORY_LOG));
                limit.map_err(|error| damaged(&error))?;
                Self::Zstandard(decoder)
            }
        })
    }

    /// Decodes the next bytes of the stream: how many were written to `output`, and what follows. It fails if the file can't be
    /// read.
    pub(super) fn decode(&mut self, input: &mut Input, output: &mut [u8]) -> io::Result<(usize, Next)> {
        if let Self::Gzip(gzip) = self
            && let Some(next) = gzip.header_or_trailer(input)?
        {
            return Ok((0, next));
        }
        let bytes = input.next(1)?;
        let is_end = bytes.is_empty();
        let (used, written, result) = match self {
            Self::Gzip(gzip) => gzip.step(bytes, output),
            Self::Bzip2(decoder) => bzip2_step(decoder, bytes, output),
            Self::Xz(decoder) => xz_step(decoder, bytes, output),
            Self::Zstandard(decoder) => zstandard_step(decoder, bytes, output),
        };
        input.pass(used);
        let next = match result {
            Ok(true) => Next::End,
            Ok(false) if used > 0 || written > 0 || self.has_trailer() => Next::More,
            Ok(false) if is_end => Next::Fault(Fault::Cut),
            Ok(false) => Next::Fault(Fault::Damaged("it goes on with nothing".to_owned())),
            Err(fault) => Next::Fault(fault),
        };
        Ok((written, next))
    }

    /// Whether the trailer of a member comes next.
    fn has_trailer(&self) -> bool {
        matches!(self, Self::Gzip(gzip) if gzip.place == Place::Trailer)
    }
}

fn bzip2_step(decoder: &mut Bunzip, bytes: &[u8], output: &mut [u8]) -> Step {
    let before = (decoder.total_in(), decoder.total_out());
    let result = match decoder.decompress(bytes, output) {
        Ok(bzip2::Status::StreamEnd) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => Err(Fault::Damaged(error.to_string())),
    };
    ((decoder.total_in() - before.0) as usize, (decoder.total_out() - before.1) as usize, result)
}

fn xz_step(decoder: &mut Xz, bytes: &[u8], output: &mut [u8]) -> Step {
    let before = (decoder.total_in(), decoder.total_out());
    let result = match decoder.process(bytes, output, liblzma::stream::Action::Run) {
        Ok(liblzma::stream::Status::StreamEnd) => Ok(true),
        Ok(_) => Ok(false),
        Err(liblzma::stream::Error::MemLimit) => Err(Fault::Large),
        Err(error) => Err(Fault::Damaged(error.to_string())),
    };
    ((decoder.total_in() - before.0) as usize, (decoder.total_out() - before.1) as usize, result)
}

fn zstandard_step(decoder: &mut Zstandard<'static>, bytes: &[u8], output: &mut [u8]) -> Step {
    let mut input = zstd::stream::raw::InBuffer::around(bytes);
    let mut output = zstd::stream::raw::OutBuffer::around(output);
    let result = match decoder.run(&mut input, &mut output) {
        Ok(missing) => Ok(missing == 0),
        // The library tells its errors by their texts.
        Err(error) if error.to_string().contains("too much memory") => Err(Fault::Large),
        Err(error) => Err(Fault::Damaged(error.to_string())),
    };
    (input.pos(), output.pos(), result)
}

/// A member of a gzip file (RFC 1952).
pub(super) struct Gzip {
    inflate: Inflate,
    crc: Crc,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Data,
    Trailer,
}

impl Gzip {
    /// Reads the header or the trailer, if one of them comes next.
    fn header_or_trailer(&mut self, input: &mut Input) -> io::Result<Option<Next>> {
        Ok(match self.place {
            Place::Header => {
                self.place = Place::Data;
                Some(header(input)?.map_or_else(Next::Fault, |()| Next::More))
            }
            Place::Data => None,
            Place::Trailer => Some(self.trailer(input)?.map_or_else(Next::Fault, |()| Next::End)),
        })
    }

    fn step(&mut self, bytes: &[u8], output: &mut [u8]) -> Step {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let result = self.inflate.decompress(bytes, output, FlushDecompress::None);
        let used = (self.inflate.total_in() - before.0) as usize;
        let written = (self.inflate.total_out() - before.1) as usize;
        self.crc.update(output.get(..written).unwrap_or_default());
        let result = match result {
            Ok(status) => {
                if status == flate2::Status::StreamEnd {
                    self.place = Place::Trailer;
                }
                Ok(false)
            }
            Err(error) => Err(Fault::Damaged(error.to_string())),
        };
        (used, written, result)
    }

    /// Compares the text with its checksum and its length.
    fn trailer(&self, input: &mut Input) -> io::Result<Result<(), Fault>> {
        let bytes = input.next(8)?;
        let (Some(sum), Some(length)) =
            (bytes.first_chunk::<4>(), bytes.get(4..).and_then(<[u8]>::first_chunk::<4>))
        else {
            let length = bytes.len();
            input.pass(length);
            return Ok(Err(Fault::Cut));
        };
        let is_right =
            (u32::from_le_bytes(*sum), u32::from_le_bytes(*length)) == (self.crc.sum(), self.crc.amount());
        input.pass(8);
        Ok(if is_right { Ok(()) } else { Err(Fault::Damaged("its checksum is another".to_owned())) })
    }
}

/// Reads the header of a member, whose magic number is known.
fn header(input: &mut Input) -> io::Result<Result<(), Fault>> {
    const HAS_CHECKSUM: u8 = 1 << 1;
    const HAS_EXTRA: u8 = 1 << 2;
    const HAS_NAME: u8 = 1 << 3;
    const HAS_COMMENT: u8 = 1 << 4;
    const UNKNOWN: u8 = 0b1110_0000;
    let mut header = Header { input, crc: Crc::new() };
    let Some([_, _, _, flags, ..]) = header.bytes::<10>()? else { return Ok(Err(Fault::Cut)) };
    if flags & UNKNOWN != 0 {
        return Ok(Err(Fault::Damaged("its header has flags of no gzip".to_owned())));
    }
    if flags & HAS_EXTRA != 0 {
        let Some(length) = header.bytes::<2>()? else { return Ok(Err(Fault::Cut)) };
        for _ in 0..u16::from_le_bytes(length) {
            if header.bytes::<1>()?.is_none() {
                return Ok(Err(Fault::Cut));
            }
        }
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 && !header.pass_text()? {
            return Ok(Err(Fault::Cut));
        }
    }
    if flags & HAS_CHECKSUM != 0 {
        let sum = header.crc.sum() as u16;
        match header.bytes::<2>()? {
            Some(bytes) if u16::from_le_bytes(bytes) == sum => {}
            Some(_) => return Ok(Err(Fault::Damaged("the checksum of its header is another".to_owned()))),
            None => return Ok(Err(Fault::Cut)),
        }
    }
    Ok(Ok(()))
}

/// The bytes of a header, and their checksum.
struct Header<'a> {
    input: &'a mut Input,
    crc: Crc,
}

impl Header<'_> {
    /// Goes behind a text and the zero that ends it; false if the file ends before.
    fn pass_text(&mut self) -> io::Result<bool> {
        loop {
            match self.bytes::<1>()? {
                Some([0]) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// The next bytes; none if the file ends before.
    fn bytes<const LENGTH: usize>(&mut self) -> io::Result<Option<[u8; LENGTH]>> {
        let mut bytes = [0; LENGTH];
        for byte in &mut bytes {
            let Some(next) = self.input.byte()? else { return Ok(None) };
            *byte = next;
        }
        self.crc.update(&bytes);
        Ok(Some(bytes))
    }
}
