//! Intents of other nodes that nobody has ended, as far as the log was read.

use std::collections::BTreeMap;

use crate::{
    audit::own_events::{BEGUN, Closing, Unfinished},
    event::{EventId, Id, Leaf, Outcome, Timestamp},
};

/// The most that are remembered: each process has 10,000 at most. Beyond it the oldest are forgotten, which those who
/// began them are the next to end.
const MOST: usize = 100_000;

/// What is open, and how far the log was read.
#[derive(Debug)]
pub(in crate::audit) struct Begun {
    node: Id,
    next: u64,
    /// Ids begin with the time.
    open: BTreeMap<EventId, Intent>,
}

/// An event that says that something is begun.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub(super) id: EventId,
    pub(super) node: Id,
    tenant: Id,
    time: Timestamp,
}

impl Begun {
    /// What a node sees of others in a log of which it has read the leaves before `next`.
    pub(super) const fn new(node: Id, next: u64) -> Self {
        Self {
            node,
            next,
            open: BTreeMap::new(),
        }
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    pub(super) const fn go_on_at(&mut self, next: u64) {
        self.next = next;
    }

    /// A leaf that follows those before.
    pub(super) fn read(&mut self, leaf: &Leaf<'_>) {
        for ended in leaf.refs() {
            self.open.remove(&ended);
        }
        // What this process has begun it ends itself.
        if leaf.node() != self.node.as_str()
            && let Some(intent) = Intent::of(leaf)
        {
            self.add(intent);
        }
    }

    pub(super) fn add(&mut self, intent: Intent) {
        self.open.insert(intent.id, intent);
        if self.open.len() > MOST {
            self.open.pop_first();
        }
    }

    /// Takes out what was begun before a time, in microseconds since 1970.
    pub(super) fn take_left(&mut self, before: u64) -> Vec<Closing> {
        let is_left = |_: &EventId, intent: &mut Intent| intent.time.unix_micros() < before;
        let left = self.open.extract_if(.., is_left);
        left.map(|(_, intent)| intent.crashed()).collect()
    }
}

impl Intent {
    pub(super) fn of(leaf: &Leaf<'_>) -> Option<Self> {
        let is_intent = leaf.outcome() == Outcome::Unknown && leaf.detail() == Some(BEGUN.as_str());
        is_intent.then(|| Self {
            id: leaf.id(),
            node: Id::of_leaf(leaf.node()),
            tenant: Id::of_leaf(leaf.tenant()),
            time: leaf.time(),
        })
    }

    pub(super) fn crashed(self) -> Closing {
        Closing {
            intent: self.id,
            tenant: self.tenant,
            why: Unfinished::Crashed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_others_100_000_intents_are_remembered_the_latest_of_them() {
        let mut begun = Begun::new(Id::constant("node-b"), 0);
        let time = |number: u64| Timestamp::from_unix_micros(number).expect("before 9999");
        for number in 0..=MOST as u64 {
            begun.add(Intent {
                id: EventId::new(time(number * 1_000), [0; 10]),
                node: Id::constant("node-a"),
                tenant: Id::constant("tenant-7"),
                time: time(number * 1_000),
            });
        }
        assert_eq!(begun.open.len(), 100_000);
        assert!(begun.take_left(1_000).is_empty());
        assert_eq!(begun.take_left(1_001).len(), 1);
    }
}
