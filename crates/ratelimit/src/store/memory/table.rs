//! A map of a bounded number of buckets.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{
    MemoryStats, WhenFull,
    fingerprint::{Fingerprint, FingerprintHasher},
};
use crate::{bucket::Bucket, clock::Timestamp, policy::PolicyLimit};

/// The buckets that are looked at in search of room, so that a flood of new keys cannot make a
/// charge slow.
const MAX_PROBES: usize = 32;

/// A map of a fixed number of buckets, and one shared bucket for each limit that found it full.
pub(super) struct Table {
    buckets: IndexMap<Fingerprint, Bucket, FingerprintHasher>,
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
    Own(Fingerprint),
    /// The shared bucket of a limit, by the hash of its identity.
    Shared(u64),
}

impl Table {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        Self {
            buckets: IndexMap::default(),
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

    /// The bucket for `key`, and where to put it back. Takes at most the room of a drained
    /// bucket, so a charge that is refused afterwards has changed nothing.
    pub(super) fn find(
        &mut self,
        key: Fingerprint,
        limit: &PolicyLimit,
        now: Timestamp,
        in_batch: impl Fn(&Fingerprint) -> bool,
    ) -> (BucketSlot, Bucket) {
        if let Some(bucket) = self.buckets.get(&key) {
            return (BucketSlot::Own(key), *bucket);
        }
        let has_room = self.buckets.len() + self.promised < self.capacity
            || self.remove_drained(now, in_batch);
        // What a key took from the shared bucket still counts when it gets one of its own.
        let shared = self.shared.get(&limit.identity_hash()).copied();
        let bucket = shared.unwrap_or_else(|| Bucket::full(limit.limit(), self.removed_at));
        if has_room || self.when_full == WhenFull::EvictLeast {
            self.promised += 1;
            (BucketSlot::Own(key), bucket)
        } else {
            self.counted.overflowed += 1;
            (BucketSlot::Shared(limit.identity_hash()), bucket)
        }
    }

    /// Keeps `bucket`, if need be in place of the least used of the others.
    pub(super) fn put(
        &mut self,
        place: BucketSlot,
        bucket: Bucket,
        now: Timestamp,
        in_batch: impl Fn(&Fingerprint) -> bool,
    ) {
        match place {
            BucketSlot::Own(key) => {
                if self.buckets.capacity() == 0 {
                    self.buckets.reserve_exact(self.capacity);
                }
                if self.buckets.len() >= self.capacity && !self.buckets.contains_key(&key) {
                    self.remove_least(now, in_batch);
                }
                self.buckets.insert(key, bucket);
            }
            BucketSlot::Shared(limit) => {
                // Those of limits that are no longer in any policy would stay otherwise.
                self.shared
                    .retain(|of, bucket| *of == limit || bucket.used_at(now) > 0);
                self.removed_at = self.removed_at.max(now);
                self.shared.insert(limit, bucket);
            }
        }
    }

    pub(super) fn stats(&self) -> MemoryStats {
        MemoryStats {
            entries: self.buckets.len() + self.shared.len(),
            ..self.counted
        }
    }

    /// Removes the first bucket met that has drained.
    fn remove_drained(&mut self, now: Timestamp, in_batch: impl Fn(&Fingerprint) -> bool) -> bool {
        for _ in 0..self.buckets.len().min(MAX_PROBES) {
            let index = self.hand % self.buckets.len();
            let met = self.buckets.get_index(index);
            if met.is_some_and(|(key, bucket)| bucket.used_at(now) == 0 && !in_batch(key)) {
                self.remove(index, now);
                self.counted.drained_reused += 1;
                return true;
            }
            self.hand = index + 1;
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
