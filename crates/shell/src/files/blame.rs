//! Errors of readers, with the name of the file, and with the reason where the file has been replaced meanwhile.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::object_store::{self, ObjectMeta, ObjectStore};
use datafusion::parquet::errors::ParquetError;
use futures::FutureExt;

use super::super::failure::describe;
use datafusion_dbcluster::file_versions::{CHANGED, is_another};
use datafusion_dbcluster::near_miss::excerpt;

/// Whether the engine's format of this name is text.
pub(super) fn is_text(format: &str) -> bool {
    format.eq_ignore_ascii_case("csv") || format.eq_ignore_ascii_case("json")
}

/// A file that a query reads.
#[derive(Debug, Clone)]
pub(super) struct ReadFile {
    pub(super) name: String,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
    /// Whether it is text, of which the engine's reader takes one form only.
    pub(super) is_text: bool,
}

impl ReadFile {
    /// The error with this file's name, and with the reason if the file has been replaced.
    pub(super) async fn with_reason(&self, error: DataFusionError) -> DataFusionError {
        if is_another(self.store.as_ref(), &self.meta).await {
            return exec_datafusion_err!(
                "the file {} {CHANGED}: run the query again, or on a copy (it failed with: {})",
                self.name,
                words(&error)
            );
        }
        self.with_name(&error)
    }

    /// The error with this file's name, and the way in which text of any form is read.
    pub(super) fn with_name(&self, error: &DataFusionError) -> DataFusionError {
        let words = words(error);
        if words.contains(&self.name) {
            return exec_datafusion_err!("{words}");
        }
        let name = &self.name;
        if self.is_text {
            return exec_datafusion_err!(
                "the file {name}: {words}; SELECT * FROM '{}' reads it as it is",
                name.replace('\'', "''")
            );
        }
        exec_datafusion_err!("the file {name}: {words}")
    }
}

fn words(error: &DataFusionError) -> String {
    let words = describe(error);
    // The engine calls a file that it can't parse an internal error. Some readers repeat the whole text of the file.
    excerpt(words.strip_prefix("internal error: ").unwrap_or(&words)).into_owned()
}

/// Runs work that may panic, and makes an error of a panic.
pub(super) async fn caught<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// The error for a reader's panic, which a damaged file can cause.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> DataFusionError {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    DataFusionError::IoError(std::io::Error::other(format!(
        "it seems to be damaged, its reader panicked ({what})"
    )))
}

/// Whether an error is about the bytes of a file, and not about an expression over its rows, which fails in the same place.
pub(super) fn is_readers_error(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => is_readers_error(inner),
        DataFusionError::Shared(inner) => is_readers_error(inner),
        DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
            true
        }
        DataFusionError::ArrowError(inner, _) => is_foreign(inner.as_ref()),
        DataFusionError::External(inner) => is_foreign(inner.as_ref()),
        _ => false,
    }
}

fn is_foreign(error: &(dyn Error + 'static)) -> bool {
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return is_readers_error(inner);
    }
    match error.downcast_ref::<ArrowError>() {
        Some(ArrowError::ExternalError(inner)) => is_foreign(inner.as_ref()),
        Some(ArrowError::ParseError(text)) => text.starts_with("Error while parsing value"),
        Some(arrow) => matches!(
            arrow,
            ArrowError::CsvError(_)
                | ArrowError::JsonError(_)
                | ArrowError::IpcError(_)
                | ArrowError::ParquetError(_)
                | ArrowError::AvroError(_)
                | ArrowError::IoError(..)
                | ArrowError::InvalidArgumentError(_)
        ),
        None => {
            error.is::<ParquetError>() || error.is::<object_store::Error>() || error.is::<std::io::Error>()
        }
    }
}
