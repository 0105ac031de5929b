//! Traces that the `plotly` crate has no type for: boxes whose quartiles are known, and bars from one time to another.

use plotly::Trace;
use plotly::common::Marker;
use serde::Serialize;

/// Boxes of one colour, drawn from their numbers.
#[derive(Serialize, Clone)]
pub(crate) struct Boxes {
    r#type: &'static str,
    orientation: &'static str,
    name: String,
    y: Vec<f64>,
    q1: Vec<f64>,
    median: Vec<f64>,
    q3: Vec<f64>,
    lowerfence: Vec<f64>,
    upperfence: Vec<f64>,
    width: f64,
    marker: Marker,
    hoverinfo: &'static str,
    /// The tooltip of each box: names and values. The drawing script would tell the fences as minimum and maximum.
    customdata: Vec<Vec<(String, String)>>,
    legendgroup: String,
    showlegend: bool,
}

/// The numbers that a box spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quartiles {
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    pub(crate) q1: f64,
    pub(crate) median: f64,
    pub(crate) q3: f64,
    pub(crate) lower_fence: f64,
    pub(crate) upper_fence: f64,
}

/// One box: its place, its numbers, and its tooltip.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DrawnBox {
    pub(crate) y: f64,
    pub(crate) quartiles: Quartiles,
    pub(crate) tooltip: Vec<(String, String)>,
}

impl Boxes {
    /// A box at each place of the y axis, `width` high.
    pub(crate) fn new(
        name: &str,
        boxes: Vec<DrawnBox>,
        width: f64,
        marker: Marker,
        showlegend: bool,
    ) -> Box<Self> {
        let numbers = |of: fn(&Quartiles) -> f64| boxes.iter().map(|drawn| of(&drawn.quartiles)).collect();
        Box::new(Self {
            r#type: "box",
            orientation: "h",
            name: name.to_string(),
            y: boxes.iter().map(|drawn| drawn.y).collect(),
            q1: numbers(|quartiles| quartiles.q1),
            median: numbers(|quartiles| quartiles.median),
            q3: numbers(|quartiles| quartiles.q3),
            lowerfence: numbers(|quartiles| quartiles.lower_fence),
            upperfence: numbers(|quartiles| quartiles.upper_fence),
            width,
            marker,
            hoverinfo: "none",
            customdata: boxes.into_iter().map(|drawn| drawn.tooltip).collect(),
            legendgroup: name.to_string(),
            showlegend,
        })
    }
}

/// Bars of one colour, each from a time to a later one.
#[derive(Serialize, Clone)]
pub(crate) struct Spans {
    r#type: &'static str,
    orientation: &'static str,
    name: String,
    ids: Vec<String>,
    /// Where each bar starts, in milliseconds since 1970.
    base: Vec<f64>,
    /// The length in milliseconds.
    x: Vec<f64>,
    y: Vec<f64>,
    width: f64,
    marker: Marker,
    hoverinfo: &'static str,
    showlegend: bool,
}

/// One bar of [`Spans`]: its row, its place on the y axis, its two times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) row: usize,
    pub(crate) y: f64,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl Spans {
    pub(crate) fn new(name: &str, spans: &[Span], width: f64, marker: Marker, showlegend: bool) -> Box<Self> {
        Box::new(Self {
            r#type: "bar",
            orientation: "h",
            name: name.to_string(),
            ids: spans.iter().map(|span| span.row.to_string()).collect(),
            base: spans.iter().map(|span| span.start).collect(),
            x: spans.iter().map(|span| (span.end - span.start).max(0.0)).collect(),
            y: spans.iter().map(|span| span.y).collect(),
            width,
            marker,
            hoverinfo: "none",
            showlegend,
        })
    }
}

/// Makes types traces: plotly.js gets what they serialize to.
macro_rules! is_trace {
    ($($trace:ty),*) => {$(
        impl Trace for $trace {
            fn to_json(&self) -> String {
                // The trait has no error to return. Pages don't come this way: they serialize the trait object itself.
                serde_json::to_string(self).expect("numbers and text are JSON")
            }
        }
    )*};
}

is_trace!(Boxes, Spans);
