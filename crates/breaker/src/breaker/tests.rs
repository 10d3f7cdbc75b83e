//! The breaker among threads, in every order that loom finds, and over the standard library's lock.

use std::{num::NonZeroU32, time::Duration};

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use super::{Breaker, Shared};
use crate::{
    circuit::{BreakerState, Circuit},
    lock::{Atomic, Lock},
    permit::Held,
    settings::BreakerSettings,
};

type Modelled = Shared<Mutex<Circuit>, AtomicU64>;

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.lock().unwrap())
    }
}

impl Atomic for AtomicU64 {
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn store(&self, value: u64) {
        self.store(value, Ordering::Release);
    }
}

const START: Duration = Duration::ZERO;
/// Open for no longer than this.
const OPEN: Duration = Duration::from_secs(1);

fn settings(failures: u32) -> BreakerSettings {
    let failures = NonZeroU32::new(failures).unwrap();
    BreakerSettings::default()
        .opens_at(failures, failures)
        .window(failures, Duration::from_secs(60))
}

fn modelled(failures: u32) -> Arc<Modelled> {
    Arc::new(Shared::new(Circuit::new(settings(failures), 1)))
}

fn acquire(breaker: &Modelled, now: Duration) -> Option<Held<'_, Mutex<Circuit>, AtomicU64>> {
    breaker.try_acquire(now).ok()
}

fn state(breaker: &Modelled) -> BreakerState {
    breaker.step(|circuit| circuit.state())
}

/// One that is open, and lets a probe through at [`OPEN`].
fn opened() -> Arc<Modelled> {
    let breaker = modelled(1);
    let permit = acquire(&breaker, START).unwrap();
    assert_eq!(permit.report(true, START), Some(BreakerState::Open));
    breaker
}

/// Three threads in every order with at most three preemptions; all orders would take hours.
fn model_three_threads(test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

#[test]
fn one_probe_at_a_time() {
    model_three_threads(|| {
        let (breaker, under_way) = (opened(), Arc::new(AtomicUsize::new(0)));
        let probe = |is_reported: bool| {
            let (breaker, under_way) = (Arc::clone(&breaker), Arc::clone(&under_way));
            move || {
                let Some(permit) = acquire(&breaker, OPEN) else {
                    return;
                };
                assert_eq!(under_way.fetch_add(1, Ordering::SeqCst), 0, "two probes");
                under_way.fetch_sub(1, Ordering::SeqCst);
                if is_reported {
                    permit.report(true, OPEN);
                } else {
                    drop(permit);
                }
            }
        };
        let threads = [thread::spawn(probe(false)), thread::spawn(probe(false))];
        probe(true)();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_dropped_probe_is_not_lost() {
    model_three_threads(|| {
        let breaker = opened();
        let drops = |breaker: Arc<Modelled>| move || drop(acquire(&breaker, OPEN));
        let threads = [
            thread::spawn(drops(Arc::clone(&breaker))),
            thread::spawn(drops(Arc::clone(&breaker))),
        ];
        for thread in threads {
            thread.join().unwrap();
        }
        let permit = acquire(&breaker, OPEN).expect("both probes were given back");
        assert_eq!(permit.report(false, OPEN), Some(BreakerState::Closed));
        assert!(acquire(&breaker, OPEN).is_some());
    });
}

#[test]
fn changes_are_told_once_and_not_lost() {
    loom::model(|| {
        let breaker = modelled(2);
        let told = Arc::new(AtomicUsize::new(0));
        let fails = || {
            let (breaker, told) = (Arc::clone(&breaker), Arc::clone(&told));
            move || {
                let permit = acquire(&breaker, START).expect("closed until two have failed");
                if permit.report(true, START) == Some(BreakerState::Open) {
                    told.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let thread = thread::spawn(fails());
        fails()();
        thread.join().unwrap();
        assert_eq!(state(&breaker), BreakerState::Open);
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert!(acquire(&breaker, START).is_none(), "seen without the lock");
    });
}

#[test]
fn what_began_before_a_change_does_not_count() {
    loom::model(|| {
        let breaker = modelled(1);
        let probe = {
            let breaker = Arc::clone(&breaker);
            move || acquire(&breaker, OPEN).map(|permit| permit.report(false, OPEN))
        };
        let first = acquire(&breaker, START).unwrap();
        let late = acquire(&breaker, START).unwrap();
        assert_eq!(first.report(true, START), Some(BreakerState::Open));
        let probe = thread::spawn(probe);
        assert_eq!(
            late.report(true, OPEN),
            None,
            "it began before the other opened it"
        );
        let closed = Some(Some(BreakerState::Closed));
        assert_eq!(probe.join().unwrap(), closed);
        assert_eq!(state(&breaker), BreakerState::Closed);
    });
}

#[test]
fn threads_of_the_system_see_one_opening() {
    let breaker = Breaker::new(settings(20), 3);
    let opened: usize = std::thread::scope(|scope| {
        let call = || {
            let permit = breaker.try_acquire(START).ok()?;
            permit.failed(START)
        };
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(move || (0..100).filter_map(|_| call()).count()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(opened, 1);
    assert!(breaker.try_acquire(START).is_err());
    assert!(format!("{breaker:?}").contains("Open"));
}
