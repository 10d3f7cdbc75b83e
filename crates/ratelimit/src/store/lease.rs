//! Tokens of a shared store, taken many at a time and spent here.

mod ask;
mod builder;
mod demand;
mod flight;
mod hot;
mod shard;
mod stats;
mod terms;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use self::{
    ask::Asking,
    shard::{Attempt, Shard, Step},
    stats::Counters,
};
use super::{
    Charge, ChargeFuture, Store,
    fingerprint::{Fingerprint, Fingerprints},
};

pub use self::{builder::LeaseStoreBuilder, stats::LeaseStats};

/// Takes tokens for hot keys from a shared store many at a time, and spends them here: one round trip
/// for many requests.
///
/// A key is everything that a charge counts for: its tenant, API key and address under the limits that
/// apply, with their numbers. Each asks the store itself until it was asked for eight times within
/// [a lifetime](LeaseStoreBuilder::lifetime) or so. Then the store is asked for more than the request
/// costs, and the rest is a *lease*, which pays for the next requests without asking.
///
/// - **How much.** What was asked for here in the last half to whole lifetime, so that a lease is spent
///   before it expires; of no limit more than its rate gives in a lifetime, nor more than half of what
///   the bucket has free above half its burst. When less than half of the burst is free, every request
///   asks the store: it is exact where it matters.
/// - **Until when.** A lease expires a lifetime after the store was asked. What is left then is lost to
///   the bucket until it drains, as if it had been used.
/// - **Giving back.** When the store is asked while a lease is left that does not suffice, what has not
///   drained of it meanwhile is given back in the same round trip, as [`Corrections`](super::Corrections).
/// - **Together.** Requests that come while a lease is fetched wait for it. If the request that fetches
///   it is dropped, they ask the store themselves.
/// - **Exact.** Peeks, charges with corrections, and those that need debt are always decided by the store.
///
/// # Bound
/// In any window `W` a bucket admits at most `burst + rate · (W + lifetime)`, with debt that much more,
/// over all processes that lease from one store. It takes for granted that what a process gives back
/// arrives within a quarter of a lifetime, or not at all.
///
/// A lease holds tokens that the same tenant may miss elsewhere: a request that an exact store would
/// admit and leave more than `burst / 2 + n · min(rate · lifetime, burst / 4)` free is admitted, where
/// `n` is how many processes and keys hold a lease of the same bucket. Another tenant is never concerned.
///
/// # What it tells
/// The status of a limit is what the store said last, drained since then, with the rest of the lease
/// taken as free. What other processes have taken meanwhile is not in it.
///
/// ```
/// use std::{num::NonZeroUsize, sync::Arc, time::Duration};
///
/// use portcullis_ratelimit::store::{LeaseStore, MemoryStore, Store, WhenFull};
///
/// # let capacity = NonZeroUsize::MIN;
/// # let shared: Arc<dyn Store> = Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow));
/// // In front of a store that it takes a round trip to ask.
/// let store = LeaseStore::builder(shared)
///     .lifetime(Duration::from_millis(200))
///     .capacity(NonZeroUsize::new(10_000).ok_or("above zero")?)
///     .build();
/// assert_eq!(store.stats().outstanding, 0);
/// # Ok::<(), &str>(())
/// ```
pub struct LeaseStore {
    shared: Arc<Shared>,
}

/// What a question that is under way needs, too.
struct Shared {
    inner: Arc<dyn Store>,
    lifetime: Duration,
    fingerprints: Fingerprints,
    shards: Box<[Mutex<Shard>]>,
    counters: Counters,
}

/// The key of a charge.
#[derive(Clone, Copy)]
struct Key {
    fingerprint: Fingerprint,
}

impl LeaseStore {
    /// A builder of one in front of `inner`.
    #[must_use]
    pub fn builder(inner: Arc<dyn Store>) -> LeaseStoreBuilder {
        LeaseStoreBuilder::new(inner)
    }

    /// What it holds and has done, for gauges and counters. Leases that have expired by the latest
    /// charge of any key are not held any more.
    #[must_use]
    pub fn stats(&self) -> LeaseStats {
        let Shared {
            shards,
            lifetime,
            counters,
            ..
        } = &*self.shared;
        let now = shards.iter().map(|shard| locked(shard).latest());
        let now = now.max().unwrap_or_default();
        let mut stats = counters.stats();
        for shard in shards {
            for lease in locked(shard).leases() {
                let left = u64::from(lease.left);
                if lease.is_valid(now, *lifetime) {
                    stats.leases += 1;
                    stats.outstanding += left;
                } else {
                    stats.expired += left;
                }
            }
        }
        stats
    }
}

impl Shared {
    fn key(&self, charge: &Charge<'_>) -> Key {
        let partition = self.fingerprints.of_partition(charge.partition());
        Key {
            fingerprint: self.fingerprints.of_charge(partition, charge),
        }
    }

    fn shard(&self, key: Key) -> &Mutex<Shard> {
        &self.shards[key.fingerprint.shard_below(self.shards.len())]
    }
}

impl Store for LeaseStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if charge.has_corrections() || charge.cost() == 0 {
            return self.shared.inner.charge(charge);
        }
        let key = self.shared.key(charge);
        match self.step(key, charge, Attempt::First) {
            Step::Straight => self.shared.inner.charge(charge),
            Step::Spent(outcome) => outcome.into(),
            Step::Exact(refund) => self.ask_exactly(key, charge, refund),
            Step::Fetch { extra, flight } => {
                let passenger = flight.board();
                ChargeFuture::boxed(self.fetch(key, charge, Asking { extra, passenger }))
            }
            Step::Wait(flight) => ChargeFuture::boxed(self.wait(key, charge, flight.board())),
        }
    }
}

impl fmt::Debug for LeaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseStore")
            .field("inner", &self.shared.inner)
            .field("lifetime", &self.shared.lifetime)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// No code panics while it holds the lock, and a shard is whole between any two steps.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
