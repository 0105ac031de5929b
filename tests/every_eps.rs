//! `dbcluster_eps` and `eps => 'auto'` say of each eps what the other functions say of it.

use std::fmt::Write as _;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use fastrand::Rng;

use crate::support::{number, rows, session, text};

/// A table of few values, so that many distances are the same, and how it is clustered.
struct Case {
    create: String,
    features: &'static str,
    options: String,
    min_samples: i64,
    chain_share: f64,
}

impl Case {
    fn random(rng: &mut Rng) -> Self {
        let scale = [1.0, 0.1, 1e-9, 1e100, 7.0][rng.usize(..5)];
        let rows = (0..=rng.usize(..40)).map(|id| {
            let mut value = || match rng.usize(..20) {
                0 => "CAST(NULL AS DOUBLE)".to_string(),
                1 => "-0.0".to_string(),
                _ => format!("{:?}", f64::from(rng.u8(..8)) * scale),
            };
            let (x, y) = (value(), value());
            format!("({id}, {x}, {y}, 'h{}')", rng.u8(..3))
        });
        let rows: Vec<String> = rows.collect();
        let create =
            format!("CREATE TABLE events AS SELECT * FROM (VALUES {}) AS t(id, x, y, host)", rows.join(", "));
        let mut options = String::new();
        for (name, values) in [
            ("scaling", ["l2", "none", "zscore", "minmax", "robust"].as_slice()),
            ("metric", &["euclidean", "manhattan", "chebyshev"]),
            ("nulls", &["zero", "skip"]),
        ] {
            let value = values[rng.usize(..values.len())];
            let _ = write!(options, ", {name} => '{value}'");
        }
        Self {
            create,
            features: ["[x]", "[x, y]", "[x, y, x + y]"][rng.usize(..3)],
            options,
            min_samples: [1, 2, 2, 3, 5, 70][rng.usize(..6)],
            chain_share: [0.0, 0.05, 0.3, 1.0][rng.usize(..4)],
        }
    }

    /// A call of a table function over the rows of a condition.
    fn call(&self, function: &str, rows: &str, options: &str) -> String {
        format!(
            "{function}((SELECT * FROM events WHERE {rows}), {}, min_samples => {}{}{options})",
            self.features, self.min_samples, self.options
        )
    }
}

fn doubles(batch: &RecordBatch, column: usize) -> Vec<Option<f64>> {
    batch.column(column).as_primitive::<Float64Type>().iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_is_the_summary_at_its_eps() {
    let mut rng = Rng::with_seed(17);
    for number_of_case in 0..25 {
        let case = Case::random(&mut rng);
        let ctx = session();
        rows(&ctx, &case.create).await;
        let options = format!(", chain_share => {:?}, steps => {}", case.chain_share, 2 + rng.u8(..9));
        let of_hosts = case.call("dbcluster_eps", "true", &format!("{options}, partition_by => host"));
        for host in ["h0", "h1", "h2"] {
            let told = format!("case {number_of_case}, {host}: {}; {of_hosts}", case.create);
            let is_host = format!("host = '{host}'");
            let alone = case.call("dbcluster_eps", &is_host, &options);
            let all = text(&ctx, &format!("SELECT * FROM {alone}")).await;
            let of_host = format!("SELECT * EXCEPT (host) FROM {of_hosts} WHERE {is_host} ORDER BY eps");
            assert_eq!(text(&ctx, &of_host).await, all, "{told}");
            check_summaries(&ctx, &case, &is_host, &alone, &told).await;
            check_auto(&ctx, &case, &is_host, &alone, &told).await;
        }
    }
}

/// Compares each row with the summary at its eps.
async fn check_summaries(ctx: &SessionContext, case: &Case, is_host: &str, curve: &str, told: &str) {
    let figures = "clusters, noise, collapsed_rows, largest_cluster";
    let batch = rows(ctx, &format!("SELECT eps, {figures} FROM {curve}")).await;
    let eps = doubles(&batch, 0);
    assert!(eps.iter().flatten().is_sorted(), "{told}");
    for (row, eps) in eps.into_iter().enumerate() {
        // Without an eps any gives the same rows.
        let summary =
            case.call("dbcluster_summary", is_host, &format!(", eps => {:?}", eps.unwrap_or(1e-300)));
        let expected = rows(ctx, &format!("SELECT {figures} FROM {summary}")).await;
        let values = |batch: &RecordBatch, row: usize, from: usize| -> Vec<i64> {
            (from..from + 4)
                .map(|column| batch.column(column).as_primitive::<Int64Type>().value(row))
                .collect()
        };
        assert_eq!(values(&batch, row, 1), values(&expected, 0, 0), "eps {eps:?}, {told}");
    }
}

/// Compares `auto` with its definition, and with the same call at the eps that it takes.
async fn check_auto(ctx: &SessionContext, case: &Case, is_host: &str, curve: &str, told: &str) {
    let batch = rows(ctx, &format!("SELECT eps FROM {curve} WHERE is_auto")).await;
    let took_part = case.call("dbcluster_members", is_host, ", eps => 1");
    if number(ctx, &format!("SELECT count(*) FROM events WHERE {is_host}")).await == 0 {
        assert_eq!(batch.num_rows(), 0, "{told}");
        return;
    }
    assert_eq!(batch.num_rows(), 1, "{told}");
    let auto = doubles(&batch, 0)[0];
    let share = format!(", eps => 'auto', chain_share => {:?}", case.chain_share);
    let summary = case.call("dbcluster_summary", is_host, &share);
    let chosen = rows(ctx, &format!("SELECT eps_least, eps_greatest FROM {summary}")).await;
    assert_eq!([doubles(&chosen, 0)[0], doubles(&chosen, 1)[0]], [auto, auto], "{told}");

    let given = format!(", eps => {:?}", auto.unwrap_or(1e-300));
    for function in ["dbcluster", "dbcluster_members"] {
        let of =
            |options: &str| format!("SELECT * FROM {} ORDER BY id", case.call(function, is_host, options));
        assert_eq!(text(ctx, &of(&share)).await, text(ctx, &of(&given)).await, "{told}");
    }

    // The core rows of the largest cluster, as a share of the rows that took part.
    let all = number(ctx, &format!("SELECT count(cluster_id) FROM {took_part}")).await;
    let share_at = async |eps: f64| -> f64 {
        let members = case.call("dbcluster_members", is_host, &format!(", eps => {eps:?}"));
        let largest = format!(
            "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {members} WHERE point_type = 'core' GROUP BY cluster_id)"
        );
        number(ctx, &largest).await as f64 / all as f64
    };
    let Some(auto) = auto else { return };
    // Equal vectors alone: at an eps below all that changes, some of them may be no cluster.
    let heaviest = {
        let one = case
            .call("dbcluster_members", is_host, ", eps => 1e-300")
            .replace(&format!("min_samples => {}", case.min_samples), "min_samples => 1");
        let largest = format!(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM {one} WHERE cluster_id >= 0 GROUP BY cluster_id)"
        );
        number(ctx, &largest).await as f64 / all as f64
    };
    let limit = heaviest + case.chain_share;
    assert!(share_at(auto).await <= limit, "{auto}, {told}");
    // Beyond it nothing changes, or clusters chain.
    let figures_at = async |eps: f64| -> String {
        let summary = case.call("dbcluster_summary", is_host, &format!(", eps => {eps:?}"));
        text(ctx, &format!("SELECT clusters, noise FROM {summary}")).await
    };
    for eps in doubles(&rows(ctx, &format!("SELECT eps FROM {curve} WHERE eps > {auto:?}")).await, 0) {
        let eps = eps.unwrap_or_else(|| panic!("NULL is not greater, {told}"));
        let is_same = figures_at(eps).await == figures_at(auto).await;
        assert!(is_same || share_at(eps).await > limit, "{eps} is beyond {auto}, {told}");
    }
}

#[tokio::test]
async fn every_form_of_a_call_is_the_same() {
    let ctx = session();
    rows(&ctx, "CREATE TABLE events AS SELECT * FROM (VALUES (1.0), (2.0), (2.5), (9.0)) AS t(x)").await;
    let expected = text(&ctx, "SELECT * FROM dbcluster_eps(events, [x], 3, scaling => 'l2')").await;
    for sql in [
        "SELECT * FROM dbcluster_eps('events', 'x', 3)",
        "SELECT * FROM dbcluster_eps(events, 'x', min_samples => 3, eps => auto)",
        "SELECT * FROM DBCLUSTER_EPS(events, (x), 3, steps => 32, chain_share => 0.05)",
    ] {
        assert_eq!(text(&ctx, sql).await, expected, "{sql}");
    }
    let expected = text(&ctx, "SELECT * FROM dbcluster(events, [x], eps => 'auto') ORDER BY x").await;
    for sql in [
        "SELECT * FROM dbcluster(events, [x], 'auto') ORDER BY x",
        "SELECT * FROM dbcluster('events', 'x', 'AUTO') ORDER BY x",
        "SELECT * FROM dbcluster(events, [x], eps => Auto, chain_share => 0.05) ORDER BY x",
    ] {
        assert_eq!(text(&ctx, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn lists_are_sorted_and_have_no_number_twice() {
    let ctx = session();
    rows(&ctx, "CREATE TABLE events AS SELECT * FROM (VALUES (1.0), (2.0), (9.0)) AS t(x)").await;
    let sql = "SELECT eps FROM dbcluster_eps(events, [x], eps => [2, 0.5, 2.0, 1e0 + 1], scaling => 'none')";
    assert_eq!(doubles(&rows(&ctx, sql).await, 0), [Some(0.5), Some(2.0)]);
    let none = rows(&ctx, "SELECT * FROM dbcluster_eps((SELECT * FROM events WHERE false), [x])").await;
    assert_eq!((none.num_rows(), none.num_columns()), (0, 7));
    assert!(none.column(6).is_empty());
}
