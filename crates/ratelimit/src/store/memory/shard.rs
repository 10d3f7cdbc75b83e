//! The buckets of some partitions, behind one lock.

use super::{
    MemoryStats, WhenFull,
    fingerprint::{ChargeKeys, Fingerprint},
    table::{BucketSlot, Table},
};
use crate::{
    policy::{MAX_LIMITS, Mode},
    store::{Charge, ChargeOutcome, Target},
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

    /// Charges the bucket of the only limit, if it is there already: where nearly all charges end.
    #[inline]
    pub(super) fn charge_held(
        &mut self,
        charge: &Charge<'_>,
        target: &Target<'_>,
        key: Fingerprint,
    ) -> Option<ChargeOutcome> {
        let bucket = self.table(target.limit().mode()).held(key)?;
        let (charged, status) =
            charge.decide_sole(target.limit().limit(), *bucket, charge.now());
        if let Some(charged) = charged {
            *bucket = charged;
        }
        let mut outcome = ChargeOutcome::default();
        outcome.set(target, status);
        Some(outcome)
    }

    pub(super) fn charge(&mut self, charge: &Charge<'_>, keys: &ChargeKeys) -> ChargeOutcome {
        let now = charge.now();
        self.enforced.begin();
        self.shadow.begin();
        let mut slots: [Option<BucketSlot>; MAX_LIMITS] = [None; MAX_LIMITS];
        let pending = charge.decide(now, |target| {
            let key = keys.at(target.position())?;
            let table = self.table(target.limit().mode());
            let (slot, bucket) = table.find(key, target.limit(), now, keys);
            slots[target.position()] = Some(slot);
            Some(bucket)
        });
        for (target, bucket) in pending.updates() {
            let position = target.position();
            if let (Some(slot), Some(key)) = (slots[position], keys.at(position)) {
                let table = self.table(target.limit().mode());
                table.put(slot, key, target.limit(), bucket, now, keys);
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
