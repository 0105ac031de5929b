//! Rows to read one after the other, each with the reasons why: the result of `hunt`.

use crate::error::PlotError;
use crate::figure::Draw;
use crate::html::Html;
use crate::options::{OPTIONAL_NAMES, OPTIONAL_NUMBERS, OptionSpec, QUERY, TITLE, option};
use crate::page::{Body, Part};
use crate::rows::{Column, ColumnType, Rows};
use crate::settings::Settings;
use crate::text::{count, visible};

/// The rows with their reasons: [`Figure::Review`](crate::Figure::Review).
pub(crate) struct ReviewFigure;

impl Draw for ReviewFigure {
    const NAME: &'static str = "REVIEW";
    const TITLE: &'static str = "Read first";
    const OPTIONS: &'static [OptionSpec] = &[
        option("text", OPTIONAL_NAMES, "What is read; otherwise CommandLine, text_template, line or message"),
        option("subject", OPTIONAL_NAMES, "What did it; otherwise subject or process"),
        option("reasons", OPTIONAL_NAMES, "The reasons, one per line of text; otherwise reasons"),
        option("score", OPTIONAL_NUMBERS, "The score; otherwise score"),
        option(
            "events",
            OPTIONAL_NUMBERS,
            "How many events a row stands for; otherwise events or cluster_size",
        ),
        TITLE,
        QUERY,
    ];
    /// Each row is an element of the page that somebody reads.
    const MAX_ROWS: usize = 10_000;

    fn check(settings: &Settings, columns: &[(&str, ColumnType)]) -> Result<(), PlotError> {
        let has = |name: &&str| columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name));
        let (_, texts) = DEFAULTS[TEXT];
        if settings.get("text").is_some() || texts.iter().any(has) {
            return Ok(());
        }
        Err(PlotError(format!(
            "REVIEW shows text to read, and the query has none of the columns {}; name it, as in OPTIONS (text '{}')",
            texts.join(", "),
            columns.first().map_or("column", |(name, _)| name)
        )))
    }

    fn draw(rows: &Rows, settings: &Settings) -> Result<Vec<Part>, PlotError> {
        Ok(vec![draw(rows, settings)])
    }
}

/// The columns that are taken for an option that isn't given.
const DEFAULTS: [(&str, &[&str]); 5] = [
    ("text", &["CommandLine", "text_template", "line", "message"]),
    ("subject", &["subject", "process"]),
    ("reasons", &["reasons"]),
    ("score", &["score"]),
    ("events", &["events", "cluster_size"]),
];
const TEXT: usize = 0;

/// Columns of `hunt` that stand in the line below the text.
const FACTS: [(&str, &str); 4] =
    [("hosts", "host"), ("accounts", "account"), ("first_event_time", "first"), ("last_event_time", "last")];

fn draw(rows: &Rows, settings: &Settings) -> Part {
    let all: Vec<usize> = (0..rows.len()).collect();
    let note = format!(
        "{}, the first to read first. A click on one keeps it below, \"All columns\" opens the rest of its earliest event.",
        count(rows.len(), "row")
    );
    Part::new(rows, note, Body::Html(list(rows, settings, &all)))
}

/// These rows, each with its text, its reasons and its other columns.
pub(crate) fn list(rows: &Rows, settings: &Settings, members: &[usize]) -> Html {
    let column = |option: &str| -> Option<&Column> {
        let (_, names) = DEFAULTS.iter().find(|(name, _)| *name == option)?;
        settings.column(option, rows).or_else(|| names.iter().find_map(|name| rows.column(name)))
    };
    let [text, subject, reasons, score, events] = DEFAULTS.map(|(option, _)| column(option));
    let shown: Vec<&str> = [text, subject, reasons, score, events]
        .into_iter()
        .flatten()
        .map(|column| column.name.as_str())
        .collect();
    let item = |&row: &usize| {
        let score = score.and_then(|column| column.number(row));
        let score = score
            .map(|score| Html::raw("<span class=\"score\">").text(format!("{score:.1}")).markup("</span>"));
        let subject =
            value(subject, row).map(|subject| Html::raw("<b>").text(visible(subject)).markup("</b>"));
        let reasons =
            value(reasons, row).unwrap_or_default().lines().filter(|reason| !reason.trim().is_empty());
        let reasons = reasons.map(|reason| Html::raw("<li>").text(visible(reason)).markup("</li>"));
        let details = rows.0.iter().filter(|column| !shown.contains(&column.name.as_str()));
        let details = details.filter_map(|column| {
            let value = column.text(row)?;
            Some(
                Html::raw("<dt>")
                    .text(visible(&column.name))
                    .markup("</dt><dd>")
                    .text(visible(value))
                    .markup("</dd>"),
            )
        });
        Html::raw("<li class=\"finding\" data-row=\"")
            .text(row)
            .markup("\">\n<p class=\"who\">")
            .html(score)
            .html(subject)
            .markup(" <span class=\"facts\">")
            .text(facts(rows, events, row))
            .markup("</span></p>\n<code>")
            .text(visible(value(text, row).filter(|text| !text.is_empty()).unwrap_or("(no text)")))
            .markup("</code>\n<ul class=\"reasons\">")
            .html(reasons.collect::<Html>())
            .markup("</ul>\n<details><summary>All columns</summary><dl>")
            .html(details.collect::<Html>())
            .markup("</dl></details>\n</li>\n")
    };
    Html::raw(SEARCH).html(members.iter().map(item).collect::<Html>()).markup("</ol>")
}

const SEARCH: &str = "<p class=\"search\"><label>Show only those with <input type=\"search\" data-search></label> \
                      <span class=\"found\" role=\"status\"></span></p>\n<ol class=\"review\">\n";

fn value(column: Option<&Column>, row: usize) -> Option<&str> {
    column.and_then(|column| column.text(row)).map(str::trim)
}

/// The numbers and times of a row in one line: `3 events, 2 hosts, 1 account, first ..., last ...`.
fn facts(rows: &Rows, events: Option<&Column>, row: usize) -> String {
    let number = |column: Option<&Column>, what: &str| {
        let number = column.and_then(|column| column.number(row))?;
        Some(count(number as usize, what))
    };
    let mut facts: Vec<String> = number(events, "event").into_iter().collect();
    for (name, what) in FACTS {
        let Some(column) = rows.column(name) else { continue };
        match column.column_type {
            ColumnType::Number => facts.extend(number(Some(column), what)),
            ColumnType::Time | ColumnType::Text => {
                facts.extend(column.text(row).map(|time| format!("{what} {time}")));
            }
        }
    }
    facts.join(", ")
}
