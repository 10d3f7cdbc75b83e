//! A map of a bounded number of buckets to tokens.

use std::collections::HashMap;

use crate::{
    clock::Timestamp,
    store::fingerprint::{ChargeKeys, Fingerprint},
};

/// The entries that are looked at in search of one to forget, so that a flood of new keys cannot make a
/// charge slow.
const MAX_PROBES: usize = 32;

/// The entries that each call to the primary looks at, so that those which nobody asks for again are
/// forgotten too.
const FEW_PROBES: usize = 8;

/// Entries by key, in places that are used again.
#[derive(Debug)]
pub(super) struct Entries {
    places: HashMap<Fingerprint, usize>,
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    capacity: usize,
    /// Where the search for room goes on, so that it visits all entries in turn.
    hand: usize,
    tokens: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Fingerprint,
    /// Still to be settled.
    tokens: u64,
    /// Under way to the primary.
    settling: u64,
    /// From when on nothing is lost if it is forgotten.
    expires: Timestamp,
}

impl Entries {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            capacity,
            hand: 0,
            tokens: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) const fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(super) fn contains(&self, key: Fingerprint) -> bool {
        self.places.contains_key(&key)
    }

    /// Whether there is room for so many new keys, if need be in place of entries that have expired;
    /// those of `own` stay.
    pub(super) fn make_room(&mut self, new: usize, now: Timestamp, own: &ChargeKeys) -> bool {
        for _ in 0..MAX_PROBES {
            if self.places.len() + new <= self.capacity {
                return true;
            }
            self.forget_next(now, |key| own.contain(key));
        }
        self.places.len() + new <= self.capacity
    }

    /// Forgets those that have expired among the next few.
    pub(super) fn forget_some(&mut self, now: Timestamp) {
        for _ in 0..self.entries.len().min(FEW_PROBES) {
            self.forget_next(now, |_| false);
        }
    }

    /// Moves the hand, and forgets the entry there if it has expired and does not have to stay.
    fn forget_next(&mut self, now: Timestamp, must_stay: impl FnOnce(Fingerprint) -> bool) {
        self.hand = (self.hand + 1) % self.entries.len().max(1);
        if let Some(Some(entry)) = self.entries.get(self.hand)
            && entry.is_expired(now)
            && !must_stay(entry.key)
        {
            self.remove(self.hand);
        }
    }

    /// Adds tokens to what is to be settled of a bucket, at most `most` in all: more than that no bucket
    /// of the primary can hold. For a new key there must be room.
    pub(super) fn add(
        &mut self,
        key: Fingerprint,
        tokens: u64,
        most: u64,
        now: Timestamp,
        expires: Timestamp,
    ) {
        let Some(place) = self.places.get(&key).copied() else {
            self.tokens += tokens;
            self.insert(Entry {
                key,
                tokens,
                settling: 0,
                expires,
            });
            return;
        };
        if let Some(Some(entry)) = self.entries.get_mut(place) {
            let before = entry.tokens;
            let kept = if entry.is_expired(now) { 0 } else { before };
            entry.tokens = kept.saturating_add(tokens).min(most);
            entry.expires = entry.expires.max(expires);
            self.tokens = self.tokens - before + entry.tokens;
        }
    }

    /// Takes out what is to be settled of a bucket: nothing while a call is under way that has.
    pub(super) fn begin(&mut self, key: Fingerprint, now: Timestamp) -> u64 {
        let Some(place) = self.places.get(&key).copied() else {
            return 0;
        };
        match self.entries.get_mut(place) {
            Some(Some(entry)) if entry.is_expired(now) => {
                self.remove(place);
                0
            }
            Some(Some(entry)) if entry.settling == 0 => {
                entry.settling = std::mem::take(&mut entry.tokens);
                entry.settling
            }
            _ => 0,
        }
    }

    /// Forgets what was settled, or keeps what perhaps was not.
    pub(super) fn end(&mut self, key: Fingerprint, most: u64, was_told: bool) {
        let Some(place) = self.places.get(&key).copied() else {
            return;
        };
        if let Some(Some(entry)) = self.entries.get_mut(place) {
            let before = entry.settling + entry.tokens;
            let settling = std::mem::take(&mut entry.settling);
            if !was_told {
                entry.tokens = entry.tokens.saturating_add(settling).min(most);
            }
            self.tokens = self.tokens - before + entry.tokens;
            if entry.tokens == 0 {
                self.remove(place);
            }
        }
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.free.pop().unwrap_or(self.entries.len());
        self.places.insert(entry.key, place);
        match self.entries.get_mut(place) {
            Some(free) => *free = Some(entry),
            None => self.entries.push(Some(entry)),
        }
    }

    fn remove(&mut self, place: usize) {
        if let Some(entry) = self.entries.get_mut(place).and_then(Option::take) {
            self.places.remove(&entry.key);
            self.free.push(place);
            self.tokens -= entry.tokens + entry.settling;
        }
        if self.places.is_empty() {
            // So that the hand does not go round places that an earlier outage needed.
            self.entries.clear();
            self.free.clear();
        }
    }
}

impl Entry {
    /// Never while a call is under way with it.
    fn is_expired(&self, now: Timestamp) -> bool {
        self.settling == 0 && self.expires <= now
    }
}
