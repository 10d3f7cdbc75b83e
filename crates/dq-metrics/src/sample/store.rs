//! Where samples are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{SAMPLES_PER_REASON, Sample};
use crate::reason::Reason;

/// Keeps the current samples.
///
/// # Contract
/// - It holds at most one sample for each [`Place`], and so is bounded by the places there are.
/// - Replacing takes effect if its ordinal is above that of the last replacement at this place, and
///   changes nothing otherwise: two threads may bring their samples in the wrong order.
/// - Replacing by `None` clears the place. (The event that was chosen could not be captured; keeping
///   the old sample instead would favour early events.)
/// - It does not block: one that writes to a database keeps the samples in memory and writes behind.
/// - It stores samples as they are; they are masked already.
pub trait SampleStore: fmt::Debug + Send + Sync {
    /// Puts a sample in its place, or clears the place.
    ///
    /// # Errors
    /// If the store cannot take it now; the old sample then stays, and the failure is counted.
    fn replace(
        &self,
        place: Place,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError>;

    /// The samples of one reason, in the order of their places.
    fn samples(&self, reason: Reason) -> Vec<Sample>;
}

/// One of the places for samples: [`SAMPLES_PER_REASON`] for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    reason: Reason,
    index: usize,
}

/// A sample could not be stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleStoreError {
    /// The store, or the queue before it, takes nothing now.
    #[error("the sample store takes nothing now, look at its database or its queue")]
    Unavailable(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
}

/// Samples in memory, gone when the process ends.
#[derive(Debug, Default)]
pub struct MemorySamples {
    places: Mutex<BTreeMap<Place, Replaced>>,
}

/// The last replacement at one place.
#[derive(Debug)]
struct Replaced {
    ordinal: u64,
    sample: Option<Sample>,
}

// === impl Place ===

impl Place {
    /// The place of a reason with this index, or `None` from [`SAMPLES_PER_REASON`] on.
    pub fn new(reason: Reason, index: usize) -> Option<Self> {
        (index < SAMPLES_PER_REASON).then_some(Self { reason, index })
    }

    /// Whose place it is.
    pub const fn reason(self) -> Reason {
        self.reason
    }

    /// Which of the places of the reason, from 0.
    pub const fn index(self) -> usize {
        self.index
    }
}

// === impl MemorySamples ===

impl SampleStore for MemorySamples {
    fn replace(
        &self,
        place: Place,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.get(&place).is_none_or(|last| last.ordinal < ordinal) {
            places.insert(place, Replaced { ordinal, sample });
        }
        Ok(())
    }

    fn samples(&self, reason: Reason) -> Vec<Sample> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let all = Place { reason, index: 0 }..Place {
            reason,
            index: SAMPLES_PER_REASON,
        };
        places
            .range(all)
            .filter_map(|(_, last)| last.sample.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::conformance;

    #[test]
    fn memory_samples_keep_the_contract() {
        conformance::keeps_the_contract(&MemorySamples::default());
    }

    #[test]
    fn there_are_as_many_places_as_samples() {
        assert!(Place::new(Reason::ParseJson, SAMPLES_PER_REASON - 1).is_some());
        assert!(Place::new(Reason::ParseJson, SAMPLES_PER_REASON).is_none());
    }
}
