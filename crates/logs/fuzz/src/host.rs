//! Resources of a reading.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbcluster_logs::{Error, Host, Result};

/// Threads, memory and blocks as a reading is given them.
pub(crate) struct FuzzHost {
    threads: usize,
    memory: usize,
    block: usize,
    used: AtomicUsize,
}

impl FuzzHost {
    /// One thread, and all memory.
    pub(crate) fn large() -> Arc<Self> {
        Arc::new(Self { threads: 1, memory: usize::MAX, block: 4 << 20, used: AtomicUsize::new(0) })
    }

    /// Three threads, small blocks, and memory for some of them.
    pub(crate) fn small(block: usize) -> Arc<Self> {
        Arc::new(Self { threads: 3, memory: 256, block, used: AtomicUsize::new(0) })
    }

    /// The memory that is not given back yet.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }
}

impl Host for FuzzHost {
    fn threads(&self) -> usize {
        self.threads
    }

    fn try_grow(&self, bytes: usize) -> bool {
        let grow = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.memory);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, grow).is_ok()
    }

    fn shrink(&self, bytes: usize) {
        let used = self.used.fetch_sub(bytes, Ordering::SeqCst);
        assert!(used >= bytes, "no more is given back than was taken");
    }

    fn temporary_file(&self) -> Result<File> {
        tempfile::tempfile().map_err(|error| Error::new(error.to_string()))
    }

    fn grow_temporary(&self, _bytes: usize) -> Result<()> {
        Ok(())
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn block_size(&self) -> usize {
        self.block
    }
}
