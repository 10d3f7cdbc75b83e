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

    /// A family of counters whose label values are all known: every series is there at 0 from now on.
    ///
    /// A counter that is born at 1 has no increase, so that an alert on what happens for the first time does
    /// not see it. What else is looked up shares the series of the overflow.
    ///
    /// # Errors
    /// When a name is not valid, or the family's is taken.
    pub fn closed_counter_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [(&'static str, &[&'static str]); N],
    ) -> Result<BoundedFamily<N, Counter>, MetricError> {
        let all = labels.map(|(_, values)| values.len()).iter().product();
        // One more than there are: a family that is full shows the series of its overflow.
        let cap = NonZeroUsize::MIN.saturating_add(all);
        let closed = labels.map(|(name, values)| Label::closed(name, values.iter().copied()));
        let family = self.counter_family(name, help, closed, cap)?;
        for series in 0..all {
            let mut rest = series;
            let values = labels.map(|(_, values)| {
                let value = values[rest % values.len()];
                rest /= values.len();
                value
            });
            let _ = family.with(values);
        }
        Ok(family)
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
        let of_series = buckets.clone();
        let family = self.family(name, help, labels, cap, move || of_series.histogram())?;
        self.describe_buckets(name, &buckets);
        Ok(family)
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
        let of_series = buckets.clone();
        let make = move || ExemplarHistogram::new(&of_series);
        let family = self.family(name, help, labels, cap, make)?;
        self.describe_buckets(name, &buckets);
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
