//! Figures: plain rows in, one self-contained interactive page out.
//!
//! An investigator looks at figures before reading rows: the sizes of clusters ([`Figure::Bar`]), the spread of a feature
//! within a process ([`Figure::Box`]), the map of clusters ([`Figure::Scatter`]), events in time
//! ([`Figure::Timeline`]), numbers over time ([`Figure::Values`]), who did what ([`Figure::Matrix`]), clusters at each eps ([`Figure::Curve`]), logons ([`Figure::Cards`]), processes below
//! their parents ([`Figure::Tree`]), and all of a collapse together ([`Figure::Report`]). Each comes as one HTML file
//! with everything inside, the drawing script too (plotly.js, by the `plotly` crate): it opens on a machine without a
//! network, in light and in dark, exports PNG and SVG, and keeps rows that are clicked in a table below the figure.
//!
//! [`Report`] is a page of its own kind, which is read from its first line to each event; it draws without a script of others.
//!
//! Each row of the query is one mark, or a value inside one box. A timeline of more than [`MAX_ROWS`] rows is drawn as
//! density ([`Density`]), which takes any number of rows in little memory.
//!
//! # Text is hostile
//!
//! Names, paths and command lines may be chosen by an attacker. Everything goes into the page as JSON whose `<` are
//! escaped, so that nothing ends its script element, or as escaped HTML, by a type that takes no other text; text for the
//! drawing script, which knows some markup, has its `<`, `>` and `&` as entities; tooltips and tables are made of text
//! nodes. A content policy in the page forbids the network, and every script but the two whose hashes it names.
//!
//! # A new figure
//!
//! It is a file in `figure` that implements `Draw` (`bar` is a short one), and its lines in the list of `figure/mod.rs`.
//! CONTRIBUTING.md, *Adding something*, has the other places.
//!
//! # Example
//!
//! ```
//! use dbcluster_figures::{Column, ColumnType, Figure, PlotError, Rows, Settings};
//!
//! let process = Column {
//!     name: "process".to_string(),
//!     column_type: ColumnType::Text,
//!     shown: vec![Some("cmd.exe".to_string()), Some("reg.exe".to_string())],
//!     numbers: vec![],
//! };
//! let events = Column {
//!     name: "events".to_string(),
//!     column_type: ColumnType::Number,
//!     shown: vec![Some("7".to_string()), Some("3".to_string())],
//!     numbers: vec![Some(7.0), Some(3.0)],
//! };
//! let columns = [("process", ColumnType::Text), ("events", ColumnType::Number)];
//! let settings = Settings::try_new(Figure::Bar, [("x", "process"), ("y", "events")], &columns)?;
//! let page = Figure::Bar.draw(&Rows(vec![process, events]), &settings)?;
//! assert!(page.starts_with("<!doctype html>"));
//! # Ok::<(), PlotError>(())
//! ```

mod density;
mod error;
mod figure;
mod html;
mod options;
mod page;
mod report;
mod rows;
mod settings;
mod style;
mod text;
mod times;
mod traces;

pub use density::Density;
pub use error::PlotError;
pub use figure::{Figure, MAX_ROWS};
pub use options::{Need, OptionSpec};
pub use report::{Activity, Clustering, Feature, Levels, Place, Redaction, Report, Role, RoleName, Row};
pub use rows::{Column, ColumnType, Rows};
pub use settings::Settings;
pub use times::{SPANS, likely_times};
