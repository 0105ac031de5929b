//! What a reader says of a file, with the file's name; and why, where the file is another one by now.

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

/// A file that is read.
#[derive(Debug, Clone)]
pub(super) struct ReadFile {
    pub(super) name: String,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
}

impl ReadFile {
    /// The same error, about this file.
    pub(super) async fn blamed(&self, error: DataFusionError) -> DataFusionError {
        if is_another(self.store.as_ref(), &self.meta).await {
            return exec_datafusion_err!(
                "the file {} {CHANGED}: run the query again, or on a copy (it failed with: {})",
                self.name,
                words(&error)
            );
        }
        self.named(&error)
    }

    pub(super) fn named(&self, error: &DataFusionError) -> DataFusionError {
        let words = words(error);
        if words.contains(&self.name) {
            return exec_datafusion_err!("{words}");
        }
        exec_datafusion_err!("the file {}: {words}", self.name)
    }
}

fn words(error: &DataFusionError) -> String {
    let words = describe(error);
    // The engine says so of what it can't parse, whoever has written it.
    words.strip_prefix("internal error: ").map_or(words.clone(), str::to_string)
}

/// Runs to its end what may panic.
pub(super) async fn caught<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// A reader that meets what no writer writes may panic.
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

/// Whether an error is about bytes of a file. What is computed of its rows can fail in the same place.
pub(super) fn is_of_reader(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => is_of_reader(inner),
        DataFusionError::Shared(inner) => is_of_reader(inner),
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
        return is_of_reader(inner);
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
