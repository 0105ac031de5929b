//! The axis of time that timelines, values over time and densities share: its range, its zone, the lines at events, the strip of
//! events over time above the marks.

use plotly::common::{Anchor, DashType, Font, Title};
use plotly::layout::{
    Annotation, Axis, AxisType, BarMode, Legend, Margin, RangeSelector, RangeSlider, SelectorButton,
    SelectorStep, Shape, ShapeLine, ShapeType, StepMode,
};
use plotly::{Layout, Trace};
use serde_json::json;

use crate::error::PlotError;
use crate::rows::Rows;
use crate::settings::{Reference, Settings};
use crate::style::{LINE_AT_EVENT, color, layout};
use crate::text::{SHOWN, count, marks, thousands, width};
use crate::times::{self, SPANS, Zone};
use crate::traces::Drawn;

/// The heights of the time axis with its title and its range selector, and of the range slider, in pixels.
const SHARED_HEIGHT: usize = 124;
const SLIDER_HEIGHT: usize = 66;
const SLIDER: usize = 34;

/// The height of the strip of events over time, and of the gap below it.
const STRIP_HEIGHT: usize = 72;
const STRIP_GAP: usize = 8;

/// The most lines through all groups.
const MAX_REFERENCES: usize = 200;

/// The most lines with their labels beside them; more have numbers there, and a list below the figure.
pub(crate) const MOST_LABELS: usize = 10;

/// Labels of lines lie at this many heights in turn.
const LABEL_LINES: usize = 3;
const LABEL_HEIGHT: usize = 16;

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
        Some(Reference { time: time?.number(row)?, is_utc: true, label: label.to_string() })
    };
    (0..rows.len()).filter_map(reference).collect()
}

/// References by their time on an axis of this zone.
///
/// # Errors
/// More of them than can be told apart.
pub(crate) fn placed_references(
    mut references: Vec<Reference>,
    zone: Zone,
) -> Result<Vec<Reference>, PlotError> {
    check_references(&references)?;
    for reference in references.iter_mut().filter(|reference| reference.is_utc) {
        reference.time = zone.shifted(reference.time);
        reference.is_utc = false;
    }
    references.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(references)
}

/// # Errors
/// More of them than can be told apart.
pub(crate) fn check_references(references: &[Reference]) -> Result<(), PlotError> {
    if references.len() > MAX_REFERENCES {
        return Err(PlotError(format!(
            "TIMELINE draws up to {MAX_REFERENCES} lines of ref_event and ref_times, got {}; let ref_event be NULL on other \
             rows",
            references.len()
        )));
    }
    Ok(())
}

/// The sentence of a note about the lines.
pub(crate) fn references_note(references: &[Reference]) -> Option<String> {
    let below =
        if references.len() > MOST_LABELS { ", numbered as in the list below the figure" } else { "" };
    (!references.is_empty()).then(|| {
        let lines = count(references.len(), "reference");
        format!("Dashed: {lines}{below}. A click on one shows five minutes on each side.")
    })
}

/// The figures that an axis of time is made for.
pub(crate) struct TimeAxis<'a> {
    /// The column of the times.
    pub(crate) name: &'a str,
    pub(crate) zone: Zone,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) references: &'a [Reference],
    pub(crate) has_slider: bool,
    /// The most events in a span of the strip; `None` without a strip.
    pub(crate) strip: Option<u64>,
}

impl TimeAxis<'_> {
    /// The layout of rows of marks with these names.
    pub(crate) fn rows(&self, names: &[String]) -> Layout {
        let height = height_of(names.len());
        // Labels lie above the first group.
        let above = self.labels() as f64 * names.len().max(1) as f64 / height as f64;
        let y_axis = Axis::new()
            .range(vec![names.len() as f64 - 0.3, -0.7 - above])
            .tick_values((0..names.len()).map(|place| place as f64).collect())
            .tick_text(names.to_vec())
            .fixed_range(true)
            .zero_line(false);
        self.layout(y_axis, height)
    }

    fn labels(&self) -> usize {
        self.references.len().min(LABEL_LINES) * LABEL_HEIGHT
    }

    /// The layout with this axis beside it, and an area of this height for marks.
    pub(crate) fn layout(&self, y_axis: Axis, height: usize) -> Layout {
        let area = height + self.labels();
        let strip = if self.strip.is_some() { STRIP_HEIGHT + STRIP_GAP } else { 0 };
        let plot = (area + strip) as f64;
        let title = marks(&format!("{} ({})", self.name, self.zone.name()), SHOWN);
        let mut x_axis = Axis::new()
            .type_(AxisType::Date)
            .title(Title::with_text(title).font(Font::new().size(13)))
            .range_selector(self.selector());
        if let Some((first, last)) = self.range {
            x_axis = x_axis.range(vec![first, last]);
        }
        if self.has_slider {
            let slider = RangeSlider::new().visible(true).thickness(SLIDER as f64 / plot);
            x_axis = x_axis.range_slider(match self.range {
                Some((first, last)) => slider.range(vec![first, last]),
                None => slider,
            });
        }
        let top = area as f64 / plot;
        let lines = |reference: &Reference| {
            Shape::new()
                .shape_type(ShapeType::Line)
                .x0(reference.time)
                .x1(reference.time)
                .y_ref("paper")
                .y0(0.0)
                .y1(1.0)
                .line(ShapeLine::new().color(LINE_AT_EVENT).width(1.5).dash(DashType::Dash))
        };
        let label = |(at, reference): (usize, &Reference)| {
            // On the side where there is room.
            let is_right =
                self.range.is_some_and(|(first, last)| (reference.time - first) / (last - first) > 0.75);
            Annotation::new()
                .x(reference.time)
                .x_anchor(if is_right { Anchor::Right } else { Anchor::Left })
                .y_ref("paper")
                .y(top)
                .y_anchor(Anchor::Top)
                .y_shift(-((at % LABEL_LINES * LABEL_HEIGHT) as f64))
                .text(if self.references.len() > MOST_LABELS {
                    (at + 1).to_string()
                } else {
                    marks(&reference.label, 40)
                })
                .font(Font::new().size(12).color(LINE_AT_EVENT))
                .show_arrow(false)
        };
        let slider = if self.has_slider { SLIDER_HEIGHT } else { 0 };
        let mut layout = layout(None)
            .bar_mode(BarMode::Stack)
            .bar_gap(0.0)
            .x_axis(x_axis)
            .y_axis(y_axis.domain(&[0.0, top]))
            .height(SHARED_HEIGHT + area + strip + slider)
            .shapes(self.references.iter().map(lines).collect())
            .annotations(self.references.iter().enumerate().map(label).collect());
        if let Some(most) = self.strip {
            let most = most.max(1);
            layout = layout.y_axis2(
                Axis::new()
                    .domain(&[(area + STRIP_GAP) as f64 / plot, 1.0])
                    .range(vec![0.0, most as f64 * 1.08])
                    .tick_values(vec![most as f64])
                    .tick_text(vec![thousands(most as usize)])
                    .fixed_range(true)
                    .zero_line(true)
                    .show_grid(false),
            );
        }
        layout
    }

    /// Buttons for times shorter than the whole one.
    fn selector(&self) -> RangeSelector {
        let back = |label: &str, step: SelectorStep, count: usize| {
            SelectorButton::new().label(label).step(step).step_mode(StepMode::Backward).count(count)
        };
        let minute = 60_000.0;
        let whole = self.range.map_or(f64::INFINITY, |(first, last)| last - first);
        let mut buttons: Vec<SelectorButton> = [
            (minute, back("1 min", SelectorStep::Minute, 1)),
            (10.0 * minute, back("10 min", SelectorStep::Minute, 10)),
            (60.0 * minute, back("1 h", SelectorStep::Hour, 1)),
            (1440.0 * minute, back("1 d", SelectorStep::Day, 1)),
            (7.0 * 1440.0 * minute, back("7 d", SelectorStep::Day, 7)),
        ]
        .into_iter()
        .filter(|(length, _)| *length < whole)
        .map(|(_, button)| button)
        .collect();
        buttons.push(SelectorButton::new().label("all").step(SelectorStep::All));
        RangeSelector::new().y(1.0).y_anchor(Anchor::Bottom).buttons(buttons)
    }
}

/// Room for names beside the marks. The same for all panels, so that equal times lie below each other.
pub(crate) fn margin<'a>(names: impl IntoIterator<Item = &'a String>) -> Margin {
    let longest = names.into_iter().map(|name| width(name)).max().unwrap_or(0);
    Margin::new().left(28 + longest.max(4) * 8).right(24).top(40).bottom(60)
}

/// The legend's title; the page makes the legend.
pub(crate) fn legend(settings: &Settings) -> Legend {
    Legend::new().title(Title::with_text(marks(settings.get("series").unwrap_or_default(), SHOWN)))
}

/// About the height of a timeline of this many groups.
pub(crate) fn height_of_panel(groups: usize) -> usize {
    SHARED_HEIGHT + height_of(groups)
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

/// About the number of spans in a strip.
const SPANS_OF_STRIP: f64 = 120.0;

/// The most series that a strip tells apart; the others are one.
const SERIES_OF_STRIP: usize = 20;

/// Events counted by span of time.
pub(crate) struct Strip {
    /// The length of a span in milliseconds.
    width: f64,
}

impl Strip {
    /// The strip of a range.
    pub(crate) fn new(range: Option<(f64, f64)>) -> Option<Self> {
        let (first, last) = range?;
        let shortest = (last - first) / SPANS_OF_STRIP;
        let width = SPANS.into_iter().map(|seconds| seconds as f64 * 1000.0).find(|width| *width >= shortest);
        // Times of many years have spans of as many months as it takes.
        Some(Self { width: width.unwrap_or_else(|| (shortest / 2.592e9).ceil() * 2.592e9) })
    }

    /// Counts the times of each series. Returns the bars and the most events in one span.
    pub(crate) fn draw(&self, series: &[(String, Vec<f64>)]) -> (Vec<Box<dyn Trace>>, u64) {
        let mut totals = std::collections::BTreeMap::<i64, u64>::new();
        let mut by_series: Vec<(String, usize, std::collections::BTreeMap<i64, u64>)> = vec![];
        for (at, (name, times)) in series.iter().enumerate() {
            if at <= SERIES_OF_STRIP {
                let name = if at == SERIES_OF_STRIP { "others".to_string() } else { name.clone() };
                by_series.push((name, at, std::collections::BTreeMap::new()));
            }
            let Some((_, _, spans)) = by_series.last_mut() else { continue };
            for time in times {
                let span = (time / self.width).floor() as i64;
                *spans.entry(span).or_default() += 1;
                *totals.entry(span).or_default() += 1;
            }
        }
        let most = totals.values().copied().max().unwrap_or(0);
        let traces = by_series.into_iter().map(|(name, at, spans)| {
            let middle = |span: &i64| (*span as f64 + 0.5) * self.width;
            let tooltip = |(span, events): (&i64, &u64)| {
                let from = times::text(*span as f64 * self.width);
                let to = times::text((*span as f64 + 1.0) * self.width);
                let mut lines = vec![("from", from), ("before", to)];
                if series.len() > 1 {
                    lines.push(("series", name.clone()));
                }
                lines.push(("events", thousands(*events as usize)));
                lines
            };
            Drawn::boxed(json!({
                "type": "bar",
                "name": name,
                "x": spans.keys().map(middle).collect::<Vec<_>>(),
                "y": spans.values().collect::<Vec<_>>(),
                "width": self.width,
                "yaxis": "y2",
                "marker": { "color": color(at) },
                "customdata": spans.iter().map(tooltip).collect::<Vec<_>>(),
                "hoverinfo": "none",
                "showlegend": false,
            }))
        });
        (traces.collect(), most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_in_one_span_of_a_readable_length() {
        let strip = Strip::new(Some((0.0, 3_600_000.0))).expect("a strip");
        assert!((strip.width - 30_000.0).abs() < f64::EPSILON);
        let times: Vec<f64> = (0..1000).map(|at| f64::from(at) * 3600.0).chain([15_000.0; 172]).collect();
        let (traces, most) = strip.draw(&[("a".to_string(), times), ("b".to_string(), vec![15_001.0])]);
        let drawn: Vec<serde_json::Value> =
            traces.iter().map(|trace| serde_json::from_str(&trace.to_json()).expect("JSON")).collect();
        let sum = |of: &serde_json::Value| -> u64 {
            of["y"].as_array().expect("numbers").iter().filter_map(serde_json::Value::as_u64).sum()
        };
        assert_eq!((drawn.len(), sum(&drawn[0]), sum(&drawn[1]), most), (2, 1172, 1, 182));
        let said = drawn[0]["customdata"][0].to_string();
        assert!(said.contains("1970-01-01 00:00:30") && said.contains("181"), "{said}");
        assert!(Strip::new(None).is_none());
        let years = Strip::new(Some((0.0, 1e14))).expect("a strip");
        assert!(1e14 / years.width <= SPANS_OF_STRIP);
    }
}
