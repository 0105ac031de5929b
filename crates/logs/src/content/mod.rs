//! The content of a file: its compression, its encoding, its format.
//!
//! The first bytes tell the compression, whatever the name of the file; the first bytes behind it tell text from other formats. Text
//! is decoded to UTF-8 while it is read, see `encoding` and `utf8`. Its first MiB tells the format. A source is opened once for all
//! of that, and no byte is read twice: what was looked at is given out again in front of the rest.
//!
//! | module | task |
//! |---|---|
//! | `compression` | gzip, bzip2, xz and Zstandard, in several streams behind one another, also if they are damaged |
//! | `decoder`, `input` | one stream, and the bytes of the file |
//! | `kind` | formats that are no text, by their first bytes |
//! | `encoding` | the encoding of text, and other encodings to UTF-8 |
//! | `utf8` | text that is UTF-8, but for some lines |

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::compression::{Damage, damage_of};
use self::compression::{Ended, Ending};
use crate::container::Container;
use crate::options::ReadOptions;
use crate::records::Dialect;
use crate::source::{Source, shown};
use crate::{Error, Result, audit, delimited, evtx, json};

mod compression;
mod decoder;
mod encoding;
mod input;
mod kind;
mod utf8;

#[cfg(test)]
mod tests;

/// The number of bytes behind the compression that tell the kind and the encoding.
const BEGINNING: usize = 64 * 1024;

/// The number of bytes of text that tell the format.
const HEAD: usize = 1024 * 1024;

/// A format of logs. Parquet and its like are none, see [`BinaryFormat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Values between delimiters: comma, semicolon, tab, pipe, space.
    Csv,
    /// JSON objects one after the other, with or without white space, in an array, or in an array in an object.
    Json,
    /// Zeek's logs, which describe themselves in lines that begin with `#`.
    Zeek,
    /// The W3C extended log format of IIS and others, with `#Fields:`.
    W3c,
    /// The raw log of the Linux audit daemon: each event, of one line or several, is a row.
    Audit,
    /// Any text: each line is a row with the column `line`.
    Lines,
    /// The event logs of Windows since Vista, which are no text.
    Evtx,
}

/// A format that the engine reads in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryFormat {
    /// Apache Parquet.
    Parquet,
    /// The Arrow IPC file format.
    Arrow,
    /// The Arrow IPC stream format.
    ArrowStream,
    /// Avro object container files.
    Avro,
}

/// The kind of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Text, read by [`scan`](crate::scan()).
    Text,
    /// An event log of Windows (EVTX), read by [`scan`](crate::scan()), too.
    EventLog,
    /// Read by the engine.
    Binary(BinaryFormat),
    /// Files in a file, read by [`unpack_zip`](crate::unpack_zip) and [`unpack_tar`](crate::unpack_tar).
    Container(Container),
    /// No byte at all.
    Empty,
    /// Other archives, pictures, and others that have no reader; the name of the kind, such as `a 7z archive`.
    Unknown(&'static str),
}

impl Content {
    /// The way out for a file that has no reader, as the end of a sentence that begins with a colon; empty if nothing is known.
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Unknown(kind) => kind::way_out(kind),
            Self::Text | Self::EventLog | Self::Binary(_) | Self::Container(_) | Self::Empty => "",
        }
    }
}

/// Looks at the first bytes of a source, behind its compression. It opens the source; for one that can be opened once, see [`look`].
pub fn content_of(source: &dyn Source) -> Result<Content> {
    Ok(opened(source)?.content)
}

/// Looks at the first bytes of a source, and returns one that still has all of them, also if it [opens
/// once](Source::opens_once). An [encoding](ReadOptions::encoding) says that it is text, unless it is known to be something else.
pub fn look(source: Box<dyn Source>, options: &ReadOptions) -> Result<(Content, Box<dyn Source>)> {
    let opened = opened(&*source)?;
    let content = opened.content_with(options);
    if !source.opens_once() {
        return Ok((content, source));
    }
    let bytes = Mutex::new(Some(opened.bytes));
    Ok((content, Box::new(Looked { name: opened.name, content, bytes })))
}

/// A source that has been opened, and can't be opened again.
struct Looked {
    name: String,
    content: Content,
    /// Its bytes behind the compression, until they are taken.
    bytes: Mutex<Option<Box<dyn Read + Send>>>,
}

impl Source for Looked {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // Its bytes are behind one compression, and do not tell that there was one.
        if let Content::Unknown(kind @ (kind::COMPRESSED_TWICE | kind::COMPRESSED_EMPTY)) = self.content {
            return Err(io::Error::other(format!("it is {kind}")));
        }
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner).take();
        bytes.ok_or_else(|| io::Error::other("it can be read once, and has been"))
    }

    fn opens_once(&self) -> bool {
        true
    }
}

/// A source that has been opened, and whose first bytes have been looked at.
pub(crate) struct Opened {
    pub(crate) content: Content,
    name: String,
    beginning: Vec<u8>,
    /// All bytes behind the compression, the beginning included. Its errors are whole sentences with the name.
    bytes: Box<dyn Read + Send>,
}

/// Opens a source, and looks at its first bytes behind its compression.
pub(crate) fn opened(source: &dyn Source) -> Result<Opened> {
    let name = source.name().to_string();
    let file = source.open().map_err(|error| Error::new(format!("can't open {}: {error}", shown(&name))))?;
    let mut file = Named { inner: file, name: name.clone() };
    let start = beginning_of(&mut file, compression::LONGEST_MAGIC)?;
    let compression = compression::Compression::of(&start);
    let file = Box::new(io::Cursor::new(start).chain(file));
    let mut bytes: Box<dyn Read + Send> = match compression {
        Some(compression) => compression.reader(file),
        None => file,
    };
    let beginning = beginning_of(&mut bytes, BEGINNING)?;
    let hollow = if beginning.is_empty() { bytes.read(&mut [0]).err() } else { None };
    let content = match hollow.as_ref().and_then(Ending::of) {
        Some(ending) => Content::Unknown(ending.kind),
        None => kind::kind(&beginning, compression.is_some()),
    };
    let bytes = Box::new(io::Cursor::new(beginning.clone()).chain(bytes));
    Ok(Opened { content, name, beginning, bytes })
}

impl Opened {
    /// All bytes behind the compression.
    pub(crate) fn into_bytes(self) -> Box<dyn Read + Send> {
        self.bytes
    }

    /// The content, if the options are right about the encoding.
    fn content_with(&self, options: &ReadOptions) -> Content {
        match self.content {
            Content::Unknown(kind::BINARY) if options.encoding.is_some() => Content::Text,
            content => content,
        }
    }

    /// The text with its format, or the bytes of an event log. Fails if it is neither.
    pub(crate) fn text(self, options: &ReadOptions) -> Result<Text> {
        let name = shown(&self.name);
        if options.format == Some(Format::Evtx) && self.content != Content::EventLog {
            return Err(Error::new(format!(
                "{name} is not a Windows event log: expected it to begin with ElfFile"
            )));
        }
        match self.content_with(options) {
            Content::Text | Content::Empty => {}
            Content::EventLog => return self.event_log(options),
            Content::Unknown(kind::BINARY) => {
                return Err(Error::new(format!(
                    "{name} is no text: it has many bytes that no text has; if it is text, say in which encoding: \
                     encoding => 'utf-16le'"
                )));
            }
            Content::Unknown(kind) if kind::is_hollow(kind) => {
                return Err(Error::new(format!("{name} is {kind}{}", kind::way_out(kind))));
            }
            Content::Unknown(kind) => {
                return Err(Error::new(format!(
                    "{name} is {kind}, which has no reader here{}",
                    kind::way_out(kind)
                )));
            }
            Content::Container(container) => {
                return Err(Error::new(format!(
                    "{name} is {}: its members are files of their own",
                    container.name()
                )));
            }
            Content::Binary(format) => {
                return Err(Error::new(format!("{name} is {}, which is no text", kind::name_of(format))));
            }
        }
        let notes = Notes::default();
        let bytes = Box::new(Ended { bytes: self.bytes, notes: notes.clone(), is_told: false });
        let head = Head::of(encoding::decoded(bytes, &self.beginning, options, &notes)?)?;
        let ending = match notes.damage() {
            Some(_) => HeadEnd::Damage,
            None if head.is_whole => HeadEnd::Whole,
            None => HeadEnd::More,
        };
        let dialect = format_of(head.letters(), ending, &self.name, options)?;
        Ok(Text { reader: head.into_reader(), notes, dialect })
    }

    fn event_log(self, options: &ReadOptions) -> Result<Text> {
        if options.format.is_some_and(|format| format != Format::Evtx) {
            return Err(Error::new(format!(
                "{} is a Windows event log (EVTX), which is no text: leave out the format, or say format => 'evtx'",
                shown(&self.name)
            )));
        }
        let notes = Notes::default();
        let reader = Box::new(Ended { bytes: self.bytes, notes: notes.clone(), is_told: false });
        Ok(Text { reader, notes, dialect: evtx::evtx(options) })
    }
}

/// The first MiB of a text without its mark, and what follows.
struct Head {
    text: Vec<u8>,
    is_whole: bool,
    rest: Box<dyn Read + Send>,
}

impl Head {
    fn of(mut reader: Box<dyn Read + Send>) -> Result<Self> {
        let mut text = beginning_of(&mut reader, HEAD)?;
        let is_whole = text.len() < HEAD;
        // A program that copies a marked text and marks it again leaves two.
        let (triples, _) = text.as_chunks();
        let marks = triples.iter().take_while(|triple| *triple == encoding::UTF8_MARK).count();
        text.drain(..marks * encoding::UTF8_MARK.len());
        Ok(Self { text, is_whole, rest: reader })
    }

    /// The text without a letter at its end that is not whole.
    fn letters(&self) -> &[u8] {
        let length = self.text.len() - encoding::incomplete_end(&self.text);
        self.text.get(..length).unwrap_or(&self.text)
    }

    /// All of the text.
    fn into_reader(self) -> Box<dyn Read + Send> {
        Box::new(io::Cursor::new(self.text).chain(self.rest))
    }
}

/// Facts about the bytes of one file, for the report. Some of them are known when all bytes are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Sentences that have not been told.
    sentences: Vec<String>,
    damage: Option<Damage>,
}

impl Notes {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: impl Into<String>) {
        self.known().sentences.push(text.into());
    }

    /// Notes how the bytes have ended.
    fn end(&self, ending: &Ending) {
        let mut known = self.known();
        known.sentences.push(ending.text.clone());
        known.damage.clone_from(&ending.damage);
    }

    /// The reason for which the bytes ended before the file does, if they did.
    pub(crate) fn damage(&self) -> Option<Damage> {
        self.known().damage.clone()
    }

    /// The sentences so far; they are not told again.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.known().sentences)
    }
}

/// The text of a source as UTF-8 without its mark, after decompression and decoding; of an event log, its bytes.
pub(crate) struct Text {
    /// The bytes. Its errors are whole sentences with the name of the file.
    pub(crate) reader: Box<dyn Read + Send>,
    /// Sentences for the report, such as `2 lines are not UTF-8 and are read as Windows-1252`, and how the bytes ended: complete when
    /// `reader` is at its end.
    pub(crate) notes: Notes,
    /// How its records are found. It has looked at a beginning of the text, but `reader` still gives all of it.
    pub(crate) dialect: Dialect,
}

/// Opens a source and finds its compression, its encoding and its format.
pub(crate) fn open(source: &dyn Source, options: &ReadOptions) -> Result<Text> {
    opened(source)?.text(options)
}

/// The rest of a text behind its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeadEnd {
    /// More text.
    More,
    /// Nothing.
    Whole,
    /// Nothing, since the file is damaged: the last line may be cut off.
    Damage,
}

/// The format that is ordered or, in this order, the first that the text looks like: JSON, Zeek, W3C, auditd, delimited text; else lines.
fn format_of(head: &[u8], end: HeadEnd, name: &str, options: &ReadOptions) -> Result<Dialect> {
    let is_whole = end == HeadEnd::Whole;
    let read = |format| match format {
        // An object that is cut off is known by its brackets.
        Format::Json => json::json(head, end != HeadEnd::More, options),
        Format::Zeek => delimited::zeek(head, is_whole, options),
        Format::W3c => delimited::w3c(head, is_whole, options),
        Format::Audit => audit::audit(head, is_whole, options),
        Format::Csv => delimited::csv(head, is_whole, name, options),
        Format::Lines => Some(delimited::lines(head, is_whole)),
        Format::Evtx => None,
    };
    if let Some(format) = options.format {
        let dialect = read(format).ok_or_else(|| {
            let expected = match format {
                Format::Zeek => "a Zeek log: expected lines that begin with #separator and #fields",
                Format::W3c => "a W3C log: expected a line that begins with #Fields:",
                Format::Json => "JSON: expected an object or an array of objects",
                Format::Csv => "delimited text: expected a header",
                Format::Audit => "a log of auditd: expected lines that begin with type=WORD msg=audit(",
                Format::Lines => "lines",
                Format::Evtx => "a Windows event log",
            };
            Error::new(format!("{} is not {expected}", shown(name)))
        })?;
        return Ok(dialect);
    }
    [Format::Json, Format::Zeek, Format::W3c, Format::Audit, Format::Csv, Format::Lines]
        .into_iter()
        .find_map(read)
        .ok_or_else(|| Error::new(format!("{} has no format that is known", shown(name))))
}

/// Up to `length` bytes from a reader; fewer if it ends before, in whatever way.
fn beginning_of(reader: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    match reader.take(length as u64).read_to_end(&mut bytes) {
        Err(error) if Ending::of(&error).is_none() => Err(Error::new(error.to_string())),
        _ => Ok(bytes),
    }
}

/// The bytes of a file; its errors name it.
struct Named<R> {
    inner: R,
    name: String,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            // A source that was looked at has named itself already.
            _ if is_named(&error) => error,
            kind => io::Error::new(kind, Error::new(format!("can't read {}: {error}", shown(&self.name)))),
        })
    }
}

/// Whether an error is a whole sentence with the name of the file, or the end of its bytes.
fn is_named(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>() || inner.is::<Ending>())
}
