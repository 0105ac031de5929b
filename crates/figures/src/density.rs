//! The density of rows in time: a timeline of more rows than can be told apart.

use std::collections::{BTreeMap, HashMap};

use plotly::common::{ColorScale, ColorScalePalette};
use plotly::{HeatMap, Trace};

use crate::error::PlotError;
use crate::figure::timeline::{
    axes, event_references, margin, references_note, sorted_references, too_many_groups, whole_range,
};
use crate::figure::{Figure, MAX_GROUPS, MAX_ROWS};
use crate::page::{Part, page};
use crate::rows::Rows;
use crate::settings::{Reference, Settings};
use crate::text::{count, marks, thousands};

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
        self.references = sorted_references(references)?;
        let column = |name| settings.column(name, rows);
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
        let references = sorted_references(references)?;
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
        let x: Vec<f64> = spans.iter().map(|span| (*span as f64 + 0.5) * self.width).collect();
        let y: Vec<f64> = (0..groups.len()).map(|place| place as f64).collect();
        let map = HeatMap::new(x, y, z)
            .text_matrix(text)
            .hover_template("%{text}<br>%{x}<extra></extra>")
            .color_scale(ColorScale::Palette(ColorScalePalette::Cividis))
            .reverse_scale(true)
            .show_scale(false)
            .y_gap(2);
        let names: Vec<String> = (groups.keys())
            .map(|(_, name)| match name {
                Some(name) => marks(name, 48),
                None if settings.get("group_by").or(settings.get("series")).is_none() => "events".to_string(),
                None => "(NULL)".to_string(),
            })
            .collect();
        let ends = [self.first, self.last.saturating_add(1)].map(|span| span as f64 * self.width);
        let range = whole_range(ends[0], ends[1], &references);
        let layout = axes(&names, &references, range, true).margin(margin(&names));
        let drawn = self.rows - self.without_time;
        let left_out = match self.without_time {
            0 => String::new(),
            rows => format!(" Not drawn: {} without a time.", count(rows, "row")),
        };
        let lines = references_note(&references).map_or_else(String::new, |lines| format!(" {lines}"));
        let note = format!(
            "{} are too many for marks of their own, so this is their density: the darker, the more rows (on a logarithmic \
             scale) in each span of {} of {}.{lines}{}{left_out}",
            count(drawn, "row"),
            duration(self.width),
            settings.get("time").unwrap_or_default(),
            unused(settings)
        );
        let flow = format!("{} in, {} counted.", count(self.rows, "row"), count(drawn, "row"));
        let traces: Vec<Box<dyn Trace>> = vec![map];
        let part = Part::drawing(&Rows::default(), note, traces, layout);
        page(&Figure::Timeline.about(settings, flow), vec![part], &[])
    }
}

/// The options that were given and need marks, in words.
fn unused(settings: &Settings) -> String {
    // Without groups each series has a row of its own.
    let series = settings.get("group_by").and(settings.get("series")).map(|_| "series");
    let given = |option| settings.get(option).map(|_| option);
    let unused: Vec<&str> =
        [given("panel"), series, given("end"), given("tooltip")].into_iter().flatten().collect();
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
