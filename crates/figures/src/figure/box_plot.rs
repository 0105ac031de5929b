//! One box per category: how much a feature varies within a process.
//!
//! Quartiles are interpolated linearly between the values, as numpy and seaborn do; a row of weight n counts as n equal
//! values. So a `GROUP BY` of millions of events draws the same boxes as the events themselves.
//!
//! Categories that vary most come first, and those of a single value are a list. Boxes are elements of the page: no drawing script is
//! needed, and the axis stays in sight.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MAX_GROUPS, too_many_values};
use crate::html::Html;
use crate::options::{NAMES, NUMBERS, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::{Body, Part};
use crate::rows::{Column, Rows};
use crate::settings::Settings;
use crate::style::variable;
use crate::text::{SHOWN, count, count_of, number, readable, shortened, thousands};

/// The boxes: [`Figure::Box`].
pub(crate) struct BoxFigure;

impl Draw for BoxFigure {
    const NAME: &'static str = "BOX";
    const TITLE: &'static str = "Variability";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NUMBERS, "The values"),
        option("y", NAMES, "The categories: one row of boxes each, those that vary most first"),
        option("color", OPTIONAL_NAMES, "Splits each category by the values of this column"),
        option("weight", OPTIONAL_NUMBERS, "How many events a row stands for"),
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw_rows(rows, settings, |_| true)?])
    }
}

/// A value, how many events have it, and its row.
type Weighted = (f64, f64, usize);

/// The value of a column. NULL comes last, as in the engine's order.
type Name = (bool, Option<String>);

/// The values of a category by colour.
type Categories = BTreeMap<Name, BTreeMap<Name, Vec<Weighted>>>;

/// The most places of dots in a lane; those that would lie on another one are one dot.
const PLACES: f64 = 1000.0;

/// A value as people read it.
fn shown((_, name): &Name) -> &str {
    name.as_deref().unwrap_or("(NULL)")
}

/// The least and the greatest of values.
fn ends<'a>(values: impl IntoIterator<Item = &'a Weighted>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
        (least.min(value.0), greatest.max(value.0))
    })
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
    let groups: BTreeSet<Name> = boxes.values().flat_map(BTreeMap::keys).cloned().collect();
    if groups.len() > MAX_GROUPS {
        return Err(too_many_values(Figure::Box, "colours", MAX_GROUPS, "color", groups.len()));
    }
    let groups: Vec<Name> = groups.into_iter().collect();
    let spread = |of: &BTreeMap<Name, Vec<Weighted>>| {
        let (least, greatest) = ends(of.values().flatten());
        greatest - least
    };
    let all = boxes.len();
    let (mut varied, constant): (Vec<_>, Vec<_>) = boxes.into_iter().partition(|(_, of)| spread(of) > 0.0);
    // A stable sort: categories that vary alike stay in the order of their names.
    varied.sort_by(|a, b| spread(&b.1).total_cmp(&spread(&a.1)));
    // Constant categories are not drawn, so they don't squeeze the others.
    let (least, greatest) = ends(varied.iter().flat_map(|(_, of)| of.values()).flatten());
    let scale = Scale { least, greatest };
    let option = |name: &str| settings.get(name).unwrap_or_default();
    let lane = |category: &Name, group: &Name, values: Vec<Weighted>| {
        let mut tooltip = vec![(option("y"), shown(category).to_string())];
        if colors.is_some() {
            tooltip.push((option("color"), shown(group).to_string()));
        }
        let at = groups.binary_search(group).unwrap_or(0);
        draw_lane(&scale, values, &tooltip, at)
    };
    let is_split = if colors.is_some() { "<div class=\"plot lanes\">" } else { "<div class=\"plot\">" };
    let mut body = Html::default();
    if !varied.is_empty() {
        body = body
            .markup("<div class=\"boxes\">\n<div class=\"axis\"><span class=\"name\">")
            .text(option("y"))
            .markup("</span><div class=\"scale\">")
            .html(scale.ticks())
            .markup("</div><span></span></div>\n");
    }
    let has_boxes = !varied.is_empty();
    for (category, of_category) in varied {
        let lanes = of_category.into_iter().map(|(group, values)| lane(&category, &group, values));
        body = body
            .markup("<div class=\"row\"><span class=\"name\">")
            .text(shortened(shown(&category), SHOWN))
            .markup("</span>")
            .markup(is_split)
            .html(lanes.collect::<Html>())
            .markup("</div><span></span></div>\n");
    }
    if has_boxes {
        body = body.markup("</div>\n");
    }
    if !constant.is_empty() {
        body = body.html(list(&constant, !has_boxes));
    }
    if colors.is_some() {
        body = swatches(&groups).html(body);
    }
    let skipped = match left_out {
        0 => String::new(),
        left_out => format!(" Not drawn: {} without a value.", count(left_out, "row")),
    };
    let lanes =
        if colors.is_some() { " Each colour has a line of its own, in the order of the legend." } else { "" };
    let note = format!(
        "Each box spans the middle half of the values of {}, the line in it is their median, the whiskers reach to the last value \
         within 1.5 times the box, dots are beyond.{lanes} {}, those that vary most first.{skipped}",
        option("x"),
        count_of(all, "category", "categories"),
    );
    Ok(Part::new(rows, note, Body::Html(body)))
}

/// Categories of one value.
fn list(constant: &[(Name, BTreeMap<Name, Vec<Weighted>>)], is_open: bool) -> Html {
    let entry = |(category, values): &(Name, BTreeMap<Name, Vec<Weighted>>)| {
        let events: f64 = values.values().flatten().map(|(_, weight, _)| weight).sum();
        let first = values.values().flatten().next();
        let row = first.map(|first| Html::raw(" data-row=\"").text(first.2).markup("\" tabindex=\"0\""));
        Html::raw("<li class=\"mark\"")
            .html(row)
            .markup("><b>")
            .text(shortened(shown(category), SHOWN))
            .markup("</b> ")
            .text(first.map_or_else(String::new, |first| number(first.0)))
            .markup(" (")
            .text(count(events as usize, "event"))
            .markup(")</li>\n")
    };
    Html::raw(if is_open {
        "<details class=\"more\" open><summary>"
    } else {
        "<details class=\"more\"><summary>"
    })
    .text(count_of(constant.len(), "category has", "categories have"))
    .markup(" one value only</summary>\n<ul class=\"constant\">\n")
    .html(constant.iter().map(entry).collect::<Html>())
    .markup("</ul></details>")
}

/// The legend of colours.
fn swatches(groups: &[Name]) -> Html {
    let entry = |(at, group): (usize, &Name)| {
        Html::raw("<li><span class=\"symbol\" aria-hidden=\"true\" style=\"color: var(--series")
            .text(variable(at))
            .markup(")\">■</span>")
            .text(shortened(shown(group), SHOWN))
            .markup("</li>")
    };
    Html::raw("<ul class=\"swatches\">")
        .html(groups.iter().enumerate().map(entry).collect::<Html>())
        .markup("</ul>\n")
}

/// The axis of all boxes.
struct Scale {
    least: f64,
    greatest: f64,
}

impl Scale {
    /// The place of a value, in percent of the width.
    fn place(&self, value: f64) -> f64 {
        let whole = self.greatest - self.least;
        // There is room for half a dot at both ends.
        if whole > 0.0 && whole.is_finite() { 1.0 + 98.0 * (value - self.least) / whole } else { 50.0 }
    }

    /// Numbers at round places, about six of them.
    fn ticks(&self) -> Html {
        let whole = self.greatest - self.least;
        if !(whole > 0.0 && whole.is_finite()) {
            return Html::default();
        }
        let power = 10_f64.powf((whole / 6.0).log10().floor());
        let distance = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|times| times * power)
            .find(|distance| *distance >= whole / 6.0)
            .unwrap_or(whole);
        let first = (self.least / distance).ceil();
        let ticks =
            (0..12).map(|at| (first + f64::from(at)) * distance).take_while(|tick| *tick <= self.greatest);
        ticks
            .map(|tick| {
                Html::raw("<span style=\"left: ")
                    .text(format_args!("{:.2}", self.place(tick)))
                    .markup("%\">")
                    .text(readable(tick))
                    .markup("</span>")
            })
            .collect()
    }
}

/// The box of one category and colour, and the dots beyond it.
fn draw_lane(scale: &Scale, mut members: Vec<Weighted>, tooltip: &[(&str, String)], color: usize) -> Html {
    members.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(quartiles) = quartiles(&members) else { return Html::default() };
    let events: f64 = members.iter().map(|(_, weight, _)| weight).sum();
    let mut distinct: Vec<f64> = members.iter().map(|member| member.0).collect();
    distinct.dedup();
    let mut lines: Vec<(&str, String)> = tooltip.to_vec();
    lines.push(("events", thousands(events as usize)));
    lines.push(("distinct values", thousands(distinct.len())));
    let numbers = [
        ("minimum", quartiles.minimum),
        ("first quartile", quartiles.q1),
        ("median", quartiles.median),
        ("third quartile", quartiles.q3),
        ("maximum", quartiles.maximum),
    ];
    lines.extend(numbers.map(|(name, value)| (name, number(value))));
    let words: Vec<String> = lines.iter().map(|(name, value)| format!("{name} {value}")).collect();
    // The rows of both ends are kept by a click.
    let extremes = match (members.first(), members.last()) {
        (Some(first), Some(last)) if first.2 != last.2 => format!("{},{}", first.2, last.2),
        (Some(first), _) => first.2.to_string(),
        _ => String::new(),
    };
    let span = |class: &'static str, from: f64, to: f64| {
        Html::raw("<span class=\"")
            .markup(class)
            .markup("\" style=\"left: ")
            .text(format_args!("{:.2}", scale.place(from)))
            .markup("%; width: ")
            .text(format_args!("{:.2}", scale.place(to) - scale.place(from)))
            .markup("%\"></span>")
    };
    let at = |class: &'static str, value: f64| {
        Html::raw("<span class=\"")
            .markup(class)
            .markup("\" style=\"left: ")
            .text(format_args!("{:.2}", scale.place(value)))
            .markup("%\"></span>")
    };
    let mut lane = Html::raw("<div class=\"lane mark\" tabindex=\"0\" role=\"img\" data-row=\"")
        .text(members.last().map_or(0, |last| last.2))
        .markup("\" data-rows=\"")
        .text(extremes)
        .markup("\" aria-label=\"")
        .text(words.join(", "))
        .markup("\" data-tip=\"")
        .text(json!(lines))
        .markup("\" style=\"--color: var(--series")
        .text(variable(color))
        .markup(")\">")
        .html(span("whisker", quartiles.lower_fence, quartiles.upper_fence))
        .html(at("end", quartiles.lower_fence))
        .html(at("end", quartiles.upper_fence))
        .html(span("span", quartiles.q1, quartiles.q3))
        .html(at("median", quartiles.median));
    let within = quartiles.lower_fence..=quartiles.upper_fence;
    let mut last_place = None;
    for (value, _, row) in members.iter().filter(|(value, ..)| !within.contains(value)) {
        let place = (scale.place(*value) / 100.0 * PLACES).round() as i64;
        if last_place.replace(place) == Some(place) {
            continue;
        }
        lane = lane
            .markup("<span class=\"dot mark\" data-row=\"")
            .text(row)
            .markup("\" style=\"left: ")
            .text(format_args!("{:.2}", scale.place(*value)))
            .markup("%\"></span>");
    }
    lane.markup("</div>\n")
}

/// The numbers that a box spans.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quartiles {
    minimum: f64,
    maximum: f64,
    q1: f64,
    median: f64,
    q3: f64,
    lower_fence: f64,
    upper_fence: f64,
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

    #[test]
    fn what_varies_most_is_first_and_constant_categories_are_a_list() {
        let text = |values: &[&str]| Column {
            name: "name".to_string(),
            column_type: crate::ColumnType::Text,
            shown: values.iter().map(|value| Some((*value).to_string())).collect(),
            numbers: vec![],
        };
        let numbers = |values: &[f64]| Column {
            name: "value".to_string(),
            column_type: crate::ColumnType::Number,
            shown: values.iter().map(|value| Some(value.to_string())).collect(),
            numbers: values.iter().map(|value| Some(*value)).collect(),
        };
        let rows = Rows(vec![
            text(&["a", "a", "still", "still", "wide", "wide"]),
            numbers(&[1.0, 2.0, 7.0, 7.0, 0.0, 50.0]),
        ]);
        let columns = [("name", crate::ColumnType::Text), ("value", crate::ColumnType::Number)];
        let settings =
            Settings::try_new(Figure::Box, [("x", "value"), ("y", "name")], &columns).expect("settings");
        let page = Figure::Box.draw(&rows, &settings).expect("a page");
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
        assert!(place("<span class=\"name\">wide</span>") < place("<span class=\"name\">a</span>"));
        assert!(page.contains("<summary>1 category has one value only</summary>"));
        assert!(
            page.contains("<b>still</b> 7 (2 events)") && !page.contains("<span class=\"name\">still</span>")
        );
    }
}
