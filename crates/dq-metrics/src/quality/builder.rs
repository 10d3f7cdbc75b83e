//! What a [`Quality`] is made of.

use std::num::NonZeroU32;
use std::sync::Arc;

use rand::Rng;

use super::{Parts, Quality};
use crate::clock::{Clock, SystemClock, UnixMillis};
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::sample::{Bucket, Masker, MemorySamples, SampleStore, Sampler};
use crate::score::{Trends, Weights};

/// Captures a second, unless set.
const CAPTURES_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Captures at once, unless set: 4 reasons may fill their 16 places together.
const CAPTURE_BURST: NonZeroU32 = NonZeroU32::new(64).expect("not zero");

/// Settings of a [`Quality`].
#[derive(Debug)]
#[must_use]
pub struct QualityBuilder {
    masker: Arc<dyn Masker>,
    rng: Dice,
    clock: Arc<dyn Clock>,
    plan: Plan,
    weights: Weights,
    store: Arc<dyn SampleStore>,
    captures_per_second: NonZeroU32,
    capture_burst: NonZeroU32,
}

/// A generator that does not show its state.
struct Dice(Box<dyn Rng + Send>);

// === impl QualityBuilder ===

impl Quality {
    /// Begins with what has no default: what masks samples, and what draws them.
    ///
    /// # Security
    /// Who knows the state of `rng` can foretell which refused events become samples: seed it from
    /// the operating system.
    pub fn builder(masker: Arc<dyn Masker>, rng: impl Rng + Send + 'static) -> QualityBuilder {
        QualityBuilder {
            masker,
            rng: Dice(Box::new(rng)),
            clock: Arc::new(SystemClock::new()),
            plan: Plan::new(),
            weights: Weights::EQUAL,
            store: Arc::new(MemorySamples::default()),
            captures_per_second: CAPTURES_PER_SECOND,
            capture_burst: CAPTURE_BURST,
        }
    }
}

impl QualityBuilder {
    /// Where the time comes from; the system clock by default.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Which event types and schema versions are planned; none by default.
    pub fn plan(self, plan: Plan) -> Self {
        Self { plan, ..self }
    }

    /// How much each dimension weighs; equal by default.
    pub fn weights(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }

    /// Where samples are kept; in memory by default.
    pub fn sample_store(self, store: Arc<dyn SampleStore>) -> Self {
        Self { store, ..self }
    }

    /// How many samples are masked and stored each second in the long run; 10 by default.
    pub fn captures_per_second(self, captures_per_second: NonZeroU32) -> Self {
        Self {
            captures_per_second,
            ..self
        }
    }

    /// How many samples are masked and stored at once; 64 by default.
    pub fn capture_burst(self, capture_burst: NonZeroU32) -> Self {
        Self {
            capture_burst,
            ..self
        }
    }

    /// Puts it together.
    pub fn build(self) -> Quality {
        let bucket = Bucket::new(
            self.captures_per_second,
            self.capture_burst,
            Arc::clone(&self.clock),
        );
        let clock = Arc::clone(&self.clock);
        Quality(Arc::new(Parts {
            ledger: Ledger::new(self.plan),
            sampler: Sampler::new(self.rng.0, bucket, self.masker, self.store, clock),
            weights: self.weights,
            trends: Trends::new(UnixMillis::from(self.clock.now())),
            clock: self.clock,
        }))
    }
}

// === impl Dice ===

impl std::fmt::Debug for Dice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dice")
    }
}
