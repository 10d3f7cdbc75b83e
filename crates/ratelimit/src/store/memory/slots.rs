//! A flat map from fingerprints to buckets.

use crate::{bucket::Bucket, store::fingerprint::Fingerprint};

const FIRST_SLOTS: usize = 16;

/// A map from fingerprints to buckets with open addressing and linear probing: a bucket lies beside
/// its key, so that finding it touches one or two lines of memory. At most three quarters of the
/// slots are taken, which makes 64 bytes a bucket when it is full.
///
/// Nobody can choose fingerprints, so nobody can make keys crowd in one place.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Box<[Option<Entry>]>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) key: Fingerprint,
    pub(super) bucket: Bucket,
}

impl Slots {
    /// The buckets held.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The places for buckets, taken or not.
    pub(super) const fn places(&self) -> usize {
        self.slots.len()
    }

    /// Where the bucket of `key` lies until the map is next changed.
    #[inline]
    pub(super) fn find(&self, key: Fingerprint) -> Option<usize> {
        let mut place = key.place_below(self.slots.len());
        while let Some(entry) = self.at(place) {
            if entry.key == key {
                return Some(place);
            }
            place = self.after(place);
        }
        None
    }

    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Entry> {
        self.slots.get(place)?.as_ref()
    }

    #[inline]
    pub(super) fn at_mut(&mut self, place: usize) -> Option<&mut Bucket> {
        let entry = self.slots.get_mut(place)?.as_mut()?;
        Some(&mut entry.bucket)
    }

    /// Keeps `bucket` for `key`, which lies at `place` if the map was not changed since it was
    /// found there. There are never more than `capacity`.
    pub(super) fn put_at(
        &mut self,
        place: usize,
        key: Fingerprint,
        bucket: Bucket,
        capacity: usize,
    ) {
        match self.slots.get_mut(place) {
            Some(Some(entry)) if entry.key == key => entry.bucket = bucket,
            _ => self.put(key, bucket, capacity),
        }
    }

    /// Keeps `bucket` for `key`.
    pub(super) fn put(&mut self, key: Fingerprint, bucket: Bucket, capacity: usize) {
        if let Some(place) = self.find(key) {
            self.slots[place] = Some(Entry { key, bucket });
            return;
        }
        if slots_for(self.len + 1) > self.slots.len() {
            self.grow(capacity);
        }
        self.place(Entry { key, bucket });
        self.len += 1;
    }

    /// Removes what lies at `place`, and closes the gap, so that no search ends there too early
    /// (Knuth, "The Art of Computer Programming", 6.4, algorithm R).
    pub(super) fn remove(&mut self, place: usize) {
        let mut gap = place;
        let mut next = self.after(gap);
        while let Some(entry) = self.at(next).copied() {
            let home = entry.key.place_below(self.slots.len());
            if self.distance(home, next) >= self.distance(gap, next) {
                self.slots[gap] = Some(entry);
                gap = next;
            }
            next = self.after(next);
        }
        self.slots[gap] = None;
        self.len -= 1;
    }

    /// Doubles, up to what `capacity` buckets need.
    fn grow(&mut self, capacity: usize) {
        let more = (self.slots.len() * 2).clamp(FIRST_SLOTS, slots_for(capacity).max(FIRST_SLOTS));
        let before = std::mem::replace(&mut self.slots, vec![None; more].into());
        for entry in before.into_iter().flatten() {
            self.place(entry);
        }
    }

    /// Puts a new entry in the first free slot from its home on.
    fn place(&mut self, entry: Entry) {
        let mut place = entry.key.place_below(self.slots.len());
        while self.slots[place].is_some() {
            place = self.after(place);
        }
        self.slots[place] = Some(entry);
    }

    const fn after(&self, place: usize) -> usize {
        if place + 1 < self.slots.len() {
            place + 1
        } else {
            0
        }
    }

    /// Steps from one place on to another.
    const fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.slots.len() - from
        }
    }
}

/// The slots of so many buckets, a quarter of them free, at least one.
const fn slots_for(buckets: usize) -> usize {
    buckets + buckets / 3 + 1
}

#[cfg(test)]
mod tests;
