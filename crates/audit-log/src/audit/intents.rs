//! What was begun and not yet finished.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::own_events::{Closing, Unfinished};
use crate::event::{EventId, Id};

/// How long one may take to say what came of it.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// The most that are begun at once. Beyond it, the oldest are taken for unfinished.
const MOST: usize = 10_000;

/// Intents that are in the log and without an end.
#[derive(Debug, Default)]
pub(super) struct Intents {
    open: HashMap<EventId, Id>,
    by_age: VecDeque<(Duration, EventId)>,
}

impl Intents {
    pub(super) fn begin(&mut self, intent: EventId, tenant: Id, now: Duration) {
        self.open.insert(intent, tenant);
        self.by_age.push_back((now, intent));
    }

    pub(super) fn end(&mut self, intent: EventId) {
        self.open.remove(&intent);
    }

    /// Takes out what is too old.
    pub(super) fn expired(&mut self, now: Duration) -> Vec<Closing> {
        let mut expired = Vec::new();
        while let Some((since, intent)) = self.by_age.front().copied()
            && (!self.open.contains_key(&intent)
                || now.saturating_sub(since) >= MAX_AGE
                || self.open.len() > MOST)
        {
            self.by_age.pop_front();
            expired.extend(self.abandon(intent, Unfinished::Expired));
        }
        expired
    }

    /// Takes one out whose end nobody will tell.
    pub(super) fn abandon(&mut self, intent: EventId, why: Unfinished) -> Option<Closing> {
        let tenant = self.open.remove(&intent)?;
        Some(Closing {
            intent,
            tenant,
            why,
        })
    }
}
