//! Requests that come while a lease is fetched.

use std::{
    future::{Future as _, poll_fn},
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::{admits, remaining, single, thousand, warm_up};
use crate::{
    policy::Policy,
    store::{
        Charge, ChargeFuture, ChargeOutcome, LeaseStore, MemoryStore, Source, Store, StoreError,
        histories::{capacity, memory, millis},
    },
};

/// A store that answers once it may.
#[derive(Debug)]
struct Gated {
    memory: MemoryStore,
    gate: Mutex<Gate>,
    asked: AtomicU64,
}

#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    fails: bool,
    waiting: Vec<Waker>,
}

impl Gated {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            memory: memory(),
            gate: Mutex::default(),
            asked: AtomicU64::new(0),
        })
    }

    fn close(&self) {
        self.gate.lock().unwrap().is_closed = true;
    }

    fn open(&self) {
        let mut gate = self.gate.lock().unwrap();
        gate.is_closed = false;
        let waiting = std::mem::take(&mut gate.waiting);
        drop(gate);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn fail(&self, fails: bool) {
        self.gate.lock().unwrap().fails = fails;
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Store for Gated {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        ChargeFuture::boxed(poll_fn(move |cx| {
            let mut gate = self.gate.lock().unwrap();
            if gate.is_closed {
                gate.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            if gate.fails {
                let down = io::Error::other("the store is down");
                return Poll::Ready(Err(StoreError::Unavailable(Box::new(down))));
            }
            drop(gate);
            Pin::new(&mut self.memory.charge(charge)).poll(cx)
        }))
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn leasing(inner: &Arc<Gated>) -> LeaseStore {
    LeaseStore::builder(Arc::clone(inner) as Arc<dyn Store>)
        .capacity(capacity(100))
        .build()
}

/// A store whose key is hot, without a lease, so that the next charge fetches one.
fn hot(inner: &Arc<Gated>, policy: &Policy) -> LeaseStore {
    let store = leasing(inner);
    warm_up(&store, policy, millis(1_000));
    while store.stats().outstanding > 0 {
        warm(&store, policy);
    }
    store
}

fn warm(store: &LeaseStore, policy: &Policy) {
    let charge = single(policy, 1, millis(1_000));
    assert!(matches!(
        poll(&mut store.charge(&charge)),
        Poll::Ready(Ok(_))
    ));
}

fn poll(future: &mut ChargeFuture<'_>) -> Poll<Result<ChargeOutcome, StoreError>> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn admitted(policy: &Policy, answer: Poll<Result<ChargeOutcome, StoreError>>) -> ChargeOutcome {
    let Poll::Ready(Ok(outcome)) = answer else {
        panic!("{answer:?}")
    };
    assert!(admits(policy, &outcome));
    outcome
}

#[test]
fn requests_that_come_while_a_lease_is_fetched_share_it() {
    let (inner, policy) = (Gated::new(), thousand());
    let store = hot(&inner, &policy);
    inner.close();
    let (asked, charge) = (inner.asked(), single(&policy, 1, millis(1_001)));
    let mut requests: Vec<_> = (0..15).map(|_| store.charge(&charge)).collect();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for request in &mut requests {
        let polled = Pin::new(request).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    inner.open();
    assert_eq!(woken.0.load(Ordering::SeqCst), 15, "every one is woken");
    let mut left = Vec::new();
    for request in &mut requests {
        left.push(remaining(&policy, &admitted(&policy, poll(request))));
    }
    assert_eq!(inner.asked(), asked + 1);
    assert_eq!(store.stats().waited, 14);
    let most = left[0];
    assert!(
        left.iter().copied().eq((0..15).map(|taken| most - taken)),
        "{left:?}"
    );
}

#[test]
fn all_are_woken_when_one_of_them_sees_the_answer() {
    let (inner, policy) = (Gated::new(), thousand());
    let store = hot(&inner, &policy);
    inner.close();
    let charge = single(&policy, 1, millis(1_001));
    let mut requests: Vec<_> = (0..5).map(|_| store.charge(&charge)).collect();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for request in &mut requests[1..] {
        let polled = Pin::new(request).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    // The store wakes nobody.
    inner.gate.lock().unwrap().is_closed = false;
    admitted(&policy, poll(&mut requests[0]));
    assert_eq!(woken.0.load(Ordering::SeqCst), 4);
}

#[test]
fn a_flight_goes_on_without_the_request_that_began_it() {
    let (inner, policy) = (Gated::new(), thousand());
    // Dropped after it was polled, before that, or kept and never polled.
    for (is_polled, is_dropped) in [(true, true), (false, true), (false, false)] {
        let store = hot(&inner, &policy);
        inner.close();
        let (asked, charge) = (inner.asked(), single(&policy, 1, millis(1_000)));
        let mut first = Some(store.charge(&charge));
        if is_polled && let Some(first) = &mut first {
            assert!(poll(first).is_pending());
        }
        let mut others: Vec<_> = (0..5).map(|_| store.charge(&charge)).collect();
        assert!(poll(&mut others[0]).is_pending());
        if is_dropped {
            first = None;
        }
        inner.open();
        for other in &mut others {
            let outcome = admitted(&policy, poll(other));
            assert_eq!(outcome.source(), Source::Lease);
        }
        assert_eq!(inner.asked(), asked + 1);
        drop(first);
    }
}

#[test]
fn a_flight_that_everyone_has_left_is_forgotten() {
    let (inner, policy) = (Gated::new(), thousand());
    let store = hot(&inner, &policy);
    inner.close();
    let charge = single(&policy, 1, millis(1_000));
    let mut requests: Vec<_> = (0..3).map(|_| store.charge(&charge)).collect();
    for request in &mut requests {
        assert!(poll(request).is_pending());
    }
    drop(requests);
    inner.open();
    let asked = inner.asked();
    let outcome = admitted(&policy, poll(&mut store.charge(&charge)));
    assert_eq!(
        (outcome.source(), inner.asked()),
        (Source::Memory, asked + 1)
    );
    assert_eq!(store.stats().outstanding, 0, "it asked for itself alone");
    // What was learned from it is enough for the next lease.
    admitted(&policy, poll(&mut store.charge(&charge)));
    assert!(store.stats().outstanding > 0);
}

#[test]
fn a_failure_is_passed_on_to_all_who_wait_and_a_valid_lease_is_spent_first() {
    let (inner, policy) = (Gated::new(), thousand());
    let store = hot(&inner, &policy);
    warm(&store, &policy);
    let held = store.stats().outstanding;
    inner.fail(true);
    let charge = single(&policy, 1, millis(1_000));
    for _ in 0..held {
        let outcome = admitted(&policy, poll(&mut store.charge(&charge)));
        assert_eq!(outcome.source(), Source::Lease);
    }
    inner.close();
    let mut requests: Vec<_> = (0..3).map(|_| store.charge(&charge)).collect();
    for request in &mut requests {
        assert!(poll(request).is_pending());
    }
    inner.open();
    let mut answers: Vec<_> = requests.iter_mut().map(poll).collect();
    // One round trip has failed: that is told once, by one of those who are still there.
    let Poll::Ready(Err(StoreError::Unavailable(cause))) = answers.remove(0) else {
        panic!("{answers:?}");
    };
    assert_eq!(cause.to_string(), "the store is down");
    for answer in answers {
        let Poll::Ready(Err(StoreError::NotAsked(cause))) = answer else {
            panic!("{answer:?}");
        };
        assert!(cause.to_string().starts_with("the request that asked"));
    }
    // Also if the one that asked has left.
    inner.fail(false);
    let store = hot(&inner, &policy);
    inner.close();
    inner.fail(true);
    let mut requests: Vec<_> = (0..3).map(|_| store.charge(&charge)).collect();
    for request in &mut requests {
        assert!(poll(request).is_pending());
    }
    inner.open();
    drop(requests.remove(0));
    let first = poll(&mut requests[0]);
    assert!(matches!(
        first,
        Poll::Ready(Err(StoreError::Unavailable(_)))
    ));
    inner.fail(false);
    admitted(&policy, poll(&mut store.charge(&charge)));
}

#[test]
fn what_a_lease_does_not_suffice_for_asks_for_itself_after_waiting_once() {
    let (inner, policy) = (Gated::new(), thousand());
    let store = hot(&inner, &policy);
    inner.close();
    let asked = inner.asked();
    let (one, many) = (
        single(&policy, 1, millis(1_000)),
        single(&policy, 300, millis(1_000)),
    );
    let (mut first, mut second) = (store.charge(&one), store.charge(&many));
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    inner.open();
    admitted(&policy, poll(&mut first));
    assert_eq!(
        admitted(&policy, poll(&mut second)).source(),
        Source::Memory
    );
    assert_eq!(inner.asked(), asked + 2);
}

/// On several threads, with requests dropped at any point: everyone else is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_left_waiting_by_requests_that_are_dropped() {
    let (inner, policy) = (Yielding::new(), Arc::new(thousand()));
    let store = Arc::new(
        LeaseStore::builder(Arc::clone(&inner) as Arc<dyn Store>)
            .capacity(capacity(100))
            .build(),
    );
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64_u64 {
        let (store, policy) = (Arc::clone(&store), Arc::clone(&policy));
        tasks.spawn(async move {
            for call in 0..200 {
                let charge = single(&policy, 1, millis(call));
                let mut request = store.charge(&charge);
                if (task + call) % 5 == 0 {
                    // Polled once or not at all.
                    if call % 2 == 0 {
                        let _ = poll_fn(|cx| Poll::Ready(Pin::new(&mut request).poll(cx))).await;
                    }
                    drop(request);
                } else {
                    request.await.unwrap();
                }
            }
        });
    }
    let all = async { while tasks.join_next().await.transpose().unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .expect("everyone is answered");
    let stats = store.stats();
    assert!(stats.local > 0 && stats.waited > 0, "{stats:?}");
}

/// A store that answers after it has let others go first.
#[derive(Debug)]
struct Yielding(MemoryStore);

impl Yielding {
    fn new() -> Arc<Self> {
        Arc::new(Self(memory()))
    }
}

impl Store for Yielding {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::boxed(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            self.0.charge(charge).await
        })
    }
}
