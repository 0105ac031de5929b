//! The memory pool of `--memory-limit`.
//!
//! This pool keeps one half of the memory for consumers that can't spill to disk: the clustering, the hash table of a join.
//! Those that can spill (aggregates, sorts, shuffles) have even shares of the other half.
//!
//! The engine's pools hand out memory in the order in which it is asked for. `GreedyMemoryPool` lets the first consumer take
//! everything, and the next fails without having had anything to spill. `FairSpillPool` gives even shares of all memory to
//! the consumers that can spill. A clustering, which comes after the aggregates and the sort, then finds nothing left,
//! although those before it could do with less: a query may fail at a limit at which it has room, and succeed at a smaller
//! one, at which more is spilled.

use std::fmt::{Display, Formatter};
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};

/// A pool of which one half is for consumers that can't spill, which may also have the rest of the other half.
#[derive(Debug)]
pub(super) struct HalfSpillPool {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of consumers that can spill.
    spillers: usize,
    reserved: usize,
}

impl HalfSpillPool {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of bytes that a consumer may have beyond those that it holds.
    fn available(&self, state: &State, reservation: &MemoryReservation) -> usize {
        let free = self.limit.saturating_sub(state.reserved);
        if !reservation.consumer().can_spill() {
            return free;
        }
        let share = self.limit / 2 / state.spillers.max(1);
        free.min(share.saturating_sub(reservation.size()))
    }
}

impl MemoryPool for HalfSpillPool {
    fn name(&self) -> &'static str {
        "half_spill"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.state().reserved += additional;
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        state.reserved = state.reserved.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        let available = self.available(&state, reservation);
        if additional > available {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} asks for {} more than the {} it holds, and may have {} more: others hold {} of the {} of --memory-limit",
                reservation.consumer().name(),
                human_readable_size(additional),
                human_readable_size(reservation.size()),
                human_readable_size(available),
                human_readable_size(state.reserved.saturating_sub(reservation.size())),
                human_readable_size(self.limit),
            )));
        }
        state.reserved += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.state().reserved
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl Display for HalfSpillPool {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(limit: {})", self.name(), human_readable_size(self.limit))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn half_is_kept_for_consumers_that_cannot_spill() {
        let pool: Arc<dyn MemoryPool> = Arc::new(HalfSpillPool::new(1000));
        let spilling = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
        let (sort, aggregate) = (spilling("sort"), spilling("aggregate"));
        assert!(sort.try_grow(250).is_ok());
        let error = sort.try_grow(1).expect_err("beyond its share").strip_backtrace();
        assert!(
            error.ends_with(
                "sort asks for 1.0 B more than the 250.0 B it holds, and may have 0.0 B more: \
                 others hold 0.0 B of the 1000.0 B of --memory-limit"
            ),
            "{error}"
        );
        assert!(aggregate.try_grow(100).is_ok());
        let clustering = MemoryConsumer::new("clustering").register(&pool);
        assert!(clustering.try_grow(650).is_ok());
        assert!(clustering.try_grow(1).is_err());
        assert!(aggregate.try_grow(1).is_err(), "nothing is left of its share");
        clustering.free();
        // A share grows when another consumer goes.
        drop(sort);
        assert!(aggregate.try_grow(400).is_ok());
        assert!(aggregate.try_grow(1).is_err());
        drop((aggregate, clustering));
        assert_eq!(pool.reserved(), 0);
    }
}
