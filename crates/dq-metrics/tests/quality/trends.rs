//! Which way quality goes.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use portcullis_dq_metrics::{Outcome, Quality, Subject, clock::FakeClock, score::Direction};

use crate::{builder, fault::Fault};

const BAD: Outcome<Fault> = Outcome::Rejected(Fault::FieldMissing);

/// One event a second.
fn send(quality: &Quality<Fault>, clock: &FakeClock, minutes: u32, outcome: Outcome<Fault>) {
    for _ in 0..minutes * 60 {
        clock.advance(Duration::from_secs(1));
        quality.record(Subject::tenant("acme"), outcome);
    }
}

#[test]
fn a_fault_shows_without_anybody_reading_meanwhile() {
    let clock = Arc::new(FakeClock::default());
    let quality = builder(&clock).build();
    send(&quality, &clock, 180, Outcome::Accepted);
    send(&quality, &clock, 3, BAD);
    let trend = quality.trend("acme").unwrap();
    assert_eq!(trend.direction, Some(Direction::Worsening));
    assert!(trend.five_minutes < trend.one_hour);
    assert!(trend.one_hour < Some(100.0));
    send(&quality, &clock, 120, BAD);
    send(&quality, &clock, 10, Outcome::Accepted);
    assert_eq!(
        quality.trend("acme").unwrap().direction,
        Some(Direction::Improving)
    );
}

#[test]
fn a_wall_clock_that_is_set_changes_no_trend() {
    let trend = |set_to: Option<u64>| {
        let clock = Arc::new(FakeClock::default());
        let quality = builder(&clock).build();
        send(&quality, &clock, 60, Outcome::Accepted);
        if let Some(seconds) = set_to {
            clock.set_wall(UNIX_EPOCH + Duration::from_secs(seconds));
        }
        send(&quality, &clock, 5, BAD);
        quality.trend("acme").unwrap()
    };
    let undisturbed = trend(None);
    assert_eq!(undisturbed.direction, Some(Direction::Worsening));
    for seconds in [0, 1_000_000, 253_402_300_799, 1 << 50] {
        assert_eq!(trend(Some(seconds)), undisturbed, "{seconds}");
    }
}

#[test]
fn all_tenants_together_have_a_trend() {
    let clock = Arc::new(FakeClock::default());
    let quality = builder(&clock).build();
    send(&quality, &clock, 10, Outcome::Accepted);
    assert_eq!(
        quality.report(None).trend,
        quality.report(Some("acme")).trend
    );
    quality.record(Subject::tenant("globex"), BAD);
    let (all, acme) = (
        quality.report(None).trend,
        quality.report(Some("acme")).trend,
    );
    assert!(all.five_minutes < acme.five_minutes);
}

#[test]
fn a_tenant_never_seen_has_no_trend() {
    let quality = builder(&Arc::new(FakeClock::default())).build();
    assert_eq!(quality.trend("acme"), None);
}
