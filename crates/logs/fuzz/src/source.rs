//! Files in memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dbcluster_logs::{BytesSource, Source};

/// A file that gives a few bytes at a time.
pub(crate) struct File {
    bytes: BytesSource,
    piece: usize,
}

impl File {
    /// All files, each in pieces of this length.
    pub(crate) fn all(files: &[(&str, &[u8])], piece: usize) -> Vec<Box<dyn Source>> {
        let file = |(name, bytes): &(&str, &[u8])| {
            Box::new(Self { bytes: BytesSource::new(*name, *bytes), piece }) as Box<dyn Source>
        };
        files.iter().map(file).collect()
    }
}

impl Source for File {
    fn name(&self) -> &str {
        self.bytes.name()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Pieces { inner: self.bytes.open()?, piece: self.piece }))
    }
}

struct Pieces<R> {
    inner: R,
    piece: usize,
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.inner.read(&mut buffer[..length])
    }
}

/// A file that can be opened once.
pub struct Piped {
    name: String,
    bytes: Arc<[u8]>,
    is_open: AtomicBool,
}

impl Piped {
    /// Bytes with a name.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into(), is_open: AtomicBool::new(false) }
    }
}

impl Source for Piped {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        assert!(!self.is_open.swap(true, Ordering::SeqCst), "a pipe is opened once");
        Ok(Box::new(io::Cursor::new(Arc::clone(&self.bytes))))
    }

    fn opens_once(&self) -> bool {
        true
    }
}
