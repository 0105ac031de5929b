//! The page that an investigator hands over: one finding in words, and the way from there to every event.
//!
//! [`Report`] is plain data: *places*, each a vector of features that events share, and *rows*, the events or groups of equal events that
//! are at them. The page's script does the rest, so that all of it follows the filters and the eps.
//!
//! # Every eps
//!
//! A place comes with what the hierarchy of the clustering says of it ([`Levels`]): the least eps at which it is core, the least at which a core
//! place is near, and where its cluster goes when it merges. With these numbers one pass over the places gives the clusters at any eps, the same
//! to the bit as a clustering with that eps (Campello, Moulavi, Sander: *Density-based clustering based on hierarchical density estimates*,
//! PAKDD 2013). With `min_samples` above 2 a place on the border of several clusters belongs to the first of them; it is found by distances,
//! so the page has the scaled vectors, too. Without levels the clusters are fixed, and the page has no slider.
//!
//! # Size
//!
//! Text is told once and referred to by number, and a page of more than a few hundred kilobytes is compressed; a browser unpacks it without a
//! network. Nothing is drawn by a library.

mod collapse;
mod page;
mod redaction;

use serde::Serialize;

pub(crate) use collapse::of_collapse;
pub use redaction::Redaction;

/// All that a page tells. Rows and cells refer to places by their position.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The name of the table, or a headline.
    pub title: String,
    /// The words for one event and for several: "process start", "process starts".
    pub event: Option<(String, String)>,
    /// The features that were compared.
    pub features: Vec<Feature>,
    /// The columns that the rows show, and how SQL names them.
    pub roles: Vec<Role>,
    /// The statement that gives the rows of the page, with `{eps}` in the place of the eps.
    pub query: Option<String>,
    /// The table as SQL, for statements to go on with.
    pub table: Option<String>,
    /// Facts that a reader has to know: values that were NULL, events that were left out.
    pub notes: Vec<String>,
    /// The files that the page was made of, one line each.
    pub files: Vec<String>,
    /// The zone of all times; none if the table tells none.
    pub time_zone: Option<String>,
    /// The way in which places are clustered.
    pub clustering: Clustering,
    /// The condition of each partition as SQL, if there are several.
    pub partitions: Vec<String>,
    /// The places, in canonical order.
    pub places: Vec<Place>,
    /// Odd events that are not on the page: they are counted, and the notes say where they are.
    pub left_out: u64,
    /// The rows, each at a place or skipped.
    pub rows: Vec<Row>,
    /// The names of the values that rows have beside their roles.
    pub columns: Vec<String>,
    /// The events over time, if the rows don't tell each of them.
    pub activity: Option<Activity>,
}

/// A feature of the clustering.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// The same as SQL.
    pub sql: String,
}

/// A column that the rows show.
#[derive(Debug, Clone, Serialize)]
pub struct Role {
    /// The part that it plays.
    pub role: RoleName,
    /// The name that people know.
    pub label: String,
    /// The same as SQL.
    pub sql: String,
}

/// The part that a column plays on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// The name of an event, such as the program.
    Name,
    /// The text that is read: a command line, a line of a log.
    Text,
    /// The program that started it.
    Parent,
    /// The account that did it.
    Account,
    /// The machine where it happened.
    Host,
    /// The path of the program.
    Path,
    /// When it happened.
    Time,
}

/// The way in which places are clustered.
#[derive(Debug, Clone, Default)]
pub enum Clustering {
    /// At every eps.
    EveryEps {
        /// The eps at which the page opens.
        eps: f64,
        /// The events that make a neighbourhood dense.
        min_samples: u64,
        /// The metric as SQL names it.
        metric: String,
        /// The scaling as SQL names it.
        scaling: String,
        /// The clusters and the odd events that the engine found at this eps, against which the page checks itself.
        expected: Option<(u64, u64)>,
    },
    /// Each place is a cluster or an odd event.
    #[default]
    Fixed,
}

/// Events with the same features.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The number of events.
    pub events: u64,
    /// The earliest and the latest event, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// The features before scaling, one for each of [`Report::features`]; none if they differ among the events.
    pub features: Vec<f64>,
    /// The features after scaling, where distances are needed and the page can't scale them itself.
    pub scaled: Vec<f64>,
    /// The number of its partition. Places of different partitions never meet.
    pub partition: u32,
    /// Its part of the hierarchy.
    pub levels: Levels,
    /// Whether the place is a cluster, if clusters are fixed.
    pub clustered: bool,
    /// The names of its events with their numbers, if the rows don't tell them all.
    pub names: Vec<(Option<String>, u64)>,
    /// The hosts of its events with their numbers, likewise.
    pub hosts: Vec<(Option<String>, u64)>,
    /// The accounts of its events with their numbers, likewise.
    pub accounts: Vec<(Option<String>, u64)>,
    /// Whether it has more hosts or accounts than these.
    pub counts_left_out: bool,
}

/// The part that a place has in the hierarchy of a clustering; infinity stands for an eps that there is not.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    /// The least eps at which the place is core.
    pub core: f64,
    /// The least eps at which another core place is within eps.
    pub near: f64,
    /// The eps at which it ceases to be the first of its cluster.
    pub merged: f64,
    /// The place that is the first then.
    pub into: u32,
}

impl Default for Levels {
    fn default() -> Self {
        Self { core: f64::INFINITY, near: f64::INFINITY, merged: f64::INFINITY, into: 0 }
    }
}

/// An event, or events that differ in nothing that the page shows.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The position of the place; none if the row was skipped.
    pub place: Option<u32>,
    /// The number of events.
    pub events: u64,
    /// The earliest and the latest event, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// The value of each role: what the event is called.
    pub name: Option<String>,
    /// The text that is read.
    pub text: Option<String>,
    /// Whether the text stands for others of its form, which are counted with it.
    pub varies: bool,
    /// The program that started it.
    pub parent: Option<String>,
    /// The account that did it.
    pub account: Option<String>,
    /// Where it happened.
    pub host: Option<String>,
    /// The path of the program.
    pub path: Option<String>,
    /// Its score: the higher, the more unusual.
    pub score: Option<f64>,
    /// The reasons of the score, the strongest first.
    pub reasons: Vec<String>,
    /// A value for each of [`Report::columns`], or none at all.
    pub values: Vec<Option<String>>,
}

/// The number of events of each place in equal spans of time.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// The beginning of the first span, in microseconds since 1970.
    pub start: i64,
    /// The length of a span in microseconds.
    pub width: i64,
    /// The number of spans.
    pub spans: u32,
    /// The place, the number of the span, and the events; ascending.
    pub cells: Vec<(u32, u32, u64)>,
}
