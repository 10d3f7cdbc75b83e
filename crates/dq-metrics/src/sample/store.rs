//! Where samples are kept.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::{SAMPLES_PER_REASON, Sample};
use crate::labels::OTHER;

/// Keeps the current samples.
///
/// # Contract
/// - It is empty at first, and holds at most one sample for each [`SampleSlot`].
/// - Replacing takes effect if its ordinal is above that of the last replacement in this slot, and
///   changes nothing otherwise: two threads may bring their samples in the wrong order.
/// - Replacing by `None` clears the slot, and its ordinal counts like any other. (The event that was
///   chosen could not be captured; keeping the old sample instead would favour early events.)
/// - It gives samples back as they were stored, in the order of their slots and by their reason.
/// - Erasing a tenant clears the slots that have a sample of it or of `__other__`, which may be anybody's. Their
///   ordinals stay what they are.
/// - It does not block: one that writes to a database keeps the samples in memory and writes behind.
///
/// The function `conformance::sample_store` (feature `conformance`) checks all but the last.
///
/// # Security
/// Samples are masked before they come here. They still show how data is shaped: keep them no longer
/// and show them to no more people than that deserves.
pub trait SampleStore: fmt::Debug + Send + Sync {
    /// Puts a sample in its slot, or clears the slot.
    ///
    /// # Errors
    /// If the store cannot take it now; the old sample then stays, and the failure is counted.
    fn replace(
        &self,
        slot: SampleSlot,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError>;

    /// Clears the slots that have a sample of this tenant or of `__other__`.
    ///
    /// # Errors
    /// If the store cannot do it now; a sample may be left then.
    fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError>;

    /// The samples of the reason with this name, in the order of their slots.
    fn samples(&self, reason: &'static str) -> Vec<Sample>;
}

/// Where a sample is kept: one of the [`SAMPLES_PER_REASON`] slots of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleSlot {
    reason: &'static str,
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
    slots: Mutex<BTreeMap<SampleSlot, Replaced>>,
}

/// The last replacement in one slot.
#[derive(Debug)]
struct Replaced {
    ordinal: u64,
    sample: Option<Sample>,
}

impl SampleSlot {
    /// A slot of the reason with this name, or `None` if `index` is not below
    /// [`SAMPLES_PER_REASON`].
    pub fn new(reason: &'static str, index: usize) -> Option<Self> {
        (index < SAMPLES_PER_REASON).then_some(Self { reason, index })
    }

    /// The name of the reason.
    pub const fn reason(self) -> &'static str {
        self.reason
    }

    /// Which of the slots of the reason, from 0.
    pub const fn index(self) -> usize {
        self.index
    }
}

impl SampleStore for MemorySamples {
    fn replace(
        &self,
        slot: SampleSlot,
        ordinal: u64,
        sample: Option<Sample>,
    ) -> Result<(), SampleStoreError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(&slot).is_none_or(|last| last.ordinal < ordinal) {
            slots.insert(slot, Replaced { ordinal, sample });
        }
        Ok(())
    }

    fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = slots.values_mut();
        for slot in slots.filter(|slot| is_of(slot.sample.as_ref(), tenant)) {
            slot.sample = None;
        }
        Ok(())
    }

    fn samples(&self, reason: &'static str) -> Vec<Sample> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = |index| SampleSlot { reason, index };
        slots
            .range(slot(0)..slot(SAMPLES_PER_REASON))
            .filter_map(|(_, last)| last.sample.clone())
            .collect()
    }
}

/// Whether a sample is a tenant's, or may be.
pub(crate) fn is_of(sample: Option<&Sample>, tenant: &str) -> bool {
    sample.is_some_and(|sample| [tenant, OTHER].contains(&&*sample.tenant))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[test]
    fn memory_samples_keep_the_contract() {
        conformance::sample_store(|| Arc::new(MemorySamples::default()));
    }

    #[test]
    fn there_are_as_many_slots_as_samples() {
        assert!(SampleSlot::new("read.misspelt", SAMPLES_PER_REASON - 1).is_some());
        assert!(SampleSlot::new("read.misspelt", SAMPLES_PER_REASON).is_none());
    }
}
