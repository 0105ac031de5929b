//! Curves to choose eps by: the result of `dbcluster_eps`, or distances to neighbours.

mod distances;
mod eps;
mod steps;

use std::borrow::Cow;

use crate::error::PlotError;
use crate::figure::Draw;
use crate::options::{Need, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::Part;
use crate::rows::{ColumnType, Rows};
use crate::settings::Settings;

/// The curves: [`Figure::Curve`](crate::Figure::Curve).
pub(crate) struct CurveFigure;

impl Draw for CurveFigure {
    const NAME: &'static str = "CURVE";
    const TITLE: &'static str = "Choosing eps";
    const OPTIONS: &'static [OptionSpec] = &[
        option(
            "y",
            OPTIONAL_NUMBERS,
            "Distances, in any order, to be drawn in ascending order; otherwise the rows of dbcluster_eps are drawn",
        ),
        option(
            "panel",
            Need::Columns(None),
            "Columns, with commas between: curves of their own for each of their values; otherwise the columns before `eps`",
        ),
        option("eps", Need::Number, "The eps that was chosen, as a line"),
        TITLE,
        QUERY,
    ];

    fn check(settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        if settings.get("y").is_none() {
            return eps::check(columns);
        }
        match settings.get("panel") {
            None => Ok(()),
            Some(panel) => Err(PlotError(format!(
                "CURVE: option 'panel' is for the rows of dbcluster_eps, got '{panel}' beside a column of distances in 'y'; \
                 leave one of them out"
            ))),
        }
    }

    fn needs(option: &str, columns: &[(&str, ColumnType)]) -> bool {
        option == "y" && eps::check(columns).is_err()
    }

    fn rows(rows: &Rows) -> Cow<'_, Rows> {
        eps::with_visible_names(rows)
    }

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        match settings.get("y") {
            Some(_) => Ok(vec![distances::draw(rows, settings)]),
            None => eps::draw(rows, settings),
        }
    }
}
