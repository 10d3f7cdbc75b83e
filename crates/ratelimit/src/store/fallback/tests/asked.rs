//! Which calls the breaker counts: those for which the shared store was asked.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
};

use super::{
    CATEGORY, Link, Node, Primary, TIER, answered, capacity, memory, millis, one_limit, policy,
    poll, request, rule, seconds,
};
use crate::{
    observer::BreakerState,
    policy::Policy,
    store::{
        Charge, ChargeFuture, DenialCache, FallbackStore, LeaseStore, Source, Store, StoreError,
    },
};

/// A shared store behind all that may stand in front of it.
fn stack(shared: &Arc<Primary>) -> (FallbackStore, Arc<LeaseStore>) {
    let denials = DenialCache::new(Arc::clone(shared) as Arc<dyn Store>, capacity(1_000));
    let leases = Arc::new(LeaseStore::builder(Arc::new(denials)).build());
    let store = FallbackStore::builder(leases.clone()).seed(1).build();
    (store, leases)
}

fn source(store: &FallbackStore, policy: &Policy, tenant: &str, cost: u32, at: u64) -> Source {
    let request = request(tenant).with_cost(cost);
    let charge = Charge::for_request(policy, &request, millis(at));
    answered(store.charge(&charge)).unwrap().source()
}

/// Fails for tenants nobody else asks for until the breaker opens, though so many others are answered
/// `between` any two of them.
fn assert_opens(store: &FallbackStore, at: u64, mut between: impl FnMut()) {
    let policy = one_limit(1, 10);
    for call in 0..30 {
        source(store, &policy, &format!("tenant-{call}"), 0, at);
        if store.stats().state == BreakerState::Open {
            return;
        }
        (0..10).for_each(|_| between());
    }
    panic!("it does not open");
}

#[test]
fn refusals_that_were_remembered_do_not_keep_the_breaker_closed() {
    let shared = Primary::of(&memory());
    let ((store, _), policy) = (stack(&shared), one_limit(1, 10));
    assert_eq!(source(&store, &policy, "acme", 10, 1_000), Source::Memory);
    assert_eq!(source(&store, &policy, "acme", 10, 1_000), Source::Memory);
    shared.set(Link::Down);
    assert_opens(&store, 1_500, || {
        let refused = source(&store, &policy, "acme", 10, 1_500);
        assert_eq!(refused, Source::DenialCache);
    });
}

#[test]
fn leases_do_not_keep_the_breaker_closed() {
    let shared = Primary::of(&memory());
    let ((store, leases), policy) = (stack(&shared), one_limit(10_000, 100_000));
    while leases.stats().outstanding < 300 {
        source(&store, &policy, "acme", 1, 1_000);
    }
    shared.set(Link::Down);
    assert_opens(&store, 1_010, || {
        assert_eq!(source(&store, &policy, "acme", 1, 1_010), Source::Lease);
    });
}

#[test]
fn charges_without_limits_do_not_keep_the_breaker_closed_nor_close_it() {
    let shared = Primary::of(&memory());
    let (store, _) = stack(&shared);
    let nothing = policy(|rules| rules.key(TIER, CATEGORY, rule(1, 1)));
    shared.set(Link::Empty);
    assert_opens(&store, 1_000, || {
        source(&store, &nothing, "acme", 1, 1_000);
    });
    source(&store, &nothing, "acme", 1, 3_000);
    assert_eq!(store.stats().state, BreakerState::HalfOpen);
    source(&store, &one_limit(1, 10), "acme", 0, 3_000);
    assert_eq!(store.stats().state, BreakerState::Open, "it was the probe");
}

#[test]
fn calls_for_which_nobody_was_asked_are_answered_and_open_nothing() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 1_000));
    node.primary.set(Link::NotAsked);
    for _ in 0..100 {
        let outcome = node.charge(&policy, &request("acme"), seconds(1));
        assert!(outcome.is_admitted(&policy));
        assert_eq!(outcome.known().source(), Source::Fallback);
    }
    assert_eq!(node.primary.asked(), 100);
    assert_eq!(node.store.stats().state, BreakerState::Closed);
}

/// A shared store whose answers are lost, from a time on.
#[derive(Debug)]
struct Lossy {
    shared: Arc<Primary>,
    asked: AtomicUsize,
    /// Until then those who ask wait.
    is_lost: AtomicBool,
}

impl Store for Lossy {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if charge.now() < seconds(2) {
            return self.shared.charge(charge);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        ChargeFuture::boxed(poll_fn(|_| {
            if self.is_lost.load(Ordering::SeqCst) {
                Poll::Ready(Err(StoreError::Unavailable("lost".into())))
            } else {
                Poll::Pending
            }
        }))
    }
}

#[test]
fn a_lost_round_trip_that_many_wait_for_is_one_failure() {
    let lossy = Arc::new(Lossy {
        shared: Primary::of(&memory()),
        asked: AtomicUsize::new(0),
        is_lost: AtomicBool::new(false),
    });
    let leases = Arc::new(LeaseStore::builder(Arc::clone(&lossy) as Arc<dyn Store>).build());
    let store = FallbackStore::builder(leases.clone()).seed(1).build();
    let policy = one_limit(10_000, 100_000);
    // Hot, and without a lease.
    let mut calls = 0;
    while calls < 1_000 || leases.stats().outstanding > 0 {
        source(&store, &policy, "acme", 1, 1_999);
        calls += 1;
    }
    let request = request("acme");
    let charge = Charge::for_request(&policy, &request, seconds(2));
    let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(store.charge(&charge))).collect();
    for request in &mut waiting {
        assert!(poll(request.as_mut()).is_none());
    }
    lossy.is_lost.store(true, Ordering::SeqCst);
    for request in &mut waiting {
        let outcome = poll(request.as_mut()).unwrap().unwrap();
        assert_eq!(outcome.source(), Source::Fallback);
    }
    assert_eq!(lossy.asked.load(Ordering::SeqCst), 1);
    assert_eq!(store.stats().state, BreakerState::Closed);
}

#[test]
fn what_stands_in_for_the_store_teaches_the_stores_before_it_nothing() {
    let shared = Primary::of(&memory());
    let fallback = FallbackStore::builder(shared.clone()).build();
    let denials = Arc::new(DenialCache::new(Arc::new(fallback), capacity(1_000)));
    let leases = LeaseStore::builder(denials.clone()).build();
    let policy = one_limit(10_000, 1_000);
    shared.set(Link::Down);
    for _ in 0..2_000 {
        let request = request("acme");
        let charge = Charge::for_request(&policy, &request, seconds(1));
        let outcome = answered(leases.charge(&charge)).unwrap();
        assert_eq!(outcome.source(), Source::Fallback);
    }
    assert_eq!((leases.stats().leases, denials.stats().entries), (0, 0));
}
