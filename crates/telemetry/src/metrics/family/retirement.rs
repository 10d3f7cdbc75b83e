//! Label sets that nothing happens to leave their family.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{encoding::text::encode, metrics::counter::Counter, registry};

use super::{OneSeries, Series};
use crate::clock::Clock;

/// When label sets are retired, and what is counted of it.
pub(super) struct Retirement {
    idle: Duration,
    clock: Arc<dyn Clock>,
    retired: Counter,
    /// Milliseconds of the clock before which there is nothing to look for.
    next_sweep: AtomicU64,
}

/// What a series has done since it was looked at last.
#[derive(Debug, Default)]
pub(super) struct Activity {
    is_looked_up: AtomicBool,
    fingerprint: u64,
    since: Duration,
}

/// How often in the time that a label set may be idle those are looked for that are.
const SWEEPS_PER_IDLE: u32 = 8;

impl Retirement {
    pub(super) fn new(idle: Duration, clock: Arc<dyn Clock>, retired: Counter) -> Self {
        Self {
            idle,
            clock,
            retired,
            next_sweep: AtomicU64::new(0),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        millis(self.clock.monotonic()) >= self.next_sweep.load(Ordering::Relaxed)
    }

    /// Removes the series that were neither looked up nor changed for as long as they may.
    pub(super) fn sweep<const N: usize, M>(
        &self,
        series: &mut Series<N, M>,
        fingerprint: impl Fn(&M) -> u64,
    ) {
        let now = self.clock.monotonic();
        let next = now + self.idle / SWEEPS_PER_IDLE;
        self.next_sweep.store(millis(next), Ordering::Relaxed);
        let before = series.count;
        series.by_hash.retain(|_, same_hash| {
            same_hash.retain_mut(|one| one.is_active(now, self.idle, &fingerprint));
            !same_hash.is_empty()
        });
        series.count = series.by_hash.values().map(Vec::len).sum();
        let retired = before - series.count;
        self.retired.inc_by(retired as u64);
    }
}

impl<const N: usize, M> OneSeries<N, M> {
    fn is_active(
        &mut self,
        now: Duration,
        idle: Duration,
        fingerprint: &impl Fn(&M) -> u64,
    ) -> bool {
        let activity = &mut self.activity;
        // The first look finds a number that it does not know, and takes it for a change. When a change was,
        // is known as well as looks are frequent.
        let now_reads = fingerprint(&self.metric);
        let has_changed = std::mem::replace(&mut activity.fingerprint, now_reads) != now_reads;
        if std::mem::take(activity.is_looked_up.get_mut()) || has_changed {
            activity.since = now;
        }
        now.saturating_sub(activity.since) < idle
    }
}

impl Activity {
    /// That of a series which is new.
    pub(super) fn new_now(retirement: Option<&Retirement>) -> Self {
        let now = retirement.map(|retirement| retirement.clock.monotonic());
        Self {
            since: now.unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) fn looked_up(&self) {
        // Read first: the line of memory stays with all who read it.
        if !self.is_looked_up.load(Ordering::Relaxed) {
            self.is_looked_up.store(true, Ordering::Relaxed);
        }
    }
}

/// What a metric says, as a number that differs when it says something else. A handle that is held changes
/// it without a look-up.
pub(super) fn fingerprint<M: registry::Metric + Clone>(hasher: &RandomState, metric: &M) -> u64 {
    let mut alone = registry::Registry::default();
    alone.register("m", "", metric.clone());
    let mut text = String::new();
    // One that fails to write itself fails the scrape as well, and is told there.
    let _ = encode(&mut text, &alone);
    hasher.hash_one(text)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
