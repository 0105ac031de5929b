//! Random queries over a table.

use arrow::datatypes::DataType;
use fastrand::Rng;

use super::clustering::partitions;
use super::dbscan::Metric;
use super::query::{
    Condition, Exemplar, Feature, Form, Function, Input, Nulls, OrderKey, Predicate, Query, Scalar, Shown,
    SortKey, TimeColumn,
};
use super::scaling::Scaling;
use super::source::Source;
use super::table::Table;
use super::tables::{TEXT_TIME, one, percent, some};
use super::value::Value;

/// One query in so many has the rows decide the eps.
const OF_AUTO: u64 = 12;

/// A query over the rows of `table`, which live in `source`.
pub fn query(rng: &mut Rng, table: &Table, source: &Source) -> Query {
    use Function::{Dbcluster, Members, Summary, Window};
    let function = one(rng, &[Dbcluster, Dbcluster, Dbcluster, Members, Summary, Window, Window]);
    let input = input(rng, table, source, function);
    let rows = input.of(table);
    let mut query = Query {
        function,
        features: features(rng, &rows, function),
        scaling: one(rng, &Scaling::ALL),
        metric: one(rng, &Metric::ALL),
        eps: 1.0,
        is_near_eps: false,
        is_auto: false,
        min_samples: one(rng, &[1, 2, 2, 2, 3, 4, 6]),
        weights: None,
        nulls: one(rng, &[Nulls::Error, Nulls::Zero, Nulls::Zero, Nulls::Skip, Nulls::Skip]),
        exemplar: Exemplar::First,
        partition_by: vec![],
        order_by: vec![],
        time_column: TimeColumn::Default,
        keep_members: vec![],
        distinct_of: vec![],
        filter: None,
        shown: Shown::All,
        sort: vec![],
        limit: None,
        offset: 0,
        form: Form::Plain,
        spelling: rng.u64(..),
        input,
    };
    if percent(rng, 25) {
        query.weights = Some(query.features.iter().map(|_| one(rng, &[1.0, 2.0, 0.5, 3.0, 0.1])).collect());
    }
    if percent(rng, 40) {
        query.partition_by = scalars(rng, &rows, |data_type| !data_type.is_nested());
    }
    if percent(rng, 35) {
        let is_window = function == Window;
        let keys = scalars(rng, &rows, |data_type| !(is_window && data_type.is_nested())).into_iter();
        let flag = |rng: &mut Rng| is_window && rng.bool();
        query.order_by =
            keys.map(|scalar| OrderKey { scalar, descending: flag(rng), nulls_first: flag(rng) }).collect();
    }
    match function {
        Window => {
            query.nulls = Nulls::Skip;
            query.time_column = TimeColumn::None;
        }
        Dbcluster | Members | Summary => {
            options(rng, &rows, &mut query);
        }
    }
    query.form = form(rng, &query, source);
    if query.form == Form::Positional {
        query = without_options(query);
    }
    let near = percent(rng, 45).then(|| near_eps(rng, &rows, &query)).flatten();
    query.is_near_eps = near.is_some();
    query.eps = near.unwrap_or_else(|| eps(rng, query.scaling));
    query.is_auto =
        function != Window && query.form != Form::Prepared && query.spelling.is_multiple_of(OF_AUTO);
    above(rng, &rows, &mut query);
    query
}

fn input(rng: &mut Rng, table: &Table, source: &Source, function: Function) -> Input {
    let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    match rng.u8(..16) {
        0 | 1 if source.has_path() => Input::Path,
        2 | 3 => Input::Subquery,
        4 => {
            // The first feature stays: there has to be one.
            let kept = rng.usize(1..=all.len());
            let mut columns = some(rng, &all, kept);
            if !columns.iter().any(|name| name.starts_with('f')) {
                let feature = all.iter().find(|name| name.starts_with('f'));
                columns.extend(feature.cloned());
            }
            Input::View(columns)
        }
        5 => Input::Cte,
        6 => Input::Doubled,
        7 => condition(rng, table, &all).map_or(Input::Table, Input::Where),
        // The table functions decide which of equal rows come first. In other queries SQL leaves it open.
        8 | 9 if function != Function::Window => {
            let columns = table.names(|data_type| !data_type.is_nested() && !data_type.is_floating());
            if columns.is_empty() || rng.bool() {
                return columns.first().cloned().map_or(Input::Subquery, Input::DistinctOn);
            }
            Input::Limited {
                by: one(rng, &columns),
                descending: rng.bool(),
                limit: rng.usize(1..=table.rows.len().max(1)),
                offset: one(rng, &[0, 0, 2]),
            }
        }
        _ => Input::Table,
    }
}

fn features(rng: &mut Rng, rows: &Table, function: Function) -> Vec<Feature> {
    let columns: Vec<String> = rows.names(|_| true);
    let columns: Vec<String> = columns.into_iter().filter(|name| name.starts_with('f')).collect();
    let count = rng.usize(1..=columns.len());
    let columns = some(rng, &columns, count);
    let mut scalars: Vec<Scalar> =
        columns.into_iter().map(|column| maybe_computed(rng, rows, column, 12)).collect();
    let texts = rows.names(is_text);
    if !texts.is_empty() && percent(rng, 10) {
        scalars.push(Scalar::Length(one(rng, &texts)));
    }
    let has_aliases = function != Function::Window && percent(rng, 15);
    (scalars.into_iter().enumerate())
        .map(|(index, scalar)| Feature { scalar, alias: has_aliases.then(|| format!("x{index}")) })
        .collect()
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The column, or in so many of 100 cases an expression over it.
fn maybe_computed(rng: &mut Rng, rows: &Table, column: String, of_100: u32) -> Scalar {
    let is_computed = percent(rng, of_100);
    // Next to 2^53 or 2^63 there may be no next number.
    let is_small = |value: &Value| !matches!(value, Value::Int(it) if it.abs() > 1 << 40);
    match rows.type_of(&column) {
        DataType::Int64 if is_computed && rng.bool() => Scalar::CoalesceSeven(column),
        DataType::Int64 | DataType::Float64 if is_computed && rows.values(&column).all(is_small) => {
            Scalar::PlusOne(column)
        }
        data_type if is_computed && is_text(data_type) => Scalar::Length(column),
        _ => Scalar::Column(column),
    }
}

fn scalars(rng: &mut Rng, rows: &Table, allowed: impl Fn(&DataType) -> bool) -> Vec<Scalar> {
    let columns = rows.names(allowed);
    let count = one(rng, &[1, 1, 2]);
    some(rng, &columns, count).into_iter().map(|column| maybe_computed(rng, rows, column, 10)).collect()
}

/// The options that only the table functions take.
fn options(rng: &mut Rng, rows: &Table, query: &mut Query) {
    use Exemplar::{First, Last, Medoid, Rarest};
    query.exemplar = one(rng, &[First, First, Last, Medoid, Rarest]);
    if percent(rng, 30) {
        let is_time = |data_type: &DataType| {
            matches!(
                data_type,
                DataType::Timestamp(..) | DataType::Date32 | DataType::Int32 | DataType::Float64
            )
        };
        let named = rows.names(is_time).into_iter().map(TimeColumn::Named);
        let is_number = |data_type: &DataType| matches!(data_type, DataType::Int32 | DataType::Float64);
        let negated = rows.names(is_number).into_iter().map(TimeColumn::Negated);
        let texts = rows.columns.iter().filter(|column| column.name == TEXT_TIME);
        let texts = texts.map(|column| TimeColumn::Text(column.name.clone()));
        let choices: Vec<TimeColumn> =
            named.chain(negated.take(1)).chain(texts).chain([TimeColumn::None]).collect();
        query.time_column = one(rng, &choices);
    }
    if query.function == Function::Dbcluster && percent(rng, 30) {
        let count = one(rng, &[1, 2]);
        let kept = some(rng, &rows.names(|_| true), count);
        query.keep_members = kept.into_iter().map(|name| (name, one(rng, &[1, 2, 5, 10]))).collect();
    }
    if query.function == Function::Dbcluster && percent(rng, 20) {
        let count = one(rng, &[1, 2, 3]);
        query.distinct_of = some(rng, &rows.names(|data_type| !data_type.is_nested()), count);
    }
}

fn form(rng: &mut Rng, query: &Query, source: &Source) -> Form {
    let is_plain = matches!(query.input, Input::Table | Input::View(_));
    let is_window = query.function == Function::Window;
    match rng.u8(..20) {
        0 | 1 if is_plain && !is_window => Form::Positional,
        2 | 3 if is_plain && is_window => Form::DataFrame,
        4 | 5 => Form::Prepared,
        6 if source.format != super::source::Format::Memory || rng.bool() => Form::View,
        7 => Form::Stored,
        8 | 9 => Form::Again,
        _ => Form::Plain,
    }
}

fn without_options(query: Query) -> Query {
    Query {
        scaling: Scaling::L2,
        metric: Metric::Euclidean,
        weights: None,
        nulls: Nulls::Error,
        exemplar: Exemplar::First,
        partition_by: vec![],
        order_by: vec![],
        time_column: TimeColumn::Default,
        keep_members: vec![],
        distinct_of: vec![],
        ..query
    }
}

/// The distance of two rows, or the number just beside it.
fn near_eps(rng: &mut Rng, rows: &Table, query: &Query) -> Option<f64> {
    let partitions = partitions(query, rows).ok()?;
    let partition = partitions.get(rng.usize(..partitions.len().max(1)))?;
    let (a, b) = (one(rng, &partition.points), one(rng, &partition.points));
    let distance = query.metric.distance(&a, &b);
    let eps = one(rng, &[distance, distance.next_up(), distance.next_down()]);
    (eps.is_finite() && eps > 0.0).then_some(eps)
}

fn eps(rng: &mut Rng, scaling: Scaling) -> f64 {
    match scaling {
        Scaling::None => {
            one(rng, &[1e-4, 0.1, 0.5, 1.0, 2.0, 1.5, 3.0, 0.300_000_000_000_000_04, 1e-200, 1e200, 100.0])
        }
        _ => one(rng, &[1e-4, 1e-2, 0.1, 0.3, 0.5, 1.0, std::f64::consts::SQRT_2, 2.0, 5.0]),
    }
}

/// Adds the query above the call: a filter, chosen columns, aggregates, a limit.
fn above(rng: &mut Rng, rows: &Table, query: &mut Query) {
    let mut columns: Vec<String> = rows.names(|_| true);
    columns.extend(
        query
            .features
            .iter()
            .filter(|_| query.function == Function::Dbcluster)
            .filter_map(|feature| feature.alias.clone()),
    );
    columns.push("cluster_id".to_string());
    match query.function {
        Function::Summary => return,
        Function::Window => {}
        Function::Members => columns.extend(["cluster_key", "point_type"].map(str::to_string)),
        Function::Dbcluster => {
            columns.extend(["clustered", "cluster_size", "cluster_key"].map(str::to_string));
        }
    }
    if percent(rng, 30) {
        query.filter = filter(rng, rows, query);
    }
    query.shown = match rng.u8(..10) {
        0 | 1 => {
            let count = rng.usize(1..=4.min(columns.len()));
            Shown::Columns(some(rng, &columns, count))
        }
        2 => Shown::Totals,
        3 => Shown::PerCluster,
        _ => Shown::All,
    };
    if percent(rng, 10) {
        query.limit = Some(rng.usize(1..=4));
    }
    if query.function == Function::Dbcluster && percent(rng, 40) {
        query.limit = Some(rng.usize(1..=6));
        query.offset = one(rng, &[0, 0, 0, 1, 3]);
        query.sort = sort(rng, rows, query);
    }
}

/// Up to two of the columns that are shown and that the twin can order.
fn sort(rng: &mut Rng, rows: &Table, query: &Query) -> Vec<SortKey> {
    let of_clusters = ["clustered", "cluster_id", "cluster_size"].map(str::to_string);
    let mut columns = match &query.shown {
        Shown::All => {
            let mut columns = rows.names(|data_type| !data_type.is_nested());
            // Half of the sorts are by columns of clusters alone.
            columns.truncate(if rng.bool() { 0 } else { 3 });
            columns.extend(of_clusters);
            if query.time_column.of(&rows.columns).is_some() {
                columns.extend(["first_event_time", "last_event_time"].map(str::to_string));
            }
            columns
        }
        Shown::Columns(names) => {
            let is_flat = |name: &&String| {
                let of_rows = rows.columns.iter().find(|column| column.name == **name);
                of_rows.map_or(of_clusters.contains(name), |column| !column.data_type.is_nested())
            };
            names.iter().filter(is_flat).cloned().collect()
        }
        Shown::Totals | Shown::PerCluster => vec![],
    };
    rng.shuffle(&mut columns);
    columns.truncate(one(rng, &[0, 1, 1, 2]));
    let key = |column| SortKey { column, descending: rng.bool(), nulls_first: rng.bool() };
    columns.into_iter().map(key).collect()
}

fn filter(rng: &mut Rng, rows: &Table, query: &Query) -> Option<Predicate> {
    let of_cluster =
        |column: &str, condition: Condition| Some(Predicate { column: column.to_string(), condition });
    let partitions: Vec<String> = (query.partition_by.iter())
        .filter_map(|it| if let Scalar::Column(name) = it { Some(name.clone()) } else { None })
        .collect();
    match rng.u8(..10) {
        0 => of_cluster("cluster_id", Condition::AtLeast(0)),
        1 => of_cluster("cluster_id", Condition::Equals(Value::Int(-1))),
        2 => of_cluster("cluster_id", Condition::Equals(Value::Int(0))),
        3 => of_cluster("cluster_id", Condition::IsNull),
        4 if query.function == Function::Dbcluster => of_cluster("cluster_size", Condition::AtLeast(2)),
        5 if query.function == Function::Dbcluster => of_cluster("clustered", Condition::IsTrue),
        4 if query.function == Function::Members => {
            let point_type = one(rng, &["core", "border", "noise", "skipped"]);
            of_cluster("point_type", Condition::Equals(Value::Text(point_type.to_string())))
        }
        5 if query.function == Function::Members => of_cluster("cluster_key", Condition::IsNotNull),
        6 => condition(rng, rows, &rows.names(|_| true)),
        _ => condition(rng, rows, &partitions),
    }
}

/// A condition on one of these columns that some rows may meet.
fn condition(rng: &mut Rng, rows: &Table, columns: &[String]) -> Option<Predicate> {
    if columns.is_empty() {
        return None;
    }
    let column = one(rng, columns);
    let values: Vec<&Value> = rows.values(&column).filter(|value| !value.is_null()).collect();
    let value = if values.is_empty() { &Value::Null } else { values[rng.usize(..values.len())] };
    let has_no_control = |text: &str| !text.chars().any(char::is_control);
    let condition = match (rng.u8(..4), rows.type_of(&column), value) {
        (0, ..) => Condition::IsNull,
        (1, ..) => Condition::IsNotNull,
        (_, DataType::Boolean, _) => Condition::IsTrue,
        (2, data_type, Value::Int(value)) if data_type.is_integer() => Condition::AtLeast(*value),
        (_, data_type, Value::Int(value)) if data_type.is_integer() => Condition::Equals(Value::Int(*value)),
        (_, _, Value::Text(text)) if has_no_control(text) => Condition::Equals(value.clone()),
        _ => Condition::IsNotNull,
    };
    Some(Predicate { column, condition })
}
