//! Metrics of one name in several series, which are bounded in number and told apart by labels.

use std::num::NonZeroUsize;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Metric,
};

use super::{
    BoundedFamily, Buckets, ExemplarHistogram, Label, MetricError, Registry,
    exemplars::ExemplarsOf,
    family::FamilyCounters,
    observed::{ObservedFamily, ObservedValue},
};

impl Registry {
    /// A family of counters with at most `cap` series and one more for the overflow.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn counter_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
    ) -> Result<BoundedFamily<N, Counter>, MetricError> {
        self.family(name, help, labels, cap, Counter::default)
    }

    /// A family of gauges with at most `cap` series and one more for the overflow.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn gauge_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
    ) -> Result<BoundedFamily<N, Gauge>, MetricError> {
        self.family(name, help, labels, cap, Gauge::default)
    }

    /// A family of histograms with at most `cap` label combinations and one more for the overflow.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn histogram_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        buckets: Buckets,
        cap: NonZeroUsize,
    ) -> Result<BoundedFamily<N, Histogram>, MetricError> {
        self.family(name, help, labels, cap, move || buckets.histogram())
    }

    /// A family of histograms whose buckets name traces that are exported, with at most `cap` label
    /// combinations and one more for the overflow.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn exemplar_histogram_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        buckets: Buckets,
        cap: NonZeroUsize,
    ) -> Result<BoundedFamily<N, ExemplarHistogram>, MetricError> {
        let make = move || ExemplarHistogram::new(&buckets);
        let family = self.family(name, help, labels, cap, make)?;
        self.show_exemplars(name, ExemplarsOf(family.clone()));
        Ok(family)
    }

    /// A family of counters that another part of the program keeps; they are read on each scrape, under the
    /// values of their labels.
    ///
    /// `read` gives no label set twice. Those beyond `cap` are left out, and counted under
    /// `telemetry_label_overflow_total`.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn observed_counter_family<const N: usize, V, I>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
        read: impl Fn() -> I + Send + Sync + 'static,
    ) -> Result<(), MetricError>
    where
        V: AsRef<str> + 'static,
        I: IntoIterator<Item = ([V; N], f64)> + 'static,
    {
        self.observed_family(name, help, labels, cap, ObservedValue::Counter, read)
    }

    /// A family of gauges that another part of the program keeps, as
    /// [`observed_counter_family`](Self::observed_counter_family) is one of counters.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn observed_gauge_family<const N: usize, V, I>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
        read: impl Fn() -> I + Send + Sync + 'static,
    ) -> Result<(), MetricError>
    where
        V: AsRef<str> + 'static,
        I: IntoIterator<Item = ([V; N], f64)> + 'static,
    {
        self.observed_family(name, help, labels, cap, ObservedValue::Gauge, read)
    }

    fn observed_family<const N: usize, V, I>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
        value: ObservedValue,
        read: impl Fn() -> I + Send + Sync + 'static,
    ) -> Result<(), MetricError>
    where
        V: AsRef<str> + 'static,
        I: IntoIterator<Item = ([V; N], f64)> + 'static,
    {
        let labels = labels.map(Into::into);
        let overflowed = self.overflow.with([name]);
        let names = labels.each_ref().map(Label::name);
        let family = ObservedFamily::new(names, value, cap, overflowed, read);
        self.register_labelled(name, help, labels, family)
    }

    fn family<const N: usize, M: Metric + Clone>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label>; N],
        cap: NonZeroUsize,
        make: impl Fn() -> M + Send + Sync + 'static,
    ) -> Result<BoundedFamily<N, M>, MetricError>
    where
        BoundedFamily<N, M>: Metric,
    {
        let labels = labels.map(Into::into);
        let counters = FamilyCounters {
            overflowed: self.overflow.with([name]),
            retired: self.retired.with([name]),
        };
        let names = labels.each_ref().map(Label::name);
        let family = BoundedFamily::new(names, cap, Some(counters), make);
        self.register_labelled(name, help, labels, family.clone())?;
        Ok(family)
    }
}
