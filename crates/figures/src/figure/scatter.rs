//! The map of clusters: one mark per row, where its features put it.
//!
//! Labels are a trace of their own, elements of the page also where many marks are drawn by the graphics card's interface:
//! plotly.js 3.0.1 fails to draw text there (<https://github.com/plotly/plotly.js/issues/7353>).

use std::collections::BTreeMap;

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Marker, Mode, Position, Title};
use plotly::layout::Axis;

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MANY, MAX_GROUPS, too_many_values};
use crate::options::{
    NUMBERS, Need, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, TOOLTIP, option,
};
use crate::page::Part;
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::style::{color, layout, symbol};
use crate::text::{SHOWN, count, marks, thousands};

/// The map: [`Figure::Scatter`].
pub(crate) struct ScatterFigure;

impl Draw for ScatterFigure {
    const NAME: &'static str = "SCATTER";
    const TITLE: &'static str = "Map of clusters";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NUMBERS, "The place from left to right"),
        option("y", NUMBERS, "The place from bottom to top"),
        option(
            "size",
            OPTIONAL_NUMBERS,
            "How many events a mark stands for: its area, on a logarithmic scale",
        ),
        option("label", OPTIONAL_NAMES, "What small marks are called"),
        option("cut_off", Need::Number, "Marks of fewer events are small ones; otherwise 4"),
        option(
            "color",
            OPTIONAL_NAMES,
            "Gives each value of this column its colour and symbol, such as point_type",
        ),
        option(
            "scaled_by",
            Need::Columns(Some(ColumnType::Number)),
            "The features, with commas between: divides `x` and `y` by the length of each row's vector of them, which is \
             where dbcluster compares rows",
        ),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)?])
    }
}

/// The most marks that have a label: more labels hide each other.
const LABELS: usize = 40;

/// Marks of this size and more are not small and have no label, unless the option `cut_off` says otherwise.
const CUT_OFF: f64 = 4.0;

pub(crate) fn draw(rows: &Rows, settings: &Settings) -> Result<Part, PlotError> {
    let [size, label, group] = ["size", "label", "color"].map(|name| settings.column(name, rows));
    let features = settings.columns("scaled_by", rows);
    let length = |row: usize| -> Option<f64> {
        let Some(features) = &features else { return Some(1.0) };
        let squares = features.iter().map(|column| column.number(row).map(|number| number * number));
        // A row of zeros stays where it is, as in dbcluster.
        squares.sum::<Option<f64>>().map(|sum| if sum == 0.0 { 1.0 } else { sum.sqrt() })
    };
    let place = |column: Option<&Column>, row: usize| Some(column?.number(row)? / length(row)?);
    let [x, y] = ["x", "y"].map(|name| {
        let column = settings.column(name, rows);
        (0..rows.len()).map(|row| place(column, row)).collect::<Vec<_>>()
    });
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut left_out = 0;
    for row in 0..rows.len() {
        if x[row].and(y[row]).is_some() {
            let name = group.map_or_else(String::new, |column| column.label(row, SHOWN));
            groups.entry(name).or_default().push(row);
        } else {
            left_out += 1;
        }
    }
    if groups.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Scatter, "colours", MAX_GROUPS, "color", groups.len()));
    }
    let weight = |row: usize| size.map_or(1.0, |column| column.number(row).unwrap_or(1.0).max(1.0));
    // Small marks come last and lie on top.
    for members in groups.values_mut() {
        members.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(a.cmp(b)));
    }
    let cut_off = settings.number("cut_off").unwrap_or(CUT_OFF);
    let is_small = |row: &usize| label.is_some() && weight(*row) < cut_off;
    let small: Vec<usize> = groups.values().flatten().copied().filter(is_small).collect();
    // Of many the smallest, and of equals the first ones.
    let mut called = small.clone();
    called.sort_by(|a, b| weight(*a).total_cmp(&weight(*b)).then(a.cmp(b)));
    called.truncate(LABELS);
    let many = rows.len() > MANY;
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    let mut labels: Vec<Box<dyn plotly::Trace>> = vec![];
    for (at, (name, members)) in groups.iter().enumerate() {
        let trace = |members: &[usize]| {
            let places =
                |of: &[Option<f64>]| -> Vec<Option<f64>> { members.iter().map(|&row| of[row]).collect() };
            Scatter::new(places(&x), places(&y)).name(name).legend_group(name)
        };
        let sizes = |members: &[usize]| members.iter().map(|&row| diameter(weight(row))).collect();
        traces.push(
            trace(members)
                .web_gl_mode(many)
                .mode(Mode::Markers)
                .ids(members.iter().map(ToString::to_string).collect())
                .hover_info(HoverInfo::None)
                .marker(
                    Marker::new()
                        .size_array(sizes(members))
                        .symbol(symbol(at))
                        .color(color(at))
                        .opacity(0.75)
                        .line(Line::new().width(1.0).color("rgba(127,127,127,0.9)")),
                )
                .show_legend(group.is_some()),
        );
        let of_group: Vec<usize> = members.iter().copied().filter(|row| called.contains(row)).collect();
        let Some(column) = label.filter(|_| !of_group.is_empty()) else { continue };
        labels.push(
            trace(&of_group)
                .mode(Mode::MarkersText)
                .text_array(of_group.iter().map(|&row| column.label(row, 24)).collect())
                .text_position(Position::TopCenter)
                .hover_info(HoverInfo::Skip)
                // These marks are invisible: they keep the text off the marks below.
                .marker(Marker::new().size_array(sizes(&of_group)).opacity(0.0))
                .show_legend(false),
        );
    }
    traces.extend(labels);
    let axis = |name: &str| {
        let scaled = if features.is_some() { ", scaled" } else { "" };
        let title = marks(settings.get(name).unwrap_or_default(), SHOWN);
        Axis::new().title(Title::with_text(format!("{title}{scaled}")))
    };
    let drawn = rows.len() - left_out;
    let note = note_of(drawn, left_out, [called.len(), small.len()], [features.is_some(), size.is_some()]);
    let layout = layout(settings.get("color")).x_axis(axis("x")).y_axis(axis("y").auto_margin(true));
    let part = Part::drawing(rows, note, traces, layout);
    Ok(part.with_tooltip(rows, settings.columns("tooltip", rows)))
}

/// The note below the map; `called` of the `small` marks have a label.
fn note_of(
    drawn: usize,
    left_out: usize,
    [called, small]: [usize; 2],
    [is_scaled, has_size]: [bool; 2],
) -> String {
    let mut note = vec![format!(
        "One mark for each of {}, at the {} of its features.",
        count(drawn, "row"),
        if is_scaled { "scaled values" } else { "values" }
    )];
    if has_size {
        note.push("The area of a mark grows with the logarithm of its size.".to_string());
    }
    if small > called {
        note.push(format!(
            "Labels are of the {called} smallest of {} small marks, where they don't cover each other.",
            thousands(small)
        ));
    }
    if left_out > 0 {
        note.push(format!("Not drawn: {} without a place.", count(left_out, "row")));
    }
    note.join(" ")
}

/// The diameter of a mark in pixels: 7 for 1 event, 34 for 5,000 events.
fn diameter(events: f64) -> usize {
    (49.0 + 90.0 * events.log2()).sqrt().round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_grows_with_the_logarithm_of_the_size() {
        assert_eq!([1.0, 2.0, 70.0, 5000.0].map(diameter), [7, 12, 25, 34]);
        let area = |events: f64| (diameter(events) as f64).powi(2);
        assert!((area(1e6) - area(1e3) - (area(1e9) - area(1e6))).abs() < 100.0);
    }
}
