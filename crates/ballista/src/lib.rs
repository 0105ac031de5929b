//! The same SQL on an Apache Ballista cluster.
//!
//! Ballista runs a logical plan on many machines: the client plans it and sends it to the *scheduler*, which cuts it into
//! stages at every exchange of rows; *executors* run the tasks of a stage, one per share of its rows, and hand their
//! output on as files. What travels is built-in operators and functions by name. So a cluster needs three processes that
//! know this crate's functions, and no operator of ours (executors put one in place of an engine's, see `engine`):
//!
//! - a client: [`connect`] for programs, `dbcluster --cluster df://host:port` for people;
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
//! | `query` | an answer counts only if nothing was run twice; nobody waits forever; what nobody wants is cancelled |
//! | `planner` | unions, which Ballista multiplies, are made here; tables of this session stay here |
//! | `partition_columns` | partition columns have a type that travels |
//! | `functions` | every process has every function |
//! | `file_versions` | the two reads of a table are of the same files |
//! | `whole_files` | a `COPY` that fails leaves no part of a file |
//! | `engine`, `connections` | the clustering asks for its memory, and can be stopped |
//! | `object_stores` | all processes find files in the same way |
//! | `failure` | a message from an executor reads as if it came from here |
//!
//! `docs/cluster.md` is for who sets one up, `docs/scale.md` tells what costs what.

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

pub use object_stores::ClusterStores;
pub use planner::ClusterPlanner;
pub use query::ClusterExec;

use datafusion_dbcluster::distributed::BroadcastClusters;
use datafusion_dbcluster::{DbclusterConfig, register_all};

/// Where a scheduler listens if its address names no port.
const SCHEDULER_PORT: u16 = 50050;

/// In how many parts a query is cut, unless somebody says otherwise: Ballista's own default.
pub const PARTITIONS: usize = 16;

/// How long a scheduler may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session whose queries run on the cluster of the scheduler at `url`, such as `df://localhost:50050`, with every
/// function of this crate. Tables are files that all processes can read, locally at the same path or on S3; their S3 options
/// are `SET s3.region = ...` and so on, or the `AWS_...` variables of each process.
///
/// # Errors
/// `url` can't be read, or nobody listens there.
pub async fn connect(url: &str) -> Result<SessionContext> {
    let config = configured(SessionConfig::new_with_ballista());
    let stores = ClusterStores::of(&config)?;
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(stores).build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    let ctx =
        SessionContext::new_with_state(upgraded(state, &reachable(url).await?, None)?).enable_url_table();
    register(&ctx)?;
    Ok(ctx)
}

/// A session with a scheduler and one executor of its own, in this process: for tests. Its clustering does not ask a memory
/// pool, and nothing notices if a task is run twice; see [`ClusterExec`].
///
/// # Errors
/// No free port.
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
    let ctx = SessionContext::new_with_state(upgraded(state, &scheduler, None)?).enable_url_table();
    register(&ctx)?;
    Ok(ctx)
}

/// Puts this crate on a session whose queries go to a cluster.
pub fn register(ctx: &SessionContext) -> Result<()> {
    register_all(ctx)?;
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

/// What a cluster needs to be told, on top of Ballista's own defaults.
///
/// The exemplars are fetched by a join of a few rows with the table. Ballista prefers a join that sorts and exchanges both
/// sides, since it can spill; with hash joins preferred it sends the few rows to every task of the scan instead. And a client
/// that pulls the state of its query learns the query's name at once, not with its end, so that it can ask for more, and
/// cancel it.
pub fn configured(config: SessionConfig) -> SessionConfig {
    config
        .upgrade_for_ballista()
        .set_bool("datafusion.optimizer.prefer_hash_join", true)
        .set_bool("ballista.client.pull", true)
        .with_option_extension(S3Options::default())
        .with_option_extension(DbclusterConfig::default())
}

/// A session state whose queries go to the scheduler, by `planner` or one of its own.
pub fn upgraded(
    state: SessionState,
    scheduler: &str,
    planner: Option<Arc<dyn QueryPlanner + Send + Sync>>,
) -> Result<SessionState> {
    let planner = planner.unwrap_or_else(|| Arc::new(ClusterPlanner::new(scheduler.to_string())));
    let config = state.config().clone().with_ballista_query_planner(planner);
    SessionStateBuilder::new_from_existing(state)
        .with_config(config)
        .build()
        .upgrade_for_ballista(scheduler.to_string())
}

/// The scheduler of a `df://host:port` as Ballista's clients want it, if somebody listens there.
pub async fn reachable(url: &str) -> Result<String> {
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
