//! What is drawn, and who claims it.

use super::*;
use crate::entropy::{EntropyError, SystemEntropy};

const UNTIL: Duration = Duration::from_secs(1_000);
const TTL: Duration = Duration::from_secs(60);

/// Gives one byte, or fails.
#[derive(Debug)]
struct Fixed(Option<u8>);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0.ok_or(EntropyError)?);
        Ok(())
    }
}

/// How long before the end it is due.
fn early(entropy: &dyn Entropy, took: Duration) -> Duration {
    let due = RefreshDue::draw(entropy, UNTIL, took, TTL);
    UNTIL - Duration::from_nanos(due.0.into_inner())
}

#[test]
fn it_is_due_by_a_gap_before_the_end_at_least_and_half_of_the_time_to_live_at_most() {
    assert_eq!(early(&Fixed(Some(0)), Duration::ZERO), TTL / 2);
    assert_eq!(early(&Fixed(Some(128)), Duration::from_secs(25)), TTL / 2);
    let gap = Duration::from_secs(3);
    assert_eq!(early(&Fixed(Some(255)), Duration::ZERO), gap);
    assert_eq!(early(&Fixed(None), Duration::ZERO), 2 * gap);
}

#[test]
fn the_gap_is_a_twentieth_of_the_time_to_live_or_a_longer_load() {
    for (took, gap) in [(0, 3.0), (2, 3.0), (6, 6.0)] {
        let took = Duration::from_secs(took);
        let system = SystemEntropy::new();
        let draws = 20_000;
        let sum: f64 = (0..draws).map(|_| early(&system, took).as_secs_f64()).sum();
        let found = sum / f64::from(draws) - gap;
        // The cut at half of the time to live takes a fiftieth off the longest of them; the rest is more
        // than five standard deviations.
        assert!((found / gap - 1.0).abs() < 0.06, "{found} for {gap}");
    }
}

#[test]
fn one_of_many_claims_it_once_a_second() {
    let due = RefreshDue::draw(&Fixed(Some(255)), UNTIL, Duration::ZERO, TTL);
    let first = nanoseconds(UNTIL - TTL / 20);
    let at = |millis: u64| first + millis * 1_000_000;
    assert!(!due.has_come(at(0) - 1) && !due.claim(at(0) - 1));
    let claims = |now: u64| (0..100).filter(|_| due.claim(now)).count();
    assert_eq!((claims(at(0)), claims(at(999))), (1, 0));
    assert_eq!((claims(at(1_000)), claims(at(1_999))), (1, 0));
    assert!(!RefreshDue::never().claim(u64::MAX - 1));
}
