//! Times that differ from process to process.

use std::time::Duration;

use crate::entropy::Entropy;

/// Nothing to all of a time; nothing without randomness.
pub(in crate::cache) fn random_share(time: Duration, entropy: &dyn Entropy) -> Duration {
    let mut random = [0; 2];
    let share = entropy
        .fill(&mut random)
        .map_or(0, |()| u16::from_be_bytes(random));
    time * u32::from(share) / u32::from(u16::MAX)
}
