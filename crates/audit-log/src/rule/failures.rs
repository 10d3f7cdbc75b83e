//! Refusals in five minutes.

use std::collections::VecDeque;

use super::{MAX_REFS, MINUTE};
use crate::event::{EventId, Leaf};

const WINDOW: u64 = 5 * MINUTE;
const MANY: u64 = 10;

/// What an actor was lately refused.
#[derive(Debug, Default)]
pub(super) struct Failures(VecDeque<(u64, u64, EventId)>);

impl Failures {
    /// How many failures it is, if they are too many, and the events that tell of them.
    pub(super) fn observe(&mut self, leaf: &Leaf<'_>, now: u64) -> Option<(u64, Vec<EventId>)> {
        self.0.retain(|(time, ..)| time + WINDOW > now);
        // Each is one at least, so that these are all that the rule has to remember.
        if self.0.len() == MAX_REFS {
            self.0.pop_front();
        }
        self.0.push_back((now, weight(leaf), leaf.id()));
        let failures = self
            .0
            .iter()
            .fold(0, |sum: u64, (_, weight, _)| sum.saturating_add(*weight));
        if failures < MANY {
            return None;
        }
        let events = self.0.drain(..).map(|(.., id)| id).collect();
        Some((failures, events))
    }
}

/// Refusals may be recorded together: an event that names no resource counts them.
fn weight(leaf: &Leaf<'_>) -> u64 {
    if leaf.resources().next().is_some() {
        1
    } else {
        leaf.count().max(1)
    }
}
