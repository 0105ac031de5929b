//! The page around a figure.

use plotly::Plot;

use super::rows::Rows;
use super::settings::Settings;
use super::text::{count, html, json_in_script, json_string};
use super::{Drawing, Figure};

/// Forbids all that is not in the page: no network, no plug-ins, no frames, no forms, no other base of links.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; \
                      base-uri 'none'; form-action 'none'";

/// The whole page as HTML.
pub(super) fn page(figure: Figure, drawing: Drawing, rows: &Rows, settings: &Settings) -> String {
    let mut plot = Plot::new();
    plot.add_traces(drawing.traces);
    plot.set_layout(drawing.layout);
    let title = settings.get("title").map_or_else(|| default_title(figure), ToString::to_string);
    let title = html(&title);
    let note = html(&drawing.note);
    let query = settings.get("query").map_or_else(String::new, |query| {
        format!(
            "<details open>\n<summary>What was asked</summary>\n<pre id=\"query\">{}</pre>\n</details>\n",
            html(query)
        )
    });
    let headings: Vec<String> =
        rows.0.iter().map(|column| format!("<th scope=\"col\">{}</th>", html(&column.name))).collect();
    let headings = headings.concat();
    let count = count(rows.len(), "row");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<div class=\"actions\">\
         <button id=\"png\" type=\"button\">Save PNG</button><button id=\"svg\" type=\"button\">Save SVG</button>\
         <button id=\"theme\" type=\"button\">Light or dark</button></div>\n</header>\n\
         <p id=\"note\">{note} Click a mark to keep its row.</p>\n<main id=\"figure\"></main>\n\
         <section class=\"kept\" hidden><table><caption>Kept rows</caption><thead><tr>{headings}</tr></thead>\
         <tbody id=\"kept\"></tbody></table></section>\n{query}<p id=\"count\">{count} drawn by dbcluster {version}.</p>\n\
         <script type=\"application/json\" id=\"drawing\">{drawing}</script>\n\
         <script type=\"application/json\" id=\"rows\">{rows}</script>\n\
         <script>{plotly}</script>\n<script>\n{script}</script>\n</body>\n</html>\n",
        css = include_str!("page.css"),
        version = env!("CARGO_PKG_VERSION"),
        drawing = json_in_script(&plot.to_json()),
        rows = json_in_script(&rows_json(rows)),
        plotly = drawing_script(),
        script = include_str!("page.js"),
    )
}

fn default_title(figure: Figure) -> String {
    match figure {
        Figure::Bar => "Sizes",
        Figure::Box => "Variability",
        Figure::Scatter => "Map of clusters",
        Figure::Timeline => "Timeline",
    }
    .to_string()
}

/// plotly.js of the `plotly` crate, without the typesetter of formulas that comes after it: events have `$` in them.
fn drawing_script() -> String {
    let sources = Plot::offline_js_sources();
    let first = sources.split_once("</script>").map_or(sources.as_str(), |(first, _)| first);
    first.split_once('>').map_or(first, |(_, script)| script).to_string()
}

/// The rows as the table of kept rows shows them.
fn rows_json(rows: &Rows) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (rows.0.iter())
            .map(|column| match column.shown.get(row) {
                Some(Some(text)) => json_string(text),
                _ => "null".to_string(),
            })
            .collect();
        format!("[{}]", values.join(","))
    };
    let lines: Vec<String> = (0..rows.len()).map(row).collect();
    format!("{{\"rows\":[{}]}}", lines.join(",\n"))
}
