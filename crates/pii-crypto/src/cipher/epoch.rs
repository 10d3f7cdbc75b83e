//! Subkeys that seal for a while, and the nonces they give out.

mod counters;
mod opening;

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use portcullis_keyring::{
    PreparedKey,
    entropy::{Entropy, EntropyError},
};

use self::{counters::Counters, opening::OpeningSlots};
use super::{aead::AeadKey, subkey::Subkey};
use crate::{
    Suite,
    sealed::{PREFIX_BYTES, SALT_BYTES, derive_prefix},
};

/// How long a subkey is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EpochPolicy {
    /// For 1 s or 2²⁰ messages, whichever ends first: a message costs one AES-GCM seal. Threads that race
    /// leave some of the counters to nobody, and 2¹⁴ messages at the least.
    #[default]
    Shared,
    /// For one message: each costs random bytes and a key derivation as well.
    ///
    /// For processes whose image can be duplicated while they run. It helps clones only where the
    /// kernel reseeds its random source in each of them.
    PerMessage,
}

/// What is derived from one data key, and dies with it.
#[derive(Debug)]
pub(super) struct KeySubkeys<A> {
    sealing: [ArcSwapOption<Epoch<A>>; Suite::ALL.len()],
    // A key that opens nothing but what is being sealed needs none.
    opening: OnceLock<Box<OpeningSlots<A>>>,
}

/// The nonce of one message: a subkey, and a counter that nobody else gets.
pub(super) struct NonceReservation<A> {
    epoch: Guard<Option<Arc<Epoch<A>>>>,
    counter: u32,
}

/// The subkey of a sealed value. One that is kept is borrowed: counting who holds it would be what threads
/// that open at once fight for.
pub(super) enum FoundSubkey<A> {
    Kept(Guard<Option<Arc<Subkey<A>>>>),
    Sealing(Guard<Option<Arc<Epoch<A>>>>),
    New(Arc<Subkey<A>>),
}

/// A subkey in use for sealing.
#[derive(Debug)]
pub(super) struct Epoch<A> {
    subkey: Subkey<A>,
    // In nanoseconds: half of what a `Duration` takes.
    started: u64,
    counters: Counters,
}

impl<A: AeadKey> KeySubkeys<A> {
    /// The next nonce of the epoch that is running, or the first of a new one.
    ///
    /// Without random bytes for a new salt there is none: an epoch is never stretched.
    pub(super) fn reserve(
        &self,
        key: &PreparedKey,
        suite: Suite,
        policy: EpochPolicy,
        now: Duration,
        entropy: &dyn Entropy,
    ) -> Result<NonceReservation<A>, EntropyError> {
        let running = self.sealing_slot(suite);
        if policy == EpochPolicy::Shared {
            let epoch = running.load();
            if let Some(counter) = epoch.as_ref().and_then(|epoch| epoch.take(now)) {
                return Ok(NonceReservation { epoch, counter });
            }
        }
        // Several threads may get here at once. Each makes an epoch of its own, with a salt of its
        // own; the last one is what the others find.
        let epoch = Arc::new(Epoch::make(key, suite, now, entropy)?);
        let counter = epoch.take(now).expect("nobody else has this epoch yet");
        if policy == EpochPolicy::Shared {
            running.store(Some(Arc::clone(&epoch)));
        }
        Ok(NonceReservation {
            epoch: Guard::from_inner(Some(epoch)),
            counter,
        })
    }

    /// The subkey of a sealed value: one that has opened before, one that seals, or a new one.
    #[inline]
    pub(super) fn find_or_derive(
        &self,
        key: &PreparedKey,
        suite: Suite,
        prefix: &[u8; PREFIX_BYTES],
    ) -> FoundSubkey<A> {
        if let Some(opening) = self.opening.get() {
            let kept = opening.slot(prefix).load();
            if kept.as_ref().is_some_and(|it| it.prefix() == prefix) {
                return FoundSubkey::Kept(kept);
            }
        }
        let epoch = self.sealing_slot(suite).load();
        if epoch
            .as_ref()
            .is_some_and(|it| it.subkey.prefix() == prefix)
        {
            return FoundSubkey::Sealing(epoch);
        }
        FoundSubkey::New(Arc::new(Subkey::derive(key.data_key(), *prefix)))
    }

    /// Keeps a subkey that has opened a value; the one in its slot goes.
    #[inline]
    pub(super) fn remember(&self, found: FoundSubkey<A>) {
        if let FoundSubkey::New(subkey) = found {
            let opening = self.opening.get_or_init(Box::default);
            opening.slot(subkey.prefix()).store(Some(subkey));
        }
    }

    /// Drops every subkey. An epoch that has not ended yet is followed by another, with a salt of its own.
    pub(super) fn clear(&self) {
        self.sealing.iter().for_each(empty);
        if let Some(opening) = self.opening.get() {
            opening.slots().for_each(empty);
        }
    }

    fn sealing_slot(&self, suite: Suite) -> &ArcSwapOption<Epoch<A>> {
        &self.sealing[usize::from(suite.number() - 1)]
    }
}

impl<A> Default for KeySubkeys<A> {
    fn default() -> Self {
        Self {
            sealing: Default::default(),
            opening: OnceLock::new(),
        }
    }
}

impl<A> NonceReservation<A> {
    pub(super) fn subkey(&self) -> &Subkey<A> {
        &self.epoch.as_ref().expect("a nonce is of an epoch").subkey
    }

    pub(super) const fn counter(&self) -> u32 {
        self.counter
    }
}

impl<A> Deref for FoundSubkey<A> {
    type Target = Subkey<A>;

    fn deref(&self) -> &Subkey<A> {
        match self {
            Self::Kept(kept) => kept.as_ref().expect("it was found"),
            Self::Sealing(epoch) => &epoch.as_ref().expect("it was found").subkey,
            Self::New(subkey) => subkey,
        }
    }
}

impl<A: AeadKey> Epoch<A> {
    fn make(
        key: &PreparedKey,
        suite: Suite,
        now: Duration,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        let subkey = Subkey::derive(key.data_key(), derive_prefix(suite, key.id(), &salt));
        Ok(Self {
            subkey,
            started: nanoseconds(now),
            counters: Counters::default(),
        })
    }

    /// A counter, unless the epoch is over. Each is given once, whatever the number of threads.
    #[inline]
    fn take(&self, now: Duration) -> Option<u32> {
        if nanoseconds(now).saturating_sub(self.started) >= EPOCH_NANOSECONDS {
            return None;
        }
        self.counters.take()
    }
}

/// Nothing is put in the place of nothing: a change waits for all who read.
fn empty<T>(slot: &ArcSwapOption<T>) {
    if slot.load().is_some() {
        slot.store(None);
    }
}

const EPOCH_NANOSECONDS: u64 = 1_000_000_000;

/// 584 years fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
