//! What is degraded by now, and since when.

use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::DegradedPart;

/// Remembers which parts are degraded. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Degradations {
    /// In the order of [`DegradedPart::ALL`].
    since: Arc<Mutex<[Option<OffsetDateTime>; DegradedPart::ALL.len()]>>,
}

/// A part that is degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DegradedSince {
    pub(crate) part: DegradedPart,
    pub(crate) since: OffsetDateTime,
}

/// A part that became degraded, or is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) part: DegradedPart,
    pub(crate) is_degraded: bool,
}

impl Degradations {
    /// The parts that are degraded, each since it was first seen to be.
    pub(crate) fn now(&self) -> Vec<DegradedSince> {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = DegradedPart::ALL.into_iter().zip(since);
        parts
            .filter_map(|(part, since)| since.map(|since| DegradedSince { part, since }))
            .collect()
    }

    /// Takes over what was seen of each part, in the order of [`DegradedPart::ALL`], and tells what is new of it.
    pub(crate) fn seen(
        &self,
        degraded: [bool; DegradedPart::ALL.len()],
        now: OffsetDateTime,
    ) -> Vec<Change> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = DegradedPart::ALL.into_iter().zip(degraded);
        let changed = parts
            .zip(since.iter_mut())
            .filter(|((_, is_degraded), since)| *is_degraded != since.is_some());
        changed
            .map(|((part, is_degraded), since)| {
                *since = is_degraded.then_some(now);
                Change { part, is_degraded }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::parse;

    #[test]
    fn a_part_is_degraded_since_it_was_first_seen_until_it_is_well() {
        let degradations = Degradations::default();
        let [first, later] =
            ["2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z"].map(|time| parse(time).unwrap());
        let limits = [true, false, false, false, false];
        let both = [true, false, false, false, true];
        let change = |part, is_degraded| Change { part, is_degraded };
        let since = |part, since| DegradedSince { part, since };
        assert_eq!(
            degradations.seen(limits, first),
            [change(DegradedPart::LimitsFallback, true)]
        );
        assert_eq!(degradations.seen(limits, later), []);
        assert_eq!(
            degradations.seen(both, later),
            [change(DegradedPart::AuditBehind, true)]
        );
        assert_eq!(
            degradations.now(),
            [
                since(DegradedPart::LimitsFallback, first),
                since(DegradedPart::AuditBehind, later)
            ]
        );
        assert_eq!(
            degradations.seen([false; 5], later),
            [
                change(DegradedPart::LimitsFallback, false),
                change(DegradedPart::AuditBehind, false)
            ]
        );
        assert_eq!(degradations.now(), []);
        degradations.seen(limits, later);
        assert_eq!(
            degradations.now(),
            [since(DegradedPart::LimitsFallback, later)]
        );
    }
}
