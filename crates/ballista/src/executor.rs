//! `dbcluster-executor`: Ballista's executor with our functions.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ballista_core::RuntimeProducer;
use ballista_core::error::{BallistaError, Result};
use ballista_executor::config::Config;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::health::spawn_health_server;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;

use super::engine::Engine;
use super::object_stores::ClusterStores;
use super::process::{self, Log};
use super::{functions, scheduler};

/// Runs the program with the arguments of this process until it is told to stop.
pub fn main() -> ExitCode {
    let about = "Runs tasks of dbcluster's queries (Apache Ballista's executor).";
    process::main("dbcluster-executor", about, run)
}

async fn run(mut options: Config) -> Result<()> {
    let host = options.external_host.as_deref().unwrap_or("localhost");
    let log = Log {
        level: &options.log_level_setting,
        folder: options.log_dir.as_deref(),
        rotation: &options.log_rotation_policy,
        prefix: format!("executor_{host}_{}", options.bind_port),
        with_threads: options.print_thread_info,
    };
    log.start();
    let address = format!("{}:{}", options.bind_host, options.bind_health_port);
    let address: SocketAddr = address.parse().map_err(|error| {
        BallistaError::Configuration(format!("{address} is no address to listen at: {error}"))
    })?;
    options.executor_id = options.executor_id.map(|id| name_of_this_process(&id));
    if let Some(folder) = &options.work_dir {
        // Without the folder, tasks would fail one after the other.
        std::fs::create_dir_all(folder).map_err(|error| {
            BallistaError::Configuration(format!("--work-dir {folder} can't be made: {error}"))
        })?;
    }
    let scheduler = format!("{}:{}", options.scheduler_host, options.scheduler_port);
    let ports = [options.bind_port, options.bind_grpc_port, options.bind_health_port];
    let mut config = ExecutorProcessConfig::try_from(options)?;
    config.override_execution_engine = Some(Arc::new(Engine::new(config.client_ttl)));
    config.override_function_registry = Some(Arc::new(functions::registry()));
    config.override_config_producer = Some(Arc::new(scheduler::session_config));
    config.override_runtime_producer = Some(runtime_producer(config.work_dir.clone()));
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let health = spawn_health_server(address, config.health.clone(), stopped);
    let result = start_executor_process(Arc::new(config)).await;
    // The health server may have stopped already.
    let _ = stop.send(());
    let _ = health.await;
    result.map_err(|error| with_advice(error, &scheduler, ports))
}

/// Adds advice to the errors that a first start usually fails with.
fn with_advice(error: BallistaError, scheduler: &str, [rows, tasks, health]: [u16; 3]) -> BallistaError {
    let text = error.to_string();
    if text.contains("Could not connect to scheduler") {
        return BallistaError::Configuration(format!(
            "no scheduler at {scheduler}: start dbcluster-scheduler first, or wait for it with \
             --scheduler-connect-timeout-seconds"
        ));
    }
    if text.contains("Address already in use") {
        return BallistaError::Configuration(format!(
            "one of the ports {rows}, {tasks} and {health} is in use: give a second executor on a machine others with \
             --bind-port, --bind-grpc-port and --bind-health-port"
        ));
    }
    error
}

/// A name that differs from start to start. An executor that comes back has lost its tasks, and clients notice by the name.
fn name_of_this_process(id: &str) -> String {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{id}-{:x}-{}", started.as_millis(), std::process::id())
}

/// Makes runtimes with the object stores of a cluster, which spill to the work folder.
fn runtime_producer(work_folder: Option<String>) -> RuntimeProducer {
    Arc::new(move |config| {
        let mut runtime = RuntimeEnvBuilder::new().with_object_store_registry(ClusterStores::of(config)?);
        if let Some(folder) = &work_folder {
            runtime = runtime.with_temp_file_path(folder);
        }
        runtime.build_arc()
    })
}
