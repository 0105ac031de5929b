//! The limit on open files. A query that spills holds many, and systems often start programs with a limit of 1,024.

/// Raises the limit to the largest that the process may have. Where that fails, the limit stays, and a query that needs more
/// says so.
#[cfg(unix)]
pub(super) fn allow_many() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    if let Ok((_, largest)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, largest, largest);
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn allow_many() {}
