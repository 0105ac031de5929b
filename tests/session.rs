//! Tests of `register_all`, and of the lookup of a session's tables.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use datafusion_dbcluster::SessionStateBuilderExt;
use tokio::sync::{mpsc, oneshot};

use crate::support::{self, number, register, session, session_with, text};

#[test]
fn threads_that_register_at_once_register_once() {
    const THREADS: usize = 4;
    let parts = |ctx: &SessionContext| {
        let state = ctx.state();
        let planners = (state.relation_planners().len(), state.expr_planners().len());
        (planners, state.optimizer().rules.len(), state.physical_optimizers().len())
    };
    let expected = parts(&session());
    for _ in 0..20 {
        let ctx = SessionContext::new();
        let together = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    together.wait();
                    datafusion_dbcluster::register_all(&ctx).expect("functions register");
                });
            }
        });
        assert_eq!(parts(&ctx), expected);
    }
}

/// A session that a host builds itself is the same as a registered one, even if it is registered twice.
#[tokio::test]
async fn built_sessions_are_registered_ones() {
    let config = || SessionConfig::new().with_target_partitions(2).with_information_schema(true);
    let registered = session_with(config());
    let built = || SessionStateBuilder::new().with_config(config()).with_default_features().with_dbcluster();
    let once = SessionContext::new_with_state(built().build());
    let twice = SessionContext::new_with_state(built().with_dbcluster().build());
    let both = SessionContext::new_with_state(built().build());
    datafusion_dbcluster::register_all(&both).expect("functions register");
    let session_id = both.session_id();
    datafusion_dbcluster::register_all(&both).expect("functions register");
    assert_eq!(both.session_id(), session_id);
    let names = |ctx: &SessionContext| {
        let state = ctx.state();
        let mut functions: Vec<String> = state.scalar_functions().keys().cloned().collect();
        functions.extend(state.window_functions().keys().cloned());
        functions.extend(state.table_functions().keys().cloned());
        functions.sort_unstable();
        let logical = state.optimizer().rules.iter().map(|rule| rule.name().to_string());
        let physical = state.physical_optimizers().iter().map(|rule| rule.name().to_string());
        let analyzers = state.analyzer().rules.iter().map(|rule| rule.name().to_string());
        let planners = (state.expr_planners().len(), state.relation_planners().len());
        (functions, analyzers.chain(logical).chain(physical).collect::<Vec<_>>(), planners)
    };
    let make = "CREATE TABLE t AS SELECT value % 7 AS x, value AS id FROM generate_series(1, 100)";
    let sql = "SELECT * FROM dbcluster(t, [path_score(repeat('a', x))], eps => 1, partition_by => id % 2) ORDER BY id";
    registered.sql(make).await.expect("a table").collect().await.expect("a table");
    let expected = text(&registered, sql).await;
    for ctx in [once, twice, both] {
        assert_eq!(names(&ctx), names(&registered));
        ctx.sql(make).await.expect("a table").collect().await.expect("a table");
        assert_eq!(text(&ctx, sql).await, expected);
    }
}

/// Functions that only plans call are in no session's catalog.
#[tokio::test]
async fn functions_of_plans_are_not_in_the_catalog() {
    let ctx = session_with(SessionConfig::new().with_information_schema(true));
    let routines =
        |condition: &str| format!("SELECT count(*) FROM information_schema.routines WHERE {condition}");
    let ours = "routine_name IN ('dbcluster', 'dbscan', 'cmdline_tokens')";
    assert!(number(&ctx, &routines(ours)).await >= 3);
    let hidden = "starts_with(routine_name, '__') OR routine_name IN ('dbscan_vectors', 'dbcluster_input')";
    assert_eq!(number(&ctx, &routines(hidden)).await, 0);
}

/// A catalog that behaves like a remote one: it answers late, over a connection that a task of the runtime drives and that the
/// next lookup uses again.
#[derive(Debug)]
struct Remote {
    inner: Arc<dyn SchemaProvider>,
    lookups: AtomicUsize,
    connections: AtomicUsize,
    connection: Mutex<Option<mpsc::UnboundedSender<oneshot::Sender<()>>>>,
}

impl Remote {
    /// The connection, which is made if there is none that still answers.
    fn connection(&self) -> mpsc::UnboundedSender<oneshot::Sender<()>> {
        let mut kept = self.connection.lock().expect("nobody panics");
        if let Some(sender) = kept.as_ref().filter(|sender| !sender.is_closed()) {
            return sender.clone();
        }
        self.connections.fetch_add(1, Ordering::Relaxed);
        let (sender, mut requests) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        #[expect(
            clippy::disallowed_methods,
            reason = "as a client of a server does, whose driver ends with its runtime"
        )]
        tokio::spawn(async move {
            while let Some(answer) = requests.recv().await {
                tokio::time::sleep(Duration::from_millis(1)).await;
                // The receiver may be gone.
                let _ = answer.send(());
            }
        });
        *kept = Some(sender.clone());
        sender
    }
}

#[async_trait]
impl SchemaProvider for Remote {
    fn table_names(&self) -> Vec<String> {
        self.inner.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.connection().send(answer).expect("the connection is open");
        answered.await.expect("the connection answers");
        self.inner.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.inner.table_exist(name)
    }
}

async fn looked_up_once_on_one_connection() {
    let ctx = session();
    ctx.sql("CREATE TABLE t AS SELECT 1 AS a").await.expect("a table").collect().await.expect("a table");
    let catalog = ctx.catalog("datafusion").expect("the default catalog");
    let remote = Arc::new(Remote {
        inner: catalog.schema("public").expect("the default schema"),
        lookups: AtomicUsize::new(0),
        connections: AtomicUsize::new(0),
        connection: Mutex::new(None),
    });
    let far = MemoryCatalogProvider::new();
    far.register_schema("public", Arc::clone(&remote) as _).expect("a schema");
    ctx.register_catalog("far", Arc::new(far));
    for lookups in 1..=3 {
        assert_eq!(number(&ctx, "SELECT count(*) FROM dbcluster(far.public.t, [a], 1)").await, 1);
        assert_eq!(remote.lookups.load(Ordering::Relaxed), lookups);
    }
    assert_eq!(remote.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn remote_tables_are_looked_up_once_though_the_only_thread_waits() {
    looked_up_once_on_one_connection().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn remote_tables_are_looked_up_once_though_the_only_worker_waits() {
    looked_up_once_on_one_connection().await;
}

/// Returns the number of clusterings in a plan of `levels` nested calls, each of which reads its input twice.
async fn clusterings(levels: usize) -> Result<usize> {
    let ctx = session();
    ctx.sql("CREATE TABLE t AS SELECT 1 AS a").await?.collect().await?;
    let table =
        "dbcluster((SELECT a FROM ".repeat(levels) + "t" + &"), [a], 1, scaling => 'none')".repeat(levels);
    let plan = ctx.state().create_logical_plan(&format!("SELECT * FROM {table}")).await?;
    Ok(plan.display_indent().to_string().matches("WindowAggr: windowExpr=[[dbscan_vectors").count())
}

#[tokio::test]
async fn calls_in_one_another_have_an_end() {
    for levels in 1..=4 {
        assert_eq!(clusterings(levels).await.expect("a plan"), (1 << levels) - 1);
    }
    for levels in [5, 8] {
        let refused = clusterings(levels).await.expect_err("too deep").strip_backtrace();
        assert!(refused.contains("more than 4 clusterings stand in one another"), "{refused}");
    }
}

#[tokio::test]
async fn expressions_have_an_end() {
    let ctx = session();
    ctx.sql("CREATE TABLE t AS SELECT 1 AS a").await.expect("a table").collect().await.expect("a table");
    let call = |terms: usize| {
        let sum = vec!["a"; terms].join(" + ");
        format!("SELECT count(*) FROM dbcluster(t, [{sum}], 1, partition_by => {sum})")
    };
    assert_eq!(number(&ctx, &call(256)).await, 1);
    let refused = ctx.sql(&call(257)).await.expect_err("too deep").strip_backtrace();
    assert!(refused.contains("nests more than 256 operations, as a sum of so many terms does"), "{refused}");
    assert!(refused.len() < 500, "{refused}");
}

/// A rule of the engine removes sorts of tables with at most one row. It used to make a plan of such an input that the engine
/// refused.
#[tokio::test]
async fn inputs_with_an_unused_order_are_planned() {
    for rows in 0..=2 {
        let ctx = session_with(SessionConfig::new().with_target_partitions(4));
        let events = format!("SELECT value AS id, 'h' || value AS host FROM generate_series(1, {rows})");
        let events = support::rows(&ctx, &events).await;
        register(&ctx, "events", &events, 3);
        let frame = ctx.sql("SELECT id, host FROM events GROUP BY id, host").await.expect("a plan");
        let frame = frame.sort(vec![col("id").sort(true, false)]).expect("a plan");
        ctx.register_table("in_order", frame.into_view()).expect("a view");
        for input in ["(SELECT DISTINCT ON (id) * FROM events ORDER BY id)", "in_order"] {
            for function in ["dbcluster", "dbcluster_members"] {
                let call = format!("SELECT count(*) FROM {function}({input}, [id], 0.5, scaling => 'none')");
                assert_eq!(number(&ctx, &call).await, rows, "{call}");
            }
        }
    }
}
