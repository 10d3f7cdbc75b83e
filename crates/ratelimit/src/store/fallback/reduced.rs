//! What is admitted in place of the primary.

use std::num::NonZeroU32;

use super::FallbackStore;
use crate::{
    bucket::Bucket,
    store::{Answer, Charge, ChargeOutcome, Source},
};

impl FallbackStore {
    /// Decides by the buckets in memory, in which each token counts more.
    pub(super) fn fall_back(&self, charge: &Charge<'_>) -> ChargeOutcome {
        let enforced = charge
            .targets()
            .filter(|target| target.limit().is_enforced());
        let drain_time = enforced.map(|target| target.limit().limit().drain_time());
        let drain_time = drain_time.max().unwrap_or_default();
        let weight = self.weights.weight(charge.now(), drain_time);
        let outcome = match weighted(charge, weight) {
            Some(weighted) if charge.cost() == 0 => self.memory.decide(&weighted),
            Some(weighted) => self.admit(charge, &weighted),
            None => self.refusal(charge, u32::MAX),
        };
        outcome.with_weight(weight).with_source(Source::Fallback)
    }

    /// Charges the buckets in memory, if what that takes can be remembered: in one step, so that no other
    /// charge takes the room meanwhile.
    fn admit(&self, charge: &Charge<'_>, weighted: &Charge<'_>) -> ChargeOutcome {
        let keys = self.keys(charge);
        let outcome = self.with_ledger(|ledger| {
            ledger.has_room(charge, &keys).then(|| {
                let outcome = self.memory.decide(weighted);
                ledger.record(charge, &keys, &outcome);
                outcome
            })
        });
        let Some(outcome) = outcome else {
            self.totals.refuse_for_room();
            return self.refusal(charge, weighted.before().saturating_add(weighted.cost()));
        };
        if is_admitted(charge, &outcome) {
            self.tell_admitted(charge);
        }
        outcome
    }

    /// A refusal by every enforced limit of a charge of `whole` tokens, which changes nothing.
    fn refusal(&self, charge: &Charge<'_>, whole: u32) -> ChargeOutcome {
        let peek = charge.with_amounts(whole, 0);
        let seen = self.memory.decide(&peek);
        let mut outcome = seen;
        for target in charge.targets() {
            if let (Some(bucket), true) = (seen.bucket(&target), target.limit().is_enforced()) {
                let level = bucket.at(target.limit().limit(), charge.now());
                outcome.set(&target, Answer::Refuses, &level);
            }
        }
        outcome
    }

    /// Admits whatever it is.
    pub(super) fn let_through(&self, charge: &Charge<'_>) -> ChargeOutcome {
        let mut outcome = ChargeOutcome::new(charge, charge.now());
        for target in charge.targets() {
            let limit = target.limit().limit();
            let level = Bucket::full(limit, charge.now()).at(limit, charge.now());
            outcome.set(&target, Answer::HasRoom, &level);
        }
        if charge.cost() > 0 {
            let keys = self.keys(charge);
            self.with_ledger(|ledger| ledger.record(charge, &keys, &outcome));
            self.tell_admitted(charge);
        }
        outcome.with_source(Source::Fallback)
    }
}

/// The charge with each of its tokens counted `weight` times; `None` if that is more than any limit holds.
fn weighted<'a>(charge: &Charge<'a>, weight: NonZeroU32) -> Option<Charge<'a>> {
    let before = charge.before().checked_mul(weight.get())?;
    let cost = charge.cost().checked_mul(weight.get())?;
    before.checked_add(cost)?;
    Some(charge.with_amounts(before, cost))
}

fn is_admitted(charge: &Charge<'_>, outcome: &ChargeOutcome) -> bool {
    let mut enforced = charge
        .targets()
        .filter(|target| target.limit().is_enforced());
    enforced.all(|target| outcome.answer(target.position()) == Answer::HasRoom)
}
