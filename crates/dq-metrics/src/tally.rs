//! Counts of outcomes at one moment.

use std::iter::Sum;

use crate::{
    dimension::Dimension,
    outcome::{Duplicate, Outcome, REJECTED},
    per_reason::PerOutcome,
    reason::{Facts, Reason},
};

/// How often each outcome happened, and what that says about each dimension.
#[derive(Clone, Debug)]
pub(crate) struct Tally<R>(PerOutcome<R, u64>);

/// How many events were judged in one dimension, and how many of them passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) events: u64,
    pub(crate) passed: u64,
}

impl<R: Reason> Tally<R> {
    pub(crate) fn add(&mut self, outcome: Outcome<R>, count: u64) {
        self.0[outcome] += count;
    }

    pub(crate) fn count(&self, outcome: Outcome<R>) -> u64 {
        self.0[outcome]
    }

    pub(crate) fn total(&self) -> u64 {
        Outcome::all().map(|outcome| self.count(outcome)).sum()
    }

    /// The counts by the text of the outcome; all rejections are one.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let unreasoned = Outcome::UNREASONED.map(|outcome| (outcome.as_str(), self.count(outcome)));
        unreasoned
            .into_iter()
            .chain([(REJECTED, self.rejected(|_| true))])
    }

    /// Events that say something about the data: not those filtered, limited, lost, or refused for a reason
    /// without a dimension.
    pub(crate) fn judged(&self) -> u64 {
        let rejected = self.rejected(|facts| facts.dimension.is_some());
        self.stored() + self.duplicates() + rejected
    }

    /// What the counts say about one dimension.
    ///
    /// A stored event was checked in all five and passed; a modified one passed all but validity, since
    /// it held what it may not hold. A duplicate fails uniqueness, and
    /// consistency as well if its content differs; what else it would have failed was not looked at.
    /// A rejected event is known to fail the dimension of its reason; the checks after that one were
    /// not made, so they count neither way. One that was left out on purpose counts neither way in any of them:
    /// the rule that leaves it out, such as a share that is kept, says nothing about what it holds.
    pub(crate) fn in_dimension(&self, dimension: Dimension) -> Judged {
        let rejected = self.rejected(|facts| facts.dimension == Some(dimension));
        let failed = rejected
            + match dimension {
                Dimension::Uniqueness => self.duplicates(),
                Dimension::Validity => self.count(Outcome::Modified),
                Dimension::Consistency => self.count(Outcome::Duplicate(Duplicate::Conflicting)),
                Dimension::Completeness | Dimension::Timeliness => 0,
            };
        let passed = match dimension {
            Dimension::Validity => self.count(Outcome::Accepted),
            _ => self.stored(),
        };
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

    fn rejected(&self, by: impl Fn(&Facts) -> bool) -> u64 {
        let reasons = R::ALL.iter().filter(|reason| by(&reason.facts()));
        reasons
            .map(|reason| self.count(Outcome::Rejected(*reason)))
            .sum()
    }
}

impl<R: Reason> Sum for Tally<R> {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            for outcome in Outcome::all() {
                sum.add(outcome, tally.count(outcome));
            }
            sum
        })
    }
}

impl<R: Reason> Default for Tally<R> {
    fn default() -> Self {
        Self(PerOutcome::new(|| 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn tally(counts: &[(Outcome<Fault>, u64)]) -> Tally<Fault> {
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
            (Outcome::Duplicate(Duplicate::Natural), 3),
            (Outcome::Duplicate(Duplicate::Conflicting), 1),
            (Outcome::Rejected(Fault::Incomplete), 5),
            (Outcome::Rejected(Fault::Late), 4),
            (Outcome::Rejected(Fault::Unreadable), 1),
            (Outcome::Rejected(Fault::Misspelt), 1),
        ]);
        let judged = |dimension| {
            let Judged { events, passed } = tally.in_dimension(dimension);
            (passed, events)
        };
        assert_eq!(judged(Dimension::Completeness), (10, 15));
        assert_eq!(judged(Dimension::Validity), (10, 12));
        assert_eq!(judged(Dimension::Uniqueness), (10, 14));
        assert_eq!(judged(Dimension::Timeliness), (10, 14));
        assert_eq!(judged(Dimension::Consistency), (10, 11));
        assert_eq!(tally.judged(), 25);
        assert_eq!(tally.total(), 25);
        assert_eq!(
            tally.kinds().find(|(name, _)| *name == "rejected"),
            Some(("rejected", 11))
        );
    }

    #[test]
    fn a_modified_event_fails_validity_alone() {
        let tally = tally(&[(Outcome::Accepted, 3), (Outcome::Modified, 2)]);
        for dimension in Dimension::ALL {
            let passed = if dimension == Dimension::Validity {
                3
            } else {
                5
            };
            let events = 5;
            assert_eq!(tally.in_dimension(dimension), Judged { events, passed });
        }
        assert_eq!((tally.judged(), tally.total()), (5, 5));
    }

    #[test]
    fn what_says_nothing_about_the_data_is_not_judged() {
        let tally = tally(&[
            (Outcome::Filtered, 1),
            (Outcome::RateLimited, 1),
            (Outcome::Lost, 1),
            (Outcome::Rejected(Fault::Forbidden), 1),
            (Outcome::Rejected(Fault::Full), 1),
        ]);
        assert_eq!(tally.judged(), 0);
        assert_eq!(tally.total(), 5);
        for dimension in Dimension::ALL {
            assert_eq!(tally.in_dimension(dimension), Judged::default());
        }
    }
}
