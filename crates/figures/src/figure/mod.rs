//! The list of all figures, and the trait that each of them implements.
//!
//! A new figure is a file here that implements [`Draw`], its `mod`, and its lines in the list below. CONTRIBUTING.md,
//! *Adding something*, has the other places.

mod bar;
mod box_plot;
mod cards;
mod curve;
mod matrix;
pub(crate) mod report;
mod review;
mod scatter;
pub(crate) mod time_axis;
pub(crate) mod timeline;
mod tree;
mod values;

use std::borrow::Cow;

use crate::error::PlotError;
use crate::html::Html;
use crate::options::{Need, OptionSpec};
use crate::page::{About, Body, Part, page};
use crate::rows::{ColumnType, Rows};
use crate::settings::Settings;
use crate::text::{count, thousands};
use crate::times::in_one_zone;

/// The most rows that a figure draws, each as a mark of its own.
pub const MAX_ROWS: usize = 100_000;

/// The most values of a column that become rows of marks, categories or series. A page with more of them is too long to
/// read, and no browser scrolls it smoothly.
pub(crate) const MAX_GROUPS: usize = 1_000;

/// From here on marks are drawn by the graphics card's interface, which stays smooth where elements of a page don't.
pub(crate) const MANY: usize = 5_000;

/// A figure defines its name, its options and its drawing, in a file of its own.
pub(crate) trait Draw {
    /// The name after `STORED AS`.
    const NAME: &'static str;

    /// The headline of pages without the option `title`.
    const TITLE: &'static str;

    /// The options, in the order of the documentation.
    const OPTIONS: &'static [OptionSpec];

    /// The most rows that it draws.
    const MAX_ROWS: usize = MAX_ROWS;

    /// Checks the columns that the figure takes without an option that names them.
    fn check(_: &Settings, _: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        Ok(())
    }

    /// Whether these columns make the figure need an option that it can do without for others.
    fn needs(_: &str, _: &[(&str, ColumnType)]) -> bool {
        false
    }

    /// The rows that the page keeps, with columns that the figure adds.
    fn rows(rows: &Rows) -> Cow<'_, Rows> {
        Cow::Borrowed(rows)
    }

    /// Draws rows, at most [`Draw::MAX_ROWS`] and as [`Draw::rows`] made them, by settings made for them.
    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError>;

    /// A page of its own kind in the place of the parts, if the figure makes one.
    fn page(_: &Rows, _: &Settings) -> Option<Result<String, PlotError>> {
        None
    }
}

/// [`Draw::check`] of one figure.
type Check = fn(&Settings, &[(&str, ColumnType)]) -> Result<(), PlotError>;

/// [`Draw::needs`] of one figure.
type Needs = fn(&str, &[(&str, ColumnType)]) -> bool;

/// The definitions of one [`Draw`] as values.
struct Definition {
    name: &'static str,
    title: &'static str,
    options: &'static [OptionSpec],
    max_rows: usize,
    check: Check,
    needs: Needs,
    rows: fn(&Rows) -> Cow<'_, Rows>,
    draw: fn(&Rows, &Settings) -> Result<Vec<Part>, PlotError>,
    page: fn(&Rows, &Settings) -> Option<Result<String, PlotError>>,
}

impl Definition {
    const fn of<D: Draw>() -> Self {
        Self {
            name: D::NAME,
            title: D::TITLE,
            options: D::OPTIONS,
            max_rows: D::MAX_ROWS,
            check: D::check,
            needs: D::needs,
            rows: D::rows,
            draw: D::draw,
            page: D::page,
        }
    }
}

/// Makes [`Figure`] of one line per figure: its variant and the type that defines it.
macro_rules! figures {
    ($($(#[$doc:meta])* $variant:ident = $figure:ty,)+) => {
        /// A figure that rows can be drawn as.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Figure {
            $($(#[$doc])* $variant,)+
        }

        impl Figure {
            /// All of them.
            pub const ALL: [Self; [$(<$figure>::NAME),+].len()] = [$(Self::$variant),+];

            fn definition(self) -> Definition {
                match self {
                    $(Self::$variant => const { Definition::of::<$figure>() },)+
                }
            }
        }
    };
}

figures! {
    /// One bar per row, in the order of the rows.
    Bar = bar::BarFigure,
    /// One box per category: median, quartiles, and the values beyond.
    Box = box_plot::BoxFigure,
    /// One mark per row, its area by size on a logarithmic scale.
    Scatter = scatter::ScatterFigure,
    /// One mark per row at its time, or a bar to another time; a row of marks for each group.
    Timeline = timeline::TimelineFigure,
    /// Numbers over time: lines, bars or areas.
    Values = values::ValuesFigure,
    /// A table of two columns with a disc for each pair.
    Matrix = matrix::MatrixFigure,
    /// Clusters, noise and the largest cluster at each eps, or distances in ascending order with the knee.
    Curve = curve::CurveFigure,
    /// A card per logon.
    Cards = cards::CardsFigure,
    /// Processes below those that started them.
    Tree = tree::TreeFigure,
    /// Rows to read one after the other, with reasons.
    Review = review::ReviewFigure,
    /// Sizes, variability, map, timeline and noise of a collapse.
    Report = report::ReportFigure,
}

impl Figure {
    /// Its name after `STORED AS`.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// The options that it takes.
    pub fn options(self) -> &'static [OptionSpec] {
        self.definition().options
    }

    /// The most rows that it draws.
    pub fn max_rows(self) -> usize {
        self.definition().max_rows
    }

    /// The error of a query with more rows than the figure draws.
    pub fn too_many_rows(self) -> PlotError {
        PlotError(format!(
            "{} draws up to {} rows, got more; group them, filter them, or cluster them first",
            self.name(),
            self.max_rows()
        ))
    }

    /// The page with the rows drawn as the settings say. `settings` must be made for this figure and these columns.
    ///
    /// # Errors
    /// More than [`Figure::max_rows`] rows, more groups than can be told apart, or a drawing without JSON.
    pub fn draw(self, rows: &Rows, settings: &Settings) -> Result<String, PlotError> {
        let definition = self.definition();
        if rows.len() > definition.max_rows {
            return Err(self.too_many_rows());
        }
        if let Some(page) = (definition.page)(rows, settings) {
            return page;
        }
        let about = self.about(settings, flow(rows, settings));
        let rows: &Rows = &in_one_zone(rows);
        let kept = (definition.rows)(rows);
        let rows: &Rows = &kept;
        let mut parts = (definition.draw)(rows, settings)?;
        if rows.is_empty() {
            let nothing =
                Html::raw("<p class=\"empty\">The query returned no row, so there is nothing to draw.</p>");
            parts = vec![Part::new(rows, String::new(), Body::Html(nothing))];
        }
        page(&about, parts, &[rows])
    }

    /// Checks the columns that the figure takes without an option that names them.
    pub(crate) fn check(self, settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        (self.definition().check)(settings, columns)
    }

    /// Whether the figure needs an option, be it for these columns only.
    pub(crate) fn needs(self, spec: &OptionSpec, columns: &[(&str, ColumnType)]) -> bool {
        matches!(spec.need, Need::Column { required: true, .. })
            || (self.definition().needs)(spec.name, columns)
    }

    /// The head of its page.
    pub(crate) fn about(self, settings: &Settings, flow: String) -> About<'_> {
        let title = settings.get("title").unwrap_or(self.definition().title);
        About { title, query: settings.get("query"), flow }
    }
}

/// The numbers of events and rows that a page is made of.
pub(crate) fn flow(rows: &Rows, settings: &Settings) -> String {
    let sizes = (settings.column("size", rows))
        .or_else(|| settings.column("weight", rows))
        .or_else(|| rows.column("cluster_size"))
        .filter(|sizes| sizes.column_type == ColumnType::Number);
    match sizes {
        Some(sizes) => {
            let events: f64 = (0..rows.len()).filter_map(|row| sizes.number(row)).sum();
            format!("{} in, {} out.", count(events as usize, "event"), count(rows.len(), "row"))
        }
        None => format!("{} in, {} out.", count(rows.len(), "row"), thousands(rows.len())),
    }
}

/// The error of a column with more values than can be told apart; `what` is made of each value.
pub(crate) fn too_many_values(
    figure: Figure,
    what: &str,
    most: usize,
    option: &str,
    values: usize,
) -> PlotError {
    PlotError(format!(
        "{} draws up to {most} {what}, the column of option '{option}' has {} values; filter them, or take a coarser \
         column",
        figure.name(),
        thousands(values)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_own_name_and_the_common_options() {
        for (at, figure) in Figure::ALL.into_iter().enumerate() {
            assert!(Figure::ALL[..at].iter().all(|other| other.name() != figure.name()));
            let names: Vec<&str> = figure.options().iter().map(|option| option.name).collect();
            assert!(names.ends_with(&["title", "query"]), "{}: {names:?}", figure.name());
            assert!(figure.max_rows() <= MAX_ROWS);
        }
    }
}
