//! Policies, histories and stores for the tests of what stands in front of a store.

use std::{
    collections::HashMap,
    future::Future as _,
    net::IpAddr,
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;

use super::{Answer, Charge, ChargeFuture, ChargeOutcome, MemoryStore, Store, Target, WhenFull};
use crate::{
    bucket::Bucket,
    clock::Timestamp,
    name::{Category, Tier},
    policy::{Limit, Policies, PoliciesBuilder, Policy, Rate, Rule},
    request::RateLimitRequest,
};

pub(super) const TIER: Tier = Tier::STANDARD;
pub(super) const CATEGORY: Category = Category::INGEST;

/// A store in memory that counts the charges it is asked for.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) memory: MemoryStore,
    asked: AtomicU64,
}

/// A store that decides by a time of its own, which is set from outside.
#[derive(Debug, Default)]
pub(super) struct OwnTime {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    now: Timestamp,
    buckets: HashMap<String, Bucket>,
}

/// One charge of a history.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) node: usize,
    pub(super) tenant: String,
    pub(super) key: String,
    pub(super) before: u32,
    pub(super) cost: u32,
}

impl Counted {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: memory(),
            asked: AtomicU64::new(0),
        })
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Store for Counted {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.memory.charge(charge)
    }
}

impl OwnTime {
    pub(super) fn set(&self, now: Timestamp) {
        self.kept.lock().unwrap().now = now;
    }

    /// Without the buckets, as a server that was emptied.
    pub(super) fn empty(&self) {
        self.kept.lock().unwrap().buckets.clear();
    }
}

impl Store for OwnTime {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        let mut kept = self.kept.lock().unwrap();
        let key = |target: &Target<'_>| {
            let (limit, subject) = (target.limit().identity(), target.subject());
            format!("{limit} {:?} {subject:?}", charge.partition())
        };
        let pending = charge.decide(kept.now, |target| kept.buckets.get(&key(target)).copied());
        for (target, bucket) in pending.updates() {
            kept.buckets.insert(key(&target), bucket);
        }
        pending.outcome().into()
    }
}

pub(super) fn memory() -> MemoryStore {
    MemoryStore::new(capacity(1_000), WhenFull::SharedOverflow)
}

pub(super) fn capacity(buckets: usize) -> NonZeroUsize {
    NonZeroUsize::new(buckets).unwrap()
}

pub(super) fn limit(tokens_per_second: u32, burst: u32) -> Limit {
    Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap()
}

pub(super) fn rule(tokens_per_second: u32, burst: u32) -> Rule {
    Rule::new(limit(tokens_per_second, burst))
}

pub(super) fn policy(rules: impl Fn(PoliciesBuilder) -> PoliciesBuilder) -> Policy {
    let policies = rules(Policies::builder()).build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

pub(super) fn one_limit(tokens_per_second: u32, burst: u32) -> Policy {
    policy(|rules| rules.category(TIER, CATEGORY, rule(tokens_per_second, burst)))
}

pub(super) fn request(tenant: &str) -> RateLimitRequest<'_> {
    RateLimitRequest::new(tenant, &TIER, &CATEGORY)
}

pub(super) fn millis(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

/// What is there as soon as it is asked for.
pub(super) fn answered(future: ChargeFuture<'_>) -> ChargeOutcome {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.expect("memory does not fail"),
        Poll::Pending => panic!("memory has nothing to wait for"),
    }
}

pub(super) fn charged(store: &dyn Store, charge: &Charge<'_>) -> ChargeOutcome {
    answered(store.charge(charge))
}

/// Whether no enforced limit refuses.
pub(super) fn admits(policy: &Policy, outcome: &ChargeOutcome) -> bool {
    policy.limits().iter().enumerate().all(|(position, limit)| {
        outcome.answer(position) != Answer::Refuses || !limit.is_enforced()
    })
}

impl Step {
    pub(super) fn charge<'a>(&'a self, policy: &'a Policy) -> Charge<'a> {
        let request = request(&self.tenant)
            .with_key(&self.key)
            .with_address(IpAddr::from([192, 0, 2, 1]))
            .with_cost(self.cost);
        let first = ChargeOutcome::default();
        Charge::for_rest(policy, &request, self.at, self.before, &first)
            .with_amounts(self.before, self.cost)
    }
}

/// Charges of two tenants with two keys each, on up to three nodes, so many milliseconds apart.
pub(super) fn histories(
    millis: impl Strategy<Value = i64>,
    costs: impl Strategy<Value = u32>,
) -> impl Strategy<Value = Vec<Step>> {
    let before = prop_oneof![4 => Just(0), 1 => 1..=5_u32];
    let step = (millis, 0..3_usize, 0..2_u8, 0..2_u8, before, costs);
    prop::collection::vec(step, 1..200).prop_map(|steps| {
        let mut now = 10_000_000_u64;
        let step = |(millis, node, tenant, key, before, cost)| {
            now = now.saturating_add_signed(millis * 1_000);
            Step {
                at: Timestamp::from_micros(now),
                node,
                tenant: format!("tenant-{tenant}"),
                key: format!("key-{key}"),
                before,
                cost,
            }
        };
        steps.into_iter().map(step).collect()
    })
}
