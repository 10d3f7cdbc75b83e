//! A million label values that somebody invents leave the number of series and the memory of the process
//! flat. This binary holds one test, since it looks at the memory of its process.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/resident.rs"]
mod resident;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis_telemetry::{
    Buckets, Registry,
    clock::{Clock, FakeClock},
};

use self::resident::resident;

const CAP: NonZeroUsize = NonZeroUsize::new(64).unwrap();
const VALUES: usize = 1_000_000;

fn series(registry: &Registry) -> usize {
    let body = registry.render(None).unwrap().body;
    body.lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn a_million_invented_label_values_leave_series_and_memory_flat() {
    let registry = Registry::new();
    let clock = Arc::new(FakeClock::new(std::time::SystemTime::UNIX_EPOCH));
    let events = registry.counter_family("events", "", ["tenant", "kind"], CAP);
    let (events, labels) = (events.unwrap(), ["tenant"]);
    let seconds = registry
        .exemplar_histogram_family("seconds", "", labels, Buckets::REQUEST_SECONDS, CAP)
        .unwrap();
    let level = registry.gauge_family("level", "", labels, CAP).unwrap();
    // Where places become free again, they are not taken by more than there are.
    let idle = Duration::from_secs(60);
    seconds.retire_idle(idle, Arc::clone(&clock) as Arc<dyn Clock>);
    let record = |number: usize| {
        let tenant = format!("tenant-{number}");
        events.with([&tenant, "invented"]).inc();
        seconds.with([&tenant]).observe(0.1);
        level.with([&tenant]).set(1);
        if number.is_multiple_of(10_000) {
            clock.advance(idle);
        }
    };
    (0..VALUES / 10).for_each(record);
    let (before, shown) = (resident(), series(&registry));
    (VALUES / 10..VALUES).for_each(record);
    let grown = resident() - before;
    assert!(grown < 4e6, "memory grew by {grown} bytes");
    let buckets = 18;
    let most = 65 + 65 * buckets + 65 + 6;
    assert!(series(&registry) <= most, "{} > {most}", series(&registry));
    assert!(shown <= most);
    let body = registry.render(None).unwrap().body;
    let overflow = r#"events_total{tenant="__other__",kind="__other__"} 999936"#;
    assert!(body.contains(overflow), "{body}");
}
