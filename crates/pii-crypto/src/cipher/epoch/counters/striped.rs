//! Counters that threads take in blocks: what they fight for is a block and not each message.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{EPOCH_MESSAGES, shared::SharedNumber};

/// Gives each counter from where it starts, and below [`EPOCH_MESSAGES`], to one message at most.
#[derive(Debug)]
pub(super) struct Striped<N> {
    // Where the next block begins. Never reset; it goes on beyond the end, and 64 bits do not wrap.
    next_block: Line<N>,
    // What is left of the block that a few threads take from: the next counter in the high half, the end of
    // the block in the low one.
    shares: [Line<N>; SHARES],
}

/// A number on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line<N>(N);

impl<N: SharedNumber> Striped<N> {
    pub(super) fn starting_at(next_block: u64) -> Self {
        Self {
            next_block: Line(N::from(next_block)),
            shares: Default::default(),
        }
    }

    /// A counter of what is left to one share, or of a block that it gets.
    #[inline]
    pub(super) fn take_from(&self, share: usize) -> Option<u32> {
        let Line(share) = &self.shares[share];
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
    fn take_first_of_block(&self, share: &N, used_up: u64) -> Option<u32> {
        let Line(next_block) = &self.next_block;
        let block = next_block.fetch_add(BLOCK, Ordering::Relaxed);
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

/// Threads take turns at the shares, in the order in which they first seal.
pub(super) fn share_of_this_thread() -> usize {
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

const SHARES: usize = 4;
pub(super) const BLOCK_MESSAGES: u32 = 64;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn of_a_block_that_lost_the_race_for_a_share_one_counter_is_given() {
        let counters = Striped::<AtomicU64>::starting_at(0);
        let Line(share) = &counters.shares[0];
        let used_up = share.load(Ordering::Relaxed);
        assert_eq!(counters.take_from(0), Some(0));
        // Another thread saw the share used up as well, and comes late.
        assert_eq!(counters.take_first_of_block(share, used_up), Some(64));
        for expected in (1..64).chain(128..192) {
            assert_eq!(counters.take_from(0), Some(expected));
        }
    }
}
