//! What a registry tells of its metrics is what a scrape shows.

use std::{collections::BTreeMap, num::NonZeroUsize};

use prometheus_client::metrics::{family::Family, info::Info};

use super::*;
use crate::metrics::{Buckets, Registry};

const CAP: NonZeroUsize = NonZeroUsize::new(8).unwrap();

fn described(registry: &Registry, name: &str) -> MetricDescription {
    let descriptions = registry.descriptions();
    let mut named = descriptions.into_iter().filter(|it| it.name == name);
    let found = named.next().unwrap_or_else(|| panic!("{name}"));
    assert!(named.next().is_none(), "{name} twice");
    found
}

#[test]
fn every_kind_is_described_under_the_name_that_queries_use() {
    let registry = Registry::new();
    registry.counter("hits_total", "Hits.").unwrap();
    registry.counter("misses", "Misses").unwrap();
    registry.gauge("level", "Level").unwrap();
    let buckets = Buckets::STAGE_SECONDS;
    registry
        .histogram("took_seconds", "Time", buckets.clone())
        .unwrap();
    registry
        .exemplar_histogram("waited_seconds", "Time", buckets)
        .unwrap();
    registry.observed_counter("seen", "Seen", || 1.0).unwrap();
    registry.observed_gauge("depth", "Depth", || 1.0).unwrap();
    let info = Info::new([("version", "1")]);
    registry
        .register_labelled("build", "Build", ["version"], info)
        .unwrap();
    for (name, kind, help) in [
        ("hits_total", "counter", "Hits"),
        ("misses_total", "counter", "Misses"),
        ("level", "gauge", "Level"),
        ("took_seconds", "histogram", "Time"),
        ("waited_seconds", "histogram", "Time"),
        ("seen_total", "counter", "Seen"),
        ("depth", "gauge", "Depth"),
        ("build_info", "info", "Build"),
    ] {
        let description = described(&registry, name);
        let found = (description.kind.as_str(), description.help.as_str());
        assert_eq!(found, (kind, help), "{name}");
    }
}

#[test]
fn the_unit_is_what_the_name_ends_in() {
    let registry = Registry::new();
    for (name, unit) in [
        ("took_seconds", Some(MetricUnit::Seconds)),
        ("cpu_seconds_total", Some(MetricUnit::Seconds)),
        ("body_bytes", Some(MetricUnit::Bytes)),
        ("deprecated_ratio", Some(MetricUnit::Ratio)),
        ("seconds", None),
        ("seconds_left", None),
        ("milliseconds", None),
    ] {
        registry.counter(name, "").unwrap();
        let queried = format!("{}_total", name.trim_end_matches("_total"));
        assert_eq!(described(&registry, &queried).unit, unit, "{name}");
    }
}

#[test]
fn what_was_refused_is_not_described() {
    let registry = Registry::new();
    registry.gauge("level", "The first").unwrap();
    let before = registry.descriptions().len();
    registry.gauge("level", "The second").unwrap_err();
    registry.gauge("no name", "").unwrap_err();
    registry
        .counter_family("f", "", ["a", "a"], CAP)
        .unwrap_err();
    assert_eq!(registry.descriptions().len(), before);
    assert_eq!(described(&registry, "level").help, "The first");
}

#[test]
fn a_closed_label_tells_its_values_and_another_that_it_has_no_list() {
    let registry = Registry::new();
    let outcome = Label::closed("outcome", ["done", "failed"]);
    let labels = [Label::from("task"), outcome];
    registry.counter_family("jobs", "", labels, CAP).unwrap();
    let labels = described(&registry, "jobs_total").labels;
    let told: Vec<_> = labels
        .iter()
        .map(|label| (label.name(), label.values()))
        .collect();
    let values = ["done".to_owned(), "failed".to_owned()];
    assert_eq!(told, [("task", None), ("outcome", Some(&values[..]))]);
}

/// The label names of each sample but a histogram's own, by the name of the metric.
fn shown(registry: &Registry) -> BTreeMap<String, Vec<String>> {
    let text = registry.render(None).unwrap().body;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (sample, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let names = labels
                .trim_end_matches('}')
                .split(',')
                .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()));
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix));
            let name = name.unwrap_or_else(|| sample.split('{').next().unwrap());
            (name.to_owned(), names.filter(|name| name != "le").collect())
        })
        .collect()
}

#[test]
fn labels_are_those_that_samples_have_in_that_order() {
    let registry = Registry::new();
    let labels = ["b", "a"];
    registry
        .counter_family("counted", "", labels, CAP)
        .unwrap()
        .with(["1", "2"])
        .inc();
    registry
        .gauge_family("level", "", labels, CAP)
        .unwrap()
        .with(["1", "2"])
        .set(1);
    let buckets = Buckets::BYTES;
    registry
        .histogram_family("sizes", "", labels, buckets.clone(), CAP)
        .unwrap()
        .with(["1", "2"])
        .observe(1.0);
    registry
        .exemplar_histogram_family("waits", "", labels, buckets, CAP)
        .unwrap()
        .with(["1", "2"])
        .observe(1.0);
    registry
        .observed_gauge_family("depth", "", labels, CAP, || [(["1", "2"], 1.0)])
        .unwrap();
    registry
        .observed_counter_family("seen", "", labels, CAP, || [(["1", "2"], 1.0)])
        .unwrap();
    let shown = shown(&registry);
    for name in [
        "counted_total",
        "level",
        "sizes",
        "waits",
        "depth",
        "seen_total",
    ] {
        assert_eq!(shown[name], labels, "{name}");
        let described = described(&registry, name).labels;
        let described: Vec<_> = described.iter().map(Label::name).collect();
        assert_eq!(described, labels, "{name}");
    }
}

/// Those of a `Family` are in its type, and come to be known with its first series.
#[test]
fn labels_of_a_metric_from_outside_are_given_with_it_and_checked() {
    let registry = Registry::new();
    type Outside = Family<[(String, String); 1], prometheus_client::metrics::gauge::Gauge>;
    for label in ["", "a b", "__name__"] {
        let refused = registry.register_labelled("g", "", [label], Outside::default());
        refused.unwrap_err();
    }
    registry
        .register_labelled("g", "", ["shard"], Outside::default())
        .unwrap();
    assert_eq!(described(&registry, "g").labels, [Label::from("shard")]);
}

/// A registry tells of its own, and a process of what it is.
#[test]
fn what_telemetry_counts_of_itself_is_described_too() {
    let registry = Registry::new();
    registry.register_process().unwrap();
    let overflow = described(&registry, "telemetry_label_overflow_total");
    assert_eq!(overflow.labels, [Label::from("metric")]);
    let memory = described(&registry, "process_resident_memory_bytes");
    assert_eq!(memory.unit, Some(MetricUnit::Bytes));
}

#[test]
fn histograms_tell_the_bounds_of_their_buckets_and_nothing_else_does() {
    let registry = Registry::new();
    let buckets = || Buckets::new([0.1, 0.12, 1.0]);
    registry.histogram("a_seconds", "", buckets()).unwrap();
    registry
        .exemplar_histogram("b_seconds", "", buckets())
        .unwrap();
    registry
        .histogram_family("c_seconds", "", ["v"], buckets(), CAP)
        .unwrap();
    registry
        .exemplar_histogram_family("d_seconds", "", ["v"], buckets(), CAP)
        .unwrap();
    for name in ["a_seconds", "b_seconds", "c_seconds", "d_seconds"] {
        assert_eq!(
            described(&registry, name).buckets,
            [0.1, 0.12, 1.0],
            "{name}"
        );
    }
    registry.gauge("level", "").unwrap();
    assert_eq!(described(&registry, "level").buckets, [0.0; 0]);
}

#[test]
fn a_closed_family_has_every_series_from_the_start() {
    let registry = Registry::new();
    let labels = [
        ("slo", &["fast", "kept"][..]),
        ("verdict", &["good", "bad"]),
    ];
    let family = registry.closed_counter_family("asked", "", labels).unwrap();
    let shown = || registry.render(None).unwrap().body;
    for slo in ["fast", "kept"] {
        for verdict in ["good", "bad"] {
            let sample = format!("asked_total{{slo=\"{slo}\",verdict=\"{verdict}\"}} 0");
            assert!(shown().contains(&sample), "{}", shown());
        }
    }
    family.with(["fast", "good"]).inc();
    assert!(shown().contains("asked_total{slo=\"fast\",verdict=\"good\"} 1"));
    let values = described(&registry, "asked_total").labels;
    assert_eq!(values[1].values().unwrap(), ["good", "bad"]);
    assert!(!shown().contains("slo=\"__other__\""), "none is left over");
}
