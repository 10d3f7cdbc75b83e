//! Refusals of a shared store, remembered so that a flood of refused requests does not reach it.

mod denials;

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use self::denials::{Denials, Keys};
use super::{Charge, ChargeFuture, ChargeOutcome, Source, Store, fingerprint::Fingerprints};

const MAX_SHARDS: usize = 64;
const MIN_SHARD_CAPACITY: usize = 256;

/// Refuses at once what the store behind it would refuse, as far as that can be known from what it
/// refused before. A flood of a refused tenant costs no round trip.
///
/// After a refusal the buckets of the charge are remembered as the store told them, with the local
/// time at which it was asked. From then on at most so much of the store's time can have passed as has
/// passed here, so the buckets are drained by that much, and if one of an enforced limit still has no
/// room, the charge is refused. Everything else goes to the store: peeks, charges with
/// [corrections](Charge::with_corrections), and limits whose numbers have changed, unless their burst
/// has grown and still does not suffice.
///
/// **It never refuses what the store would admit**, while buckets only fill by charges and only drain
/// by time. What lowers one otherwise is tokens that another process gives back, limits that another
/// process has replaced already, a store that lost its buckets, or its clock set forward; that is
/// noticed at the latest [`BELIEVED_FOR`](Self::BELIEVED_FOR) after the store was last asked. So a flood
/// asks it once for each wait, and once for each such interval of a longer one.
///
/// The number of buckets remembered is bounded. Those that can refuse nothing any more are replaced
/// first, then those told longest ago; to forget one costs a round trip and nothing else.
///
/// ```
/// use std::{num::NonZeroUsize, sync::Arc};
///
/// use portcullis_ratelimit::store::{DenialCache, MemoryStore, Store, WhenFull};
///
/// # let capacity = NonZeroUsize::MIN;
/// # let shared: Arc<dyn Store> = Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow));
/// // In front of a store that it takes a round trip to ask.
/// let store = DenialCache::new(shared, NonZeroUsize::new(65_536).ok_or("above zero")?);
/// assert_eq!(store.stats().refused, 0);
/// # Ok::<(), &str>(())
/// ```
pub struct DenialCache {
    inner: Arc<dyn Store>,
    fingerprints: Fingerprints,
    shards: Box<[Mutex<Denials>]>,
    refused: AtomicU64,
    passed_on: AtomicU64,
}

/// What a [`DenialCache`] has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DenialStats {
    /// Buckets remembered, also those that can refuse nothing any more.
    pub entries: usize,
    /// Charges refused without asking the store.
    pub refused: u64,
    /// Charges passed on to the store.
    pub passed_on: u64,
    /// Buckets forgotten for want of room while they could still refuse.
    pub forgotten: u64,
}

impl DenialCache {
    /// How long a bucket is believed to hold what the store told of it.
    pub const BELIEVED_FOR: std::time::Duration = std::time::Duration::from_secs(1);

    /// In front of `inner`, remembering at most about `capacity` buckets: a charge has up to four.
    /// It is divided over up to 64 shards and rounded up to eights. An entry takes about 100 bytes.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, capacity: NonZeroUsize) -> Self {
        let shards = (capacity.get() / MIN_SHARD_CAPACITY).clamp(1, MAX_SHARDS);
        let of_shard = capacity.div_ceil(NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN));
        let shards = (0..shards).map(|_| Mutex::new(Denials::new(of_shard)));
        Self {
            inner,
            fingerprints: Fingerprints::make_random(),
            shards: shards.collect(),
            refused: AtomicU64::new(0),
            passed_on: AtomicU64::new(0),
        }
    }

    /// What it remembers and has done, for gauges and counters.
    #[must_use]
    pub fn stats(&self) -> DenialStats {
        let mut stats = DenialStats {
            refused: self.refused.load(Ordering::Relaxed),
            passed_on: self.passed_on.load(Ordering::Relaxed),
            ..DenialStats::default()
        };
        for shard in &self.shards {
            let shard = locked(shard);
            stats.entries += shard.len();
            stats.forgotten += shard.forgotten();
        }
        stats
    }

    fn ask<'a>(
        &'a self,
        charge: &'a Charge<'a>,
        keys: Keys,
        shard: &'a Mutex<Denials>,
    ) -> ChargeFuture<'a> {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
        let learn = move |outcome: ChargeOutcome| {
            // What stands in for the store tells of other buckets.
            if outcome.source() != Source::Fallback {
                locked(shard).learn(charge, &keys, &outcome);
            }
            outcome
        };
        match self.inner.charge(charge) {
            ChargeFuture::Decided(outcome) => learn(outcome).into(),
            ChargeFuture::Boxed(undecided) => {
                ChargeFuture::boxed(async move { undecided.await.map(learn) })
            }
        }
    }
}

impl Store for DenialCache {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        let partition = self.fingerprints.of_partition(charge.partition());
        let shard = &self.shards[partition.shard_below(self.shards.len())];
        let keys = Keys::of(charge, partition, &self.fingerprints);
        if charge.has_corrections() {
            locked(shard).forget(charge, &keys);
        } else if charge.cost() > 0 {
            let refusal = locked(shard).refusal(charge, &keys);
            if let Some(outcome) = refusal {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return outcome.into();
            }
        }
        self.ask(charge, keys, shard)
    }
}

impl fmt::Debug for DenialCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenialCache")
            .field("inner", &self.inner)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// No code panics while it holds the lock, and what is remembered is whole between any two steps.
fn locked(shard: &Mutex<Denials>) -> MutexGuard<'_, Denials> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
