//! A panic fails the statement that caused it, and not the program.
//!
//! The engine, its libraries and this crate may have faults that show as a panic. The shell goes on after it, and a
//! script ends as after any other error. [`install`] has panics print nothing, and keeps the first one's words and place;
//! [`caught`] makes an error of it. With `RUST_LOG=warn` the log has each panic with its backtrace.

use std::backtrace::Backtrace;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::thread;

use futures::FutureExt;

use super::failure::Failure;
use super::progress;

/// The first panic since [`take`] was called.
static FIRST: Mutex<Option<Panic>> = Mutex::new(None);

/// A message repeats this many characters of a statement.
const STATEMENT: usize = 100;

/// Advice against panics: the beginning of their place, and what helps.
const ADVICE: [(&str, &str); 7] = [
    ("sort_merge_join", "SET datafusion.optimizer.prefer_hash_join = true joins in another way"),
    ("bytes-", DAMAGED),
    ("parquet-", DAMAGED),
    ("arrow-ipc-", DAMAGED),
    ("arrow-buffer-", DAMAGED),
    ("arrow-data-", DAMAGED),
    ("arrow-avro-", DAMAGED),
];

const DAMAGED: &str =
    "a damaged file does this: read the files of the statement one by one, and write the one that fails anew";

/// The message of a panic, and its place.
#[derive(Debug, Clone, PartialEq)]
struct Panic {
    message: String,
    place: String,
}

/// Keeps panics instead of printing them, in the whole process.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("no message").to_string();
        let place = info
            .location()
            .map_or_else(|| "?".to_string(), |at| format!("{}:{}", without_registry(at.file()), at.line()));
        log::warn!("panic at {place}: {message}\n{}", Backtrace::force_capture());
        // A panic of the progress bar leaves the answer as it is.
        if thread::current().name() != Some(progress::THREAD) {
            FIRST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Panic { message, place });
        }
    }));
}

fn take() -> Option<Panic> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Runs `work`. A panic in it, or in a task or thread of it, is its failure, whatever the work makes of it: a task that is
/// gone may look like one that has ended.
pub(super) async fn caught<T>(
    statement: &str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // A cancelled statement may have left one.
    drop(take());
    let result = AssertUnwindSafe(work).catch_unwind().await;
    settle(result.map_err(|_| ()), statement)
}

/// Runs `work` that does not wait, as [`caught`] does.
pub(super) fn caught_here<T>(what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    drop(take());
    settle(panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| ()), what)
}

fn settle<T>(result: Result<Result<T, Failure>, ()>, statement: &str) -> Result<T, Failure> {
    match (result, take()) {
        (Ok(Err(failure @ (Failure::OutputClosed | Failure::Stopped(_)))), _) => Err(failure),
        // The code that has caught it may know more, such as the file.
        (Ok(Err(failure)), Some(panic)) if panic.is_told_by(&failure) => Err(failure),
        (_, Some(panic)) => Err(Failure::new(panic.describe(statement))),
        (Ok(result), None) => result,
        // Another statement has taken the words of the panic.
        (Err(()), None) => Err(Failure::new("the statement was given up after a fault")),
    }
}

impl Panic {
    /// Whether the failure tells this panic already. The bare message of a task that has panicked does not count.
    fn is_told_by(&self, failure: &Failure) -> bool {
        match failure {
            Failure::Message(text) | Failure::Placed(text) => {
                text.contains(&self.message) && !text.contains("panicked with message")
            }
            Failure::OutputClosed | Failure::Stopped(_) | Failure::Alert(_) => false,
        }
    }

    fn describe(&self, statement: &str) -> String {
        let whose = match self.place.split_once("/src/") {
            Some((library, _)) if !library.contains('/') => format!("the library {library}"),
            _ if self.place.starts_with("src/") || self.place.starts_with("crates/") => {
                format!("dbcluster {}", env!("CARGO_PKG_VERSION"))
            }
            _ => "the program".to_string(),
        };
        let advice = ADVICE.iter().find(|(place, _)| self.place.contains(place));
        let advice = advice.map_or_else(String::new, |(_, advice)| format!("; {advice}"));
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = statement.chars().take(STATEMENT).collect();
        let shown = match (shown.is_empty(), shown.len() < statement.len()) {
            (true, _) => String::new(),
            (false, false) => format!("\nthe statement was: {shown}"),
            (false, true) => format!("\nthe statement was: {shown} ..."),
        };
        format!(
            "a fault in {whose}, not in the statement: {} ({}){advice}; to report it, send this message, the statement, and what \
             RUST_LOG=warn adds{shown}",
            self.message, self.place
        )
    }
}

/// Cuts off the folder of libraries on the machine that built the program.
fn without_registry(file: &str) -> &str {
    match file.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, library)) => library,
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_place_and_advice() {
        let file = "/home/a/.cargo/registry/src/registry-1949cf8c6b5b557f/bytes-1.12.2/src/bytes.rs";
        let place = format!("{}:374", without_registry(file));
        let panic = Panic { message: "range start must not be greater than end".to_string(), place };
        let words = panic.describe("SELECT *\nFROM 'broken.parquet'");
        assert!(
            words.starts_with("a fault in the library bytes-1.12.2, not in the statement: range start"),
            "{words}"
        );
        assert!(words.contains("(bytes-1.12.2/src/bytes.rs:374); a damaged file does this"), "{words}");
        assert!(words.ends_with("\nthe statement was: SELECT * FROM 'broken.parquet'"), "{words}");

        let join = "datafusion-physical-plan-55.2.0/src/joins/sort_merge_join/filter.rs:163".to_string();
        let words = Panic { message: String::new(), place: join }.describe("");
        assert!(words.contains("prefer_hash_join = true") && !words.contains('\n'), "{words}");

        let ours = Panic { message: "x".to_string(), place: "src/exec/dbscan.rs:1".to_string() };
        assert!(ours.describe("").starts_with("a fault in dbcluster "), "{}", ours.describe(""));
        assert!(ours.describe(&"a ".repeat(STATEMENT)).ends_with(" ..."));
    }
}
