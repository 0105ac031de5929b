//! The page around figures.

use std::sync::LazyLock;

use plotly::{Layout, Plot, Trace};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::PlotError;
use crate::figure::time_axis::MOST_LABELS;
use crate::html::Html;
use crate::rows::{Column, Rows};
use crate::settings::Reference;
use crate::style::{COLOR_RULES, color_pairs};
use crate::text::{SHOWN, shortened};
use crate::times;

/// One drawing of a page, with the words around it.
pub(crate) struct Part {
    /// Its name among others; empty if it stands alone.
    pub(crate) heading: String,
    /// The facts that a reader needs to read it.
    pub(crate) note: String,
    pub(crate) body: Body,
    /// The row set of the page that its marks stand for.
    pub(crate) rows: usize,
    /// The columns of a tooltip, by their position.
    pub(crate) tooltip: Vec<usize>,
    /// The scale of both axes at first; with it the page offers the others, too.
    pub(crate) scale: Option<String>,
    /// The times of its lines.
    pub(crate) references: Vec<Reference>,
}

/// The way in which a part is drawn.
pub(crate) enum Body {
    /// By the drawing script.
    Drawing {
        traces: Vec<Box<dyn Trace>>,
        layout: Box<Layout>,
        /// Whether its times follow those of all other linked parts.
        linked: bool,
    },
    /// As HTML. An element with `data-row` is a mark.
    Html(Html),
}

impl Part {
    /// A part of the page's first rows, whose tooltips show all of their columns.
    pub(crate) fn new(rows: &Rows, note: String, body: Body) -> Self {
        Self {
            heading: String::new(),
            note,
            body,
            rows: 0,
            tooltip: (0..rows.0.len()).collect(),
            scale: None,
            references: vec![],
        }
    }

    pub(crate) fn drawing(rows: &Rows, note: String, traces: Vec<Box<dyn Trace>>, layout: Layout) -> Self {
        Self::new(rows, note, Body::Drawing { traces, layout: Box::new(layout), linked: false })
    }

    /// The same with a tooltip of only these columns.
    pub(crate) fn with_tooltip(mut self, rows: &Rows, columns: Option<Vec<&Column>>) -> Self {
        if let Some(columns) = columns {
            self.tooltip = columns.iter().filter_map(|column| rows.position(&column.name)).collect();
        }
        self
    }

    /// The same with other scales of the axes to choose from, this one first.
    pub(crate) fn with_scale(mut self, scale: impl Into<String>) -> Self {
        self.scale = Some(scale.into());
        self
    }

    /// The same with the times of its lines.
    pub(crate) fn with_references(mut self, references: &[Reference]) -> Self {
        self.references = references.to_vec();
        self
    }

    pub(crate) fn with_heading(mut self, heading: impl Into<String>) -> Self {
        self.heading = heading.into();
        self
    }
}

/// The head of a page: its headline, the query, and the numbers of rows that went in and out.
pub(crate) struct About<'a> {
    pub(crate) title: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) flow: String,
}

/// The whole page as HTML. Marks of the parts stand for rows of the `row_sets`.
///
/// # Errors
/// A drawing that has no JSON.
pub(crate) fn page(about: &About<'_>, parts: Vec<Part>, row_sets: &[&Rows]) -> Result<String, PlotError> {
    let (mut bodies, mut described, mut has_drawing) = (Html::default(), vec![], false);
    let links = links(about.title, &parts);
    for (at, part) in parts.into_iter().enumerate() {
        let actions = if part.heading.is_empty() && part.note.is_empty() { "" } else { ACTIONS };
        let mut described_part = json!({ "rows": part.rows, "tooltip": part.tooltip, "scale": part.scale });
        let body = match part.body {
            Body::Drawing { traces, layout, linked } => {
                has_drawing = true;
                described_part["data"] = drawing_json(&traces)?;
                described_part["layout"] = drawing_json(&layout)?;
                described_part["linked"] = linked.into();
                described_part["references"] = part.references.iter().map(reference_json).collect();
                described_part["numbered"] = (part.references.len() > MOST_LABELS).into();
                let name = if part.heading.is_empty() { about.title } else { &part.heading };
                Html::raw("<div class=\"figure\" tabindex=\"0\" role=\"group\" aria-roledescription=\"figure\" aria-label=\"")
                    .text(name)
                    .text(". Arrow keys go from mark to mark, Enter keeps a row, plus and minus zoom, 0 shows all.")
                    .markup("\"></div>")
            }
            Body::Html(body) => Html::raw("<div class=\"written\">").html(body).markup("</div>"),
        };
        described.push(described_part);
        let heading =
            (!part.heading.is_empty()).then(|| Html::raw("<h2>").text(&part.heading).markup("</h2>\n"));
        let section = Html::raw("<section class=\"part\" id=\"part-")
            .text(at + 1)
            .markup("\">\n<div class=\"head\"><div>")
            .html(heading)
            .markup("<p class=\"note\">")
            .text(&part.note)
            .markup("</p></div>")
            .markup(actions)
            .markup("</div>\n")
            .html(body)
            .markup("\n</section>\n");
        bodies.extend([section]);
    }
    let row_sets: Vec<Value> = row_sets.iter().map(|rows| rows_json(rows)).collect();
    let colors: Vec<[&str; 2]> = color_pairs().collect();
    let described = json!({ "parts": described, "rows": row_sets, "colors": colors }).to_string();
    let plotly = if has_drawing { PLOTLY.as_str() } else { "" };
    let query = about.query.map(|query| {
        Html::raw("<details open>\n<summary>What was asked</summary>\n<pre id=\"query\">")
            .text(query)
            .markup("</pre>\n</details>\n")
    });
    let page = Html::raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .markup("<meta http-equiv=\"Content-Security-Policy\" content=\"")
        .html(policy(plotly, described.contains("\"type\":\"scattergl\"")))
        .markup("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(about.title)
        .markup("</title>\n<style>\n")
        .markup(include_str!("page.css"))
        .markup(include_str!("marks.css"))
        .markup(&COLOR_RULES)
        .markup("</style>\n</head>\n<body>\n<header>\n<h1>")
        .text(about.title)
        .markup("</h1>\n<div class=\"actions\"><button id=\"theme\" type=\"button\">Light or dark</button></div>\n")
        .markup("</header>\n<noscript><p>This page draws by script, and scripts are switched off here: the words are all there, drawings \
                 are not.</p></noscript>\n")
        .html(links)
        .markup("<main>\n")
        .html(bodies)
        .markup("</main>\n")
        .html(query)
        .markup("<p id=\"count\">")
        .text(&about.flow)
        .markup(concat!(" Drawn by dbcluster ", env!("CARGO_PKG_VERSION"), ".</p>\n"))
        .markup("<script type=\"application/json\" id=\"page\">")
        .json_in_script(&described)
        .markup("</script>\n<script>")
        .markup(plotly)
        .markup("</script>\n<script>")
        .markup(SCRIPT)
        .markup("</script>\n</body>\n</html>\n");
    Ok(page.into_string())
}

/// A line as the page tells it.
fn reference_json(reference: &Reference) -> Value {
    json!({ "time": reference.time, "at": times::text(reference.time), "label": reference.label })
}

/// The most parts that need no list of them.
const FEW_PARTS: usize = 2;

/// Links to the parts of a page that has several.
fn links(title: &str, parts: &[Part]) -> Option<Html> {
    let link = |(at, part): (usize, &Part)| {
        let name = if part.heading.is_empty() { title } else { &part.heading };
        Html::raw("<li><a href=\"#part-")
            .text(at + 1)
            .markup("\">")
            .text(shortened(name, SHOWN))
            .markup("</a></li>\n")
    };
    let links = || parts.iter().enumerate().map(link).collect::<Html>();
    (parts.len() > FEW_PARTS).then(|| {
        Html::raw("<nav class=\"parts\" aria-label=\"Parts of this page\"><ul>\n")
            .html(links())
            .markup("</ul></nav>\n")
    })
}

/// A drawing's traces or its layout.
fn drawing_json(drawing: &impl Serialize) -> Result<Value, PlotError> {
    serde_json::to_value(drawing).map_err(|error| PlotError(format!("the figure can't be written: {error}")))
}

const ACTIONS: &str = "<div class=\"actions\"><button data-save=\"png\" type=\"button\">Save PNG</button><button data-save=\"svg\" \
                       type=\"button\">Save SVG</button></div>";

/// The script of every page. Its files are one script, and share their names.
const SCRIPT: &str = concat!(
    include_str!("text.js"),
    include_str!("save.js"),
    include_str!("marks.js"),
    include_str!("tree.js"),
    include_str!("memory.js"),
    include_str!("page.js")
);

/// Forbids all that is not in the page: no network, no plug-ins, no frames, no forms, and no script but the two that
/// this crate puts there. plotly.js compiles code for the graphics card, so that pages of many marks let those two make
/// functions of text.
fn policy(plotly: &str, has_many: bool) -> Html {
    let script = |script: &str| Html::raw("'").text(sha256(script)).markup("'");
    Html::raw("default-src 'none'; script-src ")
        .html(script(plotly))
        .markup(" ")
        .html(script(SCRIPT))
        .markup(if has_many { " 'unsafe-eval'" } else { "" })
        .markup("; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'")
}

/// A script's name in a content policy.
pub(crate) fn sha256(script: &str) -> String {
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
