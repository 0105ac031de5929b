//! The functions that every process of a cluster has to know by name.

use ballista_core::extension::ballista_scalar_functions;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};

use datafusion_dbcluster::plan_functions::{self, all_plan_window_functions};
use datafusion_dbcluster::{all_window_functions, functions, json_fields};

/// A registry of Ballista's functions and ours, for executors. Ballista's default for them lacks the functions of lists, which
/// its default for schedulers has.
pub(super) fn registry() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    let scalar_functions = ballista_scalar_functions().into_iter().chain(functions::all());
    for udf in scalar_functions.chain(json_fields::all()).chain(plan_functions::scalar()) {
        registry.scalar_functions.insert(udf.name().to_string(), udf);
    }
    for udaf in plan_functions::aggregate() {
        registry.aggregate_functions.insert(udaf.name().to_string(), udaf);
    }
    for udwf in
        all_window_functions().into_iter().chain(all_plan_window_functions()).chain(plan_functions::window())
    {
        registry.window_functions.insert(udwf.name().to_string(), udwf);
    }
    registry
}

/// Registers our functions on a session that plans for a cluster. The session gets no rule that makes operators of ours, since
/// only built-in operators travel.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for udf in functions::all().into_iter().chain(json_fields::all()).chain(plan_functions::scalar()) {
        state.register_udf(udf)?;
    }
    for udaf in plan_functions::aggregate() {
        state.register_udaf(udaf)?;
    }
    for udwf in
        all_window_functions().into_iter().chain(all_plan_window_functions()).chain(plan_functions::window())
    {
        state.register_udwf(udwf)?;
    }
    Ok(())
}
