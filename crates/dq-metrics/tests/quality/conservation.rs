//! Nothing disappears without being counted.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use portcullis_dq_metrics::{Outcome, Reason as _, Subject};
use proptest::prelude::*;

use crate::{fault::Fault, quality, scrape, sum};

#[test]
fn received_equals_the_sum_of_outcomes_under_concurrency() {
    const THREADS: usize = 4;
    const EVENTS: usize = 150_000;
    let quality = quality();
    let outcomes: Vec<Outcome<Fault>> = Outcome::all().collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut readings = 0_u64;
            while !done.load(Ordering::Acquire) {
                assert!(quality.conservation().unaccounted() >= 0);
                readings += 1;
            }
            readings
        });
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (quality, outcomes) = (&quality, &outcomes);
                scope.spawn(move || {
                    for event in 0..EVENTS {
                        let tenant = format!("t{}", (event + thread) % 100);
                        let event_type = format!("e{}", event % 7);
                        quality.received(Some(&tenant), 1);
                        let subject = Subject::tenant(&tenant).event_type(&event_type);
                        quality.record(subject, outcomes[event % outcomes.len()]);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Release);
        assert!(reader.join().unwrap() > 0);
    });

    let all = (THREADS * EVENTS) as u64;
    let conservation = quality.conservation();
    assert_eq!((conservation.received, conservation.outcomes), (all, all));

    let scrape = scrape(&quality);
    for metric in [
        "dq_received_total",
        "dq_outcomes_total",
        "dq_event_type_outcomes_total",
    ] {
        assert_eq!(sum(&scrape, metric), all as f64, "{metric}");
    }
    assert_eq!(sum(&scrape, "dq_unaccounted"), 0.0);
}

#[test]
fn what_is_in_flight_is_unaccounted() {
    let quality = quality();
    quality.received(None, 3);
    quality.record(Subject::UNKNOWN, Outcome::RateLimited);
    assert_eq!(quality.conservation().unaccounted(), 2);
    assert_eq!(sum(&scrape(&quality), "dq_unaccounted"), 2.0);
    quality.record(Subject::UNKNOWN, Outcome::Lost);
    quality.record(Subject::UNKNOWN, Outcome::Lost);
    assert_eq!(quality.conservation().unaccounted(), 0);
    quality.record(Subject::UNKNOWN, Outcome::Lost);
    assert_eq!(
        quality.conservation().unaccounted(),
        -1,
        "recorded twice: a bug that shows"
    );
}

proptest! {
    /// Every view is a sum over the same counters, so each agrees with a plain count.
    #[test]
    fn every_view_agrees_with_a_plain_count(
        events in prop::collection::vec((0_usize..3, 0_usize..3, 0_usize..15), 0..200),
    ) {
        let quality = quality();
        let outcomes: Vec<Outcome<Fault>> = Outcome::all().collect();
        prop_assert_eq!(outcomes.len(), 15, "so that the strategy covers all");
        let tenants = [None, Some("acme"), Some("globex")];
        let types = [None, Some("page.viewed"), Some("lead.created")];
        for &(tenant, event_type, outcome) in &events {
            quality.received(tenants[tenant], 1);
            let mut subject = tenants[tenant].map_or(Subject::UNKNOWN, Subject::tenant);
            if let Some(event_type) = types[event_type] {
                subject = subject.event_type(event_type);
            }
            quality.record(subject, outcomes[outcome]);
        }
        let report = quality.report(None);
        for (at, name) in ["__unknown__", "acme", "globex"].into_iter().enumerate() {
            let expected = events.iter().filter(|event| event.0 == at).count() as u64;
            let own = quality.report(Some(name)).conservation;
            prop_assert_eq!((own.received, own.outcomes), (expected, expected));
            let in_all = report.tenants.iter().find(|tenant| tenant.tenant == name);
            let in_all = in_all.map_or(0, |tenant| tenant.conservation.received);
            prop_assert_eq!(in_all, expected);
        }
        for (at, name) in ["__unknown__", "page.viewed", "lead.created"].into_iter().enumerate() {
            let expected = events.iter().filter(|event| event.1 == at).count() as u64;
            let of_type = report.event_types.iter().find(|of_type| of_type.event_type == name);
            let counted = of_type.map_or(0, |of_type| of_type.outcomes.values().sum::<u64>());
            prop_assert_eq!(counted, expected);
        }
        for (at, outcome) in outcomes.iter().enumerate() {
            let Outcome::Rejected(reason) = *outcome else { continue };
            let expected = events.iter().filter(|event| event.2 == at).count() as u64;
            let counted = report.rejections.iter().find(|of| of.reason == reason.facts().name);
            prop_assert_eq!(counted.map_or(0, |of| of.events), expected);
        }
    }
}
