//! The picture of one partition: clusters, noise and the largest share above each other, over the logarithm of eps.

use plotly::common::{
    Anchor, DashType, ExponentFormat, Font, HoverInfo, Line, LineShape, Marker, Mode, Title,
};
use plotly::layout::{
    Annotation, Axis, AxisType, HoverMode, Margin, Shape, ShapeLayer, ShapeLine, ShapeType, SpikeMode,
};
use plotly::{Layout, Scatter, Trace};

use crate::figure::curve::eps::{Partition, Step};
use crate::settings::Settings;
use crate::style::{color, layout, symbol};
use crate::text::{SHOWN, marks};

/// The heights of a picture that stands alone and of one among others, in pixels.
const HEIGHT: usize = 600;
const PANEL_HEIGHT: usize = 480;

/// The height of a line of labels in pixels.
const LABEL: usize = 19;

/// The height of the drawing script's buttons in pixels.
const BUTTONS: usize = 36;

/// Up to here each step has a mark.
const MARKED: usize = 200;

/// The ends of an axis that has a place for every DOUBLE above 0, as logarithms.
const LEAST: f64 = -323.3;
const GREATEST: f64 = 308.25;

/// The names of the three curves.
const NAMES: [&str; 3] = ["clusters", "noise events", "largest share"];

/// The places of the three curves, from the top.
const DOMAINS: [[f64; 2]; 3] = [[0.71, 1.0], [0.355, 0.645], [0.0, 0.29]];

/// The logarithms that the eps axis begins and ends with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    first: f64,
    last: f64,
}

impl Range {
    /// The range of these eps, with room at both ends.
    pub(super) fn of(every_eps: impl Iterator<Item = f64>) -> Self {
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for logarithm in every_eps.map(f64::log10) {
            first = first.min(logarithm);
            last = last.max(logarithm);
        }
        if first > last {
            return Self { first: -1.0, last: 1.0 };
        }
        let room = if first < last { ((last - first) * 0.04).max(0.02) } else { 0.5 };
        Self { first: (first - room).max(LEAST), last: (last + room).min(GREATEST) }
    }

    /// The side of a label at a line, so that all of its digits fit into a narrow picture.
    fn anchor(self, eps: f64) -> Anchor {
        let part = (eps.log10() - self.first) / (self.last - self.first);
        match part {
            ..0.25 => Anchor::Left,
            ..0.6 => Anchor::Center,
            _ => Anchor::Right,
        }
    }
}

/// Draws a partition. `labelled` gives the eps of a row with all of its digits.
pub(super) fn picture<'a>(
    partition: &Partition<'_>,
    auto: Option<usize>,
    labelled: impl Fn(usize) -> &'a str,
    settings: &Settings,
    range: Range,
    is_panel: bool,
) -> (Vec<Box<dyn Trace>>, Layout) {
    let steps = &partition.steps;
    let values: [fn(&Step) -> Option<f64>; 3] = [|step| step.clusters, |step| step.noise, |step| step.share];
    let traces = (0..).zip(values).map(|(at, value)| curve(steps, at, value)).collect();
    let (mut shapes, mut labels) = (vec![], vec![]);
    let auto = auto.and_then(|auto| steps.iter().find(|step| step.row == auto));
    if let Some(auto) = auto
        && let Some(next) = steps.iter().find(|step| step.eps > auto.eps)
    {
        // The band is darker up to the next row, where clusters have become one.
        for (first, last, opacity) in [(auto.eps, next.eps, 0.24), (next.eps, 10_f64.powf(range.last), 0.1)] {
            let band = Shape::new().shape_type(ShapeType::Rect).layer(ShapeLayer::Below).x0(first).x1(last);
            let band = band.y_ref("paper").y0(0.0).y1(1.0).fill_color("#7f7f7f").opacity(opacity);
            shapes.push(band.line(ShapeLine::new().width(0.0)));
        }
        let label = Annotation::new().x_ref("paper").x(1.0).x_anchor(Anchor::Right);
        labels.push(label.text("from here on clusters chain"));
    }
    let auto = auto.map(|auto| {
        (auto.eps, format!("auto {}", marks(labelled(auto.row), SHOWN)), color(6), DashType::Solid)
    });
    let chosen = settings.number("eps").filter(|eps| *eps > 0.0);
    let chosen = chosen.map(|eps| {
        (eps, format!("eps {}", settings.get("eps").unwrap_or_default().trim()), "#7f7f7f", DashType::Dash)
    });
    for (eps, text, color, dash) in auto.into_iter().chain(chosen) {
        let line = Shape::new().shape_type(ShapeType::Line).x0(eps).x1(eps).y_ref("paper").y0(0.0).y1(1.0);
        shapes.push(line.line(ShapeLine::new().color(color).width(1.5).dash(dash)));
        // Labels on a logarithmic axis are placed by the logarithm, lines are not.
        labels.push(Annotation::new().x(eps.log10()).x_anchor(range.anchor(eps)).text(text));
    }
    // Each has a line of its own, so that they don't cover each other.
    let lines = labels.len();
    let labels = labels.into_iter().enumerate().map(|(at, label)| {
        let label = label.y_ref("paper").y(1.0).y_anchor(Anchor::Bottom).y_shift((at * LABEL) as f64);
        label.show_arrow(false).font(Font::new().size(12))
    });
    let height = if is_panel { PANEL_HEIGHT } else { HEIGHT };
    let layout = layout(None)
        .height(height)
        .hover_mode(HoverMode::X)
        .hover_distance(-1)
        .spike_distance(-1)
        .margin(Margin::new().left(24).right(24).top(BUTTONS + lines * LABEL).bottom(72))
        .x_axis(eps_axis(range))
        .y_axis(value_axis(steps, 0, values[0]))
        .y_axis2(value_axis(steps, 1, values[1]))
        .y_axis3(value_axis(steps, 2, values[2]).dtick(if is_panel { 0.5 } else { 0.25 }))
        .shapes(shapes)
        .annotations(labels.collect());
    (traces, layout)
}

/// One curve, which keeps the value of an eps up to the next one.
fn curve(steps: &[Step], at: usize, value: fn(&Step) -> Option<f64>) -> Box<dyn Trace> {
    let mode = if steps.len() > MARKED { Mode::Lines } else { Mode::LinesMarkers };
    let axis = ["y", "y2", "y3"].into_iter().nth(at).unwrap_or("y");
    Scatter::new(steps.iter().map(|step| step.eps).collect(), steps.iter().map(value).collect::<Vec<_>>())
        .name(NAMES.into_iter().nth(at).unwrap_or_default())
        .mode(mode)
        .ids(steps.iter().map(|step| step.row.to_string()).collect())
        .hover_info(HoverInfo::None)
        .marker(Marker::new().size(6).color(color(at)).symbol(symbol(at)))
        .line(Line::new().width(2.0).color(color(at)).shape(LineShape::Hv))
        .y_axis(axis)
        .show_legend(false)
}

fn eps_axis(range: Range) -> Axis {
    Axis::new()
        .type_(AxisType::Log)
        .title(Title::with_text("eps, on a logarithmic scale").font(Font::new().size(13)))
        .range(vec![range.first, range.last])
        .anchor("y3")
        // More of them don't fit into a narrow picture.
        .n_ticks(4)
        .exponent_format(ExponentFormat::SmallE)
        .show_spikes(true)
        .spike_mode(SpikeMode::Across)
        .spike_dash(DashType::Dot)
        .spike_thickness(1)
        .spike_color("#7f7f7f")
}

/// The axis of one curve, from 0.
fn value_axis(steps: &[Step], at: usize, value: fn(&Step) -> Option<f64>) -> Axis {
    let axis = Axis::new()
        .title(Title::with_text(NAMES.into_iter().nth(at).unwrap_or_default()).font(Font::new().size(13)))
        .domain(&DOMAINS.into_iter().nth(at).unwrap_or_default())
        .fixed_range(true)
        .zero_line(false)
        .auto_margin(true)
        .tick0(0.0);
    let greatest = steps.iter().filter_map(value).fold(0.0, f64::max);
    let axis = match at {
        2 => return axis.range(vec![-0.05, 1.05]).tick_format(".0%"),
        _ if greatest < 100_000.0 => axis.tick_format(",d"),
        _ => axis.tick_format("~s"),
    };
    let top = greatest.max(1.0);
    axis.range(vec![-0.05 * top, 1.08 * top]).dtick(tick_distance(top))
}

/// The distance of about four ticks up to here: 1, 2 or 5 times a power of ten, and at least 1.
fn tick_distance(top: f64) -> f64 {
    let power = 10_f64.powf((top / 4.0).log10().floor());
    let distance =
        [1.0, 2.0, 5.0].into_iter().map(|times| times * power).find(|distance| *distance >= top / 4.0);
    distance.unwrap_or(10.0 * power).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_has_room_and_ends_where_doubles_end() {
        assert_eq!(Range::of([0.01].into_iter()), Range { first: -2.5, last: -1.5 });
        let Range { first, last } = Range::of([1e-4, 1.0].into_iter());
        assert!((first + 4.16).abs() < 1e-9 && (last - 0.16).abs() < 1e-9, "{first} {last}");
        let widest = Range::of([f64::from_bits(1), f64::MAX].into_iter());
        assert_eq!(widest, Range { first: LEAST, last: GREATEST });
        assert!(10_f64.powf(widest.first) > 0.0 && 10_f64.powf(widest.last).is_finite());
        assert_eq!(Range::of(std::iter::empty()), Range { first: -1.0, last: 1.0 });
    }

    #[test]
    fn ticks_are_few_and_whole() {
        for (top, distance) in [(1.0, 1.0), (4.0, 1.0), (5.0, 2.0), (33.0, 10.0), (127.0, 50.0), (9e18, 5e18)]
        {
            assert_eq!(Some(tick_distance(top)), Some(distance), "{top}");
        }
    }
}
