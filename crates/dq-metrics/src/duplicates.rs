//! Duplicates told from what was seen before, in bounded memory: what is certain, and what only the store
//! knows.

mod bloom;
mod metrics;
mod recent;

use std::{
    fmt,
    hash::Hasher as _,
    mem,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{Rng, RngExt};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use self::{bloom::Bloom, recent::Recent};
use crate::outcome::Duplicate;

pub use self::metrics::DuplicateFilterMetric;

/// Remembers the ids of stored events, to save the store a look at what is certainly new, or certainly a retry.
///
/// It has two Bloom filters, of which the older is emptied when the younger is full, and of the latest ids
/// exactly which content they came with. Cheap to clone; all clones are one.
///
/// # Contract
/// The unique constraint of the store stays the judge: the filter only saves work.
/// - [`note`](Self::note) an event once it is durable, never before: an event whose write failed would
///   be taken for stored when it comes again, and be lost.
/// - What other processes stored, and what was stored before a start, it does not know: there
///   [`Sighting::Unseen`] says that this process has not stored it lately.
/// - What is deleted in the store stays here until it is forgotten.
///
/// # Bounds
/// Of the last `ids` that were noted none is [`Sighting::Unseen`]. Any other id is
/// [`Sighting::MaybeSeen`] with a probability below 1e-4 for each of the two filters; the sum as it stands is
/// [`false_positive_bound`](Self::false_positive_bound). Memory is fixed when it is made: 2 × 19.2 bits for
/// each of `ids`, and 90 to 170 bytes for each of `recent`.
///
/// # Security
/// Ids are hashed with a secret key (SipHash-2-4, 128 bit), so that a sender can neither choose ids that fill the filter
/// nor ids that are taken for another's. The ids themselves are not kept.
#[derive(Clone)]
pub struct DuplicateFilter(Arc<Shared>);

struct Shared {
    key: [u8; 16],
    state: Mutex<State>,
}

struct State {
    younger: Bloom,
    older: Bloom,
    recent: Recent,
    lookups: Lookups,
}

/// What looking for an id found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a caller does something else for each of the three"
)]
pub enum Sighting {
    /// It was not noted, or too long ago: nothing has to be looked up before it is stored.
    Unseen,
    /// It was noted lately, and this is what it is now: nothing has to be stored.
    Seen(Duplicate),
    /// It was noted, or resembles one that was: only the store knows.
    MaybeSeen,
}

/// A hash of what an event says, equal for equal content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash(u64);

/// How often each answer was given.
#[derive(Clone, Copy, Debug, Default)]
struct Lookups {
    unseen: u64,
    natural: u64,
    conflicting: u64,
    maybe_seen: u64,
}

impl ContentHash {
    /// From a hash that the application makes, best a keyed one.
    pub const fn new(hash: u64) -> Self {
        Self(hash)
    }

    /// The hash.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl DuplicateFilter {
    /// A filter that remembers at least the last `ids`, and what the last `recent` of them held.
    ///
    /// # Security
    /// The state of `rng` foretells which ids resemble each other: seed it from the operating system.
    pub fn new(ids: NonZeroU32, recent: NonZeroU32, rng: &mut impl Rng) -> Self {
        Self(Arc::new(Shared {
            key: rng.random(),
            state: Mutex::new(State {
                younger: Bloom::new(ids),
                older: Bloom::new(ids),
                recent: Recent::new(recent),
                lookups: Lookups::default(),
            }),
        }))
    }

    /// What is known of an event with this id and content; `id` is whatever the store holds unique, such as
    /// tenant, source and id, each behind its length.
    pub fn look(&self, id: &[u8], content: ContentHash) -> Sighting {
        let hash = self.0.hash(id);
        let mut state = self.0.state();
        let sighting = state.find(hash, content);
        *state.lookups.of(sighting) += 1;
        sighting
    }

    /// Remembers an event that is durable in the store. An id keeps the content that it was first noted with,
    /// as long as that is known.
    pub fn note(&self, id: &[u8], content: ContentHash) {
        let hash = self.0.hash(id);
        self.0.state().note(hash, content);
    }

    /// The probability, from 0 to 2e-4, that an id which was never noted is [`Sighting::MaybeSeen`] now.
    pub fn false_positive_bound(&self) -> f64 {
        let state = self.0.state();
        state.younger.false_positives() + state.older.false_positives()
    }

    /// Memory that it has taken, in bytes.
    pub fn memory(&self) -> usize {
        let state = self.0.state();
        let (younger, older) = (state.younger.memory(), state.older.memory());
        younger + older + state.recent.memory()
    }

    /// How many ids it remembers.
    fn remembered(&self) -> u64 {
        let state = self.0.state();
        state.younger.noted() + state.older.noted()
    }

    fn lookups(&self) -> Lookups {
        self.0.state().lookups
    }
}

impl Shared {
    fn hash(&self, id: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(id);
        hasher.finish128().as_u128()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, hash: u128, content: ContentHash) -> Sighting {
        match self.recent.content(hash) {
            Some(first) if first == content => Sighting::Seen(Duplicate::Natural),
            Some(_) => Sighting::Seen(Duplicate::Conflicting),
            None if self.younger.has(hash) || self.older.has(hash) => Sighting::MaybeSeen,
            None => Sighting::Unseen,
        }
    }

    fn note(&mut self, hash: u128, content: ContentHash) {
        if self.younger.is_full() {
            mem::swap(&mut self.younger, &mut self.older);
            self.younger.clear();
        }
        self.younger.note(hash);
        self.recent.note(hash, content);
    }
}

impl Lookups {
    fn of(&mut self, sighting: Sighting) -> &mut u64 {
        match sighting {
            Sighting::Unseen => &mut self.unseen,
            Sighting::Seen(Duplicate::Natural) => &mut self.natural,
            Sighting::Seen(Duplicate::Conflicting) => &mut self.conflicting,
            Sighting::MaybeSeen => &mut self.maybe_seen,
        }
    }
}

impl fmt::Debug for DuplicateFilter {
    /// Leaves out the key, and what it tells of ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplicateFilter").finish_non_exhaustive()
    }
}
