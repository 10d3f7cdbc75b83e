//! Samples of each day by itself, for a history.

use std::collections::BTreeMap;

use rand::Rng;

use super::{
    Sample, SampleSlot,
    reservoir::{Chosen, Reservoir},
    store::is_of,
};
use crate::{
    history::{Day, SampleChange},
    per_reason::PerReason,
    reason::Reason,
};

/// Days of which changes wait to be written: the present one, and the one before while nobody wrote.
const DAYS: u32 = 2;

/// A reservoir for each reason, which begins again each day, and what has changed since it was last asked.
#[derive(Debug)]
pub(super) struct DailySamples<R> {
    day: Day,
    reservoirs: PerReason<R, Reservoir>,
    changes: BTreeMap<(Day, SampleSlot), Change>,
    dropped: u64,
}

/// The latest change of one slot.
#[derive(Debug)]
struct Change {
    ordinal: u64,
    sample: Option<Sample>,
}

/// An event that was chosen for its day.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChosenOfDay {
    day: Day,
    chosen: Chosen,
}

impl<R: Reason> DailySamples<R> {
    pub(super) fn new(day: Day) -> Self {
        Self {
            day,
            reservoirs: PerReason::new(Reservoir::default),
            changes: BTreeMap::new(),
            dropped: 0,
        }
    }

    pub(super) fn draw(
        &mut self,
        reason: R,
        today: Day,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<ChosenOfDay> {
        // A clock that steps back goes on with the day that has begun.
        if today > self.day {
            self.day = today;
            self.reservoirs = PerReason::new(Reservoir::default);
            let oldest = today.before(DAYS - 1);
            let waiting = self.changes.len();
            self.changes.retain(|(day, _), _| *day >= oldest);
            self.dropped += (waiting - self.changes.len()) as u64;
        }
        let chosen = self.reservoirs[reason].offer(rng)?;
        Some(ChosenOfDay {
            day: self.day,
            chosen,
        })
    }

    /// Puts what was captured of a chosen event, or clears its slot.
    pub(super) fn put(&mut self, of_day: ChosenOfDay, reason: R, sample: Option<&Sample>) {
        let Chosen { index, ordinal } = of_day.chosen;
        let Some(slot) = SampleSlot::new(reason.facts().name, index) else {
            return;
        };
        let key = (of_day.day, slot);
        // Two threads may bring their samples in the wrong order.
        if self
            .changes
            .get(&key)
            .is_none_or(|last| last.ordinal < ordinal)
        {
            let sample = sample.map(|sample| Sample {
                ordinal,
                ..sample.clone()
            });
            self.changes.insert(key, Change { ordinal, sample });
        }
    }

    /// Clears what waits of a tenant.
    pub(super) fn erase_tenant(&mut self, tenant: &str) {
        let changes = self.changes.values_mut();
        for change in changes.filter(|change| is_of(change.sample.as_ref(), tenant)) {
            change.sample = None;
        }
    }

    /// What has changed, and how many changes had to be dropped because nobody asked for days.
    pub(super) fn take(&mut self) -> (Vec<SampleChange>, u64) {
        let changes = std::mem::take(&mut self.changes).into_iter();
        let changes = changes
            .map(|((day, slot), Change { sample, .. })| SampleChange::new(day, slot, sample));
        (changes.collect(), std::mem::take(&mut self.dropped))
    }
}
