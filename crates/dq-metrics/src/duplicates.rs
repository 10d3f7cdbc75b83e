//! Which events came before: a hint that saves asking the store.

mod bloom;
mod recent;

use std::fmt;
use std::hash::Hasher;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use rand::Rng;

use self::bloom::Bloom;
use self::recent::Recent;
use crate::outcome::Duplicate;
use crate::sample::Fingerprint;

/// Remembers the ids of stored events in bounded memory.
///
/// Two generations of a Bloom filter know the last `n` to `2n` ids, with a small chance to take a
/// new id for a known one; a ring knows the most recent ones exactly, with the fingerprint of their
/// content. A unique constraint of the store stays the judge: the filter only saves work.
///
/// Memory: 4.8 bytes for each id of `n` (2.4 in each generation), and about 60 for each recent one.
/// When a generation is full the older one is cleared at once, under the lock.
///
/// Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct DuplicateFilter {
    key: [u8; 16],
    seen: Arc<Mutex<Seen>>,
}

/// What the filter knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: known, unknown or in doubt"
)]
pub enum Sighting {
    /// Not among the remembered ids; certainly so.
    New,
    /// Among the remembered ids in all likelihood; ask the store.
    Likely,
    /// Among the most recent ids, and whether with the same content.
    Recent(Duplicate),
}

#[derive(Debug)]
struct Seen {
    current: Bloom,
    previous: Bloom,
    recent: Recent,
}

/// 128 bits of a keyed hash of an id: two ids with the same are not to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct IdHash {
    low: u64,
    high: u64,
}

// === impl DuplicateFilter ===

impl DuplicateFilter {
    /// A filter with room for `ids` in each generation and exact knowledge of the last `recent`.
    ///
    /// # Security
    /// `rng` makes the key of the hash: who knows it can make ids that are taken for known ones.
    pub fn new(ids: NonZeroUsize, recent: NonZeroUsize, rng: &mut impl Rng) -> Self {
        let mut key = [0; 16];
        rng.fill_bytes(&mut key);
        let seen = Seen {
            current: Bloom::new(ids),
            previous: Bloom::new(ids),
            recent: Recent::new(recent),
        };
        Self {
            key,
            seen: Arc::new(Mutex::new(seen)),
        }
    }

    /// What is known of this id, which came with this content.
    ///
    /// The id is everything that makes the event unique, such as tenant, source and id, joined so
    /// that different parts never give the same whole.
    pub fn check(&self, id: &[u8], content: Fingerprint) -> Sighting {
        let id = self.hash(id);
        let seen = self.seen();
        match seen.recent.content(id) {
            Some(stored) if stored == content => Sighting::Recent(Duplicate::Natural),
            Some(_) => Sighting::Recent(Duplicate::Conflicting),
            None if seen.current.contains(id) || seen.previous.contains(id) => Sighting::Likely,
            None => Sighting::New,
        }
    }

    /// Remembers an id; call it once the event is stored, and not before.
    ///
    /// The content that came first stays, as it does in the store.
    pub fn remember(&self, id: &[u8], content: Fingerprint) {
        let id = self.hash(id);
        let mut seen = self.seen();
        seen.recent.remember(id, content);
        let Seen {
            current, previous, ..
        } = &mut *seen;
        if current.is_full() {
            std::mem::swap(current, previous);
            current.clear();
        }
        current.insert(id);
    }

    /// Upper bound of the chance that a new id is taken for a [`Likely`](Sighting::Likely) one, as
    /// the filter is now; below 2e-4 always.
    pub fn false_positive_bound(&self) -> f64 {
        let seen = self.seen();
        seen.current.false_positive_rate() + seen.previous.false_positive_rate()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, id: &[u8]) -> IdHash {
        let half = |which: u8| {
            // The key goes first: the state that the id meets is then not known to a sender.
            let mut hasher = std::hash::DefaultHasher::new();
            hasher.write(&self.key);
            hasher.write_u8(which);
            hasher.write(id);
            hasher.finish()
        };
        IdHash {
            low: half(0),
            high: half(1),
        }
    }
}

impl fmt::Debug for DuplicateFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplicateFilter").finish_non_exhaustive()
    }
}

/// The [false-positive bound](DuplicateFilter::false_positive_bound) as a gauge.
impl EncodeMetric for DuplicateFilter {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.false_positive_bound())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests;
