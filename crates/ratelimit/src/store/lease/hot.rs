//! What is kept of a key that is asked for often.

use std::{sync::Arc, time::Duration};

use super::flight::Flight;
use crate::{
    clock::Timestamp,
    store::{Answer, Charge, ChargeOutcome, Source},
};

/// What is kept of a key that is asked for often.
#[derive(Default)]
pub(super) struct Hot {
    pub(super) told: Option<Told>,
    pub(super) lease: Option<Lease>,
    pub(super) flight: Option<Arc<Flight>>,
    /// The latest time of a charge.
    latest: Timestamp,
}

/// What the store said last.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) outcome: ChargeOutcome,
    /// The local time when it was asked.
    pub(super) sent: Timestamp,
}

/// Tokens taken and not spent yet.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) left: u32,
    pub(super) sent: Timestamp,
}

impl Hot {
    /// The time of a charge that says it is `now`. Charges overtake each other, so time stands still
    /// rather than goes back; what is leased ends if a clock has stepped back further.
    pub(super) fn time(&mut self, now: Timestamp, lifetime: Duration) -> Timestamp {
        if self.latest.since(now) > lifetime {
            self.latest = now;
            self.told = None;
        }
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Takes what the store said to a charge of `sent`, unless a later answer has overtaken it.
    pub(super) fn learn(&mut self, outcome: ChargeOutcome, sent: Timestamp, lifetime: Duration) {
        // A refusal that was remembered on the way is no news, and does not tell of every bucket. What
        // stands in for the store tells of other buckets.
        if matches!(outcome.source(), Source::DenialCache | Source::Fallback) {
            return;
        }
        let is_overtaken = self.told.is_some_and(|told| {
            outcome.at() < told.outcome.at() && sent.since(told.sent) <= lifetime
        });
        if !is_overtaken {
            self.told = Some(Told { outcome, sent });
        }
    }

    pub(super) fn holds_lease(&self, now: Timestamp, lifetime: Duration) -> bool {
        self.lease
            .is_some_and(|lease| lease.left > 0 && lease.is_valid(now, lifetime))
    }
}

impl Lease {
    /// Not before it was sent for either, by a clock that has stepped back.
    pub(super) fn is_valid(&self, now: Timestamp, lifetime: Duration) -> bool {
        now.since(self.sent) < lifetime && self.sent.since(now) <= lifetime
    }
}

impl Told {
    /// The store's time at the local `now`, at most.
    pub(super) fn store_time(&self, now: Timestamp) -> Timestamp {
        self.outcome.at().plus(now.since(self.sent))
    }

    /// What `charge` is told when it was paid for, and `left` more tokens that were taken of the same
    /// buckets are not spent.
    pub(super) fn admitted(
        &self,
        charge: &Charge<'_>,
        left: u32,
        now: Timestamp,
        source: Source,
    ) -> ChargeOutcome {
        let at = self.store_time(now);
        let mut outcome = ChargeOutcome::new(charge, at).with_source(source);
        for target in charge.targets() {
            if let Some(bucket) = self.outcome.bucket(&target) {
                let limit = target.limit().limit();
                let level = bucket
                    .at(limit, at)
                    .corrected(-i64::from(left))
                    .at(limit, at);
                outcome.set(&target, Answer::HasRoom, &level);
            }
        }
        outcome
    }
}
