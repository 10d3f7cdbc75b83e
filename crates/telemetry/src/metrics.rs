//! A registry that refuses what scrapers would reject.

mod buckets;
mod closed;
mod description;
mod exemplars;
mod exposition;
mod families;
mod family;
mod label;
mod names;
mod observed;
mod process;
#[cfg(feature = "tokio")]
mod runtimes;

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard},
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Metric,
};
use thiserror::Error;

use self::{
    exemplars::ExemplarsOf,
    observed::{ObservedCounter, ObservedGauge},
};

pub(crate) use self::closed::ClosedCounters;
#[cfg(feature = "tokio")]
pub use self::runtimes::Runtimes;
pub use self::{
    buckets::Buckets,
    description::{MetricDescription, MetricUnit},
    exemplars::ExemplarHistogram,
    exposition::Exposition,
    family::BoundedFamily,
    label::Label,
};

/// Why a metric was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The name is not `[a-zA-Z_][a-zA-Z0-9_]*`, starts with `__`, or ends in a suffix that its
    /// type does not carry.
    #[error("metric name {name:?} {problem}")]
    Name {
        /// The refused name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A label name is not `[a-zA-Z_][a-zA-Z0-9_]*`, is reserved, or stands twice.
    #[error("label name {0:?} of a metric must be unique, plain and not reserved")]
    Label(String),
    /// Another metric writes a sample under the same name.
    #[error("metric {0:?} is registered already, or writes samples of the same name as another")]
    Duplicate(String),
    /// A metric could not write itself.
    #[error("a registered metric failed to write itself")]
    Encode(#[from] std::fmt::Error),
}

/// The metrics of a process, checked when they are registered and written on each scrape.
///
/// Clones share the same metrics.
#[derive(Clone, Debug)]
pub struct Registry {
    inner: Arc<Mutex<Inner>>,
    overflow: BoundedFamily<1, Counter>,
    retired: BoundedFamily<1, Counter>,
}

#[derive(Debug, Default)]
struct Inner {
    metrics: prometheus_client::registry::Registry,
    /// What has exemplars, once more: written only where they are shown.
    exemplars: prometheus_client::registry::Registry,
    /// Every sample name in use, so that no two metrics write the same one.
    samples: HashSet<String>,
    descriptions: Vec<MetricDescription>,
}

/// More families than this share one series of the counters of what becomes of label sets.
const FAMILY_SERIES: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        let of_families = || BoundedFamily::new(["metric"], FAMILY_SERIES, None, Counter::default);
        let (overflow, retired) = (of_families(), of_families());
        let mut inner = Inner::default();
        inner.insert(
            "telemetry_label_overflow",
            "Look-ups that landed in the `__other__` series because the family was full, and series that \
             were left out of a scrape for the same reason",
            vec![Label::from("metric")],
            overflow.clone(),
        );
        inner.insert(
            "telemetry_label_sets_retired",
            "Label sets whose series ended because nothing had happened to them for long",
            vec![Label::from("metric")],
            retired.clone(),
        );
        Self {
            inner: Arc::new(Mutex::new(inner)),
            overflow,
            retired,
        }
    }

    /// A counter. `name` may carry the suffix `_total` or not: it is written once.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn counter(&self, name: &str, help: &str) -> Result<Counter, MetricError> {
        let counter = Counter::default();
        self.register(name, help, counter.clone())?;
        Ok(counter)
    }

    /// A gauge of whole numbers.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge, MetricError> {
        let gauge = Gauge::default();
        self.register(name, help, gauge.clone())?;
        Ok(gauge)
    }

    /// A histogram; its unit belongs into the name (`…_seconds`, `…_bytes`).
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn histogram(
        &self,
        name: &str,
        help: &str,
        buckets: Buckets,
    ) -> Result<Histogram, MetricError> {
        let histogram = buckets.histogram();
        self.register(name, help, histogram.clone())?;
        self.describe_buckets(name, &buckets);
        Ok(histogram)
    }

    /// A histogram whose buckets name a trace that is exported.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn exemplar_histogram(
        &self,
        name: &str,
        help: &str,
        buckets: Buckets,
    ) -> Result<ExemplarHistogram, MetricError> {
        let histogram = ExemplarHistogram::new(&buckets);
        self.register(name, help, histogram.clone())?;
        self.show_exemplars(name, ExemplarsOf(histogram.clone()));
        self.describe_buckets(name, &buckets);
        Ok(histogram)
    }

    /// A counter whose value another part of the program keeps; it is read on each scrape.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn observed_counter(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), MetricError> {
        self.register(name, help, ObservedCounter::new(read))
    }

    /// A gauge whose value another part of the program keeps; it is read on each scrape.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn observed_gauge(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), MetricError> {
        self.register(name, help, ObservedGauge::new(read))
    }

    /// Any other metric of [`prometheus_client`] without labels.
    ///
    /// # Errors
    /// When the name is not valid or taken.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) -> Result<(), MetricError> {
        self.register_labelled(name, help, [] as [Label; 0], metric)
    }

    /// Any other metric of [`prometheus_client`] with labels, in the order in which it writes them.
    ///
    /// Nothing holds it to them: a metric should write the names that it is registered with. A family that is
    /// the registry's own does, such as [`counter_family`](Self::counter_family).
    ///
    /// # Errors
    /// When a name is not valid, or the metric's is taken.
    pub fn register_labelled(
        &self,
        name: &str,
        help: &str,
        labels: impl IntoIterator<Item = impl Into<Label>>,
        metric: impl Metric,
    ) -> Result<(), MetricError> {
        let kind = metric.metric_type();
        let family = names::family(name, kind)?;
        let labels: Vec<Label> = labels.into_iter().map(Into::into).collect();
        names::check_labels(&labels, kind)?;
        if self.lock().insert(family, help, labels, metric) {
            Ok(())
        } else {
            Err(MetricError::Duplicate(family.to_owned()))
        }
    }

    /// Every metric that is registered, in the order in which they were.
    #[must_use]
    pub fn descriptions(&self) -> Vec<MetricDescription> {
        self.lock().descriptions.clone()
    }

    /// Resident memory, CPU time, open files, threads, start: read from `/proc` on each scrape.
    ///
    /// Where there is no `/proc`, nothing is registered.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub fn register_process(&self) -> Result<(), MetricError> {
        process::register(self)
    }

    /// The body of `/metrics` in the format that suits the request's `Accept` header best:
    /// OpenMetrics 1.0 when it is asked for, Prometheus text 0.0.4 otherwise.
    ///
    /// # Errors
    /// When a metric registered from outside fails to write itself.
    pub fn render(&self, accept: Option<&str>) -> Result<Exposition, MetricError> {
        let registered = self.lock();
        let mut body = String::new();
        encode(&mut body, &registered.metrics)?;
        if !Exposition::is_open_metrics(accept) {
            return Ok(Exposition::text(&body));
        }
        let mut exemplars = String::new();
        encode(&mut exemplars, &registered.exemplars)?;
        Ok(Exposition::open_metrics(body, &exemplars))
    }

    /// Its name has been registered.
    fn show_exemplars(&self, name: &str, metric: impl Metric) {
        self.lock().exemplars.register(name, "", metric);
    }

    /// Its name has been registered.
    fn describe_buckets(&self, name: &str, buckets: &Buckets) {
        let mut registered = self.lock();
        let mut descriptions = registered.descriptions.iter_mut();
        if let Some(described) = descriptions.rfind(|description| description.name == name) {
            described.buckets = buckets.bounds().collect();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    /// Whether the names were free.
    fn insert(
        &mut self,
        family: &str,
        help: &str,
        labels: Vec<Label>,
        metric: impl Metric,
    ) -> bool {
        let kind = metric.metric_type();
        let samples = names::samples(family, kind);
        let free = samples.iter().all(|sample| !self.samples.contains(sample));
        if free {
            self.samples.extend(samples);
            self.descriptions
                .push(MetricDescription::new(family, kind, help, labels));
            self.metrics
                .register(family, names::escape_help(help), metric);
        }
        free
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
