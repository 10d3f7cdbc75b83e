//! Limits with debt, and requests that are charged twice.

use proptest::prelude::*;

use super::*;

fn owing(tokens_per_second: u32, burst: u32, debt: u32) -> Limit {
    let limit = limit(Rate::tokens_per_second(tokens_per_second), burst);
    limit.with_debt(debt).unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn after(millis: u64) -> Result<(), Retry> {
    Err(Retry::After(Duration::from_millis(millis)))
}

#[test]
fn a_cost_above_the_burst_is_charged_in_full_while_the_whole_burst_is_free() {
    let limit = owing(10, 20, 1_000);
    let full = Bucket::full(&limit, at(0));
    let owing = full.at(&limit, at(0)).charge(1_020).unwrap();
    let level = owing.at(&limit, at(0));
    assert_eq!((level.remaining(), level.check(0)), (0, Ok(())));
    // 1,001 tokens have to drain before there is one, 1,020 before there are twenty, or more.
    assert_eq!(level.next_token(), Some(Duration::from_millis(100_100)));
    assert_eq!(level.check(1), after(100_100));
    assert_eq!(level.check(20), after(102_000));
    assert_eq!(level.check(21), after(102_000));
    assert_eq!(level.check(1_021), Err(Retry::NeverSatisfiable));
    assert_eq!(level.time_to_full(), Duration::from_millis(102_000));
    assert_eq!(owing.used_at(at(2_000)), 1_000);
    let level = owing.at(&limit, at(100_100));
    assert_eq!((level.remaining(), level.check(1)), (1, Ok(())));
    // One token in use is enough to refuse what only the whole burst can answer for.
    let one = full.at(&limit, at(0)).charge(1).unwrap();
    assert_eq!(one.at(&limit, at(0)).check(21), after(100));
    assert_eq!(one.at(&limit, at(0)).check(19), Ok(()));
}

#[test]
fn the_first_charge_of_a_request_does_not_stand_in_the_way_of_its_rest() {
    let limit = owing(10, 20, 1_000);
    let full = Bucket::full(&limit, at(0));
    let first = full.at(&limit, at(0)).charge(1).unwrap();
    let level = first.at(&limit, at(0));
    let rest = level.charge_more(1, 1_019).unwrap();
    assert_eq!(rest, full.at(&limit, at(0)).charge(1_020).unwrap());
    assert_eq!(level.charge_more(1, 1_020), Err(Retry::NeverSatisfiable));
    // Another request has come between.
    let other = level.charge(1).unwrap();
    let refused = other.at(&limit, at(0)).charge_more(1, 1_019).map(drop);
    assert_eq!(refused, after(200), "both tokens have to drain");
    assert!(
        other.at(&limit, at(0)).charge_more(1, 18).is_ok(),
        "twenty in all"
    );
    let refused = other.at(&limit, at(0)).charge_more(1, 19).map(drop);
    assert_eq!(refused, after(200), "the request itself costs twenty");
}

#[test]
fn debt_that_was_made_under_another_limit_is_kept_up_to_what_the_new_one_may_owe() {
    let before = owing(10, 20, 1_000);
    let owed = Bucket::full(&before, at(0))
        .at(&before, at(0))
        .charge(1_020)
        .unwrap();
    for (tokens_per_second, burst, debt, drains) in [
        (10, 20, 1_000, 102_000),
        (20, 20, 1_000, 51_000),
        (10, 2_000, 0, 102_000),
        (10, 20, 100, 12_000),
        (10, 20, 0, 2_000),
    ] {
        let limit = owing(tokens_per_second, burst, debt);
        let drained = owed.at(&limit, at(0)).time_to_full();
        assert_eq!(drained, Duration::from_millis(drains), "{limit:?}");
    }
}

/// One request: when it comes, what it costs at first and in all, and how long its content takes
/// to be known.
type Step = (i64, u32, u32, i64);

fn requests() -> impl Strategy<Value = Vec<Step>> {
    let moves = prop_oneof![6 => 0..=300_i64, 1 => 0..=20_000_i64, 1 => -300..=0_i64];
    let rests = prop_oneof![3 => 0..=3_u32, 2 => 0..=60_u32];
    prop::collection::vec((moves, 0..=3_u32, rests, 0..=200_i64), 100)
}

fn small() -> impl Strategy<Value = Limit> {
    (rates(), 1..=20_u32, 0..=40_u32).prop_filter_map("too large", |(rate, burst, debt)| {
        Limit::new(rate, burst).ok()?.with_debt(debt).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn two_charges_equal_those_of_the_model_and_a_refusal_says_when_the_whole_would_pass(
        limit in small(),
        requests in requests(),
    ) {
        let mut now = Timestamp::from_micros(1_000_000_000);
        let mut bucket = Bucket::full(&limit, Timestamp::default());
        let mut model = Model::full(limit);
        for (hundredths, first, rest, content) in requests {
            now = moved(now, &limit, hundredths);
            let charged = bucket.at(&limit, now).charge(first);
            prop_assert_eq!(charged.is_ok(), model.charge(now, 0, first));
            let Ok(once) = charged else { continue };
            bucket = once;
            now = moved(now, &limit, content);
            let charged = bucket.at(&limit, now).charge_more(first, rest);
            prop_assert_eq!(charged.is_ok(), model.charge(now, first, rest));
            match charged {
                Ok(twice) => bucket = twice,
                Err(Retry::NeverSatisfiable) => prop_assert!(first + rest > limit.largest_cost()),
                Err(Retry::After(wait)) => {
                    let sent_again = |then| {
                        let once = bucket.at(&limit, then).charge(first)?;
                        once.at(&limit, then).charge_more(first, rest)
                    };
                    let then = later(now, wait);
                    prop_assert!(sent_again(earlier(then, 1)).is_err(), "a microsecond before");
                    prop_assert!(sent_again(then).is_ok(), "admitted then");
                }
            }
            prop_assert!(bucket.consumed() <= limit.most_volume());
        }
    }

    #[test]
    fn two_charges_at_one_time_admit_what_one_charge_of_the_sum_would(
        limit in small(),
        used in 0..=60_u32,
        first in 0..=30_u32,
        rest in 0..=60_u32,
    ) {
        let now = Timestamp::from_micros(1_000_000);
        let full = Bucket::full(&limit, now);
        let bucket = full.at(&limit, now).charge(used).unwrap_or(full);
        let level = bucket.at(&limit, now);
        let twice = level.charge(first).and_then(|once| {
            once.at(&limit, now).charge_more(first, rest)
        });
        let whole = level.charge(first + rest);
        prop_assert_eq!(twice.is_ok(), whole.is_ok());
        if let Ok(twice) = twice {
            prop_assert_eq!(Ok(twice.consumed()), whole.map(|whole| whole.consumed()));
        }
    }

    /// The bound that the documents state, for every window between two admissions.
    #[test]
    fn any_window_admits_at_most_the_burst_the_rate_and_the_debt(
        limit in small(),
        requests in requests(),
    ) {
        let mut now = Timestamp::from_micros(1_000_000_000);
        let mut bucket = Bucket::full(&limit, Timestamp::default());
        let mut admitted: Vec<(Timestamp, u32)> = Vec::new();
        for (hundredths, first, rest, content) in requests {
            now = moved(now, &limit, hundredths.abs());
            let Ok(once) = bucket.at(&limit, now).charge(first) else { continue };
            bucket = once;
            admitted.push((now, first));
            now = moved(now, &limit, content);
            if let Ok(twice) = bucket.at(&limit, now).charge_more(first, rest) {
                bucket = twice;
                admitted.push((now, rest));
            }
        }
        let period = limit.rate().period().as_micros();
        let tick = u128::from(limit.scale().tick().micros());
        let at_once = u128::from(limit.burst()) + u128::from(limit.debt());
        for (begin, (from, _)) in admitted.iter().enumerate() {
            let mut tokens = 0;
            for (to, cost) in &admitted[begin..] {
                tokens += u128::from(*cost);
                let window = to.since(*from).as_micros() + tick - 1;
                let bound = at_once * period + u128::from(limit.rate().tokens()) * window;
                prop_assert!(tokens * period <= bound, "{tokens} tokens in {window} µs");
            }
        }
    }

    /// Batches above the burst, each as soon as it may come: the rate, no more and no less.
    #[test]
    fn over_time_exactly_the_rate_is_admitted(
        limit in small(),
        costs in prop::collection::vec(1..=60_u32, 1..50),
    ) {
        let start = Timestamp::from_micros(1_000_000_000);
        let (mut now, mut bucket) = (start, Bucket::full(&limit, Timestamp::default()));
        let (mut tokens, mut waits) = (0_u128, 0_u128);
        for cost in costs {
            let cost = limit.burst() + cost % (limit.debt() + 1);
            if let Err(Retry::After(wait)) = bucket.at(&limit, now).check(cost) {
                now = later(now, wait);
                waits += 1;
            }
            let level = bucket.at(&limit, now);
            prop_assert_eq!(level.consumed(), 0, "the whole burst is free");
            bucket = level.charge(cost).unwrap();
            tokens += u128::from(cost);
        }
        let left = bucket.at(&limit, now).time_to_full();
        let elapsed = later(now, left).since(start).as_micros();
        let (period, rate) = (limit.rate().period().as_micros(), u128::from(limit.rate().tokens()));
        // Each wait ends with a whole tick, and the last one as well.
        let tick = u128::from(limit.scale().tick().micros());
        prop_assert!(tokens * period <= rate * elapsed);
        prop_assert!(tokens * period > rate * elapsed.saturating_sub((waits + 1) * tick));
    }
}
