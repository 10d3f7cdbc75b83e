//! Bounds: series, memory, and which names become labels.

use std::{num::NonZeroU32, ops::Range, sync::Arc};

use portcullis_dq_metrics::{
    Lifecycle, Outcome, Plan, Quality, Reason as _, Subject,
    history::{Day, Days, GroupBy, HistoryQuery, MemoryHistory, QualityHistory as _, TallyQuery},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{CANARY, builder, fault::Fault, quality, scrape, series};

fn attack(quality: &Quality<Fault>, names: Range<u32>) {
    for n in names {
        let (tenant, event_type) = (format!("tenant-{n}"), format!("type.{n}"));
        let version = n.to_string();
        quality.received(Some(&tenant), 1);
        let subject = Subject::tenant(&tenant)
            .event_type(&event_type)
            .schema_version(&version);
        quality.record(subject, Outcome::Accepted);
    }
}

#[tokio::test]
async fn a_million_tenants_and_types_leave_series_and_memory_flat() {
    let quality = quality();
    let history = Arc::new(MemoryHistory::new());
    let days = NonZeroU32::MIN;
    let rng = &mut StdRng::seed_from_u64(1);
    let mut writer = quality.history_writer(history.clone(), days, days, rng);
    attack(&quality, 0..10_000);
    let (before, resident) = (scrape(&quality), resident_kib());
    attack(&quality, 10_000..1_000_000);
    let (after, grown) = (scrape(&quality), resident_kib().saturating_sub(resident));

    assert_eq!(series(&after).len(), series(&before).len());
    assert!(series(&after).len() <= 2_000);
    assert!(grown < 1_024, "grown by {grown} KiB");
    let conservation = quality.conservation();
    assert_eq!(
        (conservation.received, conservation.outcomes),
        (1_000_000, 1_000_000)
    );

    writer.flush().await.expect("memory takes it");
    let days = Days::last(days, Day::new(20_454)).expect("one day");
    for (by, most) in [(GroupBy::Tenant, 64 + 1), (GroupBy::EventType, 128 + 1)] {
        let sums = history.tallies(&TallyQuery::new(days, by)).await;
        let sums = sums.expect("memory answers");
        assert_eq!(sums.len(), most, "by {by:?}");
        assert_eq!(sums.iter().map(|sum| sum.events).sum::<u64>(), 1_000_000);
    }
    let query = HistoryQuery::new(days);
    let versions = history.versions(&query).await.expect("memory answers");
    // Each of the 128 types came once with a version; all others have 8 of their own and `__other__`.
    assert_eq!(versions.len(), 128 + 8 + 1);
    let uses = versions.iter().map(|sum| sum.count.events);
    assert_eq!(uses.sum::<u64>(), 1_000_000);
    let others = history.receipts(&query.tenant(Some("__other__"))).await;
    let others = others.expect("memory answers")[0].conservation;
    assert_eq!((others.received, others.outcomes), (999_936, 999_936));

    let report = quality.report(None);
    assert_eq!(
        report.tenants.len(),
        64 + 1,
        "64 told apart, and the others as one"
    );
    assert_eq!(
        report.event_types.len(),
        128 + 1,
        "128 told apart, and the others as one"
    );
}

#[test]
fn the_fullest_ledger_keeps_within_the_stated_series() {
    let quality = quality();
    for outcome in Outcome::all() {
        for n in 0..200 {
            let (tenant, event_type) = (format!("t{n}"), format!("e{n}"));
            let subject = Subject::tenant(&tenant).event_type(&event_type);
            quality.record(subject, outcome);
            quality.record(subject.schema_version("1"), outcome);
        }
        quality.record(Subject::UNKNOWN, outcome);
    }
    let count = series(&scrape(&quality)).len();
    assert_eq!(
        count,
        Quality::<Fault>::MAX_SERIES,
        "every series is there, and no more"
    );
    assert!(count <= 2_000);
    let most_reasons = 2_000 - (count - Fault::ALL.len());
    assert_eq!(most_reasons, 108, "as the changelog says");
}

#[test]
fn planned_event_types_keep_their_labels_under_attack() {
    let plan = Plan::new().schema("lead.created", "1", Lifecycle::Current);
    let quality = builder(&Arc::default()).plan(plan).build();
    attack(&quality, 0..1_000);
    quality.record(
        Subject::tenant("acme").event_type("lead.created"),
        Outcome::Accepted,
    );
    let scrape = scrape(&quality);
    let accepted =
        r#"dq_event_type_outcomes_total{event_type="lead.created",outcome="accepted"} 1"#;
    assert!(scrape.lines().any(|line| line == accepted), "{scrape}");
}

#[test]
fn a_name_that_must_be_masked_never_becomes_a_label() {
    let quality = quality();
    let (event_type, version) = (format!("type.{CANARY}"), format!("v{CANARY}"));
    let subject = Subject::tenant("acme")
        .event_type(&event_type)
        .schema_version(&version);
    quality.record(subject, Outcome::Rejected(Fault::KindUnknown));
    let report = serde_json::to_string(&quality.report(None)).unwrap();
    for text in [scrape(&quality), report, format!("{quality:?}")] {
        assert!(!text.contains(CANARY), "{text}");
    }
    let report = quality.report(Some("acme"));
    assert_eq!(report.event_types[0].event_type, "__other__");
    assert_eq!(report.event_types[0].versions[0].version, "__other__");
}

#[test]
fn outside_a_closed_plan_nothing_becomes_a_label() {
    let plan = Plan::new().schema("lead.created", "1", Lifecycle::Current);
    let quality = builder(&Arc::default()).plan(plan.closed()).build();
    for (event_type, version) in [
        ("lead.created", "1"),
        ("lead.created", "123456789"),
        ("ada.lovelace", "1"),
        ("ada.lovelace", "2"),
    ] {
        let subject = Subject::tenant("acme")
            .event_type(event_type)
            .schema_version(version);
        quality.record(subject, Outcome::Rejected(Fault::KindUnknown));
    }
    let report = quality.report(None);
    let versions = report.event_types.iter().map(|event_type| {
        let versions = event_type.versions.iter();
        let versions = versions.map(|version| version.version.as_str());
        (event_type.event_type.as_str(), versions.collect::<Vec<_>>())
    });
    let expected = [
        ("__other__", vec!["__other__"]),
        ("lead.created", vec!["1", "__other__"]),
    ];
    let mut versions: Vec<_> = versions.collect();
    versions.sort();
    assert_eq!(versions, expected);
    for text in [scrape(&quality), format!("{report:?}")] {
        assert!(!text.contains("lovelace") && !text.contains("123456789"));
    }
}

/// Memory of this process in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a line");
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number")
}
