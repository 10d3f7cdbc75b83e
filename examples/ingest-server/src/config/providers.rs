//! Other programs that do a part of the work.

use super::{
    kek_source::{self, KekSources},
    problems::Problems,
    redis::{self, SharedLimits},
    sources::Sources,
};

/// Which programs do a part of the work.
#[derive(Debug, Clone)]
pub(crate) struct Providers {
    pub(crate) kek: KekSources,
    pub(crate) limits: LimitStore,
}

/// Where the buckets of the limits are.
#[derive(Debug, Clone)]
pub(crate) enum LimitStore {
    /// In the memory of each process.
    Memory,
    /// On a Redis server, for all processes.
    Redis(SharedLimits),
}

/// Refuses what would otherwise be missed without a word.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<Providers> {
    let kek = kek_source::read(sources, problems);
    let limits = redis::read(sources, problems);
    Some(Providers {
        kek: kek?,
        limits: limits.map_or(LimitStore::Memory, LimitStore::Redis),
    })
}
