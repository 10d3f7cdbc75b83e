//! What the leaves of a period do not say.

use super::Share;
use crate::checkpoint::Checkpoint;

/// How far the log was checked in the period, as the service knows it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Integrity {
    /// The days on which the whole log was verified and found sound, of all days.
    pub verified_days: Share,
    /// The checkpoints that an anchor had in time, of all that were published.
    pub anchored: Share,
    /// How often something was found that was not as it was written.
    pub failures: u64,
    /// The checkpoint at the end of the period.
    pub checkpoint: Option<Checkpoint>,
}

impl Integrity {
    /// Of a log about which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// With the days on which the log was found sound.
    #[must_use]
    pub fn verified_days(self, verified_days: Share) -> Self {
        Self {
            verified_days,
            ..self
        }
    }

    /// With the checkpoints that were anchored in time.
    #[must_use]
    pub fn anchored(self, anchored: Share) -> Self {
        Self { anchored, ..self }
    }

    /// With verifications that found something.
    #[must_use]
    pub fn failures(self, failures: u64) -> Self {
        Self { failures, ..self }
    }

    /// With the checkpoint at the end.
    #[must_use]
    pub fn checkpoint(self, checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint: Some(checkpoint),
            ..self
        }
    }
}
