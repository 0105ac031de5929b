//! The arguments, the log and the end of a cluster's two processes, which they have in common.

use std::io;
use std::process::ExitCode;

use ballista_core::config::LogRotationPolicy;
use ballista_core::error::{BallistaError, Result};
use clap::Parser;
use tokio::runtime::Builder;
use tracing_appender::rolling;
use tracing_subscriber::EnvFilter;

/// The stack of a thread, in bytes. Plans are trees, and code that walks them recurses.
const STACK: usize = 32 << 20;

/// The log of a process.
#[derive(Debug)]
pub(super) struct Log<'a> {
    pub(super) level: &'a str,
    pub(super) folder: Option<&'a str>,
    pub(super) rotation: &'a LogRotationPolicy,
    /// The beginning of the names of its files.
    pub(super) prefix: String,
    pub(super) with_threads: bool,
}

impl Log<'_> {
    /// Starts to log. `RUST_LOG` wins over the flag.
    pub(super) fn start(self) {
        let filter = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| self.level.to_string());
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_thread_names(self.with_threads)
            .with_thread_ids(self.with_threads)
            .with_env_filter(EnvFilter::new(filter));
        let Some(folder) = self.folder else {
            return log.with_writer(io::stdout).init();
        };
        let files = match self.rotation {
            LogRotationPolicy::Minutely => rolling::minutely(folder, self.prefix),
            LogRotationPolicy::Hourly => rolling::hourly(folder, self.prefix),
            LogRotationPolicy::Daily => rolling::daily(folder, self.prefix),
            LogRotationPolicy::Never => rolling::never(folder, self.prefix),
        };
        log.with_writer(files).init();
    }
}

/// Reads the arguments and runs until the end: exit code 0 when told to stop, 1 for a failure, 2 for wrong usage.
pub(super) fn main<Options: Parser, Running: Future<Output = Result<()>>>(
    name: &'static str,
    about: &'static str,
    run: impl FnOnce(Options) -> Running,
) -> ExitCode {
    let command = Options::command().name(name).about(about).long_about(about);
    let mut command = command.version(env!("CARGO_PKG_VERSION"));
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let options = matches
        .and_then(|matches| Options::from_arg_matches(&matches).map_err(|error| error.format(&mut command)));
    let options = match options {
        Ok(options) => options,
        Err(error) => return dbcluster_terminal::answer(name, &error),
    };
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(options)),
        Err(error) => Err(BallistaError::IoError(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            dbcluster_terminal::complain(&format!("{name}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Ends when the process is asked to: by SIGTERM, or Ctrl-C.
pub(super) async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
