//! One bar per row, in the order of the rows: cluster sizes by process, above all.
//!
//! Bars lie, so that a name and a number stand on one line whatever their number. They are elements of the page: no drawing script
//! is needed. Rows of the same name get a second line, from the column that tells them apart.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{NAMES, NUMBERS, Need, OPTIONAL_NAMES, OptionSpec, QUERY, TITLE, TOOLTIP, option};
use crate::page::{Body, Part};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::text::{SHOWN, count, readable, shortened, thousands};

/// The bars: [`Figure::Bar`](crate::Figure::Bar).
pub(crate) struct BarFigure;

impl Draw for BarFigure {
    const NAME: &'static str = "BAR";
    const TITLE: &'static str = "Sizes";
    const OPTIONS: &'static [OptionSpec] = &[
        option("x", NAMES, "What each bar is called"),
        option("y", NUMBERS, "How long each bar is"),
        option(
            "detail",
            OPTIONAL_NAMES,
            "A second line below each name; otherwise the column that tells rows of one name apart, for those",
        ),
        option("cut_off", Need::Number, "Leaves out rows whose `y` is not above it"),
        option(
            "most",
            Need::Number,
            "How many bars are shown at first; otherwise 60. The others are folded below",
        ),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

/// The bars that are shown at first.
const MOST: usize = 60;

/// The most bars of a page: each is an element.
const ALL: usize = 2_000;

/// The longest second line, in characters.
const DETAIL: usize = 80;

/// Columns that tell processes apart, the best one first.
const TELLING: [&str; 10] = [
    "template",
    "cmdline_template",
    "CommandLine",
    "ProcessCommandLine",
    "command_line",
    "cmdline",
    "NewProcessName",
    "Image",
    "path",
    "exe",
];

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
pub(crate) fn draw_rows(rows: &Rows, settings: &Settings, drawn: &[usize], mut note: String) -> Part {
    let (x, y) = (settings.column("x", rows), settings.column("y", rows));
    let details = Details::new(rows, settings, drawn);
    let length = |row: usize| y.and_then(|column| column.number(row));
    let lengths = || drawn.iter().filter_map(|&row| length(row));
    let (least, greatest) = (lengths().fold(0.0, f64::min), lengths().fold(0.0, f64::max));
    let whole = if greatest > least { greatest - least } else { 1.0 };
    let bar = |&row: &usize| {
        let name = match x.and_then(|column| column.text(row)) {
            Some(name) => Html::escaped(shortened(name, SHOWN)),
            None => Html::raw("(NULL)"),
        };
        let detail = details
            .of(row)
            .map(|text| Html::raw(" <small>").text(shortened(text, DETAIL)).markup("</small>"));
        let value = length(row).unwrap_or(0.0);
        let number = match length(row) {
            Some(value) => Html::escaped(readable(value)),
            None => Html::raw("(NULL)"),
        };
        // Room for the number beside the longest bar.
        let place = |part: f64| format!("calc((100% - 10ch) * {part:.5})");
        Html::raw("<li class=\"mark\" tabindex=\"0\" data-row=\"")
            .text(row)
            .markup("\"><span class=\"name\">")
            .html(name)
            .html(detail)
            .markup("</span> <span class=\"track\"><span class=\"bar\" style=\"width: ")
            .text(place(value.abs() / whole))
            .markup("; margin-left: ")
            .text(place((value.min(0.0) - least) / whole))
            .markup("\"></span> <span class=\"number\">")
            .html(number)
            .markup("</span></span></li>\n")
    };
    let list = |rows: &[usize]| {
        Html::raw("<ol class=\"bars\">\n").html(rows.iter().map(bar).collect::<Html>()).markup("</ol>\n")
    };
    let most = settings.number("most").map_or(MOST, |most| most.max(0.0) as usize);
    let (first, rest) = drawn.split_at(most.min(drawn.len()));
    let mut body = list(first);
    if !rest.is_empty() {
        let sum: f64 = rest.iter().filter_map(|&row| length(row)).sum();
        let shown = &rest[..rest.len().min(ALL)];
        let without = match rest.len() - shown.len() {
            0 => String::new(),
            without => format!("; the last {} are not on this page", thousands(without)),
        };
        body = body
            .markup("<details class=\"more\"><summary>and ")
            .text(thousands(rest.len()))
            .markup(" more, ")
            .text(readable(sum))
            .markup(" in all")
            .text(without)
            .markup("</summary>\n")
            .html(list(shown))
            .markup("</details>");
    }
    if let Some(name) = details.name() {
        // Writing to a string can't fail.
        let _ = write!(note, " The second line is {name}.");
    }
    Part::new(rows, note, Body::Html(body)).with_tooltip(rows, settings.columns("tooltip", rows))
}

/// The second lines of bars.
struct Details<'a> {
    column: Option<&'a Column>,
    /// Rows that have one; all if the option says so.
    rows: Option<HashSet<usize>>,
}

impl<'a> Details<'a> {
    fn new(rows: &'a Rows, settings: &Settings, drawn: &[usize]) -> Self {
        if let Some(column) = settings.column("detail", rows) {
            return Self { column: Some(column), rows: None };
        }
        let Some(x) = settings.column("x", rows) else { return Self { column: None, rows: None } };
        let mut by_name: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
        for &row in drawn {
            by_name.entry(x.text(row)).or_default().push(row);
        }
        by_name.retain(|_, members| members.len() > 1);
        // The rows that a column tells from the first one of their name.
        let told = |column: &Column| -> usize {
            let distinct = |members: &Vec<usize>| {
                members.iter().map(|&row| column.text(row)).collect::<HashSet<_>>().len() - 1
            };
            by_name.values().map(distinct).sum()
        };
        let is_text = |column: &&Column| column.column_type == ColumnType::Text && column.name != x.name;
        let telling = TELLING.iter().filter_map(|name| rows.column(name)).filter(is_text);
        let column = telling.chain(rows.0.iter().filter(is_text)).find(|column| {
            // A value for every row is an identifier, which tells a reader nothing.
            let has_name = TELLING.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            told(column) > 0
                && (has_name
                    || drawn.iter().map(|&row| column.text(row)).collect::<HashSet<_>>().len() < drawn.len())
        });
        Self { column, rows: Some(by_name.into_values().flatten().collect()) }
    }

    fn of(&self, row: usize) -> Option<&str> {
        let is_told = self.rows.as_ref().is_none_or(|rows| rows.contains(&row));
        self.column.filter(|_| is_told)?.text(row).filter(|text| !text.is_empty())
    }

    /// The name of the column, where there is a second line.
    fn name(&self) -> Option<&str> {
        let has_lines = self.rows.as_ref().is_none_or(|rows| !rows.is_empty());
        self.column.filter(|_| has_lines).map(|column| column.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Figure;

    fn page(names: &[&str], lines: &[&str], sizes: &[f64], more: &[(&str, &str)]) -> String {
        let text = |name: &str, values: &[&str]| Column {
            name: name.to_string(),
            column_type: ColumnType::Text,
            shown: values.iter().map(|value| Some((*value).to_string())).collect(),
            numbers: vec![],
        };
        let numbers = Column {
            name: "size".to_string(),
            column_type: ColumnType::Number,
            shown: sizes.iter().map(|size| Some(size.to_string())).collect(),
            numbers: sizes.iter().map(|size| Some(*size)).collect(),
        };
        let rows = Rows(vec![text("name", names), text("CommandLine", lines), numbers]);
        let columns =
            rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect::<Vec<_>>();
        let given = [("x", "name"), ("y", "size")].into_iter().chain(more.iter().copied());
        let settings = Settings::try_new(Figure::Bar, given, &columns).expect("good settings");
        Figure::Bar.draw(&rows, &settings).expect("a page")
    }

    #[test]
    fn equal_names_are_told_apart_and_others_have_one_line() {
        let page = page(
            &["cmd.exe", "net.exe", "cmd.exe"],
            &["cmd /c a", "net x", "cmd /c b"],
            &[1646.0, 3.0, 2.0],
            &[],
        );
        assert!(
            page.contains("cmd.exe <small>cmd /c a</small>")
                && page.contains("cmd.exe <small>cmd /c b</small>")
        );
        assert!(!page.contains("net.exe <small>"));
        assert!(page.contains(">1,646</span>") && page.contains("The second line is CommandLine."));
        assert!(!page.contains("Plotly.newPlot=") && page.len() < 200_000, "no drawing script");
    }

    #[test]
    fn more_bars_than_are_read_are_folded_and_counted() {
        let names: Vec<String> = (0..70).map(|at| format!("n{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let page_of = |more: &[(&str, &str)]| page(&names, &vec!["x"; 70], &[100.5; 70], more);
        assert!(page_of(&[]).contains("<summary>and 10 more, 1,005 in all</summary>"));
        assert!(page_of(&[("most", "3")]).contains("<summary>and 67 more, 6733.5 in all</summary>"));
        assert!(!page_of(&[("most", "70")]).contains(" more, "));
    }
}
