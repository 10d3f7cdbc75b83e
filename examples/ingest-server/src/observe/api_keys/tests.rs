//! Each metric moves by what it counts, also where no test of the service gets.

use portcullis_apikey_cache::{
    EffectiveBy,
    observer::{BusTask, Refresh},
};

use super::*;
use crate::observe::{movement::assert_moved, scraped};

fn registered(registry: &Registry) -> ApiKeyMetrics {
    let objectives = Arc::new(ObjectiveMetrics::register(registry).unwrap());
    ApiKeyMetrics::register(registry, objectives).unwrap()
}

fn value(registry: &Registry, name: &str) -> String {
    let text = registry.render(None).unwrap().body;
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(sample, _)| *sample == name);
    let (_, value) = found.unwrap_or_else(|| panic!("{name} is not in {text}"));
    value.to_owned()
}

/// A series that begins with its first fault begins at 1: `increase` does not see that one.
#[test]
fn faults_and_refusals_are_counted_from_nothing() {
    let registry = Registry::new();
    let metrics = registered(&registry);
    for kind in [
        "load_discarded",
        "row_rejected",
        "store_failed",
        "outbox_gap",
        "bus_gap",
    ] {
        let sample = format!("apikey_faults_total{{kind=\"{kind}\"}}");
        assert_eq!(value(&registry, &sample), "0");
    }
    for reason in REASONS {
        let sample = format!("apikey_refusals_total{{reason=\"{}\"}}", reason.as_str());
        assert_eq!(value(&registry, &sample), "0");
        metrics.observe(&Event::Denied(reason));
        assert_eq!(value(&registry, &sample), "1");
    }
}

#[test]
fn what_takes_a_minute_or_an_outage_is_counted() {
    let registry = Registry::new();
    let metrics = registered(&registry);
    let before = scraped(&registry);
    let took = Duration::from_secs(3);
    for (event, sample) in [
        (
            Event::Refreshed(Refresh::Renewed),
            "apikey_refreshes_total{outcome=\"renewed\"}",
        ),
        (
            Event::Refreshed(Refresh::Withdrawn),
            "apikey_refreshes_total{outcome=\"withdrawn\"}",
        ),
        (
            Event::Refreshed(Refresh::Failed),
            "apikey_refreshes_total{outcome=\"failed\"}",
        ),
        (
            Event::BusFailed(BusTask::Tell),
            "apikey_bus_failures_total{task=\"tell\"}",
        ),
        (Event::BusGap, "apikey_faults_total{kind=\"bus_gap\"}"),
        (
            Event::Effective {
                took,
                how: EffectiveBy::LeasesExpired,
            },
            "apikey_revocation_effective_seconds_count{by=\"leases_expired\"}",
        ),
    ] {
        metrics.observe(&event);
        assert_eq!(value(&registry, sample), "1", "{event:?}");
    }
    assert_moved(
        &before,
        &scraped(&registry),
        ["apikey_refreshes_total", "apikey_bus_failures_total"],
    );
}
