use indexmap::IndexMap;

use super::fingerprint::{Fingerprint, FingerprintHasher};
use super::{MemoryStats, WhenFull};
use crate::bucket::Bucket;
use crate::clock::Timestamp;
use crate::limit::Limit;

/// The buckets that are looked at in search of room, so that a flood of new keys cannot make a
/// charge slow.
const MAX_PROBES: usize = 32;

/// A map of buckets that holds a fixed number of them.
#[derive(Debug)]
pub(super) struct Table {
    buckets: IndexMap<Fingerprint, Bucket, FingerprintHasher>,
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

/// Where a bucket may lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) own: Fingerprint,
    pub(super) overflow: Fingerprint,
}

impl Table {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        Self {
            buckets: IndexMap::default(),
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

    /// The bucket for `keys`, and the key to put it back under. Takes no more than the room of a
    /// drained bucket, so a charge that is refused afterwards has changed nothing.
    pub(super) fn find(
        &mut self,
        keys: Keys,
        limit: &Limit,
        now: Timestamp,
        in_batch: impl Fn(&Fingerprint) -> bool,
    ) -> (Fingerprint, Bucket) {
        if let Some(bucket) = self.buckets.get(&keys.own) {
            return (keys.own, *bucket);
        }
        let has_room = self.buckets.len() + self.promised < self.capacity
            || self.remove_drained(now, in_batch);
        let full = Bucket::full(limit, self.removed_at);
        if has_room {
            self.promised += 1;
        }
        match self.when_full {
            WhenFull::EvictLeast => (keys.own, full),
            // What a key took from the shared bucket still counts when it gets one of its own.
            WhenFull::SharedOverflow => {
                let shared = self.buckets.get(&keys.overflow).copied().unwrap_or(full);
                if has_room {
                    return (keys.own, shared);
                }
                self.counted.overflowed += 1;
                (keys.overflow, shared)
            }
        }
    }

    /// Keeps `bucket`, if need be in place of the least used of the others.
    pub(super) fn put(
        &mut self,
        key: Fingerprint,
        bucket: Bucket,
        now: Timestamp,
        in_batch: impl Fn(&Fingerprint) -> bool,
    ) {
        if self.buckets.capacity() == 0 {
            self.buckets.reserve_exact(self.capacity);
        }
        let is_full = self.buckets.len() >= self.capacity;
        if is_full && self.when_full == WhenFull::EvictLeast && !self.buckets.contains_key(&key) {
            self.remove_least(now, in_batch);
        }
        self.buckets.insert(key, bucket);
    }

    pub(super) fn stats(&self) -> MemoryStats {
        MemoryStats {
            entries: self.buckets.len(),
            ..self.counted
        }
    }

    /// Removes the first bucket met that has drained.
    fn remove_drained(&mut self, now: Timestamp, in_batch: impl Fn(&Fingerprint) -> bool) -> bool {
        for _ in 0..self.buckets.len().min(MAX_PROBES) {
            self.hand = (self.hand + 1) % self.buckets.len();
            let drained = self
                .buckets
                .get_index(self.hand)
                .is_some_and(|(key, bucket)| bucket.used_at(now) == 0 && !in_batch(key));
            if drained {
                self.remove(self.hand, now);
                self.counted.drained_reused += 1;
                return true;
            }
        }
        false
    }

    /// Removes the bucket met that has the fewest tokens in use.
    fn remove_least(&mut self, now: Timestamp, in_batch: impl Fn(&Fingerprint) -> bool) {
        let (first, len) = (self.hand, self.buckets.len());
        self.hand = (first + len.min(MAX_PROBES)) % len;
        let met = (first..).map(|index| index % len).take(len.min(MAX_PROBES));
        let least = met
            .filter_map(|index| self.buckets.get_index(index).map(|entry| (index, entry)))
            .filter(|(_, (key, _))| !in_batch(key))
            .map(|(index, (_, bucket))| (bucket.used_at(now), index))
            .min();
        if let Some((tokens, index)) = least {
            self.remove(index, now);
            self.counted.forgotten += 1;
            self.counted.forgotten_tokens += tokens;
        }
    }

    fn remove(&mut self, index: usize, now: Timestamp) {
        self.buckets.swap_remove_index(index);
        self.removed_at = self.removed_at.max(now);
    }
}
