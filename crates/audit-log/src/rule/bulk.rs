//! Different resources in ten minutes.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{MAX_REFS, MINUTE};
use crate::event::{EventId, Leaf};

const WINDOW: u64 = 10 * MINUTE;
const DISTINCT: usize = 100;
const AT_ONCE: u64 = 50;

/// What an actor has read lately.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    /// When each was read last, by its hash. Never more than make a finding.
    seen: HashMap<u64, u64>,
    events: VecDeque<(u64, EventId)>,
}

impl Bulk {
    /// How many resources it is, if they are too many, and the events that read them.
    pub(super) fn observe(&mut self, leaf: &Leaf<'_>, now: u64) -> Option<(u64, Vec<EventId>)> {
        if self.events.len() == MAX_REFS {
            self.events.pop_front();
        }
        self.events.push_back((now, leaf.id()));
        let is_recent = |time: u64| time + WINDOW > now;
        self.seen.retain(|_, time| is_recent(*time));
        for (kind, id) in leaf.resources() {
            let mut hasher = DefaultHasher::new();
            (kind, id).hash(&mut hasher);
            self.seen.insert(hasher.finish(), now);
            if self.seen.len() == DISTINCT {
                // What comes next is counted from here on.
                self.seen.clear();
                let events = self.events.iter().filter(|(time, _)| is_recent(*time));
                let events = events.map(|(_, id)| *id).collect();
                return Some((leaf.count().max(DISTINCT as u64), events));
            }
        }
        (leaf.count() >= AT_ONCE).then(|| (leaf.count(), vec![leaf.id()]))
    }
}
