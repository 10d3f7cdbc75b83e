//! The counters of one epoch, which threads take in blocks: what they fight for is a block and not each
//! message.

mod shared;
#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use self::shared::SharedNumber;

/// How many messages an epoch has at most. It has one of each block at least.
pub(super) const EPOCH_MESSAGES: u32 = 1 << 20;

/// Gives each counter below [`EPOCH_MESSAGES`] to one message at most.
#[derive(Debug, Default)]
pub(super) struct Counters<N = AtomicU64> {
    // Where the next block begins. Never reset; it goes on beyond the end, and 64 bits do not wrap.
    next_block: N,
    shares: [Share<N>; SHARES],
}

/// What is left of the block that a few threads take from: the next counter in the high half, the end
/// of the block in the low one. On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Share<N>(N);

impl Counters {
    /// A counter, unless the epoch is used up. What the other shares have left of their blocks then is given
    /// to nobody.
    #[inline]
    pub(super) fn take(&self) -> Option<u32> {
        self.take_from(share_of_this_thread())
    }
}

impl<N: SharedNumber> Counters<N> {
    /// A counter of what is left to one share, or of a block that it gets.
    #[inline]
    fn take_from(&self, share: usize) -> Option<u32> {
        let Share(share) = &self.shares[share];
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
