//! The map of clusters: one mark per row, where its features put it.

use std::collections::BTreeMap;

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Marker, Mode, Position, Title};
use plotly::layout::Axis;

use super::rows::Rows;
use super::settings::Settings;
use super::text::{SHOWN, count, marks};
use super::{Drawing, color, layout, symbol};

/// At most so many marks are called by their label: more of them hide each other.
const LABELS: usize = 40;

/// From here on a mark is no small one, and has no label.
const SMALL: f64 = 4.0;

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Drawing {
    let column = |name: &str| settings.get(name).and_then(|name| rows.column(name));
    let (x, y, size, label, group) =
        (column("x"), column("y"), column("size"), column("label"), column("color"));
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut left_out = 0;
    for row in 0..rows.len() {
        if x.and_then(|column| column.number(row)).and(y.and_then(|column| column.number(row))).is_some() {
            let name = group.map_or_else(String::new, |column| column.label(row));
            groups.entry(name).or_default().push(row);
        } else {
            left_out += 1;
        }
    }
    let weight = |row: usize| size.map_or(1.0, |column| column.number(row).unwrap_or(1.0).max(1.0));
    // Small marks come last and lie on top.
    for members in groups.values_mut() {
        members.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then(a.cmp(b)));
    }
    let is_small = |row: &usize| label.is_some() && weight(*row) < SMALL;
    let small: Vec<usize> = groups.values().flatten().copied().filter(is_small).collect();
    // Of many the smallest, and of equals the first ones.
    let mut called = small.clone();
    called.sort_by(|a, b| weight(*a).total_cmp(&weight(*b)).then(a.cmp(b)));
    called.truncate(LABELS);
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    for (at, (name, members)) in groups.iter().enumerate() {
        let numbers = |column: Option<&super::Column>| -> Vec<Option<f64>> {
            members.iter().map(|&row| column.and_then(|column| column.number(row))).collect()
        };
        let text = |row: &usize| match label {
            Some(column) if called.contains(row) => column.short_label(*row, 24),
            _ => String::new(),
        };
        traces.push(
            Scatter::new(numbers(x), numbers(y))
                .name(name)
                .mode(if label.is_some() { Mode::MarkersText } else { Mode::Markers })
                .ids(members.iter().map(ToString::to_string).collect())
                .text_array(members.iter().map(text).collect())
                .text_position(Position::TopCenter)
                .hover_text_array(members.iter().map(|&row| rows.tooltip(row)).collect())
                .hover_info(HoverInfo::Text)
                .marker(
                    Marker::new()
                        .size_array(members.iter().map(|&row| diameter(weight(row))).collect())
                        .symbol(symbol(at))
                        .color(color(at))
                        .opacity(0.75)
                        .line(Line::new().width(1.0).color("rgba(127,127,127,0.9)")),
                )
                .show_legend(group.is_some()),
        );
    }
    let axis = |name: &str| {
        Axis::new()
            .title(Title::with_text(marks(settings.get(name).unwrap_or_default(), SHOWN)))
            .auto_margin(true)
    };
    let mut note = vec![format!(
        "One mark for each of {}, at the values of its features.",
        count(rows.len() - left_out, "row")
    )];
    if size.is_some() {
        note.push("The area of a mark grows with the logarithm of its size.".to_string());
    }
    if small.len() > called.len() {
        note.push(format!("The {} smallest of {} small marks are labelled.", called.len(), small.len()));
    }
    if left_out > 0 {
        note.push(format!("Not drawn: {} without a place.", count(left_out, "row")));
    }
    Drawing {
        traces,
        layout: layout(settings.get("color")).x_axis(axis("x")).y_axis(axis("y")),
        note: note.join(" "),
    }
}

/// In pixels: of 1 event 7, of 5,000 events 34.
fn diameter(events: f64) -> usize {
    (49.0 + 90.0 * events.log2()).sqrt().round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_grows_with_the_logarithm_of_the_size() {
        assert_eq!([1.0, 2.0, 70.0, 5000.0].map(diameter), [7, 12, 25, 34]);
        let area = |events: f64| (diameter(events) as f64).powi(2);
        assert!((area(1e6) - area(1e3) - (area(1e9) - area(1e6))).abs() < 100.0);
    }
}
