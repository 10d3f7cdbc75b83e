//! What the breaker needs of threads, as traits, so that its tests can put a model checker in place.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// A lock that is held for one step.
pub(crate) trait Lock<T> {
    fn new(value: T) -> Self;

    fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R;
}

/// A number that is written under the lock and read without it.
pub(crate) trait Atomic {
    fn new(value: u64) -> Self;

    fn load(&self) -> u64;

    fn store(&self, value: u64);
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
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline]
    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    #[inline]
    fn store(&self, value: u64) {
        self.store(value, Ordering::Release);
    }
}
