//! What operators may know of the stores that limits are counted in.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_ratelimit::{
    observer::BreakerState,
    store::{
        DenialCache, FallbackStore, LeaseStore, MemoryStats, MemoryStore, NodeCount, RedisStore,
    },
};
use portcullis_telemetry::Database;

use super::heartbeat::MissedBeats;

/// Every store of limits in this process.
#[derive(Debug)]
pub(crate) struct LimitStores {
    counted_on: Stores,
    /// Those that this process has for itself in any case, by name.
    own: [(&'static str, Arc<MemoryStore>); OWN],
}

const OWN: usize = 3;

const MEMORY: &str = "memory";
const FALLBACK: &str = "fallback";
const DENY_CACHE: &str = "deny_cache";
const LEASE: &str = "lease";
pub(super) const OPERATORS: &str = "operators";
pub(super) const FAILED_ADMIN_TOKENS: &str = "failed_admin_tokens";
pub(super) const FAILED_API_KEYS: &str = "failed_api_keys";

#[derive(Debug)]
pub(super) enum Stores {
    Memory(Arc<MemoryStore>),
    Shared(SharedStores),
}

#[derive(Debug)]
pub(super) struct SharedStores {
    pub(super) redis: Arc<RedisStore>,
    pub(super) denials: Arc<DenialCache>,
    pub(super) leases: Option<Arc<LeaseStore>>,
    pub(super) fallback: Arc<FallbackStore>,
    pub(super) nodes: NodeCount,
    /// As spans and durations name the Redis.
    pub(super) database: Database,
    pub(super) missed_beats: Arc<MissedBeats>,
}

/// Whether limits are counted where they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitsHealth {
    /// In this process, as configured.
    OwnMemory,
    /// On Redis, which answered so fast.
    Shared { latency: Duration },
    /// In this process, until Redis decides again; so many processes share the limits.
    Fallback { nodes: NonZeroU32 },
    /// On Redis as far as requests have shown, which answers and does not take what is written to it.
    Unwritten { nodes: NonZeroU32 },
}

/// A table with room for so many keys and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimitTable {
    pub(crate) name: &'static str,
    pub(crate) entries: usize,
    /// Keys that made room.
    pub(crate) evicted: u64,
    /// Times that a key found none.
    pub(crate) overflowed: u64,
}

impl LimitStores {
    pub(super) const fn new(
        counted_on: Stores,
        own: [(&'static str, Arc<MemoryStore>); OWN],
    ) -> Self {
        Self { counted_on, own }
    }

    /// Every table that a process may have, as a label.
    pub(crate) const TABLES: [&str; 7] = [
        MEMORY,
        FALLBACK,
        DENY_CACHE,
        LEASE,
        OPERATORS,
        FAILED_ADMIN_TOKENS,
        FAILED_API_KEYS,
    ];

    /// Of a process that counts for itself, in this store.
    #[cfg(test)]
    pub(crate) fn of_memory(store: &Arc<MemoryStore>) -> Self {
        let stores = Stores::Memory(Arc::clone(store));
        let names = [OPERATORS, FAILED_ADMIN_TOKENS, FAILED_API_KEYS];
        Self::new(stores, names.map(|name| (name, Arc::clone(store))))
    }

    /// Whether limits are counted where they should be. Redis is asked, and the last heartbeat wrote to it:
    /// without any request, nobody else finds out.
    pub(crate) async fn health(&self) -> LimitsHealth {
        let Stores::Shared(shared) = &self.counted_on else {
            return LimitsHealth::OwnMemory;
        };
        let answer = shared.redis.ping().await;
        let nodes = self.nodes();
        match (answer, self.breaker()) {
            (Ok(_), BreakerState::Closed) if shared.missed_beats.are_outage() => {
                LimitsHealth::Unwritten { nodes }
            }
            (Ok(latency), BreakerState::Closed) => LimitsHealth::Shared { latency },
            _ => LimitsHealth::Fallback { nodes },
        }
    }
}

impl LimitStores {
    pub(crate) const fn are_shared(&self) -> bool {
        matches!(self.counted_on, Stores::Shared(_))
    }

    pub(crate) const fn are_leased(&self) -> bool {
        matches!(&self.counted_on, Stores::Shared(shared) if shared.leases.is_some())
    }

    /// Whether Redis is asked.
    pub(crate) fn breaker(&self) -> BreakerState {
        match &self.counted_on {
            Stores::Memory(_) => BreakerState::Closed,
            Stores::Shared(shared) => shared.fallback.stats().state,
        }
    }

    /// How many processes share the limits.
    pub(crate) fn nodes(&self) -> NonZeroU32 {
        match &self.counted_on {
            Stores::Memory(_) => NonZeroU32::MIN,
            Stores::Shared(shared) => shared.nodes.current(),
        }
    }

    /// Beats of this process that Redis did not take since the last that it took.
    pub(crate) fn missed_beats(&self) -> u32 {
        match &self.counted_on {
            Stores::Memory(_) => 0,
            Stores::Shared(shared) => shared.missed_beats.count(),
        }
    }

    /// Tokens that were taken from Redis and are not spent.
    pub(crate) fn leased_tokens(&self) -> u64 {
        match &self.counted_on {
            Stores::Shared(SharedStores {
                leases: Some(leases),
                ..
            }) => leases.stats().outstanding,
            _ => 0,
        }
    }

    /// Every table that holds keys in this process.
    pub(crate) fn tables(&self) -> Vec<LimitTable> {
        let mut tables = match &self.counted_on {
            Stores::Memory(store) => vec![LimitTable::of_buckets(MEMORY, store.stats())],
            Stores::Shared(shared) => shared.tables(),
        };
        let own = self.own.iter();
        tables.extend(own.map(|(name, store)| LimitTable::of_buckets(name, store.stats())));
        tables
    }
}

impl SharedStores {
    fn tables(&self) -> Vec<LimitTable> {
        let fallback = self.fallback.stats();
        let denials = self.denials.stats();
        let mut tables = vec![
            LimitTable {
                name: FALLBACK,
                entries: fallback.unsettled_buckets,
                evicted: 0,
                overflowed: fallback.refused_for_room,
            },
            LimitTable {
                name: DENY_CACHE,
                entries: denials.entries,
                evicted: denials.forgotten,
                overflowed: 0,
            },
        ];
        if let Some(leases) = &self.leases {
            tables.push(LimitTable {
                name: LEASE,
                entries: usize::try_from(leases.stats().leases).unwrap_or(usize::MAX),
                evicted: 0,
                overflowed: 0,
            });
        }
        tables
    }
}

impl LimitTable {
    fn of_buckets(name: &'static str, stats: MemoryStats) -> Self {
        Self {
            name,
            entries: stats.entries,
            evicted: stats.drained_reused.saturating_add(stats.forgotten),
            overflowed: stats.overflowed,
        }
    }
}
