//! Latencies, counted in buckets of at most 1.6 % of their size.

use std::time::Duration;

/// Buckets a power of two.
const FINE: u32 = 6;

/// How many took how long.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Histogram {
    /// Nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buckets: vec![0; 64 << FINE],
            count: 0,
            longest: Duration::ZERO,
        }
    }

    /// One more.
    pub fn record(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// All of another one.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest of all.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// What this share of all, in per cent, stayed within.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (number, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(end(number)).min(self.longest);
            }
        }
        self.longest
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The value that so many per cent of these do not exceed.
#[must_use]
pub fn quantile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let rank = (values.len().saturating_sub(1) * percent).div_ceil(100);
    values.get(rank).copied().unwrap_or(f64::NAN)
}

/// The power of two and the bits after its first.
fn bucket(nanoseconds: u64) -> usize {
    let Some(power) = nanoseconds.checked_ilog2() else {
        return 0;
    };
    let Some(shift) = power.checked_sub(FINE) else {
        return exact(nanoseconds);
    };
    exact((u64::from(shift) << FINE) + (nanoseconds >> shift))
}

fn exact(number: u64) -> usize {
    usize::try_from(number).expect("there are few buckets")
}

/// The largest that a bucket counts.
fn end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 << FINE {
        return bucket;
    }
    let shift = (bucket >> FINE) - 1;
    ((bucket - (shift << FINE) + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_where_the_next_begins_and_is_a_64th_of_its_size_at_most() {
        for power in 0..40 {
            for value in [
                (1_u64 << power) - 1,
                1 << power,
                (1 << power) + 1,
                3 << power,
            ] {
                let number = bucket(value);
                assert!(end(number) >= value, "{value}");
                assert_eq!(bucket(end(number)), number, "{value}");
                assert_eq!(bucket(end(number) + 1), number + 1, "{value}");
                assert!(end(number) - value <= value >> FINE, "{value}");
            }
        }
    }

    #[test]
    fn percentiles_are_of_all_that_was_recorded() {
        let mut latencies = Histogram::new();
        let mut others = Histogram::new();
        for milliseconds in 1..=100 {
            let recorder = if milliseconds % 2 == 0 {
                &mut latencies
            } else {
                &mut others
            };
            recorder.record(Duration::from_millis(milliseconds));
        }
        latencies.add(&others);
        assert_eq!(latencies.count(), 100);
        for percent in [50, 95, 99] {
            let found = latencies.percentile(percent).as_secs_f64() * 1e3;
            assert!(
                (percent as f64..percent as f64 * 1.016).contains(&found),
                "{found}"
            );
        }
        assert_eq!(latencies.percentile(100), Duration::from_millis(100));
        assert_eq!(latencies.longest(), Duration::from_millis(100));
    }
}
