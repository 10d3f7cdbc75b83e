//! Rows of one kind that wait to be written, within a bound.

use std::collections::BTreeMap;

use crate::history::RowKey;

/// Rows of a period that wait apart; more are added to `__other__`.
const ROWS_OF_A_PERIOD: usize = 4_096;

/// Rows that wait at most: the oldest periods are given up for them.
const ROWS: usize = 32_768;

/// Rows by their period.
#[derive(Debug)]
pub(super) struct Queue<K: RowKey> {
    /// None of them is empty.
    periods: BTreeMap<K::Period, BTreeMap<K, K::Value>>,
    /// How many rows that are.
    rows: usize,
}

impl<K: RowKey> Queue<K> {
    /// Adds to a row that may wait already; gives the values that had to be given up for it.
    pub(super) fn add(&mut self, key: K, value: K::Value) -> Vec<K::Value> {
        let of_period = self.periods.entry(key.period()).or_default();
        let has_room = of_period.len() < ROWS_OF_A_PERIOD || of_period.contains_key(&key);
        let key = if has_room { key } else { key.folded() };
        let before = of_period.len();
        *of_period.entry(key).or_default() += value;
        self.rows += of_period.len() - before;
        let mut dropped = Vec::new();
        while self.rows > ROWS
            && let Some((_, oldest)) = self.periods.pop_first()
        {
            self.rows -= oldest.len();
            dropped.extend(oldest.into_values());
        }
        dropped
    }

    /// Takes the oldest rows, so many at most.
    pub(super) fn take(&mut self, most: usize) -> BTreeMap<K, K::Value> {
        let mut taken = BTreeMap::new();
        while taken.len() < most
            && let Some(mut oldest) = self.periods.first_entry()
        {
            if let Some((key, value)) = oldest.get_mut().pop_first() {
                taken.insert(key, value);
                self.rows -= 1;
            }
            if oldest.get().is_empty() {
                oldest.remove();
            }
        }
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &K::Value> {
        self.periods.values().flat_map(BTreeMap::values)
    }
}

impl<K: RowKey> Default for Queue<K> {
    fn default() -> Self {
        Self {
            periods: BTreeMap::new(),
            rows: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Hour, TallyKey};

    fn key(hour: u32, tenant: usize) -> TallyKey {
        TallyKey::new(
            Hour::new(hour),
            &format!("t{tenant}"),
            "lead.created",
            "accepted",
        )
    }

    fn events(queue: &Queue<TallyKey>) -> u64 {
        queue.values().sum()
    }

    #[test]
    fn an_outage_of_any_length_costs_bounded_memory_and_every_event_is_accounted_for() {
        let (mut queue, mut dropped, mut added) = (Queue::default(), 0, 0);
        for hour in 0..40 {
            for tenant in 0..1_000 {
                dropped += queue.add(key(hour, tenant), 3).iter().sum::<u64>();
                added += 3;
            }
        }
        assert!(queue.rows <= ROWS);
        assert!(dropped > 0);
        assert_eq!(events(&queue) + dropped, added);
        let oldest = queue.periods.keys().next().unwrap();
        assert!(oldest.value() >= 7, "{oldest:?}");
    }

    #[test]
    fn a_period_with_too_many_names_keeps_the_counts() {
        let mut queue = Queue::default();
        for tenant in 0..10_000 {
            assert!(queue.add(key(7, tenant), 1).is_empty());
        }
        assert_eq!(queue.rows, ROWS_OF_A_PERIOD + 1);
        let of_hour = &queue.periods[&Hour::new(7)];
        assert_eq!(of_hour[&key(7, 0).folded()], 10_000 - 4_096);
    }

    #[test]
    fn everything_is_taken_once_the_oldest_first() {
        let mut queue = Queue::default();
        for tenant in 0..1_000 {
            queue.add(key(7, tenant), 1);
        }
        queue.add(key(6, 0), 1);
        let first = queue.take(512);
        assert_eq!((first.len(), first.contains_key(&key(6, 0))), (512, true));
        assert_eq!(events(&queue), 1_001 - 512);
        assert_eq!(queue.take(512).len(), 1_001 - 512);
        assert_eq!((queue.is_empty(), queue.rows), (true, 0));
    }
}
