//! What counters need of a number that threads share: of the standard library where the service runs, and of
//! loom in a test that tries every order in which threads may come.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};

/// A number that threads share.
pub(in super::super) trait SharedNumber: Debug + Default + From<u64> {
    fn load(&self, order: Ordering) -> u64;

    /// Adds, and gives what was there before.
    fn fetch_add(&self, added: u64, order: Ordering) -> u64;

    /// Puts `new` where `current` is.
    fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;

    /// The same, which may fail for no reason.
    fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;
}

macro_rules! shared_number {
    ($number:ty) => {
        impl SharedNumber for $number {
            #[inline]
            fn load(&self, order: Ordering) -> u64 {
                self.load(order)
            }

            #[inline]
            fn fetch_add(&self, added: u64, order: Ordering) -> u64 {
                self.fetch_add(added, order)
            }

            #[inline]
            fn compare_exchange(
                &self,
                current: u64,
                new: u64,
                success: Ordering,
                failure: Ordering,
            ) -> Result<u64, u64> {
                self.compare_exchange(current, new, success, failure)
            }

            #[inline]
            fn compare_exchange_weak(
                &self,
                current: u64,
                new: u64,
                success: Ordering,
                failure: Ordering,
            ) -> Result<u64, u64> {
                self.compare_exchange_weak(current, new, success, failure)
            }
        }
    };
}

shared_number!(AtomicU64);
#[cfg(test)]
shared_number!(loom::sync::atomic::AtomicU64);
