//! A [`Report`] as HTML: its data in numbers, and the script and the style that show it.

use std::collections::HashMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Clustering, Place, Report, Row};
use crate::error::PlotError;
use crate::html::Html;
use crate::page::sha256;

/// Data of more bytes than these are compressed.
const PLAIN: usize = 200_000;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = concat!(
    include_str!("../text.js"),
    include_str!("labels.js"),
    include_str!("parts.js"),
    include_str!("lists.js"),
    include_str!("drawings.js"),
    include_str!("report.js")
);

impl Report {
    /// The page as HTML.
    ///
    /// # Errors
    /// The data can't be compressed.
    pub fn page(&self) -> Result<String, PlotError> {
        let data = self.data().to_string();
        let is_plain = data.len() <= PLAIN;
        let notes = self.notes.iter().map(|note| Html::raw("<p class=\"note\">").text(note).markup("</p>\n"));
        let mut html = Html::raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .markup("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src '")
            .text(sha256(SCRIPT))
            .markup("'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n")
            .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
            .text(&self.title)
            .markup("</title>\n<style>\n")
            .markup(STYLE)
            .markup("</style>\n</head>\n<body>\n")
            .markup(include_str!("header.html"))
            .html(notes.collect::<Html>())
            .markup(include_str!("body.html"))
            .markup("<script type=\"application/json\" id=\"kept\">{}</script>\n");
        if is_plain {
            html = html
                .markup("<script type=\"application/json\" id=\"data\">")
                .json_in_script(&data)
                .markup("</script>\n");
        } else {
            let packed = gzip(data.as_bytes())
                .map_err(|error| PlotError(format!("the page can't be compressed: {error}")))?;
            html = html
                .markup("<script type=\"text/plain\" id=\"data\" data-encoding=\"gzip\">")
                .text(STANDARD.encode(packed))
                .markup("</script>\n");
        }
        let html = html.markup("<script>").markup(SCRIPT).markup("</script>\n</body>\n</html>\n");
        Ok(html.into_string())
    }

    fn data(&self) -> Value {
        let mut texts = Texts::default();
        let rows = Table::of(&self.rows, ROW_COLUMNS, |row| row_cells(row, &mut texts));
        let places = self.places(&mut texts);
        let (one, many) = match &self.event {
            Some((one, many)) => (one.as_str(), many.as_str()),
            None => ("event", "events"),
        };
        let clustering = match &self.clustering {
            Clustering::EveryEps { eps, min_samples, metric, scaling, expected } => json!({
                "eps": eps, "minSamples": min_samples, "metric": metric, "scaling": scaling, "expected": expected,
            }),
            Clustering::Fixed => Value::Null,
        };
        let activity = self.activity.as_ref().map(|activity| {
            let cells: Vec<u64> = activity
                .cells
                .iter()
                .flat_map(|(place, span, events)| [u64::from(*place), u64::from(*span), *events])
                .collect();
            json!({ "start": activity.start, "width": activity.width, "spans": activity.spans, "cells": cells })
        });
        json!({
            "title": self.title,
            "tool": concat!("dbcluster ", env!("CARGO_PKG_VERSION")),
            "event": [one, many],
            "features": self.features,
            "roles": self.roles,
            "query": self.query,
            "table": self.table,
            "files": self.files,
            "zone": self.time_zone,
            "clustering": clustering,
            "partitions": self.partitions,
            "places": places,
            "rows": rows,
            "columns": self.columns,
            "activity": activity,
            "leftOut": self.left_out,
            "texts": texts.all,
        })
    }

    /// The places, a list for each of their parts.
    fn places(&self, texts: &mut Texts) -> Value {
        let places = &self.places;
        let levels = |level: fn(&Place) -> f64| -> Vec<Value> {
            places.iter().map(|place| json!(Some(level(place)).filter(|level| level.is_finite()))).collect()
        };
        let time = |pick: fn((i64, i64)) -> i64| -> Vec<Option<i64>> {
            places.iter().map(|place| place.times.map(pick)).collect()
        };
        let is_every_eps = matches!(self.clustering, Clustering::EveryEps { .. });
        let mut made = json!({
            "events": places.iter().map(|place| place.events).collect::<Vec<_>>(),
            "first": time(|(first, _)| first),
            "last": time(|(_, last)| last),
            "features": places.iter().map(|place| numbers(&place.features)).collect::<Vec<_>>(),
        });
        if is_every_eps {
            made["core"] = levels(|place| place.levels.core).into();
            made["near"] = levels(|place| place.levels.near).into();
            made["merged"] = levels(|place| place.levels.merged).into();
            made["into"] = places.iter().map(|place| place.levels.into).collect::<Vec<_>>().into();
            if places.iter().any(|place| place.partition > 0) {
                made["partition"] = places.iter().map(|place| place.partition).collect::<Vec<_>>().into();
            }
            if places.iter().any(|place| !place.scaled.is_empty()) {
                made["scaled"] = places.iter().map(|place| numbers(&place.scaled)).collect::<Vec<_>>().into();
            }
        } else {
            made["clustered"] =
                places.iter().map(|place| u8::from(place.clustered)).collect::<Vec<_>>().into();
        }
        if places.iter().any(|place| place.counts_left_out) {
            made["more"] =
                places.iter().map(|place| u8::from(place.counts_left_out)).collect::<Vec<_>>().into();
        }
        for (name, list) in [
            ("names", (|place| &place.names) as fn(&Place) -> &Vec<(Option<String>, u64)>),
            ("hosts", |place| &place.hosts),
            ("accounts", |place| &place.accounts),
        ] {
            if places.iter().any(|place| !list(place).is_empty()) {
                let mut counted = |place| -> Vec<Value> {
                    list(place)
                        .iter()
                        .flat_map(|(text, events)| [texts.of(text.as_deref()), json!(events)])
                        .collect()
                };
                made[name] = places.iter().map(&mut counted).collect::<Vec<_>>().into();
            }
        }
        made
    }
}

/// The parts of a row, in their order on the page.
const ROW_COLUMNS: &[&str] = &[
    "place", "events", "first", "last", "name", "text", "parent", "account", "host", "path", "score",
    "reasons", "values", "varies",
];

fn row_cells(row: &Row, texts: &mut Texts) -> Vec<Value> {
    let mut cells = vec![
        json!(row.place),
        json!(row.events),
        json!(row.times.map(|(first, _)| first)),
        json!(row.times.map(|(_, last)| last)),
    ];
    for text in [&row.name, &row.text, &row.parent, &row.account, &row.host, &row.path] {
        cells.push(texts.of(text.as_deref()));
    }
    cells.push(json!(row.score.map(|score| (score * 10.0).round() / 10.0)));
    let mut list = |values: Vec<Option<&str>>| -> Value {
        if values.is_empty() { Value::Null } else { values.into_iter().map(|text| texts.of(text)).collect() }
    };
    cells.push(list(row.reasons.iter().map(|reason| Some(reason.as_str())).collect()));
    cells.push(list(row.values.iter().map(Option::as_deref).collect()));
    cells.push(json!(row.varies.then_some(1)));
    cells
}

/// Rows as one list for each column, of which those without a value are left out.
struct Table;

impl Table {
    fn of<T>(rows: &[T], columns: &[&str], mut cells: impl FnMut(&T) -> Vec<Value>) -> Value {
        let mut made: Vec<Vec<Value>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for (column, cell) in made.iter_mut().zip(cells(row)) {
                column.push(cell);
            }
        }
        let mut table = json!({ "count": rows.len() });
        for (name, column) in columns.iter().zip(made) {
            if column.iter().any(|cell| !cell.is_null()) {
                table[*name] = column.into();
            }
        }
        table
    }
}

/// Numbers, those without a fraction as integers: they are shorter.
fn numbers(values: &[f64]) -> Vec<Value> {
    let number = |value: &f64| {
        if value.fract() == 0.0 && value.abs() < 1e15 { json!(*value as i64) } else { json!(value) }
    };
    values.iter().map(number).collect()
}

/// Texts, each told once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    places: HashMap<String, usize>,
}

impl Texts {
    fn of(&mut self, text: Option<&str>) -> Value {
        let Some(text) = text else { return Value::Null };
        if let Some(place) = self.places.get(text) {
            return json!(place);
        }
        let place = self.all.len();
        self.all.push(text.to_string());
        self.places.insert(text.to_string(), place);
        json!(place)
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(vec![], Compression::new(6));
    packed.write_all(bytes)?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: usize) -> Report {
        let text = |row: usize| format!("</script><b>{}", "x".repeat(row % 7) + &row.to_string());
        let row = |row: usize| Row { events: 1, text: Some(text(row)), ..Row::default() };
        Report { rows: (0..rows).map(row).collect(), notes: vec!["<i>".to_string()], ..Report::default() }
    }

    #[test]
    fn text_is_no_markup_however_much_there_is() {
        for rows in [1, 20_000] {
            let page = report(rows).page().expect("a page");
            assert!(!page.contains("<b>") && !page.contains("<i>"), "{rows}");
            assert_eq!(page.contains("data-encoding=\"gzip\""), rows > 1);
            assert_eq!(page.matches("</script>").count(), 3, "{rows}");
        }
        let packed = report(20_000).page().expect("a page");
        assert!(packed.len() < 400_000, "{}", packed.len());
    }

    #[test]
    fn texts_are_told_once_and_empty_columns_not_at_all() {
        let row = || Row { events: 2, text: Some("same".to_string()), ..Row::default() };
        let data = Report { rows: vec![row(), row()], ..Report::default() }.data();
        assert_eq!(data["texts"], json!(["same"]));
        assert_eq!(data["rows"], json!({ "count": 2, "events": [2, 2], "text": [0, 0] }));
    }
}
