//! What a rule leaves out on purpose: counted everywhere, and judged by nothing.

use std::{num::NonZeroU32, sync::Arc};

use portcullis_dq_metrics::{
    Conservation, Outcome, Subject,
    clock::UnixMillis,
    history::{Day, Days, MemoryHistory},
    report::{PeriodReport, PeriodRequest},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{fault::Fault, quality, scrape, series, sum};

const LEFT_OUT: &str = "<tr><td>filtered<td class=\"n\">20";

fn lead(tenant: &str) -> Subject<'_> {
    Subject::tenant(tenant).event_type("lead.created")
}

/// An application that leaves nothing out has no series that never moves.
#[test]
fn it_has_series_from_the_first_such_event_on() {
    let quality = quality();
    quality.received(Some("acme"), 3);
    quality.record(lead("acme"), Outcome::Accepted);
    assert!(!scrape(&quality).contains("filtered"));
    quality.record_many(lead("acme"), Outcome::Filtered, 2);
    quality.received(Some("globex"), 1);
    quality.record(lead("globex"), Outcome::Accepted);
    let scrape = scrape(&quality);
    let all = series(&scrape).into_iter();
    let of_filtered: Vec<_> = all
        .filter(|(series, _)| series.contains("filtered"))
        .collect();
    let expected = [
        r#"dq_outcomes_total{tenant="acme",outcome="filtered"}"#,
        r#"dq_event_type_outcomes_total{event_type="lead.created",outcome="filtered"}"#,
    ];
    assert_eq!(of_filtered, expected.map(|series| (series, 2.0)));
    assert_eq!(sum(&scrape, "dq_outcomes_total"), 4.0);
    assert_eq!(sum(&scrape, "dq_unaccounted"), 0.0);
}

#[test]
fn a_report_shows_it_and_no_score_changes() {
    let quality = quality();
    quality.received(Some("acme"), 30);
    quality.record_many(lead("acme"), Outcome::Accepted, 10);
    let before = quality.score("acme");
    assert!(before.is_some());
    quality.record_many(lead("acme"), Outcome::Filtered, 20);
    assert_eq!(quality.score("acme"), before);
    let report = quality.report(Some("acme"));
    assert_eq!(report.outcomes["filtered"], 20);
    assert_eq!(report.conservation.unaccounted(), 0);
    assert!(report.rejections.is_empty() && report.samples.is_empty());
    assert!(report.markdown().to_string().contains("| filtered | 20 |"));
    assert!(report.html().to_string().contains(LEFT_OUT));
}

#[tokio::test]
async fn it_is_in_the_history_and_the_plots() {
    let quality = quality();
    let history = Arc::new(MemoryHistory::new());
    let month = NonZeroU32::new(30).unwrap();
    let rng = &mut StdRng::seed_from_u64(4);
    let mut writer = quality.history_writer(history.clone(), month, month, rng);
    let day: Day = "2026-01-01".parse().unwrap();
    let request = PeriodRequest::new(Days::new(day, day).unwrap());
    let report = async || {
        let report = PeriodReport::read::<Fault>(&*history, &request, UnixMillis::new(0));
        report.await.unwrap()
    };
    quality.received(Some("acme"), 30);
    quality.record_many(lead("acme"), Outcome::Accepted, 10);
    writer.flush().await.unwrap();
    let before = report().await;
    assert!(!before.html().to_string().contains("left out on purpose"));
    quality.record_many(lead("acme"), Outcome::Filtered, 20);
    writer.flush().await.unwrap();
    let after = report().await;
    assert_eq!((after.events, after.outcomes["filtered"]), (30, 20));
    assert_eq!(after.conservation, Some(Conservation::new(30, 30)));
    assert_eq!(after.score, before.score);
    assert!(after.unknown.is_empty() && after.rejections.is_empty());
    let page = after.html().to_string();
    assert!(page.contains("left out on purpose"), "{page}");
    assert!(page.contains(LEFT_OUT), "{page}");
    let markdown = after.markdown().to_string();
    assert!(markdown.contains("| filtered | 20 |"), "{markdown}");
}
