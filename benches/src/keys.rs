//! In which order keys are asked for: drawn beforehand, with a fixed seed.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// How often the keys of a set are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: what the rows are named after"
)]
pub enum Distribution {
    /// One key alone.
    Hot,
    /// The first twice as often as the second, three times as often as the third.
    Zipf,
    /// All alike.
    Uniform,
}

impl Distribution {
    /// As rows are named.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Zipf => "zipf",
            Self::Uniform => "uniform",
        }
    }

    /// So many positions among `keys` keys.
    ///
    /// # Panics
    /// If there are no keys.
    #[must_use]
    pub fn draw(self, keys: usize, draws: usize) -> Vec<usize> {
        assert!(keys > 0, "there are no keys to draw from");
        let mut random = StdRng::seed_from_u64(7);
        match self {
            Self::Hot => vec![0; draws],
            Self::Uniform => (0..draws).map(|_| random.random_range(0..keys)).collect(),
            Self::Zipf => {
                let mut sum = 0.0;
                let up_to: Vec<f64> = (1..=keys)
                    .map(|rank| {
                        sum += 1.0 / rank as f64;
                        sum
                    })
                    .collect();
                let draw = |_| {
                    let drawn = random.random_range(0.0..sum);
                    up_to.partition_point(|bound| *bound <= drawn).min(keys - 1)
                };
                (0..draws).map(draw).collect()
            }
        }
    }
}
