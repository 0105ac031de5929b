//! Text that waits in a temporary file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use super::Host;
use crate::records::Block;
use crate::{Error, Result};

/// The temporary file of a reading, which is made when it is first needed.
#[derive(Default)]
pub(super) struct Temporary(Mutex<Option<(File, u64)>>);

/// A block in the temporary file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    start: u64,
    length: usize,
    first_line: u64,
}

impl Temporary {
    /// Appends the text of a block.
    pub(super) fn store(&self, text: &[u8], first_line: u64, host: &dyn Host) -> Result<Stored> {
        host.grow_temporary(text.len())?;
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = match &mut *file {
            Some(file) => file,
            none => none.insert((host.temporary_file()?, 0)),
        };
        let start = *end;
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.write_all(text))
            .map_err(|error| failed(&error))?;
        *end += text.len() as u64;
        Ok(Stored { start, length: text.len(), first_line })
    }

    /// Reads a block back.
    pub(super) fn read(&self, stored: Stored) -> Result<Block> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((file, _)) = &mut *file else { return Err(failed(&io::ErrorKind::NotFound.into())) };
        let mut text = vec![0; stored.length];
        file.seek(SeekFrom::Start(stored.start))
            .and_then(|_| file.read_exact(&mut text))
            .map_err(|error| failed(&error))?;
        Ok(Block { text, first_line: stored.first_line })
    }
}

fn failed(error: &io::Error) -> Error {
    Error::new(format!("the temporary file of the reading: {error}"))
}
