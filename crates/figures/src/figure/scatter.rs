//! The map of clusters: one mark per row, where its features put it.
//!
//! Labels are a trace of their own, elements of the page also where many marks are drawn by the graphics card's interface:
//! plotly.js 3.0.1 fails to draw text there (<https://github.com/plotly/plotly.js/issues/7353>).

use std::collections::{BTreeMap, HashSet};

use plotly::Scatter;
use plotly::common::{ExponentFormat, HoverInfo, Line, Marker, Mode, Position, Title};
use plotly::layout::Axis;

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MANY, MAX_GROUPS, too_many_values};
use crate::options::{
    NUMBERS, Need, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, TOOLTIP, option,
};
use crate::page::Part;
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::style::{OPACITY, color, layout, symbol};
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
        option("label", OPTIONAL_NAMES, "What the largest marks and small ones are called"),
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
        option(
            "scale",
            Need::OneOf(&SCALES),
            "The scale of both axes at first; otherwise linear. The page offers all of them",
        ),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)?])
    }
}

/// The scales of axes: numbers as they are, logarithms, or ranks.
const SCALES: [&str; 3] = ["linear", "log", "quantile"];

/// The most small marks that have a label: more labels hide each other.
const LABELS: usize = 40;

/// The largest marks, which have a label, too.
const LARGEST: usize = 5;

/// The marks that are farthest from the middle, which have a label whatever their size, and how far they have to be: in widths of
/// the middle half of all marks.
const FARTHEST: usize = 5;
const ODD: f64 = 4.0;

/// Marks of this size and more are not small, unless the option `cut_off` says otherwise.
const CUT_OFF: f64 = 4.0;

pub(crate) fn draw(rows: &Rows, settings: &Settings) -> Result<Part, PlotError> {
    let [size, label, group] = ["size", "label", "color"].map(|name| settings.column(name, rows));
    let features = settings.columns("scaled_by", rows);
    let [x, y] = ["x", "y"].map(|name| places(settings.column(name, rows), features.as_deref(), rows.len()));
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
    let middle = [Middle::of(&x), Middle::of(&y)];
    let far = |row: usize| middle[0].distance(x[row]) + middle[1].distance(y[row]);
    let large: Vec<usize> =
        groups.values().flatten().copied().filter(|row| label.is_some() && !is_small(row)).collect();
    let called = called(&small, &large, weight, far);
    let [large_called, small_called] = [large.len().min(LARGEST), small.len().min(LABELS)];
    let many = rows.len() > MANY;
    let mut group_of = vec![usize::MAX; rows.len()];
    for (at, members) in groups.values().enumerate() {
        for &row in members {
            group_of[row] = at;
        }
    }
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
                        .opacity(OPACITY)
                        .line(Line::new().width(1.0).color("rgba(127,127,127,0.9)")),
                )
                .show_legend(group.is_some()),
        );
        let of_group: Vec<usize> = called.iter().copied().filter(|row| group_of[*row] == at).collect();
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
    let axis = |name: &str, of: &[Option<f64>]| {
        let scaled = if features.is_some() { ", scaled" } else { "" };
        let title = marks(settings.get(name).unwrap_or_default(), SHOWN);
        let axis = Axis::new().title(Title::with_text(format!("{title}{scaled}")));
        // Thousands and not "2k"; tiny numbers keep their powers of ten.
        if of.iter().flatten().any(|value| value.abs() >= 1000.0) {
            axis.separate_thousands(true).exponent_format(ExponentFormat::None)
        } else {
            axis
        }
    };
    let drawn = rows.len() - left_out;
    let mut note = note_of(
        drawn,
        left_out,
        [large_called, small_called, small.len()],
        [features.is_some(), size.is_some()],
    );
    if middle.iter().any(Middle::is_squeezed) {
        note.push_str(" Most marks lie close together, since few are far away: logarithmic axes or axes by rank spread them.");
    }
    let layout = layout(settings.get("color")).x_axis(axis("x", &x)).y_axis(axis("y", &y).auto_margin(true));
    let part = Part::drawing(rows, note, traces, layout)
        .with_scale(settings.word("scale", &SCALES).unwrap_or("linear"));
    Ok(part.with_tooltip(rows, settings.columns("tooltip", rows)))
}

/// The values of an axis, divided by the length of each row's vector of features, if there are some.
fn places(column: Option<&Column>, features: Option<&[&Column]>, rows: usize) -> Vec<Option<f64>> {
    let length = |row: usize| -> Option<f64> {
        let Some(features) = features else { return Some(1.0) };
        let squares = features.iter().map(|column| column.number(row).map(|number| number * number));
        // A row of zeros stays where it is, as in dbcluster.
        squares.sum::<Option<f64>>().map(|sum| if sum == 0.0 { 1.0 } else { sum.sqrt() })
    };
    (0..rows).map(|row| Some(column?.number(row)? / length(row)?)).collect()
}

/// The marks that have a label: the largest first, then those that are farthest from the middle, then the smallest, and of equals
/// the farthest. Where labels would lie on each other, the page shows the first one.
fn called(
    small: &[usize],
    large: &[usize],
    weight: impl Fn(usize) -> f64,
    far: impl Fn(usize) -> f64,
) -> Vec<usize> {
    let mut smallest = small.to_vec();
    smallest
        .sort_by(|&a, &b| weight(a).total_cmp(&weight(b)).then(far(b).total_cmp(&far(a))).then(a.cmp(&b)));
    smallest.truncate(LABELS);
    let mut odd: Vec<usize> = small.iter().chain(large).copied().filter(|&row| far(row) >= ODD).collect();
    odd.sort_by(|&a, &b| far(b).total_cmp(&far(a)).then(a.cmp(&b)));
    odd.truncate(FARTHEST);
    let mut largest = large.to_vec();
    largest.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)).then(a.cmp(&b)));
    largest.truncate(LARGEST);
    let mut known = HashSet::new();
    largest.into_iter().chain(odd).chain(smallest).filter(|row| known.insert(*row)).collect()
}

/// The middle of the values of an axis, and the width of their middle half.
struct Middle {
    median: f64,
    half: f64,
    /// From the first to the last.
    whole: f64,
    /// From the first to the last of the inner nine tenths.
    most: f64,
}

impl Middle {
    fn of(values: &[Option<f64>]) -> Self {
        let mut values: Vec<f64> = values.iter().copied().flatten().collect();
        values.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = (values.len().saturating_sub(1) as f64 * part).round() as usize;
            values.get(place).copied().unwrap_or(0.0)
        };
        Self {
            median: at(0.5),
            half: at(0.75) - at(0.25),
            whole: at(1.0) - at(0.0),
            most: at(0.95) - at(0.05),
        }
    }

    /// The distance of a value from the middle, in widths of the middle half.
    fn distance(&self, value: Option<f64>) -> f64 {
        let away = (value.unwrap_or(self.median) - self.median).abs();
        // Where more than half of the values are equal, any other one is far.
        let unit = if self.half > 0.0 { self.half } else { self.whole * 0.05 };
        if unit > 0.0 { away / unit } else { 0.0 }
    }

    /// Whether nine tenths of the values lie within a sixth of the axis.
    fn is_squeezed(&self) -> bool {
        self.whole > 0.0 && self.most < self.whole / 6.0
    }
}

/// The note above the map; `large` of the largest and `called` of the `small` marks have a label.
fn note_of(
    drawn: usize,
    left_out: usize,
    [large, called, small]: [usize; 3],
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
    if large + called > 0 {
        let of_small = match small {
            0 => String::new(),
            _ if small > called => format!("{called} of {} small ones", thousands(small)),
            _ => format!("the {called} small ones"),
        };
        let of_large = if large > 0 { format!("the {large} largest marks") } else { String::new() };
        let both: Vec<String> = [of_large, "those far from all others".to_string(), of_small]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect();
        note.push(format!("Labels are of {}, where they don't cover each other.", both.join(", ")));
    }
    if left_out > 0 {
        note.push(format!("Not drawn: {} without a place.", count(left_out, "row")));
    }
    note.join(" ")
}

/// The diameter of a mark in pixels: 7 for 1 event, 34 for 5,000 events.
pub(crate) fn diameter(events: f64) -> usize {
    (49.0 + 90.0 * events.log2()).sqrt().round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_mark_squeezes_the_rest() {
        let mut values: Vec<Option<f64>> = (0..100).map(|value| Some(f64::from(value))).collect();
        assert!(!Middle::of(&values).is_squeezed());
        values.extend([Some(5000.0), None]);
        let middle = Middle::of(&values);
        assert!(middle.is_squeezed() && middle.distance(Some(5000.0)) > 50.0);
        assert!(Middle::of(&[Some(2.0); 3]).distance(Some(2.0)).abs() < f64::EPSILON);
        assert!(!Middle::of(&[]).is_squeezed());
    }

    #[test]
    fn area_grows_with_the_logarithm_of_the_size() {
        assert_eq!([1.0, 2.0, 70.0, 5000.0].map(diameter), [7, 12, 25, 34]);
        let area = |events: f64| (diameter(events) as f64).powi(2);
        assert!((area(1e6) - area(1e3) - (area(1e9) - area(1e6))).abs() < 100.0);
    }
}
