//! The rows of a query clustered by the contract, partition by partition.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::dbscan::{Medoid, auto_eps, labels, medoid};
use super::query::{Exemplar, Function, Nulls, OrderKey, Query};
use super::table::Table;
use super::value::Value;

/// The reason that there are no rows to compare with.
#[derive(Debug)]
pub enum NoRows {
    /// The query has to fail, and its message to hold one of these.
    Fails(Vec<&'static str>),
    /// The contract leaves open what it gives.
    Unclear(&'static str),
}

pub struct Clustering {
    pub events: Vec<Event>,
    pub clusters: Vec<Cluster>,
    /// Over all partitions, vectors that are skipped left out.
    pub distinct_vectors: usize,
    /// The eps of each partition that has one.
    pub eps: Vec<f64>,
}

/// The outcome of one row of the input.
pub struct Event {
    /// The cluster's number, -1 for noise, `None` for a skipped row.
    pub cluster_id: Option<i64>,
    pub point_type: &'static str,
    /// Its place in [`Clustering::clusters`].
    pub cluster: Option<usize>,
}

pub struct Cluster {
    pub number: i64,
    /// Rows of the input, in canonical order.
    pub members: Vec<usize>,
    /// One of them.
    pub exemplar: usize,
    /// The content of its key: the partition and the set of core vectors.
    pub identity: String,
}

const BEYOND_EXACT: &str = "beyond 2^53";
const NO_NUMBER: [&str; 3] = [" is NULL in ", " is NaN in ", " is infinite in "];
const BEYOND_DOUBLE: &str = "beyond the range of DOUBLE";

/// Rows that are clustered together, in canonical order.
pub struct Partition {
    key: Vec<Value>,
    members: Vec<usize>,
    /// The features before scaling.
    vectors: Vec<Vec<f64>>,
    /// The scaled and weighted vectors, between which distances are taken.
    pub points: Vec<Vec<f64>>,
}

/// The rows of `input` that take part, and the order of all rows.
pub fn partitions(query: &Query, input: &Table) -> Result<Vec<Partition>, NoRows> {
    let (vectors, mut failures) = vectors(query, input);
    let rows = Rows::new(query, input, &vectors);
    let mut partitions: BTreeMap<Vec<Value>, Vec<usize>> = BTreeMap::new();
    for row in (0..input.rows.len()).filter(|&row| vectors[row].is_some()) {
        let key = query.partition_by.iter().map(|it| it.of(&input.columns, &input.rows[row]).as_key());
        partitions.entry(key.collect()).or_default().push(row);
    }
    if !failures.is_empty() {
        // Partitions are clustered at the same time: the error of any of them may come first.
        let fails_by_scaling = |members: &Vec<usize>| {
            let whole = |vector: &Vec<f64>| vector.len() == query.features.len();
            let vectors = members.iter().filter_map(|&row| vectors[row].clone()).filter(whole);
            let vectors: Vec<Vec<f64>> = vectors.collect();
            !vectors.is_empty() && query.scaling.apply(&vectors, query.weights.as_deref()).is_err()
        };
        if partitions.values().any(fails_by_scaling) {
            failures.push(BEYOND_DOUBLE);
        }
        return Err(NoRows::Fails(failures));
    }
    let made = partitions.into_iter().map(|(key, mut members)| {
        members.sort_by(|&a, &b| rows.canonical(a, b));
        let vectors: Vec<Vec<f64>> = members.iter().map(|&row| rows.vector(row).to_vec()).collect();
        let points = query.scaling.apply(&vectors, query.weights.as_deref());
        let points = points.map_err(|_| NoRows::Fails(vec![BEYOND_DOUBLE]))?;
        Ok(Partition { key, members, vectors, points })
    });
    made.collect()
}

/// Clusters the rows of `input`.
pub fn cluster(query: &Query, input: &Table) -> Result<Clustering, NoRows> {
    let skipped = || Event { cluster_id: None, point_type: "skipped", cluster: None };
    let mut clustering = Clustering {
        events: input.rows.iter().map(|_| skipped()).collect(),
        clusters: vec![],
        distinct_vectors: 0,
        eps: vec![],
    };
    for partition in partitions(query, input)? {
        let Partition { key, members, vectors, points } = &partition;
        clustering.distinct_vectors += distinct(vectors.iter()).len();
        let eps = if query.is_auto {
            auto_eps(points, query.min_samples as usize, query.metric)
        } else {
            Some(query.eps)
        };
        clustering.eps.extend(eps);
        // Without one any gives the same labels.
        let labels = labels(points, eps.unwrap_or(1.0), query.min_samples as usize, query.metric);
        for number in 0..labels.clusters as i64 {
            let places: Vec<usize> =
                (0..members.len()).filter(|&place| labels.cluster[place] == number).collect();
            let core_places = places.iter().filter(|&&place| labels.is_core[place]);
            let mut cores: Vec<Vec<u64>> = core_places
                .map(|&place| vectors[place].iter().map(|value| value.to_bits()).collect())
                .collect();
            cores.sort_unstable();
            cores.dedup();
            for &place in &places {
                clustering.events[members[place]] = Event {
                    cluster_id: Some(number),
                    point_type: if labels.is_core[place] { "core" } else { "border" },
                    cluster: Some(clustering.clusters.len()),
                };
            }
            clustering.clusters.push(Cluster {
                number,
                members: places.iter().map(|&place| members[place]).collect(),
                exemplar: exemplar(query, input, &partition, &places)?,
                identity: format!("{key:?} {cores:x?}"),
            });
        }
        for place in (0..members.len()).filter(|&place| labels.cluster[place] == -1) {
            clustering.events[members[place]] =
                Event { cluster_id: Some(-1), point_type: "noise", cluster: None };
        }
    }
    Ok(clustering)
}

/// The row that stands for the members at `places` of a partition.
fn exemplar(query: &Query, input: &Table, partition: &Partition, places: &[usize]) -> Result<usize, NoRows> {
    let Partition { members, vectors, points, .. } = partition;
    // The first place and the number of rows of each vector as it is before scaling.
    let distinct = || distinct(places.iter().map(|&place| &vectors[place]));
    let place = match query.exemplar {
        Exemplar::First => places[0],
        Exemplar::Last => {
            let last_first = |a: &&usize, b: &&usize| last_first(query, input, partition, **a, **b);
            *places.iter().min_by(last_first).expect("a cluster has members")
        }
        Exemplar::Rarest => {
            let rarest = distinct().into_iter().min_by_key(|(_, count)| *count);
            places[rarest.expect("a cluster has vectors").0]
        }
        Exemplar::Medoid => {
            let firsts: Vec<usize> = distinct().into_iter().map(|(first, _)| places[first]).collect();
            let points: Vec<&Vec<f64>> = firsts.iter().map(|&place| &points[place]).collect();
            match medoid(&points, query.metric) {
                Medoid::Is(it) => firsts[it],
                Medoid::Undecided if query.function == Function::Dbcluster => {
                    return Err(NoRows::Unclear("sums of a medoid that differ by roundings"));
                }
                Medoid::Undecided => places[0],
            }
        }
    };
    Ok(members[place])
}

/// The last row first: by the keys, then by the features, then by the remaining columns. NULL comes last all the same.
fn last_first(query: &Query, input: &Table, partition: &Partition, a: usize, b: usize) -> Ordering {
    let descending = |a: &[Value], b: &[Value]| {
        a.iter().zip(b).map(|(a, b)| a.descending(b)).fold(Ordering::Equal, Ordering::then)
    };
    let (row_a, row_b) = (partition.members[a], partition.members[b]);
    let features = partition.vectors[b].iter().zip(&partition.vectors[a]).map(|(b, a)| b.total_cmp(a));
    descending(&order_keys(query, input, row_a), &order_keys(query, input, row_b))
        .then(features.fold(Ordering::Equal, Ordering::then))
        .then(descending(&input.rows[row_a], &input.rows[row_b]))
}

/// The vector of each row, none where it takes no part; and the errors of rows that may not be there.
fn vectors(query: &Query, input: &Table) -> (Vec<Option<Vec<f64>>>, Vec<&'static str>) {
    let mut failures = vec![];
    let mut vectors = vec![];
    for row in &input.rows {
        let mut vector = Some(vec![]);
        for feature in &query.features {
            let Ok(value) = feature.scalar.of(&input.columns, row).as_feature() else {
                failures.push(BEYOND_EXACT);
                continue;
            };
            let number = match (value, query.nulls) {
                (Some(value), _) if value.is_finite() => Some(value),
                // The window function leaves rows out for NULL alone.
                (Some(_), _) if query.function == Function::Window => {
                    failures.extend(NO_NUMBER);
                    None
                }
                (_, Nulls::Zero) => Some(0.0),
                (_, Nulls::Skip) => None,
                (_, Nulls::Error) => {
                    failures.extend(NO_NUMBER);
                    None
                }
            };
            vector = vector.zip(number).map(|(mut vector, number)| {
                vector.push(number);
                vector
            });
        }
        vectors.push(vector);
    }
    failures.sort_unstable();
    failures.dedup();
    (vectors, failures)
}

/// The first place and the number of each different vector.
fn distinct<'a>(vectors: impl Iterator<Item = &'a Vec<f64>>) -> Vec<(usize, usize)> {
    let mut found: Vec<(&Vec<f64>, usize, usize)> = vec![];
    for (place, vector) in vectors.enumerate() {
        match found.iter_mut().find(|(other, ..)| *other == vector) {
            Some((.., count)) => *count += 1,
            None => found.push((vector, place, 1)),
        }
    }
    found.into_iter().map(|(_, first, count)| (first, count)).collect()
}

/// The rows in their orders.
struct Rows<'a> {
    input: &'a Table,
    order: &'a [OrderKey],
    keys: Vec<Vec<Value>>,
    vectors: &'a [Option<Vec<f64>>],
    is_window: bool,
}

impl<'a> Rows<'a> {
    fn new(query: &'a Query, input: &'a Table, vectors: &'a [Option<Vec<f64>>]) -> Self {
        let keys = (0..input.rows.len()).map(|row| order_keys(query, input, row)).collect();
        let is_window = query.function == Function::Window;
        Self { input, order: &query.order_by, keys, vectors, is_window }
    }

    fn vector(&self, row: usize) -> &[f64] {
        self.vectors[row].as_deref().expect("a row that takes part")
    }

    /// By the keys, then by the features, then by the remaining columns.
    fn canonical(&self, a: usize, b: usize) -> Ordering {
        let keys = self.keys[a].iter().zip(&self.keys[b]).enumerate();
        let by_keys = keys.map(|(index, (a, b))| match self.order.get(index) {
            Some(key) if self.is_window => by_key(key, a, b),
            _ => a.cmp(b),
        });
        let by_keys = by_keys.fold(Ordering::Equal, Ordering::then);
        let by_features = self.vector(a).iter().zip(self.vector(b)).map(|(a, b)| a.total_cmp(b));
        let by_columns = self.input.rows[a].cmp(&self.input.rows[b]);
        by_features.fold(by_keys, Ordering::then).then(by_columns)
    }
}

/// As `ORDER BY` of a window says.
fn by_key(key: &OrderKey, a: &Value, b: &Value) -> Ordering {
    let nulls = if key.nulls_first { b.is_null().cmp(&a.is_null()) } else { a.is_null().cmp(&b.is_null()) };
    nulls.then(if key.descending { b.cmp(a) } else { a.cmp(b) })
}

/// The keys that order the rows: `order_by`, else the time.
pub fn order_keys(query: &Query, input: &Table, row: usize) -> Vec<Value> {
    let row = &input.rows[row];
    if !query.order_by.is_empty() {
        return query.order_by.iter().map(|key| key.scalar.of(&input.columns, row).as_key()).collect();
    }
    let time = match query.function {
        Function::Window => None,
        _ => query.time_column.of(&input.columns),
    };
    time.map(|time| time(row).as_key()).into_iter().collect()
}
