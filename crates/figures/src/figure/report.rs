//! All of a collapse on one page: its numbers, sizes, variability, the map, the timeline, and the odd events.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use crate::error::PlotError;
use crate::figure::{Draw, Figure, MAX_ROWS, bar, box_plot, flow, review, scatter, timeline};
use crate::html::Html;
use crate::options::{NAMES, OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, TOOLTIP, option};
use crate::page::{Body, Part, page};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::text::{count, thousands};

/// The report: [`Figure::Report`].
pub(crate) struct ReportFigure;

impl Draw for ReportFigure {
    const NAME: &'static str = "REPORT";
    const TITLE: &'static str = "Clustered events";
    const OPTIONS: &'static [OptionSpec] = &[
        option("label", NAMES, "What the exemplars are called, such as the process"),
        option("x", OPTIONAL_NUMBERS, "A feature: the map's place from left to right"),
        option("y", OPTIONAL_NUMBERS, "Another one: the map's place from bottom to top"),
        option("color", OPTIONAL_NAMES, "Splits the boxes of each label"),
        TOOLTIP,
        TITLE,
        QUERY,
    ];

    fn check(_: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        check(columns)
    }

    fn rows(rows: &Rows) -> Cow<'_, Rows> {
        Cow::Owned(with_kind(rows))
    }

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        draw(rows, settings, None, "")
    }
}

/// The column that tells clusters from noise in words.
const KIND: &str = "kind";
const CLUSTER: &str = "cluster";
const NOISE: &str = "noise";
const SKIPPED: &str = "skipped";

/// The most bars, categories of boxes and rows of a timeline that are still readable.
const READABLE: usize = 60;

/// Clusters of at most this many events are read like odd events.
const SMALL: f64 = 10.0;

/// The rows of the two tables.
const TABLE_ROWS: usize = 200;

/// Checks that the columns are those of a collapse.
fn check(columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
    let has = |name: &str| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
    if has("clustered") && columns.contains(&("cluster_size", ColumnType::Number)) {
        return Ok(());
    }
    Err(PlotError(
        "REPORT draws the rows of dbcluster(...) and needs their columns clustered and cluster_size; start from SELECT * \
         FROM dbcluster(...)"
            .to_string(),
    ))
}

/// A report whose boxes come from rows of their own, each drawn as a [`Figure::Box`] with its settings; without them, from
/// the exemplars. `note` stands before the figures and tells what a reader has to know of the events.
///
/// # Errors
/// More than [`MAX_ROWS`] rows, or a drawing without JSON.
pub fn draw_report(
    rows: &Rows,
    settings: &Settings,
    variability: Option<(&Rows, &[Settings])>,
    note: &str,
) -> Result<String, PlotError> {
    let of_events = variability.map(|(rows, _)| rows);
    if rows.len().max(of_events.map_or(0, Rows::len)) > MAX_ROWS {
        return Err(Figure::Report.too_many_rows());
    }
    let about = Figure::Report.about(settings, flow(rows, settings));
    let rows = with_kind(rows);
    let parts = draw(&rows, settings, variability, note)?;
    let row_sets: Vec<&Rows> = std::iter::once(&rows).chain(of_events).collect();
    page(&about, parts, &row_sets)
}

/// The rows, each with its kind.
fn with_kind(rows: &Rows) -> Rows {
    let (clustered, cluster_id) = (rows.column("clustered"), rows.column("cluster_id"));
    let kind = |row: usize| match clustered {
        Some(column) if column.is_set(row) => CLUSTER,
        // Left out by nulls => 'skip'.
        _ if cluster_id.is_some_and(|column| column.text(row).is_none()) => SKIPPED,
        _ => NOISE,
    };
    let mut rows = rows.clone();
    let shown = (0..rows.len()).map(|row| Some(kind(row).to_string())).collect();
    rows.0.push(Column { name: KIND.to_string(), column_type: ColumnType::Text, shown, numbers: vec![] });
    rows
}

fn draw(
    rows: &Rows,
    settings: &Settings,
    variability: Option<(&Rows, &[Settings])>,
    note: &str,
) -> Result<Vec<Part>, PlotError> {
    let columns: Vec<(&str, ColumnType)> =
        rows.0.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
    let made = |figure: Figure, given: &[(&str, Option<&str>)]| {
        let given = given.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
        Settings::try_new(figure, given, &columns)
    };
    let [label, x, y, color] = ["label", "x", "y", "color"].map(|name| settings.get(name));
    let size_of =
        |row: usize| rows.column("cluster_size").and_then(|column| column.number(row)).unwrap_or(1.0);
    let kinds = rows.column(KIND);
    let of_kind = |kind: &str| -> Vec<usize> {
        (0..rows.len()).filter(|&row| kinds.and_then(|kinds| kinds.text(row)) == Some(kind)).collect()
    };
    let [mut clusters, mut noise, skipped] = [CLUSTER, NOISE, SKIPPED].map(of_kind);
    clusters.sort_by(|&a, &b| size_of(b).total_cmp(&size_of(a)).then(a.cmp(&b)));
    let time = rows.column("first_event_time");
    let time_of = |row: usize| time.and_then(|time| time.number(row)).unwrap_or(f64::INFINITY);
    noise.sort_by(|&a, &b| time_of(a).total_cmp(&time_of(b)).then(a.cmp(&b)));
    let mut parts = vec![tiles(rows, [&clusters, &noise, &skipped], size_of, note)];
    let read_first = read_first(rows, settings, &noise, &clusters, size_of);
    let is_ranked = read_first.is_some();
    parts.extend(read_first);

    let bars = made(Figure::Bar, &[("x", label), ("y", Some("cluster_size"))])?;
    let largest: Vec<usize> = clusters.iter().copied().take(READABLE).collect();
    let note = match clusters.len() {
        all if all > READABLE => format!("The largest {READABLE} of {} clusters.", thousands(all)),
        all => format!("{}, the largest first.", count(all, "cluster")),
    };
    parts.push(bar::draw_rows(rows, &bars, &largest, note).with_heading("Cluster sizes"));

    // Below what is short, since they are long.
    let mut boxes = vec![];
    if let Some((rows, all_settings)) = variability {
        for settings in all_settings {
            let mut part = some_boxes(rows, settings)?;
            part.rows = 1;
            boxes.push(part.with_heading(heading(settings)));
        }
    } else {
        for (feature, color) in [(x, None), (y, color)] {
            let Some(feature) = feature else { continue };
            let given =
                [("x", Some(feature)), ("y", label), ("color", color), ("weight", Some("cluster_size"))];
            let settings = made(Figure::Box, &given)?;
            let mut part = some_boxes(rows, &settings)?;
            part.note.push_str(" Each exemplar counts as often as its cluster has events.");
            boxes.push(part.with_heading(heading(&settings)));
        }
    }
    if x.is_some() && y.is_some() {
        let given =
            [("x", x), ("y", y), ("label", label), ("size", Some("cluster_size")), ("color", Some(KIND))];
        parts.push(scatter::draw(rows, &made(Figure::Scatter, &given)?)?.with_heading("Map of clusters"));
    }
    let has_times = columns.contains(&("first_event_time", ColumnType::Time))
        && columns.contains(&("last_event_time", ColumnType::Time));
    if has_times {
        let labels: HashSet<Option<&str>> = settings
            .column("label", rows)
            .map(|column| (0..rows.len()).map(|row| column.text(row)).collect())
            .unwrap_or_default();
        let group = label.filter(|_| labels.len() <= READABLE);
        let given = [
            ("time", Some("first_event_time")),
            ("end", Some("last_event_time")),
            ("group_by", group),
            ("series", Some(KIND)),
        ];
        for mut part in timeline::draw(rows, &made(Figure::Timeline, &given)?)? {
            if group.is_none() {
                let _ = write!(part.note, " Not by name: there are {} of them.", thousands(labels.len()));
            }
            parts.push(part.with_heading("From the first to the last event"));
        }
    }
    if !is_ranked {
        parts.push(table(
            rows,
            settings,
            &noise,
            "Odd events",
            "What no cluster has: each an event of its own.",
        ));
    }
    if !skipped.is_empty() {
        let note = "Events with a NULL among the features: they were not compared.";
        parts.push(table(rows, settings, &skipped, "Skipped events", note));
    }
    parts.extend(boxes);
    parts.push(table(
        rows,
        settings,
        &clusters,
        "Clusters",
        "One exemplar of each, the largest cluster first.",
    ));
    let tooltip = settings.columns("tooltip", rows);
    Ok(parts
        .into_iter()
        .map(|part| if part.rows == 0 { part.with_tooltip(rows, tooltip.clone()) } else { part })
        .collect())
}

fn heading(settings: &Settings) -> String {
    format!("Variability of {}", settings.get("x").unwrap_or_default())
}

/// Boxes of the most frequent categories.
fn some_boxes(rows: &Rows, settings: &Settings) -> Result<Part, PlotError> {
    let categories = settings.column("y", rows);
    let weights = settings.column("weight", rows);
    let category = |row: usize| categories.and_then(|column| column.text(row));
    let mut events: BTreeMap<Option<&str>, f64> = BTreeMap::new();
    for row in 0..rows.len() {
        *events.entry(category(row)).or_default() +=
            weights.and_then(|column| column.number(row)).unwrap_or(1.0);
    }
    if events.len() <= READABLE {
        return box_plot::draw_rows(rows, settings, |_| true);
    }
    let all = events.len();
    let mut frequent: Vec<(Option<&str>, f64)> = events.into_iter().collect();
    frequent.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let drawn: HashSet<Option<&str>> = frequent.into_iter().take(READABLE).map(|(name, _)| name).collect();
    let mut part = box_plot::draw_rows(rows, settings, |row| drawn.contains(&category(row)))?;
    let _ = write!(part.note, " The {READABLE} most frequent of {}.", thousands(all));
    Ok(part)
}

/// The collapse in a few numbers.
fn tiles(
    rows: &Rows,
    [clusters, noise, skipped]: [&[usize]; 3],
    size_of: impl Fn(usize) -> f64,
    note: &str,
) -> Part {
    let events: f64 = (0..rows.len()).map(&size_of).sum();
    let largest = clusters.first().map_or(0.0, |&row| size_of(row));
    let of_time = |name: &str, pick: fn(f64, f64) -> bool| {
        let column = rows.column(name)?;
        let mut found: Option<(f64, usize)> = None;
        for row in 0..rows.len() {
            if let Some(time) = column.number(row)
                && found.is_none_or(|(best, _)| pick(time, best))
            {
                found = Some((time, row));
            }
        }
        column.text(found?.1).map(|time| time.replacen('T', " ", 1))
    };
    let mut tiles = vec![
        ("events", thousands(events as usize)),
        ("rows to read", thousands(rows.len())),
        ("clusters", thousands(clusters.len())),
        ("odd events", thousands(noise.len())),
        ("events in the largest cluster", thousands(largest as usize)),
    ];
    if !skipped.is_empty() {
        tiles.push(("skipped events", thousands(skipped.len())));
    }
    if let (Some(first), Some(last)) =
        (of_time("first_event_time", |a, b| a < b), of_time("last_event_time", |a, b| a > b))
    {
        tiles.push(("the first event", first));
        tiles.push(("the last event", last));
    }
    let tile = |(name, value): (&'static str, String)| {
        Html::raw("<div class=\"tile\"><b>")
            .text(value)
            .markup("</b><span>")
            .markup(name)
            .markup("</span></div>")
    };
    let note = (!note.is_empty()).then(|| Html::raw("<p class=\"note\">").text(note).markup("</p>"));
    let body = Html::raw("<div class=\"tiles\">")
        .html(tiles.into_iter().map(tile).collect::<Html>())
        .markup("</div>")
        .html(note);
    Part::new(rows, String::new(), Body::Html(body))
}

/// Odd events and small clusters, the highest score first, if the rows have scores.
fn read_first(
    rows: &Rows,
    settings: &Settings,
    noise: &[usize],
    clusters: &[usize],
    size_of: impl Fn(usize) -> f64,
) -> Option<Part> {
    let scores = rows.column("score").filter(|_| rows.column("reasons").is_some())?;
    let small = clusters.iter().copied().filter(|&row| size_of(row) <= SMALL);
    let mut odd: Vec<usize> = noise.iter().copied().chain(small).collect();
    let score_of = |row: usize| scores.number(row).unwrap_or(f64::NEG_INFINITY);
    odd.sort_by(|&a, &b| score_of(b).total_cmp(&score_of(a)).then(a.cmp(&b)));
    let shown = &odd[..odd.len().min(TABLE_ROWS)];
    let what = "Odd events and clusters of at most ten events, by how unusual they are, with the reasons.";
    let note = match odd.len() {
        0 => "No event is odd, and no cluster is small.".to_string(),
        all if all > shown.len() => format!("{what} The first {} of {}.", shown.len(), thousands(all)),
        all => format!("{what} {}.", count(all, "row")),
    };
    let body = if odd.is_empty() { Html::default() } else { review::list(rows, settings, shown) };
    Some(Part::new(rows, note, Body::Html(body)).with_heading("Read first"))
}

fn table(rows: &Rows, settings: &Settings, members: &[usize], heading: &str, note: &str) -> Part {
    // The name of a row and its events come first.
    let leading =
        [settings.get("label").unwrap_or_default(), "cluster_size", "first_event_time", "last_event_time"];
    let leading: Vec<usize> = leading.iter().filter_map(|name| rows.position(name)).collect();
    let others = (0..rows.0.len()).filter(|at| !leading.contains(at));
    let columns: Vec<&Column> =
        leading.iter().copied().chain(others).filter_map(|at| rows.0.get(at)).collect();
    let shown: Vec<usize> = members.iter().copied().take(TABLE_ROWS).collect();
    let headings = columns
        .iter()
        .map(|column| Html::raw("<th scope=\"col\">").text(&column.name).markup("</th>"))
        .collect::<Html>();
    let cell = |text: Option<&str>| match text {
        Some(text) => Html::raw("<td><div>").text(text).markup("</div></td>"),
        None => Html::raw("<td class=\"null\">(NULL)</td>"),
    };
    let table_row = |&row: &usize| {
        Html::raw("<tr data-row=\"")
            .text(row)
            .markup("\">")
            .html(columns.iter().map(|column| cell(column.text(row))).collect::<Html>())
            .markup("</tr>\n")
    };
    let note = match members.len() {
        0 => "None.".to_string(),
        all if all > shown.len() => {
            format!("{note} The first {} of {}.", shown.len(), thousands(all))
        }
        all => format!("{note} {}.", count(all, "row")),
    };
    let body = if members.is_empty() {
        Html::default()
    } else {
        Html::raw("<div class=\"scroll\"><table><thead><tr>")
            .html(headings)
            .markup("</tr></thead><tbody>\n")
            .html(shown.iter().map(table_row).collect::<Html>())
            .markup("</tbody></table></div>")
    };
    Part::new(rows, note, Body::Html(body)).with_heading(heading)
}
