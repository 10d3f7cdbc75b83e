//! What was admitted in place of the primary, and is still to be told to it.

mod entries;

use std::num::NonZeroUsize;

use self::entries::Entries;
use crate::{
    clock::Timestamp,
    policy::{MAX_LIMITS, Mode},
    store::{Answer, Charge, ChargeOutcome, Corrections, Target, fingerprint::ChargeKeys},
};

/// Unsettled tokens by bucket, never more than a fixed number of them. Shadow limits have their own
/// entries, so that they can take no room from enforced ones.
#[derive(Debug)]
pub(super) struct Ledger {
    enforced: Entries,
    shadow: Entries,
}

/// The tokens of each bucket of a charge, by the position of its limit, that a call takes to the primary.
pub(super) type Amounts = [u64; MAX_LIMITS];

impl Ledger {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let capacity = capacity.get().max(MAX_LIMITS);
        Self {
            enforced: Entries::new(capacity),
            shadow: Entries::new(capacity),
        }
    }

    /// The buckets held, and their tokens.
    pub(super) fn totals(&self) -> (usize, u64) {
        (
            self.enforced.len() + self.shadow.len(),
            self.enforced.tokens() + self.shadow.tokens(),
        )
    }

    /// Whether all that the enforced limits of a charge may take can be remembered.
    pub(super) fn has_room(&mut self, charge: &Charge<'_>, keys: &ChargeKeys) -> bool {
        let enforced = charge
            .targets()
            .filter(|target| target.limit().is_enforced());
        let new = enforced
            .map(|target| keys.at(target.position()))
            .filter(|key| !self.enforced.contains(*key))
            .count();
        self.enforced.make_room(new, charge.now(), keys)
    }

    /// Remembers what a charge has taken, nothing if it was refused: of a shadow limit, if there is room.
    pub(super) fn record(
        &mut self,
        charge: &Charge<'_>,
        keys: &ChargeKeys,
        outcome: &ChargeOutcome,
    ) {
        for target in charge.targets() {
            let key = keys.at(target.position());
            if outcome.answer(target.position()) != Answer::HasRoom {
                continue;
            }
            let entries = self.entries(&target);
            if entries.contains(key) || entries.make_room(1, charge.now(), keys) {
                let most = u64::from(target.limit().limit().largest_cost());
                let expires = forgotten_by(&target, charge.now());
                entries.add(
                    key,
                    u64::from(charge.cost()).min(most),
                    most,
                    charge.now(),
                    expires,
                );
            }
        }
    }

    /// Takes out what is unsettled of a charge's buckets, for a call that takes it to the primary; `None`
    /// if there is nothing.
    pub(super) fn begin(&mut self, charge: &Charge<'_>, keys: &ChargeKeys) -> Option<Amounts> {
        // Tenants that never come again leave entries too.
        self.enforced.forget_some(charge.now());
        self.shadow.forget_some(charge.now());
        let mut amounts = Amounts::default();
        for target in charge.targets() {
            let entries = self.entries(&target);
            amounts[target.position()] = entries.begin(keys.at(target.position()), charge.now());
        }
        amounts.iter().any(|tokens| *tokens > 0).then_some(amounts)
    }

    /// Ends what [`begin`](Self::begin) began: the primary was told, or perhaps not.
    pub(super) fn end(
        &mut self,
        charge: &Charge<'_>,
        keys: &ChargeKeys,
        amounts: &Amounts,
        was_told: bool,
    ) {
        for target in charge.targets() {
            let tokens = amounts[target.position()];
            if tokens > 0 {
                let key = keys.at(target.position());
                let most = u64::from(target.limit().limit().largest_cost());
                self.entries(&target).end(key, most, was_told);
            }
        }
    }

    fn entries(&mut self, target: &Target<'_>) -> &mut Entries {
        match target.limit().mode() {
            Mode::Enforced => &mut self.enforced,
            Mode::Shadow => &mut self.shadow,
        }
    }
}

/// What a charge corrects already, and `amounts` on top.
pub(super) fn corrections(charge: &Charge<'_>, amounts: &Amounts) -> Corrections {
    charge.targets().fold(Corrections::none(), |all, target| {
        let more = i64::try_from(amounts[target.position()]).unwrap_or(i64::MAX);
        let tokens = target.correction().saturating_add(more);
        all.with(target.position(), tokens)
    })
}

/// When a bucket of the primary, had it been charged at `now`, would be full again whatever it held: it
/// holds no more than the limit may, so that nothing is lost if it is not told then.
fn forgotten_by(target: &Target<'_>, now: Timestamp) -> Timestamp {
    let drain_time = target.limit().limit().drain_time().as_micros();
    let drain_time = u64::try_from(drain_time).unwrap_or(u64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_add(drain_time))
}
