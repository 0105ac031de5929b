//! The rows of a place: as many as people read, by a total order.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use dbcluster_figures::Row;

/// The rows of a place in each attempt to have no more than that.
pub(super) const ROWS_OF_PLACE: [usize; 5] = [50, 20, 8, 3, 1];

/// The names of a place that have a row of their own.
pub(super) const NAMES_WITH_ROWS: usize = 50;

/// The names of a place that are told.
pub(super) const COUNTED: usize = 2_000;

/// The rows and names of a place while they come.
#[derive(Default)]
pub(super) struct OfPlace {
    pub(super) rows: Vec<Row>,
    pub(super) names: HashMap<Option<String>, u64>,
}

impl OfPlace {
    pub(super) fn add(&mut self, row: Row) {
        *self.names.entry(row.name.clone()).or_default() += row.events;
        self.rows.push(row);
        if self.rows.len() > 4 * ROWS_OF_PLACE[0] {
            shorten(&mut self.rows, ROWS_OF_PLACE[0]);
        }
    }
}

/// Keeps so many rows of a place: the first of each name, then the first of all, by a total order. So it does not matter in which order rows
/// come, nor how often they are shortened.
pub(super) fn shorten(rows: &mut Vec<Row>, most: usize) {
    if rows.len() <= most {
        return;
    }
    rows.sort_by(before);
    let mut names: HashSet<&Option<String>> = HashSet::new();
    let mut is_first: Vec<bool> =
        rows.iter().map(|row| names.len() < NAMES_WITH_ROWS.min(most) && names.insert(&row.name)).collect();
    let mut others = most.saturating_sub(is_first.iter().filter(|is_first| **is_first).count());
    for is_kept in &mut is_first {
        if !*is_kept && others > 0 {
            *is_kept = true;
            others -= 1;
        }
    }
    let mut is_kept = is_first.into_iter();
    rows.retain(|_| is_kept.next().unwrap_or(false));
}

/// The more unusual row comes first, then the earlier one.
pub(super) fn before(a: &Row, b: &Row) -> Ordering {
    let score = |row: &Row| row.score.unwrap_or(f64::NEG_INFINITY);
    let rest = |row: &Row| (row.times.is_none(), row.times);
    let by_score = score(b).total_cmp(&score(a)).then_with(|| rest(a).cmp(&rest(b)));
    let texts = [(&a.name, &b.name), (&a.text, &b.text), (&a.parent, &b.parent), (&a.path, &b.path)];
    let by_texts = texts.into_iter().fold(by_score, |order, (a, b)| order.then_with(|| a.cmp(b)));
    by_texts
        .then_with(|| (b.events, &a.account, &a.host).cmp(&(a.events, &b.account, &b.host)))
        .then_with(|| a.values.cmp(&b.values))
}

/// Counts of values, the most frequent first.
pub(super) fn counts(counts: HashMap<Option<String>, u64>) -> Vec<(Option<String>, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(COUNTED);
    counts
}
