//! The session that the shell and the batch modes run in.
//!
//! It is datafusion-cli's session (files as tables, object stores on demand, its cache and metadata functions) with
//! our functions and other defaults: identifiers keep their case, and Parquet filters are applied while reading,
//! which is what makes fetching a handful of exemplars cheap, and folders are listed anew for each query. A
//! `DATAFUSION_...` variable of the environment wins over such a default, and `SET` wins over both.

use std::env;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ExplainFormat;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_cli::catalog::DynamicObjectStoreCatalog;
use datafusion_cli::functions::{
    ListFilesCacheFunc, MetadataCacheFunc, ParquetMetadataFunc, StatisticsCacheFunc,
};
use datafusion_cli::object_storage::StdinCarriesCommands;
use datafusion_cli::object_storage::instrumented::InstrumentedObjectStoreRegistry;

use super::args::Options;
use super::files::{Stores, files_as_tables, with_names};
use super::memory::HalfSpillPool;
use super::progress::PlanWatch;
#[cfg(feature = "ballista")]
use dbcluster_ballista::{self as cluster, ClusterPlanner, ClusterStores};

/// How many memory consumers an "out of resources" message lists.
const CONSUMERS_IN_MESSAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// A session for these options. `stdin_is_sql` keeps `LOCATION '/dev/stdin'` from eating the statements to come.
pub(super) async fn session(
    options: &Options,
    stores: &Arc<InstrumentedObjectStoreRegistry>,
    planner: &Arc<PlanWatch>,
    stdin_is_sql: bool,
) -> Result<SessionContext> {
    let mut config = SessionConfig::from(defaults(options)?).with_information_schema(true);
    if stdin_is_sql {
        config = config.with_extension(Arc::new(StdinCarriesCommands));
    }
    let stores: Arc<dyn ObjectStoreRegistry> = Stores::new(stores);
    #[cfg(feature = "ballista")]
    let (config, stores) = match options.cluster {
        Some(_) => on_cluster(config, options)?,
        None => (config, stores),
    };

    // Log archives grow while people look at them: each query lists its folders anew.
    let mut runtime =
        RuntimeEnvBuilder::new().with_object_store_registry(stores).with_object_list_cache_limit(0);
    if let Some(bytes) = options.memory_limit {
        runtime = runtime.with_memory_pool(Arc::new(TrackConsumersPool::new(
            HalfSpillPool::new(bytes),
            CONSUMERS_IN_MESSAGE,
        )));
    }
    if let Some(bytes) = options.disk_limit {
        runtime = runtime.with_max_temp_directory_size(bytes as u64);
    }
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_query_planner(Arc::clone(planner) as _)
        .build();
    // Formats of a cluster travel, and those that name files don't.
    #[cfg(feature = "ballista")]
    let is_here = options.cluster.is_none();
    #[cfg(not(feature = "ballista"))]
    let is_here = true;
    if is_here {
        with_names(&mut state)?;
    }
    #[cfg(feature = "ballista")]
    let state = match &options.cluster {
        Some(url) => {
            let scheduler = cluster::reachable(url).await?;
            planner.plan_by(Arc::new(ClusterPlanner::new(scheduler.clone())));
            cluster::upgraded(state, &scheduler, Some(Arc::clone(planner) as _))?
        }
        None => state,
    };
    let ctx = files_as_tables(SessionContext::new_with_state(state));
    ctx.refresh_catalogs().await?;
    ctx.register_catalog_list(Arc::new(DynamicObjectStoreCatalog::new(
        Arc::clone(ctx.state().catalog_list()),
        ctx.state_weak_ref(),
    )));
    let caches = || Arc::clone(&ctx.runtime_env().cache_manager);
    ctx.register_udtf("parquet_metadata", Arc::new(ParquetMetadataFunc {}));
    ctx.register_udtf("metadata_cache", Arc::new(MetadataCacheFunc::new(caches())));
    ctx.register_udtf("statistics_cache", Arc::new(StatisticsCacheFunc::new(caches())));
    ctx.register_udtf("list_files_cache", Arc::new(ListFilesCacheFunc::new(caches())));
    #[cfg(feature = "ballista")]
    if options.cluster.is_some() {
        cluster::register(&ctx)?;
        return Ok(ctx);
    }
    datafusion_dbcluster::register_all(&ctx)?;
    Ok(ctx)
}

/// What a session needs whose queries go to a cluster: how many parts a query has is not how many cores this machine has,
/// and files are where the cluster finds them.
#[cfg(feature = "ballista")]
fn on_cluster(
    config: SessionConfig,
    options: &Options,
) -> Result<(SessionConfig, Arc<dyn ObjectStoreRegistry>)> {
    let is_set = options.threads.is_some() || env::var_os("DATAFUSION_EXECUTION_TARGET_PARTITIONS").is_some();
    let mut config = cluster::configured(config);
    if !is_set {
        config = config.with_target_partitions(cluster::PARTITIONS);
    }
    let stores = ClusterStores::of(&config)?;
    Ok((config, stores))
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
    if let Some(threads) = options.threads {
        config.set("datafusion.execution.target_partitions", &threads.to_string())?;
    }
    Ok(config)
}
