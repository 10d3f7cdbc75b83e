//! Reports on days, as data and as pages.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_dq_metrics::{
    Dimension, Outcome, Quality, Reason as _, Subject,
    clock::{Clock as _, FakeClock, UnixMillis},
    history::{
        Day, Days, HistoryBatch, Hour, MemoryHistory, QualityHistory as _, TallyKey, WriterId,
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
