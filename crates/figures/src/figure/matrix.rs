//! A table of two columns, such as accounts and what they did, with a disc for each pair as large as its number of events.
//!
//! Pairs of few events have a colour of their own. Rows and columns are those with the most events; others are counted.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{NAMES, Need, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, TOOLTIP, option};
use crate::page::{Body, Part};
use crate::rows::{Column, Rows};
use crate::settings::Settings;
use crate::text::{count, shortened, thousands};

/// The matrix: [`Figure::Matrix`](crate::Figure::Matrix).
pub(crate) struct MatrixFigure;

/// The orders of rows and columns.
const ORDERS: [&str; 2] = ["count", "name"];

impl Draw for MatrixFigure {
    const NAME: &'static str = "MATRIX";
    const TITLE: &'static str = "Who did what";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NAMES, "What was done: a column of the table for each value"),
        option("y", NAMES, "Who did it: a row of the table for each value"),
        option("size", OPTIONAL_NUMBERS, "How many events a row of the query stands for"),
        option(
            "order",
            Need::OneOf(&ORDERS),
            "The order of rows and columns; otherwise by count, the most first",
        ),
        option("cut_off", Need::Number, "Pairs of fewer events have a colour of their own; otherwise 4"),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

/// The most columns and rows of the table.
const MOST: [usize; 2] = [40, 100];

/// The most rows of the query that a pair keeps by a click.
const KEPT: usize = 50;

/// Pairs of fewer events are rare.
const CUT_OFF: f64 = 4.0;

/// A value of a column; NULL comes last.
type Name<'a> = (bool, Option<&'a str>);

fn name_of(column: Option<&Column>, row: usize) -> Name<'_> {
    let name = column.and_then(|column| column.text(row));
    (name.is_none(), name)
}

fn shown<'a>((_, name): &Name<'a>) -> &'a str {
    name.unwrap_or("(NULL)")
}

/// A pair: its events, and its rows.
#[derive(Default)]
struct Pair {
    events: f64,
    rows: Vec<usize>,
}

/// The values of one column that are shown, in their order, and the number of values that are not.
fn frequent<'a>(events: &BTreeMap<Name<'a>, f64>, most: usize, by_name: bool) -> (Vec<Name<'a>>, usize) {
    let mut names: Vec<(Name<'a>, f64)> = events.iter().map(|(name, events)| (*name, *events)).collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let left_out = names.len().saturating_sub(most);
    names.truncate(most);
    if by_name {
        names.sort_by_key(|(name, _)| *name);
    }
    (names.into_iter().map(|(name, _)| name).collect(), left_out)
}

/// The cell of a pair with its disc; `greatest` is the most events of any pair.
fn cell(pair: &Pair, names: &[(&str, &str); 2], greatest: f64, is_rare: bool) -> Html {
    let events = count(pair.events as usize, "event");
    let mut tip = names.map(|(name, value)| (name, value.to_string())).to_vec();
    tip.push(("events", events.clone()));
    if pair.rows.len() > 1 {
        tip.push(("rows", thousands(pair.rows.len())));
    }
    let kept: Vec<String> = pair.rows.iter().take(KEPT).map(ToString::to_string).collect();
    // The area grows with the logarithm: from 8 to 25 pixels.
    let part = if greatest > 1.0 { pair.events.max(1.0).log2() / greatest.log2() } else { 0.0 };
    let diameter = (64.0 + 560.0 * part).sqrt();
    Html::raw(if is_rare { "<td class=\"mark rare\"" } else { "<td class=\"mark\"" })
        .markup(" tabindex=\"0\" data-row=\"")
        .text(kept.first().map_or("0", String::as_str))
        .markup("\" data-rows=\"")
        .text(kept.join(","))
        .markup("\" data-tip=\"")
        .text(json!(tip))
        .markup("\" aria-label=\"")
        .text(names[0].1)
        .markup(", ")
        .text(names[1].1)
        .markup(": ")
        .text(&events)
        .markup("\"><div class=\"disc\" style=\"--size: ")
        .text(format_args!("{diameter:.0}"))
        .markup("px\"></div><div class=\"count\">")
        .text(thousands(pair.events as usize))
        .markup("</div></td>")
}

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let [what, who, size] = ["x", "y", "size"].map(|name| settings.column(name, rows));
    let mut pairs: HashMap<(Name<'_>, Name<'_>), Pair> = HashMap::new();
    let (mut by_what, mut by_who) = (BTreeMap::new(), BTreeMap::new());
    let mut all = 0.0;
    for row in 0..rows.len() {
        let events = size.map_or(1.0, |size| size.number(row).unwrap_or(0.0)).max(0.0);
        let (x, y) = (name_of(what, row), name_of(who, row));
        let pair = pairs.entry((x, y)).or_default();
        pair.events += events;
        pair.rows.push(row);
        *by_what.entry(x).or_insert(0.0) += events;
        *by_who.entry(y).or_insert(0.0) += events;
        all += events;
    }
    let by_name = settings.word("order", &ORDERS) == Some("name");
    let (columns, columns_left_out) = frequent(&by_what, MOST[0], by_name);
    let (lines, lines_left_out) = frequent(&by_who, MOST[1], by_name);
    let cut_off = settings.number("cut_off").unwrap_or(CUT_OFF);
    let greatest = pairs.values().map(|pair| pair.events).fold(1.0, f64::max);
    let option = |name: &str| settings.get(name).unwrap_or_default();
    let (mut shown_events, mut shown_pairs, mut rare) = (0.0, 0, 0);
    let mut body = Html::default();
    for y in &lines {
        let mut cells = Html::default();
        for x in &columns {
            let Some(pair) = pairs.get(&(*x, *y)) else {
                cells = cells.markup("<td class=\"none\"></td>");
                continue;
            };
            let is_rare = pair.events < cut_off;
            shown_events += pair.events;
            shown_pairs += 1;
            rare += usize::from(is_rare);
            let names = [(option("y"), shown(y)), (option("x"), shown(x))];
            cells = cells.html(cell(pair, &names, greatest, is_rare));
        }
        body = body
            .markup("<tr><th scope=\"row\">")
            .text(shortened(shown(y), 60))
            .markup("</th>")
            .html(cells)
            .markup("<td class=\"number\">")
            .text(thousands(by_who.get(y).map_or(0, |events| *events as usize)))
            .markup("</td></tr>\n");
    }
    let heads = columns
        .iter()
        .map(|x| Html::raw("<th scope=\"col\"><div>").text(shortened(shown(x), 40)).markup("</div></th>"));
    let table = Html::raw("<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th scope=\"col\">")
        .text(option("y"))
        .markup(" \\ ")
        .text(option("x"))
        .markup("</th>")
        .html(heads.collect::<Html>())
        .markup("<th scope=\"col\"><div>events</div></th></tr></thead><tbody>\n")
        .html(body)
        .markup("</tbody></table></div>");
    let mut note = vec![format!(
        "{} of {} and {}, {}. The area of a disc grows with the logarithm of its events; {} below {cut_off} have another colour.",
        count(shown_pairs, "pair"),
        option("y"),
        option("x"),
        count(shown_events as usize, "event"),
        thousands(rare),
    )];
    if columns_left_out + lines_left_out > 0 {
        note.push(format!(
            "Not drawn: {} of the rarest values, {} of {} and {} of {}.",
            count((all - shown_events) as usize, "event"),
            thousands(columns_left_out),
            option("x"),
            thousands(lines_left_out),
            option("y"),
        ));
    }
    Part::new(rows, note.join(" "), Body::Html(table)).with_tooltip(rows, settings.columns("tooltip", rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnType, Figure};

    #[test]
    fn pairs_are_counted_and_the_rarest_values_are_left_out_aloud() {
        let text = |name: &str, values: Vec<Option<String>>| Column {
            name: name.to_string(),
            column_type: ColumnType::Text,
            shown: values,
            numbers: vec![],
        };
        // The account a does everything twice, and b one thing once; 50 things are more than the table has columns.
        let things: Vec<Option<String>> =
            (0..50).chain(0..50).chain([3]).map(|at| Some(format!("thing {at}"))).collect();
        let accounts = std::iter::repeat_n(Some("a".to_string()), 100).chain([None]).collect();
        let rows = Rows(vec![text("what", things), text("who", accounts)]);
        let columns = [("what", ColumnType::Text), ("who", ColumnType::Text)];
        let settings =
            Settings::try_new(Figure::Matrix, [("x", "what"), ("y", "who")], &columns).expect("settings");
        let page = Figure::Matrix.draw(&rows, &settings).expect("a page");
        assert!(
            page.contains("aria-label=\"a, thing 3: 2 events\"")
                && page.contains("aria-label=\"(NULL), thing 3: 1 event\"")
        );
        let note = "41 pairs of who and what, 81 events.";
        assert!(page.contains(note), "{}", &page[page.find("class=\"note\"").unwrap_or(0)..][..400]);
        assert!(page.contains("Not drawn: 20 events of the rarest values, 10 of what and 0 of who."));
        let wrong =
            Settings::try_new(Figure::Matrix, [("x", "what"), ("y", "who"), ("order", "size")], &columns);
        assert_eq!(
            wrong.expect_err("no such order").to_string(),
            "MATRIX: option 'order' takes one of count, name, got 'size'"
        );
    }
}
