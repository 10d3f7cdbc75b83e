//! The buckets of some partitions, behind one lock.

use super::{
    MemoryStats, WhenFull,
    fingerprint::Fingerprint,
    table::{BucketSlot, Table},
};
use crate::{
    policy::{MAX_LIMITS, Mode},
    store::{Charge, ChargeOutcome, Target},
};

/// The buckets of some partitions. Shadow limits have a table of their own, so that no bucket of
/// theirs can take the room of an enforced one.
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

    pub(super) fn charge<'a>(
        &mut self,
        charge: &Charge<'a>,
        key_of: impl Fn(&Target<'a>) -> Fingerprint,
    ) -> ChargeOutcome {
        let now = charge.now();
        let mut keys = [None; MAX_LIMITS];
        for target in charge.targets() {
            keys[target.position()] = Some(key_of(&target));
        }
        let in_batch = |key: &Fingerprint| keys.contains(&Some(*key));
        self.enforced.begin();
        self.shadow.begin();
        let mut slots: [Option<BucketSlot>; MAX_LIMITS] = [None; MAX_LIMITS];
        let pending = charge.decide(now, |target| {
            let key = keys[target.position()]?;
            let table = self.table(target.limit().mode());
            let (slot, bucket) = table.find(key, target.limit(), now, in_batch);
            slots[target.position()] = Some(slot);
            Some(bucket)
        });
        for (target, bucket) in pending.updates() {
            if let Some(slot) = slots[target.position()] {
                let table = self.table(target.limit().mode());
                table.put(slot, bucket, now, in_batch);
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
