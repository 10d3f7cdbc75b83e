//! Reports, as data and as pages.

use std::{sync::Arc, time::Duration};

use portcullis_dq_metrics::{
    Lifecycle, Outcome, Plan, Quality, Reason as _, Subject, clock::FakeClock, report::Coverage,
    sample::Discarded,
};

use crate::{builder, fault::Fault, quality};

#[test]
fn there_is_no_score_without_data() {
    let quality = quality();
    let report = quality.report(Some("acme"));
    assert_eq!(report.score, None);
    assert_eq!(report.coverage, Coverage::Unseen);
    assert_eq!(
        serde_json::to_value(&report).unwrap()["score"],
        serde_json::Value::Null
    );
    assert_eq!(quality.score("acme"), None);
    quality.received(Some("acme"), 1);
    quality.record(Subject::tenant("acme"), Outcome::RateLimited);
    assert_eq!(
        quality.score("acme"),
        None,
        "a limit says nothing about the data"
    );
    assert_eq!(quality.report(Some("acme")).coverage, Coverage::Own);
}

#[test]
fn asking_takes_no_label() {
    let quality = quality();
    for n in 0..1_000 {
        quality.report(Some(&format!("t{n}")));
        quality.score(&format!("t{n}"));
        quality.trend(&format!("t{n}"));
    }
    quality.record(Subject::tenant("acme"), Outcome::Accepted);
    assert_eq!(quality.report(Some("acme")).coverage, Coverage::Own);
}

#[test]
fn a_tenant_beyond_the_bound_is_told_so() {
    let quality = quality();
    for n in 0..64 {
        quality.record(Subject::tenant(&format!("t{n}")), Outcome::Accepted);
    }
    quality.record(Subject::tenant("acme"), Outcome::Accepted);
    let report = quality.report(Some("acme"));
    assert_eq!((report.coverage, report.score), (Coverage::Shared, None));
    assert_eq!(quality.report(Some("__other__")).conservation.outcomes, 1);
}

#[test]
fn rejections_come_with_what_to_do_and_the_most_frequent_first() {
    let quality = quality();
    let subject = Subject::tenant("acme");
    quality.record(subject, Outcome::Rejected(Fault::Unreadable));
    for _ in 0..2 {
        quality.record(subject, Outcome::Rejected(Fault::QueueFull));
    }
    let json = serde_json::to_value(quality.report(Some("acme"))).unwrap();
    let first = &json["rejections"][0];
    assert_eq!(first["reason"], "store.queue_full");
    assert_eq!(
        (&first["events"], &first["unexpected"]),
        (&2.into(), &true.into())
    );
    assert_eq!(first["remediation"], Fault::QueueFull.facts().remediation);
    assert_eq!(json["rejections"][1]["dimension"], "validity");
    assert_eq!(json["outcomes"]["rejected"], 3);
}

#[test]
fn versions_show_use_last_sight_and_the_deprecated_share() {
    let clock = Arc::new(FakeClock::default());
    let plan = Plan::new()
        .schema("lead.created", "1", Lifecycle::Deprecated)
        .schema("lead.created", "2", Lifecycle::Current);
    let quality = builder(&clock).plan(plan).build();
    let send = |tenant, version, times| {
        let subject = Subject::tenant(tenant)
            .event_type("lead.created")
            .schema_version(version);
        for _ in 0..times {
            quality.record(subject, Outcome::Accepted);
        }
    };
    send("acme", "1", 1);
    clock.advance(Duration::from_secs(60));
    send("acme", "2", 2);
    send("globex", "3", 1);
    quality.record(
        Subject::tenant("acme").event_type("lead.created"),
        Outcome::Accepted,
    );

    let report = quality.report(Some("acme"));
    let lead = &report.event_types[0];
    assert_eq!(lead.deprecated_share, Some(1.0 / 3.0));
    let of = |version| {
        lead.versions
            .iter()
            .find(|of| of.version == version)
            .unwrap()
    };
    assert_eq!(
        (of("1").events, of("1").lifecycle),
        (1, Some(Lifecycle::Deprecated))
    );
    assert_eq!(
        (of("2").events, of("2").lifecycle),
        (2, Some(Lifecycle::Current))
    );
    let gap = of("2").last_seen.value() - of("1").last_seen.value();
    assert_eq!(gap, 60_000);
    assert_eq!(of("__unknown__").events, 1);

    let all = quality.report(None);
    assert_eq!(all.event_types[0].deprecated_share, Some(1.0 / 4.0));
    let unplanned = all.event_types[0]
        .versions
        .iter()
        .find(|of| of.version == "3")
        .unwrap();
    assert_eq!(unplanned.lifecycle, None);
}

fn hostile() -> Quality<Fault> {
    let quality = quality();
    let subject = Subject::tenant("acme")
        .event_type("lead.created")
        .schema_version("1");
    let text = "<script>alert('x')</script>|`\n# head \" & [a](javascript:b)";
    quality.received(Some("acme"), 2);
    quality.record(subject, Outcome::Accepted);
    quality.record(subject, Outcome::Rejected(Fault::Unreadable));
    quality.sample(&Discarded::new(subject, Fault::Unreadable, text.as_bytes()).detail(text));
    quality
}

#[test]
fn a_page_of_html_runs_nothing_and_loads_nothing() {
    for tenant in [None, Some("acme"), Some("<img src=x onerror=alert(1)>")] {
        let page = hostile().report(tenant).html().to_string();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for forbidden in ["<script", "<img", "<link", "http:", "https:", "url("] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
    }
    let page = hostile().report(Some("acme")).html().to_string();
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(page.contains("<svg") && page.contains("read.unreadable"));
}

#[test]
fn markdown_from_outside_stays_text() {
    let page = hostile().report(None).markdown().to_string();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains(r"\|\` \# head"), "{page}");
    assert!(page.contains(r"\[a\](javascript:b)"), "{page}");
    let rows = page.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let cells = row.replace(r"\|", "").matches('|').count();
        assert!((3..=6).contains(&cells), "{row}");
    }
}

#[test]
fn an_empty_report_renders() {
    let report = quality().report(None);
    assert!(report.markdown().to_string().contains("No score"));
    assert!(report.html().to_string().contains("No score"));
}
