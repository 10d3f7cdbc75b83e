//! A fallback over a primary in memory that can be cut off, with time that a test moves.

mod asked;
mod bounds;
mod outage;
mod same;
mod settlement;
mod status;

use std::{
    net::IpAddr,
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis_breaker::BreakerState;
use proptest::prelude::*;

use super::{FallbackStore, FallbackStoreBuilder, Fraction, NodeCount};
use crate::{
    clock::Timestamp,
    conformance,
    name::{Category, Tier},
    observer::{Event, Observer},
    policy::{Limit, Policies, PoliciesBuilder, Policy, Rate, Rule},
    request::RateLimitRequest,
    store::{
        Answer, Charge, ChargeFuture, ChargeOutcome, DenialCache, LeaseStore, MemoryStore, Store,
        StoreError, WhenFull,
    },
};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;
/// The longest that a breaker stays open.
const LONGEST_OPEN: Duration = Duration::from_secs(30);

/// How a node reaches the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    /// Nothing arrives.
    Down,
    /// What is sent arrives, and the answer does not.
    Deaf,
    /// Neither answers nor fails.
    Hangs,
    /// The primary holds something else.
    Malformed,
    /// The primary is not asked, as where too many calls are under way.
    NotAsked,
    /// Nothing arrives, and what no limit applies to is answered without asking.
    Empty,
}

/// A store as a node reaches it.
#[derive(Debug)]
struct Primary {
    shared: Arc<MemoryStore>,
    link: Mutex<Link>,
    asked: AtomicUsize,
}

impl Primary {
    fn of(shared: &Arc<MemoryStore>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            link: Mutex::new(Link::Up),
            asked: AtomicUsize::new(0),
        })
    }

    fn set(&self, link: Link) {
        *self.link.lock().unwrap() = link;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Store for Primary {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let link = *self.link.lock().unwrap();
        if link == Link::Empty && charge.targets().next().is_none() {
            return self.shared.decide(charge).into();
        }
        if matches!(link, Link::Up | Link::Deaf | Link::Hangs) {
            let outcome = self.shared.decide(charge);
            if link == Link::Up {
                return outcome.into();
            }
        }
        match link {
            Link::Hangs => ChargeFuture::boxed(std::future::pending()),
            Link::Malformed => ChargeFuture::ready(Err(StoreError::Malformed("a list".into()))),
            Link::NotAsked => ChargeFuture::ready(Err(StoreError::NotAsked("crowded".into()))),
            _ => ChargeFuture::ready(Err(StoreError::Unavailable("cut off".into()))),
        }
    }
}

/// What an observer is told, without what concerns single requests.
#[derive(Debug, Default)]
struct Told {
    states: Mutex<Vec<BreakerState>>,
    admitted: AtomicUsize,
    settled: Mutex<Vec<u64>>,
}

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::BreakerChanged { state } => self.states.lock().unwrap().push(*state),
            Event::FallbackAdmitted { .. } => drop(self.admitted.fetch_add(1, Ordering::SeqCst)),
            Event::Settled { tokens } => self.settled.lock().unwrap().push(*tokens),
            _ => {}
        }
    }
}

fn capacity(buckets: usize) -> NonZeroUsize {
    NonZeroUsize::new(buckets).unwrap()
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(capacity(10_000), WhenFull::SharedOverflow))
}

/// A node with its way to the primary.
struct Node {
    primary: Arc<Primary>,
    store: FallbackStore,
    told: Arc<Told>,
}

impl Node {
    fn new(build: impl Fn(FallbackStoreBuilder) -> FallbackStoreBuilder) -> Self {
        Self::on(&memory(), build)
    }

    fn on(
        shared: &Arc<MemoryStore>,
        build: impl Fn(FallbackStoreBuilder) -> FallbackStoreBuilder,
    ) -> Self {
        let (primary, told) = (Primary::of(shared), Arc::new(Told::default()));
        let builder = FallbackStore::builder(primary.clone());
        let builder = builder.observer(told.clone()).seed(1);
        Self {
            store: build(builder).build(),
            primary,
            told,
        }
    }

    /// With a `LeaseStore` and a `DenialCache` before the primary.
    fn leasing_on(
        shared: &Arc<MemoryStore>,
        lifetime: Duration,
        build: impl Fn(FallbackStoreBuilder) -> FallbackStoreBuilder,
    ) -> (Self, Arc<LeaseStore>) {
        let (primary, told) = (Primary::of(shared), Arc::new(Told::default()));
        let denials = DenialCache::new(primary.clone(), capacity(1_000));
        let leases = LeaseStore::builder(Arc::new(denials)).lifetime(lifetime);
        let leases = Arc::new(leases.build());
        let builder = FallbackStore::builder(leases.clone());
        let builder = builder.observer(told.clone()).seed(1);
        let node = Self {
            store: build(builder).build(),
            primary,
            told,
        };
        (node, leases)
    }

    /// Of a number of nodes that admit a part together.
    fn of(nodes: u32, part: f64) -> Self {
        Self::new(|builder| {
            builder
                .nodes(NodeCount::fixed(number(nodes)))
                .fraction(Fraction::new(part).unwrap())
        })
    }

    fn charge(&self, policy: &Policy, request: &RateLimitRequest<'_>, at: Timestamp) -> Outcome {
        let charge = Charge::for_request(policy, request, at);
        Outcome(answered(self.store.charge(&charge)))
    }

    fn admits(&self, policy: &Policy, request: &RateLimitRequest<'_>, at: Timestamp) -> bool {
        self.charge(policy, request, at).is_admitted(policy)
    }
}

/// What a store says, once it says something.
#[derive(Debug)]
struct Outcome(Result<ChargeOutcome, StoreError>);

impl Outcome {
    fn is_admitted(&self, policy: &Policy) -> bool {
        let Ok(outcome) = &self.0 else { return false };
        policy.limits().iter().enumerate().all(|(position, limit)| {
            outcome.answer(position) != Answer::Refuses || !limit.is_enforced()
        })
    }

    fn known(&self) -> ChargeOutcome {
        *self.0.as_ref().expect("it decided")
    }
}

/// Polls once: nothing here waits, but for what hangs.
fn poll<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn answered(future: ChargeFuture<'_>) -> Result<ChargeOutcome, StoreError> {
    poll(future).expect("no call waits here")
}

fn seconds(seconds: u64) -> Timestamp {
    millis(seconds * 1_000)
}

fn millis(millis: u64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

fn start_plus(start: Timestamp, passed: Duration) -> Timestamp {
    let passed = u64::try_from(passed.as_micros()).unwrap();
    Timestamp::from_micros(start.as_micros() + passed)
}

fn limit(tokens_per_second: u32, burst: u32) -> Limit {
    Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap()
}

fn rule(tokens_per_second: u32, burst: u32) -> Rule {
    Rule::new(limit(tokens_per_second, burst))
}

fn policy(rules: impl Fn(PoliciesBuilder) -> PoliciesBuilder) -> Policy {
    let policies = rules(Policies::builder()).build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

fn one_limit(tokens_per_second: u32, burst: u32) -> Policy {
    policy(|rules| rules.category(TIER, CATEGORY, rule(tokens_per_second, burst)))
}

fn request(tenant: &str) -> RateLimitRequest<'_> {
    RateLimitRequest::new(tenant, &TIER, &CATEGORY)
}

/// One request of a history: how long after the last, at which node, of whom, and its charges.
#[derive(Clone, Debug)]
struct Step {
    at: Timestamp,
    node: usize,
    tenant: String,
    key: String,
    cost: u32,
    /// A second charge, if the first is admitted.
    rest: u32,
}

impl Step {
    fn request(&self) -> RateLimitRequest<'_> {
        request(&self.tenant)
            .with_key(&self.key)
            .with_address(IpAddr::from([192, 0, 2, 1]))
            .with_cost(self.cost)
    }

    /// Makes both charges, and gives what each has taken.
    fn run(&self, store: &FallbackStore, policy: &Policy) -> [Option<u32>; 2] {
        let first = Charge::for_request(policy, &self.request(), self.at);
        let outcome = Outcome(answered(store.charge(&first)));
        if !outcome.is_admitted(policy) {
            return [None; 2];
        }
        let rest = self.request().with_cost(self.rest);
        let outcome = outcome.known();
        let second = Charge::for_rest(policy, &rest, self.at, self.cost, &outcome);
        let second = Outcome(answered(store.charge(&second)));
        let is_admitted = second.is_admitted(policy);
        [Some(self.cost), is_admitted.then_some(self.rest)]
    }
}

/// Histories forward in time from `start` on, of a few tenants with two keys each.
fn histories(
    start: Timestamp,
    tenants: u8,
    cost: u32,
    steps: usize,
) -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..400_u64,
        0..4_usize,
        0..tenants,
        0..2_u8,
        0..=cost,
        0..=cost,
    );
    prop::collection::vec(step, 1..steps).prop_map(move |steps| {
        let mut now = start;
        let next = steps
            .into_iter()
            .map(move |(passed, node, tenant, key, cost, rest)| {
                now = Timestamp::from_micros(now.as_micros() + passed * 1_000);
                Step {
                    at: now,
                    node,
                    tenant: format!("tenant-{tenant}"),
                    key: format!("key-{key}"),
                    cost,
                    rest,
                }
            });
        next.collect()
    })
}

#[tokio::test]
async fn a_fallback_with_a_healthy_primary_conforms() {
    conformance::store(
        async || {
            let node = Node::of(3, 0.5);
            Arc::new(node.store) as Arc<dyn Store>
        },
        async |_| {},
    )
    .await;
}
