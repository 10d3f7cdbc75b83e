//! What waits to be written, within a bound.

mod queue;

use std::collections::BTreeMap;

use self::queue::Queue;
use super::{
    Day, HistoryBatch, ReceiptKey, SampleChange, TallyKey, VersionCount, VersionKey, WriterId,
};
use crate::{
    conservation::Conservation,
    sample::{Sample, SampleSlot, is_of},
};

/// Days of samples that wait at most.
const DAYS: u32 = 3;

/// Rows of each kind, and samples, that go together.
const BATCH_ROWS: usize = 512;
const BATCH_SAMPLES: usize = 64;

/// Rows and samples that no history has yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    tallies: Queue<TallyKey>,
    receipts: Queue<ReceiptKey>,
    versions: Queue<VersionKey>,
    samples: BTreeMap<(Day, SampleSlot), Option<Sample>>,
}

/// What was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) events: u64,
    /// Of what was received.
    pub(super) receipts: u64,
    /// Of events that stated a version.
    pub(super) versions: u64,
    pub(super) samples: u64,
}

impl Pending {
    /// Adds events of which something else may wait already.
    pub(super) fn add(&mut self, key: TallyKey, events: u64) -> Dropped {
        Dropped {
            events: self.tallies.add(key, events).iter().sum(),
            ..Dropped::default()
        }
    }

    pub(super) fn add_receipt(&mut self, key: ReceiptKey, both: Conservation) -> Dropped {
        let dropped = self.receipts.add(key, both);
        Dropped {
            receipts: dropped.iter().map(|both| both.received).sum(),
            ..Dropped::default()
        }
    }

    pub(super) fn add_version(&mut self, key: VersionKey, uses: VersionCount) -> Dropped {
        let dropped = self.versions.add(key, uses);
        Dropped {
            versions: dropped.iter().map(|uses| uses.events).sum(),
            ..Dropped::default()
        }
    }

    pub(super) fn put(&mut self, changes: Vec<SampleChange>) -> Dropped {
        for SampleChange { day, slot, sample } in changes {
            self.samples.insert((day, slot), sample);
        }
        let Some(((latest, _), _)) = self.samples.last_key_value() else {
            return Dropped::default();
        };
        let oldest = latest.before(DAYS - 1);
        let waiting = self.samples.len();
        self.samples.retain(|(day, _), _| *day >= oldest);
        Dropped {
            samples: (waiting - self.samples.len()) as u64,
            ..Dropped::default()
        }
    }

    /// Leaves nothing of the samples of a tenant; its counts are for the history to leave out.
    pub(super) fn erase_tenant(&mut self, tenant: &str) {
        let samples = self.samples.values_mut();
        for sample in samples.filter(|sample| is_of(sample.as_ref(), tenant)) {
            *sample = None;
        }
    }

    /// The oldest of it as the next batch, if there is any.
    pub(super) fn next(&mut self, writer: WriterId, sequence: u64) -> Option<HistoryBatch> {
        let has_rows =
            !self.tallies.is_empty() || !self.receipts.is_empty() || !self.versions.is_empty();
        if !has_rows && self.samples.is_empty() {
            return None;
        }
        let mut batch = HistoryBatch::new(writer, sequence);
        batch.tallies = self.tallies.take(BATCH_ROWS);
        batch.receipts = self.receipts.take(BATCH_ROWS);
        batch.versions = self.versions.take(BATCH_ROWS);
        while batch.samples.len() < BATCH_SAMPLES
            && let Some(((day, slot), sample)) = self.samples.pop_first()
        {
            batch.samples.push(SampleChange::new(day, slot, sample));
        }
        Some(batch)
    }

    pub(super) fn events(&self) -> u64 {
        self.tallies.values().sum()
    }

    pub(super) fn samples(&self) -> u64 {
        self.samples.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::UnixMillis, history::Hour, labels::OTHER};

    #[test]
    fn a_batch_has_some_of_everything_and_takes_everything_once() {
        let mut pending = Pending::default();
        for n in 0..1_000_u32 {
            let (tenant, day) = (format!("t{n}"), Day::new(7));
            let key = TallyKey::new(Hour::new(168), &tenant, "lead.created", "accepted");
            pending.add(key, 1);
            pending.add_receipt(ReceiptKey::new(day, &tenant), Conservation::new(2, 1));
            let key = VersionKey::new(day, &tenant, "lead.created", "1");
            pending.add_version(key, VersionCount::new(3, UnixMillis::new(n.into())));
        }
        let writer = WriterId::from_bytes([7; 16]);
        let (mut sequence, mut sums) = (0, (0, Conservation::default(), VersionCount::default()));
        while let Some(batch) = pending.next(writer, sequence) {
            let rows = [
                batch.tallies.len(),
                batch.receipts.len(),
                batch.versions.len(),
            ];
            assert!(rows.iter().all(|rows| *rows <= BATCH_ROWS), "{rows:?}");
            sums.0 += batch.tallies.values().sum::<u64>();
            batch.receipts.into_values().for_each(|both| sums.1 += both);
            batch.versions.into_values().for_each(|uses| sums.2 += uses);
            sequence += 1;
        }
        assert_eq!((sequence, pending.events()), (2, 0));
        let last = VersionCount::new(3_000, UnixMillis::new(999));
        assert_eq!(sums, (1_000, Conservation::new(2_000, 1_000), last));
    }

    fn slot(index: usize) -> SampleSlot {
        SampleSlot::new("read.unreadable", index).unwrap()
    }

    fn change(day: u32, index: usize, ordinal: u64, tenant: &str) -> SampleChange {
        let mut sample = Sample::new("read.unreadable", ordinal, UnixMillis::new(0));
        sample.tenant = tenant.to_owned();
        SampleChange::new(Day::new(day), slot(index), Some(sample))
    }

    #[test]
    fn samples_wait_for_three_days_and_the_latest_of_a_slot_counts() {
        let mut pending = Pending::default();
        let change = |day, ordinal| change(day, 3, ordinal, "acme");
        assert_eq!(
            pending.put(vec![change(10, 1), change(10, 2)]),
            Dropped::default()
        );
        let dropped = pending.put(vec![change(12, 1), change(13, 1)]);
        assert_eq!((dropped.samples, pending.samples()), (1, 2));
        pending.put(vec![change(13, 5)]);
        let batch = pending.next(WriterId::from_bytes([7; 16]), 1).unwrap();
        let ordinals = batch.samples.iter();
        let ordinals = ordinals.map(|change| change.sample.as_ref().unwrap().ordinal);
        assert_eq!(ordinals.collect::<Vec<_>>(), [1, 5]);
    }

    #[test]
    fn samples_of_an_erased_tenant_wait_as_cleared_slots() {
        let mut pending = Pending::default();
        let tenants = ["acme", "globex", OTHER].into_iter().enumerate();
        pending.put(
            tenants
                .map(|(index, tenant)| change(10, index, 1, tenant))
                .collect(),
        );
        pending.erase_tenant("acme");
        let batch = pending.next(WriterId::from_bytes([7; 16]), 1).unwrap();
        let samples = batch.samples.iter();
        let kept = samples.map(|change| Some(&*change.sample.as_ref()?.tenant));
        assert_eq!(kept.collect::<Vec<_>>(), [None, Some("globex"), None]);
    }
}
