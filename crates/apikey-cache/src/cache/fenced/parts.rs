//! What the fenced memory needs of threads, as traits, so that its tests can put a model checker in place.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::sync::Cache;

use crate::{
    cache::{
        entry::{Entry, NegativeEntry},
        load::Launched,
    },
    fence::Stripe,
    kid::Kid,
};

/// One of each.
pub(in crate::cache) trait Parts {
    type Stripe: Lock<Stripe<Launched>>;
    type Epoch: Atomic;
    type Keys: KidMap<Arc<Entry>>;
    type Negative: KidMap<NegativeEntry>;
}

/// A lock that is held for one step.
pub(in crate::cache) trait Lock<T> {
    fn new(value: T) -> Self;

    fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R;
}

/// A number that counts up. Who sees a count sees all that was done before it.
pub(in crate::cache) trait Atomic {
    fn load(&self) -> u64;

    fn count(&self);
}

/// What is known of kids, each step of which is one to other threads.
pub(in crate::cache) trait KidMap<V> {
    fn find(&self, kid: &Kid) -> Option<V>;

    fn put(&self, kid: Kid, value: V);

    fn take_out(&self, kid: &Kid);

    fn keep_those(&self, is_kept: impl Fn(&V) -> bool);
}

/// What runs outside of tests: the locks of the standard library, and the cache.
#[derive(Debug)]
pub(in crate::cache) struct Threads;

impl Parts for Threads {
    type Stripe = Mutex<Stripe<Launched>>;
    type Epoch = AtomicU64;
    type Keys = Cache<Kid, Arc<Entry>>;
    type Negative = Cache<Kid, NegativeEntry>;
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    /// No step panics, and the value is whole between any two.
    #[inline]
    fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Atomic for AtomicU64 {
    #[inline]
    fn load(&self) -> u64 {
        self.load(Ordering::SeqCst)
    }

    #[inline]
    fn count(&self) {
        self.fetch_add(1, Ordering::SeqCst);
    }
}

impl<V: Clone> KidMap<V> for Cache<Kid, V> {
    #[inline]
    fn find(&self, kid: &Kid) -> Option<V> {
        self.get(kid)
    }

    #[inline]
    fn put(&self, kid: Kid, value: V) {
        self.insert(kid, value);
    }

    #[inline]
    fn take_out(&self, kid: &Kid) {
        self.remove(kid);
    }

    fn keep_those(&self, is_kept: impl Fn(&V) -> bool) {
        self.retain(|_, value| is_kept(value));
    }
}
