//! The counters of one epoch. Most keys seal a few messages in an epoch: these are counted by one number. From
//! a busy one threads take in blocks, from memory that it gets then.

mod shared;
mod striped;
#[cfg(test)]
mod tests;

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use self::{
    shared::SharedNumber,
    striped::{BLOCK_MESSAGES, Striped, share_of_this_thread},
};

/// How many messages an epoch has at most. It has one of each block at least.
pub(super) const EPOCH_MESSAGES: u32 = 1 << 20;

/// Gives each counter below [`EPOCH_MESSAGES`] to one message at most.
#[derive(Debug, Default)]
pub(super) struct Counters<N = AtomicU64> {
    // The counter of the next message while all are of the first block. Never reset; it goes on beyond the block by
    // one for each thread that races for its end, and 64 bits do not wrap.
    next: N,
    // The blocks after the first.
    striped: OnceLock<Box<Striped<N>>>,
}

impl Counters {
    /// A counter, unless the epoch is used up. What the other shares have left of their blocks then is given
    /// to nobody.
    #[inline]
    pub(super) fn take(&self) -> Option<u32> {
        self.take_from(share_of_this_thread())
    }
}

impl<N: SharedNumber> Counters<N> {
    /// A counter of the first block, or of what one share has.
    #[inline]
    fn take_from(&self, share: usize) -> Option<u32> {
        match self.striped.get() {
            Some(striped) => striped.take_from(share),
            None => self.take_one_by_one(share),
        }
    }

    fn take_one_by_one(&self, share: usize) -> Option<u32> {
        let next = u32::try_from(self.next.fetch_add(1, Ordering::Relaxed)).ok();
        let next = next.filter(|next| *next < BLOCK_MESSAGES);
        next.or_else(|| self.striped().take_from(share))
    }

    #[cold]
    fn striped(&self) -> &Striped<N> {
        self.striped
            .get_or_init(|| Box::new(Striped::starting_at(BLOCK_MESSAGES.into())))
    }
}
