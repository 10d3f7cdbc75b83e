//! Metrics of one name with labels, in a bounded number of series.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    num::NonZeroUsize,
    sync::{Arc, RwLock, RwLockReadGuard},
};

use prometheus_client::{
    encoding::{EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder},
    metrics::{MetricType, TypedMetric, counter::Counter},
};

/// What stands in every label of the series that takes the overflow.
const OTHER: &str = "__other__";

/// Metrics of one name told apart by `N` labels, never more than the cap and one.
///
/// A label set seen when the family is full shares the series whose labels all read `__other__`,
/// and `telemetry_label_overflow_total` counts it. The series that came first stay.
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
    overflowed: Option<Counter>,
    hasher: RandomState,
    series: RwLock<Series<N, M>>,
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
}

impl<const N: usize, M: Clone> BoundedFamily<N, M> {
    pub(super) fn watched(
        labels: [&'static str; N],
        cap: NonZeroUsize,
        overflowed: Counter,
        make: impl Fn() -> M + Send + Sync + 'static,
    ) -> Self {
        Self::build(labels, cap, Some(overflowed), make)
    }

    pub(super) fn unwatched(
        labels: [&'static str; N],
        cap: NonZeroUsize,
        make: impl Fn() -> M + Send + Sync + 'static,
    ) -> Self {
        Self::build(labels, cap, None, make)
    }

    fn build(
        labels: [&'static str; N],
        cap: NonZeroUsize,
        overflowed: Option<Counter>,
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
                overflowed,
                hasher: RandomState::new(),
                series: RwLock::new(series),
            }),
        }
    }

    /// The metric with these label values, in the order of the label names.
    ///
    /// Made when it is new; the overflow's when the family is full.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> M {
        let hash = self.shared.hasher.hash_one(values);
        if let Some(metric) = self.existing(&self.read(), hash, values) {
            return metric;
        }
        let mut series = self
            .shared
            .series
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(metric) = self.existing(&series, hash, values) {
            return metric;
        }
        let metric = (self.shared.make)();
        series.by_hash.entry(hash).or_default().push(OneSeries {
            values: values.map(Box::from),
            metric: metric.clone(),
        });
        series.count += 1;
        metric
    }

    /// The series of these labels, or the overflow's when the family is full.
    fn existing(&self, series: &Series<N, M>, hash: u64, values: [&str; N]) -> Option<M> {
        if let Some(metric) = series.find(hash, values) {
            return Some(metric.clone());
        }
        if series.count < self.shared.cap.get() {
            return None;
        }
        if let Some(overflowed) = &self.shared.overflowed {
            overflowed.inc();
        }
        Some(series.other.clone())
    }
}

impl<const N: usize, M> BoundedFamily<N, M> {
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
        if series.count >= self.shared.cap.get() {
            write(&series.other, encoder.encode_family(&labels([OTHER; N]))?)?;
        }
        Ok(())
    }
}

impl<const N: usize, M> Series<N, M> {
    fn find(&self, hash: u64, values: [&str; N]) -> Option<&M> {
        let mut same_hash = self.by_hash.get(&hash)?.iter();
        let found = same_hash.find(|one| one.values.iter().map(AsRef::as_ref).eq(values))?;
        Some(&found.metric)
    }
}

impl<const N: usize, M> EncodeMetric for BoundedFamily<N, M>
where
    M: EncodeMetric + TypedMetric + Clone,
{
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        self.encode_each(&mut encoder, |metric, encoder| metric.encode(encoder))
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    fn is_empty(&self) -> bool {
        self.read().count == 0
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
