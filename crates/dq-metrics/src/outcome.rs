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
    reason = "closed: an application maps every outcome to one answer"
)]
pub enum Outcome<R> {
    /// Stored as it was sent.
    Accepted,
    /// Stored, but not quite as it was sent: something in it was replaced by what may be stored.
    Modified,
    /// Left out on purpose, by a rule of the receiver: no consent, not in the share that is kept, a robot. Neither
    /// stored nor refused: the event is as it should be, and its sender has nothing to change.
    Filtered,
    /// Not stored again, because its id is already there.
    Duplicate(Duplicate),
    /// Refused because a limit was reached.
    RateLimited,
    /// Refused, for a stated reason.
    Rejected(R),
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

impl<R: Reason> Outcome<R> {
    /// Every outcome except the rejections.
    pub(crate) const UNREASONED: [Self; 7] = [
        Self::Accepted,
        Self::Modified,
        Self::Filtered,
        Self::Duplicate(Duplicate::Natural),
        Self::Duplicate(Duplicate::Conflicting),
        Self::RateLimited,
        Self::Lost,
    ];

    /// Values of the label `outcome`: [`Self::UNREASONED`] and one for all rejections.
    pub(crate) const KINDS: usize = Self::UNREASONED.len() + 1;

    /// Those values.
    pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
        let unreasoned = Self::UNREASONED.into_iter().map(Self::as_str);
        unreasoned.chain([REJECTED])
    }

    /// Every outcome, rejections by reason.
    pub fn all() -> impl Iterator<Item = Self> {
        let rejections = R::ALL.iter().copied().map(Self::Rejected);
        Self::UNREASONED.into_iter().chain(rejections)
    }

    /// Text used in metric labels and reports; all rejections share `rejected`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Modified => "modified",
            Self::Filtered => FILTERED,
            Self::Duplicate(Duplicate::Natural) => "duplicate_natural",
            Self::Duplicate(Duplicate::Conflicting) => "duplicate_conflicting",
            Self::RateLimited => "rate_limited",
            Self::Rejected(_) => REJECTED,
            Self::Lost => "lost",
        }
    }

    /// Whether a bug or an infrastructure problem, rather than what was sent, cost the event.
    pub fn is_unexpected(self) -> bool {
        match self {
            Self::Lost => true,
            Self::Rejected(reason) => reason.facts().is_unexpected,
            Self::Accepted
            | Self::Modified
            | Self::Filtered
            | Self::Duplicate(_)
            | Self::RateLimited => false,
        }
    }
}

/// The text of what was left out on purpose.
pub(crate) const FILTERED: &str = "filtered";

/// The text that all rejections share.
pub(crate) const REJECTED: &str = "rejected";

impl<R: Reason> fmt::Display for Outcome<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(reason) => write!(f, "rejected ({})", reason.facts().name),
            other => f.write_str(other.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fault::Fault;

    #[test]
    fn label_values_are_as_many_as_kinds() {
        let names: BTreeSet<_> = Outcome::<Fault>::all().map(Outcome::as_str).collect();
        assert_eq!(names.len(), Outcome::<Fault>::KINDS);
    }

    #[test]
    fn a_rejection_shows_its_reason() {
        let outcome = Outcome::Rejected(Fault::Unreadable);
        assert_eq!(outcome.to_string(), "rejected (read.unreadable)");
        assert_eq!(
            Outcome::<Fault>::Duplicate(Duplicate::Natural).to_string(),
            "duplicate_natural"
        );
    }

    #[test]
    fn a_loss_is_unexpected_and_a_bad_or_filtered_event_is_not() {
        assert!(Outcome::<Fault>::Lost.is_unexpected());
        assert!(Outcome::Rejected(Fault::Full).is_unexpected());
        assert!(!Outcome::Rejected(Fault::Unreadable).is_unexpected());
        assert!(!Outcome::<Fault>::RateLimited.is_unexpected());
        assert!(!Outcome::<Fault>::Filtered.is_unexpected());
    }
}
