//! Open times that differ between processes.

use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood, 2014). Predictable by design: nothing secret hangs on it.
#[derive(Debug)]
pub(crate) struct Jitter {
    state: u64,
}

impl Jitter {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// `time`, or up to a quarter less.
    pub(crate) fn shorten(&mut self, time: Duration) -> Duration {
        let span = u64::try_from(time.as_micros() / 4).unwrap_or(u64::MAX - 1);
        time.saturating_sub(Duration::from_micros(self.next() % (span + 1)))
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::Jitter;

    #[test]
    fn split_mix_64_gives_its_published_sequence() {
        // The first outputs for seed 1234567, as listed on Rosetta Code, "Pseudo-random
        // numbers/Splitmix64".
        let mut jitter = Jitter::seeded(1_234_567);
        assert_eq!(jitter.next(), 6_457_827_717_110_365_317);
        assert_eq!(jitter.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_time_shrinks_by_at_most_a_quarter_and_never_grows() {
        let mut jitter = Jitter::seeded(1);
        for millis in [4, 1_000, 30_000] {
            let time = Duration::from_millis(millis);
            let drawn: HashSet<_> = (0..1_000).map(|_| jitter.shorten(time)).collect();
            let range = time * 3 / 4..=time;
            assert!(drawn.iter().all(|shortened| range.contains(shortened)));
            assert!(drawn.len() > 100, "{} of {time:?}", drawn.len());
        }
        assert_eq!(jitter.shorten(Duration::ZERO), Duration::ZERO);
    }
}
