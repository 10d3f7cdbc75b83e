//! Counts of outcomes at one moment.

use std::iter::Sum;

use crate::dimension::Dimension;
use crate::outcome::{Duplicate, Outcome};
use crate::reason::Reason;

/// How often each outcome happened, and what that says about each dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally([u64; Outcome::SLOTS]);

/// How many events were judged in one dimension, and how many of them passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) events: u64,
    pub(crate) passed: u64,
}

// === impl Tally ===

impl Tally {
    pub(crate) fn add(&mut self, outcome: Outcome, count: u64) {
        self.0[outcome.slot()] += count;
    }

    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.0[outcome.slot()]
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The counts by the text of the outcome; all rejections are one.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let unreasoned = Outcome::UNREASONED.map(|outcome| (outcome.name(), self.count(outcome)));
        unreasoned
            .into_iter()
            .chain([(Outcome::REJECTED, self.refused(|_| true))])
    }

    /// Events that say something about the data: not those limited, filtered, lost, or refused for a
    /// reason without a dimension.
    pub(crate) fn judged(&self) -> u64 {
        let refused = self.refused(|reason| reason.dimension().is_some());
        self.stored() + self.duplicates() + refused
    }

    /// What the counts say about one dimension.
    ///
    /// A stored event was checked in all five and passed; one that had to be modified was not valid
    /// as sent. A duplicate fails uniqueness, and consistency as well if its content differs; what
    /// else it would have failed was not looked at. A rejected event is known to fail the dimension of
    /// its reason; the checks after that one were not made, so they count neither way.
    pub(crate) fn in_dimension(&self, dimension: Dimension) -> Judged {
        let mut failed = self.refused(|reason| reason.dimension() == Some(dimension));
        let mut passed = self.stored();
        match dimension {
            Dimension::Validity => {
                let modified = self.count(Outcome::Modified);
                failed += modified;
                passed -= modified;
            }
            Dimension::Uniqueness => failed += self.duplicates(),
            Dimension::Consistency => {
                failed += self.count(Outcome::Duplicate(Duplicate::Conflicting));
            }
            Dimension::Completeness | Dimension::Timeliness => {}
        }
        Judged {
            events: passed + failed,
            passed,
        }
    }

    fn stored(&self) -> u64 {
        self.count(Outcome::Accepted) + self.count(Outcome::Modified)
    }

    fn duplicates(&self) -> u64 {
        [Duplicate::Natural, Duplicate::Conflicting]
            .map(|duplicate| self.count(Outcome::Duplicate(duplicate)))
            .iter()
            .sum()
    }

    fn refused(&self, by: impl Fn(Reason) -> bool) -> u64 {
        let reasons = Reason::ALL.into_iter().filter(|reason| by(*reason));
        reasons
            .map(|reason| self.count(Outcome::Rejected(reason)))
            .sum()
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            for (total, count) in sum.0.iter_mut().zip(tally.0) {
                *total += count;
            }
            sum
        })
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self([0; Outcome::SLOTS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(counts: &[(Outcome, u64)]) -> Tally {
        let mut tally = Tally::default();
        for &(outcome, count) in counts {
            tally.add(outcome, count);
        }
        tally
    }

    #[test]
    fn each_outcome_counts_in_the_dimensions_it_was_judged_in() {
        let tally = tally(&[
            (Outcome::Accepted, 10),
            (Outcome::Modified, 2),
            (Outcome::Duplicate(Duplicate::Natural), 3),
            (Outcome::Duplicate(Duplicate::Conflicting), 1),
            (Outcome::Rejected(Reason::SchemaRequiredMissing), 5),
            (Outcome::Rejected(Reason::SemanticTimePast), 4),
        ]);
        let judged = |dimension| {
            let Judged { events, passed } = tally.in_dimension(dimension);
            (passed, events)
        };
        assert_eq!(judged(Dimension::Completeness), (12, 17));
        assert_eq!(judged(Dimension::Validity), (10, 12));
        assert_eq!(judged(Dimension::Uniqueness), (12, 16));
        assert_eq!(judged(Dimension::Timeliness), (12, 16));
        assert_eq!(judged(Dimension::Consistency), (12, 13));
        assert_eq!(tally.judged(), 25);
        assert_eq!(tally.total(), 25);
        assert_eq!(
            tally.kinds().find(|(name, _)| *name == "rejected"),
            Some(("rejected", 9))
        );
    }

    #[test]
    fn what_says_nothing_about_the_data_is_not_judged() {
        let tally = tally(&[
            (Outcome::Filtered, 1),
            (Outcome::RateLimited, 1),
            (Outcome::Lost, 1),
            (Outcome::Rejected(Reason::AuthInvalid), 1),
            (Outcome::Rejected(Reason::CapacityQueueFull), 1),
        ]);
        assert_eq!(tally.judged(), 0);
        assert_eq!(tally.total(), 5);
        for dimension in Dimension::ALL {
            assert_eq!(tally.in_dimension(dimension), Judged::default());
        }
    }
}
