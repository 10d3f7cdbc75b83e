//! The metrics that there can be: `docs/metrics.json`, which the service prints.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The values of a series' labels by their names.
pub(crate) type Series = BTreeMap<String, String>;

/// Every metric that a query may name, by its name in queries.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    metrics: BTreeMap<String, Metric>,
}

/// One metric.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metric {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) labels: Vec<MetricLabel>,
    pub(crate) buckets: Vec<f64>,
    pub(crate) at_start: Start,
}

/// What may be done with the values of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// A label of a metric, and its values where all are known.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MetricLabel {
    pub(crate) name: String,
    pub(crate) values: Option<Vec<String>>,
}

/// Which series are there before anything has happened.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Start {
    /// `all`, or `open`: some, whose labels have values that are not known beforehand.
    Named(String),
    /// These, where labels have values that are all known; or none.
    Series(BTreeSet<Series>),
}

/// What a name in a query is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) metric: &'a Metric,
    /// What its samples are: those of a histogram are counters.
    pub(crate) kind: Kind,
    /// Whether its samples have the label `le`.
    pub(crate) is_bucket: bool,
}

impl Catalogue {
    /// Reads `docs/metrics.json`.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let metrics: Vec<Metric> = serde_json::from_str(text)?;
        let of_service = metrics.into_iter().chain(of_scrapes());
        Ok(Self {
            metrics: of_service
                .map(|metric| (metric.name.clone(), metric))
                .collect(),
        })
    }

    /// The metric that a query means by this name.
    pub(crate) fn named(&self, name: &str) -> Option<Named<'_>> {
        if let Some(metric) = self.metrics.get(name) {
            // A histogram has no samples of its own name.
            let kind = metric.kind;
            return (kind != Kind::Histogram).then_some(Named {
                metric,
                kind,
                is_bucket: false,
            });
        }
        ["_bucket", "_count", "_sum"]
            .into_iter()
            .find_map(|suffix| {
                let metric = self.metrics.get(name.strip_suffix(suffix)?)?;
                (metric.kind == Kind::Histogram).then_some(Named {
                    metric,
                    kind: Kind::Counter,
                    is_bucket: suffix == "_bucket",
                })
            })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.metrics.contains_key(name)
    }
}

impl Metric {
    pub(crate) fn label(&self, name: &str) -> Option<&MetricLabel> {
        self.labels.iter().find(|label| label.name == name)
    }
}

/// What Prometheus makes itself of what it scrapes, and of itself.
fn of_scrapes() -> impl Iterator<Item = Metric> {
    let gauge = |name: &str, labels: &[(&str, &[&str])]| Metric {
        name: name.to_owned(),
        kind: Kind::Gauge,
        labels: labels
            .iter()
            .map(|(name, values)| MetricLabel {
                name: (*name).to_owned(),
                values: (!values.is_empty())
                    .then(|| values.iter().map(|value| (*value).to_owned()).collect()),
            })
            .collect(),
        buckets: Vec::new(),
        at_start: Start::Named("open".to_owned()),
    };
    [
        gauge("up", &[]),
        gauge("prometheus_tsdb_lowest_timestamp_seconds", &[]),
        gauge(
            "ALERTS",
            &[
                ("alertname", &[]),
                ("alertstate", &["pending", "firing"]),
                ("severity", &["page", "ticket", "none"]),
                ("slo", &[]),
                ("window", &[]),
            ],
        ),
    ]
    .into_iter()
}

/// A catalogue of few metrics, for tests of what reads it.
#[cfg(test)]
pub(crate) fn example() -> Catalogue {
    Catalogue::read(
        r#"[
        {"name":"asked_total","type":"counter","labels":[{"name":"outcome","values":["done","failed"]}],
         "buckets":[],"at_start":"all"},
        {"name":"refused_total","type":"counter","labels":[{"name":"reason","values":["a","b"]}],
         "buckets":[],"at_start":[{"reason":"a"}]},
        {"name":"by_tenant_total","type":"counter","labels":[{"name":"tenant","values":null}],
         "buckets":[],"at_start":[]},
        {"name":"level","type":"gauge","labels":[],"buckets":[],"at_start":"all"},
        {"name":"took_seconds","type":"histogram","labels":[{"name":"route","values":null}],
         "buckets":[0.1,0.12,1.0],"at_start":"open"}]"#,
    )
    .expect("an array of metrics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_named_by_its_samples() {
        let catalogue = example();
        assert!(catalogue.named("took_seconds").is_none());
        let bucket = catalogue.named("took_seconds_bucket").unwrap();
        assert!(bucket.is_bucket);
        let count = catalogue.named("took_seconds_count").unwrap();
        assert_eq!((count.kind, count.is_bucket), (Kind::Counter, false));
        assert!(catalogue.named("level_count").is_none());
    }
}
