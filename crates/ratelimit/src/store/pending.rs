//! The decision on a charge, all or nothing, before it is written.

use super::{Answer, Charge, ChargeOutcome, Target};
use crate::{bucket::Bucket, clock::Timestamp};

/// A charge that is decided and not yet written: the status of its limits, and the buckets to
/// write.
#[derive(Clone, Copy, Debug)]
pub struct PendingCharge<'a> {
    charge: &'a Charge<'a>,
    outcome: ChargeOutcome,
}

impl<'a> Charge<'a> {
    /// Decides over the buckets that a store has read: `bucket_of` gives the one of a target, or
    /// `None` if it was never charged and so is full.
    ///
    /// `now` is the store's time: [`Charge::now`], or that of a clock which several processes
    /// share. This is pure: the store reads the buckets before, writes
    /// [`updates`](PendingCharge::updates) afterwards, and lets no other charge of the partition
    /// come in between.
    #[must_use]
    #[inline]
    pub fn decide(
        &'a self,
        now: Timestamp,
        mut bucket_of: impl FnMut(&Target<'a>) -> Option<Bucket>,
    ) -> PendingCharge<'a> {
        let mut taken = ChargeOutcome::new(self, now);
        let mut untaken = taken;
        let mut is_refused = false;
        for target in self.targets() {
            let limit = target.limit().limit();
            let bucket =
                bucket_of(&target).unwrap_or_else(|| Bucket::full(limit, Timestamp::default()));
            let mut level = bucket.at(limit, now);
            if target.correction() != 0 {
                level = level.corrected(target.correction()).at(limit, now);
            }
            if let Ok(charged) = level.charge_more(self.before(), self.cost()) {
                taken.set(&target, Answer::HasRoom, &charged.at(limit, now));
                untaken.set(&target, Answer::NotTaken, &level);
            } else {
                taken.set(&target, Answer::Refuses, &level);
                untaken.set(&target, Answer::Refuses, &level);
                is_refused |= target.limit().is_enforced();
            }
        }
        let outcome = if is_refused { untaken } else { taken };
        PendingCharge {
            charge: self,
            outcome,
        }
    }
}

impl<'a> PendingCharge<'a> {
    /// The status of every limit, as it is once the updates are written.
    #[must_use]
    pub const fn outcome(&self) -> ChargeOutcome {
        self.outcome
    }

    /// The buckets to write: those of the enforced limits and of the shadow limits that have room;
    /// none for a refusal or a peek, but for those that were corrected.
    pub fn updates(&self) -> impl Iterator<Item = (Target<'a>, Bucket)> {
        let is_peek = self.charge.cost() == 0;
        let update = move |target: &Target<'a>| match target.correction() {
            0 if is_peek => None,
            0 => self.outcome.charged(target),
            _ => self.outcome.bucket(target),
        };
        let targets = self.charge.targets();
        targets.filter_map(move |target| Some((target, update(&target)?)))
    }
}
