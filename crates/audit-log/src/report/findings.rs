//! Findings, and whether somebody has looked at them.

use std::collections::HashMap;

use super::{Share, Tally};
use crate::{
    event::{EventId, Leaf, Outcome, Timestamp},
    rule::{FINDING_CLOSED, SUSPICIOUS},
};

/// The most findings of which it is followed whether they are closed.
pub const MAX_FINDINGS: usize = 10_000;

const WEEK: u64 = 7 * 24 * 60 * 60 * 1_000_000;

/// What the rules found in the period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingTotals {
    /// By rule.
    pub by_rule: Tally,
    /// Those that nobody has closed.
    pub open: u64,
    /// Those closed within 7 days, of those that are closed or older than that.
    pub closed_in_time: Share,
}

#[derive(Debug, Default)]
pub(super) struct Findings {
    by_rule: Tally,
    /// When each was found, and when it was closed.
    followed: HashMap<EventId, (u64, Option<u64>)>,
}

impl Findings {
    /// A leaf of the period.
    pub(super) fn found(&mut self, leaf: &Leaf<'_>) {
        if leaf.action() == SUSPICIOUS.as_str() {
            self.by_rule.add(leaf.reason_code().unwrap_or("other"), 1);
            if self.followed.len() < MAX_FINDINGS {
                let found = leaf.time().unix_micros();
                self.followed.insert(leaf.id(), (found, None));
            }
        }
    }

    /// A leaf of the period, or later.
    pub(super) fn closed(&mut self, leaf: &Leaf<'_>) {
        let is_done = leaf.outcome() == Outcome::Success;
        if leaf.action() == FINDING_CLOSED.as_str() && is_done {
            for id in leaf.refs() {
                if let Some((_, closed)) = self.followed.get_mut(&id) {
                    closed.get_or_insert(leaf.time().unix_micros());
                }
            }
        }
    }

    pub(super) fn totals(self, now: Timestamp) -> FindingTotals {
        let mut totals = FindingTotals {
            by_rule: self.by_rule,
            ..FindingTotals::default()
        };
        for (found, closed) in self.followed.into_values() {
            let is_due = found + WEEK <= now.unix_micros();
            match closed {
                Some(closed) => totals.closed_in_time.count(closed <= found + WEEK),
                None if is_due => totals.closed_in_time.count(false),
                None => {}
            }
            totals.open += u64::from(closed.is_none());
        }
        totals
    }
}
