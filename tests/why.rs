//! `dbcluster_why` says of each noise event what the other functions and plain loops say.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use fastrand::Rng;

use crate::support::{number, rows, session, text};

/// A member as the loops see it.
struct Member {
    id: i64,
    values: [f64; 2],
    cluster: i64,
    is_core: bool,
}

fn doubles(batch: &RecordBatch, column: usize) -> Vec<Option<f64>> {
    batch.column(column).as_primitive::<Float64Type>().iter().collect()
}

fn integers(batch: &RecordBatch, column: usize) -> Vec<Option<i64>> {
    batch.column(column).as_primitive::<Int64Type>().iter().collect()
}

async fn members(ctx: &SessionContext, call: &str) -> Vec<Member> {
    // The canonical order: by the features, since there is no time.
    let sql = format!(
        "SELECT id, x, y, cluster_id, point_type = 'core' FROM dbcluster_members{call} ORDER BY x, y, id"
    );
    let batch = rows(ctx, &sql).await;
    let (ids, x, y) = (integers(&batch, 0), doubles(&batch, 1), doubles(&batch, 2));
    let (clusters, cores) = (integers(&batch, 3), batch.column(4).as_boolean());
    let number = |value: Option<f64>| value.expect("no NULL among the features");
    (0..batch.num_rows())
        .map(|row| Member {
            id: ids[row].expect("an id"),
            values: [number(x[row]), number(y[row])],
            cluster: clusters[row].expect("a cluster"),
            is_core: cores.value(row),
        })
        .collect()
}

/// The distance that is compared, and how far an eps reaches.
fn reduced(metric: &str, a: [f64; 2], b: [f64; 2]) -> f64 {
    let [x, y] = [a[0] - b[0], a[1] - b[1]];
    match metric {
        "euclidean" => x * x + y * y,
        "manhattan" => x.abs() + y.abs(),
        _ => x.abs().max(y.abs()),
    }
}

fn reach(metric: &str, eps: f64) -> f64 {
    if metric == "euclidean" { eps * eps } else { eps }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nearest_clusters_are_those_of_plain_loops() {
    let mut rng = Rng::with_seed(18);
    let (mut noise, mut joined) = (0, 0);
    for _ in 0..50 {
        let ctx = session();
        let scale = [1.0, 0.1, 1e-7][rng.usize(..3)];
        let values: Vec<String> = (0..=rng.usize(..40))
            .map(|id| {
                let mut value = || format!("{:?}", f64::from(rng.u8(..12)) * scale);
                format!("({id}, {}, {})", value(), value())
            })
            .collect();
        let table =
            format!("CREATE TABLE events AS SELECT * FROM (VALUES {}) AS t(id, x, y)", values.join(", "));
        rows(&ctx, &table).await;
        let metric = ["euclidean", "manhattan", "chebyshev"][rng.usize(..3)];
        let eps = [0.5, 1.0, 1.5, 2.5][rng.usize(..4)] * scale;
        let min_samples = [1, 2, 2, 3, 4][rng.usize(..5)];
        let options = format!("min_samples => {min_samples}, scaling => 'none', metric => '{metric}'");
        let call = format!("(events, [x, y], {eps:?}, {options})");
        let told = format!("{table}; {call}");

        let members = members(&ctx, &call).await;
        let exemplars =
            rows(&ctx, &format!("SELECT cluster_id, id FROM dbcluster{call} WHERE clustered")).await;
        let exemplars: HashMap<Option<i64>, Option<i64>> =
            integers(&exemplars, 0).into_iter().zip(integers(&exemplars, 1)).collect();
        let why = rows(
            &ctx,
            &format!(
                "SELECT id, nearest_cluster_id, nearest_id, distance, distance_in_eps, joins_at_eps, x_difference, y_difference
                 FROM dbcluster_why({}, show => [id]) ORDER BY x, y, id",
                call.trim_start_matches('(').trim_end_matches(')')
            ),
        )
        .await;
        let expected: Vec<&Member> = members.iter().filter(|member| member.cluster == -1).collect();
        let ids: Vec<Option<i64>> = expected.iter().map(|member| Some(member.id)).collect();
        assert_eq!(integers(&why, 0), ids, "{told}");
        for (row, event) in expected.into_iter().enumerate() {
            noise += 1;
            check_nearest(&why, row, event, &members, &exemplars, (metric, eps), &told);
            joined += usize::from(check_joining(&ctx, &why, row, event.id, &options, &told).await);
        }
    }
    assert!(
        noise > 100 && joined > 50,
        "{noise} noise events, of which {joined} would join: too few to prove much"
    );
}

fn check_nearest(
    why: &RecordBatch,
    row: usize,
    event: &Member,
    members: &[Member],
    exemplars: &HashMap<Option<i64>, Option<i64>>,
    (metric, eps): (&str, f64),
    told: &str,
) {
    let cores = members.iter().filter(|member| member.is_core);
    let distance_to = |member: &Member| reduced(metric, event.values, member.values);
    let nearest =
        cores.min_by(|a, b| distance_to(a).total_cmp(&distance_to(b)).then(a.cluster.cmp(&b.cluster)));
    let Some(nearest) = nearest else {
        assert!((1..5).chain(6..8).all(|column| why.column(column).is_null(row)), "{told}");
        return;
    };
    assert_eq!(integers(why, 1)[row], Some(nearest.cluster), "{told}");
    assert_eq!(integers(why, 2)[row], exemplars[&Some(nearest.cluster)], "{told}");
    let distance = doubles(why, 3)[row].expect("a distance");
    let reduced = distance_to(nearest);
    assert!(
        reach(metric, distance) >= reduced && reach(metric, distance.next_down()) < reduced,
        "{distance}, {told}"
    );
    assert_eq!(doubles(why, 4)[row].map(f64::to_bits), Some((distance / eps).to_bits()), "{told}");
    for axis in 0..2 {
        let difference = event.values[axis] - nearest.values[axis];
        assert_eq!(doubles(why, 6 + axis)[row], Some(difference), "{told}");
    }
}

/// At the eps that is told the event is in a cluster, and just below it is not. Returns whether there is such an eps.
async fn check_joining(
    ctx: &SessionContext,
    why: &RecordBatch,
    row: usize,
    id: i64,
    options: &str,
    told: &str,
) -> bool {
    let cluster_at = async |eps: f64| {
        let members = format!("dbcluster_members(events, [x, y], {eps:?}, {options})");
        number(ctx, &format!("SELECT cluster_id FROM {members} WHERE id = {id}")).await
    };
    match doubles(why, 5)[row] {
        Some(eps) => {
            assert!(cluster_at(eps).await >= 0, "{eps}, {told}");
            assert_eq!(cluster_at(eps.next_down()).await, -1, "{eps}, {told}");
            true
        }
        None => {
            assert_eq!(cluster_at(f64::MAX.sqrt() / 2.0).await, -1, "{told}");
            false
        }
    }
}

#[tokio::test]
async fn further_columns_cost_nothing_else() {
    let ctx = session();
    rows(&ctx, "CREATE TABLE events AS SELECT * FROM (VALUES (1.0), (2.0), (2.5), (9.0), (11.0)) AS t(x)")
        .await;
    let call = "(events, [x], 1, scaling => 'none')";
    let why = text(&ctx, &format!("SELECT x FROM dbcluster_why{call} ORDER BY x")).await;
    let noise = text(&ctx, &format!("SELECT x FROM dbcluster{call} WHERE NOT clustered ORDER BY x")).await;
    assert_eq!(why, noise);
}
