//! A history in memory, for tests of what is above it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::*;

/// Can be told to fail, after it has done what it was asked or before.
#[derive(Debug, Default)]
pub(crate) struct MemorySloHistory {
    buckets: Mutex<BTreeMap<Key, (u64, u64)>>,
    fails: AtomicBool,
    fails_after_it_wrote: AtomicBool,
    written: AtomicUsize,
}

type Key = (&'static str, Slot, Arc<str>);

impl MemorySloHistory {
    /// From now on it does nothing, or does it again.
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    /// The next write is done, and fails nevertheless.
    pub(crate) fn fail_after_the_next_write(&self) {
        self.fails_after_it_wrote.store(true, Ordering::Relaxed);
    }

    /// How many buckets there are.
    pub(crate) fn len(&self) -> usize {
        self.buckets.lock().unwrap().len()
    }

    /// How many were put, those that took the place of others as well.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// What was put of an objective, by slot.
    pub(crate) fn of(&self, slo: &str) -> Vec<(Slot, u64, u64)> {
        let buckets = self.buckets.lock().unwrap();
        let of = buckets.iter().filter(|((found, ..), _)| *found == slo);
        of.map(|((_, slot, _), (good, bad))| (*slot, *good, *bad))
            .collect()
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::Relaxed) {
            Err(StoreError::Full)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl SloHistory for MemorySloHistory {
    async fn put(&self, buckets: &[SloBucket]) -> Result<(), StoreError> {
        self.check()?;
        let mut kept = self.buckets.lock().unwrap();
        for bucket in buckets {
            let key = (bucket.slo, bucket.slot, Arc::clone(&bucket.node));
            kept.insert(key, (bucket.good, bucket.bad));
        }
        self.written.fetch_add(buckets.len(), Ordering::Relaxed);
        if self.fails_after_it_wrote.swap(false, Ordering::Relaxed) {
            return Err(StoreError::Full);
        }
        Ok(())
    }

    async fn sums(&self, query: &SloQuery) -> Result<Vec<SloSum>, StoreError> {
        self.check()?;
        let kept = self.buckets.lock().unwrap();
        let mut sums = Vec::new();
        for &slo in &query.slos {
            for (span, slots) in query.spans.iter().enumerate() {
                let found = kept.iter().filter(|((of, slot, node), _)| {
                    let is_excepted = query
                        .except
                        .iter()
                        .any(|own| own.node == *node && *slot >= own.from);
                    *of == slo && slots.contains(slot) && !is_excepted
                });
                let found: Vec<_> = found.collect();
                sums.push(SloSum {
                    slo,
                    span,
                    good: found.iter().map(|(_, (good, _))| good).sum(),
                    bad: found.iter().map(|(_, (_, bad))| bad).sum(),
                    first: found.first().map(|((_, slot, _), _)| *slot),
                });
            }
        }
        Ok(sums)
    }

    async fn prune(&self, slos: &[&'static str], before: Slot) -> Result<u64, StoreError> {
        self.check()?;
        let mut kept = self.buckets.lock().unwrap();
        let old = kept
            .keys()
            .filter(|(slo, slot, _)| slos.contains(slo) && *slot < before);
        let old: Vec<Key> = old.take(PRUNED_AT_ONCE as usize).cloned().collect();
        for key in &old {
            kept.remove(key);
        }
        Ok(old.len() as u64)
    }
}
