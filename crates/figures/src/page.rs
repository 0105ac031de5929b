//! The page around figures.

use std::fmt::Write as _;
use std::sync::LazyLock;

use plotly::{Layout, Plot, Trace};
use serde::Serialize;
use serde_json::{Value, json};

use super::PlotError;
use super::rows::{Column, Rows};
use super::text::{html, json_in_script};

/// What is drawn for one figure of a page.
pub(super) struct Part {
    /// What it is called among others; empty if it stands alone.
    pub(super) heading: String,
    /// What a reader has to know to read it.
    pub(super) note: String,
    pub(super) body: Body,
    /// Which rows of the page its marks stand for.
    pub(super) rows: usize,
    /// The columns of a tooltip, by their position.
    pub(super) tooltip: Vec<usize>,
}

/// How a part is drawn.
pub(super) enum Body {
    /// By the drawing script.
    Drawing {
        traces: Vec<Box<dyn Trace>>,
        layout: Box<Layout>,
        /// Whether its times follow those of all other linked parts.
        linked: bool,
    },
    /// As it is: HTML made by us, in which text is escaped. An element with `data-row` is a mark.
    Html(String),
}

impl Part {
    /// A part of the page's first rows, whose tooltips show all of their columns.
    pub(super) fn new(rows: &Rows, note: String, body: Body) -> Self {
        Self { heading: String::new(), note, body, rows: 0, tooltip: (0..rows.0.len()).collect() }
    }

    pub(super) fn drawing(rows: &Rows, note: String, traces: Vec<Box<dyn Trace>>, layout: Layout) -> Self {
        Self::new(rows, note, Body::Drawing { traces, layout: Box::new(layout), linked: false })
    }

    /// The same with a tooltip of only these columns.
    pub(super) fn with_tooltip(mut self, rows: &Rows, columns: Option<Vec<&Column>>) -> Self {
        if let Some(columns) = columns {
            self.tooltip = columns.iter().filter_map(|column| rows.position(&column.name)).collect();
        }
        self
    }

    pub(super) fn with_heading(mut self, heading: impl Into<String>) -> Self {
        self.heading = heading.into();
        self
    }
}

/// Headline, what was asked, and how many rows went in and out.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) flow: String,
}

/// The whole page as HTML. `row_sets` are what the parts' marks stand for.
///
/// # Errors
/// A drawing that has no JSON.
pub(super) fn page(about: &About<'_>, parts: Vec<Part>, row_sets: &[&Rows]) -> Result<String, PlotError> {
    let title = html(about.title);
    let query = about.query.map_or_else(String::new, |query| {
        format!(
            "<details open>\n<summary>What was asked</summary>\n<pre id=\"query\">{}</pre>\n</details>\n",
            html(query)
        )
    });
    let (mut bodies, mut described, mut has_drawing) = (String::new(), vec![], false);
    for part in parts {
        let heading = if part.heading.is_empty() {
            String::new()
        } else {
            format!("<h2>{}</h2>\n", html(&part.heading))
        };
        let actions = if part.heading.is_empty() && part.note.is_empty() { "" } else { ACTIONS };
        let mut about = json!({ "rows": part.rows, "tooltip": part.tooltip });
        let body = match part.body {
            Body::Drawing { traces, layout, linked } => {
                has_drawing = true;
                about["data"] = drawing_json(&traces)?;
                about["layout"] = drawing_json(&layout)?;
                about["linked"] = linked.into();
                "<div class=\"figure\"></div>".to_string()
            }
            Body::Html(body) => format!("<div class=\"written\">{body}</div>"),
        };
        described.push(about);
        let _ = write!(
            bodies,
            "<section class=\"part\">\n<div class=\"head\"><div>{heading}<p class=\"note\">{}</p></div>{actions}</div>\n{body}\n\
             </section>\n",
            html(&part.note)
        );
    }
    let row_sets: Vec<Value> = row_sets.iter().map(|rows| rows_json(rows)).collect();
    let described = json!({ "parts": described, "rows": row_sets }).to_string();
    let plotly = if has_drawing { PLOTLY.as_str() } else { "" };
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<div class=\"actions\">\
         <button id=\"theme\" type=\"button\">Light or dark</button></div>\n</header>\n<main>\n{bodies}</main>\n\
         {query}<p id=\"count\">{flow} Drawn by dbcluster {version}.</p>\n\
         <script type=\"application/json\" id=\"page\">{described}</script>\n\
         <script>{plotly}</script>\n<script>{script}</script>\n</body>\n</html>\n",
        policy = policy(plotly, described.contains("\"type\":\"scattergl\"")),
        css = include_str!("page.css"),
        flow = html(&about.flow),
        version = env!("CARGO_PKG_VERSION"),
        described = json_in_script(&described),
        script = SCRIPT,
    ))
}

/// A drawing's traces or its layout.
fn drawing_json(drawing: &impl Serialize) -> Result<Value, PlotError> {
    serde_json::to_value(drawing).map_err(|error| PlotError(format!("the figure can't be written: {error}")))
}

const ACTIONS: &str = "<div class=\"actions\"><button data-save=\"png\" type=\"button\">Save PNG</button><button data-save=\"svg\" \
                       type=\"button\">Save SVG</button></div>";

const SCRIPT: &str = include_str!("page.js");

/// Forbids all that is not in the page: no network, no plug-ins, no frames, no forms, and no script but the two that we
/// put there. What plotly.js draws by the graphics card it compiles first, so that pages of many marks let those two make
/// functions of text.
fn policy(plotly: &str, has_many: bool) -> String {
    let scripts = [plotly, SCRIPT].map(|script| format!("'{}'", sha256(script)));
    let compiles = if has_many { " 'unsafe-eval'" } else { "" };
    format!(
        "default-src 'none'; script-src {}{compiles}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'",
        scripts.join(" ")
    )
}

/// A script's name in a content policy.
fn sha256(script: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script)))
}

/// plotly.js of the `plotly` crate, without the typesetter of formulas that comes after it: events have `$` in them.
static PLOTLY: LazyLock<String> = LazyLock::new(|| {
    let sources = Plot::offline_js_sources();
    let first = sources.split_once("</script>").map_or(sources.as_str(), |(first, _)| first);
    first.split_once('>').map_or(first, |(_, script)| script).to_string()
});

/// The rows as tooltips and tables of kept rows show them.
fn rows_json(rows: &Rows) -> Value {
    let columns: Vec<&str> = rows.0.iter().map(|column| column.name.as_str()).collect();
    let row = |row: usize| -> Value { rows.0.iter().map(|column| column.text(row)).collect() };
    json!({ "columns": columns, "rows": (0..rows.len()).map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use serde::Serializer;

    use super::*;

    /// A trace without JSON.
    #[derive(Clone)]
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no such number"))
        }
    }

    impl Trace for Broken {
        fn to_json(&self) -> String {
            String::new()
        }
    }

    #[test]
    fn drawing_without_json_is_an_error_and_no_empty_figure() {
        let part = Part::drawing(&Rows::default(), String::new(), vec![Box::new(Broken)], Layout::new());
        let about = About { title: "x", query: None, flow: String::new() };
        let error = page(&about, vec![part], &[]).expect_err("no page");
        assert_eq!(error.to_string(), "the figure can't be written: no such number");
    }
}
