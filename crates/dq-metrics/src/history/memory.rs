//! A history that ends with the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{
    Day, ERASED_AT_ONCE, ErasedTenant, Group, GroupBy, HistoryBatch, HistoryError, HistoryQuery,
    HistorySample, QualityHistory, ROWS_PER_DAY, ROWS_PER_HOUR, ReceiptKey, ReceiptSum, Retention,
    RowKey, SAMPLES_PER_DAY, SampleChange, SampleQuery, TallyKey, TallyQuery, TallySum,
    VersionCount, VersionKey, VersionSum, WriterId, folded_rows, rows_by_period,
};
use crate::{
    conservation::Conservation,
    labels::{OTHER, is_shared},
};

/// A history in memory, for tests and for services that need none after a restart.
#[derive(Debug, Default)]
pub struct MemoryHistory(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    last: HashMap<WriterId, u64>,
    tallies: BTreeMap<TallyKey, u64>,
    receipts: BTreeMap<ReceiptKey, Conservation>,
    versions: BTreeMap<VersionKey, VersionCount>,
    samples: BTreeMap<SampleKey, HistorySample>,
    /// In their order.
    erased: Vec<String>,
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
    fn is_erased(&self, tenant: &str) -> bool {
        self.erased.iter().any(|erased| erased == tenant)
    }

    /// How many rows and samples there are.
    fn count(&self) -> u64 {
        let rows = self.tallies.len() + self.receipts.len() + self.versions.len();
        (rows + self.samples.len()) as u64
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
        let batch = batch.without_tenants(|tenant| rows.is_erased(tenant));
        add(&mut rows.tallies, &batch.tallies, ROWS_PER_HOUR);
        add(&mut rows.receipts, &batch.receipts, ROWS_PER_DAY);
        add(&mut rows.versions, &batch.versions, ROWS_PER_DAY);
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

    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError> {
        let mut sums = BTreeMap::<Day, Conservation>::new();
        for (key, both) in &self.rows().receipts {
            if query.asks_for(key.day, &key.tenant) {
                *sums.entry(key.day).or_default() += *both;
            }
        }
        let sums = sums.into_iter();
        Ok(sums.map(|(day, both)| ReceiptSum::new(day, both)).collect())
    }

    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError> {
        let mut sums = BTreeMap::<_, VersionCount>::new();
        for (key, uses) in &self.rows().versions {
            if query.asks_for(key.day, &key.tenant) {
                let used = (key.event_type.clone(), key.version.clone(), key.lifecycle);
                *sums.entry(used).or_default() += *uses;
            }
        }
        let sums = sums.into_iter();
        let sums = sums.map(|((event_type, version, lifecycle), uses)| {
            VersionSum::new(event_type, version, lifecycle, uses)
        });
        Ok(sums.collect())
    }

    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError> {
        if is_shared(tenant) {
            return Ok(0);
        }
        let mut rows = self.rows();
        if !rows.is_erased(tenant) {
            rows.erased.push(tenant.to_owned());
        }
        let before = rows.count();
        rows.tallies.retain(|key, _| key.tenant != tenant);
        rows.receipts.retain(|key, _| key.tenant != tenant);
        rows.versions.retain(|key, _| key.tenant != tenant);
        let is_kept = |sample: &HistorySample| ![tenant, OTHER].contains(&&*sample.tenant);
        rows.samples.retain(|_, sample| is_kept(sample));
        Ok(before - rows.count())
    }

    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError> {
        let rows = self.rows();
        let numbered = (1..).zip(&rows.erased);
        let later = numbered.filter(|(number, _)| *number > after);
        let later = later.map(|(number, tenant)| ErasedTenant::new(number, tenant.clone()));
        let at_once = usize::try_from(ERASED_AT_ONCE).unwrap_or(usize::MAX);
        Ok(later.take(at_once).collect())
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        let mut rows = self.rows();
        let before = rows.count();
        let (rows_from, samples_from) = (keep.tallies_from, keep.samples_from);
        rows.tallies.retain(|key, _| key.hour.day() >= rows_from);
        rows.receipts.retain(|key, _| key.day >= rows_from);
        rows.versions.retain(|key, _| key.day >= rows_from);
        rows.samples.retain(|(day, ..), _| *day >= samples_from);
        Ok(before - rows.count())
    }
}

/// Adds rows, those of periods that would have too many under the key that all others share.
fn add<K: RowKey>(there: &mut BTreeMap<K, K::Value>, more: &BTreeMap<K, K::Value>, most: u64) {
    let (have, new) = (rows_by_period(there), rows_by_period(more));
    let is_full = |key: &K| {
        let of = |rows: &BTreeMap<_, u64>| rows.get(&key.period()).copied().unwrap_or_default();
        of(&have) + of(&new) > most
    };
    for (key, value) in folded_rows(more, is_full) {
        *there.entry(key).or_default() += value;
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
