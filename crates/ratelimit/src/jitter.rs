//! Random seconds on top of a `Retry-After`.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// What is added to a `Retry-After`, so that clients refused together do not come back together.
///
/// Up to a quarter of the wait, at least up to one second, in whole seconds. Predictable by
/// design: nothing secret hangs on it.
#[derive(Debug)]
pub struct Jitter {
    /// State of SplitMix64 (Steele, Lea and Flood, 2014); `None` adds nothing.
    state: Option<AtomicU64>,
}

impl Jitter {
    /// Another sequence in every process.
    #[must_use]
    pub fn make_random() -> Self {
        Self::seeded(RandomState::new().hash_one("jitter"))
    }

    /// The same sequence for the same seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self {
            state: Some(AtomicU64::new(seed)),
        }
    }

    /// Adds nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self { state: None }
    }

    /// `wait` and up to a quarter more.
    pub(crate) fn lengthen(&self, wait_seconds: u64) -> u64 {
        let span = (wait_seconds / 4).max(1);
        let more = self
            .state
            .as_ref()
            .map_or(0, |state| next(state) % (span + 1));
        wait_seconds.saturating_add(more)
    }
}

fn next(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::atomic::AtomicU64};

    use super::{Jitter, next};

    #[test]
    fn split_mix_64_gives_its_published_sequence() {
        // The first outputs for seed 1234567, as listed on Rosetta Code, "Pseudo-random
        // numbers/Splitmix64".
        let state = AtomicU64::new(1_234_567);
        assert_eq!(next(&state), 6_457_827_717_110_365_317);
        assert_eq!(next(&state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_wait_grows_by_at_most_a_quarter_and_never_shrinks() {
        let jitter = Jitter::seeded(1);
        for wait in [1, 2, 3, 7, 40, 3_600] {
            let drawn: HashSet<u64> = (0..2_000).map(|_| jitter.lengthen(wait)).collect();
            let most = wait + (wait / 4).max(1);
            assert!(
                drawn
                    .iter()
                    .all(|lengthened| (wait..=most).contains(lengthened))
            );
            assert!(drawn.len() > 1, "nothing was added to {wait}");
        }
        assert_eq!(jitter.lengthen(u64::MAX), u64::MAX);
    }

    #[test]
    fn no_jitter_adds_nothing() {
        assert_eq!(Jitter::none().lengthen(40), 40);
    }
}
