//! Which addresses are refused, when it is tried again, and what becomes of leaves on the way.

mod addresses;
mod followed;
mod log;

use std::time::Duration;

use super::*;

#[test]
fn webhooks_are_tried_ten_times_in_75_hours() {
    let schedule = RetrySchedule::standard_webhooks();
    let delays: Vec<_> = (1..).map_while(|failed| schedule.delay(failed)).collect();
    assert_eq!(delays.len(), 9);
    let all: Duration = delays.iter().sum();
    assert_eq!(all, Duration::from_secs(75 * 3_600 + 35 * 60 + 5));
    assert!(delays.is_sorted());
}

#[test]
fn what_the_operator_runs_is_tried_each_five_minutes_for_ever() {
    let schedule = RetrySchedule::for_ever();
    let seconds = |failed| schedule.delay(failed).unwrap().as_secs();
    let first: Vec<_> = (1..8).map(seconds).collect();
    assert_eq!(first, [1, 5, 15, 60, 120, 300, 300]);
    assert_eq!(seconds(usize::MAX), 300);
}

#[test]
fn limits_are_those_of_standard_webhooks() {
    let limits = RequestLimits::new(AddressPolicy::public());
    assert_eq!(limits.timeout, Duration::from_secs(15));
}
