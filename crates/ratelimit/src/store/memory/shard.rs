//! The buckets of some partitions, behind one lock.

use super::{
    MemoryStats, WhenFull,
    table::{BucketSlot, Table},
};
use crate::{
    policy::{MAX_LIMITS, Mode},
    store::{Charge, ChargeOutcome, Target, fingerprint::ChargeKeys},
};

/// The buckets of some partitions. Shadow limits have a table of their own, so that no bucket of
/// theirs can take the room of an enforced one.
///
/// It has its own lines of memory, and a neighbour of each, which processors fetch with it: its
/// lock does not slow down that of the next shard.
#[repr(align(128))]
pub(super) struct Shard {
    enforced: Table,
    shadow: Table,
}

impl Shard {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        let capacity = capacity.max(MAX_LIMITS);
        Self {
            enforced: Table::new(capacity, when_full),
            shadow: Table::new(capacity, when_full),
        }
    }

    /// Decides a charge, and carries it out; `outcome` begins as that of the charge, without any status.
    #[inline]
    pub(super) fn charge(
        &mut self,
        charge: &Charge<'_>,
        keys: &ChargeKeys,
        outcome: &mut ChargeOutcome,
    ) {
        let is_plain = charge.cost() > 0 && !charge.has_corrections();
        if !(is_plain && self.admit(charge, &mut charge.targets(), keys, outcome)) {
            *outcome = self.decide(charge, keys);
        }
    }

    /// Charges buckets that are all there and all have room, as nearly every charge finds them.
    /// Otherwise nothing has changed, and [`decide`](Self::decide) is asked.
    ///
    /// A bucket is charged once those of all further targets have been: it waits for them where it was
    /// worked out, and none is looked for twice. What that spares is all that holding limits against each
    /// other and making room take.
    fn admit<'a>(
        &mut self,
        charge: &Charge<'a>,
        targets: &mut impl Iterator<Item = Target<'a>>,
        keys: &ChargeKeys,
        outcome: &mut ChargeOutcome,
    ) -> bool {
        let Some(target) = targets.next() else {
            return true;
        };
        let limit = target.limit().limit();
        let table = self.table(target.limit().mode());
        let Some((place, bucket)) = table.held(keys.at(target.position())) else {
            return false;
        };
        let level = bucket.at(limit, charge.now());
        let Ok(bucket) = level.charge_more(charge.before(), charge.cost()) else {
            return false;
        };
        let is_admitted = self.admit(charge, targets, keys, outcome);
        if is_admitted {
            self.table(target.limit().mode()).put_held(place, bucket);
            outcome.set_charged(&target, &bucket);
        }
        is_admitted
    }

    fn decide(&mut self, charge: &Charge<'_>, keys: &ChargeKeys) -> ChargeOutcome {
        let now = charge.now();
        self.enforced.begin();
        self.shadow.begin();
        let mut slots: [Option<BucketSlot>; MAX_LIMITS] = [None; MAX_LIMITS];
        let pending = charge.decide(now, |target| {
            let key = keys.at(target.position());
            let table = self.table(target.limit().mode());
            let (slot, bucket) = table.find(key, target.limit(), now, keys);
            slots[target.position()] = Some(slot);
            Some(bucket)
        });
        for (target, bucket) in pending.updates() {
            let position = target.position();
            if let Some(slot) = slots[position] {
                let table = self.table(target.limit().mode());
                table.put(slot, keys.at(position), target.limit(), bucket, now, keys);
            }
        }
        pending.outcome()
    }

    pub(super) fn stats(&self) -> MemoryStats {
        self.enforced.stats().plus(self.shadow.stats())
    }

    fn table(&mut self, mode: Mode) -> &mut Table {
        match mode {
            Mode::Enforced => &mut self.enforced,
            Mode::Shadow => &mut self.shadow,
        }
    }
}
