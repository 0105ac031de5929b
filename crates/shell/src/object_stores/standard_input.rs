//! Standard input as an external table: `CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/dev/stdin'`.
//!
//! The engine's readers of files seek, and look for names of a format's ending. So what comes in is kept in memory under such a name,
//! which the first table gives it, and all tables after it read the same bytes.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::execution::SessionState;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

/// The scheme of its URLs.
pub(super) const SCHEME: &str = "stdin";

/// The paths that operating systems have for it.
const PATHS: [&str; 3] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// Marks the configuration of a session whose statements come from standard input, so that no table swallows them.
#[derive(Debug)]
pub(crate) struct CarriesStatements;

/// Whether a path is that of standard input.
pub(crate) fn is_standard_input(path: &str) -> bool {
    PATHS.contains(&path)
}

/// The URL of standard input in a format, whose name is the ending that its reader looks for.
pub(super) fn url(format: &str) -> String {
    let format = format.to_ascii_lowercase();
    let ending = if format == "ndjson" { "json" } else { &format };
    format!("{SCHEME}:///stdin.{ending}")
}

/// # Errors
/// Standard input, which a statement calls `name`, holds no file.
pub(crate) fn check(state: &SessionState, name: &str) -> Result<()> {
    let example = "cat a.json | dbcluster -c \"SELECT * FROM '/dev/stdin'\"";
    if state.config().get_extension::<CarriesStatements>().is_some() {
        return plan_err!(
            "'{name}' is standard input, which carries the statements: give them with -c or -f, as in {example}"
        );
    }
    if io::stdin().is_terminal() {
        return plan_err!(
            "'{name}' is standard input, which is a terminal: let a pipe or a file fill it, as in {example}"
        );
    }
    Ok(())
}

/// The store with the bytes of standard input, which the first call reads.
pub(super) async fn store(state: &SessionState, url: &Url) -> Result<Arc<dyn ObjectStore>> {
    let name = Path::from_url_path(url.path()).map_err(object_store::Error::from)?;
    if let Ok(kept) = state.runtime_env().object_store_registry.get_store(url) {
        return match kept.head(&name).await {
            Ok(_) => Ok(kept),
            Err(_) => plan_err!(
                "standard input was read by a table of another format than {}: all tables of it have the same, so use \
                 the format of the first",
                name.extension().unwrap_or_default()
            ),
        };
    }
    check(state, PATHS[0])?;
    let read = SpawnedTask::spawn_blocking(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = read.await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
    let store = InMemory::new();
    store.put(&name, bytes.into()).await?;
    Ok(Arc::new(store))
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn names_have_the_ending_of_their_format() {
        for (format, expected) in [
            ("CSV", "stdin:///stdin.csv"),
            ("NDJSON", "stdin:///stdin.json"),
            ("Json", "stdin:///stdin.json"),
            ("PARQUET", "stdin:///stdin.parquet"),
        ] {
            assert_eq!(url(format), expected);
        }
        assert!(is_standard_input("/dev/fd/0") && !is_standard_input("dev/stdin"));
    }

    #[tokio::test]
    async fn bytes_are_kept_in_one_format() {
        let ctx = SessionContext::new();
        let [csv, json] = ["CSV", "JSON"].map(|format| Url::parse(&url(format)).expect("a URL"));
        let first: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        first.put(&Path::from("stdin.csv"), "a\n1\n".into()).await.expect("memory");
        ctx.register_object_store(&csv, Arc::clone(&first));
        let again = store(&ctx.state(), &csv).await.expect("it was read");
        assert!(Arc::ptr_eq(&first, &again));
        let told = store(&ctx.state(), &json).await.expect_err("it is no JSON").to_string();
        assert!(told.contains("another format than json"), "{told}");
    }
}
