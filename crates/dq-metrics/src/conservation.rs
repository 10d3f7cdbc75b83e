//! What was received against what is accounted for.

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
    /// `received − outcomes`: what is in flight, and 0 once nothing is.
    ///
    /// Below 0, outcomes were recorded for what was never received: a bug of the caller.
    pub const fn unaccounted(self) -> i64 {
        self.received.wrapping_sub(self.outcomes).cast_signed()
    }
}
