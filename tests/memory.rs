//! Tests with a memory pool that refuses: the rows are right or the error has true figures, and nothing stays reserved.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::common::{DataFusionError, Result, resources_err};
use datafusion::execution::memory_pool::{
    MemoryLimit, MemoryPool, MemoryReservation, UnboundedMemoryPool, human_readable_size,
};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::{collect, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;

use crate::support::{register, rows, session_with, sorted_text};

/// Grants every request but some.
#[derive(Debug)]
struct Refusing {
    granted: UnboundedMemoryPool,
    /// The beginning of the names of consumers that are refused.
    consumer: &'static str,
    /// The index of the refused request among theirs, from 0.
    at: usize,
    /// Whether later requests are refused too.
    and_later: bool,
    requests: AtomicUsize,
    /// The refused requests: their bytes, and the bytes that the consumer held.
    refused: Mutex<Vec<(usize, usize)>>,
}

impl Refusing {
    fn new(consumer: &'static str, at: usize, and_later: bool) -> Self {
        Self {
            granted: UnboundedMemoryPool::default(),
            consumer,
            at,
            and_later,
            requests: AtomicUsize::new(0),
            refused: Mutex::default(),
        }
    }
}

impl Display for Refusing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("refusing")
    }
}

impl MemoryPool for Refusing {
    fn name(&self) -> &'static str {
        "refusing"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.granted.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.granted.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if reservation.consumer().name().starts_with(self.consumer) {
            let request = self.requests.fetch_add(1, Ordering::Relaxed);
            if request == self.at || (self.and_later && request > self.at) {
                self.refused.lock().expect("no panic elsewhere").push((additional, reservation.size()));
                return resources_err!("refused");
            }
        }
        self.granted.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.granted.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Infinite
    }
}

/// Events with many vectors, hosts, and rows that tie.
const EVENTS: &str = "SELECT value AS id, to_timestamp_seconds(1768453200 + value % 50) AS time, 'h' || (value % 5) AS host,
    CAST(value % 700 AS DECIMAL(38, 2)) AS v, repeat('x', CAST(value % 9 AS INT)) AS text FROM generate_series(1, 4000)";

const QUERIES: [&str; 12] = [
    "SELECT * FROM dbcluster(events, [v], eps => 0.5, scaling => 'none')",
    "SELECT * FROM dbcluster(events, [v, id % 7], eps => 1, partition_by => [host, text], keep_members => {text: 2})",
    "SELECT id, cluster_size FROM dbcluster((SELECT id, host, v FROM events), [v], eps => 1, scaling => 'zscore',
     order_by => host, exemplar => 'last', min_samples => 3)",
    "SELECT * FROM dbcluster_members(events, [v], eps => 1, scaling => 'minmax', partition_by => text)",
    "SELECT id, dbscan(0.5, 2, v) OVER () AS a, dbscan(3, 2, v, id % 3) OVER (PARTITION BY host) AS b,
            dbscan(2, 3, v, id % 3) OVER (PARTITION BY host) AS c FROM events",
    "SELECT * FROM dbcluster_summary(events, [v, length(text)], eps => 1, partition_by => host)",
    "SELECT * FROM dbcluster_eps(events, [v, length(text)], 3, partition_by => host)",
    "SELECT * FROM dbcluster_why(events, [v, length(text)], eps => 'auto', min_samples => 3, show => id)",
    "SELECT * FROM dbcluster(events, [v], eps => 1, scaling => 'none', distinct_of => [host, text], template_of => text)",
    "SELECT * FROM dbcluster_values(events, [v], eps => 1, scaling => 'none', partition_by => host, of => [id, text], top => 3)",
    "SELECT * FROM dbcluster_around(events, (SELECT host, time FROM events WHERE id % 50 = 7), by => host, within => INTERVAL '5 seconds')",
    "SELECT * FROM hunt(events, text => text || ' word' || chr(CAST(97 + id % 26 AS INT)), subject => host, context => v, host => host, who => id % 11)",
];

/// Creates a session with the events and this memory pool.
async fn session(pool: Option<Arc<Refusing>>) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2).with_batch_size(512);
    let events = rows(&session_with(SessionConfig::new()), EVENTS).await;
    let ctx = match pool {
        None => SessionContext::new_with_config(config),
        Some(pool) => {
            let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().expect("a runtime");
            SessionContext::new_with_config_rt(config, runtime)
        }
    };
    datafusion_dbcluster::register_all(&ctx).expect("functions register");
    register(&ctx, "events", &events, 2);
    ctx
}

async fn run(ctx: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = ctx.sql(sql).await?.collect().await?;
    Ok(sorted_text(&batches))
}

/// Refuses one request after the other of some consumers, and returns the numbers of refusals and errors.
async fn refuse_each(consumer: &'static str, sql: &str, expected: &[String]) -> (usize, usize) {
    let (mut refusals, mut errors) = (0, 0);
    for and_later in [false, true] {
        for at in 0.. {
            // There may be hundreds of requests, so only every 37th of the later ones is tested.
            if at > 12 && at % 37 != 0 {
                continue;
            }
            let pool = Arc::new(Refusing::new(consumer, at, and_later));
            let ctx = session(Some(Arc::clone(&pool))).await;
            let answer = run(&ctx, sql).await;
            let refused = pool.refused.lock().expect("no panic elsewhere").clone();
            if refused.is_empty() {
                break;
            }
            refusals += 1;
            let place = format!("{consumer} refused at {at}, later ones: {and_later}\n{sql}");
            match answer {
                Ok(rows) => assert_eq!(rows, expected, "{place}"),
                Err(error) => {
                    errors += 1;
                    let root = error.find_root();
                    assert!(matches!(root, DataFusionError::ResourcesExhausted(_)), "{place}: {error}");
                    if !consumer.is_empty() {
                        let text = root.to_string();
                        // Two partitions may be refused at once, and one of them is told of.
                        let is_told = refused.iter().any(|(asked, held)| {
                            let (asked, held) = (human_readable_size(*asked), human_readable_size(*held));
                            text.contains(&format!(
                                "needs {asked} more than the {held} it holds; give the query more"
                            ))
                        });
                        assert!(is_told, "{place}: {refused:?}\n{text}");
                    }
                }
            }
            nothing_stays(&pool, &place).await;
        }
    }
    (refusals, errors)
}

/// Tasks that are stopped give their memory back a little later.
async fn nothing_stays(pool: &Refusing, place: &str) {
    for _ in 0..3000 {
        if pool.reserved() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} bytes stay reserved: {place}", pool.reserved());
}

/// Operators that need memory report how much; the filter of the second read is left open without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_whose_memory_is_refused_say_so_or_do_without() {
    let plain = session(None).await;
    for (consumer, can_do_without) in
        [("DbscanExec", false), ("ExemplarSelectExec", false), ("ExemplarKeyCollectExec", true)]
    {
        let mut refused = 0;
        for sql in QUERIES {
            let expected = run(&plain, sql).await.expect("rows");
            let (refusals, errors) = refuse_each(consumer, sql, &expected).await;
            assert_eq!(errors, if can_do_without { 0 } else { refusals }, "{consumer}\n{sql}");
            refused += refusals;
        }
        assert!(refused >= 4, "{consumer} asked for memory {refused} times: this proves nothing");
    }
}

/// The rows are right whichever consumer is refused, also an operator of the engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_right_whoever_is_refused() {
    let plain = session(None).await;
    for sql in QUERIES {
        let expected = run(&plain, sql).await.expect("rows");
        let (refusals, errors) = refuse_each("", sql, &expected).await;
        assert!(
            refusals > 20 && errors > 0,
            "{refusals} refusals, {errors} errors: this proves nothing\n{sql}"
        );
    }
}

/// An error of the input does not mention rows that never arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn error_from_below_names_no_clustering_that_holds_nothing() {
    let mut errors = 0;
    for consumer in ["PartialHashAggregate", "FinalHashAggregate", "ExternalSorter"] {
        let pool = Arc::new(Refusing::new(consumer, 0, true));
        let ctx = session(Some(Arc::clone(&pool))).await;
        // An operator may work without the memory.
        let Err(error) = run(&ctx, QUERIES[0]).await else { continue };
        errors += 1;
        let error = error.to_string();
        assert!(!error.contains("cluster") && !error.contains("coarser"), "{consumer}: {error}");
    }
    assert!(errors > 0, "no operator failed: this proves nothing");
}

/// A plan gives the same rows each time, also after a run that was dropped half-way. The engine's own shuffles allow
/// one run only, so there is one partition.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_run_again() {
    let ctx = session_with(SessionConfig::new().with_target_partitions(1).with_batch_size(100));
    let events = rows(&ctx, EVENTS).await;
    register(&ctx, "events", &events, 1);
    for sql in QUERIES {
        let plan =
            || async { ctx.sql(sql).await.expect("a plan").create_physical_plan().await.expect("a plan") };
        let collected = |plan: Arc<dyn ExecutionPlan>| async {
            sorted_text(&collect(plan, ctx.task_ctx()).await.unwrap_or_else(|error| panic!("{sql}\n{error}")))
        };
        let expected = collected(plan().await).await;
        for same_context in [true, false] {
            let plan = plan().await;
            let context = ctx.task_ctx();
            let mut dropped = execute_stream(Arc::clone(&plan), Arc::clone(&context)).expect("a run");
            dropped.next().await.expect("a batch").expect("rows");
            drop(dropped);
            let context = if same_context { context } else { ctx.task_ctx() };
            for _ in 0..2 {
                let again = collect(Arc::clone(&plan), Arc::clone(&context)).await.expect("rows");
                assert_eq!(sorted_text(&again), expected, "{sql}");
            }
        }
        let plan = plan().await;
        let (one, other) = tokio::join!(collected(Arc::clone(&plan)), collected(plan));
        assert_eq!((&one, &other), (&expected, &expected), "{sql}");
    }
}
