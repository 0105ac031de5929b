//! The session that the shell and the batch modes run in.
//!
//! It is a session of the engine with files as tables, object stores on demand, our functions and other defaults.
//! Identifiers keep their case. Parquet filters are applied while reading, which makes
//! it cheap to fetch a handful of exemplars. Folders are listed anew for each query. A `DATAFUSION_...` variable of the
//! environment wins over such a default, and `SET` wins over both.

use std::env;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ExplainFormat;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_dbcluster::{LogTables, ReadListener};

use super::args::Options;
#[cfg(feature = "ballista")]
use super::files::SharedTables;
use super::files::{Account, files_as_tables, with_compression_by_name, with_names};
use super::memory::HalfSpillPool;
use super::object_stores::{CarriesStatements, Stores};
use super::parquet_metadata::ParquetMetadata;
use super::progress::PlanWatch;

/// The number of memory consumers that an "out of resources" message lists.
const CONSUMERS_IN_MESSAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// Each batch that an exchange spills has a file of its own, since any batch is larger than this.
///
/// An exchange whose tasks spill at the same time has several files open for writing. It reads the oldest one only, and waits
/// for ever if the batch that it needs is in another (<https://github.com/apache/datafusion/issues/24883>). A file of one batch
/// is complete before anyone is told of the batch. It costs an open file for each batch that waits to be read. This can go
/// with an engine that has the mend (<https://github.com/apache/datafusion/pull/24891>).
const ONE_BATCH_PER_SPILL_FILE: &str = "1";

/// A session for these options. `stdin_is_sql` keeps `LOCATION '/dev/stdin'` from eating the statements to come.
pub(super) async fn session(
    options: &Options,
    planner: &Arc<PlanWatch>,
    account: &Arc<Account>,
    stdin_is_sql: bool,
) -> Result<SessionContext> {
    let mut config = SessionConfig::from(defaults(options)?)
        .with_information_schema(true)
        .with_extension(Arc::new(log_tables(options, account)));
    if stdin_is_sql {
        config = config.with_extension(Arc::new(CarriesStatements));
    }
    #[cfg(feature = "ballista")]
    if let Some(url) = &options.cluster {
        let state = state_on_cluster(url, config, options, planner).await?;
        let ctx = context(state).await?;
        dbcluster_ballista::register_all(&ctx)?;
        options.reading.set(&ctx)?;
        return Ok(ctx);
    }
    let runtime = runtime(options).with_object_store_registry(Arc::<Stores>::default());
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_query_planner(Arc::clone(planner) as _)
        .build();
    with_names(&mut state)?;
    with_compression_by_name(&mut state);
    let ctx = context(state).await?;
    datafusion_dbcluster::register_all(&ctx)?;
    options.reading.set(&ctx)?;
    Ok(ctx)
}

/// The tables that are files: read by this process, or by the executors of a cluster.
fn log_tables(options: &Options, account: &Arc<Account>) -> LogTables {
    #[cfg(feature = "ballista")]
    if options.cluster.is_some() {
        return LogTables::read_elsewhere(Arc::new(SharedTables::new(account)));
    }
    #[cfg(not(feature = "ballista"))]
    let _ = options;
    LogTables::new(Some(Arc::clone(account) as Arc<dyn ReadListener>))
}

/// The runtime without its object stores: the memory, the disk space and the caches of a session.
fn runtime(options: &Options) -> RuntimeEnvBuilder {
    // Log archives grow while people look at them, so each query lists its folders anew.
    let mut runtime = RuntimeEnvBuilder::new().with_object_list_cache_limit(0);
    if let Some(bytes) = options.memory_limit {
        runtime = runtime.with_memory_pool(Arc::new(TrackConsumersPool::new(
            HalfSpillPool::new(bytes),
            CONSUMERS_IN_MESSAGE,
        )));
    }
    if let Some(bytes) = options.disk_limit {
        runtime = runtime.with_max_temp_directory_size(bytes as u64);
    }
    runtime
}

/// The state of a session whose queries go to a cluster. Its formats travel, so they are the engine's and don't name files.
#[cfg(feature = "ballista")]
async fn state_on_cluster(
    url: &str,
    mut config: SessionConfig,
    options: &Options,
    planner: &Arc<PlanWatch>,
) -> Result<SessionState> {
    let is_set = options.threads.is_some() || env::var_os("DATAFUSION_EXECUTION_TARGET_PARTITIONS").is_some();
    if !is_set {
        config = config.with_target_partitions(dbcluster_ballista::DEFAULT_PARTITIONS);
    }
    let state = dbcluster_ballista::session_state(url, config, runtime(options), |on_cluster| {
        planner.plan_by(on_cluster);
        Arc::clone(planner) as _
    });
    state.await
}

/// The context of a state: files are tables.
async fn context(state: SessionState) -> Result<SessionContext> {
    let ctx = files_as_tables(SessionContext::new_with_state(state));
    ctx.refresh_catalogs().await?;
    ctx.register_udtf(ParquetMetadata::NAME, Arc::new(ParquetMetadata));
    Ok(ctx)
}

/// The engine's options: its own defaults, ours, the environment's.
fn defaults(options: &Options) -> Result<ConfigOptions> {
    let mut config = ConfigOptions::from_env()?;
    let unset = |variable: &str| env::var_os(variable).is_none();
    if unset("DATAFUSION_SQL_PARSER_ENABLE_IDENT_NORMALIZATION") {
        config.sql_parser.enable_ident_normalization = false;
    }
    if unset("DATAFUSION_EXECUTION_PARQUET_PUSHDOWN_FILTERS") {
        config.execution.parquet.pushdown_filters = true;
    }
    if unset("DATAFUSION_EXPLAIN_FORMAT") {
        config.explain.format = ExplainFormat::Tree;
    }
    if unset("DATAFUSION_FORMAT_NULL") {
        config.format.null = "NULL".to_string();
    }
    if unset("DATAFUSION_EXECUTION_MAX_SPILL_FILE_SIZE_BYTES") {
        config.set("datafusion.execution.max_spill_file_size_bytes", ONE_BATCH_PER_SPILL_FILE)?;
    }
    if let Some(threads) = options.threads {
        config.set("datafusion.execution.target_partitions", &threads.to_string())?;
    }
    Ok(config)
}
