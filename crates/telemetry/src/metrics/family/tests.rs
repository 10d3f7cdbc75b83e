//! Label sets come and go within the bound.

use std::time::SystemTime;

use super::*;
use crate::{Buckets, Registry, clock::FakeClock, movement::assert_moved};

const CAP: NonZeroUsize = NonZeroUsize::new(3).unwrap();
const IDLE: Duration = Duration::from_secs(600);

fn stage() -> (Registry, Arc<FakeClock>, BoundedFamily<1, Counter>) {
    let registry = Registry::new();
    let clock = Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH));
    let family = registry.counter_family("hits", "", ["shop"], CAP).unwrap();
    family.retire_idle(IDLE, Arc::clone(&clock) as Arc<dyn Clock>);
    (registry, clock, family)
}

/// The series that a scrape finds, by their values and counts.
fn scraped(registry: &Registry) -> Vec<String> {
    let body = registry.render(None).unwrap().body;
    let lines = body
        .lines()
        .filter_map(|line| line.strip_prefix("hits_total{shop="));
    let mut found: Vec<String> = lines.map(str::to_owned).collect();
    found.sort();
    found
}

#[test]
fn an_idle_label_set_is_retired_and_its_place_is_free() {
    let (registry, clock, family) = stage();
    for shop in ["a", "b", "c", "d"] {
        family.with([shop]).inc();
    }
    let before = registry.render(None).unwrap().body;
    let full = ["\"__other__\"} 1", "\"a\"} 1", "\"b\"} 1", "\"c\"} 1"];
    assert_eq!(scraped(&registry), full);
    // Scraped as often as Prometheus does; one of them is in use.
    for _ in 0..59 {
        clock.advance(IDLE / 60);
        family.with(["b"]).inc();
        assert_eq!(
            scraped(&registry).len(),
            4,
            "none has been idle for so long"
        );
    }
    clock.advance(IDLE / 4 + IDLE / 60);
    assert_eq!(scraped(&registry), ["\"__other__\"} 1", "\"b\"} 60"]);
    let body = registry.render(None).unwrap().body;
    let counted = "telemetry_label_sets_retired_total{metric=\"hits\"} 2\n";
    assert!(body.contains(counted), "{body}");
    assert_moved(&before, &body, ["telemetry_label_sets_retired_total"]);
    family.with(["d"]).inc();
    family.with(["a"]).inc();
    let after = ["\"__other__\"} 1", "\"a\"} 1", "\"b\"} 60", "\"d\"} 1"];
    assert_eq!(scraped(&registry), after, "one that returns begins at zero");
}

#[test]
fn a_handle_that_is_used_keeps_its_series() {
    let (registry, clock, family) = stage();
    let held = family.with(["held"]);
    for round in 1..=30 {
        clock.advance(IDLE / 2);
        held.inc();
        assert_eq!(scraped(&registry), [format!("\"held\"}} {round}")]);
    }
}

#[test]
fn a_full_family_makes_room_without_a_scrape() {
    let (registry, clock, family) = stage();
    for shop in ["a", "b", "c"] {
        family.with([shop]).inc();
    }
    clock.advance(IDLE / 2);
    family.with(["d"]).inc();
    clock.advance(2 * IDLE);
    family.with(["e"]).inc();
    let found = scraped(&registry);
    assert!(found.contains(&"\"e\"} 1".to_owned()), "{found:?}");
    assert!(!found.contains(&"\"a\"} 1".to_owned()), "{found:?}");
}

#[test]
fn histograms_and_gauges_are_retired_too() {
    let registry = Registry::new();
    let clock = Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH));
    let gauges = registry.gauge_family("level", "", ["v"], CAP).unwrap();
    gauges.retire_idle(IDLE, Arc::clone(&clock) as Arc<dyn Clock>);
    let buckets = Buckets::STAGE_SECONDS;
    let seconds = registry.exemplar_histogram_family("s", "", ["v"], buckets, CAP);
    let seconds = seconds.unwrap();
    seconds.retire_idle(IDLE, Arc::clone(&clock) as Arc<dyn Clock>);
    gauges.with(["x"]).set(1);
    let held = seconds.with(["held"]);
    seconds.with(["x"]).observe(0.5);
    let has = |sample: &str| registry.render(None).unwrap().body.contains(sample);
    assert!(has("level{v=\"x\"} 1\n") && has("s_count{v=\"x\"} 1\n"));
    for _ in 0..4 {
        clock.advance(IDLE / 2);
        held.observe(0.5);
        assert!(has("s_count{v=\"held\"}"));
    }
    assert!(!has("level{v=\"x\"}") && !has("s_count{v=\"x\"}"));
}

#[test]
fn without_retirement_every_series_stays() {
    let (registry, clock) = (Registry::new(), FakeClock::new(SystemTime::UNIX_EPOCH));
    let family = registry.counter_family("hits", "", ["shop"], CAP).unwrap();
    family.with(["a"]).inc();
    clock.advance(100 * IDLE);
    assert_eq!(scraped(&registry), ["\"a\"} 1"]);
}
