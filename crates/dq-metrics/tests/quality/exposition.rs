//! The metrics as a scrape shows them.

use std::sync::Arc;

use portcullis_dq_metrics::{
    Duplicate, Lifecycle, MetricLabel, Outcome, Plan, Subject, clock::FakeClock,
};
use prometheus_client::{encoding::EncodeMetric, metrics::MetricType};

use crate::{builder, fault::Fault, quality, scrape, series};

#[test]
fn the_metrics_have_their_names_and_values() {
    let quality = quality();
    quality.received(Some("acme"), 4);
    quality.received(None, 1);
    let lead = Subject::tenant("acme")
        .event_type("lead.created")
        .schema_version("1");
    quality.record(lead, Outcome::Accepted);
    quality.record(lead, Outcome::Duplicate(Duplicate::Conflicting));
    quality.record(lead, Outcome::Rejected(Fault::FieldMissing));
    quality.record(Subject::UNKNOWN, Outcome::Rejected(Fault::SupplierUnknown));
    let scrape = scrape(&quality);
    for line in [
        r#"dq_received_total{tenant="acme"} 4"#,
        r#"dq_received_total{tenant="__unknown__"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="accepted"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="duplicate_conflicting"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="rejected"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="lost"} 0"#,
        r#"dq_event_type_outcomes_total{event_type="lead.created",outcome="rejected"} 1"#,
        r#"dq_event_type_outcomes_total{event_type="__unknown__",outcome="rejected"} 1"#,
        r#"dq_rejected_total{reason="check.field_missing"} 1"#,
        r#"dq_rejected_total{reason="admit.supplier_unknown"} 1"#,
        r#"dq_rejected_total{reason="internal"} 0"#,
        r#"dq_samples_total{result="captured"} 0"#,
        "dq_unaccounted 1",
    ] {
        assert!(
            scrape.lines().any(|found| found == line),
            "{line} not in\n{scrape}"
        );
    }
}

#[test]
fn a_score_is_absent_until_there_is_data() {
    let quality = quality();
    quality.received(Some("acme"), 1);
    assert!(
        series(&scrape(&quality))
            .iter()
            .all(|(series, _)| !series.starts_with("dq_score"))
    );
    quality.record(Subject::tenant("acme"), Outcome::Accepted);
    let scrape = scrape(&quality);
    assert!(series(&scrape).contains(&(r#"dq_score{tenant="acme"}"#, 100.0)));
    let (_, bound) = series(&scrape)
        .into_iter()
        .find(|(series, _)| *series == r#"dq_score_lower_bound{tenant="acme"}"#)
        .unwrap();
    assert!(bound < 25.0, "one event proves little: {bound}");
}

#[test]
fn no_series_appears_twice() {
    let quality = quality();
    for n in 0..80 {
        let tenant = format!("t{n}");
        quality.record(
            Subject::tenant(&tenant).event_type(&tenant),
            Outcome::Accepted,
        );
    }
    let scrape = scrape(&quality);
    let mut names: Vec<_> = series(&scrape)
        .into_iter()
        .map(|(series, _)| series)
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// What a registry is told of the labels is what its scrapes show, and no value is missing from a list.
#[test]
fn every_series_has_the_labels_that_its_metric_says() {
    let plan = Plan::new()
        .schema("lead.created", "1", Lifecycle::Current)
        .schema("lead.created", "0", Lifecycle::Deprecated);
    let quality = builder(&Arc::new(FakeClock::default())).plan(plan).build();
    quality.received(Some("acme"), 2);
    for version in ["0", "1", "2"] {
        let lead = Subject::tenant("acme")
            .event_type("lead.created")
            .schema_version(version);
        quality.record(lead, Outcome::Accepted);
    }
    let scrape = scrape(&quality);
    for metric in quality.metrics() {
        let suffix = match metric.metric_type() {
            MetricType::Counter => "_total",
            _ => "",
        };
        let name = format!("{}{suffix}", metric.name());
        let of_metric = series(&scrape).into_iter().filter_map(|(series, _)| {
            let (of, labels) = series.split_once('{').unwrap_or((series, ""));
            (of == name).then_some(labels.trim_end_matches('}'))
        });
        let of_metric: Vec<_> = of_metric.collect();
        assert!(!of_metric.is_empty(), "{name} not in\n{scrape}");
        for labels in of_metric {
            let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
            let pairs: Vec<_> = pairs.collect();
            let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
            let told: Vec<_> = metric.labels().iter().map(MetricLabel::name).collect();
            assert_eq!(names, told, "{name}");
            for (label, (_, value)) in metric.labels().iter().zip(pairs) {
                let value = value.trim_matches('"');
                let is_listed = label.values().is_none_or(|values| values.contains(&value));
                assert!(is_listed, "{name}: {value}");
            }
        }
    }
}
