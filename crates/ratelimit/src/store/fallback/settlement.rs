//! A call that tells the primary what was admitted in its place.

use super::{
    FallbackStore,
    ledger::{Amounts, corrections},
};
use crate::{
    observer::Event,
    store::{Charge, Corrections, fingerprint::ChargeKeys},
};

/// What is under way to the primary. Dropped before the primary has answered, as with the future of the
/// call, it is to be settled again: what may have arrived is counted twice rather than not at all.
pub(super) struct Settlement<'a> {
    store: &'a FallbackStore,
    charge: &'a Charge<'a>,
    keys: ChargeKeys,
    amounts: Amounts,
    was_told: bool,
}

impl<'a> Settlement<'a> {
    pub(super) const fn new(
        store: &'a FallbackStore,
        charge: &'a Charge<'a>,
        keys: ChargeKeys,
        amounts: Amounts,
    ) -> Self {
        Self {
            store,
            charge,
            keys,
            amounts,
            was_told: false,
        }
    }

    pub(super) fn corrections(&self) -> Corrections {
        corrections(self.charge, &self.amounts)
    }

    /// The primary has answered, so it has counted what it was told.
    pub(super) fn settled(mut self) {
        self.was_told = true;
        let tokens = self.amounts.iter().sum();
        self.store.totals.settle(tokens);
        self.store.observe(&Event::Settled { tokens });
    }
}

impl Drop for Settlement<'_> {
    fn drop(&mut self) {
        let (charge, keys) = (self.charge, &self.keys);
        self.store.with_ledger(|ledger| {
            ledger.end(charge, keys, &self.amounts, self.was_told);
        });
    }
}
