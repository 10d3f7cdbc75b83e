//! What became of one counted thing.

use std::fmt;

use crate::reason::Reason;

/// What became of one event, or of one request refused before its events were known.
///
/// Every counted thing ends in exactly one outcome, so that `received = Σ outcomes` once nothing is
/// in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a service maps every outcome to one answer"
)]
pub enum Outcome {
    /// Stored as it was sent.
    Accepted,
    /// Stored after the service changed it, for example masked undeclared PII.
    Modified,
    /// Left out on purpose by a rule the operator set.
    Filtered,
    /// Not stored again, because its id is already there.
    Duplicate(Duplicate),
    /// Refused because a limit was reached.
    RateLimited,
    /// Refused, for a stated reason.
    Rejected(Reason),
    /// Received, and then lost without an answer: a bug, or a crash.
    Lost,
}

/// How a duplicate relates to the event that came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: equal content or not, there is no third"
)]
pub enum Duplicate {
    /// Same id, same content: a retry.
    Natural,
    /// Same id, other content: one of the two is wrong.
    Conflicting,
}

// === impl Outcome ===

impl Outcome {
    /// Every outcome except the rejections, in the order of their slots.
    pub(crate) const UNREASONED: [Self; 7] = [
        Self::Accepted,
        Self::Modified,
        Self::Filtered,
        Self::Duplicate(Duplicate::Natural),
        Self::Duplicate(Duplicate::Conflicting),
        Self::RateLimited,
        Self::Lost,
    ];

    /// The text that all rejections share.
    pub(crate) const REJECTED: &'static str = "rejected";

    /// Values of the label `outcome`: [`Self::UNREASONED`] and one for all rejections.
    pub(crate) const KINDS: usize = Self::UNREASONED.len() + 1;

    /// Counters needed to keep every outcome and every reason apart.
    pub(crate) const SLOTS: usize = Self::UNREASONED.len() + Reason::ALL.len();

    /// Every outcome, rejections by reason.
    pub fn all() -> impl Iterator<Item = Self> {
        let rejections = Reason::ALL.into_iter().map(Self::Rejected);
        Self::UNREASONED.into_iter().chain(rejections)
    }

    /// Text used in metric labels and reports; all rejections share `rejected`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Modified => "modified",
            Self::Filtered => "filtered",
            Self::Duplicate(Duplicate::Natural) => "duplicate_natural",
            Self::Duplicate(Duplicate::Conflicting) => "duplicate_conflicting",
            Self::RateLimited => "rate_limited",
            Self::Rejected(_) => Self::REJECTED,
            Self::Lost => "lost",
        }
    }

    /// Whether a bug or an infrastructure problem, rather than what was sent, cost the event.
    pub const fn is_unexpected(self) -> bool {
        match self {
            Self::Lost => true,
            Self::Rejected(reason) => reason.is_unexpected(),
            Self::Accepted
            | Self::Modified
            | Self::Filtered
            | Self::Duplicate(_)
            | Self::RateLimited => false,
        }
    }

    /// Position of this outcome among [`Self::SLOTS`] counters; the order of [`Self::all`].
    pub(crate) const fn slot(self) -> usize {
        match self {
            Self::Accepted => 0,
            Self::Modified => 1,
            Self::Filtered => 2,
            Self::Duplicate(Duplicate::Natural) => 3,
            Self::Duplicate(Duplicate::Conflicting) => 4,
            Self::RateLimited => 5,
            Self::Lost => 6,
            Self::Rejected(reason) => Self::UNREASONED.len() + reason as usize,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(reason) => write!(f, "rejected ({reason})"),
            other => f.write_str(other.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_slot_of_its_own() {
        let slots: Vec<usize> = Outcome::all().map(Outcome::slot).collect();
        assert_eq!(slots, (0..Outcome::SLOTS).collect::<Vec<_>>());
    }

    #[test]
    fn label_values_are_as_many_as_kinds() {
        let names: std::collections::BTreeSet<_> = Outcome::all().map(Outcome::name).collect();
        assert_eq!(names.len(), Outcome::KINDS);
    }

    #[test]
    fn a_rejection_shows_its_reason() {
        let outcome = Outcome::Rejected(Reason::ParseJson);
        assert_eq!(outcome.to_string(), "rejected (parse.json)");
        assert_eq!(
            Outcome::Duplicate(Duplicate::Natural).to_string(),
            "duplicate_natural"
        );
    }

    #[test]
    fn a_loss_is_unexpected_and_a_bad_event_is_not() {
        assert!(Outcome::Lost.is_unexpected());
        assert!(Outcome::Rejected(Reason::Internal).is_unexpected());
        assert!(!Outcome::Rejected(Reason::ParseJson).is_unexpected());
        assert!(!Outcome::RateLimited.is_unexpected());
    }
}
