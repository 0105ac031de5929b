//! One box per category: how much a feature varies within a process.
//!
//! Quartiles are interpolated linearly between the values, as numpy and seaborn do; a row of weight n counts as n equal
//! values. So a `GROUP BY` of millions of events draws the same boxes as the events themselves.

use std::collections::BTreeMap;

use plotly::Scatter;
use plotly::common::{AxisSide, HoverInfo, Marker, Mode, Title};
use plotly::layout::{Axis, Margin};

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MAX_GROUPS, too_many_values};
use crate::options::{NAMES, NUMBERS, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::Part;
use crate::rows::{Column, Rows};
use crate::settings::Settings;
use crate::style::{color, layout, symbol};
use crate::text::{SHOWN, count, marks, number, thousands};
use crate::traces::{Boxes, DrawnBox, Quartiles};

/// The boxes: [`Figure::Box`].
pub(crate) struct BoxFigure;

impl Draw for BoxFigure {
    const NAME: &'static str = "BOX";
    const TITLE: &'static str = "Variability";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NUMBERS, "The values"),
        option("y", NAMES, "The categories: one row of boxes each, sorted"),
        option("color", OPTIONAL_NAMES, "Splits each category by the values of this column"),
        option("weight", OPTIONAL_NUMBERS, "How many events a row stands for"),
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw_rows(rows, settings, |_| true)?])
    }
}

/// The height of one category, so that 60 of them can be read.
const ROW_HEIGHT: usize = 22;

/// The height that each further colour adds to a category.
const LANE_HEIGHT: usize = 8;

/// The part of a category's height that its boxes fill.
const FILLED: f64 = 0.7;

/// A value, how many events have it, and its row.
type Weighted = (f64, f64, usize);

/// The value of a column. NULL comes last, as in the engine's order.
type Name = (bool, Option<String>);

/// The values of a category by colour.
type Categories = BTreeMap<Name, BTreeMap<Name, Vec<Weighted>>>;

/// A value as people read it.
fn shown((_, name): &Name) -> &str {
    name.as_deref().unwrap_or("(NULL)")
}

/// Boxes of the rows for which `is_drawn` is true.
pub(crate) fn draw_rows(
    rows: &Rows,
    settings: &Settings,
    is_drawn: impl Fn(usize) -> bool,
) -> Result<Part, PlotError> {
    let (values, categories) = (settings.column("x", rows), settings.column("y", rows));
    let (colors, weights) = (settings.column("color", rows), settings.column("weight", rows));
    let name_of = |column: Option<&Column>, row: usize| -> Name {
        let name = column.and_then(|column| column.text(row)).map(String::from);
        (name.is_none(), name)
    };
    let option = |name: &str| settings.get(name).unwrap_or_default().to_string();
    let mut boxes = Categories::new();
    let mut left_out = 0;
    for row in (0..rows.len()).filter(|&row| is_drawn(row)) {
        let weight = weights.map_or(Some(1.0), |column| column.number(row).filter(|weight| *weight >= 1.0));
        match (values.and_then(|column| column.number(row)), weight) {
            (Some(value), Some(weight)) => {
                let of_category = boxes.entry(name_of(categories, row)).or_default();
                of_category.entry(name_of(colors, row)).or_default().push((value, weight, row));
            }
            _ => left_out += 1,
        }
    }
    if boxes.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Box, "categories", MAX_GROUPS, "y", boxes.len()));
    }
    let names: Vec<String> = boxes.keys().map(|name| marks(shown(name), 48)).collect();
    // By colour, each with the places of its boxes.
    let mut groups: BTreeMap<Name, Vec<Members>> = BTreeMap::new();
    for (place, (category, of_category)) in boxes.into_iter().enumerate() {
        for (group, values) in of_category {
            let mut tooltip = vec![(option("y"), shown(&category).to_string())];
            if colors.is_some() {
                tooltip.push((option("color"), shown(&group).to_string()));
            }
            groups.entry(group).or_default().push(Members { place: place as f64, values, tooltip });
        }
    }
    if groups.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Box, "colours", MAX_GROUPS, "color", groups.len()));
    }
    let lanes = match colors {
        Some(_) => {
            let lanes: Vec<&str> = groups.keys().take(6).map(shown).collect();
            format!("From the top, each row has the lanes {}. ", lanes.join(", "))
        }
        None => String::new(),
    };
    let lane_count = groups.len().max(1);
    let width = FILLED / lane_count as f64;
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    for (at, (group, mut of_group)) in groups.into_iter().enumerate() {
        // Each group has its lane, so that colour is not needed.
        let lane = (at as f64 - (lane_count as f64 - 1.0) / 2.0) * width;
        for members in &mut of_group {
            members.place += lane;
        }
        let marker = Marker::new().color(color(at)).size(6).symbol(symbol(at));
        traces.extend(lane_traces(&marks(shown(&group), SHOWN), of_group, width, &marker, colors.is_some()));
    }
    let places: Vec<f64> = (0..names.len()).map(|place| place as f64).collect();
    let x_axis = Axis::new()
        .title(Title::with_text(marks(settings.get("x").unwrap_or_default(), SHOWN)))
        // The axis is at the top, where it is seen without scrolling, however many categories there are.
        .side(AxisSide::Top);
    let y_axis = Axis::new()
        // The first category at the top.
        .range(vec![names.len() as f64 - 0.4, -0.6])
        .tick_values(places)
        .tick_text(names.clone())
        .zero_line(false)
        .auto_margin(true);
    let height = 120 + (ROW_HEIGHT + LANE_HEIGHT * (lane_count.min(6) - 1)) * names.len();
    let skipped = match left_out {
        0 => String::new(),
        left_out => format!(" Not drawn: {} without a value.", count(left_out, "row")),
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
    Ok(Part::drawing(rows, note, traces, layout))
}

/// The values of one box.
struct Members {
    /// Where the box lies on the y axis.
    place: f64,
    values: Vec<Weighted>,
    /// The text of the tooltip before the numbers.
    tooltip: Vec<(String, String)>,
}

/// The boxes of one colour, and the dots beyond them.
fn lane_traces(
    name: &str,
    members: Vec<Members>,
    width: f64,
    marker: &Marker,
    has_legend: bool,
) -> Vec<Box<dyn plotly::Trace>> {
    let (mut boxes, mut values, mut places, mut ids) = (vec![], vec![], vec![], vec![]);
    for Members { place, values: mut members, mut tooltip } in members {
        members.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(quartiles) = quartiles(&members) else { continue };
        let within = quartiles.lower_fence..=quartiles.upper_fence;
        for (value, _, row) in members.iter().filter(|(value, ..)| !within.contains(value)) {
            values.push(*value);
            places.push(place);
            ids.push(row.to_string());
        }
        let events: f64 = members.iter().map(|(_, weight, _)| weight).sum();
        tooltip.push(("events".to_string(), thousands(events as usize)));
        let numbers = [
            ("minimum", quartiles.minimum),
            ("first quartile", quartiles.q1),
            ("median", quartiles.median),
            ("third quartile", quartiles.q3),
            ("maximum", quartiles.maximum),
        ];
        tooltip.extend(numbers.map(|(name, value)| (name.to_string(), number(value))));
        boxes.push(DrawnBox { y: place, quartiles, tooltip });
    }
    let mut traces: Vec<Box<dyn plotly::Trace>> =
        vec![Boxes::new(name, boxes, width * 0.9, marker.clone(), has_legend)];
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
    let (minimum, maximum) = (members.first()?.0, members.last()?.0);
    Some(Quartiles {
        minimum,
        maximum,
        q1,
        median,
        q3,
        lower_fence: first.min(q1),
        upper_fence: last.max(q3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By numpy 2: `np.percentile([1, 2, 2, 3, 5, 8, 40], [25, 50, 75])` is 2, 3, 6.5.
    #[test]
    fn quartiles_are_numpys_and_weights_count() {
        let rows = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 40.0].map(|value| (value, 1.0, 0));
        let expected = Quartiles {
            minimum: 1.0,
            maximum: 40.0,
            q1: 2.0,
            median: 3.0,
            q3: 6.5,
            lower_fence: 1.0,
            upper_fence: 8.0,
        };
        assert_eq!(quartiles(&rows), Some(expected));
        let weighted = [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0), (5.0, 1.0), (8.0, 1.0), (40.0, 1.0)];
        assert_eq!(quartiles(&weighted.map(|(value, weight)| (value, weight, 0))), Some(expected));
        assert_eq!(quartiles(&[]), None);
    }
}
