//! `datafusion-dbcluster` on an Apache Ballista cluster: the same SQL with the same answers.
//!
//! Ballista runs a logical plan on many machines: the client plans it and sends it to the *scheduler*, which cuts it into
//! stages at every exchange of rows; *executors* run the tasks of a stage, one per share of its rows, and hand their
//! output on as files. Plans travel as built-in operators, and functions travel by name. So a cluster needs three processes
//! that know our functions, and no operator of ours (executors put one in place of an engine's, see `engine`):
//!
//! - a client: [`connect`] or [`session_state`] for programs, `dbcluster --cluster df://host:port` for people;
//! - [`scheduler::main`], the binary `dbcluster-scheduler`;
//! - [`executor::main`], the binary `dbcluster-executor`.
//!
//! The table functions expand on the client into plain scans, groupings, joins and our window function. The distinct
//! vectors meet in one task, where the window clusters them; with `partition_by` the partitions are dealt over tasks. The few
//! clusters go to every task that reads events, see `dbcluster/broadcast.rs`.
//!
//! Answers are those of one machine, byte for byte, also where Ballista 55 by itself gives others:
//!
//! | module | sees to it that |
//! |---|---|
//! | `query` | an answer counts only if nothing was run twice; no query waits forever; a dropped query is cancelled |
//! | `planner` | unions, which Ballista multiplies, are made here; tables of this session stay here |
//! | `partition_columns` | partition columns have a type that travels |
//! | `functions` | every process has every function |
//! | `file_versions` | the two reads of a table are of the same files |
//! | `whole_files` | a `COPY` that fails leaves no part of a file |
//! | `engine`, `connections` | the clustering asks for its memory, and can be stopped |
//! | `object_stores` | all processes find files in the same way |
//! | `failure` | a message from an executor reads as if it came from here |
//!
//! `docs/cluster.md` tells how to set one up, `docs/scale.md` what it costs.

mod connections;
mod engine;
pub mod executor;
mod failure;
mod file_versions;
mod functions;
mod object_stores;
mod partition_columns;
mod planner;
mod process;
mod query;
mod rest;
pub mod scheduler;
mod whole_files;

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use ballista_core::error::BallistaError;
use ballista_core::extension::{SessionConfigExt, SessionStateExt};
use ballista_core::object_store::S3Options;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_executor::new_standalone_executor_from_state;
use ballista_scheduler::standalone::new_standalone_scheduler_from_state;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, config_datafusion_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

pub use query::{CANCEL_PATIENCE, ClusterExec};

use object_stores::ClusterStores;
use planner::ClusterPlanner;

use datafusion_dbcluster::DbclusterConfig;
use datafusion_dbcluster::distributed::BroadcastClusters;

/// The port of a scheduler whose address names none.
const SCHEDULER_PORT: u16 = 50050;

/// The number of parts that a query is cut into unless somebody says otherwise: Ballista's own default. It has nothing to do
/// with the cores of the client, which is what DataFusion's default counts.
pub const DEFAULT_PARTITIONS: usize = 16;

/// A scheduler has this long to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A planner of queries, as sessions hold it.
pub type SharedPlanner = Arc<dyn QueryPlanner + Send + Sync>;

/// A session whose queries run on the cluster of the scheduler at `url`, such as `df://localhost:50050`, with every
/// function of this crate. Tables are files that all processes can read, locally at the same path or on S3; their S3 options
/// are `SET s3.region = ...` and so on, or the `AWS_...` variables of each process.
///
/// # Errors
/// `url` can't be read, or nobody listens there.
pub async fn connect(url: &str) -> Result<SessionContext> {
    let config = SessionConfig::new_with_ballista();
    let state = session_state(url, config, RuntimeEnvBuilder::new(), |planner| planner).await?;
    let ctx = SessionContext::new_with_state(state).enable_url_table();
    register_all(&ctx)?;
    Ok(ctx)
}

/// The state of a session whose queries run on the cluster at `url`, for programs that make their own
/// [`SessionContext`]; [`connect`] is shorter. `config` is completed with the settings that a cluster needs, and `runtime`
/// gets the object stores that all processes of a cluster have. `with_planner` may put a planner of its own around the one
/// that sends queries to the cluster.
///
/// Give the context to [`register_all`] when its catalogs are complete.
///
/// # Errors
/// `url` can't be read, or nobody listens there.
pub async fn session_state(
    url: &str,
    config: SessionConfig,
    runtime: RuntimeEnvBuilder,
    with_planner: impl FnOnce(SharedPlanner) -> SharedPlanner,
) -> Result<SessionState> {
    let config = configured(config);
    let runtime = runtime.with_object_store_registry(ClusterStores::of(&config)?).build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    let scheduler = reachable(url).await?;
    upgraded(state, &scheduler, with_planner(Arc::new(ClusterPlanner::new(scheduler.clone()))))
}

/// A session with a scheduler and one executor of its own, in this process: for tests. Its clustering does not ask a memory
/// pool, and nothing notices if a task is run twice; see [`ClusterExec`].
///
/// # Errors
/// No port is free.
pub async fn standalone() -> Result<SessionContext> {
    let state = scheduler::session_state(scheduler::session_config())?;
    let failed = |error: BallistaError| config_datafusion_err!("no cluster in this process: {error}");
    let address = new_standalone_scheduler_from_state(&state).await.map_err(failed)?;
    let url = format!("df://localhost:{}", address.port());
    let scheduler = reachable(&url).await?;
    let connection = SchedulerGrpcClient::connect(scheduler.clone());
    let connection = connection.await.map_err(|error| failed(BallistaError::TonicError(error)))?;
    let vcores = state.config().ballista_standalone_parallelism();
    new_standalone_executor_from_state(connection, vcores, &state).await.map_err(failed)?;
    let planner = Arc::new(ClusterPlanner::new(scheduler.clone()));
    let ctx = SessionContext::new_with_state(upgraded(state, &scheduler, planner)?).enable_url_table();
    register_all(&ctx)?;
    Ok(ctx)
}

/// Registers everything of `datafusion-dbcluster` on a session whose queries run on a cluster, in place of
/// [`datafusion_dbcluster::register_all`].
///
/// # Errors
/// Those of [`datafusion_dbcluster::register_all`].
pub fn register_all(ctx: &SessionContext) -> Result<()> {
    datafusion_dbcluster::register_all(ctx)?;
    let state = ctx.state_ref();
    let mut state = state.write();
    let session_id = state.session_id().to_string();
    *state = SessionStateBuilder::new_from_existing(state.clone())
        .with_session_id(session_id)
        .with_optimizer_rule(Arc::new(BroadcastClusters))
        .build();
    partition_columns::as_text(&mut state);
    Ok(())
}

/// The settings that a cluster needs, on top of Ballista's own defaults.
///
/// The exemplars are fetched by a join of a few rows with the table. Ballista prefers a join that sorts and exchanges both
/// sides, since it can spill; with hash joins preferred it sends the few rows to every task of the scan instead. And a client
/// that pulls the state of its query learns the query's name at once, not with its end, so that it can ask for more, and
/// cancel it.
fn configured(config: SessionConfig) -> SessionConfig {
    config
        .upgrade_for_ballista()
        .set_bool("datafusion.optimizer.prefer_hash_join", true)
        .set_bool("ballista.client.pull", true)
        .with_option_extension(S3Options::default())
        .with_option_extension(DbclusterConfig::default())
}

/// The state with `planner`, and with what else Ballista's clients have.
fn upgraded(state: SessionState, scheduler: &str, planner: SharedPlanner) -> Result<SessionState> {
    let config = state.config().clone().with_ballista_query_planner(planner);
    SessionStateBuilder::new_from_existing(state)
        .with_config(config)
        .build()
        .upgrade_for_ballista(scheduler.to_string())
}

/// The address of a scheduler, `df://host:port`, in the form that Ballista's clients take. Fails if nobody listens there.
async fn reachable(url: &str) -> Result<String> {
    let expected = || {
        config_datafusion_err!(
            "'{url}' is no address of a cluster, expected one such as df://localhost:50050"
        )
    };
    let address = url.strip_prefix("df://").ok_or_else(expected)?.trim_end_matches('/').to_string();
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) => (host.to_string(), port.parse().map_err(|_| expected())?),
        None => (address, SCHEDULER_PORT),
    };
    if host.is_empty() {
        return Err(expected());
    }
    let target = (host.clone(), port);
    let connected = SpawnedTask::spawn_blocking(move || {
        let mut last = std::io::Error::other("the name has no address");
        for address in target.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    });
    let connected =
        connected.join().await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
    connected.map_err(|error| {
        config_datafusion_err!(
            "no scheduler at {url} ({error}): start one with dbcluster-scheduler --bind-port {port}, or check host and port"
        )
    })?;
    Ok(format!("http://{host}:{port}"))
}
