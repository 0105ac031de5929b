//! Figures: plain rows in, one self-contained interactive page out.
//!
//! A figure is what an investigator looks at before reading rows: the sizes of clusters ([`Figure::Bar`]), how much a
//! feature varies within a process ([`Figure::Box`]), the map of clusters ([`Figure::Scatter`]), what happened when
//! ([`Figure::Timeline`]). Each comes as one HTML
//! file with the drawing script (plotly.js, by the `plotly` crate) inside: it opens on a machine without a network, in
//! light and in dark, exports PNG and SVG, and keeps rows that are clicked in a table below the figure.
//!
//! # Text is hostile
//!
//! Names, paths and command lines come from whoever wrote the event. Everything goes into the page as JSON whose `<` are
//! escaped, so that nothing ends its script element; text for the drawing script, which knows some markup, has its
//! `<`, `>` and `&` as entities; and the table is made of text nodes. A content policy in the page
//! forbids the network.
//!
//! The page has one script for all figures, and each row of the query is one mark, or a value inside one box.

mod bar;
mod box_plot;
mod page;
mod rows;
mod scatter;
mod settings;
mod text;
mod timeline;

use std::error::Error;
use std::fmt;

use plotly::Layout;
use plotly::common::{MarkerSymbol, Title};
use plotly::layout::{Legend, Margin};
use settings::options;

pub use rows::{Column, ColumnType, Rows};
pub use settings::{Need, OptionSpec, Settings};

/// The most rows that a figure draws, each as a mark of its own.
pub const MAX_ROWS: usize = 100_000;

/// What can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// One bar per row, in the order of the rows.
    Bar,
    /// One box per category: median, quartiles, and what lies beyond.
    Box,
    /// One mark per row, its area by size on a logarithmic scale.
    Scatter,
    /// One mark per row, where its time is; a row of marks for each group.
    Timeline,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bar, Self::Box, Self::Scatter, Self::Timeline];

    /// As it stands after `STORED AS`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bar => "BAR",
            Self::Box => "BOX",
            Self::Scatter => "SCATTER",
            Self::Timeline => "TIMELINE",
        }
    }

    /// What it can be told.
    pub fn options(self) -> &'static [OptionSpec] {
        options(self)
    }

    /// The page with the rows drawn as the settings say. `settings` must be made for this figure and these columns.
    ///
    /// # Errors
    /// More than [`MAX_ROWS`] rows.
    pub fn draw(self, rows: &Rows, settings: &Settings) -> Result<String, PlotError> {
        if rows.len() > MAX_ROWS {
            return Err(PlotError(format!(
                "{} draws up to {MAX_ROWS} rows, got {}; group them, filter them, or cluster them first",
                self.name(),
                rows.len()
            )));
        }
        let drawing = match self {
            Self::Bar => bar::draw(rows, settings),
            Self::Box => box_plot::draw(rows, settings),
            Self::Scatter => scatter::draw(rows, settings),
            Self::Timeline => timeline::draw(rows, settings),
        };
        Ok(page::page(self, drawing, rows, settings))
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

/// What the drawing script gets.
struct Drawing {
    traces: Vec<Box<dyn plotly::Trace>>,
    layout: Layout,
    /// What a reader has to know to read it.
    note: String,
}

/// Colours that people with any colour vision tell apart on light and on dark (Okabe, Ito: *Color Universal Design*,
/// 2008).
const COLORS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"];

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

fn color(group: usize) -> &'static str {
    COLORS[group % COLORS.len()]
}

/// What all figures share; `groups` is the column that colours tell apart.
fn layout(groups: Option<&str>) -> Layout {
    let layout = Layout::new().auto_size(true).margin(Margin::new().left(24).right(24).top(28).bottom(16));
    match groups {
        Some(groups) => {
            layout.legend(Legend::new().title(Title::with_text(text::marks(groups, text::SHOWN))))
        }
        None => layout,
    }
}
