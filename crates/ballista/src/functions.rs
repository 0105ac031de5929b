//! The functions that every process of a cluster has to know by name.

use std::sync::Arc;

use ballista_core::extension::ballista_scalar_functions;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};

use datafusion_dbcluster::all_window_functions;
use datafusion_dbcluster::functions;

/// A registry of Ballista's functions and ours, for executors. Ballista's default for them lacks the functions of lists, which
/// its default for schedulers has.
pub(super) fn registry() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    for udf in ballista_scalar_functions().into_iter().chain(functions::all()) {
        registry.scalar_functions.insert(udf.name().to_string(), udf);
    }
    for udaf in functions::all_aggregates() {
        registry.aggregate_functions.insert(udaf.name().to_string(), udaf);
    }
    for udwf in all_window_functions() {
        registry.window_functions.insert(udwf.name().to_string(), udwf);
    }
    registry
}

/// Registers our functions on a session that plans for a cluster. The session gets no rule that makes operators of ours, since
/// only built-in operators travel.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for udf in functions::all() {
        state.register_udf(Arc::clone(&udf))?;
    }
    for udaf in functions::all_aggregates() {
        state.register_udaf(Arc::clone(&udaf))?;
    }
    for udwf in all_window_functions() {
        state.register_udwf(Arc::clone(&udwf))?;
    }
    Ok(())
}
