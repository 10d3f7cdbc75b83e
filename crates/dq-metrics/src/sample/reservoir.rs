//! Algorithm R: which of a stream of unknown length to keep.

use rand::{Rng, RngExt};

use super::SAMPLES_PER_REASON;

/// Decides which events to keep, so that each of all seen is kept with the same probability.
///
/// J. S. Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11
/// (1985) 37–57, algorithm R.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reservoir {
    seen: u64,
}

/// An event that was chosen: it replaces what stands at `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) index: usize,
    /// How many events were seen up to this one.
    pub(super) ordinal: u64,
}

impl Reservoir {
    pub(super) fn offer(&mut self, rng: &mut (impl Rng + ?Sized)) -> Option<Chosen> {
        let before = self.seen;
        self.seen += 1;
        let index = match usize::try_from(before) {
            Ok(index) if index < SAMPLES_PER_REASON => index,
            _ => usize::try_from(rng.random_range(0..self.seen)).ok()?,
        };
        (index < SAMPLES_PER_REASON).then_some(Chosen {
            index,
            ordinal: self.seen,
        })
    }

    pub(super) fn seen(self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    /// The ordinals left in the reservoir after `events`.
    fn kept(events: u64, rng: &mut StdRng) -> [u64; SAMPLES_PER_REASON] {
        let mut reservoir = Reservoir::default();
        let mut kept = [0; SAMPLES_PER_REASON];
        for _ in 0..events {
            if let Some(chosen) = reservoir.offer(rng) {
                kept[chosen.index] = chosen.ordinal;
            }
        }
        kept
    }

    #[test]
    fn a_short_stream_is_kept_whole() {
        let mut kept = kept(16, &mut StdRng::seed_from_u64(1));
        kept.sort_unstable();
        assert_eq!(kept.to_vec(), (1..=16).collect::<Vec<_>>());
    }

    /// Pearson's chi-square over how often each of 200 positions was kept in 20,000 streams.
    ///
    /// Within one stream the counts exclude each other (16 of 200, without replacement), so the
    /// statistic is divided by `(1 - 16/200) · 200/199` to follow the chi-square distribution with
    /// 199 degrees of freedom. Its 0.1th and 99.9th percentiles are 143.0 and 266.4 (Wilson and
    /// Hilferty: 199·(1 - 2/(9·199) ± 3.0902·√(2/(9·199)))³); the seed is fixed, so the test never
    /// fails by chance.
    #[test]
    fn each_event_is_kept_with_the_same_probability() {
        const EVENTS: usize = 200;
        const STREAMS: usize = 20_000;
        let mut rng = StdRng::seed_from_u64(20_260_101);
        let mut counts = [0_u32; EVENTS];
        for _ in 0..STREAMS {
            for ordinal in kept(EVENTS as u64, &mut rng) {
                counts[usize::try_from(ordinal).unwrap() - 1] += 1;
            }
        }
        let share = SAMPLES_PER_REASON as f64 / EVENTS as f64;
        let expected = STREAMS as f64 * share;
        let pearson: f64 = counts
            .iter()
            .map(|&count| (f64::from(count) - expected).powi(2) / expected)
            .sum();
        let statistic = pearson / (1.0 - share);
        assert!(statistic < 266.4, "chi-square {statistic}");
        assert!(
            statistic > 140.0,
            "too even to be random: chi-square {statistic}"
        );
    }
}
