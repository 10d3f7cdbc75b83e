//! Reports on days, as data and as pages.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_dq_metrics::{
    Conservation, Dimension, Lifecycle, Outcome, Plan, Quality, Reason as _, Subject,
    clock::{Clock as _, FakeClock, UnixMillis},
    history::{
        Day, Days, HistoryBatch, Hour, MemoryHistory, QualityHistory as _, ReceiptKey, TallyKey,
        WriterId,
    },
    report::{PeriodReport, PeriodRequest},
    sample::Discarded,
    score::{Direction, Weights},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{CANARY, builder, fault::Fault};

/// Ten days of two tenants, of which one gets worse; 2026-01-01 is the first.
async fn ten_days() -> (Arc<MemoryHistory>, UnixMillis) {
    let clock = Arc::new(FakeClock::default());
    let quality = builder(&clock).build();
    let history = Arc::new(MemoryHistory::new());
    let days = NonZeroU32::new(30).expect("not 0");
    let rng = &mut StdRng::seed_from_u64(3);
    let mut writer = quality.history_writer(history.clone(), days, days, rng);
    for day in 0..10 {
        send(&quality, "acme", 100, day);
        send(&quality, "globex", 100, 0);
        writer.flush().await.expect("memory takes it");
        clock.advance(Duration::from_secs(86_400));
    }
    (history, UnixMillis::saturating_from(clock.wall()))
}

fn send(quality: &Quality<Fault>, tenant: &str, accepted: u64, refused: u64) {
    let subject = Subject::tenant(tenant).event_type("lead.created");
    let subject = subject.schema_version("1");
    quality.received(Some(tenant), accepted + refused);
    quality.record_many(subject, Outcome::Accepted, accepted);
    for _ in 0..refused {
        let text = format!("<script>{CANARY}</script>|`\n# a");
        quality.record(subject, Outcome::Rejected(Fault::FieldMissing));
        quality.sample(&Discarded::new(
            subject,
            Fault::FieldMissing,
            text.as_bytes(),
        ));
    }
}

fn days(from: &str, to: &str) -> Days {
    let [from, to] = [from, to].map(|day| day.parse::<Day>().expect("a day"));
    Days::new(from, to).expect("in order")
}

async fn report(history: &MemoryHistory, request: PeriodRequest) -> PeriodReport {
    let made_at = UnixMillis::new(1_768_089_600_000);
    let report = PeriodReport::read::<Fault>(history, &request, made_at).await;
    report.expect("memory answers")
}

#[tokio::test]
async fn a_report_covers_the_days_that_were_asked_for_and_no_others() {
    let (history, _) = ten_days().await;
    let request = PeriodRequest::new(days("2026-01-03", "2026-01-04"));
    let both = report(&history, request.clone()).await;
    assert_eq!((both.events, both.by_day.len()), (405, 2));
    assert_eq!(both.outcomes["rejected"], 2 + 3);
    assert_eq!(both.rejections[0].reason, Fault::FieldMissing.facts().name);
    let tenants: Vec<_> = both
        .tenants
        .iter()
        .map(|tenant| (&*tenant.name, tenant.events))
        .collect();
    assert_eq!(tenants, [("acme", 205), ("globex", 200)]);
    assert_eq!(both.samples[0].samples.len(), 5);
    assert_eq!(both.samples[0].count, 5);

    let acme = report(&history, request.tenant(Some("acme"))).await;
    assert_eq!((acme.events, acme.tenants.len()), (205, 0));
    assert!(acme.score.unwrap().value < both.score.unwrap().value);
    let nobody = PeriodRequest::new(days("2026-01-03", "2026-01-04")).tenant(Some("nobody"));
    let nobody = report(&history, nobody).await;
    assert_eq!((nobody.events, nobody.score), (0, None));
}

#[tokio::test]
async fn what_was_received_is_what_is_accounted_for_also_where_the_process_changes() {
    let (history, _) = ten_days().await;
    let request = PeriodRequest::new(days("2026-01-03", "2026-01-04"));
    let both = report(&history, request.clone()).await;
    let received = both.conservation.unwrap();
    assert_eq!((received.received, received.unaccounted()), (405, 0));
    assert_eq!(received.outcomes, both.outcomes.values().sum::<u64>());
    let by_day: Vec<_> = both
        .by_day
        .iter()
        .map(|day| day.conservation.unwrap().received)
        .collect();
    assert_eq!(by_day, [202, 203]);
    let sentence = "Received 405, accounted for 405.";
    for page in [both.markdown().to_string(), both.html().to_string()] {
        assert!(page.contains(sentence), "{page}");
    }

    // A process that was killed has received one more, and an earlier version of the crate kept no receipt.
    let day = "2026-01-04".parse::<Day>().unwrap();
    let mut killed = HistoryBatch::new(WriterId::from_bytes([8; 16]), 1);
    let one = Conservation::new(1, 0);
    killed.receipts.insert(ReceiptKey::new(day, "acme"), one);
    history.write(&killed).await.unwrap();
    let mut earlier = HistoryBatch::new(WriterId::from_bytes([9; 16]), 1);
    let key = TallyKey::new(day.first_hour(), "acme", "lead.created", "accepted");
    earlier.tallies.insert(key, 7);
    history.write(&earlier).await.unwrap();
    let page = report(&history, request.clone())
        .await
        .markdown()
        .to_string();
    let sentence = "Received 406, accounted for 405: 1 in flight still, or in a process that was killed. \
                    Of 7 more events the history has no receipt: an earlier version counted them.";
    assert!(page.contains(sentence), "{page}");
    let nobody = report(&history, request.tenant(Some("nobody"))).await;
    assert_eq!(nobody.conservation, None);
    let page = nobody.html().to_string();
    assert!(
        page.contains("What was received in these days is not in the history."),
        "{page}"
    );
}

#[tokio::test]
async fn schema_versions_of_the_days_are_shown_with_their_lifecycle() {
    let (clock, history) = (
        Arc::new(FakeClock::default()),
        Arc::new(MemoryHistory::new()),
    );
    let month = NonZeroU32::new(30).unwrap();
    // What is deprecated is so from the second day on.
    for (day, lifecycle) in [(1, Lifecycle::Current), (2, Lifecycle::Deprecated)] {
        let plan = Plan::new().schema("lead.created", "1", lifecycle);
        let plan = plan.schema("lead.created", "2", Lifecycle::Current);
        let quality = builder(&clock).plan(plan).build();
        let rng = &mut StdRng::seed_from_u64(day);
        let mut writer = quality.history_writer(history.clone(), month, month, rng);
        let subject = Subject::tenant("acme").event_type("lead.created");
        quality.record_many(subject.schema_version("1"), Outcome::Accepted, 3);
        quality.record_many(subject.schema_version("2"), Outcome::Accepted, 6 * day);
        let canary = format!("v{CANARY}");
        quality.record(
            subject.schema_version(&canary),
            Outcome::Rejected(Fault::KindUnknown),
        );
        quality.record(subject, Outcome::Accepted);
        writer.flush().await.unwrap();
        clock.advance(Duration::from_secs(86_400));
    }
    let request = PeriodRequest::new(days("2026-01-01", "2026-01-02"));
    let both = report(&history, request.clone()).await;
    let versions: Vec<_> = both.versions[0]
        .versions
        .iter()
        .map(|version| (&*version.version, version.lifecycle, version.events))
        .collect();
    let expected = [
        ("1", Some(Lifecycle::Deprecated), 6),
        ("2", Some(Lifecycle::Current), 18),
        ("__other__", None, 2),
        ("__unknown__", None, 2),
    ];
    assert_eq!(versions, expected);
    // Of 26 that state one, three came while theirs was deprecated.
    assert_eq!(both.versions[0].deprecated_share, Some(3.0 / 26.0));
    let markdown = both.markdown().to_string();
    let row = "| lead.created | 1 | deprecated | 6 | 2026-01-02T00:00:00.000Z | 11.5 % |";
    assert!(markdown.contains(row), "{markdown}");
    let page = both.html().to_string();
    assert!(
        page.contains("<td><code>1</code><td>deprecated<td class=\"n\">6"),
        "{page}"
    );
    let json = serde_json::to_string(&both).unwrap();
    for text in [markdown, page, json] {
        assert!(!text.contains(CANARY), "{text}");
    }
    let first = report(
        &history,
        PeriodRequest::new(days("2026-01-01", "2026-01-01")),
    )
    .await;
    assert_eq!(first.versions[0].deprecated_share, Some(0.0));
    assert_eq!(
        report(&history, request.tenant(Some("nobody")))
            .await
            .versions,
        []
    );
}

#[tokio::test]
async fn the_trend_compares_the_halves_of_the_days() {
    let (history, _) = ten_days().await;
    // By the dimension alone in which one of the two gets worse.
    let mut weights = Weights::EQUAL;
    for dimension in Dimension::ALL {
        let weight = u32::from(dimension == Dimension::Completeness);
        weights = weights.with(dimension, weight);
    }
    let request = PeriodRequest::new(days("2026-01-01", "2026-01-10")).weights(weights);
    let acme = report(&history, request.clone().tenant(Some("acme"))).await;
    assert_eq!(acme.trend.direction, Some(Direction::Worsening));
    let globex = report(&history, request.tenant(Some("globex"))).await;
    assert_eq!(globex.trend.direction, Some(Direction::Steady));
    let day = PeriodRequest::new(days("2026-01-02", "2026-01-02"));
    assert_eq!(report(&history, day).await.trend.direction, None);
    let scores: Vec<_> = acme.by_day.iter().map(|day| day.score.unwrap()).collect();
    assert!(
        scores.windows(2).all(|pair| pair[1] < pair[0]),
        "{scores:?}"
    );
}

#[tokio::test]
async fn a_reason_of_another_version_is_shown_and_judged_by_nothing() {
    let history = MemoryHistory::new();
    let mut batch = HistoryBatch::new(WriterId::from_bytes([7; 16]), 1);
    let key = |outcome| TallyKey::new(Hour::new(20_454 * 24), "acme", "lead.created", outcome);
    batch.tallies.insert(key("accepted"), 5);
    batch
        .tallies
        .insert(key("rejected").reason("check.of_long_ago"), 3);
    history.write(&batch).await.unwrap();
    let report = report(
        &history,
        PeriodRequest::new(days("2026-01-01", "2026-01-01")),
    )
    .await;
    assert_eq!((report.events, report.unknown["check.of_long_ago"]), (8, 3));
    assert_eq!(report.score.as_ref().map(|score| score.events), Some(5));
    for page in [report.html().to_string(), report.markdown().to_string()] {
        assert!(page.contains("check.of"), "{page}");
    }
}

#[tokio::test]
async fn pages_run_nothing_load_nothing_and_hold_no_personal_data() {
    let (history, _) = ten_days().await;
    for tenant in [None, Some("acme"), Some("<img src=x onerror=alert(1)>")] {
        let request = PeriodRequest::new(days("2026-01-01", "2026-01-10")).tenant(tenant);
        let report = report(&history, request).await;
        let page = report.html().to_string();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for forbidden in ["<script", "<img", "<link", "http:", "https:", "url("] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
        let markdown = report.markdown().to_string();
        assert!(
            !markdown.contains("<script") && !markdown.contains("<img"),
            "{markdown}"
        );
        let json = serde_json::to_string(&report).unwrap();
        for text in [page, markdown, json] {
            assert!(!text.contains(CANARY), "{text}");
        }
    }
    let request = PeriodRequest::new(days("2026-01-01", "2026-01-10"));
    let report = report(&history, request).await;
    let page = report.html().to_string();
    assert_eq!(page.matches("class=\"p\"").count(), 2, "two plots");
    assert!(
        page.contains("<title>2026-01-10: 209 events</title>"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;[masked]"), "{page}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["days"]["from"], "2026-01-01");
    assert_eq!(json["by_day"][9]["outcomes"]["rejected"], 9);
    assert!(
        report
            .markdown()
            .to_string()
            .contains("| 2026-01-10 | 209 | 9 |")
    );
}

#[tokio::test]
async fn a_period_without_events_renders() {
    let report = report(
        &MemoryHistory::new(),
        PeriodRequest::new(days("2026-01-01", "2026-12-31")),
    )
    .await;
    assert!(report.markdown().to_string().contains("No score"));
    assert!(report.html().to_string().contains("No score"));
    assert_eq!(report.by_day.len(), 365);
}
