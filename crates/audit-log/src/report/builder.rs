//! Counts the leaves of a period.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{Checks, Integrity, Report, Share, Tally, findings::Findings};
use crate::event::{Activity, Leaf, Outcome, Timestamp};

/// The most actors that are told apart.
pub const MAX_ACTORS: usize = 100_000;

/// From a time on, and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Period {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment behind it.
    pub to: Timestamp,
}

/// Makes a [`Report`], in at most some megabytes of memory.
#[derive(Debug)]
pub struct ReportBuilder {
    period: Period,
    events: u64,
    entries: Option<(u64, u64)>,
    /// By their hashes.
    actors: HashSet<u64>,
    more_actors: bool,
    by_action: Tally,
    by_field: Tally,
    by_outcome: Tally,
    resources_read: u64,
    reasoned_reads: Share,
    findings: Findings,
    dropped: Tally,
}

/// By which the log says how many events of an action it has not.
const DROPPED: &str = "audit.dropped";

impl Period {
    /// From `from` on, before `to`.
    #[must_use]
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}

impl ReportBuilder {
    /// For a period.
    #[must_use]
    pub fn new(period: Period) -> Self {
        Self {
            period,
            events: 0,
            entries: None,
            actors: HashSet::new(),
            more_actors: false,
            by_action: Tally::default(),
            by_field: Tally::default(),
            by_outcome: Tally::default(),
            resources_read: 0,
            reasoned_reads: Share::default(),
            findings: Findings::default(),
            dropped: Tally::default(),
        }
    }

    /// Counts a leaf. One that is not of the period counts for nothing, but may close a finding: for that, show it the
    /// leaves of the seven days behind the period too.
    pub fn observe(&mut self, leaf: &Leaf<'_>) {
        self.findings.closed(leaf);
        if !self.period.contains(leaf.time()) {
            return;
        }
        let n = leaf.numbers().in_tree;
        let (first, last) = self.entries.unwrap_or((n, n));
        self.entries = Some((first.min(n), last.max(n)));
        self.events += 1;
        self.count_actor(leaf);
        self.by_action.add(leaf.action(), 1);
        self.by_outcome.add(leaf.outcome().as_str(), 1);
        // One that is named twice is a field of the event once.
        let fields: HashSet<_> = leaf.fields().collect();
        fields.iter().for_each(|field| self.by_field.add(field, 1));
        let is_shown = matches!(leaf.outcome(), Outcome::Success | Outcome::Unknown);
        if leaf.activity() == Activity::Read && is_shown {
            self.resources_read = self.resources_read.saturating_add(leaf.count());
            if !fields.is_empty() {
                self.reasoned_reads.count(leaf.reason_code().is_some());
            }
        }
        if leaf.action() == DROPPED {
            let action = leaf
                .resources()
                .next()
                .map_or("other", |(_, action)| action);
            self.dropped.add(action, leaf.count());
        }
        self.findings.found(leaf);
    }

    fn count_actor(&mut self, leaf: &Leaf<'_>) {
        let mut hasher = DefaultHasher::new();
        (leaf.actor_type(), leaf.actor_id()).hash(&mut hasher);
        let actor = hasher.finish();
        if self.actors.len() < MAX_ACTORS {
            self.actors.insert(actor);
        } else if !self.actors.contains(&actor) {
            self.more_actors = true;
        }
    }

    /// The report, as of `now`: a finding that is not closed counts against the score once it is seven days old.
    #[must_use]
    pub fn finish(self, integrity: Integrity, now: Timestamp) -> Report {
        let findings = self.findings.totals(now);
        let checks = Checks {
            reasoned_reads: self.reasoned_reads,
            not_dropped: Share {
                pass: self.events,
                of: self.events.saturating_add(self.dropped.sum()),
            },
            verified_days: integrity.verified_days,
            findings_closed: findings.closed_in_time,
            anchored: integrity.anchored,
        };
        Report {
            period: self.period,
            events: self.events,
            entries: self.entries,
            actors: self.actors.len() as u64,
            more_actors: self.more_actors,
            by_action: self.by_action,
            by_field: self.by_field,
            by_outcome: self.by_outcome,
            resources_read: self.resources_read,
            findings,
            dropped: self.dropped,
            integrity,
            checks,
        }
    }
}
