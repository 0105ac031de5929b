//! All of a collapse on one page: what it comes to, sizes, variability, the map, when it happened, and what is odd.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::page::{Body, Part};
use super::rows::{Column, Rows};
use super::settings::Settings;
use super::text::{count, html, thousands};
use super::{ColumnType, Figure, PlotError, bar, box_plot, scatter, timeline};

/// The column that tells clusters from noise in words.
const KIND: &str = "kind";
const CLUSTER: &str = "cluster";
const NOISE: &str = "noise";
const SKIPPED: &str = "skipped";

/// So many bars, categories of boxes and rows of a timeline are still readable.
const READABLE: usize = 60;

/// The rows of the two tables.
const TABLE_ROWS: usize = 200;

/// Whether the columns are those of a collapse.
pub(super) fn check(columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
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

/// The rows, each with its kind.
pub(super) fn with_kind(rows: &Rows) -> Rows {
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

pub(super) fn draw(
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
    parts.push(table(rows, settings, &noise, "Odd events", "What no cluster has: each an event of its own."));
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
        return box_plot::draw(rows, settings);
    }
    let all = events.len();
    let mut frequent: Vec<(Option<&str>, f64)> = events.into_iter().collect();
    frequent.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let drawn: HashSet<Option<&str>> = frequent.into_iter().take(READABLE).map(|(name, _)| name).collect();
    let mut part = box_plot::draw_rows(rows, settings, |row| drawn.contains(&category(row)))?;
    let _ = write!(part.note, " The {READABLE} most frequent of {}.", thousands(all));
    Ok(part)
}

/// What the collapse comes to, in a few numbers.
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
    let tile = |(name, value): &(&str, String)| {
        format!("<div class=\"tile\"><b>{}</b><span>{name}</span></div>", html(value))
    };
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>", html(note)) };
    let body =
        format!("<div class=\"tiles\">{}</div>{note}", tiles.iter().map(tile).collect::<Vec<_>>().concat());
    Part::new(rows, String::new(), Body::Html(body))
}

fn table(rows: &Rows, settings: &Settings, members: &[usize], heading: &str, note: &str) -> Part {
    // What a row is called and what it stands for come first.
    let leading =
        [settings.get("label").unwrap_or_default(), "cluster_size", "first_event_time", "last_event_time"];
    let leading: Vec<usize> = leading.iter().filter_map(|name| rows.position(name)).collect();
    let others = (0..rows.0.len()).filter(|at| !leading.contains(at));
    let columns: Vec<&Column> =
        leading.iter().copied().chain(others).filter_map(|at| rows.0.get(at)).collect();
    let shown: Vec<usize> = members.iter().copied().take(TABLE_ROWS).collect();
    let headings: Vec<String> =
        columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", html(&column.name))).collect();
    let headings = headings.concat();
    let mut body = String::new();
    for &row in &shown {
        let cells: Vec<String> = (columns.iter())
            .map(|column| match column.text(row) {
                Some(text) => format!("<td><div>{}</div></td>", html(text)),
                None => "<td class=\"null\">(NULL)</td>".to_string(),
            })
            .collect();
        let _ = writeln!(body, "<tr data-row=\"{row}\">{}</tr>", cells.concat());
    }
    let note = match members.len() {
        0 => "None.".to_string(),
        all if all > shown.len() => {
            format!("{note} The first {} of {}.", shown.len(), thousands(all))
        }
        all => format!("{note} {}.", count(all, "row")),
    };
    let body = if members.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"scroll\"><table><thead><tr>{headings}</tr></thead><tbody>\n{body}</tbody></table></div>"
        )
    };
    Part::new(rows, note, Body::Html(body)).with_heading(heading)
}
