//! One bar per row, in the order of the rows: cluster sizes by process, above all.

use plotly::Bar;
use plotly::common::{HoverInfo, Marker, TextPosition, Title};
use plotly::layout::Axis;

use super::rows::Rows;
use super::settings::Settings;
use super::text::{SHOWN, count, marks};
use super::{Drawing, color, layout};

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Drawing {
    let (x, y) = (settings.get("x").unwrap_or_default(), settings.get("y").unwrap_or_default());
    // A place for each row and not for each name: two clusters of one process are two bars.
    let places: Vec<f64> = (0..rows.len()).map(|row| row as f64).collect();
    let lengths = (0..rows.len()).map(|row| rows.column(y)?.number(row)).collect::<Vec<_>>();
    let names: Vec<String> = (0..rows.len())
        .map(|row| rows.column(x).map_or_else(String::new, |column| column.short_label(row, 32)))
        .collect();
    let bars = Bar::new(places.clone(), lengths.clone())
        .ids((0..rows.len()).map(|row| row.to_string()).collect())
        .hover_text_array((0..rows.len()).map(|row| rows.tooltip(row)).collect())
        .hover_info(HoverInfo::Text)
        .text_array(
            (0..rows.len())
                .map(|row| rows.column(y).map_or_else(String::new, |column| column.short_label(row, 12)))
                .collect(),
        )
        .text_position(TextPosition::Outside)
        .marker(Marker::new().color(color(0)))
        .show_legend(false);
    let x_axis = Axis::new()
        .title(Title::with_text(marks(x, SHOWN)))
        .tick_values(places)
        .tick_text(names)
        .tick_angle(-45.0)
        .auto_margin(true)
        .show_grid(false);
    // Room for the numbers above the longest bar.
    let longest = lengths.iter().flatten().copied().fold(0.0, f64::max);
    let shortest = lengths.iter().flatten().copied().fold(0.0, f64::min);
    let y_axis = Axis::new()
        .range(vec![shortest * 1.1, longest * 1.1])
        .title(Title::with_text(marks(y, SHOWN)))
        .auto_margin(true);
    Drawing {
        traces: vec![bars],
        layout: layout(None).x_axis(x_axis).y_axis(y_axis),
        note: format!("One bar for each of {}, in their order.", count(rows.len(), "row")),
    }
}
