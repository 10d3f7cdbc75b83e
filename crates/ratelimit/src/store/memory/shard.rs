//! The buckets of some partitions, behind one lock.

use super::{
    MemoryStats, WhenFull,
    table::{BucketSlot, Table},
};
use crate::{
    policy::{MAX_LIMITS, Mode},
    store::{Charge, ChargeOutcome, fingerprint::ChargeKeys},
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

    /// Charges buckets that are all there and all have room, as nearly every charge finds them.
    /// Otherwise nothing has changed, and [`charge`](Self::charge) decides.
    ///
    /// What it spares is all that holding limits against each other and making room take: each
    /// status is final as soon as its own bucket is looked at.
    #[inline]
    pub(super) fn admit(
        &mut self,
        charge: &Charge<'_>,
        keys: &ChargeKeys,
    ) -> Option<ChargeOutcome> {
        let now = charge.now();
        if charge.cost() == 0 || charge.has_corrections() {
            return None;
        }
        let mut outcome = ChargeOutcome::new(charge, now);
        let mut places = [0; MAX_LIMITS];
        for target in charge.targets() {
            let limit = target.limit().limit();
            let table = self.table(target.limit().mode());
            let (place, bucket) = table.held(keys.at(target.position())?)?;
            let level = bucket.at(limit, now);
            let bucket = level.charge_more(charge.before(), charge.cost()).ok()?;
            outcome.set_charged(&target, &bucket);
            places[target.position()] = place;
        }
        for target in charge.targets() {
            let table = self.table(target.limit().mode());
            table.put_held(places[target.position()], outcome.charged(&target)?);
        }
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
