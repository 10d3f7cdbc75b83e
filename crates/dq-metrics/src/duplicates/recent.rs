//! The latest ids, with the content that each came with first.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
};

use super::ContentHash;

/// A ring of ids that can be asked for each.
pub(super) struct Recent {
    /// From the oldest to the latest.
    ids: VecDeque<u128>,
    contents: HashMap<u128, ContentHash>,
    capacity: usize,
}

impl Recent {
    pub(super) fn new(capacity: NonZeroU32) -> Self {
        let capacity = usize::try_from(capacity.get()).unwrap_or(usize::MAX);
        Self {
            ids: VecDeque::with_capacity(capacity),
            // With less room than that, entries that come and go would have the table grow once.
            contents: HashMap::with_capacity(capacity.saturating_mul(2)),
            capacity,
        }
    }

    pub(super) fn content(&self, id: u128) -> Option<ContentHash> {
        self.contents.get(&id).copied()
    }

    pub(super) fn note(&mut self, id: u128, content: ContentHash) {
        if self.contents.contains_key(&id) {
            return;
        }
        if self.ids.len() == self.capacity
            && let Some(oldest) = self.ids.pop_front()
        {
            self.contents.remove(&oldest);
        }
        self.ids.push_back(id);
        self.contents.insert(id, content);
    }

    /// As the standard library keeps its tables: entries and a byte beside each, at most seven eighths full.
    pub(super) fn memory(&self) -> usize {
        let buckets = (self.contents.capacity() * 8 / 7).next_power_of_two();
        let ring = self.ids.capacity() * size_of::<u128>();
        ring + buckets * (size_of::<(u128, ContentHash)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_another_comes_and_the_first_content_stays() {
        let mut recent = Recent::new(NonZeroU32::new(3).unwrap());
        for (id, content) in [(1, 10), (2, 20), (1, 11), (3, 30), (4, 40)] {
            recent.note(id, ContentHash::new(content));
        }
        let contents = [1, 2, 3, 4].map(|id| recent.content(id).map(ContentHash::value));
        assert_eq!(contents, [None, Some(20), Some(30), Some(40)]);
        assert_eq!((recent.ids.len(), recent.contents.len()), (3, 3));
    }
}
