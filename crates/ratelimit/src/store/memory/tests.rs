//! The bounds of the store in memory.

mod full;
mod same;

use std::{collections::HashMap, net::IpAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{MemoryStore, WhenFull};
use crate::{
    clock::{Clock, FakeClock, Timestamp},
    conformance,
    name::{Category, Tier},
    policy::{Limit, Policies, PoliciesBuilder, Policy, Rate, Rule},
    request::RateLimitRequest,
    store::{Answer, Charge, ChargeFuture, ChargeOutcome, Store},
};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

fn store(capacity: usize, when_full: WhenFull) -> MemoryStore {
    MemoryStore::new(NonZeroUsize::new(capacity).unwrap(), when_full)
}

fn rule(tokens_per_second: u32, burst: u32) -> Rule {
    Rule::new(Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap())
}

fn policy(rules: impl Fn(PoliciesBuilder) -> PoliciesBuilder) -> Policy {
    let policies = rules(Policies::builder()).build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

fn one_limit(tokens_per_second: u32, burst: u32) -> Policy {
    policy(|rules| rules.category(TIER, CATEGORY, rule(tokens_per_second, burst)))
}

fn four_limits() -> Policy {
    policy(|rules| {
        rules
            .tenant(TIER, rule(9, 12))
            .category(TIER, CATEGORY, rule(7, 9))
            .key(TIER, CATEGORY, rule(3, 6))
            .address(TIER, CATEGORY, rule(2, 5))
    })
}

fn request(tenant: &str) -> RateLimitRequest<'_> {
    RateLimitRequest::new(tenant, &TIER, &CATEGORY)
}

fn charge(
    store: &MemoryStore,
    policy: &Policy,
    request: &RateLimitRequest<'_>,
    at: Timestamp,
) -> ChargeOutcome {
    outcome_of(store, &Charge::for_request(policy, request, at))
}

fn outcome_of(store: &MemoryStore, charge: &Charge<'_>) -> ChargeOutcome {
    match store.charge(charge) {
        ChargeFuture::Decided(outcome) => outcome,
        ChargeFuture::Boxed(_) => panic!("memory has nothing to wait for"),
    }
}

fn admits(
    store: &MemoryStore,
    policy: &Policy,
    request: &RateLimitRequest<'_>,
    at: Timestamp,
) -> bool {
    let outcome = charge(store, policy, request, at);
    policy.limits().iter().enumerate().all(|(position, limit)| {
        outcome.answer(position) != Answer::Refuses || !limit.is_enforced()
    })
}

fn millis(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

/// One request of a history: when, of whom, with which key and from where, at what cost.
#[derive(Clone, Debug)]
struct Step {
    at: Timestamp,
    tenant: String,
    key: String,
    address: IpAddr,
    cost: u32,
}

impl Step {
    fn request(&self) -> RateLimitRequest<'_> {
        request(&self.tenant)
            .with_key(&self.key)
            .with_address(self.address)
            .with_cost(self.cost)
    }
}

/// Histories of a few tenants with a few keys and addresses each, mostly forward in time.
fn histories(tenants: u8, costs: impl Strategy<Value = u32>) -> impl Strategy<Value = Vec<Step>> {
    let step = (-100..=400_i64, 0..tenants, 0..3_u8, 0..3_u8, costs);
    prop::collection::vec(step, 1..120).prop_map(|steps| {
        let mut now = 10_000_000_u64;
        let next = steps
            .into_iter()
            .map(move |(millis, tenant, key, address, cost)| {
                now = now.saturating_add_signed(millis * 1_000);
                Step {
                    at: Timestamp::from_micros(now),
                    tenant: format!("tenant-{tenant}"),
                    key: format!("key-{key}"),
                    address: IpAddr::from([192, 0, 2, address]),
                    cost,
                }
            });
        next.collect()
    })
}

/// The same history without steps back, for statements about intervals of time.
fn forward(mut history: Vec<Step>) -> Vec<Step> {
    let mut latest = Timestamp::default();
    for step in &mut history {
        latest = latest.max(step.at);
        step.at = latest;
    }
    history
}

/// Tokens admitted in each interval between two admissions are at most burst + rate · interval.
fn assert_bound(admissions: &[(Timestamp, u32)], limit: &Limit) {
    for (first, (from, _)) in admissions.iter().enumerate() {
        let mut admitted = 0;
        for (to, cost) in &admissions[first..] {
            admitted += u128::from(*cost);
            let period = limit.rate().period().as_micros();
            let refilled = to.since(*from).as_micros() * u128::from(limit.rate().tokens());
            let bound = u128::from(limit.burst()) * period + refilled;
            assert!(
                admitted * period <= bound,
                "{admitted} from {from:?} to {to:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_memory_store_conforms() {
    for when_full in [WhenFull::SharedOverflow, WhenFull::EvictLeast] {
        for capacity in [100, 100_000] {
            conformance::store(
                async || Arc::new(store(capacity, when_full)) as Arc<dyn Store>,
                async |_| {},
            )
            .await;
        }
    }
}

proptest! {
    #[test]
    fn every_limit_admits_at_most_burst_and_rate_in_every_interval(
        history in histories(2, 0..=7_u32),
    ) {
        let (store, policy) = (store(1_000, WhenFull::SharedOverflow), four_limits());
        let mut of_bucket: HashMap<(usize, String), Vec<(Timestamp, u32)>> = HashMap::new();
        for step in forward(history) {
            if !admits(&store, &policy, &step.request(), step.at) {
                continue;
            }
            let Step { tenant, key, address, .. } = &step;
            let buckets =
                [tenant.clone(), tenant.clone(), tenant.clone() + key, format!("{tenant}{address}")];
            for bucket in buckets.into_iter().enumerate() {
                of_bucket.entry(bucket).or_default().push((step.at, step.cost));
            }
        }
        for ((position, _), admissions) in of_bucket {
            assert_bound(&admissions, policy.limits()[position].limit());
        }
    }

    /// A store that sees only what is admitted goes on exactly like one that sees everything.
    #[test]
    fn refusal_changes_no_state(history in histories(3, 0..=7_u32)) {
        let everything = store(1_000, WhenFull::EvictLeast);
        let only_admitted = store(1_000, WhenFull::EvictLeast);
        let policy = four_limits();
        for step in history {
            let peek = step.request().with_cost(0);
            let before = charge(&everything, &policy, &peek, step.at);
            prop_assert_eq!(before, charge(&only_admitted, &policy, &peek, step.at));
            if admits(&everything, &policy, &step.request(), step.at) {
                prop_assert!(admits(&only_admitted, &policy, &step.request(), step.at));
            } else {
                prop_assert_eq!(before, charge(&everything, &policy, &peek, step.at));
            }
        }
    }

    #[test]
    fn shadow_limits_on_or_off_give_the_same_enforced_decisions(
        history in histories(6, 0..=7_u32),
        capacity in 4..=12_usize,
        evict in any::<bool>(),
    ) {
        let when_full = if evict { WhenFull::EvictLeast } else { WhenFull::SharedOverflow };
        // Which buckets of a full store are met in search of room depends on the fingerprints.
        let (with, mut without) = (store(capacity, when_full), store(capacity, when_full));
        without.fingerprints = with.fingerprints.clone();
        let enforced = policy(|rules| {
            rules.tenant(TIER, rule(9, 12)).key(TIER, CATEGORY, rule(3, 6))
        });
        let shadowed = policy(|rules| {
            rules
                .tenant(TIER, rule(9, 12))
                .category(TIER, CATEGORY, rule(1, 1).shadow())
                .key(TIER, CATEGORY, rule(3, 6))
                .address(TIER, CATEGORY, rule(1, 2).shadow())
        });
        for step in history {
            let one = charge(&with, &shadowed, &step.request(), step.at);
            let other = charge(&without, &enforced, &step.request(), step.at);
            prop_assert_eq!(one.status(&shadowed, 0), other.status(&enforced, 0));
            prop_assert_eq!(one.status(&shadowed, 2), other.status(&enforced, 1));
        }
    }

    #[test]
    fn one_tenants_load_never_changes_anothers_decisions(history in histories(4, 0..=7_u32)) {
        let (busy, quiet) = (
            store(1_000, WhenFull::SharedOverflow),
            store(1_000, WhenFull::SharedOverflow),
        );
        let policy = four_limits();
        for step in history {
            let among_others = charge(&busy, &policy, &step.request(), step.at);
            if step.tenant == "tenant-0" {
                prop_assert_eq!(among_others, charge(&quiet, &policy, &step.request(), step.at));
            }
        }
    }

}

#[test]
fn addresses_of_one_ipv6_network_share_a_bucket() {
    let store = store(100, WhenFull::SharedOverflow);
    let policies = Policies::builder()
        .client_address(rule(1, 2))
        .build()
        .unwrap();
    let policy = policies.client_address();
    let admits = |address: &str| {
        let charge = Charge::for_address(policy, address.parse().unwrap(), millis(0));
        outcome_of(&store, &charge).answer(0) == Answer::HasRoom
    };
    assert!(admits("2001:db8::1"));
    assert!(admits("2001:db8::2"));
    assert!(!admits("2001:db8::3"));
    assert!(admits("2001:db8:0:1::1"));
}

#[test]
fn threads_at_one_moment_admit_exactly_the_smallest_burst() {
    let (store, policy) = (store(1_000, WhenFull::SharedOverflow), four_limits());
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u8)
            .map(|thread| {
                let (store, policy) = (&store, &policy);
                scope.spawn(move || {
                    let key = format!("key-{thread}");
                    let address = IpAddr::from([192, 0, 2, thread]);
                    let request = request("busy").with_key(&key).with_address(address);
                    (0..500)
                        .filter(|_| admits(store, policy, &request, millis(1)))
                        .count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(
        admitted, 9,
        "the category's burst is the smallest that all threads share"
    );
}

#[test]
fn threads_with_clocks_apart_admit_at_most_burst_and_rate() {
    let (store, policy) = (store(1_000, WhenFull::SharedOverflow), one_limit(1_000, 50));
    let clock = FakeClock::new();
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (store, policy, clock) = (&store, &policy, &clock);
                scope.spawn(move || {
                    let once = |_: &_| {
                        // Read before the lock is taken, so that times arrive out of order.
                        let now = Timestamp::from(clock.monotonic());
                        clock.advance(Duration::from_micros(50));
                        admits(store, policy, &request("busy"), now)
                    };
                    (0..1_000).filter(once).count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    // 8,000 steps of 50 µs are 400 ms, in which 400 tokens come back.
    assert!((400..=450).contains(&admitted), "{admitted}");
}
