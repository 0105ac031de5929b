//! `CREATE EXTERNAL TABLE ... STORED AS CSV | JSON`, with the compression that the name of a file tells.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::CreateExternalTable;

/// The names by which statements name the engine's formats of text.
const TEXT: [&str; 3] = ["CSV", "JSON", "NDJSON"];

/// The option of the engine's formats.
const COMPRESSION: &str = "format.compression";

/// Endings of names, and the compression that each tells.
const ENDINGS: [(&str, &str); 4] = [(".gz", "gzip"), (".bz2", "bzip2"), (".xz", "xz"), (".zst", "zstd")];

/// Lets a session take the compression of external tables from their names, where the statement does not say it.
pub(crate) fn with_compression_by_name(state: &mut SessionState) {
    for name in TEXT {
        if let Some(factory) = state.table_factories().get(name).cloned() {
            state.table_factories_mut().insert(name.to_string(), Arc::new(ByName(factory)));
        }
    }
}

/// The engine's factory, told the compression.
#[derive(Debug)]
struct ByName(Arc<dyn TableProviderFactory>);

#[async_trait]
impl TableProviderFactory for ByName {
    async fn create(
        &self,
        session: &dyn Session,
        statement: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let is_told = statement.options.keys().any(|key| key.eq_ignore_ascii_case(COMPRESSION));
        match compression(&statement.locations) {
            Some(compression) if !is_told => {
                let mut statement = statement.clone();
                statement.options.insert(COMPRESSION.to_string(), compression.to_string());
                self.0.create(session, &statement).await
            }
            _ => self.0.create(session, statement).await,
        }
    }
}

/// The compression that all of these names tell, if they tell the same.
fn compression(locations: &[String]) -> Option<&'static str> {
    let of = |location: &String| {
        let ending = ENDINGS.iter().find(|(ending, _)| location.to_ascii_lowercase().ends_with(ending));
        ending.map(|(_, compression)| *compression)
    };
    let first = of(locations.first()?);
    first.filter(|_| locations.iter().all(|location| of(location) == first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_compression() {
        for (locations, expected) in [
            (&["a.json.gz"][..], Some("gzip")),
            (&["a.CSV.GZ", "logs/*.gz"], Some("gzip")),
            (&["a.csv.zst"], Some("zstd")),
            (&["a.csv.gz", "a.csv"], None),
            (&["a.csv", "a.csv.gz"], None),
            (&["logs/"], None),
            (&[], None),
        ] {
            let locations: Vec<String> = locations.iter().map(ToString::to_string).collect();
            assert_eq!(compression(&locations), expected, "{locations:?}");
        }
    }
}
