//! The `dbcluster` shell. Everything it does is the library's.

use std::process::ExitCode;

/// A query allocates and frees on all threads at once: the engine's own shell chose this one for it.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dbcluster_shell::main()
}
