//! Errors in words for the person who has written the query.

/// Returns an error that is this crate's own fault.
///
/// The engine's macro of this name sends people to the engine's issue tracker, where nobody could help them.
macro_rules! internal_err {
    ($($arg:tt)*) => {
        Err($crate::error::internal(format!($($arg)*)))
    };
}
pub(crate) use internal_err;

/// An error that only a fault of this crate can cause.
pub(crate) fn internal(what: String) -> datafusion::common::DataFusionError {
    datafusion::common::exec_datafusion_err!(
        "{what}: this is a fault of datafusion-dbcluster, please report it with the query"
    )
}
