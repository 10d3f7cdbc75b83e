//! Each metric moves by what it counts, also where no test of the service gets.

use std::{sync::Arc, time::Duration};

use portcullis_ratelimit::{
    RateLimiter,
    clock::{Clock, FakeClock},
    observer::{BreakerState, RoundTripEnd},
    policy::{Limit, Policies, Rate, Rule},
    store::{MemoryStore, WhenFull},
};

use super::*;
use crate::{
    backend::LimitStores,
    config::{Endpoint, ExpectedNodes, SharedLimits, Topology},
    observe::{movement::assert_moved, scraped},
};

fn shared() -> LimitStore {
    LimitStore::Redis(SharedLimits {
        urls: Vec::new(),
        endpoint: Endpoint {
            host: "cache".to_owned(),
            port: 6379,
        },
        topology: Topology::Single,
        counting: Counting::Lease,
        nodes: ExpectedNodes::Counted,
    })
}

fn value(registry: &Registry, name: &str) -> String {
    let text = registry.render(None).unwrap().body;
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(sample, _)| *sample == name);
    let (_, value) = found.unwrap_or_else(|| panic!("{name} is not in {text}"));
    value.to_owned()
}

#[test]
fn round_trips_and_what_was_admitted_without_any_are_counted() {
    let registry = Registry::new();
    let metrics = LimitMetrics::register(&registry, &shared()).unwrap();
    let ends = [
        (RoundTripEnd::Answered, "answered"),
        (RoundTripEnd::TimedOut, "timed_out"),
        (RoundTripEnd::Failed, "failed"),
        (RoundTripEnd::Crowded, "crowded"),
    ];
    for (times, (end, label)) in ends.into_iter().enumerate() {
        for _ in 0..=times {
            let elapsed = Duration::from_millis(30);
            metrics.observe(&Event::RoundTrip { elapsed, end });
        }
        let name = format!("ratelimit_redis_round_trips_total{{end=\"{label}\"}}");
        assert_eq!(value(&registry, &name), (times + 1).to_string());
    }
    // Those that were asked.
    assert_eq!(value(&registry, "ratelimit_redis_seconds_count"), "6");
    let within = |bound| format!("ratelimit_redis_seconds_bucket{{le=\"{bound}\"}}");
    assert_eq!(value(&registry, &within("0.02")), "0");
    assert_eq!(value(&registry, &within("0.03")), "6");

    metrics.observe(&Event::FallbackAdmitted { tokens: 7 });
    metrics.observe(&Event::Settled { tokens: 5 });
    let admitted = "ratelimit_fallback_admitted_tokens_total";
    assert_eq!(value(&registry, admitted), "7");
    assert_eq!(value(&registry, "ratelimit_settled_tokens_total"), "5");
}

#[test]
fn every_source_of_a_decision_has_a_series_of_its_own() {
    let registry = Registry::new();
    let metrics = LimitMetrics::register(&registry, &shared()).unwrap();
    let policies = crate::limits::complete(Policies::builder()).unwrap();
    let policy = policies.client_address();
    for (times, source) in Source::ALL.into_iter().enumerate() {
        for _ in 0..=times {
            metrics.observe(&Event::Admitted { policy, source });
        }
        metrics.observe(&Event::Refused { policy, source });
        for (outcome, count) in [("admitted", times + 1), ("refused", 1)] {
            let labels =
                format!("policy=\"client-address\",outcome=\"{outcome}\",source=\"{source}\"");
            let name = format!("ratelimit_decisions_total{{{labels}}}");
            assert_eq!(value(&registry, &name), count.to_string());
        }
    }
}

/// Once when Redis is not asked any more, once when it is again: what is tried in between is no news.
#[test]
fn an_outage_is_told_when_it_begins_and_when_it_ends() {
    let registry = Registry::new();
    let metrics = SharedLimitMetrics::register(&registry).unwrap();
    let told = |state| metrics.is_news(state);
    assert!(!told(BreakerState::Closed));
    assert!(told(BreakerState::Open));
    for _ in 0..3 {
        assert!(!told(BreakerState::HalfOpen));
        assert!(!told(BreakerState::Open));
    }
    assert!(!told(BreakerState::HalfOpen));
    assert!(told(BreakerState::Closed));
    assert!(!told(BreakerState::Closed));
}

#[tokio::test]
async fn tables_tell_what_they_hold_what_made_room_and_what_found_none() {
    let store = NonZeroUsize::new(4).unwrap();
    let store = Arc::new(MemoryStore::new(store, WhenFull::SharedOverflow));
    let registry = Registry::new();
    let stores = Arc::new(LimitStores::of_memory(&store));
    register_limit_stores(&registry, &stores).unwrap();
    let clock = Arc::new(FakeClock::new());
    let rule = Rule::new(Limit::new(Rate::tokens_per_second(1), 10).unwrap());
    let limiter = RateLimiter::builder()
        .policies(Policies::builder().client_address(rule).build().unwrap())
        .store(Arc::clone(&store) as _)
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .build()
        .unwrap();
    let told = || {
        ["entries", "evicted_total", "overflowed_total"].map(|what| {
            let name = format!("ratelimit_table_{what}{{table=\"memory\"}}");
            value(&registry, &name).parse::<f64>().unwrap()
        })
    };
    let check = async |network: u8| {
        let address = [192, 0, 2, network].into();
        limiter.check_address(address).await.unwrap();
    };
    check(1).await;
    assert_eq!(told(), [1.0, 0.0, 0.0]);
    let before = scraped(&registry);
    for network in 2..20 {
        check(network).await;
    }
    let [entries, evicted, overflowed] = told();
    assert!(entries >= 3.0 && evicted == 0.0 && overflowed > 0.0);
    clock.advance(Duration::from_secs(60));
    check(20).await;
    assert!(told()[1] > 0.0, "{:?}", told());
    assert_moved(
        &before,
        &scraped(&registry),
        [
            "ratelimit_table_evicted_total",
            "ratelimit_table_overflowed_total",
        ],
    );
}
