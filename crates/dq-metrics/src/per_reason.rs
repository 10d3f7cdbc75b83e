//! One value for each reason, and one for each outcome.

use std::{
    marker::PhantomData,
    ops::{Index, IndexMut},
};

use crate::{
    outcome::{Duplicate, Outcome},
    reason::Reason,
};

/// One `T` for each reason of a taxonomy.
#[derive(Clone, Debug)]
pub(crate) struct PerReason<R, T> {
    values: Box<[T]>,
    reasons: PhantomData<R>,
}

/// One `T` for each outcome, rejections by reason.
#[derive(Clone, Debug)]
pub(crate) struct PerOutcome<R, T> {
    accepted: T,
    modified: T,
    filtered: T,
    duplicate_natural: T,
    duplicate_conflicting: T,
    rate_limited: T,
    lost: T,
    rejected: PerReason<R, T>,
}

impl<R: Reason, T> PerReason<R, T> {
    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        Self {
            values: R::ALL.iter().map(|_| make()).collect(),
            reasons: PhantomData,
        }
    }
}

impl<R: Reason, T> Index<R> for PerReason<R, T> {
    type Output = T;

    fn index(&self, reason: R) -> &T {
        &self.values[reason.index()]
    }
}

impl<R: Reason, T> IndexMut<R> for PerReason<R, T> {
    fn index_mut(&mut self, reason: R) -> &mut T {
        &mut self.values[reason.index()]
    }
}

impl<R: Reason, T> PerOutcome<R, T> {
    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        Self {
            accepted: make(),
            modified: make(),
            filtered: make(),
            duplicate_natural: make(),
            duplicate_conflicting: make(),
            rate_limited: make(),
            lost: make(),
            rejected: PerReason::new(make),
        }
    }
}

impl<R: Reason, T> Index<Outcome<R>> for PerOutcome<R, T> {
    type Output = T;

    fn index(&self, outcome: Outcome<R>) -> &T {
        match outcome {
            Outcome::Accepted => &self.accepted,
            Outcome::Modified => &self.modified,
            Outcome::Filtered => &self.filtered,
            Outcome::Duplicate(Duplicate::Natural) => &self.duplicate_natural,
            Outcome::Duplicate(Duplicate::Conflicting) => &self.duplicate_conflicting,
            Outcome::RateLimited => &self.rate_limited,
            Outcome::Rejected(reason) => &self.rejected[reason],
            Outcome::Lost => &self.lost,
        }
    }
}

impl<R: Reason, T> IndexMut<Outcome<R>> for PerOutcome<R, T> {
    fn index_mut(&mut self, outcome: Outcome<R>) -> &mut T {
        match outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Modified => &mut self.modified,
            Outcome::Filtered => &mut self.filtered,
            Outcome::Duplicate(Duplicate::Natural) => &mut self.duplicate_natural,
            Outcome::Duplicate(Duplicate::Conflicting) => &mut self.duplicate_conflicting,
            Outcome::RateLimited => &mut self.rate_limited,
            Outcome::Rejected(reason) => &mut self.rejected[reason],
            Outcome::Lost => &mut self.lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn every_outcome_has_a_value_of_its_own() {
        let mut counts = PerOutcome::<Fault, u32>::new(|| 0);
        for outcome in Outcome::all() {
            counts[outcome] += 1;
        }
        assert!(Outcome::all().all(|outcome| counts[outcome] == 1));
    }
}
