//! The engine's rows beside the twin's: the same names, types and values, to the bit.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Write;

use super::answer::{Answer, CLUSTER_KEY};
use super::query::{Feature, Function, Query, Scalar, Shown, SortKey};
use super::run::Got;
use super::value::Value;

/// The keys of the clusters of one table, which are the same in every query that clusters the same columns.
#[derive(Debug, Default)]
pub struct KeyBook {
    key_of: HashMap<(String, String), String>,
    identity_of: HashMap<(String, String), String>,
}

impl KeyBook {
    fn check(&mut self, columns: &str, identity: &Value, key: &Value) -> Result<(), String> {
        let (identity, key) = match (identity, key) {
            (Value::Null, Value::Null) => return Ok(()),
            (Value::Text(identity), Value::Text(key)) => (identity, key),
            _ => return Err(format!("cluster_key is {key:?} for the cluster {identity:?}")),
        };
        if key.len() != 16 || !key.chars().all(|it| matches!(it, '0'..='9' | 'a'..='f')) {
            return Err(format!("cluster_key is {key}, expected 16 hexadecimal digits"));
        }
        let known = self.key_of.entry((columns.to_string(), identity.clone())).or_insert_with(|| key.clone());
        if known != key {
            return Err(format!("cluster_key of the cluster {identity} is {key}, and was {known}"));
        }
        let known =
            self.identity_of.entry((columns.to_string(), key.clone())).or_insert_with(|| identity.clone());
        if known != identity {
            return Err(format!("cluster_key {key} is that of the clusters {known} and {identity}"));
        }
        Ok(())
    }
}

/// Tells the first difference.
pub fn compare(query: &Query, want: &Answer, mut got: Got, keys: &mut KeyBook) -> Result<(), String> {
    if query.function == Function::Summary && got.columns.last().is_some_and(|(name, _)| name == "options") {
        got.columns.pop();
        got.rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    let names: Vec<String> = got.columns.iter().map(|(name, _)| name.clone()).collect();
    if names != want.columns {
        return Err(format!("the columns are {names:?}, expected {:?}", want.columns));
    }
    if matches!(query.shown, Shown::All | Shown::Columns(_)) {
        for (name, data_type) in &got.columns {
            let of_input = got.input.iter().find(|(of_input, _)| of_input == name);
            if let Some((_, expected)) = of_input.filter(|(_, expected)| expected != data_type) {
                return Err(format!("{name} is {data_type}, expected {expected} as in the input"));
            }
        }
    }
    for (place, name) in names.iter().enumerate() {
        // The times of a cluster are those of no single row: 0.0 and -0.0 are one.
        if name == "first_event_time" || name == "last_event_time" {
            got.rows.iter_mut().for_each(|row| row[place] = row[place].as_key());
        }
    }
    if query.limit.is_some() {
        in_order(query, &names, &want.rows, &got.rows)?;
    }
    let key = names.iter().position(|name| name == CLUSTER_KEY);
    let (want, got) = (keyed(&want.rows, key), keyed(&got.rows, key));
    if query.limit.is_some() {
        return limited(&want, &got);
    }
    same_rows(&want, &got)?;
    let columns = clustered_columns(query);
    let by_row = |a: &(Vec<Value>, Value), b: &(Vec<Value>, Value)| a.0 == b.0;
    for (want, got) in want.chunk_by(by_row).zip(got.chunk_by(by_row)) {
        // Rows that are otherwise equal may be of several clusters: there is no telling which is which.
        if want.iter().all(|(_, identity)| *identity == want[0].1) {
            for (_, key) in got {
                keys.check(&columns, &want[0].1, key)?;
            }
        } else if runs(want) != runs(got) {
            return Err(format!("the values of cluster_key are {got:?}, expected as many as of {want:?}"));
        }
    }
    Ok(())
}

/// Rows without the key of their cluster, and that; in order.
fn keyed(rows: &[Vec<Value>], key: Option<usize>) -> Vec<(Vec<Value>, Value)> {
    let split = |row: &Vec<Value>| {
        let mut row = row.clone();
        let key = key.map_or(Value::Null, |place| row.remove(place));
        (row, key)
    };
    let mut rows: Vec<_> = rows.iter().map(split).collect();
    rows.sort();
    rows
}

/// The numbers of rows per key, without the keys.
fn runs(rows: &[(Vec<Value>, Value)]) -> Vec<usize> {
    let mut runs: Vec<usize> = rows.chunk_by(|a, b| a.1 == b.1).map(<[_]>::len).collect();
    runs.sort_unstable();
    runs
}

/// The columns that decide the keys of clusters.
fn clustered_columns(query: &Query) -> String {
    let features = query.features.iter().map(|Feature { scalar, .. }| scalar.sql());
    let partitions = query.partition_by.iter().map(Scalar::sql);
    format!("{:?} by {:?}", features.collect::<Vec<_>>(), partitions.collect::<Vec<_>>())
}

fn same_rows(want: &[(Vec<Value>, Value)], got: &[(Vec<Value>, Value)]) -> Result<(), String> {
    let (missing, unexpected) = (without(want, got), without(got, want));
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    let mut text = format!("{} row(s), expected {}", got.len(), want.len());
    for (word, rows) in [("got ", unexpected), ("want", missing)] {
        for row in rows.iter().take(4) {
            write!(text, "\n  {word} {row:?}").expect("a string takes all");
        }
        if rows.len() > 4 {
            write!(text, "\n  {word} {} more", rows.len() - 4).expect("a string takes all");
        }
    }
    Err(text)
}

/// Checks the number of rows, and the values in the columns that sort them. Rows that are equal there may be any.
fn in_order(query: &Query, names: &[String], want: &[Vec<Value>], got: &[Vec<Value>]) -> Result<(), String> {
    let keys: Vec<(&SortKey, usize)> = (query.sort.iter())
        .filter_map(|key| Some((key, names.iter().position(|name| *name == key.column)?)))
        .collect();
    let of_keys = |rows: &[Vec<Value>]| -> Vec<Vec<Value>> {
        rows.iter().map(|row| keys.iter().map(|(_, place)| row[*place].clone()).collect()).collect()
    };
    let mut want = want.to_vec();
    want.sort_by(|a, b| {
        let by_keys = keys.iter().map(|(key, place)| key.compare(&a[*place], &b[*place]));
        by_keys.fold(Ordering::Equal, Ordering::then)
    });
    let kept: Vec<Vec<Value>> =
        want.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect();
    let (want, got) = (of_keys(&kept), of_keys(got));
    if want != got {
        return Err(format!("LIMIT gave rows with {got:?}, expected {want:?}"));
    }
    Ok(())
}

/// None of the rows is another one than those of the answer without a limit, and none is there twice.
fn limited(want: &[(Vec<Value>, Value)], got: &[(Vec<Value>, Value)]) -> Result<(), String> {
    let invented = without(got, want);
    if !invented.is_empty() {
        return Err(format!("LIMIT gave rows that are not in the answer: {invented:?}"));
    }
    Ok(())
}

/// Two answers to a query whose limit is certain.
pub fn same_limit(on: &Got, off: &Got) -> Result<(), String> {
    if on.rows == off.rows {
        return Ok(());
    }
    Err(format!("with the limit on the clusters\n  {:?}\nwithout\n  {:?}", on.rows, off.rows))
}

/// The rows of `all` that are left when each of `others` has taken one away. Both are in order.
fn without(all: &[(Vec<Value>, Value)], others: &[(Vec<Value>, Value)]) -> Vec<Vec<Value>> {
    let mut others = others.iter().map(|(row, _)| row).peekable();
    let mut left = vec![];
    for (row, _) in all {
        while others.next_if(|other| *other < row).is_some() {}
        if others.next_if_eq(&row).is_none() {
            left.push(row.clone());
        }
    }
    left
}
