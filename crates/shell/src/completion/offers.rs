//! The words that can stand at a place that takes one of a list: the values of an option, the kinds of a figure, settings, arguments of commands.

use datafusion_dbcluster::reference;
use dbcluster_figures::Figure;

use super::super::format::Format;
use super::super::topics;

/// Columns that table functions add to the rows of a table. A query names them before the function, so they are always offered.
pub(super) const COLUMNS: [&str; 17] = [
    "cluster_id",
    "cluster_key",
    "cluster_size",
    "clustered",
    "clusters",
    "eps",
    "events",
    "first_event_time",
    "is_auto",
    "largest_cluster",
    "largest_share",
    "last_event_time",
    "noise",
    "point_type",
    "reasons",
    "score",
    "terms",
];

/// The formats of files that are no figures.
const FILE_FORMATS: [&str; 4] = ["ARROW", "CSV", "JSON", "PARQUET"];

/// The values between quotes that an option of a table function takes.
pub(super) fn values_of_option(option: &str) -> Vec<String> {
    let options = reference::options();
    let Some(option) = options.iter().find(|known| known.name().eq_ignore_ascii_case(option)) else {
        return vec![];
    };
    // The text for people has them between quotes: `'l2'`, `'none'` or `'zscore'`.
    option.values().split('\'').skip(1).step_by(2).map(ToString::to_string).collect()
}

/// The kinds that STORED AS takes.
pub(super) fn stored_as() -> Vec<&'static str> {
    figures().into_iter().chain(FILE_FORMATS).collect()
}

pub(super) fn figures() -> Vec<&'static str> {
    Figure::ALL.iter().map(|figure| figure.name()).collect()
}

/// The words that an argument of a command can be, if these are a list.
pub(super) fn arguments(command: &str, before: &[&str]) -> Option<Vec<&'static str>> {
    let words = match (command, before) {
        ("pset", []) => vec!["format", "maxrows", "width"],
        ("pset", ["format"]) => Format::names().into_iter().filter(|name| *name != "parquet").collect(),
        ("pset", ["width"]) => vec!["auto", "inf"],
        ("pset", ["maxrows"]) => vec!["inf"],
        ("x", []) => vec!["auto", "off", "on"],
        ("quiet" | "pager", []) => vec!["off", "on"],
        ("timezone", []) => vec!["UTC", "off"],
        ("plot", []) => figures(),
        _ => return None,
    };
    Some(words)
}

/// The topics that `\h` explains beside functions.
pub(super) fn topics_of_help() -> Vec<String> {
    let options = reference::options();
    let options = options.iter().map(|option| option.name().to_string());
    topics::names().chain(figures()).map(ToString::to_string).chain(options).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn values_of_options_are_those_between_quotes() {
        assert_eq!(values_of_option("scaling"), ["l2", "none", "zscore", "minmax", "robust"]);
        assert_eq!(values_of_option("nulls"), ["error", "zero", "skip"]);
        assert_eq!(values_of_option("min_samples"), Vec::<String>::new());
    }

    /// Each offered column is one of some function.
    #[tokio::test]
    async fn columns_of_functions_are_there() {
        let ctx = SessionContext::new();
        datafusion_dbcluster::register_all(&ctx).expect("functions register");
        let table = "SELECT TIMESTAMP '2026-01-15 05:00:00' AS t, 'a' AS text, 1 AS x";
        let mut columns = BTreeSet::new();
        for call in [
            "dbcluster((TABLE), [x], eps => 1)",
            "dbcluster_members((TABLE), [x], eps => 1)",
            "dbcluster_summary((TABLE), [x], eps => 1)",
            "dbcluster_eps((TABLE), [x])",
            "hunt((TABLE), text => text)",
        ] {
            let sql = format!("SELECT * FROM {}", call.replace("TABLE", table));
            let frame = ctx.sql(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            columns.extend(frame.schema().fields().iter().map(|field| field.name().clone()));
        }
        for column in COLUMNS {
            assert!(columns.contains(column), "{column} of {columns:?}");
        }
    }
}
