//! What a [`Quality`] is made of.

use std::{fmt, marker::PhantomData, num::NonZeroU32, sync::Arc};

use rand::Rng;

use super::{Parts, Quality};
use crate::{
    clock::{Clock, SystemClock, WallByMonotonic},
    ledger::Ledger,
    plan::Plan,
    reason::Reason,
    sample::{Bucket, Masker, MemorySamples, SampleStore, Sampler},
    score::{Trends, Weights},
    versions::VersionSeries,
};

/// Captures a second; default.
const CAPTURES_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Captures at once; default: 4 reasons may fill their 16 slots together.
const CAPTURE_BURST: NonZeroU32 = NonZeroU32::new(64).expect("not zero");

/// Settings of a [`Quality`].
#[derive(Debug)]
#[must_use]
pub struct QualityBuilder<R> {
    reasons: PhantomData<R>,
    masker: Arc<dyn Masker>,
    rng: Generator,
    clock: Arc<dyn Clock>,
    plan: Plan,
    weights: Weights,
    store: Arc<dyn SampleStore>,
    captures_per_second: NonZeroU32,
    capture_burst: NonZeroU32,
}

/// A generator that does not show its state.
struct Generator(Box<dyn Rng + Send>);

impl<R: Reason> Quality<R> {
    /// Begins with what has no default: what masks samples, and what draws them.
    ///
    /// # Security
    /// The state of `rng` foretells which refused events become samples: seed it from the operating
    /// system.
    pub fn builder(masker: Arc<dyn Masker>, rng: impl Rng + Send + 'static) -> QualityBuilder<R> {
        QualityBuilder {
            reasons: PhantomData,
            masker,
            rng: Generator(Box::new(rng)),
            clock: Arc::new(SystemClock::new()),
            plan: Plan::new(),
            weights: Weights::EQUAL,
            store: Arc::new(MemorySamples::default()),
            captures_per_second: CAPTURES_PER_SECOND,
            capture_burst: CAPTURE_BURST,
        }
    }
}

impl<R: Reason> QualityBuilder<R> {
    /// Where the time comes from; default: the system clock.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Which event types and schema versions are planned; default: none.
    pub fn plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// How much each dimension weighs; default: equal.
    pub fn weights(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }

    /// Where samples are kept; default: in memory.
    pub fn sample_store(self, store: Arc<dyn SampleStore>) -> Self {
        Self { store, ..self }
    }

    /// How many samples are masked and stored each second in the long run; default: 10.
    pub fn captures_per_second(self, captures_per_second: NonZeroU32) -> Self {
        Self {
            captures_per_second,
            ..self
        }
    }

    /// How many samples are masked and stored at once; default: 64.
    pub fn capture_burst(self, capture_burst: NonZeroU32) -> Self {
        Self {
            capture_burst,
            ..self
        }
    }

    /// Puts it together.
    ///
    /// # Panics
    /// If [`Reason::index`] is not the position in [`Reason::ALL`] for each reason of `R`: a mistake
    /// in the application's taxonomy, which counts nothing then.
    pub fn build(self) -> Quality<R> {
        const {
            assert!(
                Quality::<R>::MAX_SERIES <= 2_000,
                "the taxonomy has too many reasons"
            )
        }
        for (position, reason) in R::ALL.iter().enumerate() {
            let index = reason.index();
            assert_eq!(
                index, position,
                "the index of {reason:?} is not its position in `ALL`"
            );
        }
        let bucket = Bucket::new(
            self.captures_per_second,
            self.capture_burst,
            Arc::clone(&self.clock),
        );
        let clock = Arc::clone(&self.clock);
        Quality(Arc::new(Parts {
            version_series: VersionSeries::new(&self.plan),
            ledger: Ledger::new(self.plan),
            sampler: Sampler::new(self.rng.0, bucket, self.masker, self.store, clock),
            weights: self.weights,
            trends: Trends::new(self.clock.monotonic()),
            wall: WallByMonotonic::new(&*self.clock),
            clock: self.clock,
        }))
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generator")
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{fault::Fault, reason::Facts};

    /// A taxonomy whose second reason says it is the first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Confused {
        First,
        Second,
    }

    impl Reason for Confused {
        const ALL: &'static [Self] = &[Self::First, Self::Second];

        fn index(self) -> usize {
            0
        }

        fn facts(self) -> Facts {
            match self {
                Self::First => Facts::new("a.first", "It is first."),
                Self::Second => Facts::new("a.second", "It is second."),
            }
        }
    }

    #[derive(Debug)]
    struct MasksAll;

    impl Masker for MasksAll {
        fn mask_payload(&self, _: &str) -> String {
            String::new()
        }

        fn mask_text(&self, _: &str) -> String {
            String::new()
        }
    }

    fn build<R: Reason>() -> Quality<R> {
        Quality::builder(Arc::new(MasksAll), StdRng::seed_from_u64(1)).build()
    }

    #[test]
    #[should_panic(expected = "the index of Second is not its position in `ALL`")]
    fn a_taxonomy_that_would_count_wrongly_is_not_built() {
        build::<Confused>();
    }

    #[test]
    fn the_series_are_bounded_by_the_taxonomy() {
        build::<Fault>();
        let difference = Quality::<Fault>::MAX_SERIES - Quality::<Confused>::MAX_SERIES;
        assert_eq!(difference, Fault::ALL.len() - Confused::ALL.len());
    }
}
