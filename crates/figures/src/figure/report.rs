//! All of a collapse on one page: [`Report`](crate::Report) of the rows of `dbcluster(...)`.

use crate::error::PlotError;
use crate::figure::Draw;
use crate::options::{NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, TOOLTIP, option};
use crate::page::Part;
use crate::report::of_collapse;
use crate::rows::{ColumnType, Rows};
use crate::settings::Settings;

/// The report: [`Figure::Report`](crate::Figure::Report).
pub(crate) struct ReportFigure;

impl Draw for ReportFigure {
    const NAME: &'static str = "REPORT";
    const TITLE: &'static str = "Clustered events";
    const OPTIONS: &'static [OptionSpec] = &[
        option("label", NAMES, "What the exemplars are called, such as the process"),
        option("x", OPTIONAL_NUMBERS, "A feature: the map's place from left to right"),
        option("y", OPTIONAL_NUMBERS, "Another one: the map's place from bottom to top"),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn check(_: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        let has = |name: &str| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        if has("clustered") && columns.contains(&("cluster_size", ColumnType::Number)) {
            return Ok(());
        }
        Err(PlotError(
            "REPORT draws the rows of dbcluster(...) and needs their columns clustered and cluster_size; start from SELECT * \
             FROM dbcluster(...)"
                .to_string(),
        ))
    }

    fn draw(_: &Rows, _: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![])
    }

    fn page(rows: &Rows, settings: &Settings) -> Option<Result<String, PlotError>> {
        Some(of_collapse(rows, settings, Self::TITLE).page())
    }
}
