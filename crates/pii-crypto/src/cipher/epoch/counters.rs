//! The counters of one epoch, which threads take in blocks: what they fight for is a block and not each
//! message.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// How many messages an epoch has at most. It has one of each block at least.
pub(super) const EPOCH_MESSAGES: u32 = 1 << 20;

/// Gives each counter below [`EPOCH_MESSAGES`] to one message at most.
#[derive(Debug, Default)]
pub(super) struct Counters {
    // Where the next block begins. Never reset; it goes on beyond the end, and 64 bits do not wrap.
    next_block: AtomicU64,
    shares: [Share; SHARES],
}

/// What is left of the block that a few threads take from: the next counter in the high half, the end
/// of the block in the low one. On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Share(AtomicU64);

impl Counters {
    /// A counter, unless the epoch is used up. What the other shares have left of their blocks then is given
    /// to nobody.
    #[inline]
    pub(super) fn take(&self) -> Option<u32> {
        let Share(share) = &self.shares[share_of_this_thread()];
        let mut left = share.load(Ordering::Relaxed);
        loop {
            let (next, end) = unpacked(left);
            if next == end {
                return self.take_first_of_block(share, left);
            }
            let taken = packed(next + 1, end);
            match share.compare_exchange_weak(left, taken, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(next),
                Err(now) => left = now,
            }
        }
    }

    #[cold]
    fn take_first_of_block(&self, share: &AtomicU64, used_up: u64) -> Option<u32> {
        let block = self.next_block.fetch_add(BLOCK, Ordering::Relaxed);
        let first = u32::try_from(block).ok();
        let first = first.filter(|first| *first < EPOCH_MESSAGES)?;
        let rest = packed(first + 1, first + BLOCK_MESSAGES);
        // Where another thread of the share was faster, the rest of this block is given to nobody: a shorter
        // epoch costs a derivation, and there is a message of every block. No state of a share comes twice,
        // since no block does.
        _ = share.compare_exchange(used_up, rest, Ordering::Relaxed, Ordering::Relaxed);
        Some(first)
    }
}

const SHARES: usize = 4;
const BLOCK_MESSAGES: u32 = 64;
const BLOCK: u64 = BLOCK_MESSAGES as u64;
const _: () = assert!(EPOCH_MESSAGES.is_multiple_of(BLOCK_MESSAGES));

const fn packed(next: u32, end: u32) -> u64 {
    ((next as u64) << 32) | end as u64
}

const fn unpacked(left: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = left.to_be_bytes();
    (
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    )
}

/// Threads take turns at the shares, in the order in which they first seal.
fn share_of_this_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    SHARE.with(|share| {
        share.get().unwrap_or_else(|| {
            let number = THREADS.fetch_add(1, Ordering::Relaxed) % SHARES;
            share.set(Some(number));
            number
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    impl Counters {
        pub(in super::super) fn starting_at(next_block: u64) -> Self {
            Self {
                next_block: AtomicU64::new(next_block),
                ..Self::default()
            }
        }
    }

    #[test]
    fn there_are_2_to_the_20_counters_one_after_the_other() {
        let counters = Counters::default();
        for expected in 0..1 << 20 {
            assert_eq!(counters.take(), Some(expected));
        }
        for _ in 0..100 {
            assert_eq!(counters.take(), None);
        }
        for beyond in [1 << 20, 1 << 32, (1 << 32) + 64, 1 << 40] {
            assert_eq!(Counters::starting_at(beyond).take(), None, "{beyond}");
        }
    }

    #[test]
    fn of_a_block_that_lost_the_race_for_a_share_one_counter_is_given() {
        let counters = Counters::default();
        let Share(share) = &counters.shares[share_of_this_thread()];
        let used_up = share.load(Ordering::Relaxed);
        assert_eq!(counters.take(), Some(0));
        // Another thread saw the share used up as well, and comes late.
        assert_eq!(counters.take_first_of_block(share, used_up), Some(64));
        for expected in (1..64).chain(128..192) {
            assert_eq!(counters.take(), Some(expected));
        }
    }

    /// More threads than shares, so that some take from one block.
    #[test]
    fn threads_that_race_for_them_all_get_each_once_and_leave_few() {
        const THREADS: usize = 8;
        const LEFT: u32 = 1 << 17;
        let counters = Counters::starting_at(u64::from(EPOCH_MESSAGES - LEFT));
        let taken: Vec<u32> = thread::scope(|scope| {
            let take_all = || std::iter::from_fn(|| counters.take()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take_all)).collect();
            let threads = threads.into_iter();
            threads
                .flat_map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        let once: HashSet<_> = taken.iter().copied().collect();
        assert_eq!(once.len(), taken.len());
        assert!(once.iter().all(|counter| *counter < EPOCH_MESSAGES));
        let firsts = (EPOCH_MESSAGES - LEFT..EPOCH_MESSAGES).step_by(64);
        assert!(firsts.into_iter().all(|first| once.contains(&first)));
        // A block is lost where two threads of one share ask for the next at once.
        assert!(taken.len() > 1 << 16, "{} were given", taken.len());
    }
}
