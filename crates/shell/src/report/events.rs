//! The events of a page: each of them, if they are few, or else those that differ in nothing but numbers, times and addresses, counted.
//!
//! Equal features make a place. All places, names, hosts and accounts are counted whole, however many events there are; of the events of one
//! place as many are rows of the page as people read.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use datafusion_dbcluster::figure_file::rows as shown_rows;
use dbcluster_figures::{Activity, Place, Role, RoleName, Row, SPANS};
use futures::StreamExt;

use super::batch::{NULL, ReadBatch, Scores, TEXTS, numbers, strings, text_of, times};
use super::defaults::identifier;
use super::rows::{COUNTED, OfPlace, ROWS_OF_PLACE, before, counts, shorten};
use super::vectors::Places;
use crate::depth::sql;
use crate::failure::Failure;
use crate::hunt_defaults::Hunt;
use crate::syntax::quoted;

/// Up to this many events each is a row of the page.
pub(super) const EACH: u64 = 5_000;

/// The rows of a page of counted events, if places have few of them.
const ROWS: usize = 20_000;

/// The rows of a cluster, where clusters are fixed.
pub(super) const ROWS_OF_CLUSTER: usize = 60;

/// The hosts of all places that are told, and the accounts, if places have few of them.
const COUNTS: usize = 20_000;

/// The hosts or accounts of a place that are told, in each attempt to have no more than that: the most frequent ones.
const COUNTED_OF_PLACE: [usize; 5] = [2_000, 100, 20, 5, 2];

/// The spans of time that events are counted in.
const MOST_SPANS: i64 = 110;

/// The counts of all places over time.
const CELLS: i64 = 200_000;

/// Clusters of at most this many events are read like odd events.
const SMALL: usize = 10;

/// The odd events and small clusters whose columns are all on the page.
const VALUES: usize = 2_000;

/// The shapes whose scores are asked for.
const SHAPES: usize = 50_000;

const SECOND: i64 = 1_000_000;

/// A table, and what is asked of its events.
pub(super) struct Events<'a> {
    pub(super) ctx: &'a SessionContext,
    /// The table as SQL.
    pub(super) table: &'a str,
    /// The features as SQL, with their names.
    pub(super) features: &'a [(String, String)],
    pub(super) partition_by: &'a [String],
    pub(super) roles: &'a [Role],
    /// The type of the time, if it is known.
    pub(super) time_type: Option<&'a DataType>,
    pub(super) nulls: &'a str,
    pub(super) hunt: Option<&'a Hunt>,
    /// The columns of the table.
    pub(super) columns: Vec<String>,
}

/// The events as a page has them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) places: Places,
    pub(super) rows: Vec<Row>,
    /// The names of the values that rows have.
    pub(super) columns: Vec<String>,
    pub(super) activity: Option<Activity>,
    pub(super) notes: Vec<String>,
    /// The condition of each partition, if there are several.
    pub(super) partitions: Vec<String>,
}

/// The name of a partition has its values with this character between, and this text for NULL.
const BETWEEN_VALUES: char = '\u{1f}';
const NO_VALUE: &str = "\u{1}NULL";

impl Events<'_> {
    /// Reads the events of a table with so many rows.
    pub(super) async fn read(&self, events: u64) -> Result<Found, Failure> {
        let scores = self.scores().await?;
        let mut partitions = Partitions::default();
        let mut found = if events <= EACH {
            self.each(&scores, &mut partitions).await?
        } else {
            self.counted(&scores, &mut partitions).await?
        };
        let names = partitions.number_by_name(&mut found.places.all);
        if !self.partition_by.is_empty() {
            found.partitions = names.iter().map(|name| self.condition(name)).collect();
        }
        let positions = found.places.sort();
        let moved = |place: u32| positions.get(place as usize).copied().unwrap_or(place);
        for row in &mut found.rows {
            row.place = row.place.map(moved);
        }
        // Places and rows came in the order of threads.
        let skipped_last = |row: &Row| row.place.unwrap_or(u32::MAX);
        found.rows.sort_by(|a, b| skipped_last(a).cmp(&skipped_last(b)).then_with(|| before(a, b)));
        if let Some(activity) = &mut found.activity {
            for (place, _, _) in &mut activity.cells {
                *place = moved(*place);
            }
            activity.cells.sort_unstable();
        }
        Ok(found)
    }

    fn role(&self, role: RoleName) -> Option<&str> {
        self.roles.iter().find(|each| each.role == role).map(|each| each.sql.as_str())
    }

    /// The time in microseconds, in the zone of the column or without one.
    fn time(&self) -> Option<String> {
        let time = self.role(RoleName::Time)?;
        let zone = match self.time_type {
            Some(DataType::Timestamp(_, Some(_))) => "Some(\"+00:00\")",
            _ => "None",
        };
        Some(format!("arrow_cast({time}, 'Timestamp(Microsecond, {zone})')"))
    }

    /// The columns that every query of events has, as a SELECT list: features, partition, texts, subject and form of the shape, time.
    fn selected(&self) -> String {
        let mut list: Vec<String> = vec![];
        for (at, (feature, _)) in self.features.iter().enumerate() {
            list.push(format!("{feature} AS {}", column(at, "feature")));
        }
        let partition =
            self.partition_by.iter().map(|key| format!("coalesce(CAST({key} AS VARCHAR), '{NO_VALUE}')"));
        let partition = partition.collect::<Vec<_>>().join(", ");
        let partition =
            if partition.is_empty() { "''".to_string() } else { format!("concat_ws(chr(31), {partition})") };
        list.push(format!("{partition} AS \"report partition\""));
        for (at, role) in TEXTS.into_iter().enumerate() {
            let value = self.role(role).map_or("NULL".to_string(), ToString::to_string);
            list.push(format!("CAST({value} AS VARCHAR) AS {}", column(at, "text")));
        }
        let (subject, text) = match self.hunt.and_then(|hunt| hunt.shape.as_ref()) {
            Some((subject, text)) => (subject.as_deref().unwrap_or("NULL"), Some(text.as_str())),
            None => ("NULL", self.role(RoleName::Text)),
        };
        list.push(format!("CAST({subject} AS VARCHAR) AS \"report subject\""));
        let form =
            text.map_or("NULL".to_string(), |text| format!("cmdline_template(CAST({text} AS VARCHAR))"));
        list.push(format!("{form} AS \"report form\""));
        list.push(format!(
            "{} AS \"report time\"",
            self.time().unwrap_or_else(|| "CAST(NULL AS TIMESTAMP)".to_string())
        ));
        list.join(", ")
    }

    /// The condition of a partition, by its name.
    fn condition(&self, name: &str) -> String {
        let value = |(key, value): (&String, &str)| match value {
            NO_VALUE => format!("{key} IS NULL"),
            value => format!("CAST({key} AS VARCHAR) = {}", quoted(value)),
        };
        let values = self.partition_by.iter().zip(name.split(BETWEEN_VALUES)).map(value);
        values.collect::<Vec<_>>().join(" AND ")
    }

    /// The columns that tell a place, which come first in every query; the partition only as a constant if there is none.
    fn keys_of_place(&self) -> (String, String) {
        let features: Vec<String> = (0..self.features.len()).map(|at| column(at, "feature")).collect();
        let features = features.join(", ");
        if self.partition_by.is_empty() {
            (format!("{features}, '' AS \"report partition\""), features)
        } else {
            let both = format!("{features}, \"report partition\"");
            (both.clone(), both)
        }
    }

    /// The features of a row of a query; none if one of them is NULL and such rows are skipped.
    fn features_of(&self, numbers: &[Float64Array], at: usize) -> Option<Vec<f64>> {
        let number = |numbers: &Float64Array| {
            let value = numbers.is_valid(at).then(|| numbers.value(at)).filter(|value| !value.is_nan());
            if self.nulls == "zero" {
                Some(value.unwrap_or(0.0) + 0.0)
            } else {
                value.map(|value| value + 0.0)
            }
        };
        numbers.iter().map(number).collect()
    }

    /// The place of a row of a query, if it is none that was skipped.
    fn place_of(
        &self,
        numbers: &[Float64Array],
        partition: &StringArray,
        at: usize,
        places: &Places,
        partitions: &Partitions,
    ) -> Option<usize> {
        let features = self.features_of(numbers, at)?;
        places.find(partitions.find(partition.value(at))?, &features)
    }

    /// The scores of all shapes that a hunt knows.
    async fn scores(&self) -> Result<Scores, Failure> {
        let mut scores = Scores::new();
        let Some(Hunt { call, shape: Some(_), .. }) = self.hunt else { return Ok(scores) };
        let query = format!(
            "SELECT CAST(subject AS VARCHAR), CAST(text_template AS VARCHAR), score, array_to_string(reasons, chr(10)) \
             FROM {call}) ORDER BY 3 DESC, 1, 2, 4 LIMIT {SHAPES}"
        );
        for batch in sql(self.ctx, &query).await?.collect().await? {
            let texts = [0, 1, 3].map(|at| strings(&batch, at));
            let [subjects, forms, reasons] = texts;
            let (subjects, forms, reasons) = (subjects?, forms?, reasons?);
            let score = batch.column(2).as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let text = |texts: &StringArray| text_of(texts, row).unwrap_or_else(|| NULL.to_string());
                let reasons = text_of(&reasons, row).unwrap_or_default();
                let reasons =
                    reasons.lines().filter(|line| !line.trim().is_empty()).map(ToString::to_string).collect();
                let of_subject = scores.entry(text(&subjects)).or_default();
                of_subject.entry(text(&forms)).or_insert((score.value(row), reasons));
            }
        }
        Ok(scores)
    }

    /// Each event is a row, with all of its columns.
    async fn each(&self, scores: &Scores, partitions: &mut Partitions) -> Result<Found, Failure> {
        let query = format!("SELECT {}, * FROM {}", self.selected(), self.table);
        let frame = sql(self.ctx, &query).await?;
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await?;
        let own = self.features.len() + 1 + TEXTS.len() + 3;
        let others: Vec<usize> = (own..schema.fields().len()).collect();
        let mut found = Found { columns: self.columns.clone(), ..Found::default() };
        for batch in &batches {
            let read = ReadBatch::new(batch, self.features.len())?;
            let values = batch.project(&others).map_err(DataFusionError::from)?;
            let values = shown_rows(&values.schema(), std::slice::from_ref(&values))?;
            for at in 0..batch.num_rows() {
                let mut row = read.row(at, scores);
                row.events = 1;
                row.values = values.0.iter().map(|column| column.shown.get(at).cloned().flatten()).collect();
                if let Some(features) = self.features_of(&read.numbers, at) {
                    let place = found.places.of(partitions.number(&read, at), &features);
                    if let Some(place) = found.places.all.get_mut(place) {
                        add(place, 1, row.times);
                    }
                    row.place = Some(place as u32);
                }
                found.rows.push(row);
            }
        }
        Ok(found)
    }

    /// Events of one form are a row, and a place has as many rows as people read.
    async fn counted(&self, scores: &Scores, partitions: &mut Partitions) -> Result<Found, Failure> {
        let inner = format!("SELECT {} FROM {}", self.selected(), self.table);
        let (place, keys) = self.keys_of_place();
        let [name, text, parent, account, host, path] = std::array::from_fn(|at| column(at, "text"));
        // Of values that differ among the events of a row none is told.
        let only = |value: &str| {
            format!(
                "CASE WHEN min({value}) = max({value}) AND count({value}) = count(*) THEN min({value}) END"
            )
        };
        let query = format!(
            "SELECT {place}, {name}, min({text}), {parent}, {}, {}, {path}, \"report subject\", \"report form\", \
             min(\"report time\"), max(\"report time\"), count(*), min({text}) IS DISTINCT FROM max({text}) FROM ({inner}) \
             GROUP BY {keys}, {name}, {parent}, {path}, \"report subject\", \"report form\"",
            only(&account),
            only(&host),
        );
        let mut stream = sql(self.ctx, &query).await?.execute_stream().await?;
        let mut found = Found::default();
        let mut skipped = OfPlace::default();
        let mut kept: Vec<OfPlace> = vec![];
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let read = ReadBatch::new(&batch, self.features.len())?;
            let last = self.features.len() + 1 + TEXTS.len() + 2;
            let latest = times(batch.column(last + 1))?;
            let counts = batch.column(last + 2).as_primitive::<Int64Type>();
            let varies = batch.column(last + 3).as_boolean();
            for at in 0..batch.num_rows() {
                let mut row = read.row(at, scores);
                row.events = counts.value(at) as u64;
                row.varies = varies.value(at);
                row.times = row.times.map(|(first, _)| (first, latest.value(at)));
                let Some(features) = self.features_of(&read.numbers, at) else {
                    skipped.add(row);
                    continue;
                };
                let place = found.places.of(partitions.number(&read, at), &features);
                row.place = Some(place as u32);
                if kept.len() <= place {
                    kept.resize_with(place + 1, OfPlace::default);
                }
                if let (Some(kept), Some(place)) = (kept.get_mut(place), found.places.all.get_mut(place)) {
                    add(place, row.events, row.times);
                    kept.add(row);
                }
            }
        }
        let mut lists = vec![skipped.rows];
        for (place, kept) in found.places.all.iter_mut().zip(kept) {
            place.counts_left_out = kept.names.len() > COUNTED;
            place.names = counts(kept.names);
            lists.push(kept.rows);
        }
        for most in ROWS_OF_PLACE {
            for rows in &mut lists {
                shorten(rows, most);
            }
            if lists.iter().map(Vec::len).sum::<usize>() <= ROWS {
                break;
            }
        }
        found.rows = lists.into_iter().flatten().collect();
        self.add_counts(&inner, (&place, &keys), &mut found.places, partitions).await?;
        if found.places.all.iter().any(|place| place.counts_left_out) {
            found.notes.push(
                "Of some patterns the most frequent names, hosts and accounts are told, and the others left out.".to_string(),
            );
        }
        found.activity = self.activity(&inner, (&place, &keys), &found.places, partitions).await?;
        found.notes.push(
            "Events that differ only in numbers, GUIDs, times and addresses are one row, and a pattern shows some of its rows.".to_string(),
        );
        Ok(found)
    }

    /// Adds all columns of odd events and of the exemplars of small clusters, which are read first. `collapse` is a call of `dbcluster`.
    pub(super) async fn add_values(&self, found: &mut Found, collapse: &str) -> Result<(), Failure> {
        if !found.columns.is_empty() || !self.partition_by.is_empty() {
            return Ok(());
        }
        let features = self.features.iter().map(|(_, name)| identifier(name)).collect::<Vec<_>>().join(", ");
        let columns = self.columns.iter().map(|name| identifier(name)).collect::<Vec<_>>().join(", ");
        let time = self.time().unwrap_or_else(|| "CAST(NULL AS TIMESTAMP)".to_string());
        let query = format!(
            "SELECT {features}, {time} AS \"report time\", {columns} FROM {collapse} WHERE cluster_size <= {SMALL} \
             ORDER BY cluster_size, \"report time\", {features} LIMIT {VALUES}"
        );
        // A feature may have the name of a column, which is then told by its place alone.
        let Ok(frame) = sql(self.ctx, &query).await else { return Ok(()) };
        let own = self.features.len();
        let mut of_place: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, row) in found.rows.iter().enumerate() {
            if let Some(place) = row.place {
                of_place.entry(place).or_default().push(at);
            }
        }
        for batch in frame.collect().await? {
            let numbers = numbers(&batch, own)?;
            let time = times(batch.column(own))?;
            let others: Vec<usize> = (own + 1..batch.num_columns()).collect();
            let values = batch.project(&others).map_err(DataFusionError::from)?;
            let values = shown_rows(&values.schema(), std::slice::from_ref(&values))?;
            for at in 0..batch.num_rows() {
                let place =
                    self.features_of(&numbers, at).and_then(|features| found.places.find(0, &features));
                let Some(rows) = place.and_then(|place| of_place.get(&(place as u32))) else { continue };
                let first = time.is_valid(at).then(|| time.value(at));
                let row = rows.iter().find(|row| {
                    found.rows.get(**row).is_some_and(|row| row.times.map(|(first, _)| first) == first)
                });
                if let Some(row) = row.and_then(|row| found.rows.get_mut(*row)) {
                    row.values =
                        values.0.iter().map(|column| column.shown.get(at).cloned().flatten()).collect();
                }
            }
        }
        found.columns.clone_from(&self.columns);
        Ok(())
    }

    /// Counts the hosts and the accounts of each place.
    async fn add_counts(
        &self,
        inner: &str,
        (place, keys): (&str, &str),
        places: &mut Places,
        partitions: &Partitions,
    ) -> Result<(), Failure> {
        type List = fn(&mut Place) -> &mut Vec<(Option<String>, u64)>;
        let lists: [(RoleName, List); 2] =
            [(RoleName::Host, |place| &mut place.hosts), (RoleName::Account, |place| &mut place.accounts)];
        for (role, list) in lists {
            let Some(at) = TEXTS.iter().position(|each| *each == role).filter(|_| self.role(role).is_some())
            else {
                continue;
            };
            let value = column(at, "text");
            let query = format!(
                "SELECT {place}, {value}, count(*) AS events FROM ({inner}) GROUP BY {keys}, {value} ORDER BY events DESC, {value}"
            );
            let mut stream = sql(self.ctx, &query).await?.execute_stream().await?;
            let own = self.features.len();
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                let (numbers, partition, values) =
                    (numbers(&batch, own)?, strings(&batch, own)?, strings(&batch, own + 1)?);
                let events = batch.column(own + 2).as_primitive::<Int64Type>();
                for at in 0..batch.num_rows() {
                    if let Some(place) = self.place_of(&numbers, &partition, at, places, partitions)
                        && let Some(place) = places.all.get_mut(place)
                    {
                        list(place).push((text_of(&values, at), events.value(at) as u64));
                    }
                }
            }
            for most in COUNTED_OF_PLACE {
                for place in &mut places.all {
                    let all = list(place).len();
                    if all > most {
                        list(place).truncate(most);
                        place.counts_left_out = true;
                    }
                }
                if places.all.iter_mut().map(|place| list(place).len()).sum::<usize>() <= COUNTS {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The events of each place over time.
    async fn activity(
        &self,
        inner: &str,
        (place, keys): (&str, &str),
        places: &Places,
        partitions: &Partitions,
    ) -> Result<Option<Activity>, Failure> {
        let known = || places.all.iter().filter_map(|place| place.times);
        let (Some(least), Some(greatest)) =
            (known().map(|(first, _)| first).min(), known().map(|(_, last)| last).max())
        else {
            return Ok(None);
        };
        let spans = (CELLS / places.all.len().max(1) as i64).clamp(12, MOST_SPANS);
        let widths = SPANS.into_iter().map(|seconds| seconds * SECOND);
        let longest = SPANS.last().map_or(1, |seconds| seconds * SECOND);
        let width = widths.into_iter().find(|width| (greatest - least) / width < spans).unwrap_or(longest);
        let start = least.div_euclid(width) * width;
        let mut activity =
            Activity { start, width, spans: ((greatest - start) / width + 1) as u32, cells: vec![] };
        let span = format!("date_bin(INTERVAL '{} seconds', \"report time\")", width / SECOND);
        let query = format!(
            "SELECT {place}, {span}, count(*) FROM ({inner}) WHERE \"report time\" IS NOT NULL GROUP BY {keys}, {span}"
        );
        let mut stream = sql(self.ctx, &query).await?.execute_stream().await?;
        let own = self.features.len();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let numbers = numbers(&batch, own)?;
            let partition = strings(&batch, own)?;
            let span = times(batch.column(own + 1))?;
            let events = batch.column(own + 2).as_primitive::<Int64Type>();
            for at in 0..batch.num_rows() {
                let place = self.place_of(&numbers, &partition, at, places, partitions);
                let number = (span.value(at) - start).div_euclid(width).max(0) as u32;
                if let Some(place) = place {
                    activity.cells.push((
                        place as u32,
                        number.min(activity.spans - 1),
                        events.value(at) as u64,
                    ));
                }
            }
        }
        Ok(Some(activity))
    }
}

/// The name of a column of a query.
fn column(at: usize, what: &str) -> String {
    identifier(&format!("report {what} {at}"))
}

fn add(place: &mut Place, events: u64, times: Option<(i64, i64)>) {
    place.events += events;
    place.times = match (place.times, times) {
        (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
        (before, new) => before.or(new),
    };
}

/// The numbers of partitions, in the order in which they come, and by their names in the end.
#[derive(Default)]
struct Partitions(HashMap<String, u32>);

impl Partitions {
    fn number(&mut self, batch: &ReadBatch, at: usize) -> u32 {
        let next = self.0.len() as u32;
        let name = batch.partition.value(at);
        match self.0.get(name) {
            Some(number) => *number,
            None => *self.0.entry(name.to_string()).or_insert(next),
        }
    }

    /// Gives the places the numbers that their partitions have in the order of names.
    /// Returns the names.
    fn number_by_name(&self, places: &mut [Place]) -> Vec<String> {
        let mut names: Vec<(&String, u32)> = self.0.iter().map(|(name, number)| (name, *number)).collect();
        names.sort();
        let mut numbers = vec![0; names.len()];
        let sorted = names.iter().map(|(name, _)| (*name).clone()).collect();
        for (new, (_, old)) in names.into_iter().enumerate() {
            if let Some(number) = numbers.get_mut(old as usize) {
                *number = new as u32;
            }
        }
        for place in places {
            place.partition = numbers.get(place.partition as usize).copied().unwrap_or_default();
        }
        sorted
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }
}
