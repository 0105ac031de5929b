//! Figures: plain rows in, one self-contained interactive page out.
//!
//! A figure is what an investigator looks at before reading rows: the sizes of clusters ([`Figure::Bar`]), how much a
//! feature varies within a process ([`Figure::Box`]), the map of clusters ([`Figure::Scatter`]), what happened when
//! ([`Figure::Timeline`]), which eps to take ([`Figure::Curve`]), who logged on from where ([`Figure::Cards`]), who
//! started whom ([`Figure::Tree`]), and all of a collapse together ([`Figure::Report`]). Each comes as one HTML file
//! with everything inside, the drawing script too (plotly.js, by the `plotly` crate): it opens on a machine without a
//! network, in light and in dark, exports PNG and SVG, and keeps rows that are clicked in a table below the figure.
//!
//! # Text is hostile
//!
//! Names, paths and command lines come from whoever wrote the event. Everything goes into the page as JSON whose `<` are
//! escaped, so that nothing ends its script element, or as escaped HTML; text for the drawing script, which knows some
//! markup, has its `<`, `>` and `&` as entities; tooltips and tables are made of text nodes. A content policy in the
//! page forbids the network, and every script but the two whose hashes it names.
//!
//! Each row of the query is one mark, or a value inside one box. A timeline of more than [`MAX_ROWS`] rows is drawn as
//! density ([`Density`]), which takes any number of rows in little memory.

mod bar;
mod box_plot;
mod cards;
mod curve;
mod density;
mod page;
mod report;
mod rows;
mod scatter;
mod settings;
mod text;
mod timeline;
mod traces;
mod tree;

use std::error::Error;
use std::fmt;

use plotly::Layout;
use plotly::common::{MarkerSymbol, Title};
use plotly::layout::{Legend, Margin};

use page::About;
use settings::options;
use text::{count, thousands};

pub use density::Density;
pub use rows::{Column, ColumnType, Rows};
pub use settings::{Need, OptionSpec, Settings};

/// The most rows that a figure draws, each as a mark of its own.
pub const MAX_ROWS: usize = 100_000;

/// The most values of a column that become rows of marks, categories or series. A page with more of them is too long to
/// read, and no browser scrolls it smoothly.
const MAX_GROUPS: usize = 1_000;

/// From here on marks are drawn by the graphics card's interface, which stays smooth where elements of a page don't.
const MANY: usize = 5_000;

/// What can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// One bar per row, in the order of the rows.
    Bar,
    /// One box per category: median, quartiles, and what lies beyond.
    Box,
    /// One mark per row, its area by size on a logarithmic scale.
    Scatter,
    /// One mark per row at its time, or a bar to another time; a row of marks for each group.
    Timeline,
    /// Distances in ascending order, with the knee.
    Curve,
    /// A card per logon.
    Cards,
    /// Processes below those that started them.
    Tree,
    /// Sizes, variability, map, timeline and noise of a collapse.
    Report,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Bar,
        Self::Box,
        Self::Scatter,
        Self::Timeline,
        Self::Curve,
        Self::Cards,
        Self::Tree,
        Self::Report,
    ];

    /// As it stands after `STORED AS`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bar => "BAR",
            Self::Box => "BOX",
            Self::Scatter => "SCATTER",
            Self::Timeline => "TIMELINE",
            Self::Curve => "CURVE",
            Self::Cards => "CARDS",
            Self::Tree => "TREE",
            Self::Report => "REPORT",
        }
    }

    /// What it can be told.
    pub fn options(self) -> &'static [OptionSpec] {
        options(self)
    }

    /// The most rows that it draws.
    pub fn max_rows(self) -> usize {
        match self {
            // Read one by one, and elements of the page.
            Self::Cards => 1_000,
            Self::Tree => 20_000,
            _ => MAX_ROWS,
        }
    }

    /// What is wrong with so many rows.
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
        if rows.len() > self.max_rows() {
            return Err(self.too_many_rows());
        }
        let parts = match self {
            Self::Bar => vec![bar::draw(rows, settings)],
            Self::Box => vec![box_plot::draw(rows, settings)?],
            Self::Scatter => vec![scatter::draw(rows, settings)?],
            Self::Timeline => timeline::draw(rows, settings)?,
            Self::Curve => vec![curve::draw(rows, settings)],
            Self::Cards => vec![cards::draw(rows, settings)],
            Self::Tree => vec![tree::draw(rows, settings)],
            Self::Report => return draw_report(rows, settings, None, ""),
        };
        page::page(&about(self, settings, flow(rows, settings)), parts, &[rows])
    }

    /// Whether the query has all columns that the figure takes without being told.
    fn check(self, settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        match self {
            Self::Report => report::check(columns),
            Self::Cards => cards::check(settings, columns),
            _ => Ok(()),
        }
    }
}

/// A report whose boxes come from rows of their own, each drawn as a [`Figure::Box`] with its settings; without them, from
/// the exemplars. `note` is what a reader has to know of the events before the figures.
///
/// # Errors
/// More than [`MAX_ROWS`] rows, or a drawing without JSON.
pub fn draw_report(
    rows: &Rows,
    settings: &Settings,
    variability: Option<(&Rows, &[Settings])>,
    note: &str,
) -> Result<String, PlotError> {
    let of_events = variability.map(|(rows, _)| rows);
    if rows.len().max(of_events.map_or(0, Rows::len)) > MAX_ROWS {
        return Err(Figure::Report.too_many_rows());
    }
    let about = about(Figure::Report, settings, flow(rows, settings));
    let rows = report::with_kind(rows);
    let parts = report::draw(&rows, settings, variability, note)?;
    let row_sets: Vec<&Rows> = std::iter::once(&rows).chain(of_events).collect();
    page::page(&about, parts, &row_sets)
}

/// What is wrong with a column of so many values; `what` is made of each.
fn too_many_values(figure: Figure, what: &str, most: usize, option: &str, values: usize) -> PlotError {
    PlotError(format!(
        "{} draws up to {most} {what}, the column of option '{option}' has {} values; filter them, or take a coarser \
         column",
        figure.name(),
        thousands(values)
    ))
}

fn about(figure: Figure, settings: &Settings, flow: String) -> About<'_> {
    let title = match figure {
        Figure::Bar => "Sizes",
        Figure::Box => "Variability",
        Figure::Scatter => "Map of clusters",
        Figure::Timeline => "Timeline",
        Figure::Curve => "Distances to neighbours",
        Figure::Cards => "Logons",
        Figure::Tree => "Process tree",
        Figure::Report => "Clustered events",
    };
    About { title: settings.get("title").unwrap_or(title), query: settings.get("query"), flow }
}

/// How many events and rows a page is made of.
fn flow(rows: &Rows, settings: &Settings) -> String {
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

/// What is wrong with the options or the rows of a figure, for whoever typed the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotError(pub(crate) String);

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for PlotError {}

/// Colours that people with any colour vision tell apart on light and on dark (Okabe, Ito: *Color Universal Design*,
/// 2008).
const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];

fn color(group: usize) -> &'static str {
    COLORS[group % COLORS.len()]
}

/// A symbol for each group, so that colour is not needed.
fn symbol(group: usize) -> MarkerSymbol {
    let symbols = [
        MarkerSymbol::Circle,
        MarkerSymbol::Diamond,
        MarkerSymbol::X,
        MarkerSymbol::Square,
        MarkerSymbol::TriangleUp,
        MarkerSymbol::Cross,
        MarkerSymbol::Star,
    ];
    symbols[group % symbols.len()].clone()
}

/// What all figures share; `groups` is the column that colours tell apart.
fn layout(groups: Option<&str>) -> Layout {
    let layout = Layout::new().auto_size(true).margin(Margin::new().left(24).right(24).top(36).bottom(68));
    match groups {
        Some(groups) => {
            layout.legend(Legend::new().title(Title::with_text(text::marks(groups, text::SHOWN))))
        }
        None => layout,
    }
}
