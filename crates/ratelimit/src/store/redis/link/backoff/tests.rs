//! Waits grow to their bound and are spread out.

use std::{collections::HashSet, time::Duration};

use super::Backoff;

#[test]
fn waits_double_from_50_ms_to_1_s_with_up_to_half_taken_off() {
    let mut backoff = Backoff::new();
    for whole in [50, 100, 200, 400, 800, 1_000, 1_000, 1_000] {
        let whole = Duration::from_millis(whole);
        let delay = backoff.next_delay();
        assert!(
            delay <= whole && delay >= whole / 2,
            "{delay:?} of {whole:?}"
        );
    }
    for _ in 0..100 {
        assert!(backoff.next_delay() >= Duration::from_millis(500));
    }
}

#[test]
fn two_that_lost_a_server_together_come_back_apart() {
    let delays: HashSet<Duration> = (0..100).map(|_| Backoff::new().next_delay()).collect();
    assert!(delays.len() > 50, "{delays:?}");
}
