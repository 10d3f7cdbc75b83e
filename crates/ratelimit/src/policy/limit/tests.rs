//! What makes a limit, and in which units it counts.

use std::time::Duration;

use proptest::prelude::*;

use super::{Limit, LimitError, Rate};
use crate::bucket::Tick;

#[test]
fn a_limit_needs_a_rate_a_period_and_a_burst() {
    let second = Duration::from_secs(1);
    let limit = |tokens, period, burst| Limit::new(Rate::tokens_per(tokens, period), burst);
    assert_eq!(limit(0, second, 1), Err(LimitError::ZeroRate));
    assert_eq!(limit(1, Duration::ZERO, 1), Err(LimitError::ZeroPeriod));
    assert_eq!(limit(1, second, 0), Err(LimitError::ZeroBurst));
    assert_eq!(
        limit(1, Duration::from_nanos(1_500), 1),
        Err(LimitError::PeriodTooFine)
    );
    assert_eq!(limit(1, Duration::MAX, 1), Err(LimitError::PeriodTooFine));
    assert_eq!(
        limit(1, Duration::from_secs(u64::MAX), 1),
        Err(LimitError::TooLarge)
    );
}

#[test]
fn a_rate_is_in_lowest_terms_and_ticks_are_as_fine_as_fits() {
    let scale = |rate, burst| {
        let scale = Limit::new(rate, burst).unwrap().scale();
        (
            scale.units_per_tick().get(),
            scale.units_per_token().get(),
            scale.tick(),
        )
    };
    assert_eq!(
        scale(Rate::tokens_per_second(200), 400),
        (1, 5_000, Tick::Micros)
    );
    assert_eq!(
        scale(Rate::tokens_per_second(3), 1),
        (3, 1_000_000, Tick::Micros)
    );
    assert_eq!(
        scale(Rate::tokens_per_day(1), 50_000),
        (1, 86_400_000_000, Tick::Micros)
    );
    assert_eq!(
        scale(Rate::tokens_per_day(1), 60_000),
        (1, 86_400_000, Tick::Millis)
    );
    assert_eq!(
        scale(Rate::tokens_per_day(1), 50_000_000),
        (1, 86_400_000, Tick::Millis)
    );
    assert_eq!(
        Limit::new(Rate::tokens_per_day(1), 60_000_000),
        Err(LimitError::TooLarge)
    );
}

#[test]
fn the_refill_time_is_the_burst_over_the_rate() {
    let refill = |rate, burst| Limit::new(rate, burst).unwrap().refill_time();
    assert_eq!(
        refill(Rate::tokens_per_second(200), 400),
        Duration::from_secs(2)
    );
    assert_eq!(
        refill(Rate::tokens_per_minute(100), 100),
        Duration::from_secs(60)
    );
    assert_eq!(
        refill(Rate::tokens_per_second(3), 1),
        Duration::from_micros(333_334)
    );
}

#[test]
fn the_debt_counts_for_what_can_be_counted_exactly() {
    let day = |burst| Limit::new(Rate::tokens_per_day(1), burst).unwrap();
    assert_eq!(day(50_000).scale().tick(), Tick::Micros);
    let owing = day(50_000).with_debt(10_000).unwrap();
    assert_eq!(owing.scale(), day(60_000).scale(), "in milliseconds");
    assert_eq!((owing.burst(), owing.debt()), (50_000, 10_000));
    assert_eq!(owing.with_debt(0), Ok(day(50_000)));
    let error = day(50_000_000).with_debt(10_000_000).unwrap_err();
    assert_eq!(error, LimitError::TooLarge);
    assert!(day(50_000_000).with_debt(2_000_000).is_ok());
    // The sum does not have to fit a u32.
    let fast = Limit::new(
        Rate::tokens_per(1_000_000, Duration::from_secs(1)),
        u32::MAX,
    );
    let fast = fast.unwrap().with_debt(u32::MAX).unwrap();
    assert_eq!(
        (fast.largest_cost(), fast.most_volume()),
        (u32::MAX, 2 * u64::from(u32::MAX))
    );
}

proptest! {
    #[test]
    fn two_full_volumes_are_exact_in_a_double(
        tokens in 1..=u32::MAX,
        micros in 1..=u64::MAX / 2,
        burst in 1..=u32::MAX,
        debt in 0..=u32::MAX,
    ) {
        let rate = Rate::tokens_per(tokens, Duration::from_micros(micros));
        let limit = Limit::new(rate, burst).and_then(|limit| limit.with_debt(debt));
        if let Ok(limit) = limit {
            let tokens = u64::from(burst) + u64::from(debt);
            let most = limit.scale().units_per_token().get().checked_mul(tokens);
            prop_assert_eq!(most, Some(limit.most_volume()));
            prop_assert!(2 * limit.most_volume() < 1 << 53);
        }
    }
}
