//! Buckets in the memory of this process.

mod shard;
mod slots;
mod table;

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::shard::Shard;
use super::{
    Charge, ChargeFuture, ChargeOutcome, Store,
    fingerprint::{ChargeKeys, Fingerprints},
};

const MAX_SHARDS: usize = 64;
const MIN_SHARD_CAPACITY: usize = 1_024;

/// Buckets in the memory of this process, never more than a fixed number of them.
///
/// A partition lives in one of up to 64 shards behind a short lock, so all limits of a request
/// are decided under one lock. Nothing has to be called from time to time: a key that needs room
/// takes it from a bucket that has drained, which loses nothing. Where it finds none among 32
/// that it looks at, [`WhenFull`] decides.
///
/// Buckets are found by 128-bit keyed fingerprints: among `n` keys, two share a bucket with a
/// chance of about `n² / 2¹²⁹`.
pub struct MemoryStore {
    fingerprints: Fingerprints,
    shards: Box<[Mutex<Shard>]>,
}

/// What happens to a new key when its shard is full of buckets in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: one either merges or forgets"
)]
pub enum WhenFull {
    /// The new key shares one bucket for its limit with all others that found no room. It never
    /// admits more than a store without bounds would; the keys that share wait for each other.
    SharedOverflow,
    /// The least used bucket of those looked at is forgotten. New keys are never worse off; a
    /// forgotten key can take again what it had used, and [`MemoryStats`] counts how much.
    EvictLeast,
}

/// What a [`MemoryStore`] holds and has given up since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStats {
    /// Buckets held.
    pub entries: usize,
    /// Drained buckets whose room was reused, which loses nothing.
    pub drained_reused: u64,
    /// Times a key found no room and was sent to the shared bucket of its limit.
    pub overflowed: u64,
    /// Buckets forgotten while in use.
    pub forgotten: u64,
    /// Used tokens forgotten with them.
    pub forgotten_tokens: u64,
}

impl MemoryStore {
    /// A store of at most `capacity` buckets of enforced limits, and as many of shadow limits,
    /// which never take room from the enforced ones.
    ///
    /// The capacity, at least 4, is divided evenly over one shard for every 1,024 buckets, at
    /// most 64 of them. Memory is taken as buckets are used. `SharedOverflow` adds up to
    /// one bucket a shard for each limit of the policies.
    #[must_use]
    pub fn new(capacity: NonZeroUsize, when_full: WhenFull) -> Self {
        let shards = (capacity.get() / MIN_SHARD_CAPACITY).clamp(1, MAX_SHARDS);
        let of_shard = capacity.get().div_ceil(shards);
        let shards = (0..shards)
            .map(|_| Mutex::new(Shard::new(of_shard, when_full)))
            .collect();
        Self {
            fingerprints: Fingerprints::make_random(),
            shards,
        }
    }

    /// Decides a charge, which never has to be waited for.
    #[inline]
    pub(super) fn decide(&self, charge: &Charge<'_>) -> ChargeOutcome {
        let partition = self.fingerprints.of_partition(charge.partition());
        let shard = &self.shards[partition.shard_below(self.shards.len())];
        let mut keys = ChargeKeys::default();
        self.fingerprints.of_buckets(partition, charge, &mut keys);
        // Filled in where it is: on the way from hand to hand it would be copied while the processor is
        // still writing it, which has to wait for that.
        let mut outcome = ChargeOutcome::new(charge, charge.now());
        locked(shard).charge(charge, &keys, &mut outcome);
        outcome
    }

    /// What the store holds and has given up, for gauges and counters.
    #[must_use]
    pub fn stats(&self) -> MemoryStats {
        let stats = self.shards.iter().map(|shard| locked(shard).stats());
        stats.fold(MemoryStats::default(), MemoryStats::plus)
    }
}

impl Store for MemoryStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.decide(charge).into()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards = self.shards.len();
        f.debug_struct("MemoryStore")
            .field("shards", &shards)
            .finish_non_exhaustive()
    }
}

impl MemoryStats {
    fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            drained_reused: self.drained_reused + other.drained_reused,
            overflowed: self.overflowed + other.overflowed,
            forgotten: self.forgotten + other.forgotten,
            forgotten_tokens: self.forgotten_tokens + other.forgotten_tokens,
        }
    }
}

/// No code panics while it holds the lock, and a shard is whole between any two steps.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
