//! The functions, the core and the SQL, each beside what it is measured against, in one run and with fixed seeds.
//!
//! `cargo bench` runs all; `cargo bench -- core` one group. Read ratios within a run, not times across runs.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray, StringViewBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datafusion::config::ConfigOptions;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_dbcluster::dbscan::{Params, Points, Scaling, dbscan};
use datafusion_dbcluster::{functions, register_all};
use tokio::runtime::Runtime;

/// Command lines with a slot, Zipf-like: template `i` comes about `1/i` as often as the first.
fn command_lines(rows: usize, templates: usize) -> StringArray {
    let mut random = fastrand::Rng::with_seed(1);
    (0..rows)
        .map(|_| {
            let template = (templates as f64).powf(random.f64()) as usize;
            let arguments = "-x ".repeat(template % 17);
            Some(format!(
                r"C:\Program Files\Vendor {template}\agent.exe --job={:08x} {arguments}",
                random.u32(..)
            ))
        })
        .collect()
}

fn types(arrays: &[ArrayRef]) -> Vec<DataType> {
    arrays.iter().map(|array| array.data_type().clone()).collect()
}

fn invoke(function: &ScalarUDF, arrays: &[ArrayRef]) -> ColumnarValue {
    let types = types(arrays);
    let return_type = function.return_type(&types).expect("a type");
    function
        .invoke_with_args(ScalarFunctionArgs {
            args: arrays.iter().map(Arc::clone).map(ColumnarValue::Array).collect(),
            arg_fields: types.into_iter().map(|ty| Arc::new(Field::new("s", ty, true))).collect(),
            number_rows: arrays[0].len(),
            return_field: Arc::new(Field::new("out", return_type, true)),
            config_options: Arc::new(ConfigOptions::default()),
        })
        .expect("the function runs")
}

fn bench_functions(c: &mut Criterion) {
    let lines = command_lines(8192, 500);
    let mut group = c.benchmark_group("functions");
    group.throughput(Throughput::Bytes(lines.values().len() as u64));
    // Nothing that returns text can take less.
    group.bench_function("floor: copy", |b| {
        b.iter(|| {
            let mut copy = StringViewBuilder::with_capacity(lines.len());
            black_box(&lines).iter().for_each(|line| copy.append_option(line));
            black_box(copy.finish())
        });
    });
    let times =
        TimestampMicrosecondArray::from_iter_values((0..lines.len() as i64).map(|row| row * 1_000_000));
    let lists = (0..lines.len() as i64).map(|row| Some((0..8).map(move |item| Some(row * item % 7))));
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
    let (text, times, lists): (ArrayRef, ArrayRef, ArrayRef) =
        (Arc::new(lines), Arc::new(times), Arc::new(lists));
    let inputs = [vec![Arc::clone(&text)], vec![Arc::clone(&text), text], vec![times], vec![lists]];
    for function in functions::all() {
        // Functions for people take texts, a time or a list; the plan's own take numbers.
        if !function.name().starts_with("dbcluster_") {
            let takes = |input: &&Vec<ArrayRef>| {
                let types = types(input);
                function.coerce_types(&types).is_ok_and(|coerced| coerced == types)
            };
            let input =
                inputs.iter().find(takes).unwrap_or_else(|| panic!("nothing for {}", function.name()));
            group.bench_function(BenchmarkId::from_parameter(function.name()), |b| {
                b.iter(|| black_box(invoke(&function, input)));
            });
        }
    }
    group.finish();
}

/// Blobs of random size in the unit cube with 2 % noise.
fn blobs(points: usize, dimension: usize) -> Points {
    let mut random = fastrand::Rng::with_seed(7);
    let centres: Vec<Vec<f64>> =
        (0..points.div_ceil(500)).map(|_| (0..dimension).map(|_| random.f64()).collect()).collect();
    let columns: Vec<Vec<f64>> = {
        let mut columns = vec![Vec::with_capacity(points); dimension];
        for point in 0..points {
            let centre = &centres[random.usize(..centres.len())];
            for (column, centre) in columns.iter_mut().zip(centre) {
                let spread = (random.f64() + random.f64() + random.f64() - 1.5) * 0.01;
                column.push(if point % 50 == 0 { random.f64() } else { centre + spread });
            }
        }
        columns
    };
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    Points::from_columns(&columns).expect("finite columns of one length")
}

fn bench_core(c: &mut Criterion) {
    let mut group = c.benchmark_group("core");
    group.sample_size(10);
    for (points, dimension) in [(100_000, 1), (100_000, 2), (100_000, 3), (1_000_000, 3), (50_000, 8)] {
        let blobs = blobs(points, dimension);
        // About the distance to the 30th neighbour inside a blob of 500 points.
        let eps = 0.01 * (30.0_f64 / 500.0).powf(1.0 / dimension as f64);
        for min_samples in [2, 10] {
            let params = Params::try_new(eps, min_samples).expect("valid parameters");
            let id = format!("m={points},k={dimension},min_samples={min_samples}");
            group.bench_function(id, |b| {
                b.iter(|| dbscan(black_box(&blobs), &params));
            });
        }
    }
    let mut scaled = blobs(1_000_000, 3);
    group.bench_function("scale l2,m=1000000,k=3", |b| {
        b.iter(|| {
            scaled.scale(black_box(Scaling::L2)).expect("finite points");
        });
    });
    group.finish();
}

/// A session with `rows` process events.
fn session(rows: usize) -> SessionContext {
    let commands = command_lines(rows, 2000);
    let paths: StringArray =
        commands.iter().map(|line| line.and_then(|line| line.split(" --").next())).collect();
    let time: TimestampMicrosecondArray = (0..rows as i64).map(|row| Some(row * 1_000)).collect();
    let is_system: BooleanArray = (0..rows).map(|row| Some(row % 3 == 0)).collect();
    let schema = Arc::new(Schema::new(vec![
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("command", DataType::Utf8, false),
        Field::new("path", DataType::Utf8, false),
        Field::new("is_system", DataType::Boolean, false),
    ]));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(time), Arc::new(commands), Arc::new(paths), Arc::new(is_system)];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of one length");
    let batches = (0..rows).step_by(8192).map(|start| batch.slice(start, 8192.min(rows - start))).collect();
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    register_all(&ctx).expect("functions register");
    ctx.register_table("events", Arc::new(MemTable::try_new(schema, vec![batches]).expect("a table")))
        .expect("a new name");
    ctx
}

fn bench_sql(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let ctx = session(1_000_000);
    let features = "cmdline_tokens(command) AS tokens, path_score(path) AS score, is_system AS system";
    let queries = [
        (
            "floor: group by",
            format!(
                "SELECT tokens, score, system, count(*), min(time), max(time) FROM (SELECT time, {features} FROM events) GROUP BY 1, 2, 3"
            ),
        ),
        ("dbcluster, all columns", format!("SELECT * FROM dbcluster(events, '{features}', 0.0001)")),
        (
            "dbcluster, sizes only",
            format!("SELECT cluster_id, cluster_size FROM dbcluster(events, '{features}', 0.0001)"),
        ),
        (
            "dbcluster_members, counted",
            format!(
                "SELECT cluster_id, count(*) FROM dbcluster_members(events, '{features}', 0.0001) GROUP BY 1"
            ),
        ),
    ];
    let mut group = c.benchmark_group("sql,rows=1000000");
    group.sample_size(10);
    for (name, sql) in queries {
        group.bench_function(name, |b| {
            b.iter(|| {
                runtime
                    .block_on(async { ctx.sql(&sql).await.expect("a plan").collect().await.expect("rows") })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench_functions, bench_core, bench_sql);
criterion_main!(benches);
