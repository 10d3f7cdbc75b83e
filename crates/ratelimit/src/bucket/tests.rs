//! The arithmetic against an exact model, and in `governor` against that crate.

mod debt;
mod governor;

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use proptest::prelude::*;

use super::{Bucket, Retry, Scale, Tick};
use crate::{
    clock::Timestamp,
    policy::{Limit, Rate},
};

/// The tokens available, as an exact fraction over the period in microseconds, below zero when
/// they are owed. It counts the other way round from a [`Bucket`] and never reduces.
#[derive(Debug)]
struct Model {
    limit: Limit,
    available: i128,
    seen: i128,
}

impl Model {
    fn full(limit: Limit) -> Self {
        Self {
            limit,
            available: 0,
            seen: 0,
        }
        .refilled()
    }

    fn refilled(self) -> Self {
        Self {
            available: self.of_tokens(self.limit.burst()),
            ..self
        }
    }

    fn of_tokens(&self, tokens: u32) -> i128 {
        i128::from(tokens) * i128::try_from(self.limit.rate().period().as_micros()).unwrap()
    }

    /// Whole ticks only, which is what a limit promises.
    fn observe(&mut self, now: Timestamp) {
        let per_tick = i128::from(self.limit.scale().tick().micros());
        let now = i128::from(now.as_micros()) / per_tick * per_tick;
        let elapsed = (now - self.seen).max(0);
        let most = self.of_tokens(self.limit.burst());
        let gained = elapsed * i128::from(self.limit.rate().tokens());
        self.available = most.min(self.available + gained);
        self.seen = self.seen.max(now);
    }

    /// A charge of `cost` for a request that has taken `before`.
    fn charge(&mut self, now: Timestamp, before: u32, cost: u32) -> bool {
        if cost == 0 {
            return true;
        }
        let mut observed = Self { ..*self };
        observed.observe(now);
        let (burst, debt) = (u64::from(self.limit.burst()), u64::from(self.limit.debt()));
        let whole = u64::from(before) + u64::from(cost);
        let is_free = if whole > burst {
            // All that is gone from the burst is the request's own.
            whole <= burst + debt
                && observed.available >= self.of_tokens(self.limit.burst()) - self.of_tokens(before)
        } else {
            observed.available >= self.of_tokens(cost)
        };
        if is_free {
            observed.available -= self.of_tokens(cost);
            *self = observed;
        }
        is_free
    }
}

fn rates() -> impl Strategy<Value = Rate> {
    let periods = prop_oneof![
        Just(Duration::from_micros(333)),
        Just(Duration::from_millis(1)),
        Just(Duration::from_secs(1)),
        Just(Duration::from_micros(7_000_003)),
        Just(Duration::from_secs(60)),
        Just(Duration::from_secs(86_400)),
    ];
    let tokens = prop_oneof![1..=20_u32, 1..=10_000_u32];
    (tokens, periods).prop_map(|(tokens, period)| Rate::tokens_per(tokens, period))
}

fn limits() -> impl Strategy<Value = Limit> {
    let bursts = prop_oneof![1..=20_u32, 1..=100_000_u32, Just(40_000_000_u32)];
    let debts = prop_oneof![2 => Just(0), 2 => 1..=20_u32, 1 => 1..=100_000_u32];
    (rates(), bursts, debts).prop_filter_map("too large", |(rate, burst, debt)| {
        Limit::new(rate, burst).ok()?.with_debt(debt).ok()
    })
}

/// Moves in hundredths of the time one token takes, backwards too, and costs up to two above what
/// there may be, mostly small.
fn steps(count: usize) -> impl Strategy<Value = Vec<(i64, u32)>> {
    let moves = prop_oneof![6 => 0..=300_i64, 2 => 0..=20_000_i64, 2 => -2_000..=0_i64];
    let costs = prop_oneof![6 => 0..=3_u32, 2 => 0..=30_u32, 1 => any::<u32>()];
    prop::collection::vec((moves, costs), count)
}

fn moved(now: Timestamp, limit: &Limit, hundredths: i64) -> Timestamp {
    let token = limit.rate().period().as_micros() / u128::from(limit.rate().tokens());
    let by = i64::try_from(token).unwrap() * hundredths / 100 + hundredths % 7;
    Timestamp::from_micros(now.as_micros().saturating_add_signed(by))
}

fn earlier(time: Timestamp, by_micros: u64) -> Timestamp {
    Timestamp::from_micros(time.as_micros() - by_micros)
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(time.as_micros() + u64::try_from(by.as_micros()).unwrap())
}

fn limit(rate: Rate, burst: u32) -> Limit {
    Limit::new(rate, burst).unwrap()
}

proptest! {
    // 512 histories of 256 steps: 131,072 steps.
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn decisions_equal_an_exact_fraction_model_though_the_clock_steps_back(
        limit in limits(),
        steps in steps(256),
    ) {
        let mut now = Timestamp::from_micros(1_000_000_000);
        let mut bucket = Bucket::full(&limit, Timestamp::default());
        let mut model = Model::full(limit);
        for (hundredths, cost) in steps {
            now = moved(now, &limit, hundredths);
            let cost = cost % (limit.largest_cost() + 2);
            let level = bucket.at(&limit, now);
            let charged = level.charge(cost);
            prop_assert_eq!(charged.is_ok(), model.charge(now, 0, cost));
            match charged {
                Ok(after) => bucket = after,
                Err(Retry::NeverSatisfiable) => prop_assert_eq!(cost, limit.largest_cost() + 1),
                Err(Retry::After(wait)) => {
                    let then = later(now, wait);
                    let just_before = bucket.at(&limit, earlier(then, 1)).charge(cost);
                    let micro = Err(Retry::After(Duration::from_micros(1)));
                    prop_assert_eq!(just_before, micro, "refused a microsecond before");
                    prop_assert!(bucket.at(&limit, then).charge(cost).is_ok(), "admitted then");
                }
            }
            prop_assert!(bucket.consumed() <= limit.most_volume());
            let level = bucket.at(&limit, now);
            if let Some(wait) = level.next_token() {
                let then = later(now, wait);
                let just_before = bucket.at(&limit, earlier(then, 1));
                prop_assert_eq!(just_before.remaining(), level.remaining());
                prop_assert!(bucket.at(&limit, then).remaining() > level.remaining());
            } else {
                prop_assert_eq!(level.remaining(), limit.burst());
            }
            let full_at = later(now, level.time_to_full());
            prop_assert!(bucket.at(&limit, full_at).next_token().is_none(), "full then");
            if level.next_token().is_some() {
                let just_before = bucket.at(&limit, earlier(full_at, 1));
                prop_assert!(just_before.next_token().is_some(), "not a microsecond before");
            }
            // What a store keeps of a bucket is all there is to it.
            let kept = (bucket.consumed(), bucket.last_tick(), bucket.scale());
            prop_assert_eq!(Bucket::new(kept.0, kept.1, kept.2), bucket);
        }
    }

    #[test]
    fn a_change_of_limit_keeps_the_used_tokens_up_to_the_new_burst_and_debt(
        before in limits(),
        after in limits(),
        used in any::<u32>(),
    ) {
        let now = Timestamp::from_micros(5_000_000);
        let used = used % before.largest_cost() + 1;
        let bucket = Bucket::full(&before, now).at(&before, now).charge(used).unwrap();
        // A millisecond tick rounds the time of the charge up, which only refills later.
        let level = bucket.at(&after, now);
        prop_assert_eq!(level.remaining(), after.burst().saturating_sub(used));
        let kept = after.scale().volume_of(used.min(after.largest_cost()));
        prop_assert_eq!(level.consumed(), kept);
        let full_at = later(now, level.time_to_full());
        prop_assert_eq!(bucket.at(&after, full_at).remaining(), after.burst());
    }

    #[test]
    fn a_bucket_has_drained_exactly_when_it_is_full_again(
        limit in limits(),
        cost in any::<u32>(),
        hundredths in 0..=20_000_i64,
    ) {
        let start = Timestamp::from_micros(1_000_000);
        let cost = cost % limit.largest_cost() + 1;
        let bucket = Bucket::full(&limit, start).at(&limit, start).charge(cost).unwrap();
        let now = moved(start, &limit, hundredths);
        let used = bucket.used_at(now);
        let level = bucket.at(&limit, now);
        prop_assert_eq!(used, level.consumed().div_ceil(limit.scale().units_per_token().get()));
        prop_assert_eq!(level.remaining(), limit.burst().saturating_sub(u32::try_from(used).unwrap()));
        prop_assert_eq!(used == 0, bucket.at(&limit, now).next_token().is_none());
    }
}

#[test]
fn a_clock_that_steps_back_refills_nothing_until_it_has_caught_up() {
    let limit = limit(Rate::tokens_per_second(1), 1);
    let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
    let bucket = Bucket::full(&limit, at(0))
        .at(&limit, at(10))
        .charge(1)
        .unwrap();
    let retry = bucket.at(&limit, at(5)).charge(1);
    assert_eq!(retry, Err(Retry::After(Duration::from_secs(6))));
    assert!(bucket.at(&limit, at(10)).charge(1).is_err());
    assert!(bucket.at(&limit, at(11)).charge(1).is_ok());
}

#[test]
fn a_change_of_limit_gives_no_fraction_of_a_token_away() {
    let before = limit(Rate::tokens_per_second(1), 10);
    let at = Timestamp::from_micros;
    let bucket = Bucket::full(&before, at(0))
        .at(&before, at(0))
        .charge(1)
        .unwrap();
    let bucket = bucket.at(&before, at(999_999)).charge(2).unwrap();
    // Just above two tokens are used; in thirds of a token that is seven thirds.
    let after = limit(Rate::tokens_per(1, Duration::from_micros(3)), 10);
    assert_eq!(bucket.at(&after, at(999_999)).remaining(), 7);
}

#[test]
fn a_peek_gives_the_bucket_back_as_it_was() {
    let limit = limit(Rate::tokens_per_second(1), 5);
    let bucket = Bucket::full(&limit, Timestamp::default());
    let bucket = bucket
        .at(&limit, Timestamp::from_micros(7))
        .charge(5)
        .unwrap();
    assert_eq!(
        bucket.at(&limit, Timestamp::from_micros(900)).charge(0),
        Ok(bucket)
    );
}

#[test]
fn millisecond_limits_wait_to_the_microsecond_of_the_next_millisecond() {
    let limit = limit(Rate::tokens_per_day(1), 60_000);
    assert_eq!(limit.scale().tick(), Tick::Millis);
    let now = Timestamp::from_micros(1_500);
    let bucket = Bucket::full(&limit, Timestamp::default());
    let bucket = bucket.at(&limit, now).charge(60_000).unwrap();
    let retry = bucket.at(&limit, now).charge(1);
    assert_eq!(
        retry,
        Err(Retry::After(Duration::from_micros(86_400_000_000 - 500)))
    );
}

#[test]
fn parts_that_no_charge_makes_admit_nothing_early_and_do_not_overflow() {
    let limit = limit(Rate::tokens_per_second(1), 5);
    let now = Timestamp::from_micros(1_000_000);
    let over = Bucket::new(u64::MAX, 0, limit.scale());
    assert_eq!(
        over.at(&limit, now).remaining(),
        1,
        "a whole burst, and a second passed"
    );
    let ahead = Bucket::new(limit.volume(), u64::MAX, limit.scale());
    assert!(ahead.at(&limit, now).charge(1).is_err());
    let scale = Scale::new(NonZeroU64::MIN, NonZeroU32::MAX, Tick::Millis);
    let other = Bucket::new(u64::MAX, u64::MAX, scale);
    assert!(other.at(&limit, now).charge(1).is_err());
    assert_eq!(other.at(&limit, now).remaining(), 0);
}
