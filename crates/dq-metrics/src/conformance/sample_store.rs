//! The contract of `SampleStore`.

use std::sync::Arc;

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
/// If a store breaks a clause; the message names it.
pub fn sample_store(make: impl Fn() -> Arc<dyn SampleStore>) {
    starts_empty(&*make());
    gives_back_what_is_put(&*make());
    gives_back_in_the_order_of_slots(&*make());
    ignores_what_is_out_of_order(&*make());
    clears_a_slot(&*make());
    keeps_reasons_apart(&*make());
    holds_one_sample_for_each_slot(&*make());
}

fn starts_empty(store: &dyn SampleStore) {
    for reason in [READ, CHECK] {
        assert!(store.samples(reason).is_empty(), "it is empty at first");
    }
}

fn gives_back_what_is_put(store: &dyn SampleStore) {
    put(store, READ, 0, 7);
    assert_eq!(
        store.samples(READ),
        [example(READ, 7)],
        "it gives samples back as they were stored"
    );
}

fn gives_back_in_the_order_of_slots(store: &dyn SampleStore) {
    for (index, ordinal) in [(11, 1), (2, 2), (0, 3)] {
        put(store, READ, index, ordinal);
    }
    assert_eq!(
        ordinals(store, READ),
        [3, 2, 1],
        "it gives samples back in the order of their slots"
    );
}

fn ignores_what_is_out_of_order(store: &dyn SampleStore) {
    put(store, READ, 0, 9);
    put(store, READ, 0, 5);
    assert_eq!(
        ordinals(store, READ),
        [9],
        "a replacement with a lower ordinal changes nothing"
    );
    put(store, READ, 0, 10);
    assert_eq!(
        ordinals(store, READ),
        [10],
        "a replacement with a higher ordinal takes effect"
    );
}

fn clears_a_slot(store: &dyn SampleStore) {
    put(store, READ, 3, 4);
    clear(store, READ, 3, 2);
    assert_eq!(
        ordinals(store, READ),
        [4],
        "clearing with a lower ordinal changes nothing"
    );
    clear(store, READ, 3, 7);
    assert_eq!(ordinals(store, READ), [], "replacing by `None` clears");
    put(store, READ, 3, 6);
    assert_eq!(
        ordinals(store, READ),
        [],
        "the ordinal of a clearing counts like any other"
    );
}

fn keeps_reasons_apart(store: &dyn SampleStore) {
    for (reason, ordinal) in [(READ, 1), (CHECK, 2)] {
        put(store, reason, 0, ordinal);
    }
    for (reason, ordinal) in [(READ, 1), (CHECK, 2)] {
        assert_eq!(
            store.samples(reason),
            [example(reason, ordinal)],
            "samples are kept by their reason"
        );
    }
    clear(store, READ, 0, 3);
    assert_eq!(
        ordinals(store, CHECK),
        [2],
        "clearing a slot leaves other reasons alone"
    );
}

fn holds_one_sample_for_each_slot(store: &dyn SampleStore) {
    for ordinal in 0..1_000 {
        let index = usize::try_from(ordinal % 16).expect("below 16");
        put(store, READ, index, 1 + ordinal);
    }
    let kept = ordinals(store, READ);
    assert_eq!(
        kept.len(),
        SAMPLES_PER_REASON,
        "it holds at most one sample for each slot"
    );
    assert!(
        kept.iter().all(|ordinal| *ordinal > 1_000 - 16),
        "it holds the last sample of each slot"
    );
}

fn put(store: &dyn SampleStore, reason: &'static str, index: usize, ordinal: u64) {
    store
        .replace(slot(reason, index), ordinal, Some(example(reason, ordinal)))
        .expect("an available store");
}

fn clear(store: &dyn SampleStore, reason: &'static str, index: usize, ordinal: u64) {
    store
        .replace(slot(reason, index), ordinal, None)
        .expect("an available store");
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
