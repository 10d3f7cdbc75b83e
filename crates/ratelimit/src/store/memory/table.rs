//! A map of a bounded number of buckets.

use std::collections::HashMap;

use super::{MemoryStats, WhenFull, slots::Slots};
use crate::{
    bucket::Bucket,
    clock::Timestamp,
    policy::PolicyLimit,
    store::fingerprint::{ChargeKeys, Fingerprint},
};

/// The buckets that are looked at in search of room, so that a flood of new keys cannot make a
/// charge slow.
const MAX_PROBES: usize = 32;

/// A map of a fixed number of buckets, and one shared bucket for each limit that found it full.
pub(super) struct Table {
    buckets: Slots,
    shared: HashMap<u64, Bucket>,
    capacity: usize,
    when_full: WhenFull,
    /// Room found for keys of the present charge that are not put yet.
    promised: usize,
    /// Where the search for room goes on, so that it visits all buckets in turn.
    hand: usize,
    /// When a bucket was last removed. New buckets refill only from then on: to a clock that
    /// steps back, the removed bucket would not have been drained yet.
    removed_at: Timestamp,
    counted: MemoryStats,
}

/// Where a bucket lies, or would lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum BucketSlot {
    /// A place of its own, where it was found.
    Held(usize),
    /// One of its own, once it is charged.
    New,
    /// The shared bucket of its limit.
    Shared,
}

impl Table {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        Self {
            buckets: Slots::default(),
            shared: HashMap::new(),
            capacity,
            when_full,
            promised: 0,
            hand: 0,
            removed_at: Timestamp::default(),
            counted: MemoryStats::default(),
        }
    }

    /// Begins a charge.
    pub(super) fn begin(&mut self) {
        self.promised = 0;
    }

    /// The bucket that `key` has for itself, and where it lies.
    #[inline]
    pub(super) fn held(&self, key: Fingerprint) -> Option<(usize, &Bucket)> {
        let place = self.buckets.find(key)?;
        Some((place, &self.buckets.at(place)?.bucket))
    }

    /// Keeps `bucket` where one is [`held`](Self::held).
    #[inline]
    pub(super) fn put_held(&mut self, place: usize, bucket: Bucket) {
        if let Some(held) = self.buckets.at_mut(place) {
            *held = bucket;
        }
    }

    /// The bucket for `key`, and where to put it back. Takes at most the room of a drained
    /// bucket, so a charge that is refused afterwards has changed nothing.
    pub(super) fn find(
        &mut self,
        key: Fingerprint,
        limit: &PolicyLimit,
        now: Timestamp,
        keys: &ChargeKeys,
    ) -> (BucketSlot, Bucket) {
        if let Some((place, bucket)) = self.held(key) {
            return (BucketSlot::Held(place), *bucket);
        }
        self.find_room(limit, now, keys)
    }

    /// Keeps `bucket`, if need be in place of the least used of the others.
    pub(super) fn put(
        &mut self,
        slot: BucketSlot,
        key: Fingerprint,
        limit: &PolicyLimit,
        bucket: Bucket,
        now: Timestamp,
        keys: &ChargeKeys,
    ) {
        match slot {
            BucketSlot::Held(place) => self.buckets.put_at(place, key, bucket, self.capacity),
            BucketSlot::New => {
                if self.buckets.len() >= self.capacity && self.buckets.find(key).is_none() {
                    self.remove_least(now, keys);
                }
                self.buckets.put(key, bucket, self.capacity);
            }
            BucketSlot::Shared => self.put_shared(limit.identity_hash(), bucket, now),
        }
    }

    pub(super) fn stats(&self) -> MemoryStats {
        MemoryStats {
            entries: self.buckets.len() + self.shared.len(),
            ..self.counted
        }
    }

    /// A bucket for a key that has none, and where to put it.
    #[cold]
    fn find_room(
        &mut self,
        limit: &PolicyLimit,
        now: Timestamp,
        keys: &ChargeKeys,
    ) -> (BucketSlot, Bucket) {
        let has_room =
            self.buckets.len() + self.promised < self.capacity || self.remove_drained(now, keys);
        // What a key took from the shared bucket still counts when it gets one of its own.
        let shared = self.shared.get(&limit.identity_hash()).copied();
        let bucket = shared.unwrap_or_else(|| Bucket::full(limit.limit(), self.removed_at));
        if has_room || self.when_full == WhenFull::EvictLeast {
            self.promised += 1;
            (BucketSlot::New, bucket)
        } else {
            self.counted.overflowed += 1;
            (BucketSlot::Shared, bucket)
        }
    }

    #[cold]
    fn put_shared(&mut self, limit: u64, bucket: Bucket, now: Timestamp) {
        // Those of limits that are no longer in any policy would stay otherwise.
        self.shared
            .retain(|of, bucket| *of == limit || bucket.used_at(now) > 0);
        self.removed_at = self.removed_at.max(now);
        self.shared.insert(limit, bucket);
    }

    /// Removes the first bucket met that has drained.
    fn remove_drained(&mut self, now: Timestamp, keys: &ChargeKeys) -> bool {
        let mut probes = 0;
        for _ in 0..self.buckets.places() {
            let place = self.hand % self.buckets.places();
            if let Some(entry) = self.buckets.at(place) {
                if probes == MAX_PROBES {
                    return false;
                }
                probes += 1;
                if entry.bucket.used_at(now) == 0 && !keys.contain(entry.key) {
                    self.remove(place, now);
                    self.counted.drained_reused += 1;
                    return true;
                }
            }
            self.hand = place + 1;
        }
        false
    }

    /// Removes the bucket met that has the fewest tokens in use.
    fn remove_least(&mut self, now: Timestamp, keys: &ChargeKeys) {
        let (first, places) = (self.hand, self.buckets.places());
        let least = (first..first + places)
            .map(|place| place % places)
            .filter_map(|place| Some((place, self.buckets.at(place)?)))
            .take(MAX_PROBES)
            .inspect(|(place, _)| self.hand = place + 1)
            .filter(|(_, entry)| !keys.contain(entry.key))
            .map(|(place, entry)| (entry.bucket.used_at(now), place))
            .min();
        if let Some((tokens, place)) = least {
            self.remove(place, now);
            self.counted.forgotten += 1;
            self.counted.forgotten_tokens += tokens;
        }
    }

    fn remove(&mut self, place: usize, now: Timestamp) {
        self.buckets.remove(place);
        self.removed_at = self.removed_at.max(now);
    }
}
