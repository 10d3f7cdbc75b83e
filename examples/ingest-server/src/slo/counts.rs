//! How often a promise was kept, and how often not.

use std::{fmt::Debug, ops::AddAssign};

use crate::pipeline::objectives::Slo;

/// Tells what has been counted since the start of the process, for each of [`Slo::ALL`].
pub(crate) trait ObjectiveCounts: Debug + Send + Sync {
    /// They never become less.
    fn counted(&self) -> ByObjective;
}

/// One for each of [`Slo::ALL`], in that order.
pub(crate) type ByObjective = [Counts; Slo::ALL.len()];

/// What was good, and what was bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

impl Counts {
    /// All that counts.
    pub(super) const fn valid(self) -> u64 {
        self.good.saturating_add(self.bad)
    }

    /// The share that was bad, if anything counts.
    pub(super) fn bad_share(self) -> Option<f64> {
        (self.valid() > 0).then(|| self.bad as f64 / self.valid() as f64)
    }

    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            good: self.good.saturating_sub(before.good),
            bad: self.bad.saturating_sub(before.bad),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.good = self.good.saturating_add(more.good);
        self.bad = self.bad.saturating_add(more.bad);
    }
}
