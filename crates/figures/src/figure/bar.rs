//! One bar per row, in the order of the rows: cluster sizes by process, above all.

use plotly::Bar;
use plotly::common::{ConstrainText, HoverInfo, Marker, TextPosition, Title};
use plotly::layout::Axis;

use crate::error::PlotError;
use crate::figure::Draw;
use crate::options::{NAMES, NUMBERS, Need, OptionSpec, QUERY, TITLE, TOOLTIP, option};
use crate::page::Part;
use crate::rows::{Column, Rows};
use crate::settings::Settings;
use crate::style::{color, layout};
use crate::text::{SHOWN, count, marks};

/// The width of a digit in pixels, rounded up.
const DIGIT: f64 = 9.0;

/// The width that a figure has at least, in pixels: that of a telephone.
const NARROW: f64 = 300.0;

/// The bars: [`Figure::Bar`](crate::Figure::Bar).
pub(crate) struct BarFigure;

impl Draw for BarFigure {
    const NAME: &'static str = "BAR";
    const TITLE: &'static str = "Sizes";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NAMES, "What each bar is called"),
        option("y", NUMBERS, "How long each bar is"),
        option("cut_off", Need::Number, "Leaves out rows whose `y` is not above it"),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let y = settings.column("y", rows);
    let cut_off = settings.number("cut_off");
    let is_above = |row: &usize| {
        cut_off.is_none_or(|cut_off| {
            y.and_then(|column| column.number(*row)).is_some_and(|length| length > cut_off)
        })
    };
    let drawn: Vec<usize> = (0..rows.len()).filter(is_above).collect();
    let left_out = match (rows.len() - drawn.len(), cut_off) {
        (left_out @ 1.., Some(cut_off)) => {
            format!(" Not drawn: {} not above {cut_off}.", count(left_out, "row"))
        }
        _ => String::new(),
    };
    let name = settings.get("x").unwrap_or_default();
    let note = format!(
        "One bar for each of {}, called by {name}, in their order.{left_out}",
        count(drawn.len(), "row")
    );
    draw_rows(rows, settings, &drawn, note)
}

/// Bars for these rows.
pub(crate) fn draw_rows(rows: &Rows, settings: &Settings, drawn: &[usize], note: String) -> Part {
    let (x, y) = (settings.column("x", rows), settings.column("y", rows));
    let length = |row: usize| y.and_then(|column| column.number(row));
    // A place for each row and not for each name: two clusters of one process are two bars.
    let places: Vec<f64> = (0..drawn.len()).map(|place| place as f64).collect();
    let lengths: Vec<Option<f64>> = drawn.iter().map(|&row| length(row)).collect();
    let label = |row: usize, column: Option<&Column>, limit| {
        column.map_or_else(String::new, |column| column.label(row, limit))
    };
    let numbers: Vec<String> = drawn.iter().map(|&row| label(row, y, 12)).collect();
    // The numbers at both ends are wider than their bars where there are many bars: room for half of them.
    let widest =
        [numbers.first(), numbers.last()].into_iter().flatten().map(|text| text.chars().count()).max();
    let beside = widest.map(|digits| digits as f64 * DIGIT / 2.0 * drawn.len() as f64 / NARROW);
    let bars = Bar::new(places.clone(), lengths.clone())
        .ids(drawn.iter().map(ToString::to_string).collect())
        .hover_info(HoverInfo::None)
        .text_array(numbers)
        .text_position(TextPosition::Outside)
        .constrain_text(ConstrainText::None)
        .clip_on_axis(false)
        .marker(Marker::new().color(color(0)))
        .show_legend(false);
    let mut x_axis = Axis::new()
        .zero_line(false)
        .tick_values(places)
        .tick_text(drawn.iter().map(|&row| label(row, x, 32)).collect())
        .tick_angle(-45.0)
        .auto_margin(true)
        .show_grid(false);
    if let Some(beside) = beside {
        let beside = beside.max(0.7);
        x_axis = x_axis.range(vec![-beside, drawn.len() as f64 - 1.0 + beside]);
    }
    // Room for the numbers above the longest bar.
    let longest = lengths.iter().flatten().copied().fold(0.0, f64::max);
    let shortest = lengths.iter().flatten().copied().fold(0.0, f64::min);
    let y_axis = Axis::new()
        .range(vec![shortest * 1.1, longest * 1.1])
        .title(Title::with_text(marks(settings.get("y").unwrap_or_default(), SHOWN)))
        .auto_margin(true);
    Part::drawing(rows, note, vec![bars], layout(None).x_axis(x_axis).y_axis(y_axis))
        .with_tooltip(rows, settings.columns("tooltip", rows))
}
