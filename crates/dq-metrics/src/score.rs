//! A tenant's quality score.

mod trend;
mod trends;
mod wilson;

use std::ops::Add;

use serde::Serialize;

use crate::{
    dimension::Dimension,
    reason::Reason,
    tally::{Judged, Tally},
};

pub(crate) use self::{trend::Averages, trends::Trends};
pub use self::{
    trend::{Direction, Trend},
    wilson::wilson_lower_bound,
};

/// How much each dimension weighs in the score; default: equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights([u32; Dimension::ALL.len()]);

/// Data quality of one tenant, from 0 (nothing passes) to 100.
///
/// The score is `100 · Σ w·passed / Σ w·events` over the dimensions; there is no score without an
/// event that was judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// The score, 0 to 100.
    pub value: f64,
    /// Lower end of the 95 % interval of the score, 0 to 100: a few good events prove little.
    pub lower_bound: f64,
    /// Events the score rests on.
    pub events: u64,
    /// The dimensions, in the order of [`Dimension::ALL`].
    pub dimensions: Vec<DimensionScore>,
}

/// One dimension of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DimensionScore {
    /// Which one.
    pub dimension: Dimension,
    /// Events judged in this dimension.
    pub events: u64,
    /// Events that passed.
    pub passed: u64,
    /// `100 · passed / events`, or `None` where nothing was judged.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval of `value`.
    pub lower_bound: Option<f64>,
}

/// A weighted sum over the dimensions: what passed, and what was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weighed {
    pub(crate) passed: f64,
    pub(crate) judged: f64,
}

impl Score {
    /// The score of these counts, or `None` if they judge nothing that weighs anything.
    pub(crate) fn of<R: Reason>(tally: &Tally<R>, weights: &Weights) -> Option<Self> {
        let rate = weights.weigh(tally).rate()?;
        let events = tally.judged();
        Some(Self {
            value: 100.0 * rate,
            // An event adds a share between 0 and 1, and no such share varies more than a yes-or-no
            // of the same mean: taking events as trials errs on the careful side.
            lower_bound: 100.0 * wilson_lower_bound(rate, events)?,
            events,
            dimensions: Dimension::ALL
                .map(|dimension| DimensionScore::of(dimension, tally))
                .into(),
        })
    }
}

impl DimensionScore {
    fn of<R: Reason>(dimension: Dimension, tally: &Tally<R>) -> Self {
        let Judged { events, passed } = tally.in_dimension(dimension);
        let rate = (events > 0).then(|| as_f64(passed) / as_f64(events));
        Self {
            dimension,
            events,
            passed,
            value: rate.map(|rate| 100.0 * rate),
            lower_bound: rate
                .and_then(|rate| wilson_lower_bound(rate, events))
                .map(|bound| 100.0 * bound),
        }
    }
}

impl Weights {
    /// Every dimension weighs the same.
    pub const EQUAL: Self = Self([1; Dimension::ALL.len()]);

    /// Sets the weight of one dimension; 0 leaves it out of the score.
    #[must_use]
    pub const fn with(mut self, dimension: Dimension, weight: u32) -> Self {
        self.0[dimension as usize] = weight;
        self
    }

    pub(crate) fn weigh<R: Reason>(&self, tally: &Tally<R>) -> Weighed {
        let mut sum = Weighed::default();
        for (dimension, weight) in Dimension::ALL.into_iter().zip(self.0) {
            let Judged { events, passed } = tally.in_dimension(dimension);
            sum.passed += f64::from(weight) * as_f64(passed);
            sum.judged += f64::from(weight) * as_f64(events);
        }
        sum
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self::EQUAL
    }
}

impl Weighed {
    pub(crate) fn rate(self) -> Option<f64> {
        (self.judged > 0.0).then(|| self.passed / self.judged)
    }
}

impl Add for Weighed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            judged: self.judged + other.judged,
        }
    }
}

/// Exact below 2^53, which at a million events a second lasts 285 years.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::Fault,
        outcome::{Duplicate, Outcome},
    };

    fn score(counts: &[(Outcome<Fault>, u64)], weights: Weights) -> Option<Score> {
        let mut tally = Tally::default();
        for &(outcome, count) in counts {
            tally.add(outcome, count);
        }
        Score::of(&tally, &weights)
    }

    const INCOMPLETE: Outcome<Fault> = Outcome::Rejected(Fault::Incomplete);

    #[test]
    fn there_is_no_score_without_data() {
        assert_eq!(score(&[], Weights::EQUAL), None);
        let silent = [
            (Outcome::Filtered, 10),
            (Outcome::RateLimited, 10),
            (Outcome::Lost, 10),
            (Outcome::Rejected(Fault::Full), 10),
        ];
        assert_eq!(score(&silent, Weights::EQUAL), None);
    }

    #[test]
    fn there_is_no_score_over_dimensions_that_weigh_nothing() {
        let only_uniqueness = Dimension::ALL
            .into_iter()
            .filter(|dimension| *dimension != Dimension::Uniqueness)
            .fold(Weights::EQUAL, |weights, dimension| {
                weights.with(dimension, 0)
            });
        assert_eq!(score(&[(INCOMPLETE, 10)], only_uniqueness), None);
        let half = score(
            &[
                (Outcome::Accepted, 5),
                (Outcome::Duplicate(Duplicate::Natural), 5),
            ],
            only_uniqueness,
        );
        assert_eq!(half.map(|score| score.value), Some(50.0));
    }

    #[test]
    fn the_score_is_the_weighted_share_of_passes() {
        // 50 accepted pass all five; 50 fail completeness: (5·50) / (5·50 + 50).
        let counts = [(Outcome::Accepted, 50), (INCOMPLETE, 50)];
        let equal = score(&counts, Weights::EQUAL).unwrap();
        assert!((equal.value - 100.0 * 250.0 / 300.0).abs() < 1e-9);
        assert_eq!(equal.events, 100);
        // Completeness weighing 6: (4·50 + 6·50) / (4·50 + 6·100).
        let strict = score(&counts, Weights::EQUAL.with(Dimension::Completeness, 6)).unwrap();
        assert!((strict.value - 100.0 * 500.0 / 800.0).abs() < 1e-9);
        assert_eq!(strict.dimensions[0].value, Some(50.0));
    }

    #[test]
    fn few_events_prove_less_than_many() {
        let few = score(&[(Outcome::Accepted, 3)], Weights::EQUAL).unwrap();
        let many = score(&[(Outcome::Accepted, 3_000)], Weights::EQUAL).unwrap();
        assert_eq!((few.value, many.value), (100.0, 100.0));
        assert!(few.lower_bound < 50.0, "{}", few.lower_bound);
        assert!(many.lower_bound > 99.5, "{}", many.lower_bound);
    }

    #[test]
    fn a_dimension_without_events_has_no_value() {
        let score = score(&[(INCOMPLETE, 4)], Weights::EQUAL).unwrap();
        assert_eq!(score.value, 0.0);
        assert_eq!(score.dimensions[0].value, Some(0.0));
        for dimension in &score.dimensions[1..] {
            assert_eq!((dimension.value, dimension.lower_bound), (None, None));
        }
    }
}
