//! One box per category: how much a feature varies within a process.
//!
//! Quartiles are interpolated linearly between the values, as numpy and seaborn do; a row of weight n counts as n equal
//! values. So a `GROUP BY` of millions of events draws the same boxes as the events themselves.

use std::collections::BTreeMap;

use plotly::Scatter;
use plotly::common::{AxisSide, HoverInfo, Marker, Mode, Title};
use plotly::layout::{Axis, Margin};

use super::page::Part;
use super::rows::{Column, Rows};
use super::settings::Settings;
use super::text::{SHOWN, count, marks};
use super::traces::{Boxes, Quartiles};
use super::{color, layout, symbol};

/// The height of one category, so that 60 of them can be read.
const ROW_HEIGHT: usize = 22;

/// What a category needs more for each further colour.
const LANE_HEIGHT: usize = 8;

/// The part of a category's height that its boxes fill.
const FILLED: f64 = 0.7;

/// A value, how many events have it, and its row.
type Weighted = (f64, f64, usize);

/// The values of a category by colour. NULL comes last, as in the engine's order.
type Categories = BTreeMap<(bool, Option<String>), BTreeMap<Option<String>, Vec<Weighted>>>;

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Part {
    draw_rows(rows, settings, |_| true)
}

/// Boxes of the rows that `is_drawn` says.
pub(super) fn draw_rows(rows: &Rows, settings: &Settings, is_drawn: impl Fn(usize) -> bool) -> Part {
    let (values, categories) = (settings.column("x", rows), settings.column("y", rows));
    let (colors, weights) = (settings.column("color", rows), settings.column("weight", rows));
    let value_of =
        |column: Option<&Column>, row: usize| column.and_then(|column| column.text(row)).map(String::from);
    let mut boxes = Categories::new();
    let mut left_out = 0;
    for row in (0..rows.len()).filter(|&row| is_drawn(row)) {
        let weight = weights.map_or(Some(1.0), |column| column.number(row).filter(|weight| *weight >= 1.0));
        match (values.and_then(|column| column.number(row)), weight) {
            (Some(value), Some(weight)) => {
                let category = value_of(categories, row);
                let of_category = boxes.entry((category.is_none(), category)).or_default();
                of_category.entry(value_of(colors, row)).or_default().push((value, weight, row));
            }
            _ => left_out += 1,
        }
    }
    let mut groups: Vec<Option<String>> = boxes.values().flat_map(BTreeMap::keys).cloned().collect();
    groups.sort();
    groups.dedup();
    let width = FILLED / groups.len().max(1) as f64;
    let shown =
        |text: Option<&String>, limit| text.map_or_else(|| "(NULL)".to_string(), |text| marks(text, limit));
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    for (at, group) in groups.iter().enumerate() {
        // Each group has its lane, so that colour is not needed.
        let lane = (at as f64 - (groups.len() as f64 - 1.0) / 2.0) * width;
        let of_group = boxes.values_mut().enumerate();
        let lanes = of_group.filter_map(|(place, of)| Some((place as f64 + lane, of.get_mut(group)?)));
        let marker = Marker::new().color(color(at)).size(6).symbol(symbol(at));
        traces.extend(lane_traces(&shown(group.as_ref(), SHOWN), lanes, width, &marker, colors.is_some()));
    }
    let names: Vec<String> = boxes.keys().map(|(_, name)| shown(name.as_ref(), 48)).collect();
    let places: Vec<f64> = (0..names.len()).map(|place| place as f64).collect();
    let x_axis = Axis::new()
        .title(Title::with_text(marks(settings.get("x").unwrap_or_default(), SHOWN)))
        // Seen without scrolling down, however many categories there are.
        .side(AxisSide::Top);
    let y_axis = Axis::new()
        // The first category at the top.
        .range(vec![names.len() as f64 - 0.4, -0.6])
        .tick_values(places)
        .tick_text(names.clone())
        .zero_line(false)
        .auto_margin(true);
    let height = 120 + (ROW_HEIGHT + LANE_HEIGHT * (groups.len().clamp(1, 6) - 1)) * names.len();
    let skipped = match left_out {
        0 => String::new(),
        left_out => format!(" Not drawn: {} without a value.", count(left_out, "row")),
    };
    let lanes = match colors {
        Some(_) => {
            let lanes: Vec<&str> = groups.iter().map(|group| group.as_deref().unwrap_or("(NULL)")).collect();
            format!(
                "From the top, each row has the lanes {}. ",
                lanes.iter().take(6).copied().collect::<Vec<_>>().join(", ")
            )
        }
        None => String::new(),
    };
    let note = format!(
        "{lanes}Each box spans the middle half of its values, the line in it is their median, the whiskers reach to the last value \
         within 1.5 times the box, dots are beyond. {}, sorted by name.{skipped}",
        match names.len() {
            1 => "1 category".to_string(),
            categories => format!("{categories} categories"),
        }
    );
    let layout = layout(settings.get("color"))
        .x_axis(x_axis)
        .y_axis(y_axis)
        .height(height.max(320))
        .margin(Margin::new().left(24).right(24).top(76).bottom(16));
    Part::drawing(rows, note, traces, layout)
}

/// The boxes of one colour, and the dots beyond them.
fn lane_traces<'a>(
    name: &str,
    members: impl Iterator<Item = (f64, &'a mut Vec<Weighted>)>,
    width: f64,
    marker: &Marker,
    has_legend: bool,
) -> Vec<Box<dyn plotly::Trace>> {
    let (mut boxes, mut values, mut places, mut ids) = (vec![], vec![], vec![], vec![]);
    for (y, members) in members {
        members.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(quartiles) = quartiles(members) else { continue };
        boxes.push((y, quartiles));
        let within = quartiles.lower_fence..=quartiles.upper_fence;
        for (value, _, row) in members.iter().filter(|(value, ..)| !within.contains(value)) {
            values.push(*value);
            places.push(y);
            ids.push(row.to_string());
        }
    }
    let mut traces: Vec<Box<dyn plotly::Trace>> =
        vec![Boxes::new(name, &boxes, width * 0.9, marker.clone(), has_legend)];
    if !values.is_empty() {
        traces.push(
            Scatter::new(values, places)
                .name(name)
                .legend_group(name)
                .mode(Mode::Markers)
                .ids(ids)
                .hover_info(HoverInfo::None)
                .marker(marker.clone().opacity(0.7))
                .show_legend(false),
        );
    }
    traces
}

/// Of values in ascending order.
fn quartiles(members: &[Weighted]) -> Option<Quartiles> {
    let total: f64 = members.iter().map(|(_, weight, _)| weight).sum();
    // The value at a rank, counting from 0 and each row as often as its weight says.
    let at = |rank: f64| {
        let mut before = 0.0;
        let found = members.iter().find(|(_, weight, _)| {
            before += weight;
            rank < before
        });
        found.or(members.last()).map(|(value, ..)| *value)
    };
    let quantile = |part: f64| {
        let rank = part * (total - 1.0);
        let (low, high) = (at(rank.floor())?, at(rank.ceil())?);
        Some(low + (high - low) * rank.fract())
    };
    let (q1, median, q3) = (quantile(0.25)?, quantile(0.5)?, quantile(0.75)?);
    let reach = 1.5 * (q3 - q1);
    let first = members.iter().map(|member| member.0).find(|value| *value >= q1 - reach)?;
    let last = members.iter().rev().map(|member| member.0).find(|value| *value <= q3 + reach)?;
    Some(Quartiles { q1, median, q3, lower_fence: first.min(q1), upper_fence: last.max(q3) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By numpy 2: `np.percentile([1, 2, 2, 3, 5, 8, 40], [25, 50, 75])` is 2, 3, 6.5.
    #[test]
    fn quartiles_are_numpys_and_weights_count() {
        let rows = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 40.0].map(|value| (value, 1.0, 0));
        let expected = Quartiles { q1: 2.0, median: 3.0, q3: 6.5, lower_fence: 1.0, upper_fence: 8.0 };
        assert_eq!(quartiles(&rows), Some(expected));
        let weighted = [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0), (5.0, 1.0), (8.0, 1.0), (40.0, 1.0)];
        assert_eq!(quartiles(&weighted.map(|(value, weight)| (value, weight, 0))), Some(expected));
        assert_eq!(quartiles(&[]), None);
    }
}
