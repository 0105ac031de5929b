//! Signals that end the program. The running work is dropped and tidied up first, and the exit code tells the signal.

use std::fmt;
use std::io;

use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A signal that ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// The terminal has gone.
    Hangup = 1,
    /// Ctrl-C.
    Interrupt = 2,
    /// `kill`, a service manager, the machine's own end.
    Terminate = 15,
}

impl Signal {
    /// The exit code of a program that the signal has ended.
    pub(super) fn exit_code(self) -> u8 {
        128 + self as u8
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "hung up",
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        })
    }
}

/// Tells any part of the program whether a signal has come.
#[derive(Debug, Clone)]
pub(super) struct Signals(watch::Receiver<Option<Signal>>);

impl Signals {
    /// Listens from now on, on the thread that reads the prompt if there is one. At a prompt, Ctrl-C is a key, and stops a statement but not the program.
    pub(super) fn listen(runtime: &Runtime, at_prompt: bool) -> io::Result<Self> {
        let _context = runtime.enter();
        let (tell, told) = watch::channel(None);
        runtime.spawn(platform::listen(at_prompt, tell)?);
        Ok(Self(told))
    }

    /// The first signal that came, if one has.
    pub(super) fn first(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits for the first signal.
    pub(super) async fn wait(&self) -> Signal {
        let mut told = self.0.clone();
        let signal = match told.wait_for(Option::is_some).await {
            Ok(signal) => *signal,
            // The task that listens has gone, so no signal will come.
            Err(_) => None,
        };
        match signal {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
mod platform {
    use std::fs;
    use std::io;
    use std::time::Duration;

    use futures::future::{FutureExt, select_all};
    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::signal::Signal as Unix;
    use tokio::signal::unix::{SignalKind, signal};
    use tokio::sync::watch::Sender;

    use super::Signal;

    /// The prompt is nudged in this interval until it has noticed.
    const NUDGE: Duration = Duration::from_millis(50);

    pub(super) fn listen(
        at_prompt: bool,
        tell: Sender<Option<Signal>>,
    ) -> io::Result<impl Future<Output = ()> + Send> {
        // The prompt is read on this thread, and only a signal to this thread interrupts its reading.
        let prompt = pthread_self();
        // Listening to a signal ends its being ignored, so this asks first.
        let hears_interrupt = !at_prompt && !is_ignored(Signal::Interrupt);
        // From here on, a nudge of the prompt does not end the process.
        let mut interrupt =
            if at_prompt || hears_interrupt { Some(signal(SignalKind::interrupt())?) } else { None };
        let mut others = vec![];
        for ending in [Signal::Hangup, Signal::Terminate] {
            if !is_ignored(ending) {
                others.push((ending, signal(SignalKind::from_raw(ending as i32))?));
            }
        }
        Ok(async move {
            let mut all = vec![];
            for (ending, stream) in &mut others {
                let heard = async move {
                    stream.recv().await;
                    *ending
                };
                all.push(heard.boxed());
            }
            if let Some(interrupt) = interrupt.as_mut().filter(|_| hears_interrupt) {
                let heard = async move {
                    interrupt.recv().await;
                    Signal::Interrupt
                };
                all.push(heard.boxed());
            }
            if all.is_empty() {
                return std::future::pending().await;
            }
            let (first, ..) = select_all(all).await;
            tell.send_replace(Some(first));
            if !at_prompt {
                return;
            }
            // The prompt waits for a key. This signal makes the line editor give up its line.
            loop {
                let _ = pthread_kill(prompt, Unix::SIGINT);
                tokio::time::sleep(NUDGE).await;
            }
        })
    }

    /// Whether the process was started with the signal ignored (by `nohup`, or by `&` in a script).
    fn is_ignored(ending: Signal) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        ignored & (1 << (ending as u32 - 1)) != 0
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    use tokio::sync::watch::Sender;

    use super::Signal;

    pub(super) fn listen(
        at_prompt: bool,
        tell: Sender<Option<Signal>>,
    ) -> io::Result<impl Future<Output = ()> + Send> {
        Ok(async move {
            if at_prompt || tokio::signal::ctrl_c().await.is_err() {
                return std::future::pending().await;
            }
            tell.send_replace(Some(Signal::Interrupt));
        })
    }
}
