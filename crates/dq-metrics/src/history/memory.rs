//! A history that ends with the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{
    Day, Group, GroupBy, HistoryBatch, HistoryError, HistorySample, QualityHistory, ROWS_PER_HOUR,
    Retention, SAMPLES_PER_DAY, SampleChange, SampleQuery, TallyKey, TallyQuery, TallySum,
    WriterId,
};

/// A history in memory, for tests and for services that need none after a restart.
#[derive(Debug, Default)]
pub struct MemoryHistory(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    last: HashMap<WriterId, u64>,
    tallies: BTreeMap<TallyKey, u64>,
    samples: BTreeMap<SampleKey, HistorySample>,
}

/// Day, reason, writer and slot.
type SampleKey = (Day, &'static str, WriterId, usize);

impl MemoryHistory {
    /// An empty history.
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn of_hour(&self, hour: super::Hour) -> u64 {
        self.tallies.keys().filter(|key| key.hour == hour).count() as u64
    }

    fn put(&mut self, writer: WriterId, change: &SampleChange) {
        let SampleChange { day, slot, sample } = change;
        let key = (*day, slot.reason(), writer, slot.index());
        self.samples.remove(&key);
        let of_reason = self.samples.keys();
        let of_reason = of_reason.filter(|(of, reason, ..)| of == day && *reason == slot.reason());
        let has_room = (of_reason.count() as u64) < SAMPLES_PER_DAY;
        if let Some(sample) = sample
            && has_room
        {
            let sample = HistorySample::new(*day, sample.clone());
            self.samples.insert(key, sample);
        }
    }
}

#[async_trait]
impl QualityHistory for MemoryHistory {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        let mut rows = self.rows();
        let last = rows.last.get(&batch.writer);
        if last.is_some_and(|last| *last >= batch.sequence) {
            return Ok(());
        }
        rows.last.insert(batch.writer, batch.sequence);
        let hours = batch.hours().into_iter();
        let full: Vec<_> = hours
            .filter(|(hour, new)| rows.of_hour(*hour) + new > ROWS_PER_HOUR)
            .map(|(hour, _)| hour)
            .collect();
        for (key, events) in batch.folded(|hour| full.contains(&hour)) {
            *rows.tallies.entry(key).or_default() += events;
        }
        for change in &batch.samples {
            rows.put(batch.writer, change);
        }
        Ok(())
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        let mut sums = BTreeMap::new();
        for (key, events) in &self.rows().tallies {
            let is_asked = query
                .tenant
                .as_ref()
                .is_none_or(|tenant| *tenant == key.tenant);
            if is_asked && query.days.has(key.hour.day()) {
                let group = match query.by {
                    GroupBy::Day => Group::Day(key.hour.day()),
                    GroupBy::Tenant => Group::Tenant(key.tenant.clone()),
                    GroupBy::EventType => Group::EventType(key.event_type.clone()),
                };
                let of_outcome = (group, key.outcome.clone(), key.reason.clone());
                *sums.entry(of_outcome).or_default() += events;
            }
        }
        let sums = sums.into_iter();
        let sums = sums.map(|((group, outcome, reason), events)| {
            TallySum::new(group, outcome, reason, events)
        });
        Ok(sums.collect())
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        let limit = usize::try_from(query.limit.get()).unwrap_or(usize::MAX);
        let rows = self.rows();
        let mut samples: Vec<_> = rows
            .samples
            .iter()
            .filter(|((day, ..), _)| query.days.has(*day))
            .filter(|(_, sample)| {
                query
                    .tenant
                    .as_ref()
                    .is_none_or(|tenant| *tenant == sample.tenant)
            })
            .collect();
        samples.sort_by_key(|((day, reason, writer, slot), _)| {
            (std::cmp::Reverse(*day), *reason, *writer, *slot)
        });
        let samples = samples.into_iter().take(limit);
        Ok(samples.map(|(_, sample)| sample.clone()).collect())
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        let mut rows = self.rows();
        let before = rows.tallies.len() + rows.samples.len();
        rows.tallies
            .retain(|key, _| key.hour.day() >= keep.tallies_from);
        rows.samples
            .retain(|(day, ..), _| *day >= keep.samples_from);
        let after = rows.tallies.len() + rows.samples.len();
        Ok((before - after) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_keeps_the_contract() {
        conformance::quality_history(async || Arc::new(MemoryHistory::new()) as _).await;
    }
}
