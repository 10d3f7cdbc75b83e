//! How long answers take.

use std::time::Duration;

/// The times that some requests took.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which 95 of 100 were answered.
    pub(crate) fn p95(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[(sorted.len() * 95).div_ceil(100) - 1]
    }

    pub(crate) fn longest(&self) -> Duration {
        self.0.iter().copied().max().unwrap_or_default()
    }
}

#[test]
fn of_a_hundred_the_95th_counts() {
    let mut latencies = Latencies::default();
    for millis in (1..=100).rev() {
        latencies.add(Duration::from_millis(millis));
    }
    assert_eq!(latencies.p95(), Duration::from_millis(95));
    assert_eq!(latencies.longest(), Duration::from_millis(100));
}
