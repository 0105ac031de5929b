//! One box per category: how much a feature varies within a process.

use std::collections::{BTreeMap, BTreeSet};

use plotly::BoxPlot;
use plotly::box_plot::BoxPoints;
use plotly::common::{HoverInfo, Marker, Orientation, Title};
use plotly::layout::{Axis, AxisType, BoxMode, CategoryOrder};

use super::rows::{Column, Rows};
use super::settings::Settings;
use super::text::{SHOWN, count, marks};
use super::{Drawing, color, layout};

/// The height of one category, so that 60 of them can be read.
const ROW_HEIGHT: usize = 22;

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Drawing {
    let column = |name: &str| settings.get(name).and_then(|name| rows.column(name));
    let (values, categories, colors) = (column("x"), column("y"), column("color"));
    let label = |column: Option<&Column>, row: usize| {
        column.map_or_else(String::new, |column| column.short_label(row, 48))
    };
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut present = BTreeSet::new();
    let mut left_out = 0;
    for row in 0..rows.len() {
        if values.and_then(|column| column.number(row)).is_some() {
            groups.entry(label(colors, row)).or_default().push(row);
            present.insert(label(categories, row));
        } else {
            left_out += 1;
        }
    }
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    for (group, (name, members)) in groups.iter().enumerate() {
        let x: Vec<Option<f64>> =
            members.iter().map(|&row| values.and_then(|column| column.number(row))).collect();
        let y: Vec<String> = members.iter().map(|&row| label(categories, row)).collect();
        traces.push(
            BoxPlot::new_xy(x, y)
                .name(name)
                .orientation(Orientation::Horizontal)
                .box_points(BoxPoints::Outliers)
                .ids(members.iter().map(ToString::to_string).collect())
                .hover_text_array(members.iter().map(|&row| rows.tooltip(row)).collect())
                .hover_info(HoverInfo::All)
                .marker(Marker::new().color(color(group)).size(4))
                .show_legend(colors.is_some()),
        );
    }
    let height = 120 + ROW_HEIGHT * present.len() * groups.len().clamp(1, 3);
    // The script puts the first category at the bottom.
    let order: Vec<String> = present.into_iter().rev().collect();
    let x_axis = Axis::new().title(Title::with_text(marks(settings.get("x").unwrap_or_default(), SHOWN)));
    let y_axis = Axis::new()
        .type_(AxisType::Category)
        .category_order(CategoryOrder::Array)
        .category_array(order.clone())
        .tick_mode(plotly::common::TickMode::Linear)
        .auto_margin(true);
    let skipped = if left_out == 0 {
        String::new()
    } else {
        format!(" Not drawn: {} without a value.", count(left_out, "row"))
    };
    Drawing {
        traces,
        layout: layout(settings.get("color"))
            .x_axis(x_axis)
            .y_axis(y_axis)
            .box_mode(BoxMode::Group)
            .height(height.max(320)),
        note: format!(
            "Each box spans the middle half of its values, the line in it is their median, the whiskers reach to the last value \
             within 1.5 times the box, dots are beyond. Categories, sorted by name: {}.{skipped}",
            order.len()
        ),
    }
}
