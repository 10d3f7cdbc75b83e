//! Metrics of one name with labels, in a bounded number of series.

mod retirement;

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder},
    metrics::{MetricType, TypedMetric, counter::Counter},
    registry::Metric,
};

use self::retirement::{Activity, Retirement, fingerprint};
use crate::clock::Clock;

/// What stands in every label of the series that takes the overflow.
const OTHER: &str = "__other__";

/// Metrics of one name told apart by `N` labels, never more than the cap and one.
///
/// A label set seen when the family is full shares the series whose labels all read `__other__`,
/// and `telemetry_label_overflow_total` counts it. The series that came first stay, unless they are
/// [retired](Self::retire_idle).
///
/// [`with`](Self::with) is a look-up; a caller that knows the labels beforehand resolves them
/// once and keeps the handle, which costs an atomic addition to use.
pub struct BoundedFamily<const N: usize, M> {
    shared: Arc<Shared<N, M>>,
}

struct Shared<const N: usize, M> {
    labels: [&'static str; N],
    cap: NonZeroUsize,
    make: Box<dyn Fn() -> M + Send + Sync>,
    fingerprint: fn(&RandomState, &M) -> u64,
    counters: Option<FamilyCounters>,
    hasher: RandomState,
    retirement: OnceLock<Retirement>,
    /// Whether the overflow's series has been used: it is shown from then on.
    has_overflowed: AtomicBool,
    series: RwLock<Series<N, M>>,
}

/// Where a family counts what becomes of label sets.
#[derive(Clone, Debug)]
pub(super) struct FamilyCounters {
    pub(super) overflowed: Counter,
    pub(super) retired: Counter,
}

struct Series<const N: usize, M> {
    /// By hash, so that a look-up needs no owned key.
    by_hash: HashMap<u64, Vec<OneSeries<N, M>>>,
    count: usize,
    /// Shared by label sets beyond the cap; written only once the family is full.
    other: M,
}

struct OneSeries<const N: usize, M> {
    values: [Box<str>; N],
    metric: M,
    activity: Activity,
}

impl<const N: usize, M: Metric + Clone> BoundedFamily<N, M> {
    /// A family that counts what becomes of label sets, unless it is one that counts this itself.
    pub(super) fn new(
        labels: [&'static str; N],
        cap: NonZeroUsize,
        counters: Option<FamilyCounters>,
        make: impl Fn() -> M + Send + Sync + 'static,
    ) -> Self {
        let series = Series {
            by_hash: HashMap::new(),
            count: 0,
            other: make(),
        };
        Self {
            shared: Arc::new(Shared {
                labels,
                cap,
                make: Box::new(make),
                fingerprint: fingerprint::<M>,
                counters,
                hasher: RandomState::new(),
                retirement: OnceLock::new(),
                has_overflowed: AtomicBool::new(false),
                series: RwLock::new(series),
            }),
        }
    }
}

impl<const N: usize, M: Clone> BoundedFamily<N, M> {
    /// The metric with these label values, in the order of the label names.
    ///
    /// Made when it is new; the overflow's when the family is full.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> M {
        let hash = self.shared.hasher.hash_one(values);
        if let Some(metric) = self.existing(&self.read(), hash, values) {
            return metric;
        }
        let mut series = self.write();
        self.sweep(&mut series);
        if let Some(metric) = self.existing(&series, hash, values) {
            return metric;
        }
        let metric = (self.shared.make)();
        series.by_hash.entry(hash).or_default().push(OneSeries {
            values: values.map(Box::from),
            metric: metric.clone(),
            activity: Activity::new_now(self.shared.retirement.get()),
        });
        series.count += 1;
        metric
    }

    /// Retires label sets that were neither looked up nor changed for `idle`: their series are shown no
    /// longer, and their places are free for others. A second call changes nothing.
    ///
    /// It happens while the metrics are scraped, and when the family is full: at the latest a quarter of `idle`
    /// late, or at the next scrape. `telemetry_label_sets_retired_total` counts it.
    ///
    /// A label set that returns begins at zero. For Prometheus the old series has ended, and the new one is a
    /// counter that was reset, as after a restart: `rate` and `increase` are right, while a sum of the counters
    /// themselves falls when a series leaves it. A handle that is held over the time counts into what nobody
    /// sees: where series are retired, look them up each time.
    pub fn retire_idle(&self, idle: Duration, clock: Arc<dyn Clock>) {
        let counters = self.shared.counters.as_ref();
        let retired = counters.map(|counters| counters.retired.clone());
        let retirement = Retirement::new(idle, clock, retired.unwrap_or_default());
        self.shared.retirement.get_or_init(|| retirement);
    }

    /// The series of these labels, or the overflow's when the family is full and stays it.
    fn existing(&self, series: &Series<N, M>, hash: u64, values: [&str; N]) -> Option<M> {
        if let Some(one) = series.find(hash, values) {
            one.activity.looked_up();
            return Some(one.metric.clone());
        }
        if series.count < self.shared.cap.get() || self.is_sweep_due() {
            return None;
        }
        self.shared.has_overflowed.store(true, Ordering::Relaxed);
        if let Some(counters) = &self.shared.counters {
            counters.overflowed.inc();
        }
        Some(series.other.clone())
    }
}

impl<const N: usize, M> BoundedFamily<N, M> {
    fn is_sweep_due(&self) -> bool {
        let retirement = self.shared.retirement.get();
        retirement.is_some_and(Retirement::is_due)
    }

    fn sweep(&self, series: &mut Series<N, M>) {
        if let Some(retirement) = self.shared.retirement.get()
            && retirement.is_due()
        {
            let shared = &*self.shared;
            retirement.sweep(series, |metric| {
                (shared.fingerprint)(&shared.hasher, metric)
            });
        }
    }

    /// Before what is left is shown.
    fn retire(&self) {
        if self.is_sweep_due() {
            self.sweep(&mut self.write());
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Series<N, M>> {
        self.shared
            .series
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn read(&self) -> RwLockReadGuard<'_, Series<N, M>> {
        self.shared
            .series
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<const N: usize, M> BoundedFamily<N, M> {
    /// Writes something of each series, under its labels.
    pub(super) fn encode_each(
        &self,
        encoder: &mut MetricEncoder<'_>,
        write: impl Fn(&M, MetricEncoder<'_>) -> Result<(), fmt::Error>,
    ) -> Result<(), fmt::Error> {
        let series = self.read();
        let labels = |values| LabelPairs {
            names: self.shared.labels,
            values,
        };
        for one in series.by_hash.values().flatten() {
            let labels = labels(one.values.each_ref().map(AsRef::as_ref));
            write(&one.metric, encoder.encode_family(&labels)?)?;
        }
        let has_overflowed = self.shared.has_overflowed.load(Ordering::Relaxed);
        if has_overflowed || series.count >= self.shared.cap.get() {
            write(&series.other, encoder.encode_family(&labels([OTHER; N]))?)?;
        }
        Ok(())
    }
}

impl<const N: usize, M> Series<N, M> {
    fn find(&self, hash: u64, values: [&str; N]) -> Option<&OneSeries<N, M>> {
        let mut same_hash = self.by_hash.get(&hash)?.iter();
        same_hash.find(|one| one.values.iter().map(AsRef::as_ref).eq(values))
    }
}

impl<const N: usize, M> EncodeMetric for BoundedFamily<N, M>
where
    M: EncodeMetric + TypedMetric + Clone,
{
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        self.retire();
        self.encode_each(&mut encoder, |metric, encoder| metric.encode(encoder))
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    fn is_empty(&self) -> bool {
        self.retire();
        let has_overflowed = self.shared.has_overflowed.load(Ordering::Relaxed);
        !has_overflowed && self.read().count == 0
    }
}

struct LabelPairs<'a, const N: usize> {
    names: [&'static str; N],
    values: [&'a str; N],
}

impl<const N: usize> EncodeLabelSet for LabelPairs<'_, N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        for pair in self.names.into_iter().zip(self.values) {
            pair.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

impl<const N: usize, M> Clone for BoundedFamily<N, M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<const N: usize, M> fmt::Debug for BoundedFamily<N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedFamily")
            .field("labels", &self.shared.labels)
            .field("cap", &self.shared.cap)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
