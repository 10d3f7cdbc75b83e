//! The averages of all tenants, kept up to date by each record and each reading.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Weighed,
    trend::{Averages, TrendMeter},
};
use crate::{clock::whole_millis, labels::Label, ledger::TENANT_ROWS};

/// How long a tenant's averages may lag behind its counters while events come.
const LAG: Duration = Duration::from_secs(10);

/// One meter for each row of the ledger.
#[derive(Debug)]
pub(crate) struct Trends([Row; TENANT_ROWS]);

#[derive(Debug)]
struct Row {
    meter: Mutex<TrendMeter>,
    /// In milliseconds of the monotonic clock.
    read_at: AtomicU64,
}

impl Trends {
    pub(crate) fn new(now: Duration) -> Self {
        Self(std::array::from_fn(|_| Row {
            meter: Mutex::new(TrendMeter::new(now)),
            read_at: AtomicU64::new(whole_millis(now)),
        }))
    }

    /// Takes in a tenant's totals if that was not done for a while; cheap otherwise.
    pub(crate) fn keep_up(&self, tenant: Label, now: Duration, totals: impl FnOnce() -> Weighed) {
        let row = &self.0[tenant.index()];
        let read_at = row.read_at.load(Ordering::Relaxed);
        if whole_millis(now).saturating_sub(read_at) < whole_millis(LAG) {
            return;
        }
        match row.meter.try_lock() {
            Ok(meter) => row.take_in(meter, now, totals),
            Err(TryLockError::Poisoned(meter)) => row.take_in(meter.into_inner(), now, totals),
            // Another thread is doing it.
            Err(TryLockError::WouldBlock) => return,
        };
    }

    /// A tenant's averages, its totals taken in.
    pub(crate) fn read(
        &self,
        tenant: Label,
        now: Duration,
        totals: impl FnOnce() -> Weighed,
    ) -> Averages {
        let row = &self.0[tenant.index()];
        row.take_in(
            row.meter.lock().unwrap_or_else(PoisonError::into_inner),
            now,
            totals,
        )
    }
}

impl Row {
    /// The totals are asked for under the lock, so that they never seem to fall.
    fn take_in(
        &self,
        mut meter: MutexGuard<'_, TrendMeter>,
        now: Duration,
        totals: impl FnOnce() -> Weighed,
    ) -> Averages {
        meter.read(totals(), now);
        self.read_at.store(whole_millis(now), Ordering::Relaxed);
        meter.averages()
    }
}
