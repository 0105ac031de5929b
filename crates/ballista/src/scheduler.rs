//! `dbcluster-scheduler`: Ballista's scheduler with our functions.

use std::process::ExitCode;
use std::sync::Arc;

use ballista_core::error::{BallistaError, Result};
use ballista_core::extension::{
    SessionConfigExt, ballista_aggregate_functions, ballista_scalar_functions, ballista_window_functions,
};
use ballista_core::optimizer::ballista_default_optimizer_rules;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{Config, SchedulerConfig};
use ballista_scheduler::scheduler_process::start_server;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use super::object_stores::ClusterStores;
use super::process::{self, Log, told_to_stop};
use super::{configured, functions};
use datafusion_dbcluster::distributed::FileStatistics;

/// Runs the program with the arguments of this process until it is told to stop.
pub fn main() -> ExitCode {
    let about = "Plans queries of dbcluster for a cluster, and hands their tasks to executors (Apache Ballista's scheduler).";
    process::main("dbcluster-scheduler", about, run)
}

async fn run(options: Config) -> Result<()> {
    let log = Log {
        level: &options.log_level_setting,
        folder: options.log_dir.as_deref(),
        rotation: &options.log_rotation_policy,
        prefix: format!("scheduler_{}_{}_{}", options.namespace, options.external_host, options.bind_port),
        with_threads: options.print_thread_info,
    };
    log.start();
    let address = format!("{}:{}", options.bind_host, options.bind_port);
    let address = address.parse().map_err(|error| {
        BallistaError::Configuration(format!("{address} is no address to listen at: {error}"))
    })?;
    let config = SchedulerConfig::try_from(options)?
        .with_override_config_producer(Arc::new(session_config))
        .with_override_session_builder(Arc::new(session_state));
    let cluster = BallistaCluster::new_from_config(&config).await?;
    tokio::select! {
        result = start_server(cluster, address, Arc::new(config)) => result,
        () = told_to_stop() => {
            log::info!("told to stop");
            Ok(())
        }
    }
}

/// The settings that a session starts from. Those of the client come on top.
pub(super) fn session_config() -> SessionConfig {
    configured(SessionConfig::new_with_ballista())
}

/// A session that plans a query.
pub(super) fn session_state(config: SessionConfig) -> datafusion::common::Result<SessionState> {
    let stores = ClusterStores::of(&config)?;
    let runtime = RuntimeEnvBuilder::new().with_object_store_registry(stores).build_arc()?;
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rules(ballista_default_optimizer_rules())
        .with_scalar_functions(ballista_scalar_functions())
        .with_aggregate_functions(ballista_aggregate_functions())
        .with_window_functions(ballista_window_functions());
    // This rule makes built-in operators only, which travel.
    builder.physical_optimizers().get_or_insert_default().rules.insert(0, Arc::new(FileStatistics));
    let mut state = builder.build();
    functions::register(&mut state)?;
    Ok(state)
}
