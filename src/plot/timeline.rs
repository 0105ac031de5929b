//! What happened when: one mark per row, a row of marks for each group.

use std::collections::BTreeMap;

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, Mode};
use plotly::layout::{
    Axis, AxisType, CategoryOrder, RangeSelector, RangeSlider, SelectorButton, SelectorStep, StepMode,
};

use super::rows::Rows;
use super::settings::Settings;
use super::text::count;
use super::{Drawing, color, layout, symbol};

/// The height of one group, and of what all of them share: times, range selector and range slider.
const GROUP_HEIGHT: usize = 28;
const SHARED_HEIGHT: usize = 230;

pub(super) fn draw(rows: &Rows, settings: &Settings) -> Drawing {
    let column = |name: &str| settings.get(name).and_then(|name| rows.column(name));
    let (time, group) = (column("time"), column("group_by"));
    let time_of = |row: usize| time.and_then(|column| column.shown.get(row)).cloned().flatten();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut left_out = 0;
    for row in 0..rows.len() {
        if time_of(row).is_some() {
            let name = group.map_or_else(|| "events".to_string(), |column| column.short_label(row, 48));
            groups.entry(name).or_default().push(row);
        } else {
            left_out += 1;
        }
    }
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![];
    for (at, (name, members)) in groups.iter().enumerate() {
        let times: Vec<Option<String>> = members.iter().map(|&row| time_of(row)).collect();
        traces.push(
            Scatter::new(times, vec![name.clone(); members.len()])
                .name(name)
                .mode(Mode::Markers)
                .ids(members.iter().map(ToString::to_string).collect())
                .hover_text_array(members.iter().map(|&row| rows.tooltip(row)).collect())
                .hover_info(HoverInfo::Text)
                .marker(Marker::new().size(9).symbol(symbol(at)).color(color(at)).opacity(0.65))
                // The rows have their names already.
                .show_legend(false),
        );
    }
    let back = |label: &str, step: SelectorStep, count: usize| {
        SelectorButton::new().label(label).step(step).step_mode(StepMode::Backward).count(count)
    };
    let buttons = vec![
        back("1 h", SelectorStep::Hour, 1),
        back("6 h", SelectorStep::Hour, 6),
        back("1 d", SelectorStep::Day, 1),
        back("7 d", SelectorStep::Day, 7),
        SelectorButton::new().label("all").step(SelectorStep::All),
    ];
    let x_axis = Axis::new()
        .type_(AxisType::Date)
        .range_selector(RangeSelector::new().buttons(buttons))
        .range_slider(RangeSlider::new().visible(true).thickness(0.08));
    // The script puts the first category at the bottom.
    let order: Vec<String> = groups.keys().rev().cloned().collect();
    let y_axis = Axis::new()
        .type_(AxisType::Category)
        .category_order(CategoryOrder::Array)
        .category_array(order)
        .fixed_range(true)
        .auto_margin(true);
    let drawn = count(rows.len() - left_out, "row");
    let mut note = format!("One mark for each of {drawn}, at its time; drag below the figure to see a part.");
    if left_out > 0 {
        note = format!("{note} Not drawn: {} without a time.", count(left_out, "row"));
    }
    let height = (SHARED_HEIGHT + GROUP_HEIGHT * groups.len()).max(380);
    Drawing { traces, layout: layout(None).x_axis(x_axis).y_axis(y_axis).height(height), note }
}
