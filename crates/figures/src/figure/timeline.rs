//! Events in time: one mark per row at its time, or two with a line between them; a row of marks for each group, a timeline for each
//! panel, and above the marks how many events there are over time.

use std::collections::{BTreeMap, BTreeSet};

use plotly::Trace;
use serde_json::{Value, json};

use crate::error::PlotError;
use crate::figure::scatter::diameter;
use crate::figure::time_axis::{
    Strip, TimeAxis, event_references, height_of_panel, legend, margin, placed_references, references_note,
    whole_range,
};
use crate::figure::{Draw, Figure, MANY, MAX_GROUPS, too_many_values};
use crate::options::{
    Need, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OPTIONAL_TIMES, OptionSpec, QUERY, REF_TIMES, TIMES, TITLE,
    TOOLTIP, option,
};
use crate::page::{Body, Part};
use crate::rows::{Column, Rows};
use crate::settings::{Reference, Settings};
use crate::style::{OPACITY, color, symbol};
use crate::text::{SHOWN, count, marks, shortened};
use crate::times::Zone;
use crate::traces::Drawn;

/// The timelines: [`Figure::Timeline`].
pub(crate) struct TimelineFigure;

/// The orders of rows of marks.
const ORDERS: [&str; 3] = ["name", "count", "first"];

impl Draw for TimelineFigure {
    const NAME: &'static str = "TIMELINE";
    const TITLE: &'static str = "Timeline";
    const OPTIONS: &'static [OptionSpec] = &[
        option("time", TIMES, "When"),
        option(
            "end",
            OPTIONAL_TIMES,
            "Until when: each row is a line from `time` to here with a mark at both ends",
        ),
        option(
            "group_by",
            OPTIONAL_NAMES,
            "One row of marks for each value of this column; NULL has its own",
        ),
        option(
            "order",
            Need::OneOf(&ORDERS),
            "The order of these rows: by name, by their number of marks, or by their first mark; otherwise by name, and with `end` by \
             the first mark",
        ),
        option(
            "series",
            OPTIONAL_NAMES,
            "Gives each value of this column its colour, symbol and place in the legend",
        ),
        option(
            "size",
            OPTIONAL_NUMBERS,
            "How many events a mark stands for: its area, on a logarithmic scale",
        ),
        option(
            "color",
            OPTIONAL_NUMBERS,
            "Colours marks by this column, with a scale beside them; symbols still tell series",
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
        REF_TIMES,
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        draw(rows, settings)
    }
}

/// The most timelines on one page.
const MAX_PANELS: usize = 50;

/// The height of a small screen's window, in pixels.
const SCREEN: usize = 700;

/// Up to this number, marks are seen without counting them.
const FEW: usize = 12;

/// The diameter of a mark without a size, in pixels.
const MARK: usize = 9;

/// One row: its place on the y axis, and its two times, which are one without the option `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    row: usize,
    y: f64,
    start: f64,
    end: f64,
    size: Option<f64>,
}

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
    let zone = Zone::of(time).and(Zone::of(end));
    let mut references = settings.references("ref_times");
    references.extend(event_references(rows, settings));
    let references = placed_references(references, zone)?;
    let mut panels: BTreeMap<Name<'_>, Groups<'_>> = BTreeMap::new();
    let mut all_series = BTreeSet::new();
    let (mut left_out, mut first, mut last) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for row in 0..rows.len() {
        let Some(start) = time.and_then(|time| time.number(row)).map(|time| zone.shifted(time)) else {
            left_out += 1;
            continue;
        };
        let until = end.and_then(|end| end.number(row)).map_or(start, |end| zone.shifted(end)).max(start);
        first = first.min(start);
        last = last.max(start).max(until);
        let groups = panels.entry(name_of(panel, row)).or_default();
        // Without groups each series has a row of its own.
        let of_group = groups.entry(name_of(group.or(series), row)).or_default();
        let series = name_of(series, row);
        all_series.insert(series);
        of_group.entry(series).or_default().push(Span {
            row,
            y: 0.0,
            start,
            end: until,
            size: settings.column("size", rows).map(|size| size.number(row).unwrap_or(1.0).max(1.0)),
        });
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
    let scale = Scale::of(rows, settings);
    let panel_count = panels.len();
    let mut note = note_of(rows.len() - left_out, left_out, settings, &references, panel_count);
    let mut parts = vec![];
    let names_of = |groups: &Ordered<'_>| -> Vec<String> {
        let name =
            |name: &Name<'_>| if group.or(series).is_some() { shown(name, 40) } else { "events".to_string() };
        groups.iter().map(|(of, _)| name(of)).collect()
    };
    let order = settings.word("order", &ORDERS).unwrap_or(if end.is_some() { "first" } else { "name" });
    let mut panels: Vec<(Name<'_>, Ordered<'_>)> =
        panels.into_iter().map(|(name, groups)| (name, ordered(groups, order))).collect();
    // A few rare marks would be out of sight below a panel of many rows.
    if panels.iter().map(|(_, groups)| height_of_panel(groups.len())).sum::<usize>() > SCREEN {
        panels.sort_by_key(|(_, groups)| groups.len());
    }
    let all_names: Vec<String> = panels.iter().flat_map(|(_, groups)| names_of(groups)).collect();
    for (at, (panel_name, groups)) in panels.iter().enumerate() {
        let mut traces = traces(groups, &all_series, settings, scale.as_ref(), rows.len() > MANY);
        let strip = Strip::new(range).filter(|_| of_panel(groups) > FEW);
        let strip =
            strip.map(|strip| strip.draw(&times_of(groups, &all_series))).filter(|(_, most)| *most > 2);
        let most = strip.as_ref().map(|(_, most)| *most);
        traces.extend(strip.into_iter().flat_map(|(bars, _)| bars));
        let axis = TimeAxis {
            name: settings.get("time").unwrap_or_default(),
            zone,
            range,
            references: &references,
            has_slider: at + 1 == panel_count,
            strip: most,
        };
        let mut margin = margin(&all_names);
        if scale.is_some() {
            margin = margin.right(90);
        }
        let layout = axis.rows(&names_of(groups)).margin(margin).legend(legend(settings));
        let heading = if panel.is_some() { panel_name.1.unwrap_or("(NULL)") } else { "" };
        let heading = shortened(heading, SHOWN);
        let body = Body::Drawing { traces, layout: Box::new(layout), linked: panel_count > 1 };
        // The note stands above the first panel only.
        let part = Part::new(rows, std::mem::take(&mut note), body).with_heading(heading);
        let part = part.with_references(&references);
        parts.push(part.with_tooltip(rows, settings.columns("tooltip", rows)));
    }
    Ok(parts)
}

/// The rows of a timeline in the order in which they are drawn.
type Ordered<'a> = Vec<(Name<'a>, BTreeMap<Name<'a>, Vec<Span>>)>;

fn ordered<'a>(groups: Groups<'a>, order: &str) -> Ordered<'a> {
    let mut groups: Ordered<'a> = groups.into_iter().collect();
    let spans = |of: &BTreeMap<Name<'a>, Vec<Span>>| of.values().map(Vec::len).sum::<usize>();
    let first = |of: &BTreeMap<Name<'a>, Vec<Span>>| {
        of.values().flatten().map(|span| span.start).fold(f64::INFINITY, f64::min)
    };
    match order {
        "count" => groups.sort_by_key(|(_, of)| std::cmp::Reverse(spans(of))),
        "first" => groups.sort_by(|a, b| first(&a.1).total_cmp(&first(&b.1))),
        _ => {}
    }
    groups
}

/// The number of marks of a panel.
fn of_panel(groups: &Ordered<'_>) -> usize {
    groups.iter().flat_map(|(_, of)| of.values()).map(Vec::len).sum()
}

/// The times of each series.
fn times_of(groups: &Ordered<'_>, all_series: &[Name<'_>]) -> Vec<(String, Vec<f64>)> {
    let of_series = |series: &Name<'_>| {
        let spans = groups.iter().filter_map(|(_, of)| of.get(series)).flatten();
        let name = if all_series.len() > 1 { shown(series, SHOWN) } else { "events".to_string() };
        (name, spans.map(|span| span.start).collect())
    };
    all_series.iter().map(of_series).collect()
}

/// The numbers of the option `color`.
struct Scale<'a> {
    column: &'a Column,
    least: f64,
    greatest: f64,
}

impl<'a> Scale<'a> {
    fn of(rows: &'a Rows, settings: &Settings) -> Option<Self> {
        let column = settings.column("color", rows)?;
        let numbers = || (0..rows.len()).filter_map(|row| column.number(row));
        let (least, greatest) =
            (numbers().fold(f64::INFINITY, f64::min), numbers().fold(f64::NEG_INFINITY, f64::max));
        Some(Self { column, least, greatest })
    }

    /// The marker with the colours of these rows; the page has the colours of the scale.
    fn color(&self, marker: &mut Value, rows: &[usize], has_bar: bool) {
        marker["color"] = rows.iter().map(|&row| self.column.number(row)).collect();
        marker["cmin"] = json!(self.least);
        marker["cmax"] = json!(self.greatest);
        if has_bar {
            marker["showscale"] = true.into();
            marker["colorbar"] = json!({
                "title": { "text": marks(&self.column.name, 24), "font": { "size": 12 } },
                "thickness": 12,
                "outlinewidth": 0,
                "len": 0.9,
            });
        }
    }
}

type Traces = Vec<Box<dyn Trace>>;

/// The marks of one timeline, series by series.
fn traces(
    groups: &Ordered<'_>,
    all_series: &[Name<'_>],
    settings: &Settings,
    scale: Option<&Scale<'_>>,
    many: bool,
) -> Traces {
    let [has_ends, are_groups, are_series] =
        ["end", "group_by", "series"].map(|name| settings.get(name).is_some());
    let sizes = |spans: &[Span]| -> Value {
        spans.iter().map(|span| span.size.map_or(MARK, diameter)).collect::<Vec<_>>().into()
    };
    // Beside each other, so that none hides another one.
    let lanes = if are_groups { all_series.len().max(1) as f64 } else { 1.0 };
    let mut by_series: BTreeMap<Name<'_>, Vec<Span>> = BTreeMap::new();
    for (place, (_, of_group)) in groups.iter().enumerate() {
        for (series, spans) in of_group {
            let placed = spans.iter().map(|span| Span { y: place as f64, ..*span });
            by_series.entry(*series).or_default().extend(placed);
        }
    }
    let kind = if many { "scattergl" } else { "scatter" };
    let (mut between, mut traces) = (Traces::new(), Traces::new());
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
        let marker = |spans: &[Span], has_bar: bool| {
            let mut marker =
                json!({ "color": color(at), "opacity": OPACITY, "symbol": symbol(at), "size": MARK });
            if settings.get("size").is_some() {
                marker["size"] = sizes(spans);
            }
            if let Some(scale) = scale {
                scale.color(&mut marker, &spans.iter().map(|span| span.row).collect::<Vec<_>>(), has_bar);
            }
            marker
        };
        let mut of_marks = |spans: &[Span], times: Vec<f64>, rows: &str, has_legend: bool| {
            let has_bar = scale.is_some() && traces.is_empty();
            traces.push(Drawn::boxed(json!({
                "type": kind,
                "mode": "markers",
                "name": name,
                "x": times,
                "y": spans.iter().map(|span| span.y).collect::<Vec<_>>(),
                rows: spans.iter().map(|span| span.row.to_string()).collect::<Vec<_>>(),
                "hoverinfo": "none",
                "marker": marker(spans, has_bar),
                "showlegend": has_legend,
            })));
        };
        of_marks(&spans, spans.iter().map(|span| span.start).collect(), "ids", are_series);
        if has_ends {
            let long: Vec<Span> = spans.into_iter().filter(|span| span.end > span.start).collect();
            of_marks(&long, long.iter().map(|span| span.end).collect(), "rows", false);
            between.push(Drawn::boxed(json!({
                "type": kind,
                "mode": "lines",
                "name": name,
                "x": long.iter().flat_map(|span| [Some(span.start), Some(span.end), None]).collect::<Vec<_>>(),
                "y": long.iter().flat_map(|span| [Some(span.y), Some(span.y), None]).collect::<Vec<_>>(),
                "hoverinfo": "skip",
                "line": { "color": color(at), "width": 1.5 },
                "opacity": OPACITY,
                "showlegend": false,
            })));
        }
    }
    // Lines lie below the marks at their ends.
    between.extend(traces);
    between
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
        Some(end) => format!(
            "A mark at both ends of each of {drawn}, {time} and {end}, and a line between them, which does not mean that something \
             happened all the time."
        ),
        None => format!("One mark for each of {drawn}, at its {time}."),
    }];
    if let Some(size) = settings.get("size") {
        note.push(format!("The area of a mark grows with the logarithm of its {size}."));
    }
    if panels > 1 {
        note.push("All timelines show the same time: zoom one, and the others follow.".to_string());
    }
    note.extend(references_note(references));
    if left_out > 0 {
        note.push(format!("Not drawn: {} without a time.", count(left_out, "row")));
    }
    note.join(" ")
}

pub(crate) fn too_many_groups() -> PlotError {
    PlotError(format!(
        "TIMELINE draws up to {MAX_GROUPS} rows of marks, the column of option 'group_by' (or 'series') has more values; \
         filter them, or take a coarser column"
    ))
}
