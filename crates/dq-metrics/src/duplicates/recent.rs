//! The most recent ids, exactly, with the fingerprint of their content.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;

use super::IdHash;
use crate::sample::Fingerprint;

/// A ring of ids: a new one pushes the oldest out.
#[derive(Debug)]
pub(super) struct Recent {
    capacity: NonZeroUsize,
    order: VecDeque<IdHash>,
    contents: HashMap<IdHash, Fingerprint>,
}

// === impl Recent ===

impl Recent {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            order: VecDeque::with_capacity(capacity.get()),
            contents: HashMap::with_capacity(capacity.get()),
        }
    }

    pub(super) fn content(&self, id: IdHash) -> Option<Fingerprint> {
        self.contents.get(&id).copied()
    }

    pub(super) fn remember(&mut self, id: IdHash, content: Fingerprint) {
        if self.contents.contains_key(&id) {
            return;
        }
        if self.order.len() == self.capacity.get()
            && let Some(oldest) = self.order.pop_front()
        {
            self.contents.remove(&oldest);
        }
        self.order.push_back(id);
        self.contents.insert(id, content);
    }
}
