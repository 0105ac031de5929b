//! The density of rows in time: a timeline of more rows than can be told apart.

use std::collections::{BTreeMap, HashMap};

use plotly::Trace;
use serde_json::json;

use crate::error::PlotError;
use crate::figure::time_axis::{
    TimeAxis, check_references, event_references, margin, placed_references, references_note, whole_range,
};
use crate::figure::timeline::too_many_groups;
use crate::figure::{Figure, MAX_GROUPS, MAX_ROWS};
use crate::page::{Part, page};
use crate::rows::Rows;
use crate::settings::{Reference, Settings};
use crate::style::color;
use crate::text::{count, marks, thousands};
use crate::times::Zone;
use crate::traces::Drawn;

/// The most spans of time on the axis: about one for each few pixels.
const SPANS: i64 = 720;

/// Rows counted by group and span of time, any number of them in memory of their own size: when the time gets longer
/// than 720 spans, two of them become one.
#[derive(Debug, Clone)]
pub struct Density {
    /// The length of a span in milliseconds.
    width: f64,
    first: i64,
    last: i64,
    groups: HashMap<Option<String>, HashMap<i64, u64>>,
    /// Rows counted.
    rows: usize,
    without_time: usize,
    /// The times of the option `ref_event`.
    references: Vec<Reference>,
    zone: Zone,
}

impl Default for Density {
    fn default() -> Self {
        Self {
            width: 1.0,
            first: i64::MAX,
            last: i64::MIN,
            groups: HashMap::new(),
            rows: 0,
            without_time: 0,
            references: vec![],
            zone: Zone::Unknown,
        }
    }
}

impl Density {
    /// Counts a row of `group` at `time`, in milliseconds since 1970.
    ///
    /// # Errors
    /// More groups than can be drawn.
    pub fn add(&mut self, group: Option<&str>, time: Option<f64>) -> Result<(), PlotError> {
        self.rows += 1;
        let Some(time) = time.filter(|time| time.is_finite()) else {
            self.without_time += 1;
            return Ok(());
        };
        let mut span = (time / self.width).floor() as i64;
        while span.max(self.last).saturating_sub(span.min(self.first)) >= SPANS && self.rows > 1 {
            self.double();
            span = span.div_euclid(2);
        }
        self.first = self.first.min(span);
        self.last = self.last.max(span);
        let group = group.map(ToString::to_string);
        if !self.groups.contains_key(&group) && self.groups.len() == MAX_GROUPS {
            return Err(too_many_groups());
        }
        *self.groups.entry(group).or_default().entry(span).or_default() += 1;
        Ok(())
    }

    /// Counts rows that have the columns of [`Settings::density_columns`].
    ///
    /// # Errors
    /// More groups or more references than can be drawn.
    pub fn add_rows(&mut self, rows: &Rows, settings: &Settings) -> Result<(), PlotError> {
        let mut references = std::mem::take(&mut self.references);
        references.extend(event_references(rows, settings));
        check_references(&references)?;
        self.references = references;
        let column = |name| settings.column(name, rows);
        self.zone = self.zone.and(Zone::of(column("time")));
        let (time, group) = (column("time"), column("group_by").or(column("series")));
        (0..rows.len()).try_for_each(|row| {
            self.add(group.and_then(|group| group.text(row)), time.and_then(|time| time.number(row)))
        })
    }

    /// The number of rows counted.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn double(&mut self) {
        self.width *= 2.0;
        if self.first <= self.last {
            self.first = self.first.div_euclid(2);
            self.last = self.last.div_euclid(2);
        }
        for spans in self.groups.values_mut() {
            let mut halved = HashMap::with_capacity(spans.len());
            for (span, rows) in spans.drain() {
                *halved.entry(span.div_euclid(2)).or_default() += rows;
            }
            *spans = halved;
        }
    }

    /// The page, as [`Figure::draw`] makes it of rows.
    ///
    /// # Errors
    /// More references than can be drawn, or a drawing without JSON.
    pub fn draw(&self, settings: &Settings) -> Result<String, PlotError> {
        let mut references = self.references.clone();
        references.extend(settings.references("ref_times"));
        let references = placed_references(references, self.zone)?;
        let groups: BTreeMap<(bool, Option<&str>), &HashMap<i64, u64>> =
            (self.groups.iter()).map(|(group, spans)| ((group.is_none(), group.as_deref()), spans)).collect();
        let spans: Vec<i64> = (self.first..=self.last).collect();
        let rows_at = |of: &HashMap<i64, u64>, span: &i64| of.get(span).copied().unwrap_or(0);
        let z: Vec<Vec<Option<f64>>> = (groups.values())
            .map(|of| {
                let shade = |span| match rows_at(of, span) {
                    0 => None,
                    rows => Some((rows as f64).log10()),
                };
                spans.iter().map(shade).collect()
            })
            .collect();
        let text: Vec<Vec<String>> = (groups.values())
            .map(|of| spans.iter().map(|span| count(rows_at(of, span) as usize, "row")).collect())
            .collect();
        // Each cell begins at its time.
        let x: Vec<f64> =
            spans.iter().map(|span| self.zone.shifted((*span as f64 + 0.5) * self.width)).collect();
        let y: Vec<f64> = (0..groups.len()).map(|place| place as f64).collect();
        let most = self.groups.values().flat_map(HashMap::values).copied().max().unwrap_or(1);
        // The colours stand for powers of ten.
        let powers: Vec<u32> = (0..20).take_while(|power| 10_u64.pow(*power) <= most).collect();
        let map = Drawn::boxed(json!({
            "type": "heatmap",
            "x": x,
            "y": y,
            "z": z,
            "text": text,
            "hovertemplate": "%{text}<br>%{x}<extra></extra>",
            "zmin": 0,
            "zmax": (most as f64).log10().max(1.0),
            "ygap": 2,
            "colorbar": {
                "title": { "text": "rows", "font": { "size": 12 } },
                "thickness": 12,
                "len": 0.8,
                "outlinewidth": 0,
                "tickvals": powers,
                "ticktext": powers.iter().map(|power| thousands(10_usize.pow(*power))).collect::<Vec<_>>(),
            },
        }));
        let names: Vec<String> = (groups.keys())
            .map(|(_, name)| match name {
                Some(name) => marks(name, 48),
                None if settings.get("group_by").or(settings.get("series")).is_none() => "events".to_string(),
                None => "(NULL)".to_string(),
            })
            .collect();
        let ends = [self.first, self.last.saturating_add(1)];
        let ends = ends.map(|span| self.zone.shifted(span as f64 * self.width));
        let range = whole_range(ends[0], ends[1], &references);
        let totals: Vec<u64> =
            spans.iter().map(|span| self.groups.values().map(|of| rows_at(of, span)).sum()).collect();
        let greatest = totals.iter().copied().max();
        let strip = Drawn::boxed(json!({
            "type": "bar",
            "x": x,
            "y": totals,
            "width": self.width,
            "yaxis": "y2",
            "marker": { "color": color(0) },
            "customdata": totals.iter().map(|rows| [("rows", thousands(*rows as usize))]).collect::<Vec<_>>(),
            "hoverinfo": "none",
            "showlegend": false,
        }));
        let axis = TimeAxis {
            name: settings.get("time").unwrap_or_default(),
            zone: self.zone,
            range,
            references: &references,
            has_slider: true,
            strip: greatest,
        };
        let layout = axis.rows(&names).margin(margin(&names).right(90));
        let drawn = self.rows - self.without_time;
        let left_out = match self.without_time {
            0 => String::new(),
            rows => format!(" Not drawn: {} without a time.", count(rows, "row")),
        };
        let lines = references_note(&references).map_or_else(String::new, |lines| format!(" {lines}"));
        let note = format!(
            "{} are too many for marks of their own, so this is their density: the colour tells the rows (on a logarithmic \
             scale) in each span of {} of {}.{lines}{}{left_out}",
            count(drawn, "row"),
            duration(self.width),
            settings.get("time").unwrap_or_default(),
            unused(settings)
        );
        let flow = format!("{} in, {} counted.", count(self.rows, "row"), count(drawn, "row"));
        let traces: Vec<Box<dyn Trace>> = vec![map, strip];
        let part = Part::drawing(&Rows::default(), note, traces, layout).with_references(&references);
        page(&Figure::Timeline.about(settings, flow), vec![part], &[])
    }
}

/// The options that were given and need marks, in words.
fn unused(settings: &Settings) -> String {
    // Without groups each series has a row of its own.
    let series = settings.get("group_by").and(settings.get("series")).map(|_| "series");
    let given = |option| settings.get(option).map(|_| option);
    let unused: Vec<&str> =
        [given("panel"), series, given("end"), given("size"), given("color"), given("tooltip")]
            .into_iter()
            .flatten()
            .collect();
    if unused.is_empty() {
        return String::new();
    }
    format!(
        " It does not show what needs marks: {}. Up to {} rows have them.",
        unused.join(", "),
        thousands(MAX_ROWS)
    )
}

/// "1.024 s", "4.7 min".
fn duration(milliseconds: f64) -> String {
    let units = [("days", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1000.0)];
    let (unit, length) = units.into_iter().find(|(_, length)| milliseconds >= *length).unwrap_or(("ms", 1.0));
    format!("{:.3} {unit}", milliseconds / length).replace(".000 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_once_however_long_the_time() {
        let mut density = Density::default();
        for i in 0..10_000_u32 {
            let time = (i % 2 == 0).then(|| f64::from(i) * 977.0 - 3e6);
            density.add(if i % 3 == 0 { None } else { Some("a") }, time).expect("two groups");
        }
        let counted: u64 = density.groups.values().flat_map(HashMap::values).sum();
        assert_eq!((density.rows(), counted, density.without_time), (10_000, 5000, 5000));
        assert!(density.last - density.first < SPANS);
        assert!(density.width.log2().fract().abs() < f64::EPSILON);
        assert_eq!([1.0, 1024.0, 65_536.0 * 60.0].map(duration), ["1 ms", "1.024 s", "1.092 h"]);
    }
}
