//! Numbers over time: lines, bars or areas, a series for each value of a column.

use std::collections::BTreeMap;

use plotly::Trace;
use plotly::common::Title;
use plotly::layout::{Axis, Margin};
use serde_json::json;

use crate::error::PlotError;
use crate::figure::time_axis::{
    TimeAxis, event_references, legend, placed_references, references_note, whole_range,
};
use crate::figure::{Draw, Figure, MANY, MAX_GROUPS, too_many_values};
use crate::options::{
    NUMBERS, Need, OPTIONAL_NAMES, OptionSpec, QUERY, REF_TIMES, TIMES, TITLE, TOOLTIP, option,
};
use crate::page::Part;
use crate::rows::Rows;
use crate::settings::Settings;
use crate::style::{OPACITY, color, symbol};
use crate::text::{SHOWN, count, marks};
use crate::times::Zone;
use crate::traces::Drawn;

/// The values: [`Figure::Values`].
pub(crate) struct ValuesFigure;

/// The ways to draw a series.
const KINDS: [&str; 3] = ["lines", "bars", "areas"];

/// The height of the area for values, in pixels.
const HEIGHT: usize = 320;

/// Lines of more points have no marks.
const MARKED: usize = 500;

impl Draw for ValuesFigure {
    const NAME: &'static str = "VALUES";
    const TITLE: &'static str = "Values over time";
    const OPTIONS: &'static [OptionSpec] = &[
        option("time", TIMES, "When"),
        option("y", NUMBERS, "The value at that time"),
        option(
            "series",
            OPTIONAL_NAMES,
            "Gives each value of this column a line of its own, its colour and its symbol",
        ),
        option("kind", Need::OneOf(&KINDS), "How each series is drawn; otherwise lines"),
        option(
            "ref_event",
            OPTIONAL_NAMES,
            "Rows where this column is not NULL become a line from top to bottom, with its value as label",
        ),
        REF_TIMES,
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)?])
    }
}

/// A value at its time, and its row.
type Point = (f64, f64, usize);

fn draw(rows: &Rows, settings: &Settings) -> Result<Part, PlotError> {
    let [time, y, series] = ["time", "y", "series"].map(|name| settings.column(name, rows));
    let zone = Zone::of(time);
    let mut references = settings.references("ref_times");
    references.extend(event_references(rows, settings));
    let references = placed_references(references, zone)?;
    let mut all: BTreeMap<(bool, Option<&str>), Vec<Point>> = BTreeMap::new();
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut drawn = 0;
    for row in 0..rows.len() {
        let at = time.and_then(|time| time.number(row)).map(|time| zone.shifted(time));
        let (Some(at), Some(value)) = (at, y.and_then(|y| y.number(row))) else { continue };
        (first, last) = (first.min(at), last.max(at));
        drawn += 1;
        let name = series.and_then(|series| series.text(row));
        all.entry((name.is_none(), name)).or_default().push((at, value, row));
    }
    if all.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Values, "series", MAX_GROUPS, "series", all.len()));
    }
    let kind = settings.word("kind", &KINDS).unwrap_or("lines");
    let many = rows.len() > MANY;
    let width = (kind == "bars").then(|| bar_width(all.values(), last - first));
    let traces: Vec<Box<dyn Trace>> = all
        .into_iter()
        .enumerate()
        .map(|(at, ((_, name), mut points))| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
            let name = match (series, name) {
                (None, _) => "values".to_string(),
                (_, Some(name)) => marks(name, SHOWN),
                (_, None) => "(NULL)".to_string(),
            };
            let mut trace = json!({
                "name": name,
                "x": points.iter().map(|point| point.0).collect::<Vec<_>>(),
                "y": points.iter().map(|point| point.1).collect::<Vec<_>>(),
                "ids": points.iter().map(|point| point.2.to_string()).collect::<Vec<_>>(),
                "hoverinfo": "none",
                "marker": { "color": color(at), "opacity": OPACITY },
                "showlegend": series.is_some(),
            });
            if let Some(width) = width {
                trace["type"] = "bar".into();
                trace["width"] = width.into();
                return Drawn::boxed(trace);
            }
            // A line is one element, whatever its number of values. The graphics card's interface takes far longer for lines where there
            // is no card, and fills no areas.
            let is_marked = points.len() <= MARKED;
            trace["type"] = if many && is_marked && kind == "lines" { "scattergl" } else { "scatter" }.into();
            trace["mode"] = if is_marked { "lines+markers" } else { "lines" }.into();
            trace["line"] = json!({ "color": color(at), "width": 2 });
            trace["marker"]["size"] = 6.into();
            trace["marker"]["symbol"] = json!(symbol(at));
            if kind == "areas" {
                trace["fill"] = "tozeroy".into();
            }
            Drawn::boxed(trace)
        })
        .collect();
    let traces_len = traces.len();
    let axis = TimeAxis {
        name: settings.get("time").unwrap_or_default(),
        zone,
        range: whole_range(first, last, &references),
        references: &references,
        has_slider: true,
        strip: None,
    };
    let y_axis = Axis::new()
        .title(Title::with_text(marks(settings.get("y").unwrap_or_default(), SHOWN)))
        .auto_margin(true);
    let layout = axis
        .layout(y_axis, HEIGHT)
        .margin(Margin::new().left(60).right(24).top(40).bottom(60))
        .legend(legend(settings));
    let mut note = vec![format!(
        "{} over time, {} as {kind}.",
        count(drawn, "value"),
        settings.get("y").unwrap_or_default()
    )];
    if kind == "bars" && traces_len > 1 {
        note.push("Bars of the same time stand on each other.".to_string());
    }
    note.extend(references_note(&references));
    if drawn < rows.len() {
        note.push(format!("Not drawn: {} without a time or a value.", count(rows.len() - drawn, "row")));
    }
    Ok(Part::drawing(rows, note.join(" "), traces, layout)
        .with_references(&references)
        .with_tooltip(rows, settings.columns("tooltip", rows)))
}

/// The width of bars in milliseconds: the shortest distance of two times, and at least a five hundredth of all.
fn bar_width<'a>(series: impl Iterator<Item = &'a Vec<Point>>, whole: f64) -> f64 {
    let mut times: Vec<f64> = series.flatten().map(|point| point.0).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let shortest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let least = (whole / 500.0).max(1.0);
    if shortest.is_finite() { (shortest * 0.9).max(least) } else { 1000.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_wide_as_their_distance() {
        let points = |times: &[f64]| times.iter().map(|time| (*time, 1.0, 0)).collect::<Vec<Point>>();
        let width = |times: &[f64], whole| bar_width([points(times)].iter(), whole).round() as i64;
        assert_eq!(width(&[0.0, 100.0, 300.0], 300.0), 90);
        assert_eq!(width(&[0.0, 1.0, 500_000.0], 500_000.0), 1000);
        assert_eq!(width(&[5.0], 0.0), 1000);
    }
}
