//! What was received against what is accounted for.

use std::ops::AddAssign;

use serde::Serialize;

/// What was received, and what is accounted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Conservation {
    /// Counted things that came in.
    pub received: u64,
    /// Outcomes recorded.
    pub outcomes: u64,
}

impl Conservation {
    /// So much was received, and so much is accounted for, as a store gives it back.
    pub const fn new(received: u64, outcomes: u64) -> Self {
        Self { received, outcomes }
    }

    /// `received − outcomes`: what is in flight, and 0 once nothing is.
    ///
    /// Below 0, outcomes were recorded for what was never received: a bug of the caller.
    pub const fn unaccounted(self) -> i64 {
        self.received.wrapping_sub(self.outcomes).cast_signed()
    }
}

impl AddAssign for Conservation {
    fn add_assign(&mut self, more: Self) {
        self.received += more.received;
        self.outcomes += more.outcomes;
    }
}
