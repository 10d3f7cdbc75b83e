//! Subkeys that have opened values, and may open more of the same epochs.

use arc_swap::ArcSwapOption;

use super::Subkey;
use crate::sealed::PREFIX_BYTES;

/// The last subkeys that have opened values, one in each slot.
#[derive(Debug)]
pub(super) struct OpeningSlots<A>([ArcSwapOption<Subkey<A>>; SLOTS]);

impl<A> OpeningSlots<A> {
    /// Where the subkey with a prefix is, if it is kept. The salt is random, and so spreads by itself.
    #[inline]
    pub(super) fn slot(&self, prefix: &[u8]) -> &ArcSwapOption<Subkey<A>> {
        &self.0[usize::from(prefix[PREFIX_BYTES - 1]) % SLOTS]
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &ArcSwapOption<Subkey<A>>> {
        self.0.iter()
    }
}

impl<A> Default for OpeningSlots<A> {
    fn default() -> Self {
        Self(Default::default())
    }
}

/// For each data key; a subkey takes about 600 bytes.
const SLOTS: usize = 8;
