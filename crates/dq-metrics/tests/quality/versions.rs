//! Use of schema versions, as metrics.

use std::{sync::Arc, time::Duration};

use portcullis_dq_metrics::{Lifecycle, Outcome, Plan, Quality, Subject, clock::FakeClock};

use crate::{builder, fault::Fault, quality, scrape, series, sum};

fn planned(clock: &Arc<FakeClock>) -> Quality<Fault> {
    let plan = Plan::new()
        .schema("lead.created", "1", Lifecycle::Deprecated)
        .schema("lead.created", "2", Lifecycle::Current);
    builder(clock).plan(plan).build()
}

fn send(quality: &Quality<Fault>, tenant: &str, version: &str, events: u64) {
    let subject = Subject::tenant(tenant).event_type("lead.created");
    quality.record_many(subject.schema_version(version), Outcome::Accepted, events);
}

fn assert_lines(scrape: &str, lines: &[&str]) {
    for line in lines {
        let is_there = scrape.lines().any(|found| found == *line);
        assert!(is_there, "{line} not in\n{scrape}");
    }
}

#[test]
fn a_version_counts_its_uses_over_all_tenants_and_says_when_it_came_last() {
    let clock = Arc::new(FakeClock::default());
    let quality = planned(&clock);
    send(&quality, "acme", "1", 1);
    send(&quality, "globex", "2", 2);
    clock.advance(Duration::from_secs(60));
    send(&quality, "acme", "2", 4);
    send(&quality, "acme", "7", 1);
    quality.record(
        Subject::tenant("acme").event_type("lead.created"),
        Outcome::Accepted,
    );
    assert_lines(
        &scrape(&quality),
        &[
            r#"dq_schema_version_events_total{event_type="lead.created",version="1",lifecycle="deprecated"} 1"#,
            r#"dq_schema_version_events_total{event_type="lead.created",version="2",lifecycle="current"} 6"#,
            r#"dq_schema_version_events_total{event_type="lead.created",version="7",lifecycle="unplanned"} 1"#,
            r#"dq_schema_version_last_seen_timestamp_seconds{event_type="lead.created",version="1"} 1767225600.0"#,
            r#"dq_schema_version_last_seen_timestamp_seconds{event_type="lead.created",version="2"} 1767225660.0"#,
            r#"dq_schema_deprecated_ratio{event_type="lead.created"} 0.125"#,
        ],
    );
}

#[test]
fn a_planned_version_shows_that_nobody_uses_it() {
    let scrape = scrape(&planned(&Arc::default()));
    assert_lines(
        &scrape,
        &[
            r#"dq_schema_version_events_total{event_type="lead.created",version="1",lifecycle="deprecated"} 0"#,
            r#"dq_schema_version_events_total{event_type="__other__",version="__other__",lifecycle="unplanned"} 0"#,
        ],
    );
    let silent = ["dq_schema_version_last_seen", "dq_schema_deprecated_ratio"];
    for (series, value) in series(&scrape) {
        assert!(
            silent.iter().all(|name| !series.starts_with(name)),
            "{series} {value}"
        );
    }
}

#[test]
fn versions_beyond_the_bound_share_a_series_and_no_counter_goes_back() {
    let quality = planned(&Arc::default());
    let invent = |from: u32, to: u32| {
        for n in from..to {
            let (event_type, version) = (format!("type.{}", n / 4), n.to_string());
            let subject = Subject::tenant("acme").event_type(&event_type);
            quality.record(subject.schema_version(&version), Outcome::Accepted);
        }
    };
    let metric = "dq_schema_version_events_total";
    invent(0, 100);
    let before = scrape(&quality);
    assert_eq!(sum(&before, metric), 100.0);
    invent(0, 200);
    let after = scrape(&quality);
    assert_eq!(sum(&after, metric), 300.0);
    let of_versions = |scrape: &str| -> Vec<(String, f64)> {
        let all = series(scrape).into_iter();
        let of_versions = all.filter(|(series, _)| series.starts_with(metric));
        of_versions
            .map(|(series, events)| (series.to_owned(), events))
            .collect()
    };
    let (before, after) = (of_versions(&before), of_versions(&after));
    assert_eq!((before.len(), after.len()), (40 + 1, 40 + 1));
    for ((series, before), (same, after)) in before.iter().zip(&after) {
        assert_eq!(series, same);
        assert!(after >= before, "{series}: {after} after {before}");
    }
}

#[test]
fn the_deprecated_share_counts_versions_without_series_too() {
    let plan = Plan::new().schema("lead.created", "1", Lifecycle::Deprecated);
    let quality = builder(&Arc::default()).plan(plan).build();
    for n in 0..63 {
        let version = n.to_string();
        let subject = Subject::tenant("acme").event_type("page.view");
        quality.record(subject.schema_version(&version), Outcome::Accepted);
        let event_type = format!("type.{n}");
        let subject = Subject::tenant("acme").event_type(&event_type);
        quality.record(subject.schema_version("1"), Outcome::Accepted);
    }
    scrape(&quality);
    send(&quality, "acme", "1", 1);
    send(&quality, "acme", "2", 3);
    assert_lines(
        &scrape(&quality),
        &[r#"dq_schema_deprecated_ratio{event_type="lead.created"} 0.25"#],
    );
}

#[test]
fn an_event_without_a_version_uses_none() {
    let quality = quality();
    quality.record(
        Subject::tenant("acme").event_type("lead.created"),
        Outcome::Accepted,
    );
    let scrape = scrape(&quality);
    assert_eq!(sum(&scrape, "dq_schema_version_events_total"), 0.0);
    assert!(!scrape.contains("dq_schema_deprecated_ratio{"), "{scrape}");
}
