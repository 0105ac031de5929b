//! The result of `dbcluster_eps`: a picture, a summary in words and a table for each partition.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::PlotError;
use crate::figure::curve::steps::{Range, picture};
use crate::html::Html;
use crate::page::{Body, Part};
use crate::rows::{Column, ColumnType, Rows, position};
use crate::settings::Settings;
use crate::text::{count, percent, shortened, thousands, visible};

/// The most rows: each is a line of a table, so that nothing is only in a picture.
const MAX_ROWS: usize = 10_000;

/// The most partitions with a picture.
const MAX_PICTURES: usize = 24;

/// The longest value in a heading, in characters.
const HEADING: usize = 48;

/// The columns that the figure can't do without, all of them numbers.
const NEEDED: [&str; 4] = ["eps", "clusters", "noise", "largest_share"];

/// Checks that the columns are those of `dbcluster_eps`.
pub(super) fn check(columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
    let names = columns.iter().map(|(name, _)| *name);
    let found =
        |name: &str| position(names.clone(), name).and_then(|at| columns.get(at)).map(|column| column.1);
    let wrong: Vec<String> = (NEEDED.into_iter())
        .filter_map(|name| match found(name) {
            Some(ColumnType::Number) => None,
            Some(_) => Some(format!("{name} that is no number")),
            None => Some(format!("no {name}")),
        })
        .chain(
            (found("is_auto").filter(|of| *of != ColumnType::Text))
                .map(|_| "is_auto that is no BOOLEAN".to_string()),
        )
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(PlotError(format!(
        "CURVE draws the rows of dbcluster_eps(...) and needs their columns {} as numbers and is_auto as BOOLEAN, got {}; \
         start from SELECT * FROM dbcluster_eps(...), or name a column of distances, as in OPTIONS (y 'distance'); the \
         query's columns are: {}",
        NEEDED.join(", "),
        wrong.join(", "),
        names.collect::<Vec<_>>().join(", ")
    )))
}

/// The rows with codes in place of unseen characters in all columns of text, whose values name partitions.
pub(super) fn with_visible_names(rows: &Rows) -> Cow<'_, Rows> {
    let is_seen = |column: &Column| {
        column.column_type != ColumnType::Text
            || column.shown.iter().flatten().all(|value| matches!(visible(value), Cow::Borrowed(_)))
    };
    if rows.0.iter().all(is_seen) {
        return Cow::Borrowed(rows);
    }
    let mut rows = rows.clone();
    for column in rows.0.iter_mut().filter(|column| !is_seen(column)) {
        for value in column.shown.iter_mut().flatten() {
            *value = visible(value).into_owned();
        }
    }
    Cow::Owned(rows)
}

/// One row that has a place in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) row: usize,
    /// Above 0.
    pub(super) eps: f64,
    pub(super) clusters: Option<f64>,
    pub(super) noise: Option<f64>,
    pub(super) share: Option<f64>,
}

/// The rows of one partition.
pub(super) struct Partition<'a> {
    names: Vec<Option<&'a str>>,
    /// All of its rows, by eps.
    rows: Vec<usize>,
    /// Those with a place, by eps.
    pub(super) steps: Vec<Step>,
    /// The place among `rows` of the eps that `auto` takes.
    auto: Option<usize>,
}

/// The columns of `dbcluster_eps`.
struct Sweep<'a> {
    rows: &'a Rows,
    panels: Vec<&'a Column>,
    is_auto: Option<&'a Column>,
}

impl<'a> Sweep<'a> {
    fn new(rows: &'a Rows, settings: &Settings) -> Self {
        let before = rows.position("eps").unwrap_or_default();
        let panels = settings.columns("panel", rows).unwrap_or_else(|| rows.0.iter().take(before).collect());
        Self { rows, panels, is_auto: rows.column("is_auto") }
    }

    fn number(&self, name: &str, row: usize) -> Option<f64> {
        self.rows.column(name)?.number(row)
    }

    /// The value of a row as the engine writes it, which has all of its digits.
    fn text(&self, name: &str, row: usize) -> &'a str {
        self.rows.column(name).and_then(|column| column.text(row)).unwrap_or("(NULL)")
    }

    /// The partitions in the order of their first rows.
    fn partitions(&self) -> Vec<Partition<'a>> {
        let mut places: HashMap<Vec<Option<&str>>, usize> = HashMap::new();
        let mut partitions: Vec<Partition<'a>> = vec![];
        for row in 0..self.rows.len() {
            let names: Vec<Option<&str>> = self.panels.iter().map(|panel| panel.text(row)).collect();
            let place = *places.entry(names.clone()).or_insert(partitions.len());
            match partitions.get_mut(place) {
                Some(partition) => partition.rows.push(row),
                None => partitions.push(Partition { names, rows: vec![row], steps: vec![], auto: None }),
            }
        }
        for partition in &mut partitions {
            // NULL comes last, as in the engine's order.
            let place = |row: usize| self.number("eps", row).unwrap_or(f64::INFINITY);
            partition.rows.sort_by(|&a, &b| place(a).total_cmp(&place(b)).then(a.cmp(&b)));
            partition.steps = partition.rows.iter().filter_map(|&row| self.step(row)).collect();
            partition.auto = partition.rows.iter().position(|&row| self.is_auto(row));
        }
        partitions
    }

    fn step(&self, row: usize) -> Option<Step> {
        let eps = self.number("eps", row).filter(|eps| *eps > 0.0)?;
        let [clusters, noise, share] =
            ["clusters", "noise", "largest_share"].map(|name| self.number(name, row));
        Some(Step { row, eps, clusters, noise, share })
    }

    fn is_auto(&self, row: usize) -> bool {
        self.is_auto.is_some_and(|column| column.is_set(row))
    }

    /// The events of a partition. They are told by the largest cluster and its share, if all rows agree on them.
    fn events(&self, partition: &Partition<'_>) -> Option<usize> {
        let mut events = None;
        for &row in &partition.rows {
            let (Some(largest), Some(share)) =
                (self.number("largest_cluster", row), self.number("largest_share", row))
            else {
                continue;
            };
            if share <= 0.0 {
                continue;
            }
            let all = (largest / share).round();
            let agrees = (largest / all - share).abs() <= 1e-9 * share
                && events.is_none_or(|other| other == all as usize);
            if !agrees || self.number("noise", row).is_some_and(|noise| noise > all) {
                return None;
            }
            events = Some(all as usize);
        }
        events
    }

    /// "22 clusters, 17 noise events of 363; the largest cluster has 26 %".
    fn result(&self, row: usize, events: Option<usize>) -> String {
        let counted = |name: &str, singular: &str| match self.text(name, row).parse::<usize>() {
            Ok(number) => count(number, singular),
            Err(_) => format!("{} {singular}s", self.text(name, row)),
        };
        let of = events.map(|events| format!(" of {}", thousands(events))).unwrap_or_default();
        let largest = match self.number("largest_share", row) {
            Some(share) if share > 0.0 => format!("; the largest cluster has {}", percent(share)),
            _ => String::new(),
        };
        format!("{}, {}{of}{largest}", counted("clusters", "cluster"), counted("noise", "noise event"))
    }

    /// The next row whose eps is greater than that of auto.
    fn beyond(&self, partition: &Partition<'_>) -> Option<usize> {
        let auto = *partition.rows.get(partition.auto?)?;
        let eps = self.number("eps", auto)?;
        partition.rows.iter().copied().find(|&row| self.number("eps", row).is_some_and(|other| other > eps))
    }

    /// The partition in words.
    fn summary(&self, partition: &Partition<'_>, chosen: Option<&str>) -> String {
        let events = self.events(partition);
        let mut summary = vec![];
        let auto = partition.auto.and_then(|auto| partition.rows.get(auto)).copied();
        match (auto, partition.rows.first(), partition.rows.last()) {
            (Some(row), ..) if self.number("eps", row).is_none() => {
                summary.push(format!("Nothing changes at any eps: {}.", self.result(row, events)));
            }
            (Some(row), ..) => {
                summary.push(format!(
                    "At eps {} (auto): {}.",
                    self.text("eps", row),
                    self.result(row, events)
                ));
                summary.extend(self.beyond(partition).map(|next| self.beyond_in_words(row, next)));
            }
            (None, Some(&row), last) => {
                summary.push(format!("At eps {}: {}.", self.text("eps", row), self.result(row, events)));
                summary.extend(last.filter(|last| **last != row).map(|&last| {
                    format!("At eps {}: {}.", self.text("eps", last), self.result(last, events))
                }));
                if self.is_auto.is_some() {
                    summary.push("None of these is the eps that auto takes.".to_string());
                }
            }
            (None, None, _) => {}
        }
        let parsed = chosen.and_then(|chosen| chosen.trim().parse::<f64>().ok());
        if let Some(eps) = parsed.filter(|_| !partition.steps.is_empty()) {
            let given = chosen.unwrap_or_default().trim();
            summary.push(match partition.steps.iter().rfind(|step| step.eps <= eps) {
                Some(step) => format!(
                    "The chosen eps of {given} has the row of {}: {}.",
                    self.text("eps", step.row),
                    self.result(step.row, events)
                ),
                None => format!("The chosen eps of {given} is below all of these."),
            });
        }
        let autos = partition.rows.iter().filter(|row| self.is_auto(**row)).count();
        if autos > 1 {
            summary.push(format!(
                "{autos} rows are of auto, so that several partitions are drawn as one; name their columns with the option \
                 panel."
            ));
        }
        let has_eps = |row: &&usize| self.rows.column("eps").is_some_and(|eps| eps.text(**row).is_some());
        let placeless = partition.rows.iter().filter(has_eps).count() - partition.steps.len();
        if placeless > 0 {
            summary.push(format!(
                "Not drawn: {}, since a logarithmic axis has no place for the eps.",
                count(placeless, "row")
            ));
        }
        summary.join(" ")
    }

    fn beyond_in_words(&self, auto: usize, next: usize) -> String {
        let share = |row: usize| self.number("largest_share", row).unwrap_or_default();
        let takes = if share(next) > share(auto) && share(next) >= 0.5 {
            "one cluster takes"
        } else {
            "the largest has"
        };
        format!("Beyond it, at {}, {takes} {}.", self.text("eps", next), percent(share(next)))
    }

    /// "host: a, user: (NULL)".
    fn heading(&self, partition: &Partition<'_>) -> String {
        let names = self.panels.iter().zip(&partition.names).map(|(panel, name)| {
            let name = shortened(name.unwrap_or("(NULL)"), HEADING);
            format!("{}: {name}", shortened(&visible(&panel.name), HEADING))
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// A table with a line for each partition: what auto takes there, and what is beyond.
    fn overview(&self, partitions: &[Partition<'_>]) -> Part {
        let mut headings: Vec<Cell<'_>> =
            self.panels.iter().map(|panel| Cell::text(Some(&panel.name))).collect();
        let numbers = [
            "eps of auto",
            "clusters",
            "noise",
            "largest_share",
            "next eps",
            "largest_share at the next eps",
        ];
        headings.extend(numbers.map(|heading| Cell::number(Some(heading))));
        let line = |partition: &Partition<'_>| {
            let auto = partition.auto.and_then(|auto| partition.rows.get(auto)).copied();
            let value = |row: Option<usize>, name: &str| {
                Cell::number(row.and_then(|row| self.rows.column(name)?.text(row)).map(ToString::to_string))
            };
            let mut line: Vec<Cell<'_>> =
                partition.names.iter().map(|name| Cell::text(name.map(ToString::to_string))).collect();
            line.extend(["eps", "clusters", "noise", "largest_share"].map(|name| value(auto, name)));
            line.extend(["eps", "largest_share"].map(|name| value(self.beyond(partition), name)));
            (false, line)
        };
        let pictures = match partitions.len() {
            all if all > MAX_PICTURES => format!(
                " Pictures are of the first {MAX_PICTURES}, the tables have all; filter the query to see others."
            ),
            _ => String::new(),
        };
        let note =
            format!("{}, each with the eps that auto takes.{pictures}", count(partitions.len(), "partition"));
        let body = table(&headings, partitions.iter().map(line));
        Part::new(self.rows, note, Body::Html(body)).with_heading("Partitions")
    }

    /// A table of all rows.
    fn all_rows(&self, partitions: &[Partition<'_>]) -> Part {
        let cell = |column: &'a Column, text: Option<&'a str>| match column.column_type {
            ColumnType::Number => Cell::number(text),
            ColumnType::Text | ColumnType::Time => Cell::text(text),
        };
        let headings: Vec<Cell<'_>> =
            self.rows.0.iter().map(|column| cell(column, Some(&column.name))).collect();
        let lines = partitions.iter().flat_map(|partition| &partition.rows).map(|&row| {
            (self.is_auto(row), self.rows.0.iter().map(|column| cell(column, column.text(row))).collect())
        });
        let note = match self.is_auto {
            Some(_) => format!("{}; marked is the eps that auto takes.", count(self.rows.len(), "row")),
            None => format!("{}.", count(self.rows.len(), "row")),
        };
        Part::new(self.rows, note, Body::Html(table(&headings, lines))).with_heading("Every eps")
    }
}

/// Draws the rows of `dbcluster_eps`.
///
/// # Errors
/// More rows than a table can have.
pub(super) fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
    if rows.len() > MAX_ROWS {
        return Err(PlotError(format!(
            "CURVE draws up to {MAX_ROWS} rows of dbcluster_eps(...), got {}; take fewer steps, or filter the partitions",
            rows.len()
        )));
    }
    if rows.is_empty() {
        let note = "No rows: there were no events to cluster.".to_string();
        return Ok(vec![Part::new(rows, note, Body::Html(Html::default()))]);
    }
    let sweep = Sweep::new(rows, settings);
    let partitions = sweep.partitions();
    let chosen = settings.number("eps").filter(|eps| *eps > 0.0);
    let drawn = partitions.get(..MAX_PICTURES).unwrap_or(&partitions);
    let every_eps = drawn.iter().flat_map(|partition| &partition.steps).map(|step| step.eps);
    let range = Range::of(every_eps.chain(chosen));
    let has_panels = partitions.len() > 1;
    let mut parts = vec![];
    if has_panels {
        parts.push(sweep.overview(&partitions));
    }
    for partition in drawn {
        let auto = partition.auto.and_then(|auto| partition.rows.get(auto)).copied();
        let mut note = sweep.summary(partition, settings.get("eps"));
        let body = if partition.steps.is_empty() {
            Body::Html(Html::default())
        } else {
            if partition.steps.len() > 1 && !has_panels {
                note.push_str(" Each curve keeps the value of an eps up to the next one.");
            }
            let labelled = |row: usize| sweep.text("eps", row);
            let (traces, layout) = picture(partition, auto, labelled, settings, range, has_panels);
            Body::Drawing { traces, layout: Box::new(layout), linked: has_panels }
        };
        let part = Part::new(rows, note, body);
        parts.push(if sweep.panels.is_empty() { part } else { part.with_heading(sweep.heading(partition)) });
    }
    parts.push(sweep.all_rows(&partitions));
    Ok(parts)
}

/// One value of a table.
struct Cell<'a> {
    text: Option<Cow<'a, str>>,
    is_number: bool,
}

impl<'a> Cell<'a> {
    fn number(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        Self { text: text.map(Into::into), is_number: true }
    }

    fn text(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        Self { text: text.map(Into::into), is_number: false }
    }

    fn html(&self) -> Html {
        match (&self.text, self.is_number) {
            (Some(number), true) => Html::raw("<td class=\"number\">").text(number).markup("</td>"),
            (Some(text), false) => Html::raw("<td><div>").text(text).markup("</div></td>"),
            (None, true) => Html::raw("<td class=\"null number\">(NULL)</td>"),
            (None, false) => Html::raw("<td class=\"null\">(NULL)</td>"),
        }
    }

    fn heading(&self) -> Html {
        let class = if self.is_number { "<th scope=\"col\" class=\"number\">" } else { "<th scope=\"col\">" };
        Html::raw(class).text(visible(self.text.as_deref().unwrap_or_default())).markup("</th>")
    }
}

/// A table; a line is marked or not.
fn table<'a>(headings: &[Cell<'_>], lines: impl Iterator<Item = (bool, Vec<Cell<'a>>)>) -> Html {
    let line = |(is_marked, cells): (bool, Vec<Cell<'a>>)| {
        Html::raw(if is_marked { "<tr class=\"marked\">" } else { "<tr>" })
            .html(cells.iter().map(Cell::html).collect::<Html>())
            .markup("</tr>\n")
    };
    Html::raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Rows\"><table class=\"numbers\"><thead><tr>")
        .html(headings.iter().map(Cell::heading).collect::<Html>())
        .markup("</tr></thead><tbody>\n")
        .html(lines.map(line).collect::<Html>())
        .markup("</tbody></table></div>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Figure;

    /// A column of values as the engine writes them; an empty one is NULL.
    fn column<'a>(name: &str, column_type: ColumnType, values: impl Iterator<Item = &'a str>) -> Column {
        let shown: Vec<Option<String>> =
            values.map(|value| Some(value.to_string()).filter(|value| !value.is_empty())).collect();
        let numbers = match column_type {
            ColumnType::Number => shown.iter().map(|value| value.as_ref()?.parse().ok()).collect(),
            ColumnType::Text | ColumnType::Time => vec![],
        };
        Column { name: name.to_string(), column_type, shown, numbers }
    }

    /// Rows of `host eps clusters noise largest_cluster largest_share is_auto`, with commas between.
    fn rows(lines: &[&str]) -> Rows {
        let names = ["host", "eps", "clusters", "noise", "largest_cluster", "largest_share", "is_auto"];
        let column = |(at, name)| {
            let column_type = if matches!(at, 0 | 6) { ColumnType::Text } else { ColumnType::Number };
            column(name, column_type, lines.iter().map(|line| line.split(',').nth(at).unwrap_or_default()))
        };
        Rows(names.into_iter().enumerate().map(column).collect())
    }

    fn settings(rows: &Rows, given: &[(&str, &str)]) -> Settings {
        let columns: Vec<_> =
            rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        Settings::try_new(Figure::Curve, given.iter().copied(), &columns).expect("settings")
    }

    /// The headings and the notes of a page.
    fn notes(lines: &[&str], given: &[(&str, &str)]) -> Vec<(String, String)> {
        let rows = rows(lines);
        let parts = draw(&rows, &settings(&rows, given)).expect("parts");
        parts.into_iter().map(|part| (part.heading, part.note.replace('\u{a0}', " "))).collect()
    }

    const SEED: [&str; 3] = [
        "a,0.0001,29,33,71,0.19559228650137742,false",
        "a,0.00016523,22,17,94,0.25895316804407714,true",
        "a,0.00035,4,2,338,0.931129476584022,false",
    ];

    #[test]
    fn page_begins_with_the_finding() {
        let told = notes(&SEED, &[]);
        assert_eq!(
            told,
            [
                (
                    "host: a".to_string(),
                    "At eps 0.00016523 (auto): 22 clusters, 17 noise events of 363; the largest cluster has 26 %. Beyond it, at \
                     0.00035, one cluster takes 93 %. Each curve keeps the value of an eps up to the next one."
                        .to_string()
                ),
                ("Every eps".to_string(), "3 rows; marked is the eps that auto takes.".to_string()),
            ]
        );
        let [chosen, low] = ["0.00034", "1e-5"].map(|eps| notes(&SEED, &[("eps", eps)])[0].1.clone());
        assert!(
            chosen.contains("The chosen eps of 0.00034 has the row of 0.00016523: 22 clusters, 17"),
            "{chosen}"
        );
        assert!(low.contains("The chosen eps of 1e-5 is below all of these."), "{low}");
    }

    #[test]
    fn rows_without_auto_or_without_a_place_are_told() {
        let told = &notes(&["a,0.1,2,0,3,0.6,false", "a,0.2,1,0,5,1.0,false"], &[])[0].1;
        assert!(told.starts_with("At eps 0.1: 2 clusters, 0 noise events of 5; the largest cluster has 60 %. At eps 0.2: 1 cluster,"));
        assert!(told.contains("None of these is the eps that auto takes."), "{told}");
        let told = &notes(&["a,,1,0,5,1.0,true"], &[])[0].1;
        assert_eq!(
            told,
            "Nothing changes at any eps: 1 cluster, 0 noise events of 5; the largest cluster has 100 %."
        );
        let told = &notes(&["a,0,0,5,0,0.0,false", "a,1,1,0,5,1.0,false"], &[])[0].1;
        assert!(
            told.contains("Not drawn: 1 row, since a logarithmic axis has no place for the eps."),
            "{told}"
        );
        assert_eq!(
            notes(&[], &[]),
            [(String::new(), "No rows: there were no events to cluster.".to_string())]
        );
    }

    #[test]
    fn events_are_told_only_if_all_rows_agree() {
        let told = &notes(&["a,0.1,2,1,3,0.6,false", "a,0.2,1,0,5,0.9,false"], &[])[0].1;
        assert!(told.starts_with("At eps 0.1: 2 clusters, 1 noise event; the"), "{told}");
        let told = &notes(&["a,0.1,1,9007199254740993,3,0.0,true"], &[])[0].1;
        assert!(
            told.starts_with("At eps 0.1 (auto): 1 cluster, 9,007,199,254,740,993 noise events."),
            "{told}"
        );
    }

    #[test]
    fn partitions_are_apart_in_the_order_of_their_rows() {
        let lines = [
            "b,0.2,1,0,5,1.0,false",
            "b,0.1,2,0,3,0.6,true",
            ",,1,0,2,1.0,true",
            "(NULL),0.1,1,0,2,1.0,true",
        ];
        let told = notes(&lines, &[]);
        let headings: Vec<&str> = told.iter().map(|(heading, _)| heading.as_str()).collect();
        assert_eq!(headings, ["Partitions", "host: b", "host: (NULL)", "host: (NULL)", "Every eps"]);
        assert!(told[1].1.ends_with("Beyond it, at 0.2, one cluster takes 100 %."), "{}", told[1].1);
        assert!(told[2].1.starts_with("Nothing changes"), "{}", told[2].1);
        let together = notes(&lines, &[("panel", "")]);
        assert!(together[0].1.contains("3 rows are of auto"), "{}", together[0].1);
    }

    #[test]
    fn partitions_beyond_the_pictures_are_in_the_tables() {
        let lines: Vec<String> = (0..30).map(|host| format!("h{host},0.1,1,0,2,1.0,true")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let told = notes(&lines, &[]);
        assert_eq!(told.len(), MAX_PICTURES + 2);
        assert!(
            told[0].1.starts_with(
                "30 partitions, each with the eps that auto takes. Pictures are of the first 24,"
            )
        );
        let rows = rows(&lines);
        let page = Figure::Curve.draw(&rows, &settings(&rows, &[])).expect("a page");
        assert_eq!(page.matches("<div>h29</div>").count(), 2, "in both tables");
    }

    #[test]
    fn names_are_text_and_their_hidden_characters_are_seen() {
        let rows =
            rows(&["\u{202e}gpj.exe<b>,0.1234567890123456789e-300,1,0,2,1.0,true", "b,0.1,1,0,2,1.0,true"]);
        let page = Figure::Curve.draw(&rows, &settings(&rows, &[])).expect("a page");
        let (head, data) = page.split_once("id=\"page\"").expect("data");
        assert!(!page.contains('\u{202e}'));
        assert!(head.contains("<h2>host: ⟨U+202E⟩gpj.exe&lt;b&gt;</h2>"), "{head}");
        assert!(head.contains("<td class=\"number\">0.1234567890123456789e-300</td>"), "all digits");
        assert!(data.contains(r#"["⟨U+202E⟩gpj.exe\u003cb>","0.1234567890123456789e-300","#));
    }

    #[test]
    fn wrong_columns_are_refused_with_a_way_out() {
        let number = ColumnType::Number;
        let message = |columns: &[(&str, ColumnType)], given: &[(&str, &str)]| {
            let settings = Settings::try_new(Figure::Curve, given.iter().copied(), columns);
            settings.err().map(|error| error.to_string()).unwrap_or_default()
        };
        let some =
            [("eps", number), ("clusters", ColumnType::Text), ("largest_share", number), ("is_auto", number)];
        assert_eq!(
            message(&some, &[]),
            "CURVE draws the rows of dbcluster_eps(...) and needs their columns eps, clusters, noise, largest_share as \
             numbers and is_auto as BOOLEAN, got clusters that is no number, no noise, is_auto that is no BOOLEAN; start from \
             SELECT * FROM dbcluster_eps(...), or name a column of distances, as in OPTIONS (y 'distance'); the query's \
             columns are: eps, clusters, largest_share, is_auto"
        );
        assert_eq!(message(&some, &[("y", "eps")]), "");
        let both = message(&some, &[("y", "eps"), ("panel", "clusters")]);
        assert!(
            both.ends_with("got 'clusters' beside a column of distances in 'y'; leave one of them out"),
            "{both}"
        );
        let all = NEEDED.map(|name| (name, number));
        assert_eq!(message(&all, &[]), "");
        assert!(
            message(&all, &[("panel", "host")])
                .contains("names the column 'host', which the query does not have")
        );
        assert!(Settings::guess(Figure::Curve, &[], &all).is_empty(), "rows of dbcluster_eps need no option");
        let distances = [("id", ColumnType::Text), ("distance", number)];
        assert_eq!(
            Settings::guess(Figure::Curve, &[], &distances),
            [("y".to_string(), "distance".to_string())]
        );
    }

    #[test]
    fn more_rows_than_a_table_can_have_are_refused() {
        let rows = rows(&vec!["a,0.1,1,0,2,1.0,false"; MAX_ROWS + 1]);
        let error = Figure::Curve.draw(&rows, &settings(&rows, &[])).expect_err("too many");
        assert!(
            error
                .to_string()
                .starts_with("CURVE draws up to 10000 rows of dbcluster_eps(...), got 10001; take fewer")
        );
    }
}
