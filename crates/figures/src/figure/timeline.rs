//! Events in time: one mark per row at its time, or a bar until another time; a row of marks for each group, a
//! timeline for each panel.

use std::collections::{BTreeMap, BTreeSet};

use plotly::common::{Anchor, DashType, Font, HoverInfo, Line, Marker, Mode, Orientation, Title};
use plotly::layout::{
    Annotation, Axis, AxisType, BarMode, Legend, Margin, RangeSelector, RangeSlider, SelectorButton,
    SelectorStep, Shape, ShapeLine, ShapeType, StepMode,
};
use plotly::{Layout, Scatter, Trace};

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MANY, MAX_GROUPS, too_many_values};
use crate::options::{
    Need, OPTIONAL_NAMES, OPTIONAL_TIMES, OptionSpec, QUERY, TIMES, TITLE, TOOLTIP, option,
};
use crate::page::{Body, Part};
use crate::rows::{Column, Rows};
use crate::settings::{Reference, Settings};
use crate::style::{color, layout, symbol};
use crate::text::{SHOWN, count, marks};
use crate::traces::{Span, Spans};

/// The timelines: [`Figure::Timeline`].
pub(crate) struct TimelineFigure;

impl Draw for TimelineFigure {
    const NAME: &'static str = "TIMELINE";
    const TITLE: &'static str = "Timeline";
    const OPTIONS: &'static [OptionSpec] = &[
        option("time", TIMES, "When"),
        option("end", OPTIONAL_TIMES, "Until when: each row is a bar from `time` to here"),
        option(
            "group_by",
            OPTIONAL_NAMES,
            "One row of marks for each value of this column, sorted; NULL has its own",
        ),
        option(
            "series",
            OPTIONAL_NAMES,
            "Gives each value of this column its colour, symbol and place in the legend",
        ),
        option(
            "panel",
            OPTIONAL_NAMES,
            "A timeline of its own for each value of this column, with linked times",
        ),
        option(
            "ref_event",
            OPTIONAL_NAMES,
            "Rows where this column is not NULL become a line through all, with its value as label",
        ),
        option(
            "ref_times",
            Need::Times,
            "Lines at these times: `2026-01-15 05:00 first alert; 2026-01-16 patched`",
        ),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        draw(rows, settings)
    }
}

/// The heights of the time axis with its range selector, and of the range slider.
const SHARED_HEIGHT: usize = 106;
const SLIDER_HEIGHT: usize = 90;

/// The most timelines on one page.
const MAX_PANELS: usize = 50;

/// The most lines through all groups.
const MAX_REFERENCES: usize = 200;

/// Labels of lines lie at this many heights in turn.
const LABEL_LINES: usize = 3;
const LABEL_HEIGHT: usize = 16;

/// A value of a column as a name. NULL comes last, as in the engine's order.
type Name<'a> = (bool, Option<&'a str>);

/// The rows of a timeline by group, then by series.
type Groups<'a> = BTreeMap<Name<'a>, BTreeMap<Name<'a>, Vec<Span>>>;

fn name_of(column: Option<&Column>, row: usize) -> Name<'_> {
    let name = column.and_then(|column| column.text(row));
    (name.is_none(), name)
}

fn shown((_, name): &Name<'_>, limit: usize) -> String {
    name.map_or_else(|| "(NULL)".to_string(), |name| marks(name, limit))
}

pub(crate) fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
    let column = |name: &str| settings.column(name, rows);
    let [time, end, panel, group, series] = ["time", "end", "panel", "group_by", "series"].map(column);
    let mut references = settings.references("ref_times");
    references.extend(event_references(rows, settings));
    let references = sorted_references(references)?;
    let mut panels: BTreeMap<Name<'_>, Groups<'_>> = BTreeMap::new();
    let mut all_series = BTreeSet::new();
    let (mut left_out, mut first, mut last) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for row in 0..rows.len() {
        let Some(start) = time.and_then(|time| time.number(row)) else {
            left_out += 1;
            continue;
        };
        let until = end.and_then(|end| end.number(row)).unwrap_or(start);
        first = first.min(start);
        last = last.max(start).max(until);
        let groups = panels.entry(name_of(panel, row)).or_default();
        // Without groups each series has a row of its own.
        let of_group = groups.entry(name_of(group.or(series), row)).or_default();
        let series = name_of(series, row);
        all_series.insert(series);
        of_group.entry(series).or_default().push(Span { row, y: 0.0, start, end: until });
    }
    if panels.values().any(|groups| groups.len() > MAX_GROUPS) {
        return Err(too_many_groups());
    }
    if all_series.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Timeline, "series", MAX_GROUPS, "series", all_series.len()));
    }
    if panels.len() > MAX_PANELS {
        return Err(too_many_values(Figure::Timeline, "panels", MAX_PANELS, "panel", panels.len()));
    }
    if panels.is_empty() {
        panels.insert((true, None), BTreeMap::new());
    }
    let range = whole_range(first, last, &references);
    let all_series: Vec<Name<'_>> = all_series.into_iter().collect();
    let panel_count = panels.len();
    let mut note = note_of(rows.len() - left_out, left_out, settings, &references, panel_count);
    let mut parts = vec![];
    let names_of = |groups: &Groups<'_>| -> Vec<String> {
        let name = |name| if group.or(series).is_some() { shown(name, 40) } else { "events".to_string() };
        groups.keys().map(name).collect()
    };
    let all_names: Vec<String> = panels.values().flat_map(names_of).collect();
    for (at, (panel_name, groups)) in panels.iter().enumerate() {
        let traces = traces(groups, &all_series, settings, rows.len() > MANY);
        let layout = axes(&names_of(groups), &references, range, at + 1 == panel_count)
            .margin(margin(&all_names))
            // Beside the range selector, so that it takes no width from one panel and not from another one.
            .legend(legend(settings));
        let heading = if panel.is_some() { shown(panel_name, SHOWN) } else { String::new() };
        let body = Body::Drawing { traces, layout: Box::new(layout), linked: panel_count > 1 };
        // The note stands above the first panel only.
        let part = Part::new(rows, std::mem::take(&mut note), body).with_heading(heading);
        parts.push(part.with_tooltip(rows, settings.columns("tooltip", rows)));
    }
    Ok(parts)
}

fn legend(settings: &Settings) -> Legend {
    let title = marks(settings.get("series").unwrap_or_default(), SHOWN);
    Legend::new()
        .title(Title::with_text(title))
        .orientation(Orientation::Horizontal)
        .x(1.0)
        .x_anchor(Anchor::Right)
        .y(1.0)
        .y_anchor(Anchor::Bottom)
}

/// The range from the first to the last of two times and all references, with some room at both ends.
pub(crate) fn whole_range(mut first: f64, mut last: f64, references: &[Reference]) -> Option<(f64, f64)> {
    for reference in references {
        first = first.min(reference.time);
        last = last.max(reference.time);
    }
    // A second is the shortest time that an axis shows.
    let around = ((last - first) * 0.02).max(500.0);
    (first <= last).then_some((first - around, last + around))
}

/// The times of the rows that have a label in the column of `ref_event`.
pub(crate) fn event_references(rows: &Rows, settings: &Settings) -> Vec<Reference> {
    let (time, event) = (settings.column("time", rows), settings.column("ref_event", rows));
    let reference = |row: usize| {
        let label = event?.text(row).filter(|_| event.is_some_and(|event| event.is_set(row)))?;
        Some(Reference { time: time?.number(row)?, label: label.to_string() })
    };
    (0..rows.len()).filter_map(reference).collect()
}

/// References by their time.
///
/// # Errors
/// More of them than can be told apart.
pub(crate) fn sorted_references(mut references: Vec<Reference>) -> Result<Vec<Reference>, PlotError> {
    if references.len() > MAX_REFERENCES {
        return Err(PlotError(format!(
            "TIMELINE draws up to {MAX_REFERENCES} lines of ref_event and ref_times, got {}; let ref_event be NULL on other \
             rows",
            references.len()
        )));
    }
    references.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(references)
}

/// The marks or bars of one timeline, series by series.
fn traces(
    groups: &Groups<'_>,
    all_series: &[Name<'_>],
    settings: &Settings,
    many: bool,
) -> Vec<Box<dyn Trace>> {
    let [are_bars, are_groups, are_series] =
        ["end", "group_by", "series"].map(|name| settings.get(name).is_some());
    // Beside each other, so that none hides another one.
    let lanes = if are_groups { all_series.len().max(1) as f64 } else { 1.0 };
    let mut by_series: BTreeMap<Name<'_>, Vec<Span>> = BTreeMap::new();
    for (place, of_group) in groups.values().enumerate() {
        for (series, spans) in of_group {
            let placed = spans.iter().map(|span| Span { y: place as f64, ..*span });
            by_series.entry(*series).or_default().extend(placed);
        }
    }
    let mut traces: Vec<Box<dyn Trace>> = vec![];
    // The same colour for a series on all panels.
    for (at, series) in all_series.iter().enumerate() {
        let Some(mut spans) = by_series.remove(series) else { continue };
        if are_groups {
            let offset = ((at as f64 + 0.5) / lanes - 0.5) * 0.5;
            for span in &mut spans {
                span.y += offset;
            }
        }
        let name = if are_series { shown(series, SHOWN) } else { "events".to_string() };
        let marker = Marker::new().color(color(at)).opacity(0.7);
        traces.push(if are_bars {
            let marker = marker.line(Line::new().width(2.0).color(color(at)));
            Spans::new(&name, &spans, 0.6 / lanes, marker, are_series)
        } else {
            let (times, places): (Vec<f64>, Vec<f64>) = spans.iter().map(|span| (span.start, span.y)).unzip();
            Scatter::new(times, places)
                .web_gl_mode(many)
                .name(&name)
                .mode(Mode::Markers)
                .ids(spans.iter().map(|span| span.row.to_string()).collect())
                .hover_info(HoverInfo::None)
                .marker(marker.size(9).symbol(symbol(at)))
                .show_legend(are_series)
        });
    }
    traces
}

fn note_of(
    drawn: usize,
    left_out: usize,
    settings: &Settings,
    references: &[Reference],
    panels: usize,
) -> String {
    let (drawn, time) = (count(drawn, "row"), settings.get("time").unwrap_or_default());
    let mut note = vec![match settings.get("end") {
        Some(end) => format!("One bar for each of {drawn}, from its {time} to its {end}."),
        None => format!("One mark for each of {drawn}, at its {time}."),
    }];
    if panels > 1 {
        note.push("All timelines show the same time: zoom one, and the others follow.".to_string());
    }
    note.extend(references_note(references));
    if left_out > 0 {
        note.push(format!("Not drawn: {} without a time.", count(left_out, "row")));
    }
    note.join(" ")
}

/// The sentence of a note about the lines.
pub(crate) fn references_note(references: &[Reference]) -> Option<String> {
    (!references.is_empty()).then(|| format!("Dashed: {}.", count(references.len(), "reference")))
}

/// Axes, lines through all groups, and the height.
pub(crate) fn axes(
    names: &[String],
    references: &[Reference],
    range: Option<(f64, f64)>,
    slider: bool,
) -> Layout {
    let mut x_axis = Axis::new().type_(AxisType::Date).range_selector(range_selector());
    if let Some((first, last)) = range {
        x_axis = x_axis.range(vec![first, last]);
    }
    if slider {
        x_axis = x_axis.range_slider(range_slider(range));
    }
    // Labels lie above the first group.
    let labels = references.len().min(LABEL_LINES) * LABEL_HEIGHT;
    let height = height_of(names.len());
    let above = labels as f64 * names.len().max(1) as f64 / height as f64;
    let y_axis = Axis::new()
        .range(vec![names.len() as f64 - 0.5, -0.5 - above])
        .tick_values((0..names.len()).map(|place| place as f64).collect())
        .tick_text(names.to_vec())
        .fixed_range(true)
        .zero_line(false);
    let lines = |reference: &Reference| {
        Shape::new()
            .shape_type(ShapeType::Line)
            .x0(reference.time)
            .x1(reference.time)
            .y_ref("paper")
            .y0(0.0)
            .y1(1.0)
            .line(ShapeLine::new().color("#d55e00").width(1.5).dash(DashType::Dash))
    };
    let label = |(at, reference): (usize, &Reference)| {
        // On the side where there is room.
        let is_right = range.is_some_and(|(first, last)| (reference.time - first) / (last - first) > 0.75);
        Annotation::new()
            .x(reference.time)
            .x_anchor(if is_right { Anchor::Right } else { Anchor::Left })
            .y_ref("paper")
            .y(1.0)
            .y_anchor(Anchor::Top)
            .y_shift(-((at % LABEL_LINES * LABEL_HEIGHT) as f64))
            .text(marks(&reference.label, 40))
            .font(Font::new().size(12).color("#d55e00"))
            .show_arrow(false)
    };
    layout(None)
        .bar_mode(BarMode::Overlay)
        .x_axis(x_axis)
        .y_axis(y_axis)
        .height(SHARED_HEIGHT + labels + height + if slider { SLIDER_HEIGHT } else { 0 })
        .shapes(references.iter().map(lines).collect())
        .annotations(references.iter().enumerate().map(label).collect())
}

/// Room for names beside the marks. The same for all panels, so that equal times lie below each other.
pub(crate) fn margin<'a>(names: impl IntoIterator<Item = &'a String>) -> Margin {
    let longest = names.into_iter().map(|name| name.chars().count()).max().unwrap_or(0);
    Margin::new().left(28 + longest * 8).right(24).top(56).bottom(44)
}

/// The height of this many groups: less for each when there are many.
fn height_of(groups: usize) -> usize {
    let each = match groups {
        0..=2 => 60,
        3..=60 => 28,
        _ => 18,
    };
    each * groups.max(1)
}

pub(crate) fn too_many_groups() -> PlotError {
    PlotError(format!(
        "TIMELINE draws up to {MAX_GROUPS} rows of marks, the column of option 'group_by' (or 'series') has more values; \
         filter them, or take a coarser column"
    ))
}

fn range_selector() -> RangeSelector {
    let back = |label: &str, step: SelectorStep, count: usize| {
        SelectorButton::new().label(label).step(step).step_mode(StepMode::Backward).count(count)
    };
    RangeSelector::new().y(1.0).y_anchor(Anchor::Bottom).buttons(vec![
        back("1 min", SelectorStep::Minute, 1),
        back("10 min", SelectorStep::Minute, 10),
        back("1 h", SelectorStep::Hour, 1),
        back("1 d", SelectorStep::Day, 1),
        back("7 d", SelectorStep::Day, 7),
        SelectorButton::new().label("all").step(SelectorStep::All),
    ])
}

/// The range slider; `range` is the whole time.
fn range_slider(range: Option<(f64, f64)>) -> RangeSlider {
    let slider = RangeSlider::new().visible(true).thickness(0.1);
    match range {
        Some((first, last)) => slider.range(vec![first, last]),
        None => slider,
    }
}
