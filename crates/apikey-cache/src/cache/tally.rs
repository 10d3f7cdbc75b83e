//! A count that many threads raise at once.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Threads beyond this number share with one of the first.
const PARTS: usize = 8;

/// Each thread raises a part of its own: with one number for all, every validation of a key would wait for the
/// processor that counted the one before, and a flood of bad keys would hold up the good ones.
#[derive(Debug, Default)]
pub(super) struct Tally([Part; PARTS]);

/// As far from the next as processors fetch memory at once, which is two lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part(AtomicU64);

impl Tally {
    pub(super) fn add(&self, amount: u64) {
        self.0[part_of_this_thread()]
            .0
            .fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        let parts = self.0.iter().map(|part| part.0.load(Ordering::Relaxed));
        parts.fold(0, u64::wrapping_add)
    }
}

fn part_of_this_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PART: Cell<usize> = const { Cell::new(PARTS) };
    }
    PART.with(|part| {
        if part.get() == PARTS {
            part.set(THREADS.fetch_add(1, Ordering::Relaxed) % PARTS);
        }
        part.get()
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_that_any_thread_counts_is_lost() {
        let tally = Tally::default();
        thread::scope(|scope| {
            for _ in 0..3 * PARTS {
                scope.spawn(|| (0..1_000).for_each(|_| tally.add(2)));
            }
        });
        assert_eq!(tally.total(), 48_000);
    }
}
