//! The contract of `SampleStore`.

use std::sync::Arc;

use super::{Clause, clauses};
use crate::{
    clock::UnixMillis,
    sample::{Fingerprint, SAMPLES_PER_REASON, Sample, SampleSlot, SampleStore, TraceId},
};

/// Names of two reasons; a store takes any.
const READ: &str = "read.unreadable";
const CHECK: &str = "check.incomplete";

/// Checks the stores that `make` makes, each one empty, against the contract of [`SampleStore`].
///
/// # Panics
/// A store breaks the contract, or fails. The message names the clause.
pub fn sample_store(make: impl Fn() -> Arc<dyn SampleStore>) {
    clauses! { "SampleStore";
        it_is_empty_at_first(&*make());
        it_gives_samples_back_as_they_were_stored(&*make());
        it_gives_samples_back_in_the_order_of_their_slots(&*make());
        a_replacement_takes_effect_if_its_ordinal_is_higher(&*make());
        replacing_by_none_clears_and_its_ordinal_counts(&*make());
        samples_are_kept_by_their_reason(&*make());
        it_holds_the_last_sample_of_each_slot_and_no_other(&*make());
        erasing_a_tenant_clears_its_slots_and_no_others(&*make());
    }
}

fn it_is_empty_at_first(clause: Clause, store: &dyn SampleStore) {
    for reason in [READ, CHECK] {
        clause.same(reason, store.samples(reason), []);
    }
}

fn it_gives_samples_back_as_they_were_stored(clause: Clause, store: &dyn SampleStore) {
    put(clause, store, READ, 0, 7);
    clause.same("one sample", store.samples(READ), [example(READ, 7)]);
}

fn it_gives_samples_back_in_the_order_of_their_slots(clause: Clause, store: &dyn SampleStore) {
    for (index, ordinal) in [(11, 1), (2, 2), (0, 3)] {
        put(clause, store, READ, index, ordinal);
    }
    let what = "ordinals in the slots 0, 2 and 11";
    clause.same(what, ordinals(store, READ), [3, 2, 1]);
}

fn a_replacement_takes_effect_if_its_ordinal_is_higher(clause: Clause, store: &dyn SampleStore) {
    put(clause, store, READ, 0, 9);
    put(clause, store, READ, 0, 5);
    clause.same("after 9 and 5", ordinals(store, READ), [9]);
    put(clause, store, READ, 0, 10);
    clause.same("after 9, 5 and 10", ordinals(store, READ), [10]);
}

fn replacing_by_none_clears_and_its_ordinal_counts(clause: Clause, store: &dyn SampleStore) {
    put(clause, store, READ, 3, 4);
    clear(clause, store, READ, 3, 2);
    clause.same("4, cleared by 2", ordinals(store, READ), [4]);
    clear(clause, store, READ, 3, 7);
    clause.same("4, cleared by 7", ordinals(store, READ), []);
    put(clause, store, READ, 3, 6);
    clause.same("6, cleared by 7 before", ordinals(store, READ), []);
}

fn samples_are_kept_by_their_reason(clause: Clause, store: &dyn SampleStore) {
    for (reason, ordinal) in [(READ, 1), (CHECK, 2)] {
        put(clause, store, reason, 0, ordinal);
    }
    for (reason, ordinal) in [(READ, 1), (CHECK, 2)] {
        clause.same(reason, store.samples(reason), [example(reason, ordinal)]);
    }
    clear(clause, store, READ, 0, 3);
    let what = "after a slot of the other reason was cleared";
    clause.same(what, ordinals(store, CHECK), [2]);
}

fn it_holds_the_last_sample_of_each_slot_and_no_other(clause: Clause, store: &dyn SampleStore) {
    for ordinal in 0..1_000 {
        let index = usize::try_from(ordinal % 16).expect("below 16");
        put(clause, store, READ, index, 1 + ordinal);
    }
    let kept = ordinals(store, READ);
    clause.same("samples in 16 slots", kept.len(), SAMPLES_PER_REASON);
    let are_last = kept.iter().all(|ordinal| *ordinal > 1_000 - 16);
    clause.holds(are_last, format_args!("ordinals of 1 to 1,000: {kept:?}"));
}

fn erasing_a_tenant_clears_its_slots_and_no_others(clause: Clause, store: &dyn SampleStore) {
    let names = ["tenant", "__other__", "tenant-2", "__unknown__"];
    for (index, (ordinal, name)) in (1..).zip(names).enumerate() {
        let mut sample = example(READ, ordinal);
        sample.tenant = name.to_owned();
        let replaced = store.replace(slot(READ, index), ordinal, Some(sample));
        replaced.unwrap_or_else(|error| clause.fails(format_args!("it failed: {error}")));
    }
    put(clause, store, CHECK, 0, 9);
    let erased = store.erase_tenant("tenant");
    erased.unwrap_or_else(|error| clause.fails(format_args!("it failed: {error}")));
    clause.same("of two others", ordinals(store, READ), [3, 4]);
    clause.same("of another reason", ordinals(store, CHECK), []);
    put(clause, store, CHECK, 0, 8);
    clause.same("8, after 9 was erased", ordinals(store, CHECK), []);
    put(clause, store, CHECK, 0, 10);
    clause.same("10, after 9 was erased", ordinals(store, CHECK), [10]);
}

fn put(clause: Clause, store: &dyn SampleStore, reason: &'static str, index: usize, ordinal: u64) {
    let sample = example(reason, ordinal);
    let replaced = store.replace(slot(reason, index), ordinal, Some(sample));
    replaced.unwrap_or_else(|error| clause.fails(format_args!("it failed: {error}")));
}

fn clear(
    clause: Clause,
    store: &dyn SampleStore,
    reason: &'static str,
    index: usize,
    ordinal: u64,
) {
    let replaced = store.replace(slot(reason, index), ordinal, None);
    replaced.unwrap_or_else(|error| clause.fails(format_args!("it failed: {error}")));
}

fn slot(reason: &'static str, index: usize) -> SampleSlot {
    SampleSlot::new(reason, index).expect("an index below SAMPLES_PER_REASON")
}

fn ordinals(store: &dyn SampleStore, reason: &'static str) -> Vec<u64> {
    store
        .samples(reason)
        .iter()
        .map(|sample| sample.ordinal)
        .collect()
}

fn example(reason: &'static str, ordinal: u64) -> Sample {
    Sample {
        reason,
        tenant: "tenant".to_owned(),
        event_type: "type".to_owned(),
        ordinal,
        taken_at: UnixMillis::new(ordinal),
        trace_id: Some(TraceId::from_bytes([7; 16])),
        detail: "/data/email".to_owned(),
        excerpt: "{}".to_owned(),
        fingerprint: Fingerprint::new(ordinal),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::catch_unwind,
        sync::atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::sample::{MemorySamples, SampleStoreError};

    /// How a store breaks the contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        TakesTheLastToCome,
        ReversesSlots,
        KeepsWhatIsCleared,
        MixesReasons,
        KeepsErased,
    }

    #[derive(Debug)]
    struct Broken {
        fault: Fault,
        calls: AtomicU64,
        inner: MemorySamples,
    }

    impl SampleStore for Broken {
        fn replace(
            &self,
            slot: SampleSlot,
            ordinal: u64,
            sample: Option<Sample>,
        ) -> Result<(), SampleStoreError> {
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            match self.fault {
                Fault::TakesTheLastToCome => self.inner.replace(slot, 1 + call, sample),
                Fault::KeepsWhatIsCleared if sample.is_none() => Ok(()),
                Fault::MixesReasons => {
                    let slot = SampleSlot::new(READ, slot.index()).expect("a slot's index");
                    self.inner.replace(slot, ordinal, sample)
                }
                _ => self.inner.replace(slot, ordinal, sample),
            }
        }

        fn erase_tenant(&self, tenant: &str) -> Result<(), SampleStoreError> {
            match self.fault {
                Fault::KeepsErased => Ok(()),
                _ => self.inner.erase_tenant(tenant),
            }
        }

        fn samples(&self, reason: &'static str) -> Vec<Sample> {
            let mut samples = self.inner.samples(reason);
            if self.fault == Fault::ReversesSlots {
                samples.reverse();
            }
            samples
        }
    }

    #[test]
    fn each_broken_clause_is_found() {
        for (fault, seen) in [
            (
                Fault::TakesTheLastToCome,
                "a replacement takes effect if its ordinal is higher: after 9 and 5: [5], not [9]",
            ),
            (
                Fault::ReversesSlots,
                "it gives samples back in the order of their slots: \
                 ordinals in the slots 0, 2 and 11: [1, 2, 3], not [3, 2, 1]",
            ),
            (
                Fault::KeepsWhatIsCleared,
                "replacing by none clears and its ordinal counts: 4, cleared by 7: [4], not []",
            ),
            (
                Fault::MixesReasons,
                "samples are kept by their reason: read.unreadable: [Sample",
            ),
            (
                Fault::KeepsErased,
                "erasing a tenant clears its slots and no others: of two others: [1, 2, 3, 4], not [3, 4]",
            ),
        ] {
            let make = || {
                Arc::new(Broken {
                    fault,
                    calls: AtomicU64::default(),
                    inner: MemorySamples::default(),
                }) as Arc<dyn SampleStore>
            };
            let panic = catch_unwind(|| sample_store(make)).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            let expected = format!("`SampleStore`: {seen}");
            assert!(message.starts_with(&expected), "{fault:?}: {message}");
        }
    }
}
