//! The twin's own answer to a query.

use std::collections::{BTreeMap, BTreeSet};

use super::clustering::{Clustering, NoRows, cluster, order_keys};
use super::query::{Feature, Function, Nulls, Query, Shown};
use super::table::Table;
use super::value::Value;

/// Rows under names, in any order.
#[derive(Debug, Clone)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// The column that names clusters for good. Here it holds what the name stands for.
pub const CLUSTER_KEY: &str = "cluster_key";

/// The answer of a query over the rows of `table`; of a `LIMIT` all the rows that it may choose from.
pub fn answer(query: &Query, table: &Table) -> Result<Answer, NoRows> {
    let input = query.input.of(table);
    let clustering = cluster(query, &input).map_err(|no_rows| match no_rows {
        NoRows::Fails(_) if may_leave_out_a_partition(query) => {
            NoRows::Unclear("a filter or LIMIT that may leave out the partition that fails")
        }
        NoRows::Fails(_) if leaves_no_event(query, &input) => {
            NoRows::Unclear("a filter that leaves no event, so that nothing is asked of the clusters")
        }
        NoRows::Fails(_) if query.function == Function::Window && !shows_labels(query) => {
            NoRows::Unclear("a label that fails, but is not shown")
        }
        other => other,
    })?;
    let mut answer = match query.function {
        Function::Dbcluster => collapsed(query, &input, &clustering),
        Function::Members => members(&input, &clustering),
        Function::Summary => summary(query, &input, &clustering),
        Function::Window => labelled(&input, &clustering),
    };
    if let Some(filter) = &query.filter {
        let place = answer.place(&filter.column);
        answer.rows.retain(|row| filter.holds(&row[place]));
    }
    Ok(answer.shown(&query.shown))
}

/// Partitions are clustered one by one: the engine may leave out one that nobody asks for.
fn may_leave_out_a_partition(query: &Query) -> bool {
    !query.partition_by.is_empty() && (query.filter.is_some() || query.limit.is_some())
}

/// The engine need not cluster where no event passes the filter.
fn leaves_no_event(query: &Query, input: &Table) -> bool {
    let Some(filter) = &query.filter else { return false };
    let place = input.columns.iter().position(|column| column.name == filter.column);
    place.is_some_and(|place| !input.rows.iter().any(|row| filter.holds(&row[place])))
}

/// The engine does not compute a column that nobody asks for.
fn shows_labels(query: &Query) -> bool {
    let is_shown = match &query.shown {
        Shown::Columns(names) => names.iter().any(|name| name == "cluster_id"),
        Shown::All | Shown::Totals | Shown::PerCluster => true,
    };
    is_shown || query.filter.as_ref().is_some_and(|filter| filter.column == "cluster_id")
}

impl Answer {
    fn new(input: &Table, added: &[&str]) -> Self {
        let columns = input.columns.iter().map(|column| column.name.clone());
        Self { columns: columns.chain(added.iter().map(ToString::to_string)).collect(), rows: vec![] }
    }

    fn place(&self, name: &str) -> usize {
        let place = self.columns.iter().position(|column| column == name);
        place.unwrap_or_else(|| panic!("the answer has no column {name}"))
    }

    fn shown(self, shown: &Shown) -> Self {
        match shown {
            Shown::All => self,
            Shown::Columns(names) => {
                let places: Vec<usize> = names.iter().map(|name| self.place(name)).collect();
                let chosen = |row: &Vec<Value>| places.iter().map(|&place| row[place].clone()).collect();
                Self { columns: names.clone(), rows: self.rows.iter().map(chosen).collect() }
            }
            Shown::Totals => self.totals(),
            Shown::PerCluster => {
                let id = self.place("cluster_id");
                let mut counts: BTreeMap<&Value, i128> = BTreeMap::new();
                for row in &self.rows {
                    *counts.entry(&row[id]).or_default() += 1;
                }
                Self {
                    columns: ["cluster_id", "n"].map(str::to_string).to_vec(),
                    rows: counts.into_iter().map(|(id, n)| vec![id.clone(), Value::Int(n)]).collect(),
                }
            }
        }
    }

    fn totals(&self) -> Self {
        let id = self.place("cluster_id");
        let ids = || self.rows.iter().map(|row| row[id].clone()).filter(|id| !id.is_null());
        let mut row = vec![
            count(self.rows.len()),
            count(ids().count()),
            ids().min().unwrap_or(Value::Null),
            ids().max().unwrap_or(Value::Null),
        ];
        let mut columns = ["n", "labelled", "least", "most"].map(str::to_string).to_vec();
        if let Some(size) = self.columns.iter().position(|column| column == "cluster_size") {
            let sizes = self.rows.iter().map(|row| match row[size] {
                Value::Int(size) => size,
                _ => 0,
            });
            row.push(if self.rows.is_empty() { Value::Null } else { Value::Int(sizes.sum()) });
            columns.push("events".to_string());
        }
        Self { columns, rows: vec![row] }
    }
}

fn count(count: usize) -> Value {
    Value::Int(count as i128)
}

fn id(id: Option<i64>) -> Value {
    id.map_or(Value::Null, |id| Value::Int(id.into()))
}

/// One row per cluster, and one per row without a cluster.
fn collapsed(query: &Query, input: &Table, clustering: &Clustering) -> Answer {
    let computed = || query.features.iter().filter(|feature| feature.is_computed());
    let time = query.time_column.of(&input.columns);
    let mut answer = Answer::new(input, &[]);
    answer.columns.extend(computed().map(Feature::name));
    answer.columns.extend(["clustered", "cluster_id", "cluster_size"].map(str::to_string));
    if time.is_some() {
        answer.columns.extend(["first_event_time", "last_event_time"].map(str::to_string));
    }
    answer.columns.push(CLUSTER_KEY.to_string());
    answer.columns.extend((query.nulls == Nulls::Skip).then(|| "point_type".to_string()));
    answer.columns.extend(query.keep_members.iter().map(|(name, _)| format!("{name}_members")));
    answer.columns.extend(query.distinct_of.iter().map(|name| format!("distinct_{name}")));

    // A row of the answer shows one event of its cluster, and values of all of them.
    let mut add = |shown: usize, number: Option<i64>, rows: &[usize], key: Value| {
        let mut row = input.rows[shown].clone();
        row.extend(computed().map(|feature| feature.scalar.of(&input.columns, &input.rows[shown])));
        row.extend([Value::Bool(number.is_some_and(|it| it >= 0)), id(number), count(rows.len())]);
        if let Some(time) = &time {
            let times = || rows.iter().map(|&row| time(&input.rows[row]).as_key()).filter(|it| !it.is_null());
            row.push(times().min().unwrap_or(Value::Null));
            row.push(times().max().unwrap_or(Value::Null));
        }
        row.push(key);
        if query.nulls == Nulls::Skip {
            row.push(match number {
                None => Value::Text("skipped".to_string()),
                Some(-1) => Value::Text("noise".to_string()),
                Some(_) => Value::Null,
            });
        }
        for (name, most) in &query.keep_members {
            let place = input.place(name);
            let mut kept: Vec<(Vec<Value>, Value)> = (rows.iter())
                .map(|&row| (order_keys(query, input, row), input.rows[row][place].clone()))
                .collect();
            kept.sort();
            row.push(Value::List(kept.into_iter().take(*most).map(|(_, value)| value).collect()));
        }
        for name in &query.distinct_of {
            let place = input.place(name);
            let values: BTreeSet<Value> = (rows.iter())
                .map(|&row| input.rows[row][place].as_key())
                .map(|value| match value {
                    Value::Float(number) if number.is_nan() => Value::Float(f64::NAN),
                    other => other,
                })
                .filter(|value| !value.is_null())
                .collect();
            row.push(count(values.len()));
        }
        answer.rows.push(row);
    };
    for cluster in &clustering.clusters {
        let key = Value::Text(cluster.identity.clone());
        add(cluster.exemplar, Some(cluster.number), &cluster.members, key);
    }
    for (row, event) in clustering.events.iter().enumerate() {
        if event.cluster.is_none() {
            add(row, event.cluster_id, &[row], Value::Null);
        }
    }
    answer
}

/// Every row with its cluster.
fn members(input: &Table, clustering: &Clustering) -> Answer {
    let mut answer = Answer::new(input, &["cluster_id", CLUSTER_KEY, "point_type"]);
    for (row, event) in input.rows.iter().zip(&clustering.events) {
        let key = event.cluster.map(|place| clustering.clusters[place].identity.clone());
        let mut row = row.clone();
        row.push(id(event.cluster_id));
        row.push(key.map_or(Value::Null, Value::Text));
        row.push(Value::Text(event.point_type.to_string()));
        answer.rows.push(row);
    }
    answer
}

/// Every row with its number.
fn labelled(input: &Table, clustering: &Clustering) -> Answer {
    let mut answer = Answer::new(input, &["cluster_id"]);
    for (row, event) in input.rows.iter().zip(&clustering.events) {
        answer.rows.push(row.iter().cloned().chain([id(event.cluster_id)]).collect());
    }
    answer
}

/// One row about the whole.
fn summary(query: &Query, input: &Table, clustering: &Clustering) -> Answer {
    let events = |id: Option<i64>| clustering.events.iter().filter(|event| event.cluster_id == id).count();
    let (noise, skipped, clusters) = (events(Some(-1)), events(None), clustering.clusters.len());
    let largest = clustering.clusters.iter().map(|cluster| cluster.members.len()).max();
    let figures = [
        ("input_rows", input.rows.len()),
        ("distinct_vectors", clustering.distinct_vectors),
        ("clusters", clusters),
        ("noise", noise),
        ("skipped", skipped),
        ("largest_cluster", largest.unwrap_or(0)),
        ("collapsed_rows", clusters + noise + skipped),
    ];
    let given = if query.is_auto { vec![] } else { vec![query.eps] };
    let all = || clustering.eps.iter().chain(&given).copied();
    let [least, greatest] = [all().min_by(f64::total_cmp), all().max_by(f64::total_cmp)];
    let eps = [("eps_least", least), ("eps_greatest", greatest)];
    let mut row = figures.map(|(_, figure)| count(figure)).to_vec();
    row.extend(eps.map(|(_, eps)| eps.map_or(Value::Null, Value::Float)));
    Answer {
        columns: figures
            .map(|(name, _)| name)
            .into_iter()
            .chain(eps.map(|(name, _)| name))
            .map(String::from)
            .collect(),
        rows: vec![row],
    }
}
