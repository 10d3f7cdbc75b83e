//! How long answers took.

use std::{collections::BTreeMap, time::Duration};

/// Answers by the milliseconds that they took, begun ones counted whole.
#[derive(Debug, Default)]
pub(super) struct Times(BTreeMap<u128, u64>);

impl Times {
    pub(super) fn count(&mut self, took: Duration) {
        let milliseconds = took.as_nanos().div_ceil(1_000_000);
        *self.0.entry(milliseconds).or_default() += 1;
    }

    /// The milliseconds within which so many of a hundred answers came; none before the first.
    pub(super) fn within(&self, percent: u64) -> Option<u128> {
        let all: u64 = self.0.values().sum();
        let wanted = all.saturating_mul(percent).div_ceil(100);
        let mut seen = 0;
        self.0.iter().find_map(|(milliseconds, answers)| {
            seen += answers;
            (seen >= wanted).then_some(*milliseconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_a_hundred_came_within_a_time() {
        let mut times = Times::default();
        assert_eq!(times.within(95), None);
        for milliseconds in 1..=20 {
            times.count(Duration::from_millis(milliseconds));
        }
        assert_eq!((times.within(50), times.within(95)), (Some(10), Some(19)));
        assert_eq!((times.within(0), times.within(100)), (Some(1), Some(20)));
        times.count(Duration::from_micros(20_001));
        assert_eq!(times.within(100), Some(21));
    }
}
