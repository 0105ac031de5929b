//! The runtime that the program's work is done in, and the signals that end the work early.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::depth::STACK;
use super::failure::Failure;
use super::panics::{caught, caught_here};
use super::signals::Signals;

/// Work that is dropped has this long to come to rest, where nothing but this process is at work.
pub(super) const REST: Duration = Duration::from_secs(2);

/// The end of the program waits this long for tasks that do not stop at once.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// The runtime of a program, and the signals that end it.
#[derive(Debug)]
pub(super) struct Program {
    runtime: Runtime,
    signals: Signals,
    rest: Duration,
}

impl Program {
    /// Starts the threads, and listens for signals from now on. Work that is dropped has `rest` to come to rest.
    pub(super) fn start(threads: usize, at_prompt: bool, rest: Duration) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
        let signals = Signals::listen(&runtime, at_prompt)
            .map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
        Ok(Self { runtime, signals, rest })
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Runs `work` to its end, a panic, or a signal, after which it is dropped and given time to stop. `what` names it in
    /// messages.
    pub(super) fn run<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match self.run_until(std::future::pending::<Infallible>(), what, work) {
            ControlFlow::Continue(result) => result,
            ControlFlow::Break(never) => match never {},
        }
    }

    /// Runs `work` as [`run`](Self::run) does, unless `cancelled` comes first.
    pub(super) fn run_until<T, C>(
        &self,
        cancelled: impl Future<Output = C>,
        what: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> ControlFlow<C, Result<T, Failure>> {
        // Connections of object stores are tasks that outlive a query.
        let tasks_before = self.runtime.metrics().num_alive_tasks();
        let (outcome, is_whole) = self.runtime.block_on(async {
            tokio::select! {
                biased;
                signal = self.signals.wait() => {
                    (ControlFlow::Continue(Err(Failure::Stopped(signal))), false)
                }
                result = caught(what, work) => (ControlFlow::Continue(result), true),
                reason = cancelled => (ControlFlow::Break(reason), false),
            }
        });
        if !is_whole {
            let dropped = Instant::now();
            while self.runtime.metrics().num_alive_tasks() > tasks_before && dropped.elapsed() < self.rest {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        match (outcome, self.signals.first()) {
            // Work that blocks this thread sees the signal before this does, and fails.
            (ControlFlow::Continue(Err(_)), Some(signal)) => {
                ControlFlow::Continue(Err(Failure::Stopped(signal)))
            }
            (outcome, _) => outcome,
        }
    }

    /// Runs `work` on this thread. It has to ask for signals itself. If it fails after one has come, that is the failure.
    pub(super) fn run_here<T>(
        &self,
        what: &str,
        work: impl FnOnce(&Signals) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let result = caught_here(what, || work(&self.signals));
        result.map_err(|failure| self.signals.first().map_or(failure, Failure::Stopped))
    }

    /// Takes the threads down. Running tasks are told to stop, and have [`SHUTDOWN`] to do so.
    pub(super) fn end(self) {
        self.runtime.shutdown_timeout(SHUTDOWN);
    }
}
