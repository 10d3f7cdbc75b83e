//! The decisions of single limits against those of `governor`, which counts in nanoseconds a token.

use ::governor::{
    Quota, RateLimiter,
    clock::{Clock as _, FakeRelativeClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::*;

const STEPS: usize = 64;

/// What `governor` says to a cost: as a bucket would.
struct Governor {
    clock: FakeRelativeClock,
    limiter: RateLimiter<
        NotKeyed,
        InMemoryState,
        FakeRelativeClock,
        NoOpMiddleware<<FakeRelativeClock as ::governor::clock::Clock>::Instant>,
    >,
}

impl Governor {
    fn new(per_token: Duration, burst: u32) -> Self {
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(per_token).unwrap();
        let quota = quota.allow_burst(NonZeroU32::new(burst).unwrap());
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Self { clock, limiter }
    }

    /// The wait in whole microseconds, rounded up, as ours are.
    fn charge(&self, cost: u32) -> Result<(), Retry> {
        let Some(cost) = NonZeroU32::new(cost) else {
            return Ok(());
        };
        match self.limiter.check_n(cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.clock.now()).as_nanos();
                let micros = u64::try_from(wait.div_ceil(1_000)).unwrap();
                Err(Retry::After(Duration::from_micros(micros)))
            }
            Err(_) => Err(Retry::NeverSatisfiable),
        }
    }
}

/// Rates whose tokens take a whole number of nanoseconds, which is what `governor` can count: more
/// than one token a period, and most of them no whole number of microseconds each.
fn whole_nanoseconds() -> impl Strategy<Value = Rate> {
    (
        1..=5_000_000_u64,
        prop::sample::select(vec![1, 2, 4, 5, 8, 25, 40, 125, 200, 1_000_u32]),
    )
        .prop_map(|(micros, tokens)| Rate::tokens_per(tokens, Duration::from_micros(micros)))
        .prop_filter("below a nanosecond", |rate| nanos_per_token(*rate) > 0)
}

/// Rounded down.
fn nanos_per_token(rate: Rate) -> u64 {
    u64::try_from(rate.period().as_nanos() / u128::from(rate.tokens())).unwrap()
}

proptest! {
    // 1,024 histories of 64 steps: 65,536 steps.
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn decisions_equal_those_of_governor(
        rate in whole_nanoseconds(),
        burst in prop_oneof![1..=50_u32, 1..=5_000_u32],
        steps in steps(STEPS),
    ) {
        let theirs = Governor::new(Duration::from_nanos(nanos_per_token(rate)), burst);
        let limit = limit(rate, burst);
        let mut now = Timestamp::default();
        let mut bucket = Bucket::full(&limit, now);
        for (hundredths, cost) in steps {
            let next = moved(now, &limit, hundredths.abs());
            theirs.clock.advance(next.since(now));
            now = next;
            let cost = cost % (burst + 2);
            let charged = bucket.at(&limit, now).charge(cost);
            prop_assert_eq!(charged.map(drop), theirs.charge(cost));
            bucket = charged.unwrap_or(bucket);
        }
    }

    /// A token of `governor` comes up to a nanosecond early where the rate does not divide, and a request
    /// as much early as tokens were taken before it. Never is one of ours early, or later than that.
    #[test]
    fn where_the_rate_does_not_divide_governor_is_early_by_a_nanosecond_a_token(
        tokens in 1..=10_000_u32,
        micros in 1..=60_000_000_u64,
        burst in 1..=50_u32,
        steps in steps(STEPS),
    ) {
        let rate = Rate::tokens_per(tokens, Duration::from_micros(micros));
        prop_assume!(nanos_per_token(rate) > 0);
        let theirs = Governor::new(Duration::from_nanos(nanos_per_token(rate)), burst);
        let limit = limit(rate, burst);
        let mut now = Timestamp::default();
        let mut bucket = Bucket::full(&limit, now);
        let mut taken = 0_u64;
        for (hundredths, cost) in steps {
            let next = moved(now, &limit, hundredths.abs());
            theirs.clock.advance(next.since(now));
            now = next;
            let cost = cost % (burst + 2);
            let ours = bucket.at(&limit, now).charge(cost);
            let early = Duration::from_nanos(taken + u64::from(cost)) + Duration::from_micros(1);
            match (ours, theirs.charge(cost)) {
                (Ok(after), theirs) => {
                    prop_assert_eq!(theirs, Ok(()), "theirs is never later");
                    bucket = after;
                    taken += u64::from(cost);
                }
                (Err(Retry::NeverSatisfiable), theirs) => {
                    prop_assert_eq!(theirs, Err(Retry::NeverSatisfiable));
                }
                (Err(Retry::After(wait)), Err(Retry::After(theirs))) => {
                    prop_assert!(theirs <= wait && wait <= theirs + early, "{wait:?}, {theirs:?}");
                }
                (Err(Retry::After(wait)), theirs) => {
                    prop_assert_eq!(theirs, Ok(()), "what ours can admit, theirs can");
                    prop_assert!(wait <= early, "{wait:?} after {taken} tokens");
                    // They have gone different ways by one request.
                    break;
                }
            }
        }
    }
}
