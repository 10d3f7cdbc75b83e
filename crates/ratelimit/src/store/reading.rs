use std::time::Duration;

use crate::bucket::{Level, Retry};
use crate::policy::MAX_LIMITS;
use crate::store::Target;

/// How one limit stands after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    remaining: u32,
    next_token: Option<Duration>,
    refusal: Option<Retry>,
}

/// How all limits of a charge stand after the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    by_position: [Option<Reading>; MAX_LIMITS],
}

// === impl Reading ===

impl Reading {
    /// A limit that has room for the cost; `level` is how it stands now, charged or not.
    #[must_use]
    pub fn with_room(level: &Level<'_>) -> Self {
        Self {
            remaining: level.remaining(),
            next_token: level.next_token(),
            refusal: None,
        }
    }

    /// A limit that has no room for the cost.
    #[must_use]
    pub fn without_room(level: &Level<'_>, retry: Retry) -> Self {
        Self {
            refusal: Some(retry),
            ..Self::with_room(level)
        }
    }

    /// The whole tokens left.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// How long until one more token is there; `None` when the bucket is full.
    #[must_use]
    pub const fn next_token(&self) -> Option<Duration> {
        self.next_token
    }

    /// When the limit would have room, if it has none.
    #[must_use]
    pub const fn refusal(&self) -> Option<Retry> {
        self.refusal
    }
}

// === impl Readings ===

impl Readings {
    /// Notes how the limit of `target` stands.
    pub fn set(&mut self, target: &Target<'_>, reading: Reading) {
        self.by_position[target.position()] = Some(reading);
    }

    /// The reading of the limit at `position` of the policy; `None` where it did not apply.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<&Reading> {
        self.by_position.get(position)?.as_ref()
    }
}
