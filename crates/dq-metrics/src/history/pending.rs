//! What waits to be written, within a bound.

use std::collections::BTreeMap;

use super::{Day, HistoryBatch, Hour, SampleChange, TallyKey, WriterId};
use crate::sample::{Sample, SampleSlot};

/// Rows of an hour that wait apart; more are added to `__other__`.
const ROWS_OF_AN_HOUR: usize = 4_096;

/// Rows that wait at most: the oldest hours are given up for them.
const ROWS: usize = 32_768;

/// Days of samples that wait at most.
const DAYS: u32 = 3;

/// Rows and samples that go together.
const BATCH_ROWS: usize = 512;
const BATCH_SAMPLES: usize = 64;

/// Tallies and samples that no history has yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// By hour; none of them is empty.
    tallies: BTreeMap<Hour, BTreeMap<TallyKey, u64>>,
    /// How many rows that are.
    rows: usize,
    samples: BTreeMap<(Day, SampleSlot), Option<Sample>>,
}

/// What was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) events: u64,
    pub(super) samples: u64,
}

impl Pending {
    /// Adds events of which something else may wait already.
    pub(super) fn add(&mut self, key: TallyKey, events: u64) -> Dropped {
        let of_hour = self.tallies.entry(key.hour).or_default();
        let has_room = of_hour.len() < ROWS_OF_AN_HOUR || of_hour.contains_key(&key);
        let key = if has_room { key } else { key.folded() };
        let before = of_hour.len();
        *of_hour.entry(key).or_default() += events;
        self.rows += of_hour.len() - before;
        let mut dropped = Dropped::default();
        while self.rows > ROWS
            && let Some((_, oldest)) = self.tallies.pop_first()
        {
            self.rows -= oldest.len();
            dropped.events += oldest.values().sum::<u64>();
        }
        dropped
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
            events: 0,
        }
    }

    /// The oldest of it as the next batch, if there is any.
    pub(super) fn next(&mut self, writer: WriterId, sequence: u64) -> Option<HistoryBatch> {
        if self.tallies.is_empty() && self.samples.is_empty() {
            return None;
        }
        let mut batch = HistoryBatch::new(writer, sequence);
        while batch.tallies.len() < BATCH_ROWS
            && let Some(mut of_hour) = self.tallies.first_entry()
        {
            if let Some((key, events)) = of_hour.get_mut().pop_first() {
                batch.tallies.insert(key, events);
                self.rows -= 1;
            }
            if of_hour.get().is_empty() {
                of_hour.remove();
            }
        }
        while batch.samples.len() < BATCH_SAMPLES
            && let Some(((day, slot), sample)) = self.samples.pop_first()
        {
            batch.samples.push(SampleChange::new(day, slot, sample));
        }
        Some(batch)
    }

    pub(super) fn events(&self) -> u64 {
        let hours = self.tallies.values();
        hours.flat_map(BTreeMap::values).sum()
    }

    pub(super) fn samples(&self) -> u64 {
        self.samples.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMillis;

    fn key(hour: u32, tenant: usize) -> TallyKey {
        TallyKey::new(
            Hour::new(hour),
            &format!("t{tenant}"),
            "lead.created",
            "accepted",
        )
    }

    #[test]
    fn an_outage_of_any_length_costs_bounded_memory_and_every_event_is_accounted_for() {
        let (mut pending, mut dropped, mut added) = (Pending::default(), 0, 0);
        for hour in 0..40 {
            for tenant in 0..1_000 {
                dropped += pending.add(key(hour, tenant), 3).events;
                added += 3;
            }
        }
        assert!(pending.rows <= ROWS);
        assert!(dropped > 0);
        assert_eq!(pending.events() + dropped, added);
        let oldest = pending.tallies.keys().next().unwrap();
        assert!(oldest.value() >= 7, "{oldest:?}");
    }

    #[test]
    fn an_hour_with_too_many_names_keeps_the_counts() {
        let mut pending = Pending::default();
        for tenant in 0..10_000 {
            assert_eq!(pending.add(key(7, tenant), 1), Dropped::default());
        }
        assert_eq!(pending.rows, ROWS_OF_AN_HOUR + 1);
        let of_hour = &pending.tallies[&Hour::new(7)];
        assert_eq!(of_hour[&key(7, 0).folded()], 10_000 - 4_096);
    }

    #[test]
    fn batches_are_bounded_and_take_everything_once() {
        let mut pending = Pending::default();
        for tenant in 0..1_000 {
            pending.add(key(7, tenant), 1);
        }
        let writer = WriterId::from_bytes([7; 16]);
        let (mut sequence, mut events) = (0, 0);
        while let Some(batch) = pending.next(writer, sequence) {
            assert!(batch.tallies.len() <= BATCH_ROWS);
            events += batch.tallies.values().sum::<u64>();
            sequence += 1;
        }
        assert_eq!((sequence, events, pending.events()), (2, 1_000, 0));
        assert_eq!((pending.rows, pending.tallies.len()), (0, 0));
    }

    #[test]
    fn samples_wait_for_three_days_and_the_latest_of_a_slot_counts() {
        let mut pending = Pending::default();
        let slot = SampleSlot::new("read.unreadable", 3).unwrap();
        let change = |day, ordinal| {
            let sample = Sample::new("read.unreadable", ordinal, UnixMillis::new(0));
            SampleChange::new(Day::new(day), slot, Some(sample))
        };
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
}
